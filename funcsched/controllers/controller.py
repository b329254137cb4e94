"""`Controller`: a pure transition from a state and a metric to the next state and a multiplier."""

from __future__ import annotations

import sys

from funcsched.core.value import Value
from funcsched.numerics.dispatch import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Controller(Value):
    """A multiplier that follows a metric, as a pure function of a state and the next value of the metric.

    The state is a named tuple of numbers, which JAX treats as a pytree. It may contain Python numbers or arrays.
    """

    __slots__ = ()

    def init(self) -> Any:
        """The state before the first value."""
        raise NotImplementedError

    def update(self, state: Any, value: Any) -> tuple[Any, Any]:
        """The next state and the multiplier.

        Args:
            state: the result of `init`, or the state of the previous update.
            value: the next value of the metric (float, or an array of NumPy, JAX or torch). NaN is no improvement.

        Returns:
            The state, and the multiplier of the peak from now on.
        """
        raise NotImplementedError


def select(condition: Any, yes: Any, no: Any) -> Any:
    """``yes if condition else no``, for a number, an array, or a named tuple of them."""
    if isinstance(yes, tuple):
        items = (select(condition, a, b) for a, b in zip(yes, no, strict=True))
        return type(yes)(*items) if hasattr(yes, "_fields") else tuple(items)
    kind = library(condition)
    if kind is None or (kind == "numpy" and condition.ndim == 0):
        return yes if condition else no
    return sys.modules["jax.numpy" if kind == "jax" else kind].where(condition, yes, no)


def as_metric(value: Any) -> Any:
    """A value as a Python number if it is a NumPy scalar, whose arithmetic warns about NaN and infinity."""
    return float(value) if library(value) == "numpy" and value.ndim == 0 else value


def has_improved(mode: str, value: Any, best: Any, relative: float, absolute: float) -> Any:
    """Whether a value is better than the best one by more than a threshold."""
    if mode == "min":
        return value < best * (1.0 - relative) - absolute
    return value > best * (1.0 + relative) + absolute


def worst(mode: str) -> float:
    return float("inf" if mode == "min" else "-inf")
