"""`DistributedDataParallel` on two processes, resumed on one and on three: the learning rates of every rank."""

from pathlib import Path

import pytest
import torch

from examples.stacks import ddp

pytestmark = pytest.mark.processes

# The formula of warmup_linear(3, 13); it rounds like the schedule, so the rates must be equal.
RATES = [ddp.PEAK * (step / 3 if step < 3 else max(13 - step, 0) / 10) for step in range(ddp.UPDATES)]
FIRST_UPDATE = {2: 0, 1: ddp.SAVED, 3: ddp.SAVED}  # by the number of processes

Runs = dict[int, list[ddp.Result]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ddp")


@pytest.fixture(scope="module")
def runs(folder: Path) -> Runs:
    return ddp.main(folder)


@pytest.mark.parametrize("ranks", FIRST_UPDATE)
def test_every_rank_uses_exactly_the_rates_of_the_formula(runs: Runs, ranks: int) -> None:
    rates = RATES[FIRST_UPDATE[ranks] :]
    assert [(result.rank, result.rates) for result in runs[ranks]] == [(rank, rates) for rank in range(ranks)]


@pytest.mark.parametrize("ranks", FIRST_UPDATE)
def test_all_ranks_end_with_the_same_weights(runs: Runs, ranks: int) -> None:
    assert all(result.weights == runs[ranks][0].weights for result in runs[ranks])


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_run_resumed_on_a_different_number_of_processes_ends_with_close_weights(runs: Runs, ranks: int) -> None:
    torch.testing.assert_close(runs[ranks][0].weights, runs[2][0].weights, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("runs")
def test_the_checkpoint_loads_with_weights_only_and_has_the_step_and_rate(folder: Path) -> None:
    saved = torch.load(folder / f"{ddp.SAVED}.pt", weights_only=True)
    assert saved["scheduler"]["last_epoch"] == ddp.SAVED
    assert saved["optimizer"]["param_groups"][0]["lr"] == RATES[ddp.SAVED]
