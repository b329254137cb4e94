"""`from_lr_scheduler` beside the live schedulers of torch, step by step.

Each of torch's arithmetic steps in float64 is off by at most half an ulp, so 2**-52 of what it works on. A scheduler
that multiplies what it finds adds the steps of one update to those of all before, so the tolerance grows with the
step. What an update subtracts (1 - u, lr - eta_min, 1 + cos) is counted against the highest rate or, where later
updates divide by it, against what is left.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
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
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

import funcsched as fs
from bridges.torch import ScheduleLR, from_lr_scheduler, lambda_lr, to_lr_lambda

# torch warns of what its own classes do: they step the schedulers inside before the optimizer.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")

EPS = 2.0**-52
OURS = 8  # 4 ulp of the schedule, and the division by the base rate, the product with it and the sum of two levels

Make = Callable[[torch.optim.Optimizer], Any]

rates = st.floats(1e-5, 10.0)
lengths = st.integers(1, 40)
counts = st.integers(0, 40)
shares = st.floats(0.01, 1.0)
gammas = st.floats(0.5, 1.0)


def optimizer(*base: Any) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in base or (0.1,)]
    return torch.optim.SGD(groups, lr=0.1, momentum=0.9)


def live(scheduler: Any, steps: int) -> np.ndarray:
    """The rates that torch sets at steps 0, 1, 2, ...: a row for each, a column for each group."""
    rows = []
    for step in range(steps):
        rows.append([float(group["lr"]) for group in scheduler.optimizer.param_groups])
        if step < steps - 1:
            scheduler.optimizer.step()
            scheduler.step()
    return np.array(rows)


def beside(make: Make, steps: int, *base: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our rates and torch's; ours are asked for first."""
    scheduler = make(optimizer(*base))
    rated = from_lr_scheduler(scheduler)
    ours = np.array([[peak * schedule(step) for schedule, peak in rated] for step in range(steps)])
    return ours, live(scheduler, steps)


def check(make: Make, steps: int, *base: Any, per_step: float = 0.0, once: float = 0.0, absolute: Any = 0.0) -> None:
    """`once` and `per_step` count torch's arithmetic steps, relative to the rate itself."""
    ours, theirs = beside(make, steps, *base)
    relative = (OURS + 2 * once + 2 * per_step * np.arange(steps)[:, None]) * EPS
    off = np.argwhere(~(np.abs(ours - theirs) <= relative * np.abs(theirs) + absolute))
    assert off.size == 0, [(step, group, ours[step, group], theirs[step, group]) for step, group in off[:5]]


# One class at a time.


@settings(max_examples=40, deadline=None)
@given(base=rates, period=lengths, gamma=st.floats(0.0, 1.2))
def test_step(base: float, period: int, gamma: float) -> None:
    assume(gamma == 0 or gamma > 1e-3)
    check(lambda o: StepLR(o, period, gamma), 60, base, per_step=1 / period)


@settings(max_examples=40, deadline=None)
@given(base=rates, steps=st.lists(st.integers(0, 50), max_size=8), gamma=st.floats(0.0, 3.0))
def test_multi_step_with_milestones_that_repeat(base: float, steps: list[int], gamma: float) -> None:
    assume(gamma == 0 or gamma > 1e-3)
    # A power of a float is one of torch's steps, however high; libm's is within 1 ulp.
    check(lambda o: MultiStepLR(o, steps, gamma), 60, base, once=2 * len(steps))


@settings(max_examples=40, deadline=None)
@given(base=rates, factor=shares, steps=counts)
def test_constant(base: float, factor: float, steps: int) -> None:
    check(lambda o: ConstantLR(o, factor, steps), 60, base, once=3)


@settings(max_examples=60, deadline=None)
@given(base=rates, start=shares, end=shares, steps=counts)
def test_linear(base: float, start: float, end: float, steps: int) -> None:
    # 1 + d / (T s + (k - 1) d) in seven steps; what cancels in it is counted against the lowest rate.
    check(lambda o: LinearLR(o, start, end, steps), 60, base, per_step=7 / min(start, end), once=1)


@settings(max_examples=30, deadline=None)
@given(base=rates, start=shares, steps=lengths)
def test_linear_down_to_zero(base: float, start: float, steps: int) -> None:
    # Near 0 each factor divides by what is left, steps - k of steps.
    check(lambda o: LinearLR(o, start, 0.0, steps), 60, base, per_step=0, absolute=base * 14 * steps * EPS * 2)


@settings(max_examples=40, deadline=None)
@given(base=rates, gamma=st.floats(0.8, 1.1))
def test_exponential(base: float, gamma: float) -> None:
    check(lambda o: ExponentialLR(o, gamma), 60, base, per_step=1)


