"""`identify` on logs of known schedules, written with few digits and many gaps."""

from __future__ import annotations

import struct
from random import Random

import pytest

import funcsched as fs
from funcsched.core.schedule import Schedule
from funcsched.evidence.identify import Identified, identify
from tests.evidence.identify_all import KINDS, is_right, random_log


def log_of(schedule: Schedule, peak: float, steps: list[int], digits: int = 6) -> list[float]:
    return [float(f"{peak * schedule(step):.{digits}g}") for step in steps]


def found_in(steps: list[int], rates: list[float]) -> Identified:
    result = identify(steps, rates)
    assert result is not None
    return result


def test_every_schedule() -> None:
    missed = []
    for kind in KINDS:
        schedule, peak, steps, rates, digits = random_log(kind, Random(f"{kind} 0"))
        result = identify(steps, rates)
        if result is None or not is_right(result, schedule, peak, steps[-1], digits):
            assert result is None or not result.certain, (kind, result)
            missed.append(kind)
    assert len(missed) <= len(KINDS) // 20, missed


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
