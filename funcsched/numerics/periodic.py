"""The position of a count inside a repetition, in integers where possible.

The usual formula, floor(cycles * count / steps) in floats, may be off by one at the restarts. Here the position is
multiplier * count - cycle * period, whose terms are exact integers.
"""

from __future__ import annotations

import math

from funcsched.numerics.number_system import MAX_COUNT, is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Position = Callable[[Any, Any], tuple[Any, Any]]  # of the elapsed and the remaining steps of the phase

_LARGEST_DENOMINATOR = 4096


def simple_fraction(number: float) -> tuple[Any, int]:
    """The fraction with a small denominator whose float is `number`, or (number, 1) if there is none."""
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
    """``multiplier / divisor`` repetitions over a phase of `steps` steps, as (number system, period, position).

    `position` maps the elapsed and remaining steps of the phase to those of one repetition, whose length is `period`.
    With `mirror` every other repetition runs backwards; without it, the phase ends at the end of a repetition.
    """
    largest = max(multiplier, 2 * divisor) * steps if is_concrete(steps) else math.inf
    if not isinstance(multiplier, int) or (is_concrete(steps) and largest > MAX_COUNT):
        return xp, 1, _inexact_position(xp, multiplier / divisor, steps, mirror)
    xp = xp.up_to(largest)
    period = xp.to_count(steps) * divisor

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        count = xp.to_count(elapsed) * multiplier
        if mirror:
            count = xp.divmod(count, 2 * period)[1]
            count = xp.minimum(count, 2 * period - count)
            return count, period - count
        count = xp.divmod(count, period)[1]
        return _end_of_phase(xp, remaining, period, count, period - count)

    return xp, period, position


def _inexact_position(xp: Any, cycles: float, steps: Any, mirror: bool) -> Position:
    """`position` for a period of 1, if the integers would be too large or `cycles` is not a simple fraction."""

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        turns = xp.double(elapsed) / xp.double(steps) * cycles
        cycle = xp.floor(turns.hi)
        turn = turns.hi - cycle  # an exact difference, so the digits of `turns.lo` are significant
        u, v = turn + turns.lo, (1.0 - turn) - turns.lo  # the elapsed and the remaining fraction of the repetition
        if mirror:
            odd = cycle - 2 * xp.floor(cycle / 2) == 1
            return xp.where(odd, v, u), xp.where(odd, u, v)
        return _end_of_phase(xp, remaining, 1, u, v)

    return position


def _end_of_phase(xp: Any, remaining: Any, period: Any, count: Any, left: Any) -> tuple[Any, Any]:
    """A position that is the end of a repetition at the end of the phase, and not the start of the next one."""
    ended = remaining <= 0
    return xp.where(ended, period, count), xp.where(ended, 0, left)
