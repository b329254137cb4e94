"""`lambda_lr` with `torch.amp.GradScaler`: the schedule counts applied updates, whichever ones the scaler skips."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.optim import SGD, AdamW, Optimizer

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import grad_scaler
from examples.stacks.grad_scaler import step_with_updates
from tests.stacks.curves import warmup_linear_rate

BASE, WARMUP, TOTAL, START, END = 0.5, 4, 12, 0.25, 0.125
SCHEDULE = fs.warmup_linear(WARMUP, TOTAL, start=START, end=END)
rate = warmup_linear_rate(WARMUP, TOTAL, start=START, end=END, peak=BASE)
BATCHES = 18
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": lambda parameters: SGD(parameters, lr=BASE, momentum=0.9),
    "adamw": lambda parameters: AdamW(parameters, lr=BASE),
    "foreach adamw": lambda parameters: AdamW(parameters, lr=BASE, foreach=True),
    "fused adamw": lambda parameters: AdamW(parameters, lr=BASE, fused=True),
    "fused sgd": lambda parameters: SGD(parameters, lr=BASE, fused=True),
}
# Batches with an infinite gradient.
OVERFLOWS = {
    "none": (),
    "the first": (0,),
    "the first three": (0, 1, 2),
    "one in the warmup": (2,),
    "the peak": (4,),
    "alternate": (1, 3, 5, 7, 9),
    "consecutive, and the last": (6, 7, 8, 17),
}
ALTERNATE = OVERFLOWS["alternate"]
NO_UPDATE_YET = r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"  # torch's warning if the first update is skipped


class Run:
    """A regression that records the learning rate of each batch and whether the weights changed."""

    def __init__(self, optimizer: str = "adamw", **scaler: Any) -> None:
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 3))
        self.optimizer = OPTIMIZERS[optimizer]([self.weight])
        self.scheduler = lambda_lr(self.optimizer, SCHEDULE)
        self.scaler = torch.amp.GradScaler("cpu", **{"init_scale": 4.0, "growth_interval": 3, **scaler})
        self.records: list[tuple[float, bool]] = []

    def backward(self, batch: int, overflows: Iterable[int]) -> None:
        inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + batch)
        loss = ((inputs @ self.weight - inputs.sum(1)) ** 2).mean() + 0.1 * self.weight.sum()
        self.optimizer.zero_grad()
        self.scaler.scale(loss * torch.inf if batch in overflows else loss).backward()

    def update(self) -> None:
        before, used = self.weight.detach().clone(), self.optimizer.param_groups[0]["lr"]
        self.scaler.step(self.optimizer)
        self.records.append((used, not torch.equal(before, self.weight)))

    def train(
        self, batches: Iterable[int], overflows: Iterable[int], after_update: Callable[[Run], None] | None = None
    ) -> Run:
        """`after_update` updates the scaler and may step the scheduler; by default it only updates the scaler."""
        for batch in batches:
            self.backward(batch, overflows)
            self.update()
            if after_update:
                after_update(self)
            else:
                self.scaler.update()
        return self

    def rates(self) -> list[float]:
        return [used for used, _ in self.records]

    def applied(self) -> list[bool]:
        return [changed for _, changed in self.records]

    def applied_rates(self) -> list[float]:
        """The learning rates of the updates that changed the weights."""
        return [used for used, changed in self.records if changed]

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in ("optimizer", "scheduler", "scaler")}
        return {"weight": self.weight.detach(), **parts}


def run_with_hook(optimizer: str = "adamw", **scaler: Any) -> Run:
    """A run whose optimizer steps the scheduler."""
    run = Run(optimizer, **scaler)
    step_with_updates(run.optimizer, run.scheduler)
    return run


@cache
def uninterrupted(optimizer: str, overflows: tuple[int, ...]) -> Run:
    return run_with_hook(optimizer).train(range(BATCHES), overflows)


def is_applied(overflows: Iterable[int]) -> list[bool]:
    return [batch not in overflows for batch in range(BATCHES)]


# The scheduler is stepped by the optimizer.


@pytest.mark.parametrize("overflows", OVERFLOWS.values(), ids=OVERFLOWS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_applied_updates_follow_the_schedule_without_a_gap(optimizer: str, overflows: tuple[int, ...]) -> None:
    applied_rates = uninterrupted(optimizer, overflows).applied_rates()
    assert applied_rates == [rate(update) for update in range(BATCHES - len(overflows))]


@pytest.mark.parametrize("overflows", OVERFLOWS.values(), ids=OVERFLOWS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_batches_with_finite_gradients_change_the_weights(optimizer: str, overflows: tuple[int, ...]) -> None:
    assert uninterrupted(optimizer, overflows).applied() == is_applied(overflows)


@pytest.mark.parametrize("overflows", OVERFLOWS.values(), ids=OVERFLOWS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_rate_stays_the_same_after_a_skipped_update(optimizer: str, overflows: tuple[int, ...]) -> None:
    updates_before = [sum(is_applied(overflows)[:batch]) for batch in range(BATCHES)]
    assert uninterrupted(optimizer, overflows).rates() == [rate(update) for update in updates_before]


@pytest.mark.parametrize("optimizer", ["sgd", "fused sgd"])
def test_sgd_changes_a_weight_by_exactly_the_rate(optimizer: str) -> None:
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    sgd = SGD([weight], lr=BASE, fused=optimizer == "fused sgd")
    step_with_updates(sgd, lambda_lr(sgd, SCHEDULE))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    changes = []
    for batch in range(BATCHES):
        weight.detach().zero_()  # so that the update is not rounded
        sgd.zero_grad()
        scaler.scale(weight.sum() * (torch.inf if batch in ALTERNATE else 1.0)).backward()
        scaler.step(sgd)
        scaler.update()
        changes.append(-weight.item())
    assert [change for change in changes if change] == [rate(update) for update in range(BATCHES - len(ALTERNATE))]


@pytest.mark.parametrize("interval", [1, 2, 5])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_growing_scale_does_not_affect_the_schedule(optimizer: str, interval: int) -> None:
    run = run_with_hook(optimizer, growth_interval=interval).train(range(BATCHES), ALTERNATE)
    assert run.applied_rates() == [rate(update) for update in range(BATCHES - len(ALTERNATE))]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_with_a_disabled_scaler_every_update_follows_the_schedule(optimizer: str) -> None:
    run = run_with_hook(optimizer, enabled=False).train(range(BATCHES), ())
    assert run.applied_rates() == [rate(update) for update in range(BATCHES)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_updates_with_unscaled_and_clipped_gradients_follow_the_schedule(optimizer: str) -> None:
    run = run_with_hook(optimizer)
    for batch in range(BATCHES):
        run.backward(batch, ALTERNATE)
        run.scaler.unscale_(run.optimizer)
        torch.nn.utils.clip_grad_norm_([run.weight], 1.0)
        run.update()
        run.scaler.update()
    assert run.applied_rates() == [rate(update) for update in range(BATCHES - len(ALTERNATE))]


def train_two_optimizers(step_in_hook: bool) -> tuple[list[float], list[float]]:
    """The rates of the updates of two optimizers that share a scaler; the first one skips 4 of 10 batches."""
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    optimizers = [SGD([weight], lr=BASE) for weight in weights]
    schedulers = [lambda_lr(optimizer, SCHEDULE) for optimizer in optimizers]
    applied_rates: tuple[list[float], list[float]] = ([], [])
    if step_in_hook:
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            step_with_updates(optimizer, scheduler)
    for batch in range(10):
        factors = torch.inf if batch in (0, 3, 4, 8) else 1.0, 1.0
        scale = scaler.get_scale()
        for weight, optimizer, factor, rates in zip(weights, optimizers, factors, applied_rates, strict=True):
            optimizer.zero_grad()
            scaler.scale(weight.sum() * factor).backward()
            before, used = weight.item(), optimizer.param_groups[0]["lr"]
            scaler.step(optimizer)
            if weight.item() != before:
                rates.append(used)
        scaler.update()
        for scheduler in schedulers:
            if not step_in_hook and scaler.get_scale() >= scale:
                scheduler.step()
    return applied_rates


def test_two_optimizers_with_one_scaler_follow_their_own_updates() -> None:
    first, second = train_two_optimizers(step_in_hook=True)
    assert first == [rate(update) for update in range(6)]
    assert second == [rate(update) for update in range(10)]


# Without the hook.


def test_a_scheduler_stepped_every_batch_leaves_a_gap_and_warns() -> None:
    def step_always(run: Run) -> None:
        run.scaler.update()
        run.scheduler.step()

    with pytest.warns(UserWarning, match=NO_UPDATE_YET):
        run = Run().train(range(BATCHES), OVERFLOWS["the first"], step_always)
    assert run.applied_rates() == [rate(update) for update in range(1, BATCHES)]


def test_a_fused_optimizer_is_called_for_a_skipped_update() -> None:
    run = Run("fused adamw")
    calls = []
    run.optimizer.register_step_post_hook(lambda *_: calls.append(len(run.records)))
    run.train(range(4), overflows=(1,))
    assert (calls, run.applied()) == ([0, 1, 2, 3], [True, False, True, True])


# The other public indicator of a skipped update: the scale decreases.


def step_unless_the_scale_decreased(run: Run) -> None:
    scale = run.scaler.get_scale()
    run.scaler.update()
    if run.scaler.get_scale() >= scale:
        run.scheduler.step()


def step_if_the_scale_is_unchanged(run: Run) -> None:
    scale = run.scaler.get_scale()
    run.scaler.update()
    if run.scaler.get_scale() == scale:
        run.scheduler.step()


@pytest.mark.parametrize("interval", [1, 3, 2000])
@pytest.mark.parametrize("overflows", OVERFLOWS.values(), ids=OVERFLOWS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_for_one_optimizer_the_scale_decreases_exactly_when_an_update_is_skipped(
    optimizer: str, overflows: tuple[int, ...], interval: int
) -> None:
    run = Run(optimizer, growth_interval=interval)
    run.train(range(BATCHES), overflows, step_unless_the_scale_decreased)
    assert run.applied_rates() == [rate(update) for update in range(BATCHES - len(overflows))]


def test_an_unchanged_scale_misses_updates_because_it_also_grows_after_some() -> None:
    run = Run(growth_interval=3).train(range(6), (), step_if_the_scale_is_unchanged)
    assert run.applied_rates() == [rate(update) for update in (0, 1, 2, 2, 3, 4)]  # the scale grew at the third update


def test_a_scale_of_zero_cannot_decrease_so_skipped_updates_take_steps() -> None:
    with pytest.warns(UserWarning, match=NO_UPDATE_YET):
        run = Run(init_scale=2.0**-149).train(range(3), (0, 1, 2), step_unless_the_scale_decreased)
    assert (run.applied_rates(), run.scheduler.last_epoch) == ([], 2)


def test_with_the_hook_a_scale_of_zero_takes_no_steps() -> None:
    run = run_with_hook(init_scale=2.0**-149).train(range(3), (0, 1, 2))
    assert (run.applied_rates(), run.scheduler.last_epoch) == ([], 0)


def test_for_two_optimizers_a_decreased_scale_does_not_show_which_one_skipped() -> None:
    first, second = train_two_optimizers(step_in_hook=False)
    assert first == [rate(update) for update in range(6)]
    assert second == [rate(update) for update in (0, 0, 1, 2, 2, 2, 3, 4, 5, 5)]


# Resuming.


@pytest.mark.parametrize("batch", range(BATCHES + 1))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_resumed_after_any_batch_has_the_same_rates_weights_and_scale(
    optimizer: str, batch: int, tmp_path: Path
) -> None:
    expected = uninterrupted(optimizer, ALTERNATE)
    first = run_with_hook(optimizer).train(range(batch), ALTERNATE)
    torch.save(copy.deepcopy(first.state()), tmp_path / "run.pt")
    first.train(range(batch, min(batch + 2, BATCHES)), ALTERNATE)  # must not affect the saved state

    resumed, saved = run_with_hook(optimizer), torch.load(tmp_path / "run.pt")
    resumed.weight.detach().copy_(saved["weight"])
    for name in ("scheduler", "optimizer", "scaler"):
        getattr(resumed, name).load_state_dict(saved[name])
    resumed.train(range(batch, BATCHES), ALTERNATE)
    assert resumed.records == expected.records[batch:]
    assert torch.equal(resumed.weight, expected.weight)
    assert resumed.scaler.get_scale() == expected.scaler.get_scale()


@pytest.mark.parametrize("batch", range(1, BATCHES))
def test_the_step_argument_counts_applied_updates_instead_of_batches(batch: int) -> None:
    resumed = Run("sgd")
    resumed.scheduler = lambda_lr(resumed.optimizer, SCHEDULE, step=sum(is_applied(ALTERNATE)[:batch]))
    step_with_updates(resumed.optimizer, resumed.scheduler)
    resumed.train(range(batch, BATCHES), ALTERNATE)
    assert resumed.rates() == uninterrupted("sgd", ALTERNATE).rates()[batch:]


# torch.distributed.checkpoint calls a new optimizer once, at a rate of 0, to create the state that it loads into.
def test_loading_the_scheduler_last_corrects_the_step_made_by_loading_the_optimizer() -> None:
    first, resumed = run_with_hook("adamw").train(range(6), ALTERNATE), run_with_hook("adamw")
    saved = copy.deepcopy(get_optimizer_state_dict(torch.nn.ParameterList([first.weight]), first.optimizer))
    resumed.weight.detach().copy_(first.weight)
    set_optimizer_state_dict(torch.nn.ParameterList([resumed.weight]), resumed.optimizer, saved)
    assert resumed.scheduler.last_epoch == 1
    resumed.scheduler.load_state_dict(first.scheduler.state_dict())
    resumed.train(range(6, BATCHES), ALTERNATE)
    assert resumed.records == uninterrupted("adamw", ALTERNATE).records[6:]


# The example.


def test_the_example_skips_updates_and_still_follows_its_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches, rates = grad_scaler.main()
    example_rate = warmup_linear_rate(4, 20, start=0.25)
    assert rates == [example_rate(update) for update in range(20)]
    assert batches > len(rates)
    output = capsys.readouterr().out
    assert output.startswith(f"{batches} batches; learning rates of 20 updates: [0.125, 0.21875, ")
