"""JAX without x64, which has neither float64 nor int64: values are float32, and counts int32 or double-words."""

from __future__ import annotations

from funcsched.numerics.arrays import Jax
from funcsched.numerics.double_word import DoubleWord, rounded
from funcsched.numerics.number_system import MAX_STEP, is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class JaxFloat32(Jax):
    """The common part of both kinds of counts."""

    exp_limit = 105.0
    series_terms = 12

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.has_guard_digits = False  # the arithmetic is float32 as well
        self.expm1, self.log1p = self.expm1_by_series, self.log1p_by_series

    def level(self, value: Any) -> Any:
        return self.lib.asarray(value, dtype="float32")

    def power(self, x: Any, exponent: float) -> Any:
        # Rounding the exponent to float32 would be visible where x is small, so the remainder is a second factor.
        exponent32 = rounded(exponent, 24)
        value = super().power(x, exponent32)
        return value if exponent32 == exponent else value * super().power(x, exponent - exponent32)

    def upper_half(self, x: Any) -> Any:
        return rounded(x, 12) if is_concrete(x) else (x.view("int32") & -(1 << 12)).view("float32")

    def double(self, number: Any) -> DoubleWord:
        if isinstance(number, DoubleWord):
            return number
        if isinstance(number, (int, float, tuple)):
            hi, lo = number if isinstance(number, tuple) else (number, 0.0)
            hi32 = rounded(float(hi), 24)
            return DoubleWord(self, hi32, rounded((hi - hi32) + lo, 24))
        if self.lib.issubdtype(number.dtype, self.lib.floating):  # a NumPy array may be float64
            hi = number.astype("float32")
            lo = 0.0 if hi.dtype == number.dtype else (number - hi.astype(number.dtype)).astype("float32")
            return DoubleWord(self, hi, lo)
        return self.split(number, number.astype("float32"))

    def normalized(self, hi: Any, lo: Any) -> DoubleWord:
        # Python floats have more digits than a float32, so their sum is split again.
        return self.double((hi, lo)) if is_concrete(hi, lo) else super().normalized(hi, lo)

    def split(self, integer: Any, hi: Any) -> DoubleWord:
        """An integer and its rounded value `hi` as a double-word.

        If `hi` is 2**31, the result is 1 too large, because the conversion of `hi` to int32 saturates.
        """
        return DoubleWord(self, hi, (integer - hi.astype(integer.dtype)).astype("int32").astype("float32"))


class Int32Counts(JaxFloat32):
    """Counts are int32: for integer steps, if all lengths and boundaries of the schedule fit."""

    largest_count = 2**31 - 1

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.integer_bits = 24

    def up_to(self, largest: float) -> JaxFloat32:
        return self if largest <= self.largest_count else DoubleWordCounts(self.lib, self.integer, self.result_dtype)

    def from_step(self, step: Any) -> Any:
        return self.lib.maximum(step.astype("int32"), 0)

    def parameter(self, number: Any) -> Any:
        number = self.lib.asarray(number)
        # Recipes add lengths, and the sum would wrap in a narrower type.
        narrow = self.lib.issubdtype(number.dtype, self.lib.integer) and number.dtype != "int32"
        return number.astype("int32") if narrow else number

    def to_float(self, count: Any) -> Any:
        return float(count) if is_concrete(count) else count.astype("float32")

    def to_int(self, count: Any) -> Any:
        return count

    def table(self, values: Any) -> Any:
        if all(type(value) is int for value in values):
            return self.lib.asarray(values, "int32")
        if is_concrete(*values):
            return self.level(values)
        return self.lib.stack([self.lib.asarray(value) for value in values])

    def full_like(self, count: Any, level: Any) -> Any:
        return self.level(level) + self.to_float(0 * count)  # unlike a broadcast, it keeps the sharding of the count

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        # The division of `lax` compiles to one instruction, without code for negative numbers.
        cycle = self.jax.lax.div(*self.lib.broadcast_arrays(count, self.lib.asarray(period, "int32")))
        return cycle, count - cycle * period


