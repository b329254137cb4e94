"""Optax transformations that follow a metric."""

from __future__ import annotations

from typing import Any

import jax
import optax
from jax import numpy as jnp

import funcsched as fs
from bridges.arguments import checked, instance_of
from funcsched.controllers.controller import Controller
from funcsched.core.validation import concrete_positive_int


@checked(controller=instance_of(Controller, "a controller, such as fs.plateau()"))
def scale_by_controller(controller: Controller) -> optax.GradientTransformationExtraArgs:
    """An optax transformation that multiplies updates by the multiplier of a controller.

    Args:
        controller: a controller, such as `funcsched.plateau`.

    Returns:
        A transformation whose `update` takes the metric as `value`: ``optimizer.update(gradients, state, value=loss)``
        after ``optax.chain(optax.sgd(0.1), scale_by_controller(controller))``. Its state is that of the controller, as
        arrays.

    Raises:
        TypeError: `controller` is not a controller.

    Example:
        >>> import funcsched as fs, optax
        >>> from bridges.optax import scale_by_controller
        >>> optimizer = optax.chain(optax.sgd(0.5), scale_by_controller(fs.plateau(factor=0.5, patience=0)))
        >>> state = optimizer.init(1.0)
        >>> for loss in (3.0, 2.0, 2.0):
        ...     update, state = optimizer.update(1.0, state, value=loss)
        >>> float(update)
        -0.25
    """

    def init(params: Any) -> Any:
        return jax.tree.map(jnp.asarray, controller.init())

    def update(updates: Any, state: Any, params: Any = None, *, value: Any, **others: Any) -> tuple[Any, Any]:
        new, multiplier = controller.update(state, jnp.asarray(value))
        scaled = jax.tree.map(lambda update: (multiplier * update).astype(jnp.result_type(update)), updates)
        # The dtypes of the state stay the same, as `jax.lax.scan` requires.
        return scaled, jax.tree.map(lambda after, before: jnp.asarray(after, before.dtype), new, state)

    with_value: Any = update  # optax does not type the argument `value`
    return optax.GradientTransformationExtraArgs(init, with_value)


@checked(patience=concrete_positive_int)
def reduce_on_plateau(
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: float = 0.0,
) -> optax.GradientTransformationExtraArgs:
    """optax.contrib.reduce_on_plateau: `scale_by_controller` with a `plateau`.

    Args:
        factor: factor of the multiplier (float, at least 0 and below 1).
        patience: number of values without an improvement after which the multiplier is reduced (int, 1 to 2**53).
        rtol: relative threshold of an improvement (float, at least 0).
        atol: absolute threshold of an improvement (float, at least 0).
        cooldown: number of values after a reduction that do not count as without an improvement (int, 0 to 2**53).
        accumulation_size: number of values whose mean counts as one value (int, 1 to 2**53).
        min_scale: lowest multiplier (float, 0 to 1).

    Returns:
        A transformation, as that of `scale_by_controller`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range.

    Differs: with a `patience` of 0, optax reduces where the metric improves; here it is an error.

    Example:
        >>> from bridges.optax import reduce_on_plateau
        >>> transformation = reduce_on_plateau(factor=0.5, patience=1)
        >>> state = transformation.init(1.0)
        >>> for loss in (3.0, 3.0):
        ...     update, state = transformation.update(1.0, state, value=loss)
        >>> float(update)
        0.5

    Source: optax 0.2.8, optax.contrib.reduce_on_plateau.
    """
    controller = fs.plateau(
        factor=factor,
        patience=patience - 1,
        threshold=rtol,
        absolute_threshold=atol,
        cooldown=cooldown,
        min_multiplier=min_scale,
        eps=0.0,
        accumulation=accumulation_size,
    )
    return scale_by_controller(controller)
