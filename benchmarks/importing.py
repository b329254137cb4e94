"""The time of `import funcsched`, and the modules it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.report import Row
from benchmarks.timing import interleaved

ROOT = Path(__file__).parent.parent


def rows() -> Iterator[Row]:
    statements = "import funcsched", "import optax", "pass"
    with TemporaryDirectory() as cache:
        batches = [lambda statement=statement: _python(statement, cache) for statement in statements]
        ours, theirs, startup = map(median, interleaved(*batches, rounds=15))
    yield Row("`import funcsched`, less bare Python", "`import optax`", ours - startup, theirs - startup, 0.05)
    counts = len(foreign_modules("funcsched")), len(foreign_modules("optax"))
    yield Row("other modules loaded, outside the standard library", "`import optax`", *counts, 0.0)


def foreign_modules(package: str) -> list[str]:
    """The modules that importing a package loads, except its own and those of the standard library."""
    code = f"import sys; before = set(sys.modules); import {package}; print(*sorted(set(sys.modules) - before))"
    expected = {*sys.stdlib_module_names, package}
    return [name for name in _python(code).split() if name.partition(".")[0] not in expected]


def _python(code: str, cache: str | None = None) -> str:
    """The output of `code` in a new process, which caches bytecode in `cache` so that imports need not compile."""
    environment = dict(os.environ)
    if cache is not None:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = cache
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
