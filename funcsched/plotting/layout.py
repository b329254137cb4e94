"""Shared by all plots: the curves, the number of steps to plot, the range of values, and labels."""

from __future__ import annotations

import math

from funcsched.analysis.landmarks import children, phase_boundaries
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, concrete_positive_int, optional, positive
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Plottable = Schedule | Callable[[Any], Any]
    Point = tuple[float, float]  # a step and a value

MAX_BOUNDARIES = 24  # with more phase boundaries, a plot marks none of them
MAX_STEPS = 2**53
_DEFAULT_STEPS = 100  # length of a schedule that has no end and no timescale
_CYCLES = 4  # cycles to plot of an endless repetition
_PREFIXES = " kMBTP"  # of thousands; B for billions, as numbers of tokens are given
_SMALL_VALUE = 0.01  # distance from its limit down to which an endless exponential is plotted
_TIMESCALES = 10  # timescales to plot of an endless power decay
_DECADES = 6  # decades that a logarithmic axis spans at most


class PlottedCurve:
    """A schedule to plot, with its label and its peak value.

    Args:
        function: the public function that error messages name.
        argument: its argument, as error messages name it.
        item: a schedule, a function of a step, or a `Rated` of the bridges.
        label: the label in the legend. Defaults to the expression.
        peak_value: the learning rate at multiplier 1. Defaults to that of a `Rated`; otherwise multipliers are plotted.
    """

    __slots__ = ("is_rate", "label", "peak_value", "schedule")

    def __init__(self, function: str, argument: str, item: Any, label: str | None, peak_value: float | None) -> None:
        is_rated = _is_rated(item)
        self.schedule = as_schedule(function, argument, item.schedule if is_rated else item)
        self.label = repr(self.schedule) if label is None else label
        self.is_rate = is_rated or peak_value is not None  # the values are learning rates, not multipliers
        self.peak_value = float(peak_value if peak_value is not None else item.peak_value if is_rated else 1.0)

    def value(self, step: float) -> float:
        """The value at a step: a learning rate or a multiplier."""
        return float(self.schedule(step)) * self.peak_value

    def boundaries(self, steps: int) -> list[float]:
        """The steps after 0 and up to `steps` at which a phase begins or ends."""
        return sorted(boundary for boundary in phase_boundaries(self.schedule, steps) if 0 < boundary <= steps)

    def points(self, steps: int, intervals: int) -> list[Point]:
        """The points at up to `intervals + 1` evenly spaced integers, and on both sides of each phase boundary."""
        intervals = min(intervals, steps)
        points = {(float(step), self.value(step)) for step in (i * steps // intervals for i in range(intervals + 1))}
        # A user's function may expect integers.
        only_integers = any(isinstance(part, Lift) for part in walk(self.schedule))
        for boundary in self.boundaries(steps):
            if only_integers:
                points |= {(step, self.value(step)) for step in (math.ceil(boundary) - 1, math.ceil(boundary))}
                continue
            before = self.value(boundary - max(1e-6, boundary * 1e-12))  # distinct from the boundary in float64
            after = self.value(int(boundary) if boundary == int(boundary) else boundary)
            points.add((boundary, after))
            # If most of the change over the last step happens right at the boundary, the curve jumps. A second point
            # just before the boundary makes the line vertical.
            if abs(before - after) > 0.5 * abs(self.value(max(boundary - 1, 0)) - after):
                points.add((boundary - 1e-9 * boundary, before))
        return sorted(points)


def plotted_curves(function: str, schedules: Any, peak_value: float | None) -> list[PlottedCurve]:
    """The curves of a schedule, a list of schedules, or a dictionary of labels and schedules."""
    peak = optional(positive)(function, "peak_value", peak_value)
    if isinstance(schedules, dict):
        items = [(str(label), item) for label, item in schedules.items()]
    elif isinstance(schedules, (list, tuple)) and not _is_rated(schedules):
        items = [("", item) for item in schedules]
    else:
        return [PlottedCurve(function, "schedules", schedules, None, peak)]
    if not items:
        raise argument_error(function, "schedules", "at least one schedule", schedules)
    return [
        PlottedCurve(function, f"schedules[{i}]", item, label or None, peak) for i, (label, item) in enumerate(items)
    ]


def _is_rated(item: Any) -> bool:
    """Whether an item is a `Rated` of the bridges, which this package cannot import."""
    return hasattr(item, "schedule") and hasattr(item, "peak_value") and not isinstance(item, Schedule)


def steps_to_plot(function: str, curves: Iterable[PlottedCurve], steps: int | None) -> int:
    """The last step to plot: the argument `steps`, or by default what the longest curve needs."""
    given: int | None = optional(concrete_positive_int)(function, "steps", steps)
    return max(default_steps(curve.schedule) for curve in curves) if given is None else given


def default_steps(schedule: Schedule) -> int:
    """How many steps to plot: 10 % more than its length, or enough to show how an endless schedule behaves."""
    if not is_concrete(*leaves(schedule)):
        return _DEFAULT_STEPS
    length, _ = schedule_length(schedule)
    if length == 0:
        length = _DEFAULT_STEPS
    return min(-(-11 * math.ceil(length) // 10), MAX_STEPS) if length < MAX_STEPS else MAX_STEPS


def schedule_length(schedule: Any) -> tuple[float, bool]:
    """The length of a schedule, and whether it ends there; if it is endless, the length to plot. 0 for a constant."""
    if (composition := schedule.composition()) is not None:
        return schedule_length(composition)
    own, kind = schedule.arguments(), schedule.factory
    if kind == "ramp":
        return own["steps"], True
    if kind == "join":
        last, ends = schedule_length(own["schedules"][-1])
        return max((0, *own["boundaries"])) + last, ends
    if kind == "piecewise_constant":
        return max((0, *own["boundaries"])), True
    if kind == "table":
        return len(own["values"]) - 1, True
    if kind == "repeat":
        cycles, factor = own["times"] or _CYCLES, own["period_factor"]
        return own["period"] * _geometric_sum(factor, cycles), own["times"] is not None
    if kind == "inverse_power":
        return _TIMESCALES * own["timescale"], False
    if kind == "inverse_time":
        return _TIMESCALES * own["steps"] / own["rate"], False
    if kind == "saturating_exponential":
        return -math.log(_SMALL_VALUE) * own["timescale"], False
    if kind == "exponential_decay":
        slope = abs(math.log(own["rate"]))
        distance = abs(math.log(own["end"] or _SMALL_VALUE))
        return (own["steps"] * distance / slope if slope else 0.0), own["end"] is not None
    if kind == "shift":
        length, ends = schedule_length(own["schedule"])
        return max(length - own["steps"], 0), ends
    if kind == "stretch":
        length, ends = schedule_length(own["schedule"])
        return length * own["factor"], ends
    if kind == "staircase":
        length, ends = schedule_length(own["schedule"])
        return length * own["steps"], ends
    if kind == "count_by":
        length, ends = schedule_length(own["schedule"])
        count = min(length * own["per"], MAX_STEPS)
        return schedule.update_sizes().updates_for(math.ceil(count)), ends
    parts = [part for part in map(schedule_length, children(own)) if part[0] > 0]  # without constants
    ending = max((length for length, ends in parts if ends), default=0)
    if all(ends for _, ends in parts) or (ending and _is_constant_after(schedule, ending)):
        return ending, True
    return min(max(parts)[0], 20 * min(parts)[0]), False  # at most 20 times the shortest part, to keep it visible


def _is_constant_after(schedule: Schedule, step: float) -> bool:
    """Whether an end of one part is that of the whole, as in a product whose first factor ends at 0."""
    if any(isinstance(part, Lift) for part in walk(schedule)):
        return True  # a user's function may be undefined at later steps
    return step >= MAX_STEPS or float(schedule(math.ceil(step))) == float(schedule(MAX_STEPS))


def _geometric_sum(factor: float, terms: int) -> float:
    """1 + factor + factor**2 + ..."""
    try:
        return terms if factor == 1 else (factor**terms - 1) / (factor - 1)
    except OverflowError:
        return math.inf


def value_range(function: str, lines: Iterable[Sequence[Point]], log: bool) -> tuple[float, float]:
    """The lowest and the highest value of the vertical axis."""
    values = [value for line in lines for _, value in line if math.isfinite(value)]
    top = max(values, default=0.0)
    if not log:  # with 0, which is the bottom of most schedules
        bottom, top = min([0.0, *values]), max(top, 0.0)
        return bottom, top if top > bottom else 1.0
    above_zero = [value for value in values if value > 0]
    if not above_zero:
        raise ValueError(f"{function}: a logarithmic axis requires a value above 0")
    lowest = min(above_zero)
    return (top / 2 if lowest == top else max(lowest, top * 10.0**-_DECADES)), top


class ValueAxis:
    """The vertical axis of a plot that this package draws itself."""

    __slots__ = ("bottom", "log", "top")

    def __init__(self, bottom: float, top: float, log: bool) -> None:
        self.bottom, self.top, self.log = bottom, top, log

    def fraction(self, value: float) -> float:
        """The position of a value, from 0 at the bottom, where lower values are drawn too, to 1 at the top."""
        value = max(value, self.bottom)
        if self.log:
            return math.log(value / self.bottom) / math.log(self.top / self.bottom)
        return (value - self.bottom) / (self.top - self.bottom)

    def labels(self, rows: int, distance: int) -> dict[int, str]:
        """The labels by row, counted from the top. On a logarithmic axis they are at least `distance` rows apart."""
        last = rows - 1
        scientific = needs_exponent(self.bottom, self.top)
        if not self.log:
            parts = next(parts for parts in (4, 2, 1) if last % parts == 0)  # so that each label has a row
            spacing = (self.top - self.bottom) / parts
            return {last * i // parts: format_value(self.top - i * spacing, scientific) for i in range(parts + 1)}
        labels = {last: format_log_value(self.bottom), 0: format_log_value(self.top)}
        for exponent in range(math.ceil(math.log10(self.bottom)), math.floor(math.log10(self.top)) + 1):
            row = round((1 - self.fraction(10.0**exponent)) * last)
            if all(abs(row - other) >= distance for other in labels):
                labels[row] = format_log_value(10.0**exponent)
        return labels


def needs_exponent(bottom: float, top: float) -> bool:
    """Whether the labels of an axis are written like 3e-4, because all values are small."""
    return max(abs(bottom), abs(top)) < 1e-3


def format_value(value: float, scientific: bool = False) -> str:
    """A value as the label of an axis, such as 0.25, 3e-5 or 12.5k."""
    size = abs(value)
    if 10_000 <= size < 1e18:
        power = min(int(math.log10(size) // 3), 5)
        return f"{value / 1000**power:.4g}{_PREFIXES[power]}"
    text = f"{value:.2e}" if scientific and value else f"{value:.4g}" if 1000 <= size < 10_000 else f"{value:.3g}"
    mantissa, e, exponent = text.partition("e")
    return f"{float(mantissa):g}e{int(exponent)}" if e else text


def format_log_value(value: float) -> str:
    """A value as the label of a logarithmic axis, such as 0.1 or 1e-3."""
    return format_value(value, abs(value) < 0.01)


def wrap(text: str, width: int) -> list[str]:
    """The lines of a label; continuation lines are indented."""
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False) or [""]


def format_step(step: int) -> str:
    """A step as the label of an axis: from 10,000 on with a prefix such as k or M."""
    if step < 10_000:
        return str(step)
    power = min((len(str(step)) - 1) // 3, 5)
    return f"{step / 1000**power:.6g}{_PREFIXES[power]}"


def round_spacing(minimum: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `minimum`."""
    spacing = 1
    while 5 * spacing < minimum:
        spacing *= 10
    return next(factor * spacing for factor in (1, 2, 5) if factor * spacing >= minimum)
