"""The arguments of transformers' `TrainingArguments` for a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import funcsched as fs
from bridges import phases
from bridges.rated import checked
from bridges.transformers.scheduler_type import from_scheduler_type
from funcsched.core.validation import concrete_positive_int, optional, positive

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
            with a decay end at the last update of the run, except `warmup_stable_decay`.

    Returns:
        A dict with `learning_rate`, `lr_scheduler_type`, `warmup_steps`, `lr_scheduler_kwargs`, and `max_steps` if the
        schedule has an end or `total_steps` is given.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or no `lr_scheduler_type` has this
            curve. The message names the phase that transformers cannot express.

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
    guesses = (guess for outline in outlines for guess in _guesses(outline, peak_value, total_steps))
    name, warmup, total, arguments = phases.first_match("transformers", schedule, guesses, read, total_steps)
    config = {"learning_rate": peak_value, "lr_scheduler_type": name, "warmup_steps": int(warmup)}
    return config | {"lr_scheduler_kwargs": arguments} | ({} if total is None else {"max_steps": total})


def _guesses(outline: phases.Outline, peak_value: float, total_steps: int | None) -> Iterator[_Guess]:
    start, warmup, _, decay = outline
    total, wave = total_steps or outline.total, phases.find(decay.curve, "waves")
    cycles = float(wave["numerator"] / wave["denominator"] / 2) if wave else 0.5
    waves: dict[str, Any] = {} if cycles == 0.5 else {"num_cycles": cycles}
    yield "constant", 0, total_steps, {}
    yield "constant_with_warmup", warmup, total_steps, {}
    yield "linear", warmup, total, {}
    yield "cosine", warmup, total, waves
    yield "cosine_with_min_lr", warmup, total, {"min_lr_rate": decay.stop, **waves}
    restarts = phases.find(decay.curve, "restarts").get("cycles", 1)
    yield "cosine_with_restarts", warmup, total, {"num_cycles": restarts}
    arguments: dict[str, Any]
    lr_end, power = phases.rate(decay.stop, peak_value), phases.exponent(decay.curve)
    yield "polynomial", warmup, total, {"lr_end": lr_end, "power": power}
    timescale = phases.find(decay.curve, "inverse_power").get("timescale", 1)
    yield "inverse_sqrt", warmup, total_steps, {} if timescale == warmup else {"timescale": timescale}
    for warmup_type in ("linear", "cosine", "1-sqrt"):
        for decay_type in ("linear", "cosine", "1-sqrt"):
            arguments = {"warmup_type": warmup_type, "decay_type": decay_type, "num_decay_steps": int(decay.length)}
            arguments |= {"min_lr_ratio": decay.stop, **(waves if decay_type == "cosine" else {})}
            yield "warmup_stable_decay", warmup, total, arguments
            yield "warmup_stable_decay", warmup, total, {**arguments, "num_stable_steps": int(decay.begin - warmup)}
    # Its warmup and its decay are one step ahead.
    for first in ({}, {"warmup_lr_rate": start}):
        for steps in (decay.begin, warmup + 1):
            arguments = {"min_lr_rate": decay.stop, **waves, **first}
            yield "cosine_warmup_with_min_lr", steps, total_steps or outline.total + 1, arguments
