"""`bridges.optax`: schedules under optax's names, beside optax's own and beside exact mathematics.

optax is run in two ways. Under x64 and eagerly it computes its formulas in float64, so that the formula itself is
compared: each of its operations rounds by half an ulp, and what it subtracts from 1 or from another rate keeps the
absolute error of the larger one, so that the tolerance is absolute, of the largest rate. In float32 under jit, as it
trains, it may be further from its formula than any rounding of ours: there it is compared with its own error, measured
against mpmath, on top of ours.

Ours is compared to mpmath: 4 ulp of the multiplier, which is the contract, and half an ulp for each rounding after it:
of a level's share in the peak, of a share of a share, of a scale, and of the product with the peak.
"""

import copy
import inspect
import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

import bridges.optax as bridge
import funcsched as fs
from bridges.optax import from_optax, to_optax
from bridges.rated import Rated
from bridges.torch import lambda_lr

mpmath.mp.prec = 300

OURS = 6  # ulp: the contract's 4, and four roundings of half an ulp
STEPS = 64  # of every run, past the end of all that have one; of one length, so that JAX compiles once
COUNTS = np.arange(STEPS)

Curve = Callable[[int], mpf]

# Exact mathematics: optax's formulas, of a step and all arguments by name.


def clipped(u: mpf) -> mpf:
    return min(max(u, mpf(0)), mpf(1))


def transition(s: int, start: float, stop: mpf | float, steps: int, begin: int = 0, power: float = 1.0) -> mpf:
    left = 1 - clipped(mpf(s - begin) / steps)
    return mpf(stop) + (mpf(start) - mpf(stop)) * (left ** mpf(power) if left else mpf(0))


def half_wave(s: int, start: float, stop: mpf | float, steps: int, exponent: float = 1.0) -> mpf:
    height = (1 + mpmath.cos(mpmath.pi * clipped(mpf(s) / steps))) / 2
    return mpf(stop) + (mpf(start) - mpf(stop)) * (height ** mpf(exponent) if s < steps else mpf(0))


def levels(s: int, init_value: float, boundaries_and_scales: dict[int, float] | None) -> mpf:
    value = mpf(init_value)
    for boundary, scale in (boundaries_and_scales or {}).items():
        value *= scale if s >= boundary else 1
    return value


def through(s: int, knots: dict[int, mpf], cosine: bool) -> mpf:
    begins = sorted(knots)
    if s >= begins[-1]:
        return knots[begins[-1]]
    i = max(i for i, begin in enumerate(begins) if s >= begin)
    curve = half_wave if cosine else transition
    return curve(s - begins[i], knots[begins[i]], knots[begins[i + 1]], begins[i + 1] - begins[i])


def interpolated(s: int, kind: str, init_value: float, boundaries_and_scales: dict[int, float] | None) -> mpf:
    knots, rate = {0: mpf(init_value)}, mpf(init_value)
    for boundary in sorted(boundaries_and_scales or {}):
        rate *= boundaries_and_scales[boundary]
        knots[boundary] = rate  # a boundary at 0 replaces the first knot
    return through(s, knots, kind == "cosine")


def one_cycle(
    s: int, kind: str, n: int, peak: float, final: float | None, start: float, div: float, last: float
) -> mpf:
    first = mpf(peak) / mpf(div)
    knots = {0: first, int(start * n): mpf(peak)}
    if final is not None:
        knots[int(final * n)] = first
    return through(s, {**knots, n: first / mpf(last)}, kind == "cosine")


