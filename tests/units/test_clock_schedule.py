"""`Clock.schedule`: the counts at every update, on every backend, and the schedule as a value."""

from __future__ import annotations

import itertools
import math
import pickle
from fractions import Fraction
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import funcsched as fs
from funcsched.analysis.landmarks import phase_boundaries
from funcsched.plotting.layout import default_steps
from funcsched.units.clock import Clock
from tests.units.test_clock import configurations, simulate_updates, used_samples_per_epoch

PERIOD = 2**20
# Its value at a count is the last 20 bits of the count, which a float32 represents exactly.
SAWTOOTH = fs.repeat(fs.ramp(0.0, 1.0, steps=PERIOD), PERIOD)

# Every update


def test_a_million_updates_of_a_three_stage_ramp_have_the_exact_token_count() -> None:
    ramp = [(0, 16), (10**9, 64), (10**11, 1024)]
    clock = Clock(samples_per_update={"tokens": ramp}, sequence_length=4095, run={"tokens": 10**12})
    tokens, count = np.zeros(10**6, np.int64), 0
    for step in range(10**6):
        tokens[step] = count
        count += 4095 * (16 if count < 10**9 else 64 if count < 10**11 else 1024)
    assert tokens[-1] > 2**41 and len(np.unique(np.diff(tokens))) == 3
    assert clock.total_steps == np.searchsorted(tokens, 10**12)

    exact = (tokens % PERIOD).astype(np.float64)
    schedule, steps = clock.schedule(SAWTOOTH, "tokens"), np.arange(10**6)
    assert np.array_equal(schedule(steps) * PERIOD, exact)
    assert not jax.config.jax_enable_x64
    for result in (jax.jit(schedule)(jnp.arange(10**6)), schedule(torch.arange(10**6))):
        assert "float32" in str(result.dtype) and np.array_equal(np.asarray(result) * PERIOD, exact)
    assert [schedule(step) * PERIOD for step in range(0, 10**6, 997)] == exact[::997].tolist()

    curve = fs.warmup_cosine(375_000_000, 260_000_000_000, end=0.1)
    assert np.array_equal(clock.schedule(curve, "tokens")(steps), curve(tokens))


@given(configurations(), st.integers(1, 9), st.integers(1, 30))
def test_units_match_a_simulation_of_every_batch(config: dict[str, Any], run_epochs: int, length: int) -> None:
    epoch = used_samples_per_epoch(config)
    if epoch == 0:
        return
    samples = [0, *itertools.accumulate(itertools.islice(simulate_updates(config), 60))]
    clock = Clock(**config)
    tokens = [n * config["sequence_length"] for n in samples]
    # A ramp is a straight line, so its value is the count, rounded once.
    ramp, steps = fs.ramp(0.0, 1.0, steps=length), np.arange(61)
    for unit, per, counts in (("samples", 1, samples), ("tokens", 1, tokens), ("epochs", epoch, samples)):
        schedule = clock.schedule(ramp, unit)
        exact = [float(min(Fraction(n, per * length), 1)) for n in counts]
        assert [schedule(step) for step in range(61)] == pytest.approx(exact, rel=1e-15, abs=0)
        assert schedule(steps) == pytest.approx(exact, rel=1e-15, abs=0)
        assert [s == 1 for s in schedule(steps)] == [n >= per * length for n in counts]
        ends = phase_boundaries(schedule, 10**6)
        first = next((step for step, n in enumerate(counts) if n >= per * length), None)
        assert max(ends) > 60 if first is None else max(ends) == first

    half = Fraction(run_epochs, 2)
    try:
        with_run = Clock(**config, run={"epochs": float(half)})
    except ValueError as error:
        assert "begins within the `run`" in str(error)
        return
    percent = with_run.schedule(fs.stretch(fs.ramp(0.0, 1.0, steps=100), 0.01), "fraction")
    exact = [float(min(Fraction(n) / (epoch * half), 1)) for n in samples]
    assert [percent(step) for step in range(61)] == pytest.approx(exact, rel=1e-15, abs=0)
    assert [percent(step) == 1 for step in range(61)] == [n >= epoch * half for n in samples]


