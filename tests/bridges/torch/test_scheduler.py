"""`bridges.torch` on real optimizers: the rates that they use, checkpoints, and runs that die and resume."""

import copy
import math
import pickle
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import lambda_lr, to_lr_lambda
from tests import oracle

Optimizer = torch.optim.Optimizer

CASES = {
    "constant": (fs.constant(0.25), oracle.constant(0.25)),
    "warmup_constant": (fs.warmup_constant(4, start=0.1), oracle.warmup_constant(4, 0.1)),
    "warmup_linear": (fs.warmup_linear(4, 15), oracle.warmup_linear(4, 15)),
    "warmup_cosine": (fs.warmup_cosine(4, 15, end=0.1), oracle.warmup_cosine(4, 15, 0.0, 0.1)),
    "warmup_cosine_restarts": (
        fs.warmup_cosine_restarts(4, 15, cycles=3),
        oracle.warmup_cosine_restarts(4, 15, cycles=3),
    ),
    "shift": (fs.shift(fs.warmup_linear(4, 15), 1), oracle.shift(oracle.warmup_linear(4, 15), 1)),
    "join": (
        fs.join([fs.ramp(0.0, 1.0, steps=3), fs.constant(0.5), fs.ramp(0.5, 0.1, steps=4)], [3, 9]),
        oracle.join([oracle.ramp(0.0, 1.0, 3), oracle.constant(0.5), oracle.ramp(0.5, 0.1, 4)], [3, 9]),
    ),
}
UPDATES = 18  # past the end of all of them
BASE = 0.5  # a power of two: the product with it is exact, so a rate is as accurate as its multiplier


