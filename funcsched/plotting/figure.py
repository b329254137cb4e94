"""Schedules plotted by matplotlib, into a file or into axes."""

from __future__ import annotations

from os.path import splitext

from funcsched.core.validation import argument_error, boolean
from funcsched.plotting.layout import (
    MAX_BOUNDARIES,
    format_log_value,
    format_value,
    needs_exponent,
    plotted_curves,
    steps_to_plot,
    value_range,
    wrap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any

    from matplotlib.axes import Axes

    from funcsched.plotting.layout import Plottable

_INTERVALS = 2000  # between evenly spaced points of a curve
_LEGEND_WIDTH = 92  # characters that fit below the axes
_LEGEND_SIZE = 8  # points
_CHARACTER_WIDTH = 0.58  # of the size, on average
_LEGEND_KEY_WIDTH = 36  # points, with the borders
# The palette of Okabe and Ito, without the color that is hard to see on the background: distinguishable with colour
# blindness. Each curve has its own line style too, so that more curves than colours, and curves in print, stay
# distinguishable.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_COLORS_ON_DARK = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#ffffff")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 2)))


def plot(
    schedules: Plottable | Sequence[Plottable] | Mapping[str, Plottable],
    *,
    steps: int | None = None,
    unit: str = "step",
    peak_value: float | None = None,
    log: bool = False,
    path: str | PathLike[str] | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Plot one or several schedules with matplotlib.

    ``peak_value * schedule(step)`` from step 0 to `steps`; a dotted line and a dot mark each phase boundary

    Args:
        schedules: a schedule or a function of a step, a list of them, or a dictionary that maps the labels of the
            legend to them. Without a dictionary the labels are the expressions. A `Rated` of the bridges is plotted
            with its own peak value.
        steps: the last step to plot (int, 1 to 2**53). Defaults to 110 % of the length of the longest schedule.
        unit: the label of the horizontal axis (str), such as "tokens" for the curves of a plan.
        peak_value: the learning rate at multiplier 1 (float, above 0). Without it, multipliers are plotted.
        log: whether the vertical axis is logarithmic (bool). It spans at most six decades, and values of 0 are not
            visible on it.
        path: where to save the figure (.png or .svg). Without it, the figure belongs to pyplot, which shows it in
            notebooks and by ``pyplot.show()``.
        axes: the matplotlib axes to plot into, instead of a new figure. Curves that they contain stay visible. The
            legend is placed where it covers no curve, or below the axes.

    Returns:
        The matplotlib axes. On a dark background, as in matplotlib's style "dark_background", the curves have brighter
        colors.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `log` is True and no value is
            above 0.
        ModuleNotFoundError: matplotlib is not installed (`pip install 'funcsched[plot]'`).

    Example:
        >>> import funcsched as fs
        >>> from matplotlib.figure import Figure
        >>> axes = fs.plot([fs.warmup_linear(10, 100), fs.warmup_cosine(10, 100)], axes=Figure().subplots())
        >>> [float(step) for step in axes.get_xlim()], axes.get_ylabel()
        ([0.0, 110.0], 'multiplier')
    """
    curves = plotted_curves("plot", schedules, peak_value)
    steps, log = steps_to_plot("plot", curves, steps), boolean("plot", "log", log)
    suffix = None if path is None else splitext(str(path))[1].lower()
    if suffix not in (None, ".png", ".svg"):
        raise argument_error("plot", "path", "a file name that ends in .png or .svg", str(path))
    lines = [curve.points(steps, _INTERVALS) for curve in curves]
    bottom, top = value_range("plot", lines, log)
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        message = "plot: matplotlib is not installed; pip install 'funcsched[plot]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    figure: Any = None
    ax: Any = axes  # untyped, because matplotlib's annotations are incomplete
    legend_width = _LEGEND_WIDTH if axes is None else _characters_across(ax)
    labels = [wrap(curve.label, legend_width) for curve in curves]
    if axes is None:
        new_figure: Any = Figure
        if path is None:
            from matplotlib.pyplot import figure as new_figure
        height = 3.6 + 0.17 * sum(map(len, labels))  # inches, including the lines of the legend
        figure = new_figure(figsize=(7.2, height), layout="constrained")
        ax = figure.subplots()
    before = (*ax.get_xlim(), *ax.get_ylim()) if ax.has_data() else None
    is_dark = _is_light(ax.xaxis.label.get_color())  # light text is on a dark background
    colors = _COLORS_ON_DARK if is_dark else _COLORS
    first = len(ax.get_legend_handles_labels()[1])
    for i, (curve, line, label) in enumerate(zip(curves, lines, labels, strict=True), first):
        color, style = colors[i % len(colors)], _STYLES[(i + i // len(colors)) % len(_STYLES)]
        # matplotlib would typeset text between dollar signs, and leave out labels that begin with an underscore.
        text = "\n".join(label).replace("$", r"\$")
        text = f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text
        ax.plot(*zip(*line, strict=True), color=color, linestyle=style, linewidth=1.8, label=text)
        boundaries = curve.boundaries(steps)
        if len(boundaries) <= MAX_BOUNDARIES:
            for boundary in boundaries:
                ax.axvline(boundary, color=color, linestyle=":", linewidth=0.9, alpha=0.7)
            # On a logarithmic axis, values below the bottom have no place.
            visible = [boundary for boundary in boundaries if curve.value(boundary) >= bottom]
            values = [curve.value(boundary) for boundary in visible]
            ax.plot(visible, values, color=color, marker="o", markersize=4, linestyle="")
    if log:
        ax.set_yscale("log")
        margin = (top / bottom) ** 0.05
        limits = [0.0, float(steps), bottom / margin, top * margin]
    else:
        margin = 0.05 * (top - bottom)
        limits = [0.0, float(steps), (bottom - margin if bottom < 0 else 0), (top + margin if top > 0 else 0)]
    if before is not None and not (log and before[2] <= 0):
        limits = [choose(pair) for choose, *pair in zip((min, max, min, max), before, limits, strict=True)]
    ax.set_xlim(*limits[:2])
    ax.set_ylim(*limits[2:])
    ax.set_xlabel(unit)
    ax.set_ylabel("learning rate" if any(curve.is_rate for curve in curves) else "multiplier")
    _set_ticks(ax, log)
    ax.grid(color="0.25" if is_dark else "0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if figure is None:
        _add_legend(ax)
        figure = ax.figure
    else:
        font = {"family": "monospace", "size": _LEGEND_SIZE}
        figure.legend(loc="outside lower left", frameon=False, handlelength=3.2, prop=font)
    if suffix is not None:
        # Without a date, and with deterministic ids, the same figure gives the same file.
        with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
            figure.savefig(path, format=suffix[1:], dpi=110, metadata={"Date": None} if suffix == ".svg" else None)
    result: Axes = ax
    return result


def _set_ticks(ax: Any, log: bool) -> None:
    """Set the positions and labels of ticks. Steps are integers, and labels are short."""
    from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter, NullLocator

    steps, (low, high) = ax.get_xlim()[1], ax.get_ylim()
    if steps < 10:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if steps >= 10_000:
        prefixed = EngFormatter(sep="")
        ax.xaxis.set_major_formatter(lambda value, _: prefixed.format_eng(value).replace("G", "B"))  # as `format_step`
    if log:
        ax.yaxis.set_major_formatter(lambda value, _: format_log_value(value))
        ax.yaxis.set_minor_formatter(NullFormatter())
        if high < 10 * low:  # powers of ten would be too few
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            ax.yaxis.set_minor_locator(NullLocator())
    elif (scientific := needs_exponent(low, high)) or max(-low, high) >= 10_000:
        ax.yaxis.set_major_formatter(lambda value, _: format_value(value, scientific))


def _is_light(color: Any) -> bool:
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return 0.3 * red + 0.59 * green + 0.11 * blue > 0.5


def _characters_across(axes: Any) -> int:
    """How many characters of a legend fit into the width of axes."""
    points = 72 * axes.get_window_extent().width / axes.figure.dpi
    return max(int((points - _LEGEND_KEY_WIDTH) / (_CHARACTER_WIDTH * _LEGEND_SIZE)), 20)


def _add_legend(axes: Any) -> None:
    """Add a legend inside the axes where it covers no curve, or below them."""
    legend = axes.legend(fontsize=_LEGEND_SIZE)
    curves = [line.get_path().transformed(line.get_transform()) for line in axes.get_legend_handles_labels()[0]]
    for place in range(1, 11):  # corners, edges and the center
        legend.set_loc(place)
        box = legend.get_window_extent()
        if not any(curve.intersects_bbox(box, filled=False) for curve in curves):
            return
    from matplotlib.transforms import ScaledTranslation

    labels_end = axes.xaxis.get_tightbbox().y0  # pixels
    offset = ScaledTranslation(0, (labels_end - axes.bbox.y0) / axes.figure.dpi - 0.05, axes.figure.dpi_scale_trans)
    anchor = {"bbox_to_anchor": (0, 0), "bbox_transform": axes.transAxes + offset}
    legend = axes.legend(fontsize=_LEGEND_SIZE, loc="upper left", frameon=False, borderaxespad=0, **anchor)
    if axes.figure.get_layout_engine() is None:  # the axes and their legend share the space of the axes
        subplot = axes.get_subplotspec()
        space = axes.get_position() if subplot is None else subplot.get_position(axes.figure)
        # Where the labels of the axis were cut off, they become visible, too.
        height = (legend.get_window_extent().height + max(-labels_end, 0)) / axes.figure.bbox.height
        bottom = space.y0 + min(height, space.height / 2)
        axes.set_position([space.x0, bottom, space.width, space.y1 - bottom])
