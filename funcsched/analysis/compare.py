"""Whether two schedules have the same curve, and if not, where they diverge and why."""

from __future__ import annotations

from funcsched.analysis.differences import distinct_texts
from funcsched.analysis.explain import Explanation
from funcsched.analysis.profile import ROUNDING
from funcsched.analysis.sampling import (
    LAST_STEP,
    Curve,
    absolute_difference,
    first_difference,
    peak_step,
    sample_steps,
)
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, concrete_positive_int, optional
from funcsched.core.value import Value, leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_optional_steps = optional(concrete_positive_int)


class Comparison(Value):
    """The result of `compare`. It is true if the curves are the same.

    Fields:
        equal: whether the curves are the same.
        first_step: the first step at which they differ, or None.
        first_value, second_value: their multipliers at that step, or None.
        largest_difference: the largest absolute difference.
        largest_step: the first step with that difference, or None.
        reason: the likely reason as a sentence; empty if the curves are the same.
        steps: number of steps compared, or None for all.
    """

    __slots__ = fields = (
        "equal",
        "first_step",
        "first_value",
        "second_value",
        "largest_difference",
        "largest_step",
        "reason",
        "steps",
    )
    factory = "Comparison"

    equal: bool
    first_step: int | None
    first_value: float | None
    second_value: float | None
    largest_difference: float
    largest_step: int | None
    reason: str
    steps: int | None

    def __bool__(self) -> bool:
        return self.equal

    def _repr_html_(self) -> str:
        from html import escape  # imported only in notebooks

        return f"<p>{escape(str(self))}</p>"

    def __str__(self) -> str:
        if self.first_value is None or self.second_value is None:
            if self.steps is None:
                return "the curves are the same"
            return f"the curves are the same in the first {'update' if self.steps == 1 else f'{self.steps:,} updates'}"
        first, second = distinct_texts(self.first_value, self.second_value)
        return (
            f"the curves diverge at step {self.first_step:,} (first: {first}; second: {second}); the largest "
            f"difference is {self.largest_difference:g} at step {self.largest_step:,}; likely reason: {self.reason}"
        )


def compare(
    first: Schedule | Callable[[Any], Any], second: Schedule | Callable[[Any], Any], *, steps: int | None = None
) -> Comparison:
    """Compare the curves of two schedules: where they diverge, by how much, and why.

    Different expressions of the same curve are equal. Values are compared at every step up to 10,000. Later values are
    compared around the phase boundaries of both schedules and on a grid with a spacing of 0.1% of the step. Relative
    differences up to 2**-50 count as rounding.

    Args:
        first: a schedule, or a function from a step to a multiplier.
        second: the schedule or function to compare it with.
        steps: number of steps to compare (int, 1 to 2**53): from 0 to ``steps - 1``. None compares all steps.

    Returns:
        A `Comparison`, true if the curves are the same. Its reason is one that the values confirm: a shift, a factor, a
        bound, or a different length, end or shape of the warmup or the decay. If there is none, the reason names the
        arguments that differ, or is ``"no simple reason found"``.

    Raises:
        TypeError: `first` or `second` is neither a schedule nor a function, or `steps` is not a number.
        ValueError: `steps` is not an integer in its range, or is None for a function that is not defined at all steps.

    Example:
        >>> import funcsched as fs
        >>> bool(fs.compare(fs.warmup_constant(10), fs.join([fs.ramp(0, 1, steps=10), fs.constant()], [10])))
        True
        >>> result = fs.compare(fs.warmup_linear(10, 100), fs.warmup_linear(10, 110))
        >>> result.first_step, result.largest_step, result.reason
        (11, 100, 'the horizons differ by the length of the warmup: 100 in the first, 110 in the second (some \
libraries count the warmup as part of the length, others do not)')
        >>> print(fs.compare(fs.warmup_constant(10), fs.shift(fs.warmup_constant(10), 1)))
        the curves diverge at step 0 (first: 0; second: 0.1); the largest difference is 0.1 at step 0; likely reason: \
the second is the first shifted one step earlier
    """
    first, second = as_schedule("compare", "first", first), as_schedule("compare", "second", second)
    steps = _optional_steps("compare", "steps", steps)
    last = LAST_STEP if steps is None else steps - 1
    same = Comparison(True, None, None, None, 0.0, None, "", steps)
    # Arrays compare elementwise, and tracers have no truth value.
    if first is second or (is_concrete(*leaves(first), *leaves(second)) and first == second):
        return same
    first_curve, second_curve = Curve(first, last), Curve(second, last)
    sampled = sample_steps([first, second], last)
    try:
        step = first_difference(first_curve, second_curve, sampled)
        if step is None:
            return same
        largest_step = _largest_difference_step(first_curve, second_curve, sampled)
        reason = Explanation(first_curve, second_curve, sampled, step, largest_step).reason()
    except (ArithmeticError, LookupError) as error:  # a function that is defined only for the steps of its run
        if steps is not None:
            raise
        requirement = f"given for a function that is not defined at all steps ({type(error).__name__}: {error})"
        raise argument_error("compare", "steps", requirement, None) from error
    difference = absolute_difference(first_curve, second_curve, largest_step)
    return Comparison(False, step, first_curve(step), second_curve(step), difference, largest_step, reason, steps)


def _largest_difference_step(first: Curve, second: Curve, steps: list[int]) -> int:
    """The first step at which the difference is the largest one, up to rounding."""

    def difference(step: int) -> float:
        return absolute_difference(first, second, step)

    largest = peak_step(difference, steps)
    threshold = difference(largest) * (1 - ROUNDING)
    return next((step for step in steps if step < largest and difference(step) >= threshold), largest)
