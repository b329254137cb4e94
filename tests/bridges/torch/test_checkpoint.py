"""The state of a `lambda_lr` scheduler: saving it, loading it, and the rates afterwards."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import lambda_lr, to_lr_lambda
from tests.bridges.torch.runs import CASES, rates, run, sgd

BUILDS = {"lambda_lr": lambda_lr, "LambdaLR": lambda optimizer, schedule: LambdaLR(optimizer, to_lr_lambda(schedule))}


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
@pytest.mark.parametrize("name", CASES)
def test_torch_load_reads_the_state_with_its_safe_default(name: str, build: Callable, tmp_path: Path) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = build(optimizer, CASES[name][0])
    run(optimizer, scheduler, updates=3)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert torch.load(tmp_path / "scheduler.pt") == scheduler.state_dict()


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_torch_load_reads_the_state_of_tensor_rates_with_its_safe_default(build: Callable, tmp_path: Path) -> None:
    optimizer = sgd(torch.tensor(0.5))
    scheduler = build(optimizer, fs.warmup_linear(4, 10))
    run(optimizer, scheduler, updates=3)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert torch.load(tmp_path / "scheduler.pt")["_last_lr"] == [torch.tensor(0.375)]


def state_at(step: int, schedule: Any, *base: Any) -> dict[str, Any]:
    optimizer = sgd(*base)
    scheduler = lambda_lr(optimizer, schedule)
    run(optimizer, scheduler, updates=step)
    return copy.deepcopy(scheduler.state_dict())


@pytest.mark.parametrize("step", range(12))
def test_loading_a_state_sets_the_rates_of_its_step(step: int) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(2, 10))
    scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5, 0.25))
    multiplier = step / 2 if step < 2 else max(10 - step, 0) / 8
    assert rates(optimizer) == [0.5 * multiplier, 0.25 * multiplier]


@pytest.mark.parametrize("step", range(12))
def test_after_loading_a_state_get_last_lr_has_the_rates_of_its_step(step: int) -> None:
    scheduler = lambda_lr(sgd(0.5, 0.25), fs.warmup_linear(2, 10))
    scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5, 0.25))
    multiplier = step / 2 if step < 2 else max(10 - step, 0) / 8
    assert scheduler.get_last_lr() == [0.5 * multiplier, 0.25 * multiplier]


@pytest.mark.parametrize("step", range(12))
def test_with_warn_a_state_of_a_different_schedule_sets_the_rates_of_this_one(step: int) -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with a different schedule"):
        scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5))
    assert rates(optimizer) == [0.5 * (16 - step) / 16]


@pytest.mark.parametrize("step", range(12))
def test_with_warn_after_a_state_of_a_different_schedule_get_last_lr_has_the_rates_of_this_one(
    step: int,
) -> None:
    scheduler = lambda_lr(sgd(0.5), fs.warmup_linear(0, 16), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with a different schedule"):
        scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5))
    assert scheduler.get_last_lr() == [0.5 * (16 - step) / 16]


@pytest.mark.parametrize("step", range(12))
def test_loading_a_state_fills_a_tensor_rate(step: int) -> None:
    tensor = torch.tensor(0.5)
    optimizer = sgd(tensor)
    used = optimizer.param_groups[0]["lr"]
    state = state_at(step, fs.warmup_linear(0, 16), torch.tensor(0.5))
    lambda_lr(optimizer, fs.warmup_linear(0, 16)).load_state_dict(state)
    assert used is optimizer.param_groups[0]["lr"] and used.item() == 0.5 * (16 - step) / 16


def test_loading_a_state_fills_a_tensor_rate_of_one_element() -> None:
    optimizer = sgd(torch.tensor([0.5]))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    run(optimizer, scheduler, updates=4)
    state = copy.deepcopy(scheduler.state_dict())
    run(optimizer, scheduler, updates=4)
    scheduler.load_state_dict(state)
    assert rates(optimizer) == [0.5 * 12 / 16]


def test_loading_a_state_does_not_change_the_state() -> None:
    state = state_at(3, fs.warmup_linear(2, 10), 0.5)
    before = copy.deepcopy(state)
    scheduler = lambda_lr(sgd(0.5), fs.constant(0.5), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with a different schedule"):
        scheduler.load_state_dict(state)
    run(scheduler.optimizer, scheduler, updates=3)
    assert state == before


def test_after_loading_a_state_get_last_lr_does_not_alias_the_rates_in_use() -> None:
    optimizer = sgd(torch.tensor(0.5))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    scheduler.load_state_dict(state_at(4, fs.warmup_linear(0, 16), torch.tensor(0.5)))
    scheduler.get_last_lr()[0].fill_(99.0)
    assert rates(optimizer) == [0.375]
