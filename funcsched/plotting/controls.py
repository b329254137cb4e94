"""Sliders, switches and fields for the arguments of a schedule, as plain data for notebooks and web pages."""

from __future__ import annotations

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.value import Value
from funcsched.plotting.layout import default_steps, round_spacing
from funcsched.serialization.data import parameters, registry
from funcsched.serialization.expression import EXPECTED, ValueParser, parse
from funcsched.serialization.syntax import ParseError
from funcsched.shapes.shape import Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_PEAK = 1e200  # keeps all learning rates finite
_POSITIONS = 200  # of a slider, at most
# Arguments that count steps, with their lowest value.
_LENGTHS = {
    **dict.fromkeys(("warmup_steps", "stable_steps", "decay_steps", "total_steps", "warmup_offset"), 0),
    **dict.fromkeys(("steps", "boundary", "shift", "up_steps", "down_steps"), 0),
    **dict.fromkeys(("timescale", "period"), 1),
}
_NUMBERS = {"times": 1, "cycles": 1, "d_model": 1, "per": 1, "sizes": 1, "epoch": 1}  # other integers
_LEVELS = ("start", "stop", "end", "value", "cosine_end")
# Other floats: the lowest value, the usual highest one, and the distance between the positions of the slider.
_FLOATS = {
    "exponent": (0.05, 4.0, 0.05),
    "cycles": (0.5, 10.0, 0.5),
    "factor": (0.01, 1.0, 0.01),
    "rate": (0.01, 1.0, 0.01),
    "level_factor": (0.01, 1.0, 0.01),
    "period_factor": (1.0, 4.0, 0.1),
}
_ABOVE_ZERO = {
    **dict.fromkeys((("exponential_decay", "steps"), ("inverse_time", "steps"), ("staircase", "steps")), 1),
    **dict.fromkeys((("cyclic", "up_steps"), ("cyclic", "down_steps"), ("noam", "warmup_steps")), 1),
    **dict.fromkeys((("warmup_exponential", "decay_steps"), ("range_test", "total_steps")), 1),
    **dict.fromkeys((("range_test", "start"), ("range_test", "end"), ("tri_stage", "end")), 0.01),
    ("exponential_decay", "end"): 0.01,
}
_SHAPES_WITH_ARGUMENTS = (
    "power(exponent=2.0)",
    "exponential(ratio=0.01)",
    "tanh(lower=-3.0, upper=3.0)",
    "rational(d=0.9)",
    "truncated_cosine(fraction=0.8)",
)
_MODES = ("'triangular'", "'triangular2'", "'exp_range'")


class Control(Value):
    """How to choose the value of one argument of a schedule.

    Fields:
        name: the name of the argument.
        kind: "int", "float", "bool", "choice" or "text".
        value: the present value: a number, a bool, or None. For "choice" and "text" its expression.
        low, high, step: a sensible range for a slider and the distance between its positions, for "int" and "float".
            Values outside may be valid, too.
        optional: whether None is allowed (bool).
        choices: for "choice", the expressions to choose from.
    """

    __slots__ = fields = ("name", "kind", "value", "low", "high", "step", "optional", "choices")
    factory = "Control"

    name: str
    kind: str
    value: Any
    low: float | None
    high: float | None
    step: float | None
    optional: bool
    choices: tuple[str, ...]


def controls(schedule: Schedule) -> list[Control]:
    """One control for each argument of a schedule. Nested schedules and sequences are text.

    Args:
        schedule: a schedule without arrays and tracers.

    Returns:
        A list of `Control`. Every slider reaches the present value, and both of its ends are valid if the other
        arguments stay as they are.

    Raises:
        TypeError: `schedule` is not a schedule.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.controls import controls
        >>> warmup, total, *_ = controls(fs.warmup_linear(10, 100))
        >>> warmup.kind, warmup.value, warmup.low, warmup.high, warmup.step
        ('int', 10, 0, 100, 1)
        >>> total.low, total.high
        (10, 200)
    """
    schedule = as_schedule("controls", "schedule", schedule)
    return [_control(schedule, name, value) for name, value in schedule.arguments().items()]


