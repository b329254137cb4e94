"""A row of the results, and the file that holds them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

import jax

HEAD = """# Results

Written by `python -m benchmarks`: funcsched beside its peers, on {machine}.

A ratio is ours / theirs, so below 1 is better than the peer. Times mean little from one machine to the next, so none
are given. Both sides of a ratio are measured in the same process, in alternating batches whose order is reversed every
other round, after one round that is not counted and with the garbage collector off. The ratio is that of the times that
one round in ten beats: noise only ever adds, but the very lowest time is a matter of luck. Compilations start from cold
caches on both sides, and the lowest of five is taken. Imports run in fresh processes, with compiled bytecode, and are
medians less the median of bare Python. Counts, given in brackets, do not depend on noise.
"""


class Row(NamedTuple):
    """What is measured, against what, both quantities in one unit, and the largest ratio wanted, if one is."""

    what: str
    peer: str
    ours: float
    theirs: float
    target: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> str:
        return "" if self.target is None else "yes" if self.ratio <= self.target else "**no**"

    def __str__(self) -> str:
        counts = f" ({self.ours} / {self.theirs})" if isinstance(self.ours, int) else ""
        target = "" if self.target is None else f"{self.target:g}"
        return f"| {self.what} | {self.peer} | {self.ratio:.3f}{counts} | {target} | {self.met} |"


def section(title: str, rows: Sequence[Row]) -> str:
    """A heading and the table of its rows."""
    head = ["| measured | against | ratio | at most | met |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"\n## {title}\n", *head, *map(str, rows), ""])


def document(sections: Mapping[str, Sequence[Row]]) -> str:
    """The whole results file."""
    return HEAD.format(machine=_machine()) + "".join(section(title, rows) for title, rows in sections.items())


def _machine() -> str:
    python = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"
    torch = version("torch").partition("+")[0]
    facts = [f"{os.cpu_count()} cores", python, f"JAX {version('jax')} {jax.default_backend().upper()}"]
    return ", ".join([*facts, *(f"{name} {version(name)}" for name in ("optax", "transformers")), f"torch {torch}"])
