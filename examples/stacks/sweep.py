"""Train a population, each member with its own schedule, with a single compiled training step.

Run it: python examples/stacks/sweep.py
"""

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from bridges.optax import OptaxSchedule, to_optax

UPDATES = 60
# The members differ in their peak, warmup and total steps.
MEMBERS = [
    to_optax(fs.warmup_cosine(warmup, total, end=0.1), peak)
    for peak, warmup, total in product([0.003, 0.03, 0.3], [0, 10], [30, 60])
]


def loss(weights: Any, inputs: jax.Array) -> jax.Array:
    outputs = jnp.tanh(inputs @ weights["in"]) @ weights["out"]
    return jnp.mean((outputs - jnp.sin(2 * inputs[:, 0])) ** 2)


def initialize(rate: OptaxSchedule) -> tuple[Any, Any]:
    """The weights and the optimizer state of one member."""
    weights = {"in": jax.random.normal(jax.random.key(0), (2, 16)), "out": jnp.zeros(16)}
    return weights, optax.adam(rate).init(weights)


def update(rate: OptaxSchedule, weights: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any, jax.Array]:
    """An update of one member; its schedule is an argument, like the weights."""
    value, gradients = jax.value_and_grad(loss)(weights, inputs)
    updates, state = optax.adam(rate).update(gradients, state)
    return optax.apply_updates(weights, updates), state, value


def main() -> tuple[Any, list[float], int]:
    """The final weights and losses of all members, and the number of compilations of the training step."""
    # Schedules are pytrees: after stacking, their parameters are arrays with one element for each member.
    population = jax.tree.map(lambda *leaves: jnp.stack(leaves), *MEMBERS)
    weights, state = jax.vmap(initialize)(population)
    train_step: Any = jax.jit(jax.vmap(update, in_axes=(0, 0, 0, None)))
    for step in range(UPDATES):
        inputs = jax.random.normal(jax.random.key(step), (64, 2))
        weights, state, values = train_step(population, weights, state, inputs)
    losses = values.tolist()
    for rate, value in sorted(zip(MEMBERS, losses, strict=True), key=lambda pair: pair[1]):
        print(f"loss {value:.4f}  {rate.peak_value} * {rate.schedule}")
    return weights, losses, train_step._cache_size()


if __name__ == "__main__":
    main()
