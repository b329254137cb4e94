"""Leaves of a schedule: a constant, and a ramp between two levels."""

from __future__ import annotations

from funcsched._check import checked
from funcsched._exact import gap, known
from funcsched._namespace import INTEGER
from funcsched._step import Step
from funcsched.schedule import Schedule
from funcsched.shapes import Shape, linear, shaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Constant(Schedule):
    __slots__ = fields = ("value",)
    factory = "constant"
    defaults: ClassVar[dict[str, Any]] = {"value": 1.0}

    value: float

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
        if known(self.steps) and self.steps == 0:
            return step.hold(self.stop)
        xp = step.xp
        elapsed, remaining = step.phase(self.steps)
        rise, fall = self.shape.weights(xp, self.steps)
        if not known(self.start, self.stop):
            value = self._between(xp.where, rise(elapsed, remaining), fall(elapsed, remaining))
        elif self.start == self.stop:
            return step.hold(self.stop)
        else:
            rising = self.start < self.stop
            low, high = (self.start, self.stop) if rising else (self.stop, self.start)
            # From the lower end all terms are positive, so nothing cancels.
            weight, top = (rise if rising else fall)(elapsed, remaining)
            slope, exact = gap(xp, low, high)
            value = weight * slope
            if low:
                value = value + low
            # The lower end is exact by itself. The higher one must be selected where rounding may have missed it,
            # but for the end of a rise inside a join, which belongs to the next piece.
            if top is None and not exact:
                top = weight >= 1.0
            if top is not None and not (rising and known(step.until) and step.until <= self.steps):
                value = xp.where(top, high, value)
            if known(self.steps):
                return value
        if self.shape.final == 1.0:
            return xp.where(xp.none(remaining), self.stop, value)
        # A length that turns out to be 0 is an absent phase, whatever its shape.
        return value if known(self.steps) else xp.where(self.steps <= 0, self.stop, value)

    def _between(self, where: Any, rise: tuple[Any, Any], fall: tuple[Any, Any]) -> Any:
        """The same between two levels of unknown order, by the weights of both."""
        start, stop = self.start, self.stop
        value = start * fall[0] + stop * rise[0]
        # Rounding must not carry the value beyond the levels; where they are equal, the gradient needs both.
        falling = start > stop
        high, low = where(falling, start, stop), where(falling, stop, start)
        beyond = (high > low) & ((value > high) | (value < low))
        value = where(beyond, where(value > high, high, low), value)
        for top, level in ((rise[1], stop), (fall[1], start)):
            if top is not None:
                value = where(top, level, value)
        return value

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
