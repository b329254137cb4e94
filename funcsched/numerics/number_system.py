"""What all number systems share: fractions of a phase, and formulas evaluated at them."""

from __future__ import annotations

import math

from funcsched.numerics.double_word import ONE, DoubleWord, quotient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from funcsched.numerics.double_word import Constant

    Function = Callable[[Any], Any]
    Weight = Callable[[Any, Any], Any]  # of two counts: how many steps have elapsed and remain, or the reverse


MAX_COUNT = 2**53  # every count up to here is exact in float64, the widest type that all backends share
MAX_STEP = 2.0**62  # larger steps are cut off here: every library can hold it, and infinity modulo a period is NaN


def is_concrete(*values: Any) -> bool:
    """Whether all values are Python numbers, as opposed to arrays and tracers, and so can decide what is computed."""
    # Exact types: a NumPy float64 is a float as well, and is an array here.
    return all(type(value) is int or type(value) is float for value in values)


class NumberSystem:
    """How counts and fractions are represented.

    A weight is a function ``weight(count, other)`` of the steps from one end of the phase, where it is 0, and of those
    from the other end, where it is 1. Most weights do not need the second one.
    """

    has_guard_digits = False  # whether results are float32 but the arithmetic is float64: double-words are unnecessary
    integer_bits = 53  # integers of so many bits are exact as one float; 0 where counts may be fractions
    largest_count = MAX_COUNT
    exp_limit = 746.0  # exp(-x) is 0 from here on

    to_float: Function  # a count as one float
    level: Function  # a number as a value
    upper_half: Function  # the upper half of the digits of a float
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
    divmod: Callable[[Any, Any], tuple[Any, Any]]

    def up_to(self, most: float) -> NumberSystem:
        """The number system that counts as far as `most`, which may be infinity."""
        return self

    def count(self, number: Any) -> Any:
        """A count, or a parameter that counts, as a count of this number system."""
        return number

    def double(self, number: Any) -> DoubleWord:
        """A count, a number or a constant as a double-word."""
        if isinstance(number, DoubleWord):
            return number
        return DoubleWord(self, *(number if isinstance(number, tuple) else (self.level(number), 0.0)))

    def normalized(self, hi: Any, lo: Any) -> DoubleWord:
        """``hi + lo`` for a lo that is smaller than hi."""
        total = hi + lo
        return DoubleWord(self, total, lo - (total - hi))

    def fraction(self, steps: Any) -> Weight:
        """``(count, _) -> count / steps`` as one float, for formulas that do not multiply its error."""
        to_float, length = self.to_float, self.to_float(steps)
        return lambda count, _: to_float(count) / length

    def multiple(
        self, constant: Constant, steps: Any, most: Any = None, digits: int = 7
    ) -> Callable[[Any], tuple[Any, Any]]:
        """``count -> constant * count / steps`` as (hi, lo), for counts up to `most`, or up to `steps`.

        The sum has at least `digits` binary digits more than the result: 7 make its error negligible.
        """
        to_float, most = self.to_float, steps if most is None else most
        if self.has_guard_digits:
            rate = constant[0] / steps
            return lambda count: (count * rate, 0.0)
        if is_concrete(steps, most) and most.bit_length() + digits <= self.integer_bits:
            # The rate is split so that a count times its upper part is exact.
            upper, lower = quotient(constant, steps, self.integer_bits - most.bit_length())

            def of_short_count(count: Any) -> tuple[Any, Any]:
                product, rest = to_float(count) * upper, to_float(count) * lower
                hi = product + rest
                return hi, rest - (hi - product)

            return of_short_count
        factor = quotient(constant, steps, 53) if is_concrete(steps) else constant

        def of_any_count(count: Any) -> tuple[Any, Any]:
            # Both as double-words, because torch.compile divides no object of another class by a tensor.
            x = self.double(count) if is_concrete(steps) else self.double(count) / self.double(steps)
            x = x if factor == ONE else x * factor
            return x.hi, x.lo

        return of_any_count

    def formula(self, steps: Any, f: Function, slope: Function | None = None, constant: Constant = ONE) -> Weight:
        """``(count, _) -> f(constant * count / steps)``, evaluated as ``f(hi) + slope(hi) * lo``.

        `slope` is the derivative of f. A formula that at most doubles the relative error of its argument, such as
        sin(x)**2, goes without: one rounding of the argument adds no more than one unit in its last place.
        """
        if slope is None:
            of = self.multiple(constant, steps, digits=2)
            return lambda count, _: f(of(count)[0])
        of = self.multiple(constant, steps)
        if self.has_guard_digits:
            return lambda count, _: f(of(count)[0])

        def value(count: Any, _: Any) -> Any:
            hi, lo = of(count)
            return f(hi) + slope(hi) * lo

        return value

    def exponential(self, log: Constant, steps: Any) -> Function:
        """``count -> exp(log * count / steps)`` for counts without a limit."""
        falling = log[0] < 0
        most: Any = self.largest_count
        if is_concrete(steps) and log[0]:  # the value is 0 or infinite from some count on
            most = min(most, math.ceil(self.exp_limit * steps / abs(log[0])))
        of = self.multiple((-log[0], -log[1]) if falling else log, steps, most)

        def value(count: Any) -> Any:
            hi, lo = of(self.minimum(count, most))
            if falling:
                # A product, because the difference exp(-hi) - exp(-hi) * lo would lose what is subnormal.
                return self.exp(-hi) * (1.0 - lo)
            # No level is larger than exp(88.7). What overflows would have no gradient.
            over = hi > _LARGEST_EXPONENT
            return self.where(over, math.inf, self.exp(self.where(over, 0.0, hi)) * (1.0 + lo))

        return value


_LARGEST_EXPONENT = 88.7  # of float32
