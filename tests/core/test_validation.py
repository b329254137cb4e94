"""Invalid arguments raise at construction; the message names the function, argument, constraint and value."""

import math
import re

import numpy as np
import pytest

import funcsched as fs
from bridges.rated import Rated

COUNT = "an integer from 0 to 2**53"
LEVEL = "a number from -1.7e38 to 1.7e38"
NONNEGATIVE = "a number from 0 to 1.7e38"
POSITIVE = "a finite number above 0"
EXPONENT = "a number above 0 and at most 1000"
CYCLES = "an integer from 1 to 1000000"
LENGTH = "an integer from 1 to 2**53"
RATIO = "a number from 1e-30 to 1e30"
RATIO_UP_TO_ONE = "a number from 1e-30 to 1"
TANH_BOUND = "a number from -40 to 40"
SHAPE = "a shape or a function of the fraction"
USE_SHAPE = "pass a shape such as fs.cosine; `funcsched list` shows all shapes"

NOT_NUMBERS = [True, "10", None, 3j, [1], math.sin, np.True_, np.array("a"), b"1"]
INVALID_COUNTS = [-1, 1.5, math.nan, math.inf, -math.inf, 2**53 + 1, 10**400, np.int64(-1), np.float32(0.5)]
INVALID_LENGTHS = [0, *INVALID_COUNTS]
INVALID_CYCLES = [0, -1, 1.5, math.nan, math.inf, 10**7]
INVALID_POSITIVE = [0, -1, -1e-9, math.nan, math.inf, -math.inf]
INVALID_EXPONENTS = [1001, *INVALID_POSITIVE]
INVALID_RATIOS = [0, -1, 1e-31, 1e31, math.nan, math.inf, 10**400]
INVALID_TANH_BOUNDS = [-41, 40.5, math.nan, -math.inf, 10**400]
INVALID_LEVELS = [math.nan, math.inf, -math.inf, 1e39, -1e39, 10**400, -(10**400), np.float64(-1e39)]
INVALID_NONNEGATIVE = [-1, -1e-9, np.float64(-1), *INVALID_LEVELS]

