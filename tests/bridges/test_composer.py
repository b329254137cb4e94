"""`bridges.composer` compared with Composer itself, at every batch."""

import inspect
import re
import warnings
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import bridges.composer as ours
import funcsched as fs
from tests import peers
from tests.errors import exactly, raises

schedulers, time = peers.composer()

# Composer's longest formula is alpha_f + (1 - alpha_f) * (1 + cos(x * pi)) / 2 with x a quotient of two differences: 8
# operations with an error of half an ulp each. Our error is 4 ulp. Both are relative to the highest multiplier, from
# which Composer subtracts. If samples or tokens are not a multiple of the batch, our step is rounded too. That error is
# multiplied by the slope, which a power makes steeper.
TOLERANCE = (8 + 8) * 2.0**-53
CLASSES = {
    name: getattr(schedulers, "".join(part.capitalize() for part in name.split("_")))
    for name in (
        "step_scheduler",
        "multi_step_scheduler",
        "constant_scheduler",
        "linear_scheduler",
        "exponential_scheduler",
        "cosine_annealing_scheduler",
        "cosine_annealing_warm_restarts_scheduler",
        "polynomial_scheduler",
        "multi_step_with_warmup_scheduler",
        "constant_with_warmup_scheduler",
        "linear_with_warmup_scheduler",
        "cosine_annealing_with_warmup_scheduler",
        "polynomial_with_warmup_scheduler",
    )
}
REQUIRED: dict[str, dict[str, Any]] = {
    "step_scheduler": {"step_size": "7ba"},
    "multi_step_scheduler": {"milestones": ["7ba", "30ba"]},
    "exponential_scheduler": {"gamma": 0.9},
    "cosine_annealing_warm_restarts_scheduler": {"t_0": "7ba"},
    "polynomial_scheduler": {"power": 1.5},
    "multi_step_with_warmup_scheduler": {"t_warmup": "5ba", "milestones": ["7ba", "30ba"]},
    "constant_with_warmup_scheduler": {"t_warmup": "5ba"},
    "linear_with_warmup_scheduler": {"t_warmup": "5ba"},
    "cosine_annealing_with_warmup_scheduler": {"t_warmup": "5ba"},
    "polynomial_with_warmup_scheduler": {"t_warmup": "5ba"},
}


def state(batch: int, training: dict[str, Any]) -> Any:
    """The part of the trainer's state that Composer's schedulers read, before the update of a batch."""
    ratio = training.get("scale_schedule_ratio", 1.0)
    samples, tokens = (training.get(f"{unit}_per_batch", 0) * batch for unit in ("samples", "tokens"))
    length = training.get("batches_per_epoch")
    epoch = batch // length if length else 0
    return SimpleNamespace(
        timestamp=time.Timestamp(epoch=epoch, batch=batch, sample=samples, token=tokens),
        max_duration=time.Time.from_timestring(training.get("max_duration", "100ba")) * ratio,
        dataloader_len=None if length is None else time.Time(length, "ba"),
    )


