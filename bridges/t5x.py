"""The schedule of T5X's `create_learning_rate_scheduler`: a product of named factors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import funcsched as fs
from bridges.arguments import BY_TYPE, checked, choose, instance_of, zero_or
from bridges.rated import Rated
from funcsched.core import validation as rules

_FUNCTION = "create_learning_rate_scheduler"
_FACTORS = "constant linear_warmup linear_decay rsqrt_decay rsqrt_normalized_decay decay_every cosine_decay".split()
_slope = zero_or("0 or a number from 1e-9 to 1e30", 1e-9, 1e30)


def _multiplier(factor: str, warmup: int, decay_factor: Any, steps_per_decay: int, steps_per_cycle: int) -> fs.Schedule:
    """A factor, without the base learning rate."""
    if factor == "linear_warmup":
        return fs.ramp(0.0, 1.0, steps=warmup)
    if factor == "linear_decay":
        decay = _decreasing(_slope(_FUNCTION, "decay_factor", decay_factor))
        return fs.join([fs.ramp(0.0, 1.0, steps=warmup), decay], [warmup])
    if factor == "decay_every":
        return fs.step_decay(steps_per_decay, rules.ratio_up_to_one(_FUNCTION, "decay_factor", decay_factor))
    if factor == "cosine_decay":
        return fs.join([fs.constant(), fs.cosine_restarts(steps_per_cycle)], [warmup])
    timescale = rules.concrete_positive_int(_FUNCTION, "warmup_steps", warmup)
    normalized = fs.join([fs.constant(), fs.inverse_sqrt(timescale)], [timescale])
    return normalized if factor == "rsqrt_normalized_decay" else fs.scale(normalized, timescale**-0.5)


def _decreasing(slope: float) -> fs.Schedule:
    """``max(0, 1 - slope * step)``. The line may cross 0 between two steps, so the ramp ends at the step before."""
    if slope == 0:
        return fs.constant()
    last = int(1 / slope)
    level = float(max(Fraction(0), 1 - last * Fraction(slope)))  # in floats, the difference would cancel
    return fs.join([fs.ramp(1.0, level, steps=last), fs.constant(0.0)], [last + 1])


@checked(
    common=BY_TYPE,
    factors=instance_of(str, "a string"),
    base_learning_rate=rules.positive,
    steps_per_decay=rules.concrete_positive_int,
    steps_per_cycle=rules.concrete_positive_int,
)
def create_learning_rate_scheduler(
    factors: str = "constant * linear_warmup * rsqrt_decay",
    base_learning_rate: float = 0.5,
    warmup_steps: int = 1000,
    decay_factor: float = 0.5,
    steps_per_decay: int = 20000,
    steps_per_cycle: int = 100000,
    step_offset: int = 0,
    min_learning_rate: float = 1e-8,
) -> Rated:
    """T5X's create_learning_rate_scheduler: the product of several factors, with a lower bound.

    ``max(min_learning_rate, factor * factor * ...)``. With ``s = max(0, step - step_offset)`` and ``W = warmup_steps``,
    the factors are:

    - "constant": `base_learning_rate`
    - "linear_warmup": ``min(1, s / W)``
    - "linear_decay": ``base_learning_rate * min(s / W, 1 - decay_factor * (s - W))``, which includes the base learning
      rate and the warmup
    - "rsqrt_decay": ``1 / sqrt(max(s, W))``
    - "rsqrt_normalized_decay": ``sqrt(W / max(s, W))``
    - "decay_every": ``decay_factor ** floor(s / steps_per_decay)``
    - "cosine_decay": ``(1 + cos(pi * (max(0, s - W) / steps_per_cycle mod 1))) / 2``, which jumps back to 1 after each
      cycle

    Args:
        factors: names of factors, separated by "*" (str).
        base_learning_rate: base learning rate (float, above 0).
        warmup_steps: number of warmup steps (int, 0 to 2**53; at least 1 for both "rsqrt" factors).
        decay_factor: factor of "decay_every" (float, 1e-30 to 1), or decrease of "linear_decay" per step (float, 0 or
            1e-9 to 1e30).
        steps_per_decay: period of "decay_every" in steps (int, 1 to 2**53).
        steps_per_cycle: period of "cosine_decay" in steps (int, 1 to 2**53).
        step_offset: number of steps for which the first value is held (int, 0 to 2**53).
        min_learning_rate: lower bound of the learning rate (float, at least 0). A warmup from 0 starts at it.

    Returns:
        A schedule and its peak value, `base_learning_rate` to the power of the number of factors that include it. With
        "rsqrt_decay", the multiplier at the end of the warmup is ``1 / sqrt(W)``.

    Raises:
        TypeError, ValueError: a factor is unknown, or an argument has the wrong type or is out of range.

    Differs: if `warmup_steps` is 0, T5X's learning rate at step 0 is NaN for "linear_warmup", "linear_decay" and
    "rsqrt_normalized_decay", and infinite for "rsqrt_decay"; here the first two skip the warmup, and the others raise
    an error. In T5X, the product of two "linear_decay" factors rises again where both are negative; here it stays 0.

    Example:
        >>> from bridges.t5x import create_learning_rate_scheduler
        >>> schedule, peak_value = create_learning_rate_scheduler(
        ...     "constant * linear_warmup * rsqrt_decay", base_learning_rate=2.0, warmup_steps=256)
        >>> [peak_value * schedule(step) for step in (0, 128, 256, 1024, 4096)]
        [1e-08, 0.0625, 0.125, 0.0625, 0.03125]

    Source: google-research/t5x, commit 247d329, t5x/utils.py.
    """
    names: list[str] = [choose(_FUNCTION, "factors", name.strip(), _FACTORS) for name in factors.split("*")]
    peak = base_learning_rate ** sum(name in ("constant", "linear_decay") for name in names)
    arguments = warmup_steps, decay_factor, steps_per_decay, steps_per_cycle
    multipliers = [_multiplier(name, *arguments) for name in names if name != "constant"] or [fs.constant()]
    product = fs.product(*multipliers) if len(multipliers) > 1 else multipliers[0]
    schedule = fs.maximum(product, min_learning_rate / peak)
    if step_offset:
        schedule = fs.join([fs.constant(schedule(0)), schedule], [step_offset])
    return Rated(schedule, peak)
