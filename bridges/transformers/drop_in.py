"""The functions of transformers that take an optimizer and return a torch scheduler, as drop-in replacements.

Each has the signature of the function in transformers. The differences are those of `from_scheduler_type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bridges.arguments import checked, choose, instance_of
from bridges.transformers.scheduler_type import METRIC_TYPES, SCHEDULER_TYPES, build_schedule
from funcsched.core.validation import argument_error, number_rule
from funcsched.numerics.number_system import MAX_COUNT

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from bridges.torch import ScheduleLR
    from bridges.transformers.metric import MetricLR

_last_epoch = number_rule("an integer from -1 to 2**53 - 1", -1, MAX_COUNT - 1, int)


@checked(scheduler_specific_kwargs=instance_of(Mapping, "a mapping"))
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
        num_warmup_steps: number of warmup steps (int or a simple fraction, 0 to 2**53).
        num_training_steps: total number of steps, including warmup (int or a simple fraction, 0 to 2**53).
        scheduler_specific_kwargs: other arguments of the type, as `from_scheduler_type` lists them, and `last_epoch`
            (int, -1 to 2**53 - 1): the scheduler starts at step ``last_epoch + 1``. From 0 on, every parameter group
            needs an `initial_lr`, which the state of the optimizer contains. For "reduce_lr_on_plateau" and "greedy",
            the arguments of torch's ReduceLROnPlateau and transformers' GreedyLR.

    Returns:
        A scheduler of `bridges.torch.lambda_lr`, which is a subclass of torch's LambdaLR. The scheduler of a type that
        follows a metric has the method `step(metrics)` of ReduceLROnPlateau.

    Raises:
        TypeError, ValueError: an argument is invalid, a parameter group has no `initial_lr`, or `optimizer` is
            transformers' LayerWiseDummyOptimizer.

    Differs: as `from_scheduler_type`: for example, the last value is held. `lr_end` and `min_lr` are converted with the
    base rate of each parameter group, so that every group ends at them; transformers converts them with
    ``optimizer.defaults["lr"]``, so only a group with this rate does. If the groups have different rates, they have
    separate schedules, and a later group is added with `scheduler.add_param_group`. A state that was saved by a
    scheduler of transformers cannot be loaded, because it does not describe its schedule: use `last_epoch`.

    The types that follow a metric have one multiplier for all groups. So `min_lr` and `max_lr` must be the same
    multiple of the rate of every group, and `eps` applies to the highest rate. They begin at the base rate, even if the
    loaded state of the optimizer has a lower `lr`: load the state of the scheduler, too. `verbose` is an error. The
    Trainer of transformers only passes the metric to a ReduceLROnPlateau or GreedyLR, so they cannot be among its
    `optimizers`.

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
    function, keywords = "get_scheduler", scheduler_specific_kwargs or {}
    choose(function, "name", name, [*SCHEDULER_TYPES, *METRIC_TYPES])
    if name in METRIC_TYPES:
        return _metric_scheduler(function, name, optimizer, keywords)
    steps = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    return _scheduler(function, name, optimizer, steps, keywords)


@checked()
def get_constant_schedule(optimizer: Optimizer, last_epoch: int = -1) -> ScheduleLR:
    """`get_scheduler` for the type "constant"."""
    return _from_call("get_constant_schedule", "constant", locals())


@checked()
def get_constant_schedule_with_warmup(optimizer: Optimizer, num_warmup_steps: int, last_epoch: int = -1) -> ScheduleLR:
    """`get_scheduler` for the type "constant_with_warmup"."""
    return _from_call("get_constant_schedule_with_warmup", "constant_with_warmup", locals())


@checked()
def get_linear_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "linear"."""
    return _from_call("get_linear_schedule_with_warmup", "linear", locals())


@checked()
def get_cosine_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine"."""
    return _from_call("get_cosine_schedule_with_warmup", "cosine", locals())


