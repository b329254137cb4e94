"""DeepSpeed's OneCycle and LRRangeTest."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import checked, required
from bridges.compositions import join_phases
from bridges.deepspeed.rules import RULES
from bridges.rated import Rated
from funcsched.core.validation import argument_error

# A ramp needs a last step. Unbounded growth stops at the largest step that an int32 can hold.
_HORIZON = 2**31 - 1


def _cycle(ends: float, middle: float, sizes: tuple[int, int | None, int, int | None]) -> dict[int, fs.Schedule]:
    """The phases of a cycle, by their first steps: from `ends` to `middle`, and back to `ends`, which is held."""
    steps, second_steps, stairs, second_stairs = sizes
    second_steps = steps if second_steps is None else second_steps
    second = _second_ramp(middle, ends, second_steps, stairs if second_stairs is None else second_stairs)
    return {0: _first_ramp(ends, middle, steps, stairs), steps: second, steps + second_steps: fs.constant(ends)}


def _first_ramp(start: float, stop: float, steps: int, stairs: int) -> fs.Schedule:
    if stairs == 0:
        return fs.ramp(start, stop, steps=steps)
    # Stair i begins at step i * steps / stairs, rounded up.
    return _stairs({-(-i * steps // stairs): _level(start, stop, i / stairs) for i in range(stairs + 1)})


def _second_ramp(start: float, stop: float, steps: int, stairs: int) -> fs.Schedule:
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


def _linear_growth(rate: float, steps: int, last: int = _HORIZON) -> fs.Schedule:
    """``1 + rate * step / steps``, up to step `last`."""
    return fs.ramp(1.0, 1.0 + rate * (last / steps), steps=last) if rate else fs.constant()


@checked(common=RULES)
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
    sizes = cycle_first_step_size, cycle_second_step_size, cycle_first_stair_count, cycle_second_stair_count
    low = cycle_min_lr / cycle_max_lr
    phases = _cycle(low, 1.0, sizes)
    if decay_lr_rate and decay_step_size:
        phases[max(phases)] = fs.scale(fs.inverse_time(decay_lr_rate, decay_step_size), low)
    return Rated(join_phases(phases), cycle_max_lr)


@checked(common=RULES)
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
            same configuration, and are validated.

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
    if not cycle_momentum:
        requirement = "True (otherwise DeepSpeed does not change the momentum)"
        raise argument_error("one_cycle_momentum", "cycle_momentum", requirement, False)
    sizes = cycle_first_step_size, cycle_second_step_size, cycle_first_stair_count, cycle_second_stair_count
    low = cycle_min_mom / cycle_max_mom
    phases = _cycle(1.0, low, sizes)
    if decay_step_size:
        phases[max(phases)] = _linear_growth(decay_mom_rate, decay_step_size)
    fall = fs.shift(phases.pop(0), 1)
    return Rated(join_phases({0: fs.constant(low), 1: fall, **phases}), cycle_max_mom)


@checked(common=RULES)
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
            of DeepSpeed. Required with `lr_range_test_staircase`.

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
    rate, size = lr_range_test_step_rate, lr_range_test_step_size
    if not lr_range_test_staircase:
        growth = _linear_growth(rate, size, _HORIZON if total_num_steps is None else total_num_steps)
        return Rated(growth, lr_range_test_min_lr)
    total: int = required("lr_range_test", "total_num_steps", total_num_steps, "with `lr_range_test_staircase`")
    return Rated(fs.staircase(_linear_growth(rate, 1, total // size), size), lr_range_test_min_lr)
