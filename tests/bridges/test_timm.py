"""`bridges.timm` compared with timm itself, at every update.

Each arithmetic operation of timm in float64 has an error of at most half an ulp, so at most 2**-52 of its result. A
decay is computed as a fraction of the highest rate that reaches 0 by a subtraction (1 + cos, 1 - tanh, 1 - u**k), so
its error is relative to that rate. Each test says how many operations it counts. Our own error is OURS.
"""

import inspect
import math
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bridges.timm as ours
from bridges.rated import Rated
from tests import peers
from tests.errors import raises

theirs = peers.timm()

EPS = 2.0**-52
OURS = 8  # 4 for the schedule, at most 2 for a sum of two, and 2 for the division by the base rate and its product

rates = st.floats(1e-6, 10.0)
floors = st.one_of(st.just(0.0), st.floats(1e-8, 1.0))
lengths = st.integers(1, 60)
warmups = st.one_of(st.just(0), st.integers(1, 40))
growths = st.one_of(st.sampled_from([1.0, 2.0, 3.0, 1.5, 2.5]), st.floats(1.2, 4.0))


def optimizer(base_lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1)], lr=base_lr)


def stepped(scheduler: Any, steps: int) -> list[float]:
    """The rates that timm sets at t = 0, 1, 2, ..."""
    rates = []
    for t in range(steps):
        (scheduler.step if scheduler.t_in_epochs else scheduler.step_update)(t)
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
    return rates


def class_of(name: str) -> Any:
    """The class of timm for a function such as cosine_lr_scheduler."""
    words = {"lr": "LR", "wsd": "WSD", "multistep": "MultiStep"}
    return getattr(theirs, "".join(words.get(word, word.capitalize()) for word in name.split("_")))


