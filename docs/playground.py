"""Add the playground to a built site. It runs this library in the browser, with Python compiled to WebAssembly.

python -m docs.playground SITE

All files are static, and all addresses are relative: any static server can serve SITE/playground, without a network.
Needs npm, or the folder of the npm package `pyodide` as --pyodide FOLDER. The build of the site calls `build` without
it: then the page exists, and says what is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from funcsched.playground.answer import SETTINGS, answer

PYODIDE = "314.0.7"
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
FOLDER = Path(__file__).parent
LIBRARY = FOLDER.parent / "funcsched"
STATIC = LIBRARY / "playground" / "static"


def build(site: Path, pyodide: Path | None = None) -> Path:
    """Write the playground into a site.

    Args:
        site: the folder of the built site.
        pyodide: the folder of the npm package `pyodide`. Without it, the playground has no Python.

    Returns:
        The folder of the playground.
    """
    target = site / "playground"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(STATIC, target)
    for name in ("engine.js", "worker.js"):  # instead of the engine that asks the local server
        shutil.copy(FOLDER / "playground" / name, target / name)
    if pyodide is not None:
        (target / "pyodide").mkdir()
        for name in PYODIDE_FILES:
            shutil.copy(pyodide / name, target / "pyodide" / name)
    _zip_library(target / "library.zip")
    (target / "prepared.json").write_text(json.dumps(_prepared()), encoding="utf-8")
    return target


def _prepared() -> dict[str, Any]:
    """The replies to the requests of the page without parameters, by the text of the request in JavaScript."""
    catalogue = {"kind": "catalogue"}
    expressions = [answer(catalogue)["sections"][0]["entries"][0]["expression"]]
    curves = {"kind": "curves", "expressions": expressions, **SETTINGS}
    details = {"kind": "details", "expressions": expressions, "selected": 0, **SETTINGS}
    return {json.dumps(request, separators=(",", ":")): answer(request) for request in (catalogue, curves, details)}


def _zip_library(path: Path) -> None:
    """The modules and the published recipes. The same sources give the same bytes."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in sorted([*LIBRARY.rglob("*.py"), *LIBRARY.rglob("*.json")]):
            entry = ZipInfo(file.relative_to(LIBRARY.parent).as_posix())
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def download(folder: Path) -> Path:
    """Download the npm package, and return its folder."""
    command = ["npm", "pack", "--silent", f"pyodide@{PYODIDE}"]
    archive = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    with tarfile.open(folder / archive) as package:
        package.extractall(folder, filter="data")
    return folder / "package"


def main() -> None:
    parser = argparse.ArgumentParser(description="Add the playground to a built site.")
    parser.add_argument("site", metavar="SITE", type=Path, help="the folder of the built site")
    parser.add_argument("--pyodide", metavar="FOLDER", type=Path, help="the npm package (default: npm downloads it)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(build(options.site, options.pyodide or download(Path(folder))))


if __name__ == "__main__":
    main()
