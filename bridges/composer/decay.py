"""Composer's schedulers without a warmup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

import funcsched as fs
from funcsched.core.validation import concrete_level, number_rule, positive, sequence

if TYPE_CHECKING:
    from typing_extensions import Unpack


from bridges.composer.time import Training, TrainingClock


def step_scheduler(step_size: str, gamma: float = 0.1, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's StepScheduler: the same factor after every `step_size`.

    ``gamma ** floor(t / step_size)``

    Args:
        step_size: a time; in samples or tokens, a fraction of batches with a denominator of at most 64.
        gamma: the factor, from 1e-30 to 1.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import step_scheduler
        >>> schedule = step_scheduler("30ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 299, 300)]
        [1.0, 1.0, 0.1]

    Source: Composer 0.32.1, composer.optim.StepScheduler.
    """
    clock = TrainingClock("step_scheduler", training)
    factor = clock.check(_factor, "gamma", gamma)
    size = clock.length("step_size", step_size)
    return clock.in_batches(size, lambda n: fs.step_decay(n, factor), size.value, jumps=True)


def multi_step_scheduler(milestones: Iterable[str], gamma: float = 0.1, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's MultiStepScheduler: the same factor at each of several times.

    ``gamma ** (how many milestones are at most t)``

    Args:
        milestones: times, of any units and in any order; one that stands there twice counts twice.
        gamma: the factor, at least 0.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import multi_step_scheduler
        >>> schedule = multi_step_scheduler(["30ep", "0.5dur"], 0.5, max_duration="100ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (299, 300, 499, 500)]
        [1.0, 0.5, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.MultiStepScheduler.
    """
    return multi_step(TrainingClock("multi_step_scheduler", training), milestones, gamma)


def constant_scheduler(alpha: float = 1.0, t_max: str = "1dur", **training: Unpack[Training]) -> fs.Schedule:
    """Composer's ConstantScheduler: a multiplier, and 1 from `t_max` on.

    Args:
        alpha: the multiplier below `t_max`, at least 0.
        t_max: a time.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import constant_scheduler
        >>> schedule = constant_scheduler(0.5, "10ba")
        >>> [schedule(step) for step in (9, 10)]
        [0.5, 1.0]

    Source: Composer 0.32.1, composer.optim.ConstantScheduler.
    """
    clock = TrainingClock("constant_scheduler", training)
    level, end = clock.check(concrete_level, "alpha", alpha), clock.first(clock.time("t_max", t_max))
    return fs.piecewise_constant([end], levels=[level, 1.0])


def linear_scheduler(
    alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur", **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's LinearScheduler: a straight line.

    ``alpha_i + (alpha_f - alpha_i) * min(t / t_max, 1)``

    Args:
        alpha_i: the first multiplier, at least 0.
        alpha_f: the last, at least 0.
        t_max: a time.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Differs: with a `t_max` of 0 Composer divides by 0, and ours is at `alpha_f`; so in all that have a `t_max`.

    Example:
        >>> from bridges.composer import linear_scheduler
        >>> schedule = linear_scheduler(max_duration="5120sp", samples_per_batch=256)
        >>> [schedule(step) for step in (0, 5, 10, 20)]
        [1.0, 0.75, 0.5, 0.0]

    Source: Composer 0.32.1, composer.optim.LinearScheduler.
    """
    clock = TrainingClock("linear_scheduler", training)
    first, last = clock.check(concrete_level, "alpha_i", alpha_i), clock.check(concrete_level, "alpha_f", alpha_f)
    return ramp(clock, t_max, first, last, fs.linear)


def exponential_scheduler(gamma: float, decay_period: str = "1ep", **training: Unpack[Training]) -> fs.Schedule:
    """Composer's ExponentialScheduler: the same factor in every `decay_period`.

    ``gamma ** (t / decay_period)``

    Args:
        gamma: the factor, from 1e-30 to 1.
        decay_period: a time.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import exponential_scheduler
        >>> schedule = exponential_scheduler(0.25, batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10)]
        [1.0, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.ExponentialScheduler.
    """
    clock = TrainingClock("exponential_scheduler", training)
    factor = clock.check(_factor, "gamma", gamma)
    period = clock.length("decay_period", decay_period)
    return clock.in_batches(period, lambda n: fs.exponential_decay(factor, n), period.value)


def cosine_annealing_scheduler(t_max: str = "1dur", alpha_f: float = 0.0, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's CosineAnnealingScheduler: a cosine decay.

    ``alpha_f + (1 - alpha_f) * (1 + cos(pi * min(t / t_max, 1))) / 2``

    Args:
        t_max: a time.
        alpha_f: the last multiplier, at least 0.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import cosine_annealing_scheduler
        >>> cosine_annealing_scheduler(max_duration="90ep", batches_per_epoch=100)
        ramp(start=1.0, stop=0.0, steps=9000, shape=cosine)

    Source: Composer 0.32.1, composer.optim.CosineAnnealingScheduler.
    """
    clock = TrainingClock("cosine_annealing_scheduler", training)
    return ramp(clock, t_max, 1.0, clock.check(concrete_level, "alpha_f", alpha_f), fs.cosine)


def cosine_annealing_warm_restarts_scheduler(
    t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's CosineAnnealingWarmRestartsScheduler: cosine decays, each longer or shorter than the one before.

    ``alpha_f + (1 - alpha_f) * (1 + cos(pi u)) / 2`` with u the fraction of a cycle. Each is `t_mult` times as long as
    the one before, rounded down to whole batches, samples or tokens.

    Args:
        t_0: the length of the first cycle, a time; in samples or tokens, all are fractions of batches with a common
            denominator of at most 64.
        t_mult: above 0, at most 1e6.
        alpha_f: the end of each cycle, at least 0.
        training: the keywords of `Training`; `max_duration` is needed where `t_mult` is not whole.

    Returns:
        A schedule; without an end where `t_mult` is whole, or else up to the end of the cycle in which the training
        ends, after which `alpha_f` is held.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Differs: where cycles shrink to a length of 0, Composer raises a ValueError, and ours holds `alpha_f`.

    Example:
        >>> from bridges.composer import cosine_annealing_warm_restarts_scheduler
        >>> schedule = cosine_annealing_warm_restarts_scheduler("5ba", 1.5, max_duration="30ba")
        >>> [round(schedule(step), 3) for step in (0, 4, 5, 11, 12, 22, 23)]  # 5, 7, 10, 15 batches
        [1.0, 0.095, 1.0, 0.05, 1.0, 1.0, 0.989]

    Source: Composer 0.32.1, composer.optim.CosineAnnealingWarmRestartsScheduler.
    """
    clock = TrainingClock("cosine_annealing_warm_restarts_scheduler", training)
    end, growth = clock.check(concrete_level, "alpha_f", alpha_f), clock.check(_growth, "t_mult", t_mult)
    first = clock.length("t_0", t_0)
    equal = int(growth * first.value) == first.value

    def cycle(steps: int) -> fs.Schedule:
        return fs.ramp(1.0, end, steps=steps, shape=fs.cosine)

    def endless(steps: int) -> fs.Schedule:
        return fs.repeat(cycle(steps), steps, period_factor=1.0 if equal else growth)

    def counted(*lengths: int) -> fs.Schedule:
        return fs.join([cycle(steps) for steps in lengths], accumulate(lengths[:-1]))

    if equal or growth == int(growth):
        return clock.in_batches(first, endless, first.value, jumps=True)
    lengths, total = [first.value], clock.last(first)
    while sum(lengths) < total and (following := int(growth * lengths[-1])):
        lengths.append(following)
    return clock.in_batches(first, counted, *lengths, jumps=True)


def polynomial_scheduler(
    power: float, t_max: str = "1dur", alpha_f: float = 0.0, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's PolynomialScheduler: a polynomial decay.

    ``alpha_f + (1 - alpha_f) * (1 - min(t / t_max, 1)) ** power``

    Args:
        power: above 0.
        t_max: a time.
        alpha_f: the last multiplier, at least 0.
        training: the keywords of `Training`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    Example:
        >>> from bridges.composer import polynomial_scheduler
        >>> schedule = polynomial_scheduler(2.0, "100ba")
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.25, 0.0]

    Source: Composer 0.32.1, composer.optim.PolynomialScheduler.
    """
    clock = TrainingClock("polynomial_scheduler", training)
    shape = fs.reverse(fs.power(clock.check(positive, "power", power)))
    return ramp(clock, t_max, 1.0, clock.check(concrete_level, "alpha_f", alpha_f), shape)


def ramp(clock: TrainingClock, t_max: str, first: float, last: float, shape: fs.Shape) -> fs.Schedule:
    time = clock.time("t_max", t_max)
    return clock.in_batches(time, lambda n: fs.ramp(first, last, steps=n, shape=shape), time.value)


def multi_step(clock: TrainingClock, milestones: Iterable[str], gamma: float) -> fs.Schedule:
    factor = clock.check(concrete_level, "gamma", gamma)
    times = sequence(clock.function, "milestones", milestones, lambda _, name, text: clock.time(name, text), "times")
    steps = sorted(Counter(map(clock.first, times)).items())
    return fs.piecewise_constant([step for step, _ in steps], factors=[factor**count for _, count in steps])


_factor = number_rule("a number from 1e-30 to 1", 1e-30, 1)
_growth = number_rule("a number above 0 and at most 1e6", 0, 1e6, above=True)
