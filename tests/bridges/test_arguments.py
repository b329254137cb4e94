"""Mistakes in the arguments that all bridges share: unknown names, numbers that are text, and mappings of OmegaConf."""

import importlib
import inspect
import re
from collections.abc import Callable
from pkgutil import iter_modules
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

import bridges
import funcsched as fs
from bridges import big_vision, deepspeed, fairseq, keras, transformers
from tests.errors import raises

MODULES = sorted(
    {module.name for module in iter_modules(bridges.__path__)}
    - {"arguments", "compositions", "expressions", "jax", "phases", "rated", "torch"}
)
# Arguments without which a function does not get as far as the names of the others.
REQUIRED: dict[str, tuple[Any, ...]] = {
    "big_vision.create_learning_rate_schedule": (10,),
    "fairseq.from_config": ("cosine",),
    "llama_factory.from_scheduler_type": ("cosine",),
    "transformers.from_scheduler_type": ("cosine",),
}

# Functions that build an optimizer, or that are errors for all arguments.
OTHERS = {"inject_plan", "get_greedy_schedule", "get_reduce_on_plateau_schedule"}


def functions() -> dict[str, Callable[..., Any]]:
    """All public functions of the bridges that build a schedule from arguments."""
    found = {}
    for module in MODULES:
        for name, value in vars(importlib.import_module(f"bridges.{module}")).items():
            ours = inspect.isfunction(value) and value.__module__.startswith(f"bridges.{module}")
            if ours and not name.startswith("_") and name not in OTHERS:
                found[f"{module}.{name}"] = value
    return found


FUNCTIONS = functions()


def parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments, except `*arguments` and `**arguments`."""
    known = inspect.signature(function).parameters.values()
    return [p.name for p in known if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def test_every_function_is_found() -> None:
    assert len(FUNCTIONS) == 121


@pytest.mark.parametrize("key", FUNCTIONS)
def test_an_unknown_argument_is_an_error_that_names_the_right_one(key: str) -> None:
    function, positional = FUNCTIONS[key], REQUIRED.get(key, ())
    name = "cosine" if key == "fairseq.from_config" else function.__name__
    own = parameters(function)[len(positional) :] or ["warmup_updates"]  # fairseq.from_config has those of its function
    for argument in own:
        typo = argument[:-1]
        with pytest.raises(TypeError) as error:
            function(*positional, **{typo: 1})
        message = str(error.value)
        assert re.match(rf"{name}: no argument `{typo}` \(got 1\); it takes .*`{argument}`", message)
        assert re.search("; did you mean '.*'\\?$", message)
    with pytest.raises(TypeError) as error:
        function(*positional, qqqqqq=1)
    assert re.match(rf"{name}: no argument `qqqqqq` \(got 1\); it takes `", str(error.value))
    assert "did you mean" not in str(error.value)
    assert all(f"`{argument}`" in str(error.value) for argument in own)


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: big_vision.create_learning_rate_schedule(10, warmup_step=1), "warmup_steps"),
        (lambda: deepspeed.from_config({"typ": "WarmupLR"}), "type"),
        (lambda: deepspeed.from_config({"type": "OneCycle", "params": {"cycle_max_lrs": 1}}), "cycle_max_lr"),
        (lambda: fairseq.from_config("tri_stage", phase_ratios=[1, 0, 0]), "phase_ratio"),
        (lambda: keras.from_config({"class_name": "CosineDecay", "config": {"decay_step": 9}}), "decay_steps"),
        (lambda: transformers.from_scheduler_type("cosine", num_cycle=1), "num_cycles"),
    ],
)
def test_an_unknown_key_of_a_configuration(call: Callable[[], Any], hint: str) -> None:
    with pytest.raises(TypeError, match=rf"; did you mean '{hint}'\?$"):
        call()


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("1e5", "YAML reads 1e5 as text: write 1.0e+5 or 100000"),
        ("3e-4", "YAML reads 3e-4 as text: write 3.0e-4 or 0.0003"),
        ("1.5E5", "YAML reads 1.5E5 as text: write 1.5e+5 or 150000"),
        ("2.0e3", "YAML reads 2.0e3 as text: write 2.0e+3 or 2000"),
        ("1e30", "YAML reads 1e30 as text: write 1.0e+30"),
    ],
)
def test_a_number_that_yaml_reads_as_text(text: str, fix: str) -> None:
    assert yaml.safe_load(text) == text
    for written in re.findall(r"[\d.e+-]+", fix.partition("write ")[2]):
        assert yaml.safe_load(written) == float(text)
    for call in (
        lambda: fs.ramp(text, 1, steps=10),
        lambda: fs.from_dict({"format": 1, "schedule": {"warmup_linear": {"warmup_steps": text, "total_steps": 9}}}),
        lambda: fs.parse(f"noam(512, '{text}')"),
        lambda: fairseq.from_config("fixed", lr=text),
        lambda: fairseq.from_config("fixed", lr=[text]),
        lambda: keras.exponential_decay(1.0, text, 0.5),  # type: ignore[arg-type]
        lambda: transformers.from_scheduler_type("constant_with_warmup", num_warmup_steps=text),  # type: ignore[arg-type]
    ):
        with pytest.raises((TypeError, ValueError), match=re.escape(f", got '{text}', a string; {fix}")):
            call()


@pytest.mark.parametrize("text", ["10", "ten", "nan", "e5", "1e", "1e5 ", "1_0e5_0e1"])
def test_other_text_for_a_number(text: str) -> None:
    with raises("fixed", "lr", "a finite number above 0", text, TypeError):
        fairseq.fixed(lr=text)


def test_configurations_of_omegaconf() -> None:
    config = OmegaConf.create(
        {
            "steps": 10,
            "schedule": {
                "format": 1,
                "schedule": {
                    "join": {
                        "schedules": [
                            {"ramp": {"start": 0, "stop": 1, "steps": "${steps}", "shape": {"power": {"exponent": 2}}}},
                            {"add": {"schedules": [{"constant": {}}, {"constant": {"value": 0.5}}]}},
                        ],
                        "boundaries": ["${steps}"],
                    }
                },
            },
            "deepspeed": {"type": "WarmupLR", "params": {"warmup_num_steps": 4, "warmup_max_lr": 0.5}},
            "keras": {
                "class_name": "PiecewiseConstantDecay",
                "config": {"boundaries": [10, 20], "values": [1.0, 0.5, 0.25]},
            },
            "fairseq": {"lr": [0.5], "warmup_updates": 100},
        }
    )
    ramp = fs.ramp(0, 1, steps=10, shape=fs.power(2))
    assert fs.from_dict(config.schedule) == fs.join([ramp, fs.add(fs.constant(), 0.5)], [10])
    assert deepspeed.from_config(config.deepspeed) == deepspeed.warmup_lr(warmup_num_steps=4, warmup_max_lr=0.5)
    assert keras.from_config(config.keras).schedule == fs.piecewise_constant([11, 21], levels=[1.0, 0.5, 0.25])
    assert fairseq.from_config("inverse_sqrt", **config.fairseq) == (fs.warmup_inverse_sqrt(100), 0.5)
    config.schedule.schedule.join.boundary = 5
    with pytest.raises(ValueError, match=r"join has no argument 'boundary'; did you mean 'boundaries'\?$"):
        fs.from_dict(config.schedule)
