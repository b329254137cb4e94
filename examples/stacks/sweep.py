"""Train a population, each member on a schedule of its own, by one compiled step.

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
# Every member has its own peak, warmup and end of the decay.
MEMBERS = [
    to_optax(fs.warmup_cosine(warmup, total, end=0.1), peak)
    for peak, warmup, total in product([0.003, 0.03, 0.3], [0, 10], [30, 60])
]


def loss(weights: Any, inputs: jax.Array) -> jax.Array:
    outputs = jnp.tanh(inputs @ weights["in"]) @ weights["out"]
    return jnp.mean((outputs - jnp.sin(2 * inputs[:, 0])) ** 2)


def initial(rate: OptaxSchedule) -> tuple[Any, Any]:
    weights = {"in": jax.random.normal(jax.random.key(0), (2, 16)), "out": jnp.zeros(16)}
    return weights, optax.adam(rate).init(weights)


def update(rate: OptaxSchedule, weights: Any, state: Any, inputs: jax.Array) -> tuple[Any, Any, jax.Array]:
    """One member's update; its schedule is an argument like the weights."""
    value, gradients = jax.value_and_grad(loss)(weights, inputs)
    changes, state = optax.adam(rate).update(gradients, state)
    return optax.apply_updates(weights, changes), state, value


def main() -> tuple[Any, list[float], int]:
    """The weights and the last losses of all members, and how often the step was compiled."""
    # Schedules are pytrees: stacked, their numbers become arrays with an item for each member.
    population = jax.tree.map(lambda *numbers: jnp.stack(numbers), *MEMBERS)
    weights, state = jax.vmap(initial)(population)
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
