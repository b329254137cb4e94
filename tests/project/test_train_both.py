"""The examples train_both.py and draw_schedules.py."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from examples import train_both
from tests.project.scripts import run_example

# The peak is a power of two, so that learning rates are as accurate as multipliers.
FEW_UPDATES = ["--steps", "60", "--peak-value", "0.0078125"]
SCHEDULES = [
    "warmup_cosine_restarts(5, 50, end=0.1, cycles=3)",
    "join([ramp(0, 1, steps=20, shape=power(2)), ramp(1, 0.1, steps=20, shape=cosine), constant(0.05)], (20, 40))",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train_both")


@pytest.fixture(scope="module")
def short_run(folder: Path) -> CompletedProcess[str]:
    """A run of 60 updates, in a separate process."""
    return run_example("train_both.py", *FEW_UPDATES, "--figure", "short.png", cwd=folder)


def run_in_process(folder: Path, *arguments: str) -> str:
    """The output of train_both.py, run in this process, where the frameworks are already loaded."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as output:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["train_both.py", *arguments])
        train_both.main()
    return output.getvalue()


def largest_difference(output: str) -> float:
    match = re.search(r"^largest difference in \d+ updates: (\S+) ulp of float32, \S+ absolute$", output, re.MULTILINE)
    assert match, output
    return float(match[1])


def table(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.endswith(" ulp")]


