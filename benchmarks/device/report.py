"""Tables and ratios of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import quantiles

from benchmarks.timing import interleaved


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def ratios(batches: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, str]:
    """For each batch, its time relative to the first batch: the median of all rounds, and the quartiles."""
    times = interleaved(*batches.values(), rounds=rounds)
    return {
        name: spread([a / b for a, b in zip(batch, times[0], strict=True)])
        for name, batch in zip(batches, times, strict=True)
    }


def spread(values: Sequence[float]) -> str:
    """The median and the quartiles."""
    low, median, high = quantiles(values, n=4, method="inclusive")
    return f"{median:.3f} ({low:.3f} to {high:.3f})"
