"""Schedules of T5X: its `create_learning_rate_scheduler`, a product of named factors."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    positive,
)

_NAME = "create_learning_rate_scheduler"
_SLOPE = "0 or a number from 1e-9 to 1e30"
_slope = number_rule(_SLOPE, 0, 1e30)
_share = number_rule("a number from 1e-30 to 1", 1e-30, 1)


class _Arguments(NamedTuple):
    """Those of the factors; each is checked where it is used."""

    warmup_steps: int
    decay_factor: Any
    steps_per_decay: Any
    steps_per_cycle: Any


def _constant(given: _Arguments) -> Schedule:
    return fs.constant()


def _linear_warmup(given: _Arguments) -> Schedule:
    return fs.ramp(0.0, 1.0, steps=given.warmup_steps)


def _linear_decay(given: _Arguments) -> Schedule:
    slope: float = _slope(_NAME, "decay_factor", given.decay_factor)
    if 0 < slope < 1e-9:
        raise argument_error(_NAME, "decay_factor", _SLOPE, given.decay_factor)
    return fs.join([_linear_warmup(given), _downhill(slope)], [given.warmup_steps])


def _downhill(slope: float) -> Schedule:
    """``max(0, 1 - slope * step)``, of which the foot may lie between two steps."""
    if slope == 0:
        return fs.constant()
    last = int(1 / slope)
    left = float(max(Fraction(0), 1 - last * Fraction(slope)))
    return fs.join([fs.ramp(1.0, left, steps=last), fs.constant(0.0)], [last + 1])


def _rsqrt(given: _Arguments) -> Schedule:
    timescale = concrete_positive_int(_NAME, "warmup_steps", given.warmup_steps)
    return fs.join([fs.constant(), fs.inverse_sqrt(timescale)], [timescale])


def _rsqrt_decay(given: _Arguments) -> Schedule:
    curve = _rsqrt(given)
    return fs.scale(curve, given.warmup_steps**-0.5)


def _decay_every(given: _Arguments) -> Schedule:
    period = concrete_positive_int(_NAME, "steps_per_decay", given.steps_per_decay)
    return fs.step_decay(period, _share(_NAME, "decay_factor", given.decay_factor))


def _cosine_decay(given: _Arguments) -> Schedule:
    period = concrete_positive_int(_NAME, "steps_per_cycle", given.steps_per_cycle)
    cycles = fs.repeat(fs.ramp(1.0, 0.0, steps=period, shape=fs.cosine), period)
    return fs.join([fs.constant(), cycles], [given.warmup_steps])


# Each with how often the base rate counts in it.
_FACTORS: dict[str, tuple[Callable[[_Arguments], Schedule], int]] = {
    "constant": (_constant, 1),
    "linear_warmup": (_linear_warmup, 0),
    "linear_decay": (_linear_decay, 1),
    "rsqrt_decay": (_rsqrt_decay, 0),
    "rsqrt_normalized_decay": (_rsqrt, 0),
    "decay_every": (_decay_every, 0),
    "cosine_decay": (_cosine_decay, 0),
}


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
    """T5X's `create_learning_rate_scheduler`: factors, multiplied, and a floor.

    ``max(min_learning_rate, factor * factor * ...)`` of ``s = max(0, step - step_offset)`` and ``W = warmup_steps``;
    "constant": `base_learning_rate`; "linear_warmup": ``min(1, s / W)``;
    "linear_decay": ``base_learning_rate * min(s / W, 1 - decay_factor * (s - W))``, which has the base and the warmup;
    "rsqrt_decay": ``1 / sqrt(max(s, W))``; "rsqrt_normalized_decay": ``sqrt(W / max(s, W))``;
    "decay_every": ``decay_factor ** floor(s / steps_per_decay)``;
    "cosine_decay": ``(1 + cos(pi * (max(0, s - W) / steps_per_cycle mod 1))) / 2``, which jumps back to 1

    Args:
        factors: names of factors with "*" between them.
        base_learning_rate: above 0.
        warmup_steps: an integer; at least 1 for the rsqrt factors.
        decay_factor: of "decay_every" from 1e-30 to 1; of "linear_decay" the slope per step, 0 or from 1e-9 to 1e30.
        steps_per_decay: of "decay_every", an integer of at least 1.
        steps_per_cycle: of "cosine_decay", an integer of at least 1.
        step_offset: how many steps the first value is held, an integer.
        min_learning_rate: the lowest rate, at least 0; also that of step 0 after a warmup from 0.

    Returns:
        A schedule, and `base_learning_rate` to the power of how often it is among the factors. With "rsqrt_decay" the
        multiplier is ``1 / sqrt(W)`` where the warmup ends.

    Raises:
        TypeError, ValueError: a factor does not exist, or an argument of one is of the wrong type or out of its range.

    Differs: with `warmup_steps` 0, T5X's rate at step 0 is NaN for "linear_warmup", "linear_decay" and
    "rsqrt_normalized_decay", and infinite for "rsqrt_decay"; here the first two have no warmup, and the others refuse
    it. T5X multiplies two factors "linear_decay" to a rate that grows again where both are negative; ours is 0 there.

    Example:
        >>> from bridges.t5x import create_learning_rate_scheduler
        >>> schedule, peak_value = create_learning_rate_scheduler(
        ...     "constant * linear_warmup * rsqrt_decay", base_learning_rate=2.0, warmup_steps=256)
        >>> [peak_value * schedule(step) for step in (0, 128, 256, 1024, 4096)]
        [1e-08, 0.0625, 0.125, 0.0625, 0.03125]

    Source: t5x/utils.py of google-research/t5x, commit 247d329.
    """
    if not isinstance(factors, str):
        raise argument_error(_NAME, "factors", "a string", factors, TypeError)
    base = float(positive(_NAME, "base_learning_rate", base_learning_rate))
    warmup = concrete_nonnegative_int(_NAME, "warmup_steps", warmup_steps)
    offset = concrete_nonnegative_int(_NAME, "step_offset", step_offset)
    lowest = concrete_level(_NAME, "min_learning_rate", min_learning_rate)
    given = _Arguments(warmup, decay_factor, steps_per_decay, steps_per_cycle)
    found = [choose(_NAME, "factors", name.strip(), _FACTORS) for name in factors.split("*")]
    peak = base ** sum(count for _, count in found)
    product = [build(given) for build, _ in found if build is not _constant] or [fs.constant()]
    schedule = fs.maximum(fs.product(*product) if len(product) > 1 else product[0], lowest / peak)
    return Rated(fs.join([fs.constant(schedule(0)), schedule], [offset]) if offset else schedule, peak)
