"""Shapes with parameters: powers, exponentials and hyperbolic tangents.

As in `basic`, u is the elapsed fraction of the phase and v = 1 - u the remaining one.
"""

from __future__ import annotations

import math

from funcsched.core.validation import argument_error, validated
from funcsched.numerics.double_word import logarithm
from funcsched.shapes.basic import linear
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
