"""The schedules of `optax.schedules` under their own names and arguments, as schedules of this library and a peak.

Every function takes the arguments of optax's in the same order with the same defaults, rates being absolute, and
returns a `Rated`: ``peak_value * schedule(count)`` is the rate, and ``to_optax(*rated)`` optax's function again. Its
`peak_value` is the largest of the rates that the arguments name, so that multipliers go up to 1; where all are 0 it is
0. Numbers must be known: for a sweep over traced ones, build the schedule itself.

Three things hold for all of them. Below step 0 the first rate holds, where some of optax's functions go on. On integer
counts of any width nothing wraps. And multipliers are within 4 ulp of exact mathematics, jitted or not; optax computes
its formulas in float32 as they are written, which near the end of a long cosine leaves no digit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from itertools import accumulate
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import funcsched as fs
from bridges.jax import register
from bridges.rated import Rated, called, chosen
from funcsched._check import (
    LARGEST_LEVEL,
    callable_,
    increasing,
    length_now,
    level_now,
    optional,
    positive,
    ratio,
    refuse,
    rule,
    sequence,
    truth,
    whole_now,
    within,
)
from funcsched.numerics.namespace import library
from funcsched.numerics.step import Step
from funcsched.schedule import Lift

_share = rule("a number from 0 to 1", 0, 1)
_RULES: dict[str, Callable[[str, str, Any], Any]] = {
    "value": level_now,
    "init_value": level_now,
    "peak_value": level_now,
    "end_value": level_now,
    "alpha": level_now,
    "power": positive,
    "exponent": positive,
    "transition_steps": whole_now,
    "transition_begin": whole_now,
    "warmup_steps": whole_now,
    "decay_steps": whole_now,
    "decay_rate": ratio,
    "staircase": truth,
    "pct_start": _share,
    "pct_final": _share,
    "div_factor": ratio,
    "final_div_factor": ratio,
}


def _checked(function: str, /, **arguments: Any) -> list[Any]:
    """The arguments by the rule of each one's name."""
    return [_RULES[name](function, name, value) for name, value in arguments.items()]


def _rated(rates: Iterable[Fraction], build: Callable[[Callable[[Fraction], float]], fs.Schedule]) -> Rated:
    """A schedule built of the shares that rates have in the largest of them. Fractions, so each is rounded once."""
    peak = max(rates)
    if not peak:
        return Rated(fs.constant(), 0.0)
    return Rated(build(lambda rate: float(rate / peak)), float(peak))


def _phases(*phases: tuple[int, float | Fraction, float | Fraction, fs.Shape]) -> Rated:
    """Ramps from rate to rate: (steps, start, stop, shape). One of no steps is absent, but the last leaves its stop."""
    rows = [
        (steps, Fraction(start if steps else stop), Fraction(stop), shape)
        for i, (steps, start, stop, shape) in enumerate(phases)
        if steps or i == len(phases) - 1
    ]
    boundaries = list(accumulate(steps for steps, *_ in rows))[:-1]

    def build(of_peak: Callable[[Fraction], float]) -> fs.Schedule:
        pieces = [
            fs.constant(of_peak(stop))
            if start == stop
            else fs.ramp(of_peak(start), of_peak(stop), steps=steps, shape=shape)
            for steps, start, stop, shape in rows
        ]
        return fs.join(pieces, boundaries) if boundaries else pieces[0]

    return _rated([rate for _, start, stop, _ in rows for rate in (start, stop)], build)


def _bent(shape: fs.Shape, exponent: float) -> fs.Shape:
    """Of a symmetric shape the one on which a fall is the `exponent`-th power of the fall along it."""
    if exponent == 1:
        return shape
    return fs.reverse(fs.power(exponent) if shape == fs.linear else fs.compose(fs.power(exponent), shape))


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
    (value,) = _checked("constant_schedule", value=value)
    return _phases((0, value, value, fs.linear))


