"""A schedule in Lightning, stepped after every update, and a run that resumes from a checkpoint.

Run it: python examples/stacks/lightning_trainer.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

import funcsched as fs
from bridges.torch import lambda_lr

UPDATES = 20  # an update takes 2 batches, or 1 at the end of an epoch with an odd number of batches


class Regression(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(3, 1)
        self.rates: list[float] = []

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        inputs, targets = batch
        return torch.nn.functional.mse_loss(self.linear(inputs), targets)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.5)
        scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES))
        # By default, Lightning steps the scheduler after every epoch.
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


def batches() -> DataLoader[tuple[torch.Tensor, ...]]:
    inputs = torch.randn(28, 3, generator=torch.Generator().manual_seed(0))
    return DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True)), batch_size=4)


def trainer(folder: Path, **arguments: Any) -> lightning.Trainer:
    settings: dict[str, Any] = {
        "max_steps": UPDATES,
        "max_epochs": -1,
        "accumulate_grad_batches": 2,
        "accelerator": "cpu",
        "callbacks": [ModelCheckpoint(folder, filename="{step}", every_n_train_steps=4, save_top_k=-1)],
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "logger": False,
    }
    return lightning.Trainer(**(settings | arguments))


def main() -> list[float]:
    """Train up to update 10, where the run stops, then resume from its last checkpoint, after update 8."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        first, second = Regression(), Regression()
        trainer(folder, max_steps=10).fit(first, batches())
        trainer(folder).fit(second, batches(), ckpt_path=folder / "step=8.ckpt")
    rates = first.rates[:8] + second.rates
    print(f"learning rates of {len(rates)} updates: {rates}")
    return rates


if __name__ == "__main__":
    main()
