"""Lightning CLI with a torch scheduler in its configuration.

Run it: python examples/moving/lightning_cli_before.py
"""

from __future__ import annotations

from typing import Any

import lightning
import torch
import yaml
from lightning.pytorch.cli import LightningCLI
from torch.utils.data import DataLoader, TensorDataset

CONFIG = """
trainer:
  max_steps: 40
  accelerator: cpu
  logger: false
  enable_checkpointing: false
  enable_progress_bar: false
  enable_model_summary: false
optimizer:
  class_path: torch.optim.AdamW
  init_args:
    lr: 0.05
lr_scheduler:
  class_path: torch.optim.lr_scheduler.CosineAnnealingLR
  init_args:
    T_max: 40
    eta_min: 0.005
"""


class Regression(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 1)
        self.rates: list[float] = []

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        (inputs,) = batch
        return torch.nn.functional.mse_loss(self.linear(inputs), inputs.sum(1, keepdim=True))

    def train_dataloader(self) -> DataLoader[tuple[torch.Tensor, ...]]:
        return DataLoader(TensorDataset(torch.randn(160, 3)), batch_size=4)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


class CLI(LightningCLI):
    @staticmethod
    def configure_optimizers(lightning_module: Any, optimizer: Any, lr_scheduler: Any = None) -> Any:
        # By default, Lightning CLI steps the scheduler after every epoch.
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": lr_scheduler, "interval": "step"}}


def rates() -> list[float]:
    """Train a small model. Return the learning rate of every update."""
    arguments = {"subcommand": "fit", "fit": yaml.safe_load(CONFIG)}
    cli = CLI(Regression, args=arguments, save_config_callback=None)
    return list(cli.model.rates)


if __name__ == "__main__":
    values = rates()
    print(f"{len(values)} updates, peak rate {max(values)}")
