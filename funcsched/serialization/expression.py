"""Schedules as text: parsing the expressions that schedules print."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error
from funcsched.core.value import Value
from funcsched.serialization.data import registry, suggestion, unknown_schedule
from funcsched.serialization.syntax import ExpressionParser, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def parse(text: str) -> Schedule:
    """Read a schedule from its expression, as printed by a schedule or written by hand.

    ``parse(str(schedule)) == schedule``

    Args:
        text: a call of a public function, ``"warmup_cosine(warmup_steps=1_000, total_steps=100_000, end=0.1)"``, with
            or without the prefix ``fs.`` or ``funcsched.``. Arguments are numbers, strings, True, False, None, lists,
            tuples, nested calls, and names of shapes that have no arguments. Nothing is evaluated: arithmetic and
            other names are errors. At most 100,000 characters.

    Returns:
        A schedule. With argparse: ``parser.add_argument("--schedule", type=fs.parse)``.

    Raises:
        ParseError: a ValueError. The text is too long, is not an expression, uses an unknown name, nests more than 50
            calls or 50 brackets, or a function refuses its arguments. The message has the line and the column, and
            shows the line with a caret below the mistake.
        TypeError: `text` is not a string.

    Example:
        >>> import funcsched as fs
        >>> fs.parse("shift(fs.warmup_linear(10, total_steps=1e2), 1)")(9)
        1.0
        >>> fs.parse("warmup_linear(10, total_steps=5)")
        Traceback (most recent call last):
        ...
        funcsched.ParseError: parse: line 1, column 1: warmup_linear: `warmup_steps` must be at most `total_steps` \
(5), got 10
            warmup_linear(10, total_steps=5)
            ^
    """
    if not isinstance(text, str):
        raise argument_error("parse", "text", "a string", text, TypeError)
    schedule: Schedule = _ScheduleParser("parse", text).parse(Schedule, "a schedule, such as warmup_cosine(10, 100)")
    return schedule


class _ScheduleParser(ExpressionParser):
    """Parses the public names of this library."""

    def function(self, name: str, at: int) -> Callable[..., Any]:
        name = _without_package(name)
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
        shapes = (key for key, value in registry().items() if isinstance(value, Value))
        known = [*shapes, "True", "False", "None"]
        hint = suggestion(name, known, "`funcsched list` shows all names, and strings need quotes")
        raise self.error(at, f"unknown name {shortened(name)!r}; {hint}")


def _without_package(name: str) -> str:
    package, _, rest = name.partition(".")
    return rest if rest and package in ("fs", "funcsched") else name
