"""Pictures: of the right curve, to the right step, with the phases marked, and as they were when looked at."""

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
from funcsched.plotting.figure import html, plot, svg
from funcsched.plotting.layout import Drawn, reach
from funcsched.plotting.terminal import terminal
from tests.cases import CASES, CATALOGUE

matplotlib.use("agg")
PICTURES = Path(__file__).parent / "pictures"
EVERY = [*CASES, *CATALOGUE]
WSD = "warmup_stable_decay(10, 20, 25, cycles=2)"
FIVE = [
    fs.warmup_cosine(10, 100, end=0.1),
    fs.warmup_stable_decay(10, 50, 30, decay_shape=fs.sqrt),
    fs.step_decay(30),
    fs.warmup_inverse_sqrt(10),
    fs.cosine_restarts(15, times=3, period_factor=2, level_factor=0.7, end=0.05, warmup_steps=2),
]
TWO = {"cosine": fs.warmup_cosine(100, 1000), "one cycle": fs.one_cycle(300, 1000)}
# What is stored, each looked at before. To store them anew: python -m tests.plotting.test_plotting
STORED: dict[str, Callable[[Path], object]] = {
    "one.png": lambda path: plot(fs.warmup_cosine(1000, 100_000, end=0.1), path=path),
    "several.png": lambda path: plot(FIVE, steps=120, peak_value=3e-4, path=path),
    "log.png": lambda path: plot(TWO, log=True, path=path),
    "log.svg": lambda path: plot(TWO, log=True, path=path),
    "small.svg": lambda path: path.write_text(svg(FIVE[4]), encoding="utf-8"),
    "terminal.txt": lambda path: path.write_text(_texts(), encoding="utf-8"),
}


def _texts() -> str:
    """Curves of one dot to a character and of eight, one and several, on both axes."""
    return "\n\n".join(
        [
            terminal(FIVE[0], 60),
            terminal(FIVE[4], 60, characters="ascii"),
            terminal(FIVE[:2], 60, peak_value=3e-4),
            terminal(TWO, 60, log=True, color=True),
            terminal(FIVE[2], 40, 9, log=True),
        ]
    )


def parsed(text: str) -> fs.Schedule:
    schedule: fs.Schedule = eval(text, vars(fs))
    return schedule


@pytest.mark.parametrize(
    ("text", "end"),
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
        ("inverse_sqrt(100)", 1100),
        ("warmup_inverse_sqrt(100)", 1210),
        ("exponential_decay(0.1, 100)", 220),
        ("exponential_decay(0.1, 100, end=1e-3)", 330),
        ("inverse_time(0.5, 10)", 220),
        ("product(warmup_linear(10, 100), inverse_sqrt(1000))", 110),
        ("then(warmup_inverse_sqrt(100), 400, steps=100)", 550),
        ("lift(lambda step: 1.0)", 110),
    ],
)
def test_a_schedule_is_drawn_to_its_end_and_a_tenth_more(text: str, end: int) -> None:
    assert reach(parsed(text)) == end


