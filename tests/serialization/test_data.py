"""`to_dict`, `from_dict` and `fingerprint`."""

import hashlib
import json
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings

import funcsched as fs
from funcsched.serialization.data import registry
from tests.cases import CASES, LONG, Case
from tests.strategies import nestings

ALL = [*CASES, *LONG]
JSON = (
    '{"format":1,"schedule":{"ramp":{"shape":{"power":{"exponent":2.0}},'
    '"start":0.0,"steps":10,"stop":0.30000000000000004}}}'
)
SQUARE = fs.ramp(0, 0.1 + 0.2, steps=10, shape=fs.power(2))


def half(step):
    return 0.5 + 0 * step


def square(fraction):
    return fraction * fraction


@pytest.mark.parametrize("case", ALL, ids=str)
def test_round_trip_of_every_case_through_json(case: Case) -> None:
    assert fs.from_dict(json.loads(json.dumps(fs.to_dict(case.schedule), allow_nan=False))) == case.schedule


@settings(max_examples=200)
@given(nestings)
def test_round_trip_of_nested_schedules_through_json(schedule: fs.Schedule) -> None:
    data = fs.to_dict(schedule)
    text = json.dumps(data, allow_nan=False)
    again = fs.from_dict(json.loads(text))
    assert again == schedule and hash(again) == hash(schedule) and str(again) == str(schedule)
    # Equal numbers could be stored differently (0.0 and -0.0, 1 and 1.0).
    assert json.dumps(fs.to_dict(again)) == text
    assert fs.fingerprint(again) == fs.fingerprint(schedule)


def test_the_format_is_as_documented() -> None:
    assert fs.to_dict(SQUARE) == json.loads(JSON)


def test_the_fingerprint_is_the_hash_of_the_sorted_json() -> None:
    assert fs.fingerprint(SQUARE) == hashlib.sha256(JSON.encode()).hexdigest()[:16]


def test_the_fingerprint_does_not_depend_on_the_process() -> None:
    code = "import funcsched as fs; print(fs.fingerprint(fs.warmup_cosine(10, 100, end=0.1)))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {fs.fingerprint(fs.warmup_cosine(10, 100, end=0.1))}


def test_different_schedules_have_different_fingerprints() -> None:
    schedules = {case.schedule for case in ALL}
    assert len({fs.fingerprint(schedule) for schedule in schedules}) == len(schedules)


def test_the_registry_has_every_factory() -> None:
    assert {case.schedule.factory for case in ALL} <= set(registry())
    assert not set(registry()) & {"Schedule", "lift", "to_dict", "snapshot"}


def test_no_option_has_the_name_of_a_shape() -> None:  # `from_dict` would decode it as the shape
    assert not {"triangular", "triangular2", "exp_range"} & set(registry())


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        (fs.lift(half), "schedule"),
        (fs.scale(half, 0.5), "schedule.scale.schedule"),
        (fs.ramp(0, 1, steps=5, shape=square), "schedule.ramp.shape"),
        (fs.join([fs.constant(), half], [5]), "schedule.join.schedules[1]"),
    ],
)
def test_a_python_function_is_an_error_with_its_place(schedule: fs.Schedule, place: str) -> None:
    with pytest.raises(
        TypeError,
        match=f"^to_dict: `{re.escape(place)}` is a Python function, which plain data cannot hold: .*; use fs.tabulate",
    ):
        fs.to_dict(schedule)


def wrap(schedule: object) -> dict:
    return {"format": 1, "schedule": schedule}


