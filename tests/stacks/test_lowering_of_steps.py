"""Whole training steps for accelerators that are not here, and what a schedule adds to the kernels of one.

`tests/guarantees/test_lowering.py` lowers one schedule of each expression by itself.
"""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export
from mpmath import mpf

import funcsched as fs
from bridges.optax import to_optax
from examples.stacks import lowering as example
from tests import oracle
from tests.cases import CATALOGUE, Case

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
# What leaves the device, waits for Python, or ends a kernel.
INTERRUPTIONS = re.compile(
    r"callback|(?:stablehlo|chlo|mhlo)\.(?:custom_call|case|if|while|sort|rng\w*|infeed|outfeed|send|recv|all_\w+"
    r"|collective_\w+|reduce_scatter|partition_id|replica_id)"
)
NUMBERS = re.compile(r"tensor<(?:\d+x)*(\w+)>")


def module(function: Any, *arguments: Any) -> str:
    """The text of a program for all platforms."""
    exported = export.export(jax.jit(function), platforms=PLATFORMS)(*arguments)
    assert exported.platforms == PLATFORMS
    return exported.mlir_module()


def step_of(optimizer: optax.GradientTransformation) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A training step without a matrix product, in which JAX itself chooses by platform, and its arguments."""
    weights = jnp.ones(16)

    def step(weights: Any, state: Any, x: Any) -> Any:
        gradient = jax.grad(lambda weights: jnp.mean((x * weights) ** 2))(weights)
        changes, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, changes), state

    return step, (weights, optimizer.init(weights), weights)


@pytest.mark.parametrize("case", CATALOGUE, ids=str)
def test_a_step_with_any_schedule_is_one_program_of_32_bits_for_every_platform(case: Case) -> None:
    step, arguments = step_of(optax.sgd(to_optax(case.schedule, 0.5)))
    text = module(step, *arguments)
    assert not INTERRUPTIONS.search(text)
    assert set(NUMBERS.findall(text)) <= {"f32", "i32", "i1"}


RATE = to_optax(fs.cosine_restarts(50, times=3, warmup_steps=5, level_factor=0.5), 0.5)
OPTIMIZERS = {
    "adamw": lambda: optax.adamw(RATE),
    "lion": lambda: optax.lion(RATE),
    "momentum": lambda: optax.sgd(RATE, momentum=0.9, nesterov=True),
    "lamb": lambda: optax.lamb(RATE),
    "clipped": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(RATE)),
    "injected": lambda: optax.inject_hyperparams(optax.adamw)(learning_rate=RATE, weight_decay=to_optax(fs.constant())),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_of_any_optimizer_is_one_program_for_every_platform(name: str) -> None:
    step, arguments = step_of(OPTIMIZERS[name]())
    assert not INTERRUPTIONS.search(module(step, *arguments))


def test_a_loop_of_updates_lowers_for_every_platform() -> None:
    step, (weights, state, x) = step_of(optax.adamw(RATE))
    text = module(lambda *start: jax.lax.fori_loop(0, 10, lambda _, now: step(*now, x), start), weights, state)
    assert set(INTERRUPTIONS.findall(text)) == {"stablehlo.while"}


@pytest.mark.parametrize(
    ("found", "function"),
    [
        ("stablehlo.custom_call", lambda x: jnp.linalg.qr(x)[0]),
        ("stablehlo.sort", jnp.sort),
        ("stablehlo.while", lambda x: jax.lax.fori_loop(0, 10, lambda i, x: x + i, x)),
        ("stablehlo.case", lambda x: jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x)),
    ],
)
def test_an_interruption_would_be_found(found: str, function: Callable[..., Any]) -> None:
    text = jax.jit(function).trace(jnp.ones((2, 2))).lower(lowering_platforms=PLATFORMS[:1]).as_text()
    assert found in INTERRUPTIONS.findall(text)


def test_64_bits_would_be_found() -> None:
    with jax.enable_x64(True):
        assert {"f64", "i64"} <= set(NUMBERS.findall(module(RATE, jnp.int64(0))))


# The example, from bytes.

LOADS = """
import json, sys
from pathlib import Path
import numpy as np
from jax import export

step = export.deserialize(bytearray(Path("step").read_bytes()))
leaves, rates = list(np.load("start.npz").values()), []
for _ in range(int(sys.argv[1])):
    leaves, rate = step.call(leaves, np.ones((64, 16), np.float32))
    rates.append(float(rate))
