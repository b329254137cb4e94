"""The training loop of `nanogpt_before.py` with a schedule of funcsched.

Run it: python examples/moving/nanogpt_after.py
"""

from __future__ import annotations

import torch

from bridges.nanogpt import get_lr
from bridges.torch import lambda_lr

learning_rate = 6e-3
warmup_iters = 8
lr_decay_iters = 40
min_lr = 6e-4
max_iters = 50


def rates() -> list[float]:
    """Train a small model. Return the learning rate of every update."""
    schedule, peak_value = get_lr(
        learning_rate=learning_rate, warmup_iters=warmup_iters, lr_decay_iters=lr_decay_iters, min_lr=min_lr
    )
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_value)
    scheduler = lambda_lr(optimizer, schedule)
    used = []
    for _ in range(max_iters):
        inputs = torch.randn(4, 3)
        loss = torch.nn.functional.mse_loss(model(inputs), inputs.sum(1, keepdim=True))
        loss.backward()  # type: ignore[no-untyped-call]
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    return used


if __name__ == "__main__":
    values = rates()
    print(f"{len(values)} updates, peak rate {max(values)}")
