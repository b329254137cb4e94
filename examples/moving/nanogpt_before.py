"""A training loop in the style of nanoGPT, which sets the learning rate itself. `nanogpt_after.py` uses `lambda_lr`.

Run it: python examples/moving/nanogpt_before.py
"""

from __future__ import annotations

import math

import torch

learning_rate = 6e-3
warmup_iters = 8
lr_decay_iters = 40
min_lr = 6e-4
max_iters = 50


def get_lr(step: int) -> float:
    if step < warmup_iters:
        return learning_rate * (step + 1) / (warmup_iters + 1)
    fraction = min((step - warmup_iters) / (lr_decay_iters - warmup_iters), 1.0)
    return min_lr + (learning_rate - min_lr) * (1.0 + math.cos(math.pi * fraction)) / 2.0


def rates() -> list[float]:
    """Train a small model. Return the learning rate of every update."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    used = []
    for step in range(max_iters):
        for group in optimizer.param_groups:
            group["lr"] = get_lr(step)
        inputs = torch.randn(4, 3)
        loss = torch.nn.functional.mse_loss(model(inputs), inputs.sum(1, keepdim=True))
        loss.backward()  # type: ignore[no-untyped-call]
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        optimizer.zero_grad()
    return used


if __name__ == "__main__":
    values = rates()
    print(f"{len(values)} updates, peak rate {max(values)}")
