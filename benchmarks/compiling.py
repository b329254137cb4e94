"""The way to a compiled schedule: one compilation for many horizons, and many pieces at the price of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from benchmarks.compiled import instructions
from benchmarks.peers import OURS, of_optax
from benchmarks.report import Row
from benchmarks.timing import Batch, best
from bridges.optax import to_optax

HORIZONS = range(1_000, 7_400, 100)  # 64 of them
_COMPILED = "/jax/core/compile/backend_compile_duration"


def rows() -> Iterator[Row]:
    # A cache on disk would outlive `jax.clear_caches`.
    jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]
    yield from _horizons()
    yield from _joins()


def first_values(make: Callable[[int], Callable[[Any], Any]]) -> Batch:
    """A batch that takes the first value of a new schedule for each horizon."""
    step = jnp.int32(50)

    def batch() -> None:
        for horizon in HORIZONS:
            make(horizon)(step).block_until_ready()

    return batch


def ours_of(horizon: int) -> Callable[[Any], Any]:
    return to_optax(OURS["warmup-cosine"](100, horizon), 3e-4)


def peer_of(horizon: int) -> Callable[[Any], Any]:
    return jax.jit(of_optax("warmup-cosine", 100, horizon, peak=3e-4))


def compilations(batch: Batch) -> int:
    """How often XLA compiles while a batch runs from cold caches."""
    compiled = []

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event == _COMPILED:
            compiled.append(event)

    jax.clear_caches()  # type: ignore[no-untyped-call]
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        batch()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return len(compiled)


def long_join(pieces: int) -> fs.Schedule:
    """Ramps of ten steps with levels of their own."""
    ramps = [fs.ramp(*_levels(i), steps=10) for i in range(pieces)]
    return fs.join(ramps, range(10, 10 * pieces, 10))


def _long_join_of_optax(pieces: int) -> Callable[[Any], Any]:
    ramps = [optax.linear_schedule(*_levels(i), 10) for i in range(pieces)]
    schedule: Callable[[Any], Any] = optax.join_schedules(ramps, list(range(10, 10 * pieces, 10)))
    return schedule


def _levels(piece: int) -> tuple[float, float]:
    return piece % 7 / 7, (piece + 3) % 5 / 5


def _horizons() -> Iterator[Row]:
    batches = first_values(ours_of), first_values(peer_of)
    ours, theirs = best(*batches, rounds=5, before=jax.clear_caches)
    yield Row("64 horizons of warmup-cosine, first value of each", "optax under jit", ours, theirs, 0.05)
    ours, theirs = map(compilations, batches)
    yield Row("64 horizons of warmup-cosine, compilations", "optax under jit", ours, theirs, 0.016)


def _joins() -> Iterator[Row]:
    schedules: list[Callable[[Any], Any]] = [long_join(pieces) for pieces in (10, 50, 500)]
    schedules.append(_long_join_of_optax(500))
    ten, fifty, ours, peer = best(*map(_compilation, schedules), rounds=5, before=jax.clear_caches)
    yield Row("trace and compile a join of 500 ramps", "optax", ours, peer, 0.2)
    yield Row("trace and compile a join of 50 ramps", "ours of 10", fifty, ten, 5.0)
    yield Row("trace and compile a join of 500 ramps", "ours of 10", ours, ten, 50.0)
    counts = join_instructions(500), join_instructions(100)
    yield Row("instructions, a join of 500 ramps", "ours of 100", *counts, 1.2)


def join_instructions(pieces: int) -> int:
    return instructions(long_join(pieces), jnp.int32(5))


def _compilation(function: Callable[[Any], Any]) -> Batch:
    step = jnp.int32(5)
    return lambda: jax.jit(function).lower(step).compile()
