"""The CUDA kernels of torch multiply by the reciprocal where the divisor is a Python number (seen on an H200)."""

from typing import Any

import pytest

from tests.accuracy import measure, steps
from tests.backends import BACKENDS
from tests.cases import CASES, LONG, Case

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

FLOAT64 = next(backend for backend in BACKENDS if backend.name == "torch-float64")


class ReciprocalDivision(TorchDispatchMode):
    """Divides as CUDA does."""

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if function is torch.ops.aten.div.Tensor and isinstance(args[1], (int, float)):
            return args[0] * (1.0 / args[1])
        return function(*args, **(kwargs or {}))


def test_the_division_of_cuda_misses_1() -> None:
    with ReciprocalDivision():
        assert (torch.tensor(49.0, dtype=torch.float64) / 49).item() == 1 - 2.0**-53


# A rounding error of a division is visible where the quotient is the value, or where it selects a period.
DIVIDING = [case for case in [*CASES, *LONG] if "linear" in case.text or "repeat" in case.text]


@pytest.mark.parametrize("case", DIVIDING, ids=str)
def test_values_with_the_division_of_cuda(case: Case) -> None:
    with ReciprocalDivision():
        [(converted, values)] = FLOAT64.values([(case.schedule, steps(case, FLOAT64))])
    assert measure(case, FLOAT64, converted, values).faults(case) == []
