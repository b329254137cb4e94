"""A training step on eight devices: under `jit` with `NamedSharding`, and under `jax.shard_map`."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.stacks import sharded
from tests import oracle
from tests.stacks.sharded_worker import COUNTS, LAYOUTS, PEAK

ROOT = Path(__file__).parents[2]
DEVICES = 8


def run(script: str, folder: Path, *arguments: str) -> str:
    """What a script prints on a machine of eight devices."""
    env = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={DEVICES}",
    }
    command = [sys.executable, "-W", "error", str(ROOT / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sharded")
    run("tests/stacks/sharded_worker.py", folder, "found.json")
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_device_moves_its_weights_by_one_rate(layout: str, found: dict[str, Any]) -> None:
    for moves in found["layouts"][layout]["moves"].values():
        assert len(moves) == len(LAYOUTS[layout])
        assert all(parts == [parts[0]] * DEVICES and len(parts[0]) == 1 for parts in moves)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rate_on_the_devices_is_that_of_the_formula(layout: str, found: dict[str, Any]) -> None:
    for count in COUNTS:
        for case, parts in zip(LAYOUTS[layout], found["layouts"][layout]["moves"][str(count)], strict=True):
            exact = case.exact(count)
            # Values below the smallest normal float are 0 where XLA computes.
            exact = 0 * exact if exact < 2.0**-126 else exact
            assert oracle.ulps(parts[0][0] / PEAK, exact, 24, case.scale) <= case.ulps, (str(case), count)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_schedules_add_no_communication_to_a_step(layout: str, found: dict[str, Any]) -> None:
    of_schedules, of_constants = found["layouts"][layout]["communication"]
    assert of_schedules == of_constants
    assert of_constants["all-reduce"] >= 1, "the step itself communicates"


def test_communication_would_be_seen(found: dict[str, Any]) -> None:
    constant, asks, split = (found["control"][name] for name in ("constant", "asks Python", "in a split row"))
    assert asks == {**constant, "custom-call": 1}
    assert split == {**constant, "all-gather": 1}


def test_a_transfer_would_be_refused(found: dict[str, Any]) -> None:
    # Every update above ran under the same guard.
    assert "Disallowed host-to-device transfer" in found["refusal"]


# Arrays of the steps are for plots and sweeps: training has one count.
def test_steps_that_are_split_over_explicit_axes_give_values_that_are_split_like_them(found: dict[str, Any]) -> None:
    assert found["errors on split steps"] == {}


def test_the_example_prints_the_rates_of_the_formula_for_eight_devices(tmp_path: Path) -> None:
    warmup, decay, end = 4, 8, 0.1
    rates = [0.125 * update / warmup for update in range(warmup)]
    rates += [0.125 * (end + (1 - end) * (1 + math.cos(math.pi * update / decay)) / 2) for update in range(decay)]
    printed = [line.partition(": ") for line in run("examples/stacks/sharded.py", tmp_path).splitlines()]
    assert [name for name, _, _ in printed] == ["jit, 8 devices", "shard_map, 8 devices"]
    for _, _, row in printed:
        assert [float(rate) for rate in row.split()] == pytest.approx(rates, abs=6e-5)


def test_the_example_runs_on_the_devices_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    used = sharded.main()
    exact = oracle.warmup_cosine(4, sharded.UPDATES, 0.0, 0.1)
    for rows in used.values():
        assert len(rows) == sharded.UPDATES
        for update, row in enumerate(rows):
            assert max(oracle.ulps(rate, sharded.PEAK * exact(update), 24) for rate in row) <= 4
    assert used["jit"] == used["shard_map"]
    assert len(capsys.readouterr().out.splitlines()) == 2
