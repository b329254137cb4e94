"""`lambda_lr` in `transformers.Trainer`: accumulation, checkpoints, several processes, and skipped updates."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import hf_trainer
from examples.stacks.hf_trainer import UPDATES, build
from tests.stacks.curves import warmup_linear_rate
from tests.stacks.processes import run_python

BATCHES_PER_EPOCH = 18
rate = warmup_linear_rate(4, 20)  # of the example
RATES = [rate(update) for update in range(UPDATES)]


class RateReader(TrainerCallback):
    """Reads the learning rate in a callback, after the backward pass and before the update."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_pre_optimizer_step(self, *_: Any, optimizer: Any, **__: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


class Run(NamedTuple):
    trainer: Trainer
    used: list[list[float]]  # for each call of the optimizer, the learning rates of its groups
    read: list[float]

    def logged(self) -> list[float]:
        return [entry["learning_rate"] for entry in self.trainer.state.log_history if "learning_rate" in entry]

    def weights(self) -> list[float]:
        return [value for weight in self.trainer.model.parameters() for value in weight.flatten().tolist()]


def record(trainer: Trainer) -> Run:
    """Record the learning rates of a trainer that has not started yet."""
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    reader = RateReader()
    trainer.add_callback(reader)
    used: list[list[float]] = []
    # The optimizer itself, not the wrapper that the trainer puts around it.
    trainer.optimizer.register_step_pre_hook(
        lambda optimizer, *_: used.append([group["lr"] for group in optimizer.param_groups])
    )
    return Run(trainer, used, reader.rates)


def train(folder: Path, resume: Path | None = None, **arguments: Any) -> Run:
    run = record(build(str(folder), **{"save_strategy": "no", **arguments}))
    run.trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    return run


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that saves a checkpoint after each update."""
    return train(tmp_path_factory.mktemp("uninterrupted"), save_strategy="steps", save_steps=1)


def checkpoint(run: Run, update: int) -> Path:
    return Path(run.trainer.args.output_dir) / f"checkpoint-{update}"


# The learning rates in use.


def test_every_update_uses_the_rate_of_the_formula(uninterrupted: Run) -> None:
    assert uninterrupted.used == [[value] for value in RATES]


def test_a_callback_reads_the_rate_of_each_update(uninterrupted: Run) -> None:
    assert uninterrupted.read == RATES


def test_the_log_has_the_rate_of_each_update(uninterrupted: Run) -> None:
    assert uninterrupted.logged() == RATES


@pytest.mark.parametrize("accumulation", [1, 4, 30])
def test_an_update_takes_one_step_for_any_number_of_batches(accumulation: int, tmp_path: Path) -> None:
    run = train(tmp_path, gradient_accumulation_steps=accumulation)
    assert run.used == [[value] for value in RATES]


@pytest.mark.parametrize("accumulation", [4, 30])
def test_the_incomplete_accumulation_at_the_end_of_an_epoch_takes_one_step(accumulation: int, tmp_path: Path) -> None:
    run = train(tmp_path, max_steps=-1, num_train_epochs=3, gradient_accumulation_steps=accumulation)
    assert run.used == [[rate(update)] for update in range(3 * math.ceil(BATCHES_PER_EPOCH / accumulation))]


def test_past_the_end_of_the_schedule_the_rate_is_held(tmp_path: Path) -> None:
    run = train(tmp_path, max_steps=UPDATES + 3)
    assert run.used[UPDATES - 1 :] == [[0.03125], [0.0], [0.0], [0.0]]


def test_the_learning_rate_arguments_of_the_trainer_are_ignored(tmp_path: Path) -> None:
    run = train(tmp_path, learning_rate=9.0, warmup_steps=7, lr_scheduler_type="cosine")
    assert run.used == [[value] for value in RATES]


def build_two_groups(folder: Path) -> Run:
    trainer = build(str(folder), save_steps=6)
    weight, bias = trainer.model.parameters()
    optimizer = torch.optim.SGD([{"params": [weight], "lr": 0.5}, {"params": [bias], "lr": 0.25}], momentum=0.9)
    scheduler = lambda_lr(optimizer, [fs.warmup_linear(4, UPDATES), fs.warmup_constant(8)])
    data = trainer.train_dataset
    return record(Trainer(trainer.model, trainer.args, train_dataset=data, optimizers=(optimizer, scheduler)))


@pytest.fixture(scope="module")
def two_groups(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An uninterrupted run with one schedule for each group, and a checkpoint after 6 updates."""
    run = build_two_groups(tmp_path_factory.mktemp("two_groups"))
    run.trainer.train()
    return run


def test_each_group_follows_its_own_schedule(two_groups: Run) -> None:
    assert two_groups.used == [[rate(update), 0.25 * min(update / 8, 1)] for update in range(UPDATES)]


# Resuming.


