"""fvcore's param schedulers as functions with the arguments of its classes, and schedules for fvcore: `to_progress`.

A param scheduler is a function of the fraction of the run, ``where = step / total_steps``. So every function except
`constant_param_scheduler` takes `total_steps`. The values of a schedule are those of the param scheduler: multipliers
in detectron2, learning rates in ClassyVision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from itertools import accumulate, repeat
from math import ceil, isfinite
from operator import ge, gt
from typing import Any

import funcsched as fs
from bridges.arguments import BY_TYPE, checked, option
from bridges.compositions import from_parts, join_phases
from funcsched.core import validation as rules
from funcsched.core.schedule import as_schedule
from funcsched.core.validation import argument_error, sequence

_WHERE_EPSILON = 1e-6  # fvcore adds this to `where` before it compares it with a boundary
_length = rules.number_rule("a number above 0 and at most 1", 0, 1, above=True)


def _levels(function: str, argument: str, value: Any) -> tuple[float, ...]:
    levels = sequence(function, argument, value, rules.concrete_level, "numbers")
    if not levels:
        raise argument_error(function, argument, "a non-empty sequence of numbers", [])
    return levels


_RULES = BY_TYPE | {"int": rules.concrete_positive_int, "float": rules.concrete_level, "values": _levels}


def _first_step(total_steps: int, scale: float, boundary: float, reached: Callable[[float, float], bool] = ge) -> int:
    """The first step at which ``scale * where`` reaches a boundary, with fvcore's tolerance and rounding."""
    step = max(0, int((boundary / scale - _WHERE_EPSILON) * total_steps) - 1)
    while not reached((step / total_steps + _WHERE_EPSILON) * scale, boundary):
        step += 1
    return step


def _stairs(values: tuple[float, ...], boundaries: Iterable[int], scale: int, total_steps: int) -> fs.Schedule:
    """Constant values, each up to a boundary in units of ``1 / scale`` of the run."""
    levels = {0: values[0]}  # by first step; if two boundaries are at the same step, the later one counts
    levels |= {_first_step(total_steps, scale, end): value for end, value in zip(boundaries, values[1:], strict=True)}
    return fs.piecewise_constant(list(levels)[1:], levels=list(levels.values()))


@checked(common=_RULES)
def constant_param_scheduler(value: float) -> fs.Schedule:
    """fvcore's ConstantParamScheduler.

    Args:
        value: the value (float).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `value` has the wrong type or is out of range.

    Differs: fvcore raises RuntimeError from ``where = 1`` on; here the value is held.

    Example:
        >>> from bridges.fvcore import constant_param_scheduler
        >>> constant_param_scheduler(0.5)(100)
        0.5

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    return fs.constant(value)


@checked(common=_RULES)
def cosine_param_scheduler(start_value: float, end_value: float, *, total_steps: int) -> fs.Schedule:
    """fvcore's CosineParamScheduler: half a cosine.

    ``end_value + (start_value - end_value) * (1 + cos(pi * step / total_steps)) / 2``

    Args:
        start_value: value at step 0 (float).
        end_value: value at step `total_steps` (float).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after ``where = 1``, fvcore's cosine returns to `start_value`; here `end_value` is held.

    Example:
        >>> from bridges.fvcore import cosine_param_scheduler
        >>> schedule = cosine_param_scheduler(1.0, 0.5, total_steps=100)
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.75, 0.5]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    return fs.ramp(start_value, end_value, steps=total_steps, shape=fs.cosine)


@checked(common=_RULES)
def linear_param_scheduler(start_value: float, end_value: float, *, total_steps: int) -> fs.Schedule:
    """fvcore's LinearParamScheduler: a straight line.

    ``start_value + (end_value - start_value) * step / total_steps``

    Args:
        start_value: value at step 0 (float).
        end_value: value at step `total_steps` (float).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after ``where = 1``, fvcore continues the line; here `end_value` is held.

    Example:
        >>> from bridges.fvcore import linear_param_scheduler
        >>> schedule = linear_param_scheduler(1.0, 0.5, total_steps=100)
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.75, 0.5]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    return fs.ramp(start_value, end_value, steps=total_steps)


@checked(common=_RULES, decay=rules.ratio)
def exponential_param_scheduler(start_value: float, decay: float, *, total_steps: int) -> fs.Schedule:
    """fvcore's ExponentialParamScheduler: an exponential decay by `decay` over the run.

    ``start_value * decay ** (step / total_steps)``

    Args:
        start_value: value at step 0 (float).
        decay: ratio of the value at step `total_steps` to `start_value` (float, 1e-30 to 1e30).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after ``where = 1``, fvcore continues the decay; here the value at step `total_steps` is held.

    Example:
        >>> from bridges.fvcore import exponential_param_scheduler
        >>> schedule = exponential_param_scheduler(1.0, 0.25, total_steps=100)
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.5, 0.25]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    return fs.ramp(start_value, start_value * decay, steps=total_steps, shape=fs.exponential(decay))


