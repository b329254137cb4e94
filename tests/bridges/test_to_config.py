"""`to_config` of the bridges: reading and writing are inverse, and the trainers themselves run the same rates.

Reading (`from_*` and the functions with original names) is compared with the trainers in the tests of each bridge.
"""

import inspect
import logging
import math
import random
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import pytest
import torch
import transformers

import bridges.composer
import bridges.timm
import funcsched as fs
from bridges import deepspeed, megatron, torchtitan
from bridges.rated import Rated
from bridges.transformers import from_scheduler_type
from bridges.transformers import to_config as transformers_to_config
from tests import peers
from tests.errors import exactly

PEAK = 0.3

# --- Reading a configuration back ---


def read_transformers(config: dict[str, Any]) -> fs.Schedule:
    return from_scheduler_type(
        config["lr_scheduler_type"],
        num_warmup_steps=config["warmup_steps"],
        num_training_steps=config.get("max_steps"),
        base_lr=config["learning_rate"],
        **config["lr_scheduler_kwargs"],
    )


TIMM_CLASSES = {
    "CosineLRScheduler": bridges.timm.cosine_lr_scheduler,
    "TanhLRScheduler": bridges.timm.tanh_lr_scheduler,
    "PolyLRScheduler": bridges.timm.poly_lr_scheduler,
    "StepLRScheduler": bridges.timm.step_lr_scheduler,
    "MultiStepLRScheduler": bridges.timm.multistep_lr_scheduler,
    "WSDLRScheduler": bridges.timm.wsd_lr_scheduler,
}
COMPOSER_CLASSES = {
    "".join(word.title() for word in name.split("_")): getattr(bridges.composer, name)
    for name in bridges.composer.__all__
    if name.endswith("_scheduler")
}


# --- Random configurations of every type, made without the code under test ---

# A description, a function that builds the schedule, one that writes and reads it, and the number of updates.
Example = tuple[str, Callable[[], fs.Schedule], Callable[[fs.Schedule], fs.Schedule], int]
UPDATES = 150


def transformers_examples(rng: random.Random) -> Iterator[Example]:
    level = lambda: rng.choice([0.0, 0.1, 0.5, 1.0, rng.random()])  # noqa: E731
    total = rng.randint(1, 100)
    warmup = min(rng.choice([0, 1, 2, rng.randint(0, total)]), total - 1)
    run = rng.choice([None, rng.randint(1, total)])
    waves = rng.choice([{}, {"num_cycles": rng.choice([0.5, 1.0, 2.0, 0.25, rng.uniform(0.1, 3)])}])
    styles = ["linear", "cosine", "1-sqrt"]
    arguments: dict[str, dict[str, Any]] = {
        "constant": {},
        "constant_with_warmup": {},
        "linear": {},
        "cosine": waves,
        "cosine_with_restarts": {"num_cycles": rng.randint(1, 5)},
        "polynomial": {"lr_end": 0.99 * PEAK * level(), "power": 1 if run else rng.choice([1, 2, 0.5, 2.7])},
        "inverse_sqrt": {"timescale": rng.choice([None, 10, 300])},
        "cosine_with_min_lr": {**waves, **rng.choice([{"min_lr_rate": level()}, {"min_lr": PEAK * level()}])},
        "cosine_warmup_with_min_lr": {
            **waves,
            "min_lr_rate": level(),
            "warmup_lr_rate": rng.choice([None, 0.0, 0.3]),
        },
        "warmup_stable_decay": {
            **waves,
            "num_decay_steps": rng.randint(0, total - warmup),
            "min_lr_ratio": level(),
            "warmup_type": rng.choice(styles),
            "decay_type": rng.choice(styles),
        },
    }
    for name, specific in arguments.items():
        longer = rng.choice([0, 0, total]) if name != "polynomial" else 0  # a warmup that is longer than the run
        yield (
            f"{name}, {warmup + longer}, {total}, {specific}, {run}",
            lambda name=name, specific=specific, longer=longer: from_scheduler_type(  # type: ignore[misc]
                name, num_warmup_steps=warmup + longer, num_training_steps=total, base_lr=PEAK, **specific
            ),
            lambda schedule: read_transformers(transformers_to_config(schedule, PEAK, run)),
            run or UPDATES,
        )