def exponential(
    s: int, init: float, steps: int, rate: float, begin: int = 0, staircase: bool = False, end: float | None = None
) -> mpf:
    elapsed = max(s - begin, 0)
    power = mpf(elapsed // steps) if staircase else mpf(elapsed) / steps
    value = mpf(init) * mpf(rate) ** power
    if end is None:
        return value
    return max(value, mpf(end)) if rate < 1 else min(value, mpf(end))


def warmed(s: int, init: float, peak: float, warmup: int, then: Curve) -> mpf:
    return transition(s, init, peak, warmup) if s < warmup else then(s - warmup)


def warmup_cosine(s: int, init: float, peak: float, warmup: int, total: int, end: float = 0.0, power: float = 1) -> mpf:
    return warmed(s, init, peak, warmup, lambda s: half_wave(s, peak, end, total - warmup, power))


def sgdr(s: int, cycles: list[dict[str, Any]]) -> mpf:
    for cycle in cycles[:-1]:
        if s < cycle["decay_steps"]:
            return warmup_cosine(s, *spelled("warmup_cosine_decay_schedule", **cycle))
        s -= cycle["decay_steps"]
    return warmup_cosine(s, *spelled("warmup_cosine_decay_schedule", **cycles[-1]))


def spelled(name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """All arguments of optax's function in their order, defaults included."""
    bound = inspect.signature(getattr(optax, name)).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


EXACT: dict[str, Callable[..., mpf]] = {
    "constant_schedule": lambda s, value: mpf(value),
    "linear_schedule": transition,
    "polynomial_schedule": lambda s, init, end, power, n, begin: transition(s, init, end, n, begin, power),
    "piecewise_constant_schedule": levels,
    "exponential_decay": exponential,
    "cosine_decay_schedule": lambda s, init, n, alpha, power: half_wave(s, init, mpf(init) * mpf(alpha), n, power),
    "piecewise_interpolate_schedule": interpolated,
    "linear_onecycle_schedule": lambda s, n, peak, start, final, div, last: one_cycle(
        s, "linear", n, peak, final, start, div, last
    ),
    "cosine_onecycle_schedule": lambda s, n, peak, start, div, last: one_cycle(
        s, "cosine", n, peak, None, start, div, last
    ),
    "warmup_constant_schedule": lambda s, init, peak, warmup: transition(s, init, peak, warmup),
    "warmup_cosine_decay_schedule": warmup_cosine,
    "warmup_exponential_decay_schedule": lambda s, init, peak, warmup, *decay: warmed(
        s, init, peak, warmup, lambda s: exponential(s, peak, *decay)
    ),
    "sgdr_schedule": sgdr,
}


def exact(name: str, *args: Any, **kwargs: Any) -> Curve:
    given = spelled(name, *args, **kwargs)
    return lambda s: EXACT[name](max(s, 0), *given)


def rates(rated: Rated, steps: Any = range(STEPS)) -> list[float]:
    """In float64, of Python ints."""
    return [rated.peak_value * rated.schedule(step) for step in steps]


def wrong(used: list[float], curve: Curve, bits: int = 53, steps: Any = range(STEPS)) -> list[tuple[int, float, float]]:
    """The steps at which a rate is more than our own tolerance off."""
    unit = mpf(2) ** (1 - bits) * OURS
    return [
        (step, rate, float(curve(step)))
        for step, rate in zip(steps, used, strict=True)
        if not abs(mpf(rate) - curve(step)) <= unit * abs(curve(step))
    ]


def exactly(message: str) -> str:
    return rf"^{re.escape(message)}$"


# Beside optax in float64, over random arguments.

RATES = st.one_of(st.sampled_from([0.0, 1.0, 1e-3, 3e-4]), st.floats(1e-6, 10.0))
LENGTHS = st.integers(1, 20)
BEGINS = st.integers(0, 20)
EXPONENTS = st.one_of(st.sampled_from([1.0, 2.0, 0.5]), st.floats(0.25, 4.0))
DECAYS = st.one_of(st.sampled_from([0.5, 0.1, 1.0, 2.0]), st.floats(1e-3, 3.0))
DIVISORS = st.one_of(st.sampled_from([25.0, 1.0, 1e4]), st.floats(0.1, 1e5))
SCALE = st.one_of(st.sampled_from([0.0, 0.1, 2.0]), st.floats(0.01, 3.0))
# Few lengths, for each of which JAX compiles again.
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


def knots_apart(args: tuple[Any, ...]) -> bool:
    """Whether optax's dict of knots keeps all of them."""
    n, _, *shares = args
    inside = [int(share * n) for share in shares]
    return inside == sorted(inside) and len({*inside, n}) == len(inside) + 1


@st.composite
def one_cycles(draw: Any, shares: int) -> tuple[Any, ...]:
    share = st.floats(0.0, 1.0)
    args = draw(st.tuples(st.integers(1, 50), RATES, *[share] * shares).filter(knots_apart))
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


# How many operations of optax round, each by half an ulp of at most the largest rate, as read in its source.
OPERATIONS = {
    "constant_schedule": 0,
    "linear_schedule": 6,  # count / steps, 1 - , ** 1, I - E, *, +
    "polynomial_schedule": 6,
    "piecewise_constant_schedule": 3 * 5,  # two products and a sum for each boundary, of 5 at the most
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


def of_exponent(exponent: float, nearest: float) -> float:
    """What a power multiplies the absolute error of its base by, at the base nearest to 0 that is met."""
    return exponent * max(1.0, nearest ** (exponent - 1))


def amplified(name: str, args: tuple[Any, ...]) -> float:
    """What optax multiplies a rounding by, at most."""
    if name == "polynomial_schedule":
        return 1 + of_exponent(args[2], 1 / args[3])
    if name == "cosine_decay_schedule":
        return 1 + of_exponent(args[3], 1 / args[1] ** 2)
    if name == "warmup_cosine_decay_schedule":
        return 1 + of_exponent(args[5], 1 / (args[3] - args[2]) ** 2)
    if name == "sgdr_schedule":
        return max(amplified("warmup_cosine_decay_schedule", tuple(cycle.values())) for cycle in args[0])
    if name in ("exponential_decay", "warmup_exponential_decay_schedule"):
        decay_rate, steps = (args[4], args[3]) if "warmup" in name else (args[2], args[1])
        return 1 + abs(math.log(decay_rate)) * STEPS / steps  # the rounding of the exponent
    return 1.0


@pytest.mark.parametrize("name", ARGUMENTS)
def test_over_random_arguments_every_rate_is_that_of_optax_in_float64(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        with jax.enable_x64(True):
            theirs = np.broadcast_to(jax.vmap(getattr(optax, name)(*args))(COUNTS), COUNTS.shape)
        ours = np.array(rates(getattr(bridge, name)(*args)))
        largest = float(largest_of(name, args))
        tolerance = (OPERATIONS[name] * amplified(name, args) + OURS) * 2**-52 * largest
        assert np.abs(ours - theirs).max() <= tolerance

    check()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_over_random_arguments_every_rate_is_exact_mathematics(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        assert wrong(rates(getattr(bridge, name)(*args)), exact(name, *args)) == []

    check()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_over_random_arguments_the_peak_is_the_largest_rate_there_is(name: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(ARGUMENTS[name])
    def check(args: tuple[Any, ...]) -> None:
        schedule, peak = getattr(bridge, name)(*args)
        growing = "exponential" in name and args[-4] > 1
        reached = max(schedule(step) for step in range(STEPS))
        assert peak == 0 or growing or reached <= 1
        assert peak >= float(exact(name, *args)(0)) * (1 - 2**-50)

    check()


# Beside optax as it trains, in float32 under jit.

CYCLE = {"init_value": 1e-4, "peak_value": 3e-3, "warmup_steps": 3, "decay_steps": 12}
EXAMPLES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "constant": ("constant_schedule", (3e-4,)),
    "constant 0": ("constant_schedule", (0.0,)),
    "linear": ("linear_schedule", (3e-4, 3e-5, 10)),
    "linear up": ("linear_schedule", (1e-7, 3e-4, 30)),
    "linear, later": ("linear_schedule", (3e-4, 0.0, 10, 5)),
    "polynomial 0.9": ("polynomial_schedule", (3e-4, 0.0, 0.9, 30)),
    "polynomial 2 up, later": ("polynomial_schedule", (1e-4, 3e-3, 2, 20, 7)),
    "levels": ("piecewise_constant_schedule", (0.1, {10: 0.1, 20: 0.5})),
    "levels up": ("piecewise_constant_schedule", (0.1, {30: 0.1, 10: 3.0, 0: 0.3})),
    "no levels": ("piecewise_constant_schedule", (0.1,)),
    "lines": ("piecewise_interpolate_schedule", ("linear", 0.1, {10: 3.0, 20: 0.1, 40: 0.0})),
    "lines, a knot at 0": ("piecewise_interpolate_schedule", ("linear", 0.1, {20: 0.5, 0: 3.0})),
    "half waves": ("piecewise_interpolate_schedule", ("cosine", 0.1, {5: 3.0, 20: 0.1})),
    "exponential": ("exponential_decay", (0.1, 7, 0.3)),
    "exponential stairs": ("exponential_decay", (0.1, 7, 0.3, 5, True, 1e-3)),
    "exponential up": ("exponential_decay", (1e-4, 7, 3.0, 0, False, 3e-2)),
    "exponential, bound passed": ("exponential_decay", (1e-4, 7, 0.5, 0, False, 3e-2)),
    "cosine": ("cosine_decay_schedule", (3e-4, 40, 0.1)),
    "cosine 2": ("cosine_decay_schedule", (3e-4, 40, 0.0, 2.0)),
    "cosine up": ("cosine_decay_schedule", (3e-4, 40, 3.0)),
    "linear onecycle": ("linear_onecycle_schedule", (40, 3e-3)),
    "cosine onecycle": ("cosine_onecycle_schedule", (40, 3e-3)),
    "onecycle from above": ("cosine_onecycle_schedule", (40, 3e-3, 0.3, 0.5)),
    "warmup": ("warmup_constant_schedule", (0.0, 3e-4, 10)),
    "warmup, cosine": ("warmup_cosine_decay_schedule", (0.0, 3e-4, 10, 50, 3e-5)),
    "warmup, cosine from above": ("warmup_cosine_decay_schedule", (3e-3, 3e-4, 10, 50, 0.0, 1.5)),
    "warmup, exponential": ("warmup_exponential_decay_schedule", (0.0, 3e-4, 10, 7, 0.3)),
    "warmup, exponential up": ("warmup_exponential_decay_schedule", (0.0, 3e-4, 10, 7, 2.0, 4, True, 1e-3)),
    "cycles": ("sgdr_schedule", ([CYCLE, {**CYCLE, "peak_value": 1e-3, "end_value": 1e-5}, CYCLE],)),
    "cycles, all the same": ("sgdr_schedule", ([CYCLE] * 5,)),
}


@pytest.fixture(params=EXAMPLES.values(), ids=EXAMPLES)
def example(request: pytest.FixtureRequest) -> tuple[Rated, Curve, Callable[..., Any]]:
    """Ours, exact mathematics and optax's own."""
    name, args = request.param
    return getattr(bridge, name)(*args), exact(name, *args), getattr(optax, name)(*args)


def test_to_optax_gives_the_function_of_optax_again_under_jit(example: Any) -> None:
    rated, curve, peer = example
    ours = np.asarray(jax.jit(to_optax(*rated))(jnp.arange(STEPS)), float)
    theirs = np.asarray(jax.jit(jax.vmap(peer))(jnp.arange(STEPS)), float)
    assert wrong(ours.tolist(), curve, 24) == []
    truth = np.array([float(curve(step)) for step in range(STEPS)])
    # NaN is where optax has none: after the end of "polynomial 0.9", whose test is below.
    known = ~np.isnan(theirs)
    assert (np.abs(ours - theirs) <= OURS * 2**-23 * truth + np.abs(theirs - truth))[known].all()
    # And its error is one of rounding: the formula is the same.
    assert np.abs(theirs - truth)[known].max() <= 30 * 2**-24 * truth.max()


def test_a_python_count_gives_the_rate_of_optax(example: Any) -> None:
    rated, curve, _ = example
    function = to_optax(*rated)
    assert wrong([function(step) for step in range(STEPS)], curve) == []


def test_a_torch_tensor_gives_the_rates(example: Any) -> None:
    rated, curve, _ = example
    multipliers = rated.schedule(torch.arange(STEPS))
    assert multipliers.dtype == torch.float32
    assert wrong([rated.peak_value * m for m in multipliers.tolist()], curve, 24) == []


def test_an_optimizer_of_torch_runs_at_the_rates(example: Any) -> None:
    rated, curve, _ = example
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rated.peak_value)
    scheduler, used = lambda_lr(optimizer, rated.schedule), []
    for _ in range(STEPS):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert wrong(used, curve) == []


def test_the_last_rate_holds(example: Any) -> None:
    rated, curve, _ = example
    if "exponential" not in repr(rated):  # which has none
        assert wrong(rates(rated, [STEPS, 10**6]), lambda _: curve(10**6), steps=[STEPS, 10**6]) == []


def test_what_is_returned_is_a_value(example: Any) -> None:
    rated, _, _ = example
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
def test_the_schedule_is_the_one_of_this_name_here(name: str, args: Any, schedule: fs.Schedule, peak: float) -> None:
    assert getattr(bridge, name)(*args) == Rated(schedule, peak)


# Which functions there are.

LEFT_OUT = {
    "Schedule": "a type",
    "StatefulSchedule": "a type: its values depend on more than the count",
    "WrappedSchedule": "a stateful schedule made of one of the count",
    "inject_hyperparams": "a transformation of optimizers, which takes what to_optax returns",
    "inject_stateful_hyperparams": "its old name",
    "InjectHyperparamsState": "a state of an optimizer",
    "InjectStatefulHyperparamsState": "its old name",
}


def test_every_name_of_optax_schedules_is_offered_or_left_out_for_a_reason() -> None:
    names = {
        name
        for name, value in vars(optax.schedules).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert names == {*EXACT, "join_schedules", *LEFT_OUT}
    assert not any(hasattr(bridge, name) for name in LEFT_OUT if name != "Schedule")


@pytest.mark.parametrize("name", [*EXACT, "join_schedules"])
def test_a_function_takes_the_arguments_of_optax_in_the_same_order_with_the_same_defaults(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(module, name)).parameters.values() for module in (bridge, optax))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@pytest.mark.parametrize("name", [*EXACT, "join_schedules", "from_optax", "to_optax"])
def test_all_functions_are_exported(name: str) -> None:
    assert name in bridge.__all__


@pytest.mark.parametrize("number", [np.float32, np.float64, int], ids=["float32", "float64", "int"])
def test_numbers_of_numpy_and_whole_numbers_are_numbers(number: Any) -> None:
    schedule, peak = bridge.warmup_cosine_decay_schedule(number(0), number(2), np.int64(4), np.array(8), number(1))
    assert (schedule, peak) == (fs.warmup_cosine(4, 8, end=0.5), 2.0)


# Where ours differs: the faults of optax.


def jitted(peer: Callable[[Any], Any], *steps: int) -> list[float]:
    function = jax.jit(peer)
    return [float(function(jnp.asarray(step))) for step in steps]


@pytest.mark.parametrize("begin", [0, 5])
@pytest.mark.parametrize(("name", "middle"), [("linear_schedule", ()), ("polynomial_schedule", (2,))])
def test_optax_never_leaves_the_first_rate_in_a_transition_of_no_steps(name: str, middle: Any, begin: int) -> None:
    peer = getattr(optax, name)(0.5, 0.25, *middle, 0, begin)
    assert [peer(step) for step in (0, begin, 10**6)] == [0.5, 0.5, 0.5]
    ours = getattr(bridge, name)(0.5, 0.25, *middle, 0, begin)
    assert rates(ours, range(8)) == [0.5 if step < begin else 0.25 for step in range(8)]


def test_optax_never_leaves_the_first_rate_in_a_warmup_of_no_steps() -> None:
    assert [optax.warmup_constant_schedule(0.0, 0.5, 0)(step) for step in (0, 1, 10**6)] == [0.0, 0.0, 0.0]
    assert bridge.warmup_constant_schedule(0.0, 0.5, 0) == Rated(fs.constant(), 0.5)


@pytest.mark.parametrize("steps", [10, 20, 30, 60, 1000])
def test_optax_is_nan_under_jit_from_the_end_of_a_polynomial_of_fractional_power_on(steps: int) -> None:
    last, *after = jitted(optax.polynomial_schedule(1.0, 0.25, 0.9, steps), steps - 1, steps, steps + 1, 10**6)
    assert 0.25 < last < 1.0 and np.isnan(after).all()
    ours = to_optax(*bridge.polynomial_schedule(1.0, 0.25, 0.9, steps))
    assert jitted(ours, steps, steps + 1, 10**6) == [0.25, 0.25, 0.25]


def test_optax_ends_a_line_below_0_under_jit() -> None:
    assert jitted(optax.linear_schedule(1.0, 0.0, 10), 10, 11, 10**6) == [-(2.0**-26)] * 3
    assert jitted(to_optax(*bridge.linear_schedule(1.0, 0.0, 10)), 10, 11, 10**6) == [0.0] * 3


@pytest.mark.parametrize(("x64", "steps"), [(False, 41), (True, 49)])
def test_optax_takes_a_stair_one_step_late_under_jit(x64: bool, steps: int) -> None:
    with jax.enable_x64(x64):
        theirs = jitted(optax.exponential_decay(1.0, steps, 0.5, staircase=True), steps - 1, steps, steps + 1)
        function = to_optax(*bridge.exponential_decay(1.0, steps, 0.5, staircase=True))
        assert theirs == [1.0, 1.0, 0.5] and jitted(function, steps - 1, steps, steps + 1) == [1.0, 0.5, 0.5]


def test_optax_grows_to_infinity() -> None:
    assert [float(optax.exponential_decay(0.5, 1, 1e30)(step)) for step in (2, 3)] == [math.inf, math.inf]
    rated = bridge.exponential_decay(0.5, 1, 1e30)
    assert rated.peak_value == 0.5 and rates(rated, [0, 1, 2, 10**6]) == [0.5, 5e29, 1.5e38, 1.5e38]
    assert jitted(to_optax(*rated), 2, 10**6) == [np.float32(1.5e38)] * 2


def test_optax_has_no_cosine_of_no_steps() -> None:
    with pytest.raises(ValueError, match="positive decay_steps"):
        optax.cosine_decay_schedule(0.5, 0, 0.5)
    assert bridge.cosine_decay_schedule(0.5, 0, 0.5) == Rated(fs.constant(), 0.25)


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_optax_has_no_warmup_without_a_cosine(exponent: float) -> None:
    with pytest.raises(ValueError, match="positive decay_steps"):
        optax.warmup_cosine_decay_schedule(0.0, 0.5, 4, 4, 0.25, exponent)
    rated = bridge.warmup_cosine_decay_schedule(0.0, 0.5, 4, 4, 0.25, exponent)
    assert rates(rated, range(6)) == [0.0, 0.125, 0.25, 0.375, 0.25, 0.25]


def test_optax_stays_at_a_peak_of_0() -> None:
    peer = optax.warmup_cosine_decay_schedule(0.5, 0.0, 4, 8, 0.25)
    assert [float(peer(step)) for step in (0, 4, 6, 8)] == [0.5, 0.0, 0.0, 0.0]
    rated = bridge.warmup_cosine_decay_schedule(0.5, 0.0, 4, 8, 0.25)
    assert rated.peak_value == 0.5 and rates(rated, [0, 4, 6, 8]) == pytest.approx([0.5, 0.0, 0.125, 0.25], rel=1e-15)


# The knots of optax and ours: two at one step, where optax loses the first.
COLLISIONS = {
    "one step": ("linear_onecycle_schedule", (1, 1.0), {0: 0.04 / 25, 1: 0.04 / 25 / 1e4}, {0: 0.04, 1: 4e-6}),
    "no line back": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.5, 0.5),
        {0: 0.04, 5: 0.04 / 25, 10: 0.04 / 25 / 1e4},
        {0: 0.04, 4: 0.808, 5: 0.04, 10: 4e-6},
    ),
    "no last line": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.3, 1.0),
        {0: 0.04, 3: 1.0, 10: 1e-4},
        {0: 0.04, 3: 1.0, 9: 1 - 0.96 * 6 / 7, 10: 4e-6},
    ),
    "no way down": ("cosine_onecycle_schedule", (10, 1.0, 1.0), {0: 0.04, 10: 1.6e-7}, {0: 0.04, 5: 0.52, 10: 4e-6}),
}


