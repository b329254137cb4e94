"""`lambda_lr` in `transformers.Trainer`: accumulation, checkpoints, several processes, and updates left out."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import hf_trainer
from examples.stacks.hf_trainer import UPDATES, build

ROOT = Path(__file__).parents[2]
BATCHES_PER_EPOCH = 18


def rate(update: int) -> float:
    """What the schedule of the example means, in numbers that a float holds exactly."""
    return 0.5 * (update / 4 if update < 4 else max(20 - update, 0) / 16)


class Reader(TrainerCallback):
    """Reads the rate where a user would: between the gradients and the update."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_pre_optimizer_step(self, *_: Any, optimizer: Any, **__: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


class Run(NamedTuple):
    trainer: Trainer
    used: list[list[float]]  # at each call of the optimizer, the rates of its groups
    read: list[float]

    def logged(self) -> list[float]:
        return [entry["learning_rate"] for entry in self.trainer.state.log_history if "learning_rate" in entry]

    def weights(self) -> list[float]:
        return [value for weight in self.trainer.model.parameters() for value in weight.flatten().tolist()]


def follow(trainer: Trainer) -> Run:
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    reader = Reader()
    trainer.add_callback(reader)
    used: list[list[float]] = []
    # The optimizer that the rates are for, not the wrapper that the trainer puts around it.
    trainer.optimizer.register_step_pre_hook(
        lambda optimizer, *_: used.append([group["lr"] for group in optimizer.param_groups])
    )
    return Run(trainer, used, reader.rates)


def trained(folder: Path, resume: Path | None = None, **arguments: Any) -> Run:
    run = follow(build(str(folder), **{"save_strategy": "no", **arguments}))
    run.trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that is never interrupted, with a checkpoint after each update."""
    return trained(tmp_path_factory.mktemp("whole"), save_strategy="steps", save_steps=1)


def checkpoint(run: Run, update: int) -> Path:
    return Path(run.trainer.args.output_dir) / f"checkpoint-{update}"


# The rates in use.


def test_the_rate_of_each_update_is_that_of_the_schedule(whole: Run) -> None:
    assert whole.used == [[rate(update)] for update in range(UPDATES)]


def test_a_callback_reads_the_rate_of_each_update(whole: Run) -> None:
    assert whole.read == [rate(update) for update in range(UPDATES)]


def test_the_log_has_the_rate_of_each_update(whole: Run) -> None:
    assert whole.logged() == [rate(update) for update in range(UPDATES)]


@pytest.mark.parametrize("accumulation", [1, 2, 4, 5, 18, 30])
def test_an_update_takes_one_step_however_many_batches_it_takes(accumulation: int, tmp_path: Path) -> None:
    run = trained(tmp_path, gradient_accumulation_steps=accumulation)
    assert run.used == [[rate(update)] for update in range(UPDATES)]


@pytest.mark.parametrize("accumulation", [1, 4, 5, 30])
def test_an_epoch_takes_a_step_for_its_last_few_batches_too(accumulation: int, tmp_path: Path) -> None:
    run = trained(tmp_path, max_steps=-1, num_train_epochs=3, gradient_accumulation_steps=accumulation)
    assert run.used == [[rate(update)] for update in range(3 * math.ceil(BATCHES_PER_EPOCH / accumulation))]


def test_past_the_end_of_the_schedule_the_rate_is_held(tmp_path: Path) -> None:
    run = trained(tmp_path, max_steps=UPDATES + 3)
    assert run.used[UPDATES - 1 :] == [[0.03125], [0.0], [0.0], [0.0]]


def test_what_the_arguments_say_of_rates_does_not_count(tmp_path: Path) -> None:
    run = trained(tmp_path, learning_rate=9.0, warmup_steps=7, lr_scheduler_type="cosine")
    assert run.used == [[rate(update)] for update in range(UPDATES)]


def test_each_group_follows_its_own_schedule(tmp_path: Path) -> None:
    run = two_groups(tmp_path)
    run.trainer.train()
    assert run.used == [[rate(update), 0.25 * min(update / 8, 1)] for update in range(UPDATES)]


def two_groups(folder: Path) -> Run:
    trainer = build(str(folder), save_steps=6)
    weight, bias = trainer.model.parameters()
    optimizer = torch.optim.SGD([{"params": [weight], "lr": 0.5}, {"params": [bias], "lr": 0.25}], momentum=0.9)
    scheduler = lambda_lr(optimizer, [fs.warmup_linear(4, UPDATES), fs.warmup_constant(8)])
    data = trainer.train_dataset
    return follow(Trainer(trainer.model, trainer.args, train_dataset=data, optimizers=(optimizer, scheduler)))


# Resuming.


@pytest.mark.parametrize("update", [1, 3, 4, 5, 7, 10, 18])
def test_a_run_that_resumes_equals_the_uninterrupted_one(update: int, whole: Run, tmp_path: Path) -> None:
    run = trained(tmp_path, resume=checkpoint(whole, update))
    assert run.used == whole.used[update:]
    assert run.weights() == whole.weights()


@pytest.mark.parametrize("update", [5, 10])
def test_a_run_that_resumes_logs_the_rates_of_the_uninterrupted_one(update: int, whole: Run, tmp_path: Path) -> None:
    assert trained(tmp_path, resume=checkpoint(whole, update)).logged() == whole.logged()


def test_groups_with_schedules_of_their_own_resume(tmp_path: Path) -> None:
    first, second = two_groups(tmp_path), two_groups(tmp_path)
    first.trainer.train()
    second.trainer.train(resume_from_checkpoint=str(checkpoint(first, 6)))
    assert (second.used, second.weights()) == (first.used[6:], first.weights())


# The twin: what a run that begins anew would use.
def test_a_run_that_does_not_resume_uses_other_rates(whole: Run, tmp_path: Path) -> None:
    assert trained(tmp_path, max_steps=10).used != whole.used[10:]


def test_the_state_in_a_checkpoint_is_plain_data_of_the_update(whole: Run) -> None:
    state = torch.load(checkpoint(whole, 7) / "scheduler.pt", weights_only=True)
    assert (state["last_epoch"], state["_last_lr"], state["base_lrs"]) == (7, [rate(7)], [0.5])


# Several processes.

PROCESSES = """
import json, sys, tempfile
from accelerate import debug_launcher
from transformers import PrinterCallback, ProgressCallback
from examples.stacks.hf_trainer import build

