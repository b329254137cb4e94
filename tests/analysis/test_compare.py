"""`compare`: where two curves diverge, by how much, and the reason."""

import math
import pickle
import time

import jax.numpy as jnp
import numpy as np
import pytest

import funcsched as fs
from funcsched.analysis.compare import Comparison, compare
from tests.cases import ONE_OF_EACH, Case

LINEAR = fs.warmup_linear(10, 100)
COSINE = fs.warmup_cosine(10, 100)


def reason(first, second, **steps) -> str:
    comparison = compare(first, second, **steps)
    assert not comparison
    return comparison.reason


def endless_cosine(step: float) -> float:
    """A cosine that continues after its end."""
    return 0.5 * (1 + math.cos(math.pi * step / 100))


def warmup_from_one(step: float) -> float:
    """A warmup that counts from 1, with a decay that counts from 0."""
    return (step + 1) / 10 if step < 9 else min(1.0, max(0.0, (100 - step) / 90))


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_one_changed_step_is_found(case: Case) -> None:
    assert compare(case.schedule, case.schedule)
    changed = fs.join([case.schedule, fs.add(fs.shift(case.schedule, 5), 0.5), fs.shift(case.schedule, 6)], [5, 6])
    comparison = compare(case.schedule, changed, steps=50)
    assert (comparison.equal, comparison.first_step, comparison.largest_step) == (False, 5, 5)
    assert comparison.largest_difference == pytest.approx(0.5)
    assert comparison.reason == "the curves differ only at step 5"


def test_different_expressions_of_the_same_curve_are_equal() -> None:
    comparison = compare(LINEAR, fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90)], [10]))
    assert comparison
    assert comparison == Comparison(True, None, None, None, 0.0, None, "", None)
    assert str(comparison) == "the curves are the same"


def test_fields_and_text_of_a_comparison() -> None:
    # 1 - 1/90 and 1 - 1/100; at step 100 the second is 10 of its 100 steps of decay above 0.
    comparison = compare(LINEAR, fs.warmup_linear(10, 110))
    assert comparison.first_step == 11
    assert (comparison.first_value, comparison.second_value) == pytest.approx((89 / 90, 0.99), rel=1e-15)
    assert comparison.largest_step == 100
    assert comparison.largest_difference == pytest.approx(0.1, rel=1e-14)
    assert str(comparison) == (
        "the curves diverge at step 11 (first: 0.988889; second: 0.99); the largest difference is 0.1 at step 100; "
        "likely reason: the horizons differ by the length of the warmup: 100 in the first, 110 in the second (some "
        "libraries count the warmup as part of the length, others do not)"
    )


@pytest.mark.parametrize("boundary", [9_999, 10_000, 123_456_789])
def test_first_different_step_is_exact(boundary: int) -> None:
    comparison = compare(fs.constant(), fs.multistep([boundary], 0.5))
    assert (comparison.first_step, comparison.first_value, comparison.second_value) == (boundary, 1.0, 0.5)
    assert (comparison.largest_step, comparison.largest_difference) == (boundary, 0.5)


