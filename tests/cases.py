"""The case table: every public schedule, with typical and extreme parameters.

One line in `CATALOGUE` adds a new schedule to the entire test suite: the expression that builds it, the same curve
from tests/oracle.py, and the multiplier at every boundary, which must be hit with `==`. A schedule that never becomes
constant uses `_endless` and gives, in addition, the last step to sample.

Everything else is derived from the line: which steps to sample, accuracy on every backend, `jit`, `vmap`, gradients,
lowering, step dtypes, equality, pickling, serialization, plots, and the conformance vectors.
"""

import re
from dataclasses import dataclass, field
from functools import cache

from mpmath import mpf

import funcsched as fs
from tests import oracle


@dataclass(frozen=True)
class Case:
    text: str
    exact: oracle.Curve = field(compare=False)
    boundary_values: dict[int, float] = field(compare=False)  # the multiplier at boundaries and past the end
    end: int | None = field(default=None, compare=False)  # the value is constant from here; default: last boundary
    endless: bool = field(default=False, compare=False)  # never constant: `end` is the last step to sample
    ulps: float = field(default=4, compare=False)  # more where schedules with 4 ulp each are multiplied
    scale: float | None = field(default=None, compare=False)  # errors are in ulps of this where values are smaller

    @property
    def horizon(self) -> int:
        return max(self.boundary_values) if self.end is None else self.end

    @property
    def crossing_scale(self) -> float | None:
        """`scale` if the curve has negative values: near 0, errors are relative to the larger level."""
        return self.scale if min(self.boundary_values.values(), default=0) < 0 else None

    @property
    def schedule(self) -> fs.Schedule:
        schedule: fs.Schedule = eval(self.text, vars(fs))
        return schedule

    def __str__(self) -> str:
        return self.text.replace(" ", "")


def _warmup_decay(name: str, warmup: int, total: int, *, start: float = 0.0, end: float = 0.0, **cycles: float) -> Case:
    keywords = {"start": start, "end": end, **cycles}
    arguments = ", ".join([str(warmup), str(total), *(f"{key}={value!r}" for key, value in keywords.items())])
    first = start if warmup else 1.0
    values = {-1: first, 0: first}
    if warmup < total:
        values[warmup] = 1.0
    if not cycles or name != "warmup_cosine":  # with `cycles`, warmup_cosine may end at any value
        values |= {total: end, total + 1: end, 2 * total + 7: end}
    return Case(f"{name}({arguments})", getattr(oracle, name)(warmup, total, start, end, **cycles), values, total)


def _ramp(
    start: float, stop: float, steps: int, shape: str = "linear", curve: oracle.Shape = oracle.linear, ulps: float = 4
) -> Case:
    text = f"ramp({start!r}, {stop!r}, steps={steps}, shape={shape})"
    values = {-1: start, 0: start, steps: stop, steps + 1: stop} if steps else {-1: stop, 0: stop, 1: stop}
    crosses_zero = min(start, stop) < 0 < max(start, stop)
    scale = max(abs(start), abs(stop)) if crosses_zero else None
    return Case(text, oracle.ramp(start, stop, steps, curve), values, ulps=ulps, scale=scale)


WARMUP_AND_TOTAL = [
    (0, 1),
    (1, 1),
    (1, 2),
    (0, 10),
    (10, 10),
    (3, 7),
    (10, 100),
    (1000, 100_000),
    (777, 1_234_567),
    (0, 2**24),
    (2**24 - 3, 2**24 + 5),
    (123_457, 33_333_333),
    (12_345_678, 10**9),
    (10, 999_999_937),
]
NEGATIVE = [(-1.0, -6.0), (-0.7, -0.3), (0.0, -0.5), (-0.1, 0.0), (-1.0, 1.0), (2.0, -0.3), (-1.0, 1e-8)]
START_AND_END = [(0.0, 0.0), (0.1, 0.1), (0.0, 1e-3), (0.3, 0.7), (1.0, 0.0), (0.5, 2.0), (1e-30, 1e-8)]


def _shape(text: str, curve: oracle.Shape, *steps: int, ulps: float = 4) -> list[Case]:
    """A ramp up, down, and down to a tenth, for each number of steps."""
    start_and_stop = (0.0, 1.0), (1.0, 0.0), (1.0, 0.1)
    return [_ramp(start, stop, n, text, curve, ulps) for n in steps for start, stop in start_and_stop]


def _endless(text: str, curve: oracle.Curve, boundary_values: dict[int, float], last_step: int) -> Case:
    return Case(text, curve, boundary_values, last_step, endless=True)