@settings(max_examples=60, deadline=None)
@given(base=rates, steps=counts, power=st.sampled_from([0.0, 0.5, 0.9, 1.0, 2.0, 3.7]))
def test_polynomial(base: float, steps: int, power: float) -> None:
    # 1 - k / T loses as many digits as T / (T - k) has, twice in each update.
    lost = base * EPS * (OURS + 2 * (5 + 2 * power) * (steps + 1))
    check(lambda o: PolynomialLR(o, steps, power), 60, base, absolute=lost)


@settings(max_examples=60, deadline=None)
@given(base=rates, steps=lengths, share=st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0]))
def test_cosine_down_to_its_end(base: float, steps: int, share: float) -> None:
    # 1 + cos loses the digits of the square of what is left of the way; each update divides by the one before.
    lost = base * max(share, 1.0) * EPS * (OURS + 20 * steps)
    check(lambda o: CosineAnnealingLR(o, steps, share * base), steps + 1, base, absolute=lost)


@settings(max_examples=40, deadline=None)
@given(base=rates, period=lengths, factor=st.integers(1, 3), share=st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0]))
def test_cosine_with_restarts(base: float, period: int, factor: int, share: float) -> None:
    lost = base * max(share, 1.0) * 16 * EPS
    check(
        lambda o: CosineAnnealingWarmRestarts(o, period, factor, share * base),
        150,
        base,
        once=8,
        absolute=lost,
    )


@settings(max_examples=150, deadline=None)
@given(
    peak=rates,
    steps=st.integers(2, 90),
    percent=st.integers(0, 100),
    three=st.booleans(),
    curve=st.sampled_from(["cos", "linear"]),
    div=st.floats(1.0, 100.0),
    final=st.floats(1.0, 1e5),
)
def test_one_cycle(peak: float, steps: int, percent: int, three: bool, curve: str, div: float, final: float) -> None:
    start = percent / 100
    assume(percent * steps != 100 and not (three and 2 * percent * steps == 100 * (steps + 1)))  # see below

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

    # The places of torch's knots are rounded at the size of `steps`, the slope of a phase shorter than a step is 1.
    shortest = min(abs(start * steps - 1), abs(steps - start * steps), abs(steps + 1 - 2 * start * steps), 1.0)
    check(make, steps, absolute=peak * EPS * (16 + 8 * steps) / max(shortest, 0.01))


@settings(max_examples=80, deadline=None)
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

    # 1 + k / total - cycle is rounded at the size of the cycle, and divided by the share of the way up or down.
    cycles = 60 * quarters / (up + (down or up)) + 2
    slope = (up + (down or up)) / min(up, down or up)
    check(make, 60, absolute=(base + more) * EPS * (16 + 4 * cycles * slope + 60))


