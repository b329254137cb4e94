"""Both ends of every phase, with `==`, for every total from 1 to 1,500."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcsched as fs
from tests.backends import x64

RECIPES = [fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts]
TOTALS = range(1, 1501)
END = 0.1


def marks(total: int) -> tuple[int, ...]:
    """Below 0, the start, the peak, the end, after it, far after it."""
    return -1, 0, total // 3, total, total + 1, 2 * total + 5


def declared(total: int, kind: type) -> list[float]:
    warmup = total // 3
    start, end = kind(END if warmup else 1.0), kind(END)
    return [start, start, kind(1.0), end, end, end]


def schedules(recipe, totals):
    return [recipe(total // 3, total, start=END, end=END) for total in totals]


@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_on_python_numbers(recipe) -> None:
    found = {t: [s(step) for step in marks(t)] for t, s in zip(TOTALS, schedules(recipe, TOTALS), strict=True)}
    assert found == {total: declared(total, float) for total in TOTALS}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_on_numpy_steps(recipe, kind) -> None:
    found = {t: s(np.array(marks(t), kind)).tolist() for t, s in zip(TOTALS, schedules(recipe, TOTALS), strict=True)}
    assert found == {total: list(map(float, declared(total, kind))) for total in TOTALS}


@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_on_torch_steps(recipe) -> None:
    found = {t: s(torch.tensor(marks(t))).tolist() for t, s in zip(TOTALS, schedules(recipe, TOTALS), strict=True)}
    assert found == {total: list(map(float, declared(total, np.float32))) for total in TOTALS}


@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_under_jit_with_constant_parameters(recipe) -> None:
    # XLA rewrites divisions by constants, so the totals have to be constants; the steps are not.
    def values(chunk, steps):
        return jnp.stack([schedule(step) for schedule, step in zip(schedules(recipe, chunk), steps, strict=True)])

    for first in range(1, 1501, 150):
        chunk = range(first, first + 150, 3)
        found = jax.jit(lambda steps, chunk=chunk: values(chunk, steps))(jnp.array([marks(total) for total in chunk]))
        expected = [declared(total, np.float32) for total in chunk]
        np.testing.assert_array_equal(np.asarray(found), np.array(expected, np.float32))


@pytest.mark.parametrize("context", [None, x64], ids=["32-bit", "x64"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_with_traced_parameters(recipe, context) -> None:
    def one(total, steps):
        return recipe(total // 3, total, start=END, end=END)(steps)

    def all_totals():
        steps = jnp.array([marks(total) for total in TOTALS])
        return np.asarray(jax.jit(jax.vmap(one))(jnp.arange(1, 1501), steps))

    if context is None:
        found, kind = all_totals(), np.float32
    else:
        with context():
            found, kind = all_totals(), np.float64
    np.testing.assert_array_equal(found, np.array([declared(total, kind) for total in TOTALS], kind))


@pytest.mark.parametrize("recipe", RECIPES)
def test_ends_are_exact_eagerly_on_jax_steps(recipe) -> None:
    totals = [1, 2, 3, 7, 10, 30, 803, 1000, 1499]
    found = {
        t: np.asarray(s(jnp.array(marks(t)))).tolist() for t, s in zip(totals, schedules(recipe, totals), strict=True)
    }
    assert found == {total: list(map(float, declared(total, np.float32))) for total in totals}
