"""Reference implementation of every public schedule, from its published formula, in mpmath with 300 bits.

Nothing here imports funcsched, so expected values never come from the code under test. A step is an int or a float, and
a float is taken at its exact value.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

import mpmath
from mpmath import mpf

Curve = Callable[[int | float], mpf]
Shape = Callable[[mpf], mpf]
mpmath.mp.prec = 300


def linear(u: mpf) -> mpf:
    return u


def cosine(u: mpf) -> mpf:
    return (1 - mpmath.cos(mpmath.pi * u)) / 2


def power(exponent: float) -> Shape:
    return lambda u: u ** mpf(exponent) if u > 0 else mpf(0)


def constant(value: float) -> Curve:
    return lambda step: mpf(value)


def ramp(start: float, stop: float, steps: int, shape: Shape = linear) -> Curve:
    def value(step: int | float) -> mpf:
        if step >= steps:
            return mpf(stop)
        u = max(mpf(step), mpf(0)) / steps
        return mpf(start) + (mpf(stop) - mpf(start)) * shape(u)

    return value if steps else constant(stop)


def join(curves: list[Curve], boundaries: list[int]) -> Curve:
    def value(step: int | float) -> mpf:
        starts = [0, *boundaries]
        piece = max(i for i, start in enumerate(starts) if max(step, 0) >= start)
        return curves[piece](mpf(step) - starts[piece])

    return value


def scale(curve: Curve, factor: float) -> Curve:
    return lambda step: mpf(factor) * curve(step)


def lerp(curve: Curve, start: float, stop: float) -> Curve:
    def value(step: int | float) -> mpf:
        weight = min(max(curve(step), mpf(0)), mpf(1))
        return mpf(start) + (mpf(stop) - mpf(start)) * weight

    return value


def shift(curve: Curve, steps: int) -> Curve:
    return lambda step: curve(max(mpf(step), mpf(0)) + steps)


def _after_warmup(warmup: int, start: float, decay: Curve) -> Curve:
    return join([ramp(start, 1.0, warmup), decay], [warmup]) if warmup else decay


def warmup_constant(warmup: int, start: float = 0.0) -> Curve:
    return ramp(start, 1.0, warmup)


def warmup_linear(warmup: int, total: int, start: float = 0.0, end: float = 0.0) -> Curve:
    return _after_warmup(warmup, start, ramp(1.0, end, total - warmup))


def _simplest_fraction(number: float) -> mpf:
    """The simplest fraction that rounds to `number`, if its denominator is small: 0.7 means 7/10."""
    fraction = Fraction(number).limit_denominator(4096)
    return mpf(fraction.numerator) / fraction.denominator if float(fraction) == number else mpf(number)


def warmup_cosine(warmup: int, total: int, start: float = 0.0, end: float = 0.0, cycles: float = 0.5) -> Curve:
    def decay(step: int | float) -> mpf:
        length = total - warmup
        u = min(max(mpf(step), mpf(0)), mpf(length)) / length
        return mpf(end) + (1 - mpf(end)) * (1 + mpmath.cos(2 * mpmath.pi * _simplest_fraction(cycles) * u)) / 2

    return _after_warmup(warmup, start, decay if total > warmup else constant(end))


def warmup_cosine_restarts(warmup: int, total: int, start: float = 0.0, end: float = 0.0, cycles: int = 1) -> Curve:
    def decay(step: int | float) -> mpf:
        length = total - warmup
        if step >= length:
            return mpf(end)
        u = mpmath.fmod(cycles * max(mpf(step), mpf(0)), length) / length
        return mpf(end) + (1 - mpf(end)) * (1 + mpmath.cos(mpmath.pi * u)) / 2

    return _after_warmup(warmup, start, decay)


def sqrt(u: mpf) -> mpf:
    return mpmath.sqrt(u)


def exponential(ratio: float) -> Shape:
    return lambda u: (1 - mpf(ratio) ** u) / (1 - mpf(ratio))


def log(steps: int) -> Shape:
    """A curve that depends on the length of its phase."""
    return lambda u: mpmath.log(1 + u * steps) / mpmath.log(1 + mpf(steps))


def tanh(lower: float, upper: float) -> Shape:
    low, high = mpmath.tanh(mpf(lower)), mpmath.tanh(mpf(upper))
    return lambda u: (mpmath.tanh(mpf(lower) + (mpf(upper) - mpf(lower)) * u) - low) / (high - low)


def rex(u: mpf) -> mpf:
    return 1 - (1 - u) / (1 - u / 2)


def sine(u: mpf) -> mpf:
    return mpmath.sin(mpmath.pi / 2 * u)


def reverse(shape: Shape) -> Shape:
    return lambda u: 1 - shape(1 - u)


def compose(outer: Shape, inner: Shape) -> Shape:
    return lambda u: outer(inner(u))


def _clamped(curve: Curve) -> Curve:
    """Holds the value at step 0 below step 0."""
    return lambda step: curve(max(mpf(step), mpf(0)))


def phases(start: float, *ramps: tuple[int, float, Shape]) -> Curve:
    """Consecutive ramps from `start`, each given as (steps, stop, shape)."""

    def value(step: mpf) -> mpf:
        level, elapsed = mpf(start), step
        for steps, stop, shape in ramps:
            if elapsed < steps:
                return level + (mpf(stop) - level) * shape(elapsed / steps)
            level, elapsed = mpf(stop), elapsed - steps
        return level

    return _clamped(value)


def inverse_power(timescale: int, exponent: float) -> Curve:
    return _clamped(lambda step: (mpf(timescale) / (timescale + step)) ** mpf(exponent))


def exponential_decay(rate: float, steps: int = 1, staircase: bool = False, end: float | None = None) -> Curve:
    def value(step: mpf) -> mpf:
        decayed = mpf(rate) ** (mpmath.floor(step / steps) if staircase else step / steps)
        return decayed if end is None else max(decayed, mpf(end)) if rate < 1 else min(decayed, mpf(end))

    return _clamped(value)


def inverse_time(rate: float, steps: int = 1, staircase: bool = False) -> Curve:
    def value(step: mpf) -> mpf:
        return 1 / (1 + mpf(rate) * (mpmath.floor(step / steps) if staircase else step / steps))

    return _clamped(value)


def levels(boundaries: list[int], values: list[float]) -> Curve:
    """Piecewise constant, given by its levels."""
    return _clamped(lambda step: mpf(values[sum(step >= boundary for boundary in boundaries)]))


def factors(boundaries: list[int], values: list[float]) -> Curve:
    """Piecewise constant, given by the factor at each boundary."""
    return _clamped(lambda step: mpmath.fprod(mpf(f) for b, f in zip(boundaries, values, strict=True) if step >= b))


def table(values: list[float]) -> Curve:
    return _clamped(lambda step: mpf(values[int(min(step, len(values) - 1))]))


def interpolate(boundaries: list[int], values: list[float], shapes: list[Shape]) -> Curve:
    def value(step: mpf) -> mpf:
        if step < boundaries[0]:
            return mpf(values[0])
        for i, shape in enumerate(shapes):
            if step < boundaries[i + 1]:
                u = (step - boundaries[i]) / (boundaries[i + 1] - boundaries[i])
                return mpf(values[i]) + (mpf(values[i + 1]) - mpf(values[i])) * shape(u)
        return mpf(values[-1])

    return _clamped(value)


def product(*curves: Curve) -> Curve:
    return lambda step: mpmath.fprod(curve(step) for curve in curves)


def add(*curves: Curve) -> Curve:
    return lambda step: mpmath.fsum(curve(step) for curve in curves)


def minimum(*curves: Curve) -> Curve:
    return lambda step: min(curve(step) for curve in curves)


def maximum(*curves: Curve) -> Curve:
    return lambda step: max(curve(step) for curve in curves)


def stretch(curve: Curve, factor: float) -> Curve:
    return lambda step: curve(mpf(step) / _simplest_fraction(factor))


def repeat(
    curve: Curve, period: int, times: int | None = None, period_factor: float = 1, level_factor: float = 1
) -> Curve:
    """Where a cycle starts between two steps, the restart happens at the later one."""

    def value(step: mpf) -> mpf:
        start, length, cycle = mpf(0), mpf(period), 0
        if period_factor == 1:
            cycle = int(mpmath.floor(step / period))
            cycle = cycle if times is None else min(cycle, times - 1)
            start = mpf(period) * cycle
        else:
            while mpmath.floor(step) >= start + length and (times is None or cycle < times - 1):
                start, length, cycle = start + length, length * _simplest_fraction(period_factor), cycle + 1
        local = (step - start) * period / length
        return mpf(level_factor) ** cycle * curve(min(local, mpf(period)))

    return _clamped(value)


def then(curve: Curve, boundary: int, stop: float, steps: int, shape: Shape = linear) -> Curve:
    def value(step: mpf) -> mpf:
        if step < boundary:
            return curve(step)
        u = min((step - boundary) / steps, mpf(1)) if steps else mpf(1)
        return curve(mpf(boundary)) + (mpf(stop) - curve(mpf(boundary))) * shape(u)

    return _clamped(value)


def ulps(value: float, exact: mpf, bits: int, scale: float | None = None) -> float:
    """The error of `value` in units in the last place of a float with `bits` bits (24 or 53).

    The unit is that of the exact value, or of `scale` where that is larger.
    """
    value = float(value)
    if mpmath.isnan(value):
        return float("inf")
    smallest = {24: -125, 53: -1021}[bits]  # below this exponent the spacing of floats stays the same
    size = exact if scale is None else max(abs(exact), mpf(scale))
    exponent = max(mpmath.frexp(size)[1], smallest) if size else smallest
    return float(abs(mpf(value) - exact) / mpf(2) ** (exponent - bits))


def max_ulps(
    curve: Curve, steps: Iterable[float], values: Iterable[float], bits: int, scale: float | None = None
) -> float:
    """The largest error of the values at the steps, as `ulps` measures it."""
    return max(ulps(value, curve(step), bits, scale) for step, value in zip(steps, values, strict=True))
