"""Optax's schedules with a warmup, under their own names and arguments."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import funcsched as fs
from bridges.optax.basic import exponential
from bridges.optax.rates import checked, from_phases, from_rates, with_exponent
from bridges.rated import Rated
from funcsched.core.validation import (
    argument_error,
    concrete_positive_int,
    require_at_most,
)


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
        transition_steps: the length, an integer of at least 1.
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
    total = concrete_positive_int(name, "transition_steps", transition_steps)
    peak_value, pct_start, pct_final, div_factor, final_div_factor = checked(
        name,
        peak_value=peak_value,
        pct_start=pct_start,
        pct_final=pct_final,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
    )
    if pct_final < pct_start:
        raise argument_error(name, "pct_final", f"at least `pct_start` ({pct_start!r})", pct_final)
    up, middle = int(pct_start * total), int(pct_final * total)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):
        levels = {"start": float(start / peak), "end": float(end / peak)}
        return Rated(fs.one_cycle(up, total, decay_steps=middle - up, shape=fs.linear, **levels), peak_value)
    return from_phases(
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
        transition_steps: the length, an integer of at least 1.
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
    total = concrete_positive_int(name, "transition_steps", transition_steps)
    peak_value, pct_start, div_factor, final_div_factor = checked(
        name, peak_value=peak_value, pct_start=pct_start, div_factor=div_factor, final_div_factor=final_div_factor
    )
    up = int(pct_start * total)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):
        return Rated(fs.one_cycle(up, total, start=float(start / peak), end=float(end / peak)), peak_value)
    return from_phases((up, start, peak, fs.cosine), (total - up, peak, end, fs.cosine))


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Rated:
    """A line from one rate to another, which is then held.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then `peak_value`

    Args:
        init_value: the rate at step 0, at least 0.
        peak_value: the rate from `warmup_steps` on, at least 0.
        warmup_steps: the length of the line, an integer of at least 0.

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
    init_value, peak_value, steps = checked(
        "warmup_constant_schedule", init_value=init_value, peak_value=peak_value, warmup_steps=warmup_steps
    )
    return from_phases((steps, init_value, peak_value, fs.linear))


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
        warmup_steps: the length of the warmup, an integer from 0 to `decay_steps`.
        decay_steps: the length of both together, an integer.
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
    init_value, peak_value, warmup_steps, decay_steps, end_value, exponent = checked(
        name,
        init_value=init_value,
        peak_value=peak_value,
        warmup_steps=warmup_steps,
        decay_steps=decay_steps,
        end_value=end_value,
        exponent=exponent,
    )
    require_at_most(name, "warmup_steps", warmup_steps, "decay_steps", decay_steps)
    if exponent == 1 and 0 < peak_value == max(init_value, peak_value, end_value):
        levels = {"start": init_value / peak_value, "end": end_value / peak_value}
        return Rated(fs.warmup_cosine(warmup_steps, decay_steps, **levels), peak_value)
    return from_phases(
        (warmup_steps, init_value, peak_value, fs.linear),
        (decay_steps - warmup_steps, peak_value, end_value, with_exponent(fs.cosine, exponent)),
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
        warmup_steps: the length of the warmup, an integer of at least 0.
        transition_steps: over how many steps the factor applies once, an integer of at least 1.
        decay_rate: the factor, from 1e-30 to 1e30.
        transition_begin: how many steps after the warmup the decay begins, an integer of at least 0.
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
    init_value, peak_value, warmup_steps = checked(
        name, init_value=init_value, peak_value=peak_value, warmup_steps=warmup_steps
    )
    largest, build = exponential(name, peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    if warmup_steps == 0:
        return from_rates([largest], build)
    start, stop = Fraction(init_value), Fraction(peak_value)

    def with_warmup(of_peak: Callable[[Fraction], float]) -> fs.Schedule:
        return fs.join([fs.ramp(of_peak(start), of_peak(stop), steps=warmup_steps), build(of_peak)], [warmup_steps])

    return from_rates([start, stop, largest], with_warmup)
