"""A schedule on the command line.

Run it: python examples/config/from_argparse.py --schedule "warmup_linear(total // 10, total)" --total-steps 1000
"""

from __future__ import annotations

import argparse

import funcsched as fs


def read(arguments: list[str] | None = None) -> tuple[float, fs.Schedule]:
    """The peak learning rate and the schedule, in which `total` is the number of steps.

    If the schedule is invalid, argparse exits with the error of `parse`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--total-steps", type=int, default=100_000)
    parser.add_argument("--schedule", default="warmup_cosine(total // 100, total, end=0.1)")
    options = parser.parse_args(arguments)
    try:
        return options.learning_rate, fs.parse(options.schedule, total=options.total_steps)
    except fs.ParseError as error:
        parser.error(f"argument --schedule: {error}")


def main() -> None:
    peak_value, schedule = read()
    print(f"{peak_value} * {schedule}")


if __name__ == "__main__":
    main()
