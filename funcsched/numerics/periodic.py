"""Where a count stands inside a repetition, in integers where possible.

The usual cycle, floor(cycles * count / steps) in floats, is off by one exactly at the restarts. Here the position is
multiplier * count - cycle * period, whose terms are exact integers.
"""

from __future__ import annotations

import math

from funcsched.numerics.number_system import MAX_COUNT, is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Position = Callable[[Any, Any], tuple[Any, Any]]

_LARGEST_DENOMINATOR = 4096


def simple_fraction(number: float) -> tuple[Any, int]:
    """A float as the fraction with a small denominator that it stands for, or (number, 1) if there is none."""
    numerator, denominator = number.as_integer_ratio()
    before, after = (0, 1), (1, 0)  # two convergents of the continued fraction
    while denominator:
        digit = numerator // denominator
        before, after = after, (before[0] + digit * after[0], before[1] + digit * after[1])
        if after[1] > _LARGEST_DENOMINATOR:
            break
        if after[0] / after[1] == number:
            return after
        numerator, denominator = denominator, numerator - digit * denominator
    return number, 1


def fold(xp: Any, multiplier: Any, divisor: int, steps: Any, *, mirror: bool) -> tuple[Any, Any, Position]:
    """multiplier / divisor repetitions over `steps`, as (number system, period, position).

    `position` maps the elapsed and remaining steps of the phase to those of one repetition, which is `period` long.
    With `mirror` every other repetition runs backwards; without it, the phase ends at the end of a repetition.
    """
    longest = max(multiplier, 2 * divisor) * steps if is_concrete(steps) else math.inf
    if not isinstance(multiplier, int) or (is_concrete(steps) and longest > MAX_COUNT):
        return xp, 1, _inexact(xp, multiplier / divisor, steps, mirror)
    xp = xp.up_to(longest)
    period = xp.count(steps) * divisor

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        count = xp.count(elapsed) * multiplier
        if mirror:
            count = xp.divmod(count, 2 * period)[1]
            count = xp.minimum(count, 2 * period - count)
            return count, period - count
        count = xp.divmod(count, period)[1]
        return _ended(xp, remaining, period, count, period - count)

    return xp, period, position


def _inexact(xp: Any, cycles: float, steps: Any, mirror: bool) -> Position:
    """The same with a period of 1, where integers would be too large or do not give the number of cycles."""

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        turns = xp.double(elapsed) / xp.double(steps) * cycles
        cycle = xp.floor(turns.hi)
        turn = turns.hi - cycle  # exact, so that the rest of the product still counts
        count, left = turn + turns.lo, (1.0 - turn) - turns.lo
        if mirror:
            odd = cycle - 2 * xp.floor(cycle / 2) == 1
            return xp.where(odd, left, count), xp.where(odd, count, left)
        return _ended(xp, remaining, 1, count, left)

    return position


def _ended(xp: Any, remaining: Any, period: Any, count: Any, left: Any) -> tuple[Any, Any]:
    done = remaining <= 0
    return xp.where(done, period, count), xp.where(done, 0, left)