def megatron_examples(rng: random.Random) -> Iterator[Example]:
    batch = rng.choice([1, 1, 7, 16, 100])
    total = rng.randint(2, 300) * rng.choice([1, batch])
    warmup, run = rng.choice([0, rng.randint(0, total - 1)]), rng.choice([None, rng.randint(1, 150)])
    for style in ("constant", "linear", "cosine", "inverse-square-root", "WSD"):
        arguments = {
            "init_lr": PEAK * rng.choice([0.0, 1.0, rng.random()]),
            "max_lr": PEAK,
            "min_lr": PEAK * rng.choice([0.0, 0.1, 1.0, rng.random()]),
            "lr_warmup_steps": warmup,
            "lr_decay_steps": total,
            "lr_decay_style": style,
        }
        if style == "WSD":
            arguments["wsd_decay_steps"] = rng.randint(0, rng.choice([2 * total, total, total - warmup]))
            arguments["lr_wsd_decay_style"] = rng.choice(["linear", "cosine", "exponential", "minus_sqrt"])

        def read(arguments: dict[str, Any]) -> fs.Schedule:
            schedule, peak = megatron.optimizer_param_scheduler(**arguments, global_batch_size=batch)
            assert peak == PEAK
            return schedule

        yield (
            f"{batch}, {arguments}",
            lambda arguments=arguments, read=read: read(arguments),  # type: ignore[misc]
            lambda schedule, read=read: read(  # type: ignore[misc]
                megatron.to_config(schedule, PEAK, global_batch_size=batch, total_steps=run)
            ),
            run or UPDATES,
        )


def deepspeed_examples(rng: random.Random) -> Iterator[Example]:
    ratio = lambda: rng.choice([0.0, 0.1, 1.0, rng.random()])  # noqa: E731
    warmup = {"warmup_num_steps": rng.randint(1, 30), "warmup_type": rng.choice(["log", "linear"])}
    rates = {"warmup_min_lr": PEAK * ratio(), "warmup_max_lr": PEAK, **warmup}
    total = {"total_num_steps": rng.randint(0, 100)}
    cycle = {"cycle_first_step_size": rng.randint(1, 30), "cycle_second_step_size": rng.choice([None, 0, 1, 20])}
    decay = {"decay_lr_rate": rng.choice([0.0, 1.0, rng.random()]), "decay_step_size": rng.choice([0, 5, 10])}
    stairs = {f"cycle_{ramp}_stair_count": rng.choice([0, rng.randint(1, 20)]) for ramp in ("first", "second")}
    size, growth = rng.randint(1, 30), rng.choice([0.0, 1.0, 5 * rng.random()])
    test = {"lr_range_test_step_size": size, "lr_range_test_step_rate": growth, "lr_range_test_min_lr": PEAK}
    params: dict[str, dict[str, Any]] = {
        "LRRangeTest": {**test, "lr_range_test_staircase": rng.random() < 0.5},
        "OneCycle": {"cycle_min_lr": PEAK * ratio(), "cycle_max_lr": PEAK, **cycle, **stairs, **decay},
        "WarmupLR": rates,
        "WarmupDecayLR": {**total, **rates},
        "WarmupCosineLR": {**total, "warmup_min_ratio": ratio(), "cos_min_ratio": ratio(), **warmup},
    }

    def read(config: dict[str, Any]) -> fs.Schedule:
        end = {"total_num_steps": UPDATES} if config["type"] == "LRRangeTest" else {}
        schedule, peak = deepspeed.from_config({**config, "params": {**config["params"], **end}}, lr=PEAK)
        assert peak == PEAK
        return schedule

    for name, arguments in params.items():
        config = {"type": name, "params": arguments}
        yield (
            str(config),
            lambda config=config: read(config),  # type: ignore[misc]
            lambda schedule: read(deepspeed.to_config(schedule, PEAK)),
            UPDATES,
        )


def torchtitan_examples(rng: random.Random) -> Iterator[Example]:
    for decay_type in ("linear", "sqrt", "cosine"):
        arguments = {
            "warmup_steps": rng.choice([0, 1, 2, rng.randint(0, 120)]),
            "training_steps": rng.randint(1, 100),
            "total_steps": rng.choice([None, rng.randint(1, 100)]),
            "decay_ratio": rng.choice([None, rng.random(), 0, 1, 2]),
            "decay_type": decay_type,
            "min_lr_factor": rng.choice([0.0, 0.1, 1.0, rng.random()]),
        }
        yield (
            str(arguments),
            lambda arguments=arguments: torchtitan.lr_schedules_config(**arguments),  # type: ignore[misc]
            lambda schedule: torchtitan.lr_schedules_config(**torchtitan.to_config(schedule)),
            UPDATES,
        )


