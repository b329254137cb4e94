"""Expressions as values, with errors that point at the mistake.

Expressions are a small subset of Python: calls, names, numbers with + - * / //, strings, lists, tuples, and
dictionaries with strings as keys. Python's own parser reads them, after a check that the text cannot make it recurse
deeply. Only the functions and names that a subclass or the caller defines are used. Nothing else is evaluated, so
untrusted text is safe.
"""

from __future__ import annotations

import ast
import operator
import re
import sys
from argparse import ArgumentTypeError
from math import inf

from funcsched.core.validation import too_many_arguments
from funcsched.serialization.data import MAX_DEPTH, parameters, unknown_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MAX_LENGTH = 100_000  # characters of a text
MAX_ITEM = 400  # characters between two brackets or commas, without strings: the largest float has 309 digits
_MAX_SHOWN_LINE = 100  # characters of a line in an error message
_MAX_SHOWN_TOKEN = 40

_STRING = re.compile(r"""'[^'\n]*'|"[^"\n]*"|['"]""")
_BRACKET = re.compile(r"(?P<call>\w\s*)?[(\[{]|[)\]}]")
# Outside strings: characters that no expression of the subset has, brackets that Python would apply to a result,
# powers, stars that Python would apply to a sequence, and colons that do not follow a string.
_UNEXPECTED = re.compile(r"""[^\w\s.,:()\[\]{}=+\-*/'"]|(?<=[)\]}])\s*[(\[.]|\*(?=\*)|[(\[,=]\s*\*|(?<!['"\s])\s*:""")
_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
}
_FUNCTIONS = {"+": "add(...)", "*": "scale(...) or product(...)"}  # of schedules
_LARGEST = int(sys.float_info.max)
_LONG_ITEM = re.compile(rf"(?:[^,()\[\]\s]\s*){{{MAX_ITEM + 1}}}")


