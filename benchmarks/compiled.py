"""The number of XLA instructions of a compiled schedule, and how fast they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.peers import OURS, optax_schedule
from benchmarks.report import Row
from benchmarks.timing import Batch, fastest

START_AND_END = [(0.0, 0.0), (0.0, 0.1), (0.1, 0.1)]
KINDS = ["scalar", "vector"]
MANY_STEPS = 4_000_000
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = ", re.MULTILINE)


def rows() -> Iterator[Row]:
    for name, (start, end), kind in product(OURS, START_AND_END, KINDS):
        ours, theirs = instruction_counts(name, start, end, kind)
        yield Row(f"instructions, {name} from {start:g} to {end:g}, {kind}", "optax", ours, theirs, 2.0)
    for name, kind in product(OURS, KINDS):
        ours, theirs = instruction_counts(name, 0.0, 0.0, kind, MANY_STEPS)
        yield Row(f"instructions, {name} over 4 million steps, {kind}", "optax", ours, theirs, 2.0)
    for name, functions in _many_steps().items():
        steps = jnp.arange(MANY_STEPS, dtype=jnp.int32)
        # Both read the same array, because memory bandwidth limits linear schedules.
        ours, theirs = fastest(*(_run(function, steps) for function in functions), rounds=300)
        yield Row(f"4 million steps in one call, {name}", "optax", ours, theirs, 1.1)


def instructions(function: Callable[[Any], Any], step: Any) -> int:
    """The number of instructions in the optimized module of a function."""
    return len(_INSTRUCTION.findall(jax.jit(function).lower(step).compile().as_text() or ""))


def instruction_counts(name: str, start: float, end: float, kind: str, total: int = 10_000) -> tuple[int, int]:
    """Instructions of our schedule and of optax's, for a scalar or a vector of steps; a tenth of `total` is warmup."""
    ours = OURS[name](total // 10, total, start=start, end=end)
    peer = optax_schedule(name, total // 10, total, start, end)
    if kind == "scalar":
        return instructions(ours, jnp.int32(5)), instructions(peer, jnp.int32(5))
    steps = jnp.arange(1_000, dtype=jnp.int32)
    return instructions(ours, steps), instructions(jax.vmap(peer), steps)


def _many_steps() -> dict[str, tuple[fs.Schedule, Callable[[Any], Any]]]:
    """Our schedule and optax's, over 4 million steps."""
    total, tenth = MANY_STEPS, MANY_STEPS // 10
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
    return {name: (ours, jax.vmap(peer)) for name, (ours, peer) in pairs.items()}


def _run(function: Callable[[Any], Any], steps: jax.Array) -> Batch:
    jitted = jax.jit(function)
    return lambda: jitted(steps).block_until_ready()
