"""`bridges.deepspeed` compared with DeepSpeed itself, stepped as its engine does, at every update.

Both compute in float64. Our learning rate is peak * (low + (high - low) * weight). It has one rounding for each of the
two levels, one for their difference, at most 5 for the weight (two logarithms and a quotient, or a squared sine), and
one each for the product, the sum and the product with the peak: at most 11. DeepSpeed has at most as many.

In two places DeepSpeed subtracts, so its error is relative to the peak and not to the result: ``1 + cos(x)``, with at
most 4 roundings, and OneCycle's ``1 + b / n - cycle``. The latter is the difference of numbers between 1 and 2, divided
by the fraction of the cycle that a ramp takes, so its error is multiplied by n / (steps of the ramp).
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
from tests.errors import exactly, raises

peer = peers.deepspeed()

RELATIVE = 22 * 2**-53
COSINE = 8 * 2**-52
LR = 0.3


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """DeepSpeed logs a warning whenever the learning rate is read before the first step."""
    level = peer.logger.level
    peer.logger.setLevel("ERROR")
    yield
    peer.logger.setLevel(level)


def run(kind: str, params: dict[str, Any], updates: int) -> list[dict[str, Any]]:
    """The learning rate and betas at each update: the engine steps the scheduler after the optimizer."""
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = getattr(peer, kind)(optimizer, **params)
    groups = []
    for _ in range(updates):
        groups.append({name: optimizer.param_groups[0][name] for name in ("lr", "betas")})
        optimizer.step()
        scheduler.step()
    return groups


def assert_close(rated: Rated, theirs: list[float], absolute: float = 0.0) -> None:
    schedule, peak_value = rated
    ours = [peak_value * schedule(step) for step in range(len(theirs))]
    errors = [
        (step, a, b)
        for step, (a, b) in enumerate(zip(ours, theirs, strict=True))
        if not abs(a - b) <= RELATIVE * b + absolute * peak_value
    ]
    assert not errors, errors[:5]


def assert_same_rates(kind: str, params: dict[str, Any], updates: int, absolute: float = 0.0) -> None:
    theirs = [group["lr"] for group in run(kind, params, updates)]
    assert_close(from_config({"type": kind, "params": params}, lr=LR), theirs, absolute)


TYPES = st.sampled_from(["log", "linear"])
LOW, HIGH = st.sampled_from([0.0, 1e-6, 0.01]), st.sampled_from([0.01, 0.5, 3.0])
WARMUPS = st.integers(1, 40)
TOTALS = st.integers(0, 120)  # may be shorter than the warmup


@settings(max_examples=120)
@given(
    params=st.fixed_dictionaries(
        {"warmup_num_steps": WARMUPS}, optional={"warmup_min_lr": LOW, "warmup_max_lr": HIGH, "warmup_type": TYPES}
    )
)
def test_warmup_lr_at_every_update(params: dict) -> None:
    assert_same_rates("WarmupLR", params, params["warmup_num_steps"] + 5)


@settings(max_examples=120)
@given(
    params=st.fixed_dictionaries(
        {"total_num_steps": TOTALS, "warmup_num_steps": WARMUPS},
        optional={"warmup_min_lr": LOW, "warmup_max_lr": st.none() | HIGH, "warmup_type": TYPES},
    )
)
def test_warmup_decay_lr_at_every_update(params: dict) -> None:
    assert_same_rates("WarmupDecayLR", params, params["total_num_steps"] + params["warmup_num_steps"] + 5)


@settings(max_examples=120)
@given(
    params=st.fixed_dictionaries(
        {"total_num_steps": TOTALS, "warmup_num_steps": WARMUPS},
        optional={
            "warmup_min_ratio": st.sampled_from([0.0, 0.1, 1.0, 2.0]),
            "cos_min_ratio": st.sampled_from([0.0, 0.1, 1.0, 2.0]),
            "warmup_type": TYPES,
        },
    )
)
def test_warmup_cosine_lr_at_every_update(params: dict) -> None:
    updates = params["total_num_steps"] + params["warmup_num_steps"] + 5
    # With a `cos_min_ratio` of 2, the cosine reaches twice the peak.
    assert_same_rates("WarmupCosineLR", params, updates, COSINE)


@pytest.mark.parametrize("kind", ["WarmupLR", "WarmupDecayLR", "WarmupCosineLR"])
def test_warmups_with_defaults(kind: str) -> None:
    assert_same_rates(kind, {} if kind == "WarmupLR" else {"total_num_steps": 2500}, 2510, COSINE)


CYCLES = st.fixed_dictionaries(
    {
        "cycle_min_lr": st.sampled_from([0.0, 0.001, 0.01]),
        "cycle_max_lr": st.sampled_from([0.005, 0.1, 2.0]),
        "cycle_first_step_size": st.integers(1, 40),
    },
    optional={
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


def ramp_steps(params: dict) -> tuple[int, int]:
    first, second = params["cycle_first_step_size"], params.get("cycle_second_step_size")
    return first, first if second is None else second


def cancellation(params: dict) -> float:
    """The error of DeepSpeed's OneCycle, relative to its highest value."""
    first, second = ramp_steps(params)
    return 4 * 2**-52 * (first + second) / min(first, second or first)