def with_argument(schedule: Schedule, name: str, value: Any) -> Schedule:
    """The same schedule with another value of one argument.

    Args:
        schedule: a schedule without Python functions and arrays.
        name: the name of one of its arguments.
        value: the new value (int, float, bool or None), or its expression (str).

    Returns:
        A schedule. Its other arguments are the same.

    Raises:
        ParseError: a ValueError. There is no such argument, or the new value is not valid.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.controls import with_argument
        >>> with_argument(fs.ramp(0, 1, steps=10), "shape", "power(2)")
        ramp(start=0.0, stop=1.0, steps=10, shape=power(exponent=2.0))
    """
    texts = {key: repr(argument) for key, argument in schedule.arguments().items()}
    texts[name] = value if isinstance(value, str) else repr(value)
    known = parameters(registry()[schedule.factory]) if schedule.factory in registry() else {}
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in known.values()):
        arguments = list(texts.values())  # `add` and the like also accept one sequence
    else:
        arguments = [f"{key}={text}" for key, text in texts.items()]
    return parse(f"{schedule.factory}({', '.join(arguments)})")


def parse_with_peak(text: str) -> tuple[Schedule, float | None]:
    """The schedule of an expression, and the peak value of one such as ``3e-4 * warmup_cosine(10, 100)``, or None.

    Raises:
        ParseError: a ValueError. The text is not an expression.

    Example:
        >>> from funcsched.plotting.controls import parse_with_peak
        >>> parse_with_peak("3e-4 * constant()")
        (constant(), 0.0003)
    """
    schedule, peak = ValueParser("parse", text).parse_product(Schedule, EXPECTED)
    if peak is not None and peak > MAX_PEAK:
        raise ParseError(f"parse: the peak must be at most {MAX_PEAK:g}, got {peak:g}")
    return schedule, peak


def _control(schedule: Schedule, name: str, value: Any) -> Control:
    optional = schedule.defaults.get(name, 0) is None
    if isinstance(value, Shape) or name == "shape":
        known = [key for key, shape in registry().items() if isinstance(shape, Value)]
        choices = (*(["None"] if optional else []), *known, *_SHAPES_WITH_ARGUMENTS)
        text = repr(value)
        return _described(name, "choice", text, optional, choices if text in choices else (*choices, text))
    if isinstance(value, str):
        return _described(name, "choice", repr(value), optional, _MODES)
    if isinstance(value, bool):
        return _described(name, "bool", value, optional)
    if value is None or type(value) in (int, float):
        if type(value) is int or (value is None and (name in _LENGTHS or name in _NUMBERS)):
            return _int_control(schedule, name, value, optional)
        if type(value) is float or name in _LEVELS:
            return _float_control(schedule, name, value, optional)
    return _described(name, "text", repr(value), optional)


def _described(name: str, kind: str, value: Any, optional: bool, choices: tuple[str, ...] = ()) -> Control:
    return Control(name, kind, value, None, None, None, optional, choices)


def _int_control(schedule: Schedule, name: str, value: int | None, optional: bool) -> Control:
    arguments = schedule.arguments()
    low = _ABOVE_ZERO.get((schedule.factory, name), _LENGTHS.get(name, _NUMBERS.get(name, 0)))
    if name == "warmup_steps" and arguments.get("timescale", 0) is None:  # then the warmup is the timescale
        low = 1
    high = round_spacing(max(2 * (value or 0), 10))
    if name in _LENGTHS:
        high = max(high, round_spacing(10 * default_steps(schedule) // 11))
    phases = {key: arguments.get(key) or 0 for key in ("warmup_steps", "decay_steps")}
    limit = next((key for key in ("total_steps", "period") if key in arguments and "warmup_steps" in arguments), "")
    if name == limit:  # the phases have to fit in
        low = max(low, sum(phases.values()))
    elif limit and name in _LENGTHS:
        high = max(arguments[limit] - sum(phases.values()) + phases.get(name, 0), low)
    step = round_spacing(max(high / _POSITIONS, 1))
    low = max(step * -(-low // step), low)
    present = low if value is None else value
    return Control(name, "int", value, min(low, present), max(high, present), step, optional, ())


def _float_control(schedule: Schedule, name: str, value: float | None, optional: bool) -> Control:
    low, high, step = _FLOATS.get(name, (0.0, 1.0, 0.01))
    low = _ABOVE_ZERO.get((schedule.factory, name), low)
    if schedule.factory == "cyclic" and name == "rate" and schedule.arguments()["mode"] != "exp_range":
        low = 1.0
    present = low if value is None else value
    if abs(present) > high:
        high = float(round_spacing(2 * abs(present)))
        step = high / _POSITIONS
    if present < 0:
        low = -high
    return Control(name, "float", value, min(low, present), high, step, optional, ())
