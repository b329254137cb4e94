"""Immutable values that print as the expression that builds them, and their pytree structure.

`leaves`, `treedef` and `unflatten` mean what they mean in JAX: the numbers inside a value, what remains without them,
and the value with other numbers. They do not need JAX, because NumPy and torch schedules use them as well.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, ClassVar


class Value:
    """An immutable record of the arguments of the factory that built it.

    Two values are equal if the same factory built them from equal arguments. The constructor stores and does not
    validate, because JAX rebuilds values around tracers and placeholders; the factories validate.
    """

    # jax.jit keeps a weak reference to the function that it compiles.
    __slots__ = ("__weakref__",)

    factory: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    static: ClassVar[frozenset[str]] = frozenset()  # fields that are not leaves: shapes, functions, options

    def __init__(self, *arguments: Any) -> None:
        for name, argument in zip(self.fields, arguments, strict=True):
            object.__setattr__(self, name, argument)

    def arguments(self) -> dict[str, Any]:
        """The arguments that build this value, by name."""
        return {name: getattr(self, name) for name in self.fields}

    def composition(self) -> Any:
        """For a recipe, the schedule that it is made of; None for everything else."""
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


def public_names(value: Value) -> list[str]:
    """What `dir` and tab completion show of a value: its arguments and the special methods."""
    special = (name for name in object.__dir__(value) if name.startswith("__"))
    return [*special, "arguments", *value.fields]


def _is_default(argument: Any, default: Any) -> bool:
    # Arrays and tracers are always printed: the former compare elementwise, the latter have no truth value.
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


def treedef(value: Any) -> Any:
    """The structure of a value without its leaves: hashable, and equal for values that differ only in leaves."""
    if isinstance(value, Value):
        children = [(name in value.static, getattr(value, name)) for name in value.fields]
        return type(value).__name__, tuple(_fixed(child) if static else treedef(child) for static, child in children)
    if isinstance(value, tuple):
        return "tuple", tuple(treedef(item) for item in value)
    return value is None  # None has no leaves; anything else is a leaf


def _fixed(static: Any) -> Any:
    """A static field as a key of strings and numbers. torch.compile (2.11) cannot hash values or compare types."""
    if isinstance(static, Value):
        return type(static).__name__, tuple(_fixed(getattr(static, name)) for name in static.fields)
    if isinstance(static, tuple):
        return tuple(_fixed(item) for item in static)
    if static is None or isinstance(static, (str, int, float)):
        return static
    return id(static)  # a function, or the traced number of a stretched shape


def unflatten(value: Any, new_leaves: Iterable[Any]) -> Any:
    """The same value with other leaves, in the order of `leaves`."""
    remaining = iter(new_leaves)

    def build(part: Any) -> Any:
        if isinstance(part, Value):
            children = [(name in part.static, getattr(part, name)) for name in part.fields]
            return type(part)(*(child if static else build(child) for static, child in children))
        if isinstance(part, tuple):
            return tuple(build(item) for item in part)
        return None if part is None else next(remaining)

    return build(value)
