"""The example of training with published plans: both frameworks use the rates of the plan at every update."""

import sys

import numpy as np
import pytest

import funcsched as fs
from examples.plans import train


def tokens_at_every_update(run: train.Run) -> list[int]:
    """The tokens before each update, counted one update after another."""
    ramp = train.batch_ramp(run.tokens)
    tokens, counts = 0, []
    while tokens < run.tokens.length:
        counts.append(tokens)
        tokens += 64 * [size for first, size in ramp if first <= tokens][-1]
    return counts


def test_jax_and_torch_train_with_the_rates_of_the_published_plans_at_every_update() -> None:
    for name in train.NAMES:
        run = train.scaled_run(name, updates_per_stage=1.1)
        published = fs.published(name)
        factor = published.length / run.tokens.length
        expected = np.array([30 * published.at(factor * tokens)["lr"] for tokens in tokens_at_every_update(run)])
        jax, jax_accuracy = train.train_jax(run)
        torch, torch_accuracy = train.train_torch(run)
        assert len(jax) == len(torch) == len(expected) == run.updates.length, name
        assert torch == pytest.approx(expected, rel=1e-9, abs=1e-12), name
        assert jax == pytest.approx(expected, rel=2e-6, abs=1e-9), name
        assert min(jax_accuracy, torch_accuracy) > 0.9, name


def test_the_script_prints_the_rates_at_each_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "kimi-k2"])
    train.main()
    text = capsys.readouterr().out
    assert text.startswith("kimi-k2: 953 updates, 1951744 tokens\n")
    assert "  constant     update     3  JAX 6.000000e-03  PyTorch 6.000000e-03\n" in text
