"""Whether two schedules give the same curve, and if not, where they part and why."""

from __future__ import annotations

from funcsched.analysis.checkpoint import LAST_STEP, first_difference
from funcsched.analysis.explain import ROUNDING, Reasons, apart
from funcsched.analysis.sampling import Curve, distance, highest, samples
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, concrete_positive_int, optional
from funcsched.core.value import Value, leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_run = optional(concrete_positive_int)


class Comparison(Value):
    """What `compare` found; true where the curves are the same.

    Fields:
        equal: whether the curves are the same.
        first_step: the first step at which they differ, or None.
        first_value, second_value: the multipliers of both there, or None.
        largest_difference: the largest distance between the two.
        largest_step: the first step where they are that far apart, or None.
        reason: the likely reason in words; empty where the curves are the same.
    """

    __slots__ = fields = (
        "equal",
        "first_step",
        "first_value",
        "second_value",
        "largest_difference",
        "largest_step",
        "reason",
    )
    factory = "Comparison"

    equal: bool
    first_step: int | None
    first_value: float | None
    second_value: float | None
    largest_difference: float
    largest_step: int | None
    reason: str

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        if self.first_value is None or self.second_value is None:
            return "the curves are the same"
        one, other = apart(self.first_value, self.second_value)
        return (
            f"the curves part at step {self.first_step}, where the first is {one} and the second {other}; they are "
            f"farthest apart at step {self.largest_step}, by {self.largest_difference:g}; {self.reason}"
        )


def compare(
    first: Schedule | Callable[[Any], Any], second: Schedule | Callable[[Any], Any], *, steps: int | None = None
) -> Comparison:
    """Whether two schedules give the same curve; if not, where they first part, by how much, and why.

    Two expressions of one curve are the same: the values are compared, at every step up to 10,000, and from there on
    at those near the numbers of both and on a grid of 0.1 %. Multipliers that differ by 2**-50 of themselves are alike.

    Args:
        first: a schedule or a function of a step.
        second: another.
        steps: the length of the run: only the steps from 0 to ``steps - 1`` are looked at. None looks at all.

    Returns:
        A `Comparison`, true where the curves are the same. The reason is one that holds for the numbers: a shift, a
        factor, a bound, another length, end or shape of the warmup or the decay, or else the arguments in which the two
        differ, and ``"no simple reason found"`` where there is none.

    Raises:
        TypeError: `first` or `second` is not callable, `steps` no number.
        ValueError: `steps` is not an integer from 1 to 2**53, or not given for a function of your own that is not
            defined at all steps.

    Example:
        >>> import funcsched as fs
        >>> from funcsched.analysis.compare import compare
        >>> bool(compare(fs.warmup_constant(10), fs.join([fs.ramp(0, 1, steps=10), fs.constant()], [10])))
        True
        >>> found = compare(fs.warmup_linear(10, 100), fs.warmup_linear(10, 110))
        >>> found.first_step, found.largest_step, found.reason
        (11, 100, 'the second counts its horizon without the warmup: it ends at step 110 and not 100')
        >>> print(compare(fs.warmup_constant(10), fs.shift(fs.warmup_constant(10), 1)))
        the curves part at step 0, where the first is 0 and the second 0.1; they are farthest apart at step 0, by 0.1; \
the second is the first, one step earlier
    """
    one, other = as_schedule("compare", "first", first), as_schedule("compare", "second", second)
    steps = _run("compare", "steps", steps)
    last = LAST_STEP if steps is None else steps - 1
    same = Comparison(True, None, None, None, 0.0, None, "")
    if one is other or (is_concrete(*leaves(one), *leaves(other)) and one == other):
        return same
    left, right = Curve(one, last), Curve(other, last)
    try:
        step = first_difference(left, right, last)
        if step is None:
            return same
        looked = samples([left, right], last)
        largest = _farthest(left, right, looked)
        reason = Reasons(left, right, looked, step, largest).likely()
    except (ArithmeticError, LookupError) as error:  # of a function that knows its run alone
        if steps is not None:
            raise
        requirement = f"given for a function that is not defined at all steps ({type(error).__name__}: {error})"
        raise argument_error("compare", "steps", requirement, None) from error
    return Comparison(False, step, left(step), right(step), distance(left, right, largest), largest, reason)


def _farthest(one: Curve, other: Curve, looked: list[int]) -> int:
    best = highest(lambda step: distance(one, other, step), looked)
    enough = distance(one, other, best) * (1 - ROUNDING)
    return next((step for step in looked if step < best and distance(one, other, step) >= enough), best)
