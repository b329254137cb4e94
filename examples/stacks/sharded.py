"""One training step on many devices, written twice: under `jit` with sharded arrays, and under `jax.shard_map`.

Every device works out the rate from its own copy of the count, so that the schedule adds no communication.

Run it: python examples/stacks/sharded.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import funcsched as fs
from bridges.optax import to_optax

PEAK, UPDATES = 0.125, 12
SCHEDULE = fs.warmup_cosine(4, UPDATES, end=0.1)
OPTIMIZER = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(SCHEDULE, PEAK))  # its state holds the rate

WHOLE = PartitionSpec()  # type: ignore[no-untyped-call]
SPLIT = PartitionSpec("data")  # type: ignore[no-untyped-call]


def update(weights: Any, state: Any, x: Any, y: Any, axis: str | None = None, optimizer: Any = OPTIMIZER) -> Any:
    def loss(weights: Any) -> Any:
        error = jnp.mean((x @ weights - y) ** 2)
        return jax.lax.pmean(error, axis) if axis else error  # type: ignore[no-untyped-call]

    changes, state = optimizer.update(jax.grad(loss)(weights), state, weights)
    return optax.apply_updates(weights, changes), state


def rates(step: Callable[..., Any], weights: jax.Array, x: jax.Array, y: jax.Array) -> list[list[float]]:
    """The rate on each device, for each update."""
    used, state = [], jax.jit(OPTIMIZER.init)(weights)
    for _ in range(UPDATES):
        weights, state = step(weights, state, x, y)
        used.append([float(shard.data) for shard in state.hyperparams["learning_rate"].addressable_shards])
    return used


def main() -> dict[str, list[list[float]]]:
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    whole, split = NamedSharding(mesh, WHOLE), NamedSharding(mesh, SPLIT)
    x = jax.device_put(jax.random.normal(jax.random.key(0), (64, 16)), split)
    y = x @ jnp.arange(16.0)
    on_each = partial(update, axis="data")
    mapped = jax.shard_map(on_each, mesh=mesh, in_specs=(WHOLE, WHOLE, SPLIT, SPLIT), out_specs=WHOLE)

    used = {
        "jit": rates(jax.jit(update), jax.device_put(jnp.zeros(16), split), x, y),  # the weights are split as well
        "shard_map": rates(jax.jit(mapped), jax.device_put(jnp.zeros(16), whole), x, y),
    }
    for name, rows in used.items():
        print(f"{name}, {len(rows[0])} devices:", *(f"{row[0]:.4f}" for row in rows))
    return used


if __name__ == "__main__":
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")  # read when JAX looks for devices
    main()
