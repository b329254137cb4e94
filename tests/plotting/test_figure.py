"""Plots by matplotlib: curves, axes, phase boundaries, legends and files."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.transforms import Bbox

import funcsched as fs
from bridges.rated import Rated
from funcsched.plotting.figure import plot
from tests.plotting.stored import FIVE, FOLDER, LABELED, STORED, WSD, parsed

matplotlib.use("agg")


def test_the_axes_show_steps_and_rates() -> None:
    axes = plot(fs.warmup_linear(10, 100), steps=100, peak_value=0.5, axes=Figure().subplots())
    steps, rates = axes.lines[0].get_data()
    assert [float(np.interp(step, steps, rates)) for step in (0, 5, 10, 55, 100)] == pytest.approx(
        [0, 0.25, 0.5, 0.25, 0]
    )
    assert axes.get_xlim() == (0, 100)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "learning rate")
    axes = plot(fs.published("gpt-3").curves["lr"], unit="tokens", axes=Figure().subplots())
    axes.figure.draw_without_rendering()
    assert axes.get_xlabel() == "tokens" and "100B" in [label.get_text() for label in axes.get_xticklabels()]


def vertical_lines(axes: Axes) -> list[float]:
    lines = [np.asarray(line.get_xdata(), float) for line in axes.lines]
    return sorted(float(line[0]) for line in lines if len(line) == 2 and line[0] == line[1])


def test_phase_boundaries_are_vertical_lines_unless_there_are_too_many() -> None:
    assert vertical_lines(plot(parsed(WSD), axes=Figure().subplots())) == [10, 30, 55, 75, 100]
    assert vertical_lines(plot(fs.step_decay(2), steps=1000, axes=Figure().subplots())) == []


def test_the_legend_shows_the_expressions_or_the_given_labels() -> None:
    legend = plot([fs.constant(0.5), fs.step_decay(30)], axes=Figure().subplots()).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["constant(value=0.5)", "step_decay(period=30)"]
    legend = plot(LABELED, axes=Figure().subplots()).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["cosine", "one cycle"]


def test_a_rated_schedule_is_plotted_with_its_peak_value() -> None:
    axes = plot(Rated(fs.constant(0.5), 3.0), axes=Figure().subplots())
    assert set(axes.lines[0].get_ydata()) == {1.5}
    assert axes.get_ylabel() == "learning rate"


def test_the_axis_reaches_below_zero_for_negative_values() -> None:
    axes = plot([fs.ramp(1.0, -3.0, steps=10), fs.constant()], axes=Figure().subplots())
    assert axes.get_ylim() == pytest.approx((-3.2, 1.2))
    assert plot(fs.ramp(-1.0, -2.0, steps=10), axes=Figure().subplots()).get_ylim() == pytest.approx((-2.1, 0.0))


def test_a_logarithmic_axis_leaves_out_zeros() -> None:
    axes = plot(fs.warmup_linear(10, 100), log=True, steps=100, axes=Figure().subplots())
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] == pytest.approx(1 / 90 / 90**0.05)  # the last value above 0, and a margin


def test_without_a_path_the_figure_belongs_to_pyplot() -> None:
    from matplotlib import pyplot

    axes = plot(fs.constant())
    assert pyplot.gcf() is axes.figure
    pyplot.close(axes.figure)


def test_with_a_path_the_figure_does_not_belong_to_pyplot(tmp_path: Path) -> None:
    from matplotlib import pyplot

    figures = pyplot.get_fignums()  # other tests may have left some open
    plot(fs.constant(), path=tmp_path / "constant.PNG")
    assert pyplot.get_fignums() == figures
    assert (tmp_path / "constant.PNG").read_bytes()[:4] == b"\x89PNG"


def test_the_same_figure_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        plot(FIVE[0], path=tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize("name", [name for name in STORED if name.endswith(".png")])
def test_the_pixels_are_those_of_the_stored_figure(name: str, tmp_path: Path) -> None:
    STORED[name](tmp_path / name)
    new, stored = imread(tmp_path / name), imread(FOLDER / name)
    assert new.shape == stored.shape
    different = np.abs(new - stored).max(axis=-1) > 0.1
    assert different.mean() < 0.002  # the edges of letters vary


def test_the_comparison_of_pixels_detects_another_curve(tmp_path: Path) -> None:
    plot(fs.warmup_cosine(1000, 100_000, end=0.12), path=tmp_path / "one.png")
    new, stored = imread(tmp_path / "one.png"), imread(FOLDER / "one.png")
    assert new.shape != stored.shape or (np.abs(new - stored).max(axis=-1) > 0.1).mean() > 0.002


def outline(text: str) -> tuple[list[str], list[float]]:
    """The elements, path commands and texts of an SVG file, and the numbers in its paths."""
    elements = list(ElementTree.fromstring(text).iter())
    texts = [element.text or "" for element in elements if not element.tag.endswith("style")]
    paths = [element.attrib.get("d", "") for element in elements]
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    words = [element.tag for element in elements] + [re.sub(rf"{number}|\s", "", path) for path in paths] + texts
    return words, [float(found) for path in paths for found in re.findall(number, path)]


@pytest.mark.parametrize("name", [name for name in STORED if name.endswith(".svg")])
def test_the_elements_are_those_of_the_stored_svg(name: str, tmp_path: Path) -> None:
    STORED[name](tmp_path / name)
    new, stored = (outline((folder / name).read_text(encoding="utf-8")) for folder in (tmp_path, FOLDER))
    assert new[0] == stored[0]
    assert new[1] == pytest.approx(stored[1], abs=0.11)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plot(3), TypeError, r"plot: `schedules` must be a schedule or a function of a step, got 3"),
        (
            lambda: plot([fs.constant(), 3]),
            TypeError,
            r"plot: `schedules\[1\]` must be a schedule or a function of a step, got 3",
        ),
        (lambda: plot([]), ValueError, r"plot: `schedules` must be at least one schedule, got \[\]"),
        (lambda: plot(fs.constant(), steps=0), ValueError, r"plot: `steps` must be an integer from 1 to 2\*\*53"),
        (lambda: plot(fs.constant(), peak_value=0), ValueError, r"plot: `peak_value` must be a finite number above 0"),
        (lambda: plot(fs.constant(), log=1), TypeError, r"plot: `log` must be True or False, got 1"),
        (
            lambda: plot(fs.constant(0.0), log=True),
            ValueError,
            r"^plot: a logarithmic axis requires a value above 0$",
        ),
        (
            lambda: plot(fs.constant(), path=3),  # type: ignore[arg-type]
            ValueError,
            r"plot: `path` must be a file name that ends in .png or .svg, got '3'",
        ),
        (
            lambda: plot(fs.constant(), path="a.gif"),
            ValueError,
            r"plot: `path` must be a file name that ends in .png or .svg, got 'a.gif'",
        ),
    ],
)
def test_invalid_arguments_raise(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["png", ".png", "a.jpg", "a"])
def test_a_path_without_a_supported_suffix_raises(name: str) -> None:
    with pytest.raises(ValueError, match=r"^plot: `path` must be a file name that ends in \.png or \.svg"):
        plot(fs.warmup_linear(10, 100), path=name)


def test_without_matplotlib_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import funcsched as fs; from funcsched.plotting.figure import plot\n"
        "try: plot(fs.constant(), path='a.png')\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "plot: matplotlib is not installed; pip install 'funcsched[plot]'\n"


def test_the_styles_of_many_curves_differ() -> None:
    axes = plot([fs.constant(0.1 * i) for i in range(1, 15)], steps=10, axes=Figure().subplots())
    styles = {(line.get_color(), str(line._dash_pattern)) for line in axes.get_lines() if line.get_linewidth() == 1.8}
    assert len(styles) == 14


TWO = [fs.warmup_cosine(1000, 10_000, end=0.1), fs.warmup_stable_decay(1000, 7000, 2000)]


def legend_and_curves(axes: Axes) -> tuple[Bbox, list[np.ndarray]]:
    """The box of the legend and densely sampled curves, both in pixels."""
    axes.figure.draw_without_rendering()
    steps = np.linspace(0, axes.get_xlim()[1], 5000)
    lines = [line for line in axes.lines if line.get_linewidth() == 1.8]
    curves = [np.interp(steps, *map(np.asarray, line.get_data())) for line in lines]
    return axes.get_legend().get_window_extent(), [axes.transData.transform(np.c_[steps, curve]) for curve in curves]


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize(
    ("schedules", "inside"), [(TWO, False), ({"cosine": TWO[0], "wsd": TWO[1]}, True), (TWO[0], True)]
)
def test_the_legend_covers_no_curve_of_given_axes(schedules, inside: bool, layout: str | None) -> None:
    axes = Figure(layout=layout).subplots()
    plot(schedules, axes=axes)
    box, curves = legend_and_curves(axes)
    assert not any(box.count_contains(curve) for curve in curves)
    assert (box.y0 >= axes.bbox.y0) == inside
    assert box.y0 >= 0 and box.x1 <= axes.figure.bbox.x1  # all of it is in the figure
    assert inside or box.y1 <= axes.xaxis.get_tightbbox().y0


def test_axes_without_a_layout_share_their_space_with_the_legend_once() -> None:
    axes = Figure().subplots()
    top = axes.get_position().y1
    for _ in range(3):
        axes.clear()
        plot(TWO, axes=axes)
    assert axes.get_position().y1 == pytest.approx(top)
    assert axes.get_position().height > 0.6


def test_a_second_plot_into_the_same_axes_keeps_the_first_visible() -> None:
    axes = plot({"long": fs.ramp(0, 2, steps=1000)}, axes=Figure().subplots())
    plot({"short": fs.ramp(-1, 1, steps=10)}, axes=axes)
    assert axes.get_xlim() == (0, 1100)
    assert axes.get_ylim() == pytest.approx((-1.1, 2.1))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["long", "short"]
    lines = [line for line in axes.lines if line.get_linewidth() == 1.8]
    assert lines[0].get_color() != lines[1].get_color()
    plot(fs.ramp(1, 0.5, steps=10), axes=axes, log=True)  # 0 and below have no place on it
    assert axes.get_ylim()[0] == pytest.approx(0.5 / 2**0.05)


def luminance(color: object) -> float:
    """The relative luminance of WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_every_curve_is_visible_on_its_background(style: str) -> None:
    with matplotlib.style.context(style):
        axes = plot([fs.constant(0.1 * i) for i in range(1, 8)], axes=Figure().subplots())
    background = luminance(axes.get_facecolor())
    for line in axes.get_legend_handles_labels()[0]:
        darker, lighter = sorted([background, luminance(line.get_color())])
        assert (lighter + 0.05) / (darker + 0.05) > 2.2


