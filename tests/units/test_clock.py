"""`Clock`: hand-computed values, a simulation of every batch, invariants, an example script, value semantics."""

from __future__ import annotations

import copy
import itertools
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funcsched.units.clock import Clock

# Hand-computed values


def test_run_in_tokens() -> None:
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
    ("drop_last", "epoch_end", "samples"),
    [
        # 23 samples are five batches of 2 * 2 = 4 and one batch of 3. An update has three batches.
        (False, "update", [0, 12, 23, 35, 46]),
        (True, "update", [0, 12, 20, 32, 40]),  # the sixth batch is dropped
        (False, "drop", [0, 12, 23, 35, 46]),  # the sixth completes the update
        (True, "drop", [0, 12, 24, 36, 48]),  # without it, the second update of an epoch is dropped
        (False, "join", [0, 12, 24, 36, 48]),
        (True, "join", [0, 12, 24, 36, 48]),
    ],
)
def test_samples_at_the_end_of_an_epoch(drop_last: bool, epoch_end: str, samples: list[int]) -> None:
    arguments = {"batch_size": 2, "accumulation": 3, "processes": 2, "dataset_size": 23}
    clock = Clock(**arguments, drop_last=drop_last, epoch_end=epoch_end)
    assert [clock.samples(step) for step in range(5)] == samples


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
def test_steps_of_epochs(drop_last: bool, epoch_end: str, one: int, two: int, five: int) -> None:
    arguments = {"batch_size": 2, "accumulation": 3, "processes": 2, "dataset_size": 23}
    clock = Clock(**arguments, drop_last=drop_last, epoch_end=epoch_end)
    assert [clock.steps(epochs=n) for n in (1, 2, 5)] == [one, two, five]


def test_ramp_of_samples() -> None:
    clock = Clock(
        samples_per_update={"samples": [(0, 4), (10, 8), (11, 16), (100, 32)]}, sequence_length=10, run={"samples": 200}
    )
    # The update that begins at sample 12 is past both 10 and 11, so the size 8 is never used.
    assert [clock.samples(step) for step in range(12)] == [0, 4, 8, 12, 28, 44, 60, 76, 92, 108, 140, 172]
    assert [clock.steps(samples=n) for n in (12, 13, 28, 29, 108, 109, 140)] == [3, 4, 4, 5, 9, 10, 10]
    assert [clock.steps(tokens=n) for n in (120, 121, 280, 281)] == [3, 4, 4, 5]
    assert clock.total_steps == 12  # 204
    assert [clock.fraction(step) for step in (0, 3, 4, 11, 12, 13)] == [0.0, 0.06, 0.14, 0.86, 1.0, 1.0]


def test_equal_ramps_in_different_units() -> None:
    arguments = {"sequence_length": 10, "dataset_size": 8, "epoch_end": "join"}
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
        clock = Clock(samples_per_update=ramp, **arguments)
        assert [clock.samples(step) for step in range(6)] == [0, 4, 8, 12, 20, 28], ramp


def test_ramp_with_updates_that_end_at_epoch_boundaries() -> None:
    clock = Clock(samples_per_update={"samples": [(0, 4), (14, 8)]}, dataset_size=10)
    # Epoch 1: updates of 4, 4 and 2. Epoch 2: 4, then 6, because the epoch has no 8 left. Epoch 3: 8 and 2.
    assert [clock.samples(step) for step in range(8)] == [0, 4, 8, 10, 14, 20, 28, 30]
    assert [clock.steps(epochs=n) for n in (1, 2, 3, 103)] == [3, 5, 7, 207]


def test_batch_size_ramp_of_llama_3() -> None:
    # Batches of 4M tokens, 8M after 252M tokens, and 16M after 2.87T tokens. A sample is one token because the sequence
    # length changes during the run.
    million = 2**20
    ramp = {"tokens": [(0, 4 * million), (252e6, 8 * million), (2.87e12, 16 * million)]}
    clock = Clock(samples_per_update=ramp, sequence_length=1, run={"tokens": 15.6e12})
    first = 61  # 60.08 updates of 4M
    second = first + math.ceil((2_870_000_000_000 - first * 4 * million) / (8 * million))
    start = first * 4 * million + (second - first) * 8 * million
    assert clock.steps(tokens=252e6) == first
    assert clock.steps(tokens=2.87e12) == second
    assert clock.total_steps == second + math.ceil((15_600_000_000_000 - start) / (16 * million))


