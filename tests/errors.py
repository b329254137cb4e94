"""Helpers for the tests of error messages."""

import re
from typing import Any

import pytest


def exactly(message: str) -> str:
    """A pattern that matches this message only."""
    return f"^{re.escape(message)}$"


def raises(function: str, argument: str, requirement: str, got: Any, kind: Any = (TypeError, ValueError)) -> Any:
    """Expect the error message for an invalid argument."""
    message = f"{function}: `{argument}` must be {requirement}, got {got!r}"
    return pytest.raises(kind, match=exactly(message))
