"""Several schedules at once: multiplied, added, the lowest or the highest of them."""

from __future__ import annotations

from funcsched._check import level, refuse
from funcsched.numerics.namespace import library
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step
from funcsched.pieces import Constant
from funcsched.schedule import Schedule, lifted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Together(Schedule):
    """What schedules of several at once share."""

    __slots__ = ()
    fields = ("schedules",)

    schedules: tuple[Schedule, ...]

    @staticmethod
    def both(xp: Any, one: Any, other: Any) -> Any:
        """The value of two."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self.factory}({', '.join(map(repr, self.schedules))})"

    def stretched(self, factor: Any) -> Schedule:
        return type(self)(tuple(schedule.stretched(factor) for schedule in self.schedules))

    def at(self, step: Step) -> Any:
        value, *others = [schedule.at(step) for schedule in self.schedules]
        for other in others:
            value = self.both(step.xp, value, other)
        return value

    def scalar(self) -> Callable[[int], float]:
        pieces, both = [schedule.scalar() for schedule in self.schedules], self.both

        def value(step: int) -> float:
            result = pieces[0](step)
            for piece in pieces[1:]:
                result = both(INTEGERS, result, piece(step))
            return result

        return value


class Product(Together):
    __slots__ = ("schedules",)
    factory = "product"

    @staticmethod
    def both(xp: Any, one: Any, other: Any) -> Any:
        return one * other


class Add(Together):
    __slots__ = ("schedules",)
    factory = "add"

    @staticmethod
    def both(xp: Any, one: Any, other: Any) -> Any:
        return one + other


class Minimum(Together):
    __slots__ = ("schedules",)
    factory = "minimum"

    @staticmethod
    def both(xp: Any, one: Any, other: Any) -> Any:
        return xp.minimum(one, other)


class Maximum(Together):
    __slots__ = ("schedules",)
    factory = "maximum"

    @staticmethod
    def both(xp: Any, one: Any, other: Any) -> Any:
        return xp.maximum(one, other)


def _together(kind: type[Together], schedules: tuple[Any, ...]) -> Schedule:
    if len(schedules) == 1 and isinstance(schedules[0], (list, tuple)):
        (schedules,) = schedules
    if not schedules:
        raise refuse(kind.factory, "schedules", "at least one schedule", [])
    return kind(tuple(_schedule_or_level(kind.factory, f"schedules[{i}]", item) for i, item in enumerate(schedules)))


def _schedule_or_level(function: str, argument: str, value: Any) -> Schedule:
    if callable(value):
        return lifted(function, argument, value)
    requirement = "a schedule, a function of a step, or a number from 0 to 3.4e38"
    if isinstance(value, bool) or not (isinstance(value, (int, float)) or library(value)):
        raise refuse(function, argument, requirement, value, TypeError)
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
    return _together(Product, schedules)


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
    return _together(Add, schedules)


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
    return _together(Minimum, schedules)


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
    return _together(Maximum, schedules)
