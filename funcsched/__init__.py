"""Learning-rate schedules as pure functions ``step -> multiplier``, defined once for Python, NumPy, JAX and torch.

A step counts the updates already made, so the first update is step 0; a multiplier is a factor of the peak learning
rate. `bridges.optax` and `bridges.torch` hand a schedule to an optimizer.
"""

from funcsched.combinators import join, scale, shift
from funcsched.pieces import constant, ramp
from funcsched.recipes import warmup_constant, warmup_cosine, warmup_cosine_restarts, warmup_linear
from funcsched.schedule import Schedule, lift
from funcsched.shapes import Shape, cosine, linear, power

__all__ = [
    "Schedule",
    "Shape",
    "constant",
    "cosine",
    "join",
    "lift",
    "linear",
    "power",
    "ramp",
    "scale",
    "shift",
    "warmup_constant",
    "warmup_cosine",
    "warmup_cosine_restarts",
    "warmup_linear",
]
