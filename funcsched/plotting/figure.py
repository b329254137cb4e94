"""Schedules looked at: a picture in a file, and a small one in a notebook."""

from __future__ import annotations

import math
from itertools import pairwise
from os.path import splitext

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, boolean
from funcsched.plotting.layout import MARKED, bounds, drawn, short, steps_of, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any

    from matplotlib.axes import Axes

    from funcsched.plotting.layout import Drawable

_POINTS = 2000
# Okabe and Ito's colours, told apart by colour-blind people too, without the yellow and with a style of line for each.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 2)))


def plot(
    schedules: Drawable | Sequence[Drawable] | Mapping[str, Drawable],
    *,
    steps: int | None = None,
    peak_value: float | None = None,
    log: bool = False,
    path: str | PathLike[str] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """A picture of one or several schedules, with matplotlib.

    ``peak_value * schedule(step)`` for every step from 0 to `steps`, with a dotted line and a dot where a phase begins

    Args:
        schedules: a schedule or a function of a step, several in a list, or a dictionary of them by the label that
            the legend shows; by default that is the expression. A `Rated` of the bridges is drawn with its own peak.
        steps: how far to draw, an integer of at least 1; by default to the end of the longest and a tenth more.
        peak_value: the learning rate at multiplier 1, above 0.
        log: whether the axis of the values is logarithmic. It goes down six decades at most, and values of 0 fall out
            of it.
        path: where to save the picture, as .png or .svg; without it, it is shown where pyplot shows figures.
        axes: where to draw, instead of a new figure.

    Returns:
        The axes of matplotlib, to be changed further.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or with `log` nothing is above 0.
        ModuleNotFoundError: matplotlib is not installed (`pip install funcsched[plot]`).

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.figure import plot
        >>> from matplotlib.figure import Figure
        >>> axes = plot([fs.warmup_linear(10, 100), fs.warmup_cosine(10, 100)], axes=Figure().subplots())
        >>> [float(step) for step in axes.get_xlim()], axes.get_ylabel()
        ([0.0, 110.0], 'multiplier')
    """
    curves = drawn("plot", schedules, peak_value)
    steps, log = steps_of("plot", curves, steps), boolean("plot", "log", log)
    suffix = None if path is None else splitext(path)[1].lower()
    if suffix not in (None, ".png", ".svg"):
        raise argument_error("plot", "path", "a name that ends in .png or .svg", str(path))
    lines = [curve.points(steps, _POINTS) for curve in curves]
    bottom, top = bounds("plot", lines, log)
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.ticker import EngFormatter, MaxNLocator
    except ModuleNotFoundError as error:
        message = "plot: a picture needs matplotlib, which is not installed: pip install 'funcsched[plot]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    labels = [wrapped(curve.label, 92) for curve in curves]
    height = 3.6 + 0.17 * sum(len(label) for label in labels)
    figure: Any = None
    if axes is None:
        new: Any = Figure
        if path is None:
            from matplotlib.pyplot import figure as new
        figure = new(figsize=(7.2, height), layout="constrained")
        axes = figure.subplots()
    for i, (curve, line, label) in enumerate(zip(curves, lines, labels, strict=True)):
        color, style = _COLORS[i % len(_COLORS)], _STYLES[(i + i // len(_COLORS)) % len(_STYLES)]
        # matplotlib would set what is between dollars as mathematics, and leave out what begins with an underscore.
        text = "\n".join(label).replace("$", r"\$")
        text = f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text
        axes.plot(*zip(*line, strict=True), color=color, linestyle=style, linewidth=1.8, label=text)
        marks = curve.marks(steps)
        if len(marks) <= MARKED:
            values = [curve.value(mark) for mark in marks]
            for mark in marks:
                axes.axvline(mark, color=color, linestyle=":", linewidth=0.9, alpha=0.7)
            shown = [(mark, value) for mark, value in zip(marks, values, strict=True) if value >= bottom]
            axes.plot(*(zip(*shown, strict=True) if shown else ((), ())), color=color, marker="o", ms=4, linestyle="")
    axes.set_xlim(0, steps)
    if log:
        axes.set_yscale("log")
        axes.set_ylim(bottom, top * 1.4)
    else:
        axes.set_ylim(0, top * 1.05)
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate" if any(curve.rated for curve in curves) else "multiplier")
    if steps < 10:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if steps >= 10_000:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if figure is None:
        axes.legend(fontsize=8)
        figure = axes.figure
    else:
        font = {"family": "monospace", "size": 8}
        figure.legend(loc="outside lower left", frameon=False, handlelength=3.2, prop=font)
    if suffix is not None:
        # Without a date and with names of its own, the same picture is the same file.
        with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
            figure.savefig(path, format=suffix[1:], dpi=110, metadata={"Date": None} if suffix == ".svg" else None)
    return axes


def svg(schedule: Drawable, steps: int | None = None) -> str:
    """A small picture of a schedule as SVG, to stand in a page or a notebook.

    Args:
        schedule: a schedule or a function of a step.
        steps: how far to draw, as in `plot`.

    Returns:
        One element of SVG, in the colour of the text around it; its title is the expression.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` not an integer of at least 1.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.figure import svg
        >>> picture = svg(fs.warmup_linear(10, 100), steps=100)
        >>> picture[:4], "M0,80L28,0L280,80" in picture
        ('<svg', True)
    """
    (curve,) = drawn("svg", as_schedule("svg", "schedule", schedule), None)
    steps = steps_of("svg", [curve], steps)
    line = curve.points(steps, 280)
    _, top = bounds("svg", [line], False)
    points = _straightened([(280 * x / steps, 80 - 80 * y / top) for x, y in line if math.isfinite(y)])
    traced = "L".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in points)
    marks = curve.marks(steps)
    uprights = "".join(f"M{round(280 * mark / steps, 1):g},0V80" for mark in marks if len(marks) <= MARKED)
    text = '<text x="{}" y="{}" text-anchor="{}">{}</text>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="340" height="110" viewBox="-48 -10 340 110"'
        ' font-family="sans-serif" font-size="10" fill="currentColor">'
        f"<title>{_escaped(curve.label)}</title>"
        '<g fill="none" stroke="currentColor">'
        '<path d="M0,0V80H280" stroke-opacity="0.4"/>'
        f'<path d="{uprights}" stroke-opacity="0.4" stroke-dasharray="2 3"/>'
        f'<path d="M{traced}" stroke="#2f86cc" stroke-width="2" stroke-linejoin="round"/></g>'
        + text.format(-5, 4, "end", f"{top:.3g}")
        + text.format(-5, 80, "end", "0")
        + text.format(0, 95, "start", "0")
        + text.format(280, 95, "end", f"step {short(steps)}")
        + "</svg>"
    )


def html(schedule: Schedule) -> str | None:
    """The expression and its picture for a notebook; None where there is none, and the text stands alone."""
    try:
        return f"<code>{_escaped(repr(schedule))}</code><br>{svg(schedule)}"
    except Exception:  # of a traced number, or a function that is not for Python's: a display must not fail
        return None


def _straightened(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same line without the points that it would pass anyway, to a twentieth of a pixel."""
    kept, skipped = list(points[:1]), []
    for point, after in pairwise(points[1:]):
        skipped.append(point)
        (x, y), (dx, dy) = kept[-1], (after[0] - kept[-1][0], after[1] - kept[-1][1])
        length = math.hypot(dx, dy) or 1.0
        if any(abs((px - x) * dy - (py - y) * dx) > 0.05 * length for px, py in skipped):
            kept.append(point)
            skipped = []
    return [*kept, *points[-1:]] if len(points) > 1 else kept


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
