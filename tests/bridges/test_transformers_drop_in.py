"""The drop-in functions of `bridges.transformers` compared with those of transformers, in two schedulers that step.

The tolerance is that of `test_transformers`, and two rounding errors for the products with the base rate.
"""

import inspect
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
import funcsched as fs
from bridges.torch import ScheduleLR
from tests.bridges.test_transformers import EPS, METRIC_TYPES, TYPES, Case, cases, minimal, sgd

FUNCTIONS = {kind.value: function.__name__ for kind, function in optimization.TYPE_TO_SCHEDULER_FUNCTION.items()}
NAMES = [*FUNCTIONS.values(), "get_scheduler"]


def test_every_function_of_transformers_has_a_drop_in() -> None:
    theirs = {name for name in vars(optimization) if re.match("get_.*schedule", name)}
    assert theirs == {*NAMES, "get_adafactor_schedule"}  # which reads the rate that Adafactor computes
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
        "get_scheduler: `last_epoch` must be -1 unless every parameter group has an 'initial_lr', got 5; "
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


@pytest.mark.parametrize("name", sorted(METRIC_TYPES))
def test_types_that_follow_a_metric_are_errors_with_the_way_out(name: str) -> None:
    controller = {"reduce_lr_on_plateau": "plateau", "greedy": "greedy"}[name]
    assert callable(getattr(fs, controller))
    for call in (
        lambda: getattr(ours, FUNCTIONS[name])(sgd(0.5), patience=3),
        lambda: ours.get_scheduler(name, sgd(0.5)),
    ):
        with pytest.raises(ValueError, match=rf"not on a metric, got .*; use .*lambda_lr\(.*fs\.{controller}\(\)\)`$"):
            call()


def test_what_is_not_an_optimizer_is_an_error() -> None:
    with pytest.raises(TypeError, match="`optimizer` must be a torch optimizer, got None"):
        ours.get_cosine_schedule_with_warmup(None, 1, 9)  # type: ignore[arg-type]
    weight = torch.nn.Parameter(torch.zeros(1))
    layerwise = LayerWiseDummyOptimizer({weight: torch.optim.SGD([weight], lr=0.5)}, lr=0.5)
    with pytest.raises(TypeError, match="got 'LayerWiseDummyOptimizer'; call the function for each optimizer"):
        ours.get_scheduler("cosine", layerwise, 1, 9)
