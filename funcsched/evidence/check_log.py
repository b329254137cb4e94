"""Whether a run followed its configuration: ``funcsched check EXPR --log FILE``."""

from __future__ import annotations

from itertools import islice, pairwise

from funcsched.core.schedule import Schedule
from funcsched.evidence.candidate import explains, explains_all
from funcsched.evidence.departure import moved, other_horizon, shifts, sudden_change
from funcsched.evidence.identify import DIGITS, identify
from funcsched.evidence.logs import read_log
from funcsched.evidence.points import Points, points_of
from funcsched.evidence.rounding import simple_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FEWEST = 3  # points that show another way of counting steps
_CONSTANT = 1e-4  # relative change of a multiplier that 4 digits may not show
_COUNTED_FROM_1 = "the log counts steps from 1: its step n is step n - 1 of the schedule"
_HELD = 2_000  # numbers of steps for which each value may be held, that are tried
_DEPARTURES = 200  # rows of a thinned log that are added to it
_FASTEST = 256  # calls of `scheduler.step()` per update, that are tried


def check_log(
    schedule: Schedule, path: str | Path, peak_value: float | None = None, column: str | None = None
) -> tuple[str, int]:
    """Where a run left its configuration, as text, and the exit status: 0 if it followed the schedule, else 1.

    Args:
        schedule: the schedule of the configuration.
        path: the log of the run.
        peak_value: the learning rate at multiplier 1. None estimates it from the log.
        column: the column of the learning rate, as in `read_log`.

    Raises:
        OSError, ValueError: as `read_log`.
    """
    log = read_log(path, column=column)
    steps, rates = log.steps, log.rates
    everything = points_of("check_log", *log.rows).of_float32()
    if log.is_thinned and (peak := peak_value or _estimated_peak(schedule, everything)):
        every = range(0, len(everything), -(-len(everything) // len(steps)))
        part = everything.part(sorted({*every, *_departures(schedule, peak, everything)}))
        steps, rates = part.steps, part.rates
    # Rates such as 0.1 may be exact, or rounded to one digit.
    points = points_of("check_log", steps, rates, digits=DIGITS).of_float32()
    rough = points_of("check_log", steps, rates).of_float32() if log.is_thinned else everything
    if text := _without_steps(schedule, points, rough, peak_value, log.name):
        return text, 1
    peak = peak_value or _estimated_peak(schedule, points)
    if peak is None:
        return f"at every step of {log.name}, the rate or the schedule is 0, so the log gives no peak", 1
    for candidates in points, rough:
        peak = peak_value or _estimated_peak(schedule, candidates) or peak
        if explains_all(schedule, peak, candidates):
            lines = [_all_follow(schedule, peak, everything, log.name), *_estimate(peak, peak_value)]
            if candidates is rough and rough.tolerances != points.tolerances:
                lines.append(f"the rates have fewer than {DIGITS} digits, so small differences are not visible")
            return "\n".join([*lines, *log.notes]), 0
    text, status = _departure(schedule, points, rough, everything, peak_value, log.name)
    return "\n".join([text, *log.notes]), status


def _departures(schedule: Schedule, peak: float, points: Points) -> list[int]:
    """The indices of the first points that the schedule does not explain, and of those before and after them."""
    wrong = (i for i, agrees in enumerate(explains(schedule, peak, points)) if not agrees)
    near = {i + d for i in islice(wrong, _DEPARTURES) for d in (-2, -1, 0, 1, 2)}
    return [i for i in near if 0 <= i < len(points)]


def _without_steps(schedule: Schedule, points: Points, rough: Points, peak_value: float | None, name: str) -> str:
    """The text for a log with the same rate in every row, where the schedule has another one; else an empty string."""
    rate = points.rates[0]
    multipliers = [schedule(step) for step in points.steps]
    largest = max(map(abs, multipliers))
    is_constant = max(multipliers) - min(multipliers) <= _CONSTANT * largest
    if any(other != rate for other in points.rates) or not largest or (rate and is_constant):
        return ""
    if peak_value and explains_all(schedule, peak_value, points):
        return ""
    unit = peak_value or 1.0
    reference = rate if peak_value or not rate else multipliers[0]
    i = max(range(len(points)), key=lambda i: abs(unit * multipliers[i] - reference))
    what = "the schedule" if peak_value else "the multiplier of the schedule"
    text = (
        f"all rates of {name} are {rate:.6g}, but {what} {'reaches' if i else 'is'} {unit * multipliers[i]:.6g} at "
        f"step {points.steps[i]}: is `scheduler.step()` called after every `optimizer.step()`"
    )
    peak = peak_value or _estimated_peak(schedule, rough)
    has_few_digits = not rate or (peak is not None and explains_all(schedule, peak, rough))
    return f"{text}, or does the log have too few digits?" if has_few_digits else f"{text}?"


def _departure(
    schedule: Schedule, points: Points, rough: Points, everything: Points, peak_value: float | None, name: str
) -> tuple[str, int]:
    """The text for a log that leaves the schedule, and the exit status. `points` and `rough` are part of all rows."""
    cause, peak = _cause(schedule, points, peak_value) or _cause(schedule, rough, peak_value) or ("", None)
    peak = peak or peak_value or _estimated_peak(schedule, rough)
    assert peak is not None
    if cause == _COUNTED_FROM_1:
        lines = [_all_follow(schedule, peak, everything, name), cause, *_estimate(peak, peak_value)]
        return "\n".join(lines), 0
    agrees = explains(schedule, peak, everything)
    first = agrees.index(False)
    step = everything.steps[first]
    rate, expected = _distinct(everything.rates[first], peak * schedule(step))
    i = points.steps.index(step) if step in points.steps else explains(schedule, peak, rough).index(False)
    lines = [
        f"{name} leaves {peak!r} * {schedule!r} at step {step}: {rate} instead of {expected}",
        f"{sum(agrees)} of {len(everything)} points follow it",
        *_estimate(peak, peak_value),
    ]
    has_left = i >= _FEWEST  # otherwise, no part of the log follows the schedule
    if not cause and has_left:
        cause = sudden_change(schedule, peak, points, i) or sudden_change(schedule, peak, rough, i)
    if not cause:
        found = identify(points.steps, points.rates)
        cause = f"the log follows {found.expression}" if found is not None and found.departure is None else ""
    if not cause and has_left:
        cause = other_horizon(schedule, peak, points, i) or other_horizon(schedule, peak, rough, i)
    return "\n".join([*lines, cause] if cause else lines), 1


def _cause(schedule: Schedule, points: Points, peak_value: float | None) -> tuple[str, float] | None:
    """The mistake that explains every point, as text, and the peak value of the schedule."""
    other_peak = _estimated_peak(schedule, points)
    is_other_peak = bool(peak_value and other_peak and explains_all(schedule, other_peak, points))
    for counted, text in _faster_counts(points):
        peak = peak_value or _estimated_peak(schedule, counted)
        if peak is not None and explains_all(schedule, peak, counted):
            return f"{text}, or is the peak {other_peak!r}?" if is_other_peak else f"{text}?", peak
    if peak_value and is_other_peak:
        return f"the log follows the schedule with a peak of {other_peak!r}", peak_value
    for counted, text in _other_counts(points):
        peak = peak_value or _estimated_peak(schedule, counted)
        if peak is not None and explains_all(schedule, peak, counted):
            return text, peak
    return None


def _faster_counts(points: Points) -> Iterator[tuple[Points, str]]:
    """The same rates at the steps that several calls of `scheduler.step()` per update lead to, and a text."""
    if len(points) < _FEWEST:
        return
    for factor in range(2, _FASTEST + 1):
        for first in range(1 + (points.steps[0] >= 1)):
            counted = Points([factor * (step - first) for step in points.steps], points.rates, points.tolerances)
            yield (
                counted,
                f"the schedule advances {factor} steps per step of the log: is `scheduler.step()` called for every "
                "batch or process instead of every update",
            )


def _other_counts(points: Points) -> Iterator[tuple[Points, str]]:
    """The same rates at the steps of the schedule that a mistake may have led to, and a text about the mistake."""
    if len(points) < _FEWEST:
        return
    for shift in shifts(points.steps[-1]):
        steps = "one step" if abs(shift) == 1 else f"{abs(shift)} steps"
        text = f"the log is {steps} {'ahead of' if shift > 0 else 'behind'} the schedule"
        if shift == 1:
            text += ": is the rate logged after `scheduler.step()`, or is it called before `optimizer.step()`?"
        yield moved(points, shift), _COUNTED_FROM_1 if shift == -1 and points.steps[0] >= 1 else text
    for first in range(1 + (points.steps[0] >= 1)):
        for length in _lengths(points, first):
            counted = Points([(step - first) // length for step in points.steps], points.rates, points.tolerances)
            text = f"every value is held for {length} steps: is `scheduler.step()` called once per epoch?"
            yield counted, text


def _lengths(points: Points, first: int) -> list[int]:
    """Numbers of steps for which every value may be held, from the step `first` on; the roundest first."""
    pairs = zip(pairwise(points.steps), pairwise(points.rates), strict=True)
    changes = [(first - 1, first), *(steps for steps, (before, after) in pairs if before != after)]
    gaps = [(after[0] + 1 - before[1], after[1] - before[0] - 1) for before, after in pairwise(changes)]
    low, high = min(gaps, key=lambda gap: gap[1], default=(0, 0))
    lengths = range(max(low, 2), min(high, low + _HELD) + 1)
    return sorted(lengths, key=lambda length: len(str(length).rstrip("0")))


def _estimated_peak(schedule: Schedule, points: Points) -> float | None:
    """The simplest peak value that explains every point, or else the first half of those before a contradiction.

    None if no point has a rate and a multiplier other than 0.
    """
    low, high = -float("inf"), float("inf")
    intervals: list[tuple[float, float]] = []
    for step, rate, tolerance in zip(points.steps, points.rates, points.tolerances, strict=True):
        multiplier = schedule(step)
        if rate and multiplier:
            ends = sorted(((rate - tolerance) / multiplier, (rate + tolerance) / multiplier))
            if max(low, ends[0]) > min(high, ends[1]):
                low, high = intervals[len(intervals) // 2]
                break
            low, high = max(low, ends[0]), min(high, ends[1])
            intervals.append((low, high))
    if not intervals:
        return None
    return next((number for number in simple_numbers((low + high) / 2, (high - low) / 2) if number), None)


def _all_follow(schedule: Schedule, peak: float, points: Points, name: str) -> str:
    return f"all {len(points)} points of {name} follow {peak!r} * {schedule!r}"


def _distinct(a: float, b: float) -> tuple[str, str]:
    """Two numbers as text, with at least 6 digits and as many as it takes to tell them apart."""
    texts = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in texts if pair[0] != pair[1]), (repr(a), repr(b)))


def _estimate(peak: float, peak_value: float | None) -> list[str]:
    return (
        [] if peak_value else [f"the peak {peak:.6g} is estimated from the log; to check it too, give `--peak-value`"]
    )
