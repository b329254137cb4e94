"""Populations of schedules trained by one compiled step; each member is compared with a separate run."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import funcsched as fs
from bridges.optax import OptaxSchedule, to_optax
from examples.stacks import sweep as example
from tests import oracle
from tests.stacks.curves import max_ulps

UPDATES = 40  # past the end of most schedules
ULPS = 5  # 4 of the multiplier, and one rounding of the product with the peak
ULPS_OF_PRODUCTS = 9  # the errors of two factors add up
# Largest difference between weights (of size 1) of a population and of a separate run, by the bits of a float: XLA sums
# a batch of matrix products in a different order. Measured: 2e-6 and 4e-15.
WEIGHT_TOLERANCE = {24: 1e-5, 53: 2e-14}
FLOAT64_FAMILIES = ["warmup_cosine", "warmup_stable_decay", "join"]  # fewer, because compiling takes seconds

# Parameters of the members, the peak last. All are exact in float32.
COSINES = [(0, 20, 0.0, 0.25), (5, 30, 0.125, 0.0625), (10, 40, 0.0625, 0.375), (40, 40, 0.0, 0.3125)]
WSD = [(5, 20, 10, 0.25), (0, 30, 5, 0.0625), (9, 0, 31, 0.375)]
LEVELS = [((5, 10), (1.0, 0.5, 0.125), 0.25), ((10, 33), (0.75, 0.25, 0.5), 0.0625)]
JOINS = [(5, 20, 0.875, 0.25), (8, 30, 0.375, 0.0625), (1, 2, 1.0, 0.375)]
PRODUCTS = [(5, 20, 0.25), (8, 3, 0.0625), (30, 1, 0.375)]
FLOORS = [(5, 32, 0.25, 0.0625), (8, 35, 0.0625, 0.25), (0, 9, 0.0, 0.375)]
SHIFTS = [(4, 30, 1, 0.25), (7, 20, 5, 0.0625), (0, 50, 11, 0.375)]


class Member(NamedTuple):
    schedule: OptaxSchedule
    exact_rate: oracle.Curve


def member(schedule: fs.Schedule, exact: oracle.Curve, peak: float) -> Member:
    return Member(to_optax(schedule, peak), lambda step: peak * exact(step))


FAMILIES: dict[str, list[Member]] = {
    "warmup_cosine": [
        member(fs.warmup_cosine(w, t, end=e), oracle.warmup_cosine(w, t, 0.0, e), p) for w, t, e, p in COSINES
    ],
    "warmup_stable_decay": [
        member(
            fs.warmup_stable_decay(w, s, d, decay_shape=fs.sqrt),
            oracle.phases(0.0, (w, 1.0, oracle.linear), (s, 1.0, oracle.linear), (d, 0.0, oracle.sqrt)),
            p,
        )
        for w, s, d, p in WSD
    ],
    "piecewise_constant": [
        member(fs.piecewise_constant(boundaries, levels=levels), oracle.levels(list(boundaries), list(levels)), p)
        for boundaries, levels, p in LEVELS
    ],
    "join": [
        member(
            fs.join([fs.ramp(0.0, 1.0, steps=a), fs.constant(c), fs.ramp(c, 0.0, steps=a, shape=fs.cosine)], [a, b]),
            oracle.join(
                [oracle.ramp(0.0, 1.0, a), oracle.constant(c), oracle.ramp(c, 0.0, a, oracle.cosine)],
                [a, b],
            ),
            p,
        )
        for a, b, c, p in JOINS
    ],
    "product": [
        member(
            fs.product(fs.warmup_constant(a), fs.inverse_power(b, 0.5)),
            oracle.product(oracle.warmup_constant(a), oracle.inverse_power(b, 0.5)),
            p,
        )
        for a, b, p in PRODUCTS
    ],
    "maximum": [
        member(
            fs.maximum(fs.warmup_cosine_restarts(w, t, cycles=3), floor),
            oracle.maximum(oracle.warmup_cosine_restarts(w, t, cycles=3), oracle.constant(floor)),
            p,
        )
        for w, t, floor, p in FLOORS
    ],
    "shift": [
        member(fs.shift(fs.warmup_linear(w, t), by), oracle.shift(oracle.warmup_linear(w, t), by), p)
        for w, t, by, p in SHIFTS
    ],
}
FAMILIES_AND_BITS = [*((family, 24) for family in FAMILIES), *((family, 53) for family in FLOAT64_FAMILIES)]


# Training of a small network.


def loss(weights: dict[str, jax.Array], inputs: jax.Array) -> jax.Array:
    outputs = jnp.tanh(inputs @ weights["in"] + weights["bias"]) @ weights["out"]
    return jnp.mean((outputs - inputs[:, 0] * inputs[:, 1]) ** 2)


def initial_weights() -> dict[str, jax.Array]:
    random = np.random.default_rng(0)
    return {
        "in": jnp.asarray(random.normal(size=(3, 8)) / 2, float),
        "bias": jnp.zeros(8),
        "out": jnp.asarray(random.normal(size=8) / 3, float),
    }


def batches() -> jax.Array:
    return jnp.asarray(np.random.default_rng(1).normal(size=(UPDATES, 16, 3)), float)


def optimizer(rate: Any) -> optax.GradientTransformation:
    return optax.inject_hyperparams(optax.sgd)(learning_rate=rate, momentum=0.75)


def initialize(rate: Any) -> tuple[Any, Any]:
    """The weights and the optimizer state of one member."""
    weights = initial_weights()
    return weights, optimizer(rate).init(weights)


initialize_population = jax.jit(jax.vmap(initialize))


def update(rate: Any, weights: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any]:
    updates, state = optimizer(rate).update(jax.grad(loss)(weights, inputs), state, weights)
    return optax.apply_updates(weights, updates), state


def stack(schedules: list[OptaxSchedule]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *schedules)


class PopulationStep:
    """A compiled update of a population that counts how often it is traced."""

    def __init__(self, schedule_axes: Any = 0) -> None:
        def count_and_update(*arguments: Any) -> Any:
            self.traces += 1
            return update(*arguments)

        self.traces = 0
        self.compiled = jax.jit(jax.vmap(count_and_update, in_axes=(schedule_axes, 0, 0, None)))

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    def compilations(self) -> tuple[int, int]:
        """The number of traces, and the size of JAX's cache."""
        return self.traces, self.compiled._cache_size()


