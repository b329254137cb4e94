"""A linear warmup, then a constant multiplier or one decay over a given number of steps."""

from __future__ import annotations

from funcsched.combinators.sequence import then
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import level, require_at_most
from funcsched.primitives.ramp import ramp
from funcsched.recipes.phases import skip, warmup_then_decay
from funcsched.shapes.basic import cosine, linear, sine
from funcsched.shapes.combined import reverse
from funcsched.shapes.parametric import power
from funcsched.shapes.repeated import waves


@recipe()
def warmup_constant(warmup_steps: int, *, start: float = 0.0, warmup_offset: int = 0) -> Schedule:
    """A linear warmup to 1, which is then held.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then 1

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_constant(20)
        >>> [schedule(step) for step in (0, 19, 20, 21)]
        [0.0, 0.95, 1.0, 1.0]
        >>> fs.warmup_constant(20, start=0.5)(10)
        0.75

    In other libraries:
        transformers: constant_with_warmup, get_constant_schedule_with_warmup
        optax: warmup_constant_schedule
        Megatron: constant
        DeepSpeed: WarmupLR, warmup_type linear; the engine uses `step - 1`
        Composer: ConstantWithWarmupScheduler
        fairseq: fixed; `warmup_offset` is 1
        open_clip: const, const_lr; `warmup_offset` is 1
        NeMo: WarmupPolicy; its warmup is `(step + 1) / (warmup_steps + 1)`, and after max_steps it is at min_lr

    Source: WarmupConstantSchedule of pytorch-transformers 1.0; get_constant_schedule_with_warmup of transformers.
    """
    return skip(ramp(start, 1.0, steps=warmup_steps), warmup_offset)


@recipe()
def warmup_linear(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, warmup_offset: int = 0
) -> Schedule:
    """A linear warmup to 1, then a linear decay.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``1 + (end - 1) * (step - warmup_steps) / (total_steps - warmup_steps)``, and `end` from step `total_steps` on

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_linear(20, 100)
        >>> [schedule(step) for step in (0, 20, 60, 100, 101)]
        [0.0, 1.0, 0.5, 0.0, 0.0]

    In other libraries:
        transformers: linear, get_linear_schedule_with_warmup
        Megatron: linear
        DeepSpeed: WarmupDecayLR; the engine uses `step - 1`
        torchtitan: linear; `warmup_offset` is 1
        Composer: LinearWithWarmupScheduler
        big_vision: linear
        LLaMA-Factory: linear
        NeMo: WarmupAnnealing; its warmup is `(step + 1) / (warmup_steps + 1)`

    Source: WarmupLinearSchedule of pytorch-transformers 1.0; Devlin et al. 2018, arXiv:1810.04805, section A.2.
    """
    return warmup_then_decay("warmup_linear", warmup_steps, total_steps, start, end, linear, warmup_offset)


