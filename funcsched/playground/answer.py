"""What the page of the playground asks for: curves, findings, code and controls, as plain data."""

from __future__ import annotations

import json
import math

from funcsched.analysis.check import check
from funcsched.analysis.jumps import is_jump
from funcsched.analysis.sampling import Curve
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, concrete_positive_int
from funcsched.plans.published import near_names, published
from funcsched.playground.axes import rate_axis, step_axis
from funcsched.playground.catalogue import PLOTTED_UNITS, catalogue
from funcsched.playground.code import code, code_of_recipe
from funcsched.plotting.controls import MAX_PEAK, controls, parse_with_peak, with_argument
from funcsched.plotting.layout import (
    MAX_BOUNDARIES,
    MAX_STEPS,
    PlottedCurve,
    default_steps,
    schedule_length,
    value_range,
)
from funcsched.serialization.syntax import ParseError
from funcsched.units.clock import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_CURVES = 6
# The settings of a request and their defaults. Numbers may be texts, as the user types them.
SETTINGS = {
    "peak": "3e-4",  # the peak learning rate
    "run": "",  # the number of updates; empty: the length of the longest schedule that ends in a decay
    "unit": "steps",  # of the horizontal axis, or "tokens"
    "tokens_per_step": "1048576",
    "log_steps": False,
    "log_rates": False,
}
_INTERVALS = 600  # between evenly spaced points of a curve
_LOG_POINTS = 200  # further points on a logarithmic axis of steps