assert not {"optax", "funcsched", "bridges"} & set(sys.modules)
print(json.dumps(rates))
"""


def formula(step: int) -> float:
    warmup, end = 4, 0.1
    if step < warmup:
        return 0.125 * step / warmup
    return 0.125 * (end + (1 - end) * (1 + math.cos(math.pi * min(step - warmup, 8) / 8)) / 2)


def test_the_exported_step_uses_the_rates_of_the_formula(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("flatbuffers", reason="JAX writes exported programs with it")
    used = example.main()
    assert len(used) == example.UPDATES
    assert max(oracle.ulps(rate, mpf(formula(step)), 24) for step, rate in enumerate(used)) <= 4
    assert capsys.readouterr().out.startswith("a step for cuda, rocm, tpu, cpu: 0.0000 0.0312 0.0625 0.0938 0.1250 ")


def test_a_process_without_the_schedule_runs_the_exported_step(tmp_path: Path) -> None:
    pytest.importorskip("flatbuffers", reason="JAX writes exported programs with it")
    (tmp_path / "step").write_bytes(example.exported().serialize())
    np.savez(tmp_path / "start.npz", *jax.tree.leaves(example.START))
    updates = example.UPDATES + 5  # past the end, which holds
    command = [sys.executable, "-W", "error", "-c", LOADS, str(updates)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    used = json.loads(done.stdout)
    assert len(used) == updates
    assert max(oracle.ulps(rate, mpf(formula(step)), 24) for step, rate in enumerate(used)) <= 4


# What a schedule adds to the kernels of a compiled step, here for the CPU.

INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (?:\(.*?\)|\S+) ([a-z-]+)\(", re.MULTILINE)
NO_KERNEL = {"bitcast", "constant", "get-tuple-element", "parameter", "tuple"}


@cache
def kernels(make: Callable[[Any], optax.GradientTransformation], rate: Any) -> int:
    """How many kernels a training step of two layers has: the instructions of the entry that do something."""
    optimizer = make(rate)
    weights = {"first": jnp.ones((8, 16)), "bias": jnp.ones(16), "second": jnp.ones((16, 2))}

    def step(weights: Any, state: Any, x: Any) -> Any:
        def loss(weights: Any) -> Any:
            return jnp.mean((jnp.tanh(x @ weights["first"] + weights["bias"]) @ weights["second"]) ** 2)

        changes, state = optimizer.update(jax.grad(loss)(weights), state, weights)
        return optax.apply_updates(weights, changes), state

    text = jax.jit(step).lower(weights, optimizer.init(weights), jnp.ones((32, 8))).compile().as_text()
    entry = re.search(r"^ENTRY .*?^}", text, re.MULTILINE | re.DOTALL).group()
    counts = Counter(INSTRUCTION.findall(entry))
    assert counts["parameter"] >= 4 and counts["fusion"], "the text has another form than it had"
    return sum(n for opcode, n in counts.items() if opcode not in NO_KERNEL)


# One kernel counts the updates, as with any schedule of optax. The rate becomes part of the kernels that change the
# weights, up to one square root or exponential of it, which are kernels of their own.
ADDED = {
    "warmup_linear": (fs.warmup_linear(10, 100), 1),
    "warmup_cosine": (fs.warmup_cosine(10, 100, end=0.1), 1),
    "warmup_stable_decay": (fs.warmup_stable_decay(10, 80, 10), 1),
    "one_cycle": (fs.one_cycle(30, 100), 1),
    "table": (fs.table([0.5, 1.0, 0.25]), 1),
    "warmup_inverse_sqrt": (fs.warmup_inverse_sqrt(10), 2),
    "warmup_exponential": (fs.warmup_exponential(10, 100, 0.5), 3),
}


@pytest.mark.parametrize("name", ADDED)
def test_a_schedule_adds_one_to_three_kernels_to_a_step(name: str) -> None:
    schedule, most = ADDED[name]
    added = kernels(optax.sgd, to_optax(schedule, 0.5)) - kernels(optax.sgd, 0.5)
    assert 0 < added <= most


def test_a_schedule_adds_one_kernel_to_a_step_of_adamw() -> None:
    assert kernels(optax.adamw, to_optax(ADDED["warmup_cosine"][0], 0.5)) == kernels(optax.adamw, 0.5) + 1


def test_a_cosine_adds_no_more_kernels_than_that_of_optax() -> None:
    theirs = optax.warmup_cosine_decay_schedule(0.0, 0.5, 10, 100, 0.05)
    assert kernels(optax.sgd, to_optax(ADDED["warmup_cosine"][0], 0.5)) <= kernels(optax.sgd, theirs)


def test_a_kernel_more_would_be_counted() -> None:
    def sorts(count: Any) -> Any:
        return jnp.sort(jnp.arange(8.0) * count)[3]

    assert kernels(optax.sgd, sorts) > kernels(optax.sgd, 0.5) + 1