def test_a_schedule_of_epochs_steps_at_the_first_update_of_an_epoch() -> None:
    clock = Clock(batch_size=128, dataset_size=50_000)  # 391 updates per epoch, the last one of 80 samples
    curve = clock.schedule(fs.piecewise_constant([30, 60], levels=[1, 0.1, 0.01]), "epochs")
    assert [curve(391 * 30 - 1), curve(391 * 30), curve(391 * 60)] == [1.0, 0.1, 0.01]
    once = clock.schedule(fs.staircase(fs.warmup_linear(5, 90), 1), "epochs")
    steps = np.arange(391 * 90)
    assert np.array_equal(once(steps), fs.warmup_linear(5, 90)(steps // 391))
    assert np.array_equal(jax.jit(once)(steps), fs.warmup_linear(5, 90)(jnp.asarray(steps // 391)))


# The schedule as a value


def test_the_schedule_is_a_short_value_that_needs_no_clock() -> None:
    ramp = {"tokens": [(0, 16), (10**9, 32), (10**10, 64)]}
    clock = Clock(samples_per_update=ramp, sequence_length=2048, run={"tokens": 300e9})
    curve = fs.warmup_cosine(375_000_000, 260_000_000_000, end=0.1)
    schedule = clock.schedule(curve, "tokens")
    assert repr(schedule) == (f"count_by(schedule={curve}, sizes=(32768, 65536, 131072), boundaries=(30518, 167847))")
    assert fs.parse(repr(schedule)) == fs.from_dict(fs.to_dict(schedule)) == pickle.loads(pickle.dumps(schedule))
    assert len(pickle.dumps(schedule)) < 600 and hash(schedule) == hash(fs.parse(repr(schedule)))
    assert len(fs.fingerprint(schedule)) == 16
    total = clock.steps(tokens=260e9)
    assert fs.compare(schedule, clock.schedule(curve, "tokens")).equal
    assert not fs.compare(schedule, fs.warmup_cosine(clock.steps(tokens=375e6), total, end=0.1)).equal
    findings = [finding.text for finding in fs.check(schedule, steps=total, peak_value=1e-3)]
    assert f"the learning rate increases until step {clock.steps(tokens=375e6):,}" in findings[1]
    warning = fs.check(schedule, steps=total // 2, peak_value=1e-3)[0]
    assert warning.severity == "warning" and f"the schedule ends at 0.0001 at step {total:,}," in warning.text
    assert default_steps(schedule) == math.ceil(1.1 * total)
    assert phase_boundaries(schedule, total) == {0, clock.steps(tokens=375e6), total}
    assert clock.schedule(fs.lift(math.sqrt), "tokens")(4) == math.sqrt(4 * 32768)
    assert clock.schedule(curve, "updates") == curve


# Errors


@pytest.mark.parametrize(
    ("kind", "message", "call"),
    [
        (
            ValueError,
            "Clock.schedule: `unit` must be one of 'updates', 'samples', 'tokens', 'epochs', 'fraction', got 'steps'",
            lambda clock, curve: clock.schedule(curve, "steps"),
        ),
        (
            ValueError,
            "Clock.schedule: `sequence_length` must be given to the Clock to count tokens, got None",
            lambda clock, curve: clock.schedule(curve, "tokens"),
        ),
        (
            ValueError,
            "Clock.schedule: `dataset_size` must be given to the Clock to count epochs, got None",
            lambda clock, curve: clock.schedule(curve, "epochs"),
        ),
        (
            ValueError,
            "Clock.schedule: `run` must be given to the Clock to count fractions of the run, got None",
            lambda clock, curve: clock.schedule(curve, "fraction"),
        ),
        (
            TypeError,
            "Clock.schedule: `schedule` must be a schedule or a function of a step, got 'cosine'; use fs.parse(...)",
            lambda clock, curve: clock.schedule("cosine", "samples"),
        ),
        (
            ValueError,
            "Clock.schedule: `run` must be a number of epochs with a denominator of at most 4096, got "
            "0.7071067811865476",
            lambda clock, curve: Clock(batch_size=1, dataset_size=9, run={"epochs": 0.5**0.5}).schedule(
                curve, "fraction"
            ),
        ),
        (
            ValueError,
            'Clock: `samples_per_update["samples"][1]` must be a stage that begins within the `run` of 9 updates, got '
            "(40, 8); it begins at update 10; shorten the ramp",
            lambda clock, curve: Clock(samples_per_update={"samples": [(0, 4), (40, 8)]}, run={"updates": 9}),
        ),
        (
            ValueError,
            "count_by: `sizes` must be of length 2 for 1 boundaries, got 5",
            lambda clock, curve: fs.count_by(curve, 5, [3]),
        ),
        (
            ValueError,
            "count_by: `boundaries` must be increasing, got [4, 4]",
            lambda clock, curve: fs.count_by(curve, [1, 2, 3], [4, 4]),
        ),
        (
            ValueError,
            "count_by: `boundaries[0]` must be an integer from 1 to 2**53, got 0",
            lambda clock, curve: fs.count_by(curve, [1, 2], [0]),
        ),
    ],
)
def test_invalid_arguments(kind: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(kind) as caught:
        partial(call, Clock(batch_size=2), fs.warmup_linear(10, 100))()
    assert str(caught.value) == message
