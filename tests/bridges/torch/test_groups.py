"""Parameter groups of `lambda_lr`: `lr_scale`, as in timm, and groups that are added later with their own schedules."""

import copy
from typing import Any

import pytest
import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr
from tests import peers
from tests.bridges.torch.runs import group_settings, groups, rates, run, sgd
from tests.errors import exactly

UP, DOWN = fs.ramp(0.0, 1.0, steps=8), fs.ramp(1.0, 0.0, steps=16)


# lr_scale.


def scaled(*rates: Any) -> torch.optim.Optimizer:
    """An optimizer with one group of each rate; all but the first are scaled."""
    settings = groups(*rates)
    for group, scale in zip(settings[1:], (0.5, 0.0625, 0.7), strict=False):
        group["lr_scale"] = scale
    return torch.optim.SGD(settings, lr=1.0)


def test_lr_scale_gives_the_rates_of_timm() -> None:
    ours, theirs = scaled(0.5, 0.5, 0.25, 0.3), scaled(0.5, 0.5, 0.25, 0.3)
    scheduler = lambda_lr(ours, fs.warmup_cosine(5, 25))
    peer = peers.timm().CosineLRScheduler(
        theirs, t_initial=20, warmup_t=5, warmup_lr_init=0.0, warmup_prefix=True, t_in_epochs=False
    )
    for update in range(30):
        peer.step_update(update)  # sets the rate of this update
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-14, abs=1e-16), update
        ours.step()
        scheduler.step()


@pytest.mark.parametrize("order", [("optimizer", "scheduler"), ("scheduler", "optimizer"), ("scheduler",)], ids=str)
def test_lr_scale_applies_to_tensors_added_groups_and_resumed_runs(order: tuple[str, ...]) -> None:
    def build() -> tuple[Any, Any]:
        optimizer = scaled(torch.tensor(0.5), torch.tensor(0.5))
        return optimizer, lambda_lr(optimizer, DOWN, on_external_change="keep")

    late = {**groups(0.25)[0], "lr_scale": 0.125}
    optimizer, scheduler = build()
    run(optimizer, scheduler, 2)
    optimizer.add_param_group(dict(late))
    expected = [[scale * (16 - k) / 16 for scale in (0.5, 0.25, 0.25 * 0.125)] for k in range(2, 8)]
    used = run(optimizer, scheduler, 2)
    states = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    assert used + run(optimizer, scheduler, 4) == expected
    resumed, again = build()
    resumed.add_param_group(dict(late))
    for name in order:
        {"optimizer": resumed, "scheduler": again}[name].load_state_dict(states[name])
    assert run(resumed, again, 4) == expected[2:]
    assert again.get_last_lr()[2] == 0.25 * 0.125 * 8 / 16


# Groups that are added later.


def adamw(*rates: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(groups(*rates), betas=(0.5, 0.75), weight_decay=0.25)


@pytest.mark.parametrize("first", [UP, [UP]], ids=["shared", "list"])
def test_an_added_group_follows_its_own_schedules(first: Any) -> None:
    optimizer = adamw(0.5)
    scheduler = lambda_lr(optimizer, first, hyperparameters={"weight_decay": [DOWN], "betas": (DOWN, None)})
    run(optimizer, scheduler, 4)
    own = {"weight_decay": Rated(UP, 4.0)}
    scheduler.add_param_group({**groups(1.0)[0], "betas": (0.25, 0.5)}, DOWN, own)
    assert run(optimizer, scheduler, 4) == [[0.5 * k / 8, (16 - k) / 16] for k in range(4, 8)]
    first_group, second = optimizer.param_groups
    assert (first_group["weight_decay"], second["weight_decay"]) == (0.25 * 8 / 16, 4.0)
    assert (first_group["betas"], second["betas"]) == ((0.5 * 8 / 16, 0.75), (0.25 * 8 / 16, 0.5))  # shared
    # The second is added at step 8; it shares all schedules but those that were given as lists.
    scheduler.add_param_group(groups(1.0)[0], UP, {"weight_decay": None, "betas": (None, DOWN)})
    assert rates(optimizer)[2] == 1.0
    third = optimizer.param_groups[2]
    assert (third["weight_decay"], third["betas"]) == (0.25, (0.5, 0.75 * 8 / 16))


def test_without_a_schedule_an_added_group_follows_the_shared_one() -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, UP)
    run(optimizer, scheduler, 4)
    scheduler.add_param_group(groups(1.0)[0])
    assert rates(optimizer) == [0.25, 0.5]


