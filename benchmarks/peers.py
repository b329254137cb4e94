"""The two schedules that all libraries have, under one signature each."""

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


def of_optax(name: str, warmup: int, total: int, start: float = 0.0, end: float = 0.0, peak: float = 1.0) -> Peer:
    """The same schedule of optax; `start` and `end` are multiples of `peak`, as ours are."""
    first, last = start * peak, end * peak
    if name == "warmup-cosine":
        schedule: Peer = optax.warmup_cosine_decay_schedule(first, peak, warmup, total, last)
    else:
        rise, fall = optax.linear_schedule(first, peak, warmup), optax.linear_schedule(peak, last, total - warmup)
        schedule = optax.join_schedules([rise, fall], [warmup])
    return schedule


def of_transformers(name: str, warmup: int, total: int) -> Peer:
    """The lambda that transformers gives to LambdaLR."""
    lambdas: list[Peer] = _TRANSFORMERS[name](optimizer(), warmup, total).lr_lambdas
    return lambdas[0]


def optimizer() -> torch.optim.Optimizer:
    """The smallest optimizer there is."""
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
