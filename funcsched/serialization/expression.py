"""Schedules as text, read back: the expressions that they print, and no other Python."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error
from funcsched.core.value import Value
from funcsched.serialization.data import DEPTH, builders, called, parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LONGEST = 100_000  # characters of a text
_LONGEST_NUMBER = 400  # of one number: the largest float has 309 digits, and Python refuses to read some thousands
_WIDTH = 100  # of the line that an error shows
_SHOWN = 40  # of the token that it names
_SPACE = frozenset(" \t\r\n")
_DIGITS = frozenset("0123456789")  # str.isdigit takes those of all scripts
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.")
_MARKS = frozenset("()[],=+-")
_CLOSING = {"(": ")", "[": "]"}
_CONSTANTS = {"True": True, "False": False, "None": None}
_PREFIXES = ("fs.", "funcsched.")
_OF_FUNCTIONS = ("lift", "tabulate")


class ParseError(ValueError):
    """A text that builds no schedule: the message names the place and shows it.

    Attributes:
        line: the number of the line, from 1.
        column: the number of the character in it, from 1.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.serialization.expression import ParseError, parse
        >>> try:
        ...     parse("warmup_linear(10; 100)")
        ... except ParseError as error:
        ...     error.line, error.column
        (1, 17)
    """

    __module__ = "funcsched"  # where it is public: tracebacks print it
    line = 1
    column = 1


def parse(text: str) -> Schedule:
    """The schedule of a text: the expression that a schedule prints, or one written by hand.

    ``parse(str(schedule)) == schedule``

    Args:
        text: a call of a public function, ``"warmup_cosine(warmup_steps=1_000, total_steps=100_000, end=0.1)"``, with
            or without ``fs.`` or ``funcsched.`` before its name. An argument is a number, a string, True, False, None,
            a list or tuple, another call, or the name of a shape that has no arguments. Nothing else of Python is
            read: no sums, no other names. At most 100,000 characters.

    Returns:
        A schedule. As an argument of the command line: ``parser.add_argument("--schedule", type=fs.parse)``.

    Raises:
        ParseError: a ValueError. The text is too long, no expression, names what does not exist, has more than 50
            calls or 50 brackets inside each other, or a function refuses its arguments. The sentence has the line and
            the column, and below it a caret points at them.
        TypeError: `text` is no string.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.serialization.expression import parse
        >>> parse("shift(fs.warmup_linear(10, total_steps=1e2), 1)")(9)
        1.0
        >>> parse("warmup_linear(10, total_steps=5)")
        Traceback (most recent call last):
        ...
        funcsched.ParseError: parse: at line 1, column 1: warmup_linear: `warmup_steps` must be at most \
