"""`lambda_lr` in loops of Accelerate, in one process and in two: where the schedule ends, and how it resumes.

Run as a program, this file is what the tests look at: it trains in every way and writes down the rates that were used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator, debug_launcher
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import DataLoaderConfiguration
from torch.utils.data import DataLoader, TensorDataset

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import accelerate_loop
from examples.stacks.grad_scaler import step_with_updates

ROOT = Path(__file__).parents[2]
BASE, WARMUP, TOTAL, START = 0.5, 4, 20, 0.25
SCHEDULE = fs.warmup_linear(WARMUP, TOTAL, start=START)
ACCUMULATION = 2
PROCESSES = (1, 2)
BAD = (0, 1, 6, 12)  # updates with an infinite gradient
SAVED = (1, 4, 6, 11)  # updates after which a run is saved: within an epoch and at its end


def rate(update: int) -> float:
    """What the schedule means, in numbers that a float holds exactly."""
    if update < WARMUP:
        return BASE * (START + (1 - START) * update / WARMUP)
    return BASE * max(TOTAL - update, 0) / (TOTAL - WARMUP)


# The runs.


def fresh(**arguments: Any) -> Accelerator:
    """An accelerator that knows nothing of the one before."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    return Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATION, **arguments)


class Run:
    """A regression that notes the rates of its groups at each call of the optimizer, and whether the weights moved."""

    def __init__(self, accelerator: Accelerator, schedule: Any = SCHEDULE, fused: bool = False) -> None:
        torch.manual_seed(0)
        inputs = torch.randn(40, 3)
        self.accelerator = accelerator
        self.model: Any = torch.nn.Linear(3, 1)
        self.optimizer: Any = torch.optim.AdamW(self.model.parameters(), lr=BASE, fused=fused)
        # Epochs of 5 batches in each process, and so of 3 updates, the last from one batch.
        size = 8 // (1 if accelerator.split_batches else accelerator.num_processes)
        self.batches: Any = DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=size)
        self.scheduler: Any = lambda_lr(self.optimizer, schedule)
        self.plain = self.optimizer
        self.noted: list[tuple[float, bool]] = []
        self.batch = 0

    def prepare(self, scheduler: bool) -> Run:
        self.model, self.optimizer, self.batches = self.accelerator.prepare(self.model, self.optimizer, self.batches)
        if scheduler:
            self.scheduler = self.accelerator.prepare(self.scheduler)
        return self

    def train(
        self, updates: int, after: Callable[[Run], None], bad: tuple[int, ...] = (), skip: int = 0
    ) -> list[tuple[float, bool]]:
        """Train for some updates; `after` comes after each batch, as `scheduler.step()` does in a loop."""
        accelerator, weight = self.accelerator, self.plain.param_groups[0]["params"][0]
        batches = accelerator.skip_first_batches(self.batches, skip) if skip else self.batches
        while True:
            for features, targets in batches:
                with accelerator.accumulate(self.model):
                    loss = (self.model(features) - targets).square().mean()
                    # Infinite in the first process alone: the processes must agree all the same.
                    if len(self.noted) in bad and accelerator.sync_gradients and accelerator.is_main_process:
                        loss = loss * torch.inf
                    accelerator.backward(loss)
                    before, used = weight.detach().clone(), self.plain.param_groups[0]["lr"]
                    self.optimizer.step()
                    self.optimizer.zero_grad()
                if accelerator.sync_gradients:
                    self.noted.append((used, not torch.equal(before, weight)))
                after(self)
                if len(self.noted) == updates:
                    return self.noted
            batches = self.batches

    def weights(self) -> list[float]:
        return [value for group in self.plain.param_groups for p in group["params"] for value in p.flatten().tolist()]


def step_every_batch(run: Run) -> None:
    run.scheduler.step()


def step_updates(run: Run) -> None:
    if run.accelerator.sync_gradients and not run.accelerator.optimizer_step_was_skipped:
        run.scheduler.step()


def step_nothing(run: Run) -> None:
    """The optimizer steps the scheduler."""


def prepared(**arguments: Any) -> list[tuple[float, bool]]:
    return Run(fresh(**arguments)).prepare(scheduler=True).train(TOTAL + 2, step_every_batch)


