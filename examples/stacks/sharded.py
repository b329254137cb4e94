"""One training step on many devices, written twice: under `jit` with sharded arrays, and under `jax.shard_map`.

Every device computes the learning rate from its own copy of the step count, so the schedule adds no communication.

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
# inject_hyperparams stores the learning rate in the optimizer's state, from which it can be read.
OPTIMIZER = optax.inject_hyperparams(optax.sgd)(learning_rate=to_optax(SCHEDULE, PEAK))

REPLICATED = PartitionSpec()  # type: ignore[no-untyped-call]
SHARDED = PartitionSpec("data")  # type: ignore[no-untyped-call]


def train_step(weights: Any, state: Any, x: Any, y: Any, axis: str | None = None) -> Any:
    def loss(weights: Any) -> Any:
        error = jnp.mean((x @ weights - y) ** 2)
        return jax.lax.pmean(error, axis) if axis else error  # type: ignore[no-untyped-call]

    updates, state = OPTIMIZER.update(jax.grad(loss)(weights), state, weights)
    return optax.apply_updates(weights, updates), state


def train(step: Callable[..., Any], weights: jax.Array, x: jax.Array, y: jax.Array) -> list[list[float]]:
    """The learning rates of each update, one for each device."""
    rates, state = [], jax.jit(OPTIMIZER.init)(weights)
    for _ in range(UPDATES):
        weights, state = step(weights, state, x, y)
        rates.append([float(shard.data) for shard in state.hyperparams["learning_rate"].addressable_shards])
    return rates


def main() -> dict[str, list[list[float]]]:
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    replicated, sharded = NamedSharding(mesh, REPLICATED), NamedSharding(mesh, SHARDED)
    x = jax.device_put(jax.random.normal(jax.random.key(0), (64, 16)), sharded)
    y = x @ jnp.arange(16.0)
    in_specs = (REPLICATED, REPLICATED, SHARDED, SHARDED)
    mapped = jax.shard_map(partial(train_step, axis="data"), mesh=mesh, in_specs=in_specs, out_specs=REPLICATED)

    rates = {
        "jit": train(jax.jit(train_step), jax.device_put(jnp.zeros(16), sharded), x, y),  # with sharded weights
        "shard_map": train(jax.jit(mapped), jax.device_put(jnp.zeros(16), replicated), x, y),
    }
    for name, by_update in rates.items():
        print(f"{name}, {jax.device_count()} devices:", *(f"{by_device[0]:.4f}" for by_device in by_update))
    return rates


if __name__ == "__main__":
    # JAX reads this when it first looks up its devices.
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    main()
