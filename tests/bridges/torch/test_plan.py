"""`lambda_lr` with a plan."""

import pytest
import torch

import funcsched as fs
from bridges.torch import lambda_lr
from tests.errors import exactly

PLAN = fs.Plan(
    {
        "lr": (fs.warmup_linear(4, 12), 0.5),
        "weight_decay": (fs.ramp(1, 0.5, steps=8), 0.25),
        "batch_size": (fs.constant(), 64),
    },
    run={"updates": 12},
)


def adamw(**second_group: float) -> torch.optim.AdamW:
    groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], **second_group}]
    return torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.1)


def test_a_plan_sets_the_learning_rate_and_the_hyperparameters_that_the_optimizer_has() -> None:
    optimizer = adamw(weight_decay=0.0)
    scheduler = lambda_lr(optimizer, PLAN)
    values = []
    for _ in range(9):
        values.append([(group["lr"], group["weight_decay"]) for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    rates = [0.0, 0.125, 0.25, 0.375, 0.5, 0.4375, 0.375, 0.3125, 0.25]
    decays = [0.25, 0.234375, 0.21875, 0.203125, 0.1875, 0.171875, 0.15625, 0.140625, 0.125]
    # The weight decay of the second group is off, and stays off.
    assert values == [[(rate, decay), (rate, 0.0)] for rate, decay in zip(rates, decays, strict=True)]


def test_a_run_with_a_plan_resumes_and_continues_with_a_branch() -> None:
    optimizer = adamw()
    state = lambda_lr(optimizer, PLAN, step=6).state_dict()
    branch = PLAN.branch(6, {"lr": 0.0}, length=2)
    optimizer = adamw()
    scheduler = lambda_lr(optimizer, branch)
    scheduler.load_state_dict(state)
    assert scheduler.get_last_lr() == [0.375, 0.375]
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.1875, 0.1875]


def test_a_state_of_a_plan_with_another_peak_is_rejected() -> None:
    state = lambda_lr(adamw(), PLAN, step=6).state_dict()
    optimizer = adamw()
    scheduler = lambda_lr(
        optimizer, fs.Plan({**PLAN.curves, "lr": (fs.warmup_linear(4, 12), 0.25)}, run={"updates": 12})
    )
    way = "for a new peak, use `lambda_lr(..., base_values={'lr': 0.25})`"
    with pytest.raises(
        ValueError, match=r"the base rates of group 1 differ \(checkpoint: 0.5; current: 0.25\)"
    ) as caught:
        scheduler.load_state_dict(state)
    assert way in str(caught.value)


def test_explicit_arguments_take_precedence_over_the_plan() -> None:
    optimizer = adamw(lr=1.0)
    scheduler = lambda_lr(
        optimizer, PLAN, hyperparameters={"weight_decay": None}, base_values={"lr": [1.0, 2.0]}, step=8
    )
    assert scheduler.get_last_lr() == [0.5, 1.0]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.1]


def test_a_plan_that_cannot_run_is_refused() -> None:
    tokens = fs.Plan({"lr": (fs.constant(), 0.5)}, run={"tokens": 12})
    message = "lambda_lr: `schedule` must be a plan that counts updates, got {'tokens': 12}; use plan.in_updates(clock)"
    with pytest.raises(ValueError, match=exactly(message)):
        lambda_lr(adamw(), tokens)
    with pytest.raises(ValueError, match="`schedule` must be a plan with a curve 'lr', got"):
        lambda_lr(adamw(), fs.Plan({"rate": (fs.constant(), 0.5)}, run={"updates": 12}))
    message = (
        "lambda_lr: `lr` must be the same in all parameter groups, to follow one peak, got [0.001, 1.0]; "
        "pass one `Rated` for each group, or the schedule alone (of a plan: plan.curves['lr'].schedule), which"
        " multiplies the rate of each group"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        lambda_lr(adamw(lr=1.0), PLAN)


def test_a_weight_decay_that_is_off_stays_off_where_the_plan_is_at_zero() -> None:
    plan = fs.Plan(
        {"lr": (fs.constant(), 0.5), "weight_decay": (fs.ramp(1, 0, steps=4), 0.1)},
        run={"updates": 4},
    )
    optimizer = adamw(weight_decay=0.0)
    scheduler = lambda_lr(optimizer, plan)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0, 0.0]
    scheduler = lambda_lr(optimizer, plan.branch(4, {"weight_decay": 0.1}, length=4), step=4)
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_an_added_group_has_the_rate_of_the_plan() -> None:
    optimizer = adamw()
    scheduler = lambda_lr(optimizer, PLAN, step=2)
    optimizer.add_param_group({"params": [torch.zeros(1)]})
    assert scheduler.get_last_lr() == [0.25, 0.25, 0.25]
    scheduler.add_param_group({"params": [torch.zeros(1)], "lr": 0.125}, fs.constant())  # has a separate schedule
    assert scheduler.get_last_lr() == [0.25, 0.25, 0.25, 0.125]


def test_a_misspelt_curve_is_an_error() -> None:
    plan = fs.Plan({"lr": (fs.constant(), 0.5), "weightdecay": (fs.constant(), 0.1)}, run={"updates": 4})
    message = "lambda_lr: the optimizer has no hyperparameter 'weightdecay'; did you mean 'weight_decay'?"
    with pytest.raises(ValueError, match=exactly(message)):
        lambda_lr(adamw(), plan)
