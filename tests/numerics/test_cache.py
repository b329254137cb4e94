"""Results are cached, and building a schedule is cheap because expensive constants are computed on first use."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

import funcsched as fs
from funcsched.numerics.cache import MAX_RESULTS, cached


def test_a_result_is_computed_once() -> None:
    calls = []

    @cached
    def add(*numbers: int) -> int:
        calls.append(numbers)
        return sum(numbers)

    assert [add(1, 2), add(1, 2), add(3, 4)] == [3, 3, 7]
    assert calls == [(1, 2), (3, 4)]


def test_none_is_cached_too() -> None:
    calls = []

    @cached
    def return_none(number: int) -> None:
        calls.append(number)

    assert return_none(1) is None and return_none(1) is None
    assert calls == [1]


def test_the_oldest_result_is_dropped_when_the_cache_is_full() -> None:
    calls = []

    @cached
    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    for number in range(MAX_RESULTS + 1):
        double(number)
    assert double(1) == 2 and len(calls) == MAX_RESULTS + 1
    assert double(0) == 0 and calls[-1] == 0


def count_calls(work: Callable[[], object]) -> int:
    """The number of function calls: unlike time, it does not depend on the load of the machine."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event.endswith("call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


SLOW_TO_EVALUATE = {
    "repeat, 7,000 cycles": lambda: fs.repeat(fs.constant(), 1, period_factor=1.0078125),
    "cosine_restarts, 7,000 cycles": lambda: fs.cosine_restarts(1000, period_factor=1.00390625),
    "repeat, 1,000 levels": lambda: fs.repeat(fs.constant(), 1, 1000, level_factor=1.0078125),
    "exponential_decay, 2,000 levels": lambda: fs.exponential_decay(0.9609375, staircase=True),
}


@pytest.mark.parametrize("build", SLOW_TO_EVALUATE.values(), ids=SLOW_TO_EVALUATE)
def test_building_a_schedule_does_not_compute_its_constants(build: Callable[[], fs.Schedule]) -> None:
    calls_to_build = count_calls(build)
    assert calls_to_build < 300
    # NumPy steps, because what JAX calls depends on what it has compiled before.
    assert count_calls(lambda: build()(np.arange(3))) > 3 * calls_to_build


def test_parsing_a_schedule_does_not_compute_its_constants() -> None:
    text = ",".join(f"repeat(constant(),1,period_factor=1.{1000 + i})" for i in range(2000))
    assert count_calls(lambda: fs.parse(f"add({text})")) < 2000 * 300
