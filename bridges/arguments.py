"""Validation of the arguments of the functions in `bridges`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from funcsched.core import validation
from funcsched.core.schedule import as_schedule
from funcsched.core.validation import argument_error, number_rule, require_known, suggestion

if TYPE_CHECKING:
    from funcsched.core.validation import Rule

P = ParamSpec("P")
R = TypeVar("R")


def choose(function: str, argument: str, value: Any, options: Mapping[str, Any] | Iterable[str]) -> Any:
    """Check that `value` is the name of an option. Return it, or its entry if `options` is a mapping."""
    names = list(options)
    if not isinstance(value, str) or value not in names:
        raise argument_error(function, argument, "one of " + ", ".join(map(repr, sorted(names))), value)
    return options[value] if isinstance(options, Mapping) else value


def call_by_name(function: str, build: Callable[..., Any], names: Iterable[str], arguments: Mapping[str, Any]) -> Any:
    """``build(**arguments)``, with an error that helps if the name of an argument is not one of `names`."""
    require_known(function, list(names), arguments)
    return build(**arguments)


def checked(
    *others: str, common: Mapping[str, Rule] = {}, renamed: Mapping[str, str] = {}, **rules: Rule
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that checks the arguments of a function.

    A keyword that the function does not have is an error that names the right one, or lists all. The function gets the
    values that the rules return. An argument whose default is None may be None.

    Args:
        others: the names that the function accepts as ``**kwargs``.
        common: validation rules for all functions of a library, by argument name or by annotation, such as `BY_TYPE`. A
            name takes precedence over an annotation. It may have other names, too.
        renamed: names of older versions, each with the present one.
        rules: validation rules by argument name, which take precedence over `common`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        called = signature(function)
        if unknown := rules.keys() - called.parameters.keys():
            raise TypeError(f"checked: {function.__name__} has no argument {min(unknown)!r}")
        parameters = {p.name: p for p in called.parameters.values() if p.kind is not p.VAR_KEYWORD}
        names = [*parameters, *others]
        types = {name: _type_name(parameter.annotation) for name, parameter in parameters.items()}
        by_type = {name: common[kind] for name, kind in types.items() if kind in common}
        all_rules = {**by_type, **common, **rules}

        def hint(name: str, names: list[str]) -> str:
            return f"`{name}` is now `{renamed[name]}`" if name in renamed else suggestion(name, names, "")

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            require_known(function.__name__, names, kwargs, hint)
            try:
                bound = called.bind_partial(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # raises Python's own error about the call
            bound.apply_defaults()
            for name, value in bound.arguments.items():
                if name in all_rules and (value is not None or parameters[name].default is not None):
                    bound.arguments[name] = all_rules[name](function.__name__, name, value)
            return function(*bound.args, **bound.kwargs)  # raises Python's own error about a missing argument

        return call

    return decorate


def _type_name(annotation: Any) -> str:
    """The name of a type that may be None, in a module with or without ``from __future__ import annotations``."""
    return str(getattr(annotation, "__name__", annotation)).removesuffix(" | None")


# Rules by annotation, for `common` of `checked`. A library may replace some: BY_TYPE | {"float": concrete_level}.
BY_TYPE: dict[str, Rule] = {
    "bool": validation.boolean,
    "int": validation.concrete_nonnegative_int,
    "float": validation.concrete_nonnegative,
    "fs.Schedule": as_schedule,
    "fs.Schedule | Callable[[Any], Any]": as_schedule,
}


def option(options: Mapping[str, Any] | Iterable[str]) -> Rule:
    """`choose` as a rule."""
    return lambda function, argument, value: choose(function, argument, value, options)


def instance_of(kind: type[Any], requirement: str) -> Rule:
    """The rule of an argument of a type."""

    def check(function: str, argument: str, value: Any) -> Any:
        if not isinstance(value, kind):
            raise argument_error(function, argument, requirement, value, TypeError)
        return value

    return check


def required(function: str, argument: str, value: Any, condition: str) -> Any:
    """Check that an optional argument is given, and return it. `condition` says in the error when it is required."""
    if value is None:
        raise argument_error(function, argument, f"given {condition}", None)
    return value


def zero_or(requirement: str, low: float, high: float) -> Rule:
    """The rule of a number that is 0 or from `low` to `high`."""
    nonnegative, nonzero = number_rule(requirement, 0, high), number_rule(requirement, low, high)
    return lambda *arguments: nonnegative(*arguments) and nonzero(*arguments)


zero_or_ratio = zero_or("0 or a number from 1e-30 to 1e30", 1e-30, 1e30)
