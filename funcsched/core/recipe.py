"""Recipes: compositions of other schedules that have their own names and arguments."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import RULES, accepts_tracers, require_known, too_many_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, ParamSpec

    from funcsched.core.validation import Rule
    from funcsched.numerics.step import Step

    P = ParamSpec("P")


class Recipe(Schedule):
    """A schedule with its own name and arguments that is evaluated as a composition of other schedules."""

    __slots__ = ("_composition",)

    _composition: Schedule | None
    compose: ClassVar[Callable[..., Schedule]]  # the decorated function
    create: ClassVar[Callable[..., Schedule]]  # the public function, which validates

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Composed on demand, because JAX rebuilds recipes with placeholders as arguments, which no factory accepts.
        object.__setattr__(self, "_composition", None)

    def composition(self) -> Schedule:
        return type(self).compose(**self.arguments()) if self._composition is None else self._composition

    def at(self, step: Step) -> Any:
        return self.composition().at(step)

    def stretched(self, factor: Any) -> Schedule:
        return self.composition().stretched(factor)

    def scalar(self) -> Callable[[int], float]:
        return self.composition().scalar()

    def __reduce__(self) -> tuple[Any, ...]:
        return _create, (type(self).create, self.arguments())


def _create(create: Callable[..., Schedule], arguments: dict[str, Any]) -> Schedule:
    """For pickle, which passes positional arguments only."""
    return create(**arguments)


def recipe(**rules: Rule) -> Callable[[Callable[P, Schedule]], Callable[P, Schedule]]:
    """Turn a function that composes a schedule into the factory of a recipe.

    Args:
        rules: validation rules by argument name. All other arguments are validated by `validation.RULES`.

    Returns:
        A decorator. The decorated function validates its arguments and returns a recipe. JAX can trace the arguments
        whose rules accept tracers.

    Raises:
        TypeError: when it decorates a function with an argument that has no rule, or without one that `rules` names.
    """

    def decorate(compose: Callable[P, Schedule]) -> Callable[P, Schedule]:
        # From the code object, because inspect.signature would double the import time of the library.
        code, name = compose.__code__, compose.__name__
        positional = code.co_varnames[: code.co_argcount]
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = compose.__defaults__ or ()  # of the last positional arguments
        defaults = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
        defaults |= compose.__kwdefaults__ or {}
        if missing := [n for n in names if n not in rules and n not in RULES]:
            raise TypeError(f"recipe: `{missing[0]}` of {name} has no rule; give one: @recipe({missing[0]}=rule)")
        if unknown := rules.keys() - set(names):
            raise TypeError(f"recipe: {name} has no argument {min(unknown)!r}")
        own_rules = {n: rules.get(n) or RULES[n] for n in names}

        def create(*args: P.args, **kwargs: P.kwargs) -> Schedule:
            given = {**defaults, **dict(zip(positional, args, strict=False)), **kwargs}
            if len(args) > len(positional) or set(given) != set(names) or set(positional[: len(args)]) & set(kwargs):
                from funcsched.core.other_names import argument_hint  # imported only for an error

                require_known(name, names, kwargs, argument_hint)
                if len(args) > len(positional):
                    raise TypeError(f"{name}: {too_many_arguments(name, positional, names[len(positional) :])}")
                compose(*args, **kwargs)  # raises Python's own TypeError about the call
            schedule: Recipe = kind(*(rule(name, n, given[n]) for n, rule in own_rules.items()))
            # Composing also validates the constraints between arguments.
            object.__setattr__(schedule, "_composition", schedule.composition())
            return schedule

        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(create, attribute, getattr(compose, attribute))
        create.__wrapped__ = compose  # type: ignore[attr-defined]
        members = {
            "__slots__": names,
            "__doc__": compose.__doc__,
            "__module__": compose.__module__,
            "factory": name,
            "fields": names,
            "defaults": defaults,
            "static": frozenset(n for n, rule in own_rules.items() if not accepts_tracers(rule)),
            "compose": staticmethod(compose),
            "create": staticmethod(create),
        }
        kind = type(name, (Recipe,), members)
        return create

    return decorate