def test_lambda() -> None:
    check(lambda o: LambdaLR(o, lambda step: 0.95**step), 60, 0.3)
    functions = [lambda step: 1 / (1 + step), lambda step: 0.5 ** (step // 7)]
    check(lambda o: LambdaLR(o, functions), 60, 0.3, 0.7)


def test_a_lambda_of_ours_gives_its_schedule_back() -> None:
    schedule = fs.warmup_cosine(10, 100)
    scheduler = LambdaLR(optimizer(0.5, 0.25), [to_lr_lambda(schedule), to_lr_lambda(fs.constant())])
    assert from_lr_scheduler(scheduler) == [(schedule, 0.5), (fs.constant(), 0.25)]
    resumed = lambda_lr(optimizer(0.5), schedule, step=50)
    assert type(resumed) is ScheduleLR
    assert from_lr_scheduler(resumed) == [(schedule, 0.5)]


DEFAULTS: dict[str, tuple[Make, int]] = {
    "StepLR": (lambda o: StepLR(o, 30), 99),
    "MultiStepLR": (lambda o: MultiStepLR(o, [30, 80]), 99),
    "ConstantLR": (lambda o: ConstantLR(o), 9),
    "LinearLR": (lambda o: LinearLR(o), 9),
    "PolynomialLR": (lambda o: PolynomialLR(o), 9),
    "CosineAnnealingLR": (lambda o: CosineAnnealingLR(o, 50), 51),
    "CosineAnnealingWarmRestarts": (lambda o: CosineAnnealingWarmRestarts(o, 10), 99),
    "OneCycleLR": (lambda o: OneCycleLR(o, 0.1, total_steps=100), 100),
    "OneCycleLR of epochs": (lambda o: OneCycleLR(o, 0.1, epochs=5, steps_per_epoch=11), 55),
    "CyclicLR": (lambda o: CyclicLR(o, 0.01, 0.1), 99),
    "no milestones": (lambda o: MultiStepLR(o, []), 9),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
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
def test_results_are_compositions(name: str) -> None:
    make, schedule, peak = EXPRESSIONS[name]
    assert from_lr_scheduler(make(optimizer())) == [(schedule, peak)]


# Several together.

Piece = Callable[[torch.optim.Optimizer], Any]
factors = st.one_of(
    st.builds(lambda f, n: lambda o: ConstantLR(o, f, n), st.floats(0.1, 1.0), counts),
    st.builds(lambda s, e, n: lambda o: LinearLR(o, s, e, n), st.floats(0.1, 1), st.floats(0.1, 1), lengths),
    st.builds(lambda g: lambda o: ExponentialLR(o, g), st.floats(0.9, 1.02)),
    st.builds(lambda n, g: lambda o: StepLR(o, n, g), st.integers(2, 20), gammas),
    st.builds(lambda m, g: lambda o: MultiStepLR(o, m, g), st.lists(counts, max_size=4), gammas),
)
ends = st.one_of(
    st.builds(lambda n: lambda o: CosineAnnealingLR(o, n), st.integers(70, 90)),
    st.builds(lambda n, p: lambda o: PolynomialLR(o, n, p), st.integers(70, 90), st.sampled_from([1.0, 2.0, 0.5])),
)
setters = st.one_of(
    st.builds(lambda n, m: lambda o: CosineAnnealingWarmRestarts(o, n, m, 0.01), lengths, st.integers(1, 2)),
    st.builds(lambda n: lambda o: LambdaLR(o, lambda step: 1 / (1 + step / n)), lengths),
)
lone = setters | st.builds(lambda n: lambda o: CosineAnnealingLR(o, n, 0.01), st.integers(70, 90))
pieces = st.one_of(factors, ends, lone)
STEPS = 70
# At most 12 arithmetic steps in an update of a scheduler, of up to four at once.
TOGETHER = 12 * 4


def together(make: Make, *base: Any) -> None:
    check(make, STEPS, *(base or (0.1,)), per_step=TOGETHER, absolute=0.1 * 4 * EPS)


def sequence(parts: list[Piece], milestones: list[int]) -> Make:
    return lambda o: SequentialLR(o, [part(o) for part in parts], sorted(milestones))


def chain(parts: list[Piece]) -> Make:
    return lambda o: ChainedScheduler([part(o) for part in parts], o)


@st.composite
def sequences(draw: Any, first: Any = pieces, later: Any = pieces, least: int = 0, most: int = 60) -> Make:
    milestones = draw(st.lists(st.integers(least, most), max_size=3))
    rest = st.lists(later, min_size=len(milestones), max_size=len(milestones))
    return sequence([draw(first), *draw(rest)], milestones)


@settings(max_examples=80, deadline=None)
@given(make=sequences(least=-2))
def test_sequences(make: Make) -> None:
    together(make)


@settings(max_examples=40, deadline=None)
@given(
    start=shares,
    warmup=st.integers(1, 30),
    total=st.integers(31, 60),
    low=st.sampled_from([0.0, 0.01, 0.1]),
    base=rates,
)
def test_warmup_and_cosine(start: float, warmup: int, total: int, low: float, base: float) -> None:
    def make(o: torch.optim.Optimizer) -> SequentialLR:
        rise = LinearLR(o, start, total_iters=warmup)
        return SequentialLR(o, [rise, CosineAnnealingLR(o, total - warmup, low * base)], [warmup])

    lost = base * EPS * (OURS + 20 * total)
    check(make, total + 1, base, per_step=7 / start, absolute=lost)
    ((schedule, peak),) = from_lr_scheduler(make(optimizer(base)))
    assert peak == base
    assert schedule(warmup) == 1.0
    assert schedule(total) == schedule(10 * total) == low * base / base


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(factors | ends, min_size=1, max_size=3))
def test_chains_are_products(parts: list[Piece]) -> None:
    together(chain(parts))


@settings(max_examples=30, deadline=None)
@given(parts=st.lists(factors | ends | setters, max_size=2), last=setters)
def test_what_sets_the_rate_drops_what_stands_before_it_in_a_chain(parts: list[Piece], last: Piece) -> None:
    together(chain([*parts, last]))


@settings(max_examples=60, deadline=None)
@given(make=sequences(first=sequences() | sequences(first=sequences())))
def test_sequences_first_in_sequences(make: Make) -> None:
    together(make)


@settings(max_examples=60, deadline=None)
@given(make=sequences(first=st.builds(chain, st.lists(factors | ends, min_size=1, max_size=3))))
def test_chains_first_in_sequences(make: Make) -> None:
    together(make)


@pytest.mark.parametrize("steps", [1, 2, 3, 9])
@pytest.mark.parametrize("low", [0.0, 0.01])
def test_a_cosine_that_begins_a_step_late(steps: int, low: float) -> None:
    together(sequence([chain([lambda o: CosineAnnealingLR(o, steps, low)]), lambda o: StepLR(o, 3)], [steps]))


plain = sequences(first=factors | ends, later=factors | ends)


@settings(max_examples=80, deadline=None)
@given(
    parts=st.lists(
        factors | ends | plain | st.builds(chain, st.lists(factors, min_size=1, max_size=2)), min_size=1, max_size=3
    )
)
def test_sequences_in_chains(parts: list[Piece]) -> None:
    together(chain(parts))


@settings(max_examples=60, deadline=None)
@given(
    make=sequences(first=st.builds(chain, st.lists(factors | plain, min_size=1, max_size=2)), later=factors | ends),
    outer=st.lists(factors, min_size=1, max_size=2),
)
def test_sequences_in_chains_in_sequences_in_chains(make: Make, outer: list[Piece]) -> None:
    together(chain([*outer, make]))


def test_a_milestone_deep_inside_resets_the_outermost_chain() -> None:
    fading: Piece = lambda o: ExponentialLR(o, 0.97)  # noqa: E731
    inner = chain([sequence([lambda o: LinearLR(o, 0.1), lambda o: ExponentialLR(o, 0.9)], [5]), fading])
    together(chain([fading, sequence([inner, lambda o: StepLR(o, 4)], [15]), fading]))


def test_a_sequence_whose_milestones_meet_or_lie_before_its_start() -> None:
    for milestones in ([5, 5], [0, 9], [-3, 9], [0, 0], [7, 200]):
        together(
            sequence([lambda o: StepLR(o, 3, 0.5), lambda o: LinearLR(o), lambda o: StepLR(o, 4, 0.7)], milestones)
        )


def test_a_sequence_with_a_scheduler_that_moves_the_initial_rate() -> None:
    """OneCycleLR overwrites `initial_lr`, from which a SequentialLR begins, whatever its first scheduler began with."""

    def make(o: torch.optim.Optimizer) -> SequentialLR:
        return SequentialLR(o, [LinearLR(o, 0.1, total_iters=5), OneCycleLR(o, 1.0, total_steps=80)], [5])

    together(make)
    ((schedule, peak),) = from_lr_scheduler(make(optimizer(0.1)))
    assert peak == 1.0
    assert schedule(0) == pytest.approx(0.1 / 25, rel=4 * EPS)


@pytest.mark.parametrize("milestone", [1, 2, 3])
def test_milestones_of_a_sequence_in_a_sequence_come_one_step_early(milestone: int) -> None:
    inner = sequence([lambda o: ExponentialLR(o, 0.9), lambda o: ExponentialLR(o, 0.5)], [milestone])
    middle = sequence([inner, lambda o: StepLR(o, 3)], [20])
    for make, early in ((inner, 0), (sequence([inner, lambda o: StepLR(o, 3)], [20]), 1), (sequence([middle], []), 2)):
        together(make)
        ((schedule, _),) = from_lr_scheduler(make(optimizer()))
        if milestone > early:
            assert schedule(milestone - early) == 1.0


# What is kept from the live scheduler, and what is not.

EVERY: dict[str, Make] = {
    **{name: make for name, (make, _) in DEFAULTS.items()},
    "LambdaLR": lambda o: LambdaLR(o, lambda step: 1 / (1 + step)),
    "ExponentialLR": lambda o: ExponentialLR(o, 0.9),
    "SequentialLR": lambda o: SequentialLR(o, [LinearLR(o), CosineAnnealingLR(o, 50, 0.01)], [5]),
    "ChainedScheduler": lambda o: ChainedScheduler([ConstantLR(o), ExponentialLR(o, 0.9)]),
    "nested": lambda o: ChainedScheduler([SequentialLR(o, [LinearLR(o), StepLR(o, 3)], [5]), ExponentialLR(o, 0.9)]),
}


def state(scheduler: Any) -> Any:
    """All that can change, of the optimizer too; numbers as they are, everything else by its identity."""

    def plain(value: Any) -> Any:
        if isinstance(value, torch.optim.lr_scheduler.LRScheduler):
            return type(value), plain(vars(value))
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in ("optimizer", "params")}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, torch.Tensor):
            return id(value), value.tolist()
        return value if isinstance(value, (int, float, str)) else id(value)

    return plain(vars(scheduler)), plain(scheduler.optimizer.param_groups), plain(scheduler.optimizer.state)


