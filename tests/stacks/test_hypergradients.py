"""Gradients of the final loss with respect to parameters of a schedule, through an entire training run in a scan."""

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
from bridges.optax import OptaxSchedule, to_optax
from examples.stacks import hypergradients as example
from tests import oracle

UPDATES = 12
Parameters = dict[str, Any]
PARAMETERS: Parameters = {"peak": 0.1875, "warmup": 4.25, "total": 10.5, "end": 0.0625}  # exact in float32

FAMILIES: dict[str, tuple[Callable[[Parameters], fs.Schedule], Callable[[Parameters], oracle.Curve]]] = {
    "warmup_linear": (
        lambda p: fs.warmup_linear(p["warmup"], p["total"], end=p["end"]),
        lambda p: oracle.warmup_linear(p["warmup"], p["total"], 0.0, p["end"]),
    ),
    "warmup_cosine": (
        lambda p: fs.warmup_cosine(p["warmup"], p["total"], end=p["end"]),
        lambda p: oracle.warmup_cosine(p["warmup"], p["total"], 0.0, p["end"]),
    ),
    "warmup_stable_decay": (
        lambda p: fs.warmup_stable_decay(
            p["warmup"], 3, p["total"] - p["warmup"] - 3, end=p["end"], decay_shape=fs.sqrt
        ),
        lambda p: oracle.phases(
            0.0,
            (p["warmup"], 1.0, oracle.linear),
            (3, 1.0, oracle.linear),
            (p["total"] - p["warmup"] - 3, p["end"], oracle.sqrt),
        ),
    ),
    "join": (
        lambda p: fs.join(
            [fs.ramp(p["end"], 1.0, steps=p["warmup"]), fs.inverse_time(0.5)], [p["total"] - p["warmup"]]
        ),
        lambda p: oracle.join(
            [oracle.ramp(p["end"], 1.0, p["warmup"]), oracle.inverse_time(0.5)], [p["total"] - p["warmup"]]
        ),
    ),
}


def loss(first: Any, second: Any) -> Any:
    return (first - 1) ** 2 / 2 + (second + 2) ** 2 + first * second / 2 + first**4 / 16


def gradient_of_loss(first: Any, second: Any) -> tuple[Any, Any]:
    return first - 1 + second / 2 + first**3 / 4, 2 * (second + 2) + first / 2


def loss_after_training(rate: Any) -> jax.Array:
    optimizer = optax.sgd(rate)

    def update(carry: Any, _: None) -> tuple[Any, None]:
        weights, state = carry
        updates, state = optimizer.update(jax.grad(lambda weights: loss(*weights))(weights), state)
        return (optax.apply_updates(weights, updates), state), None

    weights = jnp.array([0.25, 1.0])
    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), length=UPDATES)
    return loss(*weights)


def final_loss(family: str, parameters: Parameters) -> jax.Array:
    return loss_after_training(to_optax(FAMILIES[family][0](parameters), parameters["peak"]))


def exact_final_loss(family: str, parameters: Parameters) -> mpf:
    """The same from the formulas, with 300 bits."""
    curve, first, second = FAMILIES[family][1](parameters), mpf(0.25), mpf(1)
    for step in range(UPDATES):
        rate, (by_first, by_second) = parameters["peak"] * curve(step), gradient_of_loss(first, second)
        first, second = first - rate * by_first, second - rate * by_second
    return loss(first, second)


STEP_SIZE = mpf(10) ** -30  # central differences are then exact to about 60 digits


def exact_derivative(
    function: Callable[[Parameters], Any], parameters: Parameters, name: str, left: int = 1, right: int = 1
) -> float:
    """The central difference with 300 bits; one-sided if `left` or `right` is 0."""
    below, above = ({**parameters, name: mpf(parameters[name]) + by * STEP_SIZE} for by in (-left, right))
    return float((function(above) - function(below)) / ((left + right) * STEP_SIZE))


@cache
def gradients(family: str, bits: int, mode: Callable = jax.grad) -> dict[str, float]:
    with jax.enable_x64(bits == 53):
        gradient = jax.jit(mode(lambda parameters: final_loss(family, parameters)))
        return {name: float(value) for name, value in gradient(jax.tree.map(jnp.asarray, PARAMETERS)).items()}


RELATIVE = {53: 1e-12, 24: 2e-5}  # tolerances by the bits of a float; measured: 5e-15 and 2e-6


# A gradient through a scan takes seconds to compile, so there is only one family in float32.
@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize(("family", "bits"), [*((family, 53) for family in FAMILIES), ("warmup_cosine", 24)])
def test_the_gradient_equals_the_exact_central_difference(family: str, name: str, bits: int) -> None:
    exact = exact_derivative(lambda parameters: exact_final_loss(family, parameters), PARAMETERS, name)
    assert abs(exact) > 1e-4 and gradients(family, bits)[name] == pytest.approx(exact, rel=RELATIVE[bits])


def test_forward_mode_gives_the_same_gradient() -> None:
    assert gradients("warmup_cosine", 53, jax.jacfwd) == pytest.approx(gradients("warmup_cosine", 53), rel=1e-12)


# A network and AdamW, for which there is no oracle: central differences in float64, with an error of about 1e-9.


