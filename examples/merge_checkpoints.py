"""Merge the checkpoints of a run with a constant learning rate, and compare the result with a run that decays.

    python examples/merge_checkpoints.py

Needs the extra `examples`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sklearn.datasets import load_digits

import funcsched as fs
from bridges.torch import lambda_lr

PEAK, WARMUP, STABLE, DECAY, EVERY = 0.8, 20, 600, 300, 20
SHAPE = fs.linear


def model_and_loss() -> tuple[torch.nn.Module, Callable[[], torch.Tensor], Callable[[], float]]:
    """A small network, its loss on the next random batch of the digits, and its loss on the rest of them."""
    torch.manual_seed(0)
    digits = load_digits()
    x, y = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
    order = torch.randperm(len(x))
    train, test = order[:1200], order[1200:]
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))
    cross_entropy = torch.nn.functional.cross_entropy

    def training_loss() -> torch.Tensor:
        batch = train[torch.randint(len(train), (8,))]
        return cross_entropy(model(x[batch]), y[batch])

    def test_loss() -> float:
        with torch.no_grad():
            return float(cross_entropy(model(x[test]), y[test]))

    return model, training_loss, test_loss


def train(schedule: fs.Schedule) -> tuple[float, list[dict[str, torch.Tensor]], torch.nn.Module, Callable[[], float]]:
    """Train once: the loss at the end, a checkpoint every `EVERY` updates of the last phase, the model and its loss."""
    model, training_loss, test_loss = model_and_loss()
    optimizer = torch.optim.SGD(model.parameters(), lr=PEAK)
    scheduler = lambda_lr(optimizer, schedule)
    checkpoints = []
    for step in range(WARMUP + STABLE + DECAY):
        if step >= WARMUP + STABLE and (step - WARMUP - STABLE) % EVERY == 0:
            checkpoints.append({name: value.clone() for name, value in model.state_dict().items()})
        optimizer.zero_grad()
        training_loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return test_loss(), checkpoints, model, test_loss


def compare() -> dict[str, float]:
    """The test loss after a constant rate, of its merged checkpoints, and after a rate that decays."""
    constant, checkpoints, model, test_loss = train(fs.warmup_constant(WARMUP))
    weights = fs.merge_weights(SHAPE, len(checkpoints))
    merged = {
        name: sum(weight * checkpoint[name] for weight, checkpoint in zip(weights, checkpoints, strict=True))
        for name in checkpoints[0]
    }
    model.load_state_dict(merged)
    decayed, *_ = train(fs.warmup_stable_decay(WARMUP, STABLE, DECAY, decay_shape=SHAPE))
    return {"constant rate": constant, "merged checkpoints": test_loss(), "decayed rate": decayed}


if __name__ == "__main__":
    for name, loss in compare().items():
        print(f"{name:20} test loss {loss:.4f}")
