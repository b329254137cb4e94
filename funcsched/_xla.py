"""The number systems of JAX, with and without float64."""

from __future__ import annotations

import sys

from funcsched._arrays import Arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_COMPARED = 64


class Jax(Arrays):
    """JAX under x64, and what it shares with JAX without.

    XLA's own log1p and expm1 are off by up to 5 ulp of float32 and 70 of float64 (JAX 0.10.2 on CPU).
    """

    terms = 22

    def clip(self, x: Any, low: int, high: int) -> Any:
        """One instruction, where `jax.numpy` has two."""
        return sys.modules["jax"].lax.clamp(self.lib.asarray(low, x.dtype), x, self.lib.asarray(high, x.dtype))

    def lookup(self, values: Any, index: Any) -> Any:
        jax = sys.modules["jax"]
        split = jax.typeof(index).sharding
        if any(split.spec):  # over explicit axes of a mesh: what is looked up is split like the index
            return self.table(values).at[index].get(mode="clip", out_sharding=split)
        # Indexing would take care of negative indices; there are none. An index past the end gets the last item.
        numbers = jax.lax.GatherDimensionNumbers((), (0,), (0,))
        return jax.lax.gather(self.table(values), index[..., None], numbers, (1,), mode="clip")

    def index(self, table: Any, count: Any) -> Any:
        # To compare with all compiles to a third of what a search does.
        method = "compare_all" if len(table) <= _COMPARED else "scan"
        return self.lib.searchsorted(table, count, side="right", method=method)

    def log1p(self, x: Any) -> Any:
        """log(1 + x) for x of at least -1/2: near 0, twice the series of atanh(x / (2 + x))."""
        near = self.lib.minimum(x, 0.5)
        z = near / (2.0 + near)
        square, series = z * z, 0.0
        for k in range(self.terms * 3 // 4, 0, -1):
            series = (series + 1.0 / (2 * k + 1)) * square
        return self.where(x > 0.5, self.lib.log(1.0 + x), 2.0 * (z + z * series))

    def expm1(self, x: Any) -> Any:
        """exp(x) - 1: a difference only where the places lost to it are none."""
        near = self.lib.clip(x, -0.7, 1.1)
        series = 0.0 * near
        for k in range(self.terms, 1, -1):
            series = (series + 1.0) * near / k
        return self.where(x == near, near + near * series, self.lib.exp(x) - 1.0)


class Narrow(Jax):
    """JAX without x64: counts in int32, values in float32.

    The count of a float step is the pair (whole, part), so that it is as exact as that of an integer.
    """

    holds_last = True
    at_once = True
    bits = 24
    largest = 2**31 - 1
    terms = 12

    def array(self, value: Any) -> Any:
        return self.lib.asarray(value, dtype=self.lib.float32)

    def table(self, values: Any) -> Any:
        if all(isinstance(value, int) for value in values):
            return self.lib.asarray(values, dtype=self.lib.int32)
        if all(isinstance(value, (int, float)) for value in values):
            return self.array(values)
        return self.lib.stack([self.lib.asarray(value) for value in values])

    def full(self, like: Any, value: Any) -> Any:
        if isinstance(like, tuple):
            whole, part = like
            return self.where(part == part, self.array(value), part + self.real(whole))
        if self.lib.ndim(value) == 0:
            return self.lib.full_like(like, value, dtype=self.lib.float32)
        return self.lib.broadcast_to(self.array(value), self.lib.broadcast_shapes(value.shape, like.shape))

    def power(self, x: Any, exponent: float) -> Any:
        near = self.rounded(exponent)
        # The exponent itself is rounded to float32, which shows where x is small.
        return x**near if near == exponent else x**near * x ** (exponent - near)

    def real(self, count: Any) -> Any:
        if isinstance(count, tuple):
            whole, part = count
            return whole.astype(self.lib.float32) + part
        return count.astype(self.lib.float32)

    def none(self, count: Any) -> Any:
        return self.real(count) <= 0 if isinstance(count, tuple) else count <= 0

    def last_axis(self, count: Any) -> Any:
        """With a last axis, over which all lines stand."""
        return count if count.ndim == 0 else self.lib.expand_dims(count, -1)

    def within(self, count: Any, low: Any, high: Any) -> Any:
        """Whether a count lies between two others, which it does where clamping leaves it."""
        rows = self.lib.broadcast_arrays(low, count, high)
        return sys.modules["jax"].lax.clamp(*rows) == rows[1]

    def only(self, value: Any, chosen: Any) -> Any:
        """The one value of the last axis that is chosen: the others add 0."""
        return self.lib.where(chosen, value, 0.0).sum(axis=-1)

    def divmod(self, count: Any, period: Any) -> tuple[Any, Any]:
        if isinstance(period, int) and period > self.largest:
            return 0 * count, count
        cycle = sys.modules["jax"].lax.div(count, self.lib.broadcast_to(self.lib.int32(period), count.shape))
        return cycle, count - cycle * period

    def whole(self, x: Any) -> Any:
        return x.astype(self.lib.int32)

    def rounded(self, x: float) -> float:
        scaled = x * 536870913.0  # 2**29 + 1 leaves 24 bits
        return scaled - (scaled - x)

    def top_half(self, x: Any) -> Any:
        return (x.view(self.lib.int32) & -(1 << 12)).view(self.lib.float32)

    def enter(self, step: Any) -> tuple[Any, Any]:
        if self.integer:
            if step.dtype == "uint32":
                step = self.lib.minimum(step, self.largest)
            return step.astype(self.lib.int32), None
        inside = self.lib.clip(step, 0.0, 2147483520.0)  # the largest float32 below 2**31
        whole = self.lib.floor(inside)
        return self.where(whole == whole, whole, 0.0).astype(self.lib.int32), inside - whole

    def integers(self, count: Any) -> Any:
        return count
