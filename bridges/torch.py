"""Schedules for torch: the lambdas of `LambdaLR`, and a `LambdaLR` that resumes where it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from bridges._torch_schedulers import from_lr_scheduler
from funcsched._check import refuse, whole_now
from funcsched.schedule import Schedule, lifted

__all__ = ["ScheduleLR", "from_lr_scheduler", "lambda_lr", "to_lr_lambda"]


def to_lr_lambda(schedule: Schedule | Callable[[Any], Any]) -> Callable[[int], float]:
    """A schedule as the `lr_lambda` of `torch.optim.lr_scheduler.LambdaLR`.

    Args:
        schedule: a schedule or a function of a step.

    Returns:
        A function from the number of updates made to the multiplier. Call `scheduler.step()` in the batch loop, after
        `optimizer.step()`. The function pickles, and keeps nothing that `LambdaLR` would write into a checkpoint or
        overwrite from one.

    Raises:
        TypeError: `schedule` is not callable.

    Example:
        >>> import funcsched as fs
        >>> from bridges.torch import to_lr_lambda
        >>> multiplier = to_lr_lambda(fs.warmup_linear(10, 100))
        >>> multiplier(0), multiplier(10), multiplier(100)
        (0.0, 1.0, 0.0)
    """
    # LambdaLR saves and overwrites the __dict__ of any callable but a plain function; a partial's is empty.
    return partial(Schedule.__call__, lifted("to_lr_lambda", "schedule", schedule))


class ScheduleLR(LambdaLR):
    """A `LambdaLR` that sets the learning rates of the step it is loaded at; see `lambda_lr`."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state and set its learning rates, in whichever order the optimizer's own state is loaded."""
        super().load_state_dict(state_dict)
        rates = [
            base * multiplier(self.last_epoch) for base, multiplier in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate.squeeze() if isinstance(rate, Tensor) else rate)
            else:
                group["lr"] = rate
        self._last_lr = rates


def lambda_lr(
    optimizer: Optimizer,
    schedule: Schedule | Callable[[Any], Any] | Sequence[Schedule | Callable[[Any], Any]],
    *,
    step: int = 0,
) -> LambdaLR:
    """A `LambdaLR` that runs a schedule, from the start or from any step.

    Args:
        optimizer: its groups' learning rates are the base rates. In a group that a scheduler has used before, also
            before a checkpoint that was loaded, the base is `initial_lr`, which torch keeps there.
        schedule: one schedule for all parameter groups, or a list with one for each.
        step: the number of updates made before, a whole number of at least 0.

    Returns:
        A scheduler at `step`: the next update runs at ``base rate * schedule(step)``, whether or not the optimizer's
        state was loaded before. Call its `step()` in the batch loop, after `optimizer.step()`. Its `state_dict()` is
        plain data, and loading one sets the rates that belong to it.

    Raises:
        TypeError, ValueError: no optimizer, no schedule, or not one for each group, or `step` is not a whole number of
            at least 0; the optimizer is left as it was.

    Example:
        >>> import funcsched as fs, torch
        >>> from bridges.torch import lambda_lr
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> scheduler = lambda_lr(optimizer, fs.warmup_linear(10, 100), step=10)
        >>> scheduler.get_last_lr()
        [0.5]
    """
    if not isinstance(optimizer, Optimizer):
        raise refuse("lambda_lr", "optimizer", "a torch optimizer", optimizer, TypeError)
    groups = optimizer.param_groups
    if isinstance(schedule, (list, tuple)):
        if len(schedule) != len(groups):
            requirement = f"one schedule, or one for each of the {len(groups)} parameter groups"
            raise refuse("lambda_lr", "schedule", requirement, schedule)
        schedules = [lifted("lambda_lr", f"schedule[{i}]", item) for i, item in enumerate(schedule)]
    else:
        schedules = [lifted("lambda_lr", "schedule", schedule)] * len(groups)
    step = whole_now("lambda_lr", "step", step)
    for group in groups:
        rate = group["lr"]
        group.setdefault("initial_lr", rate.clone() if isinstance(rate, Tensor) else rate)
    # LambdaLR makes one step when it is built, so it is told the step before; before step 0 that is -1, its default.
    return ScheduleLR(optimizer, [to_lr_lambda(item) for item in schedules], last_epoch=step - 1)