@settings(max_examples=250)
@given(params=CYCLES)
def test_one_cycle_at_every_update(params: dict) -> None:
    top = max(1.0, params["cycle_min_lr"] / params["cycle_max_lr"])  # the cycle may be inverted
    assert_same_rates("OneCycle", params, sum(ramp_steps(params)) + 30, cancellation(params) * top)


@settings(max_examples=250)
@given(params=CYCLES)
def test_one_cycle_momentum_at_every_update(params: dict) -> None:
    theirs = [group["betas"][0] for group in run("OneCycle", params, sum(ramp_steps(params)) + 30)]
    assert_close(one_cycle_momentum(**params), theirs, cancellation(params))


def test_one_cycle_with_defaults() -> None:
    params = {"cycle_min_lr": 0.01, "cycle_max_lr": 0.1}
    assert_same_rates("OneCycle", params, 4010, cancellation({"cycle_first_step_size": 2000}))
    theirs = [group["betas"][0] for group in run("OneCycle", params, 4010)]
    assert_close(one_cycle_momentum(**params), theirs, cancellation({"cycle_first_step_size": 2000}))


@settings(max_examples=120)
@given(
    params=st.fixed_dictionaries(
        {"lr_range_test_step_size": st.integers(1, 40)},
        optional={
            "lr_range_test_min_lr": st.sampled_from([1e-6, 0.01, 1.0]),
            "lr_range_test_step_rate": st.sampled_from([0.0, 1e-3, 1.0, 5.0]),
        },
    ),
    staircase=st.booleans(),
)
def test_lr_range_test_at_every_update(params: dict, staircase: bool) -> None:
    params["lr_range_test_staircase"] = staircase
    theirs = [group["lr"] for group in run("LRRangeTest", params, 120)]
    assert_close(lr_range_test(**params, total_num_steps=119), theirs)
    if not staircase:
        assert_close(lr_range_test(**params), theirs)


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
def test_defaults_match_deepspeed(ours: Any, theirs: str) -> None:
    """Including arguments that do not change the learning rate, such as the bounds of the momentum."""
    our_arguments = inspect.signature(ours).parameters
    their_arguments = inspect.signature(getattr(peer, theirs)).parameters
    assert our_arguments.keys() - their_arguments.keys() <= {"lr", "total_num_steps"}
    defaults = {name: their_arguments[name].default for name in our_arguments if name in their_arguments}
    defaults = {name: default for name, default in defaults.items() if default is not inspect.Parameter.empty}
    assert {name: our_arguments[name].default for name in defaults} == defaults


def test_lr_range_test_with_defaults() -> None:
    assert_same_rates("LRRangeTest", {}, 2010)


def test_first_two_updates_of_a_warmup_use_its_minimum() -> None:
    rates = [group["lr"] for group in run("WarmupLR", {"warmup_min_lr": 0.1, "warmup_num_steps": 4}, 3)]
    assert rates[:2] == [0.1, 0.1] and rates[2] > 0.1
    schedule, peak_value = warmup_lr(warmup_min_lr=0.1, warmup_num_steps=4, lr=LR)
    assert [peak_value * schedule(step) for step in (0, 1)] == [0.1, 0.1]