def groups(*rates: Any) -> list[dict[str, Any]]:
    """Parameter groups of one parameter each, with a gradient."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in rates]
    for parameter in parameters:
        parameter.grad = torch.ones(1)
    return [{"params": [parameter], "lr": rate} for parameter, rate in zip(parameters, rates, strict=True)]


def sgd(*rates: Any) -> Optimizer:
    return torch.optim.SGD(groups(*(rates or (BASE,))), lr=1.0)


def rates(optimizer: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def recorded(optimizer: Optimizer, scheduler: LambdaLR, updates: int = UPDATES) -> list[list[float]]:
    """The rates at every update of a loop that steps the scheduler after the optimizer, in each batch."""
    used = []
    for _ in range(updates):
        used.append(rates(optimizer))
        optimizer.step()
        scheduler.step()
    return used


def worst(used: list[float], exact: oracle.Curve, base: float = BASE, bits: int = 53) -> float:
    """The largest error in ulps of the rates at updates 0, 1, 2, ..."""
    return max(oracle.ulps(rate, base * exact(update), bits) for update, rate in enumerate(used))


# The function for LambdaLR.


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", range(UPDATES))
def test_the_lambda_gives_the_multiplier_at_the_step(name: str, step: int) -> None:
    schedule, exact = CASES[name]
    assert oracle.ulps(to_lr_lambda(schedule)(step), exact(step), 53) <= 4


@pytest.mark.parametrize("name", CASES)
def test_the_lambda_gives_a_python_float(name: str) -> None:
    assert type(to_lr_lambda(CASES[name][0])(3)) is float


@pytest.mark.parametrize("name", CASES)
def test_the_lambda_pickles(name: str) -> None:
    schedule, exact = CASES[name]
    again = pickle.loads(pickle.dumps(to_lr_lambda(schedule)))
    assert max(oracle.ulps(again(step), exact(step), 53) for step in range(UPDATES)) <= 4


@pytest.mark.parametrize("name", CASES)
def test_the_lambda_has_nothing_that_lambdalr_would_save(name: str) -> None:
    assert vars(to_lr_lambda(CASES[name][0])) == {}


@pytest.mark.parametrize("step", [0, 9, 10, 20])
def test_a_plain_function_becomes_a_lambda(step: int) -> None:
    assert to_lr_lambda(lambda step: 0.5 ** (step // 10))(step) == 0.5 ** (step // 10)


@pytest.mark.parametrize("value", [3, None, "warmup", [fs.constant()]], ids=repr)
def test_a_lambda_of_what_cannot_be_called_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=exactly(f"to_lr_lambda: `schedule` must be callable, got {value!r}")):
        to_lr_lambda(value)


def exactly(message: str) -> str:
    return rf"^{re.escape(message)}$"


# The rates in use.


@pytest.mark.parametrize("build", [lambda o, s: lambda_lr(o, s), lambda o, s: LambdaLR(o, to_lr_lambda(s))])
@pytest.mark.parametrize("name", CASES)
def test_update_k_runs_at_the_base_rate_times_the_multiplier_of_step_k(name: str, build: Callable) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd()
    used = recorded(optimizer, build(optimizer, schedule))
    assert worst([rate for (rate,) in used], exact) <= 4


@pytest.mark.parametrize("name", CASES)
def test_the_parameter_moves_by_the_rate_at_every_update(name: str) -> None:
    schedule, exact = CASES[name]
    parameter = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD([parameter], lr=BASE)
    scheduler = lambda_lr(optimizer, schedule)
    moves = []
    for _ in range(UPDATES):
        parameter.detach().zero_()  # from 0, and so without a rounding
        optimizer.step()
        scheduler.step()
        moves.append(-parameter.item())
    assert worst(moves, exact) <= 4


@pytest.mark.parametrize("name", CASES)
def test_the_last_rate_that_the_scheduler_reports_is_the_one_in_use(name: str) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, CASES[name][0])
    reported = []
    for _ in range(UPDATES):
        reported.append(scheduler.get_last_lr() == rates(optimizer))
        optimizer.step()
        scheduler.step()
    assert all(reported)


@pytest.mark.parametrize("base", [0.5, 0.25, 2.0**-20])
@pytest.mark.parametrize("name", CASES)
def test_one_schedule_drives_all_groups_each_from_its_own_base_rate(name: str, base: float) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd(1.0, base)
    used = recorded(optimizer, lambda_lr(optimizer, schedule))
    assert max(worst([first for first, _ in used], exact, 1.0), worst([second for _, second in used], exact, base)) <= 4


@pytest.mark.parametrize("sequence", [list, tuple])
@pytest.mark.parametrize("pair", [("warmup_linear", "warmup_cosine"), ("constant", "join"), ("join", "join")], ids=str)
def test_a_list_of_schedules_drives_each_group_by_its_own(pair: tuple[str, str], sequence: type) -> None:
    optimizer = sgd(0.5, 0.25)
    used = recorded(optimizer, lambda_lr(optimizer, sequence(CASES[name][0] for name in pair)))
    first, second = (CASES[name][1] for name in pair)
    assert max(worst([r for r, _ in used], first, 0.5), worst([r for _, r in used], second, 0.25)) <= 4


def test_a_list_may_mix_schedules_and_plain_functions() -> None:
    optimizer = sgd(0.5, 0.5)
    used = recorded(optimizer, lambda_lr(optimizer, [fs.constant(0.5), lambda step: 1 / (step + 1)]), updates=4)
    assert used == [[0.25, 0.5 / (step + 1)] for step in range(4)]


@pytest.mark.parametrize("step", range(UPDATES))
def test_a_scheduler_built_at_a_step_continues_the_rates_from_there(step: int) -> None:
    schedule, exact = CASES["join"]
    optimizer = sgd()
    used = recorded(optimizer, lambda_lr(optimizer, schedule, step=step), UPDATES)
    assert worst([rate for (rate,) in used], lambda update: exact(update + step)) <= 4


@pytest.mark.parametrize("step", [3, 3.0, np.int64(3), np.float32(3)], ids=repr)
def test_a_whole_step_may_be_a_number_of_any_kind(step: Any) -> None:
    assert lambda_lr(sgd(), fs.warmup_linear(4, 10), step=step).get_last_lr() == [0.375]


def test_the_base_rate_of_a_used_group_is_its_initial_rate() -> None:
    optimizer = sgd(0.5)
    recorded(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 10)), updates=6)
    assert lambda_lr(optimizer, fs.constant(0.5)).get_last_lr() == [0.25]


# Bad arguments.

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
    (torch.tensor(-1), (TypeError, ValueError), "tensor(-1)"),
    (torch.tensor(1.5), (TypeError, ValueError), "tensor(1.5000)"),
    (np.array([1, 2]), (TypeError, ValueError), "array([1, 2])"),
]
PAIR = [fs.constant(0.5), fs.constant(0.25)]
ONE_OR_ALL = "`schedule` must be one schedule, or one for each of the 2 parameter groups, got "
REFUSED = [
    ([], ValueError, ONE_OR_ALL + "[]"),
    ([PAIR[0]], ValueError, ONE_OR_ALL + "[constant(value=0.5)]"),
    (
        (*PAIR, PAIR[0]),
        ValueError,
        ONE_OR_ALL + "(constant(value=0.5), constant(value=0.25), constant(value=0.5))",
    ),
    (3, TypeError, "`schedule` must be callable, got 3"),
    (None, TypeError, "`schedule` must be callable, got None"),
    ("linear", TypeError, "`schedule` must be callable, got 'linear'"),
    ([PAIR[0], 0.5], TypeError, "`schedule[1]` must be callable, got 0.5"),
    ([None, PAIR[0]], TypeError, "`schedule[0]` must be callable, got None"),
]


def without_parameters(optimizer: Optimizer) -> list[dict[str, Any]]:
    return [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]


@pytest.mark.parametrize(("step", "error", "got"), STEPS, ids=[repr(step) for step, *_ in STEPS])
def test_a_step_that_is_no_count_is_refused(step: Any, error: Any, got: str) -> None:
    message = f"lambda_lr: `step` must be an integer from 0 to 2**53, got {got}"
    with pytest.raises(error, match=exactly(message)):
        lambda_lr(sgd(), fs.constant(), step=step)


@pytest.mark.parametrize(("step", "error", "got"), STEPS, ids=[repr(step) for step, *_ in STEPS])
def test_a_refused_step_leaves_the_groups_as_they_were(step: Any, error: Any, got: str) -> None:
    optimizer = sgd(0.5, 0.25)
    before = copy.deepcopy(without_parameters(optimizer))
    with pytest.raises(error):
        lambda_lr(optimizer, fs.constant(0.5), step=step)
    assert without_parameters(optimizer) == before


@pytest.mark.parametrize(("schedule", "error", "message"), REFUSED, ids=[repr(schedule) for schedule, *_ in REFUSED])
def test_what_is_not_a_schedule_or_one_for_each_group_is_refused(schedule: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=exactly(f"lambda_lr: {message}")):
        lambda_lr(sgd(0.5, 0.25), schedule)


@pytest.mark.parametrize(("schedule", "error", "message"), REFUSED, ids=[repr(schedule) for schedule, *_ in REFUSED])
def test_refused_schedules_leave_the_groups_as_they_were(schedule: Any, error: type, message: str) -> None:
    optimizer = sgd(0.5, 0.25)
    before = copy.deepcopy(without_parameters(optimizer))
    with pytest.raises(error):
        lambda_lr(optimizer, schedule)
    assert without_parameters(optimizer) == before


# Checkpoints of the scheduler.

BUILDS = {"lambda_lr": lambda_lr, "LambdaLR": lambda optimizer, schedule: LambdaLR(optimizer, to_lr_lambda(schedule))}


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
@pytest.mark.parametrize("name", CASES)
def test_the_state_loads_from_a_file_by_the_safe_default_of_torch(name: str, build: Callable, tmp_path: Path) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = build(optimizer, CASES[name][0])
    recorded(optimizer, scheduler, updates=3)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert torch.load(tmp_path / "scheduler.pt") == scheduler.state_dict()


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_the_state_of_tensor_rates_loads_by_the_safe_default_of_torch(build: Callable, tmp_path: Path) -> None:
    optimizer = sgd(torch.tensor(0.5))
    scheduler = build(optimizer, fs.warmup_linear(4, 10))
    recorded(optimizer, scheduler, updates=3)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert torch.load(tmp_path / "scheduler.pt")["_last_lr"] == [torch.tensor(0.375)]


class Naive:
    """A schedule as LambdaLR's documentation has it: an object with its numbers in its __dict__."""

    def __init__(self, total: int) -> None:
        self.total = total

    def __call__(self, step: int) -> float:
        return max(0.0, 1 - step / self.total)


