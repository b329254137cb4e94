"""The time of one call: with a Python int, in a scheduler step of torch, and with a JAX scalar outside jit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import jax.numpy as jnp
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, SequentialLR

from benchmarks.peers import OURS, optax_schedule, torch_optimizer, transformers_lambda
from benchmarks.report import Row
from benchmarks.timing import Batch, call_each, fastest
from bridges.optax import to_optax
from bridges.torch import lambda_lr, to_lr_lambda

WARMUP, TOTAL = 1_000, 10_000
PHASES = {"warmup": range(0, WARMUP), "decay": range(WARMUP, TOTAL, 9)}
PEAK = 3e-4


def rows() -> Iterator[Row]:
    yield from _python_ints()
    for name in OURS:
        yield _lambda_lr(name)
    yield from _scheduler_steps()
    for name in OURS:
        yield _outside_jit(name)


def _python_ints() -> Iterator[Row]:
    results = []
    for name, factory in OURS.items():
        functions = factory(WARMUP, TOTAL), transformers_lambda(name, WARMUP, TOTAL)
        for phase, steps in PHASES.items():
            ours, theirs = fastest(*(call_each(function, steps) for function in functions), rounds=200)
            results.append(Row(f"Python int, {name}, {phase}", "transformers", ours, theirs))
    ours, theirs = sum(row.ours for row in results), sum(row.theirs for row in results)
    yield Row("Python int, sum of the four rows below", "transformers", ours, theirs, 0.87)
    yield from results


def _lambda_lr(name: str) -> Row:
    warmup, total = 100, 1_000
    lambdas = to_lr_lambda(OURS[name](warmup, total)), transformers_lambda(name, warmup, total)
    ours, theirs = fastest(*(_lambda_lr_batch(function, total) for function in lambdas), rounds=100)
    return Row(f"`LambdaLR.step()`, {name}", "transformers", ours, theirs, 1.0)


def _lambda_lr_batch(function: Callable[[int], float], total: int) -> Batch:
    optimizer = torch_optimizer()
    return _scheduler_batch(optimizer, LambdaLR(optimizer, function), total)


def _scheduler_batch(optimizer: Optimizer, scheduler: Any, total: int) -> Batch:
    """A batch that resets the scheduler and steps it `total` times."""
    optimizer.step()
    state = scheduler.state_dict()

    def batch() -> None:
        scheduler.load_state_dict(deepcopy(state))
        for _ in range(total):
            scheduler.step()

    return batch


def _scheduler_steps() -> Iterator[Row]:
    """`lambda_lr(...).step()` compared with what users write without this library."""
    warmup, total = 100, 10_000

    def hand_written(step: int) -> float:
        if step < warmup:
            return step / max(1, warmup)
        fraction = (step - warmup) / max(1, total - warmup)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * fraction)))

    def sequential(optimizer: Optimizer) -> SequentialLR:
        schedulers = LinearLR(optimizer, 0.01, total_iters=warmup), CosineAnnealingLR(optimizer, total - warmup)
        return SequentialLR(optimizer, list(schedulers), [warmup])

    peers: dict[str, Callable[[Optimizer], Any]] = {
        "`LambdaLR` with a hand-written function": lambda optimizer: LambdaLR(optimizer, hand_written),
        "`SequentialLR([LinearLR, CosineAnnealingLR])`": sequential,
    }
    for (name, peer), limit in zip(peers.items(), (1.1, 1.0), strict=True):
        first, second = torch_optimizer(), torch_optimizer()
        ours, theirs = fastest(
            _scheduler_batch(first, lambda_lr(first, OURS["warmup-cosine"](warmup, total)), total),
            _scheduler_batch(second, peer(second), total),
            rounds=30,
        )
        yield Row("`lambda_lr(...).step()`, warmup-cosine", name, ours, theirs, limit)


def _outside_jit(name: str) -> Row:
    functions = to_optax(OURS[name](WARMUP, TOTAL), PEAK), optax_schedule(name, WARMUP, TOTAL, peak=PEAK)
    ours, theirs = fastest(*(_outside_jit_batch(function) for function in functions), rounds=60)
    return Row(f"JAX scalar outside jit, {name}", "optax", ours, theirs, 0.09)


def _outside_jit_batch(function: Callable[[Any], Any]) -> Batch:
    step = jnp.int32(WARMUP // 2)

    def batch() -> None:
        for _ in range(50):
            function(step).block_until_ready()

    return batch
