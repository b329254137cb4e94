"""The decorator that checks the arguments of the functions of the bridges."""

from typing import Any

import pytest

import funcsched as fs
from bridges.arguments import BY_TYPE, checked, instance_of, option, required, zero_or
from bridges.compositions import from_parts, in_updates, join_phases, multiply_at
from funcsched.core.validation import concrete_positive_int, positive
from tests.errors import exactly, raises

COMMON = {"lr": positive, "steps": positive, "warmup": concrete_positive_int, "of_another_function": positive}


@checked(common=COMMON, steps=concrete_positive_int, kind=option(["a", "b"]))
def example(lr: float, steps: int, warmup: int | None = None, *, kind: str = "b", other: Any = 0) -> tuple[Any, ...]:
    return lr, steps, warmup, kind, other


def test_the_function_gets_the_values_of_the_rules_and_its_defaults() -> None:
    values = example(1, steps=2.0)  # type: ignore[arg-type]
    assert values == (1.0, 2, None, "b", 0)
    assert list(map(type, values[:2])) == [float, int]
    assert example(1.0, 2, 3, kind="a", other="x") == (1.0, 2, 3, "a", "x")


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"lr": 0.0}, "lr", "a finite number above 0", 0.0),
        ({"lr": None}, "lr", "a finite number above 0", None),  # only an argument whose default is None may be None
        ({"steps": 0.5}, "steps", "an integer from 1 to 2**53", 0.5),  # the function's own rule takes precedence
        ({"warmup": 0}, "warmup", "an integer from 1 to 2**53", 0),
        ({"kind": "c"}, "kind", "one of 'a', 'b'", "c"),
    ],
)
def test_an_invalid_argument(arguments: dict[str, Any], argument: str, requirement: str, got: Any) -> None:
    with raises("example", argument, requirement, got):
        example(**{"lr": 1.0, "steps": 2, **arguments})


@checked(common={**BY_TYPE, "float": positive, "kind": option(["a", "b"])}, warmup=concrete_positive_int)
def by_type(steps: int, lr: float | None = None, warmup: int = 1, kind: str = "b", **others: int) -> tuple[Any, ...]:
    return steps, lr, warmup, kind


def test_a_rule_by_annotation_applies_unless_the_name_has_one() -> None:
    assert by_type(0.0) == (0, None, 1, "b")  # type: ignore[arg-type]
    assert list(map(type, by_type(2.0, 3)[:2])) == [int, float]  # type: ignore[arg-type]
    with raises("by_type", "steps", "an integer from 0 to 2**53", -1):
        by_type(-1)
    with raises("by_type", "lr", "a finite number above 0", 0.0):
        by_type(1, 0.0)
    with raises("by_type", "warmup", "an integer from 1 to 2**53", 0):
        by_type(1, warmup=0)
    with raises("by_type", "kind", "one of 'a', 'b'", "c"):
        by_type(1, kind="c")


def test_errors_about_a_call_are_those_of_python() -> None:
    with pytest.raises(TypeError, match=exactly("example() missing 1 required positional argument: 'steps'")):
        example(1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=exactly("example() got multiple values for argument 'lr'")):
        example(1.0, lr=1.0, steps=2)  # type: ignore[misc]
    with raises("example", "lr", "a finite number above 0", -1.0):  # a given value is checked first
        example(-1.0)  # type: ignore[call-arg]


def test_a_rule_for_an_argument_that_the_function_does_not_have_is_an_error() -> None:
    with pytest.raises(TypeError, match=exactly("checked: function has no argument 'step'")):

        @checked(step=positive)
        def function(steps: int) -> None: ...


def test_zero_or() -> None:
    requirement = "0 or a number from 0.5 to 2"
    rule = zero_or(requirement, 0.5, 2)
    assert [rule("f", "x", value) for value in (0, 0.5, 2)] == [0, 0.5, 2]
    for value in (-1, 0.25, 3, "1", None, False):
        with raises("f", "x", requirement, value):
            rule("f", "x", value)


def test_instance_of_and_required() -> None:
    assert instance_of(str, "a string")("f", "x", "text") == "text"
    with raises("f", "x", "a string", 1, TypeError):
        instance_of(str, "a string")("f", "x", 1)
    assert required("f", "x", 0, "with `y`") == 0
    with raises("f", "x", "given with `y`", None):
        required("f", "x", None, "with `y`")


def test_a_repeated_milestone_counts_twice() -> None:
    schedule = multiply_at([5, 2, 5], 0.5)
    assert [schedule(step) for step in (1, 2, 4, 5)] == [1.0, 0.5, 0.5, 0.125]


@pytest.mark.parametrize("parts", [1, 3, 4096, 4097, 10**6])
def test_parts_of_a_step_are_counted_exactly(parts: int) -> None:
    boundary = 7 * parts + 1  # one part after step 7
    schedule = from_parts(fs.piecewise_constant([7 * parts, boundary], levels=[0.0, 0.5, 1.0]), parts)
    assert [schedule(step) for step in (6, 7, 8)] == [0.0, 0.5, 1.0]


def test_updates_of_samples() -> None:
    def ramp(steps: int) -> fs.Schedule:
        return fs.ramp(0.0, 1.0, steps=steps)

    assert in_updates(ramp, 32, 320) == fs.ramp(0.0, 1.0, steps=10)
    assert in_updates(ramp, 32, 80)(1) == 0.4


def test_the_next_phase_replaces_an_empty_one() -> None:
    warmup = 0
    phases = {0: fs.constant(), warmup: fs.constant(0.5), 4: fs.constant(0.25)}
    assert [join_phases(phases)(step) for step in (0, 3, 4)] == [0.5, 0.5, 0.25]
