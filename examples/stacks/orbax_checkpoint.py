"""Checkpoint a JAX training with Orbax, the schedule beside the state; a run that is started again goes on from there.

Run it: python examples/stacks/orbax_checkpoint.py
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
import orbax.checkpoint as ocp

import funcsched as fs
from bridges.optax import to_optax

Log = Callable[[int, float], object]  # is told every update and its rate
PEAK = 0.1
OPTIONS = ocp.CheckpointManagerOptions(save_interval_steps=5, max_to_keep=2)


def train(directory: Path, schedule: fs.Schedule, updates: int, log: Log = print, on_mismatch: str = "raise") -> Any:
    """Train to a number of updates, from the last checkpoint in the directory if there is one; gives the state."""
    # inject_hyperparams keeps the rate in the optimizer's state, where it can be read.
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    weights = {"matrix": jnp.ones((3, 2)), "bias": jnp.zeros(2)}
    state = {"weights": weights, "optimizer": optimizer.init(weights)}

    def loss(weights: Any, inputs: jax.Array) -> jax.Array:
        return jnp.mean((inputs @ weights["matrix"] + weights["bias"] - inputs[:, :2]) ** 2)

    @jax.jit
    def train_step(state: Any, inputs: jax.Array) -> Any:
        gradients = jax.grad(loss)(state["weights"], inputs)
        changes, optimizer_state = optimizer.update(gradients, state["optimizer"], state["weights"])
        return {"weights": optax.apply_updates(state["weights"], changes), "optimizer": optimizer_state}

    with ocp.CheckpointManager(directory, options=OPTIONS) as checkpoints:
        done = checkpoints.latest_step() or 0
        if done:
            # The schedule first: with another one the run is refused before its state is read.
            saved = checkpoints.restore(done, args=ocp.args.Composite(schedule=ocp.args.JsonRestore()))
            fs.check_resume(saved.schedule, schedule, step=done, on_mismatch=on_mismatch)
            state = checkpoints.restore(done, args=ocp.args.Composite(state=ocp.args.StandardRestore(state))).state
        for update in range(done, updates):
            state = train_step(state, jax.random.normal(jax.random.key(update), (8, 3)))
            log(update, float(state["optimizer"].hyperparams["learning_rate"]))
            items = {"state": ocp.args.StandardSave(state), "schedule": ocp.args.JsonSave(fs.snapshot(schedule))}
            checkpoints.save(update + 1, args=ocp.args.Composite(**items))  # named by the number of updates made
    return state


def main() -> tuple[dict[int, float], str]:
    """The rate of every update of a run that was stopped and resumed, and why another schedule was refused."""
    rates: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        schedule, refusal = fs.warmup_cosine(warmup_steps=5, total_steps=30), ""
        for updates in (20, 30):
            train(Path(directory), schedule, updates, rates.__setitem__)
        try:
            train(Path(directory), fs.warmup_cosine(warmup_steps=5, total_steps=60), 60)
        except ValueError as error:
            refusal = str(error)
    print(f"{len(rates)} updates, the last at rate {rates[29]:.4f}; then: {refusal}")
    return rates, refusal


if __name__ == "__main__":
    main()
