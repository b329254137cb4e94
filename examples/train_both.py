"""Train the same network in JAX (optax) and in PyTorch (LambdaLR) with one schedule.

Both runs start from the same weights and use the same batches of scikit-learn's digits dataset. The script prints the
learning rates that both runs used and their accuracies, and saves a figure of the learning rates and losses.

    python examples/train_both.py
    python examples/train_both.py --schedule warmup_linear --steps 300
    python examples/train_both.py --schedule "join([ramp(0, 1, steps=50), constant(0.5)], [50])" --peak-value 0.005
"""

from __future__ import annotations

import argparse
import inspect
import math
import sys
import textwrap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import funcsched as fs

# The frameworks are imported where they are used, so that mistakes on the command line are reported immediately.

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PIXELS, HIDDEN, DIGITS = 64, 64, 10
TRAINING_IMAGES, TEST_IMAGES = 1437, 360
# Passed to both optimizers, because their default weight decay differs.
BETAS, EPSILON, WEIGHT_DECAY = (0.9, 0.999), 1e-8, 1e-4
MAX_RATE = 1e6  # far above any useful rate, and far below the largest float32


class Data(NamedTuple):
    training_images: Floats
    training_labels: Integers
    test_images: Floats
    test_labels: Integers


class Task(NamedTuple):
    """What both runs share."""

    schedule: fs.Schedule
    peak: float
    data: Data
    weights: list[Floats]
    batches: Integers


class Run(NamedTuple):
    """The result of one framework: learning rate and loss of every update, and the test accuracy."""

    rates: Floats
    losses: Floats
    accuracy: float


def main() -> None:
    options, schedule = read_command_line()
    batches = shuffled_batches(options.steps, options.batch_size, options.seed)
    task = Task(schedule, options.peak_value, load_data(options.seed), initial_weights(options.seed), batches)
    title = f"learning rate: {task.peak} * {schedule!r}"
    print(title)
    jax, torch = train_jax(task), train_torch(task)
    print()
    print_rates(jax.rates, torch.rates)
    print(f"accuracy on {TEST_IMAGES} test images: JAX {jax.accuracy:.2%}, PyTorch {torch.accuracy:.2%}")
    draw(jax, torch, title, options.figure)
    print(f"figure saved as {options.figure}")


# --- the two frameworks -----------------------------------------------------------------------------------------------


def train_jax(task: Task) -> Run:
    import jax
    import jax.numpy as jnp
    import optax

    from bridges.optax import to_optax

    # inject_hyperparams stores the learning rate of each update in the optimizer state.
    optimizer = optax.inject_hyperparams(optax.adamw)(
        learning_rate=to_optax(task.schedule, task.peak),
        b1=BETAS[0],
        b2=BETAS[1],
        eps=EPSILON,
        weight_decay=WEIGHT_DECAY,
    )
    images, labels = jnp.asarray(task.data.training_images), jnp.asarray(task.data.training_labels)

    def network(weights: Any, images: Any) -> Any:
        w1, b1, w2, b2 = weights
        return jax.nn.relu(images @ w1 + b1) @ w2 + b2

    def loss(weights: Any, batch: Any) -> Any:
        logits = network(weights, images[batch])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[batch]).mean()

    def train_step(state: Any, batch: Any) -> Any:
        weights, optimizer_state = state
        value, gradients = jax.value_and_grad(loss)(weights, batch)
        updates, optimizer_state = optimizer.update(gradients, optimizer_state, weights)
        rate = optimizer_state.hyperparams["learning_rate"]
        return (optax.apply_updates(weights, updates), optimizer_state), (rate, value)

    @jax.jit
    def train(state: Any, batches: Any) -> Any:
        return jax.lax.scan(train_step, state, batches)

    weights = [jnp.asarray(values) for values in task.weights]
    state = weights, optimizer.init(weights)
    rates, losses = np.empty((2, len(task.batches)), np.float32)
    for chunk in chunks(len(task.batches)):
        state, (rates[chunk], losses[chunk]) = train(state, task.batches[chunk])
        show_progress("JAX", chunk.stop, len(losses), losses[chunk])
    logits = network(state[0], task.data.test_images)
    return Run(rates, losses, accuracy(np.asarray(logits), task.data.test_labels))


