"""Logs as trainers write them, and files that are no logs."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch

import funcsched as fs
from funcsched.evidence.check_log import check_log
from funcsched.evidence.logs import read_log
from funcsched.evidence.report import identify_file

SCHEDULE, PEAK = fs.warmup_cosine(20, 200, end=0.1), 3e-4
STEPS = list(range(0, 200, 5))
RATES = [PEAK * SCHEDULE(step) for step in STEPS]


def test_csv_and_json_lines(tmp_path: Path) -> None:
    for step_name, rate_name in [
        ("step", "lr"),
        ("global_step", "learning_rate"),
        ("iteration", "rate"),
        ("step", "lr-AdamW"),
    ]:
        table = tmp_path / "log.csv"
        rows = [f"{step_name},loss,{rate_name}", *(f"{s},1.5,{r:.6g}" for s, r in zip(STEPS, RATES, strict=True))]
        table.write_text("\n".join(rows))
        lines = tmp_path / "log.jsonl"
        lines.write_text(
            "\n".join(json.dumps({step_name: s, "loss": 1.5, rate_name: r}) for s, r in zip(STEPS, RATES, strict=True))
        )
        assert list(read_log(lines)) == [STEPS, RATES]
        steps, rates = read_log(table)
        assert steps == STEPS and rates == [float(f"{r:.6g}") for r in RATES]


def test_trainer_state_of_transformers(tmp_path: Path) -> None:
    from transformers.trainer_callback import TrainerState

    state = TrainerState(global_step=200)
    state.log_history = [
        {"loss": 2.0, "grad_norm": 1.0, "learning_rate": r, "epoch": 0.1, "step": s}
        for s, r in zip(STEPS, RATES, strict=True)
    ] + [{"train_runtime": 3.0, "epoch": 1.0, "step": 200}]
    path = tmp_path / "trainer_state.json"
    state.save_to_json(str(path))
    assert list(read_log(path)) == [STEPS, RATES]
    text, status = identify_file(path)
    assert status == 0
    assert text.startswith(
        "0.0003 * warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)\nexplains 40 of 40 points"
    )
    assert text.endswith(
        "\nin torch: bridges.torch.lambda_lr(optimizer, warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)), "
        "with lr=0.0003 in the optimizer"
        "\nin JAX: bridges.optax.to_optax(warmup_cosine(warmup_steps=20, total_steps=200, end=0.1), 0.0003)"
        "\nin transformers, optax, Megatron, ...: see funcsched show warmup_cosine"
    )


def test_metrics_of_lightning(tmp_path: Path) -> None:
    from lightning.fabric.loggers import CSVLogger

    logger = CSVLogger(str(tmp_path), name="run", version=0)
    for step, rate in zip(STEPS, RATES, strict=True):
        logger.log_metrics({"lr-AdamW": rate}, step)
        logger.log_metrics({"loss": 1.0}, step + 1)
    logger.save()
    assert list(read_log(tmp_path / "run" / "version_0" / "metrics.csv")) == [STEPS, RATES]


@pytest.mark.parametrize("new_style", [False, True])  # a float or a tensor in the message
def test_event_files_of_tensorboard(tmp_path: Path, new_style: bool) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(tmp_path))  # type: ignore[no-untyped-call]
    for step, rate in zip(STEPS, RATES, strict=True):
        writer.add_scalar("train/loss", 2.0, step, new_style=new_style)  # type: ignore[no-untyped-call]
        writer.add_scalar("train/lr", rate, step, new_style=new_style)  # type: ignore[no-untyped-call]
        writer.add_histogram("weights", torch.arange(9.0), step)  # type: ignore[no-untyped-call]
    writer.close()  # type: ignore[no-untyped-call]
    (path,) = tmp_path.iterdir()
    float32 = [struct.unpack("<f", struct.pack("<f", rate))[0] for rate in RATES]
    assert list(read_log(path)) == [STEPS, float32]
    assert read_log(path, column="train/loss").rates == [2.0] * len(STEPS)
    with pytest.raises(ValueError, match="has the tags train/loss, train/lr: none is 'lr'; name it"):
        read_log(path, column="lr")
    text, _ = identify_file(tmp_path)
    assert text.startswith("0.0003 * warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)")
    with path.open("ab") as file:  # an interrupted run leaves an incomplete record
        file.write(path.read_bytes()[:20])
    assert list(read_log(path)) == [STEPS, float32]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("spaces.json", b"  \n", "spaces.json is empty"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        ("latin.csv", b"step,lr\n1,0.5\n2,\xff\xfe\n", "is not a text file in UTF-8"),
        (
            "loss.csv",
            b"step,loss\n1,0.5\n",
            r"loss.csv has the columns step, loss: none is a learning rate such as lr; name it with `column`",
        ),
        ("loss.jsonl", b'{"step": 1, "loss": 0.5}\n', "has the keys step, loss: none is a learning rate such as lr"),
        (
            "epochs.csv",
            b"epoch,lr\n1,0.5\n",
            "has the columns epoch, lr: none has the steps; rename that one to one of step, global_step, iteration",
        ),
        ("bare.csv", b"0,0.1\n1,0.2\n", "begins with 0,0.1: the first line must be a header, such as step,lr"),
        ("nan.csv", b"step,lr\n1,nan\n", "has no numbers in 'lr' with a step, but 'nan'"),
        ("decimal_commas.csv", b"step;lr\n1;0,5\n", "has no numbers in 'lr' with a step, but '0,5'"),
        ("header.csv", b"step,lr\n", "header.csv contains no metrics"),
        ("broken.jsonl", b'{"step": 1, "lr": 0.1}\n{"step": 2, "lr"\n', "has invalid JSON in line 2"),
        ("cut.json", b'{"log_history": [{"step": 1,', "is not valid JSON"),
        ("list.json", b'{\n"a": 3}', "has neither JSON objects in lines nor a list `log_history`"),
        ("events.out.tfevents.1", b"\x18\0\0\0\0\0\0\0abcd" + b"\0" * 40, "is not a TensorBoard event file"),
        ("long.jsonl", b'{"step": 1, "lr": 0.1}\n{"a": "' + b"x" * 1_100_000, "more than a million characters"),
    ],
)
def test_files_that_are_no_logs(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_log(path)


def test_a_column_that_a_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,lr\n1,0.5\n")
    with pytest.raises(ValueError, match=r"has the columns step, lr: none is 'lr-SGD'; name it with `column` \(in the"):
        read_log(path, column="lr-SGD")


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("step, lr", None),
        ("Step,Learning Rate", None),
        ("\ufeffGlobal Step;LR", None),
        ("trainer/global_step\tTrain/Learning_Rate", None),
        ("\nstep,lr", "LR"),
        ("step , LR", "lr"),
        ('step;"AdamW, group 2"', "adamw,_group 2"),
    ],
)
def test_headers_as_spreadsheets_and_people_write_them(tmp_path: Path, header: str, column: str | None) -> None:
    path = tmp_path / "log.csv"
    separator = next(character for character in ";\t," if character in header)
    rows = [f"{step}{separator} {rate}" for step, rate in ((0, 0.5), (10, 0.25))]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    assert list(read_log(path, column=column)) == [[0, 10], [0.5, 0.25]]


def test_a_log_with_too_few_points(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,lr\n0,0.1\n1,0.2\n2,0.3\n")
    assert identify_file(path) == ("too few points of lr: 3; at least 5 are needed", 1)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("step,lr-AdamW/pg1,lr-AdamW/pg2", "lr-AdamW/pg1"),
        ("Step,sunny-1 - train/lr,loss", "sunny-1 - train/lr"),
        ("train/global_step,train/learning_rate,train/loss", "train/learning_rate"),
    ],
)
def test_names_of_loggers(header: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{header}\n0,0.1,0.2\n1,0.3,0.4\n")
    log = read_log(path)
    assert (log.name, log.steps, log.rates) == (name, [0, 1], [0.1, 0.3])


def test_the_last_line_may_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "lr": 0.1}\n{"step": 2, "lr": 0.2}\n{"step": 3, "l')
    assert list(read_log(path)) == [[1, 2], [0.1, 0.2]]


def test_long_logs_are_thinned_out(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("step,lr\n" + "\n".join(f"{step},{0.5 / (1 + step):.6g}" for step in range(50_000)))
    steps, rates = read_log(path)
    assert 2_000 <= len(steps) <= 4_000 and steps == list(range(0, 50_000, steps[1]))
    assert rates[1] == float(f"{0.5 / (1 + steps[1]):.6g}")


def test_every_row_of_a_long_log_is_compared(tmp_path: Path) -> None:
    path, schedule = tmp_path / "long.csv", fs.warmup_linear(100, 10_000)
    rates = [1e-3 * schedule(step) for step in range(10_000)]
    rates[5_002] = 0.1  # not among the 4,000 points
    path.write_text("step,lr\n" + "\n".join(f"{step},{rate!r}" for step, rate in reversed([*enumerate(rates)])))
    text, status = check_log(schedule, path, 1e-3)
    assert text.splitlines() == [
        f"lr leaves 0.001 * {schedule!r} at step 5002: 0.1 instead of 0.000504848",
        "9999 of 10000 points follow it",
    ]
    assert status == 1
    lines = identify_file(path)[0].splitlines()
    assert lines[:2] == [
        f"0.001 * {schedule!r}",
        "explains 9999 of 10000 points of lr; the log leaves it at step 5002, reason: unknown",
    ]
