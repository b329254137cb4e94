"""`lambda_lr` on real optimizers: the rates that they use, tensor rates, copies, and rejected arguments."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr, to_lr_lambda
from tests.bridges.torch.runs import BASE, CASES, UPDATES, group_settings, max_ulps, rates, run, sgd
from tests.errors import exactly


@pytest.mark.parametrize("build", [lambda o, s: lambda_lr(o, s), lambda o, s: LambdaLR(o, to_lr_lambda(s))])
@pytest.mark.parametrize("name", CASES)
def test_update_k_runs_at_the_base_rate_times_the_multiplier_of_step_k(name: str, build: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd()
    used = run(optimizer, build(optimizer, schedule))
    assert max_ulps([rate for (rate,) in used], exact) <= 4


@pytest.mark.parametrize("name", CASES)
def test_every_update_of_the_parameter_equals_the_rate(name: str) -> None:
    schedule, exact = CASES[name]
    parameter = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD([parameter], lr=BASE)
    scheduler = lambda_lr(optimizer, schedule)
    sizes = []
    for _ in range(UPDATES):
        parameter.detach().zero_()  # an update from 0 has no rounding error
        optimizer.step()
        scheduler.step()
        sizes.append(-parameter.item())
    assert max_ulps(sizes, exact) <= 4


@pytest.mark.parametrize("name", CASES)
def test_get_last_lr_is_the_rate_in_use(name: str) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, CASES[name][0])
    equal = []
    for _ in range(UPDATES):
        equal.append(scheduler.get_last_lr() == rates(optimizer))
        optimizer.step()
        scheduler.step()
    assert all(equal)


@pytest.mark.parametrize("base", [0.5, 0.25, 2.0**-20])
@pytest.mark.parametrize("name", CASES)
def test_one_schedule_drives_all_groups_from_their_own_base_rates(name: str, base: float) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd(1.0, base)
    used = run(optimizer, lambda_lr(optimizer, schedule))
    errors = [max_ulps([first for first, _ in used], exact, 1.0), max_ulps([second for _, second in used], exact, base)]
    assert max(errors) <= 4


@pytest.mark.parametrize("sequence", [list, tuple])
@pytest.mark.parametrize("pair", [("warmup_linear", "warmup_cosine"), ("constant", "join"), ("join", "join")], ids=str)
def test_a_list_drives_each_group_with_its_own_schedule(pair: tuple[str, str], sequence: type) -> None:
    optimizer = sgd(0.5, 0.25)
    used = run(optimizer, lambda_lr(optimizer, sequence(CASES[name][0] for name in pair)))
    first, second = (CASES[name][1] for name in pair)
    assert max(max_ulps([r for r, _ in used], first, 0.5), max_ulps([r for _, r in used], second, 0.25)) <= 4


def test_a_list_may_mix_schedules_and_plain_functions() -> None:
    optimizer = sgd(0.5, 0.5)
    used = run(optimizer, lambda_lr(optimizer, [fs.constant(0.5), lambda step: 1 / (step + 1)]), updates=4)
    assert used == [[0.25, 0.5 / (step + 1)] for step in range(4)]


@pytest.mark.parametrize("step", range(UPDATES))
def test_a_scheduler_built_at_a_step_continues_the_rates_from_there(step: int) -> None:
    schedule, exact = CASES["join"]
    optimizer = sgd()
    used = run(optimizer, lambda_lr(optimizer, schedule, step=step), UPDATES)
    assert max_ulps([rate for (rate,) in used], lambda update: exact(update + step)) <= 4


@pytest.mark.parametrize("step", [3, 3.0, np.int64(3), np.float32(3), torch.tensor(3)], ids=repr)
def test_an_integer_step_may_be_of_any_type(step: Any) -> None:
    assert lambda_lr(sgd(), fs.warmup_linear(4, 10), step=step).get_last_lr() == [0.375]


def test_the_base_rate_of_a_group_with_a_past_scheduler_is_its_initial_rate() -> None:
    optimizer = sgd(0.5)
    run(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 10)), updates=6)
    assert lambda_lr(optimizer, fs.constant(0.5)).get_last_lr() == [0.25]


# What `print` shows.


def test_the_repr_has_the_schedule_and_the_step() -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, 10), step=2)
    run(optimizer, scheduler, updates=1)
    assert repr(scheduler) == "ScheduleLR(warmup_linear(warmup_steps=4, total_steps=10), step=3)"


def test_the_repr_has_the_hyperparameters_and_one_schedule_for_each_group() -> None:
    pair, keys = [fs.constant(), fs.constant(0.5)], {"momentum": Rated(fs.constant(), 0.9), "dampening": None}
    assert repr(lambda_lr(sgd(0.5, 0.25), pair, hyperparameters=keys)) == (
        "ScheduleLR([constant(), constant(value=0.5)], hyperparameters={'momentum': Rated(schedule=constant(),"
        " peak_value=0.9), 'dampening': None}, step=0)"
    )


# Tensor rates.


@pytest.mark.parametrize("name", CASES)
def test_a_tensor_rate_follows_the_schedule(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd(torch.tensor(BASE))
    used = run(optimizer, lambda_lr(optimizer, schedule))
    assert max_ulps([rate for (rate,) in used], exact, bits=24) <= 1  # float64, rounded to float32


def test_a_tensor_rate_stays_the_same_tensor() -> None:
    optimizer = sgd(torch.tensor(BASE))
    tensor = optimizer.param_groups[0]["lr"]
    run(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 10)), updates=4)
    assert tensor is optimizer.param_groups[0]["lr"]


def test_the_base_rate_of_a_tensor_does_not_change_with_it() -> None:
    optimizer = sgd(torch.tensor(BASE))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, 10), step=2)
    run(optimizer, scheduler, updates=4)
    assert scheduler.base_lrs == [torch.tensor(BASE)]


@pytest.mark.parametrize("rate", [torch.tensor(0.5), torch.tensor([0.5]), torch.tensor(0.5, dtype=torch.float64)])
def test_tensor_rates_and_float_rates_can_be_mixed(rate: torch.Tensor) -> None:
    optimizer = sgd(rate, 0.5)
    used = run(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 8)), updates=10)
    assert all(first == second for first, second in used)


# Copies of the scheduler.

COPIES = {"pickle": lambda scheduler: pickle.loads(pickle.dumps(scheduler)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", [1, 4, 9])
def test_a_copied_scheduler_continues_the_rates_with_its_copied_optimizer(
    name: str, step: int, duplicate: Callable
) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, schedule)
    run(optimizer, scheduler, updates=step)
    copied = duplicate(scheduler)
    used = run(copied.optimizer, copied)
    assert max_ulps([rate for rate, _ in used], lambda update: exact(update + step)) <= 4


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copied_scheduler_does_not_change_the_original(duplicate: Callable) -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    run(optimizer, scheduler, updates=4)
    copied = duplicate(scheduler)
    run(copied.optimizer, copied, updates=4)
    assert rates(optimizer) == [0.375]


# Rejected arguments.

STEPS = [
    (-1, ValueError, "-1"),
    (1.5, ValueError, "1.5"),
    (True, TypeError, "True"),
    ("3", TypeError, "'3'"),
    (None, TypeError, "None"),
    (math.nan, ValueError, "nan"),
    (math.inf, ValueError, "inf"),
    (2**53 + 1, ValueError, "9007199254740993"),
    (np.int64(-1), ValueError, "-1"),
    (torch.tensor(-1), (TypeError, ValueError), "-1"),
    (torch.tensor(1.5), (TypeError, ValueError), "tensor(1.5000)"),
    (np.array([1, 2]), (TypeError, ValueError), "array([1, 2])"),
]
PAIR = [fs.constant(0.5), fs.constant(0.25)]
ONE_OR_ALL = "`schedule` must be one schedule, or a list of one for each of the 2 parameter groups, got "
SCHEDULE = "a schedule or a function of a step"
REJECTED = [
    ([], ValueError, ONE_OR_ALL + "[]"),
    ([PAIR[0]], ValueError, ONE_OR_ALL + "[constant(value=0.5)]"),
    (
        (*PAIR, PAIR[0]),
        ValueError,
        ONE_OR_ALL + "(constant(value=0.5), constant(value=0.25), constant(value=0.5))",
    ),
    (3, TypeError, f"`schedule` must be {SCHEDULE}, got 3"),
    (None, TypeError, f"`schedule` must be {SCHEDULE}, got None"),
    ("linear", TypeError, f"`schedule` must be {SCHEDULE}, got 'linear'; use fs.parse(...)"),
    ([PAIR[0], 0.5], TypeError, f"`schedule[1]` must be {SCHEDULE}, got 0.5"),
    ([None, PAIR[0]], TypeError, f"`schedule[0]` must be {SCHEDULE}, got None"),
]


@pytest.mark.parametrize(("step", "error", "got"), STEPS, ids=[repr(step) for step, *_ in STEPS])
def test_an_invalid_step_is_rejected(step: Any, error: Any, got: str) -> None:
    message = f"lambda_lr: `step` must be an integer from 0 to 2**53, got {got}"
    with pytest.raises(error, match=exactly(message)):
        lambda_lr(sgd(), fs.constant(), step=step)


@pytest.mark.parametrize(("step", "error", "got"), STEPS, ids=[repr(step) for step, *_ in STEPS])
def test_a_rejected_step_leaves_the_groups_unchanged(step: Any, error: Any, got: str) -> None:
    optimizer = sgd(0.5, 0.25)
    before = group_settings(optimizer)
    with pytest.raises(error):
        lambda_lr(optimizer, fs.constant(0.5), step=step)
    assert group_settings(optimizer) == before


@pytest.mark.parametrize(("schedule", "error", "message"), REJECTED, ids=[repr(schedule) for schedule, *_ in REJECTED])
def test_an_invalid_schedule_is_rejected(schedule: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=exactly(f"lambda_lr: {message}")):
        lambda_lr(sgd(0.5, 0.25), schedule)


@pytest.mark.parametrize(("schedule", "error", "message"), REJECTED, ids=[repr(schedule) for schedule, *_ in REJECTED])
def test_a_rejected_schedule_leaves_the_groups_unchanged(schedule: Any, error: type, message: str) -> None:
    optimizer = sgd(0.5, 0.25)
    before = group_settings(optimizer)
    with pytest.raises(error):
        lambda_lr(optimizer, schedule)
    assert group_settings(optimizer) == before


def test_an_optimizer_of_another_type_is_rejected() -> None:
    with pytest.raises(TypeError) as error:
        lambda_lr(None, fs.constant())
    assert str(error.value) == "lambda_lr: `optimizer` must be a torch optimizer, got None"
