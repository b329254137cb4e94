"""Identification of logs with constant levels: constant, step_decay, multistep, piecewise_constant and stairs."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, floor

from funcsched.evidence.candidate import Candidate, explains
from funcsched.evidence.points import Points
from funcsched.evidence.rounding import simple_numbers
from funcsched.primitives.piecewise import piecewise_constant
from funcsched.primitives.ramp import constant
from funcsched.recipes.open_ended import multistep, step_decay, warmup_exponential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Run:
    """Consecutive points with the same rate within the digits."""

    def __init__(self, first: int, low: float, high: float) -> None:
        self.first = self.last = first
        self.low, self.high, self.count = low, high, 1

    def takes(self, step: int, low: float, high: float) -> bool:
        if max(self.low, low) > min(self.high, high):
            return False
        self.low, self.high, self.last = max(self.low, low), min(self.high, high), step
        self.count += 1
        return True


def identify_levels(points: Points) -> Candidate | None:
    """The simplest schedule with constant levels that explains the points, or None if they are not so."""
    candidates = [
        candidate
        for candidate in (*_constant_levels(points), *_stairs_after_warmup(points))
        if all(explains(candidate.schedule, candidate.peak_value, points))
    ]
    return min(candidates, key=lambda candidate: candidate.complexity, default=None)


def _runs(points: Points) -> list[_Run]:
    """The runs of points with the same rate; none if most of the points differ."""
    runs: list[_Run] = []
    for step, rate, tolerance in zip(points.steps, points.rates, points.tolerances, strict=True):
        if not runs or not runs[-1].takes(step, rate - tolerance, rate + tolerance):
            runs.append(_Run(step, rate - tolerance, rate + tolerance))
    is_constant = len(points) > 2 * len(runs) and sum(run.count == 1 for run in runs) <= len(runs) // 4
    return runs if is_constant else []


def _constant_levels(points: Points) -> Iterator[Candidate]:
    runs = _runs(points)
    if not runs:
        return
    bounds = _bounds(runs)
    boundaries = [_roundest(low, high) for low, high in bounds]
    ranges = {f"boundaries[{i}]": bound for i, bound in enumerate(bounds)}
    peaks = _peaks(runs)
    if len(runs) == 1:
        yield from (Candidate("constant", constant(1.0), peak, {}, 1) for peak in peaks)
        return
    period = _period(bounds, 0)
    for peak in peaks:
        for factor in _factors(runs):
            words = factor != 0.1
            if period[0] <= period[1]:
                schedule = step_decay(_roundest(*period), factor)
                yield Candidate("step_decay", schedule, peak, {"period": period}, 1 + words)
            yield Candidate("multistep", multistep(boundaries, factor), peak, ranges, len(runs) + words)
        if peak:
            levels = [1.0, *(_ratio(run, peak) for run in runs[1:])]
            schedule = piecewise_constant(boundaries, levels=levels)
            yield Candidate("piecewise_constant", schedule, peak, ranges, 2 * len(runs))


def _stairs_after_warmup(points: Points) -> Iterator[Candidate]:
    """`warmup_exponential` with `staircase`: the rates rise along a line to the first level."""
    highest = max(points.rates)
    top = next(i for i, rate in enumerate(points.rates) if rate >= highest - points.tolerances[i])
    runs = _runs(points.part(range(top, len(points)))) if top >= 2 and min(points.rates) >= 0 else []
    if len(runs) < 2:
        return
    bounds = _bounds(runs)
    for peak in _peaks(runs):
        for offset in (0, 1):
            low, high = points.steps[top - 1] + 1.0, float(points.steps[top]) + offset
            for step, rate, tolerance in zip(points.steps[:top], points.rates, points.tolerances, strict=False):
                low = max(low, (step + offset) * peak / (rate + tolerance))
                high = min(high, (step + offset) * peak / (rate - tolerance) if rate > tolerance else high)
            warmups = ceil(low), floor(high)
            warmup = _roundest(*warmups)
            period = _period(bounds, warmup)
            if warmups[0] > warmups[1] or not 1 <= period[0] <= period[1]:
                continue
            ranges = {"warmup_steps": warmups, "decay_steps": period}
            for rate in _factors(runs):
                schedule = warmup_exponential(warmup, _roundest(*period), rate, staircase=True, warmup_offset=offset)
                yield Candidate("warmup_exponential", schedule, peak, ranges, 4 + offset)


def _bounds(runs: Sequence[_Run]) -> list[tuple[int, int]]:
    """The interval of each step at which the level changes."""
    return [(before.last + 1, after.first) for before, after in pairwise(runs)]


def _period(bounds: Sequence[tuple[int, int]], start: int) -> tuple[int, int]:
    """The lowest and highest period of changes that are counted from a step; empty if they are not periodic."""
    low = max(-((start - low) // (i + 1)) for i, (low, _) in enumerate(bounds))
    return low, min((high - start) // (i + 1) for i, (_, high) in enumerate(bounds))


def _peaks(runs: Sequence[_Run]) -> list[float]:
    return simple_numbers((runs[0].low + runs[0].high) / 2, (runs[0].high - runs[0].low) / 2)[:3]


def _factors(runs: Sequence[_Run]) -> list[float]:
    """Simple factors between successive levels."""
    first, last, count = runs[0], runs[-1], len(runs) - 1
    if first.low <= 0 or last.low <= 0:
        return []
    low, high = (last.low / first.high) ** (1 / count), (last.high / first.low) ** (1 / count)
    return [factor for factor in simple_numbers((low + high) / 2, (high - low) / 2)[:4] if 1e-30 <= factor <= 1]


def _ratio(run: _Run, peak: float) -> float:
    return simple_numbers((run.low + run.high) / 2 / peak, (run.high - run.low) / 2 / abs(peak))[0]


def _roundest(low: int, high: int) -> int:
    """The integer in an interval with the most trailing zeros."""
    unit: int = 10 ** len(str(high))
    while unit > 1:
        for part in (unit, unit // 2):
            multiple = -(-low // part) * part
            if multiple <= high and multiple:
                return multiple
        unit //= 10
    return low
