"""Plans as plain data, and the arguments of a plan from plain data."""

from __future__ import annotations

from collections.abc import Mapping

from funcsched.core.validation import argument_error, suggestion
from funcsched.plans.arguments import KEYS, PlanCurve, items
from funcsched.serialization.data import FORMAT, from_dict, to_dict
from funcsched.serialization.expression import parse
from funcsched.serialization.syntax import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.plans.plan import Plan

_NAME = "Plan.from_dict"


def plan_to_data(plan: Plan) -> dict[str, Any]:
    curves = {
        name: {"schedule": to_dict(schedule)["schedule"], "peak_value": peak}
        for name, (schedule, peak) in plan.curves.items()
    }
    return {"format": FORMAT, "plan": {**plan.arguments(), "curves": curves, "notes": list(plan.notes)}}


def arguments_from_data(data: Any, numbers: Mapping[str, float]) -> dict[str, Any]:
    """The arguments of `Plan`. Expressions may use the numbers by name."""
    if not isinstance(data, Mapping) or not isinstance(data.get("plan"), Mapping):
        raise argument_error(_NAME, "data", 'a dictionary {"format": 1, "plan": {...}}', data, TypeError)
    if type(data.get("format")) is not int or data["format"] != FORMAT:  # True == 1
        raise argument_error(_NAME, "format", f"{FORMAT}", data.get("format"))
    arguments = dict(data["plan"])
    for key in arguments:
        if key not in KEYS:
            hint = suggestion(key, KEYS, f"the keys are {', '.join(KEYS)}")
            raise ValueError(f"{_NAME}: unknown key {key!r}; {hint}")
    for key in ("curves", "run"):
        if key not in arguments:
            raise ValueError(f"{_NAME}: the key {key!r} is missing")
    curves = items("curves", "dictionaries", arguments["curves"], _NAME)
    return {**arguments, "curves": {key: _curve(f"curves[{key!r}]", value, numbers) for key, value in curves}}


def _curve(argument: str, value: Any, numbers: Mapping[str, float]) -> PlanCurve:
    if not isinstance(value, Mapping) or set(value) != {"schedule", "peak_value"}:
        requirement = 'a dictionary {"schedule": ..., "peak_value": ...}'
        raise argument_error(_NAME, argument, requirement, value, TypeError)
    schedule, is_text = value["schedule"], isinstance(value["schedule"], str)
    try:
        data = {"format": FORMAT, "schedule": schedule}
        return PlanCurve(parse(schedule, **numbers) if is_text else from_dict(data), value["peak_value"])
    except ParseError as error:
        raise ParseError(f"{_NAME}: `{argument}`: {error}", error.line, error.column) from error
    except (TypeError, ValueError) as error:
        raise type(error)(f"{_NAME}: `{argument}`: {error}") from error
