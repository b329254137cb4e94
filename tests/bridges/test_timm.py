"""`bridges.timm` beside timm itself, update by update.

Each of timm's arithmetic steps in float64 is off by at most half an ulp, so 2**-52 of what it works on. A decay is
worked out as a share of the highest rate that goes to 0 by a subtraction (1 + cos, 1 - tanh, 1 - u**k): its error is
counted against that highest rate. `test_...` say how many steps they count; ours adds its 4 ulp, the division by the
base rate, the product with it, and where there are cycles the sum of two weights.
"""

import inspect
import math
import re
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

theirs = peers.timm()

EPS = 2.0**-52
OURS = 8  # 4 ulp of the schedule, at most 2 of a sum of two, and the division and product of the base rate

rates = st.floats(1e-6, 10.0)
floors = st.one_of(st.just(0.0), st.floats(1e-8, 1.0))
lengths = st.integers(1, 60)
warmups = st.one_of(st.just(0), st.integers(1, 40))
growths = st.one_of(st.sampled_from([1.0, 2.0, 3.0, 1.5, 2.5]), st.floats(1.2, 4.0))


def optimizer(base_lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1)], lr=base_lr)


def stepped(scheduler: Any, steps: int) -> list[float]:
    """The rates that timm sets for updates 0, 1, 2, ..."""
    found = []
    for t in range(steps):
        (scheduler.step if scheduler.t_in_epochs else scheduler.step_update)(t)
        found.append(scheduler.optimizer.param_groups[0]["lr"])
    return found


def class_of(name: str) -> Any:
    words = {"Lr": "LR", "Wsd": "WSD", "Multistep": "MultiStep"}
    found = "".join(words.get(word.capitalize(), word.capitalize()) for word in name.split("_"))
    return getattr(theirs, found)


def pair(name: str, base_lr: float, steps: int, **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our rates and timm's, of one of its classes."""
    schedule, peak = getattr(ours, name)(base_lr, **arguments)
    scheduler = class_of(name)(optimizer(base_lr), t_in_epochs=False, **arguments)
    return np.array([peak * schedule(t) for t in range(steps)]), np.array(stepped(scheduler, steps))


def assert_close(found: np.ndarray, peer: np.ndarray, tolerance: Any) -> None:
    off = np.flatnonzero(~(np.abs(found - peer) <= tolerance))
    assert off.size == 0, [(t, found[t], peer[t]) for t in off[:5]]


def begins(t_initial: int, cycle_mul: float, count: int) -> list[Fraction]:
    """Where cycles begin, and where the last one ends."""
    return [Fraction(0), *accumulate(t_initial * Fraction(cycle_mul) ** i for i in range(count))]


def misplaced(t: int, t_initial: int, cycle_mul: float) -> bool:
    """Whether timm's logarithm counts a step to another cycle than the one that it is in."""
    if cycle_mul == 1:
        return False
    place = begins(t_initial, cycle_mul, 12)
    counted = math.floor(math.log(1 - t / t_initial * (1 - cycle_mul), cycle_mul))
    return not place[counted] <= t < place[counted + 1]


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
    counted: float,
    amplified: Callable[[float], float],
    **others: Any,
) -> None:
    """Every step to past the end; `amplified` is how much of an error of the fraction u of a cycle the rate has."""
    t_initial, growth, limit = arguments["t_initial"], arguments["cycle_mul"], arguments["cycle_limit"]
    delay = arguments["warmup_t"] if arguments["warmup_prefix"] else 0
    places = begins(t_initial, growth, limit)
    steps = min(int(places[-1]) + arguments["warmup_t"] + 5, 700)
    found, peer = pair(name, base_lr, steps, **arguments, **others)
    top = max(base_lr * max(1.0, arguments["cycle_decay"] ** limit), arguments["lr_min"], arguments["warmup_lr_init"])
    tolerance = np.full(steps, (counted + OURS) * EPS * top)
    for t in range(arguments["warmup_t"], steps):
        local = t - delay
        if local >= places[-1]:
            break
        begin, end = next((a, b) for a, b in pairwise(places) if local < b)
        u = float((local - begin) / (end - begin))
        # timm takes two sums of powers of cycle_mul from each other and divides by 1 - cycle_mul: 6 steps on the
        # scale of t, and the rounding of 1 - cycle_mul.
        lost = 0.0 if growth == 1 else (6 + 1 / (growth - 1)) * local / float(end - begin)
        tolerance[t] += (lost + counted) * EPS * top * amplified(u)
        if misplaced(local, t_initial, growth):
            assert local in places  # a fault of timm, which has a test of its own
            tolerance[t] = math.inf
    assert_close(found, peer, tolerance)


