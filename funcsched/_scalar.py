"""The number system of Python ints and floats, under the names that formulas use on arrays."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scalar:
    """Python numbers, under the names that formulas use on arrays."""

    bits = 53
    largest = None  # Python ints do not end
    spare = False
    searches = True

    def __init__(self, integer: bool) -> None:
        self.integer = integer

    sin, cos, sqrt, exp, expm1 = math.sin, math.cos, math.sqrt, math.exp, math.expm1
    log, log1p = math.log, math.log1p

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
    def clip(x: Any, low: Any, high: Any) -> Any:
        return low if x < low else high if x > high else x

    @staticmethod
    def power(x: Any, exponent: float) -> Any:
        return x**exponent

    real = float
    divmod = divmod

    @staticmethod
    def none(count: Any) -> bool:
        result: bool = count <= 0
        return result

    @staticmethod
    def whole(x: Any) -> Any:
        return x

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
