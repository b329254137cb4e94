"""Schedules for torch, and torch's schedulers as schedules of this library.

Out of the library: `lambda_lr` and `to_lr_lambda`. Into it: `from_lr_scheduler`.
"""

from bridges.torch.conversion import from_lr_scheduler
from bridges.torch.lr_lambda import to_lr_lambda
from bridges.torch.scheduler import ScheduleLR, lambda_lr

__all__ = ["ScheduleLR", "from_lr_scheduler", "lambda_lr", "to_lr_lambda"]
