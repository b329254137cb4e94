"""`from_lr_scheduler` for single torch schedulers, compared with the rates that torch sets."""

import functools

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    StepLR,
)
from transformers import optimization

import funcsched as fs
from bridges.torch import ScheduleLR, from_lr_scheduler, lambda_lr, to_lr_lambda
from bridges.transformers import from_scheduler_type
from tests.bridges.torch.live import (
    COUNTS,
    DEFAULTS,
    EPS,
    FRACTIONS,
    IGNORE_MOMENTUM,
    IGNORE_STEP_ORDER,
    LENGTHS,
    OURS,
    RATES,
    Make,
    check,
    optimizer,
)

pytestmark = [IGNORE_STEP_ORDER, IGNORE_MOMENTUM]


@settings(max_examples=40)
@given(base=RATES, period=LENGTHS, gamma=st.floats(0.0, 1.2))
def test_step(base: float, period: int, gamma: float) -> None:
    assume(gamma == 0 or gamma > 1e-3)
    check(lambda o: StepLR(o, period, gamma), 60, base, per_step=1 / period)


@settings(max_examples=40)
@given(base=RATES, steps=st.lists(st.integers(0, 50), max_size=8), gamma=st.floats(0.0, 3.0))
def test_multi_step_with_repeated_milestones(base: float, steps: list[int], gamma: float) -> None:
    assume(gamma == 0 or gamma > 1e-3)
    # torch computes a power in one operation, for any exponent; that of libm is within 1 ulp.
    check(lambda o: MultiStepLR(o, steps, gamma), 60, base, once=2 * len(steps))


@settings(max_examples=40)
@given(base=RATES, factor=FRACTIONS, steps=COUNTS)
def test_constant(base: float, factor: float, steps: int) -> None:
    check(lambda o: ConstantLR(o, factor, steps), 60, base, once=3)


@settings(max_examples=60)
@given(base=RATES, start=FRACTIONS, end=FRACTIONS, steps=COUNTS)
def test_linear(base: float, start: float, end: float, steps: int) -> None:
    # 1 + d / (T s + (k - 1) d) takes seven operations. Cancellation in it is relative to the lowest rate.
    check(lambda o: LinearLR(o, start, end, steps), 60, base, per_step=7 / min(start, end), once=1)


@settings(max_examples=30)
@given(base=RATES, start=FRACTIONS, steps=LENGTHS)
def test_linear_down_to_zero(base: float, start: float, steps: int) -> None:
    # Near 0 each factor divides by the remaining part, (steps - k) / steps.
    check(lambda o: LinearLR(o, start, 0.0, steps), 60, base, per_step=0, absolute=base * 14 * steps * EPS * 2)


@settings(max_examples=40)
@given(base=RATES, gamma=st.floats(0.8, 1.1))
def test_exponential(base: float, gamma: float) -> None:
    check(lambda o: ExponentialLR(o, gamma), 60, base, per_step=1)


@settings(max_examples=60)
@given(base=RATES, steps=COUNTS, power=st.sampled_from([0.0, 0.5, 0.9, 1.0, 2.0, 3.7]))
def test_polynomial(base: float, steps: int, power: float) -> None:
    # 1 - k / T loses as many digits as T / (T - k) has, twice in each update.
    tolerance = base * EPS * (OURS + 2 * (5 + 2 * power) * (steps + 1))
    check(lambda o: PolynomialLR(o, steps, power), 60, base, absolute=tolerance)


@settings(max_examples=60)
@given(base=RATES, steps=LENGTHS, ratio=st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0]))
def test_cosine_until_t_max(base: float, steps: int, ratio: float) -> None:
    # 1 + cos is as small as the square of the remaining fraction, and each update divides by the one before.
    tolerance = base * max(ratio, 1.0) * EPS * (OURS + 20 * steps)
    check(lambda o: CosineAnnealingLR(o, steps, ratio * base), steps + 1, base, absolute=tolerance)


@settings(max_examples=40)
@given(base=RATES, period=LENGTHS, factor=st.integers(1, 3), ratio=st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0]))
def test_cosine_with_warm_restarts(base: float, period: int, factor: int, ratio: float) -> None:
    tolerance = base * max(ratio, 1.0) * 16 * EPS
    check(
        lambda o: CosineAnnealingWarmRestarts(o, period, factor, ratio * base),
        150,
        base,
        once=8,
        absolute=tolerance,
    )


