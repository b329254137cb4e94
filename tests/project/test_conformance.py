"""The conformance vectors are current and consistent, and this library matches them on every backend."""

import json
import math
import re
import shutil
import subprocess
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcsched as fs
from conformance import make
from funcsched.serialization.data import registry
from funcsched.shapes.shape import Shape
from tests.backends import BACKENDS, Backend

ROOT = Path(__file__).parents[2] / "conformance"
FOLDER = ROOT / "v1"
INDEX = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
FILES = {entry["name"]: json.loads((FOLDER / entry["file"]).read_text(encoding="utf-8")) for entry in INDEX["files"]}
README = (ROOT / "README.md").read_text(encoding="utf-8")
READER = re.search(r"```js\n(.*?)```", README, re.DOTALL)[1]
BACKEND = {backend.name: backend for backend in BACKENDS}
# The field with the rounded value, and the smallest normal exponent, by number of significand bits.
FORMATS = {53: ("float64", -1022), 24: ("float32", -126)}


def ulp(value: Fraction, bits: int) -> Fraction:
    exponent = math.floor(math.log2(value)) if value >= Fraction(2) ** -1022 else -1100
    return Fraction(2) ** (max(exponent, FORMATS[bits][1]) + 1 - bits)


def mismatches(case: dict[str, Any], entries: list[dict[str, Any]], values: list[float], bits: int) -> list[str]:
    """Messages for the values outside the tolerance of the README: equal if "exact" is true, else within "ulps"."""
    column, smallest = FORMATS[bits]
    messages = []
    for entry, value in zip(entries, values, strict=True):
        exact = Fraction(Decimal(entry["value"])) if float(entry["value"]) else Fraction(0)
        if entry.get("exact"):
            matches = value == float.fromhex(entry[column])
        elif not math.isfinite(value):
            matches = False
        elif value == 0 and abs(exact) < Fraction(2) ** smallest:
            matches = True
        else:
            error = abs(Fraction(value) - exact)
            matches = error <= Fraction(case["ulps"]) * ulp(max(abs(exact), Fraction(case["scale"] or 0)), bits)
        if not matches:
            messages.append(f"{case['expression']} at {entry['step']}: {value!r} is not {entry['value']}")
    return messages


def library_mismatches(cases: list[dict[str, Any]], backend: Backend) -> list[str]:
    schedules = [fs.from_dict({"format": INDEX["format"], "schedule": case["schedule"]}) for case in cases]
    entries = [[entry for entry in case["values"] if abs(entry["step"]) <= backend.largest_step] for case in cases]
    steps = [[entry["step"] for entry in entries_of_case] for entries_of_case in entries]
    results = backend.values(list(zip(schedules, steps, strict=True)))
    return [
        message
        for case, entries_of_case, (_, values) in zip(cases, entries, results, strict=True)
        for message in mismatches(case, entries_of_case, values, backend.bits)
    ]


def few_cases(name: str) -> list[dict[str, Any]]:
    """At most six cases with different arguments and horizons below 2**31, because compilation is slow.

    Other tests compile every case of the case table.
    """
    by_expression: dict[str, dict[str, Any]] = {}
    for case in FILES[name]["cases"]:
        if (case["held_from"] or 0) < 2**31:
            by_expression.setdefault(re.sub(r"\d[\d.e-]*", "", case["expression"]), case)
    cases = list(by_expression.values())
    return cases[:: math.ceil(len(cases) / 6)]


