"""The dtype of the results of `to_optax`: what they promote, compared with optax's own schedules, and `dtype`."""

import pickle
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import funcsched as fs
from bridges.optax import to_optax
from tests import oracle
from tests.bridges.optax.curves import COMPILE
from tests.errors import exactly

# Promotion. Some schedules of optax are weakly typed, like a Python float. Others are float32, or float64 under x64.

OURS = {
    "warmup_cosine": to_optax(fs.warmup_cosine(2, 9), 0.5),
    "constant": to_optax(fs.constant(), 0.5),
    "piecewise_constant": to_optax(fs.piecewise_constant([2], levels=[1.0, 0.1]), 0.5),
    "function": to_optax(lambda count: jnp.where(count < 3, 0.5, 0.25), 1),
}
WEAK = {
    "constant_schedule": optax.constant_schedule(0.5),
    "cosine_decay_schedule": optax.cosine_decay_schedule(0.5, 9),
    "piecewise_constant_schedule": optax.piecewise_constant_schedule(0.5, {3: 0.5}),
}
OTHERS = {
    "linear_schedule": optax.linear_schedule(0.0, 0.5, 9),
    "exponential_decay": optax.exponential_decay(0.5, 9, 0.1),
    "warmup_cosine_decay_schedule": optax.warmup_cosine_decay_schedule(0.0, 0.5, 2, 9),
    "cosine_onecycle_schedule": optax.cosine_onecycle_schedule(9, 0.5),
}


def injected(rate: Any) -> optax.GradientTransformation:
    return optax.inject_hyperparams(optax.sgd)(learning_rate=rate)


def groups(rate: Any) -> optax.GradientTransformation:
    labels = {"direct": optax.sgd(rate), "injected": injected(rate)}
    return optax.multi_transform(labels, {"first": "direct", "second": "injected"})


USES: dict[str, Callable[[Any], Any]] = {
    "direct": optax.sgd,
    "adamw": lambda rate: optax.inject_hyperparams(optax.adamw)(rate, weight_decay=rate, b1=rate),
    "inject_hyperparams": injected,
    "scale_by_schedule": optax.scale_by_schedule,
    "multi_transform": groups,
    "MultiSteps": lambda rate: optax.MultiSteps(injected(rate), every_k_schedule=2),
}
# The dtypes of two parameters, and whether x64 is enabled.
PARAMETERS = [
    ("bfloat16", "bfloat16", False),
    ("bfloat16", "float32", False),
    ("float32", "float32", False),
    ("bfloat16", "bfloat16", True),
    ("bfloat16", "float64", True),
    ("float32", "float32", True),
    ("float64", "float64", True),
]


def traced(function: Callable) -> Callable:
    return lambda *arguments: jax.eval_shape(function, *arguments)


def updates_and_states(rate: Any, first: str, second: str, compile: Callable) -> dict[str, Any]:
    """The dtype and the weak type of everything that two updates of each optimizer return."""
    params = {"first": jnp.ones(2, first), "second": jnp.ones(2, second)}
    optimizers = {use: make(rate) for use, make in USES.items()}

    def update(states: Any) -> Any:
        return {use: optimizers[use].update(params, state, params) for use, state in states.items()}

    update, states = compile(update), {use: optimizer.init(params) for use, optimizer in optimizers.items()}
    for _ in range(2):
        results = update(states)
        states = {use: state for use, (_, state) in results.items()}
    return jax.tree.map(lambda array: (str(array.dtype), array.weak_type), results)


def dtypes_of_updates(results: dict[str, Any]) -> dict[str, list[str]]:
    is_pair = lambda leaf: isinstance(leaf, tuple) and isinstance(leaf[0], str)  # noqa: E731
    return {
        use: [dtype for dtype, _ in jax.tree.leaves(updates, is_leaf=is_pair)] for use, (updates, _) in results.items()
    }


@pytest.mark.parametrize(("first", "second", "x64"), PARAMETERS)
def test_updates_and_states_have_the_dtypes_that_weakly_typed_schedules_of_optax_give(
    first: str, second: str, x64: bool
) -> None:
    with jax.enable_x64(x64):
        expected = updates_and_states(WEAK["cosine_decay_schedule"], first, second, traced)
        for name, rate in {**WEAK, **OURS}.items():
            assert updates_and_states(rate, first, second, traced) == expected, name
        for name, compile in COMPILE.items():
            assert updates_and_states(OURS["warmup_cosine"], first, second, compile) == expected, name


