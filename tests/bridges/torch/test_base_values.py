"""Base values of `lambda_lr`: checked when a state is loaded, and replaced by `base_values`."""

import copy
from typing import Any

import pytest
import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr
from tests.bridges.torch.runs import group_settings, groups, run
from tests.errors import exactly

UP, DOWN = fs.ramp(0.0, 1.0, steps=8), fs.ramp(1.0, 0.0, steps=16)
ORDERS = [("optimizer", "scheduler"), ("scheduler", "optimizer"), ("scheduler",)]


def build(lr: Any = 0.5, decay: Any = 0.25, betas: tuple[float, float] = (0.5, 0.75), **options: Any) -> Any:
    optimizer = torch.optim.AdamW(groups(lr, copy.deepcopy(lr)), weight_decay=decay, betas=betas)
    keys = {"weight_decay": DOWN, "betas": (DOWN, None)}
    return optimizer, lambda_lr(optimizer, DOWN, hyperparameters=keys, **options)


def values(optimizer: Any) -> list[tuple[float, ...]]:
    """The hyperparameters of each group as numbers."""
    return [(float(g["lr"]), float(g["weight_decay"]), *map(float, g["betas"])) for g in optimizer.param_groups]


def states_at(step: int, **options: Any) -> dict[str, Any]:
    optimizer, scheduler = build(**options)
    run(optimizer, scheduler, step)
    return copy.deepcopy({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()})


def load(optimizer: Any, scheduler: Any, states: dict[str, Any], order: tuple[str, ...]) -> None:
    for name in order:
        {"optimizer": optimizer, "scheduler": scheduler}[name].load_state_dict(copy.deepcopy(states[name]))


# Different base values in a state.

DIFFERENT = {
    "lr": (
        {"lr": 0.125},
        "the base rates of group {} differ (checkpoint: 0.5; current: 0.125)",
        "a new peak, use `lambda_lr(..., base_values={'lr': 0.125})",
    ),
    "weight_decay": (
        {"decay": 0.1},
        "the base values of 'weight_decay' of group {} differ (checkpoint: 0.25; current: 0.1)",
        "new base values, use `lambda_lr(..., base_values={'weight_decay': 0.1})",
    ),
    "betas": (
        {"betas": (0.9, 0.75)},
        "the base values of 'betas' of group {} differ (checkpoint: 0.5; current: 0.9)",
        "new base values, use `lambda_lr(..., base_values={'betas': (0.9, 0.75)})",
    ),
    "a fixed value of betas": (
        {"betas": (0.5, 0.9)},
        "the base values of 'betas' of group {} differ (checkpoint: 0.75; current: 0.9)",
        "new base values, use `lambda_lr(..., base_values={'betas': (0.5, 0.9)})",
    ),
}


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("key", DIFFERENT)
def test_a_state_with_another_base_value_is_rejected_in_any_order(key: str, order: tuple[str, ...]) -> None:
    options, message, new = DIFFERENT[key]
    optimizer, scheduler = build(**options)
    before = group_settings(optimizer)
    expected = (
        f"load_state_dict: {message.format(0)}; {message.format(1)}; for {new}`; to continue with the current schedules"
        ' and base values, use `lambda_lr(..., step=4)` without this state, or `lambda_lr(..., on_mismatch="warn")`'
    )
    with pytest.raises(ValueError, match=exactly(expected)):
        load(optimizer, scheduler, states_at(4), order)
    assert group_settings(optimizer) == before


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_with_warn_the_run_continues_with_its_own_base_values_in_any_order(order: tuple[str, ...]) -> None:
    optimizer, scheduler = build(0.125, 0.5, (0.75, 0.75), on_mismatch="warn")
    with pytest.warns(UserWarning, match="the base values of 'weight_decay' of group 1 differ"):
        load(optimizer, scheduler, states_at(4), order)
    assert values(optimizer) == [(0.125 * 12 / 16, 0.5 * 12 / 16, 0.75 * 12 / 16, 0.75)] * 2
    run(optimizer, scheduler, 4)
    assert values(optimizer) == [(0.125 * 8 / 16, 0.5 * 8 / 16, 0.75 * 8 / 16, 0.75)] * 2


def test_the_way_out_has_the_base_values_of_all_keys_and_groups() -> None:
    optimizer, scheduler = build(0.125, 0.1)
    optimizer.param_groups[1]["initial_lr"] = scheduler.base_lrs[1] = 0.25
    with pytest.raises(ValueError) as caught:
        scheduler.load_state_dict(states_at(4)["scheduler"])
    way = "; for new base values, use `lambda_lr(..., base_values={'lr': [0.125, 0.25], 'weight_decay': 0.1})`; to "
    assert way in str(caught.value)


