"""Schedules drawn as text."""

from __future__ import annotations

import math

from funcsched.core.validation import MAX_CYCLES, boolean, number_rule, one_of
from funcsched.plotting.layout import MARKED, Drawn, bounds, drawn, short, steps_of, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from funcsched.plotting.layout import Drawable

_ANSI = (36, 33, 35, 32, 34, 31)
_LETTERS = "*+ox#@%&"
_size = number_rule(f"an integer from 1 to {MAX_CYCLES}", 1, MAX_CYCLES, int)


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
        phases change at step 20, 80
    """
    curves = drawn("terminal", schedules, peak_value)
    steps, log = steps_of("terminal", curves, steps), boolean("terminal", "log", log)
    width = max(_size("terminal", "width", width), 24)
    height = max(_size("terminal", "height", height), 5)
    braille = one_of("braille", "ascii")("terminal", "characters", characters) == "braille"
    paint = boolean("terminal", "color", color)
    lines = [curve.points(steps, 4 * width) for curve in curves]
    scale = _Scale(*bounds("terminal", lines, log), log)
    labels = scale.labels(height)
    margin = max(map(len, labels.values()))
    columns = width - margin - 2
    dotted = braille and (len(curves) == 1 or (paint and len(curves) <= len(_ANSI)))
    grid = _Grid(columns, height, 2 if dotted else 1, 4 if dotted else 1)
    marks = sorted({mark for curve in curves for mark in curve.marks(steps)})
    for i, line in enumerate(lines):
        grid.draw(line, steps, scale, i)
    upright = {} if len(marks) > MARKED else {grid.column(mark / steps): "┊" if braille else ":" for mark in marks}
    side, corner, flat, tick = "│└─┬" if braille else "|+-+"
    text = []
    for row in range(height):
        cells = [grid.cell(row, column, upright.get(column, " ")) for column in range(columns)]
        text.append(f"{labels.get(row, ''):>{margin}} {side}" + _painted(cells, paint))
    places = _ticks(steps, columns)
    axis = [tick if column in places else flat for column in range(columns)]
    text += [" " * (margin + 1) + corner + "".join(axis), " " * (margin + 2) + _under(places, columns)]
    text += _legend(curves, width, paint, dotted, braille)
    if 0 < len(marks) <= MARKED:
        told = ", ".join(f"{mark:.15g}" if mark % 1 else f"{mark:.0f}" for mark in marks)
        text += wrapped(f"phases change at step {told}", width)
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


def _legend(curves: Sequence[Drawn], width: int, paint: bool, dotted: bool, braille: bool) -> list[str]:
    text = []
    for i, curve in enumerate(curves):
        sign = "" if len(curves) == 1 else ("──" if braille else "--") if dotted else _LETTERS[i % len(_LETTERS)]
        first, *others = wrapped(curve.label, width - len(sign) - 1)
        colored = f"{_escape(i)}{sign}\x1b[0m" if paint and sign else sign
        text += [f"{colored} {first}" if sign else first, *(" " * (len(sign) + 1) + other for other in others)]
    return text


def _ticks(steps: int, columns: int) -> dict[int, str]:
    """The columns of round steps, about as many as have room for their labels."""
    least = steps / max(1, columns // 12)
    unit = 10 ** max(0, math.floor(math.log10(least)))
    apart = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= least)
    return {round(step / steps * (columns - 1)): short(step) for step in range(0, steps + 1, apart)}


def _under(places: dict[int, str], columns: int) -> str:
    text = ""
    for column, label in places.items():
        begin = min(max(column - len(label) // 2, 0), columns - len(label))
        if not text or begin > len(text):
            text = text.ljust(begin) + label
    return text
