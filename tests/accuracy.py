"""Measure the values of a case: errors, boundaries, range, and whether they are constant past the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests import oracle
from tests.backends import Backend, float32
from tests.cases import Case, exact_value, sampled_steps


class Accuracy(NamedTuple):
    error: float  # the largest, in ulp of the backend's floats
    step: float  # where it is
    missed: dict[int, float]  # values at boundaries that differ from the declared ones
    outside: list[float]  # values outside the range of the declared levels
    constant: bool  # past the end

    def faults(self, case: Case) -> list[str]:
        """The guarantees that the values do not keep."""
        found = []
        if not self.error <= case.ulps:
            found.append(f"{self.error:.1f} ulp at step {self.step}, {case.ulps:g} allowed")
        if self.missed:
            found.append(f"wrong at boundaries: {self.missed}")
        if self.outside:
            found.append(f"outside the range of the levels: {self.outside[:3]}")
        if not self.constant:
            found.append("not constant past the end")
        return found


def steps(case: Case, backend: Backend) -> list[int]:
    """The steps at which a backend evaluates a case."""
    sampled = [step for step in sampled_steps(case) if step <= backend.largest_step]
    return [*sampled, *_boundary_values(case, backend), *_steps_past_the_end(case, backend)]


def measure(case: Case, backend: Backend, converted_steps: Sequence[float], values: Sequence[float]) -> Accuracy:
    """The accuracy of the values at `steps(case, backend)`, which the backend converted to its dtype."""
    exact = [exact_value(case, step) for step in converted_steps]
    errors = [
        oracle.ulps(value, correct, backend.bits, case.scale) for value, correct in zip(values, exact, strict=True)
    ]
    worst = max(range(len(errors)), key=errors.__getitem__)
    value_at = dict(zip(steps(case, backend), values, strict=True))
    expected = _boundary_values(case, backend) if backend.exact_steps else {}
    # Where the exact curve stays between the lowest and the highest boundary value, no rounding may leave them either.
    levels = case.boundary_values.values()
    low = _rounded(min(levels), backend) if min(exact) >= min(levels) else -float("inf")
    high = _rounded(max(levels), backend) if max(exact) <= max(levels) else float("inf")
    return Accuracy(
        errors[worst],
        converted_steps[worst],
        {step: value_at[step] for step, value in expected.items() if value_at[step] != value},
        [value for value in values if not low <= value <= high],
        len({value_at[step] for step in _steps_past_the_end(case, backend)}) <= 1,
    )


def _steps_past_the_end(case: Case, backend: Backend) -> list[int]:
    end = case.horizon
    past = [] if case.endless else [end + end // 1000 + 40, 2 * end + 99, 2**31 - 1, 2**53, 2**62]
    return [step for step in past if end < step <= backend.largest_step]


def _boundary_values(case: Case, backend: Backend) -> dict[int, float]:
    values = case.boundary_values.items()
    return {step: _rounded(value, backend) for step, value in values if step <= backend.largest_step}


def _rounded(value: float, backend: Backend) -> float:
    return float32(value) if backend.bits == 24 else value
