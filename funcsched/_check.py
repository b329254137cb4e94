"""What each argument must be: one rule and one error sentence per name.

Rules hold for Python numbers (and NumPy scalars, which become Python numbers). Arrays and tracers pass through:
their values may not be known yet.
"""

from __future__ import annotations

from funcsched._namespace import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The largest finite float: a bound that Python compares with an int of any size, where isfinite overflows.
LARGEST = 1.7976931348623157e308
LARGEST_LEVEL = 3.4028234663852886e38  # of float32
# Every count up to here is exact in float64, the widest type that all backends share.
MAX_COUNT = 2**53
MAX_CYCLES = 1_000_000


def refuse(function: str, argument: str, requirement: str, value: Any, kind: type[Exception] = ValueError) -> Exception:
    """The one error sentence of the library."""
    return kind(f"{function}: `{argument}` must be {requirement}, got {value!r}")


def number(function: str, argument: str, requirement: str, value: Any) -> Any:
    """A Python int or float, or an array as it is; TypeError for anything else."""
    if type(value) is int or type(value) is float:
        return value
    kind = library(value)
    if kind == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    elif kind is not None:
        if any(word in str(value.dtype) for word in ("bool", "complex", "object", "str")):
            raise refuse(function, argument, requirement, value, TypeError)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse(function, argument, requirement, value, TypeError)
    return int(value) if isinstance(value, int) else float(value)


def whole(function: str, argument: str, value: Any) -> Any:
    """A count of steps as an int."""
    requirement = "a whole number from 0 to 2**53"
    value = number(function, argument, requirement, value)
    if not isinstance(value, (int, float)):
        return value
    if not 0 <= value <= MAX_COUNT or value != int(value):
        raise refuse(function, argument, requirement, value)
    return int(value)


def whole_now(function: str, argument: str, value: Any) -> int:
    """A count of steps that must be known: no array of several, no tracer."""
    count = whole(function, argument, value)
    if not isinstance(count, int):
        raise refuse(function, argument, "a whole number from 0 to 2**53", value, TypeError)
    return count


def level(function: str, argument: str, value: Any) -> Any:
    """A multiplier as a float."""
    requirement = "a number from 0 to 3.4e38"
    value = number(function, argument, requirement, value)
    if not isinstance(value, (int, float)):
        return value
    if not 0 <= value <= LARGEST_LEVEL:
        raise refuse(function, argument, requirement, value)
    return abs(float(value))  # abs: -0.0 is 0.0


def positive(function: str, argument: str, value: Any) -> float:
    """A parameter of a curve: a Python float above 0."""
    requirement = "a finite number above 0"
    value = number(function, argument, requirement, value)
    if not isinstance(value, (int, float)):
        raise refuse(function, argument, requirement, value, TypeError)
    if not 0 < value <= LARGEST:
        raise refuse(function, argument, requirement, value)
    return float(value)


def finite(function: str, argument: str, value: Any) -> Any:
    """A learning rate, of either sign: optax subtracts by a negative one."""
    requirement = "a finite number"
    value = number(function, argument, requirement, value)
    if isinstance(value, (int, float)) and not -LARGEST <= value <= LARGEST:
        raise refuse(function, argument, requirement, value)
    return float(value) if isinstance(value, int) else value


def callable_(function: str, argument: str, value: Any) -> Any:
    """A function of one argument."""
    if not callable(value):
        raise refuse(function, argument, "callable", value, TypeError)
    return value


def within(function: str, argument: str, value: Any, bound: str, limit: Any) -> None:
    """The one rule between two arguments: `value` at most `limit`, where both are known."""
    if isinstance(value, int) and isinstance(limit, int) and value > limit:
        raise refuse(function, argument, f"at most `{bound}` ({limit})", value)


def cycles(function: str, argument: str, value: Any) -> float:
    """A number of cycles, whole or not."""
    number_of_cycles = positive(function, argument, value)
    if number_of_cycles > MAX_CYCLES:
        raise refuse(function, argument, f"at most {MAX_CYCLES}", value)
    return number_of_cycles


def whole_cycles(function: str, argument: str, value: Any) -> int:
    """A number of whole cycles."""
    requirement = f"a whole number from 1 to {MAX_CYCLES}"
    value = number(function, argument, requirement, value)
    if not isinstance(value, (int, float)):
        raise refuse(function, argument, requirement, value, TypeError)
    if not 1 <= value <= MAX_CYCLES or value != int(value):
        raise refuse(function, argument, requirement, value)
    return int(value)


# One spelling for arguments everywhere, so a rule belongs to a name.
RULES: dict[str, Callable[[str, str, Any], Any]] = {
    "steps": whole,
    "warmup_steps": whole,
    "total_steps": whole,
    "start": level,
    "stop": level,
    "end": level,
    "value": level,
    "factor": level,
    "cycles": cycles,
    "exponent": positive,
    "function": callable_,
}


def checked(function: str, **arguments: Any) -> list[Any]:
    """The arguments by the rule of each one's name, normalised."""
    return [RULES[name](function, name, value) for name, value in arguments.items()]
