"""Schedules of the field without a warmup of their own: compositions, each with its source."""

from __future__ import annotations

import math

from funcsched.combinators.algebra import add, product, scale
from funcsched.combinators.time import levels_in_range, repeat
from funcsched.core.recipe import recipe
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    concrete_level,
    concrete_nonnegative_ints,
    concrete_positive_int,
    integer_cycles,
    nonnegative_int,
    one_of,
    optional,
    positive_int,
    ratio_up_to_one,
    require_at_most,
    require_increasing,
    unit_interval,
)
from funcsched.core.validation import ratio as factor_rule
from funcsched.numerics.number_system import is_concrete
from funcsched.primitives.decay import exponential_decay, inverse_power
from funcsched.primitives.ramp import ramp
from funcsched.primitives.table import piecewise_constant
from funcsched.recipes.phases import phases
from funcsched.shapes.formulas import cosine, exponential, linear
from funcsched.shapes.shape import Shape, as_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


@recipe()
def inverse_sqrt(timescale: int) -> Schedule:
    """The inverse square root of time, from 1.

    ``sqrt(timescale / (timescale + step))``

    Args:
        timescale: the step at which the multiplier is ``sqrt(1/2)``, an integer of at least 1.

    Returns:
        A schedule without an end: it falls for ever, and never to 0.

    Raises:
        TypeError, ValueError: `timescale` is not an integer of at least 1.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.inverse_sqrt(100)
        >>> [schedule(step) for step in (0, 300, 9900)]
        [1.0, 0.5, 0.1]

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 5.3; get_inverse_sqrt_schedule of transformers.
    """
    return inverse_power(timescale, 0.5)


@recipe(factor=ratio_up_to_one)
def step_decay(period: int, factor: float = 0.1) -> Schedule:
    """The same factor after every `period` steps, at once.

    ``factor ** floor(step / period)``

    Args:
        period: an integer of steps of at least 1.
        factor: from 1e-30 to 1.

    Returns:
        A schedule without an end.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.step_decay(30)
        >>> [schedule(step) for step in (0, 29, 30, 59)]
        [1.0, 1.0, 0.1, 0.1]

    Source: StepLR of torch.
    """
    return exponential_decay(factor, period, staircase=True)


@recipe(boundaries=concrete_nonnegative_ints, factor=concrete_level)
def multistep(boundaries: Iterable[int], factor: float = 0.1) -> Schedule:
    """The same factor at each of several steps.

    ``factor ** (how many boundaries are at most step)``

    Args:
        boundaries: integers, increasing.
        factor: at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or `boundaries` not increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.multistep([30, 60])
        >>> [round(schedule(step), 12) for step in (0, 29, 30, 60)]
        [1.0, 1.0, 0.1, 0.01]

    Source: MultiStepLR of torch; He et al. 2015, arXiv:1512.03385, section 4.2.
    """
    row = tuple(boundaries)
    require_increasing("multistep", "boundaries", row)
    if factor > 1 and len(row) * math.log10(factor) > 38.5:
        raise argument_error("multistep", "factor", f"a number whose power of {len(row)} is at most 3.4e38", factor)
    return piecewise_constant(row, factors=[factor] * len(row))


@recipe("period", period=concrete_positive_int, times=optional(integer_cycles))
def cosine_restarts(
    period: int,
    *,
    times: int | None = None,
    period_factor: float = 1.0,
    level_factor: float = 1.0,
    warmup_steps: int = 0,
    start: float = 0.0,
    end: float = 0.0,
) -> Schedule:
    """Cosine decays with warm restarts (SGDR), each longer or lower than the one before if wanted.

    In cycle i, `period` times ``period_factor**i`` long, with u the fraction of it after its warmup:
    ``end + (level_factor**i - end) * (1 + cos(pi u)) / 2``

    Args:
        period: the length of the first cycle, an integer of at least 1.
        times: how many cycles, an integer of at least 1, after which `end` is held; without it they never end.
        period_factor: how many times as long each cycle is as the one before, 1 or from 1.001 to 1e6, whole or not.
        level_factor: how many times as high its peak is, from 1e-30 to 1e30; above 1 it needs `times`.
        warmup_steps: the length of a linear warmup from `start` at the beginning of the first cycle, and of each,
            where it grows with the cycle; an integer from 0 to `period`.
        start: the multiplier at the beginning of each warmup, at least 0.
        end: the multiplier at the end of each cycle, at least 0.

    Returns:
        A schedule, as exact as `repeat`: at a restart it stands at the new peak.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.cosine_restarts(10, times=3, period_factor=2, level_factor=0.5)
        >>> [round(schedule(step), 12) for step in (0, 5, 10, 20, 30, 50, 70)]
        [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.0]

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983; the re-warmup is optax.sgdr_schedule's.
    """
    require_at_most("cosine_restarts", "warmup_steps", warmup_steps, "period", period)
    levels_in_range("cosine_restarts", times, level_factor)
    decay_steps = period - warmup_steps
    if level_factor == 1:
        cycle = phases(start, (warmup_steps, 1.0, linear), (decay_steps, end, cosine))
        return repeat(cycle, period, times, period_factor)
    # The peaks shrink and the ends do not: a sum of two, in which nothing cancels.
    peaks = phases(0.0, (warmup_steps, 1.0, linear), (decay_steps, 0.0, cosine))
    ends = phases(start, (warmup_steps, 0.0, linear), (decay_steps, end, cosine))
    shrinking = repeat(peaks, period, times, period_factor, level_factor)
    absent = is_concrete(start, end, warmup_steps) and end == 0 and (start == 0 or warmup_steps == 0)
    return shrinking if absent else add(shrinking, repeat(ends, period, times, period_factor))


