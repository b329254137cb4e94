"""Continue in JAX a run of which only the log is left: find its schedule, plot it, and train from its last step on.

    python examples/continue_from_log.py checkpoint-600/trainer_state.json

The log is the `trainer_state.json` of transformers. Other logs work in the same way, but do not have the number of
updates, which is then an argument of your own. Needs the extra `examples`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

import funcsched as fs
from bridges.optax import to_optax

Loss = Callable[[Any, Any], Any]


def rates_of(path: Path) -> tuple[fs.Identified, int]:
    """The schedule of a log, and the number of updates that the run has made."""
    result = fs.identify(*fs.read_log(path))
    if result is None or result.departure is not None:
        raise SystemExit(f"{path}: no schedule explains all points" + (f"; {result.reason}" if result else ""))
    return result, json.loads(path.read_text())["global_step"]


def continue_run(
    loss: Loss,
    parameters: Any,
    batches: Iterable[Any],
    rate: optax.Schedule,
    make_optimizer: Callable[[optax.Schedule], optax.GradientTransformation],
) -> Any:
    """Train on some batches."""
    optimizer = make_optimizer(rate)

    @jax.jit
    def update(parameters: Any, state: Any, batch: Any) -> tuple[Any, Any]:
        gradients = jax.grad(loss)(parameters, batch)
        updates, state = optimizer.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state

    state = optimizer.init(parameters)
    for batch in batches:
        parameters, state = update(parameters, state, batch)
    return parameters


def remaining_rate(result: fs.Identified, made: int) -> optax.Schedule:
    """The learning rate of a new optimizer, whose step 0 is step `made` of the run."""
    return to_optax(fs.shift(result.schedule, made), result.peak_value)


def classify(parameters: Any, images: Any) -> Any:
    return jnp.tanh(images @ parameters["hidden"]) @ parameters["output"]


def cross_entropy(parameters: Any, batch: Any) -> Any:
    images, labels = batch
    return optax.softmax_cross_entropy_with_integer_labels(classify(parameters, images), labels).mean()


def main() -> None:
    parser = argparse.ArgumentParser(prog="continue_from_log.py", description="Continue the run of a log in JAX.")
    parser.add_argument("log", type=Path, help="the trainer_state.json of a run")
    parser.add_argument("--updates", type=int, help="updates to make (default: up to the end of the schedule)")
    parser.add_argument("--figure", type=Path, default=Path("continue_from_log.png"), help="default: %(default)s")
    options = parser.parse_args()

    result, made = rates_of(options.log)
    print(f"{result.expression}, {'certain' if result.certain else 'not certain'}")
    total = result.schedule.arguments().get("total_steps", made + 500)
    count = options.updates or max(total - made, 0)
    fs.plot(result.schedule, peak_value=result.peak_value, steps=made + count, path=options.figure)

    # Replace these by the model, the weights and the data of the run.
    digits = load_digits()
    images, labels = np.asarray(digits.data / 16, np.float32), digits.target
    random = np.random.default_rng(0)
    parameters = {"hidden": random.normal(0, 0.1, (64, 32)), "output": random.normal(0, 0.1, (32, 10))}
    parameters = {name: jnp.float32(value) for name, value in parameters.items()}
    chosen = (random.integers(0, 1500, 64) for _ in range(count))
    batches = ((images[rows], labels[rows]) for rows in chosen)

    rate = remaining_rate(result, made)
    parameters = continue_run(cross_entropy, parameters, batches, rate, optax.adamw)
    accuracy = float((classify(parameters, images[1500:]).argmax(axis=1) == labels[1500:]).mean())
    print(f"updates {made} to {made + count}, rate {float(rate(0)):.4g} to {float(rate(count)):.4g}")
    print(f"accuracy on other images: {accuracy:.2f}; figure: {options.figure}")


if __name__ == "__main__":
    main()
