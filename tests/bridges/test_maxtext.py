"""`bridges.maxtext` compared with the formulas of MaxText in mpmath, and with values computed by hand.

The bridge computes in float64. It has two roundings for the levels and an error of at most 4 ulp (8 roundings) for the
ramp.
"""

from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import funcsched as fs
from bridges.maxtext import create_learning_rate_schedule
from tests.errors import raises

RELATIVE = 10 * 2.0**-53
mpmath.mp.prec = 300


def cosine(step: int, steps: int, end: mpf) -> mpf:
    """The cosine of MaxText, but held after its last step."""
    u = min(mpf(step) / (steps - 1), mpf(1)) if steps > 1 else mpf(1)
    return end + (1 - end) * (1 + mpmath.cos(mpmath.pi * u)) / 2


def linear(step: int, steps: int, end: mpf) -> mpf:
    return 1 + (end - 1) * min(mpf(step) / (steps - 1), mpf(1)) if steps > 1 else mpf(1)


def exact(
    step: int, total: int, run: int, warmup: int, decay: int | None, style: Any, final: float, early: bool
) -> mpf:
    """The multiplier at a step; `decay` is None for "cosine", and the number of decay steps for "wsd"."""
    end = mpf(final)
    if step >= total and run > total:
        return mpf(0)
    if step < warmup:
        length = max(warmup - 1, 1) if early else warmup
        return mpf(step) / length
    if decay is None:
        return cosine(step - warmup, total - warmup, end) if warmup < total else mpf(1)
    return style(step - (total - decay), decay, end) if decay and step >= total - decay else mpf(1)


TENTHS = st.integers(0, 10)


@settings(max_examples=300)
@given(
    total=st.integers(1, 90),
    more=st.integers(-5, 9),
    warmup=TENTHS,
    decay=TENTHS,
    kind=st.sampled_from(["cosine", "wsd"]),
    style=st.sampled_from([("linear", linear), ("cosine", cosine)]),
    final=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
    early=st.booleans(),
)
def test_formula_at_every_step(
    total: int, more: int, warmup: int, decay: int, kind: str, style: tuple, final: float, early: bool
) -> None:
    decay = min(decay, 10 - warmup)
    run, name = max(1, total + more), style[0]
    schedule, peak_value = create_learning_rate_schedule(
        learning_rate=0.3,
        lr_schedule_type=kind,
        learning_rate_final_fraction=final,
        warmup_steps_fraction=warmup / 10,
        wsd_decay_steps_fraction=decay / 10,
        wsd_decay_style=name,
        learning_rate_schedule_steps=total,
        steps=run,
        early_peak=early,
    )
    lengths = int(total * (warmup / 10)), int(total * (decay / 10)) if kind == "wsd" else None
    assert peak_value == 0.3
    for step in range(total + 12):
        expected = exact(step, total, run, *lengths, style[1], final, early)
        assert abs(mpf(schedule(step)) - expected) <= RELATIVE * expected, step


WSD: dict[str, Any] = {"lr_schedule_type": "wsd", "wsd_decay_steps_fraction": 0.3}
# With T = 10 and W = 2, the cosine takes 10 - 2 - 1 = 7 steps, and WSD's decay of 3 steps takes 2.
BY_HAND = [
    ({}, {0: 0.0, 1: 0.5, 2: 1.0, 9: 0.1, 10: 0.1, 50: 0.1}),
    (
        {
            "learning_rate_final_fraction": 0.0,
            "learning_rate_schedule_steps": 13,
            "warmup_steps_fraction": 0.5,
            "steps": 14,
        },
        {0: 0.0, 3: 0.5, 6: 1.0, 8: 0.75, 9: 0.5, 10: 0.25, 12: 0.0, 13: 0.0},
    ),
    ({"steps": 11}, {0: 0.0, 2: 1.0, 9: 0.1, 10: 0.0, 11: 0.0, 50: 0.0}),
    ({"early_peak": True}, {0: 0.0, 1: 1.0, 2: 1.0, 9: 0.1}),
    ({"warmup_steps_fraction": 0.1}, {0: 0.0, 1: 1.0, 9: 0.1}),
    ({"warmup_steps_fraction": 0.1, "early_peak": True}, {0: 0.0, 1: 1.0, 9: 0.1}),
    ({"warmup_steps_fraction": 0.29}, {0: 0.0, 1: 0.5, 2: 1.0}),
    ({"warmup_steps_fraction": 0.0}, {0: 1.0, 9: 0.1}),
    ({"warmup_steps_fraction": 0.9}, {0: 0.0, 8: 8 / 9, 9: 0.1, 10: 0.1}),
    ({"warmup_steps_fraction": 1.0}, {0: 0.0, 9: 0.9, 10: 1.0, 50: 1.0}),
    (WSD, {0: 0.0, 2: 1.0, 7: 1.0, 8: 0.55, 9: 0.1, 10: 0.1, 50: 0.1}),
    ({**WSD, "wsd_decay_style": "cosine"}, {0: 0.0, 2: 1.0, 7: 1.0, 8: 0.55, 9: 0.1, 10: 0.1, 50: 0.1}),
    ({**WSD, "steps": 12}, {8: 0.55, 9: 0.1, 10: 0.0, 50: 0.0}),
    ({**WSD, "wsd_decay_steps_fraction": 0.1}, {2: 1.0, 9: 1.0, 10: 1.0, 50: 1.0}),
    ({**WSD, "wsd_decay_steps_fraction": 0.1, "wsd_decay_style": "cosine"}, {2: 1.0, 8: 1.0, 9: 0.1, 50: 0.1}),
    ({**WSD, "wsd_decay_steps_fraction": 0.0, "steps": 12}, {2: 1.0, 9: 1.0, 10: 0.0}),
    ({**WSD, "wsd_decay_steps_fraction": 0.8}, {1: 0.5, 2: 1.0, 9: 0.1}),
]


