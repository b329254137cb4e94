"""Save a checkpoint of a PyTorch run after every update, and resume after the run was stopped at any point.

Run it: python examples/stacks/torch_resume.py; stop it with Ctrl-C and run it again.
"""

from collections.abc import Iterator
from pathlib import Path

import torch

import funcsched as fs
from bridges.torch import lambda_lr

SCHEDULE = fs.warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)
PEAK = 0.01


def train(path: Path, updates: int) -> Iterator[tuple[int, float]]:
    """Train from the checkpoint at `path`, if there is one; yields the step and the learning rate of each update."""
    model = torch.nn.Linear(4, 1)
    with torch.no_grad():
        model.weight.fill_(0.5)
        model.bias.zero_()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)
    scheduler = lambda_lr(optimizer, SCHEDULE)
    if path.exists():
        saved = torch.load(path)  # weights_only=True is the default: the file cannot run code
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])  # rejects the checkpoint of a different schedule
    for step in range(scheduler.last_epoch, updates):
        inputs = torch.sin(torch.arange(32.0).reshape(8, 4) + step)
        loss = (model(inputs).squeeze(1) - inputs.sum(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        rate = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        yield step, rate
        state = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "model": model.state_dict()}
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)  # atomic: a run that is killed here leaves the old file or the new one


def main(path: Path = Path("torch_resume.pt"), updates: int = 200) -> list[tuple[int, float]]:
    log = []
    for step, rate in train(path, updates):
        log.append((step, rate))
        if step % 20 == 0:
            print(f"step {step:3d}: learning rate {rate:.6f}")
    return log


if __name__ == "__main__":
    main()