def test_the_state_above_shows_a_step() -> None:
    for make in EVERY.values():
        scheduler = make(optimizer())
        before = state(scheduler)
        live(scheduler, 2)
        assert state(scheduler) != before


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("passed", [0, 1, 7])
def test_the_scheduler_is_left_as_it_was_and_its_step_makes_no_difference(name: str, passed: int) -> None:
    fresh, used = EVERY[name](optimizer()), EVERY[name](optimizer())
    live(used, passed + 1)
    before = state(used)
    rated = from_lr_scheduler(used)
    [[peak * schedule(step) for step in range(20)] for schedule, peak in rated]
    assert state(used) == before
    if name != "LambdaLR":  # a function of its own in each
        assert rated == from_lr_scheduler(fresh)


@pytest.mark.parametrize("name", EVERY)
def test_each_group_has_its_own_schedule(name: str) -> None:
    per_step, absolute = 60, 0.7 * EPS * 2000
    check(EVERY[name], 9, 0.3, 0.7, per_step=per_step, absolute=absolute)


def test_groups_with_rates_of_their_own() -> None:
    check(lambda o: OneCycleLR(o, [0.5, 2.0], total_steps=30), 30, 0.1, 0.1, absolute=2.0 * EPS * 200)
    check(lambda o: CyclicLR(o, [0.01, 0.0], [0.5, 2.0], 7), 30, 0.1, 0.1, absolute=2.0 * EPS * 200)
    assert [rated.peak_value for rated in from_lr_scheduler(StepLR(optimizer(0.5, 0.25), 3))] == [0.5, 0.25]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_rates_in_tensors(name: str, shape: tuple[int, ...]) -> None:
    base = torch.full(shape, 0.25, dtype=torch.float64)
    scheduler = EVERY[name](optimizer(base))
    rated = from_lr_scheduler(scheduler)
    assert rated == from_lr_scheduler(EVERY[name](optimizer(0.25))) or name == "LambdaLR"
    assert type(rated[0].peak_value) is float
    ours = np.array([[peak * schedule(step) for schedule, peak in rated] for step in range(9)])
    assert live(scheduler, 9) == pytest.approx(ours, rel=2000 * EPS, abs=2000 * EPS)


