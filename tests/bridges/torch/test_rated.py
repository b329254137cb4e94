"""`lambda_lr` with the result of `from_lr_scheduler`: the rates of torch, also on the same optimizer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, CyclicLR, LinearLR, OneCycleLR

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import from_lr_scheduler, lambda_lr
from tests.bridges.torch.live import IGNORE_MOMENTUM, IGNORE_STEP_ORDER, optimizer, sequence, torch_rates
from tests.bridges.torch.runs import group_settings, run, sgd
from tests.errors import exactly

pytestmark = IGNORE_MOMENTUM

LINEAR = fs.warmup_linear(4, 12)
MAKES: dict[str, Callable[[Any], Any]] = {
    "OneCycleLR": lambda o: OneCycleLR(o, [0.5, 0.25], total_steps=30),
    "CyclicLR": lambda o: CyclicLR(o, 0.01, [0.5, 0.25], step_size_up=10),
    "SequentialLR": sequence([lambda o: LinearLR(o, 0.25, total_iters=10), lambda o: CosineAnnealingLR(o, 20)], [10]),
}


@IGNORE_STEP_ORDER
@pytest.mark.parametrize("name", MAKES)
def test_the_new_scheduler_has_the_rates_of_the_old_one_on_its_optimizer(name: str) -> None:
    expected = torch_rates(MAKES[name](optimizer(0.1, 0.3)), 30)
    used = optimizer(0.1, 0.3)
    scheduler = lambda_lr(used, from_lr_scheduler(MAKES[name](used)))
    assert run(used, scheduler, 30) == [pytest.approx(rates, rel=1e-13, abs=1e-16) for rates in expected.tolist()]


def test_one_peak_is_that_of_all_groups_and_of_added_ones() -> None:
    used = sgd(0.1, 0.1)
    scheduler = lambda_lr(used, Rated(LINEAR, 0.5), step=2)
    used.add_param_group({"params": [torch.zeros(1)], "lr": 9.0})
    assert scheduler.get_last_lr() == [0.25, 0.25, 0.25]


def test_explicit_base_values_take_precedence() -> None:
    scheduler = lambda_lr(sgd(0.1, 0.2), Rated(LINEAR, 0.5), base_values={"lr": [1.0, 2.0]}, step=2)
    assert scheduler.get_last_lr() == [0.5, 1.0]


def test_a_state_with_another_peak_is_rejected() -> None:
    state = lambda_lr(sgd(0.1), Rated(LINEAR, 0.5), step=6).state_dict()
    scheduler = lambda_lr(sgd(0.1), Rated(LINEAR, 0.5))
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == [0.375]
    with pytest.raises(
        ValueError, match=r"base rates of group 0 differ \(checkpoint: 0.5; current: 0.25\); for a new "
    ):
        lambda_lr(sgd(0.1), Rated(LINEAR, 0.25)).load_state_dict(state)
    scheduler = lambda_lr(sgd(0.1), Rated(LINEAR, 0.5), base_values={"lr": 0.25})
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == [0.1875]


FUNCTION = "must be a schedule or a function of a step, got "
RATED = Rated(LINEAR, 0.5)
REJECTED: list[tuple[Any, str]] = [
    (
        [RATED, LINEAR],
        f"`schedule[0]` {FUNCTION}{RATED}; pass its `schedule`, and its `peak_value` as "
        'base_values={"lr": ...}',
    ),
    (
        RATED,
        "`lr` must be the same in all parameter groups, to follow one peak, got [0.1, 0.2]; pass one `Rated` for each"
        " group, or the schedule alone (of a plan: plan.curves['lr'].schedule), which multiplies the rate of each"
        " group",
    ),
    (Rated(LINEAR, -1.0), "`schedule.peak_value` must be a finite number of at least 0, got -1.0"),
    ([RATED, Rated(LINEAR, -1.0)], "`schedule[1].peak_value` must be a finite number of at least 0, got -1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), REJECTED, ids=[str(given) for given, _ in REJECTED])
def test_invalid_pairs_are_rejected_and_nothing_changes(given: Any, message: str) -> None:
    used = sgd(0.1, 0.2)
    before = group_settings(used)
    with pytest.raises((TypeError, ValueError), match=exactly(f"lambda_lr: {message}")):
        lambda_lr(used, given)
    assert group_settings(used) == before


def test_a_scheduler_of_torch_is_rejected_with_the_way_to_convert_it() -> None:
    used = sgd(0.1)
    old = CosineAnnealingLR(used, 10)
    message = f"lambda_lr: `schedule` {FUNCTION}{old!r}; use `from_lr_scheduler(...)` to convert it"
    with pytest.raises(TypeError, match=exactly(message)):
        lambda_lr(used, old)  # type: ignore[arg-type]


def test_an_added_group_has_its_peak_as_its_rate() -> None:
    scheduler = lambda_lr(sgd(0.1), LINEAR)
    message = (
        f'add_param_group: `schedule` {FUNCTION}{RATED}; pass its `schedule`, and its `peak_value` as the "lr" of the'
        " group"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        scheduler.add_param_group({"params": [torch.zeros(1)]}, RATED)  # type: ignore[arg-type]
