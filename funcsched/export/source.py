"""`to_source`: a schedule as a function without dependencies."""

from __future__ import annotations

import builtins
from keyword import kwlist

from funcsched.analysis.landmarks import phase_boundaries
from funcsched.combinators.algebra import Scale
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, concrete_level, one_of
from funcsched.core.value import leaves
from funcsched.export import languages, systems
from funcsched.export.schedules import POWERS, PYTHON, rewritten
from funcsched.export.symbol import Trace
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.step import Step
from funcsched.plotting.layout import default_steps
from funcsched.shapes.shape import Custom
from funcsched.units.quantities import UNITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# For each language: its printer, the kind of its steps, its number system, and the classes of `rewritten` schedules.
LANGUAGES: dict[str, tuple[Any, str, Callable[[Trace, Schedule], Any], dict[Any, Any]]] = {
    "python": (languages.Python, "int", systems.Python, PYTHON),
    "torch": (languages.Torch, "float", systems.Torch, POWERS),
    "optax": (languages.Jax, "int", systems.jax, {}),
    "c": (languages.C, "float", systems.C, POWERS),
}
_MAX_TEST_VALUES = 12
_unit = one_of(*UNITS)
_C_KEYWORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register"
    " restrict return short signed sizeof static struct switch typedef union unsigned void volatile while"
).split()
_C_FUNCTIONS = "main fmin fmax fmod sin cos exp expm1 log log1p sqrt floor pow rint round INFINITY".split()


def to_source(
    schedule: Schedule,
    language: str,
    *,
    peak_value: float | None = None,
    name: str | None = None,
    unit: str = "updates",
) -> str:
    """A schedule as the source code of one function, for code bases that cannot add a dependency.

    The function imports only `math`, `torch`, `jax.numpy` or ``math.h``. A comment gives the expression of the schedule
    and some values, for a test. Below step 0 and past the end, the function has the same values as the schedule.

    Args:
        schedule: a schedule.
        language: one of

            - ``"python"``: a function from an int to a float, equal to ``schedule(step)`` (where `repeat` has a
              `period_factor`, within 4 ulp);
            - ``"torch"``: a function from an int or a tensor of integers to a tensor of float32, for any device with
              float64;
            - ``"optax"``: a function from an int32 or an array of them to float32, for optax and JAX, with and without
              x64;
            - ``"c"``: a function from a double to a double, for C99 without ``-ffast-math``.

        peak_value: learning rate at multiplier 1 (float). None means that the function returns multipliers.
        name: name of the function. Defaults to ``multiplier``, or to ``learning_rate`` if `peak_value` is given.
        unit: what the steps of the schedule count, for the comment: "updates", "samples", "tokens" or "epochs".

    Returns:
        The source code (str). Its values are within 4 ulp if those of the schedule are, and within 5 ulp with
        `peak_value`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or the schedule contains a function
            (`lift`, `curve`, or a shape) or traced parameters, which have no source code.

    Example:
        >>> import funcsched as fs
        >>> source = fs.to_source(fs.warmup_cosine(10, 100), "python")
        >>> print(*source.splitlines()[-5:], sep="\\n")  # without the comment
            step = max(step, 0)
            t1 = 90 - min(max(step - 10, 0), 90)
            t2 = t1 * 0.017453292519943098 + t1 * 1.9805334148844302e-16
            t3 = math.sin(t2)
            return min(step, 10) / 10 if step < 10 else t3 * t3
        >>> namespace = {}
        >>> exec(source, namespace)
        >>> namespace["multiplier"](55) == fs.warmup_cosine(10, 100)(55)
        True
    """
    schedule = as_schedule("to_source", "schedule", schedule)
    one_of(*LANGUAGES)("to_source", "language", language)
    _unit("to_source", "unit", unit)
    for part in walk(schedule):
        if isinstance(part, (Lift, Custom)):
            requirement, fix = "a schedule without functions", "use fs.tabulate(schedule, steps)"
            raise argument_error("to_source", "schedule", requirement, schedule, fix=fix)
    if not is_concrete(*leaves(schedule)):
        fix = "replace arrays and tracers by numbers"
        raise argument_error("to_source", "schedule", "a schedule of Python numbers", schedule, TypeError, fix=fix)
    scaled, summary, expression = schedule, "The learning-rate multiplier", repr(schedule)
    if peak_value is not None:
        scaled = Scale(schedule, concrete_level("to_source", "peak_value", peak_value))
        summary, expression = "The learning rate", f"{scaled.factor!r} * {expression}"
    name = name or ("multiplier" if peak_value is None else "learning_rate")
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()) or name in _reserved(language):
        requirement = "an unused name of a function"
        raise argument_error("to_source", "name", requirement, name)
    make_printer, kind, system, classes = LANGUAGES[language]
    trace, simplified = Trace(kind), rewritten(scaled, classes)
    xp = system(trace, simplified)
    result = simplified.at(Step(xp, xp.from_step(trace.step)))
    description = [f"{summary} after `step` {unit}. Exported by funcsched:", expression]
    values = {step: scaled(step) for step in _test_steps(schedule)}
    source: str = make_printer().print(trace, result, name, description, values)
    return source


def _reserved(language: str) -> set[str]:
    """Names that have another meaning in the language or in the exported code."""
    if language == "c":
        return {*_C_KEYWORDS, *_C_FUNCTIONS}
    return {*kwlist, *dir(builtins), "math", "torch", "jax", "jnp"}


def _test_steps(schedule: Schedule) -> list[int]:
    """The steps of the test values: boundaries, and steps between them."""
    last = default_steps(schedule)
    steps = {0, 1, last, *(last * i // 8 for i in range(8))}
    boundaries = {int(step) for step in phase_boundaries(schedule, last) if 0 <= step <= last}
    return sorted(steps | boundaries if len(boundaries) <= _MAX_TEST_VALUES else steps)
