"""A checkpoint of torch says which schedules it was made with, and a run that goes on uses the rates it would have."""

import copy
import json
import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import lambda_lr, to_lr_lambda
from examples.stacks import torch_resume
from examples.stacks.torch_resume import train
from tests.stacks.kill import UPDATES

ROOT = Path(__file__).parents[2]
KILLS = 300
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


def settings(optimizer: torch.optim.Optimizer) -> list[dict]:
    return [
        {key: copy.copy(value) for key, value in group.items() if key != "params"} for group in optimizer.param_groups
    ]


# Killed hundreds of times.


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], dict]:
    """The rates and the last checkpoint of a run that was never stopped."""
    path = tmp_path_factory.mktemp("whole") / "run.pt"
    return [rate for _, rate in train(path, UPDATES)], torch.load(path)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, list[tuple[int, str]]]]:
    """The folder of runs whose processes were killed, and the updates of each run in the order they were made."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.stacks.kill", str(folder), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= KILLS
    updates: dict[int, list[tuple[int, str]]] = {}
    for line in (folder / "used").read_text().splitlines():
        run, step, rate = line.split()
        updates.setdefault(int(run), []).append((int(step), rate))
    return folder, updates


def test_after_hundreds_of_kills_every_update_uses_the_rate_of_the_uninterrupted_run(killed, whole) -> None:
    for updates in killed[1].values():
        for step, rate in updates:
            assert rate == whole[0][step].hex()


def test_no_update_is_left_out_and_only_what_was_not_saved_is_made_again(killed) -> None:
    ended = [steps for steps in ([step for step, _ in run] for run in killed[1].values()) if steps[-1] == UPDATES - 1]
    assert len(ended) >= 10
    for steps in ended:
        assert steps[0] == 0
        assert all(after - before in (0, 1) for before, after in pairwise(steps))


def test_some_kills_came_between_an_update_and_its_checkpoint(killed) -> None:
    assert any(len(run) > len(set(run)) for run in killed[1].values())


def test_runs_that_were_killed_end_with_the_weights_of_the_uninterrupted_run(killed, whole) -> None:
    folder, updates = killed
    ended = [run for run in updates if run < max(updates)]
    for run in ended:
        weights = torch.load(folder / f"{run}.pt")["model"]
        assert all(torch.equal(weights[name], value) for name, value in whole[1]["model"].items())


def test_the_rates_of_the_uninterrupted_run_are_those_of_the_formula(whole) -> None:
    for step, rate in enumerate(whole[0]):
        wave = 0.1 + 0.9 * (1 + math.cos(math.pi * (step - 20) / 180)) / 2
        assert rate == pytest.approx(0.01 * (step / 20 if step < 20 else wave), rel=1e-14)


def test_the_example_runs_and_runs_on(tmp_path: Path) -> None:
    first = torch_resume.main(tmp_path / "run.pt", 5)
    assert [step for step, _ in first + torch_resume.main(tmp_path / "run.pt", 12)] == list(range(12))


# What is saved.


def test_the_state_is_plain_data_and_describes_the_schedules() -> None:
    state = run_to(3, [LINEAR, fs.constant(0.5)], 0.5, 0.25).state_dict()
    assert json.loads(json.dumps(state)) == state
    first, second = json.loads(state["schedules"])["lr"]
    assert first["schedule"] == {"warmup_linear": {"warmup_steps": 10, "total_steps": 100, "start": 0.0, "end": 0.0}}
    assert second["schedule"] == {"constant": {"value": 0.5}}


@pytest.mark.parametrize("schedule", [LINEAR, half, fs.table([0.5, 1.0])])
def test_the_file_loads_as_weights_only(schedule, tmp_path: Path) -> None:
    scheduler = run_to(3, schedule)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    loaded = torch.load(tmp_path / "scheduler.pt", weights_only=True)
    assert loaded == scheduler.state_dict()
    other = lambda_lr(sgd(), schedule)
    other.load_state_dict(loaded)
    assert other.last_epoch == 3 and other.get_last_lr() == scheduler.get_last_lr()


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled, unavailable or uninitialized")  # one process
def test_a_distributed_checkpoint_holds_it(tmp_path: Path) -> None:
    dcp.save({"scheduler": run_to(30, LINEAR).state_dict()}, checkpoint_id=tmp_path)
    state = {"scheduler": lambda_lr(sgd(), LINEAR).state_dict()}
    dcp.load(state, checkpoint_id=tmp_path)
    scheduler = lambda_lr(sgd(), LINEAR)
    scheduler.load_state_dict(state["scheduler"])
    assert scheduler.last_epoch == 30 and scheduler.get_last_lr() == [0.5 * 70 / 90]
    other = lambda_lr(sgd(), fs.warmup_linear(10, 200))
    with pytest.raises(ValueError, match="was made with another schedule"):
        other.load_state_dict(state["scheduler"])


# What is refused.

REFUSED = {
    "another schedule": (
        lambda: lambda_lr(sgd(), fs.warmup_linear(10, 190)),
        "load_state_dict: the checkpoint was made with another schedule for 'lr' of group 0: the curves part at step 11"
        ", and at step 55, where the run resumes, the rate would jump from 0.25 to 0.375; it was"
        " warmup_linear(warmup_steps=10, total_steps=100), and is warmup_linear(warmup_steps=10, total_steps=190)",
    ),
    "another base rate": (
        lambda: lambda_lr(sgd(0.25), LINEAR),
        "load_state_dict: the base rate of group 0 was 0.5 in the checkpoint, and is 0.25",
    ),
    "another number of groups": (
        lambda: lambda_lr(sgd(0.5, 0.5), LINEAR),
        "load_state_dict: the checkpoint has 1 parameter groups, and the optimizer 2",
    ),
    "another hyperparameter": (
        lambda: lambda_lr(sgd(), LINEAR, hyperparameters={"momentum": LINEAR}),
        "load_state_dict: the checkpoint was made with schedules for 'lr', and this scheduler is for 'lr', 'momentum'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_checkpoint_of_another_run_is_refused_and_nothing_changed(case: str) -> None:
    build, sentence = REFUSED[case]
    scheduler = build()
    before = settings(scheduler.optimizer), copy.deepcopy(scheduler.state_dict())
    with pytest.raises(ValueError) as caught:
        scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert str(caught.value) == sentence
    assert (settings(scheduler.optimizer), scheduler.state_dict()) == before


@pytest.mark.parametrize("case", ["another schedule", "another base rate"])
def test_with_warn_the_run_goes_on_with_its_own_schedule_and_base_rate(case: str) -> None:
    asked = REFUSED[case][0]()
    base, schedule = asked.base_lrs[0], asked._tracks["lr"][0].schedule
    scheduler = lambda_lr(sgd(base), schedule, on_mismatch="warn")
    with pytest.warns(UserWarning) as caught:
        scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert str(caught[0].message) == REFUSED[case][1]
    assert scheduler.get_last_lr() == [base * schedule(55)] == [scheduler.optimizer.param_groups[0]["lr"]]


def foreign() -> dict:
    optimizer = sgd()
    return LambdaLR(optimizer, to_lr_lambda(LINEAR)).state_dict()


@pytest.mark.parametrize(
    "state", [foreign(), {"last_epoch": 0}, {"last_epoch": 0, "schedules": None}, {"last_epoch": 0, "schedules": "[1"}]
)
def test_a_state_that_does_not_say_what_it_was_made_with_is_refused(state: dict) -> None:
    scheduler = lambda_lr(sgd(), fs.shift(LINEAR, 5))
    before = settings(scheduler.optimizer)
    with pytest.raises(ValueError, match=r"^load_state_dict: the state does not say which schedules it was made with"):
        scheduler.load_state_dict(state)
    assert settings(scheduler.optimizer) == before


@pytest.mark.parametrize("step", [-1, 0.5, None, "3"])
def test_a_step_that_cannot_be_is_refused(step) -> None:
    scheduler = lambda_lr(sgd(), LINEAR)
    before = settings(scheduler.optimizer)
    with pytest.raises((TypeError, ValueError), match=r"^load_state_dict: `last_epoch` must be an integer from 0"):
        scheduler.load_state_dict({**run_to(5, LINEAR).state_dict(), "last_epoch": step})
    assert settings(scheduler.optimizer) == before


def test_two_expressions_of_one_curve_may_take_over_from_each_other() -> None:
    same = fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90)], [10])
    scheduler = lambda_lr(sgd(), same)
    scheduler.load_state_dict(run_to(55, LINEAR).state_dict())
    assert scheduler.get_last_lr() == [0.25]


def test_another_function_is_known_by_its_values() -> None:
    scheduler = lambda_lr(sgd(), lambda step: 0.25)
    with pytest.raises(ValueError, match=r"the rate would jump from 0.25 to 0.125"):
        scheduler.load_state_dict(run_to(4, half).state_dict())
