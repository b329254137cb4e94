"""`then` with traced arguments: the schedule is evaluated at a traced boundary."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcsched as fs
from bridges.jax import register  # noqa: F401  (registers schedules as pytrees)
from tests.cases import CASES

CASE = next(case for case in CASES if case.text == "warmup_cosine_linear(10, 100, 20)")


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_a_recipe_with_a_cooldown_can_be_an_argument_of_a_jitted_function(dtype: str) -> None:
    steps = np.arange(121, dtype=dtype)
    values = jax.jit(lambda schedule, step: schedule(step))(CASE.schedule, jnp.asarray(steps))
    for step, value in zip(steps, np.asarray(values, dtype=np.float64), strict=True):
        exact = float(CASE.exact(int(step)))
        assert abs(value - exact) <= 4 * np.spacing(np.float32(exact)), step


def test_the_end_of_the_cosine_before_a_cooldown_can_be_traced() -> None:
    value = jax.jit(lambda end: fs.warmup_cosine_linear(10, 100, 20, cosine_end=end)(80))(0.5)
    exact = 0.5 + 0.25 * (1 + math.cos(math.pi * 70 / 90))
    assert abs(float(value) - exact) <= 4 * np.spacing(np.float32(exact))
