"""Every published recipe at its landmarks, with the numbers of its source; and the errors about names."""

import json
from pathlib import Path

import pytest

import funcsched as fs

BILLION, TRILLION = 10**9, 10**12

# The unit, the end of the run, and the value of each curve at counts that the source names: after the warmup, at each
# change of stage and at the end. All numbers are those of the source.
LANDMARKS: dict[str, tuple[str, float, dict[str, dict[float, float]]]] = {
    "apertus-8b": (
        "samples",
        3_662_109_375,
        {
            "lr": {2_048_000: 5.5e-5, 4_096_000: 1.1e-4, 3_258_203_569: 1.1e-4, 3_662_109_375: 1.1e-5},
            "batch_size": {1_718_271_999: 1024, 1_718_272_000: 2048},
            "weight_decay": {0: 0.1},
        },
    ),
    "apertus-70b": (
        "samples",
        3_662_109_375,
        {
            # After a quarter of the decay, 1 - sqrt(1/4) of the difference of 9e-6 is left.
            "lr": {4_096_000: 1e-5, 3_258_203_569: 1e-5, 3_359_180_020.5: 5.5e-6, 3_662_109_375: 1e-6},
            "batch_size": {1_072_164_863: 2048, 1_072_164_864: 4096},
            "weight_decay": {0: 0.1},
        },
    ),
    "deepseek-llm-7b": (
        "tokens",
        2 * TRILLION,
        {
            "lr": {
                2000 * 2304 * 4096: 4.2e-4,
                1.6 * TRILLION - 1: 4.2e-4,
                1.6 * TRILLION: 0.316 * 4.2e-4,
                1.8 * TRILLION: 4.2e-5,
            },
            "batch_size": {0: 2304},
            "weight_decay": {0: 0.1},
        },
    ),
    "deepseek-llm-67b": (
        "tokens",
        2 * TRILLION,
        {
            "lr": {2000 * 4608 * 4096: 3.2e-4, 1.6 * TRILLION: 0.316 * 3.2e-4, 1.8 * TRILLION: 3.2e-5},
            "batch_size": {0: 4608},
            "weight_decay": {0: 0.1},
        },
    ),
    "deepseek-v2": (
        "tokens",
        8.1 * TRILLION,
        {
            "lr": {
                2000 * 2304 * 4096: 2.4e-4,
                4.86 * TRILLION - 1: 2.4e-4,
                4.86 * TRILLION: 0.316 * 2.4e-4,
                7.29 * TRILLION: 0.316 * 0.316 * 2.4e-4,
            },
            "batch_size": {0: 2304, 225 * BILLION: 9216},
            "weight_decay": {0: 0.1},
        },
    ),
    "deepseek-v2-lite": (
        "tokens",
        5.7 * TRILLION,
        {
            "lr": {
                2000 * 4608 * 4096: 4.2e-4,
                4.56 * TRILLION: 0.316 * 4.2e-4,
                5.13 * TRILLION: 0.316 * 0.316 * 4.2e-4,
            },
            "batch_size": {0: 4608},
            "weight_decay": {0: 0.1},
        },
    ),
    "deepseek-v3": (
        "tokens",
        14.8 * TRILLION,
        {
            "lr": {
                2000 * 3072 * 4096: 2.2e-4,
                10 * TRILLION: 2.2e-4,
                12.15 * TRILLION: 1.21e-4,  # the middle of the cosine
                14.3 * TRILLION: 2.2e-5,
                14.633 * TRILLION - 1: 2.2e-5,
                14.633 * TRILLION: 7.3e-6,
                14.8 * TRILLION: 7.3e-6,
            },
            "batch_size": {0: 3072, 469 * BILLION: 15360},
            "weight_decay": {0: 0.1},
        },
    ),
    "dinov2": (
        "epochs",
        100,
        {
            "lr": {10: 4e-3, 100: 1e-6},
            "weight_decay": {0: 0.04, 50: 0.22, 100: 0.4},
            "teacher_momentum": {0: 0.992, 100: 1.0},
        },
    ),
    "dinov3-7b": (
        "epochs",
        1000,
        {"lr": {50: 2.5e-5, 100: 5e-5, 1000: 5e-5}, "last_layer_lr": {4.999: 0, 5: 2.5e-6, 100: 5e-5}},
    ),
    "glm-4.5": (
        "tokens",
        23 * TRILLION,
        {"lr": {0: 2.5e-4, 23 * TRILLION: 2.5e-5}, "batch_tokens": {0: 16e6, 500 * BILLION: 64e6}},
    ),
    "gpt-3": (
        "tokens",
        300 * BILLION,
        {
            "lr": {375_000_000: 6e-5, 260 * BILLION: 6e-6, 300 * BILLION: 6e-6},
            "batch_tokens": {0: 32_000, 12 * BILLION: 3_200_000},
            "weight_decay": {0: 0.1},
        },
    ),
    "gpt-neox-20b": ("updates", 150_000, {"lr": {1500: 9.7e-5, 150_000: 9.7e-6}}),
    "kimi-k2": (
        "tokens",
        15.96 * TRILLION,
        {
            "lr": {500 * 67_000_000: 2e-4, 10 * TRILLION: 2e-4, 15.5 * TRILLION: 2e-5, 15.96 * TRILLION: 7e-6},
            "batch_tokens": {0: 67e6},
            "weight_decay": {0: 0.1},
        },
    ),
    "llama-3-405b": (
        "updates",
        1_200_000,
        {
            "lr": {8_000: 8e-5, 1_200_000: 8e-7},
            "batch_tokens": {62: 4e6, 63: 8e6, 358_781: 8e6, 358_782: 16e6},
        },
    ),
    "minicpm": ("updates", 5_000, {"lr": {0: 0.01, 5_000: 0.005}}),
    "moonlight": (
        "tokens",
        5.7 * TRILLION,
        {
            "lr": {
                33 * BILLION: 4.2e-4,
                5.2 * TRILLION: 4.2e-5,
                5.2 * TRILLION + 100 * 4096 * 8192: 1e-4,
                5.7 * TRILLION: 0,
            },
            "batch_size": {200 * BILLION - 1: 2048, 200 * BILLION: 4096},
        },
    ),
    "nanogpt": (
        "updates",
        600_000,
        {
            "lr": {0: 6e-4 / 2001, 1000: 6e-4 * 1001 / 2001, 2000: 6e-4, 600_000: 6e-5},
            "weight_decay": {0: 0.1},
        },
    ),
    "olmo-2-32b": (
        "updates",
        774_861,
        {"lr": {2000: 6e-4, 774_861: 6e-5}, "batch_tokens": {0: 2048 * 4096}, "weight_decay": {0: 0.1}},
    ),
    "olmo-3-32b": (
        "updates",
        656_000,
        {
            # The cosine has its middle at (2,000 + 706,912) / 2 and would have its end after 5.93T tokens. The last
            # value is 6e-5 + 5.4e-4 * (1 + cos(pi * 654,000 / 704,912)) / 2.
            "lr": {2000: 6e-4, 354_456: 3.3e-4, 656_000: 6.69205396750394e-5, 706_912: 6e-5},
            "batch_tokens": {0: 8_388_608},
            "weight_decay": {0: 0.1},
        },
    ),
    "olmo-3-7b": (
        "updates",
        1_413_814,
        {
            # The middle of the first cosine is at 597,046.5. The run stops before the end of the second one, at
            # 1.65e-4 - 1.35e-4 * sin(pi/2 * 816,768 / 1,071,885).
            "lr": {
                2000: 3e-4,
                597_045: 1.65e-4 + 5.34556973572881e-10,
                597_046: 1.65e-4,
                1_413_814: 3.93252716718147868e-5,
                1_668_931: 3e-5,
            },
            "batch_tokens": {0: 8192 * 512},
            "weight_decay": {0: 0.1},
        },
    ),
    "olmo-3-7b-midtraining": (
        "updates",
        47_684,
        {"lr": {0: 0.00020712352850360292, 47_684: 0}, "batch_tokens": {0: 2**21}, "weight_decay": {0: 0.1}},
    ),
    "olmo-3-7b-long-context": (
        "updates",
        11_921,
        {
            "lr": {0: 0, 200: 0.00020712352850360292, 11_921: 0},
            "batch_tokens": {0: 65_536 * 64},
            "weight_decay": {0: 0.1},
        },
    ),
    "palm-540b": (
        "updates",
        255_000,
        {
            "lr": {0: 0.01, 10_000: 0.01, 40_000: 0.005, 250_000: 0.002},
            "batch_size": {0: 512, 50_000: 1024, 115_000: 2048},
        },
    ),
    "pythia-12b": ("updates", 143_000, {"lr": {1430: 1.2e-4, 143_000: 1.2e-5}, "batch_tokens": {0: 8 * 2 * 64 * 2048}}),
    "smollm-135m": ("updates", 600_000, {"lr": {5000: 3e-3, 500_000: 3e-3, 525_000: 1.5e-3, 600_000: 0}}),
    "smollm-360m": ("updates", 600_000, {"lr": {5000: 3e-3, 500_000: 3e-3, 525_000: 1.5e-3, 600_000: 0}}),
    "smollm-1.7b": ("updates", 500_000, {"lr": {2000: 5e-4, 400_000: 5e-4, 425_000: 2.5e-4, 500_000: 0}}),
    "smollm2-135m": ("updates", 2_000_000, {"lr": {2000: 3e-3, 1_600_000: 3e-3, 1_800_000: 1.5e-3, 2_000_000: 0}}),
    "smollm2-360m": ("updates", 2_600_000, {"lr": {2000: 3e-3, 2_080_000: 3e-3, 2_340_000: 1.5e-3, 2_600_000: 0}}),
    "smollm2-1.7b": ("updates", 5_240_000, {"lr": {2000: 5e-4, 4_716_000: 5e-4, 4_978_000: 2.5e-4, 5_240_000: 0}}),
    "smollm3": (
        "updates",
        4_720_000,
        {"lr": {2000: 2e-4, 4_198_001: 2e-4, 4_459_001: 1e-4, 4_720_001: 0}, "batch_tokens": {0: 2_359_296}},
    ),
    "swin": ("epochs", 300, {"lr": {0: 5e-7, 20: 5e-4, 300: 5e-6}, "weight_decay": {0: 0.05}}),
    "tinyllama": ("updates", 1_430_512, {"lr": {2000: 4e-4, 1_430_512: 4e-5}}),
    "whisper-large": ("updates", 2**20, {"lr": {2048: 1.75e-4, 2**20: 0}, "batch_size": {0: 256}}),
}