CATALOGUE = [
    # Shapes.
    *_shape("sqrt", oracle.sqrt, 100, 10**9),
    *_shape("rex", oracle.rex, 100, 10**9),
    _ramp(0.0, 1.0, 10**9, "rational(0.9)", oracle.rational(0.9)),
    _ramp(1.0, 0.1, 100, "rational(0.9)", oracle.rational(0.9)),
    _ramp(1.0, 0.0, 10**9, "mirror_cosine", oracle.mirror_cosine),
    _ramp(-0.5, 1.0, 100, "mirror_cosine", oracle.mirror_cosine),
    _ramp(1.0, 0.1, 10**9, "truncated_cosine(0.4375)", oracle.truncated_cosine(0.4375), ulps=5),
    _ramp(1.0, 0.0, 100, "truncated_cosine(0.9)", oracle.truncated_cosine(0.9), ulps=5),
    *_shape("sine", oracle.sine, 100, 10**9),
    *_shape("log", oracle.log(100), 100),
    *_shape("log", oracle.log(10**9), 10**9),
    *(case for r in (1e-8, 0.01, 0.5, 0.999, 30.0) for case in _shape(f"exponential({r})", oracle.exponential(r), 100)),
    *_shape("exponential(0.01)", oracle.exponential(0.01), 10**9),
    *(
        case
        for low, high in [(-7.0, 3.0), (-3.0, 3.0), (0.5, 2.25), (-0.1, 0.2)]
        for case in _shape(f"tanh({low}, {high})", oracle.tanh(low, high), 100)
    ),
    *_shape("tanh(-7.0, 3.0)", oracle.tanh(-7, 3), 10**9),
    *(
        case
        for p in (0.5, 0.9, 2.0, 3.0)
        for case in _shape(f"reverse(power({p}))", oracle.reverse(oracle.power(p)), 1000)
    ),
    *_shape("reverse(exponential(0.1))", oracle.reverse(oracle.exponential(0.1)), 100),
    *_shape("compose(cosine, power(2.0))", oracle.compose(oracle.cosine, oracle.power(2.0)), 100, ulps=8),
    *_shape(
        "reverse(compose(power(2.0), cosine))",
        oracle.reverse(oracle.compose(oracle.power(2.0), oracle.cosine)),
        100,
        ulps=8,
    ),
    # Decays.
    *(
        _endless(f"inverse_power({t}, {p})", oracle.inverse_power(t, p), {-1: 1.0, 0: 1.0}, 10**6)
        for t in (1, 100, 10**9)
        for p in (0.3, 0.5, 1.0, 2.5)
    ),
    _endless("inverse_power(100, 2.5, end=0.1)", oracle.above(0.1, oracle.inverse_power(100, 2.5)), {0: 1.0}, 10**6),
    _endless("inverse_sqrt(1000)", oracle.inverse_power(1000, 0.5), {0: 1.0, 3000: 0.5}, 10**6),
    _endless("hypot_decay(1000, 0.25)", oracle.hypot_decay(1000, 0.25), {-1: 1.0, 0: 1.0}, 10**6),
    _endless("hypot_decay(100, 1.5)", oracle.hypot_decay(100, 1.5), {0: 1.0}, 10**6),
    _endless("saturating_exponential(100)", oracle.saturating_exponential(100), {-1: 0.0, 0: 0.0, 4000: 1.0}, 10**4),
    *(
        _endless(f"exponential_decay({r}, {n})", oracle.exponential_decay(r, n), {0: 1.0}, last)
        for r, n, last in [(0.9, 7, 5000), (0.5, 1, 100), (0.1, 1000, 30_000), (0.99999, 1, 10**6), (0.5, 10**8, 10**9)]
    ),
    Case("exponential_decay(0.5, 10, end=0.1)", oracle.exponential_decay(0.5, 10, end=0.1), {0: 1.0, 40: 0.1}),
    Case("exponential_decay(2.0, 10, end=100.0)", oracle.exponential_decay(2, 10, end=100), {0: 1.0, 70: 100.0}),
    *(
        _endless(f"exponential_decay({r}, {n}, staircase=True)", oracle.exponential_decay(r, n, True), values, last)
        for r, n, values, last in [
            (0.5, 10, {0: 1.0, 9: 1.0, 10: 0.5, 19: 0.5, 20: 0.25}, 500),
            (0.1, 7, {6: 1.0, 7: 0.1}, 200),
            (0.97, 3, {2: 1.0, 3: 0.97}, 5000),
        ]
    ),
    _endless("inverse_time(0.5, 10)", oracle.inverse_time(0.5, 10), {0: 1.0, 20: 0.5}, 10**6),
    _endless("inverse_time(1.0, 10, staircase=True)", oracle.inverse_time(1, 10, True), {9: 1.0, 10: 0.5}, 10**4),
    Case(
        "inverse_time(1.0, 10, end=-1)",
        oracle.above(-1, oracle.inverse_time(1, 10)),
        {0: 1.0, 10: 0.0, 30: -0.5},
        10**6,
        endless=True,
        scale=1.0,
    ),
    # Levels.
    Case(
        "piecewise_constant([10, 20, 30], levels=[0.5, 1.0, 0.25, 0.3])",
        oracle.levels([10, 20, 30], [0.5, 1.0, 0.25, 0.3]),
        {9: 0.5, 10: 1.0, 20: 0.25, 30: 0.3},
    ),
    Case(
        "piecewise_constant([10, 20, 30], factors=[0.1, 0.1, 0.5])",
        oracle.factors([10, 20, 30], [0.1, 0.1, 0.5]),
        {9: 1.0, 10: 0.1},
        30,
    ),
    Case(
        "piecewise_constant([5 * i + 5 for i in range(30)], levels=[1 / (i + 1) for i in range(31)])",
        oracle.levels([5 * i + 5 for i in range(30)], [1 / (i + 1) for i in range(31)]),
        {5 * i: 1 / (i + 1) for i in range(31)},
    ),
    Case("multistep([30, 60, 10**9])", oracle.factors([30, 60, 10**9], [0.1] * 3), {29: 1.0, 30: 0.1}, 10**9),
    _endless("step_decay(30)", oracle.exponential_decay(0.1, 30, True), {29: 1.0, 30: 0.1}, 900),
    Case("table([0.5, 1.0, 0.25, 0.3])", oracle.table([0.5, 1.0, 0.25, 0.3]), {0: 0.5, 1: 1.0, 2: 0.25, 3: 0.3}),
    Case(
        "tabulate(lambda step: 1 / (1 + step), 50)",
        oracle.table([1 / (1 + i) for i in range(51)]),
        {0: 1.0, 50: 1 / 51},
    ),
    # Combinators.
    Case(
        "interpolate([3, 7, 50], [0.25, 1.0, 0.5], shape=[linear, cosine])",
        oracle.interpolate([3, 7, 50], [0.25, 1.0, 0.5], [oracle.linear, oracle.cosine]),
        {0: 0.25, 3: 0.25, 7: 1.0, 50: 0.5},
    ),
    Case(
        "interpolate([10 * i for i in range(12)], [(7 * i % 5) / 4 for i in range(12)])",
        oracle.interpolate([10 * i for i in range(12)], [(7 * i % 5) / 4 for i in range(12)], [oracle.linear] * 11),
        {10 * i: (7 * i % 5) / 4 for i in range(12)},
    ),
    Case(
        "interpolate([3, 10, 20, 50, 60, 90, 100], [0, 0.25, 1, 1, 0.5, 0.25, 0], smooth=True)",
        oracle.pchip([3, 10, 20, 50, 60, 90, 100], [0, 0.25, 1, 1, 0.5, 0.25, 0]),
        {0: 0.0, 3: 0.0, 10: 0.25, 20: 1.0, 50: 1.0, 60: 0.5, 90: 0.25, 100: 0.0},
        ulps=8,
    ),
    Case(
        "blend(inverse_sqrt(100), ramp(1.0, 0.0, steps=400), ramp(-1.0, 1.0, steps=400, shape=cosine))",
        oracle.blend(oracle.inverse_power(100, 0.5), oracle.ramp(1, 0, 400), oracle.ramp(-1, 1, 400, oracle.cosine)),
        {0: 1.0, 400: 0.0},
        ulps=8,
        scale=1.0,
    ),
    Case(
        "warm_into(ramp(1.0, 0.0, steps=100), 50, start=0.1, shape=cosine)",
        oracle.warm_into(oracle.ramp(1, 0, 100), 50, 0.1, oracle.cosine),
        {0: 0.1, 50: 0.5, 100: 0.0},
    ),
    Case(
        "product(warmup_linear(10, 100), ramp(1.0, 0.5, steps=50), 0.5)",
        oracle.product(oracle.warmup_linear(10, 100), oracle.ramp(1, 0.5, 50), oracle.constant(0.5)),
        {0: 0.0, 100: 0.0},
        ulps=8,
    ),
    Case(
        "add(0.25, scale(warmup_cosine(10, 100), 0.75))",
        oracle.add(oracle.constant(0.25), oracle.scale(oracle.warmup_cosine(10, 100), 0.75)),
        {0: 0.25, 10: 1.0, 100: 0.25},
    ),
    Case(
        "maximum(warmup_cosine(10, 100), 0.1)",
        oracle.maximum(oracle.warmup_cosine(10, 100), oracle.constant(0.1)),
        {0: 0.1, 10: 1.0, 100: 0.1},
    ),
    Case(
        "minimum(warmup_linear(10, 100), 0.5)",
        oracle.minimum(oracle.warmup_linear(10, 100), oracle.constant(0.5)),
        {0: 0.0, 5: 0.5, 100: 0.0},
    ),
    Case(
        "then(warmup_inverse_sqrt(100), 400, 0.1, steps=100, shape=sqrt)",
        oracle.then(
            oracle.join([oracle.ramp(0, 1, 100), oracle.inverse_power(100, 0.5)], [100]), 400, 0.1, 100, oracle.sqrt
        ),
        {0: 0.0, 100: 1.0, 400: 0.5, 500: 0.1},
    ),
    # Other units. An epoch of 50,000 samples has 391 updates of 128.
    Case(
        "staircase(warmup_cosine(5, 90), 391)",
        oracle.staircase(oracle.warmup_cosine(5, 90), 391),
        {1955: 1.0, 35190: 0.0},
    ),
    Case(
        "count_by(warmup_cosine(960, 20_800, end=0.1), [16, 32, 96], [50, 75])",
        oracle.count_by(oracle.warmup_cosine(960, 20_800, 0.0, 0.1), [16, 32, 96], [50, 75]),
        {0: 0.0, 55: 1.0, 275: 0.1},
    ),
    _endless(
        "count_by(step_decay(30), 128, per=50_000, epoch=50_000)",
        oracle.count_by_epochs(oracle.exponential_decay(0.1, 30, True), 128, 50_000, 50_000),
        {11_729: 1.0, 11_730: 0.1},
        60_000,
    ),
    Case(
        "count_by(warmup_linear(1, 4, end=0.25), 3, per=7, epoch=10)",
        oracle.count_by_epochs(oracle.warmup_linear(1, 4, 0.0, 0.25), 3, 7, 10),
        {0: 0.0, 11: 0.25},
    ),
    # Rescaled and repeated steps.
    *(
        Case(
            f"stretch(warmup_cosine(10, 100, end=0.1), {f})",
            oracle.stretch(oracle.warmup_cosine(10, 100, 0.0, 0.1), f),
            {0: 0.0, round(10 * f): 1.0, round(100 * f): 0.1},
        )
        for f in (2, 1.5, 0.1, 12_345_678)
    ),
    _endless("stretch(inverse_sqrt(100), 2.5)", oracle.inverse_power(250, 0.5), {0: 1.0, 750: 0.5}, 10**5),
    _endless(
        "repeat(ramp(1.0, 0.0, steps=10, shape=cosine), 10)",
        oracle.repeat(oracle.ramp(1, 0, 10, oracle.cosine), 10),
        {0: 1.0, 10: 1.0, 990: 1.0, 10**9: 1.0},
        10**6,
    ),
    Case(
        "repeat(warmup_linear(3, 10, end=0.1), 10, 5, level_factor=0.5)",
        oracle.repeat(oracle.warmup_linear(3, 10, 0, 0.1), 10, 5, 1, 0.5),
        {0: 0.0, 3: 1.0, 13: 0.5, 23: 0.25, 50: 0.00625},
    ),
    Case(
        "repeat(ramp(1.0, 0.0, steps=10, shape=cosine), 10, 4, 2, 0.5)",
        oracle.repeat(oracle.ramp(1, 0, 10, oracle.cosine), 10, 4, 2, 0.5),
        {0: 1.0, 10: 0.5, 30: 0.25, 70: 0.125, 150: 0.0},
    ),
    _endless(
        "repeat(warmup_cosine(2, 10), 10, period_factor=10)",
        oracle.repeat(oracle.warmup_cosine(2, 10), 10, None, 10),
        {0: 0.0, 2: 1.0, 10: 0.0, 30: 1.0, 110: 0.0, 111_111_110: 0.0},
        111_111_110,
    ),
    Case(
        "repeat(ramp(1.0, 0.1, steps=10, shape=cosine), 10, 5, 1.5)",
        oracle.repeat(oracle.ramp(1, 0.1, 10, oracle.cosine), 10, 5, 1.5),
        {0: 1.0, 10: 1.0, 25: 1.0, 132: 0.1},
        ulps=8,
        scale=1.0,
    ),
    # A schedule that is longer than the period, and one with many levels.
    Case(
        "repeat(ramp(1.0, 0.0, steps=100), 10, 2, 2)",
        oracle.repeat(oracle.ramp(1, 0, 100), 10, 2, 2),
        {0: 1.0, 10: 1.0, 30: 0.9},
    ),
    Case(
        "repeat(piecewise_constant([1, 2, 3, 4, 5], levels=[i / 8 for i in range(6)]), 4, 5, 2)",
        oracle.repeat(oracle.levels([1, 2, 3, 4, 5], [i / 8 for i in range(6)]), 4, 5, 2),
        {0: 0.0, 1: 0.125, 4: 0.0, 6: 0.125, 124: 0.5},
    ),
    Case("piecewise_constant([0], levels=[0.5, 1.0])", oracle.levels([0], [0.5, 1.0]), {-1: 1.0, 0: 1.0}),
    Case(
        "join([tri_stage(1, 2, 5), warmup_exponential(1, 2, 0.5), step_decay(3),"
        " warmup_stable_decay(1, 1, 1, cycles=2), cosine_restarts(5, level_factor=0.5)], [7, 12, 18, 24])",
        oracle.join(
            [
                oracle.phases(0.01, (1, 1, oracle.linear), (2, 1, oracle.linear), (5, 0.01, oracle.exponential(0.01))),
                oracle.join([oracle.ramp(0, 1, 1), oracle.exponential_decay(0.5, 2)], [1]),
                oracle.exponential_decay(0.1, 3, True),
                oracle.join(
                    [
                        oracle.ramp(0, 1, 1),
                        oracle.repeat(oracle.phases(1, (1, 1, oracle.linear), (1, 0, oracle.linear)), 2, 2),
                    ],
                    [1],
                ),
                oracle.repeat(oracle.ramp(1, 0, 5, oracle.cosine), 5, None, 1, 0.5),
            ],
            [7, 12, 18, 24],
        ),
        {0: 0.01, 1: 1.0, 7: 0.0, 12: 1.0, 18: 0.0, 24: 1.0},
        60,
        endless=True,
    ),
    # Recipes.
    *(
        Case(
            f"warmup_polynomial(10, {n}, end=0.1, exponent={p})",
            oracle.phases(0.0, (10, 1.0, oracle.linear), (n - 10, 0.1, oracle.reverse(oracle.power(p)))),
            {0: 0.0, 10: 1.0, n: 0.1},
        )
        for n, p in [(100, 1.0), (100, 2.0), (10**9, 0.5)]
    ),
    *(
        Case(
            f"warmup_half_cosine(10, {n}, end=0.1)",
            oracle.phases(0.0, (10, 1.0, oracle.linear), (n - 10, 0.1, oracle.sine)),
            {0: 0.0, 10: 1.0, n: 0.1},
        )
        for n in (100, 10**9)
    ),
    Case(
        "warmup_cosine_linear(10, 100, 20)",
        oracle.then(oracle.warmup_cosine(10, 100, 0.0, 0.1), 80, 0.0, 20),
        {0: 0.0, 10: 1.0, 100: 0.0},
        ulps=8,
    ),
    _endless(
        "warmup_inverse_sqrt(100)",
        oracle.join([oracle.ramp(0, 1, 100), oracle.inverse_power(100, 0.5)], [100]),
        {0: 0.0, 100: 1.0, 400: 0.5},
        10**6,
    ),
    Case(
        "warmup_cosine(10, 100, end=0.1, warmup_offset=1)",
        oracle.join([oracle.shift(oracle.ramp(0, 1, 10), 1), oracle.ramp(1, 0.1, 90, oracle.cosine)], [10]),
        {0: 0.1, 9: 1.0, 10: 1.0, 100: 0.1},
    ),
    _endless(
        "warmup_inverse_sqrt(100, start=0.5, end=0.1, warmup_offset=60)",
        oracle.join(
            [oracle.shift(oracle.ramp(0.5, 1, 100), 60), oracle.above(0.1, oracle.inverse_power(100, 0.5))], [100]
        ),
        {0: 0.8, 40: 1.0, 100: 1.0},
        10**6,
    ),
    _endless(
        "warmup_inverse_sqrt(10, timescale=1000, shift=50)",
        oracle.join([oracle.ramp(0, 1, 10), oracle.shift(oracle.inverse_power(1000, 0.5), 50)], [10]),
        {0: 0.0, 2960: 0.5},
        10**6,
    ),
    _endless(
        "noam(512, 4000)",
        oracle.scale(
            oracle.shift(oracle.join([oracle.ramp(0, 1, 4000), oracle.inverse_power(4000, 0.5)], [4000]), 1),
            (512 * 4000) ** -0.5,
        ),
        {3999: (512 * 4000) ** -0.5},
        10**6,
    ),
    Case(
        "warmup_stable_decay(10, 70, 20, end=0.1, decay_shape=sqrt)",
        oracle.phases(0.0, (10, 1.0, oracle.linear), (70, 1.0, oracle.linear), (20, 0.1, oracle.sqrt)),
        {0: 0.0, 10: 1.0, 80: 1.0, 100: 0.1},
    ),
    Case(
        "warmup_stable_decay(5, 30, 10, warmup_shape=cosine, decay_shape=exponential(0.5), cycles=3)",
        oracle.join(
            [
                oracle.ramp(0, 1, 5, oracle.cosine),
                oracle.repeat(oracle.phases(1.0, (30, 1.0, oracle.linear), (10, 0.0, oracle.exponential(0.5))), 40, 3),
            ],
            [5],
        ),
        {0: 0.0, 5: 1.0, 35: 1.0, 45: 1.0, 85: 1.0, 125: 0.0},
    ),
    Case("warmup_stable_decay(0, 5, 0)", oracle.levels([5], [1.0, 0.0]), {0: 1.0, 4: 1.0, 5: 0.0}),
    _endless(
        "warmup_exponential(10, 100, 0.5)",
        oracle.join([oracle.ramp(0, 1, 10), oracle.exponential_decay(0.5, 100)], [10]),
        {0: 0.0, 10: 1.0},
        5000,
    ),
    Case(
        "cosine_restarts(20, times=3, period_factor=2, level_factor=0.5, warmup_steps=4, start=0.05, end=0.1)",
        oracle.add(
            oracle.repeat(oracle.phases(0.0, (4, 1.0, oracle.linear), (16, 0.0, oracle.cosine)), 20, 3, 2, 0.5),
            oracle.repeat(oracle.phases(0.05, (4, 0.0, oracle.linear), (16, 0.1, oracle.cosine)), 20, 3, 2),
        ),
        {0: 0.05, 4: 1.0, 20: 0.05, 28: 0.5, 60: 0.05, 76: 0.25, 140: 0.1},
    ),
    _endless(
        "cosine_restarts(50, end=0.1)",
        oracle.repeat(oracle.ramp(1, 0.1, 50, oracle.cosine), 50),
        {0: 1.0, 50: 1.0},
        10**6,
    ),
    Case(
        "one_cycle(30, 100)",
        oracle.phases(0.04, (30, 1.0, oracle.cosine), (70, 4e-6, oracle.cosine)),
        {0: 0.04, 30: 1.0, 100: 4e-6},
    ),
    Case(
        "one_cycle(30, 100, decay_steps=30, shape=linear)",
        oracle.phases(0.04, (30, 1.0, oracle.linear), (30, 0.04, oracle.linear), (40, 4e-6, oracle.linear)),
        {0: 0.04, 30: 1.0, 60: 0.04, 100: 4e-6},
    ),
    Case(
        "tri_stage(10, 40, 50)",
        oracle.phases(0.01, (10, 1.0, oracle.linear), (40, 1.0, oracle.linear), (50, 0.01, oracle.exponential(0.01))),
        {0: 0.01, 10: 1.0, 50: 1.0, 100: 0.01},
    ),
    Case("range_test(100, start=1e-4)", oracle.ramp(1e-4, 1.0, 100, oracle.exponential(1e4)), {0: 1e-4, 100: 1.0}),
    _endless(
        "power_law(100)",
        oracle.join([oracle.ramp(0, 1, 100), oracle.inverse_power(100, 0.51)], [100]),
        {0: 0.0, 100: 1.0},
        10**6,
    ),
    *(
        _endless(
            f"cyclic(10, 20, start=0.25, mode={mode!r}{rate})",
            oracle.add(
                oracle.constant(0.25),
                oracle.scale(
                    oracle.product(
                        oracle.repeat(
                            oracle.phases(0.0, (10, 1.0, oracle.linear), (20, 0.0, oracle.linear)), 30, None, 1, level
                        ),
                        oracle.exponential_decay(decay, 1),
                    ),
                    0.75,
                ),
            ),
            {0: 0.25, 30: 0.25, 60: 0.25} | ({10: 1.0} if decay == 1 else {}),
            600,
        )
        for mode, rate, level, decay in [
            ("triangular", "", 1.0, 1.0),
            ("triangular2", "", 0.5, 1.0),
            ("exp_range", ", rate=0.99", 1.0, 0.99),
        ]
    ),
]

