"""`to_optax`: a schedule as a function from optax's count to the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, overload

import jax
import jax.numpy as jnp
from jax.core import Tracer

from bridges.arguments import checked
from bridges.jax import register
from bridges.optax.result_dtype import cast, number_dtype, weakly_typed
from bridges.rated import Rated
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, finite
from funcsched.core.value import Value
from funcsched.shapes.shape import Custom

if TYPE_CHECKING:
    import numpy as np
    from jax.typing import ArrayLike, DTypeLike
    from numpy.typing import NDArray

    from funcsched.core.schedule import Array, Float


class OptaxSchedule(Value):
    """A schedule times a peak value, as a function of optax's count; see `to_optax`."""

    __slots__ = ("_on_device", "dtype", "peak_value", "schedule")
    fields = ("schedule", "peak_value", "dtype")
    defaults: ClassVar[dict[str, Any]] = {"dtype": None}
    static = frozenset({"dtype"})
    factory = "to_optax"

    schedule: Schedule
    peak_value: float
    dtype: str | None
    _on_device: dict[bool, OptaxSchedule | None]  # results of `_to_device`, with and without x64

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_on_device", {})

    if TYPE_CHECKING:

        @overload
        def __call__(self, count: float) -> float: ...
        @overload
        def __call__(self, count: NDArray[Float]) -> NDArray[Float]: ...
        @overload
        def __call__(self, count: NDArray[np.integer[Any]]) -> NDArray[np.float64]: ...
        @overload
        def __call__(self, count: Float) -> Float: ...
        @overload
        def __call__(self, count: np.integer[Any]) -> np.float64: ...
        @overload
        def __call__(self, count: Array) -> Array: ...
        @overload  # the type of an optax schedule
        def __call__(self, count: ArrayLike) -> ArrayLike: ...

    def __call__(self, count: Any) -> Any:
        rate = self._compiled_rate(count) if isinstance(count, jax.Array) else self.schedule(count) * self.peak_value
        return rate if self.dtype is None else cast(rate, self.dtype)

    def _compiled_rate(self, count: jax.Array) -> Any:
        """The rate at a JAX count, by one compiled call where that is possible."""
        if not isinstance(count, Tracer):
            x64 = jax.config.jax_enable_x64  # type: ignore[attr-defined]
            schedule = self._on_device[x64] if x64 in self._on_device else self._to_device(x64)
            if schedule is not None:
                return _rate(schedule, count)
        return self._rate(count)

    def _rate(self, count: jax.Array) -> jax.Array:
        rate: jax.Array = self.schedule(count) * self.peak_value
        # An integer count says nothing about the dtype of the parameters.
        return weakly_typed(rate) if jnp.issubdtype(count.dtype, jnp.integer) else rate

    def _to_device(self, x64: bool) -> OptaxSchedule | None:
        """A cached copy whose leaves are on the device, so that calls do not transfer them.

        None if the schedule cannot be an argument of a compiled call.
        """
        rate = None
        # A user's function may not be traceable.
        if not any(isinstance(part, (Lift, Custom)) for part in walk(self.schedule)):
            try:
                with jax.ensure_compile_time_eval():  # arrays and not tracers, even if JAX is tracing the caller
                    rate = jax.device_put(self)
            except OverflowError:  # a horizon past int32 cannot be an argument of a jitted function
                pass
        self._on_device[x64] = rate
        return rate


register(OptaxSchedule)


_rate = jax.jit(OptaxSchedule._rate)


def _schedule(function: str, argument: str, value: Any) -> Schedule:
    if isinstance(value, Rated):
        requirement, fix = "a schedule or a function of a step", "use to_optax(*rated)"
        raise argument_error(function, argument, requirement, value, TypeError, fix=fix)
    return as_schedule(function, argument, value)


@overload
def to_optax(schedule: Schedule | Callable[[Any], Any], peak_value: float) -> OptaxSchedule: ...
@overload
def to_optax(
    schedule: Schedule | Callable[[Any], Any], peak_value: float, *, dtype: DTypeLike | None
) -> OptaxSchedule: ...
@checked(schedule=_schedule, dtype=number_dtype)
def to_optax(
    schedule: Schedule | Callable[[Any], Any], peak_value: Any = ..., *, dtype: DTypeLike | None = None
) -> OptaxSchedule:
    """A schedule as an optax schedule.

    ``peak_value * schedule(count)``

    Args:
        schedule: a schedule or a function of a step.
        peak_value: the learning rate at multiplier 1 (float, any finite number). It is required: an optimizer that gets
            the schedule itself, as in ``optax.sgd(schedule)``, trains at a learning rate of 1. It is 1 for a schedule
            whose values are already learning rates or integers, and negative for `optax.scale_by_schedule`, whose
            result is added to the parameters.
        dtype: the dtype of the result (an integer or float dtype, or None). An integer dtype rounds to the nearest
            integer, for `optax.MultiSteps` and batch sizes. Ties go to the even integer; a value within 4 ulp of a tie
            counts as a tie.

    Returns:
        A function from optax's count to the learning rate. The count is the step: 0 at the first update. Use it as the
        `learning_rate` of an optimizer, in `optax.inject_hyperparams`, `optax.scale_by_schedule` and
        `optax.join_schedules`, also under jit and scan. For a JAX array outside of jit it runs compiled, with one
        compilation for all schedules with the same treedef. Like a schedule, it is hashable, picklable and a pytree,
        and compares by value.

        The result for a JAX array of integers is weakly typed, like a Python float: it has the digits of the default
        float dtype, and takes the dtype of the updates and parameters. With `dtype` it is an array of that dtype, cast
        once. For a Python number the result is a Python float, and with an integer `dtype` a Python int.

    Raises:
        TypeError: `schedule` is neither a schedule nor a function, `peak_value` is missing or not a number, or `dtype`
            is not an integer or float dtype.
        ValueError: `peak_value` is not finite. A call raises it if an integer `dtype` cannot represent the value; under
            jit, where the value is unknown, the result is then undefined.

    Example:
        >>> import funcsched as fs, jax.numpy as jnp, optax
        >>> from bridges.optax import to_optax
        >>> rate = to_optax(fs.warmup_cosine(10, 100), peak_value=0.5)
        >>> rate(0), rate(10), rate(100)
        (0.0, 0.5, 0.0)
        >>> optimizer = optax.adamw(learning_rate=rate)
        >>> batches = to_optax(fs.piecewise_constant([100, 200], levels=[1, 2, 4]), peak_value=1, dtype=jnp.int32)
        >>> batches(0), batches(100), batches(jnp.int32(200))
        (1, 2, Array(4, dtype=int32))
        >>> accumulated = optax.MultiSteps(optimizer, every_k_schedule=batches)
    """
    if peak_value is ...:  # an error of our own, because Python's does not say what to give
        fix = "for a schedule whose values are already learning rates or integers, use peak_value=1"
        raise TypeError(f"to_optax: `peak_value` is missing: give the learning rate at multiplier 1; {fix}")
    return OptaxSchedule(schedule, finite("to_optax", "peak_value", peak_value), dtype)
