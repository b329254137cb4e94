"""Schedules of MosaicML Composer, under the names of its classes, with its time strings.

Composer asks a scheduler for the multiplier after every batch: a step is a batch. Its times count epochs ("10ep"),
batches ("500ba"), samples ("64sp"), tokens ("1e6tok") or shares of the training ("0.1dur"); what it takes to turn them
into batches is `Training`, the last arguments of every function here. Times between two batches stay where they are.

Composer multiplies the schedulers of a list: so does `product`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import funcsched as fs
from funcsched._check import length_now, level_now, positive, refuse, rule, sequence, truth, whole_now
from funcsched.numerics.number_system import MAX_COUNT

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Training(TypedDict, total=False):
    """What a scheduler of Composer reads from the state of its trainer: keywords of every function here.

    max_duration: the length of the training, a time but no share. Shares need it, and `t_max` after a warmup must be as
        long where the two can be compared.
    batches_per_epoch: the length of the dataloader, a whole number of at least 1. Epochs need it.
    samples_per_batch: from 1 to 10**9. Samples need it, and every batch is taken to have as many.
    tokens_per_batch: the same for tokens.
    scale_schedule_ratio: the trainer's, above 0, by default 1: all times are multiplied by it and rounded down,
        `max_duration` before shares of it are taken.

    Example:
        >>> from bridges.composer import Training, linear_scheduler
        >>> training: Training = {"max_duration": "10ep", "batches_per_epoch": 10}
        >>> linear_scheduler(t_max="0.5dur", **training)
        ramp(start=1.0, stop=0.0, steps=50)
    """

    max_duration: str
    batches_per_epoch: int
    samples_per_batch: int
    tokens_per_batch: int
    scale_schedule_ratio: float


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
    clock = _Clock("step_scheduler", training)
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
    return _multi_step(_Clock("multi_step_scheduler", training), milestones, gamma)


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
    clock = _Clock("constant_scheduler", training)
    level, end = clock.check(level_now, "alpha", alpha), clock.first(clock.time("t_max", t_max))
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
    clock = _Clock("linear_scheduler", training)
    first, last = clock.check(level_now, "alpha_i", alpha_i), clock.check(level_now, "alpha_f", alpha_f)
    return _ramp(clock, t_max, first, last, fs.linear)


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
    clock = _Clock("exponential_scheduler", training)
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
    clock = _Clock("cosine_annealing_scheduler", training)
    return _ramp(clock, t_max, 1.0, clock.check(level_now, "alpha_f", alpha_f), fs.cosine)


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
    clock = _Clock("cosine_annealing_warm_restarts_scheduler", training)
    end, growth = clock.check(level_now, "alpha_f", alpha_f), clock.check(_growth, "t_mult", t_mult)
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
    clock = _Clock("polynomial_scheduler", training)
    shape = fs.reverse(fs.power(clock.check(positive, "power", power)))
    return _ramp(clock, t_max, 1.0, clock.check(level_now, "alpha_f", alpha_f), shape)


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
    clock = _Clock("multi_step_with_warmup_scheduler", training)
    warmup, rising = _warmup(clock, t_warmup, scale_warmup)
    rise = clock.in_batches(warmup, lambda n: fs.ramp(0.0, 1.0, steps=n), rising)
    first = clock.first(warmup)
    return fs.join([rise, fs.shift(_multi_step(clock, milestones, gamma), first)], [first])


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
    clock = _Clock("constant_with_warmup_scheduler", training)
    level = clock.check(level_now, "alpha", alpha)
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
    clock = _Clock("linear_with_warmup_scheduler", training)
    first, last = clock.check(level_now, "alpha_i", alpha_i), clock.check(level_now, "alpha_f", alpha_f)
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
    clock = _Clock("cosine_annealing_with_warmup_scheduler", training)
    end = clock.check(level_now, "alpha_f", alpha_f)
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
    clock = _Clock("polynomial_with_warmup_scheduler", training)
    shape, end = fs.reverse(fs.power(clock.check(positive, "power", power))), clock.check(level_now, "alpha_f", alpha_f)
    return _warmed(clock, t_warmup, t_max, scale_warmup, 1.0, end, shape)


class _Time(NamedTuple):
    """A time in batches, samples or tokens, and the argument that it was given by."""

    argument: str
    text: str
    value: int
    unit: str


class _Clock:
    """What turns the times of a call into batches."""

    def __init__(self, function: str, training: Mapping[str, Any]) -> None:
        self.function, self.training = function, training
        known = list(Training.__annotations__)
        for name, value in training.items():
            if name not in known:
                takes = ", ".join(f"`{key}`" for key in known)
                raise TypeError(f"{function}: no argument `{name}` (got {value!r}); of the training it takes {takes}")
        self.ratio: float = self.check(positive, "scale_schedule_ratio", training.get("scale_schedule_ratio", 1.0))

    def check(self, rule: Callable[[str, str, Any], Any], argument: str, value: Any) -> Any:
        return rule(self.function, argument, value)

    def time(self, argument: str, text: str, ratio: float | None = None) -> _Time:
        number, unit = self.check(_time, argument, text)
        if unit == "dur":
            total, unit = self.end(argument, text)
            if unit == "ep":
                number, unit = number * self._epoch("max_duration"), "ba"
            count = int(number * total)
        else:
            if unit == "ep":
                number, unit = number * self._epoch(argument), "ba"
            count = int(number * (self.ratio if ratio is None else ratio))
        return _Time(argument, text, self.check(whole_now, argument, count), unit)

    def length(self, argument: str, text: str) -> _Time:
        """A time above 0."""
        time = self.time(argument, text)
        if time.value == 0:
            raise refuse(self.function, argument, "a time above 0", text)
        return time

    def end(self, argument: str, text: str) -> tuple[int, str]:
        """The length of the training, which an argument needs."""
        number, unit = self._needed("max_duration", f"for `{argument}` {text!r}", _length)
        total = int(number * self.ratio)
        if total == 0:
            raise refuse(self.function, "max_duration", "a time above 0", self.training["max_duration"])
        return total, unit

    def last(self, time: _Time) -> int:
        """The end of the training in the unit of a time."""
        count, unit = self.end(time.argument, time.text)
        if unit == "ep":
            count, unit = count * self._epoch("max_duration"), "ba"
        if unit == time.unit:
            return count
        batches = self.first(_Time("max_duration", self.training["max_duration"], count, unit))
        return batches * self._per_batch(time)

    def too_short(self, time: _Time) -> bool:
        """Whether a time is before the end of the training, where Composer compares them."""
        if self.training.get("max_duration") is None:
            return False
        count, unit = self.end(time.argument, time.text)
        if unit == "ep" and time.unit == "ba" and self.training.get("batches_per_epoch") is not None:
            count, unit = count * self._epoch("max_duration"), "ba"
        return unit == time.unit and time.value < count

    def first(self, time: _Time) -> int:
        """The first batch at or after a time."""
        return -(-time.value // self._per_batch(time))

    def in_batches(
        self, time: _Time, build: Callable[..., fs.Schedule], *counts: int, jumps: bool = False
    ) -> fs.Schedule:
        """What is built of counts in the unit of a time, on batches."""
        per_batch = self._per_batch(time)
        shared = math.gcd(per_batch, *counts)
        parts = per_batch // shared
        if jumps and parts > _PARTS:
            requirement = f"a fraction of batches with a denominator of at most {_PARTS}"
            raise refuse(self.function, time.argument, requirement, time.text)
        schedule = build(*(count // shared for count in counts))
        return schedule if parts == 1 else fs.stretch(schedule, 1 / parts)

    def _epoch(self, argument: str) -> int:
        batches: int = self._needed("batches_per_epoch", f"for `{argument}` in epochs", length_now)
        return batches

    def _per_batch(self, time: _Time) -> int:
        if time.unit == "ba":
            return 1
        name = {"sp": "samples_per_batch", "tok": "tokens_per_batch"}[time.unit]
        count: int = self._needed(name, f"for `{time.argument}` {time.text!r}", _count)
        return count

    def _needed(self, name: str, purpose: str, rule: Callable[[str, str, Any], Any]) -> Any:
        value = self.training.get(name)
        if value is None:
            raise refuse(self.function, name, f"given {purpose}", None)
        return self.check(rule, name, value)


def _times(*units: str) -> Callable[[str, str, Any], tuple[float, str]]:
    """The rule of a time string: its number, which is whole but for shares, and its unit."""
    examples = [_EXAMPLES[unit] for unit in units]
    requirement = f"a time such as {', '.join(examples[:-1])} or {examples[-1]}"

    def check(function: str, argument: str, text: Any) -> tuple[float, str]:
        if not isinstance(text, str):
            raise refuse(function, argument, requirement, text, TypeError)
        match = re.fullmatch(f"(.+)({'|'.join(units)})", text, re.IGNORECASE)
        try:
            number = float(match[1]) if match else math.nan
        except ValueError:
            number = math.nan
        if match is None or not 0 <= number <= MAX_COUNT:
            raise refuse(function, argument, requirement, text)
        unit = match[2].lower()
        if unit == "dur":
            return number, unit
        if number != int(number):
            raise refuse(function, argument, requirement, text)
        return int(number), unit

    return check


_EXAMPLES = {"ep": "'10ep'", "ba": "'500ba'", "sp": "'64sp'", "tok": "'1e6tok'", "dur": "'0.1dur'"}
_time, _length = _times("ep", "ba", "sp", "tok", "dur"), _times("ep", "ba", "sp", "tok")


def _ramp(clock: _Clock, t_max: str, first: float, last: float, shape: fs.Shape) -> fs.Schedule:
    time = clock.time("t_max", t_max)
    return clock.in_batches(time, lambda n: fs.ramp(first, last, steps=n, shape=shape), time.value)


def _multi_step(clock: _Clock, milestones: Iterable[str], gamma: float) -> fs.Schedule:
    factor = clock.check(level_now, "gamma", gamma)
    times = sequence(clock.function, "milestones", milestones, lambda _, name, text: clock.time(name, text), "times")
    steps = sorted(Counter(map(clock.first, times)).items())
    return fs.piecewise_constant([step for step, _ in steps], factors=[factor**count for _, count in steps])


def _warmup(clock: _Clock, t_warmup: str, scale_warmup: bool) -> tuple[_Time, int]:
    """The warmup, and how long it would take to rise to the end."""
    scaled, warmup = clock.check(truth, "scale_warmup", scale_warmup), clock.time("t_warmup", t_warmup, 1.0)
    return warmup, clock.time("t_warmup", t_warmup).value if scaled else warmup.value


def _warmed(
    clock: _Clock, t_warmup: str, t_max: str, scale_warmup: bool, first: float, last: float, shape: fs.Shape
) -> fs.Schedule:
    """A warmup to a level, and a ramp from there."""
    (warmup, rising), end = _warmup(clock, t_warmup, scale_warmup), clock.time("t_max", t_max)
    if warmup.unit != end.unit:
        raise refuse(clock.function, "t_warmup", f"in {end.unit!r}, as `t_max` is", t_warmup)
    if clock.too_short(end):
        raise refuse(clock.function, "t_max", f"at least `max_duration` ({clock.training['max_duration']!r})", t_max)

    def build(boundary: int, up: int, down: int) -> fs.Schedule:
        ramp = fs.ramp(first, last, steps=down, shape=shape) if down else fs.constant(first)
        return fs.join([fs.ramp(0.0, first, steps=up), ramp], [boundary])

    down = max(end.value - warmup.value, 0)
    return clock.in_batches(warmup, build, warmup.value, rising, down, jumps=rising > warmup.value)


_factor = rule("a number from 1e-30 to 1", 1e-30, 1)
_growth = rule("a number above 0 and at most 1e6", 0, 1e6, above=True)
_count = rule("a whole number from 1 to 10**9", 1, 10**9, int)
_PARTS = 64  # into as many parts `stretch` divides a step exactly
