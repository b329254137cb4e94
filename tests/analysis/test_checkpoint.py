"""`snapshot` and `check_resume`: the same curve passes, and the message for a different one."""

import json
import logging
import math
import sys
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import funcsched as fs
from tests.cases import CATALOGUE, Case

LINEAR = fs.warmup_linear(10, 100)


def halving(step):
    return 0.5 ** (step // 10)


def quarter_sine(fraction):
    return math.sin(math.pi / 2 * fraction)


def mismatch_message(saved, schedule, step: int | None) -> str:
    with pytest.raises(ValueError, match=r"^check_resume: the checkpoint was made with a different schedule") as caught:
        fs.check_resume(saved, schedule, step=step)
    return str(caught.value)


@pytest.mark.parametrize("case", CATALOGUE, ids=str)
def test_same_schedule_passes(case: Case) -> None:
    saved = json.loads(json.dumps(fs.snapshot(case.schedule)))
    fs.check_resume(saved, case.schedule, step=37)


@pytest.mark.parametrize("schedule", [halving, fs.scale(halving, 2.0), fs.ramp(0, 1, steps=9, shape=quarter_sine)])
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
    # Without a step, the whole curves are compared.
    assert f"the curves diverge at step {first:,};" in mismatch_message(fs.snapshot(old), new, None)
    assert f"the curves diverge at step {first:,};" in mismatch_message(fs.snapshot(new), old, None)
    assert f"the curves diverge at step {first:,}; at step {first:,}" in mismatch_message(fs.snapshot(old), new, first)
    fs.check_resume(fs.snapshot(old), new, step=first - 1)


def test_difference_only_at_the_step_of_the_resume_is_found() -> None:
    spike = fs.piecewise_constant([54_321, 54_322], levels=[1.0, 2.0, 1.0])
    assert "from 1 to 2" in mismatch_message(fs.snapshot(fs.constant()), spike, 54_321)


def test_message_contains_the_jump() -> None:
    assert mismatch_message(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), 55) == (
        "check_resume: the checkpoint was made with a different schedule: the curves diverge at step 11; at step 55, "
        "where the run resumes, the multiplier would jump from 0.5 to 0.75; checkpoint: "
        "warmup_linear(warmup_steps=10, total_steps=100); current: warmup_linear(warmup_steps=10, total_steps=190); to "
        "avoid the jump, branch off with `fs.then(old, 55, end, steps=remaining)`; to "
        'continue with the current schedule, use `on_mismatch="warn"`'
    )


def test_message_without_a_step_has_no_jump() -> None:
    assert mismatch_message(fs.snapshot(LINEAR), fs.constant(0.5), None) == (
        "check_resume: the checkpoint was made with a different schedule: the curves diverge at step 0; checkpoint: "
        "warmup_linear(warmup_steps=10, total_steps=100); current: constant(value=0.5); to continue with the current "
        'schedule, use `on_mismatch="warn"`'
    )


def test_message_if_the_curves_are_equal_at_the_step_of_the_resume() -> None:
    bump = fs.piecewise_constant([3, 4], levels=[1.0, 2.0, 1.0])
    assert "at step 5, where the run resumes, the multiplier is 1 in both" in mismatch_message(
        fs.snapshot(fs.constant()), bump, 5
    )


# Trainers may drop warnings while they load a checkpoint, so the message is logged, too.
def test_on_mismatch_warn(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match=r"the multiplier would jump from 0.5 to 0.75") as caught:
        fs.check_resume(fs.snapshot(LINEAR), fs.warmup_linear(10, 190), step=55, on_mismatch="warn")
    assert caught[0].filename == __file__
    assert str(caught[0].message).endswith("total_steps=190); continuing with the current schedule")
    assert caplog.record_tuples == [("funcsched", logging.WARNING, str(caught[0].message))]


def test_without_handlers_a_warning_is_printed_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Logger, "hasHandlers", lambda logger: False)
    monkeypatch.delitem(sys.modules, "transformers", raising=False)
    with pytest.warns(UserWarning, match="continuing with the current schedule"):
        fs.check_resume(fs.snapshot(LINEAR), fs.constant(), step=55, on_mismatch="warn")
    assert not caplog.records
    monkeypatch.setitem(sys.modules, "transformers", sys)  # its Trainer drops the warning
    with pytest.warns(UserWarning, match="continuing with the current schedule"):
        fs.check_resume(fs.snapshot(LINEAR), fs.constant(), step=55, on_mismatch="warn")
    assert len(caplog.records) == 1


