"""Rates as a schedule and its peak: what the functions named like optax's are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import accumulate
from typing import Any

import funcsched as fs
from bridges.rated import Rated
from funcsched.core.validation import (
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    number_rule,
    positive,
    ratio,
)

_share = number_rule("a number from 0 to 1", 0, 1)
_RULES: dict[str, Callable[[str, str, Any], Any]] = {
    "value": concrete_level,
    "init_value": concrete_level,
    "peak_value": concrete_level,
    "end_value": concrete_level,
    "alpha": concrete_level,
    "power": positive,
    "exponent": positive,
    "transition_steps": concrete_nonnegative_int,
    "transition_begin": concrete_nonnegative_int,
    "warmup_steps": concrete_nonnegative_int,
    "decay_steps": concrete_nonnegative_int,
    "decay_rate": ratio,
    "staircase": boolean,
    "pct_start": _share,
    "pct_final": _share,
    "div_factor": ratio,
    "final_div_factor": ratio,
}


def checked(function: str, /, **arguments: Any) -> list[Any]:
    """The arguments by the rule of each one's name."""
    return [_RULES[name](function, name, value) for name, value in arguments.items()]


def from_rates(rates: Iterable[Fraction], build: Callable[[Callable[[Fraction], float]], fs.Schedule]) -> Rated:
    """A schedule built of the shares that rates have in the largest of them. Fractions, so each is rounded once."""
    peak = max(rates)
    if not peak:
        return Rated(fs.constant(), 0.0)
    return Rated(build(lambda rate: float(rate / peak)), float(peak))


def from_phases(*phases: tuple[int, float | Fraction, float | Fraction, fs.Shape]) -> Rated:
    """Ramps from rate to rate: (steps, start, stop, shape). One of no steps is absent, but the last leaves its stop."""
    rows = [
        (steps, Fraction(start if steps else stop), Fraction(stop), shape)
        for i, (steps, start, stop, shape) in enumerate(phases)
        if steps or i == len(phases) - 1
    ]
    boundaries = list(accumulate(steps for steps, *_ in rows))[:-1]

    def build(of_peak: Callable[[Fraction], float]) -> fs.Schedule:
        pieces = [
            fs.constant(of_peak(stop))
            if start == stop
            else fs.ramp(of_peak(start), of_peak(stop), steps=steps, shape=shape)
            for steps, start, stop, shape in rows
        ]
        return fs.join(pieces, boundaries) if boundaries else pieces[0]

    return from_rates([rate for _, start, stop, _ in rows for rate in (start, stop)], build)


def with_exponent(shape: fs.Shape, exponent: float) -> fs.Shape:
    """Of a symmetric shape the one on which a fall is the `exponent`-th power of the fall along it."""
    if exponent == 1:
        return shape
    return fs.reverse(fs.power(exponent) if shape == fs.linear else fs.compose(fs.power(exponent), shape))
