"""The claims of the benchmarks that do not depend on time."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from benchmarks import kernels
from benchmarks.catalogue import FAMILIES, LIMITS, THOUSAND, counts, errors
from benchmarks.compiled import ENDS, KINDS, instruction_counts, instructions
from benchmarks.compiling import HORIZONS, compilations, first_values, join_instructions, ours_of, peer_of
from benchmarks.importing import foreign_modules
from benchmarks.peers import OURS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end"), ENDS)
@pytest.mark.parametrize("name", OURS)
def test_compiles_to_at_most_twice_the_instructions_of_optax(name: str, start: float, end: float, kind: str) -> None:
    ours, theirs = instruction_counts(name, start, end, kind)
    assert 0 < ours <= 2 * theirs


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_compiles_to_few_more_instructions_than_optax(name: str) -> None:
    assert [0 < ours <= LIMITS[name] * theirs for ours, theirs in counts(name)] == [True, True]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_within_4_ulp_and_no_farther_than_optax(name: str) -> None:
    ours, theirs = errors(name)
    # An exponent multiplies the error of the cosine under it.
    # Far from 0 the formula of optax loses nothing, and sin**2 rounds once more.
    least = 2 if name.startswith("interpolation, cosine") else 1
    assert ours <= min(8 if name == "cosine, exponent 2" else 4, max(theirs, least))


@pytest.mark.parametrize("name", THOUSAND)
def test_a_thousand_compile_like_a_hundred(name: str) -> None:
    thousand, hundred = (instructions(THOUSAND[name](count), jnp.int32(5)) for count in (1000, 100))
    assert 0 < thousand <= 1.2 * hundred


def test_a_long_join_compiles_like_a_short_one() -> None:
    assert join_instructions(500) <= 1.2 * join_instructions(100)


def test_many_horizons_compile_once() -> None:
    assert len(HORIZONS) == 64
    assert compilations(first_values(ours_of)) == 1


def test_compilations_are_counted() -> None:
    assert compilations(first_values(peer_of)) == 64


def test_a_schedule_adds_as_many_kernels_to_a_training_step_as_optax_s_own() -> None:
    rows = list(kernels.rows())
    assert len(rows) == 6
    assert all(0 < row.ours <= row.theirs for row in rows)


def test_the_import_loads_the_standard_library_only() -> None:
    assert foreign_modules("funcsched") == []


def test_foreign_modules_are_seen() -> None:
    assert "numpy" in foreign_modules("optax")