def train(step: Callable, rate: Any, weights: Any, state: Any, updates: int = UPDATES) -> tuple[np.ndarray, Any]:
    """The learning rates of all updates, and the final weights."""
    rates = []
    for inputs in batches()[:updates]:
        weights, state = step(rate, weights, state, inputs)
        rates.append(np.asarray(state.hyperparams["learning_rate"]))
    return np.array(rates), jax.tree.map(np.asarray, weights)


class Populations(NamedTuple):
    rates: dict[str, np.ndarray]  # by family: axes for the updates and for the members
    weights: dict[str, Any]  # by family: the final weights, with an axis for the members
    compilations: tuple[int, int]

    def weights_of_members(self, family: str) -> list[Any]:
        members = range(len(FAMILIES[family]))
        return [{name: value[i] for name, value in self.weights[family].items()} for i in members]


@cache
def train_populations(bits: int) -> Populations:
    """Train populations of all families with a single compiled step."""
    families = {family: members for family, members in FAMILIES.items() if bits == 24 or family in FLOAT64_FAMILIES}
    with jax.enable_x64(bits == 53):
        schedules = {family: stack([member.schedule for member in members]) for family, members in families.items()}
        states = {family: initialize_population(population) for family, population in schedules.items()}
        traces = []

        @jax.jit
        def step(states: Any, schedules: Any, inputs: jax.Array) -> Any:
            traces.append(1)
            # One vmap for each family, because the members of a vmap have the same structure.
            update_population = jax.vmap(update, in_axes=(0, 0, 0, None))
            return {family: update_population(schedules[family], *states[family], inputs) for family in families}

        rates: dict[str, list[np.ndarray]] = {family: [] for family in families}
        for inputs in batches():
            states = step(states, schedules, inputs)
            for family, (_, state) in states.items():
                rates[family].append(np.asarray(state.hyperparams["learning_rate"]))
        weights = {family: jax.tree.map(np.asarray, weights) for family, (weights, _) in states.items()}
        return Populations(
            {family: np.array(by_update) for family, by_update in rates.items()},
            weights,
            (len(traces), step._cache_size()),
        )


