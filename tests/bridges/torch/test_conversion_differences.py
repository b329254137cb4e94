"""Where `from_lr_scheduler` differs from torch on purpose, and where it preserves an odd convention of torch."""

from typing import Any

import numpy as np
import pytest
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    StepLR,
)

from bridges.torch import from_lr_scheduler
from tests.bridges.torch.live import (
    EPS,
    IGNORE_MOMENTUM,
    IGNORE_STEP_ORDER,
    Make,
    both_rates,
    chain,
    check_composite,
    optimizer,
    sequence,
    torch_rates,
)

pytestmark = [IGNORE_STEP_ORDER, IGNORE_MOMENTUM]


def test_cosine_annealing_rises_again_after_t_max_in_torch_only() -> None:
    ours, theirs = both_rates(lambda o: CosineAnnealingLR(o, 10, 0.01), 21)
    assert np.all(ours[10:] == 0.1 * (0.01 / 0.1))
    assert theirs[10, 0] == pytest.approx(0.01)
    assert np.all(np.diff(theirs[10:, 0]) > 0)
    assert theirs[20, 0] == pytest.approx(0.1)


@pytest.mark.parametrize("cycle", [True, False])
def test_a_cycled_momentum_is_a_warning(cycle: bool, recwarn: pytest.WarningsRecorder) -> None:
    from_lr_scheduler(OneCycleLR(optimizer(), 1.0, total_steps=10, cycle_momentum=cycle))
    expected = "from_lr_scheduler: OneCycleLR also cycles the momentum (the first beta of Adam), which is not converted"
    assert [str(warning.message).partition(";")[0] for warning in recwarn] == [expected] * cycle


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_makes_one_step_past_its_end_in_torch_only(strategy: Any) -> None:
    make: Make = lambda o: OneCycleLR(o, 1.0, total_steps=10, anneal_strategy=strategy)  # noqa: E731
    ours, theirs = both_rates(make, 11)
    assert ours[9, 0] == ours[10, 0] == 4e-6
    assert theirs[9, 0] == pytest.approx(4e-6, rel=1e-9)
    # The last phase has 7 steps, and this is step 8 of it.
    expected = {"cos": 4e-6 + (1 - 4e-6) * (1 + np.cos(np.pi * 8 / 7)) / 2, "linear": 4e-6 - (1 - 4e-6) / 7}[strategy]
    assert theirs[10, 0] == pytest.approx(expected, rel=1e-9)
    scheduler = make(optimizer())
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        torch_rates(scheduler, 12)


def test_one_cycle_that_ends_within_its_second_phase() -> None:
    make: Make = lambda o: OneCycleLR(o, 1.0, total_steps=50, pct_start=0.63, three_phase=True)  # noqa: E731
    ours, theirs = both_rates(make, 51)
    assert ours[50] == ours[49] == pytest.approx(theirs[49], rel=100 * EPS)
    assert theirs[50] < theirs[49]


def test_one_cycle_with_a_phase_of_length_0() -> None:
    with pytest.raises(ZeroDivisionError):
        OneCycleLR(optimizer(), 1.0, total_steps=10, pct_start=0.1)
    # 1/49 * 49 is below 1 in float64, so torch starts at the peak. Just above 1, it reaches the peak one step late.
    for pct, late in ((1 / 49, 0), ((1 + 2**-51) / 49, 1)):
        ours, theirs = both_rates(lambda o, pct=pct: OneCycleLR(o, 1.0, total_steps=49, pct_start=pct), 49)
        assert ours[late:] == pytest.approx(theirs[late:], rel=1e-10, abs=1e-15)
        assert ours[0] == 1.0
        assert theirs[0] == pytest.approx(0.04 if late else 1.0)


def test_cyclic_after_another_scheduler_starts_at_the_initial_rate_in_torch_only() -> None:
    ours, theirs = both_rates(chain([lambda o: StepLR(o, 3), lambda o: CyclicLR(o, 0.02, 0.3, 7)]), 30)
    assert ours[1:] == pytest.approx(theirs[1:], rel=0, abs=0.3 * EPS * 100)
    assert ours[0] == pytest.approx(0.02, rel=4 * EPS)
    assert theirs[0] == 0.1
    check_composite(sequence([lambda o: StepLR(o, 3), lambda o: CyclicLR(o, 0.02, 0.3, 7)], [5]))
    check_composite(sequence([lambda o: CyclicLR(o, 0.02, 0.3, 7), lambda o: ExponentialLR(o, 0.9)], [12]))


def test_constant_with_a_factor_of_0_divides_by_0_in_torch_only() -> None:
    scheduler = ConstantLR(optimizer(), 0.0, 5)
    ((schedule, _),) = from_lr_scheduler(scheduler)
    assert [schedule(step) for step in (0, 4, 5, 6)] == [0.0, 0.0, 1.0, 1.0]
    assert np.all(torch_rates(scheduler, 5) == 0.0)
    with pytest.raises(ZeroDivisionError):
        scheduler.step()


def test_unbounded_growth_is_held() -> None:
    for scheduler in (ExponentialLR(optimizer(1.0), 10.0), StepLR(optimizer(1.0), 1, 10.0)):
        ((schedule, _),) = from_lr_scheduler(scheduler)
        assert schedule(38) == pytest.approx(1e38, rel=8 * EPS)
        assert schedule(39) == schedule(10**6) == 1e38
        assert torch_rates(scheduler, 41)[40, 0] == pytest.approx(1e40)


def test_with_0_total_iters_the_first_factor_is_held() -> None:
    for make in (lambda o: ConstantLR(o, 0.5, 0), lambda o: LinearLR(o, 0.5, 0.75, 0)):
        ours, theirs = both_rates(make, 5)
        assert np.all(ours == 0.05)
        assert np.all(theirs == 0.05)
    # At a milestone, torch sets the rate with another formula.
    ours, theirs = both_rates(sequence([lambda o: StepLR(o, 3), lambda o: ConstantLR(o, 0.5, 0)], [2]), 5)
    assert ours[2:] == pytest.approx(theirs[2:], rel=8 * EPS)
    assert ours[2] == 0.1
