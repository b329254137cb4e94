"""`bridges.keras` compared with Keras itself, at every step.

Keras computes in float32 and first rounds its arguments to it. Each test therefore repeats the formula in mpmath and
checks two things at every step: that Keras is within its own rounding errors of the formula, so the formula is right,
and that our rate is within float64 rounding errors of it.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import bridges.keras as ours
import funcsched as fs
from bridges.rated import Rated
from tests import peers
from tests.errors import exactly, raises

theirs = peers.keras()
mpmath.mp.prec = 300

# 4 ulp of the schedule, the division by the peak rate, the product with it, and sums for curves that do not end at 0
OURS = 10 * 2.0**-52
EPS = 2.0**-23  # two rounding errors of float32
STEPS = np.arange(120)  # always the same length, so that JAX compiles once

rates = st.floats(1e-5, 10.0)
lengths = st.integers(1, 110)
ends = st.one_of(st.just(0.0), st.floats(1e-4, 1.0))


def elementwise(peer: Any) -> list[float]:
    """Keras' rates, one step at a time. For an array, JAX replaces divisions as under jit, which other tests cover."""
    return [float(peer(step)) for step in STEPS.tolist()]


def compare(
    rated: Rated, peer: Any, exact: Callable[[int], mpf], roundings: Callable[[int], float], top: float | None = None
) -> None:
    """Compare every step. Errors are relative to the rate, or to `top` if that is higher."""
    schedule, peak = rated
    for step, peer_rate in zip(STEPS.tolist(), np.asarray(peer, np.float64).tolist(), strict=True):
        value = exact(step)
        size = max(top or 0.0, float(abs(value)))
        assert abs(peer_rate - value) <= roundings(step) * EPS * size, (step, peer_rate, float(value))
        assert abs(peak * schedule(step) - value) <= OURS * size, (step, peak * schedule(step), float(value))