def test_base_values_that_differ_in_the_seventh_digit_are_printed_in_full() -> None:
    _, scheduler = build(0.125 + 2**-22)
    with pytest.raises(ValueError, match=r"differ \(checkpoint: 0.125; current: 0.1250002384185791\)"):
        scheduler.load_state_dict(states_at(4, lr=0.125)["scheduler"])


# `base_values`.


@pytest.mark.parametrize("lr", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
@pytest.mark.parametrize("order", [*ORDERS, ("optimizer",)], ids=str)
def test_base_values_replace_those_of_a_checkpoint_from_the_first_update_on(order: tuple[str, ...], lr: Any) -> None:
    new = {"lr": 0.125, "weight_decay": [0.5, 1.0], "betas": (0.75, 0.5)}
    optimizer, scheduler = build(copy.deepcopy(lr), base_values=new, step=4)
    load(optimizer, scheduler, states_at(4, lr=copy.deepcopy(lr)), order)
    for step in (4, 5, 6):
        factor = (16 - step) / 16
        expected = [(0.125 * factor, decay * factor, 0.75 * factor, 0.5) for decay in (0.5, 1.0)]
        assert values(optimizer) == expected
        run(optimizer, scheduler, 1)
    # The next checkpoint has the new base values.
    saved = copy.deepcopy(optimizer.state_dict())
    assert [float(group["lr"]) for group in saved["param_groups"]] == [0.125 * 9 / 16] * 2
    assert [float(group["initial_lr"]) for group in saved["param_groups"]] == [0.125] * 2


@pytest.mark.parametrize("order", ORDERS[:2], ids=str)
def test_an_optimizer_that_was_loaded_before_the_scheduler_is_built_gets_the_new_base_values(
    order: tuple[str, ...],
) -> None:
    states = states_at(4)
    optimizer = torch.optim.AdamW(groups(9.0, 9.0), weight_decay=9.0, betas=(0.5, 0.75))
    optimizer.load_state_dict(states["optimizer"])
    keys = {"weight_decay": DOWN, "betas": (DOWN, None)}
    scheduler = lambda_lr(optimizer, DOWN, hyperparameters=keys, base_values={"lr": 3e-5}, step=4)
    assert values(optimizer) == [(3e-5 * 12 / 16, 0.25 * 12 / 16, 0.5 * 12 / 16, 0.75)] * 2
    load(optimizer, scheduler, states, order)
    assert values(optimizer) == [(3e-5 * 12 / 16, 0.25 * 12 / 16, 0.5 * 12 / 16, 0.75)] * 2


def test_base_values_of_one_key_leave_the_others_checked() -> None:
    _, scheduler = build(decay=0.1, base_values={"lr": 3e-5})
    with pytest.raises(ValueError, match=r"^load_state_dict: the base values of 'weight_decay' of group 0 differ"):
        scheduler.load_state_dict(states_at(4)["scheduler"])


FOR_EACH = "or a list of one for each of the 2 parameter groups, got [1.0]"
REJECTED = [
    ([1.0], TypeError, "`base_values` must be a mapping from scheduled keys to numbers, got [1.0]"),
    (
        {"momentum": 1.0},
        ValueError,
        "`base_values key` must be a scheduled key ('lr', 'weight_decay', 'betas', 'eps'), got 'momentum'",
    ),
    (
        {"weight_decay": 1.0},
        ValueError,
        "`base_values key` must be a key whose schedule multiplies the base value, got 'weight_decay'; change the"
        " `peak_value` of its `Rated`",
    ),
    ({"lr": [1.0]}, ValueError, "`base_values['lr']` must be one value, " + FOR_EACH),
    ({"lr": -1.0}, ValueError, "`base_values['lr']` must be a finite number of at least 0, got -1.0"),
    ({"lr": None}, TypeError, "`base_values['lr']` must be a finite number of at least 0, got None"),
    ({"eps": float("inf")}, ValueError, "`base_values['eps']` must be a finite number, got inf"),
    ({"betas": 0.5}, ValueError, "`base_values['betas']` must be a tuple of 2 numbers, as in the group, got 0.5"),
    ({"betas": (0.5, True)}, TypeError, "`base_values['betas'][1]` must be a finite number, got True"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "error", "message"), REJECTED, ids=[repr(given) for given, *_ in REJECTED])
def test_invalid_base_values_are_rejected_and_nothing_changes(given: Any, error: type, message: str) -> None:
    optimizer = torch.optim.AdamW(groups(0.5, 0.5))
    before = group_settings(optimizer)
    with pytest.raises(error, match=exactly(f"lambda_lr: {message}")):
        keys = {"weight_decay": Rated(UP, 0.5), "betas": (UP, None), "eps": UP}
        lambda_lr(optimizer, UP, hyperparameters=keys, base_values=given)
    assert group_settings(optimizer) == before
