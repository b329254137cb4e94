"""The arguments of transformers' `TrainingArguments` for a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.arguments import checked
from bridges.transformers.scheduler_type import from_scheduler_type
from funcsched.core.validation import MAX_CYCLES, concrete_positive_int, optional, positive

# A type, its number of warmup steps, its total number of steps, and its own arguments.
_Guess = tuple[str, phases.Steps, int | None, dict[str, Any]]


@checked(schedule=phases.concrete_schedule, peak_value=positive, total_steps=optional(concrete_positive_int))
def to_config(schedule: fs.Schedule, peak_value: float, total_steps: int | None = None) -> dict[str, Any]:
    """The arguments of transformers' TrainingArguments for a schedule.

    The inverse of `from_scheduler_type`. Schedules with the same curve have the same arguments.

    Args:
        schedule: a schedule.
        peak_value: learning rate for multiplier 1 (float, above 0).
        total_steps: number of updates of the run (int, 1 to 2**53). Default: up to the end of the schedule. The types
            with a decay end at the last update of the run, except `warmup_stable_decay`. If the run is shorter than
            the schedule, the configuration has the part of the curve that the run uses.

    Returns:
        A dict with `learning_rate`, `lr_scheduler_type`, `warmup_steps`, `lr_scheduler_kwargs`, and `max_steps` if the
        schedule has an end or `total_steps` is given.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or no `lr_scheduler_type` has this
            curve. The message names the phase that transformers cannot express. A polynomial with an exponent other
            than 1 cannot be cut short. Restarts that transformers misses because of rounding are errors.

    Example:
        >>> import funcsched as fs
        >>> from bridges.transformers import to_config
        >>> to_config(fs.warmup_cosine(10, 100, end=0.1), 3e-4)  # doctest: +NORMALIZE_WHITESPACE
        {'learning_rate': 0.0003, 'lr_scheduler_type': 'cosine_with_min_lr', 'warmup_steps': 10,
         'lr_scheduler_kwargs': {'min_lr_rate': 0.1}, 'max_steps': 100}

    Source: transformers 5.23, transformers.get_scheduler.
    """

    def read(guess: _Guess) -> fs.Schedule:
        name, warmup, total, arguments = guess
        return from_scheduler_type(
            name, num_warmup_steps=int(warmup), num_training_steps=total, base_lr=peak_value, **arguments
        )

    outlines = phases.outlines(phases.phases(schedule))
    guesses = (guess for outline in outlines for guess in _guesses(schedule, outline, peak_value, total_steps))
    name, warmup, total, arguments = phases.first_match("transformers", schedule, guesses, read, total_steps)
    config = {"learning_rate": peak_value, "lr_scheduler_type": name, "warmup_steps": int(warmup)}
    return config | {"lr_scheduler_kwargs": arguments} | ({} if total is None else {"max_steps": total})


def _guesses(
    schedule: fs.Schedule, outline: phases.Outline, peak_value: float, total_steps: int | None
) -> Iterator[_Guess]:
    start, warmup, _, decay = outline
    total = total_steps or outline.total
    wave, repeat = phases.find(decay.curve, "waves"), phases.find(decay.curve, "repeat")
    cycles = Fraction(wave["numerator"]) / (2 * wave["denominator"]) if wave else Fraction(1, 2)
    # A run that is shorter than the decay has a part of its cycles.
    steps = max(total - decay.origin, 1)
    part = Fraction(steps) / decay.length if total > decay.origin and decay.length else Fraction(1)
    waves = _num_cycles(cycles * part)
    restarts = phases.find(decay.curve, "restarts").get("cycles", 1) * part / repeat.get("period", 1)
    num_cycles = int(restarts) if restarts == int(restarts) else float(restarts)
    begins = (Fraction(k * steps) / restarts for k in range(1, min(ceil(restarts), MAX_CYCLES)))
    # With rounding errors, transformers misses a restart, and its rate is 0 there.
    misses = any(begin == int(begin) and num_cycles * (begin / steps) % 1.0 > 0.5 for begin in map(float, begins))
    arguments: dict[str, Any]
    yield "constant", 0, total_steps, {}
    yield "constant_with_warmup", warmup, total_steps, {}
    yield "linear", warmup, total, {}
    yield "cosine", warmup, total, waves
    yield "cosine_with_min_lr", warmup, total, {"min_lr_rate": decay.stop, **waves}
    if not misses:
        yield "cosine_with_restarts", warmup, total, {"num_cycles": num_cycles}
    for end, power in ((decay.stop, phases.exponent(decay.curve)), (schedule(total), 1.0)):
        yield "polynomial", warmup, total, {"lr_end": phases.rate(end, peak_value), "power": power}
    timescale = phases.find(decay.curve, "inverse_power").get("timescale", 1)
    yield "inverse_sqrt", warmup, total_steps, {} if timescale == warmup else {"timescale": timescale}
    for warmup_type in ("linear", "cosine", "1-sqrt"):
        for decay_type in ("linear", "cosine", "1-sqrt"):
            arguments = {"warmup_type": warmup_type, "decay_type": decay_type, "num_decay_steps": int(decay.length)}
            arguments |= {"min_lr_ratio": decay.stop, **(_num_cycles(cycles) if decay_type == "cosine" else {})}
            yield "warmup_stable_decay", warmup, total, arguments
            yield "warmup_stable_decay", warmup, total, {**arguments, "num_stable_steps": int(decay.begin - warmup)}
    # Its warmup and its decay are one step ahead.
    if total_steps is None:
        total += 1
    elif steps > 1:
        waves = _num_cycles(cycles * part * Fraction(steps - 1, steps))
    for first in ({}, {"warmup_lr_rate": start}):
        for begin in (decay.begin, warmup + 1):
            yield "cosine_warmup_with_min_lr", begin, total, {"min_lr_rate": decay.stop, **waves, **first}


def _num_cycles(cycles: Fraction) -> dict[str, float]:
    return {} if cycles == Fraction(1, 2) else {"num_cycles": float(cycles)}
