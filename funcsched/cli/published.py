"""The subcommand `published`, and published recipes as arguments of the other subcommands."""

from __future__ import annotations

import argparse
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


def print_published() -> None:
    """Print the name and the source of each recipe."""
    names = published()
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {published(name).source}")


def print_plan(name: str) -> None:
    """Print the source, the curves, the values at the beginning of each stage, and the notes of a recipe."""
    plan = published(name)
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
