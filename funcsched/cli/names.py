"""The public functions and shapes by section, with their docstrings and their names in other libraries."""

from __future__ import annotations

import inspect
from importlib import import_module

import funcsched

# Within a section, names appear in the order of these modules, and of the definitions in a module.
MODULES = {
    "Recipes": (
        "recipes.warmup_decay",
        "recipes.wsd",
        "recipes.restarts",
        "recipes.cyclic",
        "recipes.open_ended",
    ),
    "Shapes": ("shapes.basic", "shapes.parametric", "shapes.combined"),
    "Primitives": (
        "primitives.ramp",
        "primitives.decay",
        "primitives.saturating",
        "primitives.piecewise",
        "primitives.table",
        "primitives.curve",
        "core.schedule",
    ),
    "Combinators": (
        "combinators.sequence",
        "combinators.interpolate",
        "combinators.repeat",
        "combinators.time",
        "combinators.staircase",
        "combinators.count_by",
        "combinators.algebra",
        "combinators.blend",
    ),
}


def _defined(module: str) -> list[str]:
    """The public functions and shapes that a module defines."""
    full = f"funcsched.{module}"
    public = ((name, value) for name, value in vars(import_module(full)).items() if name in funcsched.__all__)
    return [name for name, value in public if not isinstance(value, type) and value.__module__ == full]


SECTIONS = {title: [name for module in modules for name in _defined(module)] for title, modules in MODULES.items()}


def documentation(name: str) -> str:
    """The docstring of a public name. A shape without arguments is an instance, documented by its class."""
    value = getattr(funcsched, name)
    return inspect.getdoc(value if inspect.isfunction(value) else type(value)) or ""


def other_names(name: str) -> dict[str, str]:
    """The name in each other library, from the section "In other libraries" of the docstring."""
    _, found, section = documentation(name).partition("\nIn other libraries:\n")
    entries: dict[str, str] = {}
    library = ""
    for line in section.partition("\n\n")[0].splitlines():
        if line.startswith("        "):  # a continuation line
            entries[library] += " " + line.strip()
        else:
            library, _, entry = line.strip().partition(": ")
            entries[library] = entry
    return entries if found else {}