def pair(name: str, batches: int, training: dict[str, Any], **arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    """Our multipliers and Composer's for the first `batches` batches."""
    scheduler, ratio = CLASSES[name](**arguments), training.get("scale_schedule_ratio", 1.0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The warmup duration is 0")
        peer = [scheduler(state(batch, training), ratio) for batch in range(batches)]
    schedule = getattr(ours, name)(**arguments, **training)
    return np.array([schedule(batch) for batch in range(batches)]), np.array(peer)


def assert_close(actual: np.ndarray, peer: np.ndarray, tolerance: Any = TOLERANCE) -> None:
    wrong = np.flatnonzero(~(np.abs(actual - peer) <= tolerance * max(1.0, peer.max())))
    assert wrong.size == 0, [(step, actual[step], peer[step]) for step in wrong[:5]]


BATCHES = 90  # beyond the end of most training runs below
ratios = st.sampled_from([1.0, 1.0, 0.5, 2.0, 0.73])
levels = st.one_of(st.just(0.0), st.floats(1e-3, 2.0))
factors = st.floats(0.05, 1.0)
fractions = st.floats(0.0, 1.2)


@st.composite
def trainings(draw: st.DrawFn, units: tuple[str, ...] = ("ep", "ba", "sp", "tok")) -> tuple[dict[str, Any], str, int]:
    """Training arguments, and the unit and length of the run, which is long enough to be scaled by 0.5."""
    unit = draw(st.sampled_from(units))
    training: dict[str, Any] = {"scale_schedule_ratio": draw(ratios), "batches_per_epoch": draw(st.integers(1, 20))}
    training |= {
        "samples_per_batch": draw(st.integers(1, 64)),
        "tokens_per_batch": draw(st.sampled_from([7, 64, 2048])),
    }
    batches = draw(st.integers(4, 80))
    per_batch = {"ba": 1, "sp": training["samples_per_batch"], "tok": training["tokens_per_batch"]}
    length = (
        max(batches // training["batches_per_epoch"], 2)
        if unit == "ep"
        else batches * per_batch[unit] + draw(st.integers(0, 5))
    )
    return training | {"max_duration": f"{length}{unit}"}, unit, length


@st.composite
def times(draw: st.DrawFn, unit: str, length: int, least: int = 0) -> str:
    """A time within the training run, in its unit or as a fraction of it."""
    if draw(st.booleans()) and not least:
        return f"{draw(fractions)}dur"
    return f"{draw(st.integers(least, max(length, least)))}{unit}"


@settings(max_examples=40)
@given(trainings(), st.data())
def test_schedulers_without_warmup(example: tuple[dict[str, Any], str, int], data: st.DataObject) -> None:
    training, unit, length = example
    t_max = data.draw(st.one_of(st.just("1dur"), times(unit, length, 4)))
    arguments: dict[str, Any] = {"t_max": t_max, "alpha_f": data.draw(levels)}
    alpha_i, power = data.draw(levels), data.draw(st.floats(1.0, 3.0))
    assert_close(*pair("cosine_annealing_scheduler", BATCHES, training, **arguments))
    assert_close(*pair("linear_scheduler", BATCHES, training, alpha_i=alpha_i, **arguments))
    assert_close(*pair("polynomial_scheduler", BATCHES, training, power=power, **arguments), 2 * TOLERANCE)
    level, end = data.draw(levels), data.draw(times(unit, length))
    assert_close(*pair("constant_scheduler", BATCHES, training, alpha=level, t_max=end), 0.0)


@settings(max_examples=30)
@given(st.floats(0.2, 1.0), st.integers(1, 60), ratios.filter(lambda ratio: ratio >= 0.73))
def test_polynomial_with_power_below_1(power: float, length: int, ratio: float) -> None:
    # The error of 1 - u, half an ulp, is multiplied by the slope of the power: length ** (1 - power) before the end.
    training = {"max_duration": f"{length + 1}ba", "scale_schedule_ratio": ratio}
    actual, peer = pair("polynomial_scheduler", BATCHES, training, power=power)
    assert_close(actual, peer, TOLERANCE * (1 + (2 * length + 2) ** (1 - power)))


@settings(max_examples=40)
@given(trainings(), st.data())
def test_exponential(example: tuple[dict[str, Any], str, int], data: st.DataObject) -> None:
    training, unit, length = example
    gamma, period = data.draw(factors), data.draw(times(unit, length, 2))
    actual, peer = pair("exponential_scheduler", BATCHES, training, gamma=gamma, decay_period=period)
    # The exponent has an error of half an ulp in Composer, and of one ulp here if samples are divided.
    exponent = -np.log(np.maximum(peer, 1e-300))
    assert_close(actual, peer, (TOLERANCE + 2.0**-52 * exponent) * np.maximum(peer, 1e-300))


@settings(max_examples=40)
@given(trainings(), st.data())
def test_step_and_multi_step(example: tuple[dict[str, Any], str, int], data: st.DataObject) -> None:
    training, unit, length = example
    gamma = data.draw(st.one_of(st.just(1.0), factors))
    milestones = data.draw(st.lists(times(unit, length), max_size=4))
    actual, peer = pair("multi_step_scheduler", BATCHES, training, milestones=milestones, gamma=gamma)
    assert_close(actual, peer, TOLERANCE * peer)
    size = data.draw(times(unit, length, 2))
    actual, peer = pair("step_scheduler", BATCHES, training, step_size=size, gamma=gamma)
    # Powers have an error of 1 ulp in Composer and here. If they are subnormal, that is the smallest float.
    assert_close(actual, peer, TOLERANCE * peer + 5e-324)


@settings(max_examples=60)
@given(trainings(), st.data())
def test_schedulers_with_warmup(example: tuple[dict[str, Any], str, int], data: st.DataObject) -> None:
    training, unit, length = example
    # A warmup in batches may also be combined with a run in epochs.
    other_unit, other_length = ("ba", length * training["batches_per_epoch"]) if unit == "ep" else (unit, length)
    fraction_of_run = fractions.map(lambda fraction: f"{fraction}dur")
    warmup = data.draw(st.one_of(times(unit, length), times(other_unit, other_length), fraction_of_run))
    scale = data.draw(st.booleans()) and unit in ("ep", "ba")
    length_of_warmup = float(re.sub("[a-z]+$", "", warmup))
    assume(not (scale and 0 < length_of_warmup < 2))  # may be scaled to 0, by which Composer divides
    t_max = data.draw(st.sampled_from(["1dur", f"{4 * length}{unit}"]))
    arguments = {"t_warmup": warmup, "scale_warmup": scale, "t_max": t_max}
    end, alpha = data.draw(levels), data.draw(levels)
    power = data.draw(st.floats(1.0, 3.0))
    assert_close(*pair("constant_with_warmup_scheduler", BATCHES, training, alpha=alpha, **arguments))
    assert_close(*pair("linear_with_warmup_scheduler", BATCHES, training, alpha_i=alpha, alpha_f=end, **arguments))
    assert_close(*pair("cosine_annealing_with_warmup_scheduler", BATCHES, training, alpha_f=end, **arguments))
    polynomial = {"power": power, "alpha_f": end, **arguments}
    assert_close(*pair("polynomial_with_warmup_scheduler", BATCHES, training, **polynomial), 2 * TOLERANCE)
    del arguments["t_max"]
    milestones = data.draw(st.lists(times(unit, length), max_size=3))
    assert_close(*pair("multi_step_with_warmup_scheduler", BATCHES, training, milestones=milestones, **arguments))


@settings(max_examples=40)
@given(
    st.integers(2, 30),  # Composer raises an error if the ratio scales the first cycle to 0
    st.one_of(st.sampled_from([1.0, 2.0, 3.0, 1.02]), st.floats(1.0, 4.0)),
    levels,
    ratios,
    st.sampled_from([("ba", 1), ("sp", 24), ("tok", 64)]),
)
def test_warm_restarts(first: int, growth: float, alpha_f: float, ratio: float, unit: tuple[str, int]) -> None:
    name, per_batch = unit
    training = {"max_duration": f"{100 * per_batch}{name}", "scale_schedule_ratio": ratio}
    training |= {"samples_per_batch": per_batch, "tokens_per_batch": per_batch}
    arguments = {"t_0": f"{first * per_batch + per_batch // 5}{name}", "t_mult": growth, "alpha_f": alpha_f}
    assert_close(*pair("cosine_annealing_warm_restarts_scheduler", int(100 * ratio), training, **arguments))


def test_warm_restarts_that_shrink_to_length_0() -> None:
    training = {"max_duration": "100ba"}
    actual, peer = pair("cosine_annealing_warm_restarts_scheduler", 22, training, t_0="12ba", t_mult=0.5)
    assert_close(actual, peer)  # 12, 6, 3, 1 batches
    scheduler = CLASSES["cosine_annealing_warm_restarts_scheduler"]("12ba", 0.5, 0.25)
    with pytest.raises(ValueError, match="has decayed to 0"):
        scheduler(state(22, training))
    schedule = ours.cosine_annealing_warm_restarts_scheduler("12ba", 0.5, 0.25, max_duration="100ba")
    assert [schedule(22), schedule(10**6)] == [0.25, 0.25]


@pytest.mark.parametrize(("t_0", "length"), [("5ba", "9ep"), ("40sp", "9ep"), ("5ba", "700sp"), ("40sp", "88ba")])
def test_warm_restarts_with_max_duration_in_another_unit(t_0: str, length: str) -> None:
    training = {"max_duration": length, "batches_per_epoch": 10, "samples_per_batch": 8}
    actual, peer = pair("cosine_annealing_warm_restarts_scheduler", 88, training, t_0=t_0, t_mult=1.5)
    assert_close(actual, peer)
    # The sixth cycle is the last that starts within the run. It ends before batch 104 > 5 * (1 + 1.5 + ... + 1.5**5).
    schedule = ours.cosine_annealing_warm_restarts_scheduler(t_0, 1.5, **training)
    assert [schedule(batch) for batch in range(104, 200)] == [0.0] * 96


def test_warm_restarts_end_with_the_cycle_in_which_training_ends() -> None:
    # Cycles of 5, 7, 10 and 15 batches: training ends in the fourth. Composer would start a fifth at batch 37.
    training = {"max_duration": "30ba"}
    actual, peer = pair("cosine_annealing_warm_restarts_scheduler", 50, training, t_0="5ba", t_mult=1.5)
    assert_close(actual[:37], peer[:37])
    assert (actual[37:].max(), peer[37]) == (0.0, 1.0)


def test_warm_restarts_without_growth_after_rounding_need_no_max_duration() -> None:
    schedule = ours.cosine_annealing_warm_restarts_scheduler("10ba", 1.05)
    assert schedule == ours.cosine_annealing_warm_restarts_scheduler("10ba")
    scheduler = CLASSES["cosine_annealing_warm_restarts_scheduler"]("10ba", 1.05)
    rates = [scheduler(state(batch, {})) for batch in (1000, 1005)]
    assert [schedule(batch) for batch in (1000, 1005)] == pytest.approx(rates, rel=1e-15)


@pytest.mark.parametrize("t_warmup", ["10ba", "15ba"])
def test_warmup_as_long_as_the_run(t_warmup: str) -> None:
    arguments = {"t_warmup": t_warmup, "alpha_i": 0.75, "alpha_f": 0.25}
    actual, peer = pair("linear_with_warmup_scheduler", 30, {"max_duration": "10ba"}, **arguments)
    assert_close(actual, peer)
    assert actual[15:].tolist() == [0.75] * 15


def test_t_max_of_0_divides_by_zero_in_composer() -> None:
    with pytest.raises(ZeroDivisionError):
        CLASSES["linear_scheduler"](t_max="0ba")(state(0, {}))
    assert ours.linear_scheduler(1.0, 0.5, "0ba")(0) == 0.5


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_match_composer(name: str) -> None:
    parameters = dict(inspect.signature(getattr(ours, name)).parameters)
    assert parameters.pop("training").kind is inspect.Parameter.VAR_KEYWORD
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert defaults == {key: value.default for key, value in inspect.signature(CLASSES[name]).parameters.items()}
    training = {"max_duration": "3ep", "batches_per_epoch": 20}
    actual, peer = pair(name, 70, training, **REQUIRED.get(name, {}))
    assert_close(actual, peer)


def test_spellings_of_time_strings() -> None:
    for text in ("3E1BA", "30.0ba", " 30ba"):
        assert ours.linear_scheduler(t_max=text) == fs.ramp(1.0, 0.0, steps=30)
        assert time.Time.from_timestring(text).value == 30


def test_tokens_are_converted_to_the_simplest_schedule_of_batches() -> None:
    assert ours.step_scheduler("204800tok", 0.5, tokens_per_batch=2048) == fs.step_decay(100, 0.5)
    assert ours.linear_scheduler(t_max="100tok", tokens_per_batch=64) == fs.stretch(fs.ramp(1.0, 0.0, steps=25), 1 / 16)


def test_times_in_different_units() -> None:
    training = {"max_duration": "4ep", "batches_per_epoch": 10, "samples_per_batch": 8, "tokens_per_batch": 100}
    milestones = ["33sp", "32sp", "0.5dur", "3ep", "1050tok", "7ba", "7ba"]
    actual, peer = pair("multi_step_scheduler", 50, training, milestones=milestones, gamma=0.5)
    assert actual.tolist() == peer.tolist()
    arguments = {"t_warmup": "250tok", "milestones": ["1sp", "0.5dur"], "gamma": 0.5}
    assert_close(*pair("multi_step_with_warmup_scheduler", 50, training, **arguments))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cosine_annealing_with_warmup_scheduler", {"t_warmup": "1000tok", "alpha_f": 0.1}),
        ("step_scheduler", {"step_size": "320tok", "gamma": 0.5}),
        ("cosine_annealing_warm_restarts_scheduler", {"t_0": "0.1dur", "t_mult": 1.5}),
    ],
)
def test_jax_and_torch_match_python(name: str, arguments: dict[str, Any]) -> None:
    schedule = getattr(ours, name)(**arguments, max_duration="5000tok", tokens_per_batch=64)
    expected = np.array([schedule(step) for step in range(90)])
    assert np.asarray(jax.jit(schedule)(np.arange(90))) == pytest.approx(expected, rel=1e-6, abs=1e-7)
    assert schedule(torch.arange(90)).numpy() == pytest.approx(expected, rel=1e-6, abs=1e-7)


NONNEGATIVE = "a number from 0 to 1.7e38"
RATIO_UP_TO_ONE = "a number from 1e-30 to 1"
POSITIVE = "a finite number above 0"
TIME = "a time such as '10ep', '500ba', '64sp', '1e6tok' or '0.1dur'"
LENGTH = "a time such as '10ep', '500ba', '64sp' or '1e6tok'"
BATCH_SIZE = "an integer from 1 to 10**9"
TRAINING = {"max_duration": "10ep", "batches_per_epoch": 10}
ERRORS: list[tuple[str, dict[str, Any], str, type[Exception]]] = [  # the first argument is the invalid one
    ("step_scheduler", {"step_size": "0ba"}, "a time above 0", ValueError),
    ("step_scheduler", {"step_size": "10"}, TIME, ValueError),
    ("step_scheduler", {"step_size": 10}, TIME, TypeError),
    ("step_scheduler", {"step_size": "1.5ba"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "-1ba"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "infba"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "nandur"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "tenba"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "3iter"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "60sec"}, TIME, ValueError),
    ("step_scheduler", {"step_size": "1h30m"}, TIME, ValueError),
    ("step_scheduler", {"gamma": 1.1}, RATIO_UP_TO_ONE, ValueError),
    ("step_scheduler", {"scale_schedule_ratio": 0.0}, POSITIVE, ValueError),
    ("step_scheduler", {"batches_per_epoch": 0, "step_size": "1ep"}, "an integer from 1 to 2**53", ValueError),
    ("step_scheduler", {"samples_per_batch": 0, "step_size": "1sp"}, BATCH_SIZE, ValueError),
    ("step_scheduler", {"tokens_per_batch": 10**10, "step_size": "1tok"}, BATCH_SIZE, ValueError),
    ("step_scheduler", {"max_duration": "1dur", "step_size": "1dur"}, LENGTH, ValueError),
    ("step_scheduler", {"max_duration": "0ba", "step_size": "1dur"}, "a time above 0", ValueError),
    ("step_scheduler", {"max_duration": 100, "step_size": "1dur"}, LENGTH, TypeError),
    ("multi_step_scheduler", {"milestones": "5ba"}, "a sequence of times", TypeError),
    ("multi_step_scheduler", {"gamma": -0.5}, NONNEGATIVE, ValueError),
    ("constant_scheduler", {"alpha": -1.0}, NONNEGATIVE, ValueError),
    ("constant_scheduler", {"t_max": "1epoch"}, TIME, ValueError),
    ("linear_scheduler", {"alpha_i": -1.0}, NONNEGATIVE, ValueError),
    ("linear_scheduler", {"alpha_f": -1.0}, NONNEGATIVE, ValueError),
    ("exponential_scheduler", {"gamma": 0.0}, RATIO_UP_TO_ONE, ValueError),
    ("exponential_scheduler", {"decay_period": "0ep"}, "a time above 0", ValueError),
    ("cosine_annealing_scheduler", {"alpha_f": -1.0}, NONNEGATIVE, ValueError),
    ("cosine_annealing_warm_restarts_scheduler", {"t_0": "0ba"}, "a time above 0", ValueError),
    ("cosine_annealing_warm_restarts_scheduler", {"t_mult": 0.0}, "a number above 0 and at most 1e6", ValueError),
    ("cosine_annealing_warm_restarts_scheduler", {"alpha_f": -1.0}, NONNEGATIVE, ValueError),
    ("polynomial_scheduler", {"power": 0.0}, POSITIVE, ValueError),
    ("polynomial_scheduler", {"alpha_f": -1.0}, NONNEGATIVE, ValueError),
    ("multi_step_with_warmup_scheduler", {"scale_warmup": 1}, "True or False", TypeError),
    ("constant_with_warmup_scheduler", {"alpha": -1.0}, NONNEGATIVE, ValueError),
    ("linear_with_warmup_scheduler", {"t_warmup": "5sp", "samples_per_batch": 8}, "in 'ba', like `t_max`", ValueError),
    ("linear_with_warmup_scheduler", {"t_max": "99ba"}, "at least `max_duration` ('10ep')", ValueError),
    ("linear_with_warmup_scheduler", {"t_max": "9ep"}, "at least `max_duration` ('10ep')", ValueError),
    ("cosine_annealing_with_warmup_scheduler", {"t_max": "0.99dur"}, "at least `max_duration` ('10ep')", ValueError),
    ("polynomial_with_warmup_scheduler", {"power": -1.0}, POSITIVE, ValueError),
]


@pytest.mark.parametrize(("function", "arguments", "requirement", "kind"), ERRORS)
def test_invalid_arguments(function: str, arguments: dict[str, Any], requirement: str, kind: type[Exception]) -> None:
    argument, value = next(iter(arguments.items()))
    with raises(function, argument, requirement, value, kind):
        getattr(ours, function)(**(TRAINING | REQUIRED.get(function, {}) | arguments))


@pytest.mark.parametrize(
    ("arguments", "missing", "source"),
    [
        ({"t_max": "1dur"}, "max_duration", "`t_max` ('1dur')"),
        ({"t_max": "1ep"}, "batches_per_epoch", "`t_max` from epochs"),
        ({"t_max": "1dur", "max_duration": "1ep"}, "batches_per_epoch", "`max_duration` from epochs"),
        ({"t_max": "1sp"}, "samples_per_batch", "`t_max` ('1sp')"),
        ({"t_max": "1dur", "max_duration": "1tok"}, "tokens_per_batch", "`t_max` ('1dur')"),
    ],
)
def test_missing_training_arguments(arguments: dict[str, Any], missing: str, source: str) -> None:
    with raises("linear_scheduler", missing, f"given to convert {source} to batches", None, ValueError):
        ours.linear_scheduler(**arguments)


@pytest.mark.parametrize("tokens", [67, 5003])
def test_jumps_between_batches(tokens: int) -> None:
    length = 3 * tokens // 2
    training = {"max_duration": f"{20 * length}tok", "tokens_per_batch": tokens, "scale_schedule_ratio": 2.0}
    for name, arguments in (
        ("linear_with_warmup_scheduler", {"t_warmup": f"{length}tok", "scale_warmup": True}),
        ("cosine_annealing_warm_restarts_scheduler", {"t_0": f"{length}tok"}),
        ("cosine_annealing_warm_restarts_scheduler", {"t_0": f"{length}tok", "t_mult": 1.5}),
        ("step_scheduler", {"step_size": f"{length}tok", "gamma": 0.5}),
    ):
        assert_close(*pair(name, 60, training, **arguments))


def test_max_duration_is_required_if_t_mult_is_not_an_integer() -> None:
    requirement = "given if `t_mult` is not an integer"
    with raises("cosine_annealing_warm_restarts_scheduler", "max_duration", requirement, None, ValueError):
        ours.cosine_annealing_warm_restarts_scheduler("5ba", 1.5)


def test_an_invalid_milestone_is_named_by_its_index() -> None:
    with raises("multi_step_scheduler", "milestones[1]", TIME, "6", ValueError):
        ours.multi_step_scheduler(["5ba", "6"])


def test_unknown_training_arguments_are_errors() -> None:
    message = (
        "linear_scheduler: no argument `t_mx` (got '1ba'); it takes `alpha_i`, `alpha_f`, `t_max`, `max_duration`, "
        "`batches_per_epoch`, `samples_per_batch`, `tokens_per_batch`, `scale_schedule_ratio`; did you mean 't_max'?"
    )
    with pytest.raises(TypeError, match=exactly(message)):
        ours.linear_scheduler(t_mx="1ba")  # type: ignore[call-arg]


def test_composer_rejects_the_same_arguments() -> None:
    for arguments, message in (
        ({"t_warmup": "5ba", "t_max": "99ba"}, "must be greater than or equal to max_duration"),
        ({"t_warmup": "5sp"}, "must use the same units"),
    ):
        with pytest.raises(ValueError, match=message):
            CLASSES["linear_with_warmup_scheduler"](**arguments)(state(0, TRAINING))
    with pytest.raises(ValueError, match="Wall clock time"):
        CLASSES["linear_scheduler"](t_max="60sec")(state(0, TRAINING))
