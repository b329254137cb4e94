"""The answers that the page of the playground gets."""

import json
from typing import Any

import pytest
import yaml

import funcsched as fs
from funcsched.playground.answer import answer, answer_text
from funcsched.playground.catalogue import EXPRESSIONS
from funcsched.plotting.controls import controls, parse_with_peak, with_argument
from funcsched.serialization.data import registry

ALL = [expression for expressions in EXPRESSIONS.values() for expression in expressions]


def curves(*expressions: str, **settings: Any) -> dict[str, Any]:
    """The reply to a request for curves, after JSON."""
    request = {"kind": "curves", "expressions": expressions, "peak": "0.5", **settings}
    reply: dict[str, Any] = json.loads(answer_text(json.dumps(request)))
    return reply


def details(expression: str, **settings: Any) -> dict[str, Any]:
    return answer({"kind": "details", "expressions": [expression], "selected": 0, "peak": "0.5", **settings})


@pytest.mark.parametrize(
    ("expression", "boundaries"),
    [
        ("warmup_cosine(10, 100, end=0.5)", [[10, 0.5], [100, 0.25]]),
        ("warmup_stable_decay(10, 50, 40)", [[10, 0.5], [60, 0.5], [100, 0.0]]),
        ("join([constant(1), constant(0.25)], [40])", [[40, 0.125]]),
        ("multistep([30, 60], factor=0.5)", [[30, 0.25], [60, 0.125]]),
    ],
)
def test_boundaries_have_the_exact_values(expression: str, boundaries: list[list[float]]) -> None:
    (curve,) = curves(expression)["curves"]
    assert curve["boundaries"] == boundaries
    points = {step: value for step, value in curve["points"]}
    assert all(points[step] == value for step, value in boundaries)


def test_points_are_learning_rates_from_step_0_past_the_end() -> None:
    reply = curves("warmup_linear(10, 100)")
    points = dict(map(tuple, reply["curves"][0]["points"]))
    assert (reply["run"], reply["x"]["high"], max(points)) == (100, 110, 110)
    assert (points[0], points[5], points[55], points[110]) == (0.0, 0.25, 0.25, 0.0)


def test_the_run_is_that_of_the_longest_schedule_or_given() -> None:
    assert curves("warmup_linear(10, 100)", "warmup_linear(10, 400)")["run"] == 400
    reply = curves("warmup_linear(10, 100)", run="1e3")
    assert (reply["run"], reply["x"]["high"]) == (1000, 1000)


@pytest.mark.parametrize(
    ("expressions", "run", "last"),
    [
        (["warmup_constant(100)"], 200, 200),  # a rise ends in the middle
        (["multistep([300, 600])"], 660, 660),  # a drop at the end, and 10 % more
        (["product(warmup_constant(100), inverse_sqrt(300))"], 2200, 2200),  # 20 times the shorter one
        (["warmup_constant(100)", "warmup_linear(10, 150)"], 150, 200),  # the run of the schedule that ends it
    ],
)
def test_the_default_run_continues_after_a_rise_or_a_jump(expressions: list[str], run: int, last: int) -> None:
    reply = curves(*expressions)
    assert (reply["run"], reply["x"]["high"]) == (run, last)


@pytest.mark.parametrize("expression", ALL)
def test_the_default_run_does_not_contradict_its_schedule(expression: str) -> None:
    kinds = {found["kind"] for found in details(expression)["findings"] if found["severity"] == "warning"}
    assert not kinds & {"horizon_short", "horizon_long", "rate_as_multiplier"}
    if not expression.startswith("saturating_exponential"):  # it approaches 1 and never reaches it
        assert not kinds & {"warmup", "peak_never_reached"}


def test_an_expression_may_have_its_own_peak() -> None:
    change = {"index": 0, "name": "value", "value": "0.25"}
    first, second = curves("3e-4 * constant(1)", "constant(1)", change=change)["curves"]
    assert (first["expression"], first["has_own_peak"]) == ("0.0003 * constant(value=0.25)", True)
    assert first["points"][0] == [0, 0.25 * 3e-4]
    assert (second["has_own_peak"], second["points"][0]) == (False, [0, 0.5])
    assert "lr=0.0003" in details("3e-4 * constant()")["code"]["pytorch"]
    (invalid,) = curves("3e-4 * warmup_cosin(10, 100)")["curves"]
    assert invalid["error"]["column"] == 8


