"""Recipes: compositions of other schedules that have their own names and arguments."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, ParamSpec

    from funcsched.core.validation import Rule
    from funcsched.numerics.step import Step

    P = ParamSpec("P")

# The arguments that may be traced, unless a recipe declares them static.
_TRACEABLE = {
    "warmup_steps",
    "stable_steps",
    "decay_steps",
    "total_steps",
    "up_steps",
    "down_steps",
    "period",
    "timescale",
    "cosine_end",
    "start",
    "end",
}


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


def recipe(*static: str, **rules: Rule) -> Callable[[Callable[P, Schedule]], Callable[P, Schedule]]:
    """Turn a function that composes a schedule into the factory of a recipe.

    Args:
        static: names of arguments in `_TRACEABLE` that may not be traced in this recipe (str).
        rules: validation rules by argument name. All other arguments are validated by `validation.RULES`.

    Returns:
        A decorator. The decorated function validates its arguments and returns a recipe.
    """

    def decorate(compose: Callable[P, Schedule]) -> Callable[P, Schedule]:
        # From the code object, because inspect.signature would double the import time of the library.
        code, name = compose.__code__, compose.__name__
        positional = code.co_varnames[: code.co_argcount]
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = compose.__defaults__ or ()  # of the last positional arguments
        defaults = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
        defaults |= compose.__kwdefaults__ or {}

        def create(*args: P.args, **kwargs: P.kwargs) -> Schedule:
            given = {**defaults, **dict(zip(positional, args, strict=False)), **kwargs}
            if len(args) > len(positional) or set(given) != set(names) or set(positional[: len(args)]) & set(kwargs):
                compose(*args, **kwargs)  # raises Python's own TypeError about the call
            schedule: Recipe = kind(*((rules.get(n) or RULES[n])(name, n, given[n]) for n in names))
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
            "static": frozenset(names) - (_TRACEABLE - set(static)),
            "compose": staticmethod(compose),
            "create": staticmethod(create),
        }
        kind = type(name, (Recipe,), members)
        return create

    return decorate
