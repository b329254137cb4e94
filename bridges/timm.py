"""Schedules of timm, under the names of its classes and of its factory.

A step is timm's ``t``: an epoch or an update, whichever the scheduler is stepped by. What decides that, or draws noise,
does not change the curve: `t_in_epochs` is not an argument here, and noise is refused, for it comes from the random
numbers of torch and not from the step alone. A group's `lr_scale` multiplies the rate, as it does in timm.

timm computes a rate when it is stepped and not before: without a warmup, t = 0 runs at `base_lr` itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from itertools import accumulate
from typing import Any, Literal

import funcsched as fs
from bridges.rated import Rated, chosen
from funcsched._check import (
    bend,
    length_now,
    level_now,
    one_of,
    positive,
    ratio,
    refuse,
    rule,
    sequence,
    truth,
    whole_now,
)


def cosine_lr_scheduler(
    base_lr: float,
    t_initial: int,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    k_decay: float = 1.0,
    noise_range_t: None = None,
) -> Rated:
    """timm's CosineLRScheduler: cosine decays, each longer or lower than the one before if wanted.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 + cos(pi * u**k_decay)) / 2`` in cycle i, with u the fraction of
    it; before that ``warmup_lr_init + (base_lr - warmup_lr_init) * t / warmup_t``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, a whole number of at least 1.
        lr_min: the rate at the end of each cycle, at least 0; held after the last.
        cycle_mul: how many times as long each cycle is as the one before: 1, from 1.001 to 1e6, or below that where all
            lengths are fractions with a common denominator of at most 64.
        cycle_decay: how many times as high, from 1e-30 to 1e30.
        cycle_limit: how many cycles, a whole number of at least 0.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup. By default they began at t = 0, and the rate jumps
            down where the warmup ends.
        k_decay: above 1 the rate stays high for longer, above 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where cycles change their length, timm finds the cycle by a logarithm, whose rounding can leave the first
    step of a cycle in the one before; there timm gives `lr_min`, and ours the new peak. With `cycle_mul` below 1, timm
    raises a ValueError from ``t_initial / (1 - cycle_mul)`` on, and ours holds `lr_min`.

    Example:
        >>> from bridges.timm import cosine_lr_scheduler
        >>> schedule, base_lr = cosine_lr_scheduler(0.5, 100, lr_min=0.05, warmup_t=10, warmup_prefix=True)
        >>> [base_lr * schedule(t) for t in (0, 10, 110, 111)]
        [0.0, 0.5, 0.05, 0.05]

    Source: timm 1.0.31, timm.scheduler.CosineLRScheduler.
    """
    return _cosine(_Given("cosine_lr_scheduler", locals()))


def tanh_lr_scheduler(
    base_lr: float,
    t_initial: int,
    lb: float = -7.0,
    ub: float = 3.0,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's TanhLRScheduler: decays along the hyperbolic tangent.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - tanh(lb + (ub - lb) * u)) / 2`` in cycle i, with u the
    fraction of it. Neither end is exact: by default a cycle starts 8e-7 below its peak and ends 2.5e-3 above `lr_min`.

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, a whole number of at least 1.
        lb: where on the tangent a cycle begins, from -40 to 40.
        ub: where it ends, above `lb`, from -40 to 40.
        lr_min: the rate after the last cycle, at least 0.
        cycle_mul: as in `cosine_lr_scheduler`, as all the following.
        cycle_decay: how many times as high each cycle is as the one before, from 1e-30 to 1e30.
        cycle_limit: how many cycles, a whole number of at least 0.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup, which then goes to `base_lr`. By default they began at
            t = 0, and the warmup goes to the rate that they have where it ends.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: as `cosine_lr_scheduler` does.

    Example:
        >>> from bridges.timm import tanh_lr_scheduler
        >>> schedule, base_lr = tanh_lr_scheduler(1.0, 100, lr_min=0.25)
        >>> [round(base_lr * schedule(t), 6) for t in (0, 70, 99, 100)]
        [0.999999, 0.625, 0.252264, 0.25]

    Source: timm 1.0.31, timm.scheduler.TanhLRScheduler.
    """
    return _tanh(_Given("tanh_lr_scheduler", locals()))


