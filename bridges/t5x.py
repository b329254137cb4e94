"""The schedule of T5X's `create_learning_rate_scheduler`: a product of named factors."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, checked, choose
from funcsched.core.validation import (
    argument_error,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    positive,
    ratio_up_to_one,
)

_FUNCTION = "create_learning_rate_scheduler"


class _Arguments(NamedTuple):
    """The arguments of the factors. Only `warmup_steps` is validated; a factor validates the others that it uses."""

    warmup_steps: int
    decay_factor: Any
    steps_per_decay: Any
    steps_per_cycle: Any


def _constant(arguments: _Arguments) -> fs.Schedule:
    return fs.constant()


def _linear_warmup(arguments: _Arguments) -> fs.Schedule:
    return fs.ramp(0.0, 1.0, steps=arguments.warmup_steps)


def _linear_decay(arguments: _Arguments) -> fs.Schedule:
    requirement = "0 or a number from 1e-9 to 1e30"
    slope: float = number_rule(requirement, 0, 1e30)(_FUNCTION, "decay_factor", arguments.decay_factor)
    if 0 < slope < 1e-9:
        raise argument_error(_FUNCTION, "decay_factor", requirement, arguments.decay_factor)
    return fs.join([_linear_warmup(arguments), _decreasing(slope)], [arguments.warmup_steps])


def _decreasing(slope: float) -> fs.Schedule:
    """``max(0, 1 - slope * step)``. The line may cross 0 between two steps, so the ramp ends at the step before."""
    if slope == 0:
        return fs.constant()
    last = int(1 / slope)
    level = float(max(Fraction(0), 1 - last * Fraction(slope)))  # in floats, the difference would cancel
    return fs.join([fs.ramp(1.0, level, steps=last), fs.constant(0.0)], [last + 1])


def _rsqrt_normalized_decay(arguments: _Arguments) -> fs.Schedule:
    timescale = concrete_positive_int(_FUNCTION, "warmup_steps", arguments.warmup_steps)
    return fs.join([fs.constant(), fs.inverse_sqrt(timescale)], [timescale])


def _rsqrt_decay(arguments: _Arguments) -> fs.Schedule:
    normalized = _rsqrt_normalized_decay(arguments)
    return fs.scale(normalized, arguments.warmup_steps**-0.5)


def _decay_every(arguments: _Arguments) -> fs.Schedule:
    period = concrete_positive_int(_FUNCTION, "steps_per_decay", arguments.steps_per_decay)
    return fs.step_decay(period, ratio_up_to_one(_FUNCTION, "decay_factor", arguments.decay_factor))


def _cosine_decay(arguments: _Arguments) -> fs.Schedule:
    period = concrete_positive_int(_FUNCTION, "steps_per_cycle", arguments.steps_per_cycle)
    cycles = fs.repeat(fs.ramp(1.0, 0.0, steps=period, shape=fs.cosine), period)
    return fs.join([fs.constant(), cycles], [arguments.warmup_steps])


_FACTORS: dict[str, Callable[[_Arguments], fs.Schedule]] = {
    "constant": _constant,
    "linear_warmup": _linear_warmup,
    "linear_decay": _linear_decay,
    "rsqrt_decay": _rsqrt_decay,
    "rsqrt_normalized_decay": _rsqrt_normalized_decay,
    "decay_every": _decay_every,
    "cosine_decay": _cosine_decay,
}


@checked()
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
    if not isinstance(factors, str):
        raise argument_error(_FUNCTION, "factors", "a string", factors, TypeError)
    base = positive(_FUNCTION, "base_learning_rate", base_learning_rate)
    warmup = concrete_nonnegative_int(_FUNCTION, "warmup_steps", warmup_steps)
    offset = concrete_nonnegative_int(_FUNCTION, "step_offset", step_offset)
    lowest = concrete_nonnegative(_FUNCTION, "min_learning_rate", min_learning_rate)
    arguments = _Arguments(warmup, decay_factor, steps_per_decay, steps_per_cycle)
    builders = [choose(_FUNCTION, "factors", name.strip(), _FACTORS) for name in factors.split("*")]
    peak = base ** sum(build in (_constant, _linear_decay) for build in builders)
    multipliers = [build(arguments) for build in builders if build is not _constant] or [fs.constant()]
    product = fs.product(*multipliers) if len(multipliers) > 1 else multipliers[0]
    schedule = fs.maximum(product, lowest / peak)
    return Rated(fs.join([fs.constant(schedule(0)), schedule], [offset]) if offset else schedule, peak)
