"""`Scheduler`: a scheduler class with plain arguments, for configurations that name a class by its import path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch.optim import Optimizer

from bridges.rated import Rated
from bridges.torch.scheduler import ScheduleLR, lambda_lr
from funcsched.core.validation import argument_error
from funcsched.plans.plan import Plan
from funcsched.serialization.data import from_dict
from funcsched.serialization.expression import parse


class Scheduler(ScheduleLR):
    """`lambda_lr` as a class with plain arguments, for configurations that name a scheduler class by its import path.

    Lightning CLI, Hydra and sd-scripts have such configurations.

    Args:
        optimizer: a torch optimizer, as for `lambda_lr`, or an OptimWrapper of mmengine.
        schedule: text for `funcsched.parse`, such as ``"warmup_cosine(1000, total)"``, a dict from
            `funcsched.to_dict` or `Plan.to_dict`, a `Schedule`, or a `Plan`. A schedule multiplies the learning rates
            of the optimizer, and a plan replaces them. A list has one schedule for each parameter group.
        numbers: values of the variables in the texts, such as ``{"total": 12000}``.
        hyperparameters: schedules of other hyperparameters by their keys in the parameter groups, in the same forms. A
            list has one entry for each parameter group. If the key has several values, such as `betas`, it has one for
            each value, or a list for each group. None keeps a value.
        step: number of updates already made (int, 0 to 2**53).
        base_values: new base values of scheduled keys, as for `lambda_lr`.
        on_mismatch: "raise" or "warn", as for `lambda_lr`.
        on_external_change: "warn", "keep" or "overwrite", as for `lambda_lr`.
        end: has no effect. The runner of mmengine passes it to every scheduler.

    Raises:
        ParseError: a ValueError. A text is not an expression, or a name in it has no value.
        TypeError, ValueError: an argument is invalid, as for `lambda_lr` and `funcsched.from_dict`.

    Example:
        >>> import torch
        >>> from bridges.torch import Scheduler
        >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
        >>> scheduler = Scheduler(optimizer, "warmup_linear(total // 10, total)", numbers={"total": 100}, step=55)
        >>> scheduler.get_last_lr()
        [0.25]
    """

    by_epoch = False  # mmengine steps it after every update

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: str | dict[str, Any] | Any,  # Any: the help of jsonargparse would list all subclasses of Schedule
        numbers: dict[str, int | float] | None = None,
        hyperparameters: dict[str, Any] | None = None,
        step: int = 0,
        base_values: dict[str, Any] | None = None,
        on_mismatch: Literal["raise", "warn"] = "raise",
        on_external_change: Literal["warn", "keep", "overwrite"] = "warn",
        end: int | None = None,
    ) -> None:
        mappings = {"numbers": numbers, "hyperparameters": hyperparameters, "base_values": base_values}
        for name, value in mappings.items():
            if value is not None and not (isinstance(value, Mapping) and all(isinstance(key, str) for key in value)):
                raise argument_error("Scheduler", name, "a mapping with strings as keys, or None", value, TypeError)
        if not isinstance(optimizer, Optimizer):
            optimizer = getattr(optimizer, "optimizer", optimizer)
        scheduler = lambda_lr(
            optimizer,
            _read("schedule", schedule, numbers or {}),
            hyperparameters={
                key: _entries(_read(f"hyperparameters[{key!r}]", value, numbers or {}), optimizer, key)
                for key, value in (hyperparameters or {}).items()
            },
            step=step,
            base_values=None if base_values is None else {key: _plain(value) for key, value in base_values.items()},
            on_mismatch=on_mismatch,
            on_external_change=on_external_change,
        )
        self.__setstate__(vars(scheduler))  # which also notifies this object of changes of the optimizer


def _plain(value: Any) -> Any:
    """A base value, or a list of one per group, which OmegaConf has as a sequence."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, (tuple, str)) else value


def _entries(value: Any, optimizer: Optimizer, key: str) -> Any:
    """A list with one entry for each group, or a tuple with one for each value of the key, as `lambda_lr` takes them.

    In plain data, both are lists.
    """
    if not _is_tuple(value):
        return value
    groups = getattr(optimizer, "param_groups", ())
    has_several_values = any(isinstance(group.get(key), (list, tuple)) for group in groups)
    return value if has_several_values and not all(map(_is_tuple, value)) else list(value)


def _is_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value, Rated)


def _read(argument: str, value: Any, numbers: Mapping[str, float]) -> Any:
    """A schedule from text or plain data. Other values are left to `lambda_lr`."""
    if isinstance(value, str):
        prefix, colon, _ = value.partition(":")
        if colon and prefix.strip().isidentifier():  # such as "hf:linear(...)"
            fix = "the repr of `bridges.expressions.from_expression(text).schedule` is one with the same values"
            raise argument_error("Scheduler", argument, "an expression of funcsched", value, fix=fix)
        return parse(value, **numbers)
    if isinstance(value, Mapping):
        return Plan.from_dict(value, **numbers) if "plan" in value else from_dict(value)
    if isinstance(value, Sequence) and not isinstance(value, Rated):
        return tuple(_read(f"{argument}[{i}]", item, numbers) for i, item in enumerate(value))
    return value