def timm_examples(rng: random.Random) -> Iterator[Example]:
    rate = lambda: PEAK * rng.choice([0.0, 0.1, 0.5, rng.random()])  # noqa: E731
    warmup = {"warmup_t": rng.choice([0, 1, 2, rng.randint(1, 20)]), "warmup_lr_init": rate()}
    prefix = {"warmup_prefix": rng.random() < 0.6}
    total = rng.randint(21, 60)
    cycles = {
        **warmup,
        **prefix,
        "t_initial": total,
        "lr_min": rate(),
        "cycle_mul": rng.choice([1.0, 2.0, 1.5, 0.75]),
        "cycle_decay": rng.choice([1.0, 0.5]),
        "cycle_limit": rng.choice([0, 1, 1, 3]),
    }
    arguments: dict[str, dict[str, Any]] = {
        "CosineLRScheduler": {**cycles, "k_decay": rng.choice([1.0, 2.0])},
        "TanhLRScheduler": {**cycles, "lb": rng.choice([-7.0, -6.5]), "ub": rng.choice([3.0, 4.5])},
        "PolyLRScheduler": {**cycles, "k_decay": rng.choice([1.0, 2.0]), "power": rng.choice([0.5, 1.0, 2.0])},
        "StepLRScheduler": {**warmup, **prefix, "decay_t": rng.choice([30, 7.5]), "decay_rate": rng.choice([1, 0.1])},
        "MultiStepLRScheduler": {
            **warmup,
            **prefix,
            "decay_t": sorted(rng.sample(range(60), rng.randint(0, 4))),
            "decay_rate": rng.choice([0.0, 0.1, 0.5, 2.0]),
        },
        "WSDLRScheduler": {
            **warmup,
            "t_initial": total,
            "decay_t": rng.randint(1, total),
            "lr_min": rate(),
            "stable_fn": rng.choice(["constant", "rsqrt", "power"]),
            "stable_timescale": rng.choice([10, 2.5]),
            "stable_power": 0.3,
            "decay_fn": rng.choice(["linear", "1-sqrt", "cosine", "power", "exp"]),
            "decay_power": rng.choice([0.5, 2.0]),
            "decay_ratio": rng.choice([0.1, 0.01]),
        },
    }

    def read(name: str, arguments: dict[str, Any]) -> fs.Schedule:
        rated: Rated = TIMM_CLASSES[name](PEAK, **arguments)  # type: ignore[operator]
        return rated.schedule

    for name, own in arguments.items():
        yield (
            f"{name}, {own}",
            lambda name=name, own=own: read(name, own),  # type: ignore[misc]
            lambda schedule: read(*bridges.timm.to_config(schedule, PEAK)),
            UPDATES,
        )


