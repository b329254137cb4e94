"""Schedules on the arrays of Paddle, MLX, TensorFlow and tinygrad: cases, other dtypes, and compiled functions."""

import os
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


def faults(make: Any, every: int = 1) -> dict[str, list[str]]:
    """The violated guarantees, by case."""
    backend = Backend("", lambda steps: make(np.asarray(steps, np.int64)), 24)
    found = {}
    for case in [*CASES, *LONG][::every]:
        [(converted, values)] = backend.values([(case.schedule, steps(case, backend))])
        found[case.text] = measure(case, backend, converted, values).faults(case)
    return {text: messages for text, messages in found.items() if messages}


@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_mlx() -> None:
    mx = pytest.importorskip("mlx.core", reason=REASON)
    assert faults(mx.array) == {}
    for function in (COSINE, mx.compile(COSINE)):
        values = function(mx.array(STEPS))
        assert values.dtype == mx.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(mx.array(5)).shape == () and COSINE(mx.array([[5, 10]])).shape == (1, 2)
    assert mx.grad(lambda step: COSINE(step).sum())(mx.array([5.0, 200.0])).tolist() == pytest.approx([0.1, 0.0])
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got float16"):
        COSINE(mx.array([1.0], dtype=mx.float16))


@pytest.mark.filterwarnings("ignore")
def test_paddle() -> None:
    paddle = pytest.importorskip("paddle", reason=REASON)
    assert faults(paddle.to_tensor) == {}
    for function in (COSINE, paddle.jit.to_static(lambda step: COSINE(step))):
        values = function(paddle.to_tensor(STEPS))
        assert values.dtype == paddle.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(paddle.to_tensor(5)).shape == []
    wide = COSINE(paddle.to_tensor([55.0], dtype="float64"))
    assert wide.dtype == paddle.float64 and wide.item() == pytest.approx(COSINE(55), rel=1e-15)
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got bfloat16"):
        COSINE(paddle.to_tensor([1.0], dtype="bfloat16"))


@pytest.mark.filterwarnings("ignore")
def test_tensorflow_and_keras_on_it(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow", reason=REASON)
    assert faults(tf.constant, every=2) == {}
    for function in (COSINE, tf.function(lambda step: COSINE(step), jit_compile=True)):
        values = function(tf.constant(STEPS, tf.int64))
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
    assert faults(tinygrad.Tensor, every=4) == {}
    values = COSINE(tinygrad.Tensor(STEPS))
    assert values.dtype == tinygrad.dtypes.float32 and values.tolist() == pytest.approx(VALUES, rel=1e-7)
    assert COSINE(tinygrad.Tensor(5)).shape == ()
    compiled = tinygrad.TinyJit(lambda step: COSINE(step).realize())
    found = [compiled(tinygrad.Tensor([step]).realize()).item() for step in STEPS]
    assert found == pytest.approx(VALUES, rel=1e-7)
    with pytest.raises(TypeError, match="`step` must be an integer or a float of at least 32 bits, got float16"):
        COSINE(tinygrad.Tensor([1.0]).half())
