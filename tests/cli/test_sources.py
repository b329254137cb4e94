"""Expressions from files and from standard input."""

import io
import json
import re
from pathlib import Path

import pytest

import funcsched as fs
from funcsched.cli.main import main

Captured = pytest.CaptureFixture[str]
COSINE = "warmup_cosine(10, 100)"


def give(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Set the content of standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        (COSINE, []),
        ("\ufeffwarmup_cosine(\r\n    10,\r\n    100,\r\n)\n", []),
        ("# the first run\r\nwarmup_cosine(10,\n  # total # steps\n100)\n#", []),
        ("warmup_cosine(total // 10, total)\n", ["--set", "total=100"]),
        ("hf:cosine(num_warmup_steps=10, num_training_steps=100)\n", []),
        (json.dumps(fs.to_dict(fs.warmup_cosine(10, 100)), indent=2), []),
    ],
)
def test_a_file_and_standard_input_contain_an_expression_or_plain_data(
    content: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    file = tmp_path / "schedule"
    file.write_bytes(content.encode())
    assert main(["compare", COSINE, f"@{file}", *arguments]) == 0
    give(monkeypatch, content.encode())
    assert main(["compare", "-", COSINE, *arguments]) == 0
    assert capsys.readouterr().out == 2 * "the curves are the same\n"


def test_a_note_goes_to_standard_error(capsys: Captured) -> None:
    assert main(["table", "2e-3 * torch:CosineAnnealingLR(4)", "--steps", "4", "--csv"]) == 0
    text, errors = capsys.readouterr()
    assert text.splitlines()[:2] == ["step,multiplier,rate,boundary", "0,1.0,0.002,False"]
    assert errors.startswith("note: after T_max, ") and errors.count("\n") == 1


def test_every_subcommand_reads_files(tmp_path: Path, capsys: Captured) -> None:
    file, recipe = tmp_path / "schedule.json", tmp_path / "recipe"
    file.write_text(json.dumps(fs.to_dict(fs.warmup_cosine(10, 100))))
    recipe.write_text("gpt-3\n")
    assert main(["plot", f"@{file}"]) == 0
    assert "warmup_cosine(warmup_steps=10, total_steps=100)" in capsys.readouterr().out
    assert main(["export", f"@{file}", "--to", "c"]) == 0
    assert capsys.readouterr().out == fs.to_source(fs.warmup_cosine(10, 100), "c")
    assert main(["table", f"@{file}", "--csv"]) == 0
    assert "\n10,1.0,True\n" in capsys.readouterr().out
    assert main(["check", f"@{recipe}"]) in (0, 1)  # its run is that of the recipe
    assert capsys.readouterr().out.startswith("steps and updates are tokens here")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "{file} is empty"),
        (b" \n", "{file} is empty"),
        (b"# later\n", "{file} is empty"),
        (b'{"format": 1, "plan": {"curves": {}}}', "Plan is not a schedule; use fs.Plan.parse .*"),
        (b"Plan({})", r"line 1, column 1: Plan is not a schedule; use fs.Plan.parse .*\n.*\n.*"),
        (b"x * constant()", r"line 1, column 1: unknown name 'x'; .* given by name, as in --set x=100\n.*\n.*"),
        (b"2 * gpt-3", "the recipe 'gpt-3' has its own learning rate; leave out the factor"),
        (b"plateau()", r"line 1, column 1: plateau follows a metric, .*\n.*\n.*"),
        (b"plateau", r"line 1, column 1: plateau follows a metric, .*\n.*\n.*"),
        (b"\x89PNG\r\n\x1a\n\x00", "{file} is not a text in UTF-8"),
        (b"constant()\0", "{file} is not a text in UTF-8"),
        (b"1" * 100_001, "{file} is too long: an expression has at most 100,000 characters, and data 10,000,000 bytes"),
        (b"{" + b" " * 10_000_000, "{file} is too long: an expression has at most .*"),
        (b"{]", "invalid JSON: Expecting property name .*"),
        (b'{"a":' * 100_000, "the JSON is nested too deeply"),
        (b'{"format": 1, "schedule": {"warmup_cosin": {}}}', ".* 'warmup_cosin'; did you mean 'warmup_cosine'\\?"),
        (b"warmup_cosine(10,\n  5)", r"line 1, column 1: warmup_cosine: `warmup_steps` .*\n.*\n.*"),
    ],
)
def test_an_invalid_file_is_reported(content: bytes, message: str, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "schedule"
    file.write_bytes(content)
    assert main(["plot", f"@{file}"]) == 2
    text, errors = capsys.readouterr()
    expected = "funcsched plot: argument EXPR: " + message.replace("{file}", re.escape(str(file))) + "\n"
    assert text == "" and re.fullmatch(expected, errors), errors


def test_a_file_that_cannot_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    give(monkeypatch, b"")
    for argument, message in {
        "@/nowhere/schedule": "cannot read '/nowhere/schedule': No such file or directory",
        f"@{tmp_path}": f"cannot read '{tmp_path}': Is a directory",
        "@": "cannot read '': No such file or directory",
        "-": "standard input is empty",
    }.items():
        assert main(["table", argument]) == 2
        assert capsys.readouterr().err == f"funcsched table: argument EXPR: {message}\n"
    assert main(["plot", "-", "-"]) == 2
    assert "`-`, standard input, can be given only once" in capsys.readouterr().err
