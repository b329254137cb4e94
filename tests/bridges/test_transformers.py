"""`bridges.transformers` compared with the schedulers of transformers, at every step.

EPS is 2**-52, twice the largest error of one rounding. If transformers subtracts from 1 or adds a cosine to it, its
error is relative to the highest multiplier. The tolerances, in units of EPS, are:

- linear curves: 2 of the value. There is one quotient on each side.
- inverse square root: 5 of the value. transformers has three operations, and ours two.
- cosines: 2 pi cycles for the angle, and 6 for the other operations and for our 4 ulp. The angle is at most 2 pi cycles
  and has four roundings; the cosine halves their error. In the restarts, the angle has a smaller error: it is pi times
  the remainder of a product of at most `cycles` with two roundings.
- polynomial: an error of 1 in the base, times the derivative of the power, and 6 of the value.
- warmup_stable_decay: like the cosine, and sqrt(W) / 2 for a "1-sqrt" warmup of W steps. It takes the square root of
  1 - progress, which is at least 1 / W and has an error of 1 / 2.
"""

import math
import re
import subprocess
import sys
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import transformers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import funcsched as fs
from bridges.torch import lambda_lr
from bridges.transformers import from_scheduler_type

EPS = 2.0**-52
METRIC_TYPES = {"reduce_lr_on_plateau", "greedy"}
TYPES = [kind.value for kind in transformers.SchedulerType if kind.value not in METRIC_TYPES]
# The types whose cosine continues after the end in transformers, and by how many steps their decay is ahead.
CONTINUING = {"cosine": 0, "cosine_with_min_lr": 0, "cosine_warmup_with_min_lr": 1}
AFTER_END = 5  # number of steps after the end at which the other types are compared


class Case(NamedTuple):
    """The arguments of `get_scheduler`, and the learning rate of the optimizer."""

    name: str
    warmup: float | None
    total: float | None
    base: float
    keywords: dict[str, Any]

    def ours(self, *, base: float | None = None, name: Any = None) -> fs.Schedule:
        return from_scheduler_type(
            name or self.name,
            num_warmup_steps=self.warmup,
            num_training_steps=self.total,
            base_lr=base or self.base,
            **self.keywords,
        )

    def scheduler(self, optimizer: torch.optim.Optimizer) -> Any:
        return transformers.get_scheduler(self.name, optimizer, self.warmup, self.total, dict(self.keywords))

    def theirs(self) -> Any:
        return self.scheduler(sgd(self.base)).lr_lambdas[0]

    def decay(self) -> float:
        return max(1, self.total - self.warmup)

    def last(self) -> int:
        """The last step at which ours and transformers' are compared."""
        if self.name in CONTINUING:
            return math.floor(self.warmup + self.decay()) - CONTINUING[self.name]
        if self.total is not None:
            return math.ceil(max(self.total, self.warmup or 0)) + AFTER_END
        stable, decay = (self.keywords.get(f"num_{phase}_steps", 0) for phase in ("stable", "decay"))
        return math.ceil((self.warmup or 0) + stable + decay) + AFTER_END

    def min_multiplier(self) -> float:
        if "min_lr" in self.keywords:
            return self.keywords["min_lr"] / self.base
        return self.keywords.get("min_lr_rate", self.keywords.get("min_lr_ratio", 0.0))

    def tolerance(self, steps: np.ndarray, values: np.ndarray) -> np.ndarray:
        if self.name in ("constant", "constant_with_warmup", "linear"):
            return 2 * EPS * values
        if self.name == "inverse_sqrt":
            return 5 * EPS * values
        cycles = self.keywords.get("num_cycles", 1 if self.name == "cosine_with_restarts" else 0.5)
        if self.name == "polynomial":
            power = self.keywords.get("power", 1.0)
            base = np.clip((self.total - steps) / self.decay(), 1.0 / self.decay(), 1.0)
            return EPS * (np.where(steps > self.warmup, power * base ** (power - 1.0), 0.0) + 6 * values)
        highest = max(1.0, self.min_multiplier(), self.keywords.get("warmup_lr_rate") or 0.0)
        decay = (2 * math.pi * cycles + 6) * EPS * highest
        if self.name == "warmup_stable_decay":
            return np.full(values.shape, decay + math.sqrt(self.warmup) / 2 * EPS * highest)
        return np.where(steps < self.warmup, 5 * EPS * values, decay)

    def misses_restart(self, step: int) -> bool:
        """Whether a restart is at this step, and the float remainder of transformers rounds to just below 1."""
        if self.name != "cosine_with_restarts" or not self.warmup < step < self.total:
            return False
        cycles = self.keywords.get("num_cycles", 1)
        cycle = Fraction(cycles) * Fraction(step - self.warmup) / Fraction(self.decay())
        return (
            cycle.denominator == 1 and (float(cycles) * (float(step - self.warmup) / float(self.decay()))) % 1.0 > 0.5
        )