@pytest.mark.parametrize(("name", "args", "theirs", "ours"), COLLISIONS.values(), ids=COLLISIONS)
def test_optax_loses_a_knot_of_a_cycle_where_two_are_at_one_step(name: str, args: Any, theirs: Any, ours: Any) -> None:
    peer, rated = getattr(optax, name)(*args), getattr(bridge, name)(*args)
    assert [float(peer(step)) for step in theirs] == pytest.approx(list(theirs.values()), rel=1e-6)
    assert rates(rated, ours) == pytest.approx(list(ours.values()), rel=1e-14)
    assert rates(rated, [args[0] + 1]) == rates(rated, [args[0]])


def test_optax_names_a_last_rate_of_linear_onecycle_that_it_does_not_have() -> None:
    assert "peak_value / final_div_factor" in (optax.linear_onecycle_schedule.__doc__ or "")
    peer = optax.linear_onecycle_schedule(100, 1.0)
    assert float(peer(100)) == pytest.approx(4e-6) and float(peer(100)) != pytest.approx(1e-4)


def test_optax_is_0_below_step_0_of_knots_and_the_first_rate_holds_here() -> None:
    args = ("linear", 0.5, {4: 0.5})
    assert float(optax.piecewise_interpolate_schedule(*args)(-1)) == 0.0
    assert rates(bridge.piecewise_interpolate_schedule(*args), [-1]) == [0.5]


