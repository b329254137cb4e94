"""Write the output of the command `funcsched` into the `console` code blocks of the pages in this folder.

python -m docs.console

Each line that begins with `$ funcsched` is run in this folder, and its output replaces the output below it.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

from funcsched.cli.main import main as funcsched

FOLDER = Path(__file__).parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = "$ funcsched "


def output(line: str, folder: Path) -> str:
    """The output of a command line, run in `folder` with the terminal width of the pages."""
    text = io.StringIO()
    previous_folder = Path.cwd()
    os.chdir(folder)
    try:
        with redirect_stdout(text), patch.dict(os.environ, COLUMNS="84"):
            funcsched(shlex.split(line.removeprefix(PROMPT)))
    finally:
        os.chdir(previous_folder)
    return text.getvalue()


def filled(text: str, folder: Path) -> str:
    """The text of a page with the current output of its command lines."""

    def block(match: re.Match[str]) -> str:
        lines = [line for line in match[1].splitlines() if line.startswith(PROMPT)]
        return "```console\n" + "".join(f"{line}\n{output(line, folder)}" for line in lines) + "```"

    return BLOCK.sub(block, text)


def pages() -> list[Path]:
    """The pages with `console` blocks."""
    return [page for page in sorted(FOLDER.rglob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def main() -> None:
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8"), FOLDER), encoding="utf-8")


if __name__ == "__main__":
    main()