@pytest.mark.parametrize("update", [1, 4, 7, 18])
def test_a_resumed_run_is_identical_to_the_uninterrupted_run(update: int, uninterrupted: Run, tmp_path: Path) -> None:
    run = train(tmp_path, resume=checkpoint(uninterrupted, update))
    assert run.used == uninterrupted.used[update:]
    assert run.weights() == uninterrupted.weights()
    assert run.logged() == uninterrupted.logged()


def test_groups_with_one_schedule_each_resume(two_groups: Run, tmp_path: Path) -> None:
    resumed = build_two_groups(tmp_path)
    resumed.trainer.train(resume_from_checkpoint=str(checkpoint(two_groups, 6)))
    assert (resumed.used, resumed.weights()) == (two_groups.used[6:], two_groups.weights())


# Control for the tests above: a run that starts again uses different rates.
def test_a_run_that_does_not_resume_uses_different_rates(uninterrupted: Run, tmp_path: Path) -> None:
    assert train(tmp_path, max_steps=10).used != uninterrupted.used[10:]


def test_the_scheduler_state_in_a_checkpoint_is_plain_data(uninterrupted: Run) -> None:
    state = torch.load(checkpoint(uninterrupted, 7) / "scheduler.pt", weights_only=True)
    assert (state["last_epoch"], state["_last_lr"], state["base_lrs"]) == (7, [rate(7)], [0.5])


# Several processes.

TWO_PROCESSES = """
import json, sys, tempfile
from accelerate import debug_launcher
from transformers import PrinterCallback, ProgressCallback
from examples.stacks.hf_trainer import build

def train(path):
    with tempfile.TemporaryDirectory() as folder:
        trainer = build(folder, save_strategy="no")
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
        used = []
        trainer.optimizer.register_step_pre_hook(lambda optimizer, *_: used.append(optimizer.param_groups[0]["lr"]))
        trainer.train()
        with open(f"{path}/{trainer.args.process_index}.json", "w") as file:
            json.dump([trainer.accelerator.num_processes, used], file)

if __name__ == "__main__":
    debug_launcher(train, args=(sys.argv[1],), num_processes=2)
"""


@pytest.mark.processes
def test_in_two_processes_every_update_takes_one_step_in_both(tmp_path: Path) -> None:
    run_python("-c", TWO_PROCESSES, tmp_path)
    assert [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)] == [[2, RATES]] * 2


# Updates that a scaler skips. The trainer has a scaler only on devices that support float16, so the test sets one.

OVERFLOWS = {0, 1, 6, 12}  # optimizer calls with an infinite gradient


class Overflow(TrainerCallback):
    """Makes gradients infinite, and records the learning rates of the updates that changed the weights."""

    def __init__(self) -> None:
        self.applied_rates: list[float] = []
        self.calls = 0

    def on_pre_optimizer_step(self, *_: Any, model: Any, optimizer: Any, **__: Any) -> None:
        if self.calls in OVERFLOWS:
            model.linear.bias.grad.fill_(torch.inf)
        self.calls += 1
        self.before, self.rate = model.linear.weight.detach().clone(), optimizer.param_groups[0]["lr"]

    def on_optimizer_step(self, *_: Any, model: Any, **__: Any) -> None:
        if not torch.equal(self.before, model.linear.weight):
            self.applied_rates.append(self.rate)


def train_with_scaler(folder: Path, fused: bool) -> tuple[list[float], Trainer]:
    """The learning rates of the applied updates, and the trainer."""
    trainer = build(str(folder), save_strategy="no", max_grad_norm=0.0)
    optimizer = torch.optim.AdamW(trainer.model.parameters(), lr=0.5, fused=fused)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES, start=0.25))
    trainer = Trainer(
        trainer.model, trainer.args, train_dataset=trainer.train_dataset, optimizers=(optimizer, scheduler)
    )
    trainer.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    overflow = Overflow()
    trainer.add_callback(overflow)
    record(trainer)
    trainer.train()
    return overflow.applied_rates, trainer


rate_from_a_quarter = warmup_linear_rate(4, 20, start=0.25)  # above 0, so that the first update changes the weights


def test_a_skipped_update_takes_no_step_but_the_trainer_counts_it(tmp_path: Path) -> None:
    applied_rates, trainer = train_with_scaler(tmp_path, fused=False)
    assert applied_rates == [rate_from_a_quarter(update) for update in range(UPDATES - 4)]
    assert (trainer.state.global_step, trainer.lr_scheduler.last_epoch) == (UPDATES, UPDATES - 4)


# The trainer does not notice that a fused optimizer skipped an update, and steps the scheduler.
def test_an_update_skipped_by_a_fused_optimizer_takes_a_step(tmp_path: Path) -> None:
    applied_rates, _ = train_with_scaler(tmp_path, fused=True)
    assert applied_rates == [rate_from_a_quarter(update) for update in range(UPDATES) if update not in OVERFLOWS]


# The example.


def test_the_example_resumes_and_uses_the_rates_of_the_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert hf_trainer.main() == RATES
    assert "learning rates of 20 updates: [0.0, 0.125, " in capsys.readouterr().out