def test_unknown_warmup_type_is_an_error_where_deepspeed_uses_log() -> None:
    params = {"warmup_num_steps": 9}
    assert run("WarmupLR", {**params, "warmup_type": "cosine"}, 12) == run(
        "WarmupLR", {**params, "warmup_type": "log"}, 12
    )
    with raises("warmup_lr", "warmup_type", "one of 'linear', 'log'", "cosine"):
        warmup_lr(**params, lr=LR, warmup_type="cosine")


def test_lr_range_test_ends_where_that_of_deepspeed_does_not() -> None:
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


def test_momentum_growth_stops_at_the_horizon() -> None:
    params = {"cycle_first_step_size": 5, "decay_step_size": 1, "decay_mom_rate": 1.0}
    schedule, peak_value = one_cycle_momentum(**params)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = peer.OneCycle(optimizer, 0.1, 0.2, **params)
    for step, same in ((2**31 + 9, True), (2**31 + 10, False)):
        scheduler.step(step - 1)
        theirs = optimizer.param_groups[0]["betas"][0]
        assert (abs(peak_value * schedule(step) - theirs) <= 0.1) is same


# Errors


NONNEGATIVE, POSITIVE = "a number from 0 to 1.7e38", "a finite number above 0"
NONNEGATIVE_INT, POSITIVE_INT = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
GROWTH, WARMUP_TYPE = "0 or a number from 1e-30 to 1e30", "one of 'linear', 'log'"
GIVEN = "given if `lr` (the learning rate of the optimizer) is not"
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
        (warmup_lr, "lr", POSITIVE, 0.0),
        (warmup_lr, "warmup_max_lr", POSITIVE, 0.0),
        (warmup_lr, "warmup_max_lr", POSITIVE, [0.1, 0.2]),
        (warmup_lr, "warmup_min_lr", NONNEGATIVE, -1.0),
        (warmup_lr, "warmup_num_steps", POSITIVE_INT, 0),
        (warmup_lr, "warmup_num_steps", POSITIVE_INT, "many"),
        (warmup_lr, "warmup_type", WARMUP_TYPE, "exponential"),
        (warmup_decay_lr, "warmup_max_lr", GIVEN, None),
        (warmup_decay_lr, "warmup_max_lr", POSITIVE, -0.1),
        (warmup_decay_lr, "warmup_min_lr", NONNEGATIVE, -1.0),
        (warmup_decay_lr, "warmup_num_steps", POSITIVE_INT, 1.5),
        (warmup_decay_lr, "warmup_type", WARMUP_TYPE, None),
        (warmup_decay_lr, "total_num_steps", NONNEGATIVE_INT, -1),
        (warmup_cosine_lr, "lr", POSITIVE, None),
        (warmup_cosine_lr, "warmup_min_ratio", NONNEGATIVE, -1.0),
        (warmup_cosine_lr, "cos_min_ratio", NONNEGATIVE, -1.0),
        (warmup_cosine_lr, "warmup_num_steps", POSITIVE_INT, 0),
        (warmup_cosine_lr, "warmup_type", WARMUP_TYPE, "LOG"),
        (warmup_cosine_lr, "total_num_steps", NONNEGATIVE_INT, 0.5),
        (one_cycle, "cycle_max_lr", POSITIVE, 0),
        (one_cycle, "cycle_min_lr", NONNEGATIVE, -0.1),
        (one_cycle, "cycle_first_step_size", POSITIVE_INT, 0),
        (one_cycle, "cycle_second_step_size", NONNEGATIVE_INT, -1),
        (one_cycle, "cycle_first_stair_count", NONNEGATIVE_INT, -1),
        (one_cycle, "cycle_second_stair_count", NONNEGATIVE_INT, 0.5),
        (one_cycle, "decay_step_size", NONNEGATIVE_INT, -1),
        (one_cycle, "decay_lr_rate", GROWTH, -0.1),
        (one_cycle, "decay_lr_rate", GROWTH, 1e-31),
        (one_cycle, "decay_mom_rate", GROWTH, "low"),
        (one_cycle, "cycle_momentum", "True or False", 1),
        (one_cycle_momentum, "cycle_min_mom", NONNEGATIVE, -0.1),
        (one_cycle_momentum, "cycle_max_mom", POSITIVE, 0.0),
        (one_cycle_momentum, "decay_mom_rate", GROWTH, -1.0),
        (one_cycle_momentum, "cycle_momentum", "True (otherwise DeepSpeed does not change the momentum)", False),
        (lr_range_test, "lr_range_test_min_lr", POSITIVE, 0.0),
        (lr_range_test, "lr_range_test_step_size", POSITIVE_INT, 0),
        (lr_range_test, "lr_range_test_step_rate", GROWTH, -1.0),
        (lr_range_test, "lr_range_test_staircase", "True or False", "yes"),
        (lr_range_test, "total_num_steps", NONNEGATIVE_INT, 1.5),
    ],
)
def test_invalid_arguments(function: Any, argument: str, requirement: str, got: Any) -> None:
    with raises(function.__name__, argument, requirement, got):
        function(**{**VALID[function], argument: got})


