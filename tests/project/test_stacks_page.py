"""docs/stacks.md is current and covers every example and test module in the `stacks` folders."""

import re
from pathlib import Path

from docs.stacks import JAX, PAGE, ROOT, TORCH, anchor, page

STACKS = [*TORCH, *JAX]


def names(folder: str, pattern: str) -> set[str]:
    return {Path(path).stem for path in (ROOT / folder).glob(pattern)}


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.stacks"


def test_every_example_and_test_module_has_one_entry() -> None:
    assert sorted(stack.example for stack in STACKS) == sorted(names("examples/stacks", "*.py"))
    assert sorted(stack.test for stack in STACKS) == sorted(names("tests/stacks", "test_*.py"))


def test_the_page_contains_the_code_of_every_example() -> None:
    text = page()
    for name in names("examples/stacks", "*.py"):
        code = (ROOT / "examples" / "stacks" / f"{name}.py").read_text(encoding="utf-8")
        assert code.partition("import ")[2].strip() in text


def test_every_link_points_to_an_existing_file_or_heading() -> None:
    text = page()
    headings = {anchor(line.lstrip("# ")) for line in text.splitlines() if line.startswith("### ")}
    for link in re.findall(r"\]\((.*?)\)", text.partition("## Examples")[0]):
        assert link[1:] in headings if link.startswith("#") else (PAGE.parent / link.partition("#")[0]).is_file(), link
