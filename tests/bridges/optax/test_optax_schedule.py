"""`bridges.optax` and `bridges.jax`: the rates that real optimizers use, and schedules as pytrees."""

import copy
import math
import pickle
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from mpmath import mpf

import bridges.jax
import funcsched as fs
from bridges.optax import optax_schedule, to_optax
from bridges.torch import lambda_lr
from tests import oracle
from tests.stacks import curves
from tests.stacks.curves import PEAK, TOLERANCE, UPDATES

CASES = {
    "constant": (fs.constant(0.25), oracle.constant(0.25)),
    "warmup_constant": (fs.warmup_constant(4), oracle.warmup_constant(4)),
    "warmup_linear from start to end": (
        fs.warmup_linear(4, 15, start=0.1, end=0.05),
        oracle.warmup_linear(4, 15, 0.1, 0.05),
    ),
    **curves.CASES,
}
SOME = ["warmup_linear", "warmup_cosine_restarts", "join"]  # a line, a curve and a composition


def worst(used: list[float], exact: oracle.Curve, peak: float = PEAK) -> float:
    """The largest error in ulps of float32 of the rates at updates 0, 1, 2, ..."""
    return max(oracle.ulps(rate, peak * exact(update), 24) for update, rate in enumerate(used))


def exactly(message: str) -> str:
    return rf"^{re.escape(message)}$"


def constant_gradient(optimizer: optax.GradientTransformation, update: Callable) -> list[float]:
    """How far each of the updates goes down a slope of 1, starting from 0 each time, and so without a rounding."""
    parameter = jnp.float32(0.0)
    state = optimizer.init(parameter)
    moves = []
    for _ in range(UPDATES):
        change, state = update(jnp.float32(1.0), state, parameter)
        moves.append(-float(optax.apply_updates(parameter, change)))
    return moves


# In optax.

