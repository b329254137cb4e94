"""What the bridges share: `Rated`, the result for absolute learning rates, validation of arguments, and phases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from funcsched.combinators.sequence import join
from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, number_rule, short_repr
from funcsched.serialization.data import suggestion

if TYPE_CHECKING:
    from funcsched.core.validation import Rule

P = ParamSpec("P")
R = TypeVar("R")


class Rated(NamedTuple):
    """A schedule and its peak value: the learning rate at a step is ``peak_value * schedule(step)``.

    For optax, ``to_optax(*rated)`` is that function of the step. For torch, give the optimizer ``lr=rated.peak_value``
    and use ``lambda_lr(optimizer, rated.schedule)``. torch's optimizers refuse a negative `lr`.

    Example:
        >>> import funcsched as fs
        >>> from bridges.rated import Rated
        >>> rated = Rated(fs.warmup_linear(10, 100), 0.5)
        >>> rated.peak_value * rated.schedule(55)
        0.25
    """

    schedule: Schedule
    peak_value: float


def join_phases(phases: Mapping[int, Schedule]) -> Schedule:
    """Join phases, given by their first steps. In a dict, the next phase replaces an empty one."""
    return join(phases.values(), list(phases)[1:])


def choose(function: str, argument: str, value: Any, options: Mapping[str, Any] | Iterable[str]) -> Any:
    """Check that `value` is the name of an option. Return it, or its entry if `options` is a mapping."""
    names = list(options)
    if not isinstance(value, str) or value not in names:
        raise argument_error(function, argument, "one of " + ", ".join(map(repr, sorted(names))), value)
    return options[value] if isinstance(options, Mapping) else value


def call_by_name(function: str, build: Callable[..., Any], names: Iterable[str], arguments: Mapping[str, Any]) -> Any:
    """``build(**arguments)``, with an error that helps if the name of an argument is not one of `names`."""
    _require_known(function, list(names), arguments, {})
    return build(**arguments)


def checked(
    *others: str, common: Mapping[str, Rule] = {}, renamed: Mapping[str, str] = {}, **rules: Rule
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that checks the arguments of a function.

    A keyword that the function does not have is an error that names the right one, or lists all. The function gets the
    values that the rules return. An argument whose default is None may be None.

    Args:
        others: the names that the function accepts as ``**kwargs``.
        common: validation rules by argument name for all functions of a library. It may have other names, too.
        renamed: names of older versions, each with the present one.
        rules: validation rules by argument name, which take precedence over `common`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        called = signature(function)
        if unknown := rules.keys() - called.parameters.keys():
            raise TypeError(f"checked: {function.__name__} has no argument {min(unknown)!r}")
        names = [*(p.name for p in called.parameters.values() if p.kind is not p.VAR_KEYWORD), *others]
        all_rules = {**common, **rules}

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            _require_known(function.__name__, names, kwargs, renamed)
            try:
                bound = called.bind_partial(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # raises Python's own error about the call
            bound.apply_defaults()
            for name, value in bound.arguments.items():
                if name in all_rules and (value is not None or called.parameters[name].default is not None):
                    bound.arguments[name] = all_rules[name](function.__name__, name, value)
            return function(*bound.args, **bound.kwargs)  # raises Python's own error about a missing argument

        return call

    return decorate


def option(options: Mapping[str, Any] | Iterable[str]) -> Rule:
    """`choose` as a rule."""
    return lambda function, argument, value: choose(function, argument, value, options)


def zero_or(requirement: str, low: float, high: float) -> Rule:
    """The rule of a number that is 0 or from `low` to `high`."""
    nonnegative, nonzero = number_rule(requirement, 0, high), number_rule(requirement, low, high)
    return lambda function, argument, value: (
        nonnegative(function, argument, value) and nonzero(function, argument, value)
    )


def _require_known(function: str, names: list[str], arguments: Mapping[str, Any], renamed: Mapping[str, str]) -> None:
    """Raise an error unless the names of all arguments are in `names`."""
    for name, value in arguments.items():
        if name in names:
            continue
        takes = "takes " + ", ".join(f"`{known}`" for known in names) if names else "takes no arguments"
        hint = f"`{name}` is now `{renamed[name]}`" if name in renamed else suggestion(name, names, "")
        hint = f"; {hint}" if hint else ""
        raise TypeError(f"{function}: no argument `{name}` (got {short_repr(value)}); it {takes}{hint}")
