"""Every schedule on every backend: within 4 ulp, exact at boundaries, in range, constant past the end."""

from functools import cached_property

import pytest

from tests.accuracy import measure, steps
from tests.backends import BACKENDS, Backend
from tests.cases import CASES, LONG, ONE_OF_EACH, Case


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
    for pair in grouped((ONE_OF_EACH if backend.slow else CASES)[backend.first :: backend.every], backend)
]
LONG_PAIRS = [
    pair
    for backend in BACKENDS
    for pair in grouped(LONG[backend.first :: backend.every if backend.slow else 1], backend)
]


@pytest.mark.parametrize(("case", "group"), PAIRS, ids=str)
def test_values_are_accurate_exact_at_boundaries_and_held(case: Case, group: Group) -> None:
    check(case, group)


@pytest.mark.parametrize(("case", "group"), LONG_PAIRS, ids=str)
def test_values_are_accurate_exact_at_boundaries_and_held_past_32_bits(case: Case, group: Group) -> None:
    check(case, group)


def check(case: Case, group: Group) -> None:
    assert measure(case, group.backend, *group.values[case]).faults(case) == []
