"""What each argument must be: one rule and one error sentence per name.

Rules hold for Python numbers (and NumPy scalars, which become Python numbers). Arrays and tracers pass through:
their values may not be known yet.
"""

from __future__ import annotations

from itertools import pairwise

from funcsched.numerics.double_word import DoubleWord
from funcsched.numerics.namespace import dtype_name, library
from funcsched.numerics.number_system import MAX_COUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The largest finite float: a bound that Python compares with an int of any size, where isfinite overflows.
LARGEST = 1.7976931348623157e308
LARGEST_LEVEL = 3.4028234663852886e38  # of float32
MAX_CYCLES = 1_000_000
_MAX_ITEMS = 20  # items that are printed of a list that is refused


def argument_error(
    function: str, argument: str, requirement: str, value: Any, kind: type[Exception] = ValueError
) -> Exception:
    """The one error sentence of the library."""
    return kind(f"{function}: `{argument}` must be {requirement}, got {short_repr(value)}")


def short_repr(value: Any) -> str:
    """A value as it is printed, or where it is too long, too deep or too often itself, its beginning or its type."""
    try:
        return repr(value) if _is_short(value) else _abbreviated(value)
    except (ValueError, RecursionError):  # Python prints no int of more than 4300 digits
        return f"one of type {type(value).__name__} that is too long to print"


def _is_short(value: Any) -> bool:
    """Whether the print of a value is sure to be short enough."""
    if not isinstance(value, (list, tuple, dict)):
        return True
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return len(items) <= 2 * _MAX_ITEMS and not any(isinstance(item, (list, tuple, dict)) for item in items)


def _abbreviated(value: Any) -> str:
    from reprlib import Repr  # only for what is refused

    short = Repr()
    short.maxlevel, short.maxlist, short.maxtuple, short.maxdict = 4, _MAX_ITEMS, _MAX_ITEMS, _MAX_ITEMS
    short.maxstring = short.maxother = short.maxlong = 400
    return short.repr(value)


def as_number(function: str, argument: str, requirement: str, value: Any) -> Any:
    """A Python int or float, or an array as it is; TypeError for anything else."""
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, DoubleWord):  # a count that was looked up in a table
        return value
    kind = library(value)
    if kind == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    elif kind is not None:
        if not dtype_name(value).startswith(("int", "uint", "float", "bfloat")):
            raise argument_error(function, argument, requirement, value, TypeError)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise argument_error(function, argument, requirement, value, TypeError)
    return int(value) if isinstance(value, int) else float(value)


def number_rule(
    requirement: str, low: float, high: float, kind: type[Any] = float, *, traced: bool = False, above: bool = False
) -> Callable[[str, str, Any], Any]:
    """A number from `low` to `high`, or `above` the low one; with `traced`, arrays pass."""

    def check(function: str, argument: str, value: Any) -> Any:
        value = as_number(function, argument, requirement, value)
        if not isinstance(value, (int, float)):
            if traced:
                return value
            raise argument_error(function, argument, requirement, value, TypeError)
        if not low <= value <= high or (above and value == low) or (kind is int and value != int(value)):
            raise argument_error(function, argument, requirement, value)
        return kind(value) + kind(0)  # -0.0 is 0.0

    return check


# A count of steps, one that must be known, and one that divides.
nonnegative_int = number_rule("an integer from 0 to 2**53", 0, MAX_COUNT, int, traced=True)
concrete_nonnegative_int = number_rule("an integer from 0 to 2**53", 0, MAX_COUNT, int)
positive_int = number_rule("an integer from 1 to 2**53", 1, MAX_COUNT, int, traced=True)
concrete_positive_int = number_rule("an integer from 1 to 2**53", 1, MAX_COUNT, int)
# A multiplier.
level = number_rule("a number from 0 to 3.4e38", 0, LARGEST_LEVEL, traced=True)
concrete_level = number_rule("a number from 0 to 3.4e38", 0, LARGEST_LEVEL)
unit_interval = number_rule("a number from 0 to 1", 0, 1, traced=True)
# Parameters of curves.
positive = number_rule("a finite number above 0", 0, LARGEST, above=True)
exponent = number_rule("a number above 0 and at most 1000", 0, 1000, above=True)
ratio = number_rule("a number from 1e-30 to 1e30", 1e-30, 1e30)
ratio_up_to_one = number_rule("a number from 1e-30 to 1", 1e-30, 1)
tanh_bound = number_rule("a number from -40 to 40", -40, 40)
# A learning rate, of either sign: optax subtracts by a negative one.
finite = number_rule("a finite number", -LARGEST, LARGEST, traced=True)
integer_cycles = number_rule(f"an integer from 1 to {MAX_CYCLES}", 1, MAX_CYCLES, int)