class ParseError(ValueError, ArgumentTypeError):  # argparse prints the message of an ArgumentTypeError
    """A text that is not a valid expression of a schedule. The message shows the position of the mistake.

    Attributes:
        line: line number, from 1 (int).
        column: column number within the line, in characters from 1 (int).

    Example:
        >>> import funcsched as fs
        >>> try:
        ...     fs.parse("warmup_linear(10; 100)")
        ... except fs.ParseError as error:
        ...     error.line, error.column
        (1, 17)
    """

    __module__ = "funcsched"  # the public path, which tracebacks print

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class ExpressionParser:
    """Builds the value of an expression by calling its functions. Subclasses define what names mean.

    Args:
        caller: the public function that error messages name.
        text: a text of at most `MAX_LENGTH` characters.
        numbers: the values of the names that the expression may use as numbers.
        code: the expression, with spaces for the characters of the text that do not belong to it. Defaults to the text.

    Raises:
        ParseError: the text is too long.
    """

    argument_errors: tuple[type[Exception], ...] = (TypeError, ValueError)  # what functions raise for invalid arguments

    def __init__(self, caller: str, text: str, numbers: Mapping[str, float] | None = None, code: str = "") -> None:
        if len(text) > MAX_LENGTH:
            raise ParseError(f"{caller}: `text` must be at most {MAX_LENGTH} characters long, got {len(text)}")
        self.caller = caller
        self.text = text
        self.numbers = numbers or {}
        self.code = code or text
        self.at = len(text) - len(self.code.lstrip(" \t\r\n"))  # the index of the expression

    def function(self, name: str, at: int) -> Callable[..., Any]:
        """The function with a name; an error at the index if there is none."""
        raise NotImplementedError

    def named_value(self, name: str, at: int) -> Any:
        """The value of a name that is not called; an error at the index if there is none."""
        raise NotImplementedError

    def unknown_argument(self, name: str, function: Callable[..., Any], argument: str) -> str:
        """The message about an argument that a function does not have."""
        return unknown_argument(name, function, argument)

    def parse(self, kind: type, expected: str) -> Any:
        """The value of the expression, which must have a type; `expected` describes that type in errors."""
        return self._typed(self._root(expected), kind, expected)

    def parse_product(self, kind: type, expected: str) -> tuple[Any, float | None]:
        """As `parse`, for an expression or a number times an expression, with that number: None if there is none."""
        node, factor = self._root(expected), None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            is_last = self._may_be_called(node.left) and not self._may_be_called(node.right)
            number, node = (node.right, node.left) if is_last else (node.left, node.right)
            at = self.at + number.col_offset
            factor = self._value(number)
            self._require_number(at, "*", number, factor)
            if not 0 < factor <= _LARGEST:
                raise self.error(at, f"the factor must be a finite number above 0, got {shortened(repr(factor))}")
        return self._typed(node, kind, expected), None if factor is None else float(factor)

    def _may_be_called(self, node: ast.expr) -> bool:
        """Whether a node is a call, or a name that may stand for one."""
        is_name = isinstance(node, (ast.Name, ast.Attribute)) and self._source(node) not in self.numbers
        return is_name or isinstance(node, ast.Call)

    def _root(self, expected: str) -> ast.expr:
        """The syntax of the whole expression."""
        if self.at == len(self.text):
            raise self.error(self.at, f"unexpected end of the text; expected {expected}")
        self._check()
        try:
            # On one line, the columns of `ast` are indices into the text.
            return ast.parse(re.sub(r"\s", " ", self.code[self.at :]), mode="eval").body
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (MemoryError, RecursionError):
            raise self.error(self.at, "too many nested operators") from None

    def _typed(self, node: ast.expr, kind: type, expected: str) -> Any:
        """The value of a node, which must have a type."""
        value = self._value(node)
        if not isinstance(value, kind):
            found = shortened(" ".join(self.code[self.at :].split()))
            raise self.error(self.at, f"expected {expected}, got {found}")
        return value

    def call(self, at: int, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
        """The result of a function; what it raises for its arguments becomes an error at the index."""
        try:
            return function(*arguments, **keywords)
        except self.argument_errors as error:
            message = " ".join(str(error).split()).replace(".__init__()", "()")  # a class, such as Plan
            raise self.error(at, message) from error

    def error(self, at: int, message: str) -> ParseError:
        """An error at an index into the text. It shows the line, with a caret below the place."""
        begin = self.text.rfind("\n", 0, at) + 1
        line, column = self.text.count("\n", 0, at) + 1, at - begin + 1
        content = self.text[begin:].partition("\n")[0].rstrip()
        first = max(0, at - begin - _MAX_SHOWN_LINE // 2)
        last = first + _MAX_SHOWN_LINE
        # Tabs and characters without a width would displace the caret.
        shown = "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in content[first:last])
        prefix, suffix = "... " if first else "", " ..." if len(content) > last else ""
        caret = " " * (len(prefix) + at - begin - first) + "^"
        return ParseError(
            f"{self.caller}: line {line}, column {column}: {message}\n    {prefix}{shown}{suffix}\n    {caret}",
            line,
            column,
        )

    def _check(self) -> None:
        """Raise an error at whatever could make `ast.parse` recurse deeply, and at characters outside the subset."""
        for match in re.finditer(r"[^ -~\t\r\n]|\\", self.text):
            raise self.error(match.start(), f"unexpected {match[0]!r}; only ASCII without backslashes is supported")
        for match in _STRING.finditer(self.code, self.at):
            if len(match[0]) == 1:
                raise self.error(match.start(), "unterminated string")
        code = _STRING.sub(lambda match: "'" + " " * (len(match[0]) - 2) + "'", self.code)
        open_brackets: list[str] = []
        for match in _BRACKET.finditer(code, self.at):
            if match[0] in ")]}":
                open_brackets[-1:] = []
                continue
            nested = "brackets" if match["call"] is None else "calls"
            open_brackets.append(nested)
            if open_brackets.count(nested) > MAX_DEPTH:
                raise self.error(match.end() - 1, f"more than {MAX_DEPTH} nested {nested}")
        for match in _UNEXPECTED.finditer(code, self.at):
            raise self._unexpected(match.end() - 1)
        for match in _LONG_ITEM.finditer(code, self.at):
            item = shortened(self.text[match.start() : match.end()])
            raise self.error(match.start(), f"{item!r} is longer than {MAX_ITEM} characters")

    def _syntax_error(self, error: SyntaxError) -> ParseError:
        at = min(self.at + max((error.offset or 1) - 1, 0), len(self.text))
        if error.msg == "invalid syntax" or "meant" in error.msg:  # Python suggests operators that are not supported
            return self._unexpected(at)
        message = error.msg.removeprefix("invalid syntax. ").partition(";")[0].partition(" (")[0]
        return self.error(at, message[0].lower() + message[1:])

    def _unexpected(self, at: int) -> ParseError:
        """The error about a token that may not stand at an index."""
        token = re.compile(r"[\w.]+|\S|\Z").search(self.code, at)
        previous = re.search(r"([\w.]+|\S)\s*$", self.code[self.at : at])
        found, *after = [shortened(match[match.lastindex or 0]) for match in (token, previous) if match]
        message = f"unexpected {found!r}" if found else "unexpected end of the text"
        if after:
            message += f" after {after[0] if after[0][-1].isalnum() else repr(after[0])}"
        is_operator = found in tuple("*%@^&|") and after and after[0] not in tuple("([,=")
        fix = "; the operators on numbers are + - * / //" if is_operator else ""
        return self.error(at, message + fix)

    def _source(self, node: ast.expr) -> str:
        return self.text[self.at + node.col_offset : self.at + (node.end_col_offset or 0)]

    def _value(self, node: ast.expr) -> Any:
        at = self.at + node.col_offset
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                if node.value == inf:
                    raise self.error(at, f"number {shortened(self._source(node))!r} is too large")
                return node.value
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                return self._signed(node)
            case ast.List():
                return [self._value(item) for item in node.elts]
            case ast.Tuple():
                return tuple(self._value(item) for item in node.elts)
            case ast.Dict():
                return self._dictionary(node)
            case ast.Call(func=ast.Name() | ast.Attribute()):
                return self._call(node, self._source(node.func), at)
            case ast.Name() if node.id in self.numbers:
                return self.numbers[node.id]
            case ast.Name() | ast.Attribute():
                return self.named_value(self._source(node), at)
        raise self.error(at, f"unexpected {shortened(self._source(node))!r}")

    def _dictionary(self, node: ast.Dict) -> dict[Any, Any]:
        items: dict[Any, Any] = {}
        for key_node, value in zip(node.keys, node.values, strict=True):
            key = "" if key_node is None else self._value(key_node)  # a None is a `**`, which `_check` refuses
            if key_node is not None and key in items:
                raise self.error(self.at + key_node.col_offset, f"the key {shortened(repr(key))} is repeated")
            items[key] = self._value(value)
        return items

    # Operators in a row are evaluated in a loop, so that the recursion is as deep as the brackets.

    def _arithmetic(self, node: ast.expr) -> Any:
        operations: list[ast.BinOp] = []
        while isinstance(node, ast.BinOp):
            operations.append(node)
            node = node.left
        value = self._value(node)
        for operation in reversed(operations):
            between = self.text[self.at + (operation.left.end_col_offset or 0) :]
            at = len(self.text) - len(between.lstrip(" \t\r\n)"))
            if type(operation.op) not in _OPERATORS:
                raise self._unexpected(at)
            symbol, function = _OPERATORS[type(operation.op)]
            self._require_number(at, symbol, operation.left, value)
            other = self._value(operation.right)
            self._require_number(at, symbol, operation.right, other)
            try:
                value = function(value, other)
            except ZeroDivisionError:
                raise self.error(at, "division by zero") from None
            except OverflowError:
                value = inf
            if not -_LARGEST <= value <= _LARGEST:
                raise self.error(at, f"the result of {symbol!r} is too large")
        return value

    def _signed(self, node: ast.expr) -> Any:
        at, negative = self.at + node.col_offset, False
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            negative ^= isinstance(node.op, ast.USub)
            node = node.operand
        value = self._value(node)
        self._require_number(at, self.text[at], node, value)
        return -value if negative else value

    def _require_number(self, at: int, symbol: str, node: ast.expr, value: Any) -> None:
        if type(value) is int or type(value) is float:
            return
        fix = ""
        if symbol in _FUNCTIONS and isinstance(node, ast.Call):
            fix = f"; use {_FUNCTIONS[symbol]}"
            if symbol == "*":
                fix += "; a peak learning rate is no part of the schedule: give it to the optimizer or to_optax"
        raise self.error(at, f"{symbol!r} needs numbers, got {shortened(self._source(node))}{fix}")

    def _call(self, node: ast.Call, name: str, at: int) -> Any:
        if name in self.numbers:
            raise self.error(at, f"{name} is a number and cannot be called")
        function = self.function(name, at)
        known = parameters(function)
        positional = [key for key, value in known.items() if value.kind is value.POSITIONAL_OR_KEYWORD]
        is_variadic = any(value.kind is value.VAR_POSITIONAL for value in known.values())
        if len(node.args) > len(positional) and not is_variadic:
            place = self.at + node.args[len(positional)].col_offset
            raise self.error(place, too_many_arguments(name, positional, [*known][len(positional) :]))
        given = set(positional[: len(node.args)])
        for keyword in node.keywords:
            place, key = self.at + keyword.col_offset, str(keyword.arg)
            if key in given:
                raise self.error(place, f"argument {key!r} of {name} is repeated")
            if key not in known:
                raise self.error(place, self.unknown_argument(name, function, key))
            given.add(key)
        arguments = [self._value(item) for item in node.args]
        keywords = {str(keyword.arg): self._value(keyword.value) for keyword in node.keywords}
        return self.call(at, function, *arguments, **keywords)


def shortened(token: str) -> str:
    """A token at the length that fits into an error message."""
    return token if len(token) <= _MAX_SHOWN_TOKEN else token[:_MAX_SHOWN_TOKEN] + "..."
