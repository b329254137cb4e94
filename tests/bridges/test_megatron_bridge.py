"""`bridges.megatron_bridge` compared with megatron-core's own scheduler, at the lengths that Megatron-Bridge computes.

`lengths_in_samples` is that computation, from the source. The tolerances are those of `bridges.megatron`.
"""

import random
from typing import Any

import pytest

from bridges.megatron_bridge import scheduler_config
from tests import peers
from tests.errors import raises

OptimizerParamScheduler = peers.megatron().OptimizerParamScheduler

NO_WEIGHT_DECAY = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
RELATIVE, ABSOLUTE = 20 * 2**-53, 9 * 2**-53


class Optimizer:
    def __init__(self) -> None:
        self.param_groups: list[dict[str, Any]] = [{}]


def lengths_in_samples(config: dict[str, Any], batch: int) -> dict[str, Any]:
    def get(name: str) -> Any:
        return config.get(f"{name}_{unit}")

    unit = "samples" if config.get("train_samples") is not None else "iters"
    factor = 1 if unit == "samples" else batch
    decay = get("train") if get("lr_decay") is None else get("lr_decay")
    wsd = get("lr_wsd_decay")
    if wsd is None and unit == "iters" and config["lr_decay_style"] == "WSD":
        wsd = decay
    fraction = config.get("lr_warmup_fraction")
    warmup = fraction * decay * factor if fraction is not None else (get("lr_warmup") or 0) * factor
    return {
        "lr_decay_steps": decay * factor,
        "lr_warmup_steps": min(warmup, decay * factor - 1),
        "wsd_decay_steps": None if wsd is None else wsd * factor,
    }


def test_every_update_with_random_configurations() -> None:
    draw = random.Random(0)
    for _ in range(150):
        batch, unit = draw.choice([1, 4, 7, 64]), draw.choice(["iters", "samples"])
        scale, style = (
            (1 if unit == "iters" else batch),
            draw.choice(["constant", "linear", "cosine", "inverse-square-root", "WSD"]),
        )
        total = draw.randint(2, 80)
        peak = 10 ** draw.uniform(-4, 0)
        config = {
            "lr": peak,
            "min_lr": draw.choice([0.0, peak / 10]),
            "lr_warmup_init": draw.choice([0.0, peak / 4]),
            "lr_decay_style": style,
            "lr_wsd_decay_style": draw.choice(["linear", "cosine", "exponential", "minus_sqrt"]),
            f"train_{unit}": total * scale,
            f"lr_decay_{unit}": draw.choice([None, draw.randint(1, 80) * scale]),
            f"lr_wsd_decay_{unit}": draw.choice([None, draw.randint(0, 20) * scale]),
        }
        if unit == "samples" and style == "WSD":
            config["lr_wsd_decay_samples"] = 5
        decay = config[f"lr_decay_{unit}"] or total * scale
        if draw.random() < 0.3:
            count = draw.randint(0, decay)
            config["lr_warmup_fraction"] = count / decay
            if config["lr_warmup_fraction"] * decay * (batch if unit == "iters" else 1) % 1:  # which Bridge keeps
                continue
        else:
            config[f"lr_warmup_{unit}"] = draw.randint(0, total * scale + 3)  # may exceed the decay
        scheduler = OptimizerParamScheduler(
            optimizer := Optimizer(),
            init_lr=config["lr_warmup_init"],
            max_lr=peak,
            min_lr=config["min_lr"],
            lr_decay_style=style,
            lr_wsd_decay_style=config["lr_wsd_decay_style"],
            **lengths_in_samples(config, batch),
            **NO_WEIGHT_DECAY,
        )
        schedule, peak_value = scheduler_config(**config, global_batch_size=batch)
        for step in range(total + 3):
            ours, theirs = peak_value * schedule(step), optimizer.param_groups[0]["lr"]
            assert abs(ours - theirs) <= RELATIVE * theirs + ABSOLUTE * peak, (config, step)
            scheduler.step(increment=batch)


def test_entries_of_a_whole_configuration_may_be_none_or_0() -> None:
    empty: dict[str, Any] = {"lr_warmup_samples": 0, "lr_decay_samples": None, "train_samples": None}
    with_all = scheduler_config(lr=1.0, train_iters=90, lr_warmup_iters=10, lr_decay_iters=None, **empty)
    assert with_all == scheduler_config(lr=1.0, train_iters=90, lr_warmup_iters=10)


def test_a_warmup_that_is_too_long_is_cut_to_one_sample_less_than_the_decay() -> None:
    schedule, _ = scheduler_config(lr=1.0, train_iters=10, lr_warmup_iters=50, global_batch_size=4)
    assert schedule(5) == pytest.approx(20 / 39) and schedule(10) == 0.0


def test_a_fractional_warmup_is_rounded_to_samples() -> None:
    schedule, _ = scheduler_config(lr=1.0, train_iters=50, lr_warmup_fraction=0.15, lr_decay_style="constant")
    assert schedule(4) == 0.5  # a warmup of 8 updates, and of 7.5 in Megatron-Bridge


POSITIVE_INT = "an integer from 1 to 2**53"
STYLES = "one of 'WSD', 'constant', 'cosine', 'inverse-square-root', 'linear'"
GIVEN = "given if `lr_decay_style` is 'WSD'"
WSD_STYLES = "one of 'cosine', 'exponential', 'linear', 'minus_sqrt'"


@pytest.mark.parametrize(
    ("arguments", "argument", "requirement", "got"),
    [
        ({}, "train_iters", POSITIVE_INT, None),
        ({"train_iters": 0}, "train_iters", POSITIVE_INT, 0),
        ({"train_samples": 9, "train_iters": 9}, "train_iters", "in samples, as the length of the run", 9),
        ({"train_iters": 9, "lr_decay_samples": 9}, "lr_decay_samples", "in iters, as the length of the run", 9),
        ({"train_iters": 9, "lr_warmup_iters": 1.5}, "lr_warmup_iters", "an integer from 0 to 2**53", 1.5),
        (
            {"train_iters": 9, "lr_warmup_iters": 2, "lr_warmup_fraction": 0.5},
            "lr_warmup_fraction",
            "omitted if `lr_warmup_iters` is given",
            0.5,
        ),
        ({"train_iters": 9, "lr_warmup_fraction": 2.0}, "lr_warmup_fraction", "a number from 0 to 1", 2.0),
        ({"train_iters": 9, "lr_decay_iters": 0}, "lr_decay_iters", POSITIVE_INT, 0),
        ({"train_iters": 9, "lr": 0.0}, "lr", "a finite number above 0", 0.0),
        ({"train_iters": 9, "min_lr": 2.0}, "min_lr", "at most `lr` (1.0)", 2.0),
        ({"train_iters": 9, "lr_warmup_init": 2.0}, "lr_warmup_init", "at most `lr` (1.0)", 2.0),
        ({"train_iters": 9, "lr_decay_style": "wsd"}, "lr_decay_style", STYLES, "wsd"),
        ({"train_iters": 9, "lr_wsd_decay_style": "x"}, "lr_wsd_decay_style", WSD_STYLES, "x"),
        ({"train_samples": 9, "lr_decay_style": "WSD"}, "lr_wsd_decay_samples", GIVEN, None),
    ],
)
def test_invalid_arguments(arguments: dict, argument: str, requirement: str, got: Any) -> None:
    with raises("scheduler_config", argument, requirement, got):
        scheduler_config(**{"lr": 1.0, **arguments})
