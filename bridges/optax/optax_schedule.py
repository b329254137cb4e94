"""Schedules for optax: count -> learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from bridges.jax import register
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import finite
from funcsched.core.value import Value
from funcsched.shapes.shape import Custom


class OptaxSchedule(Value):
    """A schedule times a peak value; see `to_optax`."""

    __slots__ = ("_on_device", "peak_value", "schedule")
    fields = ("schedule", "peak_value")
    factory = "to_optax"

    schedule: Schedule
    peak_value: float
    _on_device: dict[bool, OptaxSchedule | None]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_on_device", {})

    def __call__(self, count: Any) -> Any:
        if isinstance(count, jax.Array) and not isinstance(count, jax.core.Tracer):
            x64 = jax.config.jax_enable_x64  # type: ignore[attr-defined]
            rate = self._on_device[x64] if x64 in self._on_device else self._copied(x64)
            if rate is not None:
                return _rate(rate, count)
        return self.schedule(count) * self.peak_value

    def _copied(self, x64: bool) -> OptaxSchedule | None:
        """The same with its numbers on the device, so that no call copies them; None where it cannot be compiled."""
        rate = None
        # A user's function may be written for concrete values alone.
        if not any(isinstance(part, (Lift, Custom)) for part in walk(self.schedule)):
            try:
                with jax.ensure_compile_time_eval():  # not as tracers of a function that is being compiled
                    rate = jax.device_put(self)
            except OverflowError:  # a horizon past int32, which cannot be an argument of a jitted function
                pass
        self._on_device[x64] = rate
        return rate


register(OptaxSchedule)


@jax.jit
def _rate(rate: OptaxSchedule, count: jax.Array) -> Any:
    return rate.schedule(count) * rate.peak_value


def to_optax(schedule: Schedule | Callable[[Any], Any], peak_value: float = 1.0) -> OptaxSchedule:
    """A schedule as an optax schedule.

    ``peak_value * schedule(count)``

    Args:
        schedule: a schedule or a function of a step.
        peak_value: the learning rate at multiplier 1; any finite number, and negative for
            `optax.scale_by_schedule`, which adds what it scales.

    Returns:
        A function of optax's count, which is the step: 0 at the first update. It serves as the `learning_rate` of an
        optimizer, in `optax.inject_hyperparams`, `optax.scale_by_schedule` and `optax.join_schedules`, under jit and
        scan. On a JAX array outside of jit it runs compiled, once for all schedules of the same structure; a Python
        int gives a Python float. It is a value like the schedule: equal, hashable, picklable, and a pytree.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `peak_value` not a finite number.

    Example:
        >>> import funcsched as fs, optax
        >>> from bridges.optax import to_optax
        >>> rate = to_optax(fs.warmup_cosine(10, 100), peak_value=0.5)
        >>> rate(0), rate(10), rate(100)
        (0.0, 0.5, 0.0)
        >>> optimizer = optax.adamw(learning_rate=rate)
    """
    return OptaxSchedule(as_schedule("to_optax", "schedule", schedule), finite("to_optax", "peak_value", peak_value))
