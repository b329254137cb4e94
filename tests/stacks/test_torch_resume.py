"""Resumed torch runs use the rates of an uninterrupted run, and a checkpoint of other schedules is rejected."""

import copy
import json
import math
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import lambda_lr, to_lr_lambda
from examples.stacks import torch_resume
from tests.bridges.torch.runs import group_settings
from tests.stacks.kill import ADDED, RUNS, UPDATES, verify
from tests.stacks.processes import run_python

KILLS = 200
LINEAR = fs.warmup_linear(10, 100)


def half(step):
    return 0.5


def sgd(*base: float) -> torch.optim.SGD:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in base or (0.5,)])


def run_to(step: int, schedule, *base: float):
    optimizer = sgd(*base)
    scheduler = lambda_lr(optimizer, schedule)
    for _ in range(step):
        optimizer.step()
        scheduler.step()
    return scheduler


# A run that is killed hundreds of times.


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], dict]]:
    """The hyperparameters of all updates and the last checkpoint of runs without interruption."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    runs = {name: [text for _, text in train(folder / f"{name}.pt", UPDATES)] for name, train in RUNS.items()}
    return {name: (texts, torch.load(folder / f"{name}.pt")) for name, texts in runs.items()}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, list[tuple[int, str]]]]:
    """The folder of runs whose processes were killed, and the updates of each run in order. The runs take turns."""
    folder = tmp_path_factory.mktemp("killed")
    # The program compares all hyperparameters and the final weights with those of runs without interruption.
    done = run_python("-m", "tests.stacks.kill", folder, KILLS)
    assert int(done.stdout.split()[0]) >= KILLS
    updates: dict[int, list[tuple[int, str]]] = {}
    for line in (folder / "used").read_text().splitlines():
        run, step, text = line.split()
        updates.setdefault(int(run), []).append((int(step), text))
    return folder, updates


@pytest.mark.processes
def test_killed_runs_use_the_hyperparameters_and_end_with_the_weights_of_the_uninterrupted_run(killed) -> None:
    folder, updates = killed
    finished = {run % len(RUNS) for run in updates if run < max(updates)}
    assert finished == set(range(len(RUNS)))  # each kind of run
    # Control: the program detects different hyperparameters, and different weights.
    text = (folder / "used").read_text()
    (folder / "used").write_text(text.replace("0x1.", "0x2.", 1))
    with pytest.raises(SystemExit, match="run 0 used other hyperparameters at step"):
        verify(folder, 1, list(RUNS))
    (folder / "used").write_text(text)
    shutil.copy(folder / "warmup example.pt", folder / "0.pt")
    with pytest.raises(SystemExit, match="run 0 ended with other weights"):
        verify(folder, 1, list(RUNS))


@pytest.mark.processes
def test_no_update_is_skipped_and_only_unsaved_updates_are_repeated(killed) -> None:
    ended = [steps for steps in ([step for step, _ in run] for run in killed[1].values()) if steps[-1] == UPDATES - 1]
    assert len(ended) >= 10
    for steps in ended:
        assert steps[0] == 0
        assert all(after - before in (0, 1) for before, after in pairwise(steps))


@pytest.mark.processes
def test_some_kills_are_between_an_update_and_its_checkpoint(killed) -> None:
    assert any(len(run) > len(set(run)) for run in killed[1].values())


# Control: the run with all settings has the late group, and changes that were kept.
def test_the_uninterrupted_run_has_a_late_group_and_kept_factors(uninterrupted) -> None:
    texts, last = uninterrupted["everything"]
    counts = [text.count(",") + 1 for text in texts]
    assert counts == [8] * ADDED + [12] * (UPDATES - ADDED)
    factors = last["scheduler"]["factors"]
    assert all(factor == pytest.approx(0.7 ** round(math.log(factor, 0.7)), rel=1e-14) for factor in factors)
    assert factors[0] <= 0.5 and len(factors) == 3 and factors[2] < 1


def test_the_uninterrupted_run_uses_the_rates_of_the_formula(uninterrupted) -> None:
    for step, rate in enumerate(map(float.fromhex, uninterrupted["example"][0])):
        wave = 0.1 + 0.9 * (1 + math.cos(math.pi * (step - 20) / 180)) / 2
        assert rate == pytest.approx(0.01 * (step / 20 if step < 20 else wave), rel=1e-14)


def test_the_example_runs_and_resumes(tmp_path: Path) -> None:
    first = torch_resume.main(tmp_path / "run.pt", 5)
    assert [step for step, _ in first + torch_resume.main(tmp_path / "run.pt", 12)] == list(range(12))


# The state.


def test_the_state_is_plain_data_and_describes_the_schedules() -> None:
    state = run_to(3, [LINEAR, fs.constant(0.5)], 0.5, 0.25).state_dict()
    assert json.loads(json.dumps(state)) == state
    first, second = json.loads(state["schedules"])["lr"]
    assert first["schedule"] == {"warmup_linear": {"warmup_steps": 10, "total_steps": 100, "start": 0.0, "end": 0.0}}
    assert second["schedule"] == {"constant": {"value": 0.5}}


@pytest.mark.parametrize("schedule", [LINEAR, half, fs.table([0.5, 1.0])])
def test_torch_load_reads_the_state_with_weights_only(schedule, tmp_path: Path) -> None:
    scheduler = run_to(3, schedule)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    loaded = torch.load(tmp_path / "scheduler.pt", weights_only=True)
    assert loaded == scheduler.state_dict()
    other = lambda_lr(sgd(), schedule)
    other.load_state_dict(loaded)
    assert other.last_epoch == 3 and other.get_last_lr() == scheduler.get_last_lr()


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled, unavailable or uninitialized")  # a single process
def test_a_distributed_checkpoint_holds_the_state(tmp_path: Path) -> None:
    dcp.save({"scheduler": run_to(30, LINEAR).state_dict()}, checkpoint_id=tmp_path)
    state = {"scheduler": lambda_lr(sgd(), LINEAR).state_dict()}
    dcp.load(state, checkpoint_id=tmp_path)
    scheduler = lambda_lr(sgd(), LINEAR)
    scheduler.load_state_dict(state["scheduler"])
    assert scheduler.last_epoch == 30 and scheduler.get_last_lr() == [0.5 * 70 / 90]
    other = lambda_lr(sgd(), fs.warmup_linear(10, 200))
    with pytest.raises(ValueError, match="was made with a different schedule"):
        other.load_state_dict(state["scheduler"])


# Rejected states.

REJECTED = {
    "a different schedule": (
        lambda: lambda_lr(sgd(), fs.warmup_linear(10, 190)),
        "load_state_dict: the checkpoint was made with a different schedule for 'lr' of group 0: the curves diverge at"
        " step 11; at step 55, where the run resumes, the learning rate would jump from 0.25 to 0.375; checkpoint:"
        " warmup_linear(warmup_steps=10, total_steps=100); current: warmup_linear(warmup_steps=10, total_steps=190)",
    ),
    "a different base rate": (
        lambda: lambda_lr(sgd(0.25), LINEAR),
        "load_state_dict: the base rates of group 0 differ (checkpoint: 0.5; current: 0.25)",
    ),
    "a different number of groups": (
        lambda: lambda_lr(sgd(0.5, 0.5), LINEAR),
        "load_state_dict: the numbers of parameter groups differ (checkpoint: 1; current: 2)",
    ),
    "a different hyperparameter": (
        lambda: lambda_lr(sgd(), LINEAR, hyperparameters={"momentum": LINEAR}),
        "load_state_dict: the scheduled hyperparameters differ (checkpoint: 'lr'; current: 'lr', 'momentum')",
    ),
}


WAYS = {
    "a different schedule": "; to change the schedule without a jump, branch off with "
    "`fs.then(old, 55, end, steps=remaining)`",
    "a different base rate": "; for a new peak, use `lambda_lr(..., base_values={'lr': 0.25})`",
}
CONTINUE = (
    "; to continue with the current schedules and base values, use `lambda_lr(..., step=55)` without this state, or"
    ' `lambda_lr(..., on_mismatch="warn")`'
)


@pytest.mark.parametrize("case", REJECTED)
def test_the_state_of_a_different_run_is_rejected_and_nothing_changes(case: str) -> None:
    build, message = REJECTED[case]
    scheduler = build()
    before = group_settings(scheduler.optimizer), copy.deepcopy(scheduler.state_dict())
    with pytest.raises(ValueError) as caught:
        scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert str(caught.value) == message + WAYS.get(case, "") + CONTINUE
    assert (group_settings(scheduler.optimizer), scheduler.state_dict()) == before


# The learning rates at step 55: 0.5 * (190 - 55) / 180 and 0.25 * (100 - 55) / 90.
@pytest.mark.parametrize(("case", "rate"), [("a different schedule", 0.375), ("a different base rate", 0.125)])
def test_with_warn_the_run_continues_with_its_own_schedule_and_base_rate(case: str, rate: float) -> None:
    rejecting = REJECTED[case][0]()
    base, schedule = rejecting.base_lrs[0], rejecting._schedules["lr"][0].schedule
    scheduler = lambda_lr(sgd(base), schedule, on_mismatch="warn")
    with pytest.warns(UserWarning) as caught:
        scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert str(caught[0].message) == REJECTED[case][1] + "; continuing with the current schedules and base values"
    assert scheduler.get_last_lr() == [rate] == [scheduler.optimizer.param_groups[0]["lr"]]


def state_of_lambdalr() -> dict:
    optimizer = sgd()
    return LambdaLR(optimizer, to_lr_lambda(LINEAR)).state_dict()


@pytest.mark.parametrize(
    "state",
    [
        state_of_lambdalr(),
        {"last_epoch": 0},
        {"last_epoch": 0, "schedules": None},
        {"last_epoch": 0, "schedules": "[1"},
    ],
)
def test_a_state_without_a_description_of_its_schedules_is_rejected(state: dict) -> None:
    scheduler = lambda_lr(sgd(), fs.shift(LINEAR, 5))
    before = group_settings(scheduler.optimizer)
    with pytest.raises(ValueError, match=r"^load_state_dict: the state does not describe its schedules"):
        scheduler.load_state_dict(state)
    assert group_settings(scheduler.optimizer) == before


@pytest.mark.parametrize("step", [-2, -1.0, 0.5, None, "3"])
def test_a_state_with_an_invalid_step_is_rejected(step) -> None:
    scheduler = lambda_lr(sgd(), LINEAR)
    before = group_settings(scheduler.optimizer)
    with pytest.raises((TypeError, ValueError), match=r"^load_state_dict: `last_epoch` must be an integer from 0"):
        scheduler.load_state_dict({**run_to(5, LINEAR).state_dict(), "last_epoch": step})
    assert group_settings(scheduler.optimizer) == before


def test_a_different_expression_of_the_same_curve_is_accepted() -> None:
    same = fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90)], [10])
    scheduler = lambda_lr(sgd(), same)
    scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert scheduler.get_last_lr() == [0.25]


def test_a_different_function_is_detected_by_its_values() -> None:
    scheduler = lambda_lr(sgd(), lambda step: 0.25)
    with pytest.raises(ValueError, match=r"the learning rate would jump from 0.25 to 0.125"):
        scheduler.load_state_dict(run_to(4, half).state_dict())
