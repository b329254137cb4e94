"""The conformance vectors: current, consistent in themselves, and met by this library on every backend."""

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
from funcsched.serialization.data import builders
from funcsched.shapes.shape import Shape
from tests.backends import BACKENDS, Backend

ROOT = Path(__file__).parents[2] / "conformance"
FOLDER = ROOT / "v1"
INDEX = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
FILES = {entry["name"]: json.loads((FOLDER / entry["file"]).read_text(encoding="utf-8")) for entry in INDEX["files"]}
README = (ROOT / "README.md").read_text(encoding="utf-8")
READER = re.search(r"```js\n(.*?)```", README, re.DOTALL)[1]
BACKEND = {backend.name: backend for backend in BACKENDS}
BITS = {53: ("float64", -1022), 24: ("float32", -126)}


def ulp(value: Fraction, bits: int) -> Fraction:
    exponent = math.floor(math.log2(value)) if value >= Fraction(2) ** -1022 else -1100
    return Fraction(2) ** (max(exponent, BITS[bits][1]) + 1 - bits)


def disagreements(case: dict[str, Any], values: list[dict[str, Any]], got: list[float], bits: int) -> list[str]:
    """By the rules of the page, in fractions: what is declared bit for bit, the rest within its ulps."""
    column, smallest = BITS[bits]
    found = []
    for row, value in zip(values, got, strict=True):
        exact = Fraction(Decimal(row["value"])) if float(row["value"]) else Fraction(0)
        if row.get("exact"):
            right = value == float.fromhex(row[column])
        elif not math.isfinite(value):
            right = False
        elif value == 0 and exact < Fraction(2) ** smallest:
            right = True
        else:
            off = abs(Fraction(value) - exact)
            right = off <= Fraction(case["ulps"]) * ulp(max(exact, Fraction(case["scale"] or 0)), bits)
        if not right:
            found.append(f"{case['expression']} at {row['step']}: {value!r} is not {row['value']}")
    return found


def run(case: dict[str, Any], backend: Backend) -> list[str]:
    schedule = fs.from_dict({"format": INDEX["format"], "schedule": case["schedule"]})
    values = [row for row in case["values"] if abs(row["step"]) <= backend.largest]
    _, got = backend.values(schedule, [row["step"] for row in values])
    return disagreements(case, values, got, backend.bits)