def test_large_counts_are_exact() -> None:
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
        (0.1, 1000, 100),  # the float 0.1 is larger than 1/10
        (0.07, 100, 7),  # 100 * 0.07 is 7.000000000000001 in floats
        (0.29, 100, 29),
        (1.1 - 1.0, 1000, 101),  # 0.10000000000000009
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
def test_float_fraction_is_read_as_its_decimal_text(fraction: float, total: int, steps: int) -> None:
    assert Clock(batch_size=5, run={"updates": total}).steps(fraction=fraction) == steps


def test_fraction_uses_the_unit_of_the_run() -> None:
    ramp = {"samples": [(0, 1), (10, 10)]}
    # 100 samples are 10 updates of 1 sample and 9 updates of 10 samples.
    assert Clock(samples_per_update=ramp, run={"samples": 100}).steps(fraction=0.5) == 14
    assert Clock(samples_per_update=ramp, run={"updates": 19}).steps(fraction=0.5) == 10
    assert Clock(samples_per_update=ramp, sequence_length=3, run={"tokens": 300}).steps(fraction=0.5) == 14
    assert (
        Clock(samples_per_update=ramp, dataset_size=50, epoch_end="join", run={"epochs": 2}).steps(fraction=0.5) == 14
    )
    assert Clock(samples_per_update=ramp, dataset_size=200, run={"epochs": 0.5}).steps(fraction=0.5) == 14


def test_rampup() -> None:
    assert Clock.rampup(16, 8, 300, global_batch_size=40) == {"samples": [(0, 16), (100, 24), (200, 32), (300, 40)]}
    assert Clock.rampup(2, 1, 10, global_batch_size=5) == {"samples": [(0, 2), (4, 3), (7, 4), (10, 5)]}  # 3.3, 6.7
    assert Clock.rampup(2, 1, 1, global_batch_size=5) == {"samples": [(0, 2), (1, 5)]}
    assert Clock.rampup(8, 3, 99, global_batch_size=8) == {"samples": [(0, 8)]}


# Comparison with a simulation of every batch

small_ints = st.integers(1, 4)
counts_by_unit = {
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
        "batch_size": draw(small_ints),
        "processes": draw(small_ints),
        "sequence_length": draw(small_ints),
        "dataset_size": draw(st.integers(1, 40)),
        "drop_last": draw(st.booleans()),
        "epoch_end": draw(st.sampled_from(["update", "drop", "join"])),
    }
    if arguments["epoch_end"] == "drop" or draw(st.booleans()):
        arguments["accumulation"] = draw(small_ints)
    else:
        unit = draw(st.sampled_from(list(counts_by_unit)))
        thresholds = [0, *sorted(draw(st.sets(counts_by_unit[unit], max_size=4)))]
        batch = arguments["batch_size"] * arguments["processes"]
        arguments["samples_per_update"] = {unit: [(count, batch * draw(small_ints)) for count in thresholds]}
    return arguments


def decimal(count: Any) -> Fraction:
    """The exact value of the decimal text of a number: 1/10 for the float 0.1."""
    return Fraction(str(count)) if isinstance(count, float) else Fraction(count)


