"""The format of RESULTS.md: rows, tables and the introduction."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

import jax

HEAD = """# Results

Written by `python -m benchmarks`: funcsched compared with other libraries, on {machine}.

A ratio is ours / theirs: below 1, funcsched is faster or smaller. Absolute times depend on the machine, so they are not
listed. Both sides of a ratio are measured in the same process, in alternating batches whose order is reversed every
other round, after a warmup round and with the garbage collector disabled. The ratio compares 10th percentiles: noise
only adds time, but the minimum depends on luck. Compilations start with empty caches on both sides, and the fastest of
five counts. Imports run in new processes with cached bytecode: the median, less the median of starting Python. Counts
are in parentheses and do not depend on noise.
"""


class Row(NamedTuple):
    """One measurement of funcsched and of a peer, in the same unit, and the largest acceptable ratio, if any."""

    measured: str
    peer: str
    ours: float
    theirs: float
    limit: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> str:
        return "" if self.limit is None else "yes" if self.ratio <= self.limit else "**no**"

    def __str__(self) -> str:
        counts = f" ({self.ours} / {self.theirs})" if isinstance(self.ours, int) else ""
        limit = "" if self.limit is None else f"{self.limit:g}"
        return f"| {self.measured} | {self.peer} | {self.ratio:.3f}{counts} | {limit} | {self.met} |"


def section(title: str, rows: Sequence[Row]) -> str:
    """A heading and a table of the rows."""
    head = ["| measured | compared with | ratio | limit | met |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"\n## {title}\n", *head, *map(str, rows), ""])


def document(sections: Mapping[str, Sequence[Row]]) -> str:
    """The text of RESULTS.md."""
    return HEAD.format(machine=_machine()) + "".join(section(title, rows) for title, rows in sections.items())


def _machine() -> str:
    python = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"
    torch = version("torch").partition("+")[0]
    parts = [f"{os.cpu_count()} cores", python, f"JAX {version('jax')} {jax.default_backend().upper()}"]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in ("optax", "transformers")), f"torch {torch}"])
