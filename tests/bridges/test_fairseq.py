"""`bridges.fairseq` compared with the formulas of fairseq in mpmath, and with values computed by hand.

The bridge computes in float64. It has three roundings for the levels, an error of at most 4 ulp (8 roundings) for each
of two curves, one rounding for their sum or product, and one for the product with the peak: at most 21. The largest
observed error is 16. In a cycle of fractional length the step is rounded, so the error there is up to 4 ulp of the
peak.
"""

import math
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

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
from tests.errors import exactly, raises

RELATIVE = 16 * 2.0**-53
mpmath.mp.prec = 300
UPDATES = 160


def assert_close(rated: Rated, exact: Any, absolute: float = 0.0) -> None:
    schedule, peak_value = rated
    pairs = [(n, peak_value * schedule(n), exact(n)) for n in range(UPDATES)]
    errors = [(n, a, float(b)) for n, a, b in pairs if not abs(mpf(a) - b) <= RELATIVE * b + absolute * peak_value]
    assert not errors, errors[:5]


def warmup_rate(n: int, warmup: int, start: float, lr: float) -> mpf:
    return mpf(start) + (mpf(lr) - mpf(start)) * n / warmup


LR = st.sampled_from([1.0, 0.3, 5e-4])
WARMUP = st.integers(0, 40)
SHRINK = st.sampled_from([1.0, 0.5, 0.1])
INIT = st.sampled_from([-1, -0.5, 0, 1e-5, 0.7])


@settings(max_examples=150)
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


@settings(max_examples=100)
@given(lr=LR, warmup=st.integers(1, 100), init=INIT)
def test_inverse_sqrt(lr: float, warmup: int, init: float) -> None:
    def exact(n: int) -> mpf:
        return warmup_rate(n, warmup, max(init, 0), lr) if n < warmup else lr * mpmath.sqrt(mpf(warmup) / n)

    assert_close(inverse_sqrt(lr=lr, warmup_updates=warmup, warmup_init_lr=init), exact)


@settings(max_examples=150)
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
            return warmup_rate(n, warmup, low if init < 0 else init, lr)
        begin, length, cycle = mpf(warmup), mpf(first), 0
        while n >= begin + length:
            begin, length, cycle = begin + length, length * mpf(growth), cycle + 1
        fraction = (n - begin) / length
        return mpf(shrink) ** cycle * (mpf(low) + (mpf(lr) - mpf(low)) * (1 + mpmath.cos(mpmath.pi * fraction)) / 2)

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


@settings(max_examples=150)
@given(
    lr=LR,
    warmup=WARMUP,
    end=st.sampled_from([0.0, 1e-6, 2.0]),
    power=st.sampled_from([0.5, 1.0, 2.0, 3.3]),
    total=st.integers(1, 100),
    default_total=st.booleans(),
)
def test_polynomial_decay(lr: float, warmup: int, end: float, power: float, total: int, default_total: bool) -> None:
    def exact(n: int) -> mpf:
        if warmup and n <= warmup:
            return mpf(lr) * n / warmup
        if n >= total:
            return mpf(end)
        return mpf(end) + (mpf(lr) - mpf(end)) * (mpf(total - n) / (total - warmup)) ** mpf(power)

    length = {"max_update": total} if default_total else {"total_num_update": total, "max_update": 7}
    rated = polynomial_decay(lr=[lr], warmup_updates=warmup, end_learning_rate=end, power=power, **length)
    assert_close(rated, exact)


@settings(max_examples=100)
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

    rated = tri_stage(
        lr=lr, warmup_steps=warmup, hold_steps=hold, decay_steps=decay, init_lr_scale=start, final_lr_scale=end
    )
    assert_close(rated, exact)


@settings(max_examples=100)
@given(lr=LR, times=st.sampled_from([1.5, 20.0]), period=st.integers(2, 70), shrink=SHRINK, both=st.booleans())
def test_triangular(lr: float, times: float, period: int, shrink: float, both: bool) -> None:
    def exact(n: int) -> mpf:
        half = period // 2
        cycle, local = divmod(n, 2 * half)
        factor = mpf(shrink) ** cycle
        high, low = mpf(lr * times) * factor, mpf(lr) * (factor if both else 1)
        weight = mpf(min(local, 2 * half - local)) / half
        return weight * high + (1 - weight) * low  # high - low could lose all digits of a small high

    rated = triangular(lr=lr, max_lr=lr * times, lr_period_updates=period, lr_shrink=shrink, shrink_min=both)
    assert rated.peak_value == lr * times
    assert_close(rated, exact)


