"""How much the sections measure, and on which device of torch."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Settings(NamedTuple):
    every_case: int  # every n-th case of the case table
    rounds: int  # of each timing
    updates: int  # training steps in a round
    replays: int  # of the CUDA graph
    many_steps: int  # in one array
    rates: int  # learning rates compared in JAX
    compile_torch: bool  # with inductor, which needs a compiler


FULL = Settings(1, 30, 20, 1_000, 400_000_000, 7, compile_torch=True)
QUICK = Settings(12, 3, 2, 40, 100_000, 3, compile_torch=False)


def torch_device() -> torch.device:
    """The accelerator of torch, or the CPU."""
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return device or torch.device("cpu")


def synchronize() -> None:
    """Wait until the accelerator of torch has finished."""
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
