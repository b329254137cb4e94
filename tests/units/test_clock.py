"""`Clock` beside hand arithmetic, a slow loop over batches, and the counts of torch, HF Trainer and Megatron."""

from __future__ import annotations

import copy
import importlib
import itertools
import math
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from funcsched.units.clock import Clock
from tests import peers

WHOLE = "an integer from 0 to 2**53"
LENGTH = "an integer from 1 to 2**53"


# By hand


def test_a_run_in_tokens_by_hand() -> None:
    clock = Clock(batch_size=8, accumulation=4, processes=16, sequence_length=2048, run={"tokens": 300_000_000_000})
    # 8 * 4 * 16 = 512 samples and 512 * 2048 = 2**20 tokens in an update; 300e9 / 2**20 = 286102.29...
    assert (clock.samples(1), clock.tokens(1)) == (512, 2**20)
    assert clock.total_steps == 286_103
    assert clock.steps(tokens=375_000_000) == 358  # 357.6
    assert clock.steps(fraction=0.5) == 143_052  # 143051.1
    assert clock.steps(samples=512) == 1
    assert clock.steps(samples=513) == 2
    assert clock.tokens(247_956) == 260_000_710_656 == 247_956 * 2**20


@pytest.mark.parametrize(
    ("drop_last", "epoch_end", "after"),
    [
        # 23 samples in batches of 2 * 2 = 4: five of 4 and one of 3; three batches in an update.
        (False, "update", [0, 12, 23, 35, 46]),
        (True, "update", [0, 12, 20, 32, 40]),  # the sixth batch is left out
        (False, "drop", [0, 12, 23, 35, 46]),  # the sixth completes the update
        (True, "drop", [0, 12, 24, 36, 48]),  # and here it is missed
        (False, "join", [0, 12, 24, 36, 48]),
        (True, "join", [0, 12, 24, 36, 48]),
    ],
)
def test_the_end_of_an_epoch_by_hand(drop_last: bool, epoch_end: str, after: list[int]) -> None:
    arguments = {"batch_size": 2, "accumulation": 3, "processes": 2, "dataset_size": 23}
    clock = Clock(**arguments, drop_last=drop_last, epoch_end=epoch_end)
    assert [clock.samples(step) for step in range(5)] == after


@pytest.mark.parametrize(
    ("drop_last", "epoch_end", "one", "two", "five"),
    [
        (False, "update", 2, 4, 10),
        (True, "update", 2, 4, 10),
        (False, "drop", 2, 4, 10),
        (True, "drop", 1, 2, 5),
        (False, "join", 2, 4, 10),  # 23/12, 46/12, 115/12
        (True, "join", 2, 4, 9),  # 20/12, 40/12, 100/12
    ],
)
def test_epochs_by_hand(drop_last: bool, epoch_end: str, one: int, two: int, five: int) -> None:
    arguments = {"batch_size": 2, "accumulation": 3, "processes": 2, "dataset_size": 23}
    clock = Clock(**arguments, drop_last=drop_last, epoch_end=epoch_end)
    assert [clock.steps(epochs=n) for n in (1, 2, 5)] == [one, two, five]


def test_a_ramp_by_hand() -> None:
    clock = Clock(
        samples_per_update={"samples": [(0, 4), (10, 8), (11, 16), (100, 32)]}, sequence_length=10, run={"samples": 200}
    )
    # The update that begins at 12 is past both 10 and 11: the size 8 is never used.
    assert [clock.samples(step) for step in range(12)] == [0, 4, 8, 12, 28, 44, 60, 76, 92, 108, 140, 172]
    assert [clock.steps(samples=n) for n in (12, 13, 28, 29, 108, 109, 140)] == [3, 4, 4, 5, 9, 10, 10]
    assert [clock.steps(tokens=n) for n in (120, 121, 280, 281)] == [3, 4, 4, 5]
    assert clock.total_steps == 12  # 204
    assert [clock.fraction(step) for step in (0, 3, 4, 11, 12, 13)] == [0.0, 0.06, 0.14, 0.86, 1.0, 1.0]


def test_a_ramp_of_each_unit_by_hand() -> None:
    more = {"sequence_length": 10, "dataset_size": 8, "epoch_end": "join"}
    for ramp in (
        {"updates": [(0, 4), (3, 8)]},
        {"updates": [(0, 4), (2, 4), (3, 8)]},
        {"samples": [(0, 4), (12, 8)]},
        {"samples": [(0, 4), (9, 8)]},
        {"tokens": [(0, 4), (120, 8)]},
        {"tokens": [(0, 4), (81, 8)]},
        {"epochs": [(0, 4), (1.5, 8)]},
        {"epochs": [(0, 4), (Fraction(9, 8), 8)]},
    ):
        clock = Clock(samples_per_update=ramp, **more)
        assert [clock.samples(step) for step in range(6)] == [0, 4, 8, 12, 20, 28], ramp


