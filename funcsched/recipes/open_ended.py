"""Decays that need no total number of steps: inverse powers, exponential decays and steps."""

from __future__ import annotations

import math

from funcsched.combinators.algebra import scale
from funcsched.combinators.time import shift as shifted
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    LARGEST_LEVEL,
    argument_error,
    concrete_nonnegative,
    concrete_nonnegative_ints,
    concrete_positive_int,
    nonnegative,
    optional,
    positive_int,
    ratio_up_to_one,
    require_increasing,
)
from funcsched.primitives.decay import exponential_decay, inverse_power
from funcsched.primitives.piecewise import piecewise_constant
from funcsched.recipes.phases import warmup_then

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


@recipe()
def inverse_sqrt(timescale: int, *, end: float = 0.0) -> Schedule:
    """A decay from 1 with the inverse square root of the step.

    ``end + (1 - end) * sqrt(timescale / (timescale + step))``

    Args:
        timescale: step at which the multiplier is ``sqrt(1/2)``, if `end` is 0 (int, 1 to 2**53).
        end: multiplier of the peak that the schedule approaches, not a learning rate (float).

    Returns:
        A schedule without an end.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_sqrt(100)
        >>> [schedule(step) for step in (0, 300, 9900)]
        [1.0, 0.5, 0.1]
        >>> fs.inverse_sqrt(100, end=0.2)(300)
        0.6

    In other libraries:
        llm-foundry: the decay of inv_sqrt_with_warmup; `end` is alpha_f_decay

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 5.3; get_inverse_sqrt_schedule of transformers.
    """
    return inverse_power(timescale, 0.5, end=end)