INVALID = [
    (5, "`data` must be a dictionary, got 5"),
    ({"schedule": {"constant": {}}}, "`format` must be 1, got None"),
    ({"format": 2, "schedule": {"constant": {}}}, "`format` must be 1, got 2"),
    ({"format": True, "schedule": {"constant": {}}}, "`format` must be 1, got True"),
    ({"format": 1, "more": 1}, "unknown key 'more' in `data`; the keys are 'format' and 'schedule'"),
    ({"format": 1}, "`schedule` must be a schedule, {name: {argument: value, ...}}, got None"),
    (wrap("cosine"), "`schedule` must be a schedule, {name: {argument: value, ...}}, got 'cosine'"),
    (
        wrap("constant()"),
        "`schedule` must be a schedule, {name: {argument: value, ...}}, got 'constant()'; "
        "use fs.parse(...) for an expression",
    ),
    (wrap({}), "`schedule` must be a dictionary with one key, the name of a schedule or shape, got {}"),
    (
        wrap({"constant": {}, "noam": {}}),
        "`schedule` must be a dictionary with one key, the name of a schedule or shape, "
        "got {'constant': {}, 'noam': {}}",
    ),
    (wrap({"constant": 1}), "`schedule.constant` must be a dictionary of arguments, got 1"),
    (wrap({"constant": {"level": 1}}), "`schedule.constant`: constant has no argument 'level'; arguments: value"),
    (wrap({"constant": {"valu": 1}}), "`schedule.constant`: constant has no argument 'valu'; did you mean 'value'?"),
    (
        wrap({"warmup_linear": {"foo": 1}}),
        "`schedule.warmup_linear`: warmup_linear has no argument 'foo'; "
        "arguments: warmup_steps, total_steps, start, end, warmup_offset",
    ),
    (
        wrap({"constant": {1: 1}}),
        "`schedule.constant`: constant has no argument 1; arguments: value",
    ),
    (
        wrap({"constant": {"value": "high"}}),
        "`schedule.constant`: constant: `value` must be a number from -1.7e38 to 1.7e38, got 'high'",
    ),
    (
        wrap({"scale": {"schedule": {"warmup_linear": {"warmup_steps": 2, "total_steps": 1}}, "factor": 1}}),
        "`schedule.scale.schedule.warmup_linear`: "
        "warmup_linear: `warmup_steps` must be at most `total_steps` (1), got 2",
    ),
    (
        wrap({"warmup_linear": {"warmup_steps": 1}}),
        "`schedule.warmup_linear`: warmup_linear() missing 1 required positional argument: 'total_steps'",
    ),
    (
        wrap({"ramp": {"start": 0, "stop": 1, "steps": 5, "shape": {"cosine": {}}}}),
        "`schedule.ramp.shape`: the shape cosine takes no arguments, got {'cosine': {}}; use 'cosine'",
    ),
    (
        wrap({"warmup_cosin": {}}),
        "`schedule`: unknown schedule 'warmup_cosin'; did you mean 'warmup_cosine'?",
    ),
    (
        wrap({"add": {"schedules": [{"constant": {}}, {"foo": {}}]}}),
        "`schedule.add.schedules[1]`: unknown schedule 'foo'; `funcsched list` shows all names, "
        "and `funcsched show` finds those of other libraries",
    ),
    (
        wrap({"ramp": {"start": 0, "stop": 1, "steps": 10, "shape": "cosin"}}),
        "`schedule.ramp.shape`: unknown shape 'cosin'; did you mean 'cosine'?",
    ),
    (
        wrap({"warmup_stable_decay": {"warmup_steps": 1, "stable_steps": 1, "decay_steps": 1, "decay_shape": "power"}}),
        "`schedule.warmup_stable_decay.decay_shape`: unknown shape 'power'; the shapes without arguments are cosine,"
        " linear, log, mirror_cosine, rex, sine, sqrt",
    ),
    (
        wrap({"ramp": {"start": 0, "stop": 1, "steps": 9, "shape": {"compose": {"outer": "sin", "inner": "rex"}}}}),
        "`schedule.ramp.shape.compose.outer`: unknown shape 'sin'; did you mean 'sine'?",
    ),
    (
        wrap({None: {}}),
        "`schedule`: unknown schedule None; `funcsched list` shows all names, "
        "and `funcsched show` finds those of other libraries",
    ),
    (
        wrap({"lift": {"function": "abs"}}),
        "`schedule`: lift takes a Python function, which text and data cannot hold; "
        "use the table(...) from fs.tabulate",
    ),
]


@pytest.mark.parametrize(("data", "message"), INVALID)
def test_an_error_names_the_place_in_the_data(data: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        fs.from_dict(data)  # type: ignore[arg-type]
    assert str(caught.value) == f"from_dict: {message}"


def nested(depth: int) -> dict:
    data: dict = {"constant": {}}
    for _ in range(depth - 1):
        data = {"shift": {"schedule": data, "steps": 1}}
    return wrap(data)


def test_at_most_50_nested_schedules() -> None:
    assert fs.from_dict(nested(50))(0) == 1.0
    with pytest.raises(ValueError, match=r"^from_dict: `schedule\..*` is nested more than 50 levels deep$"):
        fs.from_dict(nested(51))


def lists(depth: int) -> list:
    return [lists(depth - 1)] if depth else []


def anchored(name: str | None) -> object:
    """Each level contains the next one twice, as YAML anchors allow."""
    data: object = {"constant": {}}
    for _ in range(40):
        data = {name: {"schedules": [data, data]}} if name else [data, data]
    return data


@pytest.mark.parametrize("data", [lists(60), lists(900), anchored("add"), anchored(None)], ids=range(4))
def test_data_that_is_too_deep_or_too_large_is_an_error_without_delay(data: object) -> None:
    start = time.process_time()
    with pytest.raises(
        ValueError, match=r"( is nested more than 50 levels deep| more than 10000 schedules, .* lists)$"
    ):
        fs.from_dict(wrap({"constant": {"value": data}}))
    assert time.process_time() - start < 1


def test_a_schedule_that_contains_itself_is_an_error() -> None:
    data: dict = {"shift": {"steps": 1}}
    data["shift"]["schedule"] = data
    with pytest.raises(ValueError, match=r" is nested more than 50 levels deep$"):
        fs.from_dict(wrap(data))


def test_arguments_added_later_do_not_change_the_fingerprints_of_older_schedules() -> None:
    # The fingerprints of the first version.
    assert fs.fingerprint(fs.warmup_cosine(1000, 100_000, end=0.1)) == "bc2c69f7d13b43a0"
    assert fs.fingerprint(fs.inverse_sqrt(100)) == "4cd1e7793188c32b"
    assert fs.fingerprint(fs.interpolate([0, 5], [0.0, 1.0])) == "a88ea0a5f9920fa2"
    for schedule in (
        fs.warmup_linear(10, 100, warmup_offset=1),
        fs.inverse_time(0.5, end=0.25),
        fs.interpolate([0, 5, 8], [0.0, 1.0, 0.5], smooth=True),
    ):
        assert fs.from_dict(fs.to_dict(schedule)) == schedule
