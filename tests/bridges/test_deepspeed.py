"""`bridges.deepspeed` beside DeepSpeed's own schedulers, on a torch optimizer, stepped in the engine's order.

Both compute in float64. A rate of ours is peak * (low + (high - low) * weight), with one rounding for each of two
levels, their difference, at most 5 of the weight (two logarithms and a quotient, or a squared sine), the product, the
sum and the product with the peak; DeepSpeed's is no longer: less than 20 together. What DeepSpeed loses in
``1 + cos(x)`` does not shrink with the result and is relative to the peak, at most 4 roundings. So is what OneCycle
loses in ``1 + b / n - cycle``, a number between 1 and 2 of which the share of a half is left: it counts n / half times.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges import deepspeed
from bridges.deepspeed import (
    from_config,
    lr_range_test,
    one_cycle,
    one_cycle_momentum,
    warmup_cosine_lr,
    warmup_decay_lr,
    warmup_lr,
)
from bridges.rated import Rated
from tests import peers

peer = peers.deepspeed()

RELATIVE = 20 * 2**-52
COSINE = 8 * 2**-52
LR = 0.3


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """DeepSpeed warns at every start that it has not started."""
    level = peer.logger.level
    peer.logger.setLevel("ERROR")
    yield
    peer.logger.setLevel(level)


def run(kind: str, params: dict[str, Any], updates: int) -> list[dict[str, Any]]:
    """The optimizer's group at each update of the engine, which steps the scheduler after the optimizer."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = getattr(peer, kind)(optimizer, **params)
    groups = []
    for _ in range(updates):
        groups.append({name: optimizer.param_groups[0][name] for name in ("lr", "betas")})
        optimizer.step()
        scheduler.step()
    return groups


def assert_equals(rated: Rated, theirs: list[float], absolute: float = 0.0) -> None:
    schedule, peak_value = rated
    ours = [peak_value * schedule(step) for step in range(len(theirs))]
    off = [
        (step, a, b)
        for step, (a, b) in enumerate(zip(ours, theirs, strict=True))
        if not abs(a - b) <= RELATIVE * b + absolute * peak_value
    ]
    assert not off, off[:5]


def assert_same_rates(kind: str, params: dict[str, Any], updates: int, absolute: float = 0.0) -> None:
    theirs = [group["lr"] for group in run(kind, params, updates)]
    assert_equals(from_config({"type": kind, "params": params}, lr=LR), theirs, absolute)


def some(required: dict[str, Any], others: dict[str, Any]) -> st.SearchStrategy:
    """Any of the arguments that may be left out."""
    return st.fixed_dictionaries(required, optional=others)


TYPES = st.sampled_from(["log", "linear"])
LOW, HIGH = st.sampled_from([0.0, 1e-6, 0.01]), st.sampled_from([0.01, 0.5, 3.0])
WARMUPS = st.integers(1, 40)
TOTALS = st.integers(0, 120)  # shorter than the warmup, too


@settings(max_examples=120, deadline=None)
@given(params=some({"warmup_num_steps": WARMUPS}, {"warmup_min_lr": LOW, "warmup_max_lr": HIGH, "warmup_type": TYPES}))
def test_warmup_lr_at_every_update(params: dict) -> None:
    assert_same_rates("WarmupLR", params, params["warmup_num_steps"] + 5)


@settings(max_examples=120, deadline=None)
@given(
    params=some(
        {"total_num_steps": TOTALS, "warmup_num_steps": WARMUPS},
        {"warmup_min_lr": LOW, "warmup_max_lr": st.none() | HIGH, "warmup_type": TYPES},
    )
)
def test_warmup_decay_lr_at_every_update(params: dict) -> None:
    assert_same_rates("WarmupDecayLR", params, params["total_num_steps"] + params["warmup_num_steps"] + 5)