def after_a_foreign_checkpoint(old: Callable, new: Callable) -> LambdaLR:
    """A scheduler of `new`, after loading the checkpoint of one of `old`."""
    scheduler = LambdaLR(sgd(), new)
    scheduler.load_state_dict(LambdaLR(sgd(), old).state_dict())
    return scheduler


# The twin of the next test: what it asserts does not hold by itself.
def test_a_naive_object_is_overwritten_by_the_checkpoint_of_another() -> None:
    assert after_a_foreign_checkpoint(Naive(10), Naive(1000)).lr_lambdas[0].total == 10


@pytest.mark.parametrize("step", [0, 1, 5, 10, 100, 999, 1000])
def test_a_schedule_is_untouched_by_the_checkpoint_of_another(step: int) -> None:
    old, new = to_lr_lambda(fs.warmup_linear(0, 10)), to_lr_lambda(fs.warmup_linear(0, 1000))
    assert after_a_foreign_checkpoint(old, new).lr_lambdas[0](step) == (1000 - step) / 1000


@pytest.mark.parametrize("step", [0, 1, 5, 10, 100, 999, 1000])
def test_a_schedule_is_untouched_by_the_checkpoint_of_a_naive_object(step: int) -> None:
    new = to_lr_lambda(fs.warmup_linear(0, 1000))
    assert after_a_foreign_checkpoint(Naive(10), new).lr_lambdas[0](step) == (1000 - step) / 1000