def sgd(*rates: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=rates[0])


def assert_close(case: Case, steps: Any = None) -> None:
    steps = range(case.last() + 1) if steps is None else steps
    steps = np.array([step for step in steps if not case.misses_restart(step)])
    ours, theirs = case.ours(), case.theirs()
    actual = np.array([ours(int(step)) for step in steps])
    peer = np.array([float(theirs(int(step))) for step in steps])
    wrong = np.flatnonzero(~(np.abs(actual - peer) <= case.tolerance(steps, peer)))
    assert wrong.size == 0, [(int(steps[i]), actual[i], peer[i]) for i in wrong[:5]]


def error_message(*args: Any, **kwargs: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as error:
        from_scheduler_type(*args, **kwargs)
    return str(error.value)


RATIOS = st.one_of(st.sampled_from([0.0, 0.1, 1.0]), st.floats(1e-6, 2.0))
NUM_CYCLES = st.one_of(st.sampled_from([0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 7]), st.floats(0.01, 8.0))
CURVES = st.sampled_from(["linear", "cosine", "1-sqrt"])
OPTIONAL = {
    "cosine": {"num_cycles": NUM_CYCLES},
    "cosine_with_restarts": {"num_cycles": st.one_of(st.integers(0, 60), st.sampled_from([0.5, 1.5, 2.25]))},
    "polynomial": {"power": st.one_of(st.sampled_from([0.5, 1, 2, 3.0]), st.floats(0.05, 6.0))},
    "inverse_sqrt": {"timescale": st.one_of(st.none(), st.integers(1, 20_000))},
    "cosine_with_min_lr": {"num_cycles": NUM_CYCLES},
    "cosine_warmup_with_min_lr": {"num_cycles": NUM_CYCLES, "warmup_lr_rate": st.one_of(st.none(), RATIOS)},
    "warmup_stable_decay": {
        "warmup_type": CURVES,
        "decay_type": CURVES,
        "min_lr_ratio": RATIOS,
        "num_cycles": NUM_CYCLES,
    },
}


@st.composite
def cases(draw: st.DrawFn, name: str, max_total: int = 60) -> Case:
    """Valid arguments of a type, some of them omitted. The warmup may be longer than the run, and steps fractional."""
    unit = draw(st.sampled_from([1, 1, 8]))

    def steps(high: float, low: int = 0) -> float:
        number = draw(st.integers(low * unit, int(high * unit)))
        return number / unit if unit > 1 else number

    total = steps(max_total)
    warmup = draw(st.one_of(st.just(0), st.integers(0, 2 * max_total))) if name == "cosine_warmup_with_min_lr" else None
    if warmup is None:
        warmup = steps(total) if draw(st.integers(0, 4)) else steps(2 * max_total)
    assume(name != "linear" or not 0 < total - warmup < 1)
    assume(name != "polynomial" or warmup != total)
    base = draw(st.sampled_from([1.0, 3e-4, 0.1]) | st.floats(1e-5, 10.0))
    keywords = draw(st.fixed_dictionaries({}, optional=OPTIONAL.get(name, {})))
    if name == "polynomial" and draw(st.booleans()):
        keywords["lr_end"] = base * draw(st.floats(0.0, 0.99))
    if name.endswith("min_lr"):
        ratio = draw(RATIOS)
        keywords |= {"min_lr_rate": ratio} if draw(st.booleans()) else {"min_lr": ratio * base}
    if name == "warmup_stable_decay":
        keywords["num_decay_steps"] = draw(
            st.sampled_from([0, steps(max(1, total - warmup), 1), steps(max_total + 1, 1)])
        )
        if draw(st.booleans()):
            keywords["num_stable_steps"], total = steps(max_total), None
    return Case(name, warmup, total, base, keywords)


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=150)
@given(data=st.data())
def test_every_step_matches_transformers(name: str, data: st.DataObject) -> None:
    assert_close(data.draw(cases(name)))


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=20)
@given(data=st.data())
def test_steps_of_long_runs_match_transformers(name: str, data: st.DataObject) -> None:
    case = data.draw(cases(name, 10**7))
    last = case.last()
    bounds = {0, last, last - AFTER_END, case.warmup, *(last * i // 40 for i in range(40))}
    if name == "warmup_stable_decay":
        bounds.add(last - AFTER_END - case.keywords["num_decay_steps"])
    assert_close(
        case, sorted({min(max(int(bound) + offset, 0), last) for bound in bounds for offset in (-2, -1, 0, 1, 2)})
    )


REQUIRED = {
    "cosine_with_min_lr": {"min_lr": 0.05},
    "cosine_warmup_with_min_lr": {"min_lr": 0.05},
    "warmup_stable_decay": {"num_decay_steps": 12},
}


def minimal(name: str, warmup: int = 7, total: int = 30) -> Case:
    """Only the required arguments of a type."""
    return Case(name, warmup, total, 0.5, REQUIRED.get(name, {}))


@pytest.mark.parametrize("warmup", [0, 1, 2, 7, 18])
@pytest.mark.parametrize("name", TYPES)
def test_defaults_match_transformers(name: str, warmup: int) -> None:
    assert_close(minimal(name, warmup))


@pytest.mark.parametrize("name", [name for name in TYPES if name not in ("polynomial", "warmup_stable_decay")])
@pytest.mark.parametrize("length", [0, 1, 2, 30])
def test_warmup_over_the_whole_run_matches_transformers(name: str, length: int) -> None:
    assert_close(minimal(name, length, length))


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.5])
@pytest.mark.parametrize("warmup", [0, 1, 2, 3, 7])
def test_warmup_lr_rate_matches_transformers(warmup: int, rate: float) -> None:
    assert_close(Case("cosine_warmup_with_min_lr", warmup, 12, 1.0, {"min_lr_rate": 0.1, "warmup_lr_rate": rate}))


