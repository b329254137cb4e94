"""jit, vmap, grad and scan in JAX; compile, vmap and gradients in torch."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import bridges.jax  # noqa: F401  (registers schedules as pytrees)
import funcsched as fs
from tests import oracle
from tests.backends import float32, torch_compile
from tests.cases import ONE_OF_EACH, Case

STEPS = [-1, 0, 1, 5, 9, 10, 11, 20, 27, 99, 100, 101]

each_case = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)


def max_ulps(case: Case, values) -> float:
    """The largest float32 error of the values at `STEPS`, relative to the larger level where the curve crosses 0."""
    return oracle.max_ulps(case.exact, STEPS, values.tolist(), 24, case.crossing_scale)


def evaluate(schedule: fs.Schedule, step: jax.Array) -> jax.Array:
    return schedule(step)


@contextmanager
def strict_jax() -> Iterator[None]:
    """Errors at implicit dtype promotion, at the first NaN, and at a leaked tracer."""
    with jax.numpy_dtype_promotion("strict"), jax.debug_nans(True), jax.checking_leaks():
        yield


# Several schedules compile faster together.
eight_cases = pytest.mark.parametrize(
    "cases", [ONE_OF_EACH[i : i + 8] for i in range(0, len(ONE_OF_EACH), 8)], ids=lambda cases: f"from {cases[0]}"
)


@each_case
def test_jax_vmap_over_steps(case: Case) -> None:
    assert max_ulps(case, jax.vmap(case.schedule)(jnp.array(STEPS))) <= 4


@eight_cases
def test_jax_scan_over_steps(cases: list[Case]) -> None:
    def body(carry: None, step: jax.Array) -> tuple[None, list[jax.Array]]:
        return carry, [case.schedule(step) for case in cases]

    _, values = jax.lax.scan(body, None, jnp.array(STEPS))
    for case, each in zip(cases, values, strict=True):
        assert max_ulps(case, each) <= 4, case


@eight_cases
def test_jit_with_schedules_as_arguments(cases: list[Case]) -> None:
    """Every parameter that can be traced is traced."""

    @jax.jit
    def values(schedules: list[fs.Schedule], steps: jax.Array) -> list[jax.Array]:
        return [schedule(steps) for schedule in schedules]

    for case, each in zip(cases, values([case.schedule for case in cases], jnp.array(STEPS)), strict=True):
        assert max_ulps(case, each) <= max(case.ulps, 8), case


@eight_cases
def test_gradients_with_respect_to_the_step_are_finite_in_strict_jax(cases: list[Case]) -> None:
    steps = [
        jnp.array([-1.0, 0.0, 1e-6, 0.5, *map(float, STEPS), case.horizon, case.horizon - 1, 3e9]) for case in cases
    ]

    def slopes(steps: list[jax.Array]) -> list[jax.Array]:
        return [jax.vmap(jax.grad(case.schedule))(each) for case, each in zip(cases, steps, strict=True)]

    with strict_jax():
        finite = {str(case): jnp.isfinite(each).all() for case, each in zip(cases, jax.jit(slopes)(steps), strict=True)}
    assert all(finite.values()), finite


@eight_cases
def test_jitted_gradients_with_respect_to_the_parameters_in_strict_jax(cases: list[Case]) -> None:
    steps = jnp.array([0, 1, 10, 99], "int32")
    schedules = {str(case): jax.tree.map(jnp.asarray, case.schedule) for case in cases}

    def total(schedules: dict[str, fs.Schedule]) -> jax.Array:
        return sum(jax.vmap(evaluate, (None, 0))(schedule, steps).sum() for schedule in schedules.values())

    with strict_jax():
        gradients = jax.jit(jax.grad(total, allow_int=True))(schedules)
    for text, gradient in gradients.items():
        floats = [leaf for leaf in jax.tree.leaves(gradient) if leaf.dtype != jax.dtypes.float0]
        assert all(np.isfinite(leaf).all() for leaf in floats), text


@each_case
def test_torch_gradients_with_respect_to_the_step_are_finite(case: Case) -> None:
    steps = torch.tensor([-1.0, 0.0, 1e-6, 0.5, *map(float, STEPS), case.horizon, 3e9], requires_grad=True)
    total = case.schedule(steps).sum()
    if total.requires_grad:  # a constant does not depend on the step
        total.backward()
        assert torch.isfinite(steps.grad).all()


@pytest.mark.parametrize("shape", [fs.linear, fs.cosine, fs.power(2.0), fs.power(0.5)], ids=repr)
def test_the_gradient_with_respect_to_the_step_is_the_slope(shape: fs.Shape) -> None:
    derivative = {
        fs.linear: lambda u: 1.0,
        fs.cosine: lambda u: np.pi / 2 * np.sin(np.pi * u),
        fs.power(2.0): lambda u: 2 * u,
        fs.power(0.5): lambda u: 0.5 * u**-0.5,
    }[shape]
    slopes = jax.vmap(jax.grad(fs.ramp(0.0, 1.0, steps=10, shape=shape)))(jnp.array([1.0, 3.0, 5.0, 9.0]))
    np.testing.assert_allclose(slopes, [derivative(u) / 10 for u in (0.1, 0.3, 0.5, 0.9)], rtol=1e-5)


@pytest.mark.parametrize("step", [0.5, 1.0, 3.0, 9.5])
def test_the_gradient_of_a_log_ramp_is_its_derivative(step: float) -> None:
    slope = jax.grad(fs.ramp(0.0, 1.0, steps=10, shape=fs.log))(jnp.float32(step))
    assert float(slope) == pytest.approx(1 / ((1 + step) * np.log(11)), rel=1e-5)


def test_log_ramps_work_inside_growing_cycles() -> None:
    """The shape depends on its number of steps, which a lookup makes a traced value here."""
    ramps = fs.join([fs.ramp(0.0, 1.0, steps=10, shape=fs.log)] * 5, [10, 20, 30, 40])
    schedule = fs.repeat(ramps, 50, times=3, period_factor=2)
    exact = oracle.repeat(oracle.join([oracle.ramp(0.0, 1.0, 10, oracle.log(10))] * 5, [10, 20, 30, 40]), 50, 3, 2)
    steps = [0, 5, 49, 57, 149, 200, 350]
    assert oracle.max_ulps(exact, steps, jax.jit(schedule)(jnp.array(steps)).tolist(), 24) <= 4
    assert oracle.ulps(float(schedule(jnp.int32(57))), exact(57), 24) <= 4


@each_case
def test_torch_vmap_over_steps(case: Case) -> None:
    assert max_ulps(case, torch.func.vmap(case.schedule)(torch.tensor(STEPS))) <= 4


def test_torch_compiles_several_schedules_as_full_graphs() -> None:
    torch._dynamo.reset()
    totals = [50, 100, 150, 200, 250]
    schedules = [fs.warmup_cosine(10, total, end=0.01 * total) for total in totals]
    compiled = [torch.compile(schedule, fullgraph=True, backend="eager") for schedule in schedules]
    values = [float(evaluate(torch.tensor(total))) for evaluate, total in zip(compiled, totals, strict=True)]
    assert values == [float32(0.01 * total) for total in totals]


_CYCLE = oracle.warmup_linear(3, 7)


@pytest.mark.parametrize(
    "case",
    [
        Case("repeat(warmup_linear(3, 7), 10, 3, period_factor=2)", oracle.repeat(_CYCLE, 10, 3, 2), {}),
        Case(
            "repeat(warmup_linear(3, 7), 4, period_factor=1.375, level_factor=0.875)",
            oracle.repeat(_CYCLE, 4, None, 1.375, 0.875),
            {},
            scale=1.0,
        ),
        Case("repeat(warmup_linear(3, 7), 4, 500, level_factor=0.875)", oracle.repeat(_CYCLE, 4, 500, 1, 0.875), {}),
        Case("exponential_decay(0.875, 3, staircase=True)", oracle.exponential_decay(0.875, 3, True), {}),
        Case(
            "piecewise_constant(range(1, 9), factors=[0.875] * 8)",
            oracle.factors(list(range(1, 9)), [0.875] * 8),
            {},
        ),
        Case(
            "ramp(1.0, 0.125, steps=16, shape=exponential(0.375))",
            oracle.ramp(1.0, 0.125, 16, oracle.exponential(0.375)),
            {},
        ),
    ],
    ids=str,
)
def test_torch_compiles_schedules_whose_constants_are_computed_on_first_use(case: Case) -> None:
    steps = [0, 5, 13, 40]
    compiled = torch_compile(case.schedule)
    values = [compiled(torch.tensor(step)).item() for step in steps]
    assert oracle.max_ulps(case.exact, steps, values, 24, case.scale) <= 4


# Pairs of schedules that differ only in their numbers, for i = 0 and i = 1.
FAMILIES = {
    "exponential_decay": lambda i: Case(
        f"exponential_decay({0.9 - i / 100}, 10)", oracle.exponential_decay(0.9 - i / 100, 10), {}
    ),
    "repeat of equal cycles": lambda i: Case(
        f"repeat(warmup_linear(3, 7), 10, level_factor={0.9 - i / 100})",
        oracle.repeat(_CYCLE, 10, None, 1, 0.9 - i / 100),
        {},
    ),
    "repeat of many levels": lambda i: Case(
        f"repeat(warmup_linear(3, 7), 10, {100 + i}, level_factor={0.9 - i / 100})",
        oracle.repeat(_CYCLE, 10, 100 + i, 1, 0.9 - i / 100),
        {},
    ),
    "repeat of three cycles": lambda i: Case(
        f"repeat(warmup_linear(3, 7), {10 + i}, 3, 2)", oracle.repeat(_CYCLE, 10 + i, 3, 2), {}
    ),
    "repeat of growing cycles": lambda i: Case(
        f"repeat(warmup_linear(3, 7), {10 + i}, None, {1.1 + i / 100})",
        oracle.repeat(_CYCLE, 10 + i, None, 1.1 + i / 100),
        {},
        scale=1.0,
    ),
    "multistep": lambda i: Case(
        f"multistep([30, {60 + i}], {0.9 - i / 100})", oracle.factors([30, 60 + i], [0.9 - i / 100] * 2), {}
    ),
    "piecewise_constant": lambda i: Case(
        f"piecewise_constant([1, 2, 3, 4, 5, {60 + i}], levels=[1, 2, 3, 4, 5, 6, {7 + i}])",
        oracle.levels([1, 2, 3, 4, 5, 60 + i], [1, 2, 3, 4, 5, 6, 7 + i]),
        {},
    ),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_torch_compiles_schedules_that_differ_only_in_their_numbers(family) -> None:
    torch._dynamo.reset()
    steps = [0, 5, 70]
    for case in (family(0), family(1)):
        values = torch.compile(case.schedule, fullgraph=True, backend="eager")(torch.tensor(steps))
        assert oracle.max_ulps(case.exact, steps, values.tolist(), 24, case.scale) <= 4


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # raised inside torch's own compiler
def test_torch_inductor_is_accurate() -> None:
    cases = [
        Case("warmup_cosine(10, 100, end=0.1)", oracle.warmup_cosine(10, 100, 0.0, 0.1), {}),
        Case("warmup_cosine_restarts(10, 100, cycles=3)", oracle.warmup_cosine_restarts(10, 100, cycles=3), {}),
        next(case for case in ONE_OF_EACH if case.text.startswith("join([warmup_cosine(")),
    ]
    schedules = [case.schedule for case in cases]
    torch._dynamo.reset()
    # One graph for all of them, because each graph takes seconds to compile.
    values = torch.compile(lambda steps: [schedule(steps) for schedule in schedules], fullgraph=True)(
        torch.tensor(STEPS)
    )
    assert [max_ulps(case, value) <= 4 for case, value in zip(cases, values, strict=True)] == [True] * 3


def test_torch_compiles_an_update_that_evaluates_a_schedule() -> None:
    torch._dynamo.reset()
    schedule = fs.warmup_linear(10, 100)

    @torch.compile(fullgraph=True, backend="eager")
    def update(weight, step):
        return weight - schedule(step) * weight

    assert update(torch.ones(2), torch.tensor(5)).tolist() == [0.5, 0.5]
