"""Schedulers that `from_lr_scheduler` rejects, with the error message of each."""

from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

import funcsched as fs
from bridges.torch import from_lr_scheduler, lambda_lr
from tests.bridges.torch.live import IGNORE_MOMENTUM, IGNORE_STEP_ORDER, Make, optimizer, torch_rates

pytestmark = [IGNORE_STEP_ORDER, IGNORE_MOMENTUM]


class Halving(StepLR):
    """A user-defined class that computes the rates in another way."""

    def get_lr(self) -> list[Any]:
        return [group["lr"] / 2 for group in self.optimizer.param_groups]


class Named(StepLR):
    """A user-defined class with the rates of its base class."""

    def state_dict(self) -> dict[str, Any]:
        return {"name": "named", **super().state_dict()}

    def extra_method(self) -> None:
        pass


class UserDefined(torch.optim.lr_scheduler.LRScheduler):
    def get_lr(self) -> list[Any]:
        return [0.1 for _ in self.optimizer.param_groups]


def modified(scheduler: Any, **attributes: Any) -> Any:
    vars(scheduler).update(attributes)
    return scheduler


def with_inner(outer: Any, inner: Any, index: int = 0) -> Any:
    outer._schedulers[index] = inner
    return outer


def scale_fn(cycle: float) -> float:
    return 1.0


KNOWN = (
    "one of ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR, "
    "LambdaLR, LinearLR, MultiStepLR, OneCycleLR, PolynomialLR, SequentialLR, StepLR, or a subclass that does not "
    "override its methods"
)
MULTIPLICATIVE = (
    "a closed-form function of the step (a product over all earlier steps is not; tabulate its values with "
    "`fs.tabulate`)"
)
METRIC = "a function of the step alone (a scheduler that follows a metric is not)"
AFFINE = (
    "a closed-form function of the step (a chain with an `eta_min` above 0 or with a factor of 0 before a milestone is "
    "not; tabulate its values with `fs.tabulate`)"
)
SETS = "a chain in which no factor follows a scheduler that sets the rate at every step"
NESTED = "the first scheduler of a SequentialLR (torch raises at the milestone of a later one)"
COUNT, LENGTH = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
FACTOR = "0 or a number from 1e-30 to 1e30"
LEVEL, RATIO, FRACTION = "a number from 0 to 1.7e38", "a number from 1e-30 to 1e30", "a number from 0 to 1"

