"""`bridges.megatron` compared with megatron-core itself, stepped as Megatron's trainer does, at every update.

Both compute in float64. Our learning rate is peak * (low + (high - low) * weight). It has one rounding for each of the
two levels (a quotient), one for their difference, 3 or 4 for the weight (count, quotient, curve; a cosine is squared),
and one each for the product, the sum and the product with the peak: at most 10. Megatron has at most as many.

In ``1 - u`` and ``1 + cos(x)`` Megatron subtracts, so its error is relative to the peak and not to the result: at most
4 roundings, with that of a cosine's angle multiplied by pi.
"""

from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from bridges.megatron import optimizer_param_scheduler, weight_decay
from tests import peers
from tests.errors import raises

OptimizerParamScheduler = peers.megatron().OptimizerParamScheduler

RELATIVE = 20 * 2**-53
ABSOLUTE = 5 * 2**-53  # relative to the peak

NO_WEIGHT_DECAY = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
RATE = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.0,
    "lr_warmup_steps": 0,
    "lr_decay_steps": 1,
    "lr_decay_style": "constant",
}


class Optimizer:
    """The part of an optimizer that Megatron's scheduler uses."""

    def __init__(self) -> None:
        self.param_groups: list[dict[str, Any]] = [{}]


def megatron_values(name: str, updates: int, batch: int, **arguments: Any) -> list[float]:
    """The value in the parameter group at each update: the trainer steps the scheduler after the optimizer."""
    optimizer = Optimizer()
    scheduler = OptimizerParamScheduler(optimizer, **arguments)
    values = []
    for _ in range(updates):
        values.append(optimizer.param_groups[0][name])
        scheduler.step(increment=batch)
    return values


def assert_close(rated: Any, theirs: list[float], peak: float) -> None:
    schedule, peak_value = rated
    ours = [peak_value * schedule(step) for step in range(len(theirs))]
    errors = [
        (step, a, b)
        for step, (a, b) in enumerate(zip(ours, theirs, strict=True))
        if not abs(a - b) <= RELATIVE * b + ABSOLUTE * peak
    ]
    assert not errors, errors[:5]


def assert_same_rates(batch: int = 1, **arguments: Any) -> None:
    updates = max(arguments["lr_decay_steps"], arguments["lr_warmup_steps"]) // batch + 5
    theirs = megatron_values("lr", updates, batch, **arguments, **NO_WEIGHT_DECAY)
    assert_close(optimizer_param_scheduler(**arguments, global_batch_size=batch), theirs, arguments["max_lr"])


@st.composite
def rates(draw: st.DrawFn) -> dict[str, float]:
    peak = draw(st.floats(1e-6, 10.0))
    below = st.one_of(st.just(0.0), st.just(peak), st.floats(0.0, 1.0).map(lambda fraction: fraction * peak))
    return {"init_lr": draw(below), "max_lr": peak, "min_lr": draw(below)}


@st.composite
def lengths(draw: st.DrawFn) -> dict[str, int]:
    total = draw(st.integers(1, 120))
    return {"lr_warmup_steps": draw(st.integers(0, total - 1)), "lr_decay_steps": total}


STYLES = st.one_of(
    st.sampled_from(["constant", "linear", "cosine", "inverse-square-root"]).map(
        lambda style: {"lr_decay_style": style}
    ),
    st.fixed_dictionaries(
        {
            "lr_decay_style": st.just("WSD"),
            "wsd_decay_steps": st.integers(0, 150),  # may exceed the steps after the warmup, and all steps
            "lr_wsd_decay_style": st.sampled_from(["linear", "cosine", "exponential", "minus_sqrt"]),
        }
    ),
)


@settings(max_examples=300)
@given(rates=rates(), lengths=lengths(), style=STYLES)
def test_learning_rate_at_every_update(rates: dict, lengths: dict, style: dict) -> None:
    assert_same_rates(**rates, **lengths, **style)


@settings(max_examples=200)
@given(
    rates=rates(),
    lengths=lengths(),
    style=STYLES,
    unit=st.sampled_from([1, 2, 7, 10, 16, 61]),
    batch=st.integers(1, 200),
)
def test_learning_rate_at_every_update_of_several_samples(
    rates: dict, lengths: dict, style: dict, unit: int, batch: int
) -> None:
    """Lengths that are multiples of the batch size, share a factor with it, or share none."""
    scaled = {name: value * unit for name, value in {**lengths, **style}.items() if isinstance(value, int)}
    assert_same_rates(batch, **{**rates, **lengths, **style, **scaled})


