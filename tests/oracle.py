"""Exact mathematics: every public schedule again, straight from its formula, in mpmath with 300 bits.

Nothing here imports funcsched. A step may be an int, or a float that stands for its exact value.
"""

from collections.abc import Callable
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


def power(exponent: float) -> Callable[[mpf], mpf]:
    return lambda u: u ** mpf(exponent) if u > 0 else mpf(0)


def constant(value: float) -> Curve:
    return lambda step: mpf(value)


def ramp(start: float, stop: float, steps: int, shape: Callable[[mpf], mpf] = linear) -> Curve:
    def value(step: int | float) -> mpf:
        if step >= steps:
            return mpf(stop)
        u = max(mpf(step), mpf(0)) / steps
        return mpf(start) + (mpf(stop) - mpf(start)) * shape(u)

    return value if steps else constant(stop)


def join(curves: list[Curve], boundaries: list[int]) -> Curve:
    def value(step: int | float) -> mpf:
        begins = [0, *boundaries]
        piece = max(i for i, begin in enumerate(begins) if max(step, 0) >= begin)
        return curves[piece](mpf(step) - begins[piece])

    return value


def scale(curve: Curve, factor: float) -> Curve:
    return lambda step: mpf(factor) * curve(step)


def lerp(curve: Curve, start: float, stop: float) -> Curve:
    def value(step):
        weight = min(curve(step), mpf(1))
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


def _rational(number: float) -> mpf:
    """What a user means by cycles=0.7: the simplest fraction that is this float."""
    simple = Fraction(number).limit_denominator(4096)
    return mpf(simple.numerator) / simple.denominator if float(simple) == number else mpf(number)


def warmup_cosine(warmup: int, total: int, start: float = 0.0, end: float = 0.0, cycles: float = 0.5) -> Curve:
    def decay(step: int | float) -> mpf:
        length = total - warmup
        u = min(max(mpf(step), mpf(0)), mpf(length)) / length
        return mpf(end) + (1 - mpf(end)) * (1 + mpmath.cos(2 * mpmath.pi * _rational(cycles) * u)) / 2

    return _after_warmup(warmup, start, decay if total > warmup else constant(end))


def warmup_cosine_restarts(warmup: int, total: int, start: float = 0.0, end: float = 0.0, cycles: int = 1) -> Curve:
    def decay(step: int | float) -> mpf:
        length = total - warmup
        if step >= length:
            return mpf(end)
        u = mpmath.fmod(cycles * max(mpf(step), mpf(0)), length) / length  # exact: a float times a small integer
        return mpf(end) + (1 - mpf(end)) * (1 + mpmath.cos(mpmath.pi * u)) / 2

    return _after_warmup(warmup, start, decay)


def sqrt(u: mpf) -> mpf:
    return mpmath.sqrt(u)


def exponential(ratio: float) -> Shape:
    return lambda u: (1 - mpf(ratio) ** u) / (1 - mpf(ratio))


def log(steps: int) -> Shape:
    """The curve depends on the length of the phase."""
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


def _held(curve: Curve) -> Curve:
    """Below step 0 the value at 0."""
    return lambda step: curve(max(mpf(step), mpf(0)))


def phases(start: float, *parts: tuple[int, float, Shape]) -> Curve:
    """Ramps one after another: (steps, stop, shape)."""

    def value(step: mpf) -> mpf:
        low, local = mpf(start), step
        for steps, stop, shape in parts:
            if local < steps:
                return low + (mpf(stop) - low) * shape(local / steps)
            low, local = mpf(stop), local - steps
        return low

    return _held(value)


def inverse_power(timescale: int, exponent: float) -> Curve:
    return _held(lambda step: (mpf(timescale) / (timescale + step)) ** mpf(exponent))


