"""Hyperparameters of a torch optimizer that follow schedules, in all groups, and in groups that are added later."""

import copy
import gc
import math
import pickle
import re
import weakref

import pytest
import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import from_lr_scheduler, lambda_lr
from examples.stacks import torch_hyperparameters
from tests.bridges.torch.runs import group_settings

UP = fs.ramp(0.0, 1.0, steps=8)
DOWN = fs.ramp(1.0, 0.5, steps=8)


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(1))


def sgd(groups: int = 1, **options) -> torch.optim.SGD:
    options = {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.25, **options}
    return torch.optim.SGD([{"params": [parameter()]} for _ in range(groups)], **options)


def adamw(**options) -> torch.optim.AdamW:
    return torch.optim.AdamW([parameter()], lr=0.5, betas=(0.5, 0.75), **options)


def used(optimizer, scheduler, key: str, updates: int = 10, group: int = 0) -> list:
    values = []
    for _ in range(updates):
        value = optimizer.param_groups[group][key]
        values.append(value.item() if isinstance(value, torch.Tensor) else value)
        optimizer.step()
        scheduler.step()
    return values


DECAY = [0.25 * (1 - 0.5 * min(step, 8) / 8) for step in range(10)]


@pytest.mark.parametrize("key", ["weight_decay", "momentum", "dampening"])
def test_any_numeric_hyperparameter_can_follow_a_schedule(key: str) -> None:
    optimizer = sgd(**{key: 0.25})
    assert used(optimizer, lambda_lr(optimizer, UP, hyperparameters={key: DOWN}), key) == DECAY


def test_the_learning_rate_follows_its_own_schedule() -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": DOWN})
    assert used(optimizer, scheduler, "lr") == [0.5 * min(step, 8) / 8 for step in range(10)]


def test_weight_decay_is_proportional_to_the_learning_rate() -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": UP})
    for _ in range(10):
        group = optimizer.param_groups[0]
        assert group["weight_decay"] == group["lr"] / 2
        optimizer.step()
        scheduler.step()


def test_each_beta_follows_its_own_schedule_or_stays_fixed() -> None:
    optimizer = adamw()
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"betas": (DOWN, None)})
    assert used(optimizer, scheduler, "betas") == [(2 * value, 0.75) for value in DECAY]


def test_a_rated_pair_sets_absolute_values() -> None:
    optimizer = adamw()
    pairs = {"weight_decay": Rated(UP, 4.0), "betas": (None, Rated(DOWN, 0.25))}
    scheduler = lambda_lr(optimizer, UP, hyperparameters=pairs)
    assert used(optimizer, scheduler, "weight_decay") == [min(step, 8) / 2 for step in range(10)]
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.125)


def test_a_list_has_one_schedule_for_each_group() -> None:
    optimizer = sgd(2)
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": [DOWN, None]})
    values = [used(optimizer, scheduler, "weight_decay", 1, group) for group in (0, 1) for _ in range(4)]
    assert values == [[value] for value in DECAY[:4]] + [[0.25]] * 4


def test_momentum_in_anti_phase_equals_that_of_onecyclelr() -> None:
    theirs, ours = sgd(), sgd()
    peer = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=0.5, total_steps=100, pct_start=0.31, base_momentum=0.85, max_momentum=0.95
    )  # its phases end at steps 0.31 * 100 - 1 and 99
    curve = fs.join([fs.ramp(0, 1, steps=30, shape=fs.cosine), fs.ramp(1, 0, steps=69, shape=fs.cosine)], [30])
    scheduler = lambda_lr(ours, curve, hyperparameters={"momentum": Rated(fs.lerp(curve, 0.95, 0.85), 1.0)})
    for step in range(100):
        pair = theirs.param_groups[0]["momentum"], ours.param_groups[0]["momentum"]
        assert pair[1] == pytest.approx(pair[0], rel=1e-14), step
        theirs.step()
        ours.step()
        if step < 99:
            peer.step()
            scheduler.step()


def test_values_in_tensors_are_filled_in_place() -> None:
    rate, decay = torch.tensor(0.5), torch.tensor(0.25)
    optimizer = sgd(lr=rate)
    optimizer.param_groups[0]["weight_decay"] = decay
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": DOWN})
    for _ in range(4):
        scheduler.optimizer._opt_called = True
        scheduler.step()
    assert optimizer.param_groups[0]["weight_decay"] is decay and decay.item() == DECAY[4]


def test_resume_at_a_step_sets_all_hyperparameters() -> None:
    optimizer = adamw()
    lambda_lr(optimizer, UP, hyperparameters={"weight_decay": Rated(UP, 4.0), "betas": (DOWN, None)}, step=4)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["betas"]) == (0.25, 2.0, (0.375, 0.75))


