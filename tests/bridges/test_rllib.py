"""`bridges.rllib` compared with RLlib's interpolation, transcribed from its source, because ray is large to install."""

import random
from itertools import pairwise
from typing import Any

import pytest

import funcsched as fs
from bridges.rllib import from_knots, to_knots
from tests.errors import exactly, raises

ROUNDING = 8 * 2.0**-53


def rllib(knots: Any, step: int) -> float:
    """RLlib's value: in the first interval that contains the step, or the last value."""
    for (first, start), (last, stop) in pairwise(knots):
        if first <= step < last:
            return start + (step - first) / (last - first) * (stop - start)
    return knots[-1][1]


def test_every_step_of_random_knots() -> None:
    draw = random.Random(0)
    for _ in range(100):
        steps = sorted(draw.choices(range(60), k=draw.randint(1, 6)))  # with steps that occur twice
        knots = [[step, draw.choice([0.0, draw.uniform(0, 3)])] for step in [0, *steps]]
        schedule, peak_value = from_knots(knots)
        top = max(value for _, value in knots)
        assert peak_value == top
        for step in range(70):
            assert abs(peak_value * schedule(step) - rllib(knots, step)) <= ROUNDING * top, (knots, step)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize(
    "schedule",
    [
        fs.warmup_cosine(100, 2000, end=0.1),
        fs.warmup_inverse_sqrt(50),
        fs.one_cycle(300, 2000),
        fs.cosine_restarts(400, period_factor=2, level_factor=0.5),
        fs.warmup_stable_decay(100, 1000, 900, decay_shape=fs.sqrt),
        fs.product(fs.warmup_constant(100), fs.exponential_decay(0.5, 300)),
        fs.stretch(fs.warmup_cosine(7, 90), 20.3),
        fs.lift(lambda step: 1.0 / (1.0 + step / 100.0)),
    ],
    ids=lambda schedule: repr(schedule)[:30],
)
def test_curves_are_within_the_tolerance_at_every_step(schedule: fs.Schedule, tolerance: float) -> None:
    knots = to_knots(schedule, 0.5, 2000, tolerance=tolerance)
    assert knots[0][0] == 0 and knots[-1][0] == 2000 and len(knots) < 3 / tolerance**0.5 + 40
    errors = [abs(rllib(knots, step) - 0.5 * schedule(step)) for step in range(2001)]
    assert max(errors) <= 0.5 * tolerance
    assert rllib(knots, 5000) == knots[-1][1]


def test_lines_and_stairs_are_exact_with_random_arguments() -> None:
    draw = random.Random(1)
    for _ in range(60):
        steps = sorted(draw.sample(range(1, 300), draw.randint(1, 5)))
        levels = [draw.uniform(0, 1) for _ in range(len(steps) + 1)]
        total = steps[-1] + draw.randint(1, 50)
        lines = fs.interpolate([0, *steps], levels)
        stairs = fs.piecewise_constant(steps, levels=levels)
        epochs = fs.staircase(fs.piecewise_constant([2, 5], levels=levels[:1] * 2 + [0.5]), 40)
        spike = fs.table([0.5] * 211 + [draw.random()] + [0.5] * 200)  # between the samples
        for schedule in (
            lines,
            spike,
            stairs,
            epochs,
            fs.product(lines, fs.piecewise_constant([100], levels=[1.0, 0.5])),
        ):
            knots = to_knots(schedule, 3.0, total, tolerance=0.0)
            errors = [abs(rllib(knots, step) - 3.0 * schedule(step)) for step in range(total + 1)]
            assert max(errors) <= 3.0 * ROUNDING
        assert len(to_knots(lines, 3.0, total, tolerance=0.0)) <= len(steps) + 2
        assert len(to_knots(stairs, 3.0, total, tolerance=0.0)) <= 2 * len(steps) + 2


def test_knots_of_known_schedules() -> None:
    assert to_knots(fs.constant(), 0.5, 100) == [[0, 0.5], [100, 0.5]]
    assert to_knots(fs.warmup_stable_decay(10, 70, 20), 1.0, 150) == [
        [0, 0.0],
        [10, 1.0],
        [80, 1.0],
        [100, 0.0],
        [150, 0.0],
    ]
    assert to_knots(fs.ramp(0, 1, steps=2), 1.0, 1) == [[0, 0.0], [1, 0.5]]
    knots = [[0, 0.5], [100, 0.25], [101, 0.125], [10**9, 0.0]]
    assert to_knots(*from_knots(knots), 10**9) == knots


def test_the_error_about_too_many_knots_names_the_limit() -> None:
    message = "to_knots: `tolerance` must be so large that 1000 knots are enough, got 1e-12"
    with pytest.raises(ValueError, match=exactly(message)):
        to_knots(fs.warmup_cosine(10, 10**6), 1.0, 10**6, tolerance=1e-12)
    message = "to_knots: `tolerance` must be so large that 1000 knots are enough, got 0.001"
    with pytest.raises(ValueError, match=exactly(message)):
        to_knots(fs.repeat(fs.ramp(1, 0, steps=10), 10), 1.0, 10**5)


INCREASING = "at least two pairs, with steps that begin at 0 and do not decrease"


@pytest.mark.parametrize(
    ("knots", "argument", "requirement", "got"),
    [
        ([[0, 1.0]], "knots", INCREASING, [[0, 1.0]]),
        ([[0, 1.0], [5, 0.5], [4, 0.1]], "knots", INCREASING, [[0, 1.0], [5, 0.5], [4, 0.1]]),
        ([[1, 1.0], [5, 0.5]], "knots", INCREASING, [[1, 1.0], [5, 0.5]]),
        ([[0, 1.0], [5]], "knots[1]", "a pair of a step and a value", [5]),
        ([[0, 1.0], [5.5, 1.0]], "knots[1][0]", "an integer from 0 to 2**53", 5.5),
        ([[0, -1.0], [5, 1.0]], "knots[0][1]", "a number from 0 to 1.7e38", -1.0),
    ],
)
def test_invalid_knots(knots: Any, argument: str, requirement: str, got: Any) -> None:
    with raises("from_knots", argument, requirement, got):
        from_knots(knots)


def test_knots_of_zeros() -> None:
    assert from_knots([[0, 0.0], [9, 0.0]]) == (fs.constant(), 0.0)