@recipe()
def warmup_cosine(
    warmup_steps: int,
    total_steps: int,
    *,
    start: float = 0.0,
    end: float = 0.0,
    cycles: float = 0.5,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then a cosine decay.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(2 pi cycles (step - warmup_steps) / (total_steps - warmup_steps))) / 2``. The value at
    step `total_steps` is held; with half a cycle, it is `end`.

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: lowest multiplier of the peak in the decay, not a learning rate (float).
        cycles: number of cosine waves (float, above 0 and at most 1,000,000). The default 0.5 is half a wave, from 1
            to `end`; 1.0 returns to 1.
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine(20, 100, end=0.1)
        >>> [schedule(step) for step in (0, 10, 20, 100, 101)]
        [0.0, 0.5, 1.0, 0.1, 0.1]

    In other libraries:
        transformers: cosine, get_cosine_schedule_with_warmup, cosine_with_min_lr,
            get_cosine_with_min_lr_schedule_with_warmup, cosine_warmup_with_min_lr,
            get_cosine_with_min_lr_schedule_with_warmup_lr_rate; they rise again after the end, and the last two use
            `step + 1`
        optax: warmup_cosine_decay_schedule
        Megatron: cosine
        Keras: CosineDecay; decay_steps excludes the warmup
        MaxText: cosine; the decay is one step shorter
        timm: CosineLRScheduler with warmup_prefix
        torchtitan: cosine; `warmup_offset` is 1
        nanoGPT: get_lr; its warmup is `(step + 1) / (warmup_iters + 1)`
        open_clip: cosine_lr; `warmup_offset` is 1
        DeepSpeed: WarmupCosineLR; the engine's warmup uses `step - 1`
        Composer: CosineAnnealingWithWarmupScheduler
        big_vision: cosine
        LLaMA-Factory: cosine
        axolotl: cosine, get_cosine_schedule_with_warmup_decay_constant; the second one ends before the run
        NeMo: CosineAnnealing; its warmup is `(step + 1) / (warmup_steps + 1)`
        DINOv3: linear_warmup_cosine_decay; the decay is one step shorter

    Source: WarmupCosineSchedule of pytorch-transformers 1.0; Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5.
    """
    shape = cosine if cycles == 0.5 else waves(cycles)
    return warmup_then_decay("warmup_cosine", warmup_steps, total_steps, start, end, shape, warmup_offset)


@recipe()
def warmup_polynomial(
    warmup_steps: int,
    total_steps: int,
    *,
    start: float = 0.0,
    end: float = 0.0,
    exponent: float = 1.0,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then a polynomial decay.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * ((total_steps - step) / (total_steps - warmup_steps)) ** exponent``, and `end` from step
    `total_steps` on

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float).
        exponent: exponent of the decay (float, above 0 and at most 1000). 1 is `warmup_linear`; above 1 the decay
            flattens at the end.
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_polynomial(20, 100, exponent=2)
        >>> [schedule(step) for step in (0, 20, 60, 100, 101)]
        [0.0, 1.0, 0.25, 0.0, 0.0]

    In other libraries:
        transformers: polynomial, get_polynomial_decay_schedule_with_warmup
        fairseq: polynomial_decay
        Composer: PolynomialWithWarmupScheduler
        timm: PolyLRScheduler with warmup_prefix
        big_vision: polynomial
        NeMo: PolynomialDecayAnnealing; its warmup is `(step + 1) / (warmup_steps + 1)`

    Source: get_polynomial_decay_schedule_with_warmup of transformers; fairseq's polynomial_decay.
    """
    return warmup_then_decay(
        "warmup_polynomial", warmup_steps, total_steps, start, end, reverse(power(exponent)), warmup_offset
    )


@recipe()
def warmup_half_cosine(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, warmup_offset: int = 0
) -> Schedule:
    """A linear warmup to 1, then the second half of a cosine decay: steep at first, flat at the end.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * (1 - sin(pi/2 * (step - warmup_steps) / (total_steps - warmup_steps)))``, and `end` from step
    `total_steps` on

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_half_cosine(20, 110)
        >>> [round(schedule(step), 12) for step in (0, 20, 50, 110)]
        [0.0, 1.0, 0.5, 0.0]

    In other libraries:
        OLMo-core: HalfCosWithWarmup; its peak is (1 + alpha_f) / 2, and `end` is 2 * alpha_f / (1 + alpha_f)

    Source: HalfCosWithWarmup of OLMo-core.
    """
    return warmup_then_decay("warmup_half_cosine", warmup_steps, total_steps, start, end, sine, warmup_offset)


@recipe(cosine_end=level)
def warmup_cosine_linear(
    warmup_steps: int,
    total_steps: int,
    decay_steps: int,
    *,
    start: float = 0.0,
    cosine_end: float = 0.1,
    end: float = 0.0,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1 and a cosine decay, whose last steps are replaced by a linear decay to the end.

    ``warmup_cosine(warmup_steps, total_steps, start=start, end=cosine_end)`` up to step ``total_steps - decay_steps``,
    then linear from its value there to `end` at step `total_steps`

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        decay_steps: number of steps of the linear decay (int, 0 to `total_steps`).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        cosine_end: multiplier of the peak that the cosine decay would have at step `total_steps`, not a learning rate
            (float).
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine_linear(20, 100, 40, cosine_end=0.3)
        >>> [round(schedule(step), 12) for step in (0, 20, 60, 80, 100)]
        [0.0, 1.0, 0.65, 0.325, 0.0]

    In other libraries:
        OLMo-core: CosWithWarmupAndLinearDecay

    Source: CosWithWarmupAndLinearDecay of OLMo-core.
    """
    require_at_most("warmup_cosine_linear", "decay_steps", decay_steps, "total_steps", total_steps)
    require_at_most("warmup_cosine_linear", "warmup_steps", warmup_steps, "total_steps", total_steps)
    curve = warmup_cosine(warmup_steps, total_steps, start=start, end=cosine_end, warmup_offset=warmup_offset)
    return then(curve, total_steps - decay_steps, end, steps=decay_steps)
