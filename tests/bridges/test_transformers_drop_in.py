"""The drop-in functions of `bridges.transformers` compared with those of transformers, in two schedulers that step.

The tolerance is that of `test_transformers`, and two rounding errors for the products with the base rate.
"""

import inspect
import random
import re
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import optimization
from transformers.trainer_pt_utils import LayerWiseDummyOptimizer

import bridges.transformers as ours
from bridges.torch import ScheduleLR
from tests.bridges.test_transformers import EPS, METRIC_TYPES, TYPES, Case, cases, minimal, sgd

FUNCTIONS = {kind.value: function.__name__ for kind, function in optimization.TYPE_TO_SCHEDULER_FUNCTION.items()}
NAMES = [*FUNCTIONS.values(), "get_scheduler", "get_adafactor_schedule"]


def test_every_function_of_transformers_has_a_drop_in() -> None:
    theirs = {name for name in vars(optimization) if re.match("get_.*schedule", name)}
    assert theirs == set(NAMES)
    assert {name for name in vars(ours) if name.startswith("get_")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_signature_is_that_of_transformers(name: str) -> None:
    own, theirs = (inspect.signature(getattr(module, name)).parameters for module in (ours, optimization))
    assert [(p.name, p.kind, p.default) for p in own.values()] == [(p.name, p.kind, p.default) for p in theirs.values()]


def scheduler(module: Any, case: Case, optimizer: torch.optim.Optimizer, generic: bool, **keywords: Any) -> Any:
    """The scheduler of `get_scheduler`, or of the function for the type."""
    keywords = {**case.keywords, **keywords}
    if generic:
        return module.get_scheduler(case.name, optimizer, case.warmup, case.total, keywords)
    steps = {"num_warmup_steps": case.warmup, "num_training_steps": case.total}
    function = getattr(module, FUNCTIONS[case.name])
    accepted = inspect.signature(function).parameters
    return function(optimizer, **{name: value for name, value in steps.items() if name in accepted}, **keywords)


def rates(module: Any, case: Case, generic: bool) -> np.ndarray:
    """The rates of both groups, both of which have the base rate, at every step up to the end."""
    optimizer = sgd(case.base, case.base)
    stepped = scheduler(module, case, optimizer, generic)
    found = []
    for _ in range(case.last() + 1):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        stepped.step()
    return np.array(found)


@pytest.mark.parametrize("generic", [False, True], ids=["function", "get_scheduler"])
@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=8)
@given(data=st.data())
def test_rates_of_a_run_match_transformers(name: str, generic: bool, data: st.DataObject) -> None:
    case = data.draw(cases(name, 30))
    actual, peer = rates(ours, case, generic), rates(transformers, case, generic)
    steps = np.array([step for step in range(case.last() + 1) if not case.misses_restart(step)])
    tolerance = case.base * case.tolerance(steps, peer[steps, 0] / case.base) + 2 * EPS * peer[steps, 0]
    assert (np.abs(actual - peer)[steps] <= tolerance[:, None]).all(), (actual, peer)


@pytest.mark.parametrize("generic", [False, True], ids=["function", "get_scheduler"])
@pytest.mark.parametrize("name", TYPES)
def test_last_epoch_resumes_as_in_transformers(name: str, generic: bool) -> None:
    case, found = minimal(name), []
    generic = generic and not name.startswith("constant")  # for these, transformers ignores scheduler_specific_kwargs
    for module in (ours, transformers):
        optimizer = sgd(case.base)
        optimizer.param_groups[0].update(initial_lr=case.base, lr=0.125)
        resumed = scheduler(module, case, optimizer, generic, last_epoch=11)
        found.append([resumed.last_epoch, *resumed.get_last_lr()])
        optimizer.step()
        resumed.step()
        found[-1] += resumed.get_last_lr()
    assert found[0] == pytest.approx(found[1], rel=16 * EPS)
    assert found[0][0] == 12


