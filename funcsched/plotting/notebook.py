"""Schedules plotted as SVG, and what notebooks display."""

from __future__ import annotations

import math

from funcsched.plotting.layout import (
    MAX_BOUNDARIES,
    PlottedCurve,
    ValueAxis,
    format_step,
    steps_to_plot,
    value_range,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from funcsched.plotting.layout import Plottable, Point
    from funcsched.shapes.shape import Shape

_WIDTH, _HEIGHT = 280, 80  # of the axes, in pixels
_LEFT, _TOP = 52, 10  # space for labels


def svg(schedule: Plottable, steps: int | None = None) -> str:
    """A small plot of a schedule as SVG, to embed in HTML.

    Args:
        schedule: a schedule or a function of a step. A `Rated` of the bridges is plotted with its peak value.
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
    curve = PlottedCurve("svg", "schedule", schedule, None, None)
    steps = steps_to_plot("svg", [curve], steps)
    return curve_svg(curve, steps)


def curve_svg(
    curve: PlottedCurve, steps: int, *, end: str = "", width: int = _WIDTH, height: int = _HEIGHT, log: bool = False
) -> str:
    """A curve from step 0 to `steps`, with its phase boundaries. `end` labels the last step."""
    points = curve.points(steps, width)
    return chart(
        points, curve.boundaries(steps), end or f"step {format_step(steps)}", curve.label, width, height, log=log
    )


def chart(
    points: Iterable[Point],
    boundaries: Sequence[float],
    end: str,
    title: str,
    width: int = _WIDTH,
    height: int = _HEIGHT,
    *,
    log: bool = False,
) -> str:
    """Points from 0 to the last one, as one SVG element whose colors suit light and dark pages.

    Args:
        points: increasing positions on the horizontal axis, with their values. Those that are not finite leave gaps.
        boundaries: the positions of vertical lines. If they are too many, none is drawn.
        end: the label of the last position.
        title: the text that describes the picture to screen readers and on hover.
        width, height: the size of the axes, in pixels.
        log: whether the vertical axis is logarithmic, which also leaves gaps at values of 0 or less.
    """
    line = list(points)
    axis = ValueAxis(*value_range("chart", [line], log), log)
    last = line[-1][0]
    runs: list[list[str]] = [[]]  # of points without a gap
    for step, value in line:
        if not math.isfinite(value) or (log and value < axis.bottom):
            runs.append([])
        else:
            runs[-1].append(f"{width * step / last:.4g},{height * (1 - axis.fraction(value)):.4g}")
    path = "".join("M" + "L".join(run) for run in runs if run)
    marked = boundaries if len(boundaries) <= MAX_BOUNDARIES else []
    marks = "".join(f"M{width * boundary / last:.4g},0V{height}" for boundary in marked)
    labels = axis.labels(height + 1, 16)  # a row is a pixel
    grid = "".join(f"M0,{y}H{width}" for y in labels if y != height)
    text = '<text x="{}" y="{}" text-anchor="{}">{}</text>'
    full_width, full_height = width + _LEFT + 12, height + _TOP + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{full_width}" height="{full_height}"'
        f' viewBox="{-_LEFT} {-_TOP} {full_width} {full_height}" style="max-width:100%;height:auto"'
        ' font-family="sans-serif" font-size="10" fill="currentColor">'
        f"<title>{escape(title)}</title>"
        '<g fill="none" stroke="currentColor">'
        f'<path d="{grid}" stroke-opacity="0.12"/>'
        f'<path d="M0,0V{height}H{width}" stroke-opacity="0.4"/>'
        f'<path d="{marks}" stroke-opacity="0.4" stroke-dasharray="2 3"/>'
        f'<path d="{path}" stroke="#2f86cc" stroke-width="2" stroke-linejoin="round"/></g>'
        + "".join(text.format(-5, y + 4, "end", label) for y, label in labels.items())
        + text.format(0, height + 15, "start", "0")
        + text.format(width, height + 15, "end", escape(end))
        + "</svg>"
    )


def html(schedule: Any) -> str | None:
    """The expression and the plot of a schedule or a `Rated`, or None if it cannot be plotted."""
    try:
        return f"<code>{escape(repr(schedule))}</code><br>{svg(schedule)}"
    except Exception:  # displaying a schedule must not fail, for example because of a traced parameter
        return None


def described_html(text: str, schedule: Any) -> str | None:
    """A text of several lines, and the plot of a schedule or of a value with a schedule and a peak value."""
    try:
        return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>{svg(schedule)}'
    except Exception:  # as above
        return None


def shape_html(shape: Shape) -> str | None:
    """The expression and the plot of a shape, or None if it cannot be plotted."""
    try:
        points = [(i / _WIDTH, float(shape(i / _WIDTH))) for i in range(_WIDTH + 1)]
        text = repr(shape)
        return f"<code>{escape(text)}</code><br>{chart(points, [], 'fraction 1', text)}"
    except Exception:  # as above
        return None


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # html.escape would import re
