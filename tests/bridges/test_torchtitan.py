"""`bridges.torchtitan` compared with torchtitan itself, at every update."""

import inspect
import math
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
from tests.errors import exactly, raises

Config = peers.torchtitan().LRSchedulersContainer.Config

# torchtitan's decay has at most 7 operations (a quotient, a product with pi, a cosine, two sums, two products), each
# with an error of half an ulp. Ours has an error of 4 ulp. Both are relative to 1, because torchtitan subtracts from 1.
TOLERANCE = (7 + 2 * 4) * 2.0**-53


def pair(steps: int, base_lr: float = 1.0, **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our multipliers, and those of torchtitan: the learning rates that it sets, divided by the base learning rate."""
    schedule = lr_schedules_config(**arguments)
    training_steps = arguments.pop("training_steps")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=base_lr)
    scheduler = Config(**arguments).build(optimizers=[optimizer], training_steps=training_steps)
    multipliers = []
    for _ in range(steps):
        multipliers.append(optimizer.param_groups[0]["lr"] / base_lr)
        optimizer.step()
        scheduler.step()
    return np.array([schedule(step) for step in range(steps)]), np.array(multipliers)


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    errors = np.flatnonzero(~(np.abs(ours - theirs) <= TOLERANCE * np.maximum(theirs, 1.0)))
    assert errors.size == 0, [(step, ours[step], theirs[step]) for step in errors[:5]]


@settings(max_examples=100)
@given(
    warmup_steps=st.integers(0, 60),
    total_steps=st.one_of(st.none(), st.integers(1, 80)),
    training_steps=st.integers(1, 80),
    decay_ratio=st.one_of(st.none(), st.floats(0.0, 1.5)),
    decay_type=st.sampled_from(["linear", "sqrt", "cosine"]),
    min_lr_factor=st.one_of(st.just(0.0), st.floats(0.0, 1.5)),
)
def test_every_update_up_to_the_end(**arguments: Any) -> None:
    length = arguments["total_steps"] or arguments["training_steps"]
    assert_close(*pair(length, **arguments))


@pytest.mark.parametrize("decay_type", ["linear", "sqrt", "cosine"])
def test_end_at_the_step_after_the_last(decay_type: str) -> None:
    ours, theirs = pair(11, warmup_steps=2, training_steps=10, decay_type=decay_type, min_lr_factor=0.1)
    assert ours[10] == 0.1
    assert_close(ours, theirs)


def test_values_by_hand() -> None:
    ours, theirs = pair(10, base_lr=0.5, warmup_steps=2, training_steps=10)
    assert ours.tolist() == theirs.tolist() == [0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    ours, _ = pair(10, warmup_steps=4, training_steps=10, decay_ratio=0.2, min_lr_factor=0.5)
    assert ours.tolist() == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75]


def test_end_is_held_where_torchtitan_continues() -> None:
    ours, theirs = pair(14, warmup_steps=2, training_steps=10)
    assert (ours[10:].tolist(), theirs[10:].tolist()) == ([0.0] * 4, [0.0, -0.125, -0.25, -0.375])
    ours, theirs = pair(12, warmup_steps=2, training_steps=10, decay_type="sqrt")
    assert (ours[11], theirs[11]) == (0.0, pytest.approx(1 - math.sqrt(9 / 8)))
    ours, theirs = pair(19, warmup_steps=2, training_steps=10, decay_type="cosine")
    assert (ours[18], theirs[18]) == (0.0, pytest.approx(1.0))


@pytest.mark.parametrize("arguments", [{"decay_ratio": 0.0, "warmup_steps": 3}, {"warmup_steps": 12}])
def test_no_decay_where_torchtitan_raises_after_the_end(arguments: dict[str, Any]) -> None:
    ours, theirs = pair(10, training_steps=10, **arguments)
    assert_close(ours, theirs)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    (scheduler,) = Config(**arguments).build(optimizers=[optimizer], training_steps=10)
    multiplier = scheduler.lr_lambdas[0]
    assert multiplier(10) == 1.0
    with pytest.raises(AssertionError, match="decay_steps must not be zero"):
        multiplier(11)
    schedule = lr_schedules_config(training_steps=10, **arguments)
    assert [schedule(step) for step in (10, 11, 10**9)] == [1.0, 1.0, 1.0]


def test_the_older_name_of_the_lowest_multiplier_is_an_error_with_the_newer_name() -> None:
    takes = "`warmup_steps`, `total_steps`, `decay_ratio`, `decay_type`, `min_lr_factor`, `training_steps`"
    message = f"lr_schedules_config: no argument `lr_min` (got 0.1); it takes {takes}; `lr_min` is now `min_lr_factor`"
    with pytest.raises(TypeError, match=exactly(message)):
        lr_schedules_config(training_steps=100, lr_min=0.1)  # type: ignore[call-arg]


def test_defaults() -> None:
    fields = inspect.signature(Config).parameters
    ours = inspect.signature(lr_schedules_config).parameters
    assert {name: ours[name].default for name in fields} == {name: field.default for name, field in fields.items()}
    assert set(ours) - set(fields) == {"training_steps"}
    assert_close(*pair(1000, training_steps=1000))


def test_schedule_is_a_shifted_recipe() -> None:
    recipe = fs.warmup_stable_decay(2, 6, 3, end=0.1, decay_shape=fs.cosine)
    schedule = lr_schedules_config(2, 10, 0.3, "cosine", 0.1, training_steps=99)
    assert schedule == fs.shift(recipe, 1)


@pytest.mark.parametrize("decay_type", ["linear", "sqrt", "cosine"])
def test_jax_and_torch_match_python(decay_type: Any) -> None:
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
        ("training_steps", "many", "an integer from 1 to 2**53", TypeError),
        ("decay_ratio", -0.1, "a number from 0 to 1.7e38", ValueError),
        ("decay_type", "1-sqrt", "one of 'cosine', 'linear', 'sqrt'", ValueError),
        ("min_lr_factor", -0.1, "a number from 0 to 1.7e38", ValueError),
    ],
)
def test_invalid_arguments(argument: str, value: Any, requirement: str, kind: type[Exception]) -> None:
    with raises("lr_schedules_config", argument, requirement, value, kind):
        lr_schedules_config(**({"training_steps": 100} | {argument: value}))
