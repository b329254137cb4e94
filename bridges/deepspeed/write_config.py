"""The "scheduler" section of a DeepSpeed configuration for a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.deepspeed.config import from_config
from bridges.rated import checked
from funcsched.core.validation import concrete_positive_int, optional, positive

_FIX = (
    "pass `lambda_lr(optimizer, schedule)` of bridges.torch to `deepspeed.initialize` (warmups of DeepSpeed start one"
    " step late)"
)


@checked(schedule=phases.concrete_schedule, peak_value=positive, total_steps=optional(concrete_positive_int))
def to_config(schedule: fs.Schedule, peak_value: float, total_steps: int | None = None) -> dict[str, Any]:
    """The "scheduler" section of a DeepSpeed configuration for a schedule.

    The inverse of `from_config`. DeepSpeed's warmups start one step late, so it cannot run most schedules with a
    warmup. A linear warmup with a linear decay back to the same level is a "OneCycle".

    Args:
        schedule: a schedule that counts updates.
        peak_value: learning rate for multiplier 1 (float, above 0), which must also be that of the optimizer.
        total_steps: number of updates of the run (int, 1 to 2**53). Default: up to the end of the schedule.

    Returns:
        A dict with the keys "type" and "params". An increase is an "LRRangeTest", which continues to rise after the
        run.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or DeepSpeed does not have this
            curve. The message names the phase that it cannot express. Stairs are not supported.

    Example:
        >>> import funcsched as fs
        >>> from bridges.deepspeed import to_config
        >>> to_config(fs.warmup_linear(10, 100), 0.5)  # doctest: +NORMALIZE_WHITESPACE
        {'type': 'OneCycle', 'params': {'cycle_min_lr': 0.0, 'cycle_max_lr': 0.5, 'cycle_first_step_size': 10,
         'cycle_second_step_size': 90, 'decay_step_size': 0, 'decay_lr_rate': 0.0, 'cycle_momentum': False}}
        >>> to_config(fs.warmup_cosine(10, 100), 0.5)
        Traceback (most recent call last):
        ValueError: to_config: no DeepSpeed settings for the phase from 1 to 0 with shape cosine in steps 10 to 100 of \
warmup_cosine(warmup_steps=10, total_steps=100); pass `lambda_lr(optimizer, schedule)` of bridges.torch to \
`deepspeed.initialize` (warmups of DeepSpeed start one step late)

    Source: DeepSpeed 0.19.8, deepspeed/runtime/lr_schedules.py.
    """
    found = phases.phases(schedule)

    def read(config: dict[str, Any]) -> fs.Schedule:
        end = {"total_num_steps": int(found[-1].begin)} if config["type"] == "LRRangeTest" else {}
        return from_config({**config, "params": {**config["params"], **end}}, lr=peak_value).schedule

    configs = ({"type": name, "params": params} for name, params in _configs(found, peak_value))
    return phases.first_match("DeepSpeed", schedule, configs, read, total_steps, _FIX)


def _configs(found: list[phases.Phase], peak_value: float) -> Iterator[tuple[str, dict[str, Any]]]:
    # The engine uses the first rate of a warmup twice.
    for outline in phases.outlines([phase.moved(-1) for phase in found[1:]] or found):
        for warmup_type, steps in (("linear", outline.warmup), ("log", outline.warmup + 1)):
            warmup = {"warmup_num_steps": max(int(steps), 2), "warmup_type": warmup_type}
            rates = {"warmup_min_lr": phases.rate(outline.start, peak_value), "warmup_max_lr": peak_value, **warmup}
            yield "WarmupLR", rates
            yield "WarmupDecayLR", {"total_num_steps": outline.total, **rates}
            # The decay of this type is one step ahead of its warmup.
            ratios = {"warmup_min_ratio": outline.start, "cos_min_ratio": outline.decay.stop, **warmup}
            yield "WarmupCosineLR", {"total_num_steps": outline.total + 1, **ratios}
    last, inverse_time = found[-1], phases.find(found[-1].curve, "inverse_time")
    decay = {"decay_step_size": inverse_time.get("steps", 0), "decay_lr_rate": inverse_time.get("rate", 0.0)}
    for outline in phases.outlines(found):
        first, growth = int(outline.warmup), outline.peak - outline.start
        cycle = {"cycle_min_lr": phases.rate(outline.start, peak_value), "cycle_max_lr": peak_value}
        cycle |= {"cycle_first_step_size": first, "cycle_second_step_size": int(last.begin) - first}
        yield "OneCycle", {**cycle, **decay, "cycle_momentum": False}
        if growth > 0:
            rates = {"lr_range_test_min_lr": peak_value, "lr_range_test_step_size": first}
            yield "LRRangeTest", {**rates, "lr_range_test_step_rate": growth}
