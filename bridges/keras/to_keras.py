"""`to_keras`: a schedule of this library for the optimizers of Keras."""

from __future__ import annotations

from functools import cache
from typing import Any

import funcsched as fs
from bridges.arguments import checked
from funcsched.core.schedule import as_schedule
from funcsched.core.validation import argument_error, positive


@checked(schedule=as_schedule, peak_value=positive)
def to_keras(schedule: fs.Schedule, peak_value: float) -> Any:
    """A schedule as a LearningRateSchedule of Keras 3, for its optimizers on every backend.

    ``to_keras(schedule, peak_value)(step) == peak_value * schedule(step)``

    Args:
        schedule: a schedule.
        peak_value: the learning rate at multiplier 1 (float, above 0).

    Returns:
        A LearningRateSchedule, the argument `learning_rate` of an optimizer. Its step is Keras'
        `optimizer.iterations`, the number of updates already made. A compiled model saves it with `model.save`, and
        `keras.saving.load_model` restores it after ``from bridges.keras import KerasSchedule``, which registers its
        class. It is saved as the plain data of `funcsched.to_dict`, so `model.save` fails for a schedule that contains
        a function (`lift`).

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.
        ModuleNotFoundError: Keras is not installed.

    Example:
        >>> import os
        >>> os.environ["KERAS_BACKEND"] = "jax"
        >>> import funcsched as fs
        >>> from bridges.keras import to_keras
        >>> rate = to_keras(fs.warmup_linear(10, 100), 0.5)
        >>> rate(55), rate.get_config()["peak_value"]
        (0.25, 0.5)
    """
    return keras_schedule_class()(schedule, peak_value)


@cache
def keras_schedule_class() -> type[Any]:
    """The class `bridges.keras.KerasSchedule`, a subclass of a Keras class. The first call registers it with Keras."""
    try:
        import keras
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}; install it with: pip install keras", name=error.name) from error

    @keras.saving.register_keras_serializable(package="funcsched")
    class KerasSchedule(keras.optimizers.schedules.LearningRateSchedule):
        """The learning rate ``peak_value * schedule(step)``; see `to_keras`."""

        __module__, __qualname__ = "bridges.keras", "KerasSchedule"  # where pickle finds it

        def __init__(self, schedule: fs.Schedule, peak_value: float) -> None:
            super().__init__()
            self.schedule, self.peak_value = schedule, peak_value

        def __call__(self, step: Any) -> Any:
            # The step of an optimizer is a variable of Keras.
            return self.peak_value * self.schedule(step.value if isinstance(step, keras.Variable) else step)

        def get_config(self) -> dict[str, Any]:
            return {"schedule": fs.to_dict(self.schedule), "peak_value": self.peak_value}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> KerasSchedule:
            for key in ("schedule", "peak_value"):
                if key not in config:
                    raise argument_error("from_config", "config", f"a dictionary with the key {key!r}", config)
            return cls(fs.from_dict(config["schedule"]), config["peak_value"])

    return KerasSchedule
