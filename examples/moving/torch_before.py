"""A training loop with `OneCycleLR` of torch, which also cycles the momentum. `torch_after.py` uses `lambda_lr`.

Run it: python examples/moving/torch_before.py
"""

from __future__ import annotations

import torch

UPDATES = 40


def train() -> list[tuple[float, float]]:
    """Train a small model. Return the learning rate and the momentum of every update."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=UPDATES)
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
