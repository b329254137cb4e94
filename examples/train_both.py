"""Train one network twice, in JAX with optax and in PyTorch with LambdaLR, driven by one schedule.

Both runs start from the same weights and see the same batches of scikit-learn's scanned digits. Printed are the
learning rates both truly used and both accuracies; a figure shows the learning rates and the losses.

    python examples/train_both.py
    python examples/train_both.py --schedule warmup_linear --steps 300
    python examples/train_both.py --schedule "join([ramp(0, 1, steps=50), constant(0.5)], [50])" --peak 0.005
"""

from __future__ import annotations

import argparse
import ast
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

# The rest is imported where it is used, so that a mistake on the command line is answered at once.

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PIXELS, HIDDEN, DIGITS = 64, 64, 10
TRAINING_IMAGES, TEST_IMAGES = 1437, 360
# All of them are given to both, because the frameworks disagree about the default weight decay.
BETAS, EPSILON, WEIGHT_DECAY = (0.9, 0.999), 1e-8, 1e-4
HIGHEST_RATE = 1e6  # far above any use, and far below where float32 ends

SHAPES = {name: value for name in fs.__all__ if isinstance(value := getattr(fs, name), fs.Shape)}
FACTORIES = {name: value for name in fs.__all__ if inspect.isfunction(value := getattr(fs, name))}


class Data(NamedTuple):
    training_images: Floats
    training_labels: Integers
    test_images: Floats
    test_labels: Integers


class Task(NamedTuple):
    """All that the two runs share."""

    schedule: fs.Schedule
    peak: float
    data: Data
    weights: list[Floats]
    batches: Integers


class Run(NamedTuple):
    """What one framework did: at each update the rate and the loss, and in the end the test accuracy."""

    rates: Floats
    losses: Floats
    accuracy: float


def main() -> None:
    options, schedule = read_command_line()
    batches = shuffled_batches(options.steps, options.batch_size, options.seed)
    task = Task(schedule, options.peak, load_data(options.seed), initial_weights(options.seed), batches)
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

    # inject_hyperparams keeps the rate of each update where it can be read.
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

    def update(state: Any, batch: Any) -> Any:
        weights, optimizer_state = state
        value, gradients = jax.value_and_grad(loss)(weights, batch)
        changes, optimizer_state = optimizer.update(gradients, optimizer_state, weights)
        rate = optimizer_state.hyperparams["learning_rate"]
        return (optax.apply_updates(weights, changes), optimizer_state), (rate, value)

    @jax.jit
    def updates(state: Any, batches: Any) -> Any:
        return jax.lax.scan(update, state, batches)

    weights = [jnp.asarray(values) for values in task.weights]
    state = weights, optimizer.init(weights)
    rates, losses = np.empty((2, len(task.batches)), np.float32)
    for chunk in chunks(len(task.batches)):
        state, (rates[chunk], losses[chunk]) = updates(state, task.batches[chunk])
        show_progress("JAX", chunk.stop, len(losses), losses[chunk])
    logits = network(state[0], task.data.test_images)
    return Run(rates, losses, accuracy(np.asarray(logits), task.data.test_labels))


def train_torch(task: Task) -> Run:
    import torch

    from bridges.torch import lambda_lr

    torch.set_num_threads(1)  # with more, threads wait for each other: the network is small
    network = torch.nn.Sequential(
        torch.nn.Linear(PIXELS, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, DIGITS),
    )
    with torch.no_grad():
        for parameter, values in zip(network.parameters(), task.weights, strict=True):
            parameter.copy_(torch.from_numpy(values.T))  # torch keeps the matrix of a layer transposed
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


# --- what they share --------------------------------------------------------------------------------------------------


def load_data(seed: int) -> Data:
    """Scanned digits of 8 by 8 pixels from 0 to 1, each digit with the same share of both parts."""
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
    """Matrix and bias of both layers, of He's variance."""
    random = np.random.default_rng(seed)
    weights: list[Floats] = []
    for inputs, outputs in ((PIXELS, HIDDEN), (HIDDEN, DIGITS)):
        matrix = random.normal(0, math.sqrt(2 / inputs), (inputs, outputs))
        weights += [matrix.astype(np.float32), np.zeros(outputs, np.float32)]
    return weights


def shuffled_batches(steps: int, size: int, seed: int) -> Integers:
    """The images of each batch: one shuffled pass through the training images after another."""
    random = np.random.default_rng(seed)
    passes = [random.permutation(TRAINING_IMAGES) for _ in range(math.ceil(steps * size / TRAINING_IMAGES))]
    return np.concatenate(passes)[: steps * size].reshape(steps, size)


def accuracy(logits: Floats, labels: Integers) -> float:
    return float(np.mean(logits.argmax(axis=1) == labels))


