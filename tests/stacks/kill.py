"""Train by the example of resuming, in processes that are killed at random updates, until hundreds of them were.

`python -m tests.stacks.kill FOLDER KILLS` writes one line for each update to FOLDER/used: the run, the step, the rate;
FOLDER has the last checkpoint of each run.
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


def child(path: Path, pipe: int) -> None:
    code = 1
    try:
        for step, rate in train(path, UPDATES):
            os.write(pipe, f"{step} {rate.hex()}\n".encode())
        code = 0
    finally:
        os._exit(code)


def main(folder: Path, kills: int) -> None:
    torch.set_num_threads(1)  # a fork has one thread
    list(train(folder / "warm.pt", 2))  # what torch imports at its first update is there in every fork
    moments = random.Random(0)
    run = killed = 0
    with (folder / "used").open("w") as used:
        while killed < kills:
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                child(folder / f"{run}.pt", write)
            os.close(write)
            with os.fdopen(read) as lines:
                for _ in range(moments.randint(1, 12)):
                    used.writelines(f"{run} {line}" for line in [lines.readline()] if line)
                time.sleep(moments.uniform(0, 0.003))  # somewhere in the next update, or while its file is written
                os.kill(pid, signal.SIGKILL)  # one that has ended waits for its parent, and cannot be killed
                used.writelines(f"{run} {line}" for line in lines)
            _, status = os.waitpid(pid, 0)
            if os.WIFSIGNALED(status):
                killed += 1
            elif os.WEXITSTATUS(status) == 0:
                run += 1
            else:
                raise SystemExit("a process failed")
    print(killed, run)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
