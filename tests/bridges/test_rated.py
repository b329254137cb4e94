"""The decorator that checks the arguments of the functions of the bridges."""

from typing import Any

import pytest

import funcsched as fs
from bridges.rated import checked, join_phases, option, zero_or
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


def test_the_next_phase_replaces_an_empty_one() -> None:
    warmup = 0
    phases = {0: fs.constant(), warmup: fs.constant(0.5), 4: fs.constant(0.25)}
    assert [join_phases(phases)(step) for step in (0, 3, 4)] == [0.5, 0.5, 0.25]
