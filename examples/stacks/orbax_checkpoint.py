"""Save JAX training with Orbax, with the schedule in every checkpoint; a restarted run resumes from the last one.

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

Log = Callable[[int, float], object]  # called with every update and its learning rate
PEAK = 0.1
OPTIONS = ocp.CheckpointManagerOptions(save_interval_steps=5, max_to_keep=2)


def train(directory: Path, schedule: fs.Schedule, updates: int, log: Log = print, on_mismatch: str = "raise") -> Any:
    """Train up to `updates` (int), from the last checkpoint in the directory if there is one, and return the state."""
    # inject_hyperparams stores the learning rate in the optimizer's state, from which it can be read.
    optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=to_optax(schedule, PEAK))
    weights = {"matrix": jnp.ones((3, 2)), "bias": jnp.zeros(2)}
    state = {"weights": weights, "optimizer": optimizer.init(weights)}

    def loss(weights: Any, inputs: jax.Array) -> jax.Array:
        return jnp.mean((inputs @ weights["matrix"] + weights["bias"] - inputs[:, :2]) ** 2)

    @jax.jit
    def train_step(state: Any, inputs: jax.Array) -> Any:
        gradients = jax.grad(loss)(state["weights"], inputs)
        updates, optimizer_state = optimizer.update(gradients, state["optimizer"], state["weights"])
        return {"weights": optax.apply_updates(state["weights"], updates), "optimizer": optimizer_state}

    with ocp.CheckpointManager(directory, options=OPTIONS) as checkpoints:
        done = checkpoints.latest_step() or 0
        if done:
            # The schedule first: a checkpoint of a different schedule is rejected before its state is read.
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
    """The learning rate of every update of a resumed run, and the error with a different schedule."""
    rates: dict[int, float] = {}
    message = ""
    with tempfile.TemporaryDirectory() as directory:
        schedule = fs.warmup_cosine(warmup_steps=5, total_steps=30)
        for updates in (20, 30):
            train(Path(directory), schedule, updates, rates.__setitem__)
        try:
            train(Path(directory), fs.warmup_cosine(warmup_steps=5, total_steps=60), 60)
        except ValueError as error:
            message = str(error)
    print(f"{len(rates)} updates; learning rate of the last: {rates[29]:.4f}; error with a longer schedule: {message}")
    return rates, message


if __name__ == "__main__":
    main()
