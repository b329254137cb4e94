"""A schedule at other steps: shift and stretch."""

from __future__ import annotations

from funcsched.core.schedule import DividedStep, Schedule, as_schedule, step_counts
from funcsched.core.validation import number_rule, validated
from funcsched.core.value import leaves
from funcsched.numerics.number_system import MAX_COUNT, is_concrete
from funcsched.numerics.periodic import simple_fraction
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_stretch_factor = number_rule("a number from 1e-9 to 1e9", 1e-9, 1e9)


class Shift(Schedule):
    __slots__ = fields = ("schedule", "steps")
    factory = "shift"

    schedule: Schedule
    steps: int

    def stretched(self, factor: Any) -> Schedule:
        return Shift(self.schedule.stretched(factor), self.steps * factor)

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.plus(self.steps))

    def scalar(self) -> Callable[[int], float]:
        schedule, steps = self.schedule.scalar(), self.steps
        return lambda step: schedule(step + steps if step > 0 else steps)


def shift(schedule: Schedule | Callable[[Any], Any], steps: int) -> Schedule:
    """A schedule that skips the first steps of another one.

    ``schedule(max(step, 0) + steps)``

    A warmup from 0 spends the first update at multiplier 0, and ``shift(schedule, 1)`` skips it.

    Args:
        schedule: a schedule, or a function of a step.
        steps: number of steps to skip (int, 0 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.shift(fs.warmup_linear(20, 100), 1)
        >>> [schedule(step) for step in (0, 19, 59, 99)]
        [0.05, 1.0, 0.5, 0.0]
        >>> fs.shift(fs.warmup_linear(20, 100), 15)(0)
        0.75
    """
    return Shift(as_schedule("shift", "schedule", schedule), *validated("shift", steps=steps))


class Stretch(Schedule):
    __slots__ = fields = ("schedule", "factor")
    factory = "stretch"
    uses_table = True
    static = frozenset({"factor"})

    schedule: Schedule
    factor: float

    def stretched(self, factor: Any) -> Schedule:
        return DividedStep(self, factor)

    def at(self, step: Step) -> Any:
        numerator, denominator = simple_fraction(self.factor)
        largest = largest_count(self.schedule, MAX_COUNT) * numerator
        if not isinstance(numerator, int) or largest > MAX_COUNT:
            return self.schedule.at(step.divided_by(self.factor))
        # Multiplied by integers, both the step and the lengths in the schedule stay exact.
        return self.schedule.stretched(numerator).at(step.up_to(largest).times(denominator))


def largest_count(schedule: Schedule, default: int) -> int:
    """The largest number of steps in a schedule (a length or a boundary), or `default` if it has traced arguments."""
    if not is_concrete(*leaves(schedule)):
        return default
    largest: int = max([0, *step_counts(schedule)])
    return largest


def stretch(schedule: Schedule | Callable[[Any], Any], factor: float) -> Schedule:
    """The same curve over a longer or shorter horizon.

    ``schedule(step / factor)``

    Args:
        schedule: a schedule, or a function of a step.
        factor: ratio of the new to the old length (float, 1e-9 to 1e9).

    Returns:
        A schedule. It is as accurate as `schedule` if `factor` is a fraction of small integers, such as 2, 1.5 or 0.1.
        With any other factor the step is rounded, which costs relative accuracy where the multiplier is close to 0.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `factor` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.stretch(fs.warmup_linear(20, 100), 1.5)
        >>> [schedule(step) for step in (0, 15, 30, 90, 150, 151)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
        >>> fs.stretch(fs.warmup_linear(20, 100), 0.5)(10)
        1.0

    In other libraries:
        Composer: scale_schedule_ratio

    Source: Composer's scale_schedule_ratio.
    """
    return Stretch(as_schedule("stretch", "schedule", schedule), _stretch_factor("stretch", "factor", factor))
