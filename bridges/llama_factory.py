"""LLaMA-Factory's schedules: those of transformers, with other defaults for "warmup_stable_decay"."""

from __future__ import annotations

from typing import Any

import funcsched as fs
from bridges import transformers
from bridges.arguments import choose
from bridges.transformers.scheduler_type import METRIC_TYPES
from funcsched.core.validation import concrete_nonnegative_int, require_at_most


def from_scheduler_type(
    lr_scheduler_type: str, *, num_warmup_steps: int | None = None, num_training_steps: int | None = None, **kwargs: Any
) -> fs.Schedule:
    """The schedule of LLaMA-Factory's `lr_scheduler_type`, as a multiplier of the learning rate.

    It is that of `bridges.transformers.from_scheduler_type`. For "warmup_stable_decay", with T and W steps in total and
    in the warmup, the defaults are ``num_stable_steps = (T - W) // 3`` and ``num_decay_steps = T - W - (T - W) // 3``.

    Args:
        lr_scheduler_type: type of the scheduler, as in transformers (str).
        num_warmup_steps: number of warmup steps W (int, 0 to `num_training_steps`): LLaMA-Factory's `warmup_steps`, or
            ``ceil(warmup_ratio * T)``.
        num_training_steps: total number of steps T, including warmup (int, 0 to 2**53).
        **kwargs: the entries of LLaMA-Factory's `lr_scheduler_kwargs`, and `base_lr` as in
            `bridges.transformers.from_scheduler_type`. As in LLaMA-Factory, each of the two defaults applies if its
            argument is missing, even if the other one is given.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is missing, is unknown, has the wrong type or is out of range.

    Differs: as in `bridges.transformers.from_scheduler_type`.

    Example:
        >>> from bridges.llama_factory import from_scheduler_type
        >>> from_scheduler_type("warmup_stable_decay", num_warmup_steps=10, num_training_steps=100)
        warmup_stable_decay(warmup_steps=10, stable_steps=30, decay_steps=60, decay_shape=cosine)

    Source: LLaMA-Factory 0.9.5, src/llamafactory/train/trainer_utils.py (create_custom_scheduler).
    """
    if lr_scheduler_type not in METRIC_TYPES:  # their error says how to follow a metric
        choose("from_scheduler_type", "lr_scheduler_type", lr_scheduler_type, transformers.SCHEDULER_TYPES)
    if lr_scheduler_type == "warmup_stable_decay" and num_warmup_steps is not None and num_training_steps is not None:
        warmup = concrete_nonnegative_int("from_scheduler_type", "num_warmup_steps", num_warmup_steps)
        total = concrete_nonnegative_int("from_scheduler_type", "num_training_steps", num_training_steps)
        require_at_most("from_scheduler_type", "num_warmup_steps", warmup, "num_training_steps", total)
        stable = (total - warmup) // 3
        kwargs = {"num_stable_steps": stable, "num_decay_steps": total - warmup - stable, **kwargs}
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return transformers.from_scheduler_type(lr_scheduler_type, **steps, **kwargs)
