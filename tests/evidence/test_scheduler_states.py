"""`identify_scheduler` on torch schedulers, and on the states that they save."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim import lr_scheduler as schedulers
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.torch import identify_scheduler, lambda_lr
from bridges.torch.saved import _ENTRIES, _OPTIONAL
from funcsched.cli.main import main
from funcsched.evidence.identify import Identified
from funcsched.evidence.logs import read_log

BUILDS: dict[str, Callable[[Optimizer], LRScheduler]] = {
    "step_decay": lambda o: schedulers.StepLR(o, 30, gamma=0.5),
    "multistep": lambda o: schedulers.MultiStepLR(o, [20, 60]),
    "piecewise_constant": lambda o: schedulers.ConstantLR(o, 0.25, total_iters=20),
    "warmup_linear": lambda o: schedulers.LinearLR(o, 1.0, 0.1, total_iters=90),
    "exponential_decay": lambda o: schedulers.ExponentialLR(o, 0.97),
    "warmup_polynomial": lambda o: schedulers.PolynomialLR(o, total_iters=90, power=2.0),
    "warmup_cosine": lambda o: schedulers.CosineAnnealingLR(o, 100, eta_min=0.005),
    "cosine_restarts": lambda o: schedulers.CosineAnnealingWarmRestarts(o, 20, T_mult=2),
    "cyclic": lambda o: schedulers.CyclicLR(o, 0.05, 0.5, step_size_up=20, cycle_momentum=False),
    "one_cycle": lambda o: schedulers.OneCycleLR(o, 0.5, total_steps=101, pct_start=31 / 101, cycle_momentum=False),
    "warmup_cosine after LinearLR": lambda o: schedulers.SequentialLR(
        o, [schedulers.LinearLR(o, 0.1, total_iters=20), schedulers.CosineAnnealingLR(o, 80)], [20]
    ),
    "product": lambda o: schedulers.ChainedScheduler(
        [schedulers.LinearLR(o, 0.1, total_iters=20), schedulers.ExponentialLR(o, 0.97)]
    ),
    "warmup_linear of lambda_lr": lambda o: lambda_lr(o, fs.warmup_linear(20, 100)),
}


def run(scheduler: LRScheduler, steps: int) -> list[float]:
    """The learning rates of a run, from the current step on."""
    rates = []
    for _ in range(steps):
        rates.append(float(scheduler.get_last_lr()[0]))
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def new(name: str) -> LRScheduler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BUILDS[name](SGD([torch.zeros(1)], lr=0.5))


def found(scheduler: Any, **options: Any) -> Identified:
    result = identify_scheduler(scheduler, **options)
    assert result is not None
    return result


@pytest.mark.filterwarnings("ignore:To get the last learning rate")
@pytest.mark.parametrize("name", BUILDS)
def test_live_and_saved(name: str, tmp_path: Path) -> None:
    scheduler = new(name)
    before = run(scheduler, 37)
    optimizer = scheduler.optimizer.state_dict()
    saved = tmp_path / "checkpoint.pt"
    torch.save({"model": {}, "optimizer": optimizer, "epoch": 3, "scheduler": scheduler.state_dict()}, saved)
    live, loaded = found(scheduler), found(saved)
    rates = [*before, *run(scheduler, 60)]
    assert live.schedule == loaded.schedule and live.peak_value == loaded.peak_value
    assert live.schedule.factory == name.partition(" ")[0]
    assert (loaded.certain, loaded.explained, loaded.departure) == (name != "cyclic", 1, None)
    assert [loaded.peak_value * loaded.schedule(step) for step in range(97)] == pytest.approx(
        rates, rel=1e-9, abs=1e-12
    )


def test_file_of_transformers_names_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import get_cosine_schedule_with_warmup

    scheduler = get_cosine_schedule_with_warmup(SGD([torch.zeros(1)], lr=0.5), 20, 100)
    run(scheduler, 37)
    live = found(scheduler)
    assert (live.expression, live.explained) == ("0.5 * warmup_cosine(warmup_steps=20, total_steps=100)", 1)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    message = r"LambdaLR .*at step 37 with the rates \[0\.4.*whose function torch does not save; identify a log"
    with pytest.raises(ValueError, match=message):
        identify_scheduler(tmp_path / "scheduler.pt")
    assert main(["identify", str(tmp_path / "scheduler.pt")]) == 2
    assert "trainer_state.json" in capsys.readouterr().err


def test_a_function_of_the_user() -> None:
    scheduler = schedulers.LambdaLR(SGD([torch.zeros(1)], lr=0.5), lambda step: min(step / 20, 1.0, (100 - step) / 80))
    with pytest.raises(ValueError, match="`steps` must be the number of steps to inspect"):
        identify_scheduler(scheduler)
    assert found(scheduler, steps=100).expression == "0.5 * warmup_linear(warmup_steps=20, total_steps=100)"


def test_every_step_of_a_function_is_inspected() -> None:
    scheduler = schedulers.LambdaLR(SGD([torch.zeros(1)], lr=0.5), lambda step: 0.1 if step == 37 else 1.0)
    assert identify_scheduler(scheduler, steps=2000) is None
    assert found(scheduler, steps=37).expression == "0.5 * constant()"
    run(scheduler, 10)
    scheduler.optimizer.param_groups[0]["lr"] = 0.77
    result = found(scheduler, steps=30)
    assert (result.certain, result.points, result.explained, result.departure) == (False, 31, 30, 10)
    assert result.reason.startswith("its rate at step 10 is 0.77 instead of 0.5")


def test_entries_of_torch() -> None:
    found_entries = {type(s): set(s.state_dict()) - _OPTIONAL for s in map(new, BUILDS) if type(s) in _ENTRIES}
    assert found_entries == _ENTRIES


STEP = {"step_size": 30, "gamma": 0.5, "base_lrs": [0.5], "last_epoch": 3, "_last_lr": [0.5]}


@pytest.mark.parametrize(
    "entries",
    [
        {"milestones": {1000: 1}, "gamma": 0.1, "warmup": 5},
        {"total_iters": 100, "power": 1.0, "min_lr": 0.0},
        {"gamma": 0.5, "warmup": 5},
        {"T_max": 100, "eta_min": 0.0, "T_mult": 1},
    ],
)
def test_state_of_another_class(entries: dict[str, Any]) -> None:
    state = {"base_lrs": [0.5], "last_epoch": 3, "_last_lr": [0.5], "verbose": False, **entries}
    with pytest.raises(ValueError, match=r"not that of a class of torch; its keys are base_lrs, .*; identify a log"):
        identify_scheduler(state)
    with pytest.raises(ValueError, match="not that of a class of torch"):
        identify_scheduler({name: value for name, value in STEP.items() if name != "base_lrs"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_epoch", float("inf")),
        ("last_epoch", float("nan")),
        ("last_epoch", "x"),
        ("last_epoch", None),
        ("last_epoch", 2.5),
        ("last_epoch", 10**400),
        ("_last_lr", ["x"]),
        ("_last_lr", []),
        ("base_lrs", ["x"]),
        ("base_lrs", [float("nan")]),
        ("base_lrs", [0.5, 0.5]),
        ("gamma", float("inf")),
    ],
)
def test_malformed_entries_are_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"`(state|scheduler)\.{name}|as `{name}`"):
        identify_scheduler({**STEP, name: value})


def test_controller() -> None:
    scheduler = lambda_lr(SGD([torch.zeros(1)], lr=0.5), fs.warmup_cosine(10, 100), controller=fs.plateau(patience=0))
    for _ in range(3):  # the first value is an improvement, and the others are not
        scheduler.optimizer.step()
        scheduler.step(metric=1.0)
    reason = "its rate at step 3 is 0.0015 instead of 0.15: the controller plateau(patience=0) multiplies the rate by"
    for result in (found(scheduler), found(scheduler.state_dict())):
        assert result.expression == "0.5 * warmup_cosine(warmup_steps=10, total_steps=100)"
        assert (result.certain, result.explained, result.departure) == (False, 0, 3)
        assert result.reason == f"{reason} 0.01"


def test_controller_that_has_not_changed_the_rate() -> None:
    scheduler = lambda_lr(SGD([torch.zeros(1)], lr=0.5), fs.constant(), controller=fs.plateau())
    result = found(scheduler.state_dict())
    assert (result.certain, result.explained, result.departure) == (False, 1, None)
    assert result.reason == "the controller plateau() multiplies the rate by 1"


def test_state_that_follows_a_metric() -> None:
    from transformers.optimization import GreedyLR

    optimizer = SGD([torch.zeros(1)], lr=0.5)
    for scheduler in (schedulers.ReduceLROnPlateau(optimizer), GreedyLR(optimizer)):
        with pytest.raises(ValueError, match="a scheduler that follows a metric, such as ReduceLROnPlateau, is not a"):
            identify_scheduler({"scheduler": scheduler.state_dict()})


def test_optimizer_of_each_one_cycle() -> None:
    first, second = (SGD([torch.zeros(1)], lr=0.5) for _ in range(2))
    peaks = {0: 1.0, 1: 0.01}
    ones = [
        schedulers.OneCycleLR(first, peaks[0], 101, pct_start=31 / 101),
        schedulers.OneCycleLR(second, peaks[1], 51, pct_start=16 / 51),
    ]
    checkpoint = {
        "optimizer_states": [first.state_dict(), second.state_dict()],
        "lr_schedulers": [scheduler.state_dict() for scheduler in ones],
    }
    for i, lengths in enumerate(("warmup_steps=30, total_steps=100", "warmup_steps=15, total_steps=50")):
        result = found(checkpoint, key=f"lr_schedulers[{i}]")
        assert (result.expression, result.explained) == (f"{peaks[i]} * one_cycle({lengths})", 1)
    # 2 * 0.01 / 50 equals 0.01 / 25, so both optimizers start at the same rate.
    third = SGD([torch.zeros(1)], lr=0.5)
    schedulers.OneCycleLR(third, 0.02, 100, div_factor=50)
    checkpoint["optimizer_states"].append(third.state_dict())
    with pytest.raises(ValueError, match="here 2 optimizers have its base rates; pass a dict with both"):
        identify_scheduler(checkpoint, key="lr_schedulers[1]")
    with pytest.raises(ValueError, match="here no optimizers have its base rates"):
        identify_scheduler({"optimizer": first.state_dict(), "scheduler": ones[1].state_dict()})


def test_optimizers_with_different_numbers_of_groups() -> None:
    first = SGD([torch.zeros(1)], lr=0.5)
    second = SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.25}], lr=0.5)
    states = [schedulers.StepLR(optimizer, 7).state_dict() for optimizer in (first, second)]
    checkpoint = {"optimizer_states": [first.state_dict(), second.state_dict()], "lr_schedulers": states}
    assert found(checkpoint, key="lr_schedulers[1]", group=1).expression == "0.25 * step_decay(period=7)"


@pytest.mark.parametrize("rate", [0.3, 0.1 * 3, 1 / 3, 1e-3 / 7, torch.tensor(0.1)])
def test_name_does_not_depend_on_the_rate(rate: Any) -> None:
    optimizer = SGD([torch.zeros(1)], lr=rate)
    parts = [schedulers.LinearLR(optimizer, 0.1, total_iters=20), schedulers.CosineAnnealingLR(optimizer, 80)]
    state = schedulers.SequentialLR(optimizer, parts, [20]).state_dict()
    assert found(state).schedule == fs.warmup_cosine(20, 100, start=0.1)


def test_cyclic_with_a_function() -> None:
    options: list[dict[str, Any]] = [
        {"scale_fn": lambda cycle: 1 / (cycle + 1)},
        {"scale_fn": lambda step: 0.5, "scale_mode": "iterations"},
    ]
    states = []
    for option in options:
        optimizer = SGD([torch.zeros(1)], lr=0.5)
        cyclic = schedulers.CyclicLR(optimizer, 0.1, 0.5, step_size_up=10, cycle_momentum=False, **option)
        run(cyclic, 45)
        states.append(cyclic.state_dict())
    result = found(states[0])
    assert (result.certain, result.departure) == (False, 45)
    assert result.reason.endswith("torch does not save whether a CyclicLR has a `scale_fn`")
    with pytest.raises(ValueError, match="a CyclicLR with a `scale_fn`, which torch does not save; identify a log"):
        identify_scheduler(states[1])


def test_arguments_without_effect_and_lists() -> None:
    scheduler = new("step_decay")
    state = scheduler.state_dict()
    with pytest.raises(ValueError, match="`key` must be None for a live scheduler, got 'foo'"):
        identify_scheduler(scheduler, key="foo")
    with pytest.raises(ValueError, match="`steps` must be None for a saved state"):
        identify_scheduler(state, steps=100)
    with pytest.raises(ValueError, match=r"`key` must be the key of a scheduler: '\[1\]', got \['s'\]"):
        identify_scheduler([{"epoch": 3}, state], key=["s"])  # type: ignore[arg-type]
    for checkpoint in ([{"epoch": 3}, state], ({"epoch": 3}, state)):
        assert found(checkpoint).schedule == fs.step_decay(30, 0.5)
    with pytest.raises(ValueError, match="no state of a torch scheduler in a list"):
        identify_scheduler([1, 2])


def test_lambda_lr_in_a_sequence() -> None:
    optimizer = SGD([torch.zeros(1)], lr=0.5)
    parts = [schedulers.LinearLR(optimizer, 0.5, total_iters=20), lambda_lr(optimizer, fs.warmup_linear(0, 80))]
    scheduler = schedulers.SequentialLR(optimizer, parts, [20])
    run(scheduler, 37)
    assert found(scheduler.state_dict()).schedule == found(scheduler).schedule == fs.warmup_linear(20, 100, start=0.5)


def test_a_rate_that_other_code_changed() -> None:
    scheduler = new("step_decay")
    run(scheduler, 10)
    state = {**scheduler.state_dict(), "_last_lr": [0.125]}
    result = found(state)
    assert (result.schedule, result.explained, result.departure) == (fs.step_decay(30, 0.5), 0, 10)
    assert result.reason.startswith("its rate at step 10 is 0.125 instead of 0.5: other code or its own class changed")
    assert not result.certain


def test_lightning_checkpoint_and_groups() -> None:
    states = [new("step_decay").state_dict(), new("multistep").state_dict()]
    checkpoint = {"lr_schedulers": states, "optimizer_states": [], "loops": {"fit_loop": {}}}
    with pytest.raises(ValueError, match=r"several schedulers; choose one by `key`: lr_schedulers\[0\], lr_schedulers"):
        identify_scheduler(checkpoint)
    assert found(checkpoint, key="lr_schedulers[1]").schedule == fs.multistep([20, 60])
    optimizer = SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in (0.5, 0.25)])
    assert found(schedulers.StepLR(optimizer, 7), group=1).expression == "0.25 * step_decay(period=7)"
    with pytest.raises(ValueError, match="`group` must be below the number of parameter groups"):
        identify_scheduler(schedulers.StepLR(optimizer, 7), group=2)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "scheduler.pth"
    torch.save(new("warmup_cosine").state_dict(), path)
    assert main(["identify", str(path)]) == 0
    output = capsys.readouterr().out
    assert output.startswith("0.5 * warmup_cosine(warmup_steps=0, total_steps=100, end=0.01)\n")
    assert "explains 1 of 1 points of the scheduler in scheduler.pth" in output
    with pytest.raises(ValueError, match=r"scheduler.pth is a file of torch.save: use bridges.torch.identify_sched"):
        read_log(path)


class Unsafe:
    """An object that a file must not create."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {}, "step": 3}, r"no state of a torch scheduler in a dict, whose keys are \['model', 'step'\]"),
        (torch.zeros(3), "no state of a torch scheduler in a Tensor"),
        ({"scheduler": Unsafe()}, "contains objects that are not safe to load"),
        (new("one_cycle").state_dict(), "the state of a OneCycleLR does not contain `max_lr`"),
        ({"_last_lr": [0.1], "last_epoch": 3, "speed": 2}, "not that of a class of torch; its keys are _last_lr, last"),
        ({"_last_lr": [0.1], "last_epoch": 3, "T_max": 5, "eta_min": 0.0}, "not that of a class of torch"),
        ({"_last_lr": [0.1], "_schedulers": []}, "incomplete or malformed"),
        ({"_last_lr": [0.1], "step_size": "x", "gamma": 0.1, "base_lrs": [0.1], "last_epoch": 3}, "step_size"),
        ({"_last_lr": [0.1], "schedules": "x", "last_epoch": 3}, "incomplete or malformed"),
    ],
)
def test_files_without_a_schedule(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "file.pt")
    with pytest.raises((TypeError, ValueError), match=message):
        identify_scheduler(tmp_path / "file.pt")


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04" + b"x" * 50, b"\x80\x02}q\0", b"\x80\x02" + b"x" * 100, pickle.dumps({"a": 1}), b"step,lr\n", b""],
)
def test_files_that_are_not_of_torch(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file.pt is not a file of torch.save, or is corrupt"):
        identify_scheduler(path)


@pytest.mark.filterwarnings("error")
def test_torchscript_file(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(torch.nn.Identity()).save(tmp_path / "jit.pt")
    with pytest.raises(ValueError, match=r"jit.pt is not a file of torch.save, or is corrupt"):
        identify_scheduler(tmp_path / "jit.pt")


def test_file_of_an_older_torch(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save(new("step_decay").state_dict(), path, _use_new_zipfile_serialization=False)
    assert found(path).schedule == fs.step_decay(30, 0.5)
    torch.save({"scheduler": Unsafe()}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="contains objects that are not safe to load"):
        identify_scheduler(path)