@pytest.mark.parametrize(("arguments", "values"), BY_HAND)
def test_values_by_hand(arguments: dict, values: dict[int, float]) -> None:
    defaults: dict[str, Any] = {"learning_rate_schedule_steps": 10, "warmup_steps_fraction": 0.2, "steps": -1}
    schedule, _ = create_learning_rate_schedule(**{**defaults, **arguments})
    assert {step: schedule(step) for step in values} == pytest.approx(values, rel=RELATIVE, abs=0.0)


def test_defaults() -> None:
    rated = create_learning_rate_schedule()
    assert rated.peak_value == 3e-5
    assert rated == create_learning_rate_schedule(learning_rate_schedule_steps=150_001, steps=-1)
    assert rated.schedule == fs.join(
        [fs.ramp(0.0, 1.0, steps=15_000), fs.ramp(1.0, 0.1, steps=135_000, shape=fs.cosine)], [15_000]
    )
    shorter = create_learning_rate_schedule(learning_rate_schedule_steps=1000)
    assert (shorter.schedule(999), shorter.schedule(1000)) == (0.1, 0.0)


def test_cosine_is_held_where_that_of_maxtext_rises_again() -> None:
    """MaxText does not clip the fraction: 9 steps after its end, a cosine of 10 steps is at the peak again."""
    theirs = [0.5 * (np.cos(np.pi * (step / 9)) + 1) for step in range(19)]
    assert theirs[9] == 0.0 and theirs[10] > 0.03 and theirs[18] == 1.0
    schedule, _ = create_learning_rate_schedule(
        learning_rate_schedule_steps=10, steps=-1, warmup_steps_fraction=0.0, learning_rate_final_fraction=0.0
    )
    assert [schedule(step) for step in (9, 10, 18)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"learning_rate": 0.0}, "learning_rate", "a finite number above 0", 0.0),
        ({"lr_schedule_type": "linear"}, "lr_schedule_type", "one of 'cosine', 'wsd'", "linear"),
        ({"learning_rate_final_fraction": -0.1}, "learning_rate_final_fraction", "a number from 0 to 1.7e38", -0.1),
        ({"warmup_steps_fraction": 1.5}, "warmup_steps_fraction", "a number from 0 to 1", 1.5),
        ({"wsd_decay_steps_fraction": -0.5}, "wsd_decay_steps_fraction", "a number from 0 to 1", -0.5),
        (
            {"lr_schedule_type": "wsd", "warmup_steps_fraction": 0.5, "wsd_decay_steps_fraction": 0.75},
            "wsd_decay_steps_fraction",
            "at most 1 - `warmup_steps_fraction` (0.5)",
            0.75,
        ),
        (
            {"lr_schedule_type": "wsd", "wsd_decay_style": "sqrt"},
            "wsd_decay_style",
            "one of 'cosine', 'linear'",
            "sqrt",
        ),
        ({"steps": 0}, "steps", "an integer from 1 to 2**53", 0),
        ({"steps": -1}, "steps", "at least 1 if `learning_rate_schedule_steps` is -1", -1),
        (
            {"learning_rate_schedule_steps": 1.5},
            "learning_rate_schedule_steps",
            "an integer from 1 to 2**53",
            1.5,
        ),
        ({"early_peak": 1}, "early_peak", "True or False", 1),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises("create_learning_rate_schedule", argument, requirement, got):
        create_learning_rate_schedule(**arguments)


def test_cosine_ignores_the_decay_fraction() -> None:
    rated = create_learning_rate_schedule(warmup_steps_fraction=0.95, wsd_decay_steps_fraction=0.1)
    assert rated == create_learning_rate_schedule(warmup_steps_fraction=0.95, wsd_decay_steps_fraction=0.0)


@pytest.mark.parametrize("kind", ["cosine", "wsd"])
def test_jax_and_torch_match_python(kind: str) -> None:
    schedule, _ = create_learning_rate_schedule(
        learning_rate_schedule_steps=97, steps=100, lr_schedule_type=kind, wsd_decay_style="cosine"
    )
    steps = np.arange(110)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 4 * 2.0**-24  # 4 ulp of values below 1
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
