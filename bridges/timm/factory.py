"""The factory of timm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bridges.rated import Rated, choose
from bridges.timm.construction import SCHEDULERS, Given
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_positive_int,
)


def create_scheduler_v2(
    base_lr: float,
    sched: str = "cosine",
    num_epochs: int = 300,
    decay_epochs: float | None = None,
    decay_milestones: Iterable[float] = (90, 180, 270),
    cooldown_epochs: int = 0,
    patience_epochs: int = 10,
    decay_rate: float = 0.1,
    min_lr: float = 0.0,
    warmup_lr: float = 1e-5,
    warmup_epochs: float = 0,
    warmup_prefix: bool = False,
    noise: None = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    cycle_mul: float = 1.0,
    cycle_decay: float = 0.1,
    cycle_limit: int = 1,
    k_decay: float = 1.0,
    decay_fn: str | Callable[[Any], Any] | None = None,
    stable_timescale: float | None = None,
    plateau_mode: str = "max",
    step_on_epochs: bool = True,
    updates_per_epoch: int = 0,
) -> Rated:
    """The schedule that timm's factory makes of these arguments, whose defaults are not those of the classes.

    Args:
        base_lr: the optimizer's learning rate, above 0; it takes the place of the optimizer.
        sched: "cosine", "tanh", "poly", "step", "multistep", "wsd", "rsqrt" (wsd with an inverse square root and a
            linear decay), "constant" (after the warmup), or "none" (`base_lr`, without a warmup). "plateau" is refused:
            it follows a metric and not the step.
        num_epochs: the length of the first cycle, or of wsd and rsqrt; with `warmup_prefix` without the warmup.
        decay_epochs: of step, by default 90; of wsd and rsqrt the length of the decay, below 1 as a share of the length
            without the warmup, by default 0.2.
        decay_milestones: of multistep.
        cooldown_epochs: without effect on the curve, as `patience_epochs`, `plateau_mode`, `noise_pct`, `noise_std` and
            `noise_seed`: the last rate is held anyway.
        patience_epochs: without effect.
        decay_rate: the factor of step and multistep, and the power of poly.
        min_lr: the lowest rate, at least 0.
        warmup_lr: the rate at t = 0 with a warmup, at least 0.
        warmup_epochs: the length of the warmup.
        warmup_prefix: whether the warmup comes before `num_epochs`, also for step and multistep.
        noise: None; noise is refused.
        noise_pct: without effect.
        noise_std: without effect.
        noise_seed: without effect.
        cycle_mul: of cosine, tanh and poly, as in `cosine_lr_scheduler`, as the two following.
        cycle_decay: by default 0.1, where the classes have 1.
        cycle_limit: how many cycles.
        k_decay: of cosine and poly.
        decay_fn: of wsd and rsqrt, as in `wsd_lr_scheduler`; by default "1-sqrt" and "linear".
        stable_timescale: of rsqrt, in epochs; by default `warmup_epochs`.
        plateau_mode: without effect.
        step_on_epochs: whether the scheduler is stepped once an epoch, and not after every update.
        updates_per_epoch: how many updates make an epoch, an integer of at least 1, if not `step_on_epochs`.

    Returns:
        The schedule and `base_lr`: a step is an epoch, or an update if not `step_on_epochs`. timm's factory also
        returns how many epochs to train.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or not an integer of updates.

    Differs: as the classes do.

    Example:
        >>> from bridges.timm import create_scheduler_v2
        >>> schedule, base_lr = create_scheduler_v2(
        ...     0.5, num_epochs=100, warmup_epochs=5, warmup_prefix=True, step_on_epochs=False, updates_per_epoch=20
        ... )
        >>> [base_lr * schedule(update) for update in (0, 50, 100, 2100)]
        [1e-05, 0.250005, 0.5, 0.0]

    Source: timm 1.0.31, timm.scheduler.create_scheduler_v2.
    """
    values = locals() | {"lb": -7.0, "ub": 3.0, "decay_power": 0.5, "decay_ratio": 0.1}
    function = "create_scheduler_v2"
    if sched == "plateau":
        raise argument_error(
            function, "sched", "a function of the step, which 'plateau' is not: it follows a metric", sched
        )
    build: Callable[[Given], Rated] = choose(function, "sched", sched, SCHEDULERS)
    if decay_epochs is None:
        values["decay_epochs"] = 0.2 if sched in ("wsd", "rsqrt") else 90
    unit = 1
    if not boolean(function, "step_on_epochs", step_on_epochs):
        unit = concrete_positive_int(function, "updates_per_epoch", updates_per_epoch)
    names = _NAMES | {"decay_t": "decay_milestones" if sched == "multistep" else "decay_epochs"}
    return build(Given(function, values, names, unit))


# What the factory calls the arguments of the classes.
_NAMES = {
    "t_initial": "num_epochs",
    "lr_min": "min_lr",
    "power": "decay_rate",
    "warmup_t": "warmup_epochs",
    "warmup_lr_init": "warmup_lr",
    "noise_range_t": "noise",
}
