"""Schedules plotted by matplotlib, into a file or into axes."""

from __future__ import annotations

from os.path import splitext

from funcsched.core.validation import argument_error, boolean
from funcsched.plotting.layout import MAX_BOUNDARIES, plotted_curves, steps_to_plot, value_range, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any

    from matplotlib.axes import Axes

    from funcsched.plotting.layout import Plottable

_INTERVALS = 2000  # between evenly spaced points of a curve
_LEGEND_WIDTH = 92  # characters that fit below the axes
# The palette of Okabe and Ito without its yellow: distinguishable with colour blindness. Each curve has its own line
# style too, so that more curves than colours, and curves in print, stay distinguishable.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 2)))


def plot(
    schedules: Plottable | Sequence[Plottable] | Mapping[str, Plottable],
    *,
    steps: int | None = None,
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
        peak_value: the learning rate at multiplier 1 (float, above 0). Without it, multipliers are plotted.
        log: whether the vertical axis is logarithmic (bool). It spans at most six decades, and values of 0 are not
            visible on it.
        path: where to save the figure (.png or .svg). Without it, the figure belongs to pyplot, which shows it in
            notebooks and by ``pyplot.show()``.
        axes: the matplotlib axes to plot into, instead of a new figure.

    Returns:
        The matplotlib axes.

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
        from matplotlib.ticker import EngFormatter, MaxNLocator
    except ModuleNotFoundError as error:
        message = "plot: matplotlib is not installed; pip install 'funcsched[plot]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    labels = [wrap(curve.label, _LEGEND_WIDTH) for curve in curves]
    figure: Any = None
    ax: Any = axes  # untyped, because matplotlib's annotations are incomplete
    if axes is None:
        new_figure: Any = Figure
        if path is None:
            from matplotlib.pyplot import figure as new_figure
        height = 3.6 + 0.17 * sum(map(len, labels))  # inches, including the lines of the legend
        figure = new_figure(figsize=(7.2, height), layout="constrained")
        ax = figure.subplots()
    for i, (curve, line, label) in enumerate(zip(curves, lines, labels, strict=True)):
        color, style = _COLORS[i % len(_COLORS)], _STYLES[(i + i // len(_COLORS)) % len(_STYLES)]
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
    ax.set_xlim(0, steps)
    if log:
        ax.set_yscale("log")
        ax.set_ylim(bottom, top * 1.4)
    else:
        margin = 0.05 * (top - bottom)
        ax.set_ylim(bottom - margin if bottom < 0 else 0, top + margin if top > 0 else 0)
    ax.set_xlabel("step")
    ax.set_ylabel("learning rate" if any(curve.is_rate for curve in curves) else "multiplier")
    if steps < 10:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if steps >= 10_000:
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.grid(color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if figure is None:
        ax.legend(fontsize=8)
        figure = ax.figure
    else:
        font = {"family": "monospace", "size": 8}
        figure.legend(loc="outside lower left", frameon=False, handlelength=3.2, prop=font)
    if suffix is not None:
        # Without a date, and with deterministic ids, the same figure gives the same file.
        with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
            figure.savefig(path, format=suffix[1:], dpi=110, metadata={"Date": None} if suffix == ".svg" else None)
    result: Axes = ax
    return result