def test_optax_rises_from_below_step_0_in_a_cosine_and_the_first_rate_holds_here() -> None:
    assert float(optax.cosine_decay_schedule(0.5, 10)(-5)) == pytest.approx(0.25)
    assert rates(bridge.cosine_decay_schedule(0.5, 10), [-5]) == [0.5]


def test_optax_takes_no_arrays_in_knots_or_takes_them_wrongly() -> None:
    peer = optax.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
    with pytest.raises(TypeError):
        peer(jnp.arange(3))
    assert peer(jnp.array([2, 6])).tolist() != [float(peer(2)), float(peer(6))]
    schedule, peak = bridge.piecewise_interpolate_schedule("linear", 1.0, {4: 0.5, 8: 0.5})
    assert (peak * schedule(jnp.array([2, 6]))).tolist() == [0.75, 0.375]
    assert (peak * schedule(jnp.arange(3))).tolist() == [1.0, 0.875, 0.75]


def test_optax_gives_one_number_for_an_array_where_the_rate_is_constant() -> None:
    assert optax.constant_schedule(0.5)(jnp.arange(3)) == 0.5
    assert to_optax(*bridge.constant_schedule(0.5))(jnp.arange(3)).tolist() == [0.5, 0.5, 0.5]


def test_optax_wraps_an_unsigned_count_before_the_beginning() -> None:
    args = (1.0, 0.0, 10, 5)
    assert float(optax.linear_schedule(*args)(jnp.uint32(3))) == pytest.approx(0.0, abs=1e-6)
    assert to_optax(*bridge.linear_schedule(*args))(jnp.uint32(3)) == 1.0


