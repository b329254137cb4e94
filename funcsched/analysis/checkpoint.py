"""What to save of a schedule in a checkpoint, and the check that a resumed run uses the same curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from funcsched.analysis.sampling import LAST_STEP, first_difference, is_close, sample_steps
from funcsched.core.schedule import Lift, Schedule, as_schedule, walk
from funcsched.core.validation import argument_error, concrete_nonnegative_int, one_of, optional
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete
from funcsched.serialization.data import FORMAT, from_dict, to_dict
from funcsched.shapes.shape import Custom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LAST_STEP_OF_FUNCTIONS = 2**20  # a user's function may be slow, or overflow, far past the end of its run
on_mismatch_rule = one_of("raise", "warn")


def snapshot(schedule: Schedule | Callable[[Any], Any]) -> dict[str, Any]:
    """Convert a schedule to plain data for a checkpoint, which `check_resume` reads.

    Args:
        schedule: a schedule, or a function from a step to a multiplier.

    Returns:
        The data of `to_dict`. For a schedule that contains functions or arrays, its repr and its multipliers at some
        hundreds of steps: ``{"format": 1, "text": ..., "samples": [[step, multiplier], ...]}``.

    Raises:
        TypeError: `schedule` is neither a schedule nor a function.

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
    steps = sample_steps([schedule], _LAST_STEP_OF_FUNCTIONS, dense=0, growth=1.1)
    samples = [[step, _value_or_none(schedule, step)] for step in steps]
    return {"format": FORMAT, "text": repr(schedule), "samples": [pair for pair in samples if pair[1] is not None]}


def check_resume(
    saved: dict[str, Any],
    schedule: Schedule | Callable[[Any], Any],
    *,
    step: int | None = None,
    on_mismatch: str = "raise",
) -> None:
    """Check that a resumed run uses the curve of the checkpoint up to the step of the resume.

    Later values may differ: a cooldown that is branched off at `step`, or a horizon that is extended before the decay
    begins, is the same curve so far. Different expressions of the same curve match. Values are compared at every step
    up to 10,000. Later values are compared around the phase boundaries of both schedules and on a grid with a spacing
    of 0.1% of the step. If the snapshot contains samples, only these are compared.

    Args:
        saved: the result of `snapshot` when the checkpoint was made (dict).
        schedule: the schedule of the resumed run, or a function from a step to a multiplier.
        step: number of updates already made (int, 0 to 2**53). Without it the whole curves are compared, because any
            later value may matter. A default of 0 would compare the first value alone.
        on_mismatch: "raise" an error if the curves differ, or "warn" and continue.

    Raises:
        ValueError: the curves differ, `saved` is not a snapshot, or an argument is out of range. For different curves,
            the message names the first step at which they differ, and both multipliers at the step of the resume.
        TypeError: `schedule` is neither a schedule nor a function, or `step` is not a number.

    Warns:
        UserWarning: the curves differ and ``on_mismatch="warn"``. The logger "funcsched" gets the same warning if it
            has handlers or transformers is loaded, whose Trainer drops warnings while it loads a checkpoint.

    Example:
        >>> import funcsched as fs
        >>> saved = fs.snapshot(fs.warmup_linear(10, 100))
        >>> fs.check_resume(saved, fs.warmup_linear(10, 100), step=55)
        >>> fs.check_resume(saved, fs.then(fs.warmup_linear(10, 100), 55, 0.1, steps=20), step=55)
        >>> fs.check_resume(saved, fs.warmup_linear(10, 190), step=55)
        Traceback (most recent call last):
        ...
        ValueError: check_resume: the checkpoint was made with a different schedule: the curves diverge at step 11; at \
step 55, where the run resumes, the multiplier would jump from 0.5 to 0.75; checkpoint: \
warmup_linear(warmup_steps=10, total_steps=100); current: warmup_linear(warmup_steps=10, total_steps=190); to avoid \
the jump, branch off with `fs.then(old, 55, end, steps=remaining)`; to continue with the current schedule, use \
`on_mismatch="warn"`
    """
    name = "check_resume"
    schedule = as_schedule(name, "schedule", schedule)
    step = optional(concrete_nonnegative_int)(name, "step", step)
    on_mismatch_rule(name, "on_mismatch", on_mismatch)
    mismatch = find_mismatch(name, "saved", saved, schedule, step)
    if mismatch is not None:
        message = f"{name}: the checkpoint was made with a different schedule: {mismatch.message(step)}"
        if on_mismatch == "raise":
            jumps = step is not None and mismatch.old_value != mismatch.current_value
            branch = (
                f"to avoid the jump, branch off with `fs.then(old, {step}, end, steps=remaining)`; " if jumps else ""
            )
            raise ValueError(f'{message}; {branch}to continue with the current schedule, use `on_mismatch="warn"`')
        warn(f"{message}; continuing with the current schedule", stacklevel=3)


