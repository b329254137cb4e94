"""Completion in a shell, and the page that `explore` opens."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from funcsched.cli.main import main

Captured = pytest.CaptureFixture[str]
COMPLETE = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shtab_funcsched funcsched "${COMP_WORDS[COMP_CWORD]}" ""
echo "${COMPREPLY[*]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "funcsched.bash"
    done = subprocess.run(
        [sys.executable, "-m", "funcsched", "--print-completion", "bash"], capture_output=True, text=True, check=True
    )
    path.write_text(done.stdout)
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completions"),
    [
        (["pl"], {"plot"}),
        (["--v"], {"--version"}),
        (["plot", "--peak"], {"--peak-value"}),
        (["plot", "gpt-3", "moonl"], {"moonlight"}),
        (["table", "warmup_cosine_"], {"warmup_cosine_linear", "warmup_cosine_restarts"}),
        (["show", "CosineAnnealingL"], {"CosineAnnealingLR"}),
        (["show", "gpt-n"], {"gpt-neox-20b"}),
        (["export", "gpt-3", "--to", "p"], {"python"}),
        (["identify", "pyproject."], {"pyproject.toml"}),
    ],
)
def test_bash_completes_commands_options_and_names(script: Path, words: list[str], completions: set[str]) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", str(script), "funcsched", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert {*done.stdout.split()} == completions


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_scripts_of_other_shells_contain_the_names(shell: str, capsys: Captured) -> None:
    assert main(["--print-completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("funcsched", "peak-value", "one_cycle", "deepseek-v3", "CosineAnnealingLR"))


def test_without_shtab_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 2
    message = "shtab is not installed; pip install 'funcsched[completion]'"
    assert capsys.readouterr() == ("", f"funcsched: argument --print-completion: {message}\n")


def test_an_unknown_shell_is_an_error(capsys: Captured) -> None:
    assert main(["--print-completion", "zhs"]) == 2
    assert "unknown value 'zhs'; did you mean 'zsh'?" in capsys.readouterr().err


OPTAX = "optax:linear_schedule(0.0, 2e-3, 10)"


@pytest.mark.parametrize(
    ("arguments", "expressions", "keywords"),
    [
        ([], [], {"port": 0, "open_browser": True, "settings": {}}),
        (
            ["warmup_cosine(1, 2)", "gpt-3", "--port", "8000", "--no-browser", "--peak-value", "1e-3", "--steps", "9"],
            ["warmup_cosine(1, 2)", "gpt-3"],
            {"port": 8000, "open_browser": False, "settings": {"peak": "0.001", "run": "9"}},
        ),
        (
            ["--set", "n=3", "warmup_linear(1, n)", OPTAX],
            ["warmup_linear(warmup_steps=1, total_steps=3)", "ramp(start=0.0, stop=1.0, steps=10)"],
            {"port": 0, "open_browser": True, "settings": {"peak": "0.002"}},
        ),
        (
            ["constant()", "--peak-value", "1"],
            ["constant()"],
            {"port": 0, "open_browser": True, "settings": {"peak": "1.0"}},
        ),
    ],
)
def test_explore_opens_the_playground(
    arguments: list[str], expressions: list[str], keywords: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, Any]]] = []
    monkeypatch.setattr("funcsched.playground.serve", lambda texts, **options: calls.append((texts, options)))
    assert main(["explore", *arguments]) == 0
    assert calls == [(expressions, keywords)]


def test_explore_reports_errors(capsys: Captured) -> None:
    assert main(["explore", "constat()"]) == 2
    assert "did you mean 'constant'?" in capsys.readouterr().err
    assert main(["explore", OPTAX, "optax:linear_schedule(0.0, 1e-3, 10)"]) == 2
    assert capsys.readouterr().err == "funcsched explore: argument --peak-value: required, because the peaks differ\n"
    assert main(["explore", *["constant()"] * 7, "--no-browser"]) == 2
    assert "argument EXPR: at most 6 expressions can be shown, got 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optax:constant_schedule(0.0)"], "argument EXPR: the learning rate is 0 at every step"),
        (
            ["optax:constant_schedule(-2.0)"],
            "argument EXPR: the learning rate must not be negative, got a peak of -2.0",
        ),
        (
            ["gpt-3", "nanogpt", "--peak-value", "1"],
            "argument --peak-value: not available for recipes, which have their own",
        ),
    ],
)
def test_explore_refuses_peaks_that_the_page_would_ignore(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("funcsched.playground.serve", lambda *_, **__: None)
    assert main(["explore", *arguments]) == 2
    assert capsys.readouterr().err == f"funcsched explore: {message}\n"


def test_explore_refuses_recipes_that_the_page_cannot_show(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", lambda _: None)
    for name, unit in {
        "apertus-70b": "samples",
        "apertus-8b": "samples",
        "dinov2": "epochs",
        "dinov3-7b": "epochs",
        "swin": "epochs",
    }.items():
        assert main(["explore", "constant()", name, "--no-browser"]) == 2
        text, errors = capsys.readouterr()
        assert text == "" and errors.startswith(f"funcsched explore: argument EXPR: {name} counts {unit}; ")
    assert main(["explore", "gpt-3", "nanogpt", "--no-browser"]) == 0


def test_explore_reports_a_port_that_is_in_use(capsys: Captured) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["explore", "--no-browser", "--port", str(port)]) == 2
    assert f"funcsched explore: argument --port: {port} is not available: " in capsys.readouterr().err
