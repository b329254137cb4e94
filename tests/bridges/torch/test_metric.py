"""`lambda_lr(..., controller=...)`: learning rates that follow a schedule and a metric."""

import io
import random
from math import inf, nan

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

import funcsched as fs
from bridges.torch import lambda_lr
from tests.errors import exactly


def optimizer(*rates: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates])


def rates(scheduler) -> list[float]:
    return [group["lr"] for group in scheduler.optimizer.param_groups]


def metrics(length: int) -> list[float]:
    numbers = random.Random(1)
    return [numbers.choice([1.0, 0.9, 0.8, 0.8, nan, inf]) for _ in range(length)]


def test_with_a_constant_schedule_the_rates_are_those_of_reduce_lr_on_plateau() -> None:
    original = ReduceLROnPlateau(optimizer(0.5, 0.25), factor=0.5, patience=1, min_lr=0, eps=0)
    ours = lambda_lr(optimizer(0.5, 0.25), fs.constant(), controller=fs.plateau(factor=0.5, patience=1, eps=0))
    for value in metrics(40):
        original.step(value)
        ours.optimizer.step()
        ours.step(metric=torch.tensor(value))
        assert rates(ours) == rates(original)
    assert rates(ours)[0] < 0.5**3


def test_the_multiplier_applies_to_the_schedule_and_stays_without_a_metric() -> None:
    curve = fs.warmup_linear(4, 20)
    scheduler = lambda_lr(optimizer(0.5), curve, controller=fs.plateau(factor=0.25, patience=0))
    found = []
    for step in range(8):
        found += rates(scheduler)
        scheduler.optimizer.step()
        if step in (1, 3):  # the second value is no improvement
            scheduler.step(metric=1.0)
        else:
            scheduler.step()
    assert found == [0.5 * curve(step) * (0.25 if step > 3 else 1.0) for step in range(8)]


@pytest.mark.parametrize(
    "controller", [fs.plateau(factor=0.5, patience=1, accumulation=2), fs.greedy(factor=0.5, patience=1, window_size=2)]
)
def test_a_resumed_run_continues_with_the_state_of_the_controller(controller) -> None:
    curve, values = fs.warmup_cosine(5, 60), metrics(40)

    def run(scheduler, values: list[float]) -> list[float]:
        found = []
        for value in values:
            scheduler.optimizer.step()
            scheduler.step(metric=value)
            found += rates(scheduler)
        return found

    whole = run(lambda_lr(optimizer(0.5), curve, controller=controller), values)
    for stop in (1, 7, 20):
        first = lambda_lr(optimizer(0.5), curve, controller=controller)
        run(first, values[:stop])
        file = io.BytesIO()
        torch.save({"scheduler": first.state_dict(), "optimizer": first.optimizer.state_dict()}, file)
        file.seek(0)
        saved = torch.load(file, weights_only=True)
        second = lambda_lr(optimizer(0.5), curve, controller=controller)
        second.load_state_dict(saved["scheduler"])
        second.optimizer.load_state_dict(saved["optimizer"])
        assert run(second, values[stop:]) == whole[stop:]


def test_another_controller_and_a_metric_without_one_are_errors() -> None:
    curve, controller = fs.constant(), fs.plateau(factor=0.5)
    state = lambda_lr(optimizer(0.5), curve, controller=controller).state_dict()
    message = r"^load_state_dict: the controllers differ \(checkpoint: plateau\(factor=0.5\); current: plateau\(\)\)"
    with pytest.raises(ValueError, match=message):
        lambda_lr(optimizer(0.5), curve, controller=fs.plateau()).load_state_dict(state)
    with pytest.raises(ValueError, match="the saved run followed a metric, and this scheduler has no controller"):
        lambda_lr(optimizer(0.5), curve).load_state_dict(state)
    with pytest.raises(ValueError, match=r"the controllers differ \(checkpoint: none; current: plateau\(\)\)"):
        lambda_lr(optimizer(0.5), curve, controller=fs.plateau()).load_state_dict(
            lambda_lr(optimizer(0.5), curve).state_dict()
        )
    broken = {**state, "metric": {**state["metric"], "state": [1.0]}}
    with pytest.raises(ValueError, match=r"^load_state_dict: `metric` must be the state of plateau\(factor=0.5\), got"):
        lambda_lr(optimizer(0.5), curve, controller=controller).load_state_dict(broken)
    with pytest.raises(TypeError, match=r"^lambda_lr: `controller` must be a controller, such as fs.plateau\(\), or"):
        lambda_lr(optimizer(0.5), curve, controller=3)
    with pytest.raises(TypeError, match=r"^step: `metric` must be a number, or a tensor with one element, got 'low'$"):
        lambda_lr(optimizer(0.5), curve, controller=controller).step(metric="low")
    message = (
        "step: `metric` must be None, because the scheduler has no controller, got 0.5; "
        "use `lambda_lr(..., controller=fs.plateau())`"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        lambda_lr(optimizer(0.5), curve).step(metric=0.5)
    scheduler = lambda_lr(optimizer(0.5), curve, controller=controller)
    with pytest.raises(
        TypeError, match=r"^step: `epoch` must be None, got 0.5; use `step\(metric=...\)` for a metric$"
    ):
        scheduler.step(0.5)
    with pytest.raises(TypeError, match=r"^step: `metric` must be a number, or a tensor with one element"):
        scheduler.step(metric=torch.zeros(2))
    for epoch in (0.5, -3, nan):
        with pytest.raises((TypeError, ValueError), match=r"^step: `epoch` must be an integer from 0 to 2\*\*53, got"):
            lambda_lr(optimizer(0.5), curve).step(epoch)
