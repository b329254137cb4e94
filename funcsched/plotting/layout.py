"""What is drawn of a schedule: how far, through which points, and between which values."""

from __future__ import annotations

import math

from funcsched.analysis.landmarks import children, phase_boundaries
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, concrete_positive_int, optional, positive
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Drawable = Schedule | Callable[[Any], Any]

_FARTHEST = 2**53
_UNKNOWN = 100  # steps to draw of what says nothing of its length
_CYCLES = 4  # to draw of what repeats for ever
_SMALL = 0.01  # an endless decay is drawn until it is there, but for powers
_TIMESCALES = 10  # to draw of these
MARKED = 24  # more lines would be a wall
_DECADES = 6  # below the peak, on a log axis


class Drawn:
    """A schedule with its label and its peak."""

    __slots__ = ("label", "peak", "rated", "schedule")

    def __init__(self, function: str, argument: str, item: Any, label: str | None, peak_value: float | None) -> None:
        # A pair of a schedule and its peak, as the bridges return it.
        pair = hasattr(item, "schedule") and hasattr(item, "peak_value") and not isinstance(item, Schedule)
        self.schedule = as_schedule(function, argument, item.schedule if pair else item)
        self.label = repr(self.schedule) if label is None else label
        self.rated = pair or peak_value is not None
        self.peak = float(peak_value if peak_value is not None else item.peak_value if pair else 1.0)

    def value(self, step: float) -> float:
        return float(self.schedule(step)) * self.peak

    def marks(self, steps: int) -> list[float]:
        """The steps from 1 to the last at which a phase begins or ends."""
        return sorted(mark for mark in phase_boundaries(self.schedule, steps) if 0 < mark <= steps)

    def points(self, steps: int, count: int) -> list[tuple[float, float]]:
        """Steps and values that a line through them shows: phases begin where they do, and jumps are upright."""
        if steps <= count:
            at: set[float] = set(range(steps + 1))
        else:
            at = {i * steps // count for i in range(count + 1)}
        row = [(float(step), self.value(step)) for step in at]
        whole = any(isinstance(part, Lift) for part in walk(self.schedule))
        for mark in self.marks(steps):
            if whole:  # a function may be written for integers alone
                row += [(step, self.value(step)) for step in (math.ceil(mark) - 1, math.ceil(mark))]
                continue
            step = int(mark) if mark == int(mark) else mark
            before, after = self.value(mark - max(1e-6, mark * 1e-12)), self.value(step)
            if abs(before - after) > 0.5 * abs(self.value(max(mark - 1, 0)) - after):  # in no time, not in a step
                row.append((mark - 1e-9 * mark, before))
            row.append((mark, after))
        return sorted({*row})


def drawn(function: str, schedules: Any, peak_value: float | None) -> list[Drawn]:
    peak = optional(positive)(function, "peak_value", peak_value)
    if isinstance(schedules, dict):
        items = [(str(label), item) for label, item in schedules.items()]
    elif isinstance(schedules, (list, tuple)) and not hasattr(schedules, "peak_value"):
        items = [("", item) for item in schedules]
    else:
        return [Drawn(function, "schedules", schedules, None, peak)]
    if not items:
        raise argument_error(function, "schedules", "at least one schedule", schedules)
    return [Drawn(function, f"schedules[{i}]", item, label or None, peak) for i, (label, item) in enumerate(items)]


def reach(schedule: Schedule) -> int:
    """How far to draw a schedule: to its end and a tenth more, or until an endless one has shown what it does."""
    if not is_concrete(*leaves(schedule)):
        return _UNKNOWN
    end, _ = _length(schedule)
    end = math.ceil(end) if 0 < end < _FARTHEST else _FARTHEST if end else _UNKNOWN
    return min(-(-11 * end // 10), _FARTHEST)


def _length(schedule: Any) -> tuple[float, bool]:
    """How many steps, and whether the schedule ends after them."""
    if (body := schedule.composition()) is not None:
        return _length(body)
    own, kind = schedule.arguments(), schedule.factory
    if kind == "ramp":
        return own["steps"], True
    if kind == "join":
        last, ends = _length(own["schedules"][-1])
        return max((0, *own["boundaries"])) + last, ends
    if kind == "piecewise_constant":
        return max((0, *own["boundaries"])), True
    if kind == "table":
        return len(own["values"]) - 1, True
    if kind == "repeat":
        cycles = range(own["times"] or _CYCLES)
        factor = own["period_factor"]
        return own["period"] * _sum(factor, len(cycles)), own["times"] is not None
    if kind == "inverse_power":
        return _TIMESCALES * own["timescale"], False
    if kind == "inverse_time":
        return _TIMESCALES * own["steps"] / own["rate"], False
    if kind == "exponential_decay":
        slope = abs(math.log(own["rate"]))
        until = abs(math.log(own["end"])) if own["end"] else -math.log(_SMALL)
        return (own["steps"] * until / slope if slope else 0.0), own["end"] is not None
    if kind == "shift":
        steps, ends = _length(own["schedule"])
        return max(steps - own["steps"], 0), ends
    if kind == "stretch":
        steps, ends = _length(own["schedule"])
        return steps * own["factor"], ends
    inside = [_length(item) for item in children(own)]
    ending = [steps for steps, ends in inside if ends]
    if ending or not inside:
        return max(ending, default=0), True
    return min(max(inside)[0], 20 * min(inside)[0]), False  # of a fast wave on a slow decay, the wave can be seen


def _sum(factor: float, count: int) -> float:
    """1 + factor + factor**2 + ... of so many terms."""
    if factor == 1:
        return count
    exponent = count * math.log2(factor)
    return (factor**count - 1) / (factor - 1) if exponent < 60 else float(_FARTHEST)


def steps_of(function: str, curves: Iterable[Drawn], steps: int | None) -> int:
    given: int | None = optional(concrete_positive_int)(function, "steps", steps)
    return max(reach(curve.schedule) for curve in curves) if given is None else given


def bounds(function: str, lines: Iterable[Iterable[tuple[float, float]]], log: bool) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    values = [value for line in lines for _, value in line if math.isfinite(value)]
    top = max(values, default=0.0)
    if not log:
        return 0.0, top if top > 0 else 1.0
    above = [value for value in values if value > 0]
    if not above:
        raise argument_error(function, "log", "False where no value is above 0", True)
    return max(min(above), top * 10.0**-_DECADES) / (2 if min(above) == top else 1), top


def wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="  ", break_on_hyphens=False) or [""]


def short(step: int) -> str:
    if step < 10_000:
        return str(step)
    power = min((len(str(step)) - 1) // 3, 5)
    return f"{step / 1000**power:.6g}{' kMGTP'[power]}"
