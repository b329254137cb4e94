"""The number systems of Paddle, MLX, TensorFlow and tinygrad, which have float64.

Only what differs from NumPy is here.
"""

from __future__ import annotations

import math
import sys
from types import SimpleNamespace

from funcsched.numerics.arrays import Arrays
from funcsched.numerics.double_word import HALF_PI
from funcsched.numerics.number_system import is_concrete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.numerics.number_system import Weight

_REST_OF_E = 5.3e-17  # e is math.e * (1 + 5.3e-17)
_TERMS_OF_SINE = 8  # the next term is below 2**-60 at pi/4
_UPPER_HALF = -(1 << 27)  # the mask of the upper half of a float64


class OtherArrays(Arrays):
    """The common part. Numbers beside arrays become arrays of float64, where a library would choose float32."""

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self._select, self.where = self.where, self._where

    def _where(self, condition: Any, yes: Any, no: Any) -> Any:
        yes, no = (self.level(value) if is_concrete(value) else value for value in (yes, no))
        return self._select(condition, yes, no)

    def index(self, boundaries: Any, count: Any) -> Any:
        return (count[..., None] >= self.table(boundaries)).sum(-1)

    def lookup(self, values: Any, index: Any) -> Any:
        return self.table(values)[index]


class Paddle(OtherArrays):
    def __init__(self, lib: Any, integer: bool, result_dtype: Any, place: Any) -> None:
        super().__init__(lib, integer, result_dtype)
        self.place = place
        self.exp = self._exp

    def _exp(self, x: Any) -> Any:
        half = self.lib.exp(0.5 * x)  # Paddle's own exp is constant from -709.8 to -745 (Paddle 3.3 on CPU)
        return self.where(x < -700.0, half * half, self.lib.exp(x))

    def level(self, value: Any) -> Any:
        if isinstance(value, self.lib.Tensor):
            return value.astype("float64")
        return self.lib.to_tensor(value, dtype="float64", place=self.place)

    def fraction(self, steps: Any) -> Weight:
        return super().fraction(self.level(steps))  # its CUDA kernels may multiply by a rounded reciprocal

    def power(self, x: Any, exponent: float) -> Any:
        return x ** self.level(exponent)  # a Python number would be rounded to float32

    def maximum(self, x: Any, bound: Any) -> Any:
        return x.clip(min=bound) if is_concrete(bound) else self.lib.maximum(x, bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return x.clip(max=bound) if is_concrete(bound) else self.lib.minimum(x, bound)

    def lookup(self, values: Any, index: Any) -> Any:
        return self.lib.take(self.table(values), index)

    def upper_half(self, x: Any) -> Any:
        if is_concrete(x):
            return super().upper_half(x)
        return (x.view("int64") & self.lib.to_tensor(_UPPER_HALF, place=self.place)).view("float64")


class Mlx(OtherArrays):
    # Its own exp, sin and cos have the accuracy of float32, also in float64 (MLX 0.32 on CPU).

    def __init__(self, lib: Any, integer: bool, result_dtype: Any) -> None:
        if lib.default_device().type != lib.cpu:
            raise TypeError(
                "a schedule needs float64, which MLX has on the CPU only; call mx.set_default_device(mx.cpu) first"
            )
        super().__init__(lib, integer, result_dtype)
        self.exp, self.sin, self.cos = self._exp, self._sin, self._cos

    def _exp(self, x: Any) -> Any:
        return self.lib.power(self.level(math.e), x) * (1.0 + x * _REST_OF_E)

    def _sin(self, x: Any) -> Any:
        """For x from 0 to pi/2. Past pi/4 it is ``1 - 2 sin(y/2)**2`` with ``y = pi/2 - x``, which is 1 at pi/2."""
        half = self._series(0.5 * self._rest(x))
        return self.where(x < math.pi / 4, self._series(x), 1.0 - 2.0 * half * half)

    def _cos(self, x: Any) -> Any:
        return self._sin(self._rest(x))

    def _rest(self, x: Any) -> Any:
        """pi/2 - x"""
        return (HALF_PI[0] - x) + HALF_PI[1]

    def _series(self, x: Any) -> Any:
        """The sine, for x from 0 to pi/4."""
        square, series = x * x, 0.0
        for k in range(_TERMS_OF_SINE, 0, -1):
            series = (1.0 - series) * square / (2 * k * (2 * k + 1))
        return x - x * series

    def level(self, value: Any) -> Any:
        return (
            value.astype(self.lib.float64)
            if isinstance(value, self.lib.array)
            else self.lib.array(value, dtype=self.lib.float64)
        )


class TensorFlow(OtherArrays):
    def __init__(self, tf: Any, integer: bool, result_dtype: Any) -> None:
        self.tf = tf
        names = ("sin", "cos", "exp", "log", "expm1", "log1p", "sqrt", "floor")
        functions = {name: getattr(tf.math, name) for name in names}
        lib = SimpleNamespace(**functions, where=tf.where, stack=tf.stack, float64=tf.float64, int64=tf.int64)
        super().__init__(lib, integer, result_dtype)
        self.has_guard_digits = result_dtype != tf.float64
        if not self.has_guard_digits:
            # With jit_compile, XLA's own functions are off by up to 100 ulp (TensorFlow 2.21 on CPU).
            self.expm1, self.log1p = self.expm1_by_series, self.log1p_by_series
            lib.where, lib.clip = self.where, tf.clip_by_value

    def cast(self, x: Any, dtype: Any) -> Any:
        return self.tf.cast(x, dtype)

    def level(self, value: Any) -> Any:
        if self.tf.is_tensor(value):
            return self.tf.cast(value, self.tf.float64)
        return self.tf.constant(value, self.tf.float64)

    def fraction(self, steps: Any) -> Weight:
        # In a tf.function, a division by a constant becomes a product with its rounded reciprocal, which misses 1.
        length = self.level(steps)
        return lambda count, _: self.where(count >= length, 1.0, count / length)

    def power(self, x: Any, exponent: float) -> Any:
        return x ** self.level(exponent)

    def maximum(self, x: Any, bound: Any) -> Any:
        return self.tf.maximum(x, self.level(bound))

    def minimum(self, x: Any, bound: Any) -> Any:
        return self.tf.minimum(x, self.level(bound))

    def index(self, boundaries: Any, count: Any) -> Any:
        reached = count[..., None] >= self.table(boundaries)
        return self.tf.reduce_sum(self.tf.cast(reached, self.tf.int64), -1)

    def lookup(self, values: Any, index: Any) -> Any:
        return self.tf.gather(self.table(values), index)

    def upper_half(self, x: Any) -> Any:
        if is_concrete(x):
            return super().upper_half(x)
        bits = self.tf.bitwise.bitwise_and(self.tf.bitcast(x, self.tf.int64), _UPPER_HALF)
        return self.tf.bitcast(bits, self.tf.float64)


class Tinygrad(OtherArrays):
    def __init__(self, integer: bool, result_dtype: Any, device: Any) -> None:
        dtypes = sys.modules["tinygrad.dtype"].dtypes
        methods = {
            name: (lambda x, *others, name=name: getattr(x, name)(*others))
            for name in ("sin", "cos", "exp", "log", "sqrt", "floor", "where", "clip")
        }
        lib = SimpleNamespace(
            **methods,
            expm1=self.expm1_by_series,
            log1p=self.log1p_by_series,
            float64=dtypes.float64,
            int64=dtypes.int64,
            stack=lambda items: items[0].stack(*items[1:]),
        )
        self.device = device
        super().__init__(lib, integer, result_dtype)
        self.has_guard_digits = True  # a float64 step is an error

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.cast(dtype)

    def level(self, value: Any) -> Any:
        tensor = sys.modules["tinygrad"].Tensor
        return (
            value.cast(self.lib.float64)
            if isinstance(value, tensor)
            else tensor(value, dtype=self.lib.float64, device=self.device)
        )

    def maximum(self, x: Any, bound: Any) -> Any:
        return x.maximum(bound)

    def minimum(self, x: Any, bound: Any) -> Any:
        return x.minimum(bound)

    def lookup(self, values: Any, index: Any) -> Any:
        # tinygrad 0.14 simplifies an index of 0 or 1 to a bool, and then rejects it. A separate kernel avoids that.
        return super().lookup(values, index.contiguous())

    def upper_half(self, x: Any) -> Any:
        if is_concrete(x):
            return super().upper_half(x)
        return (x.bitcast(self.lib.int64) & _UPPER_HALF).bitcast(self.lib.float64)
