"""Timing that is robust to noise: functions are compared in alternating batches of the same run."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from time import perf_counter

Batch = Callable[[], object]


def interleaved(*batches: Batch, rounds: int, before: Batch = lambda: None) -> list[list[float]]:
    """The times of each batch in seconds, one per round.

    A round runs every batch once, and every other round in reverse order, so that other load on the machine affects all
    batches alike. The first round is a warmup and is not counted. `before` runs before each batch and is not timed. The
    garbage collector is disabled during a batch.
    """
    times: list[list[float]] = [[] for _ in batches]
    order = list(range(len(batches)))
    for number in range(rounds + 1):
        for index in order if number % 2 else reversed(order):
            seconds = _time(batches[index], before)
            if number:
                times[index].append(seconds)
    return times


def fastest(*batches: Batch, rounds: int, before: Batch = lambda: None) -> list[float]:
    """The 10th percentile of the times of each batch, or the minimum of fewer than ten rounds.

    Noise only adds time, so the lowest times are the most accurate. The minimum itself is less reliable, because the
    clock frequency of a processor varies.
    """
    return [sorted(times)[rounds // 10] for times in interleaved(*batches, rounds=rounds, before=before)]


def call_each(function: Callable[[int], object], steps: Iterable[int]) -> Batch:
    """A batch that calls a function with each step in turn, as a training loop does."""
    steps = tuple(steps)

    def batch() -> None:
        for step in steps:
            function(step)

    return batch


def _time(batch: Batch, before: Batch) -> float:
    before()
    gc.disable()
    try:
        start = perf_counter()
        batch()
        return perf_counter() - start
    finally:
        gc.enable()
