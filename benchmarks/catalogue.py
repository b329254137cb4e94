"""Every family that optax has too: instructions of the compiled code, and how far from exact mathematics it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import funcsched as fs
from benchmarks.compiled import instructions
from benchmarks.report import Row
from benchmarks.timing import Batch, best

Peer = Callable[[Any], Any]
_EXPONENT = fs.reverse(fs.compose(fs.power(2.0), fs.cosine))


def _knots(count: int) -> tuple[list[int], list[float], dict[int, float]]:
    """Boundaries, levels, and the same as optax's successive factors."""
    boundaries, levels = [100 * i for i in range(count + 1)], [[1.0, 0.5, 0.25][i % 3] for i in range(count + 1)]
    return boundaries, levels, {100 * i: levels[i] / levels[i - 1] for i in range(1, count + 1)}


def _cycle(length: int, warmup: int = 0) -> dict[str, Any]:
    return {"init_value": 0.0 if warmup else 1.0, "peak_value": 1.0, "warmup_steps": warmup, "decay_steps": length}


_FOUR, _TWENTY = _knots(4), _knots(20)
FAMILIES: dict[str, tuple[fs.Schedule, Peer, int]] = {  # ours, optax's, and how far to compare the values
    "linear": (fs.ramp(1.0, 0.1, steps=10_000), optax.linear_schedule(1.0, 0.1, 10_000), 10_000),
    "polynomial, power 2": (
        fs.ramp(1.0, 0.0, steps=10_000, shape=fs.reverse(fs.power(2.0))),
        optax.polynomial_schedule(1.0, 0.0, 2.0, 10_000),
        10_000,
    ),
    "polynomial, power 0.9": (
        fs.ramp(1.0, 0.0, steps=10_000, shape=fs.reverse(fs.power(0.9))),
        optax.polynomial_schedule(1.0, 0.0, 0.9, 10_000),
        10_000,
    ),
    "polynomial, power 3, rising": (
        fs.ramp(0.0, 1.0, steps=10_000, shape=fs.reverse(fs.power(3.0))),
        optax.polynomial_schedule(0.0, 1.0, 3.0, 10_000),
        10_000,
    ),
    "cosine": (fs.ramp(1.0, 0.0, steps=10_000, shape=fs.cosine), optax.cosine_decay_schedule(1.0, 10_000), 10_000),
    "cosine, exponent 2": (
        fs.ramp(1.0, 0.0, steps=10_000, shape=_EXPONENT),
        optax.cosine_decay_schedule(1.0, 10_000, exponent=2.0),
        10_000,
    ),
    "exponential": (fs.exponential_decay(0.9, 100), optax.exponential_decay(1.0, 100, 0.9), 50_000),
    "exponential, growing to an end": (
        fs.exponential_decay(1.1, 100, end=50.0),
        optax.exponential_decay(1.0, 100, 1.1, end_value=50.0),
        10_000,
    ),
    "exponential, staircase": (
        fs.exponential_decay(0.9, 100, staircase=True),
        optax.exponential_decay(1.0, 100, 0.9, staircase=True),
        50_000,
    ),
    "piecewise constant, 3 boundaries": (
        fs.piecewise_constant([100, 200, 300], factors=[0.1, 0.5, 0.1]),
        optax.piecewise_constant_schedule(1.0, {100: 0.1, 200: 0.5, 300: 0.1}),
        400,
    ),
    "piecewise constant, 20 boundaries": (
        fs.piecewise_constant(_TWENTY[0][1:], levels=_TWENTY[1]),
        optax.piecewise_constant_schedule(1.0, _TWENTY[2]),
        2100,
    ),
    "interpolation, 2 intervals": (
        fs.interpolate([0, 100, 200], [1.0, 0.5, 0.25]),
        optax.piecewise_interpolate_schedule("linear", 1.0, {100: 0.5, 200: 0.5}),
        300,
    ),
    "interpolation, 4 intervals": (
        fs.interpolate(*_FOUR[:2]),
        optax.piecewise_interpolate_schedule("linear", 1.0, _FOUR[2]),
        500,
    ),
    "interpolation, 20 intervals": (
        fs.interpolate(*_TWENTY[:2]),
        optax.piecewise_interpolate_schedule("linear", 1.0, _TWENTY[2]),
        2100,
    ),
    "interpolation, cosine, 4 intervals": (
        fs.interpolate(*_FOUR[:2], shape=fs.cosine),
        optax.piecewise_interpolate_schedule("cosine", 1.0, _FOUR[2]),
        500,
    ),
    "interpolation, cosine, 20 intervals": (
        fs.interpolate(*_TWENTY[:2], shape=fs.cosine),
        optax.piecewise_interpolate_schedule("cosine", 1.0, _TWENTY[2]),
        2100,
    ),
    "one-cycle, cosine": (fs.one_cycle(3_000, 10_000), optax.cosine_onecycle_schedule(10_000, 1.0), 10_000),
    "one-cycle, linear": (
        fs.one_cycle(3_000, 10_000, decay_steps=5_500, shape=fs.linear),
        optax.linear_onecycle_schedule(10_000, 1.0),
        10_000,
    ),
    "warmup, constant": (fs.warmup_constant(100), optax.warmup_constant_schedule(0.0, 1.0, 100), 200),
    "warmup, exponential": (
        fs.warmup_exponential(100, 100, 0.9),
        optax.warmup_exponential_decay_schedule(0.0, 1.0, 100, 100, 0.9),
        50_000,
    ),
    "restarts, 3 cycles with warmup": (
        fs.cosine_restarts(100, times=3, warmup_steps=10),
        optax.sgdr_schedule([_cycle(100, 10)] * 3),
        400,
    ),
    "restarts, 3 cycles that double": (
        fs.cosine_restarts(100, times=3, period_factor=2),
        optax.sgdr_schedule([_cycle(100), _cycle(200), _cycle(400)]),
        800,
    ),
    "warmup, stable, decay": (
        fs.warmup_stable_decay(100, 800, 100),
        optax.join_schedules(
            [optax.linear_schedule(0, 1, 100), optax.constant_schedule(1.0), optax.linear_schedule(1, 0, 100)],
            [100, 900],
        ),
        1_100,
    ),
}
# The most common ones may have twice the instructions of optax's, and the others three times.
_TWICE = {"linear", "cosine", "warmup, stable, decay"}
LIMITS = {name: 2.0 if name in _TWICE else 3.0 for name in FAMILIES}
THOUSAND: dict[str, Callable[[int], fs.Schedule]] = {
    "repeat of 1,000 cycles": lambda count: fs.repeat(fs.warmup_cosine(2, 10), 10, count, level_factor=0.999),
    "growing repeat of 1,000 cycles": lambda count: fs.repeat(
        fs.ramp(1.0, 0.0, steps=10), 10, count, period_factor=1.01
    ),
    "piecewise_constant of 1,000 boundaries": lambda count: fs.piecewise_constant(
        [10 * i + 10 for i in range(count)], levels=[i % 7 / 7 for i in range(count + 1)]
    ),
    "interpolate of 1,000 knots": lambda count: fs.interpolate(
        [10 * i for i in range(count)], [i % 7 / 7 for i in range(count)]
    ),
}


