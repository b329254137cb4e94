"""`bridges.jax`: schedules as pytrees, as arguments of jitted functions, and in scans."""

import copy
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import bridges.jax
import funcsched as fs
from bridges.optax import to_optax
from tests import oracle
from tests.bridges.optax.curves import CASES, halved_after_5
from tests.stacks.curves import TOLERANCE, UPDATES, max_ulps


@pytest.mark.parametrize(
    ("schedule", "leaves"),
    [
        (fs.constant(0.5), [0.5]),
        (fs.ramp(0.25, 1.0, steps=3, shape=fs.cosine), [0.25, 1.0, 3]),
        (fs.warmup_constant(3, start=0.5), [3, 0.5]),
        (fs.warmup_linear(10, 100), [10, 100, 0.0, 0.0]),
        (fs.warmup_cosine(10, 100, start=0.1, end=0.2, cycles=1.5), [10, 100, 0.1, 0.2]),
        (fs.warmup_cosine_restarts(10, 100, end=0.2, cycles=3), [10, 100, 0.0, 0.2]),
        (fs.scale(fs.constant(0.5), 0.25), [0.5, 0.25]),
        (fs.shift(fs.warmup_constant(3), 2), [3, 0.0, 2]),
        (fs.join([fs.constant(0.5), fs.warmup_constant(3)], [7]), [0.5, 3, 0.0, 7]),
        (fs.lift(halved_after_5), []),
        (to_optax(fs.warmup_linear(10, 100), 0.5), [10, 100, 0.0, 0.0, 0.5]),
    ],
    ids=str,
)
def test_the_parameters_of_a_schedule_are_its_leaves(schedule: Any, leaves: list[float]) -> None:
    assert jax.tree.leaves(schedule) == leaves


@pytest.mark.parametrize(
    ("schedule", "paths"),
    [
        (fs.constant(0.5), [".value"]),
        (fs.ramp(0.25, 1.0, steps=3), [".start", ".stop", ".steps"]),
        (fs.warmup_constant(3), [".warmup_steps", ".start"]),
        (fs.warmup_cosine(10, 100), [".warmup_steps", ".total_steps", ".start", ".end"]),
        (fs.shift(fs.scale(fs.constant(), 0.5), 1), [".schedule.schedule.value", ".schedule.factor", ".steps"]),
        (
            fs.join([fs.constant(0.5), fs.warmup_constant(3)], [7]),
            [".schedules[0].value", ".schedules[1].warmup_steps", ".schedules[1].start", ".boundaries[0]"],
        ),
        (to_optax(fs.constant(), 0.5), [".schedule.value", ".peak_value"]),
    ],
    ids=str,
)
def test_the_leaves_are_named_like_the_arguments(schedule: Any, paths: list[str]) -> None:
    leaves, _ = jax.tree_util.tree_flatten_with_path(schedule)
    assert [jax.tree_util.keystr(path) for path, _ in leaves] == paths


@pytest.mark.parametrize("name", CASES)
def test_a_schedule_rebuilt_from_its_leaves_is_equal(name: str) -> None:
    leaves, treedef = jax.tree.flatten(CASES[name][0])
    assert jax.tree.unflatten(treedef, leaves) == CASES[name][0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (fs.ramp(0.0, 1.0, steps=3), fs.ramp(0.0, 1.0, steps=3, shape=fs.cosine)),
        (fs.warmup_cosine(1, 9, cycles=0.5), fs.warmup_cosine(1, 9, cycles=1.5)),
        (fs.warmup_cosine_restarts(1, 9, cycles=2), fs.warmup_cosine_restarts(1, 9, cycles=3)),
        (fs.warmup_linear(1, 9), fs.warmup_cosine(1, 9)),
    ],
    ids=str,
)
def test_shapes_and_cycles_are_part_of_the_treedef(first: Any, second: Any) -> None:
    assert jax.tree.structure(first) != jax.tree.structure(second)


