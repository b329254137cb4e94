"""`from_lr_scheduler` for SequentialLR and ChainedScheduler, nested in every supported way."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    SequentialLR,
    StepLR,
)

from bridges.torch import from_lr_scheduler
from tests.bridges.torch.live import (
    COUNTS,
    EPS,
    FRACTIONS,
    IGNORE_MOMENTUM,
    IGNORE_STEP_ORDER,
    LENGTHS,
    OURS,
    RATES,
    Make,
    chain,
    check,
    check_composite,
    optimizer,
    sequence,
)

pytestmark = [IGNORE_STEP_ORDER, IGNORE_MOMENTUM]

GAMMAS = st.floats(0.5, 1.0)
# Schedulers that multiply the current rate by a factor, and those whose rate reaches 0 after the compared steps.
factors = st.one_of(
    st.builds(lambda f, n: lambda o: ConstantLR(o, f, n), st.floats(0.1, 1.0), COUNTS),
    st.builds(lambda s, e, n: lambda o: LinearLR(o, s, e, n), st.floats(0.1, 1), st.floats(0.1, 1), LENGTHS),
    st.builds(lambda g: lambda o: ExponentialLR(o, g), st.floats(0.9, 1.02)),
    st.builds(lambda n, g: lambda o: StepLR(o, n, g), st.integers(2, 20), GAMMAS),
    st.builds(lambda m, g: lambda o: MultiStepLR(o, m, g), st.lists(COUNTS, max_size=4), GAMMAS),
)
decays = st.one_of(
    st.builds(lambda n: lambda o: CosineAnnealingLR(o, n), st.integers(70, 90)),
    st.builds(lambda n, p: lambda o: PolynomialLR(o, n, p), st.integers(70, 90), st.sampled_from([1.0, 2.0, 0.5])),
)
# Schedulers that set the rate at every step.
setters = st.one_of(
    st.builds(lambda n, m: lambda o: CosineAnnealingWarmRestarts(o, n, m, 0.01), LENGTHS, st.integers(1, 2)),
    st.builds(lambda n: lambda o: LambdaLR(o, lambda step: 1 / (1 + step / n)), LENGTHS),
)
# Schedulers that are not factors of a product.
not_factors = setters | st.builds(lambda n: lambda o: CosineAnnealingLR(o, n, 0.01), st.integers(70, 90))
anything = st.one_of(factors, decays, not_factors)


@st.composite
def sequences(draw: Any, first: Any = anything, later: Any = anything, least: int = 0, most: int = 60) -> Make:
    milestones = draw(st.lists(st.integers(least, most), max_size=3))
    rest = st.lists(later, min_size=len(milestones), max_size=len(milestones))
    return sequence([draw(first), *draw(rest)], milestones)


@settings(max_examples=80)
@given(make=sequences(least=-2))
def test_a_sequence(make: Make) -> None:
    check_composite(make)


@settings(max_examples=40)
@given(
    start=FRACTIONS,
    warmup=st.integers(1, 30),
    total=st.integers(31, 60),
    low=st.sampled_from([0.0, 0.01, 0.1]),
    base=RATES,
)
def test_warmup_and_cosine(start: float, warmup: int, total: int, low: float, base: float) -> None:
    def make(o: torch.optim.Optimizer) -> SequentialLR:
        warmup_scheduler = LinearLR(o, start, total_iters=warmup)
        return SequentialLR(o, [warmup_scheduler, CosineAnnealingLR(o, total - warmup, low * base)], [warmup])

    tolerance = base * EPS * (OURS + 20 * total)
    check(make, total + 1, base, per_step=7 / start, absolute=tolerance)
    ((schedule, peak),) = from_lr_scheduler(make(optimizer(base)))
    assert peak == base
    assert schedule(warmup) == 1.0
    assert schedule(total) == schedule(10 * total) == low * base / base


@settings(max_examples=60)
@given(parts=st.lists(factors | decays, min_size=1, max_size=3))
def test_a_chain_is_a_product(parts: list[Make]) -> None:
    check_composite(chain(parts))


@settings(max_examples=30)
@given(parts=st.lists(factors | decays | setters, max_size=2), last=setters)
def test_in_a_chain_a_scheduler_that_sets_the_rate_discards_those_before_it(parts: list[Make], last: Make) -> None:
    check_composite(chain([*parts, last]))


@settings(max_examples=60)
@given(make=sequences(first=sequences() | sequences(first=sequences())))
def test_a_sequence_that_starts_with_a_sequence(make: Make) -> None:
    check_composite(make)


@settings(max_examples=60)
@given(make=sequences(first=st.builds(chain, st.lists(factors | decays, min_size=1, max_size=3))))
def test_a_sequence_that_starts_with_a_chain(make: Make) -> None:
    check_composite(make)


@pytest.mark.parametrize("steps", [1, 2, 3, 9])
@pytest.mark.parametrize("low", [0.0, 0.01])
def test_a_nested_cosine_starts_one_step_late(steps: int, low: float) -> None:
    check_composite(sequence([chain([lambda o: CosineAnnealingLR(o, steps, low)]), lambda o: StepLR(o, 3)], [steps]))


# Chains and sequences of factors.
factor_chains = st.builds(chain, st.lists(factors, min_size=1, max_size=2))
factor_sequences = sequences(first=factors | decays, later=factors | decays)


@settings(max_examples=80)
@given(parts=st.lists(factors | decays | factor_sequences | factor_chains, min_size=1, max_size=3))
def test_a_sequence_in_a_chain(parts: list[Make]) -> None:
    check_composite(chain(parts))


@settings(max_examples=60)
@given(
    make=sequences(
        first=st.builds(chain, st.lists(factors | factor_sequences, min_size=1, max_size=2)),
        later=factors | decays,
    ),
    outer=st.lists(factors, min_size=1, max_size=2),
)
def test_a_sequence_in_a_chain_in_a_sequence_in_a_chain(make: Make, outer: list[Make]) -> None:
    check_composite(chain([*outer, make]))


def test_a_deeply_nested_milestone_resets_the_outermost_chain() -> None:
    decay: Make = lambda o: ExponentialLR(o, 0.97)  # noqa: E731
    inner = chain([sequence([lambda o: LinearLR(o, 0.1), lambda o: ExponentialLR(o, 0.9)], [5]), decay])
    check_composite(chain([decay, sequence([inner, lambda o: StepLR(o, 4)], [15]), decay]))


def test_a_sequence_with_equal_or_negative_milestones() -> None:
    for milestones in ([5, 5], [0, 9], [-3, 9], [0, 0], [7, 200]):
        check_composite(
            sequence([lambda o: StepLR(o, 3, 0.5), lambda o: LinearLR(o), lambda o: StepLR(o, 4, 0.7)], milestones)
        )


def test_a_sequence_with_a_scheduler_that_overwrites_the_initial_rate() -> None:
    """A SequentialLR starts from `initial_lr`, which OneCycleLR overwrites on construction."""

    def make(o: torch.optim.Optimizer) -> SequentialLR:
        return SequentialLR(o, [LinearLR(o, 0.1, total_iters=5), OneCycleLR(o, 1.0, total_steps=80)], [5])

    check_composite(make)
    ((schedule, peak),) = from_lr_scheduler(make(optimizer(0.1)))
    assert peak == 1.0
    assert schedule(0) == pytest.approx(0.1 / 25, rel=4 * EPS)


@pytest.mark.parametrize("milestone", [1, 2, 3])
def test_milestones_of_a_sequence_in_a_sequence_are_one_step_early(milestone: int) -> None:
    inner = sequence([lambda o: ExponentialLR(o, 0.9), lambda o: ExponentialLR(o, 0.5)], [milestone])
    middle = sequence([inner, lambda o: StepLR(o, 3)], [20])
    for make, early in ((inner, 0), (sequence([inner, lambda o: StepLR(o, 3)], [20]), 1), (sequence([middle], []), 2)):
        check_composite(make)
        ((schedule, _),) = from_lr_scheduler(make(optimizer()))
        if milestone > early:
            assert schedule(milestone - early) == 1.0