# Planned changes: the curves are equal up to the step of the resume.

WSD = fs.warmup_stable_decay(10, 80, 10)
SQRT = fs.warmup_inverse_sqrt(100)
PLANNED = {
    "a cooldown branched off at the step": (SQRT, fs.then(SQRT, 400, 0.0, steps=100, shape=fs.sqrt), 400),
    "a horizon extended in the constant phase": (WSD, fs.warmup_stable_decay(10, 180, 10), 90),
    "a shorter horizon in the constant phase": (WSD, fs.warmup_stable_decay(10, 40, 10), 50),
    "a new warmup": (fs.warmup_linear(10, 100), fs.then(fs.warmup_linear(10, 100), 55, 1.0, steps=20), 55),
    "a long run": (fs.constant(), fs.then(fs.constant(), 10**9, 0.0, steps=10**6), 10**9),
}


@pytest.mark.parametrize("planned", PLANNED)
def test_a_schedule_that_is_equal_up_to_the_step_passes(planned: str) -> None:
    old, new, step = PLANNED[planned]
    for saved in (fs.snapshot(old), fs.snapshot(lambda at: old(at))):
        fs.check_resume(saved, new, step=step)
        fs.check_resume(saved, lambda at: new(at), step=step)
    # One step later the curves differ. Samples may not have that step.
    message = mismatch_message(fs.snapshot(old), new, step + 1)
    assert f"the curves diverge at step {step + 1:,}; at step {step + 1:,}, where the run resumes" in message


def test_only_samples_up_to_the_step_are_compared() -> None:
    saved = {"text": "f", "samples": [[0, 1.0], [10, 0.5], [20, 0.25]], "format": 1}
    fs.check_resume(saved, fs.constant(), step=9)
    assert "the first sampled value that differs is at step 10; at step 10" in mismatch_message(
        saved, fs.constant(), 10
    )
    assert "the first sampled value that differs is at step 10; checkpoint" in mismatch_message(
        saved, fs.constant(), None
    )


@pytest.mark.parametrize(
    ("saved", "cause"),
    [
        ({"format": 1, "schedule": {"warmup_cosin": {}}}, "warmup_cosin"),
        ({"format": 1, "schedule": {"constant": {"value": "x"}}}, "value"),
        ({"format": 2, "schedule": {"constant": {}}}, "format"),
        ({"format": 1, "schedule": 3}, "schedule"),
    ],
)
def test_the_error_about_a_malformed_snapshot_names_the_argument_and_the_cause(saved, cause: str) -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `saved` must be a result of `snapshot`, got ") as caught:
        fs.check_resume(saved, LINEAR)
    got, _, reason = str(caught.value).partition("; ")
    assert repr(next(iter(saved))) in got and cause in reason and "from_dict: " not in reason


SAMPLES = [3, [3], [[0]], [[0, "x"]], [[0.5, 1.0]], [[-1, 1.0]], [[True, 1.0]], [["0", 1.0]], [[0, 10**400]]]


@pytest.mark.parametrize(
    "saved",
    [None, {}, {"format": 1}, {"text": "x"}, [1], *({"text": "x", "samples": samples} for samples in SAMPLES)],
)
def test_invalid_snapshots_raise(saved) -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `saved` must be a result of `snapshot`, got "):
        fs.check_resume(saved, LINEAR)


@pytest.mark.parametrize("step", [-1, 0.5, "5"])
def test_invalid_steps_raise(step) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^check_resume: `step` must be an integer from 0 to"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, step=step)


def test_invalid_on_mismatch_raises() -> None:
    with pytest.raises(ValueError, match=r"^check_resume: `on_mismatch` must be one of 'raise', 'warn', got 'ignore'$"):
        fs.check_resume(fs.snapshot(LINEAR), LINEAR, on_mismatch="ignore")


@pytest.mark.parametrize("array", [jnp.array(55), np.array(55), torch.tensor(55)])
def test_the_step_may_be_the_count_of_an_optimizer(array: Any) -> None:
    saved, longer = fs.snapshot(fs.warmup_linear(10, 100)), fs.warmup_linear(10, 190)
    with pytest.raises(ValueError, match=r"at step 55, where the run resumes, .* would jump from 0.5 to 0.75"):
        fs.check_resume(saved, longer, step=array)
    with pytest.raises((TypeError, ValueError), match="`step` must be an integer from 0 to"):
        fs.check_resume(saved, longer, step=array * 1.5)
