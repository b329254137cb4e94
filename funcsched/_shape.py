"""What a shape is, and shapes made of shapes.

A shape gives two weights, each accurate to the last place where it is small: `rise`, which goes from 0 to 1 with the
elapsed steps, and `fall` = 1 - rise, which goes to 0 with the remaining ones. Subtracting one from 1 would lose the
other. Each comes with a flag that says where the weight stands for exactly 1, or None where its formula gives 1 itself.
"""

from __future__ import annotations

from funcsched._check import refuse
from funcsched._exact import SHARE, at_least_one
from funcsched._fold import fold
from funcsched._step import Step
from funcsched._value import Value
from funcsched.schedule import Schedule, evaluate

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
    of_steps = False  # callable, but of fractions
    final = 1.0  # the weight at the end of the phase
    symmetric = False  # whether fall is rise with the counts exchanged

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        """rise and fall over a phase of `steps` steps."""
        raise NotImplementedError

    def both(self, xp: Any, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        """rise and fall together, with 1 put in where it is flagged."""
        weights = self.weights(xp, steps)

        def both(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
            found = [weight(elapsed, remaining) for weight in weights]
            up, down = (value if top is None else xp.where(top, 1.0, value) for value, top in found)
            return up, down

        return both

    def row(self, xp: Any, steps: int, low: float, high: float) -> tuple[bool, tuple[Any, ...]] | None:
        """Whether a ramp up, or with negative steps down, meets `high` exactly, and the numbers that `risen` takes.

        One that does not meet it goes beyond. None for a shape that has no `risen`.
        """
        return None

    flat: tuple[Any, ...] = ()  # the numbers of a ramp that does not rise

    def risen(self, xp: Any, count: Any, *rows: Any) -> Any:
        """The rise of several ramps over their lower levels, each at a count from there."""
        raise NotImplementedError

    def stretched(self, factor: Any) -> Shape:
        """The same curve where every step has become `factor` steps."""
        return self

    def at(self, step: Step) -> Any:
        rise, _ = self.weights(step.xp, 1)
        weight, top = rise(*step.phase(1))
        return weight if top is None else step.xp.where(top, 1.0, weight)

    def __call__(self, fraction: Any) -> Any:
        return evaluate(self, fraction)


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


def shaped(function: str, argument: str, value: Any) -> Shape:
    """The rule of an argument that is a shape or any function of the fraction."""
    if not callable(value) or isinstance(value, Schedule):  # which is callable, but of steps
        wanted = "a shape, such as cosine without quotes, or a function of the fraction"
        raise refuse(function, argument, wanted, value, TypeError)
    return value if isinstance(value, Shape) else Custom(value)


class Reverse(Shape):
    """The same curve run backwards, from 1 down to 0, upside down."""

    __slots__ = fields = ("shape",)
    factory = "reverse"
    static = frozenset(fields)

    shape: Shape

    def stretched(self, factor: Any) -> Shape:
        return Reverse(self.shape.stretched(factor))

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        rise, fall = self.shape.weights(xp, steps)
        return (
            lambda elapsed, remaining: fall(remaining, elapsed),
            lambda elapsed, remaining: rise(remaining, elapsed),
        )

    def both(self, xp: Any, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        both = self.shape.both(xp, steps)
        return lambda elapsed, remaining: both(remaining, elapsed)[::-1]


class Compose(Shape):
    """One curve on the fraction that another gives."""

    __slots__ = fields = ("outer", "inner")
    factory = "compose"
    static = frozenset(fields)

    outer: Shape
    inner: Shape

    def stretched(self, factor: Any) -> Shape:
        return Compose(self.outer, self.inner.stretched(factor))

    def weights(self, xp: Any, steps: Any) -> tuple[Weight, Weight]:
        inner = self.inner.both(xp, steps)
        rise, fall = self.outer.weights(xp.for_floats(), SHARE)
        return (
            lambda elapsed, remaining: rise(*inner(elapsed, remaining)),
            lambda elapsed, remaining: fall(*inner(elapsed, remaining)),
        )

    # Asked one by one, shapes inside each other would be asked twice as often at each level.
    def both(self, xp: Any, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        inner, outer = self.inner.both(xp, steps), self.outer.both(xp.for_floats(), SHARE)
        return lambda elapsed, remaining: outer(*inner(elapsed, remaining))


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
