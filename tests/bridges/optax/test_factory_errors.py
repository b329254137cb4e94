"""The error messages of the functions of `bridges.optax` for bad arguments."""

import math
from typing import Any

import jax.numpy as jnp
import pytest

import bridges.optax as bridge
import funcsched as fs
from bridges.optax import to_optax
from bridges.rated import Rated
from tests.bridges.optax.exact import CYCLE
from tests.errors import exactly

COUNT, LENGTH = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
LEVEL, POSITIVE, RATIO, FRACTION = (
    "a number from -1.7e38 to 1.7e38",
    "a finite number above 0",
    "a number from 1e-30 to 1e30",
    "a number from 0 to 1",
)
TRACED = jnp.float32(0.5)


def halving(count: Any) -> Any:
    return 0.5 ** (count // 4)


# Valid arguments of each function.
GOOD: dict[str, dict[str, Any]] = {
    "constant_schedule": {"value": 1.0},
    "linear_schedule": {"init_value": 1.0, "end_value": 0.5, "transition_steps": 10, "transition_begin": 0},
    "polynomial_schedule": {
        "init_value": 1.0,
        "end_value": 0.5,
        "power": 2.0,
        "transition_steps": 10,
        "transition_begin": 0,
    },
    "piecewise_constant_schedule": {"init_value": 1.0},
    "piecewise_interpolate_schedule": {"interpolate_type": "linear", "init_value": 1.0},
    "exponential_decay": {
        "init_value": 1.0,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 0,
        "staircase": False,
        "end_value": 0.1,
    },
    "cosine_decay_schedule": {"init_value": 1.0, "decay_steps": 10, "alpha": 0.5, "exponent": 2.0},
    "linear_onecycle_schedule": {
        "transition_steps": 10,
        "peak_value": 1.0,
        "pct_start": 0.3,
        "pct_final": 0.85,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
    },
    "cosine_onecycle_schedule": {
        "transition_steps": 10,
        "peak_value": 1.0,
        "pct_start": 0.3,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
    },
    "warmup_constant_schedule": {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 5},
    "warmup_cosine_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 5,
        "decay_steps": 10,
        "end_value": 0.0,
        "exponent": 1.0,
    },
    "warmup_exponential_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 5,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 0,
        "staircase": False,
        "end_value": 0.1,
    },
}
# What the error message requires of each argument.
RULES = {
    **dict.fromkeys(["value", "init_value", "end_value", "peak_value", "alpha"], LEVEL),
    **dict.fromkeys(["transition_steps", "transition_begin", "warmup_steps", "decay_steps"], COUNT),
    **dict.fromkeys(["power", "exponent"], POSITIVE),
    **dict.fromkeys(["decay_rate", "div_factor", "final_div_factor"], RATIO),
    **dict.fromkeys(["pct_start", "pct_final"], FRACTION),
    "staircase": "True or False",
}
# Functions whose `transition_steps` must be at least 1.
AT_LEAST_1 = {
    "exponential_decay",
    "warmup_exponential_decay_schedule",
    "linear_onecycle_schedule",
    "cosine_onecycle_schedule",
}
# Values that violate each requirement.
BAD: dict[str, list[tuple[Any, type[Exception]]]] = {
    LEVEL: [
        (-1.8e38, ValueError),
        (1.8e38, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        ("1", TypeError),
        (True, TypeError),
    ],
    COUNT: [(-1, ValueError), (1.5, ValueError), (2**54, ValueError), ("1", TypeError), (True, TypeError)],
    LENGTH: [(0, ValueError), (-1, ValueError), (1.5, ValueError), (None, TypeError)],
    POSITIVE: [(0.0, ValueError), (-1.0, ValueError), (math.inf, ValueError), (None, TypeError)],
    RATIO: [(0.0, ValueError), (-0.5, ValueError), (1e31, ValueError), (math.nan, ValueError), (None, TypeError)],
    FRACTION: [(-0.1, ValueError), (1.1, ValueError), (math.nan, ValueError), (None, TypeError)],
    "True or False": [(1, TypeError), (None, TypeError)],
}


def bad_arguments() -> list[tuple[str, str, str, Any, type[Exception]]]:
    cases = []
    for name, good in GOOD.items():
        for argument in good:
            if argument in RULES:
                rule = LENGTH if argument == "transition_steps" and name in AT_LEAST_1 else RULES[argument]
                traced = [] if rule == "True or False" else [(TRACED, TypeError)]
                cases += [(name, argument, rule, value, error) for value, error in BAD[rule] + traced]
    return cases


@pytest.mark.parametrize(("name", "argument", "rule", "value", "error"), bad_arguments(), ids=str)
def test_a_bad_argument_is_rejected_by_name(name: str, argument: str, rule: str, value: Any, error: Any) -> None:
    with pytest.raises(error, match=exactly(f"{name}: `{argument}` must be {rule}, got {value!r}")):
        getattr(bridge, name)(**{**GOOD[name], argument: value})


@pytest.mark.parametrize("name", GOOD)
def test_the_valid_arguments_are_accepted(name: str) -> None:
    assert isinstance(getattr(bridge, name)(**GOOD[name]), Rated)


MESSAGES: dict[str, tuple[str, tuple[Any, ...], str, type[Exception]]] = {
    "scales that are not a mapping": (
        "piecewise_constant_schedule",
        (1.0, [(10, 0.1)]),
        "`boundaries_and_scales` must be a mapping from boundaries to scales, or None, got [(10, 0.1)]",
        TypeError,
    ),
    "negative boundary in scales": (
        "piecewise_constant_schedule",
        (1.0, {-1: 0.5}),
        f"`boundaries_and_scales key` must be {COUNT}, got -1",
        ValueError,
    ),
    "negative scale": (
        "piecewise_interpolate_schedule",
        ("linear", 1.0, {10: 0.5, 20: -0.5}),
        "`boundaries_and_scales[20]` must be a number from 0 to 1.7e38, got -0.5",
        ValueError,
    ),
    "scales with too large a product": (
        "piecewise_interpolate_schedule",
        ("linear", 1.0, {10: 1e20, 20: 1e20}),
        "`boundaries_and_scales` must be scales with all learning rates at most 1.7e38, got {10: 1e+20, 20: 1e+20}",
        ValueError,
    ),
    "unknown interpolation": (
        "piecewise_interpolate_schedule",
        ("cubic", 1.0),
        "`interpolate_type` must be one of 'cosine', 'linear', got 'cubic'",
        ValueError,
    ),
    "pct_final below pct_start": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.5, 0.25),
        "`pct_final` must be at least `pct_start` (0.5), got 0.25",
        ValueError,
    ),
    "warmup longer than decay": (
        "warmup_cosine_decay_schedule",
        (0.0, 1.0, 11, 10),
        "`warmup_steps` must be at most `decay_steps` (10), got 11",
        ValueError,
    ),
    "no cycles": (
        "sgdr_schedule",
        ([],),
        "`cosine_kwargs` must be a non-empty sequence of mappings, got []",
        ValueError,
    ),
    "cycles that are not a sequence": (
        "sgdr_schedule",
        (3,),
        "`cosine_kwargs` must be a sequence of mappings, got 3",
        TypeError,
    ),
    "a cycle that is not a mapping": (
        "sgdr_schedule",
        ([CYCLE, 3],),
        "`cosine_kwargs[1]` must be a mapping of arguments by name, got 3",
        TypeError,
    ),
    "a cycle of 0 steps": (
        "sgdr_schedule",
        ([CYCLE, {**CYCLE, "warmup_steps": 0, "decay_steps": 0}],),
        f"`cosine_kwargs[1]['decay_steps']` must be {LENGTH}, got 0",
        ValueError,
    ),
    "schedules that are not a sequence": (
        "join_schedules",
        (3, []),
        "`schedules` must be a sequence of schedules, got 3",
        TypeError,
    ),
    "no schedules": (
        "join_schedules",
        ([], []),
        "`schedules` must be a non-empty sequence of schedules, got []",
        ValueError,
    ),
    "a schedule that is not callable": (
        "join_schedules",
        ([halving, 3], [5]),
        "`schedules[1]` must be a schedule or a function of optax's count, got 3",
        TypeError,
    ),
    "a peak that is too large": (
        "join_schedules",
        ([to_optax(fs.constant(), -1e39)], []),
        f"`schedules[0].peak_value` must be {LEVEL}, got -1e+39",
        ValueError,
    ),
    "too many boundaries": (
        "join_schedules",
        ([halving], [5]),
        "`boundaries` must be of length 0 for 1 schedules, got [5]",
        ValueError,
    ),
    "equal boundaries": (
        "join_schedules",
        ([halving] * 3, [5, 5]),
        "`boundaries` must be increasing, got [5, 5]",
        ValueError,
    ),
    "a negative boundary": (
        "join_schedules",
        ([halving] * 2, [-5]),
        f"`boundaries[0]` must be {COUNT}, got -5",
        ValueError,
    ),
    "a function that is not callable": ("from_optax", (3, 1.0), "`function` must be a function, got 3", TypeError),
    "peak of 0": ("from_optax", (halving, 0.0), f"`peak_value` must be {POSITIVE}, got 0.0", ValueError),
    "a peak of None": ("from_optax", (halving, None), f"`peak_value` must be {POSITIVE}, got None", TypeError),
}


@pytest.mark.parametrize(("name", "args", "message", "error"), MESSAGES.values(), ids=MESSAGES)
def test_other_invalid_arguments_are_rejected(name: str, args: Any, message: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=exactly(f"{name}: {message}")):
        getattr(bridge, name)(*args)


def test_an_unknown_argument_of_a_cycle_is_rejected_with_the_known_ones() -> None:
    names = "`init_value`, `peak_value`, `warmup_steps`, `decay_steps`, `end_value`, `exponent`"
    message = f"sgdr_schedule: no argument `alpha` (got 0.1); it takes {names}"
    with pytest.raises(TypeError, match=exactly(message)):
        bridge.sgdr_schedule([{**CYCLE, "alpha": 0.1}])


def test_a_missing_argument_of_a_cycle_is_named() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'decay_steps'"):
        bridge.sgdr_schedule([{"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 3}])
