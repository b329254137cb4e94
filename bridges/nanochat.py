"""The schedules of nanochat's base training: learning rate, momentum and weight decay of Muon."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.rated import Rated
from funcsched.core import validation as rules

_RULES = {
    **BY_TYPE,
    "num_iterations": rules.concrete_positive_int,
    **dict.fromkeys(["warmdown_ratio", "warmup_ratio"], rules.unit_interval),
}


def _warm(warmup: fs.Schedule, warmup_steps: int, total: int, warmdown_ratio: float, end: float) -> fs.Schedule:
    """A warmup, a stable phase and a linear decay. A warmup longer than the stable phase replaces part of the decay."""
    warmdown = round(warmdown_ratio * total)
    rest = fs.warmup_stable_decay(0, total - warmdown, warmdown, end=end if warmdown else 1.0)
    return fs.join([warmup, fs.shift(rest, warmup_steps)], [warmup_steps])


@checked(common=_RULES)
def get_lr_multiplier(
    *,
    num_iterations: int,
    warmup_steps: int = 40,
    warmdown_ratio: float = 0.65,
    final_lr_frac: float = 0.05,
    warmup_ratio: float | None = None,
) -> fs.Schedule:
    """nanochat's get_lr_multiplier: a linear warmup, a stable phase, and a linear decay.

    With ``T = num_iterations``, ``W = warmup_steps`` and ``D = round(warmdown_ratio * T)``: ``(step + 1) / W`` below
    step W, then 1 up to step ``T - D``, then ``1 + (final_lr_frac - 1) * (step - (T - D)) / D``

    Args:
        num_iterations: number of updates of the run (int, 1 to 2**53).
        warmup_steps: number of warmup steps (int, 0 to 2**53). As in nanochat, the warmup may overlap the decay, which
            then starts below 1.
        warmdown_ratio: fraction of the run for the decay (float, 0 to 1), rounded to steps.
        final_lr_frac: multiplier from step `num_iterations` on, one step after the last update (float, at least 0).
        warmup_ratio: fraction of the run for the warmup, rounded to steps, instead of `warmup_steps` (float, 0 to 1).
            Older versions have this argument.

    Returns:
        A schedule. As in nanochat, its values multiply the learning rate of each parameter group.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after step `num_iterations`, which nanochat does not reach, its decay continues; here it is held.

    Example:
        >>> from bridges.nanochat import get_lr_multiplier
        >>> schedule = get_lr_multiplier(num_iterations=100, warmup_steps=4, warmdown_ratio=0.5, final_lr_frac=0.5)
        >>> [schedule(step) for step in (0, 2, 3, 4, 50, 75, 100, 101)]
        [0.25, 0.75, 1.0, 1.0, 1.0, 0.75, 0.5, 0.5]

    Source: karpathy/nanochat, commit 00255c1, scripts/base_train.py.
    """
    warmup = warmup_steps if warmup_ratio is None else round(warmup_ratio * num_iterations)
    rise = fs.shift(fs.ramp(0.0, 1.0, steps=warmup), 1)
    return _warm(rise, warmup, num_iterations, warmdown_ratio, final_lr_frac)


@checked(common=_RULES)
def get_muon_momentum(*, num_iterations: int, warmdown_ratio: float = 0.65) -> Rated:
    """nanochat's get_muon_momentum: from 0.85 to 0.97 over 400 steps, and to 0.90 while the learning rate decays.

    With ``T = num_iterations`` and ``D = round(warmdown_ratio * T)``: ``0.85 + 0.12 * step / 400`` below step 400, then
    0.97 up to step ``T - D``, then ``0.97 - 0.07 * (step - (T - D)) / D``

    Args:
        num_iterations: number of updates of the run (int, 1 to 2**53). As in nanochat, the momentum jumps at step 400
            if the decay has begun before.
        warmdown_ratio: as in `get_lr_multiplier`.

    Returns:
        A schedule and its peak value, 0.97: ``peak_value * schedule(step)`` is the momentum.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: without a decay, nanochat divides by 0 at step `num_iterations`, after the last update; here the momentum
    stays at 0.97. After that step, its decay continues; here it is held.

    Example:
        >>> from bridges.nanochat import get_muon_momentum
        >>> schedule, peak_value = get_muon_momentum(num_iterations=2000, warmdown_ratio=0.5)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 200, 400, 1000, 2000)]
        [0.85, 0.91, 0.97, 0.97, 0.9]

    Source: karpathy/nanochat, commit 00255c1, scripts/base_train.py. Older versions have only a warmup:
    ``ramp(0.85, 0.95, steps=300)``.
    """
    rise = fs.ramp(0.85 / 0.97, 1.0, steps=400)
    return Rated(_warm(rise, 400, num_iterations, warmdown_ratio, 0.9 / 0.97), 0.97)


@checked(common=_RULES, weight_decay=rules.positive)
def get_weight_decay(weight_decay: float, *, num_iterations: int) -> Rated:
    """nanochat's get_weight_decay: half a cosine from `weight_decay` to 0.

    ``weight_decay * (1 + cos(pi * step / num_iterations)) / 2``

    Args:
        weight_decay: weight decay at step 0 (float, above 0), after nanochat's scaling by batch size and horizon.
        num_iterations: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule and its peak value, `weight_decay`: ``peak_value * schedule(step)`` is the weight decay.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after step `num_iterations`, which nanochat does not reach, its cosine rises again; here it stays at 0.

    Example:
        >>> from bridges.nanochat import get_weight_decay
        >>> schedule, peak_value = get_weight_decay(1.0, num_iterations=90)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 30, 90)]
        [1.0, 0.75, 0.0]

    Source: karpathy/nanochat, commit 00255c1, scripts/base_train.py. In older versions, the weight decay is linear:
    ``ramp(1, 0, steps=num_iterations)``.
    """
    return Rated(fs.ramp(1.0, 0.0, steps=num_iterations, shape=fs.cosine), weight_decay)