def chunks(steps: int) -> list[slice]:
    """The updates between two reports of progress: a terminal line can be rewritten often, a log cannot."""
    reports = min(20 if sys.stdout.isatty() else 4, steps)
    ends = [steps * i // reports for i in range(reports + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def show_progress(framework: str, done: int, steps: int, losses: Floats) -> None:
    line = f"{framework:<7}  update {done:>{len(str(steps))}} of {steps}  mean loss {losses.mean():.4f}"
    print(line, end="\r" if sys.stdout.isatty() and done < steps else "\n", flush=True)


# --- what is shown ----------------------------------------------------------------------------------------------------


def ulps(rates: Floats, reference: Floats) -> Floats:
    """The differences in units of the float32 spacing at the reference."""
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
    print(f"largest difference of {steps} updates: {difference.max():.2f} ulp of float32, {absolute:.1e} absolute")


def means(values: Floats | Integers, size: int) -> Floats:
    """The mean of every `size` values."""
    return np.array([values[i : i + size].mean() for i in range(0, len(values), size)])


def draw(jax: Run, torch: Run, title: str, path: Path) -> None:
    # A figure without pyplot draws to the file alone, on machines without a display too.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    updates = np.arange(len(jax.losses))
    size = math.ceil(len(updates) / 60)  # single batches are so noisy that the noise would hide the curves
    for axes, x, jax_values, torch_values in (
        (upper, updates, jax.rates, torch.rates),
        (lower, means(updates, size), means(jax.losses, size), means(torch.losses, size)),
    ):
        # The curves lie on each other: the wide one stays visible beside the thin one.
        axes.plot(x, jax_values, color="#9ecae1", linewidth=6, solid_capstyle="butt", label="JAX, optax")
        axes.plot(x, torch_values, color="#7f2704", linewidth=1.4, dashes=(4, 2.5), label="PyTorch, LambdaLR")
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    upper.set_ylabel("learning rate")
    # From 0: close to a constant rate the axis would show nothing but the rounding of float32.
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
        prog="train_both.py", description="Train one network in JAX and in PyTorch, driven by one schedule."
    )
    parser.add_argument(
        "--schedule",
        default="warmup_cosine",
        help="an expression such as 'warmup_cosine(50, 500, end=0.1)', or a name alone, which takes its lengths from "
        f"--steps (a tenth is warmup): {', '.join(named_schedules(1))}; default: %(default)s",
    )
    parser.add_argument("--peak", type=peak, default=0.01, help="the rate at multiplier 1, default: %(default)s")
    parser.add_argument("--steps", type=whole(2, 100_000), default=600, help="updates to make, default: %(default)s")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=0, help="default: %(default)s")
    parser.add_argument("--batch-size", type=whole(1, TRAINING_IMAGES), default=64, help="default: %(default)s")
    parser.add_argument("--figure", type=png, default=Path("train_both.png"), help="default: %(default)s")
    options = parser.parse_args()
    try:
        schedule = parse_schedule(options.schedule, options.steps)
        check_rates(schedule, options.peak, options.steps)
        check_horizon(schedule)
    except (TypeError, ValueError) as error:
        parser.error(f"argument --schedule: {error}")
    return options, schedule


def whole(least: int, most: int) -> Callable[[str], int]:
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
    if not 0 < value <= HIGHEST_RATE:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most {HIGHEST_RATE:.0f}, got {text!r}")
    return value


def png(text: str) -> Path:
    """A path that can be written: to learn that after the training would be late."""
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
    """The schedule that a name alone or an expression stands for."""
    named = named_schedules(steps)
    if text in named:
        return named[text]
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no expression: {error.msg}") from None
    value = evaluate(expression)
    if not isinstance(value, fs.Schedule):
        raise ValueError(f"must be a schedule, got {text!r}")
    return value


def named_schedules(steps: int) -> dict[str, fs.Schedule]:
    """The schedules that need nothing but lengths, and that a run without warmup has too."""
    lengths = {"warmup_steps": steps // 10, "total_steps": steps}
    schedules = {}
    for name, factory in FACTORIES.items():
        parameters = inspect.signature(factory).parameters
        needed = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
        if needed <= lengths.keys() and "timescale" not in parameters:
            schedules[name] = factory(**{argument: lengths[argument] for argument in needed})
    return schedules


def evaluate(node: ast.expr) -> Any:
    """The value of an expression of the library's names and numbers; nothing else is looked up or called."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [evaluate(item) for item in items]
        case ast.Name(id=name) if name in SHAPES:
            return SHAPES[name]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords) if name in FACTORIES:
            named = {keyword.arg: evaluate(keyword.value) for keyword in keywords if keyword.arg}
            if len(named) == len(keywords):
                return FACTORIES[name](*map(evaluate, arguments), **named)
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)) if name not in FACTORIES:
            raise ValueError(f"unknown name {name!r}, choose from {', '.join(sorted({*FACTORIES, *SHAPES}))}")
    raise ValueError(f"{ast.unparse(node)!r} is not a call of the library, a shape, a number or a list")


def check_rates(schedule: fs.Schedule, peak: float, steps: int) -> None:
    highest = max(peak * schedule(step) for step in range(steps))
    if highest > HIGHEST_RATE:
        raise ValueError(f"the rate must be at most {HIGHEST_RATE:.0f} at every update, got {highest:g}")


def check_horizon(schedule: fs.Schedule) -> None:
    """Raise ValueError now, not in the training, if the schedule is too long for the 32-bit integers of JAX."""
    import jax

    jax.eval_shape(schedule, np.int32(0))


if __name__ == "__main__":
    main()
