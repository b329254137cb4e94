"""`to_optax`: the function that it returns, compiled calls, plain functions, and value semantics."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import funcsched as fs
from bridges.optax import optax_schedule, to_optax
from bridges.rated import Rated
from tests import oracle
from tests.bridges.optax.curves import CASES, COMPILE, SOME, halved_after_5
from tests.errors import exactly
from tests.stacks.curves import PEAK, TOLERANCE, UPDATES, max_ulps

# Counts of every kind.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("name", SOME)
def test_a_count_of_any_dtype_gives_the_rate(name: str, dtype: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rate = compile(to_optax(schedule, PEAK))
    assert max_ulps([float(rate(jnp.asarray(step, dtype))) for step in range(UPDATES)], exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "uint32", "float32"])
def test_a_count_of_any_dtype_gives_float32(dtype: str, compile: Callable) -> None:
    assert compile(to_optax(fs.warmup_cosine(4, 15), PEAK))(jnp.asarray(3, dtype)).dtype == jnp.float32


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint64", "float64"])
@pytest.mark.parametrize("name", SOME)
def test_under_x64_a_count_gives_the_rate_in_float64(name: str, dtype: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    with jax.enable_x64(True):
        rate = compile(to_optax(schedule, PEAK))
        used = [float(rate(jnp.asarray(step, dtype))) for step in range(UPDATES)]
    assert max_ulps(used, exact, bits=53) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_an_array_of_counts_gives_an_array_of_rates(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rates = compile(to_optax(schedule, PEAK))(jnp.arange(UPDATES).reshape(2, -1))
    assert rates.shape == (2, UPDATES // 2) and max_ulps(rates.ravel().tolist(), exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize(
    "peak", [0.5, -0.5, 0.3, 0, 1e-30, 3e4, np.float32(0.3), np.float64(0.3), np.int64(2)], ids=repr
)
@pytest.mark.parametrize(("step", "multiplier"), [(0, 0.25), (4, 1.0), (8, 0.125), (9, 0.125)])
def test_at_a_boundary_the_rate_is_the_peak_times_the_declared_level(
    step: int, multiplier: float, peak: float, compile: Callable
) -> None:
    rate = compile(to_optax(fs.warmup_cosine(4, 8, start=0.25, end=0.125), peak))
    assert float(rate(jnp.int32(step))) == np.float32(peak) * np.float32(multiplier)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [0, 3, 100])
def test_a_peak_of_0_gives_0(name: str, step: int) -> None:
    assert to_optax(CASES[name][0], 0)(step) == 0.0


@pytest.mark.parametrize("peak", [0.5, -0.25])
def test_vmap_runs_a_sweep_over_peaks(peak: float) -> None:
    rates = jax.vmap(lambda peak: to_optax(fs.warmup_linear(4, 8), peak)(jnp.int32(2)))(jnp.array([1.0, peak]))
    assert rates.tolist() == [0.5, 0.5 * peak]


@pytest.mark.parametrize("step", range(UPDATES))
def test_the_gradient_with_respect_to_the_peak_is_the_multiplier(step: int) -> None:
    schedule, exact = CASES["warmup_cosine"]
    slope = jax.grad(lambda peak: to_optax(schedule, peak)(jnp.int32(step)))(0.5)
    assert oracle.ulps(float(slope), exact(step), 24) <= TOLERANCE


# Compiled calls.


def test_64_schedules_with_one_treedef_share_one_compilation() -> None:
    before = optax_schedule._rate._cache_size()
    for i in range(1, 65):
        schedule = fs.warmup_cosine(i, 100 * i, start=i / 1000, end=i / 500, cycles=0.8125)
        to_optax(schedule, i / 64)(jnp.int32(5))
    assert optax_schedule._rate._cache_size() - before == 1  # no other test uses 0.8125 cycles


def test_64_schedules_with_one_treedef_have_their_own_rates() -> None:
    rates = [to_optax(fs.warmup_constant(i), 0.5)(jnp.int32(1)) for i in range(2, 66)]
    exact = [0.5 * oracle.warmup_constant(i)(1) for i in range(2, 66)]
    assert max(oracle.ulps(float(rate), value, 24) for rate, value in zip(rates, exact, strict=True)) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_an_eager_call_on_a_jax_scalar_is_one_compiled_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    compiled = optax_schedule._rate
    monkeypatch.setattr(optax_schedule, "_rate", lambda *arguments: calls.append(1) or compiled(*arguments))
    to_optax(CASES[name][0], PEAK)(jnp.int32(5))
    assert calls == [1]


def break_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("JAX was used")

    for name in dir(jnp):
        if not name.startswith("_") and callable(getattr(jnp, name)) and not isinstance(getattr(jnp, name), type):
            monkeypatch.setattr(jnp, name, broken)
    monkeypatch.setattr(optax_schedule, "_rate", broken)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [-1, 0, 3, 4, 9, 15, 100])
def test_a_python_int_is_computed_without_jax(name: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule, exact = CASES[name]
    break_jax(monkeypatch)
    assert oracle.ulps(to_optax(schedule, PEAK)(step), PEAK * exact(step), 53) <= TOLERANCE


# Control: the test above detects the use of JAX.
@pytest.mark.parametrize("name", CASES)
def test_a_jax_scalar_is_computed_with_jax(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = jnp.int32(5)
    break_jax(monkeypatch)
    with pytest.raises(AssertionError, match="JAX was used"):
        to_optax(CASES[name][0], PEAK)(count)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [0, 3, 2.5], ids=repr)
def test_a_python_number_gives_a_python_float(name: str, step: float) -> None:
    assert type(to_optax(CASES[name][0], 2)(step)) is float


# Plain functions.

LIFTED = {
    "a function": (halved_after_5, lambda step: 1.0 if step < 5 else 0.5),
    "scaled": (fs.scale(halved_after_5, 0.5), lambda step: 0.5 if step < 5 else 0.25),
    "shifted": (fs.shift(halved_after_5, 2), lambda step: 1.0 if step < 3 else 0.5),
    "joined": (fs.join([fs.constant(0.25), halved_after_5], [3]), lambda s: 0.25 if s < 3 else 1.0 if s < 8 else 0.5),
}


@pytest.mark.parametrize(("function", "plain"), LIFTED.values(), ids=LIFTED)
@pytest.mark.parametrize("step", range(10))
def test_a_plain_function_with_an_if_runs_eagerly_on_a_jax_scalar(step: int, function: Any, plain: Callable) -> None:
    assert to_optax(function, 0.5)(jnp.int32(step)) == 0.5 * plain(step)


@pytest.mark.parametrize(("function", "plain"), LIFTED.values(), ids=LIFTED)
@pytest.mark.parametrize("step", range(10))
def test_a_plain_function_with_an_if_runs_on_a_python_int(step: int, function: Any, plain: Callable) -> None:
    assert to_optax(function, 0.5)(step) == 0.5 * plain(step)


@pytest.mark.parametrize("step", range(10))
def test_a_vectorized_plain_function_runs_under_jit(step: int) -> None:
    rate = to_optax(lambda step: jnp.where(step < 5, 1.0, 0.5), 0.5)
    assert jax.jit(rate)(jnp.int32(step)) == (0.5 if step < 5 else 0.25)


def test_a_shape_for_scalars_runs_outside_of_jit() -> None:
    ramp = fs.ramp(0.0, 1.0, steps=8, shape=lambda u: u if u < 0.5 else 1.0)
    assert [float(to_optax(ramp, 1)(jnp.int32(count))) for count in (2, 4)] == [0.25, 1.0]


# Value semantics.

NAMES = {**{name: getattr(fs, name) for name in fs.__all__}, "to_optax": to_optax}


@pytest.mark.parametrize("name", CASES)
def test_equal_schedules_and_peaks_give_equal_results(name: str) -> None:
    schedule, _ = CASES[name]
    assert to_optax(copy.deepcopy(schedule), 0.5) == to_optax(schedule, np.float64(0.5))


@pytest.mark.parametrize("name", CASES)
def test_equal_results_have_the_same_hash(name: str) -> None:
    schedule, _ = CASES[name]
    assert hash(to_optax(copy.deepcopy(schedule), 2)) == hash(to_optax(schedule, 2.0))


@pytest.mark.parametrize("other", [to_optax(fs.warmup_linear(4, 15), 0.25), to_optax(fs.warmup_linear(4, 16), 0.5)])
def test_other_numbers_give_different_results(other: Any) -> None:
    assert to_optax(fs.warmup_linear(4, 15), 0.5) != other


def test_the_result_is_not_equal_to_its_schedule() -> None:
    assert to_optax(fs.warmup_linear(4, 15), 1) != fs.warmup_linear(4, 15)


@pytest.mark.parametrize("duplicate", [lambda rate: pickle.loads(pickle.dumps(rate)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", CASES)
def test_a_copy_is_equal(name: str, duplicate: Callable) -> None:
    rate = to_optax(CASES[name][0], -0.3)
    assert duplicate(rate) == rate


@pytest.mark.parametrize("name", CASES)
def test_the_repr_evaluates_to_an_equal_value(name: str) -> None:
    rate = to_optax(CASES[name][0], -0.3)
    assert eval(repr(rate), dict(NAMES)) == rate


def test_the_repr_is_the_expression_that_builds_it() -> None:
    rate = to_optax(fs.warmup_linear(10, 100), 0.5)
    assert repr(rate) == "to_optax(schedule=warmup_linear(warmup_steps=10, total_steps=100), peak_value=0.5)"


@pytest.mark.parametrize("attribute", ["schedule", "peak_value", "dtype", "other"])
def test_the_result_is_immutable(attribute: str) -> None:
    with pytest.raises(AttributeError):
        setattr(to_optax(fs.constant(), 1), attribute, 1.0)


# Rejected arguments.


def test_a_missing_peak_is_rejected() -> None:
    message = (
        "to_optax: `peak_value` is missing: give the learning rate at multiplier 1; for a schedule whose values are"
        " already learning rates or integers, use peak_value=1"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        to_optax(fs.constant())  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("peak", "error"),
    [
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        (10**400, ValueError),
        (None, TypeError),
        ("peak", TypeError),
        (True, TypeError),
        (1j, TypeError),
        ([0.1], TypeError),
        (fs.constant(), TypeError),
        (jnp.array(True), TypeError),
        (jnp.array(1j), TypeError),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_peak_that_is_not_a_finite_number_is_rejected(peak: Any, error: type[Exception]) -> None:
    message = f"to_optax: `peak_value` must be a finite number, got {peak!r}"
    with pytest.raises(error, match=exactly(message)):
        to_optax(fs.constant(), peak)


@pytest.mark.parametrize(
    ("value", "fix"),
    [(3, ""), (None, ""), ("linear", "; use fs.parse(...)"), ([fs.constant()], "")],
    ids=["3", "None", "'linear'", "[constant()]"],
)
def test_a_schedule_that_is_not_callable_is_rejected(value: Any, fix: str) -> None:
    message = f"to_optax: `schedule` must be a schedule or a function of a step, got {value!r}{fix}"
    with pytest.raises(TypeError, match=exactly(message)):
        to_optax(value, 1)


def test_a_rated_is_unpacked() -> None:
    rated = Rated(fs.constant(), 0.5)
    with pytest.raises(TypeError, match=r"to_optax: `schedule` must be .*; use to_optax\(\*rated\)$"):
        to_optax(rated, 0.5)  # type: ignore[arg-type]


def test_a_rated_that_is_not_unpacked_fails_before_the_first_update() -> None:
    rated: Any = Rated(fs.constant(), 0.5)
    with pytest.raises(
        TypeError, match=r"^Rated: a schedule and its peak value are not a function of a step; for optax"
    ):
        optax.inject_hyperparams(optax.sgd)(rated).init(jnp.zeros(2))


# A changed schedule would pass: a function is compared by samples alone.
def test_a_rate_is_not_compared_with_a_checkpoint_of_multipliers() -> None:
    rate = to_optax(fs.constant(), 0.5)
    with pytest.raises(TypeError, match=r"pass its `schedule`, which does not contain the peak value$"):
        fs.snapshot(rate)
    fs.check_resume(fs.snapshot(fs.constant()), rate.schedule)
