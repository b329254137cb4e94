"""`on_external_change` of `lambda_lr`: other code changes a learning rate between two steps of the scheduler."""

import copy
import logging
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import ChainedScheduler, ExponentialLR, LinearLR, ReduceLROnPlateau, SequentialLR

import funcsched as fs
from bridges.torch import lambda_lr
from tests.bridges.torch.runs import rates, run, sgd
from tests.errors import exactly


def edit(optimizer: Any, rate: float, group: int = 0) -> None:
    """Change a learning rate as other schedulers do: a tensor is filled in place."""
    if isinstance(optimizer.param_groups[group]["lr"], torch.Tensor):
        optimizer.param_groups[group]["lr"].fill_(rate)
    else:
        optimizer.param_groups[group]["lr"] = rate


def step(optimizer: Any, *schedulers: Any) -> None:
    optimizer.step()
    for scheduler in schedulers:
        scheduler.step()


# "keep".


def test_with_keep_the_reductions_of_a_plateau_remain() -> None:
    optimizer = sgd(0.1)
    scheduler = lambda_lr(optimizer, fs.warmup_constant(5), on_external_change="keep")
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    used = []
    for loss in (9, 8, 7, 6, 5, 5, 5, 5, 4):
        used.append(rates(optimizer)[0])
        step(optimizer, scheduler)
        plateau.step(loss)
    # A warmup over 5 steps. The losses of updates 5, 6 and 7 are no improvement.
    assert used == pytest.approx([0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.05, 0.025, 0.0125], rel=1e-15)


@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_with_keep_changes_multiply_and_the_schedule_goes_on(rate: Any) -> None:
    optimizer = sgd(copy.deepcopy(rate), 1.0)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change="keep")
    edit(optimizer, 0.25)  # before the first step: half of 0.5
    step(optimizer, scheduler)
    assert rates(optimizer) == [0.25 * 15 / 16, 15 / 16]
    edit(optimizer, 4 * 0.25 * 15 / 16)
    step(optimizer, scheduler)
    assert rates(optimizer) == [14 / 16, 14 / 16] == scheduler.get_last_lr()


@pytest.mark.parametrize("ours_first", [True, False])
def test_with_keep_the_factors_of_a_chained_scheduler_remain(ours_first: bool) -> None:
    optimizer = sgd(0.5)
    ours = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change="keep")
    theirs = ExponentialLR(optimizer, 0.5)
    used = run(optimizer, ChainedScheduler([ours, theirs] if ours_first else [theirs, ours]), 6)
    assert used == [[0.5 * (16 - k) / 16 * 0.5**k] for k in range(6)]


ORDERS = [("optimizer", "scheduler"), ("scheduler", "optimizer"), ("scheduler",)]


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("rate", [0.3, torch.tensor(0.3)], ids=["number", "tensor"])
def test_with_keep_a_change_that_no_step_has_seen_is_saved(rate: Any, order: tuple[str, ...]) -> None:
    def build() -> tuple[Any, Any]:
        optimizer = sgd(copy.deepcopy(rate))
        return optimizer, lambda_lr(optimizer, fs.warmup_cosine(3, 11), on_external_change="keep")

    optimizer, scheduler = build()
    for factor in (0.7, 0.3, 0.9):  # their products with the rates are rounded
        run(optimizer, scheduler, 2)
        edit(optimizer, rates(optimizer)[0] * factor)
    states = copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})
    expected = run(optimizer, scheduler, 5)
    resumed, again = build()
    for name in order:
        {"optimizer": resumed, "scheduler": again}[name].load_state_dict(states[name])
    assert run(resumed, again, 5) == expected


@pytest.mark.parametrize(("old", "new"), [(0.0, 0.1), (0.5, float("nan")), (0.5, float("inf")), (0.5, -0.1)])
def test_with_keep_a_change_without_a_ratio_is_rejected_and_nothing_changes(old: float, new: float) -> None:
    optimizer = sgd(0.5, 0.5)
    schedules = [fs.constant(), fs.constant(old / 0.5)]
    scheduler = lambda_lr(optimizer, schedules, on_external_change="keep")
    optimizer.step()
    edit(optimizer, 0.25)
    edit(optimizer, new, 1)
    message = (
        f"step: other code changed the learning rate of group 1 from {old:g} to {new:g}, which"
        " on_external_change='keep' cannot keep as a factor; it needs a rate above 0 before the change and a finite"
        " one of at least 0 after it;"
        " change the rate at another step, or use `on_external_change='overwrite'`"
    )
    for _ in range(2):
        with pytest.raises(ValueError, match=exactly(message)):
            scheduler.step()
        assert (scheduler.last_epoch, rates(optimizer)[0]) == (0, 0.25)
    edit(optimizer, old, 1)
    scheduler.step()
    assert rates(optimizer) == [0.25, old]


# "warn" and "overwrite".


