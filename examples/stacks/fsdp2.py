"""Train on two processes with FSDP2, then resume on one and on three with torch.distributed.checkpoint.

Run it: python examples/stacks/fsdp2.py
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.checkpoint.stateful import Stateful
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, UPDATES, BATCH_SIZE = 1e-2, 14, 12
SAVED = 5  # the number of updates before the checkpoint is saved
SCHEDULE = fs.warmup_cosine(warmup_steps=3, total_steps=13, end=0.1)  # in updates, for any number of processes


class Result(NamedTuple):
    rank: int
    rates: list[float]  # of each update
    weights: list[Any]  # after the last update


class Training(Stateful):
    """The model, optimizer and scheduler, as one item of a checkpoint."""

    def __init__(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, scheduler: LRScheduler) -> None:
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler

    def state_dict(self) -> dict[str, Any]:
        model, optimizer = get_state_dict(self.model, self.optimizer)
        return {"model": model, "optimizer": optimizer, "scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        model, optimizer = state["model"], state["optimizer"]
        set_state_dict(self.model, self.optimizer, model_state_dict=model, optim_state_dict=optimizer)
        self.scheduler.load_state_dict(state["scheduler"])


def train(rank: int, ranks: int, folder: Path, schedule: fs.Schedule, first: int) -> Result:
    """Train from update `first` (int): 0, or the number of updates made before a checkpoint, from which to resume."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    mesh = init_device_mesh("cpu", (ranks,))
    for module in (model[0], model[2], model):
        fully_shard(module, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)
    # Before `load`, which restores only keys that exist: the scheduler adds `initial_lr` to the parameter groups.
    scheduler = lambda_lr(optimizer, schedule)
    training = {"training": Training(model, optimizer, scheduler)}
    if first:
        load(training, checkpoint_id=folder / str(first))
    rates = []
    for update in range(first, UPDATES):
        batch = torch.sin(torch.arange(BATCH_SIZE * 4.0).reshape(BATCH_SIZE, 4) + update)
        loss = (model(batch[rank::ranks]) - 1).square().mean()
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        if update + 1 == SAVED:
            save(training, checkpoint_id=folder / str(SAVED))
    weights = [parameter.full_tensor().tolist() for parameter in model.parameters() if isinstance(parameter, DTensor)]
    return Result(rank, rates, weights)


def run_process(rank: int, ranks: int, store: str, results: Any, *arguments: Any) -> None:
    torch.set_num_threads(1)  # the processes share the cores
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks, timeout=timedelta(minutes=1))
    results.put(train(rank, ranks, *arguments))
    dist.destroy_process_group()


def launch(ranks: int, folder: Path, schedule: fs.Schedule = SCHEDULE, first: int = 0) -> list[Result]:
    """Train in `ranks` new processes, which receive the schedule by pickle; returns the results by rank."""
    context = mp.get_context("forkserver")  # imports torch once for all processes
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
