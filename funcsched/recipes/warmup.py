"""Schedules of the field that begin with a warmup: compositions, each with its source."""

from __future__ import annotations

from funcsched.combinators.algebra import scale
from funcsched.combinators.sequence import join, then
from funcsched.combinators.time import repeat
from funcsched.combinators.time import shift as ahead
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_positive_int,
    integer_cycles,
    level,
    optional,
    positive_int,
    ratio_up_to_one,
    require_at_most,
)
from funcsched.core.validation import ratio as factor_rule
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.decay import exponential_decay, inverse_power
from funcsched.primitives.ramp import ramp
from funcsched.recipes.classic import inverse_sqrt
from funcsched.recipes.phases import phases, warmup_then, warmup_then_decay
from funcsched.shapes.formulas import cosine, exponential, linear, power, restarts, reverse, sine, waves
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


@recipe()
def warmup_constant(warmup_steps: int, *, start: float = 0.0) -> Schedule:
    """A linear warmup to 1, which is then held.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then 1

    Args:
        warmup_steps: an integer of at least 0; with 0 there is no warmup.
        start: the multiplier at step 0, at least 0. At 0 the first update changes nothing: see `shift`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_constant(10)
        >>> [schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.9, 1.0, 1.0]

    Source: WarmupConstantSchedule of pytorch-transformers 1.0; get_constant_schedule_with_warmup of transformers.
    """
    return ramp(start, 1.0, steps=warmup_steps)


@recipe()
def warmup_linear(warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0) -> Schedule:
    """A linear warmup to 1, then a linear decay.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``1 + (end - 1) * (step - warmup_steps) / (total_steps - warmup_steps)``, and `end` from `total_steps` on

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        start: the multiplier at step 0, at least 0. At 0 the first update changes nothing: see `shift`.
        end: the multiplier from `total_steps` on, at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_linear(10, 100)
        >>> [schedule(step) for step in (0, 10, 55, 100, 101)]
        [0.0, 1.0, 0.5, 0.0, 0.0]

    Source: WarmupLinearSchedule of pytorch-transformers 1.0; Devlin et al. 2018, arXiv:1810.04805, section A.2.
    """
    return warmup_then_decay("warmup_linear", warmup_steps, total_steps, start, end, linear)


@recipe()
def warmup_cosine(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, cycles: float = 0.5
) -> Schedule:
    """A linear warmup to 1, then a cosine decay.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(2 pi cycles (step - warmup_steps) / (total_steps - warmup_steps))) / 2``;
    from `total_steps` on the last value is held, which for half a cycle is `end`

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        start: the multiplier at step 0, at least 0. At 0 the first update changes nothing: see `shift`.
        end: the lowest multiplier of the decay, at least 0.
        cycles: how many waves, above 0. The usual 0.5 is half a wave, from 1 down to `end`; 1.0 comes back up to 1.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine(10, 100, end=0.1)
        >>> [schedule(step) for step in (0, 5, 10, 100, 101)]
        [0.0, 0.5, 1.0, 0.1, 0.1]

    Source: WarmupCosineSchedule of pytorch-transformers 1.0; Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5.
    """
    shape = cosine if cycles == 0.5 else waves(cycles)
    return warmup_then_decay("warmup_cosine", warmup_steps, total_steps, start, end, shape)


@recipe(cycles=integer_cycles)
def warmup_cosine_restarts(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, cycles: int = 1
) -> Schedule:
    """A linear warmup to 1, then cosine decays of equal length, each from 1.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(pi * (cycles * u mod 1))) / 2`` with
    ``u = (step - warmup_steps) / (total_steps - warmup_steps)``, and `end` from `total_steps` on

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        start: the multiplier at step 0, at least 0. At 0 the first update changes nothing: see `shift`.
        end: the lowest multiplier of the decays, at least 0.
        cycles: how many half-cosine decays, an integer of at least 1. Their length need not be whole.

    Returns:
        A schedule. A restart falls on the first step at or after its exact place, on every backend.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine_restarts(0, 100, cycles=2)
        >>> [schedule(step) for step in (0, 50, 100, 101)]
        [1.0, 1.0, 0.0, 0.0]

    Source: WarmupCosineWithHardRestartsSchedule of pytorch-transformers 1.0; Loshchilov and Hutter 2016,
    arXiv:1608.03983, eq. 5.
    """
    shape = cosine if cycles == 1 else restarts(cosine, cycles)
    return warmup_then_decay("warmup_cosine_restarts", warmup_steps, total_steps, start, end, shape)