def composer_examples(rng: random.Random) -> Iterator[Example]:
    level = lambda: rng.choice([0.0, 1.0, 0.1, rng.random()])  # noqa: E731
    t_max, t_warmup = {"t_max": f"{rng.randint(1, 100)}ba"}, {"t_warmup": f"{rng.choice([0, 1, 2, 17, 40])}ba"}
    times = [f"{rng.randint(0, 60)}ba" for _ in range(rng.randint(0, 5))]
    milestones = {"milestones": times, "gamma": rng.choice([0.0, 0.1, 0.5, 2.0])}
    power = {"power": rng.choice([1.0, 2.0, 0.5, 2.7])}
    size, gamma = f"{rng.randint(1, 30)}ba", {"gamma": rng.choice([0.1, 0.5, 1.0])}
    arguments: dict[str, dict[str, Any]] = {
        "StepScheduler": {"step_size": size, **gamma},
        "MultiStepScheduler": milestones,
        "ConstantScheduler": {"alpha": level(), **t_max},
        "LinearScheduler": {"alpha_i": level(), "alpha_f": level(), **t_max},
        "ExponentialScheduler": {"decay_period": size, **gamma},
        "CosineAnnealingScheduler": {"alpha_f": level(), **t_max},
        "CosineAnnealingWarmRestartsScheduler": {
            "t_0": size,
            "t_mult": rng.choice([1, 2, 1.5, 0.7]),
            "alpha_f": level(),
        },
        "PolynomialScheduler": {**power, "alpha_f": level(), **t_max},
        "MultiStepWithWarmupScheduler": {**t_warmup, **milestones},
        "ConstantWithWarmupScheduler": {**t_warmup, "alpha": level(), **t_max},
        "LinearWithWarmupScheduler": {**t_warmup, "alpha_i": level(), "alpha_f": level(), **t_max},
        "CosineAnnealingWithWarmupScheduler": {**t_warmup, "alpha_f": level(), **t_max},
        "PolynomialWithWarmupScheduler": {**t_warmup, **power, "alpha_f": level(), **t_max},
    }
    assert arguments.keys() == COMPOSER_CLASSES.keys()

    def read(name: str, arguments: dict[str, Any]) -> fs.Schedule:
        run = {"max_duration": f"{UPDATES}ba"} if "t_0" in arguments else {}
        schedule: fs.Schedule = COMPOSER_CLASSES[name](**arguments, **run)
        return schedule

    for name, own in arguments.items():
        yield (
            f"{name}, {own}",
            lambda name=name, own=own: read(name, own),  # type: ignore[misc]
            lambda schedule: read(*bridges.composer.to_config(schedule)),
            UPDATES,
        )


@pytest.mark.parametrize(
    ("examples", "count"),
    [
        (transformers_examples, 30),
        (megatron_examples, 20),
        (deepspeed_examples, 50),
        (torchtitan_examples, 50),
        (timm_examples, 4),
        (composer_examples, 10),
    ],
)
def test_what_is_written_reads_back_as_the_same_curve(examples: Any, count: int) -> None:
    rng = random.Random(16)
    for _ in range(count):
        for description, build, write_and_read, updates in examples(rng):
            schedule = build()
            copy = write_and_read(schedule)
            for step in range(min(updates, UPDATES)):
                # Another shape may have the same values up to the rounding of its last operations, and a number of
                # cycles is rounded.
                value, expected = copy(step), schedule(step)
                assert math.isclose(value, expected, rel_tol=2.0**-50, abs_tol=2.0**-48), (description, step)


# --- The trainers themselves ---

# Both sides compute in float64 with at most 20 operations, whose errors are relative to the peak.
TOLERANCE = 20 * 2.0**-53


def assert_rates(theirs: list[float], schedule: fs.Schedule, tolerance: float = TOLERANCE) -> None:
    for step, rate in enumerate(theirs):
        assert abs(rate - PEAK * schedule(step)) <= tolerance * PEAK, (step, rate, PEAK * schedule(step))


def stepped(optimizer: Any, scheduler: Any, steps: int) -> list[float]:
    """The learning rate of each update: the scheduler is stepped after the optimizer."""
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1)], lr=PEAK)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.warmup_linear(10, 100), {"lr_scheduler_type": "linear"}),
        (fs.count_by(fs.warmup_linear(640, 6400), 64), {"lr_scheduler_type": "linear", "warmup_steps": 10}),
        (fs.warmup_cosine(10, 100), {"lr_scheduler_type": "cosine"}),
        (fs.warmup_stable_decay(10, 0, 90, decay_shape=fs.cosine), {"lr_scheduler_type": "cosine"}),
        (
            fs.join([fs.ramp(0, 1, steps=10), fs.ramp(1, 0, steps=90, shape=fs.cosine)], [10]),
            {"lr_scheduler_type": "cosine"},
        ),
        (
            fs.warmup_cosine(10, 100, end=0.1),
            {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}},
        ),
        (
            fs.warmup_cosine_restarts(10, 100, cycles=3),
            {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 3}},
        ),
        (
            fs.warmup_polynomial(10, 100, exponent=2, end=0.5),
            {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"lr_end": 0.15, "power": 2.0}},
        ),
        (
            fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt),
            {
                "lr_scheduler_type": "warmup_stable_decay",
                "lr_scheduler_kwargs": {
                    "warmup_type": "linear",
                    "decay_type": "1-sqrt",
                    "num_decay_steps": 20,
                    "min_lr_ratio": 0.0,
                },
            },
        ),
    ],
)
def test_transformers_runs_the_schedule(schedule: fs.Schedule, expected: dict[str, Any]) -> None:
    config = transformers_to_config(schedule, PEAK)
    common = {"learning_rate": PEAK, "warmup_steps": 10, "max_steps": 100, "lr_scheduler_kwargs": {}}
    assert config == {**common, **expected}
    optimizer = sgd()
    scheduler = transformers.get_scheduler(
        config["lr_scheduler_type"],
        optimizer,
        num_warmup_steps=config["warmup_steps"],
        num_training_steps=config["max_steps"],
        scheduler_specific_kwargs=config["lr_scheduler_kwargs"],
    )
    assert_rates(stepped(optimizer, scheduler, 100), schedule)


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        (fs.warmup_cosine(10, 100), "cosine"),
        (fs.warmup_cosine(10, 100, end=0.1), "cosine_with_min_lr"),
        (fs.warmup_linear(10, 100), "polynomial"),
        (fs.cosine_restarts(25), "cosine_with_restarts"),
        (fs.warmup_cosine_restarts(10, 100, cycles=3), "cosine_with_restarts"),
        (fs.warmup_linear(100, 200), "constant_with_warmup"),
    ],
    ids=str,
)
def test_transformers_runs_the_beginning_of_a_schedule(schedule: fs.Schedule, name: str) -> None:
    config, optimizer = transformers_to_config(schedule, PEAK, 60), sgd()
    assert (config["lr_scheduler_type"], config["max_steps"]) == (name, 60)
    kwargs = config["lr_scheduler_kwargs"]
    scheduler = transformers.get_scheduler(name, optimizer, config["warmup_steps"], 60, kwargs)
    assert_rates(stepped(optimizer, scheduler, 60), schedule)


