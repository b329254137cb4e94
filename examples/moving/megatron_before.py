"""A training loop with Megatron's OptimizerParamScheduler. `megatron_after.py` is the same loop with `lambda_lr`.

Run it: python examples/moving/megatron_before.py
"""

import torch
from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

UPDATES = 40
BATCH = 8
ARGUMENTS = {
    "init_lr": 0.0,
    "max_lr": 0.01,
    "min_lr": 0.001,
    "lr_warmup_steps": 5 * BATCH,
    "lr_decay_steps": UPDATES * BATCH,
    "lr_decay_style": "WSD",
    "wsd_decay_steps": 10 * BATCH,
    "lr_wsd_decay_style": "minus_sqrt",
}
WEIGHT_DECAY = {
    "start_wd": 0.01,
    "end_wd": 0.1,
    "wd_incr_steps": UPDATES * BATCH,
    "wd_incr_style": "cosine",
}


def train() -> list[tuple[float, float]]:
    """The learning rate and the weight decay of every update."""
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = OptimizerParamScheduler(optimizer, **ARGUMENTS, **WEIGHT_DECAY)
    used = []
    for step in range(UPDATES):
        inputs = torch.sin(torch.arange(4.0 * BATCH).reshape(BATCH, 4) + step)
        loss = (model(inputs).squeeze(1) - inputs.sum(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        group = optimizer.param_groups[0]
        used.append((group["lr"], group["weight_decay"]))
        optimizer.step()
        scheduler.step(increment=BATCH)
    return used


def rates() -> list[float]:
    """The learning rate of every update."""
    return [rate for rate, _ in train()]


if __name__ == "__main__":
    print("rates:", *(f"{rate:.6f}" for rate in rates()[::5]))
