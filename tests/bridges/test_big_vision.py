"""`bridges.big_vision` compared with the formulas of big_vision in mpmath, and with values computed by hand.

The bridge computes in float64. It has three roundings for the levels, an error of at most 4 ulp (8 roundings) for each
of three factors, two roundings for their products, and one for the product with the peak: at most 30. The largest
observed error is 20.
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

from bridges.big_vision import create_learning_rate_schedule
from tests.errors import exactly, raises

RELATIVE = 20 * 2.0**-53
mpmath.mp.prec = 300


def exact(step: int, total: int, lr: mpf, decay: str, warmup: int = 0, cooldown: int = 0, **kw: Any) -> mpf:
    """The learning rate by big_vision's formula, but 0 where that is negative after the end."""
    u = min(max(mpf(step - warmup) / (total - warmup), mpf(0)), mpf(1))
    if decay in ("linear", "polynomial"):
        rate = mpf(kw.get("end", 0)) + (lr - mpf(kw.get("end", 0))) * (1 - u) ** mpf(kw.get("power", 1))
    elif decay == "cosine":
        rate = lr * (1 + mpmath.cos(mpmath.pi * u)) / 2
    elif decay == "rsqrt":
        elapsed = max(step - warmup, 0) + kw.get("shift", 0)
        rate = lr / mpmath.sqrt(1 + mpf(elapsed) / kw.get("timescale", 10_000))
    else:
        reached = [mult for begin, mult in zip(kw.get("steps", []), kw.get("mults", []), strict=True) if begin <= step]
        rate = lr * mpf(reached[-1] if reached else 1)
    if warmup:
        rate *= min(mpf(1), mpf(step) / warmup)
    if cooldown:
        rate *= max(mpf(0), min(mpf(1), mpf(total - step) / cooldown))
    return rate


def assert_close(rated: Any, expected: list[mpf]) -> None:
    schedule, peak_value = rated
    ours = [peak_value * schedule(step) for step in range(len(expected))]
    errors = [
        (step, a, float(b))
        for step, (a, b) in enumerate(zip(ours, expected, strict=True))
        if not abs(mpf(a) - b) <= RELATIVE * b
    ]
    assert not errors, errors[:5]


def stairs(steps: list[int]) -> st.SearchStrategy:
    mults = st.lists(st.sampled_from([0.0, 0.1, 1.0, 2.5]), min_size=len(steps), max_size=len(steps))
    return mults.map(lambda values: {"steps": sorted(steps), "mults": values})


POLYNOMIAL = st.fixed_dictionaries(
    {}, optional={"power": st.sampled_from([0.5, 1, 1.0, 2, 3.3]), "end": st.sampled_from([0, 1e-6, 0.05, 9.0])}
)
DECAY_ARGUMENTS = st.one_of(
    st.tuples(st.sampled_from(["linear", "polynomial"]), POLYNOMIAL),
    st.tuples(st.just("cosine"), st.just({})),
    st.tuples(
        st.just("rsqrt"),
        st.fixed_dictionaries({}, optional={"timescale": st.integers(1, 30_000), "shift": st.integers(0, 5000)}),
    ),
    st.tuples(st.just("stair"), st.lists(st.integers(0, 140), unique=True, max_size=6).flatmap(stairs)),
)


@settings(max_examples=300)
@given(
    decay_arguments=DECAY_ARGUMENTS,
    total=st.integers(2, 120),
    warmup=st.integers(0, 119),
    cooldown=st.integers(0, 150),
    base=st.sampled_from([1.0, 0.1, 3e-4]),
    batch=st.none() | st.sampled_from([1, 256, 1000]),
)
def test_formula_at_every_step(
    decay_arguments: tuple[str, dict], total: int, warmup: int, cooldown: int, base: float, batch: int | None
) -> None:
    decay, kw = decay_arguments
    warmup %= total
    lr = mpf(base) if batch is None else mpf(base) * batch / 256
    rated = create_learning_rate_schedule(
        total,
        batch_size=batch,
        base=base,
        decay_type=decay,
        scale_with_batchsize=batch is not None,
        warmup_steps=warmup,
        cooldown_steps=cooldown,
        **kw,
    )
    assert_close(rated, [exact(step, total, lr, decay, warmup, cooldown, **kw) for step in range(total + 10)])


