"""Populations of schedules, trained by one compiled step: each member as if it were trained alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import funcsched as fs
from bridges.optax import OptaxSchedule, to_optax
from examples.stacks import sweep as example
from tests import oracle

UPDATES = 40  # past the end of most
TOLERANCE = 5  # ulp: 4 of the multiplier, and one rounding of the product with the peak
TOLERANCE_OF_PRODUCTS = 9  # the errors of two factors add up
# How far a weight of size 1 may be from where a run alone leads: XLA orders the sums of a batch of matrices otherwise.
# Measured: 2e-6 and 4e-15.
APART = {24: 1e-5, 53: 2e-14}
BITS = [24, 53]
IN_FLOAT64 = ["warmup_cosine", "warmup_stable_decay", "join"]  # to compile more takes its time

# Numbers of few bits: exact in float32, as which the oracle is not told to take them.
COSINES = [(0, 20, 0.0, 0.25), (5, 30, 0.125, 0.0625), (10, 40, 0.0625, 0.375), (40, 40, 0.0, 0.3125)]
WSD = [(5, 20, 10, 0.25), (0, 30, 5, 0.0625), (9, 0, 31, 0.375)]
LEVELS = [((5, 10), (1.0, 0.5, 0.125), 0.25), ((10, 33), (0.75, 0.25, 0.5), 0.0625)]
JOINS = [(5, 20, 0.875, 0.25), (8, 30, 0.375, 0.0625), (1, 2, 1.0, 0.375)]
PRODUCTS = [(5, 20, 0.25), (8, 3, 0.0625), (30, 1, 0.375)]
FLOORS = [(5, 32, 0.25, 0.0625), (8, 35, 0.0625, 0.25), (0, 9, 0.0, 0.375)]
SHIFTS = [(4, 30, 1, 0.25), (7, 20, 5, 0.0625), (0, 50, 11, 0.375)]

Member = tuple[OptaxSchedule, oracle.Curve]  # and its exact rate


def member(schedule: fs.Schedule, exact: oracle.Curve, peak: float) -> Member:
    return to_optax(schedule, peak), lambda step: peak * exact(step)


KINDS: dict[str, list[Member]] = {
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
        member(fs.piecewise_constant(b, levels=row), oracle.levels(list(b), list(row)), p) for b, row, p in LEVELS
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

CASES = [*((kind, 24) for kind in KINDS), *((kind, 53) for kind in IN_FLOAT64)]


# A small network, as far as schedules are concerned a whole training.


def loss(weights: dict[str, jax.Array], inputs: jax.Array) -> jax.Array:
    outputs = jnp.tanh(inputs @ weights["in"] + weights["bias"]) @ weights["out"]
    return jnp.mean((outputs - inputs[:, 0] * inputs[:, 1]) ** 2)


def initial() -> dict[str, jax.Array]:
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


def update(rate: Any, weights: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any]:
    changes, state = optimizer(rate).update(jax.grad(loss)(weights, inputs), state, weights)
    return optax.apply_updates(weights, changes), state


def stacked(schedules: list[OptaxSchedule]) -> Any:
    return jax.tree.map(lambda *numbers: jnp.stack(numbers), *schedules)


@jax.jit
@jax.vmap
def started(rate: Any) -> tuple[Any, Any]:
    weights = initial()
    return weights, optimizer(rate).init(weights)


class Step:
    """A compiled step for a population, that counts how often it is traced."""

    def __init__(self, step: Callable = update, axes: Any = 0) -> None:
        def traced(*arguments: Any) -> Any:
            self.traces += 1
            return step(*arguments)

        self.traces = 0
        self.compiled = jax.jit(jax.vmap(traced, in_axes=(axes, 0, 0, None)))

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    def times_compiled(self) -> tuple[int, int]:
        """By the count of traces and by JAX's own."""
        return self.traces, self.compiled._cache_size()


def floats(bits: int) -> AbstractContextManager[Any]:
    return jax.enable_x64(True) if bits == 53 else nullcontext()


def trained(step: Callable, rate: Any, weights: Any, state: Any, updates: int = UPDATES) -> tuple[np.ndarray, Any]:
    """The rates of all updates, and the weights after them."""
    rates = []
    for inputs in batches()[:updates]:
        weights, state = step(rate, weights, state, inputs)
        rates.append(np.asarray(state.hyperparams["learning_rate"]))
    return np.array(rates), jax.tree.map(np.asarray, weights)


