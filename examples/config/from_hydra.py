"""A schedule in a Hydra configuration, with overrides from the command line.

Run it: python examples/config/from_hydra.py schedule.total_steps=200000
"""

from __future__ import annotations

import sys

from hydra.utils import instantiate
from omegaconf import OmegaConf

import funcsched as fs

CONFIG = """
learning_rate: 0.001
total_steps: 100_000
schedule:
  _target_: funcsched.warmup_cosine
  warmup_steps: 1_000
  total_steps: ${total_steps}
  end: 0.1
cooldown:
  _target_: funcsched.then
  schedule: ${schedule}
  boundary: 80_000
  steps: 20_000
  shape:
    _target_: funcsched.power
    exponent: 2
"""


def read(overrides: list[str]) -> tuple[float, fs.Schedule, fs.Schedule]:
    """The peak learning rate, the schedule, and the same schedule with a cooldown."""
    config = OmegaConf.merge(OmegaConf.create(CONFIG), OmegaConf.from_dotlist(overrides))
    return float(config.learning_rate), instantiate(config.schedule), instantiate(config.cooldown)


def main() -> None:
    peak_value, schedule, cooldown = read(sys.argv[1:])
    print(f"{peak_value} * {schedule}")
    print(f"{peak_value} * {cooldown}")


if __name__ == "__main__":
    main()
