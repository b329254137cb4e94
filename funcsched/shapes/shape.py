"""What a shape is, and shapes made of shapes.

A shape gives two weights: `rise`, which goes from 0 to 1, and `fall` = 1 - rise. Each is accurate to the last place
where it is small, which the difference from 1 would not be. A weight is a function of two counts of steps:
``rise(elapsed, remaining)`` and ``fall(remaining, elapsed)``. It is exactly 0 where its first count is 0. The ramp that
uses it takes care of the other end, where it is 1 up to rounding.
"""

from __future__ import annotations

from funcsched.core.schedule import Schedule, evaluate
from funcsched.core.validation import argument_error
from funcsched.core.value import Value
from funcsched.numerics.periodic import fold
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight
    from funcsched.numerics.periodic import Position


class Shape(Value):
    """A curve from 0 to 1 on the fraction of a phase: the `shape` of a `ramp`.

    Call it with a fraction in [0, 1], a Python float or an array of floats, to evaluate the curve itself; outside,
    the ends are held.

    Example:
        >>> import funcsched as fs
        >>> fs.cosine(0.0), fs.linear(0.25), fs.power(2)(0.5), fs.cosine(1.0)
        (0.0, 0.25, 0.25, 1.0)
    """

    __slots__ = ()
    takes_steps = False  # callable, but of fractions
    symmetric = False  # whether `fall` is the same function as `rise`
    exact = False  # whether weights are at most 1, and exactly 1 wherever the curve reaches it, if steps are concrete

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        """The weight of a phase of `steps` steps: of the elapsed steps and of the remaining ones."""
        raise NotImplementedError

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        """1 - rise: of the remaining steps and of the elapsed ones."""
        raise NotImplementedError

    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        """Both weights together, of the elapsed steps and of the remaining ones, exactly 1 at their ends."""
        rise, fall = one_at_end(xp, self.rise(xp, steps)), one_at_end(xp, self.fall(xp, steps))
        return lambda elapsed, remaining: (rise(elapsed, remaining), fall(remaining, elapsed))

    def stretched(self, factor: Any) -> Shape:
        """The same curve in a phase that is `factor` times as long."""
        return self

    def at(self, step: Step) -> Any:
        elapsed, remaining = step.phase(1)
        value = step.xp.minimum(self.rise(step.xp, 1)(elapsed, remaining), 1.0)
        return value if self.exact else step.xp.where(remaining <= 0, 1.0, value)

    def __call__(self, fraction: Any) -> Any:
        return evaluate(self, fraction)


def one_at_end(xp: NumberSystem, weight: Weight) -> Weight:
    """The same weight, exactly 1 where the second count is 0."""
    return lambda count, other: xp.where(other <= 0, 1.0, weight(count, other))


class Symmetric(Shape):
    """A curve that is the same when it is run backwards."""

    __slots__ = ()
    symmetric = True

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return self.rise(xp, steps)


class Custom(Shape):
    """A user's function of the fraction, taken to be 0 at 0 and 1 at 1."""

    __slots__ = fields = ("function",)
    factory = "shape"
    static = frozenset(fields)

    function: Callable[[Any], Any]

    def __repr__(self) -> str:
        return repr(self.function)

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        function, fraction = self.function, xp.fraction(steps)
        return lambda elapsed, remaining: xp.where(elapsed <= 0, 0.0, function(fraction(elapsed, remaining)))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        function, fraction = self.function, xp.fraction(steps)
        return lambda remaining, elapsed: xp.where(remaining <= 0, 0.0, 1.0 - function(fraction(elapsed, remaining)))


class Reverse(Shape):
    """``1 - shape(1 - u)``: the same curve run backwards, from 1 down to 0, upside down."""

    __slots__ = fields = ("shape",)
    factory = "reverse"
    static = frozenset(fields)

    shape: Shape

    def stretched(self, factor: Any) -> Shape:
        return Reverse(self.shape.stretched(factor))

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return self.shape.fall(xp, steps)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return self.shape.rise(xp, steps)

    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        both = self.shape.weights(xp, steps)
        return lambda elapsed, remaining: both(remaining, elapsed)[::-1]


class Compose(Shape):
    """``outer(inner(u))``: the weights of `inner` are the fractions of `outer`."""

    __slots__ = fields = ("outer", "inner")
    factory = "compose"
    static = frozenset(fields)

    outer: Shape
    inner: Shape

    def stretched(self, factor: Any) -> Shape:
        return Compose(self.outer, self.inner.stretched(factor))

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        inner, rise = self.inner.weights(xp, steps), self.outer.rise(xp, 1)
        return lambda elapsed, remaining: rise(*inner(elapsed, remaining))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        inner, fall = self.inner.weights(xp, steps), self.outer.fall(xp, 1)
        return lambda remaining, elapsed: fall(*inner(elapsed, remaining)[::-1])

    # With two separate weights, nested compositions would evaluate the innermost shape twice as often at each level.
    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        inner, outer = self.inner.weights(xp, steps), self.outer.weights(xp, 1)
        return lambda elapsed, remaining: outer(*inner(elapsed, remaining))


class Folded(Shape):
    """Repetitions of a curve, each on its own part of the phase."""

    __slots__ = ()

    def folded(self, xp: NumberSystem, steps: Any) -> tuple[Shape, Any, Any, Position]:
        """The curve, and the number system, period and position of a repetition."""
        raise NotImplementedError

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        curve, xp, period, position = self.folded(xp, steps)
        rise = curve.rise(xp, period)
        return lambda elapsed, remaining: rise(*position(elapsed, remaining))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        curve, xp, period, position = self.folded(xp, steps)
        fall = curve.fall(xp, period)
        return lambda remaining, elapsed: fall(*position(elapsed, remaining)[::-1])


class Restarts(Folded):
    """`cycles` times the same curve, each starting anew."""

    __slots__ = fields = ("shape", "cycles")
    factory = "restarts"
    static = frozenset(fields)

    shape: Shape
    cycles: int

    def folded(self, xp: NumberSystem, steps: Any) -> tuple[Shape, Any, Any, Position]:
        return self.shape, *fold(xp, self.cycles, 1, steps, mirror=False)


def as_shape(function: str, argument: str, value: Any) -> Shape:
    """The rule of an argument that is a shape or any function of the fraction."""
    if not callable(value) or isinstance(value, Schedule):  # which is callable, but of steps
        wanted = "a shape, such as cosine without quotes, or a function of the fraction"
        raise argument_error(function, argument, wanted, value, TypeError)
    return value if isinstance(value, Shape) else Custom(value)
