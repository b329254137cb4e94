"""What a step may be, and what comes back: library, shape, dtype; and that nothing ever wraps."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch

import funcsched as fs
from tests import oracle
from tests.backends import x64
from tests.cases import ONE_OF_EACH, Case

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
COSINE = Case("warmup_cosine(10, 200, end=0.1)", oracle.warmup_cosine(10, 200, 0.0, 0.1), {200: 0.1})


def within_4_ulp(case: Case, steps: list[int], values: list[float], bits: int) -> bool:
    return all(oracle.ulps(v, case.exact(s), bits) <= 4 for s, v in zip(steps, values, strict=True))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("case", [COSINE, *ONE_OF_EACH], ids=str)
def test_every_integer_type_of_numpy_counts_alike(case: Case, dtype: str) -> None:
    steps = [0, 1, 9, 10, 11, 100, 127]
    values = case.schedule(np.array(steps, dtype))
    assert values.dtype == np.float64
    assert within_4_ulp(case, steps, values.tolist(), 53)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_type_of_torch_counts_alike(dtype: str) -> None:
    steps = [0, 1, 9, 10, 11, 100, 127]
    values = COSINE.schedule(torch.tensor(steps, dtype=getattr(torch, dtype)))
    assert values.dtype == torch.float32
    assert within_4_ulp(COSINE, steps, values.tolist(), 24)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("case", [COSINE, *ONE_OF_EACH], ids=str)
def test_every_integer_type_of_jax_counts_alike(case: Case, dtype: str) -> None:
    steps = [0, 1, 9, 10, 11, 100, 127]
    values = case.schedule(jnp.array(steps, dtype))
    assert values.dtype == jnp.float32
    assert within_4_ulp(case, steps, values.tolist(), 24)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_type_of_jax_under_x64_counts_alike(dtype: str) -> None:
    steps = [0, 1, 9, 10, 11, 100, 127]
    with x64():
        values = COSINE.schedule(jnp.array(steps, dtype))
        assert values.dtype == jnp.float64
        assert within_4_ulp(COSINE, steps, values.tolist(), 53)


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
def test_the_extremes_of_a_type_are_below_and_past_everything(schedule, steps) -> None:
    values = [schedule(step) for step in steps] if isinstance(steps, list) else schedule(steps)
    beyond_int8 = max(map(float, values)) if str(getattr(steps, "dtype", "")).endswith("int8") else 0.5
    assert [float(value) for value in values] == [0.25, beyond_int8]


@pytest.mark.parametrize("steps", [5, 2**31 - 10])
def test_a_shift_saturates_instead_of_wrapping(steps: int) -> None:
    schedule = fs.shift(fs.warmup_linear(0, 100, end=0.5), steps)
    assert schedule(jnp.array([2**31 - 1, 2**31 - 100], jnp.int32)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_the_shape_of_the_step_is_the_shape_of_the_value(case: Case, shape: tuple[int, ...]) -> None:
    shapes = [
        case.schedule(np.full(shape, 7)).shape,
        tuple(case.schedule(torch.full(shape, 7)).shape),
        # Evaluated without values: JAX would compile each of its operations for each shape.
        jax.eval_shape(case.schedule, jax.ShapeDtypeStruct(shape, jnp.int32)).shape,
        jax.eval_shape(case.schedule, jax.ShapeDtypeStruct(shape, jnp.float32)).shape,
    ]
    assert shapes == [shape] * 4


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_jax_values_have_the_shape_of_the_step(case: Case) -> None:
    assert [case.schedule(jnp.full((2, 3), step)).shape for step in (7, 7.5)] == [(2, 3)] * 2


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_the_library_of_the_step_is_the_library_of_the_value(case: Case) -> None:
    kinds = [type(case.schedule(step)) for step in (7, 7.0, np.arange(3), np.int32(7), torch.arange(3))]
    assert kinds == [float, float, np.ndarray, np.float64, torch.Tensor]
    assert isinstance(case.schedule(jnp.arange(3)), jax.Array)


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_a_float_step_keeps_its_dtype(case: Case) -> None:
    wide = [case.schedule(np.zeros(2, dtype)).dtype for dtype in ("float32", "float64", "longdouble")]
    assert wide == [np.float32, np.float64, np.longdouble]
    assert case.schedule(jnp.zeros(2, jnp.float32)).dtype == jnp.float32
    assert [case.schedule(torch.zeros(2, dtype=t)).dtype for t in (torch.float32, torch.float64)] == [
        torch.float32,
        torch.float64,
    ]


def test_an_integer_step_of_torch_gives_the_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert fs.constant()(torch.arange(2)).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_float32_step_under_x64_keeps_its_dtype() -> None:
    with x64():
        assert COSINE.schedule(jnp.zeros(2, jnp.float32)).dtype == jnp.float32


def test_the_value_stays_on_the_device_of_the_step() -> None:
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
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_a_nan_step_gives_nan(case: Case, step) -> None:
    assert math.isnan(float(np.asarray(case.schedule(step)).reshape(())))


@pytest.mark.parametrize("step", [0.25, 3.7, 55.5, 99.75])
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_a_step_between_two_updates_is_within_4_ulp(case: Case, step: float) -> None:
    single = float(np.float32(step))
    values = [
        (case.schedule(step), step, 53),
        (case.schedule(np.float64(step)), step, 53),
        (case.schedule(np.float32(step)), single, 24),
        (float(case.schedule(jnp.float32(step))), single, 24),
        (float(case.schedule(torch.tensor(step))), single, 24),
    ]
    assert [oracle.ulps(value, case.exact(at), bits) <= 4 for value, at, bits in values] == [True] * 5


HALVES = [np.float16(3), jnp.float16(3), jnp.bfloat16(3), torch.tensor(3.0, dtype=torch.bfloat16), jnp.float8_e4m3fn(1)]


@pytest.mark.parametrize("step", HALVES, ids=lambda step: str(step.dtype))
def test_a_half_precision_step_is_refused_with_the_reason(step) -> None:
    name = str(step.dtype).removeprefix("torch.")
    sentence = f"constant: `step` must be an integer or a float of at least 32 bits, got {name}"
    with pytest.raises(TypeError) as error:
        fs.constant()(step)
    assert str(error.value) == sentence + "; 16 bits cannot count: bfloat16 has no 257"


@pytest.mark.parametrize(
    "step",
    [True, "3", None, 3j, [1, 2], np.array("a"), np.array(1j), np.array(True), jnp.array(True), torch.tensor(True)],
)
@pytest.mark.parametrize("case", ONE_OF_EACH[:3], ids=str)
def test_a_step_that_is_no_number_is_a_type_error(case: Case, step) -> None:
    with pytest.raises(TypeError, match="`step` must be"):
        case.schedule(step)


LATE = [
    ("warmup_linear(10, 3 * 10**9)", "warmup_linear: `total_steps`", 3 * 10**9),
    ("shift(warmup_cosine(10, 3 * 10**9), 4)", "warmup_cosine: `total_steps`", 3 * 10**9),
    ("ramp(0, 1, steps=2**31)", "ramp: `steps`", 2**31),
    ("join([constant(), ramp(0, 1, steps=1)], [2**40])", "join: `boundaries`", 2**40),
]


@pytest.mark.parametrize("run", [lambda s, x: s(x), lambda s, x: jax.jit(s)(x)], ids=["eager", "jit"])
@pytest.mark.parametrize(("text", "subject", "value"), LATE)
def test_a_horizon_past_32_bits_is_refused_by_jax_without_x64(text: str, subject: str, value: int, run) -> None:
    rule = "must be at most 2147483647 in JAX without x64 (set jax_enable_x64, or count in larger units)"
    with pytest.raises(ValueError) as error:
        run(eval(text, vars(fs)), jnp.int32(3))
    assert str(error.value) == f"{subject} {rule}, got {value}"


def test_nested_beginnings_past_32_bits_are_never_reached() -> None:
    inner = fs.join([fs.constant(0.5), fs.constant(0.2)], [2**31 - 1])
    late = fs.join([fs.constant(), inner], [2**31 - 1])
    assert late(jnp.array([3, 2**31 - 2, 2**31 - 1], jnp.int32)).tolist() == [1.0, 1.0, 0.5]


def test_pieces_that_end_together_past_32_bits_still_count_exactly() -> None:
    late = fs.join([fs.constant(), fs.ramp(1.0, 0.0, steps=2 * 10**9)], [2 * 10**9])
    step = 2**31 - 1
    assert float(late(jnp.int32(step))) == pytest.approx(1 - (step - 2 * 10**9) / (2 * 10**9), rel=2**-23)


@pytest.mark.parametrize("step", [10**6, 5_340_354, 2**24 + 1, 6 * 10**7, 2**29 + 3])
def test_a_step_that_is_rounded_stays_near_however_far(step: int) -> None:
    """Stretched by a number that is no fraction, a step is divided: 2**24 and more steps are no float32 any more."""
    local = mpmath.fmod(step * mpmath.pi, 20)
    exact = float(local / 10 if local < 10 else (20 - local) / 10)
    schedule = fs.stretch(fs.cyclic(10), 1 / math.pi)
    # The factor is a float64 and not 1/pi, and step / factor is rounded to one.
    for at, near in [(step, 1e-6), (np.int64(step), 1e-6), (jnp.int32(step), 1e-6), (torch.tensor(step), 1e-6)]:
        assert abs(float(schedule(at)) - exact) <= near


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
def test_infinity_is_a_step_like_any_that_is_far(schedule, step) -> None:
    assert 0 <= float(schedule(step)) <= 1


@pytest.mark.parametrize(
    "schedule",
    [
        fs.cyclic(2**30),
        fs.warmup_stable_decay(1, 2**30, 2**30, cycles=2),
        fs.exponential_decay(0.9, 2**31 - 1),
        fs.exponential_decay(1 - 1e-12),
        fs.stretch(fs.cosine_restarts(2**30), 3),
        fs.repeat(fs.ramp(1, 0, steps=10), 10, level_factor=1 - 1e-12),
    ],
    ids=str,
)
def test_lengths_that_fit_32_bits_but_for_their_sum_run_without_x64(schedule) -> None:
    exact = np.array([schedule(step) for step in range(3)], np.float32)
    np.testing.assert_array_max_ulp(np.asarray(schedule(jnp.arange(3))), exact, 4)
