"""Schedules on another clock: shifted, stretched, repeated."""

from __future__ import annotations

import math
from bisect import bisect_right

from funcsched._check import checked, growing, length, length_now, optional, refuse, rule, whole_cycles
from funcsched._check import ratio as factor_rule
from funcsched._exact import known, log_of
from funcsched._fold import ratio
from funcsched._kept import kept
from funcsched._scalar import INTEGER
from funcsched._step import COUNTED, Step
from funcsched._value import numbers
from funcsched.combinators import NESTED, Join, Scale
from funcsched.decays import growth
from funcsched.levels import products
from funcsched.schedule import Schedule, Slowed, lifted, parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from funcsched._exact import Constant


class Shift(Schedule):
    __slots__ = fields = ("schedule", "steps")
    factory = "shift"

    schedule: Schedule
    steps: int

    def stretched(self, factor: Any) -> Schedule:
        return Shift(self.schedule.stretched(factor), self.steps * factor)

    def at(self, step: Step) -> Any:
        return self.schedule.at(step.ahead(self.steps))

    def scalar(self) -> Callable[[int], float]:
        schedule, steps = self.schedule.scalar(), self.steps
        return lambda step: schedule(step + steps if step > 0 else steps)


def shift(schedule: Schedule | Callable[[Any], Any], steps: int) -> Schedule:
    """A schedule that runs ahead: its first value is the one at step `steps`.

    ``schedule(max(step, 0) + steps)``

    A warmup from 0 spends the first update at rate 0; ``shift(schedule, 1)`` does not.

    Args:
        schedule: a schedule or a function of a step.
        steps: how many steps ahead, a whole number of at least 0.

    Returns:
        A schedule.

    Raises:
        TypeError, ValueError: `schedule` is not callable, or `steps` not a whole number of at least 0.

    Example:
        >>> import funcsched as fs
        >>> fs.shift(fs.warmup_linear(10, 100), 1)(0)
        0.1
    """
    return Shift(lifted("shift", "schedule", schedule), *checked("shift", steps=steps))


