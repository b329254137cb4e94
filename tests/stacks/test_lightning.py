"""`lambda_lr` in Lightning: accumulation, checkpoints, several processes, and updates that a scaler skips.

Run as a program, this module trains in two processes and writes the learning rates of both.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins import MixedPrecision

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import lightning_trainer
from examples.stacks.grad_scaler import step_with_updates
from examples.stacks.lightning_trainer import UPDATES, Regression, batches, trainer
from tests.stacks.curves import warmup_linear_rate
from tests.stacks.processes import run_python

pytestmark = [
    # Lightning uses a class that torch has renamed.
    pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning"),
    # The resumed runs save no checkpoints; the example saves to the folder of its first run.
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`, callbacks used to create:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty:UserWarning"),
    # The data depend on the batch index, not on the loader.
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch:UserWarning"),
]

BATCHES_PER_EPOCH = 7
SAVED = [1, 3, 4, 5, 8, 13, 18]  # within an epoch and at its end
OVERFLOWS = {0, 1, 6, 12}  # updates with an infinite gradient
rate = warmup_linear_rate(4, 20)  # of the example
RATES = [rate(update) for update in range(UPDATES)]


class Model(Regression):
    """The model of the example; it records the learning rates of the groups at each call of the optimizer.

    Its data depend on the batch index, because Lightning resumes an epoch with the first batch of the loader.
    """

    interval: str | None = "step"

    def __init__(self) -> None:
        super().__init__()
        self.used: list[list[float]] = []

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + index)
        return super().training_step([inputs, inputs.sum(1, keepdim=True)], index)

    def configure_optimizers(self) -> Any:
        configuration = self.configuration()
        configuration["optimizer"].register_step_pre_hook(
            lambda optimizer, *_: self.used.append([group["lr"] for group in optimizer.param_groups])
        )
        if self.interval is None:
            del configuration["lr_scheduler"]["interval"]
        return configuration

    def configuration(self) -> Any:
        return super().configure_optimizers()

    def weights(self) -> list[float]:
        return [value for weight in self.parameters() for value in weight.flatten().tolist()]


class TwoGroups(Model):
    def configuration(self) -> Any:
        groups = [{"params": [self.linear.weight], "lr": 0.5}, {"params": [self.linear.bias], "lr": 0.25}]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
        scheduler = lambda_lr(optimizer, [fs.warmup_linear(4, UPDATES), fs.warmup_constant(8)])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


class RateReader(Callback):
    """Reads the learning rate in a callback, after the backward pass and before the update."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


class Run(NamedTuple):
    model: Any
    read: list[float]
    folder: Path


def train(folder: Path, model: type[Model] = Model, resume: Path | None = None, **arguments: Any) -> Run:
    module, reader = model(), RateReader()
    callbacks = [reader, *arguments.pop("callbacks", [])]
    saves = any(isinstance(callback, ModelCheckpoint) for callback in callbacks)
    # weights_only: checkpoints must load with torch's safe default.
    resuming = {"ckpt_path": resume, "weights_only": True} if resume else {}
    trainer(folder, callbacks=callbacks, enable_checkpointing=saves, **arguments).fit(module, batches(), **resuming)
    return Run(module, reader.rates, folder)


def save_every_update(folder: Path) -> ModelCheckpoint:
    return ModelCheckpoint(folder, filename="{step}", every_n_train_steps=1, save_top_k=-1)


def checkpoint(run: Run, update: int) -> Path:
    return run.folder / f"step={update}.ckpt"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that saves a checkpoint after each update and logs the learning rate."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    callbacks = [save_every_update(folder), LearningRateMonitor("step")]
    return train(folder, callbacks=callbacks, logger=CSVLogger(folder, name="", version=""), log_every_n_steps=1)


