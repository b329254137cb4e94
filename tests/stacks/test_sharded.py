"""A training step on eight devices: under `jit` with `NamedSharding`, and under `jax.shard_map`."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from examples.stacks import sharded
from tests import oracle
from tests.stacks.curves import TOLERANCE, max_ulps
from tests.stacks.processes import ROOT, run_python
from tests.stacks.sharded_worker import LAYOUTS, PEAK, STEPS

pytestmark = pytest.mark.processes

DEVICES = 8


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sharded") / "results.json"
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    done = run_python("-W", "error", "-m", "tests.stacks.sharded_worker", path, JAX_PLATFORMS="cpu", XLA_FLAGS=flags)
    assert done.stderr == ""
    return json.loads(path.read_text())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_device_uses_the_same_rate(layout: str, results: dict[str, Any]) -> None:
    for rates in results["layouts"][layout]["rates"].values():
        assert len(rates) == len(LAYOUTS[layout])
        assert all(by_device == [by_device[0]] * DEVICES and len(by_device[0]) == 1 for by_device in rates)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rate_on_the_devices_follows_the_formula(layout: str, results: dict[str, Any]) -> None:
    for step in STEPS:
        for case, by_device in zip(LAYOUTS[layout], results["layouts"][layout]["rates"][str(step)], strict=True):
            exact = case.exact(step)
            # XLA flushes values below the smallest normal float to 0.
            exact = 0 * exact if abs(exact) < 2.0**-126 else exact
            assert oracle.ulps(by_device[0][0] / PEAK, exact, 24, case.scale) <= case.ulps, (str(case), step)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_schedules_add_no_communication_to_a_step(layout: str, results: dict[str, Any]) -> None:
    communication = results["layouts"][layout]["communication"]
    assert communication["schedules"] == communication["constants"]
    assert communication["constants"]["all-reduce"] >= 1, "the step itself communicates"


# Controls: the checks above detect communication and transfers.
def test_communication_is_detected(results: dict[str, Any]) -> None:
    constant, callback, table = (results["controls"][name] for name in ("constant", "callback", "sharded table"))
    assert callback == {**constant, "custom-call": 1}
    assert table == {**constant, "all-gather": 1}


def test_a_transfer_is_detected(results: dict[str, Any]) -> None:
    assert "Disallowed host-to-device transfer" in results["transfer"]


# Arrays of steps are for plots and sweeps; a training loop has a single count.
def test_multipliers_have_the_sharding_of_their_steps(results: dict[str, Any]) -> None:
    assert results["errors with sharded steps"] == {}


def test_the_example_prints_the_rates_of_the_formula_for_eight_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)  # the example itself asks for eight devices
    warmup, decay, end = 4, 8, 0.1
    rates = [0.125 * update / warmup for update in range(warmup)]
    rates += [0.125 * (end + (1 - end) * (1 + math.cos(math.pi * update / decay)) / 2) for update in range(decay)]
    done = run_python("-W", "error", ROOT / "examples/stacks/sharded.py", cwd=tmp_path, JAX_PLATFORMS="cpu")
    assert done.stderr == ""
    printed = [line.partition(": ") for line in done.stdout.splitlines()]
    assert [name for name, _, _ in printed] == [f"jit, {DEVICES} devices", f"shard_map, {DEVICES} devices"]
    for _, _, values in printed:
        assert [float(value) for value in values.split()] == pytest.approx(rates, abs=6e-5)


def test_the_example_runs_on_the_available_devices(capsys: pytest.CaptureFixture[str]) -> None:
    used = sharded.main()
    exact = oracle.warmup_cosine(4, sharded.UPDATES, 0.0, 0.1)
    for rates in used.values():
        assert len(rates) == sharded.UPDATES
        for device_rates in zip(*rates, strict=True):
            assert max_ulps(device_rates, exact, sharded.PEAK) <= TOLERANCE
    assert used["jit"] == used["shard_map"]
    assert len(capsys.readouterr().out.splitlines()) == 2
