"""The figure of a plan: one axis per curve."""

from __future__ import annotations

from math import ceil
from os.path import splitext

from funcsched.combinators.time import stretch
from funcsched.core.validation import argument_error
from funcsched.plans.arguments import PlanCurve
from funcsched.plotting.figure import plot

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
    factor = max(1.0, _FEWEST_STEPS / float(plan.length))
    curves = plan.curves
    figure = Figure(figsize=(7.2, 0.6 + 2.0 * len(curves)), layout="constrained")
    all_axes: Any = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, curve) in zip(all_axes, curves.items(), strict=True):
        item: Any = PlanCurve(stretch(curve.schedule, factor), curve.peak_value)  # plotted like a `Rated`
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
        top.text(first * factor, 1.02, label, transform=top.get_xaxis_transform(), rotation=20, fontsize=8, va="bottom")
    if factor > 1:
        top.xaxis.set_major_formatter(lambda position, _: f"{position / factor:.3g}")
    all_axes[-1].set_xlabel(plan.unit)
    if path is not None and suffix is not None:
        # Without a date, and with deterministic ids, the same figure gives the same file.
        with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
            figure.savefig(str(path), format=suffix[1:], dpi=110, metadata={"Date": None} if suffix == ".svg" else None)
    return figure
