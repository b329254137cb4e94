"""A training loop with a scheduler of transformers.

Run it: python examples/moving/transformers_before.py
"""

from __future__ import annotations

import torch
from transformers import get_cosine_schedule_with_warmup

UPDATES = 40


def rates() -> list[float]:
    """Train a small model. Return the learning rate of every update."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    scheduler = get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=4, num_training_steps=UPDATES)
    inputs = torch.randn(16, 3)
    result = []
    for _ in range(UPDATES):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs), inputs.sum(1, keepdim=True)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return result


if __name__ == "__main__":
    print(f"{UPDATES} updates, peak rate {max(rates())}")
