"""Double-word arithmetic: a number as the unevaluated sum of two floats, which has twice the digits of one.

Sources: Dekker 1971; Hida, Li and Bailey 2001; Joldes, Muller and Popescu 2017.

Compilers contract ``a * b + c`` into a fused multiply-add, which breaks the usual ways to recover the rounding error
of a product. Here both factors are split into halves first: every product of halves is exact, contracted or not.
"""

from __future__ import annotations

from funcsched.numerics.cache import cached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem

Constant = tuple[float, float]  # a real number as the sum of two Python floats
ONE: Constant = (1.0, 0.0)
HALF_PI: Constant = (1.5707963267948966, 6.123233995736766e-17)


class DoubleWord:
    """``hi + lo``, two floats of the number system `xp`. ``hi`` is within 1 ulp of the sum."""

    __slots__ = ("hi", "lo", "xp")

    def __init__(self, xp: NumberSystem, hi: Any, lo: Any) -> None:
        self.xp, self.hi, self.lo = xp, hi, lo

    @property
    def ndim(self) -> int:
        return getattr(self.hi, "ndim", 0)

    def __neg__(self) -> DoubleWord:
        return DoubleWord(self.xp, -self.hi, -self.lo)

    def __add__(self, other: Any) -> DoubleWord:
        other = self.xp.double(other)
        hi = self.hi + other.hi
        added = hi - self.hi
        error = (self.hi - (hi - added)) + (other.hi - added)  # 2Sum
        return self.xp.normalized(hi, error + (self.lo + other.lo))

    def __sub__(self, other: Any) -> DoubleWord:
        return self + -self.xp.double(other)

    def __rsub__(self, other: Any) -> DoubleWord:
        return self.xp.double(other) + -self

    def __mul__(self, other: Any) -> DoubleWord:
        xp, other = self.xp, self.xp.double(other)
        x, y = self.hi, other.hi
        x_upper, y_upper = xp.upper_half(x), xp.upper_half(y)
        x_lower, y_lower = x - x_upper, y - y_upper
        hi, lo = x_upper * y_upper, x_lower * y_lower + (x * other.lo + self.lo * y)
        for product in (x_upper * y_lower, x_lower * y_upper):
            total = hi + product
            hi, lo = total, lo + (product - (total - hi))
        return xp.normalized(hi, lo)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> DoubleWord:
        xp, other = self.xp, self.xp.double(other)
        hi, divisor = self.hi / other.hi, other.hi
        x_upper, y_upper = xp.upper_half(hi), xp.upper_half(divisor)
        x_lower, y_lower = hi - x_upper, divisor - y_upper
        remainder = ((self.hi - x_upper * y_upper) - x_upper * y_lower - x_lower * y_upper) - x_lower * y_lower
        return DoubleWord(xp, hi, (remainder + (self.lo - hi * other.lo)) / divisor)

    def __pow__(self, exponent: float) -> Any:
        """As one float, which is enough for levels that depend on a length."""
        return self.xp.power(self.hi, exponent)

    def __lt__(self, other: Any) -> Any:
        return (self - other).hi < 0

    def __gt__(self, other: Any) -> Any:
        return (self - other).hi > 0

    def __le__(self, other: Any) -> Any:
        return (self - other).hi <= 0

    def __ge__(self, other: Any) -> Any:
        return (self - other).hi >= 0


def rounded(value: float, bits: int) -> float:
    """A Python float rounded to `bits` bits (Veltkamp's splitting)."""
    scaled = value * ((1 << (53 - bits)) + 1.0)
    return scaled - (scaled - value)


def quotient(constant: Constant, steps: int, bits: int) -> Constant:
    """``constant / steps`` as the sum of two floats, the first one truncated to `bits` bits."""
    hi_numerator, hi_denominator = constant[0].as_integer_ratio()
    lo_numerator, lo_denominator = constant[1].as_integer_ratio()
    numerator = hi_numerator * lo_denominator + lo_numerator * hi_denominator
    denominator = hi_denominator * lo_denominator * steps
    # The quotient as an integer of about 160 bits, which is more than two floats hold.
    scale = 160 + max(denominator.bit_length() - numerator.bit_length(), 0)
    scaled = (numerator << scale) // denominator
    shift = max(scaled.bit_length() - max(bits, 1), 0)
    leading = (scaled >> shift) << shift
    return leading / (1 << scale), (scaled - leading) / (1 << scale)


@cached
def logarithm(number: float) -> Constant:
    """The natural logarithm to twice the digits of a float."""
    from decimal import Context, Decimal  # imported here because most schedules do not need it

    context = Context(prec=50)
    value = context.ln(Decimal(number))
    hi = float(value)
    return hi, float(context.subtract(value, Decimal(hi)))
