"""Schedules plotted as SVG, for notebooks."""

from __future__ import annotations

import math

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.plotting.layout import MAX_BOUNDARIES, format_step, plotted_curves, steps_to_plot, value_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.plotting.layout import Plottable

_WIDTH, _HEIGHT = 280, 80  # of the axes, in pixels


def svg(schedule: Plottable, steps: int | None = None) -> str:
    """A small plot of a schedule as SVG, to embed in HTML.

    Args:
        schedule: a schedule or a function of a step.
        steps: the last step to plot (int, 1 to 2**53). Defaults to 110 % of the length of the schedule.

    Returns:
        One SVG element. Its title is the expression; its axes have the color of the surrounding text.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` is not an integer of at least 1.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.notebook import svg
        >>> image = svg(fs.warmup_linear(10, 100), steps=100)
        >>> image[:4], "M0,80" in image, "L280,80" in image
        ('<svg', True, True)
    """
    (curve,) = plotted_curves("svg", as_schedule("svg", "schedule", schedule), None)
    steps = steps_to_plot("svg", [curve], steps)
    line = [(step, value) for step, value in curve.points(steps, _WIDTH) if math.isfinite(value)]
    bottom, top = value_range("svg", [line], False)
    points = "L".join(
        f"{_WIDTH * step / steps:.4g},{_HEIGHT * (top - value) / (top - bottom):.3g}" for step, value in line
    )
    boundaries = curve.boundaries(steps)
    marked = boundaries if len(boundaries) <= MAX_BOUNDARIES else []
    marks = "".join(f"M{_WIDTH * boundary / steps:.4g},0V{_HEIGHT}" for boundary in marked)
    text = '<text x="{}" y="{}" text-anchor="{}">{}</text>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="340" height="110" viewBox="-48 -10 340 110"'
        ' font-family="sans-serif" font-size="10" fill="currentColor">'
        f"<title>{_escape(curve.label)}</title>"
        '<g fill="none" stroke="currentColor">'
        f'<path d="M0,0V{_HEIGHT}H{_WIDTH}" stroke-opacity="0.4"/>'
        f'<path d="{marks}" stroke-opacity="0.4" stroke-dasharray="2 3"/>'
        f'<path d="M{points}" stroke="#2f86cc" stroke-width="2" stroke-linejoin="round"/></g>'
        + text.format(-5, 4, "end", f"{top:.3g}")
        + text.format(-5, _HEIGHT, "end", f"{bottom:.3g}")
        + text.format(0, _HEIGHT + 15, "start", "0")
        + text.format(_WIDTH, _HEIGHT + 15, "end", f"step {format_step(steps)}")
        + "</svg>"
    )


def html(schedule: Schedule) -> str | None:
    """The expression and the plot of a schedule, or None if it cannot be plotted."""
    try:
        return f"<code>{_escape(repr(schedule))}</code><br>{svg(schedule)}"
    except Exception:  # displaying a schedule must not fail, for example because of a traced parameter
        return None


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # html.escape would import re
