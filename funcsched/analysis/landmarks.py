"""The steps at which the phases of a schedule begin."""

from __future__ import annotations

from math import ceil

from funcsched.core.schedule import Schedule
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_BOUNDARIES = 4000  # of one schedule that repeats
_BOUNDARY_ARGUMENTS = ("steps", "boundaries", "period", "values")


def children(arguments: dict[str, Any]) -> list[Any]:
    """The schedules among the arguments of a schedule."""
    values = (value if isinstance(value, tuple) else (value,) for value in arguments.values())
    return [item for items in values for item in items if isinstance(item, Schedule)]


def phase_boundaries(schedule: Any, until: float, tables: bool = False) -> set[float]:
    """The steps at which a phase begins or ends.

    Args:
        schedule: the schedule.
        until: the last step of interest (at least 0). Later boundaries may be included.
        tables: whether to include the steps at which the value of a lookup table changes.

    Returns:
        A set of steps. The boundaries of a stretched schedule may be fractional. A schedule that repeats contributes at
        most some thousands. A schedule whose lengths are arrays or tracers contributes none.
    """
    if (composition := schedule.composition()) is not None:
        return phase_boundaries(composition, until, tables)
    arguments, kind = schedule.arguments(), schedule.factory
    if not is_concrete(*leaves(tuple(arguments.get(name) for name in _BOUNDARY_ARGUMENTS))):
        return set()
    if kind == "ramp":
        return {arguments["steps"]}
    if kind == "join":
        found: set[float] = set()
        starts = (0, *arguments["boundaries"])
        for piece, start, end in zip(arguments["schedules"], starts, (*starts[1:], until), strict=True):
            length = min(end, until) - start
            if length >= 0:
                inside = phase_boundaries(piece, length, tables)
                found |= {start, *(start + step for step in inside if step <= length)}
        return found
    if kind in ("piecewise_constant", "interpolate"):
        return set(arguments["boundaries"])
    if kind == "table" and tables:
        values = arguments["values"]
        return {step for step in range(1, len(values)) if values[step] != values[step - 1]}
    if kind == "repeat":
        return _repeat_boundaries(arguments, until, tables)
    if kind in ("exponential_decay", "inverse_time") and arguments["staircase"]:
        stairs = min(int(until // arguments["steps"]), _MAX_BOUNDARIES)
        return {arguments["steps"] * (i + 1) for i in range(stairs)}
    if kind == "shift":
        steps = arguments["steps"]
        return {step - steps for step in phase_boundaries(arguments["schedule"], until + steps, tables)}
    if kind == "stretch":
        factor = arguments["factor"]
        return {step * factor for step in phase_boundaries(arguments["schedule"], until / factor, tables)}
    if kind == "staircase":
        steps = arguments["steps"]
        stairs = min(int(until // steps), _MAX_BOUNDARIES)
        inside = phase_boundaries(arguments["schedule"], until / steps, tables)
        return {*(steps * (i + 1) for i in range(stairs)), *(steps * ceil(step) for step in inside)}
    if kind == "count_by":
        sizes, per = schedule.update_sizes(), arguments["per"]
        inside = phase_boundaries(arguments["schedule"], sizes.count_after(ceil(until)) / per, tables)
        ratios = [step.as_integer_ratio() for step in inside]  # exact, also for the steps of a stretched schedule
        return {sizes.updates_for(-(-per * numerator // denominator)) for numerator, denominator in ratios}
    return {step for child in children(arguments) for step in phase_boundaries(child, until, tables)}


def _repeat_boundaries(arguments: dict[str, Any], until: float, tables: bool) -> set[float]:
    period = arguments["period"]
    inside = {step for step in phase_boundaries(arguments["schedule"], period, tables) if step < period}
    found: set[float] = set()
    start, scale = 0.0, 1.0
    for _ in range(min(arguments["times"] or _MAX_BOUNDARIES, max(_MAX_BOUNDARIES // (len(inside) + 1), 1))):
        if start > until:
            break
        found |= {start, *(start + scale * step for step in inside)}
        start, scale = start + scale * period, scale * arguments["period_factor"]
    return {*found, start}
