"""`Rated`, the result of every bridge from absolute learning rates, and validation of arguments for all bridges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error


class Rated(NamedTuple):
    """A schedule and its peak value: the learning rate at a step is ``peak_value * schedule(step)``.

    For optax, ``to_optax(*rated)`` is that function of the step. For torch, give the optimizer ``lr=rated.peak_value``
    and use ``lambda_lr(optimizer, rated.schedule)``.

    Example:
        >>> import funcsched as fs
        >>> from bridges.rated import Rated
        >>> rated = Rated(fs.warmup_linear(10, 100), 0.5)
        >>> rated.peak_value * rated.schedule(55)
        0.25
    """

    schedule: Schedule
    peak_value: float


def choose(function: str, argument: str, value: Any, options: Mapping[str, Any] | Iterable[str]) -> Any:
    """Check that `value` is the name of an option. Return it, or its entry if `options` is a mapping."""
    names = list(options)
    if not isinstance(value, str) or value not in names:
        raise argument_error(function, argument, "one of " + ", ".join(map(repr, sorted(names))), value)
    return options[value] if isinstance(options, Mapping) else value


def call_by_name(function: str, build: Callable[..., Any], names: Iterable[str], arguments: Mapping[str, Any]) -> Any:
    """``build(**arguments)``, with an error that lists `names` if the name of an argument is not one of them."""
    allowed = list(names)
    for name, value in arguments.items():
        if name not in allowed:
            takes = "takes " + ", ".join(f"`{known}`" for known in allowed) if allowed else "takes no arguments"
            raise TypeError(f"{function}: no argument `{name}` (got {value!r}); it {takes}")
    return build(**arguments)
