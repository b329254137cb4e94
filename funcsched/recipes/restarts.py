"""Cosine decays with warm restarts."""

from __future__ import annotations

from funcsched.combinators.algebra import add
from funcsched.combinators.repeat import repeat, require_finite_levels
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import concrete_positive_int, integer_cycles, optional, require_at_most
from funcsched.numerics.number_system import is_concrete
from funcsched.recipes.phases import join_ramps, warmup_then_decay
from funcsched.shapes.basic import cosine, linear
from funcsched.shapes.repeated import Restarts


@recipe(cycles=integer_cycles)
def warmup_cosine_restarts(
    warmup_steps: int,
    total_steps: int,
    *,
    start: float = 0.0,
    end: float = 0.0,
    cycles: int = 1,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, then cosine decays of equal length, each from 1.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(pi * (cycles * u mod 1))) / 2`` with
    ``u = (step - warmup_steps) / (total_steps - warmup_steps)``, and `end` from step `total_steps` on

    Args:
        warmup_steps: number of warmup steps (int, 0 to `total_steps`). 0 means no warmup.
        total_steps: total number of steps, including warmup (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: lowest multiplier of the peak in the decays, not a learning rate (float).
        cycles: number of half-cosine decays (int, 1 to 1,000,000). Their length may be fractional.
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there until the decay (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule. On every backend, each decay starts exactly at the first step at or after its fractional start.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_cosine_restarts(20, 100, cycles=2)
        >>> [schedule(step) for step in (0, 10, 20, 60, 100, 101)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.0]

    In other libraries:
        transformers: cosine_with_restarts, get_cosine_with_hard_restarts_schedule_with_warmup
        LLaMA-Factory: cosine_with_restarts

    Source: WarmupCosineWithHardRestartsSchedule of pytorch-transformers 1.0; Loshchilov and Hutter 2016,
    arXiv:1608.03983, eq. 5.
    """
    shape = cosine if cycles == 1 else Restarts(cosine, cycles)
    return warmup_then_decay("warmup_cosine_restarts", warmup_steps, total_steps, start, end, shape, warmup_offset)


@recipe(period=concrete_positive_int, times=optional(integer_cycles))
def cosine_restarts(
    period: int,
    *,
    times: int | None = None,
    period_factor: float = 1.0,
    level_factor: float = 1.0,
    warmup_steps: int = 0,
    start: float = 0.0,
    end: float = 0.0,
    warmup_offset: int = 0,
) -> Schedule:
    """Cosine decays with warm restarts (SGDR), in cycles that may become longer or lower.

    ``end + (level_factor**i - end) * (1 + cos(pi u)) / 2`` in cycle i, which has ``period * period_factor**i`` steps,
    where u is the elapsed fraction of the cycle after its warmup

    Args:
        period: length of the first cycle in steps (int, 1 to 2**53).
        times: number of cycles, after which `end` is held (int, 1 to 1,000,000). None repeats indefinitely.
        period_factor: ratio of the lengths of successive cycles (float, 1 or 1.001 to 1e6).
        level_factor: ratio of the peaks of successive cycles (float, 1e-30 to 1e30). Above 1, `times` is required.
        warmup_steps: number of steps of a linear warmup at the beginning of the first cycle (int, 0 to `period`). The
            warmups of later cycles are longer by the same factor as the cycles.
        start: multiplier of the peak at the beginning of each warmup, not a learning rate (float).
        end: multiplier of the peak at the end of each cycle, not a learning rate (float).
        warmup_offset: number added to the step during the warmup, as in `warmup_cosine_restarts` (int, 0 to 2**53). In
            later cycles, it is larger by the same factor as the cycles.

    Returns:
        A schedule. Each cycle starts exactly at the first step at or after its fractional start; `repeat` describes
        the accuracy.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.cosine_restarts(10, times=3, period_factor=2, level_factor=0.5)
        >>> [round(schedule(step), 12) for step in (0, 5, 10, 20, 30, 50, 70)]
        [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.0]

    In other libraries:
        torch: CosineAnnealingWarmRestarts
        optax: sgdr_schedule
        Keras: CosineDecayRestarts; with both alpha and m_mul, the peaks are `alpha + (1 - alpha) * m_mul**i`
        timm: CosineLRScheduler with cycle_mul, cycle_decay
        fairseq: cosine; lr_shrink also multiplies min_lr
        Composer: CosineAnnealingWarmRestartsScheduler

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983; optax.sgdr_schedule has warmups in its cycles.
    """
    require_at_most("cosine_restarts", "warmup_steps", warmup_steps, "period", period)
    require_finite_levels("cosine_restarts", times, level_factor)
    decay_steps = period - warmup_steps
    if level_factor == 1:
        cycle = join_ramps(start, (warmup_steps, 1.0, linear), (decay_steps, end, cosine), warmup_offset=warmup_offset)
        return repeat(cycle, period, times, period_factor)
    # `level_factor` scales the peaks, but not `start` and `end`, so the schedule is a sum of two curves. Neither is
    # negative, so nothing cancels.
    peaks = join_ramps(0.0, (warmup_steps, 1.0, linear), (decay_steps, 0.0, cosine), warmup_offset=warmup_offset)
    scaled = repeat(peaks, period, times, period_factor, level_factor)
    if is_concrete(start, end, warmup_steps) and end == 0 and (start == 0 or warmup_steps == 0):
        return scaled
    offsets = join_ramps(start, (warmup_steps, 0.0, linear), (decay_steps, end, cosine), warmup_offset=warmup_offset)
    return add(scaled, repeat(offsets, period, times, period_factor))