@pytest.mark.parametrize(
    ("text", "marks"),
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
def test_phases_are_marked_where_they_begin(text: str, marks: list[int]) -> None:
    assert Drawn("plot", "schedules", parsed(text), None, None).marks(200) == pytest.approx(marks)


def test_no_line_marks_what_begins_after_the_picture() -> None:
    assert Drawn("plot", "schedules", fs.warmup_linear(10, 100), None, None).marks(50) == [10]


def test_a_jump_is_upright() -> None:
    line = Drawn("plot", "schedules", fs.multistep([30], 0.5), None, None).points(60, 10)
    assert (30.0, 0.5) in line
    before = [(step, value) for step, value in line if 29.9 < step < 30]
    assert [value for _, value in before] == [1.0]


def test_a_function_for_whole_numbers_is_asked_for_these_alone() -> None:
    def halves(step: int) -> float:
        assert type(step) is int
        return 0.5 ** (step // 10)

    assert "<path" in svg(fs.join([fs.lift(halves), fs.constant()], [15]))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_schedule_can_be_drawn(case) -> None:
    picture = ElementTree.fromstring(svg(case.schedule))
    assert picture.find("{*}title").text == repr(case.schedule)
    for log in (False, True) if "ramp(0.0, 0.0" not in case.text else (False,):
        lines = terminal(case.schedule, 70, 9, log=log).split("\n")
        assert max(map(len, lines)) <= 70
        assert any("\u2800" < character <= "\u28ff" for line in lines[:9] for character in line)


def test_a_pole_of_the_smallest_numbers_is_drawn_too() -> None:
    for schedule in (fs.constant(1e-38), fs.constant(0.0), fs.constant(3e38)):
        ElementTree.fromstring(svg(schedule))
        terminal(schedule)
    terminal(fs.constant(1e-38), log=True)


@pytest.mark.parametrize("width", [24, 31, 80, 200])
@pytest.mark.parametrize("characters", ["braille", "ascii"])
@pytest.mark.parametrize("log", [False, True])
def test_a_text_fits_its_width_and_fills_it(width: int, characters: str, log: bool) -> None:
    for what in (FIVE[0], FIVE, TWO):
        lines = terminal(what, width, 11, characters=characters, log=log).split("\n")
        assert max(map(len, lines)) <= width
        assert len(lines[11]) == width  # the axis
        assert characters == "braille" or "\n".join(lines).isascii()


def test_colours_do_not_count_as_width() -> None:
    painted, plain = terminal(FIVE[0], 60, color=True), terminal(FIVE[0], 60)
    assert "\x1b[36m" in painted and "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain


def test_several_curves_without_colours_have_a_character_each() -> None:
    text = terminal([fs.constant(1.0), fs.constant(0.5)], 40, 5)
    assert re.search(r"^ +1 │\*+$", text, re.M) and re.search(r"^ 0\.5 │\++$", text, re.M)
    assert "\n* constant()\n+ constant(value=0.5)" in text


def test_a_curve_in_text_stands_where_its_values_do() -> None:
    rows = terminal(fs.ramp(0.0, 1.0, steps=10), 47, 5, steps=10, characters="ascii").split("\n")[:5]
    cells = [row.partition("|")[2] for row in rows]
    assert [cells[4 - i].find("*") for i in range(5)] == pytest.approx([0, 5, 15, 25, 35], abs=1)


def test_a_logarithmic_text_has_its_decades() -> None:
    text = terminal(fs.exponential_decay(0.1, 10), 50, 13, steps=40, log=True)
    assert re.findall(r"^ *([\d.e-]+) │", text, re.M) == ["1", "0.1", "0.01", "0.001", "0.0001"]


def test_the_axes_show_steps_and_rates() -> None:
    axes = plot(fs.warmup_linear(10, 100), steps=100, peak_value=0.5, axes=Figure().subplots())
    steps, rates = axes.lines[0].get_data()
    assert [float(np.interp(step, steps, rates)) for step in (0, 5, 10, 55, 100)] == pytest.approx(
        [0, 0.25, 0.5, 0.25, 0]
    )
    assert axes.get_xlim() == (0, 100)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "learning rate")


def uprights(axes: Axes) -> list[float]:
    lines = [np.asarray(line.get_xdata(), float) for line in axes.lines]
    return sorted(float(line[0]) for line in lines if len(line) == 2 and line[0] == line[1])


def test_phases_are_lines_in_the_picture_but_not_a_wall() -> None:
    assert uprights(plot(parsed(WSD), axes=Figure().subplots())) == [10, 30, 55, 75, 100]
    assert uprights(plot(fs.step_decay(2), steps=1000, axes=Figure().subplots())) == []


def test_the_legend_has_the_expressions_or_the_names_given() -> None:
    legend = plot([fs.constant(0.5), fs.step_decay(30)], axes=Figure().subplots()).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["constant(value=0.5)", "step_decay(period=30)"]
    legend = plot(TWO, axes=Figure().subplots()).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["cosine", "one cycle"]


def test_what_a_bridge_gives_is_drawn_with_its_peak() -> None:
    axes = plot(Rated(fs.constant(0.5), 3.0), axes=Figure().subplots())
    assert set(axes.lines[0].get_ydata()) == {1.5}
    assert axes.get_ylabel() == "learning rate"


def test_a_logarithmic_axis_leaves_zeros_out() -> None:
    axes = plot(fs.warmup_linear(10, 100), log=True, steps=100, axes=Figure().subplots())
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] == pytest.approx(1 / 90)  # the last step above 0


