"""Schedules of stable-baselines3, which are functions of the remaining fraction of the run, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import funcsched as fs
from bridges import fvcore
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core.validation import concrete_level, concrete_positive_int, number_rule

_RULES = BY_TYPE | {"total_steps": concrete_positive_int}
_end_fraction = number_rule("a number from 1e-9 to 1", 1e-9, 1)


@checked(common=_RULES, end_fraction=_end_fraction)
def linear_schedule(start: float, end: float, end_fraction: float, *, total_steps: int) -> Rated:
    """stable-baselines3's LinearSchedule: a line from `start` to `end`, then `end`.

    ``start + (end - start) * min(step / (end_fraction * total_steps), 1)``

    Args:
        start: value at step 0 (float, at least 0).
        end: value from step ``end_fraction * total_steps`` on (float, at least 0).
        end_fraction: fraction of the run after which the value is `end` (float, 1e-9 to 1).
        total_steps: stable-baselines3's `total_timesteps` (int, 1 to 2**53).

    Returns:
        A schedule and its peak value, the larger of `start` and `end`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.stable_baselines3 import linear_schedule
        >>> schedule, peak_value = linear_schedule(0.5, 0.25, 0.2, total_steps=1000)
        >>> [peak_value * schedule(step) for step in (0, 100, 200, 1000)]
        [0.5, 0.375, 0.25, 0.25]

    Source: stable-baselines3 2.9.2, stable_baselines3.common.utils.
    """
    peak = max(start, end)
    if peak == 0:
        return Rated(fs.constant(), 0.0)
    line = fs.ramp(start / peak, end / peak, steps=total_steps)
    return Rated(line if end_fraction == 1 else fs.stretch(line, end_fraction), peak)


@checked(common=_RULES, peak_value=concrete_level)
def to_progress(
    schedule: fs.Schedule | Callable[[Any], Any], total_steps: int, peak_value: float = 1.0
) -> Callable[[float], float]:
    """A schedule as a function of stable-baselines3's `progress_remaining`, from 1 to 0.

    ``peak_value * schedule((1 - progress_remaining) * total_steps)``

    Args:
        schedule: a schedule, or a function of a step.
        total_steps: number of steps of the run (int, 1 to 2**53): `total_timesteps`, if the schedule counts
            environment steps.
        peak_value: learning rate, clip range or other value at multiplier 1 (float).

    Returns:
        A function that can be pickled, for `learning_rate`, `clip_range` or the exploration of an algorithm. If
        rounding moves the product off an integer step, that step is used.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> from bridges.stable_baselines3 import to_progress
        >>> learning_rate = to_progress(fs.warmup_linear(10, 100), 100, peak_value=0.5)
        >>> [learning_rate(progress_remaining) for progress_remaining in (1.0, 0.9, 0.45, 0.0)]
        [0.0, 0.5, 0.25, 0.0]

    Source: stable-baselines3 2.9.2, stable_baselines3.common.base_class.
    """
    return partial(_at_remaining, fvcore.to_progress(schedule, total_steps, peak_value))


def _at_remaining(function: Callable[[float], float], progress_remaining: float) -> float:
    return function(1.0 - progress_remaining)
