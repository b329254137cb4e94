"""Laws that hold for all parameters, with Hypothesis."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from tests import oracle
from tests.strategies import LENGTHS, LEVELS, SHAPES, SHARES, ramps, recipes, schedules

LIBRARIES = {
    "python": lambda schedule, steps: np.array([schedule(step) for step in steps]),
    "numpy": lambda schedule, steps: schedule(np.array(steps)),
    "torch": lambda schedule, steps: schedule(torch.tensor(steps)).numpy(),
    # JAX compiles each of its operations for each number of steps.
    "jax": lambda schedule, steps: np.asarray(schedule(jnp.array([*steps, *[0] * (-len(steps) % 16)])))[: len(steps)],
}
everywhere = pytest.mark.parametrize("run", LIBRARIES.values(), ids=LIBRARIES)


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


# Below these two the unrolled sum of products would round to subnormals, which XLA flushes to 0.
FACTORS = st.just(0.0) | st.floats(0.1, 3)


@settings(max_examples=100, deadline=None)
@given(schedules, schedules, st.integers(-5, 200))
def test_the_combinators_of_several_are_what_they_are_called(first, second, step) -> None:
    one, other = first(step), second(step)
    assert fs.product(first, second)(step) == one * other
    assert fs.add(first, second)(step) == one + other
    assert fs.minimum(first, second)(step) == min(one, other)
    assert fs.maximum(first, second)(step) == max(one, other)


@settings(max_examples=100, deadline=None)
@given(schedules, FACTORS, st.integers(-5, 200))
def test_a_number_is_a_constant_schedule(schedule, level, step) -> None:
    for several in (fs.product, fs.add, fs.minimum, fs.maximum):
        assert several(schedule, level)(step) == several([schedule, fs.constant(level)])(step)


@settings(max_examples=100, deadline=None)
@given(ramps() | recipes(), st.integers(1, 7), st.integers(-5, 60))
def test_a_stretched_schedule_takes_each_value_later(schedule, factor, step) -> None:
    stretched = fs.stretch(schedule, factor)(step * factor)
    assert abs(stretched - schedule(step)) <= 4 * np.spacing(schedule(step))


@settings(max_examples=100, deadline=None)
@given(ramps() | recipes(), st.integers(1, 50), st.integers(1, 4), st.integers(0, 3), st.data())
def test_a_repetition_is_periodic(schedule, period, times, cycle, data) -> None:
    local = data.draw(st.integers(0, period - 1))
    expected = schedule(local) if cycle < times else schedule(period)
    assert fs.repeat(schedule, period, times)(cycle * period + local) == expected
    assert fs.repeat(schedule, period)(cycle * period + local) == schedule(local)


@settings(max_examples=100, deadline=None)
@given(ramps() | recipes(), st.integers(1, 20), st.integers(2, 3), st.integers(0, 4))
def test_cycles_that_grow_begin_where_the_ones_before_end(schedule, period, factor, cycle) -> None:
    begin, scale = sum(period * factor**i for i in range(cycle)), factor**cycle
    growing = fs.repeat(schedule, period, period_factor=factor, level_factor=0.5)
    assert growing(begin) == 0.5**cycle * schedule(0)
    last = 0.5**cycle * fs.stretch(schedule, scale)(scale * period - 1)
    assert abs(growing(begin + scale * period - 1) - last) <= 4 * np.spacing(last)


@settings(max_examples=100, deadline=None)
@given(schedules, st.integers(0, 100), SHARES, LENGTHS, SHAPES)
def test_a_branch_is_continuous(schedule, boundary, stop, steps, shape) -> None:
    branch = fs.then(schedule, boundary, stop, steps=steps, shape=shape)
    assert [branch(step) for step in range(boundary)] == [schedule(step) for step in range(boundary)]
    assert branch(boundary) == (schedule(boundary) if steps else stop)
    assert branch(boundary + steps) == stop


@everywhere
@settings(max_examples=60, deadline=None)
@given(schedules, LENGTHS)
def test_a_table_is_the_schedule_it_was_made_of(run, schedule, last) -> None:
    table = fs.tabulate(schedule, last)
    values = run(table, EVERY_STEP)
    expected = [schedule(min(max(step, 0), last)) for step in EVERY_STEP]
    assert values.tolist() == np.array(expected, values.dtype).tolist()


@everywhere
@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=9, unique=True).map(sorted), st.data())
def test_interpolation_passes_through_its_knots(run, boundaries, data) -> None:
    levels = data.draw(st.lists(LEVELS, min_size=len(boundaries), max_size=len(boundaries)))
    values = run(fs.interpolate(boundaries, levels, shape=data.draw(SHAPES)), boundaries)
    np.testing.assert_array_almost_equal_nulp(values, np.array(levels, values.dtype), nulp=1)
