"""Monotone cubic interpolation (PCHIP): a cubic polynomial for each interval, and the slopes where they meet."""

from __future__ import annotations

from itertools import pairwise

from funcsched.numerics.cache import cached
from funcsched.primitives.ramp import Ramp
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fractions import Fraction
    from typing import Any

    from funcsched.core.schedule import Schedule
    from funcsched.numerics.number_system import NumberSystem, Weight


class HermiteCubic(Shape):
    """A cubic polynomial from 0 to 1 with given slopes a at its start and b at its end, both from 0 to 3.

    With v = 1 - u, the weight is ``u (a v**2 + u (u + (3 - b) v))``, in which nothing cancels. The slopes are leaves,
    so that `join` looks them up in a table. So are ``3 - a`` and ``3 - b``, because a difference of two float32 would
    lose digits.
    """

    __slots__ = fields = ("start_slope", "end_slope", "start_rest", "end_rest")
    factory = "hermite_cubic"

    start_slope: float
    end_slope: float
    start_rest: float
    end_rest: float

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return _weight(xp, steps, self.start_slope, self.end_rest)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        return _weight(xp, steps, self.end_slope, self.start_rest)


def _weight(xp: NumberSystem, steps: Any, slope: Any, rest: Any) -> Weight:
    fraction = xp.fraction(steps)

    def weight(count: Any, other: Any) -> Any:
        u, v = fraction(count, other), fraction(other, count)
        return u * (slope * (v * v) + u * (u + rest * v))

    return weight


class CubicRamp(Ramp):
    """A ramp whose shape parameters are leaves, so that `join` puts them in its lookup table."""

    __slots__ = ()
    static = frozenset()


def cubic_ramps(boundaries: tuple[int, ...], levels: tuple[float, ...]) -> list[Schedule]:
    """A ramp for each interval between concrete boundaries."""
    ramps = zip(pairwise(boundaries), pairwise(levels), _relative_slopes(boundaries, levels), strict=True)
    return [CubicRamp(first, last, end - start, HermiteCubic(*slopes)) for (start, end), (first, last), slopes in ramps]


@cached
def _relative_slopes(boundaries: tuple[int, ...], levels: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """The arguments of `HermiteCubic` for each interval, each rounded once.

    Inside, the slopes are those of Fritsch and Butland 1984; at both ends, they are those of a parabola through three
    points, as in SciPy's PchipInterpolator.
    """
    from fractions import Fraction  # imported here because most schedules do not need it

    lengths = [end - start for start, end in pairwise(boundaries)]
    secants = [(Fraction(b) - Fraction(a)) / length for (a, b), length in zip(pairwise(levels), lengths, strict=True)]
    slopes = secants * 2  # a straight line, if there is one interval
    if len(secants) > 1:
        inner = zip(pairwise(lengths), pairwise(secants), strict=True)
        slopes = [
            _slope_at_end(lengths[0], lengths[1], secants[0], secants[1]),
            *(_slope_between(*both_lengths, *both_secants) for both_lengths, both_secants in inner),
            _slope_at_end(lengths[-1], lengths[-2], secants[-1], secants[-2]),
        ]
    relative = [
        (a / secant, b / secant) if secant else (0, 0) for (a, b), secant in zip(pairwise(slopes), secants, strict=True)
    ]
    return tuple((float(a), float(b), float(3 - a), float(3 - b)) for a, b in relative)


def _slope_between(before: int, after: int, secant: Fraction, next_secant: Fraction) -> Fraction:
    """The weighted harmonic mean of the slopes of two intervals, or 0 at an extremum."""
    if secant * next_secant <= 0:
        return 0 * secant
    first, second = 2 * after + before, after + 2 * before
    return (first + second) / (first / secant + second / next_secant)


def _slope_at_end(length: int, next_length: int, secant: Fraction, next_secant: Fraction) -> Fraction:
    """The slope of a parabola, limited so that the curve stays monotone."""
    slope = ((2 * length + next_length) * secant - length * next_secant) / (length + next_length)
    if slope * secant <= 0:
        return 0 * secant
    return 3 * secant if secant * next_secant <= 0 and abs(slope) > 3 * abs(secant) else slope
