"""The recipes compared with the schedules of transformers after which they are named.

transformers computes in float64, and its cosines as (1 + cos(x)) / 2, whose error is absolute. With u = 2**-53, half of
``np.spacing(1.0)``, the angle x = pi * cycles * 2.0 * progress has at most four rounding errors (pi, the product with
cycles, the quotient, the last product), so its error is at most 4 u x. The value has half of that: at most
2 u * 2 pi cycles, or 2 pi cycles times the spacing of 1. The cosine, the sum and our own 4 ulp of a value of at most 1
add less than 3 spacings.

Where the two differ by design, only ours is tested, against its guarantees:

* After the end, transformers' cosine rises again, to 1 after as many steps as the decay took. Ours holds.
* If all steps are warmup steps, transformers' cosine is 1, 0, 1, 0, ... after the end, because its decay is one step
  long. Ours has no decay and holds the end value.
* Below step 0, transformers' warmup is negative. Ours holds the start value.
* At a restart, transformers' float remainder `cycles * progress % 1.0` may round to just below 1 instead of 0, so the
  restart is one step late. Ours is at the exact step.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

import funcsched as fs

EPS = np.spacing(1.0)

Multiplier = Callable[[int], float]
Tolerance = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of steps and transformers' values at these steps

# Our schedule for (warmup, total, cycles), and transformers' scheduler for the same and an optimizer
PEERS = {
    "constant": (
        lambda w, t, c: fs.constant(),
        lambda o, w, t, c: transformers.get_constant_schedule(o),
    ),
    "warmup_constant": (
        lambda w, t, c: fs.warmup_constant(w),
        lambda o, w, t, c: transformers.get_constant_schedule_with_warmup(o, w),
    ),
    "warmup_linear": (
        lambda w, t, c: fs.warmup_linear(w, t),
        lambda o, w, t, c: transformers.get_linear_schedule_with_warmup(o, w, t),
    ),
    "warmup_cosine": (
        lambda w, t, c: fs.warmup_cosine(w, t, cycles=c),
        lambda o, w, t, c: transformers.get_cosine_schedule_with_warmup(o, w, t, num_cycles=c),
    ),
    "warmup_cosine_restarts": (
        lambda w, t, c: fs.warmup_cosine_restarts(w, t, cycles=c),
        lambda o, w, t, c: transformers.get_cosine_with_hard_restarts_schedule_with_warmup(o, w, t, num_cycles=c),
    ),
}


def optimizer(rate: float = 1.0) -> torch.optim.Optimizer:
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    return torch.optim.SGD([parameter], lr=rate)


def pair(name: str, warmup: int = 0, total: int = 0, cycles: float = 1) -> tuple[Multiplier, Multiplier]:
    """Our schedule, and the function of transformers' scheduler."""
    ours, theirs = PEERS[name]
    return ours(warmup, total, cycles), theirs(optimizer(), warmup, total, cycles).lr_lambdas[0]


def misses_restart(step: int, warmup: int, total: int, cycles: int) -> bool:
    """Whether a restart is at this step, and transformers' float remainder rounds to just below 1."""
    if not warmup < step < total or Fraction(cycles * (step - warmup), total - warmup).denominator != 1:
        return False
    return (float(cycles) * (float(step - warmup) / float(total - warmup))) % 1.0 > 0.5


def assert_close(ours: Multiplier, theirs: Multiplier, steps: Sequence[int], tolerance: Tolerance) -> None:
    actual, peer = np.array([ours(step) for step in steps]), np.array([theirs(step) for step in steps])
    wrong = np.flatnonzero(~(np.abs(actual - peer) <= tolerance(np.array(steps), peer)))
    assert wrong.size == 0, [(steps[i], actual[i], peer[i]) for i in wrong[:5]]


def four_ulps(steps: np.ndarray, values: np.ndarray) -> np.ndarray:
    return 4 * np.spacing(values)


def cosine_tolerance(warmup: int, cycles: float) -> Tolerance:
    """Relative in the warmup, absolute in the decay."""
    decay = (2 * math.pi * cycles + 3) * EPS
    return lambda steps, values: np.where(steps < warmup, four_ulps(steps, values), decay)