def final_loss_of_a_network(parameters: Parameters) -> jax.Array:
    schedule = fs.warmup_cosine(parameters["warmup"], parameters["total"], end=parameters["end"])
    optimizer = optax.adamw(to_optax(schedule, parameters["peak"]), eps=1e-3, weight_decay=0.125)
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=(UPDATES, 8, 3)))
    weights = [jnp.asarray(random.normal(size=shape)) / 2 for shape in ((3, 4), (4,))]

    def error(weights: Any, inputs: jax.Array) -> jax.Array:
        return jnp.mean((jnp.tanh(inputs @ weights[0]) @ weights[1] - inputs[:, 0] * inputs[:, 1]) ** 2)

    def update(carry: Any, inputs: jax.Array) -> tuple[Any, None]:
        weights, state = carry
        updates, state = optimizer.update(jax.grad(error)(weights, inputs), state, weights)
        return (optax.apply_updates(weights, updates), state), None

    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), inputs)
    return error(weights, inputs.reshape(-1, 3))


def test_the_gradient_through_adamw_equals_the_central_difference_in_float64() -> None:
    with jax.enable_x64(True):
        parameters = {name: jnp.asarray(value) for name, value in PARAMETERS.items()}
        gradient = jax.jit(jax.grad(final_loss_of_a_network))(parameters)
        loss = jax.jit(final_loss_of_a_network)
        for name, value in parameters.items():
            step_size = 1e-5 * float(value)
            above, below = (float(loss({**parameters, name: value + sign * step_size})) for sign in (1, -1))
            assert abs(gradient[name]) > 1e-5
            assert float(gradient[name]) == pytest.approx((above - below) / (2 * step_size), rel=1e-7), name


# At boundaries.


# The curve has a kink where a step is the last of the warmup: only one-sided derivatives exist.
def test_at_an_integer_warmup_the_gradient_is_between_the_one_sided_derivatives() -> None:
    parameters = {**PARAMETERS, "warmup": 4.0}
    left, right = (
        exact_derivative(lambda parameters: exact_final_loss("warmup_linear", parameters), parameters, "warmup", *side)
        for side in ((1, 0), (0, 1))
    )
    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(lambda parameters: final_loss("warmup_linear", parameters)))
        derivative = float(gradient(jax.tree.map(jnp.asarray, parameters))["warmup"])
    assert abs(left - right) > 0.01 and min(left, right) - 1e-12 <= derivative <= max(left, right) + 1e-12


BOUNDARIES = [
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
    with jax.enable_x64(bits == 53):
        batch = {name: jnp.array([parameters[name] for parameters in BOUNDARIES]) for name in PARAMETERS}
        gradient = jax.jit(jax.vmap(jax.grad(lambda parameters: final_loss(family, parameters))))(batch)
        derivatives = jax.tree.map(np.asarray, gradient)
    assert all(np.isfinite(values).all() for values in derivatives.values())
    assert all((values != 0).any() for values in derivatives.values())


# What can be differentiated.


def test_the_gradient_with_respect_to_a_schedule_is_a_schedule_of_derivatives() -> None:
    rate = to_optax(fs.warmup_cosine(4, 10, end=0.0625), 0.1875)
    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(loss_after_training))(jax.tree.map(jnp.float64, rate))
    assert isinstance(gradient, OptaxSchedule) and type(gradient.schedule) is type(rate.schedule)
    parameters = {**PARAMETERS, "warmup": 4, "total": 10}
    for name, value in {"end": gradient.schedule.end, "peak": gradient.peak_value}.items():
        exact = exact_derivative(lambda parameters: exact_final_loss("warmup_cosine", parameters), parameters, name)
        assert float(value) == pytest.approx(exact, rel=RELATIVE[53])


def test_a_fractional_number_of_steps_is_rejected_unless_it_is_an_array() -> None:
    with pytest.raises(ValueError, match=r"`warmup_steps` must be an integer from 0 to 2\*\*53, got 4\.25"):
        fs.warmup_linear(4.25, 10)  # type: ignore[arg-type]
    assert float(fs.warmup_linear(jnp.float32(4.25), 10)(jnp.int32(2))) == np.float32(2 / 4.25)


def test_jax_cannot_differentiate_with_respect_to_an_integer_warmup() -> None:
    with pytest.raises(TypeError, match="grad requires real- or complex-valued inputs"):
        jax.grad(lambda warmup: final_loss("warmup_linear", {**PARAMETERS, "warmup": warmup}))(jnp.int32(4))


# The example.


@pytest.fixture(scope="module")
def example_result() -> tuple[dict[str, float], list[float]]:
    return example.main()


def exact_final_loss_of_the_example(parameters: Parameters) -> mpf:
    curve = oracle.warmup_cosine(parameters["warmup"], example.UPDATES, 0.0, parameters["end"])
    first, second = mpf(-0.5), mpf(0.5)
    for step in range(example.UPDATES):
        rate, valley = parameters["peak"] * curve(step), second - first**2
        first, second = first + rate * (20 * first * valley + 2 * (1 - first)), second - rate * 10 * valley
    return 5 * (second - first**2) ** 2 + (1 - first) ** 2


@pytest.mark.parametrize("name", ["peak", "warmup", "end"])
def test_the_gradient_of_the_example_equals_the_exact_central_difference(name: str, example_result: Any) -> None:
    gradient, _ = example_result
    exact = exact_derivative(exact_final_loss_of_the_example, {"peak": 0.02, "warmup": 10.5, "end": 0.1}, name)
    assert gradient[name] == pytest.approx(exact, rel=1e-4)


def test_the_example_reduces_the_final_loss_in_every_run(example_result: Any) -> None:
    _, losses = example_result
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 2
