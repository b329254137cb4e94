"""The schedules of optax without a warmup, under their own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import Any

import funcsched as fs
from bridges.arguments import checked, instance_of, option
from bridges.optax.rates import RULES, ToMultiplier, from_phases, from_rates, with_exponent
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import LARGEST_LEVEL, argument_error


@checked(common=RULES)
def constant_schedule(value: float) -> Rated:
    """A constant learning rate.

    ``value``

    Args:
        value: the learning rate (float, -1.7e38 to 1.7e38).

    Returns:
        A schedule and its peak. For an array of steps it returns an array of the same shape, where optax returns one
        number.

    Raises:
        TypeError, ValueError: `value` is not a number from -1.7e38 to 1.7e38.

    Example:
        >>> from bridges.optax import constant_schedule
        >>> constant_schedule(0.5)
        Rated(schedule=constant(), peak_value=0.5)

    Source: optax.constant_schedule of optax 0.2.8.
    """
    return Rated(fs.constant(), value)


@checked(common=RULES)
def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Rated:
    """Linear from one learning rate to another, up or down.

    ``init_value + (end_value - init_value) * u`` with ``u = (step - transition_begin) / transition_steps`` clipped to
    [0, 1]

    Args:
        init_value: learning rate up to `transition_begin` (float, -1.7e38 to 1.7e38).
        end_value: learning rate from the end of the transition on (float, -1.7e38 to 1.7e38).
        transition_steps: length of the transition in steps (int, 0 to 2**53).
        transition_begin: step at which the transition begins (int, 0 to 2**53).

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import linear_schedule
        >>> linear_schedule(0.5, 0.125, 10)
        Rated(schedule=ramp(start=1.0, stop=0.25, steps=10), peak_value=0.5)

    Differs: with `transition_steps` of 0 the transition is absent and `end_value` is held from `transition_begin` on;
    optax then holds `init_value` indefinitely. For most lengths optax under jit misses `end_value` from the last step
    on by one rounding: ``linear_schedule(1.0, 0.0, 10)`` ends at -1.5e-8. Negative `transition_steps` and
    `transition_begin`, which optax replaces, raise a ValueError.

    Source: optax.linear_schedule of optax 0.2.8.
    """
    hold = transition_begin, init_value, init_value, fs.linear
    return from_phases(hold, (transition_steps, init_value, end_value, fs.linear))


@checked(common=RULES)
def polynomial_schedule(
    init_value: float, end_value: float, power: float, transition_steps: int, transition_begin: int = 0
) -> Rated:
    """Polynomial from one learning rate to another, up or down: a power of the remaining fraction of the transition.

    ``end_value + (init_value - end_value) * (1 - u) ** power`` with
    ``u = (step - transition_begin) / transition_steps`` clipped to [0, 1]

    Args:
        init_value: learning rate up to `transition_begin` (float, -1.7e38 to 1.7e38).
        end_value: learning rate from the end of the transition on (float, -1.7e38 to 1.7e38).
        power: exponent (float, above 0). 1 is `linear_schedule`; above 1 the transition ends flat.
        transition_steps: length of the transition in steps (int, 0 to 2**53).
        transition_begin: step at which the transition begins (int, 0 to 2**53).

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import polynomial_schedule
        >>> schedule, peak_value = polynomial_schedule(0.5, 0.0, 2, 100, transition_begin=5)
        >>> [peak_value * schedule(step) for step in (5, 55, 105)]
        [0.5, 0.125, 0.0]

    Differs: with `transition_steps` of 0 the transition is absent and `end_value` is held from `transition_begin` on;
    optax then holds `init_value` indefinitely. Where `power` is not an integer, optax under jit is NaN from the end of
    the transition on for many lengths (10, 20, 30, 60, 1000), because it rounds the remaining fraction to below 0.
    Negative `transition_steps` and `transition_begin`, which optax replaces, raise a ValueError.

    Source: optax.polynomial_schedule of optax 0.2.8.
    """
    hold = transition_begin, init_value, init_value, fs.linear
    return from_phases(hold, (transition_steps, init_value, end_value, with_exponent(fs.linear, power)))


def _scales(function: str, argument: str, value: Any) -> dict[int, float]:
    """The rule of a mapping from boundaries to scales, which are sorted by boundaries."""
    is_mapping, scales = instance_of(Mapping, "a mapping from boundaries to scales, or None"), {}
    for boundary, scale in is_mapping(function, argument, value).items():
        step = rules.concrete_nonnegative_int(function, f"{argument} key", boundary)
        scales[step] = rules.concrete_nonnegative(function, f"{argument}[{boundary!r}]", scale)
    return dict(sorted(scales.items()))


def _rates(function: str, init_value: float, scales: Mapping[int, float]) -> list[Fraction]:
    """The learning rates before the first boundary, and from each one on."""
    rates = list(accumulate(map(Fraction, scales.values()), mul, initial=Fraction(init_value)))
    if max(map(abs, rates)) > LARGEST_LEVEL:
        requirement = "scales with all learning rates at most 1.7e38"
        raise argument_error(function, "boundaries_and_scales", requirement, scales)
    return rates


@checked(common=RULES, boundaries_and_scales=_scales)
def piecewise_constant_schedule(init_value: float, boundaries_and_scales: Mapping[int, float] | None = None) -> Rated:
    """Piecewise constant: the learning rate is multiplied by a scale at each boundary.

    ``init_value * s_1 * ... * s_i`` for ``b_i <= step < b_(i + 1)``, with boundaries ``b`` and scales ``s``

    Args:
        init_value: learning rate before the first boundary (float, -1.7e38 to 1.7e38).
        boundaries_and_scales: mapping from each boundary in steps (int, 0 to 2**53) to the factor that applies from
            there on (float, 0 to 1.7e38).

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude. Products are exact and rounded once.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import piecewise_constant_schedule
        >>> schedule, peak_value = piecewise_constant_schedule(0.5, {10: 0.5, 20: 4.0})
        >>> [peak_value * schedule(step) for step in (9, 10, 19, 20)]
        [0.5, 0.25, 0.25, 1.0]

    Source: optax.piecewise_constant_schedule of optax 0.2.8.
    """
    if not boundaries_and_scales:
        return Rated(fs.constant(), init_value)
    boundaries = list(boundaries_and_scales)
    rates = _rates("piecewise_constant_schedule", init_value, boundaries_and_scales)
    return from_rates(rates, lambda multiplier: fs.piecewise_constant(boundaries, levels=map(multiplier, rates)))


_INTERPOLATIONS = {"linear": fs.linear, "cosine": fs.cosine}


@checked(common=RULES, interpolate_type=option(list(_INTERPOLATIONS)), boundaries_and_scales=_scales)
def piecewise_interpolate_schedule(
    interpolate_type: str, init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Rated:
    """Interpolation between the learning rates that `piecewise_constant_schedule` jumps to.

    ``r_i + (r_(i + 1) - r_i) * shape((step - b_i) / (b_(i + 1) - b_i))`` with ``r_i = init_value * s_1 * ... * s_i``
    and ``b_0 = 0``; the last learning rate is held

    Args:
        interpolate_type: "linear" or "cosine".
        init_value: learning rate at step 0 (float, -1.7e38 to 1.7e38).
        boundaries_and_scales: mapping from each boundary in steps (int, 0 to 2**53) to the ratio of its learning rate
            to that of the boundary before (float, 0 to 1.7e38). A boundary at 0 changes the learning rate at step 0.

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude. Unlike optax's, it runs on arrays of steps.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import piecewise_interpolate_schedule
        >>> schedule, peak_value = piecewise_interpolate_schedule("linear", 0.5, {10: 2.0, 20: 0.0})
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 15, 20)]
        [0.5, 0.75, 1.0, 0.5, 0.0]

    Differs: below step 0 the first learning rate is held; optax is 0 there.

    Source: optax.piecewise_interpolate_schedule of optax 0.2.8.
    """
    if not boundaries_and_scales:
        return Rated(fs.constant(), init_value)
    boundaries, shape = list(boundaries_and_scales), _INTERPOLATIONS[interpolate_type]
    rates = _rates("piecewise_interpolate_schedule", init_value, boundaries_and_scales)
    if boundaries[0] == 0:
        rates = rates[1:]
    else:
        boundaries = [0, *boundaries]
    return from_rates(rates, lambda multiplier: fs.interpolate(boundaries, map(multiplier, rates), shape=shape))


@checked(common=RULES, transition_steps=rules.concrete_positive_int)
def exponential_decay(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Rated:
    """Exponential decay: the learning rate is multiplied by `decay_rate` over every `transition_steps` steps.

    ``init_value * decay_rate ** ((step - transition_begin) / transition_steps)`` from `transition_begin` on, with
    `staircase` of the exponent rounded down. `end_value` bounds it everywhere: from below if `decay_rate` is below 1,
    else from above

    Args:
        init_value: learning rate up to `transition_begin` (float, -1.7e38 to 1.7e38).
        transition_steps: number of steps over which the factor applies once (int, 1 to 2**53).
        decay_rate: factor (float, 1e-30 to 1e30).
        transition_begin: step at which the decay begins (int, 0 to 2**53).
        staircase: whether the learning rate changes only after every `transition_steps` steps, by the whole factor.
        end_value: bound of the learning rate (float, -1.7e38 to 1.7e38), or None.

    Returns:
        A schedule and its peak: `init_value`, or `end_value` if the learning rate grows to it or is held there.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import exponential_decay
        >>> exponential_decay(0.5, 100, 0.25)
        Rated(schedule=exponential_decay(rate=0.25, steps=100), peak_value=0.5)
        >>> schedule, peak_value = exponential_decay(0.5, 10, 4.0, end_value=2.0)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 11)]
        [0.5, 1.0, 2.0, 2.0]

    Differs: growth without an `end_value` stops at 1.7e38 times `init_value`, where optax continues to infinity. With
    `staircase`, optax under jit applies the factor one step late for some lengths, such as a `transition_steps` of 41
    in float32. `transition_steps` of 0, `decay_rate` of 0 (optax returns a constant schedule) and a negative
    `transition_begin` (optax uses 0) raise a ValueError.

    Source: optax.exponential_decay of optax 0.2.8.
    """
    largest, build = exponential(init_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return from_rates([largest], build)


_LARGEST_GROWTH = 1.7e38  # the largest level; growth without a bound overflows float32 soon after


def exponential(
    first: float, steps: int, rate: float, begin: int, staircase: bool, end: float | None
) -> tuple[Fraction, Callable[[ToMultiplier], fs.Schedule]]:
    """The largest learning rate (in magnitude) of an exponential decay from `first`, and `build` for `from_rates`."""
    limit = None  # of a negative rate: a decay rises to 0 above a lower limit, and growth stays below an upper one
    if first < 0:
        limit, end = end, None
    elif end is not None and (end >= first if rate < 1 else end <= first):
        first, rate, end = end, 1.0, None  # at the bound from the start
    elif end is not None and end < 0:
        end = None  # a bound that no value reaches
    start = Fraction(first)
    bound = _LARGEST_GROWTH if rate > 1 else None
    if end is not None and start:
        bound = float(Fraction(end) / start)
    reached = end if rate > 1 and start else None
    largest = max(start, Fraction(limit or 0), Fraction(reached or 0), key=abs)

    def build(multiplier: ToMultiplier) -> fs.Schedule:
        level = multiplier(start)
        curve: fs.Schedule = fs.constant(level)
        if rate != 1 and start:
            decay = fs.exponential_decay(rate, steps, staircase=staircase, end=bound)
            scaled = decay if level == 1 else fs.scale(decay, level)
            curve = fs.join([curve, scaled], [begin]) if begin else scaled
        if limit is None:
            return curve
        # A negative peak reverses the order of multipliers.
        limited = fs.maximum if (rate < 1) == (largest > 0) else fs.minimum
        return limited(curve, multiplier(Fraction(limit)))

    return largest, build


@checked(common=RULES)
def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0) -> Rated:
    """A cosine decay.

    ``init_value * (alpha + (1 - alpha) * ((1 + cos(pi * u)) / 2) ** exponent)`` with ``u = step / decay_steps``, at
    most 1

    Args:
        init_value: learning rate at step 0 (float, -1.7e38 to 1.7e38).
        decay_steps: length of the decay in steps (int, 0 to 2**53).
        alpha: ratio of the last learning rate to `init_value` (float, -1.7e38 to 1.7e38). Above 1 the learning rate
            rises.
        exponent: power of the cosine (float, above 0).

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import cosine_decay_schedule
        >>> cosine_decay_schedule(0.5, 100, alpha=0.1)
        Rated(schedule=ramp(start=1.0, stop=0.1, steps=100, shape=cosine), peak_value=0.5)

    Differs: with `decay_steps` of 0 the decay is absent and its last learning rate is held from step 0 on; optax raises
    a ValueError.

    Source: optax.cosine_decay_schedule of optax 0.2.8; Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    last = Fraction(init_value) * Fraction(alpha)
    return from_phases((decay_steps, init_value, last, with_exponent(fs.cosine, exponent)))
