"""`from_expression` gives the learning rates that the other libraries give for the same call."""

import re
from typing import Any

import optax
import pytest
import torch
from torch.optim import lr_scheduler
from transformers import get_scheduler, optimization

import funcsched as fs
from bridges.expressions import Reading, from_expression
from bridges.rated import Rated
from funcsched.serialization.syntax import MAX_LENGTH, ParseError


def optimizer(lr: float = 1.0) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1)], lr=lr, momentum=0.9)


def rates(scheduler: lr_scheduler.LRScheduler, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(float(scheduler.get_last_lr()[0]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


def rates_of(text: str, steps: int) -> list[float]:
    schedule, peak = from_expression(text)
    return [peak * schedule(step) for step in range(steps)]


def test_without_a_prefix_the_expression_is_of_this_library() -> None:
    assert from_expression("warmup_cosine(10, 100)") == Rated(fs.warmup_cosine(10, 100), 1.0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("cosine", {}), ("linear", {}), ("polynomial", {"power": 2.0, "lr_end": 0.01}), ("constant_with_warmup", {})],
)
def test_hf(name: str, arguments: dict[str, float]) -> None:
    keywords = "".join(f", {key}={value}" for key, value in arguments.items())
    keywords += ", base_lr=1.0" if name == "polynomial" else ""
    text = f"hf:{name}(num_warmup_steps=10, num_training_steps=50{keywords})"
    theirs = get_scheduler(
        name, optimizer(), num_warmup_steps=10, num_training_steps=50, scheduler_specific_kwargs=arguments or None
    )
    assert rates_of(text, 50) == pytest.approx(rates(theirs, 50))


# Positional and keyword arguments of the functions of transformers, after the optimizer.
CALLS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "get_constant_schedule": ([], {}),
    "get_constant_schedule_with_warmup": ([10], {"last_epoch": -1}),
    "get_linear_schedule_with_warmup": ([10, 50], {}),
    "get_cosine_schedule_with_warmup": ([10, 50, 0.25], {}),
    "get_cosine_with_hard_restarts_schedule_with_warmup": ([10, 50, 2], {}),
    "get_polynomial_decay_schedule_with_warmup": ([10, 50, 1e-3, 2.0], {}),
    "get_inverse_sqrt_schedule": ([10, 20], {}),
    "get_cosine_with_min_lr_schedule_with_warmup": ([10, 50, 0.5, -1, 0.02], {}),
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": ([10, 50], {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
    "get_wsd_schedule": ([10, 20, 50], {"min_lr_ratio": 0.1, "decay_type": "linear"}),
    "get_scheduler": (["polynomial"], {"num_warmup_steps": 10, "num_training_steps": 50,
                                       "scheduler_specific_kwargs": {"power": 2.0}}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_transformers_without_its_optimizer(name: str) -> None:
    positional, keywords = CALLS[name]
    place = 1 if name == "get_scheduler" else 0
    theirs = getattr(optimization, name)(*positional[:place], optimizer(0.2), *positional[place:], **keywords)
    given = ", ".join([*map(repr, positional), *(f"{key}={value!r}" for key, value in keywords.items()), "base_lr=0.2"])
    assert rates_of(f"hf:transformers.{name}({given})", 50) == pytest.approx(rates(theirs, 50), rel=1e-6)


def test_every_function_of_transformers_is_read_or_explained() -> None:
    names = {name for name in vars(optimization) if re.fullmatch(r"get_\w+_schedule\w*|get_scheduler", name)}
    assert len(names - {*CALLS}) == 3
    for name in names - {*CALLS}:
        with pytest.raises(ParseError, match=f"column 4: {name} (follows a metric|reports rates that Adafactor)"):
            from_expression(f"hf:{name}()")


def test_base_lr_is_the_peak() -> None:
    steps = "num_warmup_steps=10, num_training_steps=100"
    rated = from_expression(f"hf:cosine_with_min_lr({steps}, min_lr=1e-5, base_lr=1e-3)")
    assert rated == Rated(fs.warmup_cosine(10, 100, end=0.01), 1e-3)
    assert from_expression("torch:StepLR(30, base_lr=0.5)") == Rated(fs.step_decay(30), 0.5)


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
def test_optax(text: str, theirs: optax.Schedule) -> None:
    assert rates_of(f"optax:{text}", 120) == pytest.approx([float(theirs(step)) for step in range(120)], abs=1e-7)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("CosineAnnealingLR(T_max=60)", lambda o: lr_scheduler.CosineAnnealingLR(o, 60)),
        ("CosineAnnealingLR(60, 0.1, base_lr=1.0)", lambda o: lr_scheduler.CosineAnnealingLR(o, 60, 0.1)),
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
def test_torch(text: str, build) -> None:
    assert rates_of(f"torch:{text}", 60) == pytest.approx(rates(build(optimizer()), 60))


def test_an_eta_min_is_reached_from_base_lr() -> None:
    text = (
        "torch:SequentialLR([LinearLR(0.25, total_iters=10), CosineAnnealingLR(50, eta_min=0.02)], [10], base_lr=0.2)"
    )
    ours = optimizer(0.2)
    parts = [lr_scheduler.LinearLR(ours, 0.25, total_iters=10), lr_scheduler.CosineAnnealingLR(ours, 50, eta_min=0.02)]
    assert rates_of(text, 60) == pytest.approx(rates(lr_scheduler.SequentialLR(ours, parts, [10]), 60))


def test_a_note_says_that_a_cosine_rises_again() -> None:
    def notes(*texts: str) -> list[str]:
        return [Reading.of(text, {}).note for text in texts]

    of_torch = notes("torch:CosineAnnealingLR(9)", "torch:SequentialLR([StepLR(3), CosineAnnealingLR(9)], [3])")
    assert all(note.startswith("after T_max, the rate of CosineAnnealingLR in torch rises again") for note in of_torch)
    of_hf = notes("hf:get_cosine_schedule_with_warmup(3, 9)", "hf:get_scheduler('cosine', 3, 9)")
    assert all(note.startswith("after its end, the cosine of transformers continues") for note in of_hf)
    assert notes("torch:StepLR(3)", "hf:get_linear_schedule_with_warmup(3, 9)", "cosine_restarts(9)") == [""] * 3


def test_whitespace_and_newlines_have_no_effect() -> None:
    assert from_expression(" torch : StepLR(\n  10,\n)").schedule == fs.step_decay(10)


def test_numbers_are_given_by_name() -> None:
    text = "cosine(num_warmup_steps=total // 10, num_training_steps=total)"
    assert from_expression(f"hf:{text}", total=70).schedule == fs.warmup_cosine(7, 70)
    assert from_expression("warmup_linear(3, total)", total=9) == Rated(fs.warmup_linear(3, 9), 1.0)
    message = "unknown name 'x'; numbers are given by name, as in x=100, and the names are total, constant, "
    with pytest.raises(ParseError, match=message):
        from_expression("hf:linear(base_lr=x)", total=9)


def test_parentheses_without_arguments_are_optional() -> None:
    assert from_expression("hf:constant") == from_expression("hf:constant()") == Rated(fs.constant(), 1.0)


def test_the_column_of_an_error_includes_the_prefix() -> None:
    with pytest.raises(ParseError) as caught:
        from_expression("torch:StepLR(10; 2)")
    assert (caught.value.line, caught.value.column) == (1, 16)
    assert str(caught.value).endswith("\n    torch:StepLR(10; 2)\n                   ^")


OPTAX = (
    "constant_schedule, cosine_decay_schedule, cosine_onecycle_schedule, exponential_decay, join_schedules, "
    "linear_onecycle_schedule, linear_schedule, piecewise_constant_schedule, piecewise_interpolate_schedule, "
    "polynomial_schedule, sgdr_schedule, warmup_constant_schedule, warmup_cosine_decay_schedule, "
    "warmup_exponential_decay_schedule"
)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("hf:", 4, "unexpected end of the text; expected a call after 'hf:'"),
        ("hf:3", 4, "expected a call after 'hf:', got 3"),
        ("hf:[constant()]", 4, "expected a call after 'hf:', got [constant()]"),
        ("hf:cosin()", 4, "unknown name 'cosin'; did you mean 'cosine'?"),
        (
            "hf:constant(10, 100)",
            13,
            "too many positional arguments; constant takes none; pass num_warmup_steps, num_training_steps, base_lr "
            "by name",
        ),
        (
            "hf:cosine(num_warmup_step=10)",
            11,
            "cosine has no argument 'num_warmup_step'; did you mean 'num_warmup_steps'?",
        ),
        ("hf:cosine(num_cycle=1)", 11, "cosine has no argument 'num_cycle'; did you mean 'num_cycles'?"),
        (
            "hf:constant(foo=1)",
            13,
            "constant has no argument 'foo'; arguments: num_warmup_steps, num_training_steps, base_lr",
        ),
        (
            "hf:linear(num_warmup_steps=1, num_warmup_steps=2)",
            31,
            "argument 'num_warmup_steps' of linear is repeated",
        ),
        ("hf:linear(num_warmup_steps=1, 2)", 32, "positional argument follows keyword argument"),
        ("hf:linear(num_warmup_steps=2*constan)", 30, "unknown name 'constan'; did you mean 'constant'?"),
        ("torch:StepLR(gama=0.5)", 14, "StepLR has no argument 'gama'; did you mean 'gamma'?"),
        ("torch:StepLR(1, 2, 3, 4)", 23, "too many positional arguments; StepLR takes 3; pass base_lr by name"),
        ("torch:StepLR(3, lr=0.1)", 17, "StepLR has no argument 'lr'; did you mean 'base_lr'?"),
        ("torch:OneCycleLR(base_lr=0.1)", 18, "OneCycleLR has no argument 'base_lr'; did you mean 'max_lr'?"),
        ("torch:CosineAnnealingLR(optimizer, T_max=100)", 25, "leave out the optimizer"),
        ("torch:StepLR(step_size=3, optimizer=self.optim)", 27, "leave out the optimizer"),
        ("hf:get_linear_schedule_with_warmup(self.optimizer, 1, 2)", 36, "leave out the optimizer"),
        ("2 * hf:", 8, "unexpected end of the text; expected a call after 'hf:'"),
        ("0 * hf:constant", 1, "the factor must be a finite number above 0, got 0"),
        (f"{10**310} * hf:constant", 1, f"the factor must be a finite number above 0, got 1{'0' * 39}..."),
        ("3 * cosine", 1, "expected a schedule, such as warmup_cosine(10, 100), got 3 * cosine"),
        ("torch:StepLR(3) 4", 17, "unexpected '4' after ')'"),
        ("torch:StepLR(foo)", 14, "unknown name 'foo'; "),
        ("optax:to_optax(3)", 7, f"unknown name 'to_optax'; the names are {OPTAX}"),
        ("optax:linear_schedul(0, 1, 5)", 7, "unknown name 'linear_schedul'; did you mean 'linear_schedule'?"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(text: str, column: int, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        from_expression(text)
    assert str(caught.value).startswith(f"from_expression: line 1, column {column}: {message}")
    assert caught.value.column == column
    if not message.endswith("; "):
        assert str(caught.value).split("\n")[0].endswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hf:cosine(num_warmup_steps=10)", r"column 4: .*: `num_training_steps` must be given for 'cosine', got None"),
        ("torch:LambdaLR(3)", r"column 7: LambdaLR takes a Python function"),
        ("torch:ReduceLROnPlateau()", r"column 7: ReduceLROnPlateau follows a metric"),
        ("optax:contrib.reduce_on_plateau()", r"column 7: reduce_on_plateau follows a metric"),
        ("torch:CosineAnnealingLR(9, eta_min=0.1)", r"column 7: `eta_min` is a learning rate, so it needs base_lr"),
        ("torch:ChainedScheduler([StepLR(3, base_lr=1), StepLR(3, base_lr=2)])", r"column 7: .*got 1\.0 and 2\.0\n"),
        ("hf:get_wsd_schedule(3)", r"column 4: get_wsd_schedule: missing a required argument: 'num_decay_steps'"),
        ("hf:get_constant_schedule(5)", r"column 4: get_constant_schedule: `last_epoch` must be -1"),
        ("torch:os.system('true')", r"column 7: unknown name 'os\.system'; the names are ChainedScheduler, "),
        ("torch:StepLR(gamma=0.5)", r"column 7: .*missing 1 required positional argument: 'step_size'"),
        ("torch:StepLR(0)", r"column 7: from_lr_scheduler: "),
        ("torch:SequentialLR([], [])", r"column 7: "),
        ("torch:SequentialLR([StepLR()], [])", r"column 21: .*'step_size'"),
        ("torch:ChainedScheduler(3)", r"column 7: "),
        ("torch:StepLR(StepLR(3))", r"column 7: "),
        ("optax:constant_schedule('high')", r"column 7: constant_schedule: `value` must be a"),
    ],
)
def test_an_error_of_a_function_points_at_its_call(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=f"^from_expression: line 1, {message}"):
        from_expression(text)


def test_an_unknown_prefix_is_an_error() -> None:
    message = "from_expression: unknown prefix 'jax:'; the prefixes are 'hf:', 'optax:', 'torch:'"
    with pytest.raises(ParseError, match=f"^{message}$"):
        from_expression("jax:cosine()")


def test_a_text_that_is_too_long_or_too_deep_is_an_error() -> None:
    with pytest.raises(
        ParseError, match=r"^from_expression: `text` must be at most 100000 characters long, got 100015$"
    ):
        from_expression("torch:StepLR(" + " " * MAX_LENGTH + "3)")
    for opening, nesting in ("[", "brackets"), ("ChainedScheduler(", "calls"):
        with pytest.raises(ParseError, match=rf"^from_expression: line 1, column \d+: more than 50 nested {nesting}\n"):
            from_expression("torch:ChainedScheduler(" + opening * 2000)


def test_other_types_than_str_are_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"^from_expression: `text` must be a string, got 3$"):
        from_expression(3)


@pytest.mark.parametrize(
    "text",
    [
        "3e-4 * warmup_cosine(10, 100)",
        " 0.0003*warmup_cosine(10, total_steps=n)",
        "warmup_cosine(10, n) * peak",
        "peak * hf:get_cosine_schedule_with_warmup(10, n)",
        "(peak - 2e-4 + peak * 2) / 7 * 3 * torch:lr_scheduler.SequentialLR([LinearLR(0.5), StepLR(30)], [10])",
        "hf : cosine(num_warmup_steps=10, num_training_steps=n) * peak",
        "1 / 3 * optax:optax.constant_schedule(9e-4)",
    ],
)
def test_a_number_times_an_expression(text: str) -> None:
    schedule, peak = from_expression(text, n=100, peak=3e-4)
    assert peak == pytest.approx(3e-4)
    assert schedule == fs.warmup_cosine(10, 100) or "cosine" not in text


@pytest.mark.parametrize(
    "text", ["0 * constant()", "1e999 * constant()", "1.2.3 * constant()", "3e-4 * constant(", "2 *"]
)
def test_a_peak_times_no_schedule(text: str) -> None:
    with pytest.raises(fs.ParseError):
        from_expression(text)