def test_without_a_path_pyplot_shows_it() -> None:
    from matplotlib import pyplot

    axes = plot(fs.constant())
    assert pyplot.gcf() is axes.figure
    pyplot.close(axes.figure)


def test_a_picture_of_a_path_leaves_pyplot_alone(tmp_path: Path) -> None:
    from matplotlib import pyplot

    plot(fs.constant(), path=tmp_path / "constant.PNG")
    assert pyplot.get_fignums() == []
    assert (tmp_path / "constant.PNG").read_bytes()[:4] == b"\x89PNG"


def test_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        plot(FIVE[0], path=tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize("name", [name for name in STORED if name.endswith(".png")])
def test_a_picture_is_the_stored_one_pixel_by_pixel(name: str, tmp_path: Path) -> None:
    STORED[name](tmp_path / name)
    drawn, stored = imread(tmp_path / name), imread(PICTURES / name)
    assert drawn.shape == stored.shape
    off = np.abs(drawn - stored).max(axis=-1)
    assert (off > 0.1).mean() < 0.002  # the edges of letters, say


def test_the_comparison_of_pixels_sees_another_curve(tmp_path: Path) -> None:
    plot(fs.warmup_cosine(1000, 100_000, end=0.12), path=tmp_path / "one.png")
    drawn, stored = imread(tmp_path / "one.png"), imread(PICTURES / "one.png")
    assert drawn.shape != stored.shape or (np.abs(drawn - stored).max(axis=-1) > 0.1).mean() > 0.002


def outline(text: str) -> tuple[list[str], list[float]]:
    """The elements and commands of an SVG, and its numbers."""
    texts = [element.text or "" for element in ElementTree.fromstring(text).iter() if not element.tag.endswith("style")]
    elements = list(ElementTree.fromstring(text).iter())
    paths = [element.attrib.get("d", "") for element in elements]
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    words = [element.tag for element in elements] + [re.sub(rf"{number}|\s", "", path) for path in paths] + texts
    return words, [float(found) for path in paths for found in re.findall(number, path)]


@pytest.mark.parametrize("name", [name for name in STORED if name.endswith(".svg")])
def test_a_drawing_is_the_stored_one_element_by_element(name: str, tmp_path: Path) -> None:
    STORED[name](tmp_path / name)
    drawn, stored = (outline((folder / name).read_text(encoding="utf-8")) for folder in (tmp_path, PICTURES))
    assert drawn[0] == stored[0]
    assert drawn[1] == pytest.approx(stored[1], abs=0.11)


def test_the_texts_are_the_stored_ones() -> None:
    assert _texts() == (PICTURES / "terminal.txt").read_text(encoding="utf-8")


def test_a_small_picture_is_small() -> None:
    assert max(len(svg(schedule)) for schedule in FIVE) < 5000


def test_the_title_of_a_picture_is_escaped() -> None:
    text = svg(fs.lift(lambda step: 0.5))
    assert "&lt;lambda&gt;" in text and "<lambda>" not in text


def test_a_notebook_shows_expression_and_curve() -> None:
    text = html(fs.warmup_linear(10, 100))
    assert text is not None
    assert text.startswith("<code>warmup_linear(warmup_steps=10, total_steps=100)</code><br><svg ")


def test_a_notebook_shows_the_text_alone_where_nothing_can_be_drawn() -> None:
    def fails(step: int) -> float:
        raise RuntimeError(step)

    assert html(fs.lift(fails)) is None
    assert html(fs.constant(np.array([0.5, 1.0]))) is None


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: plot(3), TypeError, r"plot: `schedules` must be callable, got 3"),
        (lambda: plot([fs.constant(), 3]), TypeError, r"plot: `schedules\[1\]` must be callable, got 3"),
        (lambda: plot([]), ValueError, r"plot: `schedules` must be at least one schedule, got \[\]"),
        (lambda: plot(fs.constant(), steps=0), ValueError, r"plot: `steps` must be an integer from 1 to 2\*\*53"),
        (lambda: plot(fs.constant(), peak_value=0), ValueError, r"plot: `peak_value` must be a finite number above 0"),
        (lambda: plot(fs.constant(), log=1), TypeError, r"plot: `log` must be True or False, got 1"),
        (lambda: plot(fs.constant(0.0), log=True), ValueError, r"plot: `log` must be False where no value is above 0"),
        (
            lambda: plot(fs.constant(), path="a.gif"),
            ValueError,
            r"plot: `path` must be a name that ends in .png or .svg, got 'a.gif'",
        ),
        (lambda: terminal(fs.constant(), 0), ValueError, r"terminal: `width` must be an integer from 1 to"),
        (lambda: terminal(fs.constant(), height=2.5), ValueError, r"terminal: `height` must be an integer"),
        (
            lambda: terminal(fs.constant(), characters="x"),
            ValueError,
            r"terminal: `characters` must be one of 'braille', 'ascii', got 'x'",
        ),
        (lambda: terminal(fs.constant(), color=1), TypeError, r"terminal: `color` must be True or False, got 1"),
        (lambda: svg(3), TypeError, r"svg: `schedule` must be callable, got 3"),
        (lambda: svg(fs.constant(), 0), ValueError, r"svg: `steps` must be an integer from 1 to 2\*\*53, got 0"),
    ],
)
def test_bad_input_gets_one_sentence(call: Callable[[], object], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        call()


def test_without_matplotlib_the_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import funcsched as fs; from funcsched.plotting.figure import plot\n"
        "try: plot(fs.constant(), path='a.png')\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "plot: a picture needs matplotlib, which is not installed: pip install 'funcsched[plot]'"
    )