def one_of_each(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For compilers: of each expression, whatever its numbers, one case with a horizon that fits in 32 bits."""
    first: dict[str, dict[str, Any]] = {}
    for case in cases:
        if (case["held_from"] or 0) < 2**31:
            first.setdefault(re.sub(r"\d[\d.e-]*", "", case["expression"]), case)
    few = list(first.values())
    return few[:: -(-len(few) // 6)]  # every case of the tests is compiled elsewhere


@pytest.mark.parametrize("backend", ["python", "numpy", "torch", "torch-float64"])
@pytest.mark.parametrize("name", FILES)
def test_this_library_meets_the_vectors(name: str, backend: str) -> None:
    assert [line for case in FILES[name]["cases"] for line in run(case, BACKEND[backend])] == []


@pytest.mark.parametrize("name", FILES)
def test_this_library_meets_the_vectors_under_jit(name: str) -> None:
    assert [line for case in one_of_each(FILES[name]["cases"]) for line in run(case, BACKEND["jax-jit"])] == []


@pytest.mark.parametrize("name", FILES)
def test_the_parameters_are_those_of_to_dict(name: str) -> None:
    for case in FILES[name]["cases"]:
        schedule = fs.from_dict({"format": FILES[name]["format"], "schedule": case["schedule"]})
        assert fs.to_dict(schedule)["schedule"] == case["schedule"]
        assert repr(schedule) == case["expression"]
        assert list(case["schedule"]) == [name]


def test_every_name_of_the_library_stands_in_a_vector() -> None:
    def names(data: Any) -> set[str]:
        if isinstance(data, dict):
            return set(data).union(*map(names, data.values()))
        if isinstance(data, list):
            return set().union(*map(names, data))
        return {data} if isinstance(data, str) else set()

    standing = set().union(*(names(case["schedule"]) for file in FILES.values() for case in file["cases"]))
    assert set(builders()) - standing == {"then"}  # written as the join that it makes
    shapes = {name for name, builder in builders().items() if isinstance(builder, Shape)}
    assert shapes | {"power", "exponential", "tanh", "reverse", "compose", "then"} | set(FILES) == set(builders())


def test_the_manifest_says_what_is_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"index.json", *(entry["file"] for entry in INDEX["files"])}
    for entry in INDEX["files"]:
        data = FILES[entry["name"]]
        assert entry["sha256"] == sha256((FOLDER / entry["file"]).read_bytes()).hexdigest(), entry["file"]
        assert entry["cases"] == len(data["cases"])
        assert entry["values"] == sum(len(case["values"]) for case in data["cases"])
        assert (data["version"], data["format"], data["name"]) == (1, 1, entry["name"])
    assert INDEX["cases"] == sum(entry["cases"] for entry in INDEX["files"])
    assert INDEX["values"] == sum(entry["values"] for entry in INDEX["files"])
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6


def test_the_files_are_those_that_the_script_writes() -> None:
    texts = {name: make.file(name, cases) for name, cases in make.by_name().items()}
    assert make.index(texts) == (FOLDER / "index.json").read_text(encoding="utf-8"), "run python -m conformance.make"


@pytest.mark.parametrize("name", FILES)
def test_the_floats_are_the_digits_rounded(name: str) -> None:
    for case in FILES[name]["cases"]:
        steps = [row["step"] for row in case["values"]]
        assert steps == sorted(set(steps))
        assert max(map(abs, steps)) <= 2**53
        for row in case["values"]:
            assert len(Decimal(row["value"]).as_tuple().digits) <= 25
            assert float.fromhex(row["float64"]) == float(row["value"])
            single = np.float32(float.fromhex(row["float32"]))
            assert float(single) == float.fromhex(row["float32"])
            if not float(row["value"]):  # of a power of ten too far below 0 to be made a fraction
                assert single == 0
                continue
            exact = Fraction(Decimal(row["value"]))
            nearest = [np.nextafter(single, np.float32(-np.inf)), single, np.nextafter(single, np.float32(np.inf))]
            off = min(abs(Fraction(float(near)) - exact) for near in nearest)
            # The digits of a number half way between two floats may lie on the other side of it.
            assert abs(Fraction(float(single)) - exact) <= off + exact / 10**24


@pytest.mark.parametrize("name", FILES)
def test_what_is_held_is_held(name: str) -> None:
    for case in FILES[name]["cases"]:
        below = {row["value"] for row in case["values"] if row["step"] <= 0}
        assert len(below) == 1
        if case["held_from"] is not None:
            past = [row["value"] for row in case["values"] if row["step"] >= case["held_from"]]
            assert len(past) > 5
            assert len(set(past)) == 1


def changed(text: str, place: int) -> str:
    """The digit at or after a place made another one."""
    at = next(i for i in range(place, len(text)) if text[i] in "123456789")
    return text[:at] + str(int(text[at]) % 9 + 1) + text[at + 1 :]


@pytest.mark.parametrize("column", ["value", "float64", "float32"])
def test_a_digit_that_changes_is_noticed(column: str) -> None:
    case = next(case for case in FILES["warmup_cosine"]["cases"] if case["held_from"] == 10**7)
    bits, backend = (24, "torch") if column == "float32" else (53, "python")
    assert run(case, BACKEND[backend]) == []
    for i, row in enumerate(case["values"]):
        declared = row.get("exact", False)
        if declared != (column != "value") or row["value"] == "0.0":
            continue  # what is declared is compared as a float, the rest in digits
        wrong = {**row, column: changed(row[column], row[column].index(".") - 1)}
        values = [*case["values"][:i], wrong, *case["values"][i + 1 :]]
        assert len(run({**case, "values": values}, BACKEND[backend])) == 1, (row, bits)


def test_a_digit_that_changes_is_noticed_by_the_manifest(tmp_path: Path) -> None:
    text = (FOLDER / "noam.json").read_text(encoding="utf-8")
    wrong = changed(text, text.index('"value": "0.00') + 30)  # the last of 25 digits, which no float shows
    assert sum(a != b for a, b in zip(text, wrong, strict=True)) == 1
    entry = next(entry for entry in INDEX["files"] if entry["name"] == "noam")
    assert sha256(text.encode()).hexdigest() == entry["sha256"] != sha256(wrong.encode()).hexdigest()


def rising_again(step: int) -> float:
    return (1 + math.cos(math.pi * max(step, 0) / 100_000)) / 2


def cancelling(step: int) -> float:
    return rising_again(min(step, 100_000))


def one_over_the_total(step: int) -> float:
    return float(np.float32(1) - np.float32(min(max(step, 0), 803)) * (np.float32(1) / np.float32(803)))


def cycle_of_a_logarithm(step: int) -> float:
    step = max(step, 0)
    cycle = math.floor(math.log(2 * step + 1, 3))
    return 0.1 + 0.9 * (1 + math.cos(math.pi * (step - (3**cycle - 1) // 2) / 3**cycle)) / 2


def one_step_early(step: int) -> float:
    return 0.1 ** sum(step >= mark - 1 for mark in (30, 60, 10**9))


# Where the faults that other libraries have begin to show.
FAULTS = [
    (rising_again, "warmup_cosine(warmup_steps=0, total_steps=100000)", 53, 100_001),
    (cancelling, "warmup_cosine(warmup_steps=0, total_steps=100000)", 53, 99_999),
    (one_over_the_total, "warmup_linear(warmup_steps=0, total_steps=803)", 24, 803),
    (cycle_of_a_logarithm, "cosine_restarts(period=1, period_factor=3.0, end=0.1)", 53, 121),
    (one_step_early, "multistep(boundaries=(30, 60, 1000000000))", 53, 29),
]


@pytest.mark.parametrize(("wrong", "expression", "bits", "step"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_the_steps_show_the_faults_of_others(wrong: Any, expression: str, bits: int, step: int) -> None:
    (case,) = [case for file in FILES.values() for case in file["cases"] if case["expression"] == expression]
    rows = [row for row in case["values"] if row["step"] <= 10**9 + 1]
    found = disagreements(case, rows, [wrong(row["step"]) for row in rows], bits)
    assert any(line.startswith(f"{expression} at {step}: ") for line in found), found


def read(path: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "reader.mjs"
    script.write_text(READER, encoding="utf-8")
    return subprocess.run(["node", str(script), str(path)], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_reader_of_the_page_agrees_in_another_language(tmp_path: Path) -> None:
    assert READER.count("\n") <= 45
    done = read(FOLDER / "warmup_linear.json", tmp_path)
    values = sum(len(case["values"]) for case in FILES["warmup_linear"]["cases"])
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{values} values, 0 wrong\n", "")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_reader_of_the_page_notices_a_digit(tmp_path: Path) -> None:
    text = (FOLDER / "warmup_linear.json").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.json"
    wrong.write_text(text.replace('"0x1.999999999999ap-4"', '"0x1.999999999989ap-4"', 1), encoding="utf-8")
    done = read(wrong, tmp_path)
    assert done.returncode == 1
    assert re.search(r"\d+ values, 1 wrong\n$", done.stdout)


def test_the_example_of_the_page_is_in_the_file() -> None:
    example = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL)[1])
    (shown,) = example.pop("cases")
    file = FILES[example["name"]]
    assert {key: file[key] for key in example} == example
    case = next(case for case in file["cases"] if case["expression"] == shown["expression"])
    assert {key: case[key] for key in case if key != "values"} == {k: v for k, v in shown.items() if k != "values"}
    assert [row for row in case["values"] if row["step"] in (0, 1)] == shown["values"]


def test_the_schedule_inside_a_schedule_on_the_page_can_be_built() -> None:
    data = json.loads(re.findall(r"```json\n(.*?)```", README, re.DOTALL)[1])
    assert fs.from_dict({"format": 1, "schedule": data})(5) == 1.0