@settings(max_examples=50, deadline=None)
@given(rates, cycles(), st.one_of(st.just(1.0), st.floats(0.5, 3.0)))
def test_cosine(base_lr: float, arguments: dict[str, Any], k: float) -> None:
    # sin(pi * u**k) * pi * k * u**(k - 1) / 2 is at most this for k of at least 0.5; 10 steps.
    compare_cycles("cosine_lr_scheduler", base_lr, arguments, 10, lambda u: 5.0 * k, k_decay=k)


@settings(max_examples=50, deadline=None)
@given(rates, cycles(), st.floats(-8.0, 0.0), st.floats(0.5, 8.0))
def test_tanh(base_lr: float, arguments: dict[str, Any], lb: float, ub: float) -> None:
    # The slope of a tangent is at most 1: an error of its argument counts half. 10 steps on at most |lb| + |ub|.
    compare_cycles("tanh_lr_scheduler", base_lr, arguments, 10, lambda u: (ub - lb) / 2, lb=lb, ub=ub)


@settings(max_examples=50, deadline=None)
@given(rates, cycles(), st.floats(0.2, 3.0), st.one_of(st.just(1.0), st.floats(0.5, 3.0)))
def test_poly(base_lr: float, arguments: dict[str, Any], power: float, k: float) -> None:
    # The derivative of (1 - u**k)**power; 8 steps.
    def slope(u: float) -> float:
        return power * max(1 - u**k, 1e-9) ** (power - 1) * k * max(u, 1e-3) ** min(k - 1, 0)

    compare_cycles("poly_lr_scheduler", base_lr, arguments, 8, slope, power=power, k_decay=k)


@pytest.mark.parametrize("name", ["cosine_lr_scheduler", "poly_lr_scheduler", "tanh_lr_scheduler"])
def test_cycles_that_shrink(name: str) -> None:
    # Lengths 40, 20, 10, 5, 2.5: the last is not an integer. timm fails from 80 on.
    arguments = {"t_initial": 40, "lr_min": 0.01, "cycle_mul": 0.5, "cycle_decay": 0.7, "cycle_limit": 5}
    found, peer = pair(name, 0.3, 78, **arguments)
    wrong = [t for t in range(78) if misplaced(t, 40, 0.5)]
    found[wrong] = peer[wrong]
    assert_close(found, peer, 1e-13)  # 1 / (1 - u) is at most 40, and 1 - cycle_mul exact
    assert len(wrong) < 3


@pytest.mark.parametrize(("t_initial", "growth", "restart"), [(2, 3.0, 242), (16, 1.5, 211)])
def test_a_restart_that_timm_misses(t_initial: int, growth: float, restart: int) -> None:
    found, peer = pair(
        "cosine_lr_scheduler", 0.5, 250, t_initial=t_initial, cycle_mul=growth, cycle_limit=6, lr_min=0.01
    )
    assert (found[restart], peer[restart]) == (0.5, pytest.approx(0.01))
    assert_close(found[restart + 1 :], peer[restart + 1 :], 1e-12)


def test_shrinking_cycles_end_where_timm_raises() -> None:
    arguments = {"t_initial": 40, "lr_min": 0.01, "cycle_mul": 0.5, "cycle_limit": 2}
    scheduler = theirs.CosineLRScheduler(optimizer(0.5), t_in_epochs=False, **arguments)
    scheduler.step_update(79)
    with pytest.raises(ValueError, match=r"math domain error|expected a positive input"):
        scheduler.step_update(80)
    schedule, base_lr = ours.cosine_lr_scheduler(0.5, **arguments)
    assert base_lr * schedule(80) == base_lr * schedule(10**9) == pytest.approx(0.01, rel=4 * EPS)


