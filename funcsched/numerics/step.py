"""A step as schedules use it: an exact count of the steps since the start of a phase."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem


class Step:
    """The number of steps since a start, at least 0, as a count of the number system `xp`."""

    __slots__ = ("count", "xp")

    def __init__(self, xp: NumberSystem, count: Any) -> None:
        self.xp, self.count = xp, count

    def up_to(self, largest: float) -> Step:
        """The same step in a number system whose counts reach `largest`. With infinity, they may be fractions."""
        xp = self.xp.up_to(largest)
        return self if xp is self.xp else Step(xp, xp.to_count(self.count))

    def is_before(self, boundary: Any) -> Any:
        return self.count < boundary

    def since(self, boundary: Any) -> Step:
        """The same step, counted from `boundary`."""
        if type(boundary) is int and boundary == 0:
            return self
        return Step(self.xp, self.xp.maximum(self.count - boundary, 0))

    def plus(self, steps: Any) -> Step:
        """The step plus `steps`."""
        step = self.up_to(math.inf)
        return Step(step.xp, step.count + steps)

    def times(self, factor: Any) -> Step:
        """The step times `factor`."""
        step = self if factor == 1 else self.up_to(math.inf)
        return Step(step.xp, step.count * factor)

    def divided_by(self, factor: Any) -> Step:
        """The step divided by `factor`."""
        step = self.up_to(math.inf)
        return Step(step.xp, step.count / factor)

    def minus(self, fraction: Any) -> Step:
        """The step minus a fraction of one step, at least 0."""
        step = self.up_to(math.inf)
        return Step(step.xp, step.xp.maximum(step.count - fraction, 0))

    def index(self, boundaries: Any) -> Any:
        """How many of the increasing `boundaries` the step has reached."""
        return self.xp.index(boundaries, self.count)

    def lookup(self, values: Any, count: Any) -> Any:
        """``values[count]``, or the last value if the count is larger; NaN where the step is NaN."""
        index = self.xp.to_int(self.xp.minimum(count, len(values) - 1))
        return self.full(self.xp.lookup(values, index))

    def cycle(self, period: Any, times: int | None) -> tuple[Any, Step]:
        """The number of complete periods, and the step counted from the start of the current one.

        After `times` periods, both are those of the end of the last one.
        """
        xp = self.xp
        cycle, count = xp.divmod(self.count, period)
        if times is None:
            return cycle, Step(xp, count)
        ended = cycle >= times
        return xp.where(ended, times - 1, cycle), Step(xp, xp.where(ended, period, count))

    def phase(self, steps: Any) -> tuple[Any, Any]:
        """How many of the first `steps` steps have elapsed, and how many remain."""
        elapsed = self.xp.minimum(self.count, steps)
        return elapsed, steps - elapsed

    def full(self, level: Any) -> Any:
        """A level in the shape of the step; NaN where the step is NaN."""
        return self.xp.full_like(self.count, level)

    def apply(self, function: Callable[[Any], Any]) -> Any:
        """A user's function, evaluated at the step."""
        return function(self.xp.to_step(self.count))
