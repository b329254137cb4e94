"""The guarantees on the device: every case of the case table against exact mathematics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.device.settings import Settings, torch_device
from tests.accuracy import Accuracy, measure, steps
from tests.backends import BACKENDS, Arrays, Backend, Schedules
from tests.cases import CASES, LONG, Case

SCANNED_STEPS = 10_000
_GROUP = 16  # schedules in one compilation
_BACKENDS = {backend.name: backend for backend in BACKENDS}


class Column(NamedTuple):
    """One column of the table: a backend, and how it evaluates which cases."""

    title: str
    backend: Backend
    cases: list[Case]


def family(case: Case) -> str:
    """The name of the schedule, and for a ramp also that of its shape."""
    name = case.text.partition("(")[0]
    shape = re.search(r"shape=(\w+)", case.text)
    return f"{name}, {shape[1]}" if name == "ramp" and shape else name


def section(settings: Settings) -> tuple[str, int]:
    """The table of the largest errors, and the number of cases that violate a guarantee."""
    results: dict[str, dict[str, float]] = {}
    faults = []
    found = list(columns(settings))
    for title, backend, cases in found:
        for case, accuracy in evaluate(backend, cases):
            row = results.setdefault(family(case), {})
            row[title] = max(row.get(title, 0.0), accuracy.error)
            faults += [f"- {title}: `{case.text}`: {fault}" for fault in accuracy.faults(case)]
    titles = [column.title for column in found]
    lines = [
        "The largest error of each family in ulp (4 are allowed, 5 to 8 where a table in docs/accuracy.md says so).",
        "Boundary values, ranges and the values past the end are checked too.\n",
        f"| family | {' | '.join(titles)} |",
        f"| --- |{' --- |' * len(titles)}",
        *(
            f"| {name} | " + " | ".join(f"{row[title]:.2f}" if title in row else "" for title in titles) + " |"
            for name, row in sorted(results.items())
        ),
        f"\n{sum(len(column.cases) for column in found)} cases, {len(faults)} violations of a guarantee.",
        *faults,
    ]
    return "\n".join(lines), len(faults)


def columns(settings: Settings) -> Iterator[Column]:
    """Every case in JAX and torch, and one case of each family in `torch.compile` and in a scan."""
    cases = [*CASES, *LONG][:: settings.every_case]
    one_of_each = [next(group) for _, group in groupby(sorted(cases, key=family), family)]
    short = [case for case in one_of_each if case.horizon <= SCANNED_STEPS]
    yield Column("JAX jit, float32", _grouped("jax-jit"), cases)
    if _has_jax_float64():
        yield Column("JAX jit, float64", _grouped("jax-x64-jit"), cases)
    yield Column("torch, float32", _BACKENDS["torch"], cases)
    if _has_torch_float64():
        yield Column("torch, float64", _BACKENDS["torch-float64"], cases)
    if settings.compile_torch:
        yield Column("torch.compile, float32", replace(_grouped("torch"), run=_inductor), one_of_each)
    scan = replace(_grouped("jax-jit", len(short)), run=_scan, largest_step=SCANNED_STEPS - 1)
    yield Column(f"scan of {SCANNED_STEPS:,} steps", scan, short)


def evaluate(backend: Backend, cases: Sequence[Case]) -> Iterator[tuple[Case, Accuracy]]:
    """The accuracy of each case."""
    for start in range(0, len(cases), backend.group_size):
        group = cases[start : start + backend.group_size]
        with torch.device(torch_device()):
            values = backend.values([(case.schedule, steps(case, backend)) for case in group])
        for case, (converted, computed) in zip(group, values, strict=True):
            yield case, measure(case, backend, converted, computed)


def _grouped(name: str, size: int = _GROUP) -> Backend:
    return replace(_BACKENDS[name], group_size=size)


def _inductor(schedules: Schedules, arrays: Arrays) -> Arrays:
    torch._dynamo.reset()
    compiled: Callable[[Arrays], Arrays] = torch.compile(
        lambda arrays: [schedule(array) for schedule, array in zip(schedules, arrays, strict=True)], fullgraph=True
    )
    return compiled(arrays)


def _scan(schedules: Schedules, arrays: Arrays) -> Arrays:
    """The values at the steps of each array, from one scan over all steps. Steps below 0 are evaluated at 0."""

    def update(count: jax.Array, _: None) -> tuple[jax.Array, list[Any]]:
        return count + 1, [schedule(count) for schedule in schedules]

    _, values = jax.jit(lambda: jax.lax.scan(update, jnp.int32(0), length=SCANNED_STEPS))()
    return [np.asarray(value)[np.maximum(array, 0)] for value, array in zip(values, arrays, strict=True)]


def _has_torch_float64() -> bool:
    try:
        torch.zeros(1, dtype=torch.float64, device=torch_device())
    except (RuntimeError, TypeError):  # Metal
        return False
    return True


def _has_jax_float64() -> bool:
    return jax.default_backend() in ("cpu", "gpu")  # a TPU emulates it
