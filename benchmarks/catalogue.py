"""Every schedule that optax also has: instructions in the compiled code, and errors of the values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import funcsched as fs
from benchmarks.compiled import instructions
from benchmarks.report import Row
from benchmarks.timing import Batch, fastest
from tests import oracle


class Family(NamedTuple):
    ours: fs.Schedule
    peer: Callable[[Any], Any]  # the same schedule from optax
    last_step: int  # values are compared up to 100 steps past this one
    exact: oracle.Curve


def _cycle(length: int, warmup: int = 0) -> dict[str, Any]:
    """The arguments of one cycle of `optax.sgdr_schedule`."""
    return {"init_value": 0.0 if warmup else 1.0, "peak_value": 1.0, "warmup_steps": warmup, "decay_steps": length}


def _boundaries(intervals: int) -> list[int]:
    return [100 * i for i in range(intervals + 1)]


def _levels(intervals: int) -> list[float]:
    return [[1.0, 0.5, 0.25][i % 3] for i in range(intervals + 1)]


def _factors(intervals: int) -> dict[int, float]:
    """The same levels, in the form optax takes: the factor at each boundary."""
    levels = _levels(intervals)
    return {100 * i: levels[i] / levels[i - 1] for i in range(1, intervals + 1)}


def _interpolation(intervals: int, shape: str) -> Family:
    curve = getattr(oracle, shape)
    return Family(
        fs.interpolate(_boundaries(intervals), _levels(intervals), shape=getattr(fs, shape)),
        optax.piecewise_interpolate_schedule(shape, 1.0, _factors(intervals)),
        100 * intervals + 100,
        oracle.interpolate(_boundaries(intervals), _levels(intervals), [curve] * intervals),
    )


def _polynomial(start: float, stop: float, power: float) -> Family:
    return Family(
        fs.ramp(start, stop, steps=10_000, shape=fs.reverse(fs.power(power))),
        optax.polynomial_schedule(start, stop, power, 10_000),
        10_000,
        oracle.ramp(start, stop, 10_000, oracle.reverse(oracle.power(power))),
    )


_SQUARED_COSINE = oracle.reverse(oracle.compose(oracle.power(2.0), oracle.cosine))
FAMILIES = {
    "linear": Family(
        fs.ramp(1.0, 0.1, steps=10_000),
        optax.linear_schedule(1.0, 0.1, 10_000),
        10_000,
        oracle.ramp(1.0, 0.1, 10_000),
    ),
    "polynomial, power 2": _polynomial(1.0, 0.0, 2.0),
    "polynomial, power 0.9": _polynomial(1.0, 0.0, 0.9),
    "polynomial, power 3, rising": _polynomial(0.0, 1.0, 3.0),
    "cosine": Family(
        fs.ramp(1.0, 0.0, steps=10_000, shape=fs.cosine),
        optax.cosine_decay_schedule(1.0, 10_000),
        10_000,
        oracle.ramp(1.0, 0.0, 10_000, oracle.cosine),
    ),
    "cosine, exponent 2": Family(
        fs.ramp(1.0, 0.0, steps=10_000, shape=fs.reverse(fs.compose(fs.power(2.0), fs.cosine))),
        optax.cosine_decay_schedule(1.0, 10_000, exponent=2.0),
        10_000,
        oracle.ramp(1.0, 0.0, 10_000, _SQUARED_COSINE),
    ),
    "exponential": Family(
        fs.exponential_decay(0.9, 100),
        optax.exponential_decay(1.0, 100, 0.9),
        50_000,
        oracle.exponential_decay(0.9, 100),
    ),
    "exponential, growing to an end": Family(
        fs.exponential_decay(1.1, 100, end=50.0),
        optax.exponential_decay(1.0, 100, 1.1, end_value=50.0),
        10_000,
        oracle.exponential_decay(1.1, 100, end=50.0),
    ),
    "exponential, staircase": Family(
        fs.exponential_decay(0.9, 100, staircase=True),
        optax.exponential_decay(1.0, 100, 0.9, staircase=True),
        50_000,
        oracle.exponential_decay(0.9, 100, staircase=True),
    ),
    "piecewise constant, 3 boundaries": Family(
        fs.piecewise_constant([100, 200, 300], factors=[0.1, 0.5, 0.1]),
        optax.piecewise_constant_schedule(1.0, {100: 0.1, 200: 0.5, 300: 0.1}),
        400,
        oracle.factors([100, 200, 300], [0.1, 0.5, 0.1]),
    ),
    "piecewise constant, 20 boundaries": Family(
        fs.piecewise_constant(_boundaries(20)[1:], levels=_levels(20)),
        optax.piecewise_constant_schedule(1.0, _factors(20)),
        2100,
        oracle.levels(_boundaries(20)[1:], _levels(20)),
    ),
    "interpolation, 2 intervals": _interpolation(2, "linear"),
    "interpolation, 4 intervals": _interpolation(4, "linear"),
    "interpolation, 20 intervals": _interpolation(20, "linear"),
    "interpolation, cosine, 4 intervals": _interpolation(4, "cosine"),
    "interpolation, cosine, 20 intervals": _interpolation(20, "cosine"),
    "one-cycle, cosine": Family(
        fs.one_cycle(3_000, 10_000),
        optax.cosine_onecycle_schedule(10_000, 1.0),
        10_000,
        oracle.phases(0.04, (3_000, 1.0, oracle.cosine), (7_000, 4e-6, oracle.cosine)),
    ),
    "one-cycle, linear": Family(
        fs.one_cycle(3_000, 10_000, decay_steps=5_500, shape=fs.linear),
        optax.linear_onecycle_schedule(10_000, 1.0),
        10_000,
        oracle.phases(0.04, (3_000, 1.0, oracle.linear), (5_500, 0.04, oracle.linear), (1_500, 4e-6, oracle.linear)),
    ),
    "warmup, constant": Family(
        fs.warmup_constant(100),
        optax.warmup_constant_schedule(0.0, 1.0, 100),
        200,
        oracle.warmup_constant(100),
    ),
    "warmup, exponential": Family(
        fs.warmup_exponential(100, 100, 0.9),
        optax.warmup_exponential_decay_schedule(0.0, 1.0, 100, 100, 0.9),
        50_000,
        oracle.join([oracle.ramp(0.0, 1.0, 100), oracle.exponential_decay(0.9, 100)], [100]),
    ),
    "restarts, 3 cycles with warmup": Family(
        fs.cosine_restarts(100, times=3, warmup_steps=10),
        optax.sgdr_schedule([_cycle(100, 10)] * 3),
        400,
        oracle.repeat(oracle.warmup_cosine(10, 100), 100, 3),
    ),
    "restarts, 3 cycles that double": Family(
        fs.cosine_restarts(100, times=3, period_factor=2),
        optax.sgdr_schedule([_cycle(100), _cycle(200), _cycle(400)]),
        800,
        oracle.repeat(oracle.ramp(1.0, 0.0, 100, oracle.cosine), 100, 3, 2),
    ),
    "warmup, stable, decay": Family(
        fs.warmup_stable_decay(100, 800, 100),
        optax.join_schedules(
            [optax.linear_schedule(0, 1, 100), optax.constant_schedule(1.0), optax.linear_schedule(1, 0, 100)],
            [100, 900],
        ),
        1_100,
        oracle.phases(0.0, (100, 1.0, oracle.linear), (800, 1.0, oracle.linear), (100, 0.0, oracle.linear)),
    ),
}
# The largest acceptable ratio of our number of instructions to that of optax.
LIMITS = dict.fromkeys(FAMILIES, 3.0) | dict.fromkeys(["linear", "cosine", "warmup, stable, decay"], 2.0)
THOUSAND_PIECES: dict[str, Callable[[int], fs.Schedule]] = {
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
        for kind, (ours, theirs) in zip(["scalar", "vector"], instruction_counts(name), strict=True):
            yield Row(f"instructions, {name}, {kind}", "optax", ours, theirs, LIMITS[name])
    for name in FAMILIES:
        our_error, peer_error = max_errors(name)
        # Correct rounding has errors of up to 0.5 ulp, so an error of optax below that counts as 0.5 ulp.
        peer = f"optax, {peer_error:.3g}"
        yield Row(f"largest error in float32 ulp, {name}", peer, our_error, max(peer_error, 0.5))
    for name, factory in THOUSAND_PIECES.items():
        step = jnp.int32(5)
        batches = [_compilation(factory(count), step) for count in (1000, 10)]
        time_of_1000, time_of_10 = fastest(*batches, rounds=5, before=jax.clear_caches)
        yield Row(f"trace and compile: {name}", "ours of 10", time_of_1000, time_of_10, 2.0)


def instruction_counts(name: str) -> list[tuple[int, int]]:
    """Instructions of our schedule and of optax's, for a scalar step and for a vector of steps."""
    ours, peer, _, _ = FAMILIES[name]
    step, steps = jnp.int32(5), jnp.arange(1_000, dtype=jnp.int32)
    return [
        (instructions(ours, step), instructions(peer, step)),
        (instructions(ours, steps), instructions(jax.vmap(peer), steps)),
    ]


def max_errors(name: str) -> tuple[float, float]:
    """The largest error of our schedule and of optax's under jit, in float32 ulp."""
    ours, peer, last_step, _ = FAMILIES[name]
    steps = np.arange(last_step + 100)
    exact = ours(steps)  # float64; `Family.exact` is too slow for all steps, so a test compares a sample with it
    ulp = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    values: Sequence[Any] = [jax.jit(jax.vmap(function))(jnp.asarray(steps)) for function in (ours, peer)]
    our_error, peer_error = (float((np.abs(np.asarray(value, np.float64) - exact) / ulp).max()) for value in values)
    return our_error, peer_error


def _compilation(function: fs.Schedule, step: jax.Array) -> Batch:
    return lambda: jax.jit(function).lower(step).compile()
