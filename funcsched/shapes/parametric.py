"""Shapes with parameters: powers, exponentials, hyperbolic tangents, rational functions and parts of a cosine.

As in `basic`, u is the elapsed fraction of the phase and v = 1 - u the remaining one.
"""

from __future__ import annotations

import math

from funcsched.core.validation import argument_error, validated
from funcsched.numerics.cache import cached
from funcsched.numerics.double_word import HALF_PI, logarithm
from funcsched.shapes.basic import RationalCurve, cosine, linear, rex
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight


class Power(Shape):
    __slots__ = fields = ("exponent",)
    factory = "power"
    static = frozenset(fields)

    exponent: float

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        p, power = self.exponent, xp.power
        if p == int(p):
            return xp.formula(steps, lambda u: power(u, p), (lambda u: p * power(u, p - 1)) if p > 2 else None)

        # Other powers are computed with logarithms, and their derivative at 0 may be infinite. `0.0 * u` keeps a NaN.
        def above_zero(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
            return lambda u: xp.where(u > 0, f(xp.where(u > 0, u, 1.0)), 0.0 * u)

        f, slope = above_zero(lambda u: power(u, p)), above_zero(lambda u: p * power(u, p - 1))
        return xp.formula(steps, f, slope if p > 2 else None)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        p, fraction = self.exponent, xp.fraction(steps)

        # 1 - u**n = v (1 + u + ... + u**(n - 1)), which takes fewer operations than logarithms if n is small.
        def of_small_integer(remaining: Any, elapsed: Any) -> Any:
            u, total = fraction(elapsed, remaining), 1.0
            for _ in range(int(p) - 1):
                total = total * u + 1.0
            return fraction(remaining, elapsed) * total

        # 1 - u**p = -expm1(p log(u)). Late in the phase, log(u) = log1p(-v) is the accurate logarithm. 0.5 replaces the
        # argument of the logarithm that is not used, whose gradient could be NaN.
        def of_any_exponent(remaining: Any, elapsed: Any) -> Any:
            u, v = fraction(elapsed, remaining), fraction(remaining, elapsed)
            late = v <= 0.5
            early_log = xp.log(xp.where(late | (u <= 0), 0.5, u))
            log_u = xp.where(late, xp.log1p(-xp.where(late, v, 0.5)), early_log)
            return xp.where(u <= 0, 1.0, -xp.expm1(p * log_u))

        return of_small_integer if p in (2, 3, 4) else of_any_exponent


def power(exponent: float) -> Shape:
    """A power of the elapsed fraction u.

    ``u ** exponent``

    Args:
        exponent: the exponent (float, above 0 and at most 1000). Above 1 the shape starts flat, below 1 steep; 1 is
            `linear`.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: `exponent` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> [fs.ramp(0.0, 1.0, steps=10, shape=fs.power(2))(step) for step in (0, 5, 10)]
        [0.0, 0.25, 1.0]

    In other libraries:
        timm: the decay_fn power of WSDLRScheduler, `1 - u ** decay_power`

    Source: the shape of polynomial decays, such as that of BERT and torch's PolynomialLR, which is `reverse` of this.
    """
    return Power(*validated("power", exponent=exponent))


class Exponential(Shape):
    __slots__ = fields = ("ratio",)
    factory = "exponential"
    static = frozenset(fields)

    ratio: float

    # rise = (1 - ratio**u) / (1 - ratio), and fall = ratio * (ratio**-v - 1) / (1 - ratio). With w = |log(ratio)|, the
    # powers are exp(-w u) and exp(w v) if the ratio is below 1, and exp(w u) and exp(-w v) if it is above.
    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return self._saturating(xp, steps, 1.0) if self.ratio < 1 else self._growing(xp, steps, 1.0)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return self._growing(xp, steps, self.ratio) if self.ratio < 1 else self._saturating(xp, steps, self.ratio)

    def _saturating(self, xp: NumberSystem, steps: Any, scale: float) -> Weight:
        c, exp, expm1 = scale / abs(1.0 - self.ratio), xp.exp, xp.expm1
        return xp.formula(steps, lambda x: -c * expm1(-x), lambda x: c * exp(-x), self._w())

    def _growing(self, xp: NumberSystem, steps: Any, scale: float) -> Weight:
        c, exp, expm1 = scale / abs(1.0 - self.ratio), xp.exp, xp.expm1
        return xp.formula(steps, lambda x: c * expm1(x), lambda x: c * exp(x), self._w())

    def _w(self) -> tuple[float, float]:
        hi, lo = logarithm(self.ratio)
        return (hi, lo) if hi > 0 else (-hi, -lo)


def exponential(ratio: float) -> Shape:
    """An exponential function of the elapsed fraction u, scaled to run from 0 to 1.

    ``(1 - ratio**u) / (1 - ratio)``

    A decay from 1 to `end` with ``exponential(end)`` is ``end ** u``: a straight line on a logarithmic axis.

    Args:
        ratio: factor by which the distance to the asymptote changes over the phase (float, 1e-30 to 1e30). Below 1 the
            shape starts steep, above 1 flat; 1 is `linear`.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: `ratio` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.01, steps=10, shape=fs.exponential(0.01))
        >>> [round(schedule(step), 12) for step in (0, 5, 10)]
        [1.0, 0.1, 0.01]

    In other libraries:
        fairseq: the decay of tri_stage
        Megatron: exponential, ratio 0.5
        timm: decay_fn exp

    Source: the exponential decays of fairseq's tri_stage, and of WSD in Megatron-LM (ratio 0.5) and timm.
    """
    (ratio,) = validated("exponential", ratio=ratio)
    return linear if ratio == 1 else Exponential(ratio)


class Tanh(Shape):
    __slots__ = fields = ("lower", "upper")
    factory = "tanh"
    static = frozenset(fields)

    lower: float
    upper: float

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return _tanh(xp, self.lower, self.upper, steps)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return _tanh(xp, -self.upper, -self.lower, steps)


def _tanh(xp: NumberSystem, lower: float, upper: float, steps: Any) -> Weight:
    """The weight of `rise` as a quotient of exponentials, in which nothing cancels.

    With ``t = 2 * (upper - lower) * u``, ``tanh(x) - tanh(lower)`` is proportional to
    ``(1 - exp(-t)) / (1 + exp(-2 * lower) * exp(-t))``.
    """
    width = upper - lower
    # The rounding error of `width`.
    error = (upper - (width + lower)) if abs(upper) > abs(lower) else ((upper - width) - lower)
    skew = math.exp(-2.0 * lower)
    scale = (1.0 + math.exp(-2.0 * upper)) / -math.expm1(-2.0 * width)
    return xp.formula(
        steps,
        lambda t: -scale * xp.expm1(-t) / (1.0 + skew * xp.exp(-t)),
        lambda t: scale * (1.0 + skew) / (1.0 + skew * xp.exp(-t)) * (1.0 / (xp.exp(t) + skew)),
        (2.0 * width, 2.0 * error),
    )


def tanh(lower: float, upper: float) -> Shape:
    """The hyperbolic tangent from `lower` to `upper`, scaled to run from 0 to 1.

    ``(tanh(x) - tanh(lower)) / (tanh(upper) - tanh(lower))`` with ``x = lower + (upper - lower) * u``

    Args:
        lower: argument of the tangent at the beginning of the phase (float, -40 to 40).
        upper: argument of the tangent at the end of the phase (float, -40 to 40), above `lower`.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `lower` is not below `upper`.

    Example:
        >>> import funcsched as fs
        >>> [fs.tanh(-3.0, 3.0)(fraction) for fraction in (0.0, 0.5, 1.0)]
        [0.0, 0.5, 1.0]

    In other libraries:
        timm: TanhLRScheduler, without the scaling; at u = 1 its default is at 0.0025

    Source: Hsueh et al. 2018, arXiv:1806.01593. timm's TanhLRScheduler has lower -7 and upper 3, without the scaling.
    """
    lower, upper = validated("tanh", lower=lower, upper=upper)
    if lower >= upper:
        raise argument_error("tanh", "lower", f"below `upper` ({upper!r})", lower)
    return Tanh(lower, upper)


class Rational(RationalCurve):
    __slots__ = fields = ("d",)
    factory = "rational"
    static = frozenset(fields)


def rational(d: float) -> Shape:
    """A rational function of the elapsed fraction u, flat at the beginning and steep at the end.

    ``(1 - d) u / (1 - d u)``, and as a decay ``(1 - u) / (1 - d u)``

    Args:
        d: how late the curve rises (float, at least 0 and below 1). 0 is `linear`, and 0.5 is `rex`.

    Returns:
        A shape.

    Raises:
        TypeError, ValueError: `d` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.0, steps=10, shape=fs.rational(0.8))
        >>> [round(schedule(step), 12) for step in (0, 5, 10)]
        [1.0, 0.833333333333, 0.0]
        >>> fs.rational(0.5)
        rex

    In other libraries:
        axolotl: RexLR, d 0.9
        OneTrainer: REX, d 0.9

    Source: Chen et al. 2021 (REX, with d 0.5), arXiv:2107.04197.
    """
    (d,) = validated("rational", d=d)
    return linear if d == 0 else rex if d == 0.5 else Rational(d)


class TruncatedCosine(Shape):
    __slots__ = fields = ("fraction",)
    factory = "truncated_cosine"
    static = frozenset(fields)

    fraction: float

    # With a = pi/2 * fraction, rise = sin(a u)**2 / sin(a)**2, and fall = sin(a v) sin(2 a - a v) / sin(a)**2.
    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        sin, (angle, c, _, _) = xp.sin, _constants_of_cosine(self.fraction)

        def f(x: Any) -> Any:
            y = sin(x)
            return c * (y * y)

        return xp.formula(steps, f, lambda x: c * sin(2.0 * x), angle)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        sin, cos, (angle, c, p, q) = xp.sin, xp.cos, _constants_of_cosine(self.fraction)
        if self.fraction <= 0.5:
            b = 2.0 * angle[0]
            return xp.formula(steps, lambda x: c * (sin(x) * sin(b - x)), lambda x: c * sin(b - 2.0 * x), angle)
        # 2 a - a v may be close to pi, where its sine loses digits. In p cos(a v) + q sin(a v) nothing cancels.
        return xp.formula(
            steps,
            lambda x: sin(x) * (p * cos(x) + q * sin(x)),
            lambda x: p * cos(2.0 * x) + q * sin(2.0 * x),
            angle,
        )


@cached
def _constants_of_cosine(fraction: float) -> tuple[tuple[float, float], float, float, float]:
    """With a = pi/2 * fraction: a as a double-word, 1 / sin(a)**2, 2 / tan(a) and 1 - 1 / tan(a)**2, rounded once."""
    from decimal import Context, Decimal, localcontext  # imported here because most schedules do not need it

    with localcontext(Context(prec=50)):
        angle = (Decimal(HALF_PI[0]) + Decimal(HALF_PI[1])) * Decimal(fraction)
        term, sine, cosine = Decimal(1), Decimal(0), Decimal(0)
        for k in range(0, 50, 2):  # the series of both functions
            cosine, term = cosine + term, term * angle / (k + 1)
            sine, term = sine + term, -term * angle / (k + 2)
        cot = cosine / sine
        hi = float(angle)
        return (hi, float(angle - Decimal(hi))), float(1 + cot * cot), float(2 * cot), float(1 - cot * cot)


def truncated_cosine(fraction: float) -> Shape:
    """The beginning of half a cosine wave, scaled to run from 0 to 1: flat at the beginning, steep at the end.

    ``(1 - cos(pi fraction u)) / (1 - cos(pi fraction))`` for the elapsed fraction u of the phase

    Args:
        fraction: part of the half wave that the phase covers (float, 0.001 to 1). 1 is `cosine`. For a cosine over a
            longer horizon, it is the length of the phase divided by that horizon.

    Returns:
        A shape, whose error is at most 5 ulp.

    Raises:
        TypeError, ValueError: `fraction` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.ramp(1.0, 0.0, steps=90, shape=fs.truncated_cosine(0.5))  # cos(pi/2 * step / 90)
        >>> [round(schedule(step), 12) for step in (0, 60, 90)]
        [1.0, 0.5, 0.0]

    In other libraries:
        DINOv3: trunc_extra of its CosineScheduler; `fraction` is `(n - 1) / (int((1 + trunc_extra) * n) - 1)` for a
            cosine of n steps

    Source: Sohn et al. 2020 (FixMatch), arXiv:2001.07685: its decay is
    ``ramp(1, cos(7 pi / 16), steps=steps, shape=truncated_cosine(7 / 16))``.
    """
    (fraction,) = validated("truncated_cosine", fraction=fraction)
    return cosine if fraction == 1 else TruncatedCosine(fraction)