@settings(max_examples=120, deadline=None)
@given(
    params=some(
        {"total_num_steps": TOTALS, "warmup_num_steps": WARMUPS},
        {
            "warmup_min_ratio": st.sampled_from([0.0, 0.1, 1.0, 2.0]),
            "cos_min_ratio": st.sampled_from([0.0, 0.1, 1.0, 2.0]),
            "warmup_type": TYPES,
        },
    )
)
def test_warmup_cosine_lr_at_every_update(params: dict) -> None:
    updates = params["total_num_steps"] + params["warmup_num_steps"] + 5
    # The floor of 2 lies above the peak, and the cosine is as high.
    assert_same_rates("WarmupCosineLR", params, updates, COSINE)


@pytest.mark.parametrize("kind", ["WarmupLR", "WarmupDecayLR", "WarmupCosineLR"])
def test_the_defaults_of_a_warmup(kind: str) -> None:
    assert_same_rates(kind, {} if kind == "WarmupLR" else {"total_num_steps": 2500}, 2510, COSINE)


CYCLES = some(
    {
        "cycle_min_lr": st.sampled_from([0.0, 0.001, 0.01]),
        "cycle_max_lr": st.sampled_from([0.005, 0.1, 2.0]),
        "cycle_first_step_size": st.integers(1, 40),
    },
    {
        "cycle_second_step_size": st.none() | st.integers(0, 40),
        "cycle_first_stair_count": st.integers(0, 50),
        "cycle_second_stair_count": st.none() | st.integers(0, 50),
        "decay_step_size": st.integers(0, 20),
        "decay_lr_rate": st.sampled_from([0.0, 1e-3, 0.5, 4.0]),
        "cycle_min_mom": st.sampled_from([0.0, 0.5, 0.85]),
        "cycle_max_mom": st.sampled_from([0.9, 0.99]),
        "decay_mom_rate": st.sampled_from([0.0, 1e-3, 0.5]),
    },
)


def halves(params: dict) -> tuple[int, int]:
    first, second = params["cycle_first_step_size"], params.get("cycle_second_step_size")
    return first, first if second is None else second


def lost(params: dict) -> float:
    """What OneCycle's own clock loses, relative to the top."""
    first, second = halves(params)
    return 4 * 2**-52 * (first + second) / min(first, second or first)


@settings(max_examples=250, deadline=None)
@given(params=CYCLES)
def test_one_cycle_at_every_update(params: dict) -> None:
    top = max(1.0, params["cycle_min_lr"] / params["cycle_max_lr"])  # the cycle may stand on its head
    assert_same_rates("OneCycle", params, sum(halves(params)) + 30, lost(params) * top)


@settings(max_examples=250, deadline=None)
@given(params=CYCLES)
def test_the_momentum_of_one_cycle_at_every_update(params: dict) -> None:
    theirs = [group["betas"][0] for group in run("OneCycle", params, sum(halves(params)) + 30)]
    assert_equals(one_cycle_momentum(**params), theirs, lost(params))


def test_the_defaults_of_one_cycle() -> None:
    params = {"cycle_min_lr": 0.01, "cycle_max_lr": 0.1}
    assert_same_rates("OneCycle", params, 4010, lost({"cycle_first_step_size": 2000}))
    theirs = [group["betas"][0] for group in run("OneCycle", params, 4010)]
    assert_equals(one_cycle_momentum(**params), theirs, lost({"cycle_first_step_size": 2000}))


