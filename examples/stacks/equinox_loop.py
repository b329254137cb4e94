"""Train an Equinox model with a schedule, and log the learning rate of every update.

Run it: python examples/stacks/equinox_loop.py
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from bridges.optax import to_optax

UPDATES, PEAK = 60, 0.1


def loss(model: eqx.nn.MLP, inputs: jax.Array) -> jax.Array:
    return jnp.mean((jax.vmap(model)(inputs) - inputs[:, 0] * inputs[:, 1]) ** 2)


def main() -> tuple[list[float], list[float]]:
    """The learning rate and the loss of every update."""
    schedule = fs.warmup_cosine(warmup_steps=10, total_steps=UPDATES, end=0.1)
    # inject_hyperparams stores the learning rate in the optimizer's state, from which it can be read.
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    model = eqx.nn.MLP(2, "scalar", width_size=16, depth=1, activation=jnp.tanh, key=jax.random.key(0))
    state = optimizer.init(eqx.filter(model, eqx.is_array))

    @eqx.filter_jit
    def train_step(model: eqx.nn.MLP, state: Any, inputs: jax.Array) -> tuple[eqx.nn.MLP, Any, jax.Array]:
        value, gradients = eqx.filter_value_and_grad(loss)(model, inputs)
        updates, state = optimizer.update(gradients, state, eqx.filter(model, eqx.is_array))
        return eqx.apply_updates(model, updates), state, value

    rates, losses = [], []
    for update in range(UPDATES):
        inputs = jax.random.normal(jax.random.key(update), (64, 2))
        model, state, value = train_step(model, state, inputs)
        rates.append(float(state.hyperparams["learning_rate"]))  # of this update
        losses.append(float(value))
        if update % 10 == 0:
            print(f"update {update:2}  learning rate {rates[-1]:.4f}  loss {losses[-1]:.4f}")
    return rates, losses


if __name__ == "__main__":
    main()
