"""`check`: the message of each finding, and the values on both sides of each threshold."""

import math
import pickle
import re
import time

import jax.numpy as jnp
import pytest

import funcsched as fs
from funcsched.analysis.check import check
from funcsched.analysis.findings import Finding

LINEAR = fs.warmup_linear(12, 100)


def by_kind(schedule, steps: int, **peak: float) -> dict[str, Finding]:
    """The findings by kind. No kind occurs twice."""
    findings = check(schedule, steps=steps, **peak)
    kinds = {finding.kind: finding for finding in findings}
    assert len(kinds) == len(findings)
    assert [f.severity for f in findings] == sorted((f.severity for f in findings), reverse=True)  # warnings first
    return kinds


def warning_kinds(schedule, steps: int) -> set[str]:
    return {kind for kind, finding in by_kind(schedule, steps).items() if finding.severity == "warning"}


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (LINEAR, 100),
        (fs.shift(fs.warmup_cosine(1000, 100_000, end=0.1), 1), 99_999),
        (fs.warmup_cosine(1000, 10**9), 10**9),
        (fs.warmup_cosine(2, 20), 20),
        (fs.warmup_cosine(1, 10), 10),
        (fs.constant(), 100),
        (fs.warmup_constant(100), 1000),
        (fs.warmup_stable_decay(10, 70, 20), 100),
        (fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt), 100),
        (fs.warmup_inverse_sqrt(100), 1000),
        (fs.noam(512, 4000), 100_000),
        (fs.multistep([30, 60, 80]), 90),
        (fs.one_cycle(30, 100), 100),
        (fs.tri_stage(10, 40, 50), 100),
        (fs.warmup_polynomial(10, 100, exponent=0.5), 100),
        (fs.exponential_decay(0.9999), 10_000),
        (fs.step_decay(30), 100),
        (fs.cyclic(10, 20, start=0.25), 600),
    ],
    ids=str,
)
def test_no_warnings_for_a_correct_run(schedule: fs.Schedule, steps: int) -> None:
    assert warning_kinds(schedule, steps) == set()


def test_all_findings_of_a_simple_run() -> None:
    assert check(LINEAR, steps=100) == [
        Finding("info", "first_rate_zero", 0, "the first update has learning rate 0 and changes nothing"),
        Finding("info", "warmup", 0, "the warmup takes 12% of the run: the learning rate increases until step 12"),
        # 1 / 88 at the last step, 99.
        Finding("info", "end", 99, "the run ends at 1.14% of the peak: the multiplier is 0.0113636 at step 99"),
    ]


def test_finding_is_an_immutable_value_and_prints() -> None:
    finding = check(LINEAR, steps=100)[0]
    assert str(finding) == "info: the first update has learning rate 0 and changes nothing"
    assert pickle.loads(pickle.dumps(finding)) == finding
    with pytest.raises(AttributeError, match=r"^Finding is immutable"):
        finding.step = 3


def test_learning_rate_0_at_the_start() -> None:
    late = fs.join([fs.constant(0), fs.warmup_linear(10, 90)], [2])  # 0 at steps 0, 1 and 2
    found = by_kind(late, 92)["first_rate_zero"]
    assert (found.severity, found.step) == ("warning", 0)
    assert found.text == "the first 3 updates have learning rate 0 and change nothing"
    assert by_kind(fs.shift(late, 2), 90)["first_rate_zero"].severity == "info"
    assert "first_rate_zero" not in by_kind(fs.shift(late, 3), 89)