# With total_steps=12 and base=1.
BY_HAND = [
    ({"decay_type": "linear"}, {0: 1.0, 3: 0.75, 6: 0.5, 12: 0.0, 13: 0.0}),
    ({"decay_type": "linear", "warmup_steps": 4}, {0: 0.0, 1: 0.25, 4: 1.0, 8: 0.5, 12: 0.0}),
    ({"decay_type": "linear", "warmup_steps": 4, "end": 0.5}, {0: 0.0, 2: 0.5, 4: 1.0, 8: 0.75, 12: 0.5, 40: 0.5}),
    ({"decay_type": "linear", "linear_end": 0.5}, {0: 1.0, 6: 0.75, 12: 0.5}),
    ({"decay_type": "linear", "linear_end": 0.5, "end": 0.25}, {0: 1.0, 6: 0.625, 12: 0.25}),
    ({"decay_type": "polynomial", "power": 2}, {0: 1.0, 6: 0.25, 9: 0.0625, 12: 0.0}),
    ({"decay_type": "cosine"}, {0: 1.0, 4: 0.75, 6: 0.5, 8: 0.25, 12: 0.0, 13: 0.0, 24: 0.0}),
    ({"decay_type": "rsqrt"}, {0: 1.0, 30_000: 0.5}),
    ({"decay_type": "rsqrt", "timescale": 4, "warmup_steps": 4}, {2: 0.5, 4: 1.0, 16: 0.5, 64: 0.25}),
    ({"decay_type": "rsqrt", "timescale": 4, "shift": 12, "warmup_steps": 4}, {2: 0.25, 4: 0.5, 52: 0.25}),
    ({}, {0: 1.0, 100: 1.0}),
    (
        {"steps": [3, 6], "mults": [0.5, 2.0], "warmup_steps": 4},
        {0: 0.0, 2: 0.5, 3: 0.375, 4: 0.5, 5: 0.5, 6: 2.0, 100: 2.0},
    ),
    ({"cooldown_steps": 4}, {0: 1.0, 8: 1.0, 9: 0.75, 11: 0.25, 12: 0.0, 13: 0.0, 100: 0.0}),
    ({"cooldown_steps": 24}, {0: 0.5, 6: 0.25, 12: 0.0}),
    ({"decay_type": "linear", "end": 0.5, "cooldown_steps": 6}, {6: 0.75, 9: 0.3125, 12: 0.0}),
]


@pytest.mark.parametrize(("arguments", "values"), BY_HAND)
def test_values_by_hand(arguments: dict, values: dict[int, float]) -> None:
    schedule, peak_value = create_learning_rate_schedule(12, **arguments)
    assert {step: schedule(step) * peak_value for step in values} == pytest.approx(values, rel=RELATIVE, abs=0.0)


# With batch_size=64 and data_size=1000, an epoch has 15.625 steps.
@pytest.mark.parametrize(
    ("argument", "value", "steps"),
    [
        ("warmup_steps", 7, 7),
        ("warmup_examples", 640, 10),
        ("warmup_examples", 671, 10),
        ("warmup_examples", 673, 11),
        ("warmup_examples", 1, 1),  # at least 1 step
        ("warmup_examples", 0, 0),
        ("warmup_epochs", 1, 16),
        ("warmup_epochs", 2, 31),
        ("warmup_epochs", 0.5, 8),
        ("warmup_epochs", 1e-6, 1),
        ("warmup_percent", 0.1, 10),
        ("warmup_percent", 0.125, 12),  # 12.5 is rounded to the even integer
        ("warmup_percent", 0.001, 1),
        ("warmup_percent", 0.0, 0),
        ("warmup_steps", None, 0),
        ("warmup_epochs", -1, 0),
    ],
)
def test_duration_is_converted_to_steps(argument: str, value: float, steps: int) -> None:
    common: dict[str, Any] = {"batch_size": 64, "data_size": 1000, "decay_type": "rsqrt"}
    expected = create_learning_rate_schedule(100, **common, warmup_steps=steps)
    assert create_learning_rate_schedule(100, **common, **{argument: value}) == expected
    for name in ("cooldown", "shift", "timescale"):
        renamed = {argument.replace("warmup", name): value}
        if name == "timescale" and steps == 0:
            continue
        expected = create_learning_rate_schedule(100, **common, **{f"{name}_steps": steps})
        assert create_learning_rate_schedule(100, **common, **renamed) == expected


@pytest.mark.parametrize("name", ["shift", "timescale"])
def test_duration_without_a_unit_is_in_steps(name: str) -> None:
    without_unit = create_learning_rate_schedule(100, decay_type="rsqrt", **{name: 7})
    assert without_unit == create_learning_rate_schedule(100, decay_type="rsqrt", **{f"{name}_steps": 7})


def test_learning_rate_is_scaled_with_the_batch_size() -> None:
    arguments: dict[str, Any] = {"batch_size": 1024, "base": 0.5, "decay_type": "linear", "end": 1.0}
    schedule, peak_value = create_learning_rate_schedule(10, **arguments, scale_with_batchsize=True)
    assert peak_value == 2.0
    assert [peak_value * schedule(step) for step in (0, 5, 10)] == [2.0, 1.5, 1.0]  # `end` is not scaled
    assert create_learning_rate_schedule(10, **arguments).peak_value == 0.5


@pytest.mark.parametrize("total", [0, 1])
def test_warmup_may_take_the_only_step(total: int) -> None:
    schedule, _ = create_learning_rate_schedule(total, decay_type="cosine", warmup_steps=5)
    assert schedule(0) == 0.0


