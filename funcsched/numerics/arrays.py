"""The number systems of array libraries that have float64: NumPy, torch, and JAX with x64.

Counts are float64: exact up to 2**53, and they saturate where integers would wrap.
"""

from __future__ import annotations

import sys

from funcsched.numerics.double_word import rounded
from funcsched.numerics.number_system import MAX_STEP, NumberSystem, is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.numerics.number_system import Weight


# For at most so many boundaries, comparing with all of them compiles to a third of the instructions of a binary search.
_MAX_COMPARED = 64


class Arrays(NumberSystem):
    """The common part of all array libraries.

    `lib` is the module of array functions, `integer` whether the step is an integer, and `result_dtype` the dtype of
    the multipliers that are returned.
    """

    series_terms = 22  # of the series of expm1: at 1.1, the next term is below 2**-53

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        self.lib, self.integer, self.result_dtype = lib, integer, result_dtype
        self.integer_bits = 53 if integer else 0
        # The dtype may also be a scalar type, such as np.float32.
        self.has_guard_digits = str(getattr(result_dtype, "__name__", result_dtype)).endswith("32")
        self.sin, self.cos, self.exp, self.log = lib.sin, lib.cos, lib.exp, lib.log
        self.expm1, self.log1p, self.sqrt = lib.expm1, lib.log1p, lib.sqrt
        self.floor, self.where = lib.floor, lib.where

    # Conversion of the arguments and the result of a schedule.

    def from_step(self, step: Any) -> Any:
        """A step as a count."""
        count = self.maximum(self.cast(step, self.lib.float64), 0)
        return count if self.integer else self.minimum(count, MAX_STEP)  # only a float can be infinite

    def to_step(self, count: Any) -> Any:
        return self.to_int(count) if self.integer else self.to_float(count)

    def parameter(self, number: Any) -> Any:
        """An array that is a length or a level of a schedule, in this number system."""
        return self.level(number)

    def to_result(self, value: Any) -> Any:
        """A value as a multiplier that is returned to the user."""
        return self.cast(value, self.result_dtype)

    # Levels.

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    def level(self, value: Any) -> Any:
        return self.lib.asarray(value, dtype=self.lib.float64)

    def power(self, x: Any, exponent: float) -> Any:
        return x**exponent

    def table(self, values: Any) -> Any:
        """A lookup table as one array."""
        if all(isinstance(value, (int, float)) for value in values):  # torch.compile cannot check exact types
            return self.level([float(value) for value in values])
        return self.lib.stack([self.level(value) for value in values])

    def lookup(self, values: Any, index: Any) -> Any:
        # The index gets an axis, because torch.compile treats an index without one as a number whose value it needs.
        return self.table(values)[index[None]][0]

    # Counts.

    def to_float(self, count: Any) -> Any:
        return count

    def to_int(self, count: Any) -> Any:
        # NaN is not equal to itself, and its conversion to an integer is undefined.
        return self.cast(self.where(count == count, count, 0), self.lib.int64)

    def upper_half(self, x: Any) -> Any:
        # On arrays a mask, which is exact even where a compiler contracts products and sums.
        return rounded(x, 26) if is_concrete(x) else (x.view(self.lib.int64) & -(1 << 27)).view(self.lib.float64)

    def maximum(self, x: Any, bound: Any) -> Any:
        return self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return self.lib.minimum(x, bound)

    def full_like(self, count: Any, level: Any) -> Any:
        """A level in the shape of a count; NaN where the count is NaN."""
        return self.where(count == count, self.level(level), count)

    def index(self, boundaries: Any, count: Any) -> Any:
        return self.lib.searchsorted(self.table(boundaries), count, side="right")

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        cycle = self.floor(count / period)  # one too high where the quotient is rounded up to an integer
        return self.corrected(cycle, count - cycle * period, period)

    def corrected(self, cycle: Any, rest: Any, period: Any) -> tuple[Any, Any]:
        """The result of `divmod` for a cycle that may be one too high or too low."""
        too_high, too_low = rest < 0, rest >= period
        cycle = self.where(too_high, cycle - 1, self.where(too_low, cycle + 1, cycle))
        rest = self.where(too_high, rest + period, self.where(too_low, rest - period, rest))
        # The rest of a count past 2**53 is meaningless, but stays inside the period.
        return cycle, self.minimum(self.maximum(rest, 0), period)

    # Series for libraries whose own expm1 and log1p are missing or inaccurate.

    def expm1_by_series(self, x: Any) -> Any:
        near = self.lib.clip(x, -0.7, 1.1)
        series = 0.0 * near
        for k in range(self.series_terms, 1, -1):
            series = (series + 1.0) * near / k
        return self.lib.where(x == near, near + near * series, self.lib.exp(x) - 1.0)

    def log1p_by_series(self, x: Any) -> Any:
        """For x of at least -1/2. Up to 1/2 it is the series of 2 atanh(x / (2 + x))."""
        near = self.lib.where(x > 0.5, 0.5, x)
        z = near / (2.0 + near)
        square, series = z * z, 0.0
        for k in range(self.series_terms * 3 // 4, 0, -1):  # this series converges faster
            series = (series + 1.0 / (2 * k + 1)) * square
        return self.lib.where(x > 0.5, self.lib.log(1.0 + x), 2.0 * (z + z * series))


class Numpy(Arrays):
    def to_result(self, value: Any) -> Any:
        return value.astype(self.result_dtype)[()]  # a scalar instead of an array without axes


class Torch(Arrays):
    def __init__(self, lib: Any, integer: bool, result_dtype: Any, device: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.device = device

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.to(dtype)

    def level(self, value: Any) -> Any:
        return self.lib.as_tensor(value, dtype=self.lib.float64, device=self.device)

    def fraction(self, steps: Any) -> Weight:
        # The CUDA kernels of torch replace a division by a Python number by a product with its rounded reciprocal,
        # which misses 1 at the end.
        divisor = self.lib.full((), steps, dtype=self.lib.float64, device=self.device) if is_concrete(steps) else steps
        return super().fraction(divisor)

    def maximum(self, x: Any, bound: Any) -> Any:
        return x.clamp(min=bound) if isinstance(bound, (int, float)) else self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return x.clamp(max=bound) if isinstance(bound, (int, float)) else self.lib.minimum(x, bound)


class Jax(Arrays):
    """JAX with x64, and the common part of JAX with and without it."""

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.jax = sys.modules["jax"]
        if not self.has_guard_digits:
            # XLA's own functions are off by up to 5 ulp in float32 and 70 ulp in float64 (JAX 0.10.2 on CPU). The usual
            # corrections use log(exp(x)) or (1 + x) - 1, which XLA simplifies to x.
            self.expm1, self.log1p = self.expm1_by_series, self.log1p_by_series

    def fraction(self, steps: Any) -> Weight:
        # XLA replaces a division by a constant by a product with its rounded reciprocal, which misses 1 at the end.
        if not is_concrete(steps):
            return super().fraction(steps)
        if self.has_guard_digits:
            return lambda count, _: self.where(count >= steps, 1.0, count / steps)
        return self.formula(steps, lambda u: u)

    def power(self, x: Any, exponent: float) -> Any:
        # JAX expands a power with a Python integer into products, whose rounding errors add up.
        return x ** self.lib.asarray(exponent, x.dtype)

    def lookup(self, values: Any, index: Any) -> Any:
        table = self.table(values)
        sharding = self.jax.typeof(index).sharding
        if any(sharding.spec):  # over explicit axes of a mesh: the result is sharded like the index
            return table.at[index].get(mode="clip", out_sharding=sharding)
        # Plain indexing would compile code for negative indices, and there are none.
        dimensions = self.jax.lax.GatherDimensionNumbers(
            offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,)
        )
        return self.jax.lax.gather(table, index[..., None], dimensions, slice_sizes=(1,), mode="clip")

    def index(self, boundaries: Any, count: Any) -> Any:
        method = "compare_all" if len(boundaries) <= _MAX_COMPARED else "scan"
        return self.lib.searchsorted(self.table(boundaries), count, side="right", method=method)
