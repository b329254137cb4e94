"""Schedules are values: equality, hash, pickle, copy, repr and immutability."""

import copy
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import funcsched as fs
from funcsched.core import value
from tests.cases import CASES, LONG, Case

ALL = [*CASES, *LONG]
SCHEDULES = {  # by their repr
    "constant()": fs.constant(),
    "warmup_constant(warmup_steps=10)": fs.warmup_constant(10),
    "warmup_linear(warmup_steps=10, total_steps=100)": fs.warmup_linear(10, 100),
    "warmup_cosine(warmup_steps=10, total_steps=100, end=0.1)": fs.warmup_cosine(10, 100, end=0.1),
    "warmup_cosine(warmup_steps=0, total_steps=9, cycles=1.5)": fs.warmup_cosine(0, 9, cycles=1.5),
    "warmup_cosine_restarts(warmup_steps=1, total_steps=9, start=0.5, cycles=2)": fs.warmup_cosine_restarts(
        1, 9, start=0.5, cycles=2
    ),
    "ramp(start=0.0, stop=1.0, steps=5, shape=power(exponent=2.0))": fs.ramp(0, 1, steps=5, shape=fs.power(2)),
    "join(schedules=(constant(), constant(value=0.5)), boundaries=(3,))": fs.join(
        [fs.constant(), fs.constant(0.5)], [3]
    ),
    "scale(schedule=constant(), factor=0.5)": fs.scale(fs.constant(), 0.5),
    "shift(schedule=constant(), steps=1)": fs.shift(fs.constant(), 1),
    "product(constant(), warmup_constant(warmup_steps=5))": fs.product(1.0, fs.warmup_constant(5)),
    "repeat(schedule=constant(), period=5, times=2)": fs.repeat(fs.constant(), 5, 2),
    "stretch(schedule=constant(), factor=1.5)": fs.stretch(fs.constant(), 1.5),
    "table(values=(0.5, 1.0))": fs.tabulate(lambda step: (step + 1) / 2, 1),
    "piecewise_constant(boundaries=(5,), factors=(0.5,))": fs.piecewise_constant([5], factors=[0.5]),
    "piecewise_constant(boundaries=(5,), levels=(0.5, 1.0))": fs.piecewise_constant([5], levels=[0.5, 1]),
    "interpolate(boundaries=(0, 5), levels=(0.5, 1.0))": fs.interpolate([0, 5], [0.5, 1]),
    "interpolate(boundaries=(0, 5), levels=(0.5, 1.0), shape=(cosine,))": fs.interpolate(
        [0, 5], [0.5, 1], shape=[fs.cosine]
    ),
    "exponential_decay(rate=0.5)": fs.exponential_decay(0.5),
    "inverse_power(timescale=10, exponent=0.5)": fs.inverse_power(10, 0.5),
    "cyclic(up_steps=10)": fs.cyclic(10),
    "multistep(boundaries=(3, 6))": fs.multistep([3, 6]),
    "warmup_stable_decay(warmup_steps=1, stable_steps=2, decay_steps=3, decay_shape=reverse(shape=sqrt))": (
        fs.warmup_stable_decay(1, 2, 3, decay_shape=fs.reverse(fs.sqrt))
    ),
}


SHAPES = [
    *(fs.linear, fs.cosine, fs.sqrt, fs.log, fs.rex, fs.sine, fs.power(2), fs.power(0.5), fs.exponential(0.1)),
    *(fs.tanh(-7, 3), fs.reverse(fs.sqrt), fs.compose(fs.cosine, fs.power(2))),
]


def half(step):
    return 0.5 + 0 * step


@pytest.mark.parametrize(("text", "schedule"), SCHEDULES.items())
def test_the_repr_is_the_call_with_its_arguments(text: str, schedule: fs.Schedule) -> None:
    assert repr(schedule) == text


@pytest.mark.parametrize("case", ALL, ids=str)
def test_the_repr_evaluates_to_an_equal_schedule(case: Case) -> None:
    assert eval(repr(case.schedule), vars(fs)) == case.schedule


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_the_repr_of_a_shape_evaluates_to_an_equal_shape(shape: fs.Shape) -> None:
    assert eval(repr(shape), vars(fs)) == shape


@pytest.mark.parametrize("case", ALL, ids=str)
def test_schedules_with_the_same_arguments_are_equal_and_have_the_same_hash(case: Case) -> None:
    assert case.schedule == case.schedule  # built anew each time
    assert hash(case.schedule) == hash(case.schedule)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("case", ALL, ids=str)
def test_an_unpickled_schedule_is_equal(case: Case, protocol: int) -> None:
    restored = pickle.loads(pickle.dumps(case.schedule, protocol))
    assert restored == case.schedule
    assert restored(37) == case.schedule(37)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_copied_schedule_is_equal(case: Case, copied) -> None:
    assert copied(case.schedule) == case.schedule