@settings(max_examples=25)
@given(rates, lengths, st.one_of(st.just(1.0), st.floats(0.3, 1.0)), st.booleans())
def test_exponential_decay(rate: float, steps: int, factor: float, staircase: bool) -> None:
    def exponent(step: int) -> mpf:
        return mpf(step // steps) if staircase else mpf(step) / steps

    # The power multiplies the rounding error of the factor by the exponent, and that of the exponent by the logarithm.
    compare(
        ours.exponential_decay(rate, steps, factor, staircase),
        elementwise(theirs.ExponentialDecay(rate, steps, factor, staircase)),
        lambda step: mpf(rate) * mpf(factor) ** exponent(step),
        lambda step: 3 + float(exponent(step)) * (1 - math.log(factor)),
        top=1e-30,  # smaller rates have fewer digits in float32
    )


@settings(max_examples=25)
@given(rates, lengths, st.floats(1e-3, 50.0), st.booleans())
def test_inverse_time_decay(rate: float, steps: int, fall: float, staircase: bool) -> None:
    compare(
        ours.inverse_time_decay(rate, steps, fall, staircase),
        elementwise(theirs.InverseTimeDecay(rate, steps, fall, staircase)),
        lambda step: rate / (1 + mpf(fall) * (mpf(step // steps) if staircase else mpf(step) / steps)),
        lambda step: 4,
    )


@settings(max_examples=25)
@given(st.lists(st.integers(0, 110), min_size=1, max_size=6, unique=True).map(sorted), st.data())
def test_piecewise_constant_decay(boundaries: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(rates, min_size=len(boundaries) + 1, max_size=len(boundaries) + 1))
    compare(
        ours.piecewise_constant_decay(boundaries, values),
        theirs.PiecewiseConstantDecay(boundaries, values)(STEPS),
        lambda step: mpf(values[sum(step > boundary for boundary in boundaries)]),
        lambda step: 1,
    )


def test_piecewise_constant_peak_is_the_maximum() -> None:
    schedule, rate = ours.piecewise_constant_decay([0, 9], [0.0, 0.5, 0.25])
    assert rate == 0.5
    assert [schedule(step) for step in (0, 1, 9, 10)] == [0.0, 1.0, 1.0, 0.5]


def polynomial(rate: float, steps: int, end: float, power: float, cycle: bool) -> Callable[[int], mpf]:
    def value(step: int) -> mpf:
        length = steps * max(-(-step // steps), 1) if cycle else steps
        return end + (mpf(rate) - end) * (1 - mpf(min(step, length)) / length) ** mpf(power)

    return value


@settings(max_examples=25)
@given(rates, lengths, ends, st.floats(0.3, 3.0))
def test_polynomial_decay(rate: float, steps: int, end: float, power: float) -> None:
    # The rounding error of 1 - u is multiplied by the slope of the power.
    compare(
        ours.polynomial_decay(rate, steps, end, power),
        elementwise(theirs.PolynomialDecay(rate, steps, end, power)),
        polynomial(rate, steps, end, power, False),
        lambda step: 5 + power * (1 - min(step, steps - 1) / steps) ** (power - 1),
        top=max(rate, end),
    )


@settings(max_examples=25)
@given(rates, lengths, st.floats(0.0, 1.0), st.integers(1, 4))
def test_polynomial_decay_with_cycles(rate: float, steps: int, fraction: float, power: int) -> None:
    end = rate * fraction
    compare(
        ours.polynomial_decay(rate, steps, end, power, cycle=True),
        elementwise(theirs.PolynomialDecay(rate, steps, end, power, cycle=True)),
        polynomial(rate, steps, end, power, True),
        lambda step: 5 + power,
        top=rate,
    )


@settings(max_examples=25)
@given(rates, lengths, st.floats(0.0, 2.0), st.integers(0, 9))
def test_cosine_decay(rate: float, steps: int, alpha: float, ignored: int) -> None:
    compare(
        ours.cosine_decay(rate, steps, alpha, None, ignored),
        theirs.CosineDecay(rate, steps, alpha, warmup_steps=ignored)(STEPS),
        lambda step: rate * (alpha + (1 - mpf(alpha)) * (1 + mpmath.cospi(mpf(min(step, steps)) / steps)) / 2),
        lambda step: 10,
        top=rate * max(alpha, 1),
    )


@settings(max_examples=25)
@given(st.one_of(st.just(0.0), rates), lengths, st.floats(0.0, 2.0), rates, st.integers(0, 60))
def test_cosine_decay_with_warmup(start: float, steps: int, alpha: float, target: float, warmup: int) -> None:
    def exact(step: int) -> mpf:
        if step < warmup:
            return start + (mpf(target) - start) * step / warmup
        u = mpf(min(step - warmup, steps)) / steps
        return target * (alpha + (1 - mpf(alpha)) * (1 + mpmath.cospi(u)) / 2)

    # With vmap, because Keras does not accept an array if there is a warmup.
    peer = jax.vmap(theirs.CosineDecay(start, steps, alpha, warmup_target=target, warmup_steps=warmup))(STEPS)
    rated = ours.cosine_decay(start, steps, alpha, target, warmup)
    compare(rated, peer, exact, lambda step: 10, top=max(start, target, alpha * target))


@settings(max_examples=25)
@given(
    rates,
    st.integers(1, 60),
    st.one_of(st.just(1.0), st.integers(10, 32).map(lambda eighths: eighths / 8)),  # exact in binary
    st.one_of(st.just(1.0), st.floats(0.3, 1.0)),
    ends,
)
def test_cosine_decay_restarts(rate: float, first: int, growth: float, height: float, alpha: float) -> None:
    starts = [mpf(0)]
    while starts[-1] < len(STEPS):
        starts.append(starts[-1] + first * mpf(growth) ** (len(starts) - 1))

    def cycle(step: int) -> int:
        return max(i for i, start in enumerate(starts) if start <= step)

    def exact(step: int) -> mpf:
        i = cycle(step)
        u = (step - starts[i]) / (first * mpf(growth) ** i)
        return rate * (alpha + (1 - mpf(alpha)) * mpf(height) ** i * (1 + mpmath.cospi(u)) / 2)

    def roundings(step: int) -> float:
        """Keras counts in units of the first cycle, and computes u from the start and the length of a cycle."""
        error_of_u = (6 + 1 / (growth - 1)) * step / first / growth ** cycle(step) if growth > 1 else step / first
        # At a restart, Keras may be in the previous cycle: see test_restarts_that_keras_misses.
        return math.inf if step in starts[1:] else 10 + 2 * error_of_u + cycle(step)

    with jax.disable_jit():  # with jit, JAX would compile the two branches of `t_mul` each time
        peer = theirs.CosineDecayRestarts(rate, first, growth, height, alpha)(STEPS)
    compare(ours.cosine_decay_restarts(rate, first, growth, height, alpha), peer, exact, roundings, top=rate)


def restarts(steps: list[int], *arguments: float) -> tuple[list[float], ...]:
    """The rates at these steps for cycles from 0.5 to 0.125: ours, Keras' and jitted Keras'."""
    schedule, rate = ours.cosine_decay_restarts(0.5, *arguments, alpha=0.25)  # type: ignore[arg-type]
    peer = theirs.CosineDecayRestarts(0.5, *arguments, alpha=0.25)
    jitted = jax.jit(peer)
    return tuple([float(function(step)) for step in steps] for function in (lambda s: rate * schedule(s), peer, jitted))


def test_restarts_that_keras_misses() -> None:
    assert restarts([10, 80, 570], 10, 7.0)[:2] == ([0.5, 0.5, 0.5], [0.5, 0.5, 0.125])
    assert restarts([10, 70, 430], 10, 6.0) == ([0.5] * 3, [0.5] * 3, [0.125] * 3)
    assert restarts([55], 55, 1.0) == ([0.5], [0.5], [0.125])


def test_restarts_that_keras_does_not_miss() -> None:
    assert restarts([10, 30, 70, 150, 310, 630], 10, 2.0) == ([0.5] * 6,) * 3
    schedule, rate = ours.cosine_decay_restarts(0.5, 10, m_mul=0.5)
    peer = theirs.CosineDecayRestarts(0.5, 10, m_mul=0.5)
    for step, height in ((10, 0.25), (30, 0.125), (70, 0.0625)):
        assert float(peer(step)) == rate * schedule(step) == height


@pytest.mark.parametrize("steps", [41, 55])
def test_stairs_of_jitted_keras_are_one_step_late(steps: int) -> None:
    for build, peer in (
        (ours.exponential_decay, theirs.ExponentialDecay(0.5, steps, 1 / 3, True)),
        (ours.inverse_time_decay, theirs.InverseTimeDecay(0.5, steps, 1 / 3, True)),
    ):
        schedule, rate = build(0.5, steps, 1 / 3, True)
        assert float(peer(steps)) == pytest.approx(rate * schedule(steps), rel=1e-6)
        assert float(jax.jit(peer)(steps)) == 0.5
        assert float(jax.jit(peer)(steps + 1)) == pytest.approx(rate * schedule(steps), rel=1e-6)
        assert float(jax.jit(schedule)(steps)) == pytest.approx(schedule(steps), rel=1e-6)


def test_a_cycle_of_jitted_keras_starts_one_step_early() -> None:
    schedule, _ = ours.polynomial_decay(1.0, 7, 0.0, cycle=True)
    peer = theirs.PolynomialDecay(1.0, 7, 0.0, cycle=True)
    assert (float(peer(21)), float(jax.jit(peer)(21)), schedule(21)) == (0.0, 0.25, 0.0)
    assert float(jax.jit(peer)(22)) == pytest.approx(schedule(22), rel=1e-6)


def test_shrinking_cycles_of_keras_become_nan() -> None:
    peer = theirs.CosineDecayRestarts(1.0, 10, 0.5)
    assert not math.isnan(float(peer(19)))
    assert math.isnan(float(peer(20)))


def test_fractional_powers_of_jitted_keras_become_nan() -> None:
    peer = jax.jit(theirs.PolynomialDecay(1.0, 10, 0.0, 0.9))
    schedule, _ = ours.polynomial_decay(1.0, 10, 0.0, 0.9)
    assert float(peer(9)) == pytest.approx(schedule(9), rel=1e-5)
    assert [math.isnan(float(peer(step))) for step in (10, 11, 1000)] == [True, True, True]
    assert np.asarray(jax.jit(schedule)(np.array([10, 11, 1000]))).tolist() == [0.0, 0.0, 0.0]


CLASSES: dict[str, tuple[Any, dict[str, Any]]] = {
    "exponential_decay": (
        theirs.ExponentialDecay,
        {"initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.5},
    ),
    "inverse_time_decay": (
        theirs.InverseTimeDecay,
        {"initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.5},
    ),
    "piecewise_constant_decay": (theirs.PiecewiseConstantDecay, {"boundaries": [5, 9], "values": [0.5, 0.25, 0.3]}),
    "polynomial_decay": (theirs.PolynomialDecay, {"initial_learning_rate": 0.5, "decay_steps": 10}),
    "cosine_decay": (theirs.CosineDecay, {"initial_learning_rate": 0.5, "decay_steps": 10}),
    "cosine_decay_restarts": (theirs.CosineDecayRestarts, {"initial_learning_rate": 0.5, "first_decay_steps": 10}),
}


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_match_keras(name: str) -> None:
    build, (peer, required) = getattr(ours, name), CLASSES[name]
    peer_parameters = inspect.signature(peer).parameters
    for argument, parameter in inspect.signature(build).parameters.items():
        assert parameter.default == peer_parameters[argument].default
    assert set(peer_parameters) - set(inspect.signature(build).parameters) == {"name"}
    assert isinstance(build(**required), Rated)


@pytest.mark.parametrize("name", CLASSES)
def test_from_config(name: str) -> None:
    peer, required = CLASSES[name]
    assert ours.from_config(theirs.serialize(peer(**required))) == getattr(ours, name)(**required)


RATED = {
    "exponential_decay": ours.exponential_decay(0.5, 10, 0.5, True),
    "inverse_time_decay": ours.inverse_time_decay(0.5, 10, 0.5),
    "piecewise_constant_decay": ours.piecewise_constant_decay([5, 9], [0.5, 0.25, 0.3]),
    "polynomial_decay": ours.polynomial_decay(0.5, 10, 0.01, 2.0, cycle=True),
    "cosine_decay": ours.cosine_decay(0.1, 20, 0.1, 0.5, 5),
    "cosine_decay_restarts": ours.cosine_decay_restarts(0.5, 10, 1.5, 0.9, 0.1),
}


@pytest.mark.parametrize("name", RATED)
def test_jax_and_torch_match_python(name: str) -> None:
    schedule = RATED[name].schedule
    expected = np.array([schedule(step) for step in range(80)])
    assert np.asarray(jax.jit(schedule)(np.arange(80))) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert schedule(torch.arange(80)).numpy() == pytest.approx(expected, rel=1e-6, abs=1e-9)


NONNEGATIVE_INT = "an integer from 0 to 2**53"
POSITIVE_INT = "an integer from 1 to 2**53"
NONNEGATIVE = "a number from 0 to 1.7e38"
POSITIVE = "a finite number above 0"
RATIO_UP_TO_ONE = "a number from 1e-30 to 1"
BOOL = "True or False"
POWER = "an integer from 1 to 16 if `cycle` is True"
GROWTH = "1 or a number from 1.001 to 1e6"
ERRORS: list[tuple[str, dict[str, Any], str, type[Exception]]] = [  # the first argument is the invalid one
    ("exponential_decay", {"initial_learning_rate": 0.0}, POSITIVE, ValueError),
    ("exponential_decay", {"decay_steps": 0}, POSITIVE_INT, ValueError),
    ("exponential_decay", {"decay_rate": 1.01}, RATIO_UP_TO_ONE, ValueError),
    ("exponential_decay", {"staircase": 1}, BOOL, TypeError),
    ("inverse_time_decay", {"initial_learning_rate": "high"}, POSITIVE, TypeError),
    ("inverse_time_decay", {"decay_steps": 2.5}, POSITIVE_INT, ValueError),
    ("inverse_time_decay", {"decay_rate": 0.0}, "a number from 1e-30 to 1e30", ValueError),
    ("inverse_time_decay", {"staircase": None}, BOOL, TypeError),
    ("piecewise_constant_decay", {"boundaries": [9, 5]}, "increasing", ValueError),
    ("piecewise_constant_decay", {"boundaries": 5}, "a sequence of integers", TypeError),
    ("piecewise_constant_decay", {"values": [0.5, 0.25]}, "one longer than `boundaries` (2)", ValueError),
    ("piecewise_constant_decay", {"values": [0.0, 0.0, 0.0]}, "numbers that are not all 0", ValueError),
    ("polynomial_decay", {"initial_learning_rate": -1.0}, POSITIVE, ValueError),
    ("polynomial_decay", {"decay_steps": 0}, POSITIVE_INT, ValueError),
    ("polynomial_decay", {"end_learning_rate": -1e-4}, NONNEGATIVE, ValueError),
    (
        "polynomial_decay",
        {"end_learning_rate": 0.6, "cycle": True},
        "at most `initial_learning_rate` (0.5) if `cycle` is True",
        ValueError,
    ),
    ("polynomial_decay", {"power": 0.0}, POSITIVE, ValueError),
    ("polynomial_decay", {"power": 0.5, "cycle": True}, POWER, ValueError),
    ("polynomial_decay", {"power": 17.0, "cycle": True}, POWER, ValueError),
    ("polynomial_decay", {"cycle": "yes"}, BOOL, TypeError),
    ("cosine_decay", {"initial_learning_rate": 0.0}, POSITIVE, ValueError),
    ("cosine_decay", {"initial_learning_rate": -0.1, "warmup_target": 0.5}, NONNEGATIVE, ValueError),
    ("cosine_decay", {"decay_steps": 0}, POSITIVE_INT, ValueError),
    ("cosine_decay", {"alpha": -0.1}, NONNEGATIVE, ValueError),
    ("cosine_decay", {"warmup_target": 0.0}, POSITIVE, ValueError),
    ("cosine_decay", {"warmup_steps": -1}, NONNEGATIVE_INT, ValueError),
    ("cosine_decay_restarts", {"initial_learning_rate": 0.0}, POSITIVE, ValueError),
    ("cosine_decay_restarts", {"first_decay_steps": 0}, POSITIVE_INT, ValueError),
    ("cosine_decay_restarts", {"t_mul": 0.5}, GROWTH, ValueError),
    ("cosine_decay_restarts", {"t_mul": 1.0001}, GROWTH, ValueError),
    ("cosine_decay_restarts", {"m_mul": 1.5}, RATIO_UP_TO_ONE, ValueError),
    ("cosine_decay_restarts", {"alpha": -0.1}, NONNEGATIVE, ValueError),
    ("cosine_decay_restarts", {"alpha": 1.5, "m_mul": 0.5}, "at most 1 unless `m_mul` is 1", ValueError),
]


@pytest.mark.parametrize(("function", "arguments", "requirement", "kind"), ERRORS)
def test_invalid_arguments(function: str, arguments: dict[str, Any], requirement: str, kind: type[Exception]) -> None:
    argument, value = next(iter(arguments.items()))
    with raises(function, argument, requirement, value, kind):
        getattr(ours, function)(**(CLASSES[function][1] | arguments))


def test_rates_too_large_for_a_multiplier_are_errors() -> None:
    with raises("polynomial_decay", "end_learning_rate", NONNEGATIVE, 1e40, ValueError):
        ours.polynomial_decay(1e-20, 10, 1e20)
    with raises("cosine_decay", "initial_learning_rate", NONNEGATIVE, 1e40, ValueError):
        ours.cosine_decay(1e20, 10, warmup_target=1e-20)


CLASS_NAMES = (
    "'CosineDecay', 'CosineDecayRestarts', 'ExponentialDecay', 'InverseTimeDecay', 'PiecewiseConstantDecay', "
    "'PolynomialDecay'"
)


def test_invalid_arguments_of_from_config() -> None:
    for config in (None, {}, {"class_name": "CosineDecay"}, {"class_name": "CosineDecay", "config": [1]}):
        with raises("from_config", "config", "a mapping with the keys 'class_name' and 'config'", config, TypeError):
            ours.from_config(config)  # type: ignore[arg-type]
    with raises("from_config", "config['class_name']", f"one of {CLASS_NAMES}", "WarmUp", ValueError):
        ours.from_config({"class_name": "WarmUp", "config": {}})
    message = (
        "inverse_time_decay: no argument `rate` (got 1); it takes "
        "`initial_learning_rate`, `decay_steps`, `decay_rate`, `staircase`"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        ours.from_config({"class_name": "InverseTimeDecay", "config": {"rate": 1}})


def test_cosine_decay_with_warmup_is_warmup_cosine() -> None:
    assert ours.cosine_decay(0.0, 90, 0.1, 0.5, 10) == (fs.warmup_cosine(10, 100, end=0.1), 0.5)
