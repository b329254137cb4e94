"""A weighted mean of two schedules, whose weight is a third one."""

from __future__ import annotations

from funcsched.combinators.algebra import schedule_or_level
from funcsched.core.schedule import Schedule
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Blend(Schedule):
    __slots__ = fields = ("first", "second", "weight")
    factory = "blend"

    first: Schedule
    second: Schedule
    weight: Schedule

    def stretched(self, factor: Any) -> Schedule:
        return Blend(*(schedule.stretched(factor) for schedule in (self.first, self.second, self.weight)))

    def at(self, step: Step) -> Any:
        return _mean(step.xp, self.first.at(step), self.second.at(step), self.weight.at(step))

    def scalar(self) -> Callable[[int], float]:
        first, second, weight = self.first.scalar(), self.second.scalar(), self.weight.scalar()
        return lambda step: _mean(INTEGERS, first(step), second(step), weight(step))


def _mean(xp: Any, first: Any, second: Any, weight: Any) -> Any:
    """The weighted mean, which is exact where the weight is 0 or 1 and never outside both values."""
    weight = xp.maximum(xp.minimum(weight, 1.0), 0.0)
    value = (1.0 - weight) * first + weight * second
    low, high = xp.where(first < second, first, second), xp.where(first < second, second, first)
    return xp.where(value > high, high, xp.where(value < low, low, value))


def blend(
    first: Schedule | Callable[[Any], Any] | float,
    second: Schedule | Callable[[Any], Any] | float,
    weight: Schedule | Callable[[Any], Any] | float,
) -> Schedule:
    """A gradual transition from one schedule to another: their mean, with a third schedule as the weight of the second.

    ``(1 - w) * first(step) + w * second(step)`` with w = weight(step), limited to 0 to 1

    Args:
        first: a schedule, a function of a step, or a multiplier (float): the value where the weight is 0.
        second: a schedule, a function of a step, or a multiplier (float): the value where the weight is 1.
        weight: a schedule, a function of a step, or a number (float). Weights below 0 count as 0, and those above 1 as
            1.

    Returns:
        A schedule that is exact where the weight is 0 or 1. Elsewhere its error is at most 8 ulp of the larger of both
        values.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.blend(fs.inverse_sqrt(100), fs.ramp(1.0, 0.0, steps=400), fs.ramp(0.0, 1.0, steps=400))
        >>> [schedule(step) for step in (0, 300, 400)]
        [1.0, 0.3125, 0.0]
        >>> fs.blend(fs.constant(), 0.5, fs.ramp(0.0, 1.0, steps=100))(50)
        0.75
    """
    arguments = {"first": first, "second": second, "weight": weight}
    return Blend(*(schedule_or_level("blend", name, value) for name, value in arguments.items()))