def test_a_ramp_whose_updates_end_with_the_epoch_by_hand() -> None:
    clock = Clock(samples_per_update={"samples": [(0, 4), (14, 8)]}, dataset_size=10)
    # 4, 4, 2; 4, then 8 but 6 are left; 8, 2
    assert [clock.samples(step) for step in range(8)] == [0, 4, 8, 10, 14, 20, 28, 30]
    assert [clock.steps(epochs=n) for n in (1, 2, 3, 103)] == [3, 5, 7, 207]


def test_llama_3_doubles_its_batch_by_hand() -> None:
    # Batches of 4M tokens, after 252M tokens 8M, after 2.87T 16M, with a token as the sample: the sequences grow too.
    million = 2**20
    ramp = {"tokens": [(0, 4 * million), (252e6, 8 * million), (2.87e12, 16 * million)]}
    clock = Clock(samples_per_update=ramp, sequence_length=1, run={"tokens": 15.6e12})
    first = 61  # 60.08 updates of 4M
    second = first + math.ceil((2_870_000_000_000 - first * 4 * million) / (8 * million))
    start = first * 4 * million + (second - first) * 8 * million
    assert clock.steps(tokens=252e6) == first
    assert clock.steps(tokens=2.87e12) == second
    assert clock.total_steps == second + math.ceil((15_600_000_000_000 - start) / (16 * million))


