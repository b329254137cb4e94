"""Leaves of a schedule without a curve: levels from boundary to boundary, and a value for each step."""

from __future__ import annotations

import math
from bisect import bisect_right

from funcsched.core.schedule import Schedule
from funcsched.core.validation import (
    LARGEST_LEVEL,
    argument_error,
    concrete_level,
    level,
    nonnegative_int,
    number_rule,
    require_increasing,
    sequence,
    validated,
)
from funcsched.numerics.number_system import is_concrete
from funcsched.numerics.python_numbers import INTEGERS
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Up to here selections compile to fewer instructions than a search does.
_MAX_SELECTED = 4


class PiecewiseConstant(Schedule):
    """What schedules that hold one level after another share."""

    __slots__ = ()
    uses_table = True

    boundaries: tuple[int, ...]

    def all_levels(self, xp: Any) -> tuple[Any, ...]:
        """The levels: before the first boundary, and from each on."""
        raise NotImplementedError

    def at(self, step: Step) -> Any:
        xp, boundaries, row = step.xp, self.boundaries, self.all_levels(step.xp)
        if is_concrete(step.count):
            return step.full(row[bisect_right(boundaries, step.count)])
        if len(boundaries) > _MAX_SELECTED and not any(map(_is_batched, boundaries)):
            return step.full(xp.lookup(row, step.index(boundaries)))
        value = xp.level(row[-1])
        for boundary, before in zip(reversed(boundaries), reversed(row[:-1]), strict=True):
            value = xp.where(step.is_before(boundary), xp.level(before), value)
        return step.full(value)

    def scalar(self) -> Callable[[int], float]:
        boundaries, row = self.boundaries, self.all_levels(INTEGERS)
        return lambda step: row[bisect_right(boundaries, step if step > 0 else 0)]


def _is_batched(number: Any) -> bool:
    """Whether it is an array of several numbers; torch.compile allows no attributes of a symbolic number."""
    return not is_concrete(number) and bool(getattr(number, "ndim", 0))


class PiecewiseLevels(PiecewiseConstant):
    __slots__ = fields = ("boundaries", "levels")
    factory = "piecewise_constant"

    levels: tuple[float, ...]

    def stretched(self, factor: Any) -> Schedule:
        return PiecewiseLevels(tuple(boundary * factor for boundary in self.boundaries), self.levels)

    def all_levels(self, xp: Any) -> tuple[Any, ...]:
        return self.levels


class PiecewiseFactors(PiecewiseConstant):
    __slots__ = ("_row", "boundaries", "factors")
    fields = ("boundaries", "factors")
    factory = "piecewise_constant"

    factors: tuple[float, ...]
    _row: tuple[float, ...] | None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_row", cumulative_products(self.factors) if is_concrete(*self.factors) else None)

    def stretched(self, factor: Any) -> Schedule:
        return PiecewiseFactors(tuple(boundary * factor for boundary in self.boundaries), self.factors)

    def all_levels(self, xp: Any) -> tuple[Any, ...]:
        if self._row is not None:
            return self._row
        row = [xp.level(1.0)]
        for factor in self.factors:
            row.append(row[-1] * factor)
        return tuple(row)


def cumulative_products(factors: tuple[float, ...]) -> tuple[float, ...]:
    """1 and all products of the first factors, each rounded once."""
    row, numerator, denominator = [1.0], 1, 1
    for factor in factors:
        n, d = factor.as_integer_ratio()
        numerator, denominator = numerator * n, denominator * d
        try:
            row.append(numerator / denominator)  # of Python's ints this is the nearest float
        except OverflowError:
            row.append(math.inf)
    return tuple(row)