@settings(max_examples=100)
@given(lr=LR, warmup=WARMUP, init=INIT, low=st.sampled_from([0.0, 1e-4]), period=st.integers(1, 60), decay=SHRINK)
def test_step(lr: float, warmup: int, init: float, low: float, period: int, decay: float) -> None:
    def exact(n: int) -> mpf:
        if n < warmup:
            return warmup_rate(n, warmup, low if init < 0 else init, lr)
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
        "tri_stage",  # 100 * 0.29 is 28.999999999999996, which fairseq rounds down to 28
        {"lr": 1.0, "phase_ratio": [0.29, 0.0, 0.71], "max_update": 100},
        {0: 0.01, 14: 0.505, 28: 1.0},
    ),
    ("tri_stage", {"lr": 1.0, "hold_steps": 3}, {0: 1.0, 2: 1.0, 3: 0.01}),
    ("triangular", {"lr": 0.1, "max_lr": 1.0}, {0: 0.1, 1250: 0.55, 2500: 1.0, 3750: 0.55, 5000: 0.1, 7500: 0.1}),
    (
        "triangular",  # the second cycle is inverted: its peak of 0.2 is below `lr`
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
    assert {n: peak_value * schedule(n) for n in values} == pytest.approx(values, rel=RELATIVE, abs=0.0)


def fairseq_cycle(updates: int, period: int, growth: float) -> int:
    return math.floor(math.log(1 - updates / period * (1 - growth), growth))


def test_restart_that_fairseq_makes_one_update_late() -> None:
    """The sixth cycle begins at update 1 + 3 + 9 + 27 + 81 = 121, with a multiplier of lr_shrink ** 5."""
    assert fairseq_cycle(120, 1, 3.0) == 4
    assert fairseq_cycle(121, 1, 3.0) == 4
    assert fairseq_cycle(122, 1, 3.0) == 5
    schedule, _ = cosine(lr=1.0, lr_period_updates=1, t_mult=3.0, lr_shrink=0.5)
    assert (schedule(40), schedule(121)) == (0.5**4, 0.5**5)


def test_phase_ratio_may_have_a_rounded_sum() -> None:
    assert sum((0.6, 0.3, 0.1)) != 1
    arguments: dict[str, Any] = {"lr": 1.0, "max_update": 100}
    rounded = tri_stage(phase_ratio=(0.6, 0.3, 0.1), **arguments)
    assert rounded == tri_stage(warmup_steps=60, hold_steps=30, decay_steps=10, lr=1.0)


def test_learning_rate_may_be_a_list_of_one() -> None:
    for name, arguments, _ in BY_HAND:
        if not isinstance(arguments["lr"], list):
            assert from_config(name, **{**arguments, "lr": [arguments["lr"]]}) == from_config(name, **arguments)


# Errors

NONNEGATIVE_INT, POSITIVE_INT = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
NONNEGATIVE, POSITIVE = "a number from 0 to 1.7e38", "a finite number above 0"
RATIO_UP_TO_ONE = "a number from 1e-30 to 1"
ONE_NUMBER = "one number (only `fixed` accepts one for each epoch)"
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
        *((function, {"lr": 0.0}, "lr", POSITIVE, 0.0) for function in VALID),
        *((function, {"lr": [0.1, 0.2]}, "lr", ONE_NUMBER, [0.1, 0.2]) for function in VALID if function is not fixed),
        (fixed, {"lr": []}, "lr", "at least one number", []),
        (fixed, {"lr": [0.1, -0.1]}, "lr[1]", POSITIVE, -0.1),
        (fixed, {"lr": "high"}, "lr", "a finite number above 0", "high"),
        (fixed, {"lr_shrink": 2.0}, "lr_shrink", RATIO_UP_TO_ONE, 2.0),
        (fixed, {"warmup_updates": -1}, "warmup_updates", NONNEGATIVE_INT, -1),
        (fixed, {"lr": [1, 2]}, "updates_per_epoch", "given if the learning rate depends on the epoch", None),
        (fixed, {"force_anneal": 5}, "updates_per_epoch", "given if the learning rate depends on the epoch", None),
        (fixed, {"force_anneal": 0, "updates_per_epoch": 5}, "force_anneal", POSITIVE_INT, 0),
        (fixed, {"force_anneal": 1, "updates_per_epoch": 0}, "updates_per_epoch", POSITIVE_INT, 0),
        (inverse_sqrt, {"warmup_updates": 0}, "warmup_updates", POSITIVE_INT, 0),
        (inverse_sqrt, {"warmup_init_lr": "low"}, "warmup_init_lr", "a number", "low"),
        (inverse_sqrt, {"warmup_init_lr": math.inf}, "warmup_init_lr", NONNEGATIVE, math.inf),
        (cosine, {"min_lr": -1.0}, "min_lr", NONNEGATIVE, -1.0),
        (cosine, {"min_lr": 1.0}, "min_lr", "below `lr` (1.0)", 1.0),
        (cosine, {"warmup_updates": 0.5}, "warmup_updates", NONNEGATIVE_INT, 0.5),
        (cosine, {"t_mult": 0.5}, "t_mult", "1 or a number from 1.001 to 1e6", 0.5),
        (cosine, {"t_mult": 1.0001}, "t_mult", "1 or a number from 1.001 to 1e6", 1.0001),
        (cosine, {"lr_shrink": 1.5}, "lr_shrink", RATIO_UP_TO_ONE, 1.5),
        (cosine, {"lr_period_updates": 2.5}, "lr_period_updates", POSITIVE_INT, 2.5),
        (cosine, {"lr_period_updates": None}, "lr_period_updates", "an integer", None),
        (cosine, {"lr_period_updates": -1}, "max_update", "given if `lr_period_updates` is not above 0", None),
        (cosine, {"lr_period_updates": -1, "max_update": 0.5}, "max_update", NONNEGATIVE_INT, 0.5),
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
            "None (otherwise the learning rate depends on that of the previous epoch)",
            3,
        ),
        (polynomial_decay, {"end_learning_rate": -1}, "end_learning_rate", NONNEGATIVE, -1),
        (polynomial_decay, {"power": 0}, "power", POSITIVE, 0),
        (polynomial_decay, {"warmup_updates": -1}, "warmup_updates", NONNEGATIVE_INT, -1),
        (polynomial_decay, {"total_num_update": 0}, "total_num_update", POSITIVE_INT, 0),
        (polynomial_decay, {"max_update": None}, "max_update", POSITIVE_INT, None),
        (tri_stage, {"init_lr_scale": -1}, "init_lr_scale", NONNEGATIVE, -1),
        (tri_stage, {"final_lr_scale": 0}, "final_lr_scale", "a number from 1e-30 to 1e30", 0),
        (tri_stage, {"hold_steps": -1}, "hold_steps", NONNEGATIVE_INT, -1),
        (tri_stage, {"decay_steps": 0}, "warmup_steps", "above 0 if `hold_steps` and `decay_steps` are 0", 0),
        (tri_stage, {"phase_ratio": (0.5, 0.5)}, "phase_ratio", "three numbers whose sum is 1", (0.5, 0.5)),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0.1)}, "phase_ratio", "three numbers whose sum is 1", (0.5, 0.5, 0.1)),
        (tri_stage, {"phase_ratio": (0.5, 0.6, -0.1)}, "phase_ratio[2]", NONNEGATIVE, -0.1),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0)}, "max_update", "given with `phase_ratio`", None),
        (tri_stage, {"phase_ratio": (0.5, 0.5, 0), "max_update": 0}, "max_update", POSITIVE_INT, 0),
        (triangular, {"max_lr": 1.0}, "max_lr", "above `lr` (1.0)", 1.0),
        (triangular, {"max_lr": "???"}, "max_lr", POSITIVE, "???"),
        (triangular, {"lr_period_updates": 1}, "lr_period_updates", "at least 2", 1),
        (triangular, {"lr_period_updates": 2.5}, "lr_period_updates", NONNEGATIVE_INT, 2.5),
        (triangular, {"lr_shrink": 0}, "lr_shrink", RATIO_UP_TO_ONE, 0),
        (triangular, {"shrink_min": 1}, "shrink_min", "True or False", 1),
        (step, {"min_lr": 2.0}, "min_lr", "below `lr` (1.0)", 2.0),
        (step, {"warmup_updates": -1}, "warmup_updates", NONNEGATIVE_INT, -1),
        (step, {"lr_deacy_period": 0}, "lr_deacy_period", POSITIVE_INT, 0),
        (step, {"lr_decay": 2.0}, "lr_decay", RATIO_UP_TO_ONE, 2.0),
    ],
)
def test_invalid_arguments(function: Any, arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises(function.__name__, argument, requirement, got):
        function(**{**VALID[function], **arguments})


def test_unknown_name_lists_the_known_ones() -> None:
    names = ", ".join(map(repr, sorted({name for name, _, _ in BY_HAND})))
    for name in ("reduce_lr_on_plateau", "manual", "pass_through", None):
        with raises("from_config", "lr_scheduler", f"one of {names}", name, ValueError):
            from_config(name, lr=1.0)
    message = (
        "step: no argument `lr_decay_period` (got 5); it takes `lr`, `warmup_updates`, `warmup_init_lr`, `min_lr`, "
        "`lr_deacy_period`, `lr_decay`; did you mean 'lr_deacy_period'?"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        from_config("step", lr=1.0, lr_decay_period=5)


@pytest.mark.parametrize(("name", "arguments"), {name: arguments for name, arguments, _ in BY_HAND}.items())
def test_jax_and_torch_match_python(name: str, arguments: dict) -> None:
    schedule, _ = from_config(name, **arguments)
    steps = np.arange(60)
    expected = np.array([schedule(int(n)) for n in steps])
    float32 = 8 * 2.0**-24  # 4 ulp of values below 1, and 4 for products and sums
    np.testing.assert_allclose(jax.jit(schedule)(steps.astype(np.int32)), expected, rtol=0, atol=float32)
    np.testing.assert_allclose(schedule(torch.from_numpy(steps)).numpy(), expected, rtol=0, atol=float32)
