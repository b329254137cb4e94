"""`to_lr_lambda`: the function that torch's own `LambdaLR` takes."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from torch.optim.lr_scheduler import LambdaLR

import funcsched as fs
from bridges.torch import to_lr_lambda
from tests import oracle
from tests.bridges.torch.runs import CASES, UPDATES, sgd
from tests.errors import exactly


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("step", range(UPDATES))
def test_it_returns_the_multiplier_at_the_step(name: str, step: int) -> None:
    schedule, exact = CASES[name]
    assert oracle.ulps(to_lr_lambda(schedule)(step), exact(step), 53) <= 4


@pytest.mark.parametrize("name", CASES)
def test_it_returns_a_python_float(name: str) -> None:
    assert type(to_lr_lambda(CASES[name][0])(3)) is float


@pytest.mark.parametrize("name", CASES)
def test_it_can_be_pickled(name: str) -> None:
    schedule, exact = CASES[name]
    copy = pickle.loads(pickle.dumps(to_lr_lambda(schedule)))
    assert max(oracle.ulps(copy(step), exact(step), 53) for step in range(UPDATES)) <= 4


@pytest.mark.parametrize("name", CASES)
def test_it_has_no_attributes_that_lambdalr_would_save(name: str) -> None:
    assert vars(to_lr_lambda(CASES[name][0])) == {}


@pytest.mark.parametrize("step", [0, 9, 10, 20])
def test_a_plain_function_is_accepted(step: int) -> None:
    assert to_lr_lambda(lambda step: 0.5 ** (step // 10))(step) == 0.5 ** (step // 10)


@pytest.mark.parametrize(
    ("value", "fix"),
    [(3, ""), (None, ""), ("warmup", "; use fs.parse(...)"), ([fs.constant()], "")],
    ids=["3", "None", "'warmup'", "[constant()]"],
)
def test_a_schedule_that_is_not_callable_is_rejected(value: Any, fix: str) -> None:
    message = f"to_lr_lambda: `schedule` must be a schedule or a function of a step, got {value!r}{fix}"
    with pytest.raises(TypeError, match=exactly(message)):
        to_lr_lambda(value)


class Naive:
    """A schedule as the documentation of LambdaLR suggests: a callable object with its parameters in its __dict__."""

    def __init__(self, total: int) -> None:
        self.total = total

    def __call__(self, step: int) -> float:
        return max(0.0, 1 - step / self.total)


def after_loading_the_state_of(old: Callable, new: Callable) -> LambdaLR:
    """A LambdaLR of `new`, after loading the state of a LambdaLR of `old`."""
    scheduler = LambdaLR(sgd(), new)
    scheduler.load_state_dict(LambdaLR(sgd(), old).state_dict())
    return scheduler


# Control: the tests below detect parameters that a state overwrites.
def test_a_naive_object_is_overwritten_by_the_state_of_another() -> None:
    assert after_loading_the_state_of(Naive(10), Naive(1000)).lr_lambdas[0].total == 10


@pytest.mark.parametrize("step", [0, 1, 5, 10, 100, 999, 1000])
def test_a_schedule_is_not_overwritten_by_the_state_of_another(step: int) -> None:
    old, new = to_lr_lambda(fs.warmup_linear(0, 10)), to_lr_lambda(fs.warmup_linear(0, 1000))
    assert after_loading_the_state_of(old, new).lr_lambdas[0](step) == (1000 - step) / 1000


@pytest.mark.parametrize("step", [0, 1, 5, 10, 100, 999, 1000])
def test_a_schedule_is_not_overwritten_by_the_state_of_a_naive_object(step: int) -> None:
    new = to_lr_lambda(fs.warmup_linear(0, 1000))
    assert after_loading_the_state_of(Naive(10), new).lr_lambdas[0](step) == (1000 - step) / 1000


def test_the_schedule_itself_does_not_change_with_a_loaded_state() -> None:
    schedule = fs.warmup_linear(0, 1000)
    before = hash(schedule), repr(schedule)
    after_loading_the_state_of(to_lr_lambda(fs.warmup_linear(0, 10)), to_lr_lambda(schedule))
    assert (hash(schedule), repr(schedule)) == before
