"""The number of XLA instructions in a compiled schedule, and their run time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.peers import OURS, optax_pairs, optax_schedule
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
    for name, (schedule, peer) in optax_pairs(MANY_STEPS).items():
        steps = jnp.arange(MANY_STEPS, dtype=jnp.int32)
        # Both read the same array, because memory bandwidth limits linear schedules.
        our_time, peer_time = fastest(_run(schedule, steps), _run(jax.vmap(peer), steps), rounds=300)
        yield Row(f"4 million steps in one call, {name}", "optax", our_time, peer_time, 1.1)


def instructions(function: Callable[[Any], Any], step: Any) -> int:
    """The number of instructions in the optimized HLO module of a function."""
    return len(_INSTRUCTION.findall(jax.jit(function).lower(step).compile().as_text() or ""))


def instruction_counts(name: str, start: float, end: float, kind: str, total: int = 10_000) -> tuple[int, int]:
    """Instructions of our schedule and of optax's, for a scalar or a vector of steps; a tenth of `total` is warmup."""
    ours = OURS[name](total // 10, total, start=start, end=end)
    peer = optax_schedule(name, total // 10, total, start, end)
    if kind == "scalar":
        return instructions(ours, jnp.int32(5)), instructions(peer, jnp.int32(5))
    steps = jnp.arange(1_000, dtype=jnp.int32)
    return instructions(ours, steps), instructions(jax.vmap(peer), steps)


def _run(function: Callable[[Any], Any], steps: jax.Array) -> Batch:
    jitted = jax.jit(function)
    return lambda: jitted(steps).block_until_ready()
