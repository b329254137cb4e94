"""Training steps lowered for accelerators that are not available, and the kernels that a schedule adds to a step.

`tests/guarantees/test_lowering.py` lowers schedules without a training step.
"""

import json
import re
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

import funcsched as fs
from bridges.optax import to_optax
from examples.stacks import lowering as example
from tests import oracle
from tests.cases import CATALOGUE, Case
from tests.stacks.curves import TOLERANCE, max_ulps
from tests.stacks.jax_helpers import count_opcodes
from tests.stacks.processes import run_python

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
# Operations that leave the device, call Python, or end a kernel.
INTERRUPTIONS = re.compile(
    r"callback|(?:stablehlo|chlo|mhlo)\.(?:custom_call|case|if|while|sort|rng\w*|infeed|outfeed|send|recv|all_\w+"
    r"|collective_\w+|reduce_scatter|partition_id|replica_id)"
)
DTYPES = re.compile(r"tensor<(?:\d+x)*(\w+)>")


def lower(function: Any, *arguments: Any) -> str:
    """The text of the program for all platforms."""
    exported = export.export(jax.jit(function), platforms=PLATFORMS)(*arguments)
    assert exported.platforms == PLATFORMS
    return exported.mlir_module()


def build_step(optimizer: optax.GradientTransformation) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A training step and its arguments. It has no matrix product, because JAX lowers that by platform."""
    weights = jnp.ones(16)

    def step(weights: Any, state: Any, x: Any) -> Any:
        gradient = jax.grad(lambda weights: jnp.mean((x * weights) ** 2))(weights)
        updates, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state

    return step, (weights, optimizer.init(weights), weights)


@pytest.mark.parametrize("case", CATALOGUE, ids=str)
def test_a_step_with_any_schedule_lowers_to_one_32_bit_program_for_all_platforms(case: Case) -> None:
    step, arguments = build_step(optax.sgd(to_optax(case.schedule, 0.5)))
    text = lower(step, *arguments)
    assert not INTERRUPTIONS.search(text)
    assert set(DTYPES.findall(text)) <= {"f32", "i32", "i1"}


RATE = to_optax(fs.cosine_restarts(50, times=3, warmup_steps=5, level_factor=0.5), 0.5)
OPTIMIZERS = {
    "adamw": lambda: optax.adamw(RATE),
    "lion": lambda: optax.lion(RATE),
    "momentum": lambda: optax.sgd(RATE, momentum=0.9, nesterov=True),
    "lamb": lambda: optax.lamb(RATE),
    "clipped": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(RATE)),
    "injected": lambda: optax.inject_hyperparams(optax.adamw)(
        learning_rate=RATE, weight_decay=to_optax(fs.constant(), 1)
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_of_any_optimizer_lowers_to_one_program_for_all_platforms(name: str) -> None:
    step, arguments = build_step(OPTIMIZERS[name]())
    assert not INTERRUPTIONS.search(lower(step, *arguments))


def test_a_loop_of_updates_lowers_to_one_program_for_all_platforms() -> None:
    step, (weights, state, x) = build_step(optax.adamw(RATE))
    text = lower(lambda *start: jax.lax.fori_loop(0, 10, lambda _, carry: step(*carry, x), start), weights, state)
    assert set(INTERRUPTIONS.findall(text)) == {"stablehlo.while"}


# Controls: the checks above detect interruptions and 64-bit types.
@pytest.mark.parametrize(
    ("operation", "function"),
    [
        ("stablehlo.custom_call", lambda x: jnp.linalg.qr(x)[0]),
        ("stablehlo.sort", jnp.sort),
        ("stablehlo.while", lambda x: jax.lax.fori_loop(0, 10, lambda i, x: x + i, x)),
        ("stablehlo.case", lambda x: jax.lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x)),
    ],
)
def test_an_interruption_is_detected(operation: str, function: Callable[..., Any]) -> None:
    text = jax.jit(function).trace(jnp.ones((2, 2))).lower(lowering_platforms=PLATFORMS[:1]).as_text()
    assert operation in INTERRUPTIONS.findall(text)


def test_64_bit_types_are_detected() -> None:
    with jax.enable_x64(True):
        assert {"f64", "i64"} <= set(DTYPES.findall(lower(RATE, jnp.int64(0))))


# The example.

EXACT = oracle.warmup_cosine(4, 12, 0.0, 0.1)
RUN_EXPORTED_STEP = """
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


