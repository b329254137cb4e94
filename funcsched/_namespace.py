"""The number system of a step: which library it belongs to and which exact arithmetic is to be had there.

NumPy, torch and JAX under x64 count and compute in float64, exact up to 2**53 and without the wrap of integers, and
round once at the end. JAX without x64 has no float64: it counts in int32, exact as well, and computes in float32.
Nothing here imports an array library; whoever holds an array has already imported its own.
"""

from __future__ import annotations

import math
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIBRARIES = {"numpy": "numpy", "jax": "jax", "jaxlib": "jax", "torch": "torch"}


def library(value: Any) -> str | None:
    """The array library that a value belongs to; None for everything that is no array."""
    for base in type(value).__mro__:
        name = _LIBRARIES.get(base.__module__.partition(".")[0])
        if name is not None:
            return name if hasattr(value, "dtype") else None
    return None


def dtype_name(array: Any) -> str:
    """The bare name of an array's dtype, the same word in every library."""
    return str(array.dtype).removeprefix("torch.") if library(array) == "torch" else str(array.dtype.name)


class Scalar:
    """Python numbers, under the names that formulas use on arrays."""

    bits = 53
    largest = None  # Python ints do not end
    spare = False
    searches = True

    def __init__(self, integer: bool) -> None:
        self.integer = integer

    sin, cos, log, log1p, expm1 = math.sin, math.cos, math.log, math.log1p, math.expm1

    def for_floats(self) -> Scalar:
        return REAL

    @staticmethod
    def where(condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    # Written so that a NaN in `x` stays.
    @staticmethod
    def floor(x: Any) -> Any:
        return x // 1

    @staticmethod
    def maximum(x: Any, bound: Any) -> Any:
        return bound if x < bound else x

    @staticmethod
    def minimum(x: Any, bound: Any) -> Any:
        return bound if x > bound else x

    @staticmethod
    def power(x: Any, exponent: float) -> Any:
        return x**exponent

    real = float

    @staticmethod
    def none(count: Any) -> bool:
        result: bool = count <= 0
        return result

    @staticmethod
    def rounded(x: float) -> float:
        return x

    @staticmethod
    def top_half(x: float) -> float:
        scaled = x * 134217729.0  # 2**27 + 1: Veltkamp's splitting
        return scaled - (scaled - x)

    @staticmethod
    def full(like: Any, value: Any) -> Any:
        return value if like == like else like

    @staticmethod
    def integers(count: Any) -> Any:
        return int(count)

    @staticmethod
    def array(value: Any) -> Any:
        return float(value)


INTEGER = Scalar(integer=True)
REAL = Scalar(integer=False)


class Arrays:
    """What the array libraries share; `lib` is their module of functions."""

    bits = 53
    largest: int | None = None  # float64 saturates instead of wrapping
    searches = True  # whether Python may look for numbers that depend on the schedule

    def __init__(self, lib: Any, integer: bool, result: Any) -> None:
        self.lib = lib
        self.integer = integer
        self.result = result
        # Values that are rounded to half their digits in the end need no care on the way.
        self.spare = self.bits == 53 and str(result).endswith(("16", "32"))
        self.sin, self.cos, self.log, self.floor = lib.sin, lib.cos, lib.log, lib.floor
        self.where = lib.where

    def for_floats(self) -> Arrays:
        """The same for counts that are fractions."""
        return type(self)(self.lib, False, self.result)

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    def log1p(self, x: Any) -> Any:
        return self.lib.log1p(x)

    def expm1(self, x: Any) -> Any:
        return self.lib.expm1(x)

    def maximum(self, x: Any, bound: Any) -> Any:
        return self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return self.lib.minimum(x, bound)

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
        return self.table(values)[index]

    def index(self, table: Any, count: Any) -> Any:
        return self.lib.searchsorted(table, count, side="right")

    def enter(self, step: Any) -> tuple[Any, Any]:
        """A step as an exact count and, where that is an integer type, its fractional part."""
        return self.cast(step, self.lib.float64), None

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


class Jax(Arrays):
    """JAX under x64, and what it shares with JAX without.

    XLA's own log1p and expm1 are off by up to 5 ulp of float32 and 70 of float64 (JAX 0.10.2 on CPU).
    """

    terms = 17

    def log1p(self, x: Any) -> Any:
        """log(1 + x) for x in [-1/2, 0]: twice the series of atanh(x / (2 + x))."""
        z = x / (2.0 + x)
        square, series = z * z, 0.0
        for k in range(self.terms, 0, -1):
            series = (series + 1.0 / (2 * k + 1)) * square
        return 2.0 * (z + z * series)

    def expm1(self, x: Any) -> Any:
        """exp(x) - 1 for x of at most 0."""
        small = self.lib.maximum(x, -0.5)
        series = 0.0 * small
        for k in range(self.terms, 1, -1):
            series = (series + 1.0) * small / k
        return self.where(x < -0.5, self.lib.exp(x) - 1.0, small + small * series)


class Narrow(Jax):
    """JAX without x64: counts in int32, values in float32.

    The count of a float step is the pair (whole, part), so that it is as exact as that of an integer.
    """

    bits = 24
    largest = 2**31 - 1
    terms = 9

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
        return self.lib.broadcast_to(self.array(value), self.lib.broadcast_shapes(self.lib.shape(value), like.shape))

    def power(self, x: Any, exponent: float) -> Any:
        near = self.rounded(exponent)
        value = x**near
        if near == exponent:
            return value
        # The exponent itself is rounded to float32, which shows where x is small.
        return value + value * ((exponent - near) * self.log(x))

    def real(self, count: Any) -> Any:
        if isinstance(count, tuple):
            whole, part = count
            return whole.astype(self.lib.float32) + part
        return count.astype(self.lib.float32)

    def none(self, count: Any) -> Any:
        return self.real(count) <= 0 if isinstance(count, tuple) else count <= 0

    def rounded(self, x: float) -> float:
        scaled = x * 536870913.0  # 2**29 + 1 leaves 24 bits
        return scaled - (scaled - x)

    def top_half(self, x: Any) -> Any:
        return (x.view(self.lib.int32) & -(1 << 12)).view(self.lib.float32)

    def enter(self, step: Any) -> tuple[Any, Any]:
        if self.integer:
            if dtype_name(step) == "uint32":
                step = self.lib.minimum(step, self.largest)
            return step.astype(self.lib.int32), None
        inside = self.lib.clip(step, 0.0, 2147483520.0)  # the largest float32 below 2**31
        whole = self.lib.floor(inside)
        return self.where(whole == whole, whole, 0.0).astype(self.lib.int32), inside - whole

    def integers(self, count: Any) -> Any:
        return count


def array_namespace(array: Any, function: str, owner: Any = None) -> Arrays:
    """The number system for a step that is an array; `owner` decides the library where it is another array."""
    name = dtype_name(array)
    integer = name.startswith(("int", "uint"))
    if not integer and not (name.startswith("float") and "_" not in name and int(name[5:] or 0) >= 32):
        raise TypeError(
            f"{function}: `step` must be an integer or a float of at least 32 bits, got {name}"
            + ("; 16 bits cannot count: bfloat16 has no 257" if "float" in name else "")
        )
    owner = array if owner is None else owner
    kind = library(owner)
    lib = sys.modules["jax.numpy" if kind == "jax" else str(kind)]
    if kind == "torch":
        return Torch(lib, integer, lib.get_default_dtype() if integer else array.dtype, array.device)
    if kind == "numpy":
        return Numpy(lib, integer, lib.float64 if integer else array.dtype)
    default = lib.result_type(float)
    system = Jax if default == lib.float64 else Narrow
    return system(lib, integer, default if integer else lib.result_type(array.dtype))
