"""Conversion of Composer's time strings to batches."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypedDict

import funcsched as fs
from bridges.arguments import required
from bridges.compositions import in_updates
from funcsched.core import validation as rules
from funcsched.core.validation import argument_error, number_rule
from funcsched.numerics.number_system import MAX_COUNT

_EXAMPLES = {"ep": "'10ep'", "ba": "'500ba'", "sp": "'64sp'", "tok": "'1e6tok'", "dur": "'0.1dur'"}


def _time_rule(*units: str) -> rules.Rule:
    """The rule of a time string, which returns its number (an integer, except in "dur") and its unit."""
    examples = [_EXAMPLES[unit] for unit in units]
    requirement = f"a time such as {', '.join(examples[:-1])} or {examples[-1]}"

    def check(function: str, argument: str, text: Any) -> tuple[float, str]:
        if not isinstance(text, str):
            raise argument_error(function, argument, requirement, text, TypeError)
        match = re.fullmatch(f"(.+)({'|'.join(units)})", text, re.IGNORECASE)
        try:
            number = float(match[1]) if match else math.nan
        except ValueError:
            number = math.nan
        unit = match[2].lower() if match else ""
        if not 0 <= number <= MAX_COUNT or (unit != "dur" and number != int(number)):
            raise argument_error(function, argument, requirement, text)
        return number if unit == "dur" else int(number), unit

    return check


_time = _time_rule("ep", "ba", "sp", "tok", "dur")
_duration = _time_rule("ep", "ba", "sp", "tok")  # not a fraction of itself
_batch_size = number_rule("an integer from 1 to 10**9", 1, 10**9, int)


class Training(TypedDict, total=False):
    """The settings that a Composer scheduler reads from its trainer: keyword arguments of every function here.

    max_duration: length of the training run (time string, not a fraction). Required for times in "dur". In functions
        with a warmup, `t_max` must be at least as long if both are in the same unit.
    batches_per_epoch: length of the dataloader (int, 1 to 2**53). Required for times in epochs.
    samples_per_batch: number of samples in every batch (int, 1 to 10**9). Required for times in samples.
    tokens_per_batch: number of tokens in every batch (int, 1 to 10**9). Required for times in tokens.
    scale_schedule_ratio: factor for all times, as in Composer's Trainer (float, above 0). Default: 1. Scaled times are
        rounded down. `max_duration` is scaled before fractions of it are taken.

    Example:
        >>> from bridges.composer import Training, linear_scheduler
        >>> training: Training = {"max_duration": "10ep", "batches_per_epoch": 10}
        >>> linear_scheduler(t_max="0.5dur", **training)
        ramp(start=1.0, stop=0.0, steps=50)
    """

    max_duration: str
    batches_per_epoch: int
    samples_per_batch: int
    tokens_per_batch: int
    scale_schedule_ratio: float


TRAINING = tuple(Training.__annotations__)


class Time(NamedTuple):
    """A time argument, converted to an amount of batches ("ba"), samples ("sp") or tokens ("tok")."""

    argument: str
    text: str
    amount: int
    unit: str


class TrainingClock:
    """Converts the time arguments of one call, and names its function in errors."""

    def __init__(self, function: str, training: Mapping[str, Any]) -> None:
        self.function, self.training = function, training
        ratio = training.get("scale_schedule_ratio", 1.0)
        self.ratio: float = self.check(rules.positive, "scale_schedule_ratio", ratio)

    def check(self, rule: rules.Rule, argument: str, value: Any) -> Any:
        return rule(self.function, argument, value)

    def time(self, argument: str, text: str, ratio: float | None = None) -> Time:
        """A time in batches, samples or tokens, scaled by `ratio` instead of `scale_schedule_ratio` if given."""
        number, unit = self.check(_time, argument, text)
        source, factor = argument, self.ratio if ratio is None else ratio
        if unit == "dur":
            source = "max_duration"
            factor, unit = self.max_duration(f"to convert `{argument}` ({text!r}) to batches")  # scaled already
        if unit == "ep":
            number, unit = number * self._batches_per_epoch(source), "ba"
        return Time(argument, text, self.check(rules.concrete_nonnegative_int, argument, int(number * factor)), unit)

    def positive_time(self, argument: str, text: str) -> Time:
        time = self.time(argument, text)
        if time.amount == 0:
            raise argument_error(self.function, argument, "a time above 0", text)
        return time

    def max_duration(self, purpose: str) -> tuple[int, str]:
        """The scaled length of the training run, and its unit. `purpose` says in an error why it is required."""
        number, unit = self._required("max_duration", purpose, _duration)
        count = int(number * self.ratio)
        if count == 0:
            raise argument_error(self.function, "max_duration", "a time above 0", self.training["max_duration"])
        return count, unit

    def max_duration_in_unit_of(self, time: Time, purpose: str) -> int:
        """The scaled length of the training run in the unit of `time`, rounded up to a batch if it has another unit."""
        count, unit = self.max_duration(purpose)
        if unit == "ep":
            count, unit = count * self._batches_per_epoch("max_duration"), "ba"
        if unit == time.unit:
            return count
        batches = self.first_batch(Time("max_duration", self.training["max_duration"], count, unit))
        return batches * self._per_batch(time)

    def is_before_max_duration(self, time: Time) -> bool:
        """Whether a time is shorter than the training run; False if their units differ, as in Composer."""
        if self.training.get("max_duration") is None:
            return False
        count, unit = self.max_duration(f"to compare it with `{time.argument}`")
        if unit == "ep" and time.unit == "ba" and self.training.get("batches_per_epoch") is not None:
            count, unit = count * self._batches_per_epoch("max_duration"), "ba"
        return unit == time.unit and time.amount < count

    def first_batch(self, time: Time) -> int:
        """The first batch at or after a time."""
        return -(-time.amount // self._per_batch(time))

    def in_batches(self, time: Time, build: Callable[..., fs.Schedule], *counts: int) -> fs.Schedule:
        """The schedule `build(*counts)`, whose step is in the unit of `time`, converted to batches."""
        return in_updates(build, self._per_batch(time), *counts)

    def _batches_per_epoch(self, argument: str) -> int:
        purpose = f"to convert `{argument}` from epochs to batches"
        return int(self._required("batches_per_epoch", purpose, rules.concrete_positive_int))

    def _per_batch(self, time: Time) -> int:
        """The number of samples or tokens per batch, depending on the unit of `time`; 1 if it is in batches."""
        if time.unit == "ba":
            return 1
        name = {"sp": "samples_per_batch", "tok": "tokens_per_batch"}[time.unit]
        return int(self._required(name, f"to convert `{time.argument}` ({time.text!r}) to batches", _batch_size))

    def _required(self, name: str, purpose: str, rule: rules.Rule) -> Any:
        return self.check(rule, name, required(self.function, name, self.training.get(name), purpose))
