"""The training loop of `megatron_before.py`, with schedules made from the same arguments.

Run it: python examples/moving/megatron_after.py
"""

import torch

from bridges.megatron import optimizer_param_scheduler, weight_decay
from bridges.torch import lambda_lr

UPDATES = 40
BATCH = 8
SCHEDULE, PEAK = optimizer_param_scheduler(
    init_lr=0.0,
    max_lr=0.01,
    min_lr=0.001,
    lr_warmup_steps=5 * BATCH,
    lr_decay_steps=UPDATES * BATCH,
    lr_decay_style="WSD",
    wsd_decay_steps=10 * BATCH,
    lr_wsd_decay_style="minus_sqrt",
    global_batch_size=BATCH,
)
WEIGHT_DECAY = weight_decay(
    start_wd=0.01,
    end_wd=0.1,
    wd_incr_steps=UPDATES * BATCH,
    wd_incr_style="cosine",
    global_batch_size=BATCH,
)


def train() -> list[tuple[float, float]]:
    """The learning rate and the weight decay of every update."""
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK)
    scheduler = lambda_lr(optimizer, SCHEDULE, hyperparameters={"weight_decay": WEIGHT_DECAY})
    used = []
    for step in range(UPDATES):
        inputs = torch.sin(torch.arange(4.0 * BATCH).reshape(BATCH, 4) + step)
        loss = (model(inputs).squeeze(1) - inputs.sum(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        group = optimizer.param_groups[0]
        used.append((group["lr"], group["weight_decay"]))
        optimizer.step()
        scheduler.step()
    return used


def rates() -> list[float]:
    """The learning rate of every update."""
    return [rate for rate, _ in train()]


if __name__ == "__main__":
    print("rates:", *(f"{rate:.6f}" for rate in rates()[::5]))
