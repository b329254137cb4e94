"""Train with the resume example in processes that are killed at random updates, until KILLS of them were killed.

`python -m tests.stacks.kill FOLDER KILLS` writes a line for each update to FOLDER/used: the run, the step and the
learning rate. FOLDER also has the last checkpoint of each run. Prints the numbers of kills and of finished runs.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from examples.stacks.torch_resume import train

UPDATES = 60


def run_child(path: Path, pipe: int) -> None:
    """Train from the checkpoint at `path` and write the updates to the pipe; never returns."""
    code = 1
    try:
        for step, rate in train(path, UPDATES):
            os.write(pipe, f"{step} {rate.hex()}\n".encode())
        code = 0
    finally:
        os._exit(code)


def main(folder: Path, kills: int) -> None:
    torch.set_num_threads(1)  # a forked process has one thread
    list(train(folder / "warmup.pt", 2))  # torch imports modules in its first update; the forks inherit them
    rng = random.Random(0)
    run = killed = 0
    with (folder / "used").open("w") as used:
        while killed < kills:
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                run_child(folder / f"{run}.pt", write)
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
    print(killed, run)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
