"""The two schedules that funcsched, optax and transformers all have, built from the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optax
import torch

import funcsched as fs

Peer = Callable[[Any], Any]

OURS: dict[str, Callable[..., fs.Schedule]] = {"warmup-linear": fs.warmup_linear, "warmup-cosine": fs.warmup_cosine}
_TRANSFORMERS = {
    "warmup-linear": "get_linear_schedule_with_warmup",
    "warmup-cosine": "get_cosine_schedule_with_warmup",
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


def optax_pairs(total: int) -> dict[str, tuple[fs.Schedule, Peer]]:
    """Our schedule and that of optax, by name; a tenth of `total` is warmup."""
    tenth = total // 10
    warmup, decay = optax.linear_schedule(0.0, 1.0, tenth), optax.linear_schedule(1.0, 0.0, tenth)
    pairs = {name: (OURS[name](tenth, total), optax_schedule(name, tenth, total)) for name in OURS}
    pairs |= {
        "linear": (fs.ramp(1.0, 0.1, steps=total), optax.linear_schedule(1.0, 0.1, total)),
        "cosine": (fs.ramp(1.0, 0.1, steps=total, shape=fs.cosine), optax.cosine_decay_schedule(1.0, total, 0.1)),
        "warmup, stable, decay": (
            fs.warmup_stable_decay(tenth, total - 2 * tenth, tenth),
            optax.join_schedules([warmup, optax.constant_schedule(1.0), decay], [tenth, total - tenth]),
        ),
    }
    return pairs


def transformers_lambda(name: str, warmup: int, total: int) -> Peer:
    """The function that transformers passes to LambdaLR."""
    import transformers  # here, because the other benchmarks do not need it

    lambdas: list[Peer] = getattr(transformers, _TRANSFORMERS[name])(torch_optimizer(), warmup, total).lr_lambdas
    return lambdas[0]


def torch_optimizer() -> torch.optim.Optimizer:
    """An optimizer with a single parameter."""
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