class Stretch(Schedule):
    __slots__ = ("_ratio", "factor", "schedule")
    fields = ("schedule", "factor")
    factory = "stretch"
    rows = True
    static = frozenset({"factor"})

    schedule: Schedule
    factor: float
    _ratio: tuple[Any, int]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_ratio", ratio(self.factor))

    def stretched(self, factor: Any) -> Schedule:
        return Slowed(self, factor)

    def at(self, step: Step) -> Any:
        slower, faster = self._ratio
        limit = 2**53 if step.xp.largest is None else step.xp.largest
        # In whole numbers nothing is rounded before the curve is.
        if not isinstance(slower, int) or _longest(self.schedule, limit) * slower > limit:
            return self.schedule.at(step.divided(self.factor))
        value = self.schedule.stretched(slower).at(step.times(faster))
        if step.xp.largest is None or faster == 1:
            return value
        return step.xp.where(step.before(limit // faster), value, self.schedule.at(step.divided(self.factor)))


def _longest(schedule: Schedule, otherwise: int) -> int:
    """The largest count of steps in a schedule, if all are known."""
    if not known(*numbers(schedule)):
        return otherwise
    values = [value for part in parts(schedule) for value in part.arguments().values()]
    rows = [value if isinstance(value, tuple) else (value,) for value in values]
    return max([0, *(item for row in rows for item in row if type(item) is int)])


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
    return Stretch(lifted("stretch", "schedule", schedule), _stretching("stretch", "factor", factor))


_stretching = rule("a number from 1e-9 to 1e9", 1e-9, 1e9)


_FEW = 64  # levels or cycles, which are prepared when a schedule is built; more wait for their first use
_MANY = 1000  # levels: more are no table


class Repeat(Schedule):
    __slots__ = ("_heights", "_log", "level_factor", "period", "period_factor", "schedule", "times")
    fields = ("schedule", "period", "times", "period_factor", "level_factor")
    factory = "repeat"
    rows = True
    defaults: ClassVar[dict[str, Any]] = {"times": None, "period_factor": 1.0, "level_factor": 1.0}
    static = frozenset({"times", "period_factor", "level_factor"})

    schedule: Schedule
    period: int
    times: int | None
    period_factor: float
    level_factor: float
    _log: Constant
    _heights: tuple[float, ...] | None  # of the cycles, where they are few; otherwise they wait for the first use

    def __init__(self, *arguments: Any, derived: tuple[Any, Any] | None = None) -> None:
        super().__init__(*arguments)
        heights, log = _levels(self.times, self.level_factor) if derived is None else derived
        object.__setattr__(self, "_heights", heights)
        object.__setattr__(self, "_log", log)

    def stretched(self, factor: Any) -> Schedule:
        schedule, period, derived = self.schedule.stretched(factor), self.period * factor, (self._heights, self._log)
        return Repeat(schedule, period, self.times, self.period_factor, self.level_factor, derived=derived)

    def at(self, step: Step) -> Any:
        cycle, local = step.cycle(self.period, self.times)
        value = self.schedule.at(local)
        if self.level_factor == 1:
            return value
        if known(cycle):
            return value * (self.level_factor**cycle if cycle == cycle else 1.0)
        if self.times is not None and self.times <= _MANY:
            heights = self._heights or _heights(self.times, self.level_factor)
            return value * step.xp.lookup(heights, step.xp.integers(step.xp.where(cycle == cycle, cycle, 0)))
        return value * growth(step.xp, self._log, cycle, 1)

    def scalar(self) -> Callable[[int], float]:
        schedule, period, times, factor = self.schedule.scalar(), self.period, self.times, self.level_factor

        def value(step: int) -> float:
            cycle, count = divmod(step, period) if step > 0 else (0, 0)
            if times is not None and cycle >= times:
                cycle, count = times - 1, period
            return schedule(count) * factor**cycle

        return value


def _levels(times: int | None, level_factor: float) -> tuple[tuple[float, ...] | None, Constant]:
    few = times is not None and times <= _FEW
    return products((level_factor,) * ((times or 1) - 1)) if few else None, log_of(level_factor)


@kept
def _heights(times: int, level_factor: float) -> tuple[float, ...]:
    return products((level_factor,) * (times - 1))


class RepeatLonger(Repeat):
    """Cycles that grow: where each begins depends on all before, so that the period must be known."""

    __slots__ = ("_prepared",)
    static = frozenset({"period", "times", "period_factor", "level_factor"})

    _prepared: _Cycles | None  # all cycles, where they are few

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        few = self.period_factor >= _QUICK or (self.times is not None and self.times <= _FEW)
        object.__setattr__(self, "_prepared", _Cycles(*_rows(*self._numbers())) if few else None)

    def _numbers(self) -> tuple[Any, ...]:
        return self.period, self.times, self.period_factor, self.level_factor

    def _cycles(self) -> _Cycles:
        return self._prepared or _Cycles(*_many_rows(*self._numbers()))

    def _longest(self) -> int:
        return max(self.period, _longest(self.schedule, self.period))

    def stretched(self, factor: Any) -> Schedule:
        return Slowed(self, factor)

    def at(self, step: Step) -> Any:
        return self._at(step, self._cycles())

    def _at(self, step: Step, cycles: _Cycles) -> Any:
        xp, cycles = step.xp, cycles.before(step.xp.largest)
        whole = self.times is not None and len(cycles.wholes) == self.times
        counted = known(step.raw) or cycles.scales[-1] * self._longest() <= COUNTED
        if whole and cycles.exact and counted and len(cycles.wholes) <= NESTED:
            pieces = zip(cycles.scales, cycles.levels, strict=True)
            value = Join(tuple(_leveled(self.schedule.stretched(s), h) for s, h in pieces), tuple(cycles.begins)).at(
                step
            )
        else:
            value = self._looked_up(step, cycles)
        # Of both, a repetition of repetitions would ask twice as much at each level.
        if not whole or (known(step.raw) and step.value() < cycles.total):
            return value
        end = self.schedule.at(Step(xp, self.period if known(step.raw) else xp.whole(0 * step.raw + self.period)))
        return xp.where(step.before(cycles.total), value, step.hold(end * cycles.levels[-1]))

    def _looked_up(self, step: Step, cycles: _Cycles) -> Any:
        xp = step.xp
        index = bisect_right(cycles.begins, step.value()) if known(step.raw) else step.index(cycles.begins)
        limit = 2**53 if xp.largest is None else xp.largest
        scales = cycles.scales if known(index) or not cycles.exact else [min(own, limit) for own in cycles.scales]
        begin, fraction, scale, level = (
            row[index] if known(index) else xp.lookup(row, index)
            for row in (cycles.wholes, cycles.fractions, scales, cycles.levels)
        )
        local = step.since(begin)
        if not cycles.exact:
            value = self.schedule.at(local.less(fraction).divided(scale))
        elif known(scale):
            value = self.schedule.stretched(scale).at(local)
        else:
            value = self._exact(local, index, scale, cycles)
        return value * level

    def _exact(self, local: Step, index: Any, scale: Any, cycles: _Cycles) -> Any:
        """Every length times a whole number, but where that would be too long to count."""
        xp, longest = local.xp, self._longest()
        limit = 2**53 if xp.largest is None else xp.largest
        fits = [own * longest <= limit for own in cycles.scales]
        if all(fits):
            return self.schedule.stretched(scale).at(local)
        safe = xp.lookup([own if fit else 1 for own, fit in zip(cycles.scales, fits, strict=True)], index)
        inside = self.schedule.stretched(safe).at(local)
        value = xp.where(index < fits.index(False), inside, self.schedule.at(local.divided(scale)))
        if cycles.scales[-1] <= limit:
            return value
        # A factor that is itself too long to count stands in no row; there is one at most, for it is never over.
        return xp.where(index < len(fits) - 1, value, self.schedule.at(local.divided(cycles.scales[-1])))

    def scalar(self) -> Callable[[int], float]:
        cycles = self._cycles()
        return lambda step: float(self._at(Step(INTEGER, step), cycles))


def _leveled(schedule: Schedule, level: float) -> Schedule:
    return schedule if level == 1 else Scale(schedule, level)


class _Cycles:
    """Where the cycles of a growing repetition begin, how long they are and how high."""

    __slots__ = ("begins", "exact", "fractions", "levels", "scales", "total", "wholes")

    def __init__(
        self,
        wholes: tuple[int, ...],  # each beginning rounded down,
        fractions: tuple[float, ...],  # and what that leaves
        begins: tuple[int, ...],  # the first step of each cycle but the first
        scales: tuple[Any, ...],
        levels: tuple[float, ...],
        total: int,
        exact: bool,
    ) -> None:
        self.wholes, self.fractions, self.begins, self.scales, self.levels = wholes, fractions, begins, scales, levels
        self.total, self.exact = total, exact

    def before(self, largest: int | None) -> _Cycles:
        """Those that begin at steps which can be counted."""
        if largest is None or self.wholes[-1] <= largest:
            return self
        count = bisect_right(self.begins, largest) + 1
        rows = self.wholes[:count], self.fractions[:count], self.begins[: count - 1], self.scales[:count]
        return _Cycles(*rows, self.levels[:count], self.total, self.exact)


_QUICK = 1.875  # a factor by which cycles soon are longer than can be counted


def _rows(period: int, times: int | None, period_factor: float, level_factor: float) -> tuple[Any, ...]:
    """What makes the cycles."""
    from decimal import ROUND_CEILING, Context, Decimal

    context = Context(prec=100)
    numerator, denominator = ratio(period_factor)
    growing = context.divide(Decimal(numerator), Decimal(denominator))
    exact = isinstance(numerator, int) and denominator == 1
    begin, scale, level = Decimal(0), Decimal(1), Decimal(1)
    rows: list[tuple[Any, ...]] = []
    while begin <= 2**53 and (times is None or len(rows) < times):
        whole, fraction = int(begin), float(begin % 1)
        begin = context.add(begin, context.multiply(scale, Decimal(period)))
        end = int(begin.to_integral_value(ROUND_CEILING))
        rows.append((whole, fraction, end, int(scale) if exact else float(scale), float(level)))
        scale = context.multiply(scale, growing)
        level = context.multiply(level, Decimal(level_factor))
    wholes, fractions, ends, scales, levels = zip(*rows, strict=True)
    return wholes, fractions, ends[:-1], scales, levels, ends[-1], exact


_many_rows = kept(_rows)


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
        period: how many of its first steps make a cycle, a whole number of at least 1.
        times: how many cycles, a whole number of at least 1; without it they never end. After the last one its end,
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
    inner = lifted("repeat", "schedule", schedule)
    period = length("repeat", "period", period)
    times = optional(whole_cycles)("repeat", "times", times)
    level_factor = factor_rule("repeat", "level_factor", level_factor)
    levels_in_range("repeat", times, level_factor)
    period_factor = growing("repeat", "period_factor", period_factor)
    if period_factor == 1:
        return Repeat(inner, period, times, 1.0, level_factor)
    period = length_now("repeat", "period", period)
    return RepeatLonger(inner, period, times, period_factor, level_factor)


def levels_in_range(function: str, times: int | None, level_factor: float) -> None:
    """The rule between how often levels grow and by how much."""
    if level_factor > 1 and times is None:
        raise refuse(function, "times", f"given for a `level_factor` above 1 ({level_factor!r})", times)
    if times is not None and (times - 1) * math.log10(level_factor) > 38.5:
        requirement = f"a number whose power of {times - 1} is at most 3.4e38"
        raise refuse(function, "level_factor", requirement, level_factor)
