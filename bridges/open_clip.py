"""The schedules of open_clip's `lr_scheduler`: cosine, const and const-cooldown."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core import validation as rules

_RULES = BY_TYPE | {"base_lr": rules.positive, "cooldown_power": rules.exponent}


@checked(common=_RULES)
def const_lr(base_lr: float, warmup_length: int, steps: int) -> Rated:
    """open_clip's const_lr: a linear warmup, then a constant learning rate.

    ``base_lr * (step + 1) / warmup_length`` below step `warmup_length`, then `base_lr`

    Args:
        base_lr: learning rate after the warmup (float, above 0).
        warmup_length: number of warmup steps (int, 0 to 2**53).
        steps: total number of steps (int, 0 to 2**53). As in open_clip, it has no effect.

    Returns:
        A schedule and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.open_clip import const_lr
        >>> schedule, peak_value = const_lr(0.5, 4, 100)
        >>> [peak_value * schedule(step) for step in (0, 2, 3, 4)]
        [0.125, 0.375, 0.5, 0.5]

    Source: open_clip 3.3.0, src/open_clip_train/scheduler.py.
    """
    return Rated(fs.warmup_constant(warmup_length, warmup_offset=1), base_lr)


@checked(common=_RULES)
def const_lr_cooldown(
    base_lr: float,
    warmup_length: int,
    steps: int,
    cooldown_steps: int,
    cooldown_power: float = 1.0,
    cooldown_end_lr: float = 0.0,
) -> Rated:
    """open_clip's const_lr_cooldown: a linear warmup, a constant learning rate, and a polynomial decay.

    ``base_lr * (step + 1) / warmup_length`` below step `warmup_length`, then `base_lr` up to step
    ``steps - cooldown_steps``, then ``cooldown_end_lr + (base_lr - cooldown_end_lr) * (1 - u) ** cooldown_power``,
    where u is the elapsed fraction of `cooldown_steps`

    Args:
        base_lr: learning rate after the warmup (float, above 0).
        warmup_length: number of warmup steps (int, 0 to ``steps - cooldown_steps``).
        steps: total number of steps (int, 0 to 2**53).
        cooldown_steps: length of the decay (int, 0 to `steps`).
        cooldown_power: exponent of the decay (float, above 0 and at most 1000).
        cooldown_end_lr: learning rate at the end (float, at least 0).

    Returns:
        A schedule and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after `steps`, open_clip continues the decay: a linear decay falls below 0, and fractional powers result in
    complex numbers. Here the last value is held. If the warmup is longer than ``steps - cooldown_steps``, open_clip's
    rate jumps; here that is an error.

    Example:
        >>> from bridges.open_clip import const_lr_cooldown
        >>> schedule, peak_value = const_lr_cooldown(0.5, 4, 100, 20, cooldown_power=2.0)
        >>> [peak_value * schedule(step) for step in (0, 3, 80, 90, 100, 101)]
        [0.125, 0.5, 0.5, 0.125, 0.0, 0.0]

    Source: open_clip 3.3.0, src/open_clip_train/scheduler.py.
    """
    function, cooldown = "const_lr_cooldown", steps - cooldown_steps
    rules.require_at_most(function, "cooldown_steps", cooldown_steps, "steps", steps)
    rules.require_at_most(function, "warmup_length", warmup_length, "steps - cooldown_steps", cooldown)
    shape, end = fs.reverse(fs.power(cooldown_power)), cooldown_end_lr / base_lr
    lengths = warmup_length, cooldown - warmup_length, cooldown_steps
    return Rated(fs.warmup_stable_decay(*lengths, end=end, decay_shape=shape, warmup_offset=1), base_lr)


@checked(common=_RULES)
def cosine_lr(base_lr: float, warmup_length: int, steps: int) -> Rated:
    """open_clip's cosine_lr: a linear warmup, then a cosine decay to 0.

    ``base_lr * (step + 1) / warmup_length`` below step `warmup_length`, then ``base_lr * (1 + cos(pi * u)) / 2`` with
    ``u = (step - warmup_length) / (steps - warmup_length)``

    Args:
        base_lr: learning rate after the warmup (float, above 0).
        warmup_length: number of warmup steps (int, 0 to `steps`).
        steps: total number of steps, including warmup (int, 0 to 2**53).

    Returns:
        A schedule and its peak value, `base_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after `steps`, the cosine of open_clip rises again; here the rate stays at 0. A warmup of `steps` steps
    makes open_clip divide by 0 at its end; a longer one is an error here.

    Example:
        >>> from bridges.open_clip import cosine_lr
        >>> schedule, peak_value = cosine_lr(0.5, 4, 94)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 3, 4, 34, 94, 95)]
        [0.125, 0.5, 0.5, 0.375, 0.0, 0.0]

    Source: open_clip 3.3.0, src/open_clip_train/scheduler.py.
    """
    rules.require_at_most("cosine_lr", "warmup_length", warmup_length, "steps", steps)
    return Rated(fs.warmup_cosine(warmup_length, steps, warmup_offset=1), base_lr)
