"""Schedules for torch: the lambdas of `LambdaLR`, and a `LambdaLR` that resumes where it should."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.optim import Optimizer

from bridges._schedule_lr import ScheduleLR, to_lr_lambda
from bridges._torch_schedulers import from_lr_scheduler
from bridges._tracks import tracks_of
from funcsched._check import refuse, whole_now
from funcsched.resume import on_mismatch_rule
from funcsched.schedule import Schedule

__all__ = ["ScheduleLR", "from_lr_scheduler", "lambda_lr", "to_lr_lambda"]


def lambda_lr(
    optimizer: Optimizer,
    schedule: Schedule | Callable[[Any], Any] | Sequence[Schedule | Callable[[Any], Any]],
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    step: int = 0,
    on_mismatch: str = "raise",
) -> ScheduleLR:
    """A `LambdaLR` that runs schedules, from the start or from any step.

    Args:
        optimizer: its groups' learning rates are the base rates. In a group that a scheduler has used before, also
            before a checkpoint that was loaded, the base is `initial_lr`, which torch keeps there.
        schedule: one schedule for the learning rates of all parameter groups, or a list with one for each.
        hyperparameters: schedules of other numbers of the groups by their keys, such as
            ``{"weight_decay": schedule, "betas": (None, schedule)}``. Each is a schedule, a multiplier of what the
            group began with (kept as `initial_weight_decay`); or a `Rated` pair, whose product is the value; for a
            key with several numbers a tuple of these, None for what stays; or a list with one for each group.
        step: the number of updates made before, a whole number of at least 0.
        on_mismatch: what loading the state of another schedule does. "raise" refuses it, "warn" goes on with this one.

    Returns:
        A scheduler at `step`: the next update runs at ``base rate * schedule(step)``, whether or not the optimizer's
        state was loaded before. Call its `step()` in the batch loop, after `optimizer.step()`. Its `state_dict()` is
        plain data with a description of the schedules, and loading one sets the values that belong to its step. A
        group that is added later by `optimizer.add_param_group` runs by the same schedules from then on; where lists
        were given it is refused.

    Raises:
        TypeError, ValueError: no optimizer, no schedule, or not one for each group, a key that a group does not have
            or that holds no number, or `step` is not a whole number of at least 0; the optimizer is left as it was.

    Example:
        >>> import funcsched as fs, torch
        >>> from bridges.torch import lambda_lr
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5, weight_decay=0.25)
        >>> curve = fs.warmup_linear(10, 100)
        >>> scheduler = lambda_lr(optimizer, curve, hyperparameters={"weight_decay": curve}, step=55)
        >>> scheduler.get_last_lr(), optimizer.param_groups[0]["weight_decay"]
        ([0.25], 0.125)
    """
    if not isinstance(optimizer, Optimizer):
        raise refuse("lambda_lr", "optimizer", "a torch optimizer", optimizer, TypeError)
    tracks, shared = tracks_of(optimizer.param_groups, schedule, hyperparameters)
    step = whole_now("lambda_lr", "step", step)
    on_mismatch_rule("lambda_lr", "on_mismatch", on_mismatch)
    return ScheduleLR(optimizer, tracks, shared, step, on_mismatch)
