"""One call at a time: a Python int, a step of LambdaLR, a JAX scalar outside of jit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import jax.numpy as jnp
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, SequentialLR

from benchmarks.peers import OURS, of_optax, of_transformers, optimizer
from benchmarks.report import Row
from benchmarks.timing import Batch, best, calls
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
        yield _eager(name)


def _python_ints() -> Iterator[Row]:
    singles = []
    for name, schedule in OURS.items():
        functions = schedule(WARMUP, TOTAL), of_transformers(name, WARMUP, TOTAL)
        for phase, steps in PHASES.items():
            batches = [calls(function, steps) for function in functions]
            ours, theirs = best(*batches, rounds=200)
            singles.append(Row(f"Python int, {name}, {phase}", "transformers", ours, theirs))
    ours, theirs = sum(row.ours for row in singles), sum(row.theirs for row in singles)
    yield Row("Python int, the four below together", "transformers", ours, theirs, 0.87)
    yield from singles


def _lambda_lr(name: str) -> Row:
    warmup, total = 100, 1_000
    lambdas = to_lr_lambda(OURS[name](warmup, total)), of_transformers(name, warmup, total)
    ours, theirs = best(*(_training(function, total) for function in lambdas), rounds=100)
    return Row(f"`LambdaLR.step()`, {name}", "transformers", ours, theirs, 1.0)


def _training(function: Callable[[int], float], total: int) -> Batch:
    """A batch that takes a scheduler through a training run."""
    stepped = optimizer()
    return _steps(stepped, LambdaLR(stepped, function), total)


def _steps(stepped: Optimizer, scheduler: Any, total: int) -> Batch:
    stepped.step()
    state = scheduler.state_dict()

    def batch() -> None:
        scheduler.load_state_dict(deepcopy(state))
        for _ in range(total):
            scheduler.step()

    return batch


def _scheduler_steps() -> Iterator[Row]:
    """`lambda_lr(...).step()`, beside what users write by hand."""
    warmup, total = 100, 10_000

    def by_hand(step: int) -> float:
        if step < warmup:
            return step / max(1, warmup)
        fraction = (step - warmup) / max(1, total - warmup)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * fraction)))

    def composed(stepped: Optimizer) -> SequentialLR:
        pieces = LinearLR(stepped, 0.01, total_iters=warmup), CosineAnnealingLR(stepped, total - warmup)
        return SequentialLR(stepped, list(pieces), [warmup])

    peers: dict[str, Callable[[Optimizer], Any]] = {
        "`LambdaLR` with a function by hand": lambda stepped: LambdaLR(stepped, by_hand),
        "`SequentialLR([LinearLR, CosineAnnealingLR])`": composed,
    }
    for (name, peer), target in zip(peers.items(), (1.1, 1.0), strict=True):
        first, second = optimizer(), optimizer()
        ours, theirs = best(
            _steps(first, lambda_lr(first, OURS["warmup-cosine"](warmup, total)), total),
            _steps(second, peer(second), total),
            rounds=30,
        )
        yield Row("`lambda_lr(...).step()`, warmup-cosine", name, ours, theirs, target)


def _eager(name: str) -> Row:
    functions = to_optax(OURS[name](WARMUP, TOTAL), PEAK), of_optax(name, WARMUP, TOTAL, peak=PEAK)
    ours, theirs = best(*(_eager_calls(function) for function in functions), rounds=60)
    return Row(f"JAX scalar outside of jit, {name}", "optax", ours, theirs, 0.09)


def _eager_calls(function: Callable[[Any], Any]) -> Batch:
    step = jnp.int32(WARMUP // 2)

    def batch() -> None:
        for _ in range(50):
            function(step).block_until_ready()

    return batch
