"""Composer's schedulers with warmup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import funcsched as fs
from bridges.arguments import checked
from bridges.composer.decay import RULES, multi_step_decay
from bridges.composer.time import TRAINING, Time, Training, TrainingClock
from funcsched.core.validation import argument_error

if TYPE_CHECKING:
    from typing_extensions import Unpack


@checked(*TRAINING, common=RULES)
def multi_step_with_warmup_scheduler(
    t_warmup: str,
    milestones: Iterable[str],
    gamma: float = 0.1,
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's MultiStepWithWarmupScheduler: a warmup, then multiply by `gamma` at each milestone.

    ``t / t_warmup`` before `t_warmup`, then ``gamma ** (number of milestones <= t)``. Milestones are counted from step
    0, and those within the warmup take effect when it ends.

    Args:
        t_warmup: length of the warmup (time string).
        milestones: times of the decays (time strings, in any units and order). A repeated milestone counts twice.
        gamma: factor of each decay (float, at least 0).
        scale_warmup: whether `scale_schedule_ratio` also scales the ramp of the warmup (bool). In either case, the
            warmup ends at the unscaled `t_warmup`.
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import multi_step_with_warmup_scheduler
        >>> schedule = multi_step_with_warmup_scheduler("10ba", ["30ba", "60ba"], 0.5)
        >>> [schedule(step) for step in (0, 5, 10, 30, 60)]
        [0.0, 0.5, 1.0, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.MultiStepWithWarmupScheduler.
    """
    clock = TrainingClock("multi_step_with_warmup_scheduler", training)
    warmup, ramp_length = _warmup(clock, t_warmup, scale_warmup)
    ramp = clock.in_batches(warmup, lambda n: fs.ramp(0.0, 1.0, steps=n), ramp_length)
    boundary = clock.first_batch(warmup)
    # `join` starts the decay at its step 0, but milestones are counted from the start of training.
    decay = fs.shift(multi_step_decay(clock, milestones, gamma), boundary)
    return fs.join([ramp, decay], [boundary])


