"""The scripts before and after a move in `examples/moving`: both train with the same learning rates."""

import importlib
import math
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

MOVING = Path(__file__).parents[2] / "examples" / "moving"
PAIRS = sorted(path.name.removesuffix("_before.py") for path in MOVING.glob("*_before.py"))
PACKAGES = {"keras": "keras", "lightning_cli": "jsonargparse", "megatron": "megatron", "transformers": "transformers"}
# The largest difference in ulps of the highest rate. Keras computes in float32, whose ulps are 2**29 of float64.
ULPS = {"keras": 4 * 2**29}
ULPS_OF_FLOAT64 = 16


def imported(name: str) -> ModuleType:
    return importlib.import_module(f"examples.moving.{name}")


def test_every_script_has_its_counterpart() -> None:
    names = {path.name for path in MOVING.glob("*.py")}
    assert names == {f"{pair}_{when}.py" for pair in PAIRS for when in ("before", "after")}
    assert PAIRS == ["keras", "lightning_cli", "megatron", "nanogpt", "torch", "transformers"]


@pytest.mark.filterwarnings("ignore")  # Lightning warns of its own calls
@pytest.mark.parametrize("pair", PAIRS)
def test_both_scripts_train_with_equal_rates(pair: str) -> None:
    if find_spec(package := PACKAGES.get(pair, "torch")) is None:
        pytest.skip(f"needs {package}")
    before, after = (imported(f"{pair}_{when}").rates() for when in ("before", "after"))
    tolerance = ULPS.get(pair, ULPS_OF_FLOAT64) * math.ulp(max(before))
    assert len(before) == len(after) >= 10
    assert min(before) < 0.5 * max(before)
    assert [
        (i, *both) for i, both in enumerate(zip(before, after, strict=True)) if abs(both[0] - both[1]) > tolerance
    ] == []


def test_the_momentum_is_that_of_one_cycle_lr() -> None:
    before, after = (imported(f"torch_{when}").momenta() for when in ("before", "after"))
    assert (min(before), max(before)) == (pytest.approx(0.85), 0.95)
    assert after == pytest.approx(before, rel=1e-15)


def test_moving_from_transformers_changes_one_import_line() -> None:
    before, after = (
        # without the docstring, and without empty lines, which separate sections of imports
        [line for line in (MOVING / f"transformers_{when}.py").read_text().split('"""')[2].splitlines() if line]
        for when in ("before", "after")
    )
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    name = "get_cosine_schedule_with_warmup"
    assert changed == [(f"from transformers import {name}", f"from bridges.transformers import {name}")]
