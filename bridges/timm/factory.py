"""timm's factory `create_scheduler_v2`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import funcsched as fs
from bridges.arguments import checked, choose
from bridges.rated import Rated
from bridges.timm import builders
from bridges.timm.arguments import Arguments
from funcsched.core.validation import argument_error, boolean, concrete_nonnegative_int, concrete_positive_int, positive

_FUNCTION = "create_scheduler_v2"
# The names that the arguments of the scheduler classes have in the factory.
_NAMES = {
    "t_initial": "num_epochs",
    "lr_min": "min_lr",
    "power": "decay_rate",
    "decay_t": "decay_epochs",
    "warmup_t": "warmup_epochs",
    "warmup_lr_init": "warmup_lr",
    "noise_range_t": "noise",
}


@checked(step_on_epochs=boolean)
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
    """timm's create_scheduler_v2: a scheduler by its name. Its defaults are not those of the classes.

    Times are in epochs. They may be fractional if they are an integer number of updates.

    Args:
        base_lr: learning rate of the optimizer (float, above 0). timm takes the optimizer itself.
        sched: "cosine", "tanh", "poly", "step", "multistep", "wsd", "rsqrt" (an inverse square root and a linear
            decay), "constant" (after the warmup) or "none" (`base_lr`, without warmup). "plateau" is not supported,
            because it depends on a metric.
        num_epochs: length of the first cycle, or of wsd and rsqrt (above 0). Includes the warmup, unless
            `warmup_prefix` is True.
        decay_epochs: for step, interval between decays. Default: 90. For wsd and rsqrt, length of the decay; below 1, a
            fraction of the length without the warmup. Default: 0.2.
        decay_milestones: for multistep, epochs of the decays, sorted.
        cooldown_epochs: has no effect, as the last rate is held indefinitely.
        patience_epochs: has no effect.
        decay_rate: factor of each decay for step (1e-30 to 1) and multistep (at least 0); exponent of poly (above 0).
        min_lr: final learning rate of cosine, tanh, poly, wsd and rsqrt (float, at least 0).
        warmup_lr: learning rate at t = 0 if there is a warmup (float, at least 0).
        warmup_epochs: length of the warmup (at least 0).
        warmup_prefix: whether the schedule starts after the warmup (bool). Otherwise it starts at t = 0, except wsd and
            rsqrt, which are shortened by the warmup.
        noise: must be None.
        noise_pct: has no effect.
        noise_std: has no effect.
        noise_seed: has no effect.
        cycle_mul: for cosine, tanh and poly; see `cosine_lr_scheduler`.
        cycle_decay: for cosine, tanh and poly; see `cosine_lr_scheduler`.
        cycle_limit: for cosine, tanh and poly; see `cosine_lr_scheduler`.
        k_decay: for cosine and poly; see `cosine_lr_scheduler`.
        decay_fn: for wsd and rsqrt; see `wsd_lr_scheduler`. Default: "1-sqrt" for wsd, "linear" for rsqrt.
        stable_timescale: for rsqrt, timescale of the inverse square root. Default: `warmup_epochs`.
        plateau_mode: has no effect.
        step_on_epochs: whether a step is an epoch (bool), or else an update.
        updates_per_epoch: number of updates per epoch (int, 1 to 2**53). Required if `step_on_epochs` is False.

    Returns:
        A schedule, whose step is an epoch, or an update if `step_on_epochs` is False, and its peak value, `base_lr`.
        timm's factory also returns the number of epochs to train.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a time in epochs is not an integer
            number of updates.

    Differs: like the classes.

    Example:
        >>> from bridges.timm import create_scheduler_v2
        >>> schedule, peak_value = create_scheduler_v2(
        ...     0.5, num_epochs=100, warmup_epochs=5, warmup_prefix=True, step_on_epochs=False, updates_per_epoch=20
        ... )
        >>> [peak_value * schedule(update) for update in (0, 50, 100, 2100)]
        [1e-05, 0.250005, 0.5, 0.0]

    Source: timm 1.0.31, timm.scheduler.create_scheduler_v2.
    """
    if sched == "plateau":
        raise argument_error(_FUNCTION, "sched", "a schedule that depends only on the step, not on a metric", sched)
    if decay_epochs is None:
        decay_epochs = 0.2 if sched in ("wsd", "rsqrt") else 90
    values = {**locals(), "lb": -7.0, "ub": 3.0, "decay_power": 0.5, "decay_ratio": 0.1}
    build: Callable[[Arguments], Rated] = choose(_FUNCTION, "sched", sched, _SCHEDULERS)
    names = {**_NAMES, "decay_t": "decay_milestones"} if sched == "multistep" else _NAMES
    values |= {argument: values[name] for argument, name in names.items()}
    steps_per_epoch = 1 if step_on_epochs else concrete_positive_int(_FUNCTION, "updates_per_epoch", updates_per_epoch)
    return build(Arguments(_FUNCTION, values, names, steps_per_epoch))


def _wsd(arguments: Arguments, stable_fn: str, default_decay_fn: str) -> Rated:
    """The types "wsd" and "rsqrt". The length may include the warmup; the decay may be a fraction of the rest."""
    total = arguments.steps("t_initial", concrete_positive_int)
    if not arguments.get("warmup_prefix", boolean):
        total -= arguments.steps("warmup_t", concrete_nonnegative_int)
    if total < 1:
        raise arguments.error("t_initial", f"above `warmup_epochs` ({arguments.values['warmup_t']!r})")
    decay_epochs = arguments.get("decay_t", positive)
    decay = round(decay_epochs * (total if decay_epochs < 1 else arguments.steps_per_epoch))
    if not 1 <= decay <= total:
        raise arguments.error("decay_t", f"a length of 1 to {total} steps")
    decay_fn = arguments.values["decay_fn"] or default_decay_fn
    return builders.stable_then_decay(arguments, total - decay, decay, stable_fn, decay_fn)


_SCHEDULERS: dict[str, Callable[[Arguments], Rated]] = {
    "cosine": builders.cosine,
    "tanh": builders.tanh,
    "poly": builders.poly,
    "step": builders.step,
    "multistep": builders.multistep,
    "wsd": partial(_wsd, stable_fn="constant", default_decay_fn="1-sqrt"),
    "rsqrt": partial(_wsd, stable_fn="rsqrt", default_decay_fn="linear"),
    "constant": lambda arguments: builders.with_warmup(arguments, fs.constant(), prefix=True),
    "none": lambda arguments: Rated(fs.constant(), arguments.base_lr),
}
