"""Schedules on another clock: shifted, stretched, repeated."""

from __future__ import annotations

import math

from funcsched.core.schedule import DividedStep, Schedule, as_schedule, step_counts
from funcsched.core.validation import (
    argument_error,
    concrete_positive_int,
    growth_factor,
    integer_cycles,
    number_rule,
    optional,
    positive_int,
    validated,
)
from funcsched.core.validation import ratio as factor_rule
from funcsched.core.value import leaves
from funcsched.numerics.cache import cached
from funcsched.numerics.double_word import logarithm
from funcsched.numerics.number_system import MAX_COUNT, MAX_STEP, is_concrete
from funcsched.numerics.periodic import simple_fraction
from funcsched.numerics.step import Step
from funcsched.primitives.table import cumulative_products

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar


class Shift(Schedule):
    __slots__ = fields = ("schedule", "steps")
    factory = "shift"

    schedule: Schedule
    steps: int

    def stretched(self, factor: Any) -> Schedule:
        return Shift(self.schedule.stretched(factor), self.steps * factor)

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.plus(self.steps))

    def scalar(self) -> Callable[[int], float]:
        schedule, steps = self.schedule.scalar(), self.steps
        return lambda step: schedule(step + steps if step > 0 else steps)


def shift(schedule: Schedule | Callable[[Any], Any], steps: int) -> Schedule:
    """A schedule that runs ahead: its first value is the one at step `steps`.

    ``schedule(max(step, 0) + steps)``

    A warmup from 0 spends the first update at rate 0; ``shift(schedule, 1)`` does not.

    Args:
        schedule: a schedule or a function of a step.
        steps: how many steps ahead, an integer of at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` not an integer of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.shift(fs.warmup_linear(10, 100), 1)(0)
        0.1
    """
    return Shift(as_schedule("shift", "schedule", schedule), *validated("shift", steps=steps))


class Stretch(Schedule):
    __slots__ = fields = ("schedule", "factor")
    factory = "stretch"
    uses_table = True
    static = frozenset({"factor"})

    schedule: Schedule
    factor: float

    def stretched(self, factor: Any) -> Schedule:
        return DividedStep(self, factor)

    def at(self, step: Step) -> Any:
        slower, faster = simple_fraction(self.factor)
        longest = _longest(self.schedule, MAX_COUNT) * slower
        if not isinstance(slower, int) or longest > MAX_COUNT:
            return self.schedule.at(step.divided_by(self.factor))
        # In integers nothing is rounded before the curve is.
        return self.schedule.stretched(slower).at(step.up_to(longest).times(faster))


def _longest(schedule: Schedule, otherwise: int) -> int:
    """The largest count of steps in a schedule if all its numbers are concrete."""
    if not is_concrete(*leaves(schedule)):
        return otherwise
    longest: int = max([0, *step_counts(schedule)])
    return longest


def stretch(schedule: Schedule | Callable[[Any], Any], factor: float) -> Schedule:
    """The same curve over another horizon.

    ``schedule(step / factor)``

    Args:
        schedule: a schedule or a function of a step.
        factor: how many times as long it takes, from 1e-9 to 1e9; below 1 it is shorter.

    Returns:
        A schedule. A factor that is a fraction of small numbers (2, 1.5, 0.1) keeps the steps whole: the curve is then
        as accurate as the schedule itself. For another, the step is rounded: near an end at 0 the last places go.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `factor` is no number from 1e-9 to 1e9.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.stretch(fs.warmup_linear(10, 100), 1.5)
        >>> [schedule(step) for step in (0, 3, 15, 150, 151)]
        [0.0, 0.2, 1.0, 0.0, 0.0]

    Source: Composer's scale_schedule_ratio.
    """
    return Stretch(as_schedule("stretch", "schedule", schedule), _stretching("stretch", "factor", factor))


_stretching = number_rule("a number from 1e-9 to 1e9", 1e-9, 1e9)


_MOST_LEVELS = 1000  # that are looked up in a table


class Repeat(Schedule):
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
            return value * (self.level_factor**cycle if cycle == cycle else 1.0)
        if self.times is not None and self.times <= _MOST_LEVELS:
            return value * step.lookup(_levels(self.times, self.level_factor), cycle)
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
def _levels(times: int, level_factor: float) -> tuple[float, ...]:
    return cumulative_products((level_factor,) * (times - 1))


