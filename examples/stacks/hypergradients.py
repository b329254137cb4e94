"""Improve the peak, the warmup and the end of a schedule by the gradient of the final loss through the whole training.

Run it: python examples/stacks/hypergradients.py
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

import funcsched as fs
from bridges.optax import to_optax

UPDATES = 40


def loss(weights: jax.Array) -> jax.Array:
    """A curved valley, along which plain descent is slow."""
    return 5 * jnp.square(weights[1] - weights[0] ** 2) + jnp.square(1 - weights[0])


def final_loss(numbers: dict[str, Any]) -> jax.Array:
    """The loss after a run with the schedule of these numbers."""
    # Traced, a warmup need not be whole, so the loss has a derivative by it.
    schedule = fs.warmup_cosine(numbers["warmup"], UPDATES, end=numbers["end"])
    optimizer = optax.sgd(to_optax(schedule, numbers["peak"]))

    def update(carry: tuple[jax.Array, Any], _: None) -> tuple[tuple[jax.Array, Any], None]:
        weights, state = carry
        changes, state = optimizer.update(jax.grad(loss)(weights), state)
        return (optax.apply_updates(weights, changes), state), None

    weights = jnp.array([-0.5, 0.5])
    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), length=UPDATES)
    return loss(weights)


def main() -> tuple[dict[str, float], list[float]]:
    """The first gradient, and the final losses of all runs."""
    numbers = {"peak": jnp.array(0.02), "warmup": jnp.array(10.5), "end": jnp.array(0.1)}
    sizes = {"peak": 1e-4, "warmup": 20.0, "end": 0.02}  # the three are of different sizes, and so are their steps
    value_and_gradient = jax.jit(jax.value_and_grad(final_loss))
    gradients, losses = [], []
    for run in range(10):
        value, gradient = value_and_gradient(numbers)
        gradients.append({name: float(slope) for name, slope in gradient.items()})
        losses.append(float(value))
        print(f"run {run}  final loss {losses[-1]:.4f}", *(f"{n} {float(x):.4f}" for n, x in numbers.items()), sep="  ")
        # No factory checks a traced number, so what would be refused is kept out here.
        numbers = {name: jnp.maximum(x - sizes[name] * gradient[name], 0.0) for name, x in numbers.items()}
    return gradients[0], losses


if __name__ == "__main__":
    main()