def test_optax_has_no_digit_left_near_the_end_of_a_long_cosine() -> None:
    steps = 10**6
    assert float(optax.cosine_decay_schedule(1.0, steps)(steps - 10)) == 0.0
    used = float(to_optax(*bridge.cosine_decay_schedule(1.0, steps))(jnp.int32(steps - 10)))
    assert wrong([used], exact("cosine_decay_schedule", 1.0, steps), 24, [steps - 10]) == []


def test_optax_ignores_boundaries_without_a_schedule_and_schedules_without_a_boundary() -> None:
    parts = [optax.constant_schedule(0.5), optax.constant_schedule(0.25)]
    assert float(optax.join_schedules(parts, [5, 10, 15])(20)) == 0.25
    assert optax.join_schedules(parts, [])(20) == 0.5
    for boundaries in ([5, 10, 15], []):
        with pytest.raises(ValueError, match="one fewer than the 2 schedules"):
            bridge.join_schedules(parts, boundaries)


# What optax replaces and says nothing, or logs: the rate it is left with, and our refusal.
REPLACED: dict[str, tuple[str, tuple[Any, ...], float, str]] = {
    "transition_begin": ("linear_schedule", (0.5, 0.0, 10, -5), 0.25, "from 0 to 2**53, got -5"),
    "transition_steps": ("linear_schedule", (0.5, 0.0, -10), 0.5, "from 0 to 2**53, got -10"),
    "transition_steps, decay": ("exponential_decay", (0.5, 0, 0.5), 0.5, "from 1 to 2**53, got 0"),
    "decay_rate": ("exponential_decay", (0.5, 10, 0.0), 0.5, "from 1e-30 to 1e30, got 0.0"),
    "transition_begin, decay": ("exponential_decay", (0.5, 5, 0.5, -5), 0.25, "from 0 to 2**53, got -5"),
}


@pytest.mark.parametrize(("case", "name", "args", "left", "rule"), [(case, *row) for case, row in REPLACED.items()])
def test_what_optax_replaces_is_refused(case: str, name: str, args: Any, left: float, rule: str) -> None:
    assert float(getattr(optax, name)(*args)(5)) == pytest.approx(left)
    kind = "a number" if case == "decay_rate" else "an integer"
    with pytest.raises(ValueError, match=exactly(f"{name}: `{case.partition(',')[0]}` must be {kind} {rule}")):
        getattr(bridge, name)(*args)


# join_schedules.


def curve_of(pieces: list[Curve], boundaries: list[int]) -> Curve:
    return lambda s: pieces[sum(s >= b for b in boundaries)](s - max([0, *(b for b in boundaries if s >= b)]))


