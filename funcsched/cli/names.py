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
# Controllers follow a metric, so they have no curve in the catalogue.
ENTRIES = {**SECTIONS, "Controllers": ["plateau", "greedy"]}
_COMMON_WORDS = {"a", "and", "in", "learning", "lr", "of", "rate", "schedule", "scheduler", "the", "to", "with"}


def own_names() -> list[str]:
    return [name for names in ENTRIES.values() for name in names]


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
        for own in own_names()
        for library, entry in other_names(own).items()
        if plain(name) in map(plain, names_in(entry))
    ]


def own_name(text: str) -> str | None:
    """Our name itself, or in other words: `warmup cosine` and `CosineWarmup` are `warmup_cosine`."""
    names = own_names()
    if text in names:
        return text
    return next((name for name in names if sorted(_words(name)) == sorted(_words(text))), None)


def found_by_words(text: str) -> list[str]:
    """Our names whose entries contain a phrase, or else all of its words except common ones.

    Longer words may be the beginning of a word: trapezoid finds trapezoidal.
    """
    phrase = f" {' '.join(_words(text))} "
    texts = {name: f" {' '.join(_words(_searched(name)))} " for name in own_names()}
    wanted = [f" {word}" if len(word) > 5 else f" {word} " for word in _words(text) if word not in _COMMON_WORDS]
    if not wanted:
        return []
    found = [name for name in texts if phrase in texts[name]]
    return found or [name for name in texts if all(word in texts[name] for word in wanted)]


def _words(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", text)]


def _searched(name: str) -> str:
    """The text of an entry that a search reads."""
    source = documentation(name).partition("\nSource: ")[2]
    others = (f"{library} {library.lower()} {entry}" for library, entry in other_names(name).items())
    return " ".join([name, summary(name), source, *others])


def contains(pattern: str, text: str) -> bool:
    """Whether a text contains a pattern, in any case."""
    return pattern.lower() in text.lower()


def matches(name: str, pattern: str) -> bool:
    """Whether our name, its summary, another library or its name there contains a pattern."""
    return any(
        contains(pattern, text) for text in (name, summary(name), *other_names(name), *other_names(name).values())
    )


def all_names() -> list[str]:
    """Our names, and those of all other libraries."""
    own = own_names()
    return [*own, *(other for name in own for entry in other_names(name).values() for other in names_in(entry))]