def poly_lr_scheduler(
    base_lr: float,
    t_initial: int,
    power: float = 0.5,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    k_decay: float = 1.0,
    noise_range_t: None = None,
) -> Rated:
    """timm's PolyLRScheduler: polynomial decays.

    ``lr_min + (base_lr * cycle_decay**i - lr_min) * (1 - u**k_decay) ** power`` in cycle i, with u the fraction of it

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the first cycle, a whole number of at least 1.
        power: above 0; above 1 a cycle ends flat.
        lr_min: the rate at the end of each cycle, at least 0; held after the last.
        cycle_mul: as in `cosine_lr_scheduler`, as all the following.
        cycle_decay: how many times as high each cycle is as the one before, from 1e-30 to 1e30.
        cycle_limit: how many cycles, a whole number of at least 0.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether the cycles begin after the warmup. By default they began at t = 0, and the rate jumps
            down where the warmup ends.
        k_decay: above 1 the rate stays high for longer, above 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: as `cosine_lr_scheduler` does.

    Example:
        >>> from bridges.timm import poly_lr_scheduler
        >>> schedule, base_lr = poly_lr_scheduler(0.5, 100, power=2.0)
        >>> [base_lr * schedule(t) for t in (0, 50, 100)]
        [0.5, 0.125, 0.0]

    Source: timm 1.0.31, timm.scheduler.PolyLRScheduler.
    """
    return _poly(_Given("poly_lr_scheduler", locals()))


