"""The command `funcsched`: its output in terminals and pipes, its exit statuses and its errors."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib
import pytest

import funcsched as fs
from funcsched.cli.main import main
from funcsched.cli.names import SECTIONS
from funcsched.serialization.data import registry

matplotlib.use("agg")
COMMAND = [sys.executable, "-m", "funcsched"]
COSINE = "warmup_cosine(10, 100)"
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR", "PYTHONPATH")
}
ENVIRONMENT["TERM"] = "xterm"
SUBCOMMANDS = ["list", "show", "published", "plot", "table", "export", "compare", "check"]


def in_pipe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **environment},
        timeout=60,
        encoding="utf-8",
    )


def in_terminal(*arguments: str, columns: int = 80, lines: int = 24, **environment: str) -> str:
    """The output in a terminal of a given size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, env={**ENVIRONMENT, **environment}
    )
    os.close(slave)
    output = b""
    try:
        while part := os.read(master, 65536):
            output += part
    except OSError:  # Linux reports this when the other side has been closed
        pass
    os.close(master)
    process.wait(60)
    return output.decode("utf-8").replace("\r\n", "\n").rstrip("\n")


def without_colors(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


@pytest.mark.parametrize("columns", [40, 80, 133])
def test_a_plot_is_as_wide_as_the_terminal(columns: int) -> None:
    lines = without_colors(in_terminal("plot", COSINE, columns=columns)).split("\n")
    assert max(map(len, lines)) == columns
    assert any("\u2800" < character <= "\u28ff" for character in "".join(lines))


def test_a_plot_is_at_most_as_high_as_the_terminal() -> None:
    assert len(in_terminal("plot", COSINE, lines=12).split("\n")) < 12
    assert len(in_terminal("plot", COSINE, lines=100).split("\n")) < 24


def test_colors_are_used_in_terminals_that_support_them() -> None:
    assert "\x1b[36m" in in_terminal("plot", COSINE)
    assert "\x1b" not in in_terminal("plot", COSINE, NO_COLOR="1")
    assert "\x1b" not in in_terminal("plot", COSINE, TERM="dumb")
    assert "\x1b[36m" in in_terminal("plot", COSINE, NO_COLOR="")  # an empty value counts as not set


def test_a_pipe_gets_no_colors_and_80_columns() -> None:
    done = in_pipe("plot", COSINE, "noam(512, 10)")
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert max(map(len, done.stdout.split("\n"))) == 80


def test_columns_sets_the_width_in_a_pipe() -> None:
    assert max(map(len, in_pipe("plot", COSINE, COLUMNS="50").stdout.split("\n"))) == 50


def test_a_terminal_without_unicode_gets_ascii() -> None:
    text = in_pipe("plot", COSINE, PYTHONIOENCODING="ascii").stdout
    assert text.isascii() and "*" in text


def test_the_list_is_wrapped_to_the_terminal() -> None:
    assert max(map(len, in_terminal("list", columns=60).split("\n"))) <= 60


def test_a_closed_pipe_is_not_an_error() -> None:
    endless = ["table", "constant()", "--steps", "100_000_000", "--every", "1"]
    for arguments in (endless, ["list"], ["plot", "--help"]):
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(60) in (0, 141)


def test_explore_is_quiet_if_the_pipe_is_closed() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, "explore", "gpt-3", "--no-browser"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_process_has_the_exit_status_of_the_command() -> None:
    assert in_pipe("compare", COSINE, COSINE).returncode == 0
    assert in_pipe("compare", COSINE, "warmup_linear(10, 100)").returncode == 1
    failed = in_pipe("compare", COSINE, "nothing")
    assert failed.returncode == 2 and failed.stdout == "" and "Traceback" not in failed.stderr


Captured = pytest.CaptureFixture[str]


def test_list_prints_every_name_with_its_arguments(capsys: Captured) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    listed = re.findall(r"^  (\w+)", text, re.M)
    assert sorted(listed) == sorted({*registry(), "curve", "lift", "tabulate", "plateau", "greedy"})
    signature = "warmup_cosine(warmup_steps, total_steps, *, start=0.0, end=0.0, cycles=0.5, warmup_offset=0)"
    assert signature in " ".join(text.split())
    assert "    A linear warmup to 1, then a cosine decay.\n" in text


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_show_prints_arguments_source_and_names_in_other_libraries(name: str, capsys: Captured) -> None:
    assert main(["show", name]) == 0
    text = capsys.readouterr().out
    assert text.startswith(name)
    assert all(len(line) <= 100 or line.startswith("  >>> ") for line in text.split("\n"))
    public = getattr(fs, name)
    docstring = (public.__doc__ if hasattr(public, "__code__") else type(public).__doc__) or ""
    assert ("Source:" in docstring) == ("\nSource: " in text)
    for argument in re.findall(r"^        (\w+): ", docstring.partition("Args:")[2].partition("Returns:")[0], re.M):
        assert f"\n  {argument}: " in text
    others = docstring.partition("In other libraries:\n")[2].partition("\n\n")[0]
    for library, entry in re.findall(r"^        (\w.*?): (\S+)", others, re.M):
        assert re.search(rf"^  {library} +{re.escape(entry)}", text.partition("\nIn other libraries\n")[2], re.M)


def test_show_prints_the_docstring_in_sections(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def documented(period: int, factor: float = 0.1) -> float:
        """The same factor after
        every period.

        ``factor ** floor(step / period)``

        Args:
            period: number of steps between
                changes (int, at least 1).
            factor: ratio of the new to the old multiplier.

        Returns:
            A schedule. It is
            endless.

        Raises:
            ValueError: an argument is out of range.

        Example:
            >>> if True:
            ...     print("yes")
            yes

        In other libraries:
            torch: StepLR
            Composer: StepScheduler; the first
                period is shorter

        Source: somewhere.
        """
        return period * factor

    monkeypatch.setattr(fs, "step_decay", documented)
    assert main(["show", "step_decay"]) == 0
    assert (
        capsys.readouterr().out
        == """\
step_decay(period, factor=0.1)

The same factor after every period.

`factor ** floor(step / period)`

Arguments
  period: number of steps between changes (int, at least 1).
  factor: ratio of the new to the old multiplier.

Returns
  A schedule. It is endless.

Raises
  ValueError: an argument is out of range.

Example
  >>> if True:
  ...     print("yes")
  yes

In other libraries
  torch     StepLR
  Composer  StepScheduler; the first period is shorter

Source: somewhere.
"""
    )


def test_a_text_table_is_aligned(capsys: Captured) -> None:
    assert main(["table", "warmup_linear(2, 4)", "--steps", "4", "--every", "2", "--peak-value", "3e-4"]) == 0
    assert capsys.readouterr().out.split("\n") == [
        "step  multiplier        rate",
        "   0           0           0",
        "   2           1      0.0003  phase boundary",
        "   4           0           0  phase boundary",
        "",
    ]


def test_a_table_includes_the_boundaries_of_the_phases(capsys: Captured) -> None:
    wsd = "warmup_stable_decay(7, 41, 20)"
    assert main(["table", wsd, "--steps", "100", "--every", "50", "--csv"]) == 0
    assert capsys.readouterr().out.split() == [
        "step,multiplier,boundary",
        "0,0.0,False",
        "7,1.0,True",
        "48,1.0,True",
        "50,0.9,False",
        "68,0.0,True",
        "100,0.0,False",
    ]
    # A phase that ends between two steps is followed by the next step.
    assert main(["table", "stretch(ramp(1, 0, steps=3), 1.5)", "--steps", "6", "--every", "6"]) == 0
    assert "   5           0  phase boundary\n" in capsys.readouterr().out
    assert main(["table", "step_decay(1000)", "--steps", "2000", "--every", "1500", "--csv"]) == 0
    assert [line.partition(",")[0] for line in capsys.readouterr().out.split()[1:]] == ["0", "1000", "1500", "2000"]


def test_a_table_includes_the_last_step(capsys: Captured) -> None:
    main(["table", "warmup_linear(2, 4)", "--steps", "5", "--every", "2", "--csv"])
    assert [row.partition(",")[0] for row in capsys.readouterr().out.split()] == ["step", "0", "2", "4", "5"]


def test_a_table_reports_that_boundaries_may_be_missing(capsys: Captured) -> None:
    endless = ["table", "repeat(warmup_cosine(1, 2), 2)", "--steps", "1e6"]  # a phase begins at every step
    assert main([*endless, "--every", "1e15", "--json"]) == 0
    text, errors = capsys.readouterr()
    assert 2000 <= len(json.loads(text)["rows"]) < 10**6
    assert errors.startswith("note: phase boundaries may be missing: ") and errors.count("\n") == 1
    assert main(["table", "step_decay(1000)", "--steps", "1e6", "--every", "1e6", "--csv"]) == 0
    text, errors = capsys.readouterr()
    assert (text.count("True"), errors) == (1000, "")


def test_a_table_has_about_twenty_rows(capsys: Captured) -> None:
    for steps in ("1", "19", "1000", "123456789"):
        main(["table", COSINE, "--steps", steps, "--csv"])
        assert min(int(steps) + 1, 9) <= len(capsys.readouterr().out.split()) - 1 <= 24


@pytest.mark.parametrize("peak", [None, 0.1])
def test_csv_and_json_tables_are_exact(peak: float | None, capsys: Captured) -> None:
    arguments = ["table", COSINE, "--steps", "1e2", "--every", "7", *(["--peak-value", str(peak)] if peak else [])]
    main([*arguments, "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    main([*arguments, "--json"])
    data = json.loads(capsys.readouterr().out)
    schedule = fs.warmup_cosine(10, 100)
    assert [data["expression"], data["unit"], data["peak_value"]] == [COSINE, "updates", peak]
    assert [int(row["step"]) for row in rows] == [0, 7, 10, *range(14, 100, 7), 100]
    for row, record in zip(rows, data["rows"], strict=True):
        step = int(row["step"])
        assert record["step"] == step
        assert float(row["multiplier"]) == record["multiplier"] == schedule(step)
        assert (row["boundary"] == "True") is record["boundary"] is (step in (10, 100))
        if peak:
            assert float(row["rate"]) == record["rate"] == schedule(step) * peak
        else:
            assert "rate" not in row and record["rate"] is None


def test_different_expressions_of_the_same_curve_are_equal(capsys: Captured) -> None:
    other = "join([ramp(0, 1, steps=10), ramp(1, 0, steps=90, shape=cosine)], [10])"
    assert main(["compare", COSINE, other]) == 0
    assert capsys.readouterr().out == "the curves are the same\n"


def test_compare_reports_where_and_why_curves_diverge(capsys: Captured) -> None:
    assert main(["compare", "warmup_linear(10, 100)", "warmup_linear(10, 110)"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "diverge at step 11 " in text and "differ by the length of the warmup" in text
    assert main(["compare", "warmup_linear(10, 100)", "warmup_linear(10, 110)", "--steps", "11"]) == 0
    assert capsys.readouterr().out == "the curves are the same in the first 11 updates\n"


def test_schedules_of_other_libraries_can_be_compared(capsys: Captured) -> None:
    assert main(["compare", COSINE, "hf:cosine(num_warmup_steps=10, num_training_steps=100)"]) == 0
    optax = "optax:warmup_cosine_decay_schedule(0.0, {}, 10, 100)"
    assert main(["compare", COSINE, optax.format("1e-3")]) == 0
    assert capsys.readouterr().out.endswith(
        "\ncompared as multipliers: the peak is 1.0 in the first, 0.001 in the second\nthe curves are the same\n"
    )
    assert main(["compare", optax.format("1e-3"), optax.format("2e-3")]) == 1
    assert capsys.readouterr().out == (
        "the peaks differ: 0.001 in the first, 0.002 in the second\nrelative to their peaks, the curves are the same\n"
    )


def test_set_gives_names_a_value_in_every_subcommand(capsys: Captured) -> None:
    text = "warmup_linear(total // 10, total, end=low / 4)"
    settings = ["--set", "total=1_00", "--set", "low=1e0"]
    assert main(["compare", text, "warmup_linear(10, 100, end=0.25)", *settings]) == 0
    assert main(["table", *settings, text, "--every", "50"]) == 0
    assert main(["plot", "hf:linear(num_warmup_steps=total - 90, num_training_steps=total)", *settings]) == 0
    assert main(["check", text, "--steps", "100", *settings]) == 0
    assert "\n  50    0.666667\n" in capsys.readouterr().out


def test_options_may_stand_between_schedules(capsys: Captured) -> None:
    assert main(["plot", COSINE, "--steps", "20", "warmup_linear(7, 9)", "--log", "noam(512, 10)"]) == 0
    text = capsys.readouterr().out
    assert all(schedule in text for schedule in (COSINE, "warmup_linear(7, 9)", "noam(512, 10)"))


def test_the_examples_in_the_documentation_run(capsys: Captured) -> None:
    page = (Path(__file__).parents[2] / "docs" / "plotting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| `funcsched (.*)` \|$", page, re.M)
    assert {name for name, _ in rows} == {*SUBCOMMANDS, "explore", "identify"}
    for name, example in rows:
        arguments = shlex.split(example)
        assert arguments[0] == name
        if name not in ("explore", "identify"):  # a server, and a file
            assert main(arguments) in (0, 1), capsys.readouterr().err


def test_check_without_warnings_has_status_0(capsys: Captured) -> None:
    assert main(["check", "warmup_cosine(10, 100, start=0.1, end=0.1)", "--steps", "100"]) == 0
    text = capsys.readouterr().out
    assert text and "warning: " not in text


def test_check_with_a_warning_has_status_1(capsys: Captured) -> None:
    assert main(["check", COSINE, "--steps", "50", "--peak-value", "3e-4"]) == 1
    assert capsys.readouterr().out.startswith("warning: ")


def test_compare_prints_json(capsys: Captured) -> None:
    assert main(["compare", "warmup_linear(10, 100)", "warmup_linear(10, 110)", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "equal": False,
        "first_step": 11,
        "first_value": 89 / 90,
        "second_value": 0.99,
        "largest_difference": 0.1,
        "largest_step": 100,
        "reason": "the horizons differ by the length of the warmup: 100 in the first, 110 in the second (some libraries"
        " count the warmup as part of the length, others do not)",
        "steps": None,
        "peak_values": [1.0, 1.0],
        "unit": "updates",
    }
    rates = ["optax:constant_schedule(1e-3)", "optax:constant_schedule(2e-3)"]
    assert main(["compare", *rates, "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["equal"], result["first_step"], result["peak_values"]) == (False, None, [1e-3, 2e-3])
    assert main(["compare", rates[0], rates[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True


def test_check_prints_json(capsys: Captured) -> None:
    assert main(["check", "warmup_cosine(10, 100, start=0.1, end=0.1)", "--steps", "120", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [result["steps"], result["unit"], result["peak_value"]] == [120, "updates", 1.0]
    assert [*result["findings"][0]] == ["severity", "kind", "step", "text"]
    found = [(finding["severity"], finding["kind"], finding["step"]) for finding in result["findings"]]
    assert found == [("warning", "horizon_short", 100), ("info", "warmup", 0), ("info", "end", 119)]
    assert main(["check", "gpt-3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [result["steps"], result["unit"], result["peak_value"]] == [300 * 10**9, "tokens", 6e-5]


@pytest.mark.parametrize("name", ["curve.png", "curve.svg"])
def test_plot_saves_a_figure_and_prints_nothing(name: str, tmp_path: Path, capsys: Captured) -> None:
    peer = "hf:linear(num_warmup_steps=10, num_training_steps=100)"
    assert main(["plot", COSINE, peer, "--peak-value", "3e-4", "--log", "--out", str(tmp_path / name)]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / name).read_bytes()[:4] in (b"\x89PNG", b"<?xm")


def test_a_learning_rate_is_plotted_with_its_own_peak(capsys: Captured) -> None:
    curve = "optax:constant_schedule(0.25)"
    main(["plot", curve])
    assert re.search(r"^ *0\.25 ", capsys.readouterr().out)
    main(["plot", curve, "--peak-value", "3"])
    assert re.search(r"^ *3 ", capsys.readouterr().out)


@pytest.mark.parametrize("language", ["python", "torch", "optax", "c"])
def test_export_prints_the_source_code(language: str, capsys: Captured) -> None:
    assert main(["export", "warmup_cosine(10, total)", "--set", "total=100", "--to", language]) == 0
    schedule = fs.warmup_cosine(10, 100)
    assert capsys.readouterr().out == fs.to_source(schedule, language)
    assert main(["export", COSINE, "--to", language, "--peak-value", "3e-4", "--name", "lr"]) == 0
    assert capsys.readouterr().out == fs.to_source(schedule, language, peak_value=3e-4, name="lr")


def test_export_to_jax_is_export_to_optax(capsys: Captured) -> None:
    assert main(["export", COSINE, "--to", "jax"]) == 0
    assert capsys.readouterr().out == fs.to_source(fs.warmup_cosine(10, 100), "optax")


def test_export_of_a_learning_rate_has_its_peak(capsys: Captured) -> None:
    assert main(["export", "optax:linear_schedule(0.0, 0.5, 100)", "--to", "python"]) == 0
    namespace: dict[str, Any] = {}
    exec(capsys.readouterr().out, namespace)
    assert namespace["learning_rate"](50) == 0.25
    assert main(["export", "gpt-3", "--to", "python"]) == 0
    exec(capsys.readouterr().out, namespace)
    rate, peak = fs.published("gpt-3").curves["lr"]
    assert [namespace["learning_rate"](10**k) for k in range(12)] == [peak * rate(10**k) for k in range(12)]


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_the_help_of_every_subcommand_has_an_example_that_runs(
    subcommand: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([subcommand, "--help"]) == 0
    text, errors = capsys.readouterr()
    assert text.startswith(f"usage: funcsched {subcommand}") and errors == ""
    example = shlex.split(text.partition("example: ")[2])
    assert example[:2] == ["funcsched", subcommand]
    assert main(example[1:]) in (0, 1)
    assert capsys.readouterr().err == ""


def test_the_help_lists_every_subcommand(capsys: Captured) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {name}( |$)", text, re.M) for name in SUBCOMMANDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["paint"], r"funcsched: argument COMMAND: unknown command 'paint'; choose from list, show, published, .*"),
        (["plot"], r"funcsched plot: the following arguments are required: EXPR \(see `funcsched plot --help`\)"),
        (
            ["compare", COSINE],
            r"funcsched compare: the following arguments are required: EXPR \(see `funcsched compare --help`\)",
        ),
        (
            ["check", COSINE],
            r"funcsched check: argument --steps: required, except for a published recipe or with --log",
        ),
        (
            ["table", COSINE, "--step", "3"],
            r"funcsched table: unknown option '--step'; did you mean '--steps'\?",
        ),
        (
            ["table", COSINE, "--steps", "0"],
            r"funcsched table: argument --steps: must be an integer from 1 to 2\*\*53, got '0'",
        ),
        (
            ["table", COSINE, "--every", "1.5e0"],
            r"funcsched table: argument --every: must be an integer from 1 to 2\*\*53, got '1.5e0'",
        ),
        (
            ["table", COSINE, "--steps", "1e999"],
            r"funcsched table: argument --steps: must be an integer from 1 to 2\*\*53, got '1e999'",
        ),
        (
            ["plot", COSINE, "--peak-value", "nan"],
            r"funcsched plot: argument --peak-value: must be a number above 0 and at most 1e200, got 'nan'",
        ),
        (["export", COSINE, "--to", "rust"], r"funcsched export: argument --to: unknown value 'rust'; .*"),
        (
            ["export", COSINE, "--to", "c", "--name", "a b"],
            r"funcsched export: argument --name: must be the name of a function, got 'a b'",
        ),
        (["table", COSINE, "--csv", "--json"], r"funcsched table: argument --json: not allowed with argument --csv"),
        (["plto"], r"funcsched: argument COMMAND: unknown command 'plto'; did you mean 'plot'\?"),
        (["--verison"], r"funcsched: unknown option '--verison'; did you mean '--version'\?"),
        (["export", COSINE, "--too=c"], r"funcsched export: unknown option '--too'; did you mean '--to'\?"),
        (["export", COSINE, "--to", "pyton"], r"funcsched export: argument --to: unknown value .* mean 'python'\?"),
        (["plot", COSINE, "--lr", "1"], r"funcsched plot: unknown option '--lr'; did you mean '--peak-value'\?"),
        (["plot", COSINE, "-q"], r"funcsched plot: unknown option '-q'; see `funcsched plot --help`"),
        (["table", COSINE, COSINE], r"funcsched table: unrecognized arguments: .* \(see `funcsched table --help`\)"),
        (["table", COSINE, "--steps", "-5"], r"funcsched table: argument --steps: must be an integer .*, got '-5'"),
        (["export", COSINE, "-o", "x.py"], r"funcsched export: unknown option '-o'; .* standard output; .* with `>`"),
        (["table", COSINE, "--output=x"], r"funcsched table: unknown option '--output'; .* standard output; .*"),
        (["plot", COSINE, "-o", "x.svg"], r"funcsched plot: unknown option '-o'; did you mean '--out'\?"),
        (["--out", "x.svg", "plot"], r"funcsched: unknown option '--out'; see `funcsched --help`"),
        (["--version", "list"], r"funcsched: argument --version: not allowed with a command"),
        (["--print-completion", "zsh", "list"], r"funcsched: argument --print-completion: not allowed with a command"),
        (
            ["--version", "--print-completion", "zsh"],
            r"funcsched: argument --print-completion: not allowed with argument --version",
        ),
        (["check", COSINE, "--log", "a.csv", "--json"], r"funcsched check: argument --json: not available with --log"),
        (
            ["check", COSINE, "--log", "a.csv", "--steps", "9"],
            r"funcsched check: argument --steps: not available with --log",
        ),
        (
            ["check", COSINE, "--log", "a.csv", "--quantity", "momentum"],
            r"funcsched check: argument --quantity: not available with --log",
        ),
        (
            ["check", COSINE, "--steps", "9", "--column", "lr"],
            r"funcsched check: argument --column: requires --log",
        ),
        (["explore", "--port", "70000"], r"funcsched explore: argument --port: must be an integer from 0 to 65535.*"),
        (
            ["show", "warmup_cosin"],
            r"funcsched show: argument NAME: unknown name 'warmup_cosin'; did you mean 'warmup_cosine'\?",
        ),
        (
            ["show", "warmup_cosine(10, 5, 3)"],
            r"funcsched show: argument NAME: unknown name 'warmup_cosine\(10, 5, 3\)'; `funcsched show warmup_cosine`"
            r" shows its arguments; for an expression, use `funcsched table` or `funcsched plot`",
        ),
        (
            ["show", "optax.sgdr_schedule([1, 2])"],
            r"funcsched show: argument NAME: unknown name .*; `funcsched show optax.sgdr_schedule` shows .*",
        ),
        (["show", "xyz(3)"], r"funcsched show: argument NAME: unknown name 'xyz\(3\)'; for an expression, use .*"),
        (["show", "xyz"], r"funcsched show: argument NAME: unknown name 'xyz'; `funcsched list` shows all names"),
        (
            ["plot", COSINE, "--out", "curve.gif"],
            r"funcsched plot: argument --out: must end in .png or .svg, got 'curve.gif'",
        ),
        (["plot", COSINE, "--out", ".png"], r"funcsched plot: argument --out: must end in .png or .svg, got '.png'"),
        (
            ["plot", COSINE, "--out", "/nowhere/curve.png"],
            r"funcsched plot: argument --out: cannot write '/nowhere/curve.png': No such file or directory",
        ),
        (
            ["plot", "constant(0)", "--log"],
            r"funcsched plot: argument --log: a logarithmic axis requires a value above 0",
        ),
        (
            ["plot", COSINE, "optax:constant_schedule(0.1)"],
            r"funcsched plot: argument --peak-value: required, because 'optax:.*' is a learning rate and .* multiplier",
        ),
        (
            ["check", "optax:constant_schedule(0.0)", "--steps", "3"],
            r"funcsched check: argument EXPR: the learning rate is 0 at every step",
        ),
        (
            ["check", "optax:constant_schedule(-1.0)", "--steps", "3"],
            r"funcsched check: argument EXPR: the learning rate must not be negative, got a peak of -1.0",
        ),
        (
            ["table", "constant(x)", "--set", "x=inf"],
            r"funcsched table: argument --set: must be a name and a number, such as total=12000, got 'x=inf'",
        ),
        (
            ["table", "constant(x)", "--set", "x"],
            r"funcsched table: argument --set: must be a name and a number, such as total=12000, got 'x'",
        ),
        (["table", "lightning:x()"], r"funcsched table: argument EXPR: .*'lightning:'.*"),
    ],
)
def test_an_invalid_argument_is_reported_in_one_line(arguments: list[str], sentence: str, capsys: Captured) -> None:
    assert main(arguments) == 2
    text, errors = capsys.readouterr()
    assert text == ""
    assert re.fullmatch(sentence + "\n", errors), errors


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("warmup_cosine(10, 100", "^"),
        ("warmup_cosine(10, total=100)", "^"),
        ("warmup_cosine(10, 5)", "^"),
        ("__import__('os')", "^"),
        ("hf:cosine(num_warmup_steps=10)", "   ^"),
        ("warmup_cosine(total // 10, 100)", " ^"),
    ],
)
def test_an_invalid_expression_is_shown_with_a_caret(expression: str, place: str, capsys: Captured) -> None:
    for subcommand in (["plot"], ["table"], ["check", "--steps", "10"], ["compare", COSINE]):
        assert main([*subcommand, expression]) == 2
        text, errors = capsys.readouterr()
        sentence, shown, caret = errors.rstrip("\n").split("\n")
        assert text == "" and sentence.startswith(f"funcsched {subcommand[0]}: argument EXPR: ")
        assert shown.strip() == expression and caret.endswith(place) and set(caret) <= {" ", "^"}


@pytest.mark.parametrize(
    ("missing", "arguments", "sentence"),
    [
        (
            "matplotlib",
            ["plot", COSINE, "--out", "curve.png"],
            "funcsched plot: argument --out: matplotlib is not installed; pip install 'funcsched[plot]'\n",
        ),
        (
            "torch",
            ["table", "torch:StepLR(30)"],
            "funcsched table: argument EXPR: torch is not installed; pip install 'funcsched[torch]'\n",
        ),
        (
            "jax",
            ["table", "optax:constant_schedule(1.0)"],
            "funcsched table: argument EXPR: jax is not installed; pip install 'funcsched[jax]'\n",
        ),
    ],
)
def test_a_missing_package_is_named_with_its_extra(missing: str, arguments: list[str], sentence: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from funcsched.cli.main import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


def test_the_command_imports_no_framework_that_it_does_not_use() -> None:
    code = (
        "import sys; from funcsched.cli.main import main\n"
        f"main(['plot', {COSINE!r}]); main(['check', {COSINE!r}, '--steps', '100'])\n"
        "main(['table', 'hf:linear(num_warmup_steps=1, num_training_steps=2)'])\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert not {"numpy", "jax", "torch", "optax", "transformers", "matplotlib"} & {*done.stderr.split()}


def test_without_a_command_it_prints_the_help_and_with_version_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "commands:" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"funcsched {version('funcsched')}\n" == f"funcsched {fs.__version__}\n"


def test_a_log_is_identified_and_compared_with_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    rates = [3e-4 * fs.warmup_cosine(100, 1000, end=0.1)(step) for step in range(0, 1000, 20)]
    log.write_text("step,lr\n" + "".join(f"{20 * i},{rate:.6g}\n" for i, rate in enumerate(rates)))
    assert main(["identify", str(log)]) == 0
    expression = "0.0003 * warmup_cosine(warmup_steps=100, total_steps=1000, end=0.1)\n"
    assert capsys.readouterr().out.startswith(expression + "explains 50 of 50 points of lr\n")
    assert main(["check", "warmup_cosine(100, 1000, end=0.1)", "--log", str(log)]) == 0
    assert capsys.readouterr().out.startswith("all 50 points of lr follow 0.0003 * warmup_cosine(")
    assert main(["check", "warmup_cosine(100, 1200, end=0.1)", "--log", str(log), "--peak-value", "3e-4"]) == 1
    out = capsys.readouterr().out
    assert "at step 120: 0.000299671 instead of 0.00029978" in out and f"the log follows {expression}" in out
    log.write_text("step,lr\n" + "".join(f"{step},0.0\n" for step in range(100)))  # without scheduler.step()
    assert main(["check", "warmup_cosine(100, 1000, end=0.1)", "--log", str(log), "--peak-value", "3e-4"]) == 1
    text = (
        "all rates of lr are 0, but the schedule reaches 0.000297 at step 99: is `scheduler.step()` called after every"
    )
    assert capsys.readouterr().out.startswith(text)  # 3e-4 * 99 / 100
    log.write_text("step,loss\n1,0.5\n")
    assert main(["check", "constant()", "--log", str(log)]) == 2
    assert "funcsched check: argument --log: read_log: log.csv has the columns step, loss" in capsys.readouterr().err
    assert main(["identify", str(tmp_path / "missing.csv")]) == 2
    assert "funcsched identify: argument FILE: " in capsys.readouterr().err
