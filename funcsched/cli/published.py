"""The subcommand `published`, and published recipes as arguments of the other subcommands."""

from __future__ import annotations

import argparse
import json
from math import ceil

from funcsched.analysis.findings import Finding
from funcsched.cli.wrapping import print_record, print_wrapped
from funcsched.plans.published import near_names, published

TYPE_CHECKING = False
if TYPE_CHECKING:
    from funcsched.plans.arguments import PlanCurve


def published_rate(text: str) -> PlanCurve | None:
    """The learning rate of a recipe, or None if the text is not the name of one.

    Raises:
        argparse.ArgumentTypeError: the text is no call, and similar to the name of a recipe.
    """
    names = published()
    if text in names:
        return published(text).curves["lr"]
    hint = "" if "(" in text else near_names(text, names)
    if hint:
        raise argparse.ArgumentTypeError(f"unknown recipe {text!r}; {hint}")
    return None


def run_of_recipes(texts: list[str]) -> int | None:
    """The longest run, if all texts are names of recipes."""
    names = published()
    return max(ceil(published(text).length) for text in texts) if {*texts} <= {*names} else None


def unit_of_recipes(texts: list[str]) -> str | None:
    """The unit of the recipes among the texts, or None if there are none. Other expressions have no unit.

    Raises:
        argparse.ArgumentError: the units of the recipes differ.
    """
    names = published()
    units = {text: published(text).unit for text in texts if text in names}
    if len({*units.values()}) > 1:
        counted = " and ".join(f"{text!r} in {unit}" for text, unit in units.items())
        other = next(text for text, unit in units.items() if unit != "updates")
        fix = f"fs.published({other!r}).in_updates(clock) converts a recipe to updates"
        raise argparse.ArgumentError(None, f"argument EXPR: the units differ: {counted}; {fix}")
    return next(iter(units.values()), None)


def print_unit(unit: str) -> None:
    if unit != "updates":
        print_record(f"steps and updates are {unit} here, the unit of the recipe")


def as_published(findings: list[Finding]) -> list[Finding]:
    """The findings about a published run, in which a horizon that differs from the run is no mistake."""
    found = [
        Finding("info", finding.kind, finding.step, f"as published, {finding.text}")
        if finding.kind in ("horizon_short", "horizon_long")
        else finding
        for finding in findings
    ]
    return sorted(found, key=lambda finding: (finding.severity == "info", finding.step))


def print_published(as_json: bool) -> int:
    """Print the name and the source of each recipe."""
    names = published()
    if as_json:
        print(json.dumps([{"name": name, "source": published(name).source} for name in names], indent=2))
        return 0
    width = max(map(len, names))
    for name in names:
        print_record(published(name).source, f"{name:<{width}}  ", "    ")
    return 0


def print_plan(name: str, as_json: bool) -> int:
    """Print the source, the curves, the values at the beginning of each stage, and the notes of a recipe.

    As JSON, print the data from which `Plan.from_dict` builds it.
    """
    plan = published(name)
    if as_json:
        print(json.dumps(plan.to_dict(), indent=2))
        return 0
    print(f"{name}\n")
    print_wrapped(f"Source: {plan.source}")
    print()
    for curve, (schedule, peak) in plan.curves.items():
        print(f"{curve} = {peak!r} * {schedule!r}")
    rows = [("stage", plan.unit, *plan.curves)]
    for stage, count in [*plan.stages.items(), ("end", plan.length)]:
        rows.append((stage, f"{count:,}", *(f"{value:.6g}" for value in plan.at(count).values())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for stage, *numbers in rows:
        cells = [f"{number:>{width}}" for number, width in zip(numbers, widths[1:], strict=True)]
        print("  ".join([f"{stage:<{widths[0]}}", *cells]))
    if plan.notes:
        print("\nNotes:")
    for note in plan.notes:
        print_wrapped(note, "- ", "  ")
    return 0
