"""A schedule with torch.compile: nothing is recompiled, and the compiled update uses the rates of the schedule."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

import funcsched as fs
from bridges.torch import lambda_lr
from examples.stacks import torch_compile
from tests import oracle
from tests.stacks.curves import max_ulps

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # from torch's own compiler

UPDATES, PEAK = 1000, 1e-3
FLOAT32_PEAK = float(np.float32(PEAK))  # the value of a peak in a tensor
SCHEDULE, EXACT = fs.warmup_cosine(100, 900, end=0.1), oracle.warmup_cosine(100, 900, 0.0, 0.1)
WARMUP = 2  # updates that may compile: the first one creates the momentum

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw foreach": lambda p, lr: torch.optim.AdamW(p, lr, foreach=True, capturable=True),
    "adamw fused": lambda p, lr: torch.optim.AdamW(p, lr, fused=True),  # called between graphs
    "sgd": torch.optim.SGD,
    "momentum foreach": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, foreach=True),
    "sgd fused": lambda p, lr: torch.optim.SGD(p, lr, fused=True),
}
# What is compiled: the step of the optimizer, a function that calls it, or one that also steps the scheduler.
COMPILED: dict[str, Callable[..., Callable[[], Any]]] = {
    "method": lambda optimizer, scheduler: optimizer.step,
    "function": lambda optimizer, scheduler: lambda: optimizer.step() and None,
    "both": lambda optimizer, scheduler: lambda: (optimizer.step(), scheduler.step()) and None,
}


class Run(NamedTuple):
    rates: list[float]
    changes: list[float]  # of a parameter that is reset to 0 before each update, with a gradient of 1
    graphs: int


@pytest.fixture(autouse=True)
def _reset_compiler() -> None:
    torch._dynamo.reset()


def build(name: str, rate: Any) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = torch.ones(3)
    return parameter, OPTIMIZERS[name]([parameter], lr=rate)


def compile_update(optimizer: torch.optim.Optimizer, scheduler: Any, what: str = "method") -> Callable[[], None]:
    compiled = torch.compile(COMPILED[what](optimizer, scheduler))

    def update() -> None:
        compiled()
        if what != "both":
            scheduler.step()

    return update


def run(name: str, what: str = "method") -> Run:
    """Train with a learning rate in a tensor; an update that compiles anything after the first two raises."""
    parameter, optimizer = build(name, torch.tensor(PEAK))
    update = compile_update(optimizer, lambda_lr(optimizer, SCHEDULE), what)
    graphs_before = counters["stats"]["unique_graphs"]
    rates, changes = [], []
    for step in range(UPDATES):
        parameter.detach().zero_()
        rates.append(optimizer.param_groups[0]["lr"].item())
        with torch.compiler.set_stance("default" if step < WARMUP else "fail_on_recompile"):
            update()
        changes.append(-parameter[0].item())
    return Run(rates, changes, counters["stats"]["unique_graphs"] - graphs_before)


# A compiled optimizer with a scheduler.


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_compiled_updates_use_the_rates_of_the_formula_without_recompilation(name: str) -> None:
    rates, changes, graphs = run(name)
    assert max_ulps(rates, EXACT, FLOAT32_PEAK) <= 1.5  # roundings of the multiplier and of its product with the peak
    assert (graphs >= 1) == ("fused" not in name)
    if "sgd" in name:
        assert changes == rates
    elif "adam" in name:
        assert changes == pytest.approx(rates, rel=1e-4)  # not equal, because of the epsilon of Adam
    else:
        momentum = [(1 - 0.9 ** (step + 1)) / (1 - 0.9) for step in range(UPDATES)]  # for gradients of 1
        assert changes == pytest.approx([rate * m for rate, m in zip(rates, momentum, strict=True)], rel=1e-5)


@pytest.mark.parametrize("what", ["function", "both"])
def test_a_compiled_function_may_step_the_optimizer_and_the_scheduler(what: str) -> None:
    rates, changes, graphs = run("sgd", what)
    assert max_ulps(rates, EXACT, FLOAT32_PEAK) <= 1.5
    assert changes == rates and graphs >= 1


# The constructor of torch's own schedulers fails on a step that is not a bound method.
@pytest.mark.parametrize("backend", ["inductor", None])
def test_the_step_may_be_replaced_before_the_scheduler_is_built(backend: str | None) -> None:
    parameter, optimizer = build("sgd", torch.tensor(PEAK))
    with pytest.raises(AttributeError, match="__func__"):
        optimizer.step = torch.compile(optimizer.step)
        torch.optim.lr_scheduler.LambdaLR(optimizer, SCHEDULE)
    parameter, optimizer = build("sgd", torch.tensor(PEAK))
    step = optimizer.step
    optimizer.step = (lambda: step()) if backend is None else torch.compile(step, backend=backend)  # a function
    scheduler = lambda_lr(optimizer, SCHEDULE)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        lambda_lr(build("sgd", PEAK)[1], SCHEDULE).step()  # control: torch notices whether the step is called
    rates, changes = [], []
    for number in range(20):
        parameter.detach().zero_()
        rates.append(optimizer.param_groups[0]["lr"].item())
        with torch.compiler.set_stance("default" if number < WARMUP else "fail_on_recompile"):
            optimizer.step()
        scheduler.step()
        changes.append(-parameter[0].item())
    assert max_ulps(rates, EXACT, FLOAT32_PEAK) <= 1.5 and changes == rates
    added = torch.nn.Parameter(torch.zeros(3))
    scheduler.add_param_group({"params": [added], "lr": 1.0}, fs.constant(0.5))
    assert optimizer.param_groups[1]["lr"] == 0.5


# Detecting changes by other code must not read the tensor, which would wait for the device at every step.
def test_a_step_does_not_read_the_value_of_a_tensor_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    _, optimizer = build("sgd", torch.tensor(PEAK))
    schedulers = [lambda_lr(optimizer, SCHEDULE, on_external_change=mode) for mode in ("warn", "keep")]
    optimizer.step()
    for scheduler in schedulers:
        scheduler.load_state_dict(scheduler.state_dict())
        scheduler.step()

        def fail(*_: Any) -> None:
            raise AssertionError("the value of a tensor was read")

        with monkeypatch.context() as context:
            for name in ("item", "__float__", "tolist", "__bool__"):
                context.setattr(torch.Tensor, name, fail)
            for _ in range(3):
                scheduler.step()


# Control for the tests above, and the documented pitfall.
def test_a_rate_that_is_a_python_number_recompiles_every_update() -> None:
    _, optimizer = build("sgd", PEAK)
    update = compile_update(optimizer, lambda_lr(optimizer, SCHEDULE))
    for _ in range(WARMUP):
        update()
    with torch.compiler.set_stance("fail_on_recompile"), pytest.raises(RuntimeError, match="Detected recompile"):
        update()


def test_loading_a_state_fills_the_tensor_of_the_compiled_update() -> None:
    _, optimizer = build("adam", torch.tensor(PEAK))
    scheduler = lambda_lr(optimizer, SCHEDULE)
    update = compile_update(optimizer, scheduler)
    for _ in range(50):
        update()
    state = scheduler.state_dict()
    later = lambda_lr(build("adam", torch.tensor(PEAK))[1], SCHEDULE, step=400)
    with torch.compiler.set_stance("fail_on_recompile"):
        for step, loaded in ((400, later.state_dict()), (50, state)):
            scheduler.load_state_dict(loaded)
            assert oracle.ulps(optimizer.param_groups[0]["lr"].item(), FLOAT32_PEAK * EXACT(step), 24) <= 1.5
            update()


# A schedule evaluated in the compiled update, which also counts the steps.

CURVES = {
    "warmup_cosine": (SCHEDULE, EXACT),
    "warmup_linear": (fs.warmup_linear(100, 900), oracle.warmup_linear(100, 900)),
    "restarts": (fs.warmup_cosine_restarts(100, 900, cycles=3), oracle.warmup_cosine_restarts(100, 900, cycles=3)),
    "join": (
        fs.join([fs.ramp(0.0, 1.0, steps=300), fs.constant(0.5), fs.ramp(0.5, 0.1, steps=400)], [300, 550]),
        oracle.join([oracle.ramp(0.0, 1.0, 300), oracle.constant(0.5), oracle.ramp(0.5, 0.1, 400)], [300, 550]),
    ),
}
DEVICE_ULPS = 5.5  # 4 of the multiplier, and the roundings of the peak and of the product


class DeviceUpdate:
    """An update by gradient descent as one graph, with all its values in tensors."""

    def __init__(self, schedule: fs.Schedule, dtype: torch.dtype = torch.int64, backend: Any = "eager") -> None:
        self.step, self.rate, self.weight = torch.zeros((), dtype=dtype), torch.zeros(()), torch.zeros(3)
        gradient = torch.ones(3)

        @torch.compile(fullgraph=True, backend=backend)
        def update(step: torch.Tensor, rate: torch.Tensor, weight: torch.Tensor) -> None:
            rate.copy_(PEAK * schedule(step))
            weight.sub_(rate * gradient)
            step.add_(1)

        self.compiled = update

    def __call__(self) -> tuple[float, float]:
        """The learning rate, and the change of a weight that was reset to 0."""
        self.weight.zero_()
        self.compiled(self.step, self.rate, self.weight)
        return self.rate.item(), -self.weight[0].item()


@pytest.mark.parametrize("name", CURVES)
def test_a_schedule_in_the_compiled_update_gives_the_rates_of_the_formula_without_a_graph_break(name: str) -> None:
    schedule, exact = CURVES[name]
    # Inductor takes seconds for each schedule; the "eager" backend runs the graph that torch captured.
    update = DeviceUpdate(schedule, backend="inductor" if name == "warmup_cosine" else "eager")
    results = [update()]
    with torch.compiler.set_stance("fail_on_recompile"):
        results += [update() for _ in range(UPDATES - 1)]
    rates, changes = zip(*results, strict=True)
    assert max_ulps(rates, exact, PEAK) <= DEVICE_ULPS
    assert changes == rates


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32], ids=str)
def test_the_step_tensor_may_have_another_dtype(dtype: torch.dtype) -> None:
    update = DeviceUpdate(SCHEDULE, dtype)
    assert max_ulps([update()[0] for _ in range(UPDATES)], EXACT, PEAK) <= DEVICE_ULPS


def test_a_restored_step_tensor_resumes_the_schedule(tmp_path: Path) -> None:
    update = DeviceUpdate(SCHEDULE)
    for _ in range(300):
        update()
    torch.save({"step": update.step}, tmp_path / "step.pt")
    expected = [update() for _ in range(50)]
    resumed = DeviceUpdate(SCHEDULE)
    resumed.step.copy_(torch.load(tmp_path / "step.pt", weights_only=True)["step"])
    assert [resumed() for _ in range(50)] == expected


@pytest.mark.parametrize("name", CURVES)
def test_a_schedule_does_not_read_the_value_of_the_step(name: str) -> None:
    step = torch.zeros((), dtype=torch.int64, device="meta")  # has no value: `.item()` or a branch on it raises
    assert CURVES[name][0](step).device.type == "meta"


def test_a_schedule_can_be_compiled_with_the_step_of_an_optimizer_without_a_scheduler() -> None:
    step, rate = torch.zeros((), dtype=torch.int64), torch.zeros(())
    parameter, optimizer = build("sgd", rate)

    @torch.compile(backend="eager")
    def update() -> None:
        rate.copy_(PEAK * SCHEDULE(step))
        step.add_(1)
        optimizer.step()

    changes = []
    for number in range(UPDATES):
        parameter.detach().zero_()
        with torch.compiler.set_stance("default" if number < WARMUP else "fail_on_recompile"):
            update()
        changes.append(-parameter[0].item())
    assert max_ulps(changes, EXACT, PEAK) <= DEVICE_ULPS


# The example.


def test_the_example_does_not_recompile_and_uses_the_rates_of_the_formula() -> None:
    with torch._dynamo.config.patch(error_on_recompile=True):
        by_scheduler, on_device = torch_compile.main()
    cosine = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 900)) / 2 for step in range(900)]
    expected = [0.01 * multiplier for multiplier in [step / 100 for step in range(100)] + cosine]
    assert by_scheduler == pytest.approx(expected, rel=2.0**-22)
    assert on_device == pytest.approx(expected, rel=2.0**-21)
