"""Schedules on the arrays of Paddle, MLX, TensorFlow and tinygrad: cases, other dtypes, and compiled functions."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcsched as fs
from tests.accuracy import measure, steps
from tests.backends import Backend
from tests.cases import CASES, LONG

REASON = "run by python tests/other_arrays.py"
COSINE = fs.warmup_cosine(10, 100, end=0.1)
STEPS = [-1, 0, 5, 10, 55, 100, 1000]
VALUES = [0.0, 0.0, 0.5, 1.0, 0.55, 0.1, 0.1]


BITS = {"int64": 24, "float32": 24, "float64": 53}  # of the result, by dtype of the step


def faults(
    array: Any, compiled: Any = lambda schedule: schedule, dtypes: Any = BITS, every: int = 1, ulps: float = 4
) -> dict[tuple[str, str], list[str]]:
    """The violated guarantees, by case and dtype of the step. `array` makes one of the library from one of NumPy."""
    found = {}
    for k, dtype in enumerate(dtypes):
        backend = Backend(
            dtype,
            lambda steps, dtype=dtype: array(np.asarray(steps, dtype)),  # type: ignore[misc]
            BITS[dtype],
            lambda schedules, arrays: [compiled(schedules[0])(arrays[0])],
            exact_steps=dtype != "float32",
        )
        for case in [*CASES, *LONG][k % every :: every]:
            [(converted, values)] = backend.values([(case.schedule, steps(case, backend))])
            accuracy = measure(case, backend, converted, values)
            found[case.text, dtype] = accuracy.faults(replace(case, ulps=max(case.ulps, ulps)))
    return {key: messages for key, messages in found.items() if messages}


def function_of(schedule: Any) -> Any:
    """A schedule called in a function, as in a training step."""

    def function(step: Any) -> Any:
        return schedule(step)

    return function


@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_mlx() -> None:
    mx = pytest.importorskip("mlx.core", reason=REASON)

    def array(steps: Any) -> Any:
        return mx.array(steps, dtype=getattr(mx, steps.dtype.name))  # by default, float64 becomes float32

    assert faults(array) == {}
    assert faults(array, mx.compile, every=24) == {}
    values = COSINE(mx.array(STEPS))
    assert values.dtype == mx.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(mx.array(5)).shape == () and COSINE(mx.array([[5, 10]])).shape == (1, 2)
    assert mx.grad(lambda step: COSINE(step).sum())(mx.array([5.0, 200.0])).tolist() == pytest.approx([0.1, 0.0])
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got float16"):
        COSINE(mx.array([1.0], dtype=mx.float16))


@pytest.mark.filterwarnings("ignore")
def test_paddle() -> None:
    paddle = pytest.importorskip("paddle", reason=REASON)
    assert faults(paddle.to_tensor) == {}
    values = COSINE(paddle.to_tensor(STEPS))
    assert values.dtype == paddle.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    for schedule in (COSINE, fs.constant(), fs.multistep([30, 60])):
        static = paddle.jit.to_static(function_of(schedule), full_graph=True)
        for dtype in BITS:
            with pytest.raises(TypeError, match="its static graphs round Python numbers to float32; call the schedule"):
                static(paddle.to_tensor(STEPS, dtype=dtype))
    assert COSINE(paddle.to_tensor(5)).shape == []
    assert COSINE(paddle.to_tensor([55.0], dtype="float64")).dtype == paddle.float64
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got bfloat16"):
        COSINE(paddle.to_tensor([1.0], dtype="bfloat16"))


@pytest.mark.filterwarnings("ignore")
def test_tensorflow_and_keras_on_it(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow", reason=REASON)
    assert faults(tf.constant) == {}
    assert faults(tf.constant, lambda s: tf.function(function_of(s), jit_compile=True), every=12) == {}
    # Without jit_compile, TensorFlow rewrites x * a + x * b as x * (a + b), which loses the digits of the smaller term.
    assert faults(tf.constant, lambda s: tf.function(function_of(s)), every=12, ulps=5) == {}
    values = COSINE(tf.constant(STEPS, tf.int64))
    assert values.dtype == tf.float32 and values.numpy().tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(tf.Variable(5)).shape == () and COSINE(tf.constant([55.0], tf.float64)).dtype == tf.float64

    os.environ["KERAS_BACKEND"] = "tensorflow"
    keras = pytest.importorskip("keras", reason=REASON)
    assert keras.config.backend() == "tensorflow"
    from bridges.keras import KerasSchedule, to_keras

    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(to_keras(COSINE, 0.5)), "mse")
    x, y = np.ones((55, 2)), np.ones((55, 1))
    model.fit(x, y, batch_size=1, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5 * 0.55, rel=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer._learning_rate, KerasSchedule)
    again.fit(x[:45], y[:45], batch_size=1, verbose=0)
    assert float(again.optimizer.learning_rate) == pytest.approx(0.05, rel=1e-6)


def test_tinygrad() -> None:
    tinygrad = pytest.importorskip("tinygrad", reason=REASON)

    def compiled(schedule: Any) -> Any:
        jit = tinygrad.TinyJit(lambda step: schedule(step).realize())

        def third_call(step: Any) -> Any:  # the first two calls run the function and capture its kernels
            jit((step * 0).realize()), jit((step * 0).realize())
            return jit(step)

        return third_call

    def array(steps: Any) -> Any:
        return tinygrad.Tensor(steps).realize()

    assert faults(array, dtypes=["int64", "float32"], every=4) == {}
    assert faults(array, compiled, ["int64", "float32"], every=24) == {}
    values = COSINE(tinygrad.Tensor(STEPS))
    assert values.dtype == tinygrad.dtypes.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(tinygrad.Tensor(5)).shape == ()
    with pytest.raises(TypeError, match="`step` must be an integer or a float32 in tinygrad"):
        COSINE(tinygrad.Tensor([1.0], dtype=tinygrad.dtypes.float64))
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got float16"):
        COSINE(tinygrad.Tensor([1.0]).half())
