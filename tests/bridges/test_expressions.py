"""Expressions in the words of other libraries give what these libraries give."""

import re

import optax
import pytest
import torch
from torch.optim import lr_scheduler
from transformers import get_scheduler

import funcsched as fs
from bridges.expressions import from_expression
from bridges.rated import Rated
from funcsched.serialization.expression import LONGEST, ParseError


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1)], lr=1.0, momentum=0.9)


def rates(scheduler: lr_scheduler.LRScheduler, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(float(scheduler.get_last_lr()[0]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


def ours(text: str, steps: int) -> list[float]:
    schedule, peak = from_expression(text)
    return [peak * schedule(step) for step in range(steps)]


def test_an_expression_without_a_prefix_is_ours() -> None:
    assert from_expression("warmup_cosine(10, 100)") == Rated(fs.warmup_cosine(10, 100), 1.0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("cosine", {}), ("linear", {}), ("polynomial", {"power": 2.0, "lr_end": 0.01}), ("constant_with_warmup", {})],
)
def test_a_name_of_transformers(name: str, arguments: dict[str, float]) -> None:
    words = "".join(f", {key}={value}" for key, value in arguments.items())
    words += ", base_lr=1.0" if name == "polynomial" else ""
    text = f"hf:{name}(num_warmup_steps=10, num_training_steps=50{words})"
    theirs = get_scheduler(
        name, optimizer(), num_warmup_steps=10, num_training_steps=50, scheduler_specific_kwargs=arguments or None
    )
    assert ours(text, 50) == pytest.approx(rates(theirs, 50))


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        (
            "warmup_cosine_decay_schedule(0.0, peak_value=1e-3, warmup_steps=10, decay_steps=100, end_value=1e-4)",
            optax.warmup_cosine_decay_schedule(0.0, 1e-3, 10, 100, 1e-4),
        ),
        ("piecewise_constant_schedule(0.1, None)", optax.piecewise_constant_schedule(0.1)),
        (
            "join_schedules([linear_schedule(0, 0.5, 10), constant_schedule(0.25)], boundaries=[10])",
            optax.join_schedules([optax.linear_schedule(0, 0.5, 10), optax.constant_schedule(0.25)], [10]),
        ),
    ],
)
def test_a_function_of_optax(text: str, theirs: optax.Schedule) -> None:
    assert ours(f"optax:{text}", 120) == pytest.approx([float(theirs(step)) for step in range(120)], abs=1e-7)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("CosineAnnealingLR(T_max=60)", lambda o: lr_scheduler.CosineAnnealingLR(o, 60)),
        ("StepLR(10, gamma=0.5)", lambda o: lr_scheduler.StepLR(o, 10, gamma=0.5)),
        ("OneCycleLR(max_lr=0.1, total_steps=61)", lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=61)),
        ("CyclicLR(0.01, 0.1, step_size_up=7)", lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=7)),
        (
            "SequentialLR([LinearLR(0.25, total_iters=10), CosineAnnealingLR(50)], milestones=[10])",
            lambda o: lr_scheduler.SequentialLR(
                o, [lr_scheduler.LinearLR(o, 0.25, total_iters=10), lr_scheduler.CosineAnnealingLR(o, 50)], [10]
            ),
        ),
        (
            "ChainedScheduler([StepLR(10), ExponentialLR(0.9)])",
            lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 10), lr_scheduler.ExponentialLR(o, 0.9)]),
        ),
    ],
)
def test_a_class_of_torch(text: str, build) -> None:
    assert ours(f"torch:{text}", 60) == pytest.approx(rates(build(optimizer()), 60))


def test_a_prefix_may_stand_apart_and_the_text_on_several_lines() -> None:
    assert from_expression(" torch : StepLR(\n  10,\n)").schedule == fs.step_decay(10)


def test_the_place_of_an_error_counts_the_prefix() -> None:
    with pytest.raises(ParseError) as caught:
        from_expression("torch:StepLR(10; 2)")
    assert (caught.value.line, caught.value.column) == (1, 16)
    assert str(caught.value).endswith("\n    torch:StepLR(10; 2)\n                   ^")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jax:cosine()", r"`text` must be of the prefixes 'hf:', 'optax:', 'torch:', got 'jax:'"),
        ("hf:", r"must have a name after 'hf:' at line 1, column 4, got the end of the text"),
        ("hf:3", r"must have a call after 'hf:' at line 1, column 4, got 3"),
        ("hf:cosin()", r"must have one of cosine at line 1, column 4, got 'cosin'"),
        ("hf:cosine(10, 100)", r"cosine: arguments must be given by name, got 10"),
        ("hf:cosine(num_warmup_steps=10)", r"`num_training_steps` must be given for 'cosine', got None"),
        ("hf:linear(num_warmup_steps=1, num_warmup_steps=2)", r"must have each argument of linear once"),
        ("hf:linear(num_warmup_steps=1, 2)", r"must have arguments without names before those with names"),
        ("torch:LambdaLR(3)", r"at line 1, column 7, got 'LambdaLR'"),
        ("torch:os.system('true')", r"at line 1, column 7, got 'os.system'"),
        ("torch:StepLR(gamma=0.5)", r"at line 1, column 7: .*missing 1 required positional argument: 'step_size'"),
        ("torch:StepLR(0)", r"at line 1, column 7"),
        ("torch:SequentialLR([], [])", r"at line 1, column 7"),
        ("torch:ChainedScheduler(3)", r"at line 1, column 7"),
        ("torch:StepLR(StepLR(3))", r"at line 1, column 7"),
        ("torch:StepLR(3) 4", r"must have the end of the text at line 1, column 17, got '4'"),
        ("optax:constant_schedule(-1)", r"at line 1, column 7: constant_schedule: `value` must be a number from 0"),
        ("optax:to_optax(3)", r"got 'to_optax'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(text: str, sentence: str) -> None:
    with pytest.raises(ParseError, match=sentence):
        from_expression(text)


def test_what_is_too_long_or_too_deep_is_refused() -> None:
    with pytest.raises(ParseError, match=r"at most 100000 characters"):
        from_expression("torch:StepLR(" + " " * LONGEST + "3)")
    for opening in ("[", "ChainedScheduler("):
        with pytest.raises(ParseError, match=r"at most 50"):
            from_expression("torch:ChainedScheduler(" + opening * 2000)


def test_a_text_must_be_one() -> None:
    with pytest.raises(TypeError, match=re.escape("from_expression: `text` must be a string, got an object of type")):
        from_expression(3)