def manifest_errors(folder: Path) -> list[str]:
    """The files that differ from their entry in index.json."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    errors = []
    for entry in index["files"]:
        content = (folder / entry["file"]).read_bytes()
        data = json.loads(content)
        described = {
            "name": data["name"],
            "file": f"{data['name']}.json",
            "cases": len(data["cases"]),
            "values": sum(len(case["values"]) for case in data["cases"]),
            "sha256": sha256(content).hexdigest(),
        }
        if described != entry or (data["version"], data["format"]) != (index["version"], index["format"]):
            errors.append(entry["file"])
    return errors


@pytest.mark.parametrize("backend", ["python", "numpy", "torch", "torch-float64"])
@pytest.mark.parametrize("name", FILES)
def test_this_library_matches_the_vectors(name: str, backend: str) -> None:
    assert library_mismatches(FILES[name]["cases"], BACKEND[backend]) == []


@pytest.mark.parametrize("name", FILES)
def test_this_library_matches_the_vectors_under_jit(name: str) -> None:
    assert library_mismatches(few_cases(name), BACKEND["jax-jit"]) == []


@pytest.mark.parametrize("name", FILES)
def test_the_parameters_are_the_output_of_to_dict(name: str) -> None:
    for case in FILES[name]["cases"]:
        schedule = fs.from_dict({"format": FILES[name]["format"], "schedule": case["schedule"]})
        assert fs.to_dict(schedule)["schedule"] == case["schedule"]
        assert repr(schedule) == case["expression"]
        assert list(case["schedule"]) == [name]


def test_every_public_schedule_and_shape_has_a_vector() -> None:
    def names(data: Any) -> set[str]:
        if isinstance(data, dict):
            return set(data).union(*map(names, data.values()))
        if isinstance(data, list):
            return set().union(*map(names, data))
        return {data} if isinstance(data, str) else set()

    used = set().union(*(names(case["schedule"]) for file in FILES.values() for case in file["cases"]))
    assert set(registry()) - used == {"then", "warm_into"}  # both build a join
    shapes = {name for name, factory in registry().items() if isinstance(factory, Shape)}
    functions = {"power", "exponential", "tanh", "rational", "truncated_cosine", "reverse", "compose"}  # of shapes
    assert shapes | functions | {"then", "warm_into"} | set(FILES) == set(registry())


def test_the_manifest_describes_the_files() -> None:
    assert manifest_errors(FOLDER) == []
    assert {path.name for path in FOLDER.iterdir()} == {"index.json", *(entry["file"] for entry in INDEX["files"])}
    assert (INDEX["version"], INDEX["format"]) == (1, 1)
    assert INDEX["cases"] == sum(entry["cases"] for entry in INDEX["files"])
    assert INDEX["values"] == sum(entry["values"] for entry in INDEX["files"])
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6


def test_the_files_are_current() -> None:
    texts = {name: make.file(name, cases) for name, cases in make.by_name().items()}
    assert make.index(texts) == (FOLDER / "index.json").read_text(encoding="utf-8"), "run python -m conformance.make"


@pytest.mark.parametrize("name", FILES)
def test_the_floats_are_the_nearest_to_the_digits(name: str) -> None:
    for case in FILES[name]["cases"]:
        steps = [entry["step"] for entry in case["values"]]
        assert steps == sorted(set(steps))
        assert max(map(abs, steps)) <= 2**53
        for entry in case["values"]:
            assert len(Decimal(entry["value"]).as_tuple().digits) <= 25
            assert float.fromhex(entry["float64"]) == float(entry["value"])
            single = np.float32(float.fromhex(entry["float32"]))
            assert float(single) == float.fromhex(entry["float32"])
            if not float(entry["value"]):  # below the smallest float64, and possibly too small to convert to a fraction
                assert single == 0
                continue
            exact = Fraction(Decimal(entry["value"]))
            neighbours = [np.nextafter(single, np.float32(-np.inf)), single, np.nextafter(single, np.float32(np.inf))]
            smallest_error = min(abs(Fraction(float(neighbour)) - exact) for neighbour in neighbours)
            # For a value halfway between two floats, rounding to 25 digits may bring the other float closer.
            assert abs(Fraction(float(single)) - exact) <= smallest_error + abs(exact) / 10**24


@pytest.mark.parametrize("name", FILES)
def test_values_are_constant_below_step_0_and_past_the_end(name: str) -> None:
    for case in FILES[name]["cases"]:
        assert len({entry["value"] for entry in case["values"] if entry["step"] <= 0}) == 1
        if case["held_from"] is not None:
            past = [entry["value"] for entry in case["values"] if entry["step"] >= case["held_from"]]
            assert len(past) > 5
            assert len(set(past)) == 1


def change_digit(text: str, start: int) -> str:
    """The text with its first digit from 1 to 9 at or after `start` changed."""
    at = next(i for i in range(start, len(text)) if text[i] in "123456789")
    return text[:at] + str(int(text[at]) % 9 + 1) + text[at + 1 :]


@pytest.mark.parametrize("column", ["value", "float64", "float32"])
def test_a_changed_digit_is_a_mismatch(column: str) -> None:
    case = next(case for case in FILES["warmup_cosine"]["cases"] if case["held_from"] == 10**7)
    backend = BACKEND["torch" if column == "float32" else "python"]
    assert library_mismatches([case], backend) == []
    changed = 0
    for i, entry in enumerate(case["values"]):
        # If "exact" is true, the floats are compared, and otherwise "value".
        if entry.get("exact", False) != (column != "value") or entry["value"] == "0.0":
            continue
        wrong = {**entry, column: change_digit(entry[column], entry[column].index(".") - 1)}
        values = [*case["values"][:i], wrong, *case["values"][i + 1 :]]
        assert len(library_mismatches([{**case, "values": values}], backend)) == 1, entry
        changed += 1
    assert changed > 0


def test_the_manifest_reports_a_changed_digit(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "v1")
    text = (FOLDER / "noam.json").read_text(encoding="utf-8")
    wrong = change_digit(
        text, text.index('"value": "0.00') + 30
    )  # one of the last of 25 digits, beyond the precision of float64
    assert sum(a != b for a, b in zip(text, wrong, strict=True)) == 1
    (folder / "noam.json").write_text(wrong, encoding="utf-8")
    assert manifest_errors(folder) == ["noam.json"]


# Wrong implementations, each with a known bug of another library.


def unclamped(step: int) -> float:
    return (1 + math.cos(math.pi * max(step, 0) / 100_000)) / 2


def with_cancellation(step: int) -> float:
    return unclamped(min(step, 100_000))


def with_rounded_reciprocal(step: int) -> float:
    return float(np.float32(1) - np.float32(min(max(step, 0), 803)) * (np.float32(1) / np.float32(803)))


def with_floor_of_logarithm(step: int) -> float:
    step = max(step, 0)
    cycle = math.floor(math.log(2 * step + 1, 3))
    return 0.1 + 0.9 * (1 + math.cos(math.pi * (step - (3**cycle - 1) // 2) / 3**cycle)) / 2


def one_step_early(step: int) -> float:
    return 0.1 ** sum(step >= boundary - 1 for boundary in (30, 60, 10**9))


# Wrong implementation, expression, number of significand bits, and a step at which the value is wrong.
BUGS = [
    (unclamped, "warmup_cosine(warmup_steps=0, total_steps=100000)", 53, 100_001),
    (with_cancellation, "warmup_cosine(warmup_steps=0, total_steps=100000)", 53, 99_999),
    (with_rounded_reciprocal, "warmup_linear(warmup_steps=0, total_steps=803)", 24, 803),
    (with_floor_of_logarithm, "cosine_restarts(period=1, period_factor=3.0, end=0.1)", 53, 121),
    (one_step_early, "multistep(boundaries=(30, 60, 1000000000))", 53, 29),
]


@pytest.mark.parametrize(("wrong", "expression", "bits", "step"), BUGS, ids=[bug[0].__name__ for bug in BUGS])
def test_the_sampled_steps_reveal_known_bugs(wrong: Any, expression: str, bits: int, step: int) -> None:
    (case,) = [case for file in FILES.values() for case in file["cases"] if case["expression"] == expression]
    entries = [entry for entry in case["values"] if entry["step"] <= 10**9 + 1]
    messages = mismatches(case, entries, [wrong(entry["step"]) for entry in entries], bits)
    assert any(message.startswith(f"{expression} at {step}: ") for message in messages), messages


def run_reader(path: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "reader.mjs"
    script.write_text(READER, encoding="utf-8")
    return subprocess.run(["node", str(script), str(path)], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_reader_in_the_readme_matches_the_vectors(tmp_path: Path) -> None:
    assert READER.count("\n") <= 45
    done = run_reader(FOLDER / "warmup_linear.json", tmp_path)
    values = sum(len(case["values"]) for case in FILES["warmup_linear"]["cases"])
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{values} values, 0 wrong\n", "")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_reader_in_the_readme_reports_a_changed_digit(tmp_path: Path) -> None:
    text = (FOLDER / "warmup_linear.json").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text.replace('"0x1.999999999999ap-4"', '"0x1.999999999989ap-4"', 1), encoding="utf-8")
    done = run_reader(wrong, tmp_path)
    assert done.returncode == 1
    assert re.search(r"\d+ values, 1 wrong\n$", done.stdout)


def test_the_example_in_the_readme_is_part_of_its_file() -> None:
    example = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL)[1])
    (shown,) = example.pop("cases")
    file = FILES[example["name"]]
    assert {key: file[key] for key in example} == example
    case = next(case for case in file["cases"] if case["expression"] == shown["expression"])
    assert {key: case[key] for key in case if key != "values"} == {k: v for k, v in shown.items() if k != "values"}
    assert [entry for entry in case["values"] if entry["step"] in (0, 1)] == shown["values"]


def test_the_nested_schedule_in_the_readme_can_be_built() -> None:
    data = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[1])
    assert fs.from_dict({"format": 1, "schedule": data})(5) == 1.0