def test_the_lowest_rate_is_above_the_edge_of_a_logarithmic_axis() -> None:
    low, ticks = (curves("warmup_linear(10, 100)", log_rates=True)["y"][name] for name in ("low", "ticks"))
    lowest = 0.5 / 90  # one step before the end
    assert lowest / 2 < low < 0.9 * lowest and ticks[0][0] >= lowest


def test_a_recipe_that_counts_tokens_is_converted_to_steps() -> None:
    # Brown et al. 2020, appendix B: 375 million tokens of warmup, decay to a tenth of 6e-5 at 260 billion.
    reply = curves("gpt-3", unit="tokens", tokens_per_step="1_000_000")
    (curve,) = reply["curves"]
    assert (reply["run"], curve["peak"], curve["tokens_per_step"]) == (300_000, 6e-5, 1_000_000)
    assert curve["boundaries"] == [[375, 6e-5], [260_000, pytest.approx(6e-6, rel=1e-15)]]
    assert [100_000, "100B"] in reply["x"]["ticks"]


def test_a_logarithmic_axis_of_steps_has_points_in_every_decade() -> None:
    reply = curves("inverse_sqrt(100_000)", log_steps=True, log_rates=True)
    steps = [step for step, _ in reply["curves"][0]["points"]]
    for decade in range(6):
        assert sum(10**decade <= step < 10 ** (decade + 1) for step in steps) >= min(9, 9 * 10**decade)
    assert reply["x"]["low"] == 1


def test_the_shortest_run_and_the_smallest_rate_have_axes() -> None:
    reply = curves("constant(1e-300)", run="1", peak="5e-24", log_steps=True)
    assert (reply["x"]["low"], reply["x"]["high"]) == (1, 2)
    assert reply["y"]["ticks"] == [[0.0, "0"]]


@pytest.mark.parametrize(
    ("peak", "labels"),
    [
        ("3e-4", ["0", "5e-5", "1e-4", "1.5e-4", "2e-4", "2.5e-4", "3e-4"]),
        ("2", ["0", "0.5", "1", "1.5", "2"]),
        ("4e3", ["0", "1000", "2000", "3000", "4000"]),
    ],
)
def test_learning_rates_have_round_labels(peak: str, labels: list[str]) -> None:
    ticks = curves("constant()", peak=peak)["y"]["ticks"]
    assert [label for _, label in ticks] == labels
    assert [value for value, _ in ticks] == pytest.approx([float(label) for label in labels], rel=1e-12)
    logarithmic = curves("exponential_decay(0.1, 100, end=1e-3)", peak="0.1", log_rates=True)["y"]["ticks"]
    assert [label for _, label in logarithmic] == ["1e-4", "1e-3", "1e-2", "1e-1"]


def test_invalid_settings_are_named() -> None:
    errors = curves("constant()", peak="fast", run="0", tokens_per_step="1.5")["errors"]
    assert errors["peak"] == "must be a number above 0 and at most 1e200, got 'fast'"
    assert errors["run"] == "must be an integer from 1 to 2**53, got 0"
    assert set(errors) == {"peak", "run", "tokens_per_step"}
    assert curves("constant(0)", log_rates=True)["errors"] == {"log_rates": "requires a learning rate above 0"}


def test_an_invalid_expression_has_its_position_beside_valid_curves() -> None:
    invalid, valid = curves("scale(warmup_cosin(10, 100), 2)", "constant()")["curves"]
    assert valid["points"]
    error = invalid["error"]
    assert (error["line"], error["column"]) == (1, 7)
    assert error["message"] == "unknown schedule 'warmup_cosin'; did you mean 'warmup_cosine'?"
    assert error["excerpt"] == "scale(warmup_cosin(10, 100), 2)\n      ^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpt3", "unknown recipe 'gpt3'; did you mean 'gpt-3'?"),
        ("dinov2", "dinov2 counts epochs; the playground shows recipes that count updates or tokens"),
        ("constant(" + "1" * 100_001, "`text` must be at most 100000 characters long, got 100010"),
        ("", "unexpected end of the text; expected a schedule, such as warmup_cosine(10, 100)"),
    ],
)
def test_errors_without_a_call(text: str, message: str) -> None:
    assert curves(text)["curves"][0]["error"]["message"] == message


def test_a_change_replaces_an_argument() -> None:
    change = {"index": 1, "name": "end", "value": "0.25"}
    first, second = curves("constant()", "warmup_linear(10, 100)", change=change)["curves"]
    assert first["expression"] == "constant()"
    assert second["expression"] == "warmup_linear(warmup_steps=10, total_steps=100, end=0.25)"
    invalid = curves("warmup_linear(10, 100)", change={"index": 0, "name": "warmup_steps", "value": "200"})
    assert "must be at most `total_steps` (100), got 200" in invalid["curves"][0]["error"]["message"]