def pair(name: str, base_lr: float, steps: int, **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our rates and those of timm's class."""
    schedule, peak = getattr(ours, name)(base_lr, **arguments)
    scheduler = class_of(name)(optimizer(base_lr), t_in_epochs=False, **arguments)
    return np.array([peak * schedule(t) for t in range(steps)]), np.array(stepped(scheduler, steps))


def assert_close(actual: np.ndarray, peer: np.ndarray, tolerance: Any) -> None:
    wrong = np.flatnonzero(~(np.abs(actual - peer) <= tolerance))
    assert wrong.size == 0, [(t, actual[t], peer[t]) for t in wrong[:5]]


def cycle_starts(t_initial: int, cycle_mul: float, count: int) -> list[Fraction]:
    """The start of each cycle, and the end of the last one."""
    return [Fraction(0), *accumulate(t_initial * Fraction(cycle_mul) ** i for i in range(count))]


def has_wrong_cycle(t: int, t_initial: int, cycle_mul: float) -> bool:
    """Whether timm's logarithm assigns a step to the wrong cycle."""
    if cycle_mul == 1:
        return False
    starts = cycle_starts(t_initial, cycle_mul, 12)
    cycle = math.floor(math.log(1 - t / t_initial * (1 - cycle_mul), cycle_mul))
    return not starts[cycle] <= t < starts[cycle + 1]


@st.composite
def cycles(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "t_initial": draw(lengths),
        "lr_min": draw(floors),
        "cycle_mul": draw(growths),
        "cycle_decay": draw(st.one_of(st.just(1.0), st.floats(0.05, 2.0))),
        "cycle_limit": draw(st.integers(0, 4)),
        "warmup_t": draw(warmups),
        "warmup_lr_init": draw(floors),
        "warmup_prefix": draw(st.booleans()),
    }


def compare_cycles(
    name: str,
    base_lr: float,
    arguments: dict[str, Any],
    operations: float,
    slope: Callable[[float], float],
    **others: Any,
) -> None:
    """Compare every step until after the end; `slope` is the derivative of the curve at a fraction u of a cycle."""
    t_initial, growth, limit = arguments["t_initial"], arguments["cycle_mul"], arguments["cycle_limit"]
    offset = arguments["warmup_t"] if arguments["warmup_prefix"] else 0
    starts = cycle_starts(t_initial, growth, limit)
    steps = min(int(starts[-1]) + arguments["warmup_t"] + 5, 700)
    actual, peer = pair(name, base_lr, steps, **arguments, **others)
    top = max(base_lr * max(1.0, arguments["cycle_decay"] ** limit), arguments["lr_min"], arguments["warmup_lr_init"])
    tolerance = np.full(steps, (operations + OURS) * EPS * top)
    for t in range(arguments["warmup_t"], steps):
        step = t - offset
        if step >= starts[-1]:
            break
        start, end = next((a, b) for a, b in pairwise(starts) if step < b)
        u = float((step - start) / (end - start))
        # timm subtracts two sums of powers of cycle_mul and divides by 1 - cycle_mul. These are 6 operations on numbers
        # of the size of t, and the rounding error of 1 - cycle_mul.
        error_of_u = 0.0 if growth == 1 else (6 + 1 / (growth - 1)) * step / float(end - start)
        tolerance[t] += (error_of_u + operations) * EPS * top * slope(u)
        if has_wrong_cycle(step, t_initial, growth):
            assert step in starts  # see test_restarts_that_timm_misses
            tolerance[t] = math.inf
    assert_close(actual, peer, tolerance)


@settings(max_examples=50)
@given(rates, cycles(), st.one_of(st.just(1.0), st.floats(0.5, 3.0)))
def test_cosine(base_lr: float, arguments: dict[str, Any], k: float) -> None:
    # 10 operations. The slope, sin(pi * u**k) * pi * k * u**(k - 1) / 2, is at most 5 * k for k >= 0.5.
    compare_cycles("cosine_lr_scheduler", base_lr, arguments, 10, lambda u: 5.0 * k, k_decay=k)


@settings(max_examples=50)
@given(rates, cycles(), st.floats(-8.0, 0.0), st.floats(0.5, 8.0))
def test_tanh(base_lr: float, arguments: dict[str, Any], lb: float, ub: float) -> None:
    # 10 operations on at most |lb| + |ub|. The slope of tanh is at most 1, and (1 - tanh) / 2 halves it.
    compare_cycles("tanh_lr_scheduler", base_lr, arguments, 10, lambda u: (ub - lb) / 2, lb=lb, ub=ub)


@settings(max_examples=50)
@given(rates, cycles(), st.floats(0.2, 3.0), st.one_of(st.just(1.0), st.floats(0.5, 3.0)))
def test_poly(base_lr: float, arguments: dict[str, Any], power: float, k: float) -> None:
    # 8 operations.
    def slope(u: float) -> float:
        """The derivative of (1 - u**k)**power."""
        return power * max(1 - u**k, 1e-9) ** (power - 1) * k * max(u, 1e-3) ** min(k - 1, 0)

    compare_cycles("poly_lr_scheduler", base_lr, arguments, 8, slope, power=power, k_decay=k)


@pytest.mark.parametrize("name", ["cosine_lr_scheduler", "poly_lr_scheduler", "tanh_lr_scheduler"])
def test_shrinking_cycles(name: str) -> None:
    # The lengths are 40, 20, 10, 5 and 2.5, which is not an integer. timm raises from step 80 on.
    arguments = {"t_initial": 40, "lr_min": 0.01, "cycle_mul": 0.5, "cycle_decay": 0.7, "cycle_limit": 5}
    actual, peer = pair(name, 0.3, 78, **arguments)
    wrong = [t for t in range(78) if has_wrong_cycle(t, 40, 0.5)]
    actual[wrong] = peer[wrong]
    assert_close(actual, peer, 1e-13)  # 1 / (1 - u) is at most 40, and 1 - cycle_mul is exact
    assert len(wrong) < 3


@pytest.mark.parametrize(("t_initial", "growth", "restart"), [(2, 3.0, 242), (16, 1.5, 211)])
def test_restarts_that_timm_misses(t_initial: int, growth: float, restart: int) -> None:
    actual, peer = pair(
        "cosine_lr_scheduler", 0.5, 250, t_initial=t_initial, cycle_mul=growth, cycle_limit=6, lr_min=0.01
    )
    assert (actual[restart], peer[restart]) == (0.5, pytest.approx(0.01))
    assert_close(actual[restart + 1 :], peer[restart + 1 :], 1e-12)


def test_shrinking_cycles_end_where_timm_raises() -> None:
    arguments = {"t_initial": 40, "lr_min": 0.01, "cycle_mul": 0.5, "cycle_limit": 2}
    scheduler = theirs.CosineLRScheduler(optimizer(0.5), t_in_epochs=False, **arguments)
    scheduler.step_update(79)
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input"):
        scheduler.step_update(80)
    schedule, base_lr = ours.cosine_lr_scheduler(0.5, **arguments)
    assert base_lr * schedule(80) == base_lr * schedule(10**9) == pytest.approx(0.01, rel=4 * EPS)


@settings(max_examples=40)
@given(
    rates,
    st.one_of(st.integers(1, 30), st.sampled_from([2.4, 0.5, 1.75, 3.3, 7.0])),
    st.one_of(st.just(1.0), st.floats(0.1, 1.0)),
    warmups,
    floors,
    st.booleans(),
)
def test_step(base_lr: float, decay_t: float, decay_rate: float, warmup_t: int, start: float, prefix: bool) -> None:
    arguments = {"decay_t": decay_t, "decay_rate": decay_rate, "warmup_t": warmup_t, "warmup_lr_init": start}
    actual, peer = pair("step_lr_scheduler", base_lr, 150, **arguments, warmup_prefix=prefix)
    # A warmup from a rate above `base_lr` subtracts, so its error is relative to that rate.
    scale = np.where(np.arange(150) < warmup_t, max(base_lr, start), peer)
    period = Fraction(str(decay_t))
    is_late = np.array([t % period == 0 and t // decay_t != t // period for t in range(150)])
    late = np.roll(is_late, warmup_t if prefix else 0) & (np.arange(150) >= warmup_t)
    # Powers with exponents up to 300 have an error of 1 ulp in timm and here. A warmup has 4 operations.
    assert_close(actual, peer, np.where(late, math.inf, (6 + OURS) * EPS * scale))


def test_decays_that_timm_makes_one_step_late() -> None:
    actual, peer = pair("step_lr_scheduler", 1.0, 30, decay_t=1.1, decay_rate=0.5)
    assert np.flatnonzero(np.abs(actual - peer) > 4 * EPS * peer).tolist() == [11, 22]
    assert (actual[11], peer[11], peer[12]) == pytest.approx((0.5**10, 0.5**9, 0.5**10))


@settings(max_examples=50)
@given(
    rates,
    st.lists(st.integers(0, 60), max_size=6).map(sorted),
    st.floats(0.0, 1.5),
    warmups,
    floors,
    st.booleans(),
)
def test_multistep(base_lr: float, decay_t: list[int], rate: float, warmup_t: int, start: float, prefix: bool) -> None:
    arguments = {"decay_t": decay_t, "decay_rate": rate, "warmup_t": warmup_t, "warmup_lr_init": start}
    actual, peer = pair("multistep_lr_scheduler", base_lr, 110, **arguments, warmup_prefix=prefix)
    scale = np.where(np.arange(110) < warmup_t, max(base_lr, start), peer)
    # timm has one power and a product. We have a product of at most 6 powers.
    assert_close(actual, peer, (8 + OURS) * EPS * scale + 5e-324)


@settings(max_examples=80)
@given(
    base_lr=rates,
    stable=st.integers(0, 40),
    decay_t=st.integers(1, 40),
    lr_min=floors,
    stable_fn=st.sampled_from(["constant", "rsqrt", "power"]),
    timescale=st.one_of(st.integers(1, 100), st.sampled_from([2.5, 0.75])),
    stable_power=st.floats(0.1, 3.0),
    decay_fn=st.sampled_from(["linear", "1-sqrt", "cosine", "power", "exp"]),
    decay_power=st.floats(0.2, 3.0),
    decay_ratio=st.floats(0.01, 0.9),
    warmup_t=warmups,
    start=floors,
)
def test_wsd(
    base_lr: float,
    stable: int,
    decay_t: int,
    lr_min: float,
    stable_fn: str,
    timescale: float,
    stable_power: float,
    decay_fn: str,
    decay_power: float,
    decay_ratio: float,
    warmup_t: int,
    start: float,
) -> None:
    steps = warmup_t + stable + decay_t + 5
    actual, peer = pair(
        "wsd_lr_scheduler",
        base_lr,
        steps,
        t_initial=stable + decay_t,
        decay_t=decay_t,
        lr_min=lr_min,
        stable_fn=stable_fn,
        stable_timescale=timescale,
        stable_power=stable_power,
        decay_fn=decay_fn,
        decay_power=decay_power,
        decay_ratio=decay_ratio,
        warmup_t=warmup_t,
        warmup_lr_init=start,
    )
    # A power multiplies the error of its base by its exponent, and (q**u - q) / (1 - q) its error by 1 / (1 - q).
    operations = 12 + 2 * stable_power + (4 / (1 - decay_ratio) if decay_fn == "exp" else 0)
    assert_close(actual, peer, (operations + OURS) * EPS * max(base_lr, lr_min, start))


def test_wsd_default_timescale_is_the_warmup() -> None:
    actual, peer = pair("wsd_lr_scheduler", 1.0, 60, t_initial=50, decay_t=10, stable_fn="rsqrt", warmup_t=8)
    assert_close(actual, peer, (14 + OURS) * EPS)


def squared(u: Any) -> Any:
    return (1.0 - u) ** 2


def test_wsd_with_user_defined_decay() -> None:
    actual, peer = pair("wsd_lr_scheduler", 0.4, 60, t_initial=50, decay_t=20, decay_fn=squared, lr_min=0.1)
    assert_close(actual, peer, (10 + OURS) * EPS)
    schedule, _ = ours.wsd_lr_scheduler(0.4, 50, 20, decay_fn=squared)
    assert np.asarray(jax.jit(schedule)(np.arange(60))) == pytest.approx([schedule(t) for t in range(60)], abs=1e-6)


def test_wsd_with_user_defined_decay_that_does_not_end_at_0() -> None:
    actual, peer = pair(
        "wsd_lr_scheduler", 1.0, 60, t_initial=50, decay_t=20, decay_fn=lambda u: 1.0 - u / 2, lr_min=0.1
    )
    assert_close(actual, peer, (10 + OURS) * EPS)
    assert actual[50] == pytest.approx(0.55)


FACTORY = {
    "cosine": {"k_decay": 1.5, "cycle_limit": 2, "cycle_mul": 2.0},
    "tanh": {"cycle_limit": 3},
    "poly": {"decay_rate": 2.0, "k_decay": 1.5, "cycle_limit": 2},
    "step": {"decay_epochs": 2.5, "decay_rate": 0.5},
    "multistep": {"decay_milestones": [4, 9, 10]},
    "wsd": {"decay_epochs": 6},
    "rsqrt": {"stable_timescale": 4, "decay_fn": "exp"},
    "constant": {},
    "none": {},
}


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("updates_per_epoch", [0, 10])
@pytest.mark.parametrize("sched", FACTORY)
def test_factory(sched: str, updates_per_epoch: int, prefix: bool) -> None:
    arguments: dict[str, Any] = {"num_epochs": 20, "warmup_epochs": 5, "warmup_lr": 1e-3, "min_lr": 1e-2}
    arguments |= {**FACTORY[sched], "warmup_prefix": prefix, "cooldown_epochs": 3}
    if updates_per_epoch:
        arguments |= {"step_on_epochs": False, "updates_per_epoch": updates_per_epoch}
    assert_factory(sched, 70 * max(updates_per_epoch, 1), **arguments)


@pytest.mark.parametrize("decay_fn", ["exp", "power"])
def test_factory_decay_functions(decay_fn: str) -> None:
    assert_factory("wsd", 40, num_epochs=30, decay_fn=decay_fn)


@pytest.mark.parametrize("sched", FACTORY)
def test_factory_defaults(sched: str) -> None:
    warmup = {"warmup_epochs": 7} if sched == "rsqrt" else {}  # rsqrt needs a warmup as its timescale
    assert_factory(sched, 310, **warmup)
    assert_factory(sched, 310, cycle_limit=2, num_epochs=120, **warmup)


def assert_factory(sched: str, steps: int, **arguments: Any) -> None:
    base_lr = 0.25
    schedule, peak = ours.create_scheduler_v2(base_lr, sched, **arguments)
    actual = np.array([peak * schedule(t) for t in range(steps)])
    scheduler, _ = theirs.create_scheduler_v2(optimizer(base_lr), sched, **arguments)
    peer = np.full(steps, base_lr) if scheduler is None else np.array(stepped(scheduler, steps))
    # The slope is at most 200 ** 0.9, at the end of a decay with power 0.1.
    assert_close(actual, peer, 1e-13 * base_lr)


REQUIRED: dict[str, dict[str, Any]] = {
    "cosine_lr_scheduler": {"t_initial": 40},
    "tanh_lr_scheduler": {"t_initial": 40},
    "poly_lr_scheduler": {"t_initial": 40},
    "step_lr_scheduler": {"decay_t": 7},
    "multistep_lr_scheduler": {"decay_t": [7, 20]},
    "wsd_lr_scheduler": {"t_initial": 40, "decay_t": 15},
}


@pytest.mark.parametrize("name", [*REQUIRED, "create_scheduler_v2"])
def test_defaults_match_timm(name: str) -> None:
    peer = inspect.signature(theirs.create_scheduler_v2 if name.startswith("create") else class_of(name)).parameters
    for argument, parameter in inspect.signature(getattr(ours, name)).parameters.items():
        if argument != "base_lr":
            assert parameter.default == peer[argument].default


def test_timm_uses_the_base_rate_before_it_is_stepped() -> None:
    scheduler = theirs.TanhLRScheduler(optimizer(1.0), 40, t_in_epochs=False)
    assert scheduler.optimizer.param_groups[0]["lr"] == 1.0
    schedule, _ = ours.tanh_lr_scheduler(1.0, 40)
    assert [stepped(scheduler, 1)[0], schedule(0)] == pytest.approx([1 - 8.315e-7] * 2, abs=1e-10)


@pytest.mark.parametrize(
    "rated",
    [
        ours.cosine_lr_scheduler(0.5, 20, 0.05, 2.0, 0.5, 3, 5, 0.01, k_decay=2.0),
        ours.tanh_lr_scheduler(0.5, 20, lr_min=0.05, cycle_limit=2, warmup_t=5),
        ours.poly_lr_scheduler(0.5, 16, cycle_mul=0.5, cycle_limit=3, warmup_t=5, warmup_prefix=True),
        ours.step_lr_scheduler(0.5, 2.4, 0.9, 3),
        ours.multistep_lr_scheduler(0.5, [3, 3, 9]),
        ours.wsd_lr_scheduler(0.5, 40, 10, 0.05, "rsqrt", 2.5, warmup_t=5),
        ours.create_scheduler_v2(0.5, "wsd", 40, warmup_epochs=5),
    ],
    ids=lambda rated: repr(rated.schedule)[:24],
)
def test_jax_and_torch_match_python(rated: Rated) -> None:
    expected = np.array([rated.schedule(t) for t in range(80)])
    assert np.asarray(jax.jit(rated.schedule)(np.arange(80))) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert rated.schedule(torch.arange(80)).numpy() == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_no_placeholder_module_remains() -> None:
    peers.timm()
    peers.composer()
    peers.torchtitan()
    assert {"timm", "composer", "torchtitan"}.isdisjoint(sys.modules)


NONNEGATIVE_INT = "an integer from 0 to 2**53"
POSITIVE_INT = "an integer from 1 to 2**53"
NONNEGATIVE = "a number from 0 to 1.7e38"
POSITIVE = "a finite number above 0"
FRACTION = "an integer or a fraction with a denominator of at most 64"
NOISE = "None (noise depends on random numbers, not only on the step)"
GROWTH = "1, from 1.001 to 1e6, or such that all cycle lengths have a common denominator of at most 64"
DECAYS = "one of '1-sqrt', 'cosine', 'exp', 'linear', 'power'"
ERRORS: list[tuple[str, dict[str, Any], str, type[Exception]]] = [  # the first argument is the invalid one
    ("cosine_lr_scheduler", {"base_lr": 0.0}, POSITIVE, ValueError),
    ("cosine_lr_scheduler", {"base_lr": "high"}, POSITIVE, TypeError),
    ("cosine_lr_scheduler", {"t_initial": 0}, POSITIVE_INT, ValueError),
    ("cosine_lr_scheduler", {"lr_min": -0.1}, NONNEGATIVE, ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 0.0}, "a number above 0 and at most 1e6", ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 0.3, "cycle_limit": 5}, GROWTH, ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 1.0001, "cycle_limit": 2}, GROWTH, ValueError),
    ("cosine_lr_scheduler", {"cycle_decay": 0.0}, "a number from 1e-30 to 1e30", ValueError),
    ("cosine_lr_scheduler", {"cycle_limit": 1.5}, NONNEGATIVE_INT, ValueError),
    ("cosine_lr_scheduler", {"warmup_t": 2.5}, NONNEGATIVE_INT, ValueError),
    ("cosine_lr_scheduler", {"warmup_lr_init": -1.0}, NONNEGATIVE, ValueError),
    ("cosine_lr_scheduler", {"warmup_prefix": 1}, "True or False", TypeError),
    ("cosine_lr_scheduler", {"k_decay": 0.0}, POSITIVE, ValueError),
    ("cosine_lr_scheduler", {"noise_range_t": 3}, NOISE, ValueError),
    ("tanh_lr_scheduler", {"lb": 4.0}, "below `ub` (3.0)", ValueError),
    ("tanh_lr_scheduler", {"lb": -50.0}, "a number from -40 to 40", ValueError),
    ("tanh_lr_scheduler", {"ub": 50.0}, "a number from -40 to 40", ValueError),
    ("poly_lr_scheduler", {"power": 0.0}, POSITIVE, ValueError),
    ("step_lr_scheduler", {"decay_t": 0.0}, POSITIVE, ValueError),
    ("step_lr_scheduler", {"decay_t": 2.41}, FRACTION, ValueError),
    ("step_lr_scheduler", {"decay_rate": 1.5}, "a number from 1e-30 to 1", ValueError),
    ("multistep_lr_scheduler", {"decay_t": [5, 2]}, "sorted", ValueError),
    ("multistep_lr_scheduler", {"decay_t": 5}, "a sequence of integers", TypeError),
    ("multistep_lr_scheduler", {"decay_rate": -0.5}, NONNEGATIVE, ValueError),
    ("wsd_lr_scheduler", {"decay_t": 41}, "at most `t_initial` (40)", ValueError),
    ("wsd_lr_scheduler", {"decay_t": 0}, POSITIVE_INT, ValueError),
    ("wsd_lr_scheduler", {"stable_fn": "sqrt"}, "one of 'constant', 'power', 'rsqrt'", ValueError),
    ("wsd_lr_scheduler", {"decay_fn": "sqrt"}, DECAYS, ValueError),
    ("wsd_lr_scheduler", {"decay_ratio": 1.0, "decay_fn": "exp"}, "a number from 1e-30 to below 1", ValueError),
    ("wsd_lr_scheduler", {"decay_power": 0.0, "decay_fn": "power"}, POSITIVE, ValueError),
    ("wsd_lr_scheduler", {"stable_power": 0, "stable_fn": "power", "warmup_t": 9}, POSITIVE, ValueError),
    ("wsd_lr_scheduler", {"stable_timescale": 0, "stable_fn": "rsqrt"}, POSITIVE, ValueError),
]


