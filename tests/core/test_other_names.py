"""Errors about names that other libraries have."""

from typing import Any

import pytest

import funcsched as fs


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("warmup_cosine(1, 9, eta_min=0.1)", "did you mean 'end'? It is a multiple of the peak: end = eta_min / peak"),
        (
            "warmup_cosine(1, 9, init_value=0)",
            "did you mean 'start'? It is a multiple of the peak: start = init_value / peak",
        ),
        ("warmup_cosine(1, 9, min_lr_ratio=0.1)", "did you mean 'end'?"),
        ("warmup_cosine(1, decay_steps=9)", "did you mean 'total_steps'? It includes the warmup"),
        (
            "one_cycle(total_steps=9, pct_start=0.3)",
            "did you mean 'warmup_steps'? It is a number of steps: warmup_steps = round(pct_start * total_steps)",
        ),
        (
            "warmup_stable_decay(warmup_steps=1, num_training_steps=9)",
            "the total is warmup_steps + stable_steps + decay_steps",
        ),
        ("warmup_stable_decay(1, 5, 3, decay_type='cosine')", "did you mean 'decay_shape'?"),
        ("multistep(milestones=[3])", "did you mean 'boundaries'?"),
        ("multistep([3], gamma=0.5)", "did you mean 'factor'?"),
        ("exponential_decay(gamma=0.5)", "did you mean 'rate'?"),
        (
            "warmup_linear(1, 9, peak_value=3e-4)",
            "the values are multiples of the peak, which is the `lr` of a torch optimizer or an argument of to_optax",
        ),
    ],
)
def test_an_argument_of_another_library_is_named(text: str, hint: str) -> None:
    with pytest.raises(fs.ParseError, match=r"has no argument") as error:
        fs.parse(text)
    assert str(error.value).splitlines()[0].endswith(f"; {hint}")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lambda_lr", "it is in bridges.torch"),
        ("to_optax", "it is in bridges.optax"),
        ("wsd", "`funcsched show` finds the names of other libraries"),
    ],
)
def test_a_name_that_is_not_in_the_package(name: str, hint: str) -> None:
    package: Any = fs
    with pytest.raises(AttributeError) as error:
        getattr(package, name)
    assert str(error.value) == f"module 'funcsched' has no attribute {name!r}; {hint}"
