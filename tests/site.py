"""The documentation site builds without warnings, has no broken links, and its search knows the names of others.

pytest tests/site.py
"""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest

import funcsched as fs
from funcsched.cli.names import SECTIONS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-c", "docs", ".", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built(site: Path) -> None:
    for page in FOLDER.rglob("*.md"):
        assert (site / page.relative_to(ROOT)).with_suffix(".html").is_file()
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")


def test_no_link_or_picture_is_broken(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html") if "_static" not in path.parts}
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    count = 0
    for path, text in pages.items():
        for link in re.findall(r'\b(?:href|src)="([^"]*)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            count += 1
            relative, _, heading = unquote(unescape(link)).partition("#")
            relative = relative.partition("?")[0]
            target = (path.parent / relative).resolve() if relative else path
            assert target.is_file(), (path, link)
            if heading and "=" not in heading and target in ids:  # the playground has settings there
                assert heading in ids[target], (path, link)
    assert count > 1000


def test_pages_load_nothing_from_other_servers(site: Path) -> None:
    remote = r'[^>]*="(?:https?:)?//'
    loads = re.compile(f"<(?:script|img|iframe){remote}|<link[^>]*stylesheet{remote}")
    for path in site.rglob("*.html"):
        assert not loads.search(path.read_text(encoding="utf-8")), path


def test_schedules_link_to_the_reference_and_back(site: Path) -> None:
    catalogue = (site / "docs" / "catalogue.html").read_text(encoding="utf-8")
    reference = (site / "docs" / "api.html").read_text(encoding="utf-8")
    functions = [name for names in SECTIONS.values() for name in names if not isinstance(getattr(fs, name), fs.Shape)]
    for name in functions:
        assert f'href="api.html#funcsched.{name}"' in catalogue
        assert f'href="catalogue.html#{name.replace("_", "-")}"' in reference


def test_the_home_page_and_the_catalogue_link_to_the_playground(site: Path) -> None:
    address = "../playground/index.html"
    assert f'href="{address}"' in (site / "docs" / "index.html").read_text(encoding="utf-8")
    catalogue = unescape((site / "docs" / "catalogue.html").read_text(encoding="utf-8"))
    queries = re.findall(f'href="{re.escape(address)}#([^"]*)"', catalogue)
    texts = [text for query in queries for name, text in parse_qsl(query, strict_parsing=True) if name == "e"]
    assert all(map(fs.parse, texts))
    assert {text.partition("(")[0] for text in texts} >= {*SECTIONS["Recipes"], *SECTIONS["Combinators"]}


def test_signatures_have_types(site: Path) -> None:
    reference = unescape((site / "docs" / "api.html").read_text(encoding="utf-8"))
    _, _, entry = reference.partition('id="funcsched.warmup_cosine"')
    signature = re.sub("<[^>]+>|\\s", "", entry.partition("</dt>")[0])
    assert "warmup_steps:int,total_steps:int,*,start:float=0.0,end:float=0.0" in signature
    assert "→Schedule" in signature


@pytest.mark.parametrize("page", ["catalogue", "api", "api-bridges"])
def test_formulas_are_typeset(site: Path, page: str) -> None:
    assert (site / "docs" / f"{page}.html").read_text(encoding="utf-8").count("<mfrac>") > 40


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("wsd", "docs/catalogue#warmup-stable-decay"),
        ("wsd", "docs/moving/maxtext"),
        ("CosineAnnealingLR", "docs/moving/torch"),
        ("OneCycleLR", "docs/catalogue#one-cycle"),
        ("get_cosine_schedule_with_warmup", "docs/catalogue#warmup-cosine"),
        ("get_cosine_schedule_with_warmup", "docs/moving/transformers"),
        ("warmup_cosine_decay_schedule", "docs/moving/optax"),
        ("cosine warmup", "docs/catalogue#warmup-cosine"),
    ],
)
def test_the_search_index_has_the_names_of_other_libraries(site: Path, query: str, page: str) -> None:
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    found = {(index["docnames"][number], anchor) for number, anchor, is_main in index["indexentries"][query.lower()]}
    name, _, anchor = page.partition("#")
    assert any(document == name and anchor in ("", target) for document, target in found)
