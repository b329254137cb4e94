"""A schedule in another unit as a schedule of updates."""

from __future__ import annotations

from fractions import Fraction

from funcsched.combinators.count_by import count_by
from funcsched.combinators.time import Stretch
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error
from funcsched.numerics.periodic import simple_fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.combinators.update_sizes import UpdateSizes
    from funcsched.units.quantities import Number


def schedule_of_samples(schedule: Schedule, sizes: UpdateSizes, per: Fraction) -> Schedule:
    """``step -> schedule(samples(step) / per)``.

    Args:
        schedule: the schedule.
        sizes: the number of samples in every update.
        per: samples in one step of `schedule`.
    """
    if isinstance(schedule, Stretch):
        # Multiplied with the factor as an exact fraction, the lengths in the schedule stay integers.
        numerator, denominator = simple_fraction(schedule.factor)
        if isinstance(numerator, int):
            schedule, per = schedule.schedule, per * Fraction(numerator, denominator)
    scale = per.denominator  # the tokens in a sample, if the schedule counts tokens
    # A size without an update, because the next one begins at the same update, is left out.
    phases = dict(zip(sizes.first_updates, sizes.sizes, strict=True))
    return count_by(
        schedule,
        [size * scale for size in phases.values()],
        [*phases][1:],
        per=per.numerator,
        epoch=sizes.epoch * scale if sizes.epoch is not None and sizes.shortens_updates() else None,
    )


def exact_length(function: str, count: Number) -> Fraction:
    """The length of a run as a fraction with a small denominator. A float stands for the simplest such fraction."""
    if not isinstance(count, float):
        return Fraction(count)
    numerator, denominator = simple_fraction(count)
    if not isinstance(numerator, int):
        raise argument_error(function, "run", "a number of epochs with a denominator of at most 4096", count)
    return Fraction(numerator, denominator)
