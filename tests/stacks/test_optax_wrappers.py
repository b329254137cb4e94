"""Schedules in the wrappers of optax: which updates each wrapper counts, and how to read the values in use."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from mpmath import mpf

import funcsched as fs
from bridges.optax import to_optax
from examples.stacks import optax_wrappers as example
from tests import oracle

# All products of these numbers are exact in float32, so rates and updates must equal the formula exactly.
WARMUP, TOTAL, PEAK = 4, 12, 0.5
RATE = to_optax(fs.warmup_linear(WARMUP, TOTAL), PEAK)
OTHER = to_optax(fs.warmup_linear(2, 10, start=0.25), 0.25)
NAN = math.nan
COMPILE = {"eager": lambda function: function, "jit": jax.jit}
TREE_GET = {"tree_utils": optax.tree_utils.tree_get, "tree": optax.tree.get}


def rate(step: int) -> float:
    return PEAK * max(0.0, min(step / WARMUP, (TOTAL - step) / (TOTAL - WARMUP)))


def other(step: int) -> float:
    return 0.25 * (0.25 + 0.75 * step / 2 if step < 2 else max(0.0, (10 - step) / 8))


def sgd(learning_rate: Any = RATE) -> optax.GradientTransformation:
    return optax.inject_hyperparams(optax.sgd)(learning_rate=learning_rate)


def read(state: Any, name: str = "learning_rate", tree_get: Callable = optax.tree.get) -> float:
    return float(tree_get(state, name, filtering=lambda path, value: isinstance(value, jax.Array)))


def run(
    optimizer: Any, gradients: list[float], compile: Callable = jax.jit, params: Any = 0.0
) -> tuple[list[Any], list[Any]]:
    """The updates that each gradient, given to every parameter, makes, and all states including the first one."""
    params = jax.tree.map(jnp.float32, params)
    update, states, changes = compile(optimizer.update), [optimizer.init(params)], []
    for gradient in gradients:
        change, state = update(jax.tree.map(lambda _, g=gradient: jnp.float32(g), params), states[-1], params)
        changes.append(jax.tree.map(float, change))
        states.append(state)
    return changes, states


# Several hyperparameters of one optimizer.

B1, B2, EPS = (lambda step: 0.5 + 0.25 * min(step / 8, 1.0)), 0.75, 1e-3
GRADIENTS = [1.0, -0.5, 2.0, 0.25, -1.5, 0.75, 1.25, -2.0, 0.5, 1.0, -0.25, 3.0, 1.0, 1.0]


def adamw_run(compile: Callable) -> tuple[list[float], list[dict[str, float]]]:
    """The parameter after each update of AdamW with three schedules, and the hyperparameters in its state."""
    with jax.enable_x64(True):
        optimizer = optax.inject_hyperparams(optax.adamw)(
            learning_rate=RATE, weight_decay=OTHER, b1=to_optax(fs.ramp(0.5, 0.75, steps=8), 1), b2=B2, eps=EPS
        )
        weight, weights, recorded = jnp.float64(1.0), [], []
        state, update = optimizer.init(weight), compile(optimizer.update)
        for gradient in GRADIENTS:
            change, state = update(jnp.float64(gradient), state, weight)
            weight = optax.apply_updates(weight, change)
            weights.append(float(weight))
            recorded.append({name: float(value) for name, value in state.hyperparams.items()})
    return weights, recorded


def adamw_formula() -> list[float]:
    """The same parameters by the formulas of Loshchilov and Hutter, with hyperparameters that change every step."""
    weight, mean, square, weights = 1.0, 0.0, 0.0, []
    for step, gradient in enumerate(GRADIENTS):
        b1 = B1(step)
        mean = b1 * mean + (1 - b1) * gradient
        square = B2 * square + (1 - B2) * gradient**2
        corrected, size = mean / (1 - b1 ** (step + 1)), math.sqrt(square / (1 - B2 ** (step + 1)))
        weight -= rate(step) * (corrected / (size + EPS) + other(step) * weight)
        weights.append(weight)
    return weights


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
def test_adamw_uses_the_rate_weight_decay_and_b1_of_the_same_step(compile: Callable) -> None:
    assert adamw_run(compile)[0] == pytest.approx(adamw_formula(), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize(
    ("name", "formula"), [("learning_rate", rate), ("weight_decay", other), ("b1", B1), ("b2", lambda step: B2)]
)
def test_the_state_has_each_hyperparameter_of_the_last_update(name: str, formula: Callable, compile: Callable) -> None:
    assert [recorded[name] for recorded in adamw_run(compile)[1]] == [formula(step) for step in range(len(GRADIENTS))]


def bfloat16(**hyperparameters: Any) -> dict[str, Any]:
    """The hyperparameters of AdamW after the second update of a bfloat16 parameter."""
    optimizer = optax.inject_hyperparams(optax.adamw)(**hyperparameters)
    weight = jnp.bfloat16(1.0)
    state = optimizer.init(weight)
    for _ in range(2):
        _, state = jax.jit(optimizer.update)(weight, state, weight)
    return state.hyperparams


def test_with_bfloat16_parameters_a_scheduled_rate_is_bfloat16_unless_it_has_a_dtype() -> None:
    schedule = fs.warmup_linear(3, 7)
    rounded, accurate = (
        bfloat16(learning_rate=to_optax(schedule, 0.3, dtype=dtype))["learning_rate"] for dtype in (None, jnp.float32)
    )
    assert rounded.dtype == jnp.bfloat16 and rounded == jnp.bfloat16(0.1)
    assert accurate.dtype == jnp.float32 and oracle.ulps(float(accurate), mpf(0.3) / 3, 24) <= 5


# With a b2 of 1, AdamW divides by 0.
def test_with_bfloat16_parameters_a_b2_of_0999_rounds_to_1_unless_it_has_a_dtype() -> None:
    assert bfloat16(learning_rate=RATE, b2=0.999)["b2"] == 1.0
    assert bfloat16(learning_rate=RATE, b2=to_optax(fs.constant(0.999), 1))["b2"] == 1.0
    accurate = bfloat16(learning_rate=RATE, b2=to_optax(fs.constant(0.999), 1, dtype=jnp.float32))["b2"]
    assert accurate == np.float32(0.999)


# One schedule for each group.

TWO = {"body": 0.0, "head": 0.0}
GROUPS = {"partition": optax.partition, "multi_transform": optax.multi_transform}


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("wrap", [optax.sgd, sgd], ids=["sgd", "inject_hyperparams"])
@pytest.mark.parametrize("partition", GROUPS.values(), ids=GROUPS)
def test_each_group_uses_its_own_schedule(partition: Callable, wrap: Callable, compile: Callable) -> None:
    optimizer = partition({"slow": wrap(RATE), "fast": wrap(OTHER)}, {"body": "slow", "head": "fast"})
    changes, _ = run(optimizer, [1.0] * 15, compile, TWO)
    assert changes == [{"body": -rate(step), "head": -other(step)} for step in range(15)]


def test_the_rate_of_each_group_is_read_from_its_part_of_the_state() -> None:
    optimizer = optax.partition({"slow": sgd(RATE), "fast": sgd(OTHER)}, {"body": "slow", "head": "fast"})
    _, states = run(optimizer, [1.0] * 15, params=TWO)
    recorded = [tuple(read(state.inner_states[label]) for label in ("slow", "fast")) for state in states[1:]]
    assert recorded == [(rate(step), other(step)) for step in range(15)]


def test_the_rate_of_a_group_cannot_be_read_without_its_label() -> None:
    optimizer = optax.partition({"slow": sgd(RATE), "fast": sgd(OTHER)}, {"body": "slow", "head": "fast"})
    with pytest.raises(KeyError, match="multiple values for 'learning_rate'"):
        read(optimizer.init(TWO))


def groups(body: Any, head: Any) -> optax.GradientTransformation:
    return optax.partition({"body": optax.sgd(body), "head": optax.sgd(head)}, {"body": "body", "head": "head"})


def test_one_inject_hyperparams_around_all_groups_has_their_rates_by_name() -> None:
    changes, states = run(optax.inject_hyperparams(groups)(body=RATE, head=OTHER), [1.0] * 15, params=TWO)
    recorded = [{name: -float(value) for name, value in state.hyperparams.items()} for state in states[1:]]
    assert recorded == changes == [{"body": -rate(step), "head": -other(step)} for step in range(15)]


# Accumulation: a step of the schedule is an update, not a batch.

MEAN = [1.0, 3.0, 2.0]  # their mean is 2


@pytest.mark.parametrize("every", [1, 3])
def test_with_accumulation_the_schedule_counts_updates(every: int) -> None:
    gradients = [2.0] if every == 1 else MEAN
    changes, _ = run(optax.MultiSteps(sgd(), every), gradients * 15)
    assert [change for change in changes if change] == [-2 * rate(step) for step in range(1, TOTAL)]
    assert [i for i, change in enumerate(changes) if change] == [every * (k + 1) - 1 for k in range(1, TOTAL)]


def test_with_a_growing_accumulation_the_schedule_counts_updates() -> None:
    sizes = [1, 1, 1, 2, 2, 4, 4, 4, 4]  # the number of batches of each update
    batches = to_optax(fs.piecewise_constant([3, 5], levels=[1, 2, 4]), 1, dtype=jnp.int32)
    optimizer = optax.MultiSteps(sgd(), batches)
    changes, states = run(optimizer, [1.0] * sum(sizes))
    ends = np.cumsum(sizes) - 1
    assert [changes[i] for i in ends] == [-rate(step) for step in range(len(sizes))]
    assert sum(change != 0 for change in changes) == len(sizes) - 1  # the first rate is 0
    assert [int(states[i + 1].gradient_step) for i in ends] == list(range(1, len(sizes) + 1))


def test_between_updates_of_an_accumulation_the_state_has_the_rate_of_the_last_update() -> None:
    _, states = run(optax.MultiSteps(sgd(), 3), [1.0] * 15)
    # Before the first update, the state has the rate that the first update will use.
    assert [read(state) for state in states] == [rate(max(batch // 3 - 1, 0)) for batch in range(16)]


def test_a_batch_that_an_accumulation_skips_is_not_counted() -> None:
    optimizer = optax.MultiSteps(sgd(), 2, should_skip_update_fn=optax.skip_not_finite)
    changes, _ = run(optimizer, [1.0, 1.0, 1.0, NAN, 1.0, NAN, NAN, 1.0, 1.0])
    assert changes == [0.0, -rate(0), 0.0, 0.0, -rate(1), 0.0, 0.0, 0.0, -rate(2)]


# Updates that are skipped because they are not finite.


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_a_skipped_update_is_not_counted(bad: float) -> None:
    gradients = [1.0, bad, 1.0, 1.0, bad, bad, 1.0]
    changes, states = run(optax.apply_if_finite(sgd(), max_consecutive_errors=2), gradients)
    assert changes == [-rate(0), 0.0, -rate(1), -rate(2), 0.0, 0.0, -rate(3)]
    assert [int(state.inner_state.count) for state in states] == [0, 1, 1, 2, 3, 3, 3, 4]
    assert int(states[-1].total_notfinite) == 3


def test_after_a_skipped_update_the_state_has_the_rate_of_the_last_applied_one() -> None:
    _, states = run(optax.apply_if_finite(sgd(), 2), [1.0, NAN, 1.0, 1.0, NAN, NAN, 1.0])
    assert [read(state) for state in states] == [rate(step) for step in (0, 0, 0, 1, 2, 2, 2, 3)]


# After too many errors optax applies the update, so it is counted.
def test_an_update_that_is_not_finite_but_applied_is_counted() -> None:
    changes, states = run(optax.apply_if_finite(sgd(), 2), [1.0, 1.0, NAN, NAN, NAN, 1.0])
    assert math.isnan(changes[4]) and changes[5] == -rate(3)
    assert [read(state) for state in states] == [rate(step) for step in (0, 0, 1, 1, 1, 2, 3)]


# Chains.

CHAINS = {
    "scale_by_schedule": lambda: optax.scale_by_schedule(to_optax(RATE.schedule, -PEAK)),
    "scale_by_learning_rate": lambda: optax.scale_by_learning_rate(RATE),
    "inject_hyperparams": lambda: optax.inject_hyperparams(optax.scale_by_learning_rate)(RATE),
}


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("last", CHAINS.values(), ids=CHAINS)
def test_the_last_transformation_of_a_chain_scales_the_result_of_the_others(last: Callable, compile: Callable) -> None:
    changes, _ = run(optax.chain(optax.clip(0.75), optax.scale(2.0), last()), [0.5, 8.0] * 7, compile)
    assert changes == [-rate(step) * (1.0, 1.5)[step % 2] for step in range(14)]


def test_the_state_of_scale_by_schedule_has_the_count_and_no_rate() -> None:
    _, states = run(optax.chain(optax.clip(1.0), CHAINS["scale_by_schedule"]()), [1.0] * 3)
    assert optax.tree.get(states[-1], "learning_rate") is None and optax.tree.get(states[-1], "count") == 3


# Reading the rate.

NESTED: dict[str, Callable[[], Any]] = {
    "alone": sgd,
    "chain": lambda: optax.chain(optax.clip(1.0), sgd()),
    "chain, scale_by_learning_rate": lambda: optax.chain(optax.clip(1.0), CHAINS["inject_hyperparams"]()),
    "MultiSteps": lambda: optax.MultiSteps(sgd(), 1),
    "apply_if_finite": lambda: optax.apply_if_finite(sgd(), 1),
    "partition": lambda: optax.partition({"all": sgd()}, "all"),
    "masked": lambda: optax.masked(sgd(), True),
    "all": lambda: optax.MultiSteps(
        optax.apply_if_finite(optax.partition({"all": optax.chain(optax.clip(1.0), sgd())}, "all"), 1), 1
    ),
}


@cache
def nested(name: str) -> tuple[list[float], list[Any]]:
    return run(NESTED[name](), [1.0] * 15)


@pytest.mark.parametrize("tree_get", TREE_GET.values(), ids=TREE_GET)
@pytest.mark.parametrize("name", NESTED)
def test_after_an_update_the_state_has_the_rate_that_it_used(name: str, tree_get: Callable) -> None:
    changes, states = nested(name)
    recorded = [read(state, tree_get=tree_get) for state in states[1:]]
    assert recorded == [-change for change in changes] == [rate(step) for step in range(15)]


@pytest.mark.parametrize("optimizer", [sgd(OTHER), optax.MultiSteps(sgd(OTHER), 3)], ids=["alone", "MultiSteps"])
def test_before_the_first_update_the_state_has_the_rate_that_it_will_use(optimizer: Any) -> None:
    assert read(optimizer.init(jnp.float32(0.0))) == other(0) == 0.0625


# Why `read` has a filter: without it, tree_get also finds the state of the schedule.
@pytest.mark.parametrize("tree_get", TREE_GET.values(), ids=TREE_GET)
@pytest.mark.parametrize("name", NESTED)
def test_a_scheduled_rate_cannot_be_read_by_its_name_alone(name: str, tree_get: Callable) -> None:
    with pytest.raises(KeyError, match="multiple values for 'learning_rate'"):
        tree_get(nested(name)[1][-1], "learning_rate")


@pytest.mark.parametrize("name", NESTED)
def test_the_rate_can_be_read_inside_a_compiled_scan(name: str) -> None:
    optimizer, weight = NESTED[name](), jnp.float32(0.0)

    def update(state: Any, gradient: jax.Array) -> tuple[Any, jax.Array]:
        _, state = optimizer.update(gradient, state, weight)
        recorded = optax.tree.get(state, "learning_rate", filtering=lambda path, value: isinstance(value, jax.Array))
        return state, recorded

    _, recorded = jax.lax.scan(update, optimizer.init(weight), jnp.ones(15))
    assert recorded.tolist() == [rate(step) for step in range(15)]


@pytest.mark.parametrize("name", NESTED)
def test_a_jitted_update_compiles_once_for_all_steps(name: str) -> None:
    optimizer, weight, traces = NESTED[name](), jnp.float32(0.0), []
    state = optimizer.init(weight)
    update = jax.jit(lambda *arguments: traces.append(1) or optimizer.update(*arguments))
    for _ in range(5):
        _, state = update(jnp.float32(1.0), state, weight)
    assert traces == [1]


# The example.


@pytest.fixture(scope="module")
def log() -> list[dict[str, float]]:
    return example.main()


def test_the_example_logs_the_hyperparameters_of_each_update(log: list[dict[str, float]]) -> None:
    batches, total = example.ACCUMULATED, example.UPDATES
    curve = oracle.warmup_cosine(5, total, 0.0, 0.1)
    b1 = oracle.ramp(0.8, 0.9, total)
    for batch, recorded in enumerate(log):
        step = max((batch + 1) // batches - 1, 0)
        exact = {"learning_rate": 0.3 * curve(step), "weight_decay": 0.01 * curve(step), "b1": b1(step)}
        assert max(oracle.ulps(recorded[name], exact[name], 24) for name in exact) <= 5, batch


def test_the_example_learns(log: list[dict[str, float]]) -> None:
    assert len(log) == example.UPDATES * example.ACCUMULATED and log[-1]["loss"] < 0.1 < 10 < log[0]["loss"]
