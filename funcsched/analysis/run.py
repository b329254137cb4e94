"""What `check` computes of a run: its multipliers, and what the schedule does after it."""

from __future__ import annotations

from itertools import pairwise

from funcsched.analysis.jumps import is_jump
from funcsched.analysis.landmarks import phase_boundaries
from funcsched.analysis.sampling import (
    LAST_STEP,
    Curve,
    declared_step,
    first_step,
    horizon,
    sample_steps,
    start_of_last_stretch,
)
from funcsched.core.schedule import Schedule, walk
from funcsched.core.value import leaves
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEARNING_RATE = "learning rate"
# Between phase boundaries, a schedule of these neither jumps nor returns to an earlier value.
_MONOTONE = {"constant", "join", "piecewise_constant", "ramp", "scale", "shift"}
_MONOTONE |= {"linear", "cosine", "sine", "sqrt", "power", "reverse"}


class Run:
    """The steps of a schedule that a run uses, and what follows them.

    Args:
        curve: the curve up to the last step of the run.
        sampled: the sampled steps, sorted. All values there are valid.
        peak_value: the value of the quantity at multiplier 1, or 1 for a run in multipliers.
        quantity: what is scheduled, such as "learning rate".

    Attributes:
        steps, last: the number of updates, and the step of the last one.
        is_complete: whether the samples show all jumps and stretches of equal values. If not, their numbers are lower
            bounds.
        values, final: the multipliers at the sampled steps, and at the last step.
        peak, peak_step: the largest multiplier of the run, and the first step with it.
        quantity: what is scheduled; "multiplier" for learning rates without a peak value.
        is_learning_rate: whether learning rates are scheduled, which are not negative.
        entire_curve: the curve that continues after the run, or None if the schedule is undefined or invalid there.
        horizon, schedule_end: where the schedule ends, and its multiplier there. None if it is endless, or if
            `entire_curve` is None.
        schedule_peak, schedule_peak_step: the peak of the entire curve, or of the run if `entire_curve` is None.
    """

    def __init__(self, curve: Curve, sampled: list[int], peak_value: float, quantity: str) -> None:
        self.curve, self.sampled, self.peak_value = curve, sampled, peak_value
        self.last, self.steps = curve.last, curve.last + 1
        self.is_complete = len(sampled) == self.steps or _changes_at_boundaries(curve.schedule)
        self.final = curve(self.last)
        self.values = [curve(step) for step in sampled]
        self.peak = max(self.values)
        self.peak_step = self.first_step(lambda value: value == self.peak)
        self.is_learning_rate = quantity == LEARNING_RATE
        self.quantity = "multiplier" if peak_value == 1.0 and self.is_learning_rate else quantity
        self.entire_curve: Curve | None = None
        self.horizon: int | None = None
        self.schedule_end: float | None = None
        self.schedule_peak, self.schedule_peak_step = self.peak, self.peak_step
        self._sample_entire_curve()

    def _sample_entire_curve(self) -> None:
        """Set the attributes of the entire curve if the schedule is defined and valid after the run."""
        curve = self.curve.extended(LAST_STEP)
        grid = sample_steps([curve.schedule], LAST_STEP, dense=0, growth=1.01)
        steps = sorted({*self.sampled, self.steps, *grid})
        try:
            values = [curve(step) for step in steps]
            end_step = horizon(curve, steps)
        except Exception:  # a user's function may be undefined after its run
            return
        if not all(is_valid(value, self.is_learning_rate) for value in values):
            return
        self.entire_curve = curve
        if end_step is not None:
            self.horizon, self.schedule_end = end_step, values[-1]
        self.schedule_peak = max(values)
        self.schedule_peak_step = steps[values.index(self.schedule_peak)]

    def text(self, multiplier: float) -> str:
        """A multiplier times the peak value, as text."""
        return f"{multiplier * self.peak_value:.6g}"

    def first_step(self, condition: Callable[[float], bool]) -> int:
        """The first step with a value that meets a condition; there must be one."""
        step = first_step(lambda step: condition(self.curve(step)), self.sampled)
        assert step is not None
        return declared_step(self.curve, step, step - 1)

    @property
    def leading_zeros(self) -> int:
        return self.first_step(lambda value: value > 0) if self.peak > 0 else 0

    @property
    def updates_after_end(self) -> int:
        """The number of updates at the final value of a decay that has ended; 0 for a single update above 0."""
        curve, final = self.curve, self.final
        start = start_of_last_stretch(lambda step: curve(step) == final, self.sampled)
        has_ended = self.entire_curve is None or (self.horizon is not None and self.horizon <= self.last)
        if not start or not has_ended:
            return 0
        is_decay = final < self.peak and curve(start - 1) > final and not is_jump(curve, start)
        # A decay that continues below a lower bound has not ended.
        if not is_decay or (final > 0 and max(phase_boundaries(curve.schedule, LAST_STEP), default=0) >= self.steps):
            return 0
        count = self.steps - declared_step(curve, start, start - 1)
        return count if count > 1 or final == 0 else 0

    @property
    def stops_before_end(self) -> bool:
        """Whether the schedule would end after the run, at another value."""
        if self.horizon is None or self.schedule_end == self.final:
            return False
        # A decay that reaches its end at the first step after the run is complete. A drop at that step is missed.
        misses_drop = self.last > 0 and self.final == self.curve(self.last - 1)
        return self.horizon > self.steps or (self.horizon == self.steps and misses_drop)

    def constant_stretches(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The first step of each stretch of equal values from `start` up to `stop`, and the step after its last."""
        curve = self.curve
        begin = start
        for low, high in pairwise([start, *(step for step in self.sampled if start < step < stop), stop]):
            value = curve(low)

            def changes(step: int, value: float = value) -> bool:
                return curve(step) != value

            # A periodic curve may have equal values at two samples and others between them.
            between = (step for step in (low + 1, (low + high) // 2, high - 1) if low < step < high)
            change = next(filter(changes, between), None)
            if change is None and high < stop and not changes(high):
                continue
            end = high if change is None else first_step(changes, (low, change))
            assert end is not None
            yield declared_step(curve, begin, begin - 1), declared_step(curve, end - 1, end) + 1
            begin = high


def _changes_at_boundaries(schedule: Schedule) -> bool:
    """Whether all jumps of a schedule, and all ends of its constant stretches, are at phase boundaries."""
    parts = (part for part in walk(schedule) if part.composition() is None)
    return is_concrete(*leaves(schedule)) and all(part.factory in _MONOTONE for part in parts)


def is_valid(multiplier: float, is_learning_rate: bool) -> bool:
    """Whether a multiplier is finite, and for a learning rate not negative."""
    return abs(multiplier) < float("inf") and (multiplier >= 0 or not is_learning_rate)
