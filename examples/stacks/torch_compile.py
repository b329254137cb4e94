"""Compile the update once and follow a schedule for 1,000 updates: with a scheduler, and with a step on the device.

Run it: python examples/stacks/torch_compile.py
"""

from __future__ import annotations

import torch

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, UPDATES = 1e-2, 1000
SCHEDULE = fs.warmup_cosine(warmup_steps=100, total_steps=UPDATES, end=0.1)
BATCH = torch.sin(torch.arange(32.0).reshape(8, 4))


def train_with_scheduler() -> list[float]:
    """Compile the step of a torch optimizer; returns the learning rates of all updates."""
    model = torch.nn.Linear(4, 1)
    # The learning rate is a tensor, because a Python float would be compiled as a constant.
    optimizer = torch.optim.AdamW(model.parameters(), lr=torch.tensor(PEAK))
    scheduler = lambda_lr(optimizer, SCHEDULE)
    update = torch.compile(optimizer.step)  # after the scheduler is built, because that replaces `optimizer.step`
    rates = []
    for _ in range(UPDATES):
        (model(BATCH) - 1).square().mean().backward()
        rates.append(optimizer.param_groups[0]["lr"].item())
        update()
        scheduler.step()
        optimizer.zero_grad()
    return rates


def train_on_device() -> list[float]:
    """Compile the update, schedule and step count as one graph; returns the learning rates of all updates."""
    weight, rate = torch.zeros(4), torch.zeros(())
    step = torch.zeros((), dtype=torch.int64)  # a checkpoint needs only this and the weights

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
    with_scheduler, on_device = train_with_scheduler(), train_on_device()
    for name, rates in {"with a scheduler": with_scheduler, "on the device": on_device}.items():
        print(f"learning rate {name}: first {rates[0]:.4f}, highest {max(rates):.4f}, last {rates[-1]:.4f}")
    return with_scheduler, on_device


if __name__ == "__main__":
    main()