@recipe(timescale=optional(positive_int))
def warmup_inverse_sqrt(
    warmup_steps: int,
    *,
    timescale: int | None = None,
    shift: int = 0,
    start: float = 0.0,
    end: float = 0.0,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then a decay with the inverse square root of the step.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * sqrt(timescale / (timescale + shift + step - warmup_steps))``

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        timescale: number of decay steps after which the multiplier is ``sqrt(1/2)``, if `end` is 0 (int, 1 to 2**53).
            None uses `warmup_steps`, which gives ``sqrt(warmup_steps / step)``; it is required if `warmup_steps` is 0.
        shift: number of steps to skip at the beginning of the decay, which then starts below 1 (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; `warmup_offset` or the function `shift` skips it.
        end: multiplier of the peak that the decay approaches, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule without an end. `then` adds a cooldown.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_inverse_sqrt(100)
        >>> [schedule(step) for step in (0, 50, 100, 400, 10_000)]
        [0.0, 0.5, 1.0, 0.5, 0.1]

    In other libraries:
        transformers: inverse_sqrt, get_inverse_sqrt_schedule
        fairseq: inverse_sqrt
        Megatron: inverse-square-root, up to lr_decay_steps
        big_vision: rsqrt; its timescale is 10,000 by default
        T5X: linear_warmup * rsqrt_normalized_decay
        ESPnet: WarmupLR; uses `step + 1`
        NeMo: InverseSquareRootAnnealing; its warmup and its timescale have `warmup_steps + 1`

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 5.3, scaled to a peak of 1; big_vision's rsqrt has
    `timescale` and `shift`.
    """
    decay = inverse_sqrt(
        positive_int("warmup_inverse_sqrt", "timescale", warmup_steps if timescale is None else timescale), end=end
    )
    return warmup_then(warmup_steps, start, decay if shift == 0 else shifted(decay, shift), warmup_offset)


@recipe(d_model=concrete_positive_int, warmup_steps=positive_int)
def noam(d_model: int, warmup_steps: int) -> Schedule:
    """The schedule of the original Transformer, whose values are learning rates: use it with a peak learning rate of 1.

    ``d_model ** -0.5 * min((step + 1) ** -0.5, (step + 1) * warmup_steps ** -1.5)``

    Args:
        d_model: width of the model (int, 1 to 2**53).
        warmup_steps: number of warmup steps (int, 1 to 2**53).

    Returns:
        A schedule without an end. Its peak is ``(d_model * warmup_steps) ** -0.5``, at step ``warmup_steps - 1``,
        because the paper counts steps from 1.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.noam(64, 100)
        >>> [schedule(step) for step in (0, 99, 399)]
        [0.000125, 0.0125, 0.00625]

    In other libraries:
        ESPnet: NoamLR
        praxis: Transformer
        NeMo: NoamAnnealing; it has the same rate at steps 0 and 1

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 3; ESPnet's NoamLR.
    """
    return scale(shifted(warmup_inverse_sqrt(warmup_steps), 1), (d_model * warmup_steps) ** -0.5)


@recipe(timescale=optional(positive_int))
def power_law(
    warmup_steps: int,
    *,
    exponent: float = 0.51,
    timescale: int | None = None,
    start: float = 0.0,
    end: float = 0.0,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then a decay with a power of the step.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * (timescale / (timescale + step - warmup_steps)) ** exponent``

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        exponent: how fast the multiplier falls (float, above 0 and at most 1000).
        timescale: number of decay steps after which the multiplier is ``2 ** -exponent``, if `end` is 0 (int, 1 to
            2**53). None uses `warmup_steps`, which gives ``(step / warmup_steps) ** -exponent``; it is required if
            `warmup_steps` is 0.
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: multiplier of the peak that the decay approaches, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule without an end. `then` adds a cooldown.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.power_law(100, exponent=1)
        >>> [schedule(step) for step in (0, 100, 200, 1000)]
        [0.0, 1.0, 0.5, 0.1]

    In other libraries:
        OLMo-core: PowerLR, up to its linear decay

    Source: Shen et al. 2024 (the Power scheduler), arXiv:2408.13359, exponent 0.51; PowerLR of OLMo-core.
    """
    decay = inverse_power(
        positive_int("power_law", "timescale", warmup_steps if timescale is None else timescale), exponent, end=end
    )
    return warmup_then(warmup_steps, start, decay, warmup_offset)


@recipe(rate=ratio_up_to_one, decay_steps=positive_int, end=nonnegative)
def warmup_exponential(
    warmup_steps: int,
    decay_steps: int,
    rate: float,
    *,
    start: float = 0.0,
    end: float = 0.0,
    staircase: bool = False,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then an exponential decay.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``max(end, rate ** ((step - warmup_steps) / decay_steps))``; with `staircase`, the exponent is rounded down

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        decay_steps: number of steps in which the factor `rate` applies once (int, 1 to 2**53).
        rate: the factor (float, 1e-30 to 1).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: lowest multiplier of the peak in the decay, not a learning rate (float, at least 0).
        staircase: whether the whole factor applies after every `decay_steps` steps, instead of gradually (bool).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_exponential(20, 40, 0.25)
        >>> [schedule(step) for step in (0, 20, 40, 60)]
        [0.0, 1.0, 0.5, 0.25]
        >>> fs.warmup_exponential(20, 20, 0.5, staircase=True)(39)
        1.0

    In other libraries:
        optax: warmup_exponential_decay_schedule

    Source: optax.warmup_exponential_decay_schedule.
    """
    decay = exponential_decay(rate, decay_steps, staircase=staircase, end=end)
    return warmup_then(warmup_steps, start, decay, warmup_offset)


@recipe(factor=ratio_up_to_one)
def step_decay(period: int, factor: float = 0.1) -> Schedule:
    """A decay by a constant factor after every `period` steps.

    ``factor ** floor(step / period)``

    Args:
        period: number of steps between two changes (int, 1 to 2**53).
        factor: the factor (float, 1e-30 to 1).

    Returns:
        A schedule without an end.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.step_decay(30, 0.5)
        >>> [schedule(step) for step in (0, 29, 30, 59, 60)]
        [1.0, 1.0, 0.5, 0.5, 0.25]

    In other libraries:
        torch: StepLR
        timm: StepLRScheduler
        Composer: StepScheduler
        fairseq: step, after a warmup
        T5X: decay_every
        mmengine: StepLR

    Source: StepLR of torch.
    """
    return exponential_decay(factor, period, staircase=True)


@recipe(boundaries=concrete_nonnegative_ints, factor=concrete_nonnegative)
def multistep(boundaries: Iterable[int], factor: float = 0.1) -> Schedule:
    """A decay by a constant factor at each of several given steps.

    ``factor ** n``, where n is the number of boundaries up to and including `step`

    Args:
        boundaries: steps at which the multiplier changes (ints, 0 to 2**53), increasing.
        factor: the factor (float, at least 0).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `boundaries` are not increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.multistep([30, 60, 80], 0.5)
        >>> [schedule(step) for step in (0, 29, 30, 60, 80)]
        [1.0, 1.0, 0.5, 0.25, 0.125]

    In other libraries:
        torch: MultiStepLR
        timm: MultiStepLRScheduler; each level changes one step earlier
        Composer: MultiStepScheduler
        mmengine: MultiStepLR
        detectron2: WarmupMultiStepLR, after a warmup with `warm_into`
        fvcore: MultiStepParamScheduler

    Source: MultiStepLR of torch; He et al. 2015, arXiv:1512.03385, section 4.2.
    """
    steps = tuple(boundaries)
    require_increasing("multistep", "boundaries", steps)
    if factor > 1 and len(steps) * math.log10(factor) > math.log10(LARGEST_LEVEL):
        raise argument_error("multistep", "factor", f"a number with factor**{len(steps)} at most 1.7e38", factor)
    return piecewise_constant(steps, factors=[factor] * len(steps))
