"""Write the catalogue: every schedule with its picture, formula, source and names elsewhere.

python -m docs.catalogue

The words come from the docstrings, the curves from the schedules; what others call them from
`funcsched.cli.names`; only what is drawn is kept here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import funcsched as fs
from funcsched.cli.names import SECTIONS as PEERS

FOLDER = Path(__file__).parent


class Entry(NamedTuple):
    """A public name, the expressions to draw, and what others call it, with where their step differs."""

    name: str
    drawn: tuple[str, ...]
    elsewhere: Mapping[str, str]


def _shape(expression: str) -> tuple[str, str]:
    up, down = (f"ramp({ends}, steps=100, shape={expression})" for ends in ("0, 1", "1, 0"))
    return up, down


# What is drawn of each name.
DRAWN: dict[str, tuple[str, ...]] = {
    "warmup_constant": ("warmup_constant(20)",),
    "warmup_linear": ("warmup_linear(20, 100)",),
    "warmup_cosine": ("warmup_cosine(20, 100, end=0.1)",),
    "warmup_cosine_restarts": ("warmup_cosine_restarts(20, 100, cycles=3)",),
    "warmup_polynomial": ("warmup_polynomial(20, 100, exponent=2, end=0.1)",),
    "warmup_half_cosine": ("warmup_half_cosine(20, 100)",),
    "warmup_cosine_linear": ("warmup_cosine_linear(20, 100, 30)",),
    "warmup_inverse_sqrt": ("warmup_inverse_sqrt(20)",),
    "noam": ("noam(64, 20)",),
    "warmup_stable_decay": (
        "warmup_stable_decay(20, 50, 30, decay_shape=sqrt)",
        "warmup_stable_decay(10, 20, 25, cycles=2)",
    ),
    "warmup_exponential": ("warmup_exponential(20, 30, 0.5)",),
    "tri_stage": ("tri_stage(20, 40, 40)",),
    "power_law": ("power_law(20)",),
    "inverse_sqrt": ("inverse_sqrt(20)",),
    "step_decay": ("step_decay(30, 0.5)",),
    "multistep": ("multistep([30, 60, 80], 0.5)",),
    "cosine_restarts": ("cosine_restarts(15, times=3, period_factor=2, level_factor=0.7, end=0.05, warmup_steps=2)",),
    "one_cycle": ("one_cycle(30, 100)", "one_cycle(30, 100, decay_steps=30, shape=linear)"),
    "cyclic": ("cyclic(15, start=0.1)", 'cyclic(15, start=0.1, mode="triangular2")'),
    "range_test": ("range_test(100, start=1e-3)",),
    "linear": _shape("linear"),
    "cosine": _shape("cosine"),
    "power": _shape("power(2)"),
    "sqrt": _shape("sqrt"),
    "exponential": _shape("exponential(0.01)"),
    "log": _shape("log"),
    "tanh": _shape("tanh(-7, 3)"),
    "rex": _shape("rex"),
    "sine": _shape("sine"),
    "reverse": _shape("reverse(power(2))"),
    "compose": _shape("compose(cosine, power(2))"),
    "constant": ("constant()",),
    "ramp": ("ramp(0.1, 1.0, steps=60)", "ramp(1.0, 0.1, steps=80, shape=cosine)"),
    "inverse_power": ("inverse_power(20, 0.51)", "inverse_power(20, 2)"),
    "inverse_time": ("inverse_time(1.0, 20)",),
    "exponential_decay": ("exponential_decay(0.5, 20)", "exponential_decay(0.5, 20, staircase=True)"),
    "piecewise_constant": ("piecewise_constant([30, 60, 80], levels=[0.3, 1.0, 0.5, 0.1])",),
    "table": ("table([step % 25 / 24 for step in range(100)])",),
    "tabulate": ("tabulate(lambda step: 1.0 if step < 50 else 50 / step, 100)",),
    "lift": ("lift(lambda step: 0.5 ** (step // 20))",),
    "join": ("join([ramp(0, 1, steps=20), constant(0.5), ramp(0.5, 0, steps=30, shape=cosine)], [20, 60])",),
    "interpolate": ("interpolate([0, 20, 70, 100], [0.1, 1.0, 0.3, 0.0], shape=[linear, cosine, sqrt])",),
    "scale": ("scale(warmup_linear(20, 100), 0.5)",),
    "lerp": ("one_cycle(30, 100)", "lerp(one_cycle(30, 100), 0.95, 0.85)"),
    "shift": ("warmup_linear(20, 100)", "shift(warmup_linear(20, 100), 30)"),
    "stretch": ("warmup_cosine(10, 50)", "stretch(warmup_cosine(10, 50), 2)"),
    "repeat": ("repeat(ramp(1.0, 0.0, steps=15, shape=cosine), 15, 3, 2, 0.7)",),
    "product": ("product(warmup_inverse_sqrt(20), join([constant(), ramp(1, 0, steps=30)], [70]))",),
    "add": ("add(0.2, scale(warmup_linear(20, 100), 0.8))",),
    "minimum": ("minimum(warmup_linear(20, 100), 0.6)",),
    "maximum": ("maximum(warmup_cosine(20, 100), 0.2)",),
    "then": ("warmup_inverse_sqrt(10)", "then(warmup_inverse_sqrt(10), 60, steps=30, shape=sqrt)"),
}
SECTIONS = {
    title: [Entry(name, DRAWN[name], elsewhere) for name, elsewhere in names.items()] for title, names in PEERS.items()
}
HEAD = """# Catalogue

