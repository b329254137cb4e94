"""Schedules as JAX pytrees: their numbers are leaves, so that they can be traced, batched and differentiated.

Importing this module (or `bridges.optax`) registers every schedule. The steps, levels and factors of a schedule are its
leaves; shapes, cycles and functions are part of its structure. Then a schedule can be an argument of a jitted function,
and one compilation serves a whole sweep of schedules of one structure.

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

import jax

from funcsched.core.schedule import Schedule
from funcsched.core.value import Value


def register(kind: type[Value]) -> None:
    """Register a class of schedules of your own; those of the library are registered by the import."""
    leaves = [name for name in kind.fields if name not in kind.static]
    keys = [jax.tree_util.GetAttrKey(name) for name in leaves]

    # Flattening is most of what an eager call costs.
    get_leaves, get_static = _getter(leaves), _getter([name for name in kind.fields if name in kind.static])

    def flatten(value: Value) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return get_leaves(value), get_static(value)

    def flatten_with_keys(value: Value) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        children, static = flatten(value)
        return tuple(zip(keys, children, strict=True)), static

    def unflatten(static: tuple[Any, ...], children: Iterable[Any]) -> Value:
        numbers, rest = iter(children), iter(static)
        return kind(*(next(rest if name in kind.static else numbers) for name in kind.fields))

    jax.tree_util.register_pytree_with_keys(kind, flatten_with_keys, unflatten, flatten)


def _getter(names: list[str]) -> Callable[[Value], tuple[Any, ...]]:
    """The attributes of a value as a tuple."""
    if not names:
        return lambda value: ()
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda value: (get(value),)
    return attrgetter(*names)


def _classes(kind: type[Schedule]) -> Iterator[type[Schedule]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _classes(subclass)


for _kind in _classes(Schedule):
    if _kind.fields:
        register(_kind)
