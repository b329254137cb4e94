"""Start, peak and end are exact with `==` for every total from 1 to 1,500."""

from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcsched as fs
from tests.backends import x64

TOTALS = range(1, 1501)
END = 0.1

each_recipe = pytest.mark.parametrize("recipe", [fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts])


def schedule(recipe, total):
    return recipe(total // 3, total, start=END, end=END)


def steps(total: int) -> tuple[int, ...]:
    """Below 0, the start, the peak, the end, one step past it, and far past it."""
    return -1, 0, total // 3, total, total + 1, 2 * total + 5


def expected(total: int, dtype: type) -> list[float]:
    """The multipliers at `steps(total)`, rounded to a dtype."""
    start = END if total // 3 else 1.0
    return [float(dtype(value)) for value in (start, start, 1.0, END, END, END)]


@each_recipe
def test_python_values_are_exact(recipe) -> None:
    values = {total: [schedule(recipe, total)(step) for step in steps(total)] for total in TOTALS}
    assert values == {total: expected(total, float) for total in TOTALS}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_recipe
def test_numpy_values_are_exact(recipe, dtype) -> None:
    values = {total: schedule(recipe, total)(np.array(steps(total), dtype)).tolist() for total in TOTALS}
    assert values == {total: expected(total, dtype) for total in TOTALS}


@each_recipe
def test_torch_values_are_exact(recipe) -> None:
    values = {total: schedule(recipe, total)(torch.tensor(steps(total))).tolist() for total in TOTALS}
    assert values == {total: expected(total, np.float32) for total in TOTALS}


@pytest.mark.parametrize("totals", [TOTALS[first::65] for first in range(0, 65, 13)], ids=str)
@each_recipe
def test_jitted_values_are_exact_with_constant_parameters(recipe, totals) -> None:
    # The totals are constants of the program, because XLA rewrites divisions by constants. The steps are arguments.
    # Every thirteenth total, because each is compiled. A product with the reciprocal misses the end of every other one.
    def values(arrays):
        return [schedule(recipe, total)(array) for total, array in zip(totals, arrays, strict=True)]

    found = jax.jit(values)([jnp.array(steps(total)) for total in totals])
    assert [array.tolist() for array in found] == [expected(total, np.float32) for total in totals]


@pytest.mark.parametrize(("context", "dtype"), [(nullcontext, np.float32), (x64, np.float64)], ids=["32-bit", "x64"])
@each_recipe
def test_jitted_values_are_exact_with_traced_parameters(recipe, context, dtype) -> None:
    with context():
        evaluate = jax.jit(jax.vmap(lambda total, array: schedule(recipe, total)(array)))
        values = evaluate(jnp.array(TOTALS), jnp.array([steps(total) for total in TOTALS]))
        assert values.dtype == dtype
        assert values.tolist() == [expected(total, dtype) for total in TOTALS]


@each_recipe
def test_eager_jax_values_are_exact(recipe) -> None:
    totals = [1, 2, 3, 7, 10, 30, 803, 1000, 1499]
    values = {total: schedule(recipe, total)(jnp.array(steps(total))).tolist() for total in totals}
    assert values == {total: expected(total, np.float32) for total in totals}
