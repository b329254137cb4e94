"""The schedules of optax with a warmup, under their own names."""

from __future__ import annotations

from fractions import Fraction

import funcsched as fs
from bridges.arguments import checked
from bridges.optax.basic import exponential
from bridges.optax.rates import RULES, ToMultiplier, from_phases, from_rates, with_exponent
from bridges.rated import Rated
from funcsched.core.validation import argument_error, concrete_positive_int, require_at_most


@checked(common=RULES, transition_steps=concrete_positive_int)
def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Rated:
    """The one-cycle policy in three linear phases: up to the peak, back to the start, and down to almost 0.

    Through ``peak_value / div_factor`` at step 0, `peak_value` at ``int(pct_start * transition_steps)``,
    ``peak_value / div_factor`` at ``int(pct_final * transition_steps)``, and
    ``peak_value / div_factor / final_div_factor`` at `transition_steps`, which is held

    Args:
        transition_steps: total number of steps (int, 1 to 2**53).
        peak_value: learning rate at the peak (float, -1.7e38 to 1.7e38).
        pct_start: fraction of `transition_steps` at which the peak is (float, 0 to 1).
        pct_final: fraction of `transition_steps` at which the second phase ends (float, `pct_start` to 1).
        div_factor: ratio of the peak to the learning rate at step 0 (float, 1e-30 to 1e30).
        final_div_factor: ratio of the learning rate at step 0 to the last one (float, 1e-30 to 1e30).

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import linear_onecycle_schedule
        >>> linear_onecycle_schedule(100, 0.5).schedule
        one_cycle(warmup_steps=30, total_steps=100, decay_steps=55, shape=linear)

    Differs: a phase of 0 steps is absent. optax stores its boundaries in a dict: where two of them fall on the same
    step (few steps in total, or a fraction of 1), the first one is lost with its factor, and all later learning rates
    are wrong.

    Source: optax.linear_onecycle_schedule of optax 0.2.8, whose docstring omits `div_factor` from the last learning
    rate; Smith and Topin 2017, arXiv:1708.07120.
    """
    if pct_final < pct_start:
        requirement = f"at least `pct_start` ({pct_start!r})"
        raise argument_error("linear_onecycle_schedule", "pct_final", requirement, pct_final)
    up, middle = int(pct_start * transition_steps), int(pct_final * transition_steps)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):  # a divisor below 1 puts the maximum elsewhere
        first, last = float(start / peak), float(end / peak)
        schedule = fs.one_cycle(up, transition_steps, decay_steps=middle - up, start=first, end=last, shape=fs.linear)
        return Rated(schedule, peak_value)
    return from_phases(
        (up, start, peak, fs.linear),
        (middle - up, peak, start, fs.linear),
        (transition_steps - middle, start, end, fs.linear),
    )


def _one_cycle_rates(peak_value: float, div_factor: float, final_div_factor: float) -> tuple[Fraction, ...]:
    """The learning rates at the peak, at step 0 and at the end."""
    peak = Fraction(peak_value)
    start = peak / Fraction(div_factor)
    return peak, start, start / Fraction(final_div_factor)


@checked(common=RULES, transition_steps=concrete_positive_int)
def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Rated:
    """The one-cycle policy in two half-cosines: up to the peak, and down to almost 0.

    Through ``peak_value / div_factor`` at step 0, `peak_value` at ``int(pct_start * transition_steps)``, and
    ``peak_value / div_factor / final_div_factor`` at `transition_steps`, which is held

    Args:
        transition_steps: total number of steps (int, 1 to 2**53).
        peak_value: learning rate at the peak (float, -1.7e38 to 1.7e38).
        pct_start: fraction of `transition_steps` at which the peak is (float, 0 to 1).
        div_factor: ratio of the peak to the learning rate at step 0 (float, 1e-30 to 1e30).
        final_div_factor: ratio of the learning rate at step 0 to the last one (float, 1e-30 to 1e30).

    Returns:
        A schedule and its peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import cosine_onecycle_schedule
        >>> cosine_onecycle_schedule(100, 0.5)
        Rated(schedule=one_cycle(warmup_steps=30, total_steps=100), peak_value=0.5)

    Differs: with a `pct_start` of 1 the learning rate rises to the peak and then jumps to the last one. optax loses the
    peak, because it stores its boundaries in a dict, and goes straight to the last learning rate.

    Source: optax.cosine_onecycle_schedule of optax 0.2.8; Smith and Topin 2017, arXiv:1708.07120.
    """
    up = int(pct_start * transition_steps)
    peak, start, end = _one_cycle_rates(peak_value, div_factor, final_div_factor)
    if 0 < peak == max(peak, start, end):
        schedule = fs.one_cycle(up, transition_steps, start=float(start / peak), end=float(end / peak))
        return Rated(schedule, peak_value)
    return from_phases((up, start, peak, fs.cosine), (transition_steps - up, peak, end, fs.cosine))


