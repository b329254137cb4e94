"""The error messages of `Clock`."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest

from funcsched.units.clock import Clock


def assert_raises(kind: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "suggestions"),
    [
        (1, "steps(updates=1) or steps(fraction=1)"),
        (1.0, "steps(updates=1.0) or steps(fraction=1.0)"),
        (0, "steps(updates=0) or steps(fraction=0)"),
        (0.1, "steps(fraction=0.1) or steps(epochs=0.1)"),
        (300, "steps(updates=300) or steps(epochs=300)"),
        (2.5, "steps(epochs=2.5) or steps(tokens=...)"),
        ("300B", "steps(epochs=...) or steps(tokens=...)"),
    ],
)
def test_count_without_unit_raises_with_two_suggestions(value: Any, suggestions: str) -> None:
    message = f"Clock.steps: `count` must be given with a unit, got {value!r}; use {suggestions}"
    assert_raises(TypeError, message, lambda: Clock(batch_size=1).steps(value))


@pytest.mark.parametrize(
    ("value", "suggestions"),
    [
        (1, 'run={"updates": 1} or run={"epochs": 1}'),
        (0.5, 'run={"epochs": 0.5} or run={"tokens": ...}'),
    ],
)
def test_run_without_unit_raises_with_two_suggestions(value: Any, suggestions: str) -> None:
    message = f"Clock: `run` must be given with a unit, got {value!r}; use {suggestions}"
    assert_raises(TypeError, message, lambda: Clock(batch_size=1, run=value))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.steps(tokens=1), "Clock.steps: `sequence_length` must be given to the Clock to count tokens"),
        (lambda c: c.tokens(1), "Clock.tokens: `sequence_length` must be given to the Clock to count tokens"),
        (lambda c: c.steps(epochs=1), "Clock.steps: `dataset_size` must be given to the Clock to count epochs"),
        (lambda c: c.epochs(1), "Clock.epochs: `dataset_size` must be given to the Clock to count epochs"),
        (lambda c: c.steps(fraction=0), "Clock.steps: `run` must be given to the Clock to count fractions of the run"),
        (lambda c: c.fraction(1), "Clock.fraction: `run` must be given to the Clock to count fractions of the run"),
        (
            lambda c: c.total_steps,
            "Clock.total_steps: `run` must be given to the Clock to count the updates of the run",
        ),
        (
            lambda c: Clock(batch_size=1, run={"tokens": 1}),
            "Clock: `sequence_length` must be given to the Clock to count tokens",
        ),
        (
            lambda c: Clock(batch_size=1, run={"epochs": 1}),
            "Clock: `dataset_size` must be given to the Clock to count epochs",
        ),
        (
            lambda c: Clock(samples_per_update={"tokens": [(0, 1), (2, 2)]}),
            "Clock: `sequence_length` must be given to the Clock to count tokens",
        ),
        (
            lambda c: Clock(samples_per_update={"epochs": [(0, 1), (2, 2)]}),
            "Clock: `dataset_size` must be given to the Clock to count epochs",
        ),
    ],
)
def test_missing_argument_that_a_unit_requires(call: Any, message: str) -> None:
    assert_raises(ValueError, message + ", got None", lambda: call(Clock(batch_size=1)))


NONNEGATIVE_INT = "an integer from 0 to 2**53"
POSITIVE_INT = "an integer from 1 to 2**53"
ONE_UNIT = "given in exactly one unit (updates, samples, tokens, epochs, fraction)"
RUN = 'a dict of one unit (updates, samples, tokens or epochs) and its count, such as {"tokens": 300_000_000_000}'
RAMP = 'an integer, or a ramp such as {"tokens": [(0, 16), (1_000_000, 32)]}'
PAIRS = "a sequence of pairs (count, samples per update) that starts at count 0"
ARGUMENTS = {"batch_size": 2, "processes": 2, "sequence_length": 3, "dataset_size": 20, "run": {"epochs": 2}}


@pytest.mark.parametrize("argument", ["batch_size", "accumulation", "processes", "sequence_length", "dataset_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, math.inf, 2**53 + 1, True, "8", [8]])
def test_sizes_must_be_positive_integers(argument: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str, list)) else ValueError
    message = f"Clock: `{argument}` must be {POSITIVE_INT}, got {value!r}"
    assert_raises(kind, message, lambda: Clock(**{**ARGUMENTS, argument: value}))


@pytest.mark.parametrize("unit", ["updates", "samples", "tokens"])
@pytest.mark.parametrize("value", [-1, 0.5, Fraction(1, 2), math.nan, math.inf, 2**53 + 1, True, "8", np.arange(2), 1j])
def test_updates_samples_and_tokens_must_be_nonnegative_integers(unit: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str, np.ndarray, complex)) else ValueError
    assert_raises(
        kind,
        f"Clock.steps: `{unit}` must be {NONNEGATIVE_INT}, got {value!r}",
        lambda: Clock(**ARGUMENTS).steps(**{unit: value}),
    )


@pytest.mark.parametrize("value", [-1, -0.5, Fraction(-1, 2), math.nan, math.inf, 2**53 + 1, True, "8", np.arange(2)])
def test_epochs_and_fractions_must_be_numbers_in_range(value: Any) -> None:
    clock = Clock(**ARGUMENTS)
    kind = TypeError if isinstance(value, (bool, str, np.ndarray)) else ValueError
    requirement = "a number from 0 to 2**53"
    assert_raises(
        kind, f"Clock.steps: `epochs` must be {requirement}, got {value!r}", lambda: clock.steps(epochs=value)
    )
    requirement = "a number from 0 to 1"
    assert_raises(
        kind, f"Clock.steps: `fraction` must be {requirement}, got {value!r}", lambda: clock.steps(fraction=value)
    )


@pytest.mark.parametrize("method", ["samples", "tokens", "epochs", "fraction"])
@pytest.mark.parametrize("value", [-1, 1.5, math.nan, True, "1", None])
def test_step_must_be_a_nonnegative_integer(method: str, value: Any) -> None:
    kind = TypeError if isinstance(value, (bool, str)) or value is None else ValueError
    message = f"Clock.{method}: `step` must be {NONNEGATIVE_INT}, got {value!r}"
    assert_raises(kind, message, lambda: getattr(Clock(**ARGUMENTS), method)(value))


@pytest.mark.parametrize(
    ("kind", "message", "call"),
    [
        (TypeError, f"Clock.steps: `count` must be {ONE_UNIT}, got None", lambda: Clock(batch_size=1).steps()),
        (
            TypeError,
            f"Clock.steps: `count` must be {ONE_UNIT}, got {{'updates': 1, 'epochs': 2}}",
            lambda: Clock(batch_size=1).steps(updates=1, epochs=2),
        ),
        (
            ValueError,
            "Clock.steps: `fraction` must be a number from 0 to 1, got 1.5",
            lambda: Clock(**ARGUMENTS).steps(fraction=1.5),
        ),
        (TypeError, "Clock: `batch_size` must be given if `samples_per_update` is not, got None", Clock),
        (
            ValueError,
            "Clock: `accumulation` must be 1 if `samples_per_update` is given, got 2",
            partial(Clock, samples_per_update=8, accumulation=2),
        ),
        (
            ValueError,
            "Clock: `samples_per_update` must be a multiple of `batch_size` * `processes` (8), got 12",
            partial(Clock, batch_size=2, processes=4, samples_per_update=12),
        ),
        (
            ValueError,
            'Clock: `samples_per_update["samples"][1][1]` must be a multiple of `batch_size` * `processes` (8), got 12',
            partial(Clock, batch_size=2, processes=4, samples_per_update={"samples": [(0, 8), (100, 12)]}),
        ),
        (
            TypeError,
            f"Clock: `samples_per_update` must be {RAMP}, got [(0, 8)]",
            partial(Clock, samples_per_update=[(0, 8)]),
        ),
        (TypeError, f"Clock: `samples_per_update` must be {RAMP}, got '8'", partial(Clock, samples_per_update="8")),
        (ValueError, f"Clock: `samples_per_update` must be {RAMP}, got {{}}", partial(Clock, samples_per_update={})),
        (
            ValueError,
            f"Clock: `samples_per_update` must be {RAMP}, got {{'fraction': [(0, 8)]}}",
            partial(Clock, samples_per_update={"fraction": [(0, 8)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got [(1, 8)]',
            partial(Clock, samples_per_update={"samples": [(1, 8)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got []',
            partial(Clock, samples_per_update={"samples": []}),
        ),
        (
            TypeError,
            f'Clock: `samples_per_update["samples"]` must be {PAIRS}, got [8, 16]',
            partial(Clock, samples_per_update={"samples": [8, 16]}),
        ),
        (
            ValueError,
            'Clock: `samples_per_update["samples"]` must be a sequence of pairs with increasing counts, '
            "got [(0, 8), (5, 16), (5, 32)]",
            partial(Clock, samples_per_update={"samples": [(0, 8), (5, 16), (5, 32)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"][1][0]` must be {NONNEGATIVE_INT}, got 0.5',
            partial(Clock, samples_per_update={"samples": [(0, 8), (0.5, 16)]}),
        ),
        (
            ValueError,
            f'Clock: `samples_per_update["samples"][0][1]` must be {POSITIVE_INT}, got 0',
            partial(Clock, samples_per_update={"samples": [(0, 0)]}),
        ),
        (TypeError, "Clock: `drop_last` must be True or False, got 1", partial(Clock, batch_size=1, drop_last=1)),
        (
            ValueError,
            "Clock: `epoch_end` must be one of 'update', 'drop', 'join', got 'carry'",
            partial(Clock, batch_size=1, epoch_end="carry"),
        ),
        (
            ValueError,
            "Clock: `epoch_end` must be 'update' or 'join' when `samples_per_update` is a ramp, got 'drop'",
            partial(Clock, samples_per_update={"samples": [(0, 8)]}, dataset_size=20, epoch_end="drop"),
        ),
        (
            ValueError,
            "Clock: `batch_size` must be given when `drop_last=True` and `samples_per_update` is a ramp, got None",
            partial(Clock, samples_per_update={"samples": [(0, 8)]}, dataset_size=20, drop_last=True),
        ),
        (
            ValueError,
            "Clock: `dataset_size` must be at least one batch per process (8 samples in total) when `drop_last=True`, "
            "got 7",
            partial(Clock, batch_size=4, processes=2, dataset_size=7, drop_last=True),
        ),
        (
            ValueError,
            "Clock: `dataset_size` must be at least one update (4 batches of 4) when `epoch_end='drop'`, got 11",
            partial(Clock, batch_size=4, accumulation=4, dataset_size=11, epoch_end="drop"),
        ),
        (TypeError, f"Clock: `run` must be {RUN}, got '300B'", partial(Clock, batch_size=1, run="300B")),
        (
            ValueError,
            f"Clock: `run` must be {RUN}, got {{'updates': 1, 'samples': 8}}",
            partial(Clock, batch_size=1, run={"updates": 1, "samples": 8}),
        ),
        (
            ValueError,
            f"Clock: `run` must be {RUN}, got {{'fraction': 1}}",
            partial(Clock, batch_size=1, run={"fraction": 1}),
        ),
        (
            ValueError,
            'Clock: `run["samples"]` must be above 0, got 0',
            partial(Clock, batch_size=1, run={"samples": 0}),
        ),
        (
            ValueError,
            f'Clock: `run["samples"]` must be {NONNEGATIVE_INT}, got 0.5',
            partial(Clock, batch_size=1, run={"samples": 0.5}),
        ),
        (
            ValueError,
            "Clock.rampup: `global_batch_size` must be `start` (16) plus 0 or more times `increment` (8), got 41",
            lambda: Clock.rampup(16, 8, 300, global_batch_size=41),
        ),
        (
            ValueError,
            "Clock.rampup: `global_batch_size` must be `start` (16) plus 0 or more times `increment` (8), got 8",
            lambda: Clock.rampup(16, 8, 300, global_batch_size=8),
        ),
        (
            ValueError,
            f"Clock.rampup: `samples` must be {POSITIVE_INT}, got 0",
            lambda: Clock.rampup(16, 8, 0, global_batch_size=32),
        ),
    ],
)
def test_invalid_arguments(kind: type[Exception], message: str, call: Any) -> None:
    assert_raises(kind, message, call)
