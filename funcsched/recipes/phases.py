"""Compositions that several recipes share: ramps one after another, and a warmup before another schedule.

They build `Join` directly, because `join` rejects boundaries above 2**53, which a sum of valid lengths may exceed.
"""

from __future__ import annotations

from funcsched.combinators.sequence import Join
from funcsched.combinators.time import Shift
from funcsched.core.schedule import Schedule
from funcsched.core.validation import require_at_most
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.ramp import constant, ramp
from funcsched.shapes.basic import linear
from funcsched.shapes.shape import Shape


def skip(schedule: Schedule, steps: int) -> Schedule:
    """A schedule without its first steps."""
    return Shift(schedule, steps) if steps else schedule


def join_ramps(start: float, *phases: tuple[int, float, Shape], warmup_offset: int = 0) -> Schedule:
    """Ramps one after another, each from the level at which the previous one ends.

    Args:
        start: multiplier at step 0.
        phases: (steps, stop, shape) of each ramp. A phase of 0 steps is omitted, except that the stop of the last one
            is always the final level.
        warmup_offset: number of steps that the first ramp skips. It holds its last level where it ends too early.
    """
    schedules, starts, position = [], [], 0
    for i, (steps, stop, shape) in enumerate(phases):
        is_empty = is_concrete(steps) and steps == 0
        if not is_empty or i == len(phases) - 1:
            schedule = constant(stop) if is_empty else ramp(start, stop, steps=steps, shape=shape)
            schedules.append(schedule if i else skip(schedule, warmup_offset))
            starts.append(position)
        start, position = stop, position + steps
    return Join(tuple(schedules), tuple(starts[1:])) if len(schedules) > 1 else schedules[0]


def warmup_then_decay(
    function: str, warmup_steps: int, total_steps: int, start: float, end: float, shape: Shape, warmup_offset: int
) -> Schedule:
    """A linear warmup from `start` to 1, then a decay to `end` at `total_steps`. Errors name `function`."""
    require_at_most(function, "warmup_steps", warmup_steps, "total_steps", total_steps)
    decay = (total_steps - warmup_steps, end, shape)
    return join_ramps(start, (warmup_steps, 1.0, linear), decay, warmup_offset=warmup_offset)


def warmup_then(warmup_steps: int, start: float, schedule: Schedule, warmup_offset: int) -> Schedule:
    """A linear warmup from `start` to 1, then a schedule that starts at 1."""
    if is_concrete(warmup_steps) and warmup_steps == 0:
        return schedule
    return Join((skip(ramp(start, 1.0, steps=warmup_steps), warmup_offset), schedule), (warmup_steps,))