`total_steps` (5), got 10
            warmup_linear(10, total_steps=5)
            ^
    """
    if not isinstance(text, str):
        kind = type(text).__name__  # the value may be as long as it likes
        raise TypeError(f"parse: `text` must be a string, got an object of type {kind}")
    if len(text) > LONGEST:
        raise argument_error("parse", "text", f"at most {LONGEST} characters long", len(text), _kind())
    reader = Reader(text)
    start = reader.start
    schedule = reader.value("a schedule", DEPTH, DEPTH)
    if reader.kind != "end":
        raise reader.error("the end of the text")
    if not isinstance(schedule, Schedule):
        raise reader.wrong(start, "a schedule", _clipped(repr(schedule)))
    return schedule


class Reader:
    """A text, and the token at which the reading stands."""

    __slots__ = ("after", "builders", "kind", "start", "text", "token")

    def __init__(self, text: str) -> None:
        self.text = text
        self.builders = builders()
        self.kind = self.token = ""  # word, number, string, mark or end; the characters of it
        self.start = self.after = 0
        self.advance()

    def advance(self) -> None:
        """Go on to the next token."""
        text, size = self.text, len(self.text)
        at = self.after
        while at < size and text[at] in _SPACE:
            at += 1
        self.start = at
        if at == size:
            self.kind = "end"
        elif text[at] in _WORD:
            self.kind = "number" if text[at] in _DIGITS or text[at] == "." else "word"
            while at < size and (text[at] in _WORD or (self.kind == "number" and self._signed(at))):
                at += 1
        elif text[at] in _MARKS:
            self.kind = "mark"
            at += 1
        elif text[at] in "'\"":
            self.kind = "string"
            at = self._closed(at)
        else:
            self.kind = "other"
            at += 1
        self.token, self.after = text[self.start : at], at

    def _signed(self, at: int) -> bool:
        """Whether a sign of an exponent stands there."""
        return self.text[at] in "+-" and self.text[at - 1] in "eE"

    def _closed(self, start: int) -> int:
        """Where a string ends."""
        quote = self.text[start]
        for at in range(start + 1, len(self.text)):
            if self.text[at] == quote:
                return at + 1
            if self.text[at] == "\\":
                raise self.wrong(at, "a string without backslashes", "'\\\\'")
            if self.text[at] == "\n":
                raise self.wrong(at, f"the end of the string, {quote},", "the end of the line")
        raise self.wrong(len(self.text), f"the end of the string, {quote},", "the end of the text")

    def value(self, expected: str, calls: int, brackets: int) -> Any:
        """What stands here as an argument; so many calls and brackets may be inside each other."""
        start, kind, token = self.start, self.kind, self.token
        if kind == "word":
            if token in _CONSTANTS:
                self.advance()
                return _CONSTANTS[token]
            return self.named(calls, brackets)
        if kind == "number":
            self.advance()
            return self.number(start, token)
        if kind == "string":
            self.advance()
            return token[1:-1]
        if token in ("(", "["):
            return self.bracketed(calls, brackets)
        if token in ("+", "-"):
            self.advance()
            if self.kind != "number":
                raise self.error("a number")
            number = self.value("a number", calls, brackets)
            return -number if token == "-" else number
        raise self.error(expected)

    def number(self, start: int, token: str) -> int | float:
        """The number of a token."""
        if len(token) > _LONGEST_NUMBER:
            raise self.wrong(start, f"a number of at most {_LONGEST_NUMBER} characters", _shown(token))
        whole = token.replace("_", "0").isdigit()
        try:
            number = int(token) if whole else float(token)
        except ValueError:
            number = float("nan")
        if number != number or (whole and token[0] == "0" and len(token) > 1):
            raise self.wrong(start, "a number", _shown(token)) from None
        if number == float("inf"):
            raise self.wrong(start, "a finite number", _shown(token))
        return number

    def bracketed(self, calls: int, brackets: int) -> Any:
        """A list, a tuple, or a value in brackets of its own."""
        opening = self.token
        if brackets == 0:
            raise self.error(f"at most {DEPTH} brackets inside each other")
        self.advance()
        items: list[Any] = []
        commas = 0
        while self.token != _CLOSING[opening] or self.kind != "mark":
            items.append(self.value(f"a value or {_CLOSING[opening]!r}", calls, brackets - 1))
            commas += self.separated(_CLOSING[opening])
        self.advance()
        if opening == "[":
            return items
        return items[0] if len(items) == 1 and not commas else tuple(items)

    def separated(self, closing: str) -> bool:
        """Whether a comma was there; without one, the closing bracket must be next."""
        if self.kind == "mark" and self.token == ",":
            self.advance()
            return True
        if self.kind != "mark" or self.token != closing:
            raise self.error(f"',' or {closing!r}")
        return False

    def named(self, calls: int, brackets: int) -> Any:
        """A shape by its name, or the call of a function."""
        start, name = self.start, self.token
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
        name = name[len(prefix) :]
        builder = self.builders.get(name)
        if builder is None:
            raise self.unknown(start, name)
        self.advance()
        opened = self.kind == "mark" and self.token == "("
        if isinstance(builder, Value):
            if opened:
                raise self.error(f"{name} without brackets")
            return builder
        if not opened:
            raise self.error(f"'(' and the arguments of {name}")
        if calls == 0:
            raise self.wrong(start, f"at most {DEPTH} calls inside each other", _shown(name))
        self.advance()
        arguments = self.arguments(name, builder, calls - 1, brackets)
        try:
            return called(builder, arguments)
        except (TypeError, ValueError) as error:
            raise located("parse: at ", f": {error}", self.text, start) from error

    def arguments(self, name: str, builder: Callable[..., Any], calls: int, brackets: int) -> dict[str, Any]:
        """The arguments of a call by name, up to and with its closing bracket."""
        names, positional, variadic = parameters(builder)
        given: dict[str, Any] = {}
        several: list[Any] = []
        while self.kind != "mark" or self.token != ")":
            start, token = self.start, self.token
            if self.kind == "word" and self._equals():
                if token not in names or variadic:
                    wanted = "arguments without names" if variadic else f"one of the arguments {', '.join(names)}"
                    raise self.error(wanted if names else "no arguments")
                if token in given:
                    raise self.error(f"each argument of {name} once")
                self.advance()
                self.advance()
                given[token] = self.value("a value", calls, brackets)
            else:
                value = self.value("an argument or ')'", calls, brackets)
                if variadic:
                    several.append(value)
                elif len(given) > len(several):
                    raise self.wrong(start, "arguments without names before those with names", _shown(token))
                elif len(several) == positional:
                    many = f"{positional} argument{'s' * (positional != 1)}"
                    raise self.wrong(start, f"at most {many} of {name} without a name", _shown(token))
                else:
                    given[names[len(several)]] = value
                    several.append(value)
            self.separated(")")
        self.advance()
        if variadic:
            one = len(several) == 1 and isinstance(several[0], (list, tuple))
            return {names[-1]: several[0] if one else several}
        return given

    def _equals(self) -> bool:
        """Whether the token is followed by a sign of equality."""
        at = self.after
        while at < len(self.text) and self.text[at] in _SPACE:
            at += 1
        return self.text[at : at + 1] == "="

    def error(self, expected: str) -> ParseError:
        """What to raise about the token at which the reading stands."""
        found = "the end of the text" if self.kind == "end" else _shown(self.token)
        return self.wrong(self.start, expected, found)

    def wrong(self, at: int, expected: str, found: str) -> ParseError:
        """What to raise about a place."""
        return located(f"parse: `text` must have {expected} at ", f", got {found}", self.text, at)

    def unknown(self, start: int, name: str) -> ParseError:
        if name in _OF_FUNCTIONS:
            return self.wrong(start, "no functions of your own (`tabulate` makes a table of one)", _shown(name))
        from difflib import get_close_matches  # only for the sentence

        near = get_close_matches(name[:_SHOWN], self.builders, n=3)
        return self.wrong(start, "one of " + ", ".join(near or sorted(self.builders)), _shown(name))


def _shown(token: str) -> str:
    return repr(_clipped(token))


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def located(before: str, after: str, text: str, at: int) -> ParseError:
    """An error with a place amid its sentence, the line of it, and a caret below."""
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line, column = text.count("\n", 0, at) + 1, at - begin + 1
    first = max(0, at - begin - _WIDTH // 2)
    whole = text[begin : len(text) if end < 0 else end].rstrip()
    # A tab or what has no width of its own would move the caret.
    shown = "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in whole[first : first + _WIDTH])
    left, right = ("... " if first else ""), (" ..." if len(whole) > first + _WIDTH else "")
    caret = " " * (len(left) + at - begin - first) + "^"
    error = _kind()(f"{before}line {line}, column {column}{after}\n    {left}{shown}{right}\n    {caret}")
    error.line, error.column = line, column
    return error


_kinds: list[type[ParseError]] = []


def _kind() -> type[ParseError]:
    """ParseError, or where argparse is in use, one of which argparse prints the message.

    Of any other ValueError it says no more than "invalid parse value".
    """
    import sys

    argparse = sys.modules.get("argparse")
    if argparse is None or not hasattr(argparse, "ArgumentTypeError"):
        return ParseError
    if not _kinds:
        members = {"__module__": ParseError.__module__, "__doc__": ParseError.__doc__, "__reduce__": _reduced}
        _kinds.append(type("ParseError", (ParseError, argparse.ArgumentTypeError), members))
    return _kinds[0]


def _reduced(error: ParseError) -> tuple[Any, ...]:
    return ParseError, error.args, {"line": error.line, "column": error.column}