def tolerance_of(name: str, warmup: int, cycles: float) -> Tolerance:
    return cosine_tolerance(warmup, cycles) if "cosine" in name else four_ulps


def boundary_steps(warmup: int, total: int) -> list[int]:
    """The steps around the boundaries and the middle of each phase."""
    centers = {0, 1, warmup, total, warmup // 2, (warmup + total) // 2, (warmup + 3 * total) // 4}
    return sorted({min(max(center + offset, 0), total) for center in centers for offset in range(-3, 4)})


@st.composite
def short_lengths(draw: st.DrawFn) -> tuple[int, int]:
    """A warmup shorter than the total, both short enough to compare every step."""
    total = draw(st.integers(1, 80))
    return draw(st.integers(0, total - 1)), total


@st.composite
def long_lengths(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1000, 2**40))
    return draw(st.one_of(st.integers(0, 1000), st.integers(0, total)).filter(lambda w: w < total)), total


LENGTHS = [(0, 1), (0, 2), (1, 2), (0, 10), (3, 10), (9, 10), (10, 100), (100, 1000), (7, 97), (1, 641)]
CYCLES = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 0.1, 1 / 3, 7.0]
INTEGER_CYCLES = [1, 2, 3, 4, 5, 6, 7, 10]
HORIZONS = [(2_000, 100_000), (10_000, 1_000_000), (0, 2**31 + 11), (375_000_000, 300_000_000_000), (1, 10**15 + 1)]


@pytest.mark.parametrize("step", [0, 1, 2, 1000, 2**31, 2**53])
def test_constant_matches_transformers(step: int) -> None:
    ours, theirs = pair("constant")
    assert ours(step) == theirs(step)


@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_constant_matches_transformers_at_every_step(warmup: int, total: int) -> None:
    assert_close(*pair("warmup_constant", warmup), range(2 * total), four_ulps)


@given(warmup=st.integers(0, 2**40), step=st.integers(0, 2**41))
def test_warmup_constant_matches_transformers_at_any_step(warmup: int, step: int) -> None:
    ours, theirs = pair("warmup_constant", warmup)
    assert abs(ours(step) - theirs(step)) <= 4 * np.spacing(theirs(step))


@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_linear_matches_transformers_at_every_step_and_after_the_end(warmup: int, total: int) -> None:
    assert_close(*pair("warmup_linear", warmup, total), range(2 * total), four_ulps)


@given(lengths=short_lengths())
def test_warmup_linear_matches_transformers_for_any_lengths(lengths: tuple[int, int]) -> None:
    _, total = lengths
    assert_close(*pair("warmup_linear", *lengths), range(total + 3), four_ulps)


@given(lengths=long_lengths())
def test_warmup_linear_matches_transformers_at_the_boundaries_of_any_horizon(lengths: tuple[int, int]) -> None:
    assert_close(*pair("warmup_linear", *lengths), boundary_steps(*lengths), four_ulps)


@pytest.mark.parametrize("cycles", CYCLES)
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_cosine_matches_transformers_at_every_step(warmup: int, total: int, cycles: float) -> None:
    assert_close(*pair("warmup_cosine", warmup, total, cycles), range(total + 1), cosine_tolerance(warmup, cycles))


@given(lengths=short_lengths(), cycles=st.one_of(st.sampled_from(CYCLES), st.floats(0.01, 20.0)))
def test_warmup_cosine_matches_transformers_for_any_lengths_and_cycles(lengths: tuple[int, int], cycles: float) -> None:
    warmup, total = lengths
    assert_close(*pair("warmup_cosine", warmup, total, cycles), range(total + 1), cosine_tolerance(warmup, cycles))


@given(lengths=long_lengths(), cycles=st.one_of(st.sampled_from(CYCLES), st.floats(0.01, 20.0)))
def test_warmup_cosine_matches_transformers_at_the_boundaries_of_any_horizon(
    lengths: tuple[int, int], cycles: float
) -> None:
    warmup, total = lengths
    assert_close(
        *pair("warmup_cosine", warmup, total, cycles), boundary_steps(warmup, total), cosine_tolerance(warmup, cycles)
    )


