"""Arithmetic of schedules: scale, lerp, product, add, minimum and maximum."""

from __future__ import annotations

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, level, validated
from funcsched.numerics.dispatch import library
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step
from funcsched.primitives.ramp import Constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Scale(Schedule):
    __slots__ = fields = ("schedule", "factor")
    factory = "scale"

    schedule: Schedule
    factor: float

    def stretched(self, factor: Any) -> Schedule:
        return Scale(self.schedule.stretched(factor), self.factor)

    def at(self, step: Step) -> Any:
        return self.schedule.at(step) * self.factor

    def scalar(self) -> Callable[[int], float]:
        schedule, factor = self.schedule.scalar(), self.factor
        return lambda step: schedule(step) * factor


def scale(schedule: Schedule | Callable[[Any], Any], factor: float) -> Schedule:
    """A schedule times a number.

    ``factor * schedule(step)``

    Args:
        schedule: a schedule, or a function of a step.
        factor: the factor (float).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `factor` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.scale(fs.warmup_linear(20, 100), 0.5)
        >>> [schedule(step) for step in (0, 20, 60, 100)]
        [0.0, 0.5, 0.25, 0.0]
    """
    return Scale(as_schedule("scale", "schedule", schedule), *validated("scale", factor=factor))


class Lerp(Schedule):
    __slots__ = fields = ("schedule", "start", "stop")
    factory = "lerp"

    schedule: Schedule
    start: float
    stop: float

    def stretched(self, factor: Any) -> Schedule:
        return Lerp(self.schedule.stretched(factor), self.start, self.stop)

    def at(self, step: Step) -> Any:
        weight = step.xp.maximum(step.xp.minimum(self.schedule.at(step), 1.0), 0.0)
        # Exact at both levels. Rounding makes start + (stop - start) * weight miss `stop`.
        return (1.0 - weight) * self.start + weight * self.stop

    def scalar(self) -> Callable[[int], float]:
        schedule, start, stop = self.schedule.scalar(), self.start, self.stop

        def value(step: int) -> float:
            weight = max(min(schedule(step), 1.0), 0.0)
            return (1.0 - weight) * start + weight * stop

        return value


def lerp(schedule: Schedule | Callable[[Any], Any], start: float, stop: float) -> Schedule:
    """Linear interpolation between two levels with a schedule as the weight, for hyperparameters that follow its curve.

    ``(1 - m) * start + m * stop`` with m = schedule(step), limited to 0 to 1

    Args:
        schedule: a schedule, or a function of a step. Multipliers below 0 count as 0, and those above 1 as 1.
        start: value where the multiplier is 0 (float).
        stop: value where the multiplier is 1 (float). If it is below `start`, the value falls where the multiplier
            rises.

    Returns:
        A schedule that is exact at both levels. Between them, its error is at most 8 ulp of the larger level.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or a level has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> momentum = fs.lerp(fs.one_cycle(30, 100), 0.95, 0.85)  # lowest where the learning rate is highest
        >>> [momentum(step) for step in (0, 30)]
        [0.946, 0.85]
        >>> fs.lerp(fs.warmup_cosine(20, 100), 0.1, 0.5)(20)
        0.5

    In other libraries:
        torch: the momentum of OneCycleLR and CyclicLR

    Source: Smith 2018, arXiv:1803.09820; the momentum of torch's OneCycleLR and CyclicLR.
    """
    return Lerp(as_schedule("lerp", "schedule", schedule), *validated("lerp", start=start, stop=stop))


class Pointwise(Schedule):
    """The values of several schedules at the same step, combined from left to right."""

    __slots__ = ()
    fields = ("schedules",)

    schedules: tuple[Schedule, ...]

    @staticmethod
    def combine(xp: Any, first: Any, second: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self.factory}({', '.join(map(repr, self.schedules))})"

    def stretched(self, factor: Any) -> Schedule:
        return type(self)(tuple(schedule.stretched(factor) for schedule in self.schedules))

    def at(self, step: Step) -> Any:
        result, *values = [schedule.at(step) for schedule in self.schedules]
        for value in values:
            result = self.combine(step.xp, result, value)
        return result

    def scalar(self) -> Callable[[int], float]:
        combine = self.combine
        first, *others = [schedule.scalar() for schedule in self.schedules]

        def value(step: int) -> float:
            result = first(step)
            for other in others:
                result = combine(INTEGERS, result, other(step))
            return result

        return value


