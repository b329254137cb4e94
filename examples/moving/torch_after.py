"""The training loop of `torch_before.py` with schedules of funcsched.

OneCycleLR has its peak at step `0.3 * total_steps - 1`, and its end at step `total_steps - 1`.

Run it: python examples/moving/torch_after.py
"""

from __future__ import annotations

import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr

UPDATES = 40
PEAK, END = 11, 39
SCHEDULE = fs.one_cycle(warmup_steps=PEAK, total_steps=END)
MOMENTUM = Rated(fs.interpolate([0, PEAK, END], levels=[0.95, 0.85, 0.95], shape=fs.cosine), peak_value=1.0)


def train() -> list[tuple[float, float]]:
    """Train a small model. Return the learning rate and the momentum of every update."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = lambda_lr(optimizer, SCHEDULE, hyperparameters={"momentum": MOMENTUM})
    inputs = torch.randn(16, 3)
    used = []
    for _ in range(UPDATES):
        group = optimizer.param_groups[0]
        used.append((group["lr"], group["momentum"]))
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs), inputs.sum(1, keepdim=True)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return used


def rates() -> list[float]:
    return [rate for rate, _ in train()]


def momenta() -> list[float]:
    return [momentum for _, momentum in train()]


if __name__ == "__main__":
    print(f"{UPDATES} updates, peak rate {max(rates())}")
