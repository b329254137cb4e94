"""Entries are found by the names that other libraries use, and by parts of names."""

import json

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
        ("get_lr_multiplier", "warmup_stable_decay", "nanochat"),
        ("const", "warmup_constant", "open_clip"),
        ("const-cooldown", "warmup_stable_decay", "open_clip"),
        ("WarmupAnnealing", "warmup_linear", "NeMo"),
        ("PiecewiseLinear", "interpolate", "ignite"),
        ("PiecewiseSchedule", "interpolate", "RLlib"),
        ("CompositeParamScheduler", "join", "fvcore"),
        ("ReduceOnPlateauLR", "plateau", "mmengine"),
        ("reduce_on_plateau", "plateau", "optax"),
        ("GreedyLR", "greedy", "transformers"),
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


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("one cycle", "one_cycle"),
        ("1cycle", "one_cycle"),
        ("Linear warmup", "warmup_linear"),
        ("cosine-restarts", "cosine_restarts"),
        ("trapezoidal", "warmup_stable_decay"),
        ("trapezoid", "warmup_stable_decay"),
        ("triangular2", "cyclic"),
        ("super-convergence", "one_cycle"),
        ("lr finder", "range_test"),
        ("llama factory wsd", "warmup_stable_decay"),
        ("warm restarts", "cosine_restarts"),
        ("plateau", "plateau"),
        ("hf:cosine(num_warmup_steps=10)", "warmup_cosine"),
        ("hf:constant", "constant"),
        ("torch:StepLR", "step_decay"),
        ("optax:linear_schedule", "ramp"),
    ],
)
def test_show_finds_an_entry_by_words(text: str, own: str, capsys: Captured) -> None:
    assert main(["show", text]) == 0
    assert capsys.readouterr().out.startswith(f"{own}(")


def test_words_of_several_entries_list_them(capsys: Captured) -> None:
    assert main(["show", "cosine annealing"]) == 0
    *entries, hint = [line for line in capsys.readouterr().out.splitlines() if line and line[0] != " "]
    assert [entry.split()[0] for entry in entries] == ["warmup_cosine", "cosine_restarts", "ramp", "repeat"]
    assert hint == "`funcsched show warmup_cosine` shows the arguments of the first one."


def test_list_and_show_print_json(capsys: Captured) -> None:
    assert main(["list", "SGDR", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert [*entry] == ["name", "kind", "summary", "arguments", "other_libraries"]
    assert (entry["name"], entry["kind"]) == ("cosine_restarts", "recipe")
    assert entry["arguments"][:3] == [
        {"name": "period", "default": None},
        {"name": "times", "default": "None"},
        {"name": "period_factor", "default": "1.0"},
    ]
    assert entry["other_libraries"]["torch"] == "CosineAnnealingWarmRestarts"
    assert main(["show", "SequentialLR", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["name"] == "join" and shown["documentation"].startswith("One schedule after another")
    assert main(["list", "--json"]) == 0
    kinds = {entry["kind"] for entry in json.loads(capsys.readouterr().out)}
    assert kinds == {"recipe", "shape", "primitive", "combinator", "controller"}


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
    assert sorted(listed("")) == sorted([*OWN, "plateau", "greedy"])


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
        (["show", "with"], "unknown name 'with'; `funcsched list` shows all names"),
        (["show", "warmup"], "unknown name 'warmup'; `funcsched list warmup` shows the entries that contain it"),
        (["show", "num_warmup_steps"], "unknown name 'num_warmup_steps'; as an argument, it is warmup_steps here"),
        (["show", "lambda_lr"], "unknown name 'lambda_lr'; it is in bridges.torch"),
        (["show", "weight_decay"], "unknown name 'weight_decay'; `funcsched list` shows all names"),
        (["show", "gpt"], "unknown name 'gpt'; did you mean 'gpt-3'"),
        (["show", "hf:cosin_with_restarts"], "did you mean 'cosine_with_restarts'?"),
        (["list", "gpt-3"], "no entry contains 'gpt-3'; `funcsched published` lists the recipes of known models"),
        (["list", "polynomal_decay"], "no entry contains 'polynomal_decay'; did you mean 'polynomial_decay'?"),
    ],
)
def test_an_unknown_name_gets_a_near_one(arguments: list[str], message: str, capsys: Captured) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
