"""Schedules for optax, and optax's schedules as schedules of this library.

Out of the library: `to_optax`. Into it: `from_optax`, and every factory of `optax.schedules` under its own name.

Every function takes the arguments of optax's in the same order with the same defaults, rates being absolute, and
returns a `Rated`: ``peak_value * schedule(count)`` is the rate, and ``to_optax(*rated)`` optax's function again. Its
`peak_value` is the largest of the rates that the arguments name, so that multipliers go up to 1; where all are 0 it is
0. Numbers must be known: for a sweep over traced ones, build the schedule itself.

Three things hold for all of them. Below step 0 the first rate holds, where some of optax's functions go on. On integer
counts of any width nothing wraps. And multipliers are within 4 ulp of exact mathematics, jitted or not; optax computes
its formulas in float32 as they are written, which near the end of a long cosine leaves no digit.
"""

from bridges.optax.basic import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
)
from bridges.optax.function import from_optax
from bridges.optax.joined import join_schedules, sgdr_schedule
from bridges.optax.optax_schedule import OptaxSchedule, to_optax
from bridges.optax.warmup import (
    cosine_onecycle_schedule,
    linear_onecycle_schedule,
    warmup_constant_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)

__all__ = [
    "OptaxSchedule",
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "from_optax",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "sgdr_schedule",
    "to_optax",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]
