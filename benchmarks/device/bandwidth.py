"""Many steps in one array: the time compared with a copy of the array on the device, which is the physical limit."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import torch

from benchmarks.device.report import spread, table
from benchmarks.device.settings import Settings, synchronize, torch_device
from benchmarks.peers import optax_pairs
from benchmarks.timing import Batch, interleaved

GOAL = 1.2
_BYTES = 8  # a step: an int32 is read and a float32 written


def section(settings: Settings) -> str:
    """The tables of JAX and torch."""
    return _in_jax(settings) + "\n\n" + _in_torch(settings)


def _in_jax(settings: Settings) -> str:
    total = settings.many_steps
    steps = jnp.arange(total, dtype=jnp.int32)
    copy = _run(jax.jit(jnp.copy), steps)
    rows = []
    for name, (ours, peer) in optax_pairs(total).items():
        batches = [copy, _run(jax.jit(ours), steps), _run(jax.jit(jax.vmap(peer)), steps)]
        copied, our_times, peer_times = interleaved(*batches, rounds=max(settings.rounds // 3, 2))
        rows.append([name, *_cells(total, copied, our_times), _ratio(peer_times, copied)])
    head = f"JAX, {total:,} steps of type int32 to float32; a copy moves {gigabytes_per_second(total, copied)}."
    return (
        f"{head} Goal: {GOAL} copies.\n"
        + "\n"
        + table(["schedule", "bytes per second", "time / copy", "goal met", "optax / copy"], rows)
    )


def _in_torch(settings: Settings) -> str:
    if not settings.compile_torch:
        return "torch was not measured: without compilation, a schedule reads and writes many arrays."
    total = settings.many_steps
    steps = torch.arange(total, dtype=torch.int32, device=torch_device())
    out = torch.empty_like(steps)
    rows = []
    for name, (ours, _) in optax_pairs(total).items():
        torch._dynamo.reset()
        compiled = torch.compile(ours, fullgraph=True)
        batches: list[Batch] = [partial(_copy, out, steps), partial(_call, compiled, steps)]
        copied, times = interleaved(*batches, rounds=max(settings.rounds // 3, 2))
        rows.append([name, *_cells(total, copied, times)])
    head = f"torch.compile, the same arrays; a copy moves {gigabytes_per_second(total, copied)}.\n"
    return head + "\n" + table(["schedule", "bytes per second", "time / copy", "goal met"], rows)


def _run(function: Any, steps: jax.Array) -> Batch:
    return lambda: function(steps).block_until_ready()


def _copy(out: torch.Tensor, steps: torch.Tensor) -> None:
    out.copy_(steps)
    synchronize()


def _call(function: Any, steps: torch.Tensor) -> None:
    function(steps)
    synchronize()


def _cells(total: int, copied: list[float], times: list[float]) -> list[str]:
    met = median(a / b for a, b in zip(times, copied, strict=True)) <= GOAL
    return [gigabytes_per_second(total, times), _ratio(times, copied), "yes" if met else "**no**"]


def gigabytes_per_second(total: int, times: list[float]) -> str:
    """The bytes of `total` steps, read and written, by the median time in seconds."""
    return f"{_BYTES * total / median(times) / 1e9:,.0f} GB/s"


def _ratio(times: list[float], copied: list[float]) -> str:
    return spread([a / b for a, b in zip(times, copied, strict=True)])
