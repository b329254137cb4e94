"""The schedules of the field: compositions, each with its source."""

from __future__ import annotations

from funcsched._check import whole_cycles, within
from funcsched._exact import known
from funcsched._recipe import recipe
from funcsched.combinators import join
from funcsched.pieces import ramp
from funcsched.schedule import Schedule
from funcsched.shapes import Shape, cosine, linear, restarts, waves


def _warmup_then_decay(
    function: str, warmup_steps: int, total_steps: int, start: float, end: float, shape: Shape
) -> Schedule:
    within(function, "warmup_steps", warmup_steps, "total_steps", total_steps)
    decay = ramp(1.0, end, steps=total_steps - warmup_steps, shape=shape)
    if known(warmup_steps) and warmup_steps == 0:
        return decay
    return join([ramp(start, 1.0, steps=warmup_steps), decay], [warmup_steps])


@recipe()
def warmup_constant(warmup_steps: int, *, start: float = 0.0) -> Schedule:
    """A linear warmup to 1, which is then held.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then 1

    Args:
        warmup_steps: a whole number of at least 0; with 0 there is no warmup.
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
        warmup_steps: a whole number from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, a whole number.
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
    return _warmup_then_decay("warmup_linear", warmup_steps, total_steps, start, end, linear)


@recipe()
def warmup_cosine(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, cycles: float = 0.5
) -> Schedule:
    """A linear warmup to 1, then a cosine decay.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(2 pi cycles (step - warmup_steps) / (total_steps - warmup_steps))) / 2``;
    from `total_steps` on the last value is held, which for half a cycle is `end`

    Args:
        warmup_steps: a whole number from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, a whole number.
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
    return _warmup_then_decay("warmup_cosine", warmup_steps, total_steps, start, end, shape)


@recipe(cycles=whole_cycles)
def warmup_cosine_restarts(
    warmup_steps: int, total_steps: int, *, start: float = 0.0, end: float = 0.0, cycles: int = 1
) -> Schedule:
    """A linear warmup to 1, then cosine decays of equal length, each from 1.

    ``start + (1 - start) * step / warmup_steps`` below `warmup_steps`, then
    ``end + (1 - end) * (1 + cos(pi * (cycles * u mod 1))) / 2`` with
    ``u = (step - warmup_steps) / (total_steps - warmup_steps)``, and `end` from `total_steps` on

    Args:
        warmup_steps: a whole number from 0 to `total_steps`; with 0 there is no warmup.
        total_steps: the length with the warmup, a whole number.
        start: the multiplier at step 0, at least 0. At 0 the first update changes nothing: see `shift`.
        end: the lowest multiplier of the decays, at least 0.
        cycles: how many half-cosine decays, a whole number of at least 1. Their length need not be whole.

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
    return _warmup_then_decay("warmup_cosine_restarts", warmup_steps, total_steps, start, end, shape)