@recipe()
def warmup_polynomial(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, exponent: float = 1.0
) -> Schedule:
    """A linear warmup to 1, then a polynomial decay.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * ((total_steps - step) / (total_steps - warmup_steps)) ** exponent``, and `end` from
    `total_steps` on

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        start: the multiplier at step 0, at least 0.
        end: the multiplier from `total_steps` on, at least 0.
        exponent: above 0 and at most 1000; 1 is `warmup_linear`, above it the decay ends flat.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_polynomial(10, 110, exponent=2)
        >>> [schedule(step) for step in (0, 10, 60, 110, 111)]
        [0.0, 1.0, 0.25, 0.0, 0.0]

    Source: get_polynomial_decay_schedule_with_warmup of transformers; fairseq's polynomial_decay.
    """
    return warmup_then_decay("warmup_polynomial", warmup_steps, total_steps, start, end, reverse(power(exponent)))


@recipe()
def warmup_half_cosine(warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0) -> Schedule:
    """A linear warmup to 1, then the second, flattening half of a cosine decay, from 1 to `end`.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * (1 - sin(pi/2 * (step - warmup_steps) / (total_steps - warmup_steps)))``

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        start: the multiplier at step 0, at least 0.
        end: the multiplier from `total_steps` on, at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_half_cosine(10, 100)
        >>> [round(schedule(step), 12) for step in (0, 10, 40, 100)]
        [0.0, 1.0, 0.5, 0.0]

    Source: HalfCosWithWarmup of OLMo-core, whose peak is the middle of its cosine: (1 + end) / 2 of the rate given.
    """
    return warmup_then_decay("warmup_half_cosine", warmup_steps, total_steps, start, end, sine)


@recipe(cosine_end=level)
def warmup_cosine_linear(
    warmup_steps: int,
    total_steps: int,
    decay_steps: int,
    *,
    start: float = 0.0,
    cosine_end: float = 0.1,
    end: float = 0.0,
) -> Schedule:
    """A warmup and a cosine decay whose last steps are replaced by a straight line to the end.

    ``warmup_cosine(warmup_steps, total_steps, start=start, end=cosine_end)`` up to ``total_steps - decay_steps``, then
    linear from its value there to `end` at `total_steps`

    Args:
        warmup_steps: an integer from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, an integer.
        decay_steps: the length of the straight line, an integer from 0 to `total_steps`.
        start: the multiplier at step 0, at least 0.
        cosine_end: where the cosine would arrive at `total_steps`, at least 0.
        end: the multiplier from `total_steps` on, at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine_linear(0, 100, 50, cosine_end=0.0)
        >>> [round(schedule(step), 12) for step in (0, 50, 75, 100)]
        [1.0, 0.5, 0.25, 0.0]

    Source: CosWithWarmupAndLinearDecay of OLMo-core.
    """
    require_at_most("warmup_cosine_linear", "decay_steps", decay_steps, "total_steps", total_steps)
    require_at_most("warmup_cosine_linear", "warmup_steps", warmup_steps, "total_steps", total_steps)
    curve = warmup_cosine(warmup_steps, total_steps, start=start, end=cosine_end)
    return then(curve, total_steps - decay_steps, end, steps=decay_steps)