def test_counts_of_any_size_are_exact() -> None:
    clock = Clock(batch_size=3, sequence_length=7, dataset_size=10**9, epoch_end="join", run={"tokens": 2**53})
    assert clock.total_steps == -(-(2**53) // 21)
    for tokens in (10**12, 10**15 + 1, 2**53 - 1):
        assert clock.steps(tokens=tokens) == -(-tokens // 21)
        assert clock.steps(tokens=tokens // 21 * 21) == tokens // 21
        assert clock.steps(tokens=tokens // 21 * 21 + 1) == tokens // 21 + 1
    assert clock.tokens(2**53) == 21 * 2**53
    assert clock.steps(epochs=2**53) == -(-(2**53) * 10**9 // 3)


@pytest.mark.parametrize(
    ("fraction", "total", "steps"),
    [
        (0.1, 1000, 100),  # of the numbers that are written 0.1 the float is a larger one
        (0.07, 100, 7),  # 100 * 0.07 is 7.000000000000001 in floats
        (0.29, 100, 29),
        (1.1 - 1.0, 1000, 101),  # another number, and written otherwise
        (5 / 7, 7, 5),
        (1 / 3, 3 * 10**15, 10**15),
        (Fraction(1, 3), 10, 4),
        (1, 10, 10),
        (1.0, 10, 10),
        (0.0, 10, 0),
        (-0.0, 10, 0),
        (5e-324, 10, 1),
    ],
)
def test_a_float_means_what_it_is_written_as(fraction: float, total: int, steps: int) -> None:
    assert Clock(batch_size=5, run={"updates": total}).steps(fraction=fraction) == steps


def test_a_fraction_is_one_of_the_unit_of_the_run() -> None:
    ramp = {"samples": [(0, 1), (10, 10)]}
    # 10 updates of 1 and 9 of 10 are 100 samples in 19 updates.
    assert Clock(samples_per_update=ramp, run={"samples": 100}).steps(fraction=0.5) == 14
    assert Clock(samples_per_update=ramp, run={"updates": 19}).steps(fraction=0.5) == 10
    assert Clock(samples_per_update=ramp, sequence_length=3, run={"tokens": 300}).steps(fraction=0.5) == 14
    assert (
        Clock(samples_per_update=ramp, dataset_size=50, epoch_end="join", run={"epochs": 2}).steps(fraction=0.5) == 14
    )
    assert Clock(samples_per_update=ramp, dataset_size=200, run={"epochs": 0.5}).steps(fraction=0.5) == 14


def test_the_batch_ramp_of_megatron_by_hand() -> None:
    assert Clock.rampup(16, 8, 300, global_batch_size=40) == {"samples": [(0, 16), (100, 24), (200, 32), (300, 40)]}
    assert Clock.rampup(2, 1, 10, global_batch_size=5) == {"samples": [(0, 2), (4, 3), (7, 4), (10, 5)]}  # 3.3, 6.7
    assert Clock.rampup(2, 1, 1, global_batch_size=5) == {"samples": [(0, 2), (1, 5)]}
    assert Clock.rampup(8, 3, 99, global_batch_size=8) == {"samples": [(0, 8)]}


# Beside a slow loop

small = st.integers(1, 4)
counts = {
    "updates": st.integers(1, 25),
    "samples": st.integers(1, 60),
    "tokens": st.integers(1, 150),
    "epochs": st.one_of(
        st.integers(1, 5),
        st.fractions(Fraction(1, 9), 5, max_denominator=9),
        st.integers(1, 50).map(lambda tenths: tenths / 10),
    ),
}


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "batch_size": draw(small),
        "processes": draw(small),
        "sequence_length": draw(small),
        "dataset_size": draw(st.integers(1, 40)),
        "drop_last": draw(st.booleans()),
        "epoch_end": draw(st.sampled_from(["update", "drop", "join"])),
    }
    if arguments["epoch_end"] == "drop" or draw(st.booleans()):
        arguments["accumulation"] = draw(small)
    else:
        unit = draw(st.sampled_from(list(counts)))
        begins = [0, *sorted(draw(st.sets(counts[unit], max_size=4)))]
        batch = arguments["batch_size"] * arguments["processes"]
        arguments["samples_per_update"] = {unit: [(count, batch * draw(small)) for count in begins]}
    return arguments


def written(count: Any) -> Fraction:
    """A number as it is written: 0.1 is a tenth."""
    return Fraction(str(count)) if isinstance(count, float) else Fraction(count)


def updates(c: dict[str, Any]) -> Iterator[int]:
    """The samples of each update, by a loop over the batches of every epoch."""
    batch = c["batch_size"] * c["processes"]
    full = [batch] * (c["dataset_size"] // batch)
    rest = c["dataset_size"] % batch
    epoch = full if c["drop_last"] or rest == 0 else [*full, rest]
    done = made = 0

    def size() -> int:
        if "accumulation" in c:
            return int(batch * c["accumulation"])
        ((unit, ramp),) = c["samples_per_update"].items()
        reached = {"updates": made, "samples": done, "tokens": done * c["sequence_length"]}
        reached["epochs"] = Fraction(done, sum(epoch))
        return max(i_and_size for i_and_size in enumerate(s for n, s in ramp if reached[unit] >= written(n)))[1]

    if c["epoch_end"] == "join":
        while True:
            used = size()
            yield used
            done, made = done + used, made + 1
    while True:
        batches = iter(epoch)
        while taken := list(itertools.islice(batches, size() // batch)):
            if len(taken) < size() // batch and c["epoch_end"] == "drop":
                break
            yield sum(taken)
            done, made = done + sum(taken), made + 1


def first_epoch(c: dict[str, Any]) -> int:
    """The samples of an epoch that are used."""
    batch = c["batch_size"] * c["processes"]
    size = c["dataset_size"] // batch * batch if c["drop_last"] else c["dataset_size"]
    if c["epoch_end"] == "drop":
        batches = [min(batch, size - start) for start in range(0, size, batch)]
        size = sum(batches[: len(batches) // c["accumulation"] * c["accumulation"]])
    return int(size)


@given(configurations(), st.data())
def test_both_ways_agree_with_a_slow_loop(configuration: dict[str, Any], data: st.DataObject) -> None:
    epoch = first_epoch(configuration)
    if epoch == 0:
        with pytest.raises(ValueError, match=r"^Clock: `dataset_size` must be at least "):
            Clock(**configuration)
        return
    clock = Clock(**configuration)
    after = [0, *itertools.accumulate(itertools.islice(updates(configuration), 60))]
    length = configuration["sequence_length"]
    assert [clock.samples(step) for step in range(61)] == after
    assert [clock.tokens(step) for step in range(61)] == [n * length for n in after]
    assert [clock.epochs(step) for step in range(61)] == [float(Fraction(n, epoch)) for n in after]

    per_unit = {"updates": 1, "samples": 1, "tokens": length, "epochs": Fraction(1, epoch)}
    unit = data.draw(st.sampled_from(list(counts)))
    reached = list(range(61)) if unit == "updates" else [n * per_unit[unit] for n in after]
    count = data.draw(counts[unit])
    if reached[-1] >= written(count):
        first = next(step for step, n in enumerate(reached) if n >= written(count))
        assert clock.steps(**{unit: count}) == first
        timed = Clock(**configuration, run={unit: count})
        assert timed.total_steps == timed.steps(fraction=1) == first
        share = data.draw(st.one_of(st.integers(0, 10).map(lambda n: n / 10), st.fractions(0, 1, max_denominator=30)))
        part = written(share) * written(count)
        assert timed.steps(fraction=share) == next(step for step, n in enumerate(reached) if n >= part)
        shares = [float(min(Fraction(n) / written(count), 1)) for n in reached]
        assert [timed.fraction(step) for step in range(61)] == pytest.approx(shares, rel=3e-16)


# Counts of real runs


@st.composite
def real_clocks(draw: st.DrawFn) -> Clock:
    batch, processes = draw(st.integers(1, 64)), draw(st.integers(1, 4096))
    # At least one update in an epoch, and everything below 2**53.
    arguments: dict[str, Any] = {"accumulation": draw(st.integers(1, 64))}
    if draw(st.booleans()):
        begins = [0, *sorted(draw(st.sets(st.integers(1, 10**10), max_size=6)))]
        sizes = [batch * processes * draw(st.integers(1, 64)) for _ in begins]
        unit = draw(st.sampled_from(["samples", "tokens"]))
        arguments = {"samples_per_update": {unit: list(zip(begins, sizes, strict=True))}}
    return Clock(
        batch_size=batch,
        processes=processes,
        sequence_length=draw(st.integers(1, 10**4)),
        dataset_size=draw(st.integers(64 * 64 * 4096, 10**10)),
        drop_last=draw(st.booleans()),
        epoch_end=draw(st.sampled_from(["update", "join"])),
        run={draw(st.sampled_from(["samples", "tokens"])): draw(st.integers(10**9, 10**13))},
        **arguments,
    )


@given(real_clocks(), st.integers(0, 10**5))
def test_every_count_leads_back_to_its_step(clock: Clock, step: int) -> None:
    assert clock.steps(updates=step) == step
    assert clock.steps(samples=clock.samples(step)) == step
    if clock.tokens(step) < 2**53:
        assert clock.steps(tokens=clock.tokens(step)) == step
    assert clock.steps(epochs=clock.epochs(step)) == step
    assert clock.steps(fraction=clock.fraction(step)) == min(step, clock.total_steps)


@given(real_clocks(), st.integers(1, 10**12))
def test_a_step_is_the_first_at_which_a_count_has_been_reached(clock: Clock, count: int) -> None:
    for steps, counted in (
        (clock.steps(samples=count), clock.samples),
        (clock.steps(tokens=count), clock.tokens),
    ):
        assert counted(steps - 1) < count <= counted(steps)


@given(real_clocks(), st.integers(1, 10**5))
def test_counts_grow_with_every_step(clock: Clock, step: int) -> None:
    assert clock.samples(step - 1) < clock.samples(step)
    assert clock.epochs(step - 1) < clock.epochs(step)
    assert clock.fraction(step - 1) < clock.fraction(step) or clock.fraction(step - 1) == 1.0
    assert clock.steps(fraction=0) == 0


# Beside others


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [12, 13, 17, 18, 24, 25])
def test_an_epoch_has_as_many_batches_as_the_data_loader_of_every_process(
    size: int, processes: int, drop_last: bool
) -> None:
    clock = Clock(batch_size=4, processes=processes, dataset_size=size, drop_last=drop_last)
    for rank in range(processes):
        sampler: Any = torch.utils.data.DistributedSampler(range(size), processes, rank, drop_last=drop_last)
        loader: Any = torch.utils.data.DataLoader(range(size), 4, sampler=sampler, drop_last=drop_last)
        assert len(list(loader)) == clock.steps(epochs=1)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [12, 13, 17, 18, 24, 25])
def test_an_epoch_has_as_many_batches_as_accelerate_gives_every_process(
    size: int, processes: int, drop_last: bool
) -> None:
    from accelerate.data_loader import BatchSamplerShard

    clock = Clock(batch_size=4, processes=processes, dataset_size=size, drop_last=drop_last)
    batches = torch.utils.data.BatchSampler(torch.utils.data.SequentialSampler(range(size)), 4, drop_last)
    for rank in range(processes):
        assert len(list(BatchSamplerShard(batches, processes, rank))) == clock.steps(epochs=1)


class Reader(torch.nn.Module):
    """Notes the size of each batch."""

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
        (16, 4, 2, False, 2),  # all full
        (18, 4, 2, False, 2),  # the last update of an epoch has one batch of 2
        (18, 4, 2, True, 2),
        (15, 4, 4, False, 3),  # the last batch has 3, and completes the update
        (15, 4, 4, True, 3),
        (9, 4, 8, False, 2),  # fewer batches than an update takes
        (7, 1, 3, False, 2),
    ],
)
def test_the_trainer_of_transformers_makes_as_many_updates_of_as_many_samples(
    size: int, batch: int, accumulation: int, drop_last: bool, epochs: int, tmp_path: Any
) -> None:
    from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments

    model = Reader()
    seen = [0]

    class After(TrainerCallback):
        def on_optimizer_step(self, *_: Any, **__: Any) -> None:
            seen.append(sum(model.sizes))

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
        callbacks=[After()],
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
    assert seen == [clock.samples(step) for step in range(clock.total_steps + 1)]


def test_the_trainer_rounds_a_fraction_up_in_floats(tmp_path: Any) -> None:
    from transformers import TrainingArguments

    def trainer(fraction: float) -> int:
        return int(TrainingArguments(str(tmp_path), warmup_steps=fraction, report_to="none").get_warmup_steps(100))

    clock = Clock(batch_size=1, run={"updates": 100})
    assert trainer(0.1) == clock.steps(fraction=0.1) == 10
    assert trainer(0.105) == clock.steps(fraction=0.105) == 11
    assert (trainer(0.07), clock.steps(fraction=0.07)) == (8, 7)  # 100 * 0.07 is above 7 in floats


def megatron_samples(start: int, increment: int, samples: int, last: int, updates: int) -> list[int]:
    """The samples after each update, by Megatron's own calculator."""
    peers.megatron()  # or skip
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
        (16, 16, 5_859_375, 1536, 30_000),  # of GPT-3
        (192, 192, 9_765_625, 2048 + 64, 20_000),
    ],
)
def test_a_ramp_takes_as_many_samples_as_in_megatron(
    start: int, increment: int, samples: int, last: int, updates: int
) -> None:
    clock = Clock(samples_per_update=Clock.rampup(start, increment, samples, global_batch_size=last))
    assert [clock.samples(step) for step in range(updates + 1)] == megatron_samples(
        start, increment, samples, last, updates
    )


def test_a_ramp_is_exact_where_the_quotient_of_megatron_is_rounded_down() -> None:
    ramp = Clock.rampup(1, 1, 812, global_batch_size=50)
    assert ramp["samples"][14] == (232, 15)  # 14 * 812 / 49
    assert int(232 / (812 / 49)) == 13
    clock = Clock(samples_per_update=ramp)
    theirs = megatron_samples(1, 1, 812, 50, 60)
    ours = [clock.samples(step) for step in range(61)]
    assert theirs[55] == ours[55] == 232
    assert theirs[:56] == ours[:56]
    assert (theirs[56], ours[56]) == (232 + 14, 232 + 15)


# The example


def test_the_example_plans_the_run_of_gpt_3() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", root / "examples" / "clock.py"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")

    samples, increments = [0], 0
    while samples[-1] < 146_484_375:  # 300e9 / 2048
        while increments < 95 and samples[-1] * 95 >= (increments + 1) * 5_859_375:
            increments += 1
        samples.append(samples[-1] + 16 + 16 * increments)
    warmup = next(step for step, n in enumerate(samples) if n * 2048 >= 375_000_000)
    total = next(step for step, n in enumerate(samples) if n * 2048 >= 260_000_000_000)
    assert warmup == 3855 + 1928 + 1245  # updates of 16, 32 and 48 samples
    lines = done.stdout.splitlines()
    assert lines[0] == f"warmup_cosine(warmup_steps={warmup}, total_steps={total}, end=0.1)"
    assert lines[1].startswith(f"the run is {len(samples) - 1} updates; ")
    assert lines[1].endswith(f" {math.ceil(146_484_375 / 1536)}")
    rows = [line.split() for line in lines[4:]]
    assert [int(row[0]) for row in rows] == sorted(int(row[0]) for row in rows)
    assert [int(row[1]) for row in rows] == [samples[int(row[0])] * 2048 for row in rows]
    rates = {int(row[0]): float(row[4]) for row in rows}
    assert (rates[0], rates[warmup // 2], rates[warmup]) == (0, 0.3e-4, 0.6e-4)
    assert (rates[total], rates[len(samples) - 1]) == (0.6e-5, 0.6e-5)
    over_tokens = {int(row[1]): float(row[5]) for row in rows}
    assert over_tokens[samples[warmup // 2] * 2048] == pytest.approx(
        0.6e-4 * samples[warmup // 2] * 2048 / 375e6, rel=1e-6
    )


# A value

CLOCKS = {
    "Clock(batch_size=8)": Clock(batch_size=8),
    "Clock(batch_size=8, accumulation=2, processes=3, sequence_length=4, dataset_size=100, drop_last=True, "
    "epoch_end='join', run={'tokens': 300000000000})": Clock(
        batch_size=8,
        accumulation=2,
        processes=3,
        sequence_length=4,
        dataset_size=100,
        drop_last=True,
        epoch_end="join",
        run={"tokens": 3e11},
    ),
    "Clock(batch_size=2, samples_per_update={'tokens': [(0, 4), (1000000, 8)]}, sequence_length=4)": Clock(
        batch_size=2, samples_per_update={"tokens": [[0.0, np.int64(4)], [1e6, 8]]}, sequence_length=np.int32(4)
    ),
    "Clock(samples_per_update=512, run={'updates': 9})": Clock(samples_per_update=512, run={"updates": 9}),
    "Clock(batch_size=8, dataset_size=100, run={'epochs': 2.5})": Clock(
        batch_size=8, dataset_size=100, run={"epochs": 2.5}
    ),
    "Clock(batch_size=8, dataset_size=100, run={'epochs': Fraction(7, 3)})": Clock(
        batch_size=8, dataset_size=100, run={"epochs": Fraction(7, 3)}
    ),
}


@pytest.mark.parametrize("text", CLOCKS)
def test_a_clock_is_a_value(text: str) -> None:
    clock = CLOCKS[text]
    assert repr(clock) == text
    for twin in (
        eval(text, {"Clock": Clock, "Fraction": Fraction}),
        pickle.loads(pickle.dumps(clock)),
        copy.copy(clock),
        copy.deepcopy(clock),
    ):
        assert twin == clock
        assert hash(twin) == hash(clock)
        assert repr(twin) == text
        assert twin.samples(1000) == clock.samples(1000)


def test_clocks_of_other_arguments_differ() -> None:
    assert len({*CLOCKS.values()}) == len(CLOCKS)
    for one, other in itertools.combinations(CLOCKS.values(), 2):
        assert one != other
    assert Clock(batch_size=8) != 8


def test_a_clock_is_immutable() -> None:
    given_ramp = {"samples": [(0, 4), (8, 8)]}
    given_run = {"samples": 100}
    clock = Clock(samples_per_update=given_ramp, run=given_run)
    twin = Clock(samples_per_update=given_ramp, run=given_run)
    given_ramp["samples"].append((9, 16))
    given_run["samples"] = 1
    clock.samples_per_update["samples"].append((9, 16))  # type: ignore[index, union-attr]
    clock.run["samples"] = 1  # type: ignore[index]
    assert clock == twin
    assert clock.samples(5) == 4 + 4 + 8 + 8 + 8
    with pytest.raises(AttributeError, match=r"^Clock is immutable: cannot set `batch_size`$"):
        clock.batch_size = 3
    with pytest.raises(AttributeError, match=r"^Clock is immutable: cannot set `run`$"):
        clock.run = {"samples": 3}  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"^Clock is immutable: cannot delete `processes`$"):
        del clock.processes


# Refusals


def refused(kind: type[Exception], sentence: str, call: Any) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == sentence


COUNT = "Clock.steps: `count` must be given with its unit, "


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        (1, "steps(updates=1) or steps(fraction=1), got 1"),
        (1.0, "steps(updates=1.0) or steps(fraction=1.0), got 1.0"),
        (0, "steps(updates=0) or steps(fraction=0), got 0"),
        (0.1, "steps(fraction=0.1) or steps(epochs=0.1), got 0.1"),
        (300, "steps(updates=300) or steps(epochs=300), got 300"),
        (2.5, "steps(epochs=2.5) or steps(epochs=...), got 2.5"),
        ("300B", "steps(epochs=...) or steps(tokens=...), got '300B'"),
    ],
)
def test_a_number_without_its_unit_is_refused_with_two_ways_to_say_it(value: Any, ways: str) -> None:
    refused(TypeError, COUNT + ways, lambda: Clock(batch_size=1).steps(value))


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        (1, '{"updates": 1} or {"epochs": 1}, got 1'),
        (0.5, '{"epochs": 0.5} or {"epochs": ...}, got 0.5'),
    ],
)
def test_a_run_without_its_unit_is_refused_with_two_ways_to_say_it(value: Any, ways: str) -> None:
    refused(TypeError, f"Clock: `run` must be given with its unit, {ways}", lambda: Clock(batch_size=1, run=value))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: c.steps(tokens=1), "Clock.steps: `sequence_length` must be given to the Clock to count tokens"),
        (lambda c: c.tokens(1), "Clock.tokens: `sequence_length` must be given to the Clock to count tokens"),
        (lambda c: c.steps(epochs=1), "Clock.steps: `dataset_size` must be given to the Clock to count epochs"),
        (lambda c: c.epochs(1), "Clock.epochs: `dataset_size` must be given to the Clock to count epochs"),
        (lambda c: c.steps(fraction=0), "Clock.steps: `run` must be given to the Clock to count fractions"),
        (lambda c: c.fraction(1), "Clock.fraction: `run` must be given to the Clock to count fractions"),
        (lambda c: c.total_steps, "Clock.total_steps: `run` must be given to the Clock to count fractions"),
        (
            lambda c: Clock(batch_size=1, run={"tokens": 1}),
            "Clock: `sequence_length` must be given to the Clock to count tokens",
        ),
        (
            lambda c: Clock(batch_size=1, run={"epochs": 1}),
            "Clock: `dataset_size` must be given to the Clock to count epochs",
        ),
        (
            lambda c: Clock(samples_per_update={"tokens": [(0, 1), (2, 2)]}),
            "Clock: `sequence_length` must be given to the Clock to count tokens",
        ),
        (
            lambda c: Clock(samples_per_update={"epochs": [(0, 1), (2, 2)]}),
            "Clock: `dataset_size` must be given to the Clock to count epochs",
        ),
    ],
)
def test_what_a_unit_needs_and_has_not_is_named(call: Any, sentence: str) -> None:
    refused(ValueError, sentence + ", got None", lambda: call(Clock(batch_size=1)))