@settings(max_examples=150)
@given(
    peak=RATES,
    steps=st.integers(2, 90),
    percent=st.integers(0, 100),
    three=st.booleans(),
    curve=st.sampled_from(["cos", "linear"]),
    div=st.floats(1.0, 100.0),
    final=st.floats(1.0, 1e5),
)
def test_one_cycle(peak: float, steps: int, percent: int, three: bool, curve: str, div: float, final: float) -> None:
    start = percent / 100
    # A phase of length 0 has its own test, test_one_cycle_with_a_phase_of_length_0.
    assume(percent * steps != 100 and not (three and 2 * percent * steps == 100 * (steps + 1)))

    def make(o: torch.optim.Optimizer) -> OneCycleLR:
        return OneCycleLR(
            o,
            peak,
            total_steps=steps,
            pct_start=start,
            anneal_strategy=curve,  # type: ignore[arg-type]
            three_phase=three,
            div_factor=div,
            final_div_factor=final,
        )

    # torch rounds the phase boundaries relative to `steps`. A phase shorter than a step has a slope of 1 per step.
    shortest = min(abs(start * steps - 1), abs(steps - start * steps), abs(steps + 1 - 2 * start * steps), 1.0)
    check(make, steps, absolute=peak * EPS * (16 + 8 * steps) / max(shortest, 0.01))


@settings(max_examples=80)
@given(
    base=st.floats(0.0, 1.0),
    more=st.floats(0.01, 9.0),
    up=st.integers(1, 20),
    down=st.none() | st.integers(1, 20),
    quarters=st.sampled_from([1, 2, 4]),
    mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
)
def test_cyclic(base: float, more: float, up: int, down: int | None, quarters: int, mode: str) -> None:
    def make(o: torch.optim.Optimizer) -> CyclicLR:
        length = None if down is None else down / quarters
        return CyclicLR(o, base, base + more, up / quarters, length, mode=mode, gamma=0.97)  # type: ignore[arg-type]

    # 1 + k / total - cycle is rounded relative to the cycle number, and divided by the fraction of a phase.
    cycles = 60 * quarters / (up + (down or up)) + 2
    slope = (up + (down or up)) / min(up, down or up)
    check(make, 60, absolute=(base + more) * EPS * (16 + 4 * cycles * slope + 60))


