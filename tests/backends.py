"""The backends that a schedule runs on: each turns steps into an array and evaluates a schedule there."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import funcsched as fs

try:
    import torch
except ModuleNotFoundError:  # in the environments of supported_versions.py
    torch = None


Schedules = Sequence[fs.Schedule]
Arrays = Sequence[Any]


def _eager(schedules: Schedules, arrays: Arrays) -> Arrays:
    return [schedule(array) for schedule, array in zip(schedules, arrays, strict=True)]


@dataclass(frozen=True)
class Backend:
    name: str
    array: Callable[[Sequence[int]], Any]
    bits: int  # significant bits of the result
    run: Callable[[Schedules, Arrays], Arrays] = _eager  # evaluates each schedule at its own array of steps
    exact_steps: bool = True  # False: steps are float32, and large ones are rounded
    largest_step: int = 2**62  # that the tests pass to it
    slow: bool = False  # tested with one case per expression
    every: int = 1  # tested with every n-th case, where another backend runs nearly the same code
    first: int = 0  # the first of these cases
    group_size: int = 1  # schedules that the tests evaluate together: compiling several at once is faster
    context: Callable[[], AbstractContextManager[Any]] = nullcontext

    def __str__(self) -> str:
        return self.name

    def values(self, pairs: Sequence[tuple[fs.Schedule, Sequence[int]]]) -> list[tuple[list[float], list[float]]]:
        """For each schedule and its steps: the steps after conversion to the backend's dtype, and the values there."""
        schedules, steps = zip(*pairs, strict=True)
        with self.context():
            arrays = [self.array(self._padded(each)) for each in steps]
            values = self.run(schedules, arrays)
            return [
                (_to_numpy(array).tolist()[: len(each)], _to_numpy(value).astype(np.float64).tolist()[: len(each)])
                for each, array, value in zip(steps, arrays, values, strict=True)
            ]

    def _padded(self, steps: Sequence[int]) -> Sequence[int]:
        # JAX compiles each eager operation once per array length: pad to few lengths.
        return [*steps, *[steps[-1]] * (-len(steps) % 128)] if self.slow else steps


def _to_numpy(array: Any) -> np.ndarray[Any, Any]:
    array = array.cpu() if hasattr(array, "cpu") else array  # a torch tensor may be on another device
    return array.numpy() if hasattr(array, "numpy") else np.asarray(array)


def x64() -> AbstractContextManager[Any]:
    """A context in which JAX has 64-bit types."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # before JAX 0.8

    return enable_x64()


def float32(value: float) -> float:
    """The nearest float32."""
    return float(np.float32(value))


def _elementwise(schedules: Schedules, arrays: Arrays) -> Arrays:
    return [[schedule(step) for step in steps] for schedule, steps in zip(schedules, arrays, strict=True)]


def _jit(schedules: Schedules, arrays: Arrays) -> Arrays:
    return jax.jit(lambda arrays: _eager(schedules, arrays))(arrays)


def torch_compile(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function as one graph captured by torch.compile, executed without inductor, which takes seconds a graph."""
    # torch compiles a function at most eight times, and counts all schedules as one function.
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend="eager")


def _torch_compile(schedules: Schedules, arrays: Arrays) -> Arrays:
    def values(arrays: Arrays) -> Arrays:
        return [schedule(array) for schedule, array in zip(schedules, arrays, strict=True)]

    return torch_compile(values)(arrays)


def _jax_int(steps: Sequence[int]) -> Any:
    return jnp.asarray(np.asarray(steps, np.int64))


def _jax_float32(steps: Sequence[int]) -> Any:
    return jnp.asarray(steps, jnp.float32)


def _torch_float64(steps: Sequence[int]) -> Any:
    return torch.tensor(steps, dtype=torch.float64)


BACKENDS = [
    Backend("python", list, 53, _elementwise),
    Backend("python-float", lambda steps: [float(step) for step in steps], 53, _elementwise),
    Backend("numpy", lambda steps: np.asarray(steps, np.int64), 53),
    Backend("numpy-float64", lambda steps: np.asarray(steps, np.float64), 53),
    Backend("numpy-float32", lambda steps: np.asarray(steps, np.float32), 24, exact_steps=False),
    Backend("jax", _jax_int, 24, slow=True, largest_step=2**31 - 1),
    Backend("jax-jit", _jax_int, 24, _jit, largest_step=2**31 - 1, group_size=8),
    Backend("jax-float32", _jax_float32, 24, exact_steps=False, slow=True, every=3),
    Backend("jax-jit-float32", _jax_float32, 24, _jit, exact_steps=False, slow=True, group_size=8),
    Backend("jax-x64", _jax_int, 53, slow=True, every=3, context=x64),
    Backend("jax-x64-jit", _jax_int, 53, _jit, slow=True, group_size=8, context=x64),
    Backend("torch", lambda steps: torch.tensor(steps), 24),
    Backend("torch-float64", _torch_float64, 53),
    Backend("torch-float32", lambda steps: torch.tensor(steps, dtype=torch.float32), 24, exact_steps=False),
    Backend("torch-compiled", lambda steps: torch.tensor(steps), 24, _torch_compile, slow=True, every=2, group_size=27),
    Backend("torch-compiled-float64", _torch_float64, 53, _torch_compile, slow=True, every=2, first=1, group_size=27),
]
BACKENDS = [backend for backend in BACKENDS if torch is not None or not backend.name.startswith("torch")]
