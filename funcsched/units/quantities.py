"""Counts with their units, as arguments: what is refused, and what they are as integers."""

from __future__ import annotations

from itertools import pairwise
from math import nextafter

from funcsched.core.validation import argument_error, as_number, concrete_positive_int
from funcsched.numerics.namespace import library
from funcsched.numerics.number_system import MAX_COUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fractions import Fraction
    from typing import Any

    Number = int | float | Fraction

_UNITS = ("updates", "samples", "tokens", "epochs")  # a fraction needs one of these
_LIMITS = {"epochs": MAX_COUNT, "fraction": 1}
_RULES = {"epochs": "a number from 0 to 2**53", "fraction": "a number from 0 to 1"}
_WHOLE = "an integer from 0 to 2**53"
_RAMP = 'an integer, or a ramp such as {"tokens": [(0, 16), (1_000_000, 32)]}'
_RUN = 'one unit (updates, samples, tokens or epochs) and its count, as {"tokens": 300_000_000_000}'


def exact(count: Number) -> tuple[int, int]:
    """A count as a fraction of integers; of a float, the middle between it and the float below."""
    if not isinstance(count, float):
        return count.numerator, count.denominator
    (a, b), (c, d) = count.as_integer_ratio(), nextafter(count, 0.0).as_integer_ratio()
    return a * d + b * c, 2 * b * d


def needed(function: str, argument: str, unit: str, value: Any) -> Any:
    if value is None:
        raise argument_error(function, argument, f"given to the Clock to count {unit}", None)
    return value


def checked_count(function: str, argument: str, unit: str, value: Any) -> Number:
    """A count by the rule of its unit; an integer is an int whatever it came as."""
    rule = _RULES.get(unit, _WHOLE)
    if isinstance(value, (int, float)) or library(value) is not None or not hasattr(value, "denominator"):
        count = as_number(function, argument, rule, value)
        if not isinstance(count, (int, float)):
            raise argument_error(function, argument, rule, value, TypeError)
    else:
        count = value
    if not 0 <= count <= _LIMITS.get(unit, MAX_COUNT):
        raise argument_error(function, argument, rule, value)
    if count == int(count):
        return int(count)
    if unit not in _RULES:
        raise argument_error(function, argument, rule, value)
    result: Number = count
    return result


def bare(function: str, argument: str, value: Any, call: str) -> Exception:
    """The refusal of a number without a unit, with two ways to say it."""
    units = ["updates", "fraction", "epochs"] if call.startswith("steps") else ["updates", "epochs"]
    ways = []
    for unit in units:
        try:
            checked_count(function, argument, unit, value)
        except (TypeError, ValueError):
            continue
        ways.append(call.format(unit, repr(value)))
    ways = (ways + [call.format(unit, "...") for unit in ("epochs", "tokens")])[:2]
    return argument_error(function, argument, f"given with its unit, {ways[0]} or {ways[1]}", value, TypeError)


def _unit(argument: str, rule: str, value: Any) -> tuple[str, Any]:
    """The only item of a dictionary of one unit."""
    if not hasattr(value, "items"):
        raise argument_error("Clock", argument, rule, value, TypeError)
    items = list(value.items())
    if len(items) != 1 or items[0][0] not in _UNITS:
        raise argument_error("Clock", argument, rule, value)
    unit, content = items[0]
    return unit, content


def length_of_run(run: Any) -> tuple[str, Number]:
    if isinstance(run, (int, float)):
        raise bare("Clock", "run", run, '{{"{}": {}}}')
    unit, count = _unit("run", _RUN, run)
    argument = f'run["{unit}"]'
    count = checked_count("Clock", argument, unit, count)
    if count == 0:
        raise argument_error("Clock", argument, "above 0", count)
    return unit, count


def update_sizes(value: Any, batch: int) -> int | tuple[str, tuple[tuple[Number, int], ...]] | None:
    """The argument `samples_per_update` as a value that hashes."""
    name = "samples_per_update"

    def size(argument: str, value: Any) -> int:
        checked: int = concrete_positive_int("Clock", argument, value)
        if checked % batch:
            raise argument_error("Clock", argument, f"a multiple of `batch_size` * `processes` ({batch})", value)
        return checked

    if value is None:
        return None
    if not hasattr(value, "items"):
        if isinstance(value, str) or hasattr(value, "__iter__"):
            raise argument_error("Clock", name, _RAMP, value, TypeError)
        return size(name, value)
    unit, rows = _unit(name, _RAMP, value)
    rule = "a sequence of pairs (count, samples in an update), the first count being 0"
    argument = f'{name}["{unit}"]'
    try:
        pairs = [(count, following) for count, following in rows]
    except (TypeError, ValueError) as error:
        raise argument_error("Clock", argument, rule, rows, TypeError) from error
    ramp = tuple(
        (checked_count("Clock", f"{argument}[{i}][0]", unit, count), size(f"{argument}[{i}][1]", following))
        for i, (count, following) in enumerate(pairs)
    )
    if not ramp or ramp[0][0] != 0:
        raise argument_error("Clock", argument, rule, pairs)
    counts = tuple(count for count, _ in ramp)
    if any(before >= after for before, after in pairwise(counts)):
        raise argument_error("Clock", argument, "of increasing counts", pairs)
    return unit, ramp
