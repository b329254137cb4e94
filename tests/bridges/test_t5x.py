"""`bridges.t5x` compared with the formulas of T5X in mpmath, and with values computed by hand.

The bridge computes in float64. It has three roundings for the levels, an error of at most 4 ulp (8 roundings) for each
of up to four factors, three roundings for their products, and one for the product with the peak: at most 39. The
largest observed error is 24. "linear_decay" may reach 0 between two steps. There the error is up to 4 ulp of the peak,
because the ramp does not end at 0.
"""

from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from bridges.t5x import create_learning_rate_scheduler
from tests.errors import raises

RELATIVE = 24 * 2.0**-53
mpmath.mp.prec = 300


def factor(name: str, s: int, base: mpf, warmup: int, decay: float, every: int, cycle: int) -> mpf:
    if name == "constant":
        return base
    if name == "linear_warmup":
        return min(mpf(1), mpf(s) / warmup) if warmup else mpf(1)
    if name == "linear_decay":
        rise = mpf(s) / warmup if s < warmup else mpf(1)
        return base * max(mpf(0), min(rise, 1 - mpf(decay) * (s - warmup)))
    if name == "rsqrt_decay":
        return 1 / mpmath.sqrt(max(s, warmup))
    if name == "rsqrt_normalized_decay":
        return mpmath.sqrt(mpf(warmup) / max(s, warmup))
    if name == "decay_every":
        return mpf(decay) ** (s // every)
    assert name == "cosine_decay"
    return (1 + mpmath.cos(mpmath.pi * (max(0, s - warmup) % cycle) / cycle)) / 2


def exact(step: int, names: list[str], offset: int, lowest: float, **arguments: Any) -> mpf:
    rate = mpf(1)
    for name in names:
        rate *= factor(name, max(0, step - offset), **arguments)
    return max(rate, mpf(lowest))


NAMES = ["constant", "linear_warmup", "rsqrt_decay", "rsqrt_normalized_decay", "decay_every", "cosine_decay"]


@settings(max_examples=300)
@given(
    names=st.lists(st.sampled_from([*NAMES, "linear_decay"]), min_size=1, max_size=4),
    base=st.sampled_from([1.0, 0.5, 3e-3]),
    warmup=st.integers(1, 40),
    decay=st.sampled_from([1.0, 0.5, 0.1, 0.03, 0.3, 1e-9]),
    every=st.integers(1, 50),
    cycle=st.integers(1, 50),
    offset=st.integers(0, 20),
    lowest=st.sampled_from([0.0, 1e-8, 1e-3]),
)
def test_formula_at_every_step(
    names: list[str], base: float, warmup: int, decay: float, every: int, cycle: int, offset: int, lowest: float
) -> None:
    schedule, peak_value = create_learning_rate_scheduler(
        "*".join(names), base, warmup, decay, every, cycle, offset, lowest
    )
    assert peak_value == pytest.approx(
        base ** sum(name in ("constant", "linear_decay") for name in names), rel=RELATIVE
    )
    absolute = 4 * 2.0**-53 * peak_value if "linear_decay" in names else 2e-323  # for subnormal values
    arguments: dict[str, Any] = {"base": mpf(base), "warmup": warmup, "decay": decay, "every": every, "cycle": cycle}
    for step in range(160):
        expected = exact(step, names, offset, lowest, **arguments)
        assert abs(mpf(peak_value * schedule(step)) - expected) <= RELATIVE * expected + absolute, step


BY_HAND = [
    ({}, {0: 1e-8, 500: 0.25 * 1000**-0.5, 1000: 0.5 * 1000**-0.5, 10_000: 0.005, 1_000_000: 0.0005}),
    ({"factors": "constant"}, {0: 0.5, 10**6: 0.5}),
    ({"factors": " constant*constant "}, {0: 0.25, 10**6: 0.25}),
    ({"factors": "linear_warmup", "warmup_steps": 4}, {0: 1e-8, 1: 0.25, 4: 1.0, 5: 1.0}),
    ({"factors": "linear_warmup", "warmup_steps": 0}, {0: 1.0, 1: 1.0}),
    ({"factors": "linear_decay", "warmup_steps": 2}, {0: 1e-8, 1: 0.25, 2: 0.5, 3: 0.25, 4: 1e-8, 5: 1e-8}),
    ({"factors": "linear_decay", "warmup_steps": 0, "decay_factor": 0.25}, {0: 0.5, 1: 0.375, 3: 0.125, 4: 1e-8}),
    ({"factors": "linear_decay", "warmup_steps": 2, "decay_factor": 0.375}, {2: 0.5, 4: 0.125, 5: 1e-8, 99: 1e-8}),
    ({"factors": "linear_decay", "warmup_steps": 2, "decay_factor": 2}, {1: 0.25, 2: 0.5, 3: 1e-8}),
    ({"factors": "linear_decay", "warmup_steps": 2, "decay_factor": 0}, {1: 0.25, 2: 0.5, 10**9: 0.5}),
    ({"factors": "constant * rsqrt_decay", "warmup_steps": 4}, {0: 0.25, 4: 0.25, 16: 0.125}),
    ({"factors": "constant * rsqrt_normalized_decay", "warmup_steps": 4}, {0: 0.5, 4: 0.5, 16: 0.25}),
    ({"factors": "constant * decay_every", "steps_per_decay": 5}, {4: 0.5, 5: 0.25, 10: 0.125}),
    ({"factors": "constant * decay_every"}, {19_999: 0.5, 20_000: 0.25, 40_000: 0.125}),
    (
        {"factors": "cosine_decay", "warmup_steps": 3, "steps_per_cycle": 6},
        {0: 1.0, 3: 1.0, 5: 0.75, 6: 0.5, 7: 0.25, 9: 1.0, 12: 0.5, 15: 1.0},
    ),
    ({"factors": "cosine_decay", "warmup_steps": 0}, {0: 1.0, 50_000: 0.5, 100_000: 1.0}),
    ({"factors": "constant * linear_warmup", "warmup_steps": 4, "step_offset": 10}, {0: 1e-8, 10: 1e-8, 11: 0.125}),
    ({"factors": "cosine_decay", "step_offset": 10, "min_learning_rate": 2.0}, {0: 2.0, 10: 2.0, 5000: 2.0}),
]


@pytest.mark.parametrize(("arguments", "values"), BY_HAND)
def test_values_by_hand(arguments: dict, values: dict[int, float]) -> None:
    schedule, peak_value = create_learning_rate_scheduler(**arguments)
    assert {step: peak_value * schedule(step) for step in values} == pytest.approx(values, rel=RELATIVE, abs=0.0)


def test_no_warmup_where_t5x_is_nan_or_infinite_at_step_0() -> None:
    zero = jnp.float32(0.0)
    assert jnp.isnan(jnp.maximum(jnp.minimum(1.0, zero / 0), 1e-8))
    assert jnp.isnan(jnp.sqrt(zero) / jnp.sqrt(jnp.maximum(zero, 0)))
    assert jnp.isinf(1.0 / jnp.sqrt(jnp.maximum(zero, 0)))
    for factors in ("linear_warmup", "linear_decay"):
        schedule, peak_value = create_learning_rate_scheduler(f"{factors} * constant", 1.0, 0)
        assert peak_value * schedule(0) == 1.0


def test_two_linear_decays_stay_0_where_t5x_rises_again() -> None:
    """With one warmup step and a slope of 1, both factors of T5X are -3 at step 5, and their product is 9."""
    schedule, _ = create_learning_rate_scheduler("linear_decay * linear_decay", 1.0, 1, decay_factor=1.0)
    assert [schedule(step) for step in (1, 2, 3, 5)] == [1.0, 1e-8, 1e-8, 1e-8]


NONNEGATIVE_INT, POSITIVE_INT = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
FACTOR_NAMES = (
    "one of 'constant', 'cosine_decay', 'decay_every', 'linear_decay', 'linear_warmup', 'rsqrt_decay', "
    "'rsqrt_normalized_decay'"
)


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"factors": ["constant"]}, "factors", "a string", ["constant"]),
        ({"factors": "constant * rsqrt"}, "factors", FACTOR_NAMES, "rsqrt"),
        ({"factors": ""}, "factors", FACTOR_NAMES, ""),
        ({"base_learning_rate": 0.0}, "base_learning_rate", "a finite number above 0", 0.0),
        ({"warmup_steps": -1}, "warmup_steps", NONNEGATIVE_INT, -1),
        ({"warmup_steps": 0}, "warmup_steps", POSITIVE_INT, 0),
        ({"factors": "rsqrt_normalized_decay", "warmup_steps": 0}, "warmup_steps", POSITIVE_INT, 0),
        ({"step_offset": -1}, "step_offset", NONNEGATIVE_INT, -1),
        ({"min_learning_rate": -1.0}, "min_learning_rate", "a number from 0 to 1.7e38", -1.0),
        ({"factors": "decay_every", "decay_factor": 1.5}, "decay_factor", "a number from 1e-30 to 1", 1.5),
        ({"factors": "decay_every", "decay_factor": 0}, "decay_factor", "a number from 1e-30 to 1", 0.0),
        ({"factors": "decay_every", "steps_per_decay": 0}, "steps_per_decay", POSITIVE_INT, 0),
        ({"factors": "linear_decay", "decay_factor": -1}, "decay_factor", "a number from 0 to 1.7e38", -1),
        ({"factors": "linear_decay", "decay_factor": 1e-10}, "decay_factor", "0 or a number from 1e-9 to 1e30", 1e-10),
        ({"factors": "cosine_decay", "steps_per_cycle": 0.5}, "steps_per_cycle", POSITIVE_INT, 0.5),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises("create_learning_rate_scheduler", argument, requirement, got):
        create_learning_rate_scheduler(**arguments)


@pytest.mark.parametrize("factors", ["linear_decay", "linear_warmup * rsqrt_decay", "decay_every * cosine_decay"])
def test_jax_and_torch_match_python(factors: str) -> None:
    schedule, _ = create_learning_rate_scheduler(factors, 0.1, 13, 0.03, 17, 40, 5)
    steps = np.arange(110)
    expected = np.array([schedule(int(step)) for step in steps])
    float32 = 8 * 2.0**-24  # 4 ulp of values below 1, and 4 for the products
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
