"""DeepSpeed's OneCycle and LRRangeTest."""

from __future__ import annotations

from typing import Any

import funcsched as fs
from bridges.deepspeed.scheduler_type import join_phases, scheduler_type
from bridges.rated import Rated
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_nonnegative,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    optional,
    positive,
)

# A ramp needs a last step. Unbounded growth stops at the largest step that an int32 can hold.
_HORIZON = 2**31 - 1


class _Cycle:
    """The validated numbers of steps and stairs of OneCycle. A ramp with 0 stairs is linear."""

    def __init__(
        self, function: str, first: Any, second: Any, first_stairs: Any, second_stairs: Any, decay_steps: Any
    ) -> None:
        second = first if second is None else second
        second_stairs = first_stairs if second_stairs is None else second_stairs
        self.first = concrete_positive_int(function, "cycle_first_step_size", first)
        self.second = concrete_nonnegative_int(function, "cycle_second_step_size", second)
        self.first_stairs = concrete_nonnegative_int(function, "cycle_first_stair_count", first_stairs)
        self.second_stairs = concrete_nonnegative_int(function, "cycle_second_stair_count", second_stairs)
        self.decay_steps = concrete_nonnegative_int(function, "decay_step_size", decay_steps)
        self.total = self.first + self.second

    def first_ramp(self, start: float, stop: float) -> fs.Schedule:
        steps, stairs = self.first, self.first_stairs
        if stairs == 0:
            return fs.ramp(start, stop, steps=steps)
        # Stair i begins at step i * steps / stairs, rounded up.
        return _stairs({-(-i * steps // stairs): _level(start, stop, i / stairs) for i in range(stairs + 1)})

    def second_ramp(self, start: float, stop: float) -> fs.Schedule:
        steps, stairs = self.second, self.second_stairs
        if stairs == 0:
            return fs.ramp(start, stop, steps=steps)
        # At step i * steps / stairs the previous level still holds, so level i begins one step later.
        levels = {i * steps // stairs + 1: _level(stop, start, (stairs - i - 1) / stairs) for i in range(stairs)}
        return _stairs({0: start} | levels)


def _level(low: float, high: float, fraction: float) -> float:
    return high if fraction == 1 else low + (high - low) * fraction  # the sum may round `high`


def _stairs(levels: dict[int, float]) -> fs.Schedule:
    """Stairs, given by their first steps. If several begin at the same step, the dict has only the last one."""
    return fs.piecewise_constant(list(levels)[1:], levels=levels.values())


def _validated_momentum(
    function: str, cycle_momentum: Any, cycle_min_mom: Any, cycle_max_mom: Any, decay_mom_rate: Any
) -> tuple[float, float, float]:
    boolean(function, "cycle_momentum", cycle_momentum)
    low = concrete_nonnegative(function, "cycle_min_mom", cycle_min_mom)
    high = positive(function, "cycle_max_mom", cycle_max_mom)
    return low, high, _growth_rate(function, "decay_mom_rate", decay_mom_rate)


def _growth_rate(function: str, argument: str, value: Any) -> float:
    requirement = "0 or a number from 1e-30 to 1e30"
    rate: float = number_rule(requirement, 0, 1e30)(function, argument, value)
    if 0 < rate < 1e-30:
        raise argument_error(function, argument, requirement, value)
    return rate


def _linear_growth(rate: float, steps: int) -> fs.Schedule:
    """``1 + rate * step / steps``, up to step `_HORIZON`."""
    return fs.ramp(1.0, 1.0 + rate * (_HORIZON / steps), steps=_HORIZON) if rate else fs.constant()


@scheduler_type
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
    """The learning rate of DeepSpeed's OneCycle: up, down, then an inverse-time decay.

    From `cycle_min_lr` to `cycle_max_lr` over `cycle_first_step_size` steps, back over `cycle_second_step_size` steps,
    then ``cycle_min_lr / (1 + decay_lr_rate * (step - total) / decay_step_size)``, where `total` is the sum of both
    step sizes. Each ramp is linear, or rounded down to a given number of equally high stairs.

    Args:
        cycle_min_lr: learning rate at step 0 (float, at least 0).
        cycle_max_lr: learning rate at step `cycle_first_step_size` (float, above 0).
        decay_lr_rate: rate of the decay (float, 0 or 1e-30 to 1e30). 0 holds `cycle_min_lr`.
        cycle_first_step_size: number of steps of the increase (int, 1 to 2**53).
        cycle_second_step_size: number of steps of the decrease (int, 0 to 2**53). Default: `cycle_first_step_size`.
            If it is 0, the decay begins at step `cycle_first_step_size`, without the peak.
        cycle_first_stair_count: number of stairs of the increase (int, 0 to 2**53). 0 means a linear ramp.
        cycle_second_stair_count: number of stairs of the decrease (int, 0 to 2**53). Default: that of the increase.
        decay_step_size: number of steps over which the denominator of the decay grows by `decay_lr_rate` (int, 0 to
            2**53). 0 holds `cycle_min_lr`.
        cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate: have no effect. They are arguments of
            `one_cycle_momentum`, which takes the same configuration, and are validated.

    Returns:
        A schedule that counts updates, and its peak value, `cycle_max_lr`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> from bridges.deepspeed import one_cycle
        >>> schedule, peak_value = one_cycle(
        ...     cycle_min_lr=0.25, cycle_max_lr=0.5, cycle_first_step_size=4, cycle_second_step_size=8,
        ...     decay_step_size=10, decay_lr_rate=1.0)
        >>> [peak_value * schedule(step) for step in (0, 2, 4, 8, 12, 22)]
        [0.25, 0.375, 0.5, 0.375, 0.25, 0.125]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    function = "one_cycle"
    peak = positive(function, "cycle_max_lr", cycle_max_lr)
    low = concrete_nonnegative(function, "cycle_min_lr", cycle_min_lr) / peak
    rate = _growth_rate(function, "decay_lr_rate", decay_lr_rate)
    cycle = _Cycle(
        function,
        cycle_first_step_size,
        cycle_second_step_size,
        cycle_first_stair_count,
        cycle_second_stair_count,
        decay_step_size,
    )
    _validated_momentum(function, cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate)
    decay = fs.constant(low)
    if rate and cycle.decay_steps:
        decay = fs.scale(fs.inverse_time(rate, cycle.decay_steps), low)
    rise, fall = cycle.first_ramp(low, 1.0), cycle.second_ramp(1.0, low)
    return Rated(join_phases({0: rise, cycle.first: fall, cycle.total: decay}), peak)


@scheduler_type
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
    """The momentum (first of `betas`) of DeepSpeed's OneCycle, which falls while the learning rate rises.

    `cycle_min_mom` at step 0; then from `cycle_max_mom` down to `cycle_min_mom` over `cycle_first_step_size` steps,
    back over `cycle_second_step_size` steps, then
    ``cycle_max_mom * (1 + decay_mom_rate * (step - total) / decay_step_size)``, where `total` is the sum of both step
    sizes. Stairs work as in `one_cycle`.

    Args:
        cycle_first_step_size, cycle_second_step_size, cycle_first_stair_count, cycle_second_stair_count: as in
            `one_cycle`.
        decay_step_size: number of steps over which the momentum grows by ``decay_mom_rate * cycle_max_mom`` after the
            cycle (int, 0 to 2**53). 0 holds `cycle_max_mom`.
        cycle_momentum: must be True (bool). Otherwise DeepSpeed does not change the momentum.
        cycle_min_mom: lowest momentum (float, at least 0).
        cycle_max_mom: momentum at the end of the cycle (float, above 0).
        decay_mom_rate: rate of the growth after the cycle (float, 0 or 1e-30 to 1e30). As in DeepSpeed, the momentum
            grows beyond 1.
        cycle_min_lr, cycle_max_lr, decay_lr_rate: have no effect. They are arguments of `one_cycle`, which takes the
            same configuration.

    Returns:
        A schedule that counts updates, and its peak value, `cycle_max_mom`: ``peak_value * schedule(step)`` is the
        momentum.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `cycle_momentum` is False.

    Differs: DeepSpeed's momentum grows indefinitely after the cycle; here it is held after another 2**31 - 1 steps.

    Example:
        >>> from bridges.deepspeed import one_cycle_momentum
        >>> schedule, peak_value = one_cycle_momentum(cycle_first_step_size=4, cycle_min_mom=0.5, cycle_max_mom=1.0)
        >>> [peak_value * schedule(step) for step in (0, 1, 2, 4, 6, 8, 9)]
        [0.5, 0.875, 0.75, 0.5, 0.75, 1.0, 1.0]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    function = "one_cycle_momentum"
    cycle = _Cycle(
        function,
        cycle_first_step_size,
        cycle_second_step_size,
        cycle_first_stair_count,
        cycle_second_stair_count,
        decay_step_size,
    )
    lowest, peak, rate = _validated_momentum(function, cycle_momentum, cycle_min_mom, cycle_max_mom, decay_mom_rate)
    if not cycle_momentum:
        requirement = "True (otherwise DeepSpeed does not change the momentum)"
        raise argument_error(function, "cycle_momentum", requirement, False)
    low = lowest / peak
    fall, rise = fs.shift(cycle.first_ramp(1.0, low), 1), cycle.second_ramp(low, 1.0)
    growth = _linear_growth(rate, cycle.decay_steps) if cycle.decay_steps else fs.constant()
    return Rated(join_phases({0: fs.constant(low), 1: fall, cycle.first: rise, cycle.total: growth}), peak)


@scheduler_type
def lr_range_test(
    *,
    lr_range_test_min_lr: float = 1e-3,
    lr_range_test_step_size: int = 2000,
    lr_range_test_step_rate: float = 1.0,
    lr_range_test_staircase: bool = False,
    total_num_steps: int | None = None,
) -> Rated:
    """DeepSpeed's LRRangeTest: a learning rate that grows linearly or in stairs.

    ``lr_range_test_min_lr * (1 + lr_range_test_step_rate * step / lr_range_test_step_size)``; with
    `lr_range_test_staircase`, ``step / lr_range_test_step_size`` is rounded down.

    Args:
        lr_range_test_min_lr: learning rate at step 0 (float, above 0).
        lr_range_test_step_size: number of steps over which the multiplier grows by `lr_range_test_step_rate` (int, 1 to
            2**53).
        lr_range_test_step_rate: growth of the multiplier (float, 0 or 1e-30 to 1e30).
        lr_range_test_staircase: whether the learning rate only changes at multiples of the step size (bool).
        total_num_steps: last step of the test (int, 0 to 2**53), after which the learning rate is held. Not an argument
            of DeepSpeed. Required with `lr_range_test_staircase`, because each stair is stored.

    Returns:
        A schedule that counts updates, and its peak value, `lr_range_test_min_lr`, so multipliers are at least 1.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: DeepSpeed's learning rate grows indefinitely; here it is held from step `total_num_steps` on, by default
    from step 2**31 - 1 on.

    Example:
        >>> from bridges.deepspeed import lr_range_test
        >>> schedule, peak_value = lr_range_test(lr_range_test_min_lr=0.5, lr_range_test_step_size=10)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 100)]
        [0.5, 0.75, 1.0, 5.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    function = "lr_range_test"
    lowest = positive(function, "lr_range_test_min_lr", lr_range_test_min_lr)
    size = concrete_positive_int(function, "lr_range_test_step_size", lr_range_test_step_size)
    rate = _growth_rate(function, "lr_range_test_step_rate", lr_range_test_step_rate)
    total = optional(concrete_nonnegative_int)(function, "total_num_steps", total_num_steps)
    if boolean(function, "lr_range_test_staircase", lr_range_test_staircase):
        if total is None:
            raise argument_error(function, "total_num_steps", "given with `lr_range_test_staircase`", None)
        stairs = range(total // size + 1)
        return Rated(_stairs({stair * size: 1.0 + rate * stair for stair in stairs}), lowest)
    schedule = _linear_growth(rate, size)
    return Rated(schedule if total is None else fs.ramp(1.0, 1.0 + rate * (total / size), steps=total), lowest)
