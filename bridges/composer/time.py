"""Composer's time strings in batches."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import funcsched as fs
from funcsched.core.validation import (
    argument_error,
    concrete_nonnegative_int,
    concrete_positive_int,
    number_rule,
    positive,
)
from funcsched.numerics.number_system import MAX_COUNT

if TYPE_CHECKING:
    pass


class Training(TypedDict, total=False):
    """What a scheduler of Composer reads from the state of its trainer: keywords of every function here.

    max_duration: the length of the training, a time but no share. Shares need it, and `t_max` after a warmup must be as
        long where the two can be compared.
    batches_per_epoch: the length of the dataloader, an integer of at least 1. Epochs need it.
    samples_per_batch: from 1 to 10**9. Samples need it, and every batch is taken to have as many.
    tokens_per_batch: the same for tokens.
    scale_schedule_ratio: the trainer's, above 0, by default 1: all times are multiplied by it and rounded down,
        `max_duration` before shares of it are taken.

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


class Time(NamedTuple):
    """A time in batches, samples or tokens, and the argument that it was given by."""

    argument: str
    text: str
    value: int
    unit: str


class TrainingClock:
    """What turns the times of a call into batches."""

    def __init__(self, function: str, training: Mapping[str, Any]) -> None:
        self.function, self.training = function, training
        known = list(Training.__annotations__)
        for name, value in training.items():
            if name not in known:
                takes = ", ".join(f"`{key}`" for key in known)
                raise TypeError(f"{function}: no argument `{name}` (got {value!r}); of the training it takes {takes}")
        self.ratio: float = self.check(positive, "scale_schedule_ratio", training.get("scale_schedule_ratio", 1.0))

    def check(self, rule: Callable[[str, str, Any], Any], argument: str, value: Any) -> Any:
        return rule(self.function, argument, value)

    def time(self, argument: str, text: str, ratio: float | None = None) -> Time:
        number, unit = self.check(_time, argument, text)
        if unit == "dur":
            total, unit = self.end(argument, text)
            if unit == "ep":
                number, unit = number * self._epoch("max_duration"), "ba"
            count = int(number * total)
        else:
            if unit == "ep":
                number, unit = number * self._epoch(argument), "ba"
            count = int(number * (self.ratio if ratio is None else ratio))
        return Time(argument, text, self.check(concrete_nonnegative_int, argument, count), unit)

    def length(self, argument: str, text: str) -> Time:
        """A time above 0."""
        time = self.time(argument, text)
        if time.value == 0:
            raise argument_error(self.function, argument, "a time above 0", text)
        return time

    def end(self, argument: str, text: str) -> tuple[int, str]:
        """The length of the training, which an argument needs."""
        number, unit = self._needed("max_duration", f"for `{argument}` {text!r}", _length)
        total = int(number * self.ratio)
        if total == 0:
            raise argument_error(self.function, "max_duration", "a time above 0", self.training["max_duration"])
        return total, unit

    def last(self, time: Time) -> int:
        """The end of the training in the unit of a time."""
        count, unit = self.end(time.argument, time.text)
        if unit == "ep":
            count, unit = count * self._epoch("max_duration"), "ba"
        if unit == time.unit:
            return count
        batches = self.first(Time("max_duration", self.training["max_duration"], count, unit))
        return batches * self._per_batch(time)

    def too_short(self, time: Time) -> bool:
        """Whether a time is before the end of the training, where Composer compares them."""
        if self.training.get("max_duration") is None:
            return False
        count, unit = self.end(time.argument, time.text)
        if unit == "ep" and time.unit == "ba" and self.training.get("batches_per_epoch") is not None:
            count, unit = count * self._epoch("max_duration"), "ba"
        return unit == time.unit and time.value < count

    def first(self, time: Time) -> int:
        """The first batch at or after a time."""
        return -(-time.value // self._per_batch(time))

    def in_batches(
        self, time: Time, build: Callable[..., fs.Schedule], *counts: int, jumps: bool = False
    ) -> fs.Schedule:
        """What is built of counts in the unit of a time, on batches."""
        per_batch = self._per_batch(time)
        shared = math.gcd(per_batch, *counts)
        parts = per_batch // shared
        if jumps and parts > _PARTS:
            requirement = f"a fraction of batches with a denominator of at most {_PARTS}"
            raise argument_error(self.function, time.argument, requirement, time.text)
        schedule = build(*(count // shared for count in counts))
        return schedule if parts == 1 else fs.stretch(schedule, 1 / parts)

    def _epoch(self, argument: str) -> int:
        batches: int = self._needed("batches_per_epoch", f"for `{argument}` in epochs", concrete_positive_int)
        return batches

    def _per_batch(self, time: Time) -> int:
        if time.unit == "ba":
            return 1
        name = {"sp": "samples_per_batch", "tok": "tokens_per_batch"}[time.unit]
        count: int = self._needed(name, f"for `{time.argument}` {time.text!r}", _count)
        return count

    def _needed(self, name: str, purpose: str, rule: Callable[[str, str, Any], Any]) -> Any:
        value = self.training.get(name)
        if value is None:
            raise argument_error(self.function, name, f"given {purpose}", None)
        return self.check(rule, name, value)


def _times(*units: str) -> Callable[[str, str, Any], tuple[float, str]]:
    """The rule of a time string: its number, which is whole but for shares, and its unit."""
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
        if match is None or not 0 <= number <= MAX_COUNT:
            raise argument_error(function, argument, requirement, text)
        unit = match[2].lower()
        if unit == "dur":
            return number, unit
        if number != int(number):
            raise argument_error(function, argument, requirement, text)
        return int(number), unit

    return check


_EXAMPLES = {"ep": "'10ep'", "ba": "'500ba'", "sp": "'64sp'", "tok": "'1e6tok'", "dur": "'0.1dur'"}
_time, _length = _times("ep", "ba", "sp", "tok", "dur"), _times("ep", "ba", "sp", "tok")


_count = number_rule("an integer from 1 to 10**9", 1, 10**9, int)
_PARTS = 64  # into as many parts `stretch` divides a step exactly
