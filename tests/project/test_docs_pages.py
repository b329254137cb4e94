"""Every page of the documentation: code blocks run, links work, and the reference is complete."""

import doctest
import re
from importlib import import_module
from inspect import isfunction
from pathlib import Path
from pkgutil import iter_modules

import pytest

import funcsched as fs
from docs import console

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PAGES = sorted(FOLDER.rglob("*.md"))
GENERATED = {FOLDER / "catalogue.md", FOLDER / "stacks.md"}  # their examples are tested elsewhere
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NO_PEERS = {"arguments", "compositions", "expressions", "jax", "phases", "rated"}
PEERS = {module.name for module in iter_modules([str(ROOT / "bridges")])} - NO_PEERS
NO_MODULE = {"ignite", "nemo", "lightning_cli"}  # pages of libraries that need no module


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return [
        code for block_language, code in FENCE.findall(page.read_text(encoding="utf-8")) if block_language == language
    ]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and the site generate for the headings of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_the_python_blocks_of_a_page_run(page: Path) -> None:
    if page in GENERATED:
        assert not any(">>>" in code for code in blocks(page, "python"))
        return
    code = "\n".join(blocks(page, "python"))
    test = doctest.DocTestParser().get_doctest(code, {}, name(page), str(page), 0)
    output: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=output.append, clear_globs=False)
    assert not output, "".join(output)


@pytest.mark.parametrize("page", console.pages(), ids=name)
def test_the_console_blocks_of_a_page_are_current(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert console.filled(text, tmp_path) == text, "run python -m docs.console"
    for picture in tmp_path.iterdir():
        assert picture.read_text(encoding="utf-8") == (page.parent / picture.name).read_text(encoding="utf-8")


def test_an_outdated_console_block_is_replaced(tmp_path: Path) -> None:
    outdated = "```console\n$ funcsched table 'constant(0.5)' --steps 1\nstep  multiplier\n   0           1\n```\n"
    assert console.filled(outdated, tmp_path) == outdated.replace("           1\n", "         0.5\n   1         0.5\n")


@pytest.mark.parametrize("page", sorted({*PAGES} - GENERATED), ids=name)
def test_every_python_block_has_an_example_to_run(page: Path) -> None:
    assert all(">>> " in code for code in blocks(page, "python"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_points_to_an_existing_file_and_heading(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose)):
        assert "://" not in link, link  # the documentation must work offline
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file() and target.is_relative_to(ROOT), link
        assert not heading or heading in anchors(target), link


def test_every_page_is_linked_from_the_index() -> None:
    reached, queue = set(), [FOLDER / "index.md"]
    while queue:
        page = queue.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", page.read_text(encoding="utf-8")))
        queue += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) <= reached


def test_every_peer_with_a_bridge_has_a_page() -> None:
    assert {page.stem for page in (FOLDER / "moving").glob("*.md")} == {"index", *PEERS, *NO_MODULE}


@pytest.mark.parametrize("peer", sorted(PEERS | {"expressions"}))
def test_every_function_of_a_bridge_is_in_the_reference(peer: str) -> None:
    module = import_module(f"bridges.{peer}")
    functions = [name for name, value in vars(module).items() if isfunction(value) and not name.startswith("_")]
    functions = [name for name in functions if getattr(module, name).__module__.startswith(module.__name__)]
    _, _, section = (FOLDER / "api-bridges.md").read_text(encoding="utf-8").partition(f"## bridges.{peer}\n")
    section = section.partition("\n## ")[0]
    assert functions and all(f":: {function}\n" in section for function in functions)


def test_every_public_name_is_in_the_reference() -> None:
    text = (FOLDER / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE))
    shapes = {name for name in fs.__all__ if isinstance(getattr(fs, name), fs.Shape)}
    assert listed == set(fs.__all__) - shapes
    assert all(f"`{shape}`" in text for shape in shapes)