def rows() -> Iterator[Row]:
    for name in FAMILIES:
        for kind, (ours, theirs) in zip(["scalar", "vector"], counts(name), strict=True):
            yield Row(f"instructions, {name}, {kind}", "optax", ours, theirs, LIMITS[name])
    for name in FAMILIES:
        ours, theirs = errors(name)
        yield Row(f"worst error, ulp of float32, {name}", f"optax, {theirs:.3g}", ours, max(theirs, 0.5))
    for name, make in THOUSAND.items():
        step = jnp.int32(5)
        batches = [_compilation(make(count), step) for count in (1000, 10)]
        ours, theirs = best(*batches, rounds=5, before=jax.clear_caches)
        yield Row(f"trace and compile a {name}", "ours of 10", ours, theirs, 2.0)


def counts(name: str) -> list[tuple[int, int]]:
    """Instructions of ours and of optax's, for one step and for a thousand."""
    ours, peer, _ = FAMILIES[name]
    step, steps = jnp.int32(5), jnp.arange(1_000, dtype=jnp.int32)
    return [
        (instructions(ours, step), instructions(peer, step)),
        (instructions(ours, steps), instructions(jax.vmap(peer), steps)),
    ]


def errors(name: str) -> tuple[float, float]:
    """The largest error of ours and of optax's under jit, in float32's last place, up to the end and 100 steps on."""
    ours, peer, last = FAMILIES[name]
    steps = np.arange(last + 100)
    exact = ours(steps)  # in float64, whose own error is far below
    place = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    values: Sequence[Any] = [jax.jit(jax.vmap(function))(jnp.asarray(steps)) for function in (ours, peer)]
    worst = [float((np.abs(np.asarray(value, np.float64) - exact) / place).max()) for value in values]
    return worst[0], worst[1]


def _compilation(function: fs.Schedule, step: jax.Array) -> Batch:
    return lambda: jax.jit(function).lower(step).compile()