# All of them move by the rate alone on a constant gradient of 1: Lion by its sign, and Adam with these decays by
# (1 - 2**-k) / (1 - 2**-k), without a rounding.
OPTIMIZERS = {
    "sgd": optax.sgd,
    "lion": lambda rate: optax.lion(rate, weight_decay=0.0),
    "adamw": lambda rate: optax.adamw(rate, b1=0.5, b2=0.5, eps=0.0, weight_decay=0.0),
    "scale_by_learning_rate": optax.scale_by_learning_rate,
    "inject_hyperparams": lambda rate: optax.inject_hyperparams(optax.sgd)(learning_rate=rate),
    "scale_by_schedule": lambda rate: optax.scale_by_schedule(to_optax(rate.schedule, -rate.peak_value)),
}
COMPILE = {"eager": lambda function: function, "jit": jax.jit}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("name", CASES)
def test_an_optimizer_moves_by_the_rate_of_step_k_at_update_k(name: str, make: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = make(to_optax(schedule, PEAK))
    assert worst(constant_gradient(optimizer, optimizer.update), exact) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_a_jitted_optimizer_moves_by_the_rate_of_step_k_at_update_k(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.sgd(to_optax(schedule, PEAK))
    assert worst(constant_gradient(optimizer, jax.jit(optimizer.update)), exact) <= TOLERANCE


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("name", SOME)
def test_an_optimizer_moves_by_the_rate_inside_a_scan(name: str, make: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = make(to_optax(schedule, PEAK))

    def update(state: Any, _: None) -> tuple[Any, Any]:
        change, state = optimizer.update(jnp.float32(1.0), state, jnp.float32(0.0))
        return state, -change

    _, moves = jax.lax.scan(update, optimizer.init(jnp.float32(0.0)), length=UPDATES)
    assert worst(moves.tolist(), exact) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_inject_hyperparams_records_the_rate_of_every_update(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    parameter = jnp.float32(0.0)
    state, update, used = optimizer.init(parameter), compile(optimizer.update), []
    for _ in range(UPDATES):
        _, state = update(jnp.float32(1.0), state, parameter)
        used.append(float(state.hyperparams["learning_rate"]))
    assert worst(used, exact) <= TOLERANCE


def test_inject_hyperparams_shows_the_first_rate_before_the_first_update() -> None:
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(fs.ramp(0.25, 1.0, steps=4), 0.5))
    assert float(optimizer.init(jnp.float32(0.0)).hyperparams["learning_rate"]) == 0.125


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
def test_scale_by_schedule_subtracts_by_a_negative_peak(compile: Callable) -> None:
    optimizer = optax.scale_by_schedule(to_optax(fs.warmup_linear(4, 8), -0.5))
    update, state = compile(optimizer.update), optimizer.init(jnp.float32(0.0))
    changes = []
    for _ in range(9):
        change, state = update(jnp.float32(1.0), state)
        changes.append(float(change))
    assert changes == [-0.5 * m for m in (0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0)]


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("step", range(26))
def test_join_schedules_of_optax_runs_two_of_ours(step: int, compile: Callable) -> None:
    first, second = CASES["warmup_linear"], CASES["warmup_cosine"]
    joined = optax.join_schedules([to_optax(first[0], PEAK), to_optax(second[0], 0.25)], [8])
    exact = PEAK * first[1](step) if step < 8 else 0.25 * second[1](step - 8)
    assert oracle.ulps(float(compile(joined)(jnp.int32(step))), exact, 24) <= TOLERANCE


@pytest.mark.parametrize("step", range(26))
def test_join_schedules_of_optax_joins_ours_to_one_of_its_own(step: int) -> None:
    joined = optax.join_schedules([optax.constant_schedule(0.125), to_optax(fs.warmup_linear(4, 8), 0.5)], [8])
    linear = max(0.0, min((step - 8) / 4, (16 - step) / 4))
    assert float(joined(jnp.int32(step))) == (0.125 if step < 8 else 0.5 * linear)


# The function itself.


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("name", SOME)
def test_a_count_of_any_dtype_gives_the_rate(name: str, dtype: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rate = compile(to_optax(schedule, PEAK))
    assert worst([float(rate(jnp.asarray(step, dtype))) for step in range(UPDATES)], exact) <= TOLERANCE


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
    assert max(oracle.ulps(rate, PEAK * exact(step), 53) for step, rate in enumerate(used)) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("name", CASES)
def test_an_array_of_counts_gives_an_array_of_rates(name: str, compile: Callable) -> None:
    schedule, exact = CASES[name]
    rates = compile(to_optax(schedule, PEAK))(jnp.arange(UPDATES).reshape(2, -1))
    assert rates.shape == (2, UPDATES // 2) and worst(rates.ravel().tolist(), exact) <= TOLERANCE


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
def test_a_peak_of_zero_gives_zero(name: str, step: int) -> None:
    assert to_optax(CASES[name][0], 0)(step) == 0.0


@pytest.mark.parametrize("name", CASES)
def test_the_peak_is_1_by_default(name: str) -> None:
    schedule, exact = CASES[name]
    assert worst([to_optax(schedule)(step) for step in range(UPDATES)], exact, 1.0) <= TOLERANCE


@pytest.mark.parametrize("peak", [0.5, -0.25])
def test_a_sweep_over_peaks_goes_through_vmap(peak: float) -> None:
    rates = jax.vmap(lambda peak: to_optax(fs.warmup_linear(4, 8), peak)(jnp.int32(2)))(jnp.array([1.0, peak]))
    assert rates.tolist() == [0.5, 0.5 * peak]


@pytest.mark.parametrize("step", range(UPDATES))
def test_the_gradient_by_the_peak_is_the_multiplier(step: int) -> None:
    schedule, exact = CASES["warmup_cosine"]
    slope = jax.grad(lambda peak: to_optax(schedule, peak)(jnp.int32(step)))(0.5)
    assert oracle.ulps(float(slope), exact(step), 24) <= TOLERANCE


# One compiled call.


def test_64_schedules_of_one_structure_share_one_compilation() -> None:
    before = optax_schedule._rate._cache_size()
    for i in range(1, 65):
        schedule = fs.warmup_cosine(i, 100 * i, start=i / 1000, end=i / 500, cycles=0.8125)
        to_optax(schedule, i / 64)(jnp.int32(5))
    assert optax_schedule._rate._cache_size() - before == 1  # no other test runs 0.8125 waves


def test_64_schedules_of_one_structure_keep_their_own_numbers() -> None:
    rates = [to_optax(fs.warmup_constant(i), 0.5)(jnp.int32(1)) for i in range(2, 66)]
    exact = [0.5 * oracle.warmup_constant(i)(1) for i in range(2, 66)]
    assert max(oracle.ulps(float(rate), mp, 24) for rate, mp in zip(rates, exact, strict=True)) <= TOLERANCE


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


# The twin: the schedules do use what was broken.
@pytest.mark.parametrize("name", CASES)
def test_a_jax_scalar_is_not_computed_without_jax(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    count = jnp.int32(5)
    break_jax(monkeypatch)
    with pytest.raises(AssertionError, match="JAX was used"):
        to_optax(CASES[name][0], PEAK)(count)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [0, 3, 2.5], ids=repr)
def test_a_python_number_gives_a_python_float(name: str, step: float) -> None:
    assert type(to_optax(CASES[name][0], 2)(step)) is float


# Plain functions.


def halved_after_5(step: Any) -> float:
    if step < 5:
        return 1.0
    return 0.5


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


def test_a_plain_function_with_an_if_runs_in_an_eager_optimizer() -> None:
    optimizer = optax.sgd(to_optax(halved_after_5, 0.5))
    assert constant_gradient(optimizer, optimizer.update) == [0.5] * 5 + [0.25] * (UPDATES - 5)


@pytest.mark.parametrize("step", range(10))
def test_a_plain_function_for_arrays_runs_under_jit(step: int) -> None:
    rate = to_optax(lambda step: jnp.where(step < 5, 1.0, 0.5), 0.5)
    assert jax.jit(rate)(jnp.int32(step)) == (0.5 if step < 5 else 0.25)


# Values.

NAMES = {**{name: getattr(fs, name) for name in fs.__all__}, "to_optax": to_optax}


@pytest.mark.parametrize("name", CASES)
def test_two_bridges_of_equal_schedules_are_equal(name: str) -> None:
    schedule, _ = CASES[name]
    assert to_optax(copy.deepcopy(schedule), 0.5) == to_optax(schedule, np.float64(0.5))


@pytest.mark.parametrize("name", CASES)
def test_two_equal_bridges_have_one_hash(name: str) -> None:
    schedule, _ = CASES[name]
    assert hash(to_optax(copy.deepcopy(schedule), 2)) == hash(to_optax(schedule, 2.0))


@pytest.mark.parametrize("other", [to_optax(fs.warmup_linear(4, 15), 0.25), to_optax(fs.warmup_linear(4, 16), 0.5)])
def test_bridges_of_other_numbers_are_not_equal(other: Any) -> None:
    assert to_optax(fs.warmup_linear(4, 15), 0.5) != other


def test_a_bridge_is_not_equal_to_its_schedule() -> None:
    assert to_optax(fs.warmup_linear(4, 15)) != fs.warmup_linear(4, 15)


@pytest.mark.parametrize("duplicate", [lambda rate: pickle.loads(pickle.dumps(rate)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", CASES)
def test_a_copied_bridge_is_equal(name: str, duplicate: Callable) -> None:
    rate = to_optax(CASES[name][0], -0.3)
    assert duplicate(rate) == rate


@pytest.mark.parametrize("name", CASES)
def test_the_repr_evaluates_to_an_equal_bridge(name: str) -> None:
    rate = to_optax(CASES[name][0], -0.3)
    assert eval(repr(rate), dict(NAMES)) == rate


def test_the_repr_is_the_expression_that_builds_it() -> None:
    rate = to_optax(fs.warmup_linear(10, 100), 0.5)
    assert repr(rate) == "to_optax(schedule=warmup_linear(warmup_steps=10, total_steps=100), peak_value=0.5)"


@pytest.mark.parametrize("attribute", ["schedule", "peak_value", "other"])
def test_a_bridge_is_immutable(attribute: str) -> None:
    with pytest.raises(AttributeError):
        setattr(to_optax(fs.constant()), attribute, 1.0)


# Bad arguments.


@pytest.mark.parametrize(
    ("peak", "error"),
    [
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        (10**400, ValueError),
        (None, TypeError),
        ("1", TypeError),
        (True, TypeError),
        (1j, TypeError),
        ([0.1], TypeError),
        (fs.constant(), TypeError),
        (jnp.array(True), TypeError),
        (jnp.array(1j), TypeError),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_peak_that_is_no_finite_number_is_refused(peak: Any, error: type[Exception]) -> None:
    message = f"to_optax: `peak_value` must be a finite number, got {peak!r}"
    with pytest.raises(error, match=exactly(message)):
        to_optax(fs.constant(), peak)


@pytest.mark.parametrize("value", [3, None, "linear", [fs.constant()]], ids=repr)
def test_what_cannot_be_called_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=exactly(f"to_optax: `schedule` must be callable, got {value!r}")):
        to_optax(value)


PAST = 2**31
LONG = [
    (fs.warmup_linear(10, PAST), oracle.warmup_linear(10, PAST)),
    (fs.warmup_cosine(10, 3 * 10**12), oracle.warmup_cosine(10, 3 * 10**12)),
    (fs.warmup_cosine_restarts(0, PAST, cycles=2), oracle.warmup_cosine_restarts(0, PAST, cycles=2)),
    (fs.warmup_constant(PAST + 5), oracle.warmup_constant(PAST + 5)),
    (fs.ramp(0.0, 1.0, steps=PAST), oracle.ramp(0.0, 1.0, PAST)),
    (fs.scale(fs.ramp(0.0, 1.0, steps=PAST), 0.5), oracle.scale(oracle.ramp(0.0, 1.0, PAST), 0.5)),
    (fs.shift(fs.constant(), PAST), oracle.constant(1.0)),
    (fs.join([fs.constant(1.0), fs.constant(0.5)], [PAST]), oracle.constant(1.0)),
]
CALLS = {
    "eager": lambda schedule, step: schedule(step),
    "jit": lambda schedule, step: jax.jit(schedule)(step),
    "to_optax": lambda schedule, step: to_optax(schedule, 1.0)(step),
    "to_optax, jit": lambda schedule, step: jax.jit(to_optax(schedule, 1.0))(step),
    "float step": lambda schedule, step: schedule(step.astype("float32")),
    "scan": lambda schedule, step: jax.lax.scan(lambda carry, at: (carry, schedule(at)), None, step[None])[1][0],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("schedule", "exact"), LONG, ids=[str(schedule) for schedule, _ in LONG])
def test_a_horizon_past_32_bits_runs_without_x64(schedule: Any, exact: oracle.Curve, call: Callable) -> None:
    for step in (5, 2**24, 2**30):
        assert oracle.ulps(float(call(schedule, jnp.int32(step))), exact(step), 24) <= TOLERANCE


@pytest.mark.parametrize("call", [CALLS["to_optax"], CALLS["to_optax, jit"]], ids=["eager", "jit"])
@pytest.mark.parametrize(("schedule", "exact"), LONG, ids=[str(schedule) for schedule, _ in LONG])
def test_a_horizon_past_32_bits_runs_under_x64(schedule: Any, exact: oracle.Curve, call: Callable) -> None:
    with jax.enable_x64(True):
        assert oracle.ulps(float(call(schedule, jnp.int32(5))), exact(5), 53) <= TOLERANCE


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("count", [PAST - 1, PAST - 2, PAST - 1000])
def test_the_longest_horizon_of_32_bits_runs_to_its_end(count: int, compile: Callable) -> None:
    rate = compile(to_optax(fs.warmup_linear(10, PAST - 1), 0.5))
    exact = oracle.warmup_linear(10, PAST - 1)(count)
    assert oracle.ulps(float(rate(jnp.int32(count))), 0.5 * exact, 24) <= TOLERANCE


# optax and torch side by side, on one scalar parameter with a gradient of 1.

RECIPES = ["constant", "warmup_constant", "warmup_linear", "warmup_cosine", "warmup_cosine_restarts"]


def rates_of_optax(schedule: Any) -> tuple[list[float], list[float]]:
    """What the parameter moved by and what the optimizer recorded, at every update."""
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(schedule, PEAK))
    parameter = jnp.float32(0.0)
    state, moved, told = optimizer.init(parameter), [], []
    for _ in range(UPDATES):
        change, state = optimizer.update(jnp.float32(1.0), state, parameter)
        moved.append(float(parameter - optax.apply_updates(parameter, change)))
        told.append(float(state.hyperparams["learning_rate"]))
    return moved, told


def rates_of_torch(schedule: Any) -> tuple[list[float], list[float]]:
    parameter = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([parameter], lr=PEAK)
    scheduler = lambda_lr(optimizer, schedule)
    moved, told = [], []
    for _ in range(UPDATES):
        parameter.detach().zero_()
        optimizer.zero_grad()
        parameter.backward()  # of itself: a gradient of 1
        told.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        moved.append(-parameter.item())
    return moved, told


# torch rounds a float64 rate once. JAX computes in float32: one rounding in a constant or a line, the contract in a
# cosine.
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("which", [0, 1], ids=["moved", "told"])
def test_optax_and_torch_use_the_exact_rate_at_every_update(name: str, which: int) -> None:
    schedule, exact = CASES[name]
    optax_error, torch_error = (
        worst(rates_of_optax(schedule)[which], exact),
        worst(rates_of_torch(schedule)[which], exact),
    )
    assert optax_error <= (TOLERANCE if "cosine" in name else 1) and torch_error <= 1


@pytest.mark.parametrize("name", RECIPES)
def test_optax_and_torch_use_the_same_rate_at_every_update(name: str) -> None:
    ours, theirs = (np.array(rates(CASES[name][0])[0]) for rates in (rates_of_optax, rates_of_torch))
    assert (np.abs(ours - theirs) <= (TOLERANCE + 1) * np.spacing(theirs.astype(np.float32))).all()


@pytest.mark.parametrize("name", RECIPES)
def test_what_optax_and_torch_tell_is_what_they_use(name: str) -> None:
    for moved, told in (rates_of_optax(CASES[name][0]), rates_of_torch(CASES[name][0])):
        assert np.array_equal(np.float32(moved), np.float32(told))


# Schedules as pytrees.


@pytest.mark.parametrize(
    ("schedule", "leaves"),
    [
        (fs.constant(0.5), [0.5]),
        (fs.ramp(0.25, 1.0, steps=3, shape=fs.cosine), [0.25, 1.0, 3]),
        (fs.warmup_constant(3, start=0.5), [3, 0.5]),
        (fs.warmup_linear(10, 100), [10, 100, 0.0, 0.0]),
        (fs.warmup_cosine(10, 100, start=0.1, end=0.2, cycles=1.5), [10, 100, 0.1, 0.2]),
        (fs.warmup_cosine_restarts(10, 100, end=0.2, cycles=3), [10, 100, 0.0, 0.2]),
        (fs.scale(fs.constant(0.5), 0.25), [0.5, 0.25]),
        (fs.shift(fs.warmup_constant(3), 2), [3, 0.0, 2]),
        (fs.join([fs.constant(0.5), fs.warmup_constant(3)], [7]), [0.5, 3, 0.0, 7]),
        (fs.lift(halved_after_5), []),
        (to_optax(fs.warmup_linear(10, 100), 0.5), [10, 100, 0.0, 0.0, 0.5]),
    ],
    ids=str,
)
def test_the_numbers_of_a_schedule_are_its_leaves(schedule: Any, leaves: list[float]) -> None:
    assert jax.tree.leaves(schedule) == leaves


@pytest.mark.parametrize(
    ("schedule", "paths"),
    [
        (fs.constant(0.5), [".value"]),
        (fs.ramp(0.25, 1.0, steps=3), [".start", ".stop", ".steps"]),
        (fs.warmup_constant(3), [".warmup_steps", ".start"]),
        (fs.warmup_cosine(10, 100), [".warmup_steps", ".total_steps", ".start", ".end"]),
        (fs.shift(fs.scale(fs.constant(), 0.5), 1), [".schedule.schedule.value", ".schedule.factor", ".steps"]),
        (
            fs.join([fs.constant(0.5), fs.warmup_constant(3)], [7]),
            [".schedules[0].value", ".schedules[1].warmup_steps", ".schedules[1].start", ".boundaries[0]"],
        ),
        (to_optax(fs.constant(), 0.5), [".schedule.value", ".peak_value"]),
    ],
    ids=str,
)
def test_the_leaves_are_named_by_the_arguments(schedule: Any, paths: list[str]) -> None:
    leaves, _ = jax.tree_util.tree_flatten_with_path(schedule)
    assert [jax.tree_util.keystr(path) for path, _ in leaves] == paths


@pytest.mark.parametrize("name", CASES)
def test_a_schedule_rebuilt_from_its_leaves_is_equal(name: str) -> None:
    leaves, structure = jax.tree.flatten(CASES[name][0])
    assert jax.tree.unflatten(structure, leaves) == CASES[name][0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (fs.ramp(0.0, 1.0, steps=3), fs.ramp(0.0, 1.0, steps=3, shape=fs.cosine)),
        (fs.warmup_cosine(1, 9, cycles=0.5), fs.warmup_cosine(1, 9, cycles=1.5)),
        (fs.warmup_cosine_restarts(1, 9, cycles=2), fs.warmup_cosine_restarts(1, 9, cycles=3)),
        (fs.warmup_linear(1, 9), fs.warmup_cosine(1, 9)),
    ],
    ids=str,
)
def test_shapes_and_cycles_belong_to_the_structure(first: Any, second: Any) -> None:
    assert jax.tree.structure(first) != jax.tree.structure(second)


SAME = {
    "warmup_linear": (fs.warmup_linear(10, 100), fs.warmup_linear(3, 7, start=0.25, end=0.5)),
    "warmup_cosine": (fs.warmup_cosine(0, 100), fs.warmup_cosine(3, 7, start=0.25, end=0.5)),
    "restarts": (fs.warmup_cosine_restarts(3, 9, cycles=2), fs.warmup_cosine_restarts(0, 11, end=0.5, cycles=2)),
    "join": (
        fs.join([fs.constant(0.5), fs.ramp(1.0, 0.0, steps=4)], [3]),
        fs.join([fs.constant(1.0), fs.ramp(0.0, 1.0, steps=9)], [5]),
    ),
    "to_optax": (to_optax(fs.warmup_linear(10, 100), 0.5), to_optax(fs.warmup_linear(5, 6, end=1), -1)),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_jit_of_a_function_of_a_schedule_compiles_once_for_one_structure(first: Any, second: Any) -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step))
    function(first, jnp.int32(4))
    function(second, jnp.int32(4))
    assert traces == [1]


@jax.jit
def called(schedule: Any, step: jax.Array) -> jax.Array:
    return schedule(step)


@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 6, 7, 9, 100])
@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_jit_of_a_function_of_a_schedule_gives_the_values_of_each(first: Any, second: Any, step: int) -> None:
    called(first, jnp.int32(4))
    # The twin of 53 bits is the oracle: other tests compare it with exact mathematics.
    assert oracle.ulps(float(called(second, jnp.int32(step))), mpf(second(step)), 24) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_jit_with_two_equal_schedules_as_static_arguments_compiles_once(name: str) -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step), static_argnums=0)
    function(CASES[name][0], jnp.int32(4))
    function(copy.deepcopy(CASES[name][0]), jnp.int32(4))
    assert traces == [1]


# The twin: other numbers as a static argument compile again.
def test_jit_with_two_schedules_as_static_arguments_compiles_twice() -> None:
    traces = []
    function = jax.jit(lambda schedule, step: traces.append(1) or schedule(step), static_argnums=0)
    function(fs.warmup_linear(4, 15), jnp.int32(4))
    function(fs.warmup_linear(4, 16), jnp.int32(4))
    assert traces == [1, 1]


def test_a_schedule_is_carried_through_a_scan() -> None:
    def body(schedule: fs.Schedule, step: jax.Array) -> tuple[fs.Schedule, jax.Array]:
        return schedule, schedule(step)

    schedule = jax.tree.map(jnp.asarray, fs.warmup_linear(4, 8))
    _, values = jax.lax.scan(body, schedule, jnp.arange(10))
    assert values.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


class Halved(fs.Schedule):
    """A schedule of a user's own; see `bridges.jax.register`."""

    __slots__ = fields = ("schedule",)
    factory = "Halved"

    def at(self, step: Any) -> Any:
        return self.schedule.at(step) * 0.5


def test_a_registered_schedule_of_ones_own_is_a_pytree() -> None:
    bridges.jax.register(Halved)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, Halved(fs.constant(0.5)))
    assert doubled == Halved(fs.constant(1.0))


# Sweeps. Levels are floats of 32 bits, exact as such.

SWEEP = [
    # warmup, total, start, end
    (0, 1, 0.0, 0.0),
    (1, 1, 0.25, 0.125),
    (0, 0, 0.5, 0.25),
    (1, 2, 0.0, 0.0),
    (5, 20, 0.1, 0.05),
    (10, 10, 0.0, 0.1),
    (37, 1000, 0.25, 0.0),
    (0, 100, 0.5, 1.0),
    (7, 100, 1.0, 2.0),
    (100, 100_000, 0.0, 1e-3),
    (999, 2**24 - 1, 1e-30, 1e-8),
    (0, 2**24 + 1, 0.0, 0.0),
    (2**24 + 1, 2**27 + 9, 0.0, 0.1),
    (2**24 + 1, 2**31 - 1, 0.3, 0.7),
    (0, 2**31 - 1, 0.5, 0.0),
]
WARMUP, TOTAL, START, END = (np.array(column) for column in zip(*SWEEP, strict=True))
START, END = np.float32(START), np.float32(END)
FAMILIES: dict[str, tuple[Callable[..., fs.Schedule], Callable[..., oracle.Curve]]] = {
    "warmup_constant": (
        lambda w, t, a, b: fs.warmup_constant(w, start=a),
        lambda w, t, a, b: oracle.warmup_constant(w, a),
    ),
    "warmup_linear": (lambda w, t, a, b: fs.warmup_linear(w, t, start=a, end=b), oracle.warmup_linear),
    "warmup_cosine": (lambda w, t, a, b: fs.warmup_cosine(w, t, start=a, end=b), oracle.warmup_cosine),
    "warmup_cosine of 1.5 waves": (
        lambda w, t, a, b: fs.warmup_cosine(w, t, start=a, end=b, cycles=1.5),
        lambda w, t, a, b: oracle.warmup_cosine(w, t, a, b, 1.5),
    ),
    "warmup_cosine_restarts": (
        lambda w, t, a, b: fs.warmup_cosine_restarts(w, t, start=a, end=b, cycles=3),
        lambda w, t, a, b: oracle.warmup_cosine_restarts(w, t, a, b, 3),
    ),
    "ramp of a power": (
        lambda w, t, a, b: fs.ramp(a, b, steps=t, shape=fs.power(1.5)),
        lambda w, t, a, b: oracle.ramp(a, b, t, oracle.power(1.5)),
    ),
}


def sweep_of_arguments(make: Callable, steps: jax.Array, compile: Callable) -> jax.Array:
    """Arrays of arguments, the schedule made inside of vmap."""
    function = jax.vmap(lambda w, t, a, b, step: make(w, t, a, b)(step))
    return compile(function)(jnp.int32(WARMUP), jnp.int32(TOTAL), jnp.asarray(START), jnp.asarray(END), steps)


def sweep_of_a_batch(make: Callable, steps: jax.Array, compile: Callable) -> jax.Array:
    """Schedules of Python numbers, stacked to a batch of schedules."""
    schedules = [make(w, t, float(np.float32(a)), float(np.float32(b))) for w, t, a, b in SWEEP]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *schedules)
    return compile(jax.vmap(lambda schedule, step: schedule(step)))(batch, steps)


