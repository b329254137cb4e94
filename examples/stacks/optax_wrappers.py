"""AdamW with three scheduled hyperparameters, which are read from the optimizer's state, under gradient accumulation
and a guard against NaN.

Run it: python examples/stacks/optax_wrappers.py
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from bridges.optax import to_optax

UPDATES, ACCUMULATED = 50, 2
NAMES = ("learning_rate", "weight_decay", "b1")


def read(state: Any, name: str) -> float:
    """The value of a hyperparameter in the last update, at any depth of the state."""
    # The state of the schedule has the same name; only the hyperparameter itself is an array.
    return float(optax.tree_utils.tree_get(state, name, filtering=lambda path, value: isinstance(value, jax.Array)))


def loss(weights: jax.Array, inputs: jax.Array) -> jax.Array:
    return jnp.mean((inputs @ weights - inputs @ jnp.array([1.0, -2.0, 3.0])) ** 2)


def main() -> list[dict[str, float]]:
    """The loss and the hyperparameters after each batch."""
    schedule = fs.warmup_cosine(warmup_steps=5, total_steps=UPDATES, end=0.1)  # counts updates, not batches
    adamw = optax.inject_hyperparams(optax.adamw)(
        learning_rate=to_optax(schedule, 0.3),
        weight_decay=to_optax(schedule, 0.01),
        b1=to_optax(fs.ramp(0.8, 0.9, steps=UPDATES), 1),
    )
    guarded = optax.apply_if_finite(adamw, max_consecutive_errors=3)
    optimizer = optax.MultiSteps(guarded, every_k_schedule=ACCUMULATED)

    @jax.jit
    def train_step(weights: jax.Array, state: Any, inputs: jax.Array) -> tuple[jax.Array, Any, jax.Array]:
        value, gradients = jax.value_and_grad(loss)(weights, inputs)
        updates, state = optimizer.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state, value

    weights = jnp.zeros(3)
    state, log = optimizer.init(weights), []
    for batch in range(UPDATES * ACCUMULATED):
        weights, state, value = train_step(weights, state, jax.random.normal(jax.random.key(batch), (64, 3)))
        log.append({"loss": float(value), **{name: read(state, name) for name in NAMES}})
        if batch % 10 == 9:
            print(f"batch {batch:2}", *(f"{name} {value:.4f}" for name, value in log[-1].items()), sep="  ")
    return log


if __name__ == "__main__":
    main()
