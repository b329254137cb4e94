"""Negative learning rates, which optax's schedules accept, for example for `optax.scale_by_schedule`."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from bridges import optax as bridge
from bridges.optax import to_optax
from tests.backends import x64

STEPS = np.arange(130)
EXPONENTIALS = [
    ("exponential_decay", (first, 20, rate, begin, False, end), {})
    for first in (-1.0, 1.0)
    for rate in (0.5, 2.0)
    for begin, end in ((0, None), (7, -0.5), (0, -2.0), (7, 0.5), (0, 2.0))
]
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("constant_schedule", (-0.1,), {}),
    ("linear_schedule", (1.0, -2.0, 100), {}),
    ("linear_schedule", (-1.0, -2.0, 100, 10), {}),
    ("polynomial_schedule", (-1.0, 2.0, 2, 100), {}),
    ("cosine_decay_schedule", (-0.5, 100), {"alpha": -0.5}),
    ("piecewise_constant_schedule", (-0.1,), {}),
    ("piecewise_constant_schedule", (-0.1, {10: 0.5, 20: 4.0}), {}),
    ("piecewise_interpolate_schedule", ("cosine", -1.0, {50: 2.0, 100: 0.0}), {}),
    ("warmup_cosine_decay_schedule", (0.0, 1.0, 10, 100), {"end_value": -3.0}),
    ("warmup_cosine_decay_schedule", (-0.1, -1.0, 10, 100), {"end_value": -0.5}),
    ("warmup_constant_schedule", (-1.0, 1.0, 10), {}),
    ("warmup_exponential_decay_schedule", (-0.1, -1.0, 10, 20, 0.5), {}),
    ("warmup_exponential_decay_schedule", (0.1, -1.0, 10, 20, 0.5), {"end_value": -0.2}),
    ("cosine_onecycle_schedule", (100, -1.0), {}),
    ("linear_onecycle_schedule", (100, -1.0), {}),
    *EXPONENTIALS,
]


@pytest.mark.parametrize(("name", "arguments", "keywords"), CALLS, ids=str)
def test_negative_rates_are_those_of_optax(name: str, arguments: Any, keywords: Any) -> None:
    rated = getattr(bridge, name)(*arguments, **keywords)
    with x64():
        peer = getattr(optax, name)(*arguments, **keywords)
        expected = [float(peer(jnp.int64(step))) for step in STEPS[::3]]
        values = to_optax(*rated)(jnp.asarray(STEPS[::3])).tolist()
    assert values == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_joined_schedules_may_be_negative() -> None:
    schedule, peak = bridge.join_schedules([bridge.constant_schedule(-1.0), bridge.linear_schedule(1.0, 0.0, 10)], [20])
    assert [peak * schedule(step) for step in (0, 19, 20, 25, 30)] == [-1.0, -1.0, 1.0, 0.5, 0.0]
    schedule, peak = bridge.join_schedules([bridge.constant_schedule(-2.0), optax.constant_schedule(0.5)], [20])
    assert [peak * schedule(step) for step in (0, 20)] == [-2.0, 0.5]