def test_last_epoch_needs_the_initial_rates() -> None:
    message = (
        "get_constant_schedule: `last_epoch` must be -1 unless every parameter group has an 'initial_lr', got 5; "
        "load the optimizer's state first"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ours.get_constant_schedule(sgd(0.5), last_epoch=5)
    with pytest.raises(KeyError, match="initial_lr"):
        transformers.get_constant_schedule(sgd(0.5), last_epoch=5)
    with pytest.raises(ValueError, match="`last_epoch` must be an integer from -1 to"):
        ours.get_constant_schedule(sgd(0.5), last_epoch=-2)


@pytest.mark.parametrize("keywords", [{"lr_end": 0.01}, {"min_lr": 0.01}], ids=str)
def test_groups_with_different_rates_all_end_at_the_lowest_rate(keywords: dict[str, float]) -> None:
    case = Case("polynomial" if "lr_end" in keywords else "cosine_with_min_lr", 0, 8, 0.5, keywords)
    last = {}
    for module in (ours, transformers):
        optimizer = sgd(0.5, 0.25, 0.0)
        stepped = scheduler(module, case, optimizer, False)
        assert stepped.get_last_lr() == [0.5, 0.25, 0.0]
        for _ in range(8):
            optimizer.step()
            stepped.step()
        last[module] = stepped.get_last_lr()
    assert last[ours] == pytest.approx([0.01, 0.01, 0.0], rel=1e-12)
    assert last[transformers] == pytest.approx([0.01, 0.005, 0.0], rel=1e-12)


def test_a_group_that_is_added_later_follows_the_schedule_if_all_share_one() -> None:
    optimizer = sgd(0.5, 0.25)
    stepped = ours.get_linear_schedule_with_warmup(optimizer, 0, 4)
    assert isinstance(stepped, ScheduleLR)
    optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 1.0})
    optimizer.step()
    stepped.step()
    assert stepped.get_last_lr() == [0.375, 0.1875, 0.75]


COMMON = {
    "mode": ["min", "max"],
    "factor": [0.1, 0.5, 0.9],
    "patience": [0, 1, 3],
    "threshold": [0, 1e-4, 0.05],
    "threshold_mode": ["rel", "abs"],
    "cooldown": [0, 1, 3],
    "min_lr": [0, 1e-3, 0.02, 0.6],
    "eps": [0, 1e-3],
}
OWN = {
    "reduce_lr_on_plateau": {},
    "greedy": {
        "warmup": [0, 2],
        "max_lr": [0.2, 5.0],
        "smooth": [True, False],
        "window_size": [1, 3],
        "reset_start": [1, 2, 5],
    },
}


@pytest.mark.parametrize("name", sorted(METRIC_TYPES))
def test_the_rates_of_types_that_follow_a_metric_match_transformers(name: str) -> None:
    rng = random.Random(1)
    for i in range(40):
        options = {**COMMON, **OWN[name]}
        keywords = {key: rng.choice(values) for key, values in options.items() if rng.random() < 0.6}
        rates = [0.5, 0.5] if i % 2 else [0.5, 0.125]
        if i % 2 == 0:
            keywords |= {"min_lr": [0.05, 0.0125], "eps": 0}
        if i % 2 == 0 and name == "greedy":
            keywords["max_lr"] = [1.0, 0.25]
        theirs = transformers.get_scheduler(name, sgd(*rates), scheduler_specific_kwargs=keywords)
        if i % 3:
            actual = ours.get_scheduler(name, sgd(*rates), 3, 9, keywords)
        else:
            actual = getattr(ours, FUNCTIONS[name])(sgd(*rates), **keywords)
        metric = 1.0
        for step in range(40):
            metric = rng.choice([metric, 0.9 * metric, 1.05 * metric, metric - 1e-3, rng.random()])
            actual.optimizer.step()
            theirs.step(metric)
            if step % 2:
                actual.step(metric)
            else:
                actual.step(metrics=torch.tensor(metric, dtype=torch.float64))
            assert actual.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=100 * EPS), (keywords, step)


def test_a_scheduler_that_follows_a_metric_resumes() -> None:
    metrics = [1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8]
    rates = []
    scheduler = ours.get_greedy_schedule(sgd(0.5), patience=0, factor=0.5)
    for i, metric in enumerate(metrics):
        if i == 4:
            state, scheduler = scheduler.state_dict(), ours.get_greedy_schedule(sgd(0.5), patience=0, factor=0.5)
            scheduler.load_state_dict(state)
        scheduler.optimizer.step()
        scheduler.step(metric)
        rates += scheduler.get_last_lr()
    assert rates == [1.0, 1.0, 0.5, 0.25, 0.5, 0.25, 0.125, 0.0625]


