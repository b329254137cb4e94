"""A schedule as it is looked at: where it is evaluated, where it is highest, and where it ends."""

from __future__ import annotations

from itertools import pairwise

from funcsched.analysis.checkpoint import DENSE_STEPS, is_close, sample_steps
from funcsched.core.schedule import Schedule, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_TINY = 1e-300  # of the peak: a curve that is 0 from here on has left the floats, and not ended


class Curve(Schedule):
    """A schedule as it is looked at: up to a last step, and each value computed once."""

    __slots__ = ("last", "schedule", "seen")
    fields = ("schedule", "last")
    factory = "curve"

    schedule: Schedule
    last: int
    seen: dict[int, float]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "seen", {})

    def _prepare(self) -> Callable[[int], float]:
        object.__setattr__(self, "_scalar", self._value)
        return self._value

    def _value(self, step: int) -> float:
        step = min(max(step, 0), self.last)
        value = self.seen.get(step)
        if value is None:
            value = self.seen[step] = float(self.schedule(step))
        return value

    def between(self, step: float) -> float:
        """The value at a step that need not be whole."""
        return self(int(step)) if step == int(step) else float(self.schedule(step))


def samples(curves: Iterable[Curve], last: int, every: int = DENSE_STEPS, ratio: float = 1.001) -> list[int]:
    """The steps up to the last that are looked at: the first ones all, then a grid and those near the numbers."""
    curves = list(curves)
    steps = {*range(min(every, last + 1)), last}
    steps.update(sample_steps(curves, ratio))
    for curve in curves:
        # The boundaries of a recipe are those of what it stands for. The grid is there already, so this one is wide.
        steps.update(sample_steps((part for part in walk(curve.schedule) if isinstance(part, Schedule)), 2.0))
    return sorted(step for step in steps if step <= last)


def highest(value: Callable[[int], float], looked: list[int]) -> int:
    """The first step with the largest value, between the steps looked at too where the curve has one peak there."""
    best = max(looked, key=value)  # the first of several
    place = looked.index(best)
    low, high = looked[max(place - 1, 0)], looked[min(place + 1, len(looked) - 1)]
    if high - low <= 2:
        return best
    left, right = low, high
    while right - left > 2:
        third = (right - left) // 3
        if value(left + third) < value(right - third):
            left += third
        else:
            right -= third
    best = max((best, left, left + 1, right), key=value)
    return best if best == low else bisected(low, best, lambda step: value(step) == value(best))


def bisected(before: int, after: int, holds: Callable[[int], bool]) -> int:
    """The first step of which something holds, that does not at `before` and does at `after`."""
    if before < 0 or holds(before):
        return max(before, 0)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if holds(middle) else (middle, after)
    return after


def horizon(curve: Curve, looked: list[int]) -> int | None:
    """The first step from which on the curve is constant; None where it changes up to the last step looked at."""
    end, peak = curve(looked[-1]), max(map(curve, looked))
    for before, after in pairwise(reversed(looked)):
        if curve(after) != end:
            if before == looked[-1]:
                return None
            step = bisected(after, before, lambda s: curve(s) == end)
            return None if end == 0 and curve(step - 1) < _TINY * peak else step
    return 0


def distance(one: Curve, other: Curve, step: int) -> float:
    """How far two curves are apart at a step, what both compute in their own way left out."""
    a, b = one(step), other(step)
    if is_close(a, b):
        return 0.0
    difference = abs(a - b)
    return difference if difference == difference else float("inf")  # one of them is no number
