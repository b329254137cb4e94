"""Train on two processes with DistributedDataParallel, then resume on one and on three: all ranks use the same rates.

Run it: python examples/stacks/ddp.py
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, UPDATES, BATCH_SIZE = 1e-2, 14, 12
SAVED = 5  # the number of updates before the checkpoint is saved
SCHEDULE = fs.warmup_linear(warmup_steps=3, total_steps=13)  # in updates, for any number of processes


class Result(NamedTuple):
    rank: int
    rates: list[float]  # of each update
    weights: list[Any]  # after the last update


def train(rank: int, ranks: int, folder: Path, schedule: fs.Schedule, first: int) -> Result:
    """Train from update `first` (int): 0, or the number of updates made before a checkpoint, from which to resume."""
    torch.manual_seed(0)
    model = DistributedDataParallel(torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)
    scheduler = lambda_lr(optimizer, schedule)
    if first:
        saved = torch.load(folder / f"{first}.pt", weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])
    rates = []
    for update in range(first, UPDATES):
        batch = torch.sin(torch.arange(BATCH_SIZE * 4.0).reshape(BATCH_SIZE, 4) + update)
        loss = (model(batch[rank::ranks]) - 1).square().mean()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        if rank == 0 and update + 1 == SAVED:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "scheduler": scheduler.state_dict()}, folder / f"{SAVED}.pt")
    return Result(rank, rates, [parameter.tolist() for parameter in model.parameters()])


def run_process(rank: int, ranks: int, store: str, results: Any, *arguments: Any) -> None:
    torch.set_num_threads(1)  # the processes share the cores
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks, timeout=timedelta(minutes=1))
    # `train` frees the model when it returns: torch can hang if a model outlives its process group.
    results.put(train(rank, ranks, *arguments))
    dist.destroy_process_group()


def launch(ranks: int, folder: Path, schedule: fs.Schedule = SCHEDULE, first: int = 0) -> list[Result]:
    """Train in `ranks` new processes, which receive the schedule by pickle; returns the results by rank."""
    # A fork server imports torch once for all processes. Spawned processes can abort in torch's threads at exit.
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([train.__module__])
    results = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as rendezvous:
        arguments = (ranks, f"file://{rendezvous}/store", results, folder, schedule, first)
        mp.start_processes(run_process, arguments, ranks, start_method="forkserver")  # type: ignore
    return sorted(results.get() for _ in range(ranks))


def main(folder: Path) -> dict[int, list[Result]]:
    runs = {2: launch(2, folder), 1: launch(1, folder, first=SAVED), 3: launch(3, folder, first=SAVED)}
    for ranks, results in runs.items():
        for result in results:
            print(f"rank {result.rank} of {ranks}:", *(f"{rate:.4f}" for rate in result.rates))
    return runs


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
