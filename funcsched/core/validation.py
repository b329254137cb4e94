"""The rules for arguments: one rule for each argument name, one form for all error messages.

A rule is a function ``rule(function, argument, value)`` that returns the normalized value, or raises an error that
names the function and the argument. NumPy scalars become Python numbers. Arrays and tracers are returned unchanged
where an argument may be traced, because their values may be unknown.
"""

from __future__ import annotations

from itertools import pairwise

from funcsched.numerics.dispatch import dtype_name, library
from funcsched.numerics.double_word import DoubleWord
from funcsched.numerics.number_system import MAX_COUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Rule = Callable[[str, str, Any], Any]

LARGEST = 1.7976931348623157e308  # the largest float: unlike isfinite, a comparison with it works for ints of any size
LARGEST_LEVEL = 1.7014117331926443e38  # half the largest float32, so that the difference of two levels is finite
MAX_CYCLES = 1_000_000
_MAX_ITEMS = 20  # of a list in an error message


def argument_error(
    function: str, argument: str, requirement: str, value: Any, kind: type[Exception] = ValueError, *, fix: str = ""
) -> Exception:
    """The error about an argument; `fix` says what to write instead, where that is obvious."""
    fix = f"; {fix}" if fix else ""
    return kind(f"{function}: `{argument}` must be {requirement}, got {short_repr(value)}{fix}")


def short_repr(value: Any) -> str:
    """The repr of a value, abbreviated if the value is long, nested or contains itself."""
    try:
        return repr(value) if _is_short(value) else _abbreviated(value)
    except (ValueError, RecursionError):  # Python does not print an int of more than 4300 digits
        return f"a value of type {type(value).__name__} that is too long to print"


def _is_short(value: Any) -> bool:
    if not isinstance(value, (list, tuple, dict)):
        return True
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return len(items) <= 2 * _MAX_ITEMS and not any(isinstance(item, (list, tuple, dict)) for item in items)


def _abbreviated(value: Any) -> str:
    from reprlib import Repr  # imported only for an error

    short = Repr()
    short.maxlevel, short.maxlist, short.maxtuple, short.maxdict = 4, _MAX_ITEMS, _MAX_ITEMS, _MAX_ITEMS
    short.maxstring = short.maxother = short.maxlong = 400
    return short.repr(value)


def as_number(function: str, argument: str, requirement: str, value: Any) -> Any:
    """A number as a Python int or float. Arrays and tracers are returned unchanged; anything else is a TypeError."""
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, DoubleWord):  # a traced length of a recipe, in JAX without x64
        return value
    kind = library(value)
    if kind == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    elif kind is not None:
        if not dtype_name(value).startswith(("int", "uint", "float", "bfloat")):
            raise argument_error(function, argument, requirement, value, TypeError)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        error = argument_error(function, argument, requirement, value, TypeError)
        raise TypeError(f"{error}{_hint(value)}") if isinstance(value, str) else error
    return int(value) if isinstance(value, int) else float(value)


def _hint(text: str) -> str:
    """What the error about a number adds if the value is the text of one with an exponent."""
    from decimal import Decimal  # imported only for an error

    digits, _, exponent = text.lower().partition("e")
    try:
        number = Decimal(text) if len(text) <= 40 and text.isascii() and text == text.strip() else Decimal("NaN")
    except ArithmeticError:
        return ""
    if not exponent or not number.is_finite():
        return ""
    mantissa = digits if "." in digits else f"{digits}.0"
    sign = "" if exponent[0] in "+-" else "+"
    plain = f" or {number:f}" if -10 <= number.adjusted() <= 20 else ""
    return f", a string; YAML reads {text} as text: write {mantissa}e{sign}{exponent}{plain}"


def number_rule(
    requirement: str, low: float, high: float, kind: type[Any] = float, *, traced: bool = False, above: bool = False
) -> Rule:
    """The rule of a number from `low` to `high`; `above` excludes `low`, `traced` accepts arrays and tracers."""

    def check(function: str, argument: str, value: Any) -> Any:
        value = as_number(function, argument, requirement, value)
        if not isinstance(value, (int, float)):
            if traced:
                return value
            integer = _concrete_integer(value) if kind is int else None
            if integer is None:
                raise argument_error(function, argument, requirement, value, TypeError)
            value = integer
        if not low <= value <= high or (above and value == low) or (kind is int and value != int(value)):
            raise argument_error(function, argument, requirement, value)
        return kind(value) + kind(0)  # turns -0.0 into 0.0

    check.traced = traced  # type: ignore[attr-defined]
    return check


