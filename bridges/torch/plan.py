"""A plan as the arguments of `lambda_lr`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from bridges.rated import Rated
from bridges.torch.hyperparameters import Hyperparameter
from funcsched.core.validation import argument_error, suggestion
from funcsched.plans.plan import Plan


def arguments_of_plan(
    optimizer: Optimizer,
    plan: Plan,
    hyperparameters: Mapping[str, Hyperparameter | list[Hyperparameter]] | None,
) -> tuple[Rated, dict[str, Hyperparameter | list[Hyperparameter]]]:
    """The arguments `schedule` and `hyperparameters` that set the values of a plan.

    Explicit `hyperparameters` take precedence.
    """
    name, groups = "lambda_lr", optimizer.param_groups
    if plan.unit != "updates":
        fix = "use plan.in_updates(clock)"
        raise argument_error(name, "schedule", "a plan that counts updates", plan.run, fix=fix)
    curves = plan.curves
    if "lr" not in curves:
        raise argument_error(name, "schedule", "a plan with a curve 'lr'", list(curves))
    rate = curves.pop("lr")
    known = [key for key in groups[0] if key not in ("params", "lr") and not key.startswith("initial_")]
    for key in curves:
        if key not in known and (hint := suggestion(key, known, "")):
            raise ValueError(f"{name}: the optimizer has no hyperparameter {key!r}; {hint}")
    entries = {
        key: _except_zeros(Rated(*curve), [group.get(f"initial_{key}", group[key]) for group in groups])
        for key, curve in curves.items()
        if all(key in group for group in groups)
    }
    return Rated(*rate), {**entries, **(hyperparameters or {})}


def _except_zeros(entry: Rated, values: list[Any]) -> Hyperparameter | list[Hyperparameter]:
    """The entry for all groups. If the value is 0 in only some of them, it is off there and stays 0.

    `values` are the initial values, because a schedule may have set the current ones to 0.
    """
    is_zero = [isinstance(value, (int, float)) and value == 0 for value in values]
    if any(is_zero) and not all(is_zero):
        return [None if zero else entry for zero in is_zero]
    return entry