def test_a_list_for_one_key_does_not_affect_the_schedules_of_other_keys() -> None:
    optimizer = adamw(0.5)
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": [DOWN]}, step=4)
    scheduler.add_param_group(groups(1.0)[0], hyperparameters={"weight_decay": UP})
    assert (rates(optimizer), optimizer.param_groups[1]["weight_decay"]) == ([0.25, 0.5], 0.125)


@pytest.mark.parametrize("order", [("optimizer", "scheduler"), ("scheduler", "optimizer"), ("scheduler",)], ids=str)
def test_a_run_with_added_groups_resumes(order: tuple[str, ...]) -> None:
    def build() -> tuple[Any, Any]:
        optimizer = sgd(0.5)
        return optimizer, lambda_lr(optimizer, [UP])

    optimizer, scheduler = build()
    run(optimizer, scheduler, 3)
    scheduler.add_param_group(groups(1.0)[0], DOWN)
    run(optimizer, scheduler, 2)
    states = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    resumed, again = build()
    with pytest.raises(ValueError, match="a group that the saved run added later must be added again before loading"):
        again.load_state_dict(states["scheduler"])
    again.add_param_group(groups(1.0)[0], DOWN)
    for name in order:
        {"optimizer": resumed, "scheduler": again}[name].load_state_dict(states[name])
    assert run(resumed, again, 4) == [[0.5 * k / 8, (16 - k) / 16] for k in range(5, 9)]


WAY = "; use `scheduler.add_param_group(group, schedule=..., hyperparameters=...)`"
MISSING = (
    " must be given for an added group, because `lambda_lr` got a list with one entry for each group, got None" + WAY
)
NOT_ADDED = [
    ([UP], None, {}, "`schedule`" + MISSING),
    ((UP,), None, {}, "`schedule`" + MISSING),
    (UP, {"momentum": [UP]}, {"schedule": DOWN}, "`hyperparameters['momentum']`" + MISSING),
    (UP, None, {"schedule": 3}, "`schedule` must be a schedule or a function of a step, got 3"),
    (UP, None, {"hyperparameters": [UP]}, "`hyperparameters` must be a mapping from keys to schedules, got [ramp("),
    (
        UP,
        {"momentum": UP},
        {"hyperparameters": {"weight_decay": UP}},
        "`hyperparameters key` must be a key that `lambda_lr` schedules ('momentum'), got 'weight_decay'",
    ),
    (
        UP,
        None,
        {"hyperparameters": {"lr": UP}},
        "`hyperparameters key` must be a key that `lambda_lr` schedules (none)",
    ),
    (
        UP,
        {"momentum": UP},
        {"hyperparameters": {"momentum": (UP, UP)}},
        "`hyperparameters['momentum']` must be one schedule: group 1 has 0, got (ramp(",
    ),
]


@pytest.mark.parametrize(("schedule", "hyperparameters", "own", "message"), NOT_ADDED, ids=[m for *_, m in NOT_ADDED])
def test_a_group_that_cannot_be_added_leaves_everything_unchanged(
    schedule: Any, hyperparameters: Any, own: Any, message: str
) -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, schedule, hyperparameters=hyperparameters)
    before = group_settings(optimizer), scheduler.state_dict()
    group = {**groups(1.0)[0]}
    with pytest.raises((TypeError, ValueError)) as caught:
        scheduler.add_param_group(group, **own)
    assert str(caught.value).startswith(f"add_param_group: {message}")
    if message.endswith(WAY):  # `optimizer.add_param_group` names the other method
        with pytest.raises(ValueError, match=exactly(f"add_param_group: {message}")):
            optimizer.add_param_group(group)
    assert (group_settings(optimizer), scheduler.state_dict()) == before
    run(optimizer, scheduler, 2)


def test_an_optimizer_that_rejects_a_group_leaves_the_scheduler_unchanged() -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, [UP])
    with pytest.raises(ValueError, match="some parameters appear in more than one parameter group"):
        scheduler.add_param_group({"params": optimizer.param_groups[0]["params"]}, DOWN)
    with pytest.raises(ValueError, match="`schedule` must be given"):  # the schedules of the rejected group are gone
        optimizer.add_param_group(groups(1.0)[0])
    assert len(scheduler.get_last_lr()) == 1
