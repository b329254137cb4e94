"""`to_optax` in the optimizers of optax: the rates that they use, in training loops and compared with torch."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import funcsched as fs
from bridges.optax import to_optax
from bridges.torch import lambda_lr
from tests import oracle
from tests.bridges.optax.curves import CASES, COMPILE, SOME, halved_after_5
from tests.stacks.curves import PEAK, TOLERANCE, UPDATES, max_ulps


def update_sizes(optimizer: optax.GradientTransformation, update: Callable) -> list[float]:
    """The size of each update with a gradient of 1. Every update starts from 0, so that its size is not rounded."""
    parameter = jnp.float32(0.0)
    state = optimizer.init(parameter)
    sizes = []
    for _ in range(UPDATES):
        change, state = update(jnp.float32(1.0), state, parameter)
        sizes.append(-float(optax.apply_updates(parameter, change)))
    return sizes


# With a constant gradient of 1, the update of each optimizer is the rate: Lion uses the sign of the gradient, and with
# these decays Adam multiplies by (1 - 2**-k) / (1 - 2**-k), which is exact.
OPTIMIZERS = {
    "sgd": optax.sgd,
    "lion": lambda rate: optax.lion(rate, weight_decay=0.0),
    "adamw": lambda rate: optax.adamw(rate, b1=0.5, b2=0.5, eps=0.0, weight_decay=0.0),
    "scale_by_learning_rate": optax.scale_by_learning_rate,
    "inject_hyperparams": lambda rate: optax.inject_hyperparams(optax.sgd)(learning_rate=rate),
    "scale_by_schedule": lambda rate: optax.scale_by_schedule(to_optax(rate.schedule, -rate.peak_value)),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("name", CASES)
def test_update_k_of_an_optimizer_uses_the_rate_of_step_k(name: str, make: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = make(to_optax(schedule, PEAK))
    assert max_ulps(update_sizes(optimizer, optimizer.update), exact) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_update_k_of_a_jitted_optimizer_uses_the_rate_of_step_k(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.sgd(to_optax(schedule, PEAK))
    assert max_ulps(update_sizes(optimizer, jax.jit(optimizer.update)), exact) <= TOLERANCE


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("name", SOME)
def test_an_optimizer_in_a_scan_uses_the_rate(name: str, make: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = make(to_optax(schedule, PEAK))

    def update(state: Any, _: None) -> tuple[Any, Any]:
        change, state = optimizer.update(jnp.float32(1.0), state, jnp.float32(0.0))
        return state, -change

    _, updates = jax.lax.scan(update, optimizer.init(jnp.float32(0.0)), length=UPDATES)
    assert max_ulps(updates.tolist(), exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_inject_hyperparams_records_the_rate_of_every_update(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    parameter = jnp.float32(0.0)
    state, update, used = optimizer.init(parameter), compile(optimizer.update), []
    for _ in range(UPDATES):
        _, state = update(jnp.float32(1.0), state, parameter)
        used.append(float(state.hyperparams["learning_rate"]))
    assert max_ulps(used, exact) <= TOLERANCE


def test_inject_hyperparams_records_the_first_rate_before_the_first_update() -> None:
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(fs.ramp(0.25, 1.0, steps=4), 0.5))
    assert float(optimizer.init(jnp.float32(0.0)).hyperparams["learning_rate"]) == 0.125


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
def test_scale_by_schedule_descends_with_a_negative_peak(compile: Callable) -> None:
    optimizer = optax.scale_by_schedule(to_optax(fs.warmup_linear(4, 8), -0.5))
    update, state = compile(optimizer.update), optimizer.init(jnp.float32(0.0))
    changes = []
    for _ in range(9):
        change, state = update(jnp.float32(1.0), state)
        changes.append(float(change))
    assert changes == [-0.5 * m for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0)]


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("step", range(26))
def test_optax_joins_two_schedules_of_this_library(step: int, compile: Callable) -> None:
    first, second = CASES["warmup_linear"], CASES["warmup_cosine"]
    joined = optax.join_schedules([to_optax(first[0], PEAK), to_optax(second[0], 0.25)], [8])
    exact = PEAK * first[1](step) if step < 8 else 0.25 * second[1](step - 8)
    assert oracle.ulps(float(compile(joined)(jnp.int32(step))), exact, 24) <= TOLERANCE


@pytest.mark.parametrize("step", range(26))
def test_optax_joins_a_schedule_of_this_library_to_its_own(step: int) -> None:
    joined = optax.join_schedules([optax.constant_schedule(0.125), to_optax(fs.warmup_linear(4, 8), 0.5)], [8])
    linear = max(0.0, min((step - 8) / 4, (16 - step) / 4))
    assert float(joined(jnp.int32(step))) == (0.125 if step < 8 else 0.5 * linear)


def test_an_eager_optimizer_runs_a_plain_function_with_an_if() -> None:
    optimizer = optax.sgd(to_optax(halved_after_5, 0.5))
    assert update_sizes(optimizer, optimizer.update) == [0.5] * 5 + [0.25] * (UPDATES - 5)


# optax and torch with the same schedule, on one scalar parameter with a gradient of 1.

RECIPES = ["constant", "warmup_constant", "warmup_linear", "warmup_cosine", "warmup_cosine_restarts"]


def optax_rates(schedule: Any) -> tuple[list[float], list[float]]:
    """The size of every update, and the rate that the optimizer records for it."""
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(schedule, PEAK))
    parameter = jnp.float32(0.0)
    state, sizes, recorded = optimizer.init(parameter), [], []
    for _ in range(UPDATES):
        change, state = optimizer.update(jnp.float32(1.0), state, parameter)
        sizes.append(float(parameter - optax.apply_updates(parameter, change)))
        recorded.append(float(state.hyperparams["learning_rate"]))
    return sizes, recorded


def torch_rates(schedule: Any) -> tuple[list[float], list[float]]:
    parameter = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    scheduler = lambda_lr(optimizer, schedule)
    sizes, recorded = [], []
    for _ in range(UPDATES):
        parameter.detach().zero_()
        optimizer.zero_grad()
        parameter.backward()  # its gradient with respect to itself is 1
        recorded.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        sizes.append(-parameter.item())
    return sizes, recorded


# torch rounds a float64 rate once. JAX computes in float32, with one rounding in constant and linear schedules, and the
# guaranteed accuracy in a cosine.
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("which", [0, 1], ids=["used", "recorded"])
def test_optax_and_torch_use_the_exact_rate_at_every_update(name: str, which: int) -> None:
    schedule, exact = CASES[name]
    optax_error, torch_error = (
        max_ulps(optax_rates(schedule)[which], exact),
        max_ulps(torch_rates(schedule)[which], exact),
    )
    assert optax_error <= (TOLERANCE if "cosine" in name else 1) and torch_error <= 1


@pytest.mark.parametrize("name", RECIPES)
def test_optax_and_torch_use_the_same_rate_at_every_update(name: str) -> None:
    ours, theirs = (np.array(rates(CASES[name][0])[0]) for rates in (optax_rates, torch_rates))
    assert (np.abs(ours - theirs) <= (TOLERANCE + 1) * np.spacing(theirs.astype(np.float32))).all()


@pytest.mark.parametrize("name", RECIPES)
def test_optax_and_torch_record_the_rate_they_use(name: str) -> None:
    for used, recorded in (optax_rates(CASES[name][0]), torch_rates(CASES[name][0])):
        assert np.array_equal(np.float32(used), np.float32(recorded))


# Training loops.


def loss(weight: jax.Array) -> jax.Array:
    return jnp.sum((weight - jnp.array([1.0, -2.0, 3.0])) ** 2)


@pytest.mark.parametrize("name", CASES)
def test_a_scanned_training_loop_uses_the_exact_rates(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=to_optax(schedule, PEAK))

    def update(carry: tuple[jax.Array, Any], _: None) -> tuple[tuple[jax.Array, Any], jax.Array]:
        weight, state = carry
        change, state = optimizer.update(jax.grad(loss)(weight), state)
        return (optax.apply_updates(weight, change), state), state.hyperparams["learning_rate"]

    weight = jnp.zeros(3)
    _, used = jax.lax.scan(update, (weight, optimizer.init(weight)), length=UPDATES)
    assert max_ulps(used.tolist(), exact) <= TOLERANCE