@settings(max_examples=120, deadline=None)
@given(
    params=some(
        {"lr_range_test_step_size": st.integers(1, 40)},
        {
            "lr_range_test_min_lr": st.sampled_from([1e-6, 0.01, 1.0]),
            "lr_range_test_step_rate": st.sampled_from([0.0, 1e-3, 1.0, 5.0]),
        },
    ),
    staircase=st.booleans(),
)
def test_the_range_test_at_every_update(params: dict, staircase: bool) -> None:
    params["lr_range_test_staircase"] = staircase
    theirs = [group["lr"] for group in run("LRRangeTest", params, 120)]
    assert_equals(lr_range_test(**params, total_num_steps=119), theirs)
    if not staircase:
        assert_equals(lr_range_test(**params), theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (warmup_lr, "WarmupLR"),
        (warmup_decay_lr, "WarmupDecayLR"),
        (warmup_cosine_lr, "WarmupCosineLR"),
        (one_cycle, "OneCycle"),
        (one_cycle_momentum, "OneCycle"),
        (lr_range_test, "LRRangeTest"),
    ],
)
def test_every_default_is_that_of_deepspeed(ours: Any, theirs: str) -> None:
    """Also those that do not change the rate, such as the bounds of the momentum."""
    defaults, shared = inspect.signature(getattr(peer, theirs)).parameters, inspect.signature(ours).parameters
    assert shared.keys() - defaults.keys() <= {"lr", "total_num_steps"}
    wanted = {name: defaults[name].default for name in shared if name in defaults}
    wanted = {name: default for name, default in wanted.items() if default is not inspect.Parameter.empty}
    assert {name: shared[name].default for name in wanted} == wanted


def test_the_defaults_of_the_range_test() -> None:
    assert_same_rates("LRRangeTest", {}, 2010)


def test_the_first_two_updates_run_at_the_minimum() -> None:
    rates = [group["lr"] for group in run("WarmupLR", {"warmup_min_lr": 0.1, "warmup_num_steps": 4}, 3)]
    assert rates[:2] == [0.1, 0.1] and rates[2] > 0.1
    schedule, peak_value = warmup_lr(warmup_min_lr=0.1, warmup_num_steps=4, lr=LR)
    assert [peak_value * schedule(step) for step in (0, 1)] == [0.1, 0.1]


def test_a_type_of_warmup_that_deepspeed_takes_for_log_is_refused() -> None:
    params = {"warmup_num_steps": 9}
    assert run("WarmupLR", {**params, "warmup_type": "cosine"}, 12) == run(
        "WarmupLR", {**params, "warmup_type": "log"}, 12
    )
    with pytest.raises(ValueError, match=refusal("warmup_lr", "warmup_type", "one of 'linear', 'log'", "cosine")):
        warmup_lr(**params, lr=LR, warmup_type="cosine")


def test_the_range_test_of_deepspeed_has_no_end_and_ours_has() -> None:
    total = 2**31 - 1
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = peer.LRRangeTest(optimizer, lr_range_test_min_lr=1.0)
    schedule, peak_value = lr_range_test(lr_range_test_min_lr=1.0)
    for step, same in ((2**30, True), (total, True), (total + 4000, False)):
        scheduler.step(step - 1)
        theirs = optimizer.param_groups[0]["lr"]
        assert (abs(peak_value * schedule(step) - theirs) <= RELATIVE * theirs) is same
    assert schedule(total) == schedule(2**40)
    short, _ = lr_range_test(total_num_steps=100)
    assert short(100) == short(101) == 1.05
    stairs, _ = lr_range_test(lr_range_test_staircase=True, total_num_steps=4000)
    assert [stairs(step) for step in (1999, 2000, 3999, 4000, 6000)] == [1.0, 2.0, 2.0, 3.0, 3.0]


def test_the_growth_of_momentum_stops_at_the_horizon() -> None:
    params = {"cycle_first_step_size": 5, "decay_step_size": 1, "decay_mom_rate": 1.0}
    schedule, peak_value = one_cycle_momentum(**params)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = peer.OneCycle(optimizer, 0.1, 0.2, **params)
    for step, same in ((2**31 + 9, True), (2**31 + 10, False)):
        scheduler.step(step - 1)
        theirs = optimizer.param_groups[0]["betas"][0]
        assert (abs(peak_value * schedule(step) - theirs) <= 0.1) is same


# Errors.


def refusal(function: str, argument: str, requirement: str, got: Any) -> str:
    return "^" + re.escape(f"{function}: `{argument}` must be {requirement}, got {got!r}") + "$"


