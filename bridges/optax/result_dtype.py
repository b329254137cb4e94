"""The dtype of the values of an optax schedule: weakly typed by default, or the `dtype` of `to_optax`."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from funcsched.core.validation import argument_error


def number_dtype(function: str, argument: str, value: Any) -> str:
    """The rule of an argument that is an integer or float dtype. The result is the name of the dtype."""
    try:
        dtype = jnp.dtype(value)
    except (TypeError, ValueError):
        dtype = jnp.dtype(bool)
    is_number = jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.floating)
    if not is_number or dtype.itemsize > 8:  # JAX has no longdouble
        raise argument_error(function, argument, "an integer or float dtype of JAX, or None", value, TypeError)
    return str(dtype.name)


def weakly_typed(value: jax.Array) -> jax.Array:
    """The same array, which takes the dtype of the array it is combined with, as a Python float does.

    Under x64 the value has the digits of float64, and does not turn float32 updates into float64.
    """
    # JAX has no public function for this. Its primitive has had these parameters since JAX 0.6.
    weak: jax.Array = lax.convert_element_type_p.bind(value, new_dtype=value.dtype, weak_type=True, sharding=None)
    return weak


def cast(value: Any, dtype: str) -> Any:
    """A number, or an array of NumPy or JAX, in `dtype`; a Python number stays a Python number."""
    integer = jnp.issubdtype(jnp.dtype(dtype), jnp.integer)
    if isinstance(value, jax.Array):
        dtype = jax.dtypes.canonicalize_dtype(dtype).name  # without x64, 64 bits become 32 bits
        if not integer:
            return value.astype(dtype)
        if isinstance(value, Tracer):
            return _rounded(jnp, value).astype(dtype)
        # An array that is not committed to a device stays so: optax combines it with arrays on other devices.
        return jax.device_put(_integers(np.asarray(value), dtype), value.sharding if value.committed else None)
    array = np.asarray(value)
    array = _integers(array, dtype) if integer else array.astype(jnp.dtype(dtype))
    if isinstance(value, (np.ndarray, np.generic)):
        return array[()]
    return int(array) if integer else float(array)


def _rounded(lib: Any, value: Any) -> Any:
    """The nearest integers, as floats. Ties go to the even integer.

    A value within 4 ulp of a tie counts as a tie. Otherwise the rounding error of a float32 would decide, and a ramp
    of batch sizes would differ between JAX and Python.
    """
    half = lib.rint(2 * value) / 2
    is_half = lib.abs(value - half) <= 4 * lib.finfo(value.dtype).eps * lib.abs(value)
    return lib.rint(lib.where(is_half, half, value))


def _integers(values: Any, dtype: str) -> Any:
    """A NumPy array as integers."""
    with np.errstate(invalid="ignore"):  # infinity is refused below
        rounded = _rounded(np, values)
    limits_of: Any = jnp.iinfo  # unlike NumPy's, it knows int4
    limits = limits_of(dtype)
    for extreme in (rounded.min(), rounded.max()) if rounded.size else ():
        if not (math.isfinite(extreme) and limits.min <= int(extreme) <= limits.max):
            requirement = f"a dtype that can represent the value {float(extreme)}"
            raise argument_error("to_optax", "dtype", requirement, dtype)
    return rounded.astype(dtype)