def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Rated:
    """A line from one rate to another, up or down.

    ``init_value + (end_value - init_value) * u`` with ``u = (step - transition_begin) / transition_steps`` clipped to
    [0, 1]

    Args:
        init_value: the rate up to `transition_begin`, at least 0.
        end_value: the rate from the end of the transition on, at least 0.
        transition_steps: the length of the transition, a whole number of at least 0.
        transition_begin: the step at which it begins, a whole number of at least 0.

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
    init_value, end_value, steps, begin = _checked(
        "linear_schedule",
        init_value=init_value,
        end_value=end_value,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    return _phases((begin, init_value, init_value, fs.linear), (steps, init_value, end_value, fs.linear))


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
        transition_steps: the length of the transition, a whole number of at least 0.
        transition_begin: the step at which it begins, a whole number of at least 0.

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
    optax then holds `init_value` for ever. Where `power` is no whole number, optax under jit is NaN from the end of
    the transition on, for ever, for many lengths (10, 20, 30, 60, 1000): what remains is rounded to below 0. What it
    replaces (negative `transition_steps` or `transition_begin`) is refused.

    Source: optax.polynomial_schedule of optax 0.2.8.
    """
    init_value, end_value, power, steps, begin = _checked(
        "polynomial_schedule",
        init_value=init_value,
        end_value=end_value,
        power=power,
        transition_steps=transition_steps,
        transition_begin=transition_begin,
    )
    curve = _bent(fs.linear, power)
    return _phases((begin, init_value, init_value, fs.linear), (steps, init_value, end_value, curve))


def _knots(function: str, init_value: float, scales: Mapping[int, float] | None) -> tuple[list[int], list[Fraction]]:
    """The boundaries in order, and the rates before the first and from each on."""
    argument, given = "boundaries_and_scales", {} if scales is None else scales
    if not isinstance(given, Mapping):
        raise refuse(function, argument, "a mapping from boundaries to scales, or None", scales, TypeError)
    checked = {
        whole_now(function, f"{argument} key", key): level_now(function, f"{argument}[{key!r}]", scale)
        for key, scale in given.items()
    }
    boundaries = sorted(checked)
    rates = list(accumulate((Fraction(checked[key]) for key in boundaries), mul, initial=Fraction(init_value)))
    if max(rates) > LARGEST_LEVEL:
        raise refuse(function, argument, "scales that keep the rates to 3.4e38", given)
    return boundaries, rates


