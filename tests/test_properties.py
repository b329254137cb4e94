"""Laws that hold for all parameters, with Hypothesis."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from tests import oracle

# XLA flushes what is subnormal in float32 to 0.
SHARES = st.just(0.0) | st.floats(1e-20, 1)
LEVELS = st.just(0.0) | st.floats(1e-20, 10) | st.sampled_from([1.0, 0.1, 1e-8])
LENGTHS = st.integers(0, 60)
SHAPES = st.sampled_from([fs.linear, fs.cosine, fs.power(0.5), fs.power(2), fs.power(3.3)])
LIBRARIES = {
    "python": lambda schedule, steps: np.array([schedule(step) for step in steps]),
    "numpy": lambda schedule, steps: schedule(np.array(steps)),
    "torch": lambda schedule, steps: schedule(torch.tensor(steps)).numpy(),
    "jax": lambda schedule, steps: np.asarray(schedule(jnp.array(steps))),
}
everywhere = pytest.mark.parametrize("run", LIBRARIES.values(), ids=LIBRARIES)


@st.composite
def ramps(draw: st.DrawFn) -> fs.Schedule:
    return fs.ramp(draw(LEVELS), draw(LEVELS), steps=draw(LENGTHS), shape=draw(SHAPES))


@st.composite
def recipes(draw: st.DrawFn) -> fs.Schedule:
    total = draw(LENGTHS)
    warmup = draw(st.integers(0, total))
    start, end = draw(SHARES), draw(SHARES)
    return draw(
        st.sampled_from(
            [
                fs.warmup_constant(warmup, start=start),
                fs.warmup_linear(warmup, total, start=start, end=end),
                fs.warmup_cosine(warmup, total, start=start, end=end, cycles=draw(st.floats(0.01, 20))),
                fs.warmup_cosine_restarts(warmup, total, start=start, end=end, cycles=draw(st.integers(1, 9))),
            ]
        )
    )


schedules = st.recursive(
    ramps() | recipes() | st.builds(fs.constant, LEVELS),
    lambda inner: (
        st.builds(fs.scale, inner, st.just(0.0) | st.floats(0.1, 3))
        | st.builds(fs.shift, inner, LENGTHS)
        | st.lists(inner, min_size=1, max_size=6).flatmap(
            lambda pieces: st.builds(
                fs.join,
                st.just(pieces),
                st.lists(st.integers(0, 200), min_size=len(pieces) - 1, max_size=len(pieces) - 1, unique=True).map(
                    sorted
                ),
            )
        )
    ),
    max_leaves=6,
)
EVERY_STEP = list(range(-3, 130))


@everywhere
@settings(max_examples=60, deadline=None)
@given(recipes())
def test_a_recipe_stays_between_0_and_1(run, schedule: fs.Schedule) -> None:
    values = run(schedule, EVERY_STEP)
    assert values.min() >= 0
    assert values.max() <= 1


@everywhere
@settings(max_examples=60, deadline=None)
@given(ramps())
def test_a_ramp_stays_between_its_levels(run, ramp: fs.Schedule) -> None:
    values = run(ramp, EVERY_STEP)
    low, high = (values.dtype.type(level) for level in sorted([ramp.start, ramp.stop]))
    assert low <= values.min() <= values.max() <= high


@everywhere
@settings(max_examples=60, deadline=None)
@given(ramps())
def test_a_ramp_is_monotone(run, ramp: fs.Schedule) -> None:
    values = run(ramp, EVERY_STEP)
    changes = np.diff(values) * (1 if ramp.stop >= ramp.start else -1)
    # Two neighbours may be nearer to each other than the library is accurate.
    assert (changes >= -4 * np.spacing(values[1:])).all()


@everywhere
@settings(max_examples=80, deadline=None)
@given(schedules)
def test_no_schedule_is_ever_negative_or_nan(run, schedule: fs.Schedule) -> None:
    values = run(schedule, [-(2**31), *EVERY_STEP, 2**31 - 1])
    assert (values >= 0).all()


@everywhere
@settings(max_examples=80, deadline=None)
@given(schedules)
def test_below_0_the_value_at_0_holds(run, schedule: fs.Schedule) -> None:
    values = run(schedule, [0, -1, -7, -(2**31)])
    assert len(set(values.tolist())) == 1


@settings(max_examples=100, deadline=None)
@given(schedules)
def test_all_libraries_see_the_same_curve(schedule: fs.Schedule) -> None:
    python = LIBRARIES["python"](schedule, EVERY_STEP)
    # numpy's sine and Python's may differ in the last place, which both are allowed four of.
    assert (np.abs(LIBRARIES["numpy"](schedule, EVERY_STEP) - python) <= 8 * np.spacing(python)).all()
    for library in ("torch", "jax"):
        values = LIBRARIES[library](schedule, EVERY_STEP).astype(np.float64)
        # The levels of scale and of join are rounded to float32 each: a few more places.
        assert (np.abs(values - python) <= 8 * np.spacing(python.astype(np.float32))).all()


@settings(max_examples=100, deadline=None)
@given(schedules, schedules, st.integers(1, 100), st.integers(-5, 200))
def test_join_is_local(first: fs.Schedule, second: fs.Schedule, boundary: int, step: int) -> None:
    joined = fs.join([first, second], [boundary])
    assert joined(step) == (first(step) if step < boundary else second(step - boundary))


@everywhere
@settings(max_examples=60, deadline=None)
@given(st.lists(schedules, min_size=2, max_size=7), st.data())
def test_join_gives_each_boundary_to_the_next_piece(run, pieces: list[fs.Schedule], data: st.DataObject) -> None:
    unique = st.lists(st.integers(1, 120), min_size=len(pieces) - 1, max_size=len(pieces) - 1, unique=True)
    boundaries = sorted(data.draw(unique))
    values = run(fs.join(pieces, boundaries), boundaries)
    expected = [run(piece, [0])[0] for piece in pieces[1:]]
    # A table computes with a length that it looked up, which may round once more than one that it knows.
    np.testing.assert_array_almost_equal_nulp(values, np.array(expected, values.dtype), nulp=8)


@settings(max_examples=100, deadline=None)
@given(schedules, st.floats(0, 5), st.integers(-5, 200))
def test_scale_is_linear(schedule: fs.Schedule, factor: float, step: int) -> None:
    assert fs.scale(schedule, factor)(step) == factor * schedule(step)


@settings(max_examples=100, deadline=None)
@given(schedules, st.integers(0, 50), st.integers(0, 50), st.integers(-5, 200))
def test_shifts_add_up(schedule: fs.Schedule, first: int, second: int, step: int) -> None:
    twice = fs.shift(fs.shift(schedule, first), second)
    assert twice(step) == fs.shift(schedule, first + second)(step) == schedule(max(step, 0) + first + second)


@settings(max_examples=100, deadline=None)
@given(schedules)
def test_any_composition_prints_the_expression_that_builds_it(schedule: fs.Schedule) -> None:
    assert eval(repr(schedule), vars(fs)) == schedule


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9), SHARES, SHARES, st.data())
def test_random_recipes_are_within_4_ulp_of_exact_mathematics(a, b, start, end, data) -> None:
    warmup, total = sorted([a, b])
    step = data.draw(st.integers(0, total + 1) | st.integers(max(0, total - 10), total + 1))
    for schedule, exact in [
        (fs.warmup_linear(warmup, total, start=start, end=end), oracle.warmup_linear(warmup, total, start, end)),
        (fs.warmup_cosine(warmup, total, start=start, end=end), oracle.warmup_cosine(warmup, total, start, end)),
    ]:
        expected = exact(step)
        assert oracle.ulps(schedule(step), expected, 53) <= 4
        assert oracle.ulps(float(schedule(jnp.int32(step))), expected, 24) <= 4
        assert oracle.ulps(float(schedule(torch.tensor(step))), expected, 24) <= 4
