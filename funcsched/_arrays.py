"""The number systems of array libraries that have float64: what they share, NumPy and torch."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_FAR = 2.0**62  # infinity has no place in a period


class Arrays:
    """What the array libraries share; `lib` is their module of functions."""

    bits = 53
    largest: int | None = None  # float64 saturates instead of wrapping
    holds_last = False  # whether an index past the end of a row looks up its last item
    at_once = False  # whether straight lines are evaluated all at once
    searches = True  # whether Python may look for numbers that depend on the schedule

    def __init__(self, lib: Any, integer: bool, result: Any) -> None:
        self.lib = lib
        self.integer = integer
        self.result = result
        # Values that are rounded to half their digits in the end need no care on the way.
        self.spare = self.bits == 53 and str(result).endswith(("16", "32"))
        self.sin, self.cos, self.exp, self.log = lib.sin, lib.cos, lib.exp, lib.log
        self.floor = lib.floor
        self.where = lib.where

    def for_floats(self) -> Arrays:
        """The same for counts that are fractions."""
        return type(self)(self.lib, False, self.result)

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    def sqrt(self, x: Any) -> Any:
        return self.lib.sqrt(x)

    def log1p(self, x: Any) -> Any:
        return self.lib.log1p(x)

    def expm1(self, x: Any) -> Any:
        return self.lib.expm1(x)

    def maximum(self, x: Any, bound: Any) -> Any:
        return self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return self.lib.minimum(x, bound)

    def clip(self, x: Any, low: int, high: int) -> Any:
        return self.minimum(self.maximum(x, low), high)

    def power(self, x: Any, exponent: float) -> Any:
        return x**exponent

    def array(self, value: Any) -> Any:
        return self.lib.asarray(value, dtype=self.lib.float64)

    def full(self, like: Any, value: Any) -> Any:
        """A level in the shape of `like`, NaN where that is NaN."""
        return self.where(like == like, self.array(value), like)

    def real(self, count: Any) -> Any:
        return count

    def none(self, count: Any) -> Any:
        """Whether a count is 0."""
        return count <= 0

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        """Whole cycles and what is left, of counts from 0: a quotient rounded to the next whole number is mended."""
        safe = period if isinstance(period, int) else self.where(period > 0, period, 1)
        cycle = self.floor(count / safe)
        left = count - cycle * safe
        early, late = left < 0, left >= safe
        cycle = self.where(early, cycle - 1, self.where(late, cycle + 1, cycle))
        return cycle, self.where(early, left + safe, self.where(late, left - safe, left))

    def whole(self, x: Any) -> Any:
        """A float that is a whole number, in the type of counts."""
        return x

    def rounded(self, x: float) -> float:
        """The nearest number of this system to a Python float."""
        return x

    def top_half(self, x: Any) -> Any:
        """The upper half of the significand: masking bits is exact where a compiler contracts Veltkamp's products."""
        return (x.view(self.lib.int64) & -(1 << 27)).view(self.lib.float64)

    def table(self, values: Any) -> Any:
        """Numbers in a row, of the type of counts if they are integers."""
        if all(isinstance(value, (int, float)) for value in values):
            return self.array(list(values))
        return self.lib.stack([self.array(value) for value in values])

    def lookup(self, values: Any, index: Any) -> Any:
        # With an axis: torch.compile takes an index without one for a number that it does not know.
        return self.table(values)[index[None]][0]

    def index(self, table: Any, count: Any) -> Any:
        return self.lib.searchsorted(table, count, side="right")

    def enter(self, step: Any) -> tuple[Any, Any]:
        """A step as an exact count and, where that is an integer type, its fractional part."""
        count = self.cast(step, self.lib.float64)
        return count if self.integer else self.lib.clip(count, -_FAR, _FAR), None

    def integers(self, count: Any) -> Any:
        return self.cast(count, self.lib.int64)

    def leave(self, value: Any) -> Any:
        return self.cast(value, self.result)


class Numpy(Arrays):
    def leave(self, value: Any) -> Any:
        return value.astype(self.result)[()]


class Torch(Arrays):
    searches = False  # torch.compile makes symbols of a schedule's numbers, and follows the search with them

    def __init__(self, lib: Any, integer: bool, result: Any, device: Any) -> None:
        super().__init__(lib, integer, result)
        self.device = device

    def for_floats(self) -> Torch:
        return Torch(self.lib, False, self.result, self.device)

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.to(dtype)

    def array(self, value: Any) -> Any:
        return self.lib.as_tensor(value, dtype=self.lib.float64, device=self.device)

    def maximum(self, x: Any, bound: Any) -> Any:
        return x.clamp(min=bound) if isinstance(bound, (int, float)) else self.lib.maximum(x, bound.to(x.dtype))

    def minimum(self, x: Any, bound: Any) -> Any:
        return x.clamp(max=bound) if isinstance(bound, (int, float)) else self.lib.minimum(x, bound.to(x.dtype))