def piecewise_constant_schedule(init_value: float, boundaries_and_scales: Mapping[int, float] | None = None) -> Rated:
    """A rate that is multiplied by a number at each of several steps.

    ``init_value * s_1 * ... * s_i`` for ``b_i <= step < b_(i + 1)``, {b: s} in the order of the boundaries

    Args:
        init_value: the rate before the first boundary, at least 0.
        boundaries_and_scales: from the steps at which the rate changes, whole numbers of at least 0, to what it is
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
    (init_value,) = _checked(name, init_value=init_value)
    boundaries, rates = _knots(name, init_value, boundaries_and_scales)
    if not boundaries:
        return _phases((0, rates[0], rates[0], fs.linear))
    return _rated(rates, lambda of_peak: fs.piecewise_constant(boundaries, levels=[of_peak(rate) for rate in rates]))


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
        boundaries_and_scales: from the steps of the knots, whole numbers of at least 0, to what the rate of the knot
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
    shape = chosen(name, "interpolate_type", interpolate_type, _INTERPOLATIONS)
    (init_value,) = _checked(name, init_value=init_value)
    boundaries, rates = _knots(name, init_value, boundaries_and_scales)
    if not boundaries:
        return _phases((0, rates[0], rates[0], fs.linear))
    if boundaries[0] == 0:
        rates = rates[1:]
    else:
        boundaries = [0, *boundaries]
    return _rated(rates, lambda of_peak: fs.interpolate(boundaries, [of_peak(rate) for rate in rates], shape=shape))


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
        transition_steps: over how many steps the factor applies once, a whole number of at least 1.
        decay_rate: the factor, from 1e-30 to 1e30.
        transition_begin: the step at which it begins, a whole number of at least 0.
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
    (init_value,) = _checked(name, init_value=init_value)
    largest, build = _exponential(
        name, init_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return _rated([largest], build)


_HIGHEST = 3e38  # a growth without a bound overflows float32 soon after


def _exponential(
    function: str, first: float, transition_steps: Any, decay_rate: Any, transition_begin: Any, staircase: Any, end: Any
) -> tuple[Fraction, Callable[[Callable[[Fraction], float]], fs.Schedule]]:
    """The largest rate, and what builds the schedule."""
    steps = length_now(function, "transition_steps", transition_steps)
    rate, begin, staircase = _checked(
        function, decay_rate=decay_rate, transition_begin=transition_begin, staircase=staircase
    )
    end = optional(level_now)(function, "end_value", end)
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
        decay_steps: the length of the decay, a whole number of at least 0.
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
    init_value, steps, alpha, exponent = _checked(
        "cosine_decay_schedule", init_value=init_value, decay_steps=decay_steps, alpha=alpha, exponent=exponent
    )
    return _phases((steps, init_value, Fraction(init_value) * Fraction(alpha), _bent(fs.cosine, exponent)))


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Rated:
    """The one-cycle policy in three lines: up to the peak, back, and down to almost nothing.

    Through ``peak_value / div_factor`` at step 0, `peak_value` at ``int(pct_start * transition_steps)``,
    ``peak_value / div_factor`` at ``int(pct_final * transition_steps)``, and
    ``peak_value / div_factor / final_div_factor`` at `transition_steps`, which is held

    Args:
        transition_steps: the length, a whole number of at least 1.
        peak_value: the rate at the peak, at least 0.
        pct_start: where the peak is, as a share of the length: from 0 to 1, as all shares.
        pct_final: where the second line ends, at least `pct_start`.
        div_factor: how many times lower the rate is at step 0, from 1e-30 to 1e30.
        final_div_factor: how many times lower than at step 0 it is at the end, the same.

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import linear_onecycle_schedule
        >>> linear_onecycle_schedule(100, 0.5).schedule
        one_cycle(warmup_steps=30, total_steps=100, decay_steps=55, shape=linear)

    Differs: optax keeps its knots in a dict, so that of two at one step, as of a few steps in all or with a share of 1,
    the first is lost with its factor, and all later rates are wrong; here a line of no steps is absent.

    Source: optax.linear_onecycle_schedule of optax 0.2.8, whose docstring leaves `div_factor` out of the last rate;
    Smith and Topin 2017, arXiv:1708.07120.
    """
    name = "linear_onecycle_schedule"
    total = length_now(name, "transition_steps", transition_steps)
    peak_value, pct_start, pct_final, div_factor, final_div_factor = _checked(
        name,
        peak_value=peak_value,
        pct_start=pct_start,
        pct_final=pct_final,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
    )
    if pct_final < pct_start:
        raise refuse(name, "pct_final", f"at least `pct_start` ({pct_start!r})", pct_final)
    up, middle = int(pct_start * total), int(pct_final * total)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):
        levels = {"start": float(start / peak), "end": float(end / peak)}
        return Rated(fs.one_cycle(up, total, decay_steps=middle - up, shape=fs.linear, **levels), peak_value)
    return _phases(
        (up, start, peak, fs.linear), (middle - up, peak, start, fs.linear), (total - middle, start, end, fs.linear)
    )


def _one_cycle_rates(peak_value: float, div_factor: float, final_div_factor: float) -> tuple[Fraction, ...]:
    """At the peak, the beginning and the end."""
    peak = Fraction(peak_value)
    start = peak / Fraction(div_factor)
    return peak, start, start / Fraction(final_div_factor)


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Rated:
    """The one-cycle policy in two half-cosines: up to the peak, and down to almost nothing.

    Through ``peak_value / div_factor`` at step 0, `peak_value` at ``int(pct_start * transition_steps)``, and
    ``peak_value / div_factor / final_div_factor`` at `transition_steps`, which is held

    Args:
        transition_steps: the length, a whole number of at least 1.
        peak_value: the rate at the peak, at least 0.
        pct_start: where the peak is, as a share of the length: from 0 to 1.
        div_factor: how many times lower the rate is at step 0, from 1e-30 to 1e30.
        final_div_factor: how many times lower than at step 0 it is at the end, the same.

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import cosine_onecycle_schedule
        >>> cosine_onecycle_schedule(100, 0.5)
        Rated(schedule=one_cycle(warmup_steps=30, total_steps=100), peak_value=0.5)

    Differs: with a `pct_start` of 1 optax loses the peak, its knots being in a dict, and goes straight to the last
    rate; here the rate rises to the peak and then is the last one.

    Source: optax.cosine_onecycle_schedule of optax 0.2.8; Smith and Topin 2017, arXiv:1708.07120.
    """
    name = "cosine_onecycle_schedule"
    total = length_now(name, "transition_steps", transition_steps)
    peak_value, pct_start, div_factor, final_div_factor = _checked(
        name, peak_value=peak_value, pct_start=pct_start, div_factor=div_factor, final_div_factor=final_div_factor
    )
    up = int(pct_start * total)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):
        return Rated(fs.one_cycle(up, total, start=float(start / peak), end=float(end / peak)), peak_value)
    return _phases((up, start, peak, fs.cosine), (total - up, peak, end, fs.cosine))


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Rated:
    """A line from one rate to another, which is then held.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then `peak_value`

    Args:
        init_value: the rate at step 0, at least 0.
        peak_value: the rate from `warmup_steps` on, at least 0.
        warmup_steps: the length of the line, a whole number of at least 0.

    Returns:
        A schedule and its peak, the larger of the two rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import warmup_constant_schedule
        >>> warmup_constant_schedule(0.0, 0.5, 10)
        Rated(schedule=ramp(start=0.0, stop=1.0, steps=10), peak_value=0.5)

    Differs: with `warmup_steps` of 0 there is no warmup and `peak_value` holds from step 0 on; optax then holds
    `init_value` for ever, which is usually 0.

    Source: optax.warmup_constant_schedule of optax 0.2.8.
    """
    init_value, peak_value, steps = _checked(
        "warmup_constant_schedule", init_value=init_value, peak_value=peak_value, warmup_steps=warmup_steps
    )
    return _phases((steps, init_value, peak_value, fs.linear))


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Rated:
    """A linear warmup, then a cosine decay.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then
    ``end_value + (peak_value - end_value) * ((1 + cos(pi * u)) / 2) ** exponent`` with
    ``u = (step - warmup_steps) / (decay_steps - warmup_steps)``; `end_value` is held

    Args:
        init_value: the rate at step 0, at least 0.
        peak_value: the rate after the warmup, at least 0.
        warmup_steps: the length of the warmup, a whole number from 0 to `decay_steps`.
        decay_steps: the length of both together, a whole number.
        end_value: the rate from `decay_steps` on, at least 0.
        exponent: above 0.

    Returns:
        A schedule and its peak, the largest of the three rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import warmup_cosine_decay_schedule
        >>> warmup_cosine_decay_schedule(0.0, 0.5, 10, 100, end_value=0.05)
        Rated(schedule=warmup_cosine(warmup_steps=10, total_steps=100, end=0.1), peak_value=0.5)

    Differs: with `decay_steps` equal to `warmup_steps` the decay is absent and `end_value` follows the warmup; optax
    raises a ValueError. With a `peak_value` of 0 and an `end_value` above it, optax stays at 0.

    Source: optax.warmup_cosine_decay_schedule of optax 0.2.8.
    """
    name = "warmup_cosine_decay_schedule"
    init_value, peak_value, warmup_steps, decay_steps, end_value, exponent = _checked(
        name,
        init_value=init_value,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        decay_steps=decay_steps,
        end_value=end_value,
        exponent=exponent,
    )
    within(name, "warmup_steps", warmup_steps, "decay_steps", decay_steps)
    if exponent == 1 and 0 < peak_value == max(init_value, peak_value, end_value):
        levels = {"start": init_value / peak_value, "end": end_value / peak_value}
        return Rated(fs.warmup_cosine(warmup_steps, decay_steps, **levels), peak_value)
    return _phases(
        (warmup_steps, init_value, peak_value, fs.linear),
        (decay_steps - warmup_steps, peak_value, end_value, _bent(fs.cosine, exponent)),
    )


def warmup_exponential_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Rated:
    """A linear warmup, then the same factor in every `transition_steps` steps.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then `exponential_decay`
    from `peak_value` with the other arguments, at ``step - warmup_steps``

    Args:
        init_value: the rate at step 0, at least 0.
        peak_value: the rate after the warmup, at least 0.
        warmup_steps: the length of the warmup, a whole number of at least 0.
        transition_steps: over how many steps the factor applies once, a whole number of at least 1.
        decay_rate: the factor, from 1e-30 to 1e30.
        transition_begin: how many steps after the warmup the decay begins, a whole number of at least 0.
        staircase: whether the factor applies at once at the end of each stretch of `transition_steps`.
        end_value: the bound of the decay, at least 0, or None.

    Returns:
        A schedule and its peak, the largest of the rates.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import warmup_exponential_decay_schedule
        >>> schedule, peak_value = warmup_exponential_decay_schedule(0.0, 0.5, 10, 100, 0.25)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.25, 0.5, 0.25, 0.125]

    Differs: as `exponential_decay` does, counting from the end of the warmup.

    Source: optax.warmup_exponential_decay_schedule of optax 0.2.8.
    """
    name = "warmup_exponential_decay_schedule"
    init_value, peak_value, warmup_steps = _checked(
        name, init_value=init_value, peak_value=peak_value, warmup_steps=warmup_steps
    )
    largest, build = _exponential(
        name, peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    if warmup_steps == 0:
        return _rated([largest], build)
    start, stop = Fraction(init_value), Fraction(peak_value)

    def with_warmup(of_peak: Callable[[Fraction], float]) -> fs.Schedule:
        return fs.join([fs.ramp(of_peak(start), of_peak(stop), steps=warmup_steps), build(of_peak)], [warmup_steps])

    return _rated([start, stop, largest], with_warmup)


_CYCLE = ("init_value", "peak_value", "warmup_steps", "decay_steps", "end_value", "exponent")


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Rated:
    """Cosine decays one after another, each with a warmup of its own.

    ``warmup_cosine_decay_schedule(**cosine_kwargs[i])`` at the steps since the end of the cycle before, whose length is
    its `decay_steps`

    Args:
        cosine_kwargs: for each cycle the arguments of `warmup_cosine_decay_schedule`, by name; at least one cycle, and
            each with a `decay_steps` of at least 1.

    Returns:
        A schedule and its peak, the largest of all rates. Cycles that are all the same are counted, not listed: any
        number of them compiles like one.

    Raises:
        TypeError, ValueError: no sequence of mappings, an empty one, a name that does not exist or is missing, or an
            argument that `warmup_cosine_decay_schedule` refuses.

    Example:
        >>> from bridges.optax import sgdr_schedule
        >>> cycle = {"init_value": 0.0, "peak_value": 0.5, "warmup_steps": 10, "decay_steps": 100}
        >>> schedule, peak_value = sgdr_schedule([cycle, {**cycle, "peak_value": 0.25}])
        >>> [peak_value * schedule(step) for step in (0, 10, 100, 110, 200)]
        [0.0, 0.5, 0.0, 0.25, 0.0]

    Source: optax.sgdr_schedule of optax 0.2.8; Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    rows = sequence("sgdr_schedule", "cosine_kwargs", cosine_kwargs, _cycle, "mappings")
    if not rows:
        raise refuse("sgdr_schedule", "cosine_kwargs", "at least one cycle", [])
    cycles, lengths = zip(*rows, strict=True)
    if len(set(rows)) == 1:
        (schedule, peak_value), length = cycles[0], lengths[0]
        return Rated(fs.repeat(schedule, length, len(rows)) if len(rows) > 1 and peak_value else schedule, peak_value)
    return join_schedules(cycles, accumulate(lengths[:-1]))