@checked()
def get_cosine_with_hard_restarts_schedule_with_warmup(
    optimizer: Optimizer, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "cosine_with_restarts"."""
    return _from_call("get_cosine_with_hard_restarts_schedule_with_warmup", "cosine_with_restarts", locals())


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
    return _from_call("get_polynomial_decay_schedule_with_warmup", "polynomial", locals())


@checked()
def get_inverse_sqrt_schedule(
    optimizer: Optimizer, num_warmup_steps: int, timescale: int | None = None, last_epoch: int = -1
) -> ScheduleLR:
    """`get_scheduler` for the type "inverse_sqrt"."""
    return _from_call("get_inverse_sqrt_schedule", "inverse_sqrt", locals())


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
    return _from_call("get_cosine_with_min_lr_schedule_with_warmup", "cosine_with_min_lr", locals())


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
    return _from_call("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", "cosine_warmup_with_min_lr", locals())


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
    return _from_call("get_wsd_schedule", "warmup_stable_decay", locals())


def get_reduce_on_plateau_schedule(optimizer: Optimizer, **kwargs: Any) -> MetricLR:
    """`get_scheduler` for the type "reduce_lr_on_plateau"."""
    return _metric_scheduler("get_reduce_on_plateau_schedule", "reduce_lr_on_plateau", optimizer, kwargs)


def get_greedy_schedule(optimizer: Optimizer, **kwargs: Any) -> MetricLR:
    """`get_scheduler` for the type "greedy"."""
    return _metric_scheduler("get_greedy_schedule", "greedy", optimizer, kwargs)


@checked()
def get_adafactor_schedule(optimizer: Optimizer, initial_lr: float = 0.0) -> Any:
    """transformers' own scheduler: its Adafactor computes its rates itself, and the scheduler reports them."""
    from transformers import optimization

    function: Any = optimization.get_adafactor_schedule
    return function(optimizer, initial_lr)


def _metric_scheduler(function: str, kind: str, optimizer: Optimizer, keywords: Mapping[str, Any]) -> MetricLR:
    from bridges.transformers.metric import metric_scheduler

    _require_optimizer(function, optimizer)
    return metric_scheduler(function, kind, optimizer, keywords)


def _from_call(function: str, kind: str, arguments: dict[str, Any]) -> ScheduleLR:
    """The scheduler of a function of one type, from its arguments."""
    optimizer = arguments.pop("optimizer")
    steps = {name: arguments.pop(name, None) for name in ("num_warmup_steps", "num_training_steps")}
    return _scheduler(function, kind, optimizer, steps, arguments)


def _scheduler(
    function: str, kind: str, optimizer: Optimizer, steps: Mapping[str, Any], keywords: Mapping[str, Any]
) -> ScheduleLR:
    """The scheduler of a type. The keywords are the arguments of the type, and `last_epoch`."""
    from bridges.torch import lambda_lr

    keywords = dict(keywords)
    last_epoch = keywords.pop("last_epoch", -1)
    _require_optimizer(function, optimizer)
    groups = optimizer.param_groups
    start = _last_epoch(function, "last_epoch", last_epoch) + 1
    if start and not all("initial_lr" in group for group in groups):
        requirement = "-1 unless every parameter group has an 'initial_lr'"
        raise argument_error(function, "last_epoch", requirement, last_epoch, fix="load the optimizer's state first")
    # A group at rate 0 stays at 0 with every schedule, so its schedule uses the default rate.
    default = float(optimizer.defaults.get("lr") or 0.0)
    rates = [float(group.get("initial_lr", group["lr"])) or default or None for group in groups]
    others = ["last_epoch"]
    by_rate = {rate: build_schedule(function, kind, {**steps, "base_lr": rate}, keywords, others) for rate in rates}
    # A single schedule also applies to groups that are added later.
    same = len(set(by_rate.values())) == 1
    return lambda_lr(optimizer, by_rate[rates[0]] if same else [by_rate[rate] for rate in rates], step=start)


def _require_optimizer(function: str, optimizer: Any) -> None:
    if hasattr(optimizer, "optimizer_dict"):  # LayerWiseDummyOptimizer
        fix, name = "call the function for each optimizer in its `optimizer_dict`", type(optimizer).__name__
        raise argument_error(function, "optimizer", "one that updates its parameters", name, TypeError, fix=fix)
    if not hasattr(optimizer, "param_groups"):
        raise argument_error(function, "optimizer", "a torch optimizer", optimizer, TypeError)
