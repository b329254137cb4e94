"""The public functions and shapes by section, with their docstrings and their names in other libraries."""

from __future__ import annotations

import inspect
import re
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


def summary(name: str) -> str:
    """The first paragraph of the docstring."""
    return documentation(name).partition("\n\n")[0]


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


def plain(name: str) -> str:
    """A name for comparisons: `optax.warmup_cosine` and `Warmup-Cosine` are the same."""
    return name.rpartition(".")[2].lower().replace("-", "_")


def names_in(entry: str) -> list[str]:
    """The names in an entry of `other_names`: its first word, and the other words before `;` that look like code."""
    words = re.findall(r"[\w-]+", re.sub("`.*?`", "", entry.partition(";")[0]))
    first = words[0] if words else ""
    return [
        word for word in words if re.search(r"[A-Z]|\w[_-]\w", word) or (word == first and word not in ("a", "the"))
    ]


def uses_of(name: str) -> list[tuple[str, str, str]]:
    """The entries with a name of another library: our name, the library, and what it calls it."""
    return [
        (own, library, entry)
        for names in SECTIONS.values()
        for own in names
        for library, entry in other_names(own).items()
        if plain(name) in map(plain, names_in(entry))
    ]


def contains(pattern: str, text: str) -> bool:
    """Whether a text contains a pattern, in any case."""
    return pattern.lower() in text.lower()


def matches(name: str, pattern: str) -> bool:
    """Whether our name, its summary or its name in another library contains a pattern."""
    return any(contains(pattern, text) for text in (name, summary(name), *other_names(name).values()))


def all_names() -> list[str]:
    """Our names, and those of all other libraries."""
    own = [name for names in SECTIONS.values() for name in names]
    return [*own, *(other for name in own for entry in other_names(name).values() for other in names_in(entry))]
