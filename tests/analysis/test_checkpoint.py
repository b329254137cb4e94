"""`snapshot` and `check_resume`: the same curve passes, and the message for a different one."""

import json
import math

import jax.numpy as jnp
import pytest

import funcsched as fs
from tests.cases import CATALOGUE, Case

LINEAR = fs.warmup_linear(10, 100)


def halving(step):
    return 0.5 ** (step // 10)


def mismatch_message(saved, schedule, step: int) -> str:
    with pytest.raises(ValueError, match=r"^check_resume: the checkpoint was made with a different schedule") as caught:
        fs.check_resume(saved, schedule, step=step)
    return str(caught.value)


@pytest.mark.parametrize("case", CATALOGUE, ids=str)
def test_same_schedule_passes(case: Case) -> None:
    saved = json.loads(json.dumps(fs.snapshot(case.schedule)))
    fs.check_resume(saved, case.schedule, step=37)


@pytest.mark.parametrize("schedule", [halving, fs.scale(halving, 2.0), fs.ramp(0, 1, steps=9, shape=math.sin)])
def test_functions_are_compared_by_their_values(schedule) -> None:
    saved = json.loads(json.dumps(fs.snapshot(schedule)))
    fs.check_resume(saved, schedule, step=3)
    assert "step 0" in mismatch_message(saved, fs.constant(0.3), 3)


def overflowing(step):
    return min(1.0, 0.01 * 1.5**step)


def defined_for_three_steps(step):
    return [0.5, 1.0, 0.25][step]


@pytest.mark.parametrize("function", [overflowing, defined_for_three_steps])
def test_functions_that_are_undefined_after_their_run_are_compared_where_defined(function) -> None:
    saved = json.loads(json.dumps(fs.snapshot(function)))
    fs.check_resume(saved, function, step=1)
    assert "the first sampled value that differs is at step 0;" in mismatch_message(saved, fs.constant(0.3), 1)
    fs.check_resume(fs.snapshot(fs.table([0.5, 1.0, 0.25])), defined_for_three_steps, step=1)
    assert "the curves diverge at step 1;" in mismatch_message(
        fs.snapshot(fs.constant(0.5)), defined_for_three_steps, 1
    )


def test_array_arguments_are_compared_by_their_values() -> None:
    saved = json.loads(json.dumps(fs.snapshot(fs.warmup_linear(jnp.int32(10), jnp.int32(100)))))
    assert [5, 0.5] in saved["samples"]
    assert "the first sampled value that differs is at step 0;" in mismatch_message(saved, fs.constant(1.0), 5)


def test_different_expressions_of_the_same_curve_pass() -> None:
    same = fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90)], [10])
    fs.check_resume(fs.snapshot(LINEAR), same, step=50)


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        (LINEAR, fs.warmup_linear(10, 101), 11),
        (LINEAR, fs.warmup_linear(11, 100), 1),
        (fs.constant(), fs.join([fs.constant(), fs.constant(2)], [9_999]), 9_999),
        (fs.constant(), fs.join([fs.constant(), fs.constant(2)], [10_000]), 10_000),
        (fs.constant(), fs.join([fs.constant(), fs.constant(2)], [123_456_789]), 123_456_789),
        (fs.constant(), fs.multistep([10**12 + 7]), 10**12 + 7),
        (fs.warmup_constant(20_000), fs.warmup_linear(20_000, 30_000), 20_001),
        (fs.warmup_linear(0, 100_000), fs.warmup_linear(0, 100_000, end=0.5), 1),
    ],
)
def test_first_different_step_is_exact(old: fs.Schedule, new: fs.Schedule, first: int) -> None:
    assert f"the curves diverge at step {first};" in mismatch_message(fs.snapshot(old), new, 0)
    assert f"the curves diverge at step {first};" in mismatch_message(fs.snapshot(new), old, 0)


def test_difference_only_at_the_step_of_the_resume_is_found() -> None:
    spike = fs.piecewise_constant([54_321, 54_322], levels=[1.0, 2.0, 1.0])
    assert "from 1 to 2" in mismatch_message(fs.snapshot(fs.constant()), spike, 54_321)


def test_message_contains_the_jump() -> None:
    assert mismatch_message(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), 55) == (
        "check_resume: the checkpoint was made with a different schedule: the curves diverge at step 11; at step 55, "
        "where the run resumes, the multiplier would jump from 0.5 to 0.75; checkpoint: "
        "warmup_linear(warmup_steps=10, total_steps=100); current: warmup_linear(warmup_steps=10, total_steps=190)"
    )


def test_message_if_the_curves_are_equal_at_the_step_of_the_resume() -> None:
    assert "at step 5, where the run resumes, the multiplier is 0.5 in both" in mismatch_message(
        fs.snapshot(LINEAR), fs.warmup_linear(10, 190), 5
    )


def test_on_mismatch_warn() -> None:
    with pytest.warns(UserWarning, match=r"the multiplier would jump from 0.5 to 0.75") as caught:
        fs.check_resume(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), step=55, on_mismatch="warn")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("saved", [None, {}, {"format": 1}, {"text": "x"}, {"text": "x", "samples": 3}, [1]])
def test_invalid_snapshots_raise(saved) -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `saved` must be a result of `snapshot`, got "):
        fs.check_resume(saved, LINEAR)


@pytest.mark.parametrize("step", [-1, 0.5, "5", None])
def test_invalid_steps_raise(step) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^check_resume: `step` must be an integer from 0 to"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, step=step)


def test_invalid_on_mismatch_raises() -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `on_mismatch` must be one of 'raise', 'warn', got 'ignore'$"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, on_mismatch="ignore")
