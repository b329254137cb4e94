"""Arguments that are read from a file or from standard input: `@FILE` and `-`. Lines that begin with # are comments."""

from __future__ import annotations

import argparse
import json
import re
import sys

from funcsched.serialization.data import from_dict
from funcsched.serialization.syntax import MAX_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from funcsched.plans.arguments import PlanCurve

_MAX_BYTES = 10_000_000  # of plain data


def content(text: str) -> str:
    """The text of a file or of standard input, or the argument itself."""
    if text == "-":
        return _read("standard input", sys.stdin.buffer)
    if not text.startswith("@"):
        return text
    try:
        with open(text[1:], "rb") as file:
            return _read(text[1:], file)
    except OSError as error:
        message = f"argument EXPR: cannot read {text[1:]!r}: {error.strerror or error}"
        raise argparse.ArgumentError(None, message) from error


def _read(name: str, file: BinaryIO) -> str:
    data = file.read(_MAX_BYTES + 1)
    try:
        # The limit may split a character.
        text = data.decode("utf-8-sig", errors="ignore" if len(data) > _MAX_BYTES else "strict")
        text = re.sub(r"^[ \t]*#.*", "", text, flags=re.MULTILINE).strip()
    except UnicodeDecodeError:
        text = "\0"
    problem = None
    if not text:
        problem = "is empty"
    elif "\0" in text:
        problem = "is not a text in UTF-8"
    elif len(data) > _MAX_BYTES or (len(text) > MAX_LENGTH and not text.startswith("{")):
        problem = f"is too long: an expression has at most {MAX_LENGTH:,} characters, and data {_MAX_BYTES:,} bytes"
    if problem:
        raise argparse.ArgumentError(None, f"argument EXPR: {name} {problem}")
    return text


def from_json(text: str) -> tuple[str, PlanCurve]:
    """The expression and the schedule of the plain data that `to_dict` writes, as JSON.

    Raises:
        TypeError, ValueError: the text is not JSON, or not the data of a schedule.
    """
    from funcsched.plans.arguments import PlanCurve

    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"json: invalid JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("json: the JSON is nested too deeply") from error
    schedule = from_dict(data)
    return repr(schedule), PlanCurve(schedule, 1.0)