# Function, argument, call with a value of this argument, requirement, and values that violate it.
ARGUMENTS = [
    ("constant", "value", lambda v: fs.constant(v), LEVEL, INVALID_LEVELS),
    ("ramp", "start", lambda v: fs.ramp(v, 1.0, steps=3), LEVEL, INVALID_LEVELS),
    ("ramp", "stop", lambda v: fs.ramp(1.0, v, steps=3), LEVEL, INVALID_LEVELS),
    ("ramp", "steps", lambda v: fs.ramp(0.0, 1.0, steps=v), COUNT, INVALID_COUNTS),
    ("scale", "factor", lambda v: fs.scale(fs.constant(), v), LEVEL, INVALID_LEVELS),
    ("lerp", "start", lambda v: fs.lerp(fs.constant(), v, 1.0), LEVEL, INVALID_LEVELS),
    ("lerp", "stop", lambda v: fs.lerp(fs.constant(), 1.0, v), LEVEL, INVALID_LEVELS),
    ("shift", "steps", lambda v: fs.shift(fs.constant(), v), COUNT, INVALID_COUNTS),
    ("power", "exponent", lambda v: fs.power(v), EXPONENT, INVALID_EXPONENTS),
    ("join", "boundaries[0]", lambda v: fs.join([fs.constant(), fs.constant()], [v]), COUNT, INVALID_COUNTS),
    ("warmup_constant", "warmup_steps", lambda v: fs.warmup_constant(v), COUNT, INVALID_COUNTS),
    ("warmup_constant", "start", lambda v: fs.warmup_constant(3, start=v), LEVEL, INVALID_LEVELS),
    *(
        item
        for recipe in (fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts)
        for item in [
            (recipe.__name__, "warmup_steps", lambda v, r=recipe: r(v, 2**53), COUNT, INVALID_COUNTS),
            (recipe.__name__, "total_steps", lambda v, r=recipe: r(0, v), COUNT, INVALID_COUNTS),
            (recipe.__name__, "start", lambda v, r=recipe: r(1, 9, start=v), LEVEL, INVALID_LEVELS),
            (recipe.__name__, "end", lambda v, r=recipe: r(1, 9, end=v), LEVEL, INVALID_LEVELS),
        ]
    ),
    ("exponential", "ratio", lambda v: fs.exponential(v), RATIO, INVALID_RATIOS),
    ("tanh", "lower", lambda v: fs.tanh(v, 2), TANH_BOUND, INVALID_TANH_BOUNDS),
    ("tanh", "upper", lambda v: fs.tanh(-2, v), TANH_BOUND, INVALID_TANH_BOUNDS),
    ("inverse_power", "timescale", lambda v: fs.inverse_power(v, 1), LENGTH, INVALID_LENGTHS),
    ("inverse_power", "exponent", lambda v: fs.inverse_power(1, v), EXPONENT, INVALID_EXPONENTS),
    ("inverse_sqrt", "timescale", lambda v: fs.inverse_sqrt(v), LENGTH, INVALID_LENGTHS),
    ("inverse_sqrt", "end", lambda v: fs.inverse_sqrt(9, end=v), LEVEL, INVALID_LEVELS),
    ("inverse_power", "end", lambda v: fs.inverse_power(9, 1, end=v), LEVEL, INVALID_LEVELS),
    ("inverse_time", "end", lambda v: fs.inverse_time(1, end=v), LEVEL, INVALID_LEVELS),
    ("hypot_decay", "timescale", lambda v: fs.hypot_decay(v, 1), LENGTH, INVALID_LENGTHS),
    ("saturating_exponential", "timescale", lambda v: fs.saturating_exponential(v), LENGTH, INVALID_LENGTHS),
    ("truncated_cosine", "fraction", lambda v: fs.truncated_cosine(v), "a number from 0.001 to 1", [0, 1.1, math.nan]),
    ("warm_into", "steps", lambda v: fs.warm_into(fs.constant(), v), COUNT, INVALID_COUNTS),
    ("warm_into", "start", lambda v: fs.warm_into(fs.constant(), 5, start=v), LEVEL, INVALID_LEVELS),
    ("warmup_cosine", "warmup_offset", lambda v: fs.warmup_cosine(1, 9, warmup_offset=v), COUNT, INVALID_COUNTS),
    ("inverse_time", "rate", lambda v: fs.inverse_time(v), RATIO, INVALID_RATIOS),
    ("inverse_time", "steps", lambda v: fs.inverse_time(1, v), LENGTH, INVALID_LENGTHS),
    ("exponential_decay", "rate", lambda v: fs.exponential_decay(v), RATIO, INVALID_RATIOS),
    ("exponential_decay", "steps", lambda v: fs.exponential_decay(0.5, v), LENGTH, INVALID_LENGTHS),
    ("exponential_decay", "end", lambda v: fs.exponential_decay(0.5, end=v), NONNEGATIVE, INVALID_NONNEGATIVE),
    ("piecewise_constant", "boundaries[0]", lambda v: fs.piecewise_constant([v], levels=[1, 2]), COUNT, INVALID_COUNTS),
    ("piecewise_constant", "levels[1]", lambda v: fs.piecewise_constant([3], levels=[1, v]), LEVEL, INVALID_LEVELS),
    (
        "piecewise_constant",
        "factors[0]",
        lambda v: fs.piecewise_constant([3], factors=[v]),
        NONNEGATIVE,
        INVALID_NONNEGATIVE,
    ),
    ("interpolate", "boundaries[1]", lambda v: fs.interpolate([0, v], [1, 2]), COUNT, INVALID_COUNTS),
    ("interpolate", "levels[0]", lambda v: fs.interpolate([3], [v]), LEVEL, INVALID_LEVELS),
    ("table", "values[0]", lambda v: fs.table([v]), LEVEL, INVALID_LEVELS),
    ("repeat", "period", lambda v: fs.repeat(fs.constant(), v), LENGTH, INVALID_LENGTHS),
    ("stretch", "factor", lambda v: fs.stretch(fs.constant(), v), "a number from 1e-9 to 1e9", [0, -1, 1e10, math.nan]),
    ("repeat", "times", lambda v: fs.repeat(fs.constant(), 3, v), CYCLES, INVALID_CYCLES),
    ("then", "boundary", lambda v: fs.then(fs.constant(), v, steps=3), COUNT, INVALID_COUNTS),
    ("then", "stop", lambda v: fs.then(fs.constant(), 5, v, steps=3), LEVEL, INVALID_LEVELS),
    ("then", "steps", lambda v: fs.then(fs.constant(), 5, steps=v), COUNT, INVALID_COUNTS),
    ("tri_stage", "end", lambda v: fs.tri_stage(1, 2, 3, end=v), RATIO, INVALID_RATIOS),
    ("range_test", "start", lambda v: fs.range_test(9, start=v), RATIO, INVALID_RATIOS),
    ("noam", "d_model", lambda v: fs.noam(v, 10), LENGTH, INVALID_LENGTHS),
    ("noam", "warmup_steps", lambda v: fs.noam(10, v), LENGTH, INVALID_LENGTHS),
    ("step_decay", "period", lambda v: fs.step_decay(v), LENGTH, INVALID_LENGTHS),
    ("step_decay", "factor", lambda v: fs.step_decay(9, v), RATIO_UP_TO_ONE, [*INVALID_RATIOS, 1.5]),
    ("multistep", "boundaries[0]", lambda v: fs.multistep([v]), COUNT, INVALID_COUNTS),
    ("multistep", "factor", lambda v: fs.multistep([9], v), NONNEGATIVE, INVALID_NONNEGATIVE),
    ("cyclic", "up_steps", lambda v: fs.cyclic(v), LENGTH, INVALID_LENGTHS),
    ("cyclic", "start", lambda v: fs.cyclic(9, start=v), "a number from 0 to 1", [-1, 1.1, math.nan]),
    ("cosine_restarts", "period", lambda v: fs.cosine_restarts(v), LENGTH, INVALID_LENGTHS),
    ("warmup_inverse_sqrt", "timescale", lambda v: fs.warmup_inverse_sqrt(9, timescale=v), LENGTH, INVALID_LENGTHS),
    ("warmup_exponential", "rate", lambda v: fs.warmup_exponential(1, 2, v), RATIO_UP_TO_ONE, [*INVALID_RATIOS, 2]),
    (
        "warmup_cosine_linear",
        "cosine_end",
        lambda v: fs.warmup_cosine_linear(1, 9, 3, cosine_end=v),
        LEVEL,
        INVALID_LEVELS,
    ),
    *(
        (recipe.__name__, argument, build, COUNT, INVALID_COUNTS)
        for recipe in (fs.warmup_stable_decay, fs.tri_stage)
        for argument, build in [
            ("warmup_steps", lambda v, r=recipe: r(v, 1, 1)),
            ("stable_steps", lambda v, r=recipe: r(1, v, 1)),
            ("decay_steps", lambda v, r=recipe: r(1, 1, v)),
        ]
    ),
    *(
        (recipe.__name__, "end", lambda v, r=recipe: r(1, 9, end=v), LEVEL, INVALID_LEVELS)
        for recipe in (fs.warmup_polynomial, fs.warmup_half_cosine, fs.one_cycle)
    ),
    ("warmup_cosine", "cycles", lambda v: fs.warmup_cosine(1, 9, cycles=v), POSITIVE, INVALID_POSITIVE),
    ("warmup_cosine_restarts", "cycles", lambda v: fs.warmup_cosine_restarts(1, 9, cycles=v), CYCLES, INVALID_CYCLES),
]


