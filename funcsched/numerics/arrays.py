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


_MAX_COMPARED = 64  # boundaries: for so few, comparing with all compiles to a third of what a search does


class Arrays(NumberSystem):
    """What the array libraries share; `lib` is their module of functions."""

    def __init__(self, lib: Any, integer: bool, result: Any) -> None:
        self.lib, self.integer, self.result = lib, integer, result
        self.integer_bits = 53 if integer else 0
        self.has_guard_digits = str(getattr(result, "__name__", result)).endswith("32")
        self.sin, self.cos, self.exp, self.log = lib.sin, lib.cos, lib.exp, lib.log
        self.expm1, self.log1p, self.sqrt = lib.expm1, lib.log1p, lib.sqrt
        self.floor, self.where = lib.floor, lib.where

    # From a step to a count, and from a value to the result.

    def from_step(self, step: Any) -> Any:
        count = self.maximum(self.cast(step, self.lib.float64), 0)
        return count if self.integer else self.minimum(count, MAX_STEP)

    def to_step(self, count: Any) -> Any:
        """A count as the step of a user's function: of an integer type where the step was one."""
        return self.to_int(count) if self.integer else self.to_float(count)

    def to_result(self, value: Any) -> Any:
        return self.cast(value, self.result)

    # Levels.

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    def level(self, value: Any) -> Any:
        return self.lib.asarray(value, dtype=self.lib.float64)

    def parameter(self, number: Any) -> Any:
        """A count or level that is an array."""
        return self.level(number)

    def power(self, x: Any, exponent: float) -> Any:
        return x**exponent

    def table(self, values: Any) -> Any:
        if all(isinstance(value, (int, float)) for value in values):  # torch.compile cannot ask for their exact types
            return self.level([float(value) for value in values])
        return self.lib.stack([self.level(value) for value in values])

    def lookup(self, values: Any, index: Any) -> Any:
        # With an axis, because torch.compile treats an index without one as a number whose value it needs.
        return self.table(values)[index[None]][0]

    # Counts.

    def to_float(self, count: Any) -> Any:
        return count

    def to_int(self, count: Any) -> Any:
        return self.cast(self.where(count == count, count, 0), self.lib.int64)

    def upper_half(self, x: Any) -> Any:
        """The upper half of the significand. A mask is exact even where a compiler contracts products and sums."""
        return rounded(x, 26) if is_concrete(x) else (x.view(self.lib.int64) & -(1 << 27)).view(self.lib.float64)

    def maximum(self, x: Any, bound: Any) -> Any:
        return self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return self.lib.minimum(x, bound)

    def full_like(self, count: Any, level: Any) -> Any:
        """A level in the shape of a count, NaN where that is NaN."""
        return self.where(count == count, self.level(level), count)

    def index(self, boundaries: Any, count: Any) -> Any:
        """How many of the increasing boundaries a count has reached."""
        return self.lib.searchsorted(self.table(boundaries), count, side="right")

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        """The number of complete periods and the rest; a quotient rounded up to the next integer is corrected."""
        cycle = self.floor(count / period)
        return self.corrected(cycle, count - cycle * period, period)

    def corrected(self, cycle: Any, rest: Any, period: Any) -> tuple[Any, Any]:
        """The same division where the cycle may be one too high or too low."""
        early, late = rest < 0, rest >= period
        cycle = self.where(early, cycle - 1, self.where(late, cycle + 1, cycle))
        rest = self.where(early, rest + period, self.where(late, rest - period, rest))
        # A count past 2**53 has no meaningful rest, but stays inside the period.
        return cycle, self.minimum(self.maximum(rest, 0), period)


class Numpy(Arrays):
    def to_result(self, value: Any) -> Any:
        return value.astype(self.result)[()]


class Torch(Arrays):
    def __init__(self, lib: Any, integer: bool, result: Any, device: Any) -> None:
        super().__init__(lib, integer, result)
        self.device = device

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.to(dtype)

    def level(self, value: Any) -> Any:
        return self.lib.as_tensor(value, dtype=self.lib.float64, device=self.device)

    def maximum(self, x: Any, bound: Any) -> Any:
        return x.clamp(min=bound) if isinstance(bound, (int, float)) else self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return x.clamp(max=bound) if isinstance(bound, (int, float)) else self.lib.minimum(x, bound)


class Jax(Arrays):
    """JAX with x64, and what it shares with JAX without."""

    terms = 22  # of the series below: at 1.1 the next one is below 2**-53

    def __init__(self, lib: Any, integer: bool, result: Any) -> None:
        super().__init__(lib, integer, result)
        self.jax = sys.modules["jax"]
        if not self.has_guard_digits:
            self.expm1, self.log1p = self._expm1, self._log1p

    # XLA's own expm1 and log1p are off by up to 5 ulp of float32 and 70 of float64 (JAX 0.10.2 on CPU), and it
    # simplifies what would correct them, such as log(exp(x)) or (1 + x) - 1. Near 0 these are series instead.

    def _expm1(self, x: Any) -> Any:
        near = self.lib.clip(x, -0.7, 1.1)
        series = 0.0 * near
        for k in range(self.terms, 1, -1):
            series = (series + 1.0) * near / k
        return self.lib.where(x == near, near + near * series, self.lib.exp(x) - 1.0)

    def _log1p(self, x: Any) -> Any:
        """For x of at least -1/2: twice the series of atanh(x / (2 + x))."""
        near = self.lib.where(x > 0.5, 0.5, x)
        z = near / (2.0 + near)
        square, series = z * z, 0.0
        for k in range(self.terms * 3 // 4, 0, -1):
            series = (series + 1.0 / (2 * k + 1)) * square
        return self.lib.where(x > 0.5, self.lib.log(1.0 + x), 2.0 * (z + z * series))

    def fraction(self, steps: Any) -> Weight:
        # XLA multiplies by the rounded reciprocal of a constant, which misses 1 at the end.
        if not is_concrete(steps):
            return super().fraction(steps)
        if self.has_guard_digits:
            return lambda count, _: self.where(count >= steps, 1.0, count / steps)
        return self.formula(steps, lambda u: u)

    def power(self, x: Any, exponent: float) -> Any:
        # JAX makes a product of an integer exponent that is a Python number, and adds up its rounding errors.
        return x ** self.lib.asarray(exponent, x.dtype)

    def lookup(self, values: Any, index: Any) -> Any:
        table = self.table(values)
        split = self.jax.typeof(index).sharding
        if any(split.spec):  # over explicit axes of a mesh: what is looked up is split like the index
            return table.at[index].get(mode="clip", out_sharding=split)
        # Plain indexing would compile code for negative indices, and there are none.
        numbers = self.jax.lax.GatherDimensionNumbers((), (0,), (0,))
        return self.jax.lax.gather(table, index[..., None], numbers, (1,), mode="clip")

    def index(self, boundaries: Any, count: Any) -> Any:
        method = "compare_all" if len(boundaries) <= _MAX_COMPARED else "scan"
        return self.lib.searchsorted(self.table(boundaries), count, side="right", method=method)
