"""A schedule that repeats, with cycles of constant or growing length."""

from __future__ import annotations

import math

from funcsched.combinators.time import largest_count
from funcsched.core.schedule import DividedStep, Schedule, as_schedule
from funcsched.core.validation import (
    LARGEST_LEVEL,
    argument_error,
    concrete_positive_int,
    growth_factor,
    integer_cycles,
    optional,
    positive_int,
    ratio,
)
from funcsched.numerics.cache import cached
from funcsched.numerics.double_word import logarithm
from funcsched.numerics.number_system import MAX_COUNT, MAX_STEP, is_concrete
from funcsched.numerics.periodic import simple_fraction
from funcsched.numerics.step import Step
from funcsched.primitives.piecewise import cumulative_products

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

_LARGEST_EXPONENT = math.log10(LARGEST_LEVEL)
_MAX_TABLE_LEVELS = 1000  # the levels of more cycles are computed with an exponential function


class Repeat(Schedule):
    """Cycles of equal length."""

    __slots__ = fields = ("schedule", "period", "times", "period_factor", "level_factor")
    factory = "repeat"
    uses_table = True
    defaults: ClassVar[dict[str, Any]] = {"times": None, "period_factor": 1.0, "level_factor": 1.0}
    static = frozenset({"times", "period_factor", "level_factor"})

    schedule: Schedule
    period: int
    times: int | None
    period_factor: float
    level_factor: float

    def stretched(self, factor: Any) -> Schedule:
        arguments = self.times, self.period_factor, self.level_factor
        return Repeat(self.schedule.stretched(factor), self.period * factor, *arguments)

    def at(self, step: Step) -> Any:
        cycle, local = step.cycle(self.period, self.times)
        value = self.schedule.at(local)
        if self.level_factor == 1:
            return value
        if is_concrete(cycle):
            return value * (self.level_factor**cycle if cycle == cycle else 1.0)  # NaN is not equal to itself
        if self.times is not None and self.times <= _MAX_TABLE_LEVELS:
            return value * step.lookup(_level_table(self.times, self.level_factor), cycle)
        return value * step.xp.exponential(logarithm(self.level_factor), 1)(cycle)

    def scalar(self) -> Callable[[int], float]:
        schedule, period, times, factor = self.schedule.scalar(), self.period, self.times, self.level_factor

        def value(step: int) -> float:
            cycle, count = divmod(step, period) if step > 0 else (0, 0)
            if times is not None and cycle >= times:
                cycle, count = times - 1, period
            return schedule(count) * factor**cycle

        return value


@cached
def _level_table(times: int, level_factor: float) -> tuple[float, ...]:
    return cumulative_products((level_factor,) * (times - 1))


class GrowingRepeat(Repeat):
    """Cycles of growing length. The period must be concrete, because all cycles are computed in advance."""

    __slots__ = ()
    static = frozenset({"period", "times", "period_factor", "level_factor"})

    def stretched(self, factor: Any) -> Schedule:
        return DividedStep(self, factor)

    def at(self, step: Step) -> Any:
        table = _cycle_table(self.period, self.times, self.period_factor, self.level_factor)
        starts, fractions, ends, scales, levels = table
        integer_scales, last_end = isinstance(scales[-1], int), ends[-1]
        largest = max(self.period, largest_count(self.schedule, self.period))
        step = step.up_to(max(starts[-1], last_end, scales[-1] * largest if integer_scales else 0))
        xp, index = step.xp, step.index(ends[:-1])
        start, fraction, scale, level = (xp.lookup(column, index) for column in (starts, fractions, scales, levels))
        local = step.since(start)
        # In the first `exact_cycles`, all lengths in the schedule can be multiplied by the scale without rounding. In
        # the others, the step is divided.
        exact_cycles = sum(cycle_scale * largest <= MAX_COUNT for cycle_scale in scales) if integer_scales else 0
        if exact_cycles == len(scales):
            value = self.schedule.stretched(scale).at(local)
        else:
            value = self.schedule.at(local.minus(fraction).divided_by(scale))
        if 0 < exact_cycles < len(scales):
            exact_scale = xp.where(index < exact_cycles, scale, 1)  # larger scales would make the lengths overflow
            value = xp.where(index < exact_cycles, self.schedule.stretched(exact_scale).at(local), value)
        value = value * level
        if len(starts) != self.times or (is_concrete(step.count) and step.count < last_end):
            # There is no last cycle, or the step is before its end. Evaluating the end would double the work at each
            # level of nested repetitions.
            return value
        period_or_nan = xp.where(step.count >= 0, self.period, step.count)
        end = self.schedule.at(Step(xp, period_or_nan)) * levels[-1]
        return xp.where(step.is_before(last_end), value, step.full(end))

    def scalar(self) -> Callable[[int], float]:
        return Schedule.scalar(self)  # that of `Repeat` is for cycles of equal length


