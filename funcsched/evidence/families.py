"""All families of curves that `identify` fits, the simplest first."""

from __future__ import annotations

from math import exp, log

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.cycles import cosine_linear, cyclic, hard_restarts, one_cycle, restarts
from funcsched.evidence.facts import Facts
from funcsched.evidence.family import INTEGER, RATE, REAL, TOTAL, Family, timescales
from funcsched.evidence.warmups import WARMUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _bare(
    name: str,
    parameters: Sequence[tuple[str, str]],
    fall: Callable[[int, Sequence[float]], float],
    guesses: Callable[[Facts], list[list[float]]],
    build: Callable[..., Schedule],
    levels: Sequence[str] = (),
    replaces: Sequence[str] = (),
) -> Family:
    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        g = fall(step, p)
        return (g, 1.0 - g) if levels else (g,)

    return Family(name, parameters, levels, row, guesses, lambda values, given: build(**values, **given), replaces)


def _noam() -> Family:
    def row(step: int, p: Sequence[float]) -> Sequence[float]:
        w = max(p[0], 1e-9)
        return (min((step + 1) ** -0.5, (step + 1) * w**-1.5),)

    return Family(
        "noam",
        [("warmup_steps", INTEGER)],
        [],
        row,
        lambda facts: [[w] for w in facts.warmups],
        lambda values, levels: fs.noam(**values),
        [],
        unit_peak=True,
    )


def _falling(facts: Facts) -> bool:
    return not facts.warmups


def _growths(facts: Facts) -> list[list[float]]:
    """Guesses of (total_steps, start) for an exponential rise, of which the log may lack the last point."""
    middle = len(facts.steps) // 2
    if not facts.warmups or not 0 < facts.rates[0] < facts.rates[middle]:
        return []
    slope = log(facts.rates[middle] / facts.rates[0]) / (facts.steps[middle] - facts.first)
    next_step = 2 * facts.last - facts.steps[-2]
    found = [[total, exp(-slope * total)] for total in (log(facts.high / facts.rates[0]) / slope, float(next_step))]
    return sorted([[facts.totals[0], facts.low / facts.high], *found], key=lambda guess: len(f"{guess[1]:.4g}"))


FAMILIES = [
    _noam(),
    *WARMUPS,
    _bare(
        "inverse_time",
        [("decay", RATE)],
        lambda step, p: 1.0 / (1.0 + max(p[0], 0.0) * step),
        lambda facts: [[1.0 / t[0]] for t in timescales(facts, 0.0)] if _falling(facts) else [],
        lambda decay, end: fs.inverse_time(*decay, end=end),
        ["end"],
        ["power_law"],
    ),
    _bare(
        "hypot_decay",
        [("timescale", INTEGER), ("exponent", REAL)],
        lambda step, p: (p[0] * p[0] / (p[0] * p[0] + step * step + 1e-30)) ** p[1],
        lambda facts: [[*t, e] for t in timescales(facts, 0.0) for e in (0.25, 0.8)] if _falling(facts) else [],
        lambda timescale, exponent: fs.hypot_decay(timescale, exponent),
    ),
    _bare(
        "saturating_exponential",
        [("timescale", INTEGER)],
        lambda step, p: 1.0 - exp(-step / max(p[0], 1e-9)),
        lambda facts: timescales(facts, 0.0) if facts.warmups else [],
        lambda timescale: fs.saturating_exponential(timescale),
    ),
    _bare(
        "range_test",
        [TOTAL, ("start", REAL)],
        lambda step, p: max(p[1], 1e-30) ** (1.0 - min(step / max(p[0], 1e-9), 1.0)),
        _growths,
        lambda total_steps, start: fs.range_test(total_steps, start=start),
    ),
    *(one_cycle(shape, three) for three in (False, True) for shape in ("cosine", "linear")),
    cosine_linear(),
    *(
        restarts(*warmup, *times, *growth, *lowering)
        for times in ([], ["times"])
        for warmup in ([], ["warmup_steps"])
        for growth in ([], ["period_factor"])
        for lowering in ([], ["level_factor"])
    ),
    *(hard_restarts(cycles) for cycles in range(2, 7)),
    *(cyclic(mode, symmetric) for mode in ("triangular", "triangular2", "exp_range") for symmetric in (True, False)),
]
