"""The schedules of optax that join several, under their own names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any

import funcsched as fs
from bridges.arguments import call_by_name, checked, instance_of
from bridges.optax.function import from_optax
from bridges.optax.warmup import warmup_cosine_decay_schedule
from bridges.rated import Rated
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, require_increasing, sequence

_CYCLE_ARGUMENTS = ("init_value", "peak_value", "warmup_steps", "decay_steps", "end_value", "exponent")


@checked()
def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Rated:
    """A sequence of cosine decays, each after a warmup.

    ``warmup_cosine_decay_schedule(**cosine_kwargs[i])`` at the number of steps since cycle ``i`` began; each cycle is
    `decay_steps` long

    Args:
        cosine_kwargs: the keyword arguments of `warmup_cosine_decay_schedule` for each cycle (at least one), with a
            `decay_steps` of at least 1.

    Returns:
        A schedule and its peak, the learning rate of the largest magnitude. If all cycles are equal, the
        schedule repeats one cycle, so that any number of cycles compiles as fast as one.

    Raises:
        TypeError, ValueError: `cosine_kwargs` is not a sequence of mappings or is empty, a name is unknown or missing,
            or an argument is of the wrong type or out of its range.

    Example:
        >>> from bridges.optax import sgdr_schedule
        >>> cycle = {"init_value": 0.0, "peak_value": 0.5, "warmup_steps": 10, "decay_steps": 100}
        >>> schedule, peak_value = sgdr_schedule([cycle, {**cycle, "peak_value": 0.25}])
        >>> [peak_value * schedule(step) for step in (0, 10, 100, 110, 200)]
        [0.0, 0.5, 0.0, 0.25, 0.0]

    Source: optax.sgdr_schedule of optax 0.2.8; Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    cycles = sequence("sgdr_schedule", "cosine_kwargs", cosine_kwargs, _cycle, "mappings")
    if not cycles:
        raise argument_error("sgdr_schedule", "cosine_kwargs", "a non-empty sequence of mappings", [])
    if len(set(cycles)) == 1:
        (schedule, peak_value), length = cycles[0]
        if len(cycles) > 1 and peak_value:  # with a peak of 0 the schedule is constant
            schedule = fs.repeat(schedule, length, len(cycles))
        return Rated(schedule, peak_value)
    schedules, lengths = zip(*cycles, strict=True)
    return join_schedules(schedules, accumulate(lengths[:-1]))


def _cycle(function: str, argument: str, value: Any) -> tuple[Rated, int]:
    """The schedule of a cycle, and its length in steps."""
    instance_of(Mapping, "a mapping of arguments by name")(function, argument, value)
    rated = call_by_name(function, warmup_cosine_decay_schedule, _CYCLE_ARGUMENTS, value)
    return rated, rules.concrete_positive_int(function, f"{argument}['decay_steps']", value["decay_steps"])


@checked()
def join_schedules(schedules: Iterable[Rated | Callable[[Any], Any]], boundaries: Iterable[int]) -> Rated:
    """One schedule after another, each with steps counted from its own start.

    ``schedules[i](step - boundaries[i - 1])`` for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        schedules: at least one. Each is a `Rated` pair or a result of `to_optax`, or a function (a schedule or an optax
            schedule) that returns absolute learning rates.
        boundaries: step at which each schedule except the first begins (int, 0 to 2**53), increasing; one fewer than
            `schedules`.

    Returns:
        A schedule and its peak, the peak value of the largest magnitude, or 1 if all `schedules` are functions.

    Raises:
        TypeError, ValueError: `schedules` is empty or holds something that is not callable, or `boundaries` are not
            increasing integers or of the wrong number.

    Example:
        >>> from bridges.optax import constant_schedule, join_schedules, linear_schedule
        >>> schedule, peak_value = join_schedules([linear_schedule(0.0, 0.5, 10), constant_schedule(0.25)], [10])
        >>> [peak_value * schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.45, 0.25, 0.25]

    Differs: optax accepts any number of boundaries, and ignores the boundaries or schedules that are left over.

    Source: optax.join_schedules of optax 0.2.8.
    """
    name = "join_schedules"
    pieces = sequence(name, "schedules", schedules, _rated_or_function, "schedules")
    steps = rules.concrete_nonnegative_ints(name, "boundaries", boundaries)
    if not pieces:
        raise argument_error(name, "schedules", "a non-empty sequence of schedules", [])
    if len(steps) != len(pieces) - 1:
        requirement = f"of length {len(pieces) - 1} for {len(pieces)} schedules"
        raise argument_error(name, "boundaries", requirement, list(steps))
    require_increasing(name, "boundaries", steps)
    peaks = [piece.peak_value for piece in pieces if isinstance(piece, Rated)]
    if len(peaks) == len(pieces) and not any(peaks):
        return Rated(fs.constant(), 0.0)
    peak = max(peaks, key=abs, default=0.0) or 1.0
    if len(peaks) < len(pieces):
        peak = abs(peak)  # `from_optax` divides by a positive peak
    return Rated(fs.join([_multiplier_of(piece, peak) for piece in pieces], steps), peak)


def _rated_or_function(function: str, argument: str, value: Any) -> Any:
    """A `Rated` pair if `value` has a schedule and a peak value (as `OptaxSchedule` does), else a function."""
    schedule, peak = getattr(value, "schedule", None), getattr(value, "peak_value", None)
    converts = getattr(value, "dtype", None) is not None  # a result of `to_optax(..., dtype=...)`
    if peak is not None and isinstance(schedule, fs.Schedule) and not converts:
        return Rated(schedule, rules.concrete_level(function, f"{argument}.peak_value", peak))
    if not callable(value):
        raise argument_error(function, argument, "a schedule or a function of optax's count", value, TypeError)
    return value


def _multiplier_of(piece: Any, peak: float) -> fs.Schedule:
    """The learning rates of a piece, as multiples of `peak`."""
    if isinstance(piece, Rated):
        return piece.schedule if piece.peak_value == peak else fs.scale(piece.schedule, piece.peak_value / peak)
    if isinstance(piece, fs.Schedule):
        return piece if peak == 1 else fs.scale(piece, 1.0 / peak)
    return from_optax(piece, peak)
