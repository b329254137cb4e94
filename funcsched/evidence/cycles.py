"""The families of curves with cycles, and those with two decays."""

from __future__ import annotations

from itertools import pairwise
from math import cos, floor, log, pi

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.facts import Facts
from funcsched.evidence.family import INTEGER, REAL, SIMPLE, TOTAL, Family, fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def cosine_linear() -> Family:
    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        w, total, decay = p
        if step < w:
            return step / max(w, 1e-9), 0.0, 0.0
        leave = max(total - decay, w)
        g = 0.5 + 0.5 * cos(pi * fraction(min(step, leave), w, total))
        u = fraction(step, leave, total)
        return g * (1.0 - u), (1.0 - g) * (1.0 - u), u

    def guesses(facts: Facts) -> list[list[float]]:
        return [
            [w, total, part * total] for w in facts.warmups for total in facts.totals[:2] for part in (0.1, 0.25, 0.5)
        ]

    return Family(
        "warmup_cosine_linear",
        [("warmup_steps", INTEGER), TOTAL, ("decay_steps", INTEGER)],
        ["cosine_end", "end"],
        row,
        guesses,
        lambda values, levels: fs.warmup_cosine_linear(**values, **levels),
        [*SIMPLE, "warmup_polynomial", "warmup_half_cosine", "warmup_stable_decay"],
    )


def one_cycle(shape: str, three: bool) -> Family:
    weight: Callable[[float], float] = (lambda u: 0.5 - 0.5 * cos(pi * u)) if shape == "cosine" else (lambda u: u)

    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        w, total = p[:2]
        if step < w:
            u = weight(step / max(w, 1e-9))
            return u, 1.0 - u, 0.0
        if three:
            middle = w + p[2]
            if step < middle:
                u = weight(fraction(step, w, middle))
                return 1.0 - u, u, 0.0
            u = weight(fraction(step, middle, total))
            return 0.0, 1.0 - u, u
        u = weight(fraction(step, w, total))
        return 1.0 - u, 0.0, u

    def guesses(facts: Facts) -> list[list[float]]:
        if not facts.warmups:
            return []
        peak = float(facts.steps[facts.rates.index(facts.high)])
        found = [[w, total] for w in (peak, facts.warmups[-1]) for total in facts.totals]
        return [[w, total, w] for w, total in found if total > 2 * w] if three else found

    def build(values: dict[str, Any], levels: dict[str, Any]) -> Schedule:
        options: dict[str, Any] = {} if shape == "cosine" else {"shape": fs.linear}
        return fs.one_cycle(**values, **levels, **options)

    parameters = [("warmup_steps", INTEGER), TOTAL, *([("decay_steps", INTEGER)] if three else [])]
    return Family("one_cycle", parameters, ["start", "end"], row, guesses, build, [*SIMPLE, "one_cycle"])


def _cycle(step: float, period: float, factor: float) -> tuple[int, float, float]:
    """The number of the cycle, its first step and its length."""
    if factor <= 1.0005:
        number = floor(step / period)
        return number, number * period, period
    number = max(floor(log(step / period * (factor - 1) + 1) / log(factor) + 1e-12), 0)
    return number, period * _growth(number, factor), float(period * factor**number)


def _growth(count: int, factor: float) -> float:
    """The length of some cycles, in units of the first one."""
    return float((factor**count - 1) / (factor - 1)) if factor > 1.0005 else float(count)


def restarts(*options: str) -> Family:
    """`cosine_restarts` with some of its arguments: warmup_steps, times, period_factor, level_factor."""
    order = "warmup_steps", "period", "times", "period_factor", "level_factor"
    names = [name for name in order if name in options or name == "period"]
    place = {name: names.index(name) for name in names}
    warmup, times = place.get("warmup_steps"), place.get("times")
    growth, lowering = place.get("period_factor"), place.get("level_factor")
    period = place["period"]

    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        number, start, length = _cycle(step, max(p[period], 1e-9), 1.0 if growth is None else p[growth])
        if times is not None and number >= round(p[times]):
            return 0.0, 0.0, 1.0
        top = 1.0 if lowering is None else p[lowering] ** number
        w = 0.0 if warmup is None else p[warmup] * length / max(p[period], 1e-9)
        if step - start < w:
            u = (step - start) / w
            return top * u, 1.0 - u, 0.0
        g = 0.5 + 0.5 * cos(pi * fraction(step - start, w, length))
        return top * g, 0.0, 1.0 - g

    def guesses(facts: Facts) -> list[list[float]]:
        if (warmup is None) is bool(facts.warmups) or (times is not None and not facts.is_held):
            return []
        if warmup is None:
            ends, warmups = facts.jumps, [0.0]
        else:
            following = dict(pairwise(facts.steps))
            ends = [(low, following[low]) for low in facts.turns[1::2]]
            warmups = list({facts.warmups[0], *map(float, facts.turns[:1])})
        found = [
            {"warmup_steps": w, "period": length, "period_factor": factor}
            for w in warmups
            for length, factor in _periods(ends, growth is not None)
        ]
        count = len(ends) + 1
        levels = (0.7, 0.4) if lowering is not None else (1.0,)
        return [
            [{**guess, "times": float(count), "level_factor": level}[name] for name in names]
            for guess in found
            for level in levels
        ]

    def build(values: dict[str, Any], levels: dict[str, Any]) -> Schedule:
        return fs.cosine_restarts(**values, **levels)

    reals = ("period_factor", "level_factor")
    parameters = [(name, REAL if name in reals else INTEGER) for name in names]
    if warmup is None:
        levels, coefficients = ["end"], lambda step, p: row(step, p)[::2]
    else:
        levels, coefficients = ["start", "end"], row
    return Family("cosine_restarts", parameters, levels, coefficients, guesses, build, ["cosine_restarts"])


