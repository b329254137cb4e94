"""`bridges.torchtitan` beside torchtitan itself, update by update."""

import inspect
import math
import re
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from bridges.torchtitan import lr_schedules_config
from tests import peers

Config = peers.torchtitan().LRSchedulersContainer.Config

# torchtitan's decay has 7 steps at most (quotient, product with pi, cosine, two sums, two products), each off by half
# an ulp, and ours 4 ulp. Both count against 1: torchtitan subtracts from it.
TOLERANCE = (7 + 2 * 4) * 2.0**-53


def pair(steps: int, base_lr: float = 1.0, **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our multipliers, and the learning rates that torchtitan sets over the base rate."""
    schedule = lr_schedules_config(**arguments)
    training_steps = arguments.pop("training_steps")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=base_lr)
    scheduler = Config(**arguments).build(optimizers=[optimizer], training_steps=training_steps)
    used = []
    for _ in range(steps):
        used.append(optimizer.param_groups[0]["lr"] / base_lr)
        optimizer.step()
        scheduler.step()
    return np.array([schedule(step) for step in range(steps)]), np.array(used)


def assert_close(found: np.ndarray, peer: np.ndarray) -> None:
    off = np.flatnonzero(~(np.abs(found - peer) <= TOLERANCE * np.maximum(peer, 1.0)))
    assert off.size == 0, [(step, found[step], peer[step]) for step in off[:5]]


@settings(max_examples=100, deadline=None)
@given(
    warmup_steps=st.integers(0, 60),
    total_steps=st.one_of(st.none(), st.integers(1, 80)),
    training_steps=st.integers(1, 80),
    decay_ratio=st.one_of(st.none(), st.floats(0.0, 1.5)),
    decay_type=st.sampled_from(["linear", "sqrt", "cosine"]),
    min_lr_factor=st.one_of(st.just(0.0), st.floats(0.0, 1.5)),
)
def test_every_step_up_to_the_end(**arguments: Any) -> None:
    length = arguments["total_steps"] or arguments["training_steps"]
    assert_close(*pair(length, **arguments))


@pytest.mark.parametrize("decay_type", ["linear", "sqrt", "cosine"])
def test_the_step_after_the_last_is_the_end(decay_type: str) -> None:
    found, peer = pair(11, warmup_steps=2, training_steps=10, decay_type=decay_type, min_lr_factor=0.1)
    assert found[10] == 0.1
    assert_close(found, peer)


def test_values_by_hand() -> None:
    found, peer = pair(10, base_lr=0.5, warmup_steps=2, training_steps=10)
    assert found.tolist() == peer.tolist() == [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    found, _ = pair(10, warmup_steps=4, training_steps=10, decay_ratio=0.2, min_lr_factor=0.5)
    assert found.tolist() == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75]


def test_past_the_end_torchtitan_goes_on() -> None:
    found, peer = pair(14, warmup_steps=2, training_steps=10)
    assert (found[10:].tolist(), peer[10:].tolist()) == ([0.0] * 4, [0.0, -0.125, -0.25, -0.375])
    found, peer = pair(12, warmup_steps=2, training_steps=10, decay_type="sqrt")
    assert (found[11], peer[11]) == (0.0, pytest.approx(1 - math.sqrt(9 / 8)))
    found, peer = pair(19, warmup_steps=2, training_steps=10, decay_type="cosine")
    assert (found[18], peer[18]) == (0.0, pytest.approx(1.0))


@pytest.mark.parametrize("arguments", [{"decay_ratio": 0.0, "warmup_steps": 3}, {"warmup_steps": 12}])
def test_without_a_decay_torchtitan_fails_past_the_end(arguments: dict[str, Any]) -> None:
    found, peer = pair(10, training_steps=10, **arguments)
    assert_close(found, peer)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    (scheduler,) = Config(**arguments).build(optimizers=[optimizer], training_steps=10)
    multiplier = scheduler.lr_lambdas[0]
    assert multiplier(10) == 1.0
    with pytest.raises(AssertionError, match="decay_steps must not be zero"):
        multiplier(11)
    schedule = lr_schedules_config(training_steps=10, **arguments)
    assert [schedule(step) for step in (10, 11, 10**9)] == [1.0, 1.0, 1.0]


def test_defaults() -> None:
    fields = inspect.signature(Config).parameters
    ours = inspect.signature(lr_schedules_config).parameters
    assert {name: ours[name].default for name in fields} == {name: field.default for name, field in fields.items()}
    assert set(ours) - set(fields) == {"training_steps"}
    assert_close(*pair(1000, training_steps=1000))


def test_is_a_shifted_recipe() -> None:
    recipe = fs.warmup_stable_decay(2, 6, 3, end=0.1, decay_shape=fs.cosine)
    schedule = lr_schedules_config(2, 10, 0.3, "cosine", 0.1, training_steps=99)
    assert schedule == fs.shift(recipe, 1)


@pytest.mark.parametrize("decay_type", ["linear", "sqrt", "cosine"])
def test_in_jax_and_torch(decay_type: Any) -> None:
    schedule = lr_schedules_config(5, 40, 0.5, decay_type, 0.1, training_steps=40)
    exact = np.array([schedule(step) for step in range(60)])
    assert np.asarray(jax.jit(schedule)(np.arange(60))) == pytest.approx(exact, rel=1e-6)
    assert schedule(torch.arange(60)).numpy() == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(
    ("argument", "value", "requirement", "kind"),
    [
        ("warmup_steps", -1, "an integer from 0 to 2**53", ValueError),
        ("warmup_steps", 2.5, "an integer from 0 to 2**53", ValueError),
        ("total_steps", 0, "an integer from 1 to 2**53", ValueError),
        ("training_steps", 0, "an integer from 1 to 2**53", ValueError),
        ("training_steps", "9", "an integer from 1 to 2**53", TypeError),
        ("decay_ratio", -0.1, "a number from 0 to 3.4e38", ValueError),
        ("decay_type", "1-sqrt", "one of 'cosine', 'linear', 'sqrt'", ValueError),
        ("min_lr_factor", -0.1, "a number from 0 to 3.4e38", ValueError),
    ],
)
def test_errors(argument: str, value: Any, requirement: str, kind: type[Exception]) -> None:
    sentence = f"lr_schedules_config: `{argument}` must be {requirement}, got {value!r}"
    with pytest.raises(kind, match=f"^{re.escape(sentence)}$"):
        lr_schedules_config(**({"training_steps": 100} | {argument: value}))
