"""Schedules of DeepSpeed, by the names of its json configuration.

DeepSpeed's engine steps a scheduler after the optimizer, and a scheduler begins one step before 0: update k runs with
``last_batch_iteration = k - 1``, so that the first two updates of a warmup run at its minimum. Schedules here count
updates: `step` is the number of updates made, and the rate is that of the engine's run at this update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

import funcsched as fs
from bridges.rated import Rated, call_by_name, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    optional,
    positive,
)

# An unending straight line must stop somewhere: at the last step that an int32 counts.
_HORIZON = 2**31 - 1


def _joined(pieces: list[tuple[int, Schedule]]) -> Schedule:
    """Schedules from the step that each begins at; one at whose first step the next begins is left out."""
    begun = dict(pieces)
    return fs.join(list(begun.values()), list(begun)[1:])


def _peak(function: str, argument: str, value: float | None, lr: float | None) -> float:
    if value is not None:
        return float(positive(function, argument, value))
    if lr is None:
        raise argument_error(function, argument, "given, or `lr`, the learning rate of the optimizer", None)
    return float(positive(function, "lr", lr))


def _log(start: float, steps: int) -> Schedule:
    return fs.ramp(start, 1.0, steps=steps - 1, shape=fs.log)


def _linear(start: float, steps: int) -> Schedule:
    return fs.ramp(start, 1.0, steps=steps)


_WARMUPS: dict[str, Callable[[float, int], Schedule]] = {"log": _log, "linear": _linear}


def _warmup(function: str, start: float, steps: Any, kind: Any) -> tuple[int, Schedule]:
    """The length and the rise, on the clock of `last_batch_iteration`."""
    length = max(2, concrete_positive_int(function, "warmup_num_steps", steps))
    return length, choose(function, "warmup_type", kind, _WARMUPS)(start, length)


def warmup_lr(
    *,
    warmup_min_lr: float = 0.0,
    warmup_max_lr: float | None = None,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
    lr: float | None = None,
) -> Rated:
    """DeepSpeed's `WarmupLR`: a warmup, and the rate it arrives at.

    ``warmup_min_lr + (warmup_max_lr - warmup_min_lr) * f`` with ``f = log(step) / log(W)`` (log) or ``(step - 1) / W``
    (linear) for ``1 <= step <= W``, ``W = max(2, warmup_num_steps)``; `warmup_min_lr` at step 0, `warmup_max_lr` later

    Args:
        warmup_min_lr: the rate of the first two updates, at least 0.
        warmup_max_lr: the rate after the warmup, above 0; without it, `lr`.
        warmup_num_steps: an integer of at least 1; 1 counts as 2.
        warmup_type: "log" or "linear". DeepSpeed takes any other for "log", with a warning; here it is refused.
        lr: the learning rate of the optimizer, above 0.

    Returns:
        A schedule on the clock of updates, and `warmup_max_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.deepspeed import warmup_lr
        >>> schedule, peak_value = warmup_lr(warmup_max_lr=0.5, warmup_num_steps=4, warmup_type="linear")
        >>> [peak_value * schedule(step) for step in (0, 1, 2, 4, 5, 6)]
        [0.0, 0.0, 0.125, 0.375, 0.5, 0.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    peak = _peak("warmup_lr", "warmup_max_lr", warmup_max_lr, lr)
    start = concrete_level("warmup_lr", "warmup_min_lr", warmup_min_lr) / peak
    _, warmup = _warmup("warmup_lr", start, warmup_num_steps, warmup_type)
    return Rated(_joined([(0, fs.constant(start)), (1, warmup)]), peak)


def warmup_decay_lr(
    *,
    total_num_steps: int,
    warmup_min_lr: float = 0.0,
    warmup_max_lr: float | None = 0.001,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
    lr: float | None = None,
) -> Rated:
    """DeepSpeed's `WarmupDecayLR`: a warmup and a linear decay, back to where the warmup began.

    ``warmup_min_lr + (warmup_max_lr - warmup_min_lr) * f``, f up to ``W = max(2, warmup_num_steps)`` that of
    `warmup_lr`, then ``max(0, (total_num_steps - (step - 1)) / max(1, total_num_steps - W))``

    Args:
        total_num_steps: the length with the warmup, an integer. Not above the length of the warmup, it makes the
            rate drop to `warmup_min_lr` after the warmup.
        warmup_min_lr: the rate of the first two updates and of the end, at least 0.
        warmup_max_lr: the rate after the warmup, above 0; None stands for `lr`.
        warmup_num_steps: an integer of at least 1; 1 counts as 2.
        warmup_type: "log" or "linear". DeepSpeed takes any other for "log", with a warning; here it is refused.
        lr: the learning rate of the optimizer, above 0.

    Returns:
        A schedule on the clock of updates, and `warmup_max_lr`; its end comes at update ``total_num_steps + 1``.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.deepspeed import warmup_decay_lr
        >>> schedule, peak_value = warmup_decay_lr(
        ...     total_num_steps=8, warmup_max_lr=0.5, warmup_num_steps=4, warmup_type="linear")
        >>> [peak_value * schedule(step) for step in (1, 4, 5, 7, 8, 9, 10)]
        [0.0, 0.375, 0.5, 0.25, 0.125, 0.0, 0.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    name = "warmup_decay_lr"
    peak = _peak(name, "warmup_max_lr", warmup_max_lr, lr)
    start = concrete_level(name, "warmup_min_lr", warmup_min_lr) / peak
    length, warmup = _warmup(name, start, warmup_num_steps, warmup_type)
    total = concrete_nonnegative_int(name, "total_num_steps", total_num_steps)
    decay = fs.ramp(1.0, start, steps=max(0, total - length))
    return Rated(_joined([(0, fs.constant(start)), (1, warmup), (length + 1, decay)]), peak)


def warmup_cosine_lr(
    *,
    lr: float,
    total_num_steps: int,
    warmup_min_ratio: float = 0.0,
    warmup_num_steps: int = 1000,
    cos_min_ratio: float = 0.0001,
    warmup_type: str = "log",
) -> Rated:
    """DeepSpeed's `WarmupCosineLR`: a warmup and a cosine decay, in shares of the optimizer's rate.

    0 at step 0; ``warmup_min_ratio + (1 - warmup_min_ratio) * f`` up to ``W = max(2, warmup_num_steps)``, with the f of
    `warmup_lr`; then ``cos_min_ratio + (1 - cos_min_ratio) * (1 + cos(pi u)) / 2`` with
    ``u = min(1, (step - W) / max(1, total_num_steps - W))``

    Args:
        lr: the learning rate of the optimizer, above 0.
        total_num_steps: the length with the warmup, an integer. Not above the length of the warmup, it makes the
            rate drop to the end after the warmup.
        warmup_min_ratio: where the warmup begins at update 1, at least 0; update 0 has rate 0 in any case.
        warmup_num_steps: an integer of at least 1; 1 counts as 2.
        cos_min_ratio: where the decay ends, at least 0.
        warmup_type: "log" or "linear". DeepSpeed takes any other for "log", with a warning; here it is refused.

    Returns:
        A schedule on the clock of updates, and `lr`. The decay is one step ahead of the warmup: a linear warmup never
        arrives at `lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.deepspeed import warmup_cosine_lr
        >>> schedule, peak_value = warmup_cosine_lr(
        ...     lr=0.5, total_num_steps=6, warmup_num_steps=4, warmup_type="linear", cos_min_ratio=0.0)
        >>> [round(peak_value * schedule(step), 12) for step in (0, 1, 4, 5, 6, 7)]
        [0.0, 0.0, 0.375, 0.25, 0.0, 0.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    name = "warmup_cosine_lr"
    peak = float(positive(name, "lr", lr))
    start, end = (
        concrete_level(name, "warmup_min_ratio", warmup_min_ratio),
        concrete_level(name, "cos_min_ratio", cos_min_ratio),
    )
    length, warmup = _warmup(name, start, warmup_num_steps, warmup_type)
    total = concrete_nonnegative_int(name, "total_num_steps", total_num_steps)
    decay = fs.shift(fs.ramp(1.0, end, steps=max(0, total - length), shape=fs.cosine), 1)
    return Rated(_joined([(0, fs.constant(0.0)), (1, warmup), (length + 1, decay)]), peak)


class _Cycle:
    """The arguments that give the shape of the one cycle, checked."""

    def __init__(self, name: str, first: Any, second: Any, first_stairs: Any, second_stairs: Any, decay: Any) -> None:
        self.first = concrete_positive_int(name, "cycle_first_step_size", first)
        self.second = optional(concrete_nonnegative_int)(name, "cycle_second_step_size", second)
        self.second = self.first if self.second is None else self.second
        self.first_stairs = concrete_nonnegative_int(name, "cycle_first_stair_count", first_stairs)
        self.second_stairs = optional(concrete_nonnegative_int)(name, "cycle_second_stair_count", second_stairs)
        self.second_stairs = self.first_stairs if self.second_stairs is None else self.second_stairs
        self.decay_steps = concrete_nonnegative_int(name, "decay_step_size", decay)
        self.total = self.first + self.second

    def pieces(self, low: float, high: float) -> list[tuple[int, Schedule]]:
        """From low to high and back."""
        return [
            (0, _rise(low, high, self.first, self.first_stairs)),
            (self.first, _fall(low, high, self.second, self.second_stairs)),
        ]


def _stair(low: float, high: float, number: int, count: int) -> float:
    return high if number == count else low + (high - low) * (number / count)


def _rise(low: float, high: float, steps: int, stairs: int) -> Schedule:
    if not stairs:
        return fs.ramp(low, high, steps=steps)
    begun = {-(-number * steps // stairs): _stair(low, high, number, stairs) for number in range(stairs + 1)}
    return fs.piecewise_constant(list(begun)[1:], levels=begun.values())


def _fall(low: float, high: float, steps: int, stairs: int) -> Schedule:
    """On stairs, each is left as soon as less than its height remains."""
    if not stairs:
        return fs.ramp(high, low, steps=steps)
    begun = {0: high}
    for number in reversed(range(stairs)):
        begun[steps + 1 - -(-(number + 1) * steps // stairs)] = _stair(low, high, number, stairs)
    return fs.piecewise_constant(list(begun)[1:], levels=begun.values())


_SLOPE = "0 or a number from 1e-30 to 1e30"
_slope = number_rule(_SLOPE, 0, 1e30)


def _rate(function: str, argument: str, value: Any) -> float:
    rate: float = _slope(function, argument, value)
    if 0 < rate < 1e-30:
        raise argument_error(function, argument, _SLOPE, value)
    return rate


def _growing(rate: float, steps: int) -> Schedule:
    """``1 + rate * step / steps``"""
    return fs.ramp(1.0, 1.0 + rate * (_HORIZON / steps), steps=_HORIZON) if rate else fs.constant()


def one_cycle(
    *,
    cycle_min_lr: float,
    cycle_max_lr: float,
    decay_lr_rate: float = 0.0,
    cycle_first_step_size: int = 2000,
    cycle_second_step_size: int | None = None,
    cycle_first_stair_count: int = 0,
    cycle_second_stair_count: int | None = None,
    decay_step_size: int = 0,
    cycle_momentum: bool = True,
    cycle_min_mom: float = 0.8,
    cycle_max_mom: float = 0.9,
    decay_mom_rate: float = 0.0,
) -> Rated:
    """The learning rate of DeepSpeed's `OneCycle`: up, down, and then a decay in inverse time.

    From `cycle_min_lr` to `cycle_max_lr` over `cycle_first_step_size`, back over `cycle_second_step_size`, then
    ``cycle_min_lr / (1 + decay_lr_rate * (step - total) / decay_step_size)`` with the sum `total` of the two; with
    stairs, the heights are rounded down to integers of them

    Args:
        cycle_min_lr: the rate at update 0, at least 0.
        cycle_max_lr: the rate at update `cycle_first_step_size`, above 0.
        decay_lr_rate: how fast the decay is, 0 or from 1e-30 to 1e30; 0 holds `cycle_min_lr`.
        cycle_first_step_size: the length of the way up, an integer of at least 1.
        cycle_second_step_size: the length of the way down, an integer; by default that of the way up. With 0 the
            rate drops where it would have been highest.
        cycle_first_stair_count: the number of stairs of the way up, an integer; 0 is a straight line.
        cycle_second_stair_count: that of the way down; by default that of the way up.
        decay_step_size: the unit of the rate of the decay, an integer; 0 holds `cycle_min_lr`.
        cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate: those of `one_cycle_momentum`, which takes the
            same configuration; the learning rate does not depend on them.

    Returns:
        A schedule on the clock of updates, and `cycle_max_lr`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.deepspeed import one_cycle
        >>> schedule, peak_value = one_cycle(
        ...     cycle_min_lr=0.25, cycle_max_lr=0.5, cycle_first_step_size=4, cycle_second_step_size=8,
        ...     decay_step_size=10, decay_lr_rate=1.0)
        >>> [peak_value * schedule(step) for step in (0, 2, 4, 8, 12, 22)]
        [0.25, 0.375, 0.5, 0.375, 0.25, 0.125]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    name = "one_cycle"
    peak = float(positive(name, "cycle_max_lr", cycle_max_lr))
    low = concrete_level(name, "cycle_min_lr", cycle_min_lr) / peak
    rate = _rate(name, "decay_lr_rate", decay_lr_rate)
    cycle = _Cycle(
        name,
        cycle_first_step_size,
        cycle_second_step_size,
        cycle_first_stair_count,
        cycle_second_stair_count,
        decay_step_size,
    )
    _check_momentum(name, cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate)
    tail = fs.constant(low)
    if rate and cycle.decay_steps:
        tail = fs.scale(fs.inverse_time(rate, cycle.decay_steps), low)
    return Rated(_joined([*cycle.pieces(low, 1.0), (cycle.total, tail)]), peak)


def _check_momentum(name: str, cycled: Any, lowest: Any, highest: Any, rate: Any) -> tuple[float, float, float]:
    boolean(name, "cycle_momentum", cycled)
    low, high = concrete_level(name, "cycle_min_mom", lowest), positive(name, "cycle_max_mom", highest)
    return low, high, _rate(name, "decay_mom_rate", rate)


def one_cycle_momentum(
    *,
    cycle_first_step_size: int = 2000,
    cycle_second_step_size: int | None = None,
    cycle_first_stair_count: int = 0,
    cycle_second_stair_count: int | None = None,
    decay_step_size: int = 0,
    cycle_momentum: bool = True,
    cycle_min_mom: float = 0.8,
    cycle_max_mom: float = 0.9,
    decay_mom_rate: float = 0.0,
    cycle_min_lr: float | None = None,
    cycle_max_lr: float | None = None,
    decay_lr_rate: float = 0.0,
) -> Rated:
    """The momentum (the first of `betas`) of DeepSpeed's `OneCycle`, which goes against the learning rate.

    `cycle_min_mom` at step 0; then from `cycle_max_mom` down to `cycle_min_mom` over `cycle_first_step_size`, back
    over `cycle_second_step_size`, and ``cycle_max_mom * (1 + decay_mom_rate * (step - total) / decay_step_size)`` with
    the sum `total` of the two; with stairs as in `one_cycle`

    Args:
        cycle_first_step_size, cycle_second_step_size, cycle_first_stair_count, cycle_second_stair_count: as in
            `one_cycle`.
        decay_step_size: the unit of the rate after the cycle, an integer; 0 holds `cycle_max_mom`.
        cycle_momentum: whether DeepSpeed sets the momentum at all; without that there is no schedule.
        cycle_min_mom: the lowest momentum, at least 0.
        cycle_max_mom: the momentum at the end of the cycle, above 0.
        decay_mom_rate: how fast it grows afterwards, 0 or from 1e-30 to 1e30. It grows without an end, as in
            DeepSpeed, and past 1.
        cycle_min_lr, cycle_max_lr, decay_lr_rate: those of `one_cycle`, which takes the same configuration; the
            momentum does not depend on them.

    Returns:
        A schedule on the clock of updates, and `cycle_max_mom`: ``peak_value * schedule(step)`` is the momentum.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or `cycle_momentum` is False.

    Differs: from step 2**31 - 1 after the cycle on the growth stops.

    Example:
        >>> from bridges.deepspeed import one_cycle_momentum
        >>> schedule, peak_value = one_cycle_momentum(cycle_first_step_size=4, cycle_min_mom=0.5, cycle_max_mom=1.0)
        >>> [peak_value * schedule(step) for step in (0, 1, 2, 4, 6, 8, 9)]
        [0.5, 0.875, 0.75, 0.5, 0.75, 1.0, 1.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    name = "one_cycle_momentum"
    cycle = _Cycle(
        name,
        cycle_first_step_size,
        cycle_second_step_size,
        cycle_first_stair_count,
        cycle_second_stair_count,
        decay_step_size,
    )
    lowest, peak, rate = _check_momentum(name, cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate)
    if not cycle_momentum:
        raise argument_error(
            name, "cycle_momentum", "True (DeepSpeed leaves the momentum alone without it)", cycle_momentum
        )
    (_, rise), fall = cycle.pieces(1.0, lowest / peak)
    tail = _growing(rate, cycle.decay_steps) if cycle.decay_steps else fs.constant()
    pieces = [(0, fs.constant(lowest / peak)), (1, fs.shift(rise, 1)), fall, (cycle.total, tail)]
    return Rated(_joined(pieces), peak)


def lr_range_test(
    *,
    lr_range_test_min_lr: float = 1e-3,
    lr_range_test_step_size: int = 2000,
    lr_range_test_step_rate: float = 1.0,
    lr_range_test_staircase: bool = False,
    total_num_steps: int | None = None,
) -> Rated:
    """DeepSpeed's `LRRangeTest`: a rate that grows in a straight line, or in stairs.

    ``lr_range_test_min_lr * (1 + lr_range_test_step_rate * step / lr_range_test_step_size)``, with
    `lr_range_test_staircase` of the quotient rounded down

    Args:
        lr_range_test_min_lr: the rate at update 0, above 0.
        lr_range_test_step_size: an integer of at least 1.
        lr_range_test_step_rate: 0 or from 1e-30 to 1e30.
        lr_range_test_staircase: whether the rate changes at the multiples of the step size alone.
        total_num_steps: an argument of this library: the last update that the test will make, an integer; the rate
            is held after it. It must be given for a staircase, which has a level for each stair.

    Returns:
        A schedule on the clock of updates, and `lr_range_test_min_lr`, of which the multipliers are at least 1.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: DeepSpeed's rate has no end; ours is held from `total_num_steps` on, or from step 2**31 - 1.

    Example:
        >>> from bridges.deepspeed import lr_range_test
        >>> schedule, peak_value = lr_range_test(lr_range_test_min_lr=0.5, lr_range_test_step_size=10)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 100)]
        [0.5, 0.75, 1.0, 5.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    name = "lr_range_test"
    lowest = float(positive(name, "lr_range_test_min_lr", lr_range_test_min_lr))
    size = concrete_positive_int(name, "lr_range_test_step_size", lr_range_test_step_size)
    rate = _rate(name, "lr_range_test_step_rate", lr_range_test_step_rate)
    total = optional(concrete_nonnegative_int)(name, "total_num_steps", total_num_steps)
    if boolean(name, "lr_range_test_staircase", lr_range_test_staircase):
        if total is None:
            raise argument_error(name, "total_num_steps", "given for a staircase (its stairs are counted)", None)
        stairs = range(1, total // size + 1)
        levels = [1.0, *(1.0 + rate * stair for stair in stairs)]
        return Rated(fs.piecewise_constant([stair * size for stair in stairs], levels=levels), lowest)
    schedule = _growing(rate, size)
    return Rated(schedule if total is None else fs.ramp(1.0, 1.0 + rate * (total / size), steps=total), lowest)


_TYPES: dict[str, Callable[..., Rated]] = {
    "LRRangeTest": lr_range_test,
    "OneCycle": one_cycle,
    "WarmupLR": warmup_lr,
    "WarmupDecayLR": warmup_decay_lr,
    "WarmupCosineLR": warmup_cosine_lr,
}


def from_config(config: Mapping[str, Any], *, lr: float | None = None) -> Rated:
    """The "scheduler" section of a DeepSpeed configuration.

    Args:
        config: ``{"type": ..., "params": {...}}`` with the type "LRRangeTest", "OneCycle", "WarmupLR",
            "WarmupDecayLR" or "WarmupCosineLR", and the arguments of the function here that is named after it. One
            number stands for each; a list with one for each parameter group is refused.
        lr: the learning rate of the optimizer: "WarmupCosineLR" needs it, and "WarmupLR" without `warmup_max_lr`. The
            others set their own, and `lr` is without effect.

    Returns:
        A schedule on the clock of updates, and its peak value; of "OneCycle" the learning rate (`one_cycle_momentum`
        is the momentum).

    Raises:
        TypeError, ValueError: the type or an argument does not exist or is out of its range.

    Example:
        >>> from bridges.deepspeed import from_config
        >>> config = {"type": "WarmupLR", "params": {"warmup_num_steps": 4, "warmup_type": "linear"}}
        >>> schedule, peak_value = from_config(config, lr=0.5)
        >>> [peak_value * schedule(step) for step in (0, 1, 3, 5)]
        [0.0, 0.0, 0.25, 0.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    if not isinstance(config, Mapping):
        raise argument_error("from_config", "config", "a mapping with 'type' and 'params'", config, TypeError)
    section: dict[str, Any] = call_by_name("from_config", dict, ["type", "params"], config)
    build = choose("from_config", "type", section.get("type"), _TYPES)
    params = section.get("params") or {}
    names = [name for name in signature(build).parameters if name != "lr"]
    takes_lr = lr is not None and "lr" in signature(build).parameters
    rated: Rated = call_by_name(build.__name__, partial(build, lr=lr) if takes_lr else build, names, params)
    return rated
