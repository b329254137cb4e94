"""From a family of curves to a schedule: fit, replace the estimates by simple numbers, and verify every point."""

from __future__ import annotations

from functools import partial
from math import ceil

from funcsched.evidence.candidate import Candidate, explains
from funcsched.evidence.facts import Facts
from funcsched.evidence.family import INTEGER, RATE, REAL, Family
from funcsched.evidence.fitting import Problem
from funcsched.evidence.points import Points
from funcsched.evidence.ranges import ranges_of
from funcsched.evidence.rounding import (
    inverse_roots,
    near,
    relative_decays,
    shape_numbers,
    simple_integers,
    simple_numbers,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

_FITS = 1.7  # largest residual of a least-squares fit that may still be within the digits
_NEAR = 0.03  # of the largest rate: a larger residual of the first fit rules a guess out
_WAVE_FITS = 1e4  # the same for waves, before the number of cycles is rounded to a half: the fit is singular there
_NODES = 100  # fits in the search of one family
_SHARE = 12  # of them for each of several searches whose simplest result is chosen
_USUAL = 0.1, 0.01, 0.05  # last levels of many runs
# What a log does not determine, as text.
ENDS_IN_WARMUP = "the log ends before the warmup does, so the peak may be higher, and any decay may follow"
STARTS_AFTER_WARMUP = "the log starts after the warmup, so another warmup to another peak has the same rates"


def fit(family: Family, points: Points, sample: Points, facts: Facts) -> Candidate | None:
    """The simplest member of a family that explains every point, or None."""
    free = list(range(len(family.parameters)))
    even = [1.0 / (max(abs(r) for r in sample.rates) or 1.0)] * len(sample)
    # Rates close to 0 may have so many digits that they would outweigh all others.
    coarsest = max(sample.tolerances)
    weights = [1.0 / max(tolerance, 1e-3 * coarsest) for tolerance in sample.tolerances]
    if len(sample) < len(free) + len(family.levels) + 3:
        return None
    tried: list[list[float]] = []
    budget = [_NODES]
    coarse = sample.part(range(0, len(sample), 2)) if len(sample) > 30 else sample
    for guess in family.guesses(facts):
        problem = Problem(family.row, sample, len(family.levels) + 1)
        if family.name == "cosine_restarts":  # a longer period would move a restart past the point that shows it
            problem.direction = -1.0
        try:
            problem.points = coarse
            parameters, _, residuals = problem.minimize(guess, free, even[: len(coarse)], 12, 0.97)
            if not max(map(abs, residuals)) <= _NEAR:
                continue
            problem.points = sample
            parameters, levels, residuals = problem.minimize(parameters, free, weights, 15)
            limit = _WAVE_FITS if ("cycles", REAL) in family.parameters else _FITS
            if not max(map(abs, residuals)) <= limit or max(map(abs, levels)) > 20 * abs(levels[0]):
                continue
            if any(all(abs(a - b) <= 1e-4 * abs(b) for a, b in zip(parameters, old, strict=True)) for old in tried):
                continue
            tried.append(parameters)
            found = _Snapping(family, problem, points, weights, budget).run(parameters)
        except (ArithmeticError, ValueError):  # parameters far from any schedule
            continue
        if found is not None:
            return found
    return None


class _Snapping:
    """Depth-first search that fixes one number after another at the simplest value that the log allows."""

    def __init__(
        self, family: Family, problem: Problem, points: Points, weights: Sequence[float], budget: list[int]
    ) -> None:
        self.budget = budget
        self.family, self.problem, self.points, self.weights = family, problem, points, weights
        self.undetermined = ""  # the first thing that the log does not determine, as text
        self.pairs: dict[float, tuple[float, int]] = {}  # rate and steps of a relative decay
        kinds = [kind for _, kind in family.parameters]
        self.order = [i for i, kind in enumerate(kinds) if kind not in (INTEGER, RATE)]
        self.last = [i for i, kind in enumerate(kinds) if kind == RATE] + [
            i for i, kind in enumerate(kinds) if kind == INTEGER
        ]

    def _doubt(self, text: str) -> None:
        self.undetermined = self.undetermined or text

    def run(self, parameters: list[float]) -> Candidate | None:
        free = [*self.order, *self.last]
        return self._descend(parameters, free)

    def _descend(self, parameters: list[float], free: list[int]) -> Candidate | None:
        if self.budget[0] <= 0:
            return None
        self.budget[0] -= 1
        problem = self.problem
        parameters, levels, residuals = problem.minimize(parameters, free, self.weights, 15)
        is_wave = bool(free) and self.family.parameters[free[0]][0] == "cycles"
        if not max(map(abs, residuals)) <= (_WAVE_FITS if is_wave else _FITS):
            return None
        if not free and not levels:
            return self._candidate(parameters)
        deviations, level_deviations = problem.spreads(parameters, levels, free, self.weights)
        deviations = [min(d, 2.0 * abs(parameters[i]) + 1.0) for i, d in zip(free, deviations, strict=True)]
        level_deviations = [min(d, 2.0 * max(map(abs, levels))) for d in level_deviations]
        kinds = [self.family.parameters[i][1] for i in free]
        if free and kinds[0] not in (INTEGER, RATE):
            return self._fix_shape(parameters, free, [6 * d for d in deviations])
        if None in problem.ratios:
            return self._fix_ratio(parameters, free, levels, level_deviations, [6 * d for d in deviations])
        if problem.peak is None:
            candidates = [v for v in simple_numbers(levels[0], 6 * level_deviations[0]) if v]
            if level_deviations[0] > abs(levels[0]) and self.family.parameters[:1] == (("warmup_steps", INTEGER),):
                return self._fix_warmup(parameters, free)
            if self.family.unit_peak:
                candidates = inverse_roots(levels[0], 6 * level_deviations[0])
            found = None
            for value in candidates:
                problem.peak = value
                if found := self._descend(parameters, free):
                    break
            problem.peak = None
            return found
        spread = 6 * deviations[0]
        if kinds[0] == RATE:
            return self._fix_parameter(parameters, free, self._decays(parameters[free[0]], spread))
        return self._fix_parameter(parameters, free, simple_integers(parameters[free[0]], spread + 0.6))

    def _simplest(self, searches: Iterable[Callable[[], Candidate | None]]) -> Candidate | None:
        """The simplest result of several searches, each with a share of the fits."""
        found = []
        for search in searches:
            share = min(self.budget[0], _SHARE)
            rest, self.budget[0] = self.budget[0] - share, share
            found.append(search())
            self.budget[0] += rest
        return min(filter(None, found), key=lambda candidate: candidate.complexity, default=None)

    def _fix_shape(self, parameters: list[float], free: list[int], spreads: list[float]) -> Candidate | None:
        spread = spreads[0]
        value, names = parameters[free[0]], [name for name, _ in self.family.parameters]
        values = shape_numbers(value, spread)
        if names[free[0]] == "cycles":
            # The log shows the wavelength. At the end of a half wave, it hardly shows where the curve ends.
            nearest = round(2 * value) / 2
            values = [nearest, *values] if nearest and abs(nearest - value) < 0.02 else values
            if spread > 0.01:
                self._doubt("the log does not determine `cycles`")
                shortest = value * self.points.steps[-1] / parameters[names.index("total_steps")]
                values = [ceil(2 * shortest - 1e-3) / 2, ceil(shortest - 1e-3), shortest]
        elif names[free[0]] == "end" and "stable_steps" in names:
            # The rates of an exponential decay depend on log(end) / decay_steps alone, until it ends.
            before, last = self.points.steps[-2:]
            if sum(parameters[i] for i in self.last) > last - 0.1 * (last - before):
                self._doubt("the log does not determine `end`")
                usual = [partial(self._with, parameters, free, number) for number in (*near(value), *_USUAL)]
                return self._simplest([*self._ending_with_log(parameters, free, spreads), *usual])
        elif spread > 0.3 * value:
            self._doubt(f"the log does not determine `{names[free[0]]}`")
            if ending := self._simplest(self._ending_with_log(parameters, free, spreads)):
                return ending
        for number in values:
            trial = list(parameters)
            if names[free[0]] == "cycles":
                total = names.index("total_steps")
                trial[total] = parameters[0] + (parameters[total] - parameters[0]) * number / value
            if result := self._with(trial, free, number):
                return result
        return None

    def _with(self, parameters: list[float], free: list[int], value: float) -> Candidate | None:
        """The result in which the first free parameter has a value."""
        trial = list(parameters)
        trial[free[0]] = value
        return self._descend(trial, free[1:])

    def _with_best_end(self, parameters: list[float]) -> list[float]:
        """The same parameters with another end of the decay, if that is a better start of the next fit."""
        names = [name for name, _ in self.family.parameters]
        end = next((i for i, name in enumerate(names) if name in ("total_steps", "decay_steps")), None)
        if end is None:
            return parameters
        last = float(self.points.steps[-1])
        trials = [parameters]
        for factor in (1.01, 1.1, 1.3, 2.0, 4.0):
            total = factor * last if names[end] == "total_steps" else max(factor * last - sum(parameters[:end]), 1.0)
            trials.append([*parameters[:end], total, *parameters[end + 1 :]])
        return min(trials, key=lambda trial: sum(r * r for r in self.problem.solve(trial, self.weights)[1]))

    def _fix_warmup(self, parameters: list[float], free: list[int]) -> Candidate | None:
        """Where the log does not show the end of the warmup: the warmup with the simplest peak, close to the log."""
        first, last = self.points.steps[0], self.points.steps[-1]
        is_rising = self.points.rates[-1] > self.points.rates[0]
        self._doubt(ENDS_IN_WARMUP if is_rising else STARTS_AFTER_WARMUP)
        if 0 not in free:
            return None
        low, high = (last, 10 * last) if is_rising else (1, first)
        rounds = [part * 10**power for power in range(len(str(high))) for part in (1, 2, 4, 5, 8)]
        rounds = [steps for steps in rounds if low <= steps <= high]
        choices = []
        for steps in {*rounds, *(range(last, last + 5) if is_rising else ())}:
            trial = [float(steps), *parameters[1:]]
            (peak,), _ = self.problem.solve(trial, self.weights)
            digits = f"{peak:.3e}".partition("e")[0].rstrip("0")
            choices.append((len(digits), steps not in rounds, steps - low if is_rising else high - steps, trial))
        for *_, trial in sorted(choices)[:3]:
            if found := self._descend(trial, [i for i in free if i]):
                return found
        return None

    def _ending_with_log(
        self, parameters: list[float], free: list[int], spreads: list[float]
    ) -> Iterator[Callable[[], Candidate | None]]:
        """Searches for an end at the last step of the log or at the next one, or shortly after it at a round step."""
        names = [name for name, _ in self.family.parameters]
        steps = self.points.steps
        last, gap = steps[-1], steps[-1] - steps[-2]
        unit = max(10 ** (len(str(last)) - 2), 1)
        # A complete log of a run of N updates has the steps 0 to N - 1, or some of them, and its schedule ends at N.
        rounds = [-(-last // (unit * 10)) * unit * 10, -(-last // unit) * unit]
        ends = dict.fromkeys([last, last + 1, last + gap, *rounds])
        for end in ends:
            if end > last + 4 * gap:
                continue
            trial = list(parameters)
            if "total_steps" in names and names.index("total_steps") in free:
                fixed = {names.index("total_steps")}
                trial[names.index("total_steps")] = float(end)
            elif "stable_steps" in names and set(self.last) <= set(free):
                fixed = set(self.last)
                for i in self.last[:-1]:
                    trial[i] = simple_integers(parameters[i], spreads[free.index(i)] + 0.6)[0]
                trial[self.last[-1]] = end - sum(trial[i] for i in self.last[:-1])
            else:
                continue
            if trial[max(fixed)] >= 1:
                yield partial(self._descend, trial, [i for i in free if i not in fixed])

    def _fix_parameter(self, parameters: list[float], free: list[int], values: Sequence[float]) -> Candidate | None:
        return next(filter(None, (self._with(parameters, free, value) for value in values)), None)

    def _fix_ratio(
        self,
        parameters: list[float],
        free: list[int],
        levels: list[float],
        deviations: list[float],
        spreads: list[float],
    ) -> Candidate | None:
        ratios = self.problem.ratios
        position = ratios.index(None)
        peak, level = levels[0], levels[1]
        if peak == 0:
            return None
        spread = 6 * (deviations[1] + abs(level / peak) * deviations[0]) / abs(peak)
        values = simple_numbers(level / peak, spread)
        if spread > 0.05:  # the log does not show this level
            self._doubt(f"the log does not determine `{self.family.levels[position]}`")
            if found := self._with_ratio(position, 0.0, self._with_best_end(parameters), free):
                return found
            numbers = (*near(level / peak), *_USUAL, *values[:1])
            values = [value for value in dict.fromkeys(numbers) if value > 0]
            if endings := list(self._ending_with_log(parameters, free, spreads)):
                usual = [partial(self._with_ratio, position, value, parameters, free) for value in values]
                return self._simplest([*endings, *usual])
        if abs(level / peak) > 1e-12:
            inverse = round(peak / level)
            if inverse and abs(1 / inverse - level / peak) <= spread:
                values.insert(min(2, len(values)), 1 / inverse)
            # A level that is a simple learning rate, where the peak is one too.
            peaks = simple_numbers(peak, 6 * deviations[0])[:1]
            simple = simple_numbers(level, 6 * deviations[1])[:1]
            if peaks[0]:
                values.insert(min(3, len(values)), simple[0] / peaks[0])
        results = (self._with_ratio(position, value, parameters, free) for value in values)
        return next(filter(None, results), None)

    def _with_ratio(self, position: int, ratio: float, parameters: list[float], free: list[int]) -> Candidate | None:
        self.problem.ratios[position] = ratio
        found = self._descend(parameters, free)
        self.problem.ratios[position] = None
        return found

    def _decays(self, value: float, spread: float) -> list[float]:
        found = relative_decays(value, spread, self.family.name == "inverse_time")
        self.pairs.update(found)
        return list(found)

    def _candidate(self, parameters: list[float]) -> Candidate | None:
        family, problem = self.family, self.problem
        values: dict[str, Any] = {}
        for (name, kind), value in zip(family.parameters, parameters, strict=True):
            if kind == RATE:
                values[name] = self.pairs[value]
            else:
                values[name] = round(value) if kind == INTEGER else value
        latest = 1000 * (self.points.steps[-1] + 1)
        if any(not -1e-12 <= (ratio or 0.0) <= 10 for ratio in problem.ratios) or any(
            kind == INTEGER and values[name] > latest for name, kind in family.parameters
        ):
            return None  # a bend of another curve
        if values.get("exponent", 1.0) > 10 or values.get("cycles", 1.0) > 100:
            return None
        levels = {name: float(ratio or 0.0) for name, ratio in zip(family.levels, problem.ratios, strict=True)}
        assert problem.peak is not None
        peak = problem.peak
        if family.unit_peak:
            values["d_model"], peak = round(peak**-2), 1.0
        try:
            schedule = family.build(values, levels)
        except (TypeError, ValueError):
            return None
        if not all(explains(schedule, peak, self.points)):
            return None
        words = sum(
            name not in type(schedule).defaults or value != type(schedule).defaults[name]
            for name, value in schedule.arguments().items()
        )
        return Candidate(
            family.name, schedule, peak, ranges_of(family, problem, self.weights, parameters), words, self.undetermined
        )
