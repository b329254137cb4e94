"""`bridges.detectron2` compared with detectron2's composition of fvcore's own param schedulers, at every update.

detectron2 itself is not on the package index. `detectron2` below is its composition, from the formulas in the source.
The quotients that fvcore computes have rounding errors of numbers up to 1, divided by a phase of at least a tenth.
"""

import random
from typing import Any

import pytest

import funcsched as fs
from bridges.detectron2 import from_config, warmup_param_scheduler
from tests import peers
from tests.errors import raises

peers.require("fvcore", "--no-deps fvcore==0.1.5.post20221221")
theirs: Any = peers.import_quietly("fvcore.common.param_scheduler")

TOLERANCE = 16 * 2.0**-53


def detectron2(solver: dict[str, Any]) -> Any:
    """The multiplier as a function of `where`."""
    updates, gamma = solver["MAX_ITER"], solver["GAMMA"]
    if solver["LR_SCHEDULER_NAME"] == "WarmupMultiStepLR":
        steps = [step for step in solver["STEPS"] if step <= updates]
        main = theirs.MultiStepParamScheduler([gamma**i for i in range(len(steps) + 1)], updates, steps)
    elif solver["LR_SCHEDULER_NAME"] == "WarmupCosineLR":
        main = theirs.CosineParamScheduler(1, solver["BASE_LR_END"] / solver["BASE_LR"])
    else:
        main = theirs.StepWithFixedGammaParamScheduler(1.0, solver["NUM_DECAYS"], gamma, updates)
    length = min(solver["WARMUP_ITERS"] / updates, 1.0)
    start = solver["WARMUP_FACTOR"] * main(0.0)
    stop = main(0.0 if solver["RESCALE_INTERVAL"] else length)
    warmup = theirs.LinearParamScheduler(start, stop)
    if solver["WARMUP_METHOD"] == "constant":
        warmup = theirs.ConstantParamScheduler(start)
    scalings = ["rescaled", "rescaled" if solver["RESCALE_INTERVAL"] else "fixed"]
    return theirs.CompositeParamScheduler([warmup, main], [length, 1 - length], scalings)


