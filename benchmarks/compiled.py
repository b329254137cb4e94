"""What XLA makes of a schedule: how many instructions, and how fast they run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.peers import OURS, of_optax
from benchmarks.report import Row
from benchmarks.timing import Batch, best

ENDS = [(0.0, 0.0), (0.0, 0.1), (0.1, 0.1)]  # start and end
KINDS = ["scalar", "vector"]
MANY = 4_000_000
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = ", re.MULTILINE)


def rows() -> Iterator[Row]:
    for name, (start, end), kind in product(OURS, ENDS, KINDS):
        ours, theirs = instruction_counts(name, start, end, kind)
        yield Row(f"instructions, {name} from {start:g} to {end:g}, {kind}", "optax", ours, theirs, 2.0)
    for name, kind in product(OURS, KINDS):
        ours, theirs = instruction_counts(name, 0.0, 0.0, kind, MANY)
        yield Row(f"instructions, {name} over 4 million steps, {kind}", "optax", ours, theirs, 2.0)
    for name, functions in _many_steps().items():
        steps = jnp.arange(MANY, dtype=jnp.int32)
        # Both read the same array: memory sets the pace of straight lines.
        ours, theirs = best(*(_run(function, steps) for function in functions), rounds=300)
        yield Row(f"4 million steps in one call, {name}", "optax", ours, theirs, 1.1)


def instructions(function: Callable[[Any], Any], step: Any) -> int:
    """How many instructions the optimized module of a function has."""
    return len(_INSTRUCTION.findall(jax.jit(function).lower(step).compile().as_text() or ""))


def instruction_counts(name: str, start: float, end: float, kind: str, total: int = 10_000) -> tuple[int, int]:
    """Of ours and of optax's, for one step or for a vector of steps; a tenth of `total` is warmup."""
    ours = OURS[name](total // 10, total, start=start, end=end)
    peer = of_optax(name, total // 10, total, start, end)
    if kind == "scalar":
        return instructions(ours, jnp.int32(5)), instructions(peer, jnp.int32(5))
    steps = jnp.arange(1_000, dtype=jnp.int32)
    return instructions(ours, steps), instructions(jax.vmap(peer), steps)


def _many_steps() -> dict[str, tuple[fs.Schedule, Callable[[Any], Any]]]:
    """Of each kind ours and optax's, over 4 million steps."""
    part = MANY // 10
    lines = optax.linear_schedule(0.0, 1.0, part), optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.0, part)
    pairs = {name: (OURS[name](part, MANY), of_optax(name, part, MANY)) for name in OURS}
    pairs |= {
        "linear": (fs.ramp(1.0, 0.1, steps=MANY), optax.linear_schedule(1.0, 0.1, MANY)),
        "cosine": (fs.ramp(1.0, 0.1, steps=MANY, shape=fs.cosine), optax.cosine_decay_schedule(1.0, MANY, 0.1)),
        "warmup, stable, decay": (
            fs.warmup_stable_decay(part, MANY - 2 * part, part),
            optax.join_schedules(lines, [part, MANY - part]),
        ),
    }
    return {name: (ours, jax.vmap(peer)) for name, (ours, peer) in pairs.items()}


def _run(function: Callable[[Any], Any], steps: jax.Array) -> Batch:
    jitted = jax.jit(function)
    return lambda: jitted(steps).block_until_ready()
