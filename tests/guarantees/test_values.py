"""Every schedule on every backend: within 4 ulp, exact at boundaries, never negative, constant past the end."""

from functools import cached_property

import pytest

from tests import oracle
from tests.backends import BACKENDS, Backend, float32
from tests.cases import CASES, LONG, ONE_OF_EACH, Case, exact_value, sampled_steps


class Group:
    """Cases that a backend evaluates together."""

    def __init__(self, backend: Backend, cases: list[Case]) -> None:
        self.backend, self.cases = backend, cases

    def __str__(self) -> str:
        return self.backend.name

    @cached_property
    def values(self) -> dict[Case, tuple[list[float], list[float]]]:
        """Of each case the steps as the backend converts them, and the values there."""
        values = self.backend.values([(case.schedule, steps(case, self.backend)) for case in self.cases])
        return dict(zip(self.cases, values, strict=True))


def grouped(cases: list[Case], backend: Backend) -> list[tuple[Case, Group]]:
    size = backend.group_size
    groups = [Group(backend, cases[i : i + size]) for i in range(0, len(cases), size)]
    return [(case, group) for group in groups for case in group.cases]


PAIRS = [
    pair
    for backend in BACKENDS
    for pair in grouped((ONE_OF_EACH if backend.slow else CASES)[:: backend.every], backend)
]
LONG_PAIRS = [pair for backend in BACKENDS for pair in grouped(LONG, backend)]


@pytest.mark.parametrize(("case", "group"), PAIRS, ids=str)
def test_values_are_accurate_exact_at_boundaries_and_held(case: Case, group: Group) -> None:
    check(case, group)


@pytest.mark.parametrize(("case", "group"), LONG_PAIRS, ids=str)
def test_values_are_accurate_exact_at_boundaries_and_held_past_32_bits(case: Case, group: Group) -> None:
    check(case, group)


def steps_past_the_end(case: Case, backend: Backend) -> list[int]:
    end = case.horizon
    steps = [] if case.endless else [end + end // 1000 + 40, 2 * end + 99, 2**31 - 1, 2**53, 2**62]
    return [step for step in steps if end < step <= backend.largest_step]


def boundary_values(case: Case, backend: Backend) -> dict[int, float]:
    return {
        step: float32(value) if backend.bits == 24 else value
        for step, value in case.boundary_values.items()
        if step <= backend.largest_step
    }


def steps(case: Case, backend: Backend) -> list[int]:
    sampled = [step for step in sampled_steps(case) if step <= backend.largest_step]
    return [*sampled, *boundary_values(case, backend), *steps_past_the_end(case, backend)]


def check(case: Case, group: Group) -> None:
    backend = group.backend
    converted_steps, values = group.values[case]
    errors = [
        oracle.ulps(value, exact_value(case, step), backend.bits, case.scale)
        for step, value in zip(converted_steps, values, strict=True)
    ]
    worst = errors.index(max(errors))
    assert errors[worst] <= case.ulps, f"{errors[worst]:.1f} ulp at step {converted_steps[worst]}: {values[worst]!r}"
    assert min(values) >= 0.0
    value_at = dict(zip(steps(case, backend), values, strict=True))
    if backend.exact_steps:
        expected = boundary_values(case, backend)
        assert {step: value_at[step] for step in expected} == expected
    assert len({value_at[step] for step in steps_past_the_end(case, backend)}) <= 1, "not constant past the end"
