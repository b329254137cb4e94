"""`from_lr_scheduler` on live schedulers: their state, several parameter groups, tensors, and arrays of steps."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    SequentialLR,
    StepLR,
)

from bridges.torch import from_lr_scheduler
from tests.bridges.torch.live import (
    DEFAULTS,
    EPS,
    IGNORE_MOMENTUM,
    IGNORE_STEP_ORDER,
    Make,
    check,
    optimizer,
    torch_rates,
)

pytestmark = [IGNORE_STEP_ORDER, IGNORE_MOMENTUM]

# A scheduler of every class.
EVERY: dict[str, Make] = {
    **{name: make for name, (make, _) in DEFAULTS.items()},
    "LambdaLR": lambda o: LambdaLR(o, lambda step: 1 / (1 + step)),
    "ExponentialLR": lambda o: ExponentialLR(o, 0.9),
    "SequentialLR": lambda o: SequentialLR(o, [LinearLR(o), CosineAnnealingLR(o, 50, 0.01)], [5]),
    "ChainedScheduler": lambda o: ChainedScheduler([ConstantLR(o), ExponentialLR(o, 0.9)]),
    "nested": lambda o: ChainedScheduler([SequentialLR(o, [LinearLR(o), StepLR(o, 3)], [5]), ExponentialLR(o, 0.9)]),
}


def state(scheduler: Any) -> Any:
    """Everything that can change, in the optimizer too: numbers by value, everything else by identity."""

    def plain(value: Any) -> Any:
        if isinstance(value, torch.optim.lr_scheduler.LRScheduler):
            return type(value), plain(vars(value))
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in ("optimizer", "params")}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, torch.Tensor):
            return id(value), value.tolist()
        return value if isinstance(value, (int, float, str)) else id(value)

    return plain(vars(scheduler)), plain(scheduler.optimizer.param_groups), plain(scheduler.optimizer.state)


# Control: `state` detects changes.
def test_a_step_changes_the_state() -> None:
    for make in EVERY.values():
        scheduler = make(optimizer())
        before = state(scheduler)
        torch_rates(scheduler, 2)
        assert state(scheduler) != before


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("updates", [0, 1, 7])
def test_the_scheduler_is_unchanged_and_its_step_does_not_matter(name: str, updates: int) -> None:
    fresh, used = EVERY[name](optimizer()), EVERY[name](optimizer())
    torch_rates(used, updates + 1)
    before = state(used)
    rated = from_lr_scheduler(used)
    for schedule, _ in rated:
        schedule(7)  # evaluating a converted schedule does not change the scheduler either
    assert state(used) == before
    if name != "LambdaLR":  # each has its own function
        assert rated == from_lr_scheduler(fresh)


@pytest.mark.parametrize("name", EVERY)
def test_each_group_has_its_own_schedule(name: str) -> None:
    per_step, absolute = 60, 0.7 * EPS * 2000
    check(EVERY[name], 9, 0.3, 0.7, per_step=per_step, absolute=absolute)


def test_groups_with_different_rates() -> None:
    check(lambda o: OneCycleLR(o, [0.5, 2.0], total_steps=30), 30, 0.1, 0.1, absolute=2.0 * EPS * 200)
    check(lambda o: CyclicLR(o, [0.01, 0.0], [0.5, 2.0], 7), 30, 0.1, 0.1, absolute=2.0 * EPS * 200)
    assert [rated.peak_value for rated in from_lr_scheduler(StepLR(optimizer(0.5, 0.25), 3))] == [0.5, 0.25]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_rates_in_tensors(name: str, shape: tuple[int, ...]) -> None:
    base = torch.full(shape, 0.25, dtype=torch.float64)
    scheduler = EVERY[name](optimizer(base))
    rated = from_lr_scheduler(scheduler)
    assert rated == from_lr_scheduler(EVERY[name](optimizer(0.25))) or name == "LambdaLR"
    assert type(rated[0].peak_value) is float
    ours = np.array([[peak * schedule(step) for schedule, peak in rated] for step in range(9)])
    assert torch_rates(scheduler, 9) == pytest.approx(ours, rel=2000 * EPS, abs=2000 * EPS)


def test_rates_in_float32_tensors() -> None:
    scheduler = SequentialLR(o := optimizer(torch.tensor(0.1)), [LinearLR(o), CosineAnnealingLR(o, 20)], [5])
    ((schedule, peak),) = from_lr_scheduler(scheduler)
    assert peak == float(torch.tensor(0.1))
    ours = np.array([peak * schedule(step) for step in range(26)])
    # torch rounds up to seven times in an update, each time by half a float32 ulp of the highest rate.
    assert torch_rates(scheduler, 26)[:, 0] == pytest.approx(ours, rel=0, abs=0.1 * 7 * 26 * 2.0**-24)


def test_the_schedules_run_on_arrays_and_under_jit() -> None:
    for name in ("SequentialLR", "ChainedScheduler", "nested", "OneCycleLR of epochs", "CyclicLR"):
        ((schedule, _),) = from_lr_scheduler(EVERY[name](optimizer()))
        exact = np.array([schedule(step) for step in range(60)])
        assert schedule(np.arange(60)) == pytest.approx(exact, rel=16 * EPS)
        assert schedule(torch.arange(60)).numpy() == pytest.approx(exact, rel=16 * 2.0**-23)
        assert np.asarray(jax.jit(schedule)(jnp.arange(60))) == pytest.approx(exact, rel=16 * 2.0**-23)


def test_a_base_rate_of_0() -> None:
    for name, make in EVERY.items():
        if name not in ("SequentialLR", "CyclicLR") and not name.startswith("OneCycleLR"):
            assert [rated.peak_value for rated in from_lr_scheduler(make(optimizer(0.0)))] == [0.0]
    check(lambda o: CosineAnnealingLR(o, 9, 0.01), 10, 0.0, absolute=0.01 * EPS * 200)
    check(lambda o: CosineAnnealingWarmRestarts(o, 9, 2, 0.01), 40, 0.0, absolute=0.01 * EPS * 200)
    check(lambda o: CyclicLR(o, 0.0, 0.0, 9), 40, 0.0)
    check(lambda o: OneCycleLR(o, 0.0, total_steps=9), 9, 0.0)
