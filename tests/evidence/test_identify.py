"""`identify` on logs of known schedules, written with few digits and many gaps."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import jax.numpy as jnp
import optax
import pytest

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.identify import Identified, identify
from funcsched.evidence.report import described
from funcsched.evidence.search import ENDS_IN_WARMUP
from tests.evidence.identify_all import KINDS, is_right, random_log


def log_of(schedule: Schedule, peak: float, steps: list[int], digits: int = 6) -> list[float]:
    return [float(f"{peak * schedule(step):.{digits}g}") for step in steps]


def found_in(steps: list[int], rates: list[float]) -> Identified:
    result = identify(steps, rates)
    assert result is not None
    return result


def test_every_schedule() -> None:
    missed = []
    for kind in [*KINDS][::3]:  # identify_all tries all of them
        schedule, peak, steps, rates, digits = random_log(kind, Random(f"{kind} 0"))
        result = identify(steps, rates)
        if result is None or not is_right(result, schedule, peak, steps[-1], digits):
            assert result is None or not result.certain, (kind, result)
            missed.append(kind)
    assert len(missed) <= 1, missed


def test_late_start_and_early_end() -> None:
    schedule = fs.warmup_cosine(200, 10_000)
    steps = list(range(0, 6_000, 100))
    result = found_in(steps, log_of(schedule, 3e-4, steps))
    assert (result.schedule, result.peak_value, result.explained) == (schedule, 3e-4, 60)
    steps = list(range(3_000, 10_000, 100))
    late = found_in(steps, log_of(fs.warmup_inverse_sqrt(1000), 0.002, steps))
    assert all(late.peak_value * late.schedule(s) == pytest.approx(0.002 * (1000 / s) ** 0.5, rel=1e-5) for s in steps)
    assert not late.certain


def test_order_and_repeated_steps_do_not_matter() -> None:
    schedule = fs.warmup_linear(50, 500)
    steps = [*range(0, 300, 10), *range(200, 500, 10)]
    assert found_in(steps, log_of(schedule, 0.1, steps)).schedule == schedule


@pytest.mark.parametrize("text", ["{!r}", "{:.7g}", "{:.6g}", "{:.5g}"])
def test_rates_that_optax_computed_in_float32(text: str) -> None:
    theirs = optax.warmup_cosine_decay_schedule(0.0, 3e-4, 20, 200, 3e-5)
    rates = [float(text.format(float(rate))) for rate in theirs(jnp.arange(200))]
    result = identify(jnp.arange(200), rates)  # type: ignore[arg-type]
    assert result is not None
    assert (result.expression, result.explained, result.certain) == (
        "0.0003 * warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)",
        200,
        True,
    )


def test_rates_in_float32_and_with_fixed_decimals() -> None:
    schedule = fs.warmup_cosine(100, 1000, end=0.1)
    steps = list(range(0, 1000, 20))
    float32 = [struct.unpack("<f", struct.pack("<f", 3e-4 * schedule(step)))[0] for step in steps]
    assert found_in(steps, float32).expression == f"0.0003 * {schedule!r}"
    decimals = [round(0.03 * schedule(step), 7) for step in steps]
    assert found_in(steps, decimals).expression == f"0.03 * {schedule!r}"


def test_few_digits() -> None:
    steps = list(range(20))
    exact = found_in(steps, [0.1 * fs.warmup_linear(5, 20)(step) for step in steps])
    assert exact.schedule == fs.warmup_linear(5, 20)
    short = found_in(steps := list(range(0, 200, 4)), log_of(fs.warmup_linear(40, 200), 0.1, steps, digits=2))
    assert short.explained == 50 and not short.certain


def test_rates_that_are_logged_after_the_step_of_the_scheduler() -> None:
    schedule, steps = fs.warmup_cosine(20, 200, end=0.1), list(range(200))
    result = found_in(steps, log_of(schedule, 5e-5, [step + 1 for step in steps]))
    assert (result.schedule, result.peak_value, result.counted_from) == (schedule, 5e-5, -1)
    assert "one step ahead" in described("lr", result)[0]


def test_levels_far_below_the_peak() -> None:
    steps = list(range(1000))
    result = found_in(steps, [0.1 * 0.5 ** (step // 20) for step in steps])
    assert (result.schedule, result.peak_value, result.certain) == (fs.step_decay(20, 0.5), 0.1, True)


def test_steps_counted_from_one() -> None:
    schedule = fs.warmup_linear(100, 1000)
    steps = list(range(10, 1001, 10))
    result = found_in(steps, log_of(schedule, 5e-5, [step - 1 for step in steps]))
    assert (result.schedule, result.peak_value, result.counted_from) == (schedule, 5e-5, 1)


@pytest.mark.parametrize(
    "schedule",
    [
        fs.warmup_exponential(100, 250, 0.5, staircase=True),
        fs.warmup_exponential(100, 250, 0.3, staircase=True, warmup_offset=1),
        fs.inverse_power(200, 0.8),
        fs.cosine_restarts(250, warmup_steps=50, end=0.1),
        fs.cosine_restarts(150, warmup_steps=50, start=0.2, period_factor=2.0, level_factor=0.5),
        fs.cosine_restarts(100, times=3, period_factor=2.0, level_factor=0.8),
        fs.range_test(1000, start=0.01),
    ],
    ids=str,
)
def test_arguments_that_few_runs_use(schedule: Schedule) -> None:
    steps = list(range(0, 1000, 5))
    assert found_in(steps, log_of(schedule, 2e-3, steps, digits=7)).expression == f"0.002 * {schedule!r}"


def test_integers_with_ranges() -> None:
    steps = list(range(0, 1000, 7))
    result = found_in(steps, log_of(fs.step_decay(300), 0.1, steps))
    assert result.schedule == fs.step_decay(300) and not result.certain
    assert result.ranges == (("period", 299, 301),)  # from the steps 294 and 301, 595 and 602, 896 and 903


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (lambda s: fs.warmup_cosine(100, 1500)(s), "another horizon after a resume: total_steps=1500"),
        (lambda s: fs.warmup_cosine(100, 1000)(s + 50), "50 steps of the schedule were skipped"),
        (
            lambda s: 0.5 * fs.warmup_cosine(100, 1000)(s),
            "an external change: from step 600 on, the rates are 0.5 times",
        ),
    ],
)
def test_where_a_log_leaves_its_schedule(after: Schedule, reason: str) -> None:
    schedule = fs.warmup_cosine(100, 1000)
    steps = list(range(0, 1000, 10))
    rates = [float(f"{1e-3 * (schedule(s) if s < 600 else after(s)):.6g}") for s in steps]
    result = found_in(steps, rates)
    assert (result.schedule, result.peak_value, result.departure) == (schedule, 1e-3, 600)
    assert result.explained == 60 and reason in result.reason and not result.certain


def test_a_run_that_started_its_schedule_again() -> None:
    schedule = fs.warmup_cosine(100, 1000)
    steps = list(range(0, 1000, 10))
    rates = [float(f"{1e-3 * schedule(step if step < 697 else step - 697):.6g}") for step in steps]
    result = found_in(steps, rates)
    assert (result.schedule, result.departure) == (schedule, 700)
    assert result.reason == (
        "from step 700 on, the log is 697 steps behind the schedule, as if the schedule had started again at 0: was "
        "the state of the scheduler loaded?"
    )


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (fs.warmup_stable_decay(20, 140, 40, decay_shape=fs.sqrt), range(200)),
        (fs.warmup_linear(100, 1375, end=0.1), range(0, 1375, 25)),
        (fs.tri_stage(18, 320, 37), range(375)),
    ],
    ids=str,
)
def test_the_complete_log_of_a_run_in_float32(schedule: Schedule, steps: range) -> None:
    rates = [struct.unpack("<f", struct.pack("<f", 3e-4 * schedule(step)))[0] for step in steps]
    assert found_in(list(steps), rates).expression == f"0.0003 * {schedule!r}"


def test_shapes_of_a_decay_after_a_constant_phase() -> None:
    steps = list(range(0, 220, 4))
    for shape, found in [
        (fs.exponential(0.1), fs.tri_stage(20, 140, 40, start=0.0, end=0.1)),  # the same curve
        (square := fs.reverse(fs.power(2)), fs.warmup_stable_decay(20, 140, 40, end=0.1, decay_shape=square)),
    ]:
        schedule = fs.warmup_stable_decay(20, 140, 40, end=0.1, decay_shape=shape)
        assert found_in(steps, log_of(schedule, 0.1, steps)).schedule == found


WSD = fs.warmup_stable_decay(100, 1000, 400)


@pytest.mark.parametrize(
    ("schedule", "steps", "digits", "reason"),
    [
        (
            WSD,
            range(0, 1300, 10),
            6,
            "the log ends before the decay does, so a decay of another length to another `end` has the same rates",
        ),
        (
            fs.warmup_inverse_sqrt(1000),
            range(3_000, 10_000, 100),
            6,
            "the log starts after the warmup, so another warmup to another peak has the same rates",
        ),
        (fs.warmup_linear(100, 1000), range(0, 1100, 60), 6, "fewer than 3 points of the log are in the warmup"),
        (fs.warmup_linear(40, 200), range(0, 210, 4), 2, "the rates have fewer than 4 digits"),
        (WSD, range(0, 1600, 10), 6, ""),
    ],
)
def test_why_a_result_is_not_certain(schedule: Schedule, steps: range, digits: int, reason: str) -> None:
    result = found_in(list(steps), log_of(schedule, 0.1, list(steps), digits))
    assert (result.departure, result.certain, result.reason) == (None, not reason, reason)
    text, _ = described("lr", result)
    assert (f"\nnot certain: {reason}\n" if reason else "not certain") in text or not reason


@pytest.mark.parametrize(
    ("head", "last"), [({}, 88), ({}, 100), ({"warmup_offset": 1}, 88), ({"start": 0.25}, 100)], ids=str
)
def test_a_log_that_ends_before_the_warmup(head: dict[str, Any], last: int) -> None:
    steps = list(range(0, last + 1, 4))
    result = found_in(steps, log_of(fs.warmup_cosine(100, 1000, **head), 0.1, steps))
    assert (result.schedule, result.peak_value) == (fs.warmup_constant(100, **head), 0.1)
    assert (result.certain, result.others, result.reason) == (False, (), ENDS_IN_WARMUP)


def test_alternatives_are_why_a_result_is_not_certain() -> None:
    steps = list(range(0, 1000, 7))
    result = found_in(steps, log_of(fs.step_decay(300), 0.1, steps))
    text, _ = described("lr", result)
    assert result.reason == ""
    assert "\nthe log allows period from 299 to 301\nnot certain: the log allows each of these\n" in text


def test_a_rate_of_0_in_every_row() -> None:
    result = found_in(list(range(20)), [0.0] * 20)
    assert result.expression == "0.0 * constant()"
    assert (
        "\nthe learning rate is 0 in every row: is `scheduler.step()` called after every `optimizer.step()`?\n"
        in described("lr", result)[0]
    )
    assert "in every row" not in described("lr", found_in(list(range(20)), [0.1] * 20))[0]


def test_no_answer() -> None:
    random = Random(1)
    steps = list(range(0, 1000, 50))
    assert identify(steps, [random.uniform(1e-4, 1e-3) for _ in steps]) is None
    assert identify([0, 1, 2], [0.1, 0.1, 0.1]) is None
    assert identify([], []) is None


def test_invalid_arguments() -> None:
    with pytest.raises(ValueError, match=r"identify: `rates` must be as long as `steps` \(2\), got 1"):
        identify([0, 1], [0.1])
    with pytest.raises(ValueError, match=r"identify: `steps\[0\]`"):
        identify([-1], [0.1])
    with pytest.raises(ValueError, match=r"identify: `rates\[1\]`"):
        identify([0, 1], [0.1, float("nan")])
    with pytest.raises(TypeError, match="identify: `steps` must be a sequence of integers"):
        identify("01", [0.1])  # type: ignore[arg-type]


def test_names_in_other_libraries() -> None:
    steps = list(range(0, 100, 2))
    names = found_in(steps, log_of(fs.warmup_linear(10, 100), 0.1, steps)).other_names
    assert names["transformers"] == "linear, get_linear_schedule_with_warmup"
    assert names["DeepSpeed"] == "WarmupDecayLR; the engine uses `step - 1`"
