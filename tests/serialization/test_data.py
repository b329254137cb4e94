"""Schedules as plain data, and back."""

import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings

import funcsched as fs
from funcsched.serialization.data import builders
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


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_schedule_comes_back_from_json(case: Case) -> None:
    assert fs.from_dict(json.loads(json.dumps(fs.to_dict(case.schedule), allow_nan=False))) == case.schedule


@settings(max_examples=200, deadline=None)
@given(nestings)
def test_any_nesting_comes_back_from_json(schedule: fs.Schedule) -> None:
    data = fs.to_dict(schedule)
    text = json.dumps(data, allow_nan=False)
    again = fs.from_dict(json.loads(text))
    assert again == schedule and hash(again) == hash(schedule) and str(again) == str(schedule)
    # Equal numbers may be written in two ways (0.0 and -0.0, 1 and 1.0): not so here.
    assert json.dumps(fs.to_dict(again)) == text
    assert fs.fingerprint(again) == fs.fingerprint(schedule)


def test_the_data_is_what_the_documentation_says() -> None:
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


def test_every_public_builder_can_stand_in_data() -> None:
    assert {case.schedule.factory for case in ALL} <= set(builders())
    assert not set(builders()) & {"Schedule", "lift", "to_dict", "snapshot"}


def test_no_word_is_both_a_shape_and_an_option() -> None:
    assert not {"triangular", "triangular2", "exp_range"} & set(builders())


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        (fs.lift(half), "schedule"),
        (fs.scale(half, 0.5), "schedule.scale.schedule"),
        (fs.ramp(0, 1, steps=5, shape=half), "schedule.ramp.shape"),
        (fs.join([fs.constant(), half], [5]), "schedule.join.schedules[1]"),
    ],
)
def test_a_function_cannot_be_written(schedule: fs.Schedule, place: str) -> None:
    with pytest.raises(TypeError, match=r"^to_dict: `" + place.replace("[", r"\[") + "` must be without functions"):
        fs.to_dict(schedule)


WRONG = {
    "from_dict: `data` must be a dictionary, got 5": 5,
    "from_dict: `format` must be 1, got None": {"schedule": {"constant": {}}},
    "from_dict: `format` must be 1, got 2": {"format": 2, "schedule": {"constant": {}}},
    "from_dict: `format` must be 1, got True": {"format": True, "schedule": {"constant": {}}},
    "from_dict: `data` must be of the keys 'format' and 'schedule' alone, got 'more'": {"format": 1, "more": 1},
    "from_dict: `schedule` must be a schedule, got None": {"format": 1},
    "from_dict: `schedule` must be a schedule, got 'cosine'": {"format": 1, "schedule": "cosine"},
    "from_dict: `schedule` must be one name and its arguments, got {}": {"format": 1, "schedule": {}},
    "from_dict: `schedule.constant` must be a dictionary of arguments, got 1": {
        "format": 1,
        "schedule": {"constant": 1},
    },
    "from_dict: `schedule.constant` must be of the arguments value, got 'level'": {
        "format": 1,
        "schedule": {"constant": {"level": 1}},
    },
    "from_dict: at `schedule.constant`: constant: `value` must be a number from 0 to 3.4e38, got 'high'": {
        "format": 1,
        "schedule": {"constant": {"value": "high"}},
    },
    "from_dict: at `schedule.scale.schedule.warmup_linear`: "
    "warmup_linear: `warmup_steps` must be at most `total_steps` (1), got 2": {
        "format": 1,
        "schedule": {"scale": {"schedule": {"warmup_linear": {"warmup_steps": 2, "total_steps": 1}}, "factor": 1}},
    },
    "from_dict: `schedule.ramp.shape.cosine` must be the word 'cosine' alone, got {'cosine': {}}": {
        "format": 1,
        "schedule": {"ramp": {"start": 0, "stop": 1, "steps": 5, "shape": {"cosine": {}}}},
    },
}


@pytest.mark.parametrize("sentence", WRONG)
def test_data_that_is_wrong_gets_a_sentence_that_names_the_place(sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        fs.from_dict(WRONG[sentence])
    assert str(caught.value) == sentence


def test_an_unknown_name_gets_the_list() -> None:
    with pytest.raises(ValueError, match=r"^from_dict: `schedule` must be one of add, compose, .*, got 'warmup'$"):
        fs.from_dict({"format": 1, "schedule": {"warmup": {}}})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"^from_dict: at `schedule.warmup_linear`: warmup_linear\(\) missing .*'total_steps'"
    ):
        fs.from_dict({"format": 1, "schedule": {"warmup_linear": {"warmup_steps": 1}}})


def nested(depth: int) -> dict:
    data: dict = {"constant": {}}
    for _ in range(depth - 1):
        data = {"shift": {"schedule": data, "steps": 1}}
    return {"format": 1, "schedule": data}


def test_the_depth_is_bounded() -> None:
    assert fs.from_dict(nested(50))(0) == 1.0
    with pytest.raises(ValueError, match=r"must be at most 50 deep$"):
        fs.from_dict(nested(51))


def lists(depth: int) -> list:
    return [lists(depth - 1)] if depth else []


def anchored(name: str | None) -> object:
    """Each level twice in the next, as YAML's anchors make it."""
    data: object = {"constant": {}}
    for _ in range(40):
        data = {name: {"schedules": [data, data]}} if name else [data, data]
    return data


@pytest.mark.parametrize("data", [lists(60), lists(900), anchored("add"), anchored(None)], ids=range(4))
def test_what_is_too_deep_or_too_much_is_refused_at_once(data: object) -> None:
    with pytest.raises(ValueError, match=r"must be (at most 50 deep|one of at most 10000 schedules and lists)$"):
        fs.from_dict({"format": 1, "schedule": {"constant": {"value": data}}})


def test_a_schedule_inside_itself_is_refused() -> None:
    data: dict = {"shift": {"steps": 1}}
    data["shift"]["schedule"] = data
    with pytest.raises(ValueError, match=r"must be at most 50 deep$"):
        fs.from_dict({"format": 1, "schedule": data})