def displayed(value: object) -> str:
    """A value as the messages show it: NumPy scalars as Python numbers."""
    return repr(value.item() if isinstance(value, (np.generic, np.ndarray)) else value)


OPTIONAL = [("exponential_decay", "end"), ("repeat", "times"), ("warmup_inverse_sqrt", "timescale")]
WRONG_TYPES = [
    (function, argument, build, requirement, value)
    for function, argument, build, requirement, _ in ARGUMENTS
    for value in NOT_NUMBERS
    if not (value is None and (function, argument) in OPTIONAL)
]
WRONG_VALUES = [
    (function, argument, build, requirement, value)
    for function, argument, build, requirement, invalid in ARGUMENTS
    for value in invalid
]


@pytest.mark.parametrize(("function", "argument", "build", "requirement", "value"), WRONG_TYPES)
def test_a_wrong_type_raises_a_type_error(function, argument, build, requirement, value) -> None:
    with pytest.raises(TypeError) as error:
        build(value)
    assert str(error.value) == f"{function}: `{argument}` must be {requirement}, got {displayed(value)}"


@pytest.mark.parametrize(("function", "argument", "build", "requirement", "value"), WRONG_VALUES)
def test_a_number_out_of_range_raises_a_value_error(function, argument, build, requirement, value) -> None:
    with pytest.raises(ValueError) as error:
        build(value)
    assert str(error.value) == f"{function}: `{argument}` must be {requirement}, got {displayed(value)}"


