"""Prose, wrapped to the width of the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

_MAX_WIDTH = 100  # characters; longer lines of prose are hard to read


def print_wrapped(text: str, first: str = "", rest: str = "") -> None:
    """Print a paragraph; `first` is the indent of its first line, `rest` that of the others."""
    width = max(min(shutil.get_terminal_size().columns, _MAX_WIDTH), 20)
    text = " ".join(text.replace("``", "`").split())
    # Words are not broken, because paths and expressions are copied from the output.
    wrapper = textwrap.TextWrapper(width, first, rest, break_on_hyphens=False, break_long_words=False)
    print(wrapper.fill(text))


def print_record(text: str, first: str = "", rest: str = "") -> None:
    """Print a paragraph to a terminal, and a single line to a file or a pipe, for tools such as grep."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        print_wrapped(text, first, rest)
    else:
        print(f"{first}{text}")
