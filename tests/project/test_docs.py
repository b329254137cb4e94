"""The generated page of the documentation is there, current, and whole."""

import re
from pathlib import Path

import pytest

from docs.catalogue import FOLDER, SECTIONS, page, words
from funcsched.serialization.data import builders

NAMES = [entry.name for entries in SECTIONS.values() for entry in entries]


def test_the_page_is_current() -> None:
    assert (FOLDER / "catalogue.md").read_text(encoding="utf-8") == page(), "run python -m docs.catalogue"


def test_every_public_name_has_one_entry() -> None:
    assert sorted(NAMES) == sorted({*builders(), "lift", "tabulate"})


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_formula_and_a_picture(name: str) -> None:
    assert re.search(r"`[^`]*[(*/]|`u`", words(name)), words(name)
    picture = (FOLDER / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert picture.count("<path") > 5


@pytest.mark.parametrize("name", [entry.name for entry in [*SECTIONS["Recipes"], *SECTIONS["Shapes"]]])
def test_every_recipe_and_shape_has_its_source(name: str) -> None:
    if name not in ("reverse",):  # made of another shape, whose source counts
        assert "Source: " in words(name)


def test_no_picture_is_left_of_another_name() -> None:
    assert {Path(path).stem for path in (FOLDER / "pictures").iterdir()} == set(NAMES)