@checked(common=RULES)
def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Rated:
    """Linear from one learning rate to another, which is then held.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then `peak_value`

    Args:
        init_value: learning rate at step 0 (float, -1.7e38 to 1.7e38).
        peak_value: learning rate from `warmup_steps` on (float, -1.7e38 to 1.7e38).
        warmup_steps: length of the warmup in steps (int, 0 to 2**53).

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import warmup_constant_schedule
        >>> warmup_constant_schedule(0.0, 0.5, 10)
        Rated(schedule=ramp(start=0.0, stop=1.0, steps=10), peak_value=0.5)

    Differs: with `warmup_steps` of 0 the warmup is absent and `peak_value` is held from step 0 on; optax then holds
    `init_value`, which is usually 0, indefinitely.

    Source: optax.warmup_constant_schedule of optax 0.2.8.
    """
    return from_phases((warmup_steps, init_value, peak_value, fs.linear))


@checked(common=RULES)
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
        init_value: learning rate at step 0 (float, -1.7e38 to 1.7e38).
        peak_value: learning rate after the warmup (float, -1.7e38 to 1.7e38).
        warmup_steps: length of the warmup in steps (int, 0 to `decay_steps`).
        decay_steps: total number of steps, including warmup (int, 0 to 2**53).
        end_value: learning rate from `decay_steps` on (float, -1.7e38 to 1.7e38).
        exponent: power of the cosine (float, above 0).

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude.

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
    require_at_most("warmup_cosine_decay_schedule", "warmup_steps", warmup_steps, "decay_steps", decay_steps)
    if exponent == 1 and 0 < peak_value == max(init_value, peak_value, end_value):
        start, end = init_value / peak_value, end_value / peak_value
        return Rated(fs.warmup_cosine(warmup_steps, decay_steps, start=start, end=end), peak_value)
    warmup = warmup_steps, init_value, peak_value, fs.linear
    return from_phases(warmup, (decay_steps - warmup_steps, peak_value, end_value, with_exponent(fs.cosine, exponent)))


@checked(common=RULES, transition_steps=concrete_positive_int)
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
    """A linear warmup, then an exponential decay: a factor of `decay_rate` over every `transition_steps` steps.

    ``init_value + (peak_value - init_value) * step / warmup_steps`` below `warmup_steps`, then `exponential_decay`
    from `peak_value` with the other arguments, at ``step - warmup_steps``

    Args:
        init_value: learning rate at step 0 (float, -1.7e38 to 1.7e38).
        peak_value: learning rate after the warmup (float, -1.7e38 to 1.7e38).
        warmup_steps: length of the warmup in steps (int, 0 to 2**53).
        transition_steps: number of steps over which the factor applies once (int, 1 to 2**53).
        decay_rate: factor (float, 1e-30 to 1e30).
        transition_begin: number of steps between the warmup and the decay (int, 0 to 2**53).
        staircase: whether the learning rate changes only after every `transition_steps` steps, by the whole factor.
        end_value: bound of the learning rate in the decay (float, -1.7e38 to 1.7e38), or None.

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import warmup_exponential_decay_schedule
        >>> schedule, peak_value = warmup_exponential_decay_schedule(0.0, 0.5, 10, 100, 0.25)
        >>> [peak_value * schedule(step) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.25, 0.5, 0.25, 0.125]

    Differs: as `exponential_decay` does, with steps counted from the end of the warmup.

    Source: optax.warmup_exponential_decay_schedule of optax 0.2.8.
    """
    largest, build = exponential(peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    if warmup_steps == 0:
        return from_rates([largest], build)
    start, stop = Fraction(init_value), Fraction(peak_value)

    def with_warmup(multiplier: ToMultiplier) -> fs.Schedule:
        warmup = fs.ramp(multiplier(start), multiplier(stop), steps=warmup_steps)
        return fs.join([warmup, build(multiplier)], [warmup_steps])

    return from_rates([start, stop, largest], with_warmup)
