"""A number that the exported code computes: operators and functions record an operation instead of a result."""

from __future__ import annotations

import math

from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Symbol:
    """The result of an operation. `kind` is "int", "float" or "bool", and `index` the position in the trace."""

    __slots__ = ("arguments", "index", "kind", "operation", "trace")
    ndim = 1  # it may be an array, so schedules do not nest lookup tables

    def __init__(self, trace: Trace, operation: str, arguments: tuple[Any, ...], kind: str) -> None:
        self.trace, self.operation, self.arguments, self.kind = trace, operation, arguments, kind
        self.index = len(trace.symbols)

    @property
    def dtype(self) -> str:
        return self.kind

    def astype(self, dtype: str) -> Any:
        kind = dtype.rstrip("0123456789")
        return self if kind == self.kind else self.trace.record("cast", self, kind=kind)

    def view(self, dtype: str) -> Any:
        """The same bits as a number of another kind."""
        return self.trace.record("view", self, kind=dtype.rstrip("0123456789"))

    def clip(self, low: Any, high: Any = None) -> Any:
        value = self if low is None else self.trace.maximum(self, low)
        return value if high is None else self.trace.minimum(value, high)

    def sum(self, axis: int, dtype: str) -> Any:
        return self.trace.record("sum", self, kind="int")

    def __bool__(self) -> bool:
        raise TypeError("a branch depends on the step")  # only if a number system lacks an override

    __hash__ = object.__hash__

    def __neg__(self) -> Any:
        return self.trace.record("neg", self, kind=self.kind)

    def __and__(self, mask: int) -> Any:
        return self.trace.record("&", self, mask, kind="int")

    def __eq__(self, other: Any) -> Any:
        # The exported code takes integers, so no value is NaN and each one equals itself.
        return other is self or self.trace.record("==", self, other, kind="bool")


def _define_operators() -> None:
    arithmetic = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "pow"}
    for name, operation in arithmetic.items():
        setattr(Symbol, f"__{name}__", lambda x, y, operation=operation: x.trace.arithmetic(operation, x, y))
        setattr(Symbol, f"__r{name}__", lambda x, y, operation=operation: x.trace.arithmetic(operation, y, x))
    for name, operation in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "or": "|"}.items():
        setattr(Symbol, f"__{name}__", lambda x, y, operation=operation: x.trace.record(operation, x, y, kind="bool"))


_define_operators()


class Trace:
    """All operations in the order of recording, and the functions of an array library that `numerics` needs.

    Equal operations are one symbol. Functions of numbers are computed immediately. `float64` and the other dtypes are
    kinds of symbols.
    """

    float64 = floating = "float"
    int64 = integer = "int"

    class iinfo:
        max = 2**31 - 1  # of JAX without x64; only that system uses it

        def __init__(self, kind: str) -> None: ...

    def __init__(self, kind_of_step: str) -> None:
        self.symbols: list[Symbol] = []
        self._recorded: dict[tuple[Any, ...], Symbol] = {}
        self.step = self.record("step", kind=kind_of_step)  # at least 0

    def record(self, operation: str, *arguments: Any, kind: str = "float") -> Symbol:
        key = operation, kind, *(a.index if isinstance(a, Symbol) else repr(a) for a in arguments)
        if key not in self._recorded:
            self._recorded[key] = Symbol(self, operation, arguments, kind)
            self.symbols.append(self._recorded[key])
        return self._recorded[key]

    def arithmetic(self, operation: str, x: Any, y: Any) -> Any:
        """An operation on two numbers. Operations without an effect are omitted."""
        if not all(isinstance(number, (Symbol, int, float)) for number in (x, y)):
            return NotImplemented  # `DoubleWord` implements the operation
        kind = "float" if operation in ("/", "pow") else _kind(x, y)
        zero = 0.0 if kind == "float" else 0
        match operation, x if is_concrete(x) else None, y if is_concrete(y) else None:
            case ("+" | "-", _, 0) | ("*" | "/", _, 1):
                return x.astype(kind)
            case ("+", 0, _) | ("*", 1, _):
                return y.astype(kind)
            case "-", 0, _:
                return -y
            case ("*" | "/", 0, _) | ("*", _, 0):
                return zero
        return zero if operation == "-" and x is y else self.record(operation, x, y, kind=kind)

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """`sin`, `exp` and other functions of the `math` module."""
        return lambda x: getattr(math, name)(x) if is_concrete(x) else self.record(name, x)

    def maximum(self, x: Any, y: Any) -> Any:
        return x if x is self.step and is_concrete(y) and y <= 0 else self._extremum(max, "maximum", x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._extremum(min, "minimum", x, y)

    def _extremum(self, function: Callable[[Any, Any], Any], name: str, x: Any, y: Any) -> Any:
        if is_concrete(x, y):
            return function(x, y)
        x, y = (y, x) if is_concrete(x) else (x, y)  # torch requires that the first one is a tensor
        return self.record(name, x, y, kind=_kind(x, y))

    @staticmethod
    def clip(x: Any, low: float, high: float) -> Any:
        return x.clip(low, high)

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        if isinstance(condition, bool):
            return yes if condition else no
        is_same = yes is no or (is_concrete(yes, no) and repr(yes) == repr(no))
        return yes if is_same else self.record("where", condition, yes, no, kind=_kind(yes, no))

    def asarray(self, value: Any, dtype: str = "float") -> Any:
        """A lookup table. A single number is returned unchanged."""
        is_table = isinstance(value, (list, tuple))
        return self.record("table", tuple(value), kind=dtype.rstrip("0123456789")) if is_table else value

    def searchsorted(self, boundaries: Symbol, count: Any, side: str) -> Any:
        return self.record("index", boundaries, count, kind="int")

    def lookup(self, table: Symbol, values: Any, index: Any) -> Any:
        """The value at an index of a table, or the common value if all are equal."""
        is_constant = len(set(map(repr, table.arguments[0]))) == 1
        return values[0] if is_constant else self.record("lookup", table, index, kind=table.kind)

    def expand_dims(self, x: Symbol, axis: int) -> Any:
        return self.record("expand", x, kind=x.kind)

    @staticmethod
    def issubdtype(kind: str, family: str) -> bool:
        return kind == family


def _kind(x: Any, y: Any) -> str:
    """The kind of a result of two numbers."""
    kinds = [number.kind if isinstance(number, Symbol) else type(number).__name__ for number in (x, y)]
    return "float" if "float" in kinds else "int"