SWEEPS = {"arguments": sweep_of_arguments, "batch": sweep_of_a_batch}


LAST = 2**31 - 1  # the largest step of 32 bits


def steps_of(warmup: int, total: int) -> list[int]:
    """The boundaries with their neighbours, steps between them, below and past; as many for each."""
    length = max(total - warmup, 0)
    around = [mark + by for mark in (0, warmup, total) for by in (-2, -1, 0, 1, 2)]
    between = [warmup * k // 7 for k in range(1, 7)] + [warmup + length * k // 13 for k in range(1, 13)]
    return [min(step, LAST) for step in [-100, *around, *between, 2 * total, total + 1000, LAST]]


STEPS = [steps_of(warmup, total) for warmup, total, *_ in SWEEP]


@cache
def swept(family: str, sweep: str, compile: str) -> list[list[float]]:
    return SWEEPS[sweep](FAMILIES[family][0], jnp.array(STEPS, jnp.int32), COMPILE[compile]).tolist()


@cache
def exactly_swept(family: str) -> list[list[mpf]]:
    curves = [FAMILIES[family][1](w, t, float(a), float(b)) for (w, t, *_), a, b in zip(SWEEP, START, END, strict=True)]
    return [[curve(max(step, 0)) for step in steps] for curve, steps in zip(curves, STEPS, strict=True)]


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("row", range(len(SWEEP)), ids=[str(numbers) for numbers in SWEEP])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_through_vmap_gives_the_values_of_each_schedule(
    family: str, row: int, sweep: str, compile: str
) -> None:
    values, exact = swept(family, sweep, compile)[row], exactly_swept(family)[row]
    errors = [(oracle.ulps(v, e, 24), s, v, float(e)) for v, e, s in zip(values, exact, STEPS[row], strict=True)]
    assert max(errors)[0] <= TOLERANCE, max(errors)


def declared(family: str, warmup: int, total: int, start: float, end: float) -> dict[int, float]:
    """What is declared at the boundaries and outside of them; an absent phase declares nothing."""
    if family == "warmup_constant":
        first = start if warmup else 1.0
        return {-100: first, -1: first, 0: first, warmup: 1.0, warmup + 1: 1.0, LAST: 1.0}
    first = start if total else end
    if family == "ramp of a power":
        return {-100: first, -1: first, 0: first, total: end, min(total + 1, LAST): end, LAST: end}
    if warmup == 0 < total:
        first = 1.0
    middle = 1.0 if warmup < total else end
    return {-100: first, -1: first, 0: first, warmup: middle, total: end, min(total + 1, LAST): end, LAST: end}


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("row", range(len(SWEEP)), ids=[str(numbers) for numbers in SWEEP])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_through_vmap_is_exact_at_every_boundary(family: str, row: int, sweep: str, compile: str) -> None:
    found = dict(zip(STEPS[row], swept(family, sweep, compile)[row], strict=True))
    levels = declared(family, *SWEEP[row])
    assert {step: found[step] for step in levels} == {step: np.float32(level) for step, level in levels.items()}


@pytest.mark.parametrize("compile", COMPILE)
@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_through_vmap_is_never_negative(family: str, sweep: str, compile: str) -> None:
    assert np.min(swept(family, sweep, compile)) >= 0


def test_a_sweep_over_horizons_compiles_once() -> None:
    traces = []

    @jax.jit
    def value(total: jax.Array) -> jax.Array:
        traces.append(1)
        return fs.warmup_cosine(10, total)(jnp.int32(50))

    for total in (100, 1000, 10**9):
        value(jnp.int32(total))
    assert traces == [1]


# Gradients.

KNOBS = ["warmup", "total", "start", "end"]
SMALL = [
    (5, 20, 0.1, 0.3),
    (0, 20, 0.5, 0.0),
    (20, 20, 0.0, 0.25),
    (0, 0, 0.0, 0.0),
    (1, 2, 1.0, 1.0),
    (3, 9, 0.0, 1.0),
]
GRID = [-1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 19, 20, 21, 40, 1000]


def slopes(make: Callable, numbers: tuple[float, ...], knobs: tuple[int, ...], steps: list[int]) -> dict[int, Any]:
    """The derivative by each knob at every step, with all knobs of `knobs` traced and the others Python numbers."""

    def value(traced: tuple[Any, ...], step: jax.Array) -> jax.Array:
        mixed = list(numbers)
        for knob, number in zip(knobs, traced, strict=True):
            mixed[knob] = number
        return make(*mixed)(step)

    traced = tuple(float(numbers[knob]) for knob in knobs)
    found = jax.vmap(jax.grad(value), in_axes=(None, 0))(traced, jnp.array(steps))
    return dict(zip(knobs, found, strict=True))


@pytest.mark.parametrize("numbers", SMALL, ids=str)
@pytest.mark.parametrize("knobs", [(0, 1), (2, 3)], ids=["lengths", "levels"])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_by_some_numbers_are_finite_at_every_step(
    family: str, knobs: tuple[int, ...], numbers: tuple[float, ...]
) -> None:
    found = slopes(FAMILIES[family][0], numbers, knobs, GRID)
    assert all(np.isfinite(slope).all() for slope in found.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_by_all_numbers_are_finite_at_every_step(family: str) -> None:
    make, _ = FAMILIES[family]
    slope = jax.grad(lambda numbers, step: make(*numbers)(step))
    grid = jax.jit(jax.vmap(jax.vmap(slope, (None, 0)), (0, None)))
    numbers = tuple(jnp.array(column, jnp.float32) for column in zip(*SMALL, strict=True))
    assert all(np.isfinite(found).all() for found in grid(numbers, jnp.array(GRID)))


@pytest.mark.parametrize("shape", [fs.linear, fs.cosine, fs.power(0.5), fs.power(2), fs.power(3.5)], ids=repr)
@pytest.mark.parametrize("steps", [0.0, 5.0])
@pytest.mark.parametrize("levels", [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)], ids=str)
def test_gradients_of_a_ramp_are_finite_at_every_step(levels: tuple[float, float], steps: float, shape: Any) -> None:
    def value(start: Any, stop: Any, steps: Any, step: Any) -> Any:
        return fs.ramp(start, stop, steps=steps, shape=shape)(step)

    found = jax.vmap(jax.grad(value, (0, 1, 2)), (None, None, None, 0))(*levels, steps, jnp.array(GRID))
    assert all(np.isfinite(slope).all() for slope in found)


@pytest.mark.parametrize("numbers", SMALL, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_by_a_float_step_are_finite_at_every_step(family: str, numbers: tuple[float, ...]) -> None:
    schedule = FAMILIES[family][0](*numbers)
    assert np.isfinite(jax.vmap(jax.grad(schedule))(jnp.array(GRID, jnp.float32))).all()


LINES = [(5, 20, 0.1, 0.3), (5, 20, 0.0, 0.0), (7, 100, 1.0, 1.0), (5, 20, 2.0, 3.0)]
INSIDE = [1, 2, 4, 6, 8, 9, 10, 12, 19]  # at the boundaries a line has no derivative


def slope_of_linear(knob: int, numbers: tuple[float, ...], step: int) -> mpf:
    """The derivative of warmup_linear between its boundaries."""
    w, t, a, b = (mpf(float(np.float32(number))) for number in numbers)
    if step < w:
        return [-(1 - a) * step / w**2, mpf(0), 1 - step / w, mpf(0)][knob]
    length = t - w
    return [(1 - b) * (t - step) / length**2, (1 - b) * (step - w) / length**2, mpf(0), (step - w) / length][knob]


# By a level the derivative is a weight, a handful of roundings in float32. By a length it is the difference of terms of
# at most 1 / length, times the levels: these are what it is accurate to.
@pytest.mark.parametrize("numbers", LINES, ids=str)
@pytest.mark.parametrize("together", [False, True], ids=["alone", "with all others"])
@pytest.mark.parametrize("knob", range(4), ids=KNOBS)
def test_the_gradient_of_warmup_linear_is_its_derivative(knob: int, together: bool, numbers: tuple[float, ...]) -> None:
    warmup, total, start, end = numbers
    found = slopes(FAMILIES["warmup_linear"][0], numbers, (0, 1, 2, 3) if together else (knob,), INSIDE)[knob]
    exact = np.array([float(slope_of_linear(knob, numbers, step)) for step in INSIDE])
    lengths = [(1 + start) / warmup if step < warmup else (1 + end) / (total - warmup) for step in INSIDE]
    # The gradient by a level is its weight, and that of the lower level is what the other leaves of 1.
    terms = np.float32(lengths if knob < 2 else np.ones(len(exact)))
    assert (np.abs(found - exact) <= 8 * np.spacing(terms)).all(), list(zip(INSIDE, found, exact, strict=True))


@pytest.mark.parametrize("step", [6, 8, 10, 12, 15, 19])
@pytest.mark.parametrize("name", ["warmup_cosine", "warmup_cosine_restarts"])
def test_the_gradient_by_the_end_of_a_cosine_is_its_weight(name: str, step: int) -> None:
    slope = jax.grad(lambda end: getattr(fs, name)(5, 20, end=end)(jnp.int32(step)))(0.25)
    exact = getattr(oracle, name)(5, 20, 0.0, 1.0)(step) - getattr(oracle, name)(5, 20, 0.0, 0.0)(step)
    # The end is the lower level, and its weight what the other leaves of 1.
    assert abs(float(slope) - float(exact)) <= 4 * np.spacing(np.float32(0.5))


# Training loops.


def loss(weight: jax.Array) -> jax.Array:
    return jnp.sum((weight - jnp.array([1.0, -2.0, 3.0])) ** 2)


@pytest.mark.parametrize("name", CASES)
def test_a_scanned_training_loop_uses_the_rates_of_the_exact_schedule(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=to_optax(schedule, PEAK))

    def update(carry: tuple[jax.Array, Any], _: None) -> tuple[tuple[jax.Array, Any], jax.Array]:
        weight, state = carry
        change, state = optimizer.update(jax.grad(loss)(weight), state)
        return (optax.apply_updates(weight, change), state), state.hyperparams["learning_rate"]

    weight = jnp.zeros(3)
    _, used = jax.lax.scan(update, (weight, optimizer.init(weight)), length=UPDATES)
    assert worst(used.tolist(), exact) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_a_scan_over_steps_gives_the_values_of_eager_calls(name: str) -> None:
    schedule, exact = CASES[name]
    _, scanned = jax.lax.scan(lambda carry, step: (carry, schedule(step)), None, jnp.arange(UPDATES))
    eager = [float(schedule(jnp.int32(step))) for step in range(UPDATES)]
    assert max(worst(scanned.tolist(), exact, 1.0), worst(eager, exact, 1.0)) <= TOLERANCE


@pytest.mark.parametrize("name", CASES)
def test_a_scan_over_steps_equals_eager_calls_at_every_boundary(name: str) -> None:
    schedule, _ = CASES[name]
    steps = [0, 3, 4, 9, 13, 15, 16]
    _, scanned = jax.lax.scan(lambda carry, step: (carry, schedule(step)), None, jnp.array(steps))
    boundaries = [i for i, step in enumerate(steps) if step in {"join": (0, 3, 9, 13)}.get(name, (0, 4, 15, 16))]
    eager = [float(schedule(jnp.int32(steps[i]))) for i in boundaries]
    assert [float(scanned[i]) for i in boundaries] == eager


def test_a_shape_written_for_single_numbers_runs_outside_of_jit() -> None:
    ramp = fs.ramp(0.0, 1.0, steps=8, shape=lambda u: u if u < 0.5 else 1.0)
    assert [float(to_optax(ramp)(jnp.int32(count))) for count in (2, 4)] == [0.25, 1.0]