@pytest.mark.parametrize(
    "keywords",
    [
        {"num_decay_steps": 0, "min_lr_ratio": 0.25},
        {"num_decay_steps": 0, "min_lr_ratio": 0.25, "num_cycles": 1.5},
        {"num_decay_steps": 0, "min_lr_ratio": 0.25, "num_stable_steps": 0},
        {"num_decay_steps": 6, "min_lr_ratio": 0.25, "num_stable_steps": 0},
        {"num_decay_steps": 6, "min_lr_ratio": 0.25, "num_stable_steps": 0, "num_cycles": 1.5},
        {"num_decay_steps": 1, "min_lr_ratio": 0.25, "num_stable_steps": 1, "num_cycles": 1.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("warmup", [0, 1, 7])
def test_empty_phases_match_transformers(warmup: int, keywords: dict[str, Any]) -> None:
    assert_close(Case("warmup_stable_decay", warmup, None if "num_stable_steps" in keywords else 20, 1.0, keywords))


@pytest.mark.parametrize("name", TYPES)
def test_rates_match_a_stepped_scheduler_of_transformers(name: str) -> None:
    case = minimal(name)
    optimizer = sgd(case.base)
    scheduler, ours, used = case.scheduler(optimizer), case.ours(), []
    for _ in range(case.total):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    steps = np.arange(case.total)
    actual = np.array([case.base * ours(int(step)) for step in steps])  # the product with 0.5 is exact
    assert np.all(np.abs(actual - used) <= case.tolerance(steps, np.array(used)))


@pytest.mark.parametrize("name", TYPES)
def test_an_enum_member_is_accepted_as_name(name: str) -> None:
    case = minimal(name)
    assert case.ours(name=transformers.SchedulerType(name)) == case.ours()


def test_schedules_are_recipes_if_one_exists() -> None:
    assert minimal("cosine", 10, 100).ours() == fs.warmup_cosine(10, 100)
    assert minimal("inverse_sqrt", 0).ours() == fs.warmup_inverse_sqrt(0, timescale=10_000)
    wsd = Case("warmup_stable_decay", 10, 100, 1.0, {"num_decay_steps": 20, "decay_type": "1-sqrt"}).ours()
    assert wsd == fs.warmup_stable_decay(10, 70, 20, decay_shape=fs.sqrt)
    assert minimal("warmup_stable_decay").ours() == fs.warmup_stable_decay(7, 11, 12, decay_shape=fs.cosine)


def test_num_stable_steps_takes_precedence_over_num_training_steps() -> None:
    case = Case("warmup_stable_decay", 5, 100, 1.0, {"num_decay_steps": 10, "num_stable_steps": 20})
    with pytest.warns(UserWarning, match="num_stable_steps will be used"):
        theirs = case.theirs()
    ours = case.ours()
    assert max(abs(ours(step) - theirs(step)) for step in range(110)) <= (math.pi + 6) * EPS
    assert [round(ours(step), 12) for step in (24, 25, 30, 35, 36)] == [1.0, 1.0, 0.5, 0.0, 0.0]


LIBRARIES = {
    "jax": lambda schedule, steps: jax.jit(schedule)(jnp.asarray(steps)),
    "torch": lambda schedule, steps: schedule(torch.asarray(steps)),
}
# Every composition that the bridge makes, including those that depend on a keyword.
COMPOSITIONS = [
    *map(minimal, TYPES),
    Case("cosine_warmup_with_min_lr", 7, 30, 1.0, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2, "num_cycles": 1.3}),
    Case("warmup_stable_decay", 7, 30, 1.0, {"num_decay_steps": 12, "num_cycles": 1.3, "min_lr_ratio": 0.1}),
    Case("warmup_stable_decay", 7, 30, 1.0, {"num_decay_steps": 12, "warmup_type": "1-sqrt", "decay_type": "1-sqrt"}),
]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("case", COMPOSITIONS, ids=lambda case: f"{case.name}-{len(case.keywords)}")
def test_arrays_of_steps_match_transformers(case: Case, library: str) -> None:
    steps = np.arange(case.last() + 1, dtype=np.int32)
    actual = np.asarray(LIBRARIES[library](case.ours(), steps), dtype=np.float64)
    theirs = case.theirs()
    peer = np.array([float(theirs(int(step))) for step in steps])
    # Ours are float32 with an error of at most 4 ulp.
    assert np.all(np.abs(actual - peer) <= 4 * 2.0**-23 * peer + case.tolerance(steps, peer))


# Documented differences


@pytest.mark.parametrize(
    ("name", "keywords", "end"),
    [
        ("cosine", {}, 30),
        ("cosine_with_min_lr", {"min_lr_rate": 0.1}, 30),
        ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}, 29),
    ],
)
def test_after_the_end_transformers_rises_and_ours_holds(name: str, keywords: dict[str, float], end: int) -> None:
    case, low = Case(name, 7, 30, 1.0, keywords), keywords.get("min_lr_rate", 0.0)
    ours, theirs = case.ours(), case.theirs()
    assert case.last() == end
    for k in range(24):
        rise = (1.0 - low) * math.sin(math.pi / 2 * k / 23) ** 2
        assert ours(end + k) == low
        assert abs(theirs(end + k) - low - rise) <= 20 * EPS
    assert theirs(end + 1) > low + 0.004
    assert theirs(end + 23) == 1.0


