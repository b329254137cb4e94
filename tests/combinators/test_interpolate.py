"""`interpolate`: exact at its knots, accurate between them, and compact when compiled."""

import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

import funcsched as fs
from benchmarks.compiled import instructions
from tests import oracle
from tests.backends import float32

SHAPES = {"linear": (fs.linear, oracle.linear, 4), "cosine": (fs.cosine, oracle.cosine, 5)}  # with the error in ulp
BOUNDARIES = [0, 100, 200, 300, 400, 500]
LEVELS = [1.0, 0.5, 0.25, 1.0, 1.0, 0.125]

each_shape = pytest.mark.parametrize(("shape", "oracle_shape", "ulps"), SHAPES.values(), ids=SHAPES)


def random_knots(seed: int) -> tuple[list[int], list[float]]:
    """Boundaries and float32 levels of 3 to 12 intervals."""
    rng = random.Random(seed)
    intervals, average_length = rng.randint(3, 12), 10 ** rng.randint(1, 4)
    boundaries = sorted(rng.sample(range(average_length * intervals), intervals + 1))
    random_levels = [lambda: 0.0, lambda: 1.0, rng.random, lambda: rng.random() * 10 ** rng.randint(-6, 6)]
    return boundaries, [float32(rng.choice(random_levels)()) for _ in boundaries]


@pytest.mark.parametrize("seed", range(12))
@each_shape
def test_random_knots_are_exact_and_values_between_them_accurate(shape, oracle_shape, ulps: int, seed: int) -> None:
    boundaries, levels = random_knots(seed)
    before, after = [-(2**31), -1, boundaries[0] - 1], [boundaries[-1] + 1, 2**31 - 1]
    steps = [*before, *boundaries, *random.Random(seed).choices(range(boundaries[-1]), k=60), *after]
    schedule = jax.jit(fs.interpolate(boundaries, levels, shape=shape))
    values = schedule(jnp.array(steps)).tolist()
    value_at = dict(zip(steps, values, strict=True))
    assert [value_at[step] for step in (*before, *boundaries, *after)] == [levels[0]] * 3 + levels + [levels[-1]] * 2
    exact = oracle.interpolate(boundaries, levels, [oracle_shape] * (len(levels) - 1))
    assert oracle.max_ulps(exact, steps, values, 24) <= ulps
    assert [float(schedule(jnp.int32(step))) for step in steps] == values


@each_shape
def test_a_shifted_interpolation_is_accurate(shape, oracle_shape, ulps: int) -> None:
    exact = oracle.shift(oracle.interpolate(BOUNDARIES, LEVELS, [oracle_shape] * 5), 150)
    schedule = jax.jit(fs.shift(fs.interpolate(BOUNDARIES, LEVELS, shape=shape), 150))
    steps = range(-2, 400)
    assert oracle.max_ulps(exact, steps, [float(schedule(jnp.int32(step))) for step in steps], 24) <= ulps


@each_shape
def test_twenty_intervals_compile_to_at_most_twice_the_instructions_of_four(shape, oracle_shape, ulps: int) -> None:
    # Intervals of different lengths need the most instructions.
    four, twenty = (
        fs.interpolate([i * i * 7 for i in range(n + 1)], [(i % 3 + 1) / 7 for i in range(n + 1)], shape=shape)
        for n in (4, 20)
    )
    assert 0 < instructions(twenty, jnp.int32(5)) <= 2 * instructions(four, jnp.int32(5))


@pytest.mark.parametrize(
    "levels",
    [LEVELS, [1e38, 1e-30, 1e38, 0.0, 1.0, 0.5], [1e-44, 1.0, 1e-38, 0.0, 0.5, 1.0]],
    ids=str,
)
def test_extreme_levels_are_exact(levels: list[float]) -> None:
    expected = [float32(level) if level >= 2**-126 else 0.0 for level in levels]  # XLA flushes subnormals to 0
    values = jax.jit(fs.interpolate(BOUNDARIES, levels))(jnp.array(BOUNDARIES))
    assert values.tolist() == expected


@pytest.mark.parametrize(
    "levels", [LEVELS, sorted(LEVELS), [0.0, 0.0, 1.0, -1.0, -3.0, 2.0], [0.0, 5.0, 5.1, 0.0, 9.0, 8.0]]
)
@pytest.mark.parametrize("boundaries", [BOUNDARIES, [0, 1, 3, 200, 210, 999]])
def test_a_smooth_interpolation_equals_that_of_scipy(boundaries: list[int], levels: list[float]) -> None:
    for knots in (2, 3, 6):
        schedule = fs.interpolate(boundaries[:knots], levels[:knots], smooth=True)
        steps = np.arange(boundaries[knots - 1] + 1)
        expected = PchipInterpolator(boundaries[:knots], levels[:knots])(steps)
        np.testing.assert_allclose(schedule(steps), expected, rtol=0, atol=1e-14)
        assert schedule(boundaries[:knots][-1] + 7) == levels[knots - 1]


def test_one_smooth_knot_is_constant() -> None:
    assert fs.interpolate([5], [0.3], smooth=True)(0) == fs.interpolate([5], [0.3], smooth=True)(9) == 0.3


def test_smooth_knots_compile_to_a_table() -> None:
    hundred, thousand = (
        instructions(fs.interpolate([7 * i for i in range(n)], [i % 3 for i in range(n)], smooth=True), jnp.int32(5))
        for n in (100, 1000)
    )
    assert 0 < thousand <= 1.2 * hundred
