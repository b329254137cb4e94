"""Schedules as text: parsing the expressions that schedules print."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import LARGEST, argument_error, as_number, suggestion
from funcsched.core.value import Value
from funcsched.serialization.data import ALL_NAMES, CONTROLLERS, registry, unknown_schedule
from funcsched.serialization.syntax import ExpressionParser, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

EXPECTED = "a schedule, such as warmup_cosine(10, 100)"
NUMBERS_BY_NAME = "numbers are given by name, as in "  # before name=100, or the option --set of the command


def parse(text: str, /, **numbers: float) -> Schedule:
    """Read a schedule from its expression, as printed by a schedule or written by hand.

    ``parse(str(schedule)) == schedule``

    Args:
        text: a call of a public function, ``"warmup_cosine(warmup_steps=1_000, total_steps=100_000, end=0.1)"``, with
            or without the prefix ``fs.`` or ``funcsched.``. Arguments are numbers, strings, True, False, None, lists,
            tuples, nested calls, and names of shapes that have no arguments. Numbers may be combined with
            ``+ - * / //`` and parentheses. Nothing else is evaluated. At most 100,000 characters.
        numbers: the values of other names in `text` (int or float, finite), such as the length of the run. They are
            replaced by their values, so the schedule does not know the names.

    Returns:
        A schedule. With argparse: ``parser.add_argument("--schedule", type=fs.parse)``.

    Raises:
        ParseError: a ValueError. The text is too long, is not an expression, uses an unknown name, nests more than 50
            calls or 50 brackets, divides by zero, or a function refuses its arguments. The message has the line and
            the column, and shows the line with a caret below the mistake.
        TypeError, ValueError: `text` is not a string, or a number has the wrong type, is not finite, or has the name of
            a schedule or shape.

    Example:
        >>> import funcsched as fs
        >>> fs.parse("shift(fs.warmup_linear(10, total_steps=1e2), 1)")(9)
        1.0
        >>> fs.parse("warmup_cosine(total // 100, total, end=1 / 20)", total=12_000)
        warmup_cosine(warmup_steps=120, total_steps=12000, end=0.05)
        >>> fs.parse("warmup_linear(10, total_steps=5)")
        Traceback (most recent call last):
        ...
        funcsched.ParseError: parse: line 1, column 1: warmup_linear: `warmup_steps` must be at most `total_steps` \
(5), got 10
            warmup_linear(10, total_steps=5)
            ^
    """
    schedule: Schedule = parse_value("parse", text, numbers, Schedule, EXPECTED)
    return schedule


def parse_value(caller: str, text: Any, numbers: Mapping[str, float], kind: type, expected: str) -> Any:
    """A value of a type, `Schedule` or `Plan`, from its expression; `expected` describes the type in errors."""
    if not isinstance(text, str):
        fix = f"use fs.{caller.replace('parse', 'from_dict')}(...)" if isinstance(text, dict) else ""
        raise argument_error(caller, "text", "a string", text, TypeError, fix=fix)
    parser = ValueParser(caller, text, named_numbers(caller, numbers))
    parser.kind = kind
    return parser.parse(kind, expected)


def named_numbers(function: str, numbers: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that an expression may use by name, validated."""
    for name in numbers:
        if name in registry():
            raise argument_error(function, name, "given another name, because it is a schedule or shape", numbers[name])
    return {name: _number(function, name, value) for name, value in numbers.items()}


def _number(function: str, name: str, value: Any) -> float:
    number = as_number(function, name, "a finite number", value)
    if not isinstance(number, (int, float)):
        raise argument_error(function, name, "a finite number", value, TypeError)
    if not -LARGEST <= number <= LARGEST:
        raise argument_error(function, name, "a finite number", value)
    return number


class ValueParser(ExpressionParser):
    """Parses the public names of this library, and the name of the type."""

    kind: type = Schedule

    def function(self, name: str, at: int) -> Callable[..., Any]:
        name = _without_package(name)
        if name == self.kind.__name__ and not issubclass(self.kind, Schedule):
            return self.kind
        function: Callable[..., Any] | None = registry().get(name)
        if function is None:
            raise self.error(at, unknown_schedule(name))
        if isinstance(function, Value):
            raise self.error(at, f"the shape {name} has no arguments; write it without parentheses")
        return function

    def named_value(self, name: str, at: int) -> Any:
        found = registry().get(_without_package(name))
        if isinstance(found, Value):
            return found
        if found is not None:
            raise self.error(at, f"{name} must be called; write {name}(...)")
        if name in CONTROLLERS:
            raise self.error(at, unknown_schedule(name))
        shapes = (key for key, value in registry().items() if isinstance(value, Value))
        known = [*self.numbers, *shapes, "True", "False", "None"]
        otherwise = f"available names: {', '.join(self.numbers)}"
        if not self.numbers:
            otherwise = f"{ALL_NAMES}, strings need quotes, and {NUMBERS_BY_NAME}{shortened(name)}=100"
        hint = suggestion(name, known, otherwise)
        raise self.error(at, f"unknown name {shortened(name)!r}; {hint}")


def _without_package(name: str) -> str:
    package, _, rest = name.partition(".")
    return rest if rest and package in ("fs", "funcsched") else name