ONE_UNIT = "given in one unit: updates, samples, tokens, epochs or fraction"
RUN = 'one unit (updates, samples, tokens or epochs) and its count, as {"tokens": 300_000_000_000}'
RAMP = 'an integer, or a ramp such as {"tokens": [(0, 16), (1_000_000, 32)]}'
PAIRS = "a sequence of pairs (count, samples in an update), the first count being 0"
FULL = {"batch_size": 2, "processes": 2, "sequence_length": 3, "dataset_size": 20, "run": {"epochs": 2}}


@pytest.mark.parametrize("argument", ["batch_size", "accumulation", "processes", "sequence_length", "dataset_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, math.inf, 2**53 + 1, True, "8", [8]])
def test_a_size_is_a_whole_number_of_at_least_1(argument: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str, list)) else ValueError
    sentence = f"Clock: `{argument}` must be {LENGTH}, got {value!r}"
    refused(kind, sentence, lambda: Clock(**{**FULL, argument: value}))


@pytest.mark.parametrize("unit", ["updates", "samples", "tokens"])
@pytest.mark.parametrize("value", [-1, 0.5, Fraction(1, 2), math.nan, math.inf, 2**53 + 1, True, "8", np.arange(2), 1j])
def test_updates_samples_and_tokens_are_whole(unit: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str, np.ndarray, complex)) else ValueError
    refused(
        kind,
        f"Clock.steps: `{unit}` must be {WHOLE}, got {value!r}",
        lambda: Clock(**FULL).steps(**{unit: value}),
    )


