"""The "scheduler" section of a DeepSpeed configuration for a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.arguments import checked
from bridges.deepspeed.config import from_config
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
            curve. The message names the phase that it cannot express.

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
        end = {"total_num_steps": total_steps or _end(found)} if config["type"] == "LRRangeTest" else {}
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
    inverse_time = phases.find(found[-1].curve, "inverse_time")
    decay = {"decay_step_size": inverse_time.get("steps", 0), "decay_lr_rate": inverse_time.get("rate", 0.0)}
    cycle = {"cycle_min_lr": phases.rate(found[0].start, peak_value), "cycle_max_lr": peak_value}
    for sizes in _cycle_sizes(found):
        yield "OneCycle", {**cycle, **sizes, **decay, "cycle_momentum": False}
    ramp, stairs = phases.find(found[0].curve, "ramp"), phases.find(found[0].curve, "staircase")
    growth = (ramp["stop"] - ramp["start"]) / ramp["steps"] if ramp else found[0].stop - found[0].start
    size = {"lr_range_test_step_size": stairs.get("steps", int(found[0].length))}
    test = {"lr_range_test_min_lr": peak_value, **size, "lr_range_test_step_rate": growth}
    yield "LRRangeTest", {**test, "lr_range_test_staircase": True} if stairs else test


def _end(found: list[phases.Phase]) -> int:
    """The step at which a schedule ends."""
    stairs = phases.find(found[0].curve, "staircase")
    return int(stairs["steps"] * phases.find(found[0].curve, "ramp")["steps"]) if stairs else int(found[-1].begin)


def _cycle_sizes(found: list[phases.Phase]) -> Iterator[dict[str, int]]:
    """The lengths and the numbers of stairs of both ramps. Without stairs, the number is 0."""
    low, last = found[0].start, found[-1]
    top = next((i for i, phase in enumerate(found) if phase.start == 1.0), len(found) - 1)
    first = max(int(found[top].begin), 1)

    def stairs(part: list[phases.Phase]) -> int:
        fractions = [Fraction((phase.start - low) / (1.0 - low)).limit_denominator(1000) for phase in part]
        return lcm(*(fraction.denominator for fraction in fractions))

    ramps = found[:top], [phase for phase in found[top:] if not isinstance(phase.curve, fs.Schedule)] or [last]
    up, down = (0 if low == 1 or any(phase.curve is not None for phase in ramp) else stairs(ramp) for ramp in ramps)
    begin = int(ramps[1][-1].begin) - first - 1 if down else 0  # of the last stair, counted from one step after the top
    shortest = -(-begin * down // (down - 1)) if down > 1 else 1
    for second in (max(int(last.begin) - first, 0), shortest, shortest + 1):
        sizes = {"cycle_first_step_size": first, "cycle_second_step_size": second}
        stair_counts = {"cycle_first_stair_count": up, "cycle_second_stair_count": down}
        yield {**sizes, **stair_counts} if up or down else sizes