def _concrete_integer(value: Any) -> int | None:
    """The integer in an array of no dimensions, such as the count of an optimizer. None for a tracer or a float."""
    try:
        return int(value.__index__()) if getattr(value, "ndim", None) == 0 else None
    except TypeError:
        return None


def require_known(
    function: str,
    names: Iterable[str],
    arguments: Mapping[str, Any],
    hint: Callable[[str, list[str]], str] | None = None,
) -> None:
    """Raise an error unless all names of `arguments` are in `names`.

    `hint` is what to write instead of a name, from that name and `names`; by default the name that is most similar.
    """
    names = list(names)
    for name, value in arguments.items():
        if name in names:
            continue
        takes = "takes " + ", ".join(f"`{known}`" for known in names) if names else "takes no arguments"
        fix = suggestion(name, names, "") if hint is None else hint(name, names)
        fix = f"; {fix}" if fix else ""
        raise TypeError(f"{function}: no argument `{name}` (got {short_repr(value)}); it {takes}{fix}")


def suggestion(name: Any, known: Iterable[str], otherwise: str, similarity: float = 0.6) -> str:
    """The known name that is most similar, as a question; `otherwise` if none reaches `similarity` (0 to 1)."""
    from difflib import get_close_matches  # imported only for an error

    similar = get_close_matches(name[:100], known, n=1, cutoff=similarity) if isinstance(name, str) else []
    return f"did you mean {similar[0]!r}?" if similar else otherwise


def too_many_arguments(name: str, positional: Sequence[str], others: Iterable[str]) -> str:
    """The message about more positional arguments than a function has; `others` are its other arguments."""
    by_name = f"; pass {', '.join(others)} by name" if others else ""
    return f"too many positional arguments; {name} takes {len(positional) or 'none'}{by_name}"


def accepts_tracers(rule: Rule) -> bool:
    """Whether an argument with this rule may be an array or a tracer."""
    return getattr(rule, "traced", False)


# Numbers of steps. Those called concrete may not be traced.
nonnegative_int = number_rule("an integer from 0 to 2**53", 0, MAX_COUNT, int, traced=True)
concrete_nonnegative_int = number_rule("an integer from 0 to 2**53", 0, MAX_COUNT, int)
positive_int = number_rule("an integer from 1 to 2**53", 1, MAX_COUNT, int, traced=True)
concrete_positive_int = number_rule("an integer from 1 to 2**53", 1, MAX_COUNT, int)


def phase_length(function: str, argument: str, value: Any) -> Any:
    """The rule of the number of steps in a phase, which other libraries also accept as a fraction of the run."""
    if type(value) is float and 0 < value < 1:
        fix = f"for a fraction of the run, pass round({value} * total_steps)"
        raise argument_error(function, argument, "an integer from 0 to 2**53", value, fix=fix)
    return nonnegative_int(function, argument, value)


phase_length.traced = True  # type: ignore[attr-defined]

# Multipliers.
level = number_rule("a number from -1.7e38 to 1.7e38", -LARGEST_LEVEL, LARGEST_LEVEL, traced=True)
concrete_level = number_rule("a number from -1.7e38 to 1.7e38", -LARGEST_LEVEL, LARGEST_LEVEL)
nonnegative = number_rule("a number from 0 to 1.7e38", 0, LARGEST_LEVEL, traced=True)
concrete_nonnegative = number_rule("a number from 0 to 1.7e38", 0, LARGEST_LEVEL)
unit_interval = number_rule("a number from 0 to 1", 0, 1, traced=True)
# Parameters of shapes and decays.
positive = number_rule("a finite number above 0", 0, LARGEST, above=True)
exponent = number_rule("a number above 0 and at most 1000", 0, 1000, above=True)
ratio = number_rule("a number from 1e-30 to 1e30", 1e-30, 1e30)
ratio_up_to_one = number_rule("a number from 1e-30 to 1", 1e-30, 1)
below_one = number_rule("a number of at least 0 and below 1", 0, 1 - 2.0**-53)
wave_fraction = number_rule("a number from 0.001 to 1", 0.001, 1)
tanh_bound = number_rule("a number from -40 to 40", -40, 40)
# Learning rates, which may be negative, because optax adds updates to the parameters.
finite = number_rule("a finite number", -LARGEST, LARGEST, traced=True)
# Cycles.
integer_cycles = number_rule(f"an integer from 1 to {MAX_CYCLES}", 1, MAX_CYCLES, int)
_growth_factor = number_rule("1 or a number from 1.001 to 1e6", 1.0, 1e6)