def train_torch(task: Task) -> Run:
    import torch

    from bridges.torch import lambda_lr

    torch.set_num_threads(1)  # faster for such a small network
    network = torch.nn.Sequential(
        torch.nn.Linear(PIXELS, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, DIGITS),
    )
    with torch.no_grad():
        for parameter, values in zip(network.parameters(), task.weights, strict=True):
            parameter.copy_(torch.from_numpy(values.T))  # torch stores the matrix of a layer transposed
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=task.peak, betas=BETAS, eps=EPSILON, weight_decay=WEIGHT_DECAY
    )
    scheduler = lambda_lr(optimizer, task.schedule)
    images, labels = torch.from_numpy(task.data.training_images), torch.from_numpy(task.data.training_labels)
    batches = torch.from_numpy(task.batches)

    rates, losses = np.empty((2, len(batches)), np.float64)
    for chunk in chunks(len(batches)):
        for i in range(chunk.start, chunk.stop):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(images[batches[i]]), labels[batches[i]])
            loss.backward()  # type: ignore[no-untyped-call]
            rates[i], losses[i] = optimizer.param_groups[0]["lr"], loss.item()
            optimizer.step()
            scheduler.step()
        show_progress("PyTorch", chunk.stop, len(losses), losses[chunk])
    with torch.no_grad():
        logits = network(torch.from_numpy(task.data.test_images)).numpy()
    return Run(rates, losses, accuracy(logits, task.data.test_labels))


# --- shared by both --------------------------------------------------------------------------------------------------