@cache
def train_alone(family: str, i: int, bits: int) -> Any:
    """The final weights of an ordinary run of one member, whose schedule is a constant of the program."""
    rate = FAMILIES[family][i].schedule
    with jax.enable_x64(bits == 53):

        def one_update(carry: Any, inputs: jax.Array) -> Any:
            return update(rate, *carry, inputs), None

        (weights, _), _ = jax.jit(lambda carry: jax.lax.scan(one_update, carry, batches()))(initialize(rate))
        return jax.tree.map(np.asarray, weights)


def max_difference(weights: Any, others: Any) -> float:
    return max(float(np.abs(weights[name] - others[name]).max()) for name in weights)


@pytest.mark.parametrize("bits", [24, 53])
def test_one_compilation_trains_populations_of_all_families(bits: int) -> None:
    assert train_populations(bits).compilations == (1, 1)


@pytest.mark.parametrize(("family", "bits"), FAMILIES_AND_BITS)
def test_every_member_uses_the_rates_of_its_own_schedule(family: str, bits: int) -> None:
    rates = train_populations(bits).rates[family]
    assert rates.shape == (UPDATES, len(FAMILIES[family]))
    for by_update, member in zip(rates.T.tolist(), FAMILIES[family], strict=True):
        error = max_ulps(by_update, member.exact_rate, peak=1, bits=bits)
        assert error <= (ULPS_OF_PRODUCTS if family == "product" else ULPS)


# Every separate run is compiled, which takes time: all members of one family, and one member of some others.
@pytest.mark.parametrize(
    ("family", "i", "bits"),
    [("warmup_cosine", i, bits) for i in range(len(COSINES)) for bits in (24, 53)]
    + [(family, 0, 53) for family in FLOAT64_FAMILIES if family != "warmup_cosine"],
)
def test_every_member_ends_with_the_weights_of_a_separate_run(family: str, i: int, bits: int) -> None:
    weights = train_populations(bits).weights_of_members(family)[i]
    assert max_difference(weights, train_alone(family, i, bits)) <= WEIGHT_TOLERANCE[bits]


# Control: the members end with different weights.
@pytest.mark.parametrize("family", FAMILIES)
def test_the_members_of_a_population_end_with_different_weights(family: str) -> None:
    members = train_populations(24).weights_of_members(family)
    differences = [max_difference(member, other) for i, member in enumerate(members) for other in members[:i]]
    assert min(differences) > 1000 * WEIGHT_TOLERANCE[24]


# Not only within the tolerance: on a CPU, a batch and a single schedule are computed with the same operations.
@pytest.mark.parametrize(("family", "bits"), FAMILIES_AND_BITS)
def test_the_rates_of_a_population_are_bitwise_identical_to_those_of_single_schedules(family: str, bits: int) -> None:
    evaluate = jax.jit(lambda schedule, step: schedule(step))
    with jax.enable_x64(bits == 53):
        for i, member in enumerate(FAMILIES[family]):
            schedule = jax.tree.map(jnp.asarray, member.schedule)
            rates = [float(evaluate(schedule, jnp.int32(step))) for step in range(UPDATES)]
            assert train_populations(bits).rates[family][:, i].tolist() == rates


# Compilations.


@pytest.fixture(scope="module")
def cosine_step() -> PopulationStep:
    """A step for populations of warmup_cosine."""
    return PopulationStep()


def test_schedules_with_the_same_structure_use_the_same_compilation(cosine_step: PopulationStep) -> None:
    cosines = [member.schedule for member in FAMILIES["warmup_cosine"]]
    weights, state = initialize_population(stack(cosines))
    train(cosine_step, stack(cosines), weights, state, updates=2)
    for warmup in (0, 3, 10**6):
        others = [to_optax(fs.warmup_cosine(warmup, 2 * 10**6 + i, start=0.5), 1e-9) for i in range(len(cosines))]
        train(cosine_step, stack(others), weights, state, updates=2)
    assert cosine_step.compilations() == (1, 1)