# Two schedules with the same treedef, and the oracle of the second.
PAIRS = {
    "warmup_linear": (
        fs.warmup_linear(10, 100),
        fs.warmup_linear(3, 7, start=0.25, end=0.5),
        oracle.warmup_linear(3, 7, 0.25, 0.5),
    ),
    "warmup_cosine": (
        fs.warmup_cosine(0, 100),
        fs.warmup_cosine(3, 7, start=0.25, end=0.5),
        oracle.warmup_cosine(3, 7, 0.25, 0.5),
    ),
    "restarts": (
        fs.warmup_cosine_restarts(3, 9, cycles=2),
        fs.warmup_cosine_restarts(0, 11, end=0.5, cycles=2),
        oracle.warmup_cosine_restarts(0, 11, 0.0, 0.5, 2),
    ),
    "join": (
        fs.join([fs.constant(0.5), fs.ramp(1.0, 0.0, steps=4)], [3]),
        fs.join([fs.constant(1.0), fs.ramp(0.0, 1.0, steps=9)], [5]),
        oracle.join([oracle.constant(1.0), oracle.ramp(0.0, 1.0, 9)], [5]),
    ),
    "to_optax": (
        to_optax(fs.warmup_linear(10, 100), 0.5),
        to_optax(fs.warmup_linear(5, 6, end=1), -1),
        oracle.scale(oracle.warmup_linear(5, 6, 0.0, 1.0), -1),
    ),
}


@pytest.mark.parametrize(("first", "second", "exact"), PAIRS.values(), ids=PAIRS)
def test_jit_with_a_schedule_as_argument_compiles_once_for_one_treedef(first: Any, second: Any, exact: Any) -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step))
    function(first, jnp.int32(4))
    function(second, jnp.int32(4))
    assert traces == [1]


@jax.jit
def call(schedule: Any, step: jax.Array) -> jax.Array:
    return schedule(step)


@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 6, 7, 9, 100])
@pytest.mark.parametrize(("first", "second", "exact"), PAIRS.values(), ids=PAIRS)
def test_jit_with_a_schedule_as_argument_returns_the_values_of_each(
    first: Any, second: Any, exact: oracle.Curve, step: int
) -> None:
    call(first, jnp.int32(4))
    assert oracle.ulps(float(call(second, jnp.int32(step))), exact(step), 24) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_jit_with_two_equal_schedules_as_static_arguments_compiles_once(name: str) -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step), static_argnums=0)
    function(CASES[name][0], jnp.int32(4))
    function(copy.deepcopy(CASES[name][0]), jnp.int32(4))
    assert traces == [1]


# Control: static arguments with other numbers compile again.
def test_jit_with_two_schedules_as_static_arguments_compiles_twice() -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step), static_argnums=0)
    function(fs.warmup_linear(4, 15), jnp.int32(4))
    function(fs.warmup_linear(4, 16), jnp.int32(4))
    assert traces == [1, 1]


def test_a_schedule_is_carried_through_a_scan() -> None:
    def body(schedule: fs.Schedule, step: jax.Array) -> tuple[fs.Schedule, jax.Array]:
        return schedule, schedule(step)

    schedule = jax.tree.map(jnp.asarray, fs.warmup_linear(4, 8))
    _, values = jax.lax.scan(body, schedule, jnp.arange(10))
    assert values.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


class Halved(fs.Schedule):
    """A user-defined schedule."""

    __slots__ = fields = ("schedule",)
    factory = "Halved"

    def at(self, step: Any) -> Any:
        return self.schedule.at(step) * 0.5


def test_a_registered_user_defined_schedule_is_a_pytree() -> None:
    bridges.jax.register(Halved)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, Halved(fs.constant(0.5)))
    assert doubled == Halved(fs.constant(1.0))


@pytest.mark.parametrize("name", CASES)
def test_a_scan_over_steps_is_as_accurate_as_eager_calls(name: str) -> None:
    schedule, exact = CASES[name]
    _, scanned = jax.lax.scan(lambda carry, step: (carry, schedule(step)), None, jnp.arange(UPDATES))
    eager = [float(schedule(jnp.int32(step))) for step in range(UPDATES)]
    assert max(max_ulps(scanned.tolist(), exact, 1.0), max_ulps(eager, exact, 1.0)) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_a_scan_over_steps_equals_eager_calls_at_every_boundary(name: str) -> None:
    schedule, _ = CASES[name]
    steps = [0, 3, 4, 9, 13, 15, 16]
    _, scanned = jax.lax.scan(lambda carry, step: (carry, schedule(step)), None, jnp.array(steps))
    boundaries = [i for i, step in enumerate(steps) if step in {"join": (0, 3, 9, 13)}.get(name, (0, 4, 15, 16))]
    eager = [float(schedule(jnp.int32(steps[i]))) for i in boundaries]
    assert [float(scanned[i]) for i in boundaries] == eager
