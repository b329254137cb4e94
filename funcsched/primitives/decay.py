"""Leaves of a schedule that decay without an end: in powers of the step, or by equal factors in equal times."""

from __future__ import annotations

import math

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, level, optional, positive_int, validated
from funcsched.numerics.double_word import logarithm
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class InversePower(Schedule):
    __slots__ = fields = ("timescale", "exponent")
    factory = "inverse_power"
    static = frozenset({"exponent"})

    timescale: int
    exponent: float

    def stretched(self, factor: Any) -> Schedule:
        return InversePower(self.timescale * factor, self.exponent)

    def at(self, step: Step) -> Any:
        xp, exponent, timescale, count = step.xp, self.exponent, self.timescale, step.count
        if exponent <= 1:
            timescale = xp.to_float(timescale)
            fraction = timescale / (timescale + xp.to_float(count))
            return xp.sqrt(fraction) if exponent == 0.5 else xp.power(fraction, exponent)
        # The power multiplies the error of the fraction by the exponent.
        exact = xp.double(timescale) / (xp.double(timescale) + xp.double(count))
        return xp.power(exact.hi, exponent) * (1.0 + exponent * (exact.lo / exact.hi))


def inverse_power(timescale: int, exponent: float) -> Schedule:
    """A power law that starts at 1.

    ``(timescale / (timescale + step)) ** exponent``

    Args:
        timescale: the step at which the multiplier is ``2 ** -exponent``, an integer of at least 1.
        exponent: how fast it falls, above 0 and at most 1000: `inverse_sqrt` has 0.5, `inverse_time` 1.

    Returns:
        A schedule without an end: it falls for ever, and never to 0.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_power(100, 2.0)
        >>> [schedule(step) for step in (0, 100, 300)]
        [1.0, 0.25, 0.0625]

    Source: Shen et al. 2024 (the Power scheduler), arXiv:2408.13359; the power schedule of levanter.
    """
    return InversePower(*validated("inverse_power", timescale=timescale, exponent=exponent))


class ExponentialDecay(Schedule):
    __slots__ = fields = ("rate", "steps", "staircase", "end")
    factory = "exponential_decay"
    uses_table = True
    defaults: ClassVar[dict[str, Any]] = {"steps": 1, "staircase": False, "end": None}
    static = frozenset({"rate", "staircase"})

    rate: float
    steps: int
    staircase: bool
    end: float | None

    def stretched(self, factor: Any) -> Schedule:
        return ExponentialDecay(self.rate, self.steps * factor, self.staircase, self.end)

    def at(self, step: Step) -> Any:
        xp, count, steps = step.xp, step.count, self.steps
        if self.staircase:
            count, steps = step.cycle(steps, None)[0], 1
        value = xp.exponential(logarithm(self.rate), steps)(count)
        if self.staircase:
            value = xp.where(xp.to_float(count) == 1, self.rate, value)  # a declared value is exact
        if self.end is None:
            return value
        return xp.maximum(value, self.end) if self.rate <= 1 else xp.minimum(value, self.end)

    def scalar(self) -> Callable[[int], float]:
        rate, steps, end = self.rate, self.steps, self.end
        if self.staircase:
            return lambda step: _bounded(rate, step // steps if step > 0 else 0, 0.0 if end is None else end)
        exponential, bound = INTEGERS.exponential(logarithm(rate), steps), max if rate <= 1 else min
        if end is None:
            return lambda step: exponential(step if step > 0 else 0)
        return lambda step: bound(exponential(step if step > 0 else 0), end)


def _bounded(rate: float, count: int, end: float) -> float:
    if rate <= 1:
        return max(rate**count, end)
    # The power itself may be past the largest float.
    past = count > 0 and (end <= 1 or count * math.log(rate) > math.log(end) + 1.0)
    return end if past else min(rate**count, end)


def exponential_decay(rate: float, steps: int = 1, *, staircase: bool = False, end: float | None = None) -> Schedule:
    """The same factor in every `steps` steps.

    ``rate ** (step / steps)``, with `staircase` ``rate ** floor(step / steps)``, and never past `end`

    Args:
        rate: the factor, from 1e-30 to 1e30. Above 1 the schedule grows, and needs an `end`.
        steps: over how many steps it applies once, an integer of at least 1.
        staircase: whether the whole factor applies at the end of every `steps` steps, instead of gradually.
        end: the lowest multiplier, or the highest if `rate` is above 1; at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.exponential_decay(0.25, 10, end=0.1)
        >>> [schedule(step) for step in (0, 5, 10, 20)]
        [1.0, 0.5, 0.25, 0.1]

    Source: ExponentialLR of torch (``steps=1``), optax.exponential_decay, and Keras' ExponentialDecay.
    """
    name = "exponential_decay"
    rate, staircase = validated(name, rate=rate, staircase=staircase)
    steps = positive_int(name, "steps", steps)
    end = optional(level)(name, "end", end)
    if end is None and rate > 1:
        raise argument_error(name, "end", f"given for a `rate` above 1 ({rate!r})", end)
    return ExponentialDecay(rate, steps, staircase, end)


class InverseTime(Schedule):
    __slots__ = fields = ("rate", "steps", "staircase")
    factory = "inverse_time"
    defaults: ClassVar[dict[str, Any]] = {"steps": 1, "staircase": False}
    static = frozenset({"rate", "staircase"})

    rate: float
    steps: int
    staircase: bool

    def stretched(self, factor: Any) -> Schedule:
        return InverseTime(self.rate, self.steps * factor, self.staircase)

    def at(self, step: Step) -> Any:
        to_float = step.xp.to_float
        if self.staircase:
            return step.full(1.0 / (1.0 + to_float(step.cycle(self.steps, None)[0]) * self.rate))
        steps = to_float(self.steps)
        return steps / (steps + to_float(step.count) * self.rate)


def inverse_time(rate: float, steps: int = 1, *, staircase: bool = False) -> Schedule:
    """The inverse of time.

    ``1 / (1 + rate * step / steps)``, with `staircase` ``1 / (1 + rate * floor(step / steps))``

    Args:
        rate: how fast it falls, from 1e-30 to 1e30: after `steps` steps the multiplier is ``1 / (1 + rate)``.
        steps: the unit of the rate, an integer of at least 1.
        staircase: whether the multiplier changes at the multiples of `steps` alone.

    Returns:
        A schedule without an end: it falls for ever, and never to 0.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_time(1.0, 10)
        >>> [schedule(step) for step in (0, 10, 30)]
        [1.0, 0.5, 0.25]

    Source: Keras' InverseTimeDecay; the tail of DeepSpeed's OneCycle.
    """
    name = "inverse_time"
    rate, staircase = validated(name, rate=rate, staircase=staircase)
    steps = positive_int(name, "steps", steps)
    return InverseTime(rate, steps, staircase)
