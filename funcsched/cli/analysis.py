"""The subcommands `compare` and `check`."""

from __future__ import annotations

import argparse
import json

from funcsched.cli.arguments import positive_peak


def print_comparison(options: argparse.Namespace) -> int:
    """The subcommand `compare`."""
    from funcsched.analysis.compare import compare
    from funcsched.cli.published import print_unit, unit_of_recipes
    from funcsched.cli.wrapping import print_record

    (_, first), (_, second) = options.expressions
    unit = unit_of_recipes([text for text, _ in options.expressions]) or "updates"
    result = compare(first.schedule, second.schedule, steps=options.steps)
    peaks = first.peak_value, second.peak_value
    are_rates = 1 not in peaks  # a multiplier has no learning rate to compare
    equal = result.equal and (peaks[0] == peaks[1] or not are_rates)
    if options.json:
        values = {name: getattr(result, name) for name in result.fields}
        print(json.dumps({**values, "equal": equal, "peak_values": peaks, "unit": unit}, indent=2))
        return 0 if equal else 1
    print_unit(unit)
    relative = ""
    if peaks[0] != peaks[1]:
        begin = "the peaks differ:" if are_rates else "compared as multipliers: the peak is"
        print_record(f"{begin} {peaks[0]!r} in the first, {peaks[1]!r} in the second")
        relative = "relative to their peaks, " if are_rates else ""
    print_record(f"{relative}{result}")
    return 0 if equal else 1


def print_findings(options: argparse.Namespace) -> int:
    """The subcommand `check`."""
    from funcsched.analysis.check import check
    from funcsched.cli.logs import print_log_check
    from funcsched.cli.published import as_published, print_unit, run_of_recipes, unit_of_recipes
    from funcsched.cli.wrapping import print_record

    if options.log is not None:
        for name in ("json", "steps", "quantity"):
            if getattr(options, name):
                raise argparse.ArgumentError(None, f"argument --{name}: not available with --log")
        return print_log_check(options)
    if options.column is not None:
        raise argparse.ArgumentError(None, "argument --column: requires --log")
    ((text, rated),) = options.expressions
    published_steps = run_of_recipes([text])
    steps = options.steps or published_steps
    if steps is None:
        raise argparse.ArgumentError(None, "argument --steps: required, except for a published recipe or with --log")
    unit = unit_of_recipes([text]) or "updates"
    peak = options.peak or positive_peak(rated)
    findings = check(rated.schedule, steps=steps, peak_value=peak, quantity=options.quantity or "learning rate")
    if steps == published_steps:
        findings = as_published(findings)
    if options.json:
        found = [{name: getattr(finding, name) for name in finding.fields} for finding in findings]
        print(json.dumps({"steps": steps, "unit": unit, "peak_value": peak, "findings": found}, indent=2))
    else:
        print_unit(unit)
        for finding in findings:
            print_record(str(finding), rest="    ")
        if not findings:
            print("no findings")
    return 1 if any(finding.severity == "warning" for finding in findings) else 0
