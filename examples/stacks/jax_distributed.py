"""Train in two processes with `jax.distributed`, resume in one and then in two: a schedule needs only the step count.

Run it: python examples/stacks/jax_distributed.py
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import funcsched as fs
from bridges.optax import to_optax

PEAK, TOTAL = 0.125, 12
OPTIMIZER = optax.inject_hyperparams(optax.sgd)(to_optax(fs.warmup_cosine(4, TOTAL, end=0.1), PEAK))


class Update(NamedTuple):
    step: int
    rate: float
    loss: float


@jax.jit
def train_step(weights: Any, state: Any, x: Any) -> Any:
    loss, gradient = jax.value_and_grad(lambda weights: jnp.mean((x @ (weights - jnp.arange(16.0))) ** 2))(weights)
    updates, state = OPTIMIZER.update(gradient, state, weights)
    return optax.apply_updates(weights, updates), state, loss


def train(until: int, checkpoint: Path) -> list[Update]:
    """Train up to update `until` (int), from the checkpoint if there is one."""
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    sharded = NamedSharding(mesh, PartitionSpec("data"))  # type: ignore[no-untyped-call]
    batch = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
    part = np.split(batch, jax.process_count())[jax.process_index()]
    x = jax.make_array_from_process_local_data(sharded, part)  # type: ignore[no-untyped-call]

    leaves, treedef = jax.tree.flatten((jnp.zeros(16), OPTIMIZER.init(jnp.zeros(16))))
    if checkpoint.exists():
        leaves = list(np.load(checkpoint).values())
    weights, state = jax.tree.unflatten(treedef, leaves)
    log = []
    for step in range(int(state.count), until):
        weights, state, loss = train_step(weights, state, x)
        log.append(Update(step, float(state.hyperparams["learning_rate"]), float(loss)))
    if jax.process_index() == 0:
        np.savez(checkpoint, *jax.device_get(jax.tree.leaves((weights, state))))
    return log


def launch(processes: int, until: int, folder: Path) -> list[list[Update]]:
    """Start the processes, as a cluster scheduler would, and return the updates of each."""
    with socket.socket() as free:  # to find a free port
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, __file__, address, str(processes), str(until), str(folder)]
    started = [subprocess.Popen([*command, str(rank)]) for rank in range(processes)]
    assert [process.wait(timeout=100) for process in started] == [0] * processes
    logs = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(processes)]
    return [[Update(*update) for update in log] for log in logs]


def main() -> list[list[list[Update]]]:
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for processes, until in ((2, 3), (1, 7), (2, TOTAL)):
            logs = launch(processes, until, Path(folder))
            for rank, log in enumerate(logs):
                rates = (f"{update.rate:.4f}" for update in log)
                print(f"rank {rank} of {processes}, from update {log[0].step}:", *rates)
            runs.append(logs)
    return runs


if __name__ == "__main__":
    if sys.argv[1:]:
        address, processes, until, folder, rank = sys.argv[1:]
        jax.distributed.initialize(address, int(processes), int(rank), initialization_timeout=60)
        Path(folder, f"{rank}.json").write_text(json.dumps(train(int(until), Path(folder, "checkpoint.npz"))))
    else:
        main()
