"""Reference implementation of every public schedule, from its published formula, in mpmath with 300 bits.

Nothing here imports funcsched, so expected values never come from the code under test. A step is an int or a float, and
a float is taken at its exact value.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise

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


def rational(d: float) -> Shape:
    return lambda u: (1 - mpf(d)) * u / (1 - mpf(d) * u)


def mirror_cosine(u: mpf) -> mpf:
    return 2 * u - cosine(u)


def truncated_cosine(fraction: float) -> Shape:
    return lambda u: cosine(mpf(fraction) * u) / cosine(mpf(fraction))


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


def above(end: float, decay: Curve) -> Curve:
    """A decay from 1 to 0 as one from 1 to `end`."""
    return lambda step: mpf(end) + (1 - mpf(end)) * decay(step)


def inverse_power(timescale: int, exponent: float) -> Curve:
    return _clamped(lambda step: (mpf(timescale) / (timescale + step)) ** mpf(exponent))


def hypot_decay(timescale: int, exponent: float) -> Curve:
    return _clamped(lambda step: ((step**2 + mpf(timescale) ** 2) / mpf(timescale) ** 2) ** -mpf(exponent))


def saturating_exponential(timescale: int) -> Curve:
    return _clamped(lambda step: 1 - mpmath.exp(-step / timescale))


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


def pchip(boundaries: list[int], values: list[float]) -> Curve:
    """The monotone cubic of Fritsch and Butland, in the usual Hermite basis."""
    y, knots = [mpf(value) for value in values], len(boundaries)
    h = [mpf(b - a) for a, b in pairwise(boundaries)]
    d = [(b - a) / length for (a, b), length in zip(pairwise(y), h, strict=True)]

    def at_end(h0: mpf, h1: mpf, d0: mpf, d1: mpf) -> mpf:
        slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
        if mpmath.sign(slope) != mpmath.sign(d0):
            return mpf(0)
        return 3 * d0 if mpmath.sign(d0) != mpmath.sign(d1) and abs(slope) > 3 * abs(d0) else slope

    def inside(k: int) -> mpf:
        if mpmath.sign(d[k - 1]) * mpmath.sign(d[k]) <= 0:
            return mpf(0)
        w1, w2 = 2 * h[k] + h[k - 1], h[k] + 2 * h[k - 1]
        return (w1 + w2) / (w1 / d[k - 1] + w2 / d[k])

    m = [at_end(h[0], h[1], d[0], d[1]), *map(inside, range(1, knots - 1)), at_end(h[-1], h[-2], d[-1], d[-2])]

    def value(step: mpf) -> mpf:
        if step < boundaries[0] or step >= boundaries[-1]:
            return y[0] if step < boundaries[0] else y[-1]
        k = max(i for i in range(knots - 1) if step >= boundaries[i])
        t = (step - boundaries[k]) / h[k]
        start, end = (1 + 2 * t) * (1 - t) ** 2 * y[k], t * t * (3 - 2 * t) * y[k + 1]
        return start + end + h[k] * (t * (1 - t) ** 2 * m[k] - t * t * (1 - t) * m[k + 1])

    return _clamped(value)


def product(*curves: Curve) -> Curve:
    return lambda step: mpmath.fprod(curve(step) for curve in curves)


def add(*curves: Curve) -> Curve:
    return lambda step: mpmath.fsum(curve(step) for curve in curves)


def minimum(*curves: Curve) -> Curve:
    return lambda step: min(curve(step) for curve in curves)


def maximum(*curves: Curve) -> Curve:
    return lambda step: max(curve(step) for curve in curves)


def staircase(curve: Curve, steps: int) -> Curve:
    return lambda step: curve(mpmath.floor(max(mpf(step), mpf(0)) / steps))


def count_by(curve: Curve, sizes: list[int], boundaries: list[int], per: int = 1) -> Curve:
    def value(step: mpf) -> mpf:
        starts, ends = [0, *boundaries], [*boundaries, mpmath.inf]
        done = [max(min(step, end) - start, mpf(0)) for start, end in zip(starts, ends, strict=True)]
        return curve(mpmath.fsum(updates * size for updates, size in zip(done, sizes, strict=True)) / per)

    return _clamped(value)


def count_by_epochs(curve: Curve, size: int, per: int, epoch: int) -> Curve:
    def value(step: mpf) -> mpf:
        updates = -(-epoch // size)
        epochs = mpmath.floor(step / updates)
        return curve((epochs * epoch + min((step - epochs * updates) * size, mpf(epoch))) / per)

    return _clamped(value)


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


def warm_into(curve: Curve, steps: int, start: float = 0.0, shape: Shape = linear) -> Curve:
    def value(step: mpf) -> mpf:
        if step >= steps:
            return curve(step)
        return mpf(start) + (curve(mpf(steps)) - mpf(start)) * shape(step / steps)

    return _clamped(value)


def blend(first: Curve, second: Curve, weight: Curve) -> Curve:
    def value(step: int | float) -> mpf:
        w = min(max(weight(step), mpf(0)), mpf(1))
        return (1 - w) * first(step) + w * second(step)

    return value


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