def _cycle(function: str, argument: str, value: Any) -> tuple[Rated, int]:
    """A cycle and its length."""
    if not isinstance(value, Mapping):
        raise refuse(function, argument, "a mapping of arguments by name", value, TypeError)
    rated = called(function, warmup_cosine_decay_schedule, _CYCLE, value)
    return rated, length_now(function, f"{argument}['decay_steps']", value["decay_steps"])


def join_schedules(schedules: Iterable[Rated | Callable[[Any], Any]], boundaries: Iterable[int]) -> Rated:
    """One schedule after another, each counting from its own beginning.

    ``schedules[i](step - boundaries[i - 1])`` for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        schedules: at least one: what the functions here or `to_optax` return, or schedules and optax schedules of
            absolute rates, as `from_optax` takes them.
        boundaries: the steps at which each but the first begins, whole numbers, increasing; one fewer than schedules.

    Returns:
        A schedule and its peak, the largest of those given, or 1 where all schedules are functions.

    Raises:
        TypeError, ValueError: no schedule or not callable, a peak below 0, no whole number, not increasing, or the
            wrong number of boundaries.

    Example:
        >>> from bridges.optax import constant_schedule, join_schedules, linear_schedule
        >>> schedule, peak_value = join_schedules([linear_schedule(0.0, 0.5, 10), constant_schedule(0.25)], [10])
        >>> [peak_value * schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.45, 0.25, 0.25]

    Differs: optax takes any number of boundaries and ignores what has no partner.

    Source: optax.join_schedules of optax 0.2.8.
    """
    name = "join_schedules"
    items = sequence(name, "schedules", schedules, _item, "schedules")
    begins = sequence(name, "boundaries", boundaries, whole_now, "whole numbers")
    if not items:
        raise refuse(name, "schedules", "at least one schedule", [])
    if len(begins) != len(items) - 1:
        raise refuse(name, "boundaries", f"one fewer than the {len(items)} schedules", list(begins))
    increasing(name, "boundaries", begins)
    peaks = [item.peak_value for item in items if isinstance(item, Rated)]
    if len(peaks) == len(items) and not max(peaks):
        return Rated(fs.constant(), 0.0)
    peak = max(peaks, default=0.0) or 1.0
    return Rated(fs.join([_over(item, peak) for item in items], begins), peak)