def test_a_step_without_a_metric_is_an_error() -> None:
    scheduler = ours.get_reduce_on_plateau_schedule(sgd(0.5))
    message = r"^step: `metrics` must be the next value of the metric, got None; the Trainer of transformers passes it"
    with pytest.raises(TypeError, match=message):
        scheduler.step()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ours.get_greedy_schedule(sgd(0.5), patienc=3), "get_greedy_schedule: no argument `patienc` (got 3)"),
        (
            lambda: ours.get_reduce_on_plateau_schedule(sgd(0.5), factor=2),
            "get_reduce_on_plateau_schedule: `factor` must be a number of at least 0 and below 1, got 2",
        ),
        (
            lambda: ours.get_greedy_schedule(sgd(0.5, 0.25)),
            "get_greedy_schedule: `min_lr` must be the same multiple of the learning rate in every parameter group, "
            "got 0.001; give a list with one for each group",
        ),
        (
            lambda: ours.get_polynomial_decay_schedule_with_warmup(sgd(0.5), 1, 9, lr_end=0.5),
            "get_polynomial_decay_schedule_with_warmup: `lr_end` must be below the learning rate (0.5), got 0.5",
        ),
        (
            lambda: ours.get_cosine_schedule_with_warmup(sgd(0.5), -1, 9),
            "get_cosine_schedule_with_warmup: `num_warmup_steps` must be a number from 0 to 2**53, got -1",
        ),
        (
            lambda: ours.get_scheduler("cosine", sgd(0.5), 1, 9, {"num_cycle": 1}),
            "get_scheduler: no argument `num_cycle` (got 1); it takes `last_epoch`, `num_cycles`; did you mean "
            "'num_cycles'?",
        ),
        (
            lambda: ours.get_scheduler("cosine", sgd(0.5), 1, 9, {"num_warmup_steps": 1}),
            "get_scheduler: no argument `num_warmup_steps` (got 1); it takes `last_epoch`, `num_cycles`",
        ),
        (
            lambda: ours.get_scheduler("cosin", sgd(0.5), 1, 9),
            "get_scheduler: `name` must be one of 'constant', 'constant_with_warmup', 'cosine', ",
        ),
    ],
)
def test_errors_name_the_function_and_the_argument(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(message)):
        call()


def test_a_state_of_transformers_is_an_error_that_says_how_to_resume() -> None:
    optimizer = sgd(0.5)
    theirs = transformers.get_cosine_schedule_with_warmup(optimizer, 1, 9)
    for _ in range(4):
        optimizer.step()
        theirs.step()
    with pytest.raises(ValueError, match=r"the state does not describe its schedules.* use `lambda_lr\(..., step=4\)`"):
        ours.get_cosine_schedule_with_warmup(optimizer, 1, 9).load_state_dict(theirs.state_dict())
    resumed = ours.get_cosine_schedule_with_warmup(optimizer, 1, 9, last_epoch=theirs.last_epoch - 1)
    assert resumed.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=16 * EPS)


def test_the_scheduler_of_adafactor_is_that_of_transformers() -> None:
    optimizer = optimization.Adafactor([torch.nn.Parameter(torch.zeros(1))])
    assert type(ours.get_adafactor_schedule(optimizer, 0.5)) is optimization.AdafactorSchedule


def test_what_is_not_an_optimizer_is_an_error() -> None:
    with pytest.raises(TypeError, match="`optimizer` must be a torch optimizer, got None"):
        ours.get_cosine_schedule_with_warmup(None, 1, 9)  # type: ignore[arg-type]
    weight = torch.nn.Parameter(torch.zeros(1))
    layerwise = LayerWiseDummyOptimizer({weight: torch.optim.SGD([weight], lr=0.5)}, lr=0.5)
    with pytest.raises(TypeError, match="got 'LayerWiseDummyOptimizer'; call the function for each optimizer"):
        ours.get_scheduler("cosine", layerwise, 1, 9)


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("cosine", {"optimizer": 2}, "get_scheduler: no argument `optimizer` (got 2); it takes "),
        ("cosine", {"steps": 2}, "get_scheduler: no argument `steps` (got 2); it takes "),
        ("cosine", {1: 2}, "get_scheduler: no argument `1` (got 2); it takes "),
        ("cosine", [1], "get_scheduler: `scheduler_specific_kwargs` must be a mapping, got [1]"),
        ("greedy", 3, "get_scheduler: `scheduler_specific_kwargs` must be a mapping, got 3"),
        (
            "greedy",
            {"min_lr": [0.1, 0.1]},
            "get_scheduler: `min_lr` must be a number, or one for each of the 1 groups, ",
        ),
    ],
)
def test_an_error_about_specific_arguments(name: str, keywords: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        ours.get_scheduler(name, sgd(0.5), 1, 10, scheduler_specific_kwargs=keywords)
    assert str(error.value).startswith(message)
