"""`Plan`: values, stages, branches, other run lengths and units, serialization, the figure, and errors."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcsched as fs
from bridges.rated import Rated
from tests.errors import exactly

CURVES = {
    "lr": Rated(fs.warmup_stable_decay(100, 700, 200), 0.5),
    "batch_size": (fs.piecewise_constant([400], levels=[0.5, 1.0]), 64),
}
STAGES = {"warmup": 0, "constant": 100, "decay": 800}
PLAN = fs.Plan(CURVES, run={"tokens": 1000}, stages=STAGES, source="a paper", notes=["not published: the seed"])


def test_a_plan_gives_the_values_of_all_curves_and_the_stage() -> None:
    assert PLAN.at(50) == {"lr": 0.25, "batch_size": 32.0}
    assert PLAN.at(900) == {"lr": 0.25, "batch_size": 64.0}
    assert PLAN.at(np.array([399, 400]))["batch_size"].tolist() == [32.0, 64.0]
    assert [PLAN.stage(count) for count in (0, 99, 100, 799, 800, 2000)] == [
        *("warmup", "warmup", "constant", "constant", "decay", "decay")
    ]
    assert fs.Plan(CURVES, run={"tokens": 1000}, stages={"decay": 10}).stage(9) is None


def test_a_plan_is_an_immutable_value() -> None:
    assert PLAN == pickle.loads(pickle.dumps(PLAN))
    assert hash(PLAN) == hash(pickle.loads(pickle.dumps(PLAN)))
    assert PLAN != PLAN.scaled(tokens=2000) and PLAN.branch(900, {"lr": 0}, length=100) != PLAN
    with pytest.raises(AttributeError):
        PLAN.source = "another"
    for copied in (PLAN.curves, PLAN.stages, PLAN.run):
        copied.clear()
    assert (len(PLAN.curves), PLAN.stages, PLAN.run) == (2, STAGES, {"tokens": 1000})


def test_a_cooldown_an_extension_and_a_new_warmup_continue_without_a_jump() -> None:
    cooldown = PLAN.branch(600, {"lr": 0.0}, length=100, stage="cooldown", shape=fs.sqrt)
    assert [cooldown.at(count)["lr"] for count in (599, 600, 625, 700)] == [0.5, 0.5, 0.25, 0.0]
    assert cooldown.stages == {"warmup": 0, "constant": 100, "cooldown": 600}
    assert cooldown.run == {"tokens": 700}
    # At the middle of the decay, the rate rises to 0.375 and falls to 0 again. The batch size continues as planned.
    longer = PLAN.branch(900, {"lr": 0.375}, length=50, stage="rewarmup").branch(
        950, {"lr": 0}, length=250, stage="end"
    )
    assert [longer.at(count)["lr"] for count in (899, 900, 925, 950, 1075, 1200)] == [
        *(0.2525, 0.25, 0.3125, 0.375, 0.1875, 0.0)
    ]
    assert longer.at(1200)["batch_size"] == 64
    assert longer.stages == {**STAGES, "rewarmup": 900, "end": 950}
    assert (longer.run, longer.source, longer.notes) == ({"tokens": 1200}, "a paper", ("not published: the seed",))
    # The extension of OLMo 3, as a branch of the cosine over 5T tokens. The branch begins at the rate of that cosine,
    # half an update before its middle; the script of the extension begins at the middle, which is 1.1e-6 lower.
    planned = fs.Plan({"lr": (fs.warmup_cosine(2000, 1_192_093, end=0.1), 3e-4)}, run={"updates": 1_192_093})
    extended = planned.branch(597_046, {"lr": 3e-5}, length=1_668_931 - 597_046, shape=fs.sine)
    published = fs.published("olmo-3-7b")
    for step in (0, 2000, 500_000, 597_045, 1_668_931):
        assert extended.at(step)["lr"] == pytest.approx(published.at(step)["lr"], rel=1e-14), step
    for step in (597_046, 1_000_000):
        assert extended.at(step)["lr"] == pytest.approx(published.at(step)["lr"], rel=1.2e-6), step


def test_a_scaled_plan_has_the_same_values_at_the_same_fractions_and_states_its_assumptions() -> None:
    short = PLAN.scaled(tokens=100)
    assert [short.at(count) for count in (5, 40, 90)] == [PLAN.at(count) for count in (50, 400, 900)]
    assert (short.run, short.stages) == ({"tokens": 100}, {"warmup": 0, "constant": 10, "decay": 80})
    note, assumption = short.notes
    assert note == "not published: the seed"
    assert assumption.startswith("scaled from 1000 to 100 tokens: all stages, including the warmup, are scaled")
    # Rounded up to integers: 333 / 1000 of 100 and of 800.
    assert PLAN.scaled(tokens=333).stages == {"warmup": 0, "constant": 34, "decay": 267}
    epochs = fs.Plan({"lr": (fs.warmup_linear(10, 100), 1)}, run={"epochs": 100}, stages={"warmup": 0, "decay": 10})
    assert epochs.scaled(epochs=2.5).stages == {"warmup": 0, "decay": 0.25}


def test_a_plan_in_tokens_becomes_one_in_updates() -> None:
    # Updates of 5 tokens up to token 100, then of 10: 20 + 70 updates reach token 800, 20 more the end.
    clock = fs.Clock(samples_per_update={"tokens": [(0, 5), (100, 10)]}, sequence_length=1)
    plan = PLAN.in_updates(clock)
    assert (plan.run, plan.stages) == ({"updates": 110}, {"warmup": 0, "constant": 20, "decay": 90})
    assert [plan.at(step)["lr"] for step in (10, 20, 89, 100, 110)] == [0.25, 0.5, 0.5, 0.25, 0.0]
    assert [plan.at(step)["batch_size"] for step in (49, 50)] == [32.0, 64.0]
    assert plan.in_updates(clock) is plan
    assert fs.Plan.from_dict(plan.to_dict()) == plan


def test_the_figure_has_an_axis_for_each_curve_and_the_names_of_all_stages(tmp_path: Path) -> None:
    figure = PLAN.plot(tmp_path / "plan.svg")
    assert [axes.get_ylabel() for axes in figure.axes] == ["lr", "batch_size"]
    assert [axes.get_ylim()[1] for axes in figure.axes] == [pytest.approx(0.525), pytest.approx(67.2)]
    assert [text.get_text() for text in figure.axes[0].texts] == list(STAGES)
    assert figure.axes[1].get_xlabel() == "tokens"
    first = (tmp_path / "plan.svg").read_bytes()
    PLAN.plot(tmp_path / "plan.svg")
    assert first.startswith(b"<?xml") and (tmp_path / "plan.svg").read_bytes() == first


def test_text_and_data_of_a_plan_use_names_of_numbers() -> None:
    text = (
        "Plan({'lr': (warmup_linear(total // 10, total), peak)}, run={'updates': total}, stages={'decay': total / 10})"
    )
    plan = fs.Plan({"lr": (fs.warmup_linear(10, 100), 0.5)}, run={"updates": 100}, stages={"decay": 10})
    assert fs.Plan.parse(text, total=100, peak=0.5) == plan == fs.Plan.parse(repr(plan))
    data = {"curves": {"lr": {"schedule": "warmup_linear(total // 10, total)", "peak_value": 0.5}}, "run": plan.run}
    assert fs.Plan.from_dict({"format": 1, "plan": data}, total=100).curves == plan.curves
    long = fs.Plan({"lr": (fs.constant(), 0.5)}, run={"tokens": 3}, notes=["a long note, " * 100])
    assert fs.Plan.parse(repr(long)) == long
    with pytest.raises(fs.ParseError, match=r"^Plan.parse: line 1, column 27: the key 'lr' is repeated\n"):
        fs.Plan.parse("Plan({'lr':(constant(),1),'lr':3}, run={'tokens': 3})")


def _plan(curves: Any = CURVES, run: Any = None, **options: Any) -> fs.Plan:
    return fs.Plan(curves, run={"tokens": 1000} if run is None else run, **options)


def _from(**plan: Any) -> fs.Plan:
    return fs.Plan.from_dict({"format": 1, "plan": plan})


SMALL_CLOCK = fs.Clock(samples_per_update=1000, sequence_length=1)
ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: _plan({}), "Plan: `curves` must be a dictionary with at least one curve, got {}"),
    (lambda: _plan([1]), "Plan: `curves` must be a dictionary of names and pairs, got [1]"),
    (lambda: _plan({"lr": 3}), "Plan: `curves['lr']` must be a pair (schedule, peak_value), got 3"),
    (
        lambda: _plan({"lr": ("constant()", 1)}),
        "Plan: `curves['lr'][0]` must be a schedule or a function of a step, got 'constant()'; use fs.parse(...)",
    ),
    (lambda: _plan({"lr": (fs.constant(), 0)}), "Plan: `curves['lr'][1]` must be a number other than 0, got 0"),
    (
        lambda: _plan(run={"steps": 3}),
        "Plan: `run` must be a dictionary of one unit (updates, samples, tokens, epochs) and the length, "
        "got {'steps': 3}; write {\"tokens\": 300_000_000_000}",
    ),
    (lambda: _plan(run={"tokens": 0}), "Plan: `run['tokens']` must be a number above 0 and at most 2**53, got 0"),
    (lambda: _plan(run={"tokens": 1.5}), "Plan: `run['tokens']` must be an integer, got 1.5"),
    (
        lambda: _plan(stages={"a": 3, "b": 3}),
        "Plan: `stages` must be a dictionary with increasing counts, got {'a': 3, 'b': 3}",
    ),
    (lambda: _plan(stages={"a": 0.5}), "Plan: `stages['a']` must be an integer, got 0.5"),
    (
        lambda: _plan(stages={"a": 1000}),
        "Plan: `stages['a']` must be below the length of the run (1000 tokens), got 1000",
    ),
    (lambda: _plan(source=3), "Plan: `source` must be a string, got 3"),
    (lambda: _plan(notes="text"), "Plan: `notes` must be a sequence of strings, got 'text'"),
    (
        lambda: PLAN.branch(600, {"batchsize": 0}, length=10),
        "Plan.branch: unknown curve 'batchsize'; did you mean 'batch_size'?",
    ),
    (
        lambda: PLAN.branch(600, {"lr": 0}, length=0),
        "Plan.branch: `length` must be an integer from 1 to 2**53, got 0",
    ),
    (
        lambda: PLAN.branch(600, {"lr": 0}, length=10, stage="warmup"),
        "Plan.branch: `stage` must be none of the stages before 600 (warmup, constant), got 'warmup'",
    ),
    (
        lambda: PLAN.scaled(updates=10),
        "Plan.scaled: `length` must be given in the unit of the plan, tokens, got {'updates': 10}; "
        "use scaled(tokens=...)",
    ),
    (
        lambda: PLAN.scaled(100),
        "Plan.scaled: `length` must be given in the unit of the plan, tokens, got (100,); use scaled(tokens=...)",
    ),
    (
        lambda: PLAN.scaled(tokens=-1),
        "Plan.scaled: `tokens` must be a number above 0 and at most 2**53, got -1",
    ),
    (
        lambda: PLAN.branch(2**53 - 5, {"lr": 0}, length=10),
        "Plan.branch: `length` must be at most 5, because a run ends at 2**53 at the latest, got 10",
    ),
    (lambda: PLAN.branch(600, {"lr": 0}, length=10, stage=3), "Plan.branch: `stage` must be a string, got 3"),
    (
        lambda: fs.parse(repr(PLAN)),
        "parse: line 1, column 1: Plan is not a schedule; use fs.Plan.parse for its text, and fs.Plan.from_dict for its"
        f" data\n    {repr(PLAN)[:100]} ...\n    ^",
    ),
    (lambda: fs.Plan.parse(3), "Plan.parse: `text` must be a string, got 3"),
    (
        lambda: fs.Plan.parse("Plan({})"),
        "Plan.parse: line 1, column 1: Plan() missing 1 required keyword-only argument: 'run'\n    Plan({})\n    ^",
    ),
    (
        lambda: PLAN.scaled(tokens=4),
        "Plan.scaled: the stage 'warmup' would be removed: it would have a length of 0.4 tokens",
    ),
    (
        lambda: fs.published("gpt-3").scaled(tokens=100),
        "Plan.scaled: `tokens` must be from 1e-9 to 1e9 times the length (300000000000), got 100",
    ),
    (
        lambda: PLAN.in_updates(SMALL_CLOCK),
        "Plan.in_updates: the stage 'constant' would be removed: it would have a length of 0 updates",
    ),
    (
        lambda: PLAN.in_updates(fs.Clock(samples_per_update=1)),
        "Clock.steps: `sequence_length` must be given to the Clock to count tokens, got None",
    ),
    (lambda: PLAN.plot("plan.pdf"), "Plan.plot: `path` must be a file name that ends in .png or .svg, got 'plan.pdf'"),
    (lambda: fs.Plan.from_dict({}), 'Plan.from_dict: `data` must be a dictionary {"format": 1, "plan": {...}}, got {}'),
    (lambda: _from(curves={}), "Plan.from_dict: the key 'run' is missing"),
    (lambda: _from(curve={}), "Plan.from_dict: unknown key 'curve'; did you mean 'curves'?"),
    (
        lambda: _from(curves={"lr": {"schedule": {"constant": {"values": 1}}, "peak_value": 1}}, run={"tokens": 3}),
        "Plan.from_dict: `curves['lr']`: from_dict: `schedule.constant`: constant has no argument 'values'; "
        "did you mean 'value'?",
    ),
    (
        lambda: _from(curves={"lr": {"schedule": "constant(", "peak_value": 1}}, run={"tokens": 3}),
        "Plan.from_dict: `curves['lr']`: parse: line 1, column 9: '(' was never closed\n    constant(\n            ^",
    ),
    (
        lambda: _from(curves={"lr": {"schedule": "constant(1)"}}, run={"tokens": 3}),
        'Plan.from_dict: `curves[\'lr\']` must be a dictionary {"schedule": ..., "peak_value": ...}, '
        "got {'schedule': 'constant(1)'}",
    ),
]


def test_invalid_arguments_are_refused_with_the_way_out() -> None:
    for call, message in ERRORS:
        with pytest.raises((TypeError, ValueError), match=exactly(message)):
            call()


def test_the_clock_of_a_plan_has_no_other_run() -> None:
    plan = fs.Plan({"lr": (fs.constant(), 0.5)}, run={"tokens": 800})
    sizes: dict[str, Any] = {"samples_per_update": 4, "sequence_length": 2}
    assert plan.in_updates(fs.Clock(**sizes, run={"tokens": 800.0})).run == {"updates": 100}
    message = "Plan.in_updates: `clock` must be a Clock without a run, or with {'tokens': 800}, got {'tokens': 1000}"
    with pytest.raises(ValueError, match=exactly(message)):
        plan.in_updates(fs.Clock(**sizes, run={"tokens": 1000}))
