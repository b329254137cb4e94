"""Compilation of one schedule with many horizons, and of joins of many ramps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.compiled import instructions
from benchmarks.peers import OURS, optax_schedule
from benchmarks.report import Row
from benchmarks.timing import Batch, fastest
from bridges.optax import to_optax

HORIZONS = range(1_000, 7_400, 100)  # 64 of them
_COMPILATION_EVENT = "/jax/core/compile/backend_compile_duration"


def rows() -> Iterator[Row]:
    # `jax.clear_caches` does not clear the cache on disk, so disable that.
    jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]
    yield from _horizons()
    yield from _joins()


def first_values(factory: Callable[[int], Callable[[Any], Any]]) -> Batch:
    """A batch that builds a schedule for each horizon and evaluates it once."""
    step = jnp.int32(50)

    def batch() -> None:
        for horizon in HORIZONS:
            factory(horizon)(step).block_until_ready()

    return batch


def our_rate(horizon: int) -> Callable[[Any], Any]:
    return to_optax(OURS["warmup-cosine"](100, horizon), 3e-4)


def optax_rate(horizon: int) -> Callable[[Any], Any]:
    return jax.jit(optax_schedule("warmup-cosine", 100, horizon, peak=3e-4))


def compilations(batch: Batch) -> int:
    """The number of compilations in one run of a batch, starting with empty caches."""
    count = 0

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        nonlocal count
        count += event == _COMPILATION_EVENT

    jax.clear_caches()  # type: ignore[no-untyped-call]
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        batch()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return count


def long_join(pieces: int) -> fs.Schedule:
    """A join of `pieces` ramps between different levels, ten steps each."""
    ramps = [fs.ramp(*_levels(i), steps=10) for i in range(pieces)]
    return fs.join(ramps, range(10, 10 * pieces, 10))


def _long_optax_join(pieces: int) -> Callable[[Any], Any]:
    ramps = [optax.linear_schedule(*_levels(i), 10) for i in range(pieces)]
    schedule: Callable[[Any], Any] = optax.join_schedules(ramps, list(range(10, 10 * pieces, 10)))
    return schedule


def _levels(piece: int) -> tuple[float, float]:
    return piece % 7 / 7, (piece + 3) % 5 / 5


def _horizons() -> Iterator[Row]:
    batches = first_values(our_rate), first_values(optax_rate)
    ours, theirs = fastest(*batches, rounds=5, before=jax.clear_caches)
    yield Row("64 horizons of warmup-cosine, first value of each", "jitted optax", ours, theirs, 0.05)
    ours, theirs = map(compilations, batches)
    yield Row("64 horizons of warmup-cosine, compilations", "jitted optax", ours, theirs, 0.016)


def _joins() -> Iterator[Row]:
    schedules: list[Callable[[Any], Any]] = [long_join(pieces) for pieces in (10, 50, 500)]
    schedules.append(_long_optax_join(500))
    ours_of_10, ours_of_50, ours, theirs = fastest(*map(_compilation, schedules), rounds=5, before=jax.clear_caches)
    yield Row("trace and compile a join of 500 ramps", "optax", ours, theirs, 0.2)
    yield Row("trace and compile a join of 50 ramps", "ours of 10", ours_of_50, ours_of_10, 5.0)
    yield Row("trace and compile a join of 500 ramps", "ours of 10", ours, ours_of_10, 50.0)
    counts = join_instructions(500), join_instructions(100)
    yield Row("instructions, a join of 500 ramps", "ours of 100", *counts, 1.2)


def join_instructions(pieces: int) -> int:
    return instructions(long_join(pieces), jnp.int32(5))


def _compilation(function: Callable[[Any], Any]) -> Batch:
    step = jnp.int32(5)
    return lambda: jax.jit(function).lower(step).compile()
