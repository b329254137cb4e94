"""The number systems of `numerics` with the functions of a `Trace` instead of an array library, for recording."""

from __future__ import annotations

from funcsched.core.schedule import Schedule, step_counts
from funcsched.export.symbol import Symbol, Trace
from funcsched.numerics.arrays import Arrays, Jax
from funcsched.numerics.jax_float32 import DoubleWordCounts, Int32Counts
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import PythonNumbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem


class Python(PythonNumbers):
    """Counts are ints of any size."""

    def __init__(self, lib: Trace, schedule: Schedule) -> None:
        super().__init__(integer=True)
        for name in ("sin", "cos", "sqrt", "exp", "expm1", "log", "log1p", "where", "maximum", "minimum"):
            setattr(self, name, getattr(lib, name))
        self.__dict__ |= {
            "level": lambda x: float(x) if is_concrete(x) else x.astype("float"),
            "from_step": lambda step: step,
            "to_int": lambda count: count.astype("int"),
            "divmod": lambda count, period: (count // period, count % period),
            "index": lambda boundaries, count: lib.searchsorted(lib.asarray(boundaries), count, side="right"),
            "lookup": lambda values, index: lib.lookup(lib.asarray(values), values, index),
        }


class Torch(Arrays):
    """float64 for a result in float32."""

    result = "float32"

    def __init__(self, lib: Trace, schedule: Schedule) -> None:
        super().__init__(lib, True, self.result)
        self.where = self._where

    def lookup(self, values: Any, index: Any) -> Any:
        return self.lib.lookup(self.table(values), values, index)

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        rest = self.lib.record("fmod", count, period)  # exact
        # The division of torch may multiply by a rounded reciprocal.
        return self.lib.record("round", (count - rest) / period), rest

    def fraction(self, steps: Any) -> Any:
        return super().fraction(self._tensor(steps) if is_concrete(steps) else steps)  # as `arrays.Torch`

    def _where(self, condition: Any, yes: Any, no: Any) -> Any:
        # torch.where converts two Python numbers to float32.
        is_selection = is_concrete(yes, no) and isinstance(condition, Symbol) and repr(yes) != repr(no)
        return self.lib.where(condition, self._tensor(yes) if is_selection else yes, no)

    def _tensor(self, number: float) -> Any:
        return self.lib.record("tensor", float(number))


class C(Torch):
    """float64, also for the result."""

    result = "float64"

    def upper_half(self, x: Any) -> Any:
        return super().upper_half(x) if is_concrete(x) else self.lib.record("upper_half", x)

    def _tensor(self, number: float) -> float:
        return number


class RecordedJax(Jax):
    """The common part of both kinds of counts of JAX without x64. It does not need JAX."""

    def __init__(self, lib: Trace, integer: bool, result_dtype: str) -> None:
        Arrays.__init__(self, lib, integer, result_dtype)

    def lookup(self, values: Any, index: Any) -> Any:
        if isinstance(values, Symbol):  # a table of one half of double-words
            return self.lib.lookup(values, values.arguments[0], index)
        return self.lib.lookup(self.table(values), values, index)

    def index(self, boundaries: Any, count: Any) -> Any:
        return self.lib.searchsorted(self.table(boundaries), count, side="right")


class JaxInt32(Int32Counts, RecordedJax):
    def up_to(self, largest: float) -> Any:
        return self if largest <= self.largest_count else JaxDoubleWords(self.lib, True, "float32")

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        return count // period, count - count // period * period


class JaxDoubleWords(DoubleWordCounts, RecordedJax):
    pass


def jax(lib: Trace, schedule: Schedule) -> NumberSystem:
    """The number system that `dispatch` chooses for steps of int32."""
    fits = all(count <= Int32Counts.largest_count for count in step_counts(schedule))
    return (JaxInt32 if fits else JaxDoubleWords)(lib, True, "float32")
