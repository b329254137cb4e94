"""A warmup, a stable phase at 1, and a decay (WSD)."""

from __future__ import annotations

from funcsched.combinators.repeat import repeat
from funcsched.combinators.sequence import join
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, integer_cycles, ratio
from funcsched.numerics.number_system import is_concrete
from funcsched.recipes.phases import join_ramps
from funcsched.shapes.basic import linear
from funcsched.shapes.parametric import exponential
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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
    warmup_offset: int = 0,
) -> Schedule:
    """A warmup to 1, a stable phase, and a decay (WSD, trapezoidal).

    ``start + (1 - start) * warmup_shape((step + warmup_offset) / warmup_steps)`` below step `warmup_steps`, then 1 for
    `stable_steps`, then ``1 + (end - 1) * decay_shape(u)``, where u is the elapsed fraction of `decay_steps`; `end` is
    held

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        stable_steps: number of steps at 1 (int, 0 to 2**53).
        decay_steps: number of decay steps (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float). If it is 0, the first update changes
            nothing; see `warmup_offset`.
        end: multiplier of the peak after the decay, not a learning rate (float).
        warmup_shape: shape of the warmup, or a function of the fraction, as in `ramp`.
        decay_shape: shape of the decay, or a function of the fraction. `sqrt` is the 1-sqrt cooldown, and
            ``exponential(end)`` an exponential decay.
        cycles: number of stable phases, each followed by a decay (int, 1 to 1,000,000). After each decay except the
            last, the multiplier jumps back to 1.
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.warmup_stable_decay(20, 60, 20, decay_shape=fs.sqrt)
        >>> [schedule(step) for step in (0, 10, 20, 80, 85, 100)]
        [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
        >>> fs.warmup_stable_decay(20, 25, 15, end=0.1, cycles=2)(60)
        1.0

    In other libraries:
        transformers: warmup_stable_decay, get_wsd_schedule; the warmup starts at min_lr_ratio
        timm: WSDLRScheduler
        Megatron: WSD
        torchtitan: decay_ratio; `warmup_offset` is 1
        MaxText: wsd; the decay is one step shorter
        OLMo-core: WSD, WSDS (cycles); at the first step of a cycle it still has the end of the previous one
        LLaMA-Factory: warmup_stable_decay; by default a third of the steps after the warmup is stable
        open_clip: const-cooldown, const_lr_cooldown (`reverse(power(p))`); `warmup_offset` is 1
        nanochat: get_lr_multiplier, warmdown_ratio; `warmup_offset` is 1
        modded-nanogpt: get_lr, cooldown_frac; it has no warmup, and the decay may begin between two steps

    Source: Hu et al. 2024 (MiniCPM), arXiv:2404.06395; Hagele et al. 2024, arXiv:2405.18392 (1-sqrt); Wen et al. 2024
    (WSD-S, several cycles), arXiv:2410.05192.
    """
    assert isinstance(warmup_shape, Shape) and isinstance(decay_shape, Shape)  # the rule as_shape converts functions
    warmup = (warmup_steps, 1.0, warmup_shape)
    stable_then_decay = (stable_steps, 1.0, linear), (decay_steps, end, decay_shape)
    if cycles == 1:
        return join_ramps(start, warmup, *stable_then_decay, warmup_offset=warmup_offset)
    if is_concrete(stable_steps, decay_steps) and stable_steps + decay_steps == 0:
        raise argument_error("warmup_stable_decay", "cycles", "1 if `stable_steps` and `decay_steps` are 0", cycles)
    schedule = repeat(join_ramps(1.0, *stable_then_decay), stable_steps + decay_steps, cycles)
    if is_concrete(warmup_steps) and warmup_steps == 0:
        return schedule
    return join([join_ramps(start, warmup, warmup_offset=warmup_offset), schedule], [warmup_steps])


@recipe(end=ratio)
def tri_stage(
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    *,
    start: float = 0.01,
    end: float = 0.01,
    warmup_offset: int = 0,
) -> Schedule:
    """A linear warmup to 1, a stable phase, and an exponential decay.

    ``start + (1 - start) * (step + warmup_offset) / warmup_steps`` below step `warmup_steps`, then 1 for
    `stable_steps`, then ``end ** u``, where u is the elapsed fraction of `decay_steps`; `end` is held

    Args:
        warmup_steps: number of warmup steps (int, 0 to 2**53). 0 means no warmup.
        stable_steps: number of steps at 1 (int, 0 to 2**53).
        decay_steps: number of decay steps (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float).
        end: multiplier of the peak after the decay, not a learning rate (float, 1e-30 to 1e30).
        warmup_offset: number added to the step during the warmup, which then reaches 1 that many steps earlier and
            stays there (int, 0 to 2**53). With 1, the first update uses ``1 / warmup_steps``, not 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.tri_stage(20, 30, 50)
        >>> [round(schedule(step), 12) for step in (0, 20, 50, 75, 100)]
        [0.01, 1.0, 1.0, 0.1, 0.01]

    In other libraries:
        fairseq: tri_stage
        ESPnet: TristageLR; uses `step + 1`

    Source: Park et al. 2019 (SpecAugment), arXiv:1904.08779, section 4.2; fairseq's tri_stage.
    """
    warmup, decay = (warmup_steps, 1.0, linear), (decay_steps, end, exponential(end))
    return join_ramps(start, warmup, (stable_steps, 1.0, linear), decay, warmup_offset=warmup_offset)
