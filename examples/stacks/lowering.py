"""Export a training step for CUDA, ROCm and TPU on a machine that has none of them, and run it from the exported bytes.

JAX needs the package `flatbuffers` to serialize the exported step.

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
# inject_hyperparams stores the learning rate in the optimizer's state, from which it can be read.
OPTIMIZER = optax.inject_hyperparams(optax.adamw)(learning_rate=RATE)
START = (jnp.zeros(16), OPTIMIZER.init(jnp.zeros(16)))


@jax.jit
def train_step(leaves: list[jax.Array], x: jax.Array) -> tuple[list[jax.Array], jax.Array]:
    # Arguments and results are arrays instead of classes of optax, so that the exported step needs only JAX.
    weights, state = jax.tree.unflatten(jax.tree.structure(START), leaves)
    gradient = jax.grad(lambda weights: jnp.mean((x @ (weights - jnp.arange(16.0))) ** 2))(weights)
    updates, state = OPTIMIZER.update(gradient, state, weights)
    leaves = jax.tree.leaves((optax.apply_updates(weights, updates), state))
    return leaves, state.hyperparams["learning_rate"]


def export_step() -> export.Exported:
    return export.export(train_step, platforms=PLATFORMS)(jax.tree.leaves(START), jnp.zeros((64, 16)))


def main() -> list[float]:
    step = export.deserialize(export_step().serialize())
    leaves, x, rates = jax.tree.leaves(START), jax.random.normal(jax.random.key(0), (64, 16)), []
    for _ in range(UPDATES):
        leaves, rate = step.call(leaves, x)  # type: ignore[no-untyped-call]
        rates.append(float(rate))
    print(f"exported for {', '.join(step.platforms)}; learning rates:", *(f"{rate:.4f}" for rate in rates))
    return rates


if __name__ == "__main__":
    main()