@cache
def together(bits: int) -> tuple[dict[str, np.ndarray], dict[str, Any], tuple[int, int]]:
    """The rates and the last weights of the populations of all kinds, trained by one step."""
    with floats(bits):
        kinds = {kind: members for kind, members in KINDS.items() if bits == 24 or kind in IN_FLOAT64}
        populations = {kind: stacked([rate for rate, _ in members]) for kind, members in kinds.items()}
        starts = {kind: started(population) for kind, population in populations.items()}
        weights, states = ({kind: start[i] for kind, start in starts.items()} for i in (0, 1))

        # A population may have any number of members, but those of one vmap as many each: so one vmap for each kind.
        traces = []

        def traced(*arguments: Any) -> Any:
            traces.append(1)
            batched = {
                kind: jax.vmap(update, in_axes=(0, 0, 0, None))(*(each[kind] for each in arguments[:3]), arguments[3])
                for kind in kinds
            }
            return tuple({kind: pair[i] for kind, pair in batched.items()} for i in (0, 1))

        step = jax.jit(traced)
        rates: dict[str, list[np.ndarray]] = {kind: [] for kind in kinds}
        for inputs in batches():
            weights, states = step(populations, weights, states, inputs)
            for kind, state in states.items():
                rates[kind].append(np.asarray(state.hyperparams["learning_rate"]))
        weights = jax.tree.map(np.asarray, weights)
        return {kind: np.array(each) for kind, each in rates.items()}, weights, (len(traces), step._cache_size())


@cache
def alone(kind: str, i: int, bits: int) -> tuple[np.ndarray, Any]:
    """A run of the usual kind: the schedule is no argument, and no other runs beside it."""
    rate = KINDS[kind][i][0]
    with floats(bits):
        weights = initial()
        state = optimizer(rate).init(weights)

        def one(carry: Any, inputs: jax.Array) -> Any:
            weights, state = update(rate, *carry, inputs)
            return (weights, state), state.hyperparams["learning_rate"]

        (weights, _), rates = jax.jit(lambda carry: jax.lax.scan(one, carry, batches()))((weights, state))
        return np.asarray(rates), jax.tree.map(np.asarray, weights)


def ends(kind: str, bits: int) -> list[Any]:
    """The last weights of each member."""
    weights = together(bits)[1][kind]
    return [{name: value[i] for name, value in weights.items()} for i in range(len(KINDS[kind]))]


def apart(one: Any, other: Any) -> float:
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def worst(rates: np.ndarray, exact: oracle.Curve, bits: int) -> float:
    return max(oracle.ulps(rate, exact(step), bits) for step, rate in enumerate(rates.tolist()))


@pytest.mark.parametrize("bits", BITS)
def test_populations_of_all_kinds_are_trained_by_one_compilation(bits: int) -> None:
    assert together(bits)[2] == (1, 1)


@pytest.mark.parametrize(("kind", "bits"), CASES)
def test_each_member_runs_at_the_rates_of_its_own_schedule(kind: str, bits: int) -> None:
    rates = together(bits)[0][kind]
    errors = [worst(rates[:, i], exact, bits) for i, (_, exact) in enumerate(KINDS[kind])]
    assert max(errors) <= (TOLERANCE_OF_PRODUCTS if kind == "product" else TOLERANCE)


# Every run alone is compiled anew, which takes its time: so all members of one kind, and one of some others.
@pytest.mark.parametrize(
    ("kind", "i", "bits"),
    [("warmup_cosine", i, bits) for i in range(len(COSINES)) for bits in BITS]
    + [(kind, 0, 53) for kind in IN_FLOAT64 if kind != "warmup_cosine"],
)
def test_each_member_ends_where_it_would_alone(kind: str, i: int, bits: int) -> None:
    assert apart(ends(kind, bits)[i], alone(kind, i, bits)[1]) <= APART[bits]


# The twin: the members are no copies of each other.
@pytest.mark.parametrize("kind", KINDS)
def test_two_members_end_apart(kind: str) -> None:
    members = ends(kind, 24)
    assert min(apart(one, other) for i, one in enumerate(members) for other in members[:i]) > 1000 * APART[24]


# Not only within the tolerance: on a CPU a rate is computed alike in a batch and alone.
@pytest.mark.parametrize(("kind", "bits"), CASES)
def test_a_rate_in_a_population_is_bit_for_bit_the_rate_of_the_schedule_alone(kind: str, bits: int) -> None:
    single = jax.jit(lambda rate, step: rate(step))
    with floats(bits):
        for i, (rate, _) in enumerate(KINDS[kind]):
            argument = jax.tree.map(jnp.asarray, rate)
            rates = [float(single(argument, jnp.int32(step))) for step in range(UPDATES)]
            assert together(bits)[0][kind][:, i].tolist() == rates


# One compilation.


