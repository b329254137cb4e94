"""`check_log`: runs that follow their schedule, and the usual mistakes. The rates are computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import funcsched as fs
from funcsched.evidence.check_log import check_log

SCHEDULE = fs.warmup_linear(10, 110)
TEXT = repr(SCHEDULE)
QUESTION = "is `scheduler.step()` called after every `optimizer.step()`"
ESTIMATE = "the peak 0.4 is estimated from the log; to check it too, give `--peak-value`"


def rate(step: int) -> float:
    """0.4 times a warmup of 10 steps and a decay of 100 steps, in exact decimals."""
    return 0.04 * step if step < 10 else max(0.4 - 0.004 * (step - 10), 0.0)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., tuple[str, int]]:
    def check(
        rate: Callable[[int], float],
        steps: Iterable[int] = range(60),
        peak: float | None = 0.4,
        schedule: fs.Schedule = SCHEDULE,
        form: str = ".6g",
    ) -> tuple[str, int]:
        path = tmp_path / "log.csv"
        path.write_text("step,lr\n" + "".join(f"{step},{rate(step):{form}}\n" for step in steps))
        return check_log(schedule, path, peak)

    return check


def test_a_run_that_follows_its_schedule(check: Callable[..., tuple[str, int]]) -> None:
    assert check(rate) == (f"all 60 points of lr follow 0.4 * {TEXT}", 0)
    assert check(rate, peak=None) == (f"all 60 points of lr follow 0.4 * {TEXT}\n{ESTIMATE}", 0)
    assert check(rate, range(0, 10_000, 7))[1] == 0


def test_a_peak_is_estimated_from_rates_that_are_rounded_to_decimals(check: Callable[..., tuple[str, int]]) -> None:
    assert check(lambda step: 0.01 * rate(step), peak=None, form=".5f")[0].startswith(
        f"all 60 points of lr follow 0.004 * {TEXT}\n"
    )


@pytest.mark.parametrize("form", ["g", ".1f", ".2e"])
def test_a_run_at_rate_0_without_scheduler_steps(check: Callable[..., tuple[str, int]], form: str) -> None:
    expected = f"all rates of lr are 0, but {{}} at step 10: {QUESTION}, or does the log have too few digits?"
    assert check(lambda step: 0.0, form=form) == (expected.format("the schedule reaches 0.4"), 1)
    text, status = check(lambda step: 0.0, peak=None, form=form)
    assert (text, status) == (expected.format("the multiplier of the schedule reaches 1"), 1)


@pytest.mark.parametrize("constant", [0.4, 0.04, 1.0, 0.123456])
def test_a_run_at_any_constant_rate_without_scheduler_steps(
    check: Callable[..., tuple[str, int]], constant: float
) -> None:
    decay = fs.warmup_linear(0, 100)  # 0.5 at step 50
    text, status = check(lambda step: constant, range(51), constant, decay)
    assert (status, f"the schedule reaches {constant / 2:.6g} at step 50: {QUESTION}" in text) == (1, True)
    text, status = check(lambda step: constant, range(51), None, decay)
    assert (status, f"the multiplier of the schedule reaches 0.5 at step 50: {QUESTION}" in text) == (1, True)


def test_a_constant_schedule_has_a_constant_log(check: Callable[..., tuple[str, int]]) -> None:
    plateau = fs.warmup_stable_decay(10, 1000, 10)
    for peak in 0.4, None:
        assert check(lambda step: 0.4, range(10, 500), peak, plateau)[1] == 0
    assert check(lambda step: 0.0, range(120, 200))[1] == 0  # after the end
    text, status = check(lambda step: 0.5, range(10, 500), 0.4, plateau)
    assert (status, text.endswith("the log follows the schedule with a peak of 0.5")) == (1, True)


def test_a_log_with_few_digits(check: Callable[..., tuple[str, int]]) -> None:
    text, status = check(rate, form=".1e")
    assert status == 0
    assert text.endswith("\nthe rates have fewer than 4 digits, so small differences are not visible")
    text, status = check(lambda step: rate(step + 1), form=".1e")
    assert (status, "the log is one step ahead of the schedule" in text) == (1, True)


@pytest.mark.parametrize("peak", [0.4, None])
@pytest.mark.parametrize(
    ("shift", "first", "text"),
    [
        (
            1,
            0,
            "the log is one step ahead of the schedule: is the rate logged after `scheduler.step()`, or is it called "
            "before `optimizer.step()`?",
        ),
        (-1, 0, "the log is one step behind the schedule"),
        (7, 0, "the log is 7 steps ahead of the schedule"),
        (-7, 1, "the log is 7 steps behind the schedule"),
    ],
)
def test_a_shifted_log(
    check: Callable[..., tuple[str, int]], shift: int, first: int, text: str, peak: float | None
) -> None:
    found, status = check(lambda step: rate(max(step + shift, 0)), range(first, 60), peak)
    assert (status, found.splitlines()[-1]) == (1, text)
    assert found.startswith(f"lr leaves 0.4 * {TEXT} at step {first if shift > 0 else 1}: ")


def test_a_log_that_counts_steps_from_1(check: Callable[..., tuple[str, int]]) -> None:
    text, status = check(lambda step: rate(step - 1), range(5, 60, 5), None)
    counted = "the log counts steps from 1: its step n is step n - 1 of the schedule"
    assert (text, status) == (f"all 11 points of lr follow 0.4 * {TEXT}\n{counted}\n{ESTIMATE}", 0)


@pytest.mark.parametrize("peak", [0.4, None])
@pytest.mark.parametrize(
    ("length", "steps"),
    [(50, range(100)), (50, range(0, 2000, 10)), (4, range(300)), (100, range(0, 30_000, 25)), (7, range(0, 600, 3))],
    ids=str,
)
def test_a_scheduler_that_is_stepped_once_per_epoch(
    check: Callable[..., tuple[str, int]], length: int, steps: range, peak: float | None
) -> None:
    text, status = check(lambda step: rate(step // length), steps, peak)
    question = f"every value is held for {length} steps: is `scheduler.step()` called once per epoch?"
    assert (status, text.splitlines()[-1]) == (1, question)


FASTER = (
    "the schedule advances {} steps per step of the log: is `scheduler.step()` called for every batch or process "
    "instead of every update"
)


@pytest.mark.parametrize("peak", [0.4, None])
@pytest.mark.parametrize(("factor", "first"), [(2, 0), (4, 0), (8, 1)])
def test_a_scheduler_that_is_stepped_several_times_per_update(
    check: Callable[..., tuple[str, int]], factor: int, first: int, peak: float | None
) -> None:
    text, status = check(lambda step: rate(factor * (step - first)), range(first, 60), peak)
    assert (status, text.splitlines()[-1]) == (1, f"{FASTER.format(factor)}?")


def test_a_faster_warmup_may_also_be_one_to_another_peak(check: Callable[..., tuple[str, int]]) -> None:
    text, status = check(lambda step: rate(2 * step), range(5))
    assert (status, text.splitlines()[-1]) == (1, f"{FASTER.format(2)}, or is the peak 0.8?")


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (
            lambda step: rate(step - 42),
            "from step 45 on, the log is 42 steps behind the schedule, as if the schedule had started again at 0: was "
            "the state of the scheduler loaded?",
        ),
        (lambda step: rate(step + 20), "20 steps of the schedule were skipped at about step 45"),
        (
            lambda step: 0.5 * rate(step),
            "an external change: from step 45 on, the rates are 0.5 times those of the schedule",
        ),
        (  # a decay of 200 steps
            lambda step: 0.4 - 0.002 * (step - 10),
            "another horizon after a resume: total_steps=210 from about step 45 on",
        ),
    ],
)
def test_where_and_why_a_log_leaves_its_schedule(
    check: Callable[..., tuple[str, int]],
    after: Callable[[int], float],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("funcsched.evidence.check_log.identify", lambda *log: None)  # it would take seconds
    text, status = check(lambda step: rate(step) if step < 42 else after(step), range(0, 100, 5))
    assert (status, text.splitlines()[1:]) == (1, ["9 of 20 points follow it", reason])


def test_rates_are_printed_with_the_digits_in_which_they_differ(
    check: Callable[..., tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("funcsched.evidence.check_log.identify", lambda *log: None)
    text, _ = check(lambda step: rate(step) if step < 20 else 0.3600003, range(21), form="")
    assert text.splitlines()[0].endswith(" at step 20: 0.3600003 instead of 0.36")


def test_a_log_of_another_schedule(check: Callable[..., tuple[str, int]]) -> None:
    text, status = check(rate, schedule=fs.warmup_linear(10, 210))
    assert status == 1
    assert text.splitlines() == [  # the decay of 200 steps: 0.4 - 0.002
        "lr leaves 0.4 * warmup_linear(warmup_steps=10, total_steps=210) at step 11: 0.396 instead of 0.398",
        "11 of 60 points follow it",
        f"the log follows 0.4 * {TEXT}",
    ]


def test_a_log_after_the_end_of_its_schedule(check: Callable[..., tuple[str, int]]) -> None:
    text, status = check(lambda step: 0.001 * step, range(110, 115))
    assert (status, text.splitlines()[:2]) == (
        1,
        [f"lr leaves 0.4 * {TEXT} at step 110: 0.11 instead of 0", "0 of 5 points follow it"],
    )


def test_a_schedule_that_gives_no_peak(check: Callable[..., tuple[str, int]]) -> None:
    text = "at every step of lr, the rate or the schedule is 0, so the log gives no peak"
    assert check(rate, [0], None) == (text, 1)
