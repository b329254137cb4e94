"""Valid and invalid steps, and the library, shape, dtype and device of the value. Integers never overflow."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch

import funcsched as fs
from tests import oracle
from tests.backends import float32, x64
from tests.cases import ONE_OF_EACH, Case

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
COSINE = Case("warmup_cosine(10, 200, end=0.1)", oracle.warmup_cosine(10, 200, 0.0, 0.1), {200: 0.1})
STEPS = [[0, 1, 9, 10], [11, 50, 100, 127]]  # JAX compiles each operation once per shape: most tests share this one

each_case = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
cosine_and_each_case = pytest.mark.parametrize("case", [COSINE, *ONE_OF_EACH], ids=str)


def max_ulps(case: Case, values, bits: int) -> float:
    """The largest error of the values at `STEPS`."""
    return oracle.max_ulps(case.exact, np.ravel(STEPS).tolist(), np.ravel(values).tolist(), bits, case.crossing_scale)


@pytest.mark.parametrize("dtype", INTEGERS)
@cosine_and_each_case
def test_every_numpy_integer_type_gives_accurate_float64(case: Case, dtype: str) -> None:
    values = case.schedule(np.array(STEPS, dtype))
    assert (values.dtype, values.shape) == (np.float64, (2, 4))
    assert max_ulps(case, values, 53) <= 4


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_torch_integer_type_gives_accurate_float32(dtype: str) -> None:
    values = COSINE.schedule(torch.tensor(STEPS, dtype=getattr(torch, dtype)))
    assert (values.dtype, values.shape) == (torch.float32, (2, 4))
    assert max_ulps(COSINE, values, 24) <= 4


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32"])
@cosine_and_each_case
def test_every_jax_integer_type_gives_accurate_float32(case: Case, dtype: str) -> None:
    values = case.schedule(jnp.array(STEPS, dtype))
    assert (values.dtype, values.shape) == (jnp.float32, (2, 4))
    assert max_ulps(case, values, 24) <= 4


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_jax_integer_type_gives_accurate_float64_under_x64(dtype: str) -> None:
    with x64():
        values = COSINE.schedule(jnp.array(STEPS, dtype))
        assert (values.dtype, values.shape) == (jnp.float64, (2, 4))
        assert max_ulps(COSINE, values, 53) <= 4


EXTREMES = [
    *(np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype) for dtype in INTEGERS),
    *(torch.tensor([torch.iinfo(t).min, torch.iinfo(t).max], dtype=t) for t in (torch.int8, torch.int32, torch.int64)),
    torch.tensor([0, 2**32 - 1], dtype=torch.uint32),
    torch.tensor([0, 2**64 - 1], dtype=torch.uint64),
    *(jnp.array([jnp.iinfo(t).min, jnp.iinfo(t).max], t) for t in ("int8", "int32", "uint8", "uint32")),
    np.array([-np.inf, np.inf]),
    np.array([-3e38, 3e38], np.float32),
    torch.tensor([-math.inf, math.inf]),
    jnp.array([-jnp.inf, jnp.inf]),
    jnp.array([-3e38, 3e38]),
    [-(10**400), 10**400],
    [-math.inf, math.inf],
]


@pytest.mark.parametrize("steps", EXTREMES, ids=lambda steps: f"{type(steps).__name__}-{getattr(steps, 'dtype', '')}")
@pytest.mark.parametrize(
    "schedule",
    [
        fs.warmup_cosine(10, 100, start=0.25, end=0.5),
        fs.shift(fs.warmup_linear(10, 100, start=0.25, end=0.5), 0),
        fs.join([fs.warmup_linear(10, 100, start=0.25), fs.constant(0.5)], [50]),
        fs.join([fs.constant(0.25), *[fs.warmup_linear(5, 9, end=0.5)] * 6], [1, 2, 3, 4, 5, 6]),
    ],
    ids=str,
)
def test_the_smallest_and_largest_step_of_a_type_give_the_first_and_last_value(schedule, steps) -> None:
    values = [schedule(step) for step in steps] if isinstance(steps, list) else schedule(steps)
    assert [float(value) for value in values] == [0.25, 0.5]


@pytest.mark.parametrize("steps", [5, 2**31 - 10])
def test_a_shift_saturates_instead_of_overflowing(steps: int) -> None:
    schedule = fs.shift(fs.warmup_linear(0, 100, end=0.5), steps)
    assert schedule(jnp.array([2**31 - 1, 2**31 - 100], jnp.int32)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (2, 3)], ids=str)
@each_case
def test_the_value_has_the_shape_of_the_step(case: Case, shape: tuple[int, ...]) -> None:
    shapes = [
        case.schedule(np.full(shape, 7)).shape,
        tuple(case.schedule(torch.full(shape, 7)).shape),
        # Traced without values, because JAX would compile each operation for each shape.
        jax.eval_shape(case.schedule, jax.ShapeDtypeStruct(shape, jnp.int32)).shape,
        jax.eval_shape(case.schedule, jax.ShapeDtypeStruct(shape, jnp.float32)).shape,
    ]
    assert shapes == [shape] * 4


@each_case
def test_the_value_comes_from_the_library_of_the_step(case: Case) -> None:
    types = [type(case.schedule(step)) for step in (7, 7.0, np.arange(3), np.int32(7), torch.arange(3))]
    assert types == [float, float, np.ndarray, np.float64, torch.Tensor]
    assert isinstance(case.schedule(jnp.array(STEPS)), jax.Array)


@each_case
def test_a_float_step_keeps_its_dtype(case: Case) -> None:
    dtypes = [case.schedule(np.zeros(2, dtype)).dtype for dtype in ("float32", "float64", "longdouble")]
    assert dtypes == [np.float32, np.float64, np.longdouble]
    dtypes = [case.schedule(torch.zeros(2, dtype=dtype)).dtype for dtype in (torch.float32, torch.float64)]
    assert dtypes == [torch.float32, torch.float64]
    values = case.schedule(jnp.array(STEPS, jnp.float32))
    assert (values.dtype, values.shape) == (jnp.float32, (2, 4))


def test_an_integer_torch_step_gives_the_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert fs.constant()(torch.arange(2)).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_float32_step_keeps_its_dtype_under_x64() -> None:
    with x64():
        assert COSINE.schedule(jnp.array(STEPS, jnp.float32)).dtype == jnp.float32


def test_the_value_is_on_the_device_of_the_step() -> None:
    assert fs.warmup_cosine(10, 100)(torch.arange(3, device="meta")).device == torch.device("meta")


NANS = [
    math.nan,
    np.float32("nan"),
    np.array([math.nan]),
    jnp.float32(math.nan),
    torch.tensor(math.nan),
    torch.tensor(math.nan, dtype=torch.float64),
]


@pytest.mark.parametrize("step", NANS, ids=lambda step: f"{type(step).__name__}-{getattr(step, 'dtype', '')}")
@each_case
def test_a_nan_step_gives_nan(case: Case, step) -> None:
    assert math.isnan(float(np.asarray(case.schedule(step)).reshape(())))


@pytest.mark.parametrize("step", [0.25, 3.7, 55.5, 99.75])
@each_case
def test_a_step_between_two_updates_is_within_4_ulp(case: Case, step: float) -> None:
    for value in (case.schedule(step), case.schedule(np.float64(step))):
        assert oracle.ulps(value, case.exact(step), 53, case.crossing_scale) <= 4
    for step32 in (np.float32(step), jnp.float32(step), torch.tensor(step)):
        assert oracle.ulps(float(case.schedule(step32)), case.exact(float(step32)), 24, case.crossing_scale) <= 4


HALF_PRECISION = [
    np.float16(3),
    jnp.float16(3),
    jnp.bfloat16(3),
    torch.tensor(3.0, dtype=torch.bfloat16),
    jnp.float8_e4m3fn(1),
]


@pytest.mark.parametrize("step", HALF_PRECISION, ids=lambda step: str(step.dtype))
def test_a_half_precision_step_is_rejected_with_the_reason(step) -> None:
    dtype = str(step.dtype).removeprefix("torch.")
    with pytest.raises(TypeError) as error:
        fs.constant()(step)
    assert str(error.value) == (
        f"constant: `step` must be an integer or a float of at least 32 bits, got {dtype}; cast it to float32 or to an"
        " integer (a 16-bit float cannot represent every step)"
    )


@pytest.mark.parametrize(
    "step",
    [True, "3", None, 3j, [1, 2], np.array("a"), np.array(1j), np.array(True), jnp.array(True), torch.tensor(True)],
)
@pytest.mark.parametrize("case", ONE_OF_EACH[:3], ids=str)
def test_a_step_that_is_not_a_number_raises_a_type_error(case: Case, step) -> None:
    with pytest.raises(TypeError, match="`step` must be"):
        case.schedule(step)


@pytest.mark.parametrize("run", [jax.jit, lambda schedule: schedule], ids=["jit", "eager"])
def test_a_horizon_past_32_bits_is_exact_without_x64(run) -> None:
    schedule = run(fs.ramp(1.0, 0.0, steps=10**10, shape=fs.cosine))
    exact = oracle.ramp(1.0, 0.0, 10**10, oracle.cosine)
    for step in (10**9, 2**31 - 1):
        assert oracle.ulps(float(schedule(jnp.int32(step))), exact(step), 24) <= 4
    for step in (10**9, 2**31, 5 * 10**9, 2**33 + 2**12):
        assert oracle.ulps(float(schedule(jnp.float32(step))), exact(int(np.float32(step))), 24) <= 4
    assert float(schedule(jnp.float32(10**10))) == 0.0


def test_a_boundary_past_32_bits_is_never_reached_by_int32_steps() -> None:
    schedule = fs.join([fs.constant(), fs.ramp(0, 0.5, steps=1)], [2**40])
    assert schedule(jnp.array([0, 2**31 - 1], jnp.int32)).tolist() == [1.0, 1.0]
    assert schedule(jnp.array([0, 2**40, 2**41], jnp.float32)).tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("boundary", [2**31 - 1, 2**31 - 2, 2**31 - 65, 2**24 + 1])
def test_every_int32_step_is_exact_at_a_boundary_before_one_past_32_bits(boundary: int) -> None:
    schedule = jax.jit(fs.join([fs.constant(0.25), fs.constant(0.5), fs.constant(1.0)], [boundary, 2**40]))
    steps = jnp.array([boundary - 1, boundary], jnp.int32)
    assert schedule(steps).tolist() == [0.25, 0.5]


@pytest.mark.parametrize("boundary", [2**32 - 1, 2**32 - 200, 2**31, 2**31 + 1])
def test_every_uint32_step_is_exact_at_a_boundary(boundary: int) -> None:
    schedule = jax.jit(fs.join([fs.constant(0.25), fs.constant(0.5)], [boundary]))
    assert schedule(jnp.array([boundary - 1, boundary], jnp.uint32)).tolist() == [0.25, 0.5]


@pytest.mark.parametrize("step", [2**31 + 1, 2**40 + 1, 2**45 + 3])
def test_python_and_numpy_steps_past_32_bits_are_exact_among_jax_parameters(step: int) -> None:
    schedule = fs.join([fs.constant(jnp.float32(0.25)), fs.constant(0.5)], [step])
    for make in (int, np.int64):
        assert [float(schedule(make(at))) for at in (step - 1, step)] == [0.25, 0.5]


def test_nested_boundaries_that_add_up_past_32_bits_are_never_reached() -> None:
    inner = fs.join([fs.constant(0.5), fs.constant(0.2)], [2**31 - 1])
    late = fs.join([fs.constant(), inner], [2**31 - 1])
    assert late(jnp.array([3, 2**31 - 2, 2**31 - 1], jnp.int32)).tolist() == [1.0, 1.0, 0.5]


def test_a_join_that_ends_past_32_bits_counts_exactly() -> None:
    joined = fs.join([fs.constant(), fs.ramp(1.0, 0.0, steps=2 * 10**9)], [2 * 10**9])
    step = 2**31 - 1
    assert float(joined(jnp.int32(step))) == pytest.approx(1 - (step - 2 * 10**9) / (2 * 10**9), rel=2**-23)


FAR_STEPS = [float(2.0**62), 4.3617550074435533e18, 3e18, 1e17 + 16, math.inf]


@pytest.mark.parametrize("dtype", [float, np.float64, np.float32, jnp.float32, torch.tensor], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "schedule",
    [
        fs.cyclic(500, 501),
        fs.cyclic(7, 3),
        fs.repeat(fs.ramp(0.0, 1.0, steps=7), 7),
        fs.repeat(fs.ramp(1.0, 0.25, steps=7, shape=fs.cosine), 10),
    ],
    ids=str,
)
def test_steps_too_large_for_an_exact_remainder_stay_inside_the_period(schedule: fs.Schedule, dtype) -> None:
    assert all(0 <= float(schedule(dtype(step))) <= 1 for step in FAR_STEPS)


@pytest.mark.parametrize("exponent", [33.0, 100.0, 999.0])
@pytest.mark.parametrize("run", [jax.jit, lambda schedule: schedule], ids=["jit", "eager"])
def test_high_powers_are_accurate(run, exponent: float) -> None:
    """A product of many factors would round too often."""
    schedule = run(fs.ramp(0.0, 1.0, steps=1000, shape=fs.power(exponent)))
    exact, steps = oracle.ramp(0.0, 1.0, 1000, oracle.power(exponent)), range(950, 1001)
    assert oracle.max_ulps(exact, steps, schedule(jnp.array(steps)).tolist(), 24) <= 4


@pytest.mark.parametrize("step", [2**24 + 1, 2**25 + 3, 2**31 - 1])
def test_a_staircase_is_exact_past_2_to_the_24(step: int) -> None:
    schedule, exact = fs.exponential_decay(1 - 1e-6, staircase=True), oracle.exponential_decay(1 - 1e-6, 1, True)
    for dtype in (jnp.int32, jnp.uint32):
        assert oracle.ulps(float(schedule(dtype(step))), exact(step), 24) <= 4


PARAMETERS = [
    (lambda: fs.warmup_stable_decay(*[jnp.int8(100)] * 3), 5, 0.05),
    (lambda: fs.warmup_linear(jnp.int8(10), 1000), 505, 0.5),
    (lambda: fs.warmup_linear(jnp.uint32(10), jnp.uint32(20)), 15, 0.5),
    (lambda: fs.warmup_linear(10, jnp.bfloat16(100)), 55, 0.5),
    (lambda: fs.warmup_linear(10, jnp.float16(100)), 55, 0.5),
    (lambda: fs.piecewise_constant([1, 2, 3, 4, 5], levels=[jnp.int32(k) for k in range(6)]), 3, 3.0),
    (lambda: fs.join([fs.ramp(jnp.int32(1), 0.0, steps=10)] * 5, [10, 20, 30, 40]), 35, 0.5),
    (lambda: fs.ramp(jnp.float32(1), 0.0, steps=2**26), 2**25, 0.5),
    (lambda: fs.noam(64, jnp.int32(100)), 99, 0.0125),
    (lambda: fs.noam(64, jnp.uint32(100)), 99, 0.0125),
]


@pytest.mark.parametrize(("build", "step", "value"), PARAMETERS, ids=range(len(PARAMETERS)))
@pytest.mark.parametrize(
    "dtype", [int, float, np.float64, jnp.int32, jnp.uint32, jnp.float32], ids=lambda d: d.__name__
)
def test_parameters_may_have_any_jax_dtype(build, step: int, value: float, dtype) -> None:
    assert float(build()(dtype(step))) == pytest.approx(value, rel=4 * 2.0**-24)


def test_a_float64_step_keeps_its_precision_with_float32_parameters() -> None:
    schedule = fs.ramp(jnp.float32(1), 0.0, steps=2**26)
    assert float(schedule(np.float64(2**26 - 1))) == 2.0**-26
    assert schedule(np.array([2.0**26 - 1, 2.0**26])).tolist() == [2.0**-26, 0.0]


@pytest.mark.parametrize("low", [0.0, 1e-3])
@pytest.mark.parametrize("total", [49, 98, 103, 253])
def test_a_float32_end_is_the_nearest_float32_of_the_level(total: int, low: float) -> None:
    """The level is halfway between two float32: a weight of 1 - 2**-53 would round to the other one."""
    level = 1 + 3 * 2.0**-24
    schedule = fs.ramp(low, level, steps=total)
    values = [schedule(np.float32(total)), schedule(torch.tensor(float(total))), schedule(jnp.float32(total))]
    with x64():
        values += [schedule(jnp.float32(total)), jax.jit(schedule)(jnp.float32(total))]
    assert [float(value) for value in values] == [float32(level)] * 5


def test_integers_beyond_the_float_range_work_with_array_parameters() -> None:
    schedule = fs.ramp(torch.tensor(0.5), 1.0, steps=10)
    assert [float(schedule(step)) for step in (2**63, 10**400, -(10**400))] == [1.0, 1.0, 0.5]


def test_an_endless_decay_never_rises_again() -> None:
    values = [fs.inverse_time(1.0)(10**power) for power in (15, 100, 300, 400)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("step", [10**6, 5_340_354, 2**24 + 1, 6 * 10**7, 2**29 + 3])
def test_a_stretch_by_an_irrational_factor_stays_accurate_at_large_steps(step: int) -> None:
    """The rescaled step is not an integer, and past 2**24 its fraction does not fit a float32."""
    rescaled = mpmath.fmod(step * mpmath.pi, 20)
    exact = float(rescaled / 10 if rescaled < 10 else (20 - rescaled) / 10)
    schedule = fs.stretch(fs.cyclic(10), 1 / math.pi)
    # 1 / math.pi is rounded to float64, and so is the rescaled step.
    values = [schedule(to_step(step)) for to_step in (int, np.int64, jnp.int32, torch.tensor)]
    assert [float(value) for value in values] == pytest.approx([exact] * 4, rel=0, abs=1e-6)


@pytest.mark.parametrize(
    "schedule",
    [
        fs.inverse_power(10, 2.0),
        fs.exponential_decay(0.9),
        fs.repeat(fs.ramp(1.0, 0.1, steps=10), 10, 6, 2),
        fs.stretch(fs.warmup_linear(10, 100), 1 / math.pi),
        fs.cyclic(10),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", [math.inf, np.array(np.inf), torch.tensor(math.inf), jnp.float32(jnp.inf), 10**400])
def test_an_infinite_step_gives_a_finite_value(schedule, step) -> None:
    assert 0 <= float(schedule(step)) <= 1


@pytest.mark.parametrize(
    "case",
    [
        Case(
            "cyclic(2**30)",
            oracle.repeat(oracle.phases(0.0, (2**30, 1.0, oracle.linear), (2**30, 0.0, oracle.linear)), 2**31),
            {},
        ),
        Case("warmup_stable_decay(1, 2**30, 2**30, cycles=2)", oracle.ramp(0.0, 1.0, 1), {}),
        Case("exponential_decay(0.9, 2**31 - 1)", oracle.exponential_decay(0.9, 2**31 - 1), {}),
        Case("exponential_decay(1 - 1e-12)", oracle.exponential_decay(1 - 1e-12), {}),
        Case("stretch(cosine_restarts(2**30), 3)", oracle.ramp(1.0, 0.0, 3 * 2**30, oracle.cosine), {}),
        Case("repeat(ramp(1, 0, steps=10), 10, level_factor=1 - 1e-12)", oracle.ramp(1.0, 0.0, 10), {}),
    ],
    ids=str,
)
def test_lengths_whose_sum_exceeds_32_bits_work_without_x64(case: Case) -> None:
    assert oracle.max_ulps(case.exact, range(3), case.schedule(jnp.arange(3)).tolist(), 24) <= 4
