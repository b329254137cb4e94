"""The cyclical schedules of Leslie Smith: the one-cycle policy, triangular cycles and the range test."""

from __future__ import annotations

from funcsched.combinators.algebra import add, product, scale
from funcsched.combinators.repeat import repeat
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    nonnegative_int,
    one_of,
    optional,
    positive_int,
    ratio,
    ratio_up_to_one,
    require_at_most,
    unit_interval,
)
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.decay import exponential_decay
from funcsched.primitives.ramp import ramp
from funcsched.recipes.phases import join_ramps
from funcsched.shapes.basic import cosine, linear
from funcsched.shapes.parametric import exponential
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


@recipe(shape=as_shape, decay_steps=optional(nonnegative_int))
def one_cycle(
    warmup_steps: int,
    total_steps: int,
    *,
    decay_steps: int | None = None,
    start: float = 0.04,
    end: float = 4e-6,
    shape: Shape | Callable[[Any], Any] = cosine,
    warmup_offset: int = 0,
) -> Schedule:
    """The one-cycle policy (1cycle): up to 1, then down to almost 0, in two phases or three.

    ``start + (1 - start) * shape((step + warmup_offset) / warmup_steps)`` below step `warmup_steps`, then
    ``1 + (end - 1) * shape(u)``, where u is the elapsed fraction of the remaining steps. With
    `decay_steps`, back from 1 to `start` in `decay_steps` steps, then to `end`.

    Args:
        warmup_steps: step of the peak (int, 0 to `total_steps`).
        total_steps: total number of steps (int, 0 to 2**53).
        decay_steps: number of steps of the second of three phases, from 1 back to `start` (int, 0 to
            ``total_steps - warmup_steps``). None gives two phases.
        start: multiplier of the peak at step 0, not a learning rate (float). In torch, it is ``1 / div_factor``.
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float). In torch, it is
            ``start / final_div_factor``.
        shape: shape of each phase, or a function of the fraction, as in `ramp`.
        warmup_offset: number added to the step up to the peak, which is then reached that many steps earlier and held
            until step `warmup_steps` (int, 0 to 2**53).

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.one_cycle(30, 100, start=0.1, end=0.0, shape=fs.linear)
        >>> [schedule(step) for step in (0, 30, 65, 100)]
        [0.1, 1.0, 0.5, 0.0]
        >>> fs.one_cycle(30, 100, decay_steps=30)(60)
        0.04

    In other libraries:
        torch: OneCycleLR; the peak is at `pct_start * total_steps - 1`, the end at `total_steps - 1`
        optax: cosine_onecycle_schedule, linear_onecycle_schedule; the peak is at `int(pct_start * transition_steps)`
        DeepSpeed: OneCycle; a decay after the cycle is that of `inverse_time`
        mmengine: OneCycleLR, counted as in torch
        axolotl: lr_scheduler one_cycle

    Source: Smith and Topin 2017 (super-convergence), arXiv:1708.07120, three linear phases; fastai has two cosine
    phases.
    """
    assert isinstance(shape, Shape)  # the rule as_shape converts functions
    require_at_most("one_cycle", "warmup_steps", warmup_steps, "total_steps", total_steps)
    warmup, remaining = (warmup_steps, 1.0, shape), total_steps - warmup_steps
    if decay_steps is None:
        return join_ramps(start, warmup, (remaining, end, shape), warmup_offset=warmup_offset)
    if is_concrete(decay_steps, remaining) and decay_steps > remaining:
        requirement = f"at most `total_steps` - `warmup_steps` ({remaining})"
        raise argument_error("one_cycle", "decay_steps", requirement, decay_steps)
    phases = (decay_steps, start, shape), (remaining - decay_steps, end, shape)
    return join_ramps(start, warmup, *phases, warmup_offset=warmup_offset)