def test_after_a_warmup_over_the_whole_run_transformers_rises_after_two_steps() -> None:
    case = Case("cosine", 10, 10, 1.0, {})
    ours, theirs = case.ours(), case.theirs()
    assert [ours(step) for step in range(10, 15)] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert [theirs(step) for step in range(10, 15)] == [1.0, 0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("name", "keyword"),
    [("polynomial", "lr_end"), ("cosine_with_min_lr", "min_lr"), ("cosine_warmup_with_min_lr", "min_lr")],
)
def test_every_parameter_group_ends_at_the_given_rate_unlike_in_transformers(name: str, keyword: str) -> None:
    bases = 1e-3, 1e-2
    case = Case(name, 4, 20, bases[0], {keyword: 1e-4})
    theirs, ours = sgd(*bases), sgd(*bases)
    schedules = [case.ours(base=base) for base in bases]
    schedulers = case.scheduler(theirs), lambda_lr(ours, schedules)
    for _ in range(case.last()):
        for optimizer, scheduler in zip((theirs, ours), schedulers, strict=True):
            optimizer.step()
            scheduler.step()
    assert [group["lr"] for group in theirs.param_groups] == pytest.approx([1e-4, 1e-3], rel=20 * EPS)
    assert [group["lr"] for group in ours.param_groups] == pytest.approx([1e-4, 1e-4], rel=2 * EPS)


