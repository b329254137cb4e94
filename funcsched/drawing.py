"""Schedules looked at: a picture in a file, a curve in the terminal, a small one in a notebook."""

from __future__ import annotations

import math
from itertools import pairwise

from funcsched._check import MAX_CYCLES, length_now, one_of, optional, positive, refuse, rule, truth
from funcsched._exact import known
from funcsched._value import numbers
from funcsched.schedule import Lift, Schedule, lifted, parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from os import PathLike
    from typing import Any

    from matplotlib.axes import Axes

    Drawable = Schedule | Callable[[Any], Any]

_FARTHEST = 2**53
_UNKNOWN = 100  # steps to draw of what says nothing of its length
_CYCLES = 4  # to draw of what repeats for ever
_SMALL = 0.01  # an endless decay is drawn until it is there, but for powers
_TIMESCALES = 10  # to draw of these
_MARKS = 4000  # phases that a curve is exact at
_MARKED = 24  # more lines would be a wall
_DECADES = 6  # below the peak, on a log axis
_POINTS = 2000
# Okabe and Ito's colours, told apart by colour-blind people too, without the yellow and with a style of line for each.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 2)))
_ANSI = (36, 33, 35, 32, 34, 31)
_LETTERS = "*+ox#@%&"
_size = rule(f"a whole number from 1 to {MAX_CYCLES}", 1, MAX_CYCLES, int)