@checked(common=_RULES, power=rules.positive)
def polynomial_decay_param_scheduler(base_value: float, power: float, *, total_steps: int) -> fs.Schedule:
    """fvcore's PolynomialDecayParamScheduler: a polynomial decay to 0.

    ``base_value * (1 - step / total_steps) ** power``

    Args:
        base_value: value at step 0 (float).
        power: exponent (float, above 0 and at most 1000).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: after ``where = 1``, fvcore's value is negative, complex or rises, depending on `power`; here 0 is held.

    Example:
        >>> from bridges.fvcore import polynomial_decay_param_scheduler
        >>> schedule = polynomial_decay_param_scheduler(1.0, 2.0, total_steps=100)
        >>> [schedule(step) for step in (0, 50, 100)]
        [1.0, 0.25, 0.0]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    return fs.ramp(base_value, 0.0, steps=total_steps, shape=fs.reverse(fs.power(power)))


@checked(common=_RULES)
def multi_step_param_scheduler(
    values: Iterable[float],
    num_updates: int | None = None,
    milestones: Iterable[int] | None = None,
    *,
    total_steps: int,
) -> fs.Schedule:
    """fvcore's MultiStepParamScheduler: constant values, each up to its milestone.

    ``values[i]`` for ``milestones[i - 1] <= floor((where + 1e-6) * num_updates) < milestones[i]``. With `total_steps`
    equal to `num_updates` and below a million, the value changes at step ``milestones[i]``; with more steps, fvcore's
    tolerance of 1e-6 makes the change earlier by one step per million.

    Args:
        values: the values (floats).
        num_updates: end of the last range, in the unit of the milestones (int, 1 to 2**53, at least the number of
            values). None means the last of the milestones.
        milestones: end of each range, except the last one if `num_updates` is given (ints, 1 to 2**53, increasing).
            None means ranges of ``ceil(num_updates / len(values))``.
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, or is out of range or not increasing.

    Differs: after ``where = 1``, fvcore raises RuntimeError; here the last value is held.

    Example:
        >>> from bridges.fvcore import multi_step_param_scheduler
        >>> schedule = multi_step_param_scheduler([1.0, 0.5, 0.25], milestones=[30, 60, 90], total_steps=900)
        >>> [schedule(step) for step in (299, 300, 600, 900)]
        [1.0, 0.5, 0.25, 0.25]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    function, levels = "multi_step_param_scheduler", list(values)
    if milestones is None:
        updates = rules.concrete_positive_int(function, "num_updates", num_updates)
        ends = tuple(ceil(updates / len(levels)) * (i + 1) for i in range(len(levels) - 1))
    else:
        ends = sequence(function, "milestones", milestones, rules.concrete_positive_int, "integers")
        required = len(levels) - (num_updates is not None)
        if len(ends) != required:
            raise argument_error(function, "milestones", f"a sequence of length {required}", list(ends))
        rules.require_increasing(function, "milestones", ends)
        updates = ends[-1] if num_updates is None else num_updates
    ends = ends[: len(levels) - 1]
    if (ends and updates <= ends[-1]) or updates < len(levels):
        raise argument_error(function, "num_updates", "above all milestones, and at least `len(values)`", updates)
    return _stairs(tuple(levels), ends, updates, total_steps)


@checked(common=_RULES, num_updates=rules.positive)
def step_param_scheduler(num_updates: float, values: Iterable[float], *, total_steps: int) -> fs.Schedule:
    """fvcore's StepParamScheduler: constant values for equal parts of the run.

    ``values[floor((where + 1e-6) * len(values))]``

    Args:
        num_updates: has no effect, as in fvcore (float, above 0).
        values: the values (floats).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: from ``where = 1 - 1e-6`` on, fvcore raises IndexError; here the last value is held.

    Example:
        >>> from bridges.fvcore import step_param_scheduler
        >>> schedule = step_param_scheduler(120, [1.0, 0.5, 0.25], total_steps=90)
        >>> [schedule(step) for step in (29, 30, 60, 90)]
        [1.0, 0.5, 0.25, 0.25]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    levels = tuple(values)
    return _stairs(levels, range(1, len(levels)), len(levels), total_steps)


@checked(common=_RULES | {"float": rules.positive}, num_decays=rules.integer_cycles)
def step_with_fixed_gamma_param_scheduler(
    base_value: float, num_decays: int, gamma: float, num_updates: float, *, total_steps: int
) -> fs.Schedule:
    """fvcore's StepWithFixedGammaParamScheduler: `num_decays` decays by a factor, at equal distances.

    ``base_value * gamma ** floor((where + 1e-6) * (num_decays + 1))``

    Args:
        base_value: value at step 0 (float, above 0).
        num_decays: number of decays (int, 1 to 1,000,000).
        gamma: the factor (float, above 0).
        num_updates: has no effect, as in fvcore (float, above 0).
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: like `step_param_scheduler`.

    Example:
        >>> from bridges.fvcore import step_with_fixed_gamma_param_scheduler
        >>> schedule = step_with_fixed_gamma_param_scheduler(1.0, 2, 0.5, 90, total_steps=90)
        >>> [schedule(step) for step in (29, 30, 60, 90)]
        [1.0, 0.5, 0.25, 0.25]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    values = accumulate(repeat(gamma, num_decays), initial=base_value, func=lambda value, factor: value * factor)
    return step_param_scheduler(num_updates, values, total_steps=total_steps)


