"""What eight devices do with schedules, as JSON: a script of its own, because pytest's process has one device.

Each program holds many schedules, because every program takes the compiler a second.
"""

import json
import re
from collections import Counter
from pathlib import Path
from sys import argv
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from bridges.optax import to_optax
from tests.cases import ONE_OF_EACH

# The cases of each layout: the weights are whole on every device or split over all, under `jit` with a mesh of either
# kind of axes, and under `shard_map`.
LAYOUTS = {
    "jit, whole weights": ONE_OF_EACH[::4],
    "jit, split weights": ONE_OF_EACH,
    "jit, explicit axes": ONE_OF_EACH[1::4],
    "shard_map": ONE_OF_EACH[::2],
}
COUNTS = [0, 1, 7, 60, 1000, 2**31 - 2]
PEAK = 0.5  # a power of two: the product with it is exact
CONSTANT = 0.125

# What leaves a device, in the words of XLA. A plain copy does not.
COMMUNICATION = re.compile(
    r"(all-gather|all-reduce|all-to-all|async|collective-\w+|copy(?=-)|custom-call|infeed|outfeed|ragged-all-to-all"
    r"|recv|reduce-scatter|send)(-start|-update|-done)?"
)
OPCODE = re.compile(r"^\s+(?:ROOT )?%?[\w.-]+ = (?:\(.*?\)|\S+) ([a-z-]+)\(", re.MULTILINE)


class Step:
    """A compiled training step on all devices, with a weight for each rate; at 0 the gradient of each is exactly 1."""

    def __init__(self, rates: list[Any], layout: str) -> None:
        kind = AxisType.Explicit if layout == "jit, explicit axes" else AxisType.Auto
        self.mesh = jax.make_mesh((8,), ("data",), axis_types=(kind,))
        names = [str(i) for i in range(len(rates))]
        optimizer = optax.partition({name: optax.sgd(rate) for name, rate in zip(names, rates, strict=True)}, names)

        def step(weights: Any, state: Any, x: Any) -> Any:
            def loss(weights: Any) -> Any:
                error = jnp.mean((x @ sum(weights) + 0.5) ** 2)
                return jax.lax.pmean(error, "data") if layout == "shard_map" else error

            changes, state = optimizer.update(jax.grad(loss)(weights), state, weights)
            return optax.apply_updates(weights, changes), state

        if layout == "shard_map":
            step = jax.shard_map(step, mesh=self.mesh, in_specs=(P(), P(), P("data")), out_specs=P())
        weights = [np.zeros(16, np.float32)] * len(rates)
        self.weights = self.put(weights, *(["data"] if layout == "jit, split weights" else []))
        self.state = self.put(optimizer.init(weights))
        self.x = self.put(np.ones((32, 16), np.float32), "data")
        with jax.set_mesh(self.mesh):
            self.program = jax.jit(step).lower(self.weights, self.state, self.x).compile()

    def put(self, values: Any, *axes: str) -> Any:
        return jax.device_put(values, NamedSharding(self.mesh, P(*axes)))

    def communication(self) -> dict[str, int]:
        """How often each instruction that leaves the device is in the program."""
        opcodes = Counter(OPCODE.findall(self.program.as_text()))
        return {opcode: n for opcode, n in opcodes.items() if COMMUNICATION.fullmatch(opcode)}

    def moves(self, count: int) -> list[list[list[float]]]:
        """By how much each device moves its part of each weight; a list of one, as all elements have one gradient."""
        state = self.put(jax.tree.map(lambda leaf: np.full_like(leaf, count), self.state))
        with jax.transfer_guard("disallow"):
            weights, state = self.program(self.weights, state, self.x)
        assert {int(leaf) for leaf in jax.tree.leaves(state)} == {count + 1}
        return [[sorted({-float(w) for w in shard.data}) for shard in weight.addressable_shards] for weight in weights]


def of_layout(layout: str) -> dict[str, Any]:
    cases = LAYOUTS[layout]
    ours = Step([to_optax(case.schedule, PEAK) for case in cases], layout)
    constant = Step([CONSTANT] * len(cases), layout)
    return {
        "communication": [ours.communication(), constant.communication()],
        "moves": {count: ours.moves(count) for count in COUNTS},
    }


def of_rates_that_communicate() -> dict[str, dict[str, int]]:
    def asks_python(count: Any) -> Any:
        return jax.pure_callback(lambda _: np.float32(CONSTANT), jax.ShapeDtypeStruct((), "float32"), count)

    def in_a_split_row(count: Any) -> Any:
        split = NamedSharding(jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,)), P("data"))
        return jax.lax.with_sharding_constraint(jnp.sqrt(count + jnp.arange(800.0)), split)[count]

    rates = {"constant": CONSTANT, "asks Python": asks_python, "in a split row": in_a_split_row}
    return {name: Step([rate], "jit, whole weights").communication() for name, rate in rates.items()}


def refusal_of_a_transfer() -> str:
    step = Step([CONSTANT], "jit, whole weights")
    try:
        with jax.transfer_guard("disallow"):
            step.program(step.weights, step.state, np.asarray(step.x))
    except Exception as error:
        return str(error)
    return ""


def errors_on_split_steps() -> dict[str, str]:
    """Arrays of steps that are split over a mesh of explicit axes, the default kind of `jax.make_mesh`."""
    errors = {}
    mesh = jax.make_mesh((8,), ("data",))
    steps = jax.device_put(np.arange(16), NamedSharding(mesh, P("data")))
    for case in ONE_OF_EACH:
        try:
            with jax.set_mesh(mesh):
                spec = jax.eval_shape(case.schedule, steps).sharding.spec
            assert spec == P("data"), f"the values are laid out by {spec}"
        except Exception as error:
            errors[str(case)] = str(error)
    return errors


if __name__ == "__main__":
    assert jax.device_count() == 8
    found = {
        "layouts": {layout: of_layout(layout) for layout in LAYOUTS},
        "control": of_rates_that_communicate(),
        "refusal": refusal_of_a_transfer(),
        "errors on split steps": errors_on_split_steps(),
    }
    Path(argv[1]).write_text(json.dumps(found))