@recipe(
    up_steps=positive_int,
    down_steps=optional(positive_int),
    mode=one_of("triangular", "triangular2", "exp_range"),
    rate=ratio_up_to_one,
    start=unit_interval,
)
def cyclic(
    up_steps: int, down_steps: int | None = None, *, start: float = 0.0, mode: str = "triangular", rate: float = 1.0
) -> Schedule:
    """Triangular cycles, up to 1 and down again, indefinitely.

    ``start + (1 - start) * triangle(step) * height``, where the height is 1 (triangular), ``2 ** -cycle``
    (triangular2) or ``rate ** step`` (exp_range)

    Args:
        up_steps: number of steps from `start` to the peak (int, 1 to 2**53).
        down_steps: number of steps from the peak back to `start` (int, 1 to 2**53). None uses `up_steps`.
        start: lowest multiplier of the peak, at the beginning of each cycle, not a learning rate (float, 0 to 1).
        mode: "triangular", "triangular2" or "exp_range".
        rate: factor of the height for each step in the mode "exp_range" (float, 1e-30 to 1). 1 in other modes.

    Returns:
        A schedule without an end.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `rate` is given in another mode.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.cyclic(10, start=0.25)
        >>> [schedule(step) for step in (0, 10, 20, 30, 40)]
        [0.25, 1.0, 0.25, 1.0, 0.25]
        >>> schedule = fs.cyclic(10, start=0.25, mode="triangular2")
        >>> [schedule(step) for step in (0, 10, 20, 30, 40)]
        [0.25, 1.0, 0.25, 0.625, 0.25]

    In other libraries:
        torch: CyclicLR (triangular, triangular2, exp_range)
        fairseq: triangular with an lr_shrink of 1; a lower one multiplies the peak, not the rise from `start`
        ignite: LinearCyclicalScheduler, which starts at the peak or at the bottom

    Source: Smith 2015, arXiv:1506.01186; CyclicLR of torch.
    """
    if mode != "exp_range" and rate != 1:
        raise argument_error("cyclic", "rate", f"1 in mode {mode!r}", rate)
    down = up_steps if down_steps is None else down_steps
    if mode == "triangular":
        return repeat(join_ramps(start, (up_steps, 1.0, linear), (down, start, linear)), up_steps + down)
    # The height multiplies only the part of the triangle above `start`.
    triangle = join_ramps(0.0, (up_steps, 1.0, linear), (down, 0.0, linear))
    triangles = repeat(triangle, up_steps + down, level_factor=0.5 if mode == "triangular2" else 1.0)
    if rate != 1:
        triangles = product(triangles, exponential_decay(rate))
    return triangles if is_concrete(start) and start == 0 else add(start, scale(triangles, 1.0 - start))


@recipe(start=ratio, end=ratio, shape=optional(as_shape))
def range_test(
    total_steps: int, *, start: float = 1e-6, end: float = 1.0, shape: Shape | Callable[[Any], Any] | None = None
) -> Schedule:
    """A learning-rate range test: the multiplier grows from a negligible value until training diverges.

    ``start * (end / start) ** (step / total_steps)``, or ``start + (end - start) * shape(step / total_steps)``

    Args:
        total_steps: total number of steps (int, 0 to 2**53).
        start: multiplier of the peak at step 0, not a learning rate (float, 1e-30 to 1e30).
        end: multiplier of the peak from step `total_steps` on, not a learning rate (float, 1e-30 to 1e30).
        shape: a shape, such as `linear`, or a function of the fraction, as in `ramp`. None means exponential growth.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.range_test(100, start=0.01)
        >>> [round(schedule(step), 12) for step in (0, 50, 100)]
        [0.01, 0.1, 1.0]
        >>> fs.range_test(100, start=0.01, shape=fs.linear)(50)
        0.505

    In other libraries:
        DeepSpeed: LRRangeTest (linear)
        OLMo-core: exponential

    Source: Smith 2015, arXiv:1506.01186 (linear); the learning-rate finders of fastai and Lightning are exponential.
    """
    if shape is None and not 1e-30 <= end / start <= 1e30:
        raise argument_error("range_test", "end", f"from 1e-30 to 1e30 times `start` ({start!r})", end)
    return ramp(start, end, steps=total_steps, shape=exponential(end / start) if shape is None else shape)