def _item(function: str, argument: str, value: Any) -> Any:
    """A `Rated`, of whatever else has a schedule and a peak as well, or a function."""
    schedule, peak = getattr(value, "schedule", None), getattr(value, "peak_value", None)
    if peak is not None and isinstance(schedule, fs.Schedule):
        return Rated(schedule, level_now(function, f"{argument}.peak_value", peak))
    return callable_(function, argument, value)


def _over(item: Any, peak: float) -> fs.Schedule:
    """The multipliers of a peak that make the rates of an item."""
    if isinstance(item, Rated):
        return item.schedule if item.peak_value == peak else fs.scale(item.schedule, item.peak_value / peak)
    if isinstance(item, fs.Schedule):
        return item if peak == 1 else fs.scale(item, 1.0 / peak)
    return from_optax(item, peak)


class FromOptax(Lift):
    """A function of optax's count; see `from_optax`."""

    __slots__ = ("peak_value",)
    fields = ("function", "peak_value")  # type: ignore[assignment]  # one more than in Lift
    factory = "from_optax"
    static = frozenset(fields)

    peak_value: float

    __repr__ = fs.Schedule.__repr__

    def at(self, step: Step) -> Any:
        return step.full(step.call(partial(_rates, self.function)) / self.peak_value)

    def scalar(self) -> Callable[[int], float]:
        return fs.Schedule.scalar(self)


