"""The values of command-line arguments: numbers, names, files and schedules."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import sys
from keyword import iskeyword

from funcsched.cli.sources import content, from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bridges.rated import Rated
    from funcsched.plans.arguments import PlanCurve

_MAX_FOUND = 12  # entries that a search by words shows
_LIBRARIES = {"hf": "transformers", "optax": "optax", "torch": "torch"}  # by the prefixes of expressions


def positive_int(text: str) -> int:
    """A number of steps, which may be written as 1_000 or 1e5."""
    try:
        value = float(text) if "e" in text.lower() else int(text)
        if value == int(value) and 1 <= value <= 2**53:
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"must be an integer from 1 to 2**53, got {text!r}")


def port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 65535, got {text!r}")
    return int(text)


def peak(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e200:  # keeps all learning rates finite
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1e200, got {text!r}")
    return value


def figure_path(text: str) -> str:
    if os.path.splitext(text)[1].lower() not in (".png", ".svg"):
        raise argparse.ArgumentTypeError(f"must end in .png or .svg, got {text!r}")
    return text


def function_name(text: str) -> str:
    if not (text.isidentifier() and text.isascii()) or iskeyword(text):
        raise argparse.ArgumentTypeError(f"must be the name of a function, got {text!r}")
    return text


def pattern(text: str) -> str:
    """A part of a name or a summary."""
    from funcsched.cli.names import all_names, matches, own_names
    from funcsched.core.validation import suggestion
    from funcsched.plans.published import near_names, published

    if not any(matches(name, text) for name in own_names()):
        hint = suggestion(text, all_names(), "`funcsched list` shows all names")
        if near_names(text, published()):
            hint = "`funcsched published` lists the recipes of known models"
        raise argparse.ArgumentTypeError(f"no entry contains {text!r}; {hint}")
    return text


def public_name(text: str) -> str:
    """A name of this library, of another library, or of a recipe; or words that describe an entry."""
    from funcsched.cli.names import all_names, found_by_words, matches, own_name, own_names, uses_of
    from funcsched.core.other_names import elsewhere
    from funcsched.core.validation import suggestion
    from funcsched.plans.published import near_names, published

    prefix, _, other = text.partition(":")
    if prefix in _LIBRARIES:
        other = other.partition("(")[0]
        here = [own for own, library, _ in uses_of(other) if library == _LIBRARIES[prefix]]
        text = here[0] if len(here) == 1 else other
    if text in published() or own_name(text) or uses_of(text):
        return text
    if hint := elsewhere(text):
        raise argparse.ArgumentTypeError(f"unknown name {text!r}; {hint}")
    hint = near_names(text, published())
    found = found_by_words(text)
    if 1 <= len(found) <= _MAX_FOUND and not hint:
        return text
    if not hint and found and any(matches(name, text) for name in own_names()):
        hint = f"`funcsched list {shlex.quote(text)}` shows the entries that contain it"
    hint = hint or suggestion(text, all_names(), "`funcsched list` shows all names", similarity=0.7)
    if "(" in text:
        name = text.partition("(")[0]
        entry = f"`funcsched show {shlex.quote(name)}` shows its arguments; " if own_name(name) or uses_of(name) else ""
        hint = f"{entry}for an expression, use `funcsched table` or `funcsched plot`"
    raise argparse.ArgumentTypeError(f"unknown name {text!r}; {hint}")


def setting(text: str) -> tuple[str, float]:
    """A name and its value, `name=number`."""
    name, _, number = text.partition("=")
    try:
        value = int(number) if number.replace("_", "").isdecimal() else float(number)
        if name.isidentifier() and math.isfinite(value):
            return name, value
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"must be a name and a number, such as total=12000, got {text!r}")


def read_schedules(texts: list[str], numbers: dict[str, float]) -> list[tuple[str, Rated | PlanCurve]]:
    """The expression of each argument, for labels and messages, and its schedule with the peak value."""
    if texts.count("-") > 1:
        raise argparse.ArgumentError(None, "argument EXPR: `-`, standard input, can be given only once")
    return [_schedule(content(text), numbers) for text in texts]


def _schedule(text: str, numbers: dict[str, float]) -> tuple[str, Rated | PlanCurve]:
    from bridges.expressions import Reading
    from funcsched.cli.published import published_rate
    from funcsched.plans.published import published
    from funcsched.serialization.expression import NUMBERS_BY_NAME

    try:
        if text.startswith("{"):
            return from_json(text)
        if (name := text.rpartition("*")[2].strip()) in published() and name != text:
            raise ValueError(f"{name}: the recipe {name!r} has its own learning rate; leave out the factor")
        if recipe := published_rate(text):
            return text, recipe
        rated, note = Reading.of(text, numbers)
        if note:
            print(f"note: {note}", file=sys.stderr)
        return text, rated
    except ModuleNotFoundError as error:
        extra = "torch" if error.name == "torch" else "jax"
        message = f"{error.name} is not installed; pip install 'funcsched[{extra}]'"
    except (TypeError, ValueError) as error:
        message = without_function(error).replace(NUMBERS_BY_NAME, f"{NUMBERS_BY_NAME}--set ")
    except argparse.ArgumentTypeError as error:  # an unknown recipe
        message = str(error)
    raise argparse.ArgumentError(None, f"argument EXPR: {message}")


def positive_peak(rated: Rated | PlanCurve) -> float:
    """The peak value of a schedule, which optax and torch allow to be 0 or negative."""
    if rated.peak_value <= 0:
        is_zero = rated.peak_value == 0
        reason = "is 0 at every step" if is_zero else f"must not be negative, got a peak of {rated.peak_value!r}"
        raise argparse.ArgumentError(None, f"argument EXPR: the learning rate {reason}")
    return rated.peak_value


def without_function(error: Exception) -> str:
    """The message of an error without the Python function that it names first."""
    return str(error).partition(": ")[2]