def test_cooldown_stays_0_where_that_of_big_vision_is_negative() -> None:
    """With a decay of 1, big_vision's multiplier at step 12 + k is (12 - (12 + k)) / 4."""
    theirs = [min(1.0, (12 - step) / 4) for step in range(11, 16)]
    assert theirs == [0.25, 0.0, -0.25, -0.5, -0.75]
    schedule, _ = create_learning_rate_schedule(12, cooldown_steps=4)
    assert [schedule(step) for step in range(11, 16)] == [0.25, 0.0, 0.0, 0.0, 0.0]


# Errors

NAME = "create_learning_rate_schedule"
NONNEGATIVE = "a number from 0 to 1.7e38"
NONNEGATIVE_INT, POSITIVE_INT = "an integer from 0 to 2**53", "an integer from 1 to 2**53"


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"total_steps": 0.5}, "total_steps", NONNEGATIVE_INT, 0.5),
        ({"batch_size": 0}, "batch_size", POSITIVE_INT, 0),
        ({"data_size": 0}, "data_size", POSITIVE_INT, 0),
        ({"base": 0.0}, "base", "a finite number above 0", 0.0),
        ({"scale_with_batchsize": 1}, "scale_with_batchsize", "True or False", 1),
        ({"scale_with_batchsize": True}, "batch_size", "given with `scale_with_batchsize`", None),
        ({"decay_type": "exp"}, "decay_type", "one of 'cosine', 'linear', 'polynomial', 'rsqrt', 'stair'", "exp"),
        ({"warmup_steps": 1.5}, "warmup_steps", NONNEGATIVE_INT, 1.5),
        ({"warmup_steps": 10}, "warmup_steps", "below `total_steps` (10)", 10),
        ({"warmup_percent": 1.0}, "warmup_steps", "below `total_steps` (10)", 10),
        ({"warmup_percent": 1.5}, "warmup_percent", "a number from 0 to 1", 1.5),
        ({"warmup_examples": "many"}, "warmup_examples", NONNEGATIVE, "many"),
        ({"warmup_examples": 5}, "batch_size", "given with `warmup_examples`", None),
        ({"warmup_epochs": 1}, "data_size", "given with `warmup_epochs`", None),
        ({"warmup_epochs": 1, "data_size": 5}, "batch_size", "given with `warmup_epochs`", None),
        ({"warmup_steps": 1, "warmup_percent": 0.2}, "warmup_percent", "None if `warmup_steps` is given", 0.2),
        ({"cooldown_steps": 1, "cooldown_epochs": 0}, "cooldown_epochs", "None if `cooldown_steps` is given", 0),
        ({"decay_type": "rsqrt", "shift": 3, "shift_steps": 2}, "shift", "None if `shift_steps` is given", 3),
        ({"decay_type": "rsqrt", "timescale": 0}, "timescale", "at least 1 step", 0),
        ({"decay_type": "rsqrt", "timescale": 0.5}, "timescale", NONNEGATIVE_INT, 0.5),
        ({"decay_type": "linear", "power": 0}, "power", "a finite number above 0", 0),
        ({"decay_type": "linear", "end": -1}, "end", NONNEGATIVE, -1),
        ({"decay_type": "linear", "linear_end": -1}, "linear_end", NONNEGATIVE, -1),
        ({"steps": 5}, "steps", "a sequence of integers", 5),
        ({"steps": [5], "mults": 0.1}, "mults", "a sequence of numbers", 0.1),
        ({"steps": [5, 5], "mults": [0.1, 0.2]}, "steps", "increasing", [5, 5]),
        ({"steps": [5], "mults": []}, "mults", "as long as `steps` (1)", []),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises(NAME, argument, requirement, got):
        create_learning_rate_schedule(**{"total_steps": 10, **arguments})


def test_unknown_argument_lists_the_known_ones() -> None:
    durations = [
        f"{name}_{unit}" for name in ("warmup", "cooldown") for unit in ("steps", "examples", "epochs", "percent")
    ]
    for decay, own_names in (("cosine", []), ("linear", ["power", "end", "linear_end"]), ("stair", ["steps", "mults"])):
        common = ["total_steps", "batch_size", "data_size", "base", "decay_type", "scale_with_batchsize"]
        takes = ", ".join(f"`{name}`" for name in [*common, *durations, *own_names])
        message = f"{NAME}: no argument `timescale` (got 5); it takes {takes}"
        with pytest.raises(TypeError, match=exactly(message)):
            create_learning_rate_schedule(10, decay_type=decay, timescale=5)


@pytest.mark.parametrize("decay", ["polynomial", "cosine", "rsqrt", "stair"])
def test_jax_and_torch_match_python(decay: str) -> None:
    decay_arguments: dict[str, Any] = {
        "polynomial": {"end": 0.1, "power": 1.5},
        "rsqrt": {"timescale": 13, "shift": 5},
        "stair": {"steps": [30, 50], "mults": [0.3, 0.1]},
    }
    schedule, _ = create_learning_rate_schedule(
        97, decay_type=decay, warmup_steps=11, cooldown_steps=19, **decay_arguments.get(decay, {})
    )
    steps = np.arange(110)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 8 * 2.0**-24  # 4 ulp of values below 1, and 4 for the products
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
