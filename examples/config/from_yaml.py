"""A schedule in a YAML file, as an expression or as data.

Run it: python examples/config/from_yaml.py
"""

from __future__ import annotations

import yaml

import funcsched as fs

AS_EXPRESSION = """
optimizer:
  learning_rate: 0.001
  schedule: warmup_cosine(warmup_steps=1_000, total_steps=100_000, end=0.1)
"""
AS_DATA = """
optimizer:
  learning_rate: 0.001
  schedule:
    format: 1
    schedule:
      warmup_cosine: {warmup_steps: 1000, total_steps: 100000, end: 0.1}
"""


def read(text: str) -> tuple[float, fs.Schedule]:
    """The peak learning rate and the schedule."""
    settings = yaml.safe_load(text)["optimizer"]
    value = settings["schedule"]
    schedule = fs.parse(value) if isinstance(value, str) else fs.from_dict(value)
    return float(settings["learning_rate"]), schedule


def write(peak_value: float, schedule: fs.Schedule) -> str:
    """The text of a file for `read`, with the schedule as data."""
    return str(yaml.safe_dump({"optimizer": {"learning_rate": peak_value, "schedule": fs.to_dict(schedule)}}))


def main() -> None:
    peak_value, schedule = read(AS_EXPRESSION)
    assert read(AS_DATA) == read(write(peak_value, schedule)) == (peak_value, schedule)
    print(f"{peak_value} * {schedule}")


if __name__ == "__main__":
    main()