@pytest.mark.parametrize("order", [("optimizer", "scheduler"), ("scheduler", "optimizer"), ("scheduler",)])
def test_resume_from_a_state_sets_all_hyperparameters(order: tuple[str, ...]) -> None:
    def build():
        optimizer = adamw(weight_decay=0.25)
        return optimizer, lambda_lr(optimizer, UP, hyperparameters={"weight_decay": DOWN, "betas": (DOWN, None)})

    optimizer, scheduler = build()
    expected = used(optimizer, scheduler, "betas")
    optimizer, scheduler = build()
    used(optimizer, scheduler, "betas", 4)
    saved = {"optimizer": copy.deepcopy(optimizer.state_dict()), "scheduler": copy.deepcopy(scheduler.state_dict())}
    optimizer, scheduler = build()
    for name in order:
        {"optimizer": optimizer, "scheduler": scheduler}[name].load_state_dict(saved[name])
    assert optimizer.param_groups[0]["weight_decay"] == DECAY[4]
    assert used(optimizer, scheduler, "betas", 6) == expected[4:]


@pytest.mark.parametrize(
    ("saved", "current", "message"),
    [
        ({"momentum": UP}, {"momentum": DOWN}, "for 'momentum' of group 0: the curves diverge at step 0; at step 4"),
        (
            {"momentum": UP},
            {"momentum": Rated(UP, 0.5)},
            r"for 'momentum' of group 0: `peak_value` differs \(checkpoint: None; current: 0.5\)",
        ),
        (
            {"momentum": UP},
            {"momentum": [None]},
            "for 'momentum' of group 0: checkpoint: one schedule; current: no schedule",
        ),
    ],
)
def test_the_state_of_different_schedules_is_rejected(saved, current, message: str) -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP, hyperparameters=saved, step=4)
    other = sgd()
    loading = lambda_lr(other, UP, hyperparameters=current)
    before = group_settings(other)
    with pytest.raises(
        ValueError, match=r"^load_state_dict: the checkpoint was made with a different schedule " + message
    ):
        loading.load_state_dict(scheduler.state_dict())
    assert group_settings(other) == before


# Groups that are added later.


def test_an_added_group_follows_the_same_schedules_from_its_first_update() -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"weight_decay": DOWN})
    used(optimizer, scheduler, "lr", 4)
    optimizer.add_param_group({"params": [parameter()], "lr": 1.0, "weight_decay": 0.5})
    assert optimizer.param_groups[1]["lr"] == 0.5 and optimizer.param_groups[1]["weight_decay"] == 2 * DECAY[4]
    assert scheduler.get_last_lr() == [0.25, 0.5]
    assert used(optimizer, scheduler, "lr", 6, group=1) == [min(step, 8) / 8 for step in range(4, 10)]


def test_a_run_with_an_added_group_resumes() -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP)
    used(optimizer, scheduler, "lr", 4)
    optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    used(optimizer, scheduler, "lr", 1)
    saved = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(scheduler.state_dict())
    other = sgd()
    other.add_param_group({"params": [parameter()], "lr": 1.0})
    resumed = lambda_lr(other, UP)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert resumed.get_last_lr() == [0.5 * 5 / 8, 5 / 8]


def test_a_group_that_was_not_added_with_add_param_group_is_rejected() -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, UP)
    optimizer.param_groups.append({**optimizer.param_groups[0], "params": [parameter()]})
    optimizer.step()
    message = r"^step: `param_groups` must be the 1 that have schedules, got 2; use `optimizer.add_param_group`$"
    with pytest.raises(ValueError, match=message):
        scheduler.step()


def test_from_lr_scheduler_returns_its_schedules() -> None:
    scheduler = lambda_lr(sgd(), UP)
    assert from_lr_scheduler(scheduler) == [Rated(UP, 0.5)]


# torch warns, because a pickled optimizer loses the wrapper of its `step`.
@pytest.mark.filterwarnings(r"ignore:Seems like `optimizer.step\(\)` has been overridden:UserWarning")
def test_a_pickled_scheduler_continues() -> None:
    scheduler = pickle.loads(pickle.dumps(lambda_lr(sgd(), UP, hyperparameters={"weight_decay": DOWN}, step=3)))
    scheduler.optimizer.step()
    scheduler.step()
    assert scheduler.optimizer.param_groups[0]["weight_decay"] == DECAY[4]
    scheduler.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    assert scheduler.get_last_lr() == [0.25, 0.5]


# Some wrappers do not call the constructor of torch's optimizer, so they have no hooks.
def test_an_optimizer_without_hooks_can_be_scheduled() -> None:
    class Wrapper(torch.optim.Optimizer):
        def __init__(self, optimizer: torch.optim.Optimizer) -> None:
            self.param_groups, self.defaults = optimizer.param_groups, optimizer.defaults
            self.inner = optimizer

        def step(self, closure=None):
            return self.inner.step()

    optimizer = Wrapper(sgd())
    assert used(optimizer, lambda_lr(optimizer, UP), "lr", 3) == [0.0, 0.0625, 0.125]


