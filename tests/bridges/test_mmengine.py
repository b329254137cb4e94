"""`bridges.mmengine` compared with mmengine's own schedulers, stepped as its trainer does, at every update.

mmengine multiplies the last rate by a factor at every step, so its errors grow: by up to 4 roundings a step, and where
it divides by the distance to the minimum, by those of that distance. Within 200 steps both stay below `TOLERANCE`.
"""

import random
from functools import cache
from typing import Any

import pytest
import torch

from bridges.mmengine import from_config
from tests import peers
from tests.errors import raises


@cache
def schedulers() -> Any:
    """`mmengine.optim.scheduler.lr_scheduler`, without the packages that no schedule needs."""
    import logging

    peers.require("mmengine", "--no-deps mmengine==0.10.7")

    class Registry:
        def register_module(self) -> Any:
            return lambda cls: cls

    with peers.isolated("mmengine"):
        peers.placeholder("mmengine.logging", print_log=logging.debug)
        peers.placeholder("mmengine.registry", PARAM_SCHEDULERS=Registry())
        peers.placeholder("mmengine.optim", BaseOptimWrapper=type("BaseOptimWrapper", (), {}))
        return peers.import_quietly("mmengine.optim.scheduler.lr_scheduler")


theirs = schedulers()

TOLERANCE = 1e-11
LENGTH = 7  # updates of an epoch


