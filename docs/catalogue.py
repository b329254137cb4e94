"""Write the catalogue (catalogue.md and its pictures), and the lists of names in the reference (api.md).

python -m docs.catalogue

Everything is derived from the docstrings: the text, the names in other libraries, and the plotted curves, which are
the schedules in the example of each docstring.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from doctest import DocTestParser
from itertools import takewhile
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

import funcsched as fs
from funcsched.cli.names import SECTIONS, documentation, other_names

FOLDER = Path(__file__).parent
HEAD = """# Catalogue

Every schedule, shape and combinator with its picture, formula, source, and names in other libraries. Generated from the
docstrings by `python -m docs.catalogue`.

A step is the number of updates already made, so the first update is step 0. If another library counts differently, its
entry says so. To reproduce the values of another library exactly, use the function in `bridges.<library>` that keeps
the library's own name and arguments.

"""


def page() -> str:
    """The text of catalogue.md."""
    contents = "".join(
        f"- {title}: " + ", ".join(f"[{name}](#{name})" for name in names) + "\n" for title, names in SECTIONS.items()
    )
    sections = (f"\n## {title}\n" + "".join(map(entry, names)) for title, names in SECTIONS.items())
    return HEAD + contents + "".join(sections)


def entry(name: str) -> str:
    """The entry of one schedule, shape or combinator."""
    plotted = "<br>".join(f"`{expression}`" for expression in curves(name))
    rows = "".join(f"| {library} | {their_name} |\n" for library, their_name in other_names(name).items())
    table = f"\n| library | name there |\n| --- | --- |\n{rows}" if rows else ""
    return f"\n### {name}\n\n![{name}](pictures/{name}.svg)\n\n{plotted}\n\n{description(name)}\n{table}"


def description(name: str) -> str:
    """Summary, formula and source, from the docstring."""
    paragraphs = re.sub(r"``(.*?)``", r"`\1`", documentation(name), flags=re.DOTALL).split("\n\n")
    text = takewhile(
        lambda paragraph: not re.match(r"(Args|Example|In other libraries|Source)\b.*:", paragraph), paragraphs
    )
    source = (paragraph for paragraph in paragraphs if paragraph.startswith("Source: "))
    return "\n\n".join([*text, *source]).strip()


def curves(name: str) -> dict[str, fs.Schedule]:
    """The schedules to plot, by expression: the first two calls of the function in its docstring's example.

    A shape is plotted as a ramp up and a ramp down.
    """
    value = getattr(fs, name)
    found = {name: value} if isinstance(value, fs.Shape) else dict(_calls(name))
    plotted: dict[str, fs.Schedule] = {}
    for expression, schedule in found.items():
        if isinstance(schedule, fs.Shape):
            for start, stop in (0, 1), (1, 0):
                text = f"ramp({start}, {stop}, steps=100, shape={expression})"
                plotted[text] = fs.ramp(start, stop, steps=100, shape=schedule)
        else:
            plotted[expression] = schedule
    return dict(list(plotted.items())[:2])


def _calls(name: str) -> Iterator[tuple[str, Any]]:
    """The calls of a function in its docstring's example, each as an expression and its value."""
    scope: dict[str, Any] = {}
    for example in DocTestParser().get_examples(documentation(name)):
        if example.exc_msg is not None:
            continue
        exec(example.source, scope)
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"fs.{name}":
                text = ast.unparse(node)
                with suppress(NameError):  # a call inside a comprehension uses its loop variable
                    yield text.replace("fs.", ""), eval(text, scope)


def draw(name: str, path: Path) -> None:
    """Save the picture of one entry."""
    axes: Any = Figure(figsize=(4.2, 1.9), layout="constrained").subplots()
    fs.plot(curves(name), axes=axes)
    axes.get_legend().remove()  # the entry lists the expressions
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(8)
    axes.yaxis.label.set_size(8)
    axes.figure.savefig(path, format="svg", metadata={"Date": None})


def reference(text: str) -> str:
    """The text of api.md, with current lists of functions in the sections that the catalogue has too."""
    for title, names in SECTIONS.items():
        functions = [name for name in names if not isinstance(getattr(fs, name), fs.Shape)]
        before, heading, section = text.partition(f"\n## {title}\n")
        intro, fence, rest = section.partition("```{eval-rst}\n")
        listed = "".join(f".. autofunction:: {name}\n" for name in functions)
        text = before + heading + intro + fence + listed + rest[rest.index("```") :]
    return text


def main() -> None:
    matplotlib.rcParams["svg.hashsalt"] = "funcsched"  # makes the ids in the SVG files deterministic
    (FOLDER / "catalogue.md").write_text(page(), encoding="utf-8")
    api = FOLDER / "api.md"
    api.write_text(reference(api.read_text(encoding="utf-8")), encoding="utf-8")
    names = [name for section in SECTIONS.values() for name in section]
    for picture in (FOLDER / "pictures").iterdir():
        if picture.stem not in names:
            picture.unlink()
    for name in names:
        draw(name, FOLDER / "pictures" / f"{name}.svg")
    print(f"{len(names)} entries")


if __name__ == "__main__":
    main()