def test_transformers_without_an_end() -> None:
    common = {"learning_rate": PEAK, "lr_scheduler_kwargs": {}}
    constant = {"lr_scheduler_type": "constant", "warmup_steps": 0}
    assert transformers_to_config(fs.constant(), PEAK) == {**common, **constant}
    inverse = {"lr_scheduler_type": "inverse_sqrt", "warmup_steps": 10}
    assert transformers_to_config(fs.warmup_inverse_sqrt(10), PEAK) == {**common, **inverse}
    assert transformers_to_config(fs.warmup_inverse_sqrt(10), PEAK, 50) == {**common, **inverse, "max_steps": 50}


def test_a_run_that_is_longer_than_the_schedule() -> None:
    schedule = fs.warmup_stable_decay(10, 70, 20)
    config = transformers_to_config(schedule, PEAK, total_steps=120)
    assert (config["max_steps"], config["lr_scheduler_kwargs"]["num_stable_steps"]) == (120, 70)
    assert torchtitan.to_config(fs.warmup_linear(0, 100), total_steps=120) == {
        "warmup_steps": 0,
        "decay_type": "linear",
        "min_lr_factor": 0.0,
        "total_steps": 100,
        "training_steps": 120,
    }
    for schedule, length in (
        (fs.warmup_cosine(10, 100, end=0.1), 120),
        (fs.warmup_polynomial(10, 100, exponent=2), 80),
    ):
        with pytest.raises(ValueError, match="no transformers settings for"):
            transformers_to_config(schedule, PEAK, total_steps=length)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.warmup_linear(10, 100, end=0.5), {"lr_decay_style": "linear", "min_lr": 0.15}),
        (fs.warmup_cosine(10, 100, start=0.5), {"lr_decay_style": "cosine", "init_lr": 0.15}),
        (
            fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt),
            {"lr_decay_style": "WSD", "wsd_decay_steps": 160, "lr_wsd_decay_style": "minus_sqrt"},
        ),
    ],
)
def test_megatron_runs_the_schedule(schedule: fs.Schedule, expected: dict[str, Any]) -> None:
    config = megatron.to_config(schedule, PEAK, global_batch_size=8)
    common = {"init_lr": 0.0, "max_lr": PEAK, "min_lr": 0.0, "lr_warmup_steps": 80, "lr_decay_steps": 800}
    assert config == {**common, **expected}
    optimizer = sgd()
    no_weight_decay = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
    scheduler = peers.megatron().OptimizerParamScheduler(optimizer, **config, **no_weight_decay)
    rates = []
    for _ in range(105):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step(increment=8)
    assert_rates(rates, schedule)