def message_of(old: float, new: float, more: str = "") -> str:
    return (
        f"step: other code changed the learning rate of group 1 from {old:g} to {new:g}{more}; the scheduler sets it to"
        " the value of the schedule, now and after later changes; `lambda_lr(..., on_external_change='keep')` keeps a"
        " change as a factor, 'overwrite' discards it silently, 'warn' (the default) discards it with this warning,"
        " once"
    )


@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_by_default_a_change_is_overwritten_with_one_warning_and_log_entry(
    rate: Any, caplog: pytest.LogCaptureFixture
) -> None:
    optimizer = sgd(1.0, copy.deepcopy(rate))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    run(optimizer, scheduler, 2)
    used = []
    with pytest.warns(UserWarning) as caught:
        for change in (0.125, 0.25):
            edit(optimizer, change, 1)
            step(optimizer, scheduler)
            used.append(rates(optimizer))
    assert used == [[13 / 16, 0.5 * 13 / 16], [12 / 16, 0.5 * 12 / 16]]
    assert [str(item.message) for item in caught] == [message_of(0.4375, 0.125)]
    assert caught[0].filename == __file__
    assert caplog.record_tuples == [("funcsched", logging.WARNING, message_of(0.4375, 0.125))]


def test_the_warning_counts_the_other_groups_that_were_changed() -> None:
    optimizer = sgd(0.5, 0.5, 0.5)
    scheduler = lambda_lr(optimizer, fs.constant())
    edit(optimizer, 0.25, 1)
    edit(optimizer, 0.75, 2)
    with pytest.warns(UserWarning, match=exactly(message_of(0.5, 0.25, " (and of 1 other groups)"))):
        step(optimizer, scheduler)


def test_the_warning_has_enough_digits_to_tell_the_rates_apart() -> None:
    optimizer = sgd(3e-6)
    scheduler = lambda_lr(optimizer, fs.constant())
    edit(optimizer, math.nextafter(3e-6, 1))
    with pytest.warns(UserWarning, match="of group 0 from 3e-06 to 3.0000000000000005e-06;"):
        step(optimizer, scheduler)


def test_with_overwrite_a_change_is_overwritten_silently(caplog: pytest.LogCaptureFixture) -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change="overwrite")
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    used = []
    for _ in range(4):
        step(optimizer, scheduler)
        used.append(rates(optimizer)[0])
        plateau.step(1.0)
    assert used == [0.5 * (16 - k) / 16 for k in range(1, 5)] and not caplog.records


@pytest.mark.parametrize("value", ["ignore", None, ["keep"]])
def test_an_unknown_value_is_rejected(value: Any) -> None:
    message = f"lambda_lr: `on_external_change` must be one of 'warn', 'keep', 'overwrite', got {value!r}"
    with pytest.raises(ValueError, match=exactly(message)):
        lambda_lr(sgd(), fs.constant(), on_external_change=value)


# What is no external change. Warnings are errors in these tests, and a factor would change the rates.


def load_optimizer(optimizer: Any, scheduler: Any) -> None:
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def load_both(optimizer: Any, scheduler: Any) -> None:
    state = copy.deepcopy(scheduler.state_dict())
    load_optimizer(optimizer, scheduler)
    scheduler.load_state_dict(state)


def load_optimizer_of_another_step(optimizer: Any, scheduler: Any) -> None:
    other = sgd(*[copy.deepcopy(group["initial_lr"]) for group in optimizer.param_groups])
    run(other, lambda_lr(other, fs.constant(0.125)), 1)
    optimizer.load_state_dict(other.state_dict())


def set_the_same_value(optimizer: Any, scheduler: Any) -> None:
    for group, rate in enumerate(rates(optimizer)):
        edit(optimizer, rate, group)


def mutate_last_lr(optimizer: Any, scheduler: Any) -> None:
    scheduler.get_last_lr()[0] = 99.0


NO_CHANGES = [load_optimizer, load_both, load_optimizer_of_another_step, set_the_same_value, mutate_last_lr]


@pytest.mark.parametrize("mode", ["warn", "keep"])
@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
@pytest.mark.parametrize("event", NO_CHANGES)
def test_loading_states_is_no_external_change(event: Callable, rate: Any, mode: Any) -> None:
    optimizer = sgd(copy.deepcopy(rate), 1.0)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change=mode)
    run(optimizer, scheduler, 3)
    event(optimizer, scheduler)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        used = run(optimizer, scheduler, 3)
    # The scheduler sets its own rates again as soon as a state of the optimizer was loaded.
    assert used == [[0.5 * (16 - k) / 16, (16 - k) / 16] for k in (3, 4, 5)]


