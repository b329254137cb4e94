"""A schedule on the command line.

Run it: python examples/config/from_argparse.py --schedule "warmup_linear(10, 100)"
"""

from __future__ import annotations

import argparse

import funcsched as fs


def read(arguments: list[str] | None = None) -> tuple[float, fs.Schedule]:
    """The peak learning rate and the schedule. If the schedule is invalid, argparse exits with the error of `parse`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--schedule", type=fs.parse, default="warmup_cosine(1_000, 100_000, end=0.1)")
    options = parser.parse_args(arguments)
    return options.learning_rate, options.schedule


def main() -> None:
    peak_value, schedule = read()
    print(f"{peak_value} * {schedule}")


if __name__ == "__main__":
    main()
