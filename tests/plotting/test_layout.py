"""What all plots share: the number of steps, the phase boundaries, the points of a curve, and the ticks."""

import pytest

import funcsched as fs
from funcsched.plotting.layout import PlottedCurve, ValueAxis, default_steps, format_step, format_value, round_spacing
from funcsched.plotting.notebook import svg
from tests.plotting.stored import WSD, parsed


def curve(schedule: fs.Schedule) -> PlottedCurve:
    return PlottedCurve("plot", "schedules", schedule, None, None)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("warmup_cosine(10, 100)", 110),
        ("ramp(0, 1, steps=40)", 44),
        ("constant()", 110),
        ("join([ramp(0, 1, steps=10), constant()], [50])", 55),
        ("shift(warmup_linear(10, 100), 30)", 77),
        ("stretch(warmup_linear(10, 100), 2.5)", 275),
        ("table([1.0] * 21)", 22),
        ("multistep([30, 60])", 66),
        ("repeat(ramp(1, 0, steps=10), 10, 3, 2)", 77),
        ("repeat(ramp(1, 0, steps=10), 10)", 44),
        ("repeat(ramp(1, 0, steps=10), 10, 1_000_000, 2)", 2**53),
        ("inverse_sqrt(100)", 1100),
        ("warmup_inverse_sqrt(100)", 1210),
        ("exponential_decay(0.1, 100)", 220),
        ("exponential_decay(0.1, 100, end=1e-3)", 330),
        ("inverse_time(0.5, 10)", 220),
        ("product(warmup_linear(10, 100), inverse_sqrt(1000))", 110),
        ("then(warmup_inverse_sqrt(100), 400, steps=100)", 550),
        ("product(warmup_constant(100), inverse_sqrt(1000))", 2200),  # 20 times the shortest part
        ("maximum(inverse_sqrt(100), constant(0.1))", 1100),
        ("saturating_exponential(1000)", 5067),  # down to 0.01 below its limit, at 4605.2
        ("lift(lambda step: 1.0)", 110),
    ],
)
def test_default_steps_are_ten_percent_more_than_the_length(text: str, steps: int) -> None:
    assert default_steps(parsed(text)) == steps


@pytest.mark.parametrize(
    ("text", "boundaries"),
    [
        ("warmup_cosine(10, 100)", [10, 100]),
        ("tri_stage(20, 30, 40)", [20, 50, 90]),
        (WSD, [10, 30, 55, 75, 100]),
        ("shift(warmup_linear(10, 100), 4)", [6, 96]),
        ("stretch(warmup_linear(10, 100), 1.5)", [15, 150]),
        ("scale(warmup_linear(10, 100), 0.5)", [10, 100]),
        ("multistep([30, 60])", [30, 60]),
        ("step_decay(30)", [30, 60, 90, 120, 150, 180]),
        ("repeat(ramp(1, 0, steps=10), 10, 3, 2)", [10, 30, 70]),
        ("interpolate([3, 7, 50], [0.25, 1.0, 0.5])", [3, 7, 50]),
        ("warmup_inverse_sqrt(25)", [25]),
        ("then(warmup_inverse_sqrt(10), 60, steps=30)", [10, 60, 90]),
        ("add(warmup_linear(10, 100), warmup_linear(20, 80))", [10, 20, 80, 100]),
        ("constant()", []),
        ("lift(lambda step: 1.0)", []),
    ],
)
def test_boundaries_are_where_phases_begin_or_end(text: str, boundaries: list[int]) -> None:
    assert curve(parsed(text)).boundaries(200) == pytest.approx(boundaries)


def test_boundaries_after_the_last_step_are_left_out() -> None:
    assert curve(fs.warmup_linear(10, 100)).boundaries(50) == [10]


def test_a_jump_is_a_vertical_line() -> None:
    points = curve(fs.multistep([30], 0.5)).points(60, 10)
    assert (30.0, 0.5) in points
    assert [value for step, value in points if 29.9 < step < 30] == [1.0]


def test_a_user_function_is_called_with_integers_only() -> None:
    def halving(step: int) -> float:
        assert type(step) is int
        return 0.5 ** (step // 10)

    assert "<path" in svg(fs.join([fs.lift(halving), fs.constant()], [15]))


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "10k"),
        (12_500, "12.5k"),
        (3_000_000, "3M"),
        (3 * 10**11, "300B"),
        (2**53, "9.0072P"),
    ],
)
def test_large_steps_have_a_prefix(step: int, text: str) -> None:
    assert format_step(step) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.25, "0.25"), (3e-5, "3e-5"), (-2.5e-7, "-2.5e-7"), (1536.0, "1536"), (12_500.0, "12.5k"),
     (-3_200_000.0, "-3.2M"), (15e12, "15T"), (1e38, "1e38")],
)  # fmt: skip
def test_values_are_short(value: float, text: str) -> None:
    assert format_value(value) == text


def test_small_values_have_the_same_form_on_an_axis() -> None:
    labels = ValueAxis(0.0, 4e-4, False).labels(5, 1)
    assert labels == {0: "4e-4", 1: "3e-4", 2: "2e-4", 3: "1e-4", 4: "0"}


def test_labels_of_a_logarithmic_axis_keep_their_distance() -> None:
    # 1e-3 and 0.01 are 33 rows apart, and 0.1 is 1 row below the top.
    assert ValueAxis(1e-3, 0.105, True).labels(70, 16) == {0: "0.105", 35: "0.01", 69: "1e-3"}


@pytest.mark.parametrize(
    ("minimum", "spacing"), [(0.05, 1), (1, 1), (1.1, 2), (2.1, 5), (5, 5), (5.1, 10), (11, 20), (4.5e14, 5 * 10**14)]
)
def test_the_spacing_of_ticks_is_round(minimum: float, spacing: int) -> None:
    assert round_spacing(minimum) == spacing