# The catalogue, and many parameters of the basic schedules.
CASES = [
    Case("constant()", oracle.constant(1.0), {0: 1.0, 10: 1.0}),
    Case("constant(0.3)", oracle.constant(0.3), {-1: 0.3, 0: 0.3, 10: 0.3}),
    *(
        Case(f"warmup_constant({w}, start={s!r})", oracle.warmup_constant(w, s), {0: s if w else 1.0, w: 1.0})
        for w, s in [(0, 0.0), (1, 0.0), (7, 0.1), (1000, 0.0), (2**24 + 1, 0.3), (10**9, 0.0), (10, 1.0), (10, 2.0)]
    ),
    *(_warmup_decay("warmup_linear", w, t) for w, t in WARMUP_AND_TOTAL),
    *(_warmup_decay("warmup_cosine", w, t) for w, t in WARMUP_AND_TOTAL),
    *(
        _warmup_decay("warmup_linear", w, t, start=s, end=e)
        for w, t, ends in [(10, 100, START_AND_END), (999, 10**9, START_AND_END[1:5])]
        for s, e in ends
    ),
    *(
        _warmup_decay("warmup_cosine", w, t, start=s, end=e)
        for w, t, ends in [(10, 100, START_AND_END), (999, 10**9, START_AND_END[1:5])]
        for s, e in ends
    ),
    *(
        _warmup_decay("warmup_cosine", w, t, end=e, cycles=c)
        for w, t, e in [(10, 100, 0.1), (5, 1_234_567, 0.0), (0, 10**9, 0.0)]
        for c in (0.25, 0.75, 1.0, 1.5, 3.5)
    ),
    *(_warmup_decay("warmup_cosine", 3, 1000, cycles=c) for c in (0.4, 0.7, 1 / 3, 0.7071, 1.2345, 123.456)),
    *(
        _warmup_decay("warmup_cosine_restarts", w, t, end=e, cycles=c)
        for w, t, e in [(0, 1, 0.0), (10, 10, 0.1), (10, 100, 0.1), (5, 1_234_567, 0.0), (0, 10**9, 0.0)]
        for c in (1, 2, 3, 7)
    ),
    *(_ramp(a, b, n) for a, b in START_AND_END for n in (7, 10**9)),
    _ramp(0.0, 1.0, 1),
    _ramp(0.1, 0.0, 1000),
    *(_ramp(a, b, 999, "cosine", oracle.cosine) for a, b in START_AND_END),
    *(
        _ramp(a, b, n, f"power({p!r})", oracle.power(p))
        for a, b, n in [(0.0, 1.0, 1000), (1.0, 0.0, 1000), (1.0, 0.0, 10**9), (0.0, 0.1, 10**9), (1.0, 0.1, 1)]
        for p in (0.5, 0.9, 1.5, 2.0, 7.3, 8.0)
    ),
    _ramp(0.5, 0.25, 0),
    *(_ramp(a, b, 10**9, "cosine", oracle.cosine) for a, b in NEGATIVE),
    *(
        _ramp(a, b, n, shape, curve)
        for a, b in ((-1.0, -6.0), (2.0, -0.3))
        for n, shape, curve in [
            (7, "linear", oracle.linear),
            (100, "sqrt", oracle.sqrt),
            (100, "sine", oracle.sine),
            (100, "exponential(30.0)", oracle.exponential(30.0)),
        ]
    ),
    Case(
        "warmup_cosine(10, 100, end=-1, cycles=0.75)",
        oracle.warmup_cosine(10, 100, 0.0, -1.0, 0.75),
        {0: 0.0, 10: 1.0, 70: -1.0},
        100,
        scale=1.0,
    ),
    Case(
        "warmup_cosine_restarts(10, 100, end=-1, cycles=3)",
        oracle.warmup_cosine_restarts(10, 100, 0.0, -1.0, 3),
        {0: 0.0, 10: 1.0, 40: 1.0, 70: 1.0, 100: -1.0},
        scale=1.0,
    ),
    Case("ramp(-1.0, 2.0, steps=100)", oracle.ramp(-1.0, 2.0, 100), {-1: -1.0, 0: -1.0, 100: 2.0}, scale=2.0),
    Case(
        "warmup_cosine(10, 100, end=-3)",
        oracle.warmup_cosine(10, 100, 0.0, -3.0),
        {0: 0.0, 10: 1.0, 100: -3.0},
        scale=3.0,
    ),
    Case(
        "join([ramp(1 - i, i / 8 - 1, steps=9, shape=[linear, sine][i % 2]) for i in range(9)],"
        " [10 * i + 1 for i in range(8)])",
        oracle.join(
            [oracle.ramp(1 - i, i / 8 - 1, 9, [oracle.linear, oracle.sine][i % 2]) for i in range(9)],
            [10 * i + 1 for i in range(8)],
        ),
        {0: 1.0} | {10 * i + 1: -i for i in range(8)} | {80: 0.0},
        scale=8.0,
    ),
    Case(
        "interpolate([0, 20, 60, 100, 140, 200], [-6, -1, 1, 0, -0.5, -0.25], shape=cosine)",
        oracle.interpolate([0, 20, 60, 100, 140, 200], [-6, -1, 1, 0, -0.5, -0.25], [oracle.cosine] * 5),
        {0: -6.0, 20: -1.0, 60: 1.0, 100: 0.0, 140: -0.5, 200: -0.25},
        scale=6.0,
    ),
    Case(
        "then(constant(0.5), 20, -2, steps=80)",
        oracle.join([oracle.constant(0.5), oracle.ramp(0.5, -2.0, 80)], [20]),
        {0: 0.5, 20: 0.5, 100: -2.0},
        scale=2.0,
    ),
    Case(
        "piecewise_constant([10, 20, 30, 40, 50, 60], levels=[-3, 1, -0.5, 0, 0.1, -7, -1])",
        oracle.levels([10, 20, 30, 40, 50, 60], [-3, 1, -0.5, 0, 0.1, -7, -1]),
        {0: -3.0, 10: 1.0, 20: -0.5, 30: 0.0, 40: 0.1, 50: -7.0, 60: -1.0},
    ),
    Case("table([-1, 0.5, -2])", oracle.table([-1, 0.5, -2]), {0: -1.0, 1: 0.5, 2: -2.0}),
    Case(
        "scale(add(warmup_linear(10, 100), -0.25), -2)",
        oracle.scale(oracle.add(oracle.warmup_linear(10, 100), oracle.constant(-0.25)), -2),
        {0: 0.5, 10: -1.5, 100: 0.5},
        scale=1.5,
    ),
    Case(
        "lerp(add(warmup_linear(10, 100, end=-1), 0.5), -1, 3)",
        oracle.lerp(oracle.add(oracle.warmup_linear(10, 100, 0.0, -1.0), oracle.constant(0.5)), -1, 3),
        {0: 1.0, 5: 3.0, 10: 3.0, 100: -1.0},
        ulps=8,
        scale=3.0,
    ),
    Case(
        "join([ramp(0, 1, steps=5), constant(1), ramp(1, 0, steps=7, shape=cosine)], [5, 20])",
        oracle.join([oracle.ramp(0, 1, 5), oracle.constant(1), oracle.ramp(1, 0, 7, oracle.cosine)], [5, 20]),
        {0: 0.0, 5: 1.0, 20: 1.0, 27: 0.0},
    ),
    Case(
        "join([constant(i / 8) for i in range(9)], [10 * i + 1 for i in range(8)])",
        oracle.join([oracle.constant(i / 8) for i in range(9)], [10 * i + 1 for i in range(8)]),
        {0: 0.0} | {10 * i + 1: (i + 1) / 8 for i in range(8)},
    ),
    Case(
        "join([ramp(i / 8, 1, steps=9, shape=[linear, cosine][i % 2]) for i in range(9)],"
        " [10 * i + 1 for i in range(8)])",
        oracle.join(
            [oracle.ramp(i / 8, 1, 9, [oracle.linear, oracle.cosine][i % 2]) for i in range(9)],
            [10 * i + 1 for i in range(8)],
        ),
        {0: 0.0, 81: 1.0} | {10 * i + 1: (i + 1) / 8 for i in range(8)},
    ),
    Case(
        "join([warmup_cosine(i, 100 + i) for i in range(1, 7)], [10**8 * i for i in range(1, 6)])",
        oracle.join([oracle.warmup_cosine(i, 100 + i) for i in range(1, 7)], [10**8 * i for i in range(1, 6)]),
        {0: 0.0, 1: 1.0} | {10**8 * i: 0.0 for i in range(1, 6)} | {10**8 * 5 + 6: 1.0},
        10**8 * 5 + 106,
    ),
    Case("join([constant(0.5), warmup_linear(2, 9)], [0])", oracle.warmup_linear(2, 9), {-1: 0.0, 0: 0.0, 2: 1.0}, 9),
    Case(
        "scale(warmup_cosine(10, 100, end=0.1), 0.3)",
        oracle.scale(oracle.warmup_cosine(10, 100, 0.0, 0.1), 0.3),
        {0: 0.0, 10: 0.3},
        100,
    ),
    Case(
        "lerp(warmup_cosine(10, 100), 0.95, 0.85)",
        oracle.lerp(oracle.warmup_cosine(10, 100), 0.95, 0.85),
        {0: 0.95, 10: 0.85, 100: 0.95},
        ulps=8,
    ),
    Case(
        "lerp(scale(warmup_linear(10, 100, end=0.25), 2), 1.0, 0.0)",
        oracle.lerp(oracle.scale(oracle.warmup_linear(10, 100, 0.0, 0.25), 2), 1.0, 0.0),
        {0: 1.0, 10: 0.0, 100: 0.5},
        ulps=8,
        scale=1.0,
    ),
    Case("shift(warmup_linear(10, 100), 1)", oracle.shift(oracle.warmup_linear(10, 100), 1), {9: 1.0, 99: 0.0}),
    Case("shift(warmup_linear(10, 100), 10)", oracle.shift(oracle.warmup_linear(10, 100), 10), {-7: 1.0, 0: 1.0}, 90),
    Case(
        "shift(join([warmup_cosine(10, 100), warmup_linear(1, 10**9)], [100]), 50)",
        oracle.shift(oracle.join([oracle.warmup_cosine(10, 100), oracle.warmup_linear(1, 10**9)], [100]), 50),
        {50: 0.0, 51: 1.0, 10**9 + 50: 0.0},
    ),
    *CATALOGUE,
]


