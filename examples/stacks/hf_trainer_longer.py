"""Resume a run of `transformers.Trainer` with more epochs: the constant phase gets longer, and no rate jumps.

Run it: python examples/stacks/hf_trainer_longer.py
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

import funcsched as fs
from bridges.torch import lambda_lr

PER_EPOCH = 10  # updates
WARMUP, DECAY = 4, 6


class Regression(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 1)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = self.linear(inputs).squeeze(-1)
        return {"loss": (outputs - labels).square().mean(), "logits": outputs}


def constant_then_decay(epochs: int) -> fs.Schedule:
    """A schedule that depends on the number of epochs only after its constant phase."""
    return fs.warmup_stable_decay(WARMUP, epochs * PER_EPOCH - WARMUP - DECAY, DECAY)


def build(folder: str, epochs: int, schedule: fs.Schedule, **options: Any) -> Trainer:
    torch.manual_seed(0)
    model = Regression()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    inputs = torch.randn(8 * PER_EPOCH, 3)
    arguments = TrainingArguments(
        folder,
        num_train_epochs=epochs,
        per_device_train_batch_size=8,
        logging_steps=1,
        save_strategy="epoch",
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )
    return Trainer(
        model,
        arguments,
        train_dataset=[{"inputs": sample, "labels": sample.sum()} for sample in inputs],
        # A different schedule raises an error, or is logged with on_mismatch="warn": the Trainer drops warnings.
        optimizers=(optimizer, lambda_lr(optimizer, schedule, **options)),
    )


def main() -> list[float]:
    """Plan two epochs, then resume after the first one and train for four in total."""
    with tempfile.TemporaryDirectory() as folder:
        build(folder, 2, constant_then_decay(2)).train()
        trainer = build(folder, 4, constant_then_decay(4))
        trainer.train(resume_from_checkpoint=f"{folder}/checkpoint-{PER_EPOCH}")
    rates = [float(entry["learning_rate"]) for entry in trainer.state.log_history if "learning_rate" in entry]
    print(f"learning rates of {len(rates)} updates: {rates}")
    return rates


if __name__ == "__main__":
    main()