def cycles(function: str, argument: str, value: Any) -> Any:
    """The rule of a number of cycles, which may be fractional."""
    number_of_cycles = positive(function, argument, value)
    if number_of_cycles > MAX_CYCLES:
        raise argument_error(function, argument, f"at most {MAX_CYCLES}", value)
    return number_of_cycles


def growth_factor(function: str, argument: str, value: Any) -> float:
    """The rule of the ratio of the lengths of successive cycles."""
    factor = _growth_factor(function, argument, value)
    if 1 < factor < 1.001:
        raise argument_error(function, argument, "1 or a number from 1.001 to 1e6", value)
    return float(factor)


def optional(rule: Rule) -> Rule:
    """The same rule for an argument that may be None."""

    def check(function: str, argument: str, value: Any) -> Any:
        return None if value is None else rule(function, argument, value)

    check.traced = accepts_tracers(rule)  # type: ignore[attr-defined]
    return check


def sequence(function: str, argument: str, value: Any, rule: Rule, of: str) -> tuple[Any, ...]:
    """A sequence as a tuple. Each item is validated by `rule`; `of` is what errors call the items."""
    if not hasattr(value, "__iter__") or isinstance(value, (str, bytes, dict)):
        raise argument_error(function, argument, f"a sequence of {of}", value, TypeError)
    return tuple(rule(function, f"{argument}[{i}]", item) for i, item in enumerate(value))


def concrete_nonnegative_ints(function: str, argument: str, value: Any) -> tuple[int, ...]:
    """The rule of a sequence of concrete step counts."""
    return sequence(function, argument, value, concrete_nonnegative_int, "integers")


def one_of(*options: str) -> Rule:
    """The rule of a string that selects an option."""

    def check(function: str, argument: str, value: Any) -> Any:
        if not isinstance(value, str) or value not in options:
            raise argument_error(function, argument, "one of " + ", ".join(map(repr, options)), value)
        return value

    return check


def require_increasing(function: str, argument: str, values: tuple[Any, ...]) -> None:
    """Raise an error unless concrete boundaries increase."""
    for before, after in pairwise(values):
        if isinstance(before, int) and isinstance(after, int) and before >= after:
            raise argument_error(function, argument, "increasing", list(values))


def boolean(function: str, argument: str, value: Any) -> bool:
    """The rule of a flag."""
    if not isinstance(value, bool):
        raise argument_error(function, argument, "True or False", value, TypeError)
    return value


def callable_(function: str, argument: str, value: Any) -> Any:
    """The rule of a function of one argument."""
    if not callable(value):
        raise argument_error(function, argument, "a function", value, TypeError)
    return value


def require_at_most(function: str, argument: str, value: Any, bound: str, limit: Any) -> None:
    """Raise an error if a concrete argument exceeds another one, which is called `bound` in the message."""
    if isinstance(value, int) and isinstance(limit, int) and value > limit:
        raise argument_error(function, argument, f"at most `{bound}` ({limit})", value)


# An argument of this name has the same meaning, and so the same rule, in every function.
RULES: dict[str, Rule] = {
    "steps": nonnegative_int,
    "warmup_steps": phase_length,
    "warmup_offset": concrete_nonnegative_int,
    "stable_steps": phase_length,
    "decay_steps": phase_length,
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
    "d": below_one,
    "fraction": wave_fraction,
    "lower": tanh_bound,
    "upper": tanh_bound,
    "function": callable_,
}


def validated(function: str, /, **arguments: Any) -> list[Any]:
    """The arguments, each validated and normalized by the rule of its name."""
    return [RULES[name](function, name, value) for name, value in arguments.items()]