def test_a_loaded_schedule_is_still_the_same_value() -> None:
    schedule = fs.warmup_linear(0, 1000)
    before = hash(schedule), repr(schedule)
    after_a_foreign_checkpoint(to_lr_lambda(fs.warmup_linear(0, 10)), to_lr_lambda(schedule))
    assert (hash(schedule), repr(schedule)) == before


def state_at(step: int, schedule: Any, *base: Any) -> dict[str, Any]:
    optimizer = sgd(*base)
    scheduler = lambda_lr(optimizer, schedule)
    recorded(optimizer, scheduler, updates=step)
    return copy.deepcopy(scheduler.state_dict())


@pytest.mark.parametrize("step", range(12))
def test_loading_a_state_sets_the_rates_of_its_step(step: int) -> None:
    optimizer = sgd(0.5, 0.25)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(2, 10))
    scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5, 0.25))
    multiplier = step / 2 if step < 2 else max(10 - step, 0) / 8
    assert rates(optimizer) == [0.5 * multiplier, 0.25 * multiplier]


@pytest.mark.parametrize("step", range(12))
def test_loading_a_state_reports_the_rates_of_its_step(step: int) -> None:
    scheduler = lambda_lr(sgd(0.5, 0.25), fs.warmup_linear(2, 10))
    scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5, 0.25))
    multiplier = step / 2 if step < 2 else max(10 - step, 0) / 8
    assert scheduler.get_last_lr() == [0.5 * multiplier, 0.25 * multiplier]


@pytest.mark.parametrize("step", range(12))
def test_loading_the_state_of_another_schedule_with_a_warning_sets_the_rates_of_this_one(step: int) -> None:
    optimizer = sgd(0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with another schedule"):
        scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5))
    assert rates(optimizer) == [0.5 * (16 - step) / 16]


@pytest.mark.parametrize("step", range(12))
def test_loading_the_state_of_another_schedule_with_a_warning_reports_the_rates_of_this_one(step: int) -> None:
    scheduler = lambda_lr(sgd(0.5), fs.warmup_linear(0, 16), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with another schedule"):
        scheduler.load_state_dict(state_at(step, fs.warmup_linear(2, 10), 0.5))
    assert scheduler.get_last_lr() == [0.5 * (16 - step) / 16]


@pytest.mark.parametrize("step", range(12))
def test_loading_a_state_fills_the_rate_of_a_tensor(step: int) -> None:
    tensor = torch.tensor(0.5)
    optimizer = sgd(tensor)
    held = optimizer.param_groups[0]["lr"]
    state = state_at(step, fs.warmup_linear(0, 16), torch.tensor(0.5))
    lambda_lr(optimizer, fs.warmup_linear(0, 16)).load_state_dict(state)
    assert held is optimizer.param_groups[0]["lr"] and held.item() == 0.5 * (16 - step) / 16


def test_loading_a_state_fills_the_rate_of_a_tensor_with_one_element() -> None:
    optimizer = sgd(torch.tensor([0.5]))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    recorded(optimizer, scheduler, updates=4)
    state = copy.deepcopy(scheduler.state_dict())
    recorded(optimizer, scheduler, updates=4)
    scheduler.load_state_dict(state)
    assert rates(optimizer) == [0.5 * 12 / 16]


def test_loading_a_state_leaves_the_state_as_it_was() -> None:
    state = state_at(3, fs.warmup_linear(2, 10), 0.5)
    before = copy.deepcopy(state)
    scheduler = lambda_lr(sgd(0.5), fs.constant(0.5), on_mismatch="warn")
    with pytest.warns(UserWarning, match="was made with another schedule"):
        scheduler.load_state_dict(state)
    recorded(scheduler.optimizer, scheduler, updates=3)
    assert state == before


def test_after_loading_a_state_the_reported_rates_do_not_alias_those_in_use() -> None:
    optimizer = sgd(torch.tensor(0.5))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    scheduler.load_state_dict(state_at(4, fs.warmup_linear(0, 16), torch.tensor(0.5)))
    scheduler.get_last_lr()[0].fill_(99.0)
    assert rates(optimizer) == [0.375]


# Tensor rates.


@pytest.mark.parametrize("name", CASES)
def test_a_tensor_rate_follows_the_schedule(name: str) -> None:
    schedule, exact = CASES[name]
    optimizer = sgd(torch.tensor(BASE))
    used = recorded(optimizer, lambda_lr(optimizer, schedule))
    assert worst([rate for (rate,) in used], exact, bits=24) <= 1  # float64 rounded to float32


def test_a_tensor_rate_stays_the_same_tensor() -> None:
    optimizer = sgd(torch.tensor(BASE))
    held = optimizer.param_groups[0]["lr"]
    recorded(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 10)), updates=4)
    assert held is optimizer.param_groups[0]["lr"]


