"""The examples of configuration files: each gives the same schedule."""

import pytest

import funcsched as fs
from tests.cases import ONE_OF_EACH, Case
from tests.project.scripts import run_example

SCHEDULE = fs.warmup_cosine(warmup_steps=1000, total_steps=100_000, end=0.1)
OUTPUT = "0.001 * warmup_cosine(warmup_steps=1000, total_steps=100000, end=0.1)"


@pytest.mark.parametrize(
    ("name", "package"),
    [("from_yaml", "yaml"), ("from_toml", "tomllib"), ("from_hydra", "hydra"), ("from_argparse", "argparse")],
)
def test_an_example_prints_the_schedule_from_its_configuration(name: str, package: str) -> None:
    pytest.importorskip(package)
    done = run_example(f"config/{name}.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == OUTPUT


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_yaml_round_trips_every_schedule(case: Case) -> None:
    pytest.importorskip("yaml")
    from examples.config import from_yaml

    assert from_yaml.read(from_yaml.write(0.3, case.schedule)) == (0.3, case.schedule)


def test_toml_contains_an_expression_or_data() -> None:
    pytest.importorskip("tomllib")
    from examples.config import from_toml

    assert from_toml.read(from_toml.AS_EXPRESSION) == from_toml.read(from_toml.AS_DATA) == (0.001, SCHEDULE)


def test_hydra_instantiates_the_functions_with_overrides() -> None:
    pytest.importorskip("hydra")
    from examples.config import from_hydra

    _, schedule, cooldown = from_hydra.read(["total_steps=300_000", "schedule.end=0.5"])
    assert schedule == fs.warmup_cosine(1000, 300_000, end=0.5)
    assert cooldown == fs.then(schedule, 80_000, steps=20_000, shape=fs.power(2))


def test_hydra_passes_on_the_error_message_of_the_function() -> None:
    pytest.importorskip("hydra")
    from hydra.errors import InstantiationException

    from examples.config import from_hydra

    with pytest.raises(
        InstantiationException, match=r"warmup_cosine: `end` must be a number from -1\.7e38 to 1\.7e38, got 1e\+39"
    ):
        from_hydra.read(["schedule.end=1e39"])


def test_the_command_line_accepts_an_expression() -> None:
    from examples.config import from_argparse

    assert from_argparse.read([]) == (0.001, SCHEDULE)
    assert from_argparse.read(["--total-steps", "500"])[1] == fs.warmup_cosine(5, 500, end=0.1)
    assert from_argparse.read(["--schedule", "fs.constant(0.5)"]) == (0.001, fs.constant(0.5))


def test_the_command_line_marks_the_position_of_a_mistake() -> None:
    done = run_example("config/from_argparse.py", "--schedule", "warmup_linear(10, total_step=100)")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-3:] == [
        "from_argparse.py: error: argument --schedule: parse: line 1, column 19: "
        "warmup_linear has no argument 'total_step'; did you mean 'total_steps'?",
        "    warmup_linear(10, total_step=100)",
        "                      ^",
    ]
