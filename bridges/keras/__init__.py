"""Keras' learning-rate schedules as functions, with the arguments of its classes, or from their serialized form, and
schedules of this library for Keras' optimizers.

Only `to_keras` and `KerasSchedule` import Keras.

Keras computes in float32 by default. Under jit, JAX replaces ``step / decay_steps`` by a product with the rounded
reciprocal. For some `decay_steps` (41, 47, 55, 61, ...) the result at multiples of `decay_steps` is not an integer, so
a stair, cycle or restart of jitted Keras can be off by one step. Here they are at the exact step.
"""

from __future__ import annotations

from typing import Any

from bridges.keras.schedules import (
    cosine_decay,
    cosine_decay_restarts,
    exponential_decay,
    from_config,
    inverse_time_decay,
    piecewise_constant_decay,
    polynomial_decay,
)
from bridges.keras.to_keras import keras_schedule_class, to_keras

__all__ = [
    "cosine_decay",
    "cosine_decay_restarts",
    "exponential_decay",
    "from_config",
    "inverse_time_decay",
    "piecewise_constant_decay",
    "polynomial_decay",
    "to_keras",
]


def __getattr__(name: str) -> Any:
    if name == "KerasSchedule":
        return keras_schedule_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
