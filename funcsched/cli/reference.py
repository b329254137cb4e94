"""The output of `funcsched list` and `funcsched show`: signatures and docstrings, wrapped to the terminal."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap

import funcsched
from funcsched.cli.names import SECTIONS, documentation, other_names

_MAX_WIDTH = 100  # characters; longer lines of prose are hard to read


def print_list() -> None:
    """Print every public function and shape with its arguments and the first paragraph of its docstring."""
    for title, names in SECTIONS.items():
        print(f"{title}\n")
        for name in names:
            _print_wrapped(_signature(name), "  ", "      ")
            _print_wrapped(documentation(name).partition("\n\n")[0], "    ", "    ")
            print()


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