def mmengine_rates(
    configs: list[dict[str, Any]], base_lr: float, updates: int, epoch_length: int | None
) -> list[float]:
    """The rate of every update. The hook steps the schedulers of updates first, and then those of epochs."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=base_lr)
    built = []
    for config in configs:
        arguments = dict(config)
        cls = getattr(theirs, arguments.pop("type"))
        build = cls
        if arguments.pop("convert_to_iter_based", False):
            build, arguments["epoch_length"] = cls.build_iter_from_epoch, epoch_length
        built.append(build(optimizer, **arguments))
    rates = []
    for update in range(updates):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in built:
            if not scheduler.by_epoch:
                scheduler.step()
        if epoch_length is None or update % epoch_length == epoch_length - 1:
            for scheduler in built:
                if scheduler.by_epoch:
                    scheduler.step()
    return rates


def assert_same(configs: list[dict[str, Any]], base_lr: float, updates: int, epoch_length: int | None = None) -> None:
    schedule, peak_value = from_config(configs, base_lr, epoch_length=epoch_length)
    expected = mmengine_rates(configs, base_lr, updates, epoch_length)
    ours = [peak_value * schedule(step) for step in range(updates)]
    errors = [
        (step, a, b)
        for step, (a, b) in enumerate(zip(ours, expected, strict=True))
        if not abs(a - b) <= TOLERANCE * max(expected)
    ]
    assert not errors, (configs, errors[:3])


def random_scheduler(draw: random.Random, kind: str, begin: int, end: int, base_lr: float) -> dict[str, Any]:
    """A scheduler for the steps from `begin` to ``end - 1``."""
    steps = end - begin
    low = draw.choice([{"eta_min": 0.0}, {"eta_min": base_lr / 50}, {"eta_min_ratio": 0.1}])
    weights = [draw.uniform(0.3, 1.0) for _ in range(draw.randint(1, 3))]
    arguments: dict[str, Any] = {
        "ConstantLR": {"factor": draw.uniform(0.1, 1)},
        "LinearLR": {"start_factor": draw.uniform(0.01, 1), "end_factor": draw.uniform(0.1, 1)},
        "ExponentialLR": {"gamma": draw.uniform(0.9, 1)},
        "StepLR": {"step_size": draw.randint(1, 20), "gamma": draw.uniform(0.3, 1)},
        "MultiStepLR": {"milestones": sorted(draw.choices(range(steps + 3), k=3)), "gamma": draw.uniform(0.3, 1)},
        "CosineAnnealingLR": {"T_max": draw.choice([None, steps - 1 or 1, steps + 3]), **low},
        "PolyLR": {"power": draw.choice([0.9, 1.0, 2.0]), "eta_min": low.get("eta_min", 0.0)},
        "CosineRestartLR": {
            "periods": [draw.randint(1, 12) for _ in weights],
            "restart_weights": weights,
            **low,
        },
        "OneCycleLR": {
            "eta_max": 3 * base_lr,
            "pct_start": draw.choice([0.3, 0.25, 0.4]),
            "anneal_strategy": draw.choice(["cos", "linear"]),
            "three_phase": draw.random() < 0.5,
        },
    }[kind]
    return {"type": kind, "begin": begin, "end": end, **arguments}


KINDS = ["ConstantLR", "LinearLR", "ExponentialLR", "StepLR", "MultiStepLR", "CosineAnnealingLR", "PolyLR"]


@pytest.mark.parametrize("kind", [*KINDS, "CosineRestartLR", "OneCycleLR"])
def test_a_single_scheduler_with_random_arguments(kind: str) -> None:
    draw = random.Random(kind)
    for _ in range(25):
        base_lr, begin = 10 ** draw.uniform(-4, 0), 0 if kind == "OneCycleLR" else draw.choice([0, 5])
        smallest = 12 if kind == "OneCycleLR" else 1
        config = random_scheduler(draw, kind, begin, begin + draw.randint(smallest, 60), base_lr)
        assert_same([{**config, "by_epoch": False}], base_lr, 70)


def test_lists_of_successive_schedulers_with_random_arguments() -> None:
    draw = random.Random(0)
    for _ in range(60):
        base_lr, begin, configs = 10 ** draw.uniform(-4, 0), 0, []
        for _ in range(draw.randint(2, 4)):
            begin += draw.choice([0, 0, 3])
            end = begin + draw.randint(1, 30)
            config = random_scheduler(draw, draw.choice([*KINDS, "CosineRestartLR"]), begin, end, base_lr)
            if config.get("eta_min", 0.0) >= base_lr / 50 or "eta_min_ratio" in config:
                config |= {"eta_min": base_lr / 1e4}  # below the rates that the others leave
                config.pop("eta_min_ratio", None)
            configs.append({**config, "by_epoch": False})
            begin = end
        assert_same(configs, base_lr, begin + 5)


def test_overlapping_factors_of_updates_and_epochs_with_random_arguments() -> None:
    draw = random.Random(1)
    for _ in range(60):
        base_lr, configs = 10 ** draw.uniform(-4, 0), []
        for _ in range(draw.randint(1, 3)):
            begin, kind = draw.randint(0, 4), draw.choice(KINDS)
            config = random_scheduler(draw, kind, begin, begin + draw.randint(1, 15), base_lr)
            if kind == "CosineAnnealingLR":
                config["T_max"] = config["end"] - begin
            config.pop("eta_min_ratio", None)
            if "eta_min" in config or kind == "CosineAnnealingLR":
                config["eta_min"] = 0.0
            configs.append({**config, "by_epoch": draw.random() < 0.6})
            if configs[-1]["by_epoch"] and draw.random() < 0.5:
                configs[-1]["convert_to_iter_based"] = True
        assert_same(configs, base_lr, 20 * LENGTH, LENGTH)


@pytest.mark.parametrize("convert", [True, False])
def test_lengths_in_epochs(convert: bool) -> None:
    draw = random.Random(2)
    for kind in [*KINDS, "CosineRestartLR", "OneCycleLR"]:
        for _ in range(8):
            config = random_scheduler(draw, kind, 0, draw.randint(12, 19), 0.1)
            if kind == "OneCycleLR":
                config["total_steps"] = draw.choice([None, config["end"] + 1])
            if config.get("T_max"):
                config["T_max"] = config["end"] + 2  # after `T_max`, mmengine's cosine rises
            config |= {"convert_to_iter_based": True} if convert else {}
            assert_same([config], 0.1, 20 * LENGTH, LENGTH)


def test_the_order_of_the_list_does_not_matter_for_phases_that_follow_each_other() -> None:
    first = {"type": "LinearLR", "start_factor": 0.25, "end_factor": 0.5, "end": 10, "by_epoch": False}
    second = {"type": "PolyLR", "eta_min": 0.01, "begin": 10, "end": 30, "by_epoch": False}
    assert_same([second, first], 0.1, 40)
    assert from_config([second, first], 0.1) == from_config([first, second], 0.1)


def test_the_typical_configuration() -> None:
    configs = [
        {"type": "LinearLR", "start_factor": 0.001, "by_epoch": False, "begin": 0, "end": 50},
        {
            "type": "CosineAnnealingLR",
            "eta_min": 1e-5,
            "begin": 8,
            "end": 20,
            "T_max": 12,
            "convert_to_iter_based": True,
        },
    ]
    assert_same(configs, 0.01, 20 * LENGTH, LENGTH)
    schedule, peak_value = from_config(configs, 0.01, epoch_length=LENGTH)
    assert schedule(49) == 1.0 != schedule(48)  # arrives at `end - 1`
    assert schedule(8 * LENGTH) == 1.0 and 1e-5 < peak_value * schedule(20 * LENGTH - 1) < 2e-5
    assert schedule(10**6) == schedule(20 * LENGTH - 1)


def test_epochs_are_steps_without_a_length_of_an_epoch() -> None:
    assert_same([{"type": "PolyLR", "end": 12}, {"type": "StepLR", "step_size": 3}], 0.1, 20)
    assert from_config({"type": "StepLR", "step_size": 3}, 0.1) == from_config(
        [{"type": "StepLR", "step_size": 3}], 0.1
    )


def test_values_that_differ_from_mmengine() -> None:
    cosine = [{"type": "CosineAnnealingLR", "T_max": 10, "by_epoch": False}]
    schedule, _ = from_config(cosine, 1.0)
    assert mmengine_rates(cosine, 1.0, 21, None)[20] == pytest.approx(1.0) and schedule(20) == 0.0
    linear = [{"type": "LinearLR", "start_factor": 0.0, "end": 11, "by_epoch": False}]
    schedule, _ = from_config(linear, 1.0)
    assert [schedule(step) for step in (0, 5, 10)] == [0.0, 0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        mmengine_rates(linear, 1.0, 3, None)


@pytest.mark.parametrize(
    ("configs", "argument", "requirement", "got"),
    [
        ([1], "param_scheduler[0]", "a mapping", 1),
        ({"type": "StepLR", "begin": -1}, "param_scheduler[0].begin", "an integer from 0 to 2**53", -1),
        ({"type": "StepLR", "begin": 3, "end": 3}, "param_scheduler[0].end", "above `begin` (3)", 3),
        (
            [{"type": "StepLR", "step_size": 2, "by_epoch": False}, {"type": "StepLR", "step_size": 2}],
            "epoch_length",
            "given if only some lengths are in epochs",
            None,
        ),
        ({"type": "CosineRestartLR", "periods": [5, 5]}, "restart_weights", "as long as `periods` (2)", (1.0,)),
        (
            [{"type": "PolyLR", "eta_min": 0.1, "end": 9}, {"type": "StepLR", "step_size": 2, "begin": 8}],
            "begin` to `end` of `PolyLR",
            "separate from the steps of StepLR",
            [0, 9],
        ),
    ],
)
def test_invalid_configurations(configs: Any, argument: str, requirement: str, got: Any) -> None:
    with raises("from_config", argument, requirement, got):
        from_config(configs, 1.0)


def test_unknown_names() -> None:
    with pytest.raises(
        ValueError, match=r"from_config: `param_scheduler\[0\].type` must be one of 'ConstantLR', .*'Step'"
    ):
        from_config({"type": "Step"}, 1.0)
    with pytest.raises(TypeError, match=r"from_config: no argument `gama` .*; did you mean 'gamma'\?"):
        from_config({"type": "StepLR", "step_size": 2, "gama": 0.5}, 1.0)
