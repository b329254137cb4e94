"""The number of kernels that a schedule adds to a compiled training step, on JAX's default device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.report import Row
from bridges.optax import to_optax

Rate = Callable[[Any], Any]
_PEAK, _WARMUP, _TOTAL = 1e-3, 1_000, 100_000
_SCHEDULES: dict[str, tuple[Rate, Rate]] = {  # ours, that of optax
    "constant": (to_optax(fs.constant(), _PEAK), optax.constant_schedule(_PEAK)),
    "warmup-linear": (
        to_optax(fs.warmup_linear(_WARMUP, _TOTAL), _PEAK),
        optax.warmup_constant_schedule(0.0, _PEAK, _WARMUP),
    ),
    "warmup-cosine": (
        to_optax(fs.warmup_cosine(_WARMUP, _TOTAL), _PEAK),
        optax.warmup_cosine_decay_schedule(0.0, _PEAK, _WARMUP, _TOTAL),
    ),
}
# The computations whose operations are launched in sequence: the entry and the command buffers of a GPU.
_BLOCK = re.compile(r"^(?:ENTRY |%?command_buffer)\S*.*?^}", re.MULTILINE | re.DOTALL)
_OPERATION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (?:\(.*?\)|\S+) ([a-z-]+)\(", re.MULTILINE)
# Operations that run no kernel.
_NO_KERNEL = {"bitcast", "call", "constant", "get-tuple-element", "parameter", "tuple"}


def rows() -> Iterator[Row]:
    for name, factory in {"SGD": optax.sgd, "AdamW": optax.adamw}.items():
        with_constant_rate = kernels(factory(_PEAK))
        for schedule, rates in _SCHEDULES.items():
            ours, theirs = (kernels(factory(rate)) - with_constant_rate for rate in rates)
            yield Row(f"kernels added to an {name} update, {schedule}", "optax", ours, theirs, 1.0)


def kernels(optimizer: optax.GradientTransformation, size: int = 64, layers: int = 4) -> int:
    """The number of kernels in a training step of a small network, with weights updated in place."""
    weights = [jnp.ones((size, size)) / size] * layers

    def loss(weights: Any, x: jax.Array) -> jax.Array:
        for weight in weights:
            x = jnp.tanh(x @ weight)
        return jnp.mean(x**2)

    def step(weights: Any, state: Any, x: jax.Array) -> Any:
        updates, state = optimizer.update(jax.grad(loss)(weights, x), state, weights)
        return optax.apply_updates(weights, updates), state

    arguments = weights, optimizer.init(weights), jnp.ones((8, size))
    return kernels_in_module(jax.jit(step, donate_argnums=(0, 1)).lower(*arguments).compile().as_text() or "")


def kernels_in_module(text: str) -> int:
    """The number of kernels in the text of an optimized module."""
    found = Counter(_OPERATION.findall("\n".join(_BLOCK.findall(text))))
    return sum(count for kind, count in found.items() if kind not in _NO_KERNEL)
