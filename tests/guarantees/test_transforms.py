"""jit, vmap, grad and scan of JAX; compile and vmap of torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import bridges.jax  # noqa: F401  (schedules as arguments)
import funcsched as fs
from tests import oracle
from tests.cases import ONE_OF_EACH, Case

each = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
STEPS = [-1, 0, 1, 5, 9, 10, 11, 20, 27, 99, 100, 101]


def off(case: Case, values) -> float:
    return max(oracle.ulps(value, case.exact(step), 24) for step, value in zip(STEPS, values, strict=True))


@each
def test_jax_vmap_over_steps(case: Case) -> None:
    assert off(case, jax.vmap(case.schedule)(jnp.array(STEPS)).tolist()) <= 4


@each
def test_jax_scan_over_steps(case: Case) -> None:
    _, values = jax.lax.scan(lambda carry, step: (carry, case.schedule(step)), None, jnp.array(STEPS))
    assert off(case, values.tolist()) <= 4


def value(schedule: fs.Schedule, step: jax.Array) -> jax.Array:
    return schedule(step)


@each
def test_as_an_argument_of_a_jitted_function(case: Case) -> None:
    """All numbers that may be traced are."""
    assert off(case, jax.jit(value)(case.schedule, jnp.array(STEPS)).tolist()) <= max(case.ulps, 8)


@each
def test_jax_gradients_by_the_step_are_finite(case: Case) -> None:
    steps = jnp.array([-1.0, 0.0, 1e-6, 0.5, *map(float, STEPS), case.horizon, case.horizon - 1, 3e9])
    assert np.isfinite(jax.vmap(jax.grad(case.schedule))(steps)).all()


@contextmanager
def strict() -> Iterator[None]:
    """No implicit promotion, and an error at the first NaN and at a tracer that leaks."""
    with jax.numpy_dtype_promotion("strict"), jax.debug_nans(True), jax.checking_leaks():
        yield


@each
def test_gradients_by_the_parameters_under_the_strictest_settings_of_jax(case: Case) -> None:
    steps, evaluate = jnp.array([0, 1, 10, 99], "int32"), jax.vmap(value, (None, 0))
    with strict():
        traced = jax.tree.map(jnp.asarray, case.schedule)
        gradients = jax.jit(jax.grad(lambda schedule: evaluate(schedule, steps).sum(), allow_int=True))(traced)
        assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(gradients) if g.dtype != jax.dtypes.float0)


@each
def test_gradients_by_the_step_under_the_strictest_settings_of_jax(case: Case) -> None:
    steps = jnp.array([0.0, 1.0, 10.0, 99.0])
    with strict():
        assert jnp.isfinite(jax.jit(jax.vmap(jax.grad(case.schedule)))(steps)).all()


@each
def test_torch_gradients_by_the_step_are_finite(case: Case) -> None:
    steps = torch.tensor([-1.0, 0.0, 1e-6, 0.5, *map(float, STEPS), case.horizon, 3e9], requires_grad=True)
    value = case.schedule(steps).sum()
    if value.requires_grad:  # a constant does not depend on the step
        value.backward()
        assert torch.isfinite(steps.grad).all()


@pytest.mark.parametrize("shape", [fs.linear, fs.cosine, fs.power(2.0), fs.power(0.5)], ids=repr)
def test_the_gradient_by_the_step_is_the_slope(shape: fs.Shape) -> None:
    exact = {
        fs.linear: lambda u: 1.0,
        fs.cosine: lambda u: np.pi / 2 * np.sin(np.pi * u),
        fs.power(2.0): lambda u: 2 * u,
        fs.power(0.5): lambda u: 0.5 * u**-0.5,
    }[shape]
    slopes = jax.vmap(jax.grad(fs.ramp(0.0, 1.0, steps=10, shape=shape)))(jnp.array([1.0, 3.0, 5.0, 9.0]))
    np.testing.assert_allclose(slopes, [exact(u) / 10 for u in (0.1, 0.3, 0.5, 0.9)], rtol=1e-5)


@pytest.mark.parametrize("step", [0.5, 1.0, 3.0, 9.5])
def test_the_gradient_of_a_logarithm_has_no_seam(step: float) -> None:
    slope = jax.grad(fs.ramp(0.0, 1.0, steps=10, shape=fs.log))(jnp.float32(step))
    assert float(slope) == pytest.approx(1 / ((1 + step) * np.log(11)), rel=1e-5)


def test_a_shape_that_a_traced_factor_stretches_runs_in_a_table() -> None:
    pieces = fs.join([fs.ramp(0.0, 1.0, steps=10, shape=fs.log)] * 5, [10, 20, 30, 40])
    schedule = fs.repeat(pieces, 50, times=3, period_factor=2)
    steps = [0, 5, 49, 57, 149, 200, 350]
    exact = [schedule(step) for step in steps]
    np.testing.assert_allclose(jax.jit(schedule)(jnp.array(steps)), exact, rtol=1e-6)
    assert float(schedule(jnp.int32(57))) == pytest.approx(schedule(57), rel=1e-6)


@each
def test_torch_vmap_over_steps(case: Case) -> None:
    assert off(case, torch.func.vmap(case.schedule)(torch.tensor(STEPS)).tolist()) <= 4


def test_torch_compiles_one_schedule_after_another_into_whole_graphs() -> None:
    torch._dynamo.reset()
    totals = [50, 100, 150, 200, 250]
    values = [
        torch.compile(fs.warmup_cosine(10, total, end=0.01 * total), fullgraph=True, backend="eager")(
            torch.tensor(total)
        )
        for total in totals
    ]
    assert [float(value) for value in values] == [float(np.float32(0.01 * total)) for total in totals]


@pytest.mark.parametrize(
    "schedule",
    [
        fs.repeat(fs.warmup_linear(3, 7), 10, 3, period_factor=2),
        fs.repeat(fs.warmup_linear(3, 7), 4, period_factor=1.375, level_factor=0.875),
        fs.repeat(fs.warmup_linear(3, 7), 4, 500, level_factor=0.875),
        fs.exponential_decay(0.875, 3, staircase=True),
        fs.piecewise_constant(range(1, 9), factors=[0.875] * 8),
        fs.ramp(1.0, 0.125, steps=16, shape=fs.exponential(0.375)),
    ],
    ids=str,
)
def test_torch_compiles_what_has_to_be_prepared_at_its_first_use(schedule: fs.Schedule) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(schedule, fullgraph=True, backend="eager")
    values = [compiled(torch.tensor(step)).item() for step in (0, 5, 13, 40)]
    assert values == pytest.approx([schedule(step) for step in (0, 5, 13, 40)], rel=4 * 2.0**-24)


FAMILIES = {
    "exponential_decay": lambda i: fs.exponential_decay(0.9 - i / 100, 10),
    "repeat of equal cycles": lambda i: fs.repeat(fs.warmup_linear(3, 7), 10, level_factor=0.9 - i / 100),
    "repeat of many levels": lambda i: fs.repeat(fs.warmup_linear(3, 7), 10, 100 + i, level_factor=0.9 - i / 100),
    "repeat of three cycles": lambda i: fs.repeat(fs.warmup_linear(3, 7), 10 + i, 3, 2),
    "repeat of growing cycles": lambda i: fs.repeat(fs.warmup_linear(3, 7), 10 + i, None, 1.1 + i / 100),
    "multistep": lambda i: fs.multistep([30, 60 + i], 0.9 - i / 100),
    "piecewise_constant": lambda i: fs.piecewise_constant([1, 2, 3, 4, 5, 60 + i], levels=[1, 2, 3, 4, 5, 6, 7 + i]),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_torch_compiles_schedules_with_other_numbers_one_after_another(family) -> None:
    torch._dynamo.reset()
    for i in range(2):
        values = torch.compile(family(i), fullgraph=True, backend="eager")(torch.tensor([0, 5, 70]))
        assert values.tolist() == pytest.approx([family(i)(step) for step in (0, 5, 70)], rel=4 * 2.0**-24)


def test_levels_that_are_arrays_are_looked_up_whole() -> None:
    levels = [np.array([1.0, 2.0, 3.0]) * i for i in range(6)]
    schedule = fs.piecewise_constant([1, 2, 3, 4, 5], levels=levels)
    assert schedule(2).tolist() == schedule(np.int64(2)).tolist() == [2.0, 4.0, 6.0]
    assert schedule(np.array([1, 2, 3])).tolist() == [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch warns of its own compiler
@pytest.mark.parametrize(
    "case",
    [case for case in ONE_OF_EACH if case.text.startswith(("warmup_cosine(9", "warmup_cosine_r", "join([warmup"))][:3],
    ids=str,
)
def test_torch_inductor_keeps_the_accuracy(case: Case) -> None:
    torch._dynamo.reset()
    values = torch.compile(case.schedule, fullgraph=True)(torch.tensor(STEPS))
    assert off(case, values.tolist()) <= 4


def test_a_training_step_with_the_schedule_inside_compiles_whole() -> None:
    torch._dynamo.reset()
    schedule = fs.warmup_linear(10, 100)

    @torch.compile(fullgraph=True, backend="eager")
    def update(weight, step):
        return weight - schedule(step) * weight

    assert update(torch.ones(2), torch.tensor(5)).tolist() == [0.5, 0.5]
