"""The functions of `bridges.optax` named like optax's: their names, their arguments, and what they return."""

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import optax
import pytest

import bridges.optax as bridge
import funcsched as fs
from bridges.rated import Rated
from tests.bridges.optax.exact import CYCLE, EXACT, EXAMPLES

NOT_OFFERED = {
    "Schedule": "a type",
    "StatefulSchedule": "a type: its values depend on more than the count",
    "WrappedSchedule": "a stateful schedule that wraps a function of the count",
    "inject_hyperparams": "a transformation of optimizers, which accepts results of to_optax",
    "inject_stateful_hyperparams": "the old name of inject_hyperparams",
    "InjectHyperparamsState": "a state of an optimizer",
    "InjectStatefulHyperparamsState": "the old name of InjectHyperparamsState",
}


def test_every_name_of_optax_schedules_is_implemented_or_listed_with_a_reason() -> None:
    names = {
        name
        for name, value in vars(optax.schedules).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert names == {*EXACT, "join_schedules", *NOT_OFFERED}
    assert not any(hasattr(bridge, name) for name in NOT_OFFERED if name != "Schedule")


@pytest.mark.parametrize("name", [*EXACT, "join_schedules"])
def test_a_function_has_the_arguments_and_defaults_of_optax_in_the_same_order(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(module, name)).parameters.values() for module in (bridge, optax))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@pytest.mark.parametrize("name", [*EXACT, "join_schedules", "from_optax", "to_optax"])
def test_all_functions_are_exported(name: str) -> None:
    assert name in bridge.__all__


@pytest.mark.parametrize("number", [np.float32, np.float64, int], ids=["float32", "float64", "int"])
def test_numpy_scalars_and_integers_are_accepted(number: Any) -> None:
    schedule, peak = bridge.warmup_cosine_decay_schedule(number(0), number(2), np.int64(4), np.array(8), number(1))
    assert (schedule, peak) == (fs.warmup_cosine(4, 8, end=0.5), 2.0)


@pytest.mark.parametrize(("name", "args"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_result_is_hashable_picklable_and_equal_to_the_value_of_its_repr(name: str, args: Any) -> None:
    rated = getattr(bridge, name)(*args)
    names = {name: getattr(fs, name) for name in fs.__all__} | {"Rated": Rated}
    for other in (pickle.loads(pickle.dumps(rated)), copy.deepcopy(rated), eval(repr(rated), names)):
        assert other == rated and hash(other) == hash(rated)


@pytest.mark.parametrize(
    ("name", "args", "schedule", "peak"),
    [
        ("constant_schedule", (0.25,), fs.constant(), 0.25),
        ("linear_schedule", (0.5, 0.125, 10), fs.ramp(1.0, 0.25, steps=10), 0.5),
        ("linear_schedule", (0.125, 0.5, 10), fs.ramp(0.25, 1.0, steps=10), 0.5),
        ("exponential_decay", (0.5, 10, 0.3), fs.exponential_decay(0.3, 10), 0.5),
        ("exponential_decay", (0.5, 10, 4, 0, False, 2), fs.scale(fs.exponential_decay(4.0, 10, end=4.0), 0.25), 2.0),
        ("exponential_decay", (0.5, 10, 0.3, 5, False, 2), fs.constant(), 2.0),
        ("warmup_exponential_decay_schedule", (1.0, 0.5, 0, 10, 0.3), fs.exponential_decay(0.3, 10), 0.5),
        ("linear_onecycle_schedule", (100, 0.5), fs.one_cycle(30, 100, decay_steps=55, shape=fs.linear), 0.5),
        ("cosine_onecycle_schedule", (100, 0.5), fs.one_cycle(30, 100), 0.5),
        ("warmup_cosine_decay_schedule", (0.1, 0.5, 5, 20), fs.warmup_cosine(5, 20, start=0.2), 0.5),
        ("sgdr_schedule", ([CYCLE] * 3,), fs.repeat(fs.warmup_cosine(3, 12, start=1e-4 / 3e-3), 12, 3), 3e-3),
        ("sgdr_schedule", ([CYCLE],), fs.warmup_cosine(3, 12, start=1e-4 / 3e-3), 3e-3),
        *((name, args, fs.constant(), 0.0) for name, args in [
            ("constant_schedule", (0,)),
            ("linear_schedule", (0.0, 0.0, 10, 2)),
            ("piecewise_constant_schedule", (0.0, {3: 2.0})),
            ("piecewise_interpolate_schedule", ("linear", 0.0, {3: 2.0})),
            ("exponential_decay", (0.0, 10, 2.0, 0, False, 1.0)),
            ("cosine_decay_schedule", (0.0, 10, 0.5)),
            ("linear_onecycle_schedule", (10, 0.0)),
            ("cosine_onecycle_schedule", (10, 0.0)),
            ("warmup_constant_schedule", (0.0, 0.0, 10)),
            ("warmup_cosine_decay_schedule", (0.0, 0.0, 5, 10)),
            ("warmup_exponential_decay_schedule", (0.0, 0.0, 5, 10, 0.5)),
            ("sgdr_schedule", ([{**CYCLE, "init_value": 0.0, "peak_value": 0.0}] * 2,)),
        ]),
    ],
)  # fmt: skip
def test_the_schedule_is_the_simplest_one(name: str, args: Any, schedule: fs.Schedule, peak: float) -> None:
    assert getattr(bridge, name)(*args) == Rated(schedule, peak)