@pytest.fixture(scope="module")
def two_groups(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with one schedule for each parameter group."""
    folder = tmp_path_factory.mktemp("two_groups")
    return train(folder, TwoGroups, callbacks=[save_every_update(folder)])


# The learning rates in use.


def test_every_update_uses_the_rate_of_the_formula(uninterrupted: Run) -> None:
    assert uninterrupted.model.used == [[value] for value in RATES]


def test_a_callback_reads_the_rate_of_each_update(uninterrupted: Run) -> None:
    assert uninterrupted.read == RATES


def test_the_monitor_logs_the_rate_of_each_update(uninterrupted: Run) -> None:
    with (uninterrupted.folder / "metrics.csv").open() as file:
        logged = {int(line["step"]): float(line["lr-AdamW"]) for line in csv.DictReader(file)}
    assert logged == dict(enumerate(RATES))


@pytest.mark.parametrize("accumulation", [1, 2, 3, 7, 10])
def test_an_update_takes_one_step_for_any_number_of_batches(accumulation: int, tmp_path: Path) -> None:
    run = train(tmp_path, accumulate_grad_batches=accumulation)
    assert run.model.used == [[value] for value in RATES]


@pytest.mark.parametrize("accumulation", [1, 2, 3, 10])
def test_the_incomplete_accumulation_at_the_end_of_an_epoch_takes_one_step(accumulation: int, tmp_path: Path) -> None:
    run = train(tmp_path, max_steps=-1, max_epochs=3, accumulate_grad_batches=accumulation)
    assert run.model.used == [[rate(update)] for update in range(3 * math.ceil(BATCHES_PER_EPOCH / accumulation))]


def test_past_the_end_of_the_schedule_the_rate_is_held(tmp_path: Path) -> None:
    run = train(tmp_path, max_steps=UPDATES + 3)
    assert run.model.used[UPDATES - 1 :] == [[0.03125], [0.0], [0.0], [0.0]]


def test_each_group_follows_its_own_schedule(two_groups: Run) -> None:
    assert two_groups.model.used == [[rate(update), 0.25 * min(update / 8, 1)] for update in range(UPDATES)]


# The documented pitfall.
def test_by_default_lightning_steps_the_scheduler_after_each_epoch(tmp_path: Path) -> None:
    class DefaultInterval(Model):
        interval = None

    run = train(tmp_path, DefaultInterval)
    updates_per_epoch = math.ceil(BATCHES_PER_EPOCH / 2)
    assert run.model.used == [[rate(update // updates_per_epoch)] for update in range(UPDATES)]


# Resuming.


@pytest.mark.parametrize("update", SAVED)
def test_a_resumed_run_is_identical_to_the_uninterrupted_run(update: int, uninterrupted: Run, tmp_path: Path) -> None:
    run = train(tmp_path, resume=checkpoint(uninterrupted, update))
    assert run.model.used == uninterrupted.model.used[update:]
    assert run.model.weights() == uninterrupted.model.weights()


def train_to_max_steps(folder: Path, update: int) -> tuple[Model, Path]:
    """A run that ended at its `max_steps`, and the checkpoint that was saved after it."""
    module, path = Model(), folder / "end.ckpt"
    finished = trainer(folder, max_steps=update, callbacks=[], enable_checkpointing=False)
    finished.fit(module, batches())
    finished.save_checkpoint(path)
    return module, path


@pytest.mark.parametrize("update", [5, 10])
def test_a_run_that_continues_past_its_max_steps_is_identical_to_the_uninterrupted_run(
    update: int, uninterrupted: Run, tmp_path: Path
) -> None:
    first, path = train_to_max_steps(tmp_path, update)
    second = train(tmp_path, resume=path).model
    assert first.used + second.used == uninterrupted.model.used
    assert second.weights() == uninterrupted.model.weights()


# After the last batch of an epoch, Lightning resumes with an additional batch: the weights differ, the rates do not.
@pytest.mark.parametrize("update", [4, 8])
def test_a_run_that_continues_after_the_end_of_an_epoch_uses_the_same_rates(
    update: int, uninterrupted: Run, tmp_path: Path
) -> None:
    first, path = train_to_max_steps(tmp_path, update)
    assert first.used + train(tmp_path, resume=path).model.used == uninterrupted.model.used


def test_groups_with_one_schedule_each_resume(two_groups: Run, tmp_path: Path) -> None:
    resumed = train(tmp_path, TwoGroups, resume=checkpoint(two_groups, 6)).model
    assert (resumed.used, resumed.weights()) == (two_groups.model.used[6:], two_groups.model.weights())


# Control for the tests above: a run that starts again uses different rates.
def test_a_run_that_does_not_resume_uses_different_rates(uninterrupted: Run, tmp_path: Path) -> None:
    assert train(tmp_path, max_steps=12).model.used != uninterrupted.model.used[8:]


def test_the_scheduler_state_in_a_checkpoint_is_plain_data(uninterrupted: Run) -> None:
    (state,) = torch.load(checkpoint(uninterrupted, 7), weights_only=True)["lr_schedulers"]
    assert (state["last_epoch"], state["_last_lr"], state["base_lrs"]) == (7, [rate(7)], [0.5])


# Several processes.


def train_in_two_processes(folder: Path) -> None:
    class WritingModel(Model):
        def on_train_end(self) -> None:
            (folder / f"{self.global_rank}.json").write_text(json.dumps([self.trainer.world_size, self.used]))

    train(folder, WritingModel, strategy="ddp_fork", devices=2)


@pytest.mark.processes
def test_in_two_processes_every_update_takes_one_step_in_both(tmp_path: Path) -> None:
    run_python("-m", "tests.stacks.test_lightning", tmp_path)
    results = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert results == [[2, [[value] for value in RATES]]] * 2


# Updates that a scaler skips.


class Overflow(Model):
    """Some updates have infinite gradients; records the learning rates of the updates that changed the weights."""

    fused = False
    stepped_by_the_optimizer = False

    def __init__(self) -> None:
        super().__init__()
        self.applied_rates: list[float] = []

    def configuration(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.5, fused=self.fused)
        scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES, start=0.25))
        if self.stepped_by_the_optimizer:
            step_with_updates(optimizer, scheduler)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        if not self.stepped_by_the_optimizer:
            super().lr_scheduler_step(scheduler, metric)

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        loss = super().training_step(batch, index)
        return loss * torch.inf if self.global_step in OVERFLOWS else loss

    def optimizer_step(self, epoch: int, index: int, optimizer: Any, closure: Any = None) -> None:
        before, used = self.weights(), optimizer.param_groups[0]["lr"]
        super().optimizer_step(epoch, index, optimizer, closure)
        if self.weights() != before:
            self.applied_rates.append(used)


class OverflowWithHook(Overflow):
    stepped_by_the_optimizer = True


class FusedOverflowWithHook(OverflowWithHook):
    fused = True


def scaler() -> MixedPrecision:
    return MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=4.0))


rate_from_a_quarter = warmup_linear_rate(4, 20, start=0.25)  # above 0, so that the first update changes the weights


# Lightning steps the scheduler whether or not the scaler skipped the update.
def test_by_default_a_skipped_update_takes_a_step(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        run = train(tmp_path, Overflow, plugins=[scaler()])
    assert run.model.applied_rates == [
        rate_from_a_quarter(update) for update in range(UPDATES) if update not in OVERFLOWS
    ]


@pytest.fixture(scope="module")
def with_hook(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose optimizer steps the scheduler, with a checkpoint after each update."""
    folder = tmp_path_factory.mktemp("with_hook")
    return train(folder, OverflowWithHook, callbacks=[save_every_update(folder)], plugins=[scaler()])


def test_with_the_hook_a_skipped_update_takes_no_step(with_hook: Run) -> None:
    assert with_hook.model.applied_rates == [rate_from_a_quarter(update) for update in range(UPDATES - len(OVERFLOWS))]


def test_with_the_hook_an_update_skipped_by_a_fused_optimizer_takes_no_step(tmp_path: Path) -> None:
    run = train(tmp_path, FusedOverflowWithHook, plugins=[scaler()])
    assert run.model.applied_rates == [rate_from_a_quarter(update) for update in range(UPDATES - len(OVERFLOWS))]


def test_a_run_with_the_hook_resumes(with_hook: Run, tmp_path: Path) -> None:
    resumed = train(tmp_path, OverflowWithHook, resume=checkpoint(with_hook, 9), plugins=[scaler()]).model
    assert resumed.applied_rates == [rate_from_a_quarter(update) for update in range(6, UPDATES - len(OVERFLOWS))]
    assert resumed.weights() == with_hook.model.weights()


# The example.


def test_the_example_resumes_and_uses_the_rates_of_the_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert lightning_trainer.main() == RATES
    assert "learning rates of 20 updates: [0.0, 0.125, " in capsys.readouterr().out


if __name__ == "__main__":
    train_in_two_processes(Path(sys.argv[1]))