def test_other_schedules_of_the_same_kind_are_trained_by_the_same_compilation() -> None:
    step, kind = Step(), [rate for rate, _ in KINDS["warmup_cosine"]]
    population = stacked(kind)
    weights, state = started(population)
    trained(step, population, weights, state, updates=2)
    for warmup in (0, 3, 10**6):
        others = [to_optax(fs.warmup_cosine(warmup, 2 * 10**6 + i, start=0.5), 1e-9) for i in range(len(kind))]
        trained(step, stacked(others), weights, state, updates=2)
    assert step.times_compiled() == (1, 1)


# The twin: shapes, exponents and numbers of waves are not traced.
def test_schedules_of_another_structure_are_compiled_again() -> None:
    step = Step()
    for cycles in (0.5, 1.5):
        population = stacked([to_optax(fs.warmup_cosine(5, 30 + i, cycles=cycles), 0.25) for i in range(2)])
        trained(step, population, *started(population), updates=2)
    assert step.times_compiled() == (2, 2)


def test_schedules_of_two_structures_do_not_stack() -> None:
    with pytest.raises(ValueError, match="warmup_linear"):
        stacked([to_optax(fs.warmup_linear(5, 30), 0.25), to_optax(fs.warmup_cosine(5, 30), 0.25)])


# JAX, its neighbours and users rebuild a tree around specifications of all sorts.
@pytest.mark.parametrize("leaf", [None, True, 0.5, "replicated", jax.ShapeDtypeStruct((), jnp.float32)], ids=str)
@pytest.mark.parametrize("rate", [KINDS["join"][0][0], KINDS["warmup_cosine"][0][0]], ids=["join", "warmup_cosine"])
def test_a_rate_is_rebuilt_around_what_is_no_number(rate: OptaxSchedule, leaf: Any) -> None:
    marked = jax.tree.map(lambda _: leaf, rate)
    assert jax.tree.leaves(marked, is_leaf=lambda x: x is None) == [leaf] * len(jax.tree.leaves(rate))


def test_the_peak_alone_may_differ_between_members() -> None:
    peaks = jnp.array([0.0, 0.25, 0.375])
    rate = to_optax(fs.warmup_cosine(5, 30), 1.0)
    numbers, structure = jax.tree.flatten(rate)  # the peak is the last
    population = jax.tree.unflatten(structure, [*map(jnp.asarray, numbers[:-1]), peaks])
    step = Step(axes=jax.tree.unflatten(structure, [*(None for _ in numbers[:-1]), 0]))
    weights, state = started(stacked([rate] * 3))
    rates, _ = trained(step, population, weights, state)
    assert step.times_compiled() == (1, 1)
    curve = oracle.warmup_cosine(5, 30)
    for i, peak in enumerate(peaks.tolist()):
        assert worst(rates[:, i], lambda at, peak=peak: peak * curve(at), 24) <= TOLERANCE


# Population based training: the worst takes over the schedule and the weights of the best, and its state.
def test_a_member_that_copies_another_goes_on_as_that_one() -> None:
    step, population = Step(), stacked([rate for rate, _ in KINDS["warmup_cosine"]])
    weights, state = started(population)
    for i, inputs in enumerate(batches()):
        if i == 15:
            population, weights, state = jax.tree.map(lambda x: x.at[0].set(x[2]), (population, weights, state))
        weights, state = step(population, weights, state, inputs)
    assert step.times_compiled() == (1, 1)
    assert all((value[0] == value[2]).all() for value in weights.values())
    assert apart({name: value[0] for name, value in weights.items()}, alone("warmup_cosine", 2, 24)[1]) <= APART[24]


# The example.


@pytest.fixture(scope="module")
def result() -> tuple[Any, list[float], int]:
    return example.main()


def test_the_example_compiles_its_step_once(result: tuple[Any, list[float], int]) -> None:
    assert result[2] == 1


def test_a_member_of_the_example_ends_where_it_would_alone(result: tuple[Any, list[float], int]) -> None:
    last = len(example.MEMBERS) - 1
    rate = example.MEMBERS[last]
    weights, state = example.initial(rate)
    step = jax.jit(lambda weights, state, inputs: example.update(rate, weights, state, inputs))
    for update in range(example.UPDATES):
        weights, state, value = step(weights, state, jax.random.normal(jax.random.key(update), (64, 2)))
    assert float(value) == pytest.approx(result[1][last], rel=1e-4)
    assert apart(weights, {name: each[last] for name, each in result[0].items()}) <= 1e-4


def test_the_members_of_the_example_learn_unequally(result: tuple[Any, list[float], int]) -> None:
    assert len(set(result[1])) == len(example.MEMBERS) and min(result[1]) < max(result[1]) / 3
