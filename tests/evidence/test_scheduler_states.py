"""`identify_scheduler` on torch schedulers, and on the states that they save."""

from __future__ import annotations

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
    assert (loaded.certain, loaded.explained, loaded.departure) == (True, 1, None)
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


def test_a_rate_that_other_code_changed() -> None:
    scheduler = new("step_decay")
    run(scheduler, 10)
    state = {**scheduler.state_dict(), "_last_lr": [0.125]}
    result = found(state)
    assert (result.schedule, result.explained, result.departure) == (fs.step_decay(30, 0.5), 0, 10)
    assert result.reason.startswith("its rate at step 10 is 0.125 instead of 0.5: other code changed it")


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
        ({"model": {}, "step": 3}, "no state of a torch scheduler among the keys 'model', 'step'"),
        (torch.zeros(3), "contains no state of a scheduler, but a Tensor"),
        ({"scheduler": Unsafe()}, "contains objects that are not safe to load"),
        (new("one_cycle").state_dict(), "the state of a OneCycleLR does not contain `max_lr`"),
        ({"_last_lr": [0.1], "last_epoch": 3, "speed": 2}, "not that of a class of torch; its keys are _last_lr, last"),
        ({"_last_lr": [0.1], "last_epoch": 3, "T_max": 5, "eta_min": 0.0}, "`group` must be below"),
        ({"_last_lr": [0.1], "step_size": 3, "gamma": 0.1, "base_lrs": [0.1]}, "incomplete or malformed"),
        ({"_last_lr": [0.1], "step_size": "x", "gamma": 0.1, "base_lrs": [0.1], "last_epoch": 3}, "step_size"),
        ({"_last_lr": [0.1], "schedules": "x", "last_epoch": 3}, "incomplete or malformed"),
    ],
)
def test_files_without_a_schedule(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "file.pt")
    with pytest.raises((TypeError, ValueError), match=message):
        identify_scheduler(tmp_path / "file.pt")


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 50, b"\x80\x02}q\0", b"step,lr\n", b""])
def test_files_that_are_not_of_torch(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file.pt (is not a file of torch.save|is empty|contains no state)"):
        identify_scheduler(path)