class DoubleWordCounts(JaxFloat32):
    """Counts are double-words of float32, of 48 bits: for float steps, and where int32 is too short."""

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.integer_bits = 0
        self.where = self._where

    def to_count(self, number: Any) -> DoubleWord:
        return self.double(number)

    def split(self, integer: Any, hi: Any) -> DoubleWord:
        """The same, but always exact: `hi` is clipped to the largest float32 in the range of the integer type."""
        largest_float = float(self.lib.iinfo(integer.dtype).max + 1) * (1 - 2.0**-24)
        return super().split(integer, hi.clip(None, largest_float))

    def from_step(self, step: Any) -> DoubleWord:
        if is_concrete(step):  # a Python step of a schedule with JAX parameters, which may exceed int32
            count = self.double(min(max(step, 0), MAX_STEP))
            return DoubleWord(self, self.level(count.hi), self.level(count.lo))
        integer = self.lib.issubdtype(step.dtype, self.lib.integer)
        return self.double(step.clip(0) if integer else step.clip(0, MAX_STEP))

    def parameter(self, number: Any) -> Any:
        return self.double(number) if self.lib.issubdtype(number.dtype, self.lib.integer) else self.lib.asarray(number)

    def level(self, value: Any) -> Any:
        return super().level(value.hi if isinstance(value, DoubleWord) else value)

    def to_float(self, count: Any) -> Any:
        return self.double(count).hi

    def to_int(self, count: Any) -> Any:
        count = self.double(count)
        return count.hi.astype("int32") + self.level(count.lo).astype("int32")

    def _where(self, condition: Any, yes: Any, no: Any) -> Any:
        if not (isinstance(yes, DoubleWord) or isinstance(no, DoubleWord)):
            return self.lib.where(condition, yes, no)
        yes, no = self.double(yes), self.double(no)
        return DoubleWord(self, self.lib.where(condition, yes.hi, no.hi), self.lib.where(condition, yes.lo, no.lo))

    def maximum(self, x: Any, bound: Any) -> Any:
        return self._where(x < bound, bound, x) if isinstance(x, DoubleWord) else self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return self._where(x > bound, bound, x) if isinstance(x, DoubleWord) else self.lib.minimum(x, bound)

    def full_like(self, count: DoubleWord, level: Any) -> Any:
        return self.lib.where(count.hi == count.hi, self.level(level), count.hi)

    def _tables(self, values: Any) -> tuple[Any, Any]:
        """Two lookup tables, one for each float of the counts."""
        counts = [self.to_count(value) for value in values]
        return self.table([count.hi for count in counts]), self.table([count.lo for count in counts])

    def lookup(self, values: Any, index: Any) -> Any:
        if not any(map(_is_count, values)):
            return super().lookup(values, index)
        hi, lo = self._tables(values)
        return DoubleWord(self, super().lookup(hi, index), super().lookup(lo, index))

    def index(self, boundaries: Any, count: DoubleWord) -> Any:
        hi, lo = (self.lib.expand_dims(x, -1) for x in (count.hi, self.level(count.lo)))
        return (DoubleWord(self, hi, lo) >= DoubleWord(self, *self._tables(boundaries))).sum(-1, dtype="int32")

    def divmod(self, count: DoubleWord, period: Any) -> tuple[Any, Any]:
        cycle = self.double(0.0)
        for _ in range(2):  # a quotient may have more digits than a float
            cycles = self.floor((count / period).hi)
            cycle, count = cycle + cycles, count - self.double(period) * cycles
        return self.corrected(cycle, count, period)


def _is_count(number: Any) -> bool:
    """Whether an entry of a lookup table is a count and not a level. Levels that are Python numbers are floats."""
    return type(number) is int or isinstance(number, DoubleWord)
