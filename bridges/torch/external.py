"""Changes of the learning rate by other code, such as `ReduceLROnPlateau`: how to detect them and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from torch import Tensor

from bridges.torch.values import texts
from funcsched.core.validation import one_of

on_external_change_rule = one_of("warn", "keep", "overwrite")


class Change(NamedTuple):
    """The learning rate of a group, as a scheduler set it last, and as other code left it."""

    group: int
    old: float
    new: float

    def __str__(self) -> str:
        old, new = texts(self.old, self.new)
        return f"other code changed the learning rate of group {self.group} from {old} to {new}"


def mark(rate: Tensor) -> tuple[Tensor, int]:
    """What identifies a rate in a tensor: the tensor and its version. Reading it would synchronize with the device."""
    return rate, rate._version


def is_own_rate(marks: Mapping[int, tuple[Tensor, int]], i: int, group: Mapping[str, Any], last: Any) -> bool:
    """Whether the learning rate of group `i` is the object that a scheduler set last.

    Args:
        marks: the marks of the rates in tensors by group.
        last: the rate that the scheduler set, or a copy of it if it is a tensor.
    """
    rate = group["lr"]
    if isinstance(rate, Tensor):
        tensor, version = marks.get(i, (None, 0))
        return rate is tensor and rate._version == version
    return rate is last


def find_changes(
    groups: Sequence[Mapping[str, Any]], last: Sequence[Any], marks: Mapping[int, tuple[Tensor, int]]
) -> list[Change]:
    """The changes since a scheduler set the rates `last`. A rate that was set again to the same value is none."""
    return [
        Change(i, float(old), float(group["lr"]))
        for i, (group, old) in enumerate(zip(groups, last, strict=True))
        if not is_own_rate(marks, i, group, old) and float(group["lr"]) != float(old)
    ]


def kept_factor(change: Change) -> float:
    """The factor that keeps a change at later steps."""
    if change.old > 0 and 0 <= change.new < inf:
        return change.new / change.old
    message = (
        f"step: {change}, which on_external_change='keep' cannot keep as a factor; it needs a rate above 0 before the"
        " change and a finite one of at least 0 after it; change the rate at another step, or use"
        " `on_external_change='overwrite'`"
    )
    raise ValueError(message)


def warning(changes: Sequence[Change]) -> str:
    """The text of the warning about changes that a scheduler overwrites."""
    more = f" (and of {len(changes) - 1} other groups)" if len(changes) > 1 else ""
    return (
        f"step: {changes[0]}{more}; the scheduler sets it to the value of the schedule, now and after later changes;"
        " `lambda_lr(..., on_external_change='keep')` keeps a change as a factor, 'overwrite' discards it silently,"
        " 'warn' (the default) discards it with this warning, once"
    )
