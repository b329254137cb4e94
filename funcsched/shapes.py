"""The curves: how a phase goes from 0 to 1. The only file with formulas of the fraction of a phase."""

from __future__ import annotations

import math

from funcsched._check import checked, refuse, whole_cycles
from funcsched._exact import (
    GOOD,
    HALF_PI,
    ONE,
    Constant,
    angle_rate,
    at_least_one,
    known,
    log_of,
    meeting,
    multiple,
    one_at_end,
)
from funcsched._fold import fold
from funcsched._fold import ratio as ratio_of
from funcsched._shape import Compose, Restarts, Reverse, Shape, shaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched._shape import Weight


class Linear(Shape):
    """``fraction``

    Source: the decay of Devlin et al. 2018, arXiv:1810.04805, section A.2.
    """

    __slots__ = ()
    factory = "linear"
    symmetric = True

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length, real, none, whole = at_least_one(xp, steps), xp.real, xp.none, known(steps)

        # XLA multiplies by the reciprocal, which leaves the last step at 1 - 2**-24: hence the flag.
        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            at_end = elapsed >= steps if whole and not isinstance(elapsed, tuple) else none(remaining)
            return real(elapsed) / length, at_end

        return rise, lambda elapsed, remaining: rise(remaining, elapsed)

    flat = (0.0,)

    def row(self, xp: Any, steps: int, low: float, high: float) -> tuple[bool, tuple[Any, ...]] | None:
        length = abs(steps)

        def ends(slope: float) -> tuple[float, float]:
            rise = slope * length
            return xp.rounded(xp.rounded(rise) + low), xp.rounded(rise + low)  # rounded in between or not

        exact, slope = meeting(xp, (high - low) / length, high, ends)
        return None if slope is None else (exact, (slope if steps > 0 else -slope,))

    def risen(self, xp: Any, count: Any, slopes: Any) -> Any:
        return xp.real(count) * xp.table(slopes)


class Cosine(Shape):
    """``(1 - cos(pi fraction)) / 2``, computed as ``sin(pi/2 fraction)**2``: half a wave, flat at both ends.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5.
    """

    __slots__ = ()
    factory = "cosine"
    symmetric = True

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        angle, sin = multiple(xp, HALF_PI, steps), xp.sin

        # (1 - cos(2 x)) / 2 would lose everything where x is small.
        def rise(elapsed: Any, _: Any) -> tuple[Any, Any]:
            x, rest = angle(elapsed)
            sine = sin(x)
            if rest is None:
                return sine * sine, None
            return sine * sine + 2.0 * sine * xp.cos(x) * rest, None

        return rise, lambda elapsed, remaining: rise(remaining, elapsed)

    flat = (0.0, 1, 0.0)

    def row(self, xp: Any, steps: int, low: float, high: float) -> tuple[bool, tuple[Any, ...]] | None:
        exact, gap = meeting(xp, high - low, high, lambda gap: (xp.rounded(low + gap),))
        error, multiplier, rate = angle_rate(abs(steps), xp.bits)
        return None if gap is None or error > GOOD else (exact, (gap, multiplier, rate))

    def risen(self, xp: Any, count: Any, gaps: Any, multipliers: Any, rates: Any) -> Any:
        if set(multipliers) != {1}:
            count = count * xp.table(multipliers)
        sine = xp.sin(xp.real(count) * xp.table(rates))
        return sine * sine * xp.table(gaps)


