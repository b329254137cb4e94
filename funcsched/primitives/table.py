"""A table of one value for each step, given directly or computed by a function."""

from __future__ import annotations

from funcsched.core.schedule import Schedule
from funcsched.core.validation import argument_error, concrete_level, number_rule, sequence, validated
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


_table_steps = number_rule("an integer from 0 to 10**7", 0, 10**7, int)


class HashedTuple(tuple[float, ...]):
    """A tuple that computes its hash only once, because it may be long."""

    def __hash__(self) -> int:
        value: int | None = self.__dict__.get("hash")
        if value is None:
            value = self.__dict__["hash"] = super().__hash__()
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return HashedTuple, (tuple(self),)  # without the hash, which another Python may compute differently


class Table(Schedule):
    __slots__ = fields = ("values",)
    factory = "table"
    static = frozenset(fields)  # one leaf for each value would be too many

    values: HashedTuple

    def at(self, step: Step) -> Any:
        return step.lookup(self.values, step.count)

    def scalar(self) -> Callable[[int], float]:
        values, last = self.values, len(self.values) - 1
        return lambda step: values[min(step, last) if step > 0 else 0]


def table(values: Iterable[float]) -> Schedule:
    """One given multiplier for each step. The last one is held.

    ``values[min(step, len(values) - 1)]``

    Args:
        values: multipliers of the steps from 0 on (floats), at least one.

    Returns:
        A schedule. Between two integer steps, it has the value of the earlier one.

    Raises:
        TypeError, ValueError: `values` is not a sequence or is empty, or a value has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.table([0.2, 0.4, 0.8, 1.0, 0.5, 0.3, 0.1])
        >>> [schedule(step) for step in (0, 3, 6, 7)]
        [0.2, 1.0, 0.1, 0.1]
    """
    values = sequence("table", "values", values, concrete_level, "numbers")
    if not values:
        raise argument_error("table", "values", "a non-empty sequence of numbers", [])
    return Table(HashedTuple(values))


def tabulate(function: Callable[[int], float], steps: int) -> Schedule:
    """A table of the values of any function. It is called once for each step, when the table is built.

    ``function(min(step, steps))``

    Args:
        function: a function from a step (int) to a multiplier (float), for example a schedule. It need not
            be vectorized: an ``if`` on the step is allowed.
        steps: last step in the table (int, 0 to 10**7). Its value is held.

    Returns:
        A `table`. It runs under jit, and pickles and compares by its values.

    Raises:
        TypeError, ValueError: an argument or a value of `function` has the wrong type or is out of range.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.tabulate(lambda step: 1.0 if step < 5 else 5 / step, 30)
        >>> [schedule(step) for step in (0, 4, 10, 20, 30, 31)] == [1.0, 1.0, 0.5, 0.25, 5 / 30, 5 / 30]
        True

    In other libraries:
        torch: MultiplicativeLR, if `function` multiplies its factors up to the step
    """
    validated("tabulate", function=function)
    steps = _table_steps("tabulate", "steps", steps)
    name = getattr(function, "__name__", "function")
    return Table(HashedTuple(_checked_value(f"{name}({step})", function(step)) for step in range(steps + 1)))


def _checked_value(argument: str, value: Any) -> Any:
    if getattr(value, "size", 1) == 1 and hasattr(value, "item"):
        value = value.item()
    return concrete_level("tabulate", argument, value)