@recipe(timescale=optional(positive_int))
def warmup_inverse_sqrt(
    warmup_steps: int, *, timescale: int | None = None, shift: int = 0, start: float = 0.0
) -> Schedule:
    """A linear warmup to 1, then a decay with the inverse square root of the step.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``sqrt(timescale / (timescale + shift + step - warmup_steps))``

    Args:
        warmup_steps: an integer of at least 0; with 0 there is no warmup.
        timescale: the step after the warmup at which the multiplier is ``sqrt(1/2)``, an integer of at least 1.
            By default `warmup_steps`, which gives ``sqrt(warmup_steps / step)``; without warmup it must be given.
        shift: by how many steps the decay is ahead, an integer of at least 0; the peak is then below 1.
        start: the multiplier at step 0, at least 0.

    Returns:
        A schedule without an end.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_inverse_sqrt(100)
        >>> [schedule(step) for step in (0, 50, 100, 400, 10_000)]
        [0.0, 0.5, 1.0, 0.5, 0.1]

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 5.3, scaled to a peak of 1; the rsqrt of big_vision has
    timescale and shift.
    """
    decay = inverse_sqrt(
        positive_int("warmup_inverse_sqrt", "timescale", warmup_steps if timescale is None else timescale)
    )
    return warmup_then(warmup_steps, start, decay if shift == 0 else ahead(decay, shift))


@recipe(d_model=concrete_positive_int, warmup_steps=positive_int)
def noam(d_model: int, warmup_steps: int) -> Schedule:
    """The schedule of the first Transformer, with its scale: a multiplier of learning rate 1.

    ``d_model ** -0.5 * min((step + 1) ** -0.5, (step + 1) * warmup_steps ** -1.5)``

    Args:
        d_model: the width of the model, an integer of at least 1.
        warmup_steps: an integer of at least 1.

    Returns:
        A schedule without an end; its peak is ``(d_model * warmup_steps) ** -0.5``, at step ``warmup_steps - 1``, for
        the paper counts from 1.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.noam(64, 100)
        >>> [schedule(step) for step in (0, 99, 399)]
        [0.000125, 0.0125, 0.00625]

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 3; ESPnet's NoamLR.
    """
    return scale(ahead(warmup_inverse_sqrt(warmup_steps), 1), (d_model * warmup_steps) ** -0.5)


@recipe(warmup_shape=as_shape, decay_shape=as_shape, cycles=integer_cycles)
def warmup_stable_decay(
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    *,
    start: float = 0.0,
    end: float = 0.0,
    warmup_shape: Shape | Callable[[Any], Any] = linear,
    decay_shape: Shape | Callable[[Any], Any] = linear,
    cycles: int = 1,
) -> Schedule:
    """A warmup to 1, a plateau, and a decay (WSD, trapezoidal).

    ``start + (1 - start) * warmup_shape(step / warmup_steps)``, then 1 for `stable_steps`, then
    ``1 + (end - 1) * decay_shape(u)`` with u the fraction of `decay_steps`; `end` is held

    Args:
        warmup_steps: an integer of at least 0, as all three; a phase of 0 steps is absent.
        stable_steps: the length of the plateau.
        decay_steps: the length of the decay.
        start: the multiplier at step 0, at least 0.
        end: the multiplier after the decay, at least 0.
        warmup_shape: how the warmup goes from 0 to 1: a shape or a function of the fraction.
        decay_shape: how the decay does: `sqrt` is the 1-sqrt cooldown, ``exponential(end)`` halves in equal times.
        cycles: how often plateau and decay are run through, an integer of at least 1; the peak returns at once.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt)
        >>> [schedule(step) for step in (0, 5, 10, 80, 85, 100)]
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]

    Source: Hu et al. 2024 (MiniCPM), arXiv:2404.06395; Hagele et al. 2024, arXiv:2405.18392 (1-sqrt); Wen et al. 2024
    (WSD-S, several cycles), arXiv:2410.05192.
    """
    assert isinstance(warmup_shape, Shape) and isinstance(decay_shape, Shape)  # by the rules of the arguments
    warmup = (warmup_steps, 1.0, warmup_shape)
    decay = (stable_steps, 1.0, linear), (decay_steps, end, decay_shape)
    if cycles == 1:
        return phases(start, warmup, *decay)
    if is_concrete(stable_steps, decay_steps) and stable_steps + decay_steps == 0:
        raise argument_error("warmup_stable_decay", "cycles", "1 where a cycle has no steps", cycles)
    cycle = repeat(phases(1.0, *decay), stable_steps + decay_steps, cycles)
    return (
        cycle
        if is_concrete(warmup_steps) and warmup_steps == 0
        else join([phases(start, warmup), cycle], [warmup_steps])
    )