def warn(message: str, stacklevel: int) -> None:
    """Warn through `warnings`, and through `logging` if the logger has handlers or transformers is loaded.

    Without handlers, Python would print the same message twice. The trainer of transformers drops warnings while it
    loads a checkpoint. `stacklevel` is that of `warnings.warn` for a call in this function.
    """
    import logging  # these imports are not needed before there is a warning
    import sys
    import warnings

    logger = logging.getLogger("funcsched")
    if logger.hasHandlers() or "transformers" in sys.modules:
        logger.warning(message)
    warnings.warn(message, UserWarning, stacklevel=stacklevel)


@dataclass(frozen=True)
class Mismatch:
    """How the current curve differs from the old one, that of a checkpoint.

    Fields:
        first_step: the first step at which they differ.
        is_exact: false if only samples of the old curve are known, so that the curves may diverge before `first_step`.
        old_value: the old multiplier at the step of the resume, None if it is unknown.
        current_value: the current multiplier there, None if the step is unknown.
        old_text, current_text: the schedules as text.
    """

    first_step: int
    is_exact: bool
    old_value: float | None
    current_value: float | None
    old_text: str
    current_text: str

    def message(
        self, step: int | None, quantity: str = "multiplier", unit: float = 1.0, old_unit: float | None = None
    ) -> str:
        """The mismatch as a sentence.

        Args:
            step: the step of the resume, None if it is unknown.
            quantity: what is scheduled, such as "multiplier" or "learning rate".
            unit: the value of that quantity at multiplier 1.
            old_unit: the same in the checkpoint; None if it is equal or unknown.
        """
        where = "the curves diverge" if self.is_exact else "the first sampled value that differs is"
        texts = f"checkpoint: {self.old_text}; current: {self.current_text}"
        if self.current_value is None:
            return f"{where} at step {self.first_step:,}; {texts}"
        current = self.current_value * unit
        old = None if self.old_value is None else self.old_value * (unit if old_unit is None else old_unit)
        if old is None:
            jump = f"would be {current:g}"
        elif old == current:
            jump = f"is {current:g} in both"
        else:
            jump = f"would jump from {old:g} to {current:g}"
        return (
            f"{where} at step {self.first_step:,}; at step {step:,}, where the run resumes, the {quantity} {jump}; "
            f"{texts}"
        )


def find_mismatch(function: str, argument: str, saved: Any, schedule: Schedule, step: int | None) -> Mismatch | None:
    """Where a schedule differs from a snapshot up to the step of the resume, or None if it does not.

    Args:
        function: the public function that is named in errors.
        argument: its argument that contains the snapshot.
        saved: the result of `snapshot`.
        schedule: the current schedule.
        step: the step of the resume (int, 0 to 2**53), None to compare the whole curves.
    """
    if not isinstance(saved, dict) or not ("schedule" in saved or {"text", "samples"} <= set(saved)):
        raise argument_error(function, argument, "a result of `snapshot`", saved)
    current = partial(_value_or_none, schedule)
    if "schedule" in saved:
        old = _from_snapshot(function, argument, saved)
        if old == schedule:
            return None
        last = LAST_STEP if _is_serializable(schedule) else _LAST_STEP_OF_FUNCTIONS
        steps = sample_steps([old, schedule], last if step is None else step)
        first = first_difference(partial(_value_or_none, old), current, steps)
        is_exact, old_value, old_text = True, None if step is None else old(step), repr(old)
    else:
        samples = _samples(function, argument, saved)
        first = next(
            (at for at, value in samples.items() if _is_past(at, step) and not is_close(value, current(at))), None
        )
        is_exact, old_value, old_text = False, None if step is None else samples.get(step), str(saved["text"])
    if first is None:
        return None
    current_value = None if step is None else float(schedule(step))
    return Mismatch(first, is_exact, old_value, current_value, old_text, repr(schedule))


def _is_past(sample: int, step: int | None) -> bool:
    """Whether a sample is not after the step of the resume."""
    return step is None or sample <= step


def _from_snapshot(function: str, argument: str, saved: dict[str, Any]) -> Schedule:
    try:
        return from_dict(saved)
    except (TypeError, ValueError) as error:
        cause = str(error).removeprefix("from_dict: ")
        raise argument_error(function, argument, "a result of `snapshot`", saved, fix=cause) from error


def _samples(function: str, argument: str, saved: dict[str, Any]) -> dict[int, float]:
    try:
        return {
            concrete_nonnegative_int(function, argument, step): float(value) for step, value in sorted(saved["samples"])
        }
    except (TypeError, ValueError, OverflowError) as error:
        raise argument_error(function, argument, "a result of `snapshot`", saved) from error


def _is_serializable(schedule: Schedule) -> bool:
    """Whether `to_dict` accepts the schedule: it contains no arrays and no functions of the user."""
    return all(is_concrete(*leaves(part)) and not isinstance(part, (Lift, Custom)) for part in walk(schedule))


def _value_or_none(schedule: Schedule, step: int) -> float | None:
    """The multiplier, or None where a user's function is undefined, as it may be past the end of its run."""
    try:
        return float(schedule(step))
    except (ArithmeticError, LookupError, ValueError):
        return None