def test_the_base_rate_of_a_tensor_does_not_change_with_it() -> None:
    optimizer = sgd(torch.tensor(BASE))
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, 10), step=2)
    recorded(optimizer, scheduler, updates=4)
    assert scheduler.base_lrs == [torch.tensor(BASE)]


@pytest.mark.parametrize("rate", [torch.tensor(0.5), torch.tensor([0.5]), torch.tensor(0.5, dtype=torch.float64)])
def test_tensor_rates_and_number_rates_stand_side_by_side(rate: torch.Tensor) -> None:
    optimizer = sgd(rate, 0.5)
    used = recorded(optimizer, lambda_lr(optimizer, fs.warmup_linear(4, 8)), updates=10)
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
    recorded(optimizer, scheduler, updates=step)
    again = duplicate(scheduler)
    used = recorded(again.optimizer, again)
    assert worst([rate for rate, _ in used], lambda update: exact(update + step)) <= 4


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copied_scheduler_leaves_the_original_alone(duplicate: Callable) -> None:
    optimizer = sgd()
    scheduler = lambda_lr(optimizer, fs.warmup_linear(0, 16))
    recorded(optimizer, scheduler, updates=4)
    again = duplicate(scheduler)
    recorded(again.optimizer, again, updates=4)
    assert rates(optimizer) == [0.375]


# Runs that die and resume. A run saves its weights, its optimizer and its scheduler after k updates; then all objects
# are dropped, and new ones load what a way of resuming asks for. Rates and weights must be those of the run that was
# never interrupted, to the last bit.

LENGTH = 9
SCHEDULES = {
    "one schedule": fs.warmup_cosine(3, 8, end=0.1),
    "one for each group": [fs.warmup_cosine(3, 8, end=0.1), fs.warmup_linear(2, 7, start=0.2)],
}
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups),
}
# In which order the objects of the new process come about.
WAYS = {
    "optimizer, then scheduler at the step": ("optimizer", "build at step"),
    "scheduler at the step, then optimizer": ("build at step", "optimizer"),
    "optimizer, then scheduler and its state": ("optimizer", "build", "scheduler"),
    "scheduler, then optimizer, then its state": ("build", "optimizer", "scheduler"),
    "scheduler and its state, then optimizer": ("build", "scheduler", "optimizer"),
    "optimizer, then scheduler at the step and its state": ("optimizer", "build at step", "scheduler"),
    "scheduler at the step, then optimizer, then its state": ("build at step", "optimizer", "scheduler"),
}
RATES = {"numbers": (0.1, 0.03), "tensors": (torch.tensor(0.1), torch.tensor(0.03))}


