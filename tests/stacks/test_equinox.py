"""Schedules in Equinox: the rates of a training loop, files of the whole state, and schedules as fields of modules."""

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
from tests.stacks.curves import CASES, PEAK, TOLERANCE, UPDATES

COMPILE = {"eager": lambda function: function, "filter_jit": eqx.filter_jit}


class Slope(eqx.Module):
    """The gradient by the weight is 1."""

    weight: jax.Array

    def __call__(self) -> jax.Array:
        return self.weight.sum()


class Scheduled(eqx.Module):
    """A model with a schedule among its fields; the gradient by the weight is the multiplier at step 5."""

    weight: jax.Array
    schedule: Any

    def __call__(self) -> jax.Array:
        return self.weight * self.schedule(jnp.int32(5))


class Static(eqx.Module):
    weight: jax.Array
    schedule: Any = eqx.field(static=True)

    def __call__(self) -> jax.Array:
        return self.weight * self.schedule(jnp.int32(5))


def update(optimizer: optax.GradientTransformation, model: Any, state: Any) -> tuple[Any, Any]:
    gradients = eqx.filter_grad(lambda model: model())(model)
    updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
    return eqx.apply_updates(model, updates), state


def trained(
    optimizer: optax.GradientTransformation, compile: Callable, updates: int = UPDATES
) -> tuple[list[float], list[Any]]:
    """How far each update goes down a slope of 1, from 0 each time and so without a rounding; the states after each."""
    model = Slope(jnp.zeros(3))
    state, moved, states = optimizer.init(eqx.filter(model, eqx.is_array)), [], []
    step = compile(lambda model, state: update(optimizer, model, state))
    for _ in range(updates):
        stepped, state = step(model, state)
        moved.append(-float(stepped.weight[0]))
        states.append(state)
    return moved, states


def worst(used: list[float], exact: oracle.Curve, peak: float = PEAK) -> float:
    """The largest error in ulps of float32 of the rates at updates 0, 1, 2, ..."""
    return max(oracle.ulps(rate, peak * exact(update), 24) for update, rate in enumerate(used))


def arrays(schedule: Any) -> Any:
    return jax.tree.map(jnp.asarray, schedule)


# The rates in use.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_update_k_moves_the_parameters_by_the_rate_of_step_k(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    moved, _ = trained(optax.sgd(to_optax(schedule, PEAK)), compile)
    assert worst(moved, exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_the_rate_in_the_state_is_that_of_the_update_just_made(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    moved, states = trained(optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(schedule, PEAK)), compile)
    told = [float(state.hyperparams["learning_rate"]) for state in states]
    assert told == moved and worst(told, exact) <= TOLERANCE


def test_horizons_and_peaks_are_swept_by_filter_vmap() -> None:
    def run(rate: Any) -> jax.Array:
        model, optimizer = Slope(jnp.zeros(())), optax.sgd(rate)
        state = optimizer.init(eqx.filter(model, eqx.is_array))
        for _ in range(3):
            model, state = update(optimizer, model, state)
        return model.weight

    rates = [to_optax(fs.warmup_linear(0, total), peak) for total, peak in ((4, 1.0), (8, 0.5), (16, 0.25))]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(arrays, rates))
    ends = eqx.filter_vmap(run)(batch).tolist()
    assert ends == [
        -peak * sum((total - step) / total for step in range(3)) for total, peak in ((4, 1.0), (8, 0.5), (16, 0.25))
    ]


# What filter_jit and jax.jit make of the numbers of a schedule.

EXPECTED = [(total - 5) / total for total in (10, 20, 40, 10)]


def outputs(kind: type, wrap: Callable, compile: Callable) -> tuple[list[float], int]:
    """What models with horizons of 10, 20, 40 and again 10 give, and how often that is compiled."""
    traces: list[int] = []
    call = compile(lambda model: traces.append(1) or model())
    return [float(call(kind(jnp.float32(1), wrap(fs.warmup_linear(0, n))))) for n in (10, 20, 40, 10)], len(traces)


BRIDGE = {"schedule": lambda schedule: schedule, "to_optax": to_optax}


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_of_python_numbers_is_static_under_filter_jit(bridge: Callable) -> None:
    assert outputs(Scheduled, bridge, eqx.filter_jit) == (EXPECTED, 3)


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_of_arrays_is_traced_under_filter_jit(bridge: Callable) -> None:
    assert outputs(Scheduled, lambda schedule: bridge(arrays(schedule)), eqx.filter_jit) == (EXPECTED, 1)


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_of_python_numbers_is_traced_under_jax_jit(bridge: Callable) -> None:
    assert outputs(Scheduled, bridge, jax.jit) == (EXPECTED, 1)