@recipe(shape=as_shape, decay_steps=optional(nonnegative_int))
def one_cycle(
    warmup_steps: int,
    total_steps: int,
    *,
    decay_steps: int | None = None,
    start: float = 0.04,
    end: float = 4e-6,
    shape: Shape | Callable[[Any], Any] = cosine,
) -> Schedule:
    """The one-cycle policy: up to 1, and down to almost nothing, in two phases or three.

    From `start` to 1 over `warmup_steps`, then to `end` at `total_steps`; with `decay_steps`, back to `start` over
    these and from there to `end`.

    Args:
        warmup_steps: the step of the peak, an integer from 0 to `total_steps`.
        total_steps: the length, an integer.
        decay_steps: of three phases, the length of the second, from 1 back to `start`: an integer from 0 to what is
            left.
        start: the multiplier at step 0, at least 0: one over torch's `div_factor`.
        end: the multiplier from `total_steps` on, at least 0: `start` over torch's `final_div_factor`.
        shape: the shape of each phase, or a function of its fraction.

    Returns:
        A schedule. torch counts to ``total_steps - 1`` and puts the peak at ``pct_start * total_steps - 1``
        (`bridges.torch.from_lr_scheduler`); optax puts it at ``int(pct_start * transition_steps)``.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.one_cycle(30, 100, start=0.1, end=0.0, shape=fs.linear)
        >>> [schedule(step) for step in (0, 30, 65, 100)]
        [0.1, 1.0, 0.5, 0.0]

    Source: Smith and Topin 2017, arXiv:1708.07120 (three phases, linear); fastai has two phases and cosines.
    """
    assert isinstance(shape, Shape)  # by the rule of the argument
    require_at_most("one_cycle", "warmup_steps", warmup_steps, "total_steps", total_steps)
    left = total_steps - warmup_steps
    if decay_steps is None:
        return phases(start, (warmup_steps, 1.0, shape), (left, end, shape))
    if is_concrete(decay_steps, left) and decay_steps > left:
        raise argument_error(
            "one_cycle", "decay_steps", f"at most `total_steps` - `warmup_steps` ({left})", decay_steps
        )
    parts = (warmup_steps, 1.0, shape), (decay_steps, start, shape), (left - decay_steps, end, shape)
    return phases(start, *parts)


@recipe(
    up_steps=positive_int,
    down_steps=optional(positive_int),
    mode=one_of("triangular", "triangular2", "exp_range"),
    rate=factor_rule,
    start=unit_interval,
)
def cyclic(
    up_steps: int, down_steps: int | None = None, *, start: float = 0.0, mode: str = "triangular", rate: float = 1.0
) -> Schedule:
    """Triangles, up to 1 and down again for ever.

    ``start + (1 - start) * triangle(step) * height``, where the height is 1 (triangular), ``2 ** -cycle``
    (triangular2) or ``rate ** step`` (exp_range)

    Args:
        up_steps: the length of the way up, an integer of at least 1.
        down_steps: the length of the way down, the same; by default `up_steps`.
        start: the lowest multiplier, from which each triangle starts; from 0 to 1.
        mode: "triangular", "triangular2" or "exp_range".
        rate: the factor per step of exp_range, from 1e-30 to 1.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or `rate` is not for this mode.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.cyclic(10, start=0.5, mode="triangular2")
        >>> [schedule(step) for step in (0, 10, 20, 30, 40)]
        [0.5, 1.0, 0.5, 0.75, 0.5]

    Source: Smith 2015, arXiv:1506.01186; CyclicLR of torch.
    """
    if mode != "exp_range" and rate != 1:
        raise argument_error("cyclic", "rate", f"1 for mode {mode!r}", rate)
    if rate > 1:
        raise argument_error("cyclic", "rate", "at most 1", rate)
    down = up_steps if down_steps is None else down_steps
    if mode == "triangular":
        return repeat(phases(start, (up_steps, 1.0, linear), (down, start, linear)), up_steps + down)
    triangle = phases(0.0, (up_steps, 1.0, linear), (down, 0.0, linear))
    triangles = repeat(triangle, up_steps + down, level_factor=0.5 if mode == "triangular2" else 1.0)
    if mode == "exp_range" and rate != 1:
        triangles = product(triangles, exponential_decay(rate))
    return triangles if is_concrete(start) and start == 0 else add(start, scale(triangles, 1.0 - start))


@recipe("start", "end", start=factor_rule, end=factor_rule, shape=optional(as_shape))
def range_test(
    total_steps: int, *, start: float = 1e-6, end: float = 1.0, shape: Shape | Callable[[Any], Any] | None = None
) -> Schedule:
    """A learning-rate range test: from a rate that does nothing to one that diverges.

    ``start * (end / start) ** (step / total_steps)``, or ``start + (end - start) * shape(step / total_steps)``

    Args:
        total_steps: the length, an integer.
        start: the first multiplier, from 1e-30 to 1e30.
        end: the last, which is held; the same.
        shape: instead of equal factors in equal times: `linear`, say, or a function of the fraction.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.range_test(100, start=0.01)
        >>> [round(schedule(step), 12) for step in (0, 50, 100)]
        [0.01, 0.1, 1.0]

    Source: Smith 2015, arXiv:1506.01186 (linear); the finders of fastai and Lightning use equal factors.
    """
    if shape is None and not 1e-30 <= end / start <= 1e30:
        raise argument_error("range_test", "end", f"from 1e-30 to 1e30 times `start` ({start!r})", end)
    return ramp(start, end, steps=total_steps, shape=exponential(end / start) if shape is None else shape)
