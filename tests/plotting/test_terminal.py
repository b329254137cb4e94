"""Plots as text: size, characters, colors, and the positions of the curves."""

import re
from collections.abc import Callable

import pytest

import funcsched as fs
from funcsched.plotting.terminal import terminal
from tests.cases import CASES
from tests.plotting.stored import FIVE, FOLDER, LABELED, terminal_plots


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_schedule_can_be_plotted(case) -> None:
    for log in (False, True) if max(case.boundary_values.values()) > 0 else (False,):
        lines = terminal(case.schedule, 70, 9, log=log).split("\n")
        assert max(map(len, lines)) <= 70
        assert any("\u2800" < character <= "\u28ff" for line in lines[:9] for character in line)


@pytest.mark.parametrize("value", [1e-38, 0.0, 1e38, -1e38])
def test_extreme_values_can_be_plotted(value: float) -> None:
    terminal(fs.constant(value))
    if value > 0:
        terminal(fs.constant(value), log=True)


@pytest.mark.parametrize("width", [24, 31, 80, 200])
@pytest.mark.parametrize("characters", ["braille", "ascii"])
@pytest.mark.parametrize("log", [False, True])
def test_the_plot_has_the_requested_width(width: int, characters: str, log: bool) -> None:
    for schedules in (FIVE[0], FIVE, LABELED):
        lines = terminal(schedules, width, 11, characters=characters, log=log).split("\n")
        assert max(map(len, lines)) <= width
        assert len(lines[11]) == width  # the horizontal axis
        assert characters == "braille" or "\n".join(lines).isascii()


def test_colors_do_not_change_the_text() -> None:
    colored, plain = terminal(FIVE[0], 60, color=True), terminal(FIVE[0], 60)
    assert "\x1b[36m" in colored and "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain


def test_several_curves_without_colors_have_a_letter_each() -> None:
    text = terminal([fs.constant(1.0), fs.constant(0.5)], 40, 5)
    assert re.search(r"^ +1 │\*+$", text, re.M) and re.search(r"^ 0\.5 │\++$", text, re.M)
    assert "\n* constant()\n+ constant(value=0.5)" in text


def test_a_curve_is_drawn_at_its_values() -> None:
    rows = terminal(fs.ramp(0.0, 1.0, steps=10), 47, 5, steps=10, characters="ascii").split("\n")[:5]
    cells = [row.partition("|")[2] for row in rows]
    assert [cells[4 - i].find("*") for i in range(5)] == pytest.approx([0, 5, 15, 25, 35], abs=1)


def test_the_axis_reaches_below_zero_for_negative_values() -> None:
    text = terminal(fs.ramp(1.0, -3.0, steps=10), 40, 5, steps=10, characters="ascii")
    assert re.findall(r"^ *(-?[\d.]+) \|", text, re.M) == ["1", "0", "-1", "-2", "-3"]
    cells = [row.partition("|")[2] for row in text.split("\n")[:5]]
    assert [cells[i].find("*") for i in range(5)] == pytest.approx([0, 4, 13, 22, 31], abs=1)


def test_a_curve_has_a_gap_where_a_value_is_not_finite() -> None:
    schedule = fs.lift(lambda step: float("nan") if 10 <= step <= 20 else 1.0)
    row = terminal(schedule, 36, 5, steps=30, characters="ascii").split("\n")[0].partition("|")[2]
    assert re.fullmatch(r"\*{9,11} {9,11}\*{9,11}", row)


def test_a_logarithmic_axis_shows_the_decades() -> None:
    text = terminal(fs.exponential_decay(0.1, 10), 50, 13, steps=40, log=True)
    assert re.findall(r"^ *([\d.e-]+) │", text, re.M) == ["1", "0.1", "0.01", "1e-3", "1e-4"]


def test_the_plots_are_the_stored_ones() -> None:
    assert terminal_plots() == (FOLDER / "terminal.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: terminal(fs.constant(), 0), ValueError, r"terminal: `width` must be an integer from 1 to"),
        (lambda: terminal(fs.constant(), height=2.5), ValueError, r"terminal: `height` must be an integer"),
        (
            lambda: terminal(fs.constant(), characters="x"),
            ValueError,
            r"terminal: `characters` must be one of 'braille', 'ascii', got 'x'",
        ),
        (lambda: terminal(fs.constant(), color=1), TypeError, r"terminal: `color` must be True or False, got 1"),
    ],
)
def test_invalid_arguments_raise(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