def answer_text(text: str) -> str:
    """`answer` for JSON texts."""
    return json.dumps(answer(json.loads(text)), allow_nan=False)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request of the page. Both are plain data that JSON preserves.

    Args:
        request: its "kind" is one of

            - ``"catalogue"``: all schedules by kind, and `SETTINGS`;
            - ``"curves"``: the curves of "expressions" (list of 1 to 6 str: expressions, also with an own peak, such as
              ``3e-4 * constant()``, or names of published recipes), and their controls. With "change" (index, name,
              value), the argument of an expression is replaced first;
            - ``"details"``: the findings of `check` for the expression with the index "selected", and its code.

            The last two may contain `SETTINGS`.

    Returns:
        For an invalid setting, "errors" with its name and the message. An invalid expression has an "error" in place
        of its curve. Steps and values of points are those of the library.

    Raises:
        KeyError, TypeError, ValueError: the request does not have this form.

    Example:
        >>> from funcsched.playground.answer import answer
        >>> reply = answer({"kind": "curves", "expressions": ["warmup_linear(10, 100)"], "peak": "1e-3"})
        >>> reply["run"], reply["curves"][0]["boundaries"]
        (100, [[10, 0.001], [100, 0.0]])
    """
    if request["kind"] == "catalogue":
        return {"sections": catalogue(), "settings": SETTINGS}
    texts = [str(text).strip() for text in request["expressions"]]
    if not 1 <= len(texts) <= MAX_CURVES:
        raise argument_error("answer", "expressions", f"1 to {MAX_CURVES} expressions", texts)
    try:
        settings = _Settings(request)
    except _InvalidSetting as error:
        return {"errors": error.errors}
    entries = [_entry(text, settings, request.get("change"), index) for index, text in enumerate(texts)]
    if request["kind"] == "curves":
        return _curves(entries, settings)
    if request["kind"] == "details":
        return _details(entries[request["selected"]], entries, settings)
    raise argument_error("answer", "kind", "'catalogue', 'curves' or 'details'", request["kind"])


class _InvalidSetting(Exception):
    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


class _Settings:
    """The validated settings of a request."""

    def __init__(self, request: dict[str, Any]) -> None:
        errors: dict[str, str] = {}

        def read(name: str, rule: Any) -> Any:
            try:
                return rule("playground", name, given[name])
            except (TypeError, ValueError) as error:
                errors[name] = str(error).partition("` ")[2]

        given = {**SETTINGS, **request}
        self.peak: float = read("peak", _positive_float)
        self.steps: int | None = read("run", _positive_int) if given["run"] != "" else None
        self.tokens_per_step: int = read("tokens_per_step", _positive_int)
        self.in_tokens = given["unit"] == "tokens"
        self.log_steps, self.log_rates = bool(given["log_steps"]), bool(given["log_rates"])
        if errors:
            raise _InvalidSetting(errors)


def _positive_float(function: str, name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number <= MAX_PEAK:
        raise argument_error(function, name, "a number above 0 and at most 1e200", value)
    return number


def _positive_int(function: str, name: str, value: Any) -> int:
    """An integer, which may be written as 100_000 or 1e5."""
    try:
        number = float(value)
        if number == int(number):
            value = int(value) if str(value).replace("_", "").isdecimal() else int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    return int(concrete_positive_int(function, name, value))


class _Entry:
    """An expression, or the name of a published recipe, as a schedule of updates with its peak and its length."""

    def __init__(self, text: str, settings: _Settings) -> None:
        self.text = text
        self.note = ""
        self.tokens_per_step: int | None = None
        self.recipe = text if text in published() else None
        if self.recipe is None:
            if "(" not in text and (hint := near_names(text, published())):
                raise ParseError(f"parse: line 1, column 1: unknown recipe {text!r}; {hint}\n    {text}\n    ^")
            schedule, peak = parse_with_peak(text)
            self.schedule: Schedule = schedule
            self.has_own_peak = peak is not None
            self.peak = settings.peak if peak is None else peak
            self.length, self.has_end = _run_of(self.schedule)
            return
        plan = published(text)
        if plan.unit not in PLOTTED_UNITS:
            reason = f"{text} counts {plan.unit}; the playground shows recipes that count updates or tokens"
            raise ParseError(f"parse: line 1, column 1: {reason}\n    {text}\n    ^")
        self.note = plan.source
        if plan.unit == "tokens":
            self.tokens_per_step = settings.tokens_per_step
            plan = plan.in_updates(Clock(samples_per_update=settings.tokens_per_step, sequence_length=1))
        self.schedule, self.peak = plan.curves["lr"]
        self.length, self.has_end, self.has_own_peak = math.ceil(plan.length), True, True

    def plotted(self) -> PlottedCurve:
        return PlottedCurve("playground", "expressions", self.schedule, self.text, self.peak)


def _run_of(schedule: Schedule) -> tuple[int, bool]:
    """The number of updates of a run that suits a schedule, and whether the schedule ends it, as a decay does."""
    length, ends = schedule_length(schedule)
    last = max(min(math.ceil(length), MAX_STEPS), 1)
    before, after = schedule(last - 1), schedule(last)
    if not ends or length == 0 or is_jump(Curve(schedule, last), last):  # the run goes on
        return default_steps(schedule), False
    if after > before:  # a warmup, or a range test: the run goes on at its peak
        return min(2 * last, MAX_STEPS), False
    return last, True


def _entry(text: str, settings: _Settings, change: dict[str, Any] | None, index: int) -> _Entry | ParseError:
    """The schedule of an expression, after the change of an argument; or the error."""
    try:
        if change is not None and change["index"] == index:
            schedule, peak = parse_with_peak(text)
            changed = repr(with_argument(schedule, change["name"], change["value"]))
            text = changed if peak is None else f"{peak!r} * {changed}"
        return _Entry(text, settings)
    except ParseError as error:
        return error
    except (TypeError, ValueError) as error:  # a recipe in tokens with stages shorter than a step
        return ParseError(str(error))


def _run(entries: list[_Entry | ParseError], settings: _Settings) -> int:
    """The number of updates of the run: the longest of the schedules that end it, or of all if there are none."""
    valid = [entry for entry in entries if isinstance(entry, _Entry)]
    ending = [entry for entry in valid if entry.has_end]
    return settings.steps or max((entry.length for entry in ending or valid), default=100)


def _last_step(entries: list[_Entry | ParseError], run: int, settings: _Settings) -> int:
    """The last step to plot. The curves continue for 10 % after each end."""
    valid = [entry for entry in entries if isinstance(entry, _Entry)]
    lengths = [-(-11 * entry.length // 10) if entry.has_end else entry.length for entry in valid]
    return settings.steps or min(max([run, *lengths]), MAX_STEPS)


def _curves(entries: list[_Entry | ParseError], settings: _Settings) -> dict[str, Any]:
    run = _run(entries, settings)
    last = _last_step(entries, run, settings)
    lines = [_points(entry, last, settings.log_steps) if isinstance(entry, _Entry) else [] for entry in entries]
    try:
        bottom, top = value_range("playground", lines, settings.log_rates)
    except ValueError:
        return {"errors": {"log_rates": "requires a learning rate above 0"}}
    return {
        "run": run,
        "x": step_axis(last, settings.log_steps, settings.tokens_per_step if settings.in_tokens else None),
        "y": rate_axis(bottom, top, settings.log_rates),
        "curves": [
            _curve(entry, line, last) if isinstance(entry, _Entry) else {"error": _error(entry)}
            for entry, line in zip(entries, lines, strict=True)
        ],
    }


def _points(entry: _Entry, last: int, log: bool) -> list[tuple[float, float]]:
    curve = entry.plotted()
    points = set(curve.points(last, _INTERVALS))
    if log:  # evenly spaced there
        steps = {round(last ** (i / _LOG_POINTS)) for i in range(_LOG_POINTS + 1)}
        points |= {(float(step), curve.value(step)) for step in steps if step <= last}
    return sorted(point for point in points if math.isfinite(point[1]))


def _curve(entry: _Entry, line: list[tuple[float, float]], last: int) -> dict[str, Any]:
    curve = entry.plotted()
    boundaries = curve.boundaries(last)
    return {
        "expression": entry.text,
        "points": line,
        "boundaries": [[step, curve.value(step)] for step in boundaries] if len(boundaries) <= MAX_BOUNDARIES else [],
        "peak": entry.peak,
        "has_own_peak": entry.has_own_peak,
        "recipe": entry.recipe,
        "tokens_per_step": entry.tokens_per_step,
        "note": entry.note,
        "controls": [] if entry.recipe else [control.arguments() for control in controls(entry.schedule)],
    }


def _error(error: ParseError) -> dict[str, Any]:
    """The message, the position, and the line with a caret below the mistake."""
    head, _, excerpt = str(error).partition("\n")
    message = head.removeprefix("parse: ").removeprefix(f"line {error.line}, column {error.column}: ")
    lines = [line.removeprefix("    ") for line in excerpt.splitlines()]
    return {"message": message, "line": error.line, "column": error.column, "excerpt": "\n".join(lines)}


def _details(entry: _Entry | ParseError, entries: list[_Entry | ParseError], settings: _Settings) -> dict[str, Any]:
    if isinstance(entry, ParseError):
        return {"error": _error(entry)}
    run = _run(entries, settings)
    found = check(entry.schedule, steps=run, peak_value=entry.peak)
    if entry.recipe is not None:
        codes = code_of_recipe(entry.recipe, entry.schedule, entry.peak, entry.tokens_per_step, run)
    else:
        codes = code(entry.schedule, entry.peak, run)
    return {"run": run, "findings": [finding.arguments() for finding in found], "code": codes}
