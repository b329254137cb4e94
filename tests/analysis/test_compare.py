"""What is said of two schedules: where they part, how far, and why."""

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
    found = compare(first, second, **steps)
    assert not found
    return found.reason


def wave(step: float) -> float:
    """The cosine of a scheduler that does not stop at its end."""
    return 0.5 * (1 + math.cos(math.pi * step / 100))


def early(step: float) -> float:
    """A warmup that counts from 1, and a decay that counts from 0."""
    return (step + 1) / 10 if step < 9 else min(1.0, max(0.0, (100 - step) / 90))


@pytest.mark.parametrize("case", ONE_OF_EACH[::9], ids=str)
def test_a_schedule_is_the_same_as_itself_and_not_as_itself_with_a_step_changed(case: Case) -> None:
    assert compare(case.schedule, case.schedule)
    again = fs.join([case.schedule, fs.add(fs.shift(case.schedule, 5), 0.5), fs.shift(case.schedule, 6)], [5, 6])
    found = compare(case.schedule, again, steps=50)
    assert (found.equal, found.first_step, found.largest_step) == (False, 5, 5)
    assert found.largest_difference == pytest.approx(0.5)
    assert found.reason == "they differ at step 5 alone" or case.text.startswith(("constant", "piecewise"))


def test_two_expressions_of_one_curve_are_the_same() -> None:
    found = compare(LINEAR, fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90)], [10]))
    assert found
    assert found == Comparison(True, None, None, None, 0.0, None, "")
    assert str(found) == "the curves are the same"


def test_where_and_how_far() -> None:
    # 1 - 1/90 and 1 - 1/100; at step 100 the second is 10 of its 100 steps of decay above 0.
    found = compare(LINEAR, fs.warmup_linear(10, 110))
    assert found.first_step == 11
    assert (found.first_value, found.second_value) == pytest.approx((89 / 90, 0.99), rel=1e-15)
    assert found.largest_step == 100
    assert found.largest_difference == pytest.approx(0.1, rel=1e-14)
    assert str(found) == (
        "the curves part at step 11, where the first is 0.988889 and the second 0.99; they are farthest apart at "
        "step 100, by 0.1; the second counts its horizon without the warmup: it ends at step 110 and not 100"
    )


@pytest.mark.parametrize("boundary", [9_999, 10_000, 123_456_789])
def test_the_step_is_exact_however_late(boundary: int) -> None:
    found = compare(fs.constant(), fs.multistep([boundary], 0.5))
    assert (found.first_step, found.first_value, found.second_value) == (boundary, 1.0, 0.5)
    assert (found.largest_step, found.largest_difference) == (boundary, 0.5)