@checked(*TRAINING, common=RULES)
def constant_with_warmup_scheduler(
    t_warmup: str, alpha: float = 1.0, t_max: str = "1dur", scale_warmup: bool = False, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's ConstantWithWarmupScheduler: a warmup, then a constant multiplier.

    ``alpha * t / t_warmup`` before `t_warmup`, then `alpha`, also after `t_max`

    Args:
        t_warmup: length of the warmup (time string, in the unit of `t_max`; epochs and batches are one unit).
        alpha: multiplier after the warmup (float, at least 0).
        t_max: has no effect on the curve (time string, at least `max_duration`).
        scale_warmup: whether `scale_schedule_ratio` also scales the ramp of the warmup (bool). In either case, the
            warmup ends at the unscaled `t_warmup`.
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import constant_with_warmup_scheduler
        >>> schedule = constant_with_warmup_scheduler("1ep", 0.5, max_duration="9ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10, 90)]
        [0.0, 0.25, 0.5, 0.5]

    Source: Composer 0.32.1, composer.optim.ConstantWithWarmupScheduler.
    """
    clock = TrainingClock("constant_with_warmup_scheduler", training)
    return _warmup_then_ramp(clock, t_warmup, t_max, scale_warmup, alpha, alpha, fs.linear)


@checked(*TRAINING, common=RULES)
def linear_with_warmup_scheduler(
    t_warmup: str,
    alpha_i: float = 1.0,
    alpha_f: float = 0.0,
    t_max: str = "1dur",
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's LinearWithWarmupScheduler: a warmup, then a linear ramp.

    ``alpha_i * t / t_warmup`` before `t_warmup`, then ``alpha_i + (alpha_f - alpha_i) * u`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or ``u = 0`` if ``t_max <= t_warmup``

    Args:
        t_warmup: length of the warmup (time string, in the unit of `t_max`; epochs and batches are one unit).
        alpha_i: multiplier after the warmup (float, at least 0).
        alpha_f: final multiplier (float, at least 0).
        t_max: end of the ramp, including the warmup (time string, at least `max_duration`).
        scale_warmup: whether `scale_schedule_ratio` also scales the ramp of the warmup (bool). In either case, the
            warmup ends at the unscaled `t_warmup`.
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import linear_with_warmup_scheduler
        >>> schedule = linear_with_warmup_scheduler("0.1dur", max_duration="10ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10, 55, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Composer 0.32.1, composer.optim.LinearWithWarmupScheduler.
    """
    clock = TrainingClock("linear_with_warmup_scheduler", training)
    return _warmup_then_ramp(clock, t_warmup, t_max, scale_warmup, alpha_i, alpha_f, fs.linear)


@checked(*TRAINING, common=RULES)
def cosine_annealing_with_warmup_scheduler(
    t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0, scale_warmup: bool = False, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's CosineAnnealingWithWarmupScheduler: a warmup, then a cosine decay.

    ``t / t_warmup`` before `t_warmup`, then ``alpha_f + (1 - alpha_f) * (1 + cos(pi * u)) / 2`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or ``u = 0`` if ``t_max <= t_warmup``

    Args:
        t_warmup: length of the warmup (time string, in the unit of `t_max`; epochs and batches are one unit).
        t_max: end of the decay, including the warmup (time string, at least `max_duration`).
        alpha_f: final multiplier (float, at least 0).
        scale_warmup: whether `scale_schedule_ratio` also scales the ramp of the warmup (bool). In either case, the
            warmup ends at the unscaled `t_warmup`.
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import cosine_annealing_with_warmup_scheduler
        >>> schedule = cosine_annealing_with_warmup_scheduler(
        ...     "100ba", alpha_f=0.1, max_duration="1e9tok", tokens_per_batch=2**20
        ... )
        Traceback (most recent call last):
        ValueError: cosine_annealing_with_warmup_scheduler: `t_warmup` must be in 'tok', like `t_max`, got '100ba'
        >>> schedule = cosine_annealing_with_warmup_scheduler(
        ...     "1e8tok", alpha_f=0.1, max_duration="1e9tok", tokens_per_batch=2**20
        ... )
        >>> [round(schedule(step), 4) for step in (0, 48, 96, 953, 954)]
        [0.0, 0.5033, 1.0, 0.1, 0.1]

    Source: Composer 0.32.1, composer.optim.CosineAnnealingWithWarmupScheduler.
    """
    clock = TrainingClock("cosine_annealing_with_warmup_scheduler", training)
    return _warmup_then_ramp(clock, t_warmup, t_max, scale_warmup, 1.0, alpha_f, fs.cosine)


@checked(*TRAINING, common=RULES)
def polynomial_with_warmup_scheduler(
    t_warmup: str,
    power: float = 2.0,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's PolynomialWithWarmupScheduler: a warmup, then a polynomial decay.

    ``t / t_warmup`` before `t_warmup`, then ``alpha_f + (1 - alpha_f) * (1 - u) ** power`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or ``u = 0`` if ``t_max <= t_warmup``

    Args:
        t_warmup: length of the warmup (time string, in the unit of `t_max`; epochs and batches are one unit).
        power: exponent (float, above 0).
        t_max: end of the decay, including the warmup (time string, at least `max_duration`).
        alpha_f: final multiplier (float, at least 0).
        scale_warmup: whether `scale_schedule_ratio` also scales the ramp of the warmup (bool). In either case, the
            warmup ends at the unscaled `t_warmup`.
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import polynomial_with_warmup_scheduler
        >>> schedule = polynomial_with_warmup_scheduler("10ba", max_duration="110ba")
        >>> [schedule(step) for step in (0, 10, 60, 110)]
        [0.0, 1.0, 0.25, 0.0]

    Source: Composer 0.32.1, composer.optim.PolynomialWithWarmupScheduler.
    """
    clock = TrainingClock("polynomial_with_warmup_scheduler", training)
    return _warmup_then_ramp(clock, t_warmup, t_max, scale_warmup, 1.0, alpha_f, fs.reverse(fs.power(power)))


def _warmup(clock: TrainingClock, t_warmup: str, scale_warmup: bool) -> tuple[Time, int]:
    """The unscaled warmup, and the length of its ramp, which is scaled if `scale_warmup` is True."""
    warmup = clock.time("t_warmup", t_warmup, ratio=1.0)
    return warmup, clock.time("t_warmup", t_warmup).amount if scale_warmup else warmup.amount


def _warmup_then_ramp(
    clock: TrainingClock, t_warmup: str, t_max: str, scale_warmup: bool, peak: float, end: float, shape: fs.Shape
) -> fs.Schedule:
    """A warmup to `peak`, then a ramp to `end` at `t_max`."""
    warmup, ramp_length = _warmup(clock, t_warmup, scale_warmup)
    total = clock.time("t_max", t_max)
    if warmup.unit != total.unit:
        raise argument_error(clock.function, "t_warmup", f"in {total.unit!r}, like `t_max`", t_warmup)
    if clock.is_before_max_duration(total):
        requirement = f"at least `max_duration` ({clock.training['max_duration']!r})"
        raise argument_error(clock.function, "t_max", requirement, t_max)

    def build(boundary: int, ramp_steps: int, decay_steps: int) -> fs.Schedule:
        decay = fs.ramp(peak, end, steps=decay_steps, shape=shape) if decay_steps else fs.constant(peak)
        return fs.join([fs.ramp(0.0, peak, steps=ramp_steps), decay], [boundary])

    counts = warmup.amount, ramp_length, max(total.amount - warmup.amount, 0)
    # If the ramp is longer than the warmup, the rate jumps to the peak when the warmup ends.
    return clock.in_batches(warmup, build, *counts)
