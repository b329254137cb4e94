"""The documentation site builds without warnings and has no broken links."""

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("furo", reason="pip install -e .[docs]")
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
            if heading and target in ids:
                assert heading in ids[target], (path, link)
    assert count > 1000


def test_pages_load_nothing_from_other_servers(site: Path) -> None:
    remote = r'[^>]*="(?:https?:)?//'
    loads = re.compile(f"<(?:script|img|iframe){remote}|<link[^>]*stylesheet{remote}")
    for path in site.rglob("*.html"):
        assert not loads.search(path.read_text(encoding="utf-8")), path
