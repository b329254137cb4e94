"""Runs that stop and resume have the same rates and weights, bitwise, as a run without interruption.

A run saves its weights, its optimizer and its scheduler after some updates. Then all objects are dropped, and new ones
are restored in one of several ways.
"""

import copy
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import lambda_lr, to_lr_lambda
from tests.bridges.torch.runs import Optimizer, rates, sgd

LENGTH = 9
SCHEDULES = {
    "one schedule": fs.warmup_cosine(3, 8, end=0.1),
    "one for each group": [fs.warmup_cosine(3, 8, end=0.1), fs.warmup_linear(2, 7, start=0.2)],
}
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups),
}
# The order in which the new process builds and restores its objects.
ORDERS = {
    "optimizer, then scheduler at the step": ("optimizer", "build at step"),
    "scheduler at the step, then optimizer": ("build at step", "optimizer"),
    "optimizer, then scheduler and its state": ("optimizer", "build", "scheduler"),
    "scheduler, then optimizer, then its state": ("build", "optimizer", "scheduler"),
    "scheduler and its state, then optimizer": ("build", "scheduler", "optimizer"),
    "optimizer, then scheduler at the step and its state": ("optimizer", "build at step", "scheduler"),
    "scheduler at the step, then optimizer, then its state": ("build at step", "optimizer", "scheduler"),
}
RATES = {"numbers": (0.1, 0.03), "tensors": (torch.tensor(0.1), torch.tensor(0.03))}


class Run:
    """A small regression with two parameter groups. The data of a batch depend on its number only."""

    def __init__(self, kind: str, base: tuple[Any, Any]) -> None:
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 3))
        self.bias = torch.nn.Parameter(torch.full((1,), 0.5))
        pairs = [(self.weight, base[0]), (self.bias, base[1])]
        self.optimizer = OPTIMIZERS[kind]([{"params": [p], "lr": copy.deepcopy(rate)} for p, rate in pairs])
        self.scheduler: LambdaLR

    def train(self, first: int, last: int) -> Iterator[list[float]]:
        for batch in range(first, last):
            inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + batch)
            loss = ((inputs @ self.weight + self.bias - inputs.sum(1)) ** 2).mean()
            self.optimizer.zero_grad()
            loss.backward()
            yield rates(self.optimizer)
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path: Path) -> None:
        parts = {"optimizer": self.optimizer.state_dict(), "scheduler": self.scheduler.state_dict()}
        torch.save({"weights": (self.weight.detach(), self.bias.detach()), **parts}, path)

    def resume(self, path: Path, order: tuple[str, ...], schedule: Any, step: int) -> None:
        saved = torch.load(path)
        for parameter, value in zip((self.weight, self.bias), saved["weights"], strict=True):
            parameter.detach().copy_(value)
        for action in order:
            if action == "build":
                self.scheduler = lambda_lr(self.optimizer, schedule)
            elif action == "build at step":
                self.scheduler = lambda_lr(self.optimizer, schedule, step=step)
            else:
                getattr(self, action).load_state_dict(saved[action])

    def weights(self) -> list[float]:
        return [*self.weight.tolist(), *self.bias.tolist()]


def uninterrupted(kind: str, base: tuple[Any, Any], schedule: Any) -> tuple[list[list[float]], list[float]]:
    run = Run(kind, base)
    run.scheduler = lambda_lr(run.optimizer, schedule)
    return list(run.train(0, LENGTH)), run.weights()


def interrupted(
    kind: str, base: tuple[Any, Any], schedule: Any, order: tuple[str, ...], step: int, path: Path
) -> tuple[list[list[float]], list[float]]:
    """The rates from `step` on, and the last weights, of a run that resumed at `step`."""
    first = Run(kind, base)
    first.scheduler = lambda_lr(first.optimizer, schedule)
    list(first.train(0, step))
    first.save(path)
    list(first.train(step, min(step + 2, LENGTH)))  # these updates are lost
    del first
    second = Run(kind, base)
    second.resume(path, order, schedule, step)
    return list(second.train(step, LENGTH)), second.weights()


SETTINGS = [
    pytest.param(kind, RATES[base], SCHEDULES[schedule], ORDERS[order], id=f"{kind}, {base}, {schedule}, {order}")
    for kind, base, schedule, order in product(OPTIMIZERS, RATES, SCHEDULES, ORDERS)
]


@pytest.mark.parametrize("step", range(LENGTH + 1))
@pytest.mark.parametrize(("kind", "base", "schedule", "order"), SETTINGS)
def test_resume_at_every_step_gives_the_same_rates_and_weights(
    kind: str, base: Any, schedule: Any, order: tuple[str, ...], step: int, tmp_path: Path
) -> None:
    used, weights = uninterrupted(kind, base, schedule)
    assert interrupted(kind, base, schedule, order, step, tmp_path / "run.pt") == (used[step:], weights)


# Without the optimizer's state there is no `initial_lr` in the groups, which torch's own LambdaLR requires.
@pytest.mark.parametrize("step", range(LENGTH + 1))
@pytest.mark.parametrize("order", [("build at step",), ("build", "scheduler"), ("build at step", "scheduler")], ids=str)
@pytest.mark.parametrize("base", RATES.values(), ids=RATES)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_resume_with_a_fresh_optimizer_gives_the_same_rates(
    kind: str, base: Any, order: tuple[str, ...], step: int, tmp_path: Path
) -> None:
    schedule = SCHEDULES["one for each group"]
    used, _ = uninterrupted(kind, base, schedule)
    assert interrupted(kind, base, schedule, order, step, tmp_path / "run.pt")[0] == used[step:]


# Control: torch's own scheduler fails with a fresh optimizer.
def test_lambdalr_does_not_resume_with_a_fresh_optimizer() -> None:
    with pytest.raises(KeyError, match="initial_lr"):
        LambdaLR(sgd(), to_lr_lambda(fs.warmup_linear(4, 10)), last_epoch=3)


# Control: the tests above detect a wrong step, because the rates depend on the step.
def test_a_run_that_restarts_at_step_0_has_other_rates(tmp_path: Path) -> None:
    schedule, order = SCHEDULES["one schedule"], ("optimizer", "build")
    used, _ = uninterrupted("adamw", RATES["numbers"], schedule)
    assert interrupted("adamw", RATES["numbers"], schedule, order, 4, tmp_path / "run.pt")[0] != used[4:]