def test_learning_rate_0_later() -> None:
    gap = fs.join([fs.constant(), fs.constant(0), fs.constant()], [40, 50])
    found = by_kind(gap, 100)["zero_rate"]
    assert (found.severity, found.step) == ("warning", 40)
    assert found.text == "the learning rate is 0 for 10 updates, from step 40 to 49"
    assert "zero_rate" not in by_kind(gap, 40)
    assert by_kind(gap, 41)["zero_rate"].text == "the learning rate is 0 for one update, at step 40"
    waves = by_kind(fs.cyclic(10), 100)["zero_rate"].text
    assert waves == "the learning rate is 0 for 4 updates, in 4 places, first at step 20"
    always = by_kind(fs.constant(0), 7)
    assert always["zero_rate"].text == "the learning rate is 0 in the entire run of 7 updates"
    assert set(always) == {"zero_rate"}


def test_counts_from_samples_are_lower_bounds() -> None:
    # The learning rate is 0 at every tenth step, and the number of samples is smaller.
    cycles = fs.repeat(fs.warmup_cosine(3, 10), 10, times=10_000)
    text = by_kind(cycles, 100_000)["zero_rate"].text
    match = re.fullmatch(r"the learning rate is 0 for at least (\S+) updates, in at least \1 places, first at.*", text)
    assert match and 1_000 < int(match[1].replace(",", "")) < 9_999
    assert "0 for 199 updates, in 199 places" in by_kind(cycles, 2_000)["zero_rate"].text
    stairs = by_kind(fs.repeat(fs.multistep([5]), 10, times=10_000), 100_000)["still"].text
    assert re.match(r"the multiplier is constant in at least [\d,]+ stretches, at least [\d.]+% of the run in ", stairs)


def test_phase_boundaries_show_all_jumps_and_stretches() -> None:
    found = by_kind(fs.multistep([30_000, 60_000]), 90_000)
    assert found["drop"].text.startswith("the multiplier drops 2 times, first at step 30,000; ")
    assert found["still"].text.startswith("the multiplier is constant in 3 stretches, 100% of the run in total; ")


def test_long_flat_phases_begin_and_end_at_declared_boundaries() -> None:
    # Near both ends of the cosine, float64 has the same value at thousands of steps.
    cosine = fs.ramp(1, 0.1, steps=10**12, shape=fs.cosine)
    schedule = fs.join([fs.ramp(0, 1, steps=10**10, shape=fs.sine), fs.constant(), cosine], [10**10, 5 * 10**11])
    found = by_kind(schedule, 2 * 10**12)
    assert found["warmup"].text.endswith("until step 10,000,000,000")
    assert "from step 10,000,000,000 to 500,000,000,000 at 1" in found["still"].text
    assert "the last 500,000,000,000 updates, from step 1,500,000,000,000 on" in found["horizon_short"].text
    # A lower bound that is reached shortly before the end of a ramp is not moved to that end.
    bounded = by_kind(fs.maximum(fs.ramp(1, 0, steps=10**6), 2**-16), 2 * 10**6)
    assert bounded["horizon_short"].step == 10**6 - 15  # 10**6 / 2**16 is 15.26


def test_fraction_of_the_warmup() -> None:
    text = by_kind(LINEAR, 100)["warmup"].text
    assert text == "the warmup takes 12% of the run: the learning rate increases until step 12"
    half, longer = by_kind(fs.warmup_linear(50, 100), 100)["warmup"], by_kind(fs.warmup_linear(51, 100), 100)["warmup"]
    assert (half.severity, longer.severity) == ("info", "warning")
    assert longer.text == "the warmup takes 51% of the run: the learning rate increases until step 51"
    assert "warmup" not in by_kind(fs.warmup_linear(0, 100), 100)
    assert by_kind(fs.maximum(LINEAR, 0.1), 100)["warmup"].text.startswith("the warmup takes 12% of the run")
    assert "warmup" not in by_kind(fs.piecewise_constant([5], levels=[0.5, 1.0]), 10)


