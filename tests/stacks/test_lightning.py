"""`lambda_lr` in Lightning: accumulation, checkpoints, several processes, and updates that a scaler leaves out.

Run as a program, this file trains in two processes and writes down the rates of both.
"""

from __future__ import annotations

import copy
import csv
import json
import math
import os
import subprocess
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

pytestmark = [
    # Lightning asks torch about a class that torch renamed.
    pytest.mark.filterwarnings("ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning"),
    # The runs that resume have no need to save; that of the example saves where the first one did.
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`, callbacks used to create:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty:UserWarning"),
    # The batches depend on their number, not on the loader.
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch:UserWarning"),
]

ROOT = Path(__file__).parents[2]
BATCHES_PER_EPOCH = 7
SAVED = [1, 3, 4, 5, 8, 13, 18]  # within an epoch and at its end
BAD = {0, 1, 6, 12}  # updates with an infinite gradient


def rate(update: int) -> float:
    """What the schedule of the example means, in numbers that a float holds exactly."""
    return 0.5 * (update / 4 if update < 4 else max(20 - update, 0) / 16)


class Model(Regression):
    """The example's, on data that depend on the number of the batch; it notes the rates at each call of the optimizer.

    The data are its own because Lightning begins an epoch that it resumes with the first batch of the loader.
    """

    interval: str | None = "step"

    def __init__(self) -> None:
        super().__init__()
        self.used: list[list[float]] = []

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + index)
        return super().training_step([inputs, inputs.sum(1, keepdim=True)], index)

    def configure_optimizers(self) -> Any:
        configured = self.configured()
        configured["optimizer"].register_step_pre_hook(
            lambda optimizer, *_: self.used.append([group["lr"] for group in optimizer.param_groups])
        )
        if self.interval is None:
            del configured["lr_scheduler"]["interval"]
        return configured

    def configured(self) -> Any:
        return super().configure_optimizers()

    def weights(self) -> list[float]:
        return [value for weight in self.parameters() for value in weight.flatten().tolist()]


class TwoGroups(Model):
    def configured(self) -> Any:
        groups = [{"params": [self.linear.weight], "lr": 0.5}, {"params": [self.linear.bias], "lr": 0.25}]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
        scheduler = lambda_lr(optimizer, [fs.warmup_linear(4, UPDATES), fs.warmup_constant(8)])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


class Reader(Callback):
    """Reads the rate where a user would: between the gradients and the update."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


class Run(NamedTuple):
    model: Any
    read: list[float]
    folder: Path


def trained(folder: Path, model: type[Model] = Model, resume: Path | None = None, **arguments: Any) -> Run:
    module, reader = model(), Reader()
    callbacks = [reader, *arguments.pop("callbacks", [])]
    saves = any(isinstance(callback, ModelCheckpoint) for callback in callbacks)
    # Checkpoints must be what torch loads by its safe default.
    resuming = {"ckpt_path": resume, "weights_only": True} if resume else {}
    trainer(folder, callbacks=callbacks, enable_checkpointing=saves, **arguments).fit(module, batches(), **resuming)
    return Run(module, reader.rates, folder)


def saving(folder: Path, model: type[Model] = Model) -> Run:
    """A run with a checkpoint after each update."""
    every = ModelCheckpoint(folder, filename="{step}", every_n_train_steps=1, save_top_k=-1)
    logger = CSVLogger(folder, name="", version="")
    return trained(folder, model, callbacks=[every, LearningRateMonitor("step")], logger=logger, log_every_n_steps=1)


def checkpoint(run: Run, update: int) -> Path:
    return run.folder / f"step={update}.ckpt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that is never interrupted."""
    return saving(tmp_path_factory.mktemp("whole"))


# The rates in use.


def test_the_rate_of_each_update_is_that_of_the_schedule(whole: Run) -> None:
    assert whole.model.used == [[rate(update)] for update in range(UPDATES)]


def test_a_callback_reads_the_rate_of_each_update(whole: Run) -> None:
    assert whole.read == [rate(update) for update in range(UPDATES)]


def test_the_monitor_logs_the_rate_of_each_update(whole: Run) -> None:
    with (whole.folder / "metrics.csv").open() as file:
        logged = {int(row["step"]): float(row["lr-AdamW"]) for row in csv.DictReader(file)}
    assert logged == {update: rate(update) for update in range(UPDATES)}


@pytest.mark.parametrize("accumulation", [1, 2, 3, 7, 10])
def test_an_update_takes_one_step_however_many_batches_it_takes(accumulation: int, tmp_path: Path) -> None:
    run = trained(tmp_path, accumulate_grad_batches=accumulation)
    assert run.model.used == [[rate(update)] for update in range(UPDATES)]


@pytest.mark.parametrize("accumulation", [1, 2, 3, 10])
def test_an_epoch_takes_a_step_for_its_last_few_batches_too(accumulation: int, tmp_path: Path) -> None:
    run = trained(tmp_path, max_steps=-1, max_epochs=3, accumulate_grad_batches=accumulation)
    assert run.model.used == [[rate(update)] for update in range(3 * math.ceil(BATCHES_PER_EPOCH / accumulation))]


def test_past_the_end_of_the_schedule_the_rate_is_held(tmp_path: Path) -> None:
    run = trained(tmp_path, max_steps=UPDATES + 3)
    assert run.model.used[UPDATES - 1 :] == [[0.03125], [0.0], [0.0], [0.0]]


def test_each_group_follows_its_own_schedule(tmp_path: Path) -> None:
    run = trained(tmp_path, TwoGroups)
    assert run.model.used == [[rate(update), 0.25 * min(update / 8, 1)] for update in range(UPDATES)]


# The twin: what Lightning does by default.
def test_without_the_interval_the_scheduler_takes_a_step_after_each_epoch(tmp_path: Path) -> None:
    class Default(Model):
        interval = None

    run = trained(tmp_path, Default)
    updates_per_epoch = math.ceil(BATCHES_PER_EPOCH / 2)
    assert run.model.used == [[rate(update // updates_per_epoch)] for update in range(UPDATES)]


# Resuming.


@pytest.mark.parametrize("update", SAVED)
def test_a_run_that_resumes_equals_the_uninterrupted_one(update: int, whole: Run, tmp_path: Path) -> None:
    run = trained(tmp_path, resume=checkpoint(whole, update))
    assert run.model.used == whole.model.used[update:]
    assert run.model.weights() == whole.model.weights()


def saved_at_its_end(folder: Path, update: int) -> tuple[Model, Path]:
    """A run that reached its `max_steps`, and its checkpoint."""
    module, path = Model(), folder / "end.ckpt"
    training = trainer(folder, max_steps=update, callbacks=[], enable_checkpointing=False)
    training.fit(module, batches())
    training.save_checkpoint(path)
    return module, path


@pytest.mark.parametrize("update", [5, 10])
def test_a_run_that_reached_its_last_update_is_continued_like_the_uninterrupted_one(
    update: int, whole: Run, tmp_path: Path
) -> None:
    first, path = saved_at_its_end(tmp_path, update)
    second = trained(tmp_path, resume=path).model
    assert first.used + second.used == whole.model.used
    assert second.weights() == whole.model.weights()


# Lightning goes on with one batch more than the epoch has: the weights are others, the rates are not.
@pytest.mark.parametrize("update", [4, 8])
def test_a_run_that_ended_with_an_epoch_is_continued_at_the_same_rates(update: int, whole: Run, tmp_path: Path) -> None:
    first, path = saved_at_its_end(tmp_path, update)
    assert first.used + trained(tmp_path, resume=path).model.used == whole.model.used


def test_groups_with_schedules_of_their_own_resume(tmp_path: Path) -> None:
    first = saving(tmp_path, TwoGroups)
    second = trained(tmp_path, TwoGroups, resume=checkpoint(first, 6))
    assert (second.model.used, second.model.weights()) == (first.model.used[6:], first.model.weights())


# The twin: what a run that begins anew would use.
def test_a_run_that_does_not_resume_uses_other_rates(whole: Run, tmp_path: Path) -> None:
    assert trained(tmp_path, max_steps=12).model.used != whole.model.used[8:]


def test_the_state_in_a_checkpoint_is_plain_data_of_the_update(whole: Run) -> None:
    (state,) = torch.load(checkpoint(whole, 7), weights_only=True)["lr_schedulers"]
    assert (state["last_epoch"], state["_last_lr"], state["base_lrs"]) == (7, [rate(7)], [0.5])


# Several processes.


def in_two_processes(folder: Path) -> None:
    class Written(Model):
        def on_train_end(self) -> None:
            (folder / f"{self.global_rank}.json").write_text(json.dumps([self.trainer.world_size, self.used]))

    trained(folder, Written, strategy="ddp_fork", devices=2)


def test_two_processes_take_one_step_for_each_update_in_both(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.stacks.test_lightning", tmp_path],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    written = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert written == [[2, [[rate(update)] for update in range(UPDATES)]]] * 2


# Updates that a scaler leaves out.


class Overflowing(Model):
    """Gradients of some updates are infinite; notes the rates at which the weights moved, from a warmup above 0."""

    fused = False
    by_optimizer = False

    def __init__(self) -> None:
        super().__init__()
        self.made: list[float] = []

    def configured(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.5, fused=self.fused)
        scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES, start=0.25))
        if self.by_optimizer:
            step_with_updates(optimizer, scheduler)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        if not self.by_optimizer:
            super().lr_scheduler_step(scheduler, metric)

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        loss = super().training_step(batch, index)
        return loss * torch.inf if self.global_step in BAD else loss

    def optimizer_step(self, epoch: int, index: int, optimizer: Any, closure: Any = None) -> None:
        before, used = copy.deepcopy(self.weights()), optimizer.param_groups[0]["lr"]
        super().optimizer_step(epoch, index, optimizer, closure)
        if self.weights() != before:
            self.made.append(used)


class OverflowingByOptimizer(Overflowing):
    by_optimizer = True


class FusedByOptimizer(Overflowing):
    fused, by_optimizer = True, True


def with_scaler() -> MixedPrecision:
    return MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=4.0))


def from_a_quarter(update: int) -> float:
    return 0.5 * (0.25 + 0.75 * update / 4 if update < 4 else (20 - update) / 16)


# Lightning steps the scheduler whatever the scaler did.
def test_an_update_that_a_scaler_leaves_out_takes_a_step(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        run = trained(tmp_path, Overflowing, plugins=[with_scaler()])
    assert run.model.made == [from_a_quarter(update) for update in range(UPDATES) if update not in BAD]


@pytest.mark.parametrize("model", [OverflowingByOptimizer, FusedByOptimizer])
def test_an_update_left_out_takes_no_step_where_the_optimizer_steps_the_scheduler(
    model: type[Model], tmp_path: Path
) -> None:
    run = trained(tmp_path, model, plugins=[with_scaler()])
    assert run.model.made == [from_a_quarter(update) for update in range(UPDATES - len(BAD))]


def test_the_step_by_the_optimizer_resumes(tmp_path: Path) -> None:
    every = ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=1, save_top_k=-1)
    first = trained(tmp_path, OverflowingByOptimizer, callbacks=[every], plugins=[with_scaler()])
    second = trained(tmp_path, OverflowingByOptimizer, resume=tmp_path / "step=9.ckpt", plugins=[with_scaler()])
    assert second.model.made == [from_a_quarter(update) for update in range(6, UPDATES - len(BAD))]
    assert second.model.weights() == first.model.weights()


# The example.


def test_the_example_resumes_on_its_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert lightning_trainer.main() == [rate(update) for update in range(UPDATES)]
    assert "20 updates, at rates [0.0, 0.125, " in capsys.readouterr().out


if __name__ == "__main__":
    in_two_processes(Path(sys.argv[1]))
