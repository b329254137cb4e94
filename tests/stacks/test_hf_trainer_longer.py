"""A run of `transformers.Trainer` that resumes with more epochs: planned changes pass, others are visible."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import funcsched as fs
from examples.stacks import hf_trainer_longer
from examples.stacks.hf_trainer_longer import build


def test_the_example_extends_the_constant_phase(capsys: pytest.CaptureFixture[str]) -> None:
    expected = [0.5 * min(update / 4, 1, (40 - update) / 6) for update in range(40)]
    assert hf_trainer_longer.main() == pytest.approx(expected, rel=1e-15)
    assert "learning rates of 40 updates: [0.0, 0.125, 0.25, " in capsys.readouterr().out


@pytest.mark.filterwarnings("default")  # a warning that is an error is not dropped
def test_a_schedule_that_changes_the_past_is_rejected_or_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    build(str(tmp_path), 1, fs.warmup_linear(4, 10)).train()
    longer = fs.warmup_linear(4, 20)
    with pytest.raises(ValueError, match=r"^load_state_dict: .* diverge at step 5; at step 10, where the run resumes"):
        build(str(tmp_path), 2, longer).train(resume_from_checkpoint=True)
    trainer = build(str(tmp_path), 2, longer, on_mismatch="warn")
    trainer.train(resume_from_checkpoint=True)
    rates = [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry]
    assert rates[10:] == pytest.approx([0.5 * (20 - update) / 16 for update in range(10, 20)], rel=1e-15)
    (record,) = (record for record in caplog.records if record.name == "funcsched")
    assert record.levelno == logging.WARNING and "the learning rate would jump from 0 to 0.3125" in record.getMessage()
    # Control: the Trainer drops the warning itself.
    assert not any("would jump" in str(warning.message) for warning in recwarn)
