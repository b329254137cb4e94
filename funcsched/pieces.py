"""Leaves of a schedule: a constant, and a ramp between two levels."""

from __future__ import annotations

from funcsched._check import checked
from funcsched._exact import gap, known
from funcsched._scalar import INTEGER
from funcsched._shape import Shape, shaped
from funcsched._step import Step
from funcsched.schedule import Schedule
from funcsched.shapes import linear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Constant(Schedule):
    __slots__ = fields = ("value",)
    factory = "constant"
    defaults: ClassVar[dict[str, Any]] = {"value": 1.0}

    value: float

    def stretched(self, factor: Any) -> Schedule:
        return self

    def at(self, step: Step) -> Any:
        return step.hold(self.value)

    def scalar(self) -> Callable[[int], float]:
        value = self.value
        return lambda step: value


def constant(value: float = 1.0) -> Schedule:
    """The same multiplier at every step.

    ``constant(value)(step) == value``

    Args:
        value: the multiplier, at least 0.

    Returns:
        A schedule; on an array it gives an array of the step's shape.

    Raises:
        TypeError, ValueError: `value` is not a finite number of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.constant(0.5)(0)
        0.5

    Source: ConstantLRSchedule of pytorch-transformers 1.0.
    """
    return Constant(*checked("constant", value=value))


class Ramp(Schedule):
    __slots__ = fields = ("start", "stop", "steps", "shape")
    factory = "ramp"
    defaults: ClassVar[dict[str, Any]] = {"shape": linear}
    static = frozenset({"shape"})

    start: float
    stop: float
    steps: int
    shape: Shape

    def at(self, step: Step) -> Any:
        levels_known, steps_known = known(self.start, self.stop), known(self.steps)
        if (steps_known and self.steps == 0) or (levels_known and self.start == self.stop):
            return step.hold(self.stop)
        xp, start, stop = step.xp, self.start, self.stop
        rising: Any = start < stop
        if levels_known:  # of a symbol of torch.compile only a branch makes a bool
            rising = True if rising else False
        weight, top = self._weight(xp, rising, *step.phase(self.steps))
        # From the lower level all terms are positive, so nothing cancels.
        if levels_known:
            low, high = (start, stop) if rising else (stop, start)
            slope, exact = gap(xp, low, high)
            value = weight * slope + low if low else weight * slope
        else:
            low, high, exact = xp.where(rising, start, stop), xp.where(rising, stop, start), False
            value = weight * (high - low) + low
            value = xp.where(value > high, high, value)
        # The lower end is exact by itself. The higher one must be selected where rounding may have missed it, but for
        # the end of a rise inside a join, which belongs to the next piece.
        if top is None and not exact:
            top = weight >= 1.0
        if top is not None and not (rising is True and known(step.until) and steps_known and step.until <= self.steps):
            value = xp.where(top, high, value)
        # A length that turns out to be 0 is an absent phase.
        return value if steps_known else xp.where(self.steps <= 0, step.hold(stop), value)

    def stretched(self, factor: Any) -> Schedule:
        return Ramp(self.start, self.stop, self.steps * factor, self.shape.stretched(factor))

    def _weight(self, xp: Any, rising: Any, elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        """The weight of the higher level, and where it stands for 1."""
        rise, fall = self.shape.weights(xp, self.steps)
        if rising is True or rising is False:
            return (rise if rising else fall)(elapsed, remaining)
        if self.shape.symmetric and not isinstance(elapsed, tuple):
            return rise(xp.where(rising, elapsed, remaining), xp.where(rising, remaining, elapsed))
        (up, up_top), (down, down_top) = rise(elapsed, remaining), fall(elapsed, remaining)
        weight = xp.where(rising, up, down)
        return weight, None if up_top is None or down_top is None else xp.where(rising, up_top, down_top)

    def scalar(self) -> Callable[[int], float]:
        start, stop, steps = self.start, self.stop, self.steps
        if steps == 0 or start == stop:
            return lambda step: stop
        rise, fall = self.shape.weights(INTEGER, steps)
        weight, low, high = (rise, start, stop) if start < stop else (fall, stop, start)
        slope, _ = gap(INTEGER, low, high)

        def value(step: int) -> float:
            if step <= 0:
                return start
            if step >= steps:
                return last
            share = weight(step, steps - step)[0]
            return high if share >= 1.0 else low + slope * share

        share = weight(steps, 0)[0]
        last = stop if self.shape.final == 1.0 else high if share >= 1.0 else low + slope * share
        return value


def ramp(start: float, stop: float, *, steps: int, shape: Shape | Callable[[Any], Any] = linear) -> Schedule:
    """From one level to another over a number of steps; then the second level is held.

    ``start + (stop - start) * shape(step / steps)``

    Args:
        start: the multiplier at step 0, at least 0.
        stop: the multiplier at step `steps` and ever after, at least 0.
        steps: the length, a whole number of at least 0; 0 gives `stop` at once.
        shape: how the fraction of the phase goes from 0 to 1: `linear`, `cosine`, `power`, or any pure function of
            the fraction that is 0 at 0 and 1 at 1 and runs on the arrays it will meet.

    Returns:
        A schedule. Both ends are exact on every backend.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    `start`, `stop` and `steps` may be JAX arrays or tracers.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.1, steps=10)
        >>> [schedule(step) for step in (0, 5, 10, 11)]
        [1.0, 0.55, 0.1, 0.1]
    """
    start, stop, steps = checked("ramp", start=start, stop=stop, steps=steps)
    return Ramp(start, stop, steps, shaped("ramp", "shape", shape))
