"""The number systems that a schedule runs on, each as a function from steps to values."""

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


@dataclass(frozen=True)
class Backend:
    name: str
    array: Callable[[Sequence[int]], Any]
    bits: int  # of the result
    run: Callable[[fs.Schedule, Any], Any] = lambda schedule, step: schedule(step)
    exact_steps: bool = True  # False: the step is a float32, and stands for itself
    largest: int = 2**62  # step that it is asked for
    slow: bool = False
    every: int = 1  # one case in so many, where another backend runs nearly the same code
    context: Callable[[], AbstractContextManager[Any]] = nullcontext

    def __str__(self) -> str:
        return self.name

    def values(self, schedule: fs.Schedule, steps: Sequence[int]) -> tuple[list[float], list[float]]:
        """The steps as the backend sees them, and the values there."""
        count = len(steps)
        if self.slow:  # JAX compiles each of its operations for each number of steps
            steps = [*steps, *[steps[-1]] * (-count % 128)]
        with self.context():
            array = self.array(steps)
            values = self.run(schedule, array)
            return np.asarray(array).tolist()[:count], np.asarray(values, dtype=np.float64).tolist()[:count]


def _each(schedule: fs.Schedule, steps: list[Any]) -> list[float]:
    return [schedule(step) for step in steps]


def _jit(schedule: fs.Schedule, steps: Any) -> Any:
    return jax.jit(schedule)(steps)


def _compiled(schedule: fs.Schedule, steps: Any) -> Any:
    # The graph that torch captures, run as it is; inductor, which takes seconds for each, has a test of its own.
    # torch compiles one function at most eight times, and counts every schedule as the same function.
    torch._dynamo.reset()
    return torch.compile(schedule, fullgraph=True, backend="eager")(steps)


def x64() -> AbstractContextManager[Any]:
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # before JAX 0.8

    return enable_x64()


def jax_int(steps: Sequence[int]) -> Any:
    return jnp.asarray(np.asarray(steps, np.int64))


BACKENDS = [
    Backend("python", list, 53, _each),
    Backend("python-float", lambda steps: [float(step) for step in steps], 53, _each),
    Backend("numpy", lambda steps: np.asarray(steps, np.int64), 53),
    Backend("numpy-float64", lambda steps: np.asarray(steps, np.float64), 53),
    Backend("numpy-float32", lambda steps: np.asarray(steps, np.float32), 24, exact_steps=False),
    Backend("jax", jax_int, 24, slow=True, largest=2**31 - 1),
    Backend("jax-jit", jax_int, 24, _jit, largest=2**31 - 1),
    Backend(
        "jax-float32",
        lambda steps: jnp.asarray(steps, jnp.float32),
        24,
        exact_steps=False,
        slow=True,
        every=3,
    ),
    Backend("jax-jit-float32", lambda steps: jnp.asarray(steps, jnp.float32), 24, _jit, exact_steps=False),
    Backend("jax-x64", jax_int, 53, slow=True, every=3, context=x64),
    Backend("jax-x64-jit", jax_int, 53, _jit, context=x64),
    Backend("torch", lambda steps: torch.tensor(steps), 24),
    Backend("torch-float64", lambda steps: torch.tensor(steps, dtype=torch.float64), 53),
    Backend("torch-float32", lambda steps: torch.tensor(steps, dtype=torch.float32), 24, exact_steps=False),
    Backend("torch-compiled", lambda steps: torch.tensor(steps), 24, _compiled, slow=True),
    Backend(
        "torch-compiled-float64",
        lambda steps: torch.tensor(steps, dtype=torch.float64),
        53,
        _compiled,
        slow=True,
        every=2,
    ),
]
BACKENDS = [backend for backend in BACKENDS if torch is not None or not backend.name.startswith("torch")]
