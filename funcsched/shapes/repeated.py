"""Shapes that repeat a curve during one phase: waves and restarts. Recipes with a number of cycles use them."""

from __future__ import annotations

from funcsched.numerics.periodic import fold, simple_fraction
from funcsched.shapes.basic import cosine
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight


class Repeated(Shape):
    """A shape that is run through several times, each time over an equal part of the phase."""

    __slots__ = ()

    shape: Shape

    def repetition(self, xp: NumberSystem, steps: Any) -> tuple[NumberSystem, Any, Any]:
        """The number system, the period and the position function of one repetition; see `periodic.fold`."""
        raise NotImplementedError

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        xp, period, position = self.repetition(xp, steps)
        rise = self.shape.rise(xp, period)
        return lambda elapsed, remaining: rise(*position(elapsed, remaining))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        xp, period, position = self.repetition(xp, steps)
        fall = self.shape.fall(xp, period)
        return lambda remaining, elapsed: fall(*position(elapsed, remaining)[::-1])


class Waves(Repeated):
    """``numerator / denominator`` half-cosines, alternately up and down."""

    __slots__ = fields = ("numerator", "denominator")
    factory = "waves"
    static = frozenset(fields)
    exact = True
    shape = cosine

    numerator: int | float
    denominator: int

    def repetition(self, xp: NumberSystem, steps: Any) -> tuple[NumberSystem, Any, Any]:
        return fold(xp, self.numerator, self.denominator, steps, mirror=True)

    def weights(self, xp: NumberSystem, steps: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        rise, fall = self.rise(xp, steps), self.fall(xp, steps)  # a wave may end anywhere, so only its start is set
        return lambda elapsed, remaining: (
            rise(elapsed, remaining),
            xp.where(elapsed <= 0, 1.0, fall(remaining, elapsed)),
        )


def waves(cycles: float) -> Shape:
    """Cosine waves: ``(1 - cos(2 pi cycles u)) / 2`` for the elapsed fraction u. `cosine` is half a wave."""
    return Waves(*simple_fraction(2.0 * cycles))


class Restarts(Repeated):
    """The shape `cycles` times in a row: ``shape(cycles * u mod 1)`` for the elapsed fraction u, and 1 at the end."""

    __slots__ = fields = ("shape", "cycles")
    factory = "restarts"
    static = frozenset(fields)

    cycles: int

    def repetition(self, xp: NumberSystem, steps: Any) -> tuple[NumberSystem, Any, Any]:
        return fold(xp, self.cycles, 1, steps, mirror=False)
