"""Gradients of the last loss by the numbers of a schedule, through a whole training in a scan."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from mpmath import mpf

import funcsched as fs
from bridges.optax import OptaxSchedule, to_optax
from examples.stacks import hypergradients as example
from tests import oracle

UPDATES = 12
NUMBERS = {"peak": 0.1875, "warmup": 4.25, "total": 10.5, "end": 0.0625}  # exact in float32
Numbers = dict[str, Any]

FAMILIES: dict[str, tuple[Callable[[Numbers], fs.Schedule], Callable[[Numbers], oracle.Curve]]] = {
    "warmup_linear": (
        lambda n: fs.warmup_linear(n["warmup"], n["total"], end=n["end"]),
        lambda n: oracle.warmup_linear(n["warmup"], n["total"], 0.0, n["end"]),
    ),
    "warmup_cosine": (
        lambda n: fs.warmup_cosine(n["warmup"], n["total"], end=n["end"]),
        lambda n: oracle.warmup_cosine(n["warmup"], n["total"], 0.0, n["end"]),
    ),
    "warmup_stable_decay": (
        lambda n: fs.warmup_stable_decay(
            n["warmup"], 3, n["total"] - n["warmup"] - 3, end=n["end"], decay_shape=fs.sqrt
        ),
        lambda n: oracle.phases(
            0.0,
            (n["warmup"], 1.0, oracle.linear),
            (3, 1.0, oracle.linear),
            (n["total"] - n["warmup"] - 3, n["end"], oracle.sqrt),
        ),
    ),
    "join": (
        lambda n: fs.join(
            [fs.ramp(n["end"], 1.0, steps=n["warmup"]), fs.inverse_time(0.5)], [n["total"] - n["warmup"]]
        ),
        lambda n: oracle.join(
            [oracle.ramp(n["end"], 1.0, n["warmup"]), oracle.inverse_time(0.5)], [n["total"] - n["warmup"]]
        ),
    ),
}


def loss(first: Any, second: Any) -> Any:
    return (first - 1) ** 2 / 2 + (second + 2) ** 2 + first * second / 2 + first**4 / 16


def slope(first: Any, second: Any) -> tuple[Any, Any]:
    return first - 1 + second / 2 + first**3 / 4, 2 * (second + 2) + first / 2


def trained(rate: Any) -> jax.Array:
    """The loss after a training at the rates of a schedule."""
    optimizer = optax.sgd(rate)

    def update(carry: Any, _: None) -> tuple[Any, None]:
        weights, state = carry
        changes, state = optimizer.update(jax.grad(lambda weights: loss(*weights))(weights), state)
        return (optax.apply_updates(weights, changes), state), None

    weights = jnp.array([0.25, 1.0])
    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), length=UPDATES)
    return loss(*weights)


def last_loss(family: str, numbers: Numbers) -> jax.Array:
    return trained(to_optax(FAMILIES[family][0](numbers), numbers["peak"]))


def last_loss_exactly(family: str, numbers: Numbers) -> mpf:
    """The same with 300 bits, by the formulas."""
    curve, first, second = FAMILIES[family][1](numbers), mpf(0.25), mpf(1)
    for step in range(UPDATES):
        rate, (by_first, by_second) = numbers["peak"] * curve(step), slope(first, second)
        first, second = first - rate * by_first, second - rate * by_second
    return loss(first, second)


# Central differences with 300 bits are exact here: the step is 1e-30, and their error its square.
STEP = mpf(10) ** -30


def exact_slope(
    function: Callable[[Numbers], Any], numbers: Numbers, name: str, left: int = 1, right: int = 1
) -> float:
    below, above = ({**numbers, name: mpf(numbers[name]) + by * STEP} for by in (-left, right))
    return float((function(above) - function(below)) / ((left + right) * STEP))


def floats(bits: int) -> Any:
    return jax.enable_x64(True) if bits == 53 else nullcontext()


@cache
def gradients(family: str, bits: int, mode: Callable = jax.grad) -> dict[str, float]:
    with floats(bits):
        found = jax.jit(mode(lambda numbers: last_loss(family, numbers)))(jax.tree.map(jnp.asarray, NUMBERS))
    return {name: float(value) for name, value in found.items()}


# Measured: 5e-15 and 2e-6.
RELATIVE = {53: 1e-12, 24: 2e-5}


# A gradient through a scan takes seconds to compile: so one family in float32.
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("family", "bits"), [*((family, 53) for family in FAMILIES), ("warmup_cosine", 24)])
def test_the_gradient_is_the_exact_central_difference(family: str, name: str, bits: int) -> None:
    exact = exact_slope(lambda numbers: last_loss_exactly(family, numbers), NUMBERS, name)
    assert abs(exact) > 1e-4 and gradients(family, bits)[name] == pytest.approx(exact, rel=RELATIVE[bits])


def test_forward_mode_gives_the_same_gradient() -> None:
    assert gradients("warmup_cosine", 53, jax.jacfwd) == pytest.approx(gradients("warmup_cosine", 53), rel=1e-12)


# A network and an optimizer of which no formula is at hand: differences in float64, good to some 1e-9.


def last_loss_of_a_network(numbers: Numbers) -> jax.Array:
    schedule = fs.warmup_cosine(numbers["warmup"], numbers["total"], end=numbers["end"])
    optimizer = optax.adamw(to_optax(schedule, numbers["peak"]), eps=1e-3, weight_decay=0.125)
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=(UPDATES, 8, 3)))
    weights = [jnp.asarray(random.normal(size=shape)) / 2 for shape in ((3, 4), (4,))]

    def error(weights: Any, inputs: jax.Array) -> jax.Array:
        return jnp.mean((jnp.tanh(inputs @ weights[0]) @ weights[1] - inputs[:, 0] * inputs[:, 1]) ** 2)

    def update(carry: Any, inputs: jax.Array) -> tuple[Any, None]:
        weights, state = carry
        changes, state = optimizer.update(jax.grad(error)(weights, inputs), state, weights)
        return (optax.apply_updates(weights, changes), state), None

    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), inputs)
    return error(weights, inputs.reshape(-1, 3))


def test_the_gradient_through_adamw_is_the_central_difference_in_float64() -> None:
    with jax.enable_x64(True):
        numbers = {name: jnp.asarray(number) for name, number in NUMBERS.items()}
        gradient = jax.jit(jax.grad(last_loss_of_a_network))(numbers)
        value = jax.jit(last_loss_of_a_network)
        for name, number in numbers.items():
            by = 1e-5 * float(number)
            above, below = (float(value({**numbers, name: number + sign * by})) for sign in (1, -1))
            assert abs(gradient[name]) > 1e-5
            assert float(gradient[name]) == pytest.approx((above - below) / (2 * by), rel=1e-7), name


# At the boundaries.


# There is a bend where a step is the last of the warmup: no derivative, but one on each side.
def test_at_a_whole_warmup_the_gradient_is_between_the_slopes_of_both_sides() -> None:
    family = "warmup_linear"
    numbers = {**NUMBERS, "warmup": 4.0}
    sides = [
        exact_slope(lambda numbers: last_loss_exactly(family, numbers), numbers, "warmup", *side)
        for side in ((1, 0), (0, 1))
    ]
    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(lambda numbers: last_loss(family, numbers)))(jax.tree.map(jnp.asarray, numbers))
        found = float(gradient["warmup"])
    assert max(sides) - min(sides) > 0.01 and min(sides) - 1e-12 <= found <= max(sides) + 1e-12


EDGES = [
    {"peak": peak, "warmup": warmup, "total": total, "end": end}
    for peak in (0.0, 0.125)
    for warmup, total in (
        (0.0, 0.0),
        (0.0, 8.0),
        (0.25, 9.75),
        (1.0, 8.0),
        (4.0, 8.0),
        (8.0, 8.0),
        (11.0, 12.0),
        (50.0, 99.0),
    )
    for end in (0.0, 0.5, 1.0)
]


@pytest.mark.parametrize(
    ("family", "bits"), [("warmup_linear", 24), ("warmup_stable_decay", 24), ("join", 24), ("warmup_cosine", 53)]
)
def test_gradients_are_finite_at_all_boundaries(family: str, bits: int) -> None:
    with floats(bits):
        numbers = {name: jnp.array([edge[name] for edge in EDGES]) for name in NUMBERS}
        found = jax.jit(jax.vmap(jax.grad(lambda numbers: last_loss(family, numbers))))(numbers)
        found = jax.tree.map(np.asarray, found)
    assert all(np.isfinite(values).all() for values in found.values())
    assert all((values != 0).any() for values in found.values())


# What may be differentiated by.


def test_the_gradient_by_a_schedule_of_floats_is_a_schedule_of_gradients() -> None:
    rate = to_optax(fs.warmup_cosine(4, 10, end=0.0625), 0.1875)
    with jax.enable_x64(True):
        found = jax.jit(jax.grad(trained))(jax.tree.map(jnp.float64, rate))
    assert isinstance(found, OptaxSchedule) and type(found.schedule) is type(rate.schedule)
    numbers = {**NUMBERS, "warmup": 4, "total": 10}
    for name, value in {"end": found.schedule.end, "peak": found.peak_value}.items():
        exact = exact_slope(lambda numbers: last_loss_exactly("warmup_cosine", numbers), numbers, name)
        assert float(value) == pytest.approx(exact, rel=RELATIVE[53])


def test_a_fraction_of_a_step_is_refused_unless_it_is_an_array() -> None:
    with pytest.raises(ValueError, match=r"`warmup_steps` must be an integer from 0 to 2\*\*53, got 4\.25"):
        fs.warmup_linear(4.25, 10)  # type: ignore[arg-type]
    assert float(fs.warmup_linear(jnp.float32(4.25), 10)(jnp.int32(2))) == np.float32(2 / 4.25)


def test_jax_has_no_gradient_by_a_warmup_of_integers() -> None:
    with pytest.raises(TypeError, match="grad requires real- or complex-valued inputs"):
        jax.grad(lambda warmup: last_loss("warmup_linear", {**NUMBERS, "warmup": warmup}))(jnp.int32(4))


# The example.


@pytest.fixture(scope="module")
def result() -> tuple[dict[str, float], list[float]]:
    return example.main()


def last_loss_of_the_example(numbers: Numbers) -> mpf:
    curve = oracle.warmup_cosine(numbers["warmup"], example.UPDATES, 0.0, numbers["end"])
    first, second = mpf(-0.5), mpf(0.5)
    for step in range(example.UPDATES):
        rate, valley = numbers["peak"] * curve(step), second - first**2
        first, second = first + rate * (20 * first * valley + 2 * (1 - first)), second - rate * 10 * valley
    return 5 * (second - first**2) ** 2 + (1 - first) ** 2


@pytest.mark.parametrize("name", ["peak", "warmup", "end"])
def test_the_gradient_of_the_example_is_the_exact_central_difference(
    name: str, result: tuple[dict[str, float], list[float]]
) -> None:
    exact = exact_slope(last_loss_of_the_example, {"peak": 0.02, "warmup": 10.5, "end": 0.1}, name)
    assert result[0][name] == pytest.approx(exact, rel=1e-4)


def test_the_example_lowers_the_last_loss_in_every_run(result: tuple[dict[str, float], list[float]]) -> None:
    losses = result[1]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 2
