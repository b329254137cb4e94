"""The controller of a scheduler, its state and its multiplier, which follow a metric."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from funcsched.controllers.controller import Controller
from funcsched.core.validation import argument_error

_MAX_COUNT = 2**53


class Metric:
    """A controller with its current state."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.state = controller.init()
        self.multiplier = 1.0

    def update(self, value: Any) -> None:
        size = value.numel() if isinstance(value, Tensor) else 1
        if isinstance(value, (str, bool)) or not hasattr(value, "__float__") or size != 1:
            raise argument_error("step", "metric", "a number, or a tensor with one element", value, TypeError)
        self.state, self.multiplier = self.controller.update(self.state, float(value))

    def state_dict(self) -> dict[str, Any]:
        return {"controller": repr(self.controller), "state": _plain(self.state), "multiplier": self.multiplier}

    def difference(self, saved: Any) -> str:
        """How the controller of a saved state differs, in words; empty if it does not."""
        text = _name(saved)
        if text == repr(self.controller):
            return ""
        return f"the controllers differ (checkpoint: {text[:200] or 'none'}; current: {self.controller!r})"

    def load_state_dict(self, saved: Any) -> None:
        """Continue with a saved state. Without one for this kind of controller, start again."""
        if _name(saved).partition("(")[0] != self.controller.factory:
            self.state, self.multiplier = self.controller.init(), 1.0
            return
        state = _from_plain(saved.get("state"), self.controller.init())
        multiplier = saved.get("multiplier")
        if state is None or type(multiplier) is not float:
            requirement = f"the state of {self.controller!r}"
            raise argument_error("load_state_dict", "metric", requirement, saved)
        self.state, self.multiplier = state, multiplier


def _name(saved: Any) -> str:
    """The expression of a saved controller; empty if there is none."""
    text = saved.get("controller") if isinstance(saved, dict) else None
    return text if isinstance(text, str) else ""


def _plain(state: Any) -> Any:
    return [_plain(item) for item in state] if isinstance(state, tuple) else state


def _from_plain(data: Any, like: Any) -> Any:
    """Plain data in the structure of another state; None if it has another structure."""
    if not isinstance(like, tuple):
        return data if type(data) is float or (type(data) is int and abs(data) <= _MAX_COUNT) else None
    if not isinstance(data, list) or len(data) != len(like):
        return None
    items = [_from_plain(item, other) for item, other in zip(data, like, strict=True)]
    if None in items:
        return None
    return type(like)(*items) if hasattr(like, "_fields") else tuple(items)
