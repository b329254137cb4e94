"""The interface of a number system, and what all of them share: formulas evaluated at fractions of a phase."""

from __future__ import annotations

import math

from funcsched.numerics.double_word import ONE, DoubleWord, quotient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.double_word import Constant

    Function = Callable[[Any], Any]
    # weight(count, other): `count` is the number of steps from the end of the phase where the weight is 0, and `other`
    # that from the end where it is 1. Most weights need only the first one.
    Weight = Callable[[Any, Any], Any]


MAX_COUNT = 2**53  # integers up to here are exact in float64
# Larger steps are clipped to this, which every library can represent. An infinite step modulo a period would be NaN.
MAX_STEP = 2.0**62
_MAX_EXPONENT = 88.7  # exp of it is close to the largest float32, which is the largest level


def is_concrete(*values: Any) -> bool:
    """Whether all values are Python numbers, as opposed to arrays and tracers, so that an ``if`` can depend on them."""
    # Exact types, because a NumPy float64 is also a float, but is treated as an array.
    return all(type(value) is int or type(value) is float for value in values)


class NumberSystem:
    """How counts and values are represented, and the functions that formulas need."""

    has_guard_digits = False  # whether the arithmetic is float64 but the result float32: double-words are unnecessary
    integer_bits = 53  # integers of up to this many bits are exact as one float; 0 if counts may be fractions
    largest_count = MAX_COUNT
    exp_limit = 746.0  # exp(-exp_limit) is 0

    to_float: Function  # a count as one float
    to_int: Function  # a count as an index of a lookup table
    to_step: Function  # a count as the argument of a user's function
    level: Function  # a number as a float of this number system
    full_like: Callable[[Any, Any], Any]  # of a count and a level: the level in the shape of the count
    index: Callable[[Any, Any], Any]  # of increasing boundaries and a count: how many boundaries the count has reached
    lookup: Callable[[Any, Any], Any]  # of a sequence of values and an index
    upper_half: Function  # a float truncated to the upper half of its significand
    sin: Function
    cos: Function
    exp: Function
    expm1: Function
    log: Function
    log1p: Function
    sqrt: Function
    floor: Function
    power: Callable[[Any, float], Any]
    where: Callable[[Any, Any, Any], Any]
    minimum: Callable[[Any, Any], Any]  # of a count and a bound, or of two values
    maximum: Callable[[Any, Any], Any]
    divmod: Callable[[Any, Any], tuple[Any, Any]]  # of a count and a period: complete periods, and the remaining count

    def up_to(self, largest: float) -> NumberSystem:
        """A number system whose counts reach `largest`. With infinity, they have no limit and may be fractions."""
        return self

    def to_count(self, number: Any) -> Any:
        """A number of steps as a count of this number system."""
        return number

    def double(self, number: Any) -> DoubleWord:
        """A count, a number or a constant as a double-word."""
        if isinstance(number, DoubleWord):
            return number
        hi, lo = number if isinstance(number, tuple) else (self.level(number), 0.0)
        return DoubleWord(self, hi, lo)

    def normalized(self, hi: Any, lo: Any) -> DoubleWord:
        """``hi + lo`` as a double-word, where `lo` is smaller than `hi` (Fast2Sum)."""
        total = hi + lo
        return DoubleWord(self, total, lo - (total - hi))

    def fraction(self, steps: Any) -> Weight:
        """``(count, _) -> count / steps`` as one float, for formulas that do not amplify its error."""
        to_float, length = self.to_float, self.to_float(steps)
        return lambda count, _: to_float(count) / length

    def scaled_fraction(
        self, constant: Constant, steps: Any, largest: Any = None, extra_bits: int = 7
    ) -> Callable[[Any], tuple[Any, Any]]:
        """``count -> constant * count / steps`` as (hi, lo), for counts up to `largest`, which is `steps` by default.

        The sum is accurate to at least `extra_bits` bits more than one float has. With 7, its error is negligible.
        """
        to_float, largest = self.to_float, steps if largest is None else largest
        if self.has_guard_digits:
            rate = constant[0] / steps
            return lambda count: (count * rate, 0.0)
        if is_concrete(steps, largest) and largest.bit_length() + extra_bits <= self.integer_bits:
            # The rate is split so that the product of a count and its upper part is exact.
            upper, lower = quotient(constant, steps, self.integer_bits - largest.bit_length())

            def of_short_count(count: Any) -> tuple[Any, Any]:
                product, rest = to_float(count) * upper, to_float(count) * lower
                hi = product + rest
                return hi, rest - (hi - product)

            return of_short_count
        factor = quotient(constant, steps, 53) if is_concrete(steps) else constant

        def of_any_count(count: Any) -> tuple[Any, Any]:
            # `steps` is made a double-word too, because torch.compile cannot divide a DoubleWord by a tensor.
            x = self.double(count) if is_concrete(steps) else self.double(count) / self.double(steps)
            x = x if factor == ONE else x * factor
            return x.hi, x.lo

        return of_any_count

    def formula(self, steps: Any, f: Function, slope: Function | None = None, constant: Constant = ONE) -> Weight:
        """``(count, _) -> f(constant * count / steps)``, evaluated as ``f(hi) + slope(hi) * lo``.

        `slope` is the derivative of f. A formula that at most doubles the relative error of its argument, such as
        sin(x)**2, does not need one: rounding the argument to one float then adds at most 1 ulp to the error.
        """
        if slope is None:
            argument = self.scaled_fraction(constant, steps, extra_bits=2)
            return lambda count, _: f(argument(count)[0])
        argument = self.scaled_fraction(constant, steps)
        if self.has_guard_digits:
            return lambda count, _: f(argument(count)[0])

        def value(count: Any, _: Any) -> Any:
            hi, lo = argument(count)
            return f(hi) + slope(hi) * lo

        return value

    def exponential(self, log: Constant, steps: Any) -> Function:
        """``count -> exp(log * count / steps)`` for counts without a limit."""
        falling = log[0] < 0
        largest: Any = self.largest_count
        if is_concrete(steps) and log[0]:  # the value is 0 or infinite from some count on
            largest = min(largest, math.ceil(self.exp_limit * steps / abs(log[0])))
        exponent = self.scaled_fraction((-log[0], -log[1]) if falling else log, steps, largest)

        def value(count: Any) -> Any:
            hi, lo = exponent(self.minimum(count, largest))
            if falling:
                # Not exp(-hi) - exp(-hi) * lo, because the product exp(-hi) * lo may underflow.
                return self.exp(-hi) * (1.0 - lo)
            # Where exp(hi) would overflow, its argument is replaced, because the gradient would be NaN.
            overflows = hi > _MAX_EXPONENT
            return self.where(overflows, math.inf, self.exp(self.where(overflows, 0.0, hi)) * (1.0 + lo))

        return value
