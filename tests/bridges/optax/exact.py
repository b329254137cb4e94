"""The schedules of optax in exact mathematics, example arguments for each, and helpers to compare rates.

The tests run optax in two ways:

- In float64, which compares the formulas. Each operation of optax rounds by half an ulp. A difference keeps the
  absolute error of its larger operand, so the tolerance is relative to the largest rate.
- In float32 under jit, as in training. The errors of optax can exceed all rounding errors of this library, so the
  tolerance includes them. They are measured against mpmath.

This library is compared with mpmath: 4 ulp of the multiplier, which is the guarantee, plus half an ulp for each later
rounding: of a level relative to the peak, of a fraction of a fraction, of a scale, and of the product with the peak.
"""

import inspect
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import optax
from mpmath import mpf

from bridges.rated import Rated

mpmath.mp.prec = 300

ULPS = 6  # the 4 ulp that are guaranteed, and four roundings of half an ulp each
STEPS = 64  # the length of every run, so that JAX compiles once; all schedules that end do so before
COUNTS = np.arange(STEPS)

Curve = Callable[[int], mpf]

# The formulas of optax, as functions of a step and all arguments.


def clipped(u: mpf) -> mpf:
    return min(max(u, mpf(0)), mpf(1))


def transition(s: int, start: float, stop: mpf | float, steps: int, begin: int = 0, power: float = 1.0) -> mpf:
    remaining = 1 - clipped(mpf(s - begin) / steps)
    return mpf(stop) + (mpf(start) - mpf(stop)) * (remaining ** mpf(power) if remaining else mpf(0))


def cosine_transition(s: int, start: float, stop: mpf | float, steps: int, exponent: float = 1.0) -> mpf:
    height = (1 + mpmath.cos(mpmath.pi * clipped(mpf(s) / steps))) / 2
    return mpf(stop) + (mpf(start) - mpf(stop)) * (height ** mpf(exponent) if s < steps else mpf(0))


def levels(s: int, init_value: float, boundaries_and_scales: dict[int, float] | None) -> mpf:
    value = mpf(init_value)
    for boundary, scale in (boundaries_and_scales or {}).items():
        value *= scale if s >= boundary else 1
    return value


def through_knots(s: int, knots: dict[int, mpf], cosine: bool) -> mpf:
    begins = sorted(knots)
    if s >= begins[-1]:
        return knots[begins[-1]]
    i = max(i for i, begin in enumerate(begins) if s >= begin)
    curve = cosine_transition if cosine else transition
    return curve(s - begins[i], knots[begins[i]], knots[begins[i + 1]], begins[i + 1] - begins[i])


def interpolated(s: int, kind: str, init_value: float, boundaries_and_scales: dict[int, float] | None) -> mpf:
    knots, rate = {0: mpf(init_value)}, mpf(init_value)
    for boundary in sorted(boundaries_and_scales or {}):
        rate *= boundaries_and_scales[boundary]
        knots[boundary] = rate  # replaces the first knot if the boundary is 0
    return through_knots(s, knots, kind == "cosine")


def one_cycle(
    s: int, kind: str, n: int, peak: float, final: float | None, start: float, div: float, last: float
) -> mpf:
    first = mpf(peak) / mpf(div)
    knots = {0: first, int(start * n): mpf(peak)}
    if final is not None:
        knots[int(final * n)] = first
    return through_knots(s, {**knots, n: first / mpf(last)}, kind == "cosine")


