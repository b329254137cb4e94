"""`inject_plan`: an optax optimizer that follows a plan."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest

import funcsched as fs
from bridges.optax import inject_plan

PLAN = fs.Plan(
    {
        "lr": (fs.warmup_linear(4, 12), 0.5),
        "weight_decay": (fs.ramp(1, 0.5, steps=8), 0.25),
        "batch_size": (fs.constant(), 64),
    },
    run={"updates": 12},
)


def test_the_optimizer_follows_the_curves_that_it_has_and_equals_one_with_the_same_values() -> None:
    optimizer = inject_plan(PLAN, optax.adamw, b2=0.95, mask={"w": True})
    parameters = {"w": jnp.ones(2)}

    def step(carry: Any, _: Any) -> Any:
        parameters, state = carry
        updates, state = optimizer.update(parameters, state, parameters)  # the gradient of |w|^2 / 2
        return (optax.apply_updates(parameters, updates), state), state.hyperparams

    state = optimizer.init(parameters)
    (result, _), values = jax.jit(lambda carry: jax.lax.scan(step, carry, None, 9))((parameters, state))
    assert set(values) == {"learning_rate", "weight_decay"}
    rates = [0.0, 0.125, 0.25, 0.375, 0.5, 0.4375, 0.375, 0.3125, 0.25]
    decays = [0.25, 0.234375, 0.21875, 0.203125, 0.1875, 0.171875, 0.15625, 0.140625, 0.125]
    assert (values["learning_rate"].tolist(), values["weight_decay"].tolist()) == (rates, decays)
    expected, moments = parameters, optax.scale_by_adam(b2=0.95).init(parameters)
    for rate, decay in zip(rates, decays, strict=True):
        updates, moments = optax.scale_by_adam(b2=0.95).update(expected, moments)
        expected = {"w": expected["w"] - rate * (updates["w"] + decay * expected["w"])}
    assert jnp.allclose(result["w"], expected["w"], rtol=1e-5)


def test_a_plan_that_cannot_run_is_refused() -> None:
    tokens = fs.Plan({"lr": (fs.constant(), 0.5)}, run={"tokens": 12})
    with pytest.raises(ValueError, match=r"`plan` must be a plan that counts updates, .*use plan.in_updates\(clock\)"):
        inject_plan(tokens, optax.adamw)
    with pytest.raises(ValueError, match="`plan` must be a plan with a curve 'lr'"):
        inject_plan(fs.Plan({"rate": (fs.constant(), 0.5)}, run={"updates": 12}), optax.adamw)
    with pytest.raises(TypeError, match="inject_plan: `plan` must be a Plan, got"):
        inject_plan(fs.constant(), optax.adamw)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`factory` must be a function with an argument `learning_rate`"):
        inject_plan(PLAN, optax.scale_by_adam)
    with pytest.raises(TypeError, match=r"inject_plan: no argument `beta2` \(got 0.95\); it takes .*`b2`"):
        inject_plan(PLAN, optax.adamw, beta2=0.95)


def test_a_misspelt_curve_and_a_factory_with_any_arguments_are_errors() -> None:
    plan = fs.Plan({"lr": (fs.constant(), 0.5), "weightdecay": (fs.constant(), 0.1)}, run={"updates": 4})
    with pytest.raises(
        ValueError, match=r"^inject_plan: the factory has no argument 'weightdecay'; did you mean 'weight_"
    ):
        inject_plan(plan, optax.adamw)
    with pytest.raises(TypeError, match=r"^inject_plan: `factory` must be a function without `\*\*` arguments"):
        inject_plan(PLAN, lambda learning_rate, **others: optax.sgd(learning_rate, **others))
    both = fs.Plan({"lr": (fs.constant(), 0.5), "learning_rate": (fs.constant(), 0.1)}, run={"updates": 4})
    with pytest.raises(ValueError, match="`plan` must be a plan without a curve 'learning_rate', which is the curve"):
        inject_plan(both, optax.adamw)
    with pytest.raises(TypeError, match=r"^inject_plan: the factory needs the argument `momentum`; give it by name$"):
        inject_plan(PLAN, lambda learning_rate, momentum: optax.sgd(learning_rate, momentum))