# With parameters of two dtypes, `inject_hyperparams` gives a weakly typed schedule the wider one.
@pytest.mark.parametrize(("dtype", "x64"), [(first, x64) for first, second, x64 in PARAMETERS if first == second])
def test_no_schedule_of_optax_gives_narrower_updates(dtype: str, x64: bool) -> None:
    with jax.enable_x64(x64):
        ours = dtypes_of_updates(updates_and_states(OURS["warmup_cosine"], dtype, dtype, traced))
        assert ours == {use: [dtype, dtype] for use in USES}
        for name, rate in OTHERS.items():
            theirs = dtypes_of_updates(updates_and_states(rate, dtype, dtype, traced))
            wider = {use: [str(jnp.promote_types(dtype, width)) for width in theirs[use]] for use in USES}
            assert wider == theirs, name


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
def test_under_x64_float64_updates_use_a_float64_rate(compile: Callable) -> None:
    exact = oracle.warmup_cosine(2, 9)
    with jax.enable_x64(True):
        parameter, optimizer = jnp.float64(0.0), injected(to_optax(fs.warmup_cosine(2, 9), 0.3))
        state, update = optimizer.init(parameter), compile(optimizer.update)
        for step in range(10):
            change, state = update(jnp.float64(1.0), state, parameter)
            assert oracle.ulps(-float(change), 0.3 * exact(step), 53) <= 5
            assert state.hyperparams["learning_rate"] == -change