def test_missing_peak_value() -> None:
    with raises("warmup_lr", "warmup_max_lr", GIVEN, None):
        warmup_lr()


def test_staircase_requires_an_end() -> None:
    with raises("lr_range_test", "total_num_steps", "given with `lr_range_test_staircase`", None):
        lr_range_test(lr_range_test_staircase=True)


def test_invalid_configuration() -> None:
    with raises("from_config", "config", "a mapping with the keys 'type' and 'params'", "WarmupLR"):
        from_config("WarmupLR")
    with pytest.raises(TypeError, match=r"^from_config: no argument `name` \(got 'x'\); it takes `type`, `params`$"):
        from_config({"type": "WarmupLR", "name": "x"})
    kinds = "one of " + ", ".join(map(repr, sorted(peer.VALID_LR_SCHEDULES)))
    for kind in ("StepLR", None):
        with raises("from_config", "config['type']", kinds, kind):
            from_config({"type": kind})
    takes = "`warmup_min_lr`, `warmup_max_lr`, `warmup_num_steps`, `warmup_type`"
    unknown = f"warmup_lr: no argument `warmup_steps` (got 5); it takes {takes}; did you mean 'warmup_num_steps'?"
    with pytest.raises(TypeError, match=exactly(unknown)):
        from_config({"type": "WarmupLR", "params": {"warmup_steps": 5}}, lr=0.1)
    with raises("warmup_cosine_lr", "lr", POSITIVE, None):
        from_config({"type": "WarmupCosineLR", "params": {"total_num_steps": 9}})


RATE = "the `learning_rate` of its TrainingArguments"


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("WarmupLR", "warmup_min_lr", "0"),
        ("WarmupLR", "warmup_max_lr", RATE),
        ("WarmupCosineLR", "warmup_num_steps", "the `warmup_steps` of its TrainingArguments, at least 1"),
        (
            "WarmupDecayLR",
            "total_num_steps",
            "the number of updates of the run: `max_steps`, or `num_train_epochs` times the updates per epoch",
        ),
        ("WarmupCosineLR", "cos_min_ratio", None),  # which the Trainer does not replace
    ],
)
def test_auto_is_an_error_with_the_value_of_the_trainer(kind: str, key: str, value: str | None) -> None:
    replaced = f"; the Trainer of transformers uses {value}" if value else ""
    message = f": `{key}` must be given as a value, got 'auto'{replaced}"
    with pytest.raises(TypeError, match=f"^warmup_(cosine_|decay_)?lr{re.escape(message)}$"):
        from_config({"type": kind, "params": {key: "auto"}}, lr=0.1)


def test_auto_as_the_learning_rate() -> None:
    message = f"warmup_lr: `lr` must be given as a value, got 'auto'; the Trainer of transformers uses {RATE}"
    with pytest.raises(TypeError, match=exactly(message)):
        from_config({"type": "WarmupLR"}, lr="auto")  # type: ignore[arg-type]


def test_params_that_are_not_a_mapping() -> None:
    with raises("from_config", "config['params']", "a mapping of arguments by name", [5], TypeError):
        from_config({"type": "WarmupLR", "params": [5]})


def test_params_may_be_missing() -> None:
    assert from_config({"type": "WarmupLR"}, lr=0.1) == warmup_lr(lr=0.1)
    assert from_config({"type": "LRRangeTest", "params": None}, lr=0.1) == lr_range_test()


# Arrays

EXAMPLES = {
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


@pytest.mark.parametrize("name", EXAMPLES)
def test_jax_and_torch_match_python(name: str) -> None:
    schedule, _ = EXAMPLES[name]
    steps = np.arange(90)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 4 * 2.0**-23  # 4 ulp of values below 2
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
