"""`bridges.fvcore` compared with fvcore itself, at every step of a run.

Both compute in float64, with at most 6 roundings of at most the largest value (cosine, line) or of the value itself.
"""

import math
import pickle
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

import funcsched as fs
from bridges import fvcore
from tests import peers
from tests.errors import raises

peers.require("fvcore", "--no-deps fvcore==0.1.5.post20221221")
theirs: Any = peers.import_quietly("fvcore.common.param_scheduler")

TOLERANCE = 12 * 2.0**-53


def assert_same(ours: fs.Schedule, scheduler: Any, total: int, scale: float = 1.0, steps: Any = None) -> None:
    errors = [
        (step, ours(step), scheduler(step / total))
        for step in (range(total) if steps is None else steps)
        if not abs(ours(step) - scheduler(step / total)) <= TOLERANCE * scale
    ]
    assert not errors, errors[:3]


def test_single_schedulers_with_random_arguments() -> None:
    draw = random.Random(0)
    for _ in range(60):
        total, start, end = draw.randint(1, 120), draw.uniform(-1, 2), draw.uniform(-1, 2)
        decay, power = 10 ** draw.uniform(-3, 1), draw.choice([0.5, 0.9, 1.0, 2.0, draw.uniform(0.1, 5)])
        scale = max(abs(start), abs(end), abs(start * decay))
        for name, arguments in {
            "constant": (start,),
            "cosine": (start, end),
            "linear": (start, end),
            "exponential": (start, decay),
            "polynomial_decay": (start, power),
        }.items():
            build = getattr(fvcore, f"{name}_param_scheduler")
            scheduler = getattr(theirs, "".join(part.title() for part in name.split("_")) + "ParamScheduler")(
                *arguments
            )
            ours = build(*arguments) if name == "constant" else build(*arguments, total_steps=total)
            assert_same(ours, scheduler, total, scale)


