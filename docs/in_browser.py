"""Open every page of the built site in headless Chromium, and try its search.

python -m docs.in_browser SITE [--screenshots FOLDER]

Fails if a page is wider than its window, or if the search misses a page where users would look first.
Needs `pip install selenium`, and Chromium with its driver.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.browser import Page, served

VIEWS = {
    "desktop": (1280, False),
    "desktop-dark": (1280, True),
    "phone": (390, False),
    "phone-dark": (390, True),
}
HEIGHT = 1800
# For each query, texts that are among the first three results.
SEARCHES = {
    "wsd": ["Catalogue > warmup_stable_decay"],
    "cosine warmup": ["Catalogue > warmup_cosine"],
    "cosine warmup pytorch": ["Catalogue", "Getting started"],
    "CosineAnnealingLR": ["From torch"],
    "OneCycleLR": ["Catalogue > one_cycle", "From torch"],
    "get_cosine_schedule_with_warmup": ["Catalogue > warmup_cosine", "From transformers"],
    "warmup_cosine_decay_schedule": ["Catalogue > warmup_cosine", "From optax"],
    "resume": ["Resuming"],
}
# What may be wider than the page: it scrolls by itself.
TOO_WIDE = """
    const inside = (element) => element.closest("pre, .table-wrapper, .formula, dt");
    const end = document.documentElement.clientWidth + 1;
    const isWide = (element) => element.getBoundingClientRect().right > end && !inside(element);
    return [...document.querySelectorAll("article *")].filter(isWide).map((element) => element.outerHTML.slice(0, 120));
"""
RESULTS = """
    const isFinished = document.querySelector("#search-results .search-summary")?.textContent.includes("found");
    return isFinished && [...document.querySelectorAll("#search-results li a")].map((link) => link.textContent);
"""


def wide_pages(address: str, pages: list[str], view: str, screenshots: Path | None) -> Iterator[str]:
    """The elements that are wider than their page."""
    width, dark = VIEWS[view]
    browser = Page(address, width, HEIGHT, dark)
    for page in pages:
        browser.driver.get(address + page)
        yield from (f"{page} ({view}) is too narrow for {element}" for element in browser.script(TOO_WIDE))
        if screenshots is not None:
            browser.driver.save_screenshot(str(screenshots / f"{page.replace('/', '_')}.{view}.png"))
    browser.driver.quit()


def missed_searches(address: str) -> Iterator[str]:
    """The queries whose first results lack an expected page."""
    browser = Page(address)
    for query, expected in SEARCHES.items():
        browser.driver.get(f"{address}search.html?q={quote(query)}")
        first = browser.until(lambda: browser.script(RESULTS))[:3]
        yield from (f"the search for {query!r} finds {first}, not {text!r}" for text in expected if text not in first)
    browser.driver.quit()


def main() -> int:
    parser = argparse.ArgumentParser(description="Open every page of the built site in headless Chromium.")
    parser.add_argument("site", metavar="SITE", type=Path, help="the folder of the built site")
    parser.add_argument("--screenshots", metavar="FOLDER", type=Path, help="where to save a picture of every page")
    options = parser.parse_args()
    if options.screenshots is not None:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    folders = ("docs", "benchmarks", "conformance")
    pages = [path for folder in folders for path in sorted((options.site / folder).rglob("*.html"))]
    names = [path.relative_to(options.site).as_posix() for path in pages]
    with served(options.site) as address:
        faults = [fault for view in VIEWS for fault in wide_pages(address, names, view, options.screenshots)]
        faults += missed_searches(address)
    print(*faults, f"{len(names)} pages, {len(faults)} faults", sep="\n")
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
