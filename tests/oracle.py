"""Exact mathematics: every public schedule again, straight from its formula, in mpmath with 300 bits.

Nothing here imports funcsched. A step may be an int, or a float that stands for its exact value.
"""

from collections.abc import Callable

import mpmath
from mpmath import mpf

Curve = Callable[[int | float], mpf]
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


def shift(curve: Curve, steps: int) -> Curve:
    return lambda step: curve(max(mpf(step), mpf(0)) + steps)


def _after_warmup(warmup: int, start: float, decay: Curve) -> Curve:
    return join([ramp(start, 1.0, warmup), decay], [warmup]) if warmup else decay


def warmup_constant(warmup: int, start: float = 0.0) -> Curve:
    return ramp(start, 1.0, warmup)


def warmup_linear(warmup: int, total: int, start: float = 0.0, end: float = 0.0) -> Curve:
    return _after_warmup(warmup, start, ramp(1.0, end, total - warmup))


def _rational(cycles: float) -> mpf:
    """What a user means by cycles=0.7: the simplest fraction that is this float."""
    for denominator in range(1, 33):
        numerator = round(cycles * denominator)
        if numerator / denominator == cycles:
            return mpf(numerator) / denominator
    return mpf(cycles)


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


def ulps(value: float, exact: mpf, bits: int) -> float:
    """How far a value is from the exact one, in units in the last place of a float of `bits` bits at the exact one."""
    value = float(value)
    if mpmath.isnan(value):
        return float("inf")
    smallest = {24: -125, 53: -1021}[bits]  # below this exponent the spacing of floats stays the same
    exponent = max(mpmath.frexp(exact)[1], smallest) if exact else smallest
    return float(abs(mpf(value) - exact) / mpf(2) ** (exponent - bits))