@pytest.mark.parametrize("compile", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_joined_schedules_run_one_after_another_as_those_of_optax(compile: Callable[..., Any]) -> None:
    parts = [("linear_schedule", (0.0, 3e-4, 5)), ("exponential_decay", (1e-3, 7, 0.5)), ("constant_schedule", (1e-5,))]
    rated = bridge.join_schedules([getattr(bridge, name)(*args) for name, args in parts], [8, 40])
    peer = optax.join_schedules([getattr(optax, name)(*args) for name, args in parts], [8, 40])
    curve = curve_of([exact(name, *args) for name, args in parts], [8, 40])
    assert rated.peak_value == 1e-3
    assert wrong(rates(rated), curve) == []
    ours = np.asarray(compile(to_optax(*rated))(jnp.arange(STEPS)), float)
    theirs = np.asarray(compile(jax.vmap(peer))(jnp.arange(STEPS)), float)
    truth = np.array([float(curve(step)) for step in range(STEPS)])
    assert wrong(ours.tolist(), curve, 24) == []
    assert np.abs(theirs - truth).max() <= 20 * 2**-24 * truth.max()


def halves(count: Any) -> Any:
    return 0.5 ** (count // 4)


def test_what_is_joined_may_be_rated_bridged_a_schedule_or_a_function_of_absolute_rates() -> None:
    items = [
        bridge.linear_schedule(0.0, 0.5, 4),
        to_optax(fs.ramp(1.0, 0.5, steps=4), 0.25),
        fs.ramp(0.125, 0.25, steps=4),
        optax.constant_schedule(0.0625),
        halves,
    ]
    rated = bridge.join_schedules(items, [4, 8, 12, 16])
    assert rated.peak_value == 0.5
    expected = [
        *(0.0, 0.125, 0.25, 0.375),
        *(0.25, 0.21875, 0.1875, 0.15625),
        *(0.125, 0.15625, 0.1875, 0.21875),
        *[0.0625] * 4,
        *[1.0] * 4,
        *[0.5] * 4,
        0.25,
    ]
    assert rates(rated, range(25)) == expected
    assert (0.5 * rated.schedule(torch.arange(25))).tolist() == expected
    assert jax.jit(to_optax(*rated))(jnp.arange(25)).tolist() == expected


def test_functions_alone_have_a_peak_of_1() -> None:
    rated = bridge.join_schedules([halves, fs.constant(0.25)], [8])
    assert rated.peak_value == 1.0 and rates(rated, [0, 7, 8]) == [1.0, 0.5, 0.25]
    assert rated.schedule.schedules[1] == fs.constant(0.25)


def test_rates_of_0_joined_are_0() -> None:
    zero = bridge.constant_schedule(0.0)
    assert bridge.join_schedules([zero, zero], [5]) == Rated(fs.constant(), 0.0)
    rated = bridge.join_schedules([zero, halves], [5])
    assert rated.peak_value == 1.0 and rates(rated, [4, 5]) == [0.0, 1.0]


def test_one_schedule_joined_to_none_is_itself() -> None:
    rated = bridge.join_schedules([bridge.linear_schedule(0.0, 0.5, 4)], [])
    assert rates(rated, [0, 2, 4, 5]) == [0.0, 0.25, 0.5, 0.5]


def test_what_was_joined_can_be_joined() -> None:
    inner = bridge.join_schedules([bridge.constant_schedule(0.5), bridge.constant_schedule(0.25)], [2])
    rated = bridge.join_schedules([inner, bridge.constant_schedule(1.0)], [4])
    assert rated.peak_value == 1.0 and rates(rated, range(5)) == [0.5, 0.5, 0.25, 0.25, 1.0]


# from_optax.


def opaque(count: Any) -> Any:
    return jnp.where(count < 4, 0.125 * (count + 1), 0.5)


EXPECTED = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
ARRAYS: dict[str, tuple[Any, Any]] = {
    "int64 of NumPy": (np.arange(6), np.float64),
    "uint8 of NumPy": (np.arange(6, dtype=np.uint8), np.float64),
    "float32 of NumPy": (np.arange(6, dtype=np.float32), np.float32),
    "int64 of torch": (torch.arange(6), torch.float32),
    "uint8 of torch": (torch.arange(6, dtype=torch.uint8), torch.float32),
    "float64 of torch": (torch.arange(6, dtype=torch.float64), torch.float64),
    "int32 of JAX": (jnp.arange(6), jnp.float32),
    "float32 of JAX": (jnp.arange(6.0), jnp.float32),
}


@pytest.mark.parametrize(("steps", "dtype"), ARRAYS.values(), ids=ARRAYS)
def test_an_opaque_function_runs_on_arrays_of_every_library(steps: Any, dtype: Any) -> None:
    multipliers = from_optax(opaque, 0.5)(steps)
    assert type(multipliers) is type(steps) and multipliers.dtype == dtype and multipliers.tolist() == EXPECTED


@pytest.mark.parametrize("name", ["int64 of NumPy", "int64 of torch", "int32 of JAX"])
def test_an_opaque_function_runs_on_arrays_of_every_shape(name: str) -> None:
    steps, _ = ARRAYS[name]
    grid = from_optax(opaque, 0.5)(steps.reshape(2, 3))
    assert grid.shape == (2, 3) and grid.reshape(6).tolist() == EXPECTED
    assert from_optax(opaque, 0.5)(steps[3]).shape == ()
    assert from_optax(opaque, 0.5)(steps[:0]).shape == (0,)


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("kind", [int, float])
def test_an_opaque_function_runs_on_python_numbers(kind: Any, step: int) -> None:
    multiplier = from_optax(opaque, 0.5)(kind(step))
    assert type(multiplier) is float and multiplier == EXPECTED[step]


def test_an_opaque_function_runs_under_jit_vmap_and_grad() -> None:
    schedule = from_optax(opaque, 0.5)
    assert jax.jit(schedule)(jnp.arange(6)).tolist() == EXPECTED
    assert jax.vmap(schedule)(jnp.arange(6)).tolist() == EXPECTED
    assert jax.grad(schedule)(jnp.float32(1.5)) == 0.25


def test_an_opaque_function_gives_numbers_while_jax_traces() -> None:
    schedule = from_optax(opaque, 0.5)
    assert jax.jit(lambda x: x * schedule(2) * schedule(np.int64(1)))(jnp.float32(8.0)) == 3.0


def test_an_opaque_function_comes_back_from_to_optax() -> None:
    function = to_optax(from_optax(opaque, 0.5), 0.5)
    assert [float(function(jnp.int32(step))) for step in range(6)] == [0.5 * m for m in EXPECTED]
    optimizer = optax.sgd(function)
    change, _ = jax.jit(optimizer.update)(jnp.float32(1.0), optimizer.init(jnp.float32(0.0)))
    assert change == -0.125


@pytest.mark.parametrize("name", ["linear, later", "half waves", "warmup, cosine"])
def test_functions_of_optax_itself_run_on_torch(name: str) -> None:
    factory, args = EXAMPLES[name]
    peer = getattr(optax, factory)(*args)
    multipliers = from_optax(peer, 1e-3)(torch.arange(STEPS)[::13])
    theirs = [float(peer(step)) / 1e-3 for step in range(0, STEPS, 13)]
    # Eager values of one count and of many may differ by what XLA makes of them.
    assert multipliers.tolist() == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_a_function_with_an_if_runs_on_single_steps() -> None:
    schedule = from_optax(branching, 0.5)
    assert [schedule(step) for step in (4, 5)] == [schedule(torch.tensor(step)).item() for step in (4, 5)] == [1.0, 0.5]
    assert float(to_optax(schedule, 0.5)(jnp.int32(5))) == 0.25


def branching(count: Any) -> float:
    return 0.5 if count < 5 else 0.25


def test_an_opaque_function_is_not_for_vmap_of_torch() -> None:
    with pytest.raises(RuntimeError):
        torch.func.vmap(from_optax(opaque, 0.5))(torch.arange(3))


def test_a_number_that_the_function_returns_keeps_its_digits() -> None:
    assert from_optax(optax.constant_schedule(0.3), 0.3)(5) == 1.0


def told(count: Any) -> Any:
    return count


@pytest.mark.parametrize("step", [2**31 - 1, 2**31, 2**40])
def test_counts_of_32_bits_end_where_those_of_optax_do(step: int) -> None:
    schedule = from_optax(told, 1.0)
    assert [schedule(step), schedule(np.int64(step))] == [2**31 - 1] * 2
    assert schedule(torch.tensor(step)).item() == np.float32(2**31 - 1)
    with jax.enable_x64(True):
        assert [schedule(step), schedule(np.int64(step)), schedule(jnp.int64(step))] == [step] * 3


@pytest.mark.parametrize("step", [-1, np.int64(-7), torch.tensor(-1), jnp.int32(-1), -0.5], ids=repr)
def test_below_step_0_an_opaque_function_is_asked_for_0(step: Any) -> None:
    assert float(from_optax(opaque, 0.5)(step)) == 0.25


def test_the_step_is_nan_and_so_is_the_multiplier() -> None:
    for step in (math.nan, np.float64("nan"), torch.tensor(math.nan), jnp.float32(math.nan)):
        assert math.isnan(float(from_optax(opaque, 0.5)(step)))


def test_a_schedule_of_an_opaque_function_is_a_value() -> None:
    schedule = from_optax(opaque, 0.5)
    for other in (pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), from_optax(opaque, np.float64(0.5))):
        assert other == schedule and hash(other) == hash(schedule) and other(1) == 0.5
    assert schedule != from_optax(opaque, 0.25) and schedule != from_optax(told, 0.5)
    assert repr(schedule) == f"from_optax(function={opaque!r}, peak_value=0.5)"
    with pytest.raises(AttributeError):
        schedule.peak_value = 1.0


def test_a_schedule_of_an_opaque_function_is_a_pytree_without_leaves() -> None:
    schedule = from_optax(opaque, 0.5)
    assert jax.tree.leaves(schedule) == []
    assert jax.jit(lambda schedule: schedule(jnp.int32(1)))(schedule) == 0.5


def test_an_optimizer_of_torch_runs_an_opaque_function() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler, used = lambda_lr(optimizer, fs.shift(from_optax(opaque, 0.5), 1)), []
    for _ in range(5):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert used == [0.25, 0.375, 0.5, 0.5, 0.5]


# Errors.

WHOLE, LENGTH = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
LEVEL, POSITIVE, RATIO, SHARE = (
    "a number from 0 to 3.4e38",
    "a finite number above 0",
    "a number from 1e-30 to 1e30",
    "a number from 0 to 1",
)
TRACED = jnp.float32(0.5)
GOOD: dict[str, dict[str, Any]] = {
    "constant_schedule": {"value": 1.0},
    "linear_schedule": {"init_value": 1.0, "end_value": 0.5, "transition_steps": 10, "transition_begin": 0},
    "polynomial_schedule": {
        "init_value": 1.0,
        "end_value": 0.5,
        "power": 2.0,
        "transition_steps": 10,
        "transition_begin": 0,
    },
    "piecewise_constant_schedule": {"init_value": 1.0},
    "piecewise_interpolate_schedule": {"interpolate_type": "linear", "init_value": 1.0},
    "exponential_decay": {
        "init_value": 1.0,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 0,
        "staircase": False,
        "end_value": 0.1,
    },
    "cosine_decay_schedule": {"init_value": 1.0, "decay_steps": 10, "alpha": 0.5, "exponent": 2.0},
    "linear_onecycle_schedule": {
        "transition_steps": 10,
        "peak_value": 1.0,
        "pct_start": 0.3,
        "pct_final": 0.85,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
    },
    "cosine_onecycle_schedule": {
        "transition_steps": 10,
        "peak_value": 1.0,
        "pct_start": 0.3,
        "div_factor": 25.0,
        "final_div_factor": 1e4,
    },
    "warmup_constant_schedule": {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 5},
    "warmup_cosine_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 5,
        "decay_steps": 10,
        "end_value": 0.0,
        "exponent": 1.0,
    },
    "warmup_exponential_decay_schedule": {
        "init_value": 0.0,
        "peak_value": 1.0,
        "warmup_steps": 5,
        "transition_steps": 10,
        "decay_rate": 0.5,
        "transition_begin": 0,
        "staircase": False,
        "end_value": 0.1,
    },
}
RULES = {
    **dict.fromkeys(["value", "init_value", "end_value", "peak_value", "alpha"], LEVEL),
    **dict.fromkeys(["transition_steps", "transition_begin", "warmup_steps", "decay_steps"], WHOLE),
    **dict.fromkeys(["power", "exponent"], POSITIVE),
    **dict.fromkeys(["decay_rate", "div_factor", "final_div_factor"], RATIO),
    **dict.fromkeys(["pct_start", "pct_final"], SHARE),
    "staircase": "True or False",
}
LENGTHS_OF_1 = {"exponential_decay", "warmup_exponential_decay_schedule"} | {
    "linear_onecycle_schedule",
    "cosine_onecycle_schedule",
}
BAD: dict[str, list[tuple[Any, type[Exception]]]] = {
    LEVEL: [(-0.1, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError), (True, TypeError)],
    WHOLE: [(-1, ValueError), (1.5, ValueError), (2**54, ValueError), ("1", TypeError), (True, TypeError)],
    LENGTH: [(0, ValueError), (-1, ValueError), (1.5, ValueError), (None, TypeError)],
    POSITIVE: [(0.0, ValueError), (-1.0, ValueError), (math.inf, ValueError), (None, TypeError)],
    RATIO: [(0.0, ValueError), (-0.5, ValueError), (1e31, ValueError), (math.nan, ValueError), (None, TypeError)],
    SHARE: [(-0.1, ValueError), (1.1, ValueError), (math.nan, ValueError), (None, TypeError)],
    "True or False": [(1, TypeError), (None, TypeError)],
}


