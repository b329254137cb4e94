"""Train in two processes with `jax.distributed`, and go on in one: the count in the state is all that a schedule needs.

Run it: python examples/stacks/jax_distributed.py
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import funcsched as fs
from bridges.optax import to_optax

PEAK, TOTAL = 0.125, 12
OPTIMIZER = optax.inject_hyperparams(optax.sgd)(to_optax(fs.warmup_cosine(4, TOTAL, end=0.1), PEAK))


@jax.jit
def update(weights: Any, state: Any, x: Any) -> Any:
    loss, gradient = jax.value_and_grad(lambda weights: jnp.mean((x @ (weights - jnp.arange(16.0))) ** 2))(weights)
    changes, state = OPTIMIZER.update(gradient, state, weights)
    return optax.apply_updates(weights, changes), state, loss


def train(until: int, saved: Path) -> list[list[float]]:
    """The count, the rate and the loss of each update, from where the saved state was, if there is one."""
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    split = NamedSharding(mesh, PartitionSpec("data"))  # type: ignore[no-untyped-call]
    batch = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
    mine = np.split(batch, jax.process_count())[jax.process_index()]
    x = jax.make_array_from_process_local_data(split, mine)  # type: ignore[no-untyped-call]

    leaves, structure = jax.tree.flatten((jnp.zeros(16), OPTIMIZER.init(jnp.zeros(16))))
    if saved.exists():
        leaves = list(np.load(saved).values())
    weights, state = jax.tree.unflatten(structure, leaves)
    rows = []
    for count in range(int(state.count), until):
        weights, state, loss = update(weights, state, x)
        rows.append([count, float(state.hyperparams["learning_rate"]), float(loss)])
    if jax.process_index() == 0:
        np.savez(saved, *jax.device_get(jax.tree.leaves((weights, state))))
    return rows


def run(processes: int, until: int, folder: Path) -> list[list[list[float]]]:
    """Start the processes, as a cluster would, and collect the rows of each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, __file__, address, str(processes), str(until), str(folder)]
    started = [subprocess.Popen([*command, str(rank)]) for rank in range(processes)]
    assert [process.wait(timeout=100) for process in started] == [0] * processes
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]


def main() -> list[list[list[float]]]:
    with tempfile.TemporaryDirectory() as folder:
        started = [*run(2, 5, Path(folder)), *run(1, TOTAL, Path(folder))]
    for name, rows in zip(["first of two", "second of two", "one alone"], started, strict=True):
        print(f"{name}, from update {rows[0][0]}:", *(f"{rate:.4f}" for _, rate, _ in rows))
    return started


if __name__ == "__main__":
    if sys.argv[1:]:
        address, processes, until, folder, rank = sys.argv[1:]
        jax.distributed.initialize(address, int(processes), int(rank), initialization_timeout=60)
        Path(folder, f"{rank}.json").write_text(json.dumps(train(int(until), Path(folder, "state.npz"))))
    else:
        main()