def test_every_recipe_has_the_values_of_its_source() -> None:
    assert fs.published() == sorted(LANDMARKS)
    for name, (unit, length, curves) in LANDMARKS.items():
        plan = fs.published(name)
        assert (plan.run, list(plan.curves)) == ({unit: length}, list(curves)), name
        for curve, values in curves.items():
            for count, value in values.items():
                assert plan.at(count)[curve] == pytest.approx(value, rel=1e-12, abs=0), (name, curve, count)


def test_every_recipe_is_readable_data_with_a_source_and_survives_text_and_data() -> None:
    for path in (Path(fs.__file__).parent / "plans" / "recipes").iterdir():
        plan = fs.published(path.stem)
        assert plan.source and plan.stages and isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
        assert fs.Plan.parse(repr(plan)) == plan == fs.Plan.from_dict(json.loads(json.dumps(plan.to_dict())))


# The warmups that are published in updates, in tokens: updates times sequences times tokens of a sequence.
WARMUPS_IN_TOKENS = {
    "deepseek-llm-7b": 2000 * 2304 * 4096,
    "deepseek-llm-67b": 2000 * 4608 * 4096,
    "deepseek-v2": 2000 * 2304 * 4096,
    "deepseek-v2-lite": 2000 * 4608 * 4096,
    "deepseek-v3": 2000 * 3072 * 4096,
    "kimi-k2": 500 * 67_000_000,
}


