"""Optax's schedules made of several, under their own names and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any

import funcsched as fs
from bridges.optax.function import from_optax
from bridges.optax.warmup import warmup_cosine_decay_schedule
from bridges.rated import Rated, call_by_name
from funcsched.core.validation import (
    argument_error,
    callable_,
    concrete_level,
    concrete_nonnegative_int,
    concrete_positive_int,
    require_increasing,
    sequence,
)

_CYCLE = ("init_value", "peak_value", "warmup_steps", "decay_steps", "end_value", "exponent")


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Rated:
    """Cosine decays one after another, each with a warmup of its own.

    ``warmup_cosine_decay_schedule(**cosine_kwargs[i])`` at the steps since the end of the cycle before, whose length is
    its `decay_steps`

    Args:
        cosine_kwargs: for each cycle the arguments of `warmup_cosine_decay_schedule`, by name; at least one cycle, and
            each with a `decay_steps` of at least 1.

    Returns:
        A schedule and its peak, the largest of all rates. Cycles that are all the same are counted, not listed: any
        number of them compiles like one.

    Raises:
        TypeError, ValueError: no sequence of mappings, an empty one, a name that does not exist or is missing, or an
            argument that `warmup_cosine_decay_schedule` refuses.

    Example:
        >>> from bridges.optax import sgdr_schedule
        >>> cycle = {"init_value": 0.0, "peak_value": 0.5, "warmup_steps": 10, "decay_steps": 100}
        >>> schedule, peak_value = sgdr_schedule([cycle, {**cycle, "peak_value": 0.25}])
        >>> [peak_value * schedule(step) for step in (0, 10, 100, 110, 200)]
        [0.0, 0.5, 0.0, 0.25, 0.0]

    Source: optax.sgdr_schedule of optax 0.2.8; Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    rows = sequence("sgdr_schedule", "cosine_kwargs", cosine_kwargs, _cycle, "mappings")
    if not rows:
        raise argument_error("sgdr_schedule", "cosine_kwargs", "at least one cycle", [])
    cycles, lengths = zip(*rows, strict=True)
    if len(set(rows)) == 1:
        (schedule, peak_value), length = cycles[0], lengths[0]
        return Rated(fs.repeat(schedule, length, len(rows)) if len(rows) > 1 and peak_value else schedule, peak_value)
    return join_schedules(cycles, accumulate(lengths[:-1]))


def _cycle(function: str, argument: str, value: Any) -> tuple[Rated, int]:
    """A cycle and its length."""
    if not isinstance(value, Mapping):
        raise argument_error(function, argument, "a mapping of arguments by name", value, TypeError)
    rated = call_by_name(function, warmup_cosine_decay_schedule, _CYCLE, value)
    return rated, concrete_positive_int(function, f"{argument}['decay_steps']", value["decay_steps"])


def join_schedules(schedules: Iterable[Rated | Callable[[Any], Any]], boundaries: Iterable[int]) -> Rated:
    """One schedule after another, each counting from its own beginning.

    ``schedules[i](step - boundaries[i - 1])`` for ``boundaries[i - 1] <= step < boundaries[i]``

    Args:
        schedules: at least one: what the functions here or `to_optax` return, or schedules and optax schedules of
            absolute rates, as `from_optax` takes them.
        boundaries: the steps at which each but the first begins, integers, increasing; one fewer than schedules.

    Returns:
        A schedule and its peak, the largest of those given, or 1 where all schedules are functions.

    Raises:
        TypeError, ValueError: no schedule or not callable, a peak below 0, not an integer, not increasing, or the
            wrong number of boundaries.

    Example:
        >>> from bridges.optax import constant_schedule, join_schedules, linear_schedule
        >>> schedule, peak_value = join_schedules([linear_schedule(0.0, 0.5, 10), constant_schedule(0.25)], [10])
        >>> [peak_value * schedule(step) for step in (0, 9, 10, 11)]
        [0.0, 0.45, 0.25, 0.25]

    Differs: optax takes any number of boundaries and ignores what has no partner.

    Source: optax.join_schedules of optax 0.2.8.
    """
    name = "join_schedules"
    items = sequence(name, "schedules", schedules, _item, "schedules")
    begins = sequence(name, "boundaries", boundaries, concrete_nonnegative_int, "integers")
    if not items:
        raise argument_error(name, "schedules", "at least one schedule", [])
    if len(begins) != len(items) - 1:
        raise argument_error(name, "boundaries", f"one fewer than the {len(items)} schedules", list(begins))
    require_increasing(name, "boundaries", begins)
    peaks = [item.peak_value for item in items if isinstance(item, Rated)]
    if len(peaks) == len(items) and not max(peaks):
        return Rated(fs.constant(), 0.0)
    peak = max(peaks, default=0.0) or 1.0
    return Rated(fs.join([_over(item, peak) for item in items], begins), peak)


def _item(function: str, argument: str, value: Any) -> Any:
    """A `Rated`, of whatever else has a schedule and a peak as well, or a function."""
    schedule, peak = getattr(value, "schedule", None), getattr(value, "peak_value", None)
    if peak is not None and isinstance(schedule, fs.Schedule):
        return Rated(schedule, concrete_level(function, f"{argument}.peak_value", peak))
    return callable_(function, argument, value)


def _over(item: Any, peak: float) -> fs.Schedule:
    """The multipliers of a peak that make the rates of an item."""
    if isinstance(item, Rated):
        return item.schedule if item.peak_value == peak else fs.scale(item.schedule, item.peak_value / peak)
    if isinstance(item, fs.Schedule):
        return item if peak == 1 else fs.scale(item, 1.0 / peak)
    return from_optax(item, peak)
