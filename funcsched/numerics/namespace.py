"""Which array library a value belongs to, and the number system of a step.

Nothing here imports an array library: whoever holds an array has already imported its library.
"""

from __future__ import annotations

import sys

from funcsched.numerics.arrays import Arrays, Jax, Numpy, Torch
from funcsched.numerics.jax_float32 import DoubleWordCounts, Int32Counts
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_FLOATS = {"float32", "float64", "float96", "float128"}  # the last two are NumPy's longdouble
_LIBRARIES = {"numpy": "numpy", "jax": "jax", "jaxlib": "jax", "torch": "torch"}


def library(value: Any) -> str | None:
    """The array library of a value, or None if it is not an array."""
    for base in type(value).__mro__:
        name = _LIBRARIES.get(base.__module__.partition(".")[0])
        if name is not None:
            return name if hasattr(value, "dtype") else None
    return None


def dtype_name(array: Any) -> str:
    """The name of an array's dtype, the same in every library."""
    return str(array.dtype).removeprefix("torch.") if library(array) == "torch" else str(array.dtype.name)


def first_array(numbers: Iterable[Any]) -> Any:
    """The array that decides which library computes, one of JAX or torch first; None if there is none."""
    found = None
    for number in numbers:
        if not is_concrete(number):
            if library(number) != "numpy":
                return number
            found = number
    return found


def number_system_of(step: Any, parameters: list[Any], counts: list[Any], function: str) -> tuple[Arrays, Any]:
    """The number system for a step among parameters, at least one of them an array; and the step, of its library.

    `counts` are those parameters that count steps.
    """
    owner = first_array([step, *parameters])
    kind = library(owner)
    lib = sys.modules["jax.numpy" if kind == "jax" else str(kind)]
    integer = isinstance(step, int)
    if library(step) is not None:
        name = dtype_name(step)
        integer = name.startswith(("int", "uint"))
        if not integer and name not in _FLOATS:
            raise TypeError(
                f"{function}: `step` must be an integer or a float of at least 32 bits, got {name}"
                + ("; 16 bits cannot count: bfloat16 cannot represent 257" if "float" in name else "")
            )
    if kind == "torch":
        step = lib.as_tensor(step, device=owner.device)
        return Torch(lib, integer, lib.get_default_dtype() if integer else step.dtype, owner.device), step
    if kind == "numpy":
        step = lib.asarray(step)
        return Numpy(lib, integer, lib.float64 if integer else step.dtype), step
    default = lib.result_type(float)
    if default == lib.float64:
        step = lib.asarray(step)
        return Jax(lib, integer, default if integer else step.dtype), step
    return (Int32Counts if _fit_int32(step, counts) else DoubleWordCounts)(lib, integer, lib.float32), step


def _fit_int32(step: Any, counts: list[Any]) -> bool:
    """Whether a step and all counts fit into int32; a count that is an array may also be a float."""
    if library(step) != "jax" or step.dtype.kind not in "iu" or step.dtype == "uint32":
        return False
    return all(
        count <= Int32Counts.largest_count
        if is_concrete(count)
        else count.dtype.kind in "iu" and count.dtype.itemsize <= 4 and count.dtype != "uint32"
        for count in counts
    )
