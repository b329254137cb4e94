"""The subcommand `published`, and the names of published recipes in the other subcommands."""

import json
import re

import pytest

import funcsched as fs
from funcsched.cli.main import main


def test_published_lists_every_recipe_with_its_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # no terminal: one line for each recipe
    assert main(["published"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == fs.published()
    assert "gpt-3                   Brown et al. 2020, arXiv:2005.14165, appendix B" in lines


def test_show_prints_the_curves_the_stages_and_what_was_not_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "moonlight"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("moonlight\n\nSource: Liu et al. 2025, Muon is Scalable for LLM Training")
    assert "batch_size = 4096.0 * piecewise_constant(boundaries=(200000000000,), levels=(0.5, 1.0))\n" in text
    assert "stage                tokens       lr  batch_size\n" in text
    assert "cooldown  5,203,355,443,200   0.0001        4096\n" in text
    assert "end       5,700,000,000,000        0        4096\n" in text
    assert "\nNotes:\n- published in updates: a second warmup of 100 updates" in text


def test_json_has_the_sources_and_the_data_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["published", "--json"]) == 0
    recipes = json.loads(capsys.readouterr().out)
    assert [recipe["name"] for recipe in recipes] == fs.published()
    assert {"name": "gpt-3", "source": "Brown et al. 2020, arXiv:2005.14165, appendix B"} in recipes
    assert main(["show", "moonlight", "--json"]) == 0
    assert fs.Plan.from_dict(json.loads(capsys.readouterr().out)) == fs.published("moonlight")


def test_plot_table_and_check_use_the_learning_rate_of_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "gpt-3", "--steps", "300e9", "--every", "100e9", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    rows, boundaries = data["rows"], [375 * 10**6, 260 * 10**9]
    assert data["unit"] == "tokens"
    assert [row["step"] for row in rows] == sorted([0, 10**11, 2 * 10**11, 3 * 10**11, *boundaries])
    assert (rows[0]["rate"], rows[-1]["rate"]) == (0.0, pytest.approx(6e-6))
    assert main(["plot", "deepseek-v3"]) == 0
    assert "deepseek-v3" in capsys.readouterr().out
    assert main(["check", "kimi-k2"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("steps and updates are tokens here, the unit of the recipe\n")
    assert "the learning rate increases until step" in text


def test_check_has_no_warnings_about_published_runs(capsys: pytest.CaptureFixture[str]) -> None:
    # A horizon before or after the end of the run, and a start of 1/2,001.
    for name in ("gpt-3", "olmo-3-32b", "nanogpt"):
        assert main(["check", name]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert (
        "info: as published, the horizon is shorter than the run: the last 40,000,000,000 updates, from step "
        "260,000,000,000 on, stay at the learning rate 6e-06" in text
    )
    assert "info: as published, the horizon is longer than the run" in text
    assert main(["check", "olmo-3-32b", "--steps", "500_000"]) == 1  # another run than the published one


@pytest.mark.parametrize(
    "arguments", [["published"], ["show", "gpt-3"], ["check", "gpt-3"], ["compare", "gpt-3", "glm-4.5"]]
)
def test_prose_is_wrapped_to_a_narrow_terminal(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    main(arguments)
    # Expressions, tables and paths are not wrapped.
    lines = [line for line in capsys.readouterr().out.splitlines() if not re.search(r" = |/|\S  +\S+  +\S", line)]
    assert len(lines) > 4 and max(map(len, lines)) <= 50


def test_without_steps_the_run_of_the_recipe_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "dinov3-7b", "--csv", "--every", "500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["epochs", "0", "100", "500", "1000"]
    assert main(["check", "warmup_linear(1, 2)"]) == 2
    assert "argument --steps: required, except for a published recipe" in capsys.readouterr().err


def test_every_output_names_the_unit_of_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    for name, unit in {"gpt-3": "tokens", "swin": "epochs", "nanogpt": "updates"}.items():
        assert main(["export", name, "--to", "c"]) == 0
        assert f"The learning rate after `step` {unit}. " in capsys.readouterr().out
    assert main(["plot", "gpt-3", "warmup_linear(10, 100)", "--peak-value", "1e-4"]) == 0
    text = capsys.readouterr().out
    assert "\n* gpt-3 (tokens)\n+ warmup_linear(10, 100)\n" in text
    assert main(["plot", "nanogpt"]) == 0
    assert "\nnanogpt\n" in capsys.readouterr().out
    assert main(["compare", "gpt-3", "gpt-3"]) == 0
    assert capsys.readouterr().out == (
        "steps and updates are tokens here, the unit of the recipe\nthe curves are the same\n"
    )
    assert main(["compare", "warmup_linear(1, 2)", "gpt-3", "--steps", "9", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["unit"] == "tokens"


@pytest.mark.parametrize("subcommand", ["plot", "compare"])
def test_recipes_with_different_units_are_refused(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([subcommand, "smollm3", "gpt-3"]) == 2
    assert capsys.readouterr() == (
        "",
        f"funcsched {subcommand}: argument EXPR: the units differ: 'smollm3' in updates and 'gpt-3' in tokens;"
        " fs.published('gpt-3').in_updates(clock) converts a recipe to updates\n",
    )


@pytest.mark.parametrize("subcommand", [["plot"], ["table"], ["check"]])
def test_an_unknown_recipe_gets_a_suggestion(subcommand: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*subcommand, "deepseek-v4"]) == 2
    hint = "argument EXPR: unknown recipe 'deepseek-v4'; did you mean 'deepseek-v3'?\n"
    assert capsys.readouterr().err == f"funcsched {subcommand[0]}: {hint}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("llama", "did you mean 'llama-3-405b'?"),
        ("gpt3", "did you mean 'gpt-3'?"),
        ("smollm2", "did you mean 'smollm2-1.7b' or 'smollm2-135m' or 'smollm2-360m'?"),
    ],
)
def test_the_beginning_of_a_name_lists_the_recipes(text: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", text]) == 2
    assert capsys.readouterr().err == f"funcsched plot: argument EXPR: unknown recipe {text!r}; {hint}\n"


def test_the_name_of_a_shape_is_no_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "cosine"]) == 2
    assert "recipe" not in capsys.readouterr().err
