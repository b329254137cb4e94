"""Properties that hold for all parameters, tested with Hypothesis."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsched as fs
from tests import oracle
from tests.strategies import FRACTIONS, LENGTHS, LEVELS, SHAPES, SIGNED_LEVELS, ramps, recipes, schedules

LIBRARIES = {
    "python": lambda schedule, steps: np.array([schedule(step) for step in steps]),
    "numpy": lambda schedule, steps: schedule(np.array(steps)),
    "torch": lambda schedule, steps: schedule(torch.tensor(steps)).numpy(),
    # JAX compiles each operation once per array length: pad to few lengths.
    "jax": lambda schedule, steps: np.asarray(schedule(jnp.array([*steps, *[0] * (-len(steps) % 16)])))[: len(steps)],
}
each_library = pytest.mark.parametrize("run", LIBRARIES.values(), ids=LIBRARIES)
EVERY_STEP = list(range(-3, 130))


@each_library
@settings(max_examples=60)
@given(recipes())
def test_recipes_stay_between_0_and_1(run, schedule: fs.Schedule) -> None:
    values = run(schedule, EVERY_STEP)
    assert values.min() >= 0
    assert values.max() <= 1


@each_library
@settings(max_examples=60)
@given(ramps(SIGNED_LEVELS))
def test_ramps_stay_between_their_levels(run, ramp: fs.Schedule) -> None:
    values = run(ramp, EVERY_STEP)
    low, high = (values.dtype.type(level) for level in sorted([ramp.start, ramp.stop]))
    assert low <= values.min() <= values.max() <= high


@each_library
@settings(max_examples=60)
@given(ramps(SIGNED_LEVELS))
def test_ramps_are_monotonic(run, ramp: fs.Schedule) -> None:
    values = run(ramp, EVERY_STEP)
    changes = np.diff(values) * (1 if ramp.stop >= ramp.start else -1)
    # Two neighbors may differ by less than the accuracy, which is relative to the larger level where a ramp crosses 0.
    crosses_zero = min(ramp.start, ramp.stop) < 0 < max(ramp.start, ramp.stop)
    scale = np.abs(values).max() if crosses_zero else np.abs(values[1:])
    assert (changes >= -4 * np.spacing(scale)).all()


@each_library
@settings(max_examples=40)
@given(ramps())
def test_a_ramp_between_negated_levels_has_the_negated_values(run, ramp: fs.Schedule) -> None:
    negated = fs.ramp(-ramp.start, -ramp.stop, steps=ramp.steps, shape=ramp.shape)
    assert (run(negated, EVERY_STEP) == -run(ramp, EVERY_STEP)).all()


@each_library
@settings(max_examples=80)
@given(schedules)
def test_values_are_never_negative_or_nan(run, schedule: fs.Schedule) -> None:
    values = run(schedule, [-(2**31), *EVERY_STEP, 2**31 - 1])
    assert (values >= 0).all()


@each_library
@settings(max_examples=80)
@given(schedules)
def test_negative_steps_give_the_value_at_step_0(run, schedule: fs.Schedule) -> None:
    values = run(schedule, [0, -1, -7, -(2**31)])
    assert len(set(values.tolist())) == 1


@settings(max_examples=100)
@given(schedules)
def test_all_libraries_agree(schedule: fs.Schedule) -> None:
    python = LIBRARIES["python"](schedule, EVERY_STEP)
    # Each is within 4 ulp, and the sines of NumPy and Python differ.
    assert (np.abs(LIBRARIES["numpy"](schedule, EVERY_STEP) - python) <= 8 * np.spacing(python)).all()
    for library in ("torch", "jax"):
        values = LIBRARIES[library](schedule, EVERY_STEP).astype(np.float64)
        # Each level of scale and join is rounded to float32.
        assert (np.abs(values - python) <= 8 * np.spacing(python.astype(np.float32))).all()


@settings(max_examples=100)
@given(schedules, schedules, st.integers(1, 100), st.integers(-5, 200))
def test_join_evaluates_one_piece(first: fs.Schedule, second: fs.Schedule, boundary: int, step: int) -> None:
    joined = fs.join([first, second], [boundary])
    assert joined(step) == (first(step) if step < boundary else second(step - boundary))


@each_library
@settings(max_examples=60)
@given(st.lists(schedules, min_size=2, max_size=7), st.data())
def test_a_boundary_of_join_belongs_to_the_next_piece(run, pieces: list[fs.Schedule], data: st.DataObject) -> None:
    unique = st.lists(st.integers(1, 120), min_size=len(pieces) - 1, max_size=len(pieces) - 1, unique=True)
    boundaries = sorted(data.draw(unique))
    values = run(fs.join(pieces, boundaries), boundaries)
    expected = [run(piece, [0])[0] for piece in pieces[1:]]
    # A length from a lookup table may incur one extra rounding.
    np.testing.assert_array_almost_equal_nulp(values, np.array(expected, values.dtype), nulp=8)


@settings(max_examples=100)
@given(schedules, st.floats(0, 5), st.integers(-5, 200))
def test_scale_multiplies(schedule: fs.Schedule, factor: float, step: int) -> None:
    assert fs.scale(schedule, factor)(step) == factor * schedule(step)


@settings(max_examples=100)
@given(schedules, st.integers(0, 50), st.integers(0, 50), st.integers(-5, 200))
def test_shifts_add_up(schedule: fs.Schedule, first: int, second: int, step: int) -> None:
    twice = fs.shift(fs.shift(schedule, first), second)
    assert twice(step) == fs.shift(schedule, first + second)(step) == schedule(max(step, 0) + first + second)


@settings(max_examples=100)
@given(schedules)
def test_repr_is_the_expression_that_builds_the_schedule(schedule: fs.Schedule) -> None:
    assert eval(repr(schedule), vars(fs)) == schedule


@settings(max_examples=150)
@given(st.integers(0, 10**9), st.integers(0, 10**9), FRACTIONS, FRACTIONS, st.data())
def test_random_recipes_are_within_4_ulp(a, b, start, end, data) -> None:
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


# Smaller factors could give subnormal products.
FACTORS = st.just(0.0) | st.floats(0.1, 3)


@settings(max_examples=100)
@given(schedules, schedules, st.integers(-5, 200))
def test_pointwise_combinators_combine_the_values(first, second, step) -> None:
    a, b = first(step), second(step)
    assert fs.product(first, second)(step) == a * b
    assert fs.add(first, second)(step) == a + b
    assert fs.minimum(first, second)(step) == min(a, b)
    assert fs.maximum(first, second)(step) == max(a, b)


@settings(max_examples=100)
@given(schedules, FACTORS, st.integers(-5, 200))
def test_a_number_means_a_constant_schedule(schedule, level, step) -> None:
    for combine in (fs.product, fs.add, fs.minimum, fs.maximum):
        assert combine(schedule, level)(step) == combine([schedule, fs.constant(level)])(step)


@settings(max_examples=100)
@given(ramps() | recipes(), st.integers(1, 7), st.integers(-5, 60))
def test_stretch_rescales_the_step(schedule, factor, step) -> None:
    stretched = fs.stretch(schedule, factor)(step * factor)
    assert abs(stretched - schedule(step)) <= 4 * np.spacing(schedule(step))


@settings(max_examples=100)
@given(ramps() | recipes(), st.integers(1, 50), st.integers(1, 4), st.integers(0, 3), st.data())
def test_repeat_is_periodic(schedule, period, times, cycle, data) -> None:
    local = data.draw(st.integers(0, period - 1))
    expected = schedule(local) if cycle < times else schedule(period)
    assert fs.repeat(schedule, period, times)(cycle * period + local) == expected
    assert fs.repeat(schedule, period)(cycle * period + local) == schedule(local)


@settings(max_examples=100)
@given(ramps() | recipes(), st.integers(1, 20), st.integers(2, 3), st.integers(0, 4))
def test_growing_cycles_are_contiguous(schedule, period, factor, cycle) -> None:
    start, scale = sum(period * factor**i for i in range(cycle)), factor**cycle
    growing = fs.repeat(schedule, period, period_factor=factor, level_factor=0.5)
    assert growing(start) == 0.5**cycle * schedule(0)
    last = 0.5**cycle * fs.stretch(schedule, scale)(scale * period - 1)
    assert abs(growing(start + scale * period - 1) - last) <= 4 * np.spacing(last)


@settings(max_examples=100)
@given(schedules, st.integers(0, 100), FRACTIONS, LENGTHS, SHAPES)
def test_then_continues_from_the_value_at_the_boundary(schedule, boundary, stop, steps, shape) -> None:
    continued = fs.then(schedule, boundary, stop, steps=steps, shape=shape)
    assert [continued(step) for step in range(boundary)] == [schedule(step) for step in range(boundary)]
    assert continued(boundary) == (schedule(boundary) if steps else stop)
    assert continued(boundary + steps) == stop


@each_library
@settings(max_examples=60)
@given(schedules, LENGTHS)
def test_tabulate_stores_the_values_of_the_schedule(run, schedule, last) -> None:
    table = fs.tabulate(schedule, last)
    values = run(table, EVERY_STEP)
    expected = [schedule(min(max(step, 0), last)) for step in EVERY_STEP]
    assert values.tolist() == np.array(expected, values.dtype).tolist()


@each_library
@settings(max_examples=60)
@given(st.lists(st.integers(0, 120), min_size=1, max_size=9, unique=True).map(sorted), st.data())
def test_interpolate_passes_through_its_knots(run, boundaries, data) -> None:
    levels = data.draw(st.lists(LEVELS, min_size=len(boundaries), max_size=len(boundaries)))
    values = run(fs.interpolate(boundaries, levels, shape=data.draw(SHAPES)), boundaries)
    np.testing.assert_array_almost_equal_nulp(values, np.array(levels, values.dtype), nulp=1)
