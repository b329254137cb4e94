"""The functions that `to_source` writes, compiled and run, their comments, and schedules without source code."""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings

import funcsched as fs
from tests import oracle
from tests.backends import float32, x64
from tests.cases import CASES, Case, exact_value, sampled_steps
from tests.strategies import schedules

THIRD = CASES[::3]
LANGUAGES = ["python", "torch", "optax", "c"]
# Combinators inside each other: tables of tables, and parameters that depend on the step.
NESTED = [
    "repeat(join([ramp(i / 9, 1, steps=3) for i in range(6)], [5 * i for i in range(1, 6)]), 31, 3, period_factor=2)",
    "stretch(shift(multistep([10, 20, 30, 40, 50, 60], 0.5), 3), 1.5)",
    "repeat(ramp(0.12, 1.0, steps=14, shape=reverse(exponential(1.5))), 36, times=2, period_factor=2.0)",
    "blend(step_decay(7), table([0.5, 0.25, 0.125]), lerp(cosine_restarts(9), 0, 1))",
    "count_by(warmup_cosine(100, 1000), [3, 5, 7], [40, 90], epoch=11)",
    "repeat(ramp(0, 1, steps=9), 10, times=1, period_factor=2)",  # a table without entries
    "minimum(0.5, warmup_cosine(10, 100))",
    "stretch(step_decay(8, 0.5), 0.1)",
    "scale(join([piecewise_constant([i], levels=[0.1 * i, 0.7 * i]) for i in range(1, 9)], range(5, 40, 5)), 3.3)",
]


def function(schedule: fs.Schedule, language: str, **arguments: Any) -> Callable[[Any], Any]:
    """The function that the source code defines. It runs without any other name."""
    namespace: dict[str, Any] = {}
    exec(fs.to_source(schedule, language, name="exported", **arguments), namespace)
    exported: Callable[[Any], Any] = namespace["exported"]
    return exported


def faults(case: Case, steps: Sequence[int], values: Sequence[float], bits: int) -> list[str]:
    """The errors of the values, in ulps and at the boundaries."""
    found = []
    for step, value in zip(steps, values, strict=True):
        error = oracle.ulps(value, exact_value(case, step), bits, case.scale)
        if not error <= case.ulps:
            found.append(f"{case}: {error} ulp at step {step}")
        expected = case.boundary_values.get(step, value)
        if value != (expected if bits == 53 else float32(expected)):
            found.append(f"{case}: {value} instead of {expected} at step {step}")
    return found


def int32_steps(case: Case) -> list[int]:
    return [step for step in sampled_steps(case) if -(2**31) <= step < 2**31]


def test_a_python_function_is_equal_to_the_schedule() -> None:
    for case in CASES:
        exported = function(case.schedule, "python")
        for step in [*sampled_steps(case), 2**62, 10**30]:
            value = exported(step)
            assert type(value) is float
            assert value == case.schedule(step), (case, step)
    for text in NESTED:
        schedule, growing = eval(text, vars(fs)), "period_factor" in text
        exported = function(schedule, "python")
        for step in range(300):
            assert growing or exported(step) == schedule(step), (text, step)


@settings(max_examples=150)
@given(schedules)
def test_a_python_function_of_nested_schedules_is_equal_up_to_rounding(schedule: fs.Schedule) -> None:
    exported = function(schedule, "python")
    growing = "period_factor" in repr(schedule)  # the lengths of the phases depend on the step
    for step in [*range(-2, 130, 3), 1000, 2**40]:
        value = schedule(step)
        assert exported(step) == (pytest.approx(value, rel=1e-13, abs=1e-14) if growing else value)


