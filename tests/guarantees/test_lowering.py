"""Schedules lower for CUDA, ROCm and TPU without the hardware, and without callbacks to Python."""

import jax
import jax.numpy as jnp
import pytest
from jax import export

import bridges.jax  # noqa: F401  (registers schedules as pytrees)
import funcsched as fs
from tests.backends import x64
from tests.cases import ONE_OF_EACH, Case

PLATFORMS = ["cpu", "cuda", "rocm", "tpu"]

each_case = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
@each_case
def test_every_schedule_lowers_for_every_platform(case: Case, dtype: str) -> None:
    step = jax.ShapeDtypeStruct((), dtype)
    module = export.export(jax.jit(case.schedule), platforms=PLATFORMS)(step)
    assert module.platforms == tuple(PLATFORMS)


@each_case
def test_no_schedule_calls_back_to_python(case: Case) -> None:
    text = jax.jit(case.schedule).lower(jnp.int32(0)).as_text()
    assert "custom_call" not in text
    assert "callback" not in text


def test_a_callback_shows_in_the_lowered_text() -> None:
    def calls_back(step):
        return jax.pure_callback(lambda s: s, jax.ShapeDtypeStruct((), "int32"), step)

    text = jax.jit(calls_back).lower(jnp.int32(0)).as_text()
    assert "custom_call" in text
    assert "callback" in text


def test_a_schedule_with_traced_parameters_lowers_for_every_platform() -> None:
    def evaluate(schedule, step):
        return schedule(step)

    schedule = jax.tree.map(jnp.asarray, fs.warmup_cosine(10, 100, end=0.1))
    module = jax.jit(evaluate).trace(schedule, jnp.int32(3)).lower(lowering_platforms=tuple(PLATFORMS))
    assert "sine" in module.as_text()


def test_a_schedule_lowers_for_every_platform_under_x64() -> None:
    with x64():
        step = jax.ShapeDtypeStruct((4,), "int64")
        module = export.export(jax.jit(fs.warmup_cosine(10, 3 * 10**9)), platforms=PLATFORMS)(step)
    assert module.platforms == tuple(PLATFORMS)
    assert module.out_avals[0].dtype == "float64"
