"""The subcommands `table` and `export`: the values of a schedule, and a function that computes them."""

from __future__ import annotations

import argparse
import sys

from funcsched.cli.arguments import without_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TABLE_ROWS = 20  # approximate number of rows without --every


def print_table(options: argparse.Namespace) -> int:
    """The subcommand `table`."""
    from itertools import chain

    from funcsched.cli.published import run_of_recipes
    from funcsched.plotting.layout import default_steps, round_spacing

    ((text, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    run = run_of_recipes([text])
    last = options.steps or (run[0] if run else default_steps(rated.schedule))
    every = options.every or round_spacing(last / _TABLE_ROWS)
    unit = run[1] if run else "step"
    columns = [unit, "multiplier"] if peak is None else [unit, "multiplier", "rate"]

    def row(step: int) -> tuple[Any, ...]:
        value = float(rated.schedule(step))
        return (step, value) if peak is None else (step, value, value * peak)

    rows = map(row, chain(range(0, last, every), [last]))
    if options.format == "csv":
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif options.format == "json":
        import json

        print("[" + ",\n ".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows) + "]")
    else:
        width = max(len(str(last)), 4)
        print("  ".join([f"{columns[0]:>{width}}", *(f"{name:>10}" for name in columns[1:])]))
        for step, *values in rows:
            print("  ".join([f"{step:>{width}}", *(f"{value:>10.6g}" for value in values)]))
    return 0


def print_source(options: argparse.Namespace) -> int:
    """The subcommand `export`."""
    from funcsched.export.source import to_source

    ((_, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    try:
        source = to_source(rated.schedule, options.to, peak_value=peak, name=options.name)
    except (TypeError, ValueError) as error:  # the schedule contains a function
        raise argparse.ArgumentError(None, f"argument EXPR: {without_function(error)}") from error
    print(source, end="")
    return 0