def prepared_and_split() -> list[tuple[float, bool]]:
    return prepared(dataloader_config=DataLoaderConfiguration(split_batches=True))


def prepared_and_stretched() -> list[tuple[float, bool]]:
    accelerator = fresh()
    run = Run(accelerator, fs.stretch(SCHEDULE, accelerator.num_processes)).prepare(scheduler=True)
    return run.train(TOTAL + 2, step_every_batch)


def prepared_without_the_optimizer(after: Callable[[Run], None]) -> list[tuple[float, bool]]:
    run = Run(fresh(step_scheduler_with_optimizer=False)).prepare(scheduler=True)
    return run.train(TOTAL + 2, after)


def not_prepared(after: Callable[[Run], None]) -> list[tuple[float, bool]]:
    return Run(fresh()).prepare(scheduler=False).train(TOTAL + 2, after)


def built_on_the_prepared_optimizer() -> list[tuple[float, bool]]:
    run = Run(fresh()).prepare(scheduler=False)
    run.scheduler = lambda_lr(run.optimizer, SCHEDULE)
    return run.train(TOTAL + 2, step_updates)


def with_updates(fused: bool = False, bad: tuple[int, ...] = ()) -> list[tuple[float, bool]]:
    run = Run(scaled() if bad else fresh(), fused=fused)
    step_with_updates(run.optimizer, run.scheduler)
    return run.prepare(scheduler=False).train(TOTAL + 2, step_nothing, bad)


def scaled() -> Accelerator:
    """Accelerate makes a scaler on devices with float16 alone, so it is set by hand."""
    accelerator = fresh()
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    return accelerator


def left_out(fused: bool) -> list[tuple[float, bool]]:
    return Run(scaled(), fused=fused).prepare(scheduler=False).train(TOTAL + 2, step_updates, BAD)


WAYS: dict[str, Callable[[], Any]] = {
    "not prepared, after updates": lambda: not_prepared(step_updates),
    "not prepared, after batches": lambda: not_prepared(step_every_batch),
    "on the prepared optimizer": built_on_the_prepared_optimizer,
    "by the optimizer": with_updates,
    "prepared": prepared,
    "prepared, split batches": prepared_and_split,
    "prepared, stretched": prepared_and_stretched,
    "prepared, without the optimizer, after updates": lambda: prepared_without_the_optimizer(step_updates),
    "prepared, without the optimizer, after batches": lambda: prepared_without_the_optimizer(step_every_batch),
    "left out": lambda: left_out(fused=False),
    "left out, fused": lambda: left_out(fused=True),
    "left out, by the optimizer": lambda: with_updates(bad=BAD),
    "left out, fused, by the optimizer": lambda: with_updates(fused=True, bad=BAD),
    "example": accelerate_loop.main,
}


def checkpoints(folder: Path, scheduler: bool) -> dict[str, Any]:
    """An uninterrupted run, and those that resumed from what it saved; the scheduler registered or prepared."""
    arguments = {"dataloader_config": DataLoaderConfiguration(split_batches=True)} if scheduler else {}

    def build() -> Run:
        run = Run(fresh(**arguments)).prepare(scheduler)
        if not scheduler:
            run.accelerator.register_for_checkpointing(run.scheduler)
        return run

    def after(run: Run) -> None:
        (step_every_batch if scheduler else step_updates)(run)
        run.batch += 1
        if run.accelerator.sync_gradients and len(run.noted) in SAVED:
            run.accelerator.save_state(str(folder / str(len(run.noted))))
            batch_of[len(run.noted)] = run.batch % 5

    batch_of: dict[int, int] = {}
    whole = build()
    found: dict[str, Any] = {"whole": [whole.train(TOTAL, after), whole.weights()]}
    whole.accelerator.wait_for_everyone()
    for update in SAVED:
        second = build()
        second.accelerator.load_state(str(folder / str(update)))
        noted = second.train(TOTAL - update, step_every_batch if scheduler else step_updates, skip=batch_of[update])
        found[str(update)] = [noted, second.weights()]
    return found