def test_similar_values_are_printed_with_enough_digits() -> None:
    text = str(compare(fs.constant(0.25), fs.constant(0.25 + 2**-30), steps=2))
    assert text.startswith("the curves diverge at step 0 (first: 0.25; second: 0.250000001); ")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (LINEAR, fs.shift(LINEAR, 1), "the second is the first shifted one step earlier"),
        (fs.shift(LINEAR, 1), LINEAR, "from step 1 on, the second is the first shifted one step later"),
        (fs.shift(COSINE, 3), COSINE, "from step 3 on, the second is the first shifted 3 steps later"),
        (fs.multistep([30, 60]), fs.multistep([31, 61]), "the second is the first shifted one step later"),
        (LINEAR, fs.shift(LINEAR, 10), "the second is the first shifted 10 steps earlier, so it has no warmup"),
        (LINEAR, fs.shift(LINEAR, 9), "the second is the first shifted 9 steps earlier"),
        (COSINE, fs.scale(COSINE, 0.5), "the second is the first times 0.5"),
        (fs.constant(), fs.constant(0.5), "the second is the first times 0.5"),
        (fs.scale(COSINE, 0.5), COSINE, "the second is the first times 2"),
        (COSINE, fs.constant(0), "the second is 0 everywhere"),
        (COSINE, fs.constant(0.3), "the second is 0.3 everywhere"),
        (
            fs.warmup_constant(10),
            fs.constant(),
            "the second is the first shifted 10 steps earlier, so it has no warmup",
        ),
        (
            COSINE,
            fs.scale(LINEAR, 1e-12),
            "the peak of the second is 1e-12 instead of 1; "
            "the decay of the second has a different shape: linear instead of cosine",
        ),
        (COSINE, fs.shift(fs.scale(COSINE, 0.5), 1), "the second is the first times 0.5, shifted one step earlier"),
        (COSINE, fs.maximum(COSINE, 0.1), "the second is the first, clamped to at least 0.1"),
        (COSINE, fs.minimum(COSINE, 0.8), "the second is the first, clamped to at most 0.8"),
        (fs.cyclic(10, 20), fs.lerp(fs.cyclic(10, 20), 0.95, 0.85), "the second is 0.95 minus 0.1 times the first"),
        (fs.cyclic(10, 20), fs.lerp(fs.cyclic(10, 20), 0.25, 0.75), "the second is 0.25 plus 0.5 times the first"),
    ],
)
def test_shifted_or_scaled_curves(first: fs.Schedule, second: fs.Schedule, expected: str) -> None:
    assert reason(first, second, steps=250) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (LINEAR, fs.warmup_linear(11, 100), "the second reaches its peak one step later (step 11 instead of 10)"),
        (LINEAR, fs.warmup_linear(8, 100), "the second reaches its peak 2 steps earlier (step 8 instead of 10)"),
        (LINEAR, fs.warmup_linear(0, 100), "the second has no warmup"),
        (fs.warmup_linear(0, 100), LINEAR, "the second has a warmup of 10 steps, the first has none"),
        (LINEAR, fs.warmup_linear(10, 100, start=0.1), "the second starts at 0.1 instead of 0"),
        (LINEAR, fs.warmup_linear(10, 100, end=0.1), "the second ends at 0.1 instead of 0"),
        (
            LINEAR,
            fs.warmup_linear(10, 100, start=0.1, end=0.2),
            "the second starts at 0.1 instead of 0; the second ends at 0.2 instead of 0",
        ),
        (LINEAR, fs.warmup_linear(10, 101), "the second ends one step later (step 101 instead of 100)"),
        (
            LINEAR,
            fs.warmup_linear(10, 90, end=0.5),
            "the second ends at 0.5 instead of 0; the horizons differ by the length of the warmup: 100 in the first",
        ),
        (LINEAR, fs.warmup_linear(10, 111), "the second ends 11 steps later (step 111 instead of 100)"),
        (LINEAR, fs.warmup_linear(10, 109), "the second ends 9 steps later (step 109 instead of 100)"),
        (
            COSINE,
            fs.warmup_cosine(10, 110),
            "the horizons differ by the length of the warmup: 100 in the first, 110 in the second (some",
        ),
        (
            fs.warmup_cosine(10, 110),
            COSINE,
            "the horizons differ by the length of the warmup: 110 in the first, 100 in the second",
        ),
        (
            fs.warmup_stable_decay(10, 70, 20),
            fs.warmup_stable_decay(10, 80, 10),
            "the second holds its peak for 80 steps instead of 70",
        ),
        (
            COSINE,
            LINEAR,
            "the decay of the second has a different shape: linear instead of cosine",
        ),
        (
            LINEAR,
            fs.warmup_polynomial(10, 100, exponent=2.0),
            "the decay of the second has a different shape: polynomial with exponent 2 instead of linear",
        ),
        (
            fs.warmup_stable_decay(10, 0, 90, decay_shape=fs.sqrt),
            fs.warmup_stable_decay(10, 0, 90, decay_shape=fs.sqrt, warmup_shape=fs.sine),
            "the warmup of the second has a different shape: sine instead of linear",
        ),
    ],
)
def test_different_phases_of_warmup_and_decay(first: fs.Schedule, second: fs.Schedule, expected: str) -> None:
    assert reason(first, second, steps=250).startswith(expected)


