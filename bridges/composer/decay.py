"""Composer's schedulers without warmup."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.composer.time import TRAINING, Training, TrainingClock
from bridges.compositions import multiply_at
from funcsched.core.validation import number_rule, positive, ratio_up_to_one, sequence

if TYPE_CHECKING:
    from typing_extensions import Unpack

_t_mult = number_rule("a number above 0 and at most 1e6", 0, 1e6, above=True)
RULES = BY_TYPE | {"power": positive, "t_mult": _t_mult}


@checked(*TRAINING, gamma=ratio_up_to_one)
def step_scheduler(step_size: str, gamma: float = 0.1, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's StepScheduler: multiply by `gamma` after every `step_size`.

    ``gamma ** floor(t / step_size)``

    Args:
        step_size: interval between decays (time string, above 0).
        gamma: factor of each decay (float, 1e-30 to 1).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import step_scheduler
        >>> schedule = step_scheduler("30ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 299, 300)]
        [1.0, 1.0, 0.1]

    Source: Composer 0.32.1, composer.optim.StepScheduler.
    """
    clock = TrainingClock("step_scheduler", training)
    size = clock.positive_time("step_size", step_size)
    return clock.in_batches(size, lambda n: fs.step_decay(n, gamma), size.amount)


@checked(*TRAINING, common=RULES)
def multi_step_scheduler(milestones: Iterable[str], gamma: float = 0.1, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's MultiStepScheduler: multiply by `gamma` at each milestone.

    ``gamma ** (number of milestones <= t)``

    Args:
        milestones: times of the decays (time strings, in any units and order). A repeated milestone counts twice.
        gamma: factor of each decay (float, at least 0).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import multi_step_scheduler
        >>> schedule = multi_step_scheduler(["30ep", "0.5dur"], 0.5, max_duration="100ep", batches_per_epoch=10)
        >>> [schedule(step) for step in (299, 300, 499, 500)]
        [1.0, 0.5, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.MultiStepScheduler.
    """
    return multi_step_decay(TrainingClock("multi_step_scheduler", training), milestones, gamma)


@checked(*TRAINING, common=RULES)
def constant_scheduler(alpha: float = 1.0, t_max: str = "1dur", **training: Unpack[Training]) -> fs.Schedule:
    """Composer's ConstantScheduler: a constant multiplier until `t_max`, then 1.

    ``alpha if t < t_max else 1``

    Args:
        alpha: multiplier before `t_max` (float, at least 0).
        t_max: time at which the multiplier becomes 1 (time string).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import constant_scheduler
        >>> schedule = constant_scheduler(0.5, "10ba")
        >>> [schedule(step) for step in (9, 10)]
        [0.5, 1.0]

    Source: Composer 0.32.1, composer.optim.ConstantScheduler.
    """
    clock = TrainingClock("constant_scheduler", training)
    return fs.piecewise_constant([clock.first_batch(clock.time("t_max", t_max))], levels=[alpha, 1.0])


@checked(*TRAINING, common=RULES)
def linear_scheduler(
    alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur", **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's LinearScheduler: a linear ramp.

    ``alpha_i + (alpha_f - alpha_i) * min(t / t_max, 1)``

    Args:
        alpha_i: initial multiplier (float, at least 0).
        alpha_f: final multiplier (float, at least 0).
        t_max: length of the ramp (time string).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Differs: if `t_max` is 0, Composer divides by 0; here the multiplier is `alpha_f`. The same holds for the cosine
    and polynomial schedulers.

    Example:
        >>> from bridges.composer import linear_scheduler
        >>> schedule = linear_scheduler(max_duration="5120sp", samples_per_batch=256)
        >>> [schedule(step) for step in (0, 5, 10, 20)]
        [1.0, 0.75, 0.5, 0.0]

    Source: Composer 0.32.1, composer.optim.LinearScheduler.
    """
    return _ramp(TrainingClock("linear_scheduler", training), t_max, alpha_i, alpha_f, fs.linear)


@checked(*TRAINING, gamma=ratio_up_to_one)
def exponential_scheduler(gamma: float, decay_period: str = "1ep", **training: Unpack[Training]) -> fs.Schedule:
    """Composer's ExponentialScheduler: an exponential decay by `gamma` per `decay_period`.

    ``gamma ** (t / decay_period)``

    Args:
        gamma: factor per period (float, 1e-30 to 1).
        decay_period: length of a period (time string, above 0).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import exponential_scheduler
        >>> schedule = exponential_scheduler(0.25, batches_per_epoch=10)
        >>> [schedule(step) for step in (0, 5, 10)]
        [1.0, 0.5, 0.25]

    Source: Composer 0.32.1, composer.optim.ExponentialScheduler.
    """
    clock = TrainingClock("exponential_scheduler", training)
    period = clock.positive_time("decay_period", decay_period)
    return clock.in_batches(period, lambda n: fs.exponential_decay(gamma, n), period.amount)


@checked(*TRAINING, common=RULES)
def cosine_annealing_scheduler(t_max: str = "1dur", alpha_f: float = 0.0, **training: Unpack[Training]) -> fs.Schedule:
    """Composer's CosineAnnealingScheduler: a cosine decay.

    ``alpha_f + (1 - alpha_f) * (1 + cos(pi * min(t / t_max, 1))) / 2``

    Args:
        t_max: length of the decay (time string).
        alpha_f: final multiplier (float, at least 0).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import cosine_annealing_scheduler
        >>> cosine_annealing_scheduler(max_duration="90ep", batches_per_epoch=100)
        ramp(start=1.0, stop=0.0, steps=9000, shape=cosine)

    Source: Composer 0.32.1, composer.optim.CosineAnnealingScheduler.
    """
    return _ramp(TrainingClock("cosine_annealing_scheduler", training), t_max, 1.0, alpha_f, fs.cosine)


@checked(*TRAINING, common=RULES)
def cosine_annealing_warm_restarts_scheduler(
    t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's CosineAnnealingWarmRestartsScheduler: cosine decays with warm restarts.

    ``alpha_f + (1 - alpha_f) * (1 + cos(pi * u)) / 2``, where u is the elapsed fraction of a cycle. Each cycle is
    `t_mult` times as long as the previous one, rounded down to an integer number of batches, samples or tokens.

    Args:
        t_0: length of the first cycle (time string, above 0).
        t_mult: ratio of the lengths of successive cycles (float, above 0, at most 1e6).
        alpha_f: multiplier at the end of each cycle (float, at least 0).
        **training: the fields of `Training`. `max_duration` is required if `t_mult` is not an integer.

    Returns:
        A schedule whose step is a batch. If `t_mult` is an integer, it restarts indefinitely. Otherwise it ends with
        the cycle in which training ends, and then holds `alpha_f`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Differs: once cycles have shrunk to a length of 0, Composer raises ValueError; here `alpha_f` is held.

    Example:
        >>> from bridges.composer import cosine_annealing_warm_restarts_scheduler
        >>> schedule = cosine_annealing_warm_restarts_scheduler("5ba", 1.5, max_duration="30ba")
        >>> [round(schedule(step), 3) for step in (0, 4, 5, 11, 12, 22, 23)]  # 5, 7, 10, 15 batches
        [1.0, 0.095, 1.0, 0.05, 1.0, 1.0, 0.989]

    Source: Composer 0.32.1, composer.optim.CosineAnnealingWarmRestartsScheduler.
    """
    clock = TrainingClock("cosine_annealing_warm_restarts_scheduler", training)
    first = clock.positive_time("t_0", t_0)
    if int(t_mult * first.amount) == first.amount:
        t_mult = 1.0  # Composer rounds each length down, so the cycles never grow

    def repeated(steps: int) -> fs.Schedule:
        return fs.cosine_restarts(steps, period_factor=t_mult, end=alpha_f)

    def joined(*lengths: int) -> fs.Schedule:
        cycles = [fs.ramp(1.0, alpha_f, steps=steps, shape=fs.cosine) for steps in lengths]
        return fs.join(cycles, accumulate(lengths[:-1]))

    if t_mult == int(t_mult):
        return clock.in_batches(first, repeated, first.amount)
    total = clock.max_duration_in_unit_of(first, "if `t_mult` is not an integer")
    lengths = [first.amount]
    while sum(lengths) < total and (length := int(t_mult * lengths[-1])):
        lengths.append(length)
    return clock.in_batches(first, joined, *lengths)


@checked(*TRAINING, common=RULES)
def polynomial_scheduler(
    power: float, t_max: str = "1dur", alpha_f: float = 0.0, **training: Unpack[Training]
) -> fs.Schedule:
    """Composer's PolynomialScheduler: a polynomial decay.

    ``alpha_f + (1 - alpha_f) * (1 - min(t / t_max, 1)) ** power``

    Args:
        power: exponent (float, above 0).
        t_max: length of the decay (time string).
        alpha_f: final multiplier (float, at least 0).
        **training: the fields of `Training`.

    Returns:
        A schedule whose step is a batch.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or a required one is missing.

    Example:
        >>> from bridges.composer import polynomial_scheduler
        >>> schedule = polynomial_scheduler(2.0, "100ba")
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.25, 0.0]

    Source: Composer 0.32.1, composer.optim.PolynomialScheduler.
    """
    shape = fs.reverse(fs.power(power))
    return _ramp(TrainingClock("polynomial_scheduler", training), t_max, 1.0, alpha_f, shape)


def _ramp(clock: TrainingClock, t_max: str, start: float, stop: float, shape: fs.Shape) -> fs.Schedule:
    """A ramp from step 0 to `t_max`."""
    time = clock.time("t_max", t_max)
    return clock.in_batches(time, lambda n: fs.ramp(start, stop, steps=n, shape=shape), time.amount)


def multi_step_decay(clock: TrainingClock, milestones: Iterable[str], gamma: float) -> fs.Schedule:
    """The decay of both multi-step schedulers."""
    times = sequence(clock.function, "milestones", milestones, lambda _, name, text: clock.time(name, text), "times")
    return multiply_at(map(clock.first_batch, times), gamma)
