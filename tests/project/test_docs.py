"""The exports, the catalogue and the reference: generated, current, and complete."""

import re
from pathlib import Path

import pytest

from docs.catalogue import FOLDER, SECTIONS, description, page, reference
from docs.exports import PATH, exported
from funcsched.serialization.data import registry

NAMES = [name for names in SECTIONS.values() for name in names]


def test_the_exports_are_current() -> None:
    text = PATH.read_text(encoding="utf-8")
    assert exported(text) == text, "run python -m docs.exports"
    # New recipes are added, also from new modules, and recipes that no longer exist are removed.
    assert exported(text.replace('    "noam",\n', "").replace("    noam,\n", "")) == text
    wsd = "from funcsched.recipes.wsd import tri_stage, warmup_stable_decay\n"
    assert exported(text.replace(wsd, "").replace('    "tri_stage",\n', "")) == text
    old = text.replace(wsd, wsd.replace("tri_stage", "retired, tri_stage")).replace(
        '    "rex"', '    "retired",\n    "rex"'
    )
    assert old != text and exported(old) == text


def test_the_catalogue_is_current() -> None:
    assert (FOLDER / "catalogue.md").read_text(encoding="utf-8") == page(), "run python -m docs.catalogue"


def test_the_reference_is_current() -> None:
    text = (FOLDER / "api.md").read_text(encoding="utf-8")
    assert text == reference(text), "run python -m docs.catalogue"
    assert reference(text.replace(".. autofunction:: ramp\n", "")) == text


def test_every_public_schedule_and_shape_has_one_entry() -> None:
    assert sorted(NAMES) == sorted({*registry(), "curve", "lift", "tabulate"})


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_formula_and_a_picture(name: str) -> None:
    assert re.search(r"`[^`]*[(*/]|`u`", description(name)), description(name)
    picture = (FOLDER / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert picture.count("<path") > 5
    # Colors follow the scheme of the page, on a transparent background.
    assert "prefers-color-scheme:dark" in picture
    colors = re.findall('(?:fill|stroke): ([^;"]+)', picture)
    assert set(colors) <= {"none", *(f"var(--c{i})" for i in range(4))}


@pytest.mark.parametrize("name", [*SECTIONS["Recipes"], *SECTIONS["Shapes"]])
def test_every_recipe_and_shape_names_its_source(name: str) -> None:
    if name != "reverse":  # made of another shape, which has a source
        assert "Source: " in description(name)


def test_no_picture_of_a_removed_name_is_left() -> None:
    assert {Path(path).stem for path in (FOLDER / "pictures").iterdir()} == set(NAMES)
