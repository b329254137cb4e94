"""The functions of transformers that take an optimizer and return a torch scheduler, as drop-in replacements.

Each has the signature of the function in transformers. The differences are those of `from_scheduler_type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from bridges.rated import checked
from bridges.transformers.scheduler_type import from_scheduler_type, metric_error
from funcsched.core.validation import argument_error, number_rule
from funcsched.numerics.number_system import MAX_COUNT

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from bridges.torch import ScheduleLR

_last_epoch = number_rule("an integer from -1 to 2**53 - 1", -1, MAX_COUNT - 1, int)


@checked()
def get_scheduler(
    name: str,
    optimizer: Optimizer,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> ScheduleLR:
    """transformers' get_scheduler: the scheduler of a `SchedulerType`.

    Its rates are ``base rate * from_scheduler_type(name, ...)(step)``. Each of the other functions does the same for
    one type.

    Args:
        name: type of the scheduler (str, or a member of transformers' `SchedulerType`).
        optimizer: a torch optimizer. The base rate of a parameter group is its `initial_lr`, or else its `lr`.
        num_warmup_steps: number of warmup steps (int, 0 to `num_training_steps`).
        num_training_steps: total number of steps, including warmup (int, 0 to 2**53).
        scheduler_specific_kwargs: other arguments of the type, as `from_scheduler_type` lists them, and `last_epoch`
            (int, -1 to 2**53 - 1): the scheduler starts at step ``last_epoch + 1``. From 0 on, every parameter group
            needs an `initial_lr`, which the state of the optimizer contains.

    Returns:
        A scheduler of `bridges.torch.lambda_lr`, which is a subclass of torch's LambdaLR.

    Raises:
        TypeError, ValueError: an argument of `from_scheduler_type` is invalid, the type follows a metric, a parameter
            group has no `initial_lr`, or `optimizer` is transformers' LayerWiseDummyOptimizer.

    Differs: as `from_scheduler_type`: for example, the last value is held. `lr_end` and `min_lr` are converted with the
    base rate of each parameter group, so that every group ends at them; transformers converts them with
    ``optimizer.defaults["lr"]``, so only a group with this rate does. If the groups have different rates, they have
    separate schedules, and a later group is added with `scheduler.add_param_group`. A state that was saved by a
    scheduler of transformers cannot be loaded, because it does not describe its schedule: use `last_epoch`.

    Example:
        >>> import torch
        >>> from bridges.transformers import get_scheduler
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> scheduler = get_scheduler("linear", optimizer, num_warmup_steps=2, num_training_steps=10)
        >>> for _ in range(6):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> scheduler.get_last_lr()
        [0.25]

    Source: transformers 5.23, transformers.get_scheduler.
    """
    arguments = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return _scheduler(name, optimizer, **{**arguments, **(scheduler_specific_kwargs or {})})


@checked()
def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> ScheduleLR:
    """`get_scheduler` for the type "constant"."""
    return _scheduler("constant", **locals())


@checked()
def get_constant_schedule_with_warmup(optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1) -> ScheduleLR:
    """`get_scheduler` for the type "constant_with_warmup"."""
    return _scheduler("constant_with_warmup", **locals())


@checked()
def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "linear"."""
    return _scheduler("linear", **locals())


@checked()
def get_cosine_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine"."""
    return _scheduler("cosine", **locals())


@checked()
def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine_with_restarts"."""
    return _scheduler("cosine_with_restarts", **locals())


@checked()
def get_polynomial_decay_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    lr_end: float = 1e-7,
    power: float = 1.0,
    last_epoch: int = -1,
) -> ScheduleLR:
    """`get_scheduler` for the type "polynomial"."""
    return _scheduler("polynomial", **locals())


@checked()
def get_inverse_sqrt_schedule(
    optimizer: Optimizer, num_warmup_steps: int, timescale: int | None = None, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "inverse_sqrt"."""
    return _scheduler("inverse_sqrt", **locals())


@checked()
def get_cosine_with_min_lr_schedule_with_warmup(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine_with_min_lr"."""
    return _scheduler("cosine_with_min_lr", **locals())


@checked()
def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine_warmup_with_min_lr"."""
    return _scheduler("cosine_warmup_with_min_lr", **locals())


@checked()
def get_wsd_schedule(
    optimizer: Optimizer,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0,
    num_cycles: float = 0.5,
    last_epoch: int = -1,
) -> ScheduleLR:
    """`get_scheduler` for the type "warmup_stable_decay"."""
    return _scheduler("warmup_stable_decay", **locals())


def get_reduce_on_plateau_schedule(optimizer: Optimizer, **kwargs: Any) -> NoReturn:
    """Raises the error of `get_scheduler` for the type "reduce_lr_on_plateau", which follows a metric."""
    raise metric_error("get_reduce_on_plateau_schedule", "schedule", "reduce_lr_on_plateau")


def get_greedy_schedule(optimizer: Optimizer, **kwargs: Any) -> NoReturn:
    """Raises the error of `get_scheduler` for the type "greedy", which follows a metric."""
    raise metric_error("get_greedy_schedule", "schedule", "greedy")


def _scheduler(kind: str, optimizer: Optimizer, last_epoch: int = -1, **arguments: Any) -> ScheduleLR:
    from bridges.torch import lambda_lr

    function, groups = "get_scheduler", getattr(optimizer, "param_groups", [])  # `lambda_lr` checks the optimizer
    if hasattr(optimizer, "optimizer_dict"):
        requirement, name = "an optimizer that updates its own parameters", type(optimizer).__name__
        fix = "call the function for each optimizer in its `optimizer_dict`"
        raise argument_error(function, "optimizer", requirement, name, TypeError, fix=fix)
    step = _last_epoch(function, "last_epoch", last_epoch) + 1
    if step and not all("initial_lr" in group for group in groups):
        requirement = "-1 unless every parameter group has an 'initial_lr'"
        raise argument_error(function, "last_epoch", requirement, last_epoch, fix="load the optimizer's state first")
    # A group at rate 0 stays at 0 with every schedule, so its schedule uses the default rate.
    default = float(optimizer.defaults.get("lr") or 0.0) if groups else 0.0
    rates = [float(group.get("initial_lr", group["lr"])) or default or None for group in groups]
    by_rate = {rate: from_scheduler_type(kind, base_lr=rate, **arguments) for rate in rates}
    # A single schedule also applies to groups that are added later.
    same = len(set(by_rate.values())) == 1
    return lambda_lr(optimizer, by_rate[rates[0]] if same else [by_rate[rate] for rate in rates], step=step)