def _periods(restarts: Sequence[tuple[int, int]], growing: bool) -> list[tuple[float, float]]:
    """Guesses of (period, period_factor) from the last step before each restart and the first one after it."""
    if len(restarts) < 1 + growing:
        return []
    factors = {1.0}
    if growing:
        first, second = ((a + b) / 2 for a, b in restarts[:2])
        ratio = (second - first) / first
        factors = {factor for factor in (round(ratio), ratio, round(2 * ratio) / 2) if factor > 1.01}
    found = []
    for factor in factors:
        low = max(a / _growth(i + 1, factor) for i, (a, _) in enumerate(restarts))
        high = min(b / _growth(i + 1, factor) for i, (_, b) in enumerate(restarts))
        if growing:
            found.append(((low + high) / 2, factor))
        elif high > low:
            found += [(low + (high - low) * part, factor) for part in (0.5, 0.95)]
    return found


def hard_restarts(cycles: int) -> Family:
    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        w, total = p
        if step < w:
            return step / max(w, 1e-9), 0.0
        u = fraction(step, w, total)
        g = 0.5 + 0.5 * cos(pi * (cycles * u % 1.0)) if u < 1.0 else 0.0
        return g, 1.0 - g

    def guesses(facts: Facts) -> list[list[float]]:
        if not facts.jumps or cycles < len(facts.jumps) + facts.is_held:
            return []
        found = []
        for w in facts.warmups or [0.0]:
            low = max((a - w) / (i + 1) for i, (a, _) in enumerate(facts.jumps))
            high = min((b - w) / (i + 1) for i, (_, b) in enumerate(facts.jumps))
            if facts.is_held:
                found.append([w, facts.totals[0]])
            found.append([w, w + cycles * (low + high) / 2])
        return found

    return Family(
        "warmup_cosine_restarts",
        [("warmup_steps", INTEGER), TOTAL],
        ["end"],
        row,
        guesses,
        lambda values, levels: fs.warmup_cosine_restarts(**values, cycles=cycles, **levels),
        ["cosine_restarts", "warmup_cosine_restarts"],
    )


def cyclic(mode: str, symmetric: bool) -> Family:
    parameters = [("up_steps", INTEGER)]
    parameters += [] if symmetric else [("down_steps", INTEGER)]
    parameters += [("rate", REAL)] if mode == "exp_range" else []

    options: dict[str, Any] = {} if mode == "triangular" else {"mode": mode}

    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        up = max(p[0], 1e-9)
        down = up if symmetric else max(p[1], 1e-9)
        number = floor(step / (up + down))
        position = step - number * (up + down)
        height = position / up if position < up else 1.0 - (position - up) / down
        if mode == "triangular2":
            height *= 0.5**number
        elif mode == "exp_range":
            height *= min(p[-1], 1.0) ** step
        return height, 1.0 - height

    def guesses(facts: Facts) -> list[list[float]]:
        turns = facts.turns
        if not facts.warmups or len(turns) < 2:
            return []
        up, down = turns[0], turns[1] - turns[0]
        mean = turns[-1] / len(turns)
        found: list[list[float]] = [[mean], [up]] if symmetric else [[up, down], [facts.warmups[0], down]]
        if not symmetric and len(turns) >= 4:
            period = (turns[-1] - turns[-1 - 2 * ((len(turns) - 1) // 2)]) / ((len(turns) - 1) // 2)
            found.append([up, period - up])
        return [[*guess, 1.0 - 0.3 / facts.last] for guess in found] if mode == "exp_range" else found

    return Family(
        "cyclic",
        parameters,
        ["start"],
        row,
        guesses,
        lambda values, levels: fs.cyclic(**values, **levels, **options),
        ["cyclic", "warmup_linear"],
    )
