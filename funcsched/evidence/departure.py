"""Why a log leaves the schedule that its first part follows."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.evidence.candidate import explains_all
from funcsched.evidence.points import Points

_FEWEST = 3  # points after a change that show what changed
_RESTARTS = 10_000  # steps between two points of a log at which the schedule may have started again, that are tried


def reason_of(schedule: Schedule, peak: float, points: Points, index: int) -> str:
    """Why a log leaves a schedule at a point, or an empty string."""
    return sudden_change(schedule, peak, points, index) or other_horizon(schedule, peak, points, index)


def sudden_change(schedule: Schedule, peak: float, points: Points, index: int) -> str:
    """What changed at a point, if the log follows the same schedule with other steps or another peak from there on."""
    after = points.part(range(index, len(points)))
    step = points.steps[index]
    if len(after) < _FEWEST:
        return ""
    before = points.steps[index - 1] if index else 0
    for start in range(step, max(before, step - _RESTARTS), -1):
        if explains_all(schedule, peak, moved(after, -start)):
            return (
                f"from step {step} on, the log is {start} steps behind the schedule, as if the schedule had started "
                "again at 0: was the state of the scheduler loaded?"
            )
    for shift in shifts(points.steps[-1]):
        if step + shift >= 0 and explains_all(schedule, peak, moved(after, shift)):
            verb = "skipped" if shift > 0 else "repeated"
            return f"{abs(shift)} steps of the schedule were {verb} at about step {step}"
    expected = [peak * schedule(step) for step in after.steps]
    if expected[0]:
        ratio = after.rates[0] / expected[0]
        triples = zip(after.rates, expected, after.tolerances, strict=True)
        if abs(ratio - 1) > 1e-3 and all(
            abs(rate - ratio * value) <= tolerance + 1e-3 * abs(rate) for rate, value, tolerance in triples
        ):
            return f"an external change: from step {step} on, the rates are {ratio:.4g} times those of the schedule"
    return ""


def shifts(last: int) -> list[int]:
    """Numbers of steps that a run may have skipped (above 0) or repeated (below 0), the smallest first."""
    sizes = {n for k in range(len(str(last))) for n in (10**k, 2 * 10**k, 5 * 10**k)} | set(range(1, 200))
    return [shift for size in sorted(sizes) for shift in (size, -size)]


def moved(points: Points, shift: int) -> Points:
    """The same points with later steps, or earlier ones from 0 on."""
    return Points([max(step + shift, 0) for step in points.steps], points.rates, points.tolerances)


def other_horizon(schedule: Schedule, peak: float, points: Points, index: int) -> str:
    """Which other `total_steps` explains the points from an index on, as text, or an empty string."""
    after = points.part(range(index, len(points)))
    arguments = schedule.arguments()
    if "total_steps" not in arguments or len(after) < _FEWEST:
        return ""
    create = type(schedule).create  # type: ignore[attr-defined]
    middle = len(after) // 2

    def changed(total: int) -> Schedule:
        changed: Schedule = create(**{**arguments, "total_steps": total})
        return changed

    def value(total: int) -> float:
        return peak * changed(total)(after.steps[middle])

    low, high = max(arguments.get("warmup_steps", 0), after.steps[middle] + 1), 100 * (after.steps[-1] + 1)
    target = after.rates[middle]
    while high - low > 1:  # a longer horizon gives a higher rate
        half = (low + high) // 2
        low, high = (half, high) if value(half) < target else (low, half)
    digits = len(str(high))
    near = [round(high, -k) for k in range(digits - 1, -1, -1)] + [high + d for d in range(-20, 21)]
    for total in near:
        if total > after.steps[middle] and explains_all(changed(total), peak, after):
            return f"another horizon after a resume: total_steps={total} from about step {after.steps[0]} on"
    return ""
