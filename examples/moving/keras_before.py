"""Training in Keras with one of its schedules.

Run it: KERAS_BACKEND=jax python examples/moving/keras_before.py
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

UPDATES = 40


class Rates(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the learning rate of every update."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.values.append(float(self.model.optimizer.learning_rate))


def rates() -> list[float]:
    """Train a small model. Return the learning rate of every update."""
    rate = keras.optimizers.schedules.CosineDecay(0.0, UPDATES - 4, alpha=0.1, warmup_target=0.05, warmup_steps=4)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
    inputs = np.random.default_rng(0).normal(size=(4 * UPDATES, 3)).astype(np.float32)
    recorded = Rates()
    model.fit(inputs, inputs.sum(1, keepdims=True), batch_size=4, verbose=0, callbacks=[recorded])
    return recorded.values


if __name__ == "__main__":
    print(f"{UPDATES} updates, peak rate {max(rates())}")
