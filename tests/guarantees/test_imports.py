"""The modules that an import loads: the core needs only the standard library, a bridge only its own framework."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import funcsched as fs

ROOT = Path(__file__).parents[2]
# An import hook that makes packages look as if they were not installed.
HIDE_PACKAGES = """
import sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {packages!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, NotInstalled())
"""


def run(code: str) -> str:
    """The output of `code` in a new process."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@cache
def loaded_modules(statement: str) -> set[str]:
    """The modules that a statement loads in a new process."""
    return set(run(f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)").split())


def loaded_packages(statement: str) -> set[str]:
    """The packages outside the standard library that a statement loads in a new process."""
    return {name.partition(".")[0] for name in loaded_modules(statement)} - sys.stdlib_module_names


def test_the_core_loads_only_the_standard_library() -> None:
    assert loaded_packages("import funcsched; funcsched.warmup_cosine(1, 2, cycles=1.5)(1)") == {"funcsched"}


# Control: the check above detects other packages.
def test_loaded_packages_are_detected() -> None:
    assert loaded_packages("import funcsched, numpy") >= {"funcsched", "numpy"}


def test_the_core_does_not_load_slow_modules_of_the_standard_library() -> None:
    slow = {"dataclasses", "inspect", "typing", "functools", "re", "enum"}
    assert slow & loaded_modules("import funcsched") == set()
    assert "dataclasses" in loaded_modules("import dataclasses")


def test_the_bridges_package_loads_no_framework() -> None:
    assert loaded_packages("import bridges") == {"bridges"}


@pytest.mark.parametrize(
    ("bridge", "other_frameworks"),
    [("bridges.torch", {"jax", "optax"}), ("bridges.jax", {"torch"}), ("bridges.optax", {"torch"})],
)
def test_a_bridge_loads_no_other_framework(bridge: str, other_frameworks: set[str]) -> None:
    assert loaded_packages(f"import {bridge}") & other_frameworks == set()


def test_the_torch_bridge_works_without_jax() -> None:
    code = HIDE_PACKAGES.format(packages=["jax", "jaxlib", "optax"]) + (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import torch, funcsched as fs; from bridges.torch import lambda_lr\n"
        "optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)\n"
        "print(lambda_lr(optimizer, fs.warmup_linear(2, 4), step=3).get_last_lr()[0],"
        " fs.warmup_linear(2, 4)(torch.tensor(3)).item())"
    )
    assert run(code) == "0.5 0.5"


def test_the_optax_bridge_works_without_torch() -> None:
    code = HIDE_PACKAGES.format(packages=["torch"]) + (
        "import funcsched as fs, jax.numpy as jnp; from bridges.optax import to_optax\n"
        "print(to_optax(fs.warmup_linear(2, 4), 3.0)(jnp.int32(3)))"
    )
    assert run(code) == "1.5"


def test_all_lists_exactly_the_public_names() -> None:
    assert all(getattr(fs, name) is not None for name in fs.__all__)  # loads the lazy ones
    public = {
        name for name, value in vars(fs).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == {*fs.__all__, "TYPE_CHECKING"}
