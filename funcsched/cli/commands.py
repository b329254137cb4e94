"""The subcommands of `funcsched` and their options."""

from __future__ import annotations

import argparse

from funcsched.cli.analysis import print_comparison, print_findings
from funcsched.cli.arguments import (
    figure_path,
    function_name,
    pattern,
    peak,
    port,
    positive_int,
    public_name,
    setting,
)
from funcsched.cli.completion import SHELLS, print_completion
from funcsched.cli.logs import print_identified
from funcsched.cli.parser import Parser
from funcsched.cli.plots import explore, plot
from funcsched.cli.values import print_source, print_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ABOUT_EXPRESSIONS = """\
EXPR is one of
  a schedule with its arguments (`funcsched list` shows all schedules):
    'warmup_cosine(1000, 100_000, end=0.1)'
  a published recipe, for its learning rate (`funcsched published` shows all):
    gpt-3
  a schedule of transformers, optax or torch, after a prefix:
    'hf:cosine(num_warmup_steps=1000, num_training_steps=100000)'
    'optax:warmup_cosine_decay_schedule(0.0, 1e-3, 1000, 100000)'
    'torch:CosineAnnealingLR(T_max=100, base_lr=3e-4)'; without base_lr it is 1
  a peak learning rate times one of these, as `funcsched identify` prints it:
    '3e-4 * warmup_cosine(1000, 100_000)'
  @FILE, a text file with one of these, and # comments, or with the JSON of
    fs.to_dict
  -, which reads the same from standard input
Numbers may be variables (--set) and arithmetic with + - * / //:
  'warmup_cosine(total // 100, total)' --set total=12000

"""


