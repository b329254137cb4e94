"""`to_keras` in real training runs of Keras, on the JAX backend here and on the torch backend in another process."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcsched as fs
from tests import peers
from tests.errors import raises

peers.keras()  # selects the backend JAX
import keras  # noqa: E402

import bridges.keras as ours  # noqa: E402
from bridges.keras.to_keras import keras_schedule_class  # noqa: E402

# numpy warns about how Keras saves the variables of JAX.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).parents[2]
SCHEDULE = fs.warmup_cosine(3, 12, end=0.1)
PEAK = 0.3
# A schedule is within 4 ulp in float32. The product rounds once more, and so does the peak.
TOLERANCE = 6 * 2.0**-24 * 2


class Rates(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the learning rate of every update."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.values: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.values.append(float(self.model.optimizer.learning_rate))


def fitted(model: Any) -> list[float]:
    """The rates of 8 updates."""
    recorded, inputs = Rates(), np.ones((8, 1), np.float32)
    model.fit(inputs, inputs, batch_size=1, verbose=0, callbacks=[recorded])
    return recorded.values


def run(path: str) -> list[float]:
    """Train for 8 updates, save and load the model, and train for 8 more."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(ours.to_keras(SCHEDULE, PEAK)), loss="mse")
    rates = fitted(model)
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert loaded.optimizer is not model.optimizer
    return rates + fitted(loaded)


def assert_rates(rates: list[float]) -> None:
    assert rates == pytest.approx([PEAK * SCHEDULE(step) for step in range(16)], rel=TOLERANCE, abs=0)


def test_a_run_on_jax_with_a_saved_model(tmp_path: Path) -> None:
    assert keras.config.backend() == "jax"
    assert_rates(run(str(tmp_path / "m.keras")))


def test_a_run_on_torch_with_a_saved_model(tmp_path: Path) -> None:
    code = f"""
import json, sys
import bridges.keras
assert not {{"keras", "jax", "torch"}} & set(sys.modules)
from bridges.keras import KerasSchedule
from tests.bridges.test_keras_to_keras import run
import keras
assert keras.config.backend() == "torch"
print(json.dumps(run({str(tmp_path / "m.keras")!r})))
"""
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert_rates(json.loads(done.stdout.splitlines()[-1]))


def test_config_round_trip() -> None:
    rate = ours.to_keras(SCHEDULE, PEAK)
    assert isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    assert rate.get_config() == {"schedule": fs.to_dict(SCHEDULE), "peak_value": PEAK}
    data = json.loads(json.dumps(keras.optimizers.schedules.serialize(rate)))
    assert data["registered_name"] == "funcsched>KerasSchedule"
    loaded = keras.optimizers.schedules.deserialize(data)
    for copied in (loaded, pickle.loads(pickle.dumps(rate))):
        assert (type(copied), copied.schedule, copied.peak_value) == (ours.KerasSchedule, SCHEDULE, PEAK)


def test_steps_are_numbers_arrays_or_variables() -> None:
    rate = ours.to_keras(SCHEDULE, PEAK)
    assert rate(5) == PEAK * SCHEDULE(5)
    variable = keras.Variable(5, dtype="int32")
    assert float(rate(variable)) == float(rate(variable.value)) == pytest.approx(PEAK * SCHEDULE(5), rel=TOLERANCE)


def test_a_model_with_a_function_in_its_schedule_cannot_be_saved() -> None:
    with pytest.raises(TypeError, match="to_dict"):
        ours.to_keras(fs.lift(lambda step: 1.0), PEAK).get_config()


def test_invalid_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    with raises("to_keras", "peak_value", "a finite number above 0", 0.0, ValueError):
        ours.to_keras(SCHEDULE, 0.0)
    with pytest.raises(TypeError, match="to_keras: `schedule` must be"):
        ours.to_keras("warmup_cosine(3, 12)", PEAK)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match=r"module 'bridges\.keras' has no attribute 'to_kera'"):
        ours.to_kera  # noqa: B018
    monkeypatch.setitem(sys.modules, "keras", None)
    keras_schedule_class.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="; install it with: pip install keras"):
        ours.to_keras(SCHEDULE, PEAK)
