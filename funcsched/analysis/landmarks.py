"""Where the phases of a schedule begin."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST = 4000  # phases that are told of what repeats


def children(arguments: dict[str, Any]) -> list[Any]:
    rows = (value if isinstance(value, tuple) else (value,) for value in arguments.values())
    return [item for row in rows for item in row if isinstance(item, Schedule)]


def phase_boundaries(schedule: Any, until: float, tables: bool = False) -> set[float]:
    """Where phases begin, from step 0 to `until`, and on demand where the values of tables change.

    Of thousands of repetitions the first are told.
    """
    if (body := schedule.composition()) is not None:
        return phase_boundaries(body, until, tables)
    own, kind = schedule.arguments(), schedule.factory
    if not is_concrete(*leaves(schedule)):
        return set()
    if kind == "ramp":
        return {own["steps"]}
    if kind == "join":
        found: set[float] = set()
        begins = (0, *own["boundaries"])
        for piece, begin, end in zip(own["schedules"], begins, (*begins[1:], until), strict=True):
            length = min(end, until) - begin
            if length >= 0:
                found |= {begin, *(begin + mark for mark in phase_boundaries(piece, length, tables) if mark <= length)}
        return found
    if kind in ("piecewise_constant", "interpolate"):
        return set(own["boundaries"])
    if kind == "table" and tables:
        row = own["values"]
        return {step for step in range(1, len(row)) if row[step] != row[step - 1]}
    if kind == "repeat":
        return _repeated(own, until, tables)
    if kind in ("exponential_decay", "inverse_time") and own["staircase"]:
        return {own["steps"] * (i + 1) for i in range(min(int(until // own["steps"]), MOST))}
    if kind == "shift":
        return {mark - own["steps"] for mark in phase_boundaries(own["schedule"], until + own["steps"], tables)}
    if kind == "stretch":
        return {mark * own["factor"] for mark in phase_boundaries(own["schedule"], until / own["factor"], tables)}
    return {mark for item in children(own) for mark in phase_boundaries(item, until, tables)}


def _repeated(own: dict[str, Any], until: float, tables: bool) -> set[float]:
    inside = {mark for mark in phase_boundaries(own["schedule"], own["period"], tables) if mark < own["period"]}
    found: set[float] = set()
    begin, scale = 0.0, 1.0
    for _ in range(min(own["times"] or MOST, MOST // (len(inside) + 1))):
        if begin > until:
            break
        found |= {begin, *(begin + scale * mark for mark in inside)}
        begin, scale = begin + scale * own["period"], scale * own["period_factor"]
    return {*found, begin}
