"""Schedules in Equinox: learning rates of a training loop, saved states, and schedules as fields of modules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest

import funcsched as fs
from bridges.optax import to_optax
from examples.stacks import equinox_loop as example
from tests import oracle
from tests.stacks.curves import CASES, PEAK, TOLERANCE, UPDATES, max_ulps
from tests.stacks.jax_helpers import to_arrays

COMPILE = {"eager": lambda function: function, "filter_jit": eqx.filter_jit}


class Linear(eqx.Module):
    """A model whose gradient is 1."""

    weight: jax.Array

    def __call__(self) -> jax.Array:
        return self.weight.sum()


class Scheduled(eqx.Module):
    """A model with a schedule as a field; the gradient of the weight is the multiplier at step 5."""

    weight: jax.Array
    schedule: Any

    def __call__(self) -> jax.Array:
        return self.weight * self.schedule(jnp.int32(5))


class StaticScheduled(eqx.Module):
    weight: jax.Array
    schedule: Any = eqx.field(static=True)

    def __call__(self) -> jax.Array:
        return self.weight * self.schedule(jnp.int32(5))


def update(optimizer: optax.GradientTransformation, model: Any, state: Any) -> tuple[Any, Any]:
    gradients = eqx.filter_grad(lambda model: model())(model)
    updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
    return eqx.apply_updates(model, updates), state


def train(optimizer: optax.GradientTransformation, compile: Callable) -> tuple[list[float], list[Any]]:
    """The rate that each update applies and the state after it; every update starts at a weight of 0, so is exact."""
    model = Linear(jnp.zeros(3))
    state, rates, states = optimizer.init(eqx.filter(model, eqx.is_array)), [], []
    step = compile(lambda model, state: update(optimizer, model, state))
    for _ in range(UPDATES):
        updated, state = step(model, state)
        rates.append(-float(updated.weight[0]))
        states.append(state)
    return rates, states


# The learning rates in use.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_every_update_applies_the_rate_of_the_formula(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rates, _ = train(optax.sgd(to_optax(schedule, PEAK)), compile)
    assert max_ulps(rates, exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_the_state_has_the_rate_of_the_last_update(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rates, states = train(optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(schedule, PEAK)), compile)
    recorded = [float(state.hyperparams["learning_rate"]) for state in states]
    assert recorded == rates and max_ulps(recorded, exact) <= TOLERANCE


def test_filter_vmap_sweeps_horizons_and_peak_values() -> None:
    def run(rate: Any) -> jax.Array:
        model, optimizer = Linear(jnp.zeros(())), optax.sgd(rate)
        state = optimizer.init(eqx.filter(model, eqx.is_array))
        for _ in range(3):
            model, state = update(optimizer, model, state)
        return model.weight

    runs = [(4, 1.0), (8, 0.5), (16, 0.25)]
    rates = [to_optax(fs.warmup_linear(0, total), peak) for total, peak in runs]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(to_arrays, rates))
    expected = [-peak * sum((total - step) / total for step in range(3)) for total, peak in runs]
    assert eqx.filter_vmap(run)(batch).tolist() == expected


# Compilation: which parameters are static.

HORIZONS = (10, 20, 40, 10)
EXPECTED = [(total - 5) / total for total in HORIZONS]  # the multipliers at step 5
BRIDGE = {"schedule": lambda schedule: schedule, "to_optax": lambda schedule: to_optax(schedule, 1)}


def evaluate(model: type, bridge: Callable, compile: Callable) -> tuple[list[float], int]:
    """The outputs of models with all horizons, and how often they were compiled."""
    traces: list[int] = []
    call = compile(lambda model: traces.append(1) or model())
    outputs = [float(call(model(jnp.float32(1), bridge(fs.warmup_linear(0, total))))) for total in HORIZONS]
    return outputs, len(traces)


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_filter_jit_treats_python_numbers_of_a_schedule_as_static(bridge: Callable) -> None:
    assert evaluate(Scheduled, bridge, eqx.filter_jit) == (EXPECTED, 3)


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_filter_jit_traces_array_parameters_of_a_schedule(bridge: Callable) -> None:
    assert evaluate(Scheduled, lambda schedule: bridge(to_arrays(schedule)), eqx.filter_jit) == (EXPECTED, 1)


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_jax_jit_traces_python_numbers_of_a_schedule(bridge: Callable) -> None:
    assert evaluate(Scheduled, bridge, jax.jit) == (EXPECTED, 1)


@pytest.mark.parametrize("compile", [eqx.filter_jit, jax.jit], ids=["filter_jit", "jax.jit"])
@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_in_a_static_field_compiles_once_per_horizon(bridge: Callable, compile: Callable) -> None:
    assert evaluate(StaticScheduled, bridge, compile) == (EXPECTED, 3)


def test_an_optimizer_with_traced_parameters_compiles_once_for_all_horizons() -> None:
    traces = []

    @eqx.filter_jit
    def step(model: Linear, state: Any, schedule: Any) -> tuple[Linear, Any]:
        traces.append(1)
        return update(optax.sgd(to_optax(schedule, PEAK)), model, state)

    model = Linear(jnp.zeros(()))
    state = optax.sgd(to_optax(fs.constant(), PEAK)).init(model)
    for _ in range(5):
        _, state = step(model, state, to_arrays(fs.warmup_linear(0, 10)))
    rates = [-float(step(model, state, to_arrays(fs.warmup_linear(0, total)))[0].weight) for total in HORIZONS]
    assert (rates, len(traces)) == ([PEAK * multiplier for multiplier in EXPECTED], 1)


# Filters and tree functions.

LEAVES = {"schedule": (BRIDGE["schedule"], 4), "to_optax": (BRIDGE["to_optax"], 5)}


@pytest.mark.parametrize(("bridge", "count"), LEAVES.values(), ids=LEAVES)
def test_python_numbers_of_a_schedule_are_array_like_but_not_arrays(bridge: Callable, count: int) -> None:
    schedule = bridge(fs.warmup_cosine(4, 15, end=0.1))
    assert jax.tree.leaves(eqx.filter(schedule, eqx.is_array)) == []
    assert len(jax.tree.leaves(eqx.filter(schedule, eqx.is_array_like))) == count


@pytest.mark.parametrize(("bridge", "count"), LEAVES.values(), ids=LEAVES)
def test_a_model_with_a_schedule_can_be_partitioned_and_combined(bridge: Callable, count: int) -> None:
    model = Scheduled(jnp.float32(2), bridge(fs.warmup_cosine(4, 15, end=0.1)))
    dynamic, static = eqx.partition(model, eqx.is_array)
    assert (len(jax.tree.leaves(dynamic)), len(jax.tree.leaves(static))) == (1, count)
    assert eqx.combine(dynamic, static).schedule == bridge(fs.warmup_cosine(4, 15, end=0.1))


@pytest.mark.parametrize("kind", [Scheduled, StaticScheduled])
@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_in_a_model_is_not_trained(bridge: Callable, kind: type) -> None:
    schedule = bridge(fs.warmup_linear(0, 10, end=0.5))
    optimizer, model = optax.sgd(1.0), kind(jnp.float32(2), schedule)
    model, _ = update(optimizer, model, optimizer.init(eqx.filter(model, eqx.is_array)))
    assert float(model.weight) == 2 - 0.75 and model.schedule == bridge(fs.warmup_linear(0, 10, end=0.5))


# The documented pitfall: levels that are arrays are trained like weights.
def test_array_levels_of_a_schedule_in_a_model_are_trained() -> None:
    optimizer, model = optax.sgd(0.125), Scheduled(jnp.float32(2), to_arrays(fs.warmup_linear(0, 10, end=0.5)))
    model, _ = update(optimizer, model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)))
    # At step 5 of 10, the derivative of the multiplier with respect to `end` is 0.5; the weight is 2.
    assert float(model.schedule.end) == 0.5 - 0.125 * 2 * 0.5


def test_array_levels_of_a_schedule_can_be_frozen() -> None:
    model = Scheduled(jnp.float32(2), to_arrays(fs.warmup_linear(0, 10, end=0.5)))
    spec = eqx.tree_at(lambda spec: spec.schedule, jax.tree.map(eqx.is_inexact_array, model), replace=False)
    weights, rest = eqx.partition(model, spec)
    gradients = eqx.filter_grad(lambda weights: eqx.combine(weights, rest)())(weights)
    assert [leaf.tolist() for leaf in jax.tree.leaves(gradients)] == [0.75]


HORIZON: dict[str, tuple[Any, Callable, Any]] = {
    "schedule": (fs.warmup_cosine(4, 15), lambda schedule: schedule.total_steps, fs.warmup_cosine(4, 40)),
    "to_optax": (
        to_optax(fs.warmup_cosine(4, 15), 0.5),
        lambda rate: rate.schedule.total_steps,
        to_optax(fs.warmup_cosine(4, 40), 0.5),
    ),
}


@pytest.mark.parametrize(("schedule", "where", "longer"), HORIZON.values(), ids=HORIZON)
def test_tree_at_replaces_the_horizon(schedule: Any, where: Callable, longer: Any) -> None:
    assert eqx.tree_at(where, schedule, 40) == longer


def test_tree_at_replaces_a_schedule_in_a_model() -> None:
    model = Scheduled(jnp.float32(2), fs.warmup_linear(0, 10))
    assert float(eqx.tree_at(lambda model: model.schedule, model, fs.constant(0.25))()) == 2 * 0.25


@pytest.mark.parametrize("different", [fs.warmup_linear(0, 11), fs.warmup_cosine(0, 10), fs.constant()], ids=repr)
def test_tree_equal_compares_schedules_by_value(different: Any) -> None:
    assert eqx.tree_equal(fs.warmup_linear(0, 10), fs.warmup_linear(0, 10))
    assert not eqx.tree_equal(fs.warmup_linear(0, 10), different)


# Files.


def build() -> tuple[Any, eqx.nn.Linear, Any]:
    rate = to_optax(CASES["warmup_cosine"][0], PEAK)
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=rate)
    model = eqx.nn.Linear(3, "scalar", key=jax.random.key(0))
    return optimizer, model, optimizer.init(eqx.filter(model, eqx.is_array))


def train_linear(optimizer: Any, model: Any, state: Any, first: int, last: int) -> tuple[list[float], Any, Any]:
    """Train from update `first` to `last`; the learning rates in the state, the model and the state."""

    @eqx.filter_jit
    def step(model: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any]:
        gradients = eqx.filter_grad(lambda model: (model(inputs) - inputs.sum()) ** 2)(model)
        updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
        return eqx.apply_updates(model, updates), state

    rates = []
    for batch in range(first, last):
        model, state = step(model, state, jnp.sin(jnp.arange(3.0) + batch))
        rates.append(float(state.hyperparams["learning_rate"]))
    return rates, model, state


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[float], Any, Any]:
    return train_linear(*build(), 0, UPDATES)


@pytest.mark.parametrize("stop", [0, 3, 4, 11])
def test_a_run_resumed_from_a_file_is_identical_to_the_uninterrupted_run(
    stop: int, tmp_path: Path, uninterrupted: Any
) -> None:
    rates, *stopped = train_linear(*build(), 0, stop)
    eqx.tree_serialise_leaves(tmp_path / "run.eqx", stopped)
    optimizer, model, state = build()
    model, state = eqx.tree_deserialise_leaves(tmp_path / "run.eqx", [model, state])
    rest, model, state = train_linear(optimizer, model, state, stop, UPDATES)
    assert rates + rest == uninterrupted[0]
    assert bool(eqx.tree_equal((model, state), uninterrupted[1:]))


def save_and_load(kind: type, saved: Any, current: Any, path: Path) -> Any:
    """The schedule of a model with `current` after loading the file of a model with `saved`."""
    eqx.tree_serialise_leaves(path, kind(jnp.float32(2), saved))
    model = eqx.tree_deserialise_leaves(path, kind(jnp.float32(1), current))
    assert model.weight == 2
    return model.schedule


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
@pytest.mark.parametrize("convert", [lambda schedule: schedule, to_arrays], ids=["numbers", "arrays"])
def test_loading_a_file_overwrites_a_schedule_in_a_model(convert: Callable, bridge: Callable, tmp_path: Path) -> None:
    saved, current = (bridge(convert(fs.warmup_linear(2, total, end=0.5))) for total in (10, 1000))
    loaded = save_and_load(Scheduled, saved, current, tmp_path / "model.eqx")
    assert loaded == bridge(fs.warmup_linear(2, 10, end=0.5))


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_loading_a_file_does_not_change_a_schedule_in_a_static_field(bridge: Callable, tmp_path: Path) -> None:
    saved, current = bridge(fs.warmup_linear(2, 10)), bridge(fs.warmup_linear(2, 1000))
    loaded = save_and_load(StaticScheduled, saved, current, tmp_path / "model.eqx")
    assert loaded == bridge(fs.warmup_linear(2, 1000))


# The example.


def test_the_example_records_the_rates_of_the_formula_and_learns() -> None:
    rates, losses = example.main()
    # 4 ulp of the multiplier, and one rounding of the product
    assert max_ulps(rates, oracle.warmup_cosine(10, 60, 0.0, 0.1), example.PEAK) <= TOLERANCE + 1
    assert len(rates) == 60 and sum(losses[-10:]) < 0.2 * sum(losses[:10])