def test_values_that_look_the_same_are_told_apart() -> None:
    text = str(compare(fs.constant(0.25), fs.constant(0.25 + 2**-30), steps=2))
    assert text.startswith("the curves part at step 0, where the first is 0.25 and the second 0.250000001; ")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (LINEAR, fs.shift(LINEAR, 1), "the second is the first, one step earlier"),
        (fs.shift(LINEAR, 1), LINEAR, "the second is the first, one step later, from step 1 on"),
        (fs.shift(COSINE, 3), COSINE, "the second is the first, 3 steps later, from step 3 on"),
        (fs.multistep([30, 60]), fs.multistep([31, 61]), "the second is the first, one step later"),
        (LINEAR, fs.shift(LINEAR, 10), "the second is the first, 10 steps earlier: it has no warmup"),
        (LINEAR, fs.shift(LINEAR, 9), "the second is the first, 9 steps earlier"),
        (COSINE, fs.scale(COSINE, 0.5), "the second is the first times 0.5"),
        (fs.constant(), fs.constant(0.5), "the second is the first times 0.5"),
        (fs.scale(COSINE, 0.5), COSINE, "the second is the first times 2"),
        (COSINE, fs.constant(0), "the second is 0 everywhere"),
        (COSINE, fs.constant(0.3), "the second is 0.3 everywhere"),
        (fs.warmup_constant(10), fs.constant(), "the second is the first, 10 steps earlier: it has no warmup"),
        (
            COSINE,
            fs.scale(LINEAR, 1e-12),
            "the peak of the second is 1e-12 and not 1; "
            "the decay of the second has another shape: linear and not a half wave of a cosine",
        ),
        (COSINE, fs.shift(fs.scale(COSINE, 0.5), 1), "the second is the first, times 0.5, one step earlier"),
        (COSINE, fs.maximum(COSINE, 0.1), "the second is the first, but never below 0.1"),
        (COSINE, fs.minimum(COSINE, 0.8), "the second is the first, but never above 0.8"),
        (fs.cyclic(10, 20), fs.lerp(fs.cyclic(10, 20), 0.95, 0.85), "the second is 0.95 minus 0.1 times the first"),
        (fs.cyclic(10, 20), fs.lerp(fs.cyclic(10, 20), 0.25, 0.75), "the second is 0.25 plus 0.5 times the first"),
    ],
)
def test_the_first_moved_or_scaled(first: fs.Schedule, second: fs.Schedule, words: str) -> None:
    assert reason(first, second, steps=250) == words


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (LINEAR, fs.warmup_linear(11, 100), "the second reaches its peak one step later (step 11 and not 10)"),
        (LINEAR, fs.warmup_linear(8, 100), "the second reaches its peak 2 steps earlier (step 8 and not 10)"),
        (LINEAR, fs.warmup_linear(0, 100), "the second has no warmup"),
        (fs.warmup_linear(0, 100), LINEAR, "the second has a warmup of 10 steps and the first none"),
        (LINEAR, fs.warmup_linear(10, 100, start=0.1), "the second starts at 0.1 and not 0"),
        (LINEAR, fs.warmup_linear(10, 100, end=0.1), "the second ends at 0.1 and not 0"),
        (
            LINEAR,
            fs.warmup_linear(10, 100, start=0.1, end=0.2),
            "the second starts at 0.1 and not 0; the second ends at 0.2 and not 0",
        ),
        (LINEAR, fs.warmup_linear(10, 101), "the second ends one step later (at step 101 and not 100)"),
        (LINEAR, fs.warmup_linear(10, 90, end=0.5), "the second ends at 0.5 and not 0; the first counts its horizon"),
        (LINEAR, fs.warmup_linear(10, 111), "the second ends 11 steps later (at step 111 and not 100)"),
        (LINEAR, fs.warmup_linear(10, 109), "the second ends 9 steps later (at step 109 and not 100)"),
        (
            COSINE,
            fs.warmup_cosine(10, 110),
            "the second counts its horizon without the warmup: it ends at step 110 and not 100",
        ),
        (
            fs.warmup_cosine(10, 110),
            COSINE,
            "the first counts its horizon without the warmup: the second ends at step 100 and not 110",
        ),
        (
            fs.warmup_cosine(1000, 10**9),
            fs.warmup_cosine(1000, 10**9 + 1000),
            "the second counts its horizon without the warmup: it ends at step 1000001000 and not 1000000000",
        ),
        (
            fs.warmup_stable_decay(10, 70, 20),
            fs.warmup_stable_decay(10, 80, 10),
            "the second holds its peak for 80 steps and not 70",
        ),
        (
            COSINE,
            LINEAR,
            "the decay of the second has another shape: linear and not a half wave of a cosine",
        ),
        (
            LINEAR,
            fs.warmup_polynomial(10, 100, exponent=2.0),
            "the decay of the second has another shape: a polynomial of power 2 and not linear",
        ),
        (
            fs.warmup_stable_decay(10, 0, 90, decay_shape=fs.sqrt),
            fs.warmup_stable_decay(10, 0, 90, decay_shape=fs.sqrt, warmup_shape=fs.sine),
            "the warmup of the second has another shape: a quarter wave of a sine and not linear",
        ),
    ],
)
def test_another_part_of_a_warmup_and_a_decay(first: fs.Schedule, second: fs.Schedule, words: str) -> None:
    assert reason(first, second, steps=2 * 10**9 if "1000000000" in words else 250).startswith(words)


def test_a_warmup_that_counts_from_one() -> None:
    assert reason(LINEAR, early, steps=250) == (
        "the second starts at 0.1 and not 0; the second reaches its peak one step earlier (step 9 and not 10); "
        "the second holds its peak for one step, the first does not"
    )