class Product(Pointwise):
    __slots__ = ("schedules",)
    factory = "product"

    @staticmethod
    def combine(xp: Any, first: Any, second: Any) -> Any:
        return first * second


class Add(Pointwise):
    __slots__ = ("schedules",)
    factory = "add"

    @staticmethod
    def combine(xp: Any, first: Any, second: Any) -> Any:
        return first + second


class Minimum(Pointwise):
    __slots__ = ("schedules",)
    factory = "minimum"

    @staticmethod
    def combine(xp: Any, first: Any, second: Any) -> Any:
        return xp.minimum(first, second)


class Maximum(Pointwise):
    __slots__ = ("schedules",)
    factory = "maximum"

    @staticmethod
    def combine(xp: Any, first: Any, second: Any) -> Any:
        return xp.maximum(first, second)


def _pointwise(kind: type[Pointwise], schedules: tuple[Any, ...]) -> Schedule:
    if len(schedules) == 1 and isinstance(schedules[0], (list, tuple)):
        (schedules,) = schedules
    if not schedules:
        raise argument_error(kind.factory, "schedules", "a non-empty sequence of schedules", [])
    return kind(tuple(schedule_or_level(kind.factory, f"schedules[{i}]", item) for i, item in enumerate(schedules)))


def schedule_or_level(function: str, argument: str, value: Any) -> Schedule:
    """The rule of an argument that is a schedule, a function of a step, or a level."""
    if callable(value):
        return as_schedule(function, argument, value)
    requirement = "a schedule, a function of a step, or a number from -1.7e38 to 1.7e38"
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or library(value)):
        raise argument_error(function, argument, requirement, value, TypeError)
    return Constant(level(function, argument, value))


def product(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The product of several schedules.

    ``schedules[0](step) * schedules[1](step) * ...``

    Args:
        schedules: schedules, functions of a step, or multipliers (float); or one list of them.

    Returns:
        A schedule. Its relative error is the sum of those of `schedules`.

    Raises:
        TypeError, ValueError: `schedules` is empty, or an item has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.product(fs.warmup_inverse_sqrt(20), fs.then(fs.constant(), 100, steps=100))
        >>> [schedule(step) for step in (0, 20, 80, 200)]
        [0.0, 1.0, 0.5, 0.0]

    In other libraries:
        torch: ChainedScheduler
        T5X and Scenic: factors
        big_vision: cooldown
        Composer: a list of schedulers

    Source: the factors of T5X and Scenic; big_vision's cooldown; Composer multiplies its schedulers.
    """
    return _pointwise(Product, schedules)


def add(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The sum of several schedules.

    ``schedules[0](step) + schedules[1](step) + ...``

    Args:
        schedules: schedules, functions of a step, or multipliers (float); or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedules` is empty, or an item has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.add(0.1, fs.scale(fs.warmup_linear(20, 100), 0.9))  # from 0.1 to 1 instead of from 0 to 1
        >>> [schedule(step) for step in (0, 20, 100)]
        [0.1, 1.0, 0.1]

    Source: transformers raises the end of its curves in this way with `min_lr_ratio`.
    """
    return _pointwise(Add, schedules)


def minimum(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The lowest value of several schedules. With a number, an upper limit for a schedule.

    ``min(schedules[0](step), schedules[1](step), ...)``

    Args:
        schedules: schedules, functions of a step, or multipliers (float); or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedules` is empty, or an item has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.minimum(fs.warmup_linear(20, 100), 0.5)
        >>> [schedule(step) for step in (0, 10, 20, 100)]
        [0.0, 0.5, 0.5, 0.0]
    """
    return _pointwise(Minimum, schedules)


def maximum(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The highest value of several schedules. With a number, a lower limit for a schedule.

    ``max(schedules[0](step), schedules[1](step), ...)``

    Args:
        schedules: schedules, functions of a step, or multipliers (float); or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedules` is empty, or an item has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.maximum(fs.warmup_cosine(20, 100), 0.1)
        >>> [schedule(step) for step in (0, 20, 100)]
        [0.1, 1.0, 0.1]

    In other libraries:
        T5X: min_learning_rate
        fairseq: min_lr of step
    """
    return _pointwise(Maximum, schedules)