class Run:
    """A small regression with two parameter groups; the data of a batch depend on its number alone."""

    def __init__(self, kind: str, base: tuple[Any, Any]) -> None:
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 3))
        self.bias = torch.nn.Parameter(torch.full((1,), 0.5))
        pairs = [(self.weight, base[0]), (self.bias, base[1])]
        self.optimizer = OPTIMIZERS[kind]([{"params": [p], "lr": copy.deepcopy(rate)} for p, rate in pairs])
        self.scheduler: LambdaLR

    def train(self, first: int, last: int) -> Iterator[list[float]]:
        for batch in range(first, last):
            inputs = torch.sin(torch.arange(12.0).reshape(4, 3) + batch)
            loss = ((inputs @ self.weight + self.bias - inputs.sum(1)) ** 2).mean()
            self.optimizer.zero_grad()
            loss.backward()
            yield rates(self.optimizer)
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path: Path) -> None:
        parts = {"optimizer": self.optimizer.state_dict(), "scheduler": self.scheduler.state_dict()}
        torch.save({"weights": (self.weight.detach(), self.bias.detach()), **parts}, path)

    def resume(self, path: Path, way: tuple[str, ...], schedule: Any, step: int) -> None:
        saved = torch.load(path)
        for parameter, value in zip((self.weight, self.bias), saved["weights"], strict=True):
            parameter.detach().copy_(value)
        for action in way:
            if action == "build":
                self.scheduler = lambda_lr(self.optimizer, schedule)
            elif action == "build at step":
                self.scheduler = lambda_lr(self.optimizer, schedule, step=step)
            else:
                getattr(self, action).load_state_dict(saved[action])

    def weights(self) -> list[float]:
        return [*self.weight.tolist(), *self.bias.tolist()]


def uninterrupted(kind: str, base: tuple[Any, Any], schedule: Any) -> tuple[list[list[float]], list[float]]:
    run = Run(kind, base)
    run.scheduler = lambda_lr(run.optimizer, schedule)
    return list(run.train(0, LENGTH)), run.weights()


def interrupted(
    kind: str, base: tuple[Any, Any], schedule: Any, way: tuple[str, ...], step: int, path: Path
) -> tuple[list[list[float]], list[float]]:
    """The rates from `step` on and the last weights of a run that resumed there."""
    first = Run(kind, base)
    first.scheduler = lambda_lr(first.optimizer, schedule)
    list(first.train(0, step))
    first.save(path)
    list(first.train(step, min(step + 2, LENGTH)))  # lost
    del first
    second = Run(kind, base)
    second.resume(path, way, schedule, step)
    return list(second.train(step, LENGTH)), second.weights()


SETTINGS = [
    pytest.param(kind, RATES[base], SCHEDULES[schedule], WAYS[way], id=f"{kind}, {base}, {schedule}, {way}")
    for kind, base, schedule, way in product(OPTIMIZERS, RATES, SCHEDULES, WAYS)
]


@pytest.mark.parametrize("step", range(LENGTH + 1))
@pytest.mark.parametrize(("kind", "base", "schedule", "way"), SETTINGS)
def test_resume_at_every_step_gives_the_same_rates_and_weights(
    kind: str, base: Any, schedule: Any, way: tuple[str, ...], step: int, tmp_path: Path
) -> None:
    used, weights = uninterrupted(kind, base, schedule)
    assert interrupted(kind, base, schedule, way, step, tmp_path / "run.pt") == (used[step:], weights)


# Without the state of the optimizer there is no `initial_lr` in the groups, which LambdaLR alone asks for.
@pytest.mark.parametrize("step", range(LENGTH + 1))
@pytest.mark.parametrize("way", [("build at step",), ("build", "scheduler"), ("build at step", "scheduler")], ids=str)
@pytest.mark.parametrize("base", RATES.values(), ids=RATES)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_resume_with_a_fresh_optimizer_gives_the_same_rates(
    kind: str, base: Any, way: tuple[str, ...], step: int, tmp_path: Path
) -> None:
    schedule = SCHEDULES["one for each group"]
    used, _ = uninterrupted(kind, base, schedule)
    assert interrupted(kind, base, schedule, way, step, tmp_path / "run.pt")[0] == used[step:]


# The twin: what a fresh optimizer gets from torch alone.
def test_lambdalr_alone_does_not_resume_with_a_fresh_optimizer() -> None:
    with pytest.raises(KeyError, match="initial_lr"):
        LambdaLR(sgd(), to_lr_lambda(fs.warmup_linear(4, 10)), last_epoch=3)


# The twin of all resumes: rates that do depend on the step.
def test_a_run_that_starts_anew_instead_of_resuming_has_other_rates(tmp_path: Path) -> None:
    schedule, way = SCHEDULES["one schedule"], ("optimizer", "build")
    used, _ = uninterrupted("adamw", RATES["numbers"], schedule)
    assert interrupted("adamw", RATES["numbers"], schedule, way, 4, tmp_path / "run.pt")[0] != used[4:]


def test_what_is_no_optimizer_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        lambda_lr(None, fs.constant())
    assert str(error.value) == "lambda_lr: `optimizer` must be a torch optimizer, got None"