class _Curve:
    """A schedule with its label and its peak."""

    __slots__ = ("label", "peak", "rated", "schedule")

    def __init__(self, function: str, argument: str, item: Any, label: str | None, peak_value: float | None) -> None:
        # A pair of a schedule and its peak, as the bridges return it.
        pair = hasattr(item, "schedule") and hasattr(item, "peak_value") and not isinstance(item, Schedule)
        self.schedule = lifted(function, argument, item.schedule if pair else item)
        self.label = repr(self.schedule) if label is None else label
        self.rated = pair or peak_value is not None
        self.peak = float(peak_value if peak_value is not None else item.peak_value if pair else 1.0)

    def value(self, step: float) -> float:
        return float(self.schedule(step)) * self.peak

    def marks(self, steps: int) -> list[float]:
        """The steps from 1 to the last at which a phase begins or ends."""
        return sorted(mark for mark in _marks(self.schedule, steps) if 0 < mark <= steps)

    def points(self, steps: int, count: int) -> list[tuple[float, float]]:
        """Steps and values that a line through them shows: phases begin where they do, and jumps are upright."""
        if steps <= count:
            at: set[float] = set(range(steps + 1))
        else:
            at = {i * steps // count for i in range(count + 1)}
        row = [(float(step), self.value(step)) for step in at]
        whole = any(isinstance(part, Lift) for part in parts(self.schedule))
        for mark in self.marks(steps):
            if whole:  # a function may be written for whole numbers alone
                row += [(step, self.value(step)) for step in (math.ceil(mark) - 1, math.ceil(mark))]
                continue
            step = int(mark) if mark == int(mark) else mark
            before, after = self.value(mark - max(1e-6, mark * 1e-12)), self.value(step)
            if abs(before - after) > 0.5 * abs(self.value(max(mark - 1, 0)) - after):  # in no time, not in a step
                row.append((mark - 1e-9 * mark, before))
            row.append((mark, after))
        return sorted({*row})


def _curves(function: str, schedules: Any, peak_value: float | None) -> list[_Curve]:
    peak = optional(positive)(function, "peak_value", peak_value)
    if isinstance(schedules, dict):
        items = [(str(label), item) for label, item in schedules.items()]
    elif isinstance(schedules, (list, tuple)) and not hasattr(schedules, "peak_value"):
        items = [("", item) for item in schedules]
    else:
        return [_Curve(function, "schedules", schedules, None, peak)]
    if not items:
        raise refuse(function, "schedules", "at least one schedule", schedules)
    return [_Curve(function, f"schedules[{i}]", item, label or None, peak) for i, (label, item) in enumerate(items)]


def reach(schedule: Schedule) -> int:
    """How far to draw a schedule: to its end and a tenth more, or until an endless one has shown what it does."""
    if not known(*numbers(schedule)):
        return _UNKNOWN
    end, _ = _length(schedule)
    end = math.ceil(end) if 0 < end < _FARTHEST else _FARTHEST if end else _UNKNOWN
    return min(-(-11 * end // 10), _FARTHEST)


def _length(schedule: Any) -> tuple[float, bool]:
    """How many steps, and whether the schedule ends after them."""
    if (body := schedule.body()) is not None:
        return _length(body)
    own, kind = schedule.arguments(), schedule.factory
    if kind == "ramp":
        return own["steps"], True
    if kind == "join":
        last, ends = _length(own["schedules"][-1])
        return max((0, *own["boundaries"])) + last, ends
    if kind == "piecewise_constant":
        return max((0, *own["boundaries"])), True
    if kind == "table":
        return len(own["values"]) - 1, True
    if kind == "repeat":
        cycles = range(own["times"] or _CYCLES)
        factor = own["period_factor"]
        return own["period"] * _sum(factor, len(cycles)), own["times"] is not None
    if kind == "inverse_power":
        return _TIMESCALES * own["timescale"], False
    if kind == "inverse_time":
        return _TIMESCALES * own["steps"] / own["rate"], False
    if kind == "exponential_decay":
        slope = abs(math.log(own["rate"]))
        until = abs(math.log(own["end"])) if own["end"] else -math.log(_SMALL)
        return (own["steps"] * until / slope if slope else 0.0), own["end"] is not None
    if kind == "shift":
        steps, ends = _length(own["schedule"])
        return max(steps - own["steps"], 0), ends
    if kind == "stretch":
        steps, ends = _length(own["schedule"])
        return steps * own["factor"], ends
    inside = [_length(item) for item in _children(own)]
    ending = [steps for steps, ends in inside if ends]
    if ending or not inside:
        return max(ending, default=0), True
    return min(max(inside)[0], 20 * min(inside)[0]), False  # of a fast wave on a slow decay, the wave can be seen


def _sum(factor: float, count: int) -> float:
    """1 + factor + factor**2 + ... of so many terms."""
    if factor == 1:
        return count
    exponent = count * math.log2(factor)
    return (factor**count - 1) / (factor - 1) if exponent < 60 else float(_FARTHEST)


def _children(arguments: dict[str, Any]) -> list[Any]:
    rows = (value if isinstance(value, tuple) else (value,) for value in arguments.values())
    return [item for row in rows for item in row if isinstance(item, Schedule)]


def _marks(schedule: Any, until: float) -> set[float]:
    """Where phases begin, from step 0 to `until`; not all where there are thousands."""
    if (body := schedule.body()) is not None:
        return _marks(body, until)
    own, kind = schedule.arguments(), schedule.factory
    if not known(*numbers(schedule)):
        return set()
    if kind == "ramp":
        return {own["steps"]}
    if kind == "join":
        found: set[float] = set()
        begins = (0, *own["boundaries"])
        for piece, begin, end in zip(own["schedules"], begins, (*begins[1:], until), strict=True):
            length = min(end, until) - begin
            if length >= 0:
                found |= {begin, *(begin + mark for mark in _marks(piece, length) if mark <= length)}
        return found
    if kind == "piecewise_constant":
        return set(own["boundaries"][:_MARKS])
    if kind == "repeat":
        return _repeated(own, until)
    if kind == "exponential_decay" and own["staircase"]:
        return {own["steps"] * (i + 1) for i in range(min(int(until // own["steps"]), _MARKS))}
    if kind == "inverse_time" and own["staircase"]:
        return {own["steps"] * (i + 1) for i in range(min(int(until // own["steps"]), _MARKS))}
    if kind == "shift":
        return {mark - own["steps"] for mark in _marks(own["schedule"], until + own["steps"])}
    if kind == "stretch":
        return {mark * own["factor"] for mark in _marks(own["schedule"], until / own["factor"])}
    return {mark for item in _children(own) for mark in _marks(item, until)}


def _repeated(own: dict[str, Any], until: float) -> set[float]:
    inside = {mark for mark in _marks(own["schedule"], own["period"]) if mark < own["period"]}
    found: set[float] = set()
    begin, scale = 0.0, 1.0
    for _ in range(min(own["times"] or _MARKS, _MARKS // (len(inside) + 1))):
        if begin > until:
            break
        found |= {begin, *(begin + scale * mark for mark in inside)}
        begin, scale = begin + scale * own["period"], scale * own["period_factor"]
    return {*found, begin}


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
        steps: how far to draw, a whole number of at least 1; by default to the end of the longest and a tenth more.
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
        >>> from funcsched.drawing import plot
        >>> from matplotlib.figure import Figure
        >>> axes = plot([fs.warmup_linear(10, 100), fs.warmup_cosine(10, 100)], axes=Figure().subplots())
        >>> [float(step) for step in axes.get_xlim()], axes.get_ylabel()
        ([0.0, 110.0], 'multiplier')
    """
    curves = _curves("plot", schedules, peak_value)
    steps, log = _steps("plot", curves, steps), truth("plot", "log", log)
    suffix = None if path is None else str(path).rpartition(".")[2].lower()
    if suffix not in (None, "png", "svg"):
        raise refuse("plot", "path", "a name that ends in .png or .svg", str(path))
    lines = [curve.points(steps, _POINTS) for curve in curves]
    bottom, top = _bounds("plot", lines, log)
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.ticker import EngFormatter
    except ModuleNotFoundError as error:
        message = "plot: a picture needs matplotlib, which is not installed: pip install 'funcsched[plot]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    labels = [_wrapped(curve.label, 92) for curve in curves]
    height = 3.6 + 0.17 * sum(len(label) for label in labels)
    figure: Any = None
    if axes is None and path is None:
        from matplotlib import pyplot

        axes = pyplot.figure(figsize=(7.2, height), layout="constrained").subplots()
    elif axes is None:
        figure = Figure(figsize=(7.2, height), layout="constrained")
        axes = figure.subplots()
    for i, (curve, line, label) in enumerate(zip(curves, lines, labels, strict=True)):
        color, style = _COLORS[i % len(_COLORS)], _STYLES[i % len(_STYLES)]
        text = "\n".join(label)
        axes.plot(*zip(*line, strict=True), color=color, linestyle=style, linewidth=1.8, label=text)
        marks = curve.marks(steps)
        if len(marks) <= _MARKED:
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
    if steps >= 10_000:
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if figure is None:
        axes.legend(fontsize=8)
        return axes
    figure.legend(loc="outside lower left", frameon=False, handlelength=3.2, prop={"family": "monospace", "size": 8})
    # Without a date and with names of its own, the same picture is the same file.
    with matplotlib.rc_context({"svg.hashsalt": "funcsched"}):
        figure.savefig(path, format=suffix, dpi=110, metadata={"Date": None} if suffix == "svg" else None)
    return axes


def _steps(function: str, curves: Iterable[_Curve], steps: int | None) -> int:
    given: int | None = optional(length_now)(function, "steps", steps)
    return max(reach(curve.schedule) for curve in curves) if given is None else given


def _bounds(function: str, lines: Iterable[Iterable[tuple[float, float]]], log: bool) -> tuple[float, float]:
    """The lowest and the highest value of an axis."""
    values = [value for line in lines for _, value in line if math.isfinite(value)]
    top = max(values, default=0.0)
    if not log:
        return 0.0, top if top > 0 else 1.0
    above = [value for value in values if value > 0]
    if not above:
        raise refuse(function, "log", "False where no value is above 0", True)
    return max(min(above), top * 10.0**-_DECADES) / (2 if min(above) == top else 1), top


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="  ", break_on_hyphens=False) or [""]


def terminal(
    schedules: Drawable | Sequence[Drawable] | Mapping[str, Drawable],
    width: int = 80,
    height: int = 13,
    *,
    steps: int | None = None,
    peak_value: float | None = None,
    log: bool = False,
    characters: str = "braille",
    color: bool = False,
) -> str:
    """A picture of one or several schedules as text.

    Args:
        schedules: as in `plot`.
        width: of the text, in characters; below 24 it counts as 24.
        height: of the curve, in lines; below 5 it counts as 5.
        steps: as in `plot`.
        peak_value: as in `plot`.
        log: as in `plot`.
        characters: "braille" or "ascii". Several curves without colours are told apart by a character each.
        color: whether to colour the curves by escapes of ANSI terminals.

    Returns:
        Lines of text: the curve with its axes, where phases begin, and a legend.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.drawing import terminal
        >>> print(terminal(fs.warmup_linear(20, 80), 42, 5, steps=80, characters="ascii"))
           1 |        *****                      :
        0.75 |      ** :  *******                :
         0.5 |    **   :         *******         :
        0.25 | ***     :               ********  :
           0 |**       :                      ****
             ++---------------------+-------------
              0                    50
        warmup_linear(warmup_steps=20,
           total_steps=80)
        phases change at step 20, 80
    """
    curves = _curves("terminal", schedules, peak_value)
    steps, log = _steps("terminal", curves, steps), truth("terminal", "log", log)
    width = max(_size("terminal", "width", width), 24)
    height = max(_size("terminal", "height", height), 5)
    braille = one_of("braille", "ascii")("terminal", "characters", characters) == "braille"
    paint = truth("terminal", "color", color)
    lines = [curve.points(steps, 4 * width) for curve in curves]
    scale = _Scale(*_bounds("terminal", lines, log), log)
    labels = scale.labels(height)
    margin = max(map(len, labels.values()))
    columns = width - margin - 2
    dotted = braille and (paint or len(curves) == 1)
    grid = _Grid(columns, height, 2 if dotted else 1, 4 if dotted else 1)
    marks = sorted({mark for curve in curves for mark in curve.marks(steps)})
    for i, line in enumerate(lines):
        grid.draw(line, steps, scale, i)
    upright = {} if len(marks) > _MARKED else {grid.column(mark / steps): "┊" if braille else ":" for mark in marks}
    side, corner, flat, tick = "│└─┬" if braille else "|+-+"
    text = []
    for row in range(height):
        cells = [grid.cell(row, column, upright.get(column, " ")) for column in range(columns)]
        text.append(f"{labels.get(row, ''):>{margin}} {side}" + _painted(cells, paint))
    places = _ticks(steps, columns)
    axis = [tick if column in places else flat for column in range(columns)]
    text += [" " * (margin + 1) + corner + "".join(axis), " " * (margin + 2) + _under(places, columns)]
    text += _legend(curves, width, paint, dotted, braille)
    if 0 < len(marks) <= _MARKED:
        text += _wrapped("phases change at step " + ", ".join(f"{mark:.15g}" for mark in marks), width)
    return "\n".join(line.rstrip() for line in text)


class _Scale:
    """The axis of the values."""

    __slots__ = ("bottom", "log", "top")

    def __init__(self, bottom: float, top: float, log: bool) -> None:
        self.bottom, self.top, self.log = bottom, top, log

    def share(self, value: float) -> float | None:
        """How high a value stands, from 0 to 1; None where it cannot be seen."""
        if not self.bottom <= value <= self.top:  # NaN too
            return None
        if self.log:
            return math.log(value / self.bottom) / math.log(self.top / self.bottom)
        return value / self.top

    def labels(self, height: int) -> dict[int, str]:
        """What to write beside which line."""
        last = height - 1
        if not self.log:
            parts = next(parts for parts in (4, 2, 1) if last % parts == 0)
            return {last * i // parts: f"{self.top * (parts - i) / parts:.3g}" for i in range(parts + 1)}
        found = {last: f"{self.bottom:.2g}", 0: f"{self.top:.2g}"}
        for exponent in range(math.ceil(math.log10(self.bottom)), math.floor(math.log10(self.top)) + 1):
            share = self.share(10.0**exponent)
            row = last if share is None else round((1 - share) * last)
            if not {row - 1, row, row + 1} & found.keys():
                found[row] = f"{10.0**exponent:.2g}"
        return found


class _Grid:
    """Characters that curves are drawn on, of one dot or of several."""

    __slots__ = ("columns", "dots", "high", "owners", "rows", "wide")

    def __init__(self, columns: int, rows: int, wide: int, high: int) -> None:
        self.columns, self.rows, self.wide, self.high = columns, rows, wide, high  # dots of a character
        self.dots: dict[tuple[int, int], int] = {}
        self.owners: dict[tuple[int, int], int] = {}

    def column(self, share: float) -> int:
        return round(share * (self.columns * self.wide - 1)) // self.wide

    def draw(self, line: Iterable[tuple[float, float]], steps: int, scale: _Scale, owner: int) -> None:
        last: tuple[float, float] | None = None
        below = False
        for step, value in line:
            share = scale.share(value)
            hidden, below = below, share is None and value < scale.bottom
            if share is None and (not below or last is None):
                last = None
                continue
            # A line that comes from below the axis, or goes there, is seen as far as to its edge.
            point = step / steps * (self.columns * self.wide - 1), (1 - (share or 0.0)) * (self.rows * self.high - 1)
            x, y = last or (point if not hidden else (point[0], self.rows * self.high - 1.0))
            count = max(1, math.ceil(max(abs(point[0] - x), abs(point[1] - y))))
            for i in range(count + 1):
                self._dot(round(x + (point[0] - x) * i / count), round(y + (point[1] - y) * i / count), owner)
            last = None if below else point

    def _dot(self, x: int, y: int, owner: int) -> None:
        cell = y // self.high, x // self.wide
        bit = 0 if self.high == 1 else ((0, 1, 2, 6), (3, 4, 5, 7))[x % self.wide][y % self.high]  # of braille
        self.dots[cell] = self.dots.get(cell, 0) | 1 << bit
        self.owners[cell] = owner

    def cell(self, row: int, column: int, blank: str) -> tuple[str, int | None]:
        """The character of a cell, and whose curve it is of."""
        owner = self.owners.get((row, column))
        if owner is None:
            return blank, None
        return chr(0x2800 + self.dots[row, column]) if self.high > 1 else _LETTERS[owner % len(_LETTERS)], owner


def _painted(cells: Iterable[tuple[str, int | None]], paint: bool) -> str:
    if not paint:
        return "".join(character for character, _ in cells)
    text, current = "", None
    for character, owner in cells:
        if owner != current:
            text += ("" if current is None else "\x1b[0m") + ("" if owner is None else _escape(owner))
            current = owner
        text += character
    return text + ("" if current is None else "\x1b[0m")


def _escape(owner: int) -> str:
    return f"\x1b[{_ANSI[owner % len(_ANSI)]}m"


def _legend(curves: Sequence[_Curve], width: int, paint: bool, dotted: bool, braille: bool) -> list[str]:
    text = []
    for i, curve in enumerate(curves):
        sign = "" if len(curves) == 1 else ("──" if braille else "--") if dotted else _LETTERS[i % len(_LETTERS)]
        first, *others = _wrapped(curve.label, width - len(sign) - 1)
        colored = f"{_escape(i)}{sign}\x1b[0m" if paint and sign else sign
        text += [f"{colored} {first}" if sign else first, *(" " * (len(sign) + 1) + other for other in others)]
    return text


def _ticks(steps: int, columns: int) -> dict[int, str]:
    """The columns of round steps, about as many as have room for their labels."""
    least = steps / max(1, columns // 12)
    unit = 10 ** max(0, math.floor(math.log10(least)))
    apart = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= least)
    return {round(step / steps * (columns - 1)): _short(step) for step in range(0, steps + 1, apart)}


def _short(step: int) -> str:
    if step < 10_000:
        return str(step)
    power = min((len(str(step)) - 1) // 3, 5)
    return f"{step / 1000**power:.6g}{' kMGTP'[power]}"


def _under(places: dict[int, str], columns: int) -> str:
    text = ""
    for column, label in places.items():
        begin = min(max(column - len(label) // 2, 0), columns - len(label))
        if not text or begin > len(text):
            text = text.ljust(begin) + label
    return text


def svg(schedule: Drawable, steps: int | None = None) -> str:
    """A small picture of a schedule as SVG, to stand in a page or a notebook.

    Args:
        schedule: a schedule or a function of a step.
        steps: how far to draw, as in `plot`.

    Returns:
        One element of SVG, in the colour of the text around it; its title is the expression.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` no whole number of at least 1.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.drawing import svg
        >>> picture = svg(fs.warmup_linear(10, 100), steps=100)
        >>> picture[:4], "M0,80L28,0L280,80" in picture
        ('<svg', True)
    """
    (curve,) = _curves("svg", lifted("svg", "schedule", schedule), None)
    steps = _steps("svg", [curve], steps)
    line = curve.points(steps, 280)
    _, top = _bounds("svg", [line], False)
    points = _straightened([(280 * x / steps, 80 - 80 * y / top) for x, y in line if math.isfinite(y)])
    drawn = "L".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in points)
    marks = curve.marks(steps)
    uprights = "".join(f"M{round(280 * mark / steps, 1):g},0V80" for mark in marks if len(marks) <= _MARKED)
    text = '<text x="{}" y="{}" text-anchor="{}">{}</text>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="340" height="110" viewBox="-48 -10 340 110"'
        ' font-family="sans-serif" font-size="10" fill="currentColor">'
        f"<title>{_escaped(curve.label)}</title>"
        '<g fill="none" stroke="currentColor">'
        '<path d="M0,0V80H280" stroke-opacity="0.4"/>'
        f'<path d="{uprights}" stroke-opacity="0.4" stroke-dasharray="2 3"/>'
        f'<path d="M{drawn}" stroke="#2f86cc" stroke-width="2" stroke-linejoin="round"/></g>'
        + text.format(-5, 4, "end", f"{top:.3g}")
        + text.format(-5, 80, "end", "0")
        + text.format(0, 95, "start", "0")
        + text.format(280, 95, "end", f"step {_short(steps)}")
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
