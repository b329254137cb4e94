"""The schedules of DINOv2 and DINOv3, for learning rate, weight decay, momentum and temperature."""

from __future__ import annotations

import funcsched as fs
from bridges.arguments import BY_TYPE, checked
from bridges.compositions import join_phases
from bridges.rated import Rated
from funcsched.core import validation as rules

_trunc_extra = rules.number_rule("a number from 0 to 100", 0, 100)


@checked(common=BY_TYPE, base_value=rules.positive, trunc_extra=_trunc_extra)
def cosine_scheduler(
    base_value: float,
    final_value: float,
    total_iters: int,
    warmup_iters: int = 0,
    start_warmup_value: float = 0.0,
    freeze_iters: int = 0,
    trunc_extra: float = 0.0,
) -> Rated:
    """DINO's CosineScheduler: steps at 0, a linear warmup, then a cosine from `base_value` to `final_value`.

    With F, W and T steps in the freeze, in the warmup and in total, and ``n = T - W - F``: 0 below step F; then
    ``start_warmup_value + (base_value - start_warmup_value) * k / (W - 1)`` at step ``F + k``, for k below W; then
    ``final_value + (base_value - final_value) * (1 + cos(pi * u)) / 2`` with ``u = (step - F - W) / n``. As in DINO,
    the peak is at the last warmup step and at the one after it.

    Args:
        base_value: value after the warmup (float, above 0).
        final_value: value from step T on (float, at least 0). It may be larger than `base_value`.
        total_iters: total number of steps T (int, 0 to 2**53).
        warmup_iters: number of warmup steps W (int, 0 to 2**53). A single step is at `start_warmup_value`.
        start_warmup_value: value at the first warmup step (float, at least 0).
        freeze_iters: number of steps F at 0 before the warmup (int, 0 to 2**53).
        trunc_extra: the cosine is the beginning of one over ``N = int((1 + trunc_extra) * n)`` steps, scaled so that it
            reaches `final_value` at step ``T - 1`` (float, 0 to 100). 0 means the cosine above. Only DINOv3 has it.

    Returns:
        A schedule and its peak value, `base_value`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: with `trunc_extra` and ``n = 1``, the value of DINOv3 at step ``T - 1`` is NaN; here it is `base_value`.

    Example:
        >>> from bridges.dino import cosine_scheduler
        >>> schedule, peak_value = cosine_scheduler(0.5, 0.25, 107, warmup_iters=5, freeze_iters=2)
        >>> [peak_value * schedule(step) for step in (1, 2, 4, 6, 7, 57, 107)]
        [0.0, 0.0, 0.25, 0.5, 0.5, 0.375, 0.25]

    Source: facebookresearch/dinov2, commit 0239fd0, dinov2/utils/utils.py; facebookresearch/dinov3,
    dinov3/train/cosine_lr_scheduler.py.
    """
    begin = freeze_iters + warmup_iters
    shape: fs.Shape = fs.cosine
    rules.require_at_most("cosine_scheduler", "freeze_iters + warmup_iters", begin, "total_iters", total_iters)
    steps = total_iters - begin
    if trunc_extra and steps > 1:
        longer = int((1 + trunc_extra) * steps)  # with the rounding of DINOv3
        steps, shape = steps - 1, fs.truncated_cosine((steps - 1) / (longer - 1))
    phases = {0: fs.constant(0.0)}
    phases[freeze_iters] = fs.ramp(start_warmup_value / base_value, 1.0, steps=max(1, warmup_iters - 1))
    phases[begin] = fs.ramp(1.0, final_value / base_value, steps=steps, shape=shape)
    return Rated(join_phases(phases), base_value)


@checked(common=BY_TYPE, peak=rules.positive)
def linear_warmup_cosine_decay(
    start: float,
    peak: float,
    end: float,
    warmup_iterations: int,
    total_iterations: int,
    cosine_iterations: int | None = None,
) -> Rated:
    """DINOv3's linear_warmup_cosine_decay: a linear warmup, a cosine, and a constant.

    With W and C steps in the warmup and in the cosine: ``start + (peak - start) * step / W`` below step W, then
    ``end + (peak - end) * (1 + cos(pi * u)) / 2`` with ``u = (step - W) / (C - 1)``, and `end` from step ``W + C - 1``
    on

    Args:
        start: value at step 0 (float, at least 0).
        peak: value after the warmup (float, above 0).
        end: value from the last step of the cosine on (float, at least 0).
        warmup_iterations: number of warmup steps W (int, 0 to `total_iterations`).
        total_iterations: total number of steps T (int, 0 to 2**53).
        cosine_iterations: number of steps C of the cosine (int, 0 to ``T - W``). Default: ``T - W``. As in DINOv3, a
            cosine of one step is at `peak`.

    Returns:
        A schedule and its peak value, `peak`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: from step T on, DINOv3 raises IndexError; here `end` is held.

    Example:
        >>> from bridges.dino import linear_warmup_cosine_decay
        >>> schedule, peak_value = linear_warmup_cosine_decay(0.0, 0.5, 0.25, 4, 110, 101)
        >>> [peak_value * schedule(step) for step in (0, 2, 4, 54, 104, 109)]
        [0.0, 0.25, 0.5, 0.375, 0.25, 0.25]

    Source: facebookresearch/dinov3, dinov3/train/cosine_lr_scheduler.py.
    """
    function, warmup, rest = "linear_warmup_cosine_decay", warmup_iterations, total_iterations - warmup_iterations
    rules.require_at_most(function, "warmup_iterations", warmup, "total_iterations", total_iterations)
    steps = rest if cosine_iterations is None else cosine_iterations
    rules.require_at_most(function, "cosine_iterations", steps, "total_iterations - warmup_iterations", rest)
    rise = fs.ramp(start / peak, 1.0, steps=warmup)
    fall = fs.ramp(1.0, end / peak, steps=max(steps - 1, min(steps, 1)), shape=fs.cosine)
    return Rated(fs.join([rise, fall], [warmup]), peak)
