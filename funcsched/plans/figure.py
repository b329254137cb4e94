"""A plan as a figure and in notebooks: one plot per curve."""

from __future__ import annotations

from math import ceil
from os.path import splitext

from funcsched.combinators.time import stretch
from funcsched.core.validation import argument_error
from funcsched.plans.arguments import PlanCurve
from funcsched.plotting.figure import plot
from funcsched.plotting.layout import PlottedCurve, format_value
from funcsched.plotting.notebook import curve_svg, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from matplotlib.figure import Figure

    from funcsched.plans.plan import Plan

_CLOSE = 0.05  # of the length of the run
_FEWEST_STEPS = 1000  # `plot` samples integers, so a shorter run, in epochs, is stretched


def plot_plan(plan: Plan, path: str | PathLike[str] | None) -> Figure:
    """The figure of `Plan.plot`."""
    suffix = None if path is None else splitext(str(path))[1].lower()
    if suffix not in (None, ".png", ".svg"):
        raise argument_error("Plan.plot", "path", "a file name that ends in .png or .svg", str(path))
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        message = "Plan.plot: matplotlib is not installed; pip install 'funcsched[plot]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    curves, factor = _stretched(plan)
    figure = Figure(figsize=(7.2, 0.6 + 2.0 * len(curves)), layout="constrained")
    all_axes: Any = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, curve) in zip(all_axes, curves.items(), strict=True):
        item: Any = curve  # plotted like a `Rated`
        plot(item, steps=ceil(plan.length * factor), axes=axes)
        axes.get_legend().remove()
        axes.set_ylabel(name)
        axes.set_xlabel("")
        for first in plan.stages.values():
            axes.axvline(float(first) * factor, color="0.4", linewidth=0.9)
    labels: list[tuple[float, str]] = []  # those of stages that begin close to each other are joined
    for stage, first in plan.stages.items():
        if labels and first - labels[-1][0] < _CLOSE * plan.length:
            labels[-1] = (labels[-1][0], f"{labels[-1][1]}, {stage}")
        else:
            labels.append((float(first), stage))
    top = all_axes[0]
    for first, label in labels:
        top.text(first * factor, 1.02, label, transform=top.get_xaxis_transform(), rotation=30, fontsize=8, va="bottom")
    top.xaxis.set_major_formatter(lambda position, _: format_value(position / factor))
    figure.align_ylabels()
    all_axes[-1].set_xlabel(plan.unit)
    if path is not None and suffix is not None:
        # Without a date, and with deterministic ids, the same figure gives the same file.
        with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
            figure.savefig(str(path), format=suffix[1:], dpi=110, metadata={"Date": None} if suffix == ".svg" else None)
    return figure


def html(plan: Plan) -> str | None:
    """The plots of all curves, the stages and the expression of a plan, or None if it cannot be plotted."""
    try:
        curves, factor = _stretched(plan)
        end = f"{format_value(float(plan.length))} {plan.unit}"
        cells = ""
        for name, (schedule, peak) in curves.items():
            curve = PlottedCurve("Plan", f"curves[{name!r}]", schedule, name, peak)
            picture = curve_svg(curve, ceil(plan.length * factor), end=end)
            cells += f'<div style="display:inline-block"><b>{escape(name)}</b><br>{picture}</div>'
        stages = ", ".join(f"{stage} from {first:,}" for stage, first in plan.stages.items())
        notes = [f"stages: {stages}" if stages else "", plan.source, *plan.notes]
        text = "".join(f"<div>{escape(note)}</div>" for note in notes if note)
        return f"{cells}{text}<details><summary>expression</summary><code>{escape(repr(plan))}</code></details>"
    except Exception:  # displaying a plan must not fail, for example because of a user's function
        return None


def _stretched(plan: Plan) -> tuple[dict[str, PlanCurve], float]:
    """The curves to plot over integers, and the factor by which they are longer than those of the plan."""
    factor = max(1.0, _FEWEST_STEPS / float(plan.length))
    curves = plan.curves.items()
    return {name: PlanCurve(stretch(curve.schedule, factor), curve.peak_value) for name, curve in curves}, factor
