"""`to_optax`: a schedule as a function from optax's count to the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
from jax.core import Tracer

from bridges.jax import register
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import finite
from funcsched.core.value import Value
from funcsched.shapes.shape import Custom

if TYPE_CHECKING:
    from typing import overload

    import numpy as np
    from jax.typing import ArrayLike
    from numpy.typing import NDArray

    from funcsched.core.schedule import Array, Float


class OptaxSchedule(Value):
    """A schedule times a peak value, as a function of optax's count; see `to_optax`."""

    __slots__ = ("_on_device", "peak_value", "schedule")
    fields = ("schedule", "peak_value")
    factory = "to_optax"

    schedule: Schedule
    peak_value: float
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
        if isinstance(count, jax.Array) and not isinstance(count, Tracer):
            x64 = jax.config.jax_enable_x64  # type: ignore[attr-defined]
            rate = self._on_device[x64] if x64 in self._on_device else self._to_device(x64)
            if rate is not None:
                return _rate(rate, count)
        return self.schedule(count) * self.peak_value

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


@jax.jit
def _rate(rate: OptaxSchedule, count: jax.Array) -> jax.Array:
    return rate.schedule(count) * rate.peak_value


def to_optax(schedule: Schedule | Callable[[Any], Any], peak_value: float = 1.0) -> OptaxSchedule:
    """A schedule as an optax schedule.

    ``peak_value * schedule(count)``

    Args:
        schedule: a schedule or a function of a step.
        peak_value: the learning rate at multiplier 1 (float, any finite number). It is negative for
            `optax.scale_by_schedule`, whose result is added to the parameters.

    Returns:
        A function from optax's count to the learning rate. The count is the step: 0 at the first update. Use it as the
        `learning_rate` of an optimizer, in `optax.inject_hyperparams`, `optax.scale_by_schedule` and
        `optax.join_schedules`, also under jit and scan. For a Python number it returns a Python float. For a JAX array
        outside of jit it runs compiled, with one compilation for all schedules with the same treedef. Like a schedule,
        it is hashable, picklable and a pytree, and compares by value.

    Raises:
        TypeError: `schedule` is neither a schedule nor a function, or `peak_value` is not a number.
        ValueError: `peak_value` is not finite.

    Example:
        >>> import funcsched as fs, optax
        >>> from bridges.optax import to_optax
        >>> rate = to_optax(fs.warmup_cosine(10, 100), peak_value=0.5)
        >>> rate(0), rate(10), rate(100)
        (0.0, 0.5, 0.0)
        >>> optimizer = optax.adamw(learning_rate=rate)
    """
    return OptaxSchedule(as_schedule("to_optax", "schedule", schedule), finite("to_optax", "peak_value", peak_value))
