"""Schedules for optax, and optax's schedules as schedules of this library. Imports JAX.

`to_optax` makes a schedule of optax of a schedule and its peak value, and `inject_plan` makes an optimizer that follows
a plan. In the other direction, `from_optax` converts any function of optax's count. Every function of `optax.schedules`
has a counterpart here with the same name, arguments and defaults.

These counterparts return `Rated(schedule, peak_value)`: the learning rate is ``peak_value * schedule(count)``, and
``to_optax(*rated)`` is an optax schedule again. `peak_value` is the largest learning rate that the arguments define, so
that the largest multiplier is 1; if all of them are 0, it is 0. Arguments must be concrete numbers. For a sweep over
traced numbers, build the schedule directly.

Three guarantees hold for all of them:

- Below step 0 the first learning rate is held, where some of optax's functions extrapolate.
- Integer counts of any width do not overflow.
- Multipliers are within 4 ulp of exact mathematics, jitted or not. optax evaluates its formulas directly in float32,
  which leaves no correct digit near the end of a long cosine.
"""

import bridges.jax  # noqa: F401  (first, because its error names the extra to install where JAX is missing)
from bridges.optax.basic import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
)
from bridges.optax.controller import reduce_on_plateau, scale_by_controller
from bridges.optax.function import from_optax
from bridges.optax.joined import join_schedules, sgdr_schedule
from bridges.optax.optax_schedule import OptaxSchedule, to_optax
from bridges.optax.plan import inject_plan
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
    "inject_plan",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "reduce_on_plateau",
    "scale_by_controller",
    "sgdr_schedule",
    "to_optax",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]
