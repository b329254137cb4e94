"""The case table with the oldest and the newest supported JAX, each in a separate environment.

    python tests/supported_versions.py [OLDEST_PYTHON NEWEST_PYTHON]

Both are commands or paths, by default python3.10 and python3.13. Takes about five minutes and installs from the
package index. Without torch, whose tests run with the versions of constraints.txt.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ["hypothesis", "mpmath", "numpy", "pytest", "pytest-xdist"]
PACKAGES = [["jax==0.6.0", "jaxlib==0.6.0", "optax==0.2.4"], ["jax", "optax"]]
TESTS = ["tests/guarantees/test_values.py"]


def run(python: str, packages: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        inside = str(Path(folder, "bin", "python"))
        subprocess.run([inside, "-m", "pip", "install", "--quiet", *packages, *TOOLS], check=True)
        listed = subprocess.run([inside, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
        print(python, *[line for line in listed.splitlines() if line.startswith(("jax ", "optax "))], flush=True)
        # The newer or older library may warn of what the tested versions do not.
        command = [inside, "-m", "pytest", "-n", "2", "-q", "-W", "default", "-p", "no:cacheprovider", *TESTS]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    pythons = sys.argv[1:] or ["python3.10", "python3.13"]
    return max([run(*pair) for pair in zip(pythons, PACKAGES, strict=True)])


if __name__ == "__main__":
    sys.exit(main())
