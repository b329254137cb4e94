"""Altered states of a scheduler are rejected with documented errors, and leave the optimizer unchanged."""

from random import Random
from typing import Any

import pytest

from bridges.torch import ScheduleLR
from tests import fuzz


def faults(count: int) -> dict[str, Any]:
    random, found = Random(0), {}
    for _ in range(count):
        given = fuzz.Input(fuzz.load_state_dict, fuzz.state(random))
        outcome, fault = fuzz.outcome_and_fault(given)
        if fault is not None:
            found.setdefault(f"{outcome}: {fault}", fuzz.abbreviated(given))
    return found


def test_altered_states_raise_documented_errors_and_change_nothing() -> None:
    assert faults(1000) == {}


def test_the_unaltered_states_load() -> None:
    for kind, state in fuzz.STATES:
        assert fuzz.load_state_dict((kind, state)).last_epoch == state["last_epoch"]


# Controls: what the fuzzer would report.


def test_the_fuzzer_reports_a_rejected_state_that_changed_the_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    load = ScheduleLR.load_state_dict

    def early(scheduler: ScheduleLR, state: Any) -> None:
        scheduler.optimizer.param_groups[0]["lr"] = 9.0
        load(scheduler, state)

    monkeypatch.setattr(ScheduleLR, "load_state_dict", early)
    message = "load_state_dict: AssertionError: AssertionError: a rejected state has changed the optimizer"
    assert message in faults(50)


def test_the_fuzzer_reports_undocumented_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(scheduler: ScheduleLR, state: Any) -> None:
        raise KeyError("last_epoch")

    monkeypatch.setattr(ScheduleLR, "load_state_dict", fail)
    assert set(faults(5)) == {"load_state_dict: KeyError: KeyError: 'last_epoch'"}
