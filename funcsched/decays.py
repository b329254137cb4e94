"""Leaves of a schedule that decay without an end: in powers of the step, or by equal factors in equal times."""

from __future__ import annotations

import math

from funcsched._check import checked, length, level, optional, refuse
from funcsched._exact import Constant, divided, known, log_of, multiple, pair
from funcsched._kept import kept
from funcsched._step import Step
from funcsched.levels import products
from funcsched.schedule import Schedule

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
        xp, exponent = step.xp, self.exponent
        if exponent > 1 and not xp.spare:
            return self._accurate(step)
        timescale = float(self.timescale) if known(self.timescale) else xp.real(self.timescale)
        share = timescale / (timescale + xp.real(step.count()))
        if exponent == 0.5:
            return xp.sqrt(share)
        return share if exponent == 1.0 else xp.power(share, exponent)

    def _accurate(self, step: Step) -> Any:
        """The error of the share counts `exponent` times."""
        xp, exponent = step.xp, self.exponent
        timescale, elapsed = pair(xp, self.timescale), pair(xp, step.count())
        whole = timescale[0] + elapsed[0]
        passed = whole - timescale[0]
        lost = (timescale[0] - (whole - passed)) + (elapsed[0] - passed)
        share, rest = divided(xp, timescale, (whole, lost + (timescale[1] + elapsed[1])))
        value = xp.power(share, exponent)
        return value + value * (exponent * rest / share)


def inverse_power(timescale: int, exponent: float) -> Schedule:
    """A power law that starts at 1.

    ``(timescale / (timescale + step)) ** exponent``

    Args:
        timescale: the step at which the multiplier is ``2 ** -exponent``, a whole number of at least 1.
        exponent: how fast it falls, above 0: `inverse_sqrt` has 0.5, `inverse_time` 1.

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
    return InversePower(*checked("inverse_power", timescale=timescale, exponent=exponent))


def growth(xp: Any, rate: Constant, count: Any, steps: Any) -> Any:
    """exp(rate * count / steps), the rate being the logarithm of a factor."""
    high, low = rate
    falling = high < 0
    if xp.bits == 24 and xp.integer and known(steps) and high:
        return _grown(xp, high / steps, count)
    exponent = multiple(xp, (-high, -low) if falling else rate, steps, twice=True)
    x, rest = exponent(count)
    if falling:
        value = xp.exp(-x)
        return value if rest is None else value * (1.0 - rest)  # the difference of products would be subnormal
    # What overflows has no gradient.
    over = x > _LARGEST_EXPONENT
    value = xp.exp(xp.where(over, 0.0, x))
    if rest is not None:
        value = value + value * rest
    return xp.where(over, math.inf, value)


def _grown(xp: Any, slope: float, count: Any) -> Any:
    """exp(slope * count) in JAX without x64, of the exponent as the sum of an exact product and small ones.

    It matters up to where the value is no float32 any more. If counts take most of the 24 digits up to there, a slope
    of the digits that are left is too coarse, and the last digits of the count go by themselves.
    """
    digits = 24 - max(math.ceil(math.log2(_LARGEST_EXPONENT / abs(slope))), 0)
    small: Any = 0.0
    if digits < 8:
        last = (1 << min(math.floor(math.log2(0.25 / abs(slope))), 30)) - 1
        whole = count & ~last
        small = xp.real(count - whole) * slope
        count, digits = whole, 14
    unit = math.ldexp(1.0, math.frexp(slope)[1] - digits)
    coarse = math.trunc(slope / unit) * unit  # the nearer to 0, so that both parts have one sign
    small = small + xp.real(count) * (slope - coarse)
    # XLA would make one exponential of two.
    return xp.exp(xp.real(count) * coarse) * (1.0 + xp.lib.expm1(small))


_LARGEST_EXPONENT = 88.7  # of float32, in which no level is larger


class ExponentialDecay(Schedule):
    __slots__ = ("_log", "end", "rate", "staircase", "steps")
    fields = ("rate", "steps", "staircase", "end")
    factory = "exponential_decay"
    rows = True
    defaults: ClassVar[dict[str, Any]] = {"steps": 1, "staircase": False, "end": None}
    static = frozenset({"rate", "staircase"})

    rate: float
    steps: int
    staircase: bool
    end: float | None
    _log: Constant

    def __init__(self, *arguments: Any, log: Constant | None = None) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_log", log or log_of(self.rate))

    def stretched(self, factor: Any) -> Schedule:
        # What takes many digits to compute is not computed again, least of all while torch traces.
        return ExponentialDecay(self.rate, self.steps * factor, self.staircase, self.end, log=self._log)

    def at(self, step: Step) -> Any:
        xp, count, steps = step.xp, step.count(), self.steps
        if self.staircase:
            count, left = step.cycle(steps, None)
            stairs = self._stairs() if xp.bits == 24 and xp.integer else None
            if stairs is not None:
                return xp.lookup(stairs, count if xp.holds_last else xp.minimum(count, len(stairs) - 1))
            value = xp.where(count == 1, self.rate, growth(xp, self._log, count, 1))
            value = value + 0.0 * xp.real(left.count())  # NaN where the step is
        else:
            value = growth(xp, self._log, count, steps)
        if self.end is None:
            return value
        return xp.maximum(value, self.end) if self.rate <= 1 else xp.minimum(value, self.end)

    def _stairs(self) -> tuple[float, ...] | None:
        """All levels, where they are few."""
        return _stairs(self.rate, self.end) if self.rate <= 1 and (self.end is None or known(self.end)) else None

    def scalar(self) -> Callable[[int], float]:
        if not self.staircase:
            return super().scalar()
        rate, steps = self.rate, self.steps
        end = self.end if self.end is not None else 0.0
        return lambda step: _bounded(rate, step // steps if step > 0 else 0, end)


@kept
def _stairs(rate: float, end: float | None) -> tuple[float, ...] | None:
    """The powers of a rate down to the end, or to where they are no float32 any more."""
    last = 1e-46 if end is None else max(end, 1e-46)
    count = math.ceil(math.log(last) / math.log(rate)) + 1 if rate < 1 else 1
    if count > 2048:
        return None
    return tuple(max(level, end or 0.0) for level in products((rate,) * count))


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
        steps: over how many steps it applies once, a whole number of at least 1.
        staircase: whether it applies at once at the end of each stretch of `steps`, and not evenly.
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
    rate, staircase = checked(name, rate=rate, staircase=staircase)
    steps = length(name, "steps", steps)
    end = optional(level)(name, "end", end)
    if end is None and rate > 1:
        raise refuse(name, "end", f"given for a `rate` above 1 ({rate!r})", end)
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
        xp, count, steps = step.xp, step.count(), self.steps
        if self.staircase:
            count, left = step.cycle(steps, None)
            return 1.0 / (1.0 + xp.real(count) * self.rate + 0.0 * xp.real(left.count()))
        length = steps if known(steps) else xp.real(xp.where(steps > 0, steps, 1))
        return length / (length + xp.real(count) * self.rate)


def inverse_time(rate: float, steps: int = 1, *, staircase: bool = False) -> Schedule:
    """The inverse of time.

    ``1 / (1 + rate * step / steps)``, with `staircase` ``1 / (1 + rate * floor(step / steps))``

    Args:
        rate: how fast it falls, from 1e-30 to 1e30: after `steps` steps the multiplier is ``1 / (1 + rate)``.
        steps: the unit of the rate, a whole number of at least 1.
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
    rate, staircase = checked(name, rate=rate, staircase=staircase)
    steps = length(name, "steps", steps)
    return InverseTime(rate, steps, staircase)
