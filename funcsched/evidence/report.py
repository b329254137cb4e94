"""The text of ``funcsched identify FILE``."""

from __future__ import annotations

from funcsched.evidence.candidate import explains
from funcsched.evidence.identify import FEWEST, Identified, identify
from funcsched.evidence.logs import Log, read_log
from funcsched.evidence.points import points_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def identify_file(path: str | Path, column: str | None = None) -> tuple[str, int]:
    """What `identify` finds in a file, as text, and the exit status: 0 if it found a schedule, else 1.

    Raises:
        OSError, ValueError: as `read_log`.
    """
    log = read_log(path, column=column)
    if len(log.steps) < FEWEST:
        return f"too few points of {log.name}: {len(log.steps)}; at least {FEWEST} are needed", 1
    result = identify(log.steps, log.rates)
    text, status = described(log.name, _of_all_rows(result, log) if result is not None and log.is_thinned else result)
    return "\n".join([text, *log.notes]), status


def _of_all_rows(result: Identified, log: Log) -> Identified:
    """The result of a thinned log, compared with all of its rows."""
    points = points_of("identify", *log.rows).of_float32().counted_from(result.counted_from)
    agrees = explains(result.schedule, result.peak_value, points)
    found = {**result.arguments(), "points": len(points), "explained": sum(agrees)}
    if not all(agrees):
        first = points.steps[agrees.index(False)] + result.counted_from
        found.update(certain=False, departure=first, reason=result.reason if result.departure else "unknown")
    return Identified(*found.values())


def described(name: str, result: Identified | None) -> tuple[str, int]:
    """A result as text, and the exit status. `name` is that of the log."""
    if result is None:
        return f"no named schedule explains {name}", 1
    lines = [result.expression]
    explained = f"explains {result.explained} of {result.points} points of {name}"
    if result.departure is not None:
        explained += f"; the log leaves it at step {result.departure}, reason: {result.reason}"
    lines.append(explained)
    if result.counted_from == -1:
        lines.append("the log is one step ahead of the schedule: is the rate logged after `scheduler.step()`?")
    if result.counted_from == 1:
        lines.append("the log counts steps from 1: its step n is step n - 1 of the schedule")
    for name, low, high in result.ranges:
        lines.append(f"the log allows {name} from {low} to {high}")
    for schedule, peak in result.others:
        lines.append(f"also explains the log: {peak!r} * {schedule!r}")
    if result.peak_value == 0:
        lines.append(
            "the learning rate is 0 in every row: is `scheduler.step()` called after every `optimizer.step()`?"
        )
    if not result.certain and result.departure is None:
        lines.append(f"not certain: {result.reason or 'the log allows each of these'}")
    schedule = result.schedule
    lines.append(
        f"in torch: bridges.torch.lambda_lr(optimizer, {schedule!r}), with lr={result.peak_value!r} in the optimizer"
    )
    lines.append(f"in JAX: bridges.optax.to_optax({schedule!r}, {result.peak_value!r})")
    if libraries := list(result.other_names):
        others = f"{', '.join(libraries[:3])}{', ...' * (len(libraries) > 3)}"
        lines.append(f"in {others}: see funcsched show {schedule.factory}")
    return "\n".join(lines), 0
