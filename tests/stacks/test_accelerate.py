"""`lambda_lr` in Accelerate loops, in one process and in two: when the schedule advances, and how it resumes.

Run as a program, this module trains with every setup and writes the recorded updates, which the tests check.
"""

from __future__ import annotations

import json
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
from tests.stacks.curves import warmup_linear_rate
from tests.stacks.processes import run_python

BASE, WARMUP, TOTAL, START = 0.5, 4, 20, 0.25
SCHEDULE = fs.warmup_linear(WARMUP, TOTAL, start=START)
rate = warmup_linear_rate(WARMUP, TOTAL, start=START, peak=BASE)
UPDATES = TOTAL + 2  # past the end
ACCUMULATION = 2
PROCESSES = (1, 2)
OVERFLOWS = (0, 1, 6, 12)  # optimizer calls with an infinite gradient
SAVED = (1, 4, 6, 11)  # updates after which a checkpoint is saved: within an epoch and at its end

Record = tuple[float, bool]  # for each call of the optimizer: the learning rate, and whether the weights changed


# The runs.


def fresh_accelerator(**arguments: Any) -> Accelerator:
    """An accelerator without the state that Accelerate shares between its instances."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    return Accelerator(cpu=True, gradient_accumulation_steps=ACCUMULATION, **arguments)


def accelerator_with_scaler() -> Accelerator:
    """Accelerate has a gradient scaler only on devices that support float16, so the test sets one."""
    accelerator = fresh_accelerator()
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    return accelerator


class Run:
    """A regression that records the learning rate of each optimizer call and whether the weights changed."""

    def __init__(self, accelerator: Accelerator, schedule: Any = SCHEDULE, fused: bool = False) -> None:
        torch.manual_seed(0)
        inputs = torch.randn(40, 3)
        self.accelerator = accelerator
        self.model: Any = torch.nn.Linear(3, 1)
        self.optimizer: Any = torch.optim.AdamW(self.model.parameters(), lr=BASE, fused=fused)
        # Each process has 5 batches per epoch, so 3 updates; the last one has a single batch.
        size = 8 // (1 if accelerator.split_batches else accelerator.num_processes)
        self.batches: Any = DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=size)
        self.scheduler: Any = lambda_lr(self.optimizer, schedule)
        self.unprepared_optimizer = self.optimizer
        self.records: list[Record] = []
        self.batch = 0

    def prepare(self, scheduler: bool) -> Run:
        self.model, self.optimizer, self.batches = self.accelerator.prepare(self.model, self.optimizer, self.batches)
        if scheduler:
            self.scheduler = self.accelerator.prepare(self.scheduler)
        return self

    def train(
        self, updates: int, after_batch: Callable[[Run], None], overflows: tuple[int, ...] = (), skip: int = 0
    ) -> list[Record]:
        """Train for some updates. `after_batch` is called after each batch, like `scheduler.step()` in a loop."""
        accelerator, weight = self.accelerator, self.unprepared_optimizer.param_groups[0]["params"][0]
        batches = accelerator.skip_first_batches(self.batches, skip) if skip else self.batches
        while True:
            for features, targets in batches:
                with accelerator.accumulate(self.model):
                    loss = (self.model(features) - targets).square().mean()
                    # Infinite only in the first process: all processes must still agree to skip the update.
                    if len(self.records) in overflows and accelerator.sync_gradients and accelerator.is_main_process:
                        loss = loss * torch.inf
                    accelerator.backward(loss)
                    before, used = weight.detach().clone(), self.unprepared_optimizer.param_groups[0]["lr"]
                    self.optimizer.step()
                    self.optimizer.zero_grad()
                if accelerator.sync_gradients:
                    self.records.append((used, not torch.equal(before, weight)))
                after_batch(self)
                if len(self.records) == updates:
                    return self.records
            batches = self.batches

    def weights(self) -> list[float]:
        groups = self.unprepared_optimizer.param_groups
        return [value for group in groups for parameter in group["params"] for value in parameter.flatten().tolist()]


def step_every_batch(run: Run) -> None:
    run.scheduler.step()


def step_every_update(run: Run) -> None:
    if run.accelerator.sync_gradients and not run.accelerator.optimizer_step_was_skipped:
        run.scheduler.step()


def no_step(run: Run) -> None:
    """For runs whose optimizer steps the scheduler."""


def prepared(after_batch: Callable[[Run], None] = step_every_batch, **arguments: Any) -> list[Record]:
    return Run(fresh_accelerator(**arguments)).prepare(scheduler=True).train(UPDATES, after_batch)


def prepared_and_stretched() -> list[Record]:
    accelerator = fresh_accelerator()
    run = Run(accelerator, fs.stretch(SCHEDULE, accelerator.num_processes)).prepare(scheduler=True)
    return run.train(UPDATES, step_every_batch)


def not_prepared(after_batch: Callable[[Run], None]) -> list[Record]:
    return Run(fresh_accelerator()).prepare(scheduler=False).train(UPDATES, after_batch)


def built_on_the_prepared_optimizer() -> list[Record]:
    run = Run(fresh_accelerator()).prepare(scheduler=False)
    run.scheduler = lambda_lr(run.optimizer, SCHEDULE)
    return run.train(UPDATES, step_every_update)


def stepped_by_the_optimizer(fused: bool = False, overflows: tuple[int, ...] = ()) -> list[Record]:
    run = Run(accelerator_with_scaler() if overflows else fresh_accelerator(), fused=fused)
    step_with_updates(run.optimizer, run.scheduler)
    return run.prepare(scheduler=False).train(UPDATES, no_step, overflows)


def with_overflows(fused: bool) -> list[Record]:
    run = Run(accelerator_with_scaler(), fused=fused).prepare(scheduler=False)
    return run.train(UPDATES, step_every_update, OVERFLOWS)


SPLIT_BATCHES = {"dataloader_config": DataLoaderConfiguration(split_batches=True)}
WITHOUT_OPTIMIZER = {"step_scheduler_with_optimizer": False}
SETUPS: dict[str, Callable[[], Any]] = {
    "not prepared, stepped every update": lambda: not_prepared(step_every_update),
    "not prepared, stepped every batch": lambda: not_prepared(step_every_batch),
    "built on the prepared optimizer": built_on_the_prepared_optimizer,
    "stepped by the optimizer": stepped_by_the_optimizer,
    "prepared": prepared,
    "prepared, split batches": lambda: prepared(**SPLIT_BATCHES),
    "prepared, stretched": prepared_and_stretched,
    "prepared, without the optimizer, stepped every update": lambda: prepared(step_every_update, **WITHOUT_OPTIMIZER),
    "prepared, without the optimizer, stepped every batch": lambda: prepared(step_every_batch, **WITHOUT_OPTIMIZER),
    "overflows": lambda: with_overflows(fused=False),
    "overflows, fused": lambda: with_overflows(fused=True),
    "overflows, stepped by the optimizer": lambda: stepped_by_the_optimizer(overflows=OVERFLOWS),
    "overflows, fused, stepped by the optimizer": lambda: stepped_by_the_optimizer(fused=True, overflows=OVERFLOWS),
    "example": accelerate_loop.main,
}


def resume_from_every_checkpoint(folder: Path, prepare_scheduler: bool) -> dict[str, Any]:
    """The records and final weights of an uninterrupted run, and of runs that resume from its checkpoints."""
    step = step_every_batch if prepare_scheduler else step_every_update

    def build() -> Run:
        run = Run(fresh_accelerator(**(SPLIT_BATCHES if prepare_scheduler else {}))).prepare(prepare_scheduler)
        if not prepare_scheduler:
            run.accelerator.register_for_checkpointing(run.scheduler)
        return run

    def step_and_save(run: Run) -> None:
        step(run)
        run.batch += 1
        update = len(run.records)
        if run.accelerator.sync_gradients and update in SAVED:
            run.accelerator.save_state(str(folder / str(update)))
            batch_in_epoch[update] = run.batch % 5

    batch_in_epoch: dict[int, int] = {}
    uninterrupted = build()
    results: dict[str, Any] = {
        "uninterrupted": [uninterrupted.train(TOTAL, step_and_save), uninterrupted.weights()],
    }
    uninterrupted.accelerator.wait_for_everyone()
    for update in SAVED:
        resumed = build()
        resumed.accelerator.load_state(str(folder / str(update)))
        records = resumed.train(TOTAL - update, step, skip=batch_in_epoch[update])
        results[str(update)] = [records, resumed.weights()]
    return results


def write_results(folder: str) -> None:
    torch.set_num_threads(1)
    results = {setup: train() for setup, train in SETUPS.items()}
    accelerator = fresh_accelerator()
    processes, rank = accelerator.num_processes, accelerator.process_index
    for name, prepare_scheduler in (("registered", False), ("prepared", True)):
        checkpoints = Path(folder) / f"{processes} {name}"
        results[f"checkpoints, {name}"] = resume_from_every_checkpoint(checkpoints, prepare_scheduler)
    (Path(folder) / f"{processes} {rank}.json").write_text(json.dumps(results))


# The tests.


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """The results of all runs, by the number of processes."""
    folder = tmp_path_factory.mktemp("accelerate")
    run_python("-m", "tests.stacks.test_accelerate", folder)
    by_rank = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert by_rank.keys() == {"1 0", "2 0", "2 1"}
    assert by_rank["2 0"] == by_rank["2 1"]
    return {1: by_rank["1 0"], 2: by_rank["2 0"]}


def rates(records: list[Record]) -> list[float]:
    return [used for used, _ in records]


def applied_rates(records: list[Record]) -> list[float]:
    """The learning rates of the updates that changed the weights."""
    return [used for used, changed in records if changed]


RATES = [rate(update) for update in range(UPDATES)]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize(
    "setup",
    [
        "not prepared, stepped every update",
        "built on the prepared optimizer",
        "stepped by the optimizer",
        "prepared, split batches",
        "prepared, stretched",
        "prepared, without the optimizer, stepped every update",
    ],
)
def test_every_update_uses_the_rate_of_the_formula(results: Any, setup: str, processes: int) -> None:
    assert rates(results[processes][setup]) == RATES


@pytest.mark.parametrize("processes", PROCESSES)
def test_a_prepared_scheduler_takes_one_step_per_process(results: Any, processes: int) -> None:
    assert rates(results[processes]["prepared"]) == [rate(update * processes) for update in range(UPDATES)]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize(
    "setup", ["not prepared, stepped every batch", "prepared, without the optimizer, stepped every batch"]
)
def test_a_scheduler_stepped_every_batch_runs_ahead_of_the_updates(results: Any, setup: str, processes: int) -> None:
    # An epoch has 5 batches: two updates of 2 and one of 1. The first batch of a pair steps before its update.
    steps = [5 * (update // 3) + ACCUMULATION * (update % 3) + (update % 3 != 2) for update in range(UPDATES)]
    assert rates(results[processes][setup]) == [rate(step) for step in steps]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize(
    "setup", ["overflows", "overflows, stepped by the optimizer", "overflows, fused, stepped by the optimizer"]
)
def test_a_skipped_update_takes_no_step(results: Any, setup: str, processes: int) -> None:
    assert applied_rates(results[processes][setup]) == RATES[: UPDATES - len(OVERFLOWS)]


# Accelerate does not notice that a fused optimizer skipped an update.
@pytest.mark.parametrize("processes", PROCESSES)
def test_an_update_skipped_by_a_fused_optimizer_takes_a_step(results: Any, processes: int) -> None:
    expected = [rate(update) for update in range(TOTAL) if update not in OVERFLOWS]
    assert applied_rates(results[processes]["overflows, fused"]) == expected


# Resuming.


@pytest.mark.parametrize("update", SAVED)
@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("name", ["registered", "prepared"])
def test_a_resumed_run_is_identical_to_the_uninterrupted_run(
    results: Any, name: str, processes: int, update: int
) -> None:
    checkpoints = results[processes][f"checkpoints, {name}"]
    records, weights = checkpoints["uninterrupted"]
    assert checkpoints[str(update)] == [records[update:], weights]


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("name", ["registered", "prepared"])
def test_the_uninterrupted_run_uses_the_rates_of_the_formula(results: Any, name: str, processes: int) -> None:
    records, _ = results[processes][f"checkpoints, {name}"]["uninterrupted"]
    assert rates(records) == RATES[:TOTAL]


# The example.


@pytest.mark.parametrize("processes", PROCESSES)
def test_the_example_resumes_and_uses_the_rates_of_the_formula(results: Any, processes: int) -> None:
    example_rate = warmup_linear_rate(4, 20)
    assert results[processes]["example"] == [example_rate(update) for update in range(20)]


if __name__ == "__main__":
    debug_launcher(write_results, args=(sys.argv[1],), num_processes=2)
    write_results(sys.argv[1])
