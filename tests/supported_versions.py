"""Test the values of every schedule with the oldest and the newest supported JAX, each in a new environment.

    python tests/supported_versions.py [OLDEST_PYTHON NEWEST_PYTHON]

The arguments are commands or paths, by default python3.10 and python3.13. Takes about five minutes and installs from
the package index. torch is not installed: its tests run only with the versions in constraints.txt.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ["hypothesis", "mpmath", "numpy", "pytest", "pytest-xdist"]
PACKAGES = [["jax==0.6.0", "jaxlib==0.6.0", "optax==0.2.4"], ["jax", "optax"]]
TESTS = ["tests/guarantees/test_values.py"]


def run(python: str, packages: list[str], tests: list[str]) -> int:
    """The exit code of pytest in a new environment with these packages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        python_in_venv = str(Path(folder, "bin", "python"))
        subprocess.run([python_in_venv, "-m", "pip", "install", "--quiet", *packages, *TOOLS], check=True)
        command = [python_in_venv, "-m", "pip", "list"]
        installed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        names = tuple(f"{package.partition('[')[0].partition('==')[0]} " for package in packages)
        print(python, *[line for line in installed.splitlines() if line.startswith(names)], flush=True)
        # Other versions may emit warnings that the versions in constraints.txt do not.
        command = [python_in_venv, "-m", "pytest", "-n", "2", "-q", "-W", "default", "-p", "no:cacheprovider", *tests]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    pythons = sys.argv[1:] or ["python3.10", "python3.13"]
    return max(run(python, packages, TESTS) for python, packages in zip(pythons, PACKAGES, strict=True))


if __name__ == "__main__":
    sys.exit(main())
