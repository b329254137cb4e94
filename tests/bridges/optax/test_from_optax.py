"""`bridges.optax.from_optax`: functions of optax's count on Python numbers and on arrays of every library."""

import copy
import math
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import funcsched as fs
from bridges.optax import from_optax, to_optax
from bridges.torch import lambda_lr
from tests.bridges.optax.exact import EXAMPLES, STEPS


def saturating(count: Any) -> Any:
    return jnp.where(count < 4, 0.125 * (count + 1), 0.5)


EXPECTED = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
ARRAYS: dict[str, tuple[Any, Any]] = {
    "int64 of NumPy": (np.arange(6), np.float64),
    "uint8 of NumPy": (np.arange(6, dtype=np.uint8), np.float64),
    "float32 of NumPy": (np.arange(6, dtype=np.float32), np.float32),
    "int64 of torch": (torch.arange(6), torch.float32),
    "uint8 of torch": (torch.arange(6, dtype=torch.uint8), torch.float32),
    "float64 of torch": (torch.arange(6, dtype=torch.float64), torch.float64),
    "int32 of JAX": (jnp.arange(6), jnp.float32),
    "float32 of JAX": (jnp.arange(6.0), jnp.float32),
}


@pytest.mark.parametrize(("steps", "dtype"), ARRAYS.values(), ids=ARRAYS)
def test_a_function_runs_on_arrays_of_every_library(steps: Any, dtype: Any) -> None:
    multipliers = from_optax(saturating, 0.5)(steps)
    assert type(multipliers) is type(steps) and multipliers.dtype == dtype and multipliers.tolist() == EXPECTED


@pytest.mark.parametrize("name", ["int64 of NumPy", "int64 of torch", "int32 of JAX"])
def test_a_function_runs_on_arrays_of_every_shape(name: str) -> None:
    steps, _ = ARRAYS[name]
    grid = from_optax(saturating, 0.5)(steps.reshape(2, 3))
    assert grid.shape == (2, 3) and grid.reshape(6).tolist() == EXPECTED
    assert from_optax(saturating, 0.5)(steps[3]).shape == ()
    assert from_optax(saturating, 0.5)(steps[:0]).shape == (0,)


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("kind", [int, float])
def test_a_function_runs_on_python_numbers(kind: Any, step: int) -> None:
    multiplier = from_optax(saturating, 0.5)(kind(step))
    assert type(multiplier) is float and multiplier == EXPECTED[step]


def test_a_function_runs_under_jit_vmap_and_grad() -> None:
    schedule = from_optax(saturating, 0.5)
    assert jax.jit(schedule)(jnp.arange(6)).tolist() == EXPECTED
    assert jax.vmap(schedule)(jnp.arange(6)).tolist() == EXPECTED
    assert jax.grad(schedule)(jnp.float32(1.5)) == 0.25


def test_concrete_steps_give_concrete_values_while_jax_traces() -> None:
    schedule = from_optax(saturating, 0.5)
    assert jax.jit(lambda x: x * schedule(2) * schedule(np.int64(1)))(jnp.float32(8.0)) == 3.0


def test_to_optax_undoes_from_optax() -> None:
    function = to_optax(from_optax(saturating, 0.5), 0.5)
    assert [float(function(jnp.int32(step))) for step in range(6)] == [0.5 * m for m in EXPECTED]
    optimizer = optax.sgd(function)
    change, _ = jax.jit(optimizer.update)(jnp.float32(1.0), optimizer.init(jnp.float32(0.0)))
    assert change == -0.125


@pytest.mark.parametrize("name", ["linear with a begin", "piecewise cosine", "warmup, cosine"])
def test_the_schedules_of_optax_run_on_torch(name: str) -> None:
    factory, args = EXAMPLES[name]
    peer = getattr(optax, factory)(*args)
    multipliers = from_optax(peer, 1e-3)(torch.arange(STEPS)[::13])
    theirs = [float(peer(step)) / 1e-3 for step in range(0, STEPS, 13)]
    # XLA may compile a scalar and a vectorized function differently, so their values may differ slightly.
    assert multipliers.tolist() == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_a_function_with_an_if_runs_on_scalar_steps() -> None:
    schedule = from_optax(half_then_quarter, 0.5)
    assert [schedule(step) for step in (4, 5)] == [schedule(torch.tensor(step)).item() for step in (4, 5)] == [1.0, 0.5]
    assert float(to_optax(schedule, 0.5)(jnp.int32(5))) == 0.25


def half_then_quarter(count: Any) -> float:
    return 0.5 if count < 5 else 0.25


def test_a_function_does_not_run_under_vmap_of_torch() -> None:
    with pytest.raises(RuntimeError):
        torch.func.vmap(from_optax(saturating, 0.5))(torch.arange(3))


def test_a_python_float_that_the_function_returns_is_not_rounded() -> None:
    assert from_optax(optax.constant_schedule(0.3), 0.3)(5) == 1.0


def identity(count: Any) -> Any:
    return count


@pytest.mark.parametrize("step", [2**31 - 1, 2**31, 2**40])
def test_without_x64_counts_saturate_at_the_largest_int32(step: int) -> None:
    schedule = from_optax(identity, 1.0)
    assert [schedule(step), schedule(np.int64(step))] == [2**31 - 1] * 2
    assert schedule(torch.tensor(step)).item() == np.float32(2**31 - 1)
    with jax.enable_x64(True):
        assert [schedule(step), schedule(np.int64(step)), schedule(jnp.int64(step))] == [step] * 3


@pytest.mark.parametrize("step", [-1, np.int64(-7), torch.tensor(-1), jnp.int32(-1), -0.5], ids=repr)
def test_below_step_0_a_function_is_called_with_0(step: Any) -> None:
    assert float(from_optax(saturating, 0.5)(step)) == 0.25


def test_a_nan_step_gives_a_nan_multiplier() -> None:
    for step in (math.nan, np.float64("nan"), torch.tensor(math.nan), jnp.float32(math.nan)):
        assert math.isnan(float(from_optax(saturating, 0.5)(step)))


def test_the_schedule_is_an_immutable_hashable_picklable_value() -> None:
    schedule = from_optax(saturating, 0.5)
    copies = pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), from_optax(saturating, np.float64(0.5))
    for other in copies:
        assert other == schedule and hash(other) == hash(schedule) and other(1) == 0.5
    assert schedule != from_optax(saturating, 0.25) and schedule != from_optax(identity, 0.5)
    assert repr(schedule) == f"from_optax(function={saturating!r}, peak_value=0.5)"
    with pytest.raises(AttributeError):
        schedule.peak_value = 1.0


def test_the_schedule_is_a_pytree_without_leaves() -> None:
    schedule = from_optax(saturating, 0.5)
    assert jax.tree.leaves(schedule) == []
    assert jax.jit(lambda schedule: schedule(jnp.int32(1)))(schedule) == 0.5


def test_a_torch_optimizer_uses_a_function_of_jax() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler, used = lambda_lr(optimizer, fs.shift(from_optax(saturating, 0.5), 1)), []
    for _ in range(5):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert used == [0.25, 0.375, 0.5, 0.5, 0.5]
