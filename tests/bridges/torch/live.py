"""Helpers for the tests of `from_lr_scheduler`: converted rates compared with those that torch sets, at every step.

Each of torch's float64 operations is off by at most half an ulp. The tolerances allow two ulps. A scheduler that
multiplies the current rate adds the errors of one update to those of all updates before, so the tolerance grows with
the step. A difference (1 - u, lr - eta_min, 1 + cos) has an error relative to the highest rate. If later updates divide
by the difference, the error is relative to the difference.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    SequentialLR,
    StepLR,
)

from bridges.torch import from_lr_scheduler

# torch warns about what its own classes do: they step the schedulers inside them before the optimizer.
IGNORE_MOMENTUM = pytest.mark.filterwarnings("ignore:from_lr_scheduler. .* also cycles the momentum:UserWarning")
IGNORE_STEP_ORDER = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")

EPS = 2.0**-52
OURS = 8  # ulps of this library: 4 of the schedule; the rest for operations on base rates and levels

Make = Callable[[torch.optim.Optimizer], Any]

RATES = st.floats(1e-5, 10.0)
LENGTHS = st.integers(1, 40)
COUNTS = st.integers(0, 40)
FRACTIONS = st.floats(0.01, 1.0)


def optimizer(*base: Any) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in base or (0.1,)]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def torch_rates(scheduler: Any, steps: int) -> np.ndarray:
    """The rates that torch sets at steps 0, 1, 2, ...: a row for each step, a column for each group."""
    rows = []
    for step in range(steps):
        rows.append([float(group["lr"]) for group in scheduler.optimizer.param_groups])
        if step < steps - 1:
            scheduler.optimizer.step()
            scheduler.step()
    return np.array(rows)


def both_rates(make: Make, steps: int, *base: Any) -> tuple[np.ndarray, np.ndarray]:
    """The converted rates and those of torch. The scheduler is converted before its first step."""
    scheduler = make(optimizer(*base))
    rated = from_lr_scheduler(scheduler)
    ours = np.array([[peak * schedule(step) for schedule, peak in rated] for step in range(steps)])
    return ours, torch_rates(scheduler, steps)


def check(make: Make, steps: int, *base: Any, per_step: float = 0.0, once: float = 0.0, absolute: Any = 0.0) -> None:
    """Compare the converted rates with those of torch.

    `per_step` counts torch's operations whose errors add up from update to update, and `once` those whose errors do
    not. Both are relative to the rate. `absolute` is added to the tolerance.
    """
    ours, theirs = both_rates(make, steps, *base)
    relative = (OURS + 2 * once + 2 * per_step * np.arange(steps)[:, None]) * EPS
    wrong = np.argwhere(~(np.abs(ours - theirs) <= relative * np.abs(theirs) + absolute))
    assert wrong.size == 0, [(step, group, ours[step, group], theirs[step, group]) for step, group in wrong[:5]]


def sequence(schedulers: list[Make], milestones: list[int]) -> Make:
    return lambda o: SequentialLR(o, [make(o) for make in schedulers], sorted(milestones))


def chain(schedulers: list[Make]) -> Make:
    return lambda o: ChainedScheduler([make(o) for make in schedulers], o)


# At most 12 operations in an update of a scheduler, and at most four schedulers.
PER_STEP_OF_COMPOSITE = 12 * 4


def check_composite(make: Make, *base: Any) -> None:
    check(make, 70, *(base or (0.1,)), per_step=PER_STEP_OF_COMPOSITE, absolute=0.1 * 4 * EPS)


# A scheduler of each class with its default arguments, and the number of steps to compare.
DEFAULTS: dict[str, tuple[Make, int]] = {
    "StepLR": (lambda o: StepLR(o, 30), 99),
    "MultiStepLR": (lambda o: MultiStepLR(o, [30, 80]), 99),
    "ConstantLR": (lambda o: ConstantLR(o), 9),
    "LinearLR": (lambda o: LinearLR(o), 9),
    "PolynomialLR": (lambda o: PolynomialLR(o), 9),
    "CosineAnnealingLR": (lambda o: CosineAnnealingLR(o, 50), 51),
    "CosineAnnealingWarmRestarts": (lambda o: CosineAnnealingWarmRestarts(o, 10), 99),
    "OneCycleLR": (lambda o: OneCycleLR(o, 0.1, total_steps=100), 100),
    "OneCycleLR of epochs": (lambda o: OneCycleLR(o, 0.1, epochs=5, steps_per_epoch=11), 55),
    "CyclicLR": (lambda o: CyclicLR(o, 0.01, 0.1), 99),
    "no milestones": (lambda o: MultiStepLR(o, []), 9),
}