def test_from_22_cycles_on_transformers_misses_a_restart() -> None:
    case = Case("cosine_with_restarts", 0, 220, 1.0, {"num_cycles": 22})
    ours, theirs = case.ours(), case.theirs()
    assert [step for step in range(221) if case.misses_restart(step)] == [150]
    assert theirs(150) < 1e-15
    assert ours(150) == 1.0
    fewer = (Case("cosine_with_restarts", 0, 10 * n, 1.0, {"num_cycles": n}) for n in range(1, 22))
    assert not any(case.misses_restart(step) for case in fewer for step in range(case.total))


@pytest.mark.parametrize("name", [name for name in TYPES if name != "constant"])
def test_below_step_0_ours_holds_and_transformers_extrapolates(name: str) -> None:
    case = minimal(name)
    if name == "warmup_stable_decay":  # transformers clips it at 0, so it must start above 0
        case = case._replace(keywords={"num_decay_steps": 12, "min_lr_ratio": 0.5})
    ours, theirs = case.ours(), case.theirs()
    assert ours(-3) == ours(0) == theirs(0)
    assert theirs(-3) < theirs(0)


COMMON_KEYWORDS = "`num_warmup_steps`, `num_training_steps`, `base_lr`"


@pytest.mark.parametrize("name", ["constant", "constant_with_warmup"])
def test_keywords_that_transformers_ignores_are_errors(name: str) -> None:
    assert Case(name, 5, 9, 1.0, {"num_cycles": 3}).theirs()(7) == 1.0
    message = error_message(name, num_warmup_steps=5, num_cycles=3)
    assert message == f"from_scheduler_type: no argument `num_cycles` (got 3); it takes {COMMON_KEYWORDS}"


def test_last_epoch_is_an_error() -> None:
    message = error_message("cosine", num_warmup_steps=5, num_training_steps=9, last_epoch=3)
    assert message == f"from_scheduler_type: no argument `last_epoch` (got 3); it takes {COMMON_KEYWORDS}, `num_cycles`"


def test_a_warmup_that_ends_after_the_start_of_the_decay_takes_precedence_as_in_transformers() -> None:
    linear = Case("linear", 20, 10, 1.0, {})
    wsd = Case("warmup_stable_decay", 4, 10, 1.0, {"num_decay_steps": 9, "decay_type": "linear"})
    for case, step, expected in ((linear, 19, 0.95), (linear, 20, 0.0), (wsd, 3, 0.75), (wsd, 4, 6 / 9)):
        assert case.theirs()(step) == pytest.approx(expected, rel=2 * EPS)
        assert case.ours()(step) == pytest.approx(expected, rel=2 * EPS)


def test_where_transformers_divides_by_zero_is_an_error() -> None:
    polynomial = Case("polynomial", 10, 10, 1.0, {})
    assert polynomial.theirs()(9) == 0.9
    with pytest.raises(ZeroDivisionError):
        polynomial.theirs()(10)
    assert error_message("polynomial", num_warmup_steps=10, num_training_steps=10, base_lr=1.0) == (
        "from_scheduler_type: `num_warmup_steps` must be other than `num_training_steps` for 'polynomial', got 10"
    )


@pytest.mark.parametrize("total", [0.06 * 1234, 100 / 3])
def test_steps_that_are_rounded_fractions_match_transformers(total: float) -> None:
    for name in ("linear", "cosine"):
        case = Case(name, 0.1 * total, total, 1.0, {})
        ours, theirs = case.ours(), case.theirs()
        # The lengths have a relative error of EPS / 2 each, which moves the curve by that fraction of its slope.
        assert max(abs(ours(step) - theirs(step)) for step in range(int(total) + 1)) <= 8 * EPS


