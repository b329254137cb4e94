"""The subcommand `published`, and published recipes as arguments of the other subcommands."""

from __future__ import annotations

import argparse
import json
from math import ceil

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


def run_of_recipes(texts: list[str]) -> tuple[int, str] | None:
    """The longest run and its unit, if all texts are names of recipes with the same unit."""
    if not set(texts) <= set(published()):
        return None
    plans = [published(text) for text in texts]
    units = {plan.unit for plan in plans}
    return (max(ceil(plan.length) for plan in plans), units.pop()) if len(units) == 1 else None


def print_published(as_json: bool) -> int:
    """Print the name and the source of each recipe."""
    names = published()
    if as_json:
        print(json.dumps([{"name": name, "source": published(name).source} for name in names], indent=2))
        return 0
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {published(name).source}")
    return 0


def print_plan(name: str, as_json: bool) -> int:
    """Print the source, the curves, the values at the beginning of each stage, and the notes of a recipe.

    As JSON, print the data from which `Plan.from_dict` builds it.
    """
    plan = published(name)
    if as_json:
        print(json.dumps(plan.to_dict(), indent=2))
        return 0
    print(f"{name}\n\nSource: {plan.source}\n")
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
        print("\nNotes:", *(f"- {note}" for note in plan.notes), sep="\n")
    return 0
