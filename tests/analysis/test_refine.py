"""`refine`: schedules from gradient norms, against the formula in exact arithmetic."""

import random
from fractions import Fraction

import numpy as np
import pytest

import funcsched as fs


def exact_levels(norms: list[Fraction], power: int) -> list[Fraction]:
    """w(t) * (sum of w from t to the end) at every norm, with a peak of 1."""
    weights = [1 / norm**power for norm in norms]
    levels = [weight * sum(weights[t:]) for t, weight in enumerate(weights)]
    return [level / max(levels) for level in levels]


@pytest.mark.parametrize("power", [1, 2])
def test_without_smoothing_the_multipliers_are_those_of_the_formula(power: int) -> None:
    numbers = random.Random(power)
    norms = [Fraction(numbers.randint(1, 40), 8) for _ in range(90)]
    schedule = fs.refine([float(norm) for norm in norms], smoothing=0, power=power)
    expected = [float(level) for level in exact_levels(norms, power)]
    assert [schedule(step) for step in range(90)] == pytest.approx(expected, rel=1e-13)
    assert schedule(90) == schedule(1000) == 0.0
    # Of another length, the same values are at the same fractions of the run.
    longer = fs.refine([float(norm) for norm in norms], steps=9000, smoothing=0, power=power)
    assert [longer(100 * step) for step in range(90)] == pytest.approx(expected, rel=1e-13)


def test_constant_norms_give_the_straight_line() -> None:
    line = fs.ramp(1.0, 0.0, steps=700)
    schedule = fs.refine([0.3] * 1234, steps=700)
    assert [schedule(step) for step in range(0, 701, 7)] == pytest.approx([line(step) for step in range(0, 701, 7)])
    assert str(fs.parse(str(schedule))) == str(schedule)


def test_the_norms_are_smoothed_by_a_median_filter() -> None:
    numbers = random.Random(0)
    norms = [numbers.uniform(1, 2) * (100 if numbers.random() < 0.02 else 1) for _ in range(300)]
    # The median of 31 norms, and of fewer at the ends.
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(norms, 15, constant_values=np.nan), 31)
    expected = exact_levels([Fraction(float(norm)) for norm in np.nanmedian(windows, axis=1)], 2)
    schedule = fs.refine(norms, smoothing=0.1, points=300)
    assert [schedule(step) for step in range(300)] == pytest.approx([float(level) for level in expected], rel=1e-12)
    # A long run is smoothed at a part of its steps.
    slow = [2 + np.sin(i / 5000) for i in range(20_000)]
    ours, exact = fs.refine(slow, smoothing=0.01), fs.refine(slow, smoothing=0)
    assert [ours(step) for step in range(0, 20_000, 500)] == pytest.approx(
        [exact(step) for step in range(0, 20_000, 500)], rel=0.02
    )


def test_invalid_arguments_are_errors() -> None:
    for arguments, message in (
        ({"gradient_norms": [1.0]}, "`gradient_norms` must be from 2 to 1,000,000 numbers, got 1"),
        ({"gradient_norms": [1.0, 0.0]}, r"`gradient_norms\[1\]` must be a number from 1e-30 to 1e30, got 0.0"),
        (
            {"gradient_norms": [1.0, float("nan")]},
            r"`gradient_norms\[1\]` must be a number from 1e-30 to 1e30, got nan",
        ),
        ({"gradient_norms": 3}, "`gradient_norms` must be a sequence of numbers, got 3"),
        ({"smoothing": 2}, "`smoothing` must be a number from 0 to 1, got 2"),
        ({"steps": 0}, r"`steps` must be an integer from 1 to 2\*\*53, got 0"),
        ({"power": 0}, "`power` must be a number above 0 and at most 2, got 0"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^refine: {message}"):
            fs.refine(**{"gradient_norms": [1.0, 2.0], **arguments})