def test_a_curve_that_goes_on_past_the_end_of_the_other() -> None:
    held = fs.ramp(1, 0, steps=100, shape=fs.cosine)
    words = "the second holds 0 from step 100 on, where the first rises again (until then they differ by no more than "
    assert reason(wave, held, steps=150).startswith(words)
    assert reason(held, wave, steps=150).startswith("the first holds 0 from step 100 on, where the second rises again")
    assert (
        reason(fs.warmup_constant(10), LINEAR, steps=150) == "the first holds 1 from step 10 on, where the second falls"
    )
    assert reason(LINEAR, fs.join([LINEAR, fs.ramp(0, 1, steps=5)], [101]), steps=150) == (
        "the first holds 0 from step 100 on, where the second rises again"
    )


def test_a_few_steps_alone() -> None:
    assert reason(fs.warmup_linear(1, 10), fs.warmup_linear(1, 10, start=0.1), steps=20) == (
        "the second starts at 0.1 and not 0, and is the first from step 1 on"
    )
    spikes = fs.piecewise_constant([7, 8, 20, 21], levels=[1.0, 2.0, 1.0, 2.0, 1.0])
    assert reason(fs.constant(), spikes, steps=100) == "they differ at steps 7 and 20 alone"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (fs.cosine_restarts(50), fs.cosine_restarts(60), "the second has period=60 and not 50"),
        (fs.exponential_decay(0.5, 10), fs.exponential_decay(0.5, 20), "the second has steps=20 and not 10"),
        (fs.multistep([30, 60]), fs.multistep([30, 70]), "the second has boundaries=(30, 70) and not (30, 60)"),
        (
            fs.repeat(fs.ramp(1, 0, steps=10, shape=fs.cosine), 10),
            fs.repeat(fs.ramp(1, 0.5, steps=9, shape=fs.cosine), 10),
            "the second has stop=0.5 and not 0.0 and steps=9 and not 10",
        ),
    ],
)
def test_else_the_arguments_that_differ(first: fs.Schedule, second: fs.Schedule, words: str) -> None:
    assert reason(first, second, steps=250) == words


def test_rounding_is_told_from_a_difference() -> None:
    assert reason(fs.ramp(1, 0, steps=100, shape=fs.cosine), wave, steps=101).startswith("no more than rounding: ")
    single = compare(COSINE, lambda step: np.float32(COSINE(step)), steps=101)
    assert single.reason == "no more than the rounding of float32, which the second is computed in"
    assert "rounding" not in reason(COSINE, lambda step: COSINE(step) * (1 + 1e-5), steps=101)


def test_no_reason_is_made_up() -> None:
    odd = fs.table([0.3, 0.9, 0.2, 0.8, 0.1, 0.9, 0.4, 0.15])
    other = fs.table([0.3, 0.9, 0.25, 0.7, 0.3, 0.6, 0.2, 0.15])
    assert reason(odd, fs.add(other, 0.0), steps=20) == "no simple reason found"
    assert reason(lambda step: 1 / (1 + step), lambda step: 1 / (1 + step**1.1), steps=500) == "no simple reason found"


def test_a_curve_that_is_no_number_is_said_so() -> None:
    assert reason(fs.constant(), lambda step: math.nan, steps=9) == "one of the two is no finite number"
    assert compare(lambda step: math.nan, lambda step: math.nan, steps=9)


def test_only_the_run_is_looked_at() -> None:
    assert compare(LINEAR, fs.warmup_linear(10, 110), steps=11)  # steps 0 to 10
    found = compare(LINEAR, fs.warmup_linear(10, 110), steps=12)
    assert (found.first_step, found.largest_step) == (11, 11)
    row = [0.5, 1.0, 0.25]
    assert compare(lambda step: row[step], fs.table(row), steps=3)
    with pytest.raises(IndexError):
        compare(lambda step: row[step], fs.table(row), steps=4)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_run_of_a_few_steps(steps: int) -> None:
    assert reason(LINEAR, fs.warmup_linear(10, 100, start=0.5), steps=steps)
    assert reason(fs.constant(), fs.constant(0.5), steps=steps) == "the second is the first times 0.5"


def test_numbers_that_are_arrays() -> None:
    traced = fs.warmup_linear(jnp.int32(4), jnp.int32(8))
    assert not compare(traced, fs.constant(), steps=9)
    assert compare(traced, fs.warmup_linear(4, 8), steps=9)  # quarters are exact in float32


