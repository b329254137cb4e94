"""The sliders of `explore`, driven through ipywidgets without a browser."""

import re
import sys
from typing import Any

import pytest

import funcsched as fs
from bridges.rated import Rated
from funcsched.plotting.explorer import Explorer


def row(explorer: Explorer, position: int) -> Any:
    """The row of an argument, in the order of the arguments."""
    return [child for child in explorer.arguments.children if hasattr(child, "field")][position]


def labels(explorer: Explorer) -> list[str]:
    """The labels of the axes, from top to bottom, then those of the steps."""
    return re.findall(r"<text[^>]*>([^<]*)", explorer.picture.value)


def test_a_slider_changes_the_expression_and_the_curve() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    before = explorer.picture.value
    slider = row(explorer, 0).slider
    assert (slider.description, slider.min, slider.max, slider.value) == ("warmup_steps", 0, 200, 20)
    slider.value = 100  # in the middle of 0 to 100
    assert explorer.expression.value == "warmup_linear(warmup_steps=50, total_steps=100)"
    assert explorer.schedule == fs.warmup_linear(50, 100)
    assert row(explorer, 0).field.value == "50"
    assert explorer.picture.value != before
    assert "<title>warmup_linear(warmup_steps=50, total_steps=100)</title>" in explorer.picture.value


def test_a_field_accepts_values_outside_the_range_of_its_slider() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    row(explorer, 1).field.value = "1_234"
    assert explorer.schedule == fs.warmup_linear(10, 1234)
    assert row(explorer, 1).field.value == "1234"
    assert 0 < row(explorer, 1).slider.value < 200


def test_an_invalid_combination_is_reported_and_used_as_soon_as_it_is_valid() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    picture = explorer.picture.value
    row(explorer, 0).field.value = "200"
    assert "warmup_steps: warmup_linear: `warmup_steps` must be at most `total_steps` (100), got 200" in (
        explorer.message.value
    )
    assert (explorer.schedule, explorer.picture.value) == (fs.warmup_linear(10, 100), picture)
    assert row(explorer, 0).field.value == "200"
    row(explorer, 1).field.value = "300"
    assert explorer.schedule == fs.warmup_linear(200, 300)
    assert explorer.message.value == ""


def test_an_invalid_value_can_be_taken_back() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    row(explorer, 0).field.value = "'<b>'"
    assert "&lt;b&gt;" in explorer.message.value and "<b>" not in explorer.message.value
    row(explorer, 0).field.value = "10"
    assert explorer.message.value == ""


def test_the_peak_value_can_be_given_and_changed() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100), peak_value=3e-4, steps=100)
    assert labels(explorer) == ["3e-4", "2.25e-4", "1.5e-4", "7.5e-5", "0", "0", "step 100"]
    explorer.peak_value.value = "0.5"
    assert labels(explorer)[0] == "0.5"
    explorer.peak_value.value = "-1"
    assert "`peak_value` must be a finite number above 0, got -1" in explorer.message.value
    explorer.peak_value.value = ""
    assert (labels(explorer)[0], explorer.message.value) == ("1", "")
    assert fs.explore(Rated(fs.constant(), 0.25)).peak_value.value == "0.25"


def test_the_steps_and_the_axis_can_be_changed() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    assert labels(explorer)[-1] == "step 110"
    explorer.steps.value = "50"
    assert labels(explorer)[-1] == "step 50"
    explorer.is_log.value = True  # the first values above 0: 0.1 at step 1
    assert labels(explorer)[:2] == ["0.1", "1"]
    explorer.steps.value = "0"
    assert "`steps` must be an integer from 1 to 2**53, got 0" in explorer.message.value


def test_the_axis_stays_while_the_schedule_fits() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    row(explorer, 1).field.value = "60"
    assert labels(explorer)[-1] == "step 110"
    row(explorer, 1).field.value = "30"  # less than 40 % of the axis
    assert labels(explorer)[-1] == "step 33"
    row(explorer, 1).field.value = f"{2**53}"
    assert labels(explorer)[-1] == "step 9P"


def test_an_expression_replaces_the_schedule_and_its_controls() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    explorer.expression.value = "noam(512, 4000"
    assert "parse: line 1, column" in explorer.message.value
    explorer.expression.value = "noam(512, 4000)"
    assert explorer.schedule == fs.noam(512, 4000)
    assert [child.slider.description for child in explorer.arguments.children] == ["d_model", "warmup_steps"]
    assert explorer.message.value == ""