LEVEL, WHOLE, LENGTH = "a number from 0 to 3.4e38", "an integer from 0 to 2**53", "an integer from 1 to 2**53"
ABOVE, SLOPE, KINDS = "a finite number above 0", "0 or a number from 1e-30 to 1e30", "one of 'linear', 'log'"
GIVEN = "given, or `lr`, the learning rate of the optimizer"
VALID = {
    warmup_lr: {"lr": 0.1},
    warmup_decay_lr: {"total_num_steps": 10},
    warmup_cosine_lr: {"lr": 0.1, "total_num_steps": 10},
    one_cycle: {"cycle_min_lr": 0.1, "cycle_max_lr": 0.2},
    one_cycle_momentum: {},
    lr_range_test: {},
}


@pytest.mark.parametrize(
    ("function", "argument", "requirement", "got"),
    [
        (warmup_lr, "lr", ABOVE, 0.0),
        (warmup_lr, "warmup_max_lr", ABOVE, 0.0),
        (warmup_lr, "warmup_max_lr", ABOVE, [0.1, 0.2]),
        (warmup_lr, "warmup_min_lr", LEVEL, -1.0),
        (warmup_lr, "warmup_num_steps", LENGTH, 0),
        (warmup_lr, "warmup_num_steps", LENGTH, "auto"),
        (warmup_lr, "warmup_type", KINDS, "exponential"),
        (warmup_decay_lr, "warmup_max_lr", GIVEN, None),
        (warmup_decay_lr, "warmup_max_lr", ABOVE, -0.1),
        (warmup_decay_lr, "warmup_min_lr", LEVEL, -1.0),
        (warmup_decay_lr, "warmup_num_steps", LENGTH, 1.5),
        (warmup_decay_lr, "warmup_type", KINDS, None),
        (warmup_decay_lr, "total_num_steps", WHOLE, -1),
        (warmup_cosine_lr, "lr", ABOVE, None),
        (warmup_cosine_lr, "warmup_min_ratio", LEVEL, -1.0),
        (warmup_cosine_lr, "cos_min_ratio", LEVEL, -1.0),
        (warmup_cosine_lr, "warmup_num_steps", LENGTH, 0),
        (warmup_cosine_lr, "warmup_type", KINDS, "LOG"),
        (warmup_cosine_lr, "total_num_steps", WHOLE, 0.5),
        (one_cycle, "cycle_max_lr", ABOVE, 0),
        (one_cycle, "cycle_min_lr", LEVEL, -0.1),
        (one_cycle, "cycle_first_step_size", LENGTH, 0),
        (one_cycle, "cycle_second_step_size", WHOLE, -1),
        (one_cycle, "cycle_first_stair_count", WHOLE, -1),
        (one_cycle, "cycle_second_stair_count", WHOLE, 0.5),
        (one_cycle, "decay_step_size", WHOLE, -1),
        (one_cycle, "decay_lr_rate", SLOPE, -0.1),
        (one_cycle, "decay_lr_rate", SLOPE, 1e-31),
        (one_cycle, "decay_mom_rate", SLOPE, "0"),
        (one_cycle, "cycle_momentum", "True or False", 1),
        (one_cycle_momentum, "cycle_min_mom", LEVEL, -0.1),
        (one_cycle_momentum, "cycle_max_mom", ABOVE, 0.0),
        (one_cycle_momentum, "decay_mom_rate", SLOPE, -1.0),
        (one_cycle_momentum, "cycle_momentum", "True (DeepSpeed leaves the momentum alone without it)", False),
        (lr_range_test, "lr_range_test_min_lr", ABOVE, 0.0),
        (lr_range_test, "lr_range_test_step_size", LENGTH, 0),
        (lr_range_test, "lr_range_test_step_rate", SLOPE, -1.0),
        (lr_range_test, "lr_range_test_staircase", "True or False", "yes"),
        (lr_range_test, "total_num_steps", WHOLE, 1.5),
    ],
)
def test_an_argument_out_of_its_range_is_refused_by_its_name(
    function: Any, argument: str, requirement: str, got: Any
) -> None:
    with pytest.raises((TypeError, ValueError), match=refusal(function.__name__, argument, requirement, got)):
        function(**{**VALID[function], argument: got})


