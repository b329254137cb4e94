"""Schedules plotted as text, for terminals."""

from __future__ import annotations

import math
from itertools import groupby, pairwise

from funcsched.core.validation import boolean, number_rule, one_of
from funcsched.plotting.layout import (
    MAX_BOUNDARIES,
    ValueAxis,
    format_step,
    plotted_curves,
    round_spacing,
    steps_to_plot,
    value_range,
    wrap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from funcsched.plotting.layout import Plottable, PlottedCurve, Point

_COLORS = (36, 33, 35, 32, 34, 31)  # of ANSI terminals: cyan, yellow, magenta, green, blue, red
_LETTERS = "*+ox#@%&"
_BRAILLE_BITS = ((0, 1, 2, 6), (3, 4, 5, 7))  # which bit of the code point sets each dot, by column and row
_size = number_rule("an integer from 1 to 1000000", 1, 1_000_000, int)


def terminal(
    schedules: Plottable | Sequence[Plottable] | Mapping[str, Plottable],
    width: int = 80,
    height: int = 13,
    *,
    steps: int | None = None,
    peak_value: float | None = None,
    log: bool = False,
    characters: str = "braille",
    color: bool = False,
) -> str:
    """Plot one or several schedules as text.

    Args:
        schedules: as in `plot`.
        width: the width of the text, in characters (int); at least 24 are used.
        height: the height of the axes, in lines (int); at least 5 are used.
        steps: as in `plot`.
        peak_value: as in `plot`.
        log: as in `plot`.
        characters: "braille" or "ascii". Several curves without colors are drawn with one letter each, because
            braille dots would not distinguish them.
        color: whether to color the curves with ANSI escape sequences (bool).

    Returns:
        Lines of text: the axes with the curves and phase boundaries, and a legend.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `log` is True and no value is
            above 0.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.plotting.terminal import terminal
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
        phase boundaries: 20, 80
    """
    curves = plotted_curves("terminal", schedules, peak_value)
    steps, log = steps_to_plot("terminal", curves, steps), boolean("terminal", "log", log)
    width = max(_size("terminal", "width", width), 24)
    height = max(_size("terminal", "height", height), 5)
    unicode = one_of("braille", "ascii")("terminal", "characters", characters) == "braille"
    color = boolean("terminal", "color", color)
    lines = [curve.points(steps, 4 * width) for curve in curves]
    axis = ValueAxis(*value_range("terminal", lines, log), log)
    labels = axis.labels(height, 2)
    margin = max(map(len, labels.values()))
    columns = width - margin - 2
    braille = unicode and (len(curves) == 1 or (color and len(curves) <= len(_COLORS)))
    grid = _Grid(columns, height, braille)
    for i, line in enumerate(lines):
        grid.draw(i, line, steps, axis)
    boundaries = sorted({boundary for curve in curves for boundary in curve.boundaries(steps)})
    if len(boundaries) > MAX_BOUNDARIES:
        boundaries = []
    marked = {grid.column(boundary / steps) for boundary in boundaries}
    mark, vertical, corner, horizontal, tick = "┊│└─┬" if unicode else ":|+-+"
    text = []
    for row in range(height):
        cells = [grid.cell(row, column, mark if column in marked else " ") for column in range(columns)]
        runs = groupby(cells, key=lambda cell: cell[1])
        painted = [_painted("".join(character for character, _ in run), curve, color) for curve, run in runs]
        text.append(f"{labels.get(row, ''):>{margin}} {vertical}" + "".join(painted))
    ticks = _step_ticks(steps, columns)
    rule = "".join(tick if column in ticks else horizontal for column in range(columns))
    text += [" " * (margin + 1) + corner + rule, " " * (margin + 2) + _tick_labels(ticks, columns)]
    text += _legend(curves, width, braille, color)
    if boundaries:
        numbers = (f"{boundary:.15g}" if boundary % 1 else f"{boundary:.0f}" for boundary in boundaries)
        text += wrap(f"phase boundaries: {', '.join(numbers)}", width)
    return "\n".join(line.rstrip() for line in text)


class _Grid:
    """A grid of cells, one for each character: a letter, or a braille character of 2 x 4 dots."""

    __slots__ = ("bits", "braille", "columns", "curves", "rows")

    def __init__(self, columns: int, rows: int, braille: bool) -> None:
        self.braille = braille
        self.columns, self.rows = (2 * columns, 4 * rows) if braille else (columns, rows)  # of dots
        self.bits: dict[tuple[int, int], int] = {}  # the braille dots of each cell
        self.curves: dict[tuple[int, int], int] = {}  # the curve drawn last in each cell

    def column(self, fraction: float) -> int:
        """The column of cells at a fraction of the width."""
        return round(fraction * (self.columns - 1)) // (2 if self.braille else 1)

    def draw(self, curve: int, line: Sequence[Point], steps: int, axis: ValueAxis) -> None:
        """Draw the points of a curve, connected by straight lines. A value that is not finite leaves a gap."""
        for (step, value), (next_step, next_value) in pairwise(line):
            if not math.isfinite(value + next_value) or max(value, next_value) < axis.bottom:
                continue
            if value < axis.bottom:  # a rise from below a logarithmic axis starts at the first visible point
                step = next_step
            x, next_x = (self.columns - 1) * step / steps, (self.columns - 1) * next_step / steps
            y, next_y = ((self.rows - 1) * (1 - axis.fraction(end)) for end in (value, next_value))
            dots = max(1, math.ceil(max(abs(next_x - x), abs(next_y - y))))
            for i in range(dots + 1):
                self._dot(round(x + (next_x - x) * i / dots), round(y + (next_y - y) * i / dots), curve)

    def _dot(self, x: int, y: int, curve: int) -> None:
        cell = (y // 4, x // 2) if self.braille else (y, x)
        self.bits[cell] = self.bits.get(cell, 0) | 1 << _BRAILLE_BITS[x % 2][y % 4]
        self.curves[cell] = curve

    def cell(self, row: int, column: int, blank: str) -> tuple[str, int | None]:
        """The character of a cell, and the index of its curve."""
        curve = self.curves.get((row, column))
        if curve is None:
            return blank, None
        return chr(0x2800 + self.bits[row, column]) if self.braille else _letter(curve), curve


def _letter(curve: int) -> str:
    return _LETTERS[curve % len(_LETTERS)]


def _painted(text: str, curve: int | None, color: bool) -> str:
    return f"\x1b[{_COLORS[curve % len(_COLORS)]}m{text}\x1b[0m" if color and curve is not None else text


def _legend(curves: Sequence[PlottedCurve], width: int, braille: bool, color: bool) -> list[str]:
    if len(curves) == 1:
        return wrap(curves[0].label, width)
    text = []
    for i, curve in enumerate(curves):
        key = "──" if braille else _letter(i)
        first, *others = wrap(curve.label, width - len(key) - 1)
        text += [f"{_painted(key, i, color)} {first}", *(" " * (len(key) + 1) + other for other in others)]
    return text


def _step_ticks(steps: int, columns: int) -> dict[int, str]:
    """The labels of round steps by column, with about 12 columns for each."""
    spacing = round_spacing(steps / max(1, columns // 12))
    return {round(step / steps * (columns - 1)): format_step(step) for step in range(0, steps + 1, spacing)}


def _tick_labels(ticks: dict[int, str], columns: int) -> str:
    """The labels in one line, centered below their ticks; labels that would overlap are left out."""
    text = ""
    for column, label in ticks.items():
        start = min(max(column - len(label) // 2, 0), columns - len(label))
        if not text or start > len(text):
            text = text.ljust(start) + label
    return text
