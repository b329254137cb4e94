"""What a checkpoint keeps of a schedule, and what is said when another one is given."""

import json
import math

import jax.numpy as jnp
import pytest

import funcsched as fs
from tests.cases import CATALOGUE, Case

LINEAR = fs.warmup_linear(10, 100)


def halving(step):
    return 0.5 ** (step // 10)


def told(saved, schedule, step: int) -> str:
    with pytest.raises(ValueError, match=r"^check_resume: the checkpoint was made with another schedule") as caught:
        fs.check_resume(saved, schedule, step=step)
    return str(caught.value)


@pytest.mark.parametrize("case", CATALOGUE, ids=str)
def test_the_same_schedule_goes_on(case: Case) -> None:
    saved = json.loads(json.dumps(fs.snapshot(case.schedule)))
    fs.check_resume(saved, case.schedule, step=37)


@pytest.mark.parametrize("schedule", [halving, fs.scale(halving, 2.0), fs.ramp(0, 1, steps=9, shape=math.sin)])
def test_a_function_is_known_by_its_values(schedule) -> None:
    saved = json.loads(json.dumps(fs.snapshot(schedule)))
    fs.check_resume(saved, schedule, step=3)
    assert "step 0" in told(saved, fs.constant(0.3), 3)


def overflowing(step):
    return min(1.0, 0.01 * 1.5**step)


def of_a_run(step):
    return [0.5, 1.0, 0.25][step]


@pytest.mark.parametrize("function", [overflowing, of_a_run])
def test_a_function_that_is_not_defined_past_its_run_is_known_by_the_rest(function) -> None:
    saved = json.loads(json.dumps(fs.snapshot(function)))
    fs.check_resume(saved, function, step=1)
    assert "the curves differ at step 0" in told(saved, fs.constant(0.3), 1)
    fs.check_resume(fs.snapshot(fs.table([0.5, 1.0, 0.25])), of_a_run, step=1)
    assert "the curves part at step 1, and" in told(fs.snapshot(fs.constant(0.5)), of_a_run, 1)


def test_numbers_that_are_arrays_are_known_by_their_values() -> None:
    saved = json.loads(json.dumps(fs.snapshot(fs.warmup_linear(jnp.int32(10), jnp.int32(100)))))
    assert [5, 0.5] in saved["samples"]
    assert "the curves differ at step 0, and" in told(saved, fs.constant(1.0), 5)


def test_two_expressions_of_one_curve_are_the_same() -> None:
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
def test_the_step_at_which_the_curves_part_is_exact(old: fs.Schedule, new: fs.Schedule, first: int) -> None:
    assert f"the curves part at step {first}, and" in told(fs.snapshot(old), new, 0)
    assert f"the curves part at step {first}, and" in told(fs.snapshot(new), old, 0)


def test_a_difference_at_the_step_of_the_resume_alone_is_seen() -> None:
    spike = fs.piecewise_constant([54_321, 54_322], levels=[1.0, 2.0, 1.0])
    assert "from 1 to 2" in told(fs.snapshot(fs.constant()), spike, 54_321)


def test_the_jump_is_told() -> None:
    assert told(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), 55) == (
        "check_resume: the checkpoint was made with another schedule: the curves part at step 11, and at step 55, "
        "where the run resumes, the multiplier would jump from 0.5 to 0.75; it was "
        "warmup_linear(warmup_steps=10, total_steps=100), and is warmup_linear(warmup_steps=10, total_steps=190)"
    )


def test_where_both_still_agree_it_says_so() -> None:
    assert "at step 5, where the run resumes, the multiplier is 0.5 in both" in told(
        fs.snapshot(LINEAR), fs.warmup_linear(10, 190), 5
    )


def test_the_caller_can_choose_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"the multiplier would jump from 0.5 to 0.75") as caught:
        fs.check_resume(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), step=55, on_mismatch=r"warn")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("saved", [None, {}, {"format": 1}, {"text": "x"}, {"text": "x", "samples": 3}, [1]])
def test_what_is_no_snapshot_is_refused(saved) -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `saved` must be what `snapshot` gave, got "):
        fs.check_resume(saved, LINEAR)


@pytest.mark.parametrize("step", [-1, 0.5, "5", None])
def test_a_step_that_cannot_be_is_refused(step) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^check_resume: `step` must be an integer from 0 to"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, step=step)


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `on_mismatch` must be one of 'raise', 'warn', got 'ignore'$"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, on_mismatch=r"ignore")
