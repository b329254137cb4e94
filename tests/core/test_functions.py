"""Users' functions, in `lift`, in shapes and in `curve`: the same value everywhere, or a clear error."""

import math
import pickle

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch
from mpmath import mpf

import funcsched as fs
from tests import oracle
from tests.backends import x64

OVERFLOWS = fs.lift(lambda s: ((s * s + 1e4) / 1e4) ** -0.5)  # a product of two int32 wraps at step 46,341


@pytest.mark.parametrize("step", [46_341, 100_000, 3_000_000])
def test_a_lifted_function_has_the_same_value_on_every_backend(step: int) -> None:
    exact = ((mpf(step) ** 2 + 10_000) / 10_000) ** mpf(-0.5)
    steps = [step, np.int32(step), np.array(step, np.int32), torch.tensor(step, dtype=torch.int32), np.int64(step)]
    assert [float(OVERFLOWS(step)) for step in steps] == pytest.approx([float(exact)] * 5, rel=2**-22)
    for function in (OVERFLOWS, jax.jit(OVERFLOWS)):
        assert float(function(jnp.int32(step))) == pytest.approx(float(exact), rel=2**-21)
        with x64():
            assert float(function(jnp.int32(step))) == pytest.approx(float(exact), rel=2**-50)


def test_integer_division_and_remainders_count_alike_on_every_backend() -> None:
    schedule, steps = fs.lift(lambda step: 0.5 ** (step // 10) + (step % 10)), [0, 9, 10, 25]
    expected = [1.0, 10.0, 0.5, 5.25]
    assert [schedule(step) for step in steps] == expected
    for array in (np.array(steps), jnp.array(steps), torch.tensor(steps)):
        assert schedule(array).tolist() == expected


def branches(step):
    return 1.0 if step < 10 else 0.5


ARRAYS = [np.arange(20), torch.arange(20), jnp.arange(20)]


@pytest.mark.parametrize("array", ARRAYS, ids=["numpy", "torch", "jax"])
@pytest.mark.parametrize("function", [branches, lambda step: math.sqrt(step + 1)], ids=["if", "math"])
def test_a_function_that_fails_on_arrays_is_an_error_that_suggests_tabulate(function, array) -> None:
    for schedule in (fs.lift(function), fs.curve(function, steps=20)):
        assert schedule(3) > 0
        with pytest.raises(
            TypeError, match=r"^(lift|curve): the function fails on a (numpy|torch|jax) array .*; use fun"
        ):
            schedule(array)
        with pytest.raises(TypeError, match=r"or fs\.tabulate, which calls the function with Python numbers$"):
            schedule(array)


def test_a_function_that_branches_fails_under_jit_and_its_table_does_not() -> None:
    with pytest.raises(TypeError, match=r"^lift: the function fails on a jax array \(TracerBoolConversionError"):
        jax.jit(fs.lift(branches))(3)
    assert jax.jit(fs.tabulate(branches, 20))(jnp.arange(9, 12)).tolist() == [1.0, 0.5, 0.5]


@pytest.mark.parametrize("result", [None, "0.5", b"1", [1.0]], ids=repr)
@pytest.mark.parametrize("make", [fs.lift, lambda function: fs.curve(function, steps=9)], ids=["lift", "curve"])
def test_a_function_that_returns_no_number_is_an_error(make, result: object) -> None:
    for step in (3, 3.5, np.arange(3)):
        with pytest.raises(TypeError, match=r": `function` must be a function that returns a number, got "):
            make(lambda step: result)(step)


# Shapes.


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (lambda u: math.e ** (-12.5 * u**2), "0 at fraction 0, got 1.0"),
        (lambda u: math.e ** (-5 * (1 - u) ** 2), "0 at fraction 0, got 0.006737946999085469"),
        (lambda u: u / 2, "1 at fraction 1, got 0.5"),
        (lambda u: math.nan, "0 at fraction 0, got nan"),
    ],
)
def test_a_shape_with_other_ends_is_refused(shape, message: str) -> None:
    for build in (
        lambda: fs.ramp(0, 1, steps=1000, shape=shape),
        lambda: fs.warmup_stable_decay(1, 2, 3, decay_shape=shape),
        lambda: fs.reverse(shape),
        lambda: fs.interpolate([0, 5], [0, 1], shape=[shape]),
    ):
        with pytest.raises(ValueError, match=r"^\w+: `\w+(\[0\])?` must be ") as error:
            build()
        assert f"must be {message}; for other curves use fs.curve(function, steps=...)" in str(error.value)


