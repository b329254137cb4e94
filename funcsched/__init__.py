"""Learning-rate schedules as pure functions ``step -> multiplier``, defined once for Python, NumPy, JAX and torch.

A step counts the updates already made, so the first update is step 0; a multiplier is a factor of the peak learning
rate. `bridges.optax` and `bridges.torch` hand a schedule to an optimizer.
"""

from funcsched.combinators.algebra import add, lerp, maximum, minimum, product, scale
from funcsched.combinators.sequence import interpolate, join, then
from funcsched.combinators.time import repeat, shift, stretch
from funcsched.core.schedule import Schedule, lift
from funcsched.primitives.decay import exponential_decay, inverse_power, inverse_time
from funcsched.primitives.ramp import constant, ramp
from funcsched.primitives.table import piecewise_constant, table, tabulate
from funcsched.recipes.classic import (
    cosine_restarts,
    cyclic,
    inverse_sqrt,
    multistep,
    one_cycle,
    range_test,
    step_decay,
)
from funcsched.recipes.warmup import (
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
from funcsched.shapes.formulas import compose, cosine, exponential, linear, log, power, reverse, rex, sine, sqrt, tanh
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.analysis.check import check
    from funcsched.analysis.checkpoint import check_resume, snapshot
    from funcsched.analysis.compare import compare
    from funcsched.plotting.figure import plot
    from funcsched.serialization.data import fingerprint, from_dict, to_dict
    from funcsched.serialization.expression import ParseError, parse
    from funcsched.units.clock import Clock

# Imported when they are asked for: no training needs them.
_LATER = {
    "check": "analysis.check",
    "check_resume": "analysis.checkpoint",
    "Clock": "units.clock",
    "compare": "analysis.compare",
    "fingerprint": "serialization.data",
    "from_dict": "serialization.data",
    "parse": "serialization.expression",
    "ParseError": "serialization.expression",
    "plot": "plotting.figure",
    "snapshot": "analysis.checkpoint",
    "to_dict": "serialization.data",
}

__all__ = [
    "Clock",
    "ParseError",
    "Schedule",
    "Shape",
    "add",
    "check",
    "check_resume",
    "compare",
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
    "parse",
    "piecewise_constant",
    "plot",
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


def __getattr__(name: str) -> "Any":
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
