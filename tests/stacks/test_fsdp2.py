"""FSDP2 on two processes, and resumed on one and on three through torch.distributed.checkpoint: the example's rates.

Its `load` fills the state that it is given, key by key: what a scheduler's state must be for that is tested below.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import fsdp2
from tests import oracle

# Some tests below checkpoint in one process, which needs no torch.distributed.
pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")

EXACT = oracle.warmup_cosine(3, 13, 0.0, 0.1)
RANKS = {2: 0, 1: fsdp2.SAVED, 3: fsdp2.SAVED}  # the numbers of processes, and the first update of each


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fsdp2")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[int, fsdp2.Run]:
    return fsdp2.main(folder)


def close(first: list[Any], second: list[Any]) -> bool:
    pairs = zip(map(torch.tensor, first), map(torch.tensor, second), strict=True)
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in pairs)


def test_the_run_without_interruption_uses_the_rates_of_the_formula(runs: dict[int, fsdp2.Run]) -> None:
    _, rates, _ = runs[2][0]
    exact = [oracle.mpf(fsdp2.PEAK) * EXACT(step) for step in range(fsdp2.UPDATES)]
    assert max(map(oracle.ulps, rates, exact, [53] * fsdp2.UPDATES)) <= 5  # 4 of the multiplier, and the product


@pytest.mark.parametrize("ranks", RANKS)
def test_every_rank_uses_the_rates_of_that_run_bit_for_bit(runs: dict[int, fsdp2.Run], ranks: int) -> None:
    rates = runs[2][0][1][RANKS[ranks] :]
    assert len(rates) == fsdp2.UPDATES - RANKS[ranks]
    assert [(rank, used) for rank, used, _ in runs[ranks]] == [(rank, rates) for rank in range(ranks)]


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_run_resumed_on_another_number_of_processes_ends_where_the_first_does(
    runs: dict[int, fsdp2.Run], ranks: int
) -> None:
    assert close(runs[ranks][0][2], runs[2][0][2])


# One process, without shards.

LINEAR = fs.warmup_linear(4, 20)


def made(schedule: fs.Schedule, rate: Any = 0.5, **options: Any) -> tuple[torch.optim.Optimizer, LRScheduler]:
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    optimizer = torch.optim.SGD([parameter], lr=copy.deepcopy(rate))
    return optimizer, lambda_lr(optimizer, schedule, **options)


def saved(path: Path, schedule: fs.Schedule, rate: Any = 0.5) -> Path:
    """The checkpoint of a scheduler after seven updates."""
    optimizer, scheduler = made(schedule, rate)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    dcp.save({"scheduler": scheduler.state_dict()}, checkpoint_id=path)
    return path


def load(scheduler: LRScheduler, path: Path) -> None:
    state = {"scheduler": scheduler.state_dict()}
    dcp.load(state, checkpoint_id=path)
    scheduler.load_state_dict(state["scheduler"])


@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_a_state_goes_through_a_distributed_checkpoint(rate: Any, tmp_path: Path) -> None:
    _, scheduler = made(LINEAR, rate)
    load(scheduler, saved(tmp_path, LINEAR, rate))
    assert scheduler.last_epoch == 7 and scheduler.get_last_lr() == [0.5 * 13 / 16]


OTHERS = {
    "another number": fs.warmup_linear(4, 40),
    "another kind": fs.warmup_cosine(4, 20),
    "the same, shifted": fs.shift(LINEAR, 1),
    "more pieces": fs.join([LINEAR, fs.constant(0.5), fs.constant(0.25)], [6, 9]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_checkpoint_of_another_schedule_is_refused_in_words(name: str, tmp_path: Path) -> None:
    _, scheduler = made(OTHERS[name])
    path = saved(tmp_path, LINEAR)
    with pytest.raises(ValueError, match="made with another schedule"):
        load(scheduler, path)


def test_the_checkpoint_of_a_join_with_more_pieces_is_refused_in_words(tmp_path: Path) -> None:
    levels = [fs.constant(level) for level in (1.0, 0.5, 0.25)]
    _, scheduler = made(fs.join(levels[:2], [5]))
    path = saved(tmp_path, fs.join(levels, [5, 9]))
    with pytest.raises(ValueError, match="made with another schedule"):
        load(scheduler, path)


def test_another_schedule_may_take_over_with_a_warning(tmp_path: Path) -> None:
    _, scheduler = made(fs.warmup_cosine(4, 20), on_mismatch="warn")
    path = saved(tmp_path, LINEAR)
    with pytest.warns(UserWarning, match="made with another schedule"):
        load(scheduler, path)
    assert scheduler.last_epoch == 7


# `load` fills tensors in place, so a state must not hold the scheduler's own.
def test_the_base_rate_in_a_tensor_is_not_that_of_the_checkpoint(tmp_path: Path) -> None:
    _, scheduler = made(LINEAR, torch.tensor(0.5), on_mismatch="warn")
    path = saved(tmp_path, LINEAR, torch.tensor(0.25))
    with pytest.warns(UserWarning, match="the base rate of group 0 was 0.25 in the checkpoint, and is 0.5"):
        load(scheduler, path)
    assert scheduler.base_lrs == [torch.tensor(0.5)]


def after_an_optimizer_from_a_checkpoint(scheduler_first: bool, path: Path) -> list[float]:
    """The rate after seven updates, where the optimizer alone was saved."""

    def new() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = torch.nn.Linear(1, 1)
        return model, torch.optim.SGD(model.parameters(), lr=0.5)

    model, optimizer = new()
    scheduler = lambda_lr(optimizer, LINEAR)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    dcp.save(get_optimizer_state_dict(model, optimizer), checkpoint_id=path)
    model, optimizer = new()
    if scheduler_first:
        scheduler = lambda_lr(optimizer, LINEAR, step=7)
    state = get_optimizer_state_dict(model, optimizer)
    dcp.load(state, checkpoint_id=path)
    set_optimizer_state_dict(model, optimizer, state)
    if not scheduler_first:
        scheduler = lambda_lr(optimizer, LINEAR, step=7)
    return scheduler.get_last_lr() + [group["lr"] for group in optimizer.param_groups]


def test_a_scheduler_made_before_the_optimizer_is_loaded_keeps_the_base_rate(tmp_path: Path) -> None:
    assert after_an_optimizer_from_a_checkpoint(True, tmp_path) == [0.5 * 13 / 16] * 2


# The twin, which torch decides: it fills what it finds in the groups, so the base rate is lost where none was there.
def test_a_scheduler_made_after_the_optimizer_is_loaded_takes_the_loaded_rate_for_its_base(tmp_path: Path) -> None:
    assert after_an_optimizer_from_a_checkpoint(False, tmp_path) == [0.5 * (13 / 16) ** 2] * 2
