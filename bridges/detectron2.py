"""detectron2's learning rate, from the SOLVER section of its configuration.

`bridges.fvcore` has the param schedulers that detectron2 builds, and `to_progress` for its LRMultiplier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import funcsched as fs
from bridges import fvcore
from bridges.arguments import BY_TYPE, checked, instance_of, option
from bridges.rated import Rated
from funcsched.core import validation as rules


def _steps(function: str, argument: str, value: Any) -> tuple[int, ...]:
    return rules.sequence(function, argument, value, rules.concrete_positive_int, "integers")


_METHODS = option(["constant", "linear"])
# The entries that the schedule uses: the default of detectron2, and the rule.
_ENTRIES: dict[str, tuple[Any, Any]] = {
    "LR_SCHEDULER_NAME": (
        "WarmupMultiStepLR",
        option(["WarmupMultiStepLR", "WarmupCosineLR", "WarmupStepWithFixedGammaLR"]),
    ),
    "BASE_LR": (0.001, rules.positive),
    "BASE_LR_END": (0.0, rules.concrete_nonnegative),
    "MAX_ITER": (40_000, rules.concrete_positive_int),
    "STEPS": ((30_000,), _steps),
    "GAMMA": (0.1, rules.positive),
    "NUM_DECAYS": (3, rules.integer_cycles),
    "WARMUP_FACTOR": (0.001, rules.concrete_nonnegative),
    "WARMUP_ITERS": (1000, rules.concrete_nonnegative_int),
    "WARMUP_METHOD": ("linear", _METHODS),
    "RESCALE_INTERVAL": (False, rules.boolean),
}


@checked(common=BY_TYPE, warmup_method=_METHODS)
def warmup_param_scheduler(
    scheduler: fs.Schedule,
    warmup_factor: float,
    warmup_iters: int,
    warmup_method: str = "linear",
    rescale_interval: bool = False,
) -> fs.Schedule:
    """detectron2's WarmupParamScheduler: a warmup to the value that a schedule has at its end.

    Below step `warmup_iters`, ``start + (v - start) * step / warmup_iters`` (linear) or ``start`` (constant) with
    ``start = warmup_factor * scheduler(0)`` and ``v = scheduler(warmup_iters)``; then ``scheduler(step)``. With
    `rescale_interval`, the schedule begins after the warmup: ``scheduler(step - warmup_iters)``.

    Args:
        scheduler: a schedule, or a function of a step. With `rescale_interval`, its length is that of the run without
            the warmup, whereas detectron2 rescales a scheduler of the whole run.
        warmup_factor: ratio of the value at step 0 to that of `scheduler` (float, at least 0).
        warmup_iters: number of warmup steps (int, 0 to 2**53): detectron2's `warmup_length` times the updates of the
            run.
        warmup_method: "linear" or "constant".
        rescale_interval: whether the schedule begins after the warmup (bool).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: in a run of a million updates or more, fvcore's tolerance of 1e-6 ends the warmup one update per million
    earlier; here it ends at step `warmup_iters`.

    Example:
        >>> import funcsched as fs
        >>> from bridges.detectron2 import warmup_param_scheduler
        >>> schedule = warmup_param_scheduler(fs.ramp(1.0, 0.0, steps=100), 0.0, 20)
        >>> [schedule(step) for step in (0, 10, 20, 60, 100)]
        [0.0, 0.4, 0.8, 0.4, 0.0]

    Source: detectron2, commit 606437e, detectron2/solver/lr_scheduler.py.
    """
    start = warmup_factor * scheduler(0)
    if warmup_method == "linear" and not rescale_interval:
        return fs.warm_into(scheduler, warmup_iters, start=start)
    rest = scheduler if rescale_interval else fs.shift(scheduler, warmup_iters)
    rise = fs.ramp(start, rest(0), steps=warmup_iters) if warmup_method == "linear" else fs.constant(start)
    return fs.join([rise, rest], [warmup_iters])


@checked(solver=instance_of(Mapping, "a mapping"))
def from_config(solver: Mapping[str, Any]) -> Rated:
    """The schedule that detectron2's build_lr_scheduler makes from the SOLVER section of a configuration.

    The main schedule is that of `LR_SCHEDULER_NAME`, with the warmup of `warmup_param_scheduler`:

    - "WarmupMultiStepLR": ``GAMMA ** n``, where n is the number of `STEPS` up to and including the step
    - "WarmupCosineLR": a cosine from 1 to ``BASE_LR_END / BASE_LR`` at `MAX_ITER`
    - "WarmupStepWithFixedGammaLR": `NUM_DECAYS` decays by `GAMMA`, at equal distances

    Args:
        solver: ``cfg.SOLVER``, or a mapping with some of its entries; for the others, the defaults of detectron2
            apply. The schedule uses the entries above, and `WARMUP_FACTOR`, `WARMUP_ITERS`, `WARMUP_METHOD` and
            `RESCALE_INTERVAL`. It ignores all others.

    Returns:
        A schedule and its peak value, `BASE_LR`.

    Raises:
        TypeError, ValueError: an entry has the wrong type or is out of range.

    Differs: detectron2 ignores `STEPS` above `MAX_ITER`, and raises an error for one equal to it; here both are
    ignored. After step `MAX_ITER`, it raises an error for stairs, and its cosine rises again; here the last value is
    held.

    Example:
        >>> from bridges.detectron2 import from_config
        >>> schedule, peak_value = from_config({
        ...     "BASE_LR": 0.5, "MAX_ITER": 90, "STEPS": [60, 80], "GAMMA": 0.5,
        ...     "WARMUP_ITERS": 10, "WARMUP_FACTOR": 0.0})
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 60, 80)]
        [0.0, 0.25, 0.5, 0.25, 0.125]

    Source: detectron2, commit 606437e, detectron2/solver/build.py and detectron2/config/defaults.py.
    """
    entry = {name: rule("from_config", name, solver.get(name, default)) for name, (default, rule) in _ENTRIES.items()}
    peak, gamma, updates = entry["BASE_LR"], entry["GAMMA"], entry["MAX_ITER"]
    warmup, rescaled = min(entry["WARMUP_ITERS"], updates), entry["RESCALE_INTERVAL"]
    length = max(updates - warmup, 1) if rescaled else updates
    if entry["LR_SCHEDULER_NAME"] == "WarmupMultiStepLR":
        steps = [step for step in entry["STEPS"] if step < updates]
        levels = [gamma**i for i in range(len(steps) + 1)]
        main = fvcore.multi_step_param_scheduler(levels, updates, steps, total_steps=length)
    elif entry["LR_SCHEDULER_NAME"] == "WarmupCosineLR":
        main = fvcore.cosine_param_scheduler(1.0, entry["BASE_LR_END"] / peak, total_steps=length)
    else:
        main = fvcore.step_with_fixed_gamma_param_scheduler(
            1.0, entry["NUM_DECAYS"], gamma, updates, total_steps=length
        )
    return Rated(warmup_param_scheduler(main, entry["WARMUP_FACTOR"], warmup, entry["WARMUP_METHOD"], rescaled), peak)