def test_a_shape_that_fails_on_a_number_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^ramp: `shape` must accept Python numbers and arrays, but fails at 0\.0 \(Type"
    ):
        fs.ramp(0, 1, steps=10, shape=torch.sin)
    with pytest.raises(TypeError, match=r"^ramp: `shape` must be a function that returns a number, got None$"):
        fs.ramp(0, 1, steps=10, shape=lambda u: None)


def test_a_shape_may_be_a_function_of_jax_also_inside_jit() -> None:
    def build(steps):
        schedule = fs.ramp(0, 1, steps=1000, shape=lambda u: jnp.sin(jnp.pi / 2 * u) ** 2)
        return schedule(steps)

    for run in (build, jax.jit(build)):
        assert run(jnp.array([0, 500, 1000])).tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-6)


# curve


def ramp_up(u):
    return 2.718281828459045 ** (-5.0 * (1.0 - u) ** 2)


RAMP_UP = fs.curve(ramp_up, steps=100)
STEPS = [-5, 0, 1, 33, 50, 99, 100, 101, 10**6]


def exact_ramp_up(step: float) -> mpf:
    u = min(max(mpf(step) / 100, mpf(0)), mpf(1))
    return mpf(2.718281828459045) ** (-5 * (1 - u) ** 2)


def test_a_curve_has_the_values_of_its_function_on_every_backend() -> None:
    # The exponent of up to 5 amplifies the rounding of the function's own arithmetic.
    assert oracle.max_ulps(exact_ramp_up, STEPS, [RAMP_UP(step) for step in STEPS], 53) <= 16
    assert oracle.max_ulps(exact_ramp_up, STEPS, RAMP_UP(np.array(STEPS)).tolist(), 53) <= 16
    for values in (
        RAMP_UP(torch.tensor(STEPS)),
        RAMP_UP(jnp.array(STEPS)),
        jax.jit(RAMP_UP)(jnp.array(STEPS)),
        torch.compile(RAMP_UP, backend="eager", fullgraph=True)(torch.tensor(STEPS)),
    ):
        assert oracle.max_ulps(exact_ramp_up, STEPS, values.tolist(), 24) <= 16


def test_a_curve_holds_both_ends() -> None:
    first, last = float(mpmath.exp(-5)), 1.0
    assert RAMP_UP(0) == RAMP_UP(-100) == pytest.approx(first, rel=1e-15)
    assert RAMP_UP(100) == RAMP_UP(2**53) == last
    for array in (np.array([100, 2**40]), torch.tensor([100, 2**40])):
        assert RAMP_UP(array).tolist() == [last, last]
    for steps in (7, 49, 103, 10**9):  # exactly the value at 1, although 1 / steps is rounded
        falling = fs.curve(lambda u: 1.0 - u, steps=steps)
        assert float(jax.jit(falling)(jnp.int32(steps))) == falling(np.float32(steps)) == falling(steps) == 0.0


def test_a_curve_without_steps_is_constant_at_its_end() -> None:
    curve = fs.curve(lambda u: 3.0 + u, steps=0)
    assert [curve(step) for step in (-1, 0, 5)] == [4.0, 4.0, 4.0]
    assert curve(np.arange(3)).tolist() == jax.jit(curve)(jnp.arange(3)).tolist() == [4.0, 4.0, 4.0]
    assert jax.jit(lambda steps: fs.curve(lambda u: 3.0 + u, steps=steps)(jnp.arange(3)))(0).tolist() == [4.0, 4.0, 4.0]


def test_a_curve_of_a_constant_function_has_the_shape_of_the_step() -> None:
    assert fs.curve(lambda u: 0.5, steps=9)(jnp.ones((2, 3), jnp.int32)).shape == (2, 3)
    assert math.isnan(RAMP_UP(math.nan)) and math.isnan(RAMP_UP(np.float32("nan")))


def test_a_curve_is_a_value() -> None:
    assert RAMP_UP == fs.curve(ramp_up, steps=100) != fs.curve(ramp_up, steps=101)
    assert hash(RAMP_UP) == hash(fs.curve(ramp_up, steps=100))
    assert pickle.loads(pickle.dumps(RAMP_UP)) == RAMP_UP
    assert repr(RAMP_UP).endswith("ramp_up, steps=100)") and repr(RAMP_UP).startswith("curve(")
    assert fs.stretch(RAMP_UP, 3)(150) == RAMP_UP(50)
    joined = fs.join([RAMP_UP, fs.ramp(1.0, 0.0, steps=10)], [100])
    assert jax.jit(joined)(jnp.array([0, 100, 105])).tolist() == pytest.approx([math.exp(-5), 1.0, 0.5], rel=1e-6)
    with pytest.raises(TypeError, match=r"use fs\.tabulate\(\.\.\.\) to sample it into a table$"):
        fs.to_dict(RAMP_UP)
