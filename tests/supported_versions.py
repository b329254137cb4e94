"""Install the wheel into new environments, test every schedule there, and write docs/versions.md.

    python tests/supported_versions.py [PYTHON ...]

The arguments are the names of `ENVIRONMENTS` to test, such as python3.12. Without arguments all are tested, and the
page is written. Takes about half an hour and installs from the package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "versions.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOWEST = [requirement.replace(">=", "==") for requirement in PROJECT["optional-dependencies"]["jax"]]
ENVIRONMENTS = {  # the extras of the wheel, and more arguments of `pip install`
    "python3.10": ("jax", LOWEST),
    "python3.11": ("jax,torch", ["-c", str(ROOT / "constraints.txt")]),
    "python3.12": ("jax", []),
    "python3.13": ("jax", []),
}
TOOLS = ["hypothesis", "mpmath", "pytest", "pytest-xdist"]
# Other versions may emit warnings that the versions in constraints.txt do not.
PYTEST = ["-m", "pytest", "-n", "2", "-q", "-W", "default", "-p", "no:cacheprovider", "--import-mode=importlib"]
TESTS = "tests/guarantees/test_values.py"
COLUMNS = {"numpy": "NumPy", "jax": "JAX", "optax": "optax", "torch": "torch"}
HEADER = f"""# Tested versions

`python tests/supported_versions.py` generates this page. For each row it installs the wheel of funcsched
{PROJECT["version"]} into a new environment, and tests the values of every schedule on Python, NumPy, JAX and, where it
is installed, torch. The first row has the oldest supported versions of JAX and optax.

The bridges to other libraries are tested with Python 3.11 and the versions in
[constraints.txt](../constraints.txt) and [tests/peers.txt](../tests/peers.txt).

| Python | {" | ".join(COLUMNS.values())} | tests passed |
| --- |{" --- |" * len(COLUMNS)} --- |
"""


def build(folder: Path) -> Path:
    """The wheel, built from the source distribution, so that this is tested too."""
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def row(name: str, wheel: Path, folder: Path) -> str:
    """The versions in a new environment, and the number of tests that passed there, as a row of the table."""
    subprocess.run([name, "-m", "venv", folder / name], check=True)
    python = folder / name / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "--no-index", wheel], check=True)
    # The core works without other packages.
    subprocess.run([python.parent / "funcsched", "list"], check=True, stdout=subprocess.DEVNULL)
    extras, arguments = ENVIRONMENTS[name]
    subprocess.run([*install, f"{wheel}[{extras}]", *arguments, *TOOLS], check=True)
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], check=True, stdout=subprocess.PIPE).stdout
    versions = {package["name"]: package["version"].partition("+")[0] for package in json.loads(listed)}
    version = subprocess.run([python, "-V"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
    # The working directory has the tests and not the packages, which therefore come from the wheel.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [python, *PYTEST, "-c", os.devnull, "--rootdir", folder, TESTS],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(done.stdout[-2000:], flush=True)
    done.check_returncode()
    passed = int(done.stdout.splitlines()[-1].split(" passed")[0].split()[-1])
    return f"| {' | '.join([version, *(versions.get(column, '-') for column in COLUMNS), f'{passed:,}'])} |\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheel = build(folder)
        shutil.copytree(ROOT / "tests", folder / "tests")
        rows = []
        for name in sys.argv[1:] or ENVIRONMENTS:
            rows.append(row(name, wheel, folder))
            print(rows[-1], flush=True)
    if not sys.argv[1:]:
        PAGE.write_text(HEADER + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
