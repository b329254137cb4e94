"""`Clock` compared with the counts of torch, Accelerate, HF Trainer and Megatron."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest
import torch

from funcsched.units.clock import Clock
from tests import peers


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [12, 13, 17, 18, 24, 25])
def test_batches_per_epoch_match_torch_data_loader(size: int, processes: int, drop_last: bool) -> None:
    clock = Clock(batch_size=4, processes=processes, dataset_size=size, drop_last=drop_last)
    for rank in range(processes):
        sampler: Any = torch.utils.data.DistributedSampler(range(size), processes, rank, drop_last=drop_last)
        loader: Any = torch.utils.data.DataLoader(range(size), 4, sampler=sampler, drop_last=drop_last)
        assert len(list(loader)) == clock.steps(epochs=1)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [12, 13, 17, 18, 24, 25])
def test_batches_per_epoch_match_accelerate(size: int, processes: int, drop_last: bool) -> None:
    from accelerate.data_loader import BatchSamplerShard

    clock = Clock(batch_size=4, processes=processes, dataset_size=size, drop_last=drop_last)
    batches = torch.utils.data.BatchSampler(torch.utils.data.SequentialSampler(range(size)), 4, drop_last)
    for rank in range(processes):
        assert len(list(BatchSamplerShard(batches, processes, rank))) == clock.steps(epochs=1)


class BatchSizeRecorder(torch.nn.Module):
    """A model that records the size of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.sizes: list[int] = []

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        self.sizes.append(len(inputs))
        return {"loss": (self.weight * inputs).sum()}


@pytest.mark.parametrize(
    ("size", "batch", "accumulation", "drop_last", "epochs"),
    [
        (16, 4, 2, False, 2),  # every update is full
        (18, 4, 2, False, 2),  # the last update of an epoch has one batch, of 2 samples
        (18, 4, 2, True, 2),
        (15, 4, 4, False, 3),  # the last batch has 3 samples and completes the update
        (15, 4, 4, True, 3),
        (9, 4, 8, False, 2),  # an epoch has fewer batches than a full update
        (7, 1, 3, False, 2),
    ],
)
def test_updates_and_samples_match_hf_trainer(
    size: int, batch: int, accumulation: int, drop_last: bool, epochs: int, tmp_path: Any
) -> None:
    from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments

    model = BatchSizeRecorder()
    samples = [0]

    class SampleCounter(TrainerCallback):
        def on_optimizer_step(self, *_: Any, **__: Any) -> None:
            samples.append(sum(model.sizes))

    trainer = Trainer(
        model,
        TrainingArguments(
            str(tmp_path),
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
            dataloader_drop_last=drop_last,
            num_train_epochs=epochs,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
        ),
        train_dataset=[{"inputs": torch.ones(1)}] * size,
        callbacks=[SampleCounter()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    trainer.train()
    clock = Clock(
        batch_size=batch,
        accumulation=accumulation,
        dataset_size=size,
        drop_last=drop_last,
        run={"epochs": epochs},
    )
    assert trainer.state.global_step == trainer.state.max_steps == clock.total_steps
    assert samples == [clock.samples(step) for step in range(clock.total_steps + 1)]


def test_hf_trainer_rounds_fractions_up_in_floating_point(tmp_path: Any) -> None:
    from transformers import TrainingArguments

    def trainer_warmup_steps(fraction: float) -> int:
        return int(TrainingArguments(str(tmp_path), warmup_steps=fraction, report_to="none").get_warmup_steps(100))

    clock = Clock(batch_size=1, run={"updates": 100})
    assert trainer_warmup_steps(0.1) == clock.steps(fraction=0.1) == 10
    assert trainer_warmup_steps(0.105) == clock.steps(fraction=0.105) == 11
    assert (trainer_warmup_steps(0.07), clock.steps(fraction=0.07)) == (8, 7)  # in floats, 100 * 0.07 is above 7


def megatron_samples(start: int, increment: int, samples: int, last: int, updates: int) -> list[int]:
    """The samples used after each update, from Megatron's calculator."""
    peers.megatron()  # skips the test if Megatron is not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("megatron.core.num_microbatches_calculator")
    calculator = module.RampupBatchsizeNumMicroBatchesCalculator(last, 1, 1, False, 1, start, increment, samples)
    consumed = [0]
    for _ in range(updates):
        calculator.update(consumed[-1], True)
        consumed.append(consumed[-1] + calculator.get_current_global_batch_size())
    return consumed


@pytest.mark.parametrize(
    ("start", "increment", "samples", "last", "updates"),
    [
        (16, 8, 300, 40, 40),
        (2, 1, 10, 5, 30),
        (1, 1, 1, 4, 10),
        (32, 32, 65_536, 256, 2_000),
        (16, 16, 5_859_375, 1536, 30_000),  # GPT-3
        (192, 192, 9_765_625, 2048 + 64, 20_000),
    ],
)
def test_samples_of_a_ramp_match_megatron(start: int, increment: int, samples: int, last: int, updates: int) -> None:
    clock = Clock(samples_per_update=Clock.rampup(start, increment, samples, global_batch_size=last))
    assert [clock.samples(step) for step in range(updates + 1)] == megatron_samples(
        start, increment, samples, last, updates
    )


def test_ramp_is_exact_where_megatron_rounds_the_count_down() -> None:
    ramp = Clock.rampup(1, 1, 812, global_batch_size=50)
    assert ramp["samples"][14] == (232, 15)  # 14 * 812 / 49
    assert int(232 / (812 / 49)) == 13
    clock = Clock(samples_per_update=ramp)
    megatron = megatron_samples(1, 1, 812, 50, 60)
    exact = [clock.samples(step) for step in range(61)]
    assert megatron[55] == exact[55] == 232
    assert megatron[:56] == exact[:56]
    assert (megatron[56], exact[56]) == (232 + 14, 232 + 15)