@settings(max_examples=40, deadline=None)
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
    found, peer = pair("step_lr_scheduler", base_lr, 150, **arguments, warmup_prefix=prefix)
    scale = np.where(np.arange(150) < warmup_t, max(base_lr, start), peer)  # a warmup downwards cancels
    exact = np.array(
        [t % Fraction(str(decay_t)) == 0 and t // decay_t != t // Fraction(str(decay_t)) for t in range(150)]
    )
    late = np.roll(exact, warmup_t if prefix else 0) & (np.arange(150) >= warmup_t)
    # A power of up to 300 in timm, and of the same number in ours: 1 ulp each. 4 steps of a warmup.
    assert_close(found, peer, np.where(late, math.inf, (6 + OURS) * EPS * scale))


def test_an_interval_that_timm_divides_too_short() -> None:
    found, peer = pair("step_lr_scheduler", 1.0, 30, decay_t=1.1, decay_rate=0.5)
    assert np.flatnonzero(np.abs(found - peer) > 4 * EPS * peer).tolist() == [11, 22]
    assert (found[11], peer[11], peer[12]) == pytest.approx((0.5**10, 0.5**9, 0.5**10))


@settings(max_examples=50, deadline=None)
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
    found, peer = pair("multistep_lr_scheduler", base_lr, 110, **arguments, warmup_prefix=prefix)
    scale = np.where(np.arange(110) < warmup_t, max(base_lr, start), peer)
    # timm has one power and a product, ours a power for each step at which milestones meet: 6 at most.
    assert_close(found, peer, (8 + OURS) * EPS * scale + 5e-324)


@settings(max_examples=80, deadline=None)
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
    found, peer = pair(
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
    # A power magnifies the error of its base by its exponent; (q**u - q) / (1 - q) loses 1 / (1 - q).
    counted = 12 + 2 * stable_power + (4 / (1 - decay_ratio) if decay_fn == "exp" else 0)
    assert_close(found, peer, (counted + OURS) * EPS * max(base_lr, lr_min, start))


def test_wsd_takes_the_warmup_as_timescale() -> None:
    found, peer = pair("wsd_lr_scheduler", 1.0, 60, t_initial=50, decay_t=10, stable_fn="rsqrt", warmup_t=8)
    assert_close(found, peer, (14 + OURS) * EPS)


def squared(u: Any) -> Any:
    return (1.0 - u) ** 2


def test_wsd_with_a_function() -> None:
    found, peer = pair("wsd_lr_scheduler", 0.4, 60, t_initial=50, decay_t=20, decay_fn=squared, lr_min=0.1)
    assert_close(found, peer, (10 + OURS) * EPS)
    schedule, _ = ours.wsd_lr_scheduler(0.4, 50, 20, decay_fn=squared)
    assert np.asarray(jax.jit(schedule)(np.arange(60))) == pytest.approx([schedule(t) for t in range(60)], abs=1e-6)


def test_wsd_with_a_function_that_does_not_end_at_0() -> None:
    found, peer = pair(
        "wsd_lr_scheduler", 1.0, 60, t_initial=50, decay_t=20, decay_fn=lambda u: 1.0 - u / 2, lr_min=0.1
    )
    assert_close(found[:50], peer[:50], (10 + OURS) * EPS)
    assert (found[50], peer[50]) == (0.1, pytest.approx(0.55))


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
def test_decays_of_the_factory(decay_fn: str) -> None:
    assert_factory("wsd", 40, num_epochs=30, decay_fn=decay_fn)


@pytest.mark.parametrize("sched", FACTORY)
def test_defaults_of_the_factory(sched: str) -> None:
    warmup = {"warmup_epochs": 7} if sched == "rsqrt" else {}  # which has no timescale without one
    assert_factory(sched, 310, **warmup)
    assert_factory(sched, 310, cycle_limit=2, num_epochs=120, **warmup)


def assert_factory(sched: str, steps: int, **arguments: Any) -> None:
    base_lr = 0.25
    schedule, peak = ours.create_scheduler_v2(base_lr, sched, **arguments)
    found = np.array([peak * schedule(t) for t in range(steps)])
    scheduler, _ = theirs.create_scheduler_v2(optimizer(base_lr), sched, **arguments)
    peer = np.full(steps, base_lr) if scheduler is None else np.array(stepped(scheduler, steps))
    # Slopes of up to 200 ** 0.9 at the end of a decay with power 0.1.
    assert_close(found, peer, 1e-13 * base_lr)


NEEDED: dict[str, dict[str, Any]] = {
    "cosine_lr_scheduler": {"t_initial": 40},
    "tanh_lr_scheduler": {"t_initial": 40},
    "poly_lr_scheduler": {"t_initial": 40},
    "step_lr_scheduler": {"decay_t": 7},
    "multistep_lr_scheduler": {"decay_t": [7, 20]},
    "wsd_lr_scheduler": {"t_initial": 40, "decay_t": 15},
}


@pytest.mark.parametrize("name", [*NEEDED, "create_scheduler_v2"])
def test_defaults(name: str) -> None:
    peer = inspect.signature(theirs.create_scheduler_v2 if name.startswith("create") else class_of(name)).parameters
    for argument, parameter in inspect.signature(getattr(ours, name)).parameters.items():
        if argument != "base_lr":
            assert parameter.default == peer[argument].default


def test_before_the_first_step_timm_runs_at_the_base_rate() -> None:
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
def test_in_jax_and_torch(rated: Rated) -> None:
    exact = np.array([rated.schedule(t) for t in range(80)])
    assert np.asarray(jax.jit(rated.schedule)(np.arange(80))) == pytest.approx(exact, rel=1e-6, abs=1e-9)
    assert rated.schedule(torch.arange(80)).numpy() == pytest.approx(exact, rel=1e-6, abs=1e-9)


def test_no_stand_in_is_left() -> None:
    peers.timm(), peers.composer(), peers.torchtitan()
    assert {"timm", "composer", "torchtitan"}.isdisjoint(sys.modules)


WHOLE = "an integer from 0 to 2**53"
COUNT = "an integer from 1 to 2**53"
LEVEL = "a number from 0 to 3.4e38"
ABOVE = "a finite number above 0"
PARTS = "an integer or a fraction with a denominator of at most 64"
NOISE = "None: noise comes from random numbers and not from the step alone"
GROWTH = "1, from 1.001 to 1e6, or such that all lengths have a common denominator of at most 64"
DECAYS = "one of '1-sqrt', 'cosine', 'exp', 'linear', 'power'"
ERRORS: list[tuple[str, dict[str, Any], str, type[Exception]]] = [  # the first argument is the wrong one
    ("cosine_lr_scheduler", {"base_lr": 0.0}, ABOVE, ValueError),
    ("cosine_lr_scheduler", {"base_lr": "1"}, ABOVE, TypeError),
    ("cosine_lr_scheduler", {"t_initial": 0}, COUNT, ValueError),
    ("cosine_lr_scheduler", {"lr_min": -0.1}, LEVEL, ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 0.0}, "a number above 0 and at most 1e6", ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 0.3, "cycle_limit": 5}, GROWTH, ValueError),
    ("cosine_lr_scheduler", {"cycle_mul": 1.0001, "cycle_limit": 2}, GROWTH, ValueError),
    ("cosine_lr_scheduler", {"cycle_decay": 0.0}, "a number from 1e-30 to 1e30", ValueError),
    ("cosine_lr_scheduler", {"cycle_limit": 1.5}, WHOLE, ValueError),
    ("cosine_lr_scheduler", {"warmup_t": 2.5}, WHOLE, ValueError),
    ("cosine_lr_scheduler", {"warmup_lr_init": -1.0}, LEVEL, ValueError),
    ("cosine_lr_scheduler", {"warmup_prefix": 1}, "True or False", TypeError),
    ("cosine_lr_scheduler", {"k_decay": 0.0}, ABOVE, ValueError),
    ("cosine_lr_scheduler", {"noise_range_t": 3}, NOISE, ValueError),
    ("tanh_lr_scheduler", {"lb": 4.0}, "below `ub` (3.0)", ValueError),
    ("tanh_lr_scheduler", {"lb": -50.0}, "a number from -40 to 40", ValueError),
    ("tanh_lr_scheduler", {"ub": 50.0}, "a number from -40 to 40", ValueError),
    ("poly_lr_scheduler", {"power": 0.0}, ABOVE, ValueError),
    ("step_lr_scheduler", {"decay_t": 0.0}, ABOVE, ValueError),
    ("step_lr_scheduler", {"decay_t": 2.41}, PARTS, ValueError),
    ("step_lr_scheduler", {"decay_rate": 1.5}, "a number from 1e-30 to 1", ValueError),
    ("multistep_lr_scheduler", {"decay_t": [5, 2]}, "in order", ValueError),
    ("multistep_lr_scheduler", {"decay_t": 5}, "a sequence of integers", TypeError),
    ("multistep_lr_scheduler", {"decay_rate": -0.5}, LEVEL, ValueError),
    ("wsd_lr_scheduler", {"decay_t": 41}, "at most `t_initial` (40)", ValueError),
    ("wsd_lr_scheduler", {"decay_t": 0}, COUNT, ValueError),
    ("wsd_lr_scheduler", {"stable_fn": "sqrt"}, "one of 'constant', 'rsqrt', 'power'", ValueError),
    ("wsd_lr_scheduler", {"decay_fn": "sqrt"}, DECAYS, ValueError),
    ("wsd_lr_scheduler", {"decay_ratio": 1.0, "decay_fn": "exp"}, "a number from 1e-30 to below 1", ValueError),
    ("wsd_lr_scheduler", {"decay_power": 0.0, "decay_fn": "power"}, ABOVE, ValueError),
    ("wsd_lr_scheduler", {"stable_power": 0, "stable_fn": "power", "warmup_t": 9}, ABOVE, ValueError),
    ("wsd_lr_scheduler", {"stable_timescale": 0, "stable_fn": "rsqrt"}, ABOVE, ValueError),
]


