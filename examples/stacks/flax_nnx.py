"""Train a Flax NNX model with a schedule, and log the learning rate of every update.

Run it: python examples/stacks/flax_nnx.py
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import funcsched as fs
from bridges.optax import to_optax

UPDATES, PEAK = 60, 0.1


class Network(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(2, 16, rngs=rngs)
        self.out = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return self.out(nnx.tanh(self.hidden(inputs)))[:, 0]


@nnx.jit
def train_step(model: Network, optimizer: nnx.Optimizer[Network], inputs: jax.Array) -> Any:
    def loss(model: Network) -> jax.Array:
        return jnp.mean((model(inputs) - inputs[:, 0] * inputs[:, 1]) ** 2)

    value, gradients = nnx.value_and_grad(loss)(model)
    optimizer.update(model, gradients)
    return value


def main() -> tuple[list[float], list[float]]:
    """The learning rate and the loss of every update."""
    schedule = fs.warmup_cosine(warmup_steps=10, total_steps=UPDATES, end=0.1)
    # inject_hyperparams stores the learning rate in the optimizer's state, from which it can be read.
    transform = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    model = Network(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, transform, wrt=nnx.Param)

    rates, losses = [], []
    for update in range(UPDATES):
        inputs = jax.random.normal(jax.random.key(update), (64, 2))
        loss = train_step(model, optimizer, inputs)
        rate = optimizer.opt_state.hyperparams["learning_rate"]  # of this update
        rates.append(float(rate[...]))
        losses.append(float(loss))
        if update % 10 == 0:
            print(f"update {update:2}  learning rate {rates[-1]:.4f}  loss {losses[-1]:.4f}")
    return rates, losses


if __name__ == "__main__":
    main()
