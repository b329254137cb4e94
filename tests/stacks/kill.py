"""Train in processes that are killed at random updates and resume, until KILLS of them were killed.

`python -m tests.stacks.kill FOLDER KILLS [NAME]` writes a line for each update to FOLDER/used: the run, the step and
the hyperparameters. FOLDER also has the last checkpoint of each run. NAME is a key of RUNS; without it, the runs take
turns. Fails if hyperparameters or final weights differ from a run without interruption. Prints the numbers of kills and
of finished runs.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr
from examples.stacks import torch_resume

UPDATES = 60
ADDED = 20  # the update before which the late group is added
CURVE = fs.warmup_cosine(10, 70, end=0.1)


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.full((4,), value)) for value in (0.5, 0.25, 0.125)]


def everything(path: Path, updates: int) -> Iterator[tuple[int, str]]:
    """Train with two groups and a late one, scheduled weight decay and betas, and kept changes of the learning rate."""
    weights = parameters()
    groups = [{"params": [weights[0]], "lr": 0.01}, {"params": [weights[1]], "lr": 0.003, "lr_scale": 0.7}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.1, betas=(0.9, 0.99))
    keys: dict[str, Any] = {"weight_decay": [CURVE, Rated(CURVE, 0.3)], "betas": (fs.lerp(CURVE, 1.0, 0.9), None)}
    scheduler = lambda_lr(optimizer, CURVE, hyperparameters=keys, on_external_change="keep")
    plateau = ReduceLROnPlateau(optimizer, factor=0.7, patience=4)

    def add_late_group() -> None:
        late = {"params": [weights[2]], "lr": 0.02}
        scheduler.add_param_group(late, fs.warmup_linear(30, 70), {"weight_decay": fs.constant(0.3)})

    if path.exists():
        saved = torch.load(path)
        if len(saved["optimizer"]["param_groups"]) == 3:
            add_late_group()
        for weight, value in zip(weights, saved["model"].values(), strict=True):
            weight.detach().copy_(value)
        parts = {"optimizer": optimizer, "scheduler": scheduler, "plateau": plateau}
        for name in parts if saved["scheduler"]["last_epoch"] % 2 else reversed(parts):  # in both orders
            parts[name].load_state_dict(saved[name])
    for step in range(scheduler.last_epoch, updates):
        if step == ADDED and len(optimizer.param_groups) == 2:
            add_late_group()
        inputs = torch.sin(torch.arange(4.0) + step)
        loss = sum((weight @ inputs - inputs.sum()).square() for weight in weights)
        optimizer.zero_grad()
        loss.backward()
        numbers = [number for g in optimizer.param_groups for number in (g["lr"], g["weight_decay"], *g["betas"])]
        optimizer.step()
        scheduler.step()
        plateau.step(loss.item())
        yield step, ",".join(number.hex() for number in numbers)
        model = {str(i): weight.detach() for i, weight in enumerate(weights)}
        state = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "model": model}
        torch.save({**state, "plateau": plateau.state_dict()}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)


def example(path: Path, updates: int) -> Iterator[tuple[int, str]]:
    """Train with the resume example."""
    for step, rate in torch_resume.train(path, updates):
        yield step, rate.hex()


RUNS: dict[str, Callable[[Path, int], Iterator[tuple[int, str]]]] = {"example": example, "everything": everything}


def run_child(train: Callable[[Path, int], Iterator[tuple[int, str]]], path: Path, pipe: int) -> None:
    """Train from the checkpoint at `path` and write the updates to the pipe; never returns."""
    code = 1
    try:
        for step, text in train(path, UPDATES):
            os.write(pipe, f"{step} {text}\n".encode())
        code = 0
    finally:
        os._exit(code)


def main(folder: Path, kills: int, names: list[str]) -> None:
    torch.set_num_threads(1)  # a forked process has one thread
    for name in names:  # torch imports modules in its first update; the forks inherit them
        list(RUNS[name](folder / f"warmup {name}.pt", 2))
    rng = random.Random(0)
    run = killed = 0
    with (folder / "used").open("w") as used:
        while killed < kills:
            train = RUNS[names[run % len(names)]]
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                run_child(train, folder / f"{run}.pt", write)
            os.close(write)
            with os.fdopen(read) as lines:
                for _ in range(rng.randint(1, 12)):
                    used.writelines(f"{run} {line}" for line in [lines.readline()] if line)
                time.sleep(rng.uniform(0, 0.003))  # into the next update or the saving of its checkpoint
                os.kill(pid, signal.SIGKILL)  # has no effect on a process that has already ended
                used.writelines(f"{run} {line}" for line in lines)
            _, status = os.waitpid(pid, 0)
            if os.WIFSIGNALED(status):
                killed += 1
            elif os.WEXITSTATUS(status) == 0:
                run += 1
            else:
                raise SystemExit("a training process failed")
    verify(folder, run, names)
    print(killed, run)


def verify(folder: Path, finished: int, names: list[str]) -> None:
    """Compare the runs with runs without interruption, which train in this process."""
    paths = {name: folder / f"uninterrupted {name}.pt" for name in names}
    for path in paths.values():
        path.unlink(missing_ok=True)
    expected = {name: dict(RUNS[name](path, UPDATES)) for name, path in paths.items()}
    for line in (folder / "used").read_text().splitlines():
        run, step, text = line.split()
        if text != expected[names[int(run) % len(names)]][int(step)]:
            raise SystemExit(f"run {run} used other hyperparameters at step {step}")
    for run in range(finished):
        files = folder / f"{run}.pt", paths[names[run % len(names)]]
        model, last = (torch.load(file)["model"] for file in files)
        if not all(torch.equal(model[key], value) for key, value in last.items()):
            raise SystemExit(f"run {run} ended with other weights")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(RUNS))
