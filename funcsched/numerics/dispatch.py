"""Which array library a value belongs to, and the number system of a step.

Nothing here imports an array library: if the caller has an array, its library is already in `sys.modules`.
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
_LIBRARIES |= {name: name for name in ("paddle", "mlx", "tensorflow", "tinygrad")}
_MODULES = {"jax": "jax.numpy", "mlx": "mlx.core"}  # of the functions, where it is not the package
_NAMES_OF_TINYGRAD = {"double": "float64", "float": "float32", "half": "float16", "__bf16": "bfloat16"}


def library(value: Any) -> str | None:
    """The array library of a value, or None if it is not an array."""
    for base in type(value).__mro__:
        name = _LIBRARIES.get(base.__module__.partition(".")[0])
        if name is not None:
            return name if hasattr(value, "dtype") else None
    return None


def dtype_name(array: Any) -> str:
    """The name of an array's dtype, the same in every library."""
    kind = library(array)
    if kind == "tinygrad":
        return _NAMES_OF_TINYGRAD.get(array.dtype.name, "int")
    return str(array.dtype.name) if kind in ("numpy", "jax", "tensorflow") else str(array.dtype).rpartition(".")[2]


def first_array(numbers: Iterable[Any]) -> Any:
    """The array whose library is used: the first one of JAX or torch, else one of NumPy; None if there is no array."""
    numpy_array = None
    for number in numbers:
        if not is_concrete(number):
            if library(number) != "numpy":
                return number
            numpy_array = number
    return numpy_array


def number_system_of(step: Any, parameters: list[Any], counts: list[Any], function: str) -> tuple[Arrays, Any]:
    """The number system for a step and the parameters of a schedule, and the step as an array of that library.

    At least one of the step and the parameters is an array. `counts` are the parameters that are numbers of steps.
    """
    array = first_array([step, *parameters])
    kind = library(array)
    lib = sys.modules[_MODULES.get(str(kind), str(kind))]
    integer = isinstance(step, int)
    if library(step) is not None:
        name = dtype_name(step)
        integer = name.startswith(("int", "uint"))
        if not integer and name not in _FLOATS:
            raise TypeError(
                f"{function}: `step` must be an integer or a float of at least 32 bits, got {name}"
                + (
                    "; cast it to float32 or to an integer (a 16-bit float cannot represent every step)"
                    if "float" in name
                    else ""
                )
            )
    if kind == "torch":
        step = lib.as_tensor(step, device=array.device)
        return Torch(lib, integer, lib.get_default_dtype() if integer else step.dtype, array.device), step
    if kind == "numpy":
        step = lib.asarray(step)
        return Numpy(lib, integer, lib.float64 if integer else step.dtype), step
    if kind in ("paddle", "mlx", "tensorflow", "tinygrad"):
        return _other(str(kind), lib, integer, step, array, function)
    default = lib.result_type(float)
    if default == lib.float64:  # x64 is enabled
        step = lib.asarray(step)
        return Jax(lib, integer, default if integer else step.dtype), step
    return (Int32Counts if _fits_int32(step, counts) else DoubleWordCounts)(lib, integer, lib.float32), step


def _other(kind: str, lib: Any, integer: bool, step: Any, array: Any, function: str) -> tuple[Arrays, Any]:
    """The number system of an array library that few programs use, which is therefore imported here."""
    from funcsched.numerics.other_arrays import Mlx, Paddle, TensorFlow, Tinygrad

    is_number = library(step) is None  # beside parameters that are arrays
    if kind == "paddle":
        if not lib.in_dynamic_mode():
            raise TypeError(
                f"{function}: `step` must be a tensor of Paddle's dynamic mode, because its static graphs round Python "
                "numbers to float32; call the schedule outside the function of to_static, and pass the result to it"
            )
        step = lib.to_tensor(step, place=array.place) if is_number else step
        return Paddle(lib, integer, "float32" if integer else step.dtype, array.place), step
    if kind == "mlx":
        step = lib.array(step) if is_number else step
        return Mlx(lib, integer, lib.float32 if integer else step.dtype), step
    if kind == "tensorflow":
        return TensorFlow(lib, integer, lib.float32 if integer else step.dtype), lib.convert_to_tensor(step)
    step = lib.Tensor(step, device=array.device) if is_number else step
    if not integer and dtype_name(step) == "float64":
        raise TypeError(
            f"{function}: `step` must be an integer or a float32 in tinygrad, whose functions of float64 are off by "
            "more than 100 ulp, got float64; cast it to an integer or to float32"
        )
    return Tinygrad(
        integer, sys.modules["tinygrad.dtype"].dtypes.float32 if integer else step.dtype, array.device
    ), step


def _fits_int32(step: Any, counts: list[Any]) -> bool:
    """Whether the step and all counts are integers of at most 32 bits, so that int32 can represent them."""
    if library(step) != "jax" or step.dtype.kind not in "iu" or step.dtype == "uint32":
        return False
    return all(
        count <= Int32Counts.largest_count
        if is_concrete(count)
        else count.dtype.kind in "iu" and count.dtype.itemsize <= 4 and count.dtype != "uint32"
        for count in counts
    )