def load_data(seed: int) -> Data:
    """Digits as 8x8 pixels from 0 to 1, split into training and test images, stratified by digit."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    training_images, test_images, training_labels, test_labels = train_test_split(
        (images / 16).astype(np.float32),
        labels.astype(np.int64),
        train_size=TRAINING_IMAGES,
        test_size=TEST_IMAGES,
        stratify=labels,
        random_state=seed,
    )
    return Data(training_images, training_labels, test_images, test_labels)


def initial_weights(seed: int) -> list[Floats]:
    """Matrix and bias of both layers (He initialization)."""
    random = np.random.default_rng(seed)
    weights: list[Floats] = []
    for inputs, outputs in ((PIXELS, HIDDEN), (HIDDEN, DIGITS)):
        matrix = random.normal(0, math.sqrt(2 / inputs), (inputs, outputs))
        weights += [matrix.astype(np.float32), np.zeros(outputs, np.float32)]
    return weights


def shuffled_batches(steps: int, size: int, seed: int) -> Integers:
    """The indices of the images in each batch, shuffled anew for each epoch."""
    random = np.random.default_rng(seed)
    epochs = [random.permutation(TRAINING_IMAGES) for _ in range(math.ceil(steps * size / TRAINING_IMAGES))]
    return np.concatenate(epochs)[: steps * size].reshape(steps, size)


def accuracy(logits: Floats, labels: Integers) -> float:
    return float(np.mean(logits.argmax(axis=1) == labels))


def chunks(steps: int) -> list[slice]:
    """The updates of each progress report: 20 reports in a terminal, where each overwrites the last, and 4 in a log."""
    reports = min(20 if sys.stdout.isatty() else 4, steps)
    boundaries = [steps * i // reports for i in range(reports + 1)]
    return [slice(start, stop) for start, stop in pairwise(boundaries)]


def show_progress(framework: str, done: int, steps: int, losses: Floats) -> None:
    line = f"{framework:<7}  update {done:>{len(str(steps))}} of {steps}  mean loss {losses.mean():.4f}"
    print(line, end="\r" if sys.stdout.isatty() and done < steps else "\n", flush=True)


# --- output ----------------------------------------------------------------------------------------------------


def ulps(rates: Floats, reference: Floats) -> Floats:
    """The absolute differences, in float32 ulps of the reference."""
    smallest = np.finfo(np.float32).tiny
    spacing = np.spacing(np.maximum(np.abs(reference), smallest).astype(np.float32))
    return np.abs(rates.astype(np.float64) - reference) / spacing


def print_rates(jax: Floats, torch: Floats) -> None:
    steps = len(jax)
    difference = ulps(jax, torch)
    print("update  JAX (optax)     PyTorch (LambdaLR)  difference")
    for i in sorted({*range(0, steps, math.ceil(steps / 10)), steps - 1}):
        print(f"{i:>6}  {jax[i]:<14.8e}  {torch[i]:<18.8e}  {difference[i]:.2f} ulp")
    absolute = np.abs(jax.astype(np.float64) - torch).max()
    print(f"largest difference in {steps} updates: {difference.max():.2f} ulp of float32, {absolute:.1e} absolute")


def means(values: Floats | Integers, size: int) -> Floats:
    """The mean of each group of `size` consecutive values."""
    return np.array([values[i : i + size].mean() for i in range(0, len(values), size)])


def draw(jax: Run, torch: Run, title: str, path: Path) -> None:
    # Without pyplot, a figure needs no display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    updates = np.arange(len(jax.losses))
    size = math.ceil(len(updates) / 60)  # the losses of single batches are too noisy
    for axes, x, jax_values, torch_values in (
        (upper, updates, jax.rates, torch.rates),
        (lower, means(updates, size), means(jax.losses, size), means(torch.losses, size)),
    ):
        # The curves coincide: a wide line behind a thin one keeps both visible.
        axes.plot(x, jax_values, color="#9ecae1", linewidth=6, solid_capstyle="butt", label="JAX, optax")
        axes.plot(x, torch_values, color="#7f2704", linewidth=1.4, dashes=(4, 2.5), label="PyTorch, LambdaLR")
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    upper.set_ylabel("learning rate")
    # Start at 0. Otherwise the axis for a constant rate would only show float32 rounding.
    highest = torch.rates.max() or 1.0
    upper.set_ylim(-0.04 * highest, 1.04 * highest)
    upper.legend(frameon=False)
    lower.set_ylabel("training loss (nats)" + (f",\nmean of {size} updates" if size > 1 else ""))
    lower.set_yscale("log")
    lower.yaxis.set_major_formatter("{x:g}")
    lower.set_xlabel("update")
    figure.suptitle(textwrap.fill(title, 90), fontsize=11, family="monospace")
    figure.savefig(path, dpi=150, format="png")


# --- the command line -------------------------------------------------------------------------------------------------


def read_command_line() -> tuple[argparse.Namespace, fs.Schedule]:
    parser = argparse.ArgumentParser(
        prog="train_both.py", description="Train the same network in JAX and in PyTorch with one schedule."
    )
    parser.add_argument(
        "--schedule",
        default="warmup_cosine",
        help="an expression such as 'warmup_cosine(50, 500, end=0.1)', or only a name, which gets its lengths from "
        f"--steps (a tenth is warmup): {', '.join(schedules_by_name(1))}; default: %(default)s",
    )
    parser.add_argument(
        "--peak-value", type=peak, default=0.01, help="learning rate at multiplier 1, default: %(default)s"
    )
    parser.add_argument("--steps", type=integer(2, 100_000), default=600, help="updates to make, default: %(default)s")
    parser.add_argument("--seed", type=integer(0, 2**32 - 1), default=0, help="default: %(default)s")
    parser.add_argument("--batch-size", type=integer(1, TRAINING_IMAGES), default=64, help="default: %(default)s")
    parser.add_argument("--figure", type=png, default=Path("train_both.png"), help="default: %(default)s")
    options = parser.parse_args()
    try:
        schedule = parse_schedule(options.schedule, options.steps)
        check_rates(schedule, options.peak_value, options.steps)
    except (TypeError, ValueError) as error:
        parser.error(f"argument --schedule: {error}")
    return options, schedule


def integer(least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be an integer from {least} to {most}, got {text!r}")
        return int(text)

    return convert


def peak(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_RATE:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most {MAX_RATE:.0f}, got {text!r}")
    return value


def png(text: str) -> Path:
    """The path of a PNG file, checked before training so that a long run does not fail at the end."""
    path = Path(text)
    if path.suffix != ".png":
        raise argparse.ArgumentTypeError(f"must end in .png, got {text!r}")
    try:
        existed = path.exists()
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {text!r}: {error.strerror}") from None
    return path


def parse_schedule(text: str, steps: int) -> fs.Schedule:
    """A schedule from its name alone or from an expression."""
    by_name = schedules_by_name(steps)
    return by_name[text] if text in by_name else fs.parse(text)


def schedules_by_name(steps: int) -> dict[str, fs.Schedule]:
    """The schedules that require no arguments except `warmup_steps` and `total_steps`, and allow no warmup."""
    lengths = {"warmup_steps": steps // 10, "total_steps": steps}
    schedules = {}
    for name in fs.__all__:
        factory = getattr(fs, name)
        if not inspect.isfunction(factory):
            continue
        parameters = inspect.signature(factory).parameters
        required = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
        # A timescale defaults to the warmup, which must then be at least 1.
        if required <= lengths.keys() and "timescale" not in parameters:
            result = factory(**{argument: lengths[argument] for argument in required})
            if isinstance(result, fs.Schedule):
                schedules[name] = result
    return schedules


def check_rates(schedule: fs.Schedule, peak: float, steps: int) -> None:
    """Raise if a learning rate is so large that float32 could overflow."""
    highest = max(peak * schedule(step) for step in range(steps))
    if highest > MAX_RATE:
        raise ValueError(f"the learning rate must be at most {MAX_RATE:.0f} at every update, got {highest:g}")


if __name__ == "__main__":
    main()