def shown_labels(axes: Axes) -> list[str]:
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    return [label.get_text() for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]


def test_small_and_large_values_have_short_labels() -> None:
    axes = plot(fs.warmup_linear(10, 100), peak_value=3e-4, axes=Figure().subplots())
    assert shown_labels(axes) == ["0", "5e-5", "1e-4", "1.5e-4", "2e-4", "2.5e-4", "3e-4"]
    axes = plot(fs.warmup_linear(10, 100), peak_value=40_000, axes=Figure().subplots())
    assert shown_labels(axes) == ["0", "5000", "10k", "15k", "20k", "25k", "30k", "35k", "40k"]


@pytest.mark.parametrize(
    ("schedule", "labels"),
    [
        (fs.constant(0.5), ["0.3", "0.4", "0.5"]),
        (fs.ramp(1, 0.7, steps=100), ["0.7", "0.8", "0.9", "1"]),
        (fs.exponential_decay(0.1, 10, end=1e-4), ["1e-4", "1e-3", "0.01", "0.1", "1"]),
    ],
)
def test_a_logarithmic_axis_has_several_labels(schedule: fs.Schedule, labels: list[str]) -> None:
    assert shown_labels(plot(schedule, log=True, axes=Figure().subplots())) == labels


@pytest.mark.parametrize("label", ["_hidden", "$x_1$", r"$\foo$", "a$b"])
def test_a_label_is_shown_verbatim(label: str, tmp_path: Path) -> None:
    axes = plot({label: fs.warmup_linear(10, 100)}, path=tmp_path / "a.png")
    (text,) = axes.figure.legends[0].get_texts()
    assert text.get_text().lstrip("\u200b").replace(r"\$", "$") == label


def test_given_axes_are_saved_too(tmp_path: Path) -> None:
    plot(fs.warmup_linear(10, 100), axes=Figure().subplots(), path=tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
