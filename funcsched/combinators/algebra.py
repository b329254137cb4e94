"""Arithmetic of schedules: scaled, interpolated between two levels, multiplied, added, the minimum and the maximum."""

from __future__ import annotations

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, level, validated
from funcsched.numerics.namespace import library
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
        schedule: a schedule or a function of a step.
        factor: at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `factor` not a finite number of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.scale(fs.warmup_linear(10, 100), 0.5)(10)
        0.5
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
        weight = step.xp.minimum(self.schedule.at(step), 1.0)
        # Both ends are exact so, where start + (stop - start) * weight misses `stop`.
        return (1.0 - weight) * self.start + weight * self.stop

    def scalar(self) -> Callable[[int], float]:
        schedule, start, stop = self.schedule.scalar(), self.start, self.stop

        def value(step: int) -> float:
            weight = min(schedule(step), 1.0)
            return (1.0 - weight) * start + weight * stop

        return value


def lerp(schedule: Schedule | Callable[[Any], Any], start: float, stop: float) -> Schedule:
    """One level where a schedule is 0, another where it is 1: a hyperparameter that follows the curve of another.

    ``(1 - m) * start + m * stop`` with ``m = min(schedule(step), 1)``

    Args:
        schedule: a schedule or a function of a step; above 1 it counts as 1.
        start: the value at multiplier 0, at least 0.
        stop: the value at multiplier 1, at least 0. Below `start` the curve is in anti-phase.

    Returns:
        A schedule, exact at combine levels, and between them within 8 ulp of the larger level.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or a level not a number from 0 to 3.4e38.

    Example: the momentum of a one-cycle policy, lowest where the rate is highest
        >>> import funcsched as fs
        >>> rate = fs.one_cycle(30, 100)
        >>> momentum = fs.lerp(rate, 0.95, 0.85)
        >>> momentum(0), momentum(30)
        (0.946, 0.85)

    Source: Smith 2018, arXiv:1803.09820; the momentum of torch's OneCycleLR and CyclicLR.
    """
    return Lerp(as_schedule("lerp", "schedule", schedule), *validated("lerp", start=start, stop=stop))


class Pointwise(Schedule):
    """What schedules of several at once share."""

    __slots__ = ()
    fields = ("schedules",)

    schedules: tuple[Schedule, ...]

    @staticmethod
    def combine(xp: Any, one: Any, other: Any) -> Any:
        """The value of two."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self.factory}({', '.join(map(repr, self.schedules))})"

    def stretched(self, factor: Any) -> Schedule:
        return type(self)(tuple(schedule.stretched(factor) for schedule in self.schedules))

    def at(self, step: Step) -> Any:
        value, *others = [schedule.at(step) for schedule in self.schedules]
        for other in others:
            value = self.combine(step.xp, value, other)
        return value

    def scalar(self) -> Callable[[int], float]:
        pieces, combine = [schedule.scalar() for schedule in self.schedules], self.combine

        def value(step: int) -> float:
            result = pieces[0](step)
            for piece in pieces[1:]:
                result = combine(INTEGERS, result, piece(step))
            return result

        return value


class Product(Pointwise):
    __slots__ = ("schedules",)
    factory = "product"

    @staticmethod
    def combine(xp: Any, one: Any, other: Any) -> Any:
        return one * other


class Add(Pointwise):
    __slots__ = ("schedules",)
    factory = "add"

    @staticmethod
    def combine(xp: Any, one: Any, other: Any) -> Any:
        return one + other


class Minimum(Pointwise):
    __slots__ = ("schedules",)
    factory = "minimum"

    @staticmethod
    def combine(xp: Any, one: Any, other: Any) -> Any:
        return xp.minimum(one, other)


class Maximum(Pointwise):
    __slots__ = ("schedules",)
    factory = "maximum"

    @staticmethod
    def combine(xp: Any, one: Any, other: Any) -> Any:
        return xp.maximum(one, other)


def _pointwise(kind: type[Pointwise], schedules: tuple[Any, ...]) -> Schedule:
    if len(schedules) == 1 and isinstance(schedules[0], (list, tuple)):
        (schedules,) = schedules
    if not schedules:
        raise argument_error(kind.factory, "schedules", "at least one schedule", [])
    return kind(tuple(_schedule_or_level(kind.factory, f"schedules[{i}]", item) for i, item in enumerate(schedules)))


def _schedule_or_level(function: str, argument: str, value: Any) -> Schedule:
    if callable(value):
        return as_schedule(function, argument, value)
    requirement = "a schedule, a function of a step, or a number from 0 to 3.4e38"
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or library(value)):
        raise argument_error(function, argument, requirement, value, TypeError)
    return Constant(level(function, argument, value))


def product(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """Several schedules, multiplied.

    ``schedules[0](step) * schedules[1](step) * ...``

    Args:
        schedules: schedules, functions of a step, or numbers; or one list of them.

    Returns:
        A schedule. Its rounding is the sum of theirs.

    Raises:
        TypeError, ValueError: none is given, or one is neither callable nor a number from 0 to 3.4e38.

    Example: a cooldown on top of anything
        >>> import funcsched as fs
        >>> cooldown = fs.shift(fs.ramp(1.0, 0.0, steps=100), 0)
        >>> schedule = fs.product(fs.warmup_inverse_sqrt(16), fs.join([fs.constant(), cooldown], [64]))
        >>> [schedule(step) for step in (16, 64, 114, 164)]
        [1.0, 0.5, 0.1873171623163388, 0.0]

    Source: the factors of T5X and Scenic; big_vision's cooldown; Composer multiplies its schedulers.
    """
    return _pointwise(Product, schedules)


def add(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """Several schedules, added.

    ``schedules[0](step) + schedules[1](step) + ...``

    Args:
        schedules: schedules, functions of a step, or numbers; or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: none is given, or one is neither callable nor a number from 0 to 3.4e38.

    Example: any curve, raised from 0 to 0.1
        >>> import funcsched as fs
        >>> schedule = fs.add(0.1, fs.scale(fs.warmup_linear(10, 100), 0.9))
        >>> [schedule(step) for step in (0, 10, 100)]
        [0.1, 1.0, 0.1]

    Source: transformers raises its curves so where they take `min_lr_ratio`.
    """
    return _pointwise(Add, schedules)


def minimum(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The lowest of several schedules: a ceiling for any of them.

    ``min(schedules[0](step), schedules[1](step), ...)``

    Args:
        schedules: schedules, functions of a step, or numbers; or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: none is given, or one is neither callable nor a number from 0 to 3.4e38.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.minimum(fs.warmup_linear(10, 100), 0.5)
        >>> [schedule(step) for step in (0, 5, 10, 100)]
        [0.0, 0.5, 0.5, 0.0]
    """
    return _pointwise(Minimum, schedules)


def maximum(*schedules: Schedule | Callable[[Any], Any] | float) -> Schedule:
    """The highest of several schedules: a floor for any of them.

    ``max(schedules[0](step), schedules[1](step), ...)``

    Args:
        schedules: schedules, functions of a step, or numbers; or one list of them.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: none is given, or one is neither callable nor a number from 0 to 3.4e38.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.maximum(fs.warmup_cosine(10, 100), 0.1)
        >>> [schedule(step) for step in (0, 10, 100)]
        [0.1, 1.0, 0.1]
    """
    return _pointwise(Maximum, schedules)
