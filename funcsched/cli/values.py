"""The subcommands `table` and `export`: the values of a schedule, and a function that computes them."""

from __future__ import annotations

import argparse
import sys
from heapq import merge
from itertools import groupby
from math import ceil

from funcsched.cli.arguments import without_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TABLE_ROWS = 20  # approximate number of rows without --every
_MANY_BOUNDARIES = 2000  # `phase_boundaries` finds at least so many before it omits any


def print_table(options: argparse.Namespace) -> int:
    """The subcommand `table`."""
    from funcsched.analysis.landmarks import phase_boundaries
    from funcsched.cli.published import run_of_recipes, unit_of_recipes
    from funcsched.plotting.layout import default_steps, round_spacing

    ((text, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    unit = unit_of_recipes([text])
    last = options.steps or run_of_recipes([text]) or default_steps(rated.schedule)
    every = options.every or round_spacing(last / _TABLE_ROWS)
    found = phase_boundaries(rated.schedule, last)
    boundaries = {ceil(step) for step in found if 0 < step <= last}
    if len(found) >= _MANY_BOUNDARIES and every > 1:
        reason = "of a part that repeats, only the first few thousand are found"
        print(f"note: phase boundaries may be missing: {reason}; `--every 1` prints every step", file=sys.stderr)
    # Lazy, because the table may be endless for practical purposes and its reader may close the pipe.
    steps = (step for step, _ in groupby(merge(range(0, last, every), sorted({*boundaries, last}))))

    def row(step: int) -> dict[str, Any]:
        value = float(rated.schedule(step))
        rate = None if peak is None else value * peak
        return {"step": step, "multiplier": value, "rate": rate, "boundary": step in boundaries}

    rows = map(row, steps)
    if options.json:
        import json

        print(
            json.dumps(
                {"expression": text, "unit": unit or "updates", "peak_value": peak, "rows": list(rows)},
                indent=2,
            )
        )
        return 0
    names = ["multiplier"] if peak is None else ["multiplier", "rate"]
    if options.csv:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([unit or "step", *names, "boundary"])
        writer.writerows([row["step"], *(row[name] for name in names), row["boundary"]] for row in rows)
        return 0
    width = max(len(str(last)), 4)
    print("  ".join([f"{unit or 'step':>{width}}", *(f"{name:>10}" for name in names)]))
    for values in rows:
        mark = ["phase boundary"] if values["boundary"] else []
        print("  ".join([f"{values['step']:>{width}}", *(f"{values[name]:>10.6g}" for name in names), *mark]))
    return 0


def print_source(options: argparse.Namespace) -> int:
    """The subcommand `export`."""
    from funcsched.cli.published import unit_of_recipes
    from funcsched.export.source import to_source

    ((text, rated),) = options.expressions
    peak = options.peak or (None if rated.peak_value == 1 else rated.peak_value)
    unit = unit_of_recipes([text]) or "updates"
    try:
        source = to_source(rated.schedule, options.to, peak_value=peak, name=options.name, unit=unit)
    except (TypeError, ValueError) as error:  # the schedule contains a function
        raise argparse.ArgumentError(None, f"argument EXPR: {without_function(error)}") from error
    print(source, end="")
    return 0