def bad_arguments() -> list[tuple[str, str, str, Any, type[Exception]]]:
    cases = []
    for name, good in GOOD.items():
        for argument in good:
            if argument in RULES:
                rule = LENGTH if argument == "transition_steps" and name in LENGTHS_OF_1 else RULES[argument]
                traced = [] if rule == "True or False" else [(TRACED, TypeError)]
                cases += [(name, argument, rule, value, error) for value, error in BAD[rule] + traced]
    return cases


@pytest.mark.parametrize(("name", "argument", "rule", "value", "error"), bad_arguments(), ids=str)
def test_a_bad_argument_is_refused_by_its_name(name: str, argument: str, rule: str, value: Any, error: Any) -> None:
    with pytest.raises(error, match=exactly(f"{name}: `{argument}` must be {rule}, got {value!r}")):
        getattr(bridge, name)(**{**GOOD[name], argument: value})


@pytest.mark.parametrize("name", GOOD)
def test_the_arguments_that_were_spoilt_are_good(name: str) -> None:
    assert isinstance(getattr(bridge, name)(**GOOD[name]), Rated)


SENTENCES: dict[str, tuple[str, tuple[Any, ...], str, type[Exception]]] = {
    "scales, no mapping": (
        "piecewise_constant_schedule",
        (1.0, [(10, 0.1)]),
        "`boundaries_and_scales` must be a mapping from boundaries to scales, or None, got [(10, 0.1)]",
        TypeError,
    ),
    "scales, key": (
        "piecewise_constant_schedule",
        (1.0, {-1: 0.5}),
        f"`boundaries_and_scales key` must be {WHOLE}, got -1",
        ValueError,
    ),
    "scales, value": (
        "piecewise_interpolate_schedule",
        ("linear", 1.0, {10: 0.5, 20: -0.5}),
        f"`boundaries_and_scales[20]` must be {LEVEL}, got -0.5",
        ValueError,
    ),
    "scales, product": (
        "piecewise_interpolate_schedule",
        ("linear", 1.0, {10: 1e20, 20: 1e20}),
        "`boundaries_and_scales` must be scales that keep the rates to 3.4e38, got {10: 1e+20, 20: 1e+20}",
        ValueError,
    ),
    "interpolation": (
        "piecewise_interpolate_schedule",
        ("cubic", 1.0),
        "`interpolate_type` must be one of 'cosine', 'linear', got 'cubic'",
        ValueError,
    ),
    "shares": (
        "linear_onecycle_schedule",
        (10, 1.0, 0.5, 0.25),
        "`pct_final` must be at least `pct_start` (0.5), got 0.25",
        ValueError,
    ),
    "warmup": (
        "warmup_cosine_decay_schedule",
        (0.0, 1.0, 11, 10),
        "`warmup_steps` must be at most `decay_steps` (10), got 11",
        ValueError,
    ),
    "no cycles": ("sgdr_schedule", ([],), "`cosine_kwargs` must be at least one cycle, got []", ValueError),
    "cycles, no sequence": ("sgdr_schedule", (3,), "`cosine_kwargs` must be a sequence of mappings, got 3", TypeError),
    "cycle, no mapping": (
        "sgdr_schedule",
        ([CYCLE, 3],),
        "`cosine_kwargs[1]` must be a mapping of arguments by name, got 3",
        TypeError,
    ),
    "cycle, no steps": (
        "sgdr_schedule",
        ([CYCLE, {**CYCLE, "warmup_steps": 0, "decay_steps": 0}],),
        f"`cosine_kwargs[1]['decay_steps']` must be {LENGTH}, got 0",
        ValueError,
    ),
    "join, no sequence": ("join_schedules", (3, []), "`schedules` must be a sequence of schedules, got 3", TypeError),
    "join, empty": ("join_schedules", ([], []), "`schedules` must be at least one schedule, got []", ValueError),
    "join, not callable": ("join_schedules", ([halves, 3], [5]), "`schedules[1]` must be callable, got 3", TypeError),
    "join, peak": (
        "join_schedules",
        ([to_optax(fs.constant(), -0.5)], []),
        f"`schedules[0].peak_value` must be {LEVEL}, got -0.5",
        ValueError,
    ),
    "join, boundaries": (
        "join_schedules",
        ([halves], [5]),
        "`boundaries` must be one fewer than the 1 schedules, got [5]",
        ValueError,
    ),
    "join, order": (
        "join_schedules",
        ([halves] * 3, [5, 5]),
        "`boundaries` must be increasing, got [5, 5]",
        ValueError,
    ),
    "join, boundary": ("join_schedules", ([halves] * 2, [-5]), f"`boundaries[0]` must be {WHOLE}, got -5", ValueError),
    "function": ("from_optax", (3, 1.0), "`function` must be callable, got 3", TypeError),
    "peak of 0": ("from_optax", (halves, 0.0), f"`peak_value` must be {POSITIVE}, got 0.0", ValueError),
    "no peak": ("from_optax", (halves, None), f"`peak_value` must be {POSITIVE}, got None", TypeError),
}  # fmt: skip


@pytest.mark.parametrize(("name", "args", "sentence", "error"), SENTENCES.values(), ids=SENTENCES)
def test_what_does_not_fit_gets_one_sentence(name: str, args: Any, sentence: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=exactly(f"{name}: {sentence}")):
        getattr(bridge, name)(*args)


def test_an_argument_of_a_cycle_that_does_not_exist_gets_the_list() -> None:
    names = "`init_value`, `peak_value`, `warmup_steps`, `decay_steps`, `end_value`, `exponent`"
    message = f"sgdr_schedule: no argument `alpha` (got 0.1); it takes {names}"
    with pytest.raises(TypeError, match=exactly(message)):
        bridge.sgdr_schedule([{**CYCLE, "alpha": 0.1}])


def test_an_argument_of_a_cycle_that_is_missing_is_named() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'decay_steps'"):
        bridge.sgdr_schedule([{"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 3}])