def test_an_expression_may_have_a_peak_value() -> None:
    explorer = fs.explore("3e-4 * warmup_linear(10, 100)")
    assert (explorer.schedule, explorer.peak_value.value) == (fs.warmup_linear(10, 100), "0.0003")
    explorer.expression.value = "0.5 * warmup_linear(10, 100)"
    assert (explorer.expression.value, explorer.peak_value.value) == (
        "warmup_linear(warmup_steps=10, total_steps=100)",
        "0.5",
    )


def test_options_and_missing_values_have_controls() -> None:
    explorer = fs.explore(fs.exponential_decay(0.5, 10))
    by_name = {child.field.description or child.slider.description: child for child in explorer.arguments.children}
    by_name["staircase"].field.value = True
    assert explorer.schedule == fs.exponential_decay(0.5, 10, staircase=True)
    end = by_name["end"]
    assert (end.field.value, end.field.placeholder) == ("", "None")
    end.slider.value = 50
    assert explorer.schedule.arguments()["end"] == pytest.approx(0.26, abs=0.01)  # a quarter of 0.01 to 1
    end.field.value = ""
    assert explorer.schedule == fs.exponential_decay(0.5, 10, staircase=True)
    ramp = fs.explore(fs.ramp(0, 1, steps=10))
    row(ramp, 3).field.value = "cosine"
    assert ramp.schedule == fs.ramp(0, 1, steps=10, shape=fs.cosine)


def test_nested_schedules_have_sliders_below_a_heading() -> None:
    explorer = fs.explore(fs.product(fs.warmup_constant(10), fs.join([fs.constant(), fs.ramp(1, 0, steps=10)], [50])))
    headings = [child.value for child in explorer.arguments.children if not hasattr(child, "field")]
    assert headings == [
        "<code>schedules[0]</code>: warmup_constant",
        "<code>schedules[1].schedules[0]</code>: constant",
        "<code>schedules[1].schedules[1]</code>: ramp",
        "<code>schedules[1]</code>: join",
    ]
    rows = [child for child in explorer.arguments.children if hasattr(child, "field")]
    steps = next(child for child in rows if child.path == ("schedules", 1, "schedules", 1, "steps"))
    steps.field.value = "20"
    ending = fs.join([fs.constant(), fs.ramp(1, 0, steps=20)], [50])
    assert explorer.schedule == fs.product(fs.warmup_constant(10), ending)


def test_a_schedule_can_be_assigned_and_observed() -> None:
    explorer = fs.explore(fs.warmup_linear(10, 100))
    seen: list[str] = []
    explorer.observe(lambda change: seen.append(explorer.expression.value), "schedule")
    row(explorer, 0).field.value = "20"
    row(explorer, 0).field.value = "999"
    explorer.schedule = fs.warmup_cosine(30, 100)
    assert seen == [
        "warmup_linear(warmup_steps=20, total_steps=100)",
        "warmup_cosine(warmup_steps=30, total_steps=100)",
    ]
    assert (explorer.message.value, row(explorer, 0).field.value) == ("", "30")


@pytest.mark.parametrize(
    ("schedule", "options", "error", "message"),
    [
        ("gpt-3", {}, ValueError, r'use fs.published\("gpt-3"\).curves\["lr"\]'),
        (fs.published("gpt-3"), {}, TypeError, r'use one of its curves: plan.curves\["lr"\]'),
        (3, {}, TypeError, "explore: `schedule` must be a schedule or a function of a step, got 3"),
        (abs, {}, TypeError, "explore: `schedule` must be a schedule without Python functions and arrays"),
        (fs.constant(), {"steps": 0}, ValueError, r"explore: `steps` must be an integer from 1 to 2\*\*53, got 0"),
        (fs.constant(), {"peak_value": 0}, ValueError, "explore: `peak_value` must be a finite number above 0, got 0"),
    ],
)
def test_invalid_arguments_raise(schedule: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fs.explore(schedule, **options)


def test_without_ipywidgets_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "funcsched.plotting.explorer")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ModuleNotFoundError, match=re.escape("pip install 'funcsched[notebook]'")):
        fs.explore(fs.constant())