@recipe(rate=ratio_up_to_one, decay_steps=positive_int)
def warmup_exponential(
    warmup_steps: int, decay_steps: int, rate: float, *, start: float = 0.0, end: float = 0.0, staircase: bool = False
) -> Schedule:
    """A linear warmup to 1, then the same factor in every `decay_steps` steps.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``max(end, rate ** ((step - warmup_steps) / decay_steps))``, with `staircase` of the exponent rounded down

    Args:
        warmup_steps: an integer of at least 0; with 0 there is no warmup.
        decay_steps: over how many steps the factor applies once, an integer of at least 1.
        rate: the factor, from 1e-30 to 1.
        start: the multiplier at step 0, at least 0.
        end: the lowest multiplier of the decay, at least 0.
        staircase: whether the factor applies at once at the end of each stretch of `decay_steps`.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_exponential(10, 100, 0.25)
        >>> [schedule(step) for step in (0, 10, 60, 110)]
        [0.0, 1.0, 0.5, 0.25]

    Source: optax.warmup_exponential_decay_schedule.
    """
    return warmup_then(warmup_steps, start, exponential_decay(rate, decay_steps, staircase=staircase, end=end))


@recipe("end", end=factor_rule)
def tri_stage(
    warmup_steps: int, stable_steps: int, decay_steps: int, *, start: float = 0.01, end: float = 0.01
) -> Schedule:
    """A linear warmup to 1, a plateau, and an exponential decay.

    ``start + (1 - start) * step / warmup_steps``, then 1 for `stable_steps`, then ``end ** u`` with u the fraction of
    `decay_steps`; `end` is held

    Args:
        warmup_steps: an integer of at least 0, as all three; a phase of 0 steps is absent.
        stable_steps: the length of the plateau.
        decay_steps: the length of the decay.
        start: the multiplier at step 0, at least 0.
        end: the multiplier after the decay, from 1e-30 to 1e30.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.tri_stage(10, 40, 50)
        >>> [round(schedule(step), 12) for step in (0, 10, 50, 75, 100)]
        [0.01, 1.0, 1.0, 0.1, 0.01]

    Source: Park et al. 2019 (SpecAugment), arXiv:1904.08779, section 4.2; fairseq's tri_stage.
    """
    decay = exponential(end)
    return phases(start, (warmup_steps, 1.0, linear), (stable_steps, 1.0, linear), (decay_steps, end, decay))


@recipe(timescale=optional(positive_int))
def power_law(
    warmup_steps: int, *, exponent: float = 0.51, timescale: int | None = None, start: float = 0.0
) -> Schedule:
    """A linear warmup to 1, then a power of the step.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``(timescale / (timescale + step - warmup_steps)) ** exponent``

    Args:
        warmup_steps: an integer of at least 0; with 0 there is no warmup.
        exponent: how fast it falls, above 0 and at most 1000.
        timescale: the step after the warmup at which the multiplier is ``2 ** -exponent``, an integer of at least
            1. By default `warmup_steps`, which gives ``(step / warmup_steps) ** -exponent``.
        start: the multiplier at step 0, at least 0.

    Returns:
        A schedule without an end; `then` branches a cooldown off it.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.power_law(100, exponent=1)
        >>> [schedule(step) for step in (0, 100, 200, 1000)]
        [0.0, 1.0, 0.5, 0.1]

    Source: Shen et al. 2024 (the Power scheduler), arXiv:2408.13359, exponent 0.51; PowerLR of OLMo-core.
    """
    scale_of_time = positive_int("power_law", "timescale", warmup_steps if timescale is None else timescale)
    return warmup_then(warmup_steps, start, inverse_power(scale_of_time, exponent))
