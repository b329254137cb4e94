"""The families of curves that consist of a linear warmup and a decay."""

from __future__ import annotations

from math import cos, exp, log, pi, sin, sqrt

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.facts import Facts
from funcsched.evidence.family import INTEGER, RATE, REAL, SIMPLE, TOTAL, fraction, timescales
from funcsched.evidence.tail import Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from funcsched.evidence.tail import Fall, Guesses


def _totals(facts: Facts, w: float) -> list[list[float]]:
    return [[max(total, w + 1.0)] for total in facts.totals]


def _with(*values: float) -> Guesses:
    return lambda facts, w: [[*rest, value] for rest in _totals(facts, w) for value in values]


def _waves(facts: Facts, w: float) -> list[list[float]]:
    turns = [turn for turn in facts.turns if turn > w * 1.05]
    if not turns:
        return []
    half = (turns[-1] - w) / len(turns)
    found = []
    for total in facts.totals:
        count = (total - w) / (2 * half)
        found += [[total, count], [total, max(round(2 * count) / 2, 0.5)]]
    return found


def _wave(step: float, w: float, p: Sequence[float]) -> float:
    return 0.5 + 0.5 * cos(2 * pi * p[1] * fraction(step, w, p[0]))


def _phases(facts: Facts, w: float) -> list[list[float]]:
    """Guesses of (stable_steps, decay_steps)."""
    top = [s for s, r, t in zip(facts.steps, facts.rates, facts.tolerances, strict=True) if r >= facts.high - 2 * t]
    if not top:
        return []
    index = facts.steps.index(top[-1])
    after = facts.steps[min(index + 1, len(facts.steps) - 1)]
    leave = (top[-1] + after) / 2
    earlier = w + 0.75 * (leave - w)
    ends = facts.totals if facts.is_held else facts.totals[:2]
    return [[max(start - w, 1.0), max(end - start, 1.0)] for end in ends for start in (leave, earlier)]


def _stable(shape: Callable[[float], float]) -> Fall:
    return lambda step, w, p: shape(fraction(step, w + p[0], w + p[0] + p[1]))


