"""What most recipes are made of: phases one after another."""

from __future__ import annotations

from funcsched.combinators.sequence import Join
from funcsched.core.schedule import Schedule
from funcsched.core.validation import require_at_most
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.ramp import constant, ramp
from funcsched.shapes.formulas import linear
from funcsched.shapes.shape import Shape


def phases(start: float, *parts: tuple[int, float, Shape]) -> Schedule:
    """Ramps one after another, each from where the one before stopped: (steps, stop, shape).

    One of no steps is absent; if it is the last, its level is still where the schedule ends.
    """
    pieces, begins, begin = [], [], 0
    for i, (steps, stop, shape) in enumerate(parts):
        absent = is_concrete(steps) and steps == 0
        if not absent or i == len(parts) - 1:
            pieces.append(constant(stop) if absent else ramp(start, stop, steps=steps, shape=shape))
            begins.append(begin)
        start, begin = stop, begin + steps
    return Join(tuple(pieces), tuple(begins[1:])) if len(pieces) > 1 else pieces[0]


def warmup_then_decay(
    function: str, warmup_steps: int, total_steps: int, start: float, end: float, shape: Shape
) -> Schedule:
    require_at_most(function, "warmup_steps", warmup_steps, "total_steps", total_steps)
    return phases(start, (warmup_steps, 1.0, linear), (total_steps - warmup_steps, end, shape))


def warmup_then(warmup_steps: int, start: float, schedule: Schedule) -> Schedule:
    """A linear warmup to 1, then a schedule that starts there."""
    if is_concrete(warmup_steps) and warmup_steps == 0:
        return schedule
    return Join((ramp(start, 1.0, steps=warmup_steps), schedule), (warmup_steps,))
