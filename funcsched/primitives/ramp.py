"""A constant, and a ramp between two levels."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import validated
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step
from funcsched.shapes.basic import linear
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
        value: multiplier (float, at least 0).

    Returns:
        A schedule. For an array of steps it returns an array of the same shape.

    Raises:
        TypeError, ValueError: `value` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> fs.constant(0.5)(0)
        0.5

    In other libraries:
        transformers: constant
        optax: constant_schedule

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
        length = steps if is_concrete(steps) else xp.maximum(steps, 1)  # the last line selects the value for 0 steps
        elapsed, remaining = step.phase(steps)
        # The value is computed from the lower level up: no term is negative, so nothing cancels and `low` is exact.
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
        # If `low` is 0, an exact weight gives exactly `high` at the end, and never more.
        if not (exact and is_concrete(low) and low == 0):
            # Rounding may exceed `high`. Traced levels are not limited by a minimum, which halves the gradient of each
            # level where they are equal.
            value = xp.minimum(value, high) if is_concrete(low, high) else xp.where(value > high, high, value)
            # Rounding may also fall short of `high`, so the value at the higher end is selected.
            value = xp.where(weight >= 1.0 if exact else other <= 0, high, value)
        return value if is_concrete(steps) else xp.where(steps <= 0, step.full(stop), value)

    def stretched(self, factor: Any) -> Schedule:
        return Ramp(self.start, self.stop, self.steps * factor, self.shape.stretched(factor))

    def scalar(self) -> Callable[[int], float]:
        start, stop, steps, shape = self.start, self.stop, self.steps, self.shape
        if steps == 0 or start == stop:
            return lambda step: stop
        rising = start < stop
        weight = (shape.rise if rising else shape.fall)(INTEGERS, steps)
        low, high = min(start, stop), max(start, stop)
        # The last value is not always `stop`: the shape of a wave may end anywhere.
        difference, last = high - low, float(self.at(Step(INTEGERS, steps)))

        def value(step: int) -> float:
            if 0 < step < steps:
                remaining = steps - step
                value = (weight(step, remaining) if rising else weight(remaining, step)) * difference + low
                return value if value < high else high
            return start if step <= 0 else last

        return value


def ramp(start: float, stop: float, *, steps: int, shape: Shape | Callable[[Any], Any] = linear) -> Schedule:
    """A curve from one level to another over a number of steps. After that, the second level is held.

    ``start + (stop - start) * shape(step / steps)``

    Args:
        start: multiplier at step 0 (float, at least 0).
        stop: multiplier from step `steps` on (float, at least 0).
        steps: length of the ramp (int, 0 to 2**53). With 0, the schedule is constant at `stop`.
        shape: a shape, such as `linear`, `cosine` or ``power(2)``, or a pure function of the elapsed fraction with
            ``shape(0) == 0`` and ``shape(1) == 1``. To run on arrays, the function must be vectorized.

    Returns:
        A schedule. Both ends are exact on every backend.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    `start`, `stop` and `steps` may be JAX arrays or tracers.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.1, steps=100)
        >>> [schedule(step) for step in (0, 50, 100, 101)]
        [1.0, 0.55, 0.1, 0.1]
        >>> fs.ramp(1.0, 0.1, steps=100, shape=fs.cosine)(100)
        0.1

    In other libraries:
        optax: linear_schedule, cosine_decay_schedule (not clamped below step 0)
        torch: LinearLR; CosineAnnealingLR, which rises again after T_max
        Keras: CosineDecay without a warmup
        T5X: linear_warmup, linear_decay
        Composer: LinearScheduler, CosineAnnealingScheduler
    """
    start, stop, steps = validated("ramp", start=start, stop=stop, steps=steps)
    return Ramp(start, stop, steps, as_shape("ramp", "shape", shape))
