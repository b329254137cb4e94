"""Schedules with their oracles, and helpers that compare learning rates with them."""

from collections.abc import Callable, Iterable

import funcsched as fs
from tests import oracle

CASES = {
    "warmup_linear": (fs.warmup_linear(4, 15), oracle.warmup_linear(4, 15)),
    "warmup_cosine": (fs.warmup_cosine(4, 15, end=0.1), oracle.warmup_cosine(4, 15, 0.0, 0.1)),
    "warmup_cosine_restarts": (
        fs.warmup_cosine_restarts(4, 15, cycles=3),
        oracle.warmup_cosine_restarts(4, 15, cycles=3),
    ),
    "join": (
        fs.join([fs.ramp(0.0, 1.0, steps=3), fs.constant(0.5), fs.ramp(0.5, 0.1, steps=4)], [3, 9]),
        oracle.join([oracle.ramp(0.0, 1.0, 3), oracle.constant(0.5), oracle.ramp(0.5, 0.1, 4)], [3, 9]),
    ),
}
UPDATES = 18  # past the end of every schedule
PEAK = 0.5  # a power of two: the product with it is exact, so a rate is as accurate as its multiplier
TOLERANCE = 4  # float32 ulps


def max_ulps(rates: Iterable[float], exact: oracle.Curve, peak: float = PEAK, bits: int = 24) -> float:
    """The largest error, in ulps, of the learning rates of updates 0, 1, 2, ..."""
    return max(oracle.ulps(rate, peak * exact(update), bits) for update, rate in enumerate(rates))


def warmup_linear_rate(
    warmup: int, total: int, *, start: float = 0.0, end: float = 0.0, peak: float = PEAK
) -> Callable[[int], float]:
    """The learning rate of `fs.warmup_linear` from its formula: exact if the levels and slopes have few bits."""

    def rate(update: int) -> float:
        if update < warmup:
            return peak * (start + (1 - start) * update / warmup)
        return peak * (1 - (1 - end) * min(update - warmup, total - warmup) / (total - warmup))

    return rate
