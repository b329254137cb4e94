"""Measure guarantees and speed on the accelerator that JAX and torch see, and write DEVICE.md.

python -m benchmarks.device [--quick] [--output FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX leaves memory for torch

import jax
import torch

from benchmarks.device import bandwidth, contract, jax_training, torch_training
from benchmarks.device.settings import FULL, QUICK, Settings, torch_device

# A section returns its text, and those that check a guarantee also the number of violations.
SECTIONS: dict[str, Callable[[Settings], str | tuple[str, int]]] = {
    "Guarantees": contract.section,
    "A training step in JAX": jax_training.section,
    "A training step in torch": torch_training.section,
    "A CUDA graph in torch": torch_training.graph_section,
    "Bandwidth": bandwidth.section,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all sections; the number of violated guarantees and failed sections, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.device", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="measure little, to see that everything runs")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parents[1] / "DEVICE.md", help="default: DEVICE.md"
    )
    options = parser.parse_args(arguments)
    settings = QUICK if options.quick else FULL
    text, violations = head(), 0
    for title, section in SECTIONS.items():
        start = perf_counter()
        try:
            result = section(settings)
        except Exception as error:  # one section that fails must not lose the others
            traceback.print_exc()
            result = f"**Failed**: {type(error).__name__}: {str(error).partition(chr(10))[0]}", 1
        body, found = (result, 0) if isinstance(result, str) else result
        violations += found
        text += f"\n## {title}\n\n{body}\n"
        options.output.write_text(text, encoding="utf-8")  # after each section, in case a later one is interrupted
        print(f"{title}: {perf_counter() - start:.0f} s", flush=True)
    print(f"{options.output}: {violations} violations and failures")
    return min(violations, 1)


def head() -> str:
    """What was measured where."""
    accelerator = torch_device()
    names = {
        "JAX": f"{version('jax')} on {jax.devices()[0].device_kind} ({jax.default_backend()})",
        "torch": f"{torch.__version__} on {_torch_name(accelerator)}",
        "optax": version("optax"),
        "Python": platform.python_version(),
    }
    listed = ", ".join(f"{name} {value}" for name, value in names.items())
    return f"""# On a device

Written by `python -m benchmarks.device`, with {listed}.

Ratios of times are medians, with the quartiles in parentheses. Both sides of a ratio are measured in the same process,
in alternating batches.
"""


def _torch_name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else device.type


if __name__ == "__main__":
    sys.exit(main())
