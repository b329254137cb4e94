"""A family of curves that `identify` fits: coefficients of the levels, first guesses, and the expression."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.evidence.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

INTEGER, REAL, RATE = "integer", "real", "rate"
TOTAL = ("total_steps", INTEGER)
SIMPLE = ("warmup_constant", "warmup_linear", "warmup_cosine")


class Family:
    """A named schedule with free parameters.

    name: the factory, for `replaces`.
    parameters: (name, kind) of each parameter that is searched.
    levels: names of the arguments that are multiples of the peak.
    row: (step, parameters) -> coefficients of the peak and of each level.
    guesses: (facts) -> first guesses of the parameters.
    build: (parameters by name, levels by name) -> the schedule.
    replaces: simpler families. If one of them explains the log, this one is not tried.
    """

    def __init__(
        self,
        name: str,
        parameters: Sequence[tuple[str, str]],
        levels: Sequence[str],
        row: Callable[[int, Sequence[float]], Sequence[float]],
        guesses: Callable[[Facts], list[list[float]]],
        build: Callable[[dict[str, Any], dict[str, Any]], Schedule],
        replaces: Sequence[str] = (),
        unit_peak: bool = False,
    ) -> None:
        self.name, self.parameters, self.levels = name, tuple(parameters), tuple(levels)
        self.row, self.guesses, self.build, self.replaces = row, guesses, build, tuple(replaces)
        self.unit_peak = unit_peak


def fraction(step: float, start: float, end: float) -> float:
    return min(max((step - start) / max(end - start, 1e-9), 0.0), 1.0)


def timescales(facts: Facts, w: float) -> list[list[float]]:
    span = max(facts.last - w, 2.0)
    return [[span * factor] for factor in (0.03, 0.2, 1.0)]
