"""The cache, and schedules that cost little to build."""

import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import funcsched as fs
from funcsched.numerics.cache import MAX_RESULTS, cached


@pytest.fixture
def calls() -> Iterator[list[tuple[object, ...]]]:
    yield []


def test_what_was_computed_is_not_computed_again(calls: list[tuple[object, ...]]) -> None:
    @cached
    def total(*numbers: int) -> int:
        calls.append(numbers)
        return sum(numbers)

    assert [total(1, 2), total(1, 2), total(3, 4)] == [3, 3, 7]
    assert calls == [(1, 2), (3, 4)]


def test_none_is_a_result_too(calls: list[tuple[object, ...]]) -> None:
    @cached
    def nothing(number: int) -> None:
        calls.append((number,))

    assert nothing(1) is None and nothing(1) is None
    assert calls == [(1,)]


def test_of_many_results_the_oldest_go(calls: list[tuple[object, ...]]) -> None:
    @cached
    def double(number: int) -> int:
        calls.append((number,))
        return 2 * number

    for number in range(MAX_RESULTS + 1):
        double(number)
    assert double(1) == 2 and len(calls) == MAX_RESULTS + 1
    assert double(0) == 0 and calls[-1] == (0,)


def events(work: Callable[[], object]) -> int:
    """How many functions are called: a measure of work that no busy machine changes."""
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


LONG = {
    "repeat, 7,000 cycles": lambda: fs.repeat(fs.constant(), 1, period_factor=1.0078125),
    "cosine_restarts, 7,000 cycles": lambda: fs.cosine_restarts(1000, period_factor=1.00390625),
    "repeat, 1,000 levels": lambda: fs.repeat(fs.constant(), 1, 1000, level_factor=1.0078125),
    "exponential_decay, 2,000 levels": lambda: fs.exponential_decay(0.9609375, staircase=True),
}


@pytest.mark.parametrize("build", LONG.values(), ids=LONG)
def test_what_takes_long_is_left_to_the_first_use(build: Callable[[], fs.Schedule]) -> None:
    building = events(build)
    assert building < 300
    # NumPy's steps, for what JAX calls depends on what it has compiled before.
    assert events(lambda: build()(np.arange(3))) > 3 * building


def test_a_text_full_of_them_is_read_at_once() -> None:
    text = ",".join(f"repeat(constant(),1,period_factor=1.{1000 + i})" for i in range(2000))
    assert events(lambda: fs.parse(f"add({text})")) < 2000 * 300
