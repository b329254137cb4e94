"""The output of `funcsched list` and `funcsched show`: signatures and docstrings, wrapped to the terminal."""

from __future__ import annotations

import inspect
import json
import re
import textwrap

import funcsched
from funcsched.cli.names import (
    ENTRIES,
    contains,
    documentation,
    found_by_words,
    matches,
    other_names,
    own_name,
    own_names,
    summary,
    uses_of,
)
from funcsched.cli.wrapping import print_wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def print_list(pattern: str, as_json: bool) -> int:
    """Print every public function and shape with its arguments and its summary.

    With a pattern, print only those that match it, with the names in other libraries that contain it.
    """
    listed = {title: [name for name in names if matches(name, pattern)] for title, names in ENTRIES.items()}
    if as_json:
        print(json.dumps([_record(name) for names in listed.values() for name in names], indent=2))
        return 0
    for title, names in listed.items():
        if names:
            print(f"{title}\n")
        for name in names:
            print_wrapped(_signature(name), "  ", "      ")
            print_wrapped(summary(name), "    ", "    ")
            for library, entry in other_names(name).items() if pattern else ():
                if contains(pattern, entry) or contains(pattern, library):
                    print_wrapped(f"{library}: {entry}", "    ", "      ")
            print()
    return 0


def print_named(name: str, as_json: bool) -> int:
    """Print the entry that a name or some words belong to, or a list if there are several entries."""
    uses = [] if name in own_names() else uses_of(name)
    own = own_name(name)
    found = list(dict.fromkeys(use[0] for use in uses)) or ([own] if own else found_by_words(name))
    if as_json:
        print(json.dumps([{**_record(entry), "documentation": documentation(entry)} for entry in found], indent=2))
        return 0
    for entry, library, text in uses:
        print_wrapped(f"In {library}, {entry} is {text}", rest="    ")
    if uses:
        print()
    if len(found) == 1:
        print_entry(found[0])
        return 0
    if not uses:
        width = max(map(len, found))
        for entry in found:
            print_wrapped(summary(entry), f"{entry:<{width}}  ", " " * (width + 2))
        print()
    print(f"`funcsched show {found[0]}` shows the arguments of the first one.")
    return 0


def _record(name: str) -> dict[str, Any]:
    """An entry as plain data. The defaults of arguments are expressions; required arguments have none."""
    value = getattr(funcsched, name)
    parameters = inspect.signature(value).parameters.values() if inspect.isfunction(value) else ()
    return {
        "name": name,
        "kind": next(title.lower().removesuffix("s") for title, names in ENTRIES.items() if name in names),
        "summary": " ".join(summary(name).split()),
        "arguments": [
            {
                "name": parameter.name,
                "default": None if parameter.default is parameter.empty else repr(parameter.default),
            }
            for parameter in parameters
        ],
        "other_libraries": other_names(name),
    }


def print_entry(name: str) -> None:
    """Print the signature and the docstring of a public function or shape."""
    print_wrapped(_signature(name), rest="    ")
    for paragraph in documentation(name).split("\n\n"):
        print()
        heading, _, body = paragraph.partition("\n")
        match heading:
            case "Args:" | "Raises:":
                print("Arguments" if heading == "Args:" else "Raises")
                for item in re.split(r"\n(?=    \S)", body):
                    print_wrapped(item, "  ", "      ")
            case "Returns:":
                print("Returns")
                print_wrapped(body, "  ", "  ")
            case "Example:":
                print("Example")
                print(textwrap.indent(textwrap.dedent(body), "  "))
            case "In other libraries:":
                print("In other libraries")
                entries = other_names(name)
                longest = max(map(len, entries))
                for library, entry in entries.items():
                    print_wrapped(entry, f"  {library:<{longest}}  ", " " * (longest + 4))
            case _:
                print_wrapped(paragraph)


def _signature(name: str) -> str:
    """The call of a function without annotations, or the name of a shape."""
    value = getattr(funcsched, name)
    if not inspect.isfunction(value):
        return name
    signature = inspect.signature(value)
    empty = inspect.Parameter.empty
    parameters = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=parameters, return_annotation=empty)}"
