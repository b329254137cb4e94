"""Identification of piecewise constant logs: constant, step_decay, multistep and piecewise_constant."""

from __future__ import annotations

from itertools import pairwise

from funcsched.evidence.points import Points
from funcsched.evidence.rounding import simple_numbers
from funcsched.evidence.search import Candidate, explains
from funcsched.primitives.piecewise import piecewise_constant
from funcsched.primitives.ramp import constant
from funcsched.recipes.open_ended import multistep, step_decay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from funcsched.core.schedule import Schedule


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
    """The simplest piecewise constant schedule that explains the points, or None if they are not piecewise constant."""
    runs: list[_Run] = []
    for step, rate, tolerance in zip(points.steps, points.rates, points.tolerances, strict=True):
        if not runs or not runs[-1].takes(step, rate - tolerance, rate + tolerance):
            runs.append(_Run(step, rate - tolerance, rate + tolerance))
    if len(points) < 2 * len(runs) + 1 or sum(run.count == 1 for run in runs) > len(runs) // 4:
        return None
    best = None
    for candidate in _candidates(runs):
        if all(explains(candidate.schedule, candidate.peak_value, points)) and (
            best is None or candidate.complexity < best.complexity
        ):
            best = candidate
    return best


def _candidates(runs: list[_Run]) -> Iterator[Candidate]:
    bounds = [(before.last + 1, after.first) for before, after in pairwise(runs)]
    boundaries = [_roundest(low, high) for low, high in bounds]
    ranges = {f"boundaries[{i}]": bound for i, bound in enumerate(bounds)}
    peaks = simple_numbers((runs[0].low + runs[0].high) / 2, (runs[0].high - runs[0].low) / 2)[:3]

    def candidate(
        name: str, schedule: Schedule, peak: float, ranges: dict[str, tuple[int, int]], words: int
    ) -> Candidate:
        return Candidate(name, schedule, peak, ranges, words)

    if len(runs) == 1:
        for peak in peaks:
            yield candidate("constant", constant(1.0), peak, {}, 1)
        return
    last, first = runs[-1], runs[0]
    if first.low > 0 and last.low > 0:
        count = len(runs) - 1
        low, high = (last.low / first.high) ** (1 / count), (last.high / first.low) ** (1 / count)
        factors = simple_numbers((low + high) / 2, (high - low) / 2)[:4] if high <= 1 or low < 1 else []
        periods = (
            max((low_ + i) // (i + 1) for i, (low_, _) in enumerate(bounds)),
            min(high_ // (i + 1) for i, (_, high_) in enumerate(bounds)),
        )
        for factor in factors:
            if not 1e-30 <= factor <= 1:
                continue
            for peak in peaks:
                if periods[0] <= periods[1]:
                    words = 1 + (factor != 0.1)
                    period = _roundest(*periods)
                    yield candidate("step_decay", step_decay(period, factor), peak, {"period": periods}, words)
                yield candidate("multistep", multistep(boundaries, factor), peak, ranges, len(runs) + (factor != 0.1))
    for peak in peaks:
        if peak == 0:
            continue
        levels = [1.0, *(_ratio(run, peak) for run in runs[1:])]
        yield candidate(
            "piecewise_constant", piecewise_constant(boundaries, levels=levels), peak, ranges, 2 * len(runs)
        )


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