@cached
def _cycle_table(period: int, times: int | None, period_factor: float, level_factor: float) -> tuple[Any, ...]:
    """All cycles that start up to step `MAX_COUNT`.

    Returns:
        starts: the start of each cycle in steps, rounded down;
        fractions: the part of each start that is lost by rounding;
        ends: the first step after each cycle;
        scales: the length of each cycle, divided by `period` (ints, if `period_factor` is an integer);
        levels: the factor of the multipliers in each cycle.
    """
    from decimal import ROUND_CEILING, Context, Decimal

    context = Context(prec=100)
    numerator, denominator = simple_fraction(period_factor)
    growth = context.divide(Decimal(numerator), Decimal(denominator))
    integer_scales = isinstance(numerator, int) and denominator == 1
    start, scale, level = Decimal(0), Decimal(1), Decimal(1)
    rows: list[tuple[Any, ...]] = []
    while start <= MAX_COUNT and (times is None or len(rows) < times):
        end = context.add(start, context.multiply(scale, Decimal(period)))
        first_after = min(int(end.to_integral_value(ROUND_CEILING)), int(MAX_STEP))
        rows.append(
            (int(start), float(start % 1), first_after, int(scale) if integer_scales else float(scale), float(level))
        )
        start = end
        scale = context.multiply(scale, growth)
        level = context.multiply(level, Decimal(level_factor))
    return tuple(zip(*rows, strict=True))


def repeat(
    schedule: Schedule | Callable[[Any], Any],
    period: int,
    times: int | None = None,
    period_factor: float = 1.0,
    level_factor: float = 1.0,
) -> Schedule:
    """The first `period` steps of a schedule, repeated in cycles that may become longer or lower.

    ``level_factor**i * schedule((step - b[i]) / period_factor**i)`` for ``b[i] <= step < b[i + 1]``, with
    ``b[i] = period * (1 + period_factor + ... + period_factor**(i - 1))``

    Args:
        schedule: a schedule, or a function of a step.
        period: length of the first cycle in steps (int, 1 to 2**53).
        times: number of cycles (int, 1 to 1,000,000). After the last one, its end,
            ``level_factor**(times - 1) * schedule(period)``, is held. None repeats indefinitely.
        period_factor: ratio of the lengths of successive cycles (float, 1 or 1.001 to 1e6).
        level_factor: ratio of the levels of successive cycles (float, 1e-30 to 1e30). Above 1, `times` is required.

    Returns:
        A schedule. Cycles are counted in integers, so each one starts exactly at the first step at or after ``b[i]``.
        If `period_factor` is not an integer, cycles start between steps, and the error of a multiplier is up to 4 ulp
        of the highest multiplier instead of its own.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or `period` is traced although
            `period_factor` is not 1.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.repeat(fs.ramp(1.0, 0.0, steps=10), 10, times=3, period_factor=2, level_factor=0.5)
        >>> [schedule(step) for step in (0, 9, 10, 20, 30, 69, 70)]
        [1.0, 0.1, 0.5, 0.25, 0.25, 0.00625, 0.0]

    In other libraries:
        T5X: cosine_decay, which jumps back to 1
        ignite: CosineAnnealingScheduler, which jumps back to its start

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983.
    """
    inner = as_schedule("repeat", "schedule", schedule)
    period = positive_int("repeat", "period", period)
    times = optional(integer_cycles)("repeat", "times", times)
    level_factor = ratio("repeat", "level_factor", level_factor)
    require_finite_levels("repeat", times, level_factor)
    period_factor = growth_factor("repeat", "period_factor", period_factor)
    if period_factor == 1:
        return Repeat(inner, period, times, 1.0, level_factor)
    period = concrete_positive_int("repeat", "period", period)
    return GrowingRepeat(inner, period, times, period_factor, level_factor)


def require_finite_levels(function: str, times: int | None, level_factor: float) -> None:
    """Raise an error if the levels of successive cycles grow above the largest level."""
    if level_factor > 1 and times is None:
        raise argument_error(function, "times", f"given if `level_factor` is above 1 ({level_factor!r})", times)
    if times is not None and (times - 1) * math.log10(level_factor) > _LARGEST_EXPONENT:
        requirement = f"a number with level_factor**{times - 1} at most 1.7e38"
        raise argument_error(function, "level_factor", requirement, level_factor)