@pytest.mark.parametrize(("function", "argument", "build", "requirement", "invalid"), ARGUMENTS)
def test_a_valid_value_is_accepted(function, argument, build, requirement, invalid) -> None:
    assert isinstance(build(1), (fs.Schedule, fs.Shape))
    assert isinstance(build(np.int16(1)), (fs.Schedule, fs.Shape))


MESSAGES = [
    (
        lambda: fs.warmup_cosine(0.05, 234),
        ValueError,
        f"warmup_cosine: `warmup_steps` must be {COUNT}, got 0.05; for a fraction of the run, pass "
        "round(0.05 * total_steps)",
    ),
    (
        lambda: fs.multistep([1, 2], 1e30),
        ValueError,
        "multistep: `factor` must be a number with factor**2 at most 1.7e38, got 1e+30",
    ),
    (
        lambda: fs.range_test(9, start=1e-30, end=1e30),
        ValueError,
        "range_test: `end` must be from 1e-30 to 1e30 times `start` (1e-30), got 1e+30",
    ),
    (
        lambda: fs.cosine_restarts(9, level_factor=2),
        ValueError,
        "cosine_restarts: `times` must be given if `level_factor` is above 1 (2.0), got None",
    ),
    (
        lambda: fs.cosine_restarts(9, period_factor=0.5),
        ValueError,
        "cosine_restarts: `period_factor` must be 1 or a number from 1.001 to 1e6, got 0.5",
    ),
    (
        lambda: fs.warmup_stable_decay(9, 0, 0, cycles=2),
        ValueError,
        "warmup_stable_decay: `cycles` must be 1 if `stable_steps` and `decay_steps` are 0, got 2",
    ),
    (
        lambda: fs.tabulate(lambda step: np.ones(2), 3),
        TypeError,
        "tabulate: `<lambda>(0)` must be a number from -1.7e38 to 1.7e38, got array([1., 1.])",
    ),
    (lambda: fs.tanh(2, 2), ValueError, "tanh: `lower` must be below `upper` (2.0), got 2.0"),
    (lambda: fs.reverse("x"), TypeError, f"reverse: `shape` must be {SHAPE}, got 'x'; {USE_SHAPE}"),
    (lambda: fs.compose(fs.linear, 3), TypeError, f"compose: `inner` must be {SHAPE}, got 3"),
    (
        lambda: fs.exponential_decay(0.5, staircase=1),
        TypeError,
        "exponential_decay: `staircase` must be True or False, got 1",
    ),
    (
        lambda: fs.exponential_decay(2.0),
        ValueError,
        "exponential_decay: `end` must be given if `rate` is above 1 (2.0), got None",
    ),
    (
        lambda: fs.piecewise_constant([5]),
        ValueError,
        "piecewise_constant: exactly one of `levels` and `factors` must be given, got neither",
    ),
    (
        lambda: fs.piecewise_constant([5], levels=[1, 2], factors=[1]),
        ValueError,
        "piecewise_constant: exactly one of `levels` and `factors` must be given, got both",
    ),
    (
        lambda: fs.piecewise_constant([5], levels=[1]),
        ValueError,
        "piecewise_constant: `levels` must be one longer than `boundaries` (1), got [1.0]",
    ),
    (
        lambda: fs.piecewise_constant([5], factors=[1, 2]),
        ValueError,
        "piecewise_constant: `factors` must be as long as `boundaries` (1), got [1.0, 2.0]",
    ),
    (
        lambda: fs.piecewise_constant([5, 6], factors=[1e30, 1e30]),
        ValueError,
        "piecewise_constant: `factors` must be numbers whose products are at most 1.7e38, got [1e+30, 1e+30]",
    ),
    (
        lambda: fs.piecewise_constant([6, 5], factors=[1, 2]),
        ValueError,
        "piecewise_constant: `boundaries` must be increasing, got [6, 5]",
    ),
    (lambda: fs.multistep([6, 5]), ValueError, "multistep: `boundaries` must be increasing, got [6, 5]"),
    (lambda: fs.multistep(5), TypeError, "multistep: `boundaries` must be a sequence of integers, got 5"),
    (lambda: fs.table([]), ValueError, "table: `values` must be a non-empty sequence of numbers, got []"),
    (
        lambda: fs.tabulate(lambda step: -1e39 * step, 2),
        ValueError,
        "tabulate: `<lambda>(1)` must be a number from -1.7e38 to 1.7e38, got -1e+39",
    ),
    (
        lambda: fs.tabulate(abs, 10**8),
        ValueError,
        "tabulate: `steps` must be an integer from 0 to 10**7, got 100000000",
    ),
    (lambda: fs.tabulate(3, 5), TypeError, "tabulate: `function` must be a function, got 3"),
    (
        lambda: fs.interpolate([], []),
        ValueError,
        "interpolate: `boundaries` must be a non-empty sequence of integers, got []",
    ),
    (
        lambda: fs.interpolate([1, 2], [1]),
        ValueError,
        "interpolate: `levels` must be as long as `boundaries` (2), got [1.0]",
    ),
    (
        lambda: fs.interpolate([1, 2], [1, 2], shape=[fs.linear, fs.cosine]),
        ValueError,
        "interpolate: `shape` must be one shape, or a sequence of length 1 for 2 boundaries, got [linear, cosine]",
    ),
    (
        lambda: fs.interpolate([1, 2], [1, 2], shape=["x"]),
        TypeError,
        f"interpolate: `shape[0]` must be {SHAPE}, got 'x'; {USE_SHAPE}",
    ),
    (
        lambda: fs.interpolate([1, 2], [1, 2], shape=fs.cosine, smooth=True),
        ValueError,
        "interpolate: `shape` must be linear if `smooth` is True, got cosine",
    ),
    (
        lambda: fs.interpolate([1, 2], [1, 2], smooth=1),
        TypeError,
        "interpolate: `smooth` must be True or False, got 1",
    ),
    (
        lambda: fs.interpolate([1, 2], [1, np.ones(2)], smooth=True),
        TypeError,
        "interpolate: `levels` must be Python numbers if `smooth` is True, got [1.0, array([1., 1.])]",
    ),
    (lambda: fs.rational(1), ValueError, "rational: `d` must be a number of at least 0 and below 1, got 1"),
    (lambda: fs.rational("x"), TypeError, "rational: `d` must be a number of at least 0 and below 1, got 'x'"),
    (
        lambda: fs.blend(1, 2, "x"),
        TypeError,
        "blend: `weight` must be a schedule, a function of a step, or a number from -1.7e38 to 1.7e38, got 'x'",
    ),
    (
        lambda: fs.warm_into(lambda step: -1e39, 5),
        ValueError,
        "warm_into: `schedule(5)` must be a number from -1.7e38 to 1.7e38, got -1e+39",
    ),
    (lambda: fs.product(), ValueError, "product: `schedules` must be a non-empty sequence of schedules, got []"),
    (
        lambda: fs.maximum(fs.constant(), "x"),
        TypeError,
        "maximum: `schedules[1]` must be a schedule, a function of a step, or a number from -1.7e38 to 1.7e38, got 'x'",
    ),
    (lambda: fs.add(1, -1e39), ValueError, "add: `schedules[1]` must be a number from -1.7e38 to 1.7e38, got -1e+39"),
    (
        lambda: fs.repeat(fs.constant(), 3, period_factor=0.5),
        ValueError,
        "repeat: `period_factor` must be 1 or a number from 1.001 to 1e6, got 0.5",
    ),
    (
        lambda: fs.repeat(fs.constant(), 3, period_factor=1.0001),
        ValueError,
        "repeat: `period_factor` must be 1 or a number from 1.001 to 1e6, got 1.0001",
    ),
    (
        lambda: fs.repeat(fs.constant(), 3, level_factor=2),
        ValueError,
        "repeat: `times` must be given if `level_factor` is above 1 (2.0), got None",
    ),
    (
        lambda: fs.repeat(fs.constant(), 3, 200, level_factor=2),
        ValueError,
        "repeat: `level_factor` must be a number with level_factor**199 at most 1.7e38, got 2.0",
    ),
    (
        lambda: fs.then(lambda step: -1e39, 5, steps=3),
        ValueError,
        "then: `schedule(5)` must be a number from -1.7e38 to 1.7e38, got -1e+39",
    ),
    (
        lambda: fs.then(lambda step: "0.5", 5, steps=10),
        TypeError,
        "then: `schedule(5)` must be a number from -1.7e38 to 1.7e38: lift: `function` must be a function that returns"
        " a number, got '0.5'",
    ),
    (
        lambda: fs.one_cycle(3, 9, decay_steps=7),
        ValueError,
        "one_cycle: `decay_steps` must be at most `total_steps` - `warmup_steps` (6), got 7",
    ),
    (
        lambda: fs.warmup_cosine_linear(1, 9, 10),
        ValueError,
        "warmup_cosine_linear: `decay_steps` must be at most `total_steps` (9), got 10",
    ),
    (
        lambda: fs.cosine_restarts(5, warmup_steps=6),
        ValueError,
        "cosine_restarts: `warmup_steps` must be at most `period` (5), got 6",
    ),
    (
        lambda: fs.warmup_inverse_sqrt(0),
        ValueError,
        "warmup_inverse_sqrt: `timescale` must be an integer from 1 to 2**53, got 0",
    ),
    (
        lambda: fs.cyclic(9, mode="triangle"),
        ValueError,
        "cyclic: `mode` must be one of 'triangular', 'triangular2', 'exp_range', got 'triangle'",
    ),
    (lambda: fs.cyclic(9, rate=0.5), ValueError, "cyclic: `rate` must be 1 in mode 'triangular', got 0.5"),
    (
        lambda: fs.cyclic(9, mode="exp_range", rate=1.5),
        ValueError,
        f"cyclic: `rate` must be {RATIO_UP_TO_ONE}, got 1.5",
    ),
    (
        lambda: fs.warmup_stable_decay(1, 2, 3, decay_shape="sqrt"),
        TypeError,
        f"warmup_stable_decay: `decay_shape` must be {SHAPE}, got 'sqrt'; {USE_SHAPE}",
    ),
    (
        lambda: fs.warmup_linear(11, 10),
        ValueError,
        "warmup_linear: `warmup_steps` must be at most `total_steps` (10), got 11",
    ),
    (
        lambda: fs.warmup_cosine(2, 1),
        ValueError,
        "warmup_cosine: `warmup_steps` must be at most `total_steps` (1), got 2",
    ),
    (
        lambda: fs.warmup_cosine_restarts(2, 1),
        ValueError,
        "warmup_cosine_restarts: `warmup_steps` must be at most `total_steps` (1), got 2",
    ),
    (
        lambda: fs.warmup_cosine(1, 9, cycles=2e6),
        ValueError,
        "warmup_cosine: `cycles` must be at most 1000000, got 2000000.0",
    ),
    (lambda: fs.lift(3), TypeError, "lift: `function` must be a schedule or a function of a step, got 3"),
    (lambda: fs.lift(fs.cosine), TypeError, "lift: `function` must be a schedule or a function of a step, got cosine"),
    (
        lambda: fs.join([fs.constant(), fs.sqrt], [5]),
        TypeError,
        "join: `schedules[1]` must be a schedule or a function of a step, got sqrt",
    ),
    (lambda: fs.ramp(0, 1, steps=3, shape=fs.constant()), TypeError, f"ramp: `shape` must be {SHAPE}, got constant()"),
    (lambda: fs.scale(None, 1.0), TypeError, "scale: `schedule` must be a schedule or a function of a step, got None"),
    (
        lambda: fs.lerp("x", 1, 0),
        TypeError,
        "lerp: `schedule` must be a schedule or a function of a step, got 'x'; use fs.parse(...)",
    ),
    (
        lambda: fs.shift("x", 1),
        TypeError,
        "shift: `schedule` must be a schedule or a function of a step, got 'x'; use fs.parse(...)",
    ),
    (
        lambda: fs.ramp(0, 1, steps=3, shape="cosine"),
        TypeError,
        f"ramp: `shape` must be {SHAPE}, got 'cosine'; {USE_SHAPE}",
    ),
    (lambda: fs.join([], []), ValueError, "join: `schedules` must be a non-empty sequence of schedules, got []"),
    (lambda: fs.join(3, []), TypeError, "join: `schedules` must be a sequence of schedules, got 3"),
    (lambda: fs.join("ab", []), TypeError, "join: `schedules` must be a sequence of schedules, got 'ab'"),
    (
        lambda: fs.join(fs.constant(), []),
        TypeError,
        "join: `schedules` must be a sequence of schedules, got constant()",
    ),
    (lambda: fs.join([fs.constant()], 3), TypeError, "join: `boundaries` must be a sequence of integers, got 3"),
    (
        lambda: fs.join([fs.constant(), 2], [5]),
        TypeError,
        "join: `schedules[1]` must be a schedule or a function of a step, got 2",
    ),
    (
        lambda: fs.join([fs.constant()] * 3, [5]),
        ValueError,
        "join: `boundaries` must be of length 2 for 3 schedules, got [5]",
    ),
    (
        lambda: fs.join([fs.constant()] * 2, [5, 6]),
        ValueError,
        "join: `boundaries` must be of length 1 for 2 schedules, got [5, 6]",
    ),
    (lambda: fs.join([fs.constant()] * 3, [6, 5]), ValueError, "join: `boundaries` must be increasing, got [6, 5]"),
    (lambda: fs.join([fs.constant()] * 3, [5, 5]), ValueError, "join: `boundaries` must be increasing, got [5, 5]"),
    (lambda: fs.warmup_linear(10), TypeError, "warmup_linear() missing 1 required positional argument: 'total_steps'"),
    (
        lambda: fs.warmup_linear(1, 2, finish=0.1),
        TypeError,
        "warmup_linear: no argument `finish` (got 0.1); it takes `warmup_steps`, `total_steps`, `start`, `end`, "
        "`warmup_offset`",
    ),
    (
        lambda: fs.warmup_linear(total_step=2, warmup_steps=1),
        TypeError,
        "warmup_linear: no argument `total_step` (got 2); it takes `warmup_steps`, `total_steps`, `start`, `end`, "
        "`warmup_offset`; did you mean 'total_steps'?",
    ),
    (
        lambda: fs.warmup_linear(1, 2, end_value=0.1),
        TypeError,
        "warmup_linear: no argument `end_value` (got 0.1); it takes `warmup_steps`, `total_steps`, `start`, `end`, "
        "`warmup_offset`; did you mean 'end'? It is a multiple of the peak: end = end_value / peak",
    ),
    (
        lambda: fs.tri_stage(1, total_steps=9, decay_steps=2),
        TypeError,
        "tri_stage: no argument `total_steps` (got 9); it takes `warmup_steps`, `stable_steps`, `decay_steps`, "
        "`start`, `end`, `warmup_offset`; the total is warmup_steps + stable_steps + decay_steps",
    ),
    (
        lambda: fs.warmup_linear(1, 2, 3),
        TypeError,
        "warmup_linear: too many positional arguments; warmup_linear takes 2; pass start, end, warmup_offset by name",
    ),
    (
        lambda: fs.warmup_linear(1, 2, total_steps=3),
        TypeError,
        "warmup_linear() got multiple values for argument 'total_steps'",
    ),
]