def test_rates_in_tensors_of_32_bits() -> None:
    scheduler = SequentialLR(o := optimizer(torch.tensor(0.1)), [LinearLR(o), CosineAnnealingLR(o, 20)], [5])
    ((schedule, peak),) = from_lr_scheduler(scheduler)
    assert peak == float(torch.tensor(0.1))
    ours = np.array([peak * schedule(step) for step in range(26)])
    # Up to seven steps of torch in an update, each of half an ulp of float32, counted against the highest rate.
    assert live(scheduler, 26)[:, 0] == pytest.approx(ours, rel=0, abs=0.1 * 7 * 26 * 2.0**-24)


def test_results_run_on_arrays_and_under_jit() -> None:
    for name in ("SequentialLR", "ChainedScheduler", "nested", "OneCycleLR of epochs", "CyclicLR"):
        ((schedule, _),) = from_lr_scheduler(EVERY[name](optimizer()))
        exact = np.array([schedule(step) for step in range(60)])
        assert schedule(np.arange(60)) == pytest.approx(exact, rel=16 * EPS)
        assert schedule(torch.arange(60)).numpy() == pytest.approx(exact, rel=16 * 2.0**-23)
        assert np.asarray(jax.jit(schedule)(jnp.arange(60))) == pytest.approx(exact, rel=16 * 2.0**-23)


def test_a_rate_of_zero() -> None:
    for name, make in EVERY.items():
        if name not in ("SequentialLR", "CyclicLR") and not name.startswith("OneCycleLR"):
            assert [rated.peak_value for rated in from_lr_scheduler(make(optimizer(0.0)))] == [0.0]
    check(lambda o: CosineAnnealingLR(o, 9, 0.01), 10, 0.0, absolute=0.01 * EPS * 200)
    check(lambda o: CosineAnnealingWarmRestarts(o, 9, 2, 0.01), 40, 0.0, absolute=0.01 * EPS * 200)
    check(lambda o: CyclicLR(o, 0.0, 0.0, 9), 40, 0.0)
    check(lambda o: OneCycleLR(o, 0.0, total_steps=9), 9, 0.0)


# Where torch differs.