@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_cosine_default_cycles_match_transformers(warmup: int, total: int) -> None:
    theirs = transformers.get_cosine_schedule_with_warmup(optimizer(), warmup, total).lr_lambdas[0]
    assert_close(fs.warmup_cosine(warmup, total), theirs, range(total + 1), cosine_tolerance(warmup, 0.5))


# The angle is pi * (cycles * progress % 1.0). The remainder is exact, the product in it has an error of 2 u cycles, and
# pi and the outer product add 1.4 u pi. The value has an error of less than (pi / 2 * cycles + 2) spacings, plus 3 for
# the sums and our own error. The tolerance of the cosine with the same number of cycles is larger.
@pytest.mark.parametrize("cycles", INTEGER_CYCLES)
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_cosine_restarts_matches_transformers_at_every_step(warmup: int, total: int, cycles: int) -> None:
    steps = [step for step in range(total + 3) if not misses_restart(step, warmup, total, cycles)]
    assert_close(*pair("warmup_cosine_restarts", warmup, total, cycles), steps, cosine_tolerance(warmup, cycles))


@given(lengths=short_lengths(), cycles=st.integers(1, 100))
def test_warmup_cosine_restarts_matches_transformers_for_any_lengths_and_cycles(
    lengths: tuple[int, int], cycles: int
) -> None:
    warmup, total = lengths
    steps = [step for step in range(total + 3) if not misses_restart(step, warmup, total, cycles)]
    assert_close(*pair("warmup_cosine_restarts", warmup, total, cycles), steps, cosine_tolerance(warmup, cycles))


# With at most 10**8 decay steps, the float remainder cannot mistake another step for a restart: the distance of a step
# to a restart is at least 1 / 10**8 of a cycle, and the error of the remainder at most 2**-52 * 20.
@given(
    warmup=st.integers(0, 10**6), decay=st.integers(1000, 10**8), cycles=st.integers(1, 20), fraction=st.floats(0, 1)
)
def test_warmup_cosine_restarts_matches_transformers_around_any_restart(
    warmup: int, decay: int, cycles: int, fraction: float
) -> None:
    total = warmup + decay
    nearest = warmup + round(int(fraction * cycles) * decay / cycles)
    steps = [step for step in range(nearest - 2, nearest + 3) if 0 <= step <= total]
    steps = [step for step in [*steps, 0, warmup, total] if not misses_restart(step, warmup, total, cycles)]
    assert_close(*pair("warmup_cosine_restarts", warmup, total, cycles), steps, cosine_tolerance(warmup, cycles))


