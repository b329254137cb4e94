"""Leaves of a schedule: a constant, and a ramp between two levels."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import validated
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step
from funcsched.shapes.formulas import linear
from funcsched.shapes.shape import Shape, as_shape

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
        return step.full(self.value)

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
    return Constant(*validated("constant", value=value))


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
        xp, start, stop, steps, shape = step.xp, self.start, self.stop, self.steps, self.shape
        if (is_concrete(steps) and steps == 0) or (is_concrete(start, stop) and start == stop):
            return step.full(stop)
        length = steps if is_concrete(steps) else xp.maximum(steps, 1)
        elapsed, remaining = step.phase(steps)
        # From the lower level all terms are positive, so that nothing cancels and the lower end is exact.
        if is_concrete(start, stop):
            low, high = min(start, stop), max(start, stop)
            count, other = (elapsed, remaining) if start < stop else (remaining, elapsed)
            weight = (shape.rise if start < stop else shape.fall)(xp, length)(count, other)
        else:
            start, stop = xp.level(start), xp.level(stop)
            rising = start < stop
            low, high = xp.where(rising, start, stop), xp.where(rising, stop, start)
            count, other = xp.where(rising, elapsed, remaining), xp.where(rising, remaining, elapsed)
            weight = shape.rise(xp, length)(count, other)
            if not shape.symmetric:
                weight = xp.where(rising, weight, shape.fall(xp, length)(count, other))
        value = weight * (high - low) + low
        exact = shape.exact and is_concrete(steps)
        if not (exact and is_concrete(low) and low == 0):  # from 0, an exact weight times `high` is exact at both ends
            # Rounding may exceed the higher level. For equal levels, a minimum would halve the gradient of each.
            value = xp.minimum(value, high) if is_concrete(low, high) else xp.where(value > high, high, value)
            # It may also miss the higher level, which is therefore selected.
            value = xp.where(weight >= 1.0 if exact else other <= 0, high, value)
        return value if is_concrete(steps) else xp.where(steps <= 0, step.full(stop), value)

    def stretched(self, factor: Any) -> Schedule:
        return Ramp(self.start, self.stop, self.steps * factor, self.shape.stretched(factor))

    def scalar(self) -> Callable[[int], float]:
        start, stop, steps, shape = self.start, self.stop, self.steps, self.shape
        if steps == 0 or start == stop:
            return lambda step: stop
        rises = start < stop
        weight = (shape.rise if rises else shape.fall)(INTEGERS, steps)
        low, high = min(start, stop), max(start, stop)
        difference, last = high - low, float(self.at(Step(INTEGERS, steps)))

        def value(step: int) -> float:
            if 0 < step < steps:
                rest = steps - step
                value = (weight(step, rest) if rises else weight(rest, step)) * difference + low
                return value if value < high else high
            return start if step <= 0 else last

        return value


def ramp(start: float, stop: float, *, steps: int, shape: Shape | Callable[[Any], Any] = linear) -> Schedule:
    """From one level to another over a number of steps; then the second level is held.

    ``start + (stop - start) * shape(step / steps)``

    Args:
        start: the multiplier at step 0, at least 0.
        stop: the multiplier at step `steps` and ever after, at least 0.
        steps: the length, an integer of at least 0; with 0 the schedule is constant at `stop`.
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
    start, stop, steps = validated("ramp", start=start, stop=stop, steps=steps)
    return Ramp(start, stop, steps, as_shape("ramp", "shape", shape))