register(FromOptax)


def _rates(function: Callable[[Any], Any], count: Any) -> Any:
    """The values of a function at a count of any library: of JAX as JAX's, else as NumPy's."""
    kind = library(count)
    if kind == "jax":
        return _each(function, count)
    if kind == "torch":
        count = count.detach().cpu().numpy()
    with jax.ensure_compile_time_eval():  # these are numbers, also while JAX traces
        return np.array(_each(function, _counted(np.asarray(count))), dtype=np.float64)


def _each(function: Callable[[Any], Any], count: jax.Array) -> Any:
    """A function of one count at each of an array: not all of optax's take arrays, and some take them wrongly."""
    for _ in range(count.ndim):
        function = jax.vmap(function)
    return function(count)


def _counted(count: Any) -> jax.Array:
    """A count for JAX, which without x64 ends where optax's own stops: at 2**31 - 1."""
    if count.dtype.kind in "iu":
        largest = np.iinfo(jnp.result_type(int)).max
        return jnp.asarray(np.minimum(count, largest))
    return jnp.asarray(count)


def from_optax(function: Callable[[Any], Any], peak_value: float) -> fs.Schedule:
    """Any optax schedule as a schedule, for PyTorch too.

    ``peak_value * from_optax(function, peak_value)(step) == function(max(step, 0))``

    Args:
        function: from optax's count, a JAX scalar, to a rate.
        peak_value: the rate at multiplier 1, above 0.

    Returns:
        A schedule. JAX runs the function itself, also under jit. A number of Python and each of an array of NumPy or
        torch becomes a count of JAX, at which the function is called, and the result a number again, or an array with
        the dtype and on the device that any schedule has; so this needs JAX there, and runs neither inside
        `torch.func.vmap` nor inside `torch.compile`. Values are as accurate as the function is, which without
        x64 computes in float32. It compares by the identity of the function, and pickles where the function does.
        Prefer the functions named like optax's own: they give schedules that are all of this.

    Raises:
        TypeError, ValueError: `function` is not callable, or `peak_value` not a finite number above 0.

    Example:
        >>> import optax, torch
        >>> from bridges.optax import from_optax
        >>> schedule = from_optax(optax.linear_schedule(0.5, 0.0, 8), peak_value=0.5)
        >>> schedule(4), schedule(torch.arange(0, 12, 4)).tolist()
        (0.5, [1.0, 0.5, 0.0])
    """
    peak = positive("from_optax", "peak_value", peak_value)
    return FromOptax(callable_("from_optax", "function", function), peak)