DISTINCT = [
    fs.warmup_linear(10, 100),
    fs.warmup_linear(10, 101),
    fs.warmup_linear(11, 100),
    fs.warmup_linear(10, 100, end=0.1),
    fs.warmup_linear(10, 100, start=0.1),
    fs.warmup_cosine(10, 100),
    fs.warmup_cosine(10, 100, cycles=1),
    fs.warmup_cosine_restarts(10, 100),
    fs.ramp(0, 1, steps=10),
    fs.ramp(0, 1, steps=10, shape=fs.cosine),
    fs.ramp(0, 1, steps=10, shape=fs.power(2)),
    fs.warmup_constant(10),
    fs.shift(fs.warmup_constant(10), 1),
    fs.shift(fs.warmup_constant(10), 2),
    fs.scale(fs.warmup_constant(10), 2),
    fs.join([fs.constant(), fs.constant(2)], [5]),
    fs.join([fs.constant(), fs.constant(2)], [6]),
    fs.lift(half),
    fs.lift(abs),
    *(fs.ramp(0, 1, steps=11, shape=shape) for shape in SHAPES),
    *(combine(fs.constant(2), fs.constant(3)) for combine in (fs.product, fs.add, fs.minimum, fs.maximum)),
    fs.repeat(fs.constant(), 5),
    fs.repeat(fs.constant(), 5, 2),
    fs.repeat(fs.constant(), 5, 2, 2),
    fs.stretch(fs.constant(), 2),
    fs.table([1.0]),
    fs.table([1.0, 1.0]),
    fs.piecewise_constant([1], levels=[1, 0.5]),
    fs.piecewise_constant([1], factors=[0.5]),
    fs.exponential_decay(0.5),
    fs.exponential_decay(0.5, staircase=True),
]


def test_schedules_with_different_arguments_are_not_equal() -> None:
    assert len(set(DISTINCT)) == len(DISTINCT)


def test_a_schedule_is_not_equal_to_a_value_of_another_type() -> None:
    assert fs.constant() != 1.0
    assert fs.constant() != "constant()"


def test_equal_arguments_of_different_types_build_equal_schedules() -> None:
    assert fs.warmup_linear(10.0, 100, end=0) == fs.warmup_linear(10, 100)


@pytest.mark.parametrize("schedule", [fs.warmup_linear(1, 2), fs.ramp(0, 1, steps=3)], ids=repr)
def test_a_schedule_is_immutable(schedule: fs.Schedule) -> None:
    with pytest.raises(AttributeError, match="is immutable: cannot set `start`"):
        schedule.start = 0.5
    with pytest.raises(AttributeError, match="is immutable: cannot delete `start`"):
        del schedule.start
    with pytest.raises(AttributeError, match="is immutable: cannot set `anything`"):
        schedule.anything = 1


def test_the_arguments_of_a_recipe_are_attributes() -> None:
    schedule = fs.warmup_cosine(10, 100, end=0.1)
    assert (schedule.warmup_steps, schedule.total_steps, schedule.end, schedule.cycles) == (10, 100, 0.1, 0.5)


def test_long_tables_are_equal_and_have_the_same_hash_if_their_values_are_equal() -> None:
    long, same = fs.table(range(100_000)), fs.table(range(100_000))
    assert hash(long) == hash(same)
    assert {long: 1}[same] == 1
    assert long != fs.table(range(99_999))


def test_lifted_functions_are_compared_and_pickled_by_the_function() -> None:
    assert fs.lift(half) == fs.lift(half)
    assert pickle.loads(pickle.dumps(fs.lift(abs)))(3) == 3.0
    assert repr(fs.lift(abs)) == "lift(builtins.abs)"


def test_lift_returns_a_schedule_unchanged() -> None:
    schedule = fs.constant()
    assert fs.lift(schedule) is schedule


def test_equal_schedules_as_static_arguments_compile_once() -> None:
    traced = []

    def rate(schedule, step):
        traced.append(schedule)
        return schedule(step)

    jitted = jax.jit(rate, static_argnums=0)
    for _ in range(3):
        jitted(fs.warmup_cosine(10, 100), jnp.int32(3))
    jitted(fs.warmup_cosine(10, 200), jnp.int32(3))
    assert len(traced) == 2


def test_a_schedule_can_be_jitted_directly() -> None:
    assert float(jax.jit(fs.warmup_linear(10, 100))(10)) == 1.0


def test_a_subclass_with_its_own_at_works_as_a_schedule() -> None:
    class Double(fs.Schedule):
        __slots__ = fields = ("schedule",)
        factory = "double"

        def at(self, step):
            return 2.0 * self.schedule.at(step)

    schedule = fs.scale(Double(fs.warmup_linear(10, 100)), 0.5)
    assert [schedule(10), float(schedule(jnp.int32(10)))] == [1.0, 1.0]


def test_a_treedef_consists_of_strings_and_numbers() -> None:
    # torch.compile of torch 2.11, which is not installed here, can neither hash values nor compare classes.
    def parts(treedef: Any) -> list[Any]:
        return [part for item in treedef for part in parts(item)] if isinstance(treedef, tuple) else [treedef]

    treedefs = [value.treedef(case.schedule) for case in CASES]
    assert {type(part) for treedef in treedefs for part in parts(treedef)} <= {str, int, float, bool, type(None)}
