"""Composer's schedulers with a warmup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import funcsched as fs
from funcsched.core.validation import argument_error, boolean, concrete_level, positive

if TYPE_CHECKING:
    from typing_extensions import Unpack


from bridges.composer.decay import multi_step
from bridges.composer.time import Time, Training, TrainingClock


def multi_step_with_warmup_scheduler(
    t_warmup: str,
    milestones: Iterable[str],
    gamma: float = 0.1,
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's MultiStepWithWarmupScheduler: a warmup, then the same factor at each of several times.

    ``t / t_warmup`` below `t_warmup`, then ``gamma ** (how many milestones are at most t)``; milestones are counted
    from the beginning, and those in the warmup from its end on

    Args:
        t_warmup: a time.
        milestones: times, of any units and in any order; one that stands there twice counts twice.
        gamma: the factor, at least 0.
        scale_warmup: whether `scale_schedule_ratio` also scales the warmup: its slope, for it ends where it did.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import multi_step_with_warmup_scheduler
        >>> schedule = multi_step_with_warmup_scheduler("10ba", ["30ba", "60ba"], 0.5)
        >>> [schedule(step) for step in (0, 5, 10, 30, 60)]
        [0.0, 0.5, 1.0, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.MultiStepWithWarmupScheduler.
    """
    clock = TrainingClock("multi_step_with_warmup_scheduler", training)
    warmup, rising = _warmup(clock, t_warmup, scale_warmup)
    rise = clock.in_batches(warmup, lambda n: fs.ramp(0.0, 1.0, steps=n), rising)
    first = clock.first(warmup)
    return fs.join([rise, fs.shift(multi_step(clock, milestones, gamma), first)], [first])


