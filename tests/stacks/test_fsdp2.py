"""FSDP2 on two processes, resumed on one and on three through torch.distributed.checkpoint: learning rates and states.

The `load` of torch.distributed.checkpoint fills a given state key by key. The second part tests that the state of a
scheduler supports this.
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
from tests.stacks.curves import max_ulps

# Some tests save checkpoints from a single process, which needs no torch.distributed.
pytestmark = [
    pytest.mark.processes,
    pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning"),
]

FIRST_UPDATE = {2: 0, 1: fsdp2.SAVED, 3: fsdp2.SAVED}  # by the number of processes

Runs = dict[int, list[fsdp2.Result]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return fsdp2.main(tmp_path_factory.mktemp("fsdp2"))


def test_the_uninterrupted_run_uses_the_rates_of_the_formula(runs: Runs) -> None:
    rates = runs[2][0].rates
    assert len(rates) == fsdp2.UPDATES
    # 4 ulp of the multiplier, and one rounding of the product
    assert max_ulps(rates, oracle.warmup_cosine(3, 13, 0.0, 0.1), fsdp2.PEAK, bits=53) <= 5


@pytest.mark.parametrize("ranks", FIRST_UPDATE)
def test_every_rank_uses_exactly_the_rates_of_the_uninterrupted_run(runs: Runs, ranks: int) -> None:
    rates = runs[2][0].rates[FIRST_UPDATE[ranks] :]
    assert len(rates) == fsdp2.UPDATES - FIRST_UPDATE[ranks]
    assert [(result.rank, result.rates) for result in runs[ranks]] == [(rank, rates) for rank in range(ranks)]


@pytest.mark.parametrize("ranks", [1, 3])
def test_a_run_resumed_on_a_different_number_of_processes_ends_with_close_weights(runs: Runs, ranks: int) -> None:
    torch.testing.assert_close(runs[ranks][0].weights, runs[2][0].weights, rtol=1e-4, atol=1e-6)


# One process, without shards.

LINEAR = fs.warmup_linear(4, 20)


def build(schedule: fs.Schedule, rate: Any = 0.5, **options: Any) -> tuple[torch.optim.Optimizer, LRScheduler]:
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    optimizer = torch.optim.SGD([parameter], lr=copy.deepcopy(rate))
    return optimizer, lambda_lr(optimizer, schedule, **options)


def save_after_7_updates(path: Path, schedule: fs.Schedule, rate: Any = 0.5) -> None:
    optimizer, scheduler = build(schedule, rate)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    dcp.save({"scheduler": scheduler.state_dict()}, checkpoint_id=path)


def load(scheduler: LRScheduler, path: Path) -> None:
    state = {"scheduler": scheduler.state_dict()}
    dcp.load(state, checkpoint_id=path)
    scheduler.load_state_dict(state["scheduler"])


@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_a_distributed_checkpoint_restores_the_state(rate: Any, tmp_path: Path) -> None:
    save_after_7_updates(tmp_path, LINEAR, rate)
    _, scheduler = build(LINEAR, rate)
    load(scheduler, tmp_path)
    assert scheduler.last_epoch == 7 and scheduler.get_last_lr() == [0.5 * 13 / 16]


LEVELS = [fs.constant(level) for level in (1.0, 0.5, 0.25)]
DIFFERENT = {
    "argument": (LINEAR, fs.warmup_linear(4, 40)),
    "recipe": (LINEAR, fs.warmup_cosine(4, 20)),
    "shift": (LINEAR, fs.shift(LINEAR, 1)),
    "recipe instead of a join": (LINEAR, fs.join([LINEAR, *LEVELS[1:]], [6, 9])),
    "fewer pieces": (fs.join(LEVELS, [3, 6]), fs.join(LEVELS[:2], [3])),
}


@pytest.mark.parametrize(("saved", "current"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_checkpoint_of_a_different_schedule_is_rejected(
    saved: fs.Schedule, current: fs.Schedule, tmp_path: Path
) -> None:
    save_after_7_updates(tmp_path, saved)
    _, scheduler = build(current)
    with pytest.raises(ValueError, match="made with a different schedule"):
        load(scheduler, tmp_path)


def test_with_warn_a_different_schedule_resumes_at_the_step_of_the_checkpoint(tmp_path: Path) -> None:
    save_after_7_updates(tmp_path, LINEAR)
    _, scheduler = build(fs.warmup_cosine(4, 20), on_mismatch="warn")
    with pytest.warns(UserWarning, match="made with a different schedule"):
        load(scheduler, tmp_path)
    assert scheduler.last_epoch == 7


# `dcp.load` fills tensors in place, so a state must not share the scheduler's own tensors.
def test_loading_does_not_change_a_base_rate_in_a_tensor(tmp_path: Path) -> None:
    save_after_7_updates(tmp_path, LINEAR, torch.tensor(0.25))
    _, scheduler = build(LINEAR, torch.tensor(0.5), on_mismatch="warn")
    with pytest.warns(UserWarning, match=r"the base rates of group 0 differ \(checkpoint: 0\.25; current: 0\.5\)"):
        load(scheduler, tmp_path)
    assert scheduler.base_lrs == [torch.tensor(0.5)]


def rates_after_loading_the_optimizer(scheduler_first: bool, path: Path) -> list[float]:
    """Save only an optimizer after seven updates and resume; the rates of the new scheduler and of its optimizer."""

    def build() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = torch.nn.Linear(1, 1)
        return model, torch.optim.SGD(model.parameters(), lr=0.5)

    model, optimizer = build()
    scheduler = lambda_lr(optimizer, LINEAR)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    dcp.save(get_optimizer_state_dict(model, optimizer), checkpoint_id=path)
    model, optimizer = build()
    if scheduler_first:
        scheduler = lambda_lr(optimizer, LINEAR, step=7)
    state = get_optimizer_state_dict(model, optimizer)
    dcp.load(state, checkpoint_id=path)
    set_optimizer_state_dict(model, optimizer, state)
    if not scheduler_first:
        scheduler = lambda_lr(optimizer, LINEAR, step=7)
    return scheduler.get_last_lr() + [group["lr"] for group in optimizer.param_groups]


def test_a_scheduler_built_before_the_optimizer_is_loaded_keeps_the_base_rate(tmp_path: Path) -> None:
    assert rates_after_loading_the_optimizer(True, tmp_path) == [0.5 * 13 / 16] * 2


# The documented pitfall: torch restores only keys that exist in the parameter groups, so `initial_lr` is lost.
def test_a_scheduler_built_after_the_optimizer_is_loaded_uses_the_loaded_rate_as_base_rate(tmp_path: Path) -> None:
    assert rates_after_loading_the_optimizer(False, tmp_path) == [0.5 * (13 / 16) ** 2] * 2
