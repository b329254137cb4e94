"""Typical user code, checked by mypy and pyright: each `assert_type` states a type that users rely on.

The `type: ignore` comments mark mistakes that must be found: mypy and pyright report an unused comment.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from numpy.typing import NDArray
from typing_extensions import assert_type

import funcsched as fs
from bridges.optax import to_optax, warmup_cosine_decay_schedule
from bridges.torch import ScheduleLR, lambda_lr

schedule = fs.warmup_cosine(10, 100, end=0.1)
assert_type(schedule, fs.Schedule)
assert_type(schedule(3), float)
assert_type(schedule(2.5), float)
assert_type(schedule(np.arange(3)), NDArray[np.float64])
assert_type(schedule(np.arange(3, dtype=np.int32)), NDArray[np.float64])
assert_type(schedule(np.linspace(0, 1, 3, dtype=np.float32)), NDArray[np.float32])
assert_type(schedule(torch.arange(3)), torch.Tensor)
assert_type(schedule(jnp.arange(3)), jax.Array)
assert_type([schedule(step) for step in range(3)], list[float])

composed = fs.join([fs.ramp(0.0, 1.0, steps=10, shape=fs.cosine), fs.scale(schedule, 0.5), lambda step: 0.1], [10, 50])
assert_type(composed, fs.Schedule)
assert_type(fs.cosine(0.5), float)
assert_type(2 * schedule, fs.Schedule)
assert_type(schedule * schedule, fs.Schedule)
assert_type(schedule + 0.1, fs.Schedule)
assert_type(fs.curve(lambda u: u * u + 1, steps=100), fs.Schedule)
assert_type(fs.lift(lambda step: 0.5 ** (step // 10)), fs.Schedule)
assert_type(fs.parse("constant()"), fs.Schedule)
assert_type(fs.from_dict(fs.to_dict(schedule)), fs.Schedule)
assert_type(fs.Clock(batch_size=8).steps(samples=100), int)

rate = to_optax(schedule, 1e-3)
assert_type(rate(3), float)
assert_type(rate(jnp.arange(3)), jax.Array)
optimizer = optax.adamw(learning_rate=rate)
assert_type(to_optax(*warmup_cosine_decay_schedule(0.0, 1e-3, 10, 100))(3), float)
batches = to_optax(fs.ramp(1, 8, steps=100), peak_value=1, dtype=jnp.int32)
assert_type(batches(jnp.arange(3)), jax.Array)
assert_type(to_optax(schedule, 1e-3, dtype="bfloat16")(3), float)
accumulated = optax.MultiSteps(optimizer, every_k_schedule=batches)

torch_optimizer = torch.optim.AdamW([torch.zeros(1)], lr=1e-3)
scheduler = lambda_lr(torch_optimizer, schedule, step=5)
assert_type(scheduler, ScheduleLR)
assert_type(scheduler.get_last_lr(), list[float | torch.Tensor])


def mistakes() -> None:
    fs.warmup_cosin(10, 100)  # type: ignore[attr-defined]
    fs.warmup_cosine("10", 100)  # type: ignore[arg-type]
    fs.warmup_cosine(10)  # type: ignore[call-arg]
    fs.warmup_cosine(10, 100, ends=0.1)  # type: ignore[call-arg]
    schedule * "3"  # type: ignore[operator]
    schedule("3")  # type: ignore[call-overload]
    to_optax(schedule)  # type: ignore[call-overload]
    to_optax(schedule, None)  # type: ignore[call-overload]
    to_optax(schedule, 1e-3, jnp.int32)  # type: ignore[call-overload]
