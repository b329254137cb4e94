"""What a checkpoint keeps of a schedule, and whether a run goes on with the same."""

from __future__ import annotations

from math import ceil

from funcsched.analysis.landmarks import phase_boundaries
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, concrete_nonnegative_int, one_of
from funcsched.core.value import Value, leaves
from funcsched.numerics.number_system import is_concrete
from funcsched.serialization.data import FORMAT, from_dict, to_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

DENSE_STEPS = 10_000  # all steps up to here are compared
LAST_STEP = 2**53
_FAR_OF_FUNCTIONS = 2**20  # one of the user's may take long, or overflow, far past its run
_NEAR = 2.0**-50  # two ways to compute one curve differ by a few of the last places
on_mismatch_rule = one_of("raise", "warn")


def snapshot(schedule: Schedule | Callable[[Any], Any]) -> dict[str, Any]:
    """What to save of a schedule in a checkpoint, as plain data.

    Args:
        schedule: a schedule or a function of a step.

    Returns:
        The data of `to_dict`; of a schedule that holds functions or arrays, its text and its values at some hundreds
        of steps: ``{"format": 1, "text": ..., "samples": [[step, multiplier], ...]}``.

    Raises:
        TypeError: `schedule` is not callable.

    Example:
        >>> import funcsched as fs
        >>> fs.snapshot(fs.constant(0.5))
        {'format': 1, 'schedule': {'constant': {'value': 0.5}}}
        >>> fs.snapshot(lambda step: 0.5)["samples"][:3]
        [[0, 0.5], [1, 0.5], [2, 0.5]]
    """
    schedule = as_schedule("snapshot", "schedule", schedule)
    if _is_serializable(schedule):
        return to_dict(schedule)
    steps = sorted({*sample_steps([schedule], ratio=1.1, far=_FAR_OF_FUNCTIONS)})
    samples = [[step, _value_or_none(schedule, step)] for step in steps]
    return {"format": FORMAT, "text": repr(schedule), "samples": [pair for pair in samples if pair[1] is not None]}


def check_resume(
    saved: dict[str, Any], schedule: Schedule | Callable[[Any], Any], *, step: int = 0, on_mismatch: str = "raise"
) -> None:
    """Whether a run that resumes goes on with the curve that it was saved with.

    Args:
        saved: what `snapshot` gave when the checkpoint was made.
        schedule: the schedule or function that the run is to go on with.
        step: the number of updates made, an integer of at least 0.
        on_mismatch: "raise" refuses another curve, "warn" goes on with it.

    Returns:
        None, and nothing is changed. Two expressions of one curve are the same: they are compared at every step up to
        10,000, and from there on at those near the numbers of both and on a grid of 0.1 %.

    Raises:
        ValueError: the curves differ: the sentence says from which step on, and what the multiplier would jump from and
            to. Also `saved` is no snapshot, or `step` not an integer.
        TypeError: `schedule` is not callable, `step` no number.

    Warns:
        UserWarning: the same sentence, with ``on_mismatch="warn"``.

    Example:
        >>> import funcsched as fs
        >>> saved = fs.snapshot(fs.warmup_linear(10, 100))
        >>> fs.check_resume(saved, fs.warmup_linear(10, 100), step=55)
        >>> fs.check_resume(saved, fs.warmup_linear(10, 190), step=55)
        Traceback (most recent call last):
        ...
        ValueError: check_resume: the checkpoint was made with another schedule: the curves part at step 11, and at \
step 55, where the run resumes, the multiplier would jump from 0.5 to 0.75; it was \
warmup_linear(warmup_steps=10, total_steps=100), and is warmup_linear(warmup_steps=10, total_steps=190)
    """
    name = "check_resume"
    schedule = as_schedule(name, "schedule", schedule)
    step = concrete_nonnegative_int(name, "step", step)
    on_mismatch_rule(name, "on_mismatch", on_mismatch)
    found = find_mismatch(name, saved, schedule, step)
    if found is not None:
        raise_or_warn(f"{name}: the checkpoint was made with another schedule: {found.message(step)}", on_mismatch)


def raise_or_warn(sentence: str, on_mismatch: str) -> None:
    """Refuse, or warn whoever called the public function."""
    if on_mismatch == "raise":
        raise ValueError(sentence)
    import warnings

    warnings.warn(sentence, UserWarning, stacklevel=3)