def exponential_decay(rate: float, steps: int = 1, staircase: bool = False, end: float | None = None) -> Curve:
    def value(step: mpf) -> mpf:
        share = step / steps
        grown = mpf(rate) ** (mpmath.floor(share) if staircase else share)
        return grown if end is None else max(grown, mpf(end)) if rate < 1 else min(grown, mpf(end))

    return _held(value)


def inverse_time(rate: float, steps: int = 1, staircase: bool = False) -> Curve:
    def value(step: mpf) -> mpf:
        share = step / steps
        return 1 / (1 + mpf(rate) * (mpmath.floor(share) if staircase else share))

    return _held(value)


def levels(boundaries: list[int], row: list[float]) -> Curve:
    return _held(lambda step: mpf(row[sum(step >= boundary for boundary in boundaries)]))


def factors(boundaries: list[int], row: list[float]) -> Curve:
    return _held(lambda step: mpmath.fprod(mpf(f) for b, f in zip(boundaries, row, strict=True) if step >= b))


def table(row: list[float]) -> Curve:
    return _held(lambda step: mpf(row[int(min(step, len(row) - 1))]))


def interpolate(boundaries: list[int], row: list[float], shapes: list[Shape]) -> Curve:
    def value(step: mpf) -> mpf:
        if step < boundaries[0]:
            return mpf(row[0])
        for i, shape in enumerate(shapes):
            if step < boundaries[i + 1]:
                u = (step - boundaries[i]) / (boundaries[i + 1] - boundaries[i])
                return mpf(row[i]) + (mpf(row[i + 1]) - mpf(row[i])) * shape(u)
        return mpf(row[-1])

    return _held(value)


def product(*curves: Curve) -> Curve:
    return lambda step: mpmath.fprod(curve(step) for curve in curves)


def add(*curves: Curve) -> Curve:
    return lambda step: mpmath.fsum(curve(step) for curve in curves)


def minimum(*curves: Curve) -> Curve:
    return lambda step: min(curve(step) for curve in curves)


def maximum(*curves: Curve) -> Curve:
    return lambda step: max(curve(step) for curve in curves)


def stretch(curve: Curve, factor: float) -> Curve:
    return lambda step: curve(mpf(step) / _rational(factor))


def repeat(curve: Curve, period: int, times: int | None = None, growth: float = 1, level: float = 1) -> Curve:
    """A restart belongs to the first step at or after it."""

    def value(step: mpf) -> mpf:
        begin, length, cycle = mpf(0), mpf(period), 0
        if growth == 1 and step >= period:
            cycle = (
                int(mpmath.floor(step / period)) if times is None else min(int(mpmath.floor(step / period)), times - 1)
            )
            begin = mpf(period) * cycle
        while growth != 1 and mpmath.floor(step) >= begin + length and (times is None or cycle < times - 1):
            begin, length, cycle = begin + length, length * _rational(growth), cycle + 1
        local = (step - begin) * period / length
        return mpf(level) ** cycle * curve(min(local, mpf(period)))

    return _held(value)


def then(curve: Curve, boundary: int, stop: float, steps: int, shape: Shape = linear) -> Curve:
    def value(step: mpf) -> mpf:
        if step < boundary:
            return curve(step)
        u = min((step - boundary) / steps, mpf(1)) if steps else mpf(1)
        return curve(mpf(boundary)) + (mpf(stop) - curve(mpf(boundary))) * shape(u)

    return _held(value)


def ulps(value: float, exact: mpf, bits: int, scale: float | None = None) -> float:
    """How far a value is from the exact one, in units in the last place of a float of `bits` bits.

    The place is that of the exact value, or of `scale` where that is larger.
    """
    value = float(value)
    if mpmath.isnan(value):
        return float("inf")
    smallest = {24: -125, 53: -1021}[bits]  # below this exponent the spacing of floats stays the same
    place = exact if scale is None else max(exact, mpf(scale))
    exponent = max(mpmath.frexp(place)[1], smallest) if place else smallest
    return float(abs(mpf(value) - exact) / mpf(2) ** (exponent - bits))
