"""Any function of optax's count as a schedule."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import funcsched as fs
from bridges.jax import register
from funcsched.core.schedule import Lift
from funcsched.core.validation import (
    callable_,
    positive,
)
from funcsched.numerics.namespace import library
from funcsched.numerics.step import Step


class FromOptax(Lift):
    """A function of optax's count; see `from_optax`."""

    __slots__ = ("peak_value",)
    fields = ("function", "peak_value")  # type: ignore[assignment]  # one more than in Lift
    factory = "from_optax"
    static = frozenset(fields)

    peak_value: float

    __repr__ = fs.Schedule.__repr__

    def at(self, step: Step) -> Any:
        return step.full(step.apply(partial(_rates, self.function)) / self.peak_value)

    def scalar(self) -> Callable[[int], float]:
        return fs.Schedule.scalar(self)


register(FromOptax)


def _rates(function: Callable[[Any], Any], count: Any) -> Any:
    """The values of a function at a count of any library: of JAX as JAX's, else as NumPy's."""
    kind = library(count)
    if kind == "jax":
        return _each(function, count)
    if kind == "torch":
        count = count.detach().cpu().numpy()
    with jax.ensure_compile_time_eval():  # these are numbers, also while JAX traces
        return np.array(_each(function, _counted(np.asarray(count))), dtype=np.float64)


def _each(function: Callable[[Any], Any], count: jax.Array) -> Any:
    """A function of one count at each of an array: not all of optax's take arrays, and some take them wrongly."""
    for _ in range(count.ndim):
        function = jax.vmap(function)
    return function(count)


def _counted(count: Any) -> jax.Array:
    """A count for JAX, which without x64 ends where optax's own stops: at 2**31 - 1."""
    if count.dtype.kind in "iu":
        largest = np.iinfo(jnp.result_type(int)).max
        return jnp.asarray(np.minimum(count, largest))
    return jnp.asarray(count)


def from_optax(function: Callable[[Any], Any], peak_value: float) -> fs.Schedule:
    """Any optax schedule as a schedule, for PyTorch too.

    ``peak_value * from_optax(function, peak_value)(step) == function(max(step, 0))``

    Args:
        function: from optax's count, a JAX scalar, to a rate.
        peak_value: the rate at multiplier 1, above 0.

    Returns:
        A schedule. JAX runs the function itself, also under jit. A number of Python and each of an array of NumPy or
        torch becomes a count of JAX, at which the function is called, and the result a number again, or an array with
        the dtype and on the device that any schedule has; so this needs JAX there, and runs neither inside
        `torch.func.vmap` nor inside `torch.compile`. Values are as accurate as the function is, which without
        x64 computes in float32. It compares by the identity of the function, and pickles where the function does.
        Prefer the functions named like optax's own: they give schedules that are all of this.

    Raises:
        TypeError, ValueError: `function` is not callable, or `peak_value` not a finite number above 0.

    Example:
        >>> import optax, torch
        >>> from bridges.optax import from_optax
        >>> schedule = from_optax(optax.linear_schedule(0.5, 0.0, 8), peak_value=0.5)
        >>> schedule(4), schedule(torch.arange(0, 12, 4)).tolist()
        (0.5, [1.0, 0.5, 0.0])
    """
    peak = positive("from_optax", "peak_value", peak_value)
    return FromOptax(callable_("from_optax", "function", function), peak)