def step_lr_scheduler(
    base_lr: float,
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's StepLRScheduler: the same factor after every `decay_t`.

    ``base_lr * decay_rate ** floor(t / decay_t)``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        decay_t: above 0, a whole number or a fraction with a denominator of at most 64, such as 2.4.
        decay_rate: the factor, from 1e-30 to 1.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether t is counted from the end of the warmup; unlike in the classes of cycles, it is.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where the float of a fraction is a little above it, timm's ``t // decay_t`` is one short at exact multiples
    (``11 // 1.1`` is 9), and the factor comes one step late there; ours comes at the multiple.

    Example:
        >>> from bridges.timm import step_lr_scheduler
        >>> schedule, base_lr = step_lr_scheduler(1.0, 2.4, 0.5, warmup_t=3)
        >>> [base_lr * schedule(t) for t in (0, 3, 5, 6, 7, 8)]
        [0.0, 1.0, 1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.StepLRScheduler.
    """
    return _step(_Given("step_lr_scheduler", locals()))


def multistep_lr_scheduler(
    base_lr: float,
    decay_t: Iterable[int],
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's MultiStepLRScheduler: the same factor at each of several steps, one step before each.

    ``base_lr * decay_rate ** (how many of decay_t are at most t + 1)``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        decay_t: whole numbers in order; one that stands there twice counts twice. 30 acts from t = 29 on.
        decay_rate: the factor, at least 0.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        warmup_prefix: whether t is counted from the end of the warmup; unlike in the classes of cycles, it is.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.timm import multistep_lr_scheduler
        >>> schedule, base_lr = multistep_lr_scheduler(1.0, [30, 60], 0.5)
        >>> [base_lr * schedule(t) for t in (28, 29, 58, 59)]
        [1.0, 0.5, 0.5, 0.25]

    Source: timm 1.0.31, timm.scheduler.MultiStepLRScheduler.
    """
    return _multistep(_Given("multistep_lr_scheduler", locals()))


def wsd_lr_scheduler(
    base_lr: float,
    t_initial: int,
    decay_t: int,
    lr_min: float = 0.0,
    stable_fn: Literal["constant", "rsqrt", "power"] = "constant",
    stable_timescale: float | None = None,
    stable_power: float = 0.5,
    decay_fn: str | Callable[[Any], Any] = "1-sqrt",
    decay_power: float = 0.5,
    decay_ratio: float = 0.1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    *,
    noise_range_t: None = None,
) -> Rated:
    """timm's WSDLRScheduler: a warmup, a stable phase and a decay.

    ``lr_min + (max(base_lr * stable(s), lr_min) - lr_min) * decay(u)``, with s counted from the end of the warmup and u
    the fraction of the last `decay_t` of `t_initial`; `stable` is 1, ``(1 + s / stable_timescale) ** -0.5`` or
    ``(1 + s / stable_timescale) ** -stable_power``

    Args:
        base_lr: the optimizer's learning rate, above 0.
        t_initial: the length of the stable phase and the decay, without the warmup, a whole number of at least 1.
        decay_t: the length of the decay, a whole number from 1 to `t_initial`.
        lr_min: the rate after the decay, at least 0.
        stable_fn: "constant", "rsqrt" or "power".
        stable_timescale: of the other two, above 0, a whole number or a fraction with a denominator of at most 64; by
            default `warmup_t`.
        stable_power: the exponent of "power", above 0.
        decay_fn: "linear" (``1 - u``), "1-sqrt" (``1 - sqrt(u)``), "cosine", "power" (``1 - u ** decay_power``), "exp"
            (``(decay_ratio ** u - decay_ratio) / (1 - decay_ratio)``), or a function of u that is 1 at 0 and 0 at 1 and
            runs on the arrays it will meet.
        decay_power: above 0.
        decay_ratio: between 0 and 1.
        warmup_t: the length of the warmup, a whole number of at least 0.
        warmup_lr_init: the rate at t = 0 with a warmup, at least 0.
        noise_range_t: None; noise is refused.

    Returns:
        The schedule, in units of t, and `base_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: after the end timm holds what a function as `decay_fn` gives at 1, ours `lr_min`.

    Example:
        >>> from bridges.timm import wsd_lr_scheduler
        >>> schedule, base_lr = wsd_lr_scheduler(0.5, 90, 20, warmup_t=10)
        >>> [base_lr * schedule(t) for t in (0, 5, 10, 80, 85, 100)]
        [0.0, 0.25, 0.5, 0.5, 0.25, 0.0]

    Source: timm 1.0.31, timm.scheduler.WSDLRScheduler.
    """
    return _wsd(_Given("wsd_lr_scheduler", locals()))


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
        updates_per_epoch: how many updates make an epoch, a whole number of at least 1, if not `step_on_epochs`.

    Returns:
        The schedule and `base_lr`: a step is an epoch, or an update if not `step_on_epochs`. timm's factory also
        returns how many epochs to train.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or no whole number of updates.

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
        raise refuse(function, "sched", "a function of the step, which 'plateau' is not: it follows a metric", sched)
    build: Callable[[_Given], Rated] = chosen(function, "sched", sched, _SCHEDS)
    if decay_epochs is None:
        values["decay_epochs"] = 0.2 if sched in ("wsd", "rsqrt") else 90
    unit = 1
    if not truth(function, "step_on_epochs", step_on_epochs):
        unit = length_now(function, "updates_per_epoch", updates_per_epoch)
    names = _NAMES | {"decay_t": "decay_milestones" if sched == "multistep" else "decay_epochs"}
    return build(_Given(function, values, names, unit))


# What the factory calls the arguments of the classes.
_NAMES = {
    "t_initial": "num_epochs",
    "lr_min": "min_lr",
    "power": "decay_rate",
    "warmup_t": "warmup_epochs",
    "warmup_lr_init": "warmup_lr",
    "noise_range_t": "noise",
}
_PARTS = 64  # into as many parts `stretch` divides a step exactly


class _Given:
    """The arguments of a call, each checked under the name that the caller knows it by."""

    def __init__(self, function: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None, unit: int = 1):
        self.function, self.values, self.names, self.unit = function, values, names or {}, unit
        self.base_lr: float = self("base_lr", positive)
        if self.value("noise_range_t") is not None:
            rule = "None: noise comes from random numbers and not from the step alone"
            raise self.refuse("noise_range_t", rule)

    def name(self, argument: str) -> str:
        return self.names.get(argument, argument)

    def value(self, argument: str) -> Any:
        return self.values[self.name(argument)]

    def __call__(self, argument: str, rule: Callable[[str, str, Any], Any]) -> Any:
        return rule(self.function, self.name(argument), self.value(argument))

    def share(self, argument: str) -> float:
        """A rate as a share of `base_lr`."""
        rate: float = self(argument, level_now) / self.base_lr
        return level_now(self.function, self.name(argument), rate)  # type: ignore[no-any-return]

    def steps(self, argument: str, rule: Callable[[str, str, Any], Any]) -> Any:
        """A time in steps."""
        return self(argument, self.in_steps(rule))

    def in_steps(self, rule: Callable[[str, str, Any], Any]) -> Callable[[str, str, Any], Any]:
        """The rule of a time which is given in epochs."""
        if self.unit == 1:
            return rule

        def check(function: str, argument: str, value: Any) -> Any:
            epochs = level_now(function, argument, value)
            return rule(function, f"{argument} * updates_per_epoch", epochs * self.unit)

        return check

    def refuse(self, argument: str, requirement: str) -> Exception:
        return refuse(self.function, self.name(argument), requirement, self.value(argument))


def _parts(function: str, argument: str, value: Any) -> tuple[int, int]:
    """The fraction that a float stands for."""
    number = positive(function, argument, value)
    fraction = Fraction(number).limit_denominator(_PARTS)
    if float(fraction) != number:
        raise refuse(function, argument, f"a whole number or a fraction with a denominator of at most {_PARTS}", value)
    return fraction.numerator, fraction.denominator


def _divided(schedule: fs.Schedule, parts: int) -> fs.Schedule:
    """A schedule whose steps are parts of ours."""
    return schedule if parts == 1 else fs.stretch(schedule, 1 / parts)


def _warmed(given: _Given, schedule: fs.Schedule, *, prefix: bool, peak: float = 1.0) -> Rated:
    """A schedule after a warmup to `peak`, or from there on."""
    steps, start = given.steps("warmup_t", whole_now), given.share("warmup_lr_init")
    if steps:
        rest = schedule if prefix else fs.shift(schedule, steps)
        schedule = fs.join([fs.ramp(start, peak, steps=steps), rest], [steps])
    return Rated(schedule, given.base_lr)


def _cycles(given: _Given, shape: Any, lower: float = -math.inf, upper: float = math.inf) -> fs.Schedule:
    """Decays that begin and end where the tangent stands at `lower` and `upper`."""
    end, limit, decay = given.share("lr_min"), given("cycle_limit", whole_now), given("cycle_decay", ratio)
    if limit == 0:
        return fs.constant(end)
    first, last = _falling(lower), _falling(upper)
    first_of_end, last_of_end = end * _falling(-lower), end * _falling(-upper)
    if limit == 1 or decay == 1:
        return _repeated(given, shape, first + first_of_end, last + last_of_end, end, limit)
    # The peaks shrink and the ends do not.
    peaks = _repeated(given, shape, first, last, 0.0, limit, decay)
    return fs.add(peaks, _repeated(given, shape, first_of_end, last_of_end, end, limit)) if end else peaks


def _falling(x: float) -> float:
    """(1 - tanh(x)) / 2"""
    return 0.0 if x == math.inf else 1.0 / (1.0 + math.exp(2.0 * x))


def _repeated(
    given: _Given, shape: Any, start: float, stop: float, held: float, limit: int, decay: float = 1.0
) -> fs.Schedule:
    def cycle(steps: int) -> fs.Schedule:
        ramp = fs.ramp(start, stop, steps=steps, shape=shape)
        return ramp if stop == held else fs.join([ramp, fs.constant(held)], [steps])

    length, growth = given.steps("t_initial", length_now), given("cycle_mul", _growth)
    if limit == 1:
        return cycle(length)
    if growth == 1 or growth >= 1.001:
        return fs.repeat(cycle(length), length, limit, growth, decay)
    lengths, parts = _lengths(given, length, growth, limit)
    counts = [int(steps * parts) for steps in lengths]
    cycles = [fs.scale(cycle(count), decay**i) if decay != 1 else cycle(count) for i, count in enumerate(counts)]
    return _divided(fs.join(cycles, accumulate(counts[:-1])), parts)


_growth = rule("a number above 0 and at most 1e6", 0, 1e6, above=True)


def _lengths(given: _Given, length: int, growth: float, limit: int) -> tuple[list[Fraction], int]:
    """The lengths of cycles that shrink, and their common denominator."""
    factor = Fraction(growth).limit_denominator(1000)
    lengths, parts = [Fraction(length)], 1
    while len(lengths) < limit and parts <= _PARTS:
        lengths.append(lengths[-1] * factor)
        parts = math.lcm(parts, lengths[-1].denominator)
    if parts > _PARTS or float(factor) != growth:
        requirement = f"1, from 1.001 to 1e6, or such that all lengths have a common denominator of at most {_PARTS}"
        raise given.refuse("cycle_mul", requirement)
    return lengths, parts


def _cosine(given: _Given) -> Rated:
    cycles = _cycles(given, _k_decay(given, fs.cosine))
    return _warmed(given, cycles, prefix=given("warmup_prefix", truth))


def _k_decay(given: _Given, shape: fs.Shape) -> fs.Shape:
    exponent = given("k_decay", positive)
    return shape if exponent == 1 else fs.compose(shape, fs.power(exponent))


def _tanh(given: _Given) -> Rated:
    lower, upper = given("lb", bend), given("ub", bend)
    if lower >= upper:
        raise given.refuse("lb", f"below `ub` ({upper!r})")
    cycles, prefix = _cycles(given, fs.tanh(lower, upper), lower, upper), given("warmup_prefix", truth)
    peak = 1.0 if prefix else cycles(given.steps("warmup_t", whole_now))
    return _warmed(given, cycles, prefix=prefix, peak=peak)


def _poly(given: _Given) -> Rated:
    cycles = _cycles(given, _k_decay(given, fs.reverse(fs.power(given("power", positive)))))
    return _warmed(given, cycles, prefix=given("warmup_prefix", truth))


def _step(given: _Given) -> Rated:
    period, parts = given.steps("decay_t", _parts)
    decay = _divided(fs.step_decay(period, given("decay_rate", _factor)), parts)
    return _warmed(given, decay, prefix=given("warmup_prefix", truth))


_factor = rule("a number from 1e-30 to 1", 1e-30, 1)


def _multistep(given: _Given) -> Rated:
    rate = given("decay_rate", level_now)
    milestones = given("decay_t", partial(sequence, rule=given.in_steps(whole_now), of="whole numbers"))
    if list(milestones) != sorted(milestones):
        raise given.refuse("decay_t", "in order")
    steps = Counter(max(milestone - 1, 0) for milestone in milestones)
    decay = fs.piecewise_constant(list(steps), factors=[rate**count for count in steps.values()])
    return _warmed(given, decay, prefix=given("warmup_prefix", truth))


def _wsd(given: _Given) -> Rated:
    length, decay = given.steps("t_initial", length_now), given.steps("decay_t", length_now)
    if decay > length:
        raise given.refuse("decay_t", f"at most `t_initial` ({length})")
    stable_fn = given("stable_fn", one_of("constant", "rsqrt", "power"))
    return _stable_then_decay(given, length - decay, decay, stable_fn, given.value("decay_fn"))


def _wsd_of_epochs(given: _Given, stable_fn: str, decay_fn: str) -> Rated:
    """wsd of the factory, where the warmup may belong to the length, and the decay be a share of what is left."""
    length = given.steps("t_initial", length_now)
    if not given("warmup_prefix", truth):
        length -= given.steps("warmup_t", whole_now)
    if length < 1:
        raise given.refuse("t_initial", f"above `warmup_epochs` ({given.value('warmup_t')!r})")
    part = given("decay_t", positive)
    decay = round(part * length if part < 1 else part * given.unit)
    if not 1 <= decay <= length:
        raise given.refuse("decay_t", f"a length of 1 to {length} steps")
    return _stable_then_decay(given, length - decay, decay, stable_fn, given.value("decay_fn") or decay_fn)


def _stable_then_decay(given: _Given, stable: int, decay: int, stable_fn: str, decay_fn: Any) -> Rated:
    shape, end = _decay_shape(given, decay_fn), given.share("lr_min")
    if stable_fn == "constant" and end <= 1:
        warmup, start = given.steps("warmup_t", whole_now), given.share("warmup_lr_init")
        schedule = fs.warmup_stable_decay(warmup, stable, decay, start=start, end=end, decay_shape=shape)
        return Rated(schedule, given.base_lr)
    height = _stable(given, stable_fn)
    down = fs.join([fs.constant(), fs.ramp(1.0, 0.0, steps=decay, shape=shape)], [stable])
    if end == 0:
        return _warmed(given, fs.product(height, down), prefix=True)
    up = fs.join([fs.constant(0.0), fs.ramp(0.0, end, steps=decay, shape=shape)], [stable])
    return _warmed(given, fs.add(fs.product(fs.maximum(height, end), down), up), prefix=True)


def _stable(given: _Given, stable_fn: str) -> fs.Schedule:
    if stable_fn == "constant":
        return fs.constant()
    if given.value("stable_timescale") is not None:
        timescale, parts = given.steps("stable_timescale", _parts)
    else:
        timescale, parts = given.steps("warmup_t", whole_now), 1
    if timescale == 0:
        raise given.refuse("stable_timescale", "given where there is no warmup")
    exponent = 0.5 if stable_fn == "rsqrt" else given("stable_power", positive)
    return _divided(fs.inverse_power(timescale, exponent), parts)


def _decay_shape(given: _Given, decay_fn: Any) -> Any:
    if callable(decay_fn):
        return partial(_left, decay_fn)
    return chosen(given.function, "decay_fn", decay_fn, _DECAYS)(given)


def _left(decay_fn: Callable[[Any], Any], fraction: Any) -> Any:
    return 1.0 - decay_fn(fraction)


_below_one = rule("a number from 1e-30 to below 1", 1e-30, 1 - 2**-53)
_DECAYS: dict[str, Callable[[_Given], fs.Shape]] = {
    "linear": lambda given: fs.linear,
    "1-sqrt": lambda given: fs.sqrt,
    "cosine": lambda given: fs.cosine,
    "power": lambda given: fs.power(given("decay_power", positive)),
    "exp": lambda given: fs.exponential(given("decay_ratio", _below_one)),
}
_SCHEDS: dict[str, Callable[[_Given], Rated]] = {
    "cosine": _cosine,
    "tanh": _tanh,
    "poly": _poly,
    "step": _step,
    "multistep": _multistep,
    "wsd": partial(_wsd_of_epochs, stable_fn="constant", decay_fn="1-sqrt"),
    "rsqrt": partial(_wsd_of_epochs, stable_fn="rsqrt", decay_fn="linear"),
    "constant": lambda given: _warmed(given, fs.constant(), prefix=True),
    "none": lambda given: Rated(fs.constant(), given.base_lr),
}
