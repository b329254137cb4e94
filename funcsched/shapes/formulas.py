"""The curves: how a phase goes from 0 to 1. The only file with formulas of the fraction ``u`` of a phase.

With ``v = 1 - u``, the fraction that remains, `rise` has a formula of u, and `fall` the same curve as a formula of v.
The derivative stands beside a formula that more than doubles the relative error of its argument.
"""

from __future__ import annotations

import math

from funcsched.core.validation import argument_error, integer_cycles, validated
from funcsched.numerics.double_word import HALF_PI, logarithm
from funcsched.numerics.periodic import fold, simple_fraction
from funcsched.shapes.shape import Compose, Folded, Restarts, Reverse, Shape, Symmetric, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight
    from funcsched.numerics.periodic import Position


class Named(Shape):
    """A shape without parameters, whose expression is its name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self.factory


class Linear(Symmetric, Named):
    """``u``, the fraction of the phase.

    Source: the decay of Devlin et al. 2018, arXiv:1810.04805, section A.2.
    """

    __slots__ = ()
    factory = "linear"
    exact = True

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return xp.fraction(steps)


class Cosine(Symmetric, Named):
    """``(1 - cos(pi u)) / 2 = sin(pi/2 u)**2``: half a wave, flat at both ends.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5.
    """

    __slots__ = ()
    factory = "cosine"
    exact = True

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        sin = xp.sin

        def squared_sine(x: Any) -> Any:
            y = sin(x)
            return y * y

        return xp.formula(steps, squared_sine, constant=HALF_PI)


class Power(Shape):
    """``u ** exponent``"""

    __slots__ = fields = ("exponent",)
    factory = "power"
    static = frozenset(fields)

    exponent: float

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        p, power = self.exponent, xp.power
        if p == int(p):
            return xp.formula(steps, lambda u: power(u, p), (lambda u: p * power(u, p - 1)) if p > 2 else None)

        # Powers are computed by logarithms, and a root has an infinite slope at 0.
        def positive(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
            return lambda u: xp.where(u > 0, f(xp.where(u > 0, u, 1.0)), 0.0 * u)

        f, slope = positive(lambda u: power(u, p)), positive(lambda u: p * power(u, p - 1))
        return xp.formula(steps, f, slope if p > 2 else None)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        p, fraction = self.exponent, xp.fraction(steps)

        # 1 - u**n = v (1 + u + ... + u**(n - 1)): for a few terms fewer operations than logarithms.
        def of_small_integer(remaining: Any, elapsed: Any) -> Any:
            u, total = fraction(elapsed, remaining), 1.0
            for _ in range(int(p) - 1):
                total = total * u + 1.0
            return fraction(remaining, elapsed) * total

        # 1 - u**p = -expm1(p log(u)), with the logarithm from the side where it is accurate.
        def of_any(remaining: Any, elapsed: Any) -> Any:
            u, v = fraction(elapsed, remaining), fraction(remaining, elapsed)
            late = v <= 0.5
            early = xp.log(xp.where(late | (u <= 0), 0.5, u))
            log_u = xp.where(late, xp.log1p(-xp.where(late, v, 0.5)), early)
            return xp.where(u <= 0, 1.0, -xp.expm1(p * log_u))

        return of_small_integer if p in (2, 3, 4) else of_any


class Waves(Folded):
    """Half-cosines up and down again, numerator / denominator of them."""

    __slots__ = fields = ("numerator", "denominator")
    factory = "waves"
    static = frozenset(fields)
    exact = True

    numerator: int | float
    denominator: int

    def folded(self, xp: NumberSystem, steps: Any) -> tuple[Shape, Any, Any, Position]:
        return cosine, *fold(xp, self.numerator, self.denominator, steps, mirror=True)


class Sqrt(Named):
    """``sqrt(u)``: run downwards, the 1-sqrt cooldown.

    Source: Hagele et al. 2024, arXiv:2405.18392, section 3.
    """

    __slots__ = ()
    factory = "sqrt"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction = xp.fraction(steps)

        def root(elapsed: Any, remaining: Any) -> Any:
            u = fraction(elapsed, remaining)
            return xp.where(u > 0, xp.sqrt(xp.where(u > 0, u, 1.0)), 0.0 * u)  # the slope at 0 is infinite

        return root

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction, root = xp.fraction(steps), self.rise(xp, steps)
        # 1 - sqrt(u) = v / (1 + sqrt(u))
        return lambda remaining, elapsed: fraction(remaining, elapsed) / (1.0 + root(elapsed, remaining))


class Exponential(Shape):
    """``(1 - ratio**u) / (1 - ratio)``"""

    __slots__ = fields = ("ratio",)
    factory = "exponential"
    static = frozenset(fields)

    ratio: float

    # With w = |log(ratio)|, 1 - ratio**u is 1 - exp(-w u) below ratio 1, and exp(w u) - 1 above it.
    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return self._saturating(xp, steps, 1.0) if self.ratio < 1 else self._growing(xp, steps, 1.0)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return self._growing(xp, steps, self.ratio) if self.ratio < 1 else self._saturating(xp, steps, self.ratio)

    def _saturating(self, xp: NumberSystem, steps: Any, scale: float) -> Weight:
        c, exp, expm1 = scale / abs(1.0 - self.ratio), xp.exp, xp.expm1
        return xp.formula(steps, lambda x: -c * expm1(-x), lambda x: c * exp(-x), self._rate())

    def _growing(self, xp: NumberSystem, steps: Any, scale: float) -> Weight:
        c, exp, expm1 = scale / abs(1.0 - self.ratio), xp.exp, xp.expm1
        return xp.formula(steps, lambda x: c * expm1(x), lambda x: c * exp(x), self._rate())

    def _rate(self) -> tuple[float, float]:
        hi, lo = logarithm(self.ratio)
        return (hi, lo) if hi > 0 else (-hi, -lo)


class Log(Named):
    """``log(1 + step) / log(1 + steps)`` of a phase of `steps` steps: the longer it is, the steeper its beginning.

    Source: the logarithmic warmup of DeepSpeed's WarmupLR.
    """

    __slots__ = fields = ("unit",)
    factory = "log"
    static = frozenset(fields)

    unit: Any  # steps that count as one

    def stretched(self, factor: Any) -> Shape:
        return Log(self.unit * factor)

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        log1p, to_float, unit, end = xp.log1p, xp.to_float, xp.to_float(self.unit), self._end(xp, steps)
        return lambda elapsed, remaining: log1p(to_float(elapsed) / unit) / end

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        log1p, to_float, unit, end = xp.log1p, xp.to_float, xp.to_float(self.unit), self._end(xp, steps)
        return lambda remaining, elapsed: log1p(to_float(remaining) / (to_float(elapsed) + unit)) / end

    def _end(self, xp: NumberSystem, steps: Any) -> Any:
        return xp.log1p(xp.level(xp.to_float(steps) / xp.to_float(self.unit)))


class Tanh(Shape):
    """``(tanh(lower + (upper - lower) u) - tanh(lower)) / (tanh(upper) - tanh(lower))``"""

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
    """Both differences of tanh as quotients of exponentials, in which nothing cancels."""
    width = upper - lower
    error = (upper - (width + lower)) if abs(upper) > abs(lower) else ((upper - width) - lower)
    skew = math.exp(-2.0 * lower)
    scale = (1.0 + math.exp(-2.0 * upper)) / -math.expm1(-2.0 * width)
    return xp.formula(
        steps,
        lambda x: -scale * xp.expm1(-x) / (1.0 + skew * xp.exp(-x)),
        lambda x: scale * (1.0 + skew) / (1.0 + skew * xp.exp(-x)) * (1.0 / (xp.exp(x) + skew)),
        (2.0 * width, 2.0 * error),
    )


class Sine(Named):
    """``sin(pi/2 u)``: a quarter of a wave. Run downwards, the second half of a cosine decay.

    Source: HalfCosWithWarmup of OLMo-core.
    """

    __slots__ = ()
    factory = "sine"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return xp.formula(steps, xp.sin, constant=HALF_PI)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        def versed_sine(x: Any) -> Any:  # 1 - cos(x) = 2 sin(x / 2)**2
            y = xp.sin(0.5 * x)
            return 2.0 * (y * y)

        return xp.formula(steps, versed_sine, constant=HALF_PI)


class Rex(Named):
    """``u / (2 - u)``: run downwards, ``v / (1 - u / 2)``.

    Source: Chen et al. 2021 (REX), arXiv:2107.04197.
    """

    __slots__ = ()
    factory = "rex"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction = xp.fraction(steps)
        return lambda elapsed, remaining: fraction(elapsed, remaining) / (1.0 + fraction(remaining, elapsed))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction = xp.fraction(steps)

        def fall(remaining: Any, elapsed: Any) -> Any:
            v = fraction(remaining, elapsed)
            return 2.0 * v / (1.0 + v)

        return fall


def power(exponent: float) -> Shape:
    """The shape ``fraction ** exponent``.

    Args:
        exponent: above 0 and at most 1000. 1 is `linear`, 2 starts flat, 0.5 starts steep.

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
    return Power(*validated("power", exponent=exponent))


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
    (ratio,) = validated("exponential", ratio=ratio)
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
    lower, upper = validated("tanh", lower=lower, upper=upper)
    if lower >= upper:
        raise argument_error("tanh", "lower", f"below `upper` ({upper!r})", lower)
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
    inner = as_shape("reverse", "shape", shape)
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
    return Compose(as_shape("compose", "outer", outer), as_shape("compose", "inner", inner))


def waves(cycles: float) -> Shape:
    """The shape ``(1 - cos(2 pi cycles fraction)) / 2``: `cosine` is half a wave."""
    (cycles,) = validated("waves", cycles=cycles)
    return Waves(*simple_fraction(2.0 * cycles))


def restarts(shape: Shape, cycles: int) -> Shape:
    """`shape` run through `cycles` times, at once from its end back to its beginning."""
    return Restarts(shape, integer_cycles("restarts", "cycles", cycles))


linear = Linear()
cosine = Cosine()
sqrt = Sqrt()
log = Log(1)
rex = Rex()
sine = Sine()
