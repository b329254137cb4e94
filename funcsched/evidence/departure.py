"""Why a log leaves the schedule that its first part follows."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.evidence.candidate import Candidate, explains_all
from funcsched.evidence.points import Points


def reason_of(best: Candidate, points: Points, index: int) -> str:
    """Why a log leaves a schedule at a point."""
    schedule, peak = best.schedule, best.peak_value
    after = points.part(range(index, len(points)))
    step = after.steps[0]
    for shift in shifts(points.steps[-1]):
        if len(after) >= 3 and explains_all(schedule, peak, moved(after, shift)):
            verb = "skipped" if shift > 0 else "repeated"
            return f"{abs(shift)} steps of the schedule were {verb} at about step {step}"
    expected = peak * schedule(step)
    if len(after) >= 3 and expected:
        ratio = after.rates[0] / expected
        middle = after.rates[len(after) // 2] / (peak * schedule(after.steps[len(after) // 2]) or 1.0)
        if abs(middle - ratio) < 1e-3 * abs(ratio) and abs(ratio - 1) > 1e-3:
            return f"an external change: from step {step} on, the rates are {ratio:.4g} times those of the schedule"
    arguments = schedule.arguments()
    if "total_steps" in arguments and len(after) >= 3:
        total = _other_horizon(best, after)
        if total is not None:
            return f"another horizon after a resume: total_steps={total} from about step {step} on"
    return "unknown"


def shifts(last: int) -> list[int]:
    """Numbers of steps that a run may have skipped (above 0) or repeated (below 0), the smallest first."""
    sizes = {n for k in range(len(str(last))) for n in (10**k, 2 * 10**k, 5 * 10**k)} | set(range(1, 200))
    return [shift for size in sorted(sizes) for shift in (size, -size)]


def moved(points: Points, shift: int) -> Points:
    """The same points with later steps, or earlier ones from 0 on."""
    return Points([max(step + shift, 0) for step in points.steps], points.rates, points.tolerances)


def _other_horizon(best: Candidate, after: Points) -> int | None:
    """Another `total_steps` that explains the last points."""
    schedule, peak = best.schedule, best.peak_value
    create = type(schedule).create  # type: ignore[attr-defined]
    arguments = schedule.arguments()
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
            return total
    return None
