"""Bad input: one sentence at construction that names the function, the argument, the rule and the value."""

import math

import numpy as np
import pytest

import funcsched as fs

STEPS = "a whole number from 0 to 2**53"
LEVEL = "a number from 0 to 3.4e38"
POSITIVE = "a finite number above 0"
CYCLES = "a whole number from 1 to 1000000"

NO_NUMBERS = [True, "10", None, 3j, [1], math.sin, np.True_, np.array("a"), b"1"]
NO_STEPS = [-1, 1.5, math.nan, math.inf, -math.inf, 2**53 + 1, 10**400, np.int64(-1), np.float32(0.5)]
NO_LEVELS = [-1, -1e-9, math.nan, math.inf, -math.inf, 1e39, 10**400, np.float64(-1)]

ONE_ARGUMENT = [
    ("constant", "value", lambda v: fs.constant(v), LEVEL, NO_LEVELS),
    ("ramp", "start", lambda v: fs.ramp(v, 1.0, steps=3), LEVEL, NO_LEVELS),
    ("ramp", "stop", lambda v: fs.ramp(1.0, v, steps=3), LEVEL, NO_LEVELS),
    ("ramp", "steps", lambda v: fs.ramp(0.0, 1.0, steps=v), STEPS, NO_STEPS),
    ("scale", "factor", lambda v: fs.scale(fs.constant(), v), LEVEL, NO_LEVELS),
    ("shift", "steps", lambda v: fs.shift(fs.constant(), v), STEPS, NO_STEPS),
    ("power", "exponent", lambda v: fs.power(v), POSITIVE, [0, *NO_LEVELS[:5]]),
    ("join", "boundaries[0]", lambda v: fs.join([fs.constant(), fs.constant()], [v]), STEPS, NO_STEPS),
    ("warmup_constant", "warmup_steps", lambda v: fs.warmup_constant(v), STEPS, NO_STEPS),
    ("warmup_constant", "start", lambda v: fs.warmup_constant(3, start=v), LEVEL, NO_LEVELS),
    *(
        item
        for recipe in (fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts)
        for item in [
            (recipe.__name__, "warmup_steps", lambda v, r=recipe: r(v, 2**53), STEPS, NO_STEPS),
            (recipe.__name__, "total_steps", lambda v, r=recipe: r(0, v), STEPS, NO_STEPS),
            (recipe.__name__, "start", lambda v, r=recipe: r(1, 9, start=v), LEVEL, NO_LEVELS),
            (recipe.__name__, "end", lambda v, r=recipe: r(1, 9, end=v), LEVEL, NO_LEVELS),
        ]
    ),
    ("warmup_cosine", "cycles", lambda v: fs.warmup_cosine(1, 9, cycles=v), POSITIVE, [0, *NO_LEVELS[:5]]),
    (
        "warmup_cosine_restarts",
        "cycles",
        lambda v: fs.warmup_cosine_restarts(1, 9, cycles=v),
        CYCLES,
        [0, -1, 1.5, math.nan, math.inf, 10**7],
    ),
]


def shown(value: object) -> str:
    """What the sentence shows: NumPy scalars have become Python numbers by then."""
    return repr(value.item() if isinstance(value, (np.generic, np.ndarray)) else value)


TYPES = [(f, a, build, rule, value) for f, a, build, rule, _ in ONE_ARGUMENT for value in NO_NUMBERS]
VALUES = [(f, a, build, rule, value) for f, a, build, rule, values in ONE_ARGUMENT for value in values]


@pytest.mark.parametrize(("function", "argument", "build", "rule", "value"), TYPES)
def test_what_is_no_number_is_a_type_error(function, argument, build, rule, value) -> None:
    with pytest.raises(TypeError) as error:
        build(value)
    assert str(error.value) == f"{function}: `{argument}` must be {rule}, got {shown(value)}"


@pytest.mark.parametrize(("function", "argument", "build", "rule", "value"), VALUES)
def test_a_number_out_of_range_is_a_value_error(function, argument, build, rule, value) -> None:
    with pytest.raises(ValueError) as error:
        build(value)
    assert str(error.value) == f"{function}: `{argument}` must be {rule}, got {shown(value)}"


@pytest.mark.parametrize(("function", "argument", "build", "rule", "values"), ONE_ARGUMENT)
def test_the_same_builds_take_a_good_value(function, argument, build, rule, values) -> None:
    assert isinstance(build(1), (fs.Schedule, fs.Shape))
    assert isinstance(build(np.int16(1)), (fs.Schedule, fs.Shape))


SENTENCES = [
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
    (lambda: fs.lift(3), TypeError, "lift: `function` must be callable, got 3"),
    (lambda: fs.scale(None, 1.0), TypeError, "scale: `schedule` must be callable, got None"),
    (lambda: fs.shift("x", 1), TypeError, "shift: `schedule` must be callable, got 'x'"),
    (lambda: fs.ramp(0, 1, steps=3, shape="cosine"), TypeError, "ramp: `shape` must be callable, got 'cosine'"),
    (lambda: fs.join([], []), ValueError, "join: `schedules` must be at least one schedule, got []"),
    (lambda: fs.join(3, []), TypeError, "join: `schedules` must be a sequence of schedules, got 3"),
    (lambda: fs.join("ab", []), TypeError, "join: `schedules` must be a sequence of schedules, got 'ab'"),
    (
        lambda: fs.join(fs.constant(), []),
        TypeError,
        "join: `schedules` must be a sequence of schedules, got constant()",
    ),
    (
        lambda: fs.join([fs.constant()], 3),
        TypeError,
        "join: `boundaries` must be a sequence of whole numbers, got 3",
    ),
    (lambda: fs.join([fs.constant(), 2], [5]), TypeError, "join: `schedules[1]` must be callable, got 2"),
    (
        lambda: fs.join([fs.constant()] * 3, [5]),
        ValueError,
        "join: `boundaries` must be one fewer than the 3 schedules, got [5]",
    ),
    (
        lambda: fs.join([fs.constant()] * 2, [5, 6]),
        ValueError,
        "join: `boundaries` must be one fewer than the 2 schedules, got [5, 6]",
    ),
    (lambda: fs.join([fs.constant()] * 3, [6, 5]), ValueError, "join: `boundaries` must be increasing, got [6, 5]"),
    (lambda: fs.join([fs.constant()] * 3, [5, 5]), ValueError, "join: `boundaries` must be increasing, got [5, 5]"),
    (
        lambda: fs.warmup_linear(10),
        TypeError,
        "warmup_linear() missing 1 required positional argument: 'total_steps'",
    ),
    (
        lambda: fs.warmup_linear(1, 2, finish=0.1),
        TypeError,
        "warmup_linear() got an unexpected keyword argument 'finish'",
    ),
    (
        lambda: fs.warmup_linear(1, 2, 3),
        TypeError,
        "warmup_linear() takes 2 positional arguments but 3 were given",
    ),
    (
        lambda: fs.warmup_linear(1, 2, total_steps=3),
        TypeError,
        "warmup_linear() got multiple values for argument 'total_steps'",
    ),
]


@pytest.mark.parametrize(("build", "kind", "sentence"), SENTENCES, ids=[sentence for *_, sentence in SENTENCES])
def test_the_whole_sentence(build, kind, sentence) -> None:
    with pytest.raises(kind) as error:
        build()
    assert type(error.value) is kind
    assert str(error.value) == sentence
