"""The functions of `bridges.optax` named like optax's: rates compared with optax and with exact mathematics."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import bridges.optax as bridge
from bridges.optax import to_optax
from bridges.rated import Rated
from bridges.torch import lambda_lr
from tests.bridges.optax.exact import COUNTS, EXAMPLES, STEPS, ULPS, Curve, exact, inaccurate, rates

# Compared with optax in float64, for random arguments.

RATES = st.one_of(st.sampled_from([0.0, 1.0, 1e-3, 3e-4]), st.floats(1e-6, 10.0))
LENGTHS = st.integers(1, 20)
BEGINS = st.integers(0, 20)
EXPONENTS = st.one_of(st.sampled_from([1.0, 2.0, 0.5]), st.floats(0.25, 4.0))
DECAYS = st.one_of(st.sampled_from([0.5, 0.1, 1.0, 2.0]), st.floats(1e-3, 3.0))
DIVISORS = st.one_of(st.sampled_from([25.0, 1.0, 1e4]), st.floats(0.1, 1e5))
SCALE = st.one_of(st.sampled_from([0.0, 0.1, 2.0]), st.floats(0.01, 3.0))
# Few lengths, because JAX compiles for each.
SCALES = st.sampled_from([0, 1, 5]).flatmap(
    lambda size: st.dictionaries(st.integers(0, 50), SCALE, min_size=size, max_size=size)
)


@st.composite
def cosine_cycles(draw: Any) -> tuple[Any, ...]:
    warmup = draw(BEGINS)
    return draw(RATES), draw(RATES.filter(bool)), warmup, warmup + draw(LENGTHS), draw(RATES), draw(EXPONENTS)


@st.composite
def sgdr_cycles(draw: Any) -> tuple[list[dict[str, Any]]]:
    names = ["init_value", "peak_value", "warmup_steps", "decay_steps", "end_value", "exponent"]
    cycle = cosine_cycles().map(lambda args: dict(zip(names, args, strict=True)))
    cycles = draw(st.lists(cycle, min_size=1, max_size=4))
    return (cycles * draw(st.sampled_from([1, 1, 2])),)


def has_distinct_knots(args: tuple[Any, ...]) -> bool:
    """Whether all knots are at different steps, so that optax's dict of knots holds all of them."""
    n, _, *fractions = args
    inside = [int(fraction * n) for fraction in fractions]
    return inside == sorted(inside) and len({*inside, n}) == len(inside) + 1


@st.composite
def one_cycles(draw: Any, fractions: int) -> tuple[Any, ...]:
    fraction = st.floats(0.0, 1.0)
    args = draw(st.tuples(st.integers(1, 50), RATES, *[fraction] * fractions).filter(has_distinct_knots))
    return *args, draw(DIVISORS), draw(DIVISORS)


DECAY = (LENGTHS, DECAYS, BEGINS, st.booleans(), st.one_of(st.none(), RATES))
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "constant_schedule": st.tuples(RATES),
    "linear_schedule": st.tuples(RATES, RATES, LENGTHS, BEGINS),
    "polynomial_schedule": st.tuples(RATES, RATES, EXPONENTS, LENGTHS, BEGINS),
    "piecewise_constant_schedule": st.tuples(RATES, st.one_of(st.none(), SCALES)),
    "exponential_decay": st.tuples(RATES, *DECAY),
    "cosine_decay_schedule": st.tuples(RATES, LENGTHS, RATES, EXPONENTS),
    "piecewise_interpolate_schedule": st.tuples(
        st.sampled_from(["linear", "cosine"]), RATES, st.one_of(st.none(), SCALES)
    ),
    "linear_onecycle_schedule": one_cycles(2),
    "cosine_onecycle_schedule": one_cycles(1),
    "warmup_constant_schedule": st.tuples(RATES, RATES, LENGTHS),
    "warmup_cosine_decay_schedule": cosine_cycles(),
    "warmup_exponential_decay_schedule": st.tuples(RATES, RATES, BEGINS, *DECAY),
    "sgdr_schedule": sgdr_cycles(),
}


def largest_of(name: str, args: tuple[Any, ...]) -> mpf:
    return max(exact(name, *args)(step) for step in range(STEPS))


# The number of operations in the source of optax that round, each by at most half an ulp of the largest rate.
OPERATIONS = {
    "constant_schedule": 0,
    "linear_schedule": 6,  # count / steps, 1 - , ** 1, I - E, *, +
    "polynomial_schedule": 6,
    "piecewise_constant_schedule": 3 * 5,  # two products and a sum for each of at most 5 boundaries
    "exponential_decay": 4,
    "cosine_decay_schedule": 12,  # pi, pi * count, / steps, cos, 1 + , * 0.5, **, 1 - alpha, *, + alpha, *
    "piecewise_interpolate_schedule": 5 + 9,  # a product for each knot, and one interpolation
    "linear_onecycle_schedule": 8 + 9,
    "cosine_onecycle_schedule": 8 + 9,
    "warmup_constant_schedule": 6,
    "warmup_cosine_decay_schedule": 14,  # and end / peak, times peak again
    "warmup_exponential_decay_schedule": 6,
    "sgdr_schedule": 14,
}