@pytest.mark.parametrize("end", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize(("warmup", "total"), LENGTHS)
def test_warmup_cosine_end_matches_min_lr_rate_of_transformers(warmup: int, total: int, end: float) -> None:
    theirs = transformers.get_cosine_with_min_lr_schedule_with_warmup(optimizer(), warmup, total, min_lr_rate=end)
    ours = fs.warmup_cosine(warmup, total, end=end)
    assert_close(ours, theirs.lr_lambdas[0], range(total + 1), lambda steps, values: (math.pi + 4) * EPS)


@pytest.mark.parametrize("name", list(PEERS))
@pytest.mark.parametrize(("warmup", "total"), HORIZONS)
def test_every_recipe_matches_transformers_around_the_boundaries_of_long_runs(
    name: str, warmup: int, total: int
) -> None:
    ours, theirs = pair(name, warmup, total, 1)
    assert_close(ours, theirs, boundary_steps(warmup, total), tolerance_of(name, warmup, 1))


@pytest.mark.parametrize("name", list(PEERS))
def test_rates_match_a_stepped_scheduler_of_transformers(name: str) -> None:
    base, warmup, total, cycles = 0.5, 5, 23, 2
    ours, theirs = PEERS[name]
    torch_optimizer = optimizer(base)
    scheduler = theirs(torch_optimizer, warmup, total, cycles)
    used = []
    for _ in range(total + 1):
        used.append(torch_optimizer.param_groups[0]["lr"])
        torch_optimizer.step()
        scheduler.step()
    schedule = ours(warmup, total, cycles)
    assert_close(
        lambda update: base * schedule(update), used.__getitem__, range(total + 1), tolerance_of(name, warmup, cycles)
    )


# From here on, the two differ by design, so the expected values are not those of transformers.


# transformers rises again here: at total + 1, total + decay / 2 and total + decay it is above 0, 0.5 and 1.
@pytest.mark.parametrize("steps_after", [1, 2, 45, 90, 91, 180, 10**6, 2**31, 2**53])
@pytest.mark.parametrize("end", [0.0, 0.1])
def test_after_the_end_ours_holds_where_transformers_rises(end: float, steps_after: int) -> None:
    assert fs.warmup_cosine(10, 100, end=end)(100 + steps_after) == end


# An integer number of cycles ends at 1, after which transformers decays again.
@pytest.mark.parametrize("steps_after", [0, 1, 2, 45, 90, 91, 180, 10**6])
@pytest.mark.parametrize("cycles", [1.0, 2.0, 3.0])
def test_after_the_end_of_integer_cycles_ours_holds_1(cycles: float, steps_after: int) -> None:
    assert fs.warmup_cosine(10, 100, cycles=cycles)(100 + steps_after) == 1.0


# A quarter of a cycle ends at (1 + cos(pi / 2)) / 2 = 0.5.
@pytest.mark.parametrize("steps_after", [0, 1, 2, 90, 180, 10**6])
def test_after_the_end_of_a_quarter_cycle_ours_holds_one_half(steps_after: int) -> None:
    value = fs.warmup_cosine(10, 100, cycles=0.25)(100 + steps_after)
    assert abs(value - 0.5) <= 4 * np.spacing(0.5)


@pytest.mark.parametrize("steps_after", [0, 1, 2, 3, 4, 5, 1000])
@pytest.mark.parametrize("end", [0.0, 0.25])
@pytest.mark.parametrize("make", [fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts])
def test_after_a_warmup_over_the_whole_run_ours_holds_where_transformers_oscillates(
    make: Callable, end: float, steps_after: int
) -> None:
    assert make(10, 10, end=end)(10 + steps_after) == end


@pytest.mark.parametrize("step", range(10))
@pytest.mark.parametrize("make", [fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts])
def test_a_warmup_over_the_whole_run_matches_transformers(make: Callable, step: int) -> None:
    theirs = transformers.get_constant_schedule_with_warmup(optimizer(), 10).lr_lambdas[0]
    assert make(10, 10)(step) == theirs(step)


@pytest.mark.parametrize("step", [-1, -2, -1000, -(2**53)])
@pytest.mark.parametrize("start", [0.0, 0.25])
@pytest.mark.parametrize("make", [fs.warmup_linear, fs.warmup_cosine, fs.warmup_cosine_restarts])
def test_below_step_0_ours_holds_where_transformers_is_negative(make: Callable, start: float, step: int) -> None:
    assert make(10, 100, start=start)(step) == start


@pytest.mark.parametrize(
    ("warmup", "total", "cycles", "restart"),
    [
        (warmup, total, cycles, warmup + number * (total - warmup) // cycles)
        for warmup, total, cycles in [(0, 147, 49), (0, 49, 49), (3, 101, 98), (10, 117, 107), (5, 108, 103)]
        for number in range(1, cycles)
        if misses_restart(warmup + number * (total - warmup) // cycles, warmup, total, cycles)
    ],
)
def test_restarts_that_transformers_misses_are_exact(warmup: int, total: int, cycles: int, restart: int) -> None:
    assert fs.warmup_cosine_restarts(warmup, total, cycles=cycles)(restart) == 1.0


@given(warmup=st.integers(0, 1000), length=st.integers(1, 10**9), cycles=st.integers(2, 1000), data=st.data())
def test_every_restart_is_exact(warmup: int, length: int, cycles: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, cycles - 1))
    schedule = fs.warmup_cosine_restarts(warmup, warmup + length * cycles, cycles=cycles)
    assert schedule(warmup + number * length) == 1.0