def simulate_updates(config: dict[str, Any]) -> Iterator[int]:
    """The number of samples in each update, from a loop over the batches of every epoch."""
    batch = config["batch_size"] * config["processes"]
    full = [batch] * (config["dataset_size"] // batch)
    rest = config["dataset_size"] % batch
    epoch = full if config["drop_last"] or rest == 0 else [*full, rest]
    samples = updates = 0

    def update_size() -> int:
        if "accumulation" in config:
            return int(batch * config["accumulation"])
        ((unit, ramp),) = config["samples_per_update"].items()
        reached = {"updates": updates, "samples": samples, "tokens": samples * config["sequence_length"]}
        reached["epochs"] = Fraction(samples, sum(epoch))
        return int([size for count, size in ramp if reached[unit] >= decimal(count)][-1])

    if config["epoch_end"] == "join":
        while True:
            size = update_size()
            yield size
            samples, updates = samples + size, updates + 1
    while True:
        batches = iter(epoch)
        while update := list(itertools.islice(batches, update_size() // batch)):
            if len(update) < update_size() // batch and config["epoch_end"] == "drop":
                break
            yield sum(update)
            samples, updates = samples + sum(update), updates + 1


def used_samples_per_epoch(config: dict[str, Any]) -> int:
    """The samples of an epoch that are not dropped."""
    batch = config["batch_size"] * config["processes"]
    samples = config["dataset_size"] // batch * batch if config["drop_last"] else config["dataset_size"]
    if config["epoch_end"] == "drop":
        batches = [min(batch, samples - start) for start in range(0, samples, batch)]
        samples = sum(batches[: len(batches) // config["accumulation"] * config["accumulation"]])
    return int(samples)


@given(configurations(), st.data())
def test_conversions_in_both_directions_match_simulation(configuration: dict[str, Any], data: st.DataObject) -> None:
    epoch = used_samples_per_epoch(configuration)
    if epoch == 0:
        with pytest.raises(ValueError, match=r"^Clock: `dataset_size` must be at least "):
            Clock(**configuration)
        return
    clock = Clock(**configuration)
    samples = [0, *itertools.accumulate(itertools.islice(simulate_updates(configuration), 60))]
    length = configuration["sequence_length"]
    assert [clock.samples(step) for step in range(61)] == samples
    assert [clock.tokens(step) for step in range(61)] == [n * length for n in samples]
    assert [clock.epochs(step) for step in range(61)] == [float(Fraction(n, epoch)) for n in samples]

    counts: dict[str, list[Any]] = {
        "updates": list(range(61)),
        "samples": samples,
        "tokens": [n * length for n in samples],
        "epochs": [Fraction(n, epoch) for n in samples],
    }
    unit = data.draw(st.sampled_from(list(counts_by_unit)))
    reached = counts[unit]
    count = data.draw(counts_by_unit[unit])
    if reached[-1] >= decimal(count):
        first = next(step for step, n in enumerate(reached) if n >= decimal(count))
        assert clock.steps(**{unit: count}) == first
        ((ramp_unit, ramp),) = configuration.get("samples_per_update", {"updates": [(0, 1)]}).items()
        last_stage = next((s for s, n in enumerate(counts[ramp_unit]) if n >= decimal(ramp[-1][0])), 61)
        if last_stage > first:
            with pytest.raises(ValueError, match=f"must be a stage that begins within the `run` of {first} updates, "):
                Clock(**configuration, run={unit: count})
            return
        with_run = Clock(**configuration, run={unit: count})
        assert with_run.total_steps == with_run.steps(fraction=1) == first
        tenths, fractions = st.integers(0, 10).map(lambda n: n / 10), st.fractions(0, 1, max_denominator=30)
        fraction = data.draw(st.one_of(tenths, fractions))
        target = decimal(fraction) * decimal(count)
        assert with_run.steps(fraction=fraction) == next(step for step, n in enumerate(reached) if n >= target)
        expected = [float(min(Fraction(n) / decimal(count), 1)) for n in reached]
        assert [with_run.fraction(step) for step in range(61)] == pytest.approx(expected, rel=3e-16)


# Invariants at the scale of real runs


@st.composite
def real_clocks(draw: st.DrawFn) -> Clock:
    batch, processes = draw(st.integers(1, 64)), draw(st.integers(1, 4096))
    # Every epoch has at least one update, and all counts are below 2**53.
    arguments: dict[str, Any] = {"accumulation": draw(st.integers(1, 64))}
    run_unit = draw(st.sampled_from(["samples", "tokens"]))
    if draw(st.booleans()):
        thresholds = [0, *sorted(draw(st.sets(st.integers(1, 10**10), max_size=6)))]
        sizes = [batch * processes * draw(st.integers(1, 64)) for _ in thresholds]
        unit = draw(st.sampled_from(["tokens", run_unit]))  # so that the run is longer than the ramp
        arguments = {"samples_per_update": {unit: list(zip(thresholds, sizes, strict=True))}}
    return Clock(
        batch_size=batch,
        processes=processes,
        sequence_length=draw(st.integers(1, 10**4)),
        dataset_size=draw(st.integers(64 * 64 * 4096, 10**10)),
        drop_last=draw(st.booleans()),
        epoch_end=draw(st.sampled_from(["update", "join"])),
        run={run_unit: draw(st.integers(10**10, 10**13))},
        **arguments,
    )


@given(real_clocks(), st.integers(0, 10**5))
def test_count_at_a_step_converts_back_to_the_step(clock: Clock, step: int) -> None:
    assert clock.steps(updates=step) == step
    assert clock.steps(samples=clock.samples(step)) == step
    if clock.tokens(step) < 2**53:
        assert clock.steps(tokens=clock.tokens(step)) == step
    assert clock.steps(epochs=clock.epochs(step)) == step
    assert clock.steps(fraction=clock.fraction(step)) == min(step, clock.total_steps)


@given(real_clocks(), st.integers(1, 10**12))
def test_step_is_the_first_that_reaches_the_count(clock: Clock, count: int) -> None:
    for step, count_at in (
        (clock.steps(samples=count), clock.samples),
        (clock.steps(tokens=count), clock.tokens),
    ):
        assert count_at(step - 1) < count <= count_at(step)


@given(real_clocks(), st.integers(1, 10**5))
def test_counts_increase_with_every_step(clock: Clock, step: int) -> None:
    assert clock.samples(step - 1) < clock.samples(step)
    assert clock.epochs(step - 1) < clock.epochs(step)
    assert clock.fraction(step - 1) < clock.fraction(step) or clock.fraction(step - 1) == 1.0
    assert clock.steps(fraction=0) == 0


# The example script


def test_example_plans_the_run_of_gpt_3() -> None:
    root = Path(__file__).parents[2]
    completed = subprocess.run(
        [sys.executable, "-W", "error", root / "examples" / "clock.py"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (completed.returncode, completed.stderr) == (0, "")

    samples, increments = [0], 0  # the batch size grows by 95 increments of 16 over the first 5_859_375 samples
    while samples[-1] < 146_484_375:  # 300e9 / 2048
        while increments < 95 and samples[-1] * 95 >= (increments + 1) * 5_859_375:
            increments += 1
        samples.append(samples[-1] + 16 + 16 * increments)
    warmup = next(step for step, n in enumerate(samples) if n * 2048 >= 375_000_000)
    total = next(step for step, n in enumerate(samples) if n * 2048 >= 260_000_000_000)
    assert warmup == 3855 + 1928 + 1245  # updates of 16, 32 and 48 samples
    lines = completed.stdout.splitlines()
    assert lines[0] == f"warmup_cosine(warmup_steps={warmup}, total_steps={total}, end=0.1)"
    constant = math.ceil(146_484_375 / 1536)
    assert lines[1] == f"{len(samples) - 1} updates in the run; {constant} without the batch size ramp"
    table = [line.split() for line in lines[4:]]
    assert [int(row[0]) for row in table] == sorted(int(row[0]) for row in table)
    assert [int(row[1]) for row in table] == [samples[int(row[0])] * 2048 for row in table]
    rates = {int(row[0]): float(row[4]) for row in table}
    assert (rates[0], rates[warmup // 2], rates[warmup]) == (0, 0.3e-4, 0.6e-4)
    assert (rates[total], rates[len(samples) - 1]) == (0.6e-5, 0.6e-5)
    rates_over_tokens = {int(row[1]): float(row[5]) for row in table}
    assert rates_over_tokens[samples[warmup // 2] * 2048] == pytest.approx(
        0.6e-4 * samples[warmup // 2] * 2048 / 375e6, rel=1e-6
    )


# Value semantics

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
def test_clock_survives_repr_pickle_and_copy(text: str) -> None:
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


def test_clocks_with_different_arguments_are_not_equal() -> None:
    assert len({*CLOCKS.values()}) == len(CLOCKS)
    for one, other in itertools.combinations(CLOCKS.values(), 2):
        assert one != other
    assert Clock(batch_size=8) != 8


def test_clock_is_immutable() -> None:
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
