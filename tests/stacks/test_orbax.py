"""Schedules in Orbax checkpoints: runs that stop, are killed, and go on, and refusals of another schedule."""

import hashlib
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

import funcsched as fs
from examples.stacks import orbax_checkpoint as example
from tests import oracle

ROOT = Path(__file__).parents[2]
SCHEDULE = fs.warmup_cosine(5, 30, end=0.1)
EXACT = oracle.warmup_cosine(5, 30, 0.0, 0.1)
UPDATES = 36  # past the end
INTERVAL = 5  # updates from one checkpoint to the next

# Trains in a process of its own and prints every rate. With a third argument it kills itself as soon as the saving of
# that step has begun, which Orbax does in a thread of its own.
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
import orbax.checkpoint as ocp
import funcsched as fs
from examples.stacks.orbax_checkpoint import train

def log(update, rate):
    print(update, rate.hex(), flush=True)
    time.sleep(0.01)

def save_and_die(self, step, *arguments, save=ocp.CheckpointManager.save, **named):
    begun = save(self, step, *arguments, **named)
    if step == int(sys.argv[3]):
        assert begun
        os.kill(os.getpid(), signal.SIGKILL)
    return begun

if len(sys.argv) > 3:
    ocp.CheckpointManager.save = save_and_die
state = train(Path(sys.argv[1]), eval(sys.argv[2]), 36, log)
print("weights", *(value.item().hex() for name in ("matrix", "bias") for value in state["weights"][name].ravel()))
"""


def in_another_process(
    directory: Path, *, killed_after: int | None = None, killed_saving: int | None = None
) -> tuple[int, str]:
    """The exit code of a process that trains, and what it printed."""
    more = [] if killed_saving is None else [str(killed_saving)]
    command = [sys.executable, "-c", SCRIPT, str(directory), "fs." + repr(SCHEDULE), *more]
    output = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            output += line
            if killed_after in told(output):
                process.kill()
    return process.returncode, output


def told(output: str) -> dict[int, float]:
    """The rate of each update that a process printed; a line that was cut off has no end."""
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n") and "weights" not in line]
    return {int(update): float.fromhex(rate) for update, rate in lines}


def weights_told(output: str) -> list[float]:
    *_, last = output.splitlines()
    return [float.fromhex(word) for word in last.split()[1:]]


def first(run: tuple[dict[int, float], Any], updates: int) -> dict[int, float]:
    return {update: rate for update, rate in run[0].items() if update < updates}


def numbers(state: Any) -> list[float]:
    weights = state["weights"]
    return [value.item() for name in ("matrix", "bias") for value in weights[name].ravel()]


def complete(directory: Path) -> int:
    """The step of the last complete checkpoint: Orbax gives it its name when all of it is written."""
    return max((int(path.name) for path in directory.iterdir() if path.name.isdigit()), default=0)


def files(directory: Path) -> dict[str, str]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def train(directory: Path, schedule: fs.Schedule = SCHEDULE, updates: int = UPDATES) -> tuple[dict[int, float], Any]:
    rates: dict[int, float] = {}
    state = example.train(directory, schedule, updates, rates.__setitem__)
    return rates, state


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, float], list[float]]:
    rates, state = train(tmp_path_factory.mktemp("uninterrupted"))
    return rates, numbers(state)


@pytest.fixture(scope="module")
def after_12_updates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("stopped") / "checkpoints"
    train(directory, updates=12)
    return directory


@pytest.fixture
def stopped(after_12_updates: Path, tmp_path: Path) -> Path:
    """The checkpoints of a run that stopped after 12 updates, the last of them after 10."""
    shutil.copytree(after_12_updates, tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def test_the_rate_of_each_update_is_that_of_the_schedule(uninterrupted: Any) -> None:
    rates, _ = uninterrupted
    assert list(rates) == list(range(UPDATES))
    assert max(oracle.ulps(rate, example.PEAK * EXACT(update), 24) for update, rate in rates.items()) <= 4 + 1


# Runs that stop and resume.


@pytest.mark.parametrize("stop", [1, 5, 30])
def test_a_resumed_run_goes_on_bit_for_bit(stop: int, tmp_path: Path, uninterrupted: Any) -> None:
    rates, _ = train(tmp_path, updates=stop)
    last = complete(tmp_path)
    again, state = train(tmp_path)
    assert list(again) == list(range(last, UPDATES)) and last > stop - INTERVAL
    assert (rates | again, numbers(state)) == uninterrupted


def test_a_run_resumed_in_another_process_goes_on_bit_for_bit(stopped: Path, uninterrupted: Any) -> None:
    code, output = in_another_process(stopped)
    assert code == 0 and list(told(output)) == list(range(10, UPDATES))
    assert (first(uninterrupted, 10) | told(output), weights_told(output)) == uninterrupted


def test_killed_processes_resume_with_the_last_complete_checkpoint(tmp_path: Path, uninterrupted: Any) -> None:
    rates, weights = uninterrupted
    begins, runs = [], []
    for how in ({"killed_after": 11}, {"killed_saving": 20}, {"killed_after": 27}, {}):
        begins.append(complete(tmp_path))
        code, output = in_another_process(tmp_path, **how)
        assert code == (-signal.SIGKILL if how else 0)
        runs.append(told(output))
    assert [min(run) for run in runs] == begins
    # A save waits for the one before it: after update 9 that of 5 is complete, after update 24 that of 20.
    assert begins[0] == 0 and begins[1] in (5, 10) and begins[2] in (15, 20) and begins[3] in (20, 25)
    assert all(run.items() <= rates.items() for run in runs)
    assert set().union(*runs) == set(rates)
    assert weights_told(output) == weights


def test_a_checkpoint_that_was_never_finished_is_passed_over(stopped: Path, uninterrupted: Any) -> None:
    torn = stopped / "15.orbax-checkpoint-tmp"
    (torn / "state").mkdir(parents=True)
    (torn / "state" / "d").write_bytes(b"half of")
    again, state = train(stopped)
    assert next(iter(again)) == 10
    assert (first(uninterrupted, 10) | again, numbers(state)) == uninterrupted


# What the file knows of the schedule.

HELD = {
    "warmup_cosine": fs.warmup_cosine(5, 30, end=0.1 + 0.2),
    "join": fs.join([fs.ramp(0.0, 1.0, steps=3, shape=fs.sqrt), fs.constant(1 / 3)], [3]),
    "product": fs.product(fs.warmup_linear(3, 2**53), fs.cosine_restarts(10)),
    "function": fs.lift(lambda step: 1 / (step + 3)),
}


def through_orbax(data: Any, directory: Path) -> Any:
    with ocp.CheckpointManager(directory) as checkpoints:
        checkpoints.save(7, args=ocp.args.Composite(schedule=ocp.args.JsonSave(data)))
    with ocp.CheckpointManager(directory) as checkpoints:
        return checkpoints.restore(7, args=ocp.args.Composite(schedule=ocp.args.JsonRestore())).schedule


@pytest.mark.parametrize("schedule", HELD.values(), ids=HELD)
def test_a_snapshot_comes_back_from_a_file_as_it_was(schedule: fs.Schedule, tmp_path: Path) -> None:
    data = fs.snapshot(schedule)
    written = json.dumps(data)
    again = through_orbax(data, tmp_path)
    assert again == json.loads(written) and json.dumps(data) == written
    fs.check_resume(again, schedule, step=7)


@pytest.mark.parametrize("schedule", HELD.values(), ids=HELD)
def test_a_snapshot_from_a_file_refuses_another_curve(schedule: fs.Schedule, tmp_path: Path) -> None:
    again = through_orbax(fs.snapshot(schedule), tmp_path)
    with pytest.raises(ValueError, match="check_resume: the checkpoint was made with another schedule"):
        fs.check_resume(again, fs.scale(schedule, 0.5), step=7)


def half_wave(fraction: float) -> float:
    return (1 + math.cos(math.pi * fraction)) / 2


# Each with the step from which on it is another curve, and its multiplier at step 10.
OTHERS = {
    "a longer one": (fs.warmup_cosine(5, 60, end=0.1), 6, 0.1 + 0.9 * half_wave(5 / 55)),
    "another warmup": (fs.warmup_cosine(2, 30, end=0.1), 1, 0.1 + 0.9 * half_wave(8 / 28)),
    "another shape": (fs.warmup_linear(5, 30, end=0.1), 6, 1 - 0.9 * 5 / 25),
}


@pytest.mark.parametrize(("other", "parting", "after"), OTHERS.values(), ids=OTHERS)
def test_another_schedule_is_refused_with_where_it_would_jump(
    other: fs.Schedule, parting: int, after: float, stopped: Path
) -> None:
    before = 0.1 + 0.9 * half_wave(5 / 25)
    with pytest.raises(ValueError) as refused:
        train(stopped, other)
    assert f"the curves part at step {parting}, and at step 10" in str(refused.value)
    assert f"would jump from {before:g} to {after:g}" in str(refused.value)


@pytest.mark.parametrize("other", [other for other, *_ in OTHERS.values()], ids=OTHERS)
def test_a_refused_run_leaves_the_checkpoints_as_they_were(other: fs.Schedule, stopped: Path) -> None:
    before = files(stopped)
    with pytest.raises(ValueError, match="another schedule"):
        train(stopped, other)
    assert files(stopped) == before and before


def test_a_refused_run_makes_no_update(stopped: Path) -> None:
    rates: dict[int, float] = {}
    with pytest.raises(ValueError, match="another schedule"):
        example.train(stopped, fs.constant(), UPDATES, rates.__setitem__)
    assert rates == {}


def test_after_a_refusal_the_run_goes_on_with_its_own_schedule(stopped: Path, uninterrupted: Any) -> None:
    with pytest.raises(ValueError, match="another schedule"):
        train(stopped, fs.warmup_cosine(5, 60))
    again, state = train(stopped)
    assert (first(uninterrupted, 10) | again, numbers(state)) == uninterrupted


def test_the_same_curve_by_another_expression_goes_on(stopped: Path, uninterrupted: Any) -> None:
    joined = fs.join([fs.ramp(0.0, 1.0, steps=5), fs.ramp(1.0, 0.1, steps=25, shape=fs.cosine)], [5])
    again, state = train(stopped, joined)
    assert (first(uninterrupted, 10) | again, numbers(state)) == uninterrupted


def test_with_a_warning_a_run_goes_on_with_the_new_schedule(stopped: Path) -> None:
    rates: dict[int, float] = {}
    with pytest.warns(UserWarning, match="would jump from 0.914058 to 0.5"):
        example.train(stopped, fs.constant(0.5), UPDATES, rates.__setitem__, on_mismatch="warn")
    assert rates == {update: float(np.float32(0.05)) for update in range(10, UPDATES)}


# The state itself.


def test_the_count_in_the_state_is_the_name_of_the_checkpoint(tmp_path: Path) -> None:
    train(tmp_path, updates=15)
    with ocp.CheckpointManager(tmp_path) as checkpoints:
        steps = checkpoints.all_steps()
        states = [
            checkpoints.restore(step, args=ocp.args.Composite(state=ocp.args.StandardRestore())) for step in steps
        ]
    assert steps == [int(restored.state["optimizer"]["count"]) for restored in states] == [10, 15]


def test_a_state_restored_by_its_shapes_alone_is_the_same(tmp_path: Path) -> None:
    _, state = train(tmp_path, updates=15)
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
    with ocp.CheckpointManager(tmp_path) as checkpoints:
        restored = checkpoints.restore(15, args=ocp.args.Composite(state=ocp.args.StandardRestore(shapes))).state
    pairs = zip(jax.tree.leaves(state), jax.tree.leaves(restored), strict=True)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert all(np.array_equal(one, other) for one, other in pairs)


# The example.


def test_the_example_resumes_and_refuses_another_schedule() -> None:
    rates, refusal = example.main()
    assert max(oracle.ulps(rates[k], example.PEAK * oracle.warmup_cosine(5, 30)(k), 24) for k in range(30)) <= 4 + 1
    assert len(rates) == 30 and "the curves part at step 6, and at step 30" in refusal