def test_megatron_needs_the_length_of_an_inverse_square_root() -> None:
    message = (
        "to_config: no Megatron settings for the phase inverse_power(timescale=10, exponent=0.5) from step 10 on of "
        "warmup_inverse_sqrt(warmup_steps=10); give `total_steps` if the run has a length, or use "
        "`lambda_lr(optimizer, schedule)` of bridges.torch"
    )
    with pytest.raises(ValueError, match=exactly(message)):
        megatron.to_config(fs.warmup_inverse_sqrt(10), PEAK)
    config = megatron.to_config(fs.warmup_inverse_sqrt(10), PEAK, total_steps=200)
    expected = {"lr_decay_style": "inverse-square-root", "lr_warmup_steps": 10, "lr_decay_steps": 200, "min_lr": 0.0}
    assert config == {"init_lr": 0.0, "max_lr": PEAK, **expected}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            fs.warmup_linear(10, 100, start=0.5, end=0.5),
            {
                "type": "OneCycle",
                "params": {
                    "cycle_min_lr": 0.15,
                    "cycle_max_lr": PEAK,
                    "cycle_first_step_size": 10,
                    "cycle_second_step_size": 90,
                    "decay_step_size": 0,
                    "decay_lr_rate": 0.0,
                    "cycle_momentum": False,
                },
            },
        ),
        (
            fs.ramp(1, 3, steps=100),
            {
                "type": "LRRangeTest",
                "params": {
                    "lr_range_test_min_lr": PEAK,
                    "lr_range_test_step_size": 100,
                    "lr_range_test_step_rate": 2.0,
                },
            },
        ),
        (
            fs.staircase(fs.ramp(1, 6, steps=5), 20),
            {
                "type": "LRRangeTest",
                "params": {
                    "lr_range_test_min_lr": PEAK,
                    "lr_range_test_step_size": 20,
                    "lr_range_test_step_rate": 1.0,
                    "lr_range_test_staircase": True,
                },
            },
        ),
        (
            fs.piecewise_constant([5, 10, 11, 16], levels=[0, 0.5, 1, 0.5, 0]),
            {
                "type": "OneCycle",
                "params": {
                    "cycle_min_lr": 0.0,
                    "cycle_max_lr": PEAK,
                    "cycle_first_step_size": 10,
                    "cycle_second_step_size": 10,
                    "cycle_first_stair_count": 2,
                    "cycle_second_stair_count": 2,
                    "decay_step_size": 0,
                    "decay_lr_rate": 0.0,
                    "cycle_momentum": False,
                },
            },
        ),
        (
            fs.join([fs.constant(0), fs.warmup_linear(10, 99)], [1]),
            {
                "type": "WarmupDecayLR",
                "params": {
                    "total_num_steps": 99,
                    "warmup_min_lr": 0.0,
                    "warmup_max_lr": PEAK,
                    "warmup_num_steps": 10,
                    "warmup_type": "linear",
                },
            },
        ),
    ],
)
def test_deepspeed_runs_the_schedule(
    schedule: fs.Schedule, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = deepspeed.to_config(schedule, PEAK)
    assert config == expected
    optimizer = sgd()
    monkeypatch.setattr(peers.deepspeed().logger, "level", logging.ERROR)  # it warns before the first step
    scheduler = getattr(peers.deepspeed(), config["type"])(optimizer, **config["params"])
    # OneCycle divides a difference of numbers near 1 by the fraction of the cycle, here 1/10, of its first ramp.
    assert_rates(stepped(optimizer, scheduler, 100), schedule, 10 * TOLERANCE)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.warmup_cosine(10, 100, end=0.1, warmup_offset=1), {"decay_type": "cosine", "min_lr_factor": 0.1}),
        (
            fs.warmup_stable_decay(10, 60, 30, decay_shape=fs.sqrt, warmup_offset=1),
            {"decay_type": "sqrt", "min_lr_factor": 0.0, "decay_ratio": 0.3},
        ),
    ],
)
def test_torchtitan_runs_the_schedule(schedule: fs.Schedule, expected: dict[str, Any]) -> None:
    config = torchtitan.to_config(schedule)
    assert config == {"warmup_steps": 10, "training_steps": 100, **expected}
    steps, optimizer = config.pop("training_steps"), sgd()
    container = peers.torchtitan().LRSchedulersContainer.Config(**config)
    scheduler = container.build(optimizers=[optimizer], training_steps=steps)
    assert_rates(stepped(optimizer, scheduler, 100), schedule)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.constant(), ("MultiStepLRScheduler", {"decay_t": [], "decay_rate": 1.0})),
        (fs.multistep([30, 60], 0.5), ("MultiStepLRScheduler", {"decay_t": [31, 61], "decay_rate": 0.5})),
        (fs.step_decay(30), ("StepLRScheduler", {"decay_t": 30, "decay_rate": 0.1})),
        (
            fs.join([fs.ramp(1, 0, steps=steps, shape=fs.cosine) for steps in (64, 48, 36)], [64, 112]),
            (
                "CosineLRScheduler",
                {"lr_min": 0.0, "t_initial": 64, "cycle_mul": 0.75, "cycle_decay": 1.0, "cycle_limit": 3},
            ),
        ),
        (
            fs.warmup_cosine(10, 100, end=0.5),
            (
                "CosineLRScheduler",
                {
                    "warmup_t": 10,
                    "warmup_lr_init": 0.0,
                    "warmup_prefix": True,
                    "lr_min": 0.15,
                    "t_initial": 90,
                },
            ),
        ),
        (
            fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt),
            (
                "WSDLRScheduler",
                {
                    "warmup_t": 10,
                    "warmup_lr_init": 0.0,
                    "lr_min": 0.0,
                    "t_initial": 90,
                    "decay_t": 20,
                    "decay_fn": "1-sqrt",
                },
            ),
        ),
    ],
)
def test_timm_runs_the_schedule(schedule: fs.Schedule, expected: Any) -> None:
    name, arguments = bridges.timm.to_config(schedule, PEAK)
    assert (name, arguments) == expected
    optimizer = sgd()
    scheduler = getattr(peers.timm(), name)(optimizer, t_in_epochs=False, **arguments)
    rates = []
    for update in range(110):
        scheduler.step_update(update)
        rates.append(optimizer.param_groups[0]["lr"])
    assert_rates(rates, schedule)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (fs.warmup_linear(10, 100), ("LinearWithWarmupScheduler", {"alpha_i": 1.0, "alpha_f": 0.0, "t_max": "100ba"})),
        (
            fs.warmup_cosine(10, 100, end=0.1),
            ("CosineAnnealingWithWarmupScheduler", {"t_max": "100ba", "alpha_f": 0.1}),
        ),
        (fs.warmup_constant(10), ("ConstantWithWarmupScheduler", {"alpha": 1.0, "t_max": "100ba"})),
        (
            fs.join([fs.ramp(1, 0.1, steps=steps, shape=fs.cosine) for steps in (20, 30, 45, 67)], [20, 50, 95]),
            ("CosineAnnealingWarmRestartsScheduler", {"t_0": "20ba", "t_mult": 1.5, "alpha_f": 0.1}),
        ),
        (
            fs.join([fs.ramp(0, 1, steps=10), fs.shift(fs.multistep([30, 60], 0.5), 10)], [10]),
            ("MultiStepWithWarmupScheduler", {"milestones": ["30ba", "60ba"], "gamma": 0.5}),
        ),
    ],
)
def test_composer_runs_the_schedule(schedule: fs.Schedule, expected: Any) -> None:
    name, arguments = bridges.composer.to_config(schedule, total_steps=100)
    warmup = {} if "t_0" in arguments else {"t_warmup": "10ba"}
    assert (name, arguments) == (expected[0], {**warmup, **expected[1]})
    schedulers, time = peers.composer()
    scheduler = getattr(schedulers, name)(**arguments)
    rates = []
    for batch in range(100):
        state = SimpleNamespace(
            timestamp=time.Timestamp(epoch=0, batch=batch),
            max_duration=time.Time.from_timestring("100ba"),
            dataloader_len=None,
        )
        rates.append(PEAK * scheduler(state))
    assert_rates(rates, schedule)


