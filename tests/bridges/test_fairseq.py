"""`bridges.fairseq` against the formulas of fairseq, worked out in mpmath and, where they are short, by hand.

Ours computes in float64 and takes the numbers given as they are: three roundings for the levels, at most 4 ulp for each
of two curves, their sum or product, and one with the peak: less than 16 in all. A cycle whose length is not an integer
of steps has a rounded clock, and is as accurate as its top is: 4 ulp of the peak.
"""

import math
import re
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from bridges import fairseq
from bridges.fairseq import (
    cosine,
    fixed,
    from_config,
    inverse_sqrt,
    polynomial_decay,
    step,
    tri_stage,
    triangular,
)
from bridges.rated import Rated

RELATIVE = 16 * 2.0**-53
mpmath.mp.prec = 300
UPDATES = 160


def assert_close(rated: Rated, exact: Any, absolute: float = 0.0) -> None:
    schedule, peak_value = rated
    pairs = [(n, peak_value * schedule(n), exact(n)) for n in range(UPDATES)]
    off = [(n, a, float(b)) for n, a, b in pairs if not abs(mpf(a) - b) <= RELATIVE * b + absolute * peak_value]
    assert not off, off[:5]


def warmed(n: int, warmup: int, start: float, lr: float) -> mpf:
    return mpf(start) + (mpf(lr) - mpf(start)) * n / warmup


LR = st.sampled_from([1.0, 0.3, 5e-4])
WARMUP = st.integers(0, 40)
SHRINK = st.sampled_from([1.0, 0.5, 0.1])
INIT = st.sampled_from([-1, -0.5, 0, 1e-5, 0.7])


@settings(max_examples=150, deadline=None)
@given(
    rates=st.lists(LR, min_size=1, max_size=4),
    anneal=st.none() | st.integers(1, 6),
    shrink=SHRINK,
    warmup=WARMUP,
    epoch=st.integers(1, 40),
)
def test_fixed(rates: list[float], anneal: int | None, shrink: float, warmup: int, epoch: int) -> None:
    def exact(n: int) -> mpf:
        e = 1 + n // epoch
        if anneal is None or e < anneal:
            rate = mpf(rates[min(e, len(rates)) - 1])
        else:
            rate = mpf(rates[-1]) * mpf(shrink) ** (e + 1 - anneal)
        return rate * min(mpf(1), mpf(n + 1) / warmup) if warmup else rate

    rated = fixed(lr=rates, force_anneal=anneal, lr_shrink=shrink, warmup_updates=warmup, updates_per_epoch=epoch)
    assert rated.peak_value == max(rates)
    assert_close(rated, exact)


@settings(max_examples=100, deadline=None)
@given(lr=LR, warmup=st.integers(1, 100), init=INIT)
def test_inverse_sqrt(lr: float, warmup: int, init: float) -> None:
    def exact(n: int) -> mpf:
        return warmed(n, warmup, max(init, 0), lr) if n < warmup else lr * mpmath.sqrt(mpf(warmup) / n)

    assert_close(inverse_sqrt(lr=lr, warmup_updates=warmup, warmup_init_lr=init), exact)


@settings(max_examples=150, deadline=None)
@given(
    lr=LR,
    warmup=WARMUP,
    init=INIT,
    low=st.sampled_from([0.0, 1e-4]),
    growth=st.sampled_from([1.0, 2.0, 1.5, 3]),
    period=st.sampled_from([-1, 0, 1, 10, 33]),
    shrink=SHRINK,
    rest=st.integers(1, 50),
)
def test_cosine(
    lr: float, warmup: int, init: float, low: float, growth: float, period: int, shrink: float, rest: int
) -> None:
    first = period if period > 0 else rest

    def exact(n: int) -> mpf:
        if n < warmup:
            return warmed(n, warmup, low if init < 0 else init, lr)
        begin, length, cycle = mpf(warmup), mpf(first), 0
        while n >= begin + length:
            begin, length, cycle = begin + length, length * mpf(growth), cycle + 1
        share = (n - begin) / length
        return mpf(shrink) ** cycle * (mpf(low) + (mpf(lr) - mpf(low)) * (1 + mpmath.cos(mpmath.pi * share)) / 2)

    rated = cosine(
        lr=lr,
        warmup_updates=warmup,
        warmup_init_lr=init,
        min_lr=low,
        t_mult=growth,
        lr_period_updates=period,
        lr_shrink=shrink,
        max_update=warmup + rest,
    )
    assert_close(rated, exact, 4 * 2.0**-53 if growth == 1.5 else 0.0)