def library(path: Path, source: str) -> ctypes.CDLL:
    """The source code as a shared library."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (path / "schedules.c").write_text(source)
    command = [compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", path / "schedules.so", path / "schedules.c", "-lm"], check=True)
    return ctypes.CDLL(str(path / "schedules.so"))


def test_c_functions_are_accurate(tmp_path: Path) -> None:
    nested = [eval(text, vars(fs)) for text in NESTED]
    sources = [
        fs.to_source(schedule, "c", name=f"f{i}")
        for i, schedule in enumerate([*(case.schedule for case in CASES), *nested])
    ]
    compiled = library(tmp_path, "\n".join(sources))

    def values(i: int, steps: Sequence[int]) -> list[float]:
        exported = getattr(compiled, f"f{i}")
        exported.argtypes, exported.restype = [ctypes.c_double], ctypes.c_double
        return [exported(step) for step in steps]

    found = []
    for i, case in enumerate(CASES):
        steps = [step for step in sampled_steps(case) if step <= 2**53]
        found += faults(case, steps, values(i, steps), 53)
        assert values(i, [10**300]) == values(i, [2**62])
    assert not found, found[:5]
    for i, schedule in enumerate(nested, len(CASES)):
        assert values(i, range(300)) == pytest.approx([schedule(step) for step in range(300)], rel=1e-14)


def test_torch_functions_are_accurate() -> None:
    found = []
    for case in THIRD:
        exported = function(case.schedule, "torch")
        steps = sampled_steps(case)
        values = exported(torch.tensor(steps))
        assert values.dtype == torch.float32 and values.shape == (len(steps),)
        found += faults(case, steps, values.tolist(), 24)
        assert exported(steps[0]) == values[0]  # a Python number
    assert not found, found[:5]


def test_torch_functions_run_on_nested_schedules_and_compile() -> None:
    steps = torch.arange(300)
    for text in NESTED:
        schedule = eval(text, vars(fs))
        exported = function(schedule, "torch")
        expected = torch.tensor([schedule(step) for step in range(300)])
        # Computed in float64, so the result is rounded to float32 only once.
        assert ((exported(steps) == expected) | (expected < 1e-37)).all(), text
    compiled = torch.compile(exported, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(steps), schedule(steps), rtol=1e-6, atol=0)


def test_jax_functions_are_accurate() -> None:
    functions = [function(case.schedule, "optax") for case in THIRD]
    arrays = [np.asarray(int32_steps(case), np.int32) for case in THIRD]
    longest = max(map(len, arrays))
    padded = [np.pad(array, (0, longest - len(array)), "edge") for array in arrays]
    results = jax.jit(lambda steps: [each(step) for each, step in zip(functions, steps, strict=True)])(padded)
    found = []
    for case, array, values in zip(THIRD, arrays, results, strict=True):
        assert values.dtype == jnp.float32
        found += faults(case, array.tolist(), values.tolist()[: len(array)], 24)
    assert not found, found[:5]


def test_jax_functions_run_eagerly_and_with_x64() -> None:
    texts = ["warmup_cosine(10, 100, end=0.1)", "constant(0.3)", "warmup_linear(10, 2**40)", NESTED[3]]
    schedules = [eval(text, vars(fs)) for text in texts]
    functions = [function(schedule, "optax") for schedule in schedules]
    steps = range(0, 110, 5)
    with x64():
        results = jax.jit(lambda array: [each(array) for each in functions])(jnp.arange(0, 110, 5))
    for schedule, values in zip(schedules, results, strict=True):
        assert values.dtype == jnp.float32
        np.testing.assert_allclose(values, [schedule(step) for step in steps], rtol=1e-6)
    value = functions[0](55)  # outside of jit
    assert value.dtype == jnp.float32 and float(value) == pytest.approx(schedules[0](55), rel=1e-6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_comment_gives_the_expression_and_values_for_a_test(language: str) -> None:
    schedule = fs.warmup_cosine(10, 100, end=0.1)
    source = fs.to_source(schedule, language)
    assert repr(schedule) in source
    values = {int(step): float(value) for step, value in re.findall(r"multiplier\((\d+)\) ==? (\S+)", source)}
    assert {0, 10, 100, 110} <= values.keys()
    for step, value in values.items():
        assert value == pytest.approx(schedule(step), rel=0 if language in ("python", "c") else 1e-6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_comment_names_the_unit_of_the_steps(language: str) -> None:
    schedule = fs.warmup_linear(10, 100)
    assert "The learning-rate multiplier after `step` updates. " in fs.to_source(schedule, language)
    source = fs.to_source(schedule, language, peak_value=0.5, unit="samples")
    assert "The learning rate after `step` samples. " in source and "updates" not in source


@pytest.mark.parametrize("language", ["python", "torch", "optax"])
def test_with_a_peak_the_function_returns_learning_rates(language: str) -> None:
    schedule = fs.warmup_linear(10, 100)
    source = fs.to_source(schedule, language, peak_value=3e-4)
    assert "def learning_rate(step)" in source and "0.0003 * warmup_linear" in source
    exported = function(schedule, language, peak_value=3e-4)
    assert [float(exported(step)) for step in (0, 5, 10, 55, 200)] == pytest.approx([0, 1.5e-4, 3e-4, 1.5e-4, 0])


def test_torch_functions_do_not_divide_by_numbers() -> None:
    """On a GPU, torch multiplies by the rounded reciprocal, which misses 1 at the end."""
    assert not re.search(r"/ [\d.]", fs.to_source(fs.warmup_linear(10, 100), "torch"))


def test_a_table_of_equal_values_is_a_number() -> None:
    ramps = [fs.ramp(i, i + 1, steps=7) for i in range(6)]
    source = fs.to_source(fs.join(ramps, range(10, 60, 10)), "c")
    assert source.count("static const double") == 4  # the boundaries, the starts, and both levels


def test_a_common_recipe_is_short() -> None:
    schedules = [
        fs.warmup_cosine(10, 100),
        fs.warmup_stable_decay(10, 80, 10),
        fs.one_cycle(30, 100),
        fs.step_decay(30),
    ]
    for schedule in schedules:
        for language in LANGUAGES:
            assert len(fs.to_source(schedule, language).splitlines()) <= 60


@pytest.mark.parametrize(
    "schedule",
    [
        fs.lift(lambda step: 0.5**step),
        fs.join([fs.constant(), fs.curve(lambda u: 1 - u, steps=10)], [5]),
        fs.ramp(0, 1, steps=10, shape=fs.reverse(lambda u: u * u)),
    ],
)
def test_a_function_of_the_user_has_no_source_code_and_tabulate_helps(schedule: fs.Schedule) -> None:
    with pytest.raises(ValueError, match=r"to_source: `schedule` must be a schedule without functions.*fs\.tabulate"):
        fs.to_source(schedule, "python")
    exported = function(fs.tabulate(schedule, 20), "python")
    assert [exported(step) for step in range(20)] == [schedule(step) for step in range(20)]


def test_traced_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="to_source: `schedule` must be a schedule of Python numbers"):
        fs.to_source(fs.warmup_linear(jnp.asarray(3), 10), "python")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"language": "rust"}, "to_source: `language` must be one of 'python', 'torch', 'optax', 'c', got 'rust'"),
        (
            {"language": "c", "name": "a b"},
            "to_source: `name` must be an unused name of a function, got 'a b'",
        ),
        (
            {"language": "python", "name": "lambda"},
            "to_source: `name` must be an unused name of a function, got 'lambda'",
        ),
        (
            {"language": "c", "unit": "hours"},
            "to_source: `unit` must be one of 'updates', 'samples', 'tokens', 'epochs', got 'hours'",
        ),
        ({"language": "c", "peak_value": float("nan")}, "to_source: `peak_value` must be a number from -1.7e38"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        fs.to_source(fs.constant(), **arguments)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("c", "int"),
        ("c", "sin"),
        ("c", "main"),
        ("python", "math"),
        ("python", "max"),
        ("torch", "torch"),
        ("optax", "jnp"),
    ],
)
def test_a_name_with_another_meaning_is_an_error(language: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"^to_source: `name` must be an unused name of a function, got"):
        fs.to_source(fs.constant(), language, name=name)
    assert "double class(double step)" in fs.to_source(fs.constant(), "c", name="class")
