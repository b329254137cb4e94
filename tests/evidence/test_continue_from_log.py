"""examples/continue_from_log.py on the log of a run with the Trainer of transformers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from examples import continue_from_log

STOP, TOTAL = 120, 200


class Model(torch.nn.Module):
    """A linear model with the loss that the Trainer expects."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": ((x @ self.weight - y) ** 2).mean()}


X = np.array([[1.0, 0.5], [-0.5, 2.0]], np.float32)
Y = np.array([0.7, -0.3], np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float], torch.Tensor]:
    """A run with a checkpoint at update 120: its folder, all rates, and the weights at the end."""
    from transformers import Trainer, TrainingArguments

    folder = tmp_path_factory.mktemp("run")
    arguments = TrainingArguments(
        str(folder),
        max_steps=TOTAL,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": 0.1},
        warmup_steps=20,
        learning_rate=0.05,
        optim="sgd",
        max_grad_norm=0.0,
        per_device_train_batch_size=2,
        logging_steps=1,
        save_steps=STOP,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    model = Model()
    data = [{"x": torch.tensor(x), "y": torch.tensor(y)} for x, y in zip(X, Y, strict=True)]
    trainer = Trainer(model, arguments, train_dataset=data)  # type: ignore[arg-type]
    trainer.train()
    rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    return folder / f"checkpoint-{STOP}", rates, model.weight.detach()


def loss(weight: Any, batch: Any) -> Any:
    x, y = batch
    return ((x @ weight - y) ** 2).mean()


def test_the_run_continues_as_in_torch(run: tuple[Path, list[float], torch.Tensor]) -> None:
    from safetensors.numpy import load_file

    checkpoint, rates, weight = run
    result, made = continue_from_log.rates_of(checkpoint / "trainer_state.json")
    assert result.expression == "0.05 * warmup_cosine(warmup_steps=20, total_steps=200, end=0.1)"
    assert (made, result.explained, result.counted_from, result.certain) == (STOP, STOP, 1, True)
    rate = continue_from_log.remaining_rate(result, made)
    assert np.array(rate(jnp.arange(TOTAL - STOP))) == pytest.approx(rates[STOP:], rel=1e-6)
    start = jnp.asarray(load_file(checkpoint / "model.safetensors")["weight"])
    batches = [(X, Y)] * (TOTAL - STOP)
    end = continue_from_log.continue_run(loss, start, batches, rate, optax.sgd)
    assert np.array(end) == pytest.approx(weight.numpy(), rel=1e-5)
    assert abs(np.array(start) - weight.numpy()).max() > 1e-3  # the updates matter


def test_command(
    run: tuple[Path, list[float], torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, figure = run[0] / "trainer_state.json", tmp_path / "figure.png"
    monkeypatch.setattr(sys, "argv", ["continue_from_log.py", str(log), "--figure", str(figure)])
    continue_from_log.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0.05 * warmup_cosine(warmup_steps=20, total_steps=200, end=0.1), certain"
    assert lines[1] == "updates 120 to 200, rate 0.02359 to 0.005"  # 0.05 * (0.1 + 0.45 * (1 + cos(100 / 180 * pi)))
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_log_without_a_schedule(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    records = [{"step": step, "learning_rate": rate} for step, rate in enumerate([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])]
    path.write_text(json.dumps({"global_step": 7, "log_history": records}))
    with pytest.raises(SystemExit, match="no schedule explains all points"):
        continue_from_log.rates_of(path)
