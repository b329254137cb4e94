"""The two schedules that every library has, with the same arguments for each library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optax
import torch
import transformers

import funcsched as fs

Peer = Callable[[Any], Any]

OURS: dict[str, Callable[..., fs.Schedule]] = {"warmup-linear": fs.warmup_linear, "warmup-cosine": fs.warmup_cosine}
_TRANSFORMERS: dict[str, Callable[..., Any]] = {
    "warmup-linear": transformers.get_linear_schedule_with_warmup,
    "warmup-cosine": transformers.get_cosine_schedule_with_warmup,
}


def optax_schedule(name: str, warmup: int, total: int, start: float = 0.0, end: float = 0.0, peak: float = 1.0) -> Peer:
    """The schedule from optax; `start` and `end` are multipliers, as in funcsched."""
    first, last = start * peak, end * peak
    if name == "warmup-cosine":
        schedule: Peer = optax.warmup_cosine_decay_schedule(first, peak, warmup, total, last)
    else:
        ramps = optax.linear_schedule(first, peak, warmup), optax.linear_schedule(peak, last, total - warmup)
        schedule = optax.join_schedules(ramps, [warmup])
    return schedule


def transformers_lambda(name: str, warmup: int, total: int) -> Peer:
    """The function that transformers passes to LambdaLR."""
    lambdas: list[Peer] = _TRANSFORMERS[name](torch_optimizer(), warmup, total).lr_lambdas
    return lambdas[0]


def torch_optimizer() -> torch.optim.Optimizer:
    """An optimizer with a single parameter."""
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
