"""Schedules in Flax NNX: the learning rates of `nnx.Optimizer`, the recorded rates, and schedules in modules."""

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
from tests.stacks.curves import CASES, PEAK, TOLERANCE, UPDATES, max_ulps
from tests.stacks.jax_helpers import to_arrays

COMPILE = {"eager": lambda function: function, "nnx.jit": nnx.jit}


class Linear(nnx.Module):
    """A model with two parameters, whose gradients are 1."""

    def __init__(self) -> None:
        self.weight = nnx.Param(jnp.zeros(3))
        self.bias = nnx.Param(jnp.zeros(()))

    def __call__(self) -> jax.Array:
        return self.weight.sum() + self.bias[...]


def train_step(model: Linear, optimizer: nnx.Optimizer) -> None:
    optimizer.update(model, nnx.grad(lambda model: model())(model))


def applied_rates(
    model: Linear, optimizer: nnx.Optimizer, step: Callable, updates: int = UPDATES
) -> list[tuple[float, float]]:
    """The rates that each update applies to the weight and to the bias, both reset to 0 so that updates are exact."""
    rates = []
    for _ in range(updates):
        model.weight[...] = jnp.zeros(3)
        model.bias[...] = jnp.zeros(())
        step(model, optimizer)
        rates.append((-float(model.weight[0]), -float(model.bias[...])))
    return rates


def recorded_rate(optimizer: nnx.Optimizer) -> float:
    return float(optimizer.opt_state.hyperparams["learning_rate"][...])


def recording(schedule: fs.Schedule, optimizer: Callable = optax.sgd) -> Any:
    """An optimizer that records the learning rate in its state."""
    return optax.inject_hyperparams(optimizer)(learning_rate=to_optax(schedule, PEAK))


# The learning rates in use.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_every_update_applies_the_rate_of_the_formula(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    model = Linear()
    optimizer = nnx.Optimizer(model, optax.sgd(to_optax(schedule, PEAK)), wrt=nnx.Param)
    weight_rates, bias_rates = zip(*applied_rates(model, optimizer, compile(train_step)), strict=True)
    assert max_ulps(weight_rates, exact) <= TOLERANCE
    assert max_ulps(bias_rates, exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_the_state_has_the_rate_of_the_last_update(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    model = Linear()
    optimizer, step = nnx.Optimizer(model, recording(schedule), wrt=nnx.Param), compile(train_step)
    applied, recorded = [], []
    for _ in range(UPDATES):
        applied += [bias for _, bias in applied_rates(model, optimizer, step, updates=1)]
        recorded.append(recorded_rate(optimizer))
    assert recorded == applied and max_ulps(recorded, exact) <= TOLERANCE


def test_the_state_of_a_new_optimizer_has_the_rate_of_the_first_update() -> None:
    optimizer = nnx.Optimizer(Linear(), recording(fs.ramp(0.25, 1.0, steps=4)), wrt=nnx.Param)
    assert recorded_rate(optimizer) == 0.5 * 0.25


def test_the_schedule_at_the_step_of_the_optimizer_is_the_rate_of_the_next_update() -> None:
    model, rate = Linear(), to_optax(fs.warmup_linear(4, 8), PEAK)
    optimizer, predicted = nnx.Optimizer(model, optax.sgd(rate), wrt=nnx.Param), []
    for _ in range(10):
        predicted.append(float(rate(optimizer.step[...])))
        train_step(model, optimizer)
    assert predicted == [PEAK * m for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0)]


def test_a_run_compiles_once() -> None:
    traces, model = [], Linear()
    step = nnx.jit(lambda model, optimizer: traces.append(1) or train_step(model, optimizer))
    applied_rates(model, nnx.Optimizer(model, recording(CASES["join"][0]), wrt=nnx.Param), step)
    assert len(traces) == 1


@pytest.mark.parametrize("name", CASES)
def test_a_split_optimizer_applies_the_rates_of_the_formula_in_a_scan(name: str) -> None:
    schedule, exact = CASES[name]
    model = Linear()
    graph, state = nnx.split((model, nnx.Optimizer(model, recording(schedule), wrt=nnx.Param)))

    def update(state: Any, _: None) -> tuple[Any, Any]:
        model, optimizer = nnx.merge(graph, state)
        model.bias[...] = jnp.zeros(())
        train_step(model, optimizer)
        return nnx.state((model, optimizer)), -model.bias[...]

    _, rates = jax.lax.scan(update, state, length=UPDATES)
    assert max_ulps(rates.tolist(), exact) <= TOLERANCE


def test_each_parameter_group_follows_its_own_schedule() -> None:
    (first, exact_first), (second, exact_second) = CASES["warmup_linear"], CASES["warmup_cosine"]
    transform = optax.partition(
        {"weight": optax.sgd(to_optax(first, PEAK)), "bias": optax.sgd(to_optax(second, 0.25))},
        lambda state: jax.tree.map_with_path(lambda path, _: path[0].key, state),
    )
    model = Linear()
    rates = applied_rates(model, nnx.Optimizer(model, transform, wrt=nnx.Param), nnx.jit(train_step))
    weight_rates, bias_rates = zip(*rates, strict=True)
    assert max_ulps(weight_rates, exact_first) <= TOLERANCE
    assert max_ulps(bias_rates, exact_second, 0.25) <= TOLERANCE


@pytest.fixture(scope="module")
def accumulating() -> tuple[list[float], nnx.Optimizer]:
    """The rates applied after each of 12 batches, two for each update, with a warmup of 4 updates."""
    model = Linear()
    transform = optax.MultiSteps(optax.sgd(to_optax(fs.warmup_linear(4, 6), PEAK)), every_k_schedule=2)
    optimizer = nnx.Optimizer(model, transform.gradient_transformation(), wrt=nnx.Param)
    return [bias for _, bias in applied_rates(model, optimizer, nnx.jit(train_step), updates=12)], optimizer


def test_with_gradient_accumulation_the_schedule_counts_updates(accumulating: Any) -> None:
    rates, _ = accumulating
    assert rates == [rate for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.5) for rate in (0.0, PEAK * m)]