def amplification_of_power(exponent: float, nearest: float) -> float:
    """The largest factor by which a power multiplies the absolute error of its base; `nearest` is the smallest base."""
    return exponent * max(1.0, nearest ** (exponent - 1))


def amplification(name: str, args: tuple[Any, ...]) -> float:
    """The largest factor by which optax multiplies a rounding error."""
    if name == "polynomial_schedule":
        return 1 + amplification_of_power(args[2], 1 / args[3])
    if name == "cosine_decay_schedule":
        return 1 + amplification_of_power(args[3], 1 / args[1] ** 2)
    if name == "warmup_cosine_decay_schedule":
        return 1 + amplification_of_power(args[5], 1 / (args[3] - args[2]) ** 2)
    if name == "sgdr_schedule":
        return max(amplification("warmup_cosine_decay_schedule", tuple(cycle.values())) for cycle in args[0])
    if name in ("exponential_decay", "warmup_exponential_decay_schedule"):
        decay_rate, steps = (args[4], args[3]) if "warmup" in name else (args[2], args[1])
        return 1 + abs(math.log(decay_rate)) * STEPS / steps  # the rounding of the exponent
    return 1.0


@pytest.mark.parametrize("name", ARGUMENTS)
def test_with_random_arguments_every_rate_equals_that_of_optax_in_float64(name: str) -> None:
    @settings(max_examples=25)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        with jax.enable_x64(True):
            theirs = np.broadcast_to(jax.vmap(getattr(optax, name)(*args))(COUNTS), COUNTS.shape)
        ours = np.array(rates(getattr(bridge, name)(*args)))
        largest = float(largest_of(name, args))
        tolerance = (OPERATIONS[name] * amplification(name, args) + ULPS) * 2**-52 * largest
        assert np.abs(ours - theirs).max() <= tolerance

    check()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_with_random_arguments_every_rate_is_accurate(name: str) -> None:
    @settings(max_examples=25)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        assert inaccurate(rates(getattr(bridge, name)(*args)), exact(name, *args)) == []

    check()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_with_random_arguments_the_peak_is_the_largest_rate(name: str) -> None:
    @settings(max_examples=25)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        schedule, peak = getattr(bridge, name)(*args)
        growing = "exponential" in name and args[-4] > 1  # args[-4] is `decay_rate`
        reached = max(schedule(step) for step in range(STEPS))
        assert peak == 0 or growing or reached <= 1  # growth without a bound exceeds every peak
        assert peak >= float(exact(name, *args)(0)) * (1 - 2**-50)

    check()


# Compared with optax in float32 under jit, as in training, for the examples.


@pytest.fixture(params=EXAMPLES.values(), ids=EXAMPLES)
def example(request: pytest.FixtureRequest) -> tuple[Rated, Curve, Callable[..., Any]]:
    """The result of this library, the exact curve, and the function of optax."""
    name, args = request.param
    return getattr(bridge, name)(*args), exact(name, *args), getattr(optax, name)(*args)


def test_to_optax_returns_an_equal_function_under_jit(example: Any) -> None:
    rated, curve, peer = example
    ours = np.asarray(jax.jit(to_optax(*rated))(jnp.arange(STEPS)), float)
    theirs = np.asarray(jax.jit(jax.vmap(peer))(jnp.arange(STEPS)), float)
    assert inaccurate(ours.tolist(), curve, 24) == []
    truth = np.array([float(curve(step)) for step in range(STEPS)])
    # optax is NaN after the end of "polynomial 0.9"; see test_factory_differences.py.
    finite = ~np.isnan(theirs)
    assert (np.abs(ours - theirs) <= ULPS * 2**-23 * truth + np.abs(theirs - truth))[finite].all()
    # The error of optax is small enough to be a rounding error, so the formula is the same.
    assert np.abs(theirs - truth)[finite].max() <= 30 * 2**-24 * truth.max()


def test_a_python_count_gives_accurate_rates(example: Any) -> None:
    rated, curve, _ = example
    function = to_optax(*rated)
    assert inaccurate([function(step) for step in range(STEPS)], curve) == []


def test_a_torch_tensor_gives_accurate_rates(example: Any) -> None:
    rated, curve, _ = example
    multipliers = rated.schedule(torch.arange(STEPS))
    assert multipliers.dtype == torch.float32
    assert inaccurate([rated.peak_value * m for m in multipliers.tolist()], curve, 24) == []


def test_a_torch_optimizer_uses_the_rates(example: Any) -> None:
    rated, curve, _ = example
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rated.peak_value)
    scheduler, used = lambda_lr(optimizer, rated.schedule), []
    for _ in range(STEPS):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert inaccurate(used, curve) == []


def test_the_last_rate_is_held(example: Any) -> None:
    rated, curve, _ = example
    if "exponential" not in repr(rated):  # an exponential decay has no last rate
        assert inaccurate(rates(rated, [STEPS, 10**6]), lambda _: curve(10**6), steps=[STEPS, 10**6]) == []
