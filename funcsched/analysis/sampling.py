"""Which steps of a curve are sampled, the values there, and searches between the samples."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil, isclose, isnan

from funcsched.analysis.landmarks import phase_boundaries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from funcsched.core.schedule import Schedule

DENSE_STEPS = 10_000  # all steps below are sampled
LAST_STEP = 2**53
_ROUNDING = 2.0**-50  # relative: two float64 computations of a value differ by a few units in the last place
_UNDERFLOW = 1e-300  # relative to the peak: a 0 after a smaller value is underflow
_ROUNDED = 1e-4  # of the schedule: longer stretches of equal values are not attributed to rounding


class Curve:
    """A schedule at the integer steps from 0 to `last`, with a cache of its values."""

    __slots__ = ("_boundaries", "_values", "last", "schedule")

    def __init__(self, schedule: Schedule, last: int) -> None:
        self.schedule, self.last = schedule, last
        self._values: dict[int, float] = {}
        self._boundaries: list[int] | None = None

    def __call__(self, step: int) -> float:
        """The multiplier. Steps outside of the range are clamped to it."""
        step = min(max(step, 0), self.last)
        value = self._values.get(step)
        if value is None:
            value = self._values[step] = float(self.schedule(step))
        return value

    @property
    def boundaries(self) -> list[int]:
        """The first step of each phase, and the last step of the last one, sorted."""
        if self._boundaries is None:
            found = {ceil(step) for step in phase_boundaries(self.schedule, self.last)}
            self._boundaries = sorted(step for step in found if 0 <= step <= self.last)
        return self._boundaries

    def extended(self, last: int) -> Curve:
        """The same curve up to a later step, with the same cache."""
        longer = Curve(self.schedule, last)
        longer._values = self._values
        return longer


def sample_steps(
    schedules: Iterable[Schedule], last: int, *, dense: int = DENSE_STEPS, growth: float = 1.001
) -> list[int]:
    """The steps at which curves are sampled, sorted.

    Args:
        schedules: the schedules whose phase boundaries are sampled, with the steps before and after.
        last: the last step (int), which is always sampled.
        dense: number of steps at the beginning that are all sampled (int).
        growth: ratio of successive steps of the grid that covers the rest (above 1).
    """
    steps = {*range(min(dense, last)), last}
    step = 0
    while step < last:
        steps.add(step)
        step = max(step + 1, int(step * growth))
    for schedule in schedules:
        for boundary in phase_boundaries(schedule, last, tables=True):
            step = ceil(boundary)
            steps.update(near for near in (step - 1, step, step + 1) if 0 <= near <= last)
    return sorted(steps)


def is_close(first: float | None, second: float | None) -> bool:
    """Whether two multipliers are equal up to rounding; true if one is undefined (None) or both are NaN."""
    if first is None or second is None or (isnan(first) and isnan(second)):
        return True
    return isclose(first, second, rel_tol=_ROUNDING)


def absolute_difference(first: Curve, second: Curve, step: int) -> float:
    """The absolute difference of two curves at a step: 0 for rounding, infinity if one of them is NaN."""
    a, b = first(step), second(step)
    difference = 0.0 if is_close(a, b) else abs(a - b)
    return float("inf") if isnan(difference) else difference


def first_difference(
    first: Callable[[int], float | None], second: Callable[[int], float | None], steps: Iterable[int]
) -> int | None:
    """The first step at which two curves differ, or None."""
    return first_step(lambda step: not is_close(first(step), second(step)), steps)


def first_step(condition: Callable[[int], bool], steps: Iterable[int]) -> int | None:
    """The first step at which a condition holds, or None if it holds at no sample.

    The step may lie before the first sample at which the condition holds. It is found by bisection.
    """
    untested = None  # the first step after the previous sample
    for step in steps:
        if condition(step):
            return step if untested is None else untested + bisect_left(range(untested, step), True, key=condition)
        untested = step + 1
    return None


def start_of_last_stretch(condition: Callable[[int], bool], steps: list[int]) -> int | None:
    """The first step from which a condition holds up to the last sample, or None if it does not hold there."""
    start = next((i for i in reversed(range(len(steps))) if not condition(steps[i])), 0)
    return first_step(condition, steps[start:])


def peak_step(value: Callable[[int], float], steps: list[int]) -> int:
    """The first step with the largest value. It may lie between two samples if the curve has one peak there."""
    index = max(range(len(steps)), key=lambda i: value(steps[i]))
    best, low, high = steps[index], steps[max(index - 1, 0)], steps[min(index + 1, len(steps) - 1)]
    left, right = low, high
    while right - left > 2:  # ternary search, because rounding hides the slope between neighboring steps
        third = (right - left) // 3
        if value(left + third) < value(right - third):
            left += third
        else:
            right -= third
    best = max((best, left, left + 1, right), key=value)
    first = first_step(lambda step: value(step) == value(best), (low, best))
    return best if first is None else first


def horizon(curve: Curve, steps: list[int]) -> int | None:
    """The first step from which the curve is constant, or None if it changes up to the last sample."""
    end = curve(steps[-1])
    step = start_of_last_stretch(lambda step: curve(step) == end, steps)
    if step is None or (len(steps) > 1 and step > steps[-2]):
        return None
    # An endless decay that underflows to 0 has no end.
    if end == 0 and step and curve(step - 1) < _UNDERFLOW * max(map(curve, steps)):
        return None
    return declared_step(curve, step, step - 1)


def declared_step(curve: Curve, step: int, outside: int) -> int:
    """The phase boundary at which a stretch of equal values begins or ends, or the step if there is none near.

    Where a phase is flat, as at the top of a cosine, its values are equal only because of rounding.

    Args:
        curve: the curve.
        step: the first or the last step of the stretch.
        outside: the step before the first one, or after the last one.
    """
    boundaries = curve.boundaries
    if not boundaries or not 0 <= outside <= curve.last or not is_close(curve(outside), curve(step)):
        return step
    if outside < step:
        nearest = boundaries[bisect_left(boundaries, step) :][:1]
    else:
        nearest = boundaries[: bisect_right(boundaries, step)][-1:]
    is_rounded = nearest and abs(nearest[0] - step) <= _ROUNDED * boundaries[-1] and curve(nearest[0]) == curve(step)
    return nearest[0] if is_rounded else step
