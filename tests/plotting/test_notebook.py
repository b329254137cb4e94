"""Plots as SVG, and the display of schedules in notebooks."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest

import funcsched as fs
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
