"""A schedule with `torch.amp.GradScaler`: updates that the scaler skips do not advance the schedule.

Run it: python examples/stacks/grad_scaler.py
"""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

import funcsched as fs
from bridges.torch import lambda_lr

UPDATES = 20


def step_with_updates(optimizer: Optimizer, scheduler: LRScheduler) -> None:
    """Step the scheduler exactly once after every update that the optimizer applies.

    Loading an optimizer state with `torch.distributed.checkpoint` calls the optimizer once, so load the state of the
    scheduler after it.
    """

    def after_step(optimizer: Optimizer, *_: Any) -> None:
        # To skip an update, the scaler does not call the optimizer. A fused optimizer is called, with `found_inf` set.
        if not getattr(optimizer, "found_inf", False):
            scheduler.step()

    optimizer.register_step_post_hook(after_step)


def main() -> tuple[int, list[float]]:
    """The number of batches, and the learning rate of every update."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES, start=0.25))
    step_with_updates(optimizer, scheduler)
    scaler = torch.amp.GradScaler("cpu")  # its initial scale of 2**16 is too high for this loss in float16

    batches, rates = 0, []
    while scheduler.last_epoch < UPDATES:
        inputs = torch.randn(32, 4)
        with torch.autocast("cpu", dtype=torch.float16):
            loss = (model(inputs).squeeze(1) - inputs.sum(1)).square().mean()
        before, rate = scheduler.last_epoch, optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)  # also steps the scheduler, so the loop does not call scheduler.step()
        scaler.update()
        batches += 1
        if scheduler.last_epoch > before:
            rates.append(rate)
    print(f"{batches} batches; learning rates of {len(rates)} updates: {rates}")
    return batches, rates


if __name__ == "__main__":
    main()
