"""Joins of several ramps of one shape."""

import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import funcsched as fs
from benchmarks.compiled import instructions
from tests import oracle

SHAPES = {"linear": (fs.linear, oracle.linear, 4), "cosine": (fs.cosine, oracle.cosine, 5)}
KNOTS = [0, 100, 200, 300, 400, 500]
LEVELS = [1.0, 0.5, 0.25, 1.0, 1.0, 0.125]


def knots(seed: int) -> tuple[list[int], list[float]]:
    draw = random.Random(seed)
    count, longest = draw.randint(3, 12), 10 ** draw.randint(1, 4)
    boundaries = sorted(draw.sample(range(longest * count), count + 1))
    level = [lambda: 0.0, lambda: 1.0, draw.random, lambda: draw.random() * 10 ** draw.randint(-6, 6)]
    return boundaries, [float(np.float32(draw.choice(level)())) for _ in boundaries]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", SHAPES)
def test_random_knots_are_exact_and_the_lines_between_them_close(shape: str, seed: int) -> None:
    ours, theirs, places = SHAPES[shape]
    boundaries, levels = knots(seed)
    schedule = jax.jit(fs.interpolate(boundaries, levels, shape=ours))
    assert schedule(jnp.array(boundaries)).tolist() == levels
    outside = jnp.array([-(2**31), -1, boundaries[0] - 1, boundaries[-1] + 1, 2**31 - 1])
    assert schedule(outside).tolist() == [levels[0]] * 3 + [levels[-1]] * 2
    steps = sorted({*boundaries, *random.Random(seed).choices(range(boundaries[-1]), k=60)})
    exact = oracle.interpolate(boundaries, levels, [theirs] * (len(levels) - 1))
    for step, value in zip(steps, schedule(jnp.array(steps)).tolist(), strict=True):
        assert oracle.ulps(value, exact(step), 24) <= places, step
        assert schedule(jnp.int32(step)) == value


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shift_and_constants_between_are_kept(shape: str) -> None:
    ours, theirs, places = SHAPES[shape]
    exact = oracle.interpolate(KNOTS, LEVELS, [theirs] * 5)
    schedule = jax.jit(fs.shift(fs.interpolate(KNOTS, LEVELS, shape=ours), 150))
    for step in range(-2, 400):
        assert oracle.ulps(float(schedule(jnp.int32(step))), exact(max(step, 0) + 150), 24) <= places


@pytest.mark.parametrize("shape", SHAPES)
def test_twenty_intervals_compile_to_at_most_twice_the_instructions_of_four(shape: str) -> None:
    # Intervals of unequal lengths: the longest form.
    four, twenty = (
        fs.interpolate(
            [i * i * 7 for i in range(n + 1)], [(i % 3 + 1) / 7 for i in range(n + 1)], shape=SHAPES[shape][0]
        )
        for n in (4, 20)
    )
    assert instructions(twenty, jnp.int32(5)) <= 2 * instructions(four, jnp.int32(5))


@pytest.mark.parametrize(
    "levels",
    [[1.0, 0.5, 0.25, 1.0, 1.0, 0.125], [3e38, 1e-30, 3e38, 0.0, 1.0, 0.5], [1e-44, 1.0, 1e-38, 0.0, 0.5, 1.0]],
    ids=str,
)
def test_extreme_levels_are_never_missed(levels: list[float]) -> None:
    held = [level if level >= 2**-126 else 0.0 for level in levels]  # XLA flushes what is smaller
    found = jax.jit(fs.interpolate(KNOTS, levels))(jnp.array(KNOTS))
    assert found.tolist() == [float(np.float32(level)) for level in held]