def constant_with_warmup_scheduler(
    t_warmup: str, alpha: float = 1.0, t_max: str = "1dur", scale_warmup: bool = False, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's ConstantWithWarmupScheduler: a warmup to a multiplier, which is then held.

    ``alpha * t / t_warmup`` below `t_warmup`, then `alpha`, also after `t_max`

    Args:
        t_warmup: a time, of the same unit as `t_max`; epochs and shares of epochs are batches.
        alpha: at least 0.
        t_max: a time, at least `max_duration`.
        scale_warmup: whether `scale_schedule_ratio` also scales the warmup: its slope, for it ends where it did.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import constant_with_warmup_scheduler
        >>> schedule = constant_with_warmup_scheduler("1ep", 0.5, max_duration="9ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10, 90)]
        [0.0, 0.25, 0.5, 0.5]

    Source: Composer 0.32.1, composer.optim.ConstantWithWarmupScheduler.
    """
    clock = TrainingClock("constant_with_warmup_scheduler", training)
    level = clock.check(concrete_level, "alpha", alpha)
    return _warmed(clock, t_warmup, t_max, scale_warmup, level, level, fs.linear)


def linear_with_warmup_scheduler(
    t_warmup: str,
    alpha_i: float = 1.0,
    alpha_f: float = 0.0,
    t_max: str = "1dur",
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's LinearWithWarmupScheduler: a warmup, then a straight line.

    ``alpha_i * t / t_warmup`` below `t_warmup`, then ``alpha_i + (alpha_f - alpha_i) * u`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or 0 where `t_max` is no longer than the warmup

    Args:
        t_warmup: a time, of the same unit as `t_max`; epochs and shares of epochs are batches.
        alpha_i: the multiplier after the warmup, at least 0.
        alpha_f: the last, at least 0.
        t_max: a time, with the warmup; at least `max_duration`.
        scale_warmup: whether `scale_schedule_ratio` also scales the warmup: its slope, for it ends where it did.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import linear_with_warmup_scheduler
        >>> schedule = linear_with_warmup_scheduler("0.1dur", max_duration="10ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10, 55, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]

    Source: Composer 0.32.1, composer.optim.LinearWithWarmupScheduler.
    """
    clock = TrainingClock("linear_with_warmup_scheduler", training)
    first, last = clock.check(concrete_level, "alpha_i", alpha_i), clock.check(concrete_level, "alpha_f", alpha_f)
    return _warmed(clock, t_warmup, t_max, scale_warmup, first, last, fs.linear)


def cosine_annealing_with_warmup_scheduler(
    t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0, scale_warmup: bool = False, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's CosineAnnealingWithWarmupScheduler: a warmup, then a cosine decay.

    ``t / t_warmup`` below `t_warmup`, then ``alpha_f + (1 - alpha_f) * (1 + cos(pi u)) / 2`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or 0 where `t_max` is no longer than the warmup

    Args:
        t_warmup: a time, of the same unit as `t_max`; epochs and shares of epochs are batches.
        t_max: a time, with the warmup; at least `max_duration`.
        alpha_f: the last multiplier, at least 0.
        scale_warmup: whether `scale_schedule_ratio` also scales the warmup: its slope, for it ends where it did.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import cosine_annealing_with_warmup_scheduler
        >>> schedule = cosine_annealing_with_warmup_scheduler(
        ...     "100ba", alpha_f=0.1, max_duration="1e9tok", tokens_per_batch=2**20
        ... )
        Traceback (most recent call last):
        ValueError: cosine_annealing_with_warmup_scheduler: `t_warmup` must be in 'tok', as `t_max` is, got '100ba'
        >>> schedule = cosine_annealing_with_warmup_scheduler(
        ...     "1e8tok", alpha_f=0.1, max_duration="1e9tok", tokens_per_batch=2**20
        ... )
        >>> [round(schedule(step), 4) for step in (0, 48, 96, 953, 954)]
        [0.0, 0.5033, 1.0, 0.1, 0.1]

    Source: Composer 0.32.1, composer.optim.CosineAnnealingWithWarmupScheduler.
    """
    clock = TrainingClock("cosine_annealing_with_warmup_scheduler", training)
    end = clock.check(concrete_level, "alpha_f", alpha_f)
    return _warmed(clock, t_warmup, t_max, scale_warmup, 1.0, end, fs.cosine)


def polynomial_with_warmup_scheduler(
    t_warmup: str,
    power: float = 2.0,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_warmup: bool = False,
    **training: Unpack[Training],
) -> fs.Schedule:
    """Composer's PolynomialWithWarmupScheduler: a warmup, then a polynomial decay.

    ``t / t_warmup`` below `t_warmup`, then ``alpha_f + (1 - alpha_f) * (1 - u) ** power`` with
    ``u = min((t - t_warmup) / (t_max - t_warmup), 1)``, or 0 where `t_max` is no longer than the warmup

    Args:
        t_warmup: a time, of the same unit as `t_max`; epochs and shares of epochs are batches.
        power: above 0.
        t_max: a time, with the warmup; at least `max_duration`.
        alpha_f: the last multiplier, at least 0.
        scale_warmup: whether `scale_schedule_ratio` also scales the warmup: its slope, for it ends where it did.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import polynomial_with_warmup_scheduler
        >>> schedule = polynomial_with_warmup_scheduler("10ba", max_duration="110ba")
        >>> [schedule(step) for step in (0, 10, 60, 110)]
        [0.0, 1.0, 0.25, 0.0]

    Source: Composer 0.32.1, composer.optim.PolynomialWithWarmupScheduler.
    """
    clock = TrainingClock("polynomial_with_warmup_scheduler", training)
    shape, end = (
        fs.reverse(fs.power(clock.check(positive, "power", power))),
        clock.check(concrete_level, "alpha_f", alpha_f),
    )
    return _warmed(clock, t_warmup, t_max, scale_warmup, 1.0, end, shape)


def _warmup(clock: TrainingClock, t_warmup: str, scale_warmup: bool) -> tuple[Time, int]:
    """The warmup, and how long it would take to rise to the end."""
    scaled, warmup = clock.check(boolean, "scale_warmup", scale_warmup), clock.time("t_warmup", t_warmup, 1.0)
    return warmup, clock.time("t_warmup", t_warmup).value if scaled else warmup.value


def _warmed(
    clock: TrainingClock, t_warmup: str, t_max: str, scale_warmup: bool, first: float, last: float, shape: fs.Shape
) -> fs.Schedule:
    """A warmup to a level, and a ramp from there."""
    (warmup, rising), end = _warmup(clock, t_warmup, scale_warmup), clock.time("t_max", t_max)
    if warmup.unit != end.unit:
        raise argument_error(clock.function, "t_warmup", f"in {end.unit!r}, as `t_max` is", t_warmup)
    if clock.too_short(end):
        raise argument_error(
            clock.function, "t_max", f"at least `max_duration` ({clock.training['max_duration']!r})", t_max
        )

    def build(boundary: int, up: int, down: int) -> fs.Schedule:
        ramp = fs.ramp(first, last, steps=down, shape=shape) if down else fs.constant(first)
        return fs.join([fs.ramp(0.0, first, steps=up), ramp], [boundary])

    down = max(end.value - warmup.value, 0)
    return clock.in_batches(warmup, build, warmup.value, rising, down, jumps=rising > warmup.value)