def parser() -> Parser:
    """The parser of the command. Its result has the function `run` of the subcommand, and its `parser`."""
    root = Parser(
        prog="funcsched",
        description="List, plot, export, compare, check and identify learning-rate schedules.",
        epilog="example: funcsched plot 'warmup_cosine(1000, 100_000, end=0.1)'\n"
        "See `funcsched COMMAND --help` for the options of a command.",
    )
    printed = root.add_mutually_exclusive_group()
    printed.add_argument("--version", action="store_true", help="print the version")
    printed.add_argument(
        "--print-completion",
        metavar="SHELL",
        choices=SHELLS,
        help=f"print the completion script of a shell: {', '.join(SHELLS)} (requires the package shtab)",
    )
    root.set_defaults(run=_without_command, parser=root)
    commands = root.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        name: str,
        run: Callable[[argparse.Namespace], int],
        text: str,
        example: str,
        expressions: int | str | None = None,  # how many, as `nargs`
    ) -> Parser:
        subparser: Parser = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"{'' if expressions is None else _ABOUT_EXPRESSIONS}example: {example}",
        )
        if expressions is not None:
            subparser.add_argument("expressions", metavar="EXPR", nargs=expressions, help="a schedule, see below")
            subparser.add_argument(
                "--set",
                metavar="NAME=NUMBER",
                action="append",
                default=[],
                type=setting,
                help="value of a variable in the schedules, such as total=12000; may be repeated",
            )
        subparser.set_defaults(run=run, parser=subparser, any_number=expressions in ("+", "*"))
        return subparser

    listing = command(
        "list", _list, "list schedules, shapes and combinators with their arguments", "funcsched list cosine"
    )
    listing.add_argument(
        "pattern",
        metavar="PATTERN",
        nargs="?",
        default="",
        type=pattern,
        help="list only those whose name, summary or name in another library contains this (default: all)",
    )
    show = command(
        "show",
        _show,
        "show a schedule (arguments, formula, source, names in other libraries) or a published recipe",
        "funcsched show CosineAnnealingLR",
    )
    show.add_argument(
        "name",
        metavar="NAME",
        type=public_name,
        help="a name of this library, of another library or of a recipe, or words such as 'one cycle'",
    )
    published = command("published", _published, "list the published recipes of known models", "funcsched published")

    plotting = command(
        "plot",
        plot,
        "plot schedules in the terminal or to a file",
        "funcsched plot 'warmup_cosine(10, 100)' 'noam(512, 10)' --peak-value 3e-4 --out curves.svg",
        "+",
    )
    _add_steps_and_peak(plotting, "last step to plot (default: 110 %% of the length of the longest schedule)")
    plotting.add_argument(
        "--out", metavar="FILE", type=figure_path, help="file for the figure, .png or .svg (default: the terminal)"
    )
    plotting.add_argument("--log", action="store_true", help="use a logarithmic vertical axis")
    exploring = command(
        "explore",
        explore,
        "open schedules in the browser, with sliders for their arguments",
        "funcsched explore 'warmup_cosine(1000, 100_000)' gpt-3",
        "*",
    )
    _add_steps_and_peak(exploring, "number of updates in the run (default: the length of the longest schedule)")
    exploring.add_argument("--port", metavar="N", type=port, default=0, help="port on this machine (default: any)")
    exploring.add_argument("--no-browser", action="store_true", help="print the address without opening a browser")

    table = command(
        "table",
        print_table,
        "print the values of a schedule, always including the boundaries of its phases",
        "funcsched table 'warmup_linear(10, 100)' --every 25 --peak-value 3e-4 --csv",
        1,
    )
    _add_steps_and_peak(table, "last step of the table (default: 110 %% of the length of the schedule)")
    table.add_argument("--every", metavar="K", type=positive_int, help="steps between rows (default: about 20 rows)")

    export = command(
        "export",
        print_source,
        "write a schedule as a function without dependencies, in Python, torch, JAX or C",
        "funcsched export 'warmup_cosine(1000, 100_000)' --to python --peak-value 3e-4",
        1,
    )
    export.add_argument(
        "--to",
        metavar="LANGUAGE",
        required=True,
        choices=("python", "torch", "optax", "c"),
        type=lambda name: {"jax": "optax"}.get(name, name),
        help="language of the function: python, torch, optax (or jax, which is the same) or c",
    )
    _add_peak(export, "the peak learning rate (default: write multipliers)")
    export.add_argument(
        "--name",
        metavar="NAME",
        type=function_name,
        help="name of the function (default: multiplier, or learning_rate with a peak value)",
    )

    compare = command(
        "compare",
        print_comparison,
        "compare two schedules: where they diverge and why (exit status 1 if they differ)",
        "funcsched compare 'warmup_linear(10, 100)' 'hf:linear(num_warmup_steps=10, num_training_steps=100)'",
        2,
    )
    compare.add_argument(
        "--steps", metavar="N", type=positive_int, help="number of updates to compare (default: all steps)"
    )

    check = command(
        "check",
        print_findings,
        "report likely mistakes in a schedule for a training run (exit status 1 if there are warnings)",
        "funcsched check 'warmup_cosine(1000, 100_000)' --steps 90_000 --peak-value 3e-4",
        1,
    )
    _add_steps_and_peak(check, "number of updates in the run; required, except for a recipe or with --log")
    check.add_argument("--quantity", metavar="NAME", help="what is scheduled (default: learning rate)")
    check.add_argument("--log", metavar="FILE", help="compare the schedule with the learning rates of this log instead")
    identify = command(
        "identify",
        print_identified,
        "find the schedule of a log (CSV, JSON, trainer_state.json, TensorBoard) or of a saved torch scheduler",
        "funcsched identify trainer_state.json",
    )
    identify.add_argument("file", metavar="FILE", help="the log, or a checkpoint (.pt) with the state of the scheduler")
    for reader in (check, identify):
        reader.add_argument("--column", metavar="NAME", help="column, key or tag of the learning rate in the log")

    formats = table.add_mutually_exclusive_group()
    formats.add_argument("--csv", action="store_true", help="print CSV, with exact numbers")
    for printing in (listing, show, published, formats, compare, check):
        printing.add_argument("--json", action="store_true", help="print JSON, with exact numbers")
    return root


def _add_steps_and_peak(parser: argparse.ArgumentParser, steps: str) -> None:
    parser.add_argument("--steps", metavar="N", type=positive_int, help=steps)
    _add_peak(parser, "the peak learning rate: the rate at multiplier 1")


def _add_peak(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--peak-value", metavar="LR", dest="peak", type=peak, help=text)


# These modules read all docstrings or recipes, so they are imported only by the subcommands that need them.


def _without_command(options: argparse.Namespace) -> int:
    if options.print_completion:
        return print_completion(options.parser, options.print_completion)
    if options.version:
        from funcsched import __version__

        print(f"funcsched {__version__}")
    else:
        options.parser.print_help()
    return 0


def _list(options: argparse.Namespace) -> int:
    from funcsched.cli.reference import print_list

    return print_list(options.pattern, options.json)


def _show(options: argparse.Namespace) -> int:
    from funcsched.cli.published import print_plan
    from funcsched.cli.reference import print_named
    from funcsched.plans.published import published

    print_found = print_plan if options.name in published() else print_named
    return print_found(options.name, options.json)


def _published(options: argparse.Namespace) -> int:
    from funcsched.cli.published import print_published

    return print_published(options.json)
