"""A schedule in an Accelerate loop with gradient accumulation, in one process or several.

Run it: python examples/stacks/accelerate_loop.py
Or in two processes: torchrun --nproc-per-node 2 examples/stacks/accelerate_loop.py
"""

from __future__ import annotations

import tempfile

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch.utils.data import DataLoader, TensorDataset

import funcsched as fs
from bridges.torch import lambda_lr

UPDATES = 20  # an update takes 2 batches, or 1 at the end of an epoch with an odd number of batches


def train(folder: str, until: int, resume: bool = False) -> list[float]:
    """The learning rates of the updates up to `until`, from the start or from the state saved in `folder`."""
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    torch.manual_seed(0)
    inputs = torch.randn(60, 3)
    batches = DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=4)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES))
    # A prepared scheduler would take one step per process at every update, so this one is registered instead.
    model, optimizer, batches = accelerator.prepare(model, optimizer, batches)
    accelerator.register_for_checkpointing(scheduler)
    if resume:
        accelerator.load_state(folder)

    rates: list[float] = []
    while scheduler.last_epoch < until:
        for features, targets in batches:
            with accelerator.accumulate(model):
                loss = (model(features) - targets).square().mean()
                accelerator.backward(loss)
                rate = optimizer.param_groups[0]["lr"]
                optimizer.step()
                optimizer.zero_grad()
            if accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped:
                rates.append(rate)
                scheduler.step()
                if scheduler.last_epoch == until:
                    break
    accelerator.save_state(folder)
    accelerator.wait_for_everyone()
    return rates


def main() -> list[float]:
    accelerator = Accelerator(cpu=True)
    with tempfile.TemporaryDirectory() as temporary:
        (folder,) = broadcast_object_list([temporary])  # all processes use the folder of the first
        rates = train(folder, until=10) + train(folder, until=UPDATES, resume=True)
    accelerator.print(f"processes: {accelerator.num_processes}; learning rates of {len(rates)} updates: {rates}")
    return rates


if __name__ == "__main__":
    main()
