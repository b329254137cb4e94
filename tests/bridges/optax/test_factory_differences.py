"""Where the functions of `bridges.optax` differ from optax on purpose: what optax does, and what they do instead."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import bridges.optax as bridge
import funcsched as fs
from bridges.optax import to_optax
from bridges.rated import Rated
from tests.bridges.optax.exact import exact, inaccurate, rates
from tests.errors import exactly


def jitted(peer: Callable[[Any], Any], *steps: int) -> list[float]:
    function = jax.jit(peer)
    return [float(function(jnp.asarray(step))) for step in steps]


@pytest.mark.parametrize("begin", [0, 5])
@pytest.mark.parametrize(("name", "middle"), [("linear_schedule", ()), ("polynomial_schedule", (2,))])
def test_optax_holds_the_first_rate_in_a_transition_of_0_steps(name: str, middle: Any, begin: int) -> None:
    peer = getattr(optax, name)(0.5, 0.25, *middle, 0, begin)
    assert [peer(step) for step in (0, begin, 10**6)] == [0.5, 0.5, 0.5]
    ours = getattr(bridge, name)(0.5, 0.25, *middle, 0, begin)
    assert rates(ours, range(8)) == [0.5 if step < begin else 0.25 for step in range(8)]


def test_optax_holds_the_first_rate_in_a_warmup_of_0_steps() -> None:
    assert [optax.warmup_constant_schedule(0.0, 0.5, 0)(step) for step in (0, 1, 10**6)] == [0.0, 0.0, 0.0]
    assert bridge.warmup_constant_schedule(0.0, 0.5, 0) == Rated(fs.constant(), 0.5)


@pytest.mark.parametrize("steps", [10, 20, 30, 60, 1000])
def test_optax_is_nan_under_jit_after_a_polynomial_with_a_fractional_power(steps: int) -> None:
    last, *after = jitted(optax.polynomial_schedule(1.0, 0.25, 0.9, steps), steps - 1, steps, steps + 1, 10**6)
    assert 0.25 < last < 1.0 and np.isnan(after).all()
    ours = to_optax(*bridge.polynomial_schedule(1.0, 0.25, 0.9, steps))
    assert jitted(ours, steps, steps + 1, 10**6) == [0.25, 0.25, 0.25]


def test_optax_ends_a_linear_schedule_below_0_under_jit() -> None:
    assert jitted(optax.linear_schedule(1.0, 0.0, 10), 10, 11, 10**6) == [-(2.0**-26)] * 3
    assert jitted(to_optax(*bridge.linear_schedule(1.0, 0.0, 10)), 10, 11, 10**6) == [0.0] * 3


@pytest.mark.parametrize(("x64", "steps"), [(False, 41), (True, 49)])
def test_optax_decays_one_step_late_under_jit_with_staircase(x64: bool, steps: int) -> None:
    with jax.enable_x64(x64):
        theirs = jitted(optax.exponential_decay(1.0, steps, 0.5, staircase=True), steps - 1, steps, steps + 1)
        function = to_optax(*bridge.exponential_decay(1.0, steps, 0.5, staircase=True))
        assert theirs == [1.0, 1.0, 0.5] and jitted(function, steps - 1, steps, steps + 1) == [1.0, 0.5, 0.5]


def test_optax_grows_to_infinity() -> None:
    assert [float(optax.exponential_decay(0.5, 1, 1e30)(step)) for step in (2, 3)] == [math.inf, math.inf]
    rated = bridge.exponential_decay(0.5, 1, 1e30)
    assert rated.peak_value == 0.5 and rates(rated, [0, 1, 2, 10**6]) == [0.5, 5e29, 8.5e37, 8.5e37]
    assert jitted(to_optax(*rated), 2, 10**6) == [np.float32(8.5e37)] * 2


def test_optax_rejects_a_cosine_of_0_steps() -> None:
    with pytest.raises(ValueError, match="positive decay_steps"):
        optax.cosine_decay_schedule(0.5, 0, 0.5)
    assert bridge.cosine_decay_schedule(0.5, 0, 0.5) == Rated(fs.constant(), 0.25)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_optax_rejects_a_warmup_without_a_cosine(exponent: float) -> None:
    with pytest.raises(ValueError, match="positive decay_steps"):
        optax.warmup_cosine_decay_schedule(0.0, 0.5, 4, 4, 0.25, exponent)
    rated = bridge.warmup_cosine_decay_schedule(0.0, 0.5, 4, 4, 0.25, exponent)
    assert rates(rated, range(6)) == [0.0, 0.125, 0.25, 0.375, 0.25, 0.25]


def test_optax_stays_at_a_peak_of_0() -> None:
    peer = optax.warmup_cosine_decay_schedule(0.5, 0.0, 4, 8, 0.25)
    assert [float(peer(step)) for step in (0, 4, 6, 8)] == [0.5, 0.0, 0.0, 0.0]
    rated = bridge.warmup_cosine_decay_schedule(0.5, 0.0, 4, 8, 0.25)
    assert rated.peak_value == 0.5 and rates(rated, [0, 4, 6, 8]) == pytest.approx([0.5, 0.0, 0.125, 0.25], rel=1e-15)


# Arguments that put two boundaries at the same step. The rates by step: of optax, which loses the first of these
# boundaries, and of this library.
COLLISIONS = {
    "one step": ("linear_onecycle_schedule", (1, 1.0), {0: 0.04 / 25, 1: 0.04 / 25 / 1e4}, {0: 0.04, 1: 4e-6}),
    "no second phase": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.5, 0.5),
        {0: 0.04, 5: 0.04 / 25, 10: 0.04 / 25 / 1e4},
        {0: 0.04, 4: 0.808, 5: 0.04, 10: 4e-6},
    ),
    "no last phase": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.3, 1.0),
        {0: 0.04, 3: 1.0, 10: 1e-4},
        {0: 0.04, 3: 1.0, 9: 1 - 0.96 * 6 / 7, 10: 4e-6},
    ),
    "no decay": ("cosine_onecycle_schedule", (10, 1.0, 1.0), {0: 0.04, 10: 1.6e-7}, {0: 0.04, 5: 0.52, 10: 4e-6}),
}


@pytest.mark.parametrize(("name", "args", "theirs", "ours"), COLLISIONS.values(), ids=COLLISIONS)
def test_optax_loses_the_first_of_two_boundaries_at_the_same_step(name: str, args: Any, theirs: Any, ours: Any) -> None:
    peer, rated = getattr(optax, name)(*args), getattr(bridge, name)(*args)
    assert [float(peer(step)) for step in theirs] == pytest.approx(list(theirs.values()), rel=1e-6)
    assert rates(rated, ours) == pytest.approx(list(ours.values()), rel=1e-14)
    assert rates(rated, [args[0] + 1]) == rates(rated, [args[0]])


def test_optax_documents_another_last_rate_of_linear_onecycle() -> None:
    assert "peak_value / final_div_factor" in (optax.linear_onecycle_schedule.__doc__ or "")
    peer = optax.linear_onecycle_schedule(100, 1.0)
    assert float(peer(100)) == pytest.approx(4e-6) and float(peer(100)) != pytest.approx(1e-4)


def test_optax_is_0_below_step_0_of_an_interpolation() -> None:
    args = ("linear", 0.5, {4: 0.5})
    assert float(optax.piecewise_interpolate_schedule(*args)(-1)) == 0.0
    assert rates(bridge.piecewise_interpolate_schedule(*args), [-1]) == [0.5]


def test_optax_extrapolates_a_cosine_below_step_0() -> None:
    assert float(optax.cosine_decay_schedule(0.5, 10)(-5)) == pytest.approx(0.25)
    assert rates(bridge.cosine_decay_schedule(0.5, 10), [-5]) == [0.5]


def test_optax_rejects_or_mishandles_arrays_in_an_interpolation() -> None:
    peer = optax.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
    with pytest.raises(TypeError):
        peer(jnp.arange(3))
    assert peer(jnp.array([2, 6])).tolist() != [float(peer(2)), float(peer(6))]
    schedule, peak = bridge.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
    assert (peak * schedule(jnp.array([2, 6]))).tolist() == [0.75, 0.375]
    assert (peak * schedule(jnp.arange(3))).tolist() == [1.0, 0.875, 0.75]


def test_optax_returns_one_number_for_an_array_in_a_constant_schedule() -> None:
    assert optax.constant_schedule(0.5)(jnp.arange(3)) == 0.5
    assert to_optax(*bridge.constant_schedule(0.5))(jnp.arange(3)).tolist() == [0.5, 0.5, 0.5]


def test_optax_overflows_for_an_unsigned_count_before_transition_begin() -> None:
    args = (1.0, 0.0, 10, 5)
    assert float(optax.linear_schedule(*args)(jnp.uint32(3))) == pytest.approx(0.0, abs=1e-6)
    assert to_optax(*bridge.linear_schedule(*args))(jnp.uint32(3)) == 1.0


def test_optax_has_no_correct_digit_near_the_end_of_a_long_cosine() -> None:
    steps = 10**6
    assert float(optax.cosine_decay_schedule(1.0, steps)(steps - 10)) == 0.0
    rate = float(to_optax(*bridge.cosine_decay_schedule(1.0, steps))(jnp.int32(steps - 10)))
    assert inaccurate([rate], exact("cosine_decay_schedule", 1.0, steps), 24, [steps - 10]) == []


def test_optax_ignores_surplus_boundaries_and_schedules() -> None:
    parts = [optax.constant_schedule(0.5), optax.constant_schedule(0.25)]
    assert float(optax.join_schedules(parts, [5, 10, 15])(20)) == 0.25
    assert optax.join_schedules(parts, [])(20) == 0.5
    for boundaries in ([5, 10, 15], []):
        with pytest.raises(ValueError, match="of length 1 for 2 schedules"):
            bridge.join_schedules(parts, boundaries)


# Arguments that optax replaces silently or with a log message: its rate at step 5, and the end of our error message.
REPLACED: dict[str, tuple[str, tuple[Any, ...], float, str]] = {
    "transition_begin": ("linear_schedule", (0.5, 0.0, 10, -5), 0.25, "from 0 to 2**53, got -5"),
    "transition_steps": ("linear_schedule", (0.5, 0.0, -10), 0.5, "from 0 to 2**53, got -10"),
    "transition_steps, decay": ("exponential_decay", (0.5, 0, 0.5), 0.5, "from 1 to 2**53, got 0"),
    "decay_rate": ("exponential_decay", (0.5, 10, 0.0), 0.5, "from 1e-30 to 1e30, got 0.0"),
    "transition_begin, decay": ("exponential_decay", (0.5, 5, 0.5, -5), 0.25, "from 0 to 2**53, got -5"),
}


@pytest.mark.parametrize(("case", "name", "args", "rate", "rule"), [(case, *row) for case, row in REPLACED.items()])
def test_an_argument_that_optax_replaces_is_rejected(case: str, name: str, args: Any, rate: float, rule: str) -> None:
    assert float(getattr(optax, name)(*args)(5)) == pytest.approx(rate)
    kind = "a number" if case == "decay_rate" else "an integer"
    with pytest.raises(ValueError, match=exactly(f"{name}: `{case.partition(',')[0]}` must be {kind} {rule}")):
        getattr(bridge, name)(*args)