@pytest.mark.parametrize("request_", [{}, {"kind": "curves", "expressions": []}, {"kind": "x", "expressions": ["a"]}])
def test_requests_of_another_form_are_refused(request_: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        answer(request_)


def test_the_catalogue_has_every_schedule_and_recipe() -> None:
    sections = answer({"kind": "catalogue"})["sections"]
    entries = {entry["name"]: entry for section in sections for entry in section["entries"]}
    schedules = {name for name, value in registry().items() if not value.__module__.startswith("funcsched.shapes.")}
    recipes = {name for name in fs.published() if fs.published(name).unit in ("updates", "tokens")}
    assert set(entries) == schedules | recipes
    assert all(entry["summary"] for entry in entries.values())
    assert entries["warmup_linear"]["summary"] == "A linear warmup to 1, then a linear decay."


@pytest.mark.parametrize("expression", ALL)
def test_controls_cover_every_argument_with_valid_values(expression: str) -> None:
    schedule, _ = parse_with_peak(expression)
    assert [control.name for control in controls(schedule)] == list(schedule.arguments())
    for control in controls(schedule):
        assert with_argument(schedule, control.name, control.value) == schedule
        values = [*control.choices, None] if control.optional else [*control.choices]
        if control.kind in ("int", "float"):
            assert control.value is None or control.low <= control.value <= control.high
            assert control.low < control.high or (schedule.factory, control.name) == ("cyclic", "rate")
            values += [control.low, control.high]
        for value in values:
            with_argument(schedule, control.name, value)  # raises an error if the value is invalid


def test_controls_of_a_value_outside_the_usual_range() -> None:
    by_name = {control.name: control for control in controls(fs.ramp(-1, 30, steps=10, shape=fs.power(3)))}
    assert (by_name["start"].low, by_name["start"].high) == (-1, 1)
    assert (by_name["stop"].low, by_name["stop"].high) == (0, 100)
    assert by_name["shape"].choices[-1] == "power(exponent=3.0)"
    negative = controls(fs.constant(-4.0))[0]
    assert (negative.low, negative.high) == (-10, 10)


def test_findings_are_those_of_check() -> None:
    found = details("warmup_linear(12, 100)", run="120")
    assert found["run"] == 120
    assert found["findings"][0]["severity"] == "warning"
    assert found["findings"][0]["kind"] == "horizon_short"


def test_python_code_builds_the_schedule() -> None:
    expression = "join([ramp(0, 1, steps=10), ramp(1, 0, steps=90, shape=power(2))], [10])"
    code = details(expression)["code"]
    (definition,) = [line for line in code["pytorch"].splitlines() if line.startswith("schedule = ")]
    assert definition in code["jax"]
    scope = {"fs": fs}
    exec(definition, scope)
    assert scope["schedule"] == fs.parse(expression)
    assert "lr=0.5" in code["pytorch"] and "peak_value=0.5" in code["jax"]
    recipe = details("gpt-3", tokens_per_step="1000000")["code"]["jax"]
    exec("\n".join(line for line in recipe.splitlines() if line.startswith(("plan", "schedule"))), scope)
    assert scope["peak_value"] == 6e-5 and scope["schedule"](375) == 1.0  # type: ignore[operator]


@pytest.mark.parametrize("expression", ["cyclic(100, mode='triangular2')", "gpt-3", ALL[0]])
def test_yaml_keeps_the_rate_and_the_expression(expression: str) -> None:
    text = details(expression, peak="3e-05")["code"]["yaml"]
    settings = yaml.safe_load(text)["optimizer"]
    assert settings["learning_rate"] == (6e-5 if expression == "gpt-3" else 3e-5)
    assert isinstance(fs.parse(settings["schedule"]), fs.Schedule)


def test_the_command_is_quoted_for_a_shell() -> None:
    command = details("cyclic(100, mode='triangular2')")["code"]["command"]
    assert """funcsched plot 'cyclic(up_steps=100, mode='"'"'triangular2'"'"')' --peak-value 0.5\n""" in command


def test_the_command_of_a_recipe_counts_updates_as_the_findings_do() -> None:
    command = details("gpt-3", tokens_per_step="1000000")["code"]["command"]
    assert command.startswith("funcsched show gpt-3\n") and command.endswith("--steps 300000 --peak-value 6e-05\n")