def _rate(facts: Facts, w: float) -> list[list[float]]:
    """Guesses of the relative decay per step."""
    after = [(s, r) for s, r in zip(facts.steps, facts.rates, strict=True) if s >= w and r > 0]
    if len(after) < 3 or after[-1][1] >= after[0][1]:
        return []
    middle = after[len(after) // 3]
    found = []
    for (a, x), (b, y) in ((after[0], middle), (after[0], after[-1])):
        if x > y and b > a:
            found.append([log(x / y) / (b - a)])
    return found


def _rate_conversion(given: dict[str, Any]) -> dict[str, Any]:
    """The argument `decay` is a pair (rate, steps)."""
    rate, steps = given.pop("decay")
    return {**given, "rate": rate, "decay_steps": steps}


def _bare_exponential(decay_steps: int, rate: float, end: float | None = None) -> Schedule:
    return fs.exponential_decay(rate, decay_steps, end=end)


_STABLE = (("stable_steps", INTEGER), ("decay_steps", INTEGER))
_TAILS = [
    Tail("warmup_constant", [], lambda step, w, p: 1.0, lambda facts, w: [[]], has_end=False),
    Tail("warmup_linear", [TOTAL], lambda step, w, p: 1.0 - fraction(step, w, p[0]), _totals),
    Tail("warmup_cosine", [TOTAL], lambda step, w, p: 0.5 + 0.5 * cos(pi * fraction(step, w, p[0])), _totals),
    Tail("warmup_half_cosine", [TOTAL], lambda step, w, p: 1.0 - sin(pi / 2 * fraction(step, w, p[0])), _totals),
    Tail(
        "warmup_inverse_sqrt",
        [],
        lambda step, w, p: sqrt(max(w, 1e-9) / max(step, 1e-9)),
        lambda facts, w: [[]] if w else [],
    ),
    Tail(
        "warmup_inverse_sqrt",
        [("timescale", INTEGER)],
        lambda step, w, p: sqrt(p[0] / (p[0] + step - w)),
        timescales,
        replaces=["warmup_inverse_sqrt", "noam"],
        bare=fs.inverse_sqrt,
    ),
    Tail(
        "warmup_exponential",
        [("decay", RATE)],
        lambda step, w, p: exp(-p[0] * (step - w)),
        _rate,
        has_end=False,
        convert=_rate_conversion,
        bare=_bare_exponential,
    ),
    Tail(
        "warmup_exponential",
        [("decay", RATE), ("end", REAL)],
        lambda step, w, p: max(exp(-p[0] * (step - w)), p[1]),
        lambda facts, w: [[*rate, facts.rates[-1] / facts.high] for rate in _rate(facts, w) if facts.is_held],
        has_end=False,
        convert=_rate_conversion,
        replaces=["warmup_exponential"],
        bare=_bare_exponential,
    ),
    Tail(
        "warmup_stable_decay",
        _STABLE,
        _stable(lambda u: 1.0 - u),
        _phases,
        replaces=[*SIMPLE],
    ),
    *(
        Tail("warmup_stable_decay", _STABLE, _stable(fall), _phases, replaces=SIMPLE, options={"decay_shape": shape})
        for shape, fall in [
            (fs.cosine, lambda u: 0.5 + 0.5 * cos(pi * u)),
            (fs.sqrt, lambda u: 1.0 - sqrt(u)),
            (fs.sine, lambda u: 1.0 - sin(pi / 2 * u)),
            (fs.mirror_cosine, lambda u: 2.0 * (1.0 - u) - (0.5 + 0.5 * cos(pi * u))),
            (fs.rex, lambda u: (1.0 - u) / (1.0 - u / 2.0)),
            (fs.power(2), lambda u: 1.0 - u * u),
            (fs.reverse(fs.power(2)), lambda u: (1.0 - u) ** 2),
        ]
    ),
    Tail(
        "tri_stage",
        [*_STABLE, ("end", REAL)],
        lambda step, w, p: max(p[2], 1e-30) ** fraction(step, w + p[0], w + p[0] + p[1]),
        lambda facts, w: [
            [*rest, end] for rest in _phases(facts, w) for end in (max(facts.rates[-1] / facts.high, 1e-9), 0.01)
        ],
        has_end=False,
        replaces=["warmup_exponential", *SIMPLE],
    ),
    Tail(
        "warmup_polynomial",
        [TOTAL, ("exponent", REAL)],
        lambda step, w, p: (1.0 - fraction(step, w, p[0])) ** max(p[1], 1e-3),
        _with(2.0, 0.6),
        replaces=["warmup_linear", "warmup_constant"],
    ),
    Tail("warmup_cosine", [TOTAL, ("cycles", REAL)], _wave, _waves, replaces=SIMPLE),
    Tail(
        "power_law",
        [("exponent", REAL)],
        lambda step, w, p: (max(w, 1e-9) / max(step, w, 1e-9)) ** p[0],
        lambda facts, w: [[1.0], [0.4]] if w else [],
        replaces=["warmup_inverse_sqrt", "noam", "warmup_constant"],
    ),
    Tail(
        "power_law",
        [("exponent", REAL), ("timescale", INTEGER)],
        lambda step, w, p: (max(p[1], 1e-9) / (max(p[1], 1e-9) + step - w)) ** p[0],
        lambda facts, w: [[e, *t] for t in timescales(facts, w) for e in (1.0, 0.4)],
        replaces=["warmup_inverse_sqrt", "noam", "power_law", "warmup_constant"],
        bare=fs.inverse_power,
    ),
]

WARMUPS = [tail.family(head) for tail in _TAILS for head in ("none", "zero", "offset", "start")]
