"""The examples, run as a user runs them: as programs of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A power of two scales exactly: the rates then are as close to each other as the multipliers.
FEW_UPDATES = ("--steps", "60", "--peak", "0.0078125")
SCHEDULES = [
    "warmup_cosine_restarts(5, 50, end=0.1, cycles=3)",
    "join([ramp(0, 1, steps=20, shape=power(2)), ramp(1, 0.1, steps=20, shape=cosine), constant(0.05)], (20, 40))",
]


def run(script: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / script, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train_both")


@pytest.fixture(scope="module")
def short(folder: Path) -> subprocess.CompletedProcess[str]:
    """A run of few updates."""
    return run("train_both.py", *FEW_UPDATES, "--figure", "short.png", folder=folder)


def largest_difference(output: str) -> float:
    found = re.search(r"^largest difference of \d+ updates: (\S+) ulp of float32, \S+ absolute$", output, re.MULTILINE)
    assert found, output
    return float(found[1])


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.endswith(" ulp")]


def assert_figure(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 20_000


def test_a_run_succeeds_and_writes_no_errors(short: subprocess.CompletedProcess[str]) -> None:
    assert (short.returncode, short.stderr) == (0, "")


def test_a_run_names_its_schedule(short: subprocess.CompletedProcess[str]) -> None:
    assert "0.0078125 * warmup_cosine(warmup_steps=6, total_steps=60)\n" in short.stdout


def test_progress_of_both_frameworks_reaches_the_last_update(short: subprocess.CompletedProcess[str]) -> None:
    assert re.findall(r"^(\w+) +update 60 of 60 ", short.stdout, re.MULTILINE) == ["JAX", "PyTorch"]


def test_progress_in_a_log_rewrites_no_line(short: subprocess.CompletedProcess[str]) -> None:
    assert "\r" not in short.stdout


def test_the_table_goes_from_the_first_update_to_the_last(short: subprocess.CompletedProcess[str]) -> None:
    assert [int(row[0]) for row in rows(short.stdout)] == [*range(0, 60, 6), 59]


def test_the_table_shows_the_rates_of_the_schedule(short: subprocess.CompletedProcess[str]) -> None:
    shown = {int(row[0]): (float(row[1]), float(row[2])) for row in rows(short.stdout)}
    assert (shown[0], shown[6]) == ((0.0, 0.0), (0.0078125, 0.0078125))


def test_the_columns_of_the_table_are_aligned(short: subprocess.CompletedProcess[str]) -> None:
    header, *table = [line for line in short.stdout.splitlines() if line.endswith((" ulp", " difference"))]
    starts = [header.index(title) for title in ("JAX", "PyTorch", "difference")]
    assert all(line[start - 1] == " " != line[start] for line in table for start in starts)


def test_both_losses_fall_alike(short: subprocess.CompletedProcess[str]) -> None:
    losses = [float(loss) for loss in re.findall(r"mean loss (\S+)", short.stdout)]
    jax, torch = losses[:4], losses[4:]
    assert jax == pytest.approx(torch, rel=1e-3)
    assert jax[-1] < 0.5 * jax[0]


def test_a_run_saves_its_figure_and_says_where(short: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert short.stdout.endswith("figure saved as short.png\n")
    assert_figure(folder / "short.png")


# One after another in one process, which loads the frameworks once.
SEVERAL = """
import contextlib, io, json, runpy, sys
script, *runs = json.loads(sys.argv[1])
for arguments in runs:
    sys.argv = [script, *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        runpy.run_path(script, run_name="__main__")
    print(json.dumps(said.getvalue()))
"""
REPEATED = [*FEW_UPDATES, "--figure", "short.png"]
RUNS = [*([*FEW_UPDATES, "--schedule", schedule] for schedule in SCHEDULES), REPEATED, ["--steps", "2"], []]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """What each of `RUNS` printed, the last one by default arguments, and the folder they ran in."""
    folder = tmp_path_factory.mktemp("several")
    script = str(ROOT / "examples" / "train_both.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEVERAL, json.dumps([script, *RUNS])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()], folder


@pytest.mark.parametrize("number", range(len(SCHEDULES)), ids=SCHEDULES)
def test_both_frameworks_use_the_same_rates(number: int, outputs: tuple[list[str], Path]) -> None:
    assert largest_difference(outputs[0][number]) <= 4


def test_two_updates_are_a_training_too(outputs: tuple[list[str], Path]) -> None:
    assert [int(row[0]) for row in rows(outputs[0][RUNS.index(["--steps", "2"])])] == [0, 1]


def test_a_run_can_be_repeated(short: subprocess.CompletedProcess[str], outputs: tuple[list[str], Path]) -> None:
    assert outputs[0][RUNS.index(REPEATED)] == short.stdout


def test_both_recognise_more_than_95_percent_by_default(outputs: tuple[list[str], Path]) -> None:
    text, folder = outputs[0][RUNS.index([])], outputs[1]
    found = re.search(r"^accuracy on 360 test images: JAX ([\d.]+)%, PyTorch ([\d.]+)%$", text, re.MULTILINE)
    assert found, text
    assert min(float(found[1]), float(found[2])) > 95
    assert_figure(folder / "train_both.png")


MISTAKES = {
    "unknown name": (("--schedule", "warmup_cubic"), "unknown name 'warmup_cubic', choose from add, "),
    "unknown call": (("--schedule", "exec('1')"), "unknown name 'exec', choose from "),
    "attribute": (("--schedule", "constant().__class__"), "'constant().__class__' is not a call of the library"),
    "method": (("--schedule", "constant().at(1)"), "'constant().at(1)' is not a call of the library"),
    "arithmetic": (("--schedule", "constant(9**9**9)"), "'9 ** 9 ** 9' is not a call of the library"),
    "text": (("--schedule", "constant('1')"), "\"'1'\" is not a call of the library"),
    "stars": (("--schedule", "constant(**1)"), "'constant(**1)' is not a call of the library"),
    "name that needs arguments": (("--schedule", "ramp"), "'ramp' is not a call of the library"),
    "syntax": (("--schedule", "constant(1"), "'constant(1' is no expression: "),
    "nothing": (("--schedule", ""), "'' is no expression: "),
    "shape": (("--schedule", "power(2)"), "must be a schedule, got 'power(2)'"),
    "warmup beyond total": (
        ("--schedule", "warmup_cosine(100, 60)"),
        "warmup_cosine: `warmup_steps` must be at most `total_steps` (60), got 100",
    ),
    "missing argument": (("--schedule", "warmup_linear(10)"), "missing 1 required positional argument: 'total_steps'"),
    "level below 0": (
        ("--schedule", "constant(-1)"),
        "constant: `value` must be a number from 0 to 3.4e38, got -1",
    ),
    "rate beyond float32": (("--schedule", "constant(1e30)"), "the rate must be at most 1000000 at every update"),
    "no steps": (("--steps", "0"), "argument --steps: must be an integer from 2 to 100000, got '0'"),
    "half a step": (("--steps", "1.5"), "argument --steps: must be an integer from 2 to 100000, got '1.5'"),
    "negative seed": (("--seed", "-1"), "argument --seed: must be an integer from 0 to 4294967295, got '-1'"),
    "empty batch": (("--batch-size", "0"), "argument --batch-size: must be an integer from 1 to 1437, got '0'"),
    "no number": (("--peak", "high"), "argument --peak: must be a number above 0 and at most 1000000, got 'high'"),
    "no peak": (("--peak", "0"), "argument --peak: must be a number above 0 and at most 1000000, got '0'"),
    "endless peak": (("--peak", "inf"), "argument --peak: must be a number above 0 and at most 1000000, got 'inf'"),
    "missing folder": (
        ("--figure", "no/a.png"),
        "argument --figure: cannot write 'no/a.png': No such file or directory",
    ),
    "folder as figure": (("--figure", "taken.png"), "argument --figure: cannot write 'taken.png': Is a directory"),
    "other format": (("--figure", "a.jpg"), "argument --figure: must end in .png, got 'a.jpg'"),
    "unknown option": (("--epochs", "3"), "unrecognized arguments: --epochs 3"),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_on_the_command_line_gets_one_sentence(
    arguments: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "taken.png").mkdir()
    done = run("train_both.py", *arguments, folder=tmp_path)
    usage, _, error = done.stderr.partition("train_both.py: error: ")
    assert done.returncode == 2
    assert usage.startswith("usage: ")
    assert sentence in error
    assert error.endswith("\n") and error.count("\n") == 1
    assert done.stdout == ""


def test_the_check_of_the_figure_leaves_no_file(tmp_path: Path) -> None:
    run("train_both.py", "--figure", "a.png", "--schedule", "nope", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_check_of_the_figure_spares_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("older")
    run("train_both.py", "--figure", "a.png", "--schedule", "nope", folder=tmp_path)
    assert (tmp_path / "a.png").read_text() == "older"


def test_the_help_names_every_schedule_that_a_name_alone_gives(tmp_path: Path) -> None:
    done = run("train_both.py", "--help", folder=tmp_path)
    names = (
        "constant, one_cycle, range_test, warmup_constant, warmup_cosine, warmup_cosine_restarts, warmup_half_cosine,"
        " warmup_linear, warmup_polynomial"
    )
    assert names in " ".join(done.stdout.split())


def test_draw_schedules_saves_its_figure(tmp_path: Path) -> None:
    done = run("draw_schedules.py", "schedules.png", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert_figure(tmp_path / "schedules.png")
