"""`jax.distributed` with two processes on one machine, and one process that goes on from what they saved."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mpmath import mpf

from examples.stacks import jax_distributed as example
from tests import oracle

ROOT = Path(__file__).parents[2]
SAVED = 5  # updates made by the two processes of the example

Rows = list[list[float]]


def multiplier(step: int) -> float:
    warmup, end = 4, 0.1
    if step < warmup:
        return step / warmup
    return end + (1 - end) * (1 + math.cos(math.pi * (step - warmup) / (example.TOTAL - warmup))) / 2


@pytest.fixture(scope="module", autouse=True)
def machine() -> Iterator[None]:
    """Two devices in each process, and warnings are errors there as well."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_PLATFORMS", "cpu")
        patch.setenv("PYTHONPATH", path)
        patch.setenv("PYTHONWARNINGS", "error")
        patch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
        yield


@pytest.fixture(scope="module")
def resumed() -> list[Rows]:
    """The rows of the two processes, and of the one after them."""
    return example.main()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Rows]:
    """The rows of two processes that nobody interrupts."""
    return example.run(2, example.TOTAL, tmp_path_factory.mktemp("whole"))


def rates(rows: Rows) -> list[float]:
    return [rate for _, rate, _ in rows]


def losses(rows: Rows) -> list[float]:
    return [loss for _, _, loss in rows]


def test_both_processes_use_the_same_rate_at_every_update(whole: list[Rows]) -> None:
    first, second = whole
    assert [count for count, _, _ in first] == list(range(example.TOTAL))
    assert first == second


def test_the_rate_of_each_update_is_that_of_the_formula(whole: list[Rows]) -> None:
    for update, rate in enumerate(rates(whole[0])):
        assert oracle.ulps(rate, mpf(example.PEAK * multiplier(update)), 24) <= 4, update


def test_the_weights_move_by_that_rate(whole: list[Rows]) -> None:
    x = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32).astype(float)
    target, weights, expected = np.arange(16.0), np.zeros(16), []
    for update in range(example.TOTAL):
        error = x @ (weights - target)
        expected.append(float(np.mean(error**2)))
        weights -= example.PEAK * multiplier(update) * 2 * x.T @ error / len(x)
    assert losses(whole[0]) == pytest.approx(expected, rel=1e-4)


def test_one_process_goes_on_with_the_rates_where_two_stopped(whole: list[Rows], resumed: list[Rows]) -> None:
    first, second, alone = resumed
    assert first == second and rates(first) == rates(whole[0])[:SAVED]
    assert [count for count, _, _ in alone] == list(range(SAVED, example.TOTAL))
    assert rates(alone) == rates(whole[0])[SAVED:]


def test_one_process_goes_on_with_the_losses_where_two_stopped(whole: list[Rows], resumed: list[Rows]) -> None:
    # Not equal: one process adds up the batch in another order.
    assert losses(resumed[2]) == pytest.approx(losses(whole[0])[SAVED:], rel=1e-4)


def test_two_processes_go_on_where_one_stopped(whole: list[Rows], tmp_path: Path) -> None:
    (alone,) = example.run(1, SAVED, tmp_path)
    first, second = example.run(2, example.TOTAL, tmp_path)
    assert first == second
    assert rates(alone) + rates(first) == rates(whole[0])
