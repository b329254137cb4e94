"""The pages of the documentation: every snippet runs, every link leads somewhere, and every name has its place."""

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
GENERATED = {FOLDER / "catalogue.md", FOLDER / "stacks.md"}  # their own modules write and test them
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PEERS = set("transformers torch optax timm keras composer torchtitan megatron deepspeed fairseq maxtext".split())
PEERS |= {"big_vision", "t5x"}


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return [code for found, code in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and the site give the headings of a page."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    found = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_every_snippet_of_a_page_runs(page: Path) -> None:
    if page in GENERATED:
        assert not any(">>>" in code for code in blocks(page, "python"))
        return
    code = "\n".join(blocks(page, "python"))
    test = doctest.DocTestParser().get_doctest(code, {}, name(page), str(page), 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
    assert not said, "".join(said)


@pytest.mark.parametrize("page", console.pages(), ids=name)
def test_a_console_shows_what_the_command_prints(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert console.filled(text, tmp_path) == text
    for picture in tmp_path.iterdir():
        assert picture.read_text(encoding="utf-8") == (page.parent / picture.name).read_text(encoding="utf-8")


def test_what_a_console_does_not_show_would_be_seen(tmp_path: Path) -> None:
    wrong = "```console\n$ funcsched table 'constant(0.5)' --steps 1\nstep  multiplier\n   0           1\n```\n"
    assert console.filled(wrong, tmp_path) == wrong.replace("           1\n", "         0.5\n   1         0.5\n")


@pytest.mark.parametrize("page", sorted({*PAGES} - GENERATED), ids=name)
def test_every_block_of_python_has_something_to_run(page: Path) -> None:
    assert all(">>> " in code for code in blocks(page, "python"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", prose)):
        assert "://" not in link, link  # pages must not depend on what lies elsewhere
        place, _, heading = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.is_file() and target.is_relative_to(ROOT), link
        assert not heading or heading in anchors(target), link


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, ahead = set(), [FOLDER / "index.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", page.read_text(encoding="utf-8")))
        ahead += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) <= reached


def test_every_peer_with_a_bridge_has_a_page() -> None:
    assert {page.stem for page in (FOLDER / "moving").glob("*.md")} == {"index", *PEERS}
    modules = {module.name for module in iter_modules([str(ROOT / "bridges")])}
    assert modules - {"jax", "rated", "expressions"} == PEERS  # these are of no peer


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
    values = {known for known in fs.__all__ if isinstance(getattr(fs, known), fs.Shape)}
    assert listed == set(fs.__all__) - values
    assert all(f"`{value}`" in text for value in values)
