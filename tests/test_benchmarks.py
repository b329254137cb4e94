"""The claims of the benchmarks that do not depend on time."""

from __future__ import annotations

import pytest

from benchmarks.compiled import ENDS, KINDS, instruction_counts
from benchmarks.compiling import HORIZONS, compilations, first_values, join_instructions, ours_of, peer_of
from benchmarks.importing import foreign_modules
from benchmarks.peers import OURS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end"), ENDS)
@pytest.mark.parametrize("name", OURS)
def test_compiles_to_no_more_instructions_than_optax(name: str, start: float, end: float, kind: str) -> None:
    ours, theirs = instruction_counts(name, start, end, kind)
    assert 0 < ours <= theirs


def test_a_long_join_compiles_like_a_short_one() -> None:
    assert join_instructions(500) <= 1.2 * join_instructions(50)


def test_many_horizons_compile_once() -> None:
    assert len(HORIZONS) == 64
    assert compilations(first_values(ours_of)) == 1


def test_compilations_are_counted() -> None:
    assert compilations(first_values(peer_of)) == 64


def test_the_import_loads_the_standard_library_only() -> None:
    assert foreign_modules("funcsched") == []


def test_foreign_modules_are_seen() -> None:
    assert "numpy" in foreign_modules("optax")