@pytest.mark.parametrize(("build", "kind", "message"), MESSAGES, ids=[message for *_, message in MESSAGES])
def test_the_message_of_an_error(build, kind, message) -> None:
    with pytest.raises(kind) as error:
        build()
    assert type(error.value) is kind
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("warmup_linear(10, 100)", "use fs.parse(...)"),
        (fs.to_dict(fs.constant()), "use fs.from_dict(...)"),
        (Rated(fs.constant(), 0.5), "pass its `schedule`, which does not contain the peak value"),
        (fs.warmup_linear, "call it with its arguments: warmup_linear(...)"),
        (
            fs.Plan({"lr": (fs.constant(), 0.5)}, run={"updates": 9}),
            "pass the schedule of one of its curves, such as plan.curves['lr'].schedule",
        ),
    ],
    ids=["string", "dict", "rated", "recipe", "plan"],
)
def test_an_error_about_a_schedule_suggests_a_fix(value: object, fix: str) -> None:
    with pytest.raises(TypeError, match=rf"must be a schedule or a function of a step, got .*; {re.escape(fix)}$"):
        fs.scale(value, 1.0)


def test_products_of_factors_that_overflow_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"^piecewise_constant: `factors` must be numbers whose products are at most"):
        fs.piecewise_constant(range(10), factors=[1e38] * 10)


def test_an_error_about_a_number_too_long_to_print_names_its_type() -> None:
    with pytest.raises(
        ValueError, match=r"^constant: `value` must be a number from -1\.7e38 to 1\.7e38, got a value of type int"
    ):
        fs.constant(10**5000)
