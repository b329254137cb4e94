"""The widget of `explore`: the expression, the curve and the controls of a schedule."""

from __future__ import annotations

import ipywidgets
import traitlets

from funcsched.core.schedule import Schedule
from funcsched.core.validation import concrete_positive_int, positive
from funcsched.plotting.controls import controls, parse_with_peak, with_argument
from funcsched.plotting.layout import MAX_STEPS, PlottedCurve, default_steps, round_spacing
from funcsched.plotting.notebook import curve_svg, escape
from funcsched.serialization.expression import parse
from funcsched.serialization.syntax import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from funcsched.plotting.controls import Control

    Path = tuple[str | int, ...]  # the names and indices that lead to an argument of a nested schedule

_WIDTH, _HEIGHT = 560, 200  # of the axes, in pixels
_POSITIONS = 200  # of a slider
_NARROWEST = 0.4  # of the width of the axes that a schedule uses
_NAMES = {"description_width": "10em"}
_WRAPPED = {"flex_flow": "row wrap"}
_ERROR = '<pre role="alert" style="color:var(--jp-error-color1,#d9534f);white-space:pre-wrap;margin:0">{}</pre>'


class Explorer(ipywidgets.VBox):
    """The controls of a schedule, its expression and its curve.

    Traits:
        schedule: the present schedule. Another one can be assigned.
    """

    schedule = traitlets.Instance(Schedule)

    def __init__(self, schedule: Schedule, peak_value: float | None, steps: int | None) -> None:
        self.expression = _text("expression", "", width="auto")
        self.message, self.picture = ipywidgets.HTML(), ipywidgets.HTML()
        self.peak_value = _text("peak_value", "" if peak_value is None else f"{peak_value!r}", "multipliers")
        self.steps = _text("steps", "" if steps is None else f"{steps}", "automatic")
        self.is_log = ipywidgets.Checkbox(description="log", indent=False, layout={"width": "5em"})
        self.arguments = ipywidgets.VBox()
        self._layout: list[Any] = []  # what the rows depend on
        self._rows: dict[Path, _Row] = {}
        self._invalid: dict[Path, str] = {}  # values that do not fit the other arguments yet
        self._is_changing = False
        self._axis = default_steps(schedule)  # the last step of an automatic axis
        settings = ipywidgets.HBox([self.peak_value, self.steps, self.is_log], layout=_WRAPPED)
        super().__init__([self.expression, self.message, self.picture, settings, self.arguments], schedule=schedule)
        self._show()
        self.observe(self._show_assigned, "schedule")
        self.expression.observe(self._read_expression, "value")
        for setting in (self.peak_value, self.steps, self.is_log):
            setting.observe(lambda _: self._draw(), "value")

    def _read_expression(self, change: Any) -> None:
        if change["new"] == repr(self.schedule):
            return
        try:
            schedule, peak = parse_with_peak(change["new"])
        except ParseError as error:
            self._report(str(error))
            return
        if peak is not None:
            self.peak_value.value = repr(peak)
        if schedule == self.schedule:
            self._show()
        else:
            self.schedule = schedule  # which calls `_show`

    def _show_assigned(self, change: Any) -> None:
        if not self._is_changing:
            self._invalid.clear()
        self._show()

    def _change(self, path: Path, value: str) -> None:
        """Replace an argument, and those that were invalid before, if the other arguments now allow it."""
        self._invalid = {**self._invalid, path: value}
        schedule, messages = self.schedule, {}
        for _ in range(len(self._invalid)):
            for each in reversed(self._invalid.copy()):
                try:
                    schedule = parse(_replaced(schedule, each, self._invalid[each]))
                    del self._invalid[each]
                except ParseError as error:
                    messages[each] = _reason(error)
        self._is_changing = True
        try:
            if schedule == self.schedule:
                self._show()
            else:
                self.schedule = schedule  # which calls `_show`
        finally:  # a user's observer may fail
            self._is_changing = False
        if self._invalid:
            self._report("\n".join(f"{_name(each)}: {messages[each]}" for each in self._invalid))

    def _report(self, text: str) -> None:
        self.message.value = _ERROR.format(escape(text))

    def _show(self) -> None:
        entries = list(_entries(self.schedule))
        layout = [(path, owner, control.kind, control.optional, control.choices) for path, owner, control in entries]
        if layout != self._layout:
            self._layout = layout
            self._rows = {path: _Row(path, control, self._change) for path, _, control in entries}
            self._invalid.clear()
            self.arguments.children = tuple(self._with_headings(entries))
        for path, _, control in entries:
            if path not in self._invalid:
                self._rows[path].show(control)
        self.expression.value = repr(self.schedule)
        self._draw()

    def _with_headings(self, entries: Iterable[tuple[Path, str, Control]]) -> Iterator[Any]:
        """The rows, with a heading above those of each nested schedule."""
        above: Path = ()
        for path, owner, _ in entries:
            if path[:-1] != above:
                above = path[:-1]
                yield ipywidgets.HTML(f"<code>{_name(above)}</code>: {owner}")
            yield self._rows[path]

    def _draw(self) -> None:
        """Draw the curve, or show why a setting is not valid."""
        length = default_steps(self.schedule)
        if length > self._axis:
            spacing = round_spacing(length / 10)
            self._axis = min(-(-length // spacing) + 1, MAX_STEPS // spacing) * spacing  # a longer one looks longer
        elif length < _NARROWEST * self._axis:
            self._axis = length
        try:
            peak = positive("explore", "peak_value", _number(self.peak_value.value)) if self.peak_value.value else None
            steps = concrete_positive_int("explore", "steps", _number(self.steps.value)) if self.steps.value else None
            curve = PlottedCurve("explore", "schedule", self.schedule, None, peak)
            self.picture.value = curve_svg(
                curve, steps or self._axis, width=_WIDTH, height=_HEIGHT, log=self.is_log.value
            )
            self.message.value = ""
        except (TypeError, ValueError) as error:
            self._report(str(error))


class _Row(ipywidgets.HBox):
    """The widgets of one argument: a field, and for a number a slider."""

    def __init__(self, path: Path, control: Control, change: Callable[[Path, str], None]) -> None:
        self.path, self.change = path, change
        self.low: Any = None  # the range of the slider
        self.high: Any = None
        self.distance: Any = None  # between its values
        self.slider: Any = None
        self._is_showing = self._is_sliding = False
        common: dict[str, Any] = {"description": str(path[-1]), "style": _NAMES}
        if control.kind == "bool":
            self.field: Any = ipywidgets.Checkbox(**common)
        elif control.kind == "choice":
            options = [(text.replace("'", ""), text) for text in control.choices]
            self.field = ipywidgets.Dropdown(options=options, **common)
        elif control.kind == "text":
            self.field = _text(common["description"], "", width="auto", flex="1")
        else:
            # In the browser, a slider replaces its value when its range changes. Therefore, it counts positions.
            self.slider = ipywidgets.IntSlider(max=_POSITIONS, readout=False, layout={"width": "28em"}, **common)
            self.slider.observe(self._slide, "value")
            self.field = _text("", "", "None" if control.optional else "", width="9em", tooltip=common["description"])
        self.field.observe(self._edit, "value")
        super().__init__([self.field] if self.slider is None else [self.slider, self.field], layout=_WRAPPED)

    def show(self, control: Control) -> None:
        """Show the present value of the argument. While the slider moves, its range stays."""
        self._is_showing = True
        value = control.value
        if self.slider is None:
            self.field.value = value
        else:
            self.field.value = "" if value is None else repr(value)
            if not self._is_sliding:
                self.low, self.high, self.distance = control.low, control.high, control.step
                position = 0 if value is None else (value - self.low) / (self.high - self.low or 1)
                self.slider.value = round(_POSITIONS * position)
        self._is_showing = False

    def _slide(self, change: Any) -> None:
        if self._is_showing:
            return
        exact = self.low + (self.high - self.low) * change["new"] / _POSITIONS
        value = min(max(round(exact / self.distance) * self.distance, self.low), self.high)
        self._is_sliding = True
        try:
            self.change(self.path, f"{value:.10g}" if isinstance(value, float) else f"{value}")
        finally:  # a user's observer may fail
            self._is_sliding = False

    def _edit(self, change: Any) -> None:
        if not self._is_showing:
            self.change(self.path, str(change["new"]).strip() or "None")


def _entries(value: Any, path: Path = ()) -> Iterator[tuple[Path, str, Control]]:
    """The controls of a schedule and of those inside it, each with its path and the name of its schedule."""
    if isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _entries(item, (*path, i))
        return
    for control in controls(value):
        argument = value.arguments()[control.name]
        items = argument if isinstance(argument, tuple) else (argument,)
        if items and all(isinstance(item, Schedule) for item in items):
            yield from _entries(argument, (*path, control.name))
        else:
            yield (*path, control.name), value.factory, control


def _replaced(value: Any, path: Path, text: str) -> str:
    """The expression of a schedule, or a tuple of them, with another expression of an argument."""
    if not path:
        return text
    first, *rest = path
    if isinstance(value, tuple):
        items = [_replaced(item, tuple(rest), text) if i == first else repr(item) for i, item in enumerate(value)]
        return f"({', '.join(items)},)"
    return repr(with_argument(value, str(first), _replaced(value.arguments()[first], tuple(rest), text)))


def _name(path: Path) -> str:
    """Such as schedules[0].warmup_steps."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]


def _text(name: str, value: str, placeholder: str = "", width: str = "20em", flex: str = "", **options: Any) -> Any:
    style = _NAMES if name else {}
    layout = {"width": width, **({"flex": flex} if flex else {})}
    return ipywidgets.Text(
        value, description=name, placeholder=placeholder, continuous_update=False, style=style, layout=layout, **options
    )


def _number(text: str) -> Any:
    """The number that a field contains, or else its text, which the rule of the argument refuses."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _reason(error: ParseError) -> str:
    """The message without the position in the expression, which is not that of the user."""
    head = str(error).partition("\n")[0].removeprefix("parse: ")
    return head.removeprefix(f"line {error.line}, column {error.column}: ")
