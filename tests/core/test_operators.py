"""The operators `*` and `+` of schedules."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcsched as fs

FIRST, SECOND = fs.warmup_linear(10, 100), fs.ramp(1.0, 0.5, steps=100)


def function(step: int) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (2 * FIRST, fs.scale(FIRST, 2)),
        (FIRST * 0.5, fs.scale(FIRST, 0.5)),
        (-1 * FIRST, fs.scale(FIRST, -1)),
        (np.float64(2) * FIRST, fs.scale(FIRST, 2)),
        (FIRST * np.int32(2), fs.scale(FIRST, 2)),
        (FIRST * SECOND, fs.product(FIRST, SECOND)),
        (FIRST * function, fs.product(FIRST, function)),
        (function * FIRST, fs.product(function, FIRST)),
        (FIRST + SECOND, fs.add(FIRST, SECOND)),
        (FIRST + 0.1, fs.add(FIRST, 0.1)),
        (0.1 + FIRST, fs.add(0.1, FIRST)),
        (function + FIRST, fs.add(function, FIRST)),
        (sum([FIRST, SECOND]), fs.add(fs.add(0, FIRST), SECOND)),
    ],
    ids=str,
)
def test_operators_build_combinators(result: fs.Schedule, expected: fs.Schedule) -> None:
    assert result == expected


def test_the_values_are_those_of_the_operation() -> None:
    assert [(2 * FIRST)(step) for step in (0, 5, 10, 55)] == [0.0, 1.0, 2.0, 1.0]
    assert [(FIRST * SECOND)(step) for step in (5, 100)] == [0.5 * 0.975, 0.0]
    assert [(FIRST + SECOND)(step) for step in (0, 100)] == [1.0, 0.5]


@pytest.mark.parametrize("factor", [jnp.float32(2), torch.tensor(2.0)], ids=["jax", "torch"])
def test_array_scalars_of_both_frameworks_scale_from_either_side(factor) -> None:
    for schedule in (factor * FIRST, FIRST * factor):
        assert isinstance(schedule, fs.Schedule) and float(schedule(5)) == 1.0


@pytest.mark.parametrize("other", ["2", None, [1], {}], ids=repr)
def test_other_operands_are_type_errors(other: object) -> None:
    for operation in (lambda: FIRST * other, lambda: FIRST + other, lambda: other + FIRST):
        with pytest.raises(TypeError):
            operation()
