"""Benchmark results that do not depend on timing: instructions, kernels, compilations, errors and imports."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import kernels
from benchmarks.catalogue import FAMILIES, LIMITS, THOUSAND_PIECES, instruction_counts, max_errors
from benchmarks.compiled import KINDS, START_AND_END, instructions
from benchmarks.compiled import instruction_counts as common_instruction_counts
from benchmarks.compiling import HORIZONS, compilations, first_values, join_instructions, optax_rate, our_rate
from benchmarks.importing import foreign_modules
from benchmarks.peers import OURS
from tests import oracle

ACCURACY = dict.fromkeys(FAMILIES, 4) | {"cosine, exponent 2": 8}  # squaring doubles the error of the cosine

each_family = pytest.mark.parametrize("name", FAMILIES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "end"), START_AND_END)
@pytest.mark.parametrize("name", OURS)
def test_common_schedules_compile_to_at_most_twice_the_instructions_of_optax(
    name: str, start: float, end: float, kind: str
) -> None:
    ours, theirs = common_instruction_counts(name, start, end, kind)
    assert 0 < ours <= 2 * theirs


@each_family
def test_every_family_compiles_to_at_most_its_limit_of_instructions(name: str) -> None:
    counts = instruction_counts(name)
    assert len(counts) == 2
    assert all(0 < ours <= LIMITS[name] * theirs for ours, theirs in counts)


@each_family
def test_every_family_is_within_4_ulp_and_at_least_as_accurate_as_optax(name: str) -> None:
    ours, theirs = max_errors(name)
    # Far from 0, the cosine of optax has no cancellation, and our squared sine incurs one extra rounding.
    always_allowed = 2 if name.startswith("interpolation, cosine") else 1
    assert ours <= min(ACCURACY[name], max(theirs, always_allowed))


@each_family
def test_the_float64_reference_values_are_accurate(name: str) -> None:
    family = FAMILIES[name]
    steps = np.unique(np.linspace(0, family.last_step + 99, 500).astype(int))
    assert oracle.max_ulps(family.exact, steps.tolist(), family.ours(steps).tolist(), 53) <= ACCURACY[name]


@pytest.mark.parametrize("name", THOUSAND_PIECES)
def test_a_thousand_pieces_compile_to_as_many_instructions_as_a_hundred(name: str) -> None:
    thousand, hundred = (instructions(THOUSAND_PIECES[name](count), jnp.int32(5)) for count in (1000, 100))
    assert 0 < thousand <= 1.2 * hundred


def test_a_join_of_500_ramps_compiles_to_as_many_instructions_as_one_of_100() -> None:
    assert 0 < join_instructions(500) <= 1.2 * join_instructions(100)


def test_many_horizons_compile_once() -> None:
    assert len(HORIZONS) == 64
    assert compilations(first_values(our_rate)) == 1


def test_compilations_are_counted() -> None:
    assert compilations(first_values(optax_rate)) == 64


def test_a_schedule_adds_at_most_as_many_kernels_to_a_training_step_as_optax() -> None:
    rows = list(kernels.rows())
    assert len(rows) == 6
    assert all(0 < row.ours <= row.theirs for row in rows)


def test_the_import_loads_only_the_standard_library() -> None:
    assert foreign_modules("funcsched") == []


def test_foreign_modules_are_reported() -> None:
    assert "numpy" in foreign_modules("optax")