@pytest.mark.parametrize("compile", [eqx.filter_jit, jax.jit], ids=["filter_jit", "jax.jit"])
@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_in_a_static_field_compiles_once_for_each_horizon(bridge: Callable, compile: Callable) -> None:
    assert outputs(Static, bridge, compile) == (EXPECTED, 3)


def test_an_optimizer_built_from_traced_numbers_compiles_once_for_all_horizons() -> None:
    traces = []

    @eqx.filter_jit
    def step(model: Slope, state: Any, schedule: Any) -> tuple[Slope, Any]:
        traces.append(1)
        return update(optax.sgd(to_optax(schedule, PEAK)), model, state)

    state = optax.sgd(to_optax(fs.constant())).init(Slope(jnp.zeros(())))
    for _ in range(5):
        _, state = step(Slope(jnp.zeros(())), state, arrays(fs.warmup_linear(0, 10)))
    moved = [-float(step(Slope(jnp.zeros(())), state, arrays(fs.warmup_linear(0, n)))[0].weight) for n in (10, 20, 40)]
    assert (moved, len(traces)) == ([PEAK * value for value in EXPECTED[:3]], 1)


# What the filters make of them.

KINDS = {"schedule": (BRIDGE["schedule"], 4), "to_optax": (BRIDGE["to_optax"], 5)}


@pytest.mark.parametrize(("bridge", "count"), KINDS.values(), ids=KINDS)
def test_the_python_numbers_of_a_schedule_are_no_arrays(bridge: Callable, count: int) -> None:
    schedule = bridge(fs.warmup_cosine(4, 15, end=0.1))
    assert jax.tree.leaves(eqx.filter(schedule, eqx.is_array)) == []
    assert len(jax.tree.leaves(eqx.filter(schedule, eqx.is_array_like))) == count


@pytest.mark.parametrize(("bridge", "count"), KINDS.values(), ids=KINDS)
def test_a_model_with_a_schedule_is_partitioned_and_combined(bridge: Callable, count: int) -> None:
    model = Scheduled(jnp.float32(2), bridge(fs.warmup_cosine(4, 15, end=0.1)))
    dynamic, static = eqx.partition(model, eqx.is_array)
    assert (len(jax.tree.leaves(dynamic)), len(jax.tree.leaves(static))) == (1, count)
    assert eqx.combine(dynamic, static).schedule == bridge(fs.warmup_cosine(4, 15, end=0.1))


@pytest.mark.parametrize("kind", [Scheduled, Static])
@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_in_a_model_is_not_trained(bridge: Callable, kind: type) -> None:
    schedule = bridge(fs.warmup_linear(0, 10, end=0.5))
    optimizer, model = optax.sgd(1.0), kind(jnp.float32(2), schedule)
    model, _ = update(optimizer, model, optimizer.init(eqx.filter(model, eqx.is_array)))
    assert float(model.weight) == 2 - 0.75 and model.schedule == schedule


# The twin: with arrays the levels of a schedule are weights like any other.
def test_the_array_levels_of_a_schedule_in_a_model_are_trained() -> None:
    optimizer, model = optax.sgd(0.125), Scheduled(jnp.float32(2), arrays(fs.warmup_linear(0, 10, end=0.5)))
    model, _ = update(optimizer, model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)))
    assert float(model.schedule.end) == 0.5 - 0.125 * 2 * 0.5  # the slope by `end` at step 5 of 10 is the weight's half


def test_the_array_levels_of_a_schedule_can_be_frozen() -> None:
    model = Scheduled(jnp.float32(2), arrays(fs.warmup_linear(0, 10, end=0.5)))
    spec = eqx.tree_at(lambda spec: spec.schedule, jax.tree.map(eqx.is_inexact_array, model), replace=False)
    weights, rest = eqx.partition(model, spec)
    gradients = eqx.filter_grad(lambda weights: eqx.combine(weights, rest)())(weights)
    assert [leaf.tolist() for leaf in jax.tree.leaves(gradients)] == [0.75]


HORIZON: dict[str, tuple[Any, Callable, Any]] = {
    "schedule": (fs.warmup_cosine(4, 15), lambda s: s.total_steps, fs.warmup_cosine(4, 40)),
    "to_optax": (
        to_optax(fs.warmup_cosine(4, 15), 0.5),
        lambda rate: rate.schedule.total_steps,
        to_optax(fs.warmup_cosine(4, 40), 0.5),
    ),
}


