"""Controllers make the decisions of the originals, run as installed, on random metrics with NaN, infinity and ties."""

import random
import warnings
from itertools import pairwise, product
from math import inf, nan

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from transformers.optimization import GreedyLR

import funcsched as fs
from bridges.optax import reduce_on_plateau
from tests.backends import x64

PEAK = 0.25  # a power of 2, so that learning rates and multipliers are rounded alike


def metrics(seed: int, length: int = 60) -> list[float]:
    """A random walk with a falling trend, ties, NaN and infinity."""
    numbers, value = random.Random(seed), 2.0
    values = []
    for _ in range(length):
        value += numbers.choice([-0.25, -0.05, 0.0, 0.0, 0.05, 0.1])
        values.append(numbers.choices([value, nan, inf, -inf if seed % 3 == 0 else value], [20, 1, 1, 0.3])[0])
    return values


def multipliers(controller, values: list[float]) -> list[float]:
    state, found = controller.init(), []
    for value in values:
        state, multiplier = controller.update(state, value)
        found.append(multiplier)
    return found


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)


def torch_rates(scheduler, values: list[float]) -> list[float]:
    rates = []
    for value in values:
        scheduler.step(value)
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
    return rates


PLATEAUS = [
    {"mode": mode, "patience": patience, "cooldown": cooldown, "factor": factor, **threshold}
    for mode, patience, cooldown, factor, threshold in product(
        ("min", "max"),
        (0, 1, 4),
        (0, 3),
        (0.5, 0.1),
        ({"threshold": 1e-4}, {"threshold": 0.1, "threshold_mode": "abs"}, {"threshold": 1.0}),
    )
]


def test_plateau_equals_that_of_torch() -> None:
    for seed, arguments in enumerate(PLATEAUS):
        values = metrics(seed)
        original = ReduceLROnPlateau(optimizer(), min_lr=PEAK / 64, eps=PEAK / 128, **arguments)
        ours = fs.plateau(min_multiplier=1 / 64, eps=1 / 128, **arguments)
        found = multipliers(ours, values)
        assert [PEAK * multiplier for multiplier in found] == pytest.approx(torch_rates(original, values), rel=1e-14)
        assert len(set(found)) > 1, arguments


def test_greedy_equals_that_of_transformers() -> None:
    resets = 0
    for seed, (patience, cooldown, warmup, window, mode) in enumerate(
        product((0, 1, 3), (0, 2), (0, 2), (None, 3), ("min", "max"))
    ):
        values = metrics(seed, 120)
        common = {"mode": mode, "factor": 0.5, "patience": patience, "cooldown": cooldown, "warmup": warmup}
        original = GreedyLR(
            optimizer(), **common, min_lr=PEAK / 8, max_lr=PEAK * 4, eps=0.0, reset_start=2,
            smooth=window is not None, window_size=window or 1,
        )  # fmt: skip
        ours = fs.greedy(**common, min_multiplier=1 / 8, max_multiplier=4, eps=0, reset_start=2, window_size=window)
        found = multipliers(ours, values)
        assert [PEAK * multiplier for multiplier in found] == torch_rates(original, values), (seed, common)
        resets += any(before == 1 / 8 and after == 1 for before, after in pairwise(found))
    assert resets > 3


def scaled_updates(transformation: optax.GradientTransformationExtraArgs, values: jax.Array) -> jax.Array:
    def step(state, metric):
        update, state = transformation.update(jnp.float32(1), state, value=metric)
        return state, update

    return jax.lax.scan(step, transformation.init(jnp.float32(0)), values)[1]


@pytest.mark.parametrize("accumulation", [1, 3])
def test_plateau_equals_that_of_optax_in_a_scan(accumulation: int) -> None:
    for seed, patience in enumerate((1, 2, 5)):
        values = jnp.asarray([value if value > -inf else 0.0 for value in metrics(seed, 90)], jnp.float32)
        arguments = {
            **{"factor": 0.5, "patience": patience, "rtol": 0.01, "atol": 0.02, "cooldown": 2, "min_scale": 0.01},
            "accumulation_size": accumulation,
        }

        found = jax.jit(lambda values, arguments=arguments: scaled_updates(reduce_on_plateau(**arguments), values))(
            values
        )
        original = optax.contrib.reduce_on_plateau(**arguments)
        assert found.dtype == jnp.float32
        assert found.tolist() == scaled_updates(original, values).tolist(), (seed, patience)
        assert len(set(found.tolist())) > 2


def test_python_numpy_jax_and_torch_agree_also_under_jit_scan_and_vmap() -> None:
    for controller in (
        fs.plateau(factor=0.5, patience=1, cooldown=1, accumulation=2),
        fs.greedy(factor=0.5, patience=1, window_size=3, max_multiplier=2, warmup=1),
    ):
        rows = [metrics(seed, 30) for seed in range(4)]
        expected = [multipliers(controller, row) for row in rows]
        assert [multipliers(controller, list(np.array(row))) for row in rows] == expected
        rows_of_torch = [list(torch.tensor(row, dtype=torch.float64)) for row in rows]
        for row, correct in zip(rows_of_torch, expected, strict=True):  # torch rounds multipliers to float32
            assert [float(m) for m in multipliers(controller, row)] == pytest.approx(correct, rel=2.0**-24)
        with x64():
            scan = jax.jit(jax.vmap(lambda row, it=controller: jax.lax.scan(it.update, it.init(), row)[1]))
            assert scan(jnp.array(rows)).tolist() == expected


def test_a_state_is_a_pytree_of_numbers_and_a_controller_is_a_value() -> None:
    controller = fs.plateau(factor=0.5)
    assert controller == fs.plateau(factor=0.5) != fs.plateau() and hash(controller) == hash(fs.plateau(factor=0.5))
    assert repr(controller) == "plateau(factor=0.5)" and repr(fs.greedy(patience=3)) == "greedy(patience=3)"
    leaves = jax.tree.leaves(fs.greedy(window_size=2).init())
    assert leaves == [inf, 0, 0, 0, 0, 500, 1.0, 0.0, 0.0, 0, 0.0]
    with pytest.raises(AttributeError, match="plateau is immutable"):
        controller.factor = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for argument, value in (
            ("factor", 1.0),
            ("mode", "least"),
            ("patience", -1),
            ("accumulation", 0),
            ("eps", nan),
        ):
            with pytest.raises(ValueError, match=f"^plateau: `{argument}` must be "):
                fs.plateau(**{argument: value})
        for argument, value in (("factor", 0.0), ("min_multiplier", 2), ("max_multiplier", 0.5), ("reset_start", 0)):
            with pytest.raises(ValueError, match=f"^greedy: `{argument}` must be "):
                fs.greedy(**{argument: value})
