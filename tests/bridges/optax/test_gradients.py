"""Gradients with respect to the arguments of a schedule and to a float step: finite everywhere, and accurate."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mpf

import funcsched as fs
from tests import oracle
from tests.bridges.optax.curves import FAMILIES

NAMES = ["warmup", "total", "start", "end"]
SMALL = [
    (5, 20, 0.1, 0.3),
    (0, 20, 0.5, 0.0),
    (20, 20, 0.0, 0.25),
    (0, 0, 0.0, 0.0),
    (1, 2, 1.0, 1.0),
    (3, 9, 0.0, 1.0),
]
GRID = [-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 19, 20, 21, 40, 1000]


def gradients(make: Callable, numbers: tuple[float, ...], traced: tuple[int, ...], steps: list[int]) -> dict[int, Any]:
    """The derivatives with respect to the arguments at the places `traced`, at every step.

    These arguments are traced together; the others are Python numbers.
    """

    def value(tracers: tuple[Any, ...], step: jax.Array) -> jax.Array:
        arguments = list(numbers)
        for place, tracer in zip(traced, tracers, strict=True):
            arguments[place] = tracer
        return make(*arguments)(step)

    floats = tuple(float(numbers[place]) for place in traced)
    found = jax.vmap(jax.grad(value), in_axes=(None, 0))(floats, jnp.array(steps))
    return dict(zip(traced, found, strict=True))


@pytest.mark.parametrize("numbers", SMALL, ids=str)
@pytest.mark.parametrize("traced", [(0, 1), (2, 3)], ids=["lengths", "levels"])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_with_respect_to_some_arguments_are_finite(
    family: str, traced: tuple[int, ...], numbers: tuple[float, ...]
) -> None:
    found = gradients(FAMILIES[family][0], numbers, traced, GRID)
    assert all(np.isfinite(slope).all() for slope in found.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_with_respect_to_all_arguments_are_finite(family: str) -> None:
    make, _ = FAMILIES[family]
    slope = jax.grad(lambda numbers, step: make(*numbers)(step))
    grid = jax.jit(jax.vmap(jax.vmap(slope, (None, 0)), (0, None)))
    numbers = tuple(jnp.array(column, jnp.float32) for column in zip(*SMALL, strict=True))
    assert all(np.isfinite(found).all() for found in grid(numbers, jnp.array(GRID)))


@pytest.mark.parametrize("shape", [fs.linear, fs.cosine, fs.power(0.5), fs.power(2), fs.power(3.5)], ids=repr)
@pytest.mark.parametrize("steps", [0.0, 5.0])
@pytest.mark.parametrize("levels", [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)], ids=str)
def test_gradients_of_a_ramp_are_finite(levels: tuple[float, float], steps: float, shape: Any) -> None:
    def value(start: Any, stop: Any, steps: Any, step: Any) -> Any:
        return fs.ramp(start, stop, steps=steps, shape=shape)(step)

    found = jax.vmap(jax.grad(value, (0, 1, 2)), (None, None, None, 0))(*levels, steps, jnp.array(GRID))
    assert all(np.isfinite(slope).all() for slope in found)


@pytest.mark.parametrize("numbers", SMALL, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_with_respect_to_a_float_step_are_finite(family: str, numbers: tuple[float, ...]) -> None:
    schedule = FAMILIES[family][0](*numbers)
    assert np.isfinite(jax.vmap(jax.grad(schedule))(jnp.array(GRID, jnp.float32))).all()


LINES = [(5, 20, 0.1, 0.3), (5, 20, 0.0, 0.0), (7, 100, 1.0, 1.0), (5, 20, 2.0, 3.0)]
INSIDE = [1, 2, 4, 6, 8, 9, 10, 12, 19]  # a linear schedule has no derivative at its boundaries


def derivative_of_warmup_linear(place: int, numbers: tuple[float, ...], step: int) -> mpf:
    """The derivative of warmup_linear between its boundaries."""
    w, t, a, b = (mpf(float(np.float32(number))) for number in numbers)
    if step < w:
        return [-(1 - a) * step / w**2, mpf(0), 1 - step / w, mpf(0)][place]
    length = t - w
    return [(1 - b) * (t - step) / length**2, (1 - b) * (step - w) / length**2, mpf(0), (step - w) / length][place]


# With respect to a level, the derivative is a weight, with a few float32 roundings. With respect to a length, it is a
# difference of terms of at most 1 / length times the levels, so the tolerance is relative to such a term.
@pytest.mark.parametrize("numbers", LINES, ids=str)
@pytest.mark.parametrize("together", [False, True], ids=["alone", "with all others"])
@pytest.mark.parametrize("place", range(4), ids=NAMES)
def test_the_gradient_of_warmup_linear_is_its_derivative(
    place: int, together: bool, numbers: tuple[float, ...]
) -> None:
    warmup, total, start, end = numbers
    traced = (0, 1, 2, 3) if together else (place,)
    found = gradients(FAMILIES["warmup_linear"][0], numbers, traced, INSIDE)[place]
    exact = np.array([float(derivative_of_warmup_linear(place, numbers, step)) for step in INSIDE])
    lengths = [(1 + start) / warmup if step < warmup else (1 + end) / (total - warmup) for step in INSIDE]
    # The weight of the lower level is 1 minus that of the other one.
    terms = np.float32(lengths if place < 2 else np.ones(len(exact)))
    assert (np.abs(found - exact) <= 8 * np.spacing(terms)).all(), list(zip(INSIDE, found, exact, strict=True))


@pytest.mark.parametrize("step", [6, 8, 10, 12, 15, 19])
@pytest.mark.parametrize("name", ["warmup_cosine", "warmup_cosine_restarts"])
def test_the_gradient_with_respect_to_the_end_of_a_cosine_is_its_weight(name: str, step: int) -> None:
    slope = jax.grad(lambda end: getattr(fs, name)(5, 20, end=end)(jnp.int32(step)))(0.25)
    exact = getattr(oracle, name)(5, 20, 0.0, 1.0)(step) - getattr(oracle, name)(5, 20, 0.0, 0.0)(step)
    # The end is the lower level, so its weight is 1 minus that of the other one.
    assert abs(float(slope) - float(exact)) <= 4 * np.spacing(np.float32(0.5))
