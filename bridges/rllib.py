"""Piecewise linear schedules of RLlib: lists of ``[step, value]``, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import ceil
from typing import Any

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.compositions import join_phases
from bridges.rated import Rated
from funcsched.analysis.landmarks import phase_boundaries
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, sequence

_SAMPLES = 16  # of an interval between two knots, to measure the error
_ROUNDING = 2.0**-50  # of an interpolated value, relative to the larger knot
_MAX_KNOTS = 1000


def _knot(function: str, argument: str, value: Any) -> tuple[int, float]:
    pair = sequence(function, argument, value, lambda function, argument, item: item, "two numbers")
    if len(pair) != 2:
        raise argument_error(function, argument, "a pair of a step and a value", value)
    step = rules.concrete_nonnegative_int(function, f"{argument}[0]", pair[0])
    return step, rules.concrete_nonnegative(function, f"{argument}[1]", pair[1])


@checked()
def from_knots(knots: Iterable[Iterable[float]]) -> Rated:
    """RLlib's piecewise linear schedule, such as ``config.lr``.

    ``value[i] + (value[i + 1] - value[i]) * (step - step[i]) / (step[i + 1] - step[i])`` for
    ``step[i] <= step < step[i + 1]``; from the last step on, the last value

    Args:
        knots: at least two pairs ``[step, value]``: steps (ints, from 0, not decreasing), and values (floats, at least
            0). Two values at the same step are a jump. RLlib counts environment steps.

    Returns:
        A schedule and its peak value, the maximum of the values.

    Raises:
        TypeError, ValueError: `knots` have the wrong type or length, do not begin at step 0, or decrease.

    Example:
        >>> from bridges.rllib import from_knots
        >>> schedule, peak_value = from_knots([[0, 0.5], [100, 0.5], [200, 0.25]])
        >>> [peak_value * schedule(step) for step in (0, 100, 150, 200, 300)]
        [0.5, 0.5, 0.375, 0.25, 0.25]

    Source: ray 2.60.0, ray/rllib/utils/schedules/scheduler.py and piecewise_schedule.py.
    """
    function = "from_knots"
    pairs = sequence(function, "knots", knots, _knot, "pairs")
    if len(pairs) < 2 or pairs[0][0] != 0 or any(after < before for (before, _), (after, _) in pairwise(pairs)):
        requirement = "at least two pairs, with steps that begin at 0 and do not decrease"
        raise argument_error(function, "knots", requirement, knots)
    peak = max(value for _, value in pairs)
    if peak == 0:
        return Rated(fs.constant(), 0.0)
    # A ramp of 0 steps has the second of two values at the same step. The last ramp holds its end.
    phases = {
        first: fs.ramp(start / peak, stop / peak, steps=last - first)
        for (first, start), (last, stop) in pairwise(pairs)
    }
    return Rated(join_phases(phases), peak)


@checked(common=BY_TYPE, peak_value=rules.positive, total_steps=rules.concrete_positive_int)
def to_knots(
    schedule: fs.Schedule | Callable[[Any], Any], peak_value: float, total_steps: int, *, tolerance: float = 1e-3
) -> list[list[float]]:
    """A schedule as RLlib's list of ``[step, value]``, between which RLlib interpolates.

    Knots are at the boundaries of all phases. A curve gets enough additional knots to meet `tolerance`. A jump needs
    two knots, at successive steps.

    Args:
        schedule: a schedule, or a function of a step.
        peak_value: learning rate at multiplier 1 (float, above 0).
        total_steps: step of the last knot, whose value RLlib holds (int, 1 to 2**53).
        tolerance: largest error of the multiplier at an integer step (float, at least 0). It is measured at 16 steps
            between two knots, or at all of them if there are fewer. A schedule of straight lines is exact, up to
            rounding.

    Returns:
        A list of knots. MindSpore does not use knots: it takes a list of the learning rates of all steps.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or the schedule needs more than
            1000 knots.

    Example:
        >>> import funcsched as fs
        >>> from bridges.rllib import to_knots
        >>> to_knots(fs.warmup_linear(10, 100), 0.5, 100)
        [[0, 0.0], [10, 0.5], [100, 0.0]]
        >>> to_knots(fs.multistep([60], 0.5), 1.0, 100)
        [[0, 1.0], [59, 1.0], [60, 0.5], [100, 0.5]]

    Source: ray 2.60.0, ray/rllib/utils/schedules/piecewise_schedule.py.
    """
    boundaries = {ceil(step) for step in phase_boundaries(schedule, total_steps, tables=True)}
    ends = sorted({total_steps, *(step for step in boundaries if 0 < step < total_steps)}, reverse=True)
    steps = [0]
    while ends:
        split = _worst_step(schedule, steps[-1], ends[-1], tolerance)
        if split is not None:
            ends.append(split)
        else:
            steps.append(ends.pop())
        if len(steps) + len(ends) > _MAX_KNOTS:
            raise argument_error("to_knots", "tolerance", f"so large that {_MAX_KNOTS} knots are enough", tolerance)
    return [[step, peak_value * schedule(step)] for step in steps]


def _worst_step(schedule: Callable[[Any], Any], begin: int, end: int, tolerance: float) -> int | None:
    """The step between two knots at which the line has the largest error, or None if the error is small enough."""
    first, last = schedule(begin), schedule(end)
    length = end - begin
    sampled = {1, length - 1, *(length * i // (_SAMPLES - 1) for i in range(1, _SAMPLES - 1))} - {0, length}
    if not sampled:
        return None

    def error(step: int) -> Any:
        return abs(first + (last - first) * (step / length) - schedule(begin + step))

    worst = max(sorted(sampled), key=error)
    return begin + worst if error(worst) > max(tolerance, _ROUNDING * max(abs(first), abs(last))) else None
