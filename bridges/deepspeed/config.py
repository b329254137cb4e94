"""The schedule of a DeepSpeed configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

from bridges.arguments import call_by_name, checked, choose, instance_of
from bridges.deepspeed.cycle import lr_range_test, one_cycle
from bridges.deepspeed.warmup import warmup_cosine_lr, warmup_decay_lr, warmup_lr
from bridges.rated import Rated

_TYPES: dict[str, Callable[..., Rated]] = {
    "LRRangeTest": lr_range_test,
    "OneCycle": one_cycle,
    "WarmupLR": warmup_lr,
    "WarmupDecayLR": warmup_decay_lr,
    "WarmupCosineLR": warmup_cosine_lr,
}


@checked(config=instance_of(Mapping, "a mapping with the keys 'type' and 'params'"))
def from_config(config: Mapping[str, Any], *, lr: float | None = None) -> Rated:
    """The schedule of the "scheduler" section of a DeepSpeed configuration.

    Args:
        config: a mapping with the keys "type" ("LRRangeTest", "OneCycle", "WarmupLR", "WarmupDecayLR" or
            "WarmupCosineLR") and "params", the arguments of the function for this type. Lists with one number for each
            parameter group are not supported.
        lr: learning rate of the optimizer (float, above 0). Required for "WarmupCosineLR", and for "WarmupLR" and
            "WarmupDecayLR" if `warmup_max_lr` is None. Otherwise, it has no effect.

    Returns:
        A schedule that counts updates, and its peak value. For the momentum of "OneCycle", use `one_cycle_momentum`.

    Raises:
        TypeError, ValueError: `config` is not such a mapping, the type or an argument is unknown, or an argument is
            "auto", has the wrong type or is out of range. For "auto", the message says which value the Trainer of
            transformers uses.

    Example:
        >>> from bridges.deepspeed import from_config
        >>> config = {"type": "WarmupLR", "params": {"warmup_num_steps": 4, "warmup_type": "linear"}}
        >>> schedule, peak_value = from_config(config, lr=0.5)
        >>> [peak_value * schedule(step) for step in (0, 1, 3, 5)]
        [0.0, 0.0, 0.25, 0.5]

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    function = "from_config"
    section: dict[str, Any] = call_by_name(function, dict, ["type", "params"], config)
    build = choose(function, "config['type']", section.get("type"), _TYPES)
    arguments = section.get("params") or {}
    instance_of(Mapping, "a mapping of arguments by name")(function, "config['params']", arguments)
    names = list(signature(build).parameters)
    if "lr" in names:  # not one of DeepSpeed's "params"
        names.remove("lr")
        build = partial(build, lr=lr)
    rated: Rated = call_by_name(_TYPES[section["type"]].__name__, build, names, arguments)
    return rated
