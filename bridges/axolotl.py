"""axolotl's schedules that transformers does not have: two cosines, REX, and the restarts of ReLoRA."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core import validation as rules

_RULES = BY_TYPE | {"num_cycles": rules.cycles}


@checked(common=_RULES)
def get_cosine_schedule_with_quadratic_warmup(
    num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5
) -> fs.Schedule:
    """axolotl's get_cosine_schedule_with_quadratic_warmup: a quadratic warmup, then a cosine decay to 0.

    With W and T steps in the warmup and in total: ``(step / W) ** 2`` below step W, then
    ``(1 + cos(2 * pi * num_cycles * u)) / 2`` with ``u = (step - W) / max(1, T - W)``

    Args:
        num_warmup_steps: number of warmup steps W (int, 0 to `num_training_steps`).
        num_training_steps: total number of steps T, including warmup (int, 0 to 2**53).
        num_cycles: number of waves of the cosine (float, above 0).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after the end, axolotl's cosine rises again; here the last value is held.

    Example:
        >>> from bridges.axolotl import get_cosine_schedule_with_quadratic_warmup
        >>> schedule = get_cosine_schedule_with_quadratic_warmup(10, 100)
        >>> [round(schedule(step), 12) for step in (0, 5, 10, 40, 100)]
        [0.0, 0.25, 1.0, 0.75, 0.0]

    Source: axolotl 0.19.0, src/axolotl/utils/schedulers.py.
    """
    function, warmup, total = "get_cosine_schedule_with_quadratic_warmup", num_warmup_steps, num_training_steps
    rules.require_at_most(function, "num_warmup_steps", warmup, "num_training_steps", total)
    rise = fs.ramp(0.0, 1.0, steps=warmup, shape=fs.power(2))
    return fs.join([rise, fs.warmup_cosine(0, max(1, total - warmup), cycles=num_cycles)], [warmup])


@checked(common=_RULES, constant_lr_ratio=rules.unit_interval)
def get_cosine_schedule_with_warmup_decay_constant(
    num_warmup_steps: int,
    num_training_steps: int,
    constant_lr_ratio: float,
    min_lr_ratio: float,
    num_cycles: float = 0.5,
) -> fs.Schedule:
    """axolotl's get_cosine_schedule_with_warmup_decay_constant: a linear warmup, a cosine decay, and a constant.

    The end of the decay is step ``C = int(num_training_steps * constant_lr_ratio)``. With W warmup steps: ``step / W``
    below step W, then ``min_lr_ratio + (1 - min_lr_ratio) * (1 + cos(2 * pi * num_cycles * u)) / 2`` with
    ``u = (step - W) / (C - W)``, at most 1

    Args:
        num_warmup_steps: number of warmup steps W (int, at least 0, below C).
        num_training_steps: total number of steps, including warmup (int, 0 to 2**53).
        constant_lr_ratio: fraction of the total at which the decay ends (float, 0 to 1): axolotl's
            `cosine_constant_lr_ratio`.
        min_lr_ratio: lowest multiplier of the decay (float, at least 0): axolotl's `cosine_min_lr_ratio`.
        num_cycles: number of waves of the cosine (float, above 0).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: if W is C or more, axolotl holds the peak or `min_lr_ratio` after the warmup, depending on whether W - C is
    even; here that is an error.

    Example:
        >>> from bridges.axolotl import get_cosine_schedule_with_warmup_decay_constant
        >>> get_cosine_schedule_with_warmup_decay_constant(10, 110, 0.5, 0.1)
        warmup_cosine(warmup_steps=10, total_steps=55, end=0.1)

    Source: axolotl 0.19.0, src/axolotl/utils/schedulers.py; Gupta et al. 2023, arXiv:2308.04014.
    """
    end = int(num_training_steps * constant_lr_ratio)
    function, limit = "get_cosine_schedule_with_warmup_decay_constant", "num_training_steps * constant_lr_ratio - 1"
    rules.require_at_most(function, "num_warmup_steps", num_warmup_steps, limit, end - 1)
    return fs.warmup_cosine(num_warmup_steps, end, end=min_lr_ratio, cycles=num_cycles)


@checked(common=_RULES, max_lr=rules.positive)
def rex_lr(max_lr: float, min_lr: float, total_steps: int, num_warmup_steps: int = 0) -> Rated:
    """axolotl's RexLR: a linear warmup, then a decay that is flat at the beginning and steep at the end.

    With W and T steps in the warmup and in total: ``max_lr * (step + 1) / W`` below step W, then
    ``min_lr + (max_lr - min_lr) * (1 - u) / (1 - 0.9 * u)`` with ``u = (step + 1 - W) / (T - W)``. As in
    axolotl, the whole curve is one step ahead, and the last update uses `min_lr`.

    Args:
        max_lr: learning rate at the end of the warmup (float, above 0).
        min_lr: learning rate from step ``T - 1`` on (float, 0 to `max_lr`).
        total_steps: total number of steps T, including warmup (int, 0 to 2**53).
        num_warmup_steps: number of warmup steps W (int, 0 to `total_steps`).

    Returns:
        A schedule and its peak value, `max_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.axolotl import rex_lr
        >>> schedule, peak_value = rex_lr(0.5, 0.0, 22, 2)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 1, 11, 19, 21, 22)]
        [0.25, 0.5, 0.454545454545, 0.263157894737, 0.0, 0.0]

    Source: axolotl 0.19.0, src/axolotl/utils/schedulers.py; Chen et al. 2021, arXiv:2107.04197, uses 0.5 instead of
    0.9.
    """
    if min_lr > max_lr:
        raise rules.argument_error("rex_lr", "min_lr", f"at most `max_lr` ({max_lr!r})", min_lr)
    rules.require_at_most("rex_lr", "num_warmup_steps", num_warmup_steps, "total_steps", total_steps)
    rise = fs.ramp(0.0, 1.0, steps=num_warmup_steps)
    fall = fs.ramp(1.0, min_lr / max_lr, steps=total_steps - num_warmup_steps, shape=fs.rational(0.9))
    return Rated(fs.join([fs.shift(rise, 1), fs.shift(fall, 1)], [num_warmup_steps]), max_lr)


@checked(common=_RULES, jagged_restart_steps=rules.concrete_positive_int)
def jagged_lr_restart_scheduler(
    inner_schedule: fs.Schedule,
    jagged_restart_steps: int,
    jagged_restart_warmup_steps: int,
    jagged_restart_anneal_steps: int = 1,
    min_lr_scale: float = 0.001,
) -> fs.Schedule:
    """axolotl's JaggedLRRestartScheduler (ReLoRA): a schedule with a decay before and a warmup after each restart.

    The schedule at ``n = step + 1``, one step ahead as in axolotl, times a factor. With a restart every R steps, W
    warmup and A anneal steps, ``m = min_lr_scale`` and ``p = n mod R``, the factor is 1 below ``n = R - A``; then
    ``m + (1 - m) * p / W`` if p is below W, ``m + (1 - m) * (R - p) / A`` in the last A steps of each R, and otherwise
    1.

    Args:
        inner_schedule: a schedule, or a function of a step.
        jagged_restart_steps: number of steps R between restarts (int, 1 to 2**53).
        jagged_restart_warmup_steps: number of warmup steps W after each restart (int, 0 to 2**53). axolotl's default
            is 10.
        jagged_restart_anneal_steps: number of steps A of the decay before each restart (int, 0 to R).
        min_lr_scale: factor at a restart (float, at least 0): axolotl's `cosine_min_lr_ratio`, or 0.001.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: around a RexLR, axolotl's restarts are another step ahead of its curve. With `rex_lr` as
    `inner_schedule`, both are aligned here.

    Example:
        >>> import funcsched as fs
        >>> from bridges.axolotl import jagged_lr_restart_scheduler
        >>> schedule = jagged_lr_restart_scheduler(fs.constant(), 100, 10, 20, min_lr_scale=0.0)
        >>> [schedule(step) for step in (0, 79, 89, 99, 104, 109, 179, 189, 199)]
        [1.0, 1.0, 0.5, 0.0, 0.5, 1.0, 1.0, 0.5, 0.0]

    Source: axolotl 0.19.0, src/axolotl/utils/schedulers.py.
    """
    function, period, anneal = "jagged_lr_restart_scheduler", jagged_restart_steps, jagged_restart_anneal_steps
    warmup = jagged_restart_warmup_steps
    rules.require_at_most(function, "jagged_restart_anneal_steps", anneal, "jagged_restart_steps", period)
    fall = fs.warmup_stable_decay(0, period - anneal, anneal, end=min_lr_scale)
    cycle = fs.join([fs.ramp(min_lr_scale, 1.0, steps=warmup), fs.shift(fall, warmup)], [warmup])
    factor = fs.join([fs.constant(), fs.shift(fs.repeat(cycle, period), period - anneal)], [period - anneal])
    return fs.shift(fs.product(inner_schedule, factor), 1)
