"""A schedule under torch.compile: nothing is compiled again, and the compiled update uses the schedule's rates."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mpmath import mpf
from torch._dynamo.utils import counters

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import torch_compile
from tests import oracle

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch warns of its own compiler

UPDATES, PEAK = 1000, 1e-3
SCHEDULE, EXACT = fs.warmup_cosine(100, 900, end=0.1), oracle.warmup_cosine(100, 900, 0.0, 0.1)
WARM = 2  # updates: momentum is made in the first, which is compiled apart

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw foreach": lambda p, lr: torch.optim.AdamW(p, lr, foreach=True, capturable=True),
    "adamw fused": lambda p, lr: torch.optim.AdamW(p, lr, fused=True),  # which torch calls between graphs
    "sgd": torch.optim.SGD,
    "momentum foreach": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, foreach=True),
    "sgd fused": lambda p, lr: torch.optim.SGD(p, lr, fused=True),
}
# What is compiled: the step of the optimizer, a function that calls it, or one that steps the scheduler as well.
COMPILED: dict[str, Callable[..., Callable[[], Any]]] = {
    "method": lambda optimizer, scheduler: optimizer.step,
    "function": lambda optimizer, scheduler: lambda: optimizer.step() and None,
    "both": lambda optimizer, scheduler: lambda: (optimizer.step(), scheduler.step()) and None,
}


class Record(NamedTuple):
    rates: list[float]
    moves: list[float]  # of a parameter from 0, with a gradient of 1
    graphs: int


@pytest.fixture(autouse=True)
def _forget_what_was_compiled() -> None:
    torch._dynamo.reset()


def made(name: str, rate: Any) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = torch.ones(3)
    return parameter, OPTIMIZERS[name]([parameter], lr=rate)


def update_function(optimizer: torch.optim.Optimizer, scheduler: Any, what: str) -> Callable[[], None]:
    compiled = torch.compile(COMPILED[what](optimizer, scheduler))

    def update() -> None:
        compiled()
        if what != "both":
            scheduler.step()

    return update


def run(name: str, what: str = "method", updates: int = UPDATES) -> Record:
    """Updates with a tensor rate; one that compiles anything after the first two raises."""
    parameter, optimizer = made(name, torch.tensor(PEAK))
    update = update_function(optimizer, lambda_lr(optimizer, SCHEDULE), what)
    before = counters["stats"]["unique_graphs"]
    rates, moves = [], []
    for number in range(updates):
        parameter.detach().zero_()
        rates.append(optimizer.param_groups[0]["lr"].item())
        with torch.compiler.set_stance("default" if number < WARM else "fail_on_recompile"):
            update()
        moves.append(-parameter[0].item())
    return Record(rates, moves, counters["stats"]["unique_graphs"] - before)


@cache
def exact_rates() -> list[mpf]:
    peak = mpf(float(np.float32(PEAK)))
    return [peak * EXACT(step) for step in range(UPDATES)]


def worst(rates: list[float]) -> float:
    return max(oracle.ulps(rate, exact, 24) for rate, exact in zip(rates, exact_rates(), strict=True))


# An optimizer of torch, compiled, and a scheduler.


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_compiled_updates_use_the_rates_of_the_schedule_and_compile_once(name: str) -> None:
    record = run(name)
    assert worst(record.rates) <= 1.5  # the multiplier and its product with the peak, each rounded once
    assert (record.graphs >= 1) == ("fused" not in name)
    if "sgd" in name:
        assert record.moves == record.rates  # the rate times 1, from 0
    elif "adam" in name:
        assert record.moves == pytest.approx(record.rates, rel=1e-4)  # but for the epsilon of Adam


@pytest.mark.parametrize("what", ["function", "both"])
def test_a_compiled_function_may_step_the_optimizer_and_the_scheduler(what: str) -> None:
    record = run("sgd", what)
    assert worst(record.rates) <= 1.5
    assert record.moves == record.rates and record.graphs >= 1


# The twin: with a number in place of the tensor, the same check of the same loop does not pass.
def test_a_rate_that_is_a_number_is_compiled_again_at_every_update() -> None:
    _, optimizer = made("sgd", PEAK)
    update = update_function(optimizer, lambda_lr(optimizer, SCHEDULE), "method")
    for _ in range(WARM):
        update()
    with torch.compiler.set_stance("fail_on_recompile"), pytest.raises(RuntimeError, match="Detected recompile"):
        update()


def test_a_loaded_state_fills_the_tensor_that_was_compiled() -> None:
    _, optimizer = made("adam", torch.tensor(PEAK))
    scheduler = lambda_lr(optimizer, SCHEDULE)
    update = update_function(optimizer, scheduler, "method")
    for _ in range(50):
        update()
    state = scheduler.state_dict()
    other = lambda_lr(made("adam", torch.tensor(PEAK))[1], SCHEDULE, step=400)
    errors = []
    with torch.compiler.set_stance("fail_on_recompile"):
        for step, loaded in ((400, other.state_dict()), (50, state)):
            scheduler.load_state_dict(loaded)
            errors.append(oracle.ulps(optimizer.param_groups[0]["lr"].item(), exact_rates()[step], 24))
            update()
    assert max(errors) <= 1.5


# A schedule evaluated in the compiled update, at a step that is counted there.

CURVES = {
    "warmup_cosine": (SCHEDULE, EXACT),
    "warmup_linear": (fs.warmup_linear(100, 900), oracle.warmup_linear(100, 900)),
    "restarts": (fs.warmup_cosine_restarts(100, 900, cycles=3), oracle.warmup_cosine_restarts(100, 900, cycles=3)),
    "join": (
        fs.join([fs.ramp(0.0, 1.0, steps=300), fs.constant(0.5), fs.ramp(0.5, 0.1, steps=400)], [300, 550]),
        oracle.join([oracle.ramp(0.0, 1.0, 300), oracle.constant(0.5), oracle.ramp(0.5, 0.1, 400)], [300, 550]),
    ),
}


class OnTheDevice:
    """An update by gradient descent with all it needs in tensors; the whole is one graph."""

    def __init__(self, schedule: fs.Schedule, dtype: torch.dtype = torch.int64, backend: Any = "inductor") -> None:
        self.step, self.rate, self.weight = torch.zeros((), dtype=dtype), torch.zeros(()), torch.zeros(3)
        gradient = torch.ones(3)

        @torch.compile(fullgraph=True, backend=backend)
        def update(step: torch.Tensor, rate: torch.Tensor, weight: torch.Tensor) -> None:
            rate.copy_(PEAK * schedule(step))
            weight.sub_(rate * gradient)
            step.add_(1)

        self.compiled = update

    def update(self) -> tuple[float, float]:
        self.weight.zero_()
        self.compiled(self.step, self.rate, self.weight)
        return self.rate.item(), -self.weight[0].item()


def device_worst(rates: list[float], exact: oracle.Curve) -> float:
    peak = mpf(PEAK)
    return max(oracle.ulps(rate, peak * exact(step), 24) for step, rate in enumerate(rates))


@pytest.mark.parametrize("name", CURVES)
def test_a_schedule_in_the_compiled_update_gives_its_rates_without_a_break(name: str) -> None:
    schedule, exact = CURVES[name]
    # Inductor takes seconds for each; the others run as the graph that torch captured.
    device = OnTheDevice(schedule, backend="inductor" if name == "warmup_cosine" else "eager")
    pairs = [device.update()]
    with torch.compiler.set_stance("fail_on_recompile"):
        pairs += [device.update() for _ in range(UPDATES - 1)]
    rates = [rate for rate, _ in pairs]
    assert device_worst(rates, exact) <= 5.5  # 4 of the multiplier, and the roundings of the peak and the product
    assert [move for _, move in pairs] == rates


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32], ids=str)
def test_the_count_may_be_a_tensor_of_another_kind(dtype: torch.dtype) -> None:
    device = OnTheDevice(SCHEDULE, dtype, backend="eager")
    assert device_worst([device.update()[0] for _ in range(UPDATES)], EXACT) <= 5.5


def test_the_update_goes_on_from_the_step_that_was_saved(tmp_path: Any) -> None:
    device = OnTheDevice(SCHEDULE, backend="eager")
    used = [device.update() for _ in range(300)]
    torch.save({"step": device.step}, tmp_path / "step.pt")
    used = [device.update() for _ in range(50)]
    again = OnTheDevice(SCHEDULE, backend="eager")
    again.step.copy_(torch.load(tmp_path / "step.pt", weights_only=True)["step"])
    assert [again.update() for _ in range(50)] == used


@pytest.mark.parametrize("name", CURVES)
def test_a_schedule_reads_no_value_of_the_step(name: str) -> None:
    step = torch.zeros((), dtype=torch.int64, device="meta")  # has no values: `.item()`, or a branch on one, raises
    assert CURVES[name][0](step).device.type == "meta"


def test_an_optimizer_without_a_scheduler_may_be_compiled_with_the_schedule() -> None:
    step, rate = torch.zeros((), dtype=torch.int64), torch.zeros(())
    parameter, optimizer = made("sgd", rate)

    @torch.compile(backend="eager")
    def update() -> None:
        rate.copy_(PEAK * SCHEDULE(step))
        step.add_(1)
        optimizer.step()

    moves = []
    for number in range(UPDATES):
        parameter.detach().zero_()
        with torch.compiler.set_stance("default" if number < WARM else "fail_on_recompile"):
            update()
        moves.append(-parameter[0].item())
    assert device_worst(moves, EXACT) <= 5.5


# The example.


def test_the_example_compiles_nothing_twice_and_uses_the_rates_of_the_formula() -> None:
    with torch._dynamo.config.patch(error_on_recompile=True):
        by_a_scheduler, on_the_device = torch_compile.main()
    cosine = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 900)) / 2 for step in range(900)]
    formula = [0.01 * multiplier for multiplier in [step / 100 for step in range(100)] + cosine]
    assert by_a_scheduler == pytest.approx(formula, rel=2.0**-22)
    assert on_the_device == pytest.approx(formula, rel=2.0**-21)
