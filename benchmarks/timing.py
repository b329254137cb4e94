"""Times of several functions that stand noise: taken in alternating batches of the same run."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from time import perf_counter

Batch = Callable[[], object]


def interleaved(*batches: Batch, rounds: int, before: Batch = lambda: None) -> list[list[float]]:
    """The times of each batch in seconds, one for each round.

    A round runs every batch once, every other round in reverse order, so that a busy spell of the machine meets all of
    them. A round that is not counted goes first. `before` runs ahead of each batch and is not timed; the garbage
    collector is off meanwhile.
    """
    times: list[list[float]] = [[] for _ in batches]
    order = list(range(len(batches)))
    for number in range(rounds + 1):
        for index in order if number % 2 else reversed(order):
            seconds = _time(batches[index], before)
            if number:
                times[index].append(seconds)
    return times


def best(*batches: Batch, rounds: int, before: Batch = lambda: None) -> list[float]:
    """The time of each batch that one round in ten beats.

    Noise adds, so low times are the true ones; but where the clock of a processor jumps, a single batch may have all
    the luck, and the lowest of all is a matter of chance. Of fewer than ten rounds it is the lowest.
    """
    return [sorted(times)[rounds // 10] for times in interleaved(*batches, rounds=rounds, before=before)]


def calls(function: Callable[[int], object], steps: Iterable[int]) -> Batch:
    """A batch that calls a function with each of the steps, as a training loop does."""
    steps = tuple(steps)

    def batch() -> None:
        for step in steps:
            function(step)

    return batch


def _time(batch: Batch, before: Batch) -> float:
    before()
    gc.disable()
    try:
        begin = perf_counter()
        batch()
        return perf_counter() - begin
    finally:
        gc.enable()