@settings(max_examples=150, deadline=None)
@given(
    lr=LR,
    warmup=WARMUP,
    end=st.sampled_from([0.0, 1e-6, 2.0]),
    power=st.sampled_from([0.5, 1.0, 2.0, 3.3]),
    total=st.integers(1, 100),
    named=st.booleans(),
)
def test_polynomial_decay(lr: float, warmup: int, end: float, power: float, total: int, named: bool) -> None:
    def exact(n: int) -> mpf:
        if warmup and n <= warmup:
            return mpf(lr) * n / warmup
        if n >= total:
            return mpf(end)
        return mpf(end) + (mpf(lr) - mpf(end)) * (mpf(total - n) / (total - warmup)) ** mpf(power)

    length = {"total_num_update": total, "max_update": 7} if named else {"max_update": total}
    rated = polynomial_decay(lr=[lr], warmup_updates=warmup, end_learning_rate=end, power=power, **length)
    assert_close(rated, exact)


@settings(max_examples=100, deadline=None)
@given(
    lr=LR,
    lengths=st.tuples(WARMUP, st.integers(0, 40), st.integers(1, 60)),
    start=st.sampled_from([0.01, 0.0, 2.0]),
    end=st.sampled_from([0.01, 0.5, 1.0, 3.0]),
)
def test_tri_stage(lr: float, lengths: tuple[int, int, int], start: float, end: float) -> None:
    warmup, hold, decay = lengths

    def exact(n: int) -> mpf:
        if n < warmup:
            return mpf(lr) * (mpf(start) + (1 - mpf(start)) * n / warmup)
        return mpf(lr) * mpf(end) ** min(mpf(max(n - warmup - hold, 0)) / decay, mpf(1))

    given = dict(zip(("warmup_steps", "hold_steps", "decay_steps"), lengths, strict=True))
    assert_close(tri_stage(lr=lr, init_lr_scale=start, final_lr_scale=end, **given), exact)


@settings(max_examples=100, deadline=None)
@given(lr=LR, times=st.sampled_from([1.5, 20.0]), period=st.integers(2, 70), shrink=SHRINK, both=st.booleans())
def test_triangular(lr: float, times: float, period: int, shrink: float, both: bool) -> None:
    def exact(n: int) -> mpf:
        half = period // 2
        cycle, local = divmod(n, 2 * half)
        factor = mpf(shrink) ** cycle
        high, low = mpf(lr * times) * factor, mpf(lr) * (factor if both else 1)
        return low + (high - low) * mpf(min(local, 2 * half - local)) / half

    rated = triangular(lr=lr, max_lr=lr * times, lr_period_updates=period, lr_shrink=shrink, shrink_min=both)
    assert rated.peak_value == lr * times
    assert_close(rated, exact)