@pytest.mark.parametrize(("schedule", "where", "longer"), HORIZON.values(), ids=HORIZON)
def test_tree_at_replaces_the_horizon(schedule: Any, where: Callable, longer: Any) -> None:
    assert eqx.tree_at(where, schedule, 40) == longer


def test_tree_at_replaces_a_whole_schedule() -> None:
    model = Scheduled(jnp.float32(2), fs.warmup_linear(0, 10))
    assert float(eqx.tree_at(lambda model: model.schedule, model, fs.constant(0.25))()) == 2 * 0.25


@pytest.mark.parametrize("other", [fs.warmup_linear(0, 11), fs.warmup_cosine(0, 10), fs.constant()], ids=repr)
def test_tree_equal_compares_schedules_by_value(other: Any) -> None:
    assert eqx.tree_equal(fs.warmup_linear(0, 10), fs.warmup_linear(0, 10))
    assert not eqx.tree_equal(fs.warmup_linear(0, 10), other)


# Files.


def fresh() -> tuple[Any, eqx.nn.Linear, Any]:
    rate = to_optax(CASES["warmup_cosine"][0], PEAK)
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=rate)
    model = eqx.nn.Linear(3, "scalar", key=jax.random.key(0))
    return optimizer, model, optimizer.init(eqx.filter(model, eqx.is_array))


def run(optimizer: Any, model: Any, state: Any, first: int, last: int) -> tuple[list[float], Any, Any]:
    @eqx.filter_jit
    def step(model: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any]:
        gradients = eqx.filter_grad(lambda model: (model(inputs) - inputs.sum()) ** 2)(model)
        updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
        return eqx.apply_updates(model, updates), state

    told = []
    for batch in range(first, last):
        model, state = step(model, state, jnp.sin(jnp.arange(3.0) + batch))
        told.append(float(state.hyperparams["learning_rate"]))
    return told, model, state


@pytest.fixture(scope="module")
def uninterrupted() -> tuple[list[float], Any, Any]:
    return run(*fresh(), 0, UPDATES)


@pytest.mark.parametrize("stop", [0, 3, 4, 11])
def test_a_run_resumed_from_a_file_goes_on_bit_for_bit(stop: int, tmp_path: Path, uninterrupted: Any) -> None:
    told, *stopped = run(*fresh(), 0, stop)
    eqx.tree_serialise_leaves(tmp_path / "run.eqx", stopped)
    optimizer, model, state = fresh()
    model, state = eqx.tree_deserialise_leaves(tmp_path / "run.eqx", [model, state])
    rest, model, state = run(optimizer, model, state, stop, UPDATES)
    assert told + rest == uninterrupted[0]
    assert bool(eqx.tree_equal((model, state), uninterrupted[1:]))


def loaded(kind: type, old: Any, new: Any, path: Path) -> Any:
    """The schedule of a model of `new` after loading the file of a model of `old`."""
    eqx.tree_serialise_leaves(path, kind(jnp.float32(2), old))
    model = eqx.tree_deserialise_leaves(path, kind(jnp.float32(1), new))
    assert model.weight == 2
    return model.schedule


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
@pytest.mark.parametrize("convert", [lambda schedule: schedule, arrays], ids=["numbers", "arrays"])
def test_a_schedule_in_a_model_is_in_its_file_and_comes_back(
    convert: Callable, bridge: Callable, tmp_path: Path
) -> None:
    old, new = (bridge(convert(fs.warmup_linear(2, total, end=0.5))) for total in (10, 1000))
    assert loaded(Scheduled, old, new, tmp_path / "model.eqx") == bridge(fs.warmup_linear(2, 10, end=0.5))


@pytest.mark.parametrize("bridge", BRIDGE.values(), ids=BRIDGE)
def test_a_schedule_in_a_static_field_is_not_overwritten_by_a_file(bridge: Callable, tmp_path: Path) -> None:
    old, new = bridge(fs.warmup_linear(2, 10)), bridge(fs.warmup_linear(2, 1000))
    assert loaded(Static, old, new, tmp_path / "model.eqx") == new


# The example.


def test_the_example_logs_the_rates_of_its_schedule_and_learns() -> None:
    rates, losses = example.main()
    assert worst(rates, oracle.warmup_cosine(10, 60, 0.0, 0.1), example.PEAK) <= TOLERANCE + 1
    assert len(rates) == 60 and sum(losses[-10:]) < 0.2 * sum(losses[:10])
