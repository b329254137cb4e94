"""Compositions that several trainers use: phases by their first steps, milestones, and counts of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import gcd

import funcsched as fs

LARGEST_DENOMINATOR = 4096  # of a factor for which `stretch` does not round the step


def join_phases(phases: Mapping[int, fs.Schedule]) -> fs.Schedule:
    """Join phases, given by their first steps. In a dict, the next phase replaces an empty one."""
    return fs.join(phases.values(), list(phases)[1:])


def multiply_at(milestones: Iterable[int], factor: float) -> fs.Schedule:
    """Multiply by a factor at each milestone. A repeated milestone counts twice."""
    counts = Counter(sorted(milestones))
    return fs.piecewise_constant(list(counts), factors=[factor**count for count in counts.values()])


def from_parts(schedule: fs.Schedule, parts: int) -> fs.Schedule:
    """A schedule that counts parts of ``1 / parts`` of a step as one that counts steps. Both are exact."""
    if parts == 1:
        return schedule
    return fs.stretch(schedule, 1 / parts) if parts <= LARGEST_DENOMINATOR else fs.count_by(schedule, parts)


def in_updates(build: Callable[..., fs.Schedule], size: int, *counts: int) -> fs.Schedule:
    """The schedule `build(*counts)`, which counts samples or tokens, as one that counts updates of `size`.

    It is built in the largest unit that divides all counts. If that is an update, its steps are not rescaled.
    """
    unit = gcd(size, *counts)
    return from_parts(build(*(count // unit for count in counts)), size // unit)
