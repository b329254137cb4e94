"""Sliders for the arguments of a schedule, in notebooks."""

from __future__ import annotations

from funcsched.core.validation import argument_error, optional, positive
from funcsched.plotting.controls import parse_with_peak
from funcsched.plotting.layout import PlottedCurve, steps_to_plot
from funcsched.serialization.expression import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.plotting.explorer import Explorer
    from funcsched.plotting.layout import Plottable


def explore(schedule: Plottable | str, *, peak_value: float | None = None, steps: int | None = None) -> Explorer:
    """Show a schedule in a notebook, with sliders for its arguments.

    ``explore(schedule).schedule`` is the schedule at the present positions of the sliders

    Each number has a slider and a field, also those of nested schedules. The curve is redrawn at every change. The
    expression above it can be copied, or replaced by another one. If arguments do not fit together, the message is
    shown and the last valid curve stays.

    Args:
        schedule: a schedule without Python functions and arrays; a `Rated` of the bridges or a curve of a plan, which
            have their own peak value; or an expression (str), also with a peak value:
            ``"3e-4 * warmup_cosine(1000, 10_000)"``.
        peak_value: the learning rate at multiplier 1 (float, above 0). Without it, multipliers are plotted. It can be
            changed in the notebook.
        steps: the last step to plot (int, 1 to 2**53). Without it, the axis follows the length of the schedule.

    Returns:
        A widget of ipywidgets. A notebook displays it if it is the last expression of a cell. Its attribute `schedule`
        is the present schedule; ``observe(function, "schedule")`` calls a function after every change.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, the schedule contains a Python
            function or an array, or the text is not an expression.
        ModuleNotFoundError: ipywidgets is not installed (`pip install 'funcsched[notebook]'`).

    Example:
        >>> import funcsched as fs
        >>> explorer = fs.explore(fs.warmup_cosine(1000, 10_000), peak_value=3e-4)
        >>> explorer.schedule
        warmup_cosine(warmup_steps=1000, total_steps=10000)
    """
    if isinstance(getattr(schedule, "curves", None), dict):  # a `Plan`
        fix = 'use one of its curves: plan.curves["lr"]'
        raise argument_error("explore", "schedule", "a schedule", schedule, TypeError, fix=fix)
    if isinstance(schedule, str):
        if "(" not in schedule:
            requirement = "a schedule or its expression, such as 'warmup_cosine(10, 100)'"
            fix = f'for a published recipe, use fs.published("{schedule}").curves["lr"]' if schedule else ""
            raise argument_error("explore", "schedule", requirement, schedule, fix=fix)
        schedule, own_peak = parse_with_peak(schedule)
        peak_value = own_peak if peak_value is None else peak_value
    curve = PlottedCurve("explore", "schedule", schedule, None, optional(positive)("explore", "peak_value", peak_value))
    if steps is not None:
        steps = steps_to_plot("explore", [curve], steps)
    try:
        known = parse(repr(curve.schedule)) == curve.schedule
    except ValueError:
        known = False
    if not known:
        requirement = "a schedule without Python functions and arrays"
        fix = "fs.plot plots any function"
        raise argument_error("explore", "schedule", requirement, curve.schedule, TypeError, fix=fix)
    try:
        from funcsched.plotting.explorer import Explorer
    except ModuleNotFoundError as error:
        message = "explore: ipywidgets is not installed; pip install 'funcsched[notebook]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    return Explorer(curve.schedule, curve.peak_value if curve.is_rate else None, steps)
