"""A schedule that changes only after every so many steps."""

from __future__ import annotations

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import positive_int
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Staircase(Schedule):
    __slots__ = fields = ("schedule", "steps")
    factory = "staircase"
    uses_table = True

    schedule: Schedule
    steps: int

    def stretched(self, factor: Any) -> Schedule:
        return Staircase(self.schedule, self.steps * factor)

    def at(self, step: Step) -> Any:
        stair, _ = step.cycle(self.steps, None)
        return self.schedule.at(Step(step.xp, stair))

    def scalar(self) -> Callable[[int], float]:
        schedule, steps = self.schedule.scalar(), self.steps
        return lambda step: schedule(step // steps)


def staircase(schedule: Schedule | Callable[[Any], Any], steps: int) -> Schedule:
    """A schedule that advances by one step after every `steps` updates, such as once per epoch.

    ``schedule(step // steps)``

    With ``steps=1``, it holds its value between two integer steps. In a `Clock.schedule` that counts epochs, it changes
    once per epoch.

    Args:
        schedule: a schedule, or a function of a step.
        steps: number of updates for one step of `schedule`, such as the updates of an epoch (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.staircase(fs.warmup_cosine(2, 10), 10)
        >>> [schedule(step) for step in (0, 9, 10, 19, 20, 100)]
        [0.0, 0.0, 0.5, 0.5, 1.0, 0.0]

    In other libraries:
        mmengine: by_epoch

    Source: torch's schedulers, whose `step` is called once per epoch, and timm's `t_in_epochs`.
    """
    inner = as_schedule("staircase", "schedule", schedule)
    return Staircase(inner, positive_int("staircase", "steps", steps))
