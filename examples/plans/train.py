"""Train a small network in JAX and in PyTorch with the published plans of large models, scaled down.

Each pixel of scikit-learn's digits dataset counts as a token, so an image has 64. The plan is scaled to the shortest
run in which every stage has some updates, and its batch size to at most 32 images. Both runs use the same batches. The
script prints the learning rates at the beginning of each stage, compares those of every update, and prints the share
of images that both networks classify correctly after the run.

    python examples/plans/train.py
    python examples/plans/train.py moonlight smollm3
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import funcsched as fs

Array = npt.NDArray[Any]
NAMES = ("deepseek-v3", "kimi-k2", "smollm3", "moonlight", "gpt-3", "olmo-3-7b")
PIXELS, HIDDEN, DIGITS = 64, 32, 10
LARGEST_BATCH = 32
RATE_FACTOR = 30.0  # this network trains with larger rates than a language model


class Run(NamedTuple):
    """A plan in tokens, the same plan in updates, and the number of images in each update."""

    tokens: fs.Plan
    updates: fs.Plan
    sizes: list[int]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small network with published plans, scaled down.")
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"default: {' '.join(NAMES)}")
    for name in parser.parse_args().names:
        run = scaled_run(name)
        (jax, jax_accuracy), (torch, torch_accuracy) = train_jax(run), train_torch(run)
        print(f"{name}: {run.updates.length} updates, {run.tokens.length} tokens")
        for stage, step in run.updates.stages.items():
            print(f"  {stage:<12} update {step:>5}  JAX {jax[int(step)]:.6e}  PyTorch {torch[int(step)]:.6e}")
        print(f"  largest relative difference of all updates: {largest_difference(jax, torch):.1e}")
        print(f"  accuracy: JAX {jax_accuracy:.1%}, PyTorch {torch_accuracy:.1%}")


def scaled_run(name: str, updates_per_stage: float = 2.0) -> Run:
    """The plan of a recipe, scaled so that its shortest stage has about this many updates."""
    plan = in_tokens(fs.published(name))
    curves = plan.curves
    rate = curves["lr"]
    plan = fs.Plan({**curves, "lr": (rate.schedule, RATE_FACTOR * rate.peak_value)}, run=plan.run, stages=plan.stages)
    ends = [*plan.stages.values(), plan.length]
    shortest = min(end - first for first, end in pairwise(ends))
    updates = ceil(updates_per_stage * plan.length / shortest)
    plan = plan.scaled(tokens=updates * LARGEST_BATCH * PIXELS)
    clock = fs.Clock(samples_per_update={"tokens": batch_ramp(plan)}, sequence_length=PIXELS)
    in_updates = plan.in_updates(clock)
    sizes = [clock.samples(step + 1) - clock.samples(step) for step in range(int(in_updates.length))]
    return Run(plan, in_updates, sizes)


def in_tokens(plan: fs.Plan) -> fs.Plan:
    """A plan in tokens. One in updates has a constant batch size here."""
    if plan.unit == "tokens":
        return plan
    size = int(plan.at(0)["batch_tokens"])
    curves = {name: (fs.stretch(curve.schedule, size), curve.peak_value) for name, curve in plan.curves.items()}
    stages = {name: int(first) * size for name, first in plan.stages.items()}
    return fs.Plan(curves, run={"tokens": int(plan.length) * size}, stages=stages)


def batch_ramp(plan: fs.Plan) -> list[tuple[int, int]]:
    """The batch sizes in images, in 64 steps over the run: the pairs (tokens, size) at which the size changes."""
    name = "batch_size" if "batch_size" in plan.curves else "batch_tokens"
    curve, length = plan.curves[name], int(plan.length)
    counts = [length * i // 64 for i in range(64)]
    ramp = [(count, max(1, round(LARGEST_BATCH * curve.schedule(count)))) for count in counts]
    return [ramp[0], *(pair for before, pair in pairwise(ramp) if pair[1] != before[1])]


def data(run: Run) -> tuple[Array, Array, Array, list[Array]]:
    """Images, labels, the indices of the images in each update, and the initial weights."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    indices = random.integers(0, len(images), (len(run.sizes), LARGEST_BATCH))
    shapes = ((PIXELS, HIDDEN), (HIDDEN, DIGITS))
    weights = [random.normal(0, (2 / rows) ** 0.5, (rows, columns)).astype(np.float32) for rows, columns in shapes]
    return (images / 16).astype(np.float32), labels.astype(np.int64), indices, weights


def train_jax(run: Run) -> tuple[Array, float]:
    """The learning rates of all updates, as the optimizer of JAX has used them, and the accuracy."""
    import jax
    import jax.numpy as jnp
    import optax

    from bridges.optax import inject_plan

    images, labels, indices, initial = data(run)
    optimizer = inject_plan(run.updates, optax.adamw, b2=0.95)
    # All batches have the same length under jit: images past the size of the update have no weight.
    present = np.arange(LARGEST_BATCH) < np.array(run.sizes)[:, None]

    def loss(weights: Any, batch: Any, present: Any) -> Any:
        logits = jax.nn.relu(jnp.asarray(images)[batch] @ weights[0]) @ weights[1]
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(labels)[batch])
        return jnp.where(present, losses, 0.0).sum() / present.sum()

    def train_step(carry: Any, batch: Any) -> Any:
        weights, state = carry
        gradients = jax.grad(loss)(weights, *batch)
        updates, state = optimizer.update(gradients, state, weights)
        return (optax.apply_updates(weights, updates), state), state.hyperparams["learning_rate"]

    weights = [jnp.asarray(values) for values in initial]
    (weights, _), rates = jax.lax.scan(train_step, (weights, optimizer.init(weights)), (indices, present))
    return np.asarray(rates, np.float64), accuracy([np.asarray(values) for values in weights], images, labels)


def train_torch(run: Run) -> tuple[Array, float]:
    """The learning rates of all updates, as the optimizer of PyTorch has used them, and the accuracy."""
    import torch

    from bridges.torch import lambda_lr

    torch.set_num_threads(1)  # faster for such a small network
    images, labels, indices, initial = data(run)
    pixels, digits, batches = torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(indices)
    weights = [torch.nn.Parameter(torch.from_numpy(values)) for values in initial]
    optimizer = torch.optim.AdamW(weights, betas=(0.9, 0.95))
    scheduler = lambda_lr(optimizer, run.updates)
    rates = np.empty(len(run.sizes))
    for step, size in enumerate(run.sizes):
        rates[step] = optimizer.param_groups[0]["lr"]
        batch = batches[step, :size]
        logits = torch.relu(pixels[batch] @ weights[0]) @ weights[1]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, digits[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
    return rates, accuracy([values.detach().numpy() for values in weights], images, labels)


def accuracy(weights: list[Array], images: Array, labels: Array) -> float:
    logits = np.maximum(images @ weights[0], 0) @ weights[1]
    return float(np.mean(logits.argmax(axis=1) == labels))


def largest_difference(first: Array, second: Array) -> float:
    """The largest difference of two series, relative to the larger value."""
    larger = np.maximum(np.abs(first), np.abs(second))
    return float(np.max(np.abs(first - second) / np.where(larger > 0, larger, 1.0)))


if __name__ == "__main__":
    main()
