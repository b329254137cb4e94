"""`phase_boundaries`: the steps at which phases begin and end."""

import jax.numpy as jnp
import pytest

import funcsched as fs
from funcsched.analysis.landmarks import phase_boundaries


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.constant(), set()),
        (fs.ramp(0, 1, steps=7), {7}),
        (fs.warmup_linear(10, 100), {0, 10, 100}),
        (fs.warmup_stable_decay(10, 70, 20), {0, 10, 80, 100}),
        (fs.multistep([30, 60]), {30, 60}),
        (fs.interpolate([5, 9], [1.0, 0.5]), {0, 5, 9}),
        (fs.shift(fs.warmup_linear(10, 100), 4), {-4, 6, 96}),
        (fs.stretch(fs.multistep([30, 61]), 0.5), {15, 30.5}),
        (fs.repeat(fs.ramp(1, 0, steps=8), 10, times=3), {0, 8, 10, 18, 20, 28, 30}),
        (fs.exponential_decay(0.5, 100, staircase=True), {100, 200, 300}),
        (fs.product(fs.ramp(0, 1, steps=7), fs.multistep([30])), {7, 30}),
        (fs.warmup_linear(10, 100, end=jnp.float32(0.1)), {0, 10, 100}),
        (fs.warmup_linear(jnp.int32(10), jnp.int32(100)), set()),
    ],
    ids=str,
)
def test_boundaries(schedule: fs.Schedule, expected: set[float]) -> None:
    assert phase_boundaries(schedule, until=300) == expected


def test_changes_of_a_table_are_optional() -> None:
    table = fs.table([1.0, 1.0, 0.5, 0.5, 0.25])
    assert phase_boundaries(table, until=300) == set()
    assert phase_boundaries(table, until=300, tables=True) == {2, 4}


def test_boundaries_of_a_schedule_that_repeats_indefinitely_are_limited() -> None:
    assert 3000 < len(phase_boundaries(fs.repeat(fs.ramp(1, 0, steps=8), 10), until=2**53)) < 5000


def test_a_cycle_with_many_boundaries_has_all_of_its_own() -> None:
    schedule = fs.repeat(fs.step_decay(1), 100_000)
    assert phase_boundaries(schedule, until=1_000) >= {0, 1, 2, 10, 100}
