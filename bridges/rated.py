"""What a peer that speaks of learning rates becomes: a schedule and the rate that it multiplies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error


class Rated(NamedTuple):
    """A schedule and its peak value: ``peak_value * schedule(step)`` is the peer's learning rate at a step.

    ``to_optax(*rated)`` is that function for optax; for torch, give the optimizer ``lr=rated.peak_value`` and run
    ``lambda_lr(optimizer, rated.schedule)``.

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
    """The option of a name: its value in a mapping, or the name itself; an unknown name gets the list."""
    names = list(options)
    if not isinstance(value, str) or value not in names:
        raise argument_error(function, argument, "one of " + ", ".join(map(repr, sorted(names))), value)
    return options[value] if isinstance(options, Mapping) else value


def call_by_name(function: str, build: Callable[..., Any], names: Iterable[str], given: Mapping[str, Any]) -> Any:
    """`build` with the arguments given, each of which must have one of the names."""
    allowed = list(names)
    for name, value in given.items():
        if name not in allowed:
            takes = "takes " + ", ".join(f"`{known}`" for known in allowed) if allowed else "takes no arguments"
            raise TypeError(f"{function}: no argument `{name}` (got {value!r}); it {takes}")
    return build(**given)
