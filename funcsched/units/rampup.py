"""The batch size ramp of Megatron-LM."""

from __future__ import annotations

from funcsched.combinators.update_sizes import ceil_divide
from funcsched.core.validation import argument_error, concrete_positive_int


def rampup(start: int, increment: int, samples: int, *, global_batch_size: int) -> dict[str, list[tuple[int, int]]]:
    """The ramp of Megatron's ``--rampup-batch-size start increment samples``, for `samples_per_update`.

    The global batch size grows from `start` to `global_batch_size` in ``n`` equal increments: it is
    ``start + i * increment`` from ``i * samples / n`` samples on.

    Args:
        start: samples in the first update, the first number of ``--rampup-batch-size`` (int, 1 to 2**53).
        increment: samples added to the batch size by each increment, the second number (int, 1 to 2**53).
        samples: samples after which the final size is reached, the third number (int, 1 to 2**53).
        global_batch_size: the final size, ``--global-batch-size``: `start` plus a multiple of `increment`.

    Returns:
        The ramp (dict), ``{"samples": [(count, size), ...]}``. The counts are exact. Megatron divides in floats, so
        where a count is also the first sample of an update, Megatron may increase the batch size one update later.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> fs.Clock.rampup(16, 8, 300, global_batch_size=40)
        {'samples': [(0, 16), (100, 24), (200, 32), (300, 40)]}

    Source: Megatron-Core 0.16, RampupBatchsizeNumMicroBatchesCalculator.
    """
    name = "Clock.rampup"
    start = concrete_positive_int(name, "start", start)
    increment = concrete_positive_int(name, "increment", increment)
    samples = concrete_positive_int(name, "samples", samples)
    final = concrete_positive_int(name, "global_batch_size", global_batch_size)
    increments, rest = divmod(final - start, increment)
    if increments < 0 or rest:
        requirement = f"`start` ({start}) plus 0 or more times `increment` ({increment})"
        raise argument_error(name, "global_batch_size", requirement, global_batch_size)
    if increments == 0:
        return {"samples": [(0, start)]}
    # If several increments have the same count, the last one wins: the largest size.
    sizes = {ceil_divide(i * samples, increments): start + i * increment for i in range(increments + 1)}
    return {"samples": list(sizes.items())}