@pytest.mark.parametrize(("function", "arguments", "requirement", "kind"), ERRORS)
def test_invalid_arguments(function: str, arguments: dict[str, Any], requirement: str, kind: type[Exception]) -> None:
    argument, value = next(iter(arguments.items()))
    with raises(function, argument, requirement, value, kind):
        getattr(ours, function)(**({"base_lr": 0.5} | REQUIRED[function] | arguments))


def test_a_timescale_is_required_without_warmup() -> None:
    with raises("wsd_lr_scheduler", "stable_timescale", "given if there is no warmup", None, ValueError):
        ours.wsd_lr_scheduler(0.5, 40, 10, stable_fn="rsqrt")


def test_an_invalid_milestone_is_named_by_its_index() -> None:
    with raises("multistep_lr_scheduler", "decay_t[1]", NONNEGATIVE_INT, 2.5, ValueError):
        ours.multistep_lr_scheduler(0.5, [1, 2.5])


def test_a_rate_too_large_for_a_multiplier_is_an_error() -> None:
    with raises("cosine_lr_scheduler", "lr_min", NONNEGATIVE, 1e39, ValueError):
        ours.cosine_lr_scheduler(1e-9, 40, lr_min=1e30)


SCHEDS = ", ".join(map(repr, sorted(FACTORY)))
UPDATES = {"step_on_epochs": False, "updates_per_epoch": 100}


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "value"),
    [
        ({"sched": "linear"}, "sched", f"one of {SCHEDS}", "linear"),
        ({"sched": "plateau"}, "sched", "a schedule that depends only on the step, not on a metric", "plateau"),
        ({"noise": 0.5}, "noise", NOISE, 0.5),
        ({"num_epochs": 1.5}, "num_epochs", POSITIVE_INT, 1.5),
        ({"num_epochs": 1.005, **UPDATES}, "num_epochs * updates_per_epoch", POSITIVE_INT, 1.005 * 100),
        ({"num_epochs": -1, **UPDATES}, "num_epochs", NONNEGATIVE, -1),
        ({"warmup_epochs": 0.001, **UPDATES}, "warmup_epochs * updates_per_epoch", NONNEGATIVE_INT, 0.1),
        ({"min_lr": -1.0}, "min_lr", NONNEGATIVE, -1.0),
        ({"warmup_lr": -1.0}, "warmup_lr", NONNEGATIVE, -1.0),
        ({"step_on_epochs": False}, "updates_per_epoch", POSITIVE_INT, 0),
        ({"sched": "step", "decay_epochs": 0}, "decay_epochs", "a finite number above 0", 0),
        ({"sched": "poly", "decay_rate": 0.0}, "decay_rate", "a finite number above 0", 0.0),
        (
            {"sched": "multistep", "decay_milestones": [0.005], **UPDATES},
            "decay_milestones[0] * updates_per_epoch",
            NONNEGATIVE_INT,
            0.5,
        ),
        ({"sched": "wsd", "decay_epochs": 301}, "decay_epochs", "a length of 1 to 300 steps", 301),
        ({"sched": "wsd", "decay_epochs": 0.001}, "decay_epochs", "a length of 1 to 300 steps", 0.001),
        ({"sched": "wsd", "warmup_epochs": 300}, "num_epochs", "above `warmup_epochs` (300)", 300),
        ({"sched": "rsqrt"}, "stable_timescale", "given if there is no warmup", None),
    ],
)
def test_invalid_arguments_of_the_factory(
    arguments: dict[str, Any], argument: str, requirement: str, value: Any
) -> None:
    with raises("create_scheduler_v2", argument, requirement, value, ValueError):
        ours.create_scheduler_v2(0.5, **arguments)