def cycles(function: str, argument: str, value: Any) -> Any:
    """A number of cycles, whole or not."""
    number_of_cycles = positive(function, argument, value)
    if number_of_cycles > MAX_CYCLES:
        raise argument_error(function, argument, f"at most {MAX_CYCLES}", value)
    return number_of_cycles


def growth_factor(function: str, argument: str, value: Any) -> float:
    """How many times as long each cycle is as the one before."""
    factor = _growing(function, argument, value)
    if 1 < factor < 1.001:
        raise argument_error(function, argument, "1 or a number from 1.001 to 1e6", value)
    return float(factor)


_growing = number_rule("1 or a number from 1.001 to 1e6", 1.0, 1e6)


def optional(rule: Callable[[str, str, Any], Any]) -> Callable[[str, str, Any], Any]:
    """The same rule for an argument that may be left out."""
    return lambda function, argument, value: None if value is None else rule(function, argument, value)


def sequence(
    function: str, argument: str, value: Any, rule: Callable[[str, str, Any], Any], of: str
) -> tuple[Any, ...]:
    """Each item by a rule, under the name argument[i]."""
    if not hasattr(value, "__iter__") or isinstance(value, (str, bytes, dict)):
        raise argument_error(function, argument, f"a sequence of {of}", value, TypeError)
    return tuple(rule(function, f"{argument}[{i}]", item) for i, item in enumerate(value))


def concrete_nonnegative_ints(function: str, argument: str, value: Any) -> tuple[int, ...]:
    """Several counts of steps that must be known."""
    return sequence(function, argument, value, concrete_nonnegative_int, "integers")


def one_of(*words: str) -> Callable[[str, str, Any], Any]:
    """One of some words."""

    def check(function: str, argument: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise argument_error(function, argument, "one of " + ", ".join(map(repr, words)), value)
        return value

    return check


def require_increasing(function: str, argument: str, values: tuple[Any, ...]) -> None:
    """The rule of boundaries, where they are known."""
    for before, after in pairwise(values):
        if isinstance(before, int) and isinstance(after, int) and before >= after:
            raise argument_error(function, argument, "increasing", list(values))


def boolean(function: str, argument: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise argument_error(function, argument, "True or False", value, TypeError)
    return value


def callable_(function: str, argument: str, value: Any) -> Any:
    """A function of one argument."""
    if not callable(value):
        raise argument_error(function, argument, "callable", value, TypeError)
    return value


def require_at_most(function: str, argument: str, value: Any, bound: str, limit: Any) -> None:
    """The one rule between two arguments: `value` at most `limit`, where both are known."""
    if isinstance(value, int) and isinstance(limit, int) and value > limit:
        raise argument_error(function, argument, f"at most `{bound}` ({limit})", value)


# One spelling for arguments everywhere, so a rule belongs to a name.
RULES: dict[str, Callable[[str, str, Any], Any]] = {
    "steps": nonnegative_int,
    "warmup_steps": nonnegative_int,
    "stable_steps": nonnegative_int,
    "decay_steps": nonnegative_int,
    "total_steps": nonnegative_int,
    "boundary": nonnegative_int,
    "timescale": positive_int,
    "period": positive_int,
    "start": level,
    "stop": level,
    "end": level,
    "value": level,
    "factor": level,
    "shift": concrete_nonnegative_int,
    "staircase": boolean,
    "cycles": cycles,
    "exponent": exponent,
    "ratio": ratio,
    "rate": ratio,
    "period_factor": growth_factor,
    "level_factor": ratio,
    "lower": tanh_bound,
    "upper": tanh_bound,
    "function": callable_,
}


def validated(function: str, /, **arguments: Any) -> list[Any]:
    """The arguments by the rule of each one's name, normalised."""
    return [RULES[name](function, name, value) for name, value in arguments.items()]
