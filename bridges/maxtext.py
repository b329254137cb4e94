"""Schedules of MaxText: its `create_learning_rate_schedule`, by the names of its configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import funcsched as fs
from bridges.rated import Rated, choose
from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    argument_error,
    boolean,
    concrete_level,
    concrete_positive_int,
    positive,
    unit_interval,
)

_NAME = "create_learning_rate_schedule"


class _Phases(NamedTuple):
    """What follows the warmup: the steps left, and of them those of WSD's decay."""

    left: int
    decay: int
    end: float
    style: Any


def _down(end: float, steps: int, shape: Any) -> Schedule:
    """The end is reached at the last of the steps, and not after it."""
    return fs.ramp(1.0, end, steps=steps - 1, shape=shape)


def _linear(end: float, steps: int) -> Schedule:
    return fs.constant() if steps == 1 else _down(end, steps, fs.linear)


def _cosine(end: float, steps: int) -> Schedule:
    return _down(end, steps, fs.cosine)


_STYLES: dict[str, Callable[[float, int], Schedule]] = {"linear": _linear, "cosine": _cosine}


def _cosine_type(phases: _Phases) -> list[tuple[int, Schedule]]:
    return [(0, _cosine(phases.end, phases.left))] if phases.left else []


def _wsd_type(phases: _Phases) -> list[tuple[int, Schedule]]:
    curve = choose(_NAME, "wsd_decay_style", phases.style, _STYLES)
    stable = phases.left - phases.decay
    pieces = [(0, fs.constant())] if stable else []
    return [*pieces, (stable, curve(phases.end, phases.decay))] if phases.decay else pieces


_TYPES: dict[str, Callable[[_Phases], list[tuple[int, Schedule]]]] = {"cosine": _cosine_type, "wsd": _wsd_type}


def create_learning_rate_schedule(
    *,
    learning_rate: float = 3e-5,
    lr_schedule_type: str = "cosine",
    learning_rate_final_fraction: float = 0.1,
    warmup_steps_fraction: float = 0.1,
    wsd_decay_steps_fraction: float = 0.1,
    wsd_decay_style: str = "linear",
    learning_rate_schedule_steps: int = -1,
    steps: int = 150_001,
    early_peak: bool = False,
) -> Rated:
    """MaxText's `create_learning_rate_schedule`.

    With ``T = learning_rate_schedule_steps``, ``W = int(T * warmup_steps_fraction)``,
    ``D = int(T * wsd_decay_steps_fraction)``, and all rates in shares of `learning_rate`: ``step / W`` below W; then
    ``f + (1 - f) * (1 + cos(pi u)) / 2`` with ``u = (step - W) / (T - W - 1)`` (cosine), or 1, and from ``T - D`` on
    the same with ``u = (step - (T - D)) / (D - 1)``, or ``1 + (f - 1) * u`` (wsd), where
    ``f = learning_rate_final_fraction``; 0 from T on if `steps` is more than T

    Args:
        learning_rate: the rate at the end of the warmup, above 0.
        lr_schedule_type: "cosine" or "wsd".
        learning_rate_final_fraction: at least 0; reached at the last step of T, ``T - 1``.
        warmup_steps_fraction: from 0 to 1.
        wsd_decay_steps_fraction: from 0 to 1, and for "wsd" with `warmup_steps_fraction` at most 1.
        wsd_decay_style: "linear" or "cosine"; a linear decay of one step stays at `learning_rate`.
        learning_rate_schedule_steps: T, an integer of at least 1; -1 stands for `steps`.
        steps: the updates of the run, an integer of at least 1; -1 stands for `learning_rate_schedule_steps`.
        early_peak: an argument of this library: True for the versions (such as commit 65dda9a) whose warmup is
            ``step / (W - 1)``, which reaches the peak one step earlier, and is 0 where W is 1.

    Returns:
        A schedule, and `learning_rate`.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range.

    Differs: where `steps` is not more than T, MaxText's cosines rise again from step T on (a cosine of n steps is back
    at the peak after another ``n - 1``); ours stays at `learning_rate_final_fraction`.

    Example:
        >>> from bridges.maxtext import create_learning_rate_schedule
        >>> schedule, peak_value = create_learning_rate_schedule(
        ...     learning_rate=0.5, learning_rate_schedule_steps=20, steps=25, learning_rate_final_fraction=0.5,
        ...     warmup_steps_fraction=0.2, wsd_decay_steps_fraction=0.25, lr_schedule_type="wsd")
        >>> [peak_value * schedule(step) for step in (0, 2, 4, 15, 17, 19, 20)]
        [0.0, 0.25, 0.5, 0.5, 0.375, 0.25, 0.0]

    Source: src/maxtext/utils/maxtext_utils.py of AI-Hypercomputer/maxtext, commit 00902f3; the versions before "wsd",
    whose cosine ends at T, are `funcsched.warmup_cosine`.
    """
    peak = float(positive(_NAME, "learning_rate", learning_rate))
    total, run = (
        None if value == -1 else concrete_positive_int(_NAME, argument, value)
        for argument, value in (("learning_rate_schedule_steps", learning_rate_schedule_steps), ("steps", steps))
    )
    total = run if total is None else total
    if total is None:
        raise argument_error(_NAME, "steps", "given, or `learning_rate_schedule_steps`", steps)
    end = concrete_level(_NAME, "learning_rate_final_fraction", learning_rate_final_fraction)
    warmup_share = unit_interval(_NAME, "warmup_steps_fraction", warmup_steps_fraction)
    decay_share = unit_interval(_NAME, "wsd_decay_steps_fraction", wsd_decay_steps_fraction)
    if lr_schedule_type == "wsd" and warmup_share + decay_share > 1:
        limit = f"at most 1 - `warmup_steps_fraction` ({warmup_share})"
        raise argument_error(_NAME, "wsd_decay_steps_fraction", limit, decay_share)
    build = choose(_NAME, "lr_schedule_type", lr_schedule_type, _TYPES)
    warmup = int(total * warmup_share)
    rise = max(1, warmup - 1) if boolean(_NAME, "early_peak", early_peak) else warmup
    pieces = [(0, fs.ramp(0.0, 1.0, steps=rise))] if warmup else []
    after = build(_Phases(total - warmup, int(total * decay_share), end, wsd_decay_style))
    pieces += [(warmup + begin, schedule) for begin, schedule in after]
    if run is not None and run > total:
        pieces.append((total, fs.constant(0.0)))
    begins, schedules = zip(*pieces, strict=True)
    return Rated(fs.join(schedules, begins[1:]), peak)
