"""Fill in what the command prints: the blocks of the language `console` in the pages of this folder.

python -m docs.console

A line that begins with `$ funcsched` is run, in this folder, and what stood below it is replaced.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

from funcsched.cli.main import main as funcsched

FOLDER = Path(__file__).parent
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = "$ funcsched "


def printed(line: str, folder: Path) -> str:
    """What a line of a terminal prints when it is run in a folder."""
    said = io.StringIO()
    home, columns = Path.cwd(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "84"  # as wide as a page
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(said):
            funcsched(shlex.split(line.removeprefix(PROMPT)))
    finally:
        os.chdir(home)
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return said.getvalue()


def filled(text: str, folder: Path) -> str:
    """A page whose blocks show what is printed now."""

    def block(match: re.Match[str]) -> str:
        prompts = [line for line in match[1].splitlines() if line.startswith(PROMPT)]
        return "```console\n" + "".join(f"{line}\n{printed(line, folder)}" for line in prompts) + "```"

    return BLOCK.sub(block, text)


def pages() -> list[Path]:
    """The pages that have such blocks."""
    return [page for page in sorted(FOLDER.rglob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def main() -> None:
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8"), FOLDER), encoding="utf-8")


if __name__ == "__main__":
    main()