Every schedule, shape and combinator: its picture, its formula, its source, and what others call it. Written by
`python -m docs.catalogue` from the docstrings and the schedules themselves.

Steps count the updates already made, from 0. Where a peer's step differs, its name says so: its curve is this one with
that shift, and the function of `bridges.<peer>` under the peer's own name and arguments gives it exactly.

"""


def page() -> str:
    """The whole page."""
    contents = "".join(
        f"- {title}: " + ", ".join(f"[{entry.name}](#{entry.name})" for entry in entries) + "\n"
        for title, entries in SECTIONS.items()
    )
    sections = (f"\n## {title}\n" + "".join(map(text, entries)) for title, entries in SECTIONS.items())
    return HEAD + contents + "".join(sections)


def text(entry: Entry) -> str:
    """The part of the page about one name."""
    drawn = "<br>".join(f"`{expression}`" for expression in entry.drawn)
    rows = "".join(f"| {peer} | {name} |\n" for peer, name in entry.elsewhere.items())
    elsewhere = f"\n| peer | name there |\n| --- | --- |\n{rows}" if rows else ""
    picture = f"![{entry.name}](pictures/{entry.name}.svg)"
    return f"\n### {entry.name}\n\n{picture}\n\n{drawn}\n\n{words(entry.name)}\n{elsewhere}"


def words(name: str) -> str:
    """Summary, formula and source, out of the docstring."""
    thing = getattr(fs, name)
    doc = inspect.getdoc(thing if inspect.isfunction(thing) else type(thing)) or ""
    doc = re.sub(r"``(.*?)``", r"`\1`", doc, flags=re.DOTALL)
    body, _, _ = doc.partition("\n\nArgs:")
    _, _, source = doc.partition("\nSource: ")
    return body + (f"\n\nSource: {source.strip()}" if source else "")


def draw(entry: Entry, path: Path) -> None:
    """The curves of one name over the first 120 steps."""
    figure = Figure(figsize=(4.2, 1.9), layout="constrained")
    axes = figure.subplots()
    steps = np.arange(0.0, 120.25, 0.25)
    for expression, color, style in zip(entry.drawn, ["#08519c", "#d95f0e"], ["-", "--"], strict=False):
        schedule = eval(expression, vars(fs))
        # A jump is upright where the curve is drawn more often than steps are made.
        whole = "table" in expression or "tabulate" in expression or "lift" in expression
        at = np.floor(steps) if whole else steps
        axes.plot(steps, [schedule(step) for step in at], color=color, linestyle=style, linewidth=1.8)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 120)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_xlabel("step", fontsize=8)
    axes.set_ylabel("multiplier", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def main() -> None:
    matplotlib.rcParams["svg.hashsalt"] = "funcsched"
    (FOLDER / "catalogue.md").write_text(page(), encoding="utf-8")
    for entries in SECTIONS.values():
        for entry in entries:
            draw(entry, FOLDER / "pictures" / f"{entry.name}.svg")
    print(f"{sum(map(len, SECTIONS.values()))} entries")


if __name__ == "__main__":
    main()
