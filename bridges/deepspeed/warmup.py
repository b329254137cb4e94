"""DeepSpeed's schedules with a warmup."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import checked, required
from bridges.compositions import join_phases
from bridges.deepspeed.rules import RULES
from bridges.rated import Rated


def _peak(function: str, warmup_max_lr: float | None, lr: float | None) -> float:
    peak = lr if warmup_max_lr is None else warmup_max_lr
    return float(required(function, "warmup_max_lr", peak, "if `lr` (the learning rate of the optimizer) is not"))


def _warmup(start: float, steps: int, warmup_type: str) -> fs.Schedule:
    """The warmup, whose step 0 is iteration 0 of DeepSpeed."""
    if warmup_type == "linear":
        return fs.ramp(start, 1.0, steps=steps)
    # log(iteration + 1) / log(steps) reaches 1 one step earlier.
    return fs.ramp(start, 1.0, steps=steps - 1, shape=fs.log)


@checked(common=RULES)
def warmup_lr(
    *,
    warmup_min_lr: float = 0.0,
    warmup_max_lr: float | None = None,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
    lr: float | None = None,
) -> Rated:
    """DeepSpeed's WarmupLR: a warmup, then a constant learning rate.

    ``warmup_min_lr + (warmup_max_lr - warmup_min_lr) * f`` with ``f = log(step) / log(W)`` (log) or ``(step - 1) / W``
    (linear) for ``1 <= step <= W``, where ``W = max(2, warmup_num_steps)``; `warmup_min_lr` at step 0 and
    `warmup_max_lr` after step W.

    Args:
        warmup_min_lr: learning rate at steps 0 and 1 (float, at least 0).
        warmup_max_lr: learning rate after the warmup (float, above 0). Default: `lr`.
        warmup_num_steps: number of warmup steps (int, 1 to 2**53). DeepSpeed uses at least 2.
        warmup_type: "log" or "linear". DeepSpeed replaces any other value by "log" with a warning; here it is an error.
        lr: learning rate of the optimizer (float, above 0). Required if `warmup_max_lr` is None.

    Returns:
        A schedule that counts updates, and its peak value, `warmup_max_lr` or `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.deepspeed import warmup_lr
        >>> schedule, peak_value = warmup_lr(warmup_max_lr=0.5, warmup_num_steps=4, warmup_type="linear")
        >>> [peak_value * schedule(step) for step in (0, 1, 2, 4, 5, 6)]
        [0.0, 0.0, 0.125, 0.375, 0.5, 0.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    peak = _peak("warmup_lr", warmup_max_lr, lr)
    start = warmup_min_lr / peak
    warmup = _warmup(start, max(2, warmup_num_steps), warmup_type)
    return Rated(join_phases({0: fs.constant(start), 1: warmup}), peak)


@checked(common=RULES)
def warmup_decay_lr(
    *,
    total_num_steps: int,
    warmup_min_lr: float = 0.0,
    warmup_max_lr: float | None = 0.001,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
    lr: float | None = None,
) -> Rated:
    """DeepSpeed's WarmupDecayLR: a warmup, then a linear decay to the initial learning rate.

    ``warmup_min_lr + (warmup_max_lr - warmup_min_lr) * f``. Up to step ``W = max(2, warmup_num_steps)``, f is that of
    `warmup_lr`; later it is ``max(0, (total_num_steps - (step - 1)) / max(1, total_num_steps - W))``.

    Args:
        total_num_steps: total number of steps, including warmup (int, 0 to 2**53). If it is at most the number of
            warmup steps, the learning rate drops to `warmup_min_lr` after the warmup.
        warmup_min_lr: learning rate at steps 0 and 1 and after the decay (float, at least 0).
        warmup_max_lr: learning rate at the end of the warmup (float, above 0). None means `lr`.
        warmup_num_steps: number of warmup steps (int, 1 to 2**53). DeepSpeed uses at least 2.
        warmup_type: "log" or "linear". DeepSpeed replaces any other value by "log" with a warning; here it is an error.
        lr: learning rate of the optimizer (float, above 0). Required if `warmup_max_lr` is None.

    Returns:
        A schedule that counts updates, and its peak value, `warmup_max_lr` or `lr`. It ends at step
        ``total_num_steps + 1``.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.deepspeed import warmup_decay_lr
        >>> schedule, peak_value = warmup_decay_lr(
        ...     total_num_steps=8, warmup_max_lr=0.5, warmup_num_steps=4, warmup_type="linear")
        >>> [peak_value * schedule(step) for step in (1, 4, 5, 7, 8, 9, 10)]
        [0.0, 0.375, 0.5, 0.25, 0.125, 0.0, 0.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    peak = _peak("warmup_decay_lr", warmup_max_lr, lr)
    start, steps = warmup_min_lr / peak, max(2, warmup_num_steps)
    decay = fs.ramp(1.0, start, steps=max(0, total_num_steps - steps))
    warmup = _warmup(start, steps, warmup_type)
    return Rated(join_phases({0: fs.constant(start), 1: warmup, steps + 1: decay}), peak)


@checked(common=RULES)
def warmup_cosine_lr(
    *,
    lr: float,
    total_num_steps: int,
    warmup_min_ratio: float = 0.0,
    warmup_num_steps: int = 1000,
    cos_min_ratio: float = 0.0001,
    warmup_type: str = "log",
) -> Rated:
    """DeepSpeed's WarmupCosineLR: a warmup, then a cosine decay, both as multiples of the optimizer's learning rate.

    ``lr * m``, where m is 0 at step 0, then ``warmup_min_ratio + (1 - warmup_min_ratio) * f`` up to step
    ``W = max(2, warmup_num_steps)`` with the f of `warmup_lr`, then
    ``cos_min_ratio + (1 - cos_min_ratio) * (1 + cos(pi * u)) / 2`` with
    ``u = min(1, (step - W) / max(1, total_num_steps - W))``. The decay is one step ahead of the warmup, so a linear
    warmup never reaches `lr`.

    Args:
        lr: learning rate of the optimizer (float, above 0).
        total_num_steps: total number of steps, including warmup (int, 0 to 2**53). If it is at most the number of
            warmup steps, the learning rate drops to its final value after the warmup.
        warmup_min_ratio: multiplier at step 1 (float, at least 0). At step 0 it is always 0.
        warmup_num_steps: number of warmup steps (int, 1 to 2**53). DeepSpeed uses at least 2.
        cos_min_ratio: multiplier after the decay (float, at least 0).
        warmup_type: "log" or "linear". DeepSpeed replaces any other value by "log" with a warning; here it is an error.

    Returns:
        A schedule that counts updates, and its peak value, `lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.deepspeed import warmup_cosine_lr
        >>> schedule, peak_value = warmup_cosine_lr(
        ...     lr=0.5, total_num_steps=6, warmup_num_steps=4, warmup_type="linear", cos_min_ratio=0.0)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 1, 4, 5, 6, 7)]
        [0.0, 0.0, 0.375, 0.25, 0.0, 0.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    steps = max(2, warmup_num_steps)
    warmup = _warmup(warmup_min_ratio, steps, warmup_type)
    decay = fs.ramp(1.0, cos_min_ratio, steps=max(0, total_num_steps - steps), shape=fs.cosine)
    return Rated(join_phases({0: fs.constant(0.0), 1: warmup, steps + 1: fs.shift(decay, 1)}), lr)