@pytest.mark.parametrize(
    ("case", "argument", "requirement"),
    [
        (Case("cosine", 2**0.5, 9, 1.0, {}), "num_warmup_steps", "an integer or a fraction with a denominator of"),
        (Case("linear", 8.5, 9, 1.0, {}), "num_training_steps", "at least 1 above `num_warmup_steps`, or at most"),
        (Case("cosine_warmup_with_min_lr", 2.5, 9, 1.0, {"min_lr_rate": 0.1}), "num_warmup_steps", "an integer for"),
        (Case("warmup_stable_decay", 1, 9, 1.0, {"num_decay_steps": 0.5}), "num_decay_steps", "0 or at least 1"),
    ],
)
def test_fractional_steps_that_are_errors(case: Case, argument: str, requirement: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"from_scheduler_type: `{argument}` must be {requirement}")):
        case.ours()


# Invalid arguments


@pytest.mark.parametrize("name", sorted(METRIC_TYPES))
def test_types_that_depend_on_a_metric_are_errors(name: str) -> None:
    requirement = "a schedule that depends only on the step, not on a metric"
    for str_or_member in (name, transformers.SchedulerType(name)):
        message = error_message(str_or_member, num_warmup_steps=1, num_training_steps=9)
        assert message.startswith(
            f"from_scheduler_type: `name` must be {requirement}, got {name!r}; use `bridges.torch."
        )


@pytest.mark.parametrize("name", ["LINEAR", "cosine_annealing", "", 3, None])
def test_an_unknown_type_lists_all_types(name: Any) -> None:
    names = ", ".join(map(repr, sorted(TYPES)))
    assert error_message(name) == f"from_scheduler_type: `name` must be one of {names}, got {name!r}"


# An argument is required if transformers raises without it.
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("omitted", ["num_warmup_steps", "num_training_steps"])
def test_required_arguments_match_transformers(name: str, omitted: str) -> None:
    complete = minimal(name)
    case = complete._replace(**{{"num_warmup_steps": "warmup", "num_training_steps": "total"}[omitted]: None})
    try:
        case.theirs()
    except ValueError:
        unless = " unless `num_stable_steps` is" if name == "warmup_stable_decay" and not case.total else ""
        with pytest.raises(ValueError, match=re.escape(f"`{omitted}` must be given for {name!r}{unless}, got None")):
            case.ours()
    else:
        assert case.ours() == complete.ours()


@pytest.mark.parametrize("name", TYPES)
def test_base_lr_is_required_only_if_an_argument_is_a_rate(name: str) -> None:
    rates = {"polynomial": "lr_end", "cosine_with_min_lr": "min_lr", "cosine_warmup_with_min_lr": "min_lr"}
    arguments = {"num_warmup_steps": 7, "num_training_steps": 30, **REQUIRED.get(name, {})}
    if name in rates:
        assert error_message(name, **arguments) == (
            f"from_scheduler_type: `base_lr` must be given to convert `{rates[name]}` to a multiplier, got None"
        )
    else:
        assert from_scheduler_type(name, **arguments) == from_scheduler_type(name, base_lr=0.1, **arguments)


@pytest.mark.parametrize("name", ["cosine_with_min_lr", "cosine_warmup_with_min_lr"])
def test_min_lr_rate_needs_no_base_lr(name: str) -> None:
    arguments = {"num_warmup_steps": 7, "num_training_steps": 30}
    schedule = from_scheduler_type(name, min_lr_rate=0.25, **arguments)
    assert schedule == from_scheduler_type(name, min_lr=0.5, base_lr=2.0, **arguments)


@pytest.mark.parametrize("name", TYPES)
def test_an_unknown_keyword_lists_the_keywords_of_the_type(name: str) -> None:
    keywords = {
        "cosine": ["num_cycles"],
        "cosine_with_restarts": ["num_cycles"],
        "polynomial": ["lr_end", "power"],
        "inverse_sqrt": ["timescale"],
        "cosine_with_min_lr": ["num_cycles", "min_lr", "min_lr_rate"],
        "cosine_warmup_with_min_lr": ["num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate"],
        "warmup_stable_decay": [
            "num_decay_steps",
            "num_stable_steps",
            "warmup_type",
            "decay_type",
            "min_lr_ratio",
            "num_cycles",
        ],
    }.get(name, [])
    names = ", ".join([COMMON_KEYWORDS, *(f"`{keyword}`" for keyword in keywords)])
    with pytest.raises(TypeError) as error:
        from_scheduler_type(name, num_warmup_steps=1, num_training_steps=9, base_lr=1.0, end=0.1)
    hint = "; did you mean 'lr_end'?" if name == "polynomial" else ""
    assert str(error.value) == f"from_scheduler_type: no argument `end` (got 0.1); it takes {names}{hint}"