def test_warmup_that_takes_the_entire_run() -> None:
    found = by_kind(LINEAR, 12)
    assert found["warmup"].text == "the warmup takes the entire run: the learning rate still increases at the end"
    assert found["warmup"].severity == "warning"
    assert found["peak_never_reached"].text == (
        "the run does not reach the peak: the largest multiplier of the run is 0.916667 at step 11, "
        "that of the schedule is 1 at step 12"
    )
    reached = by_kind(LINEAR, 13)
    assert reached["warmup"].text == "the warmup takes 92.3% of the run: the learning rate increases until step 12"
    assert "peak_never_reached" not in reached


def test_higher_second_peak_after_the_run() -> None:
    hills = fs.join([fs.scale(fs.warmup_linear(5, 20), 0.5), fs.warmup_linear(5, 20)], [20])
    assert by_kind(hills, 25)["peak_never_reached"].step == 24  # 0.8, at step 4 of the second
    assert "peak_never_reached" not in by_kind(hills, 26)


def test_peak_other_than_1() -> None:
    found = by_kind(fs.scale(LINEAR, 0.5), 100, peak_value=0.25)["peak_not_one"]
    assert (found.severity, found.step) == ("info", 12)
    assert found.text == "the largest multiplier is 0.5 instead of 1, which is a learning rate of 0.125"
    assert "peak_not_one" not in by_kind(fs.scale(LINEAR, 0.9995), 100)
    assert "peak_not_one" in by_kind(fs.scale(LINEAR, 0.998), 100)


def test_run_that_ends_before_the_schedule() -> None:
    cosine = fs.warmup_cosine(10, 110, end=0.1)
    found = by_kind(cosine, 61)  # the last step, 60, is the middle of the decay: 0.1 + 0.9 / 2
    assert found["end"].text == (
        "the run ends at 55% of the peak: the multiplier is 0.55 at step 60; the schedule would end at 0.1 at step 110"
    )
    assert found["horizon_long"].severity == "warning"
    assert found["horizon_long"].text == (
        "the horizon is longer than the run: the schedule ends at 0.1 at step 110, but the run ends at 0.55 after 61 "
        "updates"
    )


def test_runs_slightly_shorter_and_longer_than_the_horizon() -> None:
    assert "horizon_long" in warning_kinds(LINEAR, 99)  # 2/88 at step 98
    assert warning_kinds(LINEAR, 100) == set()
    almost = by_kind(LINEAR, 101)["horizon_short"]
    assert (almost.severity, almost.step) == ("info", 100)
    assert almost.text == (
        "the horizon is shorter than the run: the last update has learning rate 0 and changes nothing"
    )
    found = by_kind(LINEAR, 102)["horizon_short"]
    assert (found.severity, found.step) == ("warning", 100)
    assert found.text == (
        "the horizon is shorter than the run: the last 2 updates, from step 100 on, have learning rate 0 and change "
        "nothing"
    )
    assert "horizon_long" not in by_kind(fs.warmup_linear(12, 1000), 999)  # 2/988 of the peak are left


def test_horizon_with_an_end_above_0() -> None:
    floor = fs.warmup_linear(12, 990, end=0.1)
    assert "horizon_short" not in by_kind(floor, 991)
    assert by_kind(floor, 999)["horizon_short"].severity == "info"  # 9 of 999 updates
    found = by_kind(floor, 1010)["horizon_short"]  # 20 of 1010
    assert found.severity == "warning"
    assert found.text == (
        "the horizon is shorter than the run: the last 20 updates, from step 990 on, stay at the multiplier 0.1"
    )


def test_horizon_of_stairs_and_endless_curves_is_not_reported() -> None:
    for schedule in fs.multistep([10, 20]), fs.constant(), fs.warmup_constant(10), fs.inverse_sqrt(10):
        assert not {"horizon_short", "horizon_long"} & set(by_kind(schedule, 500))


