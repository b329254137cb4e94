"""`python -m benchmarks.device` on the CPU: the report is complete, and it shows faults and failures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.device import __main__ as device
from benchmarks.device import bandwidth, contract, jax_training, torch_training
from benchmarks.device.report import ratios, spread
from benchmarks.device.settings import QUICK
from tests import oracle
from tests.backends import BACKENDS, Arrays, Backend, Schedules
from tests.cases import Case

COSINE = Case("warmup_cosine(10, 200, end=0.1)", oracle.warmup_cosine(10, 200, 0.0, 0.1), {0: 0.0, 10: 1.0, 200: 0.1})
NUMPY = next(backend for backend in BACKENDS if backend.name == "numpy-float32")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("device") / "DEVICE.md"
    assert device.main(["--quick", "--output", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def test_the_report_has_every_section(report: str) -> None:
    assert [line[3:] for line in report.splitlines() if line.startswith("## ")] == list(device.SECTIONS)
    assert "Failed" not in report and "(cpu)" in report


def test_the_report_covers_both_frameworks_and_the_scan(report: str) -> None:
    columns = "JAX jit, float32 | JAX jit, float64 | torch, float32 | torch, float64 | scan of 10,000 steps"
    assert f"| family | {columns} |" in report
    assert " 0 violations of a guarantee." in report


def test_the_report_compares_with_optax_and_with_a_constant_rate(report: str) -> None:
    assert "| warmup_linear | " in report and "| warmup_linear, optax | " in report
    assert "| fused | constant | +0 | 1.000 (1.000 to 1.000) |" in report


def test_a_failed_section_does_not_lose_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(settings: object) -> str:
        raise RuntimeError("out of memory\nat 0x0")

    monkeypatch.setattr(device, "SECTIONS", {"First": fail, "Second": lambda settings: "measured"})
    assert device.main(["--quick", "--output", str(tmp_path / "DEVICE.md")]) == 1
    text = (tmp_path / "DEVICE.md").read_text(encoding="utf-8")
    assert text.endswith("## First\n\n**Failed**: RuntimeError: out of memory\n\n## Second\n\nmeasured\n")


def altered(change: float, at: int = 3) -> Backend:
    """A backend with a wrong value at one of the sampled steps."""

    def run(schedules: Schedules, arrays: Arrays) -> Arrays:
        values = [schedule(array) for schedule, array in zip(schedules, arrays, strict=True)]
        for value, array in zip(values, arrays, strict=True):
            value[np.asarray(array) == at] += np.float32(change)
        return values

    return replace(NUMPY, run=run, exact_steps=True)


@pytest.mark.parametrize(
    ("backend", "fault"),
    [
        (altered(0.0), None),
        (altered(6 * 2.0**-24, at=5), "6.0 ulp at step 5.0, 4 allowed"),
        (altered(float("nan"), at=5), "inf ulp at step 5.0, 4 allowed"),
        (altered(2.0**-24, at=200), f"wrong at boundaries: {{200: {float(np.float32(0.1) + np.float32(2.0**-24))!r}}}"),
        (altered(2.0**-23, at=10), f"outside the range of the levels: [{1 + 2.0**-23!r}"),
        (altered(-(2.0**-30), at=-1), f"outside the range of the levels: [{-(2.0**-30)!r}"),
        (altered(2.0**-27, at=499), "not constant past the end"),
    ],
    ids=str,
)
def test_a_violated_guarantee_is_reported(backend: Backend, fault: str | None) -> None:
    [(_, accuracy)] = contract.evaluate(backend, [COSINE])
    faults = accuracy.faults(COSINE)
    assert faults == [] if fault is None else any(found.startswith(fault) for found in faults), faults


def test_violations_are_listed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    column = contract.Column("altered", altered(2.0**-27, at=200), [COSINE])
    monkeypatch.setattr(contract, "columns", lambda settings: [column])
    text, count = contract.section(QUICK)
    assert count == 1
    assert "1 cases, 1 violations" in text and f"- altered: `{COSINE.text}`: wrong at boundaries" in text


def test_the_rates_of_a_step_count_on_the_device_are_accurate() -> None:
    rates = torch_training.eager_rates(40)
    exact = oracle.scale(oracle.warmup_cosine(100, 1_000, 0.0, 0.1), 1e-3)
    assert len(set(rates)) == 40
    # 4 ulp of the multiplier, half an ulp of the peak value as a float32, and half an ulp of the product
    assert oracle.max_ulps(exact, range(40), rates, 24) <= 5


def test_a_schedule_adds_kernels_to_the_module() -> None:
    constant, ours = (jax_training.Training(jax_training.RATES[name]) for name in ("constant", "warmup_linear"))
    assert 0 < constant.kernels_in_module() < ours.kernels_in_module()


def test_ratios_are_relative_to_the_first_batch() -> None:
    found = ratios({"once": lambda: sum(range(20_000)), "same": lambda: sum(range(20_000))}, rounds=5)
    assert found["once"] == "1.000 (1.000 to 1.000)"
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == "3.000 (2.000 to 4.000)"


def test_the_bandwidth_counts_bytes_read_and_written() -> None:
    assert bandwidth.gigabytes_per_second(400_000_000, [0.5, 0.001, 0.002]) == "1,600 GB/s"
