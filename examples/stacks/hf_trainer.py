"""A schedule in `transformers.Trainer`, which accepts an optimizer and its scheduler as a pair.

Run it: python examples/stacks/hf_trainer.py
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

import funcsched as fs
from bridges.torch import lambda_lr

UPDATES = 20  # an update takes 4 batches, or fewer at the end of an epoch


class Regression(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 1)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = self.linear(inputs).squeeze(-1)
        return {"loss": (outputs - labels).square().mean(), "logits": outputs}


def build(folder: str, **arguments: Any) -> Trainer:
    torch.manual_seed(0)
    model = Regression()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    scheduler = lambda_lr(optimizer, fs.warmup_linear(4, UPDATES))
    settings: dict[str, Any] = {
        "max_steps": UPDATES,
        "gradient_accumulation_steps": 4,
        "per_device_train_batch_size": 4,
        "logging_steps": 1,
        "save_steps": 5,
        "use_cpu": True,
        "report_to": "none",
    }
    inputs = torch.randn(72, 3)
    return Trainer(
        model,
        TrainingArguments(folder, **(settings | arguments)),
        train_dataset=[{"inputs": sample, "labels": sample.sum()} for sample in inputs],
        optimizers=(optimizer, scheduler),
    )


def main() -> list[float]:
    """Train up to update 10, then resume from the checkpoint with a new Trainer, as a new process would."""
    with tempfile.TemporaryDirectory() as folder:
        build(folder, max_steps=10).train()
        trainer = build(folder)
        trainer.train(resume_from_checkpoint=True)
    rates = [float(entry["learning_rate"]) for entry in trainer.state.log_history if "learning_rate" in entry]
    print(f"learning rates of {len(rates)} updates: {rates}")
    return rates


if __name__ == "__main__":
    main()
