"""Entries are found by the names that other libraries use, and by parts of names."""

import pytest

from funcsched.cli.main import main
from funcsched.cli.names import SECTIONS, names_in

Captured = pytest.CaptureFixture[str]
OWN = [name for names in SECTIONS.values() for name in names]


@pytest.mark.parametrize(
    ("name", "own", "library"),
    [
        ("get_cosine_schedule_with_warmup", "warmup_cosine", "transformers"),
        ("CosineAnnealingLR", "ramp", "torch"),
        ("torch.optim.lr_scheduler.CosineAnnealingLR", "ramp", "torch"),
        ("wsd", "warmup_stable_decay", "MaxText"),
        ("inverse_square_root", "warmup_inverse_sqrt", "Megatron"),
        ("constant_with_warmup", "warmup_constant", "transformers"),
        ("get_lr", "warmup_cosine", "nanoGPT"),
    ],
)
def test_show_prints_the_entry_and_the_name_there(name: str, own: str, library: str, capsys: Captured) -> None:
    assert main(["show", name]) == 0
    named, _, entry = capsys.readouterr().out.partition("\n\n")
    assert f"In {library}, {own} is " in named
    assert entry.startswith(f"{own}(") and "\nArguments\n" in entry


def test_show_lists_several_entries(capsys: Captured) -> None:
    assert main(["show", "OneCycle"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text == (
        "In DeepSpeed, one_cycle is OneCycle; a decay after the cycle is that of `inverse_time` "
        "In DeepSpeed, inverse_time is the tail of OneCycle "
        "`funcsched show one_cycle` shows the arguments of the first one."
    )


def test_our_own_name_comes_first(capsys: Captured) -> None:
    assert main(["show", "cosine"]) == 0
    assert capsys.readouterr().out.startswith("cosine\n\nHalf a cosine wave")


def test_list_finds_names_summaries_and_names_in_other_libraries(capsys: Captured) -> None:
    def listed(pattern: str) -> list[str]:
        assert main(["list", pattern]) == 0
        lines = capsys.readouterr().out.splitlines()
        return [
            word for line in lines if line.startswith("  ") and line[2] != " " for word in [line.strip().split("(")[0]]
        ]

    assert {"warmup_cosine", "cosine", "cosine_restarts", "one_cycle", "ramp"} <= set(listed("cosine"))
    assert "linear" not in listed("cosine")
    assert listed("SGDR") == ["cosine_restarts"]  # in the summary and in a name
    assert listed("onecyclelr") == ["one_cycle", "lerp"]  # in other libraries
    assert sorted(listed("")) == sorted(OWN)


def test_list_prints_the_matching_names_of_other_libraries(capsys: Captured) -> None:
    assert main(["list", "sgdr"]) == 0
    text = capsys.readouterr().out
    assert "    optax: sgdr_schedule\n" in text and "Keras" not in text and "Shapes" not in text


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("cosine, cosine_with_min_lr; both rise", ["cosine", "cosine_with_min_lr"]),
        ("the tail of OneCycle", ["OneCycle"]),
        ("fixed; `warmup_offset` is 1", ["fixed"]),
        ("linear_warmup * rsqrt_normalized_decay", ["linear_warmup", "rsqrt_normalized_decay"]),
        ("decay_type 1-sqrt", ["decay_type", "1-sqrt"]),
        ("exponent of cosine_decay_schedule, as `reverse(power(2.0))`", ["exponent", "cosine_decay_schedule"]),
        ("a list of schedulers", []),
    ],
)
def test_the_names_in_an_entry(entry: str, names: list[str]) -> None:
    assert names_in(entry) == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "get_cosin_schedule_with_warmup"], "did you mean 'get_cosine_schedule_with_warmup'?"),
        (["show", "CosineAnealingLR"], "did you mean 'CosineAnnealingLR'?"),
        (["show", "with"], "unknown name 'with'"),
        (["list", "polynomal_decay"], "no entry contains 'polynomal_decay'; did you mean 'polynomial_decay'?"),
    ],
)
def test_an_unknown_name_gets_a_near_one(arguments: list[str], message: str, capsys: Captured) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
