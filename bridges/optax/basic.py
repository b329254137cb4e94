"""Optax's schedules without a warmup, under their own names and arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import Any

import funcsched as fs
from bridges.optax.rates import checked, from_phases, from_rates, with_exponent
from bridges.rated import Rated, choose
from funcsched.core.validation import (
    LARGEST_LEVEL,
    argument_error,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    optional,
)


def constant_schedule(value: float) -> Rated:
    """A constant rate.

    ``value``

    Args:
        value: the rate, at least 0.

    Returns:
        A schedule and its peak. On an array it gives one of the array's shape, where optax gives one number.

    Raises:
        TypeError, ValueError: `value` is not a number from 0 to 3.4e38.

    Example:
        >>> from bridges.optax import constant_schedule
        >>> constant_schedule(0.5)
        Rated(schedule=constant(), peak_value=0.5)

    Source: optax.constant_schedule of optax 0.2.8.
    """
    (value,) = checked("constant_schedule", value=value)
    return from_phases((0, value, value, fs.linear))


def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Rated:
    """A line from one rate to another, up or down.

    ``init_value + (end_value - init_value) * u`` with ``u = (step - transition_begin) / transition_steps`` clipped to
    [0, 1]

    Args:
        init_value: the rate up to `transition_begin`, at least 0.
        end_value: the rate from the end of the transition on, at least 0.
        transition_steps: the length of the transition, an integer of at least 0.
        transition_begin: the step at which it begins, an integer of at least 0.

    Returns:
        A schedule and its peak, the larger of the two rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import linear_schedule
        >>> linear_schedule(0.5, 0.125, 10)
        Rated(schedule=ramp(start=1.0, stop=0.25, steps=10), peak_value=0.5)

    Differs: with `transition_steps` of 0 the transition is absent and `end_value` holds from `transition_begin` on;
    optax then holds `init_value` for ever. optax under jit misses `end_value` from the last step on for most lengths,
    by one rounding: ``linear_schedule(1.0, 0.0, 10)`` ends at -1.5e-8. What it replaces (negative
    `transition_steps` or `transition_begin`) is refused.

    Source: optax.linear_schedule of optax 0.2.8.
    """
    init_value, end_value, steps, begin = checked(
        "linear_schedule",
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    return from_phases((begin, init_value, init_value, fs.linear), (steps, init_value, end_value, fs.linear))


def polynomial_schedule(
    init_value: float, end_value: float, power: float, transition_steps: int, transition_begin: int = 0
) -> Rated:
    """A power of what remains of a transition from one rate to another, up or down.

    ``end_value + (init_value - end_value) * (1 - u) ** power`` with
    ``u = (step - transition_begin) / transition_steps`` clipped to [0, 1]

    Args:
        init_value: the rate up to `transition_begin`, at least 0.
        end_value: the rate from the end of the transition on, at least 0.
        power: above 0; 1 is `linear_schedule`, above it the transition ends flat.
        transition_steps: the length of the transition, an integer of at least 0.
        transition_begin: the step at which it begins, an integer of at least 0.

    Returns:
        A schedule and its peak, the larger of the two rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import polynomial_schedule
        >>> schedule, peak_value = polynomial_schedule(0.5, 0.0, 2, 100, transition_begin=5)
        >>> [peak_value * schedule(step) for step in (5, 55, 105)]
        [0.5, 0.125, 0.0]

    Differs: with `transition_steps` of 0 the transition is absent and `end_value` holds from `transition_begin` on;
    optax then holds `init_value` for ever. Where `power` is not an integer, optax under jit is NaN from the end of
    the transition on, for ever, for many lengths (10, 20, 30, 60, 1000): what remains is rounded to below 0. What it
    replaces (negative `transition_steps` or `transition_begin`) is refused.

    Source: optax.polynomial_schedule of optax 0.2.8.
    """
    init_value, end_value, power, steps, begin = checked(
        "polynomial_schedule",
        init_value=init_value,
        end_value=end_value,
        power=power,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    curve = with_exponent(fs.linear, power)
    return from_phases((begin, init_value, init_value, fs.linear), (steps, init_value, end_value, curve))


def _knots(function: str, init_value: float, scales: Mapping[int, float] | None) -> tuple[list[int], list[Fraction]]:
    """The boundaries in order, and the rates before the first and from each on."""
    argument, given = "boundaries_and_scales", {} if scales is None else scales
    if not isinstance(given, Mapping):
        raise argument_error(function, argument, "a mapping from boundaries to scales, or None", scales, TypeError)
    checked = {
        concrete_nonnegative_int(function, f"{argument} key", key): concrete_level(
            function, f"{argument}[{key!r}]", scale
        )
        for key, scale in given.items()
    }
    boundaries = sorted(checked)
    rates = list(accumulate((Fraction(checked[key]) for key in boundaries), mul, initial=Fraction(init_value)))
    if max(rates) > LARGEST_LEVEL:
        raise argument_error(function, argument, "scales that keep the rates to 3.4e38", given)
    return boundaries, rates


def piecewise_constant_schedule(init_value: float, boundaries_and_scales: Mapping[int, float] | None = None) -> Rated:
    """A rate that is multiplied by a number at each of several steps.

    ``init_value * s_1 * ... * s_i`` for ``b_i <= step < b_(i + 1)``, {b: s} in the order of the boundaries

    Args:
        init_value: the rate before the first boundary, at least 0.
        boundaries_and_scales: from the steps at which the rate changes, integers of at least 0, to what it is
            multiplied by there, at least 0.

    Returns:
        A schedule and its peak, the largest of the rates. Products are exact, rounded once.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import piecewise_constant_schedule
        >>> schedule, peak_value = piecewise_constant_schedule(0.5, {10: 0.5, 20: 4.0})
        >>> [peak_value * schedule(step) for step in (9, 10, 19, 20)]
        [0.5, 0.25, 0.25, 1.0]

    Source: optax.piecewise_constant_schedule of optax 0.2.8.
    """
    name = "piecewise_constant_schedule"
    (init_value,) = checked(name, init_value=init_value)
    boundaries, rates = _knots(name, init_value, boundaries_and_scales)
    if not boundaries:
        return from_phases((0, rates[0], rates[0], fs.linear))
    return from_rates(
        rates, lambda of_peak: fs.piecewise_constant(boundaries, levels=[of_peak(rate) for rate in rates])
    )


_INTERPOLATIONS = {"linear": fs.linear, "cosine": fs.cosine}


def piecewise_interpolate_schedule(
    interpolate_type: str, init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Rated:
    """Curves through the rates that `piecewise_constant_schedule` would jump to.

    ``r_i + (r_(i + 1) - r_i) * shape((step - b_i) / (b_(i + 1) - b_i))`` with ``r_i = init_value * s_1 * ... * s_i``
    and ``b_0 = 0``; the last rate is held

    Args:
        interpolate_type: "linear" or "cosine".
        init_value: the rate at step 0, at least 0.
        boundaries_and_scales: from the steps of the knots, integers of at least 0, to what the rate of the knot
            before is multiplied by, at least 0. A knot at 0 replaces the first one.

    Returns:
        A schedule and its peak, the largest of the rates. It runs on arrays of steps, as optax's does not.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import piecewise_interpolate_schedule
        >>> schedule, peak_value = piecewise_interpolate_schedule("linear", 0.5, {10: 2.0, 20: 0.0})
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 15, 20)]
        [0.5, 0.75, 1.0, 0.5, 0.0]

    Differs: optax is 0 below step 0, where the first rate holds here.

    Source: optax.piecewise_interpolate_schedule of optax 0.2.8.
    """
    name = "piecewise_interpolate_schedule"
    shape = choose(name, "interpolate_type", interpolate_type, _INTERPOLATIONS)
    (init_value,) = checked(name, init_value=init_value)
    boundaries, rates = _knots(name, init_value, boundaries_and_scales)
    if not boundaries:
        return from_phases((0, rates[0], rates[0], fs.linear))
    if boundaries[0] == 0:
        rates = rates[1:]
    else:
        boundaries = [0, *boundaries]
    return from_rates(rates, lambda of_peak: fs.interpolate(boundaries, [of_peak(rate) for rate in rates], shape=shape))


def exponential_decay(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Rated:
    """The same factor in every `transition_steps` steps.

    ``init_value * decay_rate ** ((step - transition_begin) / transition_steps)`` from `transition_begin` on, with
    `staircase` of the exponent rounded down, and everywhere at least `end_value`, or at most, if `decay_rate` is not
    below 1

    Args:
        init_value: the rate up to `transition_begin`, at least 0.
        transition_steps: over how many steps the factor applies once, an integer of at least 1.
        decay_rate: the factor, from 1e-30 to 1e30.
        transition_begin: the step at which it begins, an integer of at least 0.
        staircase: whether it applies at once at the end of each stretch of `transition_steps`.
        end_value: the bound, at least 0, or None.

    Returns:
        A schedule and its peak: `init_value`, or `end_value` if the rate grows up to it or is never anything else.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import exponential_decay
        >>> exponential_decay(0.5, 100, 0.25)
        Rated(schedule=exponential_decay(rate=0.25, steps=100), peak_value=0.5)
        >>> schedule, peak_value = exponential_decay(0.5, 10, 4.0, end_value=2.0)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 11)]
        [0.5, 1.0, 2.0, 2.0]

    Differs: a growth without an `end_value` stops at 3e38 times `init_value`, where optax goes on to infinity. With
    `staircase`, optax under jit applies the factor a step late for some lengths, in float32 from step 41 on with
    `transition_steps` of 41. What it replaces by a constant schedule (`transition_steps` of 0, `decay_rate` of 0) or
    by 0 (a negative `transition_begin`) is refused.

    Source: optax.exponential_decay of optax 0.2.8.
    """
    name = "exponential_decay"
    (init_value,) = checked(name, init_value=init_value)
    largest, build = exponential(name, init_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return from_rates([largest], build)


_HIGHEST = 3e38  # a growth without a bound overflows float32 soon after


def exponential(
    function: str, first: float, transition_steps: Any, decay_rate: Any, transition_begin: Any, staircase: Any, end: Any
) -> tuple[Fraction, Callable[[Callable[[Fraction], float]], fs.Schedule]]:
    """The largest rate, and what builds the schedule."""
    steps = concrete_positive_int(function, "transition_steps", transition_steps)
    rate, begin, staircase = checked(
        function, decay_rate=decay_rate, transition_begin=transition_begin, staircase=staircase
    )
    end = optional(concrete_level)(function, "end_value", end)
    if end is not None and (end >= first if rate < 1 else end <= first):
        first, rate = end, 1.0
    start, growing = Fraction(first), rate > 1
    last = _HIGHEST if growing and end is None else None
    if end is not None and start:
        last = float(Fraction(end) / start)

    def build(of_peak: Callable[[Fraction], float]) -> fs.Schedule:
        level = of_peak(start)
        if rate == 1 or not start:
            return fs.constant(level)
        decay = fs.exponential_decay(rate, steps, staircase=staircase, end=last)
        scaled = decay if level == 1 else fs.scale(decay, level)
        return fs.join([fs.constant(level), scaled], [begin]) if begin else scaled

    return Fraction(end) if growing and start and end is not None else start, build


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0) -> Rated:
    """A cosine decay.

    ``init_value * (alpha + (1 - alpha) * ((1 + cos(pi * u)) / 2) ** exponent)`` with ``u = step / decay_steps``, at
    most 1

    Args:
        init_value: the rate at step 0, at least 0.
        decay_steps: the length of the decay, an integer of at least 0.
        alpha: the rate at the end as a share of `init_value`, at least 0; above 1 the rate rises.
        exponent: above 0.

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import cosine_decay_schedule
        >>> cosine_decay_schedule(0.5, 100, alpha=0.1)
        Rated(schedule=ramp(start=1.0, stop=0.1, steps=100, shape=cosine), peak_value=0.5)

    Differs: with `decay_steps` of 0 the decay is absent and its end holds from step 0 on; optax raises a ValueError.

    Source: optax.cosine_decay_schedule of optax 0.2.8; Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    init_value, steps, alpha, exponent = checked(
        "cosine_decay_schedule", init_value=init_value, decay_steps=decay_steps, alpha=alpha, exponent=exponent
    )
    return from_phases((steps, init_value, Fraction(init_value) * Fraction(alpha), with_exponent(fs.cosine, exponent)))
