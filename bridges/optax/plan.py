"""`inject_plan`: an optax optimizer that follows all curves of a plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import optax

from bridges.arguments import call_by_name, instance_of
from bridges.optax.optax_schedule import to_optax
from funcsched.core.validation import argument_error, callable_, suggestion
from funcsched.plans.plan import Plan


def inject_plan(plan: Plan, factory: Callable[..., Any], **fixed: Any) -> Any:
    """An optax optimizer whose hyperparameters follow a plan.

    ``optax.inject_hyperparams(factory)(learning_rate=to_optax(*plan.curves["lr"]), ...)``

    Args:
        plan: a plan that counts updates. Its curve "lr" is the `learning_rate`. Every other curve is the argument of
            its name, such as "weight_decay". Curves that are not an argument of `factory`, such as a batch size, are
            left to the training loop, which reads them from ``plan.at(step)``.
        factory: a function of optax that makes an optimizer, such as `optax.adamw`.
        fixed: other arguments of `factory`, which stay as they are. They take precedence over a curve.

    Returns:
        A gradient transformation. Its state has the values of the last update in `hyperparams`. A state saved with a
        plan continues with the same plan, or with a `branch` of it.

    Raises:
        TypeError, ValueError: `plan` is not a plan that counts updates and has a curve "lr", or `factory` is not a
            function with an argument `learning_rate`, or does not have an argument of `fixed`.

    Example:
        >>> import funcsched as fs, optax
        >>> from bridges.optax import inject_plan
        >>> curves = {"lr": (fs.warmup_linear(4, 8), 0.5), "weight_decay": (fs.ramp(1, 0, steps=8), 0.25)}
        >>> optimizer = inject_plan(fs.Plan(curves, run={"updates": 8}), optax.adamw, b2=0.95)
        >>> state = optimizer.init({"w": 1.0})
        >>> for _ in range(3):
        ...     _, state = optimizer.update({"w": 1.0}, state, {"w": 1.0})
        >>> {name: float(value) for name, value in state.hyperparams.items()}
        {'learning_rate': 0.25, 'weight_decay': 0.1875}
    """
    name = "inject_plan"
    instance_of(Plan, "a Plan")(name, "plan", plan)
    if plan.unit != "updates":
        raise argument_error(name, "plan", "a plan that counts updates", plan.run, fix="use plan.in_updates(clock)")
    curves = plan.curves
    if "lr" not in curves:
        raise argument_error(name, "plan", "a plan with a curve 'lr'", list(curves))
    parameters = signature(callable_(name, "factory", factory)).parameters
    if "learning_rate" not in parameters:
        requirement = "a function with an argument `learning_rate`"
        raise argument_error(name, "factory", requirement, list(parameters), TypeError)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        requirement = "a function without `**` arguments, which optax cannot schedule"
        raise argument_error(name, "factory", requirement, list(parameters), TypeError)
    if "learning_rate" in curves:
        requirement = "a plan without a curve 'learning_rate', which is the curve 'lr'"
        raise argument_error(name, "plan", requirement, list(curves))
    for key in curves:
        if key != "lr" and key not in parameters and (hint := suggestion(key, parameters, "")):
            raise ValueError(f"{name}: the factory has no argument {key!r}; {hint}")
    curves["learning_rate"] = curves.pop("lr")
    scheduled = {key: to_optax(*curve) for key, curve in curves.items() if key in parameters and key not in fixed}
    # Of an argument that is not static, optax calls functions and stores numbers in the state, also defaults.
    static = tuple(key for key in parameters if key not in scheduled)
    inject = optax.inject_hyperparams(factory, static_args=static)
    for key, parameter in parameters.items():
        required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        if required and key not in scheduled and key not in fixed:
            raise TypeError(f"{name}: the factory needs the argument `{key}`; give it by name")
    return call_by_name(name, partial(inject, **scheduled), parameters, fixed)