def exponential(
    s: int, init: float, steps: int, rate: float, begin: int = 0, staircase: bool = False, end: float | None = None
) -> mpf:
    elapsed = max(s - begin, 0)
    power = mpf(elapsed // steps) if staircase else mpf(elapsed) / steps
    value = mpf(init) * mpf(rate) ** power
    if end is None:
        return value
    return max(value, mpf(end)) if rate < 1 else min(value, mpf(end))


def with_warmup(s: int, init: float, peak: float, warmup: int, then: Curve) -> mpf:
    return transition(s, init, peak, warmup) if s < warmup else then(s - warmup)


def warmup_cosine(s: int, init: float, peak: float, warmup: int, total: int, end: float = 0.0, power: float = 1) -> mpf:
    return with_warmup(s, init, peak, warmup, lambda s: cosine_transition(s, peak, end, total - warmup, power))


def sgdr(s: int, cycles: list[dict[str, Any]]) -> mpf:
    for cycle in cycles[:-1]:
        if s < cycle["decay_steps"]:
            return warmup_cosine(s, *all_arguments("warmup_cosine_decay_schedule", **cycle))
        s -= cycle["decay_steps"]
    return warmup_cosine(s, *all_arguments("warmup_cosine_decay_schedule", **cycles[-1]))


def all_arguments(name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """All arguments of an optax function in order, including defaults."""
    bound = inspect.signature(getattr(optax, name)).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


EXACT: dict[str, Callable[..., mpf]] = {
    "constant_schedule": lambda s, value: mpf(value),
    "linear_schedule": transition,
    "polynomial_schedule": lambda s, init, end, power, n, begin: transition(s, init, end, n, begin, power),
    "piecewise_constant_schedule": levels,
    "exponential_decay": exponential,
    "cosine_decay_schedule": lambda s, init, n, alpha, power: cosine_transition(
        s, init, mpf(init) * mpf(alpha), n, power
    ),
    "piecewise_interpolate_schedule": interpolated,
    "linear_onecycle_schedule": lambda s, n, peak, start, final, div, last: one_cycle(
        s, "linear", n, peak, final, start, div, last
    ),
    "cosine_onecycle_schedule": lambda s, n, peak, start, div, last: one_cycle(
        s, "cosine", n, peak, None, start, div, last
    ),
    "warmup_constant_schedule": lambda s, init, peak, warmup: transition(s, init, peak, warmup),
    "warmup_cosine_decay_schedule": warmup_cosine,
    "warmup_exponential_decay_schedule": lambda s, init, peak, warmup, *decay: with_warmup(
        s, init, peak, warmup, lambda s: exponential(s, peak, *decay)
    ),
    "sgdr_schedule": sgdr,
}


def exact(name: str, *args: Any, **kwargs: Any) -> Curve:
    given = all_arguments(name, *args, **kwargs)
    return lambda s: EXACT[name](max(s, 0), *given)


def rates(rated: Rated, steps: Any = range(STEPS)) -> list[float]:
    """The learning rates at Python ints, in float64."""
    return [rated.peak_value * rated.schedule(step) for step in steps]


def inaccurate(
    values: list[float], curve: Curve, bits: int = 53, steps: Any = range(STEPS)
) -> list[tuple[int, float, float]]:
    """The steps at which a rate of `bits` bits of precision exceeds the tolerance, with that rate and the exact one."""
    unit = mpf(2) ** (1 - bits) * ULPS
    return [
        (step, rate, float(curve(step)))
        for step, rate in zip(steps, values, strict=True)
        if not abs(mpf(rate) - curve(step)) <= unit * abs(curve(step))
    ]


CYCLE = {"init_value": 1e-4, "peak_value": 3e-3, "warmup_steps": 3, "decay_steps": 12}
# Realistic arguments of each function. All schedules that end do so before STEPS.
EXAMPLES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "constant": ("constant_schedule", (3e-4,)),
    "constant 0": ("constant_schedule", (0.0,)),
    "linear": ("linear_schedule", (3e-4, 3e-5, 10)),
    "linear up": ("linear_schedule", (1e-7, 3e-4, 30)),
    "linear with a begin": ("linear_schedule", (3e-4, 0.0, 10, 5)),
    "polynomial 0.9": ("polynomial_schedule", (3e-4, 0.0, 0.9, 30)),
    "polynomial 2 up with a begin": ("polynomial_schedule", (1e-4, 3e-3, 2, 20, 7)),
    "piecewise constant": ("piecewise_constant_schedule", (0.1, {10: 0.1, 20: 0.5})),
    "piecewise constant up": ("piecewise_constant_schedule", (0.1, {30: 0.1, 10: 3.0, 0: 0.3})),
    "piecewise constant without boundaries": ("piecewise_constant_schedule", (0.1,)),
    "piecewise linear": ("piecewise_interpolate_schedule", ("linear", 0.1, {10: 3.0, 20: 0.1, 40: 0.0})),
    "piecewise linear with a boundary at 0": ("piecewise_interpolate_schedule", ("linear", 0.1, {20: 0.5, 0: 3.0})),
    "piecewise cosine": ("piecewise_interpolate_schedule", ("cosine", 0.1, {5: 3.0, 20: 0.1})),
    "exponential": ("exponential_decay", (0.1, 7, 0.3)),
    "exponential staircase": ("exponential_decay", (0.1, 7, 0.3, 5, True, 1e-3)),
    "exponential up": ("exponential_decay", (1e-4, 7, 3.0, 0, False, 3e-2)),
    "exponential from below its bound": ("exponential_decay", (1e-4, 7, 0.5, 0, False, 3e-2)),
    "cosine": ("cosine_decay_schedule", (3e-4, 40, 0.1)),
    "cosine 2": ("cosine_decay_schedule", (3e-4, 40, 0.0, 2.0)),
    "cosine up": ("cosine_decay_schedule", (3e-4, 40, 3.0)),
    "linear onecycle": ("linear_onecycle_schedule", (40, 3e-3)),
    "cosine onecycle": ("cosine_onecycle_schedule", (40, 3e-3)),
    "cosine onecycle down to the peak": ("cosine_onecycle_schedule", (40, 3e-3, 0.3, 0.5)),
    "warmup": ("warmup_constant_schedule", (0.0, 3e-4, 10)),
    "warmup, cosine": ("warmup_cosine_decay_schedule", (0.0, 3e-4, 10, 50, 3e-5)),
    "warmup down, cosine": ("warmup_cosine_decay_schedule", (3e-3, 3e-4, 10, 50, 0.0, 1.5)),
    "warmup, exponential": ("warmup_exponential_decay_schedule", (0.0, 3e-4, 10, 7, 0.3)),
    "warmup, exponential up": ("warmup_exponential_decay_schedule", (0.0, 3e-4, 10, 7, 2.0, 4, True, 1e-3)),
    "cycles": ("sgdr_schedule", ([CYCLE, {**CYCLE, "peak_value": 1e-3, "end_value": 1e-5}, CYCLE],)),
    "equal cycles": ("sgdr_schedule", ([CYCLE] * 5,)),
}
