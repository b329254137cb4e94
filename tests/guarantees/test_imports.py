"""What an import loads: the core nothing beyond the standard library, a bridge its own framework alone."""

import subprocess
import sys
from types import ModuleType

import pytest

import funcsched as fs

REPORT = "; import sys; print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
# A finder that stands for a machine without a package.
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {names!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Missing())
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def loaded(statement: str) -> set[str]:
    return set(run(statement + REPORT).split()) - set(run("pass" + REPORT).split())


def test_the_core_loads_the_standard_library_alone() -> None:
    assert loaded("import funcsched; funcsched.warmup_cosine(1, 2, cycles=1.5)(1)") == {"funcsched"}


def test_the_check_above_can_fail() -> None:
    assert loaded("import funcsched, numpy") >= {"funcsched", "numpy"}


@pytest.mark.parametrize("module", ["dataclasses", "inspect", "typing", "functools", "re", "enum"])
def test_the_core_leaves_the_slow_parts_of_the_standard_library_alone(module: str) -> None:
    assert run(
        f"import sys; before = {module!r} in sys.modules; import funcsched; print({module!r} in sys.modules or before)"
    ) in (
        "False",
        run(f"import sys; print({module!r} in sys.modules)"),
    )


def test_the_package_of_bridges_loads_no_framework() -> None:
    assert loaded("import bridges") == {"bridges"}


@pytest.mark.parametrize(
    ("bridge", "absent"),
    [("bridges.torch", "jax"), ("bridges.torch", "optax"), ("bridges.jax", "torch"), ("bridges.optax", "torch")],
)
def test_a_bridge_loads_its_own_framework_alone(bridge: str, absent: str) -> None:
    assert absent not in loaded(f"import {bridge}")


def test_a_machine_without_jax_runs_the_torch_side() -> None:
    code = WITHOUT.format(names=["jax", "jaxlib", "optax"]) + (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import torch, funcsched as fs; from bridges.torch import lambda_lr\n"
        "optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)\n"
        "print(lambda_lr(optimizer, fs.warmup_linear(2, 4), step=3).get_last_lr()[0],"
        " fs.warmup_linear(2, 4)(torch.tensor(3)).item())"
    )
    assert run(code) == "0.5 0.5"


def test_a_machine_without_torch_runs_the_jax_side() -> None:
    code = WITHOUT.format(names=["torch"]) + (
        "import funcsched as fs, jax.numpy as jnp; from bridges.optax import to_optax\n"
        "print(to_optax(fs.warmup_linear(2, 4), 3.0)(jnp.int32(3)))"
    )
    assert run(code) == "1.5"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in fs.__all__:
        assert getattr(fs, name) is not None
    public = {
        name for name, value in vars(fs).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == set(fs.__all__) | {"TYPE_CHECKING"}
