"""The error of importing a bridge whose framework is not installed."""

import subprocess
import sys

import pytest

# Imports `module` as if the package `missing` were not installed, and prints the error.
CODE = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == {missing!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Finder())
try:
    import {module}
except ModuleNotFoundError as error:
    print(error.name)
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [
        ("bridges.torch", "torch", "torch"),
        ("bridges.torch.scheduler", "torch", "torch"),
        ("bridges.jax", "jax", "jax"),
        ("bridges.optax", "jax", "jax"),
        ("bridges.optax.function", "jax", "jax"),
    ],
)
def test_the_error_names_the_missing_package_and_the_extra_that_installs_it(
    module: str, missing: str, extra: str
) -> None:
    code = CODE.format(module=module, missing=missing)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message = f"No module named {missing!r}; install it with: pip install 'funcsched[{extra}]'"
    assert done.stdout.splitlines() == [missing, message]
