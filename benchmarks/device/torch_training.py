"""A training step in torch: kernels and time that a schedule adds, and a whole step as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.profiler import ProfilerActivity, profile

import funcsched as fs
from benchmarks.device.report import ratios, table
from benchmarks.device.settings import Settings, synchronize, torch_device
from bridges.torch import lambda_lr
from tests import oracle

PEAK, WARMUP, TOTAL = 1e-3, 100, 1_000
SCHEDULE = fs.warmup_cosine(WARMUP, TOTAL, end=0.1)
WIDTH, HEADS, LENGTH, BATCH = 128, 4, 32, 4
WARMUP_REPLAYS = 3  # updates before the capture, because AdamW allocates its state in the first one
ACCELERATORS = {"CUDA", "XPU", "MPS"}  # device types in a profile


class Training:
    """A training step of a transformer block with AdamW, and what sets the learning rate before or after it."""

    def __init__(self, *, fused: bool) -> None:
        device = torch_device()
        torch.manual_seed(0)
        self.model = torch.nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, device=device
        )
        # The step count and the learning rate are tensors on the device, which a CUDA graph requires.
        on_device: dict[str, Any] = {"capturable": True, "foreach": not fused} if device.type != "cpu" else {}
        self.rate = torch.tensor(PEAK, device=device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.rate, fused=fused, **on_device)
        self.x = torch.sin(torch.arange(float(BATCH * LENGTH * WIDTH), device=device)).reshape(BATCH, LENGTH, WIDTH)
        self.count = torch.zeros((), dtype=torch.int64, device=device)
        self.before_update: Callable[[], object] = lambda: None
        self.after_update: Callable[[], object] = lambda: None

    def update(self) -> None:
        self.before_update()
        self.model(self.x).square().mean().backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        self.after_update()

    def train(self, updates: int) -> None:
        for _ in range(updates):
            self.update()
        synchronize()

    def rate_from_device(self) -> None:
        """Compute the learning rate of the next update from the step count, both on the device."""
        self.rate.copy_(PEAK * SCHEDULE(self.count))
        self.count.add_(1)

    def kernels(self, updates: int) -> float:
        """The mean number of kernels and copies of an update; on a CPU, the number of operators."""
        self.train(1)
        with profile(activities=[*{ProfilerActivity.CPU, *_accelerator_activities()}]) as profiled:
            self.train(updates)
        events = profiled.events() or []
        on_device = [event for event in events if event.device_type.name in ACCELERATORS]
        operators = [event for event in events if event.cpu_parent is None and event.name.startswith("aten::")]
        return len(operators if torch_device().type == "cpu" else on_device) / updates


def trainings(settings: Settings, *, fused: bool) -> Iterator[tuple[str, Training]]:
    """A training for each way to set the learning rate; the first is the baseline."""
    yield "constant", Training(fused=fused)
    run = Training(fused=fused)
    run.after_update = LambdaLR(run.optimizer, lambda step: min(step / WARMUP, 1.0)).step
    yield "LambdaLR of torch, linear warmup", run
    run = Training(fused=fused)
    run.after_update = lambda_lr(run.optimizer, fs.warmup_constant(WARMUP)).step
    yield "lambda_lr, linear warmup", run
    run = Training(fused=fused)
    run.after_update = lambda_lr(run.optimizer, SCHEDULE).step
    yield "lambda_lr, warmup_cosine", run
    run = Training(fused=fused)
    run.before_update = run.rate_from_device
    yield "on the device, warmup_cosine, eager", run
    if settings.compile_torch:
        run = Training(fused=fused)
        run.before_update = torch.compile(run.rate_from_device, fullgraph=True)
        yield "on the device, warmup_cosine, compiled", run


def section(settings: Settings) -> str:
    """The table of kernels and step times for each implementation of AdamW and each learning rate."""
    rows = []
    implementations = ["fused", "foreach"] if torch_device().type != "cpu" else ["fused"]
    for implementation in implementations:
        runs = dict(trainings(settings, fused=implementation == "fused"))
        kernels = {name: run.kernels(settings.updates) for name, run in runs.items()}
        times = ratios({name: partial(run.train, settings.updates) for name, run in runs.items()}, settings.rounds)
        rows += [[implementation, name, f"{kernels[name] - kernels['constant']:+g}", times[name]] for name in runs]
    counted = "kernels added" if torch_device().type != "cpu" else "operators added"
    head = f"AdamW on a transformer block of width {WIDTH}, the learning rate in a tensor"
    head += ", `capturable=True`.\n" if torch_device().type != "cpu" else ".\n"
    return head + "\n" + table(["AdamW", "learning rate", counted, "step time / constant (quartiles)"], rows)


def graph_section(settings: Settings) -> tuple[str, int]:
    """Whether every learning rate of a replayed CUDA graph equals that of the eager run, and the number that do not."""
    if torch_device().type != "cuda":
        return "Needs CUDA.", 0
    eager, replayed = eager_rates(settings.replays), graph_rates(settings.replays)
    different = sum(a != b for a, b in zip(eager, replayed, strict=True))
    exact = oracle.scale(oracle.warmup_cosine(WARMUP, TOTAL, 0.0, 0.1), PEAK)
    error = oracle.max_ulps(exact, range(settings.replays), replayed, 24)
    return (
        f"A whole training step (forward, backward, AdamW, learning rate from a step count on the device) was captured"
        f" once and replayed {settings.replays:,} times: {different} learning rates differ from those of the eager run."
        f" The largest error is {error:.2f} ulp, with one rounding each for the product and the peak value.",
        different,
    )


def eager_rates(updates: int) -> list[float]:
    """The learning rates of a run without a graph."""
    run = Training(fused=True)
    run.before_update = run.rate_from_device
    rates = []
    for _ in range(updates):
        run.update()
        rates.append(run.rate.clone())
    return [rate.item() for rate in rates]


def graph_rates(updates: int) -> list[float]:
    """The learning rates of a run that replays a CUDA graph of one training step."""
    run = Training(fused=True)
    run.before_update = run.rate_from_device
    stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run.train(WARMUP_REPLAYS)
    torch.cuda.current_stream().wait_stream(stream)
    run.count.zero_()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run.update()
    rates = []
    for _ in range(updates):
        graph.replay()
        rates.append(run.rate.clone())
    return [rate.item() for rate in rates]


def _accelerator_activities() -> set[ProfilerActivity]:
    supported: set[ProfilerActivity] = torch.profiler.supported_activities()  # type: ignore[no-untyped-call]
    return supported - {ProfilerActivity.CPU}