def test_cosine_annealing_rises_again_in_torch() -> None:
    ours, theirs = beside(lambda o: CosineAnnealingLR(o, 10, 0.01), 21)
    assert np.all(ours[10:] == 0.1 * (0.01 / 0.1))
    assert theirs[10, 0] == pytest.approx(0.01)
    assert np.all(np.diff(theirs[10:, 0]) > 0)
    assert theirs[20, 0] == pytest.approx(0.1)


@pytest.mark.parametrize(("strategy", "beyond"), [("cos", 4.39e-4), ("linear", -1.4284e-1)])
def test_one_cycle_leaves_its_curve_at_the_step_torch_still_makes(strategy: Any, beyond: float) -> None:
    make: Make = lambda o: OneCycleLR(o, 1.0, total_steps=10, anneal_strategy=strategy)  # noqa: E731
    ours, theirs = beside(make, 11)
    assert ours[9, 0] == ours[10, 0] == 4e-6
    assert theirs[9, 0] == pytest.approx(4e-6, rel=1e-9)
    # One step of 7 past the end: (1 + cos(pi 8 / 7)) / 2, or 1 / 7 below.
    expected = {"cos": 4e-6 + (1 - 4e-6) * (1 + np.cos(np.pi * 8 / 7)) / 2, "linear": 4e-6 - (1 - 4e-6) / 7}[strategy]
    assert theirs[10, 0] == pytest.approx(expected, rel=1e-9)
    scheduler = make(optimizer())
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        live(scheduler, 12)


def test_one_cycle_whose_second_phase_is_cut_off() -> None:
    make: Make = lambda o: OneCycleLR(o, 1.0, total_steps=50, pct_start=0.63, three_phase=True)  # noqa: E731
    ours, theirs = beside(make, 51)
    assert ours[50] == ours[49] == pytest.approx(theirs[49], rel=100 * EPS)
    assert theirs[50] < theirs[49]


def test_one_cycle_with_a_phase_of_no_length() -> None:
    with pytest.raises(ZeroDivisionError):
        OneCycleLR(optimizer(), 1.0, total_steps=10, pct_start=0.1)
    # 1/49 * 49 is below 1 in floats, so torch begins at the peak; from just above 1 it gets there one step late.
    for pct, late in ((1 / 49, 0), ((1 + 2**-51) / 49, 1)):
        ours, theirs = beside(lambda o, pct=pct: OneCycleLR(o, 1.0, total_steps=49, pct_start=pct), 49)
        assert ours[late:] == pytest.approx(theirs[late:], rel=1e-10, abs=1e-15)
        assert ours[0] == 1.0
        assert theirs[0] == pytest.approx(0.04 if late else 1.0)


def test_cyclic_after_another_scheduler_begins_at_the_other_rate() -> None:
    ours, theirs = beside(chain([lambda o: StepLR(o, 3), lambda o: CyclicLR(o, 0.02, 0.3, 7)]), 30)
    assert ours[1:] == pytest.approx(theirs[1:], rel=0, abs=0.3 * EPS * 100)
    assert ours[0] == pytest.approx(0.02, rel=4 * EPS)
    assert theirs[0] == 0.1
    together(sequence([lambda o: StepLR(o, 3), lambda o: CyclicLR(o, 0.02, 0.3, 7)], [5]))
    together(sequence([lambda o: CyclicLR(o, 0.02, 0.3, 7), lambda o: ExponentialLR(o, 0.9)], [12]))


def test_constant_with_a_factor_of_zero() -> None:
    scheduler = ConstantLR(optimizer(), 0.0, 5)
    ((schedule, _),) = from_lr_scheduler(scheduler)
    assert [schedule(step) for step in (0, 4, 5, 6)] == [0.0, 0.0, 1.0, 1.0]
    assert np.all(live(scheduler, 5) == 0.0)
    with pytest.raises(ZeroDivisionError):
        scheduler.step()


def test_what_grows_for_ever_is_held() -> None:
    for scheduler in (ExponentialLR(optimizer(1.0), 10.0), StepLR(optimizer(1.0), 1, 10.0)):
        ((schedule, _),) = from_lr_scheduler(scheduler)
        assert schedule(38) == pytest.approx(1e38, rel=8 * EPS)
        assert schedule(39) == schedule(10**6) == 1e38
        assert live(scheduler, 41)[40, 0] == pytest.approx(1e40)


