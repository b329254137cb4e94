"""Recipes: named schedules that are compositions, and keep their own name and arguments."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, ParamSpec

    from funcsched.numerics.step import Step

    P = ParamSpec("P")

_TRACEABLE = {"warmup_steps", "stable_steps", "decay_steps", "total_steps", "up_steps", "down_steps", "period"}
_TRACEABLE |= {"timescale", "start", "end"}


class Recipe(Schedule):
    """A schedule that is named by a function of this library and made by it out of others."""

    __slots__ = ("_composition",)

    _composition: Schedule | None
    compose: ClassVar[Callable[..., Schedule]]
    public: ClassVar[Callable[..., Schedule]]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Composed by the factory, or else when asked for: JAX rebuilds recipes around placeholders.
        object.__setattr__(self, "_composition", None)

    def composition(self) -> Schedule:
        """The composition."""
        return type(self).compose(**self.arguments()) if self._composition is None else self._composition

    def at(self, step: Step) -> Any:
        return self.composition().at(step)

    def stretched(self, factor: Any) -> Schedule:
        return self.composition().stretched(factor)

    def scalar(self) -> Callable[[int], float]:
        return self.composition().scalar()

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (type(self).public, self.arguments())


def _remake(public: Callable[..., Schedule], arguments: dict[str, Any]) -> Schedule:
    return public(**arguments)


def recipe(
    *untraced: str, **rules: Callable[[str, str, Any], Any]
) -> Callable[[Callable[P, Schedule]], Callable[P, Schedule]]:
    """Make a recipe of a function that composes its checked arguments.

    Each argument is checked by the rule of its name, or by the one given here. Steps and levels may be traced, but for
    those that are `untraced`.
    """

    def decorate(compose: Callable[P, Schedule]) -> Callable[P, Schedule]:
        code, name = compose.__code__, compose.__name__
        positional = code.co_varnames[: code.co_argcount]
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        last = compose.__defaults__ or ()
        defaults = {**dict(zip(positional[-len(last) :], last, strict=False)), **(compose.__kwdefaults__ or {})}

        def public(*args: P.args, **kwargs: P.kwargs) -> Schedule:
            given = {**defaults, **dict(zip(positional, args, strict=False)), **kwargs}
            if len(args) > len(positional) or set(given) != set(names) or set(positional[: len(args)]) & set(kwargs):
                compose(*args, **kwargs)  # raises Python's own sentence about the call
            schedule: Recipe = node(*((rules.get(n) or RULES[n])(name, n, given[n]) for n in names))
            object.__setattr__(
                schedule, "_composition", schedule.composition()
            )  # which checks the rules between arguments
            return schedule

        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(public, attribute, getattr(compose, attribute))
        public.__wrapped__ = compose  # type: ignore[attr-defined]
        members = {
            "__slots__": names,
            "__doc__": compose.__doc__,
            "__module__": compose.__module__,
            "factory": name,
            "fields": names,
            "defaults": defaults,
            "static": frozenset(names) - (_TRACEABLE - set(untraced)),
            "compose": staticmethod(compose),
            "public": staticmethod(public),
        }
        node = type(name, (Recipe,), members)
        return public

    return decorate