@checked(common=_RULES)
def composite_param_scheduler(
    schedulers: Iterable[fs.Schedule], lengths: Iterable[float], interval_scaling: Iterable[str], *, total_steps: int
) -> fs.Schedule:
    """fvcore's CompositeParamScheduler: param schedulers in sequence.

    ``schedulers[i](where)`` (fixed) or ``schedulers[i]((where - begin) / lengths[i])`` (rescaled) for
    ``begin < where + 1e-6 <= begin + lengths[i]``, where begin is the sum of the previous lengths

    Args:
        schedulers: the schedules, each over `total_steps`.
        lengths: fraction of the run for each schedule (floats, above 0 and at most 1), with a sum of 1. The last one
            is 1 minus the others.
        interval_scaling: "rescaled" or "fixed" for each schedule.
        total_steps: number of updates of the run (int, 1 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, or is out of range.

    Example:
        >>> from bridges.fvcore import composite_param_scheduler, constant_param_scheduler, linear_param_scheduler
        >>> schedule = composite_param_scheduler(
        ...     [constant_param_scheduler(1.0), linear_param_scheduler(1.0, 0.0, total_steps=100)],
        ...     lengths=[0.2, 0.8], interval_scaling=["rescaled", "rescaled"], total_steps=100)
        >>> [schedule(step) for step in (0, 20, 60, 100)]
        [1.0, 1.0, 0.5, 0.0]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.
    """
    function = "composite_param_scheduler"
    parts = sequence(function, "schedulers", schedulers, as_schedule, "schedules")
    sizes = sequence(function, "lengths", lengths, _length, "numbers")
    scalings = sequence(function, "interval_scaling", interval_scaling, option(["fixed", "rescaled"]), "strings")
    for argument, values in ("lengths", sizes), ("interval_scaling", scalings):
        if len(values) != len(parts):
            raise argument_error(function, argument, f"as long as `schedulers` ({len(parts)})", list(values))
    if abs(sum(sizes) - 1.0) >= 1e-3:
        raise argument_error(function, "lengths", "numbers with a sum of 1", list(sizes))
    begin = 0.0
    phases: dict[int, fs.Schedule] = {}
    for part, size, scaling in zip(parts, [*sizes[:-1], 1.0 - sum(sizes[:-1])], scalings, strict=True):
        first = _first_step(total_steps, 1.0, begin, gt) if phases else 0
        offset = Fraction(first)
        if scaling == "rescaled":
            # The phase may begin between two steps.
            offset = max(first - Fraction(begin) * total_steps, Fraction(0)).limit_denominator(1000)
            part = fs.stretch(part, size * offset.denominator)
        part = fs.shift(part, offset.numerator) if offset else part
        phases[first] = from_parts(part, offset.denominator)
        begin += size
    return join_phases(phases)


@checked(common=_RULES)
def to_progress(
    schedule: fs.Schedule | Callable[[Any], Any], total_steps: int, peak_value: float = 1.0
) -> Callable[[float], float]:
    """A schedule as a function of fvcore's `where`, the fraction of the run from 0 to 1.

    ``peak_value * schedule(where * total_steps)``

    The fraction increases, as in fvcore. `bridges.stable_baselines3` has the same function for a decreasing fraction.

    Args:
        schedule: a schedule, or a function of a step.
        total_steps: number of steps of the run (int, 1 to 2**53).
        peak_value: factor of the multipliers (float). detectron2 takes multipliers, so it needs the default of 1.

    Returns:
        A function that can be pickled. If rounding moves the product off an integer step, that step is used. The value
        at NaN is NaN.
        detectron2's LRMultiplier requires an instance of fvcore's class: wrap the function in
        ``CompositeParamScheduler([function], lengths=[1.0], interval_scaling=["fixed"])``.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> from bridges.fvcore import to_progress
        >>> function = to_progress(fs.warmup_linear(10, 100), 100)
        >>> [function(where) for where in (0.0, 0.1, 0.55, 1.0)]
        [0.0, 1.0, 0.5, 0.0]

    Source: fvcore 0.1.5.post20221221, fvcore.common.param_scheduler.ParamScheduler.
    """
    return partial(_at_fraction, schedule, total_steps, peak_value)


def _at_fraction(schedule: Callable[[Any], Any], total_steps: int, peak_value: float, where: float) -> float:
    step = float(where) * total_steps
    if isfinite(step) and abs(step - round(step)) <= total_steps * 2.0**-50:
        step = round(step)
    value: float = schedule(step)
    return peak_value * value
