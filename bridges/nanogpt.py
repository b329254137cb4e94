"""nanoGPT's learning rate, from the variables in its train.py and in its configuration files."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core.validation import positive, require_at_most


@checked(common=BY_TYPE, learning_rate=positive)
def get_lr(
    *,
    learning_rate: float = 6e-4,
    warmup_iters: int = 2000,
    lr_decay_iters: int = 600_000,
    min_lr: float = 6e-5,
    decay_lr: bool = True,
) -> Rated:
    """nanoGPT's get_lr: a linear warmup, then a cosine decay.

    ``learning_rate * (step + 1) / (warmup_iters + 1)`` below step `warmup_iters`, then
    ``min_lr + (learning_rate - min_lr) * (1 + cos(pi * u)) / 2`` with
    ``u = (step - warmup_iters) / (lr_decay_iters - warmup_iters)``, and `min_lr` from step `lr_decay_iters` on

    Args:
        learning_rate: learning rate at the end of the warmup (float, above 0).
        warmup_iters: number of warmup steps (int, 0 to `lr_decay_iters`).
        lr_decay_iters: step at which the rate reaches `min_lr` (int, 0 to 2**53). It includes the warmup.
        min_lr: learning rate from step `lr_decay_iters` on (float, at least 0).
        decay_lr: False means a constant learning rate without a warmup (bool).

    Returns:
        A schedule and its peak value, `learning_rate`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if `warmup_iters` equals `lr_decay_iters`, nanoGPT divides by 0 at that step; here the rate is `min_lr`. If
    it is larger, nanoGPT jumps from the warmup to `min_lr`; here that is an error.

    Example:
        >>> from bridges.nanogpt import get_lr
        >>> schedule, peak_value = get_lr(learning_rate=0.5, warmup_iters=3, lr_decay_iters=23, min_lr=0.25)
        >>> [peak_value * schedule(step) for step in (0, 1, 2, 3, 13, 23, 24)]
        [0.125, 0.25, 0.375, 0.5, 0.375, 0.25, 0.25]

    Source: karpathy/nanoGPT, train.py, versions of 2025. In older versions, the warmup is ``step / warmup_iters``,
    which is `funcsched.warmup_cosine`.
    """
    if not decay_lr:
        return Rated(fs.constant(), learning_rate)
    require_at_most("get_lr", "warmup_iters", warmup_iters, "lr_decay_iters", lr_decay_iters)
    # A warmup from 1 / (W + 1) to 1 over W steps is (step + 1) / (W + 1).
    schedule = fs.warmup_cosine(warmup_iters, lr_decay_iters, start=1 / (warmup_iters + 1), end=min_lr / learning_rate)
    return Rated(schedule, learning_rate)
