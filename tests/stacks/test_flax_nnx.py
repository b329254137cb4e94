"""Schedules in Flax NNX: the rates that `nnx.Optimizer` uses, what it logs, and schedules inside of modules."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import funcsched as fs
from bridges.optax import to_optax
from examples.stacks import flax_nnx as example
from tests import oracle
from tests.stacks.curves import CASES, PEAK, TOLERANCE, UPDATES

COMPILE = {"eager": lambda function: function, "nnx.jit": nnx.jit}


class Slopes(nnx.Module):
    """Two parameters, the loss of which has a gradient of 1 by each."""

    def __init__(self) -> None:
        self.weight = nnx.Param(jnp.zeros(3))
        self.bias = nnx.Param(jnp.zeros(()))

    def __call__(self) -> jax.Array:
        return self.weight.sum() + self.bias[...]


def train_step(model: Slopes, optimizer: nnx.Optimizer) -> None:
    optimizer.update(model, nnx.grad(lambda model: model())(model))


def rate_told(optimizer: nnx.Optimizer) -> float:
    return float(optimizer.opt_state.hyperparams["learning_rate"][...])


def moves(model: Slopes, optimizer: nnx.Optimizer, step: Callable, updates: int = UPDATES) -> list[tuple[float, float]]:
    """How far the weight and the bias go down at each update, from 0 each time, and so without a rounding."""
    moved = []
    for _ in range(updates):
        model.weight[...] = jnp.zeros(3)
        model.bias[...] = jnp.zeros(())
        step(model, optimizer)
        moved.append((-float(model.weight[0]), -float(model.bias[...])))
    return moved


def worst(used: list[float], exact: oracle.Curve, peak: float = PEAK) -> float:
    """The largest error in ulps of float32 of the rates at updates 0, 1, 2, ..."""
    return max(oracle.ulps(rate, peak * exact(update), 24) for update, rate in enumerate(used))


def injected(schedule: fs.Schedule, make: Callable = optax.sgd) -> Any:
    return optax.inject_hyperparams(make)(learning_rate=to_optax(schedule, PEAK))


# The rates in use.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_update_k_moves_the_parameters_by_the_rate_of_step_k(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    model = Slopes()
    moved = moves(model, nnx.Optimizer(model, optax.sgd(to_optax(schedule, PEAK)), wrt=nnx.Param), compile(train_step))
    assert worst([weight for weight, _ in moved], exact) <= TOLERANCE
    assert worst([bias for _, bias in moved], exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_the_rate_in_the_state_is_that_of_the_update_just_made(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    model = Slopes()
    optimizer, step, used, told = nnx.Optimizer(model, injected(schedule), wrt=nnx.Param), compile(train_step), [], []
    for _ in range(UPDATES):
        used += [bias for _, bias in moves(model, optimizer, step, updates=1)]
        told.append(rate_told(optimizer))
    assert told == used and worst(told, exact) <= TOLERANCE


def test_the_rate_in_the_state_of_a_new_optimizer_is_that_of_the_first_update() -> None:
    optimizer = nnx.Optimizer(Slopes(), injected(fs.ramp(0.25, 1.0, steps=4)), wrt=nnx.Param)
    assert rate_told(optimizer) == 0.5 * 0.25


def test_the_schedule_of_the_step_of_the_optimizer_is_the_rate_of_the_next_update() -> None:
    model, rate = Slopes(), to_optax(fs.warmup_linear(4, 8), PEAK)
    optimizer, foretold = nnx.Optimizer(model, optax.sgd(rate), wrt=nnx.Param), []
    for _ in range(10):
        foretold.append(float(rate(optimizer.step[...])))
        moves(model, optimizer, train_step, updates=1)
    assert foretold == [PEAK * m for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0)]


def test_a_run_compiles_once() -> None:
    traces, model = [], Slopes()
    step = nnx.jit(lambda model, optimizer: traces.append(1) or train_step(model, optimizer))
    moves(model, nnx.Optimizer(model, injected(CASES["join"][0]), wrt=nnx.Param), step)
    assert len(traces) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_split_optimizer_uses_the_rates_inside_a_scan(name: str) -> None:
    schedule, exact = CASES[name]
    model = Slopes()
    graph, state = nnx.split((model, nnx.Optimizer(model, injected(schedule), wrt=nnx.Param)))

    def update(state: Any, _: None) -> tuple[Any, Any]:
        model, optimizer = nnx.merge(graph, state)
        model.bias[...] = jnp.zeros(())
        train_step(model, optimizer)
        return nnx.state((model, optimizer)), -model.bias[...]

    _, used = jax.lax.scan(update, state, length=UPDATES)
    assert worst(used.tolist(), exact) <= TOLERANCE


def test_groups_of_parameters_follow_a_schedule_each() -> None:
    (first, exact_first), (second, exact_second) = CASES["warmup_linear"], CASES["warmup_cosine"]
    transform = optax.partition(
        {"weight": optax.sgd(to_optax(first, PEAK)), "bias": optax.sgd(to_optax(second, 0.25))},
        lambda state: jax.tree.map_with_path(lambda path, _: path[0].key, state),
    )
    model = Slopes()
    moved = moves(model, nnx.Optimizer(model, transform, wrt=nnx.Param), nnx.jit(train_step))
    assert worst([weight for weight, _ in moved], exact_first) <= TOLERANCE
    assert worst([bias for _, bias in moved], exact_second, 0.25) <= TOLERANCE


def accumulated() -> tuple[list[float], nnx.Optimizer]:
    """The moves of 12 batches, of which two and two make an update, on a warmup over 4 updates."""
    model = Slopes()
    transform = optax.MultiSteps(optax.sgd(to_optax(fs.warmup_linear(4, 6), PEAK)), every_k_schedule=2)
    optimizer = nnx.Optimizer(model, transform.gradient_transformation(), wrt=nnx.Param)
    return [bias for _, bias in moves(model, optimizer, nnx.jit(train_step), updates=12)], optimizer


def test_with_accumulated_gradients_the_schedule_counts_updates() -> None:
    used, _ = accumulated()
    assert used == [rate for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.5) for rate in (0.0, PEAK * m)]


def test_with_accumulated_gradients_the_step_of_the_optimizer_counts_batches() -> None:
    _, optimizer = accumulated()
    assert (int(optimizer.step[...]), int(optimizer.opt_state.gradient_step[...])) == (12, 6)


# Runs that stop and resume.


def started() -> tuple[Slopes, nnx.Optimizer]:
    model = Slopes()
    return model, nnx.Optimizer(model, injected(CASES["warmup_cosine"][0], optax.adamw), wrt=nnx.Param)


def told_by(model: Slopes, optimizer: nnx.Optimizer, updates: int) -> list[float]:
    step, told = nnx.jit(train_step), []
    for _ in range(updates):
        step(model, optimizer)
        told.append(rate_told(optimizer))
    return told


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[float], list[float]]:
    model, optimizer = started()
    return told_by(model, optimizer, UPDATES), model.weight.tolist()


@pytest.mark.parametrize("stop", [0, 3, 4, 11])
def test_a_run_resumed_from_plain_arrays_goes_on_bit_for_bit(stop: int, uninterrupted: Any) -> None:
    model, optimizer = started()
    told = told_by(model, optimizer, stop)
    saved = jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state((model, optimizer))))
    model, optimizer = started()
    state = nnx.state((model, optimizer))
    nnx.replace_by_pure_dict(state, saved)
    nnx.update((model, optimizer), state)
    told += told_by(model, optimizer, UPDATES - stop)
    assert (told, model.weight.tolist()) == uninterrupted


# Schedules inside of modules.


class Mixture(nnx.Module):
    """A module that mixes noise in by a schedule of its own."""

    def __init__(self, schedule: Any) -> None:
        self.weight = nnx.Param(jnp.float32(2.0))
        self.count = nnx.Variable(jnp.int32(5))
        self.schedule = schedule

    def __call__(self) -> jax.Array:
        return self.weight[...] * self.schedule(self.count[...])


def outputs(wrap: Callable, **options: Any) -> tuple[list[float], int]:
    """What modules with horizons of 10, 20, 40 and again 10 give, and how often that is compiled."""
    traces: list[int] = []
    call = nnx.jit(lambda module: traces.append(1) or module(), **options)
    return [float(call(Mixture(wrap(fs.warmup_linear(0, total))))) for total in (10, 20, 40, 10)], len(traces)


def arrays(schedule: Any) -> Any:
    return jax.tree.map(jnp.asarray, schedule)


EXPECTED = [2 * (total - 5) / total for total in (10, 20, 40, 10)]


def test_a_schedule_in_a_module_is_static_and_compiles_once_for_each_horizon() -> None:
    assert outputs(lambda schedule: schedule) == (EXPECTED, 3)


def test_a_schedule_of_python_numbers_is_static_also_as_data() -> None:
    assert outputs(nnx.data) == (EXPECTED, 3)


def test_a_schedule_of_arrays_as_data_compiles_once_for_all_horizons() -> None:
    assert outputs(lambda schedule: nnx.data(arrays(schedule))) == (EXPECTED, 1)


def test_a_schedule_as_data_compiles_once_for_all_horizons_without_graph_mode() -> None:
    assert outputs(nnx.data, graph=False) == (EXPECTED, 1)


def test_a_schedule_as_an_argument_of_nnx_jit_compiles_once_for_all_horizons() -> None:
    traces: list[int] = []
    call = nnx.jit(lambda schedule: traces.append(1) or schedule(jnp.int32(5)))
    values = [2 * float(call(fs.warmup_linear(0, total))) for total in (10, 20, 40, 10)]
    assert (values, len(traces)) == (EXPECTED, 1)


def test_a_bridged_schedule_as_an_argument_of_nnx_jit_compiles_once_for_all_horizons() -> None:
    traces: list[int] = []
    call = nnx.jit(lambda rate: traces.append(1) or rate(jnp.int32(5)))
    values = [float(call(to_optax(fs.warmup_linear(0, total), 2.0))) for total in (10, 20, 40, 10)]
    assert (values, len(traces)) == (EXPECTED, 1)


def test_a_schedule_of_arrays_must_be_marked_as_data() -> None:
    with pytest.raises(ValueError, match="static attribute 'schedule'"):
        Mixture(arrays(fs.warmup_linear(0, 10)))


@pytest.mark.parametrize(
    "wrap", [lambda s: s, nnx.data, lambda s: nnx.data(arrays(s))], ids=["static", "data", "arrays"]
)
def test_a_schedule_in_a_module_is_not_trained(wrap: Callable) -> None:
    model = Mixture(wrap(fs.warmup_linear(0, 10, end=0.5)))
    optimizer = nnx.Optimizer(model, optax.sgd(1.0), wrt=nnx.Param)
    optimizer.update(model, nnx.grad(lambda model: model())(model))
    assert float(model.weight[...]) == 2.0 - 0.75 and model.schedule == fs.warmup_linear(0, 10, end=0.5)


def test_horizons_are_swept_by_vmap_with_an_optimizer_for_each() -> None:
    def trained(total: Any) -> jax.Array:
        model = Slopes()
        optimizer = nnx.Optimizer(model, optax.sgd(to_optax(fs.warmup_linear(0, total), PEAK)), wrt=nnx.Param)
        for _ in range(3):
            train_step(model, optimizer)
        return model.bias[...]

    ends = nnx.vmap(trained)(jnp.array([4, 8, 16]))
    assert ends.tolist() == [-PEAK * sum((total - step) / total for step in range(3)) for total in (4, 8, 16)]


# The example.


def test_the_example_logs_the_rates_of_its_schedule_and_learns() -> None:
    rates, losses = example.main()
    assert worst(rates, oracle.warmup_cosine(10, 60, 0.0, 0.1), example.PEAK) <= TOLERANCE + 1
    assert len(rates) == 60 and sum(losses[-10:]) < 0.2 * sum(losses[:10])
