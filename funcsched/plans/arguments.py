"""The arguments of a plan: validation, the pair of a curve, and their form as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import argument_error, number_rule
from funcsched.units.quantities import UNITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from funcsched.units.quantities import Number

LONGEST_RUN = 2**53
KEYS = ("curves", "run", "stages", "source", "notes")  # of the plain data
curve_value = number_rule("a number from -1.7e38 to 1.7e38", -1.7e38, 1.7e38)
count_rule = number_rule("a number from 0 to 2**53", 0, LONGEST_RUN)


class PlanCurve(NamedTuple):
    """A schedule and its peak value: the value at a count is ``peak_value * schedule(count)``."""

    schedule: Schedule
    peak_value: float

    def __repr__(self) -> str:
        return f"({self.schedule!r}, {self.peak_value!r})"  # as the arguments of a Plan are written


def as_curve(name: str, pair: Any) -> PlanCurve:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise argument_error("Plan", f"curves[{name!r}]", "a pair (schedule, peak_value)", pair, TypeError)
    peak = curve_value("Plan", f"curves[{name!r}][1]", pair[1])
    if peak == 0:
        raise argument_error("Plan", f"curves[{name!r}][1]", "a number other than 0", pair[1])
    return PlanCurve(as_schedule("Plan", f"curves[{name!r}][0]", pair[0]), peak)


def items(argument: str, of: str, value: Any, function: str = "Plan") -> Iterable[tuple[str, Any]]:
    """The items of a dictionary with names as keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise argument_error(function, argument, f"a dictionary of names and {of}", value, TypeError)
    return value.items()


def text(function: str, argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise argument_error(function, argument, "a string", value, TypeError)
    return value


def integer(function: str, argument: str, value: Any, least: int) -> int:
    rule = number_rule(f"an integer from {least} to 2**53", least, 2**53, int)
    result: int = rule(function, argument, value)
    return result


def validated_run(function: str, run: Any) -> tuple[str, Number]:
    """The unit and the length of the run."""
    if not isinstance(run, Mapping) or len(run) != 1 or next(iter(run)) not in UNITS:
        requirement = f"a dictionary of one unit ({', '.join(UNITS)}) and the length"
        raise argument_error(function, "run", requirement, run, TypeError, fix='write {"tokens": 300_000_000_000}')
    ((unit, length),) = run.items()
    return unit, validated_length(function, f"run[{unit!r}]", unit, length)


def validated_length(function: str, argument: str, unit: str, length: Any) -> Number:
    rule = number_rule("a number above 0 and at most 2**53", 0, LONGEST_RUN, above=True)
    number: Number = rule(function, argument, length)
    if number == int(number):
        return int(number)
    if unit != "epochs":
        raise argument_error(function, argument, "an integer", length)
    return number


def validated_stages(stages: Any, unit: str, length: Number) -> dict[str, Number]:
    checked: dict[str, Number] = {}
    for name, first in items("stages", "counts", stages):
        argument = f"stages[{name!r}]"
        number = first if isinstance(first, Fraction) else count_rule("Plan", argument, first)
        if unit != "epochs" and number != int(number):
            raise argument_error("Plan", argument, "an integer", first)
        if number >= length:
            raise argument_error("Plan", argument, f"below the length of the run ({length} {unit})", first)
        checked[name] = int(number) if number == int(number) else float(number)
    if any(before >= after for before, after in pairwise(checked.values())):
        raise argument_error("Plan", "stages", "a dictionary with increasing counts", stages)
    return checked


def require_all_stages(function: str, stages: Mapping[str, Number], length: Number, unit: str) -> None:
    """Raise an error if a stage is shorter than one count."""
    for (stage, first), (_, end) in pairwise([*stages.items(), ("end", length)]):
        if end - first < 1:
            reason = f"it would have a length of {float(end - first):.3g} {unit}"
            raise ValueError(f"{function}: the stage {stage!r} would be removed: {reason}")
