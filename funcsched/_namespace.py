"""The number system of a step: which library it belongs to and which exact arithmetic is to be had there.

NumPy, torch and JAX under x64 count and compute in float64, exact up to 2**53 and without the wrap of integers, and
round once at the end. JAX without x64 has no float64: it counts in int32, exact as well, and computes in float32.
Nothing here imports an array library; whoever holds an array has already imported its own.
"""

from __future__ import annotations

import sys

from funcsched._arrays import Arrays, Numpy, Torch
from funcsched._xla import Jax, Narrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIBRARIES = {"numpy": "numpy", "jax": "jax", "jaxlib": "jax", "torch": "torch"}


def library(value: Any) -> str | None:
    """The array library that a value belongs to; None for everything that is no array."""
    for base in type(value).__mro__:
        name = _LIBRARIES.get(base.__module__.partition(".")[0])
        if name is not None:
            return name if hasattr(value, "dtype") else None
    return None


def dtype_name(array: Any) -> str:
    """The bare name of an array's dtype, the same word in every library."""
    return str(array.dtype).removeprefix("torch.") if library(array) == "torch" else str(array.dtype.name)


def array_namespace(array: Any, function: str, owner: Any = None) -> Arrays:
    """The number system for a step that is an array; `owner` decides the library where it is another array."""
    name = dtype_name(array)
    integer = name.startswith(("int", "uint"))
    if not integer and not (name.startswith("float") and "_" not in name and int(name[5:] or 0) >= 32):
        raise TypeError(
            f"{function}: `step` must be an integer or a float of at least 32 bits, got {name}"
            + ("; 16 bits cannot count: bfloat16 has no 257" if "float" in name else "")
        )
    owner = array if owner is None else owner
    kind = library(owner)
    lib = sys.modules["jax.numpy" if kind == "jax" else str(kind)]
    if kind == "torch":
        return Torch(lib, integer, lib.get_default_dtype() if integer else array.dtype, array.device)
    if kind == "numpy":
        return Numpy(lib, integer, lib.float64 if integer else array.dtype)
    default = lib.result_type(float)
    system = Jax if default == lib.float64 else Narrow
    return system(lib, integer, default if integer else lib.result_type(array.dtype))
