"""Plots by matplotlib: curves, axes, phase boundaries, legends and files."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

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
    assert axes.get_ylim()[0] == pytest.approx(1 / 90)  # the last value above 0


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


@pytest.mark.parametrize("label", ["_hidden", "$x_1$", r"$\foo$", "a$b"])
def test_a_label_is_shown_verbatim(label: str, tmp_path: Path) -> None:
    axes = plot({label: fs.warmup_linear(10, 100)}, path=tmp_path / "a.png")
    (text,) = axes.figure.legends[0].get_texts()
    assert text.get_text().lstrip("\u200b").replace(r"\$", "$") == label


def test_given_axes_are_saved_too(tmp_path: Path) -> None:
    plot(fs.warmup_linear(10, 100), axes=Figure().subplots(), path=tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
