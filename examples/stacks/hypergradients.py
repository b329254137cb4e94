"""Tune the peak, the warmup and the end of a schedule with gradients of the final loss through the entire training run.

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
    """A curved valley (a Rosenbrock function), along which gradient descent is slow."""
    return 5 * jnp.square(weights[1] - weights[0] ** 2) + jnp.square(1 - weights[0])


def final_loss(parameters: dict[str, Any]) -> jax.Array:
    """The loss after training with these schedule parameters."""
    # A traced warmup need not be an integer, so the loss can be differentiated with respect to it.
    schedule = fs.warmup_cosine(parameters["warmup"], UPDATES, end=parameters["end"])
    optimizer = optax.sgd(to_optax(schedule, parameters["peak"]))

    def update(carry: tuple[jax.Array, Any], _: None) -> tuple[tuple[jax.Array, Any], None]:
        weights, state = carry
        updates, state = optimizer.update(jax.grad(loss)(weights), state)
        return (optax.apply_updates(weights, updates), state), None

    weights = jnp.array([-0.5, 0.5])
    (weights, _), _ = jax.lax.scan(update, (weights, optimizer.init(weights)), length=UPDATES)
    return loss(weights)


def main() -> tuple[dict[str, float], list[float]]:
    """The gradient in the first run, and the final losses of all runs."""
    parameters = {"peak": jnp.array(0.02), "warmup": jnp.array(10.5), "end": jnp.array(0.1)}
    step_sizes = {"peak": 1e-4, "warmup": 20.0, "end": 0.02}  # the parameters have different scales
    value_and_gradient = jax.jit(jax.value_and_grad(final_loss))
    gradients, losses = [], []
    for run in range(10):
        value, gradient = value_and_gradient(parameters)
        gradients.append({name: float(slope) for name, slope in gradient.items()})
        losses.append(float(value))
        values = (f"{name} {float(parameter):.4f}" for name, parameter in parameters.items())
        print(f"run {run}  final loss {losses[-1]:.4f}", *values, sep="  ")
        # Traced parameters are not validated, so clip them to their range.
        parameters = {
            name: jnp.maximum(parameter - step_sizes[name] * gradient[name], 0.0)
            for name, parameter in parameters.items()
        }
    return gradients[0], losses


if __name__ == "__main__":
    main()
