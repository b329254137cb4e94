"""Sweeps with `jax.vmap` over the arguments of a schedule, or over a batch of schedules."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mpf

import bridges.jax  # noqa: F401  (registers schedules as pytrees)
import funcsched as fs
from tests import oracle
from tests.bridges.optax.curves import COMPILE, FAMILIES
from tests.stacks.curves import TOLERANCE

# The levels are rounded to float32 below, so that the sweep runs with the same numbers as its oracle.
SWEEP = [
    # warmup, total, start, end
    (0, 1, 0.0, 0.0),
    (1, 1, 0.25, 0.125),
    (0, 0, 0.5, 0.25),
    (1, 2, 0.0, 0.0),
    (5, 20, 0.1, 0.05),
    (10, 10, 0.0, 0.1),
    (37, 1000, 0.25, 0.0),
    (0, 100, 0.5, 1.0),
    (7, 100, 1.0, 2.0),
    (100, 100_000, 0.0, 1e-3),
    (999, 2**24 - 1, 1e-30, 1e-8),
    (0, 2**24 + 1, 0.0, 0.0),
    (2**24 + 1, 2**27 + 9, 0.0, 0.1),
    (2**24 + 1, 2**31 - 1, 0.3, 0.7),
    (0, 2**31 - 1, 0.5, 0.0),
]
WARMUP, TOTAL, START, END = (np.array(column) for column in zip(*SWEEP, strict=True))
START, END = np.float32(START), np.float32(END)


def sweep_of_arguments(make: Callable, steps: jax.Array, compile: Callable) -> jax.Array:
    """Arrays of arguments; the schedule is built inside of vmap."""
    function = jax.vmap(lambda w, t, a, b, step: make(w, t, a, b)(step))
    return compile(function)(jnp.int32(WARMUP), jnp.int32(TOTAL), jnp.asarray(START), jnp.asarray(END), steps)


def sweep_of_a_batch(make: Callable, steps: jax.Array, compile: Callable) -> jax.Array:
    """Schedules with Python numbers, stacked to a batch of schedules."""
    schedules = [make(w, t, float(np.float32(a)), float(np.float32(b))) for w, t, a, b in SWEEP]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *schedules)
    return compile(jax.vmap(lambda schedule, step: schedule(step)))(batch, steps)


SWEEPS = {"arguments": sweep_of_arguments, "batch": sweep_of_a_batch}

LAST = 2**31 - 1  # the largest int32


def steps_of(warmup: int, total: int) -> list[int]:
    """The boundaries with their neighbors, and steps between, before and after them: the same number for each sweep."""
    length = max(total - warmup, 0)
    around = [boundary + offset for boundary in (0, warmup, total) for offset in (-2, -1, 0, 1, 2)]
    between = [warmup * k // 7 for k in range(1, 7)] + [warmup + length * k // 13 for k in range(1, 13)]
    return [min(step, LAST) for step in [-100, *around, *between, 2 * total, total + 1000, LAST]]


STEPS = [steps_of(warmup, total) for warmup, total, *_ in SWEEP]


@cache
def swept(family: str, sweep: str, compile: str) -> list[list[float]]:
    return SWEEPS[sweep](FAMILIES[family][0], jnp.array(STEPS, jnp.int32), COMPILE[compile]).tolist()


@cache
def exact_values(family: str) -> list[list[mpf]]:
    curves = [FAMILIES[family][1](w, t, float(a), float(b)) for (w, t, *_), a, b in zip(SWEEP, START, END, strict=True)]
    return [[curve(max(step, 0)) for step in steps] for curve, steps in zip(curves, STEPS, strict=True)]


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("row", range(len(SWEEP)), ids=[str(numbers) for numbers in SWEEP])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_is_as_accurate_as_each_schedule(family: str, row: int, sweep: str, compile: str) -> None:
    values, exact = swept(family, sweep, compile)[row], exact_values(family)[row]
    errors = [(oracle.ulps(v, e, 24), s, v, float(e)) for v, e, s in zip(values, exact, STEPS[row], strict=True)]
    assert max(errors)[0] <= TOLERANCE, max(errors)


def levels_at_boundaries(family: str, warmup: int, total: int, start: float, end: float) -> dict[int, float]:
    """The levels at the boundaries, before the first and after the last one. A phase of length 0 has no level."""
    if family == "warmup_constant":
        first = start if warmup else 1.0
        return {-100: first, -1: first, 0: first, warmup: 1.0, warmup + 1: 1.0, LAST: 1.0}
    first = start if total else end
    if family == "ramp of a power":
        return {-100: first, -1: first, 0: first, total: end, min(total + 1, LAST): end, LAST: end}
    if warmup == 0 < total:
        first = 1.0
    middle = 1.0 if warmup < total else end
    return {-100: first, -1: first, 0: first, warmup: middle, total: end, min(total + 1, LAST): end, LAST: end}


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("row", range(len(SWEEP)), ids=[str(numbers) for numbers in SWEEP])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_is_exact_at_every_boundary(family: str, row: int, sweep: str, compile: str) -> None:
    values = dict(zip(STEPS[row], swept(family, sweep, compile)[row], strict=True))
    levels = levels_at_boundaries(family, *SWEEP[row])
    assert {step: values[step] for step in levels} == {step: np.float32(level) for step, level in levels.items()}


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_is_never_negative(family: str, sweep: str, compile: str) -> None:
    assert np.min(swept(family, sweep, compile)) >= 0


def test_a_sweep_over_horizons_compiles_once() -> None:
    traces = []

    @jax.jit
    def value(total: jax.Array) -> jax.Array:
        traces.append(1)
        return fs.warmup_cosine(10, total)(jnp.int32(50))

    for total in (100, 1000, 10**9):
        value(jnp.int32(total))
    assert traces == [1]