def test_the_module_of_drawing_loads_nothing_slow() -> None:
    code = (
        "import sys; before = set(sys.modules); import funcsched as fs; from funcsched.plotting.figure import svg\n"
        "svg(fs.constant())\n"
        "print(*sorted(set(sys.modules) - before & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "numpy", "dataclasses", "inspect", "typing", "enum", "argparse", "json"} & {
        *done.stdout.split()
    }


if __name__ == "__main__":
    for stored, draw in STORED.items():
        draw(PICTURES / stored)


def test_no_two_of_many_curves_look_alike() -> None:
    axes = plot([fs.constant(0.1 * i) for i in range(1, 15)], steps=10, axes=Figure().subplots())
    looks = {(line.get_color(), str(line._dash_pattern)) for line in axes.get_lines() if line.get_linewidth() == 1.8}
    assert len(looks) == 14


@pytest.mark.parametrize("label", ["_hidden", "$x_1$", r"$\foo$", "a$b"])
def test_a_label_is_shown_as_it_is_written(label: str, tmp_path: Path) -> None:
    axes = plot({label: fs.warmup_linear(10, 100)}, path=tmp_path / "a.png")
    (text,) = axes.figure.legends[0].get_texts()
    assert text.get_text().lstrip("\u200b").replace(r"\$", "$") == label


def test_axes_of_the_users_are_saved_too(tmp_path: Path) -> None:
    plot(fs.warmup_linear(10, 100), axes=Figure().subplots(), path=tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("name", ["png", ".png", "a.jpg", "a"])
def test_a_picture_needs_a_name_with_its_format(name: str) -> None:
    with pytest.raises(ValueError, match=r"^plot: `path` must be a name that ends in \.png or \.svg"):
        plot(fs.warmup_linear(10, 100), path=name)