def test_a_rate_must_come_from_somewhere() -> None:
    with pytest.raises(ValueError, match=refusal("warmup_lr", "warmup_max_lr", GIVEN, None)):
        warmup_lr()


def test_a_staircase_needs_a_number_of_stairs() -> None:
    with pytest.raises(
        ValueError,
        match=refusal("lr_range_test", "total_num_steps", "given for a staircase (its stairs are counted)", None),
    ):
        lr_range_test(lr_range_test_staircase=True)


def test_a_configuration_that_is_none_is_refused() -> None:
    with pytest.raises(
        TypeError, match=refusal("from_config", "config", "a mapping with 'type' and 'params'", "WarmupLR")
    ):
        from_config("WarmupLR")
    with pytest.raises(TypeError, match=r"^from_config: no argument `name` \(got 'x'\); it takes `type`, `params`$"):
        from_config({"type": "WarmupLR", "name": "x"})
    kinds = "one of 'LRRangeTest', 'OneCycle', 'WarmupCosineLR', 'WarmupDecayLR', 'WarmupLR'"
    for kind in ("StepLR", None):
        with pytest.raises(ValueError, match=refusal("from_config", "type", kinds, kind)):
            from_config({"type": kind})
    takes = "`warmup_min_lr`, `warmup_max_lr`, `warmup_num_steps`, `warmup_type`"
    message = f"warmup_lr: no argument `warmup_steps` (got 5); it takes {takes}"
    with pytest.raises(TypeError, match="^" + re.escape(message) + "$"):
        from_config({"type": "WarmupLR", "params": {"warmup_steps": 5}}, lr=0.1)


def test_the_types_are_those_of_deepspeed() -> None:
    assert set(deepspeed._TYPES) == set(peer.VALID_LR_SCHEDULES)


def test_parameters_may_be_left_out() -> None:
    assert from_config({"type": "WarmupLR"}, lr=0.1) == warmup_lr(lr=0.1)
    assert from_config({"type": "LRRangeTest", "params": None}, lr=0.1) == lr_range_test()


# On arrays.

ON_ARRAYS = {
    "warmup_lr": warmup_lr(warmup_min_lr=0.1, warmup_num_steps=20, lr=1.0),
    "warmup_decay_lr": warmup_decay_lr(warmup_min_lr=0.1, warmup_max_lr=1.0, total_num_steps=60, warmup_num_steps=20),
    "warmup_cosine_lr": warmup_cosine_lr(warmup_min_ratio=0.1, total_num_steps=60, warmup_num_steps=20, lr=1.0),
    "one_cycle": one_cycle(
        cycle_min_lr=0.1,
        cycle_max_lr=1.0,
        cycle_first_step_size=20,
        cycle_second_stair_count=6,
        decay_step_size=5,
        decay_lr_rate=1.0,
    ),
    "one_cycle_momentum": one_cycle_momentum(cycle_first_step_size=20, cycle_first_stair_count=7),
    "lr_range_test": lr_range_test(lr_range_test_step_rate=0.1),
    "lr_range_test stairs": lr_range_test(
        lr_range_test_step_size=7, lr_range_test_step_rate=0.01, lr_range_test_staircase=True, total_num_steps=90
    ),
}


@pytest.mark.parametrize("name", ON_ARRAYS)
def test_the_schedule_runs_under_jit_and_on_a_tensor(name: str) -> None:
    schedule, _ = ON_ARRAYS[name]
    steps = np.arange(90)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 4 * 2.0**-23  # 4 ulp of values below 2
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