LENGTHS = {"num_warmup_steps": 2, "num_training_steps": 9, "base_lr": 0.5}
STEPS = "a number from 0 to 2**53"
CYCLES = "0 or a number from 1e-6 to 1000000"
NONNEGATIVE = "a number from 0 to 1.7e38"
POSITIVE = "a finite number above 0"
CURVE = "one of '1-sqrt', 'cosine', 'linear'"
ERRORS: list[tuple[str, dict[str, Any], str, str]] = [
    ("linear", {"num_warmup_steps": -1}, "num_warmup_steps", STEPS),
    ("linear", {"num_warmup_steps": True}, "num_warmup_steps", STEPS),
    ("linear", {"num_training_steps": "many"}, "num_training_steps", STEPS),
    ("constant", {"num_training_steps": -1}, "num_training_steps", STEPS),
    ("linear", {"base_lr": 0.0}, "base_lr", POSITIVE),
    ("cosine", {"num_cycles": -1}, "num_cycles", CYCLES),
    ("cosine", {"num_cycles": None}, "num_cycles", CYCLES),
    ("cosine_with_restarts", {"num_cycles": -1}, "num_cycles", CYCLES),
    ("cosine_with_restarts", {"num_cycles": 2**0.5}, "num_cycles", "a fraction with a denominator of at most 4096"),
    ("polynomial", {"power": 0}, "power", POSITIVE),
    ("polynomial", {"lr_end": -1e-7}, "lr_end", NONNEGATIVE),
    ("polynomial", {"lr_end": 0.5}, "lr_end", "below the learning rate (0.5)"),
    ("inverse_sqrt", {"timescale": 0}, "timescale", "above 0"),
    ("cosine_with_min_lr", {}, "min_lr_rate", "given for 'cosine_with_min_lr' unless `min_lr` is"),
    ("cosine_with_min_lr", {"min_lr": -0.1}, "min_lr", NONNEGATIVE),
    ("cosine_with_min_lr", {"min_lr_rate": -0.1}, "min_lr_rate", NONNEGATIVE),
    ("cosine_with_min_lr", {"min_lr": 0.1, "min_lr_rate": 0.2}, "min_lr_rate", "None if `min_lr` is given (0.1)"),
    ("cosine_with_min_lr", {"min_lr_rate": 0.2, "num_cycles": -1}, "num_cycles", CYCLES),
    ("cosine_warmup_with_min_lr", {}, "min_lr_rate", "given for 'cosine_warmup_with_min_lr' unless `min_lr` is"),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "num_cycles": -1}, "num_cycles", CYCLES),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "warmup_lr_rate": -0.1}, "warmup_lr_rate", NONNEGATIVE),
    ("warmup_stable_decay", {}, "num_decay_steps", "given for 'warmup_stable_decay'"),
    ("warmup_stable_decay", {"num_decay_steps": -1}, "num_decay_steps", STEPS),
    ("warmup_stable_decay", {"num_decay_steps": 3, "num_stable_steps": -1}, "num_stable_steps", STEPS),
    ("warmup_stable_decay", {"num_decay_steps": 3, "warmup_type": "sqrt"}, "warmup_type", CURVE),
    ("warmup_stable_decay", {"num_decay_steps": 3, "decay_type": "exp"}, "decay_type", CURVE),
    ("warmup_stable_decay", {"num_decay_steps": 3, "min_lr_ratio": -0.1}, "min_lr_ratio", NONNEGATIVE),
    ("warmup_stable_decay", {"num_decay_steps": 3, "num_cycles": -1}, "num_cycles", CYCLES),
]


@pytest.mark.parametrize(("name", "arguments", "argument", "requirement"), ERRORS, ids=str)
def test_invalid_arguments(name: str, arguments: dict[str, Any], argument: str, requirement: str) -> None:
    message = f"from_scheduler_type: `{argument}` must be {requirement}, got {arguments.get(argument)!r}"
    assert error_message(name, **{**LENGTHS, **arguments}) == message


def test_importing_the_bridge_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, bridges.transformers as b;"
        "b.from_scheduler_type('cosine', num_warmup_steps=1, num_training_steps=9)(5);"
        "print('bridges.transformers' in sys.modules, {'torch', 'transformers', 'jax', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True set()"
