"""Learning-rate schedules as pure functions ``step -> multiplier``, defined once for Python, NumPy, JAX and torch.

A step counts the updates already made, so the first update is step 0. A multiplier is a factor of the peak learning
rate. `bridges.optax` and `bridges.torch` connect a schedule to an optimizer.

From bottom to top, each package imports only those before it:

- `numerics`: a step as an exact count in Python, NumPy, torch and JAX
- `core`: what every schedule is, and the validation of arguments
- `shapes`: curves from 0 to 1; `primitives`: ramps, decays and tables; `combinators`: schedules made of schedules
- `recipes`: named schedules, such as `warmup_cosine`
- `serialization`: text and plain data; `units`: samples, tokens and epochs in steps; `controllers`: multipliers that
  follow a metric
- `analysis`: validation of runs, comparisons, resuming; `plotting`
- `plans`: curves of a whole run, published recipes; `export`: standalone source code; `evidence`: schedules from logs;
  `cli`
"""

from funcsched.combinators.algebra import add, lerp, maximum, minimum, product, scale
from funcsched.combinators.blend import blend
from funcsched.combinators.count_by import count_by
from funcsched.combinators.interpolate import interpolate
from funcsched.combinators.repeat import repeat
from funcsched.combinators.sequence import join, then, warm_into
from funcsched.combinators.staircase import staircase
from funcsched.combinators.time import shift, stretch
from funcsched.core.schedule import Schedule, lift
from funcsched.primitives.curve import curve
from funcsched.primitives.decay import exponential_decay, hypot_decay, inverse_power, inverse_time
from funcsched.primitives.piecewise import piecewise_constant
from funcsched.primitives.ramp import constant, ramp
from funcsched.primitives.saturating import saturating_exponential
from funcsched.primitives.table import table, tabulate
from funcsched.recipes.cyclic import cyclic, one_cycle, range_test
from funcsched.recipes.open_ended import (
    inverse_sqrt,
    multistep,
    noam,
    power_law,
    step_decay,
    warmup_exponential,
    warmup_inverse_sqrt,
)
from funcsched.recipes.restarts import cosine_restarts, warmup_cosine_restarts
from funcsched.recipes.warmup_decay import (
    warmup_constant,
    warmup_cosine,
    warmup_cosine_linear,
    warmup_half_cosine,
    warmup_linear,
    warmup_polynomial,
)
from funcsched.recipes.wsd import tri_stage, warmup_stable_decay
from funcsched.shapes.basic import cosine, linear, log, mirror_cosine, rex, sine, sqrt
from funcsched.shapes.combined import compose, reverse
from funcsched.shapes.parametric import exponential, power, rational, tanh, truncated_cosine
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

    from funcsched.analysis.check import check
    from funcsched.analysis.checkpoint import check_resume, snapshot
    from funcsched.analysis.compare import compare
    from funcsched.analysis.merging import merge_weights
    from funcsched.analysis.refine import refine
    from funcsched.controllers.greedy import greedy
    from funcsched.controllers.plateau import plateau
    from funcsched.evidence.identify import Identified, identify
    from funcsched.evidence.logs import read_log
    from funcsched.export.source import to_source
    from funcsched.plans.plan import Plan
    from funcsched.plans.published import published
    from funcsched.plotting.explore import explore
    from funcsched.plotting.figure import plot
    from funcsched.serialization.data import fingerprint, from_dict, to_dict
    from funcsched.serialization.expression import parse
    from funcsched.serialization.syntax import ParseError
    from funcsched.units.clock import Clock

# The modules of names that training does not need: imported on first use, to keep `import funcsched` fast.
_LAZY = {
    "check": "analysis.check",
    "check_resume": "analysis.checkpoint",
    "Clock": "units.clock",
    "compare": "analysis.compare",
    "explore": "plotting.explore",
    "fingerprint": "serialization.data",
    "from_dict": "serialization.data",
    "greedy": "controllers.greedy",
    "Identified": "evidence.identify",
    "identify": "evidence.identify",
    "merge_weights": "analysis.merging",
    "parse": "serialization.expression",
    "ParseError": "serialization.syntax",
    "Plan": "plans.plan",
    "plateau": "controllers.plateau",
    "plot": "plotting.figure",
    "published": "plans.published",
    "read_log": "evidence.logs",
    "refine": "analysis.refine",
    "snapshot": "analysis.checkpoint",
    "to_dict": "serialization.data",
    "to_source": "export.source",
}

__all__ = [
    "Clock",
    "Identified",
    "ParseError",
    "Plan",
    "Schedule",
    "Shape",
    "add",
    "blend",
    "check",
    "check_resume",
    "compare",
    "compose",
    "constant",
    "cosine",
    "cosine_restarts",
    "count_by",
    "curve",
    "cyclic",
    "explore",
    "exponential",
    "exponential_decay",
    "fingerprint",
    "from_dict",
    "greedy",
    "hypot_decay",
    "identify",
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
    "merge_weights",
    "minimum",
    "mirror_cosine",
    "multistep",
    "noam",
    "one_cycle",
    "parse",
    "piecewise_constant",
    "plateau",
    "plot",
    "power",
    "power_law",
    "product",
    "published",
    "ramp",
    "range_test",
    "rational",
    "read_log",
    "refine",
    "repeat",
    "reverse",
    "rex",
    "saturating_exponential",
    "scale",
    "shift",
    "sine",
    "snapshot",
    "sqrt",
    "staircase",
    "step_decay",
    "stretch",
    "table",
    "tabulate",
    "tanh",
    "then",
    "to_dict",
    "to_source",
    "tri_stage",
    "truncated_cosine",
    "warm_into",
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


if not TYPE_CHECKING:  # a type checker would take every name for one that `__getattr__` finds

    def __getattr__(name):
        if name == "__version__":
            from importlib.metadata import version  # imported here, because it is slow

            return version("funcsched")
        if name not in _LAZY:
            from funcsched.core.other_names import elsewhere

            hint = elsewhere(name) or "`funcsched show` finds the names of other libraries"
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {hint}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