@pytest.mark.parametrize("mode", ["warn", "keep"])
def test_a_skipped_update_of_a_gradient_scaler_is_no_external_change(mode: Any) -> None:
    optimizer = sgd(0.5)
    scheduler, scaler = lambda_lr(optimizer, fs.constant(), on_external_change=mode), torch.amp.GradScaler("cpu")
    for gradient in (1.0, float("inf"), 1.0):
        parameter = optimizer.param_groups[0]["params"][0]
        scaler.scale(parameter.sum() * gradient).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert rates(optimizer) == [0.5]


# It sets the rates to 0, takes a step to initialize the state of the optimizer, and sets the previous rates again.
@pytest.mark.parametrize("mode", ["warn", "keep"])
def test_the_step_before_a_distributed_checkpoint_is_loaded_is_no_external_change(mode: Any) -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change=mode)
    optimizer.register_step_post_hook(lambda *_: scheduler.step())
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    edit(optimizer, 0.0)
    optimizer.step()
    edit(optimizer, 0.5)
    assert scheduler._factors == [1.0]  # loading replaces them
    optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])
    assert rates(optimizer) == [0.5] and scheduler.state_dict()["factors"] == [1.0]


@pytest.mark.parametrize("mode", ["warn", "keep"])
@pytest.mark.parametrize("updates", [2, 5, 8])
@pytest.mark.parametrize("optimizer_first", [True, False])
def test_schedulers_that_take_turns_in_a_sequence(mode: Any, updates: int, optimizer_first: bool) -> None:
    def build() -> tuple[Any, Any]:
        optimizer = sgd(0.5)
        ours = [
            lambda_lr(optimizer, curve, on_external_change=mode, hyperparameters={"weight_decay": curve})
            for curve in (fs.warmup_linear(0, 8), fs.warmup_linear(0, 4))
        ]
        return optimizer, SequentialLR(optimizer, [ours[0], LinearLR(optimizer, 0.25, 0.5, 2), ours[1]], [3, 6])

    optimizer, scheduler = build()
    expected = [0.5, 0.4375, 0.375, 0.125, 0.1875, 0.25, 0.5, 0.375, 0.25, 0.125]
    used = run(optimizer, scheduler, updates)
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    assert [rate for (rate,) in used + run(optimizer, scheduler, 10 - updates)] == expected
    # A scheduler that is not active does not set its own rates when the states are loaded.
    optimizer, scheduler = build()
    if optimizer_first:
        optimizer.load_state_dict(states[0])
    scheduler.load_state_dict(states[1])
    if not optimizer_first:
        optimizer.load_state_dict(states[0])
    assert [rate for (rate,) in run(optimizer, scheduler, 10 - updates)] == expected[updates:]


def test_a_group_added_before_a_scheduler_begins_has_the_rate_of_the_active_one() -> None:
    optimizer = sgd(0.5)
    first, second = (lambda_lr(optimizer, curve) for curve in (fs.warmup_constant(4), fs.constant()))
    sequence = SequentialLR(optimizer, [first, second], [6])
    run(optimizer, sequence, 1)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 1.0})
    assert rates(optimizer) == [0.125, 0.25]
    run(optimizer, sequence, 5)
    assert rates(optimizer) == [0.5, 1.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_a_copy_recognizes_its_own_rates(copied: Callable, rate: Any) -> None:
    optimizer = sgd(copy.deepcopy(rate))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_external_change="keep")
    run(optimizer, scheduler, 2)
    earlier = copy.deepcopy(optimizer.state_dict())
    run(optimizer, scheduler, 2)
    optimizer, scheduler = copied((optimizer, scheduler))
    optimizer.load_state_dict(earlier)  # the scheduler stays at its step, and sets its own rate again
    assert [float(rate) for rate in rates(optimizer)] == [0.375]
    assert run(optimizer, scheduler, 2) == [[0.375], [0.34375]]


def test_a_verified_state_counts_until_the_next_step() -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    run(optimizer, scheduler, 2)
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    scheduler.load_state_dict(states[1])
    run(optimizer, scheduler, 2)
    optimizer.load_state_dict(states[0])
    assert rates(optimizer) == [0.375]


def test_many_schedulers_of_one_optimizer_leave_one_hook() -> None:
    optimizer = sgd(0.5)
    for _ in range(1100):  # as many nested functions would exceed Python's limit of recursion
        scheduler = lambda_lr(optimizer, fs.constant())
    optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.25})
    assert scheduler.get_last_lr() == [0.5, 0.25]
    assert len(optimizer._optimizer_load_state_dict_pre_hooks) == 1


def test_add_param_group_may_be_replaced_by_the_method_of_another_object() -> None:
    class Wrapper:
        added = 0

        def add(self, group: dict[str, Any]) -> None:
            self.added += 1
            type(optimizer).add_param_group(optimizer, group)

    optimizer, wrapper = sgd(0.5), Wrapper()
    optimizer.add_param_group = wrapper.add
    scheduler = lambda_lr(optimizer, fs.warmup_constant(2))
    optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.25})
    assert wrapper.added == 1 and len(scheduler.get_last_lr()) == 2
