"""The output of `funcsched list` and `funcsched show`: signatures and docstrings, wrapped to the terminal."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap

import funcsched
from funcsched.cli.names import SECTIONS, contains, documentation, matches, other_names, summary, uses_of

_MAX_WIDTH = 100  # characters; longer lines of prose are hard to read


def print_list(pattern: str = "") -> None:
    """Print every public function and shape with its arguments and its summary.

    With a pattern, print only those that match it, with the names in other libraries that contain it.
    """
    for title, names in SECTIONS.items():
        matching = [name for name in names if matches(name, pattern)]
        if matching:
            print(f"{title}\n")
        for name in matching:
            _print_wrapped(_signature(name), "  ", "      ")
            _print_wrapped(summary(name), "    ", "    ")
            for library, entry in other_names(name).items() if pattern else ():
                if contains(pattern, entry):
                    _print_wrapped(f"{library}: {entry}", "    ", "      ")
            print()


def print_named(name: str) -> None:
    """Print the entry that a name of another library belongs to, or a list if there are several."""
    uses = uses_of(name)
    for own, library, entry in uses:
        _print_wrapped(f"In {library}, {own} is {entry}", rest="    ")
    if len({own for own, _, _ in uses}) == 1:
        print()
        print_entry(uses[0][0])
    else:
        print(f"\n`funcsched show {uses[0][0]}` shows the arguments of the first one.")


def print_entry(name: str) -> None:
    """Print the signature and the docstring of a public function or shape."""
    _print_wrapped(_signature(name), rest="    ")
    for paragraph in documentation(name).split("\n\n"):
        print()
        heading, _, body = paragraph.partition("\n")
        match heading:
            case "Args:" | "Raises:":
                print("Arguments" if heading == "Args:" else "Raises")
                for item in re.split(r"\n(?=    \S)", body):
                    _print_wrapped(item, "  ", "      ")
            case "Returns:":
                print("Returns")
                _print_wrapped(body, "  ", "  ")
            case "Example:":
                print("Example")
                print(textwrap.indent(textwrap.dedent(body), "  "))
            case "In other libraries:":
                print("In other libraries")
                entries = other_names(name)
                longest = max(map(len, entries))
                for library, entry in entries.items():
                    _print_wrapped(entry, f"  {library:<{longest}}  ", " " * (longest + 4))
            case _:
                _print_wrapped(paragraph)


def _signature(name: str) -> str:
    """The call of a function without annotations, or the name of a shape."""
    value = getattr(funcsched, name)
    if not inspect.isfunction(value):
        return name
    signature = inspect.signature(value)
    empty = inspect.Parameter.empty
    parameters = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=parameters, return_annotation=empty)}"


def _print_wrapped(text: str, first: str = "", rest: str = "") -> None:
    """Print a paragraph; `first` is the indent of its first line, `rest` that of the others."""
    width = max(min(shutil.get_terminal_size().columns, _MAX_WIDTH), 20)
    text = " ".join(text.replace("``", "`").split())
    print(textwrap.fill(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False))
