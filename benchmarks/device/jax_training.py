"""A training step in JAX: how many kernels a schedule adds, and how much time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.device.report import ratios, table
from benchmarks.device.settings import Settings
from benchmarks.kernels import kernels_in_module
from bridges.optax import to_optax

PEAK, WARMUP, TOTAL = 1e-3, 1_000, 100_000
WIDTH, HEADS, LENGTH, BATCH = 128, 4, 32, 4
Rate = float | Callable[[Any], Any]
# The first is the baseline.
RATES: dict[str, Rate] = {
    "constant": PEAK,
    "warmup_linear": to_optax(fs.warmup_linear(WARMUP, TOTAL), PEAK),
    "warmup_linear, optax": optax.join_schedules(
        [optax.linear_schedule(0.0, PEAK, WARMUP), optax.linear_schedule(PEAK, 0.0, TOTAL - WARMUP)], [WARMUP]
    ),
    "warmup_cosine": to_optax(fs.warmup_cosine(WARMUP, TOTAL), PEAK),
    "warmup_cosine, optax": optax.warmup_cosine_decay_schedule(0.0, PEAK, WARMUP, TOTAL),
    "warmup_stable_decay": to_optax(fs.warmup_stable_decay(WARMUP, TOTAL - 2 * WARMUP, WARMUP), PEAK),
    "warmup_stable_decay, optax": optax.join_schedules(
        [
            optax.linear_schedule(0.0, PEAK, WARMUP),
            optax.constant_schedule(PEAK),
            optax.linear_schedule(PEAK, 0.0, WARMUP),
        ],
        [WARMUP, TOTAL - WARMUP],
    ),
}


def section(settings: Settings) -> str:
    """The table of kernels and step times for each learning rate."""
    runs = {name: Training(rate) for name, rate in list(RATES.items())[: settings.rates]}
    times = ratios({name: partial(run.train, settings.updates) for name, run in runs.items()}, settings.rounds)
    compiled = {name: run.kernels_in_module() for name, run in runs.items()}
    profiled = {name: run.kernels_in_profile(settings.updates) for name, run in runs.items()}
    baseline = runs["constant"]
    head = (
        f"AdamW on a transformer block of width {WIDTH}, jitted: {compiled['constant']} kernels in the module with a "
    )
    head += f"constant learning rate, and {_count(profiled['constant'])}.\n"
    rows = [
        [name, compiled[name] - compiled["constant"], _difference(profiled[name], profiled["constant"]), times[name]]
        for name, run in runs.items()
        if run is not baseline
    ]
    columns = ["learning rate", "kernels added, module", "kernels added, profile", "step time / constant (quartiles)"]
    return head + "\n" + table(columns, rows)


class Training:
    """A jitted training step of a transformer block, and its state."""

    def __init__(self, rate: Rate) -> None:
        optimizer = optax.adamw(rate)

        def step(weights: Any, state: Any, x: jax.Array) -> Any:
            updates, state = optimizer.update(jax.grad(loss)(weights, x), state, weights)
            return optax.apply_updates(weights, updates), state

        self.x = jnp.sin(jnp.arange(float(BATCH * LENGTH * WIDTH))).reshape(BATCH, LENGTH, WIDTH)
        self.weights = initial_weights()
        self.state: Any = optimizer.init(self.weights)
        self.step = jax.jit(step, donate_argnums=(0, 1)).lower(self.weights, self.state, self.x).compile()

    def train(self, updates: int) -> None:
        for _ in range(updates):
            self.weights, self.state = self.step(self.weights, self.state, self.x)
        jax.block_until_ready(self.weights)  # type: ignore[no-untyped-call]

    def kernels_in_module(self) -> int:
        return kernels_in_module(self.step.as_text() or "")

    def kernels_in_profile(self, updates: int) -> float | None:
        """The mean number of kernels and copies of a step in a profile; None where the device has no profile."""
        with tempfile.TemporaryDirectory() as folder:
            with jax.profiler.trace(folder):
                self.train(updates)
            count = sum(map(events_on_device, Path(folder).rglob("*.xplane.pb")))
        return count / updates if count else None


def events_on_device(path: Path) -> int:
    """The number of kernels and copies in a profile."""
    count = 0
    for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
        if plane.name.startswith("/device:"):
            lines = {line.name: sum(1 for _ in line.events) for line in plane.lines}
            streams = [number for name, number in lines.items() if name.startswith("Stream")]  # of a GPU
            count += sum(streams) if streams else lines.get("XLA Ops", 0)
    return count


def initial_weights() -> dict[str, jax.Array]:
    shapes = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    keys = jax.random.split(jax.random.key(0), len(shapes))
    return {
        name: jax.random.normal(key, shape) / math.sqrt(shape[0])
        for key, (name, shape) in zip(keys, shapes.items(), strict=True)
    }


def loss(weights: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """The mean square of the output of a transformer block."""
    heads = (BATCH, LENGTH, HEADS, WIDTH // HEADS)
    query, key, value = (part.reshape(heads) for part in jnp.split(_normalized(x) @ weights["qkv"], 3, axis=-1))
    x = x + jax.nn.dot_product_attention(query, key, value, is_causal=True).reshape(x.shape) @ weights["out"]
    x = x + jax.nn.gelu(_normalized(x) @ weights["up"]) @ weights["down"]
    return jnp.mean(x**2)


def _normalized(x: jax.Array) -> jax.Array:
    return jax.nn.standardize(x, axis=-1)


def _count(kernels: float | None) -> str:
    return "no profile of this device" if kernels is None else f"{kernels:g} in the profile of a step"


def _difference(kernels: float | None, baseline: float | None) -> str:
    return "" if kernels is None or baseline is None else f"{kernels - baseline:+g}"
