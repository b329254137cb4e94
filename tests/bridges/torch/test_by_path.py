"""`Scheduler` as configurations build it, compared with `lambda_lr`."""

import ast
import gc
import importlib
import pickle
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import Scheduler, lambda_lr
from tests.errors import raises

TEXT = "warmup_cosine(total // 10, total, end=0.1)"
NUMBERS = {"total": 40}
SCHEDULE = fs.warmup_cosine(4, 40, end=0.1)
PLAN = fs.Plan({"lr": (SCHEDULE, 0.25), "weight_decay": (fs.ramp(1, 0.5, steps=8), 0.25)}, run={"updates": 40})
PLAN_DATA = {"format": 1, "plan": {"curves": {"lr": {"schedule": TEXT, "peak_value": 0.25}}, "run": {"updates": 40}}}


def adamw() -> torch.optim.AdamW:
    groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.125}]
    return torch.optim.AdamW(groups, lr=0.5, weight_decay=0.1)


def values(scheduler: LRScheduler, updates: int = 9) -> list[Any]:
    optimizer, found = scheduler.optimizer, []
    for _ in range(updates):
        found.append([(group["lr"], group["betas"], group["weight_decay"]) for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    "schedule",
    [TEXT, fs.to_dict(SCHEDULE), SCHEDULE, lambda step: SCHEDULE(step)],
    ids=["text", "data", "value", "function"],
)
def test_the_forms_of_a_schedule(schedule: Any) -> None:
    scheduler = Scheduler(adamw(), schedule, NUMBERS)
    assert isinstance(scheduler, LRScheduler)
    assert values(scheduler) == values(lambda_lr(adamw(), SCHEDULE))


@pytest.mark.parametrize("plan", [PLAN, PLAN.to_dict(), PLAN_DATA], ids=["value", "data", "data with text"])
def test_the_forms_of_a_plan(plan: Any) -> None:
    def sgd() -> torch.optim.SGD:
        return torch.optim.SGD([torch.zeros(1)], lr=1.0)

    scheduler = Scheduler(sgd(), plan, NUMBERS, step=5)
    assert scheduler.get_last_lr() == lambda_lr(sgd(), PLAN, step=5).get_last_lr() == [0.25 * SCHEDULE(5)]


def test_hyperparameters_and_the_other_arguments() -> None:
    curve = fs.ramp(1, 0.5, steps=40)
    scheduler = Scheduler(
        adamw(),
        TEXT,
        NUMBERS,
        hyperparameters={"betas": [None, "ramp(1, 0.5, steps=total)"], "weight_decay": fs.to_dict(curve)},
        step=3,
        base_values={"lr": 0.25},
        on_mismatch="warn",
        on_external_change="keep",
    )
    hyperparameters = {"betas": (None, curve), "weight_decay": curve}
    expected = lambda_lr(
        adamw(), SCHEDULE, hyperparameters=hyperparameters, step=3, base_values={"lr": 0.25}, on_external_change="keep"
    )
    scheduler.optimizer.param_groups[0]["lr"] *= 0.5
    expected.optimizer.param_groups[0]["lr"] *= 0.5
    assert values(scheduler) == values(expected)
    assert scheduler.state_dict() == expected.state_dict()
    with pytest.warns(UserWarning, match="different schedule"):
        scheduler.load_state_dict(lambda_lr(adamw(), fs.constant(), hyperparameters=hyperparameters).state_dict())


def test_a_list_of_schedules_and_a_peak_value() -> None:
    decay = Rated(fs.ramp(1, 0.5, steps=8), 0.25)
    scheduler = Scheduler(adamw(), [TEXT, "constant()"], NUMBERS, hyperparameters={"weight_decay": decay})
    expected = lambda_lr(adamw(), [SCHEDULE, fs.constant()], hyperparameters={"weight_decay": decay})
    assert values(scheduler) == values(expected)


def test_a_list_of_schedules_of_a_hyperparameter_has_one_for_each_group_or_for_each_value() -> None:
    halves = fs.constant(0.5)
    per_group = Scheduler(adamw(), TEXT, NUMBERS, hyperparameters={"weight_decay": ["constant(0.5)", None]})
    assert values(per_group) == values(lambda_lr(adamw(), SCHEDULE, hyperparameters={"weight_decay": [halves, None]}))
    for entries in ([None, "constant(0.5)"], [[None, "constant(0.5)"]] * 2):
        scheduler = Scheduler(adamw(), TEXT, NUMBERS, hyperparameters={"betas": entries})
        assert [group["betas"] for group in scheduler.optimizer.param_groups] == [(0.9, 0.4995)] * 2
    requirement = "one schedule, or a list of one for each of the 2 parameter groups"
    with raises("lambda_lr", "hyperparameters['weight_decay']", requirement, [halves]):
        Scheduler(adamw(), TEXT, NUMBERS, hyperparameters={"weight_decay": ["constant(0.5)"]})


def test_the_optimizer_notifies_the_scheduler_once() -> None:
    gc.disable()
    try:
        scheduler = Scheduler(adamw(), TEXT, NUMBERS, step=4)
        scheduler.optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 1.0})
    finally:
        gc.enable()
    assert scheduler.get_last_lr() == scheduler.base_lrs == [0.5, 0.125, 1.0]
    assert pickle.loads(pickle.dumps(scheduler)).get_last_lr() == [0.5, 0.125, 1.0]