def test_with_gradient_accumulation_the_step_of_the_optimizer_counts_batches(accumulating: Any) -> None:
    _, optimizer = accumulating
    assert (int(optimizer.step[...]), int(optimizer.opt_state.gradient_step[...])) == (12, 6)


# Resuming.


def build() -> tuple[Linear, nnx.Optimizer]:
    model = Linear()
    return model, nnx.Optimizer(model, recording(CASES["warmup_cosine"][0], optax.adamw), wrt=nnx.Param)


def train(model: Linear, optimizer: nnx.Optimizer, updates: int) -> list[float]:
    """Train, and return the recorded learning rates."""
    step, rates = nnx.jit(train_step), []
    for _ in range(updates):
        step(model, optimizer)
        rates.append(recorded_rate(optimizer))
    return rates


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[float], list[float]]:
    model, optimizer = build()
    return train(model, optimizer, UPDATES), model.weight.tolist()


@pytest.mark.parametrize("stop", [0, 3, 4, 11])
def test_a_run_resumed_from_plain_arrays_is_identical_to_the_uninterrupted_run(stop: int, uninterrupted: Any) -> None:
    model, optimizer = build()
    rates = train(model, optimizer, stop)
    saved = jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state((model, optimizer))))
    model, optimizer = build()
    state = nnx.state((model, optimizer))
    nnx.replace_by_pure_dict(state, saved)
    nnx.update((model, optimizer), state)
    rates += train(model, optimizer, UPDATES - stop)
    assert (rates, model.weight.tolist()) == uninterrupted


# Schedules in modules.


class Scheduled(nnx.Module):
    """A module with a schedule as an attribute; the gradient of the weight is the multiplier at step 5."""

    def __init__(self, schedule: Any) -> None:
        self.weight = nnx.Param(jnp.float32(2.0))
        self.count = nnx.Variable(jnp.int32(5))
        self.schedule = schedule

    def __call__(self) -> jax.Array:
        return self.weight[...] * self.schedule(self.count[...])


