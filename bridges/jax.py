"""Schedules as JAX pytrees, so that their parameters can be traced, batched and differentiated.

Importing this module (or `bridges.optax`) registers every schedule class. The steps, levels and factors of a schedule
are its leaves. Shapes, numbers of cycles and functions are static: they are part of its treedef. A schedule can then
be an argument of a jitted function, and one compilation serves all schedules with the same treedef.

Example:
    >>> import funcsched as fs, bridges.jax, jax
    >>> import jax.numpy as jnp
    >>> horizons = jnp.array([100, 200, 400])
    >>> jax.vmap(lambda total: fs.warmup_linear(10, total)(jnp.int32(100)))(horizons).tolist()
    [0.0, 0.5263158082962036, 0.7692307829856873]
    >>> jax.tree.leaves(fs.warmup_linear(10, 100))
    [10, 100, 0.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

try:
    import jax
except ModuleNotFoundError as error:
    message = f"{error}; install it with: pip install 'funcsched[jax]'"
    raise ModuleNotFoundError(message, name=error.name) from error

from funcsched.core.schedule import Schedule
from funcsched.core.value import Value


def register(kind: type[Value]) -> None:
    """Register a schedule class as a JAX pytree. Only a class of your own needs it.

    Args:
        kind: a subclass of `Schedule`. Its `fields` are the children of the pytree, except those in `static`.
    """
    children = [name for name in kind.fields if name not in kind.static]
    keys = [jax.tree_util.GetAttrKey(name) for name in children]

    # Getters made once, because flattening dominates the time of an eager call.
    get_children, get_static = _getter(children), _getter([name for name in kind.fields if name in kind.static])

    def flatten(value: Value) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return get_children(value), get_static(value)

    def flatten_with_keys(value: Value) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(zip(keys, get_children(value), strict=True)), get_static(value)

    def unflatten(static: tuple[Any, ...], children: Iterable[Any]) -> Value:
        child_values, static_values = iter(children), iter(static)
        return kind(*(next(static_values if name in kind.static else child_values) for name in kind.fields))

    jax.tree_util.register_pytree_with_keys(kind, flatten_with_keys, unflatten, flatten)


def _getter(names: list[str]) -> Callable[[Value], tuple[Any, ...]]:
    """Like `attrgetter`, but the result is a tuple for one name and for none too."""
    if not names:
        return lambda value: ()
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda value: (get(value),)
    return attrgetter(*names)


def _subclasses(kind: type[Schedule]) -> Iterator[type[Schedule]]:
    """All direct and indirect subclasses."""
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


for _kind in dict.fromkeys(_subclasses(Schedule)):  # a class with two bases is found twice
    if _kind.fields:  # a base class has none
        register(_kind)