def test_jump_and_drop() -> None:
    found = by_kind(fs.piecewise_constant([5], levels=[1.0, 1.6]), 10)["jump"]
    assert (found.severity, found.step) == ("warning", 5)
    assert found.text == "the multiplier jumps up by a factor of 1.6 at step 5, from 1 to 1.6"
    found = by_kind(fs.piecewise_constant([5], levels=[1.0, 0.5]), 10, peak_value=0.1)["drop"]
    assert (found.severity, found.step) == ("info", 5)
    assert found.text == "the learning rate drops by a factor of 2 at step 5, from 0.1 to 0.05"


@pytest.mark.parametrize(("level", "reported"), [(1.5, True), (1.49, False), (1 / 1.51, True), (1 / 1.49, False)])
def test_smallest_jump_and_drop(level: float, reported: bool) -> None:
    found = by_kind(fs.piecewise_constant([5], levels=[1.0, level]), 10)
    assert bool({"jump", "drop"} & set(found)) == reported


def test_jump_to_or_from_0_has_no_factor() -> None:
    found = by_kind(fs.join([fs.constant(), fs.constant(0), fs.constant()], [40, 50]), 100)
    assert found["drop"].text == "the multiplier drops at step 40, from 1 to 0"
    assert found["jump"].text == "the multiplier jumps up at step 50, from 0 to 1"


def test_several_jumps_are_one_finding() -> None:
    found = by_kind(fs.cosine_restarts(50, end=0.1), 500)["jump"]
    assert found.step == 50
    assert found.text.startswith(
        "the multiplier jumps up 9 times, first at step 50; the largest jump is by a factor of "
    )
    drops = by_kind(fs.multistep([30, 60, 80], 0.5), 90)["drop"]
    assert drops.text == (
        "the multiplier drops 3 times, first at step 30; the largest drop is by a factor of 2 at step 30, from 1 to 0.5"
    )


@pytest.mark.parametrize("warmup", [1, 2, 3, 5])
def test_steep_ramp_is_not_a_jump(warmup: int) -> None:
    for start in 0.0, 0.1:
        assert not {"jump", "drop"} & set(by_kind(fs.warmup_linear(warmup, warmup + 4, start=start), warmup + 4))


def test_constant_learning_rate() -> None:
    stairs = by_kind(fs.multistep([30, 60]), 100)["still"].text
    assert stairs == (
        "the multiplier is constant in 3 stretches, 100% of the run in total; the longest is from step 60 to 99 at 0.01"
    )
    found = by_kind(fs.warmup_stable_decay(10, 70, 20), 100)["still"]
    assert (found.severity, found.step) == ("info", 10)
    assert found.text == "the multiplier is constant for 71% of the run, from step 10 to 80 at 1"
    assert by_kind(fs.constant(0.5), 10, peak_value=2.0)["still"].text == "the learning rate is 1 in the entire run"
    assert "still" in by_kind(fs.warmup_stable_decay(40, 9, 51), 100)  # steps 40 to 49
    assert "still" not in by_kind(fs.warmup_stable_decay(40, 8, 52), 100)


def test_learning_rates_are_reported_with_a_peak_value() -> None:
    assert by_kind(LINEAR, 57, peak_value=1e-3)["end"].text.startswith(  # 44/88 at step 56
        "the run ends at 50% of the peak: the learning rate is 0.0005 at step 56"
    )


def test_functions_and_array_arguments() -> None:
    values = [0.5, 1.0, 0.75, 0.5]
    found = by_kind(lambda step: values[step], 4)  # not defined after the run
    assert set(found) == {"warmup", "end"}
    assert found["end"].text == "the run ends at 50% of the peak: the multiplier is 0.5 at step 3"
    found = by_kind(fs.warmup_constant(jnp.int32(4)), 8)
    assert found["warmup"].text == "the warmup takes 50% of the run: the learning rate increases until step 4"


@pytest.mark.parametrize(("value", "fault"), [(-1.0, "negative"), (math.nan, "not finite"), (math.inf, "not finite")])
def test_function_with_an_invalid_multiplier(value: float, fault: str) -> None:
    (finding,) = check(lambda step: value if step == 3 else 1.0, steps=9)
    assert (finding.severity, finding.kind, finding.step) == ("warning", "invalid", 3)
    assert finding.text.startswith(f"the multiplier is {fault} at step 3: {value:g}")


