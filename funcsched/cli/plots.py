"""The subcommands `plot` and `explore`: curves in the terminal, in a file, and in the browser."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from funcsched.cli.arguments import positive_peak, without_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bridges.rated import Rated
    from funcsched.plans.arguments import PlanCurve


def plot(options: argparse.Namespace) -> int:
    """The subcommand `plot`."""
    from funcsched.cli.published import run_of_recipes, unit_of_recipes
    from funcsched.plans.published import published
    from funcsched.plotting.figure import plot
    from funcsched.plotting.terminal import terminal

    schedules: dict[str, Rated | PlanCurve] = dict(options.expressions)
    # An expression of another library may be a learning rate: its peak value is then usually not 1.
    rates = [text for text, rated in schedules.items() if rated.peak_value != 1]
    multipliers = [text for text, rated in schedules.items() if rated.peak_value == 1]
    if options.peak is None and rates and multipliers:
        reason = f"{rates[0]!r} is a learning rate and {multipliers[0]!r} a multiplier"
        raise argparse.ArgumentError(None, f"argument --peak-value: required, because {reason}")
    unit = unit_of_recipes([*schedules])
    labels = {text: f"{text} ({unit})" if unit != "updates" and text in published() else text for text in schedules}
    curves: dict[str, Any] = {labels[text]: rated if rates else rated.schedule for text, rated in schedules.items()}
    shared = {"steps": options.steps or run_of_recipes([*schedules]), "peak_value": options.peak, "log": options.log}
    try:
        if options.out is not None:
            plot(curves, path=options.out, unit="step" if unit in (None, "updates") else unit, **shared)
            return 0
        size = shutil.get_terminal_size()
        height = min(max(size.lines - 6 - len(curves), 5), 17)  # leaves room for ticks, legend, boundaries and prompt
        text = terminal(curves, size.columns, height, characters=_characters(), color=_use_color(), **shared)
    except ModuleNotFoundError as error:
        raise argparse.ArgumentError(None, f"argument --out: {without_function(error)}") from error
    except OSError as error:
        message = f"argument --out: cannot write {options.out!r}: {error.strerror or error}"
        raise argparse.ArgumentError(None, message) from error
    except ValueError as error:  # all other arguments have been validated
        raise argparse.ArgumentError(None, f"argument --log: {without_function(error)}") from error
    print(text)
    return 0


def _characters() -> str:
    try:
        "⠿│┊".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ascii"
    return "braille"


def _use_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def explore(options: argparse.Namespace) -> int:
    """The subcommand `explore`."""
    from funcsched.plans.published import published
    from funcsched.playground import serve

    others = [rated for text, rated in options.expressions if text not in published()]
    if options.peak and options.expressions and not others:
        raise argparse.ArgumentError(None, "argument --peak-value: not available for recipes, which have their own")
    peaks = {options.peak} if options.peak else {*map(positive_peak, others)} - {1}
    if len(peaks) > 1:
        raise argparse.ArgumentError(None, "argument --peak-value: required, because the peaks differ")
    values = {"peak": next(iter(peaks), None), "run": options.steps}
    settings = {name: repr(value) for name, value in values.items() if value is not None}
    # The page knows neither --set nor the prefixes: it gets the expressions of this library.
    names = [text if _is_readable(text) else repr(rated.schedule) for text, rated in options.expressions]
    try:
        serve(names, port=options.port, open_browser=not options.no_browser, settings=settings)
    except ValueError as error:
        raise argparse.ArgumentError(None, f"argument EXPR: {without_function(error)}") from error
    except BrokenPipeError:  # the reader of the address has closed the pipe
        raise
    except OSError as error:
        message = f"argument --port: {options.port} is not available: {error.strerror or error}"
        raise argparse.ArgumentError(None, message) from error
    return 0


def _is_readable(text: str) -> bool:
    """Whether the page can read an expression or the name of a recipe."""
    from funcsched.plans.published import published
    from funcsched.serialization.expression import parse

    try:
        return text in published() or bool(parse(text))
    except ValueError:
        return False