class GrowingRepeat(Repeat):
    """Cycles that grow: where each begins depends on all before, so that the period must be concrete."""

    __slots__ = ()
    static = frozenset({"period", "times", "period_factor", "level_factor"})

    def stretched(self, factor: Any) -> Schedule:
        return DividedStep(self, factor)

    def at(self, step: Step) -> Any:
        cycles = _cycles(self.period, self.times, self.period_factor, self.level_factor)
        begins, fractions, starts, scales, levels, total, exact = cycles
        longest = max(self.period, _longest(self.schedule, self.period))
        step = step.up_to(max(begins[-1], total, scales[-1] * longest if exact else 0))
        xp, index = step.xp, step.index(starts)
        begin, fraction, scale, level = (xp.lookup(row, index) for row in (begins, fractions, scales, levels))
        local = step.since(begin)
        # As long as they can be counted, all lengths are multiplied by an integer.
        counted = sum(own * longest <= MAX_COUNT for own in scales) if exact else 0
        if counted == len(scales):
            value = self.schedule.stretched(scale).at(local)
        else:
            value = self.schedule.at(local.minus(fraction).divided_by(scale))
        if 0 < counted < len(scales):
            short = xp.where(index < counted, scale, 1)
            value = xp.where(index < counted, self.schedule.stretched(short).at(local), value)
        value = value * level
        if len(begins) != self.times or (is_concrete(step.count) and step.count < total):
            return value  # evaluating the end as well would double the work at each level of nested repetitions
        end = self.schedule.at(Step(xp, xp.where(step.count >= 0, self.period, step.count))) * levels[-1]
        return xp.where(step.is_before(total), value, step.full(end))

    def scalar(self) -> Callable[[int], float]:
        return super(Repeat, self).scalar()


@cached
def _cycles(period: int, times: int | None, period_factor: float, level_factor: float) -> tuple[Any, ...]:
    """All cycles that begin up to step `MAX_COUNT`.

    Returns:
        begins: the exact beginning of each cycle, rounded down;
        fractions: what the rounding leaves out;
        starts: the first step of each cycle except the first;
        scales: what the length of each cycle is multiplied by;
        levels: what its values are multiplied by;
        total: the step at which the last cycle ends;
        exact: whether all scales are integers.
    """
    from decimal import ROUND_CEILING, Context, Decimal

    context = Context(prec=100)
    numerator, denominator = simple_fraction(period_factor)
    growth = context.divide(Decimal(numerator), Decimal(denominator))
    exact = isinstance(numerator, int) and denominator == 1
    begin, scale, level = Decimal(0), Decimal(1), Decimal(1)
    rows: list[tuple[Any, ...]] = []
    while begin <= MAX_COUNT and (times is None or len(rows) < times):
        whole, fraction = int(begin), float(begin % 1)
        begin = context.add(begin, context.multiply(scale, Decimal(period)))
        end = int(begin.to_integral_value(ROUND_CEILING))
        rows.append((whole, fraction, end, int(scale) if exact else float(scale), float(level)))
        scale = context.multiply(scale, growth)
        level = context.multiply(level, Decimal(level_factor))
    begins, fractions, ends, scales, levels = zip(*rows, strict=True)
    return begins, fractions, ends[:-1], scales, levels, min(ends[-1], int(MAX_STEP)), exact


def repeat(
    schedule: Schedule | Callable[[Any], Any],
    period: int,
    times: int | None = None,
    period_factor: float = 1.0,
    level_factor: float = 1.0,
) -> Schedule:
    """The beginning of a schedule again and again, each time longer or lower if wanted.

    ``level_factor**i * schedule((step - b[i]) / period_factor**i)`` for ``b[i] <= step < b[i + 1]``, with
    ``b[i] = period * (1 + period_factor + ... + period_factor**(i - 1))``

    Args:
        schedule: a schedule or a function of a step.
        period: how many of its first steps make a cycle, an integer of at least 1.
        times: how many cycles, an integer of at least 1; without it they never end. After the last one its end,
            ``level_factor**(times - 1) * schedule(period)``, is held.
        period_factor: how many times as long each cycle is as the one before, 1 or from 1.001 to 1e6, whole or not.
        level_factor: how many times as high, from 1e-30 to 1e30; above 1 it needs `times`.

    Returns:
        A schedule. A restart falls on the first step at or after its exact place: cycles are counted in whole
        numbers. Where `period_factor` is not whole, cycles begin between steps and the clock of a cycle is rounded:
        the multiplier is then within 4 ulp of the highest and not of its own.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or `period` is traced where
            cycles grow.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.repeat(fs.ramp(1.0, 0.0, steps=10), 10, times=3, period_factor=2, level_factor=0.5)
        >>> [schedule(step) for step in (0, 9, 10, 20, 30, 69, 70)]
        [1.0, 0.1, 0.5, 0.25, 0.25, 0.00625, 0.0]

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983; praxis' CycleSchedule.
    """
    inner = as_schedule("repeat", "schedule", schedule)
    period = positive_int("repeat", "period", period)
    times = optional(integer_cycles)("repeat", "times", times)
    level_factor = factor_rule("repeat", "level_factor", level_factor)
    levels_in_range("repeat", times, level_factor)
    period_factor = growth_factor("repeat", "period_factor", period_factor)
    if period_factor == 1:
        return Repeat(inner, period, times, 1.0, level_factor)
    period = concrete_positive_int("repeat", "period", period)
    return GrowingRepeat(inner, period, times, period_factor, level_factor)


def levels_in_range(function: str, times: int | None, level_factor: float) -> None:
    """The rule between how often levels grow and by how much."""
    if level_factor > 1 and times is None:
        raise argument_error(function, "times", f"given for a `level_factor` above 1 ({level_factor!r})", times)
    if times is not None and (times - 1) * math.log10(level_factor) > 38.5:
        requirement = f"a number whose power of {times - 1} is at most 3.4e38"
        raise argument_error(function, "level_factor", requirement, level_factor)
