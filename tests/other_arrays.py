"""Test schedules on the arrays of MLX, Paddle, tinygrad and TensorFlow in two new environments.

    python tests/other_arrays.py [PYTHON]

Installs 2.5 GB from the package index, at the versions below. tinygrad needs clang for its CPU device.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.supported_versions import run

PACKAGES = ["jax==0.10.2", "optax==0.2.8", "mlx[cpu]==0.32.4", "paddlepaddle==3.3.1", "tinygrad==0.14.0"]
# In a separate environment; whether it works beside the others was not tested.
TENSORFLOW = ["jax==0.10.2", "optax==0.2.8", "keras==3.15.1", "tensorflow==2.21.0"]

if __name__ == "__main__":
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    sys.exit(max(run(python, packages, ["tests/numerics/test_other_arrays.py"]) for packages in (PACKAGES, TENSORFLOW)))
