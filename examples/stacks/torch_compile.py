"""Compile the update once and follow a schedule for 1,000 updates: by a scheduler, and by a step on the device.

Run it: python examples/stacks/torch_compile.py
"""

from __future__ import annotations

import torch

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, UPDATES = 1e-2, 1000
SCHEDULE = fs.warmup_cosine(warmup_steps=100, total_steps=UPDATES, end=0.1)
BATCH = torch.sin(torch.arange(32.0).reshape(8, 4))


def by_a_scheduler() -> list[float]:
    """The rates of an optimizer of torch, whose step is compiled."""
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=torch.tensor(PEAK))  # torch compiles numbers in, not tensors
    scheduler = lambda_lr(optimizer, SCHEDULE)
    update = torch.compile(optimizer.step)  # after the scheduler is made, which puts a step of its own in its place
    rates = []
    for _ in range(UPDATES):
        (model(BATCH) - 1).square().mean().backward()
        rates.append(optimizer.param_groups[0]["lr"].item())
        update()
        scheduler.step()
        optimizer.zero_grad()
    return rates


def on_the_device() -> list[float]:
    """The rates of an update that is one graph, schedule and count included: nothing goes through Python."""
    weight, rate = torch.zeros(4), torch.zeros(())
    step = torch.zeros((), dtype=torch.int64)  # all that a checkpoint needs beside the weights

    @torch.compile(fullgraph=True)
    def update() -> None:
        rate.copy_(PEAK * SCHEDULE(step))
        gradient = BATCH.T @ (BATCH @ weight - 1)
        weight.sub_(rate * gradient)
        step.add_(1)

    rates = []
    for _ in range(UPDATES):
        update()
        rates.append(rate.item())
    return rates


def main() -> tuple[list[float], list[float]]:
    rates = by_a_scheduler(), on_the_device()
    for way, used in zip(("by a scheduler", "on the device"), rates, strict=True):
        print(f"{way}: {used[0]:.4f} at first, {max(used):.4f} at most, {used[-1]:.4f} at last")
    return rates


if __name__ == "__main__":
    main()
