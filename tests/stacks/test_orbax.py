"""Schedules in Orbax checkpoints: runs that stop or are killed and resume, and rejected schedules."""

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
from tests.stacks.curves import TOLERANCE, max_ulps
from tests.stacks.processes import ROOT

SCHEDULE = fs.warmup_cosine(5, 30, end=0.1)
UPDATES = 36  # past the end

# Trains and prints the learning rate of every update, then the weights. With a third argument, it kills itself as soon
# as the checkpoint of that step is being saved, which Orbax does in a thread.
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
import orbax.checkpoint as ocp
import funcsched as fs
from examples.stacks.orbax_checkpoint import train

def log(update, rate):
    print(update, rate.hex(), flush=True)
    time.sleep(0.01)  # so that a kill comes soon after its update

def save_and_die(self, step, *arguments, save=ocp.CheckpointManager.save, **keywords):
    started = save(self, step, *arguments, **keywords)
    if step == int(sys.argv[3]):
        assert started
        os.kill(os.getpid(), signal.SIGKILL)
    return started

if len(sys.argv) > 3:
    ocp.CheckpointManager.save = save_and_die
state = train(Path(sys.argv[1]), fs.parse(sys.argv[2]), 36, log)
print("weights", *(value.item().hex() for name in ("matrix", "bias") for value in state["weights"][name].ravel()))
"""


def train_in_process(
    directory: Path, *, kill_after: int | None = None, kill_saving: int | None = None
) -> tuple[int, str]:
    """Train in a new process, which may be killed after an update or while saving; its exit code and output."""
    arguments = [str(directory), repr(SCHEDULE), *([] if kill_saving is None else [str(kill_saving)])]
    output = ""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            output += line
            if kill_after in parse_rates(output):
                process.kill()
    return process.returncode, output


def parse_rates(output: str) -> dict[int, float]:
    """The learning rates that a process printed, by update, without an incomplete last line."""
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n") and "weights" not in line]
    return {int(update): float.fromhex(rate) for update, rate in lines}


def parse_weights(output: str) -> list[float]:
    *_, last = output.splitlines()
    return [float.fromhex(word) for word in last.split()[1:]]


def flat_weights(state: Any) -> list[float]:
    return [value.item() for name in ("matrix", "bias") for value in state["weights"][name].ravel()]


def last_complete(directory: Path) -> int:
    """The step of the last complete checkpoint; Orbax renames a checkpoint to its step once it is complete."""
    return max((int(path.name) for path in directory.iterdir() if path.name.isdigit()), default=0)


def file_hashes(directory: Path) -> dict[str, str]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def train(directory: Path, schedule: fs.Schedule = SCHEDULE, updates: int = UPDATES) -> tuple[dict[int, float], Any]:
    """The learning rates by update, and the final state."""
    rates: dict[int, float] = {}
    state = example.train(directory, schedule, updates, rates.__setitem__)
    return rates, state


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, float], list[float]]:
    rates, state = train(tmp_path_factory.mktemp("uninterrupted"))
    return rates, flat_weights(state)


@pytest.fixture(scope="module")
def after_12_updates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("stopped") / "checkpoints"
    train(directory, updates=12)
    return directory


@pytest.fixture
def stopped(after_12_updates: Path, tmp_path: Path) -> Path:
    """The checkpoints of a run that stopped after 12 updates; the last checkpoint is of update 10."""
    shutil.copytree(after_12_updates, tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def test_every_update_uses_the_rate_of_the_formula(uninterrupted: Any) -> None:
    rates, _ = uninterrupted
    assert list(rates) == list(range(UPDATES))
    # 4 ulp of the multiplier, and one rounding of the product
    assert max_ulps(rates.values(), oracle.warmup_cosine(5, 30, 0.0, 0.1), example.PEAK) <= TOLERANCE + 1


# Resuming.


def assert_continues(result: tuple[dict[int, float], Any], uninterrupted: Any, first: int = 10) -> None:
    """The result of a run from update `first` equals the uninterrupted run."""
    rates, state = result
    assert list(rates) == list(range(first, UPDATES))
    assert rates.items() <= uninterrupted[0].items()
    assert flat_weights(state) == uninterrupted[1]


@pytest.mark.parametrize("stop", [1, 5, 30])
def test_a_resumed_run_is_identical_to_the_uninterrupted_run(stop: int, tmp_path: Path, uninterrupted: Any) -> None:
    rates, _ = train(tmp_path, updates=stop)
    assert list(rates) == list(range(stop)) and rates.items() <= uninterrupted[0].items()
    assert_continues(train(tmp_path), uninterrupted, first=stop)


@pytest.mark.processes
def test_killed_processes_resume_from_the_last_complete_checkpoint(tmp_path: Path, uninterrupted: Any) -> None:
    rates, weights = uninterrupted
    starts, runs = [], []
    for kill in ({"kill_after": 11}, {"kill_saving": 20}, {"kill_after": 27}, {}):
        starts.append(last_complete(tmp_path))
        code, output = train_in_process(tmp_path, **kill)
        assert code == (-signal.SIGKILL if kill else 0)
        runs.append(parse_rates(output))
    # A save waits for the one before it: at the save of 10, that of 5 is complete, and so on every 5 updates.
    assert starts[0] == 0 and starts[1] in (5, 10) and starts[2] in (15, 20) and starts[3] in (20, 25)
    for start, run in zip(starts, runs, strict=True):
        assert list(run) == list(range(start, start + len(run)))
        assert run.items() <= rates.items()
    assert set().union(*runs) == set(range(UPDATES))
    assert parse_weights(output) == weights


def test_an_incomplete_checkpoint_is_ignored(stopped: Path, uninterrupted: Any) -> None:
    incomplete = stopped / "15.orbax-checkpoint-tmp" / "state"
    incomplete.mkdir(parents=True)
    (incomplete / "d").write_bytes(b"half of")
    assert_continues(train(stopped), uninterrupted)


# The schedule in a checkpoint.

SNAPSHOTS = {
    "warmup_cosine": fs.warmup_cosine(5, 30, end=0.1 + 0.2),
    "join": fs.join([fs.ramp(0.0, 1.0, steps=3, shape=fs.sqrt), fs.constant(1 / 3)], [3]),
    "product": fs.product(fs.warmup_linear(3, 2**53), fs.cosine_restarts(10)),
    "function": fs.lift(lambda step: 1 / (step + 3)),
}


def save_and_restore(data: Any, directory: Path) -> Any:
    with ocp.CheckpointManager(directory) as checkpoints:
        checkpoints.save(7, args=ocp.args.Composite(schedule=ocp.args.JsonSave(data)))
    with ocp.CheckpointManager(directory) as checkpoints:
        return checkpoints.restore(7, args=ocp.args.Composite(schedule=ocp.args.JsonRestore())).schedule


@pytest.mark.parametrize("schedule", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_a_snapshot_is_restored_unchanged(schedule: fs.Schedule, tmp_path: Path) -> None:
    data = fs.snapshot(schedule)
    text = json.dumps(data)
    restored = save_and_restore(data, tmp_path)
    assert restored == json.loads(text) and json.dumps(data) == text
    fs.check_resume(restored, schedule, step=7)


@pytest.mark.parametrize("schedule", SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_a_restored_snapshot_rejects_a_different_curve(schedule: fs.Schedule, tmp_path: Path) -> None:
    restored = save_and_restore(fs.snapshot(schedule), tmp_path)
    with pytest.raises(ValueError, match="check_resume: the checkpoint was made with a different schedule"):
        fs.check_resume(restored, fs.scale(schedule, 0.5), step=7)


def half_cosine(fraction: float) -> float:
    return (1 + math.cos(math.pi * fraction)) / 2


# Each with the first step at which its curve differs, and its multiplier at step 10.
DIFFERENT = {
    "total_steps": (fs.warmup_cosine(5, 60, end=0.1), 6, 0.1 + 0.9 * half_cosine(5 / 55)),
    "warmup_steps": (fs.warmup_cosine(2, 30, end=0.1), 1, 0.1 + 0.9 * half_cosine(8 / 28)),
    "recipe": (fs.warmup_linear(5, 30, end=0.1), 6, 1 - 0.9 * 5 / 25),
}


@pytest.mark.parametrize(("different", "step", "multiplier"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_error_for_a_different_schedule_has_the_step_and_the_jump(
    different: fs.Schedule, step: int, multiplier: float, stopped: Path
) -> None:
    before = 0.1 + 0.9 * half_cosine(5 / 25)
    with pytest.raises(ValueError) as caught:
        train(stopped, different)
    assert f"the curves diverge at step {step}; at step 10" in str(caught.value)
    assert f"would jump from {before:g} to {multiplier:g}" in str(caught.value)


@pytest.mark.parametrize("different", [different for different, *_ in DIFFERENT.values()], ids=DIFFERENT)
def test_a_rejected_run_does_not_change_the_checkpoints(different: fs.Schedule, stopped: Path) -> None:
    before = file_hashes(stopped)
    with pytest.raises(ValueError, match="a different schedule"):
        train(stopped, different)
    assert file_hashes(stopped) == before and before


def test_a_rejected_run_makes_no_update(stopped: Path) -> None:
    rates: dict[int, float] = {}
    with pytest.raises(ValueError, match="a different schedule"):
        example.train(stopped, fs.constant(), UPDATES, rates.__setitem__)
    assert rates == {}


def test_after_a_rejected_run_the_original_schedule_resumes(stopped: Path, uninterrupted: Any) -> None:
    with pytest.raises(ValueError, match="a different schedule"):
        train(stopped, fs.warmup_cosine(5, 60))
    assert_continues(train(stopped), uninterrupted)


def test_a_different_expression_of_the_same_curve_resumes(stopped: Path, uninterrupted: Any) -> None:
    joined = fs.join([fs.ramp(0.0, 1.0, steps=5), fs.ramp(1.0, 0.1, steps=25, shape=fs.cosine)], [5])
    assert_continues(train(stopped, joined), uninterrupted)


def test_with_warn_a_run_continues_with_the_new_schedule(stopped: Path) -> None:
    rates: dict[int, float] = {}
    with pytest.warns(UserWarning, match="would jump from 0.914058 to 0.5"):
        example.train(stopped, fs.constant(0.5), UPDATES, rates.__setitem__, on_mismatch="warn")
    assert rates == {update: float(np.float32(0.05)) for update in range(10, UPDATES)}


# The training state in a checkpoint.


@pytest.fixture(scope="module")
def after_15_updates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The directory and the state of a run that stopped after 15 updates."""
    directory = tmp_path_factory.mktemp("after_15_updates")
    return directory, train(directory, updates=15)[1]


