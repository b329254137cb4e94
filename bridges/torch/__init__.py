"""Schedules for torch, and torch's schedulers as schedules of this library. Imports torch.

From this library to torch: `lambda_lr` is a scheduler for the learning rate and other hyperparameters of an optimizer.
`Scheduler` is the same as a class with plain arguments, for configurations that name a class. `to_lr_lambda` is the
function that torch's own `LambdaLR` takes. All use the schedule as a multiplier: the peak value is the optimizer's own
`lr`.

From torch to this library: `from_lr_scheduler` converts a scheduler of `torch.optim.lr_scheduler` to one
`Rated(schedule, peak_value)` for each parameter group. `identify_scheduler` finds the schedule of a scheduler, of its
saved state or of a checkpoint.
"""

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    message = f"{error}; install it with: pip install 'funcsched[torch]'"
    raise ModuleNotFoundError(message, name=error.name) from error

from bridges.torch.by_path import Scheduler
from bridges.torch.conversion import from_lr_scheduler
from bridges.torch.lr_lambda import to_lr_lambda
from bridges.torch.saved import identify_scheduler
from bridges.torch.scheduler import ScheduleLR, lambda_lr

__all__ = ["ScheduleLR", "Scheduler", "from_lr_scheduler", "identify_scheduler", "lambda_lr", "to_lr_lambda"]