REJECTED: dict[str, tuple[Make, type[Exception], str]] = {
    "no scheduler": (lambda o: 0.1, TypeError, "`scheduler` must be a scheduler of torch.optim.lr_scheduler, got 0.1"),
    "multiplicative": (
        lambda o: MultiplicativeLR(o, lambda step: 0.9),
        ValueError,
        f"`scheduler` must be {MULTIPLICATIVE}, got 'MultiplicativeLR'",
    ),
    "metric": (lambda o: ReduceLROnPlateau(o), ValueError, f"`scheduler` must be {METRIC}, got 'ReduceLROnPlateau'"),
    "metric in a chain": (
        lambda o: with_inner(ChainedScheduler([StepLR(o, 3), StepLR(o, 3)]), ReduceLROnPlateau(o), 1),
        ValueError,
        f"`scheduler._schedulers[1]` must be {METRIC}, got 'ReduceLROnPlateau'",
    ),
    "metric in a sequence": (
        lambda o: with_inner(SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5]), ReduceLROnPlateau(o)),
        ValueError,
        f"`scheduler._schedulers[0]` must be {METRIC}, got 'ReduceLROnPlateau'",
    ),
    "a controller": (
        lambda o: lambda_lr(o, fs.constant(1.0), controller=fs.greedy()),
        ValueError,
        "`scheduler` must be a function of the step alone (a scheduler with a controller, which follows a metric, is "
        "not), got greedy(); for the same curve, pass the schedule and the controller to `lambda_lr`",
    ),
    "a subclass that overrides get_lr": (
        lambda o: Halving(o, 3),
        TypeError,
        f"`scheduler` must be {KNOWN}, got 'Halving'",
    ),
    "a user-defined class in a sequence": (
        lambda o: SequentialLR(o, [StepLR(o, 3), UserDefined(o)], [5]),
        TypeError,
        f"`scheduler._schedulers[1]` must be {KNOWN}, got 'UserDefined'",
    ),
    "scale_fn": (
        lambda o: CyclicLR(o, 0.1, 0.2, scale_fn=scale_fn),
        ValueError,
        f"`scheduler.scale_fn` must be None (use a `mode`), got {scale_fn!r}",
    ),
    "base_lr above max_lr": (
        lambda o: CyclicLR(o, 0.2, 0.1),
        ValueError,
        "`scheduler.base_lrs[0]` must be at most the `max_lr` (0.1), got 0.2",
    ),
    "growing cycles": (
        lambda o: CyclicLR(o, 0.1, 0.2, mode="exp_range", gamma=1.5),
        ValueError,
        "`scheduler.gamma` must be at most 1, got 1.5",
    ),
    "a factor after a setter in a chain": (
        lambda o: ChainedScheduler([LambdaLR(o, scale_fn), StepLR(o, 3)]),
        ValueError,
        f"`scheduler` must be {SETS}, got ['LambdaLR', 'StepLR']",
    ),
    "eta_min in a chain": (
        lambda o: ChainedScheduler([LinearLR(o), CosineAnnealingLR(o, 9, 0.01)]),
        ValueError,
        f"`scheduler` must be {AFFINE}, got ['LinearLR', 'CosineAnnealingLR']",
    ),
    "a factor of 0 before a milestone": (
        lambda o: ChainedScheduler([PolynomialLR(o, 3), SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5])]),
        ValueError,
        f"`scheduler` must be {AFFINE}, got ['PolynomialLR', 'SequentialLR']",
    ),
    "a chain at a milestone": (
        lambda o: SequentialLR(o, [StepLR(o, 3), ChainedScheduler([StepLR(o, 3)])], [5]),
        ValueError,
        f"`scheduler._schedulers[1]` must be {NESTED}, got 'ChainedScheduler'",
    ),
    "decreasing milestones": (
        lambda o: modified(SequentialLR(o, [StepLR(o, 3), StepLR(o, 3), StepLR(o, 3)], [5, 9]), _milestones=[9, 5]),
        ValueError,
        "`scheduler._milestones` must be increasing, and of length 2 for 3 schedulers, got [9, 5]",
    ),
    "fractional milestone": (
        lambda o: SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5.5]),  # type: ignore[list-item]
        ValueError,
        f"`scheduler._milestones[0]` must be {COUNT}, got 5.5",
    ),
    "negative milestone": (
        lambda o: MultiStepLR(o, [-1]),
        ValueError,
        f"`scheduler.milestones` must be {COUNT}, got -1",
    ),
    "fractional T_max": (
        lambda o: CosineAnnealingLR(o, 7.5),  # type: ignore[arg-type]
        ValueError,
        f"`scheduler.T_max` must be {LENGTH}, got 7.5",
    ),
    "negative eta_min": (
        lambda o: CosineAnnealingLR(o, 7, -0.1),
        ValueError,
        f"`scheduler.eta_min` must be {LEVEL}, got -0.1",
    ),
    "negative gamma": (
        lambda o: ExponentialLR(o, -0.5),
        ValueError,
        f"`scheduler.gamma` must be {FACTOR}, got -0.5",
    ),
    "gamma below 1e-30": (
        lambda o: StepLR(o, 3, 1e-40),
        ValueError,
        f"`scheduler.gamma` must be {FACTOR}, got 1e-40",
    ),
    "negative step_size": (lambda o: StepLR(o, -1), ValueError, f"`scheduler.step_size` must be {LENGTH}, got -1"),
    "fractional total_iters": (
        lambda o: LinearLR(o, total_iters=2.5),  # type: ignore[arg-type]
        ValueError,
        f"`scheduler.total_iters` must be {COUNT}, got 2.5",
    ),
    "factor above 1": (
        lambda o: modified(ConstantLR(o), factor=2.0),
        ValueError,
        f"`scheduler.factor` must be {FRACTION}, got 2.0",
    ),
    "unknown anneal_strategy": (
        lambda o: modified(OneCycleLR(o, 0.1, total_steps=9), _anneal_func_type="exp"),
        ValueError,
        "`scheduler._anneal_func_type` must be one of 'cos', 'linear', got 'exp'",
    ),
    "too many base rates": (
        lambda o: modified(StepLR(o, 3), base_lrs=[0.1, 0.2]),
        ValueError,
        "`scheduler.base_lrs` must be of length 1, one for each parameter group, got [0.1, 0.2]",
    ),
    "negative base rate": (
        lambda o: modified(StepLR(o, 3), base_lrs=[-0.1]),
        ValueError,
        f"`scheduler.base_lrs` must be {LEVEL}, got -0.1",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_scheduler_that_cannot_be_converted_is_rejected(name: str) -> None:
    make, kind, message = REJECTED[name]
    scheduler = make(optimizer())
    with pytest.raises(kind) as error:
        from_lr_scheduler(scheduler)
    assert type(error.value) is kind
    assert str(error.value) == f"from_lr_scheduler: {message}"


def test_torch_raises_at_the_milestone_of_a_chain() -> None:
    scheduler = SequentialLR(o := optimizer(), [StepLR(o, 3), ChainedScheduler([StepLR(o, 3)])], [5])
    with pytest.raises(NotImplementedError):
        torch_rates(scheduler, 7)


def test_a_subclass_that_does_not_change_the_rates_is_converted() -> None:
    assert from_lr_scheduler(Named(optimizer(), 3)) == from_lr_scheduler(StepLR(optimizer(), 3))
