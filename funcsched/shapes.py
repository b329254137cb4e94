"""The curves: how a phase goes from 0 to 1. The only file with formulas.

A shape gives two weights, each accurate to the last place where it is small: `rise`, which goes from 0 to 1 with the
elapsed steps, and `fall` = 1 - rise, which goes to 0 with the remaining ones. Subtracting one from 1 would lose the
other. Each comes with a flag that says where the weight stands for exactly 1, or None where its formula gives 1 itself.
"""

from __future__ import annotations

from funcsched._check import callable_, checked, whole_cycles
from funcsched._exact import HALF_PI, ONE, at_least_one, known, multiple
from funcsched._fold import fold, ratio
from funcsched._step import Step
from funcsched._value import Value
from funcsched.schedule import evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Weight = Callable[[Any, Any], tuple[Any, Any]]  # of the elapsed and the remaining steps


class Shape(Value):
    """A curve from 0 to 1 on the fraction of a phase: the `shape` of a `ramp`.

    Call it with a fraction in [0, 1], a Python float or an array of floats, to look at the curve itself; outside,
    the ends hold.

    Example:
        >>> import funcsched as fs
        >>> fs.cosine(0.0), fs.linear(0.25), fs.power(2)(0.5), fs.cosine(1.0)
        (0.0, 0.25, 0.25, 1.0)
    """

    __slots__ = ()
    final = 1.0  # the weight at the end of the phase
    symmetric = False  # whether fall is rise with the counts exchanged

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        """rise and fall over a phase of `steps` steps."""
        raise NotImplementedError

    def at(self, step: Step) -> Any:
        rise, _ = self.weights(step.xp, 1)
        weight, top = rise(*step.phase(1))
        return weight if top is None else step.xp.where(top, 1.0, weight)

    def __call__(self, fraction: Any) -> Any:
        return evaluate(self, fraction)


class Linear(Shape):
    """``fraction``"""

    __slots__ = ()
    factory = "linear"
    symmetric = True

    def __repr__(self) -> str:
        return self.factory

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length, real, none = at_least_one(xp, steps), xp.real, xp.none

        exact = known(steps) and steps <= 1 << xp.bits

        # XLA multiplies by the reciprocal, which leaves the last step at 1 - 2**-24: hence the flag. In a longer phase
        # a count may be rounded to the whole length, but the other is 0 only at the end.
        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            count = real(elapsed)
            return count / length, count >= length if exact else none(remaining)

        return rise, lambda elapsed, remaining: rise(remaining, elapsed)


class Cosine(Shape):
    """``(1 - cos(pi fraction)) / 2``, computed as ``sin(pi/2 fraction)**2``: half a wave, flat at both ends."""

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


class Power(Shape):
    """``fraction ** exponent``"""

    __slots__ = fields = ("exponent",)
    factory = "power"
    static = frozenset(fields)

    exponent: float

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        exponent = self.exponent
        # The error of the fraction counts `exponent` times.
        fraction = multiple(xp, ONE, steps, twice=exponent > 2)

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            u, rest = fraction(elapsed)
            inside = u > 0
            base = xp.where(inside, u, 1.0)  # the derivative of a root is infinite at 0
            value = xp.power(base, exponent)
            if rest is not None:
                value = value + value * (exponent * rest / base)
            return xp.where(inside, value, 0.0 * u), xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            v, rest = fraction(remaining)
            late = v <= 0.5
            v = xp.where(late, v, 0.5)
            value = -xp.expm1(exponent * xp.log1p(-v))
            if rest is not None:
                value = value + xp.where(late, rest, 0.0) * exponent * xp.power(1.0 - v, exponent - 1.0)
            early = 1.0 - rise(elapsed, remaining)[0]
            return xp.where(late, value, early), xp.none(elapsed)

        return rise, fall


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


class Restarts(Shape):
    """`cycles` times the same curve, each beginning anew."""

    __slots__ = fields = ("shape", "cycles")
    factory = "restarts"
    static = frozenset(fields)

    shape: Shape
    cycles: int

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        position, system, period = fold(xp, self.cycles, 1, steps, mirror=False)
        rise, fall = self.shape.weights(system, period)
        return (
            lambda elapsed, remaining: rise(*position(elapsed, remaining)),
            lambda elapsed, remaining: fall(*position(elapsed, remaining)),
        )


class Custom(Shape):
    """A plain function of the fraction."""

    __slots__ = fields = ("function",)
    factory = "shape"
    static = frozenset(fields)

    function: Callable[[Any], Any]

    def __repr__(self) -> str:
        return repr(self.function)

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        length = at_least_one(xp, steps)

        def rise(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return self.function(xp.real(elapsed) / length), xp.none(remaining)

        def fall(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            return 1.0 - rise(elapsed, remaining)[0], xp.none(elapsed)

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
    """
    return Power(*checked("power", exponent=exponent))


def waves(cycles: float) -> Shape:
    """The shape ``(1 - cos(2 pi cycles fraction)) / 2``: `cosine` is half a wave."""
    (cycles,) = checked("waves", cycles=cycles)
    return Waves(*ratio(2.0 * cycles))


def restarts(shape: Shape, cycles: int) -> Shape:
    """`shape` run through `cycles` times, at once from its end back to its beginning."""
    return Restarts(shape, whole_cycles("restarts", "cycles", cycles))


def shaped(function: str, argument: str, value: Any) -> Shape:
    """The rule of an argument that is a shape or any function of the fraction."""
    return value if isinstance(value, Shape) else Custom(callable_(function, argument, value))


linear = Linear()
cosine = Cosine()
