"""Test schedules on the arrays of MLX, Paddle, tinygrad and TensorFlow in two new environments.

    python tests/other_arrays.py [PYTHON]

Installs 2.5 GB from the package index, at the versions below. tinygrad needs clang for its CPU device.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = ["hypothesis", "mpmath", "numpy", "pytest", "pytest-xdist"]
PACKAGES = ["jax==0.10.2", "optax==0.2.8", "mlx[cpu]==0.32.4", "paddlepaddle==3.3.1", "tinygrad==0.14.0"]
# In a separate environment; whether it works beside the others was not tested.
TENSORFLOW = ["jax==0.10.2", "optax==0.2.8", "keras==3.15.1", "tensorflow==2.21.0"]


def run(python: str, packages: list[str]) -> int:
    """The exit code of the tests in a new environment with these packages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        python_in_venv = str(Path(folder, "bin", "python"))
        subprocess.run([python_in_venv, "-m", "pip", "install", "--quiet", *packages, *TOOLS], check=True)
        # The libraries emit warnings that pytest would treat as errors.
        command = [python_in_venv, "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider"]
        root = Path(__file__).parents[1]
        return subprocess.run([*command, "tests/numerics/test_other_arrays.py"], cwd=root, check=False).returncode


if __name__ == "__main__":
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    sys.exit(max(run(python, packages) for packages in (PACKAGES, TENSORFLOW)))
