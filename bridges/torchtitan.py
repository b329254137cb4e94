"""The schedule of torchtitan, built from the arguments in its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import funcsched as fs
from bridges import phases
from bridges.arguments import BY_TYPE, checked, option
from funcsched.core.validation import concrete_positive_int

_DECAYS = {"linear": fs.linear, "sqrt": fs.sqrt, "cosine": fs.cosine}


@checked(
    common=BY_TYPE,
    renamed={"lr_min": "min_lr_factor"},
    total_steps=concrete_positive_int,
    decay_type=option(list(_DECAYS)),
    training_steps=concrete_positive_int,
)
def lr_schedules_config(
    warmup_steps: int = 200,
    total_steps: int | None = None,
    decay_ratio: float | None = None,
    decay_type: Literal["linear", "sqrt", "cosine"] = "linear",
    min_lr_factor: float = 0.0,
    *,
    training_steps: int,
) -> fs.Schedule:
    """torchtitan's LRSchedulersContainer.Config: a warmup, an optional stable phase, and a decay.

    With T steps in total, ``W = min(warmup_steps, T)`` warmup steps and D decay steps: ``(step + 1) / W`` below step W,
    then 1 below step ``T + 1 - D``, then ``min_lr_factor + (1 - min_lr_factor) * decay(u)`` with
    ``u = (step - T + D) / D``, where ``decay(u)`` is ``1 - u`` (linear), ``1 - sqrt(u)`` (sqrt) or
    ``(1 + cos(pi * u)) / 2`` (cosine). The multiplier of the first update is above 0, and that of the last update,
    ``T - 1``, is one step before `min_lr_factor`.

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). As in torchtitan, at most T are used.
        total_steps: total number of steps T, including warmup (int, 1 to 2**53). Default: `training_steps`.
        decay_ratio: fraction of T for the decay (float, at least 0), rounded to steps. At most the steps after the
            warmup are used. Default: all steps after the warmup.
        decay_type: "linear", "sqrt" or "cosine".
        min_lr_factor: multiplier at step T (float, at least 0).
        training_steps: torchtitan's `training.steps` (int, 1 to 2**53).

    Returns:
        A schedule. As in torchtitan, its values multiply the learning rate of the optimizer.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: from step T + 1 on, torchtitan's linear and sqrt decays continue to fall, below 0 if `min_lr_factor` is 0
    (linear is ``-1 / D`` at step T + 1), and its cosine rises; here `min_lr_factor` is held. Without a decay (D = 0),
    torchtitan raises AssertionError from step T + 1 on; here the multiplier stays 1.

    Example:
        >>> from bridges.torchtitan import lr_schedules_config
        >>> schedule = lr_schedules_config(warmup_steps=2, training_steps=10)
        >>> [schedule(step) for step in (0, 1, 2, 3, 9, 10, 11)]
        [0.5, 1.0, 1.0, 0.875, 0.125, 0.0, 0.0]

    Source: torchtitan 0.3.0, torchtitan.components.optimizer.lr_scheduler.
    """
    total = training_steps if total_steps is None else total_steps
    warmup = min(warmup_steps, total)
    decay = total - warmup if decay_ratio is None else min(round(total * decay_ratio), total - warmup)
    # torchtitan counts steps from 1, hence the shift by 1 and one more stable step.
    stable = total + 1 - warmup - decay
    end = min_lr_factor if decay else 1.0
    return fs.shift(fs.warmup_stable_decay(warmup, stable, decay, end=end, decay_shape=_DECAYS[decay_type]), 1)


_FIX = "its warmup needs `warmup_offset=1`; or use `lambda_lr(optimizer, schedule)` of bridges.torch"


@checked(schedule=phases.concrete_schedule, total_steps=concrete_positive_int)
def to_config(schedule: fs.Schedule, total_steps: int | None = None) -> dict[str, Any]:
    """The arguments of `lr_schedules_config` with which torchtitan runs a schedule.

    torchtitan's warmup is one step ahead, so a schedule with a warmup needs ``warmup_offset=1``.

    Args:
        schedule: a schedule.
        total_steps: number of updates of the run (int, 1 to 2**53). Default: up to the end of the schedule.

    Returns:
        A dict with the fields of torchtitan's LRSchedulersContainer.Config, and `training_steps`, which is its
        `training.steps`. The learning rate for multiplier 1 is that of the optimizer.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or torchtitan does not have this
            curve. The message names the phase that it cannot express.

    Example:
        >>> import funcsched as fs
        >>> from bridges.torchtitan import to_config
        >>> to_config(fs.warmup_cosine(10, 100, end=0.1, warmup_offset=1))
        {'warmup_steps': 10, 'decay_type': 'cosine', 'min_lr_factor': 0.1, 'training_steps': 100}
        >>> to_config(fs.warmup_cosine(10, 100))
        Traceback (most recent call last):
        ValueError: to_config: no torchtitan settings for the phase from 0 to 1 with shape linear in steps 0 to 10 of \
warmup_cosine(warmup_steps=10, total_steps=100); its warmup needs `warmup_offset=1`; or use \
`lambda_lr(optimizer, schedule)` of bridges.torch

    Source: torchtitan 0.3.0, torchtitan.components.optimizer.lr_scheduler.
    """
    configs = _configs(phases.phases(schedule), total_steps)

    def read(config: dict[str, Any]) -> fs.Schedule:
        return lr_schedules_config(**config)

    return phases.first_match("torchtitan", schedule, configs, read, total_steps, _FIX)


def _configs(found: list[phases.Phase], total_steps: int | None) -> Iterator[dict[str, Any]]:
    for outline in phases.outlines(found):
        warmup = int(outline.warmup + 1) if outline.warmup else 0  # it skips its first step
        decay, total = outline.decay, max(outline.total, warmup)
        training = {"total_steps": total} if total_steps not in (None, total) else {}
        training["training_steps"] = total_steps or total
        for decay_type in _DECAYS:
            config = {"warmup_steps": warmup, "decay_type": decay_type, "min_lr_factor": decay.stop, **training}
            yield config
            yield {**config, "decay_ratio": decay.length / total}