def test_different_horizons_of_long_runs() -> None:
    assert reason(fs.warmup_cosine(1000, 10**9), fs.warmup_cosine(1000, 10**9 + 1000), steps=2 * 10**9).startswith(
        "the horizons differ by the length of the warmup: 1,000,000,000 in the first, 1,000,001,000 in the second ("
    )


def test_holds_and_ends_of_long_runs_are_the_declared_ones() -> None:
    # The top and the end of a cosine over 10**12 steps have the same float64 value at thousands of steps.
    first = fs.warmup_cosine(10**9, 10**12, end=0.1)
    decay = fs.ramp(1, 0.1, steps=2 * 10**12, shape=fs.cosine)
    second = fs.join([fs.ramp(0, 1, steps=10**9), fs.constant(), decay], [10**9, 10**11])
    assert reason(first, second) == (
        "the second holds its peak for 99,000,000,000 steps, the first does not; "
        "the second ends 1,100,000,000,000 steps later (step 2,100,000,000,000 instead of 1,000,000,000,000)"
    )


def test_warmup_that_counts_from_one() -> None:
    assert reason(LINEAR, warmup_from_one, steps=250) == (
        "the second starts at 0.1 instead of 0; the second reaches its peak one step earlier (step 9 instead of 10); "
        "the second holds its peak for one step, the first does not"
    )


def test_curve_that_continues_after_the_end_of_the_other() -> None:
    held = fs.ramp(1, 0, steps=100, shape=fs.cosine)
    expected = "from step 100 on, the second holds 0 while the first rises again (before that, they differ by at most "
    assert reason(endless_cosine, held, steps=150).startswith(expected)
    assert reason(held, endless_cosine, steps=150).startswith(
        "from step 100 on, the first holds 0 while the second rises again"
    )
    assert (
        reason(fs.warmup_constant(10), LINEAR, steps=150) == "from step 10 on, the first holds 1 while the second falls"
    )
    assert reason(LINEAR, fs.join([LINEAR, fs.ramp(0, 1, steps=5)], [101]), steps=150) == (
        "from step 100 on, the first holds 0 while the second rises again"
    )


def test_differences_only_at_a_few_steps() -> None:
    assert reason(fs.warmup_linear(1, 10), fs.warmup_linear(1, 10, start=0.1), steps=20) == (
        "the curves differ only at step 0: the second starts at 0.1 instead of 0"
    )
    spikes = fs.piecewise_constant([7, 8, 20, 21], levels=[1.0, 2.0, 1.0, 2.0, 1.0])
    assert reason(fs.constant(), spikes, steps=100) == "the curves differ only at steps 7 and 20"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (fs.cosine_restarts(50), fs.cosine_restarts(60), "the second has period=60 instead of 50"),
        (fs.exponential_decay(0.5, 10), fs.exponential_decay(0.5, 20), "the second has steps=20 instead of 10"),
        (fs.multistep([30, 60]), fs.multistep([30, 70]), "the second has boundaries=(30, 70) instead of (30, 60)"),
        (
            fs.repeat(fs.ramp(1, 0, steps=10, shape=fs.cosine), 10),
            fs.repeat(fs.ramp(1, 0.5, steps=9, shape=fs.cosine), 10),
            "the second has stop=0.5 instead of 0.0 and steps=9 instead of 10",
        ),
    ],
)
def test_different_arguments_if_there_is_no_simpler_reason(
    first: fs.Schedule, second: fs.Schedule, expected: str
) -> None:
    assert reason(first, second, steps=250) == expected


def test_rounding_errors() -> None:
    assert reason(fs.ramp(1, 0, steps=100, shape=fs.cosine), endless_cosine, steps=101).startswith(
        "rounding errors of at most "
    )
    assert reason(COSINE, lambda step: np.float32(COSINE(step)), steps=101) == (
        "rounding errors of float32, in which the second is computed"
    )
    assert "rounding" not in reason(COSINE, lambda step: COSINE(step) * (1 + 1e-5), steps=101)