# --- Errors ---


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda schedule: transformers_to_config(schedule, PEAK),
            "no transformers settings for the phase from 1 to 0.1 with shape rex in steps 10 to 100 of {}; use "
            "`lambda_lr(optimizer, schedule)` of bridges.torch",
        ),
        (
            lambda schedule: megatron.to_config(schedule, PEAK),
            "no Megatron settings for the phase from 1 to 0.1 with shape rex in steps 10 to 100 of {}; use "
            "`lambda_lr(optimizer, schedule)` of bridges.torch",
        ),
        (
            lambda schedule: bridges.timm.to_config(schedule, PEAK),
            "no timm settings for the phase from 1 to 0.1 with shape rex in steps 10 to 100 of {}; use "
            "`lambda_lr(optimizer, schedule)` of bridges.torch",
        ),
        (
            lambda schedule: bridges.composer.to_config(schedule),
            "no Composer settings for the phase from 1 to 0.1 with shape rex in steps 10 to 100 of {}; use a function "
            "from Composer's state to `schedule(int(state.timestamp.batch))` as its scheduler, or "
            "`lambda_lr(optimizer, schedule)` of bridges.torch in a loop of your own",
        ),
        (
            torchtitan.to_config,  # differs in the warmup already
            "no torchtitan settings for the phase from 0 to 1 with shape linear in steps 0 to 10 of {}; its warmup "
            "needs `warmup_offset=1`; or use `lambda_lr(optimizer, schedule)` of bridges.torch",
        ),
        (
            lambda schedule: deepspeed.to_config(schedule, PEAK),
            "no DeepSpeed settings for the phase from 1 to 0.1 with shape rex in steps 10 to 100 of {}; pass "
            "`lambda_lr(optimizer, schedule)` of bridges.torch to `deepspeed.initialize` (warmups of DeepSpeed start "
            "one step late)",
        ),
    ],
)
def test_the_error_names_what_the_trainer_cannot_express(write: Callable[[fs.Schedule], Any], message: str) -> None:
    schedule = fs.warmup_stable_decay(10, 0, 90, end=0.1, decay_shape=fs.rex)
    with pytest.raises(ValueError, match=exactly("to_config: " + message.format(schedule))):
        write(schedule)