@pytest.mark.parametrize("batch", [1, 67, 1536])
@pytest.mark.parametrize("style", ["linear", "cosine", "inverse-square-root"])
def test_long_run_around_its_boundaries(style: str, batch: int) -> None:
    warmup, total = 30_017 * batch + 5, 300_007 * batch + 11
    arguments: dict[str, Any] = {**RATE, "min_lr": 0.125, "lr_warmup_steps": warmup, "lr_decay_steps": total}
    arguments["lr_decay_style"] = style
    schedule, peak_value = optimizer_param_scheduler(**arguments, global_batch_size=batch)
    scheduler = OptimizerParamScheduler(Optimizer(), **arguments, **NO_WEIGHT_DECAY)
    for step in [0, 1, *range(30_014, 30_020), 165_000, *range(300_004, 300_012), 400_000]:
        scheduler.num_steps = step * batch
        theirs = scheduler.get_lr({})
        assert abs(peak_value * schedule(step) - theirs) <= RELATIVE * theirs + ABSOLUTE, step


@settings(max_examples=200)
@given(
    start=st.floats(0.0, 1.0),
    end=st.sampled_from([0.0, 0.1, 1.0]),
    steps=st.integers(1, 100),
    style=st.sampled_from(["constant", "linear", "cosine"]),
    factor=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    batch=st.integers(1, 90),
)
def test_weight_decay_at_every_update(
    start: float, end: float, steps: int, style: str, factor: float, batch: int
) -> None:
    first = end if style == "constant" else start * end
    arguments = {"start_wd": first, "end_wd": end, "wd_incr_steps": steps, "wd_incr_style": style}
    theirs = megatron_values("weight_decay", steps // batch + 5, batch, **RATE, **arguments)
    ours = weight_decay(**arguments, wd_mult=factor, global_batch_size=batch)
    assert_close(ours, [factor * value for value in theirs], factor * end)


def test_weight_decay_of_a_group_with_a_factor() -> None:
    arguments = {"start_wd": 0.1, "end_wd": 0.2, "wd_incr_steps": 4, "wd_incr_style": "linear"}
    optimizer = Optimizer()
    optimizer.param_groups[0]["wd_mult"] = 0.25
    scheduler = OptimizerParamScheduler(optimizer, **RATE, **arguments)
    scheduler.step(3)
    schedule, peak_value = weight_decay(**arguments, wd_mult=0.25)
    assert abs(peak_value * schedule(3) - optimizer.param_groups[0]["weight_decay"]) <= RELATIVE


def test_weight_decay_without_increase_holds_its_end_where_megatron_divides_by_zero() -> None:
    arguments = {"start_wd": 0.1, "end_wd": 0.2, "wd_incr_steps": 0, "wd_incr_style": "linear"}
    with pytest.raises(ZeroDivisionError):
        megatron_values("weight_decay", 1, 1, **RATE, **arguments)
    schedule, peak_value = weight_decay(**arguments)
    assert [peak_value * schedule(step) for step in (0, 1)] == [0.2, 0.2]


def test_inverse_square_root_drops_at_the_first_update_past_the_end() -> None:
    """Update 10 comes after 670 samples: past an end at 669 samples, but not past one at 670."""
    arguments: dict[str, Any] = {**RATE, "lr_warmup_steps": 67, "lr_decay_style": "inverse-square-root"}
    for total, expected in ((669, 0.0), (670, 10**-0.5)):
        schedule, _ = optimizer_param_scheduler(**{**arguments, "lr_decay_steps": total}, global_batch_size=67)
        assert schedule(10) == pytest.approx(expected, rel=RELATIVE, abs=0.0)
        assert schedule(11) == 0.0


def test_lengths_that_are_multiples_of_the_batch_size_are_not_rescaled() -> None:
    arguments = {**RATE, "lr_warmup_steps": 1000, "lr_decay_steps": 50_000, "lr_decay_style": "linear"}
    schedule, _ = optimizer_param_scheduler(**arguments, global_batch_size=1000)
    assert schedule == fs.join([fs.ramp(0.0, 1.0, steps=1), fs.ramp(1.0, 0.0, steps=49)], [1])


NONNEGATIVE = "a number from 0 to 1.7e38"
NONNEGATIVE_INT, POSITIVE_INT = "an integer from 0 to 2**53", "an integer from 1 to 2**53"


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"max_lr": 0.0}, "max_lr", "a finite number above 0", 0.0),
        ({"max_lr": "high"}, "max_lr", "a finite number above 0", "high"),
        ({"min_lr": -0.1}, "min_lr", NONNEGATIVE, -0.1),
        ({"min_lr": 2.0}, "min_lr", "at most `max_lr` (1.0)", 2.0),
        ({"init_lr": -0.1}, "init_lr", NONNEGATIVE, -0.1),
        ({"init_lr": 2.0}, "init_lr", "at most `max_lr` (1.0)", 2.0),
        ({"lr_decay_steps": 0}, "lr_decay_steps", POSITIVE_INT, 0),
        ({"lr_warmup_steps": -1}, "lr_warmup_steps", NONNEGATIVE_INT, -1),
        ({"lr_warmup_steps": 0.5}, "lr_warmup_steps", NONNEGATIVE_INT, 0.5),
        ({"lr_warmup_steps": 10}, "lr_warmup_steps", "below `lr_decay_steps` (10)", 10),
        ({"global_batch_size": 0}, "global_batch_size", POSITIVE_INT, 0),
        (
            {"lr_decay_style": "wsd"},
            "lr_decay_style",
            "one of 'WSD', 'constant', 'cosine', 'inverse-square-root', 'linear'",
            "wsd",
        ),
        ({"lr_decay_style": "WSD"}, "wsd_decay_steps", "given if `lr_decay_style` is 'WSD'", None),
        ({"lr_decay_style": "WSD", "wsd_decay_steps": 2.5}, "wsd_decay_steps", NONNEGATIVE_INT, 2.5),
        (
            {"lr_decay_style": "WSD", "wsd_decay_steps": 5},
            "lr_wsd_decay_style",
            "one of 'cosine', 'exponential', 'linear', 'minus_sqrt'",
            None,
        ),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises("optimizer_param_scheduler", argument, requirement, got):
        optimizer_param_scheduler(**{**RATE, "lr_decay_steps": 10, **arguments})


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"end_wd": -1.0}, "end_wd", NONNEGATIVE, -1.0),
        ({"start_wd": -1.0}, "start_wd", NONNEGATIVE, -1.0),
        ({"start_wd": 0.5}, "start_wd", "at most `end_wd` (0.25)", 0.5),
        ({"wd_incr_steps": 1.5}, "wd_incr_steps", NONNEGATIVE_INT, 1.5),
        ({"wd_mult": -1.0}, "wd_mult", NONNEGATIVE, -1.0),
        ({"global_batch_size": 0}, "global_batch_size", POSITIVE_INT, 0),
        ({"wd_incr_style": "sqrt"}, "wd_incr_style", "one of 'constant', 'cosine', 'linear'", "sqrt"),
        ({"wd_incr_style": "constant"}, "start_wd", "equal to `end_wd` (0.25) if `wd_incr_style` is 'constant'", 0.0),
    ],
)
def test_invalid_arguments_of_weight_decay(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    valid = {"start_wd": 0.0, "end_wd": 0.25, "wd_incr_steps": 10, "wd_incr_style": "linear"}
    with raises("weight_decay", argument, requirement, got):
        weight_decay(**{**valid, **arguments})


@pytest.mark.parametrize("batch", [1, 7, 67])
@pytest.mark.parametrize("style", ["cosine", "inverse-square-root", "WSD"])
def test_jax_and_torch_match_python(style: str, batch: int) -> None:
    schedule, _ = optimizer_param_scheduler(
        init_lr=0.1,
        max_lr=1.0,
        min_lr=0.2,
        lr_warmup_steps=13,
        lr_decay_steps=200,
        lr_decay_style=style,
        wsd_decay_steps=40,
        lr_wsd_decay_style="exponential",
        global_batch_size=batch,
    )
    steps = np.arange(200 // batch + 4)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 8 * 2.0**-24  # 4 ulp of values below 1
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