@pytest.mark.parametrize("compile", COMPILE.values(), ids=COMPILE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_float_count_gives_a_strongly_typed_rate(dtype: str, compile: Callable) -> None:
    with jax.enable_x64(True):
        rate = compile(OURS["warmup_cosine"])(jnp.asarray(3, dtype))
    assert rate.dtype == dtype and not rate.weak_type


# The integers of an integer dtype. A ramp of batch sizes has ties, which JAX without x64 misses by one rounding.

KINDS: dict[str, Callable[[Any, int], Any]] = {
    "Python": lambda rate, count: rate(count),
    "NumPy": lambda rate, count: rate(np.int64(count)),
    "JAX": lambda rate, count: rate(jnp.int32(count)),
    "jit": lambda rate, count: jax.jit(rate)(jnp.int32(count)),
}
RESULTS = {"Python": int, "NumPy": np.int32, "JAX": jax.Array, "jit": jax.Array}


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_integer_dtype_rounds_to_the_nearest_integer_and_ties_to_even(kind: str, x64: bool) -> None:
    with jax.enable_x64(x64):
        ramp = to_optax(fs.ramp(1, 4, steps=6), 1, dtype=jnp.int32)  # 1, 1.5, 2, 2.5, 3, 3.5, 4
        values = [KINDS[kind](ramp, count) for count in range(8)]
        assert values == [1, 2, 2, 2, 3, 4, 4, 4]
        assert all(isinstance(value, RESULTS[kind]) for value in values)
        assert "J" not in kind.upper() or {(value.dtype.name, value.weak_type) for value in values} == {
            ("int32", False)
        }
        below_0 = to_optax(fs.ramp(1, 0, steps=4), -3, dtype="int8")  # -3, -2.25, -1.5, -0.75, 0
        assert [KINDS[kind](below_0, count) for count in range(5)] == [-3, -2, -2, -1, 0]


def test_ramps_of_batch_sizes_are_the_same_integers_in_every_library() -> None:
    compiled = jax.jit(lambda rate, counts: rate(counts))
    for start, stop, steps, peak in [(1, 64, 96, 1), (8, 61, 1000, 1), (57, 2, 30, 1), (1, 0, 96, 48), (0, 1, 12, 7.5)]:
        rate = to_optax(fs.ramp(start, stop, steps=steps), peak, dtype=jnp.int32)
        exact = [
            round(Fraction(peak) * (start + Fraction((stop - start) * count, steps))) for count in range(steps + 1)
        ]
        assert [rate(count) for count in range(steps + 1)] == exact
        for counts in (np.arange(steps + 1), jnp.arange(steps + 1)):
            assert rate(counts).tolist() == exact and rate(counts).dtype == jnp.int32
        assert compiled(rate, jnp.arange(steps + 1)).tolist() == exact


def test_integers_are_exact_at_boundaries() -> None:
    levels = [2**24, 2**24 - 1, 1, 12_345_678]
    rate = to_optax(fs.piecewise_constant([10, 20, 30], levels=levels), 1, dtype=jnp.int32)
    counts = [0, 9, 10, 19, 20, 29, 30, 10**6]
    expected = [level for level in levels for _ in range(2)]
    for kind, call in KINDS.items():
        assert [call(rate, count) for count in counts] == expected, kind
    assert to_optax(fs.constant(), 2**40 + 1, dtype="int64")(0) == 2**40 + 1


@pytest.mark.parametrize(
    ("schedule", "sizes", "compile", "x64"),
    [
        (fs.piecewise_constant([3, 5], levels=[1, 2, 4]), [1, 1, 1, 2, 2, 4, 4], jax.jit, False),
        (fs.ramp(1, 4, steps=6), [1, 2, 2, 2, 3, 4, 4], jax.jit, True),
        (fs.ramp(1, 3, steps=2), [1, 2, 3, 3], COMPILE["eager"], False),
    ],
    ids=["jit", "jit, x64", "eager"],
)
def test_multi_steps_accumulates_the_number_of_batches_of_an_integer_schedule(
    schedule: Any, sizes: list[int], compile: Callable, x64: bool
) -> None:
    with jax.enable_x64(x64):
        parameter = jnp.float32(0.0)
        optimizer = optax.MultiSteps(optax.sgd(1.0), every_k_schedule=to_optax(schedule, 1, dtype=jnp.int32))
        state, update, last_batches = optimizer.init(parameter), compile(optimizer.update), []
        for batch in range(sum(sizes)):
            change, state = update(jnp.float32(1.0), state, parameter)
            if change:
                last_batches.append(batch)
        assert last_batches == (np.cumsum(sizes) - 1).tolist() and state.gradient_step == len(sizes)
        assert state.mini_step.dtype == state.gradient_step.dtype == jnp.int32


@pytest.mark.parametrize("kind", ["Python", "NumPy", "JAX"])
@pytest.mark.parametrize(
    ("peak", "dtype", "count"),
    [(127.6, "int8", 4), (-1, "uint8", 4), (2.0**31, "int32", 4), (1e30, "int64", 9), (128, "int8", 10**9)],
)
def test_a_concrete_value_that_the_dtype_cannot_represent_is_an_error(
    peak: float, dtype: str, count: int, kind: str
) -> None:
    rate = to_optax(fs.warmup_constant(4), peak, dtype=dtype)
    assert KINDS[kind](rate, 0) == 0
    with pytest.raises(ValueError, match="to_optax: `dtype` must be a dtype that can represent the value "):
        KINDS[kind](rate, count)


def test_the_error_of_a_value_out_of_range_names_the_value_and_the_dtype() -> None:
    message = "to_optax: `dtype` must be a dtype that can represent the value 256.0, got 'uint8'"
    with pytest.raises(ValueError, match=exactly(message)):
        to_optax(fs.ramp(0, 1, steps=4), 256, dtype=jnp.uint8)(np.arange(9))
    with pytest.raises(ValueError, match="the value nan, got 'int32'"):
        to_optax(fs.warmup_linear(4, 8), 8, dtype=jnp.int32)(float("nan"))


# Float dtypes.


@pytest.mark.parametrize("dtype", [jnp.bfloat16, "float16", np.float32, "float64"], ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_a_float_dtype_casts_the_rate_once(kind: str, dtype: Any) -> None:
    with jax.enable_x64(True):
        rate = KINDS[kind](to_optax(fs.ramp(0, 1, steps=4), 0.3, dtype=dtype), 1)
        assert float(rate) == float(np.asarray(0.075).astype(jnp.dtype(dtype)))
        assert type(rate) is float if kind == "Python" else rate.dtype == dtype
        assert "J" not in kind.upper() or not rate.weak_type


def test_without_x64_64_bits_are_32_bits() -> None:
    assert to_optax(fs.constant(), 3, dtype=float)(jnp.int32(0)).dtype == jnp.float32
    assert to_optax(fs.constant(), 3, dtype=int)(jnp.int32(0)).dtype == jnp.int32


# The argument.


@pytest.mark.parametrize("dtype", [bool, complex, "int33", 32, "U8", {"a": 1}, fs.constant(), np.longdouble], ids=repr)
def test_a_dtype_that_is_neither_an_integer_nor_a_float_is_rejected(dtype: Any) -> None:
    message = f"to_optax: `dtype` must be an integer or float dtype of JAX, or None, got {dtype!r}"
    with pytest.raises(TypeError, match=exactly(message)):
        to_optax(fs.constant(), 1, dtype=dtype)


def test_the_dtype_is_part_of_the_value() -> None:
    rate = to_optax(fs.constant(), 2, dtype=jnp.int32)
    assert repr(rate) == "to_optax(schedule=constant(), peak_value=2.0, dtype='int32')"
    assert rate == to_optax(fs.constant(), 2, dtype="int32") == pickle.loads(pickle.dumps(rate))
    assert rate != to_optax(fs.constant(), 2) and rate != to_optax(fs.constant(), 2, dtype=jnp.int16)
    assert jax.tree.leaves(rate) == [1.0, 2.0] and jax.tree.map(lambda leaf: leaf, rate) == rate


def test_an_integer_result_is_not_committed_to_a_device() -> None:
    """A committed array cannot be combined with arrays on other devices, as in a MultiSteps of sharded parameters."""
    size = to_optax(fs.ramp(1, 8, steps=100), peak_value=1, dtype=jnp.int32)
    assert not size(jnp.int32(5)).committed
    device = jax.devices()[0]
    assert size(jax.device_put(jnp.int32(5), device)).committed
