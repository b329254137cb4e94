"""The axes of the plot: their ranges and their labelled positions."""

from __future__ import annotations

import math

from funcsched.plotting.layout import format_step, format_value, round_spacing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_COUNT = 6  # labels on an axis, about


def step_axis(last: int, log: bool, tokens_per_step: int | None) -> dict[str, Any]:
    """The horizontal axis from step 0, or step 1 if it is logarithmic, to the last step.

    Args:
        last: the last step.
        log: whether the axis is logarithmic.
        tokens_per_step: for labels in tokens. The positions of the labels are always in steps.
    """
    per_step = tokens_per_step or 1
    unit = "step" if tokens_per_step is None else "tokens"
    if log:
        counts = [10**k for k in range(len(str(last * per_step))) if per_step <= 10**k <= last * per_step]
        counts = counts[:: -(-len(counts) // _MAX_COUNT) or 1]
    else:
        counts = list(range(0, last * per_step + 1, round_spacing(last * per_step / _MAX_COUNT)))
    ticks = [[count / per_step, format_step(count)] for count in counts]
    return {"label": unit, "log": log, "low": 1 if log else 0, "high": max(last, 2) if log else last, "ticks": ticks}


def rate_axis(bottom: float, top: float, log: bool) -> dict[str, Any]:
    """The vertical axis for values from `bottom` to `top`, which is above it."""
    if log:
        exponents = range(math.ceil(math.log10(bottom) - 1e-9), math.floor(math.log10(top) + 1e-9) + 1)
        values = [10.0**exponent for exponent in exponents]
        if len(values) < 2:  # less than a decade
            values = [bottom, top]
        margin = max(1.15, (top / bottom) ** 0.05)  # at the bottom, it separates the lowest value from zeros
        return {
            "label": "learning rate",
            "log": True,
            "low": max(bottom / margin, math.ulp(0.0)),
            "high": top * margin,
            "ticks": _labelled(values, True),
        }
    unit = max(10.0 ** (math.floor(math.log10(top - bottom)) - 2), 1e-300)  # a float above 0
    spacing = round_spacing((top - bottom) / unit / _MAX_COUNT) * unit
    values = [i * spacing for i in range(math.ceil(bottom / spacing - 1e-9), math.floor(top / spacing + 1e-9) + 1)]
    margin = 0.05 * (top - bottom)
    low = bottom - margin if bottom < 0 else 0.0
    return {"label": "learning rate", "log": False, "low": low, "high": top + margin, "ticks": _labelled(values)}


def _labelled(values: list[float], log: bool = False) -> list[list[Any]]:
    small = (min if log else max)(map(abs, values)) < 1e-3
    return [[value, format_value(value, small)] for value in values]
