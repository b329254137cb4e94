"""Products and quotients of step counts that are accurate to the last place.

A curve multiplies the error of its argument: sin(x)**2 doubles it, x**p takes it p times. One rounding per argument is
all that 4 ulp leave room for, and a count times a rounded constant has two.
"""

from __future__ import annotations

from math import ldexp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Constants as exact sums of two floats.
Constant = tuple[float, float]
ONE: Constant = (1.0, 0.0)
SHARE = 1.0  # for a length: counts are shares of a whole, rounded before
HALF_PI: Constant = (1.5707963267948966, 6.123233995736766e-17)
_SCALE = 160
GOOD = 0.4  # of half a place: with the roundings of product, sine and square that stays within 4 ulp
_logs: dict[float, Constant] = {}  # of those needed before, for torch cannot trace decimals
_rates: dict[tuple[Constant, int, int, float], tuple[float, int, float]] = {}


def known(*values: Any) -> bool:
    """Whether all values are Python numbers, and so can decide what is computed."""
    # Exact types: a float64 of NumPy is a float too, and is an array here.
    return all(type(value) is int or type(value) is float for value in values)


def at_least_one(xp: Any, steps: Any) -> Any:
    """A safe divisor: the value of an absent phase is thrown away, but its gradient is not."""
    return steps if known(steps) else xp.where(steps > 0, steps, 1)


def log_of(number: float) -> Constant:
    """The natural logarithm to twice the digits of a float."""
    if number not in _logs:
        from decimal import Context, Decimal  # not needed by most schedules

        context = Context(prec=50)
        value = context.ln(Decimal(number))
        _logs[number] = float(value), float(context.subtract(value, Decimal(float(value))))
    return _logs[number]


def multiple(
    xp: Any, constant: Constant, steps: Any, twice: bool = False, good: float = GOOD
) -> Callable[[Any], tuple[Any, Any]]:
    """The function count -> constant * count / steps, for a constant such as ONE or HALF_PI.

    It gives (value, rest), accurate as a sum. rest is None where one rounding is enough, unless `twice` asks for it;
    `good` is how far the constant may be off, in halves of the last place.
    """
    if steps is SHARE:
        return lambda share: (share if constant == ONE else share * constant[0], None)
    if xp.spare:
        high, length = constant[0], at_least_one(xp, steps)
        return lambda count: (xp.real(count) * high / length, None)
    if xp.integer and known(steps) and not twice and xp.searches:
        error, multiplier, rate = _rate(constant, steps, xp.bits, good)
        if error <= good:
            real = xp.real
            return (lambda count: (real(count) * rate, None)) if multiplier == 1 else _odd(real, multiplier, rate)
    return lambda count: accurate(xp, constant, count, steps)


def _odd(real: Any, multiplier: int, rate: float) -> Callable[[Any], tuple[Any, Any]]:
    return lambda count: (real(count * multiplier) * rate, None)


def one_at_end(xp: Any, steps: Any, good: float) -> bool:
    """Whether the share that `multiple` gives of all steps is 1 without any help."""
    if steps is SHARE:
        return True
    if xp.spare or xp.bits == 53 or not (xp.integer and known(steps)):
        return False
    error, multiplier, rate = _rate(ONE, steps, xp.bits, good)
    return error <= good and xp.rounded(multiplier * steps * rate) == 1.0


def _rate(constant: Constant, steps: int, bits: int, good: float) -> tuple[float, int, float]:
    """An odd m and the float c with m * c next to constant / steps, after their error in halves of the last place.

    c alone is off by up to one half; among a few m there is one whose c is all but exact. The first that is good is
    taken, or else the best. Products m * count must be exact floats.
    """
    key = (constant, steps, bits, good)
    if key not in _rates:
        best = float("inf"), 1, 0.0
        whole = sum((n << _SCALE) // d for n, d in (part.as_integer_ratio() for part in constant))
        for multiplier in range(1, min(32, (1 << bits) // max(steps, 1) + 1), 2):
            exact = whole // (steps * multiplier)
            unit = max(exact.bit_length() - bits, 1)
            significand = ((exact >> (unit - 1)) + 1) >> 1
            error = abs((significand << unit) - exact) / exact * (1 << bits)
            if error < best[0]:
                best = error, multiplier, ldexp(significand, unit - _SCALE)
            if error <= good:
                break
        _rates[key] = best
    return _rates[key]


def pair(xp: Any, count: Any) -> tuple[Any, Any]:
    """A count as the exact sum of two floats."""
    if xp.bits == 53:
        return xp.array(count), 0.0
    if known(count):
        high = xp.rounded(float(count))
        return high, float(count) - high
    whole, part = count if isinstance(count, tuple) else (count, None)
    if not xp.lib.issubdtype(whole.dtype, xp.lib.integer):
        return whole, 0.0
    high = whole.astype(xp.lib.float32)
    low = (whole - high.astype(xp.lib.int32)).astype(xp.lib.float32)
    if part is None:
        return high, low
    total = high + part
    return total, low + (part - (total - high))


def product(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """x * y as an exact sum of two floats (Dekker)."""
    high = x * y
    x_top, y_top = xp.top_half(x), xp.top_half(y)
    x_low, y_low = x - x_top, y - y_top
    return high, ((x_top * y_top - high) + x_top * y_low + x_low * y_top) + x_low * y_low


def divided(xp: Any, numerator: tuple[Any, Any], denominator: tuple[Any, Any]) -> tuple[Any, Any]:
    """The quotient of two sums of two floats as such a sum."""
    (n, n_rest), (d, d_rest) = numerator, denominator
    d = xp.array(d) if known(d) else xp.where(d > 0, d, 1.0)
    quotient = n / d
    back, error = product(xp, quotient, d)
    return quotient, (((n - back) - error) + (n_rest - quotient * d_rest)) / d


def accurate(xp: Any, constant: Constant, count: Any, steps: Any) -> tuple[Any, Any]:
    """constant * count / steps as the sum of two floats; 0 for steps 0."""
    quotient, rest = divided(xp, pair(xp, count), pair(xp, steps))
    if constant == ONE:
        return quotient, rest
    high = xp.rounded(constant[0])
    low = (constant[0] - high) + constant[1]
    value, error = product(xp, quotient, xp.array(high))
    return value, error + quotient * low + rest * high


def gap(xp: Any, low: float, high: float) -> tuple[float, bool]:
    """high - low, rounded so that low + gap never exceeds high, and whether that sum is high."""
    low, high = xp.rounded(low), xp.rounded(high)
    difference = xp.rounded(high - low)
    if xp.rounded(low + difference) > high:
        difference = xp.rounded(difference * (1.0 - 2.0**-xp.bits))  # the next number below
    return difference, xp.rounded(low + difference) == high


def angle_rate(steps: int, bits: int) -> tuple[float, int, float]:
    """The error, the multiplier and the factor of a count by which it becomes its share of a quarter turn."""
    return _rate(HALF_PI, steps, bits, GOOD)


def meeting(
    xp: Any, factor: float, high: float, ends: Callable[[float], tuple[float, ...]]
) -> tuple[bool, float | None]:
    """Whether there is a number next to `factor` with which a rise ends at `high`, and it, or one that goes beyond."""
    near, place = xp.rounded(factor), 1.0 + 2.0 ** (1 - xp.bits)
    if near < 2.0**-100:  # next to the smallest floats there are fewer places
        return False, None
    steep, slow = xp.rounded(near * place), xp.rounded(near / place)
    for number in near, steep, slow:
        if set(ends(number)) == {high}:
            return True, number
    return False, next((number for number in (near, steep) if min(ends(number)) >= high), None)