def random_solver(draw: random.Random) -> dict[str, Any]:
    updates = draw.randint(20, 200)
    return {
        "LR_SCHEDULER_NAME": draw.choice(["WarmupMultiStepLR", "WarmupCosineLR", "WarmupStepWithFixedGammaLR"]),
        "BASE_LR": 10 ** draw.uniform(-4, 0),
        "BASE_LR_END": draw.choice([0.0, 1e-5]),
        "MAX_ITER": updates,
        "STEPS": [*sorted(draw.sample(range(1, updates), draw.randint(0, 4))), updates + 5],
        "GAMMA": draw.choice([0.1, 0.5, draw.uniform(0.01, 1)]),
        "NUM_DECAYS": draw.randint(1, 5),
        "WARMUP_FACTOR": draw.choice([0.0, 0.001, 1.0, draw.random()]),
        "WARMUP_ITERS": draw.choice([1, draw.randint(1, updates // 2)]),
        "WARMUP_METHOD": draw.choice(["linear", "constant"]),
        "RESCALE_INTERVAL": draw.random() < 0.4,
        "IMS_PER_BATCH": 16,
    }


def test_every_update_with_random_configurations() -> None:
    draw, seen = random.Random(0), set()
    for _ in range(150):
        solver = random_solver(draw)
        seen.add((solver["LR_SCHEDULER_NAME"], solver["WARMUP_METHOD"], solver["RESCALE_INTERVAL"]))
        schedule, peak_value = from_config(solver)
        assert peak_value == solver["BASE_LR"]
        multiplier, updates = detectron2(solver), solver["MAX_ITER"]
        differences = [
            (step, schedule(step), multiplier(step / updates))
            for step in range(updates)
            if not abs(schedule(step) - multiplier(step / updates)) <= TOLERANCE
        ]
        assert not differences, (solver, differences[:3])
    assert len(seen) == 12


def test_defaults_are_those_of_detectron2() -> None:
    schedule, peak_value = from_config({})
    assert peak_value == 0.001
    steps = (0, 500, 999, 1000, 29_999, 30_000, 40_000)
    assert [schedule(step) for step in steps] == pytest.approx([0.001, 0.5005, 0.999001, 1, 1, 0.1, 0.1], rel=1e-15)


def test_a_warmup_of_the_whole_run_and_none() -> None:
    schedule, _ = from_config({"MAX_ITER": 50, "STEPS": [20], "WARMUP_ITERS": 80, "WARMUP_FACTOR": 0.0, "GAMMA": 0.5})
    assert [schedule(step) for step in (0, 25, 50)] == [0.0, 0.25, 0.5]
    schedule, _ = from_config({"MAX_ITER": 50, "STEPS": [20], "WARMUP_ITERS": 0, "GAMMA": 0.5})
    assert [schedule(step) for step in (0, 19, 20)] == [1.0, 1.0, 0.5]


def test_a_step_at_the_end_is_ignored_where_fvcore_raises() -> None:
    solver = {"MAX_ITER": 50, "STEPS": [20, 50], "WARMUP_ITERS": 0, "GAMMA": 0.5}
    schedule, _ = from_config(solver)
    assert [schedule(step) for step in (49, 50, 99)] == [0.5, 0.5, 0.5]
    with pytest.raises(ValueError):
        theirs.MultiStepParamScheduler([1.0, 0.5, 0.25], 50, [20, 50])


def test_warmup_is_not_early_in_a_run_of_millions() -> None:
    """fvcore's tolerance of 1e-6 leaves the warmup 2 updates before its end."""
    solver = {**random_solver(random.Random(0)), "MAX_ITER": 2_000_000, "STEPS": [1_500_000], "WARMUP_ITERS": 1000}
    solver |= {"LR_SCHEDULER_NAME": "WarmupMultiStepLR", "WARMUP_FACTOR": 0.0, "RESCALE_INTERVAL": False}
    solver |= {"WARMUP_METHOD": "linear"}
    schedule, _ = from_config(solver)
    assert schedule(999) == pytest.approx(0.999) and detectron2(solver)(999 / 2_000_000) == 1.0


@pytest.mark.parametrize(
    ("solver", "argument", "requirement", "got"),
    [
        ({"LR_SCHEDULER_NAME": "CosineLR"}, "LR_SCHEDULER_NAME", None, "CosineLR"),
        ({"BASE_LR": 0.0}, "BASE_LR", "a finite number above 0", 0.0),
        ({"MAX_ITER": 0}, "MAX_ITER", "an integer from 1 to 2**53", 0),
        ({"STEPS": [0.5]}, "STEPS[0]", "an integer from 1 to 2**53", 0.5),
        ({"WARMUP_ITERS": -1}, "WARMUP_ITERS", "an integer from 0 to 2**53", -1),
        ({"WARMUP_METHOD": "exp"}, "WARMUP_METHOD", "one of 'constant', 'linear'", "exp"),
        ({"RESCALE_INTERVAL": 1}, "RESCALE_INTERVAL", "True or False", 1),
        ([1], "solver", "a mapping", [1]),
    ],
)
def test_invalid_entries(solver: Any, argument: str, requirement: str | None, got: Any) -> None:
    names = "one of 'WarmupCosineLR', 'WarmupMultiStepLR', 'WarmupStepWithFixedGammaLR'"
    with raises("from_config", argument, requirement or names, got):
        from_config(solver)


def test_invalid_arguments_of_the_warmup() -> None:
    with raises("warmup_param_scheduler", "warmup_method", "one of 'constant', 'linear'", "exp"):
        warmup_param_scheduler(fs.constant(), 0.1, 10, "exp")
    with raises("warmup_param_scheduler", "warmup_factor", "a number from 0 to 1.7e38", -0.1):
        warmup_param_scheduler(fs.constant(), -0.1, 10)
