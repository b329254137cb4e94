"""Values of hyperparameters in parameter groups: numbers, tensors, and tuples or lists of them."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def copied(value: Any) -> Any:
    """A copy that shares no tensor with the original."""
    if isinstance(value, (tuple, list)):
        return type(value)(copied(item) for item in value)
    return value.clone() if isinstance(value, Tensor) else value


def texts(old: float, new: float) -> tuple[str, str]:
    """Two different numbers as text, with as many digits as it takes to tell them apart."""
    short = f"{old:g}", f"{new:g}"
    return short if short[0] != short[1] else (repr(old), repr(new))


def assign(group: dict[str, Any], key: str, value: Any) -> None:
    """Set a value in a group. Tensors are filled in place, because compiled steps hold them."""
    group[key] = updated(group.get(key), value)


def updated(current: Any, value: Any) -> Any:
    """`value` as the new state of `current`, which is filled in place if it is a tensor."""
    if isinstance(current, (tuple, list)) and isinstance(value, (tuple, list)):
        return type(current)(updated(old, new) for old, new in zip(current, value, strict=True))
    if isinstance(current, Tensor):
        if current is not value:
            current.fill_(value.squeeze() if isinstance(value, Tensor) else value)
        return current
    return copied(value)