def write(folder: str) -> None:
    torch.set_num_threads(1)
    results = {way: run() for way, run in WAYS.items()}
    accelerator = fresh()
    count, rank = accelerator.num_processes, accelerator.process_index
    for name, scheduler in (("registered", False), ("prepared", True)):
        results[f"checkpoints, {name}"] = checkpoints(Path(folder) / f"{count} {name}", scheduler)
    (Path(folder) / f"{count} {rank}.json").write_text(json.dumps(results))


# The tests.


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """What the runs found, for each number of processes."""
    folder = tmp_path_factory.mktemp("accelerate")
    done = subprocess.run(
        [sys.executable, "-m", "tests.stacks.test_accelerate", folder],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert found.keys() == {"1 0", "2 0", "2 1"}
    assert found["2 0"] == found["2 1"]
    return {1: found["1 0"], 2: found["2 0"]}


def rates(noted: list[tuple[float, bool]]) -> list[float]:
    return [used for used, _ in noted]


def made(noted: list[tuple[float, bool]]) -> list[float]:
    """The rates at which the weights moved."""
    return [used for used, moved in noted if moved]


AT_EVERY_UPDATE = [rate(update) for update in range(TOTAL + 2)]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize(
    "way",
    [
        "not prepared, after updates",
        "on the prepared optimizer",
        "by the optimizer",
        "prepared, split batches",
        "prepared, stretched",
        "prepared, without the optimizer, after updates",
    ],
)
def test_the_rate_of_each_update_is_that_of_the_schedule(results: Any, way: str, processes: int) -> None:
    assert rates(results[processes][way]) == AT_EVERY_UPDATE


@pytest.mark.parametrize("processes", PROCESSES)
def test_a_prepared_scheduler_takes_a_step_for_each_process(results: Any, processes: int) -> None:
    assert rates(results[processes]["prepared"]) == [rate(update * processes) for update in range(TOTAL + 2)]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("way", ["not prepared, after batches", "prepared, without the optimizer, after batches"])
def test_a_step_after_each_batch_runs_ahead_of_the_updates(results: Any, way: str, processes: int) -> None:
    batches = [update // 3 * 5 + update % 3 * ACCUMULATION for update in range(TOTAL + 2)]  # made before that update
    # The last batch of an update comes before its step; those before it have taken theirs.
    ahead = [batch if update % 3 == 2 else batch + 1 for update, batch in enumerate(batches)]
    assert rates(results[processes][way]) == [rate(step) for step in ahead]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("way", ["left out", "left out, by the optimizer", "left out, fused, by the optimizer"])
def test_an_update_that_a_scaler_leaves_out_takes_no_step(results: Any, way: str, processes: int) -> None:
    assert made(results[processes][way]) == AT_EVERY_UPDATE[: TOTAL + 2 - len(BAD)]


# Accelerate does not learn that a fused optimizer left an update out.
@pytest.mark.parametrize("processes", PROCESSES)
def test_an_update_that_a_fused_optimizer_leaves_out_takes_a_step(results: Any, processes: int) -> None:
    left = [rate(update) for update in range(TOTAL) if update not in BAD]
    assert made(results[processes]["left out, fused"]) == left


# Resuming.


@pytest.mark.parametrize("update", SAVED)
@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("name", ["registered", "prepared"])
def test_a_run_that_resumes_equals_the_uninterrupted_one(results: Any, name: str, processes: int, update: int) -> None:
    found = results[processes][f"checkpoints, {name}"]
    noted, weights = found["whole"]
    assert found[str(update)] == [noted[update:], weights]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("name", ["registered", "prepared"])
def test_the_uninterrupted_run_follows_the_schedule(results: Any, name: str, processes: int) -> None:
    noted, _ = results[processes][f"checkpoints, {name}"]["whole"]
    assert rates(noted) == AT_EVERY_UPDATE[:TOTAL]


# The example.


@pytest.mark.parametrize("processes", PROCESSES)
def test_the_example_resumes_on_its_schedule(results: Any, processes: int) -> None:
    warmup = [0.5 * update / 4 for update in range(4)]
    assert results[processes]["example"] == warmup + [0.5 * (20 - update) / 16 for update in range(4, 20)]


if __name__ == "__main__":
    debug_launcher(write, args=(sys.argv[1],), num_processes=2)
    write(sys.argv[1])
