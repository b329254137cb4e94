"""The examples of configuration files: the same schedule from each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import funcsched as fs
from tests.cases import ONE_OF_EACH, Case

ROOT = Path(__file__).parents[2]
SCHEDULE = fs.warmup_cosine(warmup_steps=1000, total_steps=100_000, end=0.1)
PRINTED = "0.001 * warmup_cosine(warmup_steps=1000, total_steps=100000, end=0.1)"
NEEDS = {"from_toml": "tomllib", "from_hydra": "hydra"}


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip(NEEDS.get(name, "yaml"))
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "config" / f"{name}.py", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["from_yaml", "from_toml", "from_hydra", "from_argparse"])
def test_the_example_prints_the_schedule_of_its_configuration(name: str) -> None:
    done = run(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == PRINTED


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_a_schedule_comes_back_from_yaml(case: Case) -> None:
    pytest.importorskip("yaml")
    from examples.config import from_yaml

    assert from_yaml.read(from_yaml.write(0.3, case.schedule)) == (0.3, case.schedule)


def test_toml_holds_an_expression_or_data() -> None:
    pytest.importorskip("tomllib")
    from examples.config import from_toml

    assert from_toml.read(from_toml.AS_EXPRESSION) == from_toml.read(from_toml.AS_DATA) == (0.001, SCHEDULE)


def test_hydra_calls_the_functions_themselves_and_takes_overrides() -> None:
    pytest.importorskip("hydra")
    from examples.config import from_hydra

    _, schedule, cooldown = from_hydra.read(["total_steps=300_000", "schedule.end=0.5"])
    assert schedule == fs.warmup_cosine(1000, 300_000, end=0.5)
    assert cooldown == fs.then(schedule, 80_000, steps=20_000, shape=fs.power(2))


def test_hydra_says_what_the_function_says() -> None:
    pytest.importorskip("hydra")
    from hydra.errors import InstantiationException

    from examples.config import from_hydra

    with pytest.raises(
        InstantiationException, match=r"warmup_cosine: `end` must be a number from 0 to 3\.4e38, got -1"
    ):
        from_hydra.read(["schedule.end=-1"])


def test_the_command_line_takes_an_expression() -> None:
    from examples.config import from_argparse

    assert from_argparse.read([]) == (0.001, SCHEDULE)
    assert from_argparse.read(["--schedule", "fs.constant(0.5)"]) == (0.001, fs.constant(0.5))


def test_the_command_line_shows_the_place_of_an_error() -> None:
    done = run("from_argparse", "--schedule", "warmup_linear(10, total_step=100)")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-3:] == [
        "from_argparse.py: error: argument --schedule: parse: `text` must have one of the arguments "
        "warmup_steps, total_steps, start, end at line 1, column 19, got 'total_step'",
        "    warmup_linear(10, total_step=100)",
        "                      ^",
    ]
