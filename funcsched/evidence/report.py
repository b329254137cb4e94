"""The texts of ``funcsched identify FILE`` and ``funcsched check --log FILE EXPR``."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.evidence.candidate import explains
from funcsched.evidence.identify import Identified, identify
from funcsched.evidence.logs import read_log
from funcsched.evidence.points import FLOAT32, points_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def identify_file(path: str | Path, column: str | None = None) -> tuple[str, int]:
    """What `identify` finds in a file, as text, and the exit status: 0 if it found a schedule, else 1.

    Raises:
        OSError, ValueError: as `read_log`.
    """
    log = read_log(path, column=column)
    return described(log.name, identify(log.steps, log.rates))


def described(name: str, result: Identified | None) -> tuple[str, int]:
    """A result as text, and the exit status. `name` is that of the log."""
    if result is None:
        return f"no named schedule explains {name}", 1
    lines = [result.expression]
    explained = f"explains {result.explained} of {result.points} points of {name}"
    if result.departure is not None:
        explained += f"; the log leaves it at step {result.departure}, reason: {result.reason}"
    lines.append(explained)
    if result.counted_from:
        lines.append("the log counts steps from 1: its step n is step n - 1 of the schedule")
    for name, low, high in result.ranges:
        lines.append(f"the log allows {name} from {low} to {high}")
    for schedule, peak in result.others:
        lines.append(f"also explains the log: {peak!r} * {schedule!r}")
    if not result.certain:
        lines.append("not certain: the log allows other curves after or between its points")
    for library, name in result.other_names.items():
        lines.append(f"in {library}: {name}")
    return "\n".join(lines), 0


def check_log(
    schedule: Schedule, path: str | Path, peak_value: float | None = None, column: str | None = None
) -> tuple[str, int]:
    """Where a run left its configuration, as text, and the exit status: 0 if it followed the schedule, else 1.

    Args:
        schedule: the schedule of the configuration.
        path: the log of the run.
        peak_value: the learning rate at multiplier 1. None takes the value that fits the first points.
        column: the column of the learning rate, as in `read_log`.

    Raises:
        OSError, ValueError: as `read_log`.
    """
    log = read_log(path, column=column)
    points = points_of("check_log", log.steps, log.rates).loosened(FLOAT32)
    if peak_value is None:
        ratios = [r / m for s, r in zip(points.steps, points.rates, strict=True) if (m := schedule(s))]
        if not ratios:
            return f"the schedule is 0 at every step of {log.name}, so it gives no peak", 1
        peak_value = float(f"{sorted(ratios[:5])[len(ratios[:5]) // 2]:.6g}")
    agrees = explains(schedule, peak_value, points)
    if all(agrees):
        return f"all {len(points)} points of {log.name} follow {peak_value!r} * {schedule!r}", 0
    i = agrees.index(False)
    step, rate = points.steps[i], points.rates[i]
    lines = [
        f"{log.name} leaves {peak_value!r} * {schedule!r} at step {step}: "
        f"{rate:.6g} instead of {peak_value * schedule(step):.6g}",
        f"{sum(agrees)} of {len(points)} points follow it",
    ]
    found = identify(log.steps, log.rates)
    if found is not None and found.departure is None:
        lines.append(f"the log follows {found.expression}")
    return "\n".join(lines), 1