def test_total_iters_of_zero_hold_the_first_factor() -> None:
    for make in (lambda o: ConstantLR(o, 0.5, 0), lambda o: LinearLR(o, 0.5, 0.75, 0)):
        ours, theirs = beside(make, 5)
        assert np.all(ours == 0.05)
        assert np.all(theirs == 0.05)
    # But where a milestone sets the rate, torch takes the other formula.
    ours, theirs = beside(sequence([lambda o: StepLR(o, 3), lambda o: ConstantLR(o, 0.5, 0)], [2]), 5)
    assert ours[2:] == pytest.approx(theirs[2:], rel=8 * EPS)
    assert ours[2] == 0.1


# What is refused.


class Halving(StepLR):
    """A class of the user's that computes rates in its own way."""

    def get_lr(self) -> list[Any]:
        return [group["lr"] / 2 for group in self.optimizer.param_groups]


class Named(StepLR):
    """One that does not."""

    def state_dict(self) -> dict[str, Any]:
        return {"name": "named", **super().state_dict()}

    def more(self) -> None:
        pass


class Own(torch.optim.lr_scheduler.LRScheduler):
    def get_lr(self) -> list[Any]:
        return [0.1 for _ in self.optimizer.param_groups]


def changed(scheduler: Any, **attributes: Any) -> Any:
    vars(scheduler).update(attributes)
    return scheduler


def holding(outer: Any, inner: Any, place: int = 0) -> Any:
    outer._schedulers[place] = inner
    return outer


def scale_fn(cycle: float) -> float:
    return 1.0


KNOWN = (
    "ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, ExponentialLR, LambdaLR, "
    "LinearLR, MultiStepLR, OneCycleLR, PolynomialLR, SequentialLR, StepLR"
)
MULTIPLICATIVE = "closed in the step, which a product over all steps before is not (store its values by `fs.tabulate`)"
METRIC = "a function of the step alone, which one that waits for a metric is not"
AFFINE = (
    "closed in the step, which an `eta_min` or an end beside other factors is not (store its values by `fs.tabulate`)"
)
SETS = "a chain in which no factor follows what sets the rate anew at every step"
NESTED = "at the first place of a SequentialLR (torch faults at the milestone of a later one)"
WHOLE, LENGTH = "an integer from 0 to 2**53", "an integer from 1 to 2**53"
LEVEL, RATIO, SHARE = "a number from 0 to 3.4e38", "a number from 1e-30 to 1e30", "a number from 0 to 1"