@settings(max_examples=100, deadline=None)
@given(lr=LR, warmup=WARMUP, init=INIT, low=st.sampled_from([0.0, 1e-4]), period=st.integers(1, 60), decay=SHRINK)
def test_step(lr: float, warmup: int, init: float, low: float, period: int, decay: float) -> None:
    def exact(n: int) -> mpf:
        if n < warmup:
            return warmed(n, warmup, low if init < 0 else init, lr)
        return max(mpf(low), mpf(lr) * mpf(decay) ** ((n - warmup) // period))

    rated = step(lr=lr, warmup_updates=warmup, warmup_init_lr=init, min_lr=low, lr_deacy_period=period, lr_decay=decay)
    assert_close(rated, exact)


BY_HAND = [
    ("fixed", {"lr": 0.5}, {0: 0.5, 10**6: 0.5}),
    ("fixed", {"lr": 0.5, "warmup_updates": 4}, {0: 0.125, 1: 0.25, 3: 0.5, 4: 0.5}),
    (
        "fixed",
        {"lr": [0.5, 1.0], "updates_per_epoch": 10, "force_anneal": 3, "warmup_updates": 20},
        {0: 0.025, 9: 0.25, 10: 0.55, 19: 1.0, 20: 0.1, 29: 0.1, 30: 0.01, 40: 0.001},
    ),
    ("fixed", {"lr": 0.5, "updates_per_epoch": 10, "force_anneal": 1}, {0: 0.05, 9: 0.05, 10: 0.005}),
    ("inverse_sqrt", {"lr": 0.5}, {0: 0.0, 2000: 0.25, 4000: 0.5, 16_000: 0.25}),
    ("cosine", {"lr": 1.0, "max_update": 12}, {0: 1.0, 4: 0.75, 6: 0.5, 12: 0.1, 18: 0.05, 24: 0.01}),
    (
        "cosine",
        {"lr": 1.0, "min_lr": 0.5, "warmup_updates": 2, "lr_period_updates": 4, "t_mult": 2, "lr_shrink": 0.5},
        {0: 0.5, 1: 0.75, 2: 1.0, 4: 0.75, 6: 0.5, 10: 0.375, 14: 0.25, 30: 0.125},
    ),
    ("polynomial_decay", {"lr": 1.0, "total_num_update": 10}, {0: 1.0, 5: 0.5, 10: 0.0, 11: 0.0}),
    (
        "polynomial_decay",
        {"lr": 1.0, "warmup_updates": 4, "max_update": 4, "end_learning_rate": 0.25},
        {0: 0.0, 2: 0.5, 4: 1.0, 5: 0.25},
    ),
    (
        "tri_stage",
        {"lr": 1.0, "phase_ratio": (0.1, 0.4, 0.5), "max_update": 20},
        {0: 0.01, 1: 0.505, 2: 1.0, 10: 1.0, 15: 0.1, 20: 0.01, 99: 0.01},
    ),
    (
        "tri_stage",  # 100 * 0.29 is 28.999999999999996, and fairseq cuts it to 28
        {"lr": 1.0, "phase_ratio": [0.29, 0.0, 0.71], "max_update": 100},
        {0: 0.01, 14: 0.505, 28: 1.0},
    ),
    ("tri_stage", {"lr": 1.0, "hold_steps": 3}, {0: 1.0, 2: 1.0, 3: 0.01}),
    ("triangular", {"lr": 0.1, "max_lr": 1.0}, {0: 0.1, 1250: 0.55, 2500: 1.0, 3750: 0.55, 5000: 0.1, 7500: 0.1}),
    (
        "triangular",  # on its head: 0.2 is below 1
        {"lr": 1.0, "max_lr": 2.0, "lr_period_updates": 5},
        {0: 1.0, 1: 1.5, 2: 2.0, 4: 1.0, 5: 0.6, 6: 0.2, 7: 0.6, 8: 1.0},
    ),
    (
        "triangular",
        {"lr": 1.0, "max_lr": 2.0, "lr_period_updates": 4, "shrink_min": True, "lr_shrink": 0.5},
        {0: 1.0, 2: 2.0, 3: 1.5, 4: 0.5, 6: 1.0},
    ),
    ("step", {"lr": 1.0}, {0: 1.0, 24_999: 1.0, 25_000: 0.5, 50_000: 0.25}),
]


@pytest.mark.parametrize(("name", "arguments", "values"), BY_HAND)
def test_values_by_hand(name: str, arguments: dict, values: dict[int, float]) -> None:
    schedule, peak_value = from_config(name, **arguments)
    found = {n: peak_value * schedule(n) for n in values}
    assert found == pytest.approx(values, rel=RELATIVE, abs=0.0)


def cycle_of_fairseq(updates: int, period: int, growth: float) -> int:
    return math.floor(math.log(1 - updates / period * (1 - growth), growth))


def test_the_cycle_of_fairseq_is_one_behind_at_a_restart_and_ours_is_not() -> None:
    """1 + 3 + 9 + 27 + 81 = 121, where the sixth cycle begins at lr_shrink ** 5."""
    assert cycle_of_fairseq(120, 1, 3.0) == 4
    assert cycle_of_fairseq(121, 1, 3.0) == 4
    assert cycle_of_fairseq(122, 1, 3.0) == 5
    schedule, _ = cosine(lr=1.0, lr_period_updates=1, t_mult=3.0, lr_shrink=0.5)
    assert (schedule(40), schedule(121)) == (0.5**4, 0.5**5)


def test_fairseq_refuses_a_sum_of_shares_that_was_rounded() -> None:
    assert sum((0.6, 0.3, 0.1)) != 1
    arguments: dict[str, Any] = {"lr": 1.0, "max_update": 100}
    rounded = tri_stage(phase_ratio=(0.6, 0.3, 0.1), **arguments)
    assert rounded == tri_stage(warmup_steps=60, hold_steps=30, decay_steps=10, lr=1.0)


def test_a_rate_may_be_a_list_of_one() -> None:
    for name, arguments, _ in BY_HAND:
        if not isinstance(arguments["lr"], list):
            assert from_config(name, **{**arguments, "lr": [arguments["lr"]]}) == from_config(name, **arguments)


# Errors.

WHOLE, LENGTH = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
LEVEL, ABOVE, SHRINKING = "a number from 0 to 3.4e38", "a finite number above 0", "a number from 1e-30 to 1"
ONE = "one number (one for each epoch is for 'fixed')"
VALID: dict[Any, dict[str, Any]] = {
    fixed: {"lr": 1.0},
    inverse_sqrt: {"lr": 1.0},
    cosine: {"lr": 1.0, "lr_period_updates": 5},
    polynomial_decay: {"lr": 1.0, "max_update": 10},
    tri_stage: {"lr": 1.0, "decay_steps": 5},
    triangular: {"lr": 1.0, "max_lr": 2.0},
    step: {"lr": 1.0},
}


@pytest.mark.parametrize(
    ("function", "arguments", "argument", "requirement", "got"),
    [
        *((function, {"lr": 0.0}, "lr", ABOVE, 0.0) for function in VALID),
        *((function, {"lr": [0.1, 0.2]}, "lr", ONE, [0.1, 0.2]) for function in VALID if function is not fixed),
        (fixed, {"lr": []}, "lr", "at least one number", []),
        (fixed, {"lr": [0.1, -0.1]}, "lr[1]", ABOVE, -0.1),
        (fixed, {"lr": "0.1"}, "lr", "a sequence of numbers", "0.1"),
        (fixed, {"lr_shrink": 2.0}, "lr_shrink", SHRINKING, 2.0),
        (fixed, {"warmup_updates": -1}, "warmup_updates", WHOLE, -1),
        (fixed, {"lr": [1, 2]}, "updates_per_epoch", "given where the rate depends on the epoch", None),
        (fixed, {"force_anneal": 5}, "updates_per_epoch", "given where the rate depends on the epoch", None),
        (fixed, {"force_anneal": 0, "updates_per_epoch": 5}, "force_anneal", LENGTH, 0),
        (fixed, {"force_anneal": 1, "updates_per_epoch": 0}, "updates_per_epoch", LENGTH, 0),
        (inverse_sqrt, {"warmup_updates": 0}, "warmup_updates", LENGTH, 0),
        (inverse_sqrt, {"warmup_init_lr": "0"}, "warmup_init_lr", "a number", "0"),
        (inverse_sqrt, {"warmup_init_lr": math.inf}, "warmup_init_lr", LEVEL, math.inf),
        (cosine, {"min_lr": -1.0}, "min_lr", LEVEL, -1.0),
        (cosine, {"min_lr": 1.0}, "min_lr", "below `lr` (1.0)", 1.0),
        (cosine, {"warmup_updates": 0.5}, "warmup_updates", WHOLE, 0.5),
        (cosine, {"t_mult": 0.5}, "t_mult", "1 or a number from 1.001 to 1e6", 0.5),
        (cosine, {"t_mult": 1.0001}, "t_mult", "1 or a number from 1.001 to 1e6", 1.0001),
        (cosine, {"lr_shrink": 1.5}, "lr_shrink", SHRINKING, 1.5),
        (cosine, {"lr_period_updates": 2.5}, "lr_period_updates", LENGTH, 2.5),
        (cosine, {"lr_period_updates": None}, "lr_period_updates", "an integer", None),
        (cosine, {"lr_period_updates": -1}, "max_update", "given, or `lr_period_updates`", None),
        (cosine, {"lr_period_updates": -1, "max_update": 0.5}, "max_update", WHOLE, 0.5),
        (
            cosine,
            {"lr_period_updates": -1, "max_update": 5, "warmup_updates": 5},
            "max_update",
            "above `warmup_updates` (5)",
            5,
        ),
        (
            polynomial_decay,
            {"force_anneal": 3},
            "force_anneal",
            "None (with it the rate depends on itself at the last epoch)",
            3,
        ),
        (polynomial_decay, {"end_learning_rate": -1}, "end_learning_rate", LEVEL, -1),
        (polynomial_decay, {"power": 0}, "power", ABOVE, 0),
        (polynomial_decay, {"warmup_updates": -1}, "warmup_updates", WHOLE, -1),
        (polynomial_decay, {"total_num_update": 0}, "total_num_update", LENGTH, 0),
        (polynomial_decay, {"max_update": None}, "max_update", LENGTH, None),
        (tri_stage, {"init_lr_scale": -1}, "init_lr_scale", LEVEL, -1),
        (tri_stage, {"final_lr_scale": 0}, "final_lr_scale", "a number from 1e-30 to 1e30", 0),
        (tri_stage, {"hold_steps": -1}, "hold_steps", WHOLE, -1),
        (
            tri_stage,
            {"decay_steps": 0},
            "warmup_steps",
            "above 0, or `hold_steps`, `decay_steps` or `phase_ratio` given",
            0,
        ),
        (tri_stage, {"phase_ratio": (0.5, 0.5)}, "phase_ratio", "three numbers with the sum 1", (0.5, 0.5)),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0.1)}, "phase_ratio", "three numbers with the sum 1", (0.5, 0.5, 0.1)),
        (tri_stage, {"phase_ratio": (0.5, 0.6, -0.1)}, "phase_ratio[2]", LEVEL, -0.1),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0)}, "max_update", "given for `phase_ratio`", None),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0), "max_update": 0}, "max_update", LENGTH, 0),
        (triangular, {"max_lr": 1.0}, "max_lr", "above `lr` (1.0)", 1.0),
        (triangular, {"max_lr": "???"}, "max_lr", ABOVE, "???"),
        (triangular, {"lr_period_updates": 1}, "lr_period_updates", "at least 2", 1),
        (triangular, {"lr_period_updates": 2.5}, "lr_period_updates", WHOLE, 2.5),
        (triangular, {"lr_shrink": 0}, "lr_shrink", SHRINKING, 0),
        (triangular, {"shrink_min": 1}, "shrink_min", "True or False", 1),
        (step, {"min_lr": 2.0}, "min_lr", "below `lr` (1.0)", 2.0),
        (step, {"warmup_updates": -1}, "warmup_updates", WHOLE, -1),
        (step, {"lr_deacy_period": 0}, "lr_deacy_period", LENGTH, 0),
        (step, {"lr_decay": 2.0}, "lr_decay", SHRINKING, 2.0),
    ],
)
def test_an_argument_out_of_its_range_is_refused_by_its_name(
    function: Any, arguments: dict, argument: str, requirement: str, got: Any
) -> None:
    message = f"{function.__name__}: `{argument}` must be {requirement}, got {got!r}"
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(message) + "$"):
        function(**{**VALID[function], **arguments})


def test_a_name_that_does_not_exist_is_refused_with_those_that_do() -> None:
    names = ", ".join(map(repr, sorted(fairseq._SCHEDULERS)))
    for name in ("reduce_lr_on_plateau", "manual", "pass_through", None):
        message = f"from_config: `lr_scheduler` must be one of {names}, got {name!r}"
        with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
            from_config(name, lr=1.0)
    message = (
        "step: no argument `lr_decay_period` (got 5); it takes `lr`, `warmup_updates`, `warmup_init_lr`, `min_lr`, "
    )
    with pytest.raises(TypeError, match="^" + re.escape(message + "`lr_deacy_period`, `lr_decay`") + "$"):
        from_config("step", lr=1.0, lr_decay_period=5)


@pytest.mark.parametrize(("name", "arguments"), {name: arguments for name, arguments, _ in BY_HAND}.items())
def test_the_schedule_runs_under_jit_and_on_a_tensor(name: str, arguments: dict) -> None:
    schedule, _ = from_config(name, **arguments)
    steps = np.arange(60)
    expected = np.array([schedule(int(n)) for n in steps])
    float32 = 8 * 2.0**-24  # 4 ulp of values below 1, and as much for products and sums
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