class Mismatch:
    """Where a curve leaves the one that was saved."""

    __slots__ = ("after", "before", "exact", "first", "new", "old")

    def __init__(self, first: int, exact: bool, before: float | None, after: float, old: str, new: str) -> None:
        self.first = first
        self.exact = exact  # whether `first` is the very step, or only the first recorded one
        self.before, self.after = before, after  # at the step of the resume
        self.old, self.new = old, new

    def message(self, step: int, quantity: str = "multiplier", unit: float = 1.0) -> str:
        """The sentence, of the multiplier or of what it multiplies."""
        where = f"the curves part at step {self.first}" if self.exact else f"the curves differ at step {self.first}"
        after = self.after * unit
        if self.before is None:
            jump = f"the {quantity} would be {after:g}"
        elif self.before == self.after:
            jump = f"the {quantity} is {after:g} in both"
        else:
            jump = f"the {quantity} would jump from {self.before * unit:g} to {after:g}"
        return f"{where}, and at step {step}, where the run resumes, {jump}; it was {self.old}, and is {self.new}"


def find_mismatch(function: str, saved: Any, schedule: Schedule, step: int) -> Mismatch | None:
    """Where a schedule leaves the curve of a snapshot; None for the same curve."""
    if not isinstance(saved, dict) or not ("schedule" in saved or {"text", "samples"} <= set(saved)):
        raise argument_error(function, "saved", "what `snapshot` gave", saved)
    if "schedule" in saved:
        old = from_dict(saved)
        if old == schedule:
            return None
        first = first_difference(
            old, schedule, step, LAST_STEP if _is_serializable(schedule) else _FAR_OF_FUNCTIONS, _value_or_none
        )
        if first is None:
            return None
        return Mismatch(first, True, old(step), float(schedule(step)), repr(old), repr(schedule))
    samples = _samples(function, saved)
    for sampled, value in samples.items():
        if not is_close(value, _value_or_none(schedule, sampled)):
            before, after = samples.get(step), float(schedule(step))
            return Mismatch(sampled, False, before, after, str(saved["text"]), repr(schedule))
    return None


def _samples(function: str, saved: dict[str, Any]) -> dict[int, float]:
    try:
        return {int(step): float(value) for step, value in saved["samples"]}
    except (TypeError, ValueError) as error:
        raise argument_error(function, "saved", "what `snapshot` gave", saved) from error


def _is_serializable(schedule: Schedule) -> bool:
    """Whether `to_dict` can write it."""
    return all(is_concrete(*leaves(part)) and not _is_user_function(part) for part in walk(schedule))


def _is_user_function(part: Value) -> bool:
    return isinstance(part, Lift) or part.factory == "shape"


def _value_or_none(schedule: Schedule, step: int) -> float | None:
    """The multiplier; None where a function of the user's is not defined, as it may be past its run."""
    try:
        return float(schedule(step))
    except (ArithmeticError, LookupError, ValueError):
        return None


def is_close(one: float | None, other: float | None) -> bool:
    """Whether two multipliers are the same but for rounding; one that is not defined says nothing."""
    if one is None or other is None:
        return True
    return one == other or abs(one - other) <= _NEAR * min(abs(one), abs(other)) or (one != one and other != other)


def _value(schedule: Schedule, step: int) -> float | None:
    return float(schedule(step))


def first_difference(
    old: Schedule,
    new: Schedule,
    step: int,
    far: int = LAST_STEP,
    value: Callable[[Schedule, int], float | None] = _value,
) -> int | None:
    """The first step at which two curves differ, as far as looked at."""

    def differ(at: int) -> bool:
        return not is_close(value(old, at), value(new, at))

    for at in range(DENSE_STEPS):
        if differ(at):
            return at
    last = DENSE_STEPS - 1
    for at in sorted({step, *sample_steps([old, new], ratio=1.001, far=far)}):
        if at <= last:
            continue
        if differ(at):
            while at - last > 1:
                middle = (last + at) // 2
                last, at = (last, middle) if differ(middle) else (middle, at)
            return at
        last = at
    return None


def sample_steps(schedules: Iterable[Schedule], ratio: float, far: int = LAST_STEP) -> Iterator[int]:
    """A grid that grows by a factor, and the steps around the numbers of schedules, their sums, and the phases."""
    at = 0
    while at < far:
        yield at
        at = max(at + 1, int(at * ratio))
    for schedule in schedules:
        for mark in phase_boundaries(schedule, far, tables=True):
            step = ceil(mark)
            yield from (s for s in (step - 1, step, step + 1) if 0 <= s < far)
        total = 0
        for number in leaves(schedule):
            if type(number) is int and number < LAST_STEP:
                total += number
                yield from (max(s, 0) for n in (number, total) for s in (n - 1, n, n + 1))