REFUSED: dict[str, tuple[Make, type[Exception], str]] = {
    "no scheduler": (lambda o: 0.1, TypeError, "`scheduler` must be a scheduler of torch.optim.lr_scheduler, got 0.1"),
    "multiplicative": (
        lambda o: MultiplicativeLR(o, lambda step: 0.9),
        ValueError,
        f"`scheduler` must be {MULTIPLICATIVE}, got 'MultiplicativeLR'",
    ),
    "metric": (lambda o: ReduceLROnPlateau(o), ValueError, f"`scheduler` must be {METRIC}, got 'ReduceLROnPlateau'"),
    "metric in a chain": (
        lambda o: holding(ChainedScheduler([StepLR(o, 3), StepLR(o, 3)]), ReduceLROnPlateau(o), 1),
        ValueError,
        f"`scheduler._schedulers[1]` must be {METRIC}, got 'ReduceLROnPlateau'",
    ),
    "metric in a sequence": (
        lambda o: holding(SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5]), ReduceLROnPlateau(o)),
        ValueError,
        f"`scheduler._schedulers[0]` must be {METRIC}, got 'ReduceLROnPlateau'",
    ),
    "changed class": (
        lambda o: Halving(o, 3),
        TypeError,
        f"`scheduler` must be one of {KNOWN}, with the rates of that class, got 'Halving'",
    ),
    "own class in a sequence": (
        lambda o: SequentialLR(o, [StepLR(o, 3), Own(o)], [5]),
        TypeError,
        f"`scheduler._schedulers[1]` must be one of {KNOWN}, with the rates of that class, got 'Own'",
    ),
    "scale_fn": (
        lambda o: CyclicLR(o, 0.1, 0.2, scale_fn=scale_fn),
        ValueError,
        f"`scheduler.scale_fn` must be left out (a mode says how heights change), got {scale_fn!r}",
    ),
    "cyclic upside down": (
        lambda o: CyclicLR(o, 0.2, 0.1),
        ValueError,
        "`scheduler.base_lrs[0]` must be at most the `max_lr` (0.1), got 0.2",
    ),
    "growing cycles": (
        lambda o: CyclicLR(o, 0.1, 0.2, mode="exp_range", gamma=1.5),
        ValueError,
        "`scheduler.gamma` must be at most 1, got 1.5",
    ),
    "chain after a setter": (
        lambda o: ChainedScheduler([LambdaLR(o, scale_fn), StepLR(o, 3)]),
        ValueError,
        f"`scheduler` must be {SETS}, got ['LambdaLR', 'StepLR']",
    ),
    "eta_min in a chain": (
        lambda o: ChainedScheduler([LinearLR(o), CosineAnnealingLR(o, 9, 0.01)]),
        ValueError,
        f"`scheduler` must be {AFFINE}, got ['LinearLR', 'CosineAnnealingLR']",
    ),
    "an end before a milestone": (
        lambda o: ChainedScheduler([PolynomialLR(o, 3), SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5])]),
        ValueError,
        f"`scheduler` must be {AFFINE}, got ['PolynomialLR', 'SequentialLR']",
    ),
    "a chain at a milestone": (
        lambda o: SequentialLR(o, [StepLR(o, 3), ChainedScheduler([StepLR(o, 3)])], [5]),
        ValueError,
        f"`scheduler._schedulers[1]` must be {NESTED}, got 'ChainedScheduler'",
    ),
    "milestones in disorder": (
        lambda o: changed(SequentialLR(o, [StepLR(o, 3), StepLR(o, 3), StepLR(o, 3)], [5, 9]), _milestones=[9, 5]),
        ValueError,
        "`scheduler._milestones` must be increasing, one fewer than the 3 schedulers, got [9, 5]",
    ),
    "half a milestone": (
        lambda o: SequentialLR(o, [StepLR(o, 3), StepLR(o, 3)], [5.5]),  # type: ignore[list-item]
        ValueError,
        f"`scheduler._milestones[0]` must be {WHOLE}, got 5.5",
    ),
    "negative milestone": (
        lambda o: MultiStepLR(o, [-1]),
        ValueError,
        f"`scheduler.milestones` must be {WHOLE}, got -1",
    ),
    "half a T_max": (
        lambda o: CosineAnnealingLR(o, 7.5),  # type: ignore[arg-type]
        ValueError,
        f"`scheduler.T_max` must be {LENGTH}, got 7.5",
    ),
    "negative eta_min": (
        lambda o: CosineAnnealingLR(o, 7, -0.1),
        ValueError,
        f"`scheduler.eta_min` must be {LEVEL}, got -0.1",
    ),
    "negative gamma": (lambda o: ExponentialLR(o, -0.5), ValueError, f"`scheduler.gamma` must be {LEVEL}, got -0.5"),
    "tiny gamma": (lambda o: StepLR(o, 3, 1e-40), ValueError, f"`scheduler.gamma` must be {RATIO}, got 1e-40"),
    "no steps": (lambda o: StepLR(o, -1), ValueError, f"`scheduler.step_size` must be {LENGTH}, got -1"),
    "half total_iters": (
        lambda o: LinearLR(o, total_iters=2.5),  # type: ignore[arg-type]
        ValueError,
        f"`scheduler.total_iters` must be {WHOLE}, got 2.5",
    ),
    "factor": (
        lambda o: changed(ConstantLR(o), factor=2.0),
        ValueError,
        f"`scheduler.factor` must be {SHARE}, got 2.0",
    ),
    "anneal": (
        lambda o: changed(OneCycleLR(o, 0.1, total_steps=9), _anneal_func_type="exp"),
        ValueError,
        "`scheduler._anneal_func_type` must be one of 'cos', 'linear', got 'exp'",
    ),
    "base rates": (
        lambda o: changed(StepLR(o, 3), base_lrs=[0.1, 0.2]),
        ValueError,
        "`scheduler.base_lrs` must be one rate for each of the 1 parameter groups, got [0.1, 0.2]",
    ),
    "negative base rate": (
        lambda o: changed(StepLR(o, 3), base_lrs=[-0.1]),
        ValueError,
        f"`scheduler.base_lrs` must be {LEVEL}, got -0.1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    make, kind, sentence = REFUSED[name]
    scheduler = make(optimizer())
    with pytest.raises(kind) as error:
        from_lr_scheduler(scheduler)
    assert type(error.value) is kind
    assert str(error.value) == f"from_lr_scheduler: {sentence}"


def test_torch_faults_at_the_milestone_of_a_chain() -> None:
    scheduler = SequentialLR(o := optimizer(), [StepLR(o, 3), ChainedScheduler([StepLR(o, 3)])], [5])
    with pytest.raises(NotImplementedError):
        live(scheduler, 7)


def test_a_class_of_the_users_that_leaves_rates_alone() -> None:
    assert from_lr_scheduler(Named(optimizer(), 3)) == from_lr_scheduler(StepLR(optimizer(), 3))
