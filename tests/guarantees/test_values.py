"""The contract of the numbers: every schedule on every backend against exact mathematics."""

import numpy as np
import pytest

from tests import oracle
from tests.backends import BACKENDS, Backend
from tests.cases import CASES, LONG, ONE_OF_EACH, Case, exact, steps


def rounded(value: float, bits: int) -> float:
    return float(np.float32(value)) if bits == 24 else value


# Tracing by torch takes a second each, and so do the operations of JAX one by one: one case for each expression there,
# all of them everywhere else.
PAIRS = [(case, backend) for backend in BACKENDS for case in (ONE_OF_EACH if backend.slow else CASES)[:: backend.every]]
LONG_PAIRS = [(case, backend) for backend in BACKENDS for case in LONG]


@pytest.mark.parametrize(("case", "backend"), PAIRS, ids=str)
def test_a_schedule_keeps_the_contract(case: Case, backend: Backend) -> None:
    check(case, backend)


@pytest.mark.parametrize(("case", "backend"), LONG_PAIRS, ids=str)
def test_a_horizon_past_32_bits_keeps_the_contract(case: Case, backend: Backend) -> None:
    check(case, backend)


def check(case: Case, backend: Backend) -> None:
    last = case.horizon
    far = [] if case.endless else [last + last // 1000 + 40, 2 * last + 99, 2**31 - 1, 2**53, 2**62]
    far = [step for step in far if last < step <= backend.largest]
    schedule = case.schedule
    # One call for all claims: compilation is what takes the time.
    asked = [step for step in (*steps(case), *case.ends) if step <= backend.largest] + far
    seen, values = backend.values(schedule, asked)
    assert len(values) == len(asked)
    within_4_ulp(case, backend, seen, values)
    assert min(values) >= 0.0
    declared = dict(zip(asked, values, strict=True))
    if backend.exact_steps:
        ends = {step: value for step, value in case.ends.items() if step <= backend.largest}
        assert {step: declared[step] for step in ends} == {
            step: rounded(value, backend.bits) for step, value in ends.items()
        }
    assert len({declared[step] for step in far}) <= 1, "not held past the end"


def within_4_ulp(case: Case, backend: Backend, seen: list[float], values: list[float]) -> None:
    off = [oracle.ulps(v, exact(case, step), backend.bits, case.scale) for step, v in zip(seen, values, strict=True)]
    worst = max(range(len(off)), key=off.__getitem__)
    assert off[worst] <= case.ulps, f"{off[worst]:.1f} ulp at step {seen[worst]}: {values[worst]!r}"
