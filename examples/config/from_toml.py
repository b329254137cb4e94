"""A schedule in a TOML file, as an expression or as data. Requires Python 3.11 or later, for `tomllib`.

Run it: python examples/config/from_toml.py
"""

from __future__ import annotations

import tomllib

import funcsched as fs

AS_EXPRESSION = """
[optimizer]
learning_rate = 0.001
schedule = "warmup_cosine(warmup_steps=1_000, total_steps=100_000, end=0.1)"
"""
AS_DATA = """
[optimizer]
learning_rate = 0.001

[optimizer.schedule]
format = 1
schedule.warmup_cosine = { warmup_steps = 1_000, total_steps = 100_000, end = 0.1 }
"""


def read(text: str) -> tuple[float, fs.Schedule]:
    """The peak learning rate and the schedule."""
    settings = tomllib.loads(text)["optimizer"]
    value = settings["schedule"]
    schedule = fs.parse(value) if isinstance(value, str) else fs.from_dict(value)
    return float(settings["learning_rate"]), schedule


def main() -> None:
    peak_value, schedule = read(AS_EXPRESSION)
    assert read(AS_DATA) == (peak_value, schedule)
    print(f"{peak_value} * {schedule}")


if __name__ == "__main__":
    main()