def test_the_count_in_the_state_equals_the_step_of_the_checkpoint(after_15_updates: tuple[Path, Any]) -> None:
    with ocp.CheckpointManager(after_15_updates[0]) as checkpoints:
        steps = checkpoints.all_steps()
        states = [
            checkpoints.restore(step, args=ocp.args.Composite(state=ocp.args.StandardRestore())) for step in steps
        ]
    assert steps == [int(restored.state["optimizer"]["count"]) for restored in states] == [10, 15]


def test_a_state_is_restored_from_its_shapes_and_dtypes(after_15_updates: tuple[Path, Any]) -> None:
    directory, state = after_15_updates
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
    with ocp.CheckpointManager(directory) as checkpoints:
        restored = checkpoints.restore(15, args=ocp.args.Composite(state=ocp.args.StandardRestore(shapes))).state
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert all(map(np.array_equal, jax.tree.leaves(state), jax.tree.leaves(restored)))


# The example.


def test_the_example_resumes_and_rejects_a_different_schedule() -> None:
    rates, message = example.main()
    assert list(rates) == list(range(30))
    assert max_ulps(rates.values(), oracle.warmup_cosine(5, 30), example.PEAK) <= TOLERANCE + 1
    assert "the curves diverge at step 6; at step 30" in message
