"""The schedule of torchtitan, from the names of its configuration."""

from __future__ import annotations

from typing import Literal

import funcsched as fs
from bridges.rated import choose
from funcsched.core.validation import concrete_level, concrete_nonnegative_int, concrete_positive_int


def lr_schedules_config(
    warmup_steps: int = 200,
    total_steps: int | None = None,
    decay_ratio: float | None = None,
    decay_type: Literal["linear", "sqrt", "cosine"] = "linear",
    min_lr_factor: float = 0.0,
    *,
    training_steps: int,
) -> fs.Schedule:
    """torchtitan's `LRSchedulersContainer.Config`: a warmup, a plateau if wanted, and a decay.

    ``(step + 1) / W`` below step ``W = min(warmup_steps, T)``, then 1 below step ``T + 1 - D``, then
    ``min_lr_factor + (1 - min_lr_factor) * decay(u)`` with ``u = (step - T + D) / D``, where T is the length and D that
    of the decay; `decay` is ``1 - u``, ``1 - sqrt(u)`` or ``(1 + cos(pi u)) / 2``. The first update is not at 0, and
    the last one, ``T - 1``, is one step of the decay short of `min_lr_factor`.

    Args:
        warmup_steps: an integer of at least 0; as in torchtitan the length, if that is shorter.
        total_steps: the length with the warmup, an integer of at least 1; by default `training_steps`.
        decay_ratio: the share of the length that decays, at least 0, rounded to whole steps and at most what the warmup
            leaves; by default all of that.
        decay_type: "linear", "sqrt" or "cosine".
        min_lr_factor: the multiplier at step T, at least 0.
        training_steps: the `training.steps` of torchtitan, an integer of at least 1.

    Returns:
        A schedule: torchtitan, too, multiplies the learning rate of the optimizer.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: from step T + 1 on ours holds `min_lr_factor`. torchtitan's linear and sqrt go on falling, with a
    `min_lr_factor` of 0 below 0 at once (to -1 / D at T + 1, linear), and its cosine rises. Without a decay (D = 0) it
    raises an AssertionError there, and ours stays at 1.

    Example:
        >>> from bridges.torchtitan import lr_schedules_config
        >>> schedule = lr_schedules_config(warmup_steps=2, training_steps=10)
        >>> [schedule(step) for step in (0, 1, 2, 3, 9, 10, 11)]
        [0.5, 1.0, 1.0, 0.875, 0.125, 0.0, 0.0]

    Source: torchtitan 0.3.0, torchtitan.components.optimizer.lr_scheduler.
    """
    function = "lr_schedules_config"
    length = concrete_positive_int(function, "training_steps", training_steps)
    if total_steps is not None:
        length = concrete_positive_int(function, "total_steps", total_steps)
    warmup = min(concrete_nonnegative_int(function, "warmup_steps", warmup_steps), length)
    decay = length - warmup
    if decay_ratio is not None:
        decay = min(round(length * concrete_level(function, "decay_ratio", decay_ratio)), decay)
    shape = choose(function, "decay_type", decay_type, _DECAYS)
    end = concrete_level(function, "min_lr_factor", min_lr_factor)
    # torchtitan counts from 1, and so has a step more to fill.
    stable = length + 1 - warmup - decay
    schedule = fs.warmup_stable_decay(warmup, stable, decay, end=end if decay else 1.0, decay_shape=shape)
    return fs.shift(schedule, 1)


_DECAYS = {"linear": fs.linear, "sqrt": fs.sqrt, "cosine": fs.cosine}
