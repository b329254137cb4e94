"""`bridges.stable_baselines3` compared with stable-baselines3's LinearSchedule, transcribed from its source.

If stable-baselines3 is installed, a real algorithm trains with a schedule.
"""

import pickle
import random
from typing import Any

import pytest

import funcsched as fs
from bridges.stable_baselines3 import linear_schedule, to_progress
from tests.errors import raises


def progress_remaining(step: int, total: int) -> float:
    """As `_update_current_progress_remaining` computes it."""
    return 1.0 - float(step) / float(total)


def test_linear_schedule_with_random_arguments() -> None:
    draw = random.Random(0)
    for _ in range(100):
        start, end, total = (
            draw.choice([0.0, draw.random()]),
            draw.choice([0.0, 1.0, draw.random()]),
            draw.randint(1, 300),
        )
        fraction = draw.choice([1.0, 0.1, 0.5, 0.25, draw.uniform(0.01, 1)])
        schedule, peak_value = linear_schedule(start, end, fraction, total_steps=total)
        for step in range(total + 1):
            elapsed = 1 - progress_remaining(step, total)
            theirs = end if elapsed > fraction else start + elapsed * (end - start) / fraction
            # `elapsed` has the rounding error of a number near 1.
            assert abs(peak_value * schedule(step) - theirs) <= 8 * 2.0**-53 / fraction, (start, end, total, fraction)


@pytest.mark.parametrize("total", [1, 3, 100, 1_000_003, 25_000_000])
def test_to_progress_returns_the_value_at_every_step(total: int) -> None:
    schedule = fs.join([fs.warmup_linear(3, 5), fs.multistep(range(1, 50), 0.9)], [3])
    function = pickle.loads(pickle.dumps(to_progress(schedule, total, peak_value=3e-4)))
    steps = [*range(min(total, 60)), total // 3, total - 1, total]
    assert [function(progress_remaining(step, total)) for step in steps] == [3e-4 * schedule(step) for step in steps]


def test_schedules_of_rollouts_are_stretched() -> None:
    """A schedule of 10 rollouts, while stable-baselines3 counts environment steps."""
    function = to_progress(fs.ramp(1.0, 0.0, steps=10), 10)
    assert function(progress_remaining(1024, 4096)) == 0.75


def test_a_real_algorithm_trains_with_the_rates_of_a_schedule() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    gymnasium = pytest.importorskip("gymnasium")

    class Line(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed: Any = None, options: Any = None) -> Any:
            super().reset(seed=seed)
            return self.observation_space.sample(), {}

        def step(self, action: Any) -> Any:
            return self.observation_space.sample(), float(action), False, True, {}

    rates = []

    class Record(sb3.common.callbacks.BaseCallback):
        def _on_step(self) -> bool:
            return True

        def _on_rollout_start(self) -> None:
            rates.append(self.model.policy.optimizer.param_groups[0]["lr"])

    schedule = fs.warmup_linear(16, 64)
    model = sb3.A2C("MlpPolicy", Line(), n_steps=8, learning_rate=to_progress(schedule, 64, 0.5), device="cpu")
    model.set_logger(sb3.common.logger.Logger(folder=None, output_formats=[]))  # the default one leaves a folder
    model.learn(64, callback=Record())
    assert rates == [0.5 * schedule(step) for step in range(0, 64, 8)]


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({"start": -1.0}, "start", "a number from 0 to 1.7e38", -1.0),
        ({"end_fraction": 0.0}, "end_fraction", "a number from 1e-9 to 1", 0.0),
        ({"end_fraction": 1.5}, "end_fraction", "a number from 1e-9 to 1", 1.5),
        ({"total_steps": 0}, "total_steps", "an integer from 1 to 2**53", 0),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    valid: dict[str, Any] = {"start": 1.0, "end": 0.0, "end_fraction": 0.5, "total_steps": 10}
    with raises("linear_schedule", argument, requirement, got):
        linear_schedule(**{**valid, **arguments})


def test_a_schedule_of_zeros() -> None:
    assert linear_schedule(0.0, 0.0, 0.5, total_steps=10) == (fs.constant(), 0.0)
