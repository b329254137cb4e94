"""Plots as SVG, and what notebooks display."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest

import funcsched as fs
from bridges.rated import Rated
from funcsched.analysis.findings import Finding, Findings
from funcsched.plotting.notebook import html, svg
from tests.cases import CASES
from tests.plotting.stored import FIVE


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_schedule_can_be_plotted(case) -> None:
    image = ElementTree.fromstring(svg(case.schedule))
    assert image.find("{*}title").text == repr(case.schedule)


@pytest.mark.parametrize("value", [1e-38, 0.0, 1e38, -1e38])
def test_extreme_values_can_be_plotted(value: float) -> None:
    ElementTree.fromstring(svg(fs.constant(value)))


def test_an_image_is_small() -> None:
    assert max(len(svg(schedule)) for schedule in FIVE) < 5000


def test_the_title_is_escaped() -> None:
    text = svg(fs.lift(lambda step: 0.5))
    assert "&lt;lambda&gt;" in text and "<lambda>" not in text


def test_a_notebook_displays_the_expression_and_the_curve() -> None:
    schedule = fs.warmup_linear(10, 100)
    text = html(schedule)
    assert text is not None and text == schedule._repr_html_()
    assert text.startswith("<code>warmup_linear(warmup_steps=10, total_steps=100)</code><br><svg ")


def test_a_notebook_shows_negative_values_below_zero() -> None:
    image = svg(fs.ramp(1.0, -3.0, steps=100), steps=100)
    assert "M0,0L" in image and "L280,80" in image and ">-3<" in image and ">1<" in image


def test_a_notebook_displays_the_text_alone_if_the_schedule_cannot_be_plotted() -> None:
    def fails(step: int) -> float:
        raise RuntimeError(step)

    assert html(fs.lift(fails)) is None
    assert html(fs.constant(np.array([0.5, 1.0]))) is None


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    image = svg(fs.lift(lambda step: float("nan") if 3 <= step <= 5 else 1.0), 10)
    path = ElementTree.fromstring(image).findall(".//{*}path")[-1].attrib["d"]
    assert path == "M0,0L28,0L56,0M168,0L196,0L224,0L252,0L280,0"


def test_a_notebook_displays_a_shape_over_the_fraction() -> None:
    text = fs.power(2)._repr_html_()
    assert text is not None and text.startswith("<code>power(exponent=2.0)</code><br><svg ")
    assert ">fraction 1<" in text and "L140,60L" in text  # 0.25 at 0.5
    path = ElementTree.fromstring(text.partition("<br>")[2]).findall(".//{*}path")[-1].attrib["d"]
    assert path.startswith("M0,80L") and path.endswith("L280,0")


def test_a_shape_that_fails_is_displayed_as_text() -> None:
    def fails(fraction: float) -> float:
        return fraction if fraction in (0, 1) else 1 / 0

    shape = fs.ramp(0, 1, steps=10, shape=fails).arguments()["shape"]
    assert shape._repr_html_() is None


def test_a_notebook_displays_learning_rates_of_a_rated_schedule() -> None:
    text = Rated(fs.warmup_linear(10, 100), 4e-4)._repr_html_()
    assert text is not None and text.startswith("<code>Rated(schedule=warmup_linear(")
    assert all(f">{label}<" in text for label in ("4e-4", "3e-4", "2e-4", "1e-4"))


def test_a_notebook_displays_every_curve_of_a_plan() -> None:
    plan = fs.Plan(
        {"lr": (fs.warmup_linear(10**9, 10**11), 4e-4), "a<b": (fs.constant(), -64)},
        run={"tokens": 10**11},
        stages={"warmup": 0, "decay": 10**9},
        source="Someone & others",
    )
    text = plan._repr_html_()
    assert text is not None
    pictures = [ElementTree.fromstring(picture) for picture in re.findall("<svg.*?</svg>", text)]
    assert [picture.find("{*}title").text for picture in pictures] == ["lr", "a<b"]
    assert [[each.text for each in picture.findall("{*}text")][-1] for picture in pictures] == ["100B tokens"] * 2
    assert [each.text for each in pictures[1].findall("{*}text")][:5] == ["0", "-16", "-32", "-48", "-64"]
    assert "stages: warmup from 0, decay from 1,000,000,000" in text and "Someone &amp; others" in text


def test_a_plan_in_epochs_is_displayed_between_integers() -> None:
    text = fs.Plan({"lr": (fs.stretch(fs.warmup_linear(50, 250), 0.01), 1)}, run={"epochs": 2.5})._repr_html_()
    assert text is not None and ">2.5 epochs<" in text
    path = re.findall('d="(M[^"]*)"', text)[-1]
    points = [tuple(map(float, point.split(","))) for point in re.split("[ML]", path) if point]
    warmup = [(x, y) for x, y in points if x <= 56]  # a fifth of the width
    assert len(warmup) > 20
    assert all(y == pytest.approx(80 - 80 * x / 56, abs=0.02) for x, y in warmup)


def test_a_notebook_displays_findings_as_a_table() -> None:
    found = Findings([Finding("warning", "jump", 3, "a < b"), Finding("info", "end", 9, "text")])
    table = ElementTree.fromstring(found._repr_html_())
    assert [cell.text for cell in table.iter("th")] == ["severity", "kind", "step", "text"]
    assert [[cell.text for cell in row] for row in table.findall("tbody/tr")] == [
        ["warning", "jump", "3", "a < b"],
        ["info", "end", "9", "text"],
    ]
    assert Findings()._repr_html_() == "no findings"
    assert found == list(found)


def test_a_notebook_displays_an_identified_schedule_and_a_comparison() -> None:
    found = fs.identify(range(0, 1000, 20), [3e-4 * fs.warmup_linear(100, 1000)(step) for step in range(0, 1000, 20)])
    text = found._repr_html_() if found else None
    assert text is not None and ">0.0003 * warmup_linear(warmup_steps=100, total_steps=1000)\n" in text
    assert ">3e-4<" in text and "<svg" in text
    compared = fs.compare(fs.lift(lambda step: 1.0), fs.constant(0.5), steps=9)._repr_html_()
    assert compared.startswith("<p>the curves diverge at step 0 (first: 1; second: 0.5)")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: svg(3), TypeError, r"svg: `schedule` must be a schedule or a function of a step, got 3"),
        (lambda: svg(fs.constant(), 0), ValueError, r"svg: `steps` must be an integer from 1 to 2\*\*53, got 0"),
    ],
)
def test_invalid_arguments_raise(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_displaying_a_schedule_imports_no_slow_module() -> None:
    code = (
        "import sys; before = set(sys.modules); import funcsched as fs\n"
        "assert fs.constant()._repr_html_()\n"
        "import funcsched.plotting.figure\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "numpy", "dataclasses", "inspect", "typing", "enum", "argparse", "json"} & {
        *done.stdout.split()
    }
