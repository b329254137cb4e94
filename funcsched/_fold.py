"""Where a step stands inside a repetition, in exact integers.

The cycle floor(cycles * step / steps) computed in floats is off by one exactly at the restarts. Here the position is
multiplier * count - cycle * period in integers: it is small, so in wrapping arithmetic it is right even where the two
products are not, and a cycle that is off by one shows in it and is mended.
"""

from __future__ import annotations

from funcsched._exact import ONE, accurate, known, product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Position = Callable[[Any, Any], tuple[Any, Any]]

_LARGEST_DENOMINATOR = 4096


def ratio(number: float) -> tuple[Any, int]:
    """A float as the fraction with a small denominator that it stands for, or as (number, 1) if there is none."""
    rest, unit = number.as_integer_ratio()
    before, after = (0, 1), (1, 0)  # two convergents of the continued fraction
    while unit:
        whole = rest // unit
        before, after = after, (before[0] + whole * after[0], before[1] + whole * after[1])
        if after[1] > _LARGEST_DENOMINATOR:
            break
        if after[0] / after[1] == number:
            return after
        rest, unit = unit, rest - whole * unit
    return number, 1


def fold(xp: Any, multiplier: Any, divisor: int, steps: Any, *, mirror: bool) -> tuple[Position, Any, Any]:
    """multiplier / divisor repetitions over `steps`: (position, number system, period).

    position turns the counts of the phase into those inside one repetition, which is `period` long. With `mirror` every
    other repetition runs backwards; without, the end of the phase is the end of the last repetition.
    """
    limit = 2**53 if xp.largest is None else xp.largest
    if known(steps):
        exact = multiplier * steps <= 2**53 and divisor * steps <= limit
    else:
        exact = divisor == 1 and (xp.bits == 53 or xp.lib.issubdtype(steps.dtype, xp.lib.integer))
    if not exact or not isinstance(multiplier, int):
        return _in_floats(xp, multiplier / divisor, steps, mirror), xp.for_floats(), 1
    period = divisor * steps

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        part = None
        if isinstance(elapsed, tuple):
            elapsed, part = elapsed
            remaining = remaining[0]
        cycle, count = _divide(xp, elapsed, multiplier, period)
        if part is not None:
            part = part * multiplier
            over = xp.real(count - period) + part >= 0
            cycle, count = xp.where(over, cycle + 1, cycle), xp.where(over, count - period, count)
        if mirror:
            odd = cycle % 2 == 1
            count = xp.where(odd, period - count, count)
            part = part if part is None else xp.where(odd, -part, part)
        else:
            done = xp.none(remaining if part is None else (remaining, -part))
            count = xp.where(done, period + 0 * count, count)
        if part is None:
            return count, period - count
        return (count, part), (period - count, -part)

    return position, xp, period


def _divide(xp: Any, elapsed: Any, multiplier: int, period: Any) -> tuple[Any, Any]:
    """divmod(multiplier * elapsed, period)."""
    if known(elapsed):
        cycle, count = divmod(multiplier * elapsed, period)
        return cycle, count
    safe = period if known(period) else xp.where(period > 0, period, 1)
    cycle = xp.whole(xp.floor(xp.real(elapsed) * multiplier / safe))
    count = elapsed * multiplier - cycle * period
    early, late = count < 0, count >= safe
    cycle = xp.where(early, cycle - 1, xp.where(late, cycle + 1, cycle))
    return cycle, xp.where(early, count + period, xp.where(late, count - period, count))


def _in_floats(xp: Any, cycles: float, steps: Any, mirror: bool) -> Position:
    """The same on a period of 1, where integers would not do: for numbers of cycles that no small fraction gives."""

    def position(elapsed: Any, remaining: Any) -> tuple[Any, Any]:
        share, rest = accurate(xp, ONE, elapsed, steps)
        near = xp.rounded(cycles)
        turns, error = product(xp, share, xp.array(near))
        error = error + share * (cycles - near) + rest * near
        cycle = xp.floor(turns)
        turn = turns - cycle  # exact, so that what is left of the product still counts
        count, left = turn + error, (1.0 - turn) - error
        if mirror:
            odd = cycle % 2 == 1
            return xp.where(odd, left, count), xp.where(odd, count, left)
        done = xp.none(remaining)
        return xp.where(done, 1.0 + 0.0 * count, count), xp.where(done, 0.0 * count, left)

    return position
