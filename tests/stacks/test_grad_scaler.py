"""`lambda_lr` beside `torch.amp.GradScaler`: the schedule counts the updates that were made, whatever was left out."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable
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

BASE, WARMUP, TOTAL, START, END = 0.5, 4, 12, 0.25, 0.125
SCHEDULE = fs.warmup_linear(WARMUP, TOTAL, start=START, end=END)
BATCHES = 18
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": lambda parameters: SGD(parameters, lr=BASE, momentum=0.9),
    "adamw": lambda parameters: AdamW(parameters, lr=BASE),
    "foreach adamw": lambda parameters: AdamW(parameters, lr=BASE, foreach=True),
    "fused adamw": lambda parameters: AdamW(parameters, lr=BASE, fused=True),
    "fused sgd": lambda parameters: SGD(parameters, lr=BASE, fused=True),
}
# Batches with a gradient that is not finite.
BAD = {
    "none": (),
    "the first": (0,),
    "the first three": (0, 1, 2),
    "one in the warmup": (2,),
    "the peak": (4,),
    "alternate": (1, 3, 5, 7, 9),
    "a row, and the last": (6, 7, 8, 17),
}


def rate(update: int) -> float:
    """What the schedule means, in numbers that a float holds exactly."""
    if update < WARMUP:
        return BASE * (START + (1 - START) * update / WARMUP)
    return BASE * (1 - (1 - END) * min(update - WARMUP, TOTAL - WARMUP) / (TOTAL - WARMUP))


class Run:
    """A regression that notes the rate of each batch, and whether the weights moved."""

    def __init__(self, kind: str = "adamw", **scaler: Any) -> None:
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 3))
        self.optimizer = OPTIMIZERS[kind]([self.weight])
        self.scheduler = lambda_lr(self.optimizer, SCHEDULE)
        self.scaler = torch.amp.GradScaler("cpu", **{"init_scale": 4.0, "growth_interval": 3, **scaler})
        self.noted: list[tuple[float, bool]] = []

    def backward(self, batch: int, bad: Iterable[int], factor: float = torch.inf) -> None:
        inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + batch)
        loss = ((inputs @ self.weight - inputs.sum(1)) ** 2).mean() + 0.1 * self.weight.sum()
        self.optimizer.zero_grad()
        self.scaler.scale(loss * factor if batch in bad else loss).backward()

    def train(self, batches: Iterable[int], bad: Iterable[int], after: Callable[[Run], None] | None = None) -> Run:
        for batch in batches:
            self.backward(batch, bad)
            before, used = self.weight.detach().clone(), self.optimizer.param_groups[0]["lr"]
            self.scaler.step(self.optimizer)
            self.noted.append((used, not torch.equal(before, self.weight)))
            if after:
                after(self)
            else:
                self.scaler.update()
        return self

    def made(self) -> list[float]:
        """The rates at which the weights moved."""
        return [used for used, moved in self.noted if moved]

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in ("optimizer", "scheduler", "scaler")}
        return {"weight": self.weight.detach(), **parts}


def with_updates(kind: str = "adamw", **scaler: Any) -> Run:
    run = Run(kind, **scaler)
    step_with_updates(run.optimizer, run.scheduler)
    return run


def moved(bad: Iterable[int]) -> list[bool]:
    return [batch not in bad for batch in range(BATCHES)]


# A step of the scheduler with every update.


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_updates_that_are_made_follow_the_schedule_without_a_gap(kind: str, bad: tuple[int, ...]) -> None:
    run = with_updates(kind).train(range(BATCHES), bad)
    assert run.made() == [rate(update) for update in range(BATCHES - len(bad))]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_just_the_batches_without_a_finite_gradient_make_no_update(kind: str, bad: tuple[int, ...]) -> None:
    run = with_updates(kind).train(range(BATCHES), bad)
    assert [made for _, made in run.noted] == moved(bad)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_rate_waits_where_an_update_is_left_out(kind: str, bad: tuple[int, ...]) -> None:
    run = with_updates(kind).train(range(BATCHES), bad)
    updates_before = [sum(moved(bad)[:batch]) for batch in range(BATCHES)]
    assert [used for used, _ in run.noted] == [rate(update) for update in updates_before]


@pytest.mark.parametrize("kind", ["sgd", "fused sgd"])
def test_a_weight_moves_by_the_rate_that_is_due(kind: str) -> None:
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = SGD([weight], lr=BASE, fused=kind == "fused sgd")
    step_with_updates(optimizer, lambda_lr(optimizer, SCHEDULE))
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    moves = []
    for batch in range(BATCHES):
        weight.detach().zero_()  # from 0, and so without a rounding
        optimizer.zero_grad()
        scaler.scale(weight.sum() * (torch.inf if batch in BAD["alternate"] else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
        moves.append(-weight.item())
    assert [move for move in moves if move] == [rate(update) for update in range(BATCHES - 5)]


@pytest.mark.parametrize("interval", [1, 2, 5])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_scale_that_grows_changes_nothing(kind: str, interval: int) -> None:
    run = with_updates(kind, growth_interval=interval).train(range(BATCHES), BAD["alternate"])
    assert run.made() == [rate(update) for update in range(BATCHES - 5)]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_disabled_scaler_makes_every_update_by_the_schedule(kind: str) -> None:
    run = with_updates(kind, enabled=False).train(range(BATCHES), ())
    assert run.made() == [rate(update) for update in range(BATCHES)]


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_gradients_that_are_unscaled_and_clipped_follow_the_schedule(kind: str) -> None:
    run, bad = with_updates(kind), BAD["alternate"]
    for batch in range(BATCHES):
        run.backward(batch, bad)
        run.scaler.unscale_(run.optimizer)
        torch.nn.utils.clip_grad_norm_([run.weight], 1.0)
        used = run.optimizer.param_groups[0]["lr"]
        before = run.weight.detach().clone()
        run.scaler.step(run.optimizer)
        run.scaler.update()
        run.noted.append((used, not torch.equal(before, run.weight)))
    assert run.made() == [rate(update) for update in range(BATCHES - len(bad))]


def test_two_optimizers_of_one_scaler_follow_their_own_updates() -> None:
    assert two_optimizers(step_in_hook=True) == ([rate(update) for update in range(6)], [rate(u) for u in range(10)])


def two_optimizers(step_in_hook: bool) -> tuple[list[float], list[float]]:
    """The rates of the updates made by two optimizers: the gradients of the first are infinite in 4 of 10 batches."""
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    optimizers = [SGD([weight], lr=BASE) for weight in weights]
    schedulers = [lambda_lr(optimizer, SCHEDULE) for optimizer in optimizers]
    made: tuple[list[float], list[float]] = ([], [])
    if step_in_hook:
        for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
            step_with_updates(optimizer, scheduler)
    for batch in range(10):
        factors = torch.inf if batch in (0, 3, 4, 8) else 1.0, 1.0
        scale = scaler.get_scale()
        for weight, optimizer, factor, rates in zip(weights, optimizers, factors, made, strict=True):
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
    return made


# Without it.


def test_a_scheduler_that_steps_in_every_batch_leaves_a_gap_and_warns() -> None:
    def after(run: Run) -> None:
        run.scaler.update()
        run.scheduler.step()

    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        run = Run().train(range(BATCHES), BAD["the first"], after)
    assert run.made() == [rate(update) for update in range(1, BATCHES)]


def test_a_fused_optimizer_is_called_where_it_leaves_the_update_out() -> None:
    run = Run("fused adamw")
    calls = []
    run.optimizer.register_step_post_hook(lambda *_: calls.append(len(run.noted)))
    run.train(range(4), bad=(1,))
    assert (calls, [made for _, made in run.noted]) == ([0, 1, 2, 3], [True, False, True, True])


# The other public sign of an update that was left out: the scale falls.


def after_a_scale_that_did_not_fall(run: Run) -> None:
    scale = run.scaler.get_scale()
    run.scaler.update()
    if run.scaler.get_scale() >= scale:
        run.scheduler.step()


def after_a_scale_that_stayed(run: Run) -> None:
    scale = run.scaler.get_scale()
    run.scaler.update()
    if run.scaler.get_scale() == scale:
        run.scheduler.step()


@pytest.mark.parametrize("interval", [1, 3, 2000])
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_scale_that_did_not_fall_tells_an_update_of_one_optimizer(
    kind: str, bad: tuple[int, ...], interval: int
) -> None:
    run = Run(kind, growth_interval=interval).train(range(BATCHES), bad, after_a_scale_that_did_not_fall)
    assert run.made() == [rate(update) for update in range(BATCHES - len(bad))]


def test_a_scale_that_stayed_is_no_sign_because_it_also_grows_after_updates() -> None:
    run = Run(growth_interval=3).train(range(6), (), after_a_scale_that_stayed)
    assert run.made() == [rate(update) for update in (0, 1, 2, 2, 3, 4)]  # the third update grew the scale


def test_a_scale_that_did_not_fall_is_no_sign_once_it_is_zero() -> None:
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        run = Run(init_scale=2.0**-149).train(range(3), (0, 1, 2), after_a_scale_that_did_not_fall)
    assert (run.made(), run.scheduler.last_epoch) == ([], 2)


def test_with_updates_a_scale_of_zero_takes_no_step() -> None:
    run = with_updates(init_scale=2.0**-149).train(range(3), (0, 1, 2))
    assert (run.made(), run.scheduler.last_epoch) == ([], 0)


def test_a_scale_that_fell_is_no_sign_for_two_optimizers() -> None:
    first, second = two_optimizers(step_in_hook=False)
    assert first == [rate(update) for update in range(6)]
    assert second == [rate(update) for update in (0, 0, 1, 2, 2, 2, 3, 4, 5, 5)]


# Resuming.


@pytest.mark.parametrize("batch", range(BATCHES + 1))
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_resume_after_every_batch_gives_the_same_rates_weights_and_scale(kind: str, batch: int, tmp_path: Path) -> None:
    bad = BAD["alternate"]
    whole = with_updates(kind).train(range(BATCHES), bad)
    first = with_updates(kind).train(range(batch), bad)
    torch.save(copy.deepcopy(first.state()), tmp_path / "run.pt")
    first.train(range(batch, min(batch + 2, BATCHES)), bad)  # lost

    second, saved = with_updates(kind), torch.load(tmp_path / "run.pt")
    second.weight.detach().copy_(saved["weight"])
    for name in ("scheduler", "optimizer", "scaler"):
        getattr(second, name).load_state_dict(saved[name])
    second.train(range(batch, BATCHES), bad)
    assert second.noted == whole.noted[batch:]
    assert torch.equal(second.weight, whole.weight)
    assert second.scaler.get_scale() == whole.scaler.get_scale()


@pytest.mark.parametrize("batch", range(1, BATCHES))
def test_resume_by_number_takes_the_updates_made_and_not_the_batches(batch: int) -> None:
    bad = BAD["alternate"]
    whole = with_updates("sgd").train(range(BATCHES), bad)
    second = Run("sgd")
    second.scheduler = lambda_lr(second.optimizer, SCHEDULE, step=sum(moved(bad)[:batch]))
    step_with_updates(second.optimizer, second.scheduler)
    second.train(range(batch, BATCHES), bad)
    assert [used for used, _ in second.noted] == [used for used, _ in whole.noted[batch:]]


# torch.distributed.checkpoint calls a fresh optimizer once, at rate 0, to make room for the state that it loads.
def test_a_state_of_the_scheduler_that_is_loaded_last_sets_right_what_loading_the_optimizer_did() -> None:
    bad = BAD["alternate"]
    whole, first, second = (with_updates("adamw") for _ in range(3))
    whole.train(range(BATCHES), bad)
    first.train(range(6), bad)
    model = torch.nn.ParameterList([second.weight])
    saved = copy.deepcopy(get_optimizer_state_dict(torch.nn.ParameterList([first.weight]), first.optimizer))
    second.weight.detach().copy_(first.weight)
    set_optimizer_state_dict(model, second.optimizer, saved)
    assert second.scheduler.last_epoch == 1
    second.scheduler.load_state_dict(first.scheduler.state_dict())
    second.train(range(6, BATCHES), bad)
    assert second.noted == whole.noted[6:]


# The example.


def test_the_example_follows_its_schedule_though_updates_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches, rates = grad_scaler.main()
    warmup = [0.5 * (0.25 + 0.75 * update / 4) for update in range(4)]
    assert rates == warmup + [0.5 * (20 - update) / 16 for update in range(4, 20)]
    assert batches > len(rates)
    assert capsys.readouterr().out.startswith(f"{batches} batches, 20 updates, at rates [0.125, 0.21875, ")
