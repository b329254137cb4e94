"""Horizons at and past the largest int32, with and without x64."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import funcsched as fs
from bridges.optax import to_optax
from tests import oracle
from tests.bridges.optax.curves import COMPILE
from tests.stacks.curves import TOLERANCE

INT32_END = 2**31  # one more than the largest int32
LONG = [
    (fs.warmup_linear(10, INT32_END), oracle.warmup_linear(10, INT32_END)),
    (fs.warmup_cosine(10, 3 * 10**12), oracle.warmup_cosine(10, 3 * 10**12)),
    (fs.warmup_cosine_restarts(0, INT32_END, cycles=2), oracle.warmup_cosine_restarts(0, INT32_END, cycles=2)),
    (fs.warmup_constant(INT32_END + 5), oracle.warmup_constant(INT32_END + 5)),
    (fs.ramp(0.0, 1.0, steps=INT32_END), oracle.ramp(0.0, 1.0, INT32_END)),
    (fs.scale(fs.ramp(0.0, 1.0, steps=INT32_END), 0.5), oracle.scale(oracle.ramp(0.0, 1.0, INT32_END), 0.5)),
    (fs.shift(fs.constant(), INT32_END), oracle.constant(1.0)),
    (fs.join([fs.constant(1.0), fs.constant(0.5)], [INT32_END]), oracle.constant(1.0)),
]
CALLS = {
    "eager": lambda schedule, step: schedule(step),
    "jit": lambda schedule, step: jax.jit(schedule)(step),
    "to_optax": lambda schedule, step: to_optax(schedule, 1.0)(step),
    "to_optax, jit": lambda schedule, step: jax.jit(to_optax(schedule, 1.0))(step),
    "float step": lambda schedule, step: schedule(step.astype("float32")),
    "scan": lambda schedule, step: jax.lax.scan(lambda carry, at: (carry, schedule(at)), None, step[None])[1][0],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("schedule", "exact"), LONG, ids=[str(schedule) for schedule, _ in LONG])
def test_a_horizon_past_int32_runs_without_x64(schedule: Any, exact: oracle.Curve, call: Callable) -> None:
    for step in (5, 2**24, 2**30):
        assert oracle.ulps(float(call(schedule, jnp.int32(step))), exact(step), 24) <= TOLERANCE


@pytest.mark.parametrize("call", [CALLS["to_optax"], CALLS["to_optax, jit"]], ids=["eager", "jit"])
@pytest.mark.parametrize(("schedule", "exact"), LONG, ids=[str(schedule) for schedule, _ in LONG])
def test_a_horizon_past_int32_runs_under_x64(schedule: Any, exact: oracle.Curve, call: Callable) -> None:
    with jax.enable_x64(True):
        assert oracle.ulps(float(call(schedule, jnp.int32(5))), exact(5), 53) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("count", [INT32_END - 1, INT32_END - 2, INT32_END - 1000])
def test_the_longest_horizon_of_int32_runs_to_its_end(count: int, compile: Callable) -> None:
    rate = compile(to_optax(fs.warmup_linear(10, INT32_END - 1), 0.5))
    exact = oracle.warmup_linear(10, INT32_END - 1)(count)
    assert oracle.ulps(float(rate(jnp.int32(count))), 0.5 * exact, 24) <= TOLERANCE