def test_a_negative_value_is_a_mistake_in_a_learning_rate_only() -> None:
    (finding,) = check(fs.ramp(-1.0, -6.0, steps=10), steps=11)
    assert finding.kind == "invalid" and "give its name as `quantity`" in finding.text
    (finding,) = check(fs.ramp(-1.0, -6.0, steps=10), steps=11, quantity="log temperature")
    assert (finding.kind, finding.text) == ("end", "the run ends with the log temperature -6 at step 10")


@pytest.mark.parametrize(
    ("schedule", "steps", "texts"),
    [
        # A curve from 0 that is constant after its end: no warmup, no peak, and no updates that change nothing.
        (
            fs.ramp(0.0, 1.0, steps=100),
            200,
            [
                "the KL weight is constant for 50% of the run, from step 100 to 199 at 1",
                "the run ends with the KL weight 1 at step 199",
            ],
        ),
        (
            fs.ramp(-1.0, -6.0, steps=100),
            50,
            [
                "the horizon is longer than the run: the schedule ends at -6 at step 100, but the run ends at -3.45"
                " after 50 updates",
                "the run ends with the KL weight -3.45 at step 49",
            ],
        ),
        (
            fs.piecewise_constant([50], levels=[0.5, 2.0]),
            60,
            [
                "the KL weight jumps up by a factor of 4 at step 50, from 0.5 to 2",
                "the KL weight is constant in 2 stretches, 100% of the run in total; the longest is from step 0 to 49"
                " at 0.5",
                "the run ends with the KL weight 2 at step 59",
            ],
        ),
        (
            fs.constant(0.0),
            5,
            ["the KL weight is 0 in the entire run", "the run ends with the KL weight 0 at step 4"],
        ),
    ],
    ids=str,
)
def test_another_quantity_has_neither_warmup_nor_peak(schedule: fs.Schedule, steps: int, texts: list[str]) -> None:
    assert [finding.text for finding in check(schedule, steps=steps, quantity="KL weight")] == texts


RATES_AS_MULTIPLIERS = [
    (
        fs.warmup_cosine(10, 100, end=3e-5),
        "`end` is a multiplier of the peak: 3e-05 means a learning rate of 9e-09; for a learning rate of 3e-05, use"
        " end=0.1",
    ),
    (
        fs.join([fs.warmup_linear(10, 100, start=1e-6), fs.constant(0.5)], [50]),
        "`start` is a multiplier of the peak: 1e-06 means a learning rate of 3e-10; for a learning rate of 1e-06, use"
        " start=0.00333333",
    ),
    (
        fs.noam(512, 4000),
        "the largest multiplier is 0.000699, so the learning rate is at most 2.09631e-07; if the schedule's values are"
        " already learning rates, use a peak value of 1",
    ),
]


@pytest.mark.parametrize(("schedule", "text"), RATES_AS_MULTIPLIERS, ids=lambda value: str(value)[:20])
def test_a_learning_rate_given_as_a_multiplier_is_a_warning(schedule: fs.Schedule, text: str) -> None:
    (found,) = [f for f in check(schedule, steps=10_000, peak_value=3e-4) if f.kind == "rate_as_multiplier"]
    assert (found.severity, found.text) == ("warning", text)
    assert "rate_as_multiplier" not in warning_kinds(schedule, 10_000)  # without a peak value, it may be meant so


