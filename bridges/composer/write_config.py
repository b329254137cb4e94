"""The Composer scheduler for a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.arguments import checked
from bridges.composer import decay as decays
from bridges.composer import warmup as warmups
from funcsched.core.validation import concrete_positive_int, optional

_Config = tuple[Callable[..., fs.Schedule], dict[str, Any]]
_FIX = (
    "use a function from Composer's state to `schedule(int(state.timestamp.batch))` as its scheduler, or "
    "`lambda_lr(optimizer, schedule)` of bridges.torch in a loop of your own"
)


@checked(schedule=phases.concrete_schedule, total_steps=optional(concrete_positive_int))
def to_config(schedule: fs.Schedule, total_steps: int | None = None) -> tuple[str, dict[str, Any]]:
    """The Composer scheduler for a schedule, and its arguments.

    Args:
        schedule: a schedule whose step is a batch.
        total_steps: number of batches of the run (int, 1 to 2**53). Default: up to the end of the schedule.
            Composer's linear, cosine and polynomial schedulers with a warmup must not end before the run.

    Returns:
        The name of a class of composer.optim, and a dict of its arguments. All times are in batches. The learning rate
        for multiplier 1 is that of the optimizer.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or no scheduler has this curve. The
            message names the phase that Composer cannot express. Lengths must be integers of batches, and the ramp of
            a warmup must be as long as the warmup.

    Example:
        >>> import funcsched as fs
        >>> from bridges.composer import to_config
        >>> to_config(fs.warmup_cosine(10, 100, end=0.1))
        ('CosineAnnealingWithWarmupScheduler', {'t_warmup': '10ba', 't_max': '100ba', 'alpha_f': 0.1})

    Source: Composer 0.32.1, composer.optim.
    """
    found = phases.phases(schedule)

    def read(config: _Config) -> fs.Schedule:
        # Cycles may need the length of the run.
        run = total_steps or (int(found[-1].begin) if "t_mult" in config[1] else None)
        return config[0](**config[1], **({"max_duration": f"{run}ba"} if run else {}))

    configs = _configs(found, total_steps)
    function, arguments = phases.first_match("Composer", schedule, configs, read, total_steps, _FIX)
    return phases.class_name(function), arguments


def _configs(found: list[phases.Phase], total_steps: int | None) -> Iterator[_Config]:
    gamma, steps = phases.milestones(found)
    yield decays.multi_step_scheduler, {"milestones": [f"{step}ba" for step in steps], "gamma": gamma}
    exponential = phases.find(found[0].curve, "exponential_decay")
    rate, period = exponential.get("rate"), f"{exponential.get('steps')}ba"
    yield decays.step_scheduler, {"step_size": period, "gamma": rate}
    yield decays.exponential_scheduler, {"gamma": rate, "decay_period": period}
    repeat, ramp = phases.find(found[0].curve, "repeat"), phases.find(found[0].curve, "ramp")
    cycle = {"t_0": f"{repeat.get('period')}ba", "t_mult": repeat.get("period_factor"), "alpha_f": ramp.get("stop")}
    yield decays.cosine_annealing_warm_restarts_scheduler, cycle
    pairs = list(pairwise(phase.length for phase in found if phase.length))
    # Composer rounds the product of each length and `t_mult` down.
    low = max((Fraction(after) / before for before, after in pairs), default=Fraction(1))
    high = min((Fraction(after + 1) / before for before, after in pairs), default=low)
    for t_mult in (low, (low + high) / 2) if pairs else ():
        cycle = {"t_0": f"{pairs[0][0]}ba", "t_mult": float(t_mult), "alpha_f": found[0].stop}
        yield decays.cosine_annealing_warm_restarts_scheduler, cycle
    for _, length, peak, decay in phases.outlines(found):
        end, power = decay.stop, {"power": phases.exponent(decay.curve)}
        t_max, t_warmup = {"t_max": f"{int(decay.end)}ba"}, {"t_warmup": f"{int(length)}ba"}
        yield decays.constant_scheduler, {"alpha": peak, **t_max}
        yield decays.linear_scheduler, {"alpha_i": peak, "alpha_f": end, **t_max}
        yield decays.cosine_annealing_scheduler, {**t_max, "alpha_f": end}
        yield decays.polynomial_scheduler, {**power, **t_max, "alpha_f": end}
        # Its `t_max` has no effect, but must not be before the end of the run.
        run = {"t_max": f"{max(int(decay.end), int(length), total_steps or 1)}ba"}
        yield warmups.constant_with_warmup_scheduler, {**t_warmup, "alpha": peak, **run}
        yield warmups.linear_with_warmup_scheduler, {**t_warmup, "alpha_i": peak, "alpha_f": end, **t_max}
        yield warmups.cosine_annealing_with_warmup_scheduler, {**t_warmup, **t_max, "alpha_f": end}
        yield warmups.polynomial_with_warmup_scheduler, {**t_warmup, **power, **t_max, "alpha_f": end}
        rest = [phase for phase in found if phase.begin >= length]
        gamma, steps = phases.milestones(rest)
        milestones = {"milestones": [f"{step}ba" for step in steps], "gamma": gamma}
        yield warmups.multi_step_with_warmup_scheduler, {**t_warmup, **milestones}
