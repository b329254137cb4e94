"""`jax.distributed` with two processes on one machine, resumed in one process and again in two."""

from collections.abc import Iterator

import numpy as np
import pytest

from examples.stacks import jax_distributed as example
from tests import oracle
from tests.stacks.curves import TOLERANCE, max_ulps
from tests.stacks.processes import PYTHONPATH

pytestmark = pytest.mark.processes

# The runs of the example: the first update, the end, and the number of processes.
RUNS = {"two processes": (0, 3, 2), "one process": (3, 7, 1), "two processes again": (7, 12, 2)}
EXACT = oracle.warmup_cosine(4, example.TOTAL, 0.0, 0.1)

Log = list[example.Update]


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Each process has two devices, and warnings are errors there as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_PLATFORMS", "cpu")
        patch.setenv("PYTHONPATH", PYTHONPATH)
        patch.setenv("PYTHONWARNINGS", "error")
        patch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
        yield


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[Log]:
    """The updates of two processes."""
    return example.launch(2, example.TOTAL, tmp_path_factory.mktemp("uninterrupted"))


@pytest.fixture(scope="module")
def resumed() -> dict[str, list[Log]]:
    """The updates of each process in each run of the example."""
    return dict(zip(RUNS, example.main(), strict=True))


def rates(log: Log) -> list[float]:
    return [update.rate for update in log]


def losses(log: Log) -> list[float]:
    return [update.loss for update in log]


def test_both_processes_use_the_same_rates(uninterrupted: list[Log]) -> None:
    first, second = uninterrupted
    assert [update.step for update in first] == list(range(example.TOTAL))
    assert first == second


def test_every_update_uses_the_rate_of_the_formula(uninterrupted: list[Log]) -> None:
    assert max_ulps(rates(uninterrupted[0]), EXACT, example.PEAK) <= TOLERANCE


def test_gradient_descent_with_the_rates_of_the_formula_gives_the_same_losses(uninterrupted: list[Log]) -> None:
    x = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32).astype(float)
    target, weights, expected = np.arange(16.0), np.zeros(16), []
    for step in range(example.TOTAL):
        error = x @ (weights - target)
        expected.append(float(np.mean(error**2)))
        weights -= example.PEAK * float(EXACT(step)) * 2 * x.T @ error / len(x)
    assert losses(uninterrupted[0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", RUNS)
def test_resumed_processes_use_exactly_the_rates_of_the_uninterrupted_run(
    name: str, uninterrupted: list[Log], resumed: dict[str, list[Log]]
) -> None:
    first, end, processes = RUNS[name]
    log = resumed[name][0]
    assert [update.step for update in log] == list(range(first, end))
    assert rates(log) == rates(uninterrupted[0])[first:end]
    assert resumed[name] == [log] * processes


@pytest.mark.parametrize("name", RUNS)
def test_resumed_processes_have_the_losses_of_the_uninterrupted_run(
    name: str, uninterrupted: list[Log], resumed: dict[str, list[Log]]
) -> None:
    first, end, _ = RUNS[name]
    # Not equal: a single process sums the batch in a different order.
    assert losses(resumed[name][0]) == pytest.approx(losses(uninterrupted[0])[first:end], rel=1e-4)
