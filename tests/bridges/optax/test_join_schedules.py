"""`bridges.optax.join_schedules`: optax schedules, `Rated` pairs and schedules of this library, one after another."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import bridges.optax as bridge
import funcsched as fs
from bridges.optax import to_optax
from bridges.rated import Rated
from tests.bridges.optax.exact import STEPS, Curve, exact, inaccurate, rates


def joined(pieces: list[Curve], boundaries: list[int]) -> Curve:
    return lambda s: pieces[sum(s >= b for b in boundaries)](s - max([0, *(b for b in boundaries if s >= b)]))


@pytest.mark.parametrize("compile", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_joined_schedules_follow_each_other_as_in_optax(compile: Callable[..., Any]) -> None:
    parts = [("linear_schedule", (0.0, 3e-4, 5)), ("exponential_decay", (1e-3, 7, 0.5)), ("constant_schedule", (1e-5,))]
    rated = bridge.join_schedules([getattr(bridge, name)(*args) for name, args in parts], [8, 40])
    peer = optax.join_schedules([getattr(optax, name)(*args) for name, args in parts], [8, 40])
    curve = joined([exact(name, *args) for name, args in parts], [8, 40])
    assert rated.peak_value == 1e-3
    assert inaccurate(rates(rated), curve) == []
    ours = np.asarray(compile(to_optax(*rated))(jnp.arange(STEPS)), float)
    theirs = np.asarray(compile(jax.vmap(peer))(jnp.arange(STEPS)), float)
    truth = np.array([float(curve(step)) for step in range(STEPS)])
    assert inaccurate(ours.tolist(), curve, 24) == []
    assert np.abs(theirs - truth).max() <= 20 * 2**-24 * truth.max()


def halving(count: Any) -> Any:
    return 0.5 ** (count // 4)


def test_rated_pairs_bridged_schedules_schedules_and_functions_can_be_joined() -> None:
    items = [
        bridge.linear_schedule(0.0, 0.5, 4),
        to_optax(fs.ramp(1.0, 0.5, steps=4), 0.25),
        fs.ramp(0.125, 0.25, steps=4),
        optax.constant_schedule(0.0625),
        halving,
    ]
    rated = bridge.join_schedules(items, [4, 8, 12, 16])
    assert rated.peak_value == 0.5
    expected = [
        *(0.0, 0.125, 0.25, 0.375),
        *(0.25, 0.21875, 0.1875, 0.15625),
        *(0.125, 0.15625, 0.1875, 0.21875),
        *[0.0625] * 4,
        *[1.0] * 4,
        *[0.5] * 4,
        0.25,
    ]
    assert rates(rated, range(25)) == expected
    assert (0.5 * rated.schedule(torch.arange(25))).tolist() == expected
    assert jax.jit(to_optax(*rated))(jnp.arange(25)).tolist() == expected


def test_functions_alone_have_a_peak_of_1() -> None:
    rated = bridge.join_schedules([halving, fs.constant(0.25)], [8])
    assert rated.peak_value == 1.0 and rates(rated, [0, 7, 8]) == [1.0, 0.5, 0.25]
    assert rated.schedule.schedules[1] == fs.constant(0.25)


def test_joined_rates_of_0_are_0() -> None:
    zero = bridge.constant_schedule(0.0)
    assert bridge.join_schedules([zero, zero], [5]) == Rated(fs.constant(), 0.0)
    rated = bridge.join_schedules([zero, halving], [5])
    assert rated.peak_value == 1.0 and rates(rated, [4, 5]) == [0.0, 1.0]


def test_one_schedule_without_boundaries_is_unchanged() -> None:
    rated = bridge.join_schedules([bridge.linear_schedule(0.0, 0.5, 4)], [])
    assert rates(rated, [0, 2, 4, 5]) == [0.0, 0.25, 0.5, 0.5]


def test_joined_schedules_can_be_joined() -> None:
    inner = bridge.join_schedules([bridge.constant_schedule(0.5), bridge.constant_schedule(0.25)], [2])
    rated = bridge.join_schedules([inner, bridge.constant_schedule(1.0)], [4])
    assert rated.peak_value == 1.0 and rates(rated, range(5)) == [0.5, 0.5, 0.25, 0.25, 1.0]