@pytest.mark.parametrize("value", [-1, -0.5, Fraction(-1, 2), math.nan, math.inf, 2**53 + 1, True, "8", np.arange(2)])
def test_epochs_and_fractions_are_numbers_of_at_least_0(value: Any) -> None:
    clock = Clock(**FULL)
    kind = TypeError if isinstance(value, (bool, str, np.ndarray)) else ValueError
    rule = "a number from 0 to 2**53"
    refused(kind, f"Clock.steps: `epochs` must be {rule}, got {value!r}", lambda: clock.steps(epochs=value))
    rule = "a number from 0 to 1"
    refused(kind, f"Clock.steps: `fraction` must be {rule}, got {value!r}", lambda: clock.steps(fraction=value))


@pytest.mark.parametrize("way", ["samples", "tokens", "epochs", "fraction"])
@pytest.mark.parametrize("value", [-1, 1.5, math.nan, True, "1", None])
def test_a_step_is_a_whole_number(way: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str)) or value is None else ValueError
    sentence = f"Clock.{way}: `step` must be {WHOLE}, got {value!r}"
    refused(kind, sentence, lambda: getattr(Clock(**FULL), way)(value))


def clock(**arguments: Any) -> Any:
    return lambda: Clock(**arguments)


@pytest.mark.parametrize(
    ("kind", "sentence", "call"),
    [
        (TypeError, f"Clock.steps: `count` must be {ONE_UNIT}, got None", lambda: Clock(batch_size=1).steps()),
        (
            TypeError,
            f"Clock.steps: `count` must be {ONE_UNIT}, got {{'updates': 1, 'epochs': 2}}",
            lambda: Clock(batch_size=1).steps(updates=1, epochs=2),
        ),
        (
            ValueError,
            "Clock.steps: `fraction` must be a number from 0 to 1, got 1.5",
            lambda: Clock(**FULL).steps(fraction=1.5),
        ),
        (TypeError, "Clock: `batch_size` must be given, or else `samples_per_update`, got None", Clock),
        (
            ValueError,
            "Clock: `accumulation` must be left out beside `samples_per_update`, got 2",
            clock(samples_per_update=8, accumulation=2),
        ),
        (
            ValueError,
            "Clock: `samples_per_update` must be a multiple of `batch_size` * `processes` (8), got 12",
            clock(batch_size=2, processes=4, samples_per_update=12),
        ),
        (
            ValueError,
            'Clock: `samples_per_update["samples"][1][1]` must be a multiple of `batch_size` * `processes` (8), got 12',
            clock(batch_size=2, processes=4, samples_per_update={"samples": [(0, 8), (100, 12)]}),
        ),
        (TypeError, f"Clock: `samples_per_update` must be {RAMP}, got [(0, 8)]", clock(samples_per_update=[(0, 8)])),
        (TypeError, f"Clock: `samples_per_update` must be {RAMP}, got '8'", clock(samples_per_update="8")),
        (ValueError, f"Clock: `samples_per_update` must be {RAMP}, got {{}}", clock(samples_per_update={})),
        (
            ValueError,
            f"Clock: `samples_per_update` must be {RAMP}, got {{'fraction': [(0, 8)]}}",
            clock(samples_per_update={"fraction": [(0, 8)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got [(1, 8)]',
            clock(samples_per_update={"samples": [(1, 8)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got []',
            clock(samples_per_update={"samples": []}),
        ),
        (
            TypeError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got [8, 16]',
            clock(samples_per_update={"samples": [8, 16]}),
        ),
        (
            ValueError,
            'Clock: `samples_per_update["samples"]` must be of increasing counts, got [(0, 8), (5, 16), (5, 32)]',
            clock(samples_per_update={"samples": [(0, 8), (5, 16), (5, 32)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"][1][0]` must be {WHOLE}, got 0.5',
            clock(samples_per_update={"samples": [(0, 8), (0.5, 16)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"][0][1]` must be {LENGTH}, got 0',
            clock(samples_per_update={"samples": [(0, 0)]}),
        ),
        (TypeError, "Clock: `drop_last` must be True or False, got 1", clock(batch_size=1, drop_last=1)),
        (
            ValueError,
            "Clock: `epoch_end` must be one of 'update', 'drop', 'join', got 'carry'",
            clock(batch_size=1, epoch_end="carry"),
        ),
        (
            ValueError,
            "Clock: `epoch_end` must be 'update' or 'join' beside a ramp of `samples_per_update`, got 'drop'",
            clock(samples_per_update={"samples": [(0, 8)]}, dataset_size=20, epoch_end="drop"),
        ),
        (
            ValueError,
            "Clock: `batch_size` must be given where `drop_last` is, beside a ramp, got None",
            clock(samples_per_update={"samples": [(0, 8)]}, dataset_size=20, drop_last=True),
        ),
        (
            ValueError,
            "Clock: `dataset_size` must be at least a batch of all processes (8) where the rest of an epoch is dropped,"
            " got 7",
            clock(batch_size=4, processes=2, dataset_size=7, drop_last=True),
        ),
        (
            ValueError,
            "Clock: `dataset_size` must be at least an update (4 batches) where the rest of an epoch is dropped,"
            " got 11",
            clock(batch_size=4, accumulation=4, dataset_size=11, epoch_end="drop"),
        ),
        (TypeError, f"Clock: `run` must be {RUN}, got '300B'", clock(batch_size=1, run="300B")),
        (
            ValueError,
            f"Clock: `run` must be {RUN}, got {{'updates': 1, 'samples': 8}}",
            clock(batch_size=1, run={"updates": 1, "samples": 8}),
        ),
        (ValueError, f"Clock: `run` must be {RUN}, got {{'fraction': 1}}", clock(batch_size=1, run={"fraction": 1})),
        (ValueError, 'Clock: `run["samples"]` must be above 0, got 0', clock(batch_size=1, run={"samples": 0})),
        (
            ValueError,
            f'Clock: `run["samples"]` must be {WHOLE}, got 0.5',
            clock(batch_size=1, run={"samples": 0.5}),
        ),
        (
            ValueError,
            "Clock.rampup: `global_batch_size` must be `start` (16) and an integer of increments of 8, got 41",
            lambda: Clock.rampup(16, 8, 300, global_batch_size=41),
        ),
        (
            ValueError,
            "Clock.rampup: `global_batch_size` must be `start` (16) and an integer of increments of 8, got 8",
            lambda: Clock.rampup(16, 8, 300, global_batch_size=8),
        ),
        (
            ValueError,
            f"Clock.rampup: `samples` must be {LENGTH}, got 0",
            lambda: Clock.rampup(16, 8, 0, global_batch_size=32),
        ),
    ],
)
def test_a_mistake_gets_one_sentence(kind: type[Exception], sentence: str, call: Any) -> None:
    refused(kind, sentence, call)