def test_warmups_that_are_published_in_updates_have_their_length_in_tokens() -> None:
    for name, tokens in WARMUPS_IN_TOKENS.items():
        plan = fs.published(name)
        peak = plan.curves["lr"].peak_value
        assert plan.stages["constant"] == tokens, name
        assert [plan.at(count)["lr"] for count in (0, tokens / 2, tokens)] == [0, peak / 2, peak], name
    # The second warmup of Moonlight: 100 updates of 4,096 sequences of 8,192 tokens, from 4.2e-5 to 1e-4.
    moonlight, begin = fs.published("moonlight"), 5.2 * TRILLION
    rates = [moonlight.at(begin + part * 100 * 4096 * 8192)["lr"] for part in (0, 0.5, 1)]
    assert rates == pytest.approx([4.2e-5, 7.1e-5, 1e-4], rel=1e-12)


# What the sources do not give.
NOT_PUBLISHED = {
    "deepseek-v2": "the shape of the batch size over the first 225B tokens",
    "deepseek-v3": "the shape of the batch size over the first 469B tokens",
    "glm-4.5": "the length of the warmup",
    "gpt-3": "over how many tokens the batch size of this model grows",
    "kimi-k2": "the shape of the decay from 2e-5 to 7e-6",
    "llama-3-405b": "the last 40M tokens",
    "minicpm": "the lengths of warmup, constant phase and decay",
    "moonlight": "whether the last 500B tokens include the second warmup",
}


def test_what_was_not_published_or_not_included_is_listed() -> None:
    for name, text in NOT_PUBLISHED.items():
        assert any(text in note for note in fs.published(name).notes), name
    for name in fs.published():
        plan = fs.published(name)
        assert ("weight_decay" in plan.curves) != ("not included: the weight decay" in plan.notes), name


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("DeepSeek-V3", ValueError, "published: unknown recipe 'DeepSeek-V3'; did you mean 'deepseek-v3'?"),
        (
            "../recipes/gpt-3",
            ValueError,
            "published: unknown recipe '../recipes/gpt-3'; fs.published() lists all names",
        ),
        (3, TypeError, "published: `name` must be the name of a recipe, got 3"),
    ],
)
def test_an_unknown_name_is_refused(name: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as info:
        fs.published(name)
    assert str(info.value) == message