def work(path):
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
    debug_launcher(work, args=(sys.argv[1],), num_processes=2)
"""


def test_two_processes_take_one_step_for_each_update_in_both(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, tmp_path], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    written = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert written == [[2, [rate(update) for update in range(UPDATES)]]] * 2


# Updates that a scaler leaves out. The trainer asks for a scaler on devices with float16 alone, so it is set by hand.


class Overflow(TrainerCallback):
    """Makes gradients infinite, and notes the rates at which the weights moved."""

    def __init__(self, bad: set[int]) -> None:
        self.bad, self.made = bad, []
        self.calls = 0

    def on_pre_optimizer_step(self, *_: Any, model: Any, optimizer: Any, **__: Any) -> None:
        if self.calls in self.bad:
            model.linear.bias.grad.fill_(torch.inf)
        self.calls += 1
        self.before, self.rate = model.linear.weight.detach().clone(), optimizer.param_groups[0]["lr"]

    def on_optimizer_step(self, *_: Any, model: Any, **__: Any) -> None:
        if not torch.equal(self.before, model.linear.weight):
            self.made.append(self.rate)


def with_scaler(folder: Path, fused: bool) -> tuple[Overflow, Trainer]:
    trainer = build(str(folder), save_strategy="no", max_grad_norm=0.0)
    optimizer = torch.optim.AdamW(trainer.model.parameters(), lr=0.5, fused=fused)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES, start=0.25))
    trainer = Trainer(
        trainer.model, trainer.args, train_dataset=trainer.train_dataset, optimizers=(optimizer, scheduler)
    )
    trainer.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    overflow = Overflow({0, 1, 6, 12})
    trainer.add_callback(overflow)
    follow(trainer)
    trainer.train()
    return overflow, trainer


def after_a_quarter(update: int) -> float:
    return 0.5 * (0.25 + 0.75 * update / 4 if update < 4 else (20 - update) / 16)


def test_an_update_left_out_takes_no_step_but_counts_for_the_trainer(tmp_path: Path) -> None:
    overflow, trainer = with_scaler(tmp_path, fused=False)
    assert overflow.made == [after_a_quarter(update) for update in range(UPDATES - 4)]
    assert (trainer.state.global_step, trainer.lr_scheduler.last_epoch) == (UPDATES, UPDATES - 4)


# The trainer does not learn that a fused optimizer left an update out, and steps the scheduler all the same.
def test_an_update_left_out_by_a_fused_optimizer_takes_a_step(tmp_path: Path) -> None:
    overflow, _ = with_scaler(tmp_path, fused=True)
    assert overflow.made == [after_a_quarter(update) for update in range(UPDATES) if update not in {0, 1, 6, 12}]


# The example.


def test_the_example_resumes_on_its_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert hf_trainer.main() == [rate(update) for update in range(UPDATES)]
    assert "20 updates, at rates [0.0, 0.125, " in capsys.readouterr().out