def test_an_added_group_without_a_scheduled_hyperparameter_is_rejected() -> None:
    optimizer = sgd()
    optimizer.param_groups[0]["temperature"] = 1.0
    scheduler = lambda_lr(optimizer, UP, hyperparameters={"temperature": DOWN})
    with pytest.raises(ValueError, match=r"`hyperparameters key` must be a key of parameter group 1"):
        optimizer.add_param_group({"params": [parameter()]})
    assert len(optimizer.param_groups) == 1 == len(scheduler.get_last_lr())


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("momentum", "the momentum of Adam is the first of its `betas`: give {'betas': (schedule, None)}"),
        ("weight_deacy", "did you mean 'weight_decay'?"),
    ],
)
def test_an_unknown_hyperparameter_gets_a_near_one(key: str, fix: str) -> None:
    optimizer = torch.optim.AdamW([parameter()])
    with pytest.raises(ValueError, match=rf"must be a key of parameter group 0 \(.*; {re.escape(fix)}$"):
        lambda_lr(optimizer, UP, hyperparameters={key: DOWN})


def test_the_scheduler_keeps_neither_the_optimizer_nor_itself_alive() -> None:
    sgd()  # torch keeps the first optimizer of a process
    gc.disable()
    try:
        optimizer = sgd()
        scheduler = lambda_lr(optimizer, UP)
        optimizer_ref, scheduler_ref = weakref.ref(optimizer), weakref.ref(scheduler)
        del scheduler
        assert scheduler_ref() is None
        optimizer.add_param_group({"params": [parameter()]})
        assert optimizer.param_groups[1]["lr"] == 0.5
        del optimizer
        assert optimizer_ref() is None
    finally:
        gc.enable()


# Rejected arguments.

REJECTED = [
    (
        {"speed": UP},
        "hyperparameters key",
        "a key of parameter group 0 (dampening, differentiable, foreach, fused, lr,",
    ),
    ({"lr": UP}, "hyperparameters key", "a key of the parameter groups other than 'lr', got 'lr'"),
    ({"params": UP}, "hyperparameters key", "a key of the parameter groups other than 'lr', got 'params'"),
    ({"nesterov": UP}, "param_groups[0]['nesterov']", "a number, to follow a schedule, got False"),
    ({"momentum": 3}, "hyperparameters['momentum']", "a schedule or a function of a step, got 3"),
    (
        {"momentum": [UP, UP]},
        "hyperparameters['momentum']",
        "one schedule, or a list of one for each of the 1 parameter groups, got [ramp(",
    ),
    ({"momentum": (UP, UP)}, "hyperparameters['momentum']", "one schedule: group 0 has 0.5, got (ramp("),
    ([UP], "hyperparameters", "a mapping from keys to schedules, got [ramp("),
]


@pytest.mark.parametrize(("given", "argument", "requirement"), REJECTED, ids=[repr(given) for given, *_ in REJECTED])
def test_a_key_that_cannot_be_scheduled_is_rejected_and_nothing_changes(given, argument: str, requirement: str) -> None:
    optimizer = sgd()
    before = group_settings(optimizer)
    with pytest.raises((TypeError, ValueError)) as caught:
        lambda_lr(optimizer, UP, hyperparameters=given)
    assert str(caught.value).startswith(f"lambda_lr: `{argument}` must be {requirement}")
    assert group_settings(optimizer) == before


@pytest.mark.parametrize("betas", [UP, (UP,), (UP, UP, UP)])
def test_betas_require_a_tuple_of_two(betas) -> None:
    with pytest.raises(ValueError, match=r"^lambda_lr: `hyperparameters\['betas'\]` must be a tuple of 2 schedules"):
        lambda_lr(adamw(), UP, hyperparameters={"betas": betas})


def test_an_unknown_value_of_on_mismatch_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"^lambda_lr: `on_mismatch` must be one of 'raise', 'warn', got 'ignore'$"):
        lambda_lr(sgd(), UP, on_mismatch="ignore")


def test_the_example_uses_the_values_of_its_formulas() -> None:
    used = torch_hyperparameters.main()
    assert len(used) == 150 and [row["step"] for row in used[48:54]] == [48, 49, 50, 50, 51, 51]
    for row in used:
        step = row["step"]
        up, down = (1 - math.cos(math.pi * step / 30)) / 2, (1 + math.cos(math.pi * (step - 30) / 70)) / 2
        multiplier = 0.04 + 0.96 * up if step < 30 else 4e-6 + (1 - 4e-6) * down
        assert row["lr"] in (pytest.approx(0.01 * multiplier, rel=1e-13), pytest.approx(0.001 * multiplier, rel=1e-13))
        assert row["weight_decay"] == pytest.approx(0.1 * multiplier, rel=1e-13)
        assert row["beta"] == pytest.approx(0.95 - 0.1 * multiplier, rel=1e-13)
