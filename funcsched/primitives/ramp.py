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

    from funcsched.numerics.number_system import NumberSystem


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
        value: multiplier (float).

    Returns:
        A schedule. For an array of steps it returns an array of the same shape.

    Raises:
        TypeError, ValueError: `value` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> fs.constant(0.5)(0)
        0.5

    In other libraries:
        transformers: constant, get_constant_schedule
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
        xp, start, stop, steps = step.xp, self.start, self.stop, self.steps
        if (is_concrete(steps) and steps == 0) or (is_concrete(start, stop) and start == stop):
            return step.full(stop)
        length = steps if is_concrete(steps) else xp.maximum(steps, 1)  # the last line selects the value for 0 steps
        elapsed, remaining = step.phase(steps)
        if is_concrete(start, stop) and (min(start, stop) >= 0 or max(start, stop) <= 0):
            value = self._between(xp, elapsed, remaining, length)
        else:
            value = self._across(xp, elapsed, remaining, length)
        return value if is_concrete(steps) else xp.where(steps <= 0, step.full(stop), value)

    def _between(self, xp: NumberSystem, elapsed: Any, remaining: Any, length: Any) -> Any:
        """The value between concrete levels of the same sign, as ``near + weight * (far - near)``.

        `near` is the level closer to 0. So both terms have the same sign, nothing cancels, and `near` is exact.
        """
        start, stop, shape = self.start, self.stop, self.shape
        rising = abs(start) < abs(stop)  # away from 0
        near, far = (start, stop) if rising else (stop, start)
        count, other = (elapsed, remaining) if rising else (remaining, elapsed)
        weight = (shape.rise if rising else shape.fall)(xp, length)(count, other)
        value = weight * (far - near) + near
        exact = shape.exact and is_concrete(self.steps)
        # If `near` is 0, an exact weight gives exactly `far` at the end, and never more.
        if not (exact and near == 0):
            value = (xp.minimum if far > 0 else xp.maximum)(value, far)  # rounding may exceed `far`
            # Rounding may also fall short of `far`, so the value at that end is selected.
            value = xp.where(weight >= 1.0 if exact else other <= 0, far, value)
        return value

    def _across(self, xp: NumberSystem, elapsed: Any, remaining: Any, length: Any) -> Any:
        """The value between levels that are traced or have different signs, for which `_between` does not work.

        The error is at most 4 ulp of the larger level, and both ends are exact.
        """
        start, stop, shape = xp.level(self.start), xp.level(self.stop), self.shape
        if shape.symmetric:  # from the nearer end in time: the weight is at most 1/2, and the value between both levels
            count, other = xp.minimum(elapsed, remaining), xp.maximum(elapsed, remaining)
            weight = shape.rise(xp, length)(count, other)
            return xp.where(elapsed <= remaining, start + weight * (stop - start), stop + weight * (start - stop))
        rise, fall = shape.weights(xp, length)(elapsed, remaining)
        value = start * fall + stop * rise
        # Rounding may leave the range of the levels. They are not limited by `minimum` and `maximum`, which halve the
        # gradient of each level where both are equal.
        low, high = xp.where(start < stop, start, stop), xp.where(start < stop, stop, start)
        return xp.where(value > high, high, xp.where(value < low, low, value))

    def stretched(self, factor: Any) -> Schedule:
        return type(self)(self.start, self.stop, self.steps * factor, self.shape.stretched(factor))

    def scalar(self) -> Callable[[int], float]:
        start, stop, steps, shape = self.start, self.stop, self.steps, self.shape
        if steps == 0 or start == stop:
            return lambda step: stop
        if min(start, stop) < 0:
            return super().scalar()
        # As in `_between`.
        rising = abs(start) < abs(stop)
        weight = (shape.rise if rising else shape.fall)(INTEGERS, steps)
        near, far = (start, stop) if rising else (stop, start)
        # The last value is not always `stop`: the shape of a wave may end anywhere.
        difference, last = far - near, float(self.at(Step(INTEGERS, steps)))

        def value(step: int) -> float:
            if 0 < step < steps:
                remaining = steps - step
                value = (weight(step, remaining) if rising else weight(remaining, step)) * difference + near
                return value if value < far else far
            return start if step <= 0 else last

        return value


def ramp(start: float, stop: float, *, steps: int, shape: Shape | Callable[[Any], Any] = linear) -> Schedule:
    """A curve from one level to another over a number of steps. After that, the second level is held.

    ``start + (stop - start) * shape(step / steps)``

    Args:
        start: multiplier at step 0 (float).
        stop: multiplier from step `steps` on (float).
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
        torch: LinearLR, CosineAnnealingLR (with shape=cosine); the second one rises again after T_max
        Keras: CosineDecay without a warmup
        T5X: linear_warmup, linear_decay; the second one has its own warmup and falls by `decay_factor` per step
        Composer: LinearScheduler, CosineAnnealingScheduler
        mmengine: LinearLR, over `end - begin - 1` steps; CosineAnnealingLR is its ramp with shape=cosine
        fvcore: LinearParamScheduler, CosineParamScheduler (with shape=cosine)
        detectron2: WarmupCosineLR, after a warmup with `warm_into`
        stable-baselines3: LinearSchedule
        DINOv2: CosineScheduler, after its freeze and warmup
    """
    start, stop, steps = validated("ramp", start=start, stop=stop, steps=steps)
    return Ramp(start, stop, steps, as_shape("ramp", "shape", shape))