def test_the_example_uses_the_rates_of_the_formula(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("flatbuffers", reason="JAX serializes exported programs with it")
    rates = example.main()
    assert len(rates) == 12 and max_ulps(rates, EXACT, peak=0.125) <= TOLERANCE
    output = capsys.readouterr().out
    assert output.startswith("exported for cuda, rocm, tpu, cpu; learning rates: 0.0000 0.0312 0.0625 0.0938 0.1250 ")


def test_a_process_without_this_library_runs_the_exported_step(tmp_path: Path) -> None:
    pytest.importorskip("flatbuffers", reason="JAX serializes exported programs with it")
    (tmp_path / "step").write_bytes(example.export_step().serialize())
    np.savez(tmp_path / "start.npz", *jax.tree.leaves(example.START))
    done = run_python("-W", "error", "-c", RUN_EXPORTED_STEP, 17, cwd=tmp_path)  # updates past the end
    assert done.stderr == ""
    rates = json.loads(done.stdout)
    assert len(rates) == 17 and max_ulps(rates, EXACT, peak=0.125) <= TOLERANCE


# The kernels that a schedule adds to a compiled step, here for the CPU.

NO_KERNEL = {"bitcast", "constant", "get-tuple-element", "parameter", "tuple"}


@cache
def count_kernels(make_optimizer: Callable[[Any], optax.GradientTransformation], rate: Any) -> int:
    """The number of kernels in a training step of two layers: the instructions of the entry that compute something."""
    optimizer = make_optimizer(rate)
    weights = {"first": jnp.ones((8, 16)), "bias": jnp.ones(16), "second": jnp.ones((16, 2))}

    def step(weights: Any, state: Any, x: Any) -> Any:
        def loss(weights: Any) -> Any:
            return jnp.mean((jnp.tanh(x @ weights["first"] + weights["bias"]) @ weights["second"]) ** 2)

        updates, state = optimizer.update(jax.grad(loss)(weights), state, weights)
        return optax.apply_updates(weights, updates), state

    text = jax.jit(step).lower(weights, optimizer.init(weights), jnp.ones((32, 8))).compile().as_text()
    entry = re.search(r"^ENTRY .*?^}", text, re.MULTILINE | re.DOTALL).group()
    opcodes = count_opcodes(entry)
    assert opcodes["parameter"] >= 4 and opcodes["fusion"], "the compiled text has a new format"
    return sum(count for opcode, count in opcodes.items() if opcode not in NO_KERNEL)


# The largest number of kernels that each schedule may add. One kernel counts the updates, as with the schedules of
# optax. The learning rate is fused into the kernels that update the weights, except for square roots and exponentials.
MAX_ADDED = {
    "warmup_linear": (fs.warmup_linear(10, 100), 1),
    "warmup_cosine": (fs.warmup_cosine(10, 100, end=0.1), 1),
    "warmup_stable_decay": (fs.warmup_stable_decay(10, 80, 10), 1),
    "one_cycle": (fs.one_cycle(30, 100), 1),
    "table": (fs.table([0.5, 1.0, 0.25]), 1),
    "warmup_inverse_sqrt": (fs.warmup_inverse_sqrt(10), 2),
    "warmup_exponential": (fs.warmup_exponential(10, 100, 0.5), 3),
}


@pytest.mark.parametrize(("schedule", "max_added"), MAX_ADDED.values(), ids=MAX_ADDED)
def test_a_schedule_adds_at_most_three_kernels_to_a_step(schedule: fs.Schedule, max_added: int) -> None:
    added = count_kernels(optax.sgd, to_optax(schedule, 0.5)) - count_kernels(optax.sgd, 0.5)
    assert 0 < added <= max_added


def test_a_schedule_adds_one_kernel_to_a_step_of_adamw() -> None:
    schedule, _ = MAX_ADDED["warmup_cosine"]
    assert count_kernels(optax.adamw, to_optax(schedule, 0.5)) == count_kernels(optax.adamw, 0.5) + 1


def test_a_cosine_adds_no_more_kernels_than_the_cosine_of_optax() -> None:
    schedule, _ = MAX_ADDED["warmup_cosine"]
    of_optax = optax.warmup_cosine_decay_schedule(0.0, 0.5, 10, 100, 0.05)
    assert count_kernels(optax.sgd, to_optax(schedule, 0.5)) <= count_kernels(optax.sgd, of_optax)


# Control: a schedule with more kernels is detected.
def test_an_additional_kernel_is_counted() -> None:
    def sorting_schedule(step: Any) -> Any:
        return jnp.sort(jnp.arange(8.0) * step)[3]

    assert count_kernels(optax.sgd, sorting_schedule) > count_kernels(optax.sgd, 0.5) + 1
