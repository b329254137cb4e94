"""The number systems of Python ints and floats."""

from __future__ import annotations

import math
from bisect import bisect_right

from funcsched.numerics.double_word import rounded
from funcsched.numerics.number_system import NumberSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PythonNumbers(NumberSystem):
    """The functions of the `math` module under the names of the array libraries."""

    def __init__(self, integer: bool) -> None:
        self.integer_bits = 53 if integer else 0
        self.sin, self.cos, self.sqrt, self.exp, self.expm1 = math.sin, math.cos, math.sqrt, math.exp, math.expm1
        self.log, self.log1p, self.power = math.log, math.log1p, pow
        self.level, self.divmod = float, divmod

    @staticmethod
    def to_float(count: Any) -> Any:
        return count  # without a conversion, because operators accept ints

    @staticmethod
    def to_int(count: Any) -> int:
        return int(count) if count == count else 0

    def to_step(self, count: Any) -> Any:
        return count

    @staticmethod
    def upper_half(x: float) -> float:
        return rounded(x, 26)

    @staticmethod
    def where(condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    @staticmethod
    def floor(x: Any) -> Any:
        return x // 1  # math.floor does not accept NaN

    # A comparison with NaN is False, so a NaN in `x` is returned.
    @staticmethod
    def maximum(x: Any, bound: Any) -> Any:
        return bound if x < bound else x

    @staticmethod
    def minimum(x: Any, bound: Any) -> Any:
        return bound if x > bound else x

    @staticmethod
    def full_like(count: Any, level: Any) -> Any:
        return level if count == count else count

    @staticmethod
    def index(boundaries: Any, count: Any) -> int:
        return bisect_right(boundaries, count)

    @staticmethod
    def lookup(values: Any, index: Any) -> Any:
        return values[index]


INTEGERS = PythonNumbers(integer=True)
FLOATS = PythonNumbers(integer=False)
