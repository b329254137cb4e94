"""`from_optax`: any function of optax's count as a schedule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import funcsched as fs
from bridges.arguments import checked
from bridges.jax import register
from funcsched.core.schedule import Lift
from funcsched.core.validation import callable_, positive
from funcsched.numerics.dispatch import library
from funcsched.numerics.step import Step


class FromOptax(Lift):
    """A function of optax's count; see `from_optax`."""

    __slots__ = ("peak_value",)
    fields = ("function", "peak_value")
    factory = "from_optax"
    static = frozenset(fields)

    peak_value: float

    # Not those of Lift, which neither print nor divide by `peak_value`.
    __repr__ = fs.Schedule.__repr__

    def at(self, step: Step) -> Any:
        return step.full(step.apply(partial(_rates, self.function)) / self.peak_value)

    def scalar(self) -> Callable[[int], float]:
        return fs.Schedule.scalar(self)


register(FromOptax)


def _rates(function: Callable[[Any], Any], count: Any) -> Any:
    """The learning rates at counts of any library. They are a JAX array for JAX counts, and else a NumPy array."""
    kind = library(count)
    if kind == "jax":
        return _elementwise(function, count)
    if kind == "torch":
        count = count.detach().cpu().numpy()
    with jax.ensure_compile_time_eval():  # concrete values, even if JAX is tracing the caller
        return np.array(_elementwise(function, _jax_count(np.asarray(count))), dtype=np.float64)


def _elementwise(function: Callable[[Any], Any], count: jax.Array) -> Any:
    """The function of a scalar count at each element: some optax schedules reject arrays or mishandle them."""
    for _ in range(count.ndim):
        function = jax.vmap(function)
    return function(count)


def _jax_count(count: Any) -> jax.Array:
    """The counts as a JAX array. Without x64 they saturate at 2**31 - 1, as optax's own count does."""
    if count.dtype.kind in "iu":
        count = np.minimum(count, np.iinfo(jnp.result_type(int)).max)
    return jnp.asarray(count)


@checked(function=callable_, peak_value=positive)
def from_optax(function: Callable[[Any], Any], peak_value: float) -> fs.Schedule:
    """Any optax schedule as a schedule, which also runs on Python numbers, NumPy arrays and torch tensors.

    ``peak_value * from_optax(function, peak_value)(step) == function(max(step, 0))``

    Args:
        function: from optax's count (a JAX scalar) to a learning rate.
        peak_value: the learning rate at multiplier 1 (float, above 0).

    Returns:
        A schedule. On JAX arrays the function runs as it is, also under jit. Python numbers, NumPy arrays and torch
        tensors are converted to JAX counts and the results are converted back, to the dtype and the device that any
        schedule returns. Such a call needs JAX, and works neither inside `torch.func.vmap` nor inside `torch.compile`.
        The values are as accurate as the function, which computes in float32 without x64. The schedule compares by the
        identity of the function, and pickles if the function does. Prefer the functions named like optax's, which have
        none of these restrictions.

    Raises:
        TypeError: `function` is not a function, or `peak_value` is not a number.
        ValueError: `peak_value` is not finite and above 0.

    Example:
        >>> import optax, torch
        >>> from bridges.optax import from_optax
        >>> schedule = from_optax(optax.linear_schedule(0.5, 0.0, 8), peak_value=0.5)
        >>> schedule(4), schedule(torch.arange(0, 12, 4)).tolist()
        (0.5, [1.0, 0.5, 0.0])
    """
    return FromOptax(function, peak_value)
