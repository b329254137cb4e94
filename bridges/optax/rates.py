"""What the functions named like optax's share: rules for arguments, and the conversion of rates to `Rated`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import accumulate

import funcsched as fs
from bridges.arguments import BY_TYPE
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import number_rule

RULES: dict[str, rules.Rule] = {
    **BY_TYPE,
    "float": rules.concrete_level,
    **dict.fromkeys(["pct_start", "pct_final"], number_rule("a number from 0 to 1", 0, 1)),
    **dict.fromkeys(["decay_rate", "div_factor", "final_div_factor"], rules.ratio),
    **dict.fromkeys(["power", "exponent"], rules.positive),
}

ToMultiplier = Callable[[Fraction], float]  # returns a learning rate as a multiple of the peak


def from_rates(rates: Iterable[Fraction], build: Callable[[ToMultiplier], fs.Schedule]) -> Rated:
    """The schedule that `build` returns, with the rate of the largest magnitude as its peak.

    `build` gets a function that divides a learning rate by the peak. Rates are fractions, so that each quotient is
    rounded once.
    """
    peak = max(rates, key=abs)
    if not peak:
        return Rated(fs.constant(), 0.0)
    return Rated(build(lambda rate: float(rate / peak)), float(peak))


def from_phases(*phases: tuple[int, float | Fraction, float | Fraction, fs.Shape]) -> Rated:
    """A sequence of ramps between learning rates: (steps, start, stop, shape). The last `stop` is held.

    A phase of 0 steps is dropped, except the last one, of which the held `stop` remains.
    """
    present = [
        (steps, Fraction(start if steps else stop), Fraction(stop), shape)
        for i, (steps, start, stop, shape) in enumerate(phases)
        if steps or i == len(phases) - 1
    ]
    boundaries = list(accumulate(steps for steps, *_ in present))[:-1]

    def build(multiplier: ToMultiplier) -> fs.Schedule:
        pieces = [
            fs.constant(multiplier(stop))
            if start == stop
            else fs.ramp(multiplier(start), multiplier(stop), steps=steps, shape=shape)
            for steps, start, stop, shape in present
        ]
        return fs.join(pieces, boundaries) if boundaries else pieces[0]

    return from_rates([rate for _, start, stop, _ in present for rate in (start, stop)], build)


def with_exponent(shape: fs.Shape, exponent: float) -> fs.Shape:
    """The shape of the decay ``(1 - shape(u)) ** exponent``, for a `shape` with ``shape(1 - u) == 1 - shape(u)``."""
    if exponent == 1:
        return shape
    return fs.reverse(fs.power(exponent) if shape == fs.linear else fs.compose(fs.power(exponent), shape))
