"""Schedulers that follow a metric, with the arguments of torch's ReduceLROnPlateau and transformers' GreedyLR."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import TYPE_CHECKING, Any

import funcsched as fs
from bridges.arguments import call_by_name
from bridges.torch.hyperparameters import schedules_by_key
from bridges.torch.metric import Metric
from bridges.torch.scheduler import ScheduleLR
from funcsched.controllers.controller import Controller
from funcsched.core.validation import argument_error, boolean, concrete_nonnegative

if TYPE_CHECKING:
    from torch.optim import Optimizer


class MetricLR(ScheduleLR):
    """A scheduler whose `step` takes the next value of a metric, as that of ReduceLROnPlateau does."""

    def __init__(self, optimizer: Optimizer, controller: Controller) -> None:
        schedules, shared = schedules_by_key(optimizer.param_groups, fs.constant(), None)
        super().__init__(optimizer, schedules, shared, 0, {}, "raise", "warn")
        self._metric = Metric(controller)

    def step(self, metrics: Any = None, epoch: int | None = None) -> None:  # type: ignore[override]
        """Set the rates that follow from the next value of the metric (float, or a tensor with one element)."""
        if metrics is None and self._metric is not None:  # the constructor makes a step without a value
            fix = "the Trainer of transformers passes it only to ReduceLROnPlateau and GreedyLR"
            raise argument_error("step", "metrics", "the next value of the metric", None, TypeError, fix=fix)
        super().step(epoch, metric=metrics)


# For each type the controller, the default values of its rates, and the names of its other arguments.
_COMMON = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown")
_CONTROLLERS: dict[str, Any] = {
    "reduce_lr_on_plateau": (fs.plateau, {"min_lr": 0.0, "eps": 1e-8}, _COMMON),
    "greedy": (fs.greedy, {"min_lr": 1e-3, "max_lr": 1.0, "eps": 1e-8}, (*_COMMON, "warmup", "reset_start")),
}
_MULTIPLIERS = {"min_lr": "min_multiplier", "max_lr": "max_multiplier", "eps": "eps"}


def metric_scheduler(function: str, kind: str, optimizer: Optimizer, keywords: Mapping[str, Any]) -> MetricLR:
    """The scheduler of a type that follows a metric; `function` is the name in errors."""
    build, default_rates, names = _CONTROLLERS[kind]
    smoothing = ("smooth", "window_size") if kind == "greedy" else ()
    arguments = call_by_name(function, dict, [*names, *default_rates, *smoothing], keywords)
    window_size = arguments.pop("window_size", 50)
    if boolean(function, "smooth", arguments.pop("smooth", False)):
        arguments["window_size"] = window_size
    given = {name: arguments.pop(name, value) for name, value in default_rates.items()}
    rates = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    multipliers = {_MULTIPLIERS[name]: _multiplier(function, name, value, rates) for name, value in given.items()}
    try:
        controller = build(**arguments)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace(build.__name__, function, 1)) from None
    # The factory requires a first multiplier between the bounds, and transformers does not.
    return MetricLR(optimizer, type(controller)(*{**controller.arguments(), **multipliers}.values()))


def _multiplier(function: str, argument: str, value: Any, rates: list[float]) -> float:
    """A learning rate, or one for each group, as a multiple of the learning rates of all groups."""
    values = value if isinstance(value, (list, tuple)) else [value] * len(rates)
    if len(values) != len(rates):
        raise argument_error(function, argument, f"a number, or one for each of the {len(rates)} groups", value)
    values = [concrete_nonnegative(function, argument, number) for number in values]
    multiples = [number / rate for number, rate in zip(values, rates, strict=True) if rate] or [0.0]
    if argument == "eps" or isclose(min(multiples), max(multiples)):
        return float(min(multiples))
    requirement = "the same multiple of the learning rate in every parameter group"
    raise argument_error(function, argument, requirement, value, fix="give a list with one for each group")