def test_no_simple_reason() -> None:
    odd = fs.table([0.3, 0.9, 0.2, 0.8, 0.1, 0.9, 0.4, 0.15])
    other = fs.table([0.3, 0.9, 0.25, 0.7, 0.3, 0.6, 0.2, 0.15])
    assert reason(odd, fs.add(other, 0.0), steps=20) == "no simple reason found"
    assert reason(lambda step: 1 / (1 + step), lambda step: 1 / (1 + step**1.1), steps=500) == "no simple reason found"


def test_values_that_are_not_finite() -> None:
    assert (
        reason(fs.constant(), lambda step: math.nan, steps=9) == "one of the schedules has a value that is not finite"
    )
    assert compare(lambda step: math.nan, lambda step: math.nan, steps=9)


def test_only_the_steps_of_the_run_are_compared() -> None:
    same = compare(LINEAR, fs.warmup_linear(10, 110), steps=11)  # steps 0 to 10
    assert same and str(same) == "the curves are the same in the first 11 updates"
    assert str(compare(LINEAR, LINEAR, steps=1)) == "the curves are the same in the first update"
    comparison = compare(LINEAR, fs.warmup_linear(10, 110), steps=12)
    assert (comparison.first_step, comparison.largest_step) == (11, 11)
    values = [0.5, 1.0, 0.25]
    assert compare(lambda step: values[step], fs.table(values), steps=3)
    with pytest.raises(IndexError):
        compare(lambda step: values[step], fs.table(values), steps=4)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_run_of_a_few_steps(steps: int) -> None:
    assert reason(LINEAR, fs.warmup_linear(10, 100, start=0.5), steps=steps)
    assert reason(fs.constant(), fs.constant(0.5), steps=steps) == "the second is the first times 0.5"


def test_array_arguments() -> None:
    schedule = fs.warmup_linear(jnp.int32(4), jnp.int32(8))
    assert not compare(schedule, fs.constant(), steps=9)
    assert compare(schedule, fs.warmup_linear(4, 8), steps=9)  # quarters are exact in float32


def test_long_schedules_take_bounded_time() -> None:
    start = time.perf_counter()
    assert not compare(fs.warmup_cosine(10, 2**52), fs.warmup_cosine(11, 2**52))
    assert time.perf_counter() - start < 15


def test_comparison_is_an_immutable_value() -> None:
    comparison = compare(LINEAR, COSINE, steps=50)
    assert pickle.loads(pickle.dumps(comparison)) == comparison == compare(LINEAR, COSINE, steps=50)
    assert repr(comparison).startswith("Comparison(equal=False, first_step=11, first_value=")
    with pytest.raises(AttributeError, match=r"^Comparison is immutable: cannot set `equal`$"):
        comparison.equal = True


@pytest.mark.parametrize(("argument", "given"), [("first", (3, LINEAR)), ("second", (LINEAR, "x"))])
def test_invalid_schedules_raise(argument: str, given) -> None:
    with pytest.raises(TypeError, match=rf"^compare: `{argument}` must be a schedule or a function of a step, got "):
        compare(*given)


@pytest.mark.parametrize("steps", [0, -1, 1.5, "9", True])
def test_invalid_steps_raise(steps) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^compare: `steps` must be an integer from 1 to 2\*\*53, "):
        compare(LINEAR, COSINE, steps=steps)