def test_hydra() -> None:
    hydra, omegaconf = pytest.importorskip("hydra.utils"), pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create(
        """
        total: 40
        scheduler:
          _target_: bridges.torch.Scheduler
          schedule: warmup_cosine(total // 10, total, end=0.1)
          numbers: {total: "${total}"}
          hyperparameters:
            betas: [null, "ramp(1, 0.5, steps=total)"]
            weight_decay: {format: 1, schedule: {constant: {value: 0.5}}}
        """
    )
    scheduler = hydra.instantiate(config.scheduler, optimizer=adamw())
    hyperparameters = {"betas": (None, fs.ramp(1, 0.5, steps=40)), "weight_decay": fs.constant(0.5)}
    assert type(scheduler) is Scheduler
    assert values(scheduler) == values(lambda_lr(adamw(), SCHEDULE, hyperparameters=hyperparameters))


def test_jsonargparse_with_arguments_from_the_command_line() -> None:
    parser = pytest.importorskip("jsonargparse").ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(LRScheduler, "scheduler", skip={"optimizer"})
    arguments = ["--scheduler=bridges.torch.Scheduler", f"--scheduler.schedule={TEXT}", "--scheduler.numbers.total=40"]
    arguments.append('--scheduler.hyperparameters={"betas": [null, "constant(0.5)"]}')
    parsed = parser.parse_args(arguments).scheduler.init_args.as_dict()
    assert (parsed["schedule"], parsed["numbers"]) == (TEXT, NUMBERS)
    assert type(parsed["numbers"]["total"]) is int
    assert Scheduler(adamw(), **parsed).get_last_lr() == [0.0, 0.0]
    with pytest.raises(Exception, match="hyperparameter"):
        parser.parse_args([*arguments, "--scheduler.hyperparameter=1"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["schedule='warmup_linear(total // 10, total)'", "numbers={'total': 40}"],
        ["schedule={'format': 1, 'schedule': {'warmup_linear': {'warmup_steps': 4, 'total_steps': 40}}}"],
    ],
    ids=["text", "data"],
)
def test_sd_scripts(arguments: list[str]) -> None:
    """sd-scripts imports the module of `lr_scheduler_type`, and splits each of `lr_scheduler_args` at its only "="."""
    module, _, name = "bridges.torch.Scheduler".rpartition(".")
    keywords = {key: ast.literal_eval(value) for key, value in (argument.split("=") for argument in arguments)}
    scheduler = getattr(importlib.import_module(module), name)(adamw(), **keywords)
    assert values(scheduler) == values(lambda_lr(adamw(), fs.warmup_linear(4, 40)))


def test_mmengine() -> None:
    """The runner of mmengine passes a wrapped optimizer and the end of the run, and reads `by_epoch`."""

    class OptimWrapper:
        optimizer = adamw()

    scheduler = Scheduler(optimizer=OptimWrapper(), schedule=TEXT, numbers=NUMBERS, end=40)  # type: ignore[arg-type]
    assert not scheduler.by_epoch
    assert values(scheduler) == values(lambda_lr(adamw(), SCHEDULE))


def test_errors() -> None:
    with pytest.raises(fs.ParseError, match="unknown name 'total'"):
        Scheduler(adamw(), TEXT)
    with pytest.raises(ValueError, match="has no argument 'total_step'; did you mean 'total_steps'"):
        Scheduler(adamw(), {"format": 1, "schedule": {"warmup_linear": {"total_step": 1}}})
    for name in ("numbers", "hyperparameters"):
        with raises("Scheduler", name, "a mapping with strings as keys, or None", [1], TypeError):
            Scheduler(adamw(), TEXT, **{name: [1]})
    other = "hf:linear(num_warmup_steps=1, num_training_steps=9)"
    with pytest.raises(ValueError, match=r"`schedule` must be an expression of funcsched, got 'hf:.*from_expression"):
        Scheduler(adamw(), other)
    with raises("lambda_lr", "optimizer", "a torch optimizer", None, TypeError):
        Scheduler(None, "constant()")  # type: ignore[arg-type]


def test_base_values_of_omegaconf_may_be_lists() -> None:
    OmegaConf = pytest.importorskip("omegaconf").OmegaConf
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    values = OmegaConf.create({"lr": [0.25]})
    assert Scheduler(optimizer, "constant()", base_values=values).get_last_lr() == [0.25]
