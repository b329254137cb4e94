"""Train on two processes with DistributedDataParallel, then resume on one and on three: all ranks use the same rates.

Run it: python examples/stacks/ddp.py
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, UPDATES, SAVED, ROWS = 1e-2, 14, 5, 12
SCHEDULE = fs.warmup_linear(warmup_steps=3, total_steps=13)  # updates, whatever the number of processes
Run = list[tuple[int, list[float], list[Any]]]  # of each rank: the rates and the last weights


def train(rank: int, ranks: int, folder: Path, schedule: fs.Schedule, first: int) -> tuple[int, list[float], list[Any]]:
    """The updates from `first` on, which is 0 or that of a checkpoint."""
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
        batch = torch.sin(torch.arange(ROWS * 4.0).reshape(ROWS, 4) + update)
        loss = (model(batch[rank::ranks]) - 1).square().mean()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        if rank == 0 and update + 1 == SAVED:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "scheduler": scheduler.state_dict()}, folder / f"{SAVED}.pt")
    return rank, rates, [parameter.tolist() for parameter in model.parameters()]


def work(rank: int, ranks: int, store: str, results: Any, *arguments: Any) -> None:
    torch.set_num_threads(1)  # they share the cores
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks, timeout=timedelta(minutes=1))
    results.put(train(rank, ranks, *arguments))  # the model is gone before the process group: torch can hang otherwise
    dist.destroy_process_group()


def launch(ranks: int, folder: Path, schedule: fs.Schedule = SCHEDULE, first: int = 0) -> Run:
    """Train in processes of their own, which get the schedule as an argument."""
    # Imports torch once for all; and torch's threads can abort a spawned process while its Python ends.
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([train.__module__])
    results = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as meeting:
        arguments = (ranks, f"file://{meeting}/store", results, folder, schedule, first)
        mp.start_processes(work, arguments, ranks, start_method="forkserver")  # type: ignore
    return sorted(results.get() for _ in range(ranks))


def main(folder: Path) -> dict[int, Run]:
    runs = {2: launch(2, folder), 1: launch(1, folder, first=SAVED), 3: launch(3, folder, first=SAVED)}
    for ranks, run in runs.items():
        for rank, rates, _ in run:
            print(f"rank {rank} of {ranks}:", *(f"{rate:.4f}" for rate in rates))
    return runs


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
