"""Ramps of one shape one after another, evaluated at once: fewer instructions than one after the other."""

from __future__ import annotations

from funcsched._check import LARGEST_LEVEL
from funcsched._exact import known
from funcsched.pieces import Constant, Ramp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from funcsched._step import Step
    from funcsched.schedule import Schedule

FEW = 3  # ramps from which on it is shorter
MANY = 64  # pieces from which on looking one up takes less time than all of them, for a vector of steps
MOST = 4096  # and for one step, which compiles faster so
_LONG = 2**24  # from here on a count has an error of its own


def at_once(step: Step, schedules: Sequence[Schedule], boundaries: Sequence[Any]) -> Any:
    """The value of a join whose pieces are constants and ramps of one shape; None where that does not apply.

    Each ramp rises from its lower level, counted from there in either direction. Its factor is chosen so that it
    arrives at the higher level; where there is no such number it goes a place beyond, and is cut off.
    """
    xp, origin = step.xp, step.origin
    ramps = [schedule for schedule in schedules if isinstance(schedule, Ramp) and not _level(schedule)]
    if not (xp.at_once and step.part is None and known(origin, *boundaries) and FEW <= len(ramps)):
        return None
    shape = ramps[0].shape
    if len(schedules) > (MANY if step.raw.ndim else MOST) or any(ramp.shape is not shape for ramp in ramps):
        return None
    lines = [_line(xp, schedule) for schedule in schedules]
    begins = [origin, *(origin + boundary for boundary in boundaries)]
    last = lines[-1]
    if last is None or begins[-1] + last[0] > _LONG:
        return None
    end = begins[-1] + last[0]
    ends = [begin - 1 for begin in begins[1:]] + [end]
    zeros, lows, caps, rows = [], [], [], []
    for begin, line in zip(begins, lines, strict=True):
        if line is None:
            return None
        _, zero, low, cap, row = line
        zeros.append(begin + zero)
        lows.append(low)
        caps.append(LARGEST_LEVEL if cap is None else cap)
        rows.append(row or shape.flat)
    count = xp.last_axis(xp.clip(step.raw, begins[0], end))
    value = shape.risen(xp, count - xp.table(zeros), *zip(*rows, strict=True)) + xp.table(lows)
    if any(cap < LARGEST_LEVEL for cap in caps):
        value = xp.minimum(value, xp.table(caps))
    return xp.only(value, xp.within(count, xp.table(begins), xp.table(ends)))


def _level(ramp: Ramp) -> bool:
    return known(ramp.start, ramp.stop) and ramp.start == ramp.stop


def _line(xp: Any, schedule: Schedule) -> tuple[int, int, float, float | None, tuple[Any, ...] | None] | None:
    """Its length, the step of its lower level, that level, what it is cut off at, and the numbers of its shape."""
    if isinstance(schedule, Constant) and known(schedule.value):
        return 0, 0, schedule.value, None, None
    if not isinstance(schedule, Ramp) or not known(schedule.start, schedule.stop, schedule.steps):
        return None
    steps, start, stop = schedule.steps, xp.rounded(schedule.start), xp.rounded(schedule.stop)
    if steps == 0 or start == stop:
        return 0, 0, stop, None, None
    rising, low, high = start < stop, min(start, stop), max(start, stop)
    found = schedule.shape.row(xp, steps if rising else -steps, low, high)
    if found is None:
        return None
    return steps, 0 if rising else steps, low, None if found[0] else high, found[1]