WRITERS = [
    transformers_to_config,
    megatron.to_config,
    deepspeed.to_config,
    torchtitan.to_config,
    bridges.timm.to_config,
    bridges.composer.to_config,
]


def test_every_other_schedule_is_an_error_of_to_config() -> None:
    schedules = [
        fs.warmup_inverse_sqrt(10),
        fs.noam(64, 10),
        fs.step_decay(7),
        fs.one_cycle(30, 100),
        fs.cyclic(5),
        fs.cosine_restarts(10, period_factor=1.5, level_factor=0.5),
        fs.power_law(10, exponent=0.3),
        fs.then(fs.warmup_inverse_sqrt(16), 64, steps=100),
        fs.stretch(fs.warmup_cosine(10, 100), 1.5),
        fs.product(fs.warmup_cosine(10, 100), fs.step_decay(30)),
        fs.table([0.0, 1.0, 0.5]),
        fs.constant(0.0),
        fs.ramp(-1.0, 1.0, steps=10),
    ]
    for to_config in WRITERS:
        peak = (PEAK,) if "peak_value" in inspect.signature(to_config).parameters else ()
        for schedule in schedules:
            for total_steps in (None, 50):
                try:
                    to_config(schedule, *peak, total_steps=total_steps)
                except ValueError as error:
                    assert re.match(r"to_config: no \w+ settings for the .* of .*; ", str(error))


@pytest.mark.parametrize("to_config", WRITERS)
def test_invalid_arguments(to_config: Any) -> None:
    parameters = inspect.signature(to_config).parameters
    peak = {"peak_value": PEAK} if "peak_value" in parameters else {}
    with pytest.raises(TypeError, match="to_config: `schedule` must be"):
        to_config(0.5, **peak)
    with pytest.raises(TypeError, match="to_config: `schedule` must be a schedule whose parameters are Python numbers"):
        to_config(fs.warmup_linear(jnp.asarray(10), 100), **peak)
    with pytest.raises(ValueError, match=exactly("to_config: `total_steps` must be an integer from 1 to 2**53, got 0")):
        to_config(fs.constant(), **peak, total_steps=0)
    if peak:
        with pytest.raises(ValueError, match="to_config: `peak_value` must be a finite number above 0"):
            to_config(fs.constant(), 0.0)


def test_a_schedule_with_a_function_is_an_error_for_every_trainer() -> None:
    with pytest.raises(ValueError, match=r"^to_config: `schedule` must be a schedule without functions, got lift\("):
        transformers_to_config(fs.lift(lambda step: 0.1 if step == 777 else 1.0), PEAK, 1000)
