"""Write to a JSON file what eight devices do with schedules. A separate process, because pytest's JAX has one device.

Each program contains many schedules, because compiling a program takes about a second.
"""

import json
import re
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
from tests.stacks.jax_helpers import count_opcodes

# The schedules of each layout. The weights are replicated or sharded, under `jit` with a mesh of automatic or explicit
# axes, or under `shard_map`.
LAYOUTS = {
    "jit, replicated weights": ONE_OF_EACH[::4],
    "jit, sharded weights": ONE_OF_EACH,
    "jit, explicit axes": ONE_OF_EACH[1::4],
    "shard_map": ONE_OF_EACH[::2],
}
STEPS = [0, 1, 7, 60, 1000, 2**31 - 2]
PEAK = 0.5  # a power of two: the product with it is exact
CONSTANT_RATE = 0.125

# XLA's opcodes that communicate with other devices or with the host. A plain copy stays on its device.
COMMUNICATION = re.compile(
    r"(all-gather|all-reduce|all-to-all|async|collective-\w+|copy(?=-)|custom-call|infeed|outfeed|ragged-all-to-all"
    r"|recv|reduce-scatter|send)(-start|-update|-done)?"
)


class TrainStep:
    """A compiled training step on all devices with one weight array for each learning rate.

    For weights of 0 the gradient of every element is exactly 1, so an update is minus the learning rate.
    """

    def __init__(self, rates: list[Any], layout: str) -> None:
        kind = AxisType.Explicit if layout == "jit, explicit axes" else AxisType.Auto
        self.mesh = jax.make_mesh((8,), ("data",), axis_types=(kind,))
        names = [str(i) for i in range(len(rates))]
        optimizer = optax.partition({name: optax.sgd(rate) for name, rate in zip(names, rates, strict=True)}, names)

        def step(weights: Any, state: Any, x: Any) -> Any:
            def loss(weights: Any) -> Any:
                error = jnp.mean((x @ sum(weights) + 0.5) ** 2)
                return jax.lax.pmean(error, "data") if layout == "shard_map" else error

            updates, state = optimizer.update(jax.grad(loss)(weights), state, weights)
            return optax.apply_updates(weights, updates), state

        if layout == "shard_map":
            step = jax.shard_map(step, mesh=self.mesh, in_specs=(P(), P(), P("data")), out_specs=P())
        weights = [np.zeros(16, np.float32)] * len(rates)
        self.weights = self.put(weights, *(["data"] if layout == "jit, sharded weights" else []))
        self.state = self.put(optimizer.init(weights))
        self.x = self.put(np.ones((32, 16), np.float32), "data")
        with jax.set_mesh(self.mesh):
            self.program = jax.jit(step).lower(self.weights, self.state, self.x).compile()

    def put(self, values: Any, *axes: str) -> Any:
        return jax.device_put(values, NamedSharding(self.mesh, P(*axes)))

    def communication(self) -> dict[str, int]:
        """How often each opcode that communicates occurs in the program."""
        opcodes = count_opcodes(self.program.as_text())
        return {opcode: count for opcode, count in opcodes.items() if COMMUNICATION.fullmatch(opcode)}

    def rates(self, step: int) -> list[list[list[float]]]:
        """For each weight array and each device, the different learning rates that its elements were updated with."""
        state = self.put(jax.tree.map(lambda leaf: np.full_like(leaf, step), self.state))
        with jax.transfer_guard("disallow"):
            weights, state = self.program(self.weights, state, self.x)
        assert {int(leaf) for leaf in jax.tree.leaves(state)} == {step + 1}
        return [[sorted({-float(w) for w in shard.data}) for shard in array.addressable_shards] for array in weights]


def result_of_layout(layout: str) -> dict[str, Any]:
    cases = LAYOUTS[layout]
    scheduled = TrainStep([to_optax(case.schedule, PEAK) for case in cases], layout)
    constant = TrainStep([CONSTANT_RATE] * len(cases), layout)
    return {
        "communication": {"schedules": scheduled.communication(), "constants": constant.communication()},
        "rates": {step: scheduled.rates(step) for step in STEPS},
    }


def communication_of_controls() -> dict[str, dict[str, int]]:
    """The communication of learning rates that do communicate, next to that of a constant."""

    def callback(step: Any) -> Any:
        return jax.pure_callback(lambda _: np.float32(CONSTANT_RATE), jax.ShapeDtypeStruct((), "float32"), step)

    def sharded_table(step: Any) -> Any:
        sharding = NamedSharding(jax.make_mesh((8,), ("data",), axis_types=(AxisType.Auto,)), P("data"))
        return jax.lax.with_sharding_constraint(jnp.sqrt(step + jnp.arange(800.0)), sharding)[step]

    rates = {"constant": CONSTANT_RATE, "callback": callback, "sharded table": sharded_table}
    return {name: TrainStep([rate], "jit, replicated weights").communication() for name, rate in rates.items()}


def error_of_a_transfer() -> str:
    """The message of the transfer guard for an argument on the host."""
    train_step = TrainStep([CONSTANT_RATE], "jit, replicated weights")
    try:
        with jax.transfer_guard("disallow"):
            train_step.program(train_step.weights, train_step.state, np.asarray(train_step.x))
    except Exception as error:
        return str(error)
    return ""


def errors_with_sharded_steps() -> dict[str, str]:
    """The errors of schedules called with steps that are sharded over explicit axes, the default of `jax.make_mesh`."""
    errors = {}
    mesh = jax.make_mesh((8,), ("data",))
    steps = jax.device_put(np.arange(16), NamedSharding(mesh, P("data")))
    for case in ONE_OF_EACH:
        try:
            with jax.set_mesh(mesh):
                spec = jax.eval_shape(case.schedule, steps).sharding.spec
            assert spec == P("data"), f"the multipliers are sharded by {spec}"
        except Exception as error:
            errors[str(case)] = str(error)
    return errors


if __name__ == "__main__":
    assert jax.device_count() == 8
    results = {
        "layouts": {layout: result_of_layout(layout) for layout in LAYOUTS},
        "controls": communication_of_controls(),
        "transfer": error_of_a_transfer(),
        "errors with sharded steps": errors_with_sharded_steps(),
    }
    Path(argv[1]).write_text(json.dumps(results))
