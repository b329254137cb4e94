"""Shapes made from other shapes: reversed and composed."""

from __future__ import annotations

from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight


class Reverse(Shape):
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
        weights = self.shape.weights(xp, steps)
        return lambda elapsed, remaining: weights(remaining, elapsed)[::-1]


def reverse(shape: Shape | Callable[[Any], Any]) -> Shape:
    """The same shape, run backwards. A ramp down with it is the ramp up with `shape` in reverse order.

    ``1 - shape(1 - u)`` for the elapsed fraction u

    Args:
        shape: a shape, or a function of the fraction. ``reverse(power(exponent))`` is the polynomial decay.

    Returns:
        A shape.

    Raises:
        TypeError: `shape` is neither a shape nor a function.

    Example:
        >>> import funcsched as fs
        >>> [fs.ramp(1.0, 0.0, steps=10, shape=fs.reverse(fs.power(2)))(step) for step in (0, 5, 10)]
        [1.0, 0.25, 0.0]

    In other libraries:
        transformers: polynomial
        optax: polynomial_schedule
        torch: PolynomialLR
        Keras: PolynomialDecay
        fairseq: polynomial_decay
        big_vision: decay_type polynomial
    """
    inner = as_shape("reverse", "shape", shape)
    return inner if inner.symmetric else Reverse(inner)


class Compose(Shape):
    """A composition. The weights of `inner` are the counts of `outer`, in a phase of one step."""

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

    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        inner, outer = self.inner.weights(xp, steps), self.outer.weights(xp, 1)
        return lambda elapsed, remaining: outer(*inner(elapsed, remaining))


def compose(outer: Shape | Callable[[Any], Any], inner: Shape | Callable[[Any], Any]) -> Shape:
    """One shape as a function of another.

    ``outer(inner(u))`` for the elapsed fraction u

    Args:
        outer: a shape, or a function of the fraction.
        inner: a shape, or a function of the fraction. Its value is the fraction at which `outer` is evaluated.

    Returns:
        A shape. `outer` amplifies the rounding error of `inner`: a power by its exponent, a cosine by 2.

    Raises:
        TypeError: an argument is neither a shape nor a function.

    Example:
        >>> import funcsched as fs
        >>> k_decay = fs.compose(fs.cosine, fs.power(2))
        >>> squared_cosine_decay = fs.reverse(fs.compose(fs.power(2), fs.cosine))  # ((1 + cos(pi u)) / 2) ** 2
        >>> shapes = k_decay, squared_cosine_decay
        >>> [round(fs.ramp(1.0, 0.0, steps=10, shape=shape)(5), 6) for shape in shapes]
        [0.853553, 0.25]

    In other libraries:
        timm: k_decay of CosineLRScheduler
        optax: exponent of cosine_decay_schedule, as `reverse(compose(power(exponent), cosine))`

    Source: k-decay is from Zhang and Li 2020, arXiv:2004.05909, and timm. The exponent of a cosine decay is from
    optax.cosine_decay_schedule.
    """
    return Compose(as_shape("compose", "outer", outer), as_shape("compose", "inner", inner))