def refused(function: str, argument: str, requirement: str, value: Any, kind: type[Exception]) -> Any:
    sentence = f"{function}: `{argument}` must be {requirement}, got {value!r}"
    return pytest.raises(kind, match=f"^{re.escape(sentence)}$")


@pytest.mark.parametrize(("function", "wrong", "requirement", "kind"), ERRORS)
def test_errors(function: str, wrong: dict[str, Any], requirement: str, kind: type[Exception]) -> None:
    argument, value = next(iter(wrong.items()))
    with refused(function, argument, requirement, value, kind):
        getattr(ours, function)(**({"base_lr": 0.5} | NEEDED[function] | wrong))


def test_errors_about_what_is_missing_or_inside() -> None:
    with refused("wsd_lr_scheduler", "stable_timescale", "given where there is no warmup", None, ValueError):
        ours.wsd_lr_scheduler(0.5, 40, 10, stable_fn="rsqrt")
    with refused("multistep_lr_scheduler", "decay_t[1]", WHOLE, 2.5, ValueError):
        ours.multistep_lr_scheduler(0.5, [1, 2.5])
    with refused("cosine_lr_scheduler", "lr_min", LEVEL, 1e39, ValueError):
        ours.cosine_lr_scheduler(1e-9, 40, lr_min=1e30)