def test_a_tiny_level_without_a_peak_value_is_an_info() -> None:
    found = by_kind(fs.warmup_cosine(10, 100, end=3e-5), 100)["rate_as_multiplier"]  # 3e-5 is 0.003%
    assert (found.severity, found.step) == ("info", 0)
    assert found.text == (
        "`end` is a multiplier of the peak: 3e-05 means 0.003% of it; if it was meant as a learning rate, give the "
        "peak value (`peak_value`, `--peak-value`)"
    )
    assert "`start` is" in by_kind(fs.warmup_linear(10, 100, start=1e-6), 100)["rate_as_multiplier"].text
    assert "rate_as_multiplier" not in by_kind(fs.warmup_cosine(10, 100, end=1e-3), 100)
    assert "rate_as_multiplier" not in by_kind(fs.one_cycle(30, 100), 100)  # its defaults are small


@pytest.mark.parametrize(("start", "peak"), [(1 / 2000, 1.0), (1 / 2001, 6e-4)])
def test_a_warmup_that_counts_from_1_starts_at_no_learning_rate(start: float, peak: float) -> None:
    schedule = fs.warmup_cosine(2_000, 5_000, start=start, end=0.1)
    assert "rate_as_multiplier" not in by_kind(schedule, 5_000, peak_value=peak)
    assert "rate_as_multiplier" in by_kind(fs.warmup_linear(1_000, 5_000, start=start), 5_000, peak_value=peak)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (
            fs.warmup_cosine(10, 100, end=10),
            "`end` is a multiplier of the peak, and above 1: 10 means a learning rate of 0.003; for 10% of the peak, "
            "use end=0.1",
        ),
        (
            fs.warmup_linear(10, 100, end=1.5),
            "`end` is a multiplier of the peak, and above 1: 1.5 means a learning rate of 0.00045; for 1.5% of the "
            "peak, use end=0.015",
        ),
        (
            fs.warmup_cosine_linear(10, 100, 20, cosine_end=3),
            "`cosine_end` is a multiplier of the peak, and above 1: 3 means a learning rate of 0.0009; for 3% of the "
            "peak, use cosine_end=0.03",
        ),
        (
            fs.join([fs.warmup_constant(5, start=200), fs.constant(0.5)], [50]),
            "`start` is a multiplier of the peak, and above 1: 200 means a learning rate of 0.06",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_level_above_the_peak_replaces_the_findings_that_follow_from_it(schedule: fs.Schedule, text: str) -> None:
    found = by_kind(schedule, 100, peak_value=3e-4)
    assert (found["level_above_peak"].severity, found["level_above_peak"].text) == ("warning", text)
    assert not {"warmup", "peak_never_reached", "peak_not_one"} & set(found)


def test_an_end_above_the_peak() -> None:
    found = by_kind(fs.warmup_linear(10, 100, end=3), 101)  # at step 100: the end
    assert found["level_above_peak"].text.startswith(
        "`end` is a multiplier of the peak, and above 1: 3 means that many times the peak; for 3% of the peak, use end="
    )
    assert found["end"].text == "the run ends at 3 times the peak: the multiplier is 3 at step 100"


@pytest.mark.parametrize(
    "schedule",
    [fs.ramp(1, 10, steps=100), fs.piecewise_constant([50], levels=[1, 1.4]), fs.exponential_decay(2.0, 10, end=8.0)],
    ids=str,
)
def test_levels_above_1_that_are_not_of_a_recipe_are_plausible(schedule: fs.Schedule) -> None:
    assert "level_above_peak" not in by_kind(schedule, 100)


@pytest.mark.parametrize(
    ("schedule", "peak_value"),
    [
        (fs.warmup_cosine(10, 100, end=0.1), 3e-4),
        (fs.warmup_cosine(10, 100, end=0.01), 0.05),
        (fs.warmup_cosine(10, 100, end=1e-4), 0.5),
        (fs.one_cycle(10, 100), 3e-4),  # its defaults are small
        (fs.warmup_cosine(10, 100), 3e-4),
    ],
    ids=str,
)
def test_plausible_multipliers_are_no_warning(schedule: fs.Schedule, peak_value: float) -> None:
    assert all(finding.kind != "rate_as_multiplier" for finding in check(schedule, steps=100, peak_value=peak_value))


def test_a_quantity_is_a_string() -> None:
    with pytest.raises(TypeError, match=r"^check: `quantity` must be a string, got 3$"):
        check(fs.constant(), steps=5, quantity=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("schedule", [LINEAR, fs.constant(), fs.constant(0), fs.multistep([1]), fs.warmup_linear(0, 1)])
def test_run_of_a_few_steps(schedule: fs.Schedule, steps: int) -> None:
    assert all(0 <= finding.step < steps for finding in check(schedule, steps=steps))


def test_long_runs_take_bounded_time() -> None:
    start = time.perf_counter()
    cosine = fs.warmup_cosine(1000, 10**9)
    assert "horizon_long" in warning_kinds(cosine, 10**8)
    assert by_kind(cosine, 10**9 + 5)["horizon_short"].step == 10**9
    stairs = by_kind(fs.multistep([3 * 10**8, 6 * 10**8]), 10**9)
    assert stairs["drop"].step == 3 * 10**8
    # The period divides the spacing of a regular grid of samples, which would show only the starts of cycles.
    restarts = by_kind(fs.cosine_restarts(50_000), 10**9)
    assert "jumps up at least" in restarts["jump"].text
    assert "still" not in restarts
    spike = fs.join([fs.constant(), fs.constant(2), fs.constant()], [123_456_789, 123_456_790])
    assert by_kind(spike, 2**53)["jump"].step == 123_456_789
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("steps", [0, -1, 1.5, "9", True, None])
def test_invalid_steps_raise(steps) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^check: `steps` must be an integer from 1 to 2\*\*53, got "):
        check(LINEAR, steps=steps)


@pytest.mark.parametrize("peak_value", [0, -1.0, math.nan, math.inf, "1"])
def test_invalid_peak_values_raise(peak_value) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^check: `peak_value` must be a finite number above 0, got "):
        check(LINEAR, steps=9, peak_value=peak_value)


def test_invalid_schedules_raise() -> None:
    with pytest.raises(TypeError, match=r"^check: `schedule` must be a schedule or a function of a step, got 3$"):
        check(3, steps=9)


def test_multiplier_below_the_range_of_float32() -> None:
    found = by_kind(fs.step_decay(30), 3000)["zero_rate"]  # 0.1**38 is the first below 1.18e-38
    assert (found.severity, found.step) == ("warning", 38 * 30)
    assert found.text == (
        "in float32 the learning rate is 0 for the last 1,860 updates, from step 1,140 on: "
        "the multiplier is below the smallest normal float32"
    )
    assert "zero_rate" not in by_kind(fs.step_decay(30), 38 * 30)
    late = fs.product(fs.warmup_constant(10), fs.step_decay(30))  # the first update has learning rate 0 too
    assert by_kind(late, 3000)["zero_rate"].step == 38 * 30


def test_lower_bound_is_not_a_short_horizon() -> None:
    floor = fs.maximum(fs.warmup_cosine(10, 100), 0.1)
    assert by_kind(floor, 100).keys() == {"warmup", "still", "end"}
    assert "horizon_short" in by_kind(floor, 120)


def test_drops_below_1e_6_of_the_peak_are_not_counted() -> None:
    assert "drops at least 6 times" in by_kind(fs.step_decay(30), 3000)["drop"].text
    assert "drops 3 times" in by_kind(fs.step_decay(30), 100)["drop"].text


def test_drop_right_after_the_run_is_reported() -> None:
    found = by_kind(fs.multistep([50, 100]), 100)["horizon_long"]
    assert found.text.startswith("the horizon is longer than the run: the schedule ends at 0.01 at step 100, ")
    assert "horizon_long" not in by_kind(fs.multistep([50, 100]), 101)
    assert "horizon_long" not in by_kind(fs.warmup_linear(10, 100), 100)
