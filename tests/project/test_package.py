"""The wheel builds, installs into an empty environment, and works there without the source tree."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--no-index", "--quiet", str(wheel)], check=True)
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