def test_stairs_with_random_arguments() -> None:
    draw = random.Random(1)
    for _ in range(60):
        total, count = draw.randint(1, 150), draw.randint(1, 6)
        values = [draw.uniform(0, 1) for _ in range(count)]
        updates = draw.choice([max(total, count), draw.randint(count + 1, 200)])
        milestones = sorted(draw.sample(range(1, updates), min(count - 1, updates - 1)))
        values = values[: len(milestones) + 1]
        arguments: list[dict[str, Any]] = [{"num_updates": updates, "milestones": milestones}]
        arguments += [{"milestones": [*milestones, updates]}]
        if len(values) * -(-updates // len(values)) - updates < -(-updates // len(values)):  # else fvcore raises
            arguments += [{"num_updates": updates}]
        for kwargs in arguments:
            ours = fvcore.multi_step_param_scheduler(values, **kwargs, total_steps=total)
            assert_same(ours, theirs.MultiStepParamScheduler(values, **kwargs), total)
        ours = fvcore.step_param_scheduler(7, values, total_steps=total)
        assert_same(ours, theirs.StepParamScheduler(7, values), total)
        ours = fvcore.step_with_fixed_gamma_param_scheduler(0.7, count, 0.3, 9, total_steps=total)
        assert_same(ours, theirs.StepWithFixedGammaParamScheduler(0.7, count, 0.3, 9), total)


def test_stairs_are_early_in_a_run_of_millions_as_in_fvcore() -> None:
    total, milestones = 3_000_000, [1_000_000, 2_000_001]
    scheduler = theirs.MultiStepParamScheduler([1.0, 0.5, 0.25], total, milestones)
    ours = fvcore.multi_step_param_scheduler([1.0, 0.5, 0.25], total, milestones, total_steps=total)
    around = [step + shift for step in milestones for shift in range(-6, 3)]
    assert_same(ours, scheduler, total, steps=around)
    assert scheduler(999_997 / total) == 0.5 != scheduler(999_996 / total)  # 3 steps early
    for total in (1_000_000, 1_000_003):  # where the tolerance is a step, rounding decides
        scheduler = theirs.StepParamScheduler(1, [1.0, 0.5, 0.25, 0.125, 0.0625])
        ours = fvcore.step_param_scheduler(1, [1.0, 0.5, 0.25, 0.125, 0.0625], total_steps=total)
        assert_same(
            ours, scheduler, total, steps=[total * i // 5 + shift for i in range(1, 5) for shift in range(-3, 3)]
        )


def test_composites_with_random_arguments() -> None:
    draw = random.Random(2)
    for _ in range(60):
        total = draw.choice([draw.randint(5, 150), 60, 100])
        cuts = [0, *sorted(draw.sample(range(1, 20), draw.randint(0, 3))), 20]
        lengths = [(after - before) / 20 for before, after in pairwise(cuts)]
        scalings = [draw.choice(["fixed", "rescaled"]) for _ in lengths]
        parts = [draw.choice(["linear", "cosine", "exponential"]) for _ in lengths]
        numbers = [(draw.uniform(0.1, 1), draw.uniform(0.1, 1)) for _ in lengths]
        ours = fvcore.composite_param_scheduler(
            [
                getattr(fvcore, f"{part}_param_scheduler")(*pair, total_steps=total)
                for part, pair in zip(parts, numbers, strict=True)
            ],
            lengths,
            scalings,
            total_steps=total,
        )
        schedulers = [
            getattr(theirs, f"{part.title()}ParamScheduler")(*pair) for part, pair in zip(parts, numbers, strict=True)
        ]
        # The quotient (where - begin) / length has the rounding error of a number near 1, divided by the length.
        composite = theirs.CompositeParamScheduler(schedulers, list(lengths), scalings)
        assert_same(ours, composite, total, scale=4 / min(lengths))


def test_composites_in_a_run_of_a_million_where_rounding_decides() -> None:
    total, lengths = 1_000_000, [0.1] * 9 + [0.1]
    values = [1.0 / (i + 1) for i in range(10)]
    scheduler = theirs.CompositeParamScheduler(
        [theirs.ConstantParamScheduler(value) for value in values], list(lengths), ["fixed"] * 10
    )
    ours = fvcore.composite_param_scheduler(map(fs.constant, values), lengths, ["fixed"] * 10, total_steps=total)
    assert_same(ours, scheduler, total, steps=[i * total // 10 + shift for i in range(1, 10) for shift in range(-4, 3)])


def test_values_past_the_end_are_held_where_fvcore_continues_or_raises() -> None:
    assert fvcore.linear_param_scheduler(1.0, 0.5, total_steps=10)(20) == 0.5
    assert theirs.LinearParamScheduler(1.0, 0.5)(2.0) == 0.0
    assert fvcore.cosine_param_scheduler(1.0, 0.5, total_steps=10)(20) == 0.5
    assert theirs.CosineParamScheduler(1.0, 0.5)(2.0) == 1.0
    assert fvcore.exponential_param_scheduler(1.0, 0.5, total_steps=10)(20) == 0.5
    assert theirs.ExponentialParamScheduler(1.0, 0.5)(2.0) == 0.25
    assert fvcore.polynomial_decay_param_scheduler(1.0, 1.0, total_steps=10)(20) == 0.0
    assert theirs.PolynomialDecayParamScheduler(1.0, 1.0)(2.0) == -1.0
    assert fvcore.step_param_scheduler(1, [1.0, 0.5], total_steps=10)(10) == 0.5
    with pytest.raises(IndexError):
        theirs.StepParamScheduler(1, [1.0, 0.5])(1.0)
    assert fvcore.multi_step_param_scheduler([1.0, 0.5], 10, [5], total_steps=10)(11) == 0.5
    with pytest.raises(RuntimeError):
        theirs.MultiStepParamScheduler([1.0, 0.5], 10, [5])(1.1)
    with pytest.raises(RuntimeError):
        theirs.ConstantParamScheduler(1.0)(1.0)


@pytest.mark.parametrize("total", [7, 100, 90_000, 1_234_567])
def test_to_progress_returns_the_value_at_every_step(total: int) -> None:
    schedule = fs.join([fs.warmup_linear(3, 5), fs.multistep(range(1, 50))], [3])
    function = pickle.loads(pickle.dumps(fvcore.to_progress(schedule, total, 3.0)))
    steps = [*range(min(total, 60)), total - 1, total]
    assert [function(step / total) for step in steps] == [3.0 * schedule(step) for step in steps]
    assert fvcore.to_progress(fs.ramp(0, 1, steps=10), 10)(0.25) == 0.25  # between two steps
    assert math.isnan(fvcore.to_progress(fs.ramp(0, 1, steps=10), 10)(math.nan))


def test_to_progress_drives_a_param_scheduler_of_fvcore() -> None:
    """detectron2's LRMultiplier requires the class; it calls it with ``last_epoch / max_iter``."""
    schedule = fs.warmup_cosine(10, 90)
    function = fvcore.to_progress(schedule, 90)
    scheduler = theirs.CompositeParamScheduler([function], lengths=[1.0], interval_scaling=["fixed"])
    assert isinstance(scheduler, theirs.ParamScheduler)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    multiplier = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scheduler(step / 90))
    for step in range(90):
        assert optimizer.param_groups[0]["lr"] == 0.5 * schedule(step)
        optimizer.step()
        multiplier.step()


@pytest.mark.parametrize(
    ("name", "arguments", "argument", "requirement", "got"),
    [
        ("constant", {"value": "high"}, "value", "a number from -1.7e38 to 1.7e38", "high"),
        (
            "cosine",
            {"start_value": 1.0, "end_value": 0.0, "total_steps": 0},
            "total_steps",
            "an integer from 1 to 2**53",
            0,
        ),
        (
            "exponential",
            {"start_value": 1.0, "decay": 0.0, "total_steps": 9},
            "decay",
            "a number from 1e-30 to 1e30",
            0.0,
        ),
        (
            "polynomial_decay",
            {"base_value": 1.0, "power": 0.0, "total_steps": 9},
            "power",
            "a finite number above 0",
            0.0,
        ),
        ("step", {"num_updates": 9, "values": [], "total_steps": 9}, "values", "a non-empty sequence of numbers", []),
        (
            "multi_step",
            {"values": [1.0, 0.5], "num_updates": 9, "milestones": [3, 6], "total_steps": 9},
            "milestones",
            "a sequence of length 1",
            [3, 6],
        ),
        (
            "multi_step",
            {"values": [1.0, 0.5, 0.1], "num_updates": 9, "milestones": [6, 6], "total_steps": 9},
            "milestones",
            "increasing",
            [6, 6],
        ),
        (
            "multi_step",
            {"values": [1.0, 0.5], "num_updates": 9, "milestones": [9], "total_steps": 9},
            "num_updates",
            "above all milestones, and at least `len(values)`",
            9,
        ),
        (
            "composite",
            {"schedulers": [fs.constant()], "lengths": [0.5, 0.5], "interval_scaling": ["fixed"], "total_steps": 9},
            "lengths",
            "as long as `schedulers` (1)",
            [0.5, 0.5],
        ),
        (
            "composite",
            {"schedulers": [fs.constant()], "lengths": [0.5], "interval_scaling": ["fixed"], "total_steps": 9},
            "lengths",
            "numbers with a sum of 1",
            [0.5],
        ),
        (
            "composite",
            {"schedulers": [fs.constant()], "lengths": [1.0], "interval_scaling": ["scaled"], "total_steps": 9},
            "interval_scaling[0]",
            "one of 'fixed', 'rescaled'",
            "scaled",
        ),
    ],
)
def test_invalid_arguments(name: str, arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises(f"{name}_param_scheduler", argument, requirement, got):
        getattr(fvcore, f"{name}_param_scheduler")(**arguments)


def test_torch_matches_python() -> None:
    ours = fvcore.composite_param_scheduler(
        [fvcore.linear_param_scheduler(0.0, 1.0, total_steps=97), fvcore.cosine_param_scheduler(1, 0, total_steps=97)],
        [0.25, 0.75],
        ["rescaled", "rescaled"],
        total_steps=97,
    )
    expected = np.array([ours(step) for step in range(110)])
    np.testing.assert_allclose(ours(torch.arange(110)).numpy(), expected, rtol=0, atol=4 * 2.0**-24)
