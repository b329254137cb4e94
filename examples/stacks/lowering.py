"""Export a training step for CUDA, ROCm and TPU from a machine that has none of them, and run it from its bytes.

JAX wants the package `flatbuffers` for the bytes.

Run it: python examples/stacks/lowering.py
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from jax import export

import funcsched as fs
from bridges.optax import to_optax

PLATFORMS = ["cuda", "rocm", "tpu", "cpu"]
PEAK, UPDATES = 0.125, 12
RATE = to_optax(fs.warmup_cosine(4, UPDATES, end=0.1), PEAK)
OPTIMIZER = optax.inject_hyperparams(optax.adamw)(learning_rate=RATE)  # its state holds the rate of the last update
START = (jnp.zeros(16), OPTIMIZER.init(jnp.zeros(16)))


@jax.jit
def update(leaves: list[jax.Array], x: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    # Arrays in and out, no classes of optax, so that whoever runs the bytes needs JAX alone.
    weights, state = jax.tree.unflatten(jax.tree.structure(START), leaves)
    gradient = jax.grad(lambda weights: jnp.mean((x @ (weights - jnp.arange(16.0))) ** 2))(weights)
    changes, state = OPTIMIZER.update(gradient, state, weights)
    leaves = jax.tree.leaves((optax.apply_updates(weights, changes), state))
    return leaves, state.hyperparams["learning_rate"]


def exported() -> export.Exported:
    return export.export(update, platforms=PLATFORMS)(jax.tree.leaves(START), jnp.zeros((64, 16)))


def main() -> list[float]:
    step = export.deserialize(exported().serialize())
    leaves, x, rates = jax.tree.leaves(START), jax.random.normal(jax.random.key(0), (64, 16)), []
    for _ in range(UPDATES):
        leaves, rate = step.call(leaves, x)  # type: ignore[no-untyped-call]
        rates.append(float(rate))
    print(f"a step for {', '.join(step.platforms)}:", *(f"{rate:.4f}" for rate in rates))
    return rates


if __name__ == "__main__":
    main()
