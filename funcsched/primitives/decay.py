"""Decays without an end: exponential, and powers of the step or of a distance."""

from __future__ import annotations

import math

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, nonnegative, optional, positive_int, validated
from funcsched.numerics.double_word import logarithm
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


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
            value = xp.where(xp.to_float(count) == 1, self.rate, value)  # exactly `rate` after the first change
        if self.end is None:
            return value
        return xp.maximum(value, self.end) if self.rate <= 1 else xp.minimum(value, self.end)

    def scalar(self) -> Callable[[int], float]:
        rate, steps, end = self.rate, self.steps, self.end
        if self.staircase:
            return lambda step: _bounded_power(rate, step // steps if step > 0 else 0, 0.0 if end is None else end)
        exponential, bound = INTEGERS.exponential(logarithm(rate), steps), max if rate <= 1 else min
        if end is None:
            return lambda step: exponential(step if step > 0 else 0)
        return lambda step: bound(exponential(step if step > 0 else 0), end)


def _bounded_power(rate: float, exponent: int, end: float) -> float:
    """``rate ** exponent``, limited by `end`."""
    if rate <= 1:
        return max(rate**exponent, end)
    # The power may overflow, so it is computed only where it does not exceed `end` by much.
    is_past_end = exponent > 0 and (end <= 1 or exponent * math.log(rate) > math.log(end) + 1.0)
    return end if is_past_end else min(rate**exponent, end)


def exponential_decay(rate: float, steps: int = 1, *, staircase: bool = False, end: float | None = None) -> Schedule:
    """A decay by a constant factor in every `steps` steps.

    ``rate ** (step / steps)``, or ``rate ** floor(step / steps)`` with `staircase`; `end` limits both

    Args:
        rate: the factor (float, 1e-30 to 1e30). Above 1 the schedule grows, and `end` is required.
        steps: number of steps in which the factor applies once (int, 1 to 2**53).
        staircase: whether the whole factor applies after every `steps` steps, instead of gradually (bool).
        end: lowest multiplier, or the highest if `rate` is above 1 (float). None means no limit.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `end` is missing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.exponential_decay(0.25, 40, end=0.1)
        >>> [schedule(step) for step in (0, 20, 40, 80)]
        [1.0, 0.5, 0.25, 0.1]
        >>> fs.exponential_decay(0.5, 20, staircase=True)(39)
        0.5

    In other libraries:
        torch: ExponentialLR
        optax: exponential_decay
        Keras: ExponentialDecay
        Composer: ExponentialScheduler
        mmengine: ExponentialLR
        fvcore: ExponentialParamScheduler; `steps` is the length of the run

    Source: ExponentialLR of torch (with ``steps=1``), optax.exponential_decay, and Keras' ExponentialDecay.
    """
    name = "exponential_decay"
    rate, staircase = validated(name, rate=rate, staircase=staircase)
    steps = positive_int(name, "steps", steps)
    end = optional(nonnegative)(name, "end", end)
    if end is None and rate > 1:
        raise argument_error(name, "end", f"given if `rate` is above 1 ({rate!r})", end)
    return ExponentialDecay(rate, steps, staircase, end)


def _above(end: Any, xp: Any, value: Any) -> Any:
    """A decay from 1 to 0 as one from 1 to `end`. Both levels are exact."""
    if is_concrete(end) and end == 0:
        return value
    end = xp.level(end)
    raised = (1.0 - value) * end + value
    return xp.where((raised - end) * (1.0 - end) < 0, end, raised)  # rounding may pass `end`


class InversePower(Schedule):
    __slots__ = fields = ("timescale", "exponent", "end")
    factory = "inverse_power"
    defaults: ClassVar[dict[str, Any]] = {"end": 0.0}
    static = frozenset({"exponent"})

    timescale: int
    exponent: float
    end: float

    def stretched(self, factor: Any) -> Schedule:
        return InversePower(self.timescale * factor, self.exponent, self.end)

    def at(self, step: Step) -> Any:
        return _above(self.end, step.xp, self._decay(step))

    def _decay(self, step: Step) -> Any:
        xp, exponent, timescale, count = step.xp, self.exponent, self.timescale, step.count
        if exponent <= 1:
            timescale = xp.to_float(timescale)
            fraction = timescale / (timescale + xp.to_float(count))
            return xp.sqrt(fraction) if exponent == 0.5 else xp.power(fraction, exponent)
        # The power multiplies the error of the fraction by the exponent, so the fraction needs more digits.
        double = xp.double(timescale) / (xp.double(timescale) + xp.double(count))
        return xp.power(double.hi, exponent) * (1.0 + exponent * (double.lo / double.hi))


def inverse_power(timescale: int, exponent: float, *, end: float = 0.0) -> Schedule:
    """A power law that starts at 1.

    ``end + (1 - end) * (timescale / (timescale + step)) ** exponent``

    Args:
        timescale: step at which the decaying part is ``2 ** -exponent`` (int, 1 to 2**53).
        exponent: how fast the multiplier falls (float, above 0 and at most 1000). 0.5 is `inverse_sqrt`, and 1 is
            ``inverse_time(1, timescale)``.
        end: multiplier that the schedule approaches (float).

    Returns:
        A schedule without an end. If `end` is negative or above 1, its error is at most 4 ulp of the larger level.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_power(100, 2.0)
        >>> [schedule(step) for step in (0, 100, 300)]
        [1.0, 0.25, 0.0625]
        >>> fs.inverse_power(100, 0.5, end=0.2)(300)
        0.6

    In other libraries:
        timm: stable_fn power of WSDLRScheduler
        levanter: power, from the step on at which it falls below the learning rate

    Source: Shen et al. 2024 (the Power scheduler), arXiv:2408.13359; the power schedule of levanter.
    """
    return InversePower(*validated("inverse_power", timescale=timescale, exponent=exponent, end=end))


class HypotDecay(Schedule):
    __slots__ = fields = ("timescale", "exponent")
    factory = "hypot_decay"
    static = frozenset({"exponent"})

    timescale: int
    exponent: float

    def stretched(self, factor: Any) -> Schedule:
        return HypotDecay(self.timescale * factor, self.exponent)

    def at(self, step: Step) -> Any:
        xp, exponent = step.xp, self.exponent
        if exponent <= 0.5:
            timescale, count = xp.level(xp.to_float(self.timescale)), xp.to_float(step.count)
            square = timescale * timescale
            fraction = square / (square + count * count)
            return xp.sqrt(fraction) if exponent == 0.5 else xp.power(fraction, exponent)
        # As in `InversePower`.
        scale, number = xp.double(self.timescale), xp.double(step.count)
        square = scale * scale
        total = square + number * number
        double = square / total
        # total / square is 1 / double. A division by `double`, which may be tiny, would make the gradient NaN.
        return xp.power(double.hi, exponent) * (1.0 + exponent * (double.lo * (total.hi / square.hi)))


def hypot_decay(timescale: int, exponent: float) -> Schedule:
    """A power law of the distance ``sqrt(timescale**2 + step**2)``: flat at first, then a power of the step.

    ``(timescale**2 / (timescale**2 + step**2)) ** exponent``

    Args:
        timescale: step at which the multiplier is ``2 ** -exponent`` (int, 1 to 2**53).
        exponent: how fast the multiplier falls (float, above 0 and at most 1000). Late in the run, the multiplier is
            proportional to ``step ** (-2 * exponent)``.

    Returns:
        A schedule without an end. It approaches 0, and does not reach it.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.hypot_decay(30, 0.5)
        >>> [schedule(step) for step in (0, 40)]
        [1.0, 0.6]
        >>> round(fs.hypot_decay(30, 0.25)(30) ** 4, 12)
        0.5

    In other libraries:
        icefall: Eden, Eden2; Eden is the product of a decay of batches and one of epochs with exponent 0.25, and Eden2
            has 0.5

    Source: Yao et al. 2023 (Zipformer), arXiv:2310.11230; Eden and Eden2 of icefall.
    """
    return HypotDecay(*validated("hypot_decay", timescale=timescale, exponent=exponent))


class InverseTime(Schedule):
    __slots__ = fields = ("rate", "steps", "staircase", "end")
    factory = "inverse_time"
    defaults: ClassVar[dict[str, Any]] = {"steps": 1, "staircase": False, "end": 0.0}
    static = frozenset({"rate", "staircase"})

    rate: float
    steps: int
    staircase: bool
    end: float

    def stretched(self, factor: Any) -> Schedule:
        return InverseTime(self.rate, self.steps * factor, self.staircase, self.end)

    def at(self, step: Step) -> Any:
        return _above(self.end, step.xp, self._decay(step))

    def _decay(self, step: Step) -> Any:
        to_float = step.xp.to_float
        if self.staircase:
            return step.full(1.0 / (1.0 + to_float(step.cycle(self.steps, None)[0]) * self.rate))
        steps = to_float(self.steps)
        return steps / (steps + to_float(step.count) * self.rate)


def inverse_time(rate: float, steps: int = 1, *, staircase: bool = False, end: float = 0.0) -> Schedule:
    """The reciprocal of a linear function of the step.

    ``end + (1 - end) / (1 + rate * step / steps)``, or ``end + (1 - end) / (1 + rate * floor(step / steps))`` with
    `staircase`

    Args:
        rate: how fast the multiplier falls (float, 1e-30 to 1e30). After `steps` steps it is ``1 / (1 + rate)``, if
            `end` is 0.
        steps: the unit of `rate`, a number of steps (int, 1 to 2**53).
        staircase: whether the multiplier changes only after every `steps` steps (bool).
        end: multiplier that the schedule approaches (float).

    Returns:
        A schedule without an end. If `end` is negative or above 1, its error is at most 4 ulp of the larger level.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_time(1.0, 10)
        >>> [schedule(step) for step in (0, 10, 30)]
        [1.0, 0.5, 0.25]
        >>> fs.inverse_time(1.0, 10, staircase=True)(19)
        0.5

    In other libraries:
        Keras: InverseTimeDecay
        DeepSpeed: the tail of OneCycle

    Source: Keras' InverseTimeDecay; the tail of DeepSpeed's OneCycle.
    """
    name = "inverse_time"
    rate, staircase, end = validated(name, rate=rate, staircase=staircase, end=end)
    steps = positive_int(name, "steps", steps)
    return InverseTime(rate, steps, staircase, end)