FAR_FROM_START = [
    (fs.multistep([30_000, 60_000]), fs.multistep([30_001, 60_002]), 30_000),
    (fs.table([1.0] * 30_000 + [0.0]), fs.table([1.0] * 30_001 + [0.0]), 30_000),
    (fs.shift(fs.multistep([31_000]), 1000), fs.shift(fs.multistep([31_000]), 999), 30_000),
    (
        fs.stretch(fs.piecewise_constant([90_000], levels=[1, 0]), 0.5),
        fs.stretch(fs.piecewise_constant([90_002], levels=[1, 0]), 0.5),
        45_000,
    ),
    (fs.product(fs.warmup_constant(5), fs.multistep([30_000])), fs.multistep([30_000]), 0),
    (
        fs.product(fs.warmup_constant(5), fs.multistep([30_000])),
        fs.product(fs.warmup_constant(5), fs.multistep([30_001])),
        30_000,
    ),
    (
        fs.join([fs.warmup_constant(500), fs.multistep([30_000])], [500]),
        fs.join([fs.warmup_constant(500), fs.multistep([30_001])], [500]),
        30_500,
    ),
    *(
        (
            fs.repeat(fs.constant(), 30_000, times=3, period_factor=factor, level_factor=0.5),
            fs.repeat(fs.constant(), 30_001, times=3, period_factor=factor, level_factor=0.5),
            30_000,
        )
        for factor in (1, 1.5, 2)
    ),
    (fs.step_decay(20_000), fs.step_decay(20_001), 20_000),
    (
        fs.shift(fs.interpolate([30_000, 30_004], [1, 0.5]), 8),
        fs.shift(fs.interpolate([30_000, 30_004], [1, 0.5]), 7),
        29_993,
    ),
]


@pytest.mark.parametrize(("first", "second", "step"), FAR_FROM_START, ids=range(len(FAR_FROM_START)))
def test_difference_of_one_step_far_from_the_start_is_found(first: fs.Schedule, second: fs.Schedule, step: int) -> None:
    with pytest.raises(ValueError, match=f"diverge at step {step:,};"):
        fs.check_resume(fs.snapshot(first), second)


@pytest.mark.parametrize(("first", "second", "step"), FAR_FROM_START[:3])
def test_compare_finds_a_difference_far_from_the_start(first: fs.Schedule, second: fs.Schedule, step: int) -> None:
    assert compare(first, second).first_step == step


SIMILAR_REASONS = [
    (fs.step_decay(20_000), fs.step_decay(20_001), "the second has period=20001 instead of 20000"),
    (
        fs.constant(0.1),
        fs.warmup_constant(10),
        "the second has a warmup of 10 steps, the first has none; the peak of the second is 1 instead of 0.1",
    ),
    (fs.constant(), fs.warmup_constant(5), "the second has a warmup of 5 steps, the first has none"),
    (
        fs.warmup_constant(10),
        fs.warmup_constant(11),
        "the second reaches its peak one step later (step 11 instead of 10)",
    ),
    (
        LINEAR,
        fs.repeat(LINEAR, 100, times=2),
        "from step 100 on, the first holds 0 while the second rises again",
    ),
    (
        fs.then(fs.inverse_sqrt(10), 50, steps=10),
        fs.then(fs.inverse_sqrt(10), 50, steps=20),
        "the second has steps=20 instead of 10",
    ),
    (
        fs.warmup_cosine(10, 100),
        fs.warmup_cosine_restarts(10, 100, cycles=3),
        "the second rises again at step 40, the first never does",
    ),
    (
        fs.warmup_cosine_restarts(10, 100, cycles=2),
        fs.warmup_cosine_restarts(10, 100, cycles=3),
        "the second has cycles=3 instead of 2",
    ),
    (fs.minimum(LINEAR, 0.9), LINEAR, "the first is the second, clamped to at most 0.9"),
    (fs.maximum(LINEAR, 0.2), LINEAR, "the first is the second, clamped to at least 0.2"),
    (fs.ramp(0, 1, steps=100), fs.ramp(1, 0, steps=100), "the second is 1 minus the first"),
    (
        fs.warmup_stable_decay(10, 70, 20),
        LINEAR,
        "the second does not hold its peak, the first holds it for 70 steps",
    ),
]


@pytest.mark.parametrize(("first", "second", "expected"), SIMILAR_REASONS, ids=range(len(SIMILAR_REASONS)))
def test_reasons_that_could_be_confused(first: fs.Schedule, second: fs.Schedule, expected: str) -> None:
    assert reason(first, second) == expected


def test_function_that_is_undefined_after_its_run_needs_steps() -> None:
    values = [0.5, 0.25]
    message = r"^compare: `steps` must be given for a function that is not defined at all steps \(IndexError: .*\), got"
    with pytest.raises(ValueError, match=message):
        compare(lambda step: values[step], fs.table(values))
    assert compare(lambda step: values[step], fs.table(values), steps=2)