# Shapes, exponents and `cycles` are static.
def test_schedules_with_a_different_structure_are_compiled_again() -> None:
    step = PopulationStep()
    for cycles in (0.5, 1.5):
        population = stack([to_optax(fs.warmup_cosine(5, 30 + i, cycles=cycles), 0.25) for i in range(2)])
        train(step, population, *initialize_population(population), updates=2)
    assert step.compilations() == (2, 2)


def test_schedules_with_different_structures_cannot_be_stacked() -> None:
    with pytest.raises(ValueError, match="warmup_linear"):
        stack([to_optax(fs.warmup_linear(5, 30), 0.25), to_optax(fs.warmup_cosine(5, 30), 0.25)])


# JAX and other libraries build trees with specifications, such as shardings or vmap axes, as leaves.
@pytest.mark.parametrize("leaf", [None, True, 0.5, "replicated", jax.ShapeDtypeStruct((), jnp.float32)], ids=str)
@pytest.mark.parametrize("family", ["join", "warmup_cosine"])
def test_a_schedule_can_be_rebuilt_with_leaves_that_are_not_numbers(family: str, leaf: Any) -> None:
    schedule = FAMILIES[family][0].schedule
    rebuilt = jax.tree.map(lambda _: leaf, schedule)
    assert jax.tree.leaves(rebuilt, is_leaf=lambda x: x is None) == [leaf] * len(jax.tree.leaves(schedule))


def test_members_may_differ_only_in_their_peak() -> None:
    peaks = jnp.array([0.0, 0.25, 0.375])
    schedule = to_optax(fs.warmup_cosine(5, 30), 1.0)
    leaves, treedef = jax.tree.flatten(schedule)  # the peak is the last leaf
    population = jax.tree.unflatten(treedef, [*map(jnp.asarray, leaves[:-1]), peaks])
    step = PopulationStep(schedule_axes=jax.tree.unflatten(treedef, [*(None for _ in leaves[:-1]), 0]))
    weights, state = initialize_population(stack([schedule] * 3))
    rates, _ = train(step, population, weights, state)
    assert step.compilations() == (1, 1)
    for by_update, peak in zip(rates.T.tolist(), peaks.tolist(), strict=True):
        assert max_ulps(by_update, oracle.warmup_cosine(5, 30), peak) <= ULPS


# Population based training: a member takes over the schedule, the weights and the state of a better one.
def test_a_member_that_copies_another_continues_like_it(cosine_step: PopulationStep) -> None:
    population = stack([member.schedule for member in FAMILIES["warmup_cosine"]])
    weights, state = initialize_population(population)
    for i, inputs in enumerate(batches()):
        if i == 15:
            population, weights, state = jax.tree.map(lambda x: x.at[0].set(x[2]), (population, weights, state))
        weights, state = cosine_step(population, weights, state, inputs)
    assert cosine_step.compilations() == (1, 1)
    assert all((value[0] == value[2]).all() for value in weights.values())
    copied = {name: value[0] for name, value in weights.items()}
    assert max_difference(copied, train_alone("warmup_cosine", 2, 24)) <= WEIGHT_TOLERANCE[24]


# The example.


@pytest.fixture(scope="module")
def example_result() -> tuple[Any, list[float], int]:
    return example.main()


def test_the_example_compiles_its_step_once(example_result: tuple[Any, list[float], int]) -> None:
    *_, compilations = example_result
    assert compilations == 1


def test_a_member_of_the_example_ends_like_a_separate_run(example_result: tuple[Any, list[float], int]) -> None:
    all_weights, losses, _ = example_result
    rate = example.MEMBERS[-1]
    weights, state = example.initialize(rate)
    step = jax.jit(lambda weights, state, inputs: example.update(rate, weights, state, inputs))
    for update in range(example.UPDATES):
        weights, state, value = step(weights, state, jax.random.normal(jax.random.key(update), (64, 2)))
    assert float(value) == pytest.approx(losses[-1], rel=1e-4)
    assert max_difference(weights, {name: values[-1] for name, values in all_weights.items()}) <= 1e-4


def test_the_members_of_the_example_reach_different_losses(example_result: tuple[Any, list[float], int]) -> None:
    _, losses, _ = example_result
    assert len(set(losses)) == len(example.MEMBERS) and min(losses) < max(losses) / 3
