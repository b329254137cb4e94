"""Loading a state into a scheduler whose schedule differs from the saved one only after the step of the state."""

import logging

import pytest

import funcsched as fs
from bridges.torch import lambda_lr
from tests.bridges.torch.runs import rates, run, sgd
from tests.errors import exactly

SQRT, WSD = fs.warmup_inverse_sqrt(4), fs.warmup_stable_decay(2, 8, 4)


def state_at(step: int, schedule: fs.Schedule) -> dict:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, schedule, hyperparameters={"weight_decay": schedule})
    run(optimizer, scheduler, step)
    return scheduler.state_dict()


# The rates of the updates after the resume, from the formulas.
PLANNED = {
    "a cooldown": (SQRT, fs.then(SQRT, 16, 0.0, steps=4), 16, [0.25, 0.1875, 0.125, 0.0625, 0.0, 0.0]),
    "a longer run": (WSD, fs.warmup_stable_decay(2, 11, 4), 10, [0.5, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125, 0.0]),
    "a new warmup": (WSD, fs.then(WSD, 12, 1.0, steps=2), 12, [0.25, 0.375, 0.5, 0.5]),
}


@pytest.mark.parametrize("planned", PLANNED)
def test_a_planned_change_is_accepted(planned: str) -> None:
    old, new, step, expected = PLANNED[planned]
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, new, hyperparameters={"weight_decay": new})
    scheduler.load_state_dict(state_at(step, old))
    assert [rate for (rate,) in run(optimizer, scheduler, len(expected))] == expected


def test_a_change_before_the_step_is_rejected_with_the_ways_to_continue(caplog: pytest.LogCaptureFixture) -> None:
    cooldown = fs.then(SQRT, 16, 0.0, steps=4)
    state, optimizer = state_at(18, SQRT), sgd(0.5)
    difference = (
        "load_state_dict: the checkpoint was made with a different schedule for 'lr' of group 0: the curves diverge at"
        f" step 17; at step 18, where the run resumes, the learning rate would jump from {0.5 * (4 / 18) ** 0.5:g} to"
        f" 0.125; checkpoint: {SQRT}; current: {cooldown}"
    )
    ways = (
        "; to change the schedule without a jump, branch off with `fs.then(old, 18, end, steps=remaining)`; to continue"
        " with the current schedules and base values, use `lambda_lr(..., step=18)` without this state, or"
        ' `lambda_lr(..., on_mismatch="warn")`'
    )
    state["schedules"] = state["schedules"].replace('"weight_decay"', '"momentum"')
    keys = {"momentum": SQRT}
    with pytest.raises(ValueError, match=exactly(difference + ways)):
        lambda_lr(optimizer, cooldown, hyperparameters=keys).load_state_dict(state)
    # The last two give the same rate, also if the state of the optimizer, with the rate of the old schedule, is loaded.
    saved = sgd(0.5)
    run(saved, lambda_lr(saved, SQRT), 18)
    continued = sgd(0.5)
    way = lambda_lr(continued, cooldown, step=18)
    continued.load_state_dict(saved.state_dict())
    assert rates(continued) == [0.125] == way.get_last_lr() != rates(saved)
    scheduler = lambda_lr(optimizer, cooldown, hyperparameters=keys, on_mismatch="warn")
    warning = f"{difference}; continuing with the current schedules and base values"
    with pytest.warns(UserWarning, match=exactly(warning)) as caught:
        scheduler.load_state_dict(state)
    assert rates(optimizer) == [0.125] and caught[0].filename == __file__
    assert caplog.record_tuples == [("funcsched", logging.WARNING, warning)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format": 1', '"format": 9', "`schedules['lr'][0]` must be a result of `snapshot`, got {'format': 9, "),
        ('"base_value": 0.5', '"base_value": "0"', "`schedules['lr'][0].base_value` must be a finite number, got '0'"),
        ("warmup_inverse_sqrt", "warmup_inverse", "`schedules['lr'][0]` must be a result of `snapshot`, got {"),
    ],
)
def test_a_malformed_description_is_rejected(old: str, new: str, message: str) -> None:
    state = state_at(4, SQRT)
    assert state["schedules"].count(old)
    state["schedules"] = state["schedules"].replace(old, new)
    scheduler = lambda_lr(sgd(0.5), fs.shift(SQRT, 1), hyperparameters={"weight_decay": SQRT}, on_mismatch="warn")
    with pytest.raises((TypeError, ValueError)) as caught:
        scheduler.load_state_dict(state)
    assert str(caught.value).startswith(f"load_state_dict: {message}") and scheduler.last_epoch == 0


@pytest.mark.parametrize("factors", [None, [1], [-1.0], [float("nan")], [float("inf")], ["1.0"], 1.0])
def test_malformed_factors_are_rejected(factors) -> None:
    state = {**state_at(4, SQRT), "factors": factors}
    message = f"load_state_dict: `factors` must be a list of finite floats of at least 0, got {factors!r}"
    scheduler = lambda_lr(sgd(0.5), SQRT, hyperparameters={"weight_decay": SQRT})
    with pytest.raises(ValueError, match=exactly(message)):
        scheduler.load_state_dict(state)
    assert scheduler.last_epoch == 0