SCHEDS = ", ".join(map(repr, sorted(FACTORY)))
UPDATES = {"step_on_epochs": False, "updates_per_epoch": 100}


@pytest.mark.parametrize(
    ("wrong", "argument", "requirement", "value"),
    [
        ({"sched": "linear"}, "sched", f"one of {SCHEDS}", "linear"),
        (
            {"sched": "plateau"},
            "sched",
            "a function of the step, which 'plateau' is not: it follows a metric",
            "plateau",
        ),
        ({"noise": 0.5}, "noise", NOISE, 0.5),
        ({"num_epochs": 1.5}, "num_epochs", COUNT, 1.5),
        ({"num_epochs": 1.005, **UPDATES}, "num_epochs * updates_per_epoch", COUNT, 1.005 * 100),
        ({"num_epochs": -1, **UPDATES}, "num_epochs", LEVEL, -1),
        ({"warmup_epochs": 0.001, **UPDATES}, "warmup_epochs * updates_per_epoch", WHOLE, 0.1),
        ({"min_lr": -1.0}, "min_lr", LEVEL, -1.0),
        ({"warmup_lr": -1.0}, "warmup_lr", LEVEL, -1.0),
        ({"step_on_epochs": False}, "updates_per_epoch", COUNT, 0),
        ({"sched": "step", "decay_epochs": 0}, "decay_epochs", "a finite number above 0", 0),
        ({"sched": "poly", "decay_rate": 0.0}, "decay_rate", "a finite number above 0", 0.0),
        (
            {"sched": "multistep", "decay_milestones": [0.005], **UPDATES},
            "decay_milestones[0] * updates_per_epoch",
            WHOLE,
            0.5,
        ),
        ({"sched": "wsd", "decay_epochs": 301}, "decay_epochs", "a length of 1 to 300 steps", 301),
        ({"sched": "wsd", "decay_epochs": 0.001}, "decay_epochs", "a length of 1 to 300 steps", 0.001),
        ({"sched": "wsd", "warmup_epochs": 300}, "num_epochs", "above `warmup_epochs` (300)", 300),
        ({"sched": "rsqrt"}, "stable_timescale", "given where there is no warmup", None),
    ],
)
def test_errors_of_the_factory(wrong: dict[str, Any], argument: str, requirement: str, value: Any) -> None:
    with refused("create_scheduler_v2", argument, requirement, value, ValueError):
        ours.create_scheduler_v2(0.5, **wrong)
