"""Validation of counts with a unit, and of the arguments of `Clock` that contain such counts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import nextafter

from funcsched.core.validation import argument_error, as_number, concrete_positive_int
from funcsched.numerics.number_system import MAX_COUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Number = int | float | Fraction
    Ramp = tuple[str, tuple[tuple[Number, int], ...]]  # the unit, and pairs of a count and an update size

UNITS = ("updates", "samples", "tokens", "epochs")  # of a run or a ramp
# The requirement of a count and its largest value: of the units that allow fractional counts, and of all other units.
_FRACTIONAL = {"epochs": ("a number from 0 to 2**53", MAX_COUNT), "fraction": ("a number from 0 to 1", 1)}
_INTEGER = ("an integer from 0 to 2**53", MAX_COUNT)
# The requirements of other arguments.
_RUN = 'a dict of one unit (updates, samples, tokens or epochs) and its count, such as {"tokens": 300_000_000_000}'
_UPDATE_SIZE = 'an integer, or a ramp such as {"tokens": [(0, 16), (1_000_000, 32)]}'
_PAIRS = "a sequence of pairs (count, samples per update) that starts at count 0"


def exact(count: Number) -> Fraction:
    """A count as an exact fraction. A float stands for the smallest number that rounds to it.

    This number is the midpoint to the next smaller float. It is never above the decimal number that the user wrote,
    but the float may be: 0.1 is larger than 1/10.
    """
    if isinstance(count, float):
        return (Fraction(count) + Fraction(nextafter(count, 0.0))) / 2
    return Fraction(count)


def require(function: str, argument: str, unit: str, value: Any) -> Any:
    """The value of an argument of `Clock` that is optional but needed to count in a unit."""
    if value is None:
        raise argument_error(function, argument, f"given to the Clock to count {unit}", None)
    return value


def single_count(bare_numbers: tuple[Any, ...], counts: dict[str, Any]) -> tuple[str, Number]:
    """The unit and the validated count of the single argument of `Clock.steps`.

    Args:
        bare_numbers: the positional arguments. They have no unit, so there may not be any.
        counts: the keyword arguments by unit; None for those that were not given.
    """
    name = "Clock.steps"
    if bare_numbers:
        candidates = ("updates", "fraction", "epochs")
        raise _missing_unit(name, "count", bare_numbers[0], candidates, lambda u, n: f"steps({u}={n})")
    given = {unit: count for unit, count in counts.items() if count is not None}
    if len(given) != 1:
        requirement = f"given in exactly one unit ({', '.join(counts)})"
        raise argument_error(name, "count", requirement, given or None, TypeError)
    ((unit, count),) = given.items()
    return unit, _validated_count(name, unit, unit, count)


def validated_run(run: Any) -> tuple[str, Number]:
    """The argument `run` as a pair of its unit and its count."""
    if isinstance(run, (int, float)):
        raise _missing_unit("Clock", "run", run, ("updates", "epochs"), lambda u, n: f'run={{"{u}": {n}}}')
    unit, value = _only_item("run", _RUN, run)
    argument = f'run["{unit}"]'
    count = _validated_count("Clock", argument, unit, value)
    if count == 0:
        raise argument_error("Clock", argument, "above 0", count)
    return unit, count


def validated_update_size(
    samples_per_update: Any, batch_size: int | None, accumulation: int, processes: int
) -> int | Ramp | None:
    """The argument `samples_per_update` in hashable form, validated together with the other arguments."""
    name = "samples_per_update"
    if samples_per_update is None:
        if batch_size is None:
            raise argument_error("Clock", "batch_size", f"given if `{name}` is not", None, TypeError)
        return None
    batch = (batch_size or 1) * processes
    if hasattr(samples_per_update, "items"):
        size: int | Ramp = _validated_ramp(samples_per_update, batch)
    elif hasattr(samples_per_update, "__iter__"):
        raise argument_error("Clock", name, _UPDATE_SIZE, samples_per_update, TypeError)
    else:
        size = _multiple_of(batch, name, samples_per_update)
    if accumulation != 1:
        raise argument_error("Clock", "accumulation", f"1 if `{name}` is given", accumulation)
    return size


def _validated_ramp(samples_per_update: Any, batch: int) -> Ramp:
    unit, content = _only_item("samples_per_update", _UPDATE_SIZE, samples_per_update)
    argument = f'samples_per_update["{unit}"]'
    try:
        pairs = [(count, size) for count, size in content]
    except (TypeError, ValueError) as error:
        raise argument_error("Clock", argument, _PAIRS, content, TypeError) from error
    ramp = tuple(
        (
            _validated_count("Clock", f"{argument}[{i}][0]", unit, count),
            _multiple_of(batch, f"{argument}[{i}][1]", size),
        )
        for i, (count, size) in enumerate(pairs)
    )
    if not ramp or ramp[0][0] != 0:
        raise argument_error("Clock", argument, _PAIRS, pairs)
    if any(before >= after for (before, _), (after, _) in pairwise(ramp)):
        raise argument_error("Clock", argument, "a sequence of pairs with increasing counts", pairs)
    return unit, ramp


def require_ramp_within_run(unit: str, ramp: tuple[Any, ...], first_updates: list[int], total: int) -> None:
    """Raise an error if a size of the ramp is first used after the last update of the run."""
    for i, (stage, first) in enumerate(zip(ramp, first_updates, strict=True)):
        if first > total:
            argument, fix = f'samples_per_update["{unit}"][{i}]', f"it begins at update {first}; shorten the ramp"
            requirement = f"a stage that begins within the `run` of {total} updates"
            raise argument_error("Clock", argument, requirement, stage, fix=fix)


def _validated_count(function: str, argument: str, unit: str, value: Any) -> Number:
    """A count that is valid for its unit. Integers are returned as int, also floats such as 3e5."""
    requirement, largest = _FRACTIONAL.get(unit, _INTEGER)
    count = value if isinstance(value, Fraction) else as_number(function, argument, requirement, value)
    if not isinstance(count, (int, float, Fraction)):  # `as_number` returns arrays unchanged
        raise argument_error(function, argument, requirement, value, TypeError)
    if not 0 <= count <= largest or (unit not in _FRACTIONAL and count != int(count)):
        raise argument_error(function, argument, requirement, value)
    return int(count) if count == int(count) else count


def _missing_unit(
    function: str, argument: str, value: Any, candidates: tuple[str, ...], write: Callable[[str, str], str]
) -> Exception:
    """The error for a number without a unit. It suggests two ways to give the number with one.

    Args:
        candidates: the units to suggest if the number is valid for them.
        write: a function that returns the corrected code for a unit and a number (both str).
    """
    numbers = {}
    for unit in candidates:
        try:
            _validated_count(function, argument, unit, value)
        except (TypeError, ValueError):
            continue
        numbers[unit] = repr(value)
    for unit in ("epochs", "tokens"):  # suggested if the number is valid for fewer than two candidates
        numbers.setdefault(unit, "...")
    first, second, *_ = (write(unit, number) for unit, number in numbers.items())
    return argument_error(function, argument, "given with a unit", value, TypeError, fix=f"use {first} or {second}")


def _multiple_of(batch: int, argument: str, value: Any) -> int:
    size: int = concrete_positive_int("Clock", argument, value)
    if size % batch:
        raise argument_error("Clock", argument, f"a multiple of `batch_size` * `processes` ({batch})", value)
    return size


def _only_item(argument: str, requirement: str, value: Any) -> tuple[str, Any]:
    """The unit and the content of a dict that has one unit as its only key."""
    if not hasattr(value, "items"):
        raise argument_error("Clock", argument, requirement, value, TypeError)
    items = list(value.items())
    if len(items) != 1 or items[0][0] not in UNITS:
        raise argument_error("Clock", argument, requirement, value)
    unit, content = items[0]
    return unit, content