class Power(Shape):
    """``fraction ** exponent``"""

    __slots__ = fields = ("exponent",)
    factory = "power"
    static = frozenset(fields)

    exponent: float

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        exponent = self.exponent
        # The error of the fraction counts `exponent` times.
        good = 1.0 if exponent <= 2 else GOOD
        fraction = multiple(xp, ONE, steps, twice=exponent > 2, good=good)
        whole = exponent <= 2 and one_at_end(xp, steps, good)
        # A root has an infinite slope at 0, and the logarithm that corrects an exponent is infinite there.
        smooth = exponent >= 1 and xp.rounded(exponent) == exponent

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            u, rest = fraction(elapsed)
            at_end = None if whole else xp.none(remaining)
            if smooth and rest is None:
                return xp.power(u, exponent), at_end
            inside = u > 0
            base = xp.where(inside, u, 1.0)
            value = xp.power(base, exponent)
            if rest is not None:
                value = value + value * (exponent * rest / base)
            return xp.where(inside, value, 0.0 * u), at_end

        def fall_of_whole(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            v = fraction(remaining)[0]
            if exponent == 2:
                return v * (2.0 - v), xp.none(elapsed)  # one count less than by the next
            u, value = fraction(elapsed)[0], 1.0
            for _ in range(int(exponent) - 1):
                value = value * u + 1.0  # 1 - u**n is (1 - u) * (1 + u + ... + u**(n - 1))
            return xp.minimum(v * value, 1.0), xp.none(elapsed)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            v, rest = fraction(remaining)
            late = v <= 0.5
            v = xp.where(late, v, 0.5)
            value = -xp.expm1(exponent * xp.log1p(-v))
            if rest is not None:
                value = value + xp.where(late, rest, 0.0) * exponent * xp.power(1.0 - v, exponent - 1.0)
            early = 1.0 - rise(elapsed, remaining)[0]
            return xp.where(late, value, early), xp.none(elapsed)

        return rise, fall_of_whole if exponent in (2, 3, 4) else fall


class Waves(Shape):
    """Half-cosines down and up again, numerator / denominator of them."""

    __slots__ = fields = ("numerator", "denominator")
    factory = "waves"
    static = frozenset(fields)

    numerator: int | float
    denominator: int

    @property
    def final(self) -> float:  # type: ignore[override]  # here it depends on the parameter
        whole = isinstance(self.numerator, int) and self.denominator == 1
        return float(self.numerator % 2) if whole else float("nan")

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        position, system, period = fold(xp, self.numerator, self.denominator, steps, mirror=True)
        rise, fall = cosine.weights(system, period)
        return (
            lambda elapsed, remaining: rise(*position(elapsed, remaining)),
            lambda elapsed, remaining: fall(*position(elapsed, remaining)),
        )


class Sqrt(Shape):
    """``sqrt(fraction)``: run downwards, the 1-sqrt cooldown.

    Source: Hagele et al. 2024, arXiv:2405.18392, section 3.
    """

    __slots__ = ()
    factory = "sqrt"

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length = at_least_one(xp, steps)

        def root(count: Any) -> Any:
            u = xp.real(count) / length
            inside = u > 0
            return xp.where(inside, xp.sqrt(xp.where(inside, u, 1.0)), 0.0 * u)  # the slope at 0 is infinite

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return root(elapsed), xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return xp.real(remaining) / length / (1.0 + root(elapsed)), xp.none(elapsed)

        return rise, fall


class Exponential(Shape):
    """``(1 - ratio**fraction) / (1 - ratio)``"""

    __slots__ = ("_rate", "ratio")
    fields = ("ratio",)
    factory = "exponential"
    static = frozenset(fields)

    ratio: float
    _rate: Constant

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        high, low = log_of(self.ratio)
        object.__setattr__(self, "_rate", (-high, -low) if high < 0 else (high, low))

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        ratio, growing = self.ratio, self.ratio > 1
        exponent = multiple(xp, self._rate, steps, twice=self._rate[0] > 1)
        whole = abs(1.0 - ratio)
        of_rise, of_fall = (ratio / whole, 1.0 / whole) if growing else (1.0 / whole, ratio / whole)

        def grown(count: Any, factor: float, sign: float) -> Any:
            x, rest = exponent(count)
            value = xp.expm1(sign * x)
            if rest is not None:
                value = value + (value + 1.0) * (sign * rest)
            return xp.minimum(value * (sign * factor), 1.0)

        # With ratio above 1 the curve is that of 1 / ratio run backwards.
        def slow(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return grown(elapsed, of_rise, -1.0), xp.none(remaining)

        def fast(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return grown(remaining, of_fall, 1.0), xp.none(elapsed)

        if growing:
            return lambda elapsed, remaining: fast(remaining, elapsed), lambda elapsed, remaining: slow(
                remaining, elapsed
            )
        return slow, fast


class Log(Shape):
    """``log(1 + step) / log(1 + steps)`` of a phase of `steps` steps: the longer it is, the steeper its beginning.

    Source: the logarithmic warmup of DeepSpeed's WarmupLR.
    """

    __slots__ = fields = ("unit",)
    factory = "log"
    static = frozenset(fields)

    unit: Any  # steps that count as one

    def __repr__(self) -> str:
        return self.factory

    def stretched(self, factor: Any) -> Shape:
        return Log(self.unit * factor)

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length, unit = at_least_one(xp, steps), self.unit
        if known(length, unit):
            whole = math.log1p(length / unit)
        else:
            whole = xp.log1p(xp.real(length) / unit)

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return xp.minimum(xp.log1p(xp.real(elapsed) / unit) / whole, 1.0), xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            left = xp.real(remaining) / (xp.real(elapsed) + unit)
            return xp.minimum(xp.log1p(left) / whole, 1.0), xp.none(elapsed)

        return rise, fall


class Tanh(Shape):
    """``(tanh(lower + (upper - lower) fraction) - tanh(lower)) / (tanh(upper) - tanh(lower))``"""

    __slots__ = fields = ("lower", "upper")
    factory = "tanh"
    static = frozenset(fields)

    lower: float
    upper: float

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        rise = _tanh(xp, self.lower, self.upper, steps)
        fall = _tanh(xp, -self.upper, -self.lower, steps)
        return (
            lambda elapsed, remaining: (rise(elapsed), xp.none(remaining)),
            lambda elapsed, remaining: (fall(remaining), xp.none(elapsed)),
        )


def _tanh(xp: Any, lower: float, upper: float, steps: Any) -> Callable[[Any], Any]:
    """The rise; both differences of tanh as quotients of exponentials, in which nothing cancels."""
    high = upper - lower
    low = (upper - (high + lower)) if abs(upper) > abs(lower) else ((upper - high) - lower)
    exponent = multiple(xp, (2.0 * high, 2.0 * low), steps, twice=True)
    skew = math.exp(-2.0 * lower)
    whole = (1.0 + math.exp(-2.0 * upper)) / -math.expm1(-2.0 * high)

    def rise(count: Any) -> Any:
        x, rest = exponent(count)
        passed = xp.expm1(-x)
        left = xp.exp(-x)
        if rest is not None:
            passed, left = passed - left * rest, left - left * rest
        return xp.minimum(-passed * whole / (1.0 + skew * left), 1.0)

    return rise


class Sine(Shape):
    """``sin(pi/2 fraction)``: a quarter of a wave. Run downwards, the second half of a cosine decay.

    Source: HalfCosWithWarmup of OLMo-core.
    """

    __slots__ = ()
    factory = "sine"

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        angle, sin, cos = multiple(xp, HALF_PI, steps), xp.sin, xp.cos

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            x, rest = angle(elapsed)
            value = sin(x)
            return value if rest is None else value + cos(x) * rest, xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            x, rest = angle(remaining)
            sine = sin(0.5 * x)
            value = 2.0 * (sine * sine)
            return value if rest is None else value + sin(x) * rest, xp.none(elapsed)

        return rise, fall


class Rex(Shape):
    """``fraction / (2 - fraction)``: run downwards, ``(1 - u) / (1 - u / 2)``.

    Source: Chen et al. 2021 (REX), arXiv:2107.04197.
    """

    __slots__ = ()
    factory = "rex"

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length = float(steps) if known(steps) else xp.real(at_least_one(xp, steps))

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return xp.real(elapsed) / (length + xp.real(remaining)), xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            left = xp.real(remaining)
            return (left + left) / (length + left), xp.none(elapsed)

        return rise, fall


def power(exponent: float) -> Shape:
    """The shape ``fraction ** exponent``.

    Args:
        exponent: above 0. 1 is `linear`, 2 starts flat, 0.5 starts steep.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: `exponent` is not a finite number above 0.

    Example:
        >>> import funcsched as fs
        >>> [fs.ramp(0.0, 1.0, steps=10, shape=fs.power(2))(step) for step in (0, 5, 10)]
        [0.0, 0.25, 1.0]

    Source: run backwards (`reverse`), the polynomial decay of BERT, TensorFlow and torch's PolynomialLR.
    """
    return Power(*checked("power", exponent=exponent))


def exponential(ratio: float) -> Shape:
    """The shape ``(1 - ratio ** fraction) / (1 - ratio)``: equal factors in equal times.

    ``ramp(1, end, steps=n, shape=exponential(end))`` is ``end ** (step / n)``, the straight line of a logarithmic plot.

    Args:
        ratio: from 1e-30 to 1e30, what the curve's distance to its asymptote is multiplied by. Below 1 the curve
            starts steep, above 1 flat; 1, between them, is `linear`.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: `ratio` is not a number from 1e-30 to 1e30.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.01, steps=10, shape=fs.exponential(0.01))
        >>> [round(schedule(step), 12) for step in (0, 5, 10)]
        [1.0, 0.1, 0.01]

    Source: the exponential decays of fairseq's tri_stage, and of WSD in Megatron-LM (ratio 0.5) and timm.
    """
    (ratio,) = checked("exponential", ratio=ratio)
    return linear if ratio == 1 else Exponential(ratio)


def tanh(lower: float, upper: float) -> Shape:
    """The stretch of the hyperbolic tangent from `lower` to `upper`, brought to 0 and 1.

    ``(tanh(lower + (upper - lower) fraction) - tanh(lower)) / (tanh(upper) - tanh(lower))``

    Args:
        lower: where on the tangent the curve begins, from -40 to 40.
        upper: where it ends, above `lower`, from -40 to 40.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: an argument is no number from -40 to 40, or `lower` is not below `upper`.

    Example:
        >>> import funcsched as fs
        >>> [fs.tanh(-3.0, 3.0)(fraction) for fraction in (0.0, 0.5, 1.0)]
        [0.0, 0.5, 1.0]

    Source: Hsueh et al. 2018, arXiv:1806.01593; timm's TanhLRScheduler has lower -7 and upper 3, without the
    last step of bringing the ends to 0 and 1.
    """
    lower, upper = checked("tanh", lower=lower, upper=upper)
    if lower >= upper:
        raise refuse("tanh", "lower", f"below `upper` ({upper!r})", lower)
    return Tanh(lower, upper)


def reverse(shape: Shape | Callable[[Any], Any]) -> Shape:
    """The shape ``1 - shape(1 - fraction)``: a ramp down along it is the ramp up along `shape`, run backwards.

    Args:
        shape: a shape or a function of the fraction. Polynomial decay is ``reverse(power(exponent))``.

    Returns:
        A shape.

    Raises:
        TypeError: `shape` is neither a shape nor a function.

    Example:
        >>> import funcsched as fs
        >>> [fs.ramp(1.0, 0.0, steps=10, shape=fs.reverse(fs.power(2)))(step) for step in (0, 5, 10)]
        [1.0, 0.25, 0.0]
    """
    inner = shaped("reverse", "shape", shape)
    return inner if inner.symmetric else Reverse(inner)


def compose(outer: Shape | Callable[[Any], Any], inner: Shape | Callable[[Any], Any]) -> Shape:
    """The shape ``outer(inner(fraction))``.

    Args:
        outer: a shape or a function of the fraction.
        inner: the same; it bends the clock on which `outer` runs.

    Returns:
        A shape. `outer` multiplies the rounding of `inner`: a power by its exponent, a cosine by 2.

    Raises:
        TypeError: an argument is neither a shape nor a function.

    Example: k-decay, and the cosine decay with an exponent, ``((1 + cos(pi u)) / 2) ** exponent``:
        >>> import funcsched as fs
        >>> k_decay = fs.compose(fs.cosine, fs.power(2))
        >>> sharper = fs.reverse(fs.compose(fs.power(2), fs.cosine))
        >>> [round(fs.ramp(1.0, 0.0, steps=10, shape=shape)(5), 6) for shape in (k_decay, sharper)]
        [0.853553, 0.25]

    Source: k-decay is Zhang and Li 2020, arXiv:2004.05909, and timm's `k_decay`; the exponent is that of
    optax.cosine_decay_schedule.
    """
    return Compose(shaped("compose", "outer", outer), shaped("compose", "inner", inner))


def waves(cycles: float) -> Shape:
    """The shape ``(1 - cos(2 pi cycles fraction)) / 2``: `cosine` is half a wave."""
    (cycles,) = checked("waves", cycles=cycles)
    return Waves(*ratio_of(2.0 * cycles))


def restarts(shape: Shape, cycles: int) -> Shape:
    """`shape` run through `cycles` times, at once from its end back to its beginning."""
    return Restarts(shape, whole_cycles("restarts", "cycles", cycles))


linear = Linear()
cosine = Cosine()
sqrt = Sqrt()
log = Log(1)
rex = Rex()
sine = Sine()