def piecewise_constant(
    boundaries: Iterable[int], *, levels: Iterable[float] | None = None, factors: Iterable[float] | None = None
) -> Schedule:
    """One level after another, given as they are or as successive factors.

    ``levels[i]`` for ``boundaries[i - 1] <= step < boundaries[i]``, or
    ``factors[0] * ... * factors[i - 1]``, which begins at 1

    Args:
        boundaries: the steps at which the level changes, integers, increasing.
        levels: the multipliers, one more than boundaries, each at least 0.
        factors: what the multiplier is multiplied by at each boundary, at least 0; instead of `levels`.

    Returns:
        A schedule. On arrays the levels are selected or, of more than a few, looked up in a table: a thousand compile
        like ten. Products of factors are exact, rounded once.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or length, out of its range or not increasing, or not
            exactly one of `levels` and `factors` is given.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.piecewise_constant([10, 20], factors=[0.5, 0.1])
        >>> [schedule(step) for step in (9, 10, 19, 20)]
        [1.0, 0.5, 0.5, 0.05]
        >>> fs.piecewise_constant([10], levels=[0.3, 1.0])(10)
        1.0

    Source: optax.piecewise_constant_schedule and MultiStepLR of torch take factors, Keras and Scenic levels.
    """
    name = "piecewise_constant"
    begins = sequence(name, "boundaries", boundaries, nonnegative_int, "integers")
    require_increasing(name, "boundaries", begins)
    if (levels is None) == (factors is None):
        both = (levels, factors)
        raise argument_error(name, "levels", "given, or `factors` instead of it", None if levels is None else both)
    if levels is not None:
        row = sequence(name, "levels", levels, level, "numbers")
        if len(row) != len(begins) + 1:
            raise argument_error(name, "levels", f"one more than the {len(begins)} boundaries", list(row))
        return PiecewiseLevels(begins, row)
    assert factors is not None
    row = sequence(name, "factors", factors, level, "numbers")
    if len(row) != len(begins):
        raise argument_error(name, "factors", f"as many as the {len(begins)} boundaries", list(row))
    if is_concrete(*row) and not max(cumulative_products(row)) <= LARGEST_LEVEL:
        raise argument_error(name, "factors", "numbers whose products are at most 3.4e38", list(row))
    return PiecewiseFactors(begins, row)


class HashedTuple(tuple[float, ...]):
    """A long tuple that is hashed once."""

    def __hash__(self) -> int:
        found: int | None = self.__dict__.get("hash")
        if found is None:
            found = self.__dict__["hash"] = super().__hash__()
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return HashedTuple, (tuple(self),)


class Table(Schedule):
    __slots__ = fields = ("values",)
    factory = "table"
    static = frozenset(fields)  # a table is one thing, and too long for a leaf each

    values: HashedTuple

    def at(self, step: Step) -> Any:
        return step.lookup(self.values, step.count)

    def scalar(self) -> Callable[[int], float]:
        values, last = self.values, len(self.values) - 1
        return lambda step: values[min(step, last) if step > 0 else 0]


def table(values: Iterable[float]) -> Schedule:
    """The multipliers of the first steps, one by one; the last one holds.

    ``values[min(step, len(values) - 1)]``

    Args:
        values: the multiplier at each step from 0 on, at least one, each at least 0.

    Returns:
        A schedule. Between two steps it holds the value of the earlier.

    Raises:
        TypeError, ValueError: no sequence, an empty one, or a value that is no number from 0 to 3.4e38.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.table([0.5, 1.0, 0.25])
        >>> [schedule(step) for step in (0, 1, 2, 3)]
        [0.5, 1.0, 0.25, 0.25]
    """
    row = sequence("table", "values", values, concrete_level, "numbers")
    if not row:
        raise argument_error("table", "values", "at least one number", [])
    return Table(HashedTuple(row))


def tabulate(function: Callable[[int], float], steps: int) -> Schedule:
    """The values of any function, stored: it runs here, once for each step, and never again.

    ``function(min(step, steps))``

    Args:
        function: from a step, a Python int, to a multiplier of at least 0. It may be written in any way, with an
            ``if`` on the step or a loop; a schedule will do as well.
        steps: the last step that is asked for, an integer; its value holds after it.

    Returns:
        A `table`: it runs under jit, pickles and compares by its values, whatever the function was.

    Raises:
        TypeError, ValueError: `function` is not callable, `steps` is not an integer from 0 to 10**7, or a value is
            no number from 0 to 3.4e38.

    Example:
        >>> import funcsched as fs
        >>> fs.tabulate(lambda step: 1.0 if step < 2 else 1 / step, 4)
        table(values=(1.0, 1.0, 0.5, 0.3333333333333333, 0.25))
    """
    validated("tabulate", function=function)
    steps = _table_steps("tabulate", "steps", steps)
    name = getattr(function, "__name__", "function")
    return Table(HashedTuple(_checked_value(f"{name}({step})", function(step)) for step in range(steps + 1)))


def _checked_value(argument: str, value: Any) -> Any:
    if getattr(value, "size", 1) == 1 and hasattr(value, "item"):
        value = value.item()
    return concrete_level("tabulate", argument, value)


_table_steps = number_rule("an integer from 0 to 10**7", 0, 10**7, int)
