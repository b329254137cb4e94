"""Write the catalogue (catalogue.md and its pictures), and the lists of names in the reference (api.md).

python -m docs.catalogue

Everything is derived from the docstrings: the text, the names in other libraries, and the plotted curves, which are
the schedules in the example of each docstring.
"""

from __future__ import annotations

import ast
import io
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

Every schedule, shape and combinator with its picture, formula, source, and names in other libraries.
`python -m docs.catalogue` generates this page from the docstrings.

A step is the number of updates already made, so the first update is step 0. If another library counts differently, its
entry says so. To reproduce the values of another library exactly, use the function in `bridges.<library>` that keeps
the library's own name and arguments.

"""

BLACK = "#000000"
# The colors of the pictures on a light and on a dark page: text, grid, and two curves.
COLORS = {BLACK: "#cfd0d0", "#e6e6e6": "#34363a", "#0072b2": "#56b4e9", "#d55e00": "#ff9f4a"}
HOME = {
    "warmup_cosine": fs.warmup_cosine(1_000, 10_000, end=0.1),
    "warmup_stable_decay": fs.warmup_stable_decay(1_000, 7_000, 2_000),
}  # the picture of the home page


def page() -> str:
    """The text of catalogue.md: a gallery of all pictures by section, then the entries."""
    gallery = "".join(
        f"\n**[{title}](#{title.lower()})**\n\n" + "".join(map(_card, names)) for title, names in SECTIONS.items()
    )
    sections = (f"\n## {title}\n" + "".join(map(entry, names)) for title, names in SECTIONS.items())
    return HEAD + gallery + "".join(sections)


def _card(name: str) -> str:
    return f"- [![](pictures/{name}.svg)<br>{name}](#{name})\n"


def entry(name: str) -> str:
    """The entry of one schedule, shape or combinator."""
    expressions = [f"`{expression}`" for expression in curves(name)]
    if len(expressions) == 2:
        expressions = [f"{line}: {text}" for line, text in zip(("solid", "dashed"), expressions, strict=True)]
    plotted = "<br>".join(expressions)
    rows = "".join(f"| {library} | {their_name} |\n" for library, their_name in other_names(name).items())
    table = f"\n| library | name there |\n| --- | --- |\n{rows}" if rows else ""
    return f"\n### {name}\n\n![Plot of {name}](pictures/{name}.svg)\n\n{plotted}\n\n{description(name)}\n{table}"


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


def draw(plotted: dict[str, fs.Schedule], path: Path, size: tuple[float, float], **options: Any) -> None:
    """Save a picture. It has no legend if the labels are expressions, which the page lists."""
    axes: Any = Figure(figsize=size, layout="constrained").subplots()
    fs.plot(plotted, axes=axes, **options)
    axes.get_legend().remove()
    if plotted is HOME:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(0.12, 0.3))
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_size(8)
    axes.yaxis.label.set_size(8)
    axes.set_facecolor("none")
    image = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "funcsched", "svg.fonttype": "none"}):  # deterministic and small
        axes.figure.savefig(image, format="svg", metadata={"Date": None}, transparent=True)
    path.write_text(_adaptive(image.getvalue()), encoding="utf-8")


def _adaptive(image: str) -> str:
    """An SVG whose colors follow the color scheme of the page that shows it."""
    variables = {light: f"--c{i}" for i, light in enumerate(COLORS)}
    light = "".join(f"{variable}:{color};" for color, variable in variables.items())
    dark = "".join(f"{variables[color]}:{other};" for color, other in COLORS.items())
    text = f"text{{fill:var({variables[BLACK]})}}"
    style = f"<style>:root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}{text}</style>"
    image = re.sub("#[0-9a-f]{6}", lambda match: f"var({variables[match[0]]})", image)
    return image.replace("<defs>", f"{style}\n <defs>", 1)


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
    (FOLDER / "catalogue.md").write_text(page(), encoding="utf-8")
    api = FOLDER / "api.md"
    api.write_text(reference(api.read_text(encoding="utf-8")), encoding="utf-8")
    names = [name for section in SECTIONS.values() for name in section]
    for picture in (FOLDER / "pictures").iterdir():
        if picture.stem not in names:
            picture.unlink()
    for name in names:
        draw(curves(name), FOLDER / "pictures" / f"{name}.svg", (4.2, 1.9))
    draw(HOME, FOLDER / "learning_rates.svg", (7.2, 2.6), peak_value=3e-4)
    print(f"{len(names)} entries")


if __name__ == "__main__":
    main()
