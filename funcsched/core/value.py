"""Immutable values that know the expression that builds them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar


class Value:
    """A frozen record of the arguments of the factory that built it.

    Two values are equal when one factory built both from equal arguments. The constructor only stores:
    checks live in the factories, because JAX rebuilds values with tracers and placeholders inside.
    """

    # jax.jit keeps weak references to what it calls.
    __slots__ = ("__weakref__",)

    factory: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {}
    static: ClassVar[frozenset[str]] = frozenset()  # fields that hold no numbers: shapes, functions

    def __init__(self, *arguments: Any) -> None:
        for name, argument in zip(self.fields, arguments, strict=True):
            object.__setattr__(self, name, argument)

    def arguments(self) -> dict[str, Any]:
        """The arguments that build this value, by name."""
        return {name: getattr(self, name) for name in self.fields}

    def composition(self) -> Any:
        """The composition that a recipe stands for; None for everything else."""
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.factory} is immutable: cannot set `{name}`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self.factory} is immutable: cannot delete `{name}`")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.fields)

    def __hash__(self) -> int:
        return hash((self.factory, *(getattr(self, name) for name in self.fields)))

    def __repr__(self) -> str:
        given = (
            f"{name}={argument!r}"
            for name, argument in self.arguments().items()
            if not (name in self.defaults and _is_default(argument, self.defaults[name]))
        )
        return f"{self.factory}({', '.join(given)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.arguments().values())


def _is_default(argument: Any, default: Any) -> bool:
    # An array compares element by element, and a tracer has no truth value: print both.
    return type(argument) is type(default) and bool(argument == default)


def leaves(value: Any) -> Iterator[Any]:
    """Every number inside a value, depth first: Python numbers, arrays or tracers."""
    if isinstance(value, Value):
        for name in value.fields:
            if name not in value.static:
                yield from leaves(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value


def _hashable(static: Any) -> Any:
    try:
        hash(static)
    except TypeError:  # a shape that a traced factor has stretched
        return id(static)
    return static


def treedef(value: Any) -> Any:
    """What is left of a value without its numbers; equal for two values that `rebuild` can exchange."""
    if isinstance(value, Value):
        parts = (
            _hashable(getattr(value, n)) if n in value.static else treedef(getattr(value, n)) for n in value.fields
        )
        return type(value), tuple(parts)
    if isinstance(value, tuple):
        return tuple, tuple(treedef(item) for item in value)
    return value is None


def unflatten(value: Any, replacements: Iterator[Any]) -> Any:
    """The same value with its numbers replaced, in the order of `numbers`."""
    if isinstance(value, Value):
        return type(value)(
            *(
                getattr(value, name) if name in value.static else unflatten(getattr(value, name), replacements)
                for name in value.fields
            )
        )
    if isinstance(value, tuple):
        return tuple(unflatten(item, replacements) for item in value)
    return None if value is None else next(replacements)
