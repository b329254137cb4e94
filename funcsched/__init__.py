"""Learning-rate schedules as pure functions ``step -> multiplier``, defined once for Python, NumPy, JAX and torch.

A step counts the updates already made, so the first update is step 0; a multiplier is a factor of the peak learning
rate. `bridges.optax` and `bridges.torch` hand a schedule to an optimizer.
"""

from funcsched._shape import Shape
from funcsched.clock import Clock
from funcsched.clocks import repeat, shift, stretch
from funcsched.combinators import interpolate, join, lerp, scale, then
from funcsched.decays import exponential_decay, inverse_power, inverse_time
from funcsched.levels import piecewise_constant, table, tabulate
from funcsched.pieces import constant, ramp
from funcsched.recipes import cosine_restarts, cyclic, inverse_sqrt, multistep, one_cycle, range_test, step_decay
from funcsched.resume import check_resume, snapshot
from funcsched.schedule import Schedule, lift
from funcsched.several import add, maximum, minimum, product
from funcsched.shapes import compose, cosine, exponential, linear, log, power, reverse, rex, sine, sqrt, tanh
from funcsched.warmups import (
    noam,
    power_law,
    tri_stage,
    warmup_constant,
    warmup_cosine,
    warmup_cosine_linear,
    warmup_cosine_restarts,
    warmup_exponential,
    warmup_half_cosine,
    warmup_inverse_sqrt,
    warmup_linear,
    warmup_polynomial,
    warmup_stable_decay,
)
from funcsched.written import fingerprint, from_dict, to_dict

__all__ = [
    "Clock",
    "Schedule",
    "Shape",
    "add",
    "check_resume",
    "compose",
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "exponential_decay",
    "fingerprint",
    "from_dict",
    "interpolate",
    "inverse_power",
    "inverse_sqrt",
    "inverse_time",
    "join",
    "lerp",
    "lift",
    "linear",
    "log",
    "maximum",
    "minimum",
    "multistep",
    "noam",
    "one_cycle",
    "piecewise_constant",
    "power",
    "power_law",
    "product",
    "ramp",
    "range_test",
    "repeat",
    "reverse",
    "rex",
    "scale",
    "shift",
    "sine",
    "snapshot",
    "sqrt",
    "step_decay",
    "stretch",
    "table",
    "tabulate",
    "tanh",
    "then",
    "to_dict",
    "tri_stage",
    "warmup_constant",
    "warmup_cosine",
    "warmup_cosine_linear",
    "warmup_cosine_restarts",
    "warmup_exponential",
    "warmup_half_cosine",
    "warmup_inverse_sqrt",
    "warmup_linear",
    "warmup_polynomial",
    "warmup_stable_decay",
]