def test_it_is_over_soon() -> None:
    began = time.perf_counter()
    assert not compare(fs.warmup_cosine(10, 2**52), fs.warmup_cosine(11, 2**52))
    assert time.perf_counter() - began < 15


def test_a_comparison_is_a_value() -> None:
    found = compare(LINEAR, COSINE, steps=50)
    assert pickle.loads(pickle.dumps(found)) == found == compare(LINEAR, COSINE, steps=50)
    assert repr(found).startswith("Comparison(equal=False, first_step=11, first_value=")
    with pytest.raises(AttributeError, match=r"^Comparison is immutable: cannot set `equal`$"):
        found.equal = True


@pytest.mark.parametrize(("argument", "given"), [("first", (3, LINEAR)), ("second", (LINEAR, "x"))])
def test_what_is_no_schedule_is_refused(argument: str, given) -> None:
    with pytest.raises(TypeError, match=rf"^compare: `{argument}` must be callable, got "):
        compare(*given)


@pytest.mark.parametrize("steps", [0, -1, 1.5, "9", True])
def test_a_run_that_cannot_be_is_refused(steps) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^compare: `steps` must be an integer from 1 to 2\*\*53, "):
        compare(LINEAR, COSINE, steps=steps)


FAR_APART = [
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


@pytest.mark.parametrize(("first", "second", "step"), FAR_APART, ids=range(len(FAR_APART)))
def test_one_step_of_difference_is_found_however_far(first: fs.Schedule, second: fs.Schedule, step: int) -> None:
    with pytest.raises(ValueError, match=f"part at step {step}, and at step 100"):
        fs.check_resume(fs.snapshot(first), second, step=100)


@pytest.mark.parametrize(("first", "second", "step"), FAR_APART[:3])
def test_compare_finds_it_too(first: fs.Schedule, second: fs.Schedule, step: int) -> None:
    assert compare(first, second).first_step == step


REASONS = [
    (fs.step_decay(20_000), fs.step_decay(20_001), "the second has period=20001 and not 20000"),
    (
        fs.constant(0.1),
        fs.warmup_constant(10),
        "the second has a warmup of 10 steps and the first none; the peak of the second is 1 and not 0.1",
    ),
    (fs.constant(), fs.warmup_constant(5), "the second has a warmup of 5 steps and the first none"),
    (
        fs.warmup_constant(10),
        fs.warmup_constant(11),
        "the second reaches its peak one step later (step 11 and not 10)",
    ),
    (
        LINEAR,
        fs.repeat(LINEAR, 100, times=2),
        "the first holds 0 from step 100 on, where the second rises again",
    ),
    (
        fs.then(fs.inverse_sqrt(10), 50, steps=10),
        fs.then(fs.inverse_sqrt(10), 50, steps=20),
        "the second has steps=20 and not 10",
    ),
    (
        fs.warmup_cosine(10, 100),
        fs.warmup_cosine_restarts(10, 100, cycles=3),
        "the second rises again at step 40, the first never",
    ),
    (
        fs.warmup_cosine_restarts(10, 100, cycles=2),
        fs.warmup_cosine_restarts(10, 100, cycles=3),
        "the second has cycles=3 and not 2",
    ),
    (fs.minimum(LINEAR, 0.9), LINEAR, "the first is the second, but never above 0.9"),
    (fs.maximum(LINEAR, 0.2), LINEAR, "the first is the second, but never below 0.2"),
    (fs.ramp(0, 1, steps=100), fs.ramp(1, 0, steps=100), "the second is 1 minus the first"),
    (
        fs.warmup_stable_decay(10, 70, 20),
        LINEAR,
        "the second does not hold its peak, the first does for 70 steps",
    ),
]


@pytest.mark.parametrize(("first", "second", "reason"), REASONS, ids=range(len(REASONS)))
def test_reasons_that_are_easily_mistaken(first: fs.Schedule, second: fs.Schedule, reason: str) -> None:
    assert compare(first, second).reason == reason


def test_a_function_that_knows_its_run_alone_needs_its_length() -> None:
    values = [0.5, 0.25]
    sentence = (
        r"^compare: `steps` must be given for a function that is not defined at all steps \(IndexError: .*\), got"
    )
    with pytest.raises(ValueError, match=sentence):
        compare(lambda step: values[step], fs.table(values))
    assert compare(lambda step: values[step], fs.table(values), steps=2)