def test_lambda() -> None:
    check(lambda o: LambdaLR(o, lambda step: 0.95**step), 60, 0.3)
    functions = [lambda step: 1 / (1 + step), lambda step: 0.5 ** (step // 7)]
    check(lambda o: LambdaLR(o, functions), 60, 0.3, 0.7)


def test_a_lambda_of_this_library_is_converted_back_to_its_schedule() -> None:
    schedule = fs.warmup_cosine(10, 100)
    scheduler = LambdaLR(optimizer(0.5, 0.25), [to_lr_lambda(schedule), to_lr_lambda(fs.constant())])
    assert from_lr_scheduler(scheduler) == [(schedule, 0.5), (fs.constant(), 0.25)]
    resumed = lambda_lr(optimizer(0.5), schedule, step=50)
    assert type(resumed) is ScheduleLR
    assert from_lr_scheduler(resumed) == [(schedule, 0.5)]


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_arguments(name: str) -> None:
    make, steps = DEFAULTS[name]
    check(make, steps, per_step=1, absolute=0.1 * EPS * 20 * steps)


EXPRESSIONS: dict[str, tuple[Make, fs.Schedule, float]] = {
    "step": (lambda o: StepLR(o, 30, 0.5), fs.step_decay(30, 0.5), 0.1),
    "multi step": (lambda o: MultiStepLR(o, [3, 9], 0.5), fs.multistep([3, 9], 0.5), 0.1),
    "exponential": (lambda o: ExponentialLR(o, 0.9), fs.exponential_decay(0.9), 0.1),
    "linear": (lambda o: LinearLR(o, 0.5, 0.75, 8), fs.ramp(0.5, 0.75, steps=8), 0.1),
    "cosine": (lambda o: CosineAnnealingLR(o, 8), fs.ramp(1.0, 0.0, steps=8, shape=fs.cosine), 0.1),
    "restarts": (lambda o: CosineAnnealingWarmRestarts(o, 8, 2), fs.cosine_restarts(8, period_factor=2), 0.1),
    "cyclic": (lambda o: CyclicLR(o, 0.125, 0.5, 8, 4), fs.cyclic(8, 4, start=0.25), 0.5),
    "one cycle": (
        lambda o: OneCycleLR(o, 0.5, total_steps=50, pct_start=0.33, div_factor=4.0, final_div_factor=2.0),
        fs.stretch(fs.interpolate([0, 31, 98], [0.25, 1.0, 0.125], shape=fs.cosine), 0.5),
        0.5,
    ),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_schedule_is_the_one_of_this_library(name: str) -> None:
    make, schedule, peak = EXPRESSIONS[name]
    assert from_lr_scheduler(make(optimizer())) == [(schedule, peak)]


# A constructor of transformers, the schedule that its scheduler converts to, and the number of steps to compare, which
# does not go beyond the end where the cosine of transformers rises again.
TRANSFORMERS: list[tuple[Make, fs.Schedule, int]] = [
    (lambda o: optimization.get_constant_schedule(o), fs.constant(), 5),
    (lambda o: optimization.get_constant_schedule_with_warmup(o, 10), fs.warmup_constant(10), 20),
    (lambda o: optimization.get_linear_schedule_with_warmup(o, 10, 50), fs.warmup_linear(10, 50), 60),
    (lambda o: optimization.get_cosine_schedule_with_warmup(o, 10, 50), fs.warmup_cosine(10, 50), 51),
    (lambda o: optimization.get_cosine_schedule_with_warmup(o, 10, 50, 1.5), fs.warmup_cosine(10, 50, cycles=1.5), 51),
    (
        lambda o: optimization.get_cosine_with_hard_restarts_schedule_with_warmup(o, 10, 50, 3),
        fs.warmup_cosine_restarts(10, 50, cycles=3),
        60,
    ),
    (
        lambda o: optimization.get_polynomial_decay_schedule_with_warmup(o, 10, 50, lr_end=0.025, power=2.0),
        fs.warmup_polynomial(10, 50, end=0.25, exponent=2.0),
        60,
    ),
    (lambda o: optimization.get_inverse_sqrt_schedule(o, 10), fs.warmup_inverse_sqrt(10, timescale=10), 60),
    (
        lambda o: optimization.get_cosine_with_min_lr_schedule_with_warmup(o, 10, 50, min_lr=0.025),
        fs.warmup_cosine(10, 50, end=0.25),
        51,
    ),
    (
        lambda o: optimization.get_cosine_with_min_lr_schedule_with_warmup_lr_rate(o, 10, 50, min_lr_rate=0.25),
        from_scheduler_type("cosine_warmup_with_min_lr", num_warmup_steps=10, num_training_steps=50, min_lr_rate=0.25),
        50,
    ),
    (
        lambda o: optimization.get_wsd_schedule(o, 10, 10, num_training_steps=50, decay_type="1-sqrt"),
        fs.warmup_stable_decay(10, 30, 10, decay_shape=fs.sqrt),
        60,
    ),
]


@pytest.mark.parametrize(("make", "schedule", "steps"), TRANSFORMERS)
def test_a_scheduler_of_transformers_becomes_a_recipe(make: Make, schedule: fs.Schedule, steps: int) -> None:
    assert from_lr_scheduler(make(optimizer(0.1))) == [(schedule, 0.1)]
    check(make, steps, 0.1, absolute=EPS)
    # Also inside another scheduler, and for each parameter group.
    chain = ChainedScheduler([make(optimizer(0.1, 0.1))])
    assert from_lr_scheduler(chain) == [(schedule, 0.1)] * 2


def test_every_function_of_transformers_is_converted() -> None:
    functions = {name for name in vars(optimization) if name.startswith("_get_") and name.endswith("lambda")}
    converted = set()
    for make, _, _ in TRANSFORMERS:
        (function,) = make(optimizer(0.1)).lr_lambdas
        converted.add(getattr(function, "func", function).__name__)
    assert converted == functions


def test_functions_that_transformers_does_not_define_stay_lifted() -> None:
    def mine(step: int, *, num_warmup_steps: int) -> float:
        return min(1.0, step / num_warmup_steps)

    function = functools.partial(mine, num_warmup_steps=10)
    assert from_lr_scheduler(LambdaLR(optimizer(0.1), function)) == [(fs.lift(function), 0.1)]
    # The multiplier of transformers jumps at the end of a warmup that is longer than the run.
    scheduler = optimization.get_linear_schedule_with_warmup(optimizer(0.1), 60, 50)
    ((schedule, _),) = from_lr_scheduler(scheduler)
    assert [schedule(step) for step in (30, 59, 60)] == [0.5, 59 / 60, 0.0]