def assert_figure(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 20_000


def test_a_run_succeeds_without_errors(short_run: CompletedProcess[str]) -> None:
    assert (short_run.returncode, short_run.stderr) == (0, "")


def test_a_run_prints_its_schedule(short_run: CompletedProcess[str]) -> None:
    assert "0.0078125 * warmup_cosine(warmup_steps=6, total_steps=60)\n" in short_run.stdout


def test_both_frameworks_report_progress_up_to_the_last_update(short_run: CompletedProcess[str]) -> None:
    assert re.findall(r"^(\w+) +update 60 of 60 ", short_run.stdout, re.MULTILINE) == ["JAX", "PyTorch"]


def test_progress_in_a_log_does_not_overwrite_lines(short_run: CompletedProcess[str]) -> None:
    assert "\r" not in short_run.stdout


def test_the_table_covers_the_first_to_the_last_update(short_run: CompletedProcess[str]) -> None:
    assert [int(row[0]) for row in table(short_run.stdout)] == [*range(0, 60, 6), 59]


def test_the_table_shows_the_learning_rates_of_the_schedule(short_run: CompletedProcess[str]) -> None:
    rates = {int(row[0]): (float(row[1]), float(row[2])) for row in table(short_run.stdout)}
    assert (rates[0], rates[6]) == ((0.0, 0.0), (0.0078125, 0.0078125))


def test_the_columns_of_the_table_are_aligned(short_run: CompletedProcess[str]) -> None:
    header, *lines = [line for line in short_run.stdout.splitlines() if line.endswith((" ulp", " difference"))]
    starts = [header.index(title) for title in ("JAX", "PyTorch", "difference")]
    assert all(line[start - 1] == " " != line[start] for line in lines for start in starts)


def test_both_losses_decrease_in_the_same_way(short_run: CompletedProcess[str]) -> None:
    losses = [float(loss) for loss in re.findall(r"mean loss (\S+)", short_run.stdout)]
    jax, torch = losses[:4], losses[4:]
    assert jax == pytest.approx(torch, rel=1e-3)
    assert jax[-1] < 0.5 * jax[0]


def test_a_run_saves_its_figure_and_prints_the_path(short_run: CompletedProcess[str], folder: Path) -> None:
    assert short_run.stdout.endswith("figure saved as short.png\n")
    assert_figure(folder / "short.png")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_both_frameworks_use_the_same_learning_rates(schedule: str, folder: Path) -> None:
    assert largest_difference(run_in_process(folder, *FEW_UPDATES, "--schedule", schedule)) <= 4


def test_two_updates_are_enough(folder: Path) -> None:
    assert [int(row[0]) for row in table(run_in_process(folder, "--steps", "2"))] == [0, 1]


def test_a_horizon_past_32_bits_works(folder: Path) -> None:
    output = run_in_process(
        folder, "--steps", "20", "--peak-value", "1", "--schedule", "warmup_linear(10, 1_000_000_000_000)"
    )
    assert largest_difference(output) <= 4


def test_a_run_is_reproducible(short_run: CompletedProcess[str], folder: Path) -> None:
    assert run_in_process(folder, *FEW_UPDATES, "--figure", "short.png") == short_run.stdout


def test_both_networks_classify_more_than_95_percent_by_default(tmp_path: Path) -> None:
    output = run_in_process(tmp_path)
    match = re.search(r"^accuracy on 360 test images: JAX ([\d.]+)%, PyTorch ([\d.]+)%$", output, re.MULTILINE)
    assert match, output
    assert min(float(match[1]), float(match[2])) > 95
    assert_figure(tmp_path / "train_both.png")


MISTAKES = {
    # The error messages of `parse` have their own tests.
    "unknown name": (["--schedule", "warmup_cubic"], "argument --schedule: parse: line 1, column 1: unknown name"),
    "unknown call": (["--schedule", "exec('1')"], "argument --schedule: parse: line 1, column 1: unknown schedule"),
    "attribute": (["--schedule", "constant().__class__"], "argument --schedule: parse: line 1, column 11: "),
    "method": (["--schedule", "constant().at(1)"], "argument --schedule: parse: line 1, column 11: "),
    "arithmetic": (["--schedule", "constant(9**9**9)"], "argument --schedule: parse: line 1, column 11: "),
    "text": (["--schedule", "constant('1')"], "argument --schedule: parse: line 1, column 1: constant: `value` must "),
    "stars": (["--schedule", "constant(**1)"], "argument --schedule: parse: line 1, column 10: "),
    "name that needs arguments": (["--schedule", "ramp"], "argument --schedule: parse: line 1, column 1: ramp "),
    "syntax": (["--schedule", "constant(1"], "argument --schedule: parse: line 1, column 9: "),
    "empty": (["--schedule", ""], "argument --schedule: parse: line 1, column 1: "),
    "shape": (["--schedule", "power(2)"], "argument --schedule: parse: line 1, column 1: "),
    "warmup beyond total": (
        ["--schedule", "warmup_cosine(100, 60)"],
        "warmup_cosine: `warmup_steps` must be at most `total_steps` (60), got 100",
    ),
    "missing argument": (["--schedule", "warmup_linear(10)"], "missing 1 required positional argument: 'total_steps'"),
    "level too large": (
        ["--schedule", "constant(1e39)"],
        "constant: `value` must be a number from -1.7e38 to 1.7e38, got 1e+39",
    ),
    "rate beyond float32": (
        ["--schedule", "constant(1e30)"],
        "argument --schedule: the learning rate must be at most 1000000 at every update, got 1e+28",
    ),
    "zero steps": (["--steps", "0"], "argument --steps: must be an integer from 2 to 100000, got '0'"),
    "half a step": (["--steps", "1.5"], "argument --steps: must be an integer from 2 to 100000, got '1.5'"),
    "negative seed": (["--seed", "-1"], "argument --seed: must be an integer from 0 to 4294967295, got '-1'"),
    "empty batch": (["--batch-size", "0"], "argument --batch-size: must be an integer from 1 to 1437, got '0'"),
    "not a number": (
        ["--peak-value", "high"],
        "argument --peak-value: must be a number above 0 and at most 1000000, got 'high'",
    ),
    "zero peak": (
        ["--peak-value", "0"],
        "argument --peak-value: must be a number above 0 and at most 1000000, got '0'",
    ),
    "infinite peak": (
        ["--peak-value", "inf"],
        "argument --peak-value: must be a number above 0 and at most 1000000, got 'inf'",
    ),
    "missing folder": (
        ["--figure", "no/a.png"],
        "argument --figure: cannot write 'no/a.png': No such file or directory",
    ),
    "folder as figure": (["--figure", "taken.png"], "argument --figure: cannot write 'taken.png': Is a directory"),
    "other format": (["--figure", "a.jpg"], "argument --figure: must end in .png, got 'a.jpg'"),
    "unknown option": (["--epochs", "3"], "unrecognized arguments: --epochs 3"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_on_the_command_line_is_reported(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "taken.png").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train_both.py", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        train_both.main()
    assert exit_info.value.code == 2
    output, errors = capsys.readouterr()
    assert output == ""
    usage, _, error = errors.partition("train_both.py: error: ")
    assert usage.startswith("usage: ")
    assert message in error
    # `parse` adds a line with the text and one with a caret.
    assert error.count("\n") == (3 if "parse: " in error else 1)


def test_a_mistake_stops_the_script_before_it_prints(tmp_path: Path) -> None:
    done = run_example("train_both.py", "--steps", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: argument --steps: must be an integer from 2 to 100000, got '0'" in done.stderr


def test_checking_the_figure_path_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run_in_process(tmp_path, "--figure", "a.png", "--schedule", "unknown")
    assert list(tmp_path.iterdir()) == []


def test_checking_the_figure_path_keeps_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("existing")
    with pytest.raises(SystemExit):
        run_in_process(tmp_path, "--figure", "a.png", "--schedule", "unknown")
    assert (tmp_path / "a.png").read_text() == "existing"


def test_the_help_lists_the_schedules_that_need_only_a_name() -> None:
    names = (
        "constant, one_cycle, range_test, warmup_constant, warmup_cosine, warmup_cosine_restarts, warmup_half_cosine,"
        " warmup_linear, warmup_polynomial"
    )
    assert names in " ".join(run_example("train_both.py", "--help").stdout.split())


def test_draw_schedules_saves_its_figure(tmp_path: Path) -> None:
    done = run_example("draw_schedules.py", "schedules.png", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert_figure(tmp_path / "schedules.png")