# The first case of each expression, ignoring its numbers: for tests that take up to a second per schedule.
ONE_OF_EACH = list({re.sub(r"-?\d[\d_.e-]*", "", case.text): case for case in reversed(CASES)}.values())

# Horizons past 32 bits, as when steps count tokens.
LONG = [
    *(
        _ramp(a, b, n, shape, curve)
        for n in (10**10, 2**52)
        for a, b, shape, curve in [
            (1.0, 0.1, "linear", oracle.linear),
            (1.0, 0.0, "cosine", oracle.cosine),
            (0.0, 1.0, "cosine", oracle.cosine),
            (1.0, 0.0, "power(0.5)", oracle.power(0.5)),
            (1.0, 0.1, "exponential(0.1)", oracle.exponential(0.1)),
            (1.0, 0.0, "sqrt", oracle.sqrt),
            (0.0, 1.0, "tanh(-3.0, 3.0)", oracle.tanh(-3.0, 3.0)),
        ]
    ),
    _warmup_decay("warmup_cosine", 10**9, 10**10, end=0.1),
    _warmup_decay("warmup_linear", 2**51, 2**52),
    _ramp(0.0, 1.0, 10**6 + 3, "tanh(-30.0, 30.0)", oracle.tanh(-30.0, 30.0)),
    Case(
        "cyclic(2**32, 2**33)",
        oracle.repeat(oracle.phases(0.0, (2**32, 1.0, oracle.linear), (2**33, 0.0, oracle.linear)), 2**32 + 2**33),
        {0: 0.0, 2**32: 1.0, 2**32 + 2**33: 0.0, 2**33 + 2**33: 1.0},
        2**36,
        endless=True,
    ),
    _warmup_decay("warmup_linear", 2**31 + 1, 2**33),
    _warmup_decay("warmup_cosine", 10**10, 10**12 + 7, end=0.1),
    _warmup_decay("warmup_cosine", 0, 2**40, cycles=1.5),
    _warmup_decay("warmup_cosine_restarts", 10, 3 * 10**12, cycles=5),
    _ramp(1.0, 0.0, 2**45 + 1, "power(2.0)", oracle.power(2.0)),
    _endless("hypot_decay(2**40, 0.25)", oracle.hypot_decay(2**40, 0.25), {0: 1.0}, 2**44),
    _endless("saturating_exponential(2**40)", oracle.saturating_exponential(2**40), {0: 0.0}, 2**44),
    Case(
        "warmup_linear(2**40, 2**41, warmup_offset=1)",
        oracle.join([oracle.shift(oracle.ramp(0, 1, 2**40), 1), oracle.ramp(1, 0, 2**40)], [2**40]),
        {0: 2.0**-40, 2**40 - 1: 1.0, 2**40: 1.0, 2**41: 0.0},
    ),
    Case(
        "interpolate([0, 2**38, 2**39, 2**40], [0, 0.5, 1, 0], smooth=True)",
        oracle.pchip([0, 2**38, 2**39, 2**40], [0, 0.5, 1, 0]),
        {0: 0.0, 2**38: 0.5, 2**39: 1.0, 2**40: 0.0},
        ulps=8,
    ),
    # A ramp of the batch size whose second boundary is past 2**31 tokens.
    Case(
        "count_by(warmup_cosine(374_603_776, 261_128_192_000, end=0.1), [2**15, 2**20, 3 * 2**20], [1000, 10_000])",
        oracle.count_by(
            oracle.warmup_cosine(374_603_776, 261_128_192_000, 0.0, 0.1), [2**15, 2**20, 3 * 2**20], [1000, 10_000]
        ),
        {0: 0.0, 1326: 1.0, 90_000: 0.1},
    ),
    # The last cycle ends past 64 bits.
    _endless(
        "repeat(warmup_linear(3, 1000), 1000, 4, 1e6, 0.5)",
        oracle.repeat(oracle.warmup_linear(3, 1000), 1000, 4, 10**6, 0.5),
        {
            3: 1.0,
            10**3: 0.0,
            10**3 + 3 * 10**6: 0.5,
            10**3 + 10**9: 0.0,
            10**3 + 10**9 + 3 * 10**12: 0.25,
            10**3 + 10**9 + 10**15: 0.0,
            10**3 + 10**9 + 10**15 + 3 * 10**18: 0.125,
        },
        10**3 + 10**9 + 10**15 + 3 * 10**18,
    ),
]


@cache
def sampled_steps(case: Case) -> tuple[int, ...]:
    """Below 0, around every boundary, the last ten steps, between boundaries, past the end, and around 2**24."""
    steps = {-(2**31) + 1, -100, -1, 0, 1, 2, 3, 2**24 - 1, 2**24, 2**24 + 1, 2**31 - 1}
    boundaries = sorted({step for step in case.boundary_values if step >= 0} | {case.horizon})
    for boundary in boundaries:
        steps |= {boundary + offset for offset in range(-10, 11)}
    # Multiples of the golden ratio are spread evenly between two boundaries.
    for low, high in zip([0, *boundaries], boundaries, strict=False):
        steps |= {low + int((high - low) * (0.6180339887498949 * k % 1)) for k in range(1, 25)}
    if case.endless:
        steps.discard(2**31 - 1)  # rounds to 2**31 as a float32, which JAX without x64 cannot count to
    limit = 2**31 if max(boundaries) < 2**31 else 2**62
    return tuple(sorted(step for step in steps if step < limit))


@cache
def exact_value(case: Case, step: int | float) -> mpf:
    return case.exact(step)
