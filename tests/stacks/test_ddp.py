"""`DistributedDataParallel` on two processes, and resumed on one and on three: the example's rates, rank by rank."""

from pathlib import Path
from typing import Any

import pytest
import torch

from examples.stacks import ddp

# warmup_linear(3, 13) by hand; each quotient and each product is rounded once, here as there.
FORMULA = [ddp.PEAK * (step / 3 if step < 3 else max(13 - step, 0) / 10) for step in range(ddp.UPDATES)]
RANKS = {2: 0, 1: ddp.SAVED, 3: ddp.SAVED}  # the numbers of processes, and the first update of each


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ddp")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[int, ddp.Run]:
    return ddp.main(folder)


def close(first: list[Any], second: list[Any]) -> bool:
    pairs = zip(map(torch.tensor, first), map(torch.tensor, second), strict=True)
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in pairs)


@pytest.mark.parametrize("ranks", RANKS)
def test_every_rank_uses_the_rates_of_the_formula_bit_for_bit(runs: dict[int, ddp.Run], ranks: int) -> None:
    assert [(rank, rates) for rank, rates, _ in runs[ranks]] == [(i, FORMULA[RANKS[ranks] :]) for i in range(ranks)]


@pytest.mark.parametrize("ranks", RANKS)
def test_all_ranks_end_with_the_same_weights(runs: dict[int, ddp.Run], ranks: int) -> None:
    assert all(weights == runs[ranks][0][2] for _, _, weights in runs[ranks])


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_run_resumed_on_another_number_of_processes_ends_where_the_first_does(
    runs: dict[int, ddp.Run], ranks: int
) -> None:
    assert close(runs[ranks][0][2], runs[2][0][2])


@pytest.mark.usefixtures("runs")
def test_the_checkpoint_loads_safely_and_knows_its_step(folder: Path) -> None:
    saved = torch.load(folder / f"{ddp.SAVED}.pt", weights_only=True)
    assert saved["scheduler"]["last_epoch"] == ddp.SAVED
    assert saved["optimizer"]["param_groups"][0]["lr"] == FORMULA[ddp.SAVED]
