"""The wheel builds, installs into an empty environment, and works there without the source tree."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_file_names_the_version() -> None:
    citation, changelog, tested = [
        (ROOT / name).read_text(encoding="utf-8") for name in ("CITATION.cff", "CHANGELOG.md", "docs/versions.md")
    ]
    assert f"\nversion: {PROJECT['version']}\n" in citation
    assert changelog.partition("\n## ")[2].startswith(f"{PROJECT['version']} ")
    assert f"\n{PROJECT['version']} into a new environment" in tested, "run python tests/supported_versions.py"


def test_the_tested_versions_include_the_oldest_supported_ones() -> None:
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    first_row = next(line for line in page.splitlines() if line.startswith("| 3."))
    python, _, *packages = [cell.strip() for cell in first_row.strip("|").split("|")]
    assert f">={python.rpartition('.')[0]}" == PROJECT["requires-python"]
    for requirement, version in zip(PROJECT["optional-dependencies"]["jax"], packages, strict=False):
        assert version.startswith(requirement.partition(">=")[2]), requirement


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_contains_only_the_two_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == {"funcsched", "bridges"}
    assert {"funcsched/py.typed", "bridges/py.typed", "funcsched/plans/recipes/gpt-3.json"} <= set(names)


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which only the wheel is installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--quiet", str(wheel)]
    subprocess.run(command, check=True)
    return python


def test_the_wheel_works_in_an_empty_environment(python: Path, tmp_path: Path) -> None:
    code = (
        "import funcsched as fs, bridges; print(fs.__file__, fs.warmup_cosine(10, 100)(100), fs.warmup_linear(2, 4)(3))"
    )
    done = subprocess.run([python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    path, *values = done.stdout.split()
    assert Path(path).is_relative_to(python.parent.parent)
    assert values == ["0.0", "0.5"]


@pytest.mark.parametrize(("bridge", "missing"), [("bridges.torch", "torch"), ("bridges.optax", "jax")])
def test_importing_a_bridge_without_its_framework_names_the_framework(
    python: Path, tmp_path: Path, bridge: str, missing: str
) -> None:
    done = subprocess.run([python, "-I", "-c", f"import {bridge}"], cwd=tmp_path, capture_output=True, text=True)
    assert f"No module named '{missing}'" in done.stderr