HORIZONS = (10, 20, 40, 10)
EXPECTED = [2 * (total - 5) / total for total in HORIZONS]  # the weight of 2 times the multipliers at step 5
ATTRIBUTE = {
    "static": lambda schedule: schedule,
    "data": nnx.data,
    "arrays as data": lambda schedule: nnx.data(to_arrays(schedule)),
}


def evaluate(argument: Callable, function: Callable = lambda module: module(), **options: Any) -> tuple[list, int]:
    """The outputs of `nnx.jit(function)` for schedules with all horizons, and how often it was compiled."""
    traces: list[int] = []
    call = nnx.jit(lambda argument: traces.append(1) or function(argument), **options)
    return [float(call(argument(fs.warmup_linear(0, total)))) for total in HORIZONS], len(traces)


def test_a_schedule_in_a_module_is_static_and_compiles_once_per_horizon() -> None:
    assert evaluate(Scheduled) == (EXPECTED, 3)


def test_python_numbers_of_a_schedule_are_static_even_as_data() -> None:
    assert evaluate(lambda schedule: Scheduled(nnx.data(schedule))) == (EXPECTED, 3)


def test_array_parameters_of_a_schedule_as_data_compile_once_for_all_horizons() -> None:
    assert evaluate(lambda schedule: Scheduled(nnx.data(to_arrays(schedule)))) == (EXPECTED, 1)


def test_without_graph_mode_a_schedule_as_data_compiles_once_for_all_horizons() -> None:
    assert evaluate(lambda schedule: Scheduled(nnx.data(schedule)), graph=False) == (EXPECTED, 1)


def test_a_schedule_as_an_argument_of_nnx_jit_compiles_once_for_all_horizons() -> None:
    assert evaluate(lambda schedule: schedule, lambda schedule: 2 * schedule(jnp.int32(5))) == (EXPECTED, 1)


def test_a_converted_schedule_as_an_argument_of_nnx_jit_compiles_once_for_all_horizons() -> None:
    assert evaluate(lambda schedule: to_optax(schedule, 2.0), lambda rate: rate(jnp.int32(5))) == (EXPECTED, 1)


def test_a_schedule_with_array_parameters_must_be_marked_as_data() -> None:
    with pytest.raises(ValueError, match="static attribute 'schedule'"):
        Scheduled(to_arrays(fs.warmup_linear(0, 10)))


@pytest.mark.parametrize("attribute", ATTRIBUTE.values(), ids=ATTRIBUTE)
def test_a_schedule_in_a_module_is_not_trained(attribute: Callable) -> None:
    model = Scheduled(attribute(fs.warmup_linear(0, 10, end=0.5)))
    optimizer = nnx.Optimizer(model, optax.sgd(1.0), wrt=nnx.Param)
    optimizer.update(model, nnx.grad(lambda model: model())(model))
    assert float(model.weight[...]) == 2.0 - 0.75 and model.schedule == fs.warmup_linear(0, 10, end=0.5)


def test_vmap_sweeps_horizons_with_one_optimizer_each() -> None:
    def train_three(total: Any) -> jax.Array:
        model = Linear()
        optimizer = nnx.Optimizer(model, optax.sgd(to_optax(fs.warmup_linear(0, total), PEAK)), wrt=nnx.Param)
        for _ in range(3):
            train_step(model, optimizer)
        return model.bias[...]

    biases = nnx.vmap(train_three)(jnp.array([4, 8, 16]))
    assert biases.tolist() == [-PEAK * sum((total - step) / total for step in range(3)) for total in (4, 8, 16)]


# The example.


def test_the_example_records_the_rates_of_the_formula_and_learns() -> None:
    rates, losses = example.main()
    # 4 ulp of the multiplier, and one rounding of the product
    assert max_ulps(rates, oracle.warmup_cosine(10, 60, 0.0, 0.1), example.PEAK) <= TOLERANCE + 1
    assert len(rates) == 60 and sum(losses[-10:]) < 0.2 * sum(losses[:10])
